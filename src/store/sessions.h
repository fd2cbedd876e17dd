/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCenter sessions among the blobs of a store; the contracts are store.h's.
 * Inside src/store/ only.
 */

#ifndef GC_SRC_STORE_SESSIONS_H
#define GC_SRC_STORE_SESSIONS_H

#include "src/store/blobs.h"

GC_MUST_USE gc_status gc_sessions_put(struct gc_blobs *blobs, const char *url,
                                      const char *username,
                                      const struct gc_session_facts *facts,
                                      const struct gc_bytes *id,
                                      struct gc_error *err);
GC_MUST_USE gc_status gc_sessions_get(struct gc_blobs *blobs, const char *url,
                                      const char *username,
                                      struct gc_session_facts *ret_facts,
                                      struct gc_bytes *ret_id,
                                      struct gc_error *err);
GC_MUST_USE gc_status gc_sessions_forget(struct gc_blobs *blobs,
                                         const char *url, const char *username,
                                         struct gc_error *err);

#endif
