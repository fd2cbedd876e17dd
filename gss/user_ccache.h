/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The user's own cache, and no other.
 *
 * libkrb5 opens whatever has the right name: a file that another user has put
 * there, a pipe, a link.  Here the file is checked first and copied from the
 * same descriptor, so that nothing can be put in its place.
 */

#ifndef GC_GSS_USER_CCACHE_H
#define GC_GSS_USER_CCACHE_H

#include "gss/ccache.h"
#include "gss/initiator.h"
#include "src/base/base.h"

#define GC_USER_CCACHE_MAX 1048576 /* bytes of a file */

/*
 * The cache that PLACE names ("": libkrb5's default for this uid), if it is the
 * effective user's: its full name in RET_NAME, and, for a file, a copy of it in
 * RET_COPY.  RET_COPY is left empty for KCM: and the persistent and user
 * keyrings, whose keeper checks the owner: open those by RET_NAME.
 *
 * A file (FILE:, a bare path, DIR:: for one of a collection) must be regular
 * and no link, owned by the effective user, writable by no other, and at most
 * GC_USER_CCACHE_MAX bytes long.  Anything else, and every other kind of cache:
 * GC_E_NO_CREDENTIAL, without blocking.
 */
GC_MUST_USE gc_status gc_user_ccache_take(const char *place,
                                          struct gc_ccache *ret_copy,
                                          char ret_name[GC_PLACE_SIZE],
                                          struct gc_error *err);

#endif
