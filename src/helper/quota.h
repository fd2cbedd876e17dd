/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How much one user may do to one guest (P11), because a guest has room for few
 * tickets, and its domain locks accounts: so many live tickets, so many
 * handshakes at once, so many attempts a minute.
 *
 * What was attempted stands in one small file a uid, in a directory a uid, with
 * a lock a uid, so that nobody waits for another; the lock is held while that
 * file is read and written, and no longer.  What is live the ledger knows.
 */

#ifndef GC_SRC_HELPER_QUOTA_H
#define GC_SRC_HELPER_QUOTA_H

#include <stdint.h>
#include <sys/types.h>

#include "src/base/base.h"
#include "src/ledger.h"

#define GC_QUOTA_TICKETS 4
/* Of which nobody knows whether they left a ticket: more, because four bad
 * moments of a guest's must not keep its administrator out for a day. */
#define GC_QUOTA_LOST       12
#define GC_QUOTA_HANDSHAKES 2
#define GC_QUOTA_ATTEMPTS   10 /* in GC_QUOTA_WINDOW_S */
#define GC_QUOTA_WINDOW_S   60 /* and GC_ATTEMPTS_MAX, in whatever VM */
/* No handshake takes longer, whoever says that its process still lives. */
#define GC_QUOTA_LONGEST_S 3600

/* What was let through; flat, holds nothing. */
struct gc_quota_pass {
    uid_t uid;
    char id[33];
};

/*
 * May UID, whose LEDGER it is, begin one more handshake with the VM called VM
 * (its moId) of the vCenter at URL?  GC_OK: it is written down in directory
 * PLACE (absolute; made if absent; ours alone, else GC_E_CONFIG) for this
 * process, and RET_PASS is to be given back; a process that dies without is
 * forgotten, but its attempt is not.  GC_E_BUSY: too many attempts, handshakes
 * or tickets, and which; or another process of UID's held the lock until
 * DEADLINE.  Nothing was asked of the guest then, and nothing is counted.
 *
 * A file that cannot be read says nothing about the last minute, so it counts
 * as full until it is a minute old, and is then begun anew.
 */
GC_MUST_USE gc_status gc_quota_enter(const char *place,
                                     struct gc_ledger *ledger, const char *url,
                                     uid_t uid, const char *vm,
                                     int64_t deadline,
                                     struct gc_quota_pass *ret_pass,
                                     struct gc_error *err);

/*
 * The handshake is over, and the ledger has its ticket if there is one.  Waits
 * for the lock a moment only: where it cannot be had, the end of this process
 * says the same.
 */
void gc_quota_leave(const char *place, const struct gc_quota_pass *pass);

#endif
