/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this principal that account?  The only place where names are compared.
 *
 * Whole names, byte for byte: no prefix, no case folding, no aliases.  Knows
 * no GSS-API and asks nobody; a name that is to prove something must come from
 * an acceptor's verdict, for a name in a cache is only a claim.
 */

#ifndef GC_GSS_IDENTITY_H
#define GC_GSS_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>

/* Counted: a NUL inside a name is one more byte that must be equal. */
bool gc_identity_equal(const char *a, size_t a_len, const char *b,
                       size_t b_len);

/*
 * Does PRINCIPAL (as GSS-API displays it) map to the local ACCOUNT?  Yes
 * exactly when it is ACCOUNT@REALM, one component in REALM, the host's default
 * realm.  An ACCOUNT or REALM that is empty, or holds what a principal name
 * reads as structure ('/', '@', '\\'), matches nothing.
 */
bool gc_identity_matches(const char *principal, const char *account,
                         const char *realm);

#endif
