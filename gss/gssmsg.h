/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What GSS-API said, as one plain sentence and a status to act upon.
 *
 * Owns the only gss_display_status in the tree.
 */

#ifndef GC_GSS_GSSMSG_H
#define GC_GSS_GSSMSG_H

#include <gssapi/gssapi.h>

#include "src/base/base.h"

/*
 * The outcome of one GSS-API call, for the mechanism that made it:
 *     v.major = gss_something(&v.minor, ...);
 */
struct gc_verdict {
    OM_uint32 major;
    OM_uint32 minor;
    gss_OID mech; /* borrowed; GSS_C_NO_OID: the library itself */
};

/* Fail with STATUS: the sentence of FMT, then what GSS-API has to say. */
gc_status gc_gssmsg_fail(struct gc_error *err, gc_status status,
                         const struct gc_verdict *verdict, const char *fmt, ...)
    GC_PRINTF(4, 5);

/*
 * The same where it was our own credential, cache or KDC that failed: the
 * status and the hint follow from the codes, FALLBACK (without a hint) is for
 * unknown codes.  Not for a failure that a peer's token caused: a guest must
 * not be able to choose the status.
 */
gc_status gc_gssmsg_judge(struct gc_error *err, gc_status fallback,
                          const struct gc_verdict *verdict, const char *fmt,
                          ...) GC_PRINTF(4, 5);

#endif
