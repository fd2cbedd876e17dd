/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What each of PAM's functions does; takes PAM's arguments, returns PAM's
 * codes.  The helper decides whether the user may log in, and makes tickets.
 */

#ifndef GC_PAM_MODULE_CALLS_H
#define GC_PAM_MODULE_CALLS_H

#include <security/pam_modules.h>

int gc_calls_authenticate(pam_handle_t *pamh, int flags, int argc,
                          const char **argv);
int gc_calls_setcred(pam_handle_t *pamh, int flags, int argc,
                     const char **argv);
int gc_calls_account(pam_handle_t *pamh, int flags, int argc,
                     const char **argv);
int gc_calls_open_session(pam_handle_t *pamh, int flags, int argc,
                          const char **argv);
int gc_calls_close_session(pam_handle_t *pamh, int flags, int argc,
                           const char **argv);

#endif
