/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door of gss/: InitializeSecurityContext as a table of functions.
 *
 * Behind it stands a context in a thread of its own (gc_initiator_new), one in
 * the calling thread (gc_initiator_local_new), one in another process, or a
 * test's script.  The caller carries tokens; it never sees a GSS-API type.
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

/*
 * Is TOKEN, an initiator's first, framed as MECH's (RFC 2743 section 3.1;
 * NTLM's has a signature instead)?  What follows the frame is not checked.
 * GSS-API cannot be asked: it would take an unframed token and try other
 * mechanisms.
 */
bool gc_mech_is_first_token(const struct gc_bytes *token, gc_mech mech);

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
 * What is wanted.  PASSWORD is borrowed from its one owner, for as long as WANT
 * is in use: copies of WANT copy no secret.  Strings are NUL-terminated; the
 * receiver checks that they are.
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
    const struct gc_bytes *password;      /* secret; NULL: none */
};

/*
 * Is W well-formed: every text terminated, every choice in its range, and no
 * two that exclude each other?  GC_E_INTERNAL or GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_want_check(const struct gc_want *w,
                                    struct gc_error *err);

/* What our side said: a token for the guest, and whether our side is done. */
struct gc_said {
    struct gc_bytes token; /* secret; may be empty only as "OK, no output" */
    bool done;             /* GSS_S_COMPLETE; proves nothing */
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
 * end     forget context and credential.  Any number of times.  who and begin
 *         also end what was before.
 * free    end, and free the initiator itself.
 *
 * After an error only end, begin and free may be called.  RET_* are written
 * only on success.  Statuses: GC_E_NO_CREDENTIAL, GC_E_DENIED (the KDC refuses
 * the credential), GC_E_UNAVAILABLE (KDC away, deadline), GC_E_CONFIG (an
 * invalid target or name), GC_E_PROTOCOL, GC_E_NOT_SUPPORTED (a token too large
 * for the guest, a mechanism that is not installed), GC_E_FAILED (an unknown
 * error of the KDC), GC_E_NO_MEMORY, GC_E_INTERNAL.  Not thread-safe: one
 * initiator, one thread at a time.
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
 * An initiator whose GSS-API calls run in a thread of its own, one for each
 * exchange.  A call ends at WANT's deadline with GC_E_UNAVAILABLE, and with
 * GC_E_CANCELED as soon as CANCEL_FD (-1: none; borrowed, never read from) is
 * readable.  MIT's library cannot be interrupted: a stopped KDC holds it for
 * 27 s.  The thread is then left behind, works on copies alone, stores nothing,
 * and wipes and frees what it has when the library returns.  At most
 * GC_ABANDONED_MAX such threads may be left: beyond that, who and begin return
 * GC_E_UNAVAILABLE at once.
 *
 * The thread blocks all signals.  Where the process ends by exit, abandoned
 * threads are cancelled first.  After a fork the child may only free its copy.
 * NULL: no memory.
 */
#define GC_ABANDONED_MAX 32
struct gc_initiator *gc_initiator_new(int cancel_fd);

/*
 * An initiator in the calling thread.  Nothing can cut it short, whatever
 * WANT's deadline says.  NULL: no memory.
 */
struct gc_initiator *gc_initiator_local_new(void);

/*
 * Only for gc_initiator_local_new's.  Append the tickets that begin got to the
 * user's cache that the credential came from.  Best effort.
 */
void gc_initiator_local_save(struct gc_initiator *initiator);

/*
 * Only for gc_initiator_local_new's.  The tickets of the exchange under way, as
 * bytes (secret); and such bytes for GC_SOURCE_LENT, until others are lent.
 * Lending ends what is under way.  The statuses are gss/export_cred's.
 */
GC_MUST_USE gc_status gc_initiator_local_export(struct gc_initiator *initiator,
                                                struct gc_bytes *ret_credential,
                                                struct gc_error *err);
GC_MUST_USE gc_status gc_initiator_local_lend(struct gc_initiator *initiator,
                                              const struct gc_bytes *credential,
                                              struct gc_error *err);

#endif
