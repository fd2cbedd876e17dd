/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/custody.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "gss/clock.h"

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
    struct gc_ticket *t = &w->entry.ticket;
    gc_status st;

    if (c->ledger == NULL)
        return GC_OK;
    st = gc_process_read(getpid(), &w->entry.process, err);
    if (st != GC_OK)
        return st;
    w->entry.state = GC_OWED_INTENT;
    w->entry.uid = c->uid;
    (void)snprintf(w->entry.url, sizeof(w->entry.url), "%s",
                   gc_session_url(gc_client_session(c->client)));
    t->mech = w->key->mech;
    t->acquired = today();
    (void)snprintf(t->vm, sizeof(t->vm), "%s", place->vm);
    (void)snprintf(
        t->vcenter, sizeof(t->vcenter), "%s",
        gc_session_facts(gc_client_session(c->client))->instance_uuid);
    (void)snprintf(t->name, sizeof(t->name), "%s", place->name);
    (void)snprintf(t->principal, sizeof(t->principal), "%s", w->key->principal);
    (void)snprintf(t->target, sizeof(t->target), "%s", w->key->target);
    return write_entry(c, &w->entry, err);
}

static gc_status
write_ticket(void *user, const struct gc_bytes *ticket, struct gc_error *err)
{
    struct writing *w = user;
    gc_status st;

    if (w->custody->ledger == NULL)
        return GC_OK;
    st = gc_bytes_set(&w->entry.ticket.ticket, ticket->data, ticket->len, err);
    if (st != GC_OK)
        return st;
    w->entry.state = GC_OWED_TICKET;
    return write_entry(w->custody, &w->entry, err);
}

static void
write_nothing(void *user)
{
    struct writing *w = user;
    struct gc_error why;

    if (w->custody->ledger == NULL)
        return;
    if (gc_ledger_settle(w->custody->ledger, w->entry.id, &why) != GC_OK)
        gc_client_say(w->custody->client, "ledger: %s", why.message);
    w->entry.id[0] = '\0';
}

/* The ticket is in the store now: that is who needs it, no process. */
static gc_status
hand_over(struct writing *w, const struct gc_record *record,
          struct gc_error *err)
{
    const struct gc_custody *c = w->custody;

    if (c->ledger == NULL)
        return GC_OK;
    if (c->store != NULL) {
        (void)snprintf(w->entry.store, sizeof(w->entry.store), "%s",
                       gc_store_name(c->store));
        (void)snprintf(w->entry.record, sizeof(w->entry.record), "%s",
                       record->id);
        w->entry.process = (struct gc_process){0};
    }
    return write_entry(c, &w->entry, err);
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
settle(const struct gc_custody *c, const char *id)
{
    struct gc_error why;

    if (gc_ledger_settle(c->ledger, id, &why) != GC_OK)
        gc_client_say(c->client, "ledger: %s", why.message);
}

static void
forget(const struct gc_custody *c, const char *id)
{
    struct gc_error why;

    if (c->store != NULL && id[0] != '\0'
        && gc_store_forget(c->store, id, &why) != GC_OK)
        gc_client_say(c->client, "store: %s", why.message);
}

/* What ENTRY owes is written down; try it, and note what came of it. */
static gc_status
pay(const struct gc_custody *c, struct gc_entry *entry, int64_t deadline,
    enum gc_released *ret_how, struct gc_error *err)
{
    struct gc_error why;
    gc_status st =
        gc_client_release(c->client, &entry->ticket, deadline, ret_how, err);

    if (st == GC_OK) {
        settle(c, entry->id);
        return GC_OK;
    }
    entry->tries++;
    if (write_entry(c, entry, &why) != GC_OK)
        gc_client_say(c->client, "%s", why.message);
    return st;
}

gc_status
gc_custody_release(const struct gc_custody *c, const struct gc_record *record,
                   int64_t deadline, enum gc_released *ret_how,
                   struct gc_error *err)
{
    GC_AUTO(gc_entry) entry = {0};
    gc_status st;

    if (c->ledger == NULL) {
        st = gc_client_release(c->client, &record->ticket, deadline, ret_how,
                               err);
        if (st == GC_OK)
            forget(c, record->id);
        return st;
    }
    st = find_entry(c, record, &entry, err);
    if (st != GC_OK)
        return st;
    entry.state = GC_OWED_RELEASE;
    st = write_entry(c, &entry, err);
    if (st != GC_OK)
        return st;
    forget(c, record->id);
    return pay(c, &entry, deadline, ret_how, err);
}

/* A ticket of ours that nobody will use: end it now, or owe it. */
static void
discard(const struct gc_custody *c, const struct gc_record *record)
{
    enum gc_released how;
    struct gc_error why;

    gc_client_finish(c->client);
    if (gc_custody_release(c, record, gc_clock_now() + GC_CLIENT_GRACE_MS, &how,
                           &why)
        != GC_OK)
        gc_client_say(c->client, "a ticket for %s could not be released: %s",
                      record->ticket.vm, why.message);
    gc_client_resume(c->client);
}

/* ---- validate ---- */

/* The guest does not know the ticket any more: nothing is owed. */
static void
bury(const struct gc_custody *c, const struct gc_record *record)
{
    GC_AUTO(gc_entry) entry = {0};

    forget(c, record->id);
    if (c->ledger != NULL
        && gc_ledger_find(c->ledger, &record->ticket, &entry, NULL) == GC_OK)
        settle(c, entry.id);
}

gc_status
gc_custody_validate(const struct gc_custody *c, struct gc_record *record,
                    int64_t deadline, struct gc_error *err)
{
    struct gc_error why;
    gc_status st =
        gc_client_validate(c->client, &record->ticket, deadline, err);

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

    st = gc_client_locate(c->client, request->ref, p->want.deadline,
                          p->want.target, &p->place, err);
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
 * Look for a stored ticket.  GC_OK and *RET_USABLE: it will do.  GC_OK without:
 * acquire one; RET_RECORD then is the record to be replaced, or has no id.
 */
static gc_status
look_up(const struct gc_custody *c, const struct gc_custody_request *request,
        const struct purpose *p, bool *ret_usable, struct gc_record *ret_record,
        struct gc_error *err)
{
    int64_t age;
    gc_status st;

    *ret_usable = false;
    st = gc_store_find(c->store, &p->key, ret_record, err);
    if (st == GC_E_NOT_FOUND)
        return GC_OK;
    if (st != GC_OK || request->fresh)
        return st;
    age = today() - ret_record->used;
    /* A time in the future is a clock that jumped: ask the guest. */
    if (age > GC_CUSTODY_IDLE_S)
        return GC_OK;
    if (request->trust && age >= 0) {
        *ret_usable = true;
        return GC_OK;
    }
    st = gc_custody_validate(c, ret_record, p->want.deadline, err);
    if (st == GC_E_DENIED) {
        gc_client_say(c->client, "%s no longer takes the stored ticket",
                      p->place.vm);
        gc_record_clear(ret_record);
        return GC_OK;
    }
    *ret_usable = st == GC_OK;
    return st;
}

/*
 * Put the new RECORD where the next command finds it.  If another process was
 * first, its ticket is the one to use: RECORD becomes that.
 */
static gc_status
keep(struct writing *w, struct gc_record *record, struct gc_record *replaced,
     struct gc_error *err)
{
    const struct gc_custody *c = w->custody;
    GC_AUTO(gc_record) earlier = {0};
    gc_status st;

    if (c->store == NULL)
        return hand_over(w, record, err);
    st = gc_store_put(c->store, record,
                      replaced->id[0] != '\0' ? replaced->id : NULL, &earlier,
                      err);
    if (st == GC_OK && earlier.id[0] != '\0') {
        discard(c, record);
        gc_record_move(record, &earlier);
        return GC_OK;
    }
    if (st == GC_OK)
        st = hand_over(w, record, err);
    if (st != GC_OK)
        discard(c, record);
    if (replaced->id[0] != '\0' && record->id[0] != '\0')
        discard(c, replaced);
    return st;
}

static gc_status
acquire(const struct gc_custody *c, struct gc_initiator *initiator,
        struct purpose *p, struct gc_record *replaced,
        struct gc_record *ret_record, struct gc_error *err)
{
    __attribute__((cleanup(writing_clear))) struct writing w = {
        .custody = c,
        .key = &p->key,
    };
    struct gc_witness witness = {write_intent, write_ticket, write_nothing, &w};
    GC_AUTO(gc_record) record = {.used = today()};
    gc_status st;

    st = gc_client_acquire(c->client, initiator, &p->place, &p->want, &witness,
                           &record.ticket, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(record.url, sizeof(record.url), "%s",
                   gc_session_url(gc_client_session(c->client)));
    st = keep(&w, &record, replaced, err);
    if (st == GC_OK)
        gc_record_move(ret_record, &record);
    return st;
}

gc_status
gc_custody_acquire(const struct gc_custody *c, struct gc_initiator *initiator,
                   const struct gc_custody_request *request,
                   const struct gc_want *want, struct gc_record *ret_record,
                   struct gc_error *err)
{
    __attribute__((cleanup(purpose_clear))) struct purpose p = {.want = *want};
    GC_AUTO(gc_record) stored = {0};
    bool usable = false;
    gc_status st;

    st = determine(c, initiator, request, &p, err);
    if (st == GC_OK && c->store != NULL)
        st = look_up(c, request, &p, &usable, &stored, err);
    if (st != GC_OK)
        return st;
    if (usable) {
        gc_record_move(ret_record, &stored);
        return GC_OK;
    }
    return acquire(c, initiator, &p, &stored, ret_record, err);
}

/* ---- sweep ---- */

static gc_status
sweep_one(const struct gc_custody *c, struct gc_entry *entry, int64_t deadline,
          struct gc_custody_tally *tally, struct gc_error *err)
{
    enum gc_released how;
    gc_status st;

    if (entry->state == GC_OWED_INTENT) {
        settle(c, entry->id);
        tally->abandoned++;
        return GC_OK;
    }
    entry->state = GC_OWED_RELEASE;
    st = write_entry(c, entry, err);
    if (st == GC_OK)
        st = pay(c, entry, deadline, &how, err);
    if (st != GC_OK) {
        tally->owed++;
        return gc_fail_context(err, st, "%s", entry->ticket.vm);
    }
    if (how == GC_RELEASED)
        tally->released++;
    else
        tally->gone++;
    if (c->store != NULL && strcmp(entry->store, gc_store_name(c->store)) == 0)
        forget(c, entry->record);
    return GC_OK;
}

gc_status
gc_custody_sweep(const struct gc_custody *c, bool all_users, int64_t deadline,
                 struct gc_custody_tally *ret_tally, struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    const char *url = gc_session_url(gc_client_session(c->client));
    gc_status first = GC_OK, st;

    *ret_tally = (struct gc_custody_tally){0};
    st = gc_ledger_list(c->ledger, &entries, err);
    if (st != GC_OK)
        return st;
    for (size_t i = 0; i < entries.count; i++) {
        struct gc_entry *entry = &entries.items[i];
        struct gc_error why = {0};

        if (strcmp(entry->url, url) != 0
            || (!all_users && entry->uid != c->uid))
            ret_tally->elsewhere++;
        else if (gc_entry_needed(entry))
            ret_tally->needed++;
        else if (sweep_one(c, entry, deadline, ret_tally, &why) != GC_OK
                 && first == GC_OK) {
            first = why.status;
            if (err != NULL)
                *err = why;
        }
    }
    return first;
}
