/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The six functions that PAM calls; each passes its arguments on.
 */
#include <config.h>

#include <security/pam_modules.h>

#include "pam_module/calls.h"

#define DOOR __attribute__((visibility("default")))

DOOR int
pam_sm_authenticate(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return gc_calls_authenticate(pamh, flags, argc, argv);
}

DOOR int
pam_sm_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return gc_calls_setcred(pamh, flags, argc, argv);
}

DOOR int
pam_sm_acct_mgmt(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return gc_calls_account(pamh, flags, argc, argv);
}

DOOR int
pam_sm_open_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return gc_calls_open_session(pamh, flags, argc, argv);
}

DOOR int
pam_sm_close_session(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    return gc_calls_close_session(pamh, flags, argc, argv);
}

/* Other modules change passwords. */
DOOR int
pam_sm_chauthtok(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    (void)pamh;
    (void)flags;
    (void)argc;
    (void)argv;
    return PAM_IGNORE;
}
