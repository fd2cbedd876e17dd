/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's tickets: acquired once in a transaction, copied for the user,
 * released at its end.
 *
 * Other modules or this one proved the user; either way a ticket goes only to
 * the account that its verified principal maps to, because PAM's user name
 * alone does not say whose credential it is.
 */
#include <config.h>

#include "src/helper/calls.h"

#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/helper/guest_login.h"
#include "src/helper/proof.h"
#include "src/helper/worker.h"
#include "src/tickets/copies.h"

#define SYSTEM_ACCOUNT "guestcred" /* may act for others, and nothing else */

/* A session while it is made. */
struct session {
    struct gc_request *request;
    struct gc_login login;
    struct gc_initiator *worker;
    struct gc_vcenter vcenter;
    struct gc_want want;
    struct gc_dir copies;
    struct gc_entries entries;
    bool stranger; /* the credential is not the account's */
    size_t failures;
    struct gc_error failed; /* the first failure */
};

static void
session_clear(struct session *s)
{
    gc_login_clear(&s->login);
    gc_initiator_free(s->worker);
    gc_vcenter_clear(&s->vcenter);
    gc_dir_close(&s->copies);
    gc_entries_clear(&s->entries);
}
#define SESSION __attribute__((cleanup(session_clear))) struct session

static gc_status
find_login(struct gc_request *r, struct gc_login *ret_login,
           struct gc_error *err)
{
    const struct gc_wire_request *wire = &r->wire;

    if (wire->transaction[0] == '\0')
        return gc_fail(err, GC_E_NOT_FOUND, "no transaction");
    return gc_logins_find(r->logins, wire->transaction, r->as.uid,
                          wire->service, (pid_t)wire->host_pid,
                          (uint64_t)wire->host_start, ret_login, err);
}

/* ---- whose credential ---- */

/* A user without our credential is left to the other modules. */
static gc_status
nothing(struct gc_wire_reply *reply, const char *why)
{
    reply->nothing = true;
    (void)snprintf(reply->message, sizeof(reply->message), "%s", why);
    return GC_OK;
}

/* Use the tickets that this transaction proved. */
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
    struct gc_request *r = s->request;
    const char *place = gc_request_text(r, GC_OPT_PAM_CCACHE, r->wire.ccname);
    char principal[GC_PRINCIPAL_SIZE];
    gc_status st;

    if (strlen(place) >= sizeof(s->want.place))
        return gc_fail(err, GC_E_NO_CREDENTIAL, "the cache's name is too long");
    s->want.source = GC_SOURCE_OWN_CCACHE;
    memcpy(s->want.place, place, strlen(place) + 1);
    memcpy(s->want.target, r->vms[0].target, sizeof(s->want.target));
    st = gc_proof(r, s->worker, &s->want, principal, err);
    if (st == GC_OK)
        memcpy(s->want.principal, principal, sizeof(principal));
    return st;
}

/* Does source= allow s4u for this user?  Its list is empty by default. */
static gc_status
may_stand_in(const struct gc_request *r, bool *ret_may, struct gc_error *err)
{
    const char *list = gc_options_text(&r->config, GC_OPT_PAM_S4U_USERS);

    *ret_may = false;
    if (list == NULL || !gc_request_has_source(r, "s4u"))
        return GC_OK;
    return gc_map_permits(list, r->wire.user, r->as.gid, ret_may, err);
}

/*
 * S4U2Self and S4U2Proxy, by a child that runs as the system account: with that
 * key, the user's own child could act as any user.
 */
static gc_status
use_s4u(struct session *s, struct gc_error *err)
{
    struct gc_request *r = s->request;
    const char *keytab = gc_options_text(&r->config, GC_OPT_PAM_S4U_KEYTAB);
    struct gc_child_as as;
    gc_status st;

    if (keytab == NULL || strlen(keytab) >= sizeof(s->want.place))
        return gc_fail(err, GC_E_CONFIG, "source=s4u needs s4u_keytab");
    if (strpbrk(r->wire.user, "@/\\") != NULL)
        return gc_fail(err, GC_E_DENIED, "s4u is not for \"%.64s\"",
                       r->wire.user);
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
    st = gc_proof_name(r, s->want.on_behalf_of, err);
    if (st == GC_OK)
        st = s->worker->ops->who(s->worker, &s->want, s->login.principal, err);
    return st == GC_OK ? gc_proof_map(r, s->login.principal, err) : st;
}

static gc_status
choose_credential(struct session *s, struct gc_error *err)
{
    struct gc_request *r = s->request;
    bool s4u;
    gc_status st = may_stand_in(r, &s4u, err);

    if (st != GC_OK)
        return st;
    gc_guest_login_want(r, &s->want);
    if (s->login.credential.len > 0 && s->login.principal[0] != '\0')
        return use_proved(s, err);
    st = use_cache(s, err);
    return st == GC_E_NO_CREDENTIAL && s4u ? use_s4u(s, err) : st;
}

/* ---- the tickets ---- */

static gc_status
acquire_one(struct session *s, const struct gc_map_vm *vm, struct gc_error *err)
{
    struct gc_request *r = s->request;
    GC_AUTO(gc_entry) entry = {0};
    gc_status st =
        gc_guest_login(r, &s->vcenter, s->worker, vm, &s->want, &entry, err);

    if (st != GC_OK)
        return st;
    if (s->copies.path == NULL)
        st = gc_copies_open(r->as.uid, &s->copies, err);
    if (st == GC_OK)
        st = gc_copies_put(&s->copies, &entry, err);
    if (st == GC_OK)
        st = gc_entries_add(&s->entries, &entry, err);
    if (st != GC_OK)
        (void)!gc_guest_login_undo(r, &s->vcenter, &entry, NULL);
    return st;
}

static void
give_back(struct session *s)
{
    if (s->copies.path != NULL)
        gc_copies_remove(s->copies.path);
    for (size_t i = 0; i < s->entries.count; i++)
        (void)!gc_guest_login_undo(s->request, &s->vcenter,
                                   &s->entries.items[i], NULL);
}

/* Continue after a VM that fails: the others' tickets are still useful. */
static gc_status
acquire_all(struct session *s, struct gc_error *err)
{
    struct gc_request *r = s->request;
    gc_status st = GC_OK;

    for (size_t i = 0; i < r->vm_count && st != GC_E_CANCELED; i++) {
        struct gc_error why = {.status = GC_OK};

        st = acquire_one(s, &r->vms[i], &why);
        if (st == GC_OK)
            continue;
        (void)gc_fail_context(&why, st, "%s", r->vms[i].vm);
        if (s->failures++ == 0)
            s->failed = why;
    }
    if (s->entries.count > 0 && st != GC_E_CANCELED)
        return GC_OK;
    *err = s->failed;
    return s->failed.status;
}

static gc_status
write_login(struct session *s, struct gc_error *err)
{
    struct gc_request *r = s->request;
    struct gc_login *login = &s->login;

    login->uid = r->as.uid;
    memcpy(login->principal, s->entries.items[0].ticket.principal,
           sizeof(login->principal));
    (void)snprintf(login->service, sizeof(login->service), "%s",
                   r->wire.service);
    (void)snprintf(login->copies, sizeof(login->copies), "%s", s->copies.path);
    /* The user's Kerberos tickets are not needed any more. */
    gc_bytes_clear(&login->credential);
    return gc_logins_put(r->logins, login, err);
}

static void
fill_reply(const struct session *s, struct gc_wire_reply *reply)
{
    const struct gc_ticket *first = &s->entries.items[0].ticket;

    (void)snprintf(reply->transaction, sizeof(reply->transaction), "%s",
                   s->login.transaction);
    (void)snprintf(reply->copies, sizeof(reply->copies), "%s", s->copies.path);
    (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                   first->principal);
    (void)snprintf(reply->vm, sizeof(reply->vm), "%s", first->vm);
    (void)snprintf(reply->mech, sizeof(reply->mech), "%s",
                   gc_mech_word(first->mech));
    if (s->failures > 0)
        (void)snprintf(reply->message, sizeof(reply->message),
                       "%zu of %zu tickets; %.400s", s->entries.count,
                       s->entries.count + s->failures, s->failed.message);
}

static gc_status
make_session(struct session *s, struct gc_error *err)
{
    struct gc_request *r = s->request;
    gc_status st;

    /* The tickets are kept for as long as the host lives. */
    st = gc_login_asked_by(&s->login, (pid_t)r->wire.host_pid,
                           (uint64_t)r->wire.host_start, err);
    /* A ticket that an earlier host of this login left must not be used. */
    if (st == GC_OK)
        st = gc_store_tidy(r->store, err);
    /* The child must be forked before any of root's secrets is read. */
    if (st == GC_OK)
        st = gc_worker_new_as(GC_WIRE_FD, &r->as, &s->worker, err);
    if (st == GC_OK)
        st = gc_request_choose(
            r, r->wire.vm[0] != '\0' ? r->wire.vm : s->login.vm, err);
    if (st == GC_OK && s->login.transaction[0] == '\0')
        st = gc_logins_new_id(s->login.transaction, err);
    if (st == GC_OK) {
        st = choose_credential(s, err);
        s->stranger = st == GC_E_DENIED;
    }
    if (st == GC_OK)
        st = gc_vcenter_open(r, s->login.transaction, s->login.host,
                             &s->vcenter, err);
    if (st != GC_OK)
        return st;
    r->made = true;
    st = acquire_all(s, err);
    if (st == GC_OK)
        st = write_login(s, err);
    if (st != GC_OK)
        give_back(s);
    s->vcenter.guest->ops->close(s->vcenter.guest, st, false);
    return st;
}

/* The tickets of TRANSACTION, live and owed. */
static gc_status
list_tickets(struct gc_request *r, const char *transaction,
             struct gc_entries *ret_entries, struct gc_error *err)
{
    GC_AUTO(gc_entries) all = {0};
    gc_status st = gc_store_list(r->store, NULL, &all, err);

    for (size_t i = 0; st == GC_OK && i < all.count; i++)
        if (strcmp(all.items[i].login, transaction) == 0
            && all.items[i].ticket.ticket.len > 0)
            st = gc_entries_add(ret_entries, &all.items[i], err);
    return st;
}

/* Does LOGIN's session have live tickets and a living host? */
static bool
still_live(struct gc_request *r, const struct gc_login *login)
{
    GC_AUTO(gc_entries) entries = {.count = 0};
    bool live = false;

    if (login->copies[0] == '\0')
        return false;
    if (list_tickets(r, login->transaction, &entries, NULL) != GC_OK)
        return true; /* a new session would fail in the same way */
    for (size_t i = 0; i < entries.count && !live; i++)
        live = entries.items[i].state == GC_ENTRY_TICKET
               && !gc_owner_is_dead(entries.items[i].host);
    return live;
}

/*
 * The login of this transaction.  If another call is making its session, wait.
 * RET_LIVE: it has a live session; otherwise we are to make one.
 * GC_E_NOT_FOUND: there is no login.
 */
static gc_status
await_login(struct gc_request *r, struct gc_login *ret_login, bool *ret_live,
            struct gc_error *err)
{
    gc_status st = find_login(r, ret_login, err);

    if (st == GC_OK && !still_live(r, ret_login)) {
        st = gc_logins_lock(r->logins, ret_login->transaction, r->deadline,
                            GC_WIRE_FD, err);
        if (st == GC_OK)
            st = find_login(r, ret_login, err);
    }
    *ret_live = st == GC_OK && still_live(r, ret_login);
    return st;
}

gc_status
gc_call_establish(struct gc_request *r, struct gc_wire_reply *reply,
                  struct gc_error *err)
{
    SESSION s = {.request = r};
    bool live = false;
    gc_status st = gc_request_account(r, err);

    if (st == GC_OK)
        st = gc_request_open(r, err);
    if (st != GC_OK)
        return st;
    st = await_login(r, &s.login, &live, err);
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        return st;
    if (live) {
        (void)snprintf(reply->copies, sizeof(reply->copies), "%s",
                       s.login.copies);
        (void)snprintf(reply->transaction, sizeof(reply->transaction), "%s",
                       s.login.transaction);
        (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                       s.login.principal);
        return GC_OK;
    }
    (void)!gc_logins_tidy(r->logins, NULL);
    st = make_session(&s, err);
    if (s.stranger) {
        reply->suspect = r->suspect;
        return nothing(reply, err->message);
    }
    if (st == GC_OK)
        fill_reply(&s, reply);
    return st;
}

/* ---- the end ---- */

static gc_status
release_all(struct gc_request *r, const char *transaction,
            struct gc_entries *entries, struct gc_error *err)
{
    GC_AUTO(gc_vcenter) vcenter = {.guest = NULL};
    gc_status first = GC_OK, st;

    st = gc_vcenter_open(r, transaction, "", &vcenter, err);
    if (st != GC_OK)
        return st;
    for (size_t i = 0; i < entries->count; i++) {
        struct gc_error why = {.status = GC_OK};

        st = gc_guest_login_undo(r, &vcenter, &entries->items[i], &why);
        if (st != GC_OK && first == GC_OK) {
            first = st;
            *err = why;
        }
    }
    vcenter.guest->ops->close(vcenter.guest, first, false);
    return first;
}

static gc_status
end_login(struct gc_request *r, const struct gc_login *login,
          struct gc_wire_reply *reply, struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {.count = 0};
    gc_status st;

    st = list_tickets(r, login->transaction, &entries, err);
    /* Mark all as owed first, so that after a kill the sweep releases the rest.
     */
    for (size_t i = 0; st == GC_OK && i < entries.count; i++)
        st = gc_store_owed(r->store, &entries.items[i], err);
    /* Keep the login if that failed, so that another close finds it. */
    if (st != GC_OK)
        return st;
    gc_copies_remove(login->copies);
    if (entries.count > 0) {
        /* The log names the first. */
        (void)snprintf(reply->vm, sizeof(reply->vm), "%s",
                       entries.items[0].ticket.vm);
        st = release_all(r, login->transaction, &entries, err);
    }
    (void)!gc_logins_forget(r->logins, login->transaction, NULL);
    return st;
}

gc_status
gc_call_delete(struct gc_request *r, struct gc_wire_reply *reply,
               struct gc_error *err)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    gc_status st = gc_request_account(r, err);

    if (st == GC_OK)
        st = gc_request_open(r, err);
    if (st != GC_OK)
        return st;
    st = find_login(r, &login, err);
    if (st == GC_E_NOT_FOUND)
        return nothing(reply, "there is no ticket to release");
    if (st == GC_OK)
        st = end_login(r, &login, reply, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                   login.principal);
    return GC_OK;
}

gc_status
gc_call_account(struct gc_request *r, struct gc_wire_reply *reply,
                struct gc_error *err)
{
    const struct gc_wire_request *wire = &r->wire;
    GC_AUTO(gc_login) login = {.uid = 0};
    gc_status st = gc_request_account(r, err);

    if (st == GC_OK)
        st = gc_request_open(r, err);
    if (st != GC_OK)
        return st;
    st = gc_logins_find_anyones(r->logins, wire->transaction, wire->service,
                                (pid_t)wire->host_pid,
                                (uint64_t)wire->host_start, &login, err);
    /* If another module proved the user, that module decides. */
    if (st == GC_E_NOT_FOUND || (st == GC_OK && !login.proved))
        return nothing(reply, "nobody was proved in this transaction");
    if (st != GC_OK)
        return st;
    if (login.uid != r->as.uid)
        return gc_fail(err, GC_E_DENIED,
                       "another user was proved in this transaction");
    (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                   login.principal);
    return GC_OK;
}

void
gc_call_undo(struct gc_request *r, const struct gc_wire_reply *reply)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    struct gc_wire_reply unsent = {.vm = ""};
    struct gc_error ignored = {.status = GC_OK};

    if (!r->made || reply->transaction[0] == '\0' || r->logins == NULL)
        return;
    r->end = gc_clock_now() + GC_TICKETS_GRACE_MS;
    /* Undo it even if the host that asked has ended. */
    memcpy(login.transaction, reply->transaction, sizeof(login.transaction));
    memcpy(login.copies, reply->copies, sizeof(login.copies));
    (void)!end_login(r, &login, &unsent, &ignored);
}
