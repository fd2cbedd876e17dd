/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tickets: an entry with its texts made beforehand, so that no accessor can
 * fail.
 */
#include <config.h>

#include "src/api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/tickets/ticket_json.h"
#include "src/vim/guest_call.h"

void
guestcred_ticket_free(struct guestcred_ticket *ticket)
{
    if (ticket == NULL)
        return;
    gc_entry_clear(&ticket->entry);
    free(ticket->store);
    gc_bytes_clear(&ticket->json);
    gc_bytes_clear(&ticket->auth);
    free(ticket);
}

static gc_status
print_auth(const struct gc_bytes *ticket, struct gc_bytes *ret_text,
           struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();

    gc_guest_add_auth(root, "auth", ticket);
    return gc_json_print(gc_json_get(root, "auth"), ret_text, err);
}

gc_status
gc_api_ticket_new(struct gc_entry *take_entry, const char *store, bool is_copy,
                  struct guestcred_ticket **ret_ticket, struct gc_error *err)
{
    struct guestcred_ticket *ticket = calloc(1, sizeof(*ticket));
    gc_status st;

    if (ticket == NULL)
        return gc_fail_no_memory(err);
    st = gc_ticket_to_json(&take_entry->ticket, &ticket->json, err);
    if (st == GC_OK)
        st = print_auth(&take_entry->ticket.ticket, &ticket->auth, err);
    if (st == GC_OK && store != NULL && (ticket->store = strdup(store)) == NULL)
        st = gc_fail_no_memory(err);
    if (st != GC_OK) {
        guestcred_ticket_free(ticket);
        return st;
    }
    ticket->is_copy = is_copy;
    gc_entry_move(&ticket->entry, take_entry);
    *ret_ticket = ticket;
    return GC_OK;
}

static gc_status
forget(struct guestcred_ticket *ticket, struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    gc_status st;

    if (ticket == NULL)
        return gc_api_missing(err, "the ticket");
    if (ticket->is_copy)
        return gc_fail(err, GC_E_CONFIG,
                       "the ticket is the login's in %s, and ends with that",
                       ticket->store);
    if (ticket->store == NULL)
        return GC_OK;
    st = gc_store_open(ticket->store, GC_STORE_READ, &store, err);
    if (st == GC_OK)
        st = gc_store_refused(store, &ticket->entry, err);
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        return st;
    free(ticket->store);
    ticket->store = NULL;
    ticket->entry.id[0] = '\0';
    return GC_OK;
}

enum guestcred_status
guestcred_ticket_forget(struct guestcred_ticket *ticket,
                        struct guestcred_error *err)
{
    struct gc_error why = {0};

    return gc_api_done(forget(ticket, &why), &why, err);
}

enum guestcred_status
guestcred_ticket_from_json(const void *text, size_t len,
                           struct guestcred_ticket **ret_ticket,
                           struct guestcred_error *err)
{
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error why = {0};
    gc_status st;

    if (text == NULL || ret_ticket == NULL)
        return gc_api_done(
            gc_api_missing(&why, text == NULL ? "the text" : "ret_ticket"),
            &why, err);
    st = gc_ticket_from_json(text, len, &entry.ticket, &why);
    entry.used = entry.ticket.acquired;
    if (st == GC_OK)
        st = gc_api_ticket_new(&entry, NULL, false, ret_ticket, &why);
    return gc_api_done(st, &why, err);
}

const char *
guestcred_ticket_vm(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? NULL : ticket->entry.ticket.vm;
}

const char *
guestcred_ticket_name(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? NULL : ticket->entry.ticket.name;
}

const char *
guestcred_ticket_vcenter(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? NULL : ticket->entry.ticket.vcenter;
}

const char *
guestcred_ticket_url(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? NULL : ticket->entry.url;
}

const char *
guestcred_ticket_principal(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? NULL : ticket->entry.ticket.principal;
}

const char *
guestcred_ticket_target(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? NULL : ticket->entry.ticket.target;
}

enum guestcred_mechanism
guestcred_ticket_mechanism(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? GUESTCRED_KERBEROS
                          : (enum guestcred_mechanism)ticket->entry.ticket.mech;
}

int
guestcred_ticket_mutual(const struct guestcred_ticket *ticket)
{
    return ticket != NULL && ticket->entry.ticket.mutual;
}

int
guestcred_ticket_legs(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? 0 : (int)ticket->entry.ticket.legs;
}

int64_t
guestcred_ticket_acquired(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? 0 : ticket->entry.ticket.acquired;
}

int64_t
guestcred_ticket_used(const struct guestcred_ticket *ticket)
{
    return ticket == NULL ? 0 : ticket->entry.used;
}

const char *
guestcred_ticket_store(const struct guestcred_ticket *ticket)
{
    if (ticket == NULL)
        return NULL;
    return ticket->store == NULL ? "" : ticket->store;
}

static const char *
text_of(const struct gc_bytes *bytes, size_t *ret_len)
{
    if (ret_len != NULL)
        *ret_len = bytes == NULL ? 0 : bytes->len;
    return bytes == NULL ? NULL : gc_bytes_text(bytes);
}

const char *
guestcred_ticket_secret(const struct guestcred_ticket *ticket, size_t *ret_len)
{
    return text_of(ticket == NULL ? NULL : &ticket->entry.ticket.ticket,
                   ret_len);
}

const char *
guestcred_ticket_auth(const struct guestcred_ticket *ticket, size_t *ret_len)
{
    return text_of(ticket == NULL ? NULL : &ticket->auth, ret_len);
}

const char *
guestcred_ticket_json(const struct guestcred_ticket *ticket, size_t *ret_len)
{
    return text_of(ticket == NULL ? NULL : &ticket->json, ret_len);
}
