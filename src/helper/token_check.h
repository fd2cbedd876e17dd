/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stands between the user's process and the guest.  The user controls that
 * process, so its first token is forwarded only if it is of the mechanism that
 * root configured.
 */

#ifndef GC_SRC_HELPER_TOKEN_CHECK_H
#define GC_SRC_HELPER_TOKEN_CHECK_H

#include "gss/initiator.h"

/*
 * An initiator in front of WORKER, which is borrowed; there is nothing to free.
 *
 * No token passes after LATEST (monotonic milliseconds), GC_E_UNAVAILABLE: a
 * user can delay the token, and an answer after the deadline would be a ticket
 * that is never released.
 */
struct gc_token_check {
    struct gc_initiator door;
    struct gc_initiator *worker;
    int64_t latest;
};
void gc_token_check_init(struct gc_token_check *check,
                         struct gc_initiator *worker, int64_t latest);

#endif
