/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which bytes are a first token, and that no others pass the check.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "src/helper/token_check.h"

#include <string.h>

#define KRB5   "\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"
#define SPNEGO "\x06\x06\x2b\x06\x01\x05\x05\x02"

static bool
is_first(const void *token, size_t len, gc_mech mech)
{
    GC_AUTO(gc_bytes) bytes = {0};

    assert_int_equal(gc_bytes_set(&bytes, token, len, NULL), GC_OK);
    return gc_mech_is_first_token(&bytes, mech);
}
#define IS(text, mech) is_first(text, sizeof(text) - 1, mech)

static void
framed_tokens_are_known(void **state)
{
    (void)state;
    assert_true(IS("\x60\x0d" KRB5 "\x01\x00", GC_MECH_KERBEROS));
    assert_true(IS("\x60\x81\x0d" KRB5 "\x01\x00", GC_MECH_KERBEROS));
    assert_true(IS("\x60\x82\x01\x0d" KRB5 "\x01\x00", GC_MECH_KERBEROS));
    assert_true(IS("\x60\x0a" SPNEGO "\xa0\x00", GC_MECH_NEGOTIATE));
    assert_true(IS("NTLMSSP\0\x01\0\0\0", GC_MECH_NTLM));
}

static void
others_are_not(void **state)
{
    /* Microsoft's old OID: one bit from Kerberos' own. */
    static const char old[] = "\x60\x0d\x06\x09\x2a\x86\x48\x82\xf7\x12\x01\x02"
                              "\x02\x01\x00";

    (void)state;
    assert_false(IS("\x60\x0d" KRB5 "\x01\x00", GC_MECH_NEGOTIATE));
    assert_false(IS("\x60\x0a" SPNEGO "\xa0\x00", GC_MECH_KERBEROS));
    assert_false(IS("NTLMSSP\0\x01\0\0\0", GC_MECH_KERBEROS));
    assert_false(IS("\x60\x0d" KRB5 "\x01\x00", GC_MECH_NTLM));
    assert_false(IS(old, GC_MECH_KERBEROS));
    /* Unframed, cut short, a length of lengths that is none. */
    assert_false(IS("\x6e\x82\x01\x00\x30\x00\x00\x00\x00\x00\x00\x00\x00",
                    GC_MECH_KERBEROS));
    assert_false(IS("\x60\x0d\x06\x09\x2a\x86\x48\x86\xf7\x12\x01\x02",
                    GC_MECH_KERBEROS));
    assert_false(IS("\x60\x85\x00\x00\x00\x00\x0d" KRB5, GC_MECH_KERBEROS));
    assert_false(IS("\x60\xff" KRB5, GC_MECH_KERBEROS));
    assert_false(IS("\x60\x84\x00\x00", GC_MECH_KERBEROS));
    assert_false(IS("\x60", GC_MECH_KERBEROS));
    assert_false(IS("", GC_MECH_KERBEROS));
}

/* ---- the check ---- */

struct script {
    struct gc_initiator door;
    const char *token;
    size_t len;
    int ended;
};

static gc_status
scripted_begin(struct gc_initiator *door, const struct gc_want *want,
               struct gc_said *ret_said, struct gc_error *err)
{
    struct script *script = (struct script *)door;

    (void)want;
    ret_said->done = true;
    return gc_bytes_set(&ret_said->token, script->token, script->len, err);
}

static void
scripted_end(struct gc_initiator *door)
{
    ((struct script *)door)->ended++;
}

static int late = 60000; /* milliseconds from now */

static gc_status
pass(const char *token, size_t len, gc_mech mech, bool mutual, int *ret_ended,
     size_t *ret_len)
{
    static const struct gc_initiator_ops ops = {.begin = scripted_begin,
                                                .end = scripted_end};
    struct script script = {{&ops}, token, len, 0};
    struct gc_want want = {.mech = mech, .mutual = mutual};
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_token_check check;
    gc_status st;

    gc_token_check_init(&check, &script.door, gc_clock_now() + late);
    st = check.door.ops->begin(&check.door, &want, &said, NULL);
    *ret_ended = script.ended;
    *ret_len = said.token.len;
    return st;
}

static void
only_the_configured_mechanism_passes(void **state)
{
    static const char krb5[] = "\x60\x0d" KRB5 "\x01\x00";
    static const char spnego[] = "\x60\x0a" SPNEGO "\xa0\x00";
    int ended;
    size_t len;

    (void)state;
    assert_int_equal(
        pass(krb5, sizeof(krb5) - 1, GC_MECH_KERBEROS, false, &ended, &len),
        GC_OK);
    assert_int_equal(len, sizeof(krb5) - 1);
    assert_int_equal(ended, 0);
    assert_int_equal(
        pass(spnego, sizeof(spnego) - 1, GC_MECH_KERBEROS, false, &ended, &len),
        GC_E_INTERNAL);
    assert_int_equal(len, 0);
    assert_int_equal(ended, 1);
    /* Mutual is done inside SPNEGO. */
    assert_int_equal(
        pass(spnego, sizeof(spnego) - 1, GC_MECH_KERBEROS, true, &ended, &len),
        GC_OK);
    assert_int_equal(
        pass(krb5, sizeof(krb5) - 1, GC_MECH_NEGOTIATE, false, &ended, &len),
        GC_E_INTERNAL);
    assert_int_equal(pass("NTLMSSP", 8, GC_MECH_NEGOTIATE, false, &ended, &len),
                     GC_E_INTERNAL);
}

/* Neither the first token nor another one, once there is no time left. */
static void
nothing_passes_too_late(void **state)
{
    static const char krb5[] = "\x60\x0d" KRB5 "\x01\x00";
    int ended;
    size_t len;

    (void)state;
    late = 0;
    assert_int_equal(
        pass(krb5, sizeof(krb5) - 1, GC_MECH_KERBEROS, false, &ended, &len),
        GC_E_UNAVAILABLE);
    assert_int_equal(len, 0);
    assert_int_equal(ended, 1);
    late = 60000;
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(framed_tokens_are_known),
        cmocka_unit_test(others_are_not),
        cmocka_unit_test(only_the_configured_mechanism_passes),
        cmocka_unit_test(nothing_passes_too_late),
    };

    return cmocka_run_group_tests_name("token_check", tests, NULL, NULL);
}
