/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper's half of each call.  A reply is filled in only on GC_OK; after an
 * error the store knows every ticket that is left in a guest.
 */

#ifndef GC_SRC_HELPER_CALLS_H
#define GC_SRC_HELPER_CALLS_H

#include "src/helper/request.h"

/*
 * Cheap local checks come first, so that an unproved client cannot burden
 * vCenter: KDC, verifier, mapping, VM, quota.  Then vCenter and the guest,
 * whose ticket is released before this returns.
 */
GC_MUST_USE gc_status gc_call_authenticate(struct gc_request *request,
                                           struct gc_wire_reply *reply,
                                           struct gc_error *err);

/* Acquire a ticket for each VM, once in a transaction, with copies for the
 * user.
 */
GC_MUST_USE gc_status gc_call_establish(struct gc_request *request,
                                        struct gc_wire_reply *reply,
                                        struct gc_error *err);

/* Release them and remove the copies.  A second call does nothing. */
GC_MUST_USE gc_status gc_call_delete(struct gc_request *request,
                                     struct gc_wire_reply *reply,
                                     struct gc_error *err);

/* Was the user proved in this transaction, perhaps by another process? */
GC_MUST_USE gc_status gc_call_account(struct gc_request *request,
                                      struct gc_wire_reply *reply,
                                      struct gc_error *err);

/* Undo a successful call whose reply cannot be delivered. */
void gc_call_undo(struct gc_request *request,
                  const struct gc_wire_reply *reply);

#endif
