/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens inside a virtual machine: handshakes, tickets, their limits and
 * expiry, and when this guest chooses to challenge.  Knows no JSON, no HTTP.
 */

#ifndef GC_LAB_GUEST_H
#define GC_LAB_GUEST_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lab/acceptor.h"
#include "tests/lab/world.h"

struct gc_ticket {
    char *text; /* secret */
    struct gc_peer peer;
    unsigned legs;
    double used;
    struct gc_ticket *next;
};

struct gc_handshake {
    int64_t id;
    double started;
    unsigned legs;
    bool done; /* accepted, though the client was challenged once more */
    struct gc_acceptance *acceptance;
    struct gc_peer peer;
    struct gc_handshake *next;
};

enum gc_outcome { GC_OUTCOME_TICKET, GC_OUTCOME_CHALLENGE, GC_OUTCOME_FAULT };

struct gc_leg {
    bool has_id; /* answers the challenge ID */
    int64_t id;
    struct gc_text token;
};

struct gc_answer {
    const char *fault;              /* GC_OUTCOME_FAULT */
    const struct gc_ticket *ticket; /* GC_OUTCOME_TICKET, borrowed */
    struct gc_text token;           /* GC_OUTCOME_CHALLENGE, with ID */
    int64_t id;
    unsigned legs;
    struct gc_peer peer; /* when accepted */
};

/* The fault any guest operation gets in the VM's present state, or NULL. */
const char *gc_guest_unfit(const struct gc_vm *vm);

enum gc_outcome gc_guest_acquire(struct gc_vm *vm, const struct gc_leg *leg,
                                 struct gc_answer *answer);
/* The fault, or NULL when done. */
const char *gc_guest_validate(struct gc_vm *vm, const char *ticket);
const char *gc_guest_release(struct gc_vm *vm, const char *ticket);

/* Drop what has expired, so that counting the lists tells the truth. */
void gc_guest_reap(struct gc_vm *vm);
unsigned gc_guest_tickets(struct gc_vm *vm);
unsigned gc_guest_handshakes(struct gc_vm *vm);
void gc_guest_forget_tickets(struct gc_vm *vm);
void gc_guest_forget_handshakes(struct gc_vm *vm);
void gc_guest_forget(struct gc_vm *vm); /* both */
/* Read the keytab anew at the next handshake. */
void gc_guest_rekey(struct gc_vm *vm);

#endif
