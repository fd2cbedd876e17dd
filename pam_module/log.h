/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lines for syslog: one line for each outcome, its fields key="value" with
 * quotes, backslashes, blanks and control characters escaped.  Never a secret.
 */

#ifndef GC_PAM_MODULE_LOG_H
#define GC_PAM_MODULE_LOG_H

#include <stdint.h>

#include <security/pam_modules.h>

#include "src/base/base.h"
#include "src/helper/wire.h"

/* Put TEXT between quotes into DST; an escape is never cut in two. */
void gc_pam_log_quote(char *dst, size_t dst_size, const char *text);

/* Log "WHAT: message (hint)"; for errors in what root wrote. */
void gc_pam_log_error(pam_handle_t *pamh, int level, const char *what,
                      const struct gc_error *error);

/* Log NOTE about USER. */
void gc_pam_log_note(pam_handle_t *pamh, int level, const char *user,
                     const char *note);

/*
 * How a call ended.  The line of a failed authentication begins with the words
 * that log watchers know, and has PAM's items.
 */
struct gc_outcome {
    const char *what; /* "authentication", "ticket", … */
    const char *user;
    uint32_t caller; /* real uid */
    gc_status status;
    int64_t ms;
    const struct gc_wire_reply *reply; /* may be NULL */
    const struct gc_error *error;      /* unless STATUS is GC_OK */
};
void gc_pam_log_outcome(pam_handle_t *pamh, const struct gc_outcome *outcome);

#endif
