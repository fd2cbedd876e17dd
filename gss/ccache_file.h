/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's cache file, read once for many targets.
 *
 * libkrb5 reads a FILE: cache from end to end three times for each context,
 * which is slow with thousands of tickets.  Here it is read once, a small cache
 * in memory holds what one target needs, and new tickets are appended to the
 * file afterwards.
 */

#ifndef GC_GSS_CCACHE_FILE_H
#define GC_GSS_CCACHE_FILE_H

#include <sys/stat.h>

#include <krb5.h>

#include "gss/ccache.h"
#include "gss/spn.h"

#define GC_CCACHE_FILE_BUCKETS 256

/* Zero it before use. */
struct gc_ccache_file {
    krb5_context krb5; /* NULL: nothing has been read */
    char name[GC_PLACE_SIZE];
    struct stat state; /* of the file, when it was read */
    krb5_principal owner;
    struct gc_ccache_ticket *tickets[GC_CCACHE_FILE_BUCKETS]; /* secret */
};
void gc_ccache_file_clear(struct gc_ccache_file *file);

/*
 * Make FILE what the cache NAME (FILE:, DIR:, a path) holds; it is read only
 * where FILE is another one, or older.  False for every other kind of cache and
 * for a file that cannot be read: let libkrb5 open those, and say what is
 * wrong.
 */
bool gc_ccache_file_read(struct gc_ccache_file *file, const char *name);

/*
 * A cache in memory with what FILE has for TARGET: its tickets, the
 * ticket-granting ones, the owner's for itself, and the settings.
 */
GC_MUST_USE gc_status gc_ccache_file_select(const struct gc_ccache_file *file,
                                            const struct gc_spn *target,
                                            struct gc_ccache *ret_cache,
                                            struct gc_error *err);

/*
 * Append what is new in CACHE, which _select made, to the user's file, if that
 * is still the same principal's.  Best effort: the next time KDCs are asked
 * again.
 */
void gc_ccache_file_append(struct gc_ccache_file *file,
                           const struct gc_ccache *cache);

#endif
