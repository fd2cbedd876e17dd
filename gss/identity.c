/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Verified principal -> local account.  Knows names, and nothing else.
 */
#include <config.h>

#include "gss/identity.h"

#include <string.h>

bool
gc_identity_equal(const char *a, size_t a_len, const char *b, size_t b_len)
{
    return a_len == b_len && (a_len == 0 || memcmp(a, b, a_len) == 0);
}

/* Can TEXT stand in a principal name as it is, with nothing escaped? */
static bool
plain(const char *text)
{
    return text[0] != '\0' && text[strcspn(text, "/@\\")] == '\0';
}

bool
gc_identity_matches(const char *principal, const char *account,
                    const char *realm)
{
    size_t account_len = strlen(account), principal_len = strlen(principal);

    if (!plain(account) || !plain(realm))
        return false;
    if (principal_len <= account_len || principal[account_len] != '@')
        return false;
    return gc_identity_equal(principal, account_len, account, account_len)
           && gc_identity_equal(principal + account_len + 1,
                                principal_len - account_len - 1, realm,
                                strlen(realm));
}
