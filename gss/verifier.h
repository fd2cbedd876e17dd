/* SPDX-License-Identifier: Apache-2.0 */
/*
 * AcceptSecurityContext for host/THISHOST: whose token is this, really?
 *
 * The principal in a cache is only a claim (its owner can write any name
 * there), and a guest's ticket proves nothing here; a token that the host's own
 * key decrypts is proof.  Only this file opens a keytab to accept with.  Makes
 * no request.
 */

#ifndef GC_GSS_VERIFIER_H
#define GC_GSS_VERIFIER_H

#include "gss/initiator.h"
#include "src/base/base.h"
#include "src/base/bytes.h"

struct gc_verified {
    char principal[GC_PRINCIPAL_SIZE]; /* in full, with its realm */
    char target[GC_TARGET_SIZE];       /* whose key proved it, likewise */
};

/*
 * Is TOKEN, the first and only one of a plain Kerberos initiator, a proof for
 * TARGET ("host/thishost.example.com[@REALM]"; without a realm the default
 * one)?  KEYTAB: its path, or "" for libkrb5's default.  Everything but a raw
 * Kerberos token is refused unread: SPNEGO, NTLM, Microsoft's old OID.
 *
 * GC_E_DENIED: TOKEN proves no principal.  GC_E_CONFIG: this host cannot prove
 * anything (no keytab, no key of TARGET in it, TARGET that is none).
 * GC_E_INTERNAL: a name that cannot be kept whole, or no replay cache.
 *
 * A token counts once.  Seen ones are kept in RCACHE ("file2:/…", in a
 * directory of the caller's own), whatever the environment says.  "": in
 * libkrb5's default one, where sshd and others note theirs, and which anybody
 * may have planted first in /var/tmp: then nothing is proved to anybody.
 *
 * Leaves nothing behind but that; may block on local files alone.  Call it in a
 * process that may read KEYTAB and does nothing else: with that key anybody can
 * be forged.
 */
GC_MUST_USE gc_status gc_verifier_check(const char *keytab, const char *target,
                                        const char *rcache,
                                        const struct gc_bytes *token,
                                        struct gc_verified *ret_verified,
                                        struct gc_error *err);

/*
 * Which TARGET, "host/NAME@REALM", a token for this host is to be made for: of
 * KEYTAB's host keys the one whose name is gethostname()'s (case aside), else
 * the first that continues its short form with a dot, else the first of all.
 * GC_E_CONFIG: no keytab, or no host key in it.  Asks no DNS.
 */
GC_MUST_USE gc_status gc_verifier_target(const char *keytab,
                                         char ret_target[GC_TARGET_SIZE],
                                         struct gc_error *err);

#endif
