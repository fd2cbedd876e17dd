/* SPDX-License-Identifier: Apache-2.0 */
/*
 * open_session has one failure code: sudo aborts the command on any other.
 */
#include <config.h>

#include "pam_module/pam_codes.h"

#include <syslog.h>

#include <security/pam_modules.h>

struct gc_pam_codes
gc_pam_codes_of(gc_status status)
{
    static const struct gc_pam_codes
        ok = {PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, PAM_SUCCESS, LOG_INFO},
        refused = {PAM_AUTH_ERR, PAM_PERM_DENIED, PAM_CRED_ERR, PAM_SESSION_ERR,
                   LOG_NOTICE},
        empty_handed = {PAM_CRED_INSUFFICIENT, PAM_PERM_DENIED,
                        PAM_CRED_UNAVAIL, PAM_SESSION_ERR, LOG_NOTICE},
        away = {PAM_AUTHINFO_UNAVAIL, PAM_PERM_DENIED, PAM_CRED_UNAVAIL,
                PAM_SESSION_ERR, LOG_ERR},
        misconfigured = {PAM_SERVICE_ERR, PAM_SERVICE_ERR, PAM_SERVICE_ERR,
                         PAM_SESSION_ERR, LOG_ERR},
        no_memory = {PAM_BUF_ERR, PAM_BUF_ERR, PAM_BUF_ERR, PAM_SESSION_ERR,
                     LOG_CRIT},
        canceled = {PAM_CONV_ERR, PAM_PERM_DENIED, PAM_CRED_ERR,
                    PAM_SESSION_ERR, LOG_NOTICE},
        broken = {PAM_SYSTEM_ERR, PAM_SYSTEM_ERR, PAM_SYSTEM_ERR,
                  PAM_SESSION_ERR, LOG_CRIT};

    switch (status) {
    case GC_OK:
        return ok;
    case GC_E_DENIED:
        return refused;
    case GC_E_NO_CREDENTIAL:
        return empty_handed;
    case GC_E_VCENTER_DENIED:
    case GC_E_NOT_SUPPORTED:
    case GC_E_NOT_FOUND:
    case GC_E_BUSY:
    case GC_E_UNAVAILABLE:
    case GC_E_UNTRUSTED:
    case GC_E_PROTOCOL:
    case GC_E_FAILED:
        return away;
    case GC_E_CONFIG:
        return misconfigured;
    case GC_E_NO_MEMORY:
        return no_memory;
    case GC_E_CANCELED:
        return canceled;
    case GC_E_INTERNAL:
    case GC_STATUS_COUNT:
        break;
    }
    return broken;
}
