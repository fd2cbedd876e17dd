/* SPDX-License-Identifier: Apache-2.0 */
/* The challenge loop against a scripted guest and a scripted initiator. */
#include <config.h>

#include "src/acquire.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The guest's side: what each leg answers; the last one is repeated. */
static const char *script[16];
static char heard[256]; /* tokens in the order they came, "|"-separated */

gc_status
gc_auth_manager_leg(struct gc_exchange *exchange, const struct gc_bytes *token,
                    enum gc_leg *ret_leg, struct gc_bytes *ret_bytes,
                    struct gc_error *err)
{
    const char *line = script[exchange->legs];

    exchange->legs++;
    strcat(heard, gc_bytes_text(token));
    strcat(heard, "|");
    if (strcmp(line, "error") == 0)
        return gc_fail(err, GC_E_BUSY, "scripted");
    *ret_leg = strncmp(line, "T:", 2) == 0 ? GC_LEG_TICKET : GC_LEG_CHALLENGE;
    return gc_bytes_set(ret_bytes, line + 2, strlen(line + 2), err);
}

/* Our side answers challenge X with "aX". */
static int answers_until_failure;

static gc_status
answer(struct gc_initiator *initiator, const struct gc_bytes *challenge,
       struct gc_said *ret_said, struct gc_error *err)
{
    char text[64] = "a";

    (void)initiator;
    if (answers_until_failure-- == 0)
        return gc_fail(err, GC_E_PROTOCOL, "scripted");
    strcat(text, gc_bytes_text(challenge));
    return gc_bytes_set(&ret_said->token, text, strlen(text), err);
}

static const struct gc_initiator_ops ops = {.answer = answer};

static gc_status
play(struct gc_bytes *ret_ticket, int *ret_legs, struct gc_error *err)
{
    struct gc_initiator ours = {&ops};
    struct gc_exchange theirs = {.vm = "vm-42"};
    GC_AUTO(gc_said) first = {0};
    gc_status st;

    heard[0] = '\0';
    answers_until_failure = 100;
    assert_int_equal(gc_bytes_set(&first.token, "first", 5, NULL), GC_OK);
    st = gc_acquire_run(&ours, &first, &theirs, ret_ticket, err);
    *ret_legs = theirs.legs;
    return st;
}

static void
test_one_two_three_calls(void **state)
{
    GC_AUTO(gc_bytes) ticket = {0};
    int legs;

    (void)state;
    script[0] = "T:gold";
    assert_int_equal(play(&ticket, &legs, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&ticket), "gold");
    assert_int_equal(legs, 1);
    assert_string_equal(heard, "first|");

    script[0] = "C:x";
    script[1] = "T:silver";
    assert_int_equal(play(&ticket, &legs, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&ticket), "silver");
    assert_int_equal(legs, 2);
    assert_string_equal(heard, "first|ax|");

    script[1] = "C:";
    script[2] = "T:tin";
    assert_int_equal(play(&ticket, &legs, NULL), GC_OK);
    assert_int_equal(legs, 3);
    assert_string_equal(heard, "first|ax|a|");
}

static void
test_ten_calls_are_the_limit(void **state)
{
    GC_AUTO(gc_bytes) ticket = {0};
    struct gc_error err = {0};
    int legs;

    (void)state;
    for (size_t i = 0; i < 10; i++)
        script[i] = "C:x";
    script[9] = "T:late";
    script[10] = "T:never";
    assert_int_equal(play(&ticket, &legs, &err), GC_OK);
    assert_int_equal(legs, 10);

    gc_bytes_clear(&ticket);
    script[9] = "C:x";
    assert_int_equal(play(&ticket, &legs, &err), GC_E_PROTOCOL);
    assert_int_equal(legs, 10);
    assert_int_equal(ticket.len, 0);
}

static void
test_errors_come_through(void **state)
{
    GC_AUTO(gc_bytes) ticket = {0};
    struct gc_initiator ours = {&ops};
    struct gc_exchange theirs = {.vm = "vm-42"};
    GC_AUTO(gc_said) first = {0};
    struct gc_error err = {0};
    int legs;

    (void)state;
    script[0] = "C:x";
    script[1] = "error";
    assert_int_equal(play(&ticket, &legs, &err), GC_E_BUSY);
    assert_int_equal(err.status, GC_E_BUSY);
    assert_int_equal(ticket.len, 0);

    script[1] = "T:unreached";
    heard[0] = '\0';
    answers_until_failure = 0;
    assert_int_equal(gc_acquire_run(&ours, &first, &theirs, &ticket, &err),
                     GC_E_PROTOCOL);
    assert_int_equal(ticket.len, 0);
    assert_int_equal(theirs.legs, 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_two_three_calls),
        cmocka_unit_test(test_ten_calls_are_the_limit),
        cmocka_unit_test(test_errors_come_through),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
