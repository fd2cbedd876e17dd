/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Store and ledger, killed or refused at every step: the n-th call that changes
 * something on disk is the last one, or fails, for every n there is.
 *
 * The calls are caught by the linker (--wrap), so that what runs is what is
 * shipped.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <malloc.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/ledger.h"
#include "src/store/atomic.h"
#include "src/store/files.h"
#include "src/store/store.h"
#include "tests/unit/skips.h"
#include "tests/unit/store_help.h"

/* Steps */

enum fate { LIVE, DIE, DIE_HALFWAY, REFUSE };
static enum fate fate; /* of the step at which COUNTDOWN gets to zero */
static int countdown;
static int opens, changes; /* since they were last set to 0 */
static bool leaked;        /* freed memory that still holds a secret */
static bool leave_temps;   /* nothing is removed */
static int64_t clock_jump; /* seconds the clock goes on at every look */

static bool
refused(void)
{
    changes++;
    if (fate == LIVE || --countdown != 0)
        return false;
    if (fate == DIE || fate == DIE_HALFWAY)
        (void)raise(SIGKILL);
    errno = ENOSPC;
    return true;
}

#define WRAP(type, name, params, args)                                         \
    type __real_##name params;                                                 \
    type __wrap_##name params;                                                 \
    type __wrap_##name params                                                  \
    {                                                                          \
        return refused() ? (type)-1 : __real_##name args;                      \
    }

WRAP(int, fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(int, futimens, (int fd, const struct timespec t[2]), (fd, t))
WRAP(int, fsync, (int fd), (fd))
WRAP(int, renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
WRAP(int, mkdirat, (int dir, const char *name, mode_t mode), (dir, name, mode))

static int swaps; /* so often the lock's file is another when we lock it */

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int
__wrap_flock(int fd, int how)
{
    if (swaps > 0 && (how & LOCK_UN) == 0) {
        swaps--;
        (void)rename(help_path("store/.lock"), help_path("old.lock"));
        help_file("store/.lock", "", 0, 0600);
    }
    return refused() ? -1 : __real_flock(fd, how);
}

static char made[1024]; /* below /run, where nothing is really made */

int __real_mkdir(const char *path, mode_t mode);
int __wrap_mkdir(const char *path, mode_t mode);
int
__wrap_mkdir(const char *path, mode_t mode)
{
    size_t len = strlen(made);

    if (strncmp(path, "/run/", 5) != 0)
        return __real_mkdir(path, mode);
    (void)snprintf(made + len, sizeof(made) - len, "mkdir %s %04o\n", path,
                   (unsigned)mode);
    return 0;
}

int __real_chmod(const char *path, mode_t mode);
int __wrap_chmod(const char *path, mode_t mode);
int
__wrap_chmod(const char *path, mode_t mode)
{
    size_t len = strlen(made);

    if (strncmp(path, "/run/", 5) != 0)
        return __real_chmod(path, mode);
    (void)snprintf(made + len, sizeof(made) - len, "chmod %s %04o\n", path,
                   (unsigned)mode);
    return 0;
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int
__wrap_unlinkat(int dir, const char *name, int flags)
{
    if (leave_temps)
        return 0;
    /* What tidies up after a refusal is not refused: it needs no room. */
    if (fate != REFUSE && refused())
        return -1;
    return __real_unlinkat(dir, name, flags);
}

ssize_t __real_write(int fd, const void *data, size_t len);
ssize_t __wrap_write(int fd, const void *data, size_t len);
ssize_t
__wrap_write(int fd, const void *data, size_t len)
{
    if (fate != LIVE && countdown == 1 && fate != DIE && len > 1)
        (void)__real_write(fd, data, len / 2);
    return refused() ? -1 : __real_write(fd, data, len);
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
int
__wrap_openat(int dir, const char *name, int flags, mode_t mode)
{
    opens++;
    if ((flags & O_CREAT) != 0 && refused())
        return -1;
    return __real_openat(dir, name, flags, mode);
}

void __real_free(void *p);
void __wrap_free(void *p);
void
__wrap_free(void *p)
{
    if (p != NULL
        && memmem(p, malloc_usable_size(p), SECRET, strlen(SECRET)) != NULL)
        leaked = true;
    __real_free(p);
}

int __real_clock_gettime(clockid_t clock, struct timespec *ret);
int __wrap_clock_gettime(clockid_t clock, struct timespec *ret);
int
__wrap_clock_gettime(clockid_t clock, struct timespec *ret)
{
    static int64_t ahead;
    int result = __real_clock_gettime(clock, ret);

    ahead += clock_jump;
    ret->tv_sec += (time_t)ahead;
    return result;
}

/* Run DO until its step number N, which ends it.  False: there are less. */
struct plan {
    int (*run)(void *user);
    void *user;
    enum fate fate;
    int n;
};

static int
run_plan(void *user)
{
    const struct plan *plan = user;

    fate = plan->fate;
    countdown = plan->n;
    return plan->run(plan->user);
}

static bool
killed_at(int n, enum fate how, int (*run)(void *user), void *user)
{
    struct plan plan = {run, user, how, n};
    int status = help_fork(run_plan, &plan, 0);

    if (WIFSIGNALED(status)) {
        assert_int_equal(WTERMSIG(status), SIGKILL);
        return true;
    }
    assert_int_equal(status, 0);
    return false;
}

static int
setup(void **state)
{
    *state = NULL;
    (void)help_mkdir();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fate = LIVE;
    clock_jump = 0;
    help_rmdir();
    return 0;
}

/* The store */

static int
put_two(void *replaces)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    GC_AUTO(gc_records) seen = {0};

    help_seen(store, replaces, &seen);
    help_record(&record, "vm-1", 2);
    return gc_store_put(store, &record, &seen, &earlier, NULL) == GC_OK
                   && earlier.id[0] == '\0'
               ? 0
               : 1;
}

/* Is the ticket NUMBER among RECORDS? */
static bool
holds(const struct gc_records *records, int number)
{
    char secret[64];

    (void)snprintf(secret, sizeof(secret), SECRET "-%d", number);
    for (size_t i = 0; i < records->count; i++)
        if (strcmp(gc_bytes_text(&records->items[i].ticket.ticket), secret)
            == 0)
            return true;
    return false;
}

/*
 * After a death at any step: what has a name is whole; what is whole has a name
 * after adopting; nothing half-written stays; the store goes on.  RET_WHOLE:
 * was the new ticket saved?
 */
static void
check_after_death(const char *old, bool *ret_whole)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_records) before = {0};
    GC_AUTO(gc_records) adopted = {0};
    GC_AUTO(gc_records) after = {0};

    help_forget_skips();
    assert_int_equal(gc_store_list(store, &before, NULL), GC_OK);
    assert_int_equal(help_skips, 0);
    assert_true(holds(&before, 1) || holds(&before, 2));
    assert_int_equal(gc_store_adopt(store, &adopted, NULL), GC_OK);
    assert_int_equal(help_names("store", "tmp."), 0);
    assert_int_equal(gc_store_list(store, &after, NULL), GC_OK);
    assert_int_equal(after.count, before.count + adopted.count);
    for (size_t i = 0; i < adopted.count; i++) {
        assert_true(holds(&after, 2));
        assert_true(gc_store_has(store, adopted.items[i].id));
    }
    assert_int_equal(holds(&after, 2), holds(&before, 2) || holds(&adopted, 2));
    *ret_whole = holds(&after, 2);
    /* And again, for the same VM. */
    for (size_t i = 0; i < after.count; i++)
        assert_int_equal(gc_store_forget(store, after.items[i].id, NULL),
                         GC_OK);
    help_put(store, "vm-1", 3, NULL);
    (void)old;
}

static void
die_in_put(enum fate how)
{
    bool whole = false, was_whole = false;
    int n;

    for (n = 1;; n++) {
        char id[GC_STORE_ID_SIZE];
        bool killed;

        {
            GC_AUTO_PTR(gc_store) store = help_store();

            help_put(store, "vm-1", 1, id);
        }
        killed = killed_at(n, how, put_two, id);
        was_whole = whole;
        check_after_death(id, &whole);
        /* Once it is saved at some step, it is at every later one. */
        assert_true(whole || !was_whole);
        if (!killed)
            break;
        help_rmdir();
        (void)help_mkdir();
    }
    assert_true(whole);
    /* Lock, create, write, chmod, time, sync, name, sync, remove, unlock. */
    assert_true(n > 10);
}

static void
test_put_killed(void **state)
{
    (void)state;
    die_in_put(DIE);
}

static void
test_put_killed_halfway(void **state)
{
    (void)state;
    die_in_put(DIE_HALFWAY);
}

/* A call that fails, whichever it is, leaves the store as it was. */
static void
test_put_refused(void **state)
{
    int n, failed = 0;

    (void)state;
    for (n = 1; n < 100; n++) {
        GC_AUTO_PTR(gc_store) store = help_store();
        GC_AUTO(gc_record) record = {0};
        GC_AUTO(gc_record) earlier = {0};
        GC_AUTO(gc_records) records = {0};
        struct gc_error err;
        gc_status st;
        bool gone;

        help_record(&record, "vm-1", n);
        fate = REFUSE;
        countdown = n;
        st = gc_store_put(store, &record, NULL, &earlier, &err);
        fate = LIVE;
        gone = countdown > 0;
        assert_int_equal(help_names("store", "tmp."), 0);
        assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
        assert_int_equal(records.count, st == GC_OK ? 1 : 0);
        assert_int_equal(help_skips, 0);
        if (st == GC_OK) {
            assert_int_equal(gc_store_forget(store, record.id, NULL), GC_OK);
        } else {
            failed++;
            assert_string_equal(record.id, "");
            assert_int_equal(st, GC_E_FAILED);
            assert_non_null(strstr(err.message, "No space left"));
        }
        if (gone)
            break;
    }
    /* Lock, its file, create, write, chmod, time, sync, name, sync. */
    assert_int_equal(failed, 9);
}

/* Leftovers of the living are theirs, and of strangers nobody's. */
static void
test_adopt_chooses(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_records) adopted = {0};
    char name[400], self[GC_PROCESS_TEXT_SIZE];
    const char *const dead = "1.1.00000000-0000-4000-8000-000000000000.-.0.1-0";
    struct gc_process process;
    int live = 0;

    (void)state;
    gc_process_self(&process);
    gc_process_print(&process, self);
    (void)snprintf(name, sizeof(name), "store/tmp.%s.1-0.vm-1.00.ticket.tmp",
                   self);
    help_file(name, "{", 1, 0600);
    live++;
    /* Dead for all we know here, but of another machine, or namespace. */
    process.start++;
    process.pid_ns++;
    gc_process_print(&process, self);
    (void)snprintf(name, sizeof(name), "store/tmp.%s.1-0.vm-1.01.ticket.tmp",
                   self);
    help_file(name, "{", 1, 0600);
    process.pid_ns--;
    memcpy(process.machine, "0123456789abcdef", sizeof(process.machine));
    gc_process_print(&process, self);
    (void)snprintf(name, sizeof(name), "store/tmp.%s.1-0.vm-1.02.ticket.tmp",
                   self);
    help_file(name, "{", 1, 0600);
    live += 2;
    help_file("store/tmp.1.2.ticket.tmp", "{", 1, 0600);
    help_file("store/tmp..tmp", "{", 1, 0600);
    live += 2;
    (void)snprintf(name, sizeof(name), "store/tmp.%s...ticket.tmp", dead);
    help_file(name, "{", 1, 0600);
    live++;
    (void)snprintf(name, sizeof(name), "store/tmp.%s.a.ticket.tmp", dead);
    assert_int_equal(symlink("/etc/passwd", help_path(name)), 0);
    live++;
    (void)snprintf(name, sizeof(name), "store/tmp.%s.torn.ticket.tmp", dead);
    help_file(name, "{", 1, 0600);
    (void)snprintf(name, sizeof(name), "store/tmp.%s.0.session.tmp", dead);
    help_file(name, "{}", 2, 0600);
    (void)snprintf(name, sizeof(name), "store/tmp.%s.empty.ticket.tmp", dead);
    help_file(name, "", 0, 0600);

    /* What has no name of its own is no record. */
    assert_int_equal(help_count(store), 0);
    assert_int_equal(help_skips, 0);
    assert_int_equal(gc_store_adopt(store, &adopted, NULL), GC_OK);
    assert_int_equal(adopted.count, 0);
    assert_int_equal(help_names("store", "tmp."), live);
    /* The link, the torn one, the empty one. */
    assert_int_equal(help_skips, 3);
}

/* A session is a login at most: not synced. */
static void
test_session_unsynced(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    struct gc_session_facts facts = {.release = "8.0.3.0"};

    (void)state;
    changes = 0;
    assert_int_equal(gc_store_put_session(store, URL, "u", &facts, NULL, NULL),
                     GC_OK);
    assert_int_equal(changes, 2 + 5 + 1);
    changes = 0;
    help_put(store, "vm-1", 1, NULL);
    assert_int_equal(changes, 2 + 7 + 1);
}

/* What an earlier write left under the same name is not in the way. */
static char temps[2][NAME_MAX + 1];

static gc_status
note_temp(void *user, const char *name, struct gc_error *err)
{
    int *count = user;

    (void)err;
    if (*count < 2)
        (void)snprintf(temps[*count], sizeof(temps[0]), "%s", name);
    ++*count;
    return GC_OK;
}

static int
die_writing(void *user)
{
    GC_AUTO(gc_bytes) text = {0};
    int dir = open(help_path(""), O_RDONLY | O_DIRECTORY);

    (void)user;
    if (dir < 0 || gc_bytes_set(&text, "x", 1, NULL) != GC_OK)
        return 1;
    for (int i = 0; i < 2; i++) {
        /* At its name: the file is left. */
        countdown = 5;
        if (gc_atomic_write(dir, "a", &text, 1, false, NULL) != GC_E_FAILED)
            return 2;
    }
    return 0;
}

static void
test_temps_differ(void **state)
{
    struct plan plan = {die_writing, NULL, REFUSE, 5};
    int dir = open(help_path(""), O_RDONLY | O_DIRECTORY), count = 0;
    bool more = false;

    (void)state;
    assert_true(dir >= 0);
    leave_temps = true;
    assert_int_equal(help_fork(run_plan, &plan, 0), 0);
    leave_temps = false;
    assert_int_equal(gc_files_each(dir, "tmp.", ".a.tmp", 10, note_temp, &count,
                                   &more, NULL),
                     GC_OK);
    (void)close(dir);
    assert_int_equal(count, 2);
    assert_string_not_equal(temps[0], temps[1]);
}

/* Wiping: no freed memory holds a ticket. */
static void
test_wiped(void **state)
{
    (void)state;
    leaked = false;
    {
        GC_AUTO_PTR(gc_store) store = help_store();
        GC_AUTO(gc_records) records = {0};
        GC_AUTO(gc_record) found = {0};
        GC_AUTO(gc_bytes) id = {0};
        GC_AUTO(gc_bytes) read = {0};
        struct gc_session_facts facts = {.release = "8.0.3.0"};
        struct gc_store_key key;

        help_put(store, "vm-1", 1, NULL);
        help_put(store, "vm-2", 2, NULL);
        assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
        key = help_key(&records.items[0]);
        assert_int_equal(gc_store_find(store, &key, &found, NULL), GC_OK);
        assert_int_equal(gc_bytes_set(&id, SECRET, strlen(SECRET), NULL),
                         GC_OK);
        assert_int_equal(
            gc_store_put_session(store, URL, "u", &facts, &id, NULL), GC_OK);
        assert_int_equal(
            gc_store_get_session(store, URL, "u", &facts, &read, NULL), GC_OK);
    }
    assert_false(leaked);
}

/* A thousand records: one open each, and nothing is synced or locked. */
static void
test_list_is_cheap(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_records) records = {0};
    char name[64], from[600];
    char id[GC_STORE_ID_SIZE];

    (void)state;
    help_put(store, "vm-1", 1, id);
    (void)snprintf(from, sizeof(from), "%s/%s", help_path("store"), id);
    for (int i = 1; i < 1000; i++) {
        char text[4096];
        int fd = open(from, O_RDONLY);
        ssize_t n;

        assert_true(fd >= 0);
        n = read(fd, text, sizeof(text));
        (void)close(fd);
        assert_true(n > 0);
        (void)snprintf(name, sizeof(name), "store/vm-1.%d.ticket", i);
        help_file(name, text, (size_t)n, 0600);
    }
    opens = changes = 0;
    assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
    assert_int_equal(records.count, 1000);
    assert_int_equal(opens, 1001);
    assert_int_equal(changes, 0);
    /* Nor does marking as used rewrite anything. */
    opens = changes = 0;
    assert_int_equal(gc_store_touch(store, &records.items[0], NULL), GC_OK);
    assert_int_equal(opens, 0);
    assert_int_equal(changes, 0);
}

/* Who holds the lock for too long is not waited for forever. */
static void
test_lock_times_out(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    const struct gc_session_facts facts = {.release = "8.0.3.0"};
    int fd;

    (void)state;
    help_put(store, "vm-1", 1, NULL);
    fd = open(help_path("store/.lock"), O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(__real_flock(fd, LOCK_EX), 0);
    help_record(&record, "vm-2", 2);
    clock_jump = 1;
    opens = 0;
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, NULL),
                     GC_E_BUSY);
    /* Three seconds of it: twice or thrice it was tried. */
    assert_true(opens >= 2 && opens <= 4);
    /* A session is not worth as much. */
    opens = 0;
    assert_int_equal(gc_store_put_session(store, URL, "u", &facts, NULL, NULL),
                     GC_E_BUSY);
    assert_in_range(opens, 1, 2);
    clock_jump = 0;
    (void)close(fd);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, NULL), GC_OK);
}

/* A lock on a file that is no longer the lock locks nobody out. */
static void
test_lock_swapped(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();

    (void)state;
    help_put(store, "vm-1", 1, NULL);
    swaps = 2;
    changes = 0;
    help_put(store, "vm-2", 2, NULL);
    assert_int_equal(swaps, 0);
    /* File and lock thrice, two files by the swaps, then as ever. */
    assert_int_equal(changes, 6 + 4 + 7 + 1);
}

/* After a boot root makes the place where everybody's stores are. */
static void
test_run(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    static const char name[] = "DIR:/run/guestcred/no-such-user/x";

    (void)state;
    made[0] = '\0';
    assert_int_equal(gc_store_open(name, false, &store, NULL), GC_E_NOT_FOUND);
    assert_string_equal(made, "");
    assert_int_equal(gc_store_open(name, true, &store, NULL), GC_E_NOT_FOUND);
    assert_string_equal(made, geteuid() != 0
                                  ? ""
                                  : "mkdir /run/guestcred 0711\n"
                                    "chmod /run/guestcred 0711\n"
                                    "mkdir /run/guestcred/no-such-user 0700\n");
    made[0] = '\0';
    assert_int_equal(
        gc_store_open("DIR:/run/guestcredx/no/x", true, &store, NULL),
        GC_E_NOT_FOUND);
    assert_string_equal(made, "");
}

/* The ledger */

static struct gc_ledger *
open_ledger(void)
{
    struct gc_ledger *ledger = NULL;
    struct gc_error err;

    if (gc_ledger_open(help_path("ledger"), geteuid(), &ledger, &err) != GC_OK)
        return NULL;
    gc_ledger_on_skip(ledger, help_skipped, NULL);
    return ledger;
}

static void
fill_entry(struct gc_entry *entry, gc_owed state, int number)
{
    GC_AUTO(gc_record) record = {0};
    char id[GC_LEDGER_ID_SIZE];

    memcpy(id, entry->id, sizeof(id));
    gc_entry_clear(entry);
    memcpy(entry->id, id, sizeof(id));
    help_record(&record, "vm-1", number);
    gc_ticket_move(&entry->ticket, &record.ticket);
    (void)snprintf(entry->url, sizeof(entry->url), "%s", URL);
    entry->state = state;
    entry->uid = geteuid();
    entry->written = 1700000000 + number;
    gc_process_self(&entry->process);
}

struct owing {
    struct gc_entry entry; /* id only */
    gc_owed state;
};

static int
write_entry(void *user)
{
    const struct owing *owing = user;
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};

    memcpy(entry.id, owing->entry.id, sizeof(entry.id));
    fill_entry(&entry, owing->state, 7);
    return ledger != NULL && gc_ledger_write(ledger, &entry, NULL) == GC_OK ? 0
                                                                            : 1;
}

/*
 * From one state to the next, killed at every step: the entry is there, once,
 * in the one state or the other, and the other from some step on.
 */
static void
die_in_write(enum fate how, gc_owed from, gc_owed to)
{
    bool moved = false;
    int n;

    for (n = 1;; n++) {
        GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
        GC_AUTO(gc_entries) entries = {0};
        struct owing owing = {.state = to};
        bool killed, was_moved = moved;

        fill_entry(&owing.entry, from, 7);
        assert_int_equal(gc_ledger_write(ledger, &owing.entry, NULL), GC_OK);
        killed = killed_at(n, how, write_entry, &owing);
        assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
        assert_int_equal(entries.count, 1);
        assert_string_equal(entries.items[0].id, owing.entry.id);
        moved = entries.items[0].state == to;
        assert_true(moved || entries.items[0].state == from);
        assert_true(moved || !was_moved);
        assert_int_equal(help_names("ledger", "tmp."), 0);
        assert_int_equal(gc_ledger_settle(ledger, owing.entry.id, NULL), GC_OK);
        gc_entry_clear(&owing.entry);
        if (!killed)
            break;
    }
    assert_true(moved);
    assert_true(n > 6);
}

static void
test_ledger_killed(void **state)
{
    (void)state;
    die_in_write(DIE, GC_OWED_INTENT, GC_OWED_TICKET);
    die_in_write(DIE_HALFWAY, GC_OWED_INTENT, GC_OWED_TICKET);
    die_in_write(DIE, GC_OWED_TICKET, GC_OWED_RELEASE);
    die_in_write(DIE_HALFWAY, GC_OWED_TICKET, GC_OWED_RELEASE);
}

/* The first write of all: nothing, or all of it. */
static void
test_ledger_killed_first(void **state)
{
    bool there = false;

    (void)state;
    for (int n = 1;; n++) {
        GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
        GC_AUTO(gc_entries) entries = {0};
        struct owing owing = {.state = GC_OWED_TICKET};
        bool killed = killed_at(n, DIE_HALFWAY, write_entry, &owing);
        bool was_there = there;

        assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
        there = entries.count == 1;
        assert_true(there || (entries.count == 0 && !was_there));
        assert_int_equal(help_names("ledger", "tmp."), 0);
        if (!killed)
            break;
        help_rmdir();
        (void)help_mkdir();
    }
    assert_true(there);
}

static off_t
size_of_entry(const struct gc_entry *entry)
{
    struct stat info;
    char name[300];

    (void)snprintf(name, sizeof(name), "ledger/%s", entry->id);
    assert_int_equal(stat(help_path(name), &info), 0);
    return info.st_size;
}

/* From an intent TO another state, refused at every step: nothing changes. */
static int
refuse_in_write(gc_owed to)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};
    int failed = 0;
    off_t size;

    fill_entry(&entry, GC_OWED_INTENT, 1);
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    size = size_of_entry(&entry);
    for (int n = 1; n < 100; n++) {
        GC_AUTO(gc_entries) entries = {0};
        gc_status st;

        fill_entry(&entry, to, 1);
        fate = REFUSE;
        countdown = n;
        st = gc_ledger_write(ledger, &entry, NULL);
        fate = LIVE;
        assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
        assert_int_equal(entries.count, 1);
        assert_int_equal(help_names("ledger", "tmp."), 0);
        /* The last is the lock's end, after which nothing can fail. */
        if (countdown > 0 || st == GC_OK)
            break;
        assert_int_equal(st, GC_E_FAILED);
        if (to == GC_OWED_TICKET)
            assert_int_equal(size_of_entry(&entry), size);
        failed++;
    }
    assert_int_equal(gc_ledger_settle(ledger, entry.id, NULL), GC_OK);
    return failed;
}

static void
test_ledger_refused(void **state)
{
    (void)state;
    /* Lock, its file, create, write, chmod, time, sync, name, sync. */
    assert_int_equal(refuse_in_write(GC_OWED_RELEASE), 9);
    /* Lock, its file, write, both syncs. */
    assert_int_equal(refuse_in_write(GC_OWED_TICKET), 5);
    assert_int_equal(help_skips, 0);
}

/* What somebody decided to release is not needed again. */
static void
test_ledger_moves_on_only(void **state)
{
    static const char *const dead =
        "1.1.00000000-0000-4000-8000-000000000000.-.0.1-0";
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_bytes) text = {0};
    char name[300];

    (void)state;
    fill_entry(&entry, GC_OWED_RELEASE, 1);
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    for (int i = 0; i <= (int)GC_OWED_RELEASE; i++) {
        GC_AUTO(gc_entries) entries = {0};

        entry.state = (gc_owed)i;
        entry.written = 1;
        assert_int_equal(gc_entry_write(&entry, &text, NULL), GC_OK);
        (void)snprintf(name, sizeof(name), "ledger/tmp.%s.%s.tmp", dead,
                       entry.id);
        help_file(name, text.data, text.len, 0600);
        assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
        assert_int_equal(entries.count, 1);
        assert_int_equal(entries.items[0].state, GC_OWED_RELEASE);
        assert_int_equal(entries.items[0].written == 1,
                         i == (int)GC_OWED_RELEASE);
        assert_int_equal(help_names("ledger", "tmp."), 0);
    }
}

/* Of what a live process is just writing the ledger knows nothing. */
static void
test_ledger_leaves_the_living(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_bytes) text = {0};
    char name[300], self[GC_PROCESS_TEXT_SIZE];

    (void)state;
    fill_entry(&entry, GC_OWED_TICKET, 1);
    gc_process_print(&entry.process, self);
    assert_int_equal(gc_entry_write(&entry, &text, NULL), GC_OK);
    (void)snprintf(name, sizeof(name), "ledger/tmp.%s.1-0.a.owed.tmp", self);
    help_file(name, text.data, text.len, 0600);
    (void)snprintf(name, sizeof(name), "ledger/tmp.%s.1-0.b.owed.tmp", self);
    help_file(name, "{", 1, 0600);
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 0);
    assert_int_equal(help_skips, 0);
    assert_int_equal(help_names("ledger", "tmp."), 2);
}

/* Written ahead means: the file, then its name, then the directory. */
static void
test_ledger_syncs(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};

    (void)state;
    fill_entry(&entry, GC_OWED_TICKET, 1);
    changes = 0;
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    /* The lock and its file, the seven, the end of the lock. */
    assert_int_equal(changes, 2 + 7 + 1);
    /* An intent: neither sync. */
    entry.id[0] = '\0';
    entry.state = GC_OWED_INTENT;
    changes = 0;
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    assert_int_equal(changes, 2 + 5 + 1);
    /* Its ticket: one line more, and both. */
    entry.state = GC_OWED_TICKET;
    changes = 0;
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    assert_int_equal(changes, 2 + 3 + 1);
    leaked = false;
    {
        GC_AUTO(gc_entries) entries = {0};
        GC_AUTO(gc_entry) found = {0};

        assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
        assert_int_equal(gc_ledger_find(ledger, &entry.ticket, &found, NULL),
                         GC_OK);
    }
    assert_false(leaked);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_put_killed),
        TEST(test_put_killed_halfway),
        TEST(test_put_refused),
        TEST(test_adopt_chooses),
        TEST(test_session_unsynced),
        TEST(test_temps_differ),
        TEST(test_wiped),
        TEST(test_list_is_cheap),
        TEST(test_lock_times_out),
        TEST(test_lock_swapped),
        TEST(test_run),
        TEST(test_ledger_killed),
        TEST(test_ledger_killed_first),
        TEST(test_ledger_refused),
        TEST(test_ledger_moves_on_only),
        TEST(test_ledger_leaves_the_living),
        TEST(test_ledger_syncs),
    };

    skips_begin();
    return skips_end(
        cmocka_run_group_tests_name("store steps", tests, NULL, NULL));
}
