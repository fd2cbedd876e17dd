/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The forked child: serves a local initiator on a socket.
 *
 * It decides nothing.  child.c sets its limits, signals and lifetime.
 */
#include <config.h>

#include "src/helper/worker_child.h"

#include <string.h>
#include <unistd.h>

#include "gss/initiator.h"
#include "src/helper/frame.h"

static bool
reply_said(int socket, uint32_t op, const struct gc_said *said,
           const struct gc_facts *facts)
{
    struct gc_frame_said told = {
        .done = said->done ? 1 : 0,
        .mech = facts->mech,
        .mutual = facts->mutual ? 1 : 0,
        .flags = facts->flags,
    };
    struct gc_frame_head head = {.op = op};
    struct gc_frame_body body = {&told, said->token.data, sizeof(told),
                                 said->token.len};

    memcpy(told.principal, facts->principal, sizeof(told.principal));
    memcpy(told.target, facts->target, sizeof(told.target));
    return gc_frame_send(socket, 0, head, &body);
}

/* BODY is a struct gc_want, followed by the password. */
static gc_status
take_want(const struct gc_bytes *body, struct gc_want *ret_want,
          struct gc_bytes *ret_password, struct gc_error *err)
{
    size_t len = sizeof(*ret_want);
    gc_status st;

    if (body->len < len)
        return gc_fail(err, GC_E_INTERNAL, "a request of the wrong size");
    memcpy(ret_want, body->data, len);
    st = gc_bytes_set(ret_password, body->data + len, body->len - len, err);
    ret_want->password = ret_password;
    return st == GC_OK ? gc_want_check(ret_want, err) : st;
}

static gc_status
begin(struct gc_initiator *initiator, const struct gc_bytes *body,
      struct gc_said *ret_said, struct gc_error *err)
{
    GC_AUTO(gc_bytes) password = {0};
    struct gc_want want;
    gc_status st = take_want(body, &want, &password, err);

    if (st != GC_OK)
        return st;
    return initiator->ops->begin(initiator, &want, ret_said, err);
}

static gc_status
who(struct gc_initiator *initiator, const struct gc_bytes *body,
    struct gc_facts *ret_facts, struct gc_error *err)
{
    GC_AUTO(gc_bytes) password = {0};
    struct gc_want want;
    gc_status st = take_want(body, &want, &password, err);

    if (st != GC_OK)
        return st;
    return initiator->ops->who(initiator, &want, ret_facts->principal, err);
}

/* The reply of OP as it stands, which is what SAID or FACTS hold. */
static bool
reply(int socket, uint32_t op, const struct gc_said *said,
      const struct gc_facts *facts)
{
    struct gc_frame_head head = {.op = op};
    struct gc_frame_body bare = {said->token.data, NULL, said->token.len, 0};

    if (op == GC_FRAME_EXPORT || op == GC_FRAME_LEND)
        return gc_frame_send(socket, 0, head, &bare);
    return reply_said(socket, op, said, facts);
}

/* Serve one request; false: the other end has closed. */
static bool
serve(int socket, struct gc_initiator *initiator)
{
    GC_AUTO(gc_bytes) body = {0};
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_facts facts = {.mech = GC_MECH_KERBEROS};
    struct gc_error failed = {.status = GC_OK};
    struct gc_frame_head head;
    gc_status st;

    if (!gc_frame_receive(socket, &head, &body))
        return false;
    switch (head.op) {
    case GC_FRAME_BEGIN:
        st = begin(initiator, &body, &said, &failed);
        break;
    case GC_FRAME_ANSWER:
        st = initiator->ops->answer(initiator, &body, &said, &failed);
        break;
    case GC_FRAME_WHO:
        st = who(initiator, &body, &facts, &failed);
        break;
    case GC_FRAME_EXPORT:
        st = gc_initiator_local_export(initiator, &said.token, &failed);
        break;
    case GC_FRAME_LEND:
        st = gc_initiator_local_lend(initiator, &body, &failed);
        break;
    case GC_FRAME_END:
        initiator->ops->end(initiator);
        return true;
    default:
        return false;
    }
    if (st == GC_OK
        && (head.op == GC_FRAME_BEGIN || head.op == GC_FRAME_ANSWER))
        st = initiator->ops->facts(initiator, &facts, &failed);
    if (st != GC_OK)
        return gc_frame_send_failure(socket, head.op, failed.status, &failed);
    return reply(socket, head.op, &said, &facts);
}

void
gc_worker_child_run(int socket, void *unused)
{
    struct gc_initiator *initiator = gc_initiator_local_new();

    (void)unused;
    if (initiator == NULL)
        _exit(1);
    while (serve(socket, initiator))
        ;
    gc_initiator_free(initiator);
}
