/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AcquireCredentialsHandle: a credential for exactly the mechanism and the
 * principal that will be used, or an error.  Never another one that is merely
 * available.
 */

#ifndef GC_GSS_CREDENTIAL_H
#define GC_GSS_CREDENTIAL_H

#include <stdbool.h>

#include <gssapi/gssapi.h>

#include "gss/ccache.h"
#include "gss/ccache_file.h"
#include "gss/initiator.h"
#include "src/base/base.h"

/* Zero it before use. */
struct gc_credential {
    gss_cred_id_t handle;
    gss_cred_id_t plain; /* beside SPNEGO's, the same for Kerberos alone */
    gc_mech mech;        /* to initiate with, no other */
    bool stands_in; /* on behalf of PRINCIPAL: the tickets are a service's */
    char principal[GC_PRINCIPAL_SIZE]; /* whose it is, in full */
    int64_t expires;                   /* epoch seconds, or INT64_MAX */
    struct gc_ccache cache;            /* where HANDLE lives, if ours */
    bool selected;                     /* CACHE has a part of a user's file */
};

/* Release the credential, and whatever was fetched for it alone. */
void gc_credential_clear(struct gc_credential *credential);

/*
 * The credential that WANT describes, valid now and checked by name.  May ask
 * the KDC (keytab, password, on behalf of) and block as long as libkrb5 does.
 * FILE holds what was read of a user's cache before, and then what is read now;
 * the credential then serves WANT's target only.  The user's caches are read,
 * never written.
 */
GC_MUST_USE gc_status gc_credential_acquire(
    const struct gc_want *want, struct gc_ccache_file *file,
    struct gc_credential *ret_credential, struct gc_error *err);

/*
 * Whose credential would that be?  A principal that WANT names is returned
 * unchecked.  Otherwise the credential is looked up: RET_CREDENTIAL, for
 * Kerberos itself where WANT says negotiate.
 */
GC_MUST_USE gc_status gc_credential_who(const struct gc_want *want,
                                        struct gc_ccache_file *file,
                                        struct gc_credential *ret_credential,
                                        char ret_principal[GC_PRINCIPAL_SIZE],
                                        struct gc_error *err);

#endif
