/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator's thread, held up: deadlines, cancelling, what is left behind,
 * the end of the process, forks.  To be run by realm.sh.
 *
 * Started with a number, it abandons as many threads at a stopped KDC and ends
 * by exit; with "wake" behind it the KDC goes on at that moment, and so do
 * they.  With "crowd" behind it so many threads of its own go on meanwhile.
 */
#include <config.h>

#include <dirent.h>
#include <dlfcn.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include <gssapi/gssapi_ext.h>

#include "src/base/clock.h"
#include "tests/integration/gss/acceptor.h"

#define ALICE "alice@EXAMPLE.TEST"
#define BOB   "bob@EXAMPLE.TEST"

static struct gc_want
wanted(gc_source source, const char *principal, int ms)
{
    struct gc_want want = {.source = source, .deadline = gc_clock_now() + ms};

    (void)snprintf(want.target, sizeof(want.target),
                   "host/guest1.example.test");
    (void)snprintf(want.principal, sizeof(want.principal), "%s", principal);
    if (source == GC_SOURCE_PASSWORD)
        want.password = password("bobpw");
    return want;
}

static gc_status
begin(struct gc_initiator *initiator, const struct gc_want *want,
      struct gc_error *err)
{
    GC_AUTO(gc_said) said = {.done = false};

    return initiator->ops->begin(initiator, want, &said, err);
}

static void
assert_accepted(struct gc_initiator *initiator, const char *principal)
{
    struct gc_want want = wanted(GC_SOURCE_DEFAULT, "", 30000);
    struct outcome outcome;

    if (strcmp(principal, BOB) == 0)
        want = wanted(GC_SOURCE_PASSWORD, "bob", 30000);
    outcome = acceptor_exchange(initiator, &want);
    assert_string_equal(outcome.error.message, "");
    assert_true(outcome.accepted);
    assert_string_equal(outcome.client, principal);
}

static void
signal_kdc(int signal)
{
    assert_int_equal(kill((pid_t)atoi(getenv("GC_REALM_KDC")), signal), 0);
}

static int
threads(void)
{
    DIR *dir = opendir("/proc/self/task");
    int n = -2;

    while (readdir(dir) != NULL)
        n++;
    (void)closedir(dir);
    return n;
}

static int own_threads;

static void *
nothing(void *unused)
{
    return unused;
}

/* A sanitizer has one of its own, from the first on that we start. */
static int
count_own(void)
{
    pthread_t thread;

    if (pthread_create(&thread, NULL, nothing, NULL) == 0)
        (void)pthread_join(thread, NULL);
    return threads();
}

/* Until all that was abandoned has come to its end. */
static void
settle(void)
{
    int64_t end = gc_clock_now() + 20000;

    while (threads() > own_threads && gc_clock_now() < end)
        (void)usleep(10000);
    assert_int_equal(threads(), own_threads);
}

/* ---- a library that is held up ---- */

static struct {
    atomic_bool on;
    sem_t there, go;
    sigset_t blocked;
    size_t stack;
} held;

OM_uint32
gss_acquire_cred_with_password(OM_uint32 *minor, const gss_name_t name,
                               const gss_buffer_t text, OM_uint32 lifetime,
                               const gss_OID_set mechs, gss_cred_usage_t usage,
                               gss_cred_id_t *cred, gss_OID_set *actual,
                               OM_uint32 *left)
{
    OM_uint32 (*real)(OM_uint32 *, const gss_name_t, const gss_buffer_t,
                      OM_uint32, const gss_OID_set, gss_cred_usage_t,
                      gss_cred_id_t *, gss_OID_set *, OM_uint32 *) = NULL;
    pthread_attr_t attr;

    if (!held.on) {
        *(void **)&real = dlsym(RTLD_NEXT, "gss_acquire_cred_with_password");
        return real(minor, name, text, lifetime, mechs, usage, cred, actual,
                    left);
    }
    (void)pthread_sigmask(SIG_BLOCK, NULL, &held.blocked);
    if (pthread_getattr_np(pthread_self(), &attr) == 0) {
        (void)pthread_attr_getstacksize(&attr, &held.stack);
        (void)pthread_attr_destroy(&attr);
    }
    (void)sem_post(&held.there);
    while (sem_wait(&held.go) != 0)
        ;
    *minor = 0;
    return GSS_S_FAILURE;
}

static void
hold(void)
{
    assert_int_equal(sem_init(&held.there, 0, 0), 0);
    assert_int_equal(sem_init(&held.go, 0, 0), 0);
    held.on = true;
}

/* Has another thread got there?  One may be abandoned before it starts. */
static int
held_up(void)
{
    struct timespec soon;

    (void)clock_gettime(CLOCK_REALTIME, &soon);
    soon.tv_nsec += 100000000;
    soon.tv_sec += soon.tv_nsec / 1000000000;
    soon.tv_nsec %= 1000000000;
    return sem_timedwait(&held.there, &soon) == 0 ? 1 : 0;
}

static void
let_go(void)
{
    for (int i = 0; i < 2 * GC_ABANDONED_MAX; i++)
        (void)sem_post(&held.go);
    held.on = false;
    settle();
}

/* ---- deadline and cancelling ---- */

static void
a_deadline_holds_and_others_go_on(void **state)
{
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(-1);
    GC_AUTO_PTR(gc_initiator) other = gc_initiator_new(-1);
    struct gc_want want = wanted(GC_SOURCE_PASSWORD, "bob", 0);
    struct gc_error err = {.status = GC_OK};
    int64_t began;

    (void)state;
    assert_accepted(other, ALICE); /* and has its ticket */
    signal_kdc(SIGSTOP);
    began = gc_clock_now();
    want.deadline = began + 400;
    assert_int_equal(begin(one, &want, &err), GC_E_UNAVAILABLE);
    assert_in_range(gc_clock_now() - began, 390, 3000);
    assert_non_null(strstr(err.message, "deadline"));
    assert_string_not_equal(err.hint, "");
    /* The other needs no KDC: the same library, the same cache. */
    began = gc_clock_now();
    assert_accepted(other, ALICE);
    assert_in_range(gc_clock_now() - began, 0, 3000);
    assert_true(threads() > own_threads);
    signal_kdc(SIGCONT);
    assert_accepted(one, BOB);
    settle();
}

static void *
cancel_soon(void *user)
{
    const int *fd = user;

    (void)usleep(200000);
    (void)!write(*fd, "!", 1);
    return NULL;
}

static void
cancelling_is_heeded_at_once(void **state)
{
    struct gc_want want = wanted(GC_SOURCE_PASSWORD, "bob", 20000);
    struct gc_error err = {.status = GC_OK};
    pthread_t thread;
    int64_t began;
    int fds[2];
    char byte;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(fds[0]);
    hold();
    began = gc_clock_now();
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &fds[1]), 0);
    assert_int_equal(begin(one, &want, &err), GC_E_CANCELED);
    assert_in_range(gc_clock_now() - began, 190, 2000);
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* Not read, hence heeded still. */
    assert_int_equal(begin(one, &want, &err), GC_E_CANCELED);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    let_go();
    assert_accepted(one, BOB);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void
a_thread_of_ours_disturbs_no_host(void **state)
{
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(-1);
    struct gc_want want = wanted(GC_SOURCE_PASSWORD, "bob", 50);
    sigset_t before = {0}, after = {0};

    (void)state;
    (void)pthread_sigmask(SIG_BLOCK, NULL, &before);
    hold();
    assert_int_equal(begin(one, &want, NULL), GC_E_UNAVAILABLE);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &after);
    assert_memory_equal(&before, &after, sizeof(before));
    assert_int_equal(held_up(), 1);
    let_go();
    assert_true(sigismember(&held.blocked, SIGCHLD));
    assert_true(sigismember(&held.blocked, SIGTERM));
    assert_true(sigismember(&held.blocked, SIGPROF));
    assert_in_range(held.stack, 1, 1024 * 1024);
    /* Between two exchanges there is none. */
    assert_accepted(one, BOB);
    assert_int_equal(threads(), own_threads);
}

/* ---- what is left behind ---- */

static void
so_many_are_left_and_no_more(void **state)
{
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(-1);
    GC_AUTO_PTR(gc_initiator) busy = gc_initiator_new(-1);
    struct gc_want want = wanted(GC_SOURCE_PASSWORD, "bob", 30000);
    struct gc_want alice = wanted(GC_SOURCE_DEFAULT, "", 30000);
    struct gc_error err = {.status = GC_OK};
    char principal[GC_PRINCIPAL_SIZE];

    (void)state;
    assert_int_equal(begin(busy, &alice, NULL), GC_OK);
    hold();
    for (int i = 0; i < GC_ABANDONED_MAX; i += held_up()) {
        want.deadline = gc_clock_now() + 5;
        assert_int_equal(begin(one, &want, &err), GC_E_UNAVAILABLE);
        assert_non_null(strstr(err.message, "deadline"));
    }
    want.deadline = gc_clock_now() + 30000;
    assert_int_equal(begin(one, &want, &err), GC_E_UNAVAILABLE);
    assert_non_null(strstr(err.message, "32"));
    assert_int_equal(one->ops->who(one, &want, principal, NULL),
                     GC_E_UNAVAILABLE);
    assert_true(want.deadline - gc_clock_now() > 29000);
    /* What has its thread already keeps it. */
    assert_int_equal(begin(busy, &alice, NULL), GC_OK);
    busy->ops->end(busy);
    let_go();
    assert_accepted(one, BOB);
}

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
static const bool sanitized = true;
#elif defined(__has_feature)
static const bool sanitized =
    __has_feature(address_sanitizer) || __has_feature(thread_sanitizer);
#else
static const bool sanitized = false;
#endif

/* Is "blue" + "fish" + … anywhere that malloc may have put it? */
static bool
secret_is_about(void)
{
    char line[512], secret[24];
    FILE *maps = fopen("/proc/self/maps", "re");
    bool found = false;

    (void)snprintf(secret, sizeof(secret), "%s%s", "willd-dylly-", "bluefish");
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from, to;
        char mode[5], path[256] = "";

        if (sscanf(line, "%lx-%lx %4s %*s %*s %*s %255s", &from, &to, mode,
                   path)
                < 3
            || strncmp(mode, "rw", 2) != 0
            || (path[0] != '\0' && strcmp(path, "[heap]") != 0))
            continue;
        found =
            found || memmem((const void *)from, to - from, secret, 20) != NULL;
    }
    (void)fclose(maps);
    explicit_bzero(secret, sizeof(secret));
    return found;
}

static void
nothing_secret_stays_behind(void **state)
{
    struct gc_want want = wanted(GC_SOURCE_PASSWORD, "bob", 50);
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    if (sanitized) /* freed memory stays as it was, out of reach */
        return;
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(-1);
    assert_int_equal(gc_bytes_set(&text, "willd-dylly-", 12, NULL), GC_OK);
    assert_int_equal(gc_bytes_append(&text, "bluefish", 8, 99, NULL), GC_OK);
    want.password = &text;
    hold();
    assert_int_equal(begin(one, &want, NULL), GC_E_UNAVAILABLE);
    gc_bytes_clear(&text);
    assert_true(secret_is_about()); /* the thread's copy */
    let_go();
    assert_false(secret_is_about());
}

/* ---- the end of the process, and forks ---- */

/* What a cancelled thread had, or one of a forked child's parent, is lost. */
static bool losing;
int __lsan_is_turned_off(void);
__attribute__((visibility("default"))) int
__lsan_is_turned_off(void)
{
    return losing;
}

static pid_t tested; /* the process that has the threads; 0: no matter */

int
pthread_cancel(pthread_t thread)
{
    int (*real)(pthread_t) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "pthread_cancel");
    if (tested != 0 && tested != getpid())
        _exit(5);
    return real(thread);
}

/* Ours is the last destructor of this program: libkrb5's come next. */
static bool exiting;
__attribute__((destructor(101))) static void
look_around(void)
{
    for (int i = 0; exiting && threads() != own_threads; i++) {
        (void)usleep(10000);
        if (i == 200)
            _exit(6);
    }
}

static void
abandon(int count)
{
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(-1);

    for (int i = 0; i < count; i++) {
        struct gc_want want = wanted(GC_SOURCE_PASSWORD, "bob", 20);

        if (begin(one, &want, NULL) != GC_E_UNAVAILABLE)
            _exit(3);
    }
}

static void *
go_on(void *unused)
{
    for (;;) {
        GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(-1);
        struct gc_want want = wanted(GC_SOURCE_DEFAULT, "", 30000);

        (void)!begin(one, &want, NULL);
    }
    return unused;
}

static void
crowd(int count)
{
    pthread_t thread;

    for (int i = 0; i < count; i++)
        if (pthread_create(&thread, NULL, go_on, NULL) != 0)
            _exit(3);
    (void)usleep(50000);
}

static const char *program; /* this one: valgrind's /proc/self/exe is its own */

/* Run ourselves with COUNT threads to abandon. */
static void
run_to_exit(int count, const char *wake)
{
    char text[16];
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)snprintf(text, sizeof(text), "%d", count);
        (void)execl(program, program, text, wake, NULL);
        _exit(4);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
}

static void
exit_is_clean(void **state)
{
    (void)state;
    for (int i = 0; i < 25; i++) {
        signal_kdc(SIGSTOP);
        run_to_exit(1 + i % 3, i % 2 == 0 ? NULL : "wake");
    }
    signal_kdc(SIGCONT);
}

static void
exit_is_clean_under_busy_threads(void **state)
{
    (void)state;
    for (int i = 0; i < 100; i++)
        run_to_exit(8, "crowd");
}

static void
a_forked_child_leaves_them_alone(void **state)
{
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_new(-1);
    GC_AUTO_PTR(gc_initiator) busy = gc_initiator_new(-1);
    struct gc_want want = wanted(GC_SOURCE_PASSWORD, "bob", 50);
    struct gc_want alice = wanted(GC_SOURCE_DEFAULT, "", 30000);
    int64_t began;
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(begin(busy, &alice, NULL), GC_OK);
    hold();
    assert_int_equal(begin(one, &want, NULL), GC_E_UNAVAILABLE);
    began = gc_clock_now();
    tested = getpid();
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        losing = true;
        if (begin(busy, &alice, NULL) != GC_E_INTERNAL)
            _exit(1);
        gc_initiator_free(GC_TAKE(one));
        gc_initiator_free(GC_TAKE(busy));
        exit(0); /* with destructors and all */
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_in_range(gc_clock_now() - began, 0, 5000);
    busy->ops->end(busy);
    let_go();
    assert_accepted(one, BOB);
}

int
main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_deadline_holds_and_others_go_on),
        cmocka_unit_test(cancelling_is_heeded_at_once),
        cmocka_unit_test(a_thread_of_ours_disturbs_no_host),
        cmocka_unit_test(so_many_are_left_and_no_more),
        cmocka_unit_test(nothing_secret_stays_behind),
        cmocka_unit_test(exit_is_clean),
        cmocka_unit_test(exit_is_clean_under_busy_threads),
        cmocka_unit_test(a_forked_child_leaves_them_alone),
    };

    program = argv[0];
    own_threads = count_own();
    if (argc > 1) {
        bool crowded = argc > 2 && strcmp(argv[2], "crowd") == 0;

        (crowded ? crowd : abandon)(atoi(argv[1]));
        losing = true;
        exiting = argc == 2;
        if (argc > 2 && !crowded)
            (void)kill((pid_t)atoi(getenv("GC_REALM_KDC")), SIGCONT);
        exit(0);
    }
    return cmocka_run_group_tests_name("gss thread", tests, NULL, NULL);
}
