/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/tickets.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gss/spn.h"
#include "src/tickets/challenge.h"
#include "src/tickets/retry.h"

/* One guest that does not answer must not take all of a sweep's time. */
#define SWEEP_ONE_MS 5000

/* Between two tries to release one entry, from the second on. */
#define REST_FIRST_S 60
#define REST_MAX_S   3600

static int64_t
today(void)
{
    return (int64_t)time(NULL);
}

static void GC_PRINTF(2, 3)
    say(const struct gc_tickets *t, const char *fmt, ...)
{
    char raw[512], line[1024];
    va_list args;

    if (t->log == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    gc_escape(line, sizeof(line), raw, strlen(raw));
    t->log(t->log_user, line);
}

/* What the store could not do is said, and stops nothing. */
static void
say_store(const struct gc_tickets *t, gc_status st, const struct gc_error *why)
{
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        say(t, "the store: %s", why->message);
}

static struct gc_guest_about
about(const struct gc_tickets *t)
{
    return t->guest->ops->about(t->guest);
}

/* Is a ticket of VCENTER another's than the one that was spoken to? */
static bool
is_foreign(const struct gc_tickets *t, const char *vcenter)
{
    const char *here = about(t).vcenter;

    return vcenter[0] != '\0' && here[0] != '\0' && strcmp(vcenter, here) != 0;
}

/* ---- trying again ---- */

/* One call of the facade, as it goes on from attempt to attempt. */
struct effort {
    const struct gc_tickets *tickets;
    struct gc_retry retry;
    bool logged_in_again;
};

static struct effort
effort(const struct gc_tickets *t, struct gc_limit limit)
{
    return (struct effort){.tickets = t, .retry = {.limit = limit}};
}

static void
tell_pause(void *user, const struct gc_error *err, int pause_ms)
{
    const struct effort *e = user;

    say(e->tickets, "%s; trying again in %d ms", err->message, pause_ms);
}

/* The guest saw nothing of a call that was NotAuthenticated. */
static bool
log_in_again(struct effort *e, struct gc_error *err)
{
    struct gc_guest *guest = e->tickets->guest;
    struct gc_error why = {0};

    if (e->logged_in_again)
        return false;
    e->logged_in_again = true;
    say(e->tickets, "the vCenter session is gone: logging in again");
    if (guest->ops->login(guest, e->retry.limit, &why) == GC_OK)
        return true;
    *err = why;
    return false;
}

/* False: give up with ERR, which is then what the caller shall see. */
static bool
try_again(struct effort *e, struct gc_error *err)
{
    if (err->again && strcmp(err->fault, "NotAuthenticated") == 0)
        return log_in_again(e, err);
    return gc_retry_wait(&e->retry, err, tell_pause, e);
}

/* Validate and Release may be repeated whatever became of the last one. */
static bool
try_again_harmless(struct effort *e, struct gc_error *err)
{
    if (err->status == GC_E_UNAVAILABLE && err->fault[0] == '\0')
        err->again = true;
    return try_again(e, err);
}

static gc_status
give_up(const struct gc_error *why, struct gc_error *err)
{
    if (err != NULL)
        *err = *why;
    return why->status;
}

/* ---- locate ---- */

/*
 * Put the VM's inventory name for "{vm}".  Only a name that can stand in a host
 * name is taken: who may rename a VM must not write the rest of the target.
 */
static gc_status
fill_target(const struct gc_place *place, char target[GC_TARGET_SIZE],
            struct gc_error *err)
{
    static const char mark[] = "{vm}";
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    char *at = strstr(target, mark);
    size_t len = strspn(place->name, letters), rest;

    if (len == 0 || len > 63 || place->name[len] != '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "the name of %s, \"%s\", cannot stand in a host name",
                       place->vm, place->name);
    rest = strlen(at + strlen(mark)) + 1;
    if ((size_t)(at - target) + len + rest > GC_TARGET_SIZE)
        return gc_fail(err, GC_E_CONFIG, "the target name is too long");
    memmove(at + len, at + strlen(mark), rest);
    memcpy(at, place->name, len);
    if (strstr(target, mark) != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "the target name holds {vm} more than once");
    return GC_OK;
}

static gc_status
locate(const struct gc_tickets *t, const char *ref, struct gc_limit limit,
       char *target, struct gc_place *ret_place, struct gc_error *err)
{
    bool fill = target != NULL && strstr(target, "{vm}") != NULL;
    struct gc_place place = {0};
    struct gc_spn spn;
    gc_status st;

    st = t->guest->ops->locate(t->guest, ref, fill, limit, &place, err);
    if (st != GC_OK)
        return st;
    if (strcmp(place.vm, ref) != 0)
        say(t, "%s is %s", ref, place.vm);
    if (fill)
        st = fill_target(&place, target, err);
    if (st == GC_OK && target != NULL)
        st = gc_spn_parse(target, &spn, err);
    if (st != GC_OK)
        return st;
    if (target != NULL)
        gc_spn_print(&spn, target);
    *ret_place = place;
    return GC_OK;
}

gc_status
gc_tickets_locate(const struct gc_tickets *t, const char *ref,
                  struct gc_limit limit, char *target,
                  struct gc_place *ret_place, struct gc_error *err)
{
    struct effort e = effort(t, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = locate(t, ref, limit, target, ret_place, &why);
    } while (st != GC_OK && try_again(&e, &why));
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

/* ---- validate and release ---- */

/* A ticket must not be shown to a vCenter that it is not from. */
static gc_status
check_vcenter(const struct gc_tickets *t, const struct gc_entry *entry,
              struct gc_limit limit, struct gc_error *err)
{
    const struct gc_ticket *ticket = &entry->ticket;
    struct gc_guest_about here = about(t);
    gc_status st = GC_OK;

    if (entry->url[0] != '\0' && strcmp(entry->url, here.url) != 0)
        return gc_fail(err, GC_E_CONFIG, "%s is a VM of another vCenter, %s",
                       ticket->vm, entry->url);
    st = t->guest->ops->open(t->guest, limit, err);
    if (st != GC_OK || !is_foreign(t, ticket->vcenter))
        return st;
    return gc_fail(err, GC_E_CONFIG,
                   "the ticket for %s is from vCenter %s, but %s is %s",
                   ticket->vm, ticket->vcenter, here.url, about(t).vcenter);
}

/* The same, until it is known. */
static gc_status
reach(const struct gc_tickets *t, const struct gc_entry *entry,
      struct gc_limit limit, struct gc_error *err)
{
    struct effort e = effort(t, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = check_vcenter(t, entry, limit, &why);
    } while (st != GC_OK && try_again_harmless(&e, &why));
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

/* ENTRY may come from a file: its ticket may be in the store, too. */
static void
find_stored(const struct gc_tickets *t, struct gc_entry *entry)
{
    GC_AUTO(gc_entries) stored = {0};
    struct gc_error why;

    if (t->store == NULL || entry->id[0] != '\0')
        return;
    say_store(t, gc_store_list(t->store, NULL, &stored, &why), &why);
    for (size_t i = 0; i < stored.count; i++)
        if (gc_entry_same_ticket(&stored.items[i], entry))
            memcpy(entry->id, stored.items[i].id, sizeof(entry->id));
    if (entry->url[0] == '\0')
        (void)snprintf(entry->url, sizeof(entry->url), "%s", about(t).url);
}

gc_status
gc_tickets_validate(const struct gc_tickets *t, struct gc_entry *entry,
                    struct gc_limit limit, struct gc_error *err)
{
    struct effort e = effort(t, limit);
    struct gc_error why = {0}, unwritten = {0};
    gc_status st;

    find_stored(t, entry);
    do {
        st = check_vcenter(t, entry, limit, &why);
        if (st == GC_OK)
            st = t->guest->ops->validate(t->guest, entry->ticket.vm,
                                         &entry->ticket.ticket, limit, &why);
    } while (st != GC_OK && try_again_harmless(&e, &why));
    if (t->store != NULL && entry->id[0] != '\0') {
        if (st == GC_E_DENIED)
            say_store(t, gc_store_refused(t->store, entry, &unwritten),
                      &unwritten);
        else if (st == GC_OK)
            say_store(t, gc_store_used(t->store, entry, &unwritten),
                      &unwritten);
    }
    if (st == GC_OK)
        entry->used = today();
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

static gc_status
release(const struct gc_tickets *t, const struct gc_entry *entry,
        struct gc_limit limit, enum gc_released *ret_how, struct gc_error *err)
{
    struct effort e = effort(t, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = check_vcenter(t, entry, limit, &why);
        if (st == GC_OK)
            st = t->guest->ops->release(t->guest, entry->ticket.vm,
                                        &entry->ticket.ticket, limit, ret_how,
                                        &why);
    } while (st != GC_OK && try_again_harmless(&e, &why));
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

/*
 * Write down that ENTRY's ticket is owed, release it, and note what came of
 * it.  RET_OWED: it stays written down.  A store that cannot be written must
 * not keep a ticket alive.
 */
static gc_status
end_ticket(const struct gc_tickets *t, struct gc_entry *entry,
           struct gc_limit limit, enum gc_released *ret_how, bool *ret_owed,
           struct gc_error *err)
{
    struct gc_error why = {0};
    gc_status st, written = GC_OK;

    *ret_owed = false;
    if (t->store != NULL)
        written = gc_store_owed(t->store, entry, &why);
    say_store(t, written, &why);
    st = release(t, entry, limit, ret_how, err);
    if (t->store == NULL || entry->id[0] == '\0')
        return st;
    if (st == GC_OK) {
        say_store(t, gc_store_released(t->store, entry, &why), &why);
    } else if (written == GC_OK) {
        *ret_owed = true;
        say_store(t, gc_store_not_released(t->store, entry, &why), &why);
    }
    if (*ret_owed && t->owes != NULL)
        *t->owes = true;
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
gc_tickets_release(const struct gc_tickets *t, struct gc_entry *entry,
                   struct gc_limit limit, enum gc_released *ret_how,
                   struct gc_error *err)
{
    struct gc_error unwritten = {0};
    bool owed = false;
    gc_status st;

    find_stored(t, entry);
    st = reach(t, entry, limit, err);
    /* Another vCenter's is not this one's to release. */
    if (st == GC_E_CONFIG)
        return st;
    if (st == GC_OK) {
        st = end_ticket(t, entry, limit, ret_how, &owed, err);
    } else if (t->store != NULL) {
        gc_status written = gc_store_owed(t->store, entry, &unwritten);

        say_store(t, written, &unwritten);
        owed = written == GC_OK;
        if (owed && t->owes != NULL)
            *t->owes = true;
    }
    if (st == GC_OK)
        return GC_OK;
    return tell_fate(err, st,
                     owed ? "the release is owed and will be tried again"
                          : "the ticket stays in the guest");
}

/* A ticket of ours that will not be used: end it now, or owe it. */
static void
discard(const struct gc_tickets *t, struct gc_entry *entry)
{
    enum gc_released how;
    struct gc_error why = {0};
    bool owed;

    if (end_ticket(t, entry, gc_limit_grace(GC_TICKETS_GRACE_MS), &how, &owed,
                   &why)
        != GC_OK)
        say(t, "a ticket for %s could not be released: %s", entry->ticket.vm,
            why.message);
}

/* ---- acquire ---- */

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
    struct gc_guest_about here = about(p->tickets);

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
 * May ENTRY be used?  Not one that is dead by age.  One that the guest refuses
 * is forgotten: nothing is to be replaced.
 */
static gc_status
judge(struct purpose *p, struct gc_entry *entry, bool trust, bool *ret_usable,
      struct gc_error *err)
{
    const struct gc_tickets *t = p->tickets;
    int64_t age = today() - entry->used;
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
    if (st != GC_OK || is_foreign(t, entry->ticket.vcenter))
        return st;
    say(t, "%s: asking the guest about the stored ticket", p->place.vm);
    st = gc_tickets_validate(t, entry, p->limit, err);
    *ret_usable = st == GC_OK;
    if (st != GC_E_DENIED)
        return st;
    say(t, "%s no longer takes the stored ticket", p->place.vm);
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
    entry->made = entry->used = t->acquired = today();
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
        say_store(t, gc_store_owed(t->store, entry, &why), &why);
    } else if (exchange->lost) {
        say_store(t, gc_store_lost(t->store, entry, &why), &why);
    } else {
        say_store(t, gc_store_nothing(t->store, entry, &why), &why);
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

    if (end_ticket(t, entry, gc_limit_grace(GC_TICKETS_GRACE_MS), &how, &owed,
                   &why)
        == GC_OK)
        return;
    say(t, "releasing the unused ticket failed: %s", why.message);
    if (t->store != NULL && !owed)
        say_store(t, gc_store_lost(t->store, entry, &unwritten), &unwritten);
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

    say(t, "%s: asking %s for a token for %s", p->place.vm,
        p->want.mech == GC_MECH_NTLM ? "NTLM" : "Kerberos", p->want.target);
    st = t->initiator->ops->begin(t->initiator, &p->want, &first, err);
    if (st == GC_OK && !about(t).spoke)
        say(t, "speaking to vCenter at %s", about(t).url);
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
    struct effort e = effort(t, limit);
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
    } while (st != GC_OK && try_again(&e, &why));
    *ret_reused = p.reused;
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

/* ---- sweep ---- */

/* T may be NULL: whatever is owed is OWED. */
static void
count(const struct gc_tickets *t, const struct gc_entries *entries,
      struct gc_tickets_tally *tally)
{
    *tally = (struct gc_tickets_tally){0};
    for (size_t i = 0; i < entries->count; i++)
        if (entries->items[i].state == GC_ENTRY_OWED && t != NULL
            && strcmp(entries->items[i].url, about(t).url) != 0)
            tally->elsewhere++;
        else if (entries->items[i].state == GC_ENTRY_OWED)
            tally->owed++;
        else if (entries->items[i].state == GC_ENTRY_LOST)
            tally->lost++;
        else
            tally->needed++;
}

gc_status
gc_tickets_count(struct gc_store *store, struct gc_tickets_tally *tally,
                 struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    gc_status st = gc_store_tidy(store, err);

    if (st == GC_OK)
        st = gc_store_list(store, NULL, &entries, err);
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
    int64_t rest = REST_FIRST_S, age = today() - entry->changed;

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

    if (is_foreign(t, entry->ticket.vcenter)) {
        tally->elsewhere++;
        tally->owed--;
        return GC_OK;
    }
    if (gc_clock_left(limit.deadline) == 0)
        return gc_fail(err, GC_E_UNAVAILABLE, "there was no time left");
    limit.deadline = gc_clock_within(limit.deadline, SWEEP_ONE_MS);
    st = end_ticket(t, entry, limit, &how, &owed, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "%s", entry->ticket.vm);
    tally->owed--;
    if (how == GC_RELEASED)
        tally->released++;
    else
        tally->gone++;
    return GC_OK;
}

/* Those that were tried least come first, or a guest that does not answer would
 * take the time of the same others each time. */
static gc_status
list_by_tries(struct gc_store *store, struct gc_entries *ret_entries,
              struct gc_error *err)
{
    gc_status st = gc_store_tidy(store, err);

    if (st == GC_OK)
        st = gc_store_list(store, NULL, ret_entries, err);
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
           && strcmp(entry->url, about(t).url) == 0 && is_due(entry);
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
