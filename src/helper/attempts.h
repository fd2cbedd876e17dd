/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one user attempted of late, as the text of one small file.  Knows no
 * directory and no lock, and not how much is too much: that is quota's.
 */

#ifndef GC_SRC_HELPER_ATTEMPTS_H
#define GC_SRC_HELPER_ATTEMPTS_H

#include <stddef.h>
#include <stdint.h>

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/process.h"
#include "src/store/store.h"
#include "src/ticket.h"

#define GC_ATTEMPTS_MAX      256
#define GC_ATTEMPTS_TEXT_MAX (512 * 1024)

/* Flat, no secret. */
struct gc_attempt {
    char id[33];
    char url[GC_URL_SIZE]; /* the vCenter's */
    char vm[GC_TICKET_VM_SIZE];
    int64_t time;              /* epoch seconds; never negative */
    struct gc_process process; /* whose handshake it is */
    bool done;                 /* and it is over */
};

/* The text of COUNT ATTEMPTS.  GC_E_BUSY: they are too many for one. */
GC_MUST_USE gc_status gc_attempts_write(const struct gc_attempt *attempts,
                                        size_t count, struct gc_bytes *ret_text,
                                        struct gc_error *err);

/*
 * And back, into ATTEMPTS, which has room for GC_ATTEMPTS_MAX.  TEXT is as
 * hostile as any: GC_E_PROTOCOL says what is wrong with it, and RET_COUNT is as
 * it was.
 */
GC_MUST_USE gc_status gc_attempts_read(const struct gc_bytes *text,
                                       struct gc_attempt *attempts,
                                       size_t *ret_count, struct gc_error *err);

#endif
