/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One login to one guest: within the quota, through the configured vCenter,
 * with the intent in the store first.
 */

#ifndef GC_SRC_HELPER_GUEST_LOGIN_H
#define GC_SRC_HELPER_GUEST_LOGIN_H

#include "src/helper/request.h"
#include "src/helper/vcenter.h"

/* Fill in WANT's mechanism and deadline from the options; no credential. */
void gc_guest_login_want(const struct gc_request *request,
                         struct gc_want *ret_want);

/*
 * Acquire a ticket in VM with WORKER's credential and WANT, whose target
 * becomes VM's.  GC_E_BUSY: the quota is used up, and nothing was sent.
 */
GC_MUST_USE gc_status gc_guest_login(
    struct gc_request *request, struct gc_vcenter *vcenter,
    struct gc_initiator *worker, const struct gc_map_vm *vm,
    struct gc_want *want, struct gc_entry *ret_entry, struct gc_error *err);

/* Release ENTRY's ticket; after a failure it is owed. */
GC_MUST_USE gc_status gc_guest_login_undo(struct gc_request *request,
                                          struct gc_vcenter *vcenter,
                                          struct gc_entry *entry,
                                          struct gc_error *err);

#endif
