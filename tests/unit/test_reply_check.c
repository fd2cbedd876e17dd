/* SPDX-License-Identifier: Apache-2.0 */
/* Replies of a worker that lies, one lie at a time. */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "src/helper/reply_check.h"

/* What an honest worker says first, to be spoilt by each test. */
struct fixture {
    struct gc_reply_check known;
    struct gc_frame_head head;
    struct gc_frame_said told;
    struct gc_frame_failure failure;
    const char *token;
    size_t cut; /* bytes missing at the end */
    struct gc_said said;
    struct gc_error err;
};

static void
honest(struct fixture *f)
{
    memset(f, 0, sizeof(*f));
    f->known.mech = GC_MECH_NEGOTIATE;
    (void)snprintf(f->known.facts.target, GC_TARGET_SIZE, "host/guest1");
    f->head.op = GC_FRAME_BEGIN;
    f->told.mech = GC_MECH_KERBEROS;
    (void)snprintf(f->told.principal, GC_PRINCIPAL_SIZE, "alice@R");
    (void)snprintf(f->told.target, GC_TARGET_SIZE, "host/guest1");
    f->token = "token";
}

static gc_status
take(struct fixture *f)
{
    GC_AUTO(gc_bytes) body = {0};
    const void *start = &f->told;
    size_t len = sizeof(f->told);
    gc_status st;

    if (f->head.status != GC_OK) {
        start = &f->failure;
        len = sizeof(f->failure);
    }
    assert_int_equal(gc_bytes_set(&body, start, len, NULL), GC_OK);
    if (f->head.status == GC_OK)
        assert_int_equal(gc_bytes_append(&body, f->token, strlen(f->token),
                                         SIZE_MAX / 4, NULL),
                         GC_OK);
    body.len -= f->cut;
    st = gc_reply_check_take(&f->known, GC_FRAME_BEGIN, &f->head, &body,
                             &f->said, &f->err);
    assert_int_equal(f->known.begun, st == GC_OK);
    if (st != GC_OK)
        assert_int_equal(f->said.token.len, 0);
    return st;
}

static void
the_truth_is_taken(void **state)
{
    struct fixture f;

    (void)state;
    honest(&f);
    f.told.flags = 0x1234;
    assert_int_equal(take(&f), GC_OK);
    assert_string_equal(gc_bytes_text(&f.said.token), "token");
    assert_false(f.said.done);
    assert_string_equal(f.known.facts.principal, "alice@R");
    assert_int_equal(f.known.facts.flags, 0x1234);
    gc_said_clear(&f.said);
    /* The last word of an exchange may be empty. */
    f.token = "";
    f.told.done = 1;
    assert_int_equal(take(&f), GC_OK);
    assert_true(f.said.done);
    gc_said_clear(&f.said);
}

static void
assert_lie(struct fixture *f)
{
    assert_int_equal(take(f), GC_E_INTERNAL);
    assert_true(f->known.lied);
}

static void
wrong_sizes(void **state)
{
    static char huge[GC_TOKEN_MAX + 2];
    struct fixture f;

    (void)state;
    honest(&f);
    f.cut = strlen(f.token) + 1;
    assert_lie(&f);
    honest(&f);
    f.cut = sizeof(f.told) + strlen(f.token);
    assert_lie(&f);
    honest(&f);
    memset(huge, 'x', GC_TOKEN_MAX + 1);
    f.token = huge;
    assert_lie(&f);
    huge[GC_TOKEN_MAX] = '\0';
    assert_int_equal(take(&f), GC_OK);
    gc_said_clear(&f.said);
}

static void
wrong_values(void **state)
{
    struct fixture f;

    (void)state;
    honest(&f);
    f.head.op = GC_FRAME_ANSWER;
    assert_lie(&f);
    honest(&f);
    f.told.done = 2;
    assert_lie(&f);
    honest(&f);
    f.told.mutual = 0xffffffff;
    assert_lie(&f);
    honest(&f);
    f.told.mech = GC_MECH_NTLM + 1;
    assert_lie(&f);
}

static void
things_that_were_not_asked_for(void **state)
{
    struct fixture f;

    (void)state;
    honest(&f);
    f.told.mutual = 1;
    assert_lie(&f);
    honest(&f);
    f.told.mutual = 1;
    f.known.mutual = true;
    assert_int_equal(take(&f), GC_OK);
    gc_said_clear(&f.said);
    honest(&f);
    f.told.mech = GC_MECH_NTLM;
    assert_lie(&f);
    honest(&f);
    f.known.mech = GC_MECH_NTLM;
    assert_lie(&f);
    honest(&f);
    (void)snprintf(f.told.target, GC_TARGET_SIZE, "host/guest10");
    assert_lie(&f);
}

static void
names_that_are_none(void **state)
{
    struct fixture f;

    (void)state;
    honest(&f);
    memset(f.told.principal, 'a', sizeof(f.told.principal));
    assert_lie(&f);
    honest(&f);
    memset(f.told.target, 'a', sizeof(f.told.target));
    assert_lie(&f);
    honest(&f);
    f.told.principal[0] = '\0';
    assert_lie(&f);
    honest(&f);
    f.told.principal[2] = '\n';
    assert_lie(&f);
    honest(&f);
    f.told.principal[2] = '\x9b';
    assert_lie(&f);
}

static void
the_principal_does_not_change_under_way(void **state)
{
    struct fixture f;

    (void)state;
    honest(&f);
    assert_int_equal(take(&f), GC_OK);
    gc_said_clear(&f.said);
    (void)snprintf(f.told.principal, GC_PRINCIPAL_SIZE, "alice@RR");
    assert_lie(&f);
}

static void
empty_words_at_the_wrong_time(void **state)
{
    struct fixture f;

    (void)state;
    honest(&f);
    f.token = "";
    f.told.done = 1; /* but it has said nothing before */
    assert_lie(&f);
    honest(&f);
    assert_int_equal(take(&f), GC_OK);
    gc_said_clear(&f.said);
    f.token = ""; /* and is not done */
    assert_lie(&f);
}

static void
a_name_alone(void **state)
{
    struct fixture f;
    GC_AUTO(gc_bytes) body = {0};

    (void)state;
    for (int i = 0; i < 5; i++) {
        honest(&f);
        f.head.op = GC_FRAME_WHO;
        f.told.target[0] = '\0'; /* there is none yet */
        if (i == 1)
            f.told.principal[0] = '\0';
        if (i == 2)
            f.told.principal[1] = '\x1b';
        if (i == 3)
            memset(f.told.principal, 'a', sizeof(f.told.principal));
        assert_int_equal(gc_bytes_set(&body, &f.told, sizeof(f.told), NULL),
                         GC_OK);
        if (i == 4)
            body.len--;
        assert_int_equal(gc_reply_check_take(&f.known, GC_FRAME_WHO, &f.head,
                                             &body, NULL, &f.err),
                         i == 0 ? GC_OK : GC_E_INTERNAL);
        assert_int_equal(f.known.lied, i != 0);
        assert_false(f.known.begun);
        if (i == 0)
            assert_string_equal(f.known.facts.principal, "alice@R");
    }
}

/* A credential is opaque, but not without limits. */
static void
a_credential_alone(void **state)
{
    static const struct {
        size_t len;
        gc_status expected;
    } cases[] = {{1, GC_OK},
                 {GC_TOKEN_MAX, GC_OK},
                 {0, GC_E_INTERNAL},
                 {GC_TOKEN_MAX + 1, GC_E_INTERNAL}};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        GC_AUTO(gc_bytes) body = {0};
        struct fixture f;

        honest(&f);
        f.known.begun = true;
        f.head.op = GC_FRAME_EXPORT;
        assert_int_equal(gc_bytes_reserve(&body, GC_TOKEN_MAX + 1, NULL),
                         GC_OK);
        memset(body.data, 'x', GC_TOKEN_MAX + 1);
        body.len = cases[i].len;
        assert_int_equal(gc_reply_check_take(&f.known, GC_FRAME_EXPORT, &f.head,
                                             &body, &f.said, &f.err),
                         cases[i].expected);
        assert_int_equal(f.known.lied, cases[i].expected != GC_OK);
        assert_int_equal(f.known.begun, cases[i].expected == GC_OK);
        assert_int_equal(f.said.token.len,
                         cases[i].expected == GC_OK ? cases[i].len : 0);
        gc_said_clear(&f.said);
    }
}

static void
nothing_but_a_receipt(void **state)
{
    (void)state;
    for (size_t len = 0; len < 2; len++) {
        GC_AUTO(gc_bytes) body = {0};
        struct fixture f;

        honest(&f);
        f.known.begun = true;
        f.head.op = GC_FRAME_LEND;
        assert_int_equal(gc_bytes_set(&body, "x", len, NULL), GC_OK);
        assert_int_equal(gc_reply_check_take(&f.known, GC_FRAME_LEND, &f.head,
                                             &body, NULL, &f.err),
                         len == 0 ? GC_OK : GC_E_INTERNAL);
        assert_int_equal(f.known.lied, len != 0);
        assert_false(f.known.begun);
    }
}

static void
failures_are_passed_on(void **state)
{
    struct fixture f;

    (void)state;
    honest(&f);
    f.head.status = GC_E_DENIED;
    f.head.gss_major = 7;
    f.head.gss_minor = 8;
    f.head.again = 1;
    (void)snprintf(f.failure.message, GC_ERROR_MESSAGE_SIZE, "no\x1b[2J");
    (void)snprintf(f.failure.hint, GC_ERROR_HINT_SIZE, "go\naway");
    (void)snprintf(f.failure.fault, GC_FAULT_NAME_SIZE, "F\x01");
    assert_int_equal(take(&f), GC_E_DENIED);
    assert_false(f.known.lied);
    assert_int_equal(f.err.status, GC_E_DENIED);
    assert_int_equal(f.err.gss_major, 7);
    assert_int_equal(f.err.gss_minor, 8);
    assert_true(f.err.again);
    assert_string_equal(f.err.message, "no\\x1b[2J");
    assert_string_equal(f.err.hint, "go\\x0aaway");
    assert_string_equal(f.err.fault, "F\\x01");
}

static void
failures_that_are_none(void **state)
{
    static const uint32_t statuses[] = {
        GC_E_CANCELED,  GC_E_VCENTER_DENIED, GC_E_BUSY, GC_E_UNTRUSTED,
        GC_E_NOT_FOUND, GC_STATUS_COUNT,     0xffffffff};
    struct fixture f;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(statuses); i++) {
        honest(&f);
        f.head.status = statuses[i];
        assert_lie(&f);
    }
    honest(&f);
    f.head.status = GC_E_DENIED;
    f.head.again = 2;
    assert_lie(&f);
    honest(&f);
    f.head.status = GC_E_DENIED;
    f.cut = 1;
    assert_lie(&f);
    honest(&f);
    f.head.status = GC_E_DENIED;
    memset(f.failure.message, 'a', sizeof(f.failure.message));
    assert_lie(&f);
    honest(&f);
    f.head.status = GC_E_DENIED;
    memset(f.failure.hint, 'a', sizeof(f.failure.hint));
    assert_lie(&f);
    honest(&f);
    f.head.status = GC_E_DENIED;
    memset(f.failure.fault, 'a', sizeof(f.failure.fault));
    assert_lie(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_truth_is_taken),
        cmocka_unit_test(wrong_sizes),
        cmocka_unit_test(wrong_values),
        cmocka_unit_test(things_that_were_not_asked_for),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(the_principal_does_not_change_under_way),
        cmocka_unit_test(empty_words_at_the_wrong_time),
        cmocka_unit_test(a_name_alone),
        cmocka_unit_test(a_credential_alone),
        cmocka_unit_test(nothing_but_a_receipt),
        cmocka_unit_test(failures_are_passed_on),
        cmocka_unit_test(failures_that_are_none),
    };

    return cmocka_run_group_tests_name("reply_check", tests, NULL, NULL);
}
