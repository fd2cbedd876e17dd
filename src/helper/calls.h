/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each of the module's calls does here.  A reply is filled in only on
 * GC_OK; after an error nothing is left in a guest that the store does not
 * know.
 */

#ifndef GC_SRC_HELPER_CALLS_H
#define GC_SRC_HELPER_CALLS_H

#include "src/helper/request.h"

/*
 * Local and cheap first (P10): KDC, verifier, mapping, VM, quota; then vCenter
 * and the guest, whose ticket is released before this returns.
 */
GC_MUST_USE gc_status gc_call_authenticate(struct gc_request *request,
                                           struct gc_wire_reply *reply,
                                           struct gc_error *err);

/* A ticket for each VM into a store of the session's own, once a transaction.
 */
GC_MUST_USE gc_status gc_call_establish(struct gc_request *request,
                                        struct gc_wire_reply *reply,
                                        struct gc_error *err);

/* Release them, and take the store away.  A second time there is nothing. */
GC_MUST_USE gc_status gc_call_delete(struct gc_request *request,
                                     struct gc_wire_reply *reply,
                                     struct gc_error *err);

/* Was the user proved in this transaction, if in another process? */
GC_MUST_USE gc_status gc_call_account(struct gc_request *request,
                                      struct gc_wire_reply *reply,
                                      struct gc_error *err);

/* The reply to a call that went well cannot be delivered: undo it. */
void gc_call_undo(struct gc_request *request,
                  const struct gc_wire_reply *reply);

#endif
