/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of our own small files, read strictly.  Knows no file, and not what
 * its members mean.
 */

#ifndef GC_SRC_FIELDS_H
#define GC_SRC_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "src/json.h"
#include "src/process.h"

/*
 * Copy the string KEY of OBJECT to DST, which has SIZE bytes.  False, and DST
 * is as it was, if it is absent or does not fit with its NUL.
 */
bool gc_field_text(const struct gc_json *object, const char *key, char *dst,
                   size_t size);

/* A whole number from 0 to MAX. */
bool gc_field_number(const struct gc_json *object, const char *key, int64_t max,
                     int64_t *ret_value);

/* A process as gc_process_print wrote it. */
bool gc_field_process(const struct gc_json *object, const char *key,
                      struct gc_process *ret_process);

#endif
