/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs one function in a child, possibly as another user, and returns its
 * result.
 *
 * The child is killed at the deadline, or when the host ends.  Its result is
 * checked like any other input.
 */

#ifndef GC_SRC_HELPER_RUN_AS_H
#define GC_SRC_HELPER_RUN_AS_H

#include <stdint.h>

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/base/child.h"

#define GC_RUN_AS_RESULT_MAX 4096

/*
 * Run WORK as AS (NULL: as we are) and return its result and error.  CANCEL_FD
 * (-1: none) cancels when it is readable.  GC_E_UNAVAILABLE: the deadline
 * passed; GC_E_CANCELED; GC_E_INTERNAL: the child died, or its reply is
 * malformed.
 */
GC_MUST_USE gc_status gc_run_as(const struct gc_child_as *as, int64_t deadline,
                                int cancel_fd,
                                gc_status (*work)(void *user,
                                                  struct gc_bytes *ret_result,
                                                  struct gc_error *err),
                                void *user, struct gc_bytes *ret_result,
                                struct gc_error *err);

/* The child's half: send on SOCKET that work ended in ST. */
void gc_run_as_tell(int socket, gc_status st, const struct gc_bytes *result,
                    const struct gc_error *err);

/* The parent's half: wait for that and return it. */
GC_MUST_USE gc_status gc_run_as_hear(const struct gc_child *child,
                                     int64_t deadline, int cancel_fd,
                                     struct gc_bytes *ret_result,
                                     struct gc_error *err);

#endif
