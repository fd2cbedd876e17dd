/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acquires a credential: of whom, for which mechanism, in which order of calls.
 * Knows no target and no context; source.c knows where credentials are kept.
 *
 * Every Kerberos credential is first acquired for plain Kerberos, which gives
 * its name, its lifetime and the KDC's verdict.  SPNEGO's is then acquired by
 * that name from the same place: given the Kerberos one, SPNEGO silently takes
 * the default credential instead.
 */
#include <config.h>

#include "gss/credential.h"

#include <string.h>
#include <time.h>

#include <gssapi/gssapi_ext.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"
#include "gss/name.h"
#include "gss/source.h"
#include "gss/user_ccache.h"
#include "src/base/clock.h"

void
gc_credential_clear(struct gc_credential *credential)
{
    OM_uint32 ignored;

    /* In this order: the handle may live in the cache. */
    (void)gss_release_cred(&ignored, &credential->handle);
    (void)gss_release_cred(&ignored, &credential->plain);
    gc_ccache_clear(&credential->cache);
    *credential = (struct gc_credential){.handle = GSS_C_NO_CREDENTIAL};
}

/*
 * Whose is it, and is it valid?  GSS-API acquires an expired credential without
 * an error, and a lazy one has no name until it is asked for.
 */
static gc_status
inspect(const struct gc_want *want, struct gc_credential *credential,
        struct gc_error *err)
{
    GC_AUTO(gc_name) name = {GSS_C_NO_NAME};
    struct gc_verdict v = {.mech = gc_mech_oid(credential->mech)};
    OM_uint32 lifetime = 0;
    gc_status st;

    /* Two calls: asked for both, MIT leaks the name of an expired one. */
    v.major = gss_inquire_cred(&v.minor, credential->handle, NULL, &lifetime,
                               NULL, NULL);
    if (v.major == GSS_S_CREDENTIALS_EXPIRED
        || (v.major == GSS_S_COMPLETE && lifetime == 0)) {
        st = gc_fail(err, GC_E_NO_CREDENTIAL,
                     "the credential from %s%s%.200s has expired",
                     gc_source_what(want), want->place[0] == '\0' ? "" : " ",
                     want->place);
        return gc_fail_hint(err, st, "%s", gc_source_hint(want));
    }
    credential->expires =
        lifetime == GSS_C_INDEFINITE ? INT64_MAX : gc_clock_epoch() + lifetime;
    if (v.major == GSS_S_COMPLETE)
        v.major = gss_inquire_cred(&v.minor, credential->handle, &name.handle,
                                   NULL, NULL, NULL);
    if (v.major != GSS_S_COMPLETE)
        return gc_source_refuse(want, &v, err);
    if (name.handle == GSS_C_NO_NAME)
        return gc_fail(err, GC_E_NO_CREDENTIAL, "a credential without a name");
    return gc_name_print(&name, credential->mech, credential->principal, err);
}

/* The principal found must be the one that was asked for, in full. */
static gc_status
check_name(const struct gc_want *want, const struct gc_name *asked,
           const struct gc_credential *credential, struct gc_error *err)
{
    char expected[GC_PRINCIPAL_SIZE];
    gc_status st;

    if (asked->handle == GSS_C_NO_NAME)
        return GC_OK;
    st = gc_name_print(asked, credential->mech, expected, err);
    if (st != GC_OK)
        return st;
    if (strcmp(expected, credential->principal) == 0)
        return GC_OK;
    st = gc_fail(err, GC_E_NO_CREDENTIAL, "%s holds %.200s, not %.200s",
                 gc_source_what(want), credential->principal, expected);
    return gc_fail_hint(err, st, "%s", gc_source_hint(want));
}

/* Not expired, and ASKED's where ASKED is not empty. */
static gc_status
vet(const struct gc_want *want, const struct gc_name *asked,
    struct gc_credential *credential, struct gc_error *err)
{
    gc_status st = inspect(want, credential, err);

    return st == GC_OK ? check_name(want, asked, credential, err) : st;
}

/* The credential for MECH itself, from the place that WANT names. */
static gc_status
acquire(const struct gc_want *want, const struct gc_name *asked, gc_mech mech,
        struct gc_credential *credential, struct gc_error *err)
{
    gc_status st = GC_OK;

    if (want->source == GC_SOURCE_KEYTAB
        || want->source == GC_SOURCE_CLIENT_KEYTAB)
        st = gc_ccache_new(&credential->cache, err);
    if (st != GC_OK)
        return st;
    if (want->source == GC_SOURCE_PASSWORD)
        st = gc_source_acquire_password(want, asked, mech, &credential->handle,
                                        err);
    else
        st = gc_source_acquire(want, asked, mech, &credential->cache,
                               &credential->handle, err);
    if (st != GC_OK)
        return st;
    credential->mech = mech;
    return vet(want, asked, credential, err);
}

/* Without this SPNEGO falls back to NTLM whenever Kerberos fails. */
static gc_status
pin(struct gc_credential *credential, struct gc_error *err)
{
    gss_OID_set_desc krb5 = gc_source_only(GC_MECH_KERBEROS);
    struct gc_verdict v = {.mech = gc_mech_oid(GC_MECH_NEGOTIATE)};

    v.major = gss_set_neg_mechs(&v.minor, credential->handle, &krb5);
    if (v.major != GSS_S_COMPLETE)
        return gc_gssmsg_judge(err, GC_E_INTERNAL, &v,
                               "cannot keep SPNEGO to Kerberos");
    return GC_OK;
}

/*
 * CREDENTIAL, acquired for Kerberos, becomes SPNEGO's.  The Kerberos one stays
 * as PLAIN, for the sake of its error codes.
 */
static gc_status
become_spnego(const struct gc_want *want, struct gc_credential *credential,
              struct gc_error *err)
{
    GC_AUTO(gc_name) name = {GSS_C_NO_NAME};
    gc_status st = gc_name_import_user(credential->principal, GC_MECH_KERBEROS,
                                       &name, err);

    credential->plain = credential->handle;
    credential->handle = GSS_C_NO_CREDENTIAL;
    /* A password's ticket can reach SPNEGO only through a cache. */
    if (st == GC_OK && want->source == GC_SOURCE_PASSWORD) {
        st = gc_ccache_new(&credential->cache, err);
        if (st == GC_OK)
            st = gc_source_store(credential->plain, &credential->cache, err);
    }
    if (st == GC_OK)
        st = gc_source_acquire(want, &name, GC_MECH_NEGOTIATE,
                               &credential->cache, &credential->handle, err);
    if (st != GC_OK)
        return st;
    credential->mech = GC_MECH_NEGOTIATE;
    st = pin(credential, err);
    return st == GC_OK ? vet(want, &name, credential, err) : st;
}

/* *HANDLE, a service's, becomes USER's.  Asks the KDC for S4U2Self. */
static gc_status
stand_in(const struct gc_want *want, const struct gc_credential *credential,
         const struct gc_name *user, gss_cred_id_t *handle, gc_mech mech,
         struct gc_error *err)
{
    gss_OID_set_desc mechs = gc_source_only(mech);
    struct gc_verdict v = {.mech = mechs.elements};
    gss_cred_id_t fresh = GSS_C_NO_CREDENTIAL;
    OM_uint32 ignored;

    v.major = gss_acquire_cred_impersonate_name(
        &v.minor, *handle, user->handle, GSS_C_INDEFINITE, &mechs,
        GSS_C_INITIATE, &fresh, NULL, NULL);
    if (v.major != GSS_S_COMPLETE)
        return gc_gssmsg_judge(err, GC_E_NO_CREDENTIAL, &v,
                               "%.200s cannot act on behalf of %.200s",
                               credential->principal, want->on_behalf_of);
    (void)gss_release_cred(&ignored, handle);
    *handle = fresh;
    return GC_OK;
}

/* S4U2Self now; S4U2Proxy follows by itself when the context wants a ticket. */
static gc_status
impersonate(const struct gc_want *want, struct gc_credential *credential,
            struct gc_error *err)
{
    GC_AUTO(gc_name) user = {GSS_C_NO_NAME};
    gc_status st =
        gc_name_import_user(want->on_behalf_of, GC_MECH_KERBEROS, &user, err);

    if (st == GC_OK && credential->plain != GSS_C_NO_CREDENTIAL)
        st = stand_in(want, credential, &user, &credential->plain,
                      GC_MECH_KERBEROS, err);
    if (st == GC_OK)
        st = stand_in(want, credential, &user, &credential->handle,
                      credential->mech, err);
    if (st == GC_OK && credential->mech == GC_MECH_NEGOTIATE)
        st = pin(credential, err);
    credential->stands_in = true;
    return st == GC_OK ? vet(want, &user, credential, err) : st;
}

/* Check what no library checks, or checks too late. */
static gc_status
check_want(const struct gc_want *want, struct gc_error *err)
{
    bool ntlm = want->mech == GC_MECH_NTLM;
    bool named = want->principal[0] != '\0';

    if (ntlm && want->source != GC_SOURCE_DEFAULT
        && want->source != GC_SOURCE_PASSWORD)
        return gc_fail(err, GC_E_CONFIG, "NTLM knows no caches and no keytabs");
    if (ntlm && want->on_behalf_of[0] != '\0')
        return gc_fail(err, GC_E_CONFIG, "NTLM cannot act on behalf of others");
    if (want->source == GC_SOURCE_CCACHE && want->place[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "a credential cache without a name");
    if (want->source == GC_SOURCE_KEYTAB && want->place[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "a keytab without a name");
    if (want->source == GC_SOURCE_KEYTAB && !named)
        return gc_fail(err, GC_E_CONFIG, "a keytab needs a principal");
    if (want->source == GC_SOURCE_PASSWORD && !named)
        return gc_fail(err, GC_E_CONFIG, "a password needs a principal");
    /* A directory may take an empty password as an anonymous login. */
    if (want->source == GC_SOURCE_PASSWORD
        && (want->password == NULL || want->password->len == 0))
        return gc_fail(err, GC_E_DENIED, "the password is empty");
    return GC_OK;
}

/*
 * Name the cache that WANT's credential is in: the copy in CREDENTIAL's cache,
 * if there is one.
 *
 * Name the default cache, too: where MIT 1.20 looks for it by itself and cannot
 * read it, it frees a principal that it never read.
 */
static gc_status
locate(const struct gc_want *want, struct gc_ccache_file *file,
       struct gc_credential *credential, char place[GC_PLACE_SIZE],
       struct gc_error *err)
{
    struct gc_spn target;
    gc_status st = GC_OK;

    if (want->source == GC_SOURCE_OWN_CCACHE)
        return gc_user_ccache_take(want->place, &credential->cache, place, err);
    if (want->mech == GC_MECH_NTLM
        || (want->source != GC_SOURCE_DEFAULT
            && want->source != GC_SOURCE_CCACHE))
        return GC_OK;
    if (want->source == GC_SOURCE_DEFAULT)
        st = gc_ccache_default_name(want->principal, place, err);
    if (st != GC_OK || gc_spn_parse(want->target, &target, NULL) != GC_OK
        || !gc_ccache_file_read(file, place))
        return st;
    credential->selected =
        gc_ccache_file_select(file, &target, &credential->cache);
    return GC_OK;
}

gc_status
gc_credential_acquire(const struct gc_want *want, struct gc_ccache_file *file,
                      struct gc_credential *ret_credential,
                      struct gc_error *err)
{
    GC_AUTO(gc_credential) credential = {.handle = GSS_C_NO_CREDENTIAL};
    GC_AUTO(gc_name) asked = {GSS_C_NO_NAME};
    struct gc_want from = *want; /* its place as it was found to be */
    gc_status st = check_want(want, err);

    if (st == GC_OK && want->principal[0] != '\0')
        st = gc_name_import_user(want->principal, want->mech, &asked, err);
    if (st == GC_OK)
        st = locate(want, file, &credential, from.place, err);
    if (st != GC_OK)
        return st;
    st = acquire(&from, &asked,
                 want->mech == GC_MECH_NTLM ? GC_MECH_NTLM : GC_MECH_KERBEROS,
                 &credential, err);
    if (st == GC_OK && want->mech == GC_MECH_NEGOTIATE)
        st = become_spnego(&from, &credential, err);
    if (st == GC_OK && want->on_behalf_of[0] != '\0')
        st = impersonate(&from, &credential, err);
    if (st != GC_OK)
        return st;
    gc_credential_clear(ret_credential);
    *ret_credential = credential;
    credential = (struct gc_credential){.handle = GSS_C_NO_CREDENTIAL};
    return GC_OK;
}

gc_status
gc_credential_who(const struct gc_want *want, struct gc_ccache_file *file,
                  struct gc_credential *ret_credential,
                  char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    GC_AUTO(gc_name) name = {GSS_C_NO_NAME};
    struct gc_want plain = *want;
    const char *said =
        want->on_behalf_of[0] != '\0' ? want->on_behalf_of : want->principal;
    gc_status st;

    if (plain.mech == GC_MECH_NEGOTIATE)
        plain.mech = GC_MECH_KERBEROS;
    if (said[0] != '\0') {
        st = gc_name_import_user(said, plain.mech, &name, err);
        return st == GC_OK
                   ? gc_name_print(&name, plain.mech, ret_principal, err)
                   : st;
    }
    st = gc_credential_acquire(&plain, file, ret_credential, err);
    if (st == GC_OK)
        memcpy(ret_principal, ret_credential->principal, GC_PRINCIPAL_SIZE);
    return st;
}
