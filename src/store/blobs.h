/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door between records and the places that keep them: named pieces of
 * secret text, each whole or not there, with the time of its last use.
 *
 * A place knows nothing of what the text says.  Inside src/store/ only.
 */

#ifndef GC_SRC_STORE_BLOBS_H
#define GC_SRC_STORE_BLOBS_H

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/store/skip.h"
#include "src/store/store.h"

struct gc_blobs;

/*
 * each    VISIT every blob whose name starts with PREFIX and ends with SUFFIX:
 *         its id, time and text, all borrowed for the call.  What may not be
 *         read, and what VISIT answers with GC_E_PROTOCOL, is skipped and said;
 *         any other error stops.  VISIT removes nothing.
 * named   a blob's id is the name that it was put under, known beforehand.
 * put     keep TEXT under NAME, which is new; RET_ID is what to call it by.
 *         DURABLE: it is to outlast a power cut, if the place does.
 * touch   set the time.  GC_E_NOT_FOUND.
 * remove  absent is GC_OK.
 * has     is ID there, or can that not be told?
 * lock    keep other processes from putting; GC_E_BUSY at DEADLINE.
 * adopt   whatever a dead process left unnamed: VISIT it as each does, after
 *         which it has its name (GC_OK) or is removed (GC_E_PROTOCOL).  Under
 *         the lock.  NULL where nothing can be left.
 */
struct gc_blobs_ops {
    bool named;
    gc_status (*each)(struct gc_blobs *, const char *prefix, const char *suffix,
                      gc_status (*visit)(void *user, const char *id,
                                         int64_t time,
                                         const struct gc_bytes *text,
                                         struct gc_error *err),
                      void *user, struct gc_error *err);
    gc_status (*put)(struct gc_blobs *, const char *name,
                     const struct gc_bytes *text, int64_t time, bool durable,
                     char ret_id[GC_STORE_ID_SIZE], struct gc_error *err);
    gc_status (*touch)(struct gc_blobs *, const char *id, int64_t time,
                       struct gc_error *err);
    gc_status (*remove)(struct gc_blobs *, const char *id,
                        struct gc_error *err);
    bool (*has)(struct gc_blobs *, const char *id);
    gc_status (*lock)(struct gc_blobs *, int64_t deadline,
                      struct gc_error *err);
    void (*unlock)(struct gc_blobs *);
    gc_status (*adopt)(struct gc_blobs *, const char *suffix,
                       gc_status (*visit)(void *user, const char *id,
                                          int64_t time,
                                          const struct gc_bytes *text,
                                          struct gc_error *err),
                       void *user, struct gc_error *err);
    void (*free)(struct gc_blobs *);
};

/* Places embed this as their first member. */
struct gc_blobs {
    const struct gc_blobs_ops *ops;
    struct gc_skip skip;
};

#endif
