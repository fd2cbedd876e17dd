/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ticket store, killed or refused at every call, on a full disk, and with a
 * crowd on it.
 *
 * The calls that change something are caught by the linker (--wrap), so that
 * what runs is what is shipped.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "src/base/owner.h"
#include "src/tickets/copies.h"
#include "tests/unit/skips.h"
#include "tests/unit/tickets_help.h"

/* ---- calls ---- */

static enum { LIVE, DIE, DIE_HALFWAY, REFUSE } fate; /* at call COUNTDOWN */
static int countdown;
static int changes, syncs, opens, reads; /* since they were last 0 */
static bool locked;                      /* by this process */
static bool synced_locked;               /* it synced meanwhile */
static bool leaked;                      /* freed memory holds a secret */
static int64_t ahead;                    /* of the clock, in seconds */
static void (*meanwhile)(void);          /* while a lock is waited for */
static bool closed;                      /* "." cannot be opened */

static bool
refused(void)
{
    changes++;
    if (fate == LIVE || --countdown != 0)
        return false;
    if (fate != REFUSE)
        (void)raise(SIGKILL);
    errno = ENOSPC;
    return true;
}

#define WRAP(name, params, args)                                               \
    int __real_##name params;                                                  \
    int __wrap_##name params;                                                  \
    int __wrap_##name params                                                   \
    {                                                                          \
        return refused() ? -1 : __real_##name args;                            \
    }

WRAP(fchmod, (int fd, mode_t mode), (fd, mode))
WRAP(renameat, (int a, const char *b, int c, const char *d), (a, b, c, d))
WRAP(mkdir, (const char *path, mode_t mode), (path, mode))

int __real_fsync(int fd);
int __wrap_fsync(int fd);
int
__wrap_fsync(int fd)
{
    syncs++;
    synced_locked |= locked;
    /* The disk is spared; a kill does not need it. */
    (void)fd;
    return refused() ? -1 : 0;
}

int __real_flock(int fd, int how);
int __wrap_flock(int fd, int how);
int
__wrap_flock(int fd, int how)
{
    int result;

    if (meanwhile != NULL && how != LOCK_UN) {
        void (*act)(void) = meanwhile;

        meanwhile = NULL;
        act();
    }
    /* An unlock needs no room. */
    if (!(fate == REFUSE && how == LOCK_UN) && refused())
        return -1;
    result = __real_flock(fd, how);
    locked = (how & LOCK_UN) == 0 && result == 0;
    return result;
}

int __real_unlinkat(int dir, const char *name, int flags);
int __wrap_unlinkat(int dir, const char *name, int flags);
int
__wrap_unlinkat(int dir, const char *name, int flags)
{
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
    if ((fate == DIE_HALFWAY || fate == REFUSE) && countdown == 1 && len > 1)
        (void)__real_write(fd, data, len / 2);
    return refused() ? -1 : __real_write(fd, data, len);
}

ssize_t __real_read(int fd, void *data, size_t len);
ssize_t __wrap_read(int fd, void *data, size_t len);
ssize_t
__wrap_read(int fd, void *data, size_t len)
{
    reads++;
    return __real_read(fd, data, len);
}

int __real_openat(int dir, const char *name, int flags, ...);
int __wrap_openat(int dir, const char *name, int flags, mode_t mode);
int
__wrap_openat(int dir, const char *name, int flags, mode_t mode)
{
    opens++;
    if (closed && strcmp(name, ".") == 0) {
        errno = ENFILE;
        return -1;
    }
    if ((flags & O_CREAT) != 0 && refused())
        return -1;
    return __real_openat(dir, name, flags, mode);
}

time_t __real_time(time_t *ret);
time_t __wrap_time(time_t *ret);
time_t
__wrap_time(time_t *ret)
{
    return __real_time(ret) + (time_t)ahead;
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

static int
setup(void **state)
{
    *state = NULL;
    fate = LIVE;
    ahead = 0;
    help_begin();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    fate = LIVE;
    help_end();
    return 0;
}

/* ---- killed or refused at every call ---- */

/* What an entry may be after a tidy, when its process is dead. */
typedef enum { GONE, IS_LOST, IS_TICKET, IS_OWED } outcome;

struct act {
    gc_status (*run)(struct gc_store *store, struct gc_entry *entry,
                     struct gc_error *err);
    outcome then; /* of the entry for "mine", once RUN returned GC_OK */
};

struct play {
    const char *name;
    void (*before)(void); /* what is there already */
    struct act acts[9];
    void (*after)(struct gc_store *store, outcome mine); /* or NULL */
};

/* As the child counts them. */
static struct {
    atomic_int acts, calls;
} * done;

static gc_status
do_intent(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    help_request(e, "vm-1");
    (void)snprintf(e->asked, sizeof(e->asked), "mine");
    return gc_store_intent(s, e, err);
}

static gc_status
do_ticket(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    GC_AUTO(gc_entry) earlier = {0};

    help_issue(e, 2);
    return gc_store_ticket(s, e, NULL, &earlier, err);
}

static gc_status
do_owed(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    help_issue(e, 2);
    return gc_store_owed(s, e, err);
}

/* All that is there was seen. */
static gc_status
do_replace(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    GC_AUTO(gc_entry) earlier = {0};
    GC_AUTO(gc_entries) seen = {0};
    gc_status st = gc_store_list(s, NULL, &seen, err);

    help_issue(e, 2);
    return st != GC_OK ? st : gc_store_ticket(s, e, &seen, &earlier, err);
}

static gc_status
do_used(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    ahead = 100;
    return gc_store_used(s, e, err);
}

static gc_status
do_not_released(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    return gc_store_not_released(s, e, err);
}

static gc_status
do_released(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    return gc_store_released(s, e, err);
}

static gc_status
do_refused(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    return gc_store_refused(s, e, err);
}

/* A ticket that is in no store. */
static gc_status
do_owe(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    help_request(e, "vm-1");
    (void)snprintf(e->asked, sizeof(e->asked), "mine");
    help_issue(e, 2);
    return gc_store_owed(s, e, err);
}

static gc_status
do_tidy(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    (void)e;
    return gc_store_tidy(s, err);
}

static gc_status
keep(struct gc_store *s, bool refusal, struct gc_error *err)
{
    GC_AUTO(gc_kept_session) kept = {0};

    (void)snprintf(kept.url, sizeof(kept.url), URL);
    (void)snprintf(kept.username, sizeof(kept.username), "svc");
    kept.refused = refusal ? 1700000000 : 0;
    if (!refusal
        && gc_bytes_set(&kept.id, SECRET, strlen(SECRET), err) != GC_OK)
        return GC_E_NO_MEMORY;
    return gc_store_keep_session(s, &kept, err);
}

static gc_status
do_keep(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    (void)e;
    return keep(s, false, err);
}

static gc_status
do_keep_refusal(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    (void)e;
    return keep(s, true, err);
}

static gc_status
do_forget(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    (void)e;
    return gc_store_forget_session(s, URL, "svc", err);
}

static gc_status
do_login(struct gc_store *s, struct gc_entry *e, struct gc_error *err)
{
    bool waited;
    gc_status st = gc_store_login_begin(s, URL, "svc", gc_clock_now() + 1000,
                                        -1, &waited, err);

    (void)e;
    gc_store_login_end(s);
    return st;
}

static void
before_old(void)
{
    GC_AUTO_PTR(gc_store) store = help_open();

    help_put(store, "vm-1", 1, NULL);
}

static int
die_with_intent(void *user)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};

    (void)user;
    return do_intent(store, &e, NULL) == GC_OK ? 0 : 1;
}

/* The intent of a dead process, and half of an old file. */
static void
before_dead(void)
{
    assert_int_equal(help_fork(die_with_intent, NULL, 0), 0);
    help_file(help_in_store("00000000000000000000000000000000.new"), "guest",
              -1, 0600);
    help_age(help_in_store("00000000000000000000000000000000.new"), 4000);
    help_file(help_in_store("00000000000000000000000000000000"), "guest", -1,
              0600);
    help_age(help_in_store("00000000000000000000000000000000"), 200000);
}

/* The entry of VM-1 that is "mine" or is not. */
static outcome
find(struct gc_store *store, bool mine)
{
    GC_AUTO(gc_entries) all = {0};
    outcome found = GONE;

    assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
    for (size_t i = 0; i < all.count; i++) {
        const struct gc_entry *e = &all.items[i];

        if ((strcmp(e->asked, "mine") == 0) != mine)
            continue;
        assert_int_equal(found, GONE);
        assert_int_not_equal(e->state, GC_ENTRY_INTENT);
        found = e->state == GC_ENTRY_LOST     ? IS_LOST
                : e->state == GC_ENTRY_TICKET ? IS_TICKET
                                              : IS_OWED;
        assert_int_equal(help_number(e), found == IS_LOST ? 0 : mine ? 2 : 1);
    }
    return found;
}

/* The old one is owed only once the new one is there. */
static void
after_replace(struct gc_store *store, outcome mine)
{
    outcome old = find(store, false);

    assert_true(old == IS_TICKET || (old == IS_OWED && mine == IS_TICKET));
}

static void
after_earlier(struct gc_store *store, outcome mine)
{
    assert_int_not_equal(mine, IS_TICKET);
    assert_int_equal(find(store, false), IS_TICKET);
}

/* A session is there, whole, or it is not. */
static void
after_session(struct gc_store *store, outcome mine)
{
    GC_AUTO(gc_kept_session) kept = {0};
    gc_status st = gc_store_session(store, URL, "svc", &kept, NULL);

    (void)mine;
    if (st == GC_OK)
        assert_true((kept.refused != 0) != (kept.id.len != 0));
    else
        assert_int_equal(st, GC_E_NOT_FOUND);
}

static const struct play plays[] = {
    {"a life",
     NULL,
     {{do_intent, IS_LOST},
      {do_ticket, IS_TICKET},
      {do_used, IS_TICKET},
      {gc_store_owed, IS_OWED},
      {do_not_released, IS_OWED},
      {gc_store_owed, IS_OWED},
      {do_released, GONE}},
     NULL},
    {"a fault", NULL, {{do_intent, IS_LOST}, {gc_store_nothing, GONE}}, NULL},
    {"no reply",
     NULL,
     {{do_intent, IS_LOST}, {gc_store_lost, IS_LOST}, {do_ticket, IS_TICKET}},
     NULL},
    {"no room",
     NULL,
     {{do_intent, IS_LOST}, {do_owed, IS_OWED}, {do_released, GONE}},
     NULL},
    {"refused",
     NULL,
     {{do_intent, IS_LOST}, {do_ticket, IS_TICKET}, {do_refused, GONE}},
     NULL},
    {"a new one",
     before_old,
     {{do_intent, IS_LOST}, {do_replace, IS_TICKET}},
     after_replace},
    {"a second one",
     before_old,
     {{do_intent, IS_LOST}, {do_ticket, IS_OWED}, {do_released, GONE}},
     after_earlier},
    {"from outside", NULL, {{do_owe, IS_OWED}, {do_released, GONE}}, NULL},
    {"tidy", before_dead, {{do_tidy, IS_LOST}, {do_tidy, IS_LOST}}, NULL},
    {"sessions",
     NULL,
     {{do_login, GONE},
      {do_keep, GONE},
      {do_keep_refusal, GONE},
      {do_keep, GONE},
      {do_forget, GONE},
      {do_keep_refusal, GONE}},
     after_session},
};

/* What "mine" is after the first N acts of PLAY, which has no more. */
static outcome
outcome_after(const struct play *play, int n)
{
    while (n > 0 && play->acts[n - 1].run == NULL)
        n--;
    if (n > 0)
        return play->acts[n - 1].then;
    return play->before == before_dead ? IS_LOST : GONE;
}

struct plan {
    const struct play *play;
    int n, how;
};

static int
perform(void *user)
{
    const struct plan *plan = user;
    const struct play *play = plan->play;
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_entry) e = {0};

    countdown = plan->n;
    fate = plan->how == REFUSE ? LIVE : (__typeof__(fate))plan->how;
    changes = 0;
    store = help_open();
    fate = (__typeof__(fate))plan->how;
    for (size_t i = 0; i < GC_COUNT_OF(play->acts); i++) {
        gc_entry_state was = e.state;
        struct gc_error err = {0};
        gc_status st;

        if (play->acts[i].run == NULL)
            break;
        st = play->acts[i].run(store, &e, &err);
        /* Nothing happened then, for the caller either. */
        if (st != GC_OK)
            return fate != REFUSE || st != GC_E_FAILED || e.state != was ? 1
                                                                         : 0;
        atomic_store(&done->acts, (int)i + 1);
        atomic_store(&done->calls, changes);
    }
    return synced_locked ? 3 : 0;
}

/* Perform PLAY up to its call N. */
static void
perform_until(const struct play *play, int n, int how)
{
    struct plan plan = {play, n, how};
    int status;

    help_end();
    help_begin();
    if (play->before != NULL)
        play->before();
    atomic_store(&done->acts, 0);
    status = help_fork(perform, &plan, 0);
    if (how == DIE || how == DIE_HALFWAY ? !WIFSIGNALED(status) : status != 0)
        fail_msg("%s, call %d: status %#x", play->name, n, (unsigned)status);
}

static void
check(const struct play *play, int n, int how)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    int acts = atomic_load(&done->acts);
    outcome mine;

    help_skips = 0;
    /* Refused, it cleans up itself; killed, that takes an hour. */
    if (how == REFUSE && play->before != before_dead)
        assert_int_equal(help_names(".new"), 0);
    ahead = 3700;
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    ahead = 0;
    assert_int_equal(help_names(".new"), 0);
    mine = find(store, true);
    /* The act that was under way is done, or it is not. */
    if (mine != outcome_after(play, acts)
        && mine != outcome_after(play, acts + 1))
        fail_msg("%s, call %d: %d after %d acts", play->name, n, (int)mine,
                 acts);
    assert_int_equal(help_skips, 0);
    if (play->after != NULL)
        play->after(store, mine);
}

static void
every_call(int how)
{
    for (size_t i = 0; i < GC_COUNT_OF(plays); i++) {
        const struct play *play = &plays[i];
        int calls;

        perform_until(play, 0, LIVE);
        check(play, 0, LIVE);
        calls = atomic_load(&done->calls);
        assert_true(calls >= 4);
        for (int n = 1; n <= calls; n++) {
            perform_until(play, n, how);
            check(play, n, how);
        }
    }
}

static void
test_killed(void **state)
{
    (void)state;
    every_call(DIE);
}

static void
test_killed_halfway(void **state)
{
    (void)state;
    every_call(DIE_HALFWAY);
}

static void
test_refused(void **state)
{
    (void)state;
    every_call(REFUSE);
}

/* ---- what it costs ---- */

static void
expect_cost(const char *what, int want_changes, int want_syncs, int want_opens)
{
    if (changes != want_changes || syncs != want_syncs || opens != want_opens)
        fail_msg("%s: %d changes, %d syncs, %d opens", what, changes, syncs,
                 opens);
    changes = syncs = opens = reads = 0;
}

static void
test_cost(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    GC_AUTO(gc_entries) all = {0};

    (void)state;
    help_put(store, "vm-9", 1, NULL);
    changes = syncs = opens = reads = 0;
    /* create, write, rename */
    assert_int_equal(do_intent(store, &e, NULL), GC_OK);
    expect_cost("intent", 3, 0, 1);
    /* create, write, chmod, sync; lock, look at both, rename, unlock; sync */
    help_issue(&e, 2);
    assert_int_equal(gc_store_ticket(store, &e, NULL, &earlier, NULL), GC_OK);
    expect_cost("ticket", 8, 2, 3);
    assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
    assert_int_equal(reads, 2);
    expect_cost("list", 0, 0, 2);
    assert_int_equal(gc_store_used(store, &e, NULL), GC_OK);
    expect_cost("used again", 0, 0, 0);
    ahead = 100;
    assert_int_equal(gc_store_used(store, &e, NULL), GC_OK);
    expect_cost("used", 5, 0, 2);
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_OK);
    expect_cost("owed", 8, 2, 2);
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_OK);
    expect_cost("owed already", 0, 0, 1);
    assert_int_equal(gc_store_released(store, &e, NULL), GC_OK);
    expect_cost("released", 3, 0, 1);
    assert_int_equal(do_intent(store, &e, NULL), GC_OK);
    expect_cost("intent", 3, 0, 1);
    assert_int_equal(gc_store_nothing(store, &e, NULL), GC_OK);
    expect_cost("nothing", 1, 0, 0);
    assert_int_equal(do_keep(store, &e, NULL), GC_OK);
    expect_cost("session", 3, 0, 1);
    assert_int_equal(do_keep_refusal(store, &e, NULL), GC_OK);
    expect_cost("refusal", 6, 2, 1);
    assert_false(synced_locked);
}

/* ---- what changes before the lock is had ---- */

static void
use_it(void)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entries) all = {0};

    assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
    assert_int_equal(gc_store_used(store, &all.items[0], NULL), GC_OK);
}

static void
drop_it(void)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entries) all = {0};

    assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
    assert_int_equal(gc_store_released(store, &all.items[0], NULL), GC_OK);
}

/* What was seen before the lock is not what counts. */
static void
test_meanwhile(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    char id[GC_ENTRY_ID_SIZE];

    (void)state;
    /* A ticket past its time is used: it lives on. */
    help_put(store, "vm-1", 1, id);
    ahead = 48 * 3600 + 10;
    meanwhile = use_it;
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    assert_null(meanwhile);
    assert_int_equal(help_state(store, id), GC_ENTRY_TICKET);
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    assert_int_equal(help_state(store, id), GC_ENTRY_TICKET);
    /* One that is gone does not come back. */
    assert_int_equal(gc_store_read(store, id, &e, NULL), GC_OK);
    meanwhile = drop_it;
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_E_NOT_FOUND);
    assert_int_equal(help_state(store, id), -1);
    assert_int_equal(e.state, GC_ENTRY_TICKET);
    /* An intent that became a ticket is not lost. */
    assert_int_equal(do_intent(store, &e, NULL), GC_OK);
    memcpy(id, e.id, sizeof(id));
    ahead += 700;
    help_issue(&e, 2);
    {
        GC_AUTO(gc_entry) copy = {0};

        assert_int_equal(gc_store_read(store, id, &copy, NULL), GC_OK);
        assert_int_equal(gc_store_ticket(store, &e, NULL, &earlier, NULL),
                         GC_OK);
        assert_int_equal(gc_store_lost(store, &copy, NULL), GC_E_NOT_FOUND);
        assert_int_equal(copy.state, GC_ENTRY_INTENT);
    }
    assert_int_equal(help_state(store, id), GC_ENTRY_TICKET);
    assert_int_equal(help_names(".new"), 0);
}

/* Nothing that held a ticket or a session id is freed as it was. */
static void
test_wiped(void **state)
{
    (void)state;
    leaked = false;
    {
        GC_AUTO_PTR(gc_store) store = help_open();
        GC_AUTO(gc_kept_session) kept = {0};
        GC_AUTO(gc_entries) all = {0};
        GC_AUTO(gc_entry) e = {0};

        for (int i = 0; i < 5; i++) {
            char vm[16];

            (void)snprintf(vm, sizeof(vm), "vm-%d", i);
            help_put(store, vm, i + 1, NULL);
        }
        assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
        gc_entry_move(&e, &all.items[0]);
        assert_int_equal(gc_store_owed(store, &e, NULL), GC_OK);
        assert_int_equal(gc_store_released(store, &e, NULL), GC_OK);
        assert_int_equal(keep(store, false, NULL), GC_OK);
        assert_int_equal(gc_store_session(store, URL, "svc", &kept, NULL),
                         GC_OK);
    }
    assert_false(leaked);
}

/* ---- no room ---- */

static int
fill_disk(void *user)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    struct gc_error err = {0};
    size_t count = 0;
    gc_status st;

    (void)user;
    if (unshare(CLONE_NEWNS) != 0
        || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mkdir(help_path("store"), 0700) != 0
        || mount("tmpfs", help_path("store"), "tmpfs", 0, "size=32k,mode=0700")
               != 0)
        return 77;
    store = help_open();
    do {
        help_request(&e, "vm-1");
        st = gc_store_intent(store, &e, &err);
        count += st == GC_OK;
    } while (st == GC_OK && count < 100);
    if (st != GC_E_FAILED || count < 2 || count == 100 || e.id[0] != '\0'
        || strstr(err.message, "No space left") == NULL || err.hint[0] == '\0')
        return 1;
    if (help_count(store) != count || help_names(".new") != 0
        || help_skips != 0)
        return 2;
    /* Room for an intent and not for its ticket. */
    {
        GC_AUTO(gc_entries) all = {0};

        if (gc_store_list(store, NULL, &all, NULL) != GC_OK)
            return 3;
        gc_entry_move(&e, &all.items[0]);
    }
    help_issue(&e, 1);
    if (gc_store_ticket(store, &e, NULL, &earlier, &err) != GC_E_FAILED
        || e.state != GC_ENTRY_INTENT
        || help_state(store, e.id) != GC_ENTRY_INTENT)
        return 4;
    if (gc_store_released(store, &e, NULL) != GC_OK
        || help_count(store) != count - 1)
        return 5;
    help_request(&e, "vm-1");
    if (gc_store_intent(store, &e, &err) != GC_OK)
        return 6;
    return help_names(".new") == 0 && help_skips == 0 ? 0 : 7;
}

static void
test_disk_full(void **state)
{
    int status = help_fork(fill_disk, NULL, 0);

    (void)state;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip_because("needs root to mount a disk");
    assert_int_equal(status, 0);
}

/* A login's copies are there for an hour, and it goes on. */
static int
tidy_copies(void *user)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct gc_dir dir = {0};
    GC_AUTO(gc_entry) e = {0};
    bool stays, goes;

    (void)user;
    if (unshare(CLONE_NEWNS) != 0
        || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0
        || mount("tmpfs", "/run", "tmpfs", 0, "size=64k,mode=0755") != 0)
        return 77;
    store = help_open();
    help_request(&e, "vm-1");
    gc_owner_self(e.host);
    if (gc_copies_open(1000, &dir, NULL) != GC_OK
        || gc_store_intent(store, &e, NULL) != GC_OK)
        return 1;
    help_issue(&e, 1);
    e.state = GC_ENTRY_TICKET;
    e.owner[0] = '\0';
    e.uid = 1000;
    if (gc_copies_put(&dir, &e, NULL) != GC_OK)
        return 2;
    help_age(dir.path, 7200);
    closed = true;
    gc_copies_tidy();
    closed = false;
    stays = access(dir.path, F_OK) == 0;
    gc_copies_tidy();
    stays = stays && access(dir.path, F_OK) == 0;
    (void)unlinkat(dir.fd, e.id, 0);
    help_age(dir.path, 7200);
    gc_copies_tidy();
    goes = access(dir.path, F_OK) != 0;
    gc_dir_close(&dir);
    return stays && goes ? 0 : 3;
}

static void
test_copies(void **state)
{
    int status = help_fork(tidy_copies, NULL, 0);

    (void)state;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 77)
        skip_because("needs root to mount a disk");
    assert_int_equal(status, 0);
}

static int
limit_files(void *user)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    const struct rlimit limit = {100, 100};
    GC_AUTO(gc_entry) e = {0};

    (void)user;
    help_request(&e, "vm-1");
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    return gc_store_intent(store, &e, NULL) == GC_E_FAILED
                   && help_names("") == 0
               ? 0
               : 2;
}

/* SIGXFSZ does not end the process. */
static void
test_file_limit(void **state)
{
    (void)state;
    assert_int_equal(help_fork(limit_files, NULL, 0), 0);
}

/* ---- a crowd ---- */

#define CROWD       12
#define TICKETS_MAX 20000

/* The guests, as far as they remember: a ticket by its number. */
static struct {
    atomic_int last, refusals, answers, deaths;
    atomic_char alive[TICKETS_MAX];
} * guests;

static void
guest_release(const struct gc_entry *e)
{
    atomic_store(&guests->alive[help_number(e)], 0);
}

/* As the release of a ticket goes, whoever does it. */
static void
crowd_release(struct gc_store *s, struct gc_entry *e)
{
    gc_status st = gc_store_owed(s, e, NULL);

    if (st == GC_E_NOT_FOUND)
        return;
    if (rand() % 4 == 0) {
        (void)!gc_store_not_released(s, e, NULL);
        return;
    }
    guest_release(e);
    (void)!gc_store_released(s, e, NULL);
}

static void
crowd_acquire(struct gc_store *s)
{
    GC_AUTO(gc_entries) seen = {0};
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    struct gc_ticket_key key;
    char vm[16];
    int luck = rand() % 10, number;

    (void)snprintf(vm, sizeof(vm), "vm-%d", rand() % 3);
    help_request(&e, vm);
    key = help_key(&e);
    if (gc_store_list(s, &key, &seen, NULL) != GC_OK
        || gc_store_intent(s, &e, NULL) != GC_OK)
        return;
    if (luck == 0) {
        (void)!gc_store_nothing(s, &e, NULL);
        return;
    }
    number = atomic_fetch_add(&guests->last, 1) + 1;
    if (number >= TICKETS_MAX)
        _exit(0);
    atomic_store(&guests->alive[number], 1);
    if (luck == 1) {
        (void)!gc_store_lost(s, &e, NULL);
        return;
    }
    help_issue(&e, number);
    if (gc_store_ticket(s, &e, &seen, &earlier, NULL) != GC_OK) {
        guest_release(&e);
        (void)!gc_store_released(s, &e, NULL);
        return;
    }
    atomic_fetch_add(&guests->answers, earlier.id[0] != '\0');
    if (e.state == GC_ENTRY_OWED)
        crowd_release(s, &e);
    else
        for (size_t i = 0; i < seen.count; i++)
            crowd_release(s, &seen.items[i]);
}

static void
crowd_one(struct gc_store *s)
{
    GC_AUTO(gc_entries) all = {0};
    struct gc_entry *e;

    if (gc_store_list(s, NULL, &all, NULL) != GC_OK || all.count == 0)
        return;
    e = &all.items[(size_t)rand() % all.count];
    if (e->ticket.ticket.len == 0)
        return;
    if (rand() % 2 == 0 || e->state == GC_ENTRY_OWED) {
        crowd_release(s, e);
    } else if (atomic_load(&guests->alive[help_number(e)])) {
        ahead += 61;
        (void)!gc_store_used(s, e, NULL);
    } else {
        atomic_fetch_add(&guests->refusals, 1);
        (void)!gc_store_refused(s, e, NULL);
    }
}

/* Do legal steps, until killed in the middle of one or another, but for the
 * first crowd, where nobody is. */
static int
join_crowd(void *user)
{
    const int *seed = user;
    GC_AUTO_PTR(gc_store) store = help_open();

    srand((unsigned)*seed);
    if (*seed >= CROWD) {
        countdown = rand() % 1500 + 1;
        fate = rand() % 2 == 0 ? DIE : DIE_HALFWAY;
    }
    for (int i = 0; i < 60; i++) {
        int what = rand() % 10;

        if (what < 5)
            crowd_acquire(store);
        else if (what < 8)
            crowd_one(store);
        else if (what < 9)
            (void)!gc_store_tidy(store, NULL);
        else
            (void)!keep(store, rand() % 2 == 0, NULL);
    }
    fate = LIVE;
    return help_skips == 0 ? 0 : 1;
}

static void
run_crowd(int seed)
{
    pid_t crowd[CROWD];

    for (int i = 0; i < CROWD; i++) {
        int mine = seed * CROWD + i;

        (void)fflush(NULL);
        crowd[i] = fork();
        assert_true(crowd[i] >= 0);
        if (crowd[i] == 0)
            _exit(join_crowd(&mine));
    }
    for (int i = 0; i < CROWD; i++) {
        int status;

        assert_int_equal(waitpid(crowd[i], &status, 0), crowd[i]);
        if (WIFSIGNALED(status))
            atomic_fetch_add(&guests->deaths, 1);
        else
            assert_int_equal(status, 0);
    }
}

/*
 * Whoever was killed wherever: every ticket that a guest has is in the store,
 * or one that is lost stands for it; and no "ticket" of the store is dead.
 */
static void
check_crowd(void)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entries) all = {0};
    int lost = 0, unknown = 0, last = atomic_load(&guests->last);
    int of_vm[3] = {0};

    help_skips = 0;
    ahead = 3700;
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    assert_int_equal(help_names(".new"), 0);
    assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
    assert_int_equal(help_skips, 0);
    for (size_t i = 0; i < all.count; i++) {
        const struct gc_entry *e = &all.items[i];

        assert_int_not_equal(e->state, GC_ENTRY_INTENT);
        lost += e->state == GC_ENTRY_LOST;
        if (e->state == GC_ENTRY_TICKET) {
            assert_true(atomic_load(&guests->alive[help_number(e)]));
            of_vm[e->ticket.vm[3] - '0']++;
        }
        /* Known now; what is left of the living is not. */
        if (help_number(e) > 0)
            atomic_store(&guests->alive[help_number(e)], 2);
    }
    for (int i = 1; i <= last; i++)
        unknown += atomic_load(&guests->alive[i]) == 1;
    if (unknown > lost)
        fail_msg("%d tickets are unknown, and %d are lost", unknown, lost);
    for (size_t i = 0; i < 3 && atomic_load(&guests->deaths) == 0; i++)
        assert_in_range(of_vm[i], 0, 1);
}

static void
test_crowd(void **state)
{
    (void)state;
    guests = mmap(NULL, sizeof(*guests), PROT_READ | PROT_WRITE,
                  MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_ptr_not_equal(guests, MAP_FAILED);
    for (int seed = 0; seed < 5; seed++) {
        help_end();
        help_begin();
        memset(guests, 0, sizeof(*guests));
        run_crowd(seed);
        check_crowd();
        /* They were in each other's way. */
        assert_true(atomic_load(&guests->answers) > 0);
        assert_true((atomic_load(&guests->deaths) > 0) == (seed > 0));
    }
    (void)munmap(guests, sizeof(*guests));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_killed),    TEST(test_killed_halfway), TEST(test_refused),
        TEST(test_cost),      TEST(test_meanwhile),      TEST(test_wiped),
        TEST(test_disk_full), TEST(test_copies),         TEST(test_file_limit),
        TEST(test_crowd),
    };

    skips_begin();
    done = mmap(NULL, sizeof(*done), PROT_READ | PROT_WRITE,
                MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (done == MAP_FAILED)
        return 1;
    return skips_end(
        cmocka_run_group_tests_name("ticket store steps", tests, NULL, NULL));
}
