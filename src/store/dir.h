/* SPDX-License-Identifier: Apache-2.0 */
/*
 * DIR: a directory of our own, a file a blob.
 *
 * A file's time of modification is the time of the blob's last use, so that
 * using a ticket writes no file.
 */

#ifndef GC_SRC_STORE_DIR_H
#define GC_SRC_STORE_DIR_H

#include "src/store/blobs.h"

/* PATH is what follows "DIR:".  See gc_store_open. */
GC_MUST_USE gc_status gc_dir_open(const char *path, bool create,
                                  struct gc_blobs **ret_blobs,
                                  struct gc_error *err);

#endif
