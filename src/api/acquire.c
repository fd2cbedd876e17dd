/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The calls that talk to vCenter.
 */
#include <config.h>

#include "src/api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/tickets/vcenter.h"
#include "src/vim/guest_call.h"

static struct gc_tickets
tickets_of(struct guestcred_client *client, struct gc_store *store)
{
    return (struct gc_tickets){.guest = client->guest,
                               .initiator = client->initiator,
                               .store = store,
                               .copies = client->copies,
                               .log = gc_api_tell,
                               .log_user = client};
}

/* gc_api_done, and what the session's facts are worth. */
static enum guestcred_status
done(struct guestcred_client *client, gc_status st, const struct gc_error *why,
     struct guestcred_error *err)
{
    if (client != NULL)
        client->last = st;
    return gc_api_done(st, why, err);
}

/* ---- acquire ---- */

/* Which directory keeps ENTRY, NULL where none does; a login's if IS_COPY. */
static const char *
find_keeper(struct guestcred_client *client, const struct gc_entry *entry,
            bool *ret_is_copy)
{
    GC_AUTO(gc_entry) there = {0};

    *ret_is_copy = false;
    if (entry->id[0] == '\0')
        return NULL;
    if (client->copies != NULL
        && gc_store_read(client->copies, entry->id, &there, NULL) == GC_OK
        && gc_entry_same_ticket(&there, entry)) {
        *ret_is_copy = true;
        return gc_store_path(client->copies);
    }
    return client->store == NULL ? NULL : gc_store_path(client->store);
}

static gc_status
acquire(struct guestcred_client *client, const struct gc_tickets_request *what,
        struct gc_limit limit, struct guestcred_ticket **ret_ticket,
        struct gc_error *err)
{
    const struct gc_tickets tickets = tickets_of(client, client->store);
    GC_AUTO(gc_entry) entry = {0};
    enum gc_released how;
    const char *keeper;
    bool reused, is_copy;
    gc_status st;

    st = gc_tickets_acquire(&tickets, what, limit, &entry, &reused, err);
    client->initiator->ops->end(client->initiator);
    if (st != GC_OK)
        return st;
    keeper = find_keeper(client, &entry, &is_copy);
    st = gc_api_ticket_new(&entry, keeper, is_copy, ret_ticket, err);
    /* A stored one is not lost. */
    if (st != GC_OK && keeper == NULL)
        (void)!gc_tickets_release(
            &tickets, &entry, gc_limit_grace(GC_TICKETS_GRACE_MS), &how, NULL);
    return st;
}

enum guestcred_status
guestcred_client_acquire(struct guestcred_client *client,
                         const struct guestcred_request *request,
                         int timeout_ms, struct guestcred_ticket **ret_ticket,
                         struct guestcred_error *err)
{
    struct gc_want want = {0};
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    if (ret_ticket == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_ticket"), &why, err);
    st = gc_api_request_want(request, &want, &why);
    if (st == GC_OK)
        st = gc_api_client_ready(client, timeout_ms, &limit, &why);
    if (st == GC_OK) {
        const struct gc_tickets_request what = {
            .ref = request->vm,
            .want = &want,
            .fresh = (request->flags & GUESTCRED_NEW) != 0,
            .trust = (request->flags & GUESTCRED_NO_VALIDATE) != 0,
        };

        st = acquire(client, &what, limit, ret_ticket, &why);
    }
    return done(client, st, &why, err);
}

/* ---- validate, release ---- */

/* A ticket's own store, opened where it is not the client's; or NULL. */
static gc_status
open_keeper(struct guestcred_client *client,
            const struct guestcred_ticket *ticket, struct gc_store **ret_opened,
            struct gc_store **ret_store, struct gc_error *err)
{
    gc_status st = GC_OK;

    *ret_store = client->store;
    if (ticket->store == NULL || ticket->is_copy
        || (client->store != NULL
            && strcmp(ticket->store, gc_store_path(client->store)) == 0))
        return GC_OK;
    st = gc_store_open(ticket->store, GC_STORE_READ, ret_opened, err);
    if (st == GC_OK)
        *ret_store = *ret_opened;
    return st == GC_E_NOT_FOUND ? GC_OK : st;
}

/* No store keeps TICKET any more. */
static void
no_longer_kept(struct guestcred_ticket *ticket)
{
    free(ticket->store);
    ticket->store = NULL;
    ticket->entry.id[0] = '\0';
}

/* A ticket of unknown origin belongs here if a call succeeded with it. */
static void
settle_url(struct guestcred_client *client, struct guestcred_ticket *ticket,
           bool known, gc_status st)
{
    struct gc_guest_about here = client->guest->ops->about(client->guest);

    if (!known)
        (void)snprintf(ticket->entry.url, sizeof(ticket->entry.url), "%s",
                       st == GC_OK ? here.url : "");
}

/* What validate and release have in common: HOW is NULL for the former. */
static gc_status
ask(struct guestcred_client *client, struct guestcred_ticket *ticket,
    int timeout_ms, enum gc_released *how, struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) opened = NULL;
    struct gc_store *store = NULL;
    struct gc_tickets tickets;
    struct gc_limit limit;
    bool known;
    gc_status st;

    if (ticket == NULL)
        return gc_api_missing(err, "the ticket");
    st = gc_api_client_ready(client, timeout_ms, &limit, err);
    if (st == GC_OK)
        st = open_keeper(client, ticket, &opened, &store, err);
    if (st != GC_OK)
        return st;
    known = ticket->entry.url[0] != '\0';
    tickets = tickets_of(client, store);
    if (how == NULL)
        st = gc_tickets_validate(&tickets, &ticket->entry, limit, err);
    else
        st = gc_tickets_release(&tickets, &ticket->entry, limit, how, err);
    settle_url(client, ticket, known, st);
    if (st == (how == NULL ? GC_E_DENIED : GC_OK))
        no_longer_kept(ticket);
    return st;
}

enum guestcred_status
guestcred_client_validate(struct guestcred_client *client,
                          struct guestcred_ticket *ticket, int timeout_ms,
                          struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = ask(client, ticket, timeout_ms, NULL, &why);

    return done(client, st, &why, err);
}

enum guestcred_status
guestcred_client_release(struct guestcred_client *client,
                         struct guestcred_ticket *ticket, int timeout_ms,
                         enum guestcred_released *ret_how,
                         struct guestcred_error *err)
{
    enum gc_released how = GC_RELEASED;
    struct gc_error why = {0};
    gc_status st = ask(client, ticket, timeout_ms, &how, &why);

    if (st == GC_OK && ret_how != NULL)
        *ret_how = (enum guestcred_released)how;
    return done(client, st, &why, err);
}

/* ---- guest operations ---- */

static gc_status
call_guest(struct guestcred_client *client, struct guestcred_ticket *ticket,
           struct gc_guest_call *call, int timeout_ms,
           struct gc_bytes *ret_text, struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) opened = NULL;
    struct gc_store *store = NULL;
    struct gc_tickets tickets;
    bool refused;
    gc_status st;

    st = gc_guest_call_check(call, err);
    if (st == GC_OK)
        st = gc_api_client_ready(client, timeout_ms, &call->limit, err);
    if (st == GC_OK)
        st = open_keeper(client, ticket, &opened, &store, err);
    if (st != GC_OK)
        return st;
    tickets = tickets_of(client, store);
    st = gc_tickets_reach(&tickets, &ticket->entry, call->limit, err);
    if (st != GC_OK)
        return st;
    st = gc_guest_call(gc_vcenter_session(client->guest), call, ret_text, err);
    /* Another denial is the operation's. */
    refused = st == GC_E_DENIED && strcmp(err->fault, "InvalidGuestLogin") == 0;
    if (st == GC_OK || refused)
        gc_tickets_note(&tickets, &ticket->entry, refused);
    if (refused)
        no_longer_kept(ticket);
    return st;
}

enum guestcred_status
guestcred_client_guest_call(struct guestcred_client *client,
                            struct guestcred_ticket *ticket,
                            const char *manager, const char *method,
                            const char *params_json, int timeout_ms,
                            struct guestcred_reply **ret_reply,
                            struct guestcred_error *err)
{
    struct gc_guest_call call = {
        .manager = manager, .method = method, .params = params_json};
    struct guestcred_reply *reply;
    struct gc_error why = {0};
    gc_status st;

    if (ticket == NULL || manager == NULL || method == NULL
        || ret_reply == NULL) {
        st = gc_api_missing(&why, ticket == NULL    ? "the ticket"
                                  : manager == NULL ? "the manager"
                                  : method == NULL  ? "the method"
                                                    : "ret_reply");
        return gc_api_done(st, &why, err);
    }
    /* Before it is sent: what was done must be told. */
    reply = calloc(1, sizeof(*reply));
    if (reply == NULL)
        return gc_api_done(gc_fail_no_memory(&why), &why, err);
    call.vm = ticket->entry.ticket.vm;
    call.ticket = &ticket->entry.ticket.ticket;
    st = call_guest(client, ticket, &call, timeout_ms, &reply->text, &why);
    if (st == GC_OK)
        *ret_reply = reply;
    else
        guestcred_reply_free(reply);
    return done(client, st, &why, err);
}

const char *
guestcred_reply_text(const struct guestcred_reply *reply, size_t *ret_len)
{
    if (ret_len != NULL)
        *ret_len = reply == NULL ? 0 : reply->text.len;
    return reply == NULL ? NULL : gc_bytes_text(&reply->text);
}

void
guestcred_reply_free(struct guestcred_reply *reply)
{
    if (reply == NULL)
        return;
    gc_bytes_clear(&reply->text);
    free(reply);
}

/* ---- the rest ---- */

enum guestcred_status
guestcred_client_sweep(struct guestcred_client *client, int timeout_ms,
                       int *ret_released, int *ret_owed,
                       struct guestcred_error *err)
{
    struct gc_tickets_tally tally = {0};
    struct gc_tickets tickets;
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st = gc_api_client_ready(client, timeout_ms, &limit, &why);

    if (st == GC_OK && client->store == NULL)
        st = gc_fail(&why, GC_E_CONFIG, "the client has no store");
    if (st == GC_OK) {
        tickets = tickets_of(client, client->store);
        st = gc_tickets_sweep(&tickets, limit, &tally, &why);
    }
    if (ret_released != NULL)
        *ret_released = tally.released + tally.gone;
    if (ret_owed != NULL)
        *ret_owed = tally.owed;
    return done(client, st, &why, err);
}

enum guestcred_status
guestcred_client_locate(struct guestcred_client *client, const char *vm,
                        int timeout_ms, char ret_vm[GUESTCRED_VM_SIZE],
                        struct guestcred_error *err)
{
    struct gc_place place = {0};
    struct gc_tickets tickets;
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    if (ret_vm == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_vm"), &why, err);
    st = gc_api_check_text(vm, "the VM", &why);
    if (st == GC_OK)
        st = gc_api_client_ready(client, timeout_ms, &limit, &why);
    if (st == GC_OK) {
        tickets = tickets_of(client, NULL);
        st = gc_tickets_locate(&tickets, vm, limit, NULL, &place, &why);
    }
    if (st == GC_OK)
        memcpy(ret_vm, place.vm, sizeof(place.vm));
    return done(client, st, &why, err);
}

enum guestcred_status
guestcred_client_logout(struct guestcred_client *client,
                        struct guestcred_error *err)
{
    struct gc_error why = {0};
    struct gc_limit limit;
    gc_status st;

    /* Never used: there is nothing to log out of, nor perhaps a URL. */
    if (client != NULL && client->guest == NULL)
        return gc_api_done(GC_OK, NULL, err);
    st = gc_api_client_ready(client, GC_TICKETS_GRACE_MS, &limit, &why);
    if (st == GC_OK)
        client->guest->ops->close(client->guest, GC_OK, true);
    return done(client, st, &why, err);
}
