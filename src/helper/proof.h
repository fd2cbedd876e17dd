/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is it, really?  From a worker's credential to a principal that this host
 * has verified, and that is the account (P2, P3, P7).
 *
 * Two children do it: the verifier, which alone opens the host's keytab, and
 * one with the account's ids, which maps.  Knows no vCenter and no guest.
 */

#ifndef GC_SRC_HELPER_PROOF_H
#define GC_SRC_HELPER_PROOF_H

#include "gss/initiator.h"
#include "src/helper/request.h"

/*
 * Is WANT's credential the account's?  WORKER makes a token of it for this
 * host, a verifier accepts that, and the name which comes of it maps to the
 * account and is the one that require_principal= wants.  RET_PRINCIPAL is that
 * name.  With proof=guest nobody verifies, and the credential's own name is
 * mapped: the guest's word will have to do; the token is then for WANT's
 * target.  WORKER has begun when this returns GC_OK, and can be exported.
 *
 * GC_E_DENIED: proves nobody, and then ERRAND's SUSPECT is set, or somebody
 * else.  What WORKER fails with is passed on.
 */
GC_MUST_USE gc_status gc_proof(struct gc_request *request,
                               struct gc_initiator *worker,
                               const struct gc_want *want,
                               char ret_principal[GC_PRINCIPAL_SIZE],
                               struct gc_error *err);

/* The mapping alone: is PRINCIPAL, as somebody else proved it, the account? */
GC_MUST_USE gc_status gc_proof_map(struct gc_request *request,
                                   const char *principal, struct gc_error *err);

/*
 * Whose password it is: principal=, require_principal= or the account.
 * GC_E_DENIED for an account that could not be told from another principal.
 */
GC_MUST_USE gc_status gc_proof_name(const struct gc_request *request,
                                    char ret_principal[GC_PRINCIPAL_SIZE],
                                    struct gc_error *err);

#endif
