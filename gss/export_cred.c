/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gss_export_cred and gss_import_cred.  Does not know which process lends to
 * which.
 */
#include <config.h>

#include "gss/export_cred.h"

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
                     "the tickets have %zu bytes, more than %d", token.length,
                     GC_TOKEN_MAX);
    else
        st = gc_bytes_set(ret_bytes, token.value, token.length, err);
    if (token.value != NULL)
        explicit_bzero(token.value, token.length);
    (void)gss_release_buffer(&ignored, &token);
    return st;
}

/*
 * Copy FROM's ticket-granting tickets to TO.  Service tickets stay out: each
 * holds all groups of its user, and a dozen do not fit into a frame.
 */
static krb5_error_code
copy_tgts(const struct gc_ccache *from, const struct gc_ccache *to)
{
    krb5_context krb5 = from->krb5;
    krb5_principal owner = NULL;
    krb5_cc_cursor cursor;
    krb5_creds ticket;
    krb5_error_code code = krb5_cc_get_principal(krb5, from->cache, &owner);

    if (code == 0)
        code = krb5_cc_initialize(krb5, to->cache, owner);
    krb5_free_principal(krb5, owner);
    if (code == 0)
        code = krb5_cc_start_seq_get(krb5, from->cache, &cursor);
    if (code != 0)
        return code;
    while (code == 0) {
        code = krb5_cc_next_cred(krb5, from->cache, &cursor, &ticket);
        if (code != 0)
            break;
        if (gc_ccache_is_tgt(ticket.server))
            code = krb5_cc_store_cred(krb5, to->cache, &ticket);
        krb5_free_cred_contents(krb5, &ticket);
    }
    (void)krb5_cc_end_seq_get(krb5, from->cache, &cursor);
    return code == KRB5_CC_END ? 0 : code;
}

static gc_status
thin_out(const struct gc_ccache *all, struct gc_ccache *ret_cache,
         struct gc_error *err)
{
    struct gc_verdict v = {GSS_S_FAILURE, 0, gc_mech_oid(GC_MECH_KERBEROS)};
    gc_status st = gc_ccache_new(ret_cache, err);

    if (st != GC_OK)
        return st;
    v.minor = (OM_uint32)copy_tgts(all, ret_cache);
    return v.minor == 0 ? GC_OK
                        : gc_gssmsg_judge(err, GC_E_INTERNAL, &v,
                                          "cannot choose what to lend");
}

/*
 * Always through a cache: a credential acquired with a password keeps it and
 * would export it in clear, and one in a file exports the file's name.
 */
gc_status
gc_export_cred(const struct gc_credential *credential,
               struct gc_bytes *ret_bytes, struct gc_error *err)
{
    GC_AUTO(gc_ccache) all = {NULL, NULL, NULL}, tgts = {NULL, NULL, NULL};
    GC_AUTO(gc_name) name = {GSS_C_NO_NAME};
    struct gc_want want = {.source = GC_SOURCE_CCACHE};
    gss_cred_id_t fresh = GSS_C_NO_CREDENTIAL;
    OM_uint32 ignored;
    gc_status st;

    if (credential->mech == GC_MECH_NTLM || credential->stands_in)
        return gc_fail(err, GC_E_NOT_SUPPORTED,
                       "only a user's own Kerberos tickets can be lent");
    st = gc_name_import_user(credential->principal, GC_MECH_KERBEROS, &name,
                             err);
    if (st == GC_OK)
        st = gc_ccache_new(&all, err);
    if (st == GC_OK)
        st = gc_source_store(credential->plain != GSS_C_NO_CREDENTIAL
                                 ? credential->plain
                                 : credential->handle,
                             &all, err);
    if (st == GC_OK)
        st = thin_out(&all, &tgts, err);
    if (st == GC_OK)
        st = gc_source_acquire(&want, &name, GC_MECH_KERBEROS, &tgts, &fresh,
                               err);
    if (st == GC_OK)
        st = export(fresh, ret_bytes, err);
    (void)gss_release_cred(&ignored, &fresh); /* before its cache */
    return st;
}

gc_status
gc_import_cred(const struct gc_bytes *bytes, struct gc_ccache *ret_cache,
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
    /* Take nothing else that it holds. */
    st = gc_ccache_new(&cache, err);
    if (st == GC_OK && gc_source_store(handle, &cache, err) != GC_OK)
        st = gc_fail(err, GC_E_NO_CREDENTIAL,
                     "there are no Kerberos tickets in what was lent");
    (void)gss_release_cred(&ignored, &handle);
    if (st != GC_OK)
        return st;
    gc_ccache_move(ret_cache, &cache);
    return GC_OK;
}
