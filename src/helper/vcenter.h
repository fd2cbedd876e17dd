/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root's way to vCenter and its guests: the service login, whose session is
 * kept between logins in a store of root's own and nowhere else.
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
 * From ERRAND's options; sends nothing and reads no password yet.  Tickets are
 * those of the login TRANSACTION of ERRAND's user, until the process HOST is
 * dead; both are borrowed.
 */
GC_MUST_USE gc_status gc_vcenter_open(const struct gc_request *request,
                                      const char *transaction, const char *host,
                                      struct gc_vcenter *ret_vcenter,
                                      struct gc_error *err);

/* Is VM one of the vCenter that answers?  GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_vcenter_check(struct gc_vcenter *vcenter,
                                       const struct gc_map_vm *vm,
                                       struct gc_limit limit,
                                       struct gc_error *err);

#endif
