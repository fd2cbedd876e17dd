/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quota: three limits, each where it is and no earlier; clocks that jump,
 * processes that die, files that lie, and users who do not notice each other.
 */

#include <config.h>

#include "src/helper/attempts.h"
#include "src/helper/quota.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "src/store/atomic.h"
#include "src/store/files.h"
#include "tests/unit/store_help.h"

#define ALICE 1000
#define BOB   1001
#define VM    "vm-1"
#define STATE "quota/1000/attempts"

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

/* ALICE's and BOB's. */
static struct gc_ledger *ledgers[2];

static struct gc_ledger *
ledger_of(uid_t uid)
{
    return ledgers[uid == ALICE ? 0 : 1];
}

static int
setup(void **state)
{
    *state = NULL;
    ahead = 0;
    (void)help_mkdir();
    return gc_ledger_open(help_path("ledger"), ALICE, &ledgers[0], NULL)
               != GC_OK
           || gc_ledger_open(help_path("ledger"), BOB, &ledgers[1], NULL)
                  != GC_OK;
}

static int
teardown(void **state)
{
    (void)state;
    gc_ledger_free(ledgers[0]);
    gc_ledger_free(ledgers[1]);
    help_rmdir();
    return 0;
}

static gc_status
enter_at(const char *url, uid_t uid, const char *vm, int patience_ms,
         struct gc_quota_pass *ret_pass, struct gc_error *err)
{
    return gc_quota_enter(help_path("quota"), ledger_of(uid), url, uid, vm,
                          gc_clock_now() + patience_ms, ret_pass, err);
}

static gc_status
enter(uid_t uid, const char *vm, struct gc_quota_pass *ret_pass)
{
    return enter_at(URL, uid, vm, 5000, ret_pass, NULL);
}

static void
leave(const struct gc_quota_pass *pass)
{
    gc_quota_leave(help_path("quota"), pass);
}

/* One whole handshake; was it let through? */
static bool
through(uid_t uid, const char *vm)
{
    struct gc_quota_pass pass = {.uid = 77};
    gc_status st = enter(uid, vm, &pass);

    if (st == GC_OK) {
        assert_int_equal(pass.uid, uid);
        leave(&pass);
        return true;
    }
    assert_int_equal(st, GC_E_BUSY);
    assert_int_equal(pass.uid, 77);
    return false;
}

/* Is UID refused in VM because of too many of WHAT? */
static bool
refused(uid_t uid, const char *vm, const char *what)
{
    struct gc_quota_pass pass;
    struct gc_error err = {0};

    if (enter_at(URL, uid, vm, 5000, &pass, &err) != GC_E_BUSY)
        return false;
    if (strstr(err.message, what) == NULL)
        fail_msg("not about %s: %s", what, err.message);
    return true;
}

/* ---- the three limits ---- */

static void
test_attempts(void **state)
{
    struct stat info;
    struct gc_quota_pass pass;

    (void)state;
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++) {
        ahead = i;
        assert_true(through(ALICE, VM));
    }
    assert_true(refused(ALICE, VM, "attempts"));
    /* Per user, VM and vCenter. */
    assert_true(through(BOB, VM));
    assert_true(through(ALICE, "vm-2"));
    assert_true(through(ALICE, "vm-11"));
    assert_int_equal(
        enter_at("https://other.example.test", ALICE, VM, 5000, &pass, NULL),
        GC_OK);
    leave(&pass);
    /* Refusals are no attempts: the first one's minute ends. */
    ahead = GC_QUOTA_WINDOW_S - 2;
    assert_true(refused(ALICE, VM, "attempts"));
    ahead = GC_QUOTA_WINDOW_S + 1;
    assert_true(through(ALICE, VM));
    ahead = 3 * GC_QUOTA_WINDOW_S;
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(through(ALICE, VM));
    assert_true(refused(ALICE, VM, "attempts"));

    assert_int_equal(stat(help_path(STATE), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stat(help_path("quota/1000"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(stat(help_path("quota"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
}

/* Whoever has a map of a thousand VMs does not get a file of ten thousand. */
static void
test_all_attempts(void **state)
{
    char vm[32];

    (void)state;
    for (int i = 0; i < GC_ATTEMPTS_MAX; i++) {
        (void)snprintf(vm, sizeof(vm), "vm-%d", i);
        assert_true(through(ALICE, vm));
    }
    assert_true(refused(ALICE, "vm-9999", "attempts"));
    assert_true(through(BOB, "vm-9999"));
    ahead = 10 * GC_QUOTA_WINDOW_S;
    assert_true(through(ALICE, "vm-9999"));
}

static void
test_handshakes(void **state)
{
    struct gc_quota_pass one, two, other;

    (void)state;
    assert_int_equal(enter(ALICE, VM, &one), GC_OK);
    assert_int_equal(enter(ALICE, VM, &two), GC_OK);
    assert_string_not_equal(one.id, two.id);
    assert_true(refused(ALICE, VM, "handshakes"));
    assert_int_equal(enter(ALICE, "vm-2", &other), GC_OK);
    assert_true(through(BOB, VM));
    leave(&other);
    assert_true(refused(ALICE, VM, "handshakes"));
    leave(&one);
    leave(&one);
    assert_true(through(ALICE, VM));
    assert_int_equal(enter(ALICE, VM, &one), GC_OK);
    assert_true(refused(ALICE, VM, "handshakes"));
    /* A slow one is one still when its minute is over. */
    ahead = 10 * GC_QUOTA_WINDOW_S;
    assert_true(refused(ALICE, VM, "handshakes"));
    /* But not for ever, whatever /proc says. */
    ahead = GC_QUOTA_LONGEST_S + 60;
    assert_true(through(ALICE, VM));
}

static void
owe_since(uid_t uid, const char *vm, const char *url, gc_owed owed,
          int64_t written)
{
    static int number;
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_entry)
    entry = {.state = owed, .uid = uid, .written = written};

    help_record(&record, vm, number++);
    gc_ticket_move(&entry.ticket, &record.ticket);
    (void)snprintf(entry.url, sizeof(entry.url), "%s", url);
    assert_int_equal(gc_ledger_write(ledger_of(uid), &entry, NULL), GC_OK);
}

static void
owe(uid_t uid, const char *vm, const char *url, gc_owed owed)
{
    owe_since(uid, vm, url, owed, 0);
}

/* Of a handshake that nobody heard of again a ticket may live. */
static void
test_lost_tickets(void **state)
{
    int64_t now;

    (void)state;
    ahead = 0;
    now = (int64_t)time(NULL);
    for (int i = 0; i < 2 * GC_QUOTA_LOST; i++) {
        owe_since(BOB, VM, URL, GC_OWED_LOST, now);
        owe_since(ALICE, "vm-2", URL, GC_OWED_LOST, now);
        owe_since(ALICE, VM, "https://other.example.test", GC_OWED_LOST, now);
        owe_since(ALICE, VM, URL, GC_OWED_LOST, now - GC_LEDGER_LOST_S);
    }
    owe(ALICE, VM, URL, GC_OWED_TICKET);
    for (int i = 0; i < GC_QUOTA_LOST - 2; i++)
        owe_since(ALICE, VM, URL, GC_OWED_LOST, now);
    /* Its process is gone, and no sweep has come along. */
    owe_since(ALICE, VM, URL, GC_OWED_INTENT, now);
    assert_true(through(ALICE, VM));
    owe_since(ALICE, VM, URL, GC_OWED_LOST, now);
    assert_true(refused(ALICE, VM, "lost logins"));
    assert_true(refused(BOB, VM, "lost logins"));
    ahead = GC_LEDGER_LOST_S;
    assert_true(through(ALICE, VM));
    assert_true(through(BOB, VM));
}

static void
test_tickets(void **state)
{
    GC_AUTO(gc_entries) entries = {0};

    (void)state;
    for (int i = 0; i < 2 * GC_QUOTA_TICKETS; i++) {
        owe(BOB, VM, URL, GC_OWED_TICKET);
        owe(ALICE, "vm-2", URL, GC_OWED_TICKET);
        owe(ALICE, VM, "https://other.example.test", GC_OWED_TICKET);
        owe(ALICE, VM, URL, GC_OWED_INTENT);
    }
    for (int i = 0; i < GC_QUOTA_TICKETS; i++) {
        assert_true(through(ALICE, VM));
        /* One that is to be released lives until it is. */
        owe(ALICE, VM, URL, i == 1 ? GC_OWED_RELEASE : GC_OWED_TICKET);
    }
    assert_true(refused(ALICE, VM, "tickets"));
    assert_true(refused(BOB, VM, "tickets"));
    assert_true(through(BOB, "vm-2"));
    /* What is refused for another reason is no attempt either. */
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(refused(ALICE, VM, "tickets"));
    assert_int_equal(gc_ledger_list(ledger_of(ALICE), &entries, NULL), GC_OK);
    for (size_t i = 0; i < entries.count; i++)
        if (entries.items[i].state == GC_OWED_RELEASE)
            assert_int_equal(
                gc_ledger_settle(ledger_of(ALICE), entries.items[i].id, NULL),
                GC_OK);
    assert_true(through(ALICE, VM));
}

/* ---- clocks ---- */

/* Put back by a year, the last minute lasts one more and not a year. */
static void
test_clock_back(void **state)
{
    (void)state;
    ahead = 365 * 86400;
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(through(ALICE, VM));
    ahead = 0;
    assert_true(refused(ALICE, VM, "attempts"));
    ahead = GC_QUOTA_WINDOW_S - 5;
    assert_true(refused(ALICE, VM, "attempts"));
    ahead = GC_QUOTA_WINDOW_S + 5;
    assert_true(through(ALICE, VM));
}

/* ---- processes ---- */

static int
enter_and_stay(void *user)
{
    struct gc_quota_pass pass;

    (void)user;
    return enter(ALICE, VM, &pass) == GC_OK ? 0 : 1;
}

/* As those who are killed in the middle, one after the other. */
static void
test_killed(void **state)
{
    struct gc_quota_pass one, two;

    (void)state;
    for (int i = 0; i < 60; i++) {
        ahead += 7;
        assert_int_equal(help_fork(enter_and_stay, NULL, 0), 0);
    }
    ahead += GC_QUOTA_WINDOW_S;
    assert_int_equal(enter(ALICE, VM, &one), GC_OK);
    assert_int_equal(enter(ALICE, VM, &two), GC_OK);
    assert_true(refused(ALICE, VM, "handshakes"));
    /* Their attempts count, though they are dead. */
    leave(&one);
    leave(&two);
    for (int i = 0; i < GC_QUOTA_ATTEMPTS; i++)
        (void)help_fork(enter_and_stay, NULL, 0);
    assert_true(refused(ALICE, VM, "attempts"));
}

/* Sixty at once by one, and how many of them were let through. */
static int
storm(uid_t uid, int storm_size)
{
    pid_t children[60];
    int entered = 0, status;

    assert_true(storm_size <= 60);
    (void)fflush(NULL);
    for (int i = 0; i < storm_size; i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct gc_quota_pass pass;
            gc_status st;

            help_in_child();
            st = enter_at(URL, uid, VM, 30000, &pass, NULL);
            if (st == GC_OK)
                leave(&pass);
            _exit(st == GC_OK ? 0 : st == GC_E_BUSY ? 1 : 2);
        }
    }
    for (int i = 0; i < storm_size; i++) {
        while (waitpid(children[i], &status, 0) < 0 && errno == EINTR)
            continue;
        assert_true(WIFEXITED(status));
        assert_true(WEXITSTATUS(status) < 2);
        entered += WEXITSTATUS(status) == 0 ? 1 : 0;
    }
    return entered;
}

static int
storm_of_alice(void *user)
{
    (void)user;
    return storm(ALICE, 60);
}

/* One uid's storm is its own affair, and breaks no limit. */
static void
test_storm(void **state)
{
    pid_t stormer;
    int status = -1;

    (void)state;
    (void)fflush(NULL);
    stormer = fork();
    assert_true(stormer >= 0);
    if (stormer == 0) {
        help_in_child();
        _exit(storm_of_alice(NULL));
    }
    for (uid_t uid = BOB; uid < BOB + 20; uid++) {
        struct gc_quota_pass pass;

        assert_int_equal(enter(uid, VM, &pass), GC_OK);
        leave(&pass);
    }
    while (waitpid(stormer, &status, 0) < 0 && errno == EINTR)
        continue;
    assert_true(WIFEXITED(status));
    assert_in_range(WEXITSTATUS(status), 1, GC_QUOTA_ATTEMPTS);
    /* All that were let through are written down, and none is under way. */
    for (int i = WEXITSTATUS(status); i < GC_QUOTA_ATTEMPTS; i++)
        assert_true(through(ALICE, VM));
    assert_true(refused(ALICE, VM, "attempts"));
}

/* Somebody stopped a process that has one uid's lock. */
static void
test_stopped(void **state)
{
    struct gc_quota_pass pass;
    struct gc_error err;
    int dir = -1, lock = -1;
    int64_t before;

    (void)state;
    assert_int_equal(enter(ALICE, VM, &pass), GC_OK);
    assert_int_equal(gc_files_open(help_path("quota/1000"), 0, &dir, NULL),
                     GC_OK);
    assert_int_equal(gc_atomic_lock(dir, gc_clock_now(), &lock, NULL), GC_OK);
    assert_true(through(BOB, VM));
    before = gc_clock_now();
    assert_int_equal(enter_at(URL, ALICE, VM, 100, &pass, &err), GC_E_BUSY);
    assert_in_range(gc_clock_now() - before, 100, 5000);
    before = gc_clock_now();
    leave(&pass);
    assert_in_range(gc_clock_now() - before, 0, 3000);
    gc_atomic_unlock(lock);
    (void)close(dir);
}

/* ---- files ---- */

static void
set_mtime(time_t when)
{
    const struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when}};

    assert_int_equal(
        utimensat(AT_FDCWD, help_path(STATE), times, AT_SYMLINK_NOFOLLOW), 0);
}

/* What is there is full for a minute, be it dated to come, and then gone. */
static void
check_bad(void)
{
    assert_true(refused(ALICE, VM, "cannot be read"));
    assert_true(through(BOB, "vm-2"));
    set_mtime(__real_time(NULL) + 86400);
    assert_true(refused(ALICE, VM, "cannot be read"));
    ahead = GC_QUOTA_WINDOW_S - 5;
    assert_true(refused(ALICE, VM, "cannot be read"));
    ahead = GC_QUOTA_WINDOW_S + 5;
    assert_true(through(ALICE, VM));
    assert_true(through(ALICE, VM));
    ahead = 0;
    assert_int_equal(unlink(help_path(STATE)), 0);
    assert_int_equal(unlink(help_path("quota/1001/attempts")), 0);
}

#define ATTEMPT                                                                \
    "{\"id\":\"0\",\"url\":\"u\",\"vm\":\"v\",\"time\":1,\"process\":"         \
    "\"1.2.-\",\"done\":true}"
#define STATE_OF(attempt) "{\"version\":1,\"attempts\":[" attempt "]}"

static void
test_hostile_text(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"version\":1}",
        "{\"version\":2,\"attempts\":[]}",
        "{\"version\":1,\"attempts\":{}}",
        STATE_OF("1"),
        STATE_OF("{}"),
        STATE_OF(ATTEMPT ",{}"),
        STATE_OF(
            "{\"id\":\"0123456789abcdef0123456789abcdef0\",\"url\":\"u\","
            "\"vm\":\"v\",\"time\":1,\"process\":\"1.2.-\",\"done\":true}"),
        STATE_OF("{\"id\":\"0\",\"url\":\"u\",\"vm\":\"v\",\"time\":-1,"
                 "\"process\":\"1.2.-\",\"done\":true}"),
        STATE_OF("{\"id\":\"0\",\"url\":\"u\",\"vm\":\"v\",\"time\":1,"
                 "\"process\":\"1.2\",\"done\":true}"),
        STATE_OF("{\"id\":\"0\",\"url\":\"u\",\"vm\":\"v\",\"time\":1,"
                 "\"process\":\"1.2.-\",\"done\":1}"),
    };
    static char many[512 * 1024 + 100];
    size_t len;

    (void)state;
    assert_true(through(ALICE, VM));
    help_file(STATE, STATE_OF(ATTEMPT), strlen(STATE_OF(ATTEMPT)), 0600);
    assert_true(through(ALICE, VM));
    for (size_t i = 0; i < GC_COUNT_OF(texts); i++) {
        help_file(STATE, texts[i], strlen(texts[i]), 0600);
        check_bad();
    }
    (void)snprintf(many, sizeof(many), "{\"version\":1,\"attempts\":[" ATTEMPT);
    for (int i = 1; i < GC_ATTEMPTS_MAX + 1; i++) {
        len = strlen(many);
        (void)snprintf(many + len, sizeof(many) - len, "," ATTEMPT);
    }
    len = strlen(many);
    (void)snprintf(many + len, sizeof(many) - len, "]}");
    help_file(STATE, many, len + 2, 0600);
    check_bad();
    memset(many, ' ', sizeof(many));
    memcpy(many, STATE_OF(""), strlen(STATE_OF("")));
    help_file(STATE, many, sizeof(many), 0600);
    check_bad();
}

static void
test_hostile_files(void **state)
{
    struct gc_quota_pass pass;

    (void)state;
    assert_true(through(ALICE, VM));
    assert_int_equal(chmod(help_path(STATE), 0644), 0);
    check_bad();
    help_file("elsewhere", STATE_OF(""), strlen(STATE_OF("")), 0600);
    assert_int_equal(symlink("../../elsewhere", help_path(STATE)), 0);
    check_bad();
    assert_int_equal(access(help_path("elsewhere"), F_OK), 0);
    assert_int_equal(mkfifo(help_path(STATE), 0600), 0);
    check_bad();
    assert_int_equal(mkdir(help_path(STATE), 0700), 0);
    check_bad();

    /* The directories must be ours alone. */
    assert_int_equal(chmod(help_path("quota/1000"), 0750), 0);
    assert_int_equal(enter(ALICE, VM, &pass), GC_E_CONFIG);
    assert_int_equal(chmod(help_path("quota/1000"), 0700), 0);
    assert_int_equal(chmod(help_path("quota"), 0711), 0);
    assert_int_equal(enter(ALICE, VM, &pass), GC_E_CONFIG);
    assert_int_equal(chmod(help_path("quota"), 0700), 0);
    assert_int_equal(rename(help_path("quota/1000"), help_path("moved")), 0);
    assert_int_equal(symlink("../moved", help_path("quota/1000")), 0);
    assert_int_equal(enter(ALICE, VM, &pass), GC_E_CONFIG);
    assert_true(through(BOB, VM));
    assert_int_equal(gc_quota_enter("quota", ledger_of(ALICE), URL, ALICE, VM,
                                    0, &pass, NULL),
                     GC_E_CONFIG);
}

/* A child that dies before what it wrote has a name. */
static int
child_leaves(void *user)
{
    struct gc_process self;
    char process[GC_PROCESS_TEXT_SIZE], sub[300];

    (void)user;
    gc_process_self(&self);
    gc_process_print(&self, process);
    (void)snprintf(sub, sizeof(sub), "quota/1000/tmp.%s.%ld-0.attempts.tmp",
                   process, (long)getpid());
    help_file(sub, "x", 1, 0600);
    return 0;
}

/* No litter, neither of the killed nor of those who were never there. */
static void
test_rubbish(void **state)
{
    const struct gc_quota_pass nobody = {.uid = 4242, .id = "0"};

    (void)state;
    assert_true(through(ALICE, VM));
    assert_int_equal(help_fork(child_leaves, NULL, 0), 0);
    assert_int_equal(help_names("quota/1000", "tmp."), 1);
    assert_true(through(ALICE, VM));
    assert_int_equal(help_names("quota/1000", ""), 2); /* and the lock */
    leave(&nobody);
    assert_int_equal(help_names("quota", ""), 1);
}

static void
test_arguments(void **state)
{
    char url[GC_URL_SIZE + 1], vm[GC_TICKET_VM_SIZE + 1];
    struct gc_quota_pass pass;

    (void)state;
    (void)snprintf(url, sizeof(url), "%0512d", 0);
    (void)snprintf(vm, sizeof(vm), "%0128d", 0);
    assert_int_equal(enter(ALICE, vm, &pass), GC_E_INTERNAL);
    assert_int_equal(enter_at(url, ALICE, VM, 100, &pass, NULL), GC_E_INTERNAL);
    url[GC_URL_SIZE - 1] = vm[GC_TICKET_VM_SIZE - 1] = '\0';
    assert_int_equal(enter_at(url, ALICE, vm, 100, &pass, NULL), GC_OK);
    leave(&pass);
    assert_int_equal(enter_at(url, ALICE, vm, 100, &pass, NULL), GC_OK);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_attempts),      TEST(test_all_attempts),
        TEST(test_handshakes),    TEST(test_tickets),
        TEST(test_lost_tickets),  TEST(test_clock_back),
        TEST(test_killed),        TEST(test_storm),
        TEST(test_stopped),       TEST(test_hostile_text),
        TEST(test_hostile_files), TEST(test_rubbish),
        TEST(test_arguments),
    };

    return cmocka_run_group_tests_name("quota", tests, NULL, NULL);
}
