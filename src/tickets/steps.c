/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each step of store.h makes of an entry, and what time does to it.
 */
#include <config.h>

#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/owner.h"
#include "src/tickets/handle.h"
#include "src/tickets/store.h"

/* How often "used" is written. */
#define USED_S 60

#define TEMP_S       3600        /* by then no process still writes to ID.new */
#define UNREADABLE_S (48 * 3600) /* then no torn ticket is alive */

/* ENTRY is NEXT by now; the ticket stays the caller's. */
static void
adopt(struct gc_entry *entry, const struct gc_entry *next)
{
    struct gc_bytes ticket = entry->ticket.ticket;

    *entry = *next;
    entry->ticket.ticket = ticket;
}

/* ENTRY as it is after a step to STATE: a copy that borrows its ticket. */
static struct gc_entry
turned(const struct gc_entry *entry, gc_entry_state state)
{
    struct gc_entry next = *entry;

    next.state = state;
    next.changed = gc_clock_epoch();
    next.owner[0] = '\0';
    if (state == GC_ENTRY_INTENT || state == GC_ENTRY_LOST)
        next.ticket.ticket = (struct gc_bytes){0};
    if (state == GC_ENTRY_LOST)
        next.until = next.changed + GC_ENTRY_LOST_S;
    return next;
}

/* ---- the steps of an acquire ---- */

gc_status
gc_store_intent(struct gc_store *store, struct gc_entry *entry,
                struct gc_error *err)
{
    struct gc_entry next = turned(entry, GC_ENTRY_INTENT);
    gc_status st;

    if (store->owner_pid != getpid()) {
        gc_owner_self(store->owner);
        store->owner_pid = getpid();
    }
    memcpy(next.owner, store->owner, sizeof(next.owner));
    next.made = next.changed;
    next.used = next.tries = 0;
    next.until = next.made + GC_ENTRY_INTENT_S;
    st = gc_store_put(store, &next, false, err);
    if (st == GC_OK)
        adopt(entry, &next);
    return st;
}

/*
 * Remove ENTRY, which its writer knows to be an intent or lost.  Only the
 * writer can make anything else of it, so no lock is needed.
 */
static gc_status
remove_own(struct gc_store *store, const struct gc_entry *entry,
           struct gc_error *err)
{
    if (!gc_entry_id_is(entry->id)
        || (entry->state != GC_ENTRY_INTENT && entry->state != GC_ENTRY_LOST))
        return GC_OK;
    return gc_dir_remove(&store->dir, entry->id, err);
}

gc_status
gc_store_nothing(struct gc_store *store, struct gc_entry *entry,
                 struct gc_error *err)
{
    gc_status st = remove_own(store, entry, err);

    if (st == GC_OK)
        entry->id[0] = '\0';
    return st;
}

gc_status
gc_store_lost(struct gc_store *store, struct gc_entry *entry,
              struct gc_error *err)
{
    const struct gc_entry next = turned(entry, GC_ENTRY_LOST);
    gc_status st = gc_store_replace(store, &next, GC_FROM_INTENT | GC_FROM_LOST,
                                    false, err);

    if (st == GC_OK)
        adopt(entry, &next);
    return st;
}

static bool
is_among(const struct gc_entries *entries, const char *id)
{
    for (size_t i = 0; entries != NULL && i < entries->count; i++)
        if (strcmp(entries->items[i].id, id) == 0)
            return true;
    return false;
}

static struct gc_ticket_key
key_of(const struct gc_entry *entry)
{
    const struct gc_ticket *t = &entry->ticket;

    return (struct gc_ticket_key){entry->url,   t->vcenter, t->vm,
                                  t->principal, t->target,  t->mech,
                                  t->mutual};
}

/* Whose ticket is it?  A logout must not take another login's. */
static bool
same_login(const struct gc_entry *a, const struct gc_entry *b)
{
    return a->uid == b->uid && strcmp(a->login, b->login) == 0;
}

/* The newest ticket with ENTRY's key that is not among SEEN, if there is one.
 */
static gc_status
find_earlier(struct gc_store *store, const struct gc_entry *entry,
             const struct gc_entries *seen, struct gc_entry *ret_earlier,
             struct gc_error *err)
{
    const struct gc_ticket_key key = key_of(entry);
    GC_AUTO(gc_entries) all = {0};
    gc_status st = gc_store_gather(store, &key, false, &all, err);

    for (size_t i = all.count; st == GC_OK && i-- > 0;)
        if (!is_among(seen, all.items[i].id)
            && same_login(&all.items[i], entry)) {
            gc_entry_move(ret_earlier, &all.items[i]);
            break;
        }
    return st;
}

/*
 * Under the lock: TEMP, which says that NEXT is a ticket, gets its name, unless
 * there is an earlier one: then NEXT is owed.
 */
static gc_status
name_ticket(struct gc_store *store, struct gc_entry *next,
            const struct gc_entries *seen, char temp[GC_DIR_TEMP_SIZE],
            struct gc_entry *ret_earlier, struct gc_error *err)
{
    char owed[GC_DIR_TEMP_SIZE];
    gc_status st = find_earlier(store, next, seen, ret_earlier, err);

    if (st == GC_OK && ret_earlier->id[0] != '\0') {
        next->state = GC_ENTRY_OWED;
        st = gc_store_write_new(store, next, false, owed, err);
        if (st == GC_OK) {
            gc_dir_discard(&store->dir, temp);
            memcpy(temp, owed, sizeof(owed));
        }
    }
    if (st == GC_OK)
        return gc_dir_rename(&store->dir, temp, next->id, err);
    gc_dir_discard(&store->dir, temp);
    return st;
}

/* Write ENTRY, which may have no id yet, as "owed". */
static gc_status
owe(struct gc_store *store, struct gc_entry *entry, struct gc_error *err)
{
    struct gc_entry next = turned(entry, GC_ENTRY_OWED);
    gc_status st;

    if (entry->id[0] == '\0') {
        next.made = next.changed;
        next.until = next.made + GC_ENTRY_UNUSED_S;
        st = gc_store_put(store, &next, true, err);
    } else {
        /* An intent's time is that of a handshake. */
        if (entry->state == GC_ENTRY_INTENT || entry->state == GC_ENTRY_LOST)
            next.until = next.changed + GC_ENTRY_UNUSED_S;
        st = gc_store_replace(store, &next, GC_FROM_ANY, true, err);
    }
    if (st == GC_OK)
        adopt(entry, &next);
    return st;
}

gc_status
gc_store_ticket(struct gc_store *store, struct gc_entry *entry,
                const struct gc_entries *seen, struct gc_entry *ret_earlier,
                struct gc_error *err)
{
    struct gc_entry next = turned(entry, GC_ENTRY_TICKET);
    const struct gc_ticket_key key = key_of(entry);
    GC_AUTO(gc_entry) earlier = {0};
    char temp[GC_DIR_TEMP_SIZE];
    gc_status st;

    if (!gc_entry_id_is(entry->id))
        return gc_fail(err, GC_E_INTERNAL, "a ticket that was no intent");
    next.used = next.changed;
    next.until = next.used + GC_ENTRY_UNUSED_S;
    st = gc_store_write_new(store, &next, true, temp, err);
    if (st != GC_OK)
        return st;
    st = gc_store_lock(store, err);
    if (st != GC_OK) {
        gc_dir_discard(&store->dir, temp);
        return st;
    }
    st = name_ticket(store, &next, seen, temp, &earlier, err);
    gc_store_unlock(store);
    if (st != GC_OK)
        return st;
    adopt(entry, &next);
    /* It is the caller's to release, whether or not that can be written. */
    if (next.state == GC_ENTRY_OWED)
        (void)!owe(store, entry, NULL);
    else
        gc_dir_sync(&store->dir);
    for (size_t i = 0;
         next.state == GC_ENTRY_TICKET && seen != NULL && i < seen->count;
         i++) {
        struct gc_entry old = seen->items[i];

        if (gc_entry_matches(&old, &key) && same_login(&old, entry))
            (void)!owe(store, &old, NULL);
    }
    gc_entry_move(ret_earlier, &earlier);
    return GC_OK;
}

/* ---- the steps of a release ---- */

gc_status
gc_store_owed(struct gc_store *store, struct gc_entry *entry,
              struct gc_error *err)
{
    GC_AUTO(gc_entry) there = {0};
    gc_status st;

    if (entry->state != GC_ENTRY_OWED || entry->id[0] == '\0')
        return owe(store, entry, err);
    /* Another try: nothing is new but that it begins. */
    st = gc_store_read(store, entry->id, &there, err);
    if (st == GC_OK && there.state != GC_ENTRY_OWED)
        return owe(store, entry, err);
    if (st == GC_OK && !gc_entry_same_ticket(&there, entry))
        return gc_store_fail_gone(store, err);
    return st;
}

gc_status
gc_store_released(struct gc_store *store, const struct gc_entry *entry,
                  struct gc_error *err)
{
    return entry->state == GC_ENTRY_INTENT
               ? remove_own(store, entry, err)
               : gc_store_drop(store, entry, GC_FROM_ANY, err);
}

gc_status
gc_store_not_released(struct gc_store *store, const struct gc_entry *entry,
                      struct gc_error *err)
{
    struct gc_entry next = *entry;
    gc_status st;

    next.tries++;
    st = owe(store, &next, err);
    return st == GC_E_NOT_FOUND ? GC_OK : st;
}

/* ---- the rest ---- */

gc_status
gc_store_used(struct gc_store *store, struct gc_entry *entry,
              struct gc_error *err)
{
    struct gc_entry next = turned(entry, GC_ENTRY_TICKET);
    gc_status st;

    if (next.changed >= entry->used && next.changed - entry->used < USED_S)
        return GC_OK;
    next.used = next.changed;
    next.until = next.used + GC_ENTRY_UNUSED_S;
    st = gc_store_replace(store, &next, GC_FROM_TICKET, false, err);
    if (st == GC_OK)
        adopt(entry, &next);
    return st;
}

gc_status
gc_store_refused(struct gc_store *store, const struct gc_entry *entry,
                 struct gc_error *err)
{
    return gc_store_drop(store, entry, GC_FROM_TICKET, err);
}

/* What time alone does to ENTRY. */
static gc_status
age(struct gc_store *store, const struct gc_entry *entry, struct gc_error *err)
{
    bool past = entry->until < gc_clock_epoch();
    struct gc_entry next;

    /* Nothing needs a login's ticket any more. */
    if (entry->state == GC_ENTRY_TICKET && !past
        && gc_owner_is_dead(entry->host)) {
        next = turned(entry, GC_ENTRY_OWED);
        return gc_store_replace(store, &next, GC_FROM_TICKET, true, err);
    }
    if (entry->state != GC_ENTRY_INTENT)
        return past ? gc_store_drop(
                   store, entry, GC_FROM(entry->state) | GC_FROM_UNCHANGED, err)
                    : GC_OK;
    /* Its owner may still be alive, and can turn a lost entry into a ticket. */
    if (!past && !gc_owner_is_dead(entry->owner))
        return GC_OK;
    next = turned(entry, GC_ENTRY_LOST);
    if (entry->until + GC_ENTRY_LOST_S < next.changed)
        return gc_store_drop(store, entry, GC_FROM_INTENT, err);
    return gc_store_replace(store, &next, GC_FROM_INTENT, false, err);
}

/* Is NAME that of a file that is being written? */
static bool
is_temp(const char *name)
{
    size_t len = strspn(name, "0123456789abcdef");

    return len == GC_DIR_RANDOM_SIZE - 1 && strcmp(name + len, ".new") == 0;
}

static gc_status
tidy_one(struct gc_store *store, const char *name, struct gc_bytes *buffer,
         struct gc_error *err)
{
    GC_AUTO(gc_entry) entry = {0};
    gc_status st;

    /* Only its writer uses it: no lock is needed. */
    if (is_temp(name))
        gc_dir_remove_old(&store->dir, name, TEMP_S);
    if (!gc_entry_id_is(name))
        return GC_OK;
    st = gc_store_look(store, name, buffer, &entry, err);
    if (st == GC_OK)
        return age(store, &entry, err);
    if (st != GC_E_PROTOCOL)
        return st == GC_E_NOT_FOUND ? GC_OK : st;
    st = gc_store_lock(store, err);
    if (st != GC_OK)
        return st;
    gc_dir_remove_old(&store->dir, name, UNREADABLE_S);
    gc_store_unlock(store);
    return GC_OK;
}

gc_status
gc_store_tidy(struct gc_store *store, struct gc_error *err)
{
    GC_AUTO(gc_bytes) buffer = {0};
    const char *name = NULL;
    gc_status st, first = GC_OK;
    struct gc_error why = {0};

    gc_dir_rewind(&store->dir);
    while ((st = gc_dir_next(&store->dir, &name, err)) == GC_OK
           && name != NULL) {
        store->brief = true;
        st = tidy_one(store, name, &buffer, &why);
        store->brief = false;
        if (st != GC_OK && first == GC_OK) {
            first = st;
            if (err != NULL)
                *err = why;
        }
        /* Each entry would wait as long. */
        if (st == GC_E_BUSY)
            return first;
    }
    return st != GC_OK ? st : first;
}
