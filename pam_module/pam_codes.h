/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A status as the PAM functions' codes: one switch, and no other place.
 */

#ifndef GC_PAM_MODULE_PAM_CODES_H
#define GC_PAM_MODULE_PAM_CODES_H

#include "src/base/base.h"

struct gc_pam_codes {
    int authenticate, account, setcred, open_session;
    int level; /* syslog's */
};

/* Never PAM_IGNORE, and PAM_SUCCESS for GC_OK alone. */
struct gc_pam_codes gc_pam_codes_of(gc_status status);

#endif
