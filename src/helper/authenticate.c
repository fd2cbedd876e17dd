/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is the user who they claim to be, and does the guest accept them?
 *
 * No store is read and no ticket is reused: a stored ticket proves an earlier
 * login, so only a login to the guest made in this call counts.
 */
#include <config.h>

#include "src/helper/calls.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/helper/guest_login.h"
#include "src/helper/proof.h"
#include "src/helper/worker.h"

#define NO_ACCOUNT "there is no account to let in"

/* The user that is proved in place of an account that does not exist. */
#define NOBODY   65534 /* the kernel's overflow ids, which own nothing */
#define STAND_IN "no-such-account"

/* No refusal is sent sooner: a near KDC needs this long for any of them. */
#define REFUSAL_MS 250

/*
 * A user without an account, or with one that is never let in, is refused after
 * the KDC was asked, like any other: neither time nor code may tell a stranger
 * which accounts exist.  The KDC is asked for a stand-in's name: the name that
 * was typed may be a principal of the realm, which would be locked.
 */
static gc_status
find_account(struct gc_request *r, struct gc_error *err)
{
    gc_status st = gc_request_account(r, err);

    if (st != GC_E_DENIED)
        return st;
    r->nobody = true;
    (void)snprintf(r->wire.user, sizeof(r->wire.user), STAND_IN);
    r->as = (struct gc_child_as){.uid = NOBODY, .gid = NOBODY};
    return GC_OK;
}

/*
 * The user whose cache is used: the host's real uid, which identifies the
 * caller of a setuid program.  Uid 0 and system accounts identify no user.
 */
static gc_status
caller(const struct gc_request *r, struct gc_child_as *ret_as,
       struct gc_error *err)
{
    uid_t uid = (uid_t)r->wire.caller;
    gc_status st;

    if (uid == 0 || uid < gc_options_minimum_uid(&r->config))
        return gc_fail(
            err, GC_E_NO_CREDENTIAL,
            "the caller's uid is 0 or below minimum_uid, and its cache "
            "is not used as proof");
    st = gc_child_as_uid(uid, ret_as, err);
    return st == GC_E_NOT_FOUND
               ? gc_fail_context(err, GC_E_NO_CREDENTIAL, "the caller")
               : st;
}

/* Start the child before any of root's secrets is read. */
static gc_status
start(struct gc_request *r, struct gc_initiator **ret_worker,
      struct gc_error *err)
{
    struct gc_child_as as;
    gc_status st;

    if (r->wire.source == GC_WIRE_PASSWORD
        && !gc_request_has_source(r, "password"))
        return gc_fail(err, GC_E_CONFIG, "source= does not contain password");
    if (r->wire.source == GC_WIRE_PASSWORD)
        return gc_worker_new_as(GC_WIRE_FD, &r->as, ret_worker, err);
    if (!gc_request_has_source(r, "ccache"))
        return gc_fail(err, GC_E_CONFIG, "source= does not contain ccache");
    st = caller(r, &as, err);
    return st == GC_OK ? gc_worker_new_as(GC_WIRE_FD, &as, ret_worker, err)
                       : st;
}

static gc_status
fill(struct gc_request *r, struct gc_want *want, struct gc_error *err)
{
    const char *place = gc_request_text(r, GC_OPT_PAM_CCACHE, r->wire.ccname);

    memcpy(want->target, r->vms[0].target, sizeof(want->target));
    if (r->wire.source == GC_WIRE_PASSWORD) {
        want->source = GC_SOURCE_PASSWORD;
        r->typed = (struct gc_bytes){
            .data = (unsigned char *)r->password,
            .len = strlen(r->password),
        };
        want->password = &r->typed;
        return gc_proof_name(r, want->principal, err);
    }
    want->source = GC_SOURCE_OWN_CCACHE;
    if (strlen(place) >= sizeof(want->place))
        return gc_fail(err, GC_E_NO_CREDENTIAL, "the cache's name is too long");
    memcpy(want->place, place, strlen(place) + 1);
    return GC_OK;
}

/*
 * Use the tickets that were just proved for the login to the guest.  The KDC
 * would count a second attempt at the password.
 */
static gc_status
keep_proved(struct gc_initiator *worker, struct gc_want *want,
            struct gc_login *login, struct gc_error *err)
{
    gc_status st = gc_worker_export(worker, &login->credential, err);

    if (st == GC_OK)
        st = gc_worker_lend(worker, &login->credential, want->deadline, err);
    if (st != GC_OK)
        return st;
    want->source = GC_SOURCE_LENT;
    want->place[0] = '\0';
    memcpy(want->principal, login->principal, sizeof(want->principal));
    return GC_OK;
}

/* Log in to the guest, and release its ticket. */
static gc_status
ask_guest(struct gc_request *r, struct gc_initiator *worker,
          struct gc_want *want, const struct gc_login *login,
          struct gc_wire_reply *reply, struct gc_error *err)
{
    GC_AUTO(gc_vcenter) vcenter = {.guest = NULL};
    GC_AUTO(gc_entry) entry = {0};
    char self[GC_OWNER_SIZE];
    gc_status st;

    /* The ticket is not needed after this process. */
    gc_owner_self(self);
    st = gc_vcenter_open(r, login->transaction, self, &vcenter, err);
    if (st != GC_OK)
        return st;
    st = gc_guest_login(r, &vcenter, worker, &r->vms[0], want, &entry, err);
    if (st == GC_OK && strcmp(entry.ticket.principal, login->principal) != 0)
        st = gc_fail(err, GC_E_DENIED,
                     "the login to the guest used another principal");
    (void)snprintf(reply->mech, sizeof(reply->mech), "%s",
                   gc_mech_word(entry.ticket.mech));
    /* A failed release stays owed in the store; the proof is still good. */
    if (entry.ticket.ticket.len > 0)
        (void)!gc_guest_login_undo(r, &vcenter, &entry, NULL);
    vcenter.guest->ops->close(vcenter.guest, st, false);
    return st;
}

static gc_status
note(struct gc_request *r, struct gc_login *login, struct gc_error *err)
{
    gc_status st = gc_login_asked_by(login, (pid_t)r->wire.host_pid,
                                     (uint64_t)r->wire.host_start, err);

    if (st != GC_OK)
        return st;
    r->made = true;
    login->uid = r->as.uid;
    login->proved = true;
    (void)snprintf(login->service, sizeof(login->service), "%s",
                   r->wire.service);
    (void)snprintf(login->vm, sizeof(login->vm), "%s", r->wire.vm);
    return gc_logins_put(r->logins, login, err);
}

/* Wait until REFUSAL_MS have passed since BEGAN, or the host ends. */
static void
wait_out(const struct gc_request *r, int64_t began)
{
    struct pollfd host = {GC_WIRE_FD, POLLIN, 0};
    int64_t end = began + REFUSAL_MS;

    (void)poll(&host, 1, gc_clock_left(end < r->deadline ? end : r->deadline));
}

/*
 * Is it the user?  A VM that the user may not enter is refused only after the
 * proof: a client without the password must learn nothing about the map.
 */
static gc_status
prove(struct gc_request *r, struct gc_initiator *worker, struct gc_want *want,
      struct gc_login *login, struct gc_error *err)
{
    struct gc_error refused = {.status = GC_OK};
    gc_status chosen = gc_request_choose(r, r->wire.vm, &refused), st;

    /* With proof=guest there is no proof without a guest. */
    if (chosen != GC_OK
        && (chosen != GC_E_DENIED || !gc_request_proves_here(r))) {
        *err = refused;
        return chosen;
    }
    gc_guest_login_want(r, want);
    st = fill(r, want, err);
    if (st == GC_OK)
        st = gc_proof(r, worker, want, login->principal, err);
    want->password = NULL;
    gc_request_wipe(r);
    r->expired = st == GC_E_DENIED && !r->nobody
                 && r->wire.source == GC_WIRE_PASSWORD
                 && gc_initiator_expired(err);
    if (r->nobody)
        return st == GC_OK ? gc_fail(err, GC_E_DENIED, NO_ACCOUNT)
                           : gc_fail_context(err, st, NO_ACCOUNT);
    /* The same code as for a VM that is off; the log tells them apart. */
    if (st == GC_OK && chosen != GC_OK) {
        *err = refused;
        return err->status = GC_E_NOT_FOUND;
    }
    return st == GC_OK ? keep_proved(worker, want, login, err) : st;
}

static gc_status
authenticate(struct gc_request *r, struct gc_wire_reply *reply,
             struct gc_error *err)
{
    GC_AUTO_PTR(gc_initiator) worker = NULL;
    GC_AUTO(gc_login) login = {.uid = 0};
    struct gc_want want = {.deadline = 0};
    gc_status st = find_account(r, err);

    if (st == GC_OK)
        st = start(r, &worker, err);
    if (st == GC_OK)
        st = gc_request_open(r, err);
    if (st == GC_OK)
        st = prove(r, worker, &want, &login, err);
    if (st == GC_OK)
        st = gc_logins_new_id(login.transaction, err);
    if (st == GC_OK)
        st = ask_guest(r, worker, &want, &login, reply, err);
    if (st == GC_OK)
        st = note(r, &login, err);
    if (st != GC_OK)
        return st;
    (void)!gc_logins_tidy(r->logins, NULL);
    reply->uid = login.uid;
    (void)snprintf(reply->transaction, sizeof(reply->transaction), "%s",
                   login.transaction);
    (void)snprintf(reply->principal, sizeof(reply->principal), "%s",
                   login.principal);
    (void)snprintf(reply->vm, sizeof(reply->vm), "%s", r->vms[0].vm);
    return GC_OK;
}

gc_status
gc_call_authenticate(struct gc_request *r, struct gc_wire_reply *reply,
                     struct gc_error *err)
{
    int64_t began = gc_clock_now();
    gc_status st = authenticate(r, reply, err);

    if (st == GC_E_DENIED)
        wait_out(r, began);
    return st;
}
