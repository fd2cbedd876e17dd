/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8: what is a character, and what may be printed.
 */

#ifndef GC_SRC_BASE_UTF8_H
#define GC_SRC_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes has the character at S (LEFT, not 0)?  0: it is none. */
size_t gc_utf8_length(const unsigned char *s, size_t left);
/*
 * The same for one that looks like itself in a log: printable ASCII, or a
 * letter of a script in the table; nothing invisible, nothing that turns the
 * direction of the text beside it.
 */
size_t gc_utf8_printable(const unsigned char *s, size_t left);
/* Is TEXT (LEN bytes) UTF-8 from end to end? */
bool gc_utf8_is(const char *text, size_t len);
/* How many of LEN bytes are the byte order mark that TEXT begins with: 3 or 0.
 */
size_t gc_utf8_mark(const char *text, size_t len);

#endif
