/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Handshakes and tickets of a guest.  Numbers after open-vm-tools: 50 of each,
 * 600 s for a handshake, 24 h since its last use for a ticket.  A token that
 * the acceptor makes while it finishes has nowhere to go unless this guest's
 * policy challenges once more.
 */

#include <config.h>

#include "tests/lab/guest.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/loop.h"

static void
free_ticket(struct gc_ticket *ticket)
{
    gc_text_free(ticket->text);
    free(ticket);
}

static void
free_handshake(struct gc_handshake *handshake)
{
    gc_acceptor_end(handshake->acceptance);
    free(handshake);
}

void
gc_guest_forget_tickets(struct gc_vm *vm)
{
    while (vm->tickets != NULL) {
        struct gc_ticket *ticket = vm->tickets;

        vm->tickets = ticket->next;
        free_ticket(ticket);
    }
}

void
gc_guest_forget_handshakes(struct gc_vm *vm)
{
    while (vm->handshakes != NULL) {
        struct gc_handshake *handshake = vm->handshakes;

        vm->handshakes = handshake->next;
        free_handshake(handshake);
    }
}

void
gc_guest_forget(struct gc_vm *vm)
{
    gc_guest_forget_tickets(vm);
    gc_guest_forget_handshakes(vm);
}

void
gc_guest_rekey(struct gc_vm *vm)
{
    gc_acceptor_free(vm->acceptor);
    vm->acceptor = NULL;
}

static void
drop_handshake(struct gc_vm *vm, struct gc_handshake *handshake)
{
    struct gc_handshake **at = &vm->handshakes;

    while (*at != handshake)
        at = &(*at)->next;
    *at = handshake->next;
    free_handshake(handshake);
}

static void
drop_ticket(struct gc_vm *vm, struct gc_ticket *ticket)
{
    struct gc_ticket **at = &vm->tickets;

    while (*at != ticket)
        at = &(*at)->next;
    *at = ticket->next;
    free_ticket(ticket);
}

void
gc_guest_reap(struct gc_vm *vm)
{
    double now = gc_loop_now();
    struct gc_handshake *handshake, *next_handshake;
    struct gc_ticket *ticket, *next_ticket;

    for (handshake = vm->handshakes; handshake != NULL;
         handshake = next_handshake) {
        next_handshake = handshake->next;
        if (now - handshake->started >= vm->handshake_ttl)
            drop_handshake(vm, handshake);
    }
    for (ticket = vm->tickets; ticket != NULL; ticket = next_ticket) {
        next_ticket = ticket->next;
        if (now - ticket->used >= vm->ticket_ttl)
            drop_ticket(vm, ticket);
    }
}

unsigned
gc_guest_tickets(struct gc_vm *vm)
{
    const struct gc_ticket *ticket;
    unsigned count = 0;

    gc_guest_reap(vm);
    for (ticket = vm->tickets; ticket != NULL; ticket = ticket->next)
        count++;
    return count;
}

unsigned
gc_guest_handshakes(struct gc_vm *vm)
{
    const struct gc_handshake *handshake;
    unsigned count = 0;

    gc_guest_reap(vm);
    for (handshake = vm->handshakes; handshake != NULL;
         handshake = handshake->next)
        count++;
    return count;
}

const char *
gc_guest_unfit(const struct gc_vm *vm)
{
    if (vm->power != GC_POWER_ON)
        return "InvalidPowerState";
    if (vm->tools == GC_TOOLS_STOPPED)
        return "GuestOperationsUnavailable";
    if (vm->tools == GC_TOOLS_OLD)
        return "GuestComponentsOutOfDate";
    if (vm->tools == GC_TOOLS_DISABLED)
        return "OperationDisabledByGuest";
    if (vm->os != GC_OS_WINDOWS)
        return "OperationNotSupportedByGuest";
    return NULL;
}

/* Odd tickets hold everything JSON has to escape and everything it need not. */
static char *
make_ticket(const struct gc_vm *vm)
{
    static const char odd[] = "/+\\\"= \t<&%'\xc3\xa9\xf0\x9f\x94\x91\x7f";
    unsigned char random[48];
    GC_TEXT text = {0};

    gc_text_random(random, sizeof(random));
    gc_text_base64(random, sizeof(random), &text);
    if (vm->ticket_style == GC_STYLE_ODD)
        gc_text_puts(&text, odd);
    while (vm->ticket_size > 0 && text.len < (size_t)vm->ticket_size)
        gc_text_puts(&text, "x");
    return gc_text_dup(text.data);
}

static const struct gc_ticket *
issue(struct gc_vm *vm, const struct gc_handshake *handshake)
{
    struct gc_ticket *ticket = gc_text_grab(1, sizeof(*ticket));

    ticket->text = make_ticket(vm);
    ticket->peer = handshake->peer;
    ticket->legs = handshake->legs;
    ticket->used = gc_loop_now();
    ticket->next = vm->tickets;
    vm->tickets = ticket;
    vm->issued++;
    return ticket;
}

static struct gc_handshake *
find_handshake(struct gc_vm *vm, int64_t id)
{
    struct gc_handshake *handshake = vm->handshakes;

    while (handshake != NULL && handshake->id != id)
        handshake = handshake->next;
    return handshake;
}

/* Past the largest comes the smallest: unsigned, because it may wrap. */
static int64_t
next_id(struct gc_vm *vm)
{
    int64_t id = vm->session_id;

    vm->session_id = (int64_t)((uint64_t)id + 1);
    return id;
}

static struct gc_handshake *
start_handshake(struct gc_vm *vm)
{
    struct gc_handshake *handshake = gc_text_grab(1, sizeof(*handshake));

    handshake->id = next_id(vm);
    handshake->started = gc_loop_now();
    handshake->next = vm->handshakes;
    vm->handshakes = handshake;
    return handshake;
}

static enum gc_verdict
stub_leg(const struct gc_vm *vm, struct gc_handshake *handshake,
         const struct gc_text *token, struct gc_text *out)
{
    if (token->len < 5 || memcmp(token->data, "stub:", 5) != 0)
        return GC_VERDICT_REFUSED;
    if (handshake->legs < vm->stub_legs) {
        gc_text_printf(out, "stub: leg %u", handshake->legs);
        return GC_VERDICT_CONTINUE;
    }
    snprintf(handshake->peer.name, sizeof(handshake->peer.name), "%.*s",
             (int)(token->len - 5), token->data + 5);
    snprintf(handshake->peer.mechanism, sizeof(handshake->peer.mechanism),
             "stub");
    return GC_VERDICT_ACCEPTED;
}

static enum gc_verdict
judge(struct gc_vm *vm, struct gc_handshake *handshake,
      const struct gc_text *token, struct gc_text *out)
{
    enum gc_verdict verdict;

    /* MIT's SPNEGO would answer nothing with hints; a guest is not asked so. */
    if (handshake->legs == 1 && token->len == 0)
        return GC_VERDICT_REFUSED;
    if (vm->stub)
        return stub_leg(vm, handshake, token, out);
    if (vm->acceptor == NULL)
        vm->acceptor = gc_acceptor_new(vm->keytab, vm->ntlm != GC_NTLM_ONLY,
                                       vm->ntlm != GC_NTLM_OFF);
    if (vm->acceptor == NULL)
        return GC_VERDICT_REFUSED;
    verdict = gc_acceptor_leg(vm->acceptor, &handshake->acceptance, token, out,
                              &handshake->peer);
    if (verdict == GC_VERDICT_ACCEPTED && vm->allow[0] != '\0'
        && !gc_world_listed(vm->allow, handshake->peer.name))
        return GC_VERDICT_REFUSED;
    return verdict;
}

/* Whether a handshake that was just accepted is challenged all the same. */
static bool
challenges_on(const struct gc_vm *vm, const struct gc_handshake *handshake)
{
    if (vm->challenge == GC_CHALLENGE_ENDLESS)
        return true;
    return vm->challenge != GC_CHALLENGE_NEVER && handshake->legs == 1;
}

static enum gc_outcome
go_on(struct gc_vm *vm, struct gc_handshake *handshake,
      const struct gc_text *token, struct gc_text *out)
{
    enum gc_verdict verdict;
    bool full = vm->challenge == GC_CHALLENGE_FULL
                || vm->challenge == GC_CHALLENGE_TWO_LEGS;

    handshake->legs++;
    if (handshake->done) {
        if (token->len > 0)
            return GC_OUTCOME_FAULT;
        return challenges_on(vm, handshake) ? GC_OUTCOME_CHALLENGE
                                            : GC_OUTCOME_TICKET;
    }
    verdict = judge(vm, handshake, token, out);
    if (verdict == GC_VERDICT_REFUSED)
        return GC_OUTCOME_FAULT;
    if (verdict == GC_VERDICT_CONTINUE)
        return vm->challenge == GC_CHALLENGE_TWO_LEGS && handshake->legs >= 2
                   ? GC_OUTCOME_FAULT
                   : GC_OUTCOME_CHALLENGE;
    handshake->done = true;
    if (!full)
        gc_text_clear(out);
    return challenges_on(vm, handshake) ? GC_OUTCOME_CHALLENGE
                                        : GC_OUTCOME_TICKET;
}

static const char *
open_handshake(struct gc_vm *vm, const struct gc_leg *leg,
               struct gc_handshake **ret)
{
    gc_guest_reap(vm);
    if (leg->has_id) {
        *ret = find_handshake(vm, leg->id);
        return *ret == NULL ? "InvalidGuestLogin" : NULL;
    }
    if (gc_guest_handshakes(vm) >= vm->max_handshakes
        || gc_guest_tickets(vm) >= vm->max_tickets)
        return "TooManyGuestLogons";
    *ret = start_handshake(vm);
    return NULL;
}

enum gc_outcome
gc_guest_acquire(struct gc_vm *vm, const struct gc_leg *leg,
                 struct gc_answer *answer)
{
    struct gc_handshake *handshake = NULL;
    enum gc_outcome outcome;

    answer->fault = open_handshake(vm, leg, &handshake);
    if (answer->fault != NULL)
        return GC_OUTCOME_FAULT;
    outcome = go_on(vm, handshake, &leg->token, &answer->token);
    if (vm->renumber && handshake->legs > 1)
        handshake->id = next_id(vm);
    answer->legs = handshake->legs;
    answer->id = handshake->id;
    answer->peer = handshake->peer;
    if (outcome == GC_OUTCOME_CHALLENGE)
        return outcome;
    answer->fault = "InvalidGuestLogin";
    if (outcome == GC_OUTCOME_TICKET
        && gc_guest_tickets(vm) >= vm->max_tickets) {
        answer->fault = "TooManyGuestLogons";
        outcome = GC_OUTCOME_FAULT;
    }
    if (outcome == GC_OUTCOME_TICKET)
        answer->ticket = issue(vm, handshake);
    drop_handshake(vm, handshake);
    return outcome;
}

static struct gc_ticket *
find_ticket(struct gc_vm *vm, const char *text)
{
    struct gc_ticket *ticket;

    gc_guest_reap(vm);
    ticket = vm->tickets;
    while (ticket != NULL && strcmp(ticket->text, text) != 0)
        ticket = ticket->next;
    return ticket;
}

const char *
gc_guest_validate(struct gc_vm *vm, const char *text)
{
    struct gc_ticket *ticket = find_ticket(vm, text);

    if (ticket == NULL)
        return vm->after_release == 1 ? "GuestPermissionDenied"
                                      : "InvalidGuestLogin";
    ticket->used = gc_loop_now();
    return NULL;
}

const char *
gc_guest_release(struct gc_vm *vm, const char *text)
{
    struct gc_ticket *ticket = find_ticket(vm, text);

    if (ticket == NULL)
        return "InvalidGuestLogin";
    drop_ticket(vm, ticket);
    vm->released++;
    return NULL;
}
