/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores: tickets in, tickets out.
 */
#include <config.h>

#include "src/api/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void
tell_skipped(void *user, const char *line)
{
    const struct guestcred_store *store = user;

    if (store->log != NULL)
        store->log(store->log_user, GUESTCRED_LOG_STEP, line);
}

static gc_status
open_store(const char *name, bool create, struct guestcred_store **ret_store,
           struct gc_error *err)
{
    struct guestcred_store *store = calloc(1, sizeof(*store));
    gc_status st;

    if (store == NULL)
        return gc_fail_no_memory(err);
    st = gc_store_open(name, create, &store->store, err);
    if (st != GC_OK) {
        free(store);
        return st;
    }
    gc_store_on_skip(store->store, tell_skipped, store);
    *ret_store = store;
    return GC_OK;
}

enum guestcred_status
guestcred_store_open(const char *name, int create,
                     struct guestcred_store **ret_store,
                     struct guestcred_error *err)
{
    char checked[GC_API_STORE_SIZE];
    struct gc_error why = {0};
    gc_status st;

    if (ret_store == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_store"), &why, err);
    st = gc_api_copy(checked, sizeof(checked), name, "the store's name", &why);
    if (st == GC_OK)
        st = gc_api_check_flag(create, "create", &why);
    if (st == GC_OK)
        st = open_store(checked, create == 1, ret_store, &why);
    return gc_api_done(st, &why, err);
}

void
guestcred_store_free(struct guestcred_store *store)
{
    if (store == NULL)
        return;
    gc_store_free(store->store);
    free(store);
}

const char *
guestcred_store_name(const struct guestcred_store *store)
{
    return store == NULL ? NULL : gc_store_name(store->store);
}

enum guestcred_status
guestcred_store_set_log(struct guestcred_store *store,
                        void (*skipped)(void *user, int level,
                                        const char *line),
                        void *user, struct guestcred_error *err)
{
    struct gc_error why;

    if (store == NULL)
        return gc_api_done(gc_api_missing(&why, "the store"), &why, err);
    store->log = skipped;
    store->log_user = user;
    return gc_api_done(GC_OK, NULL, err);
}

void
guestcred_tickets_free(struct guestcred_ticket **tickets, size_t count)
{
    if (tickets == NULL)
        return;
    for (size_t i = 0; i < count; i++)
        guestcred_ticket_free(tickets[i]);
    free(tickets);
}

static gc_status
list(struct guestcred_store *store, struct guestcred_ticket ***ret_tickets,
     size_t *ret_count, struct gc_error *err)
{
    GC_AUTO(gc_records) records = {0};
    struct guestcred_ticket **tickets;
    gc_status st = gc_store_list(store->store, &records, err);

    if (st != GC_OK)
        return st;
    tickets = calloc(records.count + 1, sizeof(struct guestcred_ticket *));
    if (tickets == NULL)
        return gc_fail_no_memory(err);
    for (size_t i = 0; i < records.count; i++) {
        st = gc_api_ticket_new(&records.items[i], gc_store_name(store->store),
                               &tickets[i], err);
        if (st != GC_OK) {
            guestcred_tickets_free(tickets, i);
            return st;
        }
    }
    *ret_tickets = tickets;
    *ret_count = records.count;
    return GC_OK;
}

enum guestcred_status
guestcred_store_list(struct guestcred_store *store,
                     struct guestcred_ticket ***ret_tickets, size_t *ret_count,
                     struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st;

    if (store == NULL)
        st = gc_api_missing(&why, "the store");
    else if (ret_tickets == NULL || ret_count == NULL)
        st = gc_api_missing(&why, "ret_tickets or ret_count");
    else
        st = list(store, ret_tickets, ret_count, &why);
    return gc_api_done(st, &why, err);
}

/*
 * Is TICKET for VM, "[UUID/]MOID" or NULL?  Never by the VM's name: whoever may
 * rename a VM chooses that.
 */
static bool
is_for(const struct gc_ticket *ticket, const char *vm)
{
    const char *slash = vm == NULL ? NULL : strchr(vm, '/');

    if (vm == NULL)
        return true;
    if (slash == NULL)
        return strcmp(ticket->vm, vm) == 0;
    return strlen(ticket->vcenter) == (size_t)(slash - vm)
           && strncasecmp(ticket->vcenter, vm, (size_t)(slash - vm)) == 0
           && strcmp(ticket->vm, slash + 1) == 0;
}

static gc_status
fail_several(const char *vm, struct gc_error *err)
{
    gc_status st;

    if (vm == NULL) {
        st = gc_fail(err, GC_E_CONFIG,
                     "there are several tickets, and no VM is named");
        return gc_fail_hint(err, st, "name the VM: vm-42");
    }
    st = gc_fail(err, GC_E_CONFIG, "there are several tickets for %s", vm);
    return gc_fail_hint(err, st,
                        "name the vCenter too, INSTANCE-UUID/vm-42, or choose "
                        "by principal from the list");
}

gc_status
gc_api_store_get(struct guestcred_store *store, const char *vm,
                 struct guestcred_ticket **ret_ticket, struct gc_error *err)
{
    GC_AUTO(gc_records) records = {0};
    struct gc_record *found = NULL;
    gc_status st = gc_store_list(store->store, &records, err);

    if (st != GC_OK)
        return st;
    for (size_t i = 0; i < records.count; i++) {
        if (!is_for(&records.items[i].ticket, vm))
            continue;
        if (found != NULL)
            return fail_several(vm, err);
        found = &records.items[i];
    }
    if (found == NULL)
        return gc_fail(err, GC_E_NOT_FOUND, "the store holds no ticket%s%s",
                       vm == NULL ? "" : " for ", vm == NULL ? "" : vm);
    return gc_api_ticket_new(found, gc_store_name(store->store), ret_ticket,
                             err);
}

enum guestcred_status
guestcred_store_get(struct guestcred_store *store, const char *vm,
                    struct guestcred_ticket **ret_ticket,
                    struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st;

    if (store == NULL || ret_ticket == NULL)
        st = gc_api_missing(&why, store == NULL ? "the store" : "ret_ticket");
    else
        st = gc_api_store_get(store, vm, ret_ticket, &why);
    return gc_api_done(st, &why, err);
}

static gc_status
copy_record(const struct gc_record *from, struct gc_record *ret_copy,
            struct gc_error *err)
{
    const struct gc_bytes *ticket = &from->ticket.ticket;

    *ret_copy = *from;
    ret_copy->ticket.ticket = (struct gc_bytes){0};
    return gc_bytes_set(&ret_copy->ticket.ticket, ticket->data, ticket->len,
                        err);
}

static gc_status
put(struct guestcred_store *store, struct guestcred_ticket *ticket,
    struct guestcred_ticket **ret_earlier, struct gc_error *err)
{
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    const char *name = gc_store_name(store->store);
    gc_status st;

    if (ticket->record.url[0] == '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "the ticket does not say which vCenter it is from");
    if (ticket->store[0] != '\0')
        return gc_fail(err, GC_E_CONFIG, "the ticket is kept in %s already",
                       ticket->store);
    st = copy_record(&ticket->record, &record, err);
    if (st == GC_OK)
        st = gc_store_put(store->store, &record, NULL, &earlier, err);
    if (st != GC_OK)
        return st;
    if (earlier.id[0] != '\0')
        return gc_api_ticket_new(&earlier, name, ret_earlier, err);
    memcpy(ticket->record.id, record.id, sizeof(record.id));
    memcpy(ticket->store, name, strlen(name) + 1);
    *ret_earlier = NULL;
    return GC_OK;
}

enum guestcred_status
guestcred_store_put(struct guestcred_store *store,
                    struct guestcred_ticket *ticket,
                    struct guestcred_ticket **ret_earlier,
                    struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st;

    if (store == NULL)
        st = gc_api_missing(&why, "the store");
    else if (ticket == NULL || ret_earlier == NULL)
        st = gc_api_missing(&why, "the ticket or ret_earlier");
    else
        st = put(store, ticket, ret_earlier, &why);
    return gc_api_done(st, &why, err);
}

static gc_status
forget(struct guestcred_store *store, struct guestcred_ticket *ticket,
       struct gc_error *err)
{
    gc_status st;

    if (strcmp(ticket->store, gc_store_name(store->store)) != 0)
        return gc_fail(err, GC_E_CONFIG, "the ticket is not from %s",
                       gc_store_name(store->store));
    st = gc_store_forget(store->store, ticket->record.id, err);
    if (st == GC_OK)
        ticket->store[0] = ticket->record.id[0] = '\0';
    return st;
}

enum guestcred_status
guestcred_store_forget(struct guestcred_store *store,
                       struct guestcred_ticket *ticket,
                       struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st;

    if (store == NULL || ticket == NULL)
        st = gc_api_missing(&why, store == NULL ? "the store" : "the ticket");
    else
        st = forget(store, ticket, &why);
    return gc_api_done(st, &why, err);
}
