/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gc_tickets_acquire: a stored ticket, or a handshake that is written down
 * before it begins.
 */

#include <config.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/base/clock.h"
#include "src/tickets/challenge.h"
#include "src/tickets/facade.h"

/* Release our ticket that will not be used, or mark it as owed. */
static void
discard(const struct gc_tickets *t, struct gc_entry *entry)
{
    enum gc_released how;
    struct gc_error why = {0};
    bool owed;

    if (gc_tickets_end(t, entry, gc_limit_grace(GC_TICKETS_GRACE_MS), &how,
                       &owed, &why)
        != GC_OK)
        gc_tickets_say(t, "a ticket for %s could not be released: %s",
                       entry->ticket.vm, why.message);
}

/* What every attempt has in common; all borrowed but WANT and PLACE. */
struct purpose {
    const struct gc_tickets *tickets;
    const struct gc_tickets_request *request;
    struct gc_limit limit;
    struct gc_want want; /* target filled in; its password is borrowed */
    struct gc_place place;
    char principal[GC_PRINCIPAL_SIZE];
    struct gc_entries seen; /* stored tickets that agree */
    bool reused;            /* the ticket is an earlier command's */
};

static void
purpose_clear(struct purpose *p)
{
    gc_entries_clear(&p->seen);
}

static struct gc_ticket_key
key_of(const struct purpose *p)
{
    struct gc_guest_about here = gc_tickets_about(p->tickets);

    return (struct gc_ticket_key){
        .url = here.url,
        .vcenter = here.vcenter,
        .vm = p->place.vm,
        .principal = p->principal,
        .target = p->want.target,
        .mech = p->want.mech == GC_MECH_NTLM ? GC_MECH_NTLM : GC_MECH_KERBEROS,
        .mutual = p->want.mutual,
    };
}

static gc_status
determine(struct purpose *p, struct gc_error *err)
{
    const struct gc_tickets *t = p->tickets;
    gc_status st;

    st = gc_tickets_locate(t, p->request->ref, p->limit, p->want.target,
                           &p->place, err);
    if (st != GC_OK || (t->store == NULL && t->copies == NULL))
        return st;
    st = t->initiator->ops->who(t->initiator, &p->want, p->principal, err);
    if (st == GC_OK && t->store != NULL && t->login == NULL) {
        struct gc_ticket_key key = key_of(p);

        st = gc_store_list(t->store, &key, &p->seen, err);
    }
    return st;
}

/*
 * May ENTRY be used?  Not if it is too old.  If the guest refuses it, it is
 * forgotten, and need not be replaced.
 */
static gc_status
judge(struct purpose *p, struct gc_entry *entry, bool trust, bool *ret_usable,
      struct gc_error *err)
{
    const struct gc_tickets *t = p->tickets;
    int64_t age = gc_clock_epoch() - entry->used;
    gc_status st;

    *ret_usable = false;
    if (age > GC_TICKETS_IDLE_S)
        return GC_OK;
    /* A time in the future is a clock that jumped: ask the guest. */
    if (trust && age >= 0) {
        *ret_usable = true;
        return GC_OK;
    }
    st = t->guest->ops->open(t->guest, p->limit, err);
    if (st != GC_OK || gc_tickets_is_foreign(t, entry->ticket.vcenter))
        return st;
    gc_tickets_say(t, "%s: asking the guest about the stored ticket",
                   p->place.vm);
    st = gc_tickets_validate(t, entry, p->limit, err);
    *ret_usable = st == GC_OK;
    if (st != GC_E_DENIED)
        return st;
    gc_tickets_say(t, "%s no longer takes the stored ticket", p->place.vm);
    gc_entry_clear(entry);
    return GC_OK;
}

/* The newest stored ticket that serves, the user's own before a login's. */
static gc_status
reuse(struct purpose *p, struct gc_entry *ret_entry, bool *ret_reused,
      struct gc_error *err)
{
    GC_AUTO(gc_entries) copies = {0};
    struct gc_ticket_key key = key_of(p);
    gc_status st = GC_OK;

    if (p->seen.count > 0) {
        struct gc_entry *newest = &p->seen.items[p->seen.count - 1];

        st = judge(p, newest, p->request->trust, ret_reused, err);
        if (*ret_reused)
            gc_entry_move(ret_entry, newest);
    }
    if (st != GC_OK || *ret_reused || p->tickets->copies == NULL)
        return st;
    st = gc_store_list(p->tickets->copies, &key, &copies, err);
    if (st != GC_OK || copies.count == 0)
        return st;
    st = judge(p, &copies.items[copies.count - 1], false, ret_reused, err);
    if (*ret_reused)
        gc_entry_move(ret_entry, &copies.items[copies.count - 1]);
    return st;
}

/* What is known of the ticket before there is one. */
static void
describe(const struct purpose *p, struct gc_entry *entry)
{
    const struct gc_tickets_login *login = p->tickets->login;
    struct gc_ticket_key key = key_of(p);
    struct gc_ticket *t = &entry->ticket;

    entry->state = GC_ENTRY_INTENT;
    entry->made = entry->used = t->acquired = gc_clock_epoch();
    t->mech = key.mech;
    t->mutual = key.mutual;
    (void)snprintf(entry->url, sizeof(entry->url), "%s", key.url);
    (void)snprintf(entry->asked, sizeof(entry->asked), "%s", p->request->ref);
    (void)snprintf(t->vm, sizeof(t->vm), "%s", p->place.vm);
    (void)snprintf(t->name, sizeof(t->name), "%s", p->place.name);
    (void)snprintf(t->vcenter, sizeof(t->vcenter), "%s", key.vcenter);
    (void)snprintf(t->principal, sizeof(t->principal), "%s", key.principal);
    (void)snprintf(t->target, sizeof(t->target), "%s", key.target);
    if (login == NULL)
        return;
    entry->uid = login->uid;
    (void)snprintf(entry->login, sizeof(entry->login), "%s", login->login);
    (void)snprintf(entry->host, sizeof(entry->host), "%s", login->host);
}

/* The legs failed: what is left of them in the guest? */
static void
note_failure(const struct gc_tickets *t, struct gc_exchange *exchange,
             struct gc_entry *entry)
{
    struct gc_error why = {0};

    if (t->store == NULL)
        return;
    if (exchange->owed.len > 0) {
        gc_bytes_move(&entry->ticket.ticket, &exchange->owed);
        gc_tickets_say_store(t, gc_store_owed(t->store, entry, &why), &why);
    } else if (exchange->lost) {
        gc_tickets_say_store(t, gc_store_lost(t->store, entry, &why), &why);
    } else {
        gc_tickets_say_store(t, gc_store_nothing(t->store, entry, &why), &why);
    }
}

/* A ticket that the caller will not get must not stay in the guest. */
static void
give_back(const struct gc_tickets *t, struct gc_entry *entry,
          struct gc_error *err)
{
    enum gc_released how;
    struct gc_error why = {0}, unwritten = {0};
    bool owed;

    if (gc_tickets_end(t, entry, gc_limit_grace(GC_TICKETS_GRACE_MS), &how,
                       &owed, &why)
        == GC_OK)
        return;
    gc_tickets_say(t, "releasing the unused ticket failed: %s", why.message);
    if (t->store != NULL && !owed)
        gc_tickets_say_store(t, gc_store_lost(t->store, entry, &unwritten),
                             &unwritten);
    (void)gc_fail_hint(err, err->status,
                       "a ticket stays behind in %s: it could not be released "
                       "(%s)",
                       entry->ticket.vm, why.message);
}

/* What was negotiated, and whether the ticket is what was asked for. */
static gc_status
check_facts(const struct purpose *p, struct gc_entry *entry,
            struct gc_error *err)
{
    struct gc_initiator *initiator = p->tickets->initiator;
    struct gc_ticket *t = &entry->ticket;
    struct gc_facts facts = {0};
    gc_status st = initiator->ops->facts(initiator, &facts, err);

    if (st != GC_OK)
        return st;
    t->mech = facts.mech;
    t->mutual = facts.mutual;
    (void)snprintf(t->principal, sizeof(t->principal), "%s", facts.principal);
    (void)snprintf(t->target, sizeof(t->target), "%s", facts.target);
    if (p->want.mutual && !facts.mutual) {
        st = gc_fail(err, GC_E_PROTOCOL,
                     "the guest of VM %s issued a ticket without proving "
                     "itself",
                     p->place.vm);
        return gc_fail_hint(err, st,
                            "without mutual authentication that would be "
                            "taken on trust");
    }
    if (gc_limit_canceled(p->limit))
        return gc_fail(err, GC_E_CANCELED, "interrupted");
    return GC_OK;
}

/*
 * Put the new ticket where the next command finds it, in place of what was
 * seen.  If another process was first, its ticket is the one to use: ENTRY
 * becomes that.
 */
static gc_status
keep(struct purpose *p, struct gc_entry *entry, struct gc_error *err)
{
    const struct gc_tickets *t = p->tickets;
    GC_AUTO(gc_entry) earlier = {0};
    struct gc_ticket_key key = key_of(p);
    gc_status st;

    if (t->store == NULL)
        return GC_OK;
    st = gc_store_ticket(t->store, entry, &p->seen, &earlier, err);
    if (st != GC_OK) {
        give_back(t, entry, err);
        return st;
    }
    if (earlier.id[0] != '\0') {
        discard(t, entry);
        gc_entry_move(entry, &earlier);
        p->reused = true;
        return GC_OK;
    }
    for (size_t i = 0; i < p->seen.count; i++)
        if (p->seen.items[i].id[0] != '\0'
            && gc_entry_matches(&p->seen.items[i], &key))
            discard(t, &p->seen.items[i]);
    return GC_OK;
}

/* A handshake that is written down, up to a ticket that is. */
static gc_status
shake_hands(struct purpose *p, const struct gc_said *first,
            struct gc_entry *entry, struct gc_error *err)
{
    const struct gc_tickets *t = p->tickets;
    GC_AUTO(gc_exchange)
    exchange = {.vm = p->place.vm,
                .limit = p->limit,
                .tell = t->log,
                .tell_user = t->log_user};
    gc_status st;

    st = gc_challenge_run(t->initiator, first, t->guest, &exchange,
                          &entry->ticket.ticket, err);
    if (st != GC_OK) {
        note_failure(t, &exchange, entry);
        return st;
    }
    entry->ticket.legs = exchange.legs;
    st = check_facts(p, entry, err);
    if (st == GC_OK)
        return keep(p, entry, err);
    give_back(t, entry, err);
    return st;
}

/* Fresh context, a session, the intent, the legs, what came of it. */
static gc_status
attempt(struct purpose *p, struct gc_entry *ret_entry, struct gc_error *err)
{
    const struct gc_tickets *t = p->tickets;
    GC_AUTO(gc_said) first = {0};
    GC_AUTO(gc_entry) entry = {0};
    gc_status st;

    gc_tickets_say(t, "%s: asking %s for a token for %s", p->place.vm,
                   p->want.mech == GC_MECH_NTLM ? "NTLM" : "Kerberos",
                   p->want.target);
    st = t->initiator->ops->begin(t->initiator, &p->want, &first, err);
    if (st == GC_OK && !gc_tickets_about(t).spoke)
        gc_tickets_say(t, "speaking to vCenter at %s", gc_tickets_about(t).url);
    if (st == GC_OK)
        st = t->guest->ops->open(t->guest, p->limit, err);
    if (st != GC_OK)
        return st;
    describe(p, &entry);
    if (t->store != NULL)
        st = gc_store_intent(t->store, &entry, err);
    if (st == GC_OK)
        st = shake_hands(p, &first, &entry, err);
    if (st == GC_OK)
        gc_entry_move(ret_entry, &entry);
    return st;
}

gc_status
gc_tickets_acquire(const struct gc_tickets *t,
                   const struct gc_tickets_request *request,
                   struct gc_limit limit, struct gc_entry *ret_entry,
                   bool *ret_reused, struct gc_error *err)
{
    __attribute__((cleanup(purpose_clear))) struct purpose p = {
        .tickets = t,
        .request = request,
        .limit = limit,
        .want = *request->want};
    struct gc_retry retry = gc_tickets_retry(t, limit);
    struct gc_error why = {0};
    gc_status st;

    *ret_reused = false;
    p.want.deadline = limit.deadline;
    st = determine(&p, err);
    if (st == GC_OK && !request->fresh && t->login == NULL)
        st = reuse(&p, ret_entry, ret_reused, err);
    if (st != GC_OK || *ret_reused)
        return st;
    do {
        st = attempt(&p, ret_entry, &why);
        if (st != GC_OK)
            t->initiator->ops->end(t->initiator);
    } while (st != GC_OK && gc_retry(&retry, &why));
    *ret_reused = p.reused;
    return gc_retry_done(st, &why, err);
}
