/* SPDX-License-Identifier: Apache-2.0 */
/*
 * InitializeSecurityContext: one leg a call, and what was negotiated.
 *
 * The peer may end the exchange at any leg.  The rules for that are here, not
 * in the loop that carries the tokens.
 */

#ifndef GC_GSS_CONTEXT_H
#define GC_GSS_CONTEXT_H

#include <stdbool.h>

#include <gssapi/gssapi.h>

#include "gss/credential.h"
#include "gss/name.h"
#include "src/base/base.h"

/* Zero it before use. */
struct gc_context {
    gss_ctx_id_t handle;
    struct gc_name target;
    gc_mech mech;      /* as initiated */
    gc_mech inner;     /* as negotiated, as far as GSS-API said */
    OM_uint32 request; /* GSS_C_*_FLAG */
    OM_uint32 flags;   /* as granted so far */
    bool mutual;       /* the peer's proof has been seen */
    bool done;         /* GSS_S_COMPLETE */
    bool waved;        /* the one empty token has been sent */
};

/* Forget everything, at any time. */
void gc_context_clear(struct gc_context *context);

/*
 * Make the first token for TARGET with CREDENTIAL.  MUTUAL asks for DCE style,
 * whose AP-REP reaches us as a challenge, where a plain one would come with
 * the peer's success, too late to be carried.
 */
GC_MUST_USE gc_status gc_context_first(struct gc_context *context,
                                       const struct gc_credential *credential,
                                       const struct gc_spn *target, bool mutual,
                                       struct gc_said *ret_said,
                                       struct gc_error *err);

/*
 * Answer CHALLENGE.  After an error the context is gone.  The rules are those
 * of gc_initiator_ops' answer.
 */
GC_MUST_USE gc_status gc_context_next(struct gc_context *context,
                                      const struct gc_credential *credential,
                                      const struct gc_bytes *challenge,
                                      struct gc_said *ret_said,
                                      struct gc_error *err);

/* Fill MECH, MUTUAL and FLAGS of FACTS. */
void gc_context_facts(const struct gc_context *context, struct gc_facts *facts);

#endif
