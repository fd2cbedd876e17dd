/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests: who logs in to which guest, and how.  Nothing is acquired before a
 * client is told to.
 */
#include <config.h>

#include "src/api/api.h"

#include <stdlib.h>
#include <string.h>

#include "gss/spn.h"

#define FLAGS (GUESTCRED_NEW | GUESTCRED_NO_VALIDATE | GUESTCRED_MUTUAL)

enum guestcred_status
guestcred_request_new(struct guestcred_request **ret_request,
                      struct guestcred_error *err)
{
    struct guestcred_request *request;
    struct gc_error why;

    if (ret_request == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_request"), &why, err);
    request = calloc(1, sizeof(*request));
    if (request == NULL)
        return gc_api_done(gc_fail_no_memory(&why), &why, err);
    *ret_request = request;
    return gc_api_done(GC_OK, NULL, err);
}

void
guestcred_request_free(struct guestcred_request *request)
{
    if (request == NULL)
        return;
    gc_bytes_clear(&request->password);
    free(request);
}

static gc_status
check_there(const struct guestcred_request *request, struct gc_error *err)
{
    return request == NULL ? gc_api_missing(err, "the request") : GC_OK;
}

enum guestcred_status
guestcred_request_set_vm(struct guestcred_request *request, const char *vm,
                         struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_there(request, &why);

    if (st == GC_OK)
        st = gc_api_copy(request->vm, sizeof(request->vm), vm, "the VM", &why);
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_request_set_target(struct guestcred_request *request,
                             const char *target, struct guestcred_error *err)
{
    struct gc_error why = {0};
    char copy[GC_TARGET_SIZE];
    struct gc_spn spn;
    gc_status st = check_there(request, &why);

    if (st == GC_OK)
        st = gc_api_copy(copy, sizeof(copy), target, "the target", &why);
    /* A template is checked when it is filled. */
    if (st == GC_OK && strstr(copy, "{vm}") == NULL)
        st = gc_spn_parse(copy, &spn, &why);
    if (st == GC_OK)
        memcpy(request->want.target, copy, sizeof(copy));
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_request_set_flags(struct guestcred_request *request, unsigned flags,
                            struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_there(request, &why);

    if (st == GC_OK && (flags & ~FLAGS) != 0)
        st = gc_fail(&why, GC_E_CONFIG, "there are no such flags: 0x%x", flags);
    if (st == GC_OK)
        request->flags = flags;
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_request_set_mechanism(struct guestcred_request *request,
                                enum guestcred_mechanism mechanism,
                                struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_there(request, &why);

    if (st == GC_OK && ((int)mechanism < 0 || mechanism > GUESTCRED_NTLM))
        st = gc_fail(&why, GC_E_CONFIG, "there is no mechanism %d",
                     (int)mechanism);
    if (st == GC_OK)
        request->want.mech = (gc_mech)mechanism;
    return gc_api_done(st, &why, err);
}

/* TEXT into DST, a request's or NULL without one; NULL empties it. */
static enum guestcred_status
set_text(char *dst, size_t size, const char *text, const char *what,
         struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = GC_OK;

    if (dst == NULL)
        st = gc_api_missing(&why, "the request");
    else if (text != NULL)
        st = gc_api_copy(dst, size, text, what, &why);
    else
        dst[0] = '\0';
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_request_set_principal(struct guestcred_request *request,
                                const char *principal,
                                struct guestcred_error *err)
{
    return set_text(request == NULL ? NULL : request->want.principal,
                    GC_PRINCIPAL_SIZE, principal, "the principal", err);
}

enum guestcred_status
guestcred_request_set_on_behalf_of(struct guestcred_request *request,
                                   const char *user,
                                   struct guestcred_error *err)
{
    return set_text(request == NULL ? NULL : request->want.on_behalf_of,
                    GC_PRINCIPAL_SIZE, user, "the user", err);
}

/* SOURCE, at PLACE, in place of the one before. */
static enum guestcred_status
set_source(struct guestcred_request *request, gc_source source,
           const char *place, const char *what, struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = GC_OK;

    if (request == NULL)
        return gc_api_done(gc_api_missing(&why, "the request"), &why, err);
    if (source == GC_SOURCE_DEFAULT)
        request->want.place[0] = '\0';
    else
        st = gc_api_copy(request->want.place, sizeof(request->want.place),
                         place, what, &why);
    if (st == GC_OK) {
        request->want.source = source;
        request->want.password = NULL;
        gc_bytes_clear(&request->password);
    }
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_request_set_ccache(struct guestcred_request *request,
                             const char *name, struct guestcred_error *err)
{
    return set_source(request,
                      name == NULL ? GC_SOURCE_DEFAULT : GC_SOURCE_CCACHE, name,
                      "the cache's name", err);
}

enum guestcred_status
guestcred_request_set_keytab(struct guestcred_request *request,
                             const char *file, struct guestcred_error *err)
{
    return set_source(request, GC_SOURCE_KEYTAB, file, "the keytab's name",
                      err);
}

enum guestcred_status
guestcred_request_set_client_keytab(struct guestcred_request *request,
                                    const char *file,
                                    struct guestcred_error *err)
{
    return set_source(request, GC_SOURCE_CLIENT_KEYTAB, file,
                      "the keytab's name", err);
}

enum guestcred_status
guestcred_request_set_password(struct guestcred_request *request,
                               const void *password, size_t len,
                               struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_there(request, &why);

    if (st == GC_OK)
        st = gc_api_check_secret(password, len, GC_PASSWORD_SIZE - 1,
                                 "the password", &why);
    if (st == GC_OK)
        st = gc_bytes_set(&request->password, password, len, &why);
    if (st == GC_OK) {
        request->want.source = GC_SOURCE_PASSWORD;
        request->want.place[0] = '\0';
        request->want.password = &request->password;
    }
    return gc_api_done(st, &why, err);
}

/* NTLM proves no server, knows no cache and no delegation. */
static gc_status
check_ntlm(const struct gc_want *want, struct gc_error *err)
{
    if (want->source != GC_SOURCE_DEFAULT && want->source != GC_SOURCE_PASSWORD)
        return gc_fail(err, GC_E_CONFIG,
                       "NTLM takes no Kerberos cache and no keytab");
    if (want->on_behalf_of[0] != '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "logging in on behalf of a user needs Kerberos");
    return GC_OK;
}

gc_status
gc_api_request_want(const struct guestcred_request *request,
                    struct gc_want *ret_want, struct gc_error *err)
{
    struct gc_want want;
    gc_status st = check_there(request, err);

    if (st != GC_OK)
        return st;
    if (request->vm[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "the request names no VM");
    if (request->want.target[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "the request names no target");
    want = request->want;
    want.mutual = (request->flags & GUESTCRED_MUTUAL) != 0;
    if (want.source >= GC_SOURCE_KEYTAB && want.principal[0] == '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "a keytab or a password needs a principal");
    if (want.mech == GC_MECH_NTLM)
        st = check_ntlm(&want, err);
    if (st == GC_OK)
        st = gc_want_check(&want, err);
    if (st == GC_OK)
        *ret_want = want;
    return st;
}
