/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ticket that a login left behind, found in an environment that the caller
 * hands over.  Knows no PAM library and asks for no variable itself.
 */
#include <config.h>

#include "src/api/api.h"

#include <string.h>

#define VARIABLE "GUESTCRED_CACHE"

static gc_status
find_cache(char *const *envlist, char ret_name[GC_API_STORE_SIZE],
           struct gc_error *err)
{
    static const char start[] = VARIABLE "=";
    const char *found = NULL;
    gc_status st;

    if (envlist == NULL)
        return gc_api_missing(err, "the environment");
    for (; *envlist != NULL; envlist++) {
        const char *value = *envlist + strlen(start);

        if (strncmp(*envlist, start, strlen(start)) != 0)
            continue;
        if (found != NULL && strcmp(found, value) != 0)
            return gc_fail(err, GC_E_CONFIG,
                           VARIABLE " is set twice, and not alike");
        found = value;
    }
    if (found == NULL || found[0] == '\0') {
        st = gc_fail(err, GC_E_NOT_FOUND,
                     "this login left no ticket (" VARIABLE " is not set)");
        return gc_fail_hint(err, st,
                            "see whether pam_guestcred is in the service's "
                            "session stack");
    }
    return gc_api_copy(ret_name, GC_API_STORE_SIZE, found, VARIABLE, err);
}

enum guestcred_status
guestcred_store_from_pam_env(char *const *envlist,
                             struct guestcred_store **ret_store,
                             struct guestcred_error *err)
{
    char name[GC_API_STORE_SIZE];
    struct gc_error why = {0};
    gc_status st;

    if (ret_store == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_store"), &why, err);
    st = find_cache(envlist, name, &why);
    if (st != GC_OK)
        return gc_api_done(st, &why, err);
    return guestcred_store_open(name, 0, ret_store, err);
}

enum guestcred_status
guestcred_ticket_from_pam_env(char *const *envlist, const char *vm,
                              struct guestcred_ticket **ret_ticket,
                              struct guestcred_error *err)
{
    struct guestcred_store *store = NULL;
    struct gc_error why = {0};
    enum guestcred_status status;

    if (ret_ticket == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_ticket"), &why, err);
    status = guestcred_store_from_pam_env(envlist, &store, err);
    if (status != GUESTCRED_OK)
        return status;
    status =
        gc_api_done(gc_api_store_get(store, vm, ret_ticket, &why), &why, err);
    guestcred_store_free(store);
    return status;
}
