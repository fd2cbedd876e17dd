/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ticket store: where it may be, what it reads, each step and what time
 * does.  Kills, full disks and crowds are test_tickets_steps'.
 */

#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "src/base/owner.h"
#include "tests/unit/skips.h"
#include "tests/unit/tickets_help.h"

#define OTHER_UID 12345

static int64_t ahead; /* seconds that the clock is before its time */

time_t __real_time(time_t *ret);
time_t __wrap_time(time_t *ret);
time_t
__wrap_time(time_t *ret)
{
    return __real_time(ret) + (time_t)ahead;
}

static int
setup(void **state)
{
    *state = NULL;
    ahead = 0;
    help_begin();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    help_end();
    return 0;
}

/* ---- where it may be ---- */

static gc_status
try_open(const char *path, gc_store_mode mode, char *why, size_t size)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct gc_error err = {0};
    gc_status st = gc_store_open(path, mode, &store, &err);

    assert_int_equal(st == GC_OK, store != NULL);
    if (why != NULL)
        (void)snprintf(why, size, "%s", err.message);
    return st;
}

static void
test_open(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    const char *path = help_path("a/b/store");
    char slashes[600];
    struct stat info;

    (void)state;
    assert_int_equal(try_open(path, GC_STORE_READ, NULL, 0), GC_E_NOT_FOUND);
    assert_int_not_equal(access(help_path("a"), F_OK), 0);
    assert_int_equal(gc_store_open(path, GC_STORE_CREATE, &store, NULL), GC_OK);
    assert_string_equal(gc_store_path(store), path);
    for (const char *const *at =
             (const char *const[]){"a", "a/b", "a/b/store", NULL};
         *at != NULL; at++) {
        assert_int_equal(stat(help_path(*at), &info), 0);
        assert_int_equal(info.st_mode & 07777, 0700);
    }
    assert_int_equal(try_open(path, GC_STORE_READ, NULL, 0), GC_OK);
    assert_int_equal(try_open(path, GC_STORE_CREATE, NULL, 0), GC_OK);
    (void)snprintf(slashes, sizeof(slashes), "%s//", path);
    assert_int_equal(try_open(slashes, GC_STORE_READ, NULL, 0), GC_OK);
    gc_store_free(NULL);
}

static void
test_not_a_place(void **state)
{
    char why[600], path[600];

    (void)state;
    assert_int_equal(try_open("store", GC_STORE_CREATE, why, sizeof(why)),
                     GC_E_CONFIG);
    assert_non_null(strstr(why, "absolute"));
    assert_int_equal(try_open("", GC_STORE_CREATE, NULL, 0), GC_E_CONFIG);
    assert_int_equal(try_open("/", GC_STORE_CREATE, NULL, 0), GC_E_CONFIG);
    assert_int_equal(try_open("//", GC_STORE_READ, NULL, 0), GC_E_CONFIG);
    assert_int_equal(try_open(help_path(".."), GC_STORE_READ, NULL, 0),
                     GC_E_CONFIG);
    assert_int_equal(try_open(help_path("."), GC_STORE_READ, NULL, 0),
                     GC_E_CONFIG);
    /* A file where the directory should be, or one above it. */
    help_file(help_path("file"), "x", -1, 0600);
    assert_int_equal(
        try_open(help_path("file"), GC_STORE_CREATE, why, sizeof(why)),
        GC_E_CONFIG);
    assert_non_null(strstr(why, "Not a directory"));
    assert_int_equal(try_open(help_path("file/x"), GC_STORE_CREATE, NULL, 0),
                     GC_E_CONFIG);
    /* Open to others. */
    assert_int_equal(mkdir(help_path("open"), 0700), 0);
    for (unsigned bit = 1; bit <= 040; bit *= 2) {
        assert_int_equal(chmod(help_path("open"), 0700 | bit), 0);
        assert_int_equal(
            try_open(help_path("open"), GC_STORE_CREATE, why, sizeof(why)),
            GC_E_CONFIG);
        assert_non_null(strstr(why, "open to others"));
    }
    assert_int_equal(chmod(help_path("open"), 0700), 0);
    assert_int_equal(try_open(help_path("open"), GC_STORE_CREATE, NULL, 0),
                     GC_OK);
    /* A link, and one with a slash behind it. */
    assert_int_equal(symlink("open", help_path("link")), 0);
    assert_int_equal(
        try_open(help_path("link"), GC_STORE_READ, why, sizeof(why)),
        GC_E_CONFIG);
    (void)snprintf(path, sizeof(path), "%s/", help_path("link"));
    assert_int_equal(try_open(path, GC_STORE_READ, NULL, 0), GC_E_CONFIG);
    assert_int_equal(symlink("nowhere", help_path("dangling")), 0);
    assert_int_equal(try_open(help_path("dangling"), GC_STORE_CREATE, NULL, 0),
                     GC_E_CONFIG);
    /* Above the last component links are followed. */
    assert_int_equal(try_open(help_path("link/x"), GC_STORE_CREATE, NULL, 0),
                     GC_OK);
}

static void
test_foreign_directory(void **state)
{
    char why[600];

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root to give a directory away");
    assert_int_equal(mkdir(help_path("theirs"), 0700), 0);
    assert_int_equal(chown(help_path("theirs"), OTHER_UID, OTHER_UID), 0);
    assert_int_equal(
        try_open(help_path("theirs"), GC_STORE_CREATE, why, sizeof(why)),
        GC_E_CONFIG);
    assert_non_null(strstr(why, "belongs to uid 12345"));
}

/* ---- an acquire and a release ---- */

static void
test_acquire(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    GC_AUTO(gc_entry) there = {0};
    char text[4096], mine[32];

    (void)state;
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    assert_true(gc_entry_id_is(e.id));
    help_read(help_in_store(e.id), text, sizeof(text));
    assert_memory_equal(text, "guestcred 1 entry\nstate=intent\nmade=", 34);
    (void)snprintf(mine, sizeof(mine), "\nowner=%ld.", (long)getpid());
    assert_non_null(strstr(text, mine));
    assert_non_null(strstr(text, "\nasked=name:vm-1\n"));
    assert_null(strstr(text, "ticket="));
    assert_int_equal(e.until - e.made, 600);

    help_issue(&e, 1);
    assert_int_equal(gc_store_ticket(store, &e, NULL, &earlier, NULL), GC_OK);
    assert_string_equal(earlier.id, "");
    assert_int_equal(e.state, GC_ENTRY_TICKET);
    assert_int_equal(gc_store_read(store, e.id, &there, NULL), GC_OK);
    assert_true(gc_entry_same_ticket(&e, &there));
    assert_string_equal(there.id, e.id);
    assert_string_equal(there.owner, "");
    assert_int_equal(there.until, there.used + 48 * 3600);
    assert_int_equal(there.made, e.made);
    assert_int_equal(help_names(""), 2); /* and the lock */

    assert_int_equal(gc_store_owed(store, &e, NULL), GC_OK);
    assert_int_equal(e.state, GC_ENTRY_OWED);
    assert_int_equal(help_state(store, e.id), GC_ENTRY_OWED);
    assert_int_equal(gc_store_not_released(store, &e, NULL), GC_OK);
    assert_int_equal(gc_store_read(store, e.id, &there, NULL), GC_OK);
    assert_int_equal(there.tries, 1);
    assert_int_equal(there.until, e.until);
    assert_int_equal(gc_store_released(store, &e, NULL), GC_OK);
    assert_int_equal(help_state(store, e.id), -1);
    assert_int_equal(help_names(""), 1);
    assert_int_equal(help_skips, 0);
}

static void
test_nothing_and_lost(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    char id[GC_ENTRY_ID_SIZE];

    (void)state;
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    memcpy(id, e.id, sizeof(id));
    assert_int_equal(gc_store_nothing(store, &e, NULL), GC_OK);
    assert_string_equal(e.id, "");
    assert_int_equal(help_state(store, id), -1);
    /* The next attempt is another entry. */
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    assert_string_not_equal(e.id, id);
    assert_int_equal(gc_store_lost(store, &e, NULL), GC_OK);
    assert_int_equal(e.state, GC_ENTRY_LOST);
    assert_int_equal(e.until - e.changed, 24 * 3600);
    assert_string_equal(e.owner, "");
    assert_int_equal(help_state(store, e.id), GC_ENTRY_LOST);
    /* Its writer may hear of it after all, whoever called it lost. */
    help_issue(&e, 1);
    assert_int_equal(gc_store_ticket(store, &e, NULL, &earlier, NULL), GC_OK);
    assert_int_equal(help_state(store, e.id), GC_ENTRY_TICKET);
    /* ... and even where it was thrown away. */
    assert_int_equal(unlink(help_in_store(e.id)), 0);
    assert_int_equal(gc_store_ticket(store, &e, NULL, &earlier, NULL), GC_OK);
    assert_int_equal(help_state(store, e.id), GC_ENTRY_TICKET);
    /* What is a ticket is neither nothing nor lost. */
    assert_int_equal(gc_store_lost(store, &e, NULL), GC_E_NOT_FOUND);
    memcpy(id, e.id, sizeof(id));
    assert_int_equal(gc_store_nothing(store, &e, NULL), GC_OK);
    assert_int_equal(help_state(store, id), GC_ENTRY_TICKET);
}

/* The second of two with one key is owed, and the first is the answer. */
static void
test_first_wins(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO_PTR(gc_store) other = help_open();
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    char id[GC_ENTRY_ID_SIZE];

    (void)state;
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    help_put(other, "vm-2", 7, NULL);
    help_put(other, "vm-1", 1, id);
    help_issue(&e, 2);
    assert_int_equal(gc_store_ticket(store, &e, NULL, &earlier, NULL), GC_OK);
    assert_int_equal(e.state, GC_ENTRY_OWED);
    assert_string_equal(earlier.id, id);
    assert_int_equal(help_number(&earlier), 1);
    assert_int_equal(help_state(store, e.id), GC_ENTRY_OWED);
    assert_int_equal(help_state(store, id), GC_ENTRY_TICKET);
    assert_int_equal(help_names(".new"), 0);
    assert_int_equal(help_number(&e), 2);
}

/* What was seen is replaced, and owed. */
static void
test_seen_is_replaced(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entries) seen = {0};
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    char id[GC_ENTRY_ID_SIZE], other[GC_ENTRY_ID_SIZE];

    (void)state;
    help_put(store, "vm-1", 1, id);
    help_put(store, "vm-2", 2, other);
    assert_int_equal(gc_store_list(store, NULL, &seen, NULL), GC_OK);
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    help_issue(&e, 3);
    assert_int_equal(gc_store_ticket(store, &e, &seen, &earlier, NULL), GC_OK);
    assert_string_equal(earlier.id, "");
    assert_int_equal(help_state(store, e.id), GC_ENTRY_TICKET);
    assert_int_equal(help_state(store, id), GC_ENTRY_OWED);
    assert_int_equal(help_state(store, other), GC_ENTRY_TICKET);
}

/* Another login's ticket is no answer and is left alone. */
static void
test_logins_apart(void **state)
{
    static const char *const login = "0123456789abcdef0123456789abcdef";
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entries) seen = {0};
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) earlier = {0};
    char id[GC_ENTRY_ID_SIZE];

    (void)state;
    help_put(store, "vm-1", 1, id);
    for (int with_seen = 0; with_seen < 2; with_seen++) {
        help_request(&e, "vm-1");
        if (with_seen)
            e.uid = 1001;
        else
            memcpy(e.login, login, strlen(login) + 1);
        assert_int_equal(gc_store_list(store, NULL, &seen, NULL), GC_OK);
        assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
        help_issue(&e, 2 + with_seen);
        assert_int_equal(gc_store_ticket(store, &e, with_seen ? &seen : NULL,
                                         &earlier, NULL),
                         GC_OK);
        assert_string_equal(earlier.id, "");
        assert_int_equal(e.state, GC_ENTRY_TICKET);
        assert_int_equal(help_state(store, id), GC_ENTRY_TICKET);
    }
}

static void
test_owed_from_outside(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};

    (void)state;
    help_request(&e, "vm-1");
    help_issue(&e, 1);
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_OK);
    assert_true(gc_entry_id_is(e.id));
    assert_int_equal(help_state(store, e.id), GC_ENTRY_OWED);
    assert_int_equal(e.until - e.made, 48 * 3600);
    assert_int_equal(gc_store_released(store, &e, NULL), GC_OK);
    assert_int_equal(help_count(store), 0);
    /* A try that failed is written down, too. */
    e.id[0] = '\0';
    assert_int_equal(gc_store_not_released(store, &e, NULL), GC_OK);
    assert_int_equal(help_count(store), 1);
    /* Without a ticket there is nothing to owe. */
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_E_INTERNAL);
    assert_string_equal(e.id, "");
    assert_int_equal(help_count(store), 1);
}

/* An intent whose ticket could not be written ends with its release. */
static void
test_released_intent(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};

    (void)state;
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    help_issue(&e, 1);
    assert_int_equal(gc_store_released(store, &e, NULL), GC_OK);
    assert_int_equal(help_count(store), 0);
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    help_issue(&e, 1);
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_OK);
    assert_int_equal(help_state(store, e.id), GC_ENTRY_OWED);
    assert_int_equal(e.until - e.changed, 48 * 3600);
}

/* Nobody touches what is another ticket's by now, or gone. */
static void
test_another_ticket(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) old = {0};
    char id[GC_ENTRY_ID_SIZE];

    (void)state;
    help_put(store, "vm-1", 1, id);
    assert_int_equal(gc_store_read(store, id, &e, NULL), GC_OK);
    assert_int_equal(gc_store_read(store, id, &old, NULL), GC_OK);
    help_issue(&old, 2);
    assert_int_equal(gc_store_owed(store, &old, NULL), GC_E_NOT_FOUND);
    assert_int_equal(old.state, GC_ENTRY_TICKET);
    assert_int_equal(gc_store_released(store, &old, NULL), GC_OK);
    assert_int_equal(gc_store_refused(store, &old, NULL), GC_OK);
    assert_int_equal(gc_store_not_released(store, &old, NULL), GC_OK);
    ahead = 100;
    assert_int_equal(gc_store_used(store, &old, NULL), GC_E_NOT_FOUND);
    assert_int_equal(help_state(store, id), GC_ENTRY_TICKET);
    /* A refusal does not undo that it is owed. */
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_OK);
    e.state = GC_ENTRY_TICKET;
    assert_int_equal(gc_store_refused(store, &e, NULL), GC_OK);
    assert_int_equal(gc_store_used(store, &e, NULL), GC_E_NOT_FOUND);
    assert_int_equal(help_state(store, id), GC_ENTRY_OWED);
    assert_int_equal(unlink(help_in_store(id)), 0);
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_E_NOT_FOUND);
    assert_int_equal(gc_store_released(store, &e, NULL), GC_OK);
    assert_int_equal(gc_store_not_released(store, &e, NULL), GC_OK);
    assert_int_equal(help_count(store), 0);
    assert_int_equal(help_names(".new"), 0);
    /* Ids are no paths. */
    (void)snprintf(e.id, sizeof(e.id), "../file");
    help_file(help_path("file"), "x", -1, 0600);
    assert_int_equal(gc_store_released(store, &e, NULL), GC_OK);
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_E_NOT_FOUND);
    assert_int_equal(access(help_path("file"), F_OK), 0);
    assert_int_equal(help_state(store, "../file"), -1);
}

static void
test_used_and_refused(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    char id[GC_ENTRY_ID_SIZE];
    int64_t used;

    (void)state;
    help_put(store, "vm-1", 1, id);
    assert_int_equal(gc_store_read(store, id, &e, NULL), GC_OK);
    used = e.used;
    ahead = 59;
    assert_int_equal(gc_store_used(store, &e, NULL), GC_OK);
    assert_int_equal(e.used, used);
    ahead = 62;
    assert_int_equal(gc_store_used(store, &e, NULL), GC_OK);
    assert_true(e.used >= used + 62);
    assert_int_equal(e.until, e.used + 48 * 3600);
    gc_entry_clear(&e);
    assert_int_equal(gc_store_read(store, id, &e, NULL), GC_OK);
    assert_true(e.used >= used + 62);
    /* A clock that was set back writes, too. */
    ahead = 0;
    assert_int_equal(gc_store_used(store, &e, NULL), GC_OK);
    assert_true(e.used < used + 60);
    assert_int_equal(gc_store_refused(store, &e, NULL), GC_OK);
    assert_int_equal(help_state(store, id), -1);
}

/* ---- lists ---- */

static void
test_list(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entries) all = {0};
    GC_AUTO(gc_entry) e = {0};
    struct gc_ticket_key key;

    (void)state;
    for (int i = 5; i > 0; i--) {
        char vm[16];

        ahead = 1000 - i * 10;
        (void)snprintf(vm, sizeof(vm), "vm-%d", i);
        help_put(store, vm, i, NULL);
    }
    help_request(&e, "vm-3");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
    assert_int_equal(all.count, 6);
    for (size_t i = 1; i < all.count; i++)
        assert_true(all.items[i - 1].made <= all.items[i].made);
    assert_string_equal(all.items[0].ticket.vm, "vm-5");
    key = help_key(&e);
    assert_int_equal(gc_store_list(store, &key, &all, NULL), GC_OK);
    assert_int_equal(all.count, 1);
    assert_int_equal(help_number(&all.items[0]), 3);
}

/* Names that are no ids are nobody's business, and links lead nowhere. */
static void
test_passed_over(void **state)
{
#define ID(n) "0123456789abcdef0123456789abcd" n
    static const char *const others[] = {ID("000"),
                                         ID(""),
                                         "0123456789ABCDEF0123456789ABCDEF",
                                         "README",
                                         ID("00") ".new",
                                         ".hidden",
                                         "session-0123456789abcdef"};
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    char id[GC_ENTRY_ID_SIZE], text[4096];

    (void)state;
    help_put(store, "vm-1", 1, id);
    help_read(help_in_store(id), text, sizeof(text));
    for (size_t i = 0; i < GC_COUNT_OF(others); i++)
        help_file(help_in_store(others[i]), text, -1, 0600);
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_skips, 0);

    assert_int_equal(symlink(id, help_in_store(ID("01"))), 0);
    assert_int_equal(mkdir(help_in_store(ID("02")), 0700), 0);
    assert_int_equal(mkfifo(help_in_store(ID("03")), 0600), 0);
    help_file(help_in_store(ID("04")), text, -1, 0640);
    help_file(help_in_store(ID("05")), text, -1, 0604);
    help_file(help_in_store(ID("06")), text, (long)strlen(text) - 4, 0600);
    help_file(help_in_store(ID("07")), "", 0, 0600);
    help_file(help_in_store(ID("08")), "\0\0\0\0", 4, 0600);
    help_file(help_in_store(ID("09")), text, -1, 0600);
    assert_int_equal(truncate(help_in_store(ID("09")), GC_ENTRY_MAX + 1), 0);
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_skips, 9);
    for (int i = 1; i < 10; i++) {
        char name[64], start[600];

        help_skips = 0;
        (void)snprintf(name, sizeof(name), ID("0") "%d", i);
        assert_int_equal(gc_store_read(store, name, &e, NULL), GC_E_NOT_FOUND);
        assert_int_equal(help_skips, 1);
        (void)snprintf(start, sizeof(start), "%s: ", help_in_store(name));
        assert_memory_equal(help_line, start, strlen(start));
        assert_null(strstr(help_line, "S3CRET"));
    }
    if (geteuid() == 0) {
        help_file(help_in_store(ID("10")), text, -1, 0600);
        assert_int_equal(chown(help_in_store(ID("10")), OTHER_UID, 0), 0);
        assert_int_equal(gc_store_read(store, ID("10"), &e, NULL),
                         GC_E_NOT_FOUND);
        assert_non_null(strstr(help_line, "belongs to uid 12345"));
    }
    /* None of them is acted on. */
    help_request(&e, "vm-1");
    help_issue(&e, 1);
    (void)snprintf(e.id, sizeof(e.id), ID("04"));
    e.state = GC_ENTRY_TICKET;
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_E_NOT_FOUND);
    assert_int_equal(gc_store_refused(store, &e, NULL), GC_OK);
    assert_int_equal(access(help_in_store(ID("04")), F_OK), 0);
#undef ID
}

static void
test_too_many(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    char text[4096], id[GC_ENTRY_ID_SIZE], name[64];

    (void)state;
    help_put(store, "vm-1", 1, id);
    help_read(help_in_store(id), text, sizeof(text));
    for (int i = 1; i < 10001; i++) {
        (void)snprintf(name, sizeof(name), "%032x", (unsigned)i);
        help_file(help_in_store(name), text, -1, 0600);
    }
    assert_int_equal(help_count(store), 10000);
    assert_int_equal(help_skips, 1);
    assert_non_null(strstr(help_line, "more than 10000"));
    assert_int_equal(unlink(help_in_store(name)), 0);
    help_skips = 0;
    assert_int_equal(help_count(store), 10000);
    assert_int_equal(help_skips, 0);
}

/* ---- time ---- */

/* An entry's text in STATE with these times, by OWNER. */
static void
put_text(const char *id, const char *state, int64_t changed, int64_t until,
         const char *owner)
{
    char text[1024];

    (void)snprintf(text, sizeof(text),
                   "guestcred 1 entry\nstate=%s\nmade=%lld\nchanged=%lld\n"
                   "until=%lld\n%s%s\nurl=" URL "\nvm=vm-1\n%send\n",
                   state, (long long)changed, (long long)changed,
                   (long long)until,
                   owner[0] == '\0' ? "name=x" : "owner=", owner,
                   strcmp(state, "ticket") == 0 || strcmp(state, "owed") == 0
                       ? "ticket=" SECRET "-1\n"
                       : "");
    help_file(help_in_store(id), text, -1, 0600);
}

static int
tell_owner(void *user)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};

    (void)user;
    help_request(&e, "vm-1");
    return gc_store_intent(store, &e, NULL) == GC_OK ? 0 : 1;
}

/* The intent of a process that died is lost; that of a living one stays. */
static void
test_tidy_owner(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entries) all = {0};
    GC_AUTO(gc_entry) e = {0};

    (void)state;
    help_request(&e, "vm-1");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    assert_int_equal(help_fork(tell_owner, NULL, 0), 0);
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    assert_int_equal(help_state(store, e.id), GC_ENTRY_INTENT);
    assert_int_equal(gc_store_list(store, NULL, &all, NULL), GC_OK);
    assert_int_equal(all.count, 2);
    for (size_t i = 0; i < 2; i++)
        if (strcmp(all.items[i].id, e.id) != 0) {
            assert_int_equal(all.items[i].state, GC_ENTRY_LOST);
            assert_string_equal(all.items[i].owner, "");
            assert_int_equal(all.items[i].until - all.items[i].changed,
                             24 * 3600);
        }
    /* The living one, when its handshake cannot be under way any more. */
    ahead = 605;
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    assert_int_equal(help_state(store, e.id), GC_ENTRY_LOST);
    ahead = 605 + 24 * 3600 + 5;
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    assert_int_equal(help_count(store), 0);
}

/* A login's ticket is owed once its host process is dead. */
static void
test_tidy_host(void **state)
{
    static const char *const hosts[] = {
        "", "1.1.00000000-0000-4000-8000-000000000000.1", "nonsense"};
    GC_AUTO_PTR(gc_store) store = help_open();
    char self[GC_OWNER_SIZE];

    (void)state;
    gc_owner_self(self);
    for (size_t i = 0; i <= GC_COUNT_OF(hosts); i++) {
        GC_AUTO(gc_entry) e = {0};
        GC_AUTO(gc_entry) earlier = {0};

        help_request(&e, "vm-1");
        (void)snprintf(e.login, sizeof(e.login), "%032zu", i);
        (void)snprintf(e.host, sizeof(e.host), "%s",
                       i < GC_COUNT_OF(hosts) ? hosts[i] : self);
        assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
        help_issue(&e, (int)i + 1);
        assert_int_equal(gc_store_ticket(store, &e, NULL, &earlier, NULL),
                         GC_OK);
        assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
        assert_int_equal(help_state(store, e.id),
                         i == 1 ? GC_ENTRY_OWED : GC_ENTRY_TICKET);
    }
}

static void
test_tidy_time(void **state)
{
    static const char *const owners[] = {
        /* another boot: dead; nonsense and another namespace: not known */
        "1.1.00000000-0000-4000-8000-000000000000.1", "1.2", "../../x"};
    GC_AUTO_PTR(gc_store) store = help_open();
    const int64_t now = (int64_t)time(NULL), day = 24 * 3600;
    char id[64];

    (void)state;
    for (int i = 0; i < 3; i++) {
        (void)snprintf(id, sizeof(id), "%031x%d", 0, i);
        put_text(id, "intent", now, now + 600, owners[i]);
    }
    /* Past its time by less and by more than a ticket's life. */
    put_text("00000000000000000000000000000003", "intent", now - 700, now - 100,
             owners[1]);
    put_text("00000000000000000000000000000004", "intent", now - 3 * day,
             now - 2 * day, owners[0]);
    put_text("00000000000000000000000000000005", "ticket", now - 3 * day,
             now - 1, "");
    put_text("00000000000000000000000000000006", "owed", now - 3 * day, now - 1,
             "");
    put_text("00000000000000000000000000000007", "lost", now - 3 * day, now - 1,
             "");
    put_text("00000000000000000000000000000008", "ticket", now - 3 * day,
             now + 100, "");
    put_text("00000000000000000000000000000009", "owed", now, 253402300799, "");
    assert_int_equal(help_count(store), 10);
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    for (int i = 0; i < 10; i++) {
        static const int want[] = {GC_ENTRY_LOST,
                                   GC_ENTRY_INTENT,
                                   GC_ENTRY_INTENT,
                                   GC_ENTRY_LOST,
                                   -1,
                                   -1,
                                   -1,
                                   -1,
                                   GC_ENTRY_TICKET,
                                   GC_ENTRY_OWED};

        (void)snprintf(id, sizeof(id), "%031x%d", 0, i);
        if (help_state(store, id) != want[i])
            fail_msg("%d", i);
    }
    assert_int_equal(help_skips, 0);
    assert_int_equal(help_names(".new"), 0);
}

/* What we left torn goes; what others wrote never does. */
static void
test_tidy_torn(void **state)
{
    static const char zeros[5000], late[5000] = {[4999] = 'x'};
    static const struct {
        const char *name, *text;
        long len, age;
        bool goes;
    } files[] = {
        {"00000000000000000000000000000000.new", "", 0, 3700, true},
        {"00000000000000000000000000000001.new", "guestcred 1 entry\nst", -1,
         3700, true},
        {"00000000000000000000000000000002.new", "guest", -1, 3700, true},
        {"00000000000000000000000000000003.new", "\0\0\0", 3, 3700, true},
        {"00000000000000000000000000000004.new", "", 0, 3500, false},
        {"00000000000000000000000000000005.new", "{}", -1, 9999999, false},
        {"0000000000000000000000000000006.new", "", 0, 9999999, false},
        {"0000000000000000000000000000000x.new", "", 0, 9999999, false},
        {"00000000000000000000000000000000", "", 0, 173000, true},
        {"00000000000000000000000000000001", "guestcred 1 entry\nst", -1,
         173000, true},
        {"00000000000000000000000000000002", "guestcred 2 entry\nend\n", -1,
         173000, true},
        {"00000000000000000000000000000003", "guestcred 1 entry\nst", -1,
         172000, false},
        {"00000000000000000000000000000004", "somebody's", -1, 9999999, false},
        {"00000000000000000000000000000005", "\0\0\0somebody's", 13, 9999999,
         false},
        {"00000000000000000000000000000006", zeros, sizeof(zeros), 173000,
         true},
        {"00000000000000000000000000000007", late, sizeof(late), 9999999,
         false},
        {"lock", "", 0, 9999999, false},
        {"session-0000000000000000", "", 0, 9999999, false},
    };
    GC_AUTO_PTR(gc_store) store = help_open();

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(files); i++) {
        help_file(help_in_store(files[i].name), files[i].text, files[i].len,
                  0600);
        help_age(help_in_store(files[i].name), files[i].age);
    }
    assert_int_equal(
        symlink("lock", help_in_store("0000000000000000000000000000000a")), 0);
    help_age(help_in_store("0000000000000000000000000000000a"), 9999999);
    assert_int_equal(gc_store_tidy(store, NULL), GC_OK);
    for (size_t i = 0; i < GC_COUNT_OF(files); i++)
        if ((access(help_in_store(files[i].name), F_OK) != 0) != files[i].goes)
            fail_msg("%s", files[i].name);
    assert_int_equal(
        access(help_in_store("0000000000000000000000000000000a"), F_OK), 0);
    assert_int_equal(help_skips, 0);
}

/* ---- the lock ---- */

static void
test_lock(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) e = {0};
    struct gc_error err;
    char id[GC_ENTRY_ID_SIZE];
    int64_t start = gc_clock_now();
    int fd;

    (void)state;
    help_put(store, "vm-1", 1, id);
    assert_int_equal(gc_store_read(store, id, &e, NULL), GC_OK);
    fd = open(help_in_store("lock"), O_RDWR | O_CLOEXEC);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    assert_int_equal(gc_store_owed(store, &e, &err), GC_E_BUSY);
    assert_in_range(gc_clock_now() - start, 2900, 30000);
    assert_int_equal(help_names(".new"), 0);
    assert_int_equal(e.state, GC_ENTRY_TICKET);
    /* To look needs none, nor to begin. */
    assert_int_equal(help_count(store), 1);
    help_request(&e, "vm-2");
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    /* ... nor to remove what one began. */
    assert_int_equal(gc_store_nothing(store, &e, NULL), GC_OK);
    assert_int_equal(help_count(store), 1);
    assert_int_equal(gc_store_intent(store, &e, NULL), GC_OK);
    /* A lock that was removed locks nobody out. */
    assert_int_equal(unlink(help_in_store("lock")), 0);
    assert_int_equal(gc_store_lost(store, &e, NULL), GC_OK);
    assert_int_equal(access(help_in_store("lock"), F_OK), 0);
    (void)close(fd);
    /* It is a file of this user's. */
    assert_int_equal(unlink(help_in_store("lock")), 0);
    assert_int_equal(symlink("/dev/null", help_in_store("lock")), 0);
    gc_store_free(store);
    store = help_open();
    assert_int_equal(gc_store_read(store, id, &e, NULL), GC_OK);
    assert_int_equal(gc_store_owed(store, &e, NULL), GC_E_CONFIG);
}

/* ---- sessions ---- */

static void
fill_session(struct gc_kept_session *kept)
{
    gc_kept_session_clear(kept);
    (void)snprintf(kept->url, sizeof(kept->url), URL);
    (void)snprintf(kept->username, sizeof(kept->username), "svc@vsphere.local");
    (void)snprintf(kept->facts.release, sizeof(kept->facts.release), "8.0.3.0");
    (void)snprintf(kept->facts.auth_manager, sizeof(kept->facts.auth_manager),
                   "guestOperationsAuthManager");
    assert_int_equal(gc_bytes_set(&kept->id, SECRET, strlen(SECRET), NULL),
                     GC_OK);
}

static void
test_session(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_kept_session) kept = {0};
    GC_AUTO(gc_kept_session) there = {0};

    (void)state;
    fill_session(&kept);
    assert_int_equal(
        gc_store_session(store, kept.url, kept.username, &there, NULL),
        GC_E_NOT_FOUND);
    assert_int_equal(gc_store_keep_session(store, &kept, NULL), GC_OK);
    assert_int_equal(
        gc_store_session(store, kept.url, kept.username, &there, NULL), GC_OK);
    assert_string_equal(there.facts.release, "8.0.3.0");
    assert_string_equal(there.facts.auth_manager, "guestOperationsAuthManager");
    assert_string_equal(gc_bytes_text(&there.id), SECRET);
    assert_int_equal(there.refused, 0);
    /* Others' is not ours. */
    assert_int_equal(gc_store_session(store, kept.url, "svc", &there, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(
        gc_store_session(store, "https://x", kept.username, &there, NULL),
        GC_E_NOT_FOUND);
    /* A refusal in its place. */
    gc_bytes_clear(&kept.id);
    kept.refused = 1700000000;
    kept.password = (struct gc_password_identity){1, -2, 3, 4, 5, 6, 7};
    assert_int_equal(gc_store_keep_session(store, &kept, NULL), GC_OK);
    assert_int_equal(
        gc_store_session(store, kept.url, kept.username, &there, NULL), GC_OK);
    assert_int_equal(there.id.len, 0);
    assert_int_equal(there.refused, 1700000000);
    assert_memory_equal(&there.password, &kept.password, sizeof(kept.password));
    assert_int_equal(help_names(""), 1);
    assert_int_equal(
        gc_store_forget_session(store, kept.url, kept.username, NULL), GC_OK);
    assert_int_equal(
        gc_store_forget_session(store, kept.url, kept.username, NULL), GC_OK);
    assert_int_equal(help_names(""), 0);
    assert_int_equal(help_skips, 0);
}

static void
test_session_hostile(void **state)
{
    static const char *const texts[] = {
        "",
        "guestcred 1 session\n",
        "guestcred 1 entry\nend\n",
        "guestcred 1 session\nurl=" URL "\nusername=svc@vsphere.local\n"
        "refused=-1\nend\n",
        "guestcred 1 session\nurl=https://other\nusername=svc@vsphere.local\n"
        "session=" SECRET "\nend\n",
        "guestcred 1 session\nurl=" URL "\nusername=svc\nend\n"};
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_kept_session) kept = {0};
    GC_AUTO(gc_kept_session) there = {0};
    /* FNV-1a of URL, a newline and the name. */
    const char *path = help_in_store("session-fcfd2e72b753f063");

    (void)state;
    fill_session(&kept);
    assert_int_equal(gc_store_keep_session(store, &kept, NULL), GC_OK);
    assert_int_equal(access(path, F_OK), 0);
    for (size_t i = 0; i < GC_COUNT_OF(texts); i++) {
        help_file(path, texts[i], -1, 0600);
        help_skips = 0;
        assert_int_equal(
            gc_store_session(store, kept.url, kept.username, &there, NULL),
            GC_E_NOT_FOUND);
        /* Another's is not torn. */
        assert_int_equal(help_skips, i < 4 ? 1 : 0);
    }
    assert_int_equal(gc_store_keep_session(store, &kept, NULL), GC_OK);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(
        gc_store_session(store, kept.url, kept.username, &there, NULL),
        GC_E_NOT_FOUND);
    assert_non_null(strstr(help_line, "others may read it"));
    (void)unlink(path);
    assert_int_equal(symlink("/etc/passwd", path), 0);
    assert_int_equal(
        gc_store_session(store, kept.url, kept.username, &there, NULL),
        GC_E_NOT_FOUND);
    assert_int_equal(gc_store_keep_session(store, &kept, NULL), GC_OK);
    assert_int_equal(
        gc_store_session(store, kept.url, kept.username, &there, NULL), GC_OK);
}

static void
test_login_lock(void **state)
{
    GC_AUTO_PTR(gc_store) a = help_open();
    GC_AUTO_PTR(gc_store) b = help_open();
    int64_t start = gc_clock_now();
    bool waited = true;
    int ends[2];

    (void)state;
    assert_int_equal(
        gc_store_login_begin(a, URL, "u", start + 100, -1, &waited, NULL),
        GC_OK);
    assert_false(waited);
    /* Another user's is another lock; the same store has one at a time. */
    assert_int_equal(
        gc_store_login_begin(b, URL, "v", start + 100, -1, &waited, NULL),
        GC_OK);
    assert_false(waited);
    assert_int_equal(
        gc_store_login_begin(b, URL, "u", start + 100, -1, &waited, NULL),
        GC_E_INTERNAL);
    gc_store_login_end(b);
    gc_store_login_end(b);
    assert_int_equal(gc_store_login_begin(b, URL, "u", gc_clock_now() + 200, -1,
                                          &waited, NULL),
                     GC_E_BUSY);
    assert_in_range(gc_clock_now() - start, 150, 30000);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], "x", 1), 1);
    assert_int_equal(gc_store_login_begin(b, URL, "u", gc_clock_now() + 60000,
                                          ends[0], &waited, NULL),
                     GC_E_CANCELED);
    (void)close(ends[0]);
    (void)close(ends[1]);
    /* A store that is freed has no login under way. */
    gc_store_free(GC_TAKE(a));
    assert_int_equal(gc_store_login_begin(b, URL, "u", gc_clock_now() + 100, -1,
                                          &waited, NULL),
                     GC_OK);
    assert_false(waited);
}

static int
hold_login(void *user)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    const int *fd = user;
    bool waited;

    if (gc_store_login_begin(store, URL, "u", gc_clock_now() + 100, -1, &waited,
                             NULL)
        != GC_OK)
        return 1;
    (void)!write(*fd, "x", 1);
    (void)usleep(200000);
    return 0;
}

/* One that waits gets it, and knows, also where the first one died. */
static void
test_login_waits(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    bool waited = false;
    int ends[2], status;
    char byte;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(hold_login(&ends[1]));
    assert_int_equal(read(ends[0], &byte, 1), 1);
    assert_int_equal(gc_store_login_begin(store, URL, "u",
                                          gc_clock_now() + 20000, -1, &waited,
                                          NULL),
                     GC_OK);
    assert_true(waited);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    (void)close(ends[0]);
    (void)close(ends[1]);
}

/* ---- a login's tickets ---- */

/* Let UID read PATH by an ACL, as a login does.  False: no ACLs here. */
static bool
grant(const char *path, unsigned uid, unsigned perm)
{
    const struct {
        uint32_t version;
        struct {
            uint16_t tag, perm;
            uint32_t id;
        } entries[5];
    } acl = {2,
             {{0x01, 6 | (perm & 1), UINT32_MAX},
              {0x02, (uint16_t)perm, uid},
              {0x04, 0, UINT32_MAX},
              {0x10, (uint16_t)perm, UINT32_MAX},
              {0x20, 0, UINT32_MAX}}};

    return setxattr(path, "system.posix_acl_access", &acl, sizeof(acl), 0) == 0;
}

static int
read_login(void *user)
{
    const int *want = user;
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_entries) all = {0};
    GC_AUTO(gc_kept_session) kept = {0};
    GC_AUTO(gc_entry) e = {0};
    struct gc_error err;
    gc_status st =
        gc_store_open(help_path("store"), GC_STORE_LOGIN, &store, &err);

    if (st != GC_OK)
        return *want < 0 ? 0 : 10;
    if (gc_store_list(store, NULL, &all, NULL) != GC_OK)
        return 11;
    if ((int)all.count != *want)
        return 12;
    if (*want != 1)
        return 0;
    /* Nothing is written there, whatever the modes would let us. */
    gc_entry_move(&e, &all.items[0]);
    if (help_number(&e) != 1 || gc_store_owed(store, &e, NULL) != GC_E_CONFIG
        || gc_store_refused(store, &e, NULL) != GC_E_CONFIG
        || gc_store_intent(store, &e, NULL) != GC_E_CONFIG
        || gc_store_keep_session(store, &kept, NULL) != GC_E_CONFIG
        || gc_store_forget_session(store, URL, "u", NULL) != GC_E_CONFIG)
        return 13;
    return 0;
}

static void
expect_login(int want, unsigned uid)
{
    int status = help_fork(read_login, &want, uid);

    if (status != 0)
        fail_msg("want %d: %d", want, WEXITSTATUS(status));
}

static void
test_login_copies(void **state)
{
    char mine[GC_ENTRY_ID_SIZE], theirs[GC_ENTRY_ID_SIZE], text[4096],
        *at = NULL;

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root to write a login's tickets");
    {
        GC_AUTO_PTR(gc_store) store = help_open();

        help_put(store, "vm-1", 1, mine);
        help_put(store, "vm-2", 2, theirs);
    }
    /* Whose it is stands in it. */
    help_read(help_in_store(mine), text, sizeof(text));
    at = strstr(text, "url=");
    assert_non_null(at);
    memmove(at + 10, at, strlen(at) + 1);
    memcpy(at, "uid=12345\n", 10);
    help_file(help_in_store(mine), text, -1, 0640);
    assert_int_equal(chmod(help_in_store(theirs), 0640), 0);
    assert_int_equal(chmod(help_path(""), 0711), 0);
    expect_login(-1, OTHER_UID); /* closed to us */
    assert_int_equal(chown(help_path("store"), 0, OTHER_UID), 0);
    assert_int_equal(chown(help_in_store(mine), 0, OTHER_UID), 0);
    assert_int_equal(chown(help_in_store(theirs), 0, OTHER_UID), 0);
    assert_int_equal(chmod(help_path("store"), 0750), 0);
    expect_login(1, OTHER_UID);
    /* Where others write or read, anything may stand. */
    assert_int_equal(chmod(help_path("store"), 0770), 0);
    expect_login(-1, OTHER_UID);
    assert_int_equal(chmod(help_path("store"), 0755), 0);
    expect_login(-1, OTHER_UID);
    assert_int_equal(chmod(help_path("store"), 0750), 0);
    assert_int_equal(chmod(help_in_store(mine), 0660), 0);
    expect_login(0, OTHER_UID);
    assert_int_equal(chmod(help_in_store(mine), 0640), 0);
    assert_int_equal(chown(help_in_store(mine), OTHER_UID, 0), 0);
    expect_login(0, OTHER_UID);
    assert_int_equal(chown(help_path("store"), OTHER_UID, 0), 0);
    expect_login(-1, OTHER_UID);
    /* The way a login does it. */
    assert_int_equal(chown(help_path("store"), 0, 0), 0);
    assert_int_equal(chown(help_in_store(mine), 0, 0), 0);
    if (!grant(help_path("store"), OTHER_UID, 5)
        || !grant(help_in_store(mine), OTHER_UID, 4))
        return;
    expect_login(1, OTHER_UID);
    expect_login(-1, OTHER_UID + 1);
    assert_true(grant(help_path("store"), OTHER_UID, 7));
    expect_login(-1, OTHER_UID);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_open),
        TEST(test_not_a_place),
        TEST(test_foreign_directory),
        TEST(test_acquire),
        TEST(test_nothing_and_lost),
        TEST(test_first_wins),
        TEST(test_seen_is_replaced),
        TEST(test_logins_apart),
        TEST(test_owed_from_outside),
        TEST(test_released_intent),
        TEST(test_another_ticket),
        TEST(test_used_and_refused),
        TEST(test_list),
        TEST(test_passed_over),
        TEST(test_too_many),
        TEST(test_tidy_owner),
        TEST(test_tidy_host),
        TEST(test_tidy_time),
        TEST(test_tidy_torn),
        TEST(test_lock),
        TEST(test_session),
        TEST(test_session_hostile),
        TEST(test_login_lock),
        TEST(test_login_waits),
        TEST(test_login_copies),
    };

    skips_begin();
    return skips_end(
        cmocka_run_group_tests_name("ticket store", tests, NULL, NULL));
}
