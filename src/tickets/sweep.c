/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc_tickets_count and gc_tickets_sweep: what a store holds, and what it owes.
 */

#include <config.h>

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "src/tickets/facade.h"

/* One guest that does not answer must not take all of a sweep's time. */
#define SWEEP_ONE_MS 5000

/* Between two tries to release one entry, from the second on. */
#define REST_FIRST_S 60
#define REST_MAX_S   3600

/* T may be NULL: then all that is owed counts as OWED. */
static void
count(const struct gc_tickets *t, const struct gc_entries *entries,
      struct gc_tickets_tally *tally)
{
    *tally = (struct gc_tickets_tally){0};
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].state == GC_ENTRY_OWED && t != NULL
            && strcmp(entries->items[i].url, gc_tickets_about(t).url) != 0)
            tally->elsewhere++;
        else if (entries->items[i].state == GC_ENTRY_OWED)
            tally->owed++;
        else if (entries->items[i].state == GC_ENTRY_LOST)
            tally->lost++;
        else
            tally->needed++;
}

/* A lock that is held keeps nothing but the tidying from being done. */
static gc_status
list(struct gc_store *store, struct gc_entries *ret_entries,
     struct gc_error *err)
{
    gc_status st = gc_store_tidy(store, err);

    return st == GC_OK || st == GC_E_BUSY
               ? gc_store_list(store, NULL, ret_entries, err)
               : st;
}

gc_status
gc_tickets_count(struct gc_store *store, struct gc_tickets_tally *tally,
                 struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    gc_status st = list(store, &entries, err);

    if (st == GC_OK)
        count(NULL, &entries, tally);
    return st;
}

static int
compare_tries(const void *a, const void *b)
{
    const struct gc_entry *x = a, *y = b;

    if (x->tries != y->tries)
        return x->tries < y->tries ? -1 : 1;
    if (x->changed != y->changed)
        return x->changed < y->changed ? -1 : 1;
    return strcmp(x->id, y->id);
}

static bool
is_due(const struct gc_entry *entry)
{
    int64_t rest = REST_FIRST_S, age = gc_clock_epoch() - entry->changed;

    if (entry->tries < 2)
        return true;
    for (int64_t i = 2; i < entry->tries && rest < REST_MAX_S; i++)
        rest *= 2;
    /* A time in the future is a clock that jumped. */
    return age < 0 || age >= (rest < REST_MAX_S ? rest : REST_MAX_S);
}

/* GC_OK also for another vCenter's: TALLY tells. */
static gc_status
sweep_one(const struct gc_tickets *t, struct gc_entry *entry,
          struct gc_limit limit, struct gc_tickets_tally *tally,
          struct gc_error *err)
{
    enum gc_released how;
    bool owed;
    gc_status st;

    if (gc_tickets_is_foreign(t, entry->ticket.vcenter)) {
        tally->elsewhere++;
        tally->owed--;
        return GC_OK;
    }
    if (gc_clock_left(limit.deadline) == 0)
        return gc_fail(err, GC_E_UNAVAILABLE, "there was no time left");
    limit.deadline = gc_clock_within(limit.deadline, SWEEP_ONE_MS);
    st = gc_tickets_end(t, entry, limit, &how, &owed, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "%s", entry->ticket.vm);
    tally->owed--;
    if (how == GC_RELEASED)
        tally->released++;
    else
        tally->gone++;
    return GC_OK;
}

/*
 * Those that were tried least come first, so that a guest that does not answer
 * cannot take the time of the same others each time.
 */
static gc_status
list_by_tries(struct gc_store *store, struct gc_entries *ret_entries,
              struct gc_error *err)
{
    gc_status st = list(store, ret_entries, err);

    if (st == GC_OK && ret_entries->count > 1)
        qsort(ret_entries->items, ret_entries->count,
              sizeof(*ret_entries->items), compare_tries);
    return st;
}

/* Is ENTRY's release due at this vCenter? */
static bool
is_to_be_swept(const struct gc_tickets *t, const struct gc_entry *entry)
{
    return entry->state == GC_ENTRY_OWED
           && strcmp(entry->url, gc_tickets_about(t).url) == 0 && is_due(entry);
}

gc_status
gc_tickets_sweep(const struct gc_tickets *t, struct gc_limit limit,
                 struct gc_tickets_tally *tally, struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    gc_status first = GC_OK, st;
    size_t due = 0;

    st = list_by_tries(t->store, &entries, err);
    if (st != GC_OK)
        return st;
    count(t, &entries, tally);
    for (size_t i = 0; i < entries.count; i++)
        due += is_to_be_swept(t, &entries.items[i]);
    /* Which vCenter this is must be known before a ticket is shown to it. */
    if (due > 0)
        st = t->guest->ops->open(t->guest, limit, err);
    for (size_t i = 0; i < entries.count && due > 0 && st == GC_OK; i++) {
        struct gc_error why = {0};

        if (is_to_be_swept(t, &entries.items[i])
            && sweep_one(t, &entries.items[i], limit, tally, &why) != GC_OK
            && first == GC_OK) {
            first = why.status;
            if (err != NULL)
                *err = why;
        }
    }
    return st == GC_OK ? first : st;
}
