/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out: the only room that sees cJSON.
 *
 * Reading starts with a strict pass of our own, because cJSON takes `01`, raw
 * newlines, bad UTF-8 and duplicate keys, cuts strings at NUL and nests to
 * 1,000; numbers keep the digits they were written with.  Knows nothing of what
 * the JSON says.
 */

#ifndef GC_SRC_JSON_H
#define GC_SRC_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/base.h"
#include "src/base/bytes.h"

#define GC_JSON_DEPTH_MAX 32
#define GC_JSON_TEXT_MAX  (1024 * 1024)
/* "-9223372036854775808" and a NUL */
#define GC_JSON_INT64_SIZE 21

/*
 * A node.  The root owns the tree and is freed with gc_json_free, which wipes
 * every string in it; all other pointers are borrowed from the root.
 */
struct gc_json;

void gc_json_free(struct gc_json *root);
GC_DEFINE_FREEP(gc_json)

/*
 * Parse LEN bytes, which must be one JSON value and white space.  GC_E_PROTOCOL
 * with position and reason for anything RFC 8259 forbids, and for: \u0000,
 * lone surrogates, a key twice in one object, depth over GC_JSON_DEPTH_MAX,
 * more than GC_JSON_TEXT_MAX bytes.  The error quotes nothing of the input.
 * GC_E_NO_MEMORY may leave unwiped copies behind in cJSON's hands.
 */
GC_MUST_USE gc_status gc_json_parse(const void *text, size_t len,
                                    struct gc_json **ret_root,
                                    struct gc_error *err);

/*
 * Find, in text that need not be whole or well-formed, the value of the first
 * complete, not empty string member called KEY.  For one purpose: a ticket
 * inside a reply that we refuse must still be released.  False when there is
 * none.  Looks at GC_JSON_TEXT_MAX bytes at most.
 */
bool gc_json_salvage(const void *text, size_t len, const char *key,
                     struct gc_bytes *ret_value);

/*
 * Typed getters.  NODE may be NULL (then so is the answer), KEY is matched case
 * and all.  A member of another type is as absent; _is_null tells apart.
 */
const struct gc_json *gc_json_get(const struct gc_json *node, const char *key);
const char *gc_json_string(const struct gc_json *node, const char *key);
bool gc_json_bool(const struct gc_json *node, const char *key, bool *ret_value);

/*
 * A JSON integer within int64, as the digits it was written with (so that it
 * is echoed exactly).  False for anything else: absent, string, fraction,
 * exponent, "-0", out of range.
 */
bool gc_json_int64(const struct gc_json *node, const char *key,
                   char ret_digits[GC_JSON_INT64_SIZE]);

bool gc_json_is_object(const struct gc_json *node);
bool gc_json_is_array(const struct gc_json *node);
bool gc_json_is_null(const struct gc_json *node);
/* NODE itself as a string, or NULL. */
const char *gc_json_text(const struct gc_json *node);
/* Elements of an array or members of an object, in order. */
const struct gc_json *gc_json_first(const struct gc_json *node);
const struct gc_json *gc_json_next(const struct gc_json *node);
/* The key under which NODE stands in its object, or NULL. */
const char *gc_json_key(const struct gc_json *node);

/*
 * Building.  Every call takes a PARENT that may be NULL and then does nothing,
 * and returns NULL when memory is out, so that a chain is checked once at the
 * end by gc_json_print.  Adding to an array: KEY is NULL.  What makes no sense
 * (a NULL value, a key in an array, digits that are none) fails there too.
 * After a failed call, PARENT is good for nothing but printing and freeing.
 */
struct gc_json *gc_json_new_object(void);
struct gc_json *gc_json_new_array(void);
struct gc_json *gc_json_add_object(struct gc_json *parent, const char *key);
struct gc_json *gc_json_add_array(struct gc_json *parent, const char *key);
struct gc_json *gc_json_add_string(struct gc_json *parent, const char *key,
                                   const char *value);
struct gc_json *gc_json_add_bool(struct gc_json *parent, const char *key,
                                 bool value);
struct gc_json *gc_json_add_int(struct gc_json *parent, const char *key,
                                int64_t value);
/* DIGITS as gc_json_int64 gave them. */
struct gc_json *gc_json_add_digits(struct gc_json *parent, const char *key,
                                   const char *digits);
/* A deep copy of NODE under PARENT. */
struct gc_json *gc_json_add_copy(struct gc_json *parent, const char *key,
                                 const struct gc_json *node);

/*
 * Print ROOT without white space into RET_TEXT (wiping type, replaced).
 * GC_E_NO_MEMORY also when building ROOT ran out of memory on the way or ROOT
 * is NULL, GC_E_CONFIG for text that is not UTF-8, GC_E_INTERNAL where ROOT was
 * built wrongly or goes deeper than GC_JSON_DEPTH_MAX.
 */
GC_MUST_USE gc_status gc_json_print(const struct gc_json *root,
                                    struct gc_bytes *ret_text,
                                    struct gc_error *err);

#endif
