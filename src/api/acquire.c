/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that talk to vCenter.
 */
#include <config.h>

#include "src/api/api.h"

#include <string.h>
#include <unistd.h>

static struct gc_custody
custody_of(struct guestcred_client *client, struct gc_store *store)
{
    return (struct gc_custody){client->client, store, client->ledger, geteuid(),
                               NULL};
}

/* ---- acquire ---- */

/* A ticket that nobody gets; one that is in the store is not lost. */
static void
give_up(const struct gc_custody *custody, const struct gc_record *record)
{
    enum gc_released how;

    if (record->id[0] == '\0')
        (void)!gc_custody_release(
            custody, record, gc_limit_grace(GC_CLIENT_GRACE_MS), &how, NULL);
}

static gc_status
acquire(struct guestcred_client *client,
        const struct gc_custody_request *request, const struct gc_want *want,
        struct gc_limit limit, struct guestcred_ticket **ret_ticket,
        struct gc_error *err)
{
    const struct gc_custody custody = custody_of(client, client->store);
    GC_AUTO(gc_record) record = {0};
    gc_status st;

    st = gc_custody_acquire(&custody, client->initiator, request, want, limit,
                            &record, err);
    client->initiator->ops->end(client->initiator);
    if (st != GC_OK)
        return st;
    st = gc_api_ticket_new(
        &record, record.id[0] == '\0' ? "" : gc_store_name(client->store),
        ret_ticket, err);
    if (st != GC_OK)
        give_up(&custody, &record);
    return st;
}

static gc_status
check_request(const struct guestcred_credential *credential, const char *vm,
              const char *target, unsigned flags, struct gc_want *want,
              struct gc_error *err)
{
    gc_status st;

    if (credential == NULL)
        return gc_api_missing(err, "the credential");
    *want = credential->want;
    st = gc_api_check_text(vm, "the VM", err);
    if (st == GC_OK)
        st = gc_api_copy(want->target, sizeof(want->target), target,
                         "the target", err);
    if (st == GC_OK && (flags & ~(GUESTCRED_NEW | GUESTCRED_NO_VALIDATE)) != 0)
        return gc_fail(err, GC_E_CONFIG, "there are no such flags: 0x%x",
                       flags);
    if (st == GC_OK)
        st = gc_want_check(want, err);
    return st;
}

enum guestcred_status
guestcred_acquire(struct guestcred_client *client,
                  const struct guestcred_credential *credential, const char *vm,
                  const char *target, unsigned flags, int timeout_ms,
                  struct guestcred_ticket **ret_ticket,
                  struct guestcred_error *err)
{
    const struct gc_custody_request request = {
        .ref = vm,
        .fresh = (flags & GUESTCRED_NEW) != 0,
        .trust = (flags & GUESTCRED_NO_VALIDATE) != 0,
    };
    struct gc_want want = {0};
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    if (ret_ticket == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_ticket"), &why, err);
    st = check_request(credential, vm, target, flags, &want, &why);
    if (st == GC_OK)
        st = gc_api_client_ready(client, timeout_ms, &limit, &why);
    if (st == GC_OK)
        st = acquire(client, &request, &want, limit, ret_ticket, &why);
    return gc_api_done(st, &why, err);
}

/* ---- validate, release ---- */

/* A ticket, the store that keeps it, and who looks after both. */
struct keeping {
    struct gc_store *opened; /* if it is not the client's */
    struct gc_custody custody;
    char *guess; /* the ticket's URL, if a success has yet to confirm it */
};

static void
keeping_clear(struct keeping *k)
{
    if (k->guess != NULL)
        k->guess[0] = '\0';
    gc_store_free(k->opened);
}

static gc_status
open_keeping(struct guestcred_client *client, struct guestcred_ticket *ticket,
             struct keeping *k, struct gc_error *err)
{
    struct gc_store *store = client->store;
    const char *url = gc_session_url(gc_client_session(client->client));
    gc_status st = GC_OK;

    if (ticket->record.url[0] != '\0' && strcmp(ticket->record.url, url) != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "the ticket for %s is from %s, and the client's server "
                       "is %s",
                       ticket->record.ticket.vm, ticket->record.url, url);
    if (ticket->store[0] == '\0')
        store = NULL;
    else if (store == NULL
             || strcmp(ticket->store, gc_store_name(store)) != 0) {
        st = gc_store_open(ticket->store, false, &k->opened, err);
        store = k->opened;
    }
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        return st;
    /* A ticket of unknown origin is tried here, and belongs here if that works.
     */
    if (ticket->record.url[0] == '\0') {
        k->guess = ticket->record.url;
        memcpy(ticket->record.url, url, strlen(url) + 1);
    }
    k->custody = custody_of(client, store);
    return GC_OK;
}

static void
no_longer_kept(struct guestcred_ticket *ticket)
{
    ticket->store[0] = ticket->record.id[0] = '\0';
}

enum guestcred_status
guestcred_validate(struct guestcred_client *client,
                   struct guestcred_ticket *ticket, int timeout_ms,
                   struct guestcred_error *err)
{
    __attribute__((cleanup(keeping_clear))) struct keeping k = {0};
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    if (ticket == NULL)
        return gc_api_done(gc_api_missing(&why, "the ticket"), &why, err);
    st = gc_api_client_ready(client, timeout_ms, &limit, &why);
    if (st == GC_OK)
        st = open_keeping(client, ticket, &k, &why);
    if (st != GC_OK)
        return gc_api_done(st, &why, err);
    st = gc_custody_validate(&k.custody, &ticket->record, limit, &why);
    if (st == GC_OK)
        k.guess = NULL;
    if (st == GC_E_DENIED)
        no_longer_kept(ticket);
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_release(struct guestcred_client *client,
                  struct guestcred_ticket *ticket, int timeout_ms,
                  enum guestcred_released *ret_how, struct guestcred_error *err)
{
    __attribute__((cleanup(keeping_clear))) struct keeping k = {0};
    enum gc_released how = GC_RELEASED;
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    if (ticket == NULL)
        return gc_api_done(gc_api_missing(&why, "the ticket"), &why, err);
    st = gc_api_client_ready(client, timeout_ms, &limit, &why);
    if (st == GC_OK)
        st = open_keeping(client, ticket, &k, &why);
    if (st != GC_OK)
        return gc_api_done(st, &why, err);
    st = gc_custody_release(&k.custody, &ticket->record, limit, &how, &why);
    if (k.custody.store == NULL
        || !gc_store_has(k.custody.store, ticket->record.id))
        no_longer_kept(ticket);
    if (st == GC_OK)
        k.guess = NULL;
    if (st == GC_OK && ret_how != NULL)
        *ret_how = (enum guestcred_released)how;
    return gc_api_done(st, &why, err);
}

/* ---- the rest ---- */

enum guestcred_status
guestcred_sweep(struct guestcred_client *client, int timeout_ms,
                int *ret_released, int *ret_owed, struct guestcred_error *err)
{
    struct gc_custody_tally tally = {0};
    struct gc_custody custody;
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st = gc_api_client_ready(client, timeout_ms, &limit, &why);

    if (st == GC_OK && client->ledger == NULL)
        st = gc_fail(&why, GC_E_CONFIG, "the client has no ledger");
    if (st == GC_OK) {
        custody = custody_of(client, client->store);
        st = gc_custody_sweep(&custody, limit, &tally, &why);
    }
    if (ret_released != NULL)
        *ret_released = tally.released + tally.gone;
    if (ret_owed != NULL)
        *ret_owed = tally.owed;
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_locate(struct guestcred_client *client, const char *vm,
                 int timeout_ms, char ret_vm[GUESTCRED_VM_SIZE],
                 struct guestcred_error *err)
{
    struct gc_place place = {0};
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    if (ret_vm == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_vm"), &why, err);
    st = gc_api_check_text(vm, "the VM", &why);
    if (st == GC_OK)
        st = gc_api_client_ready(client, timeout_ms, &limit, &why);
    if (st == GC_OK)
        st = gc_client_locate(client->client, vm, limit, NULL, &place, &why);
    if (st == GC_OK)
        memcpy(ret_vm, place.vm, sizeof(place.vm));
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_logout(struct guestcred_client *client, struct guestcred_error *err)
{
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    /* Never used: there is nothing to log out of, nor perhaps a URL. */
    if (client != NULL && client->client == NULL)
        return gc_api_done(GC_OK, NULL, err);
    st = gc_api_client_ready(client, GC_CLIENT_GRACE_MS, &limit, &why);
    if (st == GC_OK)
        gc_client_logout(client->client);
    return gc_api_done(st, &why, err);
}
