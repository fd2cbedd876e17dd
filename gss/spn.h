/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Target names: "host/guest.example.com" as SSPI writes it, "HOST/…",
 * "host@guest…" as GSS-API writes it, each with or without "@REALM".
 *
 * Knows the grammar only, no GSS-API and no DNS.  The result is a Kerberos
 * principal name; a missing realm stays missing and means "ask the KDC"
 * (imported as "host/name@", see the note in context.c).
 */

#ifndef GC_GSS_SPN_H
#define GC_GSS_SPN_H

#include "gss/initiator.h"
#include "src/base/base.h"

struct gc_spn {
    char service[32]; /* lower case */
    char host[256];   /* as given, without a final dot */
    char realm[256];  /* "" = let the KDC decide */
};

/*
 * Take TEXT apart.  GC_E_CONFIG with a sentence for anything else: no service,
 * no host, control or white-space characters, a third component, too long.
 */
GC_MUST_USE gc_status gc_spn_parse(const char *text, struct gc_spn *ret_spn,
                                   struct gc_error *err);

/* "host/guest1.example.test" or "…@REALM", for people and records. */
void gc_spn_print(const struct gc_spn *spn, char dst[GC_TARGET_SIZE]);

/* The Kerberos principal to import: "host/guest1.example.test@[REALM]". */
void gc_spn_principal(const struct gc_spn *spn, char dst[GC_TARGET_SIZE]);

#endif
