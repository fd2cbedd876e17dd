/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Kerberos cache of our own: in memory, under a unique name, and destroyed
 * with what is in it.  For tickets that must not reach the user's cache.
 * GSS-API can open a cache and cannot destroy one, hence libkrb5.
 */

#ifndef GC_GSS_CCACHE_H
#define GC_GSS_CCACHE_H

#include <krb5.h>

#include "gss/initiator.h"
#include "src/base/base.h"
#include "src/base/bytes.h"

struct gc_ccache {
    krb5_context krb5;
    krb5_ccache cache;
    char *name; /* "MEMORY:…", as a credential store takes it; libkrb5's */
};

/* Release every credential that uses it first: they would find it empty. */
void gc_ccache_clear(struct gc_ccache *cache);

/* Replace *DST, clearing what it was; SRC is left empty. */
void gc_ccache_move(struct gc_ccache *dst, struct gc_ccache *src);

GC_MUST_USE gc_status gc_ccache_new(struct gc_ccache *ret_cache,
                                    struct gc_error *err);

/* The same with what BYTES, a cache file's, hold; libkrb5's code or errno. */
krb5_error_code gc_ccache_load(const struct gc_bytes *bytes,
                               struct gc_ccache *ret_cache);

/* Is it a ticket that others are got with, krbtgt/REALM? */
bool gc_ccache_is_tgt(krb5_const_principal server);

/*
 * The name of libkrb5's default cache for this uid and environment; in a
 * collection, of the cache that PRINCIPAL has there ("": the first).  It may
 * not exist.  GC_E_NO_CREDENTIAL for an endless name, GC_E_CONFIG where
 * krb5.conf cannot be read.
 */
GC_MUST_USE gc_status gc_ccache_default_name(const char *principal,
                                             char ret_name[GC_PLACE_SIZE],
                                             struct gc_error *err);

#endif
