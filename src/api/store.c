/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stores without a client: which tickets there are.
 */
#include <config.h>

#include "src/api/api.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/tickets/vcenter.h"

static void
tell_skipped(void *user, const char *line)
{
    const struct guestcred_store *store = user;

    if (store->log != NULL)
        store->log(store->log_user, GUESTCRED_LOG_STEP, line);
}

static gc_status
open_store(const char *path, bool is_login, struct guestcred_store **ret_store,
           struct gc_error *err)
{
    struct guestcred_store *store;
    gc_status st = gc_api_check_text(path, "the directory", err);

    if (st != GC_OK)
        return st;
    store = calloc(1, sizeof(*store));
    if (store == NULL)
        return gc_fail_no_memory(err);
    store->is_login = is_login;
    st = gc_store_open(path, is_login ? GC_STORE_LOGIN : GC_STORE_READ,
                       &store->store, err);
    if (st != GC_OK) {
        free(store);
        return st;
    }
    gc_store_on_skip(store->store, tell_skipped, store);
    *ret_store = store;
    return GC_OK;
}

enum guestcred_status
guestcred_store_open(const char *path, struct guestcred_store **ret_store,
                     struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st;

    if (ret_store == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_store"), &why, err);
    st = open_store(path, false, ret_store, &why);
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
guestcred_store_path(const struct guestcred_store *store)
{
    return store == NULL ? NULL : gc_store_path(store->store);
}

enum guestcred_status
guestcred_store_set_log(struct guestcred_store *store,
                        void (*log)(void *user, int level, const char *line),
                        void *user, struct guestcred_error *err)
{
    struct gc_error why;

    if (store == NULL)
        return gc_api_done(gc_api_missing(&why, "the store"), &why, err);
    store->log = log;
    store->log_user = user;
    return gc_api_done(GC_OK, NULL, err);
}

/* ---- lists ---- */

void
guestcred_tickets_free(struct guestcred_tickets *tickets)
{
    if (tickets == NULL)
        return;
    for (size_t i = 0; i < tickets->count; i++)
        guestcred_ticket_free(tickets->items[i]);
    free(tickets);
}

size_t
guestcred_tickets_count(const struct guestcred_tickets *tickets)
{
    return tickets == NULL ? 0 : tickets->count;
}

struct guestcred_ticket *
guestcred_tickets_get(const struct guestcred_tickets *tickets, size_t index)
{
    if (tickets == NULL || index >= tickets->count)
        return NULL;
    return tickets->items[index];
}

/* Is ENTRY a ticket for VM, which may be "UUID/vm-42", or NULL for any? */
static bool
is_wanted(const struct gc_entry *entry, const char *vm)
{
    const char *uuid = entry->ticket.vcenter;
    size_t len = strlen(uuid);

    if (entry->state != GC_ENTRY_TICKET || vm == NULL)
        return entry->state == GC_ENTRY_TICKET;
    if (len > 0 && strncasecmp(vm, uuid, len) == 0 && vm[len] == '/')
        return strcmp(vm + len + 1, entry->ticket.vm) == 0;
    return gc_vcenter_means(vm, entry);
}

static gc_status
list(struct guestcred_store *store, const char *vm,
     struct guestcred_tickets **ret_tickets, struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    struct guestcred_tickets *tickets;
    gc_status st = gc_store_list(store->store, NULL, &entries, err);

    if (st != GC_OK)
        return st;
    tickets =
        calloc(1, sizeof(*tickets) + entries.count * sizeof(tickets->items[0]));
    if (tickets == NULL)
        return gc_fail_no_memory(err);
    for (size_t i = 0; i < entries.count && st == GC_OK; i++) {
        if (!is_wanted(&entries.items[i], vm))
            continue;
        st = gc_api_ticket_new(&entries.items[i], gc_store_path(store->store),
                               store->is_login, &tickets->items[tickets->count],
                               err);
        tickets->count += st == GC_OK;
    }
    if (st != GC_OK) {
        guestcred_tickets_free(tickets);
        return st;
    }
    *ret_tickets = tickets;
    return GC_OK;
}

enum guestcred_status
guestcred_store_list(struct guestcred_store *store, const char *vm,
                     struct guestcred_tickets **ret_tickets,
                     struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = GC_OK;

    if (store == NULL || ret_tickets == NULL)
        st = gc_api_missing(&why, store == NULL ? "the store" : "ret_tickets");
    if (st == GC_OK && vm != NULL)
        st = gc_api_check_text(vm, "the VM", &why);
    if (st == GC_OK)
        st = list(store, vm, ret_tickets, &why);
    return gc_api_done(st, &why, err);
}

/* ---- what a login left ---- */

#define VARIABLE "GUESTCRED_LOGIN"

static gc_status
find_login(char *const *envlist, const char **ret_path, struct gc_error *err)
{
    static const char start[] = VARIABLE "=";
    const char *found = NULL;
    gc_status st;

    if (envlist == NULL)
        return gc_api_missing(err, "the environment");
    for (; *envlist != NULL; envlist++) {
        const char *value = *envlist + strlen(start);

        if (strncmp(*envlist, start, strlen(start)) != 0)
            continue;
        if (found != NULL && strcmp(found, value) != 0)
            return gc_fail(err, GC_E_CONFIG,
                           VARIABLE " is set twice, to different values");
        found = value;
    }
    if (found == NULL || found[0] == '\0') {
        st = gc_fail(err, GC_E_NOT_FOUND,
                     "this login left no ticket (" VARIABLE " is not set)");
        return gc_fail_hint(err, st,
                            "see whether pam_guestcred is in the service's "
                            "session stack");
    }
    *ret_path = found;
    return GC_OK;
}

static gc_status
open_login(char *const *envlist, struct guestcred_store **ret_store,
           struct gc_error *err)
{
    const char *path = NULL;
    gc_status st = find_login(envlist, &path, err);

    return st == GC_OK ? open_store(path, true, ret_store, err) : st;
}

enum guestcred_status
guestcred_store_from_pam_env(char *const *envlist,
                             struct guestcred_store **ret_store,
                             struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st;

    if (ret_store == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_store"), &why, err);
    st = open_login(envlist, ret_store, &why);
    return gc_api_done(st, &why, err);
}

/* Take the only ticket out of TICKETS, which are those for VM. */
static gc_status
take_one(struct guestcred_tickets *tickets, const char *vm,
         struct guestcred_ticket **ret_ticket, struct gc_error *err)
{
    const char *whose = vm == NULL ? "" : " for ";

    if (vm == NULL)
        vm = "";
    if (tickets->count == 0)
        return gc_fail(err, GC_E_NOT_FOUND, "the login has no ticket%s%s",
                       whose, vm);
    if (tickets->count > 1) {
        gc_status st = gc_fail(err, GC_E_CONFIG,
                               "the login has several tickets%s%s", whose, vm);

        return gc_fail_hint(err, st,
                            "name the VM, vm-42 or INSTANCE-UUID/vm-42, or "
                            "choose from the list");
    }
    *ret_ticket = tickets->items[0];
    tickets->count = 0;
    return GC_OK;
}

enum guestcred_status
guestcred_ticket_from_pam_env(char *const *envlist, const char *vm,
                              struct guestcred_ticket **ret_ticket,
                              struct guestcred_error *err)
{
    struct guestcred_tickets *tickets = NULL;
    struct guestcred_store *store = NULL;
    struct gc_error why = {0};
    gc_status st;

    if (ret_ticket == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_ticket"), &why, err);
    st = open_login(envlist, &store, &why);
    if (st == GC_OK)
        st = list(store, vm, &tickets, &why);
    if (st == GC_OK)
        st = take_one(tickets, vm, ret_ticket, &why);
    guestcred_tickets_free(tickets);
    guestcred_store_free(store);
    return gc_api_done(st, &why, err);
}
