/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors, as callers of the library see them: copied from ours, never cast.
 */
#include <config.h>

#include "src/api/api.h"

#include <string.h>

/* The numbers are the ABI: the compiler sees that they keep step with ours. */
#define SAME(theirs, ours)                                                     \
    _Static_assert((int)(theirs) == (int)(ours), #theirs " is not " #ours)

SAME(GUESTCRED_OK, GC_OK);
SAME(GUESTCRED_DENIED, GC_E_DENIED);
SAME(GUESTCRED_VCENTER_DENIED, GC_E_VCENTER_DENIED);
SAME(GUESTCRED_NO_CREDENTIAL, GC_E_NO_CREDENTIAL);
SAME(GUESTCRED_NOT_SUPPORTED, GC_E_NOT_SUPPORTED);
SAME(GUESTCRED_NOT_FOUND, GC_E_NOT_FOUND);
SAME(GUESTCRED_BUSY, GC_E_BUSY);
SAME(GUESTCRED_UNAVAILABLE, GC_E_UNAVAILABLE);
SAME(GUESTCRED_UNTRUSTED, GC_E_UNTRUSTED);
SAME(GUESTCRED_PROTOCOL, GC_E_PROTOCOL);
SAME(GUESTCRED_FAILED, GC_E_FAILED);
SAME(GUESTCRED_CONFIG, GC_E_CONFIG);
SAME(GUESTCRED_NO_MEMORY, GC_E_NO_MEMORY);
SAME(GUESTCRED_INTERNAL, GC_E_INTERNAL);
SAME(GUESTCRED_CANCELED, GC_E_CANCELED);
SAME(GUESTCRED_CANCELED + 1, GC_STATUS_COUNT);

SAME(GUESTCRED_ADVICE_NONE, GC_ADVICE_NONE);
SAME(GUESTCRED_ADVICE_CA, GC_ADVICE_CA);
SAME(GUESTCRED_ADVICE_NO_CA, GC_ADVICE_NO_CA);
SAME(GUESTCRED_ADVICE_SELF_SIGNED, GC_ADVICE_SELF_SIGNED);
SAME(GUESTCRED_ADVICE_CA_BEFORE_PIN, GC_ADVICE_CA_BEFORE_PIN);
SAME(GUESTCRED_ADVICE_PROXY, GC_ADVICE_PROXY);
SAME(GUESTCRED_ADVICE_PROXY_TLS, GC_ADVICE_PROXY_TLS);
SAME(GUESTCRED_ADVICE_TARGET, GC_ADVICE_TARGET);
SAME(GUESTCRED_ADVICE_URL, GC_ADVICE_URL);
SAME(GUESTCRED_ADVICE_URL + 1, GC_ADVICE_COUNT);

SAME(GUESTCRED_KERBEROS, GC_MECH_KERBEROS);
SAME(GUESTCRED_NEGOTIATE, GC_MECH_NEGOTIATE);
SAME(GUESTCRED_NTLM, GC_MECH_NTLM);

SAME(GUESTCRED_RELEASED, GC_RELEASED);
SAME(GUESTCRED_RELEASED_OFF, GC_RELEASED_OFF);
SAME(GUESTCRED_RELEASED_NO_VM, GC_RELEASED_NO_VM);
SAME(GUESTCRED_RELEASED_UNKNOWN, GC_RELEASED_UNKNOWN);

#define SIZE_OF(type, member) sizeof(((struct type *)NULL)->member)
SAME(SIZE_OF(guestcred_error, fault), SIZE_OF(gc_error, fault));
SAME(SIZE_OF(guestcred_error, message), SIZE_OF(gc_error, message));
SAME(SIZE_OF(guestcred_error, hint), SIZE_OF(gc_error, hint));
SAME(GUESTCRED_VM_SIZE, GC_MOID_SIZE);
SAME(GUESTCRED_VM_SIZE, GC_TICKET_VM_SIZE);

const char *
guestcred_status_word(enum guestcred_status status)
{
    if ((int)status < 0 || (int)status >= GC_STATUS_COUNT)
        return "unknown";
    return gc_status_word((gc_status)status);
}

enum guestcred_status
gc_api_done(gc_status st, const struct gc_error *why,
            struct guestcred_error *err)
{
    if (err == NULL)
        return (enum guestcred_status)st;
    *err = (struct guestcred_error){.status = (enum guestcred_status)st};
    if (st == GC_OK)
        return GUESTCRED_OK;
    err->advice = (enum guestcred_advice)why->advice;
    err->retryable = st == GC_E_BUSY || st == GC_E_UNAVAILABLE;
    err->gss_major = why->gss_major;
    err->gss_minor = why->gss_minor;
    memcpy(err->fault, why->fault, sizeof(err->fault));
    memcpy(err->message, why->message, sizeof(err->message));
    memcpy(err->hint, why->hint, sizeof(err->hint));
    return err->status;
}

gc_status
gc_api_missing(struct gc_error *err, const char *what)
{
    return gc_fail(err, GC_E_CONFIG, "%s is missing (NULL)", what);
}

gc_status
gc_api_copy(char *dst, size_t size, const char *text, const char *what,
            struct gc_error *err)
{
    size_t len;

    if (text == NULL)
        return gc_api_missing(err, what);
    len = strnlen(text, size);
    if (len == 0)
        return gc_fail(err, GC_E_CONFIG, "%s is empty", what);
    if (len == size)
        return gc_fail(err, GC_E_CONFIG, "%s has more than %zu bytes", what,
                       size - 1);
    memcpy(dst, text, len + 1);
    return GC_OK;
}

gc_status
gc_api_check_text(const char *text, const char *what, struct gc_error *err)
{
    size_t len;

    if (text == NULL)
        return gc_api_missing(err, what);
    len = strnlen(text, GC_API_TEXT_MAX + 1);
    if (len == 0)
        return gc_fail(err, GC_E_CONFIG, "%s is empty", what);
    if (len > GC_API_TEXT_MAX)
        return gc_fail(err, GC_E_CONFIG, "%s has more than %d bytes", what,
                       GC_API_TEXT_MAX);
    return GC_OK;
}

gc_status
gc_api_check_secret(const void *data, size_t len, size_t max, const char *what,
                    struct gc_error *err)
{
    if (data == NULL)
        return gc_api_missing(err, what);
    if (len == 0 || len > max)
        return gc_fail(err, GC_E_CONFIG, "%s has %zu bytes, not 1 to %zu", what,
                       len, max);
    if (memchr(data, '\0', len) != NULL)
        return gc_fail(err, GC_E_CONFIG, "%s holds a NUL", what);
    return GC_OK;
}
