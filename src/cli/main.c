/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command: subcommands, options, environment, exit status.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <fcntl.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/cli/interrupt.h"
#include "src/cli/output.h"
#include "src/cli/settings.h"

#define TIMEOUT_S  30
#define USAGE_HINT "guestcred --help lists commands and options"

/* Beyond every letter, so that getopt can tell which long option it met. */
#define LONG_BASE 256
enum { LONG_HELP = LONG_BASE + GC_OPT_COUNT, LONG_VERSION };

struct command {
    const char *name;
    gc_status (*run)(struct gc_cli *cli, struct gc_error *err);
    unsigned bit;
    const char *help; /* NULL: announced, but not there yet */
};

static const struct command commands[] = {
    {"acquire", gc_cli_acquire, GC_ON_ACQUIRE,
     "get a ticket in a guest with one's Kerberos credential"},
    {"validate", gc_cli_validate, GC_ON_VALIDATE,
     "ask the guest whether it still takes a ticket"},
    {"release", gc_cli_release, GC_ON_RELEASE, "end a ticket in its guest"},
    {"list", gc_cli_list, GC_ON_LIST, "show the stored tickets"},
    {"sweep", gc_cli_sweep, GC_ON_SWEEP,
     "release what earlier commands and crashes left behind"},
    {"config", gc_cli_config, GC_ON_CONFIG,
     "show the options in force and where each came from"},
    {"run", NULL, 0, NULL},
    {"ps", NULL, 0, NULL},
    {"kill", NULL, 0, NULL},
    {"cp", NULL, 0, NULL},
    {"doctor", NULL, 0, NULL},
};

static void
print_option(const struct gc_option_info *info)
{
    char left[64];

    (void)snprintf(
        left, sizeof(left), "%s%c%s--%s%s%s", info->letter != 0 ? "-" : " ",
        info->letter != 0 ? info->letter : ' ', info->letter != 0 ? ", " : "  ",
        info->name, info->value != NULL ? " " : "",
        info->value != NULL ? info->value : "");
    (void)printf("  %-34s %s\n", left, info->help);
}

static void
print_help(const struct command *only)
{
    (void)printf("usage: guestcred %s [OPTION]...\n\n",
                 only == NULL ? "COMMAND" : only->name);
    if (only != NULL)
        (void)printf("guestcred %s: %s\n\n", only->name, only->help);
    for (size_t i = 0; only == NULL && i < GC_COUNT_OF(commands); i++)
        if (commands[i].help != NULL)
            (void)printf("  %-12s %s\n", commands[i].name, commands[i].help);
    if (only == NULL)
        (void)printf("\n");
    for (gc_option o = 0; o < GC_OPT_COUNT; o++)
        if (only == NULL || (gc_option_info(o)->takers & only->bit) != 0)
            print_option(gc_option_info(o));
    (void)printf("      --version                      print the version\n"
                 "      --help                         print this\n\n"
                 "Exit status: 0 done, 1 refused or failed, 2 usage or "
                 "configuration,\n3 not now: the same call may succeed later.  "
                 "See guestcred(1).\n");
}

static gc_status
find_command(const char *name, const struct command **ret_command,
             struct gc_error *err)
{
    gc_status st;

    for (size_t i = 0; i < GC_COUNT_OF(commands); i++) {
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (commands[i].run == NULL)
            return gc_fail(err, GC_E_CONFIG, "%s is not there yet", name);
        *ret_command = &commands[i];
        return GC_OK;
    }
    st = gc_fail(err, GC_E_CONFIG, "no such command: %s", name);
    return gc_fail_hint(err, st, USAGE_HINT);
}

/* What the table says, for getopt_long; LETTERS is its short form. */
static void
fill_getopt(struct option *longs, char *letters)
{
    size_t n = 0;

    for (gc_option o = 0; o < GC_OPT_COUNT; o++) {
        const struct gc_option_info *info = gc_option_info(o);

        longs[n++] = (struct option){
            .name = info->name,
            .has_arg = info->value != NULL ? required_argument : no_argument,
            .val = (int)(LONG_BASE + o),
        };
        if (info->letter != 0)
            *letters++ = info->letter;
        if (info->letter != 0 && info->value != NULL)
            *letters++ = ':';
    }
    longs[n++] = (struct option){"help", no_argument, NULL, LONG_HELP};
    longs[n++] = (struct option){"version", no_argument, NULL, LONG_VERSION};
    longs[n] = (struct option){0};
    *letters = '\0';
}

static gc_option
option_of(int value)
{
    if (value >= LONG_BASE)
        return (gc_option)(value - LONG_BASE);
    for (gc_option o = 0; o < GC_OPT_COUNT; o++)
        if (gc_option_info(o)->letter == value)
            return o;
    return GC_OPT_COUNT;
}

/* --help and --version end the command well, wherever they stand. */
static void
leave_if_asked(int value, const struct command *command)
{
    if (value == LONG_HELP)
        print_help(command);
    else if (value == LONG_VERSION)
        (void)printf("guestcred %s\n", PACKAGE_VERSION);
    else
        return;
    exit(fflush(stdout) == 0 ? 0 : 1);
}

static gc_status
unknown_option(char **argv, struct gc_error *err)
{
    gc_status st;

    /* getopt_long points past a long option and at a short one. */
    if (optopt != 0 && optopt < LONG_BASE)
        st = gc_fail(err, GC_E_CONFIG, "unknown or incomplete option: -%c",
                     optopt);
    else
        st = gc_fail(err, GC_E_CONFIG,
                     "unknown, ambiguous or incomplete option: %s",
                     argv[optind - 1]);
    return gc_fail_hint(err, st, USAGE_HINT);
}

static gc_status
read_arguments(struct gc_cli *cli, const struct command *command, int argc,
               char **argv, struct gc_error *err)
{
    struct option longs[GC_OPT_COUNT + 3];
    char letters[2 * GC_OPT_COUNT + 1];
    int value;
    gc_status st;

    fill_getopt(longs, letters);
    opterr = 0;
    while ((value = getopt_long(argc, argv, letters, longs, NULL)) != -1) {
        if (value == '?')
            return unknown_option(argv, err);
        leave_if_asked(value, command);
        if ((gc_option_info(option_of(value))->takers & command->bit) == 0) {
            st = gc_fail(err, GC_E_CONFIG, "%s takes no --%s", command->name,
                         gc_option_info(option_of(value))->name);
            return gc_fail_hint(err, st, USAGE_HINT);
        }
        st = gc_options_put(&cli->config, option_of(value), optarg,
                            GC_FROM_COMMAND_LINE, "command line", err);
        if (st != GC_OK)
            return gc_fail_context(err, st, "command line");
    }
    if (optind < argc) {
        st = gc_fail(err, GC_E_CONFIG, "unexpected argument: %s", argv[optind]);
        return gc_fail_hint(err, st, USAGE_HINT);
    }
    return GC_OK;
}

/*
 * A mistake in the options is to be told as JSON too, if that was asked for;
 * getopt_long takes --js for it as well.
 */
static bool
wants_json(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strlen(argv[i]) > 2
            && strncmp(argv[i], "--json", strlen(argv[i])) == 0)
            return true;
    return false;
}

static gc_status
run(struct gc_cli *cli, int argc, char **argv, struct gc_error *err)
{
    const struct command *command = NULL;
    gc_status st;

    cli->json = wants_json(argc, argv);
    if (argc < 2) {
        st = gc_fail(err, GC_E_CONFIG, "no command");
        return gc_fail_hint(err, st, USAGE_HINT);
    }
    if (strcmp(argv[1], "--help") == 0)
        leave_if_asked(LONG_HELP, NULL);
    if (strcmp(argv[1], "--version") == 0)
        leave_if_asked(LONG_VERSION, NULL);
    st = find_command(argv[1], &command, err);
    if (st == GC_OK)
        st = read_arguments(cli, command, argc - 1, argv + 1, err);
    if (st == GC_OK)
        cli->json = gc_options_flag(&cli->config, GC_OPT_JSON);
    if (st == GC_OK)
        st = gc_settings_read(cli, command->bit, err);
    if (st == GC_OK)
        st = gc_interrupt_catch(&cli->limit.cancel_fd, err);
    if (st != GC_OK)
        return st;
    cli->quiet = gc_options_flag(&cli->config, GC_OPT_QUIET);
    cli->verbose = (int)gc_options_count(&cli->config, GC_OPT_VERBOSE);
    cli->limit.deadline =
        gc_clock_now() + gc_options_timeout_ms(&cli->config, TIMEOUT_S);
    return command->run(cli, err);
}

/*
 * Without the libraries' exit handlers: they give back page by page what the
 * kernel takes back at once, for a twentieth of what a command costs.  Nothing
 * of ours is left to them; leak checkers and coverage are, so those builds wait
 * (configure).
 */
static _Noreturn void
leave(int status)
{
#ifdef GC_SLOW_EXIT
    exit(status);
#else
    _exit(status);
#endif
}

/*
 * Where the caller left one of the standard three closed, what is opened next
 * would take its place: a ticket printed into it, a password read from it.  In
 * its stead stands one that cannot be used in that direction.
 */
static bool
fill_standard_descriptors(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        int how = fd == STDIN_FILENO ? O_WRONLY : O_RDONLY;

        if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", how | O_CLOEXEC) != fd)
            return false;
    }
    return true;
}

int
main(int argc, char **argv)
{
    struct gc_cli cli = {.limit = {0, -1}};
    struct gc_error err = {0};
    gc_status st;

    /* A core file would hold passwords and tickets. */
    (void)setrlimit(RLIMIT_CORE, &(struct rlimit){0});
    if (!fill_standard_descriptors())
        leave(gc_status_exit(GC_E_INTERNAL));
    st = run(&cli, argc, argv, &err);
    if (st != GC_OK && !cli.printed)
        gc_output_error(&cli, &err);
    gc_options_clear(&cli.config);
    if (fflush(stdout) != 0 && st == GC_OK)
        st = GC_E_FAILED;
    if (gc_interrupt_signal() == 0)
        leave(gc_status_exit(st));
    if (st == GC_OK)
        gc_output_warn("interrupted; what had been begun is done");
    leave(128 + gc_interrupt_signal());
}
