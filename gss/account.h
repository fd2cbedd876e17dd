/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Principals and accounts of this host, as krb5.conf has them.
 *
 * auth_to_local counts; .k5login is never read: it is the user's to write, and
 * may be a pipe.  Reads local files alone, but leaves that to libkrb5 and its
 * plugins: call it in a child that can be killed and has the account's ids.
 */

#ifndef GC_GSS_ACCOUNT_H
#define GC_GSS_ACCOUNT_H

#include "gss/initiator.h"
#include "src/base/base.h"

/*
 * Does PRINCIPAL (one that was proved, in full, as GSS-API displays it) map to
 * the local ACCOUNT, by its whole name?  GC_OK: yes.  GC_E_DENIED: no, or one
 * of the two is no name to be trusted (control characters, blanks, backslashes,
 * '%').  GC_E_CONFIG: krb5.conf cannot be read.
 */
GC_MUST_USE gc_status gc_account_map(const char *principal, const char *account,
                                     struct gc_error *err);

#endif
