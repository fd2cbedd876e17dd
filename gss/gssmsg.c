/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Major and minor codes -> words.  Knows Kerberos' error numbers, not what the
 * callers were doing.
 */
#include <config.h>

#include "gss/gssmsg.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <krb5.h>

#define TEXT_MAX 320 /* leaves room for the caller's half of the sentence */

#define KDC_HINT                                                               \
    "check that a KDC of the realm is up and reachable, and krb5.conf"
#define GARBLED_HINT                                                           \
    "what answers at the KDC's address is not a KDC, or is broken"
#define KINIT_HINT   "get a ticket with kinit, then try again"
#define ACCOUNT_HINT "check the name and the state of the account in its realm"

/* A row with an empty hint is one where the sentence says it all; NULL stands
 * for GC_ADVICE_TARGET. */
static const struct {
    krb5_error_code code;
    gc_status status;
    const char *hint;
} minors[] = {
    {KRB5_KDC_UNREACH, GC_E_UNAVAILABLE, KDC_HINT},
    {KRB5_REALM_CANT_RESOLVE, GC_E_UNAVAILABLE, KDC_HINT},
    {KRB5KDC_ERR_SVC_UNAVAILABLE, GC_E_UNAVAILABLE, KDC_HINT},
    {KRB5KRB_AP_ERR_MSG_TYPE, GC_E_UNAVAILABLE, GARBLED_HINT},
    {KRB5KRB_AP_ERR_BADVERSION, GC_E_UNAVAILABLE, GARBLED_HINT},
    {KRB5_BADMSGTYPE, GC_E_UNAVAILABLE, GARBLED_HINT},
    {KRB5_KDCREP_MODIFIED, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_BAD_TIMEFORMAT, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_MISSING_FIELD, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_MISPLACED_FIELD, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_TYPE_MISMATCH, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_OVERFLOW, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_OVERRUN, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_BAD_ID, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_BAD_LENGTH, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_BAD_FORMAT, GC_E_UNAVAILABLE, GARBLED_HINT},
    {ASN1_PARSE_ERROR, GC_E_UNAVAILABLE, GARBLED_HINT},
    {KRB5_REALM_UNKNOWN, GC_E_NO_CREDENTIAL,
     "check the realm's name, and krb5.conf for a KDC of it"},

    {KRB5KDC_ERR_PREAUTH_FAILED, GC_E_DENIED,
     "the password or key is not the account's"},
    {KRB5KRB_AP_ERR_BAD_INTEGRITY, GC_E_DENIED,
     "the password or key is not the account's"},
    {KRB5KRB_AP_ERR_BADMATCH, GC_E_DENIED,
     "the cache's tickets were issued to somebody else"},
    {KRB5KDC_ERR_C_PRINCIPAL_UNKNOWN, GC_E_DENIED, ACCOUNT_HINT},
    {KRB5KDC_ERR_CLIENT_REVOKED, GC_E_DENIED, ACCOUNT_HINT},
    {KRB5KDC_ERR_CLIENT_NOTYET, GC_E_DENIED, ACCOUNT_HINT},
    {KRB5KDC_ERR_NAME_EXP, GC_E_DENIED, ACCOUNT_HINT},
    {KRB5KDC_ERR_KEY_EXP, GC_E_DENIED, "change the password with kpasswd"},
    {KRB5KDC_ERR_POLICY, GC_E_DENIED, ACCOUNT_HINT},
    {KRB5KDC_ERR_BADOPTION, GC_E_DENIED,
     "the KDC does not let this account act for that user at that target"},

    {KRB5KDC_ERR_S_PRINCIPAL_UNKNOWN, GC_E_NO_CREDENTIAL, NULL},
    {KRB5KRB_AP_ERR_TKT_EXPIRED, GC_E_NO_CREDENTIAL, KINIT_HINT},
    {KRB5_FCC_NOFILE, GC_E_NO_CREDENTIAL, KINIT_HINT},
    {KRB5_CC_NOTFOUND, GC_E_NO_CREDENTIAL, KINIT_HINT},
    {KRB5_CC_END, GC_E_NO_CREDENTIAL, KINIT_HINT},
    {KRB5_CC_FORMAT, GC_E_NO_CREDENTIAL, KINIT_HINT},
    {KRB5_FCC_PERM, GC_E_NO_CREDENTIAL,
     "the cache must be readable by the user who runs this"},
    {KRB5_CC_UNKNOWN_TYPE, GC_E_CONFIG,
     "a cache is named TYPE:residual, like FILE:/tmp/krb5cc_1000"},
    {KRB5_CC_BADNAME, GC_E_CONFIG,
     "a cache is named TYPE:residual, like FILE:/tmp/krb5cc_1000"},
    {KRB5_KT_UNKNOWN_TYPE, GC_E_CONFIG,
     "a keytab is named by its path, or FILE:path"},
    {KRB5_KT_NOTFOUND, GC_E_NO_CREDENTIAL,
     "look with klist -k whether the keytab holds that principal"},
    {KRB5_KEYTAB_BADVNO, GC_E_NO_CREDENTIAL, "the file is not a keytab"},
    {KRB5_CONFIG_CANTOPEN, GC_E_CONFIG, "check KRB5_CONFIG and krb5.conf"},
    {KRB5_CONFIG_BADFORMAT, GC_E_CONFIG, "check krb5.conf"},
    {KRB5_CONFIG_NODEFREALM, GC_E_CONFIG,
     "write the realm, as in alice@EXAMPLE.COM"},
    {KRB5_PARSE_MALFORMED, GC_E_CONFIG, "a principal is written name@REALM"},
    {KRB5KRB_AP_ERR_SKEW, GC_E_NO_CREDENTIAL, "set this host's clock"},
    {KRB5_KDCREP_SKEW, GC_E_NO_CREDENTIAL, "set this host's clock"},
    {KRB5KRB_AP_ERR_TKT_NYV, GC_E_NO_CREDENTIAL, "set this host's clock"},
    {ENOENT, GC_E_NO_CREDENTIAL, ""},
    {EACCES, GC_E_NO_CREDENTIAL,
     "the file must be readable by the user who runs this"},
    {ENOMEM, GC_E_NO_MEMORY, ""},
};

static const struct {
    OM_uint32 major;
    gc_status status;
    const char *hint;
} majors[] = {
    {GSS_S_BAD_MECH, GC_E_NOT_SUPPORTED,
     "install the mechanism (for NTLM: gss-ntlmssp)"},
    {GSS_S_UNAVAILABLE, GC_E_NOT_SUPPORTED, ""},
    {GSS_S_BAD_NAME, GC_E_CONFIG, ""},
    {GSS_S_BAD_NAMETYPE, GC_E_CONFIG, ""},
    {GSS_S_CREDENTIALS_EXPIRED, GC_E_NO_CREDENTIAL, KINIT_HINT},
    {GSS_S_NO_CRED, GC_E_NO_CREDENTIAL, KINIT_HINT},
};

/*
 * The library's words for CODE in DST, as much as fits.  The text is counted,
 * not terminated, and may come in pieces.
 */
static void
words(char *dst, size_t dst_size, OM_uint32 code, int type, gss_OID mech)
{
    OM_uint32 more = 0, ignored;
    size_t used = 0;

    dst[0] = '\0';
    for (int piece = 0; piece < 8; piece++) {
        gss_buffer_desc text = GSS_C_EMPTY_BUFFER;

        if (gss_display_status(&ignored, code, type, mech, &more, &text)
            != GSS_S_COMPLETE)
            return;
        if (text.length > 0 && used + text.length + 3 < dst_size) {
            if (used > 0) {
                memcpy(dst + used, ", ", 2);
                used += 2;
            }
            memcpy(dst + used, text.value, text.length);
            used += text.length;
            dst[used] = '\0';
        }
        (void)gss_release_buffer(&ignored, &text);
        if (more == 0)
            return;
    }
}

GC_PRINTF(4, 0)
static gc_status
say(struct gc_error *err, gc_status status, const struct gc_verdict *verdict,
    const char *fmt, va_list args)
{
    char what[GC_ERROR_MESSAGE_SIZE], why[TEXT_MAX];

    (void)vsnprintf(what, sizeof(what), fmt, args);
    words(why, sizeof(why), verdict->minor, GSS_C_MECH_CODE, verdict->mech);
    /* The major code says less; it is for where there is no other. */
    if (verdict->minor == 0 || why[0] == '\0')
        words(why, sizeof(why), verdict->major, GSS_C_GSS_CODE, verdict->mech);
    (void)gc_fail(err, status, "%s: %s", what, why);
    if (err != NULL) {
        err->gss_major = verdict->major;
        err->gss_minor = verdict->minor;
    }
    return status;
}

gc_status
gc_gssmsg_fail(struct gc_error *err, gc_status status,
               const struct gc_verdict *verdict, const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)say(err, status, verdict, fmt, args);
    va_end(args);
    return status;
}

gc_status
gc_gssmsg_judge(struct gc_error *err, gc_status fallback,
                const struct gc_verdict *verdict, const char *fmt, ...)
{
    gc_status status = fallback;
    const char *hint = "";
    va_list args;

    for (size_t i = 0; i < GC_COUNT_OF(majors); i++) {
        if (GSS_ROUTINE_ERROR(verdict->major) != majors[i].major)
            continue;
        status = majors[i].status;
        hint = majors[i].hint;
    }
    for (size_t i = 0; verdict->minor != 0 && i < GC_COUNT_OF(minors); i++) {
        if (verdict->minor != (OM_uint32)minors[i].code)
            continue;
        status = minors[i].status;
        hint = minors[i].hint;
        break;
    }
    va_start(args, fmt);
    (void)say(err, status, verdict, fmt, args);
    va_end(args);
    return hint == NULL ? gc_fail_advise(err, status, GC_ADVICE_TARGET)
                        : gc_fail_hint(err, status, "%s", hint);
}
