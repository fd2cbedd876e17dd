/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keys of the kernel's: made for us alone, found by name, their errors told in
 * words.  Knows nothing of what they hold.  Inside src/store/ only.
 */

#ifndef GC_SRC_STORE_KEYS_H
#define GC_SRC_STORE_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include <keyutils.h>

#include "src/base/base.h"

/* Bits of a key's mode that let in more than who possesses it. */
#define GC_KEYS_OTHERS_MAY (KEY_USR_ALL | KEY_GRP_ALL | KEY_OTH_ALL)

/*
 * Fill ERR from errno value ERROR: no room (with the quota in numbers), or
 * keyrings that a kernel or sandbox forbids; and that there is DIR:.
 */
gc_status gc_keys_fail(struct gc_error *err, const char *what, int error);

/* "type;uid;gid;mode;description", taken apart. */
struct gc_key_described {
    char text[512];
    const char *type; /* within text */
    const char *name; /* within text */
    unsigned long uid;
    unsigned long mode;
};

/* What the kernel says of KEY; on false errno says why not. */
bool gc_keys_describe(key_serial_t key, struct gc_key_described *ret_described);

/* The serial numbers that RING holds; free them. */
GC_MUST_USE gc_status gc_keys_list(key_serial_t ring,
                                   key_serial_t **ret_serials,
                                   size_t *ret_count, struct gc_error *err);

/* The key of that TYPE and NAME in RING itself, not below.  GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_keys_find(key_serial_t ring, const char *type,
                                   const char *name, key_serial_t *ret_key,
                                   struct gc_key_described *ret_described,
                                   struct gc_error *err);

/*
 * A key that only its possessor may use, in this thread's own keyring, where it
 * waits to be placed (in RING, if no other has its type and name there) or
 * dropped.  On failure errno says why; after place, EEXIST among others.
 */
key_serial_t gc_keys_prepare(const char *type, const char *name,
                             const void *data, size_t len);
bool gc_keys_place(key_serial_t key, key_serial_t ring);
void gc_keys_drop(key_serial_t key); /* leaves errno alone */

/* All of it: prepare and place, or drop.  -1: errno. */
key_serial_t gc_keys_make(key_serial_t ring, const char *type, const char *name,
                          const void *data, size_t len);

/*
 * The keyring that ANCHOR (LEN bytes: session, user, persistent) means, so that
 * this process possesses what is under it.
 */
GC_MUST_USE gc_status gc_keys_anchor(const char *anchor, size_t len,
                                     key_serial_t *ret_ring,
                                     struct gc_error *err);

#endif
