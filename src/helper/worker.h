/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An initiator whose GSS-API work runs in a forked child.
 *
 * The child is killed when a call overruns WANT's deadline, or when CANCEL_FD
 * becomes readable; the next begin forks a new one.  The child's replies are
 * checked like any other input: it may run as another user.
 */

#ifndef GC_SRC_HELPER_WORKER_H
#define GC_SRC_HELPER_WORKER_H

#include "gss/initiator.h"
#include "src/base/child.h"

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
 * The same with a child that becomes AS (copied; NULL: no change) before it
 * serves.  A child that cannot has ended by the first call.  Once it has ended,
 * at a deadline or because the user killed it, it is not replaced: another fork
 * would give the user the secrets that were read since.  All of these are
 * GC_E_UNAVAILABLE, because the user may cause them.
 */
GC_MUST_USE gc_status gc_worker_new_as(int cancel_fd,
                                       const struct gc_child_as *as,
                                       struct gc_initiator **ret_initiator,
                                       struct gc_error *err);

/*
 * The two below take an initiator that gc_worker_new or gc_worker_new_as made,
 * and no other.
 *
 * After begin succeeded, until end, and within its deadline: the tickets of its
 * credential, as at most GC_TOKEN_MAX bytes (secret) for a worker of the same
 * user.  They hold no password and no key made of it, but their holder is
 * the user to the realm until they expire.  They come from the child: only
 * another child may parse them.  GC_E_NOT_SUPPORTED: there is nothing to lend
 * (NTLM, on behalf of another user) or too much.  An error ends the exchange.
 */
GC_MUST_USE gc_status gc_worker_export(struct gc_initiator *worker,
                                       struct gc_bytes *ret_credential,
                                       struct gc_error *err);

/*
 * Hand CREDENTIAL (what gc_worker_export gave) to WORKER's child, for any
 * number of who and begin with source GC_SOURCE_LENT, which check its name and
 * lifetime as for any other.  Ends what is under way; replaces what was lent
 * before. GC_E_NO_CREDENTIAL: those are no tickets.  GC_E_UNAVAILABLE: it took
 * until DEADLINE (CLOCK_MONOTONIC milliseconds).
 *
 * It is the child that keeps it: when that has ended, at a deadline or by
 * itself, begin says GC_E_NO_CREDENTIAL until it is lent again.
 */
GC_MUST_USE gc_status gc_worker_lend(struct gc_initiator *worker,
                                     const struct gc_bytes *credential,
                                     int64_t deadline, struct gc_error *err);

#endif
