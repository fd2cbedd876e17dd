/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GSS-API names.  Knows the name types; never asks DNS, and imports nothing as
 * a type that would.
 */
#include <config.h>

#include "gss/name.h"

#include <stdio.h>
#include <string.h>

#include <gssapi/gssapi_krb5.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"

void
gc_name_clear(struct gc_name *name)
{
    OM_uint32 ignored;

    (void)gss_release_name(&ignored, &name->handle);
    name->handle = GSS_C_NO_NAME;
}

/* TEXT is not changed, although GSS-API's type is not const. */
static gc_status
import(char *text, gss_OID type, gc_mech mech, struct gc_name *ret_name,
       struct gc_error *err)
{
    gss_buffer_desc in = {strlen(text), text};
    struct gc_verdict v = {.mech = gc_mech_oid(mech)};
    gss_name_t handle = GSS_C_NO_NAME;

    v.major = gss_import_name(&v.minor, &in, type, &handle);
    if (v.major != GSS_S_COMPLETE)
        return gc_gssmsg_judge(err, GC_E_CONFIG, &v, "the name \"%s\"", text);
    gc_name_clear(ret_name);
    ret_name->handle = handle;
    return GC_OK;
}

/* Kerberos reads a backslash as an escape: DOM\alice would be DOMalice. */
static gc_status
check_principal(const char *text, struct gc_error *err)
{
    size_t len = strlen(text);
    gc_status st = GC_OK;

    if (strchr(text, '\\') != NULL)
        st = gc_fail(err, GC_E_CONFIG,
                     "\"%s\" is not a Kerberos principal: it has a backslash",
                     text);
    else if (len == 0 || text[0] == '@' || text[len - 1] == '@')
        st = gc_fail(err, GC_E_CONFIG,
                     "\"%s\" is not a Kerberos principal: a part is missing",
                     text);
    for (size_t i = 0; st == GC_OK && i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            st = gc_fail(err, GC_E_CONFIG,
                         "a control character in the principal \"%s\"", text);
    if (st == GC_OK)
        return GC_OK;
    return gc_fail_hint(err, st, "write it like alice@EXAMPLE.COM");
}

gc_status
gc_name_import_user(const char *text, gc_mech mech, struct gc_name *ret_name,
                    struct gc_error *err)
{
    char copy[GC_PRINCIPAL_SIZE];
    gc_status st;

    if (mech != GC_MECH_NTLM) {
        st = check_principal(text, err);
        if (st != GC_OK)
            return st;
    }
    if (snprintf(copy, sizeof(copy), "%s", text) >= (int)sizeof(copy))
        return gc_fail(err, GC_E_CONFIG, "a principal of more than %d bytes",
                       GC_PRINCIPAL_SIZE - 1);
    if (mech == GC_MECH_NTLM)
        return import(copy, GSS_C_NT_USER_NAME, mech, ret_name, err);
    return import(copy, GSS_KRB5_NT_PRINCIPAL_NAME, mech, ret_name, err);
}

/*
 * As the Kerberos principal "host/name@": an empty realm asks the client's KDC,
 * which refers us onwards.  Never hostbased, which MIT canonicalises through
 * DNS; NTLM does not, and knows no other form.
 */
gc_status
gc_name_import_target(const struct gc_spn *spn, gc_mech mech,
                      struct gc_name *ret_name, struct gc_error *err)
{
    char text[GC_TARGET_SIZE];

    if (mech == GC_MECH_NTLM) {
        (void)snprintf(text, sizeof(text), "%s@%s", spn->service, spn->host);
        return import(text, GSS_C_NT_HOSTBASED_SERVICE, mech, ret_name, err);
    }
    gc_spn_principal(spn, text);
    return import(text, GSS_KRB5_NT_PRINCIPAL_NAME, mech, ret_name, err);
}

/* The mechanism's own form: only that one has its default realm in it. */
static gc_status
display(const struct gc_name *name, gc_mech mech, gss_buffer_t text,
        struct gc_error *err)
{
    /* SPNEGO has no names of its own, and here always means Kerberos. */
    gc_mech own = mech == GC_MECH_NEGOTIATE ? GC_MECH_KERBEROS : mech;
    struct gc_verdict v = {.mech = gc_mech_oid(own)};
    GC_AUTO(gc_name) canonical = {GSS_C_NO_NAME};

    v.major = gss_canonicalize_name(&v.minor, name->handle, v.mech,
                                    &canonical.handle);
    if (v.major == GSS_S_COMPLETE)
        v.major = gss_display_name(&v.minor, canonical.handle, text, NULL);
    if (v.major != GSS_S_COMPLETE)
        return gc_gssmsg_judge(err, GC_E_CONFIG, &v, "the credential's name");
    return GC_OK;
}

gc_status
gc_name_print(const struct gc_name *name, gc_mech mech,
              char dst[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    gc_status st = display(name, mech, &text, err);
    OM_uint32 ignored;

    if (st != GC_OK)
        return st;
    /* gss-ntlmssp counts the terminator. */
    if (mech == GC_MECH_NTLM && text.length > 0
        && ((const char *)text.value)[text.length - 1] == '\0')
        text.length--;
    if (text.length == 0 || text.length >= GC_PRINCIPAL_SIZE
        || memchr(text.value, '\0', text.length) != NULL) {
        st = gc_fail(err, GC_E_INTERNAL,
                     "a principal's name of %zu bytes that cannot be kept",
                     text.length);
    } else {
        memcpy(dst, text.value, text.length);
        dst[text.length] = '\0';
    }
    (void)gss_release_buffer(&ignored, &text);
    return st;
}
