/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors: closing them, keeping them apart from the standard three, and
 * files that are read only where their owner and mode are trusted.  Links libc
 * and nothing else.
 */

#ifndef GC_SRC_BASE_DESCRIPTOR_H
#define GC_SRC_BASE_DESCRIPTOR_H

#include <sys/stat.h>
#include <unistd.h>

#include "src/base/bytes.h"
#include "src/base/clock.h"

/* GC_AUTO_FD fd = ...; closes fd when its scope ends, below 0 too. */
#define GC_AUTO_FD __attribute__((cleanup(gc_descriptor_close))) int
/* Close *FD, which becomes -1; below 0: nothing.  errno stays. */
void gc_descriptor_close(int *fd);

/* Close FIRST to LAST, whatever is open there.  Async-signal-safe. */
void gc_descriptor_close_range(unsigned int first, unsigned int last);

/*
 * Move FD, which is given away, above the standard three, so that nothing is
 * printed into it; close-on-exec.  Below 0: errno says why, or FD was below 0.
 */
GC_MUST_USE int gc_descriptor_lift(int fd);

/* A SOCK_SEQPACKET pair, both ends lifted: the caller's to close. */
GC_MUST_USE gc_status gc_descriptor_pair(int ret_pair[2], struct gc_error *err);

/*
 * Wait until FD has something to read, or has ended.  WHAT is for messages.
 * GC_E_UNAVAILABLE: LIMIT's deadline; GC_E_CANCELED; GC_E_INTERNAL.
 */
GC_MUST_USE gc_status gc_descriptor_await(int fd, struct gc_limit limit,
                                          const char *what,
                                          struct gc_error *err);

/* What a file must be before it is read. */
struct gc_trust {
    bool own;         /* it may be the effective user's ... */
    bool root;        /* ... or root's */
    mode_t forbidden; /* 022: others must not write it; 077: nor read it */
    size_t max;       /* bytes */
    bool needed;      /* absent: GC_E_CONFIG, not GC_E_NOT_FOUND */
};

/* Is INFO, of the open file NAME, a regular file as TRUST says?  GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_trusted_check(const char *name,
                                       const struct gc_trust *trust,
                                       const struct stat *info,
                                       struct gc_error *err);

/*
 * Open the file NAME for reading, relative to the directory DIR (or AT_FDCWD).
 * It must be a regular file as TRUST says and no symbolic link; all of this is
 * checked on RET_FD, which is the caller's to close.  Never waits for a fifo.
 * GC_E_NOT_FOUND: absent.  GC_E_CONFIG: "NAME: why not".  GC_E_INTERNAL: no
 * descriptors.  GC_E_NO_MEMORY.
 */
GC_MUST_USE gc_status gc_trusted_open(int dir, const char *name,
                                      const struct gc_trust *trust, int *ret_fd,
                                      struct stat *ret_info,
                                      struct gc_error *err);

/*
 * The same, and read all of it into TEXT (replaced; its memory is used again).
 * RET_INFO, which may be NULL, is from before reading.
 */
GC_MUST_USE gc_status gc_trusted_read(int dir, const char *name,
                                      const struct gc_trust *trust,
                                      struct gc_bytes *text,
                                      struct stat *ret_info,
                                      struct gc_error *err);

#endif
