/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One call of PAM's: its settings, its user, and one question to the helper
 * made of them.
 */

#ifndef GC_PAM_MODULE_CALL_STATE_H
#define GC_PAM_MODULE_CALL_STATE_H

#include <stdint.h>
#include <sys/types.h>

#include <security/pam_modules.h>

#include "pam_module/pam_state.h"
#include "pam_module/settings.h"
#include "src/base/base.h"

/* Whose account PAM_USER is. */
typedef enum {
    GC_SUBJECT_OURS,
    GC_SUBJECT_IGNORED, /* root, or below minimum_uid: somebody else's */
    GC_SUBJECT_NOBODY,  /* no such account, or one that never gets in here */
} gc_subject;

/* Zero it before use. */
struct gc_call_state {
    pam_handle_t *pamh;
    int flags;
    uid_t caller; /* the host's real uid: nothing else says who asks (P1) */
    int64_t started;
    struct gc_settings settings;
    const char *user; /* borrowed from PAM */
    gc_subject subject;
    uint32_t uid; /* GC_WIRE_NO_UID for nobody */
};
void gc_call_state_clear(struct gc_call_state *state);

/*
 * Read what there is to read.  Failures are logged; none of them depends on
 * the user.  GC_E_CONFIG, and GC_E_UNAVAILABLE for a host that is not root's,
 * of which nothing is read.
 */
GC_MUST_USE gc_status gc_call_state_begin(struct gc_call_state *state,
                                          pam_handle_t *pamh, int flags,
                                          int argc, const char **argv);

/* Find out who the user is; may ask.  PAM's codes. */
GC_MUST_USE int gc_call_state_subject(struct gc_call_state *state);

/* A request of CALL's kind, all filled in but the proof. */
GC_MUST_USE gc_status gc_call_state_request(struct gc_call_state *state,
                                            gc_wire_call call,
                                            struct gc_wire_request *ret_request,
                                            struct gc_error *err);

/*
 * Send it.  Every way that ends in is logged, as WHAT.  Of a refusal RET_REPLY
 * says no more than whether the password has expired.
 */
GC_MUST_USE gc_status gc_call_state_ask(struct gc_call_state *state,
                                        const char *what,
                                        const struct gc_wire_request *request,
                                        struct gc_wire_reply *ret_reply);

/* The same for a failure that never came as far as the helper. */
void gc_call_state_failed(struct gc_call_state *state, const char *what,
                          const struct gc_error *error);

/* A line where debug is on; TEXT is our own. */
void gc_call_state_debug(struct gc_call_state *state, const char *text);

#endif
