/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's tickets: acquired once a transaction, in a store of its own,
 * released at its end.
 *
 * Others proved the user, or we did; either way a ticket goes only to the
 * account that its verified principal maps to (P13).
 */
#include <config.h>

#include "src/helper/calls.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "src/helper/worker.h"
#include "src/base/clock.h"
#include "src/helper/handshake.h"
#include "src/helper/proof.h"
#include "src/shelf.h"

#define WIPE_MS        1000        /* of the user's own store, and no more */
#define LOOK_MS        50          /* at what another call makes of a login */
#define SYSTEM_ACCOUNT "guestcred" /* may act for others, and nothing else */

/* What one session is made of while it is. */
struct session {
    struct gc_errand *errand;
    struct gc_login login;
    struct gc_initiator *worker;
    struct gc_vcenter vcenter;
    struct gc_want want;
    struct gc_records records;
    bool stranger; /* the credential is not the account's */
    size_t failures;
    struct gc_error failed; /* the first that did */
};

static void
session_clear(struct session *s)
{
    gc_login_clear(&s->login);
    gc_initiator_free(s->worker);
    gc_vcenter_clear(&s->vcenter);
    gc_records_clear(&s->records);
}
#define SESSION __attribute__((cleanup(session_clear))) struct session

static gc_status
find_login(struct gc_errand *e, struct gc_login *ret_login,
           struct gc_error *err)
{
    const struct gc_wire_request *r = &e->request;

    if (r->transaction[0] == '\0')
        return gc_fail(err, GC_E_NOT_FOUND, "no transaction");
    return gc_logins_find(e->logins, r->transaction, e->as.uid, r->service,
                          (pid_t)r->host_pid, r->host_start, ret_login, err);
}

/* ---- whose credential ---- */

/* Nothing foreign decides what becomes of a user without one. */
static gc_status
nothing(struct gc_wire_reply *reply, const char *why)
{
    reply->nothing = true;
    (void)snprintf(reply->message, sizeof(reply->message), "%s", why);
    return GC_OK;
}

/* What was proved to us in this transaction. */
static gc_status
use_proved(struct session *s, struct gc_error *err)
{
    gc_status st =
        gc_worker_lend(s->worker, &s->login.credential, s->want.deadline, err);

    if (st != GC_OK)
        return st;
    s->want.source = GC_SOURCE_LENT;
    memcpy(s->want.principal, s->login.principal, sizeof(s->want.principal));
    return GC_OK;
}

static gc_status
use_cache(struct session *s, struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    const char *place = gc_errand_text(e, GC_OPT_PAM_CCACHE, e->request.ccname);
    char principal[GC_PRINCIPAL_SIZE];
    gc_status st;

    if (strlen(place) >= sizeof(s->want.place))
        return gc_fail(err, GC_E_NO_CREDENTIAL, "the cache's name is too long");
    s->want.source = GC_SOURCE_OWN_CCACHE;
    memcpy(s->want.place, place, strlen(place) + 1);
    memcpy(s->want.target, e->vms[0].target, sizeof(s->want.target));
    st = gc_proof(e, s->worker, &s->want, principal, err);
    if (st == GC_OK)
        memcpy(s->want.principal, principal, sizeof(principal));
    return st;
}

/* Does source= have s4u, for this user?  Nobody is on its list by default. */
static gc_status
may_stand_in(const struct gc_errand *e, bool *ret_may, struct gc_error *err)
{
    const char *list = gc_options_text(&e->config, GC_OPT_PAM_S4U_USERS);

    *ret_may = false;
    if (list == NULL || !gc_errand_has_source(e, "s4u"))
        return GC_OK;
    return gc_map_permits(list, e->request.user, e->as.gid, ret_may, err);
}

/*
 * S4U2Self and S4U2Proxy, by a child that is the system account: the user's
 * own must not hold that key (P3).
 */
static gc_status
use_s4u(struct session *s, struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    const char *keytab = gc_options_text(&e->config, GC_OPT_PAM_S4U_KEYTAB);
    struct gc_child_as as;
    gc_status st;

    if (keytab == NULL || strlen(keytab) >= sizeof(s->want.place))
        return gc_fail(err, GC_E_CONFIG, "source=s4u needs s4u_keytab");
    if (strpbrk(e->request.user, "@/\\") != NULL)
        return gc_fail(err, GC_E_DENIED, "s4u is not for \"%.64s\"",
                       e->request.user);
    st = gc_child_as_user(SYSTEM_ACCOUNT, &as, err);
    if (st != GC_OK)
        return gc_fail(err, GC_E_CONFIG,
                       "source=s4u needs a system account " SYSTEM_ACCOUNT);
    gc_initiator_free(GC_TAKE(s->worker));
    st = gc_worker_new_as(GC_WIRE_FD, &as, &s->worker, err);
    if (st != GC_OK)
        return st;
    s->want.source = GC_SOURCE_CLIENT_KEYTAB;
    s->want.principal[0] = '\0';
    memcpy(s->want.place, keytab, strlen(keytab) + 1);
    st = gc_proof_name(e, s->want.on_behalf_of, err);
    if (st == GC_OK)
        st = s->worker->ops->who(s->worker, &s->want, s->login.principal, err);
    return st == GC_OK ? gc_proof_map(e, s->login.principal, err) : st;
}

static gc_status
choose_credential(struct session *s, struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    bool s4u;
    gc_status st = may_stand_in(e, &s4u, err);

    if (st != GC_OK)
        return st;
    gc_handshake_want(e, &s->want);
    if (s->login.credential.len > 0 && s->login.principal[0] != '\0')
        return use_proved(s, err);
    st = use_cache(s, err);
    return st == GC_E_NO_CREDENTIAL && s4u ? use_s4u(s, err) : st;
}

/* ---- the tickets ---- */

/* RECORD is the session's now: its host needs it, until that ends. */
static gc_status
hand_over(struct session *s, const struct gc_record *record,
          struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    GC_AUTO(gc_entry) entry = {.uid = 0};
    gc_status st = gc_ledger_lock(e->ledger, e->deadline, err);

    if (st != GC_OK)
        return st;
    st = gc_ledger_find(e->ledger, &record->ticket, &entry, err);
    if (st == GC_OK) {
        entry.process = s->login.host;
        (void)snprintf(entry.record, sizeof(entry.record), "%s", record->id);
        (void)snprintf(entry.transaction, sizeof(entry.transaction), "%s",
                       s->login.transaction);
        st = gc_ledger_write(e->ledger, &entry, err);
    }
    gc_ledger_unlock(e->ledger);
    return st;
}

static gc_status
acquire_one(struct session *s, const struct gc_map_vm *vm, struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    GC_AUTO(gc_record) record = {.used = 0};
    gc_status st =
        gc_handshake(e, &s->vcenter, s->worker, vm, &s->want, &record, err);

    if (st != GC_OK)
        return st;
    st = gc_shelf_put(&e->shelf, &record, e->deadline, err);
    if (st == GC_OK)
        st = hand_over(s, &record, err);
    if (st == GC_OK)
        return gc_records_add(&s->records, &record, err);
    (void)!gc_handshake_undo(e, &s->vcenter, &record, NULL);
    return st;
}

static void
give_back(struct session *s)
{
    for (size_t i = 0; i < s->records.count; i++)
        (void)!gc_handshake_undo(s->errand, &s->vcenter, &s->records.items[i],
                                 NULL);
    (void)!gc_shelf_wipe(&s->errand->shelf, gc_clock_now() + WIPE_MS, NULL);
}

/* One VM that fails does not take the others' tickets away. */
static gc_status
acquire_all(struct session *s, struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    gc_status st = GC_OK;

    for (size_t i = 0; i < e->vm_count && st != GC_E_CANCELED; i++) {
        struct gc_error why = {.status = GC_OK};

        st = acquire_one(s, &e->vms[i], &why);
        if (st == GC_OK)
            continue;
        (void)gc_fail_context(&why, st, "%s", e->vms[i].vm);
        if (s->failures++ == 0)
            s->failed = why;
    }
    if (s->records.count > 0 && st != GC_E_CANCELED)
        return GC_OK;
    *err = s->failed;
    return s->failed.status;
}

static gc_status
write_login(struct session *s, struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    struct gc_login *login = &s->login;
    gc_status st;

    login->uid = e->as.uid;
    memcpy(login->principal, s->records.items[0].ticket.principal,
           sizeof(login->principal));
    (void)snprintf(login->service, sizeof(login->service), "%s",
                   e->request.service);
    (void)snprintf(login->cache, sizeof(login->cache), "%s", e->shelf.name);
    login->claim = (struct gc_process){.pid = 0};
    /* They have served: nobody needs the user's tickets any more. */
    gc_bytes_clear(&login->credential);
    st = gc_logins_put(e->logins, login, err);
    return st;
}

static void
fill_reply(const struct session *s, struct gc_wire_reply *reply)
{
    const struct gc_ticket *first = &s->records.items[0].ticket;

    (void)snprintf(reply->transaction, sizeof(reply->transaction), "%s",
                   s->login.transaction);
    (void)snprintf(reply->cache, sizeof(reply->cache), "%s",
                   s->errand->shelf.name);
    (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                   first->principal);
    (void)snprintf(reply->vm, sizeof(reply->vm), "%s", first->vm);
    (void)snprintf(reply->mech, sizeof(reply->mech), "%s",
                   gc_mech_word(first->mech));
    if (s->failures > 0)
        (void)snprintf(reply->message, sizeof(reply->message),
                       "%zu of %zu tickets; %.400s", s->records.count,
                       s->records.count + s->failures, s->failed.message);
}

static gc_status
make_session(struct session *s, struct gc_error *err)
{
    struct gc_errand *e = s->errand;
    gc_status st;

    /* From here on this process is who needs the tickets. */
    st = gc_login_asked_by(&s->login, (pid_t)e->request.host_pid,
                           e->request.host_start, err);
    /* Both children before a secret of root's is read. */
    if (st == GC_OK)
        st = gc_worker_new_as(GC_WIRE_FD, &e->as, &s->worker, err);
    if (st == GC_OK)
        st = gc_shelf_open(GC_SHELF_RUN, &e->as, &e->shelf, err);
    if (st == GC_OK)
        st = gc_errand_choose(
            e, e->request.vm[0] != '\0' ? e->request.vm : s->login.vm, err);
    if (st == GC_OK && s->login.transaction[0] == '\0')
        st = gc_logins_new_id(s->login.transaction, err);
    if (st == GC_OK) {
        st = choose_credential(s, err);
        s->stranger = st == GC_E_DENIED;
    }
    if (st == GC_OK)
        st = gc_vcenter_open(e, &s->vcenter, err);
    if (st != GC_OK)
        return st;
    e->made = true;
    s->vcenter.custody.elsewhere = e->shelf.name;
    st = acquire_all(s, err);
    if (st == GC_OK)
        st = write_login(s, err);
    if (st != GC_OK)
        give_back(s);
    gc_vcenter_keep(&s->vcenter, st);
    return st;
}

/* Does the session of LOGIN have its tickets, and a host that needs them? */
static bool
still_live(struct gc_errand *e, const struct gc_login *login)
{
    GC_AUTO(gc_entries) entries = {.count = 0};
    bool live = false;

    if (gc_ledger_list_of(e->ledger, login->transaction, &entries, NULL)
        != GC_OK)
        return true; /* then another one would fare no better */
    for (size_t i = 0; i < entries.count && !live; i++)
        live = entries.items[i].state == GC_OWED_TICKET
               && gc_process_alive(&entries.items[i].process);
    return live;
}

/* Until it is worth another look, the host is gone, or it is too late. */
static gc_status
wait_a_moment(const struct gc_errand *e, struct gc_error *err)
{
    struct pollfd peer = {GC_WIRE_FD, POLLIN, 0};
    int left = gc_clock_left(e->deadline);

    if (left == 0)
        return gc_fail(err, GC_E_BUSY,
                       "another call of this login is still at work");
    if (poll(&peer, 1, left < LOOK_MS ? left : LOOK_MS) > 0)
        return gc_fail(err, GC_E_CANCELED, "the host program is gone");
    return GC_OK;
}

/*
 * The login of this transaction: with a live session (RET_LIVE), which another
 * call may be making while we wait, or claimed for us to make one.
 * GC_E_NOT_FOUND: there is none.
 */
static gc_status
claim_login(struct gc_errand *e, struct gc_login *ret_login, bool *ret_live,
            struct gc_error *err)
{
    gc_status st = find_login(e, ret_login, err);

    while (st == GC_OK) {
        *ret_live = ret_login->cache[0] != '\0' && still_live(e, ret_login);
        if (*ret_live)
            return GC_OK;
        st = gc_logins_claim(e->logins, ret_login, err);
        if (st != GC_E_BUSY)
            return st;
        st = wait_a_moment(e, err);
    }
    return st;
}

gc_status
gc_call_establish(struct gc_errand *e, struct gc_wire_reply *reply,
                  struct gc_error *err)
{
    SESSION s = {.errand = e};
    bool live = false;
    gc_status st = gc_errand_account(e, err);

    if (st == GC_OK)
        st = gc_errand_open(e, err);
    if (st != GC_OK)
        return st;
    st = claim_login(e, &s.login, &live, err);
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        return st;
    if (live) {
        (void)snprintf(reply->cache, sizeof(reply->cache), "%s", s.login.cache);
        (void)snprintf(reply->transaction, sizeof(reply->transaction), "%s",
                       s.login.transaction);
        (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                       s.login.principal);
        return GC_OK;
    }
    (void)!gc_logins_tidy(e->logins, NULL);
    st = make_session(&s, err);
    if (s.stranger) {
        reply->suspect = e->suspect;
        return nothing(reply, err->message);
    }
    if (st == GC_OK)
        fill_reply(&s, reply);
    return st;
}

/* ---- the end ---- */

static gc_status
release_one(struct gc_errand *e, struct gc_vcenter *vcenter,
            struct gc_entry *entry, struct gc_error *err)
{
    const char *url = gc_session_url(gc_client_session(vcenter->client));
    GC_AUTO(gc_record) record = {.used = 0};

    if (strcmp(entry->url, url) != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "%s has a ticket of another vCenter than the one that "
                       "is configured",
                       entry->ticket.vm);
    memcpy(record.url, entry->url, sizeof(record.url));
    gc_ticket_move(&record.ticket, &entry->ticket);
    return gc_handshake_undo(e, vcenter, &record, err);
}

/* All of them, so that a kill on the way owes the rest. */
static gc_status
mark_all(struct gc_errand *e, struct gc_entries *entries, struct gc_error *err)
{
    gc_status st = GC_OK;

    for (size_t i = 0; st == GC_OK && i < entries->count; i++) {
        entries->items[i].state = GC_OWED_RELEASE;
        st = gc_ledger_write(e->ledger, &entries->items[i], err);
    }
    return st;
}

static gc_status
release_all(struct gc_errand *e, struct gc_entries *entries,
            struct gc_error *err)
{
    GC_AUTO(gc_vcenter) vcenter = {.client = NULL};
    gc_status first = GC_OK, st;

    st = gc_vcenter_open(e, &vcenter, err);
    if (st != GC_OK)
        return st;
    for (size_t i = 0; i < entries->count; i++) {
        struct gc_error why = {.status = GC_OK};

        st = release_one(e, &vcenter, &entries->items[i], &why);
        if (st != GC_OK && first == GC_OK) {
            first = st;
            *err = why;
        }
    }
    gc_vcenter_keep(&vcenter, first);
    return first;
}

/*
 * By a process with the user's ids that was forked before the first secret of
 * root's was read: the one that filled it, or, in another call, a new one.
 */
static void
take_store_away(struct gc_errand *e, const char *name)
{
    int64_t deadline = gc_clock_now() + WIPE_MS;

    if (e->shelf.child.pid > 0)
        (void)!gc_shelf_wipe(&e->shelf, deadline, NULL);
    else
        (void)!gc_shelf_remove(GC_SHELF_RUN, &e->as, name, deadline, NULL);
}

static gc_status
end_login(struct gc_errand *e, const struct gc_login *login,
          struct gc_wire_reply *reply, struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {.count = 0};
    gc_status st;

    st = gc_ledger_list_of(e->ledger, login->transaction, &entries, err);
    if (st == GC_OK)
        st = mark_all(e, &entries, err);
    /* What could not even be owed must be found again by another close. */
    if (st != GC_OK)
        return st;
    take_store_away(e, login->cache);
    if (entries.count > 0) {
        /* The log names the first; releasing moves the entry's ticket away. */
        (void)snprintf(reply->vm, sizeof(reply->vm), "%s",
                       entries.items[0].ticket.vm);
        st = release_all(e, &entries, err);
    }
    (void)!gc_logins_forget(e->logins, login->transaction, NULL);
    return st;
}

gc_status
gc_call_delete(struct gc_errand *e, struct gc_wire_reply *reply,
               struct gc_error *err)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    gc_status st = gc_errand_account(e, err);

    if (st == GC_OK)
        st = gc_errand_open(e, err);
    if (st != GC_OK)
        return st;
    st = find_login(e, &login, err);
    if (st == GC_E_NOT_FOUND)
        return nothing(reply, "there is no ticket to release");
    if (st == GC_OK)
        st = end_login(e, &login, reply, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                   login.principal);
    return GC_OK;
}

gc_status
gc_call_account(struct gc_errand *e, struct gc_wire_reply *reply,
                struct gc_error *err)
{
    const struct gc_wire_request *r = &e->request;
    GC_AUTO(gc_login) login = {.uid = 0};
    gc_status st = gc_errand_account(e, err);

    if (st == GC_OK)
        st = gc_errand_open(e, err);
    if (st != GC_OK)
        return st;
    st = gc_logins_find_anyones(e->logins, r->transaction, r->service,
                                (pid_t)r->host_pid, r->host_start, &login, err);
    /* Others may have proved the user of a session; that is theirs to say. */
    if (st == GC_E_NOT_FOUND || (st == GC_OK && !login.proved))
        return nothing(reply, "nobody was proved in this transaction");
    if (st != GC_OK)
        return st;
    if (login.uid != e->as.uid)
        return gc_fail(err, GC_E_DENIED,
                       "another user was proved in this transaction");
    (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                   login.principal);
    return GC_OK;
}

void
gc_call_undo(struct gc_errand *e, const struct gc_wire_reply *reply)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    struct gc_wire_reply unsent = {.vm = ""};
    struct gc_error ignored = {.status = GC_OK};

    if (!e->made || reply->transaction[0] == '\0' || e->logins == NULL)
        return;
    e->end = gc_clock_now() + GC_CLIENT_GRACE_MS;
    /* It is ours, whether or not the host that asked is still there. */
    memcpy(login.transaction, reply->transaction, sizeof(login.transaction));
    memcpy(login.cache, reply->cache, sizeof(login.cache));
    (void)!end_login(e, &login, &unsent, &ignored);
}
