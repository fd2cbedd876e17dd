/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The checks on a reply.  Knows no process and no socket.
 */
#include <config.h>

#include "src/helper/reply_check.h"

#include "src/base/utf8.h"

#include <string.h>

static gc_status
distrust(struct gc_reply_check *known, struct gc_error *err, const char *what)
{
    known->lied = true;
    return gc_fail(err, GC_E_INTERNAL, "the worker's reply is malformed: %s",
                   what);
}

/* Is TEXT, SIZE bytes, UTF-8 without control characters, and does it end? */
static bool
printable(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    if (end == NULL || !gc_utf8_is(text, (size_t)(end - text)))
        return false;
    for (const char *c = text; c < end; c++)
        if ((unsigned char)*c < ' ' || *c == 0x7f
            || ((unsigned char)*c == 0xc2 && (unsigned char)c[1] < 0xa0))
            return false;
    return true;
}

/* The statuses that an initiator may return. */
static bool
may_fail_with(uint32_t status)
{
    static const gc_status known[] = {
        GC_E_DENIED,    GC_E_NO_CREDENTIAL, GC_E_NOT_SUPPORTED,
        GC_E_PROTOCOL,  GC_E_UNAVAILABLE,   GC_E_FAILED,
        GC_E_NO_MEMORY, GC_E_CONFIG,        GC_E_INTERNAL};

    for (size_t i = 0; i < GC_COUNT_OF(known); i++)
        if (status == (uint32_t)known[i])
            return true;
    return false;
}

static gc_status
take_failure(struct gc_reply_check *known, const struct gc_frame_head *head,
             const struct gc_bytes *body, struct gc_error *err)
{
    struct gc_frame_failure failure;
    gc_status st;

    if (!may_fail_with(head->status) || head->again > 1)
        return distrust(known, err, "an unknown failure");
    if (body->len != sizeof(failure))
        return distrust(known, err, "a failure of the wrong size");
    memcpy(&failure, body->data, sizeof(failure));
    if (memchr(failure.fault, '\0', sizeof(failure.fault)) == NULL
        || memchr(failure.message, '\0', sizeof(failure.message)) == NULL
        || memchr(failure.hint, '\0', sizeof(failure.hint)) == NULL)
        return distrust(known, err, "a text without an end");
    st = gc_fail(err, (gc_status)head->status, "%s", failure.message);
    (void)gc_fail_hint(err, st, "%s", failure.hint);
    if (err != NULL) {
        err->gss_major = head->gss_major;
        err->gss_minor = head->gss_minor;
        err->again = head->again == 1;
        gc_escape(err->fault, sizeof(err->fault), failure.fault,
                  strlen(failure.fault));
    }
    return st;
}

/* Does the result stay within the request?  NULL, or the objection. */
static const char *
objection(const struct gc_reply_check *known, const struct gc_frame_said *told)
{
    const struct gc_facts *facts = &known->facts;

    if (told->done > 1 || told->mutual > 1 || told->mech > GC_MECH_NTLM)
        return "a value out of range";
    if (!printable(told->principal, sizeof(told->principal))
        || !printable(told->target, sizeof(told->target)))
        return "a name that is no text";
    if ((told->mech == GC_MECH_NTLM) != (known->mech == GC_MECH_NTLM)
        || (told->mutual == 1 && !known->mutual))
        return "something that was not asked for";
    if (strcmp(told->target, facts->target) != 0)
        return "another target";
    /* The first leg settled the credential's name; it must not change. */
    if (told->principal[0] == '\0'
        || (known->begun && strcmp(told->principal, facts->principal) != 0))
        return "another principal";
    return NULL;
}

static gc_status
take_said(struct gc_reply_check *known, const struct gc_bytes *body,
          struct gc_said *ret_said, struct gc_error *err)
{
    GC_AUTO(gc_bytes) token = {0};
    struct gc_frame_said told;
    const char *wrong;
    gc_status st;

    if (body->len < sizeof(told) || body->len > GC_FRAME_BODY_MAX)
        return distrust(known, err, "the wrong size");
    memcpy(&told, body->data, sizeof(told));
    wrong = objection(known, &told);
    if (wrong != NULL)
        return distrust(known, err, wrong);
    /* Only the last leg may have an empty token, and never the first. */
    if (body->len == sizeof(told) && (told.done == 0 || !known->begun))
        return distrust(known, err, "no token");
    st = gc_bytes_set(&token, body->data + sizeof(told),
                      body->len - sizeof(told), err);
    if (st != GC_OK)
        return st;
    memcpy(known->facts.principal, told.principal, sizeof(told.principal));
    known->facts.mech = (gc_mech)told.mech;
    known->facts.mutual = told.mutual == 1;
    known->facts.flags = told.flags;
    gc_bytes_move(&ret_said->token, &token);
    ret_said->done = told.done == 1;
    return GC_OK;
}

/* Take only a name, and nothing of an exchange. */
static gc_status
take_name(struct gc_reply_check *known, const struct gc_bytes *body,
          struct gc_error *err)
{
    struct gc_frame_said told;

    if (body->len != sizeof(told))
        return distrust(known, err, "the wrong size");
    memcpy(&told, body->data, sizeof(told));
    if (!printable(told.principal, sizeof(told.principal))
        || told.principal[0] == '\0')
        return distrust(known, err, "a name that is no text");
    memcpy(known->facts.principal, told.principal, sizeof(told.principal));
    return GC_OK;
}

/* Bytes for another child of the same user; they are not parsed here. */
static gc_status
take_credential(struct gc_reply_check *known, const struct gc_bytes *body,
                struct gc_said *ret_said, struct gc_error *err)
{
    if (body->len == 0 || body->len > GC_TOKEN_MAX)
        return distrust(known, err, "a credential of the wrong size");
    return gc_bytes_set(&ret_said->token, body->data, body->len, err);
}

static gc_status
take_nothing(struct gc_reply_check *known, const struct gc_bytes *body,
             struct gc_error *err)
{
    return body->len == 0 ? GC_OK : distrust(known, err, "the wrong size");
}

gc_status
gc_reply_check_take(struct gc_reply_check *known, gc_frame_op op,
                    const struct gc_frame_head *head,
                    const struct gc_bytes *body, struct gc_said *ret_said,
                    struct gc_error *err)
{
    gc_status st;

    if (head->op != (uint32_t)op)
        st = distrust(known, err, "the answer to another request");
    else if (head->status != GC_OK)
        st = take_failure(known, head, body, err);
    else if (op == GC_FRAME_WHO)
        st = take_name(known, body, err);
    else if (op == GC_FRAME_EXPORT)
        st = take_credential(known, body, ret_said, err);
    else if (op == GC_FRAME_LEND)
        st = take_nothing(known, body, err);
    else
        st = take_said(known, body, ret_said, err);
    known->begun = st == GC_OK && op != GC_FRAME_WHO && op != GC_FRAME_LEND;
    return st;
}
