/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door of gss/: whoever plays InitializeSecurityContext, seen from outside.
 *
 * A few functions in a table.  Behind it stands a context in this process
 * (gc_initiator_local), one in a forked child that a deadline can kill
 * (gc_initiator_worker), or a test's script.  The caller carries tokens; it
 * never sees a GSS-API type.
 */

#ifndef GC_GSS_INITIATOR_H
#define GC_GSS_INITIATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/base.h"
#include "src/base/bytes.h"

typedef enum { GC_MECH_KERBEROS, GC_MECH_NEGOTIATE, GC_MECH_NTLM } gc_mech;

/* "kerberos", "negotiate" or "ntlm"; false for anything else, RET untouched. */
bool gc_mech_parse(const char *word, gc_mech *ret_mech);
const char *gc_mech_word(gc_mech mech);

/* Where the credential comes from (AcquireCredentialsHandle's business). */
typedef enum {
    GC_SOURCE_DEFAULT, /* the default cache; for NTLM the mechanism's own */
    GC_SOURCE_CCACHE,  /* the cache named in PLACE */
    GC_SOURCE_KEYTAB,  /* PLACE's key of PRINCIPAL, by way of a fresh TGT */
    GC_SOURCE_CLIENT_KEYTAB, /* the same through MIT's client keytab */
    GC_SOURCE_PASSWORD,      /* PRINCIPAL's PASSWORD */
    GC_SOURCE_OWN_CCACHE, /* the cache in PLACE ("" = the default one), if it is
                             the effective user's; a file is copied first */
    GC_SOURCE_LENT,       /* what was lent to this initiator; PLACE is unused */
} gc_source;

#define GC_TOKEN_MAX      45000 /* raw; the guest's request limit is 65,536 */
#define GC_PRINCIPAL_SIZE 512
#define GC_TARGET_SIZE    512
#define GC_PLACE_SIZE     1024
#define GC_PASSWORD_SIZE  512 /* PAM_MAX_RESP_SIZE */

/*
 * What is wanted.  Flat and pointer-free, so that it crosses a socket as it is.
 * Secret because of PASSWORD: declare it GC_AUTO.  Strings are NUL-terminated;
 * the receiver checks that they are.
 */
struct gc_want {
    int64_t deadline; /* absolute CLOCK_MONOTONIC milliseconds */
    gc_mech mech;
    gc_source source;
    bool mutual;                          /* DCE style inside SPNEGO */
    char target[GC_TARGET_SIZE];          /* a form gc_spn_parse takes */
    char principal[GC_PRINCIPAL_SIZE];    /* "" = the credential's own name */
    char on_behalf_of[GC_PRINCIPAL_SIZE]; /* S4U2Self + S4U2Proxy, or "" */
    char place[GC_PLACE_SIZE];            /* cache or keytab name, or "" */
    char password[GC_PASSWORD_SIZE];      /* secret */
};

/* Wipe all of W. */
void gc_want_clear(struct gc_want *w);

/*
 * Is W well-formed: every text ended, every choice one that there is, and no
 * two that exclude each other?  GC_E_INTERNAL or GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_want_check(const struct gc_want *w,
                                    struct gc_error *err);

/* What our side said: a token for the guest, and whether our side is done. */
struct gc_said {
    struct gc_bytes token; /* secret; may be empty only as "OK, no output" */
    bool done;             /* GSS_S_COMPLETE; proves nothing (decision 1) */
};

void gc_said_clear(struct gc_said *said);

/*
 * What was negotiated, as whom.  PRINCIPAL is the credential's name, taken
 * before the first leg; MUTUAL is true only where the guest's proof was seen.
 * Flat.
 */
struct gc_facts {
    gc_mech mech; /* what was negotiated: kerberos or ntlm, never negotiate
                     unless the context never said */
    bool mutual;
    uint32_t flags; /* GSS_C_*_FLAG as granted */
    char principal[GC_PRINCIPAL_SIZE];
    char target[GC_TARGET_SIZE]; /* "host/guest1.example.test[@REALM]" */
};

/*
 * who     the principal that facts would name for WANT, without asking the KDC
 *         where the credential or WANT already says it.  Nothing is begun.
 * begin   acquire WANT's credential, check it, make the first token.
 * answer  take the guest's CHALLENGE (raw bytes, may be empty) and make the
 *         next token.  Where GSS is done and has nothing to say the empty token
 *         is the answer, once; a second such challenge is GC_E_PROTOCOL, and so
 *         is an empty challenge while we wait, or one GSS cannot take.
 * facts   after begin succeeded.
 * end     forget context and credential.  Any number of times; then begin may
 *         follow again.  It may without: who and begin end what was before.
 * free    end, and free the initiator itself.
 *
 * After any error only end, begin and free are of use.  RET_* are written only
 * on success.  Statuses: GC_E_NO_CREDENTIAL, GC_E_DENIED (the KDC refuses the
 * credential), GC_E_UNAVAILABLE (KDC away, deadline), GC_E_CONFIG (a target or
 * name that is none), GC_E_PROTOCOL, GC_E_NOT_SUPPORTED (a token too large for
 * the guest, a mechanism that is not installed), GC_E_FAILED (the KDC said
 * something nobody knows), GC_E_NO_MEMORY, GC_E_INTERNAL.
 * Not thread-safe: one initiator, one thread at a time.
 */
struct gc_initiator;
struct gc_initiator_ops {
    gc_status (*who)(struct gc_initiator *, const struct gc_want *want,
                     char ret_principal[GC_PRINCIPAL_SIZE],
                     struct gc_error *err);
    gc_status (*begin)(struct gc_initiator *, const struct gc_want *want,
                       struct gc_said *ret_said, struct gc_error *err);
    gc_status (*answer)(struct gc_initiator *, const struct gc_bytes *challenge,
                        struct gc_said *ret_said, struct gc_error *err);
    gc_status (*facts)(struct gc_initiator *, struct gc_facts *ret_facts,
                       struct gc_error *err);
    void (*end)(struct gc_initiator *);
    void (*free)(struct gc_initiator *);
};

/* Implementations embed this as their first member. */
struct gc_initiator {
    const struct gc_initiator_ops *ops;
};

/* Frees through the table; NULL is fine. */
void gc_initiator_free(struct gc_initiator *initiator);
GC_DEFINE_FREEP(gc_initiator)

/* Does ERR, of begin with a password, say that it is right but has expired? */
bool gc_initiator_expired(const struct gc_error *err);

/*
 * An initiator in this process.  Nothing can cut it short: with a stopped KDC
 * begin takes MIT's own 27 s whatever WANT's deadline says.  NULL: no memory.
 */
struct gc_initiator *gc_initiator_local_new(void);

/*
 * For that one alone.  The tickets of the exchange under way, as bytes
 * (secret); and such bytes for GC_SOURCE_LENT, until others are lent.  Lending
 * ends what is under way.  The statuses are gss/loan's.
 */
GC_MUST_USE gc_status gc_initiator_local_export(struct gc_initiator *initiator,
                                                struct gc_bytes *ret_credential,
                                                struct gc_error *err);
GC_MUST_USE gc_status gc_initiator_local_lend(struct gc_initiator *initiator,
                                              const struct gc_bytes *credential,
                                              struct gc_error *err);

#endif
