/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements that only tell something: numbers for tests to compare, lists for
 * people to read.
 */

#ifndef GC_LAB_QUERY_H
#define GC_LAB_QUERY_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/text.h"
#include "tests/lab/world.h"

bool gc_query_do(struct gc_world *world, char *const *words, size_t count,
                 struct gc_text *out);

#endif
