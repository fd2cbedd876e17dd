/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Proves a worker's credential: turns it into a principal that this host has
 * verified (a forged KDC could have issued the credential) and that maps to the
 * account.
 *
 * Two children do it.  Only the verifier opens the host's keytab, so that the
 * user's process never holds its key; one with the account's ids maps.  Knows
 * no vCenter and no guest.
 */

#ifndef GC_SRC_HELPER_PROOF_H
#define GC_SRC_HELPER_PROOF_H

#include "gss/initiator.h"
#include "src/helper/request.h"

/*
 * Is WANT's credential the account's?  WORKER makes a token for this host, the
 * verifier accepts it, and RET_PRINCIPAL, the verified name, must map to the
 * account and satisfy require_principal=.  With proof=guest this host verifies
 * nothing: the credential's own name is mapped, the token is for WANT's target,
 * and the guest decides.  On GC_OK WORKER has begun, and can be exported.
 *
 * GC_E_DENIED: the credential is not valid (REQUEST's SUSPECT is set), or it is
 * another user's.  WORKER's errors are passed on.
 */
GC_MUST_USE gc_status gc_proof(struct gc_request *request,
                               struct gc_initiator *worker,
                               const struct gc_want *want,
                               char ret_principal[GC_PRINCIPAL_SIZE],
                               struct gc_error *err);

/* Only the mapping: is PRINCIPAL, which was proved elsewhere, the account's? */
GC_MUST_USE gc_status gc_proof_map(struct gc_request *request,
                                   const char *principal, struct gc_error *err);

/*
 * The principal that the password belongs to: from principal=,
 * require_principal= or the account.  GC_E_DENIED: the account's name is
 * ambiguous as a principal.
 */
GC_MUST_USE gc_status gc_proof_name(const struct gc_request *request,
                                    char ret_principal[GC_PRINCIPAL_SIZE],
                                    struct gc_error *err);

#endif
