/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our word for a mechanism <-> its OID.  Knows no credential and no context.
 */
#include <config.h>

#include "gss/mech.h"

#include <string.h>

#include <gssapi/gssapi_krb5.h>

#include "src/base/base.h"

/* gss_OID_desc wants writable bytes; these are never written. */
static unsigned char spnego[] = {0x2b, 0x06, 0x01, 0x05, 0x05, 0x02};
static unsigned char ntlmssp[] = {0x2b, 0x06, 0x01, 0x04, 0x01,
                                  0x82, 0x37, 0x02, 0x02, 0x0a};
static unsigned char krb5[] = {0x2a, 0x86, 0x48, 0x86, 0xf7,
                               0x12, 0x01, 0x02, 0x02};
/* Microsoft's misspelling of Kerberos, which Windows still offers. */
static unsigned char ms_krb5[] = {0x2a, 0x86, 0x48, 0x82, 0xf7,
                                  0x12, 0x01, 0x02, 0x02};

/* The first row of a mechanism is the one that we initiate with. */
static struct {
    gc_mech mech;
    const char *word;
    gss_OID_desc oid;
} mechs[] = {
    {GC_MECH_KERBEROS, "kerberos", {sizeof(krb5), krb5}},
    {GC_MECH_NEGOTIATE, "negotiate", {sizeof(spnego), spnego}},
    {GC_MECH_NTLM, "ntlm", {sizeof(ntlmssp), ntlmssp}},
    {GC_MECH_KERBEROS, "kerberos", {sizeof(ms_krb5), ms_krb5}},
};

bool
gc_mech_parse(const char *word, gc_mech *ret_mech)
{
    for (size_t i = 0; i < GC_COUNT_OF(mechs); i++) {
        if (strcmp(mechs[i].word, word) != 0)
            continue;
        *ret_mech = mechs[i].mech;
        return true;
    }
    return false;
}

const char *
gc_mech_word(gc_mech mech)
{
    for (size_t i = 0; i < GC_COUNT_OF(mechs); i++)
        if (mechs[i].mech == mech)
            return mechs[i].word;
    return "unknown";
}

gss_OID
gc_mech_oid(gc_mech mech)
{
    for (size_t i = 0; i < GC_COUNT_OF(mechs); i++)
        if (mechs[i].mech == mech)
            return &mechs[i].oid;
    return GSS_C_NO_OID;
}

bool
gc_mech_from_oid(gss_const_OID oid, gc_mech *ret_mech)
{
    if (oid == GSS_C_NO_OID)
        return false;
    for (size_t i = 0; i < GC_COUNT_OF(mechs); i++) {
        if (oid->length != mechs[i].oid.length
            || memcmp(oid->elements, mechs[i].oid.elements, oid->length) != 0)
            continue;
        *ret_mech = mechs[i].mech;
        return true;
    }
    return false;
}

bool
gc_mech_is_first_token(const struct gc_bytes *token, gc_mech mech)
{
    static const char signature[] = "NTLMSSP"; /* with its NUL */
    const gss_OID_desc *oid = gc_mech_oid(mech);
    const unsigned char *data = token->data;
    size_t at = 2, long_form;

    if (token->len < 4 || token->len > GC_TOKEN_MAX)
        return false;
    if (mech == GC_MECH_NTLM)
        return token->len >= sizeof(signature)
               && memcmp(data, signature, sizeof(signature)) == 0;
    if (data[0] != 0x60)
        return false;
    long_form = data[1] < 0x80 ? 0 : data[1] & 0x7fu;
    if (long_form > 4 || token->len - at < long_form + 2 + oid->length)
        return false;
    at += long_form;
    return data[at] == 0x06 && data[at + 1] == oid->length
           && memcmp(data + at + 2, oid->elements, oid->length) == 0;
}
