/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one place that turns a status into PAM's codes.
 */

#ifndef GC_PAM_MODULE_PAM_CODES_H
#define GC_PAM_MODULE_PAM_CODES_H

#include "src/base/base.h"

struct gc_pam_codes {
    int authenticate, account, setcred, open_session;
    int level; /* syslog's */
};

/* Never PAM_IGNORE; PAM_SUCCESS only for GC_OK. */
struct gc_pam_codes gc_pam_codes_of(gc_status status);

#endif
