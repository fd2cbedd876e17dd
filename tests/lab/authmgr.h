/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GuestAuthManager, and what else takes a ticket: JSON on one side, a guest on
 * the other.
 */

#ifndef GC_LAB_AUTHMGR_H
#define GC_LAB_AUTHMGR_H

#include "tests/lab/reply.h"

void gc_authmgr_acquire(struct gc_request *request, struct gc_reply *reply);
void gc_authmgr_release(struct gc_request *request, struct gc_reply *reply);
void gc_authmgr_validate(struct gc_request *request, struct gc_reply *reply);
/* ListProcessesInGuest of GuestProcessManager. */
void gc_authmgr_processes(struct gc_request *request, struct gc_reply *reply);

#endif
