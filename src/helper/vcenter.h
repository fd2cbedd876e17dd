/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root's way to vCenter: the service login, its session kept between logins in
 * root's own place and nowhere else (P6).
 */

#ifndef GC_SRC_HELPER_VCENTER_H
#define GC_SRC_HELPER_VCENTER_H

#include "src/custody.h"
#include "src/helper/errand.h"

struct gc_vcenter_login; /* the password, once it was needed */

struct gc_vcenter {
    struct gc_custody custody; /* without a store: that is the user's */
    struct gc_client *client;
    struct gc_store *sessions;
    struct gc_vcenter_login *login;
    char key[512];                   /* the login and how it is verified */
    struct gc_session_facts adopted; /* what an earlier helper kept … */
    struct gc_bytes adopted_id;      /* … and its session; secret */
};
void gc_vcenter_clear(struct gc_vcenter *vcenter);

/*
 * From ERRAND's options; asks nobody anything and reads no password yet.  The
 * host going away cancels what is under way.
 */
GC_MUST_USE gc_status gc_vcenter_open(const struct gc_errand *errand,
                                      struct gc_vcenter *ret_vcenter,
                                      struct gc_error *err);

/* Is VM one of the vCenter that answers?  GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_vcenter_check(struct gc_vcenter *vcenter,
                                       const struct gc_map_vm *vm,
                                       struct gc_limit limit,
                                       struct gc_error *err);

/*
 * For the next helper, unless STATUS says that the session is no good.  A new
 * one that cannot be kept is ended.
 */
void gc_vcenter_keep(struct gc_vcenter *vcenter, gc_status status);

#endif
