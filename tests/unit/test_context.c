/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One leg a call, against a GSS-API that does as it is told: the rules for
 * peers and mechanisms that no test realm can make misbehave.
 */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include <gssapi/gssapi_ext.h>

#include <krb5.h>

#include "gss/context.h"
#include "gss/mech.h"

/* ---- a GSS-API by script ------------------------------------------------- */

struct line {
    OM_uint32 major, minor;
    const char *out; /* NULL: no token */
    size_t out_len;  /* 0: strlen */
    OM_uint32 flags;
    gc_mech actual; /* what it says was negotiated */
};

static struct {
    const struct line *lines;
    int at;
    OM_uint32 request; /* the flags last asked for */
    gss_cred_id_t credential;
    gc_mech mech;
    int contexts, tokens; /* alive */
    OM_uint32 time;       /* what gss_context_time answers */
} gss;

static void
script(const struct line *lines)
{
    memset(&gss, 0, sizeof(gss));
    gss.lines = lines;
    gss.time = GSS_S_NO_CONTEXT;
}

OM_uint32
gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t credential,
                     gss_ctx_id_t *context, gss_name_t target, gss_OID mech,
                     OM_uint32 request, OM_uint32 lifetime,
                     gss_channel_bindings_t bindings, gss_buffer_t in,
                     gss_OID *actual, gss_buffer_t out, OM_uint32 *flags,
                     OM_uint32 *lifetime_granted)
{
    const struct line *line = &gss.lines[gss.at++];

    (void)lifetime;
    (void)bindings;
    (void)lifetime_granted;
    assert_true(target != GSS_C_NO_NAME);
    assert_non_null(in);
    if (*context == GSS_C_NO_CONTEXT) {
        *context = calloc(1, 1);
        assert_non_null(*context);
        gss.contexts++;
    } else {
        assert_non_null(in->value); /* or MIT's SPNEGO crashes */
        assert_int_not_equal(in->length, 0);
    }
    gss.request = request;
    gss.credential = credential;
    assert_true(gc_mech_from_oid(mech, &gss.mech));
    if (actual != NULL)
        *actual = gc_mech_oid(line->actual);
    *flags = line->flags;
    if (line->out != NULL) {
        out->length = line->out_len > 0 ? line->out_len : strlen(line->out);
        out->value = calloc(1, out->length + 1);
        assert_non_null(out->value);
        memcpy(out->value, line->out, strlen(line->out));
        gss.tokens++;
    }
    *minor = line->minor;
    return line->major;
}

OM_uint32
gss_delete_sec_context(OM_uint32 *minor, gss_ctx_id_t *context,
                       gss_buffer_t out)
{
    assert_true(out == GSS_C_NO_BUFFER);
    *minor = 0;
    if (*context != GSS_C_NO_CONTEXT)
        gss.contexts--;
    free(*context);
    *context = GSS_C_NO_CONTEXT;
    return GSS_S_COMPLETE;
}

OM_uint32
gss_release_buffer(OM_uint32 *minor, gss_buffer_t buffer)
{
    const unsigned char *bytes = buffer->value;

    *minor = 0;
    if (bytes != NULL) { /* a token: there are no texts here, see below */
        gss.tokens--;
        for (size_t i = 0; i < buffer->length; i++)
            assert_int_equal(bytes[i], 0); /* wiped */
    }
    free(buffer->value);
    buffer->value = NULL;
    buffer->length = 0;
    return GSS_S_COMPLETE;
}

/* No texts: they would be taken for tokens. */
OM_uint32
gss_display_status(OM_uint32 *minor, OM_uint32 code, int type, gss_OID mech,
                   OM_uint32 *more, gss_buffer_t text)
{
    (void)code;
    (void)type;
    (void)mech;
    *minor = *more = 0;
    *text = (gss_buffer_desc){0, NULL};
    return GSS_S_COMPLETE;
}

OM_uint32
gss_context_time(OM_uint32 *minor, gss_ctx_id_t context, OM_uint32 *lifetime)
{
    assert_true(context != GSS_C_NO_CONTEXT);
    *minor = 0;
    *lifetime = 60;
    return gss.time;
}

/* ---- one exchange -------------------------------------------------------- */

struct fixture {
    struct gc_context context;
    struct gc_credential credential;
    struct gc_said said;
    struct gc_error err;
};

/* Credentials are only passed on: any pointer will do. */
static char one_credential, another_credential;

static gc_status
first(struct fixture *f, gc_mech mech, bool mutual, const struct line *lines)
{
    struct gc_spn spn = {"host", "guest1.example.test", ""};

    memset(f, 0, sizeof(*f));
    script(lines);
    f->credential.handle = (gss_cred_id_t)(void *)&one_credential;
    if (mech == GC_MECH_NEGOTIATE)
        f->credential.plain = (gss_cred_id_t)(void *)&another_credential;
    f->credential.mech = mech;
    return gc_context_first(&f->context, &f->credential, &spn, mutual, &f->said,
                            &f->err);
}

static gc_status
next(struct fixture *f, const char *bytes)
{
    GC_AUTO(gc_bytes) challenge = {0};

    if (bytes[0] != '\0')
        assert_int_equal(gc_bytes_set(&challenge, bytes, strlen(bytes), NULL),
                         GC_OK);
    return gc_context_next(&f->context, &f->credential, &challenge, &f->said,
                           &f->err);
}

static void
assert_said(const struct fixture *f, const char *token, bool done)
{
    assert_string_equal(gc_bytes_text(&f->said.token), token);
    assert_int_equal(f->said.token.len, strlen(token));
    assert_int_equal(f->said.done, done);
}

/* Nothing may stay, neither here nor in the library. */
static void
finish(struct fixture *f)
{
    gc_context_clear(&f->context);
    gc_said_clear(&f->said);
    assert_int_equal(gss.contexts, 0);
    assert_int_equal(gss.tokens, 0);
}

#define FLAGS (GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG)
#define WAIT  GSS_S_CONTINUE_NEEDED

/* ---- the rules ----------------------------------------------------------- */

static void
complete_at_once(void **state)
{
    const struct line lines[] = {
        {GSS_S_COMPLETE, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
    };
    struct gc_facts facts;
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_KERBEROS, false, lines), GC_OK);
    assert_said(&f, "one", true);
    assert_int_equal(gss.request, GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG
                                      | GSS_C_REPLAY_FLAG
                                      | GSS_C_SEQUENCE_FLAG);
    gc_context_facts(&f.context, &facts);
    assert_int_equal(facts.flags, FLAGS);
    assert_int_equal(facts.mech, GC_MECH_KERBEROS);
    finish(&f);
}

/* Complete with a token left: it is sent, and a challenge may still follow. */
static void
the_last_token_is_sent(void **state)
{
    const struct line lines[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
        {GSS_S_COMPLETE, 0, "two", 0, FLAGS, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, lines), GC_OK);
    assert_said(&f, "one", false);
    assert_int_equal(next(&f, "challenge"), GC_OK);
    assert_said(&f, "two", true);
    assert_int_equal(next(&f, ""), GC_OK);
    assert_said(&f, "", true);
    assert_int_equal(gss.at, 2); /* and GSS-API was left alone */
    assert_int_equal(next(&f, "challenge"), GC_E_PROTOCOL);
    finish(&f);
}

/* GSS-API takes the challenge and has nothing to say: empty, once. */
static void
nothing_to_say_is_said_once(void **state)
{
    const struct line lines[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
        {GSS_S_COMPLETE, 0, NULL, 0, FLAGS, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, lines), GC_OK);
    assert_int_equal(next(&f, "challenge"), GC_OK);
    assert_said(&f, "", true);
    assert_int_equal(next(&f, "challenge"), GC_E_PROTOCOL);
    assert_int_equal(gss.at, 2);
    finish(&f);
}

static void
waiting_with_nothing_to_say_is_an_error(void **state)
{
    const struct line lines[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
        {WAIT, 0, NULL, 0, FLAGS, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, lines), GC_OK);
    assert_int_equal(next(&f, "challenge"), GC_E_PROTOCOL);
    finish(&f);
}

static void
an_empty_challenge_while_we_wait_is_an_error(void **state)
{
    const struct line lines[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, lines), GC_OK);
    assert_int_equal(next(&f, ""), GC_E_PROTOCOL);
    assert_int_equal(gss.at, 1); /* it never got there */
    finish(&f);
}

/* The guest must not choose the status: this one would mean "come again". */
static void
what_a_challenge_breaks_is_protocol(void **state)
{
    const struct line lines[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
        {GSS_S_FAILURE, (OM_uint32)KRB5_KDC_UNREACH, "reject", 0, FLAGS,
         GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, lines), GC_OK);
    assert_int_equal(next(&f, "challenge"), GC_E_PROTOCOL);
    assert_int_equal(f.err.gss_major, GSS_S_FAILURE);
    assert_int_equal(f.err.gss_minor, (OM_uint32)KRB5_KDC_UNREACH);
    assert_int_equal(gss.contexts, 0); /* deleted there and then */
    assert_int_equal(next(&f, "challenge"), GC_E_INTERNAL);
    assert_int_equal(gss.at, 2);
    finish(&f);
}

static void
an_oversized_challenge_is_not_even_tried(void **state)
{
    const struct line lines[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
    };
    char *huge = malloc(GC_TOKEN_MAX + 2);
    struct fixture f;

    (void)state;
    assert_non_null(huge);
    memset(huge, 'x', GC_TOKEN_MAX + 1);
    huge[GC_TOKEN_MAX + 1] = '\0';
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, lines), GC_OK);
    assert_int_equal(next(&f, huge), GC_E_PROTOCOL);
    assert_int_equal(gss.at, 1);
    free(huge);
    finish(&f);
}

static void
a_token_beyond_the_limit_is_not_supported(void **state)
{
    const struct line fits[] = {
        {GSS_S_COMPLETE, 0, "x", GC_TOKEN_MAX, FLAGS, GC_MECH_KERBEROS},
    };
    const struct line does_not[] = {
        {GSS_S_COMPLETE, 0, "x", GC_TOKEN_MAX + 1, FLAGS, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_KERBEROS, false, fits), GC_OK);
    assert_int_equal(f.said.token.len, GC_TOKEN_MAX);
    finish(&f);
    assert_int_equal(first(&f, GC_MECH_KERBEROS, false, does_not),
                     GC_E_NOT_SUPPORTED);
    assert_non_null(strstr(f.err.message, "45000"));
    finish(&f);
}

static void
no_first_token_is_our_own_trouble(void **state)
{
    const struct line lines[] = {
        {GSS_S_COMPLETE, 0, NULL, 0, FLAGS, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_KERBEROS, false, lines), GC_E_INTERNAL);
    finish(&f);
}

/* SPNEGO's own code says nothing; Kerberos, asked again, does. */
static void
a_failed_first_leg_is_explained_by_kerberos(void **state)
{
    const struct line lines[] = {
        {GSS_S_FAILURE, 100005, NULL, 0, 0, GC_MECH_NEGOTIATE},
        {GSS_S_FAILURE, (OM_uint32)KRB5_KDC_UNREACH, NULL, 0, 0,
         GC_MECH_KERBEROS},
    };
    const struct line puzzling[] = {
        {GSS_S_FAILURE, 100005, NULL, 0, 0, GC_MECH_NEGOTIATE},
        {GSS_S_COMPLETE, 0, "fine", 0, 0, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, lines),
                     GC_E_UNAVAILABLE);
    assert_int_equal(gss.mech, GC_MECH_KERBEROS);
    assert_ptr_equal(gss.credential, &another_credential);
    finish(&f);
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, puzzling),
                     GC_E_FAILED);
    assert_int_equal(f.err.gss_minor, 100005);
    finish(&f);
}

static void
nothing_is_delegated_unasked(void **state)
{
    const struct line lines[] = {
        {GSS_S_COMPLETE, 0, "one", 0, FLAGS | GSS_C_DELEG_FLAG,
         GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_KERBEROS, false, lines), GC_E_INTERNAL);
    assert_int_equal(f.said.token.len, 0);
    finish(&f);
}

static void
another_mechanism_is_an_error(void **state)
{
    const struct line to_ntlm[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
        {WAIT, 0, "NTLMSSP", 0, FLAGS, GC_MECH_NTLM},
    };
    const struct line from_ntlm[] = {
        {WAIT, 0, "one", 0, FLAGS, GC_MECH_KERBEROS},
    };
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NEGOTIATE, false, to_ntlm), GC_OK);
    assert_int_equal(next(&f, "challenge"), GC_E_PROTOCOL);
    assert_string_equal(gc_bytes_text(&f.said.token), "one");
    finish(&f);
    assert_int_equal(first(&f, GC_MECH_NTLM, false, from_ntlm), GC_E_PROTOCOL);
    finish(&f);
}

/* Asked for, granted, and seen: all three, or it is not mutual. */
static void
mutual_is_what_was_proved(void **state)
{
    static const struct {
        bool asked;
        OM_uint32 granted, time;
        gc_mech actual;
        bool mutual;
    } cases[] = {
        {true, GSS_C_MUTUAL_FLAG, GSS_S_COMPLETE, GC_MECH_KERBEROS, true},
        {true, GSS_C_MUTUAL_FLAG, GSS_S_NO_CONTEXT, GC_MECH_KERBEROS, false},
        {true, 0, GSS_S_COMPLETE, GC_MECH_KERBEROS, false},
        {false, GSS_C_MUTUAL_FLAG, GSS_S_COMPLETE, GC_MECH_KERBEROS, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        const struct line lines[] = {
            {WAIT, 0, "one", 0, GSS_C_MUTUAL_FLAG, GC_MECH_KERBEROS},
            {WAIT, 0, "two", 0, cases[i].granted, cases[i].actual},
        };
        struct gc_facts facts;
        struct fixture f;

        assert_int_equal(first(&f, GC_MECH_NEGOTIATE, cases[i].asked, lines),
                         GC_OK);
        assert_int_equal((gss.request & GSS_C_DCE_STYLE) != 0, cases[i].asked);
        gc_context_facts(&f.context, &facts);
        assert_false(facts.mutual);
        gss.time = cases[i].time;
        assert_int_equal(next(&f, "challenge"), GC_OK);
        gc_context_facts(&f.context, &facts);
        assert_int_equal(facts.mutual, cases[i].mutual);
        finish(&f);
    }
}

/* NTLM claims it of itself. */
static void
ntlm_is_never_mutual(void **state)
{
    const struct line lines[] = {
        {WAIT, 0, "one", 0, GSS_C_MUTUAL_FLAG, GC_MECH_NTLM},
        {GSS_S_COMPLETE, 0, "two", 0, GSS_C_MUTUAL_FLAG, GC_MECH_NTLM},
    };
    struct gc_facts facts;
    struct fixture f;

    (void)state;
    assert_int_equal(first(&f, GC_MECH_NTLM, true, lines), GC_OK);
    gss.time = GSS_S_COMPLETE;
    assert_int_equal(next(&f, "challenge"), GC_OK);
    gc_context_facts(&f.context, &facts);
    assert_false(facts.mutual);
    assert_int_equal(facts.mech, GC_MECH_NTLM);
    finish(&f);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(complete_at_once),
        cmocka_unit_test(the_last_token_is_sent),
        cmocka_unit_test(nothing_to_say_is_said_once),
        cmocka_unit_test(waiting_with_nothing_to_say_is_an_error),
        cmocka_unit_test(an_empty_challenge_while_we_wait_is_an_error),
        cmocka_unit_test(what_a_challenge_breaks_is_protocol),
        cmocka_unit_test(an_oversized_challenge_is_not_even_tried),
        cmocka_unit_test(a_token_beyond_the_limit_is_not_supported),
        cmocka_unit_test(no_first_token_is_our_own_trouble),
        cmocka_unit_test(a_failed_first_leg_is_explained_by_kerberos),
        cmocka_unit_test(nothing_is_delegated_unasked),
        cmocka_unit_test(another_mechanism_is_an_error),
        cmocka_unit_test(mutual_is_what_was_proved),
        cmocka_unit_test(ntlm_is_never_mutual),
    };

    return cmocka_run_group_tests_name("context", tests, NULL, NULL);
}
