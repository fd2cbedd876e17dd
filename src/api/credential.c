/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Credentials: descriptions of who logs in to a guest.  Nothing is acquired
 * before a ticket is.
 */
#include <config.h>

#include "src/api/api.h"

#include <stdlib.h>
#include <string.h>

enum guestcred_status
guestcred_credential_new(struct guestcred_credential **ret_credential,
                         struct guestcred_error *err)
{
    struct guestcred_credential *credential;
    struct gc_error why;

    if (ret_credential == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_credential"), &why, err);
    credential = calloc(1, sizeof(*credential));
    if (credential == NULL)
        return gc_api_done(gc_fail_no_memory(&why), &why, err);
    *ret_credential = credential;
    return gc_api_done(GC_OK, NULL, err);
}

void
guestcred_credential_free(struct guestcred_credential *credential)
{
    if (credential == NULL)
        return;
    gc_bytes_clear(&credential->password);
    free(credential);
}

/* NTLM proves no server, knows no cache and no delegation. */
static gc_status
check(const struct gc_want *want, struct gc_error *err)
{
    if (want->source >= GC_SOURCE_KEYTAB && want->principal[0] == '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "a keytab or a password needs a principal");
    if (want->mech != GC_MECH_NTLM)
        return GC_OK;
    if (want->mutual)
        return gc_fail(err, GC_E_CONFIG,
                       "NTLM cannot make the guest prove itself");
    if (want->source != GC_SOURCE_DEFAULT && want->source != GC_SOURCE_PASSWORD)
        return gc_fail(err, GC_E_CONFIG,
                       "NTLM takes no Kerberos cache and no keytab");
    if (want->on_behalf_of[0] != '\0')
        return gc_fail(err, GC_E_CONFIG, "acting on behalf needs Kerberos");
    return GC_OK;
}

/* WANT in place of what CREDENTIAL was, if it makes sense. */
static enum guestcred_status
replace(struct guestcred_credential *credential, const struct gc_want *want,
        gc_status st, struct gc_error *why, struct guestcred_error *err)
{
    if (st == GC_OK)
        st = check(want, why);
    if (st == GC_OK)
        credential->want = *want;
    if (credential->want.password == NULL)
        gc_bytes_clear(&credential->password);
    return gc_api_done(st, why, err);
}

static enum guestcred_status
no_credential(struct guestcred_error *err)
{
    struct gc_error why;

    return gc_api_done(gc_api_missing(&why, "the credential"), &why, err);
}

/* TEXT into DST; NULL empties it. */
static gc_status
set(char *dst, size_t size, const char *text, const char *what,
    struct gc_error *err)
{
    if (text != NULL)
        return gc_api_copy(dst, size, text, what, err);
    explicit_bzero(dst, size);
    return GC_OK;
}

enum guestcred_status
guestcred_credential_set_mechanism(struct guestcred_credential *credential,
                                   enum guestcred_mechanism mechanism,
                                   struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};
    gc_status st = GC_OK;

    if (credential == NULL)
        return no_credential(err);
    want = credential->want;
    want.mech = (gc_mech)mechanism;
    if ((int)mechanism < 0 || (int)mechanism > GUESTCRED_NTLM)
        st = gc_fail(&why, GC_E_CONFIG, "there is no mechanism %d",
                     (int)mechanism);
    return replace(credential, &want, st, &why, err);
}

enum guestcred_status
guestcred_credential_set_mutual(struct guestcred_credential *credential,
                                int mutual, struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};

    if (credential == NULL)
        return no_credential(err);
    want = credential->want;
    want.mutual = mutual != 0;
    return replace(credential, &want, gc_api_check_flag(mutual, "mutual", &why),
                   &why, err);
}

enum guestcred_status
guestcred_credential_set_principal(struct guestcred_credential *credential,
                                   const char *principal,
                                   struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};
    gc_status st;

    if (credential == NULL)
        return no_credential(err);
    want = credential->want;
    st = set(want.principal, sizeof(want.principal), principal, "the principal",
             &why);
    return replace(credential, &want, st, &why, err);
}

enum guestcred_status
guestcred_credential_set_on_behalf_of(struct guestcred_credential *credential,
                                      const char *user,
                                      struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};
    gc_status st;

    if (credential == NULL)
        return no_credential(err);
    want = credential->want;
    st = set(want.on_behalf_of, sizeof(want.on_behalf_of), user, "the user",
             &why);
    return replace(credential, &want, st, &why, err);
}

/* SOURCE in place of the one before; PLACE and PRINCIPAL where it has them. */
static gc_status
choose(struct gc_want *want, gc_source source, const char *place,
       const char *what, struct gc_error *err)
{
    want->source = source;
    want->password = NULL;
    explicit_bzero(want->place, sizeof(want->place));
    if (source == GC_SOURCE_PASSWORD)
        return GC_OK;
    return gc_api_copy(want->place, sizeof(want->place), place, what, err);
}

enum guestcred_status
guestcred_credential_set_ccache(struct guestcred_credential *credential,
                                const char *name, struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};
    gc_status st;

    if (credential == NULL)
        return no_credential(err);
    want = credential->want;
    st = choose(&want, GC_SOURCE_CCACHE, name, "the cache's name", &why);
    return replace(credential, &want, st, &why, err);
}

static enum guestcred_status
set_keytab(struct guestcred_credential *credential, gc_source source,
           const char *file, const char *principal, struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};
    gc_status st;

    if (credential == NULL)
        return no_credential(err);
    want = credential->want;
    st = choose(&want, source, file, "the keytab's name", &why);
    if (st == GC_OK)
        st = gc_api_copy(want.principal, sizeof(want.principal), principal,
                         "the principal", &why);
    return replace(credential, &want, st, &why, err);
}

enum guestcred_status
guestcred_credential_set_keytab(struct guestcred_credential *credential,
                                const char *file, const char *principal,
                                struct guestcred_error *err)
{
    return set_keytab(credential, GC_SOURCE_KEYTAB, file, principal, err);
}

enum guestcred_status
guestcred_credential_set_client_keytab(struct guestcred_credential *credential,
                                       const char *file, const char *principal,
                                       struct guestcred_error *err)
{
    return set_keytab(credential, GC_SOURCE_CLIENT_KEYTAB, file, principal,
                      err);
}

enum guestcred_status
guestcred_credential_set_password(struct guestcred_credential *credential,
                                  const char *principal, const void *password,
                                  size_t len, struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};
    gc_status st;

    if (credential == NULL)
        return no_credential(err);
    want = credential->want;
    st = gc_api_check_secret(password, len, GC_PASSWORD_SIZE - 1,
                             "the password", &why);
    if (st == GC_OK)
        st = choose(&want, GC_SOURCE_PASSWORD, NULL, NULL, &why);
    if (st == GC_OK)
        st = gc_api_copy(want.principal, sizeof(want.principal), principal,
                         "the principal", &why);
    want.password = &credential->password;
    if (st == GC_OK)
        st = check(&want, &why);
    if (st == GC_OK)
        st = gc_bytes_set(&credential->password, password, len, &why);
    return replace(credential, &want, st, &why, err);
}
