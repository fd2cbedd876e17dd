/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A login's tickets for its user: copies of entries, which root writes and
 * removes and the user reads as a store (GC_STORE_LOGIN).
 *
 *   /run/guestcred/UID/RANDOM       root's, and readable for UID alone by ACL
 *   /run/guestcred/UID/RANDOM/ID    the same
 *
 * For the effective user, who is root.
 */

#ifndef GC_SRC_TICKETS_COPIES_H
#define GC_SRC_TICKETS_COPIES_H

#include "src/tickets/dir.h"
#include "src/tickets/entry.h"

#define GC_COPIES_RUN       "/run/guestcred"
#define GC_COPIES_PATH_SIZE 96

/* Is PATH one that gc_copies_open makes? */
bool gc_copies_path_is(const char *path);

/*
 * Make a directory for a login of UID's, and what is missing above it.  Its
 * path is RET_DIR's.  GC_E_CONFIG: what is there is not root's alone, or has no
 * ACLs.
 */
GC_MUST_USE gc_status gc_copies_open(uid_t uid, struct gc_dir *ret_dir,
                                     struct gc_error *err);
/* Put a copy of ENTRY, whose uid is the reader's, there. */
GC_MUST_USE gc_status gc_copies_put(struct gc_dir *dir,
                                    const struct gc_entry *entry,
                                    struct gc_error *err);
/* Remove the directory PATH with all that is in it.  Absent is fine. */
void gc_copies_remove(const char *path);

/*
 * Remove those whose login's host process is dead, or that were never filled.
 */
void gc_copies_tidy(void);

#endif
