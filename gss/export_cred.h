/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tickets as bytes: from the process that got them with a password to one that
 * must not see the password.
 */

#ifndef GC_GSS_EXPORT_CRED_H
#define GC_GSS_EXPORT_CRED_H

#include "gss/ccache.h"
#include "gss/credential.h"
#include "src/base/base.h"
#include "src/base/bytes.h"

/*
 * CREDENTIAL's ticket-granting tickets as bytes (secret), without the password
 * or key that they were got with, and without the services' tickets that lie
 * beside them.  GC_E_NO_CREDENTIAL where there is none; GC_E_NOT_SUPPORTED for
 * NTLM, for a credential on behalf of somebody (what is behind it is the
 * service's), and for more than GC_TOKEN_MAX bytes.
 */
GC_MUST_USE gc_status gc_export_cred(const struct gc_credential *credential,
                                     struct gc_bytes *ret_bytes,
                                     struct gc_error *err);

/*
 * Put the tickets in BYTES, which may be hostile, into a cache of our own.  A
 * credential acquired from it is checked like any other.  GC_E_NO_CREDENTIAL
 * for anything else.
 */
GC_MUST_USE gc_status gc_import_cred(const struct gc_bytes *bytes,
                                     struct gc_ccache *ret_cache,
                                     struct gc_error *err);

#endif
