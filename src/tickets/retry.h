/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a call is made again, and how long is waited in between.
 */

#ifndef GC_SRC_TICKETS_RETRY_H
#define GC_SRC_TICKETS_RETRY_H

#include "src/base/base.h"
#include "src/base/clock.h"

struct gc_retry {
    struct gc_limit limit; /* its cancel descriptor ends a pause, too */
    int failures;          /* of the transport: refused, 503 */
    int pause_ms;          /* the next one; 0 before the first */
};

/*
 * After ERR: wait, and say whether to call again.  False: give up with ERR,
 * which became GC_E_CANCELED if that cut the pause short.  TELL is told the
 * pause beforehand; it may be NULL.
 */
bool gc_retry_wait(struct gc_retry *retry, struct gc_error *err,
                   void (*tell)(void *user, const struct gc_error *err,
                                int pause_ms),
                   void *user);

#endif
