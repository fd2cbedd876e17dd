/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Principals and accounts of this host, as krb5.conf has them.
 *
 * auth_to_local counts; .k5login is never read: it is the user's to write, and
 * may be a pipe.  Reads only local files, but through libkrb5 and its plugins,
 * which may block: call it in a child that can be killed and has the account's
 * ids.
 */

#ifndef GC_GSS_ACCOUNT_H
#define GC_GSS_ACCOUNT_H

#include "src/base/base.h"

/*
 * Does PRINCIPAL (one that was proved, in full, as GSS-API displays it) map to
 * the local ACCOUNT, by its whole name, a domain in it included?  GC_OK: yes.
 * GC_E_DENIED: no, or one of the two cannot be trusted as a name (control
 * characters, blanks, '%'; a backslash in PRINCIPAL, '/' in ACCOUNT).
 * GC_E_CONFIG: krb5.conf cannot be read.
 */
GC_MUST_USE gc_status gc_account_map(const char *principal, const char *account,
                                     struct gc_error *err);

#endif
