/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small files that are whole or not there, whoever is killed when.
 *
 * A file is written under a temporary name that says which process writes it,
 * so that what a dead one left can be told from what a live one is about to
 * name.  Directories come from files; knows nothing of what is written.
 */

#ifndef GC_SRC_STORE_ATOMIC_H
#define GC_SRC_STORE_ATOMIC_H

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/store/skip.h"

#define GC_ATOMIC_LOCK_MS 3000 /* for who knows no deadline */

/*
 * Write TEXT as the file NAME, 0600 and with MTIME, in place of what was there;
 * DURABLE: file and name are on disk when this returns GC_OK.  After an error
 * the directory is as it was.  GC_E_FAILED: no room.  GC_E_CONFIG: not
 * writable.
 */
GC_MUST_USE gc_status gc_atomic_write(int dir, const char *name,
                                      const struct gc_bytes *text,
                                      int64_t mtime, bool durable,
                                      struct gc_error *err);

/*
 * Take DIR's lock, which other processes and threads respect.  GC_E_BUSY at
 * DEADLINE.  A process that dies gives it up.
 */
GC_MUST_USE gc_status gc_atomic_lock(int dir, int64_t deadline, int *ret_lock,
                                     struct gc_error *err);
void gc_atomic_unlock(int lock);

typedef enum {
    GC_LEFTOVER_NAME,   /* it is whole: give it its name */
    GC_LEFTOVER_REMOVE, /* it is of no use */
    GC_LEFTOVER_LEAVE,  /* cannot tell: another time */
} gc_leftover;

/*
 * Show JUDGE what dead processes of this machine and pid namespace left unnamed
 * (MAX bytes at most): the NAME it was meant for, whether something is called
 * that, and its TEXT; do as it says.
 */
GC_MUST_USE gc_status gc_atomic_adopt(
    int dir, size_t max, const struct gc_skip *skip,
    gc_leftover (*judge)(void *user, const char *name, bool taken,
                         const struct gc_bytes *text, int64_t mtime),
    void *user, struct gc_error *err);

#endif
