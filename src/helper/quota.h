/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Limits for one user in one guest: live tickets, handshakes at once, attempts
 * a minute.  A guest has room for few tickets, and its domain locks accounts.
 *
 * An attempt is an empty file in the user's directory: its time is the
 * attempt's, and it is locked during the handshake.  Live tickets are counted
 * in the ticket store.
 */

#ifndef GC_SRC_HELPER_QUOTA_H
#define GC_SRC_HELPER_QUOTA_H

#include <sys/types.h>

#include "src/tickets/store.h"

#define GC_QUOTA_TICKETS 4
/* Lost logins, which may have left a ticket.  More of them are allowed: four
 * failures of a guest must not lock out its administrator for a day. */
#define GC_QUOTA_LOST       12
#define GC_QUOTA_HANDSHAKES 2
#define GC_QUOTA_ATTEMPTS   10  /* in GC_QUOTA_WINDOW_S, in one VM ... */
#define GC_QUOTA_ALL        256 /* ... and in all of them */
#define GC_QUOTA_WINDOW_S   60

/*
 * May UID, whose STORE it is, begin one more handshake with the VM called VM
 * (its moId) of the vCenter at URL?  GC_OK: it is written down in directory
 * PLACE (absolute; made if absent; ours alone, else GC_E_CONFIG), and counts as
 * under way until *RET_PASS, which is the caller's, is given to gc_quota_leave
 * or this process ends.  GC_E_BUSY: too many attempts, handshakes or tickets,
 * and which; or another process of UID's held the lock until DEADLINE.
 */
GC_MUST_USE gc_status gc_quota_enter(const char *place, struct gc_store *store,
                                     const char *url, uid_t uid, const char *vm,
                                     int64_t deadline, int *ret_pass,
                                     struct gc_error *err);

/* The handshake is over, and its ticket, if any, is in the store. */
void gc_quota_leave(int *pass);

#endif
