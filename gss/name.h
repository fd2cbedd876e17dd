/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GSS-API names: into the library, and out of it as counted text.
 */

#ifndef GC_GSS_NAME_H
#define GC_GSS_NAME_H

#include <gssapi/gssapi.h>

#include "gss/initiator.h"
#include "gss/spn.h"
#include "src/base/base.h"

struct gc_name {
    gss_name_t handle;
};

void gc_name_clear(struct gc_name *name);

/*
 * Who we are to MECH: "alice@EXAMPLE.COM" for Kerberos (a missing realm is the
 * default one), "DOM\alice" or "alice@DOM" for NTLM.  GC_E_CONFIG for a form
 * that the mechanism would misread.
 */
GC_MUST_USE gc_status gc_name_import_user(const char *text, gc_mech mech,
                                          struct gc_name *ret_name,
                                          struct gc_error *err);

/* Whom we speak to. */
GC_MUST_USE gc_status gc_name_import_target(const struct gc_spn *spn,
                                            gc_mech mech,
                                            struct gc_name *ret_name,
                                            struct gc_error *err);

/*
 * NAME as MECH writes it in full.  GC_E_INTERNAL for a name that does not fit,
 * or has a NUL in it: a cut name would be another one.
 */
GC_MUST_USE gc_status gc_name_print(const struct gc_name *name, gc_mech mech,
                                    char dst[GC_PRINCIPAL_SIZE],
                                    struct gc_error *err);

#endif
