/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow, numbers read whole, base64.  Memory that is not there ends
 * the simulator: it is a test program and has nobody to tell.
 */

#ifndef GC_LAB_TEXT_H
#define GC_LAB_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GC_COUNT(a)     (sizeof(a) / sizeof((a)[0]))
#define GC_PRINTF(f, a) __attribute__((format(printf, f, a)))

/* DATA is NUL-terminated once anything was added; LEN leaves the NUL out. */
struct gc_text {
    char *data;
    size_t len, size;
};

#define GC_TEXT __attribute__((cleanup(gc_text_clear))) struct gc_text

void gc_text_clear(struct gc_text *text); /* wipes and frees */
void gc_text_add(struct gc_text *text, const void *data, size_t len);
void gc_text_puts(struct gc_text *text, const char *string);
void gc_text_printf(struct gc_text *text, const char *format, ...)
    GC_PRINTF(2, 3);
/* "" instead of NULL for one that never grew. */
const char *gc_text_string(const struct gc_text *text);

/* Zeroed memory and string copies that cannot fail. */
void *gc_text_grab(size_t count, size_t size);
char *gc_text_dup(const char *string);
/* Free STRING, which may be NULL, after wiping it. */
void gc_text_free(char *string);
/* Copy SOURCE into TO; false (and TO untouched) if it does not fit. */
bool gc_text_copy(char *to, size_t size, const char *source);

/* The whole of STRING as a number; false for anything else. */
bool gc_text_int64(const char *string, int64_t *ret);
bool gc_text_seconds(const char *string, double *ret);

/* Random bytes from the kernel. */
void gc_text_random(void *data, size_t len);
/* Strict both ways: padding is required, line breaks are refused. */
void gc_text_base64(const void *data, size_t len, struct gc_text *out);
bool gc_text_unbase64(const char *string, struct gc_text *out);

/* Read a file of at most LIMIT bytes; false with errno set. */
bool gc_text_read_file(const char *path, size_t limit, struct gc_text *out);

#endif
