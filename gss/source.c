/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credential stores.  Knows where a credential is; credential.c checks whose it
 * is.
 */
#include <config.h>

#include "gss/source.h"

#include <stdio.h>
#include <string.h>

#include <gssapi/gssapi_ext.h>
#include <krb5.h>

#include "gss/keytab.h"
#include "gss/mech.h"

/*
 * The keys of MIT's credential store.  It silently ignores an unknown key and
 * returns the default credential: spell them only here.
 */
#define STORE_CCACHE        "ccache"
#define STORE_CLIENT_KEYTAB "client_keytab"

/*
 * An empty keytab.  Where a cache is missing, MIT turns to the host's client
 * keytab, becomes the principal in there and writes the cache.
 */
#define NO_KEYTAB "MEMORY:guestcred-no-keytab"

/* A credential store: at most a cache and a keytab.  Strings are borrowed. */
struct store {
    gss_key_value_element_desc elements[2];
    gss_key_value_set_desc set;
};

static const struct {
    const char *what, *hint;
} places[] = {
    [GC_SOURCE_DEFAULT] = {"the default credential cache",
                           "get a ticket with kinit, then try again"},
    [GC_SOURCE_CCACHE] = {"the credential cache",
                          "get a ticket with kinit -c CACHE"},
    [GC_SOURCE_KEYTAB] = {"the keytab",
                          "look with klist -k what is in the keytab"},
    [GC_SOURCE_CLIENT_KEYTAB] = {"the client keytab",
                                 "look with klist -k what is in the keytab"},
    [GC_SOURCE_PASSWORD] = {"the password",
                            "check the principal and its password"},
    [GC_SOURCE_OWN_CCACHE] = {"the user's own credential cache",
                              "get a ticket with kinit, then try again"},
    [GC_SOURCE_LENT] = {"the lent credential",
                        "get a ticket anew, then try again"},
};

const char *
gc_source_what(const struct gc_want *want)
{
    if (want->mech == GC_MECH_NTLM && want->source == GC_SOURCE_DEFAULT)
        return "the NTLM user file";
    return places[want->source].what;
}

const char *
gc_source_hint(const struct gc_want *want)
{
    if (want->mech == GC_MECH_NTLM)
        return GC_SOURCE_NTLM_HINT;
    return places[want->source].hint;
}

gss_OID_set_desc
gc_source_only(gc_mech mech)
{
    return (gss_OID_set_desc){1, gc_mech_oid(mech)};
}

/* Say that there is no credential as WANT asks. */
static void
describe(const struct gc_want *want, char ret_text[GC_ERROR_MESSAGE_SIZE])
{
    (void)snprintf(ret_text, GC_ERROR_MESSAGE_SIZE,
                   "no credential%s%.200s from %s%s%.200s",
                   want->principal[0] == '\0' ? "" : " for ", want->principal,
                   gc_source_what(want), want->place[0] == '\0' ? "" : " ",
                   want->place);
}

/* ERR becomes what is wrong with the keytab, if that is the cause. */
static gc_status
blame_keytab(const struct gc_want *want, const struct gc_verdict *verdict,
             const char *what, struct gc_error *err)
{
    gc_status st = gc_keytab_examine(want->place, want->principal, err);

    if (st == GC_OK)
        return GC_OK;
    err->gss_major = verdict->major;
    err->gss_minor = verdict->minor;
    return gc_fail_context(err, st, "%s", what);
}

/* What proving an expired password takes. */
struct proving {
    krb5_context krb5;
    krb5_principal client;
    krb5_get_init_creds_opt *options;
    krb5_init_creds_context exchange;
};

static void
proving_clear(struct proving *p)
{
    if (p->krb5 == NULL)
        return;
    krb5_init_creds_free(p->krb5, p->exchange);
    krb5_get_init_creds_opt_free(p->krb5, p->options);
    krb5_free_principal(p->krb5, p->client);
    krb5_free_context(p->krb5);
}

/* The password-changing service accepts an expired password. */
static krb5_error_code
prove_expired(const struct gc_want *want)
{
    __attribute__((cleanup(proving_clear))) struct proving p = {.krb5 = NULL};
    krb5_error_code code = krb5_init_context(&p.krb5);

    if (code == 0)
        code = krb5_parse_name(p.krb5, want->principal, &p.client);
    if (code == 0)
        code = krb5_get_init_creds_opt_alloc(p.krb5, &p.options);
    if (code != 0)
        return code;
    krb5_get_init_creds_opt_set_tkt_life(p.options, 5 * 60);
    krb5_get_init_creds_opt_set_renew_life(p.options, 0);
    krb5_get_init_creds_opt_set_forwardable(p.options, 0);
    krb5_get_init_creds_opt_set_proxiable(p.options, 0);
    code = krb5_init_creds_init(p.krb5, p.client, NULL, NULL, 0, p.options,
                                &p.exchange);
    if (code == 0)
        code =
            krb5_init_creds_set_service(p.krb5, p.exchange, "kadmin/changepw");
    if (code == 0)
        code = krb5_init_creds_set_password(p.krb5, p.exchange,
                                            gc_bytes_text(want->password));
    return code == 0 ? krb5_init_creds_get(p.krb5, p.exchange) : code;
}

/*
 * EXPIRED is what the KDC said.  MIT's says so before it has seen a proof of
 * the password, so pass it on only once the password is proved.
 */
static gc_status
judge_expired(const struct gc_want *want, const struct gc_verdict *expired,
              struct gc_error *err)
{
    krb5_error_code code = prove_expired(want);
    struct gc_verdict v = {GSS_S_FAILURE, (OM_uint32)code, expired->mech};

    if (code == 0)
        return gc_gssmsg_judge(err, GC_E_DENIED, expired,
                               "the password of %.200s is right",
                               want->principal);
    if (code == KRB5KDC_ERR_KEY_EXP)
        return gc_fail(err, GC_E_DENIED,
                       "the KDC does not say whether the password of %.200s is "
                       "right, only that it has expired",
                       want->principal);
    return gc_gssmsg_judge(err, GC_E_DENIED, &v,
                           "no credential for %.200s from the password",
                           want->principal);
}

gc_status
gc_source_refuse(const struct gc_want *want, const struct gc_verdict *verdict,
                 struct gc_error *err)
{
    char what[GC_ERROR_MESSAGE_SIZE];
    gc_status st;
    bool cache = want->mech != GC_MECH_NTLM
                 && (want->source == GC_SOURCE_DEFAULT
                     || want->source == GC_SOURCE_CCACHE
                     || want->source == GC_SOURCE_OWN_CCACHE);
    bool keytab = want->source == GC_SOURCE_KEYTAB
                  || want->source == GC_SOURCE_CLIENT_KEYTAB;

    if (want->source == GC_SOURCE_PASSWORD && want->mech != GC_MECH_NTLM
        && verdict->minor == (OM_uint32)KRB5KDC_ERR_KEY_EXP)
        return judge_expired(want, verdict, err);
    describe(want, what);
    st = gc_gssmsg_judge(err, GC_E_NO_CREDENTIAL, verdict, "%s", what);
    if (err == NULL || st != GC_E_NO_CREDENTIAL)
        return st;
    if (keytab && blame_keytab(want, verdict, what, err) != GC_OK)
        return st;
    /* The codes speak of caches even where a keytab failed. */
    if (!cache || err->hint[0] == '\0')
        return gc_fail_hint(err, st, "%s", gc_source_hint(want));
    return st;
}

static void
fill_store(const struct gc_want *want, const struct gc_ccache *own,
           struct store *store)
{
    const char *cache = NULL, *keytab = NO_KEYTAB;
    OM_uint32 n = 0;

    if (own->name != NULL)
        cache = own->name;
    else if (want->source != GC_SOURCE_KEYTAB
             && want->source != GC_SOURCE_CLIENT_KEYTAB)
        cache = want->place;
    if (want->source == GC_SOURCE_KEYTAB)
        keytab = want->place;
    if (want->source == GC_SOURCE_CLIENT_KEYTAB)
        keytab = want->place[0] == '\0' ? NULL : want->place;

    if (cache != NULL)
        store->elements[n++] =
            (gss_key_value_element_desc){STORE_CCACHE, cache};
    if (keytab != NULL)
        store->elements[n++] =
            (gss_key_value_element_desc){STORE_CLIENT_KEYTAB, keytab};
    store->set = (gss_key_value_set_desc){n, store->elements};
}

gc_status
gc_source_acquire(const struct gc_want *want, const struct gc_name *name,
                  gc_mech mech, const struct gc_ccache *own,
                  gss_cred_id_t *ret_handle, struct gc_error *err)
{
    gss_OID_set_desc mechs = gc_source_only(mech);
    struct gc_verdict v = {.mech = mechs.elements};
    gss_cred_id_t handle = GSS_C_NO_CREDENTIAL;
    struct store store;

    fill_store(want, own, &store);
    v.major = gss_acquire_cred_from(
        &v.minor, name->handle, GSS_C_INDEFINITE, &mechs, GSS_C_INITIATE,
        mech == GC_MECH_NTLM ? GSS_C_NO_CRED_STORE : &store.set, &handle, NULL,
        NULL);
    if (v.major != GSS_S_COMPLETE)
        return gc_source_refuse(want, &v, err);
    *ret_handle = handle;
    return GC_OK;
}

/*
 * Always for the mechanism itself, never through SPNEGO: with the NTLM plugin
 * installed SPNEGO accepts a password unchecked.
 */
gc_status
gc_source_acquire_password(const struct gc_want *want,
                           const struct gc_name *name, gc_mech mech,
                           gss_cred_id_t *ret_handle, struct gc_error *err)
{
    gss_OID_set_desc mechs = gc_source_only(mech);
    struct gc_verdict v = {.mech = mechs.elements};
    gss_cred_id_t handle = GSS_C_NO_CREDENTIAL;
    gss_buffer_desc secret = {want->password->len, want->password->data};

    v.major = gss_acquire_cred_with_password(
        &v.minor, name->handle, &secret, GSS_C_INDEFINITE, &mechs,
        GSS_C_INITIATE, &handle, NULL, NULL);
    if (v.major != GSS_S_COMPLETE)
        return gc_source_refuse(want, &v, err);
    *ret_handle = handle;
    return GC_OK;
}

gc_status
gc_source_store(gss_cred_id_t handle, const struct gc_ccache *cache,
                struct gc_error *err)
{
    struct gc_verdict v = {.mech = gc_mech_oid(GC_MECH_KERBEROS)};
    gss_key_value_element_desc element = {STORE_CCACHE, cache->name};
    gss_key_value_set_desc set = {1, &element};

    v.major = gss_store_cred_into(&v.minor, handle, GSS_C_INITIATE, v.mech, 1,
                                  1, &set, NULL, NULL);
    if (v.major == GSS_S_COMPLETE)
        return GC_OK;
    return gc_gssmsg_judge(err, GC_E_INTERNAL, &v,
                           "cannot keep the ticket in memory");
}
