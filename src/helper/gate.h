/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the user's process and the guest: what that process calls a first
 * token goes on only if it is of the mechanism that root configured (P15).
 */

#ifndef GC_SRC_HELPER_GATE_H
#define GC_SRC_HELPER_GATE_H

#include "gss/initiator.h"

/*
 * An initiator in front of WORKER, which is borrowed; nothing is to be freed.
 *
 * No token passes after LATEST (monotonic milliseconds): an answer that nobody
 * waits for is a ticket that nobody knows, and a user can keep their process
 * from making its token until then.  GC_E_UNAVAILABLE.
 */
struct gc_gate {
    struct gc_initiator door;
    struct gc_initiator *worker;
    int64_t latest;
};
void gc_gate_init(struct gc_gate *gate, struct gc_initiator *worker,
                  int64_t latest);

#endif
