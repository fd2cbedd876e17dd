/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every initiator, and every caller of one, needs.
 */
#include <config.h>

#include "gss/initiator.h"

#include <string.h>

#include <krb5.h>

gc_status
gc_want_check(const struct gc_want *w, struct gc_error *err)
{
    if (w->mech > GC_MECH_NTLM || w->source > GC_SOURCE_LENT)
        return gc_fail(err, GC_E_INTERNAL,
                       "a request for mechanism %u with credential %u",
                       (unsigned int)w->mech, (unsigned int)w->source);
    if (memchr(w->target, '\0', sizeof(w->target)) == NULL
        || memchr(w->principal, '\0', sizeof(w->principal)) == NULL
        || memchr(w->on_behalf_of, '\0', sizeof(w->on_behalf_of)) == NULL
        || memchr(w->place, '\0', sizeof(w->place)) == NULL)
        return gc_fail(err, GC_E_INTERNAL,
                       "a request with a text that does not end");
    if (w->password != NULL
        && (w->password->len >= GC_PASSWORD_SIZE
            || strlen(gc_bytes_text(w->password)) != w->password->len))
        return gc_fail(err, GC_E_INTERNAL, "a request with a broken password");
    if (w->mutual && w->mech == GC_MECH_NTLM)
        return gc_fail(err, GC_E_CONFIG,
                       "NTLM cannot make the guest prove itself");
    return GC_OK;
}

void
gc_said_clear(struct gc_said *said)
{
    gc_bytes_clear(&said->token);
    said->done = false;
}

void
gc_initiator_free(struct gc_initiator *initiator)
{
    if (initiator != NULL)
        initiator->ops->free(initiator);
}

bool
gc_initiator_expired(const struct gc_error *err)
{
    return err->status == GC_E_DENIED
           && err->gss_minor == (uint32_t)KRB5KDC_ERR_KEY_EXP;
}
