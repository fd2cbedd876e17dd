/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of one PAM call: its settings, its user, and its request to the
 * helper.
 */

#ifndef GC_PAM_MODULE_CALL_STATE_H
#define GC_PAM_MODULE_CALL_STATE_H

#include <stdint.h>
#include <sys/types.h>

#include <security/pam_modules.h>

#include "pam_module/pam_state.h"
#include "pam_module/settings.h"
#include "src/base/base.h"

/* (uid_t)-1, which no account has. */
#define GC_CALL_STATE_NOBODY UINT32_MAX

/* Whose account PAM_USER is. */
typedef enum {
    GC_SUBJECT_OURS,
    GC_SUBJECT_IGNORED, /* root, or below minimum_uid: for other modules */
    GC_SUBJECT_NOBODY,  /* no such account, or one that is never let in */
} gc_subject;

/* Zero it before use. */
struct gc_call_state {
    pam_handle_t *pamh;
    int flags;
    uid_t caller; /* the host's real uid; nothing else identifies it */
    int64_t started;
    struct gc_settings settings;
    const char *user; /* borrowed from PAM */
    gc_subject subject;
    uint32_t uid; /* GC_CALL_STATE_NOBODY unless GC_SUBJECT_OURS */
};
void gc_call_state_clear(struct gc_call_state *state);

/*
 * Read the arguments and the configuration file.  Failures are logged; none of
 * them depends on the user.  GC_E_CONFIG; GC_E_UNAVAILABLE: the host does not
 * run as root, and no file was read.
 */
GC_MUST_USE gc_status gc_call_state_begin(struct gc_call_state *state,
                                          pam_handle_t *pamh, int flags,
                                          int argc, const char **argv);

/* Look up the user; may prompt for the name.  Returns PAM's codes. */
GC_MUST_USE int gc_call_state_subject(struct gc_call_state *state);

/* Make a request of kind CALL, complete except for the proof. */
GC_MUST_USE gc_status gc_call_state_request(struct gc_call_state *state,
                                            gc_wire_call call,
                                            struct gc_wire_request *ret_request,
                                            struct gc_error *err);

/*
 * Send REQUEST and log the outcome under the name WHAT.  After a refusal only
 * RET_REPLY's EXPIRED means anything.
 */
GC_MUST_USE gc_status gc_call_state_ask(struct gc_call_state *state,
                                        const char *what,
                                        const struct gc_wire_request *request,
                                        struct gc_wire_reply *ret_reply);

/* Log a failure that happened before the helper was asked. */
void gc_call_state_failed(struct gc_call_state *state, const char *what,
                          const struct gc_error *error);

/* Log TEXT if debug is set.  TEXT is a literal, not input. */
void gc_call_state_debug(struct gc_call_state *state, const char *text);

#endif
