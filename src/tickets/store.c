/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/tickets/handle.h"

/* No step holds the lock for so long. */
#define LOCK_MS  3000
#define BRIEF_MS 1000

/* ---- the directory ---- */

gc_status
gc_store_open(const char *path, gc_store_mode mode, struct gc_store **ret_store,
              struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) store = calloc(1, sizeof(*store));
    gc_status st;

    if (store == NULL)
        return gc_fail_no_memory(err);
    store->lock = store->login = -1;
    st = gc_dir_open(path, mode == GC_STORE_CREATE, mode == GC_STORE_LOGIN,
                     &store->dir, err);
    if (st == GC_OK)
        *ret_store = GC_TAKE(store);
    return st;
}

void
gc_store_free(struct gc_store *store)
{
    if (store == NULL)
        return;
    gc_store_login_end(store);
    gc_descriptor_close(&store->lock);
    gc_dir_close(&store->dir);
    free(store);
}

const char *
gc_store_path(const struct gc_store *store)
{
    return store->dir.path;
}

void
gc_store_on_skip(struct gc_store *store,
                 void (*skipped)(void *user, const char *line), void *user)
{
    store->skipped = skipped;
    store->user = user;
}

void
gc_store_tell(const struct gc_store *store, const char *why)
{
    char raw[2 * GC_ERROR_MESSAGE_SIZE], line[sizeof(raw)];

    if (store->skipped == NULL)
        return;
    (void)snprintf(raw, sizeof(raw), "%s/%s", store->dir.path, why);
    gc_escape(line, sizeof(line), raw, strlen(raw));
    store->skipped(store->user, line);
}

/* ---- reading ---- */

gc_status
gc_store_fail_gone(const struct gc_store *store, struct gc_error *err)
{
    return gc_fail(err, GC_E_NOT_FOUND,
                   "the store %s has no such ticket any more", store->dir.path);
}

gc_status
gc_store_look(struct gc_store *store, const char *name, struct gc_bytes *buffer,
              struct gc_entry *ret_entry, struct gc_error *err)
{
    gc_status st = gc_dir_read(&store->dir, name, GC_ENTRY_MAX, buffer, err);

    /* Not our file: skip it like a torn one. */
    if (st == GC_E_CONFIG) {
        if (err != NULL)
            err->status = GC_E_PROTOCOL;
        return GC_E_PROTOCOL;
    }
    if (st != GC_OK)
        return st;
    st = gc_entry_read(buffer, ret_entry, err);
    if (st == GC_E_PROTOCOL)
        return gc_fail_context(err, st, "%s", name);
    if (st != GC_OK)
        return st;
    if (store->dir.roots && ret_entry->uid != (int64_t)geteuid()) {
        gc_entry_clear(ret_entry);
        return gc_fail(err, GC_E_PROTOCOL, "%s: it is for another user", name);
    }
    memcpy(ret_entry->id, name, GC_ENTRY_ID_SIZE);
    return GC_OK;
}

static int
compare(const void *a, const void *b)
{
    const struct gc_entry *x = a, *y = b;

    if (x->made != y->made)
        return x->made < y->made ? -1 : 1;
    if (strcmp(x->ticket.vm, y->ticket.vm) != 0)
        return strcmp(x->ticket.vm, y->ticket.vm);
    return strcmp(x->id, y->id);
}

gc_status
gc_store_gather(struct gc_store *store, const struct gc_ticket_key *key,
                bool tell, struct gc_entries *ret_entries, struct gc_error *err)
{
    GC_AUTO(gc_entries) all = {0};
    GC_AUTO(gc_bytes) buffer = {0};
    const char *name = NULL;
    size_t count = 0;
    struct gc_error why;
    gc_status st;

    gc_dir_rewind(&store->dir);
    while ((st = gc_dir_next(&store->dir, &name, err)) == GC_OK
           && name != NULL) {
        GC_AUTO(gc_entry) entry = {0};

        if (!gc_entry_id_is(name))
            continue;
        if (count++ == GC_STORE_COUNT_MAX) {
            gc_store_tell(
                store,
                "*: more than 10000 tickets; the rest was not looked at");
            break;
        }
        st = gc_store_look(store, name, &buffer, &entry, &why);
        if (st == GC_E_PROTOCOL && tell)
            gc_store_tell(store, why.message);
        if (st == GC_OK && (key == NULL || gc_entry_matches(&entry, key)))
            st = gc_entries_add(&all, &entry, &why);
        if (st != GC_OK && st != GC_E_PROTOCOL && st != GC_E_NOT_FOUND) {
            if (err != NULL)
                *err = why;
            return st;
        }
    }
    if (st != GC_OK)
        return st;
    if (all.count > 1)
        qsort(all.items, all.count, sizeof(*all.items), compare);
    gc_entries_clear(ret_entries);
    *ret_entries = all;
    all = (struct gc_entries){0};
    return GC_OK;
}

gc_status
gc_store_list(struct gc_store *store, const struct gc_ticket_key *key,
              struct gc_entries *ret_entries, struct gc_error *err)
{
    return gc_store_gather(store, key, true, ret_entries, err);
}

gc_status
gc_store_read(struct gc_store *store, const char *id,
              struct gc_entry *ret_entry, struct gc_error *err)
{
    GC_AUTO(gc_bytes) buffer = {0};
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error why;
    gc_status st = GC_E_NOT_FOUND;

    if (gc_entry_id_is(id))
        st = gc_store_look(store, id, &buffer, &entry, &why);
    if (st == GC_E_PROTOCOL)
        gc_store_tell(store, why.message);
    if (st == GC_E_PROTOCOL || st == GC_E_NOT_FOUND)
        return gc_store_fail_gone(store, err);
    if (st == GC_OK)
        gc_entry_move(ret_entry, &entry);
    else if (err != NULL)
        *err = why;
    return st;
}

/* ---- writing ---- */

gc_status
gc_store_write_new(struct gc_store *store, const struct gc_entry *entry,
                   bool sync, char ret_temp[GC_DIR_TEMP_SIZE],
                   struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    gc_status st = gc_entry_write(entry, &text, err);

    return st != GC_OK ? st
                       : gc_dir_write(&store->dir, &text, sync, ret_temp, err);
}

gc_status
gc_store_put(struct gc_store *store, struct gc_entry *entry, bool sync,
             struct gc_error *err)
{
    char temp[GC_DIR_TEMP_SIZE];
    gc_status st = gc_dir_random(entry->id, err);

    if (st == GC_OK)
        st = gc_store_write_new(store, entry, sync, temp, err);
    if (st == GC_OK)
        st = gc_dir_rename(&store->dir, temp, entry->id, err);
    if (st == GC_OK && sync)
        gc_dir_sync(&store->dir);
    return st;
}

gc_status
gc_store_lock(struct gc_store *store, struct gc_error *err)
{
    bool waited;

    return gc_dir_lock(&store->dir, "lock",
                       gc_clock_now() + (store->brief ? BRIEF_MS : LOCK_MS), -1,
                       &store->lock, &waited, err);
}

void
gc_store_unlock(struct gc_store *store)
{
    gc_dir_unlock(store->lock);
}

/*
 * Lock the store and see that ENTRY is still in one of the states FROM, with
 * its ticket where there is one.  Not GC_OK: nothing is locked.  Only its
 * writer knows an intent's ticket, so the id is enough.
 */
static gc_status
hold(struct gc_store *store, const struct gc_entry *entry, unsigned from,
     struct gc_error *err)
{
    GC_AUTO(gc_bytes) buffer = {0};
    GC_AUTO(gc_entry) there = {0};
    gc_status st;

    if (!gc_entry_id_is(entry->id))
        return gc_fail(err, GC_E_NOT_FOUND, "the ticket is in no store");
    st = gc_store_lock(store, err);
    if (st != GC_OK)
        return st;
    st = gc_store_look(store, entry->id, &buffer, &there, err);
    if (st == GC_E_PROTOCOL
        || (st == GC_OK
            && ((GC_FROM(there.state) & from) == 0
                || ((GC_FROM_UNCHANGED & from) != 0
                    && there.changed != entry->changed)
                || (there.ticket.ticket.len > 0
                    && !gc_entry_same_ticket(&there, entry)))))
        st = gc_store_fail_gone(store, err);
    if (st != GC_OK)
        gc_store_unlock(store);
    return st;
}

gc_status
gc_store_replace(struct gc_store *store, const struct gc_entry *next,
                 unsigned from, bool sync, struct gc_error *err)
{
    char temp[GC_DIR_TEMP_SIZE];
    gc_status st = gc_store_write_new(store, next, sync, temp, err);

    if (st != GC_OK)
        return st;
    st = hold(store, next, from, err);
    if (st != GC_OK) {
        gc_dir_discard(&store->dir, temp);
        return st;
    }
    st = gc_dir_rename(&store->dir, temp, next->id, err);
    gc_store_unlock(store);
    if (st == GC_OK && sync)
        gc_dir_sync(&store->dir);
    return st;
}

gc_status
gc_store_drop(struct gc_store *store, const struct gc_entry *entry,
              unsigned from, struct gc_error *err)
{
    gc_status st = hold(store, entry, from, err);

    if (st == GC_E_NOT_FOUND)
        return GC_OK;
    if (st != GC_OK)
        return st;
    st = gc_dir_remove(&store->dir, entry->id, err);
    gc_store_unlock(store);
    return st;
}
