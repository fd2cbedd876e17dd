/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords and tickets from files, standard input and the terminal, straight
 * into bytes that wipe themselves.
 */

#ifndef GC_SRC_CLI_SECRET_H
#define GC_SRC_CLI_SECRET_H

#include <stdbool.h>
#include <stdint.h>

#include "gss/base.h"
#include "gss/bytes.h"

/* How long is waited for a pipe's writer, or for somebody to type. */
struct gc_secret_patience {
    int64_t deadline; /* then GC_E_UNAVAILABLE; see gss/clock.h */
    int cancel_fd;    /* readable: GC_E_CANCELED */
};

/*
 * Read all of PATH ("-": standard input), at most MAX bytes.  A regular file
 * must belong to us or root; with PRIVATE nobody else may be able to read it.
 * Other files (a pipe, say) are taken as they are.  GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_secret_read(const char *path, bool private, size_t max,
                                     const struct gc_secret_patience *patience,
                                     struct gc_bytes *ret_bytes,
                                     struct gc_error *err);

/*
 * A password from PATH: private, one trailing newline dropped, neither empty
 * nor MAX bytes long nor with a NUL inside.
 */
GC_MUST_USE gc_status gc_secret_password(
    const char *path, size_t max, const struct gc_secret_patience *patience,
    struct gc_bytes *ret_password, struct gc_error *err);

/* Ask on the controlling terminal, without echo.  GC_E_CONFIG without one. */
GC_MUST_USE gc_status gc_secret_prompt(
    const char *prompt, size_t max, const struct gc_secret_patience *patience,
    struct gc_bytes *ret_password, struct gc_error *err);

#endif
