/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in a directory: what it keeps, what it refuses to touch, and what
 * twenty processes make of it at once.
 */

#include <config.h>

#include "src/store/store.h"

#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/store/files.h"
#include "tests/unit/skips.h"
#include "tests/unit/store_help.h"

#define NOBODY 65534

#define TENFOLD(s) s s s s s s s s s s
/* As long as a moId may be. */
#define LONGEST TENFOLD("0123456789") "012345678901234567890123456"

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
    help_rmdir();
    return 0;
}

static gc_status
try_open(const char *name, bool create, struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) store = NULL;

    return gc_store_open(name, create, &store, err);
}

static void
test_open(void **state)
{
    struct gc_error err;
    struct stat info;

    (void)state;
    assert_int_equal(try_open(help_name("store"), false, &err), GC_E_NOT_FOUND);
    assert_int_equal(try_open(help_name("store"), true, &err), GC_OK);
    assert_int_equal(stat(help_path("store"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(try_open(help_name("store"), false, &err), GC_OK);
    assert_int_equal(try_open(help_name("store///"), false, &err), GC_OK);
    /* Only the last component is made. */
    assert_int_equal(try_open(help_name("a/b"), true, &err), GC_E_NOT_FOUND);
    assert_int_equal(access(help_path("a"), F_OK), -1);
}

static void
test_umask(void **state)
{
    mode_t before = umask(0777);
    struct stat info;
    char id[GC_STORE_ID_SIZE], path[600];

    (void)state;
    {
        GC_AUTO_PTR(gc_store) store = help_store();

        help_put(store, "vm-1", 1, id);
    }
    (void)umask(before);
    assert_int_equal(stat(help_path("store"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    (void)snprintf(path, sizeof(path), "%s/%s", help_path("store"), id);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(stat(help_path("store/.lock"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    (void)umask(0);
    {
        GC_AUTO_PTR(gc_store) store = help_store();

        help_put(store, "vm-2", 2, id);
        assert_int_equal(help_count(store), 2);
    }
    (void)umask(before);
    assert_int_equal(help_skips, 0);
}

static void
test_names_refused(void **state)
{
    static const char *const names[] = {
        "",
        "/tmp",
        "DIR:",
        "DIR:x",
        "DIR:./x",
        "DIR:/",
        "DIR://",
        "DIR:/tmp/.",
        "DIR:/tmp/..",
        "dir:/tmp",
        "FILE:/tmp/x",
        "KEYRING",
        "KEYRING:",
        "KEYRING:thread",
        "KEYRING:user:",
        "KEYRING:user:a/b",
        "KEYRING::x",
        "KEYRING:session:.x",
    };
    char path[1100] = "DIR:/";
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(names); i++)
        if (try_open(names[i], true, &err) != GC_E_CONFIG)
            fail_msg("not refused: %s", names[i]);
    memset(path + 5, 'x', sizeof(path) - 6);
    assert_int_equal(try_open(path, true, &err), GC_E_CONFIG);
}

/* The directory itself: links, modes, owners, things that are none. */
static void
test_hostile_directory(void **state)
{
    struct gc_error err;

    (void)state;
    assert_int_equal(mkdir(help_path("real"), 0700), 0);
    assert_int_equal(symlink(help_path("real"), help_path("store")), 0);
    assert_int_equal(try_open(help_name("store"), true, &err), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "symbolic link"));
    assert_int_equal(try_open(help_name("store/"), true, &err), GC_E_CONFIG);
    assert_int_equal(unlink(help_path("store")), 0);
    assert_int_equal(symlink("/nonexistent", help_path("store")), 0);
    assert_int_equal(try_open(help_name("store"), true, &err), GC_E_CONFIG);
    assert_int_equal(unlink(help_path("store")), 0);

    help_file("store", "x", 1, 0600);
    assert_int_equal(try_open(help_name("store"), true, &err), GC_E_CONFIG);
    assert_int_equal(unlink(help_path("store")), 0);
    assert_int_equal(mkfifo(help_path("store"), 0600), 0);
    assert_int_equal(try_open(help_name("store"), true, &err), GC_E_CONFIG);
    assert_int_equal(unlink(help_path("store")), 0);

    for (unsigned bit = 1; bit <= 040; bit <<= 1) {
        assert_int_equal(chmod(help_path("real"), 0700 | bit), 0);
        assert_int_equal(try_open(help_name("real"), true, &err), GC_E_CONFIG);
        assert_non_null(strstr(err.hint, "chmod 700"));
    }
    assert_int_equal(chmod(help_path("real"), 0700), 0);
    assert_int_equal(try_open(help_name("real"), true, &err), GC_OK);
    /* Above the last component a link is the user's business. */
    assert_int_equal(mkdir(help_path("real/store"), 0700), 0);
    assert_int_equal(symlink(help_path("real"), help_path("link")), 0);
    assert_int_equal(try_open(help_name("real/."), true, &err), GC_E_CONFIG);
    assert_int_equal(try_open(help_name("real/store/.."), true, &err),
                     GC_E_CONFIG);
    assert_int_equal(try_open(help_name("link/store"), true, &err), GC_OK);
}

static void
test_wrong_owner(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    char id[GC_STORE_ID_SIZE];
    struct gc_error err;

    (void)state;
    if (geteuid() != 0)
        skip_because("only root can give a file away");
    store = help_store();
    help_put(store, "vm-1", 1, NULL);
    help_put(store, "vm-2", 2, id);
    assert_int_equal(chown(help_path("store"), NOBODY, NOBODY), 0);
    assert_int_equal(try_open(help_name("store"), false, &err), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "65534"));
    assert_int_equal(chown(help_path("store"), 0, 0), 0);

    {
        char path[600];

        (void)snprintf(path, sizeof(path), "%s/%s", help_path("store"), id);
        assert_int_equal(chown(path, NOBODY, NOBODY), 0);
    }
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_skips, 1);
    assert_non_null(strstr(help_lines, "65534"));
}

static void
check_same(const struct gc_record *a, const struct gc_record *b)
{
    assert_string_equal(a->url, b->url);
    assert_string_equal(a->ticket.vm, b->ticket.vm);
    assert_string_equal(a->ticket.name, b->ticket.name);
    assert_string_equal(a->ticket.vcenter, b->ticket.vcenter);
    assert_string_equal(a->ticket.principal, b->ticket.principal);
    assert_string_equal(a->ticket.target, b->ticket.target);
    assert_int_equal(a->ticket.mech, b->ticket.mech);
    assert_int_equal(a->ticket.mutual, b->ticket.mutual);
    assert_int_equal(a->ticket.legs, b->ticket.legs);
    assert_int_equal(a->ticket.acquired, b->ticket.acquired);
    assert_int_equal(a->used, b->used);
    assert_string_equal(gc_bytes_text(&a->ticket.ticket),
                        gc_bytes_text(&b->ticket.ticket));
}

static void
test_round_trip(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) found = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct gc_store_key key;
    struct gc_error err;
    struct stat info;
    char path[600];

    (void)state;
    assert_string_equal(gc_store_name(store), help_name("store"));
    help_record(&record, "vm-42", 7);
    record.ticket.mech = GC_MECH_NTLM;
    record.ticket.mutual = true;
    record.ticket.legs = 3;
    record.used = 1800000000;
    key = help_key(&record);
    assert_int_equal(gc_store_find(store, &key, &found, &err), GC_E_NOT_FOUND);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, &err), GC_OK);
    assert_string_equal(earlier.id, "");
    assert_true(gc_store_has(store, record.id));
    assert_int_equal(gc_store_find(store, &key, &found, &err), GC_OK);
    assert_string_equal(found.id, record.id);
    check_same(&found, &record);

    (void)snprintf(path, sizeof(path), "%s/%s", help_path("store"), record.id);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    assert_int_equal(strncmp(record.id, "vm-42.", 6), 0);

    assert_int_equal(gc_store_forget(store, record.id, &err), GC_OK);
    assert_int_equal(gc_store_forget(store, record.id, &err), GC_OK);
    assert_false(gc_store_has(store, record.id));
    assert_int_equal(gc_store_find(store, &key, &found, &err), GC_E_NOT_FOUND);
    assert_int_equal(help_count(store), 0);
    assert_int_equal(help_skips, 0);
}

/* Whatever a VM is called, its record stays in the directory and is found. */
static void
test_moids(void **state)
{
    static const char *const vms[] = {
        "vm-1",  "vm-1.ticket", "../../evil", "/etc/passwd",
        ".",     "..",          "-rf",        "vm-10",
        "tmp.1", ".lock",       "vm 1\n",     "\xc3\xa4\xe2\x82\xac",
        "a.b.c", LONGEST,
    };
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) found = {0};
    struct gc_error err;

    (void)state;
    assert_int_equal(sizeof(LONGEST), GC_TICKET_VM_SIZE);
    for (size_t i = 0; i < GC_COUNT_OF(vms); i++)
        help_put(store, vms[i], (int)i, NULL);
    for (size_t i = 0; i < GC_COUNT_OF(vms); i++) {
        struct gc_store_key key;

        help_record(&record, vms[i], (int)i);
        key = help_key(&record);
        assert_int_equal(gc_store_find(store, &key, &found, &err), GC_OK);
        check_same(&found, &record);
        assert_true(gc_store_has(store, found.id));
    }
    assert_int_equal(help_count(store), GC_COUNT_OF(vms));
    assert_int_equal(help_names("store", ""), GC_COUNT_OF(vms) + 1);
    assert_int_equal(help_names("", ""), 1);
}

/* Looking for one VM's ticket opens no other's. */
static void
test_opens_only_its_own(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) found = {0};
    struct gc_store_key key;

    (void)state;
    help_put(store, "vm-1", 1, NULL);
    help_file("store/vm-2.00.ticket", "torn", 4, 0600);
    help_file("store/vm-11.00.ticket", "torn", 4, 0600);
    help_record(&record, "vm-1", 1);
    key = help_key(&record);
    assert_int_equal(gc_store_find(store, &key, &found, NULL), GC_OK);
    assert_int_equal(help_skips, 0);
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_skips, 2);
}

/* Whatever differs, it is another ticket (decision: all of it is the key). */
static void
test_key(void **state)
{
    GC_AUTO(gc_record) record = {0};
    struct gc_store_key same, key;

    (void)state;
    help_record(&record, "vm-1", 1);
    same = help_key(&record);
    assert_true(gc_record_matches(&record, &same));
    key = same;
    key.url = "https://vcenter.example.test:444";
    assert_false(gc_record_matches(&record, &key));
    key = same;
    key.vcenter = "another";
    assert_false(gc_record_matches(&record, &key));
    key.vcenter = ""; /* not known yet */
    assert_true(gc_record_matches(&record, &key));
    key.url = "https://other.example.test"; /* the uuid would be its word */
    assert_false(gc_record_matches(&record, &key));
    key = same;
    key.vm = "vm-11";
    assert_false(gc_record_matches(&record, &key));
    key = same;
    key.principal = "Alice@EXAMPLE.TEST";
    assert_false(gc_record_matches(&record, &key));
    key = same;
    key.target = "host/guest1.example.test@EXAMPLE.TEST";
    assert_false(gc_record_matches(&record, &key));
    key = same;
    key.mech = GC_MECH_NTLM;
    assert_false(gc_record_matches(&record, &key));
    key = same;
    key.mutual = true;
    assert_false(gc_record_matches(&record, &key));
    record.ticket.vcenter[0] = '\0';
    assert_true(gc_record_matches(&record, &same));
}

static void
test_list_order(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_records) records = {0};

    (void)state;
    help_put(store, "vm-3", 30, NULL);
    help_put(store, "vm-1", 20, NULL);
    help_put(store, "vm-2", 10, NULL);
    help_put(store, "vm-4", 40, NULL);
    assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
    assert_int_equal(records.count, 4);
    assert_string_equal(records.items[0].ticket.vm, "vm-2");
    assert_string_equal(records.items[1].ticket.vm, "vm-1");
    assert_string_equal(records.items[2].ticket.vm, "vm-3");
    assert_string_equal(records.items[3].ticket.vm, "vm-4");
    /* Again, into what is not empty. */
    assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
    assert_int_equal(records.count, 4);
}

/* The newest is found; an equal one makes way only where it is named. */
static void
test_replace(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) first = {0};
    GC_AUTO(gc_record) second = {0};
    GC_AUTO(gc_record) third = {0};
    GC_AUTO(gc_record) earlier = {0};
    GC_AUTO(gc_record) found = {0};
    GC_AUTO(gc_records) seen = {0};
    struct gc_store_key key;
    struct gc_error err;

    (void)state;
    help_record(&first, "vm-1", 1);
    help_record(&second, "vm-1", 2);
    help_record(&third, "vm-1", 3);
    key = help_key(&first);
    assert_int_equal(gc_store_put(store, &first, NULL, &earlier, &err), GC_OK);
    assert_int_equal(gc_store_put(store, &second, NULL, &earlier, &err), GC_OK);
    assert_string_equal(earlier.id, first.id);
    check_same(&earlier, &first);
    assert_string_equal(second.id, "");
    assert_int_equal(help_count(store), 1);

    help_seen(store, first.id, &seen);
    assert_int_equal(gc_store_put(store, &second, &seen, &earlier, &err),
                     GC_OK);
    assert_string_equal(earlier.id, "");
    assert_string_not_equal(second.id, "");
    assert_int_equal(help_count(store), 1);
    assert_int_equal(gc_store_find(store, &key, &found, &err), GC_OK);
    assert_string_equal(found.id, second.id);

    /* Who replaces what another has replaced already came too late. */
    assert_int_equal(gc_store_put(store, &third, &seen, &earlier, &err), GC_OK);
    assert_string_equal(earlier.id, second.id);
    assert_int_equal(help_count(store), 1);
    /* Another principal's is another ticket. */
    (void)snprintf(third.ticket.principal, sizeof(third.ticket.principal),
                   "bob@EXAMPLE.TEST");
    assert_int_equal(gc_store_put(store, &third, NULL, &earlier, &err), GC_OK);
    assert_string_equal(earlier.id, "");
    assert_int_equal(help_count(store), 2);
    /* The newest of two that match. */
    first.ticket.acquired = 1;
    assert_int_equal(gc_store_forget(store, second.id, &err), GC_OK);
    assert_int_equal(gc_store_put(store, &first, NULL, &earlier, &err), GC_OK);
    assert_int_equal(gc_store_find(store, &key, &found, &err), GC_OK);
    assert_int_equal(found.ticket.acquired, 1);
}

static void
test_touch(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_records) records = {0};
    GC_AUTO(gc_record) record = {0};
    struct gc_error err;

    (void)state;
    help_put(store, "vm-1", 1, record.id);
    record.used = 1900000000;
    assert_int_equal(gc_store_touch(store, &record, &err), GC_OK);
    assert_int_equal(gc_store_list(store, &records, &err), GC_OK);
    assert_int_equal(records.items[0].used, 1900000000);
    assert_int_equal(records.items[0].ticket.acquired, 1700000001);
    assert_int_equal(gc_store_forget(store, record.id, &err), GC_OK);
    assert_int_equal(gc_store_touch(store, &record, &err), GC_E_NOT_FOUND);
    assert_int_equal(help_count(store), 0);
}

/* A clock that was wrong, or is: nothing is lost, nothing is out of order. */
static void
test_clock_jumps(void **state)
{
    static const int64_t times[] = {0, 1, 1700000000, 4102444800, 9000000000};
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_records) records = {0};
    GC_AUTO(gc_record) found = {0};
    GC_AUTO(gc_record) earlier = {0};

    (void)state;
    for (size_t i = GC_COUNT_OF(times); i-- > 0;) {
        GC_AUTO(gc_record) record = {0};
        char vm[32];

        (void)snprintf(vm, sizeof(vm), "vm-%zu", i);
        help_record(&record, vm, 0);
        record.ticket.acquired = times[i];
        record.used = times[i];
        assert_int_equal(gc_store_put(store, &record, NULL, &earlier, NULL),
                         GC_OK);
        assert_string_equal(earlier.id, "");
    }
    assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
    assert_int_equal(records.count, GC_COUNT_OF(times));
    for (size_t i = 0; i < GC_COUNT_OF(times); i++) {
        struct gc_store_key key = help_key(&records.items[i]);

        assert_int_equal(records.items[i].ticket.acquired, times[i]);
        assert_int_equal(records.items[i].used, times[i]);
        assert_int_equal(gc_store_find(store, &key, &found, NULL), GC_OK);
        records.items[i].used = (int64_t)time(NULL) - 86400;
        assert_int_equal(gc_store_touch(store, &records.items[i], NULL), GC_OK);
    }
    assert_int_equal(help_skips, 0);
}

/* A record that could not be read again is not written. */
static void
test_unkeepable(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    GC_AUTO(gc_bytes) big = {0};
    struct gc_error err;

    (void)state;
    help_record(&record, "vm-1", 1);
    record.url[0] = '\0';
    assert_int_not_equal(gc_store_put(store, &record, NULL, &earlier, &err),
                         GC_OK);
    help_record(&record, "", 1);
    assert_int_not_equal(gc_store_put(store, &record, NULL, &earlier, &err),
                         GC_OK);
    help_record(&record, "vm-1", 1);
    gc_bytes_clear(&record.ticket.ticket);
    assert_int_not_equal(gc_store_put(store, &record, NULL, &earlier, &err),
                         GC_OK);
    assert_int_equal(gc_bytes_set(&record.ticket.ticket, "a\0b", 3, NULL),
                     GC_OK);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, &err),
                     GC_E_PROTOCOL);
    /* In JSON each of these is six bytes. */
    assert_int_equal(gc_bytes_reserve(&big, GC_TICKET_MAX, NULL), GC_OK);
    memset(big.data, 1, GC_TICKET_MAX);
    big.len = GC_TICKET_MAX;
    gc_bytes_move(&record.ticket.ticket, &big);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, &err),
                     GC_E_FAILED);
    assert_int_equal(help_count(store), 0);
    assert_int_equal(help_names("store", "tmp."), 0);
    /* The largest that there can be is kept. */
    memset(record.ticket.ticket.data, 'x', GC_TICKET_MAX);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, &err), GC_OK);
    assert_int_equal(help_count(store), 1);
}

/* Everything that is not a record of ours is said, skipped and left alone. */
static void
test_hostile_records(void **state)
{
    static const struct {
        const char *text, *why;
    } texts[] = {
        {"", "byte"},
        {"{", "byte"},
        {"null", "version"},
        {"[]", "version"},
        {"{\"version\":2}", "version"},
        {"{\"version\":1}", "url"},
        {"{\"version\":1,\"version\":1}", "twice"},
        {"{\"version\":\"1\"}", "version"},
        {"{\"version\":1,\"url\":\"\"}", "url"},
        {"{\"version\":1,\"url\":7}", "url"},
        {"{\"version\":1,\"url\":\"u\"}", "vm"},
        {"{\"version\":1,\"url\":\"u\",\"vm\":\"v\",\"principal\":\"p\","
         "\"target\":\"t\",\"mechanism\":\"telepathy\",\"mutual\":false,"
         "\"legs\":1,\"acquired\":\"2026-01-01T00:00:00Z\"}",
         "mechanism"},
        {"\xff\xfe", "byte"},
    };
    GC_AUTO_PTR(gc_store) store = help_store();
    char name[64];

    (void)state;
    help_put(store, "vm-1", 1, NULL);
    for (size_t i = 0; i < GC_COUNT_OF(texts); i++) {
        help_forget_skips();
        (void)snprintf(name, sizeof(name), "store/x%zu.ticket", i);
        help_file(name, texts[i].text, strlen(texts[i].text), 0600);
        assert_int_equal(help_count(store), 1);
        assert_int_equal(help_skips, 1);
        if (strstr(help_lines, texts[i].why) == NULL)
            fail_msg("%s: %s", texts[i].text, help_lines);
        assert_int_equal(access(help_path(name), F_OK), 0);
        assert_int_equal(unlink(help_path(name)), 0);
    }
}

/* One kind of file that must not be read, with what must be said of it. */
static void
check_skipped(struct gc_store *store, const char *why)
{
    help_forget_skips();
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_skips, 1);
    if (strstr(help_lines, why) == NULL)
        fail_msg("wanted \"%s\", said: %s", why, help_lines);
    assert_int_equal(access(help_path("store/x.ticket"), F_OK), 0);
    assert_int_equal(remove(help_path("store/x.ticket")), 0);
}

static void
test_hostile_files(void **state)
{
    static char large[GC_STORE_RECORD_MAX + 1];
    GC_AUTO_PTR(gc_store) store = help_store();
    char id[GC_STORE_ID_SIZE], path[600];

    (void)state;
    help_put(store, "vm-1", 1, id);
    (void)snprintf(path, sizeof(path), "%s/%s", help_path("store"), id);

    /* A link to a record that is as good as any. */
    assert_int_equal(rename(path, help_path("good")), 0);
    help_put(store, "vm-1", 1, id);
    assert_int_equal(symlink(help_path("good"), help_path("store/x.ticket")),
                     0);
    check_skipped(store, "symbolic link");
    assert_int_equal(link(help_path("good"), help_path("store/x.ticket")), 0);
    check_skipped(store, "another name");
    for (unsigned bit = 1; bit <= 040; bit <<= 1) {
        help_file("store/x.ticket", "x", 1, 0600 | bit);
        check_skipped(store, "open to others");
    }
    assert_int_equal(mkfifo(help_path("store/x.ticket"), 0600), 0);
    check_skipped(store, "not a regular file");
    assert_int_equal(mkdir(help_path("store/x.ticket"), 0700), 0);
    check_skipped(store, "not a regular file");
    help_file("store/x.ticket", large, sizeof(large), 0600);
    check_skipped(store, "larger than");
    help_file("store/x.ticket", large, sizeof(large) - 1, 0600);
    check_skipped(store, "byte");
    assert_int_equal(access(help_path("good"), F_OK), 0);
}

/* Nothing is read beyond the limit, not even to be refused afterwards. */
static void
test_read_limit(void **state)
{
    GC_AUTO(gc_bytes) buffer = {0};
    int64_t mtime;
    int dir = -1;

    (void)state;
    assert_int_equal(
        gc_files_open(help_path("dir"), GC_FILES_CREATE, &dir, NULL), GC_OK);
    help_file("dir/x", "0123456789", 10, 0600);
    assert_int_equal(gc_files_read(dir, "x", 10, &buffer, &mtime, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&buffer), "0123456789");
    assert_int_equal(gc_files_read(dir, "x", 9, &buffer, &mtime, NULL),
                     GC_E_PROTOCOL);
    assert_int_equal(gc_files_read(dir, "y", 9, &buffer, &mtime, NULL),
                     GC_E_NOT_FOUND);
    (void)close(dir);
}

/* What a stranger calls a file reaches nobody's terminal. */
static void
test_hostile_names(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();

    (void)state;
    help_file("store/\x1b[31m\n\xff.ticket", "x", 1, 0600);
    help_file("store/.hidden.ticket", "x", 1, 0600);
    help_file("store/notes.txt", "x", 1, 0600);
    assert_int_equal(help_count(store), 0);
    assert_int_equal(help_skips, 1);
    assert_null(strchr(help_lines, '\x1b'));
    assert_non_null(strstr(help_lines, "\\x1b[31m\\x0a\\xff.ticket: "));
}

/* Ids come from the ledger, too: none leads out of the directory. */
static void
test_hostile_ids(void **state)
{
    static const char *const ids[] = {
        "", ".", "..", "../good", "/etc/passwd", ".lock", "a/../../good"};
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    struct stat info;

    (void)state;
    help_file("good", "x", 1, 0600);
    assert_int_equal(mkdir(help_path("store/a"), 0700), 0);
    help_put(store, "vm-1", 1, NULL);
    for (size_t i = 0; i < GC_COUNT_OF(ids); i++) {
        assert_false(gc_store_has(store, ids[i]));
        assert_int_equal(gc_store_forget(store, ids[i], NULL), GC_OK);
        (void)snprintf(record.id, sizeof(record.id), "%s", ids[i]);
        record.used = 1;
        assert_int_equal(gc_store_touch(store, &record, NULL), GC_E_NOT_FOUND);
    }
    assert_int_equal(stat(help_path("good"), &info), 0);
    assert_int_not_equal(info.st_mtime, 1);
    assert_int_equal(access(help_path("store/.lock"), F_OK), 0);
}

static void
test_keeps(void **state)
{
    char id[GC_STORE_ID_SIZE];
    GC_AUTO_PTR(gc_store) store = help_store();

    (void)state;
    help_put(store, "vm-1", 1, id);
    assert_true(gc_store_keeps(help_name("store"), id));
    assert_false(gc_store_keeps(help_name("store"), "vm-1.0.ticket"));
    assert_false(gc_store_keeps(help_name("absent"), id));
    assert_int_equal(access(help_path("absent"), F_OK), -1);
    /* What cannot be looked into may keep anything. */
    assert_true(gc_store_keeps("", id));
    assert_int_equal(chmod(help_path("store"), 0755), 0);
    assert_true(gc_store_keeps(help_name("store"), id));
    assert_int_equal(chmod(help_path("store"), 0700), 0);
    help_file("file", "x", 1, 0600);
    assert_true(gc_store_keeps(help_name("file"), id));
    assert_int_equal(gc_store_forget(store, id, NULL), GC_OK);
    assert_false(gc_store_keeps(help_name("store"), id));
}

/* Nor what may be listed but not searched, or not even that. */
static int
keeps_what_it_cannot_see(void *id)
{
    if (!gc_store_keeps(help_name("store"), id))
        return 1;
    if (chmod(help_path("store"), 0) != 0)
        return 2;
    return gc_store_keeps(help_name("store"), id) ? 0 : 3;
}

static void
test_keeps_unseen(void **state)
{
    unsigned uid = geteuid() == 0 ? NOBODY : 0;
    char id[GC_STORE_ID_SIZE];

    (void)state;
    {
        GC_AUTO_PTR(gc_store) store = help_store();

        help_put(store, "vm-1", 1, id);
    }
    if (uid != 0) {
        assert_int_equal(chmod(help_path(""), 0755), 0);
        assert_int_equal(chown(help_path("store"), uid, uid), 0);
    }
    assert_int_equal(chmod(help_path("store"), 0400), 0);
    assert_int_equal(help_fork(keeps_what_it_cannot_see, id, uid), 0);
    assert_int_equal(chmod(help_path("store"), 0700), 0);
}

/* Twins, as two stores merged or an old program left them. */
static void
put_twin(struct gc_store *store, int number, int64_t acquired,
         struct gc_record *ret_record)
{
    GC_AUTO(gc_record) earlier = {0};
    GC_AUTO(gc_records) all = {0};
    char from[600], to[700];

    /* Put under another name and renamed back: the lock lets no second in. */
    help_record(ret_record, "vm-1", number);
    ret_record->ticket.acquired = acquired;
    assert_int_equal(gc_store_list(store, &all, NULL), GC_OK);
    for (size_t i = 0; i < all.count; i++) {
        (void)snprintf(from, sizeof(from), "%s/%s", help_path("store"),
                       all.items[i].id);
        (void)snprintf(to, sizeof(to), "%s.away", from);
        assert_int_equal(rename(from, to), 0);
    }
    assert_int_equal(gc_store_put(store, ret_record, NULL, &earlier, NULL),
                     GC_OK);
    for (size_t i = 0; i < all.count; i++) {
        (void)snprintf(from, sizeof(from), "%s/%s", help_path("store"),
                       all.items[i].id);
        (void)snprintf(to, sizeof(to), "%s.away", from);
        assert_int_equal(rename(to, from), 0);
    }
}

static void
test_find_all(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) young = {0};
    GC_AUTO(gc_record) old = {0};
    GC_AUTO(gc_record) fresh = {0};
    GC_AUTO(gc_record) earlier = {0};
    GC_AUTO(gc_record) found = {0};
    GC_AUTO(gc_records) all = {0};
    GC_AUTO(gc_records) seen = {0};
    char id[GC_STORE_ID_SIZE];
    struct gc_store_key key;

    (void)state;
    help_record(&fresh, "vm-1", 9);
    key = help_key(&fresh);
    assert_int_equal(gc_store_find_all(store, &key, &all, NULL), GC_OK);
    assert_int_equal(all.count, 0);
    put_twin(store, 1, 200, &young);
    put_twin(store, 2, 100, &old);
    help_put(store, "vm-2", 3, NULL);
    assert_int_equal(gc_store_find_all(store, &key, &all, NULL), GC_OK);
    assert_int_equal(all.count, 2);
    assert_string_equal(all.items[0].id, old.id);
    assert_string_equal(all.items[1].id, young.id);

    /* One ticket among them, and one of another string, or of another VM. */
    assert_int_equal(gc_store_find_ticket(store, &young.ticket, &found, NULL),
                     GC_OK);
    assert_string_equal(found.id, young.id);
    assert_int_equal(gc_store_find_ticket(store, &fresh.ticket, &found, NULL),
                     GC_E_NOT_FOUND);
    (void)snprintf(young.ticket.vm, sizeof(young.ticket.vm), "vm-2");
    assert_int_equal(gc_store_find_ticket(store, &young.ticket, &found, NULL),
                     GC_E_NOT_FOUND);

    /* Nor of one whose name only looks the same in a file's. */
    (void)snprintf(young.ticket.vm, sizeof(young.ticket.vm), "vm:3");
    help_put(store, "vm_3", 1, id);
    assert_int_equal(gc_store_find_ticket(store, &young.ticket, &found, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(gc_store_forget(store, id, NULL), GC_OK);

    /* Of two, only one was seen: the other was first, and nothing goes. */
    help_seen(store, old.id, &seen);
    assert_int_equal(gc_store_put(store, &fresh, &seen, &earlier, NULL), GC_OK);
    assert_string_equal(earlier.id, young.id);
    assert_string_equal(fresh.id, "");
    assert_int_equal(help_count(store), 3);
    /* Both: both go, and what was seen but is another's stays. */
    assert_int_equal(gc_store_list(store, &seen, NULL), GC_OK);
    assert_int_equal(seen.count, 3);
    assert_int_equal(gc_store_put(store, &fresh, &seen, &earlier, NULL), GC_OK);
    assert_string_equal(earlier.id, "");
    assert_int_equal(help_count(store), 2);
    assert_int_equal(gc_store_find_all(store, &key, &all, NULL), GC_OK);
    assert_int_equal(all.count, 1);
    assert_string_equal(all.items[0].id, fresh.id);
}

/* Out of descriptors is no reason to give a ticket up. */
static int
keeps_without_descriptors(void *id)
{
    struct rlimit few;

    if (getrlimit(RLIMIT_NOFILE, &few) != 0)
        return 1;
    few.rlim_cur = 50;
    if (setrlimit(RLIMIT_NOFILE, &few) != 0)
        return 1;
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
        continue;
    return gc_store_keeps(help_name("store"), id) ? 0 : 2;
}

static void
test_cannot_tell(void **state)
{
    char id[] = "x.ticket";
    GC_AUTO_PTR(gc_store) store = help_store();

    (void)state;
    assert_non_null(store);
    assert_int_equal(help_fork(keeps_without_descriptors, id, 0), 0);
}

/* Sessions */

static const struct gc_session_facts facts = {
    .release = "8.0.3.0",
    .instance_uuid = UUID,
    .session_manager = "SessionManager",
    .search_index = "SearchIndex",
    .guest_operations_manager = "guestOperationsManager",
};

static void
test_session(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_bytes) id = {0};
    GC_AUTO(gc_bytes) found = {0};
    struct gc_session_facts known = {0}, changed = facts;
    struct gc_error err;

    (void)state;
    assert_int_equal(
        gc_store_get_session(store, URL, "svc", &known, &found, &err),
        GC_E_NOT_FOUND);
    assert_int_equal(gc_bytes_set(&id, SECRET, strlen(SECRET), NULL), GC_OK);
    assert_int_equal(gc_store_put_session(store, URL, "svc", &facts, &id, &err),
                     GC_OK);
    assert_int_equal(
        gc_store_get_session(store, URL, "svc", &known, &found, &err), GC_OK);
    assert_memory_equal(&known, &facts, sizeof(facts));
    assert_string_equal(gc_bytes_text(&found), SECRET);
    assert_int_equal(
        gc_store_get_session(store, URL, "svc2", &known, &found, &err),
        GC_E_NOT_FOUND);
    assert_int_equal(
        gc_store_get_session(store, URL ":444", "svc", &known, &found, &err),
        GC_E_NOT_FOUND);

    /* Newer, without an id: in place of the old one. */
    (void)snprintf(changed.auth_manager, sizeof(changed.auth_manager), "am");
    assert_int_equal(
        gc_store_put_session(store, URL, "svc", &changed, NULL, &err), GC_OK);
    assert_int_equal(
        gc_store_get_session(store, URL, "svc", &known, &found, &err), GC_OK);
    assert_memory_equal(&known, &changed, sizeof(facts));
    assert_int_equal(found.len, 0);
    assert_int_equal(help_names("store", ""), 2);
    /* Sessions are no tickets. */
    assert_int_equal(help_count(store), 0);

    assert_int_equal(
        gc_store_put_session(store, URL, "other", &facts, &id, &err), GC_OK);
    assert_int_equal(gc_store_forget_session(store, URL, "svc", &err), GC_OK);
    assert_int_equal(gc_store_forget_session(store, URL, "svc", &err), GC_OK);
    assert_int_equal(
        gc_store_get_session(store, URL, "svc", &known, &found, &err),
        GC_E_NOT_FOUND);
    assert_int_equal(
        gc_store_get_session(store, URL, "other", &known, &found, &err), GC_OK);
    assert_int_equal(help_skips, 0);
}

static void
test_hostile_session(void **state)
{
    static const char text[] = "{\"version\":1,\"url\":\"" URL
                               "\",\"username\":\"svc\",\"session\":7}";
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_bytes) found = {0};
    struct gc_session_facts known = {0};
    char longer[600];

    (void)state;
    help_file("store/00.session", text, sizeof(text) - 1, 0600);
    help_file("store/01.session", "{", 1, 0600);
    assert_int_equal(
        gc_store_get_session(store, URL, "svc", &known, &found, NULL),
        GC_E_NOT_FOUND);
    assert_int_equal(help_skips, 2);
    memset(longer, 'x', sizeof(longer) - 1);
    longer[sizeof(longer) - 1] = '\0';
    assert_int_equal(
        gc_store_put_session(store, URL, longer, &facts, NULL, NULL),
        GC_E_FAILED);
    assert_int_equal(
        gc_store_put_session(store, longer, "svc", &facts, NULL, NULL),
        GC_E_FAILED);
}

/* Room */

static int
put_beyond_limit(void *user)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    const struct rlimit limit = {300, 300};
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct gc_error err;

    (void)user;
    help_record(&record, "vm-9", 9);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    /* SIGXFSZ has its default, deadly disposition. */
    if (gc_store_put(store, &record, NULL, &earlier, &err) != GC_E_FAILED)
        return 2;
    return record.id[0] == '\0' && strstr(err.message, "too large") != NULL
                   && err.hint[0] != '\0'
               ? 0
               : 3;
}

static void
test_file_size_limit(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();

    (void)state;
    help_put(store, "vm-1", 1, NULL);
    assert_int_equal(help_fork(put_beyond_limit, NULL, 0), 0);
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_names("store", "tmp."), 0);
}

/* A file system of our own with 64 KiB, filled up but for a bit. */
static int
put_on_full_disk(void *user)
{
    static char filler[4096];
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    GC_AUTO(gc_bytes) big = {0};
    GC_AUTO(gc_records) seen = {0};
    char id[GC_STORE_ID_SIZE];
    struct gc_error err;
    int fd;

    (void)user;
    if (unshare(CLONE_NEWNS) != 0
        || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0
        || mount("none", help_path(""), "tmpfs", 0, "size=64k,mode=700") != 0)
        return 77;
    store = help_store();
    help_put(store, "vm-1", 1, id);
    help_seen(store, id, &seen);
    fd = open(help_path("filler"), O_WRONLY | O_CREAT, 0600);
    for (int i = 0; i < 10; i++)
        if (write(fd, filler, sizeof(filler)) != (ssize_t)sizeof(filler))
            return 1;
    /* Part of it fits. */
    help_record(&record, "vm-1", 2);
    if (gc_bytes_reserve(&big, 40000, NULL) != GC_OK)
        return 2;
    memset(big.data, 'x', 40000);
    big.len = 40000;
    gc_bytes_move(&record.ticket.ticket, &big);
    if (gc_store_put(store, &record, &seen, &earlier, &err) != GC_E_FAILED)
        return 3;
    if (help_names("store", "tmp.") != 0 || help_count(store) != 1
        || help_skips != 0 || !gc_store_has(store, id))
        return 4;
    /* Nothing fits. */
    while (write(fd, filler, sizeof(filler)) > 0)
        continue;
    help_record(&record, "vm-1", 2);
    if (gc_store_put(store, &record, &seen, &earlier, &err) != GC_E_FAILED)
        return 5;
    if (help_names("store", "tmp.") != 0 || help_count(store) != 1
        || !gc_store_has(store, id))
        return 6;
    /* What is there can still go, and then there is room again. */
    if (ftruncate(fd, 0) != 0
        || gc_store_put(store, &record, &seen, &earlier, &err) != GC_OK)
        return 7;
    return help_count(store) == 1 && !gc_store_has(store, id) ? 0 : 8;
}

static void
test_full_disk(void **state)
{
    int status = help_fork(put_on_full_disk, NULL, 0);

    (void)state;
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip_because("only root can mount a small file system");
    assert_int_equal(WEXITSTATUS(status), 0);
}

static int
use_read_only(void *user)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct gc_store_key key;
    struct gc_error err;

    help_record(&record, "vm-1", 1);
    key = help_key(&record);
    if (help_count(store) != 1
        || gc_store_find(store, &key, &earlier, &err) != GC_OK)
        return 1;
    gc_record_clear(&earlier);
    if (gc_store_put(store, &record, NULL, &earlier, &err) != GC_E_CONFIG)
        return 2;
    help_record(&record, "vm-2", 2);
    if (gc_store_put(store, &record, NULL, &earlier, &err) != GC_E_CONFIG
        || strstr(err.message, "ermission denied") == NULL)
        return 3;
    if (gc_store_forget(store, user, &err) != GC_E_CONFIG)
        return 4;
    return help_count(store) == 1 && help_skips == 0 ? 0 : 5;
}

static void
test_read_only(void **state)
{
    unsigned uid = geteuid() == 0 ? NOBODY : 0;
    char id[GC_STORE_ID_SIZE], path[600];

    (void)state;
    {
        GC_AUTO_PTR(gc_store) store = help_store();

        help_put(store, "vm-1", 1, id);
    }
    (void)snprintf(path, sizeof(path), "%s/%s", help_path("store"), id);
    assert_int_equal(unlink(help_path("store/.lock")), 0);
    if (uid != 0) {
        assert_int_equal(chmod(help_path(""), 0755), 0);
        assert_int_equal(chown(path, uid, uid), 0);
        assert_int_equal(chown(help_path("store"), uid, uid), 0);
    }
    assert_int_equal(chmod(help_path("store"), 0500), 0);
    assert_int_equal(help_fork(use_read_only, id, uid), 0);
    assert_int_equal(chmod(help_path("store"), 0700), 0);
}

/* Many */

#define RACERS 20

struct race {
    const struct gc_records *seen;
    int go; /* closed by the parent: all start at once */
    int results;
};

struct result {
    int number;
    gc_status st;
    char id[GC_STORE_ID_SIZE];
    char earlier[64];
};

static int
run_racer(const struct race *race, int number)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct result result = {.number = number};
    char c;

    help_record(&record, "vm-1", number);
    if (read(race->go, &c, 1) != 0)
        return 1;
    result.st = gc_store_put(store, &record, race->seen, &earlier, NULL);
    (void)snprintf(result.id, sizeof(result.id), "%s", record.id);
    (void)snprintf(result.earlier, sizeof(result.earlier), "%s",
                   gc_bytes_text(&earlier.ticket.ticket));
    return write(race->results, &result, sizeof(result))
                   == (ssize_t)sizeof(result)
               ? 0
               : 2;
}

/* One wins, all others learn of that very ticket, one record is left. */
static void
run_race(struct gc_store *store, const struct gc_records *seen)
{
    GC_AUTO(gc_records) records = {0};
    struct result results[RACERS];
    struct race race = {.seen = seen};
    int go[2], up[2], winners = 0;
    pid_t racers[RACERS];

    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(up), 0);
    race.go = go[0];
    race.results = up[1];
    for (int i = 0; i < RACERS; i++) {
        racers[i] = fork();
        assert_true(racers[i] >= 0);
        if (racers[i] == 0) {
            (void)close(go[1]);
            help_in_child();
            _exit(run_racer(&race, 100 + i));
        }
    }
    (void)close(go[0]);
    (void)close(up[1]);
    (void)close(go[1]);
    for (int i = 0; i < RACERS; i++)
        assert_int_equal(read(up[0], &results[i], sizeof(results[i])),
                         sizeof(results[i]));
    (void)close(up[0]);
    for (int i = 0; i < RACERS; i++) {
        int status = -1;

        assert_int_equal(waitpid(racers[i], &status, 0), racers[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
    assert_int_equal(records.count, 1);
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(results[i].st, GC_OK);
        if (results[i].id[0] != '\0') {
            winners++;
            assert_string_equal(results[i].id, records.items[0].id);
            assert_string_equal(results[i].earlier, "");
        } else {
            assert_string_equal(results[i].earlier,
                                gc_bytes_text(&records.items[0].ticket.ticket));
        }
    }
    assert_int_equal(winners, 1);
    assert_int_equal(help_names("store", "tmp."), 0);
}

static void
test_race(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_records) records = {0};

    (void)state;
    for (int round = 0; round < 5; round++) {
        run_race(store, NULL);
        assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
        run_race(store, &records);
        assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
        assert_int_equal(gc_store_forget(store, records.items[0].id, NULL),
                         GC_OK);
    }
    assert_int_equal(help_skips, 0);
}

/* Who holds the lock is waited for; who died with it is not. */
static void
test_lock_held(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    struct timespec start, end, nap = {.tv_nsec = 200000000};
    int ready[2], fd;
    pid_t holder;
    char c;

    (void)state;
    help_put(store, "vm-1", 1, NULL);
    assert_int_equal(pipe(ready), 0);
    holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        fd = open(help_path("store/.lock"), O_RDWR);
        if (fd < 0 || flock(fd, LOCK_EX) != 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)nanosleep(&nap, NULL);
        (void)raise(SIGKILL);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    help_put(store, "vm-2", 2, NULL);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true((end.tv_sec - start.tv_sec) * 1000
                    + (end.tv_nsec - start.tv_nsec) / 1000000
                > 100);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

static void
test_hostile_lock(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct stat info;

    (void)state;
    help_record(&record, "vm-1", 1);
    assert_int_equal(symlink(help_path("made"), help_path("store/.lock")), 0);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, NULL),
                     GC_E_CONFIG);
    assert_int_equal(stat(help_path("made"), &info), -1);
    assert_int_equal(unlink(help_path("store/.lock")), 0);
    assert_int_equal(mkfifo(help_path("store/.lock"), 0600), 0);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, NULL),
                     GC_E_CONFIG);
    assert_int_equal(unlink(help_path("store/.lock")), 0);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, NULL), GC_OK);
}

/* More names than a store may have: the first ones are listed, and it is said.
 */
static void
test_too_many(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    char name[64];
    int dir;

    (void)state;
    dir = open(help_path("store"), O_RDONLY | O_DIRECTORY);
    assert_true(dir >= 0);
    for (int i = 0; i < GC_STORE_COUNT_MAX + 5; i++) {
        (void)snprintf(name, sizeof(name), "x%d.ticket", i);
        assert_int_equal(symlinkat("x", dir, name), 0);
    }
    assert_int_equal(help_count(store), 0);
    assert_int_equal(help_skips, GC_STORE_COUNT_MAX + 1);
    help_forget_skips();
    help_put(store, "vm-1", 1, NULL);
    assert_int_equal(help_skips, 0);
    (void)close(dir);
}

/* A directory that is gone is an error and no crash. */
static void
test_directory_gone(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};

    (void)state;
    assert_int_equal(rmdir(help_path("store")), 0);
    assert_int_equal(help_count(store), 0);
    help_record(&record, "vm-1", 1);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, NULL),
                     GC_E_FAILED);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_open),
        TEST(test_umask),
        TEST(test_names_refused),
        TEST(test_hostile_directory),
        TEST(test_wrong_owner),
        TEST(test_round_trip),
        TEST(test_moids),
        TEST(test_opens_only_its_own),
        TEST(test_key),
        TEST(test_list_order),
        TEST(test_replace),
        TEST(test_touch),
        TEST(test_clock_jumps),
        TEST(test_unkeepable),
        TEST(test_hostile_records),
        TEST(test_hostile_files),
        TEST(test_read_limit),
        TEST(test_hostile_names),
        TEST(test_hostile_ids),
        TEST(test_keeps),
        TEST(test_keeps_unseen),
        TEST(test_find_all),
        TEST(test_cannot_tell),
        TEST(test_session),
        TEST(test_hostile_session),
        TEST(test_file_size_limit),
        TEST(test_full_disk),
        TEST(test_read_only),
        TEST(test_race),
        TEST(test_lock_held),
        TEST(test_hostile_lock),
        TEST(test_too_many),
        TEST(test_directory_gone),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("store", tests, NULL, NULL));
}
