/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry: its text, what no entry can be, and which ticket serves which request.
 */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/tickets/entry.h"

#define SECRET "S3CRET-TICKET-MARK"

static const char text_of_ticket[] =
    "guestcred 1 entry\n"
    "state=ticket\n"
    "made=1700000000\n"
    "changed=1700000001\n"
    "used=1700000002\n"
    "until=1700172802\n"
    "login=0123456789abcdef0123456789abcdef\n"
    "uid=1000\n"
    "host=12.34.-.0\n"
    "url=https://vcenter.example.test\n"
    "asked=path:/DC/vm/build\n"
    "vm=vm-42\n"
    "name=build-win01\n"
    "vcenter=2c3d4e5f-0000-4000-8000-00000000abcd\n"
    "principal=alice@EXAMPLE.TEST\n"
    "target=host/build-win01.example.test\n"
    "mech=ntlm\n"
    "mutual=yes\n"
    "legs=3\n"
    "acquired=1700000000\n"
    "ticket=" SECRET "\n"
    "end\n";

static gc_status
read_text(const char *text, struct gc_entry *ret_entry)
{
    GC_AUTO(gc_bytes) bytes = {0};
    struct gc_error err = {0};
    gc_status st;

    assert_int_equal(gc_bytes_set(&bytes, text, strlen(text), NULL), GC_OK);
    st = gc_entry_read(&bytes, ret_entry, &err);
    assert_null(strstr(err.message, "S3CRET"));
    return st;
}

static void
test_round(void **state)
{
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_entry) moved = {0};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    (void)snprintf(e.id, sizeof(e.id), "x");
    assert_int_equal(read_text(text_of_ticket, &e), GC_OK);
    assert_string_equal(e.id, "");
    assert_int_equal(e.state, GC_ENTRY_TICKET);
    assert_int_equal(e.made, 1700000000);
    assert_int_equal(e.until, 1700172802);
    assert_int_equal(e.uid, 1000);
    assert_string_equal(e.asked, "path:/DC/vm/build");
    assert_string_equal(e.ticket.vm, "vm-42");
    assert_int_equal(e.ticket.mech, GC_MECH_NTLM);
    assert_true(e.ticket.mutual);
    assert_int_equal(e.ticket.legs, 3);
    gc_entry_move(&moved, &e);
    assert_null(e.ticket.ticket.data);
    assert_int_equal(gc_entry_write(&moved, &text, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&text), text_of_ticket);
}

/* LINE in place of the line that begins as it does; "name=" alone: none. */
static void
replaced(const char *line, char dst[4096])
{
    size_t name = strcspn(line, "=") + 1;
    const char *at = text_of_ticket;
    size_t used = 0;

    while (*at != '\0') {
        size_t len = strcspn(at, "\n") + 1;

        if (strncmp(at, line, name) != 0)
            used +=
                (size_t)snprintf(dst + used, 4096 - used, "%.*s", (int)len, at);
        else if (line[name] != '\0')
            used += (size_t)snprintf(dst + used, 4096 - used, "%s\n", line);
        at += len;
    }
}

static void
test_refused(void **state)
{
    static const char *const bad[] = {
        "url=",
        "vm=",
        "ticket=",
        "state=intent",
        "state=lost",
        "state=release",
        "made=-1",
        "changed=253402300800",
        "used=-5",
        "until=9223372036854775807",
        "acquired=-1",
        "legs=1000",
        "uid=4294967296",
        "uid=-1",
        "login=0123456789abcdef0123456789abcde",
        "login=0123456789abcdef0123456789abcdeF",
        "login=../3456789abcdef0123456789abcdef",
        "mech=gssapi",
        "mutual=no",
        "ticket=S3CRET\\x00",
        "ticket=S3CRET\\xff",
    };
    static const char *const good[] = {
        "state=owed",
        "until=253402300799",
        "uid=4294967295",
        "login=",
        "name=",
        "vcenter=",
        "mech=kerberos",
        "mutual=",
        "asked=",
        "uid=",
        "ticket=a\\x0a\\x5c",
    };
    char text[4096];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        GC_AUTO(gc_entry) e = {0};

        replaced(bad[i], text);
        if (read_text(text, &e) != GC_E_PROTOCOL)
            fail_msg("%s", bad[i]);
        assert_string_equal(e.url, "");
    }
    for (size_t i = 0; i < GC_COUNT_OF(good); i++) {
        GC_AUTO(gc_entry) e = {0};

        replaced(good[i], text);
        if (read_text(text, &e) != GC_OK)
            fail_msg("%s", good[i]);
    }
}

static void
test_not_written(void **state)
{
    GC_AUTO(gc_entry) e = {0};
    GC_AUTO(gc_bytes) text = {0};
    struct gc_error err;

    (void)state;
    assert_int_equal(read_text(text_of_ticket, &e), GC_OK);
    e.state = GC_ENTRY_LOST;
    assert_int_equal(gc_entry_write(&e, &text, &err), GC_E_INTERNAL);
    gc_bytes_clear(&e.ticket.ticket);
    assert_int_equal(gc_entry_write(&e, &text, &err), GC_OK);
    e.state = GC_ENTRY_OWED;
    assert_int_equal(gc_entry_write(&e, &text, &err), GC_E_INTERNAL);
    /* The longest ticket there may be, in its longest form. */
    assert_int_equal(gc_bytes_reserve(&e.ticket.ticket, GC_TICKET_MAX, NULL),
                     GC_OK);
    for (size_t i = 0; i < GC_TICKET_MAX; i++)
        e.ticket.ticket.data[i] = '\n';
    e.ticket.ticket.len = GC_TICKET_MAX;
    assert_int_equal(gc_entry_write(&e, &text, &err), GC_OK);
    assert_true(text.len < GC_ENTRY_MAX);
}

static void
test_matches(void **state)
{
    GC_AUTO(gc_entry) e = {0};
    const struct gc_ticket_key right = {
        "https://vcenter.example.test",
        "2c3d4e5f-0000-4000-8000-00000000abcd",
        "vm-42",
        "alice@EXAMPLE.TEST",
        "host/build-win01.example.test",
        GC_MECH_NTLM,
        true,
    };
    struct gc_ticket_key keys[7];

    (void)state;
    assert_int_equal(read_text(text_of_ticket, &e), GC_OK);
    assert_true(gc_entry_matches(&e, &right));
    for (size_t i = 0; i < GC_COUNT_OF(keys); i++)
        keys[i] = right;
    keys[0].url = "https://other.example.test";
    keys[1].vcenter = "2c3d4e5f-0000-4000-8000-00000000abce";
    keys[2].vm = "vm-4";
    keys[3].principal = "bob@EXAMPLE.TEST";
    keys[4].target = "host/build-win02.example.test";
    keys[5].mech = GC_MECH_KERBEROS;
    keys[6].mutual = false;
    for (size_t i = 0; i < GC_COUNT_OF(keys); i++)
        assert_false(gc_entry_matches(&e, &keys[i]));
    keys[0] = right;
    keys[0].vcenter = "";
    assert_true(gc_entry_matches(&e, &keys[0]));
    e.ticket.vcenter[0] = '\0';
    assert_true(gc_entry_matches(&e, &right));
    e.state = GC_ENTRY_OWED;
    assert_false(gc_entry_matches(&e, &right));
}

static void
test_same_ticket(void **state)
{
    GC_AUTO(gc_entry) a = {0};
    GC_AUTO(gc_entry) b = {0};

    (void)state;
    assert_int_equal(read_text(text_of_ticket, &a), GC_OK);
    assert_int_equal(read_text(text_of_ticket, &b), GC_OK);
    assert_true(gc_entry_same_ticket(&a, &b));
    b.ticket.vm[0] = 'x';
    assert_false(gc_entry_same_ticket(&a, &b));
    b.ticket.vm[0] = 'v';
    b.ticket.ticket.len--;
    assert_false(gc_entry_same_ticket(&a, &b));
    gc_bytes_clear(&a.ticket.ticket);
    gc_bytes_clear(&b.ticket.ticket);
    assert_false(gc_entry_same_ticket(&a, &b));
}

static void
test_list(void **state)
{
    GC_AUTO(gc_entries) all = {0};

    (void)state;
    for (int i = 0; i < 100; i++) {
        GC_AUTO(gc_entry) e = {0};

        assert_int_equal(read_text(text_of_ticket, &e), GC_OK);
        e.tries = i;
        assert_int_equal(gc_entries_add(&all, &e, NULL), GC_OK);
        assert_null(e.ticket.ticket.data);
    }
    assert_int_equal(all.count, 100);
    for (int i = 0; i < 100; i++)
        assert_int_equal(all.items[i].tries, i);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),       cmocka_unit_test(test_refused),
        cmocka_unit_test(test_not_written), cmocka_unit_test(test_matches),
        cmocka_unit_test(test_same_ticket), cmocka_unit_test(test_list),
    };

    return cmocka_run_group_tests_name("entry", tests, NULL, NULL);
}
