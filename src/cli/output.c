/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/output.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"

static void __attribute__((format(printf, 3, 0)))
line(FILE *to, const char *prefix, const char *fmt, va_list args)
{
    char raw[1024], text[2048];

    (void)vsnprintf(raw, sizeof(raw), fmt, args);
    gc_escape(text, sizeof(text), raw, strlen(raw));
    (void)fprintf(to, "%s%s\n", prefix, text);
}

/* ---- what takes long ---- */

#define PATIENCE_MS 2000

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool started; /* the thread that tells */
    int64_t due;  /* when it tells; 0: there is nothing to tell */
    int64_t deadline;
    char what[512];
} step = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void
tell_step(void)
{
    char what[2 * sizeof(step.what)];

    step.due = 0;
    gc_escape(what, sizeof(what), step.what, strlen(step.what));
    (void)fprintf(stderr, "guestcred: still waiting: %s (%d s left)\n", what,
                  gc_clock_left(step.deadline) / 1000);
}

static void *
watch_steps(void *unused)
{
    struct timespec when;

    (void)unused;
    (void)pthread_mutex_lock(&step.lock);
    for (;;) {
        when.tv_sec = step.due / 1000;
        when.tv_nsec = step.due % 1000 * 1000000;
        if (step.due == 0)
            (void)pthread_cond_wait(&step.changed, &step.lock);
        else if (gc_clock_left(step.due) == 0)
            tell_step();
        else
            (void)pthread_cond_timedwait(&step.changed, &step.lock, &when);
    }
    return NULL;
}

/* Signals are for the thread that works. */
static bool
start_watching(void)
{
    pthread_condattr_t clock;
    pthread_t thread;
    sigset_t all, before;

    if (step.started)
        return true;
    (void)sigfillset(&all);
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&step.changed, &clock);
    (void)pthread_condattr_destroy(&clock);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    step.started = pthread_create(&thread, NULL, watch_steps, NULL) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (step.started)
        (void)pthread_detach(thread);
    return step.started;
}

void
gc_output_step(const struct gc_cli *cli, const char *fmt, ...)
{
    va_list args;

    if (cli->quiet || isatty(STDERR_FILENO) == 0 || !start_watching())
        return;
    (void)pthread_mutex_lock(&step.lock);
    va_start(args, fmt);
    (void)vsnprintf(step.what, sizeof(step.what), fmt, args);
    va_end(args);
    step.deadline = cli->limit.deadline;
    step.due = gc_clock_now() + PATIENCE_MS;
    (void)pthread_cond_signal(&step.changed);
    (void)pthread_mutex_unlock(&step.lock);
}

void
gc_output_step_end(void)
{
    (void)pthread_mutex_lock(&step.lock);
    step.due = 0;
    (void)pthread_mutex_unlock(&step.lock);
}

void
gc_output_note(const struct gc_cli *cli, int level, const char *fmt, ...)
{
    va_list args;

    if (level == 1) {
        (void)pthread_mutex_lock(&step.lock);
        va_start(args, fmt);
        (void)vsnprintf(step.what, sizeof(step.what), fmt, args);
        va_end(args);
        (void)pthread_mutex_unlock(&step.lock);
    }
    if (cli->verbose < level)
        return;
    va_start(args, fmt);
    line(stderr, "guestcred: ", fmt, args);
    va_end(args);
}

void
gc_output_warn(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    line(stderr, "guestcred: warning: ", fmt, args);
    va_end(args);
}

void
gc_output_line(const struct gc_cli *cli, const char *fmt, ...)
{
    va_list args;

    if (cli->quiet)
        return;
    va_start(args, fmt);
    line(stdout, "", fmt, args);
    va_end(args);
}

gc_status
gc_output_json(const struct gc_json *root, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    size_t done = 0;
    ssize_t n;
    gc_status st;

    st = gc_json_print(root, &text, err);
    if (st == GC_OK)
        st = gc_bytes_append(&text, "\n", 1, SIZE_MAX, err);
    if (st != GC_OK)
        return st;
    /* Not through stdio: its buffer would keep a copy of the ticket. */
    while (done < text.len) {
        n = write(STDOUT_FILENO, text.data + done, text.len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gc_fail(err, GC_E_FAILED,
                           "cannot write to standard output: %s",
                           strerror(errno));
        done += (size_t)n;
    }
    return GC_OK;
}

gc_status
gc_output_flush(struct gc_error *err)
{
    if (fflush(stdout) == 0)
        return GC_OK;
    return gc_fail(err, GC_E_FAILED, "cannot write to standard output: %s",
                   strerror(errno));
}

struct gc_json *
gc_output_object(void)
{
    struct gc_json *root = gc_json_new_object();

    (void)gc_json_add_int(root, "version", 1);
    return root;
}

/* ERR's hint; where it is advice, with the options that it is about. */
static const char *
hint_of(const struct gc_error *err)
{
    static const char *const advice[GC_ADVICE_COUNT] = {
        [GC_ADVICE_CA] =
            "name vCenter's CA with --ca-file, or its key with --pin",
        [GC_ADVICE_NO_CA] =
            "name vCenter's CA with --ca-file, or its key with --pin, or "
            "install the machine's CAs (Debian: ca-certificates)",
        [GC_ADVICE_SELF_SIGNED] =
            "find out its key in a way that you trust and name it with --pin",
        [GC_ADVICE_CA_BEFORE_PIN] =
            "name the right --ca-file, or none (nor GUESTCRED_CA_FILE): then "
            "the pin stands alone",
        [GC_ADVICE_PROXY] = "check that the proxy is up, and --proxy",
        [GC_ADVICE_PROXY_TLS] = "check --proxy: https:// there is for a proxy "
                                "that speaks TLS itself",
        [GC_ADVICE_TARGET] =
            "check --spn: it must name the guest's account in this realm",
        [GC_ADVICE_URL] = "give that vCenter's --url",
    };
    const char *text = advice[err->advice];

    return text != NULL ? text : err->hint;
}

/* Add ERR's members under "error". */
static void
add_error(struct gc_json *object, const struct gc_error *err)
{
    struct gc_json *error = gc_json_add_object(object, "error");
    const char *hint = hint_of(err);

    (void)gc_json_add_string(error, "status", gc_status_word(err->status));
    if (err->fault[0] != '\0')
        (void)gc_json_add_string(error, "fault", err->fault);
    (void)gc_json_add_string(error, "message", err->message);
    if (hint[0] != '\0')
        (void)gc_json_add_string(error, "hint", hint);
    (void)gc_json_add_bool(error, "retryable",
                           gc_status_exit(err->status) == 3);
}

void
gc_output_failure(const struct gc_cli *cli, struct gc_json **errors,
                  const char *vm, const struct gc_error *err)
{
    bool is_said = strstr(err->message, vm) != NULL;
    const char *hint = hint_of(err);
    struct gc_json *entry;
    char name[1024];

    if (cli->json) {
        if (*errors == NULL)
            *errors = gc_json_new_array();
        entry = gc_json_add_object(*errors, NULL);
        (void)gc_json_add_string(entry, "vm", vm);
        add_error(entry, err);
        return;
    }
    gc_escape(name, sizeof(name), vm, strlen(vm));
    (void)fprintf(stderr, "guestcred: %s%s%s%s%s\n", is_said ? "" : name,
                  is_said ? "" : ": ", err->message,
                  hint[0] != '\0' ? "; " : "", hint);
}

void
gc_output_error(const struct gc_cli *cli, const struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    struct gc_error why = {0};
    const char *hint = hint_of(err);

    if (!cli->json) {
        (void)fprintf(stderr, "guestcred: %s%s%s\n", err->message,
                      hint[0] != '\0' ? "; " : "", hint);
        return;
    }
    root = gc_output_object();
    add_error(root, err);
    if (gc_output_json(root, &why) == GC_OK)
        return;
    if (strcmp(why.message, err->message) == 0)
        (void)fprintf(stderr, "guestcred: %s\n", err->message);
    else
        (void)fprintf(stderr, "guestcred: %s (%s)\n", err->message,
                      why.message);
}
