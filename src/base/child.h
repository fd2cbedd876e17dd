/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A forked child with one socket to its owner: how it is born, as whom, and how
 * it ends.  Links libc and nothing else; what it does is its caller's concern.
 */

#ifndef GC_SRC_BASE_CHILD_H
#define GC_SRC_BASE_CHILD_H

#include <sys/types.h>

#include "src/base/base.h"

/*
 * Whom a child becomes.  Its only group is its account's primary one: it opens
 * only the user's own files, and asking for the other groups, as initgroups
 * does, may take a directory server seconds.
 */
struct gc_child_as {
    uid_t uid;
    gid_t gid;
};

/*
 * The ids of the account USER.  GC_E_NOT_FOUND where there is no account of
 * exactly this name (a directory may find Alice for alice); GC_E_FAILED where
 * the accounts cannot be read.  Asks NSS, hence perhaps the network; not
 * thread-safe.
 */
GC_MUST_USE gc_status gc_child_as_user(const char *user,
                                       struct gc_child_as *ret_as,
                                       struct gc_error *err);

/* The same for the account whose id is UID. */
GC_MUST_USE gc_status gc_child_as_uid(uid_t uid, struct gc_child_as *ret_as,
                                      struct gc_error *err);

/* Zero it before use: no child. */
struct gc_child {
    pid_t pid; /* 0: no child */
    int pidfd; /* -1 also where the kernel has none */
    int socket;
};

/*
 * Fork now (before any secret is read: a fork carries the owner's memory) and
 * call RUN in the child, with its end of a SOCK_SEQPACKET pair; the other end
 * is RET_CHILD's.  When RUN returns the child _exits with 0.
 *
 * The child holds no descriptor but its socket and 0-2, runs none of the
 * owner's signal handlers, ignores the signals that a terminal sends to its
 * process group (the owner decides), leaves no core, cannot be traced, and dies
 * with its owner, or more exactly with the thread that made it.
 *
 * AS, where not NULL: the user that it has become for good when RUN is called,
 * without exec, with no capability and no session keyring of the owner's.  Only
 * root can do that.  GC_E_INTERNAL for uid 0, for invalid ids, or where there
 * are no more processes or descriptors to be had.
 *
 * A child that cannot become all that never calls RUN: it exits with 1, and its
 * owner sees that the socket has ended.  To be ended by gc_child_end.
 */
GC_MUST_USE gc_status gc_child_start(const struct gc_child_as *as,
                                     void (*run)(int socket, void *user),
                                     void *user, struct gc_child *ret_child,
                                     struct gc_error *err);

/* Hang up, kill, reap: one that does not end within a second is left behind.
 * Any number of times. */
void gc_child_end(struct gc_child *child);

/* For GC_AUTO. */
static inline void
gc_child_clear(struct gc_child *child)
{
    gc_child_end(child);
}

#endif
