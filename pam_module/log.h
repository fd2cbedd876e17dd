/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes to the log: one line an outcome, its fields key="value" with
 * quotes, backslashes, blanks and control characters escaped, never a secret.
 */

#ifndef GC_PAM_MODULE_LOG_H
#define GC_PAM_MODULE_LOG_H

#include <stdint.h>

#include <security/pam_modules.h>

#include "src/base/base.h"
#include "src/helper/wire.h"

/* TEXT between quotes in DST; what does not fit is cut off whole. */
void gc_pam_log_quote(char *dst, size_t dst_size, const char *text);

/* "WHAT: message (hint)", of what root wrote. */
void gc_pam_log_error(pam_handle_t *pamh, int level, const char *what,
                      const struct gc_error *error);

/* A line about USER. */
void gc_pam_log_note(pam_handle_t *pamh, int level, const char *user,
                     const char *note);

/*
 * How a call ended.  A failed authentication begins with the words that every
 * log watcher knows, and carries PAM's items.
 */
struct gc_outcome {
    const char *what; /* "authentication", "ticket", … */
    const char *user;
    uint32_t caller; /* real uid */
    gc_status status;
    int64_t ms;
    const struct gc_wire_reply *reply; /* may be NULL */
    const struct gc_error *error;      /* where STATUS is not GC_OK */
};
void gc_pam_log_outcome(pam_handle_t *pamh, const struct gc_outcome *outcome);

#endif
