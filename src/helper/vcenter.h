/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The helper's vCenter: logs in as the service account; its session is kept
 * between logins in a store that only root can read.
 */

#ifndef GC_SRC_HELPER_VCENTER_H
#define GC_SRC_HELPER_VCENTER_H

#include "src/helper/request.h"
#include "src/tickets/tickets.h"

/* Zero it before use. */
struct gc_vcenter {
    struct gc_store *sessions;
    struct gc_guest *guest;
    struct gc_tickets_login login;
    struct gc_tickets tickets;
};
void gc_vcenter_clear(struct gc_vcenter *vcenter);

/*
 * Set up from REQUEST's options; sends nothing and reads no password yet.
 * Tickets belong to the login TRANSACTION of REQUEST's user, until the process
 * HOST ends; both are borrowed.
 */
GC_MUST_USE gc_status gc_vcenter_open(const struct gc_request *request,
                                      const char *transaction, const char *host,
                                      struct gc_vcenter *ret_vcenter,
                                      struct gc_error *err);

/* Does VM belong to the vCenter that answers?  Else GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_vcenter_check(struct gc_vcenter *vcenter,
                                       const struct gc_map_vm *vm,
                                       struct gc_limit limit,
                                       struct gc_error *err);

#endif
