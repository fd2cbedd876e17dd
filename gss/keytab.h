/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a keytab yielded no credential.
 *
 * GSS-API does not say: it goes on to look for a cache, and complains about
 * that.  Says what the file is and whose keys it has; never shows a key.
 */

#ifndef GC_GSS_KEYTAB_H
#define GC_GSS_KEYTAB_H

#include "src/base/base.h"

/*
 * Look at KEYTAB ("" = MIT's default client keytab), and in it for PRINCIPAL
 * ("" = anyone).  GC_E_NO_CREDENTIAL: it is not there, cannot be read, is no
 * keytab, or has no key of PRINCIPAL; the sentence begins with "it".  GC_OK:
 * nothing of the kind was found.
 */
GC_MUST_USE gc_status gc_keytab_examine(const char *keytab,
                                        const char *principal,
                                        struct gc_error *err);

#endif
