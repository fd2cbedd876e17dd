/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user's cache file, read once for many targets.
 *
 * libkrb5 reads a FILE: cache from end to end three times for each context,
 * with two locks a ticket.  Here the file is read as bytes, of which only the
 * lengths are looked at; a small file of what one target needs is what libkrb5
 * gets to see.  New tickets are appended to the user's file afterwards.
 */

#ifndef GC_GSS_CCACHE_FILE_H
#define GC_GSS_CCACHE_FILE_H

#include <sys/stat.h>

#include <krb5.h>

#include "gss/ccache.h"
#include "gss/spn.h"
#include "src/base/bytes.h"

#define GC_CCACHE_FILE_MAX 67108864 /* bytes; libkrb5 reads longer ones */

/* Zero it before use. */
struct gc_ccache_file {
    krb5_context krb5;
    char name[GC_PLACE_SIZE];
    struct stat state;     /* of the file, when it was read */
    struct gc_bytes bytes; /* secret */
    size_t head;           /* how many of them come before the first ticket */
    struct gc_ccache_record *records;
    size_t count;
    struct gc_bytes selected; /* secret: the small file of the last target */
};
void gc_ccache_file_clear(struct gc_ccache_file *file);

/*
 * Make FILE what the cache NAME (FILE:, DIR:, a path) holds; it is read only
 * where FILE holds another one, or is older.  False for every other kind of
 * cache and for a file that is not as libkrb5 writes it: let libkrb5 open
 * those, and say what is wrong.
 */
bool gc_ccache_file_read(struct gc_ccache_file *file, const char *name);

/* Find the tickets in FILE's bytes, which may be hostile. */
bool gc_ccache_file_parse(struct gc_ccache_file *file);

/*
 * A cache in memory with what FILE has for TARGET: its tickets, the
 * ticket-granting ones, the owner's for itself, and the settings.  False: let
 * libkrb5 open the file.
 */
bool gc_ccache_file_select(struct gc_ccache_file *file,
                           const struct gc_spn *target,
                           struct gc_ccache *ret_cache);

/*
 * Append what is new in CACHE, which _select made last, to the user's file, if
 * that is still the same principal's.  Best effort: the next time KDCs are
 * asked again.
 */
void gc_ccache_file_append(const struct gc_ccache_file *file,
                           const struct gc_ccache *cache);

#endif
