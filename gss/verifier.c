/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The acceptor's half of one leg.  Knows names, not accounts: its callers
 * decide who may log in.
 */
#include <config.h>

#include "gss/verifier.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include <gssapi/gssapi_ext.h>

#include <krb5.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"
#include "gss/name.h"
#include "gss/spn.h"

/* Keys of MIT's credential store; one that it does not know is ignored. */
#define STORE_KEYTAB "keytab"
#define STORE_RCACHE "rcache"
#define RCACHE       "dfl:" /* where none was named */

#define ERRNO_MAX 4096 /* Linux has none beyond */

#define KEYTAB_HINT                                                            \
    "look with klist -k whether the host's keytab holds that principal"

struct acceptor {
    gss_cred_id_t credential;
    gss_ctx_id_t context;
    struct gc_name host;   /* whose key is used */
    struct gc_name client; /* whom the token names */
};

static void
acceptor_clear(struct acceptor *acceptor)
{
    OM_uint32 ignored;

    if (acceptor->context != GSS_C_NO_CONTEXT)
        (void)gss_delete_sec_context(&ignored, &acceptor->context,
                                     GSS_C_NO_BUFFER);
    (void)gss_release_cred(&ignored, &acceptor->credential);
    gc_name_clear(&acceptor->host);
    gc_name_clear(&acceptor->client);
}

#define ACCEPTOR __attribute__((cleanup(acceptor_clear))) struct acceptor

/* The host's key, that of TARGET and no other in KEYTAB. */
static gc_status
open_keytab(struct acceptor *acceptor, const char *keytab, const char *target,
            const char *rcache, struct gc_error *err)
{
    gss_OID_set_desc only = {1, gc_mech_oid(GC_MECH_KERBEROS)};
    gss_key_value_element_desc elements[] = {
        {STORE_RCACHE, rcache[0] == '\0' ? RCACHE : rcache},
        {STORE_KEYTAB, keytab}};
    gss_key_value_set_desc store = {keytab[0] == '\0' ? 1 : 2, elements};
    struct gc_verdict v = {.mech = gc_mech_oid(GC_MECH_KERBEROS)};
    struct gc_spn spn;
    char name[GC_TARGET_SIZE];
    gc_status st = gc_spn_parse(target, &spn, err);

    if (st != GC_OK)
        return st;
    gc_spn_print(&spn, name);
    st = gc_name_import_user(name, GC_MECH_KERBEROS, &acceptor->host, err);
    if (st != GC_OK)
        return st;
    v.major = gss_acquire_cred_from(&v.minor, acceptor->host.handle, 0, &only,
                                    GSS_C_ACCEPT, &store, &acceptor->credential,
                                    NULL, NULL);
    if (v.major == GSS_S_COMPLETE)
        return GC_OK;
    st = gc_gssmsg_fail(err, GC_E_CONFIG, &v,
                        "this host has no key of %.200s in %.200s", name,
                        keytab[0] == '\0' ? "its keytab" : keytab);
    return gc_fail_hint(err, st, KEYTAB_HINT);
}

/*
 * Our own failures must not look like the user's: the replay cache fails with a
 * plain errno, and a token can cause none of them but EINVAL.
 */
static gc_status
judge(OM_uint32 minor)
{
    if (minor == ENOMEM)
        return GC_E_NO_MEMORY;
    return minor > 0 && minor < ERRNO_MAX && minor != EINVAL ? GC_E_INTERNAL
                                                             : GC_E_DENIED;
}

static gc_status
accept_token(struct acceptor *acceptor, const struct gc_bytes *token,
             struct gc_error *err)
{
    gss_buffer_desc in = {token->len, token->data}, out = GSS_C_EMPTY_BUFFER;
    struct gc_verdict v = {.mech = gc_mech_oid(GC_MECH_KERBEROS)};
    OM_uint32 flags = 0, ignored;
    gc_mech mech = GC_MECH_NTLM;
    gss_OID used = GSS_C_NO_OID;

    /* Take no delegated credential. */
    v.major = gss_accept_sec_context(
        &v.minor, &acceptor->context, acceptor->credential, &in,
        GSS_C_NO_CHANNEL_BINDINGS, &acceptor->client.handle, &used, &out,
        &flags, NULL, NULL);
    (void)gss_release_buffer(&ignored, &out);
    if (v.major != GSS_S_COMPLETE)
        return gc_gssmsg_fail(err, judge(v.minor), &v,
                              "the token does not prove who made it");
    if (!gc_mech_from_oid(used, &mech) || mech != GC_MECH_KERBEROS)
        return gc_fail(err, GC_E_DENIED, "the token is not plain Kerberos");
    if ((flags & GSS_C_ANON_FLAG) != 0)
        return gc_fail(err, GC_E_DENIED, "the token names no principal");
    return GC_OK;
}

/* Both names in full, and the host's as it was asked for. */
static gc_status
take_names(const struct acceptor *acceptor, struct gc_verified *verified,
           struct gc_error *err)
{
    struct gc_verdict v = {.mech = gc_mech_oid(GC_MECH_KERBEROS)};
    GC_AUTO(gc_name) target = {GSS_C_NO_NAME};
    char expected[GC_TARGET_SIZE];
    int established = 0;
    gc_status st;

    v.major =
        gss_inquire_context(&v.minor, acceptor->context, NULL, &target.handle,
                            NULL, NULL, NULL, NULL, &established);
    if (v.major != GSS_S_COMPLETE || established == 0)
        return gc_gssmsg_fail(err, GC_E_INTERNAL, &v,
                              "what was accepted cannot be asked for");
    st = gc_name_print(&acceptor->client, GC_MECH_KERBEROS, verified->principal,
                       err);
    if (st == GC_OK)
        st = gc_name_print(&target, GC_MECH_KERBEROS, verified->target, err);
    if (st == GC_OK)
        st = gc_name_print(&acceptor->host, GC_MECH_KERBEROS, expected, err);
    if (st != GC_OK)
        return st;
    if (strcmp(expected, verified->target) != 0)
        return gc_fail(err, GC_E_DENIED, "the token is for %.200s",
                       verified->target);
    return GC_OK;
}

gc_status
gc_verifier_check(const char *keytab, const char *target, const char *rcache,
                  const struct gc_bytes *token,
                  struct gc_verified *ret_verified, struct gc_error *err)
{
    ACCEPTOR acceptor = {.credential = GSS_C_NO_CREDENTIAL};
    struct gc_verified verified = {.principal = ""};
    gc_status st;

    if (!gc_mech_is_first_token(token, GC_MECH_KERBEROS))
        return gc_fail(err, GC_E_DENIED, "the token is not plain Kerberos");
    st = open_keytab(&acceptor, keytab, target, rcache, err);
    if (st == GC_OK)
        st = accept_token(&acceptor, token, err);
    if (st == GC_OK)
        st = take_names(&acceptor, &verified, err);
    if (st == GC_OK)
        *ret_verified = verified;
    return st;
}

/* ---- which of the keys --------------------------------------------------- */

struct listing {
    krb5_context krb5;
    krb5_keytab keytab;
    krb5_kt_cursor cursor;
    bool open; /* CURSOR is */
};

static void
listing_clear(struct listing *listing)
{
    if (listing->open)
        (void)krb5_kt_end_seq_get(listing->krb5, listing->keytab,
                                  &listing->cursor);
    if (listing->keytab != NULL)
        (void)krb5_kt_close(listing->krb5, listing->keytab);
    if (listing->krb5 != NULL)
        krb5_free_context(listing->krb5);
}

#define LISTING __attribute__((cleanup(listing_clear))) struct listing

/* PRINCIPAL in RET_SPN, if it is a host's and one that a target can name. */
static bool
is_host(krb5_context krb5, krb5_const_principal principal,
        struct gc_spn *ret_spn)
{
    char *text = NULL;
    bool good;

    if (krb5_unparse_name(krb5, principal, &text) != 0)
        return false;
    /* Names with an escape in them are none that a target could have. */
    good = strncmp(text, "host/", 5) == 0
           && gc_spn_parse(text, ret_spn, NULL) == GC_OK
           && ret_spn->realm[0] != '\0';
    krb5_free_unparsed_name(krb5, text);
    return good;
}

/* How well HOST, a key's, fits OURS: the higher the better, never 0. */
static int
fit(const char *host, const char *ours)
{
    size_t label = strcspn(ours, ".");

    if (strcasecmp(host, ours) == 0)
        return 3;
    if (strncasecmp(host, ours, label) == 0 && host[label] == '.')
        return 2;
    return 1;
}

/* The best of what LISTING yields in TARGET, which is empty without any. */
static krb5_error_code
choose(struct listing *listing, char target[GC_TARGET_SIZE])
{
    char ours[256] = "";
    krb5_error_code code;
    int best = 0;

    if (gethostname(ours, sizeof(ours) - 1) != 0)
        ours[0] = '\0';
    for (;;) {
        krb5_keytab_entry entry;
        struct gc_spn spn;

        code = krb5_kt_next_entry(listing->krb5, listing->keytab, &entry,
                                  &listing->cursor);
        if (code != 0)
            return code == KRB5_KT_END ? 0 : code;
        if (is_host(listing->krb5, entry.principal, &spn)
            && fit(spn.host, ours) > best) {
            best = fit(spn.host, ours);
            gc_spn_print(&spn, target);
        }
        (void)krb5_free_keytab_entry_contents(listing->krb5, &entry);
    }
}

gc_status
gc_verifier_target(const char *keytab, char ret_target[GC_TARGET_SIZE],
                   struct gc_error *err)
{
    LISTING listing = {.krb5 = NULL};
    struct gc_verdict v = {.major = GSS_S_FAILURE};
    char target[GC_TARGET_SIZE] = "";
    krb5_error_code code = krb5_init_context(&listing.krb5);
    gc_status st;

    if (code == 0)
        code = keytab[0] == '\0'
                   ? krb5_kt_default(listing.krb5, &listing.keytab)
                   : krb5_kt_resolve(listing.krb5, keytab, &listing.keytab);
    if (code == 0)
        code = krb5_kt_start_seq_get(listing.krb5, listing.keytab,
                                     &listing.cursor);
    listing.open = listing.krb5 != NULL && listing.keytab != NULL && code == 0;
    if (code == 0)
        code = choose(&listing, target);
    v.minor = (OM_uint32)code;
    v.mech = gc_mech_oid(GC_MECH_KERBEROS);
    if (code == 0 && target[0] != '\0') {
        memcpy(ret_target, target, sizeof(target));
        return GC_OK;
    }
    keytab = keytab[0] == '\0' ? "its keytab" : keytab;
    if (code == 0)
        st = gc_fail(err, GC_E_CONFIG, "this host has no host key in %.200s",
                     keytab);
    else
        st = gc_gssmsg_fail(err, code == ENOMEM ? GC_E_NO_MEMORY : GC_E_CONFIG,
                            &v, "this host has no host key in %.200s", keytab);
    return gc_fail_hint(err, st, KEYTAB_HINT);
}
