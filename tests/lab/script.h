/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The simulator's language: one statement a line, in files and on the control
 * socket alike.
 */

#ifndef GC_LAB_SCRIPT_H
#define GC_LAB_SCRIPT_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/text.h"
#include "tests/lab/world.h"

/* Do one statement.  OUT gets what it prints, or a sentence if it fails. */
bool gc_script_do(struct gc_world *world, char *const *words, size_t count,
                  struct gc_text *out);
/* Do all of a file.  WHY begins with FILE:LINE. */
bool gc_script_file(struct gc_world *world, const char *path,
                    struct gc_text *why);

/* What "reset" goes back to: SETUP (may be NULL) is done anew, then ESXI. */
void gc_script_set_setup(const char *setup, bool esxi);
bool gc_script_reset(struct gc_world *world, struct gc_text *why);

#endif
