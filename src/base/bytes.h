/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Owned secret bytes that wipe themselves.
 *
 * Passwords, tokens, tickets, session ids, and every body that carries one,
 * live in a gc_bytes and nowhere else.  Growth is new + copy + wipe, never
 * realloc.  DATA is always followed by a NUL that LEN does not count, so that
 * text can be read as a string; bytes may hold NULs of their own.
 */

#ifndef GC_SRC_BASE_BYTES_H
#define GC_SRC_BASE_BYTES_H

#include "src/base/base.h"

struct gc_bytes {
    unsigned char *data; /* NULL when empty and never filled */
    size_t len;
    size_t cap; /* allocated, all of it wiped on clear */
};

/* Wipe and free what B holds; B is empty afterwards and may be used again. */
void gc_bytes_clear(struct gc_bytes *b);

/* Replace B's contents with a copy of LEN bytes.  GC_E_NO_MEMORY. */
GC_MUST_USE gc_status gc_bytes_set(struct gc_bytes *b, const void *data,
                                   size_t len, struct gc_error *err);

/* Append LEN bytes; beyond MAX in all it is GC_E_PROTOCOL and B is unchanged.
 */
GC_MUST_USE gc_status gc_bytes_append(struct gc_bytes *b, const void *data,
                                      size_t len, size_t max,
                                      struct gc_error *err);

/* Make room for CAP bytes in all (and the NUL), keeping what is there. */
GC_MUST_USE gc_status gc_bytes_reserve(struct gc_bytes *b, size_t cap,
                                       struct gc_error *err);

/* Replace *DST, wiping what it held; SRC is left empty. */
void gc_bytes_move(struct gc_bytes *dst, struct gc_bytes *src);

/* The same bytes?  Not in constant time. */
bool gc_bytes_equal(const struct gc_bytes *a, const struct gc_bytes *b);

/* B as a NUL-terminated string, never NULL.  Borrowed from B. */
const char *gc_bytes_text(const struct gc_bytes *b);

/* GC_AUTO_TEXT text = ...; frees it when its scope ends. */
#define GC_AUTO_TEXT __attribute__((cleanup(gc_text_free))) char *
void gc_text_free(char **text);

#endif
