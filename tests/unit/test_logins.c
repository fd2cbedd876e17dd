/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Logins across processes: who finds one, who does not, what a stranger may
 * have put there, and what is left of it in the end.
 */

#include <config.h>

#include "src/helper/logins.h"

#include <dirent.h>
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
#include "tests/unit/skips.h"
#include "tests/unit/tickets_help.h"

#define ID     "0123456789abcdef0123456789abcdef"
#define OTHER  "ffffffffffffffffffffffffffffffff"
#define USER   1000
#define NOBODY 65534

static struct gc_logins *logins;

static int
setup(void **state)
{
    *state = NULL;
    help_begin();
    return gc_logins_open(help_path("logins"), &logins, NULL) != GC_OK;
}

static int
teardown(void **state)
{
    (void)state;
    gc_logins_free(logins);
    help_end();
    return 0;
}

/* Field 22 of PID's stat; 0: it is gone. */
static uint64_t
start_of(pid_t pid)
{
    char path[64], text[1024] = "";
    const char *at;
    FILE *file;

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    file = fopen(path, "re");
    if (file == NULL)
        return 0;
    if (fread(text, 1, sizeof(text) - 1, file) == 0)
        text[0] = '\0';
    (void)fclose(file);
    at = strrchr(text, ')');
    for (int field = 2; at != NULL && field < 22; field++)
        at = strchr(at + 1, ' ');
    return at == NULL ? 0 : strtoull(at, NULL, 10);
}

static uint64_t
own_start(void)
{
    return start_of(getpid());
}

static int
names(const char *prefix)
{
    DIR *dir = opendir(help_path("logins"));
    const struct dirent *entry;
    int count = 0;

    while (dir != NULL && (entry = readdir(dir)) != NULL)
        if (entry->d_name[0] != '.'
            && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
            count++;
    if (dir != NULL)
        (void)closedir(dir);
    return count;
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
    (void)snprintf(login->copies, sizeof(login->copies),
                   GC_COPIES_RUN "/1000/" OTHER);
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
    assert_string_equal(a->copies, b->copies);
    assert_string_equal(a->host, b->host);
    assert_string_equal(a->parent, b->parent);
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
    assert_int_equal(atoi(login.host), getpid());
    assert_int_equal(atoi(login.parent), getppid());
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_OK);
    assert_true(llabs((long long)login.written - (long long)time(NULL)) < 10);
    assert_int_equal(gc_logins_find(logins, ID, USER, "sshd", getpid(),
                                    own_start(), &found, &err),
                     GC_OK);
    check_same(&login, &found);
    assert_int_equal(stat(help_path("logins/" ID ""), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);

    /* In place of itself, and with nothing in it. */
    gc_bytes_clear(&login.credential);
    login.principal[0] = login.vm[0] = login.copies[0] = '\0';
    login.proved = false;
    login.parent[0] = '\0';
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_OK);
    assert_int_equal(gc_logins_find(logins, ID, USER, "sshd", getpid(),
                                    own_start(), &found, &err),
                     GC_OK);
    check_same(&login, &found);
    assert_int_equal(names(""), 1);

    assert_int_equal(gc_logins_forget(logins, ID, &err), GC_OK);
    assert_int_equal(gc_logins_forget(logins, ID, &err), GC_OK);
    assert_int_equal(names(""), 0);
    assert_false(found_by(getpid()));
}

/* ---- who makes the session ---- */

static gc_status
lock_until(int ms, int cancel_fd)
{
    GC_AUTO_PTR(gc_logins) mine = NULL;
    gc_status st = gc_logins_open(help_path("logins"), &mine, NULL);

    return st == GC_OK
               ? gc_logins_lock(mine, ID, gc_clock_now() + ms, cancel_fd, NULL)
               : st;
}

static int
lock_and_die(void *user)
{
    (void)user;
    return gc_logins_lock(logins, ID, gc_clock_now() + 5000, -1, NULL) != GC_OK;
}

static void
test_lock(void **state)
{
    int cancel[2];

    (void)state;
    assert_int_equal(pipe(cancel), 0);
    assert_int_equal(help_fork(lock_and_die, NULL, 0), 0);
    assert_int_equal(lock_until(0, -1), GC_OK);
    assert_int_equal(gc_logins_lock(logins, ID, 0, -1, NULL), GC_OK);
    assert_int_equal(lock_until(50, -1), GC_E_BUSY);
    assert_int_equal(write(cancel[1], "x", 1), 1);
    assert_int_equal(lock_until(5000, cancel[0]), GC_E_CANCELED);
    assert_int_equal(gc_logins_lock(logins, "../x", 0, -1, NULL),
                     GC_E_INTERNAL);
    assert_int_equal(gc_logins_forget(logins, ID, NULL), GC_OK);
    assert_int_equal(names(""), 0);
    (void)close(cancel[0]);
    (void)close(cancel[1]);
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
    login.uid = UINT32_MAX - 1;
    assert_int_equal(
        gc_bytes_set(&login.credential, most, sizeof(most) - 1, NULL), GC_OK);
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_OK);
    assert_int_equal(gc_logins_find(logins, ID, (uid_t)-2, "sshd", getpid(),
                                    own_start(), &found, &err),
                     GC_OK);
    check_same(&login, &found);
    assert_int_equal(gc_bytes_set(&login.credential, most, sizeof(most), NULL),
                     GC_OK);
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    assert_int_equal(err.status, GC_E_INTERNAL);
    fill(&login, ID);
    login.uid = UINT32_MAX;
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    fill(&login, ID);
    login.service[0] = '\0';
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    fill(&login, "../" ID);
    assert_int_equal(gc_logins_put(logins, &login, &err), GC_E_INTERNAL);
    assert_int_equal(names(""), 1);
}

static void
test_new_id(void **state)
{
    char one[GC_TRANSACTION_SIZE], other[GC_TRANSACTION_SIZE];

    (void)state;
    assert_int_equal(gc_logins_new_id(one, NULL), GC_OK);
    assert_int_equal(gc_logins_new_id(other, NULL), GC_OK);
    assert_true(gc_entry_id_is(one));
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
    assert_int_equal(find(ID, USER + 1, "sshd", self, own_start()),
                     GC_E_NOT_FOUND);
    assert_int_equal(find(ID, 0, "sshd", self, own_start()), GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "su", self, own_start()), GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "", self, own_start()), GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "sshd", self, own_start() + 1),
                     GC_E_NOT_FOUND);
    assert_int_equal(find_anyones(ID, "sshd", self, own_start()), GC_OK);
    assert_int_equal(find_anyones(ID, "su", self, own_start()), GC_E_NOT_FOUND);
    assert_int_equal(find_anyones(ID, "sshd", self, own_start() + 1),
                     GC_E_NOT_FOUND);
    assert_int_equal(find_anyones(OTHER, "sshd", self, own_start()),
                     GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "sshd", 0, 0), GC_E_NOT_FOUND);
    assert_int_equal(find(ID, USER, "sshd", -1, 0), GC_E_NOT_FOUND);
    assert_int_equal(mkdir(help_path("secret"), 0700), 0);
    help_file(help_path("secret/000000000000000000000"), "x", 1, 0600);
    for (size_t i = 0; i < GC_COUNT_OF(ids); i++) {
        assert_int_equal(find(ids[i], USER, "sshd", self, own_start()),
                         GC_E_NOT_FOUND);
        assert_int_equal(gc_logins_forget(logins, ids[i], NULL), GC_OK);
    }
    assert_int_equal(access(help_path("secret/000000000000000000000"), F_OK),
                     0);
    assert_true(found_by(self));
}

/* A process is pid, start, boot and namespace, and each must agree. */
static void
test_which_process(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    char rest[GC_OWNER_SIZE - 40];

    (void)state;
    fill(&login, ID);
    (void)snprintf(rest, sizeof(rest), "%s",
                   strchr(strchr(login.host, '.') + 1, '.'));
    login.parent[0] = '\0';
    for (int i = 0; i < 4; i++) {
        (void)snprintf(login.host, sizeof(login.host), "%s%ld.%llu%s%s",
                       i == 1 ? "1" : "", (long)getpid(),
                       i == 2 ? 0 : (unsigned long long)own_start(),
                       i == 3 ? "0" : "", rest);
        put(&login);
        assert_int_equal(found_by(getpid()), i == 0);
    }
    fill(&login, ID);
    login.parent[0] = '\0';
    login.host[strlen(login.host) - 1] ^= 1;
    put(&login);
    assert_false(found_by(getpid()));
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
    char first[GC_OWNER_SIZE];

    (void)state;
    if (getpid() == 1 || !gc_owner_of(1, start_of(1), first))
        skip_because("needs a pid of its own, and a first process");
    fill(&login, ID);
    memcpy(login.host, first, sizeof(first));
    login.parent[0] = '\0';
    put(&login);
    assert_false(found_by(getpid()));
    assert_true(found_by(1));
    fill(&login, ID);
    memcpy(login.parent, first, sizeof(first));
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
    (void)snprintf(login.host, sizeof(login.host), "7.8.-.9");
    login.parent[0] = '\0';
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
        {"guestcred 1 login", "guestcred 2 login"},
        {"guestcred 1 login", "guestcred 1 entry"},
        {"transaction=" ID, "transaction=../" OTHER},
        {"transaction=" ID "\n", ""},
        {"uid=1000", "uid=-1"},
        {"uid=1000", "uid=4294967295"},
        {"uid=1000\n", ""},
        {"service=sshd\n", ""},
        {"service=sshd", "service=ss\\x00hd"},
        {"service=sshd", "service=sshd\nservice=su"},
        {"proved=yes", "proved=true"},
        {"copies=/run/guestcred/", "copies=/run/guestcredx/"},
        {"copies=/run/guestcred/1000/", "copies=/run/guestcred/../"},
        {"copies=/run/guestcred/1000/", "copies=/run/guestcred/1000/../"},
        {"host=7.8.-.9\n", ""},
        {"written=5", "written=-5"},
        {"written=5", "written=9223372036854775808"},
        {"end\n", ""},
        {"end\n", "end\nx"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(swaps); i++)
        if (read_swapped(swaps[i].old, swaps[i].fresh) != GC_E_PROTOCOL)
            fail_msg("taken: %s", swaps[i].fresh);
    assert_int_equal(read_swapped("proved=yes\n", ""), GC_OK);
    /* Each text as long as it may be, and one more. */
    for (int more = 0; more < 2; more++) {
        static const struct {
            const char *before;
            size_t len;
        } texts[] = {
            {"service=", 255},
            {"principal=", GC_PRINCIPAL_SIZE - 1},
            {"vm=", 255},
        };
        for (size_t i = 0; i < GC_COUNT_OF(texts); i++) {
            char old[64], fresh[2000];

            (void)snprintf(old, sizeof(old), "%s%s\n", texts[i].before,
                           i == 0   ? "sshd"
                           : i == 1 ? "alice@EXAMPLE.TEST"
                                    : "build");
            (void)snprintf(fresh, sizeof(fresh), "%s%0*d\n", texts[i].before,
                           (int)texts[i].len + more, 0);
            assert_int_equal(read_swapped(old, fresh),
                             more == 0 ? GC_OK : GC_E_PROTOCOL);
        }
    }
}

/* What others may have put there, or our own under another name. */
static void
test_hostile_files(void **state)
{
    const char *file = help_path("logins/" ID);
    GC_AUTO(gc_login) login = {.uid = 0};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    fill(&login, ID);
    assert_int_equal(gc_login_write(&login, &text, NULL), GC_OK);
    help_file(file, text.data, (long)text.len, 0600);
    assert_true(found_by(getpid()));
    help_file(file, text.data, (long)text.len - 1, 0600);
    assert_false(found_by(getpid()));
    help_file(file, text.data, (long)text.len, 0644);
    assert_false(found_by(getpid()));
    assert_int_equal(chmod(file, 0600), 0);
    assert_int_equal(rename(file, help_path("elsewhere")), 0);
    assert_int_equal(symlink("../elsewhere", file), 0);
    assert_false(found_by(getpid()));
    assert_int_equal(unlink(file), 0);
    assert_int_equal(mkfifo(file, 0600), 0);
    assert_false(found_by(getpid()));
    assert_int_equal(unlink(file), 0);

    help_file(help_path("logins/" OTHER), text.data, (long)text.len, 0600);
    assert_int_equal(find(OTHER, USER, "sshd", getpid(), start_of(getpid())),
                     GC_E_NOT_FOUND);
    if (geteuid() != 0)
        skip_because("needs root to give a file away");
    help_file(file, text.data, (long)text.len, 0600);
    assert_true(found_by(getpid()));
    assert_int_equal(chown(file, NOBODY, NOBODY), 0);
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
    help_file(help_path("logins/" ID), text.data, (long)text.len, 0600);
    assert_int_equal(gc_logins_tidy(logins, NULL), GC_OK);
    there = names(ID) == 1;
    assert_int_equal(gc_logins_forget(logins, ID, NULL), GC_OK);
    return there;
}

static void
test_tidy(void **state)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    char gone[GC_OWNER_SIZE], lives[GC_OWNER_SIZE];

    (void)state;
    fill(&login, ID);
    memcpy(lives, login.host, sizeof(lives));
    /* Another that had this pid. */
    (void)snprintf(gone, sizeof(gone), "%ld.1%s", (long)getpid(),
                   strchr(strchr(lives, '.') + 1, '.'));
    assert_true(kept(&login, 0));
    assert_true(kept(&login, GC_LOGIN_OLDEST_S - 60));
    assert_false(kept(&login, GC_LOGIN_OLDEST_S + 60));
    /* The clock was put back. */
    assert_true(kept(&login, -1000000));
    /* The session's host is gone: its parent is somebody's daemon. */
    memcpy(login.host, gone, sizeof(gone));
    memcpy(login.parent, lives, sizeof(lives));
    assert_false(kept(&login, 0));
    memcpy(login.host, lives, sizeof(lives));
    memcpy(login.parent, gone, sizeof(gone));
    assert_true(kept(&login, 0));
    memcpy(login.host, gone, sizeof(gone));
    assert_false(kept(&login, 0));
    assert_false(kept(&login, -1000000));
    login.parent[0] = '\0';
    assert_false(kept(&login, 0));
    /* No session yet. */
    memcpy(login.host, lives, sizeof(lives));
    login.copies[0] = '\0';
    assert_true(kept(&login, GC_LOGIN_WAIT_S - 60));
    assert_false(kept(&login, GC_LOGIN_WAIT_S + 60));
    /* The child that authenticated is gone, its parent goes on. */
    memcpy(login.host, gone, sizeof(gone));
    memcpy(login.parent, lives, sizeof(lives));
    assert_true(kept(&login, GC_LOGIN_WAIT_S - 60));
    memcpy(login.parent, gone, sizeof(gone));
    assert_false(kept(&login, 0));
}

static void
test_tidy_rubbish(void **state)
{
    static const char *const files[] = {"logins/" ID, "logins/" OTHER ".new",
                                        "logins/" OTHER ".lock"};
    const char *strange = help_path("logins/strange");

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(files); i++)
        help_file(help_path(files[i]), "guestcred 1 lo", -1, 0600);
    help_file(strange, "{", 1, 0600);
    help_age(strange, GC_LOGIN_WAIT_S + 60);
    assert_int_equal(gc_logins_tidy(logins, NULL), GC_OK);
    assert_int_equal(names(""), 4);
    for (size_t i = 0; i < GC_COUNT_OF(files); i++)
        help_age(help_path(files[i]), GC_LOGIN_WAIT_S + 60);
    assert_int_equal(gc_logins_tidy(logins, NULL), GC_OK);
    assert_int_equal(names(""), 1);
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
    assert_string_equal(login.host, "");
    assert_int_equal(gc_login_asked_by(&login, getpid(), start, NULL), GC_OK);
    assert_int_equal(atoi(login.host), getpid());
    assert_int_equal(atoi(login.parent), getppid());
    if (!gc_owner_of(1, start_of(1), login.host))
        skip_because("the first process started in the first tick");
    assert_int_equal(gc_login_asked_by(&login, 1, start_of(1), NULL), GC_OK);
    assert_string_equal(login.parent, "");
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_life),          TEST(test_most),
        TEST(test_lock),          TEST(test_new_id),
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
