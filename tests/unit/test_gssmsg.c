/* SPDX-License-Identifier: Apache-2.0 */
/* Codes -> status, sentence, next step; and the names of mechanisms. */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include <krb5.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"

/* ---- texts that are counted, in pieces, and not terminated --------------- */

static const char *pieces[4];
static int shown;

OM_uint32
gss_display_status(OM_uint32 *minor, OM_uint32 code, int type, gss_OID mech,
                   OM_uint32 *more, gss_buffer_t text)
{
    const char *piece = pieces[*more];

    (void)mech;
    *minor = 0;
    shown++;
    if (type == GSS_C_GSS_CODE)
        piece = code == GSS_S_FAILURE ? "the major one" : "?";
    if (piece == NULL)
        return GSS_S_BAD_STATUS;
    text->length = strlen(piece);
    text->value = malloc(text->length); /* exactly: no NUL follows */
    assert_non_null(text->value);
    memcpy(text->value, piece, text->length);
    *more =
        type == GSS_C_MECH_CODE && pieces[*more + 1] != NULL ? *more + 1 : 0;
    return GSS_S_COMPLETE;
}

OM_uint32
gss_release_buffer(OM_uint32 *minor, gss_buffer_t buffer)
{
    *minor = 0;
    free(buffer->value);
    *buffer = (gss_buffer_desc){0, NULL};
    return GSS_S_COMPLETE;
}

static int
forget_pieces(void **state)
{
    (void)state;
    memset(pieces, 0, sizeof(pieces));
    shown = 0;
    return 0;
}

static void
pieces_make_one_sentence(void **state)
{
    struct gc_verdict v = {GSS_S_FAILURE, 42, GSS_C_NO_OID};
    struct gc_error err;

    (void)state;
    pieces[0] = "one";
    pieces[1] = "two";
    assert_int_equal(gc_gssmsg_fail(&err, GC_E_FAILED, &v, "for %s", "alice"),
                     GC_E_FAILED);
    assert_string_equal(err.message, "for alice: one, two");
    assert_int_equal(err.gss_major, GSS_S_FAILURE);
    assert_int_equal(err.gss_minor, 42);
    assert_int_equal(gc_gssmsg_fail(NULL, GC_E_BUSY, &v, "x"), GC_E_BUSY);
}

static void
text_from_the_network_is_escaped(void **state)
{
    struct gc_verdict v = {GSS_S_FAILURE, 42, GSS_C_NO_OID};
    struct gc_error err;

    (void)state;
    pieces[0] = "evil\x1b[2J%n%s\n";
    (void)gc_gssmsg_fail(&err, GC_E_FAILED, &v, "it");
    assert_string_equal(err.message, "it: evil\\x1b[2J%n%s\\x0a");
}

static void
the_major_code_speaks_where_the_minor_is_silent(void **state)
{
    struct gc_verdict v = {GSS_S_FAILURE, 0, GSS_C_NO_OID};
    struct gc_error err;

    (void)state;
    pieces[0] = "no error";
    (void)gc_gssmsg_fail(&err, GC_E_FAILED, &v, "it");
    assert_string_equal(err.message, "it: the major one");
    v.minor = 42;
    pieces[0] = NULL;
    (void)gc_gssmsg_fail(&err, GC_E_FAILED, &v, "it");
    assert_string_equal(err.message, "it: the major one");
}

static void
endless_and_long_texts_end(void **state)
{
    static char lengthy[4000];
    struct gc_verdict v = {GSS_S_FAILURE, 42, GSS_C_NO_OID};
    struct gc_error err;

    (void)state;
    memset(lengthy, 'x', sizeof(lengthy) - 1);
    pieces[0] = lengthy;
    pieces[1] = "short";
    (void)gc_gssmsg_fail(&err, GC_E_FAILED, &v, "it");
    assert_string_equal(err.message, "it: short");
}

static void
codes_become_statuses(void **state)
{
    static const struct {
        OM_uint32 major;
        krb5_error_code minor;
        gc_status status;
        const char *hint;
    } cases[] = {
        {GSS_S_NO_CRED, KRB5_KDC_UNREACH, GC_E_UNAVAILABLE, "KDC"},
        {GSS_S_FAILURE, KRB5_KDC_UNREACH, GC_E_UNAVAILABLE, "KDC"},
        {GSS_S_NO_CRED, ASN1_BAD_ID, GC_E_UNAVAILABLE, "KDC"},
        {GSS_S_NO_CRED, KRB5KRB_AP_ERR_MSG_TYPE, GC_E_UNAVAILABLE, "KDC"},
        {GSS_S_NO_CRED, KRB5KDC_ERR_PREAUTH_FAILED, GC_E_DENIED, "password"},
        {GSS_S_NO_CRED, KRB5KRB_AP_ERR_BAD_INTEGRITY, GC_E_DENIED, "password"},
        {GSS_S_FAILURE, KRB5KRB_AP_ERR_BADMATCH, GC_E_DENIED, "else"},
        {GSS_S_NO_CRED, KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, GC_E_DENIED,
         "account"},
        {GSS_S_NO_CRED, KRB5KDC_ERR_CLIENT_REVOKED, GC_E_DENIED, "account"},
        {GSS_S_NO_CRED, KRB5KDC_ERR_KEY_EXP, GC_E_DENIED, "kpasswd"},
        {GSS_S_FAILURE, KRB5KDC_ERR_BADOPTION, GC_E_DENIED, "act for"},
        {GSS_S_FAILURE, KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, GC_E_NO_CREDENTIAL,
         "target name"},
        {GSS_S_FAILURE, KRB5KRB_AP_ERR_TKT_EXPIRED, GC_E_NO_CREDENTIAL,
         "kinit"},
        {GSS_S_NO_CRED, KRB5_FCC_NOFILE, GC_E_NO_CREDENTIAL, "kinit"},
        {GSS_S_NO_CRED, KRB5_KT_NOTFOUND, GC_E_NO_CREDENTIAL, "klist -k"},
        {GSS_S_CREDENTIALS_EXPIRED, 0, GC_E_NO_CREDENTIAL, "kinit"},
        {GSS_S_FAILURE, KRB5KRB_AP_ERR_SKEW, GC_E_NO_CREDENTIAL, "clock"},
        {GSS_S_BAD_MECH, 0, GC_E_NOT_SUPPORTED, "install"},
        {GSS_S_BAD_NAME, 0, GC_E_CONFIG, ""},
        {GSS_S_FAILURE, 12345678, GC_E_BUSY, ""}, /* the fallback */
        {GSS_S_FAILURE, 0, GC_E_BUSY, ""},
    };

    (void)state;
    pieces[0] = "why";
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct gc_verdict v = {cases[i].major, (OM_uint32)cases[i].minor,
                               GSS_C_NO_OID};
        struct gc_error err;

        assert_int_equal(gc_gssmsg_judge(&err, GC_E_BUSY, &v, "it"),
                         cases[i].status);
        assert_int_equal(err.status, cases[i].status);
        assert_non_null(strstr(err.hint, cases[i].hint));
        assert_int_equal(err.hint[0] == '\0', cases[i].hint[0] == '\0');
        assert_int_equal(gc_gssmsg_judge(NULL, GC_E_BUSY, &v, "it"),
                         cases[i].status);
    }
}

/* ---- mechanisms ---------------------------------------------------------- */

static void
words_and_oids(void **state)
{
    static const struct {
        gc_mech mech;
        const char *word;
        unsigned int oid_len;
    } cases[] = {
        {GC_MECH_KERBEROS, "kerberos", 9},
        {GC_MECH_NEGOTIATE, "negotiate", 6},
        {GC_MECH_NTLM, "ntlm", 10},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        gc_mech mech = GC_MECH_NTLM + 1;

        assert_string_equal(gc_mech_word(cases[i].mech), cases[i].word);
        assert_true(gc_mech_parse(cases[i].word, &mech));
        assert_int_equal(mech, cases[i].mech);
        assert_int_equal(gc_mech_oid(cases[i].mech)->length, cases[i].oid_len);
        mech = GC_MECH_NTLM + 1;
        assert_true(gc_mech_from_oid(gc_mech_oid(cases[i].mech), &mech));
        assert_int_equal(mech, cases[i].mech);
    }
}

static void
words_and_oids_that_are_none(void **state)
{
    static const char *const words[] = {
        "", "Kerberos", "krb5", "kerberos ", "kerbero", "spnego", "unknown"};
    static unsigned char bytes[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                                    0x12, 0x01, 0x02, 0x02, 0x01};
    gss_OID_desc longer = {10, bytes}, shorter = {8, bytes}, empty = {0, NULL};
    gc_mech mech = GC_MECH_NTLM + 1;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(words); i++)
        assert_false(gc_mech_parse(words[i], &mech));
    assert_false(gc_mech_from_oid(&longer, &mech));
    assert_false(gc_mech_from_oid(&shorter, &mech));
    assert_false(gc_mech_from_oid(&empty, &mech));
    assert_false(gc_mech_from_oid(GSS_C_NO_OID, &mech));
    assert_int_equal(mech, GC_MECH_NTLM + 1);
    assert_true(gc_mech_oid(GC_MECH_NTLM + 1) == GSS_C_NO_OID);
    assert_string_equal(gc_mech_word(GC_MECH_NTLM + 1), "unknown");
}

static void
microsoft_s_kerberos_is_kerberos(void **state)
{
    static unsigned char bytes[] = {0x2a, 0x86, 0x48, 0x82, 0xf7,
                                    0x12, 0x01, 0x02, 0x02};
    gss_OID_desc oid = {sizeof(bytes), bytes};
    gc_mech mech = GC_MECH_NTLM;

    (void)state;
    assert_true(gc_mech_from_oid(&oid, &mech));
    assert_int_equal(mech, GC_MECH_KERBEROS);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(pieces_make_one_sentence, forget_pieces),
        cmocka_unit_test_setup(text_from_the_network_is_escaped, forget_pieces),
        cmocka_unit_test_setup(the_major_code_speaks_where_the_minor_is_silent,
                               forget_pieces),
        cmocka_unit_test_setup(endless_and_long_texts_end, forget_pieces),
        cmocka_unit_test_setup(codes_become_statuses, forget_pieces),
        cmocka_unit_test(words_and_oids),
        cmocka_unit_test(words_and_oids_that_are_none),
        cmocka_unit_test(microsoft_s_kerberos_is_kerberos),
    };

    return cmocka_run_group_tests_name("gssmsg", tests, NULL, NULL);
}
