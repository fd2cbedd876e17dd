/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's SSPI acceptor, played by GSS-API with that guest's keytab.  The
 * only GSS of the simulator; knows no JSON, no tickets and no policy.
 */

#ifndef GC_LAB_ACCEPTOR_H
#define GC_LAB_ACCEPTOR_H

#include <stdbool.h>

#include "tests/lab/text.h"

struct gc_acceptor;   /* a guest's credential */
struct gc_acceptance; /* one handshake with it */

enum gc_verdict {
    GC_VERDICT_ACCEPTED,
    GC_VERDICT_CONTINUE,
    GC_VERDICT_REFUSED
};

struct gc_peer {
    char name[512];     /* who it is, as GSS displays it */
    char mechanism[16]; /* kerberos, ntlm, ... */
};

/* NULL if the keytab cannot be used; the reason goes to the error stream. */
struct gc_acceptor *gc_acceptor_new(const char *keytab, bool kerberos,
                                    bool ntlm);
void gc_acceptor_free(struct gc_acceptor *acceptor);

/*
 * One leg.  *ACCEPTANCE is NULL before the first.  OUT gets the token for the
 * initiator, which may come with any verdict; PEER is set when accepted.
 */
enum gc_verdict gc_acceptor_leg(const struct gc_acceptor *acceptor,
                                struct gc_acceptance **acceptance,
                                const struct gc_text *token,
                                struct gc_text *out, struct gc_peer *peer);
void gc_acceptor_end(struct gc_acceptance *acceptance);

#endif
