/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's own store, /run/guestcred/UID/RANDOM, written by a process with
 * the user's ids (P19).
 *
 * That process is forked before any secret of root's is read, and waits.  Root
 * never reads what is in the store.
 */

#ifndef GC_SRC_SHELF_H
#define GC_SRC_SHELF_H

#include "src/base/child.h"
#include "src/store/store.h"

/* Below it a directory a user, and in that one a login. */
#define GC_SHELF_RUN "/run/guestcred"

/* Zero it before use. */
struct gc_shelf {
    struct gc_child child;
    char name[96]; /* "DIR:/run/guestcred/1500/…" */
};
void gc_shelf_clear(struct gc_shelf *shelf);

/* Make RUN, root's and for all to pass through, where it is missing. */
GC_MUST_USE gc_status gc_shelf_prepare(const char *run, struct gc_error *err);

/*
 * Make RUN and RUN/UID where they are missing, and start the process that will
 * have a store of its own there.  GC_E_CONFIG: not places of root's and AS's.
 */
GC_MUST_USE gc_status gc_shelf_open(const char *run,
                                    const struct gc_child_as *as,
                                    struct gc_shelf *ret_shelf,
                                    struct gc_error *err);

/* Put RECORD there; its id is set. */
GC_MUST_USE gc_status gc_shelf_put(struct gc_shelf *shelf,
                                   struct gc_record *record, int64_t deadline,
                                   struct gc_error *err);

/* Take it away with all that is in it, by the process that filled it. */
GC_MUST_USE gc_status gc_shelf_wipe(struct gc_shelf *shelf, int64_t deadline,
                                    struct gc_error *err);

/*
 * Take the store called NAME away with all that is in it.  GC_E_NOT_FOUND: NAME
 * is none of AS's below RUN, or gone.
 */
GC_MUST_USE gc_status gc_shelf_remove(const char *run,
                                      const struct gc_child_as *as,
                                      const char *name, int64_t deadline,
                                      struct gc_error *err);

#endif
