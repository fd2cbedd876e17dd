/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talks to the user through the host.  Returns PAM's codes.
 */

#ifndef GC_PAM_MODULE_CONVERSE_H
#define GC_PAM_MODULE_CONVERSE_H

#include <security/pam_modules.h>

#include "src/base/base.h"
#include "src/base/bytes.h"

/*
 * Ask PROMPT; RET_ANSWER is secret.  PAM_CONV_ERR; PAM_BUF_ERR; PAM_AUTH_ERR:
 * no answer, an empty one, or one of PAM_MAX_RESP_SIZE bytes or more.
 */
GC_MUST_USE int gc_converse_ask(pam_handle_t *pamh, bool echo,
                                const char *prompt,
                                struct gc_bytes *ret_answer);

/* Show TEXT; failures are ignored. */
void gc_converse_tell(pam_handle_t *pamh, const char *text);

#endif
