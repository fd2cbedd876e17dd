/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred-vcsim: a vCenter with Windows guests in it, for tests.  The
 * command line and the order in which things are opened and closed.
 */

#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "tests/lab/call.h"
#include "tests/lab/collector.h"
#include "tests/lab/control.h"
#include "tests/lab/door.h"
#include "tests/lab/journal.h"
#include "tests/lab/login.h"
#include "tests/lab/loop.h"
#include "tests/lab/rule.h"
#include "tests/lab/script.h"
#include "tests/lab/wire.h"
#include "tests/lab/world.h"

struct options {
    const char *tls, *priority, *username, *password_file;
    const char *setup, *scenario, *control, *journal;
    int64_t port;
    bool esxi;
};

static struct gc_world world;
static struct options options;

static const char usage[] =
    "Usage: guestcred-vcsim --tls FILE [OPTION]...\n"
    "       guestcred-vcsim --ctl SOCKET WORD...\n"
    "Pose as a vCenter with Windows guests, on 127.0.0.1.\n"
    "\n"
    "  --tls FILE            PEM file with key and certificate; off: plain "
    "HTTP\n"
    "  --tls-priority TEXT   GnuTLS priority string\n"
    "  --port PORT           listen there (default: any free port)\n"
    "  --username NAME       vCenter login (administrator@vsphere.local)\n"
    "  --password-file FILE  and its password (default: empty)\n"
    "  --setup FILE          statements that \"reset\" goes back to\n"
    "  --scenario FILE       statements to start with; SIGHUP reads it anew\n"
    "  --control SOCKET      take statements at this Unix socket\n"
    "  --log FILE            append one JSON object a request\n"
    "  --esxi                answer like an ESXi host\n"
    "  --ctl SOCKET WORD...  have a running simulator do a statement\n"
    "  --help, --version\n"
    "\n"
    "The port is printed on standard output once requests are served.\n";

enum {
    OPT_TLS = 256,
    OPT_PRIORITY,
    OPT_PORT,
    OPT_USERNAME,
    OPT_PASSWORD_FILE,
    OPT_SETUP,
    OPT_SCENARIO,
    OPT_CONTROL,
    OPT_LOG,
    OPT_ESXI,
    OPT_HELP,
    OPT_VERSION
};

static const struct option long_options[] = {
    {"tls", required_argument, NULL, OPT_TLS},
    {"tls-priority", required_argument, NULL, OPT_PRIORITY},
    {"port", required_argument, NULL, OPT_PORT},
    {"username", required_argument, NULL, OPT_USERNAME},
    {"password-file", required_argument, NULL, OPT_PASSWORD_FILE},
    {"setup", required_argument, NULL, OPT_SETUP},
    {"scenario", required_argument, NULL, OPT_SCENARIO},
    {"control", required_argument, NULL, OPT_CONTROL},
    {"log", required_argument, NULL, OPT_LOG},
    {"esxi", no_argument, NULL, OPT_ESXI},
    {"help", no_argument, NULL, OPT_HELP},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

/* -1: go on; anything else: exit with it. */
static int
take_option(int option)
{
    switch (option) {
    case OPT_TLS:
        options.tls = optarg;
        return -1;
    case OPT_PRIORITY:
        options.priority = optarg;
        return -1;
    case OPT_PORT:
        if (gc_text_int64(optarg, &options.port) && options.port >= 0
            && options.port < 65536)
            return -1;
        fprintf(stderr, "guestcred-vcsim: bad port: %s\n", optarg);
        return 2;
    case OPT_USERNAME:
        options.username = optarg;
        return -1;
    case OPT_PASSWORD_FILE:
        options.password_file = optarg;
        return -1;
    case OPT_SETUP:
        options.setup = optarg;
        return -1;
    case OPT_SCENARIO:
        options.scenario = optarg;
        return -1;
    case OPT_CONTROL:
        options.control = optarg;
        return -1;
    case OPT_LOG:
        options.journal = optarg;
        return -1;
    case OPT_ESXI:
        options.esxi = true;
        return -1;
    case OPT_HELP:
        fputs(usage, stdout);
        return 0;
    case OPT_VERSION:
        puts("guestcred-vcsim " PACKAGE_VERSION);
        return 0;
    default:
        return 2;
    }
}

static int
read_options(int argc, char **argv)
{
    int option, end;

    while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        end = take_option(option);
        if (end >= 0)
            return end;
    }
    if (options.tls == NULL || optind != argc) {
        fputs(usage, stderr);
        return 2;
    }
    return -1;
}

static bool
read_login(struct gc_text *why)
{
    struct gc_settings *settings = &world.settings;
    GC_TEXT password = {0};

    if (options.username != NULL
        && !gc_text_copy(settings->username, sizeof(settings->username),
                         options.username)) {
        gc_text_puts(why, "the user name is too long");
        return false;
    }
    if (options.password_file == NULL)
        return true;
    if (!gc_text_read_file(options.password_file, sizeof(settings->password),
                           &password)) {
        gc_text_printf(why, "%s: %s", options.password_file, strerror(errno));
        return false;
    }
    if (password.len > 0 && password.data[password.len - 1] == '\n')
        password.data[password.len - 1] = '\0';
    if (gc_text_copy(settings->password, sizeof(settings->password),
                     gc_text_string(&password)))
        return true;
    gc_text_printf(why, "%s: too long", options.password_file);
    return false;
}

static bool
read_scripts(struct gc_text *why)
{
    return gc_script_reset(&world, why)
           && (options.scenario == NULL
               || gc_script_file(&world, options.scenario, why));
}

static bool
open_all(struct gc_text *why)
{
    gc_world_reset(&world);
    gc_call_set_world(&world);
    gc_script_set_setup(options.setup, options.esxi);
    if (!gc_loop_open()
        || (options.journal != NULL && !gc_journal_open(options.journal))) {
        gc_text_printf(why, "%s: %s",
                       options.journal != NULL ? options.journal : "epoll",
                       strerror(errno));
        return false;
    }
    if (!read_login(why) || !gc_door_switch(options.tls, options.priority, why)
        || !read_scripts(why))
        return false;
    if (!gc_wire_open((uint16_t)options.port)) {
        gc_text_printf(why, "port %d: %s", (int)options.port, strerror(errno));
        return false;
    }
    return options.control == NULL
           || gc_control_open(&world, options.control, why);
}

static void
close_all(void)
{
    gc_control_close();
    gc_wire_close();
    gc_door_close();
    gc_rule_drop_all();
    gc_login_expire_all();
    gc_collector_forget();
    gc_world_reset(&world);
    gc_journal_close();
    gc_loop_close();
}

static void
signal_ready(void *user, uint32_t events)
{
    struct gc_watch *watch = user;
    struct signalfd_siginfo info;
    GC_TEXT why = {0};

    (void)events;
    if (read(watch->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
        return;
    if (info.ssi_signo != SIGHUP)
        gc_loop_stop();
    else if (!read_scripts(&why))
        fprintf(stderr, "guestcred-vcsim: %s\n", gc_text_string(&why));
}

static bool
watch_signals(struct gc_watch *watch)
{
    sigset_t set;

    signal(SIGPIPE, SIG_IGN);
    sigemptyset(&set);
    sigaddset(&set, SIGHUP);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigprocmask(SIG_BLOCK, &set, NULL);
    watch->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    watch->ready = signal_ready;
    watch->user = watch;
    if (watch->fd >= 0)
        gc_loop_watch(watch, EPOLLIN);
    return watch->fd >= 0;
}

int
main(int argc, char **argv)
{
    struct gc_watch signals = {.fd = -1};
    GC_TEXT why = {0};
    int end;

    if (argc > 3 && strcmp(argv[1], "--ctl") == 0)
        return gc_control_ask(argv[2], argv + 3, (size_t)argc - 3);
    end = read_options(argc, argv);
    if (end >= 0)
        return end;
    if (!open_all(&why)) {
        fprintf(stderr, "guestcred-vcsim: %s\n", gc_text_string(&why));
        close_all();
        return 2;
    }
    if (watch_signals(&signals)) {
        printf("%u\n", (unsigned)gc_wire_port());
        fflush(stdout);
        gc_loop_run(gc_door_serve);
    }
    close_all();
    if (signals.fd >= 0)
        close(signals.fd);
    return 0;
}
