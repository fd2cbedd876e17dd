/* SPDX-License-Identifier: Apache-2.0 */
/* A ticket's JSON: to the letter outwards, suspicious inwards. */
#include <config.h>

#include "src/tickets/ticket_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const char whole[] =
    "{\"version\":1,\"vm\":\"vm-42\",\"name\":\"build-win01\","
    "\"vcenter\":\"5f1c\",\"principal\":\"alice@EXAMPLE.TEST\","
    "\"target\":\"host/guest1.example.test\",\"mechanism\":\"kerberos\","
    "\"mutual\":false,\"legs\":1,\"acquired\":\"2026-01-02T03:04:05Z\","
    "\"authentication\":{\"_typeName\":\"TicketedSessionAuthentication\","
    "\"interactiveSession\":false,\"ticket\":\"o/+\\\"p\\\\a\xc3\xa4\"}}";

static void
test_round_trip_is_exact(void **state)
{
    GC_AUTO(gc_ticket) t = {0};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    assert_int_equal(gc_ticket_from_json(whole, strlen(whole), &t, NULL),
                     GC_OK);
    assert_string_equal(t.vm, "vm-42");
    assert_string_equal(t.principal, "alice@EXAMPLE.TEST");
    assert_int_equal(t.mech, GC_MECH_KERBEROS);
    assert_int_equal(t.acquired, 1767323045);
    assert_string_equal(gc_bytes_text(&t.ticket), "o/+\"p\\a\xc3\xa4");
    assert_int_equal(gc_ticket_to_json(&t, &text, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&text), whole);
}

static void
test_secret_and_unknowns_are_left_out(void **state)
{
    GC_AUTO(gc_ticket) t = {.vm = "vm-1", .principal = "p", .target = "t"};
    GC_AUTO_PTR(gc_json) object = gc_json_new_object();
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&t.ticket, "hidden", 6, NULL), GC_OK);
    gc_ticket_write(&t, false, object);
    assert_int_equal(gc_json_print(object, &text, NULL), GC_OK);
    assert_null(strstr(gc_bytes_text(&text), "hidden"));
    assert_null(strstr(gc_bytes_text(&text), "authentication"));
    assert_null(strstr(gc_bytes_text(&text), "name"));
    assert_null(strstr(gc_bytes_text(&text), "vcenter"));
}

/* WHOLE with FROM replaced by TO must be refused. */
static void
refuse(const char *from, const char *to)
{
    GC_AUTO(gc_ticket) t = {0};
    char text[2048];
    struct gc_error err = {0};
    const char *at = strstr(whole, from);

    assert_non_null(at);
    (void)snprintf(text, sizeof(text), "%.*s%s%s", (int)(at - whole), whole, to,
                   at + strlen(from));
    if (gc_ticket_from_json(text, strlen(text), &t, &err) == GC_OK)
        fail_msg("taken: %s", text);
    assert_int_equal(err.status, GC_E_PROTOCOL);
    assert_null(strstr(err.message, "o/+"));
    assert_int_equal(t.ticket.len, 0);
}

static void
test_malformed_records_are_refused(void **state)
{
    (void)state;
    refuse("\"version\":1,", "");
    refuse("\"version\":1", "\"version\":2");
    refuse("\"version\":1", "\"version\":\"1\"");
    refuse("\"vm\":\"vm-42\"", "\"vm\":\"\"");
    refuse("\"vm\":\"vm-42\"", "\"vm\":42");
    refuse("\"vm\":\"vm-42\",", "");
    refuse("\"name\":\"build-win01\"", "\"name\":7");
    refuse("\"principal\":\"alice@EXAMPLE.TEST\",", "");
    refuse("\"mechanism\":\"kerberos\"", "\"mechanism\":\"Kerberos\"");
    refuse("\"mechanism\":\"kerberos\"", "\"mechanism\":\"kerberosx\"");
    refuse("\"mutual\":false", "\"mutual\":\"false\"");
    refuse("\"legs\":1", "\"legs\":-1");
    refuse("\"legs\":1", "\"legs\":1000");
    refuse("\"legs\":1", "\"legs\":1.5");
    refuse("2026-01-02T03:04:05Z", "2026-02-31T03:04:05Z");
    refuse("2026-01-02T03:04:05Z", "2026-01-02 03:04:05");
    refuse("2026-01-02T03:04:05Z", " 2026-01-02T03:04:05Z");
    refuse("TicketedSessionAuthentication", "SSPIAuthentication");
    refuse("\"interactiveSession\":false", "\"interactiveSession\":true");
    refuse("\"interactiveSession\":false,", "");
    refuse("\"ticket\":\"o/+\\\"p\\\\a\xc3\xa4\"", "\"ticket\":\"\"");
    refuse("\"ticket\":\"o/+\\\"p\\\\a\xc3\xa4\"", "\"ticket\":1");
}

static void
test_limits(void **state)
{
    GC_AUTO(gc_ticket) t = {0};
    size_t size = GC_TICKET_MAX + 2048;
    char *text = malloc(size), *filler = calloc(1, GC_TICKET_MAX + 2);
    const char *at = strstr(whole, "o/+");

    (void)state;
    memset(filler, 'x', GC_TICKET_MAX);
    (void)snprintf(text, size, "%.*s%s\"}}", (int)(at - whole), whole, filler);
    assert_int_equal(gc_ticket_from_json(text, strlen(text), &t, NULL), GC_OK);
    filler[GC_TICKET_MAX] = 'x';
    (void)snprintf(text, size, "%.*s%s\"}}", (int)(at - whole), whole, filler);
    assert_int_equal(gc_ticket_from_json(text, strlen(text), &t, NULL),
                     GC_E_PROTOCOL);
    refuse("vm-42",
           "vm-0123456789012345678901234567890123456789012345678901234567890"
           "1234567890123456789012345678901234567890123456789012345678901234");
    free(text);
    free(filler);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip_is_exact),
        cmocka_unit_test(test_secret_and_unknowns_are_left_out),
        cmocka_unit_test(test_malformed_records_are_refused),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
