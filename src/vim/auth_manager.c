/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GuestAuthManager's three methods, and nothing of what the tokens mean.
 *
 * Owns sessionID and the rule that a ticket which reached this process is
 * either handed out or released.  Refuses to retry: an Acquire whose outcome is
 * unknown may have left a ticket in the guest, and a second would hide it.
 */

#include <config.h>

#include "src/vim/auth_manager.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gss/initiator.h"
#include "src/base64.h"

#define PROOF_MAX    1024 /* of a body that is looked at for one */
#define SUBJECT_SIZE (GC_MOID_SIZE + 8)

_Static_assert(GC_EXCHANGE_ID_SIZE == GC_JSON_INT64_SIZE,
               "a sessionID is copied whole");

static void
name_vm(const char *vm, char ret_subject[SUBJECT_SIZE])
{
    (void)snprintf(ret_subject, SUBJECT_SIZE, "VM %s", vm);
}

/*
 * Release and Validate
 */

/* Call METHOD, which answers nothing and may be repeated, about TICKET. */
static gc_status
call_with_ticket(struct gc_session *session, const char *method, const char *vm,
                 const struct gc_bytes *ticket,
                 const struct gc_session_call *how,
                 struct gc_session_reply *reply, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) body = NULL;
    gc_status st = gc_guest_body(vm, ticket, &body, err);

    if (st != GC_OK)
        return st;
    st = gc_guest_manager_call(session, how, GC_GUEST_AUTH, method, body, reply,
                               err);
    if (st == GC_OK && !reply->is_fault && reply->root != NULL)
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s answered %s with a value, where the API has none",
                       gc_session_url(session), method);
    if (st != GC_OK)
        gc_fail_blank(err, ticket->data, ticket->len);
    return st;
}

/* Does FAULT say that there is nothing left to release? */
static bool
is_gone(const struct gc_fault *fault, const char *vm, enum gc_released *ret_how)
{
    /* A suspended guest keeps its memory, and the ticket with it. */
    if (gc_fault_is(fault, "InvalidPowerState")
        && strcmp(fault->existing_state, "poweredOff") == 0)
        *ret_how = GC_RELEASED_OFF;
    else if (gc_fault_is(fault, "ManagedObjectNotFound")
             && strcmp(fault->object, vm) == 0)
        *ret_how = GC_RELEASED_NO_VM;
    else if (gc_fault_is(fault, "InvalidGuestLogin"))
        *ret_how = GC_RELEASED_UNKNOWN;
    else
        return false;
    return true;
}

gc_status
gc_auth_manager_release(struct gc_session *session, const char *vm,
                        const struct gc_bytes *ticket, struct gc_limit limit,
                        enum gc_released *ret_how, struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    struct gc_session_call how = {.idempotent = true,
                                  .limit = limit,
                                  .cancel_grace = GC_SESSION_GRACE_MS};
    gc_status st;

    st = call_with_ticket(session, "ReleaseCredentialsInGuest", vm, ticket,
                          &how, &reply, err);
    if (st != GC_OK)
        return st;
    if (!reply.is_fault) {
        *ret_how = GC_RELEASED;
        return GC_OK;
    }
    if (is_gone(&reply.fault, vm, ret_how))
        return GC_OK;
    return gc_guest_fail(&reply, vm, ticket, err);
}

gc_status
gc_auth_manager_validate(struct gc_session *session, const char *vm,
                         const struct gc_bytes *ticket, struct gc_limit limit,
                         struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    struct gc_session_call how = {.idempotent = true, .limit = limit};
    gc_status st;

    st = call_with_ticket(session, "ValidateCredentialsInGuest", vm, ticket,
                          &how, &reply, err);
    if (st != GC_OK || !reply.is_fault)
        return st;
    /*
     * The API reference names one fault in its text and the other in its list.
     */
    if (gc_fault_is(&reply.fault, "GuestPermissionDenied"))
        return gc_guest_refuse(&reply.fault, vm, err);
    return gc_guest_fail(&reply, vm, ticket, err);
}

/*
 * Acquire
 */

static gc_status
write_leg(const struct gc_exchange *exchange, const struct gc_bytes *token,
          struct gc_bytes *ret_text, struct gc_json **ret_body,
          struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO_PTR(gc_json) body = gc_json_new_object();
    struct gc_json *auth;
    gc_status st;

    if (token->len > GC_TOKEN_MAX)
        return gc_fail(err, GC_E_PROTOCOL,
                       "a token of %zu bytes is more than the guest takes",
                       token->len);
    st = gc_base64_encode(token, &text, err);
    if (st != GC_OK)
        return st;
    gc_session_add_moref(body, "vm", "VirtualMachine", exchange->vm);
    auth = gc_json_add_object(body, "requestedAuth");
    (void)gc_json_add_string(auth, "_typeName", "SSPIAuthentication");
    (void)gc_json_add_bool(auth, "interactiveSession", false);
    if (gc_json_add_string(auth, "sspiToken", gc_bytes_text(&text)) == NULL)
        return gc_fail_no_memory(err);
    if (exchange->session_id[0] != '\0'
        && gc_json_add_digits(body, "sessionID", exchange->session_id) == NULL)
        return gc_fail_no_memory(err);
    gc_bytes_move(ret_text, &text);
    *ret_body = GC_TAKE(body);
    return GC_OK;
}

static void __attribute__((format(printf, 2, 3)))
tell(const struct gc_exchange *exchange, const char *fmt, ...)
{
    char line[128];
    va_list args;

    if (exchange->tell == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(line, sizeof(line), fmt, args);
    va_end(args);
    exchange->tell(exchange->tell_user, line);
}

static gc_status
read_ticket(const struct gc_json *root, const char *vm,
            struct gc_bytes *ret_ticket, struct gc_error *err)
{
    const char *name = gc_json_string(root, "_typeName");
    const char *ticket = gc_json_string(root, "ticket");
    size_t len = ticket == NULL ? 0 : strlen(ticket);

    if (name == NULL || strcmp(name, "TicketedSessionAuthentication") != 0)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the answer for VM %s is a %s and no "
                       "TicketedSessionAuthentication",
                       vm, name == NULL ? "nameless object" : name);
    if (len == 0)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the answer for VM %s has no usable ticket", vm);
    if (len > GC_TICKET_MAX)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket for VM %s has %zu bytes, more than %d", vm,
                       len, GC_TICKET_MAX);
    return gc_bytes_set(ret_ticket, ticket, len, err);
}

/* The latest sessionID counts, and is kept only with a challenge to answer. */
static gc_status
read_challenge(const struct gc_json *root, struct gc_exchange *exchange,
               struct gc_bytes *ret_token, struct gc_error *err)
{
    const struct gc_json *challenge = gc_json_get(root, "serverChallenge");
    const char *text = gc_json_string(challenge, "sspiToken");
    char digits[GC_JSON_INT64_SIZE];
    gc_status st;

    if (text == NULL || !gc_session_is_a(challenge, "SSPIAuthentication"))
        return gc_fail(err, GC_E_PROTOCOL,
                       "the challenge of VM %s is no SSPIAuthentication",
                       exchange->vm);
    if (!gc_json_int64(root, "sessionID", digits))
        return gc_fail(err, GC_E_PROTOCOL,
                       "the challenge of VM %s has no sessionID that is a "
                       "64-bit integer",
                       exchange->vm);
    st = gc_base64_decode(text, GC_TOKEN_MAX, ret_token, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "the challenge of VM %s", exchange->vm);
    memcpy(exchange->session_id, digits, sizeof(digits));
    tell(exchange, "%s: a challenge of %zu bytes came, with a sessionID",
         exchange->vm, ret_token->len);
    return GC_OK;
}

/* A parsed answer: its ticket, its challenge, or its fault. */
static gc_status
read_leg(const struct gc_session_reply *reply, struct gc_exchange *exchange,
         enum gc_leg *ret_leg, struct gc_bytes *ret_bytes, struct gc_error *err)
{
    char subject[SUBJECT_SIZE];
    gc_status st;

    if (!reply->is_fault) {
        st = read_ticket(reply->root, exchange->vm, ret_bytes, err);
        if (st != GC_OK)
            return st;
        *ret_leg = GC_LEG_TICKET;
        tell(exchange, "%s: a ticket came", exchange->vm);
        return GC_OK;
    }
    if (gc_fault_is(&reply->fault, "GuestAuthenticationChallenge")) {
        st = read_challenge(reply->root, exchange, ret_bytes, err);
        if (st == GC_OK)
            *ret_leg = GC_LEG_CHALLENGE;
        return st;
    }
    name_vm(exchange->vm, subject);
    return gc_fault_fail(&reply->fault, subject, err);
}

/* Release the TICKET of a reply that is refused; ERR's hint tells. */
static gc_status
give_back(struct gc_exchange *exchange, struct gc_bytes *ticket, gc_status st,
          struct gc_error *err)
{
    enum gc_released how;

    if (err != NULL)
        err->again = false;
    if (gc_auth_manager_release(exchange->session, exchange->vm, ticket,
                                gc_limit_grace(GC_SESSION_GRACE_MS), &how, NULL)
        == GC_OK)
        return gc_fail_hint(err, st,
                            "the reply held a ticket, which was released");
    gc_bytes_move(&exchange->owed, ticket);
    return gc_fail_hint(err, st,
                        "the reply held a ticket, which could not be released "
                        "yet");
}

/*
 * Does a 503 say that vCenter's service never saw the request?  The Envoy in
 * front of it says so in these words; vpxd sends a 503, too, and may have begun
 * by then.
 */
static bool
came_too_early(const struct gc_session_reply *reply)
{
    static const char *const proofs[] = {"no healthy upstream",
                                         "reset reason: connection failure",
                                         "reset reason: overflow"};
    size_t len = reply->text.len < PROOF_MAX ? reply->text.len : PROOF_MAX;

    /* Envoy sends plain text; a page that quotes it is another server's. */
    if (reply->http_status != 503 || len == 0 || reply->text.data[0] == '<')
        return false;
    for (size_t i = 0; i < GC_COUNT_OF(proofs); i++)
        if (memmem(reply->text.data, len, proofs[i], strlen(proofs[i])) != NULL)
            return true;
    return false;
}

/*
 * After the failure ST, may the guest have issued a ticket that got lost?  Not
 * where a fault was understood, nor where the server knows no such call (3xx,
 * 4xx, an ESXi host).
 */
static bool
may_have_ticket(const struct gc_session_reply *reply, gc_status st)
{
    int status = reply->http_status;

    if (!reply->sent || reply->is_fault || st == GC_OK)
        return false;
    return status < 300 || status == 408
           || (status >= 500 && st != GC_E_NOT_SUPPORTED
               && !came_too_early(reply));
}

static gc_status
fail_unknown(struct gc_exchange *exchange, gc_status st, struct gc_error *err)
{
    exchange->lost = true;
    if (err != NULL)
        err->again = false;
    return gc_fail_context(err, st,
                           "a ticket may exist in the guest of VM %s that "
                           "nobody can name",
                           exchange->vm);
}

gc_status
gc_auth_manager_leg(struct gc_exchange *exchange, const struct gc_bytes *token,
                    enum gc_leg *ret_leg, struct gc_bytes *ret_bytes,
                    struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO_PTR(gc_json) body = NULL;
    GC_AUTO(gc_bytes) text = {0}, said = {0}, stray = {0};
    struct gc_session_call how = {.no_login = true,
                                  .limit = exchange->limit,
                                  .cancel_grace = GC_SESSION_GRACE_MS};
    enum gc_leg leg = GC_LEG_CHALLENGE;
    gc_status st;

    st = write_leg(exchange, token, &text, &body, err);
    if (st != GC_OK)
        return st;
    exchange->legs++;
    tell(exchange, "%s: a token of %zu bytes is sent%s", exchange->vm,
         token->len, exchange->session_id[0] != '\0' ? ", with it" : "");
    st = gc_guest_manager_call(exchange->session, &how, GC_GUEST_AUTH,
                               "AcquireCredentialsInGuest", body, &reply, err);
    if (st == GC_OK)
        st = read_leg(&reply, exchange, &leg, &said, err);
    if (st == GC_OK && leg == GC_LEG_TICKET) {
        gc_bytes_move(ret_bytes, &said);
        *ret_leg = leg;
        return GC_OK;
    }

    if (gc_json_salvage(reply.text.data, reply.text.len, "ticket", &stray)) {
        if (st == GC_OK || reply.is_fault)
            st = gc_fail(err, GC_E_PROTOCOL,
                         "the fault %s for VM %s carries a ticket",
                         reply.fault.name, exchange->vm);
        gc_fail_blank(err, text.data, text.len);
        gc_fail_blank(err, stray.data, stray.len);
        return give_back(exchange, &stray, st, err);
    }
    if (st != GC_OK) {
        gc_fail_blank(err, text.data, text.len);
        return may_have_ticket(&reply, st) ? fail_unknown(exchange, st, err)
                                           : st;
    }
    gc_bytes_move(ret_bytes, &said);
    *ret_leg = leg;
    return GC_OK;
}
