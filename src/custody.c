/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/custody.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int64_t
today(void)
{
    return (int64_t)time(NULL);
}

/* ---- the ledger's view of one acquire ---- */

struct writing {
    const struct gc_custody *custody;
    const struct gc_store_key *key;
    struct gc_entry entry;
};

static void
writing_clear(struct writing *w)
{
    gc_entry_clear(&w->entry);
}

static gc_status
write_entry(const struct gc_custody *c, struct gc_entry *entry,
            struct gc_error *err)
{
    gc_status st;

    entry->written = today();
    st = gc_ledger_write(c->ledger, entry, err);
    if (st == GC_OK)
        return GC_OK;
    return gc_fail_context(err, st, "the ledger cannot be written");
}

static gc_status
write_intent(void *user, const struct gc_place *place, struct gc_error *err)
{
    struct writing *w = user;
    const struct gc_custody *c = w->custody;
    struct gc_session *session = gc_client_session(c->client);
    struct gc_ticket *t = &w->entry.ticket;
    gc_status st;

    if (c->ledger == NULL)
        return GC_OK;
    st = gc_process_read(getpid(), &w->entry.process, err);
    if (st != GC_OK)
        return st;
    w->entry.state = GC_OWED_INTENT;
    w->entry.uid = c->uid;
    if (c->store == NULL && c->elsewhere != NULL)
        (void)snprintf(w->entry.store, sizeof(w->entry.store), "%s",
                       c->elsewhere);
    (void)snprintf(w->entry.url, sizeof(w->entry.url), "%s",
                   gc_session_url(session));
    t->mech = w->key->mech;
    t->acquired = today();
    (void)snprintf(t->vm, sizeof(t->vm), "%s", place->vm);
    (void)snprintf(t->vcenter, sizeof(t->vcenter), "%s",
                   gc_session_facts(session)->instance_uuid);
    (void)snprintf(t->name, sizeof(t->name), "%s", place->name);
    (void)snprintf(t->principal, sizeof(t->principal), "%s", w->key->principal);
    (void)snprintf(t->target, sizeof(t->target), "%s", w->key->target);
    return write_entry(c, &w->entry, err);
}

static gc_status
write_as(struct writing *w, const struct gc_bytes *ticket, gc_owed state,
         struct gc_error *err)
{
    gc_status st;

    if (w->custody->ledger == NULL)
        return GC_OK;
    st = gc_bytes_set(&w->entry.ticket.ticket, ticket->data, ticket->len, err);
    if (st != GC_OK)
        return st;
    w->entry.state = state;
    return write_entry(w->custody, &w->entry, err);
}

/* Who will need ENTRY's ticket beside its process: RECORD of the store. */
static void
name_record(const struct gc_custody *c, struct gc_entry *entry,
            const char *record)
{
    (void)snprintf(entry->store, sizeof(entry->store), "%s",
                   gc_store_name(c->store));
    (void)snprintf(entry->record, sizeof(entry->record), "%s", record);
}

/* Names the record that is to come, so that putting it hands the ticket over.
 */
static gc_status
write_ticket(void *user, const struct gc_bytes *ticket, struct gc_error *err)
{
    struct writing *w = user;
    char id[GC_STORE_ID_SIZE];
    gc_status st = GC_OK;

    if (w->custody->ledger != NULL && w->custody->store != NULL) {
        st = gc_store_name_record(w->custody->store, w->entry.ticket.vm, id,
                                  err);
        if (st == GC_OK && id[0] != '\0')
            name_record(w->custody, &w->entry, id);
    }
    return st == GC_OK ? write_as(w, ticket, GC_OWED_TICKET, err) : st;
}

static gc_status
write_owed(void *user, const struct gc_bytes *ticket, struct gc_error *err)
{
    return write_as(user, ticket, GC_OWED_RELEASE, err);
}

static void
settle(const struct gc_custody *c, const char *id)
{
    struct gc_error why;

    if (gc_ledger_settle(c->ledger, id, &why) != GC_OK)
        gc_client_say(c->client, "ledger: %s", why.message);
}

/*
 * A ticket may live in the guest that nobody can name, from the time of the
 * intent on.  It is nobody's, and no store is waiting for it.
 */
static void
mark_lost(const struct gc_custody *c, struct gc_entry *entry)
{
    struct gc_error why;

    entry->state = GC_OWED_LOST;
    entry->process = (struct gc_process){0};
    entry->store[0] = entry->record[0] = '\0';
    if (gc_ledger_write(c->ledger, entry, &why) != GC_OK)
        gc_client_say(c->client, "ledger: %s", why.message);
}

static void
write_lost(void *user)
{
    struct writing *w = user;

    if (w->custody->ledger == NULL || w->entry.id[0] == '\0')
        return;
    mark_lost(w->custody, &w->entry);
    w->entry.id[0] = '\0';
}

static void
write_nothing(void *user)
{
    struct writing *w = user;

    if (w->custody->ledger == NULL || w->entry.id[0] == '\0')
        return;
    settle(w->custody, w->entry.id);
    w->entry.id[0] = '\0';
}

/* The ticket is in the store now: that is who needs it, no process. */
static gc_status
hand_over(const struct gc_custody *c, struct gc_entry *entry,
          const struct gc_record *record, struct gc_error *err)
{
    if (c->ledger == NULL || c->store == NULL)
        return GC_OK;
    name_record(c, entry, record->id);
    entry->process = (struct gc_process){0};
    entry->state = GC_OWED_TICKET;
    return write_entry(c, entry, err);
}

/* ---- release ---- */

/* The ledger's entry for RECORD's ticket, made if there is none. */
static gc_status
find_entry(const struct gc_custody *c, const struct gc_record *record,
           struct gc_entry *ret_entry, struct gc_error *err)
{
    struct gc_error why = {0};
    const struct gc_bytes *ticket = &record->ticket.ticket;
    gc_status st = gc_ledger_find(c->ledger, &record->ticket, ret_entry, &why);

    if (st == GC_OK)
        return GC_OK;
    if (st != GC_E_NOT_FOUND) {
        if (err != NULL)
            *err = why;
        return st;
    }
    *ret_entry = (struct gc_entry){.uid = c->uid};
    ret_entry->ticket = record->ticket;
    ret_entry->ticket.ticket = (struct gc_bytes){0};
    memcpy(ret_entry->url, record->url, sizeof(ret_entry->url));
    return gc_bytes_set(&ret_entry->ticket.ticket, ticket->data, ticket->len,
                        err);
}

static void
forget_id(const struct gc_custody *c, const char *id)
{
    struct gc_error why;

    if (id[0] != '\0' && gc_store_forget(c->store, id, &why) != GC_OK)
        gc_client_say(c->client, "store: %s", why.message);
}

/* The store's record of TICKET, if it has one. */
static void
forget_ticket(const struct gc_custody *c, const struct gc_ticket *ticket)
{
    GC_AUTO(gc_record) stored = {0};

    if (c->store != NULL
        && gc_store_find_ticket(c->store, ticket, &stored, NULL) == GC_OK)
        forget_id(c, stored.id);
}

/* The same for RECORD, which may know its id. */
static void
forget(const struct gc_custody *c, const struct gc_record *record)
{
    if (c->store != NULL && record->id[0] != '\0')
        forget_id(c, record->id);
    else
        forget_ticket(c, &record->ticket);
}

/*
 * Write down that ENTRY's ticket is to be released, unless that is what stands
 * there.  Under the lock, so that nobody takes the ticket up in between.
 */
static gc_status
write_release(const struct gc_custody *c, struct gc_entry *entry,
              struct gc_error *err)
{
    if (entry->state == GC_OWED_RELEASE && entry->id[0] != '\0')
        return GC_OK;
    entry->state = GC_OWED_RELEASE;
    return write_entry(c, entry, err);
}

/* What ENTRY owes is written down; try it, and note what came of it. */
static gc_status
pay(const struct gc_custody *c, struct gc_entry *entry, struct gc_limit limit,
    enum gc_released *ret_how, struct gc_error *err)
{
    struct gc_error why;
    gc_status st =
        gc_client_release(c->client, &entry->ticket, limit, ret_how, err);

    if (st == GC_OK) {
        settle(c, entry->id);
        return GC_OK;
    }
    entry->tries++;
    if (write_entry(c, entry, &why) != GC_OK)
        gc_client_say(c->client, "%s", why.message);
    return st;
}

/* Find and mark the entry of RECORD's ticket, in one go. */
static gc_status
mark_for_release(const struct gc_custody *c, const struct gc_record *record,
                 int64_t deadline, struct gc_entry *ret_entry,
                 struct gc_error *err)
{
    gc_status st = gc_ledger_lock(c->ledger, deadline, err);

    if (st != GC_OK)
        return st;
    st = find_entry(c, record, ret_entry, err);
    if (st == GC_OK)
        st = write_release(c, ret_entry, err);
    gc_ledger_unlock(c->ledger);
    return st;
}

/* ERR's own hint, if any, behind what became of the ticket. */
static gc_status
tell_fate(struct gc_error *err, gc_status st, const char *fate)
{
    char hint[GC_ERROR_HINT_SIZE];

    if (err == NULL)
        return st;
    memcpy(hint, err->hint, sizeof(hint));
    return gc_fail_hint(err, st, "%s%s%s", fate, hint[0] != '\0' ? "; " : "",
                        hint);
}

gc_status
gc_custody_release(const struct gc_custody *c, const struct gc_record *record,
                   struct gc_limit limit, enum gc_released *ret_how,
                   struct gc_error *err)
{
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error unwritten = {0};
    gc_status st;

    if (c->ledger != NULL
        && mark_for_release(c, record, limit.deadline, &entry, &unwritten)
               == GC_OK) {
        forget(c, record);
        st = pay(c, &entry, limit, ret_how, err);
        return st == GC_OK
                   ? GC_OK
                   : tell_fate(err, st,
                               "the release is owed: the next command or "
                               "guestcred sweep tries again");
    }
    /* A ledger that is full must not keep a ticket alive. */
    if (c->ledger != NULL)
        gc_client_say(c->client, "%s", unwritten.message);
    st = gc_client_release(c->client, &record->ticket, limit, ret_how, err);
    if (st != GC_OK)
        return tell_fate(err, st, "the ticket stays in the store");
    forget(c, record);
    if (c->ledger != NULL && entry.id[0] != '\0')
        settle(c, entry.id);
    return GC_OK;
}

/* A ticket of ours that nobody will use: end it now, or owe it. */
static void
discard(const struct gc_custody *c, const struct gc_record *record)
{
    enum gc_released how;
    struct gc_error why;

    if (gc_custody_release(c, record, gc_limit_grace(GC_CLIENT_GRACE_MS), &how,
                           &why)
        != GC_OK)
        gc_client_say(c->client, "a ticket for %s could not be released: %s",
                      record->ticket.vm, why.message);
}

/* ---- validate ---- */

/* The guest does not know the ticket any more: nothing is owed. */
static void
bury(const struct gc_custody *c, const struct gc_record *record)
{
    GC_AUTO(gc_entry) entry = {0};

    forget(c, record);
    if (c->ledger != NULL
        && gc_ledger_find(c->ledger, &record->ticket, &entry, NULL) == GC_OK)
        settle(c, entry.id);
}

gc_status
gc_custody_validate(const struct gc_custody *c, struct gc_record *record,
                    struct gc_limit limit, struct gc_error *err)
{
    struct gc_error why;
    gc_status st = gc_client_validate(c->client, &record->ticket, limit, err);

    if (st == GC_E_DENIED)
        bury(c, record);
    if (st != GC_OK)
        return st;
    record->used = today();
    if (c->store != NULL && record->id[0] != '\0'
        && gc_store_touch(c->store, record, &why) != GC_OK)
        gc_client_say(c->client, "store: %s", why.message);
    return GC_OK;
}

/* ---- acquire ---- */

/* What the stored ticket must agree in. */
struct purpose {
    struct gc_want want; /* target filled in */
    struct gc_limit limit;
    struct gc_place place;
    char principal[GC_PRINCIPAL_SIZE];
    struct gc_store_key key; /* points into the above */
};

static void
purpose_clear(struct purpose *p)
{
    gc_want_clear(&p->want);
}

static gc_status
determine(const struct gc_custody *c, struct gc_initiator *initiator,
          const struct gc_custody_request *request, struct purpose *p,
          struct gc_error *err)
{
    struct gc_session *session = gc_client_session(c->client);
    gc_status st;

    st = gc_client_locate(c->client, request->ref, p->limit, p->want.target,
                          &p->place, err);
    if (st != GC_OK || (c->store == NULL && c->ledger == NULL))
        return st;
    st = initiator->ops->who(initiator, &p->want, p->principal, err);
    if (st != GC_OK)
        return st;
    p->key = (struct gc_store_key){
        .url = gc_session_url(session),
        .vcenter = gc_session_facts(session)->instance_uuid,
        .vm = p->place.vm,
        .principal = p->principal,
        .target = p->want.target,
        .mech = p->want.mech == GC_MECH_NTLM ? GC_MECH_NTLM : GC_MECH_KERBEROS,
        .mutual = p->want.mutual,
    };
    return GC_OK;
}

/*
 * May the stored RECORD be used, as far as the ledger goes?  Not one that is up
 * for release.  One that a killed command never handed over is handed over now,
 * so that no sweep takes it away from us.
 */
static gc_status
take_up(const struct gc_custody *c, const struct gc_record *record,
        int64_t deadline, bool *ret_free, struct gc_error *err)
{
    GC_AUTO(gc_entry) entry = {0};
    gc_status st;

    *ret_free = true;
    if (c->ledger == NULL)
        return GC_OK;
    st = gc_ledger_lock(c->ledger, deadline, err);
    if (st != GC_OK)
        return st;
    st = find_entry(c, record, &entry, err);
    *ret_free =
        st == GC_OK && (entry.state != GC_OWED_RELEASE || entry.id[0] == '\0');
    if (*ret_free
        && (entry.id[0] == '\0' || strcmp(entry.record, record->id) != 0))
        st = hand_over(c, &entry, record, err);
    gc_ledger_unlock(c->ledger);
    return st;
}

/* Is the newest of SEEN the ticket to use?  It is ours, and not dead by age. */
static gc_status
judge(const struct gc_custody *c, const struct gc_custody_request *request,
      const struct purpose *p, struct gc_record *record, bool *ret_usable,
      struct gc_error *err)
{
    int64_t age = today() - record->used;
    bool free;
    gc_status st;

    *ret_usable = false;
    if (request->fresh || age > GC_CUSTODY_IDLE_S)
        return GC_OK;
    /* A time in the future is a clock that jumped: ask the guest. */
    if (!request->trust || age < 0) {
        st = gc_session_open(gc_client_session(c->client), p->limit, err);
        if (st != GC_OK || gc_client_is_foreign(c->client, &record->ticket))
            return st;
    }
    st = take_up(c, record, p->want.deadline, &free, err);
    if (st != GC_OK || !free)
        return st;
    if (request->trust && age >= 0) {
        *ret_usable = true;
        return GC_OK;
    }
    gc_client_say(c->client, "%s: asking the guest about the stored ticket",
                  p->place.vm);
    st = gc_custody_validate(c, record, p->limit, err);
    *ret_usable = st == GC_OK;
    if (st != GC_E_DENIED)
        return st;
    gc_client_say(c->client, "%s no longer takes the stored ticket",
                  p->place.vm);
    gc_record_clear(record); /* it is buried: nothing is to be replaced */
    return GC_OK;
}

/*
 * Put the new RECORD where the next command finds it, in place of what was
 * SEEN.  If another process was first, its ticket is the one to use: RECORD
 * becomes that.
 */
static gc_status
keep(struct writing *w, struct gc_record *record, const struct gc_records *seen,
     struct gc_error *err)
{
    const struct gc_custody *c = w->custody;
    GC_AUTO(gc_record) earlier = {0};
    gc_status st;

    if (c->store == NULL)
        return GC_OK;
    memcpy(record->id, w->entry.record, sizeof(record->id));
    st = gc_store_put(c->store, record, seen, &earlier, err);
    if (st == GC_OK && earlier.id[0] != '\0') {
        discard(c, record);
        gc_record_move(record, &earlier);
        record->reused = true;
        return GC_OK;
    }
    if (st == GC_OK && strcmp(w->entry.record, record->id) != 0)
        st = hand_over(c, &w->entry, record, err);
    if (st != GC_OK)
        discard(c, record);
    /* They left the store with the put. */
    for (size_t i = 0; record->id[0] != '\0' && i < seen->count; i++)
        if (gc_client_is_foreign(c->client, &seen->items[i].ticket))
            forget_id(c, seen->items[i].id);
        else if (seen->items[i].ticket.ticket.len > 0)
            discard(c, &seen->items[i]);
    return st;
}

static gc_status
acquire(const struct gc_custody *c, struct gc_initiator *initiator,
        struct purpose *p, const struct gc_records *seen,
        struct gc_record *ret_record, struct gc_error *err)
{
    __attribute__((cleanup(writing_clear))) struct writing w = {
        .custody = c,
        .key = &p->key,
    };
    struct gc_witness witness = {write_intent, write_ticket,  write_owed,
                                 write_lost,   write_nothing, &w};
    GC_AUTO(gc_record) record = {.used = today()};
    gc_status st;

    st = gc_client_acquire(c->client, initiator, &p->place, &p->want, p->limit,
                           &witness, &record.ticket, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(record.url, sizeof(record.url), "%s",
                   gc_session_url(gc_client_session(c->client)));
    st = keep(&w, &record, seen, err);
    if (st == GC_OK)
        gc_record_move(ret_record, &record);
    return st;
}

gc_status
gc_custody_acquire(const struct gc_custody *c, struct gc_initiator *initiator,
                   const struct gc_custody_request *request,
                   const struct gc_want *want, struct gc_limit limit,
                   struct gc_record *ret_record, struct gc_error *err)
{
    __attribute__((cleanup(purpose_clear))) struct purpose p = {.want = *want,
                                                                .limit = limit};
    GC_AUTO(gc_records) seen = {0};
    bool usable = false;
    gc_status st;

    p.want.deadline = limit.deadline;
    st = determine(c, initiator, request, &p, err);
    if (st == GC_OK && c->store != NULL)
        st = gc_store_find_all(c->store, &p.key, &seen, err);
    if (st == GC_OK && seen.count > 0)
        st = judge(c, request, &p, &seen.items[seen.count - 1], &usable, err);
    if (st != GC_OK)
        return st;
    if (usable) {
        gc_record_move(ret_record, &seen.items[seen.count - 1]);
        ret_record->reused = true;
        return GC_OK;
    }
    return acquire(c, initiator, &p, &seen, ret_record, err);
}

/* ---- sweep ---- */

/*
 * A ticket that nobody used for this long is gone whatever its vCenter would
 * say: an entry that no vCenter owns up to must not be owed for ever.
 */
#define FORGOTTEN_S (48 * 3600)

/* Who sweeps many ledgers waits no longer for the lock of one, … */
#define LOCK_MS 500

/* … nor for one guest: the next sweep comes soon. */
#define PAY_MS 5000

enum verdict { LEAVE, DROP, RELEASE };

static void
count_needed(const struct gc_entry *entry, struct gc_custody_tally *tally)
{
    if (entry->state == GC_OWED_LOST)
        tally->lost++;
    else
        tally->needed++;
}

/*
 * Look at ENTRY again, as it stands by now, and say what to do: it was listed a
 * while ago, and its process may have handed the ticket over since.  A RELEASE
 * has been written down when this returns.  To be called under the lock.
 */
static enum verdict
look_again(const struct gc_custody *c, struct gc_entry *entry,
           struct gc_custody_tally *tally)
{
    GC_AUTO(gc_entry) now = {0};
    struct gc_error why = {0};
    char id[GC_LEDGER_ID_SIZE];

    memcpy(id, entry->id, sizeof(id));
    if (gc_ledger_read(c->ledger, id, &now, &why) != GC_OK)
        return LEAVE;
    gc_entry_clear(entry);
    *entry = now;
    now = (struct gc_entry){0};
    if (gc_entry_needed(entry)) {
        count_needed(entry, tally);
        return LEAVE;
    }
    if (entry->state == GC_OWED_INTENT) {
        tally->abandoned++;
        mark_lost(c, entry);
        return LEAVE;
    }
    if (entry->state == GC_OWED_LOST) {
        tally->gone++;
        return DROP;
    }
    if (gc_client_is_foreign(c->client, &entry->ticket)) {
        if (entry->written + FORGOTTEN_S > today()) {
            tally->elsewhere++;
            return LEAVE;
        }
        tally->gone++;
        return DROP;
    }
    if (write_release(c, entry, &why) != GC_OK)
        gc_client_say(c->client, "%s", why.message);
    return RELEASE;
}

/* Once for all of them: nobody waits as often as there are entries. */
static gc_status
lock(const struct gc_custody *c, struct gc_entries *entries, int64_t deadline,
     struct gc_error *err)
{
    gc_status st;

    if (entries->locked)
        return gc_fail(err, GC_E_BUSY,
                       "another process holds the ledger's lock");
    st = gc_ledger_lock(c->ledger, gc_clock_within(deadline, LOCK_MS), err);
    entries->locked = st == GC_E_BUSY;
    return st;
}

/* Those that were tried least come first, or a guest that does not answer would
 * take the time of the same others each time. */
static int
compare_tries(const void *a, const void *b)
{
    const struct gc_entry *x = a, *y = b;

    if (x->tries != y->tries)
        return x->tries < y->tries ? -1 : 1;
    if (x->written != y->written)
        return x->written < y->written ? -1 : 1;
    return strcmp(x->id, y->id);
}

static gc_status
sweep_one(const struct gc_custody *c, struct gc_entries *entries, size_t i,
          struct gc_limit limit, struct gc_custody_tally *tally,
          struct gc_error *err)
{
    struct gc_entry *entry = &entries->items[i];
    enum verdict verdict;
    enum gc_released how;
    gc_status st = GC_OK;

    if (gc_clock_left(limit.deadline) == 0) {
        tally->owed++;
        return gc_fail(err, GC_E_UNAVAILABLE, "there was no time left");
    }
    /* Which vCenter this is must be known before a ticket is judged. */
    if (entry->state >= GC_OWED_TICKET && !entries->locked)
        st = gc_session_open(gc_client_session(c->client), limit, err);
    if (st == GC_OK)
        st = lock(c, entries, limit.deadline, err);
    if (st != GC_OK) {
        tally->owed++;
        return st;
    }
    verdict = look_again(c, entry, tally);
    if (verdict == DROP)
        settle(c, entry->id);
    gc_ledger_unlock(c->ledger);
    if (verdict != RELEASE)
        return GC_OK;

    limit.deadline = gc_clock_within(limit.deadline, PAY_MS);
    st = pay(c, entry, limit, &how, err);
    if (st != GC_OK) {
        tally->owed++;
        return gc_fail_context(err, st, "%s", entry->ticket.vm);
    }
    if (how == GC_RELEASED)
        tally->released++;
    else
        tally->gone++;
    /* A killed command may have left it there without handing it over. */
    forget_ticket(c, &entry->ticket);
    return GC_OK;
}

gc_status
gc_custody_sweep(const struct gc_custody *c, struct gc_limit limit,
                 struct gc_custody_tally *tally, struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    const char *url = gc_session_url(gc_client_session(c->client));
    gc_status first = GC_OK, st;

    st = gc_ledger_list(c->ledger, &entries, err);
    if (st != GC_OK)
        return st;
    if (entries.count > 1)
        qsort(entries.items, entries.count, sizeof(*entries.items),
              compare_tries);
    for (size_t i = 0; i < entries.count; i++) {
        struct gc_entry *entry = &entries.items[i];
        struct gc_error why = {0};

        /* No vCenter is asked about one that is LOST. */
        if ((entry->state != GC_OWED_LOST && strcmp(entry->url, url) != 0)
            || gc_entry_elsewhere(entry) || entry->uid != c->uid)
            tally->elsewhere++;
        else if (gc_entry_needed(entry))
            count_needed(entry, tally);
        else if (sweep_one(c, &entries, i, limit, tally, &why) != GC_OK
                 && first == GC_OK) {
            first = why.status;
            if (err != NULL)
                *err = why;
        }
    }
    return first;
}
