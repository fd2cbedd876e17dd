/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One table of fields for each kind of record of our own, and one text form:
 *
 *   guestcred 1 KIND
 *   name=value
 *   end
 *
 * The files of the ticket store have this form, and so has what the PAM module
 * and its helper say to each other.  Links libc and nothing else.
 */

#ifndef GC_SRC_BASE_FIELDS_H
#define GC_SRC_BASE_FIELDS_H

#include "src/base/bytes.h"

typedef enum {
    GC_FIELD_TEXT,   /* char[size]: UTF-8, no NUL; empty is not written */
    GC_FIELD_STRING, /* char[size]: any bytes but NUL */
    GC_FIELD_NUMBER, /* int64_t: decimal, canonical; 0 is not written */
    GC_FIELD_FLAG,   /* bool: "yes"; false is not written */
    GC_FIELD_WORD,   /* an enum of 4 bytes: WORDS' text at that place */
    GC_FIELD_BYTES,  /* struct gc_bytes of at most SIZE bytes, maybe secret */
} gc_field_kind;

struct gc_field {
    const char *name;
    gc_field_kind kind;
    size_t at;                /* offset of the member in the record */
    size_t size;              /* of the member; BYTES: the most that is taken */
    const char *const *words; /* WORD: ends with NULL */
};

/* AT and SIZE of a member of struct type. */
#define GC_FIELD_AT(type, member)                                              \
    offsetof(struct type, member), sizeof(((struct type *)NULL)->member)

/*
 * Write RECORD's COUNT FIELDS as a record of KIND ("entry").  Values are one
 * line each: control characters, backslashes and bytes that are no UTF-8 come
 * out as \xNN.  RET_TEXT may hold secrets.  GC_E_NO_MEMORY; GC_E_INTERNAL for a
 * member that is not what its field says.
 */
GC_MUST_USE gc_status gc_fields_write(const char *kind,
                                      const struct gc_field *fields,
                                      size_t count, const void *record,
                                      struct gc_bytes *ret_text,
                                      struct gc_error *err);

/*
 * Read TEXT, which is hostile, into RECORD.  What is absent becomes empty, 0,
 * false or the first word.  GC_E_PROTOCOL, with the line's number and without
 * its value: another kind or version, an unknown or repeated name, a value that
 * cannot be, anything after "end" or no "end".  Then RECORD is only to be
 * cleared.
 */
GC_MUST_USE gc_status gc_fields_read(const char *kind,
                                     const struct gc_field *fields,
                                     size_t count, const struct gc_bytes *text,
                                     void *record, struct gc_error *err);

#endif
