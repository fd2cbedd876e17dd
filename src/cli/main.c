/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command: subcommands, options, environment, exit status.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <fcntl.h>
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

#define NAME_MAX_LEN 31 /* of a command or an option */

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
    (void)printf("usage: guestcred %s [OPTION]...%s\n\n",
                 only == NULL ? "COMMAND" : only->name,
                 only == NULL ? "\n       guestcred help [COMMAND]" : "");
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
                 "  -h, --help                         print this\n\n"
                 "Exit status: 0 done, 1 refused or failed, 2 usage or "
                 "configuration,\n3 not now: the same call may succeed later.  "
                 "See guestcred(1).\n");
}

/* ---- which command, which option ---- */

/* How many letters must change to make B of A; both are short. */
static size_t
distance(const char *a, const char *b)
{
    size_t row[NAME_MAX_LEN + 1], len = strlen(b), best, diagonal;

    if (strlen(a) > NAME_MAX_LEN || len > NAME_MAX_LEN)
        return NAME_MAX_LEN;
    for (size_t j = 0; j <= len; j++)
        row[j] = j;
    for (size_t i = 0; a[i] != '\0'; i++) {
        diagonal = row[0]++;
        for (size_t j = 1; j <= len; j++) {
            best = diagonal + (a[i] != b[j - 1]);
            diagonal = row[j];
            if (row[j] + 1 < best)
                best = row[j] + 1;
            if (row[j - 1] + 1 < best)
                best = row[j - 1] + 1;
            row[j] = best;
        }
    }
    return row[len];
}

/* Did the user mean OWN by NAME: its beginning, or misspelt? */
static bool
is_near(const char *name, const char *own)
{
    size_t len = strlen(name);

    return (len >= 3 && strncmp(own, name, len) == 0)
           || distance(name, own) <= (len < 5 ? 1 : 2);
}

static gc_status
find_command(const char *name, const struct command **ret_command,
             struct gc_error *err)
{
    const char *near = NULL;
    gc_status st;

    for (size_t i = 0; i < GC_COUNT_OF(commands); i++) {
        if (near == NULL && is_near(name, commands[i].name))
            near = commands[i].name;
        if (strcmp(name, commands[i].name) != 0)
            continue;
        if (commands[i].run == NULL)
            return gc_fail(err, GC_E_CONFIG, "%s is not there yet", name);
        *ret_command = &commands[i];
        return GC_OK;
    }
    st = gc_fail(err, GC_E_CONFIG, "no such command: %s", name);
    if (near != NULL)
        return gc_fail_hint(err, st, "did you mean %s?", near);
    return gc_fail_hint(err, st, USAGE_HINT);
}

/* The option whose name is all LEN bytes of NAME: none may be cut short. */
static gc_option
find_option(const char *name, size_t len)
{
    gc_option o = 0;

    while (o < GC_OPT_COUNT
           && (strncmp(gc_option_info(o)->name, name, len) != 0
               || gc_option_info(o)->name[len] != '\0'))
        o++;
    return o;
}

/* What follows a "=" may be a password. */
static gc_status
unknown_option(const char *name, size_t len, struct gc_error *err)
{
    char typed[NAME_MAX_LEN + 1];
    gc_status st = gc_fail(err, GC_E_CONFIG, "unknown option: --%.*s",
                           (int)(len < 64 ? len : 64), name);

    (void)snprintf(typed, sizeof(typed), "%.*s",
                   (int)(len < sizeof(typed) ? len : 0), name);
    for (gc_option o = 0; o < GC_OPT_COUNT; o++)
        if (typed[0] != '\0' && is_near(typed, gc_option_info(o)->name))
            return gc_fail_hint(err, st, "did you mean --%s?",
                                gc_option_info(o)->name);
    return gc_fail_hint(err, st, USAGE_HINT);
}

/* ---- the command line ---- */

/* What the arguments say beside the options' values. */
struct asked {
    const struct command *command;
    bool help;
    bool version;
};

static gc_status
put(struct gc_cli *cli, gc_option o, const char *value, struct gc_error *err)
{
    const struct gc_option_info *info = gc_option_info(o);
    gc_status st;

    if (info->value != NULL && value == NULL) {
        st = gc_fail(err, GC_E_CONFIG, "--%s has no value", info->name);
        return gc_fail_hint(err, st, "write --%s %s", info->name, info->value);
    }
    st = gc_options_put(&cli->config, o, value, GC_FROM_COMMAND_LINE,
                        "command line", err);
    return st == GC_OK ? GC_OK : gc_fail_context(err, st, "command line");
}

/* "--name", "--name=value" or "--name value"; NEXT may be its value. */
static gc_status
take_long(struct gc_cli *cli, struct asked *asked, const char *name,
          char ***next, struct gc_error *err)
{
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    gc_option o = find_option(name, len);

    if (strcmp(name, "help") == 0 || strcmp(name, "version") == 0) {
        asked->help = asked->help || name[0] == 'h';
        asked->version = asked->version || name[0] == 'v';
        return GC_OK;
    }
    if (o == GC_OPT_COUNT)
        return unknown_option(name, len, err);
    if (gc_option_info(o)->value == NULL && value != NULL)
        return gc_fail(err, GC_E_CONFIG, "--%s takes no value",
                       gc_option_info(o)->name);
    if (gc_option_info(o)->value != NULL && value == NULL && **next != NULL)
        value = *(*next)++;
    return put(cli, o, value, err);
}

/* "-qv", "-H5" or "-H 5". */
static gc_status
take_letters(struct gc_cli *cli, struct asked *asked, const char *letters,
             char ***next, struct gc_error *err)
{
    gc_status st = GC_OK;

    for (; st == GC_OK && letters[0] != '\0'; letters++) {
        const char *value = NULL;
        gc_option o = 0;

        if (letters[0] == 'h') {
            asked->help = true;
            continue;
        }
        while (o < GC_OPT_COUNT && gc_option_info(o)->letter != letters[0])
            o++;
        if (o == GC_OPT_COUNT) {
            st = gc_fail(err, GC_E_CONFIG, "unknown option: -%c", letters[0]);
            return gc_fail_hint(err, st, USAGE_HINT);
        }
        if (gc_option_info(o)->value == NULL) {
            st = put(cli, o, NULL, err);
            continue;
        }
        if (letters[1] != '\0')
            value = letters + 1;
        else if (**next != NULL)
            value = *(*next)++;
        return put(cli, o, value, err);
    }
    return st;
}

/* The command; "help" asks for the help of the one that follows, if any. */
static gc_status
take_word(struct asked *asked, const char *word, struct gc_error *err)
{
    gc_status st;

    if (asked->command == NULL && strcmp(word, "help") == 0) {
        asked->help = true;
        return GC_OK;
    }
    if (asked->command == NULL)
        return find_command(word, &asked->command, err);
    st = gc_fail(err, GC_E_CONFIG, "unexpected argument: %s", word);
    return gc_fail_hint(err, st, USAGE_HINT);
}

static gc_status
check_takers(const struct gc_cli *cli, const struct command *command,
             struct gc_error *err)
{
    gc_status st;

    for (gc_option o = 0; o < GC_OPT_COUNT; o++) {
        if (gc_options_count(&cli->config, o) == 0
            || (gc_option_info(o)->takers & command->bit) != 0)
            continue;
        st = gc_fail(err, GC_E_CONFIG, "%s takes no --%s", command->name,
                     gc_option_info(o)->name);
        return gc_fail_hint(err, st, "guestcred %s --help lists what it takes",
                            command->name);
    }
    return GC_OK;
}

static gc_status
read_arguments(struct gc_cli *cli, char **argv, struct asked *asked,
               struct gc_error *err)
{
    bool only_words = false;
    gc_status st = GC_OK;

    while (st == GC_OK && *argv != NULL) {
        const char *arg = *argv++;

        if (only_words || arg[0] != '-' || arg[1] == '\0')
            st = take_word(asked, arg, err);
        else if (strcmp(arg, "--") == 0)
            only_words = true;
        else if (arg[1] == '-')
            st = take_long(cli, asked, arg + 2, &argv, err);
        else
            st = take_letters(cli, asked, arg + 1, &argv, err);
    }
    if (st != GC_OK || asked->help || asked->version)
        return st;
    if (asked->command == NULL) {
        st = gc_fail(err, GC_E_CONFIG, "no command");
        return gc_fail_hint(err, st, USAGE_HINT);
    }
    return check_takers(cli, asked->command, err);
}

/* Is WORD among the arguments, even if others are wrong? */
static bool
is_asked_for(char **argv, const char *word)
{
    for (; *argv != NULL && strcmp(*argv, "--") != 0; argv++)
        if (strcmp(*argv, word) == 0)
            return true;
    return false;
}

/* Help and version need no vCenter, no file and no variable. */
static gc_status
answer(const struct asked *asked, bool help, struct gc_error *err)
{
    if (help)
        print_help(asked->command);
    else
        (void)printf("guestcred %s\n", PACKAGE_VERSION);
    return gc_output_flush(err);
}

static gc_status
run(struct gc_cli *cli, char **argv, struct gc_error *err)
{
    struct asked asked = {0};
    gc_status st;

    cli->json = is_asked_for(argv, "--json");
    st = read_arguments(cli, argv, &asked, err);
    if (is_asked_for(argv, "--help") || is_asked_for(argv, "-h")
        || (st == GC_OK && asked.help))
        return answer(&asked, true, err);
    if (st == GC_OK && asked.version)
        return answer(&asked, false, err);
    if (st == GC_OK)
        cli->json = gc_options_flag(&cli->config, GC_OPT_JSON);
    if (st == GC_OK)
        st = gc_settings_read(cli, asked.command->bit, err);
    if (st == GC_OK)
        st = gc_interrupt_catch(&cli->limit.cancel_fd, err);
    if (st != GC_OK)
        return st;
    cli->quiet = gc_options_flag(&cli->config, GC_OPT_QUIET);
    cli->verbose = (int)gc_options_count(&cli->config, GC_OPT_VERBOSE);
    cli->limit.deadline =
        gc_clock_now() + gc_options_timeout_ms(&cli->config, TIMEOUT_S);
    return asked.command->run(cli, err);
}

/*
 * Skip the libraries' exit handlers: they free page by page what the kernel
 * takes back at once, for a twentieth of what a command costs.  We leave
 * nothing to them; leak checkers and coverage need them, so those builds wait
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
 * would take its place: a ticket printed into it, a password read from it.
 * Fill its place with one that cannot be used in that direction.
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
    st = run(&cli, argc > 0 ? argv + 1 : argv, &err);
    if (st != GC_OK && !cli.printed)
        gc_output_error(&cli, &err);
    gc_options_clear(&cli.config);
    if (fflush(stdout) != 0 && st == GC_OK)
        st = GC_E_FAILED;
    if (gc_interrupt_signal() == 0)
        leave(gc_status_exit(st));
    if (st == GC_OK)
        gc_output_warn("interrupted, but the work was done by then");
    leave(128 + gc_interrupt_signal());
}
