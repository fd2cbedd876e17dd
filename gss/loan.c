/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gss_export_cred and gss_import_cred.  Knows nothing of who lends to whom.
 */
#include <config.h>

#include "gss/loan.h"

#include <string.h>

#include <gssapi/gssapi_ext.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"
#include "gss/name.h"
#include "gss/source.h"

static gc_status export(gss_cred_id_t handle, struct gc_bytes *ret_bytes,
                        struct gc_error *err)
{
    gss_buffer_desc token = GSS_C_EMPTY_BUFFER;
    struct gc_verdict v = {.mech = gc_mech_oid(GC_MECH_KERBEROS)};
    OM_uint32 ignored;
    gc_status st;

    v.major = gss_export_cred(&v.minor, handle, &token);
    if (v.major != GSS_S_COMPLETE)
        return gc_gssmsg_judge(err, GC_E_INTERNAL, &v,
                               "cannot take the tickets out of the credential");
    if (token.length == 0 || token.length > GC_TOKEN_MAX)
        st = gc_fail(err, GC_E_NOT_SUPPORTED,
                     "the tickets have %zu bytes, and may have %d",
                     token.length, GC_TOKEN_MAX);
    else
        st = gc_bytes_set(ret_bytes, token.value, token.length, err);
    if (token.value != NULL)
        explicit_bzero(token.value, token.length);
    (void)gss_release_buffer(&ignored, &token);
    return st;
}

/*
 * By way of a cache, always: a credential that came with a password keeps it,
 * and would hand it over in clear; one in a file hands over the file's name.
 */
gc_status
gc_loan_give(const struct gc_credential *credential, struct gc_bytes *ret_bytes,
             struct gc_error *err)
{
    GC_AUTO(gc_ccache) cache = {NULL, NULL, NULL};
    GC_AUTO(gc_name) name = {GSS_C_NO_NAME};
    GC_AUTO(gc_want) want = {.source = GC_SOURCE_CCACHE};
    gss_cred_id_t fresh = GSS_C_NO_CREDENTIAL;
    OM_uint32 ignored;
    gc_status st;

    if (credential->mech == GC_MECH_NTLM || credential->stands_in)
        return gc_fail(err, GC_E_NOT_SUPPORTED,
                       "only a user's own Kerberos tickets can be lent");
    st = gc_name_import_user(credential->principal, GC_MECH_KERBEROS, &name,
                             err);
    if (st == GC_OK)
        st = gc_ccache_new(&cache, err);
    if (st == GC_OK)
        st = gc_source_store(credential->plain != GSS_C_NO_CREDENTIAL
                                 ? credential->plain
                                 : credential->handle,
                             &cache, err);
    if (st == GC_OK)
        st = gc_source_acquire(&want, &name, GC_MECH_KERBEROS, &cache, &fresh,
                               err);
    if (st == GC_OK)
        st = export(fresh, ret_bytes, err);
    (void)gss_release_cred(&ignored, &fresh); /* before its cache */
    return st;
}

gc_status
gc_loan_take(const struct gc_bytes *bytes, struct gc_ccache *ret_cache,
             struct gc_error *err)
{
    GC_AUTO(gc_ccache) cache = {NULL, NULL, NULL};
    gss_buffer_desc token = {bytes->len, bytes->data};
    struct gc_verdict v = {.mech = gc_mech_oid(GC_MECH_KERBEROS)};
    gss_cred_id_t handle = GSS_C_NO_CREDENTIAL;
    OM_uint32 ignored;
    gc_status st;

    v.major = gss_import_cred(&v.minor, &token, &handle);
    if (v.major != GSS_S_COMPLETE)
        return gc_gssmsg_fail(err, GC_E_NO_CREDENTIAL, &v,
                              "what was lent is no credential");
    /* Whatever else is in there is left behind. */
    st = gc_ccache_new(&cache, err);
    if (st == GC_OK && gc_source_store(handle, &cache, err) != GC_OK)
        st = gc_fail(err, GC_E_NO_CREDENTIAL,
                     "there are no Kerberos tickets in what was lent");
    (void)gss_release_cred(&ignored, &handle);
    if (st != GC_OK)
        return st;
    gc_ccache_clear(ret_cache);
    *ret_cache = cache;
    cache = (struct gc_ccache){NULL, NULL, NULL};
    return GC_OK;
}
