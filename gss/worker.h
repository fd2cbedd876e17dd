/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An initiator whose GSS-API work happens in a forked child.
 *
 * The child is killed when a call overruns WANT's deadline, or when CANCEL_FD
 * becomes readable; the next begin forks a new one.  What the child says is
 * checked like anything from outside: it may have become another user.
 */

#ifndef GC_GSS_WORKER_H
#define GC_GSS_WORKER_H

#include "gss/child.h"
#include "gss/initiator.h"

/*
 * Fork the child now (call this before any secret is read: a fork carries the
 * parent's memory).  CANCEL_FD: -1 for none; borrowed; never read from.
 * The child holds no descriptor but its socket and 0-2, ignores the signals
 * that a terminal sends to its process group (the parent decides), leaves no
 * core, and dies with its parent: with the very thread that made it, where
 * there are several.  Cancelled calls return GC_E_CANCELED, overrun ones
 * GC_E_UNAVAILABLE, and where the child died or lied, GC_E_INTERNAL.
 */
GC_MUST_USE gc_status gc_worker_new(int cancel_fd,
                                    struct gc_initiator **ret_initiator,
                                    struct gc_error *err);

/*
 * The same with a child that becomes AS (copied; NULL: stays who we are) before
 * it serves, and so does every child that replaces it.  One that cannot is
 * gone at the first call: GC_E_INTERNAL.
 */
GC_MUST_USE gc_status gc_worker_new_as(int cancel_fd,
                                       const struct gc_child_as *as,
                                       struct gc_initiator **ret_initiator,
                                       struct gc_error *err);

#endif
