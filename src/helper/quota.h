/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much one user may do to one guest, because a guest has room for few
 * tickets, and its domain locks accounts: so many live tickets, so many
 * handshakes at once, so many attempts a minute.
 *
 * An attempt is an empty file in a directory of that user's: its time is when
 * it was made, and it is locked while its handshake is under way.  What lives
 * in the guest the ticket store knows.
 */

#ifndef GC_SRC_HELPER_QUOTA_H
#define GC_SRC_HELPER_QUOTA_H

#include <sys/types.h>

#include "src/tickets/store.h"

#define GC_QUOTA_TICKETS 4
/* Of which it is not known whether they left a ticket: more, because four bad
 * moments of a guest's must not keep its administrator out for a day. */
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

/* The handshake is over, and the store has its ticket if there is one. */
void gc_quota_leave(int *pass);

#endif
