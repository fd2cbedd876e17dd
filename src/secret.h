/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords and tickets from files and standard input, straight into bytes that
 * wipe themselves.  Knows who may have written a file, not what it is for.
 */

#ifndef GC_SRC_SECRET_H
#define GC_SRC_SECRET_H

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/base/clock.h"

/*
 * Read all of PATH, at most MAX bytes, into RET_BYTES (secret, replaced).  "-"
 * is standard input; a pipe is fine.  A PRIVATE regular file must be the user's
 * or root's, and others must neither read nor write it: GC_E_CONFIG, checked on
 * the descriptor that is read.  LIMIT is how long is waited for a pipe's
 * writer: GC_E_UNAVAILABLE.
 */
GC_MUST_USE gc_status gc_secret_read(const char *path, bool private, size_t max,
                                     struct gc_limit limit,
                                     struct gc_bytes *ret_bytes,
                                     struct gc_error *err);

/*
 * A password (secret) from the private PATH: one trailing newline dropped,
 * neither empty nor MAX bytes long, with no NUL, carriage return, second line
 * or byte order mark.  GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_secret_password(const char *path, size_t max,
                                         struct gc_limit limit,
                                         struct gc_bytes *ret_password,
                                         struct gc_error *err);

/*
 * The pieces, for who has the descriptor open.  Read what FD has, up to SIZE
 * bytes, 0 at its end; waits, but not past LIMIT.  NAME is for messages.
 */
GC_MUST_USE gc_status gc_secret_read_some(int fd, struct gc_limit limit,
                                          const char *name, void *dst,
                                          size_t size, size_t *ret_len,
                                          struct gc_error *err);

/* What every password must be.  GC_E_CONFIG, without a byte of it. */
GC_MUST_USE gc_status gc_secret_check(const struct gc_bytes *password,
                                      const char *name, size_t max,
                                      struct gc_error *err);

/*
 * What one that goes into JSON must be beside that: UTF-8.  Kerberos takes any
 * bytes.  GC_E_CONFIG, without a byte of it.
 */
GC_MUST_USE gc_status gc_secret_check_text(const struct gc_bytes *password,
                                           const char *name,
                                           struct gc_error *err);

/* What every password must be, once one newline at its end was dropped. */
GC_MUST_USE gc_status gc_secret_tidy(struct gc_bytes *password,
                                     const char *name, size_t max,
                                     struct gc_error *err);

#endif
