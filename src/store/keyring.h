/* SPDX-License-Identifier: Apache-2.0 */
/*
 * KEYRING: a keyring of the kernel's, a key a blob.
 *
 * The keyring and its keys are made in the thread's own keyring, closed to all
 * but who possesses them, and only then moved to their place; a move that
 * refuses to displace what is there is also the lock.  A key's text starts with
 * the time of its last use, and its id with its serial number, by which it can
 * be asked for from outside its session.  What store.h says of such a store's
 * life and limits is the kernel's doing.
 */

#ifndef GC_SRC_STORE_KEYRING_H
#define GC_SRC_STORE_KEYRING_H

#include "src/store/blobs.h"

/* RESIDUAL is what follows "KEYRING:".  See gc_store_open. */
GC_MUST_USE gc_status gc_keyring_open(const char *residual, bool create,
                                      struct gc_blobs **ret_blobs,
                                      struct gc_error *err);

/* Is there a key with this id, be it out of our reach? */
bool gc_keyring_keeps(const char *id);

#endif
