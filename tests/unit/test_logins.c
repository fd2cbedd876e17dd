/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins across processes: who finds one, who does not, what a stranger may
 * have put there, and what is left of it in the end.
 */

#include <config.h>

#include "src/helper/logins.h"

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

#include "tests/unit/skips.h"
#include "tests/unit/store_help.h"

#define ID     "0123456789abcdef0123456789abcdef"
#define OTHER  "ffffffffffffffffffffffffffffffff"
#define USER   1000
#define NOBODY 65534

static struct gc_logins *logins;

static int
setup(void **state)
{
    *state = NULL;
    (void)help_mkdir();
    return gc_logins_open(help_path("logins"), &logins, NULL) != GC_OK;
}

static int
teardown(void **state)
{
    (void)state;
    gc_logins_free(logins);
    help_rmdir();
    return 0;
}

static uint64_t
start_of(pid_t pid)
{
    struct gc_process process = {.pid = 0};

    return gc_process_read(pid, &process, NULL) == GC_OK ? process.start : 0;
}

/* A login that this process asks for. */
static void
fill(struct gc_login *login, const char *id)
{
    gc_login_clear(login);
    (void)snprintf(login->transaction, sizeof(login->transaction), "%s", id);
    login->uid = USER;
    (void)snprintf(login->service, sizeof(login->service), "sshd");
    (void)snprintf(login->principal, sizeof(login->principal),
                   "alice@EXAMPLE.TEST");
    login->proved = true;
    (void)snprintf(login->vm, sizeof(login->vm), "build");
    (void)snprintf(login->cache, sizeof(login->cache),
                   "DIR:/run/guestcred/1000/x");
    if (gc_bytes_set(&login->credential, SECRET "\0\xff", sizeof(SECRET) + 1,
                     NULL)
            != GC_OK
        || gc_login_asked_by(login, getpid(), start_of(getpid()), NULL)
               != GC_OK)
        abort();
}

static void
put(const struct gc_login *login)
{
    GC_AUTO(gc_login) copy = {.uid = 0};
    GC_AUTO(gc_bytes) text = {0};

    /* A deep copy, the easy way. */
    assert_int_equal(gc_login_write(login, &text, NULL), GC_OK);
    assert_int_equal(gc_login_read(&text, &copy, NULL), GC_OK);
    assert_int_equal(gc_logins_put(logins, &copy, NULL), GC_OK);
}

static gc_status
find(const char *id, uid_t uid, const char *service, pid_t pid, uint64_t start)
{
    GC_AUTO(gc_login) found = {.uid = 77};
    struct gc_error err = {0};
    gc_status st =
        gc_logins_find(logins, id, uid, service, pid, start, &found, &err);

    if (st == GC_E_NOT_FOUND
        && strcmp(err.message, "nothing is known of such a login") != 0)
        return GC_E_INTERNAL;
    if (st != GC_OK && (found.uid != 77 || found.credential.len > 0))
        return GC_E_INTERNAL;
    return st;
}

static bool
found_by(pid_t pid)
{
    gc_status st = find(ID, USER, "sshd", pid, start_of(pid));

    if (st != GC_OK && st != GC_E_NOT_FOUND)
        abort();
    return st == GC_OK;
}

static void
check_same(const struct gc_login *a, const struct gc_login *b)
{
    assert_string_equal(a->transaction, b->transaction);
    assert_int_equal(a->uid, b->uid);
    assert_string_equal(a->service, b->service);
    assert_string_equal(a->principal, b->principal);
    assert_int_equal(a->proved, b->proved);
    assert_string_equal(a->vm, b->vm);
    assert_string_equal(a->cache, b->cache);
    assert_memory_equal(&a->host, &b->host, sizeof(a->host));
    assert_memory_equal(&a->parent, &b->parent, sizeof(a->parent));
    assert_memory_equal(&a->claim, &b->claim, sizeof(a->claim));
    assert_int_equal(a->written, b->written);
    assert_int_equal(a->credential.len, b->credential.len);
    if (a->credential.len > 0)
        assert_memory_equal(a->credential.data, b->credential.data,
                            a->credential.len);
}

static void
test_life(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    GC_AUTO(gc_login) found = {.uid = 0};
    struct gc_error err;
    struct stat info;

    (void)state;
    fill(&login, ID);
    assert_int_equal(login.parent.pid, getppid());
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_OK);
    assert_true(llabs((long long)login.written - (long long)time(NULL)) < 10);
    assert_int_equal(gc_logins_find(logins, ID, USER, "sshd", getpid(),
                                    login.host.start, &found, &err),
                     GC_OK);
    check_same(&login, &found);
    assert_int_equal(stat(help_path("logins/" ID ".login"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);

    /* In place of itself, and with nothing in it. */
    gc_bytes_clear(&login.credential);
    login.principal[0] = login.vm[0] = login.cache[0] = '\0';
    login.proved = false;
    login.parent = (struct gc_process){.pid = 0};
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_OK);
    assert_int_equal(gc_logins_find(logins, ID, USER, "sshd", getpid(),
                                    login.host.start, &found, &err),
                     GC_OK);
    check_same(&login, &found);
    assert_int_equal(help_names("logins", ""), 1);

    assert_int_equal(gc_logins_forget(logins, ID, &err), GC_OK);
    assert_int_equal(gc_logins_forget(logins, ID, &err), GC_OK);
    assert_int_equal(help_names("logins", ""), 0);
    assert_false(found_by(getpid()));
}

/* ---- claims ---- */

static gc_status
claim_as_found(struct gc_login *ret_login)
{
    gc_status st = gc_logins_find(logins, ID, USER, "sshd", getpid(),
                                  start_of(getpid()), ret_login, NULL);

    return st == GC_OK ? gc_logins_claim(logins, ret_login, NULL) : st;
}

/* A child that claims it (its status says whether it could) and stays. */
static pid_t
claimant(int *ret_stay)
{
    int stay[2], told[2];
    char status = 1;
    pid_t pid;

    assert_int_equal(pipe(stay), 0);
    assert_int_equal(pipe(told), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        GC_AUTO(gc_login) login = {.uid = 0};
        char byte;

        help_in_child();
        (void)close(stay[1]);
        status = (char)claim_as_found(&login);
        (void)!write(told[1], &status, 1);
        (void)!read(stay[0], &byte, 1);
        _exit(0);
    }
    (void)close(stay[0]);
    (void)close(told[1]);
    assert_int_equal(read(told[0], &status, 1), 1);
    (void)close(told[0]);
    assert_int_equal(status, GC_OK);
    *ret_stay = stay[1];
    return pid;
}

static void
test_claim(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    GC_AUTO(gc_login) found = {.uid = 0};
    struct gc_process self;
    pid_t child;
    int stay;

    (void)state;
    fill(&login, ID);
    login.cache[0] = '\0';
    assert_int_equal(gc_logins_put(logins, &login, NULL), GC_OK);
    child = claimant(&stay);
    assert_int_equal(claim_as_found(&found), GC_E_BUSY);
    assert_int_equal(found.claim.pid, child);
    assert_int_equal(claim_as_found(&found), GC_E_BUSY);
    (void)close(stay);
    /* It is dead before anybody has waited for it. */
    for (int i = 0; i < 1000 && claim_as_found(&found) == GC_E_BUSY; i++)
        (void)usleep(5000);
    gc_process_self(&self);
    assert_memory_equal(&found.claim, &self, sizeof(self));
    assert_int_equal(waitpid(child, NULL, 0), child);
    /* All else is as it was, and what is ours stays ours. */
    assert_int_equal(claim_as_found(&found), GC_OK);
    login.claim = self;
    login.written = found.written;
    check_same(&login, &found);
    assert_int_equal(help_names("logins", ""), 1);
    assert_int_equal(gc_logins_forget(logins, ID, NULL), GC_OK);
    assert_int_equal(gc_logins_claim(logins, &found, NULL), GC_E_NOT_FOUND);
}

/* Somebody made the session between our look and our claim. */
static void
test_claim_too_late(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    GC_AUTO(gc_login) found = {.uid = 0};

    (void)state;
    fill(&login, ID);
    login.cache[0] = '\0';
    put(&login);
    assert_int_equal(gc_logins_find(logins, ID, USER, "sshd", getpid(),
                                    start_of(getpid()), &found, NULL),
                     GC_OK);
    (void)snprintf(login.cache, sizeof(login.cache), "DIR:/run/made");
    put(&login);
    assert_int_equal(gc_logins_claim(logins, &found, NULL), GC_E_BUSY);
    assert_string_equal(found.cache, "DIR:/run/made");
    /* And if that session is dead, it is theirs who have seen it. */
    assert_int_equal(gc_logins_claim(logins, &found, NULL), GC_OK);
}

#define CLAIMANTS 8

/* All at once after a dead one's claim: one has it. */
static void
test_claim_race(void **state)
{
    (void)state;
    for (int round = 0; round < 25; round++) {
        GC_AUTO(gc_login) login = {.uid = 0};
        pid_t children[CLAIMANTS];
        int go[2], told[2], won = 0;
        char status;

        fill(&login, ID);
        login.claim = login.host;
        login.claim.start++;
        put(&login);
        assert_int_equal(pipe(go), 0);
        assert_int_equal(pipe(told), 0);
        for (int i = 0; i < CLAIMANTS; i++) {
            children[i] = fork();
            assert_true(children[i] >= 0);
            if (children[i] != 0)
                continue;
            help_in_child();
            (void)close(go[1]);
            (void)!read(go[0], &status, 1);
            status = (char)claim_as_found(&login);
            (void)!write(told[1], &status, 1);
            (void)pause();
        }
        (void)close(go[0]);
        (void)close(go[1]);
        for (int i = 0; i < CLAIMANTS; i++) {
            assert_int_equal(read(told[0], &status, 1), 1);
            assert_true(status == GC_OK || status == GC_E_BUSY);
            won += status == GC_OK ? 1 : 0;
        }
        for (int i = 0; i < CLAIMANTS; i++) {
            assert_int_equal(kill(children[i], SIGKILL), 0);
            assert_int_equal(waitpid(children[i], NULL, 0), children[i]);
        }
        (void)close(told[0]);
        (void)close(told[1]);
        assert_int_equal(won, 1);
    }
}

static void
test_most(void **state)
{
    static char most[GC_LOGIN_CREDENTIAL_MAX + 1];
    GC_AUTO(gc_login) login = {.uid = 0};
    GC_AUTO(gc_login) found = {.uid = 0};
    struct gc_error err;

    (void)state;
    fill(&login, ID);
    login.uid = (uid_t)-2;
    assert_int_equal(
        gc_bytes_set(&login.credential, most, sizeof(most) - 1, NULL), GC_OK);
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_OK);
    assert_int_equal(gc_logins_find(logins, ID, (uid_t)-2, "sshd", getpid(),
                                    login.host.start, &found, &err),
                     GC_OK);
    check_same(&login, &found);
    assert_int_equal(gc_bytes_set(&login.credential, most, sizeof(most), NULL),
                     GC_OK);
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    assert_int_equal(err.status, GC_E_INTERNAL);
    fill(&login, ID);
    login.uid = (uid_t)-1;
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    fill(&login, ID);
    login.service[0] = '\0';
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    fill(&login, "../" ID);
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    assert_int_equal(help_names("logins", ""), 1);
}

static void
test_new_id(void **state)
{
    char one[GC_TRANSACTION_SIZE], other[GC_TRANSACTION_SIZE];

    (void)state;
    assert_int_equal(gc_logins_new_id(one, NULL), GC_OK);
    assert_int_equal(gc_logins_new_id(other, NULL), GC_OK);
    assert_true(gc_entry_transaction_ok(one));
    assert_string_not_equal(one, other);
}

/* A hint that is wrong in anything finds nothing, and touches nothing. */
static gc_status
find_anyones(const char *id, const char *service, pid_t pid, uint64_t start)
{
    GC_AUTO(gc_login) found = {.uid = 77};
    gc_status st =
        gc_logins_find_anyones(logins, id, service, pid, start, &found, NULL);

    assert_int_equal(found.uid, st == GC_OK ? USER : 77);
    return st;
}

static void
test_hints(void **state)
{
    static const char *const ids[] = {
        "",
        "x",
        OTHER,
        ID "0",
        "0123456789abcdef0123456789abcdeF",
        "../../secret/login00000000000000",
        "../secret/000000000000000000000",
        "./0123456789abcdef0123456789abcd",
    };
    GC_AUTO(gc_login) login = {.uid = 0};
    pid_t self = getpid();

    (void)state;
    fill(&login, ID);
    put(&login);
    assert_true(found_by(self));
    assert_int_equal(find(ID, USER + 1, "sshd", self, login.host.start),
                     GC_E_NOT_FOUND);
    assert_int_equal(find(ID, 0, "sshd", self, login.host.start),
                     GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "su", self, login.host.start),
                     GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "", self, login.host.start),
                     GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "sshd", self, login.host.start + 1),
                     GC_E_NOT_FOUND);
    assert_int_equal(find_anyones(ID, "sshd", self, login.host.start), GC_OK);
    assert_int_equal(find_anyones(ID, "su", self, login.host.start),
                     GC_E_NOT_FOUND);
    assert_int_equal(find_anyones(ID, "sshd", self, login.host.start + 1),
                     GC_E_NOT_FOUND);
    assert_int_equal(find_anyones(OTHER, "sshd", self, login.host.start),
                     GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "sshd", 0, 0), GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "sshd", -1, 0), GC_E_NOT_FOUND);
    assert_int_equal(mkdir(help_path("secret"), 0700), 0);
    help_file("secret/000000000000000000000.login", "x", 1, 0600);
    for (size_t i = 0; i < GC_COUNT_OF(ids); i++) {
        assert_int_equal(find(ids[i], USER, "sshd", self, login.host.start),
                         GC_E_NOT_FOUND);
        assert_int_equal(gc_logins_forget(logins, ids[i], NULL), GC_OK);
    }
    assert_int_equal(help_names("secret", "0"), 1);
    assert_true(found_by(self));
}

/* A process is pid, start and boot, and each must agree. */
static void
test_which_process(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};

    (void)state;
    for (int i = 0; i < 8; i++) {
        fill(&login, ID);
        login.parent = (struct gc_process){.pid = 0};
        if (i == 1)
            login.host.start++;
        if (i == 2)
            login.host.boot_id[0] = login.host.boot_id[0] == '0' ? '1' : '0';
        if (i == 3)
            login.host.boot_id[0] = '\0';
        if (i == 4)
            login.host.pid_ns ^= 1;
        if (i == 5)
            login.host.start = 0;
        if (i == 6)
            login.host.pid++;
        if (i == 7)
            (void)snprintf(login.host.machine, sizeof(login.host.machine),
                           "fedcba9876543210");
        put(&login);
        assert_int_equal(found_by(getpid()), i == 0);
    }
}

/* How deep must a descendant be to be no family any more? */
static int
descend(int depth)
{
    int status = -1;
    pid_t pid;

    if (found_by(getpid()) != (depth <= 16))
        return depth;
    if (depth > 17)
        return 0;
    pid = fork();
    if (pid == 0)
        _exit(descend(depth + 1));
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 99;
    return WEXITSTATUS(status);
}

static void
test_descendants(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};

    (void)state;
    fill(&login, ID);
    put(&login);
    assert_int_equal(descend(0), 0);
}

/* Write a login for this process, that is a child, and end. */
static int
child_writes(void *user)
{
    GC_AUTO(gc_login) login = {.uid = 0};

    (void)user;
    fill(&login, ID);
    return gc_logins_put(logins, &login, NULL) != GC_OK;
}

static int
child_finds(void *user)
{
    (void)user;
    return found_by(getpid());
}

static int
child_of_child_writes(void *user)
{
    return help_fork(child_writes, user, 0);
}

/* As sshd's keyboard-interactive: the child that asked is gone. */
static void
test_parent(void **state)
{
    (void)state;
    assert_int_equal(help_fork(child_writes, NULL, 0), 0);
    assert_true(found_by(getpid()));
    /* The parent alone: neither its other children … */
    assert_int_equal(help_fork(child_finds, NULL, 0), 0);
    /* … nor its own parent. */
    assert_false(found_by(getppid()));
    assert_int_equal(help_fork(child_of_child_writes, NULL, 0), 0);
    assert_false(found_by(getpid()));
}

/* Everybody descends from pid 1, and every orphan is its child. */
static void
test_first_process(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    struct gc_process first;

    (void)state;
    assert_int_equal(gc_process_read(1, &first, NULL), GC_OK);
    if (getpid() == 1)
        skip_because("needs a pid of its own");
    fill(&login, ID);
    login.host = first;
    login.parent = (struct gc_process){.pid = 0};
    put(&login);
    assert_false(found_by(getpid()));
    /* Which may have started in the first tick, and is not known then. */
    assert_int_equal(found_by(1), first.start > 0);
    fill(&login, ID);
    login.parent = first;
    put(&login);
    assert_false(found_by(1));
}

/* Swap OLD for FRESH in the text of a login, and read that. */
static gc_status
read_swapped(const char *old, const char *fresh)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    GC_AUTO(gc_login) again = {.uid = 0};
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_bytes) other = {0};
    struct gc_error err = {0};
    const char *at;
    gc_status st;

    fill(&login, ID);
    login.written = 5;
    login.host = (struct gc_process){.pid = 7, .start = 8};
    login.parent = (struct gc_process){.pid = 0};
    login.claim = (struct gc_process){.pid = 9, .start = 8};
    assert_int_equal(gc_bytes_set(&login.credential, "abcd", 4, NULL), GC_OK);
    assert_int_equal(gc_login_write(&login, &text, NULL), GC_OK);
    at = strstr(gc_bytes_text(&text), old);
    if (at == NULL)
        fail_msg("no %s in %s", old, gc_bytes_text(&text));
    assert_int_equal(gc_bytes_set(&other, text.data,
                                  (size_t)(at - gc_bytes_text(&text)), NULL),
                     GC_OK);
    assert_int_equal(
        gc_bytes_append(&other, fresh, strlen(fresh), 1000000, NULL), GC_OK);
    at += strlen(old);
    assert_int_equal(gc_bytes_append(&other, at, strlen(at), 1000000, NULL),
                     GC_OK);
    st = gc_login_read(&other, &again, &err);
    if (st != GC_OK) {
        assert_null(strstr(err.message, "alice"));
        assert_int_equal(again.credential.len, 0);
    }
    return st;
}

static void
test_hostile_text(void **state)
{
    static const struct {
        const char *old, *fresh;
    } swaps[] = {
        {"\"version\":1", "\"version\":2"},
        {"\"version\":1", "\"version\":0"},
        {"\"transaction\":\"" ID, "\"transaction\":\"../" OTHER},
        {"\"transaction\":\"" ID, "\"transaction\":\""},
        {"\"uid\":1000", "\"uid\":-1"},
        {"\"uid\":1000", "\"uid\":4294967295"},
        {"\"uid\":1000", "\"uid\":\"1000\""},
        {"\"uid\":1000", "\"uid\":1e3"},
        {"\"service\":\"sshd\"", "\"service\":\"\""},
        {"\"service\":\"sshd\"", "\"service\":null"},
        {"\"service\":\"sshd\"", "\"service\":\"ss\\u0000hd\""},
        {"\"service\":\"sshd\"", "\"service\":\"sshd\",\"service\":\"su\""},
        {"\"principal\":\"alice@EXAMPLE.TEST\",", ""},
        {"\"proved\":true", "\"proved\":1"},
        {"\"proved\":true", "\"proved\":\"true\""},
        {"\"vm\":\"build\",", ""},
        {"\"cache\":\"DIR:/", "\"cache\":\"FILE:/"},
        {"\"cache\":\"DIR:/", "\"cache\":\"DIR:"},
        {"\"host\":\"7.8.", "\"host\":\"0.8."},
        {"\"host\":\"7.8.", "\"host\":\"-7.8."},
        {"\"host\":\"7.8.", "\"host\":\"7.8"},
        {"\"parent\":\"0.0.", "\"parent\":\"x.0."},
        {"\"claim\":\"9.8.", "\"claim\":\"-9.8."},
        {"\"claim\":\"9.8.", "\"claim\":7,\"x\":\"9.8."},
        {"\"written\":5", "\"written\":-5"},
        {"\"written\":5", "\"written\":9223372036854775808"},
        {"\"credential\":\"YWJjZA==\"", "\"credential\":\"YWJjZA=\""},
        {"\"credential\":\"YWJjZA==\"", "\"credential\":\"YWJjZB==\""},
        {"\"credential\":\"YWJjZA==\"", "\"credential\":\"YW Jj\""},
        {"\"credential\":\"YWJjZA==\"", "\"credential\":[]"},
        {",\"credential\":\"YWJjZA==\"", ""},
        {"\"YWJjZA==\"}", "\"YWJjZA==\"}x"},
    };
    static char longer[GC_LOGIN_TEXT_MAX + 100];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(swaps); i++)
        if (read_swapped(swaps[i].old, swaps[i].fresh) != GC_E_PROTOCOL)
            fail_msg("taken: %s", swaps[i].fresh);
    assert_int_equal(read_swapped("\"uid\":1000", "\"more\":1,\"uid\":0"),
                     GC_OK);
    /* Each text as long as it may be, and one more. */
    for (int more = 0; more < 2; more++) {
        static const struct {
            const char *before;
            size_t len;
        } texts[] = {
            {"\"service\":\"", 255},
            {"\"principal\":\"", GC_PRINCIPAL_SIZE - 1},
            {"\"vm\":\"", 255},
        };
        for (size_t i = 0; i < GC_COUNT_OF(texts); i++) {
            char old[64], fresh[2000];

            (void)snprintf(old, sizeof(old), "%s%s\"", texts[i].before,
                           i == 0   ? "sshd"
                           : i == 1 ? "alice@EXAMPLE.TEST"
                                    : "build");
            (void)snprintf(fresh, sizeof(fresh), "%s%0*d\"", texts[i].before,
                           (int)texts[i].len + more, 0);
            assert_int_equal(read_swapped(old, fresh),
                             more == 0 ? GC_OK : GC_E_PROTOCOL);
        }
    }
    memset(longer, ' ', sizeof(longer) - 1);
    assert_int_equal(read_swapped("{", longer), GC_E_PROTOCOL);
    (void)snprintf(longer, sizeof(longer), "{%*s", GC_LOGIN_TEXT_MAX, "");
    assert_int_equal(read_swapped("{", longer), GC_E_PROTOCOL);
}

/* What others may have put there, or our own under another name. */
static void
test_hostile_files(void **state)
{
    static const char file[] = "logins/" ID ".login";
    GC_AUTO(gc_login) login = {.uid = 0};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    fill(&login, ID);
    assert_int_equal(gc_login_write(&login, &text, NULL), GC_OK);
    help_file(file, text.data, text.len, 0600);
    assert_true(found_by(getpid()));
    help_file(file, text.data, text.len - 1, 0600);
    assert_false(found_by(getpid()));
    help_file(file, text.data, text.len, 0644);
    assert_false(found_by(getpid()));
    assert_int_equal(chmod(help_path(file), 0600), 0);
    assert_int_equal(rename(help_path(file), help_path("elsewhere")), 0);
    assert_int_equal(symlink("../elsewhere", help_path(file)), 0);
    assert_false(found_by(getpid()));
    assert_int_equal(unlink(help_path(file)), 0);
    assert_int_equal(mkfifo(help_path(file), 0600), 0);
    assert_false(found_by(getpid()));
    assert_int_equal(unlink(help_path(file)), 0);

    help_file("logins/" OTHER ".login", text.data, text.len, 0600);
    assert_int_equal(find(OTHER, USER, "sshd", getpid(), start_of(getpid())),
                     GC_E_NOT_FOUND);
    if (geteuid() != 0)
        skip_because("needs root to give a file away");
    help_file(file, text.data, text.len, 0600);
    assert_true(found_by(getpid()));
    assert_int_equal(chown(help_path(file), NOBODY, NOBODY), 0);
    assert_false(found_by(getpid()));
}

static void
test_open(void **state)
{
    GC_AUTO_PTR(gc_logins) more = NULL;

    (void)state;
    assert_int_equal(gc_logins_open("logins", &more, NULL), GC_E_CONFIG);
    assert_int_equal(chmod(help_path("logins"), 0711), 0);
    assert_int_equal(gc_logins_open(help_path("logins"), &more, NULL),
                     GC_E_CONFIG);
    assert_int_equal(symlink("logins", help_path("link")), 0);
    assert_int_equal(chmod(help_path("logins"), 0700), 0);
    assert_int_equal(gc_logins_open(help_path("link"), &more, NULL),
                     GC_E_CONFIG);
}

/* Write LOGIN under ID as if that had been SECONDS ago; is it kept? */
static bool
kept(struct gc_login *login, int64_t seconds)
{
    GC_AUTO(gc_bytes) text = {0};
    bool there;

    login->written = (int64_t)time(NULL) - seconds;
    assert_int_equal(gc_login_write(login, &text, NULL), GC_OK);
    help_file("logins/" ID ".login", text.data, text.len, 0600);
    assert_int_equal(gc_logins_tidy(logins, NULL), GC_OK);
    there = help_names("logins", ID) == 1;
    assert_int_equal(gc_logins_forget(logins, ID, NULL), GC_OK);
    return there;
}

static void
test_tidy(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    struct gc_process gone, lives;

    (void)state;
    fill(&login, ID);
    lives = login.host;
    gone = login.host;
    gone.start++;
    assert_true(kept(&login, 0));
    assert_true(kept(&login, GC_LOGIN_OLDEST_S - 60));
    assert_false(kept(&login, GC_LOGIN_OLDEST_S + 60));
    /* The clock was put back. */
    assert_true(kept(&login, -1000000));
    /* The session's host is gone: its parent is somebody's daemon. */
    login.host = gone;
    login.parent = lives;
    assert_false(kept(&login, 0));
    login.host = lives;
    login.parent = gone;
    assert_true(kept(&login, 0));
    login.host = gone;
    assert_false(kept(&login, 0));
    assert_false(kept(&login, -1000000));
    login.parent = (struct gc_process){.pid = 0};
    assert_false(kept(&login, 0));
    /* No session yet. */
    login.host = lives;
    login.cache[0] = '\0';
    assert_true(kept(&login, GC_LOGIN_WAIT_S - 60));
    assert_false(kept(&login, GC_LOGIN_WAIT_S + 60));
    /* The child that authenticated is gone, its parent goes on. */
    login.host = gone;
    login.parent = lives;
    assert_true(kept(&login, GC_LOGIN_WAIT_S - 60));
    login.parent = gone;
    assert_false(kept(&login, 0));
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
    (void)snprintf(sub, sizeof(sub), "logins/tmp.%s.%ld-0." ID ".login.tmp",
                   process, (long)getpid());
    help_file(sub, SECRET, strlen(SECRET), 0600);
    return 0;
}

static void
test_tidy_rubbish(void **state)
{
    const struct timespec long_ago[2] = {
        {.tv_sec = time(NULL) - GC_LOGIN_WAIT_S - 60},
        {.tv_sec = time(NULL) - GC_LOGIN_WAIT_S - 60}};

    (void)state;
    assert_int_equal(help_fork(child_leaves, NULL, 0), 0);
    assert_int_equal(help_names("logins", "tmp."), 1);
    (void)child_leaves(NULL);
    help_file("logins/" ID ".login", "{", 1, 0600);
    help_file("logins/strange", "{", 1, 0600);
    assert_int_equal(gc_logins_tidy(logins, NULL), GC_OK);
    /* Ours may still be written. */
    assert_int_equal(help_names("logins", "tmp."), 1);
    assert_int_equal(help_names("logins", ID), 1);
    assert_int_equal(
        utimensat(AT_FDCWD, help_path("logins/" ID ".login"), long_ago, 0), 0);
    assert_int_equal(mkdir(help_path("logins/" OTHER ".login"), 0700), 0);
    assert_int_equal(
        utimensat(AT_FDCWD, help_path("logins/" OTHER ".login"), long_ago, 0),
        0);
    assert_int_equal(gc_logins_tidy(logins, NULL), GC_OK);
    assert_int_equal(help_names("logins", ID), 0);
    assert_int_equal(help_names("logins", "strange"), 1);
    assert_int_equal(help_names("logins", OTHER), 1);
}

static void
test_asked_by(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    uint64_t start = start_of(getpid());

    (void)state;
    assert_int_equal(gc_login_asked_by(&login, getpid(), start + 1, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(gc_login_asked_by(&login, 0, 0, NULL), GC_E_NOT_FOUND);
    assert_int_equal(login.host.pid, 0);
    assert_int_equal(gc_login_asked_by(&login, 1, start_of(1), NULL), GC_OK);
    assert_int_equal(login.host.pid, 1);
    assert_int_equal(login.parent.pid, 0);
    assert_int_equal(gc_login_asked_by(&login, getpid(), start, NULL), GC_OK);
    assert_int_equal(login.host.pid, getpid());
    assert_int_equal(login.parent.pid, getppid());
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_life),          TEST(test_most),
        TEST(test_claim),         TEST(test_claim_too_late),
        TEST(test_claim_race),    TEST(test_new_id),
        TEST(test_hints),         TEST(test_which_process),
        TEST(test_descendants),   TEST(test_parent),
        TEST(test_first_process), TEST(test_hostile_text),
        TEST(test_hostile_files), TEST(test_open),
        TEST(test_tidy),          TEST(test_tidy_rubbish),
        TEST(test_asked_by),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("logins", tests, NULL, NULL));
}
