/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator in this process: a credential and a context behind the door.
 */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <krb5.h>

#include "gss/context.h"
#include "gss/credential.h"
#include "gss/export_cred.h"
#include "gss/initiator.h"
#include "gss/spn.h"
#include "src/base/clock.h"

struct local {
    struct gc_initiator door;
    /*
     * Never used: it keeps krb5.conf in memory.  GSS-API makes and frees a
     * context a call, and libkrb5 forgets the file with the last one.
     */
    krb5_context krb5;
    struct gc_credential credential;
    struct gc_context context;
    struct gc_ccache lent; /* empty: none was */
    char target[GC_TARGET_SIZE];
    struct gc_ccache_file file; /* the user's, as it was read last */
    /* What "who" was told of, for the exchange that follows it. */
    struct gc_credential found;
    struct gc_want sought;
};

static void
drop(struct local *local)
{
    gc_context_clear(&local->context);
    gc_credential_clear(&local->credential);
}

static void
end(struct gc_initiator *initiator)
{
    struct local *local = (struct local *)initiator;

    drop(local);
    gc_credential_clear(&local->found);
}

/* WANT's tickets are the lent ones, whatever place it names. */
static gc_status
find_lent(const struct local *local, struct gc_want *want, struct gc_error *err)
{
    if (want->source != GC_SOURCE_LENT)
        return GC_OK;
    if (local->lent.name == NULL
        || snprintf(want->place, sizeof(want->place), "%s", local->lent.name)
               >= (int)sizeof(want->place))
        return gc_fail(err, GC_E_NO_CREDENTIAL, "no credential was lent");
    return GC_OK;
}

static gc_status
who(struct gc_initiator *initiator, const struct gc_want *want,
    char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    struct local *local = (struct local *)initiator;
    struct gc_want effective = *want;
    gc_status st = gc_want_check(want, err);

    if (st == GC_OK)
        st = find_lent(local, &effective, err);
    if (st != GC_OK)
        return st;
    gc_credential_clear(&local->found);
    local->sought = effective;
    local->sought.password = NULL; /* borrowed for this call */
    return gc_credential_who(&effective, &local->file, &local->found,
                             ret_principal, err);
}

/*
 * The credential for WANT: the one that "who" found, so that it is the
 * principal's whom "who" named, or a new one.
 */
static gc_status
acquire(struct local *local, const struct gc_want *want, struct gc_error *err)
{
    struct gc_credential *found = &local->found;
    const struct gc_want *sought = &local->sought;
    bool same = found->handle != GSS_C_NO_CREDENTIAL
                && found->mech == want->mech && sought->source == want->source
                && strcmp(sought->place, want->place) == 0
                && strcmp(sought->target, want->target) == 0
                && want->principal[0] == '\0' && want->on_behalf_of[0] == '\0'
                && found->expires > gc_clock_epoch();

    if (!same)
        return gc_credential_acquire(want, &local->file, &local->credential,
                                     err);
    local->credential = *found;
    *found = (struct gc_credential){.handle = GSS_C_NO_CREDENTIAL};
    return GC_OK;
}

static gc_status
begin(struct gc_initiator *initiator, const struct gc_want *want,
      struct gc_said *ret_said, struct gc_error *err)
{
    struct local *local = (struct local *)initiator;
    struct gc_want effective = *want;
    struct gc_spn spn;
    gc_status st;

    drop(local);
    st = gc_want_check(want, err);
    /*
     * DCE style goes inside SPNEGO: Windows was never seen to take it unframed.
     */
    if (want->mutual)
        effective.mech = GC_MECH_NEGOTIATE;
    if (st == GC_OK)
        st = gc_spn_parse(want->target, &spn, err);
    if (st == GC_OK)
        st = find_lent(local, &effective, err);
    if (st == GC_OK)
        st = acquire(local, &effective, err);
    if (st == GC_OK)
        st = gc_context_first(&local->context, &local->credential, &spn,
                              want->mutual, ret_said, err);
    if (st != GC_OK) {
        end(initiator);
        return st;
    }
    gc_spn_print(&spn, local->target);
    return GC_OK;
}

static gc_status
answer(struct gc_initiator *initiator, const struct gc_bytes *challenge,
       struct gc_said *ret_said, struct gc_error *err)
{
    struct local *local = (struct local *)initiator;
    gc_status st = gc_context_next(&local->context, &local->credential,
                                   challenge, ret_said, err);

    if (st != GC_OK)
        end(initiator);
    return st;
}

static gc_status
facts(struct gc_initiator *initiator, struct gc_facts *ret_facts,
      struct gc_error *err)
{
    const struct local *local = (const struct local *)initiator;
    struct gc_facts found = {.mech = GC_MECH_KERBEROS};

    if (local->context.handle == GSS_C_NO_CONTEXT)
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    gc_context_facts(&local->context, &found);
    (void)snprintf(found.principal, sizeof(found.principal), "%s",
                   local->credential.principal);
    (void)snprintf(found.target, sizeof(found.target), "%s", local->target);
    *ret_facts = found;
    return GC_OK;
}

static void
destroy(struct gc_initiator *initiator)
{
    struct local *local = (struct local *)initiator;

    end(initiator);
    gc_ccache_clear(&local->lent);
    gc_ccache_file_clear(&local->file);
    if (local->krb5 != NULL)
        krb5_free_context(local->krb5);
    free(local);
}

struct gc_initiator *
gc_initiator_local_new(void)
{
    static const struct gc_initiator_ops ops = {who,   begin, answer,
                                                facts, end,   destroy};
    struct local *local = calloc(1, sizeof(*local));

    if (local == NULL)
        return NULL;
    local->door.ops = &ops;
    /* Go on without it: calls that need Kerberos say what is wrong. */
    if (krb5_init_context(&local->krb5) != 0)
        local->krb5 = NULL;
    return &local->door;
}

void
gc_initiator_local_save(struct gc_initiator *initiator)
{
    struct local *local = (struct local *)initiator;

    if (local->credential.selected)
        gc_ccache_file_append(&local->file, &local->credential.cache);
}

gc_status
gc_initiator_local_export(struct gc_initiator *initiator,
                          struct gc_bytes *ret_credential, struct gc_error *err)
{
    const struct local *local = (const struct local *)initiator;

    if (local->context.handle == GSS_C_NO_CONTEXT)
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    return gc_export_cred(&local->credential, ret_credential, err);
}

gc_status
gc_initiator_local_lend(struct gc_initiator *initiator,
                        const struct gc_bytes *credential, struct gc_error *err)
{
    struct local *local = (struct local *)initiator;

    /* The exchange under way may use the tickets that were lent before. */
    end(initiator);
    gc_ccache_clear(&local->lent);
    return gc_import_cred(credential, &local->lent, err);
}
