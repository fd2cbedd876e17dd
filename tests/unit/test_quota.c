/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quota: its limits, each where it is and no earlier; clocks that jump,
 * processes that die, and users who do not notice each other.
 */

#include <config.h>

#include "src/helper/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "tests/unit/tickets_help.h"

#define ALICE 1000
#define BOB   1001
#define VM    "vm-1"
#define OTHER "https://other.example.test"

/* ---- the time, as the test has it ---- */

static time_t ahead;

time_t __real_time(time_t *ret_now);
time_t __wrap_time(time_t *ret_now);

time_t
__wrap_time(time_t *ret_now)
{
    time_t now = __real_time(NULL) + ahead;

    if (ret_now != NULL)
        *ret_now = now;
    return now;
}

static struct gc_store *store; /* alice's; bob's is empty */
static struct gc_store *empty;

static int
setup(void **state)
{
    *state = NULL;
    ahead = 0;
    help_begin();
    store = help_open();
    return gc_store_open(help_path("empty"), GC_STORE_CREATE, &empty, NULL)
           != GC_OK;
}

static int
teardown(void **state)
{
    (void)state;
    gc_store_free(store);
    gc_store_free(empty);
    help_end();
    return 0;
}

static gc_status
enter_at(const char *url, uid_t uid, const char *vm, int patience_ms,
         int *ret_pass, struct gc_error *err)
{
    return gc_quota_enter(help_path("quota"), uid == ALICE ? store : empty, url,
                          uid, vm, gc_clock_now() + patience_ms, ret_pass, err);
}

static gc_status
enter(uid_t uid, const char *vm, int *ret_pass)
{
    return enter_at(URL, uid, vm, 5000, ret_pass, NULL);
}

/* One whole handshake; was it let through? */
static bool
through(uid_t uid, const char *vm)
{
    int pass = -1;
    gc_status st = enter(uid, vm, &pass);

    assert_true(st == GC_OK || st == GC_E_BUSY);
    assert_int_equal(pass >= 0, st == GC_OK);
    gc_quota_leave(&pass);
    return st == GC_OK;
}

/* Is alice refused in VM because of too many of WHAT? */
static bool
refused(const char *vm, const char *what)
{
    struct gc_error err = {0};
    int pass = -1;

    if (enter_at(URL, ALICE, vm, 5000, &pass, &err) != GC_E_BUSY)
        return false;
    if (strstr(err.message, what) == NULL)
        fail_msg("not about %s: %s", what, err.message);
    return true;
}

/* ---- the limits ---- */

static void
test_attempts(void **state)
{
    struct stat info;
    int pass = -1;

    (void)state;
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(through(ALICE, VM));
    assert_true(refused(VM, "attempts"));
    /* Per user, VM and vCenter. */
    assert_true(through(BOB, VM));
    assert_true(through(ALICE, "vm-2"));
    assert_true(through(ALICE, "vm-11"));
    assert_int_equal(enter_at(OTHER, ALICE, VM, 5000, &pass, NULL), GC_OK);
    gc_quota_leave(&pass);
    assert_int_equal(pass, -1);
    /* Refusals are no attempts. */
    ahead = GC_QUOTA_WINDOW_S - 5;
    assert_true(refused(VM, "attempts"));
    ahead = GC_QUOTA_WINDOW_S + 5;
    assert_true(through(ALICE, VM));

    assert_int_equal(stat(help_path("quota/1000"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    /* The directory must be ours alone. */
    assert_int_equal(chmod(help_path("quota/1000"), 0750), 0);
    assert_int_equal(enter(ALICE, VM, &pass), GC_E_CONFIG);
}

static void
test_all_attempts(void **state)
{
    char vm[32];

    (void)state;
    for (int i = 0; i < GC_QUOTA_ALL; i++) {
        (void)snprintf(vm, sizeof(vm), "vm-%d", i);
        assert_true(through(ALICE, vm));
    }
    assert_true(refused("vm-9999", "attempts"));
    assert_true(through(BOB, "vm-9999"));
    ahead = 10 * GC_QUOTA_WINDOW_S;
    assert_true(through(ALICE, "vm-9999"));
}

static void
test_handshakes(void **state)
{
    int one = -1, two = -1, other = -1;

    (void)state;
    assert_int_equal(enter(ALICE, VM, &one), GC_OK);
    assert_int_equal(enter(ALICE, VM, &two), GC_OK);
    assert_true(refused(VM, "handshakes"));
    assert_int_equal(enter(ALICE, "vm-2", &other), GC_OK);
    assert_true(through(BOB, VM));
    gc_quota_leave(&other);
    assert_true(refused(VM, "handshakes"));
    gc_quota_leave(&one);
    gc_quota_leave(&one);
    assert_true(through(ALICE, VM));
    /* A slow one is one still when its minute is over. */
    assert_int_equal(enter(ALICE, VM, &one), GC_OK);
    ahead = 10 * GC_QUOTA_WINDOW_S;
    assert_true(refused(VM, "handshakes"));
    gc_quota_leave(&one);
    gc_quota_leave(&two);
    assert_true(through(ALICE, VM));
}

/* An entry of alice's in VM of the vCenter at WHERE, as it is in STATE. */
static void
add(const char *where, const char *vm, gc_entry_state state)
{
    static int number;
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) earlier = {0};

    help_request(&entry, vm);
    (void)snprintf(entry.url, sizeof(entry.url), "%s", where);
    (void)snprintf(entry.login, sizeof(entry.login), "%032x",
                   (unsigned)++number);
    assert_int_equal(gc_store_intent(store, &entry, NULL), GC_OK);
    if (state == GC_ENTRY_LOST)
        assert_int_equal(gc_store_lost(store, &entry, NULL), GC_OK);
    if (state == GC_ENTRY_LOST || state == GC_ENTRY_INTENT)
        return;
    help_issue(&entry, number);
    assert_int_equal(gc_store_ticket(store, &entry, NULL, &earlier, NULL),
                     GC_OK);
    if (state == GC_ENTRY_OWED)
        assert_int_equal(gc_store_owed(store, &entry, NULL), GC_OK);
}

static int
intend_and_die(void *user)
{
    (void)user;
    add(URL, VM, GC_ENTRY_INTENT);
    return 0;
}

static void
test_tickets(void **state)
{
    (void)state;
    for (int i = 0; i < 2 * GC_QUOTA_TICKETS; i++) {
        add(URL, "vm-2", GC_ENTRY_TICKET);
        add(OTHER, VM, GC_ENTRY_TICKET);
        add(URL, VM, GC_ENTRY_INTENT);
    }
    for (int i = 0; i < GC_QUOTA_TICKETS; i++) {
        assert_true(through(ALICE, VM));
        /* One that is to be released lives until it is. */
        add(URL, VM, i == 1 ? GC_ENTRY_OWED : GC_ENTRY_TICKET);
    }
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(refused(VM, "tickets"));
    assert_true(through(BOB, VM));
    ahead = GC_ENTRY_UNUSED_S + 60;
    assert_true(through(ALICE, VM));
}

/* Of a handshake that was not heard of again a ticket may live. */
static void
test_lost(void **state)
{
    (void)state;
    add(URL, VM, GC_ENTRY_TICKET);
    for (int i = 0; i < GC_QUOTA_LOST - 2; i++)
        add(URL, VM, GC_ENTRY_LOST);
    /* Its process is gone, and no sweep has come along. */
    assert_int_equal(help_fork(intend_and_die, NULL, 0), 0);
    assert_true(through(ALICE, VM));
    add(URL, VM, GC_ENTRY_LOST);
    assert_true(refused(VM, "lost logins"));
    assert_true(through(ALICE, "vm-2"));
    ahead = GC_ENTRY_LOST_S + 60;
    assert_true(through(ALICE, VM));
}

/* ---- clocks, processes ---- */

/* Put back by a year, the last minute lasts one more and not a year. */
static void
test_clock_back(void **state)
{
    (void)state;
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(through(ALICE, VM));
    ahead = -365 * 86400;
    assert_true(refused(VM, "attempts"));
    ahead = GC_QUOTA_WINDOW_S + 5;
    assert_true(through(ALICE, VM));
}

static int
enter_and_die(void *user)
{
    int pass;

    (void)user;
    return enter(ALICE, VM, &pass) == GC_OK ? 0 : 1;
}

/* Attempts of the dead count, and are not under way. */
static void
test_killed(void **state)
{
    (void)state;
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        assert_int_equal(help_fork(enter_and_die, NULL, 0), 0);
    assert_true(refused(VM, "attempts"));
    ahead = GC_QUOTA_WINDOW_S + 5;
    assert_true(through(ALICE, VM));
}

/* Many at once by one: no more get through than may. */
static void
test_storm(void **state)
{
    pid_t children[40];
    int entered = 0, status;

    (void)state;
    (void)fflush(NULL);
    for (size_t i = 0; i < GC_COUNT_OF(children); i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            int pass = -1;
            gc_status st = enter_at(URL, ALICE, VM, 30000, &pass, NULL);

            gc_quota_leave(&pass);
            _exit(st == GC_OK ? 0 : st == GC_E_BUSY ? 1 : 2);
        }
    }
    for (size_t i = 0; i < GC_COUNT_OF(children); i++) {
        while (waitpid(children[i], &status, 0) < 0 && errno == EINTR)
            continue;
        assert_true(WIFEXITED(status));
        assert_true(WEXITSTATUS(status) < 2);
        entered += WEXITSTATUS(status) == 0 ? 1 : 0;
    }
    assert_in_range(entered, 1, GC_QUOTA_ATTEMPTS);
    for (int i = entered; i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(through(ALICE, VM));
    assert_true(refused(VM, "attempts"));
}

/* A process that has one uid's lock was stopped. */
static void
test_stopped(void **state)
{
    struct gc_error err;
    int pass = -1, lock;
    int64_t before;

    (void)state;
    assert_true(through(ALICE, VM));
    lock = open(help_path("quota/1000/lock"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_true(through(BOB, VM));
    before = gc_clock_now();
    assert_int_equal(enter_at(URL, ALICE, VM, 100, &pass, &err), GC_E_BUSY);
    assert_in_range(gc_clock_now() - before, 100, 5000);
    (void)close(lock);
    assert_true(through(ALICE, VM));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_attempts), TEST(test_all_attempts), TEST(test_handshakes),
        TEST(test_tickets),  TEST(test_lost),         TEST(test_clock_back),
        TEST(test_killed),   TEST(test_storm),        TEST(test_stopped),
    };

    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
