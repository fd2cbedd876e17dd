/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The challenge loop, one attempt: an initiator, an exchange with a guest, and
 * the tokens between them.
 *
 * Knows who speaks next and when the talking must stop.  Does not know HTTP,
 * JSON, sessionID or which mechanism is speaking.
 */

#ifndef GC_SRC_TICKETS_CHALLENGE_H
#define GC_SRC_TICKETS_CHALLENGE_H

#include "gss/initiator.h"
#include "src/tickets/guest.h"

/* Three calls are the most ever seen; a guest still asking after ten is broken.
 */
#define GC_CHALLENGE_LEGS_MAX 10

/*
 * OURS has begun and said FIRST; EXCHANGE with GUEST is fresh.  Carry tokens
 * between them until the guest issues a ticket.  Both are spent afterwards,
 * whatever the outcome.  RET_TICKET is set only on success; it is a secret, and
 * it names a session that stays open in the guest: release it there before
 * forgetting it here.
 */
GC_MUST_USE gc_status gc_challenge_run(struct gc_initiator *ours,
                                       const struct gc_said *first,
                                       struct gc_guest *guest,
                                       struct gc_exchange *exchange,
                                       struct gc_bytes *ret_ticket,
                                       struct gc_error *err);

#endif
