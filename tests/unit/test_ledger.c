/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ledger: what is written is there, what is settled is not, who still needs
 * a ticket, and what a stranger may put between.
 */

#include <config.h>

#include "src/base/clock.h"
#include "src/ledger.h"
#include "src/store/atomic.h"

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/skips.h"
#include "tests/unit/store_help.h"

#define NOBODY      65534
#define TRANSACTION "0123456789abcdef0123456789abcdef"

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

static struct gc_ledger *
open_ledger(void)
{
    struct gc_ledger *ledger = NULL;
    struct gc_error err;

    if (gc_ledger_open(help_path("ledger"), geteuid(), &ledger, &err) != GC_OK)
        fail_msg("%s", err.message);
    gc_ledger_on_skip(ledger, help_skipped, NULL);
    return ledger;
}

static gc_status
try_open(const char *sub, struct gc_error *err)
{
    GC_AUTO_PTR(gc_ledger) ledger = NULL;

    return gc_ledger_open(help_path(sub), geteuid(), &ledger, err);
}

static void
fill(struct gc_entry *entry, gc_owed state, int number)
{
    GC_AUTO(gc_record) record = {0};

    gc_entry_clear(entry);
    help_record(&record, "vm-1", number);
    gc_ticket_move(&entry->ticket, &record.ticket);
    (void)snprintf(entry->url, sizeof(entry->url), "%s", URL);
    (void)snprintf(entry->store, sizeof(entry->store), "%s",
                   help_name("store"));
    (void)snprintf(entry->record, sizeof(entry->record), "vm-1.00.ticket");
    entry->state = state;
    entry->uid = geteuid();
    entry->written = 1700000000 + number;
    entry->tries = number;
    gc_process_self(&entry->process);
}

static void
check_same(const struct gc_entry *a, const struct gc_entry *b)
{
    assert_string_equal(a->id, b->id);
    assert_int_equal(a->state, b->state);
    assert_int_equal(a->uid, b->uid);
    assert_string_equal(a->url, b->url);
    assert_string_equal(a->store, b->store);
    assert_string_equal(a->record, b->record);
    assert_memory_equal(&a->process, &b->process, sizeof(a->process));
    assert_string_equal(a->transaction, b->transaction);
    assert_int_equal(a->written, b->written);
    assert_int_equal(a->tries, b->tries);
    assert_string_equal(a->ticket.vm, b->ticket.vm);
    assert_string_equal(a->ticket.name, b->ticket.name);
    assert_string_equal(a->ticket.vcenter, b->ticket.vcenter);
    assert_string_equal(a->ticket.principal, b->ticket.principal);
    assert_string_equal(a->ticket.target, b->ticket.target);
    assert_int_equal(a->ticket.mech, b->ticket.mech);
    assert_int_equal(a->ticket.mutual, b->ticket.mutual);
}

static void
test_open(void **state)
{
    struct gc_error err;
    struct stat info;

    (void)state;
    /* A home without .local/state: all of it is made, closed to others. */
    assert_int_equal(try_open("home/.local/state/guestcred", &err), GC_OK);
    assert_int_equal(stat(help_path("home"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(stat(help_path("home/.local/state"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(stat(help_path("home/.local/state/guestcred"), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    assert_int_equal(try_open("home/.local/state/guestcred/", &err), GC_OK);

    assert_int_equal(chmod(help_path("home/.local/state/guestcred"), 0750), 0);
    assert_int_equal(try_open("home/.local/state/guestcred", &err),
                     GC_E_CONFIG);
    assert_int_equal(symlink(help_path("home"), help_path("ledger")), 0);
    assert_int_equal(try_open("ledger", &err), GC_E_CONFIG);
    help_file("file", "x", 1, 0600);
    assert_int_equal(try_open("file", &err), GC_E_CONFIG);
    assert_int_equal(try_open("file/ledger", &err), GC_E_CONFIG);
    {
        GC_AUTO_PTR(gc_ledger) ledger = NULL;

        assert_int_equal(gc_ledger_open("state", geteuid(), &ledger, &err),
                         GC_E_CONFIG);
        assert_int_equal(gc_ledger_open("", geteuid(), &ledger, &err),
                         GC_E_CONFIG);
    }
    if (geteuid() == 0) {
        assert_int_equal(mkdir(help_path("theirs"), 0700), 0);
        assert_int_equal(chown(help_path("theirs"), NOBODY, NOBODY), 0);
        assert_int_equal(try_open("theirs", &err), GC_E_CONFIG);
    }
}

/* Through its states: one file, one entry, always the latest. */
static void
test_life(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error err;
    struct stat info;
    char path[600];

    (void)state;
    fill(&entry, GC_OWED_INTENT, 1);
    for (int i = 0; i <= (int)GC_OWED_RELEASE; i++) {
        GC_AUTO(gc_entries) entries = {0};

        entry.state = (gc_owed)i;
        assert_int_equal(gc_ledger_write(ledger, &entry, &err), GC_OK);
        assert_int_equal(gc_ledger_list(ledger, &entries, &err), GC_OK);
        assert_int_equal(entries.count, 1);
        check_same(&entries.items[0], &entry);
        /* An intent has no ticket yet, whatever is in its place. */
        assert_string_equal(gc_bytes_text(&entries.items[0].ticket.ticket),
                            i < (int)GC_OWED_TICKET ? "" : SECRET "-1");
    }
    (void)snprintf(path, sizeof(path), "%s/%s", help_path("ledger"), entry.id);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 07777, 0600);
    /* And the lock. */
    assert_int_equal(help_names("ledger", ""), 2);
    assert_non_null(strstr(entry.id, ".owed"));

    assert_int_equal(gc_ledger_settle(ledger, entry.id, &err), GC_OK);
    assert_int_equal(gc_ledger_settle(ledger, entry.id, &err), GC_OK);
    assert_int_equal(help_names("ledger", ""), 1);
    assert_int_equal(help_skips, 0);
}

/* What is known before the first leg may be little. */
static void
test_bare_intent(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    GC_AUTO(gc_entry) entry = {0};

    (void)state;
    (void)snprintf(entry.url, sizeof(entry.url), "%s", URL);
    (void)snprintf(entry.ticket.vm, sizeof(entry.ticket.vm), "vm-1");
    entry.uid = geteuid();
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 1);
    check_same(&entries.items[0], &entry);
}

static void
test_order_and_find(void **state)
{
    static const int numbers[] = {30, 10, 40, 20};
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) found = {0};
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(numbers); i++) {
        GC_AUTO(gc_entry) one = {0};

        fill(&one, GC_OWED_TICKET, numbers[i]);
        assert_int_equal(gc_ledger_write(ledger, &one, &err), GC_OK);
    }
    assert_int_equal(gc_ledger_list(ledger, &entries, &err), GC_OK);
    assert_int_equal(entries.count, 4);
    for (size_t i = 0; i < entries.count; i++)
        assert_int_equal(entries.items[i].tries, 10 * (i + 1));

    fill(&entry, GC_OWED_TICKET, 20);
    assert_int_equal(gc_ledger_find(ledger, &entry.ticket, &found, &err),
                     GC_OK);
    assert_int_equal(found.tries, 20);
    /* The same string in another VM is another ticket. */
    (void)snprintf(entry.ticket.vm, sizeof(entry.ticket.vm), "vm-2");
    assert_int_equal(gc_ledger_find(ledger, &entry.ticket, &found, &err),
                     GC_E_NOT_FOUND);
    fill(&entry, GC_OWED_TICKET, 21);
    assert_int_equal(gc_ledger_find(ledger, &entry.ticket, &found, &err),
                     GC_E_NOT_FOUND);
    /* And nothing is not what an intent owes. */
    gc_bytes_clear(&entry.ticket.ticket);
    entry.state = GC_OWED_INTENT;
    entry.id[0] = '\0';
    assert_int_equal(gc_ledger_write(ledger, &entry, &err), GC_OK);
    assert_int_equal(gc_ledger_find(ledger, &entry.ticket, &found, &err),
                     GC_E_NOT_FOUND);
}

/* One login's, and nobody else's. */
static void
test_list_of(void **state)
{
    static const char *const logins[] = {
        TRANSACTION,
        "",
        TRANSACTION,
        "ffffffffffffffffffffffffffffffff",
    };
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(logins); i++) {
        GC_AUTO(gc_entry) one = {0};

        fill(&one, GC_OWED_TICKET, 10 - (int)i);
        (void)snprintf(one.transaction, sizeof(one.transaction), "%s",
                       logins[i]);
        assert_int_equal(gc_ledger_write(ledger, &one, &err), GC_OK);
    }
    assert_int_equal(gc_ledger_list_of(ledger, TRANSACTION, &entries, &err),
                     GC_OK);
    assert_int_equal(entries.count, 2);
    assert_int_equal(entries.items[0].tries, 8);
    assert_int_equal(entries.items[1].tries, 10);
    assert_string_equal(entries.items[0].transaction, TRANSACTION);
    assert_int_equal(gc_ledger_list_of(ledger, "", &entries, &err), GC_OK);
    assert_int_equal(entries.count, 0);
}

/* What could not be read again is refused, loudly, before anything is owed. */
static void
test_unwritable(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};

    (void)state;
    fill(&entry, GC_OWED_TICKET, 1);
    entry.url[0] = '\0';
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_E_PROTOCOL);
    fill(&entry, GC_OWED_INTENT, 1);
    entry.ticket.vm[0] = '\0';
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_E_PROTOCOL);
    fill(&entry, GC_OWED_RELEASE, 1);
    gc_bytes_clear(&entry.ticket.ticket);
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_E_PROTOCOL);
    assert_int_equal(gc_bytes_set(&entry.ticket.ticket, "a\0b", 3, NULL),
                     GC_OK);
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_E_PROTOCOL);
    fill(&entry, GC_OWED_TICKET, 1);
    (void)snprintf(entry.id, sizeof(entry.id), "../../x.owed");
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_E_INTERNAL);
    assert_int_equal(gc_ledger_settle(ledger, "../file", NULL), GC_OK);
    /* Tried more often than anybody counts. */
    fill(&entry, GC_OWED_TICKET, 1);
    entry.tries = 2000000000;
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    /* And the lock. */
    assert_int_equal(help_names("ledger", ""), 2);
}

/* Swap OLD for FRESH in the text of an entry of STATE and read that. */
static gc_status
read_swapped(gc_owed owed, const char *old, const char *fresh)
{
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) again = {0};
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_bytes) other = {0};
    struct gc_error err;
    const char *at;
    gc_status st;

    fill(&entry, owed, 1);
    entry.process =
        (struct gc_process){.pid = 7,
                            .start = 8,
                            .boot_id = "00000000-0000-4000-8000-000000000000"};
    entry.uid = 1000;
    assert_int_equal(gc_entry_write(&entry, &text, NULL), GC_OK);
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
    st = gc_entry_read(&other, &again, &err);
    if (st != GC_OK)
        assert_null(strstr(err.message, SECRET));
    return st;
}

/* "transaction" is as a login is called, or is not there. */
static void
test_transaction(void **state)
{
    static const char *const bad[] = {
        "",
        "0123456789abcdef0123456789abcde",
        "0123456789abcdef0123456789abcdef0",
        "0123456789abcdef0123456789abcdeF",
        "0123456789abcdef0123456789abcde/",
        "0123456789abcdef0123456789abcde ",
    };
    static const char mark[] = "\"version\":1,";
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) again = {0};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    fill(&entry, GC_OWED_TICKET, 1);
    assert_int_equal(gc_entry_write(&entry, &text, NULL), GC_OK);
    assert_null(strstr(gc_bytes_text(&text), "transaction"));
    (void)snprintf(entry.transaction, sizeof(entry.transaction), TRANSACTION);
    assert_int_equal(gc_entry_write(&entry, &text, NULL), GC_OK);
    assert_int_equal(gc_entry_read(&text, &again, NULL), GC_OK);
    check_same(&entry, &again);
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        char fresh[128];

        assert_false(gc_entry_transaction_ok(bad[i]));
        (void)snprintf(fresh, sizeof(fresh), "%s\"transaction\":\"%s\",", mark,
                       bad[i]);
        assert_int_equal(read_swapped(GC_OWED_TICKET, mark, fresh),
                         GC_E_PROTOCOL);
    }
    assert_int_equal(read_swapped(GC_OWED_TICKET, mark,
                                  "\"version\":1,\"transaction\":null,"),
                     GC_E_PROTOCOL);
    assert_int_equal(
        read_swapped(GC_OWED_TICKET, mark, "\"version\":1,\"transaction\":7,"),
        GC_E_PROTOCOL);
    assert_int_equal(read_swapped(GC_OWED_TICKET, mark,
                                  "\"version\":1,\"transaction\":\"" TRANSACTION
                                  "\","),
                     GC_OK);
}

static void
test_hostile_text(void **state)
{
    static const struct {
        const char *old, *fresh;
    } swaps[] = {
        {"\"version\":1", "\"version\":2"},
        {"\"version\":1", "\"version\":0"},
        {"\"version\":1", "\"version\":\"1\""},
        {"\"state\":\"ticket\"", "\"state\":\"Ticket\""},
        {"\"state\":\"ticket\"", "\"state\":1"},
        {"\"state\":\"ticket\",", ""},
        {"\"uid\":1000", "\"uid\":-1"},
        {"\"uid\":1000", "\"uid\":4294967296"},
        {"\"uid\":1000", "\"uid\":1e3"},
        {"\"uid\":1000", "\"uid\":null"},
        {"\"process\":\"7.8.", "\"process\":\"-7.8."},
        {"\"process\":\"7.8.", "\"process\":\"7.8"},
        {"\"written\":1700000001", "\"written\":-5"},
        {"\"written\":1700000001", "\"written\":9223372036854775808"},
        {"\"machine\":\"\"", "\"machine\":null"},
        {"\"machine\":\"\"", "\"machine\":\"0123456789abcdef0\""},
        {"\"tries\":1", "\"tries\":1000001"},
        {"\"tries\":1", "\"tries\":0.5"},
        {"\"url\":\"" URL "\"", "\"url\":\"\""},
        {"\"url\":\"" URL "\"", "\"url\":[]"},
        {"\"record\":\"vm-1.00.ticket\"", "\"record\":null"},
        {"\"store\":\"DIR:", "\"store\":1,\"x\":\""},
        {"\"ticket\":{", "\"nothing\":{"},
        {"\"ticket\":{", "\"ticket\":null,\"x\":{"},
        {"\"vm\":\"vm-1\"", "\"vm\":\"\""},
        {"\"authentication\"", "\"other\""},
    };

    (void)state;
    assert_int_equal(read_swapped(GC_OWED_TICKET, "\"uid\"", "\"uid\""), GC_OK);
    for (size_t i = 0; i < GC_COUNT_OF(swaps); i++)
        if (read_swapped(GC_OWED_TICKET, swaps[i].old, swaps[i].fresh)
            != GC_E_PROTOCOL)
            fail_msg("taken: %s", swaps[i].fresh);
    assert_int_equal(read_swapped(GC_OWED_INTENT, "\"mechanism\":\"kerberos\"",
                                  "\"mechanism\":\"\""),
                     GC_E_PROTOCOL);
    assert_int_equal(
        read_swapped(GC_OWED_INTENT, "\"name\":\"", "\"name\":7,\"x\":\""),
        GC_E_PROTOCOL);
    assert_int_equal(read_swapped(GC_OWED_INTENT, "\"vcenter\":\"",
                                  "\"vcenter\":7,\"x\":\""),
                     GC_E_PROTOCOL);
    assert_int_equal(
        read_swapped(GC_OWED_INTENT, "\"mutual\":false", "\"mutual\":0"),
        GC_E_PROTOCOL);
}

/* Of two lines the newest that is whole. */
static void
test_lines(void **state)
{
    static const struct {
        gc_owed first;
        const char *middle;
        size_t cut; /* from the end of the second */
        gc_status st;
        gc_owed state;
    } cases[] = {
        {GC_OWED_INTENT, "", 0, GC_OK, GC_OWED_TICKET},
        {GC_OWED_INTENT, "", 1, GC_OK, GC_OWED_INTENT},
        {GC_OWED_INTENT, "", 300, GC_OK, GC_OWED_INTENT},
        {GC_OWED_RELEASE, "", 0, GC_OK, GC_OWED_TICKET},
        {GC_OWED_INTENT, "{\n", 0, GC_OK, GC_OWED_TICKET},
        {GC_OWED_INTENT, "{\n", 1, GC_OK, GC_OWED_INTENT},
        {GC_OWED_INTENT, "\n", 1, GC_OK, GC_OWED_INTENT},
        {GC_OWED_INTENT, "x}\n{}}\n\n", 1, GC_OK, GC_OWED_INTENT},
        /* It is whole, but no entry: what is behind it may be newer. */
        {GC_OWED_INTENT, "{\"version\":2}\n", 1, GC_E_PROTOCOL, 0},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        GC_AUTO(gc_entry) entry = {0};
        GC_AUTO(gc_entry) again = {0};
        GC_AUTO(gc_bytes) text = {0};
        GC_AUTO(gc_bytes) more = {0};

        fill(&entry, cases[i].first, 1);
        assert_int_equal(gc_entry_write(&entry, &text, NULL), GC_OK);
        entry.state = GC_OWED_TICKET;
        assert_int_equal(gc_entry_write(&entry, &more, NULL), GC_OK);
        assert_int_equal(gc_bytes_append(&text, cases[i].middle,
                                         strlen(cases[i].middle), 1000000,
                                         NULL),
                         GC_OK);
        assert_int_equal(gc_bytes_append(&text, more.data,
                                         more.len - cases[i].cut, 1000000,
                                         NULL),
                         GC_OK);
        assert_int_equal(gc_entry_read(&text, &again, NULL), cases[i].st);
        if (cases[i].st == GC_OK)
            assert_int_equal(again.state, cases[i].state);
    }
}

/* An entry that grew to its limit starts over. */
static void
test_lines_have_an_end(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    GC_AUTO(gc_entry) entry = {0};
    off_t size = 0, largest = 0;

    (void)state;
    fill(&entry, GC_OWED_TICKET, 1);
    for (int i = 0; i < 400; i++) {
        char name[300];
        struct stat info;

        entry.tries = i;
        assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
        (void)snprintf(name, sizeof(name), "ledger/%s", entry.id);
        assert_int_equal(stat(help_path(name), &info), 0);
        size = info.st_size;
        largest = size > largest ? size : largest;
    }
    assert_true(largest > 100000 && largest <= 128 * 1024 && size < largest);
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 1);
    assert_int_equal(entries.items[0].tries, 399);
}

static void
test_hostile_files(void **state)
{
    static char large[GC_STORE_RECORD_MAX + 1];
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    GC_AUTO(gc_entry) entry = {0};
    char path[600], name[300];

    (void)state;
    fill(&entry, GC_OWED_RELEASE, 1);
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    (void)snprintf(path, sizeof(path), "%s/%s", help_path("ledger"), entry.id);
    assert_int_equal(symlink(path, help_path("ledger/a.owed")), 0);
    help_file("ledger/b.owed", "{", 1, 0600);
    help_file("ledger/c.owed", large, sizeof(large), 0600);
    assert_int_equal(mkfifo(help_path("ledger/d.owed"), 0600), 0);
    help_file("ledger/e.owed", "{}", 2, 0644);
    memset(name, 'x', sizeof(name));
    (void)snprintf(name + 100, sizeof(name) - 100, ".owed");
    memcpy(name, "ledger/", 7);
    help_file(name, "{}", 2, 0600);
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 1);
    assert_int_equal(help_skips, 6);
    assert_non_null(strstr(help_lines, "symbolic link"));
    assert_non_null(strstr(help_lines, "larger than"));
    assert_non_null(strstr(help_lines, "not a regular file"));
    assert_non_null(strstr(help_lines, "open to others"));
    assert_non_null(strstr(help_lines, "not a name that we gave"));
    /* A second name for an entry: neither is believed. */
    help_forget_skips();
    assert_int_equal(link(path, help_path("second")), 0);
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 0);
    assert_non_null(strstr(help_lines, "another name"));
}

/* Who needs it: every state, with its process alive and dead. */
static void
test_needed(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_entry) entry = {0};
    char id[GC_STORE_ID_SIZE];

    (void)state;
    help_put(store, "vm-1", 1, id);
    for (int alive = 0; alive < 2; alive++)
        for (int kept = 0; kept < 2; kept++)
            for (int owed = 0; owed <= (int)GC_OWED_RELEASE; owed++) {
                bool needed = alive || (kept && owed == GC_OWED_TICKET);

                fill(&entry, (gc_owed)owed, 1);
                if (!alive)
                    entry.process.start++;
                if (kept)
                    memcpy(entry.record, id, sizeof(entry.record));
                /* It is long ago. */
                if (owed == GC_OWED_RELEASE || owed == GC_OWED_LOST)
                    needed = false;
                assert_int_equal(gc_entry_needed(&entry), needed);
            }
    /* The same without a store at all, as in a login. */
    fill(&entry, GC_OWED_TICKET, 1);
    entry.store[0] = entry.record[0] = '\0';
    assert_true(gc_entry_needed(&entry));
    entry.process.start++;
    assert_false(gc_entry_needed(&entry));
    entry.process = (struct gc_process){0};
    assert_false(gc_entry_needed(&entry));
    /* A process of another boot is dead, whoever has its number now. */
    fill(&entry, GC_OWED_TICKET, 1);
    entry.process.boot_id[0] = entry.process.boot_id[0] == 'a' ? 'b' : 'a';
    assert_false(gc_entry_needed(&entry));
}

/* Another uid's store is no input to us, even where we could read it. */
static void
test_needed_by_others(void **state)
{
    GC_AUTO_PTR(gc_store) store = help_store();
    GC_AUTO(gc_entry) entry = {0};
    char id[GC_STORE_ID_SIZE];

    (void)state;
    help_put(store, "vm-1", 1, id);
    fill(&entry, GC_OWED_TICKET, 1);
    memcpy(entry.record, id, sizeof(entry.record));
    entry.process.start++;
    assert_true(gc_entry_needed(&entry));
    entry.uid++;
    assert_false(gc_entry_needed(&entry));
    /* Its store is gone, or was never one. */
    entry.uid--;
    (void)snprintf(entry.store, sizeof(entry.store), "%s", help_name("absent"));
    assert_false(gc_entry_needed(&entry));
    /* Who cannot look does not know. */
    (void)snprintf(entry.store, sizeof(entry.store), "FILE:/x");
    assert_true(gc_entry_needed(&entry));
    (void)snprintf(entry.store, sizeof(entry.store), "%s", help_name("store"));
    memcpy(entry.record, "gone.ticket", sizeof("gone.ticket"));
    assert_false(gc_entry_needed(&entry));
    assert_int_equal(chmod(help_path("store"), 0710), 0);
    assert_true(gc_entry_needed(&entry));
}

/* What may have been issued may live for a day, wherever it was written. */
static void
test_lost(void **state)
{
    static const struct {
        int age;
        bool recent;
    } cases[] = {
        {0, true},
        {GC_LEDGER_LOST_S - 5, true},
        {GC_LEDGER_LOST_S, false},
        {5 - GC_LEDGER_LOST_S, true}, /* the clock was put back … */
        {-GC_LEDGER_LOST_S, false},   /* … by more than can be */
    };
    GC_AUTO(gc_entry) entry = {0};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        int64_t written = (int64_t)time(NULL) - cases[i].age;

        fill(&entry, GC_OWED_LOST, 1);
        entry.written = written;
        memcpy(entry.machine, "0123456789abcdef", sizeof(entry.machine));
        assert_false(gc_entry_elsewhere(&entry));
        assert_int_equal(gc_entry_needed(&entry), cases[i].recent);
        assert_int_equal(gc_entry_is_lost(&entry), cases[i].recent);
        /* An intent is one once its process is gone. */
        fill(&entry, GC_OWED_INTENT, 1);
        entry.written = written;
        assert_false(gc_entry_is_lost(&entry));
        entry.process.start++;
        assert_int_equal(gc_entry_is_lost(&entry), cases[i].recent);
    }
    fill(&entry, GC_OWED_TICKET, 1);
    assert_false(gc_entry_is_lost(&entry));
    fill(&entry, GC_OWED_RELEASE, 1);
    assert_false(gc_entry_is_lost(&entry));
}

/* What another machine or namespace wrote is needed there for all we know. */
static void
test_elsewhere(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) found = {0};
    GC_AUTO(gc_bytes) text = {0};
    char machine[GC_MACHINE_SIZE];

    (void)state;
    gc_process_machine(machine);
    for (int owed = 0; owed <= (int)GC_OWED_RELEASE; owed++) {
        if (owed == (int)GC_OWED_LOST)
            continue;
        fill(&entry, (gc_owed)owed, 1);
        entry.process = (struct gc_process){0};
        /* One that does not say is an old one of ours. */
        assert_false(gc_entry_elsewhere(&entry));
        assert_false(gc_entry_needed(&entry));
        memcpy(entry.machine, "0123456789abcdef", sizeof(entry.machine));
        assert_true(gc_entry_elsewhere(&entry));
        assert_true(gc_entry_needed(&entry));
        /* It comes back from its text. */
        assert_int_equal(gc_entry_write(&entry, &text, NULL), GC_OK);
        assert_int_equal(gc_entry_read(&text, &found, NULL), GC_OK);
        assert_true(gc_entry_elsewhere(&found));
        /* Who writes it last has it. */
        assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
        assert_int_equal(gc_ledger_read(ledger, entry.id, &found, NULL), GC_OK);
        assert_string_equal(found.machine, machine);
        assert_false(gc_entry_elsewhere(&found));
        entry.process.pid = getpid();
        gc_process_self(&entry.process);
        assert_false(gc_entry_elsewhere(&entry));
        entry.process.pid_ns++;
        entry.written = (int64_t)time(NULL) - 30;
        assert_true(gc_entry_elsewhere(&entry));
        assert_true(gc_entry_needed(&entry));
        /* By now its ticket is in the store, or never will be. */
        entry.written -= 60;
        assert_int_equal(gc_entry_elsewhere(&entry), owed != GC_OWED_TICKET);
        assert_int_equal(gc_entry_needed(&entry), owed != GC_OWED_TICKET);
        entry.record[0] = '\0';
        assert_true(gc_entry_elsewhere(&entry));
        assert_true(gc_entry_needed(&entry));
    }
}

static void
test_is_ours(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO_PTR(gc_ledger) other = open_ledger();
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) theirs = {0};

    (void)state;
    assert_true(gc_ledger_is_ours(ledger));
    fill(&entry, GC_OWED_INTENT, 1);
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    assert_false(gc_ledger_is_ours(ledger));
    entry.state = GC_OWED_TICKET;
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    assert_true(gc_ledger_is_ours(ledger));
    assert_false(gc_ledger_is_ours(other));
    fill(&theirs, GC_OWED_TICKET, 2);
    assert_int_equal(gc_ledger_write(other, &theirs, NULL), GC_OK);
    assert_false(gc_ledger_is_ours(ledger));
    assert_int_equal(gc_ledger_settle(other, theirs.id, NULL), GC_OK);
    assert_true(gc_ledger_is_ours(ledger));
    help_file("ledger/tmp.left.tmp", "", 0, 0600);
    assert_false(gc_ledger_is_ours(ledger));
    assert_int_equal(unlink(help_path("ledger/tmp.left.tmp")), 0);
    entry.state = GC_OWED_RELEASE;
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    assert_false(gc_ledger_is_ours(ledger));
}

static void
test_read(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) found = {0};

    (void)state;
    fill(&entry, GC_OWED_TICKET, 3);
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    assert_int_equal(gc_ledger_read(ledger, entry.id, &found, NULL), GC_OK);
    check_same(&found, &entry);
    assert_int_equal(gc_ledger_settle(ledger, entry.id, NULL), GC_OK);
    assert_int_equal(gc_ledger_read(ledger, entry.id, &found, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(gc_ledger_read(ledger, "../x", &found, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(gc_ledger_read(ledger, "", &found, NULL), GC_E_NOT_FOUND);
    check_same(&found, &entry);
}

/* One at a time; the handle that has the lock writes on. */
static void
test_lock(void **state)
{
    GC_AUTO_PTR(gc_ledger) one = open_ledger();
    GC_AUTO_PTR(gc_ledger) two = open_ledger();
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) other = {0};
    GC_AUTO(gc_entries) entries = {0};
    struct gc_error err;
    int64_t before;

    (void)state;
    fill(&entry, GC_OWED_TICKET, 1);
    fill(&other, GC_OWED_TICKET, 2);
    assert_int_equal(gc_ledger_lock(one, gc_clock_now(), &err), GC_OK);
    before = gc_clock_now();
    assert_int_equal(gc_ledger_lock(two, before + 50, &err), GC_E_BUSY);
    assert_true(gc_clock_now() - before >= 50);
    assert_true(gc_clock_now() - before < 2000);
    assert_int_equal(gc_ledger_write(one, &entry, &err), GC_OK);
    /* It has it still, after its own write, settling and list. */
    assert_int_equal(gc_ledger_list(one, &entries, &err), GC_OK);
    assert_int_equal(entries.count, 1);
    assert_false(entries.locked);
    assert_int_equal(gc_ledger_write(two, &other, &err), GC_E_BUSY);
    assert_string_equal(other.id, "");
    assert_int_equal(gc_ledger_settle(two, entry.id, &err), GC_E_BUSY);
    /* Who only reads does not wait for it, but is told. */
    assert_int_equal(gc_ledger_list(two, &entries, &err), GC_OK);
    assert_int_equal(entries.count, 1);
    assert_true(entries.locked);
    assert_int_equal(gc_ledger_settle(one, entry.id, &err), GC_OK);
    assert_int_equal(gc_ledger_lock(two, gc_clock_now(), &err), GC_E_BUSY);
    /* Taken twice, it is given up twice. */
    assert_int_equal(gc_ledger_lock(one, gc_clock_now(), &err), GC_OK);
    gc_ledger_unlock(one);
    assert_int_equal(gc_ledger_lock(two, gc_clock_now(), &err), GC_E_BUSY);
    gc_ledger_unlock(one);
    gc_ledger_unlock(one);
    assert_int_equal(gc_ledger_write(two, &other, &err), GC_OK);
    assert_int_equal(gc_ledger_lock(two, gc_clock_now(), &err), GC_OK);
    gc_ledger_free(GC_TAKE(two));
    assert_int_equal(gc_ledger_lock(one, gc_clock_now(), &err), GC_OK);
}

/* ---- of others ---- */

static struct gc_ledger *
open_for(uid_t uid)
{
    struct gc_ledger *ledger = NULL;
    struct gc_error err;

    if (gc_ledger_open(help_path("ledger"), uid, &ledger, &err) != GC_OK)
        fail_msg("%s", err.message);
    return ledger;
}

/* Hold UID's lock, say so, and be stopped. */
static pid_t
stop_with_lock(uid_t uid)
{
    pid_t child = fork();
    int status = 0;

    assert_true(child >= 0);
    if (child == 0) {
        GC_AUTO_PTR(gc_ledger) ledger = NULL;

        help_in_child();
        ledger = open_for(uid);
        if (gc_ledger_lock(ledger, gc_clock_now() + 1000, NULL) != GC_OK)
            _exit(1);
        (void)raise(SIGSTOP);
        _exit(0);
    }
    assert_int_equal(waitpid(child, &status, WUNTRACED), child);
    assert_true(WIFSTOPPED(status));
    return child;
}

static void
let_go(pid_t child)
{
    int status = -1;

    assert_int_equal(kill(child, SIGCONT), 0);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void
write_for(uid_t uid, int number, gc_status expected)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_for(uid);
    GC_AUTO(gc_entry) entry = {0};

    fill(&entry, GC_OWED_TICKET, number);
    entry.uid = uid;
    assert_int_equal(gc_ledger_write(ledger, &entry, NULL), expected);
}

/* Whoever is stopped while they hold their lock stops nobody else. */
static void
test_one_stopped(void **state)
{
    const uid_t alice = geteuid() + 1, bob = geteuid() + 2;
    GC_AUTO_PTR(gc_ledger) hers = open_for(alice);
    GC_AUTO_PTR(gc_ledger) his = open_for(bob);
    GC_AUTO(gc_entries) entries = {0};
    pid_t stopped = stop_with_lock(alice);
    int64_t before = gc_clock_now();

    (void)state;
    write_for(bob, 2, GC_OK);
    write_for(geteuid(), 3, GC_OK);
    assert_int_equal(gc_ledger_list(his, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 1);
    assert_int_equal(entries.items[0].uid, bob);
    assert_false(entries.locked);
    assert_true(gc_clock_now() - before < GC_ATOMIC_LOCK_MS / 3);
    /* Nor is what is theirs lost or in doubt, only late. */
    write_for(alice, 1, GC_E_BUSY);
    assert_int_equal(gc_ledger_list(hers, &entries, NULL), GC_OK);
    assert_true(entries.locked);
    let_go(stopped);
    write_for(alice, 1, GC_OK);
    assert_int_equal(gc_ledger_list(hers, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 1);
    assert_int_equal(entries.items[0].uid, alice);
    assert_false(entries.locked);
}

/* Each has their own, and nobody another's. */
static void
test_others(void **state)
{
    const uid_t alice = geteuid() + 1;
    GC_AUTO_PTR(gc_ledger) own = open_ledger();
    GC_AUTO_PTR(gc_ledger) hers = open_for(alice);
    GC_AUTO(gc_entries) entries = {0};
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) found = {0};
    struct stat info;
    char part[64];

    (void)state;
    (void)snprintf(part, sizeof(part), "ledger/%lu", (unsigned long)alice);
    assert_int_equal(stat(help_path(part), &info), 0);
    assert_int_equal(info.st_mode & 07777, 0700);
    fill(&entry, GC_OWED_TICKET, 1);
    assert_int_equal(gc_ledger_write(hers, &entry, NULL), GC_E_INTERNAL);
    entry.uid = alice;
    assert_int_equal(gc_ledger_write(own, &entry, NULL), GC_E_INTERNAL);
    assert_string_equal(entry.id, "");
    assert_int_equal(gc_ledger_write(hers, &entry, NULL), GC_OK);
    assert_int_equal(gc_ledger_list(own, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 0);
    assert_int_equal(gc_ledger_read(own, entry.id, &found, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(gc_ledger_read(hers, entry.id, &found, NULL), GC_OK);
    check_same(&found, &entry);
    assert_int_equal(gc_ledger_find(own, &entry.ticket, &found, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(help_skips, 0);
    /* Theirs is as closed as ours, and so is what it stands in. */
    assert_int_equal(chmod(help_path(part), 0711), 0);
    gc_ledger_free(GC_TAKE(hers));
    assert_int_equal(gc_ledger_open(help_path("ledger"), alice, &hers, NULL),
                     GC_E_CONFIG);
    assert_int_equal(chmod(help_path(part), 0700), 0);
    assert_int_equal(chmod(help_path("ledger"), 0711), 0);
    assert_int_equal(gc_ledger_open(help_path("ledger"), alice, &hers, NULL),
                     GC_E_CONFIG);
}

struct seen {
    uid_t uids[8];
    size_t count;
    gc_status st;
};

static gc_status
see(void *user, uid_t uid, struct gc_error *err)
{
    struct seen *seen = user;

    (void)err;
    assert_true(seen->count < GC_COUNT_OF(seen->uids));
    seen->uids[seen->count++] = uid;
    return seen->st;
}

static void
test_each_uid(void **state)
{
    static const char *const names[] = {
        "",   "/vcenter",   "/07",         "/+7", "/-7",
        "/7", "/7x",        "/4294967295", "/ 7", "/18446744073709551623",
        "/8", "/4294967294"};
    struct seen seen = {.st = GC_OK};
    char own[64];
    bool has[3] = {false};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(names); i++) {
        char path[64];

        (void)snprintf(path, sizeof(path), "ledger%s", names[i]);
        assert_int_equal(mkdir(help_path(path), 0700), 0);
    }
    (void)snprintf(own, sizeof(own), "ledger/%lu", (unsigned long)geteuid());
    assert_int_equal(mkdir(help_path(own), 0700), 0);
    assert_int_equal(gc_ledger_each_uid(help_path("ledger"), see, &seen, NULL),
                     GC_OK);
    /* Ours first, and once. */
    assert_int_equal(seen.count, 4);
    assert_int_equal(seen.uids[0], geteuid());
    for (size_t i = 1; i < seen.count; i++) {
        has[0] |= seen.uids[i] == 7;
        has[1] |= seen.uids[i] == 8;
        has[2] |= seen.uids[i] == 4294967294;
    }
    assert_true(has[0] && has[1] && has[2]);
    seen = (struct seen){.st = GC_E_FAILED};
    assert_int_equal(gc_ledger_each_uid(help_path("ledger"), see, &seen, NULL),
                     GC_E_FAILED);
    assert_int_equal(seen.count, 1);
}

/* What is torn is said once, and kept; what is of a later version is not it. */
static void
test_torn(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};

    (void)state;
    help_file("ledger/a.owed", "{\"version\":1,", 13, 0600);
    help_file("ledger/b.owed", "", 0, 0600);
    help_file("ledger/c.owed", "{\"version\":2}", 13, 0600);
    help_file("ledger/d.owed", "{\"version\":1}", 13, 0600);
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, 0);
    assert_int_equal(help_skips, 4);
    assert_int_equal(access(help_path("ledger/a.owed.bad"), F_OK), 0);
    assert_int_equal(access(help_path("ledger/b.owed.bad"), F_OK), 0);
    assert_int_equal(access(help_path("ledger/c.owed"), F_OK), 0);
    assert_int_equal(access(help_path("ledger/d.owed.bad"), F_OK), 0);
    assert_non_null(strstr(help_lines, "a.owed: set aside"));
    help_forget_skips();
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(help_skips, 1);
    assert_non_null(strstr(help_lines, "c.owed: "));
}

static int
use_read_only(void *user)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error err;

    if (gc_ledger_list(ledger, &entries, &err) != GC_OK || entries.count != 1)
        return 1;
    fill(&entry, GC_OWED_INTENT, 2);
    if (gc_ledger_write(ledger, &entry, &err) != GC_E_CONFIG
        || entry.id[0] != '\0')
        return 2;
    return gc_ledger_settle(ledger, user, &err) == GC_E_CONFIG ? 0 : 3;
}

static void
test_read_only(void **state)
{
    unsigned uid = geteuid() == 0 ? NOBODY : 0;
    GC_AUTO(gc_entry) entry = {0};
    char path[600];

    (void)state;
    fill(&entry, GC_OWED_INTENT, 1);
    {
        GC_AUTO_PTR(gc_ledger) ledger = open_ledger();

        assert_int_equal(gc_ledger_write(ledger, &entry, NULL), GC_OK);
    }
    (void)snprintf(path, sizeof(path), "%s/%s", help_path("ledger"), entry.id);
    if (uid != 0) {
        assert_int_equal(chmod(help_path(""), 0755), 0);
        assert_int_equal(chown(path, uid, uid), 0);
        assert_int_equal(chown(help_path("ledger"), uid, uid), 0);
    }
    assert_int_equal(chmod(help_path("ledger"), 0500), 0);
    assert_int_equal(help_fork(use_read_only, entry.id, uid), 0);
    assert_int_equal(chmod(help_path("ledger"), 0700), 0);
}

static int
write_beyond_limit(void *user)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    const struct rlimit limit = {0, 0};
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error err;

    (void)user;
    fill(&entry, GC_OWED_INTENT, 1);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    return gc_ledger_write(ledger, &entry, &err) == GC_E_FAILED
                   && strstr(err.message, "too large") != NULL
               ? 0
               : 2;
}

static void
test_file_size_limit(void **state)
{
    (void)state;
    assert_int_equal(help_fork(write_beyond_limit, NULL, 0), 0);
    assert_int_equal(help_names("ledger", ""), 1);
    assert_int_equal(help_names("ledger", ".lock"), 1);
}

/* Twenty at once: all that they owe is there, none of it twice. */
#define WRITERS 20

static void
test_many_writers(void **state)
{
    GC_AUTO_PTR(gc_ledger) ledger = open_ledger();
    GC_AUTO(gc_entries) entries = {0};
    pid_t writers[WRITERS];

    (void)state;
    for (int i = 0; i < WRITERS; i++) {
        writers[i] = fork();
        assert_true(writers[i] >= 0);
        if (writers[i] == 0) {
            GC_AUTO(gc_entry) entry = {0};
            GC_AUTO(gc_entries) seen = {0};

            help_in_child();
            for (int k = 0; k <= (int)GC_OWED_RELEASE; k++) {
                char id[GC_LEDGER_ID_SIZE];

                memcpy(id, entry.id, sizeof(id));
                fill(&entry, (gc_owed)k, i);
                memcpy(entry.id, id, sizeof(id));
                if (gc_ledger_write(ledger, &entry, NULL) != GC_OK
                    || gc_ledger_list(ledger, &seen, NULL) != GC_OK
                    || seen.count < 1 || help_skips != 0)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int i = 0; i < WRITERS; i++) {
        int status = -1;

        assert_int_equal(waitpid(writers[i], &status, 0), writers[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(gc_ledger_list(ledger, &entries, NULL), GC_OK);
    assert_int_equal(entries.count, WRITERS);
    for (int i = 0; i < WRITERS; i++) {
        assert_int_equal(entries.items[i].tries, i);
        assert_int_equal(entries.items[i].state, GC_OWED_RELEASE);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_open),
        TEST(test_life),
        TEST(test_bare_intent),
        TEST(test_order_and_find),
        TEST(test_list_of),
        TEST(test_unwritable),
        TEST(test_transaction),
        TEST(test_hostile_text),
        TEST(test_lines),
        TEST(test_lines_have_an_end),
        TEST(test_hostile_files),
        TEST(test_needed),
        TEST(test_needed_by_others),
        TEST(test_elsewhere),
        TEST(test_lost),
        TEST(test_is_ours),
        TEST(test_read),
        TEST(test_lock),
        TEST(test_one_stopped),
        TEST(test_others),
        TEST(test_each_uid),
        TEST(test_torn),
        TEST(test_read_only),
        TEST(test_file_size_limit),
        TEST(test_many_writers),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("ledger", tests, NULL, NULL));
}
