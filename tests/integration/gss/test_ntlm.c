/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gss/ with the NTLM plugin installed: the mechanism itself, and that it never
 * comes in by the back door.  To be run by realm.sh, with GSS_MECH_CONFIG
 * naming the plugin and NTLM_USER_FILE a file with EXAMPLE:carol:carolpw.
 */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "tests/integration/gss/acceptor.h"

static struct gc_want
wanted(gc_mech mech, gc_source source, const char *principal, const char *text)
{
    struct gc_want want = {.mech = mech, .source = source};

    want.deadline = gc_clock_now() + 30000;
    (void)snprintf(want.target, sizeof(want.target),
                   "host/guest1.example.test");
    (void)snprintf(want.principal, sizeof(want.principal), "%s", principal);
    want.password = password(text);
    return want;
}

#define assert_status(outcome, expected)                                       \
    assert_string_equal(gc_status_word((outcome).status),                      \
                        gc_status_word(expected))

#define assert_carol(outcome)                                                  \
    do {                                                                       \
        assert_string_equal((outcome).error.message, "");                      \
        assert_int_equal((outcome).status, GC_OK);                             \
        assert_true((outcome).accepted);                                       \
        assert_string_equal((outcome).client, "EXAMPLE\\carol");               \
        assert_int_equal((outcome).legs, 2);                                   \
        assert_int_equal((outcome).facts.mech, GC_MECH_NTLM);                  \
        assert_false((outcome).facts.mutual);                                  \
    } while (0)

static void
ntlm_when_it_is_named(void **state)
{
    static const char *const spellings[] = {"EXAMPLE\\carol", "carol@EXAMPLE"};
    struct gc_want want = wanted(GC_MECH_NTLM, GC_SOURCE_DEFAULT, "", "");
    struct outcome outcome = acceptor_try(&want);

    (void)state;
    assert_carol(outcome);
    for (size_t i = 0; i < GC_COUNT_OF(spellings); i++) {
        want =
            wanted(GC_MECH_NTLM, GC_SOURCE_PASSWORD, spellings[i], "carolpw");
        outcome = acceptor_try(&want);
        assert_carol(outcome);
    }
}

/* Our side is content with anything: only the guest can tell. */
static void
complete_proves_nothing(void **state)
{
    struct gc_want want =
        wanted(GC_MECH_NTLM, GC_SOURCE_PASSWORD, "EXAMPLE\\carol", "wrong");
    struct outcome outcome = acceptor_try(&want);

    (void)state;
    assert_int_equal(outcome.status, GC_OK);
    assert_true(outcome.done);
    assert_false(outcome.accepted);
    assert_false(outcome.facts.mutual);
}

static void
ntlm_of_somebody_else_is_refused(void **state)
{
    struct gc_want want =
        wanted(GC_MECH_NTLM, GC_SOURCE_DEFAULT, "EXAMPLE\\dave", "");
    struct outcome outcome = acceptor_try(&want);

    (void)state;
    assert_int_equal(outcome.legs, 0);
    assert_status(outcome, GC_E_NO_CREDENTIAL);
}

static void
ntlm_has_its_limits(void **state)
{
    struct gc_want want = wanted(GC_MECH_NTLM, GC_SOURCE_DEFAULT, "", "");
    struct outcome outcome;

    (void)state;
    want.mutual = true;
    outcome = acceptor_try(&want);
    assert_status(outcome, GC_E_CONFIG);
    want = wanted(GC_MECH_NTLM, GC_SOURCE_CCACHE, "", "");
    (void)snprintf(want.place, sizeof(want.place), "%s", getenv("KRB5CCNAME"));
    outcome = acceptor_try(&want);
    assert_status(outcome, GC_E_CONFIG);
    want = wanted(GC_MECH_NTLM, GC_SOURCE_DEFAULT, "", "");
    (void)snprintf(want.on_behalf_of, sizeof(want.on_behalf_of), "bob");
    outcome = acceptor_try(&want);
    assert_status(outcome, GC_E_CONFIG);
}

static const gc_mech kerberos[] = {GC_MECH_KERBEROS, GC_MECH_NEGOTIATE};

/* Through SPNEGO the plugin would take any password for a good one. */
static void
a_wrong_password_stays_wrong(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(kerberos); i++) {
        struct gc_want want =
            wanted(kerberos[i], GC_SOURCE_PASSWORD, "bob", "wrong");
        struct outcome outcome = acceptor_try(&want);

        assert_int_equal(outcome.legs, 0);
        assert_status(outcome, GC_E_DENIED);
    }
}

static void
kerberos_works_beside_the_plugin(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(kerberos); i++) {
        struct gc_want want = wanted(kerberos[i], GC_SOURCE_DEFAULT, "", "");
        struct outcome outcome = acceptor_try(&want);

        assert_int_equal(outcome.status, GC_OK);
        assert_string_equal(outcome.client, "alice@EXAMPLE.TEST");
        assert_int_equal(outcome.facts.mech, GC_MECH_KERBEROS);
        want = wanted(kerberos[i], GC_SOURCE_PASSWORD, "bob", "bobpw");
        outcome = acceptor_try(&want);
        assert_int_equal(outcome.status, GC_OK);
        assert_string_equal(outcome.client, "bob@EXAMPLE.TEST");
    }
}

/* Whatever is wrong with Kerberos, the answer is not NTLM. */
static void
negotiate_never_falls_back(void **state)
{
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
    struct outcome outcome;
    char missing[GC_PLACE_SIZE];

    (void)state;
    (void)snprintf(want.target, sizeof(want.target),
                   "host/nowhere.example.test");
    outcome = acceptor_try(&want);
    assert_int_equal(outcome.legs, 0);
    assert_status(outcome, GC_E_NO_CREDENTIAL);

    (void)snprintf(missing, sizeof(missing), "FILE:%s/missing.cc",
                   getenv("GC_REALM"));
    want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_CCACHE, "", "");
    memcpy(want.place, missing, sizeof(missing));
    outcome = acceptor_try(&want);
    assert_int_equal(outcome.legs, 0);
    assert_status(outcome, GC_E_NO_CREDENTIAL);
}

/* A first token that offers Kerberos alone is 12 bytes shorter, and says so. */
static void
negotiate_offers_kerberos_alone(void **state)
{
    static const unsigned char ntlmssp[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
                                            0x82, 0x37, 0x02, 0x02, 0x0a};
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                     GC_OK);
    assert_null(
        memmem(said.token.data, said.token.len, ntlmssp, sizeof(ntlmssp)));
}

/* The guest would rather have NTLM, and picks it. */
static void
a_guest_cannot_choose_ntlm(void **state)
{
    static const unsigned char choice[] = {
        0xa1, 0x15, 0x30, 0x13, 0xa0, 0x03, 0x0a, 0x01, 0x01, 0xa1, 0x0c, 0x06,
        0x0a, 0x2b, 0x06, 0x01, 0x04, 0x01, 0x82, 0x37, 0x02, 0x02, 0x0a};
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    GC_AUTO(gc_said) said = {.done = false};
    GC_AUTO(gc_bytes) challenge = {0};

    (void)state;
    assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                     GC_OK);
    assert_int_equal(gc_bytes_set(&challenge, choice, sizeof(choice), NULL),
                     GC_OK);
    assert_int_equal(initiator->ops->answer(initiator, &challenge, &said, NULL),
                     GC_E_PROTOCOL);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ntlm_when_it_is_named),
        cmocka_unit_test(complete_proves_nothing),
        cmocka_unit_test(ntlm_of_somebody_else_is_refused),
        cmocka_unit_test(ntlm_has_its_limits),
        cmocka_unit_test(a_wrong_password_stays_wrong),
        cmocka_unit_test(kerberos_works_beside_the_plugin),
        cmocka_unit_test(negotiate_never_falls_back),
        cmocka_unit_test(negotiate_offers_kerberos_alone),
        cmocka_unit_test(a_guest_cannot_choose_ntlm),
    };

    return cmocka_run_group_tests_name("ntlm", tests, NULL, NULL);
}
