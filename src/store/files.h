/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Directories that are ours alone, and small files in them.
 *
 * Everything goes through the directory's descriptor, follows no symbolic link,
 * and is checked (owner, mode, kind, links) on the descriptor that is then
 * used.  Knows nothing of what the files say; how whole ones are written is
 * atomic's.
 */

#ifndef GC_SRC_STORE_FILES_H
#define GC_SRC_STORE_FILES_H

#include <sys/types.h>

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/store/skip.h"

#define GC_FILES_NAME_MAX 120 /* a temporary name adds to it */

#define GC_FILES_CREATE  1u /* make the last component, 0700 */
#define GC_FILES_PARENTS 2u /* and whatever is missing above it, 0700 */

/*
 * Open the directory PATH (absolute), which must be the effective user's own
 * and closed to everybody else.  Links are followed above the last component.
 * GC_E_NOT_FOUND: absent, and not to be made.  GC_E_CONFIG: not a place for us.
 */
GC_MUST_USE gc_status gc_files_open(const char *path, unsigned flags,
                                    int *ret_dir, struct gc_error *err);

/*
 * The same for PATH/UID, what is UID's in a place of ours: both must be ours
 * alone.  PARENTS is for what is above PATH.
 */
GC_MUST_USE gc_status gc_files_open_for(const char *path, uid_t uid,
                                        unsigned flags, int *ret_dir,
                                        struct gc_error *err);

/*
 * Call VISIT for each name in DIR that starts with PREFIX and ends with SUFFIX,
 * for the first MAX of them; *RET_MORE says that there were more.  Stops with
 * VISIT's error.  VISIT may remove and rename.
 */
GC_MUST_USE gc_status gc_files_each(
    int dir, const char *prefix, const char *suffix, size_t max,
    gc_status (*visit)(void *user, const char *name, struct gc_error *err),
    void *user, bool *ret_more, struct gc_error *err);

/*
 * Read the file NAME, MAX bytes at most, into BUFFER (replaced; its memory is
 * used again).  GC_E_PROTOCOL: nothing that we may read, and why: skip it.
 * GC_E_NOT_FOUND: gone.
 */
GC_MUST_USE gc_status gc_files_read(int dir, const char *name, size_t max,
                                    struct gc_bytes *buffer, int64_t *ret_mtime,
                                    struct gc_error *err);

/*
 * Put TEXT at the end of the file NAME, which must be one of ours and no larger
 * than MAX with it, and see that it stays.  After an error the file is as it
 * was; if this process is killed, an end of TEXT may be missing.
 * GC_E_PROTOCOL, GC_E_NOT_FOUND: nothing that may be added to.  GC_E_FAILED: no
 * room.
 */
GC_MUST_USE gc_status gc_files_append(int dir, const char *name,
                                      const struct gc_bytes *text, size_t max,
                                      struct gc_error *err);

/* All of TEXT to the descriptor FILE, or an error. */
GC_MUST_USE gc_status gc_files_write(int file, const struct gc_bytes *text,
                                     struct gc_error *err);

/*
 * May a file have SIZE bytes?  RLIMIT_FSIZE is looked at beforehand, because
 * SIGXFSZ would end the process and its disposition is not a library's.
 */
GC_MUST_USE gc_status gc_files_fits(size_t size, struct gc_error *err);

/* Set NAME's time of modification.  GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_files_touch(int dir, const char *name, int64_t mtime,
                                     struct gc_error *err);

/* Absent is GC_OK. */
GC_MUST_USE gc_status gc_files_remove(int dir, const char *name,
                                      struct gc_error *err);

/* Sixteen random bytes as hexadecimal digits. */
GC_MUST_USE gc_status gc_files_random(char ret_text[33], struct gc_error *err);

/* May NAME be one of our files?  Letters, digits, ".", "-", "_", no dot first.
 */
bool gc_files_name_ok(const char *name);

/* Fill ERR from errno value ERROR: "WHAT: why"; what is to be done about it. */
gc_status gc_files_fail(struct gc_error *err, const char *what, int error);

#endif
