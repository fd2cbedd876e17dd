/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The places that credentials come from: MIT's credential store, its keys and
 * its traps, and what to tell the user about each place.
 */

#ifndef GC_GSS_SOURCE_H
#define GC_GSS_SOURCE_H

#include <gssapi/gssapi.h>

#include "gss/ccache.h"
#include "gss/gssmsg.h"
#include "gss/initiator.h"
#include "gss/name.h"
#include "src/base/base.h"

/* The set of MECH alone. */
gss_OID_set_desc gc_source_only(gc_mech mech);

/*
 * NAME's credential (or, without a name, the one that is there) for exactly
 * MECH, from the place that WANT names; OWN, where it is one, replaces the
 * user's cache.  Neither name nor lifetime has been checked yet.
 */
GC_MUST_USE gc_status gc_source_acquire(const struct gc_want *want,
                                        const struct gc_name *name,
                                        gc_mech mech,
                                        const struct gc_ccache *own,
                                        gss_cred_id_t *ret_handle,
                                        struct gc_error *err);

/* The same with WANT's password.  Never for GC_MECH_NEGOTIATE. */
GC_MUST_USE gc_status gc_source_acquire_password(const struct gc_want *want,
                                                 const struct gc_name *name,
                                                 gc_mech mech,
                                                 gss_cred_id_t *ret_handle,
                                                 struct gc_error *err);

/* Put what CREDENTIAL holds into CACHE. */
GC_MUST_USE gc_status gc_source_store(gss_cred_id_t handle,
                                      const struct gc_ccache *cache,
                                      struct gc_error *err);

/* NTLM has no place of its own but this one. */
#define GC_SOURCE_NTLM_HINT                                                    \
    "NTLM takes a principal and its password, or reads NTLM_USER_FILE"

/* "the keytab", for a sentence; and what its owner can do about it. */
const char *gc_source_what(const struct gc_want *want);
const char *gc_source_hint(const struct gc_want *want);

/* Fail with GSS-API's VERDICT on the place that WANT names. */
gc_status gc_source_refuse(const struct gc_want *want,
                           const struct gc_verdict *verdict,
                           struct gc_error *err);

#endif
