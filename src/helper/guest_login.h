/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One handshake with one guest for a login: within the quota, with the vCenter
 * that was meant, written ahead.
 */

#ifndef GC_SRC_HELPER_GUEST_LOGIN_H
#define GC_SRC_HELPER_GUEST_LOGIN_H

#include "src/helper/request.h"
#include "src/helper/vcenter.h"

/* WANT with the options' mechanism and deadline, and for nobody yet. */
void gc_guest_login_want(const struct gc_request *request,
                         struct gc_want *ret_want);

/*
 * A ticket in VM for whoever WORKER's credential is, as WANT says; WANT's
 * target becomes VM's.  GC_E_BUSY: too many of them, and nobody was asked.
 */
GC_MUST_USE gc_status gc_guest_login(
    struct gc_request *request, struct gc_vcenter *vcenter,
    struct gc_initiator *worker, const struct gc_map_vm *vm,
    struct gc_want *want, struct gc_entry *ret_entry, struct gc_error *err);

/* End ENTRY's ticket; what cannot be done now is owed. */
GC_MUST_USE gc_status gc_guest_login_undo(struct gc_request *request,
                                          struct gc_vcenter *vcenter,
                                          struct gc_entry *entry,
                                          struct gc_error *err);

#endif
