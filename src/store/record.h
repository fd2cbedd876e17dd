/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A record as text and back: what a store's file or key says.
 *
 * The text is JSON, {"version":1,"url":…,…} with a ticket's members, or with a
 * vCenter session's.  Text from a store is as hostile as text from the wire.
 * Knows no place to keep it.  Inside src/store/ only.
 */

#ifndef GC_SRC_STORE_RECORD_H
#define GC_SRC_STORE_RECORD_H

#include "src/store/store.h"

/* "id" and "used" are not in the text. */
GC_MUST_USE gc_status gc_record_write(const struct gc_record *record,
                                      struct gc_bytes *ret_text,
                                      struct gc_error *err);
/* GC_E_PROTOCOL says what is wrong, and quotes nothing. */
GC_MUST_USE gc_status gc_record_read(const struct gc_bytes *text,
                                     struct gc_record *ret_record,
                                     struct gc_error *err);

struct gc_session_record {
    char url[GC_URL_SIZE];
    char username[512];
    struct gc_session_facts facts;
    struct gc_bytes id; /* secret; may be empty */
};
void gc_session_record_clear(struct gc_session_record *record);

GC_MUST_USE gc_status
gc_session_record_write(const struct gc_session_record *record,
                        struct gc_bytes *ret_text, struct gc_error *err);
GC_MUST_USE gc_status gc_session_record_read(
    const struct gc_bytes *text, struct gc_session_record *ret_record,
    struct gc_error *err);

#endif
