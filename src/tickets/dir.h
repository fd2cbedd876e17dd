/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directory of a ticket store, its locks, and files in it that are written
 * whole.  Knows owners, modes and names; not what the files say.
 */

#ifndef GC_SRC_TICKETS_DIR_H
#define GC_SRC_TICKETS_DIR_H

#include <dirent.h>

#include "src/base/bytes.h"

#define GC_DIR_RANDOM_SIZE 33 /* 32 hexadecimal digits */
#define GC_DIR_TEMP_SIZE   (GC_DIR_RANDOM_SIZE + 4)

struct gc_dir {
    char *path;
    DIR *names; /* owns FD */
    int fd;
    bool roots; /* root's, and only read */
};

/*
 * Open PATH, which must be absolute and no symbolic link.  It must be the
 * effective user's (ROOTS: root's) and closed to others (ROOTS: for writing,
 * and to all but owner and group).  CREATE: make it and what is missing above
 * it. GC_E_NOT_FOUND, GC_E_CONFIG.  A RET_DIR of {0} may be closed, too.
 */
GC_MUST_USE gc_status gc_dir_open(const char *path, bool create, bool roots,
                                  struct gc_dir *ret_dir, struct gc_error *err);
void gc_dir_close(struct gc_dir *dir);

/* Every name in turn, after gc_dir_rewind; NULL at the end. */
void gc_dir_rewind(struct gc_dir *dir);
GC_MUST_USE gc_status gc_dir_next(struct gc_dir *dir, const char **ret_name,
                                  struct gc_error *err);

/*
 * Read the file NAME, at most MAX bytes, into TEXT, whose memory is used again.
 * GC_E_CONFIG: "NAME: why it is not to be read".  GC_E_NOT_FOUND.
 */
GC_MUST_USE gc_status gc_dir_read(struct gc_dir *dir, const char *name,
                                  size_t max, struct gc_bytes *text,
                                  struct gc_error *err);

/*
 * Write TEXT to a new file with a random name, RET_TEMP, and with SYNC to the
 * disk.  Not GC_OK: there is no such file.  GC_E_FAILED: no room.
 */
GC_MUST_USE gc_status gc_dir_write(struct gc_dir *dir,
                                   const struct gc_bytes *text, bool sync,
                                   char ret_temp[GC_DIR_TEMP_SIZE],
                                   struct gc_error *err);
/* Give it its name, in place of what had it. */
GC_MUST_USE gc_status gc_dir_rename(struct gc_dir *dir, const char *temp,
                                    const char *name, struct gc_error *err);
/* Or forget it. */
void gc_dir_discard(struct gc_dir *dir, const char *temp);
/* Names reach the disk, as far as that can be had. */
void gc_dir_sync(struct gc_dir *dir);

/* Absent is GC_OK. */
GC_MUST_USE gc_status gc_dir_remove(struct gc_dir *dir, const char *name,
                                    struct gc_error *err);
/*
 * Remove NAME if it is our file, torn or not, and was last written AGE seconds
 * ago or earlier.
 */
void gc_dir_remove_old(struct gc_dir *dir, const char *name, int64_t age);

GC_MUST_USE gc_status gc_dir_random(char ret_text[GC_DIR_RANDOM_SIZE],
                                    struct gc_error *err);

/*
 * Lock the file NAME, which is made and never removed.  *FD is that file, or -1
 * and becomes it; it is the caller's, and may be locked again.  Waits until
 * DEADLINE (GC_E_BUSY) or until CANCEL_FD, or -1, is readable (GC_E_CANCELED).
 * RET_WAITED: another process had it.
 */
GC_MUST_USE gc_status gc_dir_lock(struct gc_dir *dir, const char *name,
                                  int64_t deadline, int cancel_fd, int *fd,
                                  bool *ret_waited, struct gc_error *err);
void gc_dir_unlock(int fd);

#endif
