/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The owner's half of the worker: a child, a socket, a deadline.
 *
 * Knows no GSS-API; reply_check checks every reply.
 */
#include <config.h>

#include "src/helper/worker.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "gss/spn.h"
#include "src/base/child.h"
#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/helper/frame.h"
#include "src/helper/reply_check.h"
#include "src/helper/worker_child.h"

struct worker {
    struct gc_initiator door;
    int cancel_fd;
    bool another; /* the child is AS, and is not replaced */
    struct gc_child_as as;
    struct gc_child child;
    int64_t deadline;
    struct gc_reply_check known;
};

static void
kill_and_reap(struct worker *worker)
{
    gc_child_end(&worker->child);
    worker->known.begun = false;
}

static gc_status
spawn(struct worker *worker, struct gc_error *err)
{
    return gc_child_start(worker->another ? &worker->as : NULL,
                          gc_worker_child_run, NULL, &worker->child, err);
}

/* Has the child ended since the last exchange? */
static bool
hung_up(const struct worker *worker)
{
    struct pollfd peer = {worker->child.socket, POLLIN, 0};

    return poll(&peer, 1, 0) != 0;
}

/* Wait for the child's reply, the deadline or the cancellation. */
static gc_status
await(struct worker *worker, struct gc_error *err)
{
    gc_status st = gc_descriptor_await(
        worker->child.socket,
        (struct gc_limit){worker->deadline, worker->cancel_fd}, "Kerberos",
        err);

    if (st != GC_E_UNAVAILABLE)
        return st;
    return gc_fail_hint(err, st,
                        "check that a KDC of the realm is up and reachable, or "
                        "allow more time");
}

/* The user may kill a child that runs as them; our own must not end. */
static gc_status
loss(const struct worker *worker)
{
    return worker->another ? GC_E_UNAVAILABLE : GC_E_INTERNAL;
}

/* Send, wait, check the reply.  Any failure on the way ends the child. */
static gc_status
call(struct worker *worker, gc_frame_op op, const struct gc_frame_body *request,
     struct gc_said *ret_said, struct gc_error *err)
{
    GC_AUTO(gc_bytes) reply = {0};
    struct gc_frame_head head = {.op = op};
    gc_status st;

    /* Never blocks: the child has read all that came before. */
    if (!gc_frame_send(worker->child.socket, MSG_DONTWAIT, head, request))
        st = gc_fail(err, loss(worker), "the worker is gone");
    else
        st = await(worker, err);
    if (st == GC_OK && !gc_frame_receive(worker->child.socket, &head, &reply))
        st = gc_fail(err, loss(worker), "the worker is gone, or lies");
    if (st != GC_OK) {
        kill_and_reap(worker);
        return st;
    }
    st = gc_reply_check_take(&worker->known, op, &head, &reply, ret_said, err);
    if (worker->known.lied)
        kill_and_reap(worker);
    return st;
}

/* Make sure that there is a child that listens. */
static gc_status
revive(struct worker *worker, struct gc_error *err)
{
    if (worker->child.pid != 0 && hung_up(worker))
        kill_and_reap(worker);
    if (worker->child.pid != 0)
        return GC_OK;
    /* Root has read its secrets by now: no fork may carry them to a user. */
    if (worker->another)
        return gc_fail(err, loss(worker), "the user's worker is gone");
    return spawn(worker, err);
}

/* The same, and forget the last exchange. */
static gc_status
prepare(struct worker *worker, const struct gc_want *want, struct gc_error *err)
{
    gc_status st = revive(worker, err);

    if (st != GC_OK)
        return st;
    worker->deadline = want->deadline;
    worker->known = (struct gc_reply_check){
        .mech = want->mech,
        .mutual = want->mutual,
    };
    return GC_OK;
}

/* Send WANT as it is, followed by the password instead of its pointer. */
static gc_status
call_with(struct worker *worker, gc_frame_op op, const struct gc_want *want,
          struct gc_said *ret_said, struct gc_error *err)
{
    struct gc_want flat = *want;
    struct gc_frame_body request = {&flat, NULL, sizeof(flat), 0};

    flat.password = NULL;
    if (want->password != NULL) {
        request.second = want->password->data;
        request.second_len = want->password->len;
    }
    return call(worker, op, &request, ret_said, err);
}

static gc_status
who(struct gc_initiator *initiator, const struct gc_want *want,
    char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    struct worker *worker = (struct worker *)initiator;
    gc_status st = gc_want_check(want, err);

    if (st == GC_OK)
        st = prepare(worker, want, err);
    if (st == GC_OK)
        st = call_with(worker, GC_FRAME_WHO, want, NULL, err);
    if (st == GC_OK)
        memcpy(ret_principal, worker->known.facts.principal, GC_PRINCIPAL_SIZE);
    return st;
}

static gc_status
begin(struct gc_initiator *initiator, const struct gc_want *want,
      struct gc_said *ret_said, struct gc_error *err)
{
    struct worker *worker = (struct worker *)initiator;
    struct gc_spn spn;
    gc_status st = gc_want_check(want, err);

    if (st == GC_OK)
        st = gc_spn_parse(want->target, &spn, err);
    if (st == GC_OK)
        st = prepare(worker, want, err);
    if (st != GC_OK)
        return st;
    gc_spn_print(&spn, worker->known.facts.target);
    return call_with(worker, GC_FRAME_BEGIN, want, ret_said, err);
}

static gc_status
answer(struct gc_initiator *initiator, const struct gc_bytes *challenge,
       struct gc_said *ret_said, struct gc_error *err)
{
    struct worker *worker = (struct worker *)initiator;
    struct gc_frame_body request = {challenge->data, NULL, challenge->len, 0};

    if (!worker->known.begun)
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    if (challenge->len > GC_TOKEN_MAX)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the guest's challenge has more than %d bytes",
                       GC_TOKEN_MAX);
    return call(worker, GC_FRAME_ANSWER, &request, ret_said, err);
}

/* Known since the last leg, so no deadline applies. */
static gc_status
facts(struct gc_initiator *initiator, struct gc_facts *ret_facts,
      struct gc_error *err)
{
    const struct worker *worker = (const struct worker *)initiator;

    if (!worker->known.begun)
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    *ret_facts = worker->known.facts;
    return GC_OK;
}

static void
end(struct gc_initiator *initiator)
{
    struct worker *worker = (struct worker *)initiator;
    struct gc_frame_head head = {.op = GC_FRAME_END};
    struct gc_frame_body none = {NULL, NULL, 0, 0};

    worker->known.begun = false;
    if (worker->child.pid != 0
        && !gc_frame_send(worker->child.socket, MSG_DONTWAIT, head, &none))
        kill_and_reap(worker);
}

static void
destroy(struct gc_initiator *initiator)
{
    struct worker *worker = (struct worker *)initiator;

    kill_and_reap(worker);
    free(worker);
}

gc_status
gc_worker_new_as(int cancel_fd, const struct gc_child_as *as,
                 struct gc_initiator **ret_initiator, struct gc_error *err)
{
    static const struct gc_initiator_ops ops = {who,   begin, answer,
                                                facts, end,   destroy};
    struct worker *worker = calloc(1, sizeof(*worker));
    gc_status st;

    if (worker == NULL)
        return gc_fail_no_memory(err);
    worker->door.ops = &ops;
    worker->cancel_fd = cancel_fd;
    worker->another = as != NULL;
    if (as != NULL)
        worker->as = *as;
    st = spawn(worker, err);
    if (st != GC_OK) {
        free(worker);
        return st;
    }
    *ret_initiator = &worker->door;
    return GC_OK;
}

gc_status
gc_worker_new(int cancel_fd, struct gc_initiator **ret_initiator,
              struct gc_error *err)
{
    return gc_worker_new_as(cancel_fd, NULL, ret_initiator, err);
}

gc_status
gc_worker_export(struct gc_initiator *initiator,
                 struct gc_bytes *ret_credential, struct gc_error *err)
{
    struct worker *worker = (struct worker *)initiator;
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_frame_body none = {NULL, NULL, 0, 0};
    gc_status st;

    if (!worker->known.begun)
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    st = call(worker, GC_FRAME_EXPORT, &none, &said, err);
    if (st == GC_OK)
        gc_bytes_move(ret_credential, &said.token);
    return st;
}

gc_status
gc_worker_lend(struct gc_initiator *initiator,
               const struct gc_bytes *credential, int64_t deadline,
               struct gc_error *err)
{
    struct worker *worker = (struct worker *)initiator;
    struct gc_frame_body request = {credential->data, NULL, credential->len, 0};
    gc_status st;

    if (credential->len == 0 || credential->len > GC_TOKEN_MAX)
        return gc_fail(err, GC_E_INTERNAL,
                       "cannot lend a credential of %zu bytes",
                       credential->len);
    st = revive(worker, err);
    if (st != GC_OK)
        return st;
    worker->deadline = deadline;
    return call(worker, GC_FRAME_LEND, &request, NULL, err);
}
