/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords and tickets from files, standard input and the terminal, straight
 * into bytes that wipe themselves.
 */

#ifndef GC_SRC_CLI_SECRET_H
#define GC_SRC_CLI_SECRET_H

#include "gss/base.h"
#include "gss/bytes.h"

/*
 * Read all of PATH ("-": standard input), at most MAX bytes.  A regular file
 * must belong to us or root; with PRIVATE nobody else may be able to read it.
 * Other files (a pipe, say) are taken as they are.  GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_secret_read(const char *path, bool private, size_t max,
                                     int cancel_fd, struct gc_bytes *ret_bytes,
                                     struct gc_error *err);

/*
 * A password from PATH: private, one trailing newline dropped, neither empty
 * nor MAX bytes long nor with a NUL inside.
 */
GC_MUST_USE gc_status gc_secret_password(const char *path, size_t max,
                                         int cancel_fd,
                                         struct gc_bytes *ret_password,
                                         struct gc_error *err);

/* Ask on the controlling terminal, without echo.  GC_E_CONFIG without one. */
GC_MUST_USE gc_status gc_secret_prompt(const char *prompt, size_t max,
                                       int cancel_fd,
                                       struct gc_bytes *ret_password,
                                       struct gc_error *err);

#endif
