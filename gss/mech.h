/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The mechanisms we speak: our word, its GSS OID, in one table.
 */

#ifndef GC_GSS_MECH_H
#define GC_GSS_MECH_H

#include <stdbool.h>

#include <gssapi/gssapi.h>

#include "gss/initiator.h"

/* The OID to acquire and initiate with (SPNEGO's for negotiate). Static. */
gss_OID gc_mech_oid(gc_mech mech);

/*
 * The mechanism that OID names, as facts report it: SPNEGO's inner one.  False
 * for an unknown OID.
 */
bool gc_mech_from_oid(gss_const_OID oid, gc_mech *ret_mech);

#endif
