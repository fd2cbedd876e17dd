/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket: statements from outside while the simulator runs.
 */

#ifndef GC_LAB_CONTROL_H
#define GC_LAB_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/text.h"
#include "tests/lab/world.h"

/* Listen at PATH, mode 0600; false with a sentence in WHY. */
bool gc_control_open(struct gc_world *world, const char *path,
                     struct gc_text *why);
void gc_control_close(void);

/* The other side: have WORDS done at PATH, print the answer, exit status. */
int gc_control_ask(const char *path, char *const *words, size_t count);

#endif
