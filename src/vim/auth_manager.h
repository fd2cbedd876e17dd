/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GuestAuthManager: AcquireCredentialsInGuest leg by leg (owns sessionID),
 * ReleaseCredentialsInGuest, ValidateCredentialsInGuest.
 *
 * Sources: the pages "Guest Auth Manager Acquire Credentials In Guest" and
 * "… Release Credentials In Guest" (vSphere 8.0.3.0 / 8.0.2.0).  Knows no GSS:
 * tokens are opaque.
 */

#ifndef GC_SRC_VIM_AUTH_MANAGER_H
#define GC_SRC_VIM_AUTH_MANAGER_H

#include "src/vim/session.h"

/* One handshake with one VM.  Zero it, set SESSION, VM, LIMIT; then legs. */
struct gc_exchange {
    struct gc_session *session; /* borrowed */
    const char *vm;             /* moId, borrowed */
    struct gc_limit limit;
    int legs;                            /* calls made so far */
    char session_id[GC_JSON_INT64_SIZE]; /* "" before the first challenge */
    /*
     * Secret: the ticket of a reply that was refused, where releasing it failed
     * too.  It lives on in the guest; whoever can write it down must.
     */
    struct gc_bytes owed;
    bool lost; /* the guest may have issued a ticket that nobody can name */
    /* Told of each leg in a line without secrets; may be NULL. */
    void (*tell)(void *user, const char *line);
    void *tell_user;
};

static inline void
gc_exchange_clear(struct gc_exchange *exchange)
{
    gc_bytes_clear(&exchange->owed);
}

enum gc_leg { GC_LEG_TICKET, GC_LEG_CHALLENGE };

/*
 * Send TOKEN (raw, secret) and read the answer: a ticket (text, secret: it also
 * names a session that stays open in the guest) or a challenge (raw, secret).
 * A ticket string found in a reply that is refused is released, best effort.
 * A cancel does not cut a leg that is on its way short (GC_SESSION_GRACE_MS):
 * whoever cancelled looks again before using the ticket.
 * After a 503 err->again is set only where its body proves that vCenter's
 * service never saw the request.
 * NotAuthenticated is passed up as err->fault with err->again set: the guest
 * saw nothing, and the caller logs in and starts over.
 */
GC_MUST_USE gc_status gc_auth_manager_leg(struct gc_exchange *exchange,
                                          const struct gc_bytes *token,
                                          enum gc_leg *ret_leg,
                                          struct gc_bytes *ret_bytes,
                                          struct gc_error *err);

/* Why there was nothing left to release. */
enum gc_released {
    GC_RELEASED,         /* 204 */
    GC_RELEASED_OFF,     /* InvalidPowerState, existingState poweredOff */
    GC_RELEASED_NO_VM,   /* ManagedObjectNotFound for this VM */
    GC_RELEASED_UNKNOWN, /* InvalidGuestLogin: the guest knows no such ticket */
};

GC_MUST_USE gc_status gc_auth_manager_release(
    struct gc_session *session, const char *vm, const struct gc_bytes *ticket,
    struct gc_limit limit, enum gc_released *ret_how, struct gc_error *err);

/* GC_OK: valid.  InvalidGuestLogin or GuestPermissionDenied: GC_E_DENIED. */
GC_MUST_USE gc_status gc_auth_manager_validate(struct gc_session *session,
                                               const char *vm,
                                               const struct gc_bytes *ticket,
                                               struct gc_limit limit,
                                               struct gc_error *err);

#endif
