/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whom to tell of a record that is skipped, one line each.  The line is safe to
 * print, whatever the file or key was called.
 */

#ifndef GC_SRC_STORE_SKIP_H
#define GC_SRC_STORE_SKIP_H

#include "src/base/base.h"

struct gc_skip {
    void (*fn)(void *user, const char *line); /* NULL: nobody */
    void *user;
};

/* Say that NAME is skipped, and why.  SKIP may be NULL. */
void gc_skip_say(const struct gc_skip *skip, const char *name, const char *why);

#endif
