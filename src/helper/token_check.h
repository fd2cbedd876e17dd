/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between the user's process and the guest: what that process calls a first
 * token goes on only if it is of the mechanism that root configured (P15).
 */

#ifndef GC_SRC_HELPER_TOKEN_CHECK_H
#define GC_SRC_HELPER_TOKEN_CHECK_H

#include "gss/initiator.h"

/*
 * An initiator in front of WORKER, which is borrowed; nothing is to be freed.
 *
 * No token passes after LATEST (monotonic milliseconds): an answer that nobody
 * waits for is a ticket that nobody knows, and a user can keep their process
 * from making its token until then.  GC_E_UNAVAILABLE.
 */
struct gc_token_check {
    struct gc_initiator door;
    struct gc_initiator *worker;
    int64_t latest;
};
void gc_token_check_init(struct gc_token_check *check,
                         struct gc_initiator *worker, int64_t latest);

#endif
