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

#include "src/vim/exchange.h"
#include "src/vim/guest_call.h"

/*
 * After gc_guest_manager_find(GC_GUEST_AUTH) a leg sends Acquire and nothing
 * else.
 *
 * Send TOKEN (raw, secret) and read the answer: a ticket (text, secret: it also
 * names a session that stays open in the guest) or a challenge (raw, secret).
 * A ticket string found in a reply that is refused is released, best effort.  A
 * cancel does not cut a leg that is on its way short (GC_SESSION_GRACE_MS): the
 * caller looks for a cancel again before it uses the ticket.  After a 503
 * err->again is set only where its body proves that vCenter's service never saw
 * the request.  NotAuthenticated is passed up as err->fault with err->again
 * set: the guest saw nothing, and the caller logs in and starts over.
 */
GC_MUST_USE gc_status gc_auth_manager_leg(struct gc_exchange *exchange,
                                          const struct gc_bytes *token,
                                          enum gc_leg *ret_leg,
                                          struct gc_bytes *ret_bytes,
                                          struct gc_error *err);

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
