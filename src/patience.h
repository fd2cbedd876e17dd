/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a call is made again, and how long we wait in between (decision 9).
 */

#ifndef GC_SRC_PATIENCE_H
#define GC_SRC_PATIENCE_H

#include "src/base/base.h"
#include "src/base/clock.h"

struct gc_patience {
    struct gc_limit limit;
    int failures; /* of the transport: refused, 503 */
    int pause_ms; /* the next one; 0 before the first */
};

/*
 * After ERR: wait, and say whether to call again.  False: give up with ERR,
 * which became GC_E_CANCELED if that cut the pause short.  TELL is told the
 * pause beforehand; it may be NULL.
 */
bool gc_patience_wait(struct gc_patience *patience, struct gc_error *err,
                      void (*tell)(void *user, const struct gc_error *err,
                                   int pause_ms),
                      void *user);

#endif
