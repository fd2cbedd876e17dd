/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Talking to the user through the host.  Codes are PAM's.
 */

#ifndef GC_PAM_MODULE_CONVERSE_H
#define GC_PAM_MODULE_CONVERSE_H

#include <security/pam_modules.h>

#include "src/base/base.h"
#include "src/base/bytes.h"

/*
 * Ask PROMPT; RET_ANSWER is secret.  PAM_CONV_ERR; PAM_BUF_ERR; PAM_AUTH_ERR
 * for no answer, an empty one, or one of PAM_MAX_RESP_SIZE bytes and more.
 */
GC_MUST_USE int gc_converse_ask(pam_handle_t *pamh, bool echo,
                                const char *prompt,
                                struct gc_bytes *ret_answer);

/* Tell TEXT; nothing depends on whether it was shown. */
void gc_converse_tell(pam_handle_t *pamh, const char *text);

#endif
