/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents: cJSON's trees with a strict reader and a writer of our own.
 * Numbers are kept as the digits that were written (cJSON_Raw), because a
 * sessionID does not survive a double.
 */

#ifndef GC_LAB_DOC_H
#define GC_LAB_DOC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cjson/cJSON.h>

#include "tests/lab/text.h"

#define GC_DOC __attribute__((cleanup(gc_doc_clear))) cJSON *

/* Delete *DOC, wiping its strings. */
void gc_doc_clear(cJSON **doc);

/*
 * Strict: one value, UTF-8, no duplicate member, no U+0000, at most 32 deep,
 * nothing behind it.  NULL, with *RET_WHY a fixed sentence, if it is not that.
 */
cJSON *gc_doc_parse(const char *text, size_t len, const char **ret_why);

struct gc_doc_style {
    bool pretty;   /* line breaks and blanks wherever JSON allows them */
    bool escapes;  /* \/ for every slash, \u00xx for + = " and the like */
    bool reversed; /* members last to first */
};

void gc_doc_print(const cJSON *doc, const struct gc_doc_style *style,
                  struct gc_text *out);

cJSON *gc_doc_object(const char *type_name); /* with _typeName, if not NULL */
cJSON *gc_doc_moref(const char *type, const char *value);
void gc_doc_add(cJSON *object, const char *name, cJSON *take_value);
void gc_doc_add_string(cJSON *object, const char *name, const char *value);
void gc_doc_add_bool(cJSON *object, const char *name, bool value);
void gc_doc_add_int(cJSON *object, const char *name, int64_t value);
/* Put VALUE in NAME's place, or at the end. */
void gc_doc_put(cJSON *object, const char *name, cJSON *take_value);
/* A value written down as it is, JSON or not. */
cJSON *gc_doc_raw(const char *text);

const cJSON *gc_doc_get(const cJSON *object, const char *name);
/* The string member NAME, borrowed; NULL if it is missing or no string. */
const char *gc_doc_string(const cJSON *object, const char *name);
/* Only an integer without fraction or exponent that fits. */
bool gc_doc_int64(const cJSON *number, int64_t *ret);

#endif
