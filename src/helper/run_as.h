/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One piece of work in a child of its own, which may have become somebody else,
 * and what came of it.
 *
 * The child is killed at the deadline, or when the host that we work for goes
 * away.  What it says is checked like anything from outside.
 */

#ifndef GC_SRC_HELPER_RUN_AS_H
#define GC_SRC_HELPER_RUN_AS_H

#include <stdint.h>

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/base/child.h"

#define GC_RUN_AS_RESULT_MAX 4096

/*
 * Run WORK, whose result and error come back.  AS: NULL stays who we are.
 * CANCEL_FD: readable ends it, -1 for none.  GC_E_UNAVAILABLE: the deadline
 * passed; GC_E_CANCELED; GC_E_INTERNAL: the child died, or lied.
 */
GC_MUST_USE gc_status gc_run_as(const struct gc_child_as *as, int64_t deadline,
                                int cancel_fd,
                                gc_status (*work)(void *user,
                                                  struct gc_bytes *ret_result,
                                                  struct gc_error *err),
                                void *user, struct gc_bytes *ret_result,
                                struct gc_error *err);

/* The child's half: tell on SOCKET that work ended in ST. */
void gc_run_as_tell(int socket, gc_status st, const struct gc_bytes *result,
                    const struct gc_error *err);

/* And the other: wait for that, and take it. */
GC_MUST_USE gc_status gc_run_as_hear(const struct gc_child *child,
                                     int64_t deadline, int cancel_fd,
                                     struct gc_bytes *ret_result,
                                     struct gc_error *err);

#endif
