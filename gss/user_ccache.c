/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of caches, files, and a copy.  Knows neither principals nor lifetimes.
 */
#include <config.h>

#include "gss/user_ccache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"
#include "src/base/descriptor.h"

#define FILE_HINT                                                              \
    "get a ticket with kinit; the cache must be a file of the user's own "     \
    "that nobody else may write"
#define KIND_HINT                                                              \
    "use a cache of type FILE, DIR::, KCM, KEYRING:persistent or KEYRING:user"

static gc_status
refuse(const char *name, const char *why, const char *hint,
       struct gc_error *err)
{
    gc_status st =
        gc_fail(err, GC_E_NO_CREDENTIAL, "the cache %.200s %s", name, why);

    return gc_fail_hint(err, st, "%s", hint);
}

/* What NAME's file is called, or NULL if it is not a file's. */
static const char *
path_of(const char *name)
{
    static const char *const prefixes[] = {"FILE:", "DIR::"};

    for (size_t i = 0; i < GC_COUNT_OF(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return name + strlen(prefixes[i]);
    return strchr(name, ':') == NULL || name[0] == '/' ? name : NULL;
}

/* Is NAME of a kind whose keeper checks the uid? */
static bool
is_kept(const char *name)
{
    static const char *const prefixes[] = {
        "KCM:", "KEYRING:persistent:", "KEYRING:user:"};

    for (size_t i = 0; i < GC_COUNT_OF(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/*
 * libkrb5 gets a copy and not FD: the user may hold a lock on the file, or
 * change it while it is read.
 */
static gc_status
copy_file(const char *name, const char *path, struct gc_ccache *ret_copy,
          struct gc_error *err)
{
    static const struct gc_trust trust = {
        .own = true, .forbidden = 022, .max = GC_USER_CCACHE_MAX};
    GC_AUTO(gc_bytes) bytes = {0};
    struct gc_verdict v = {GSS_S_FAILURE, 0, gc_mech_oid(GC_MECH_KERBEROS)};
    struct gc_error why = {0};
    gc_status st;

    if (path[0] != '/')
        return refuse(name, "is not named by an absolute path", FILE_HINT, err);
    st = gc_trusted_read(AT_FDCWD, path, &trust, &bytes, NULL, &why);
    if (st == GC_OK && bytes.len == 0)
        st = gc_fail(&why, GC_E_CONFIG, "%s: it is empty", path);
    if (st == GC_E_NO_MEMORY)
        return gc_fail_no_memory(err);
    if (st != GC_OK) {
        st = gc_fail(err, GC_E_NO_CREDENTIAL, "the cache %s", why.message);
        return gc_fail_hint(err, st, FILE_HINT);
    }
    v.minor = (OM_uint32)gc_ccache_load(&bytes, ret_copy);
    if (v.minor == 0)
        return GC_OK;
    st = gc_gssmsg_fail(err,
                        v.minor == ENOMEM ? GC_E_NO_MEMORY : GC_E_NO_CREDENTIAL,
                        &v, "the cache %.200s cannot be read", name);
    return gc_fail_hint(err, st, FILE_HINT);
}

gc_status
gc_user_ccache_take(const char *place, struct gc_ccache *ret_copy,
                    char ret_name[GC_PLACE_SIZE], struct gc_error *err)
{
    char name[GC_PLACE_SIZE] = "";
    gc_status st = GC_OK;

    if (place[0] == '\0')
        st = gc_ccache_default_name("", name, err);
    else if (snprintf(name, sizeof(name), "%s", place) >= (int)sizeof(name))
        return gc_fail(err, GC_E_NO_CREDENTIAL,
                       "a cache's name of more than "
                       "%d bytes",
                       GC_PLACE_SIZE - 1);
    if (st != GC_OK)
        return st;
    if (path_of(name) != NULL)
        st = copy_file(name, path_of(name), ret_copy, err);
    else if (!is_kept(name))
        st = refuse(name, "is of a kind that cannot be shown to be the user's",
                    KIND_HINT, err);
    if (st == GC_OK)
        memcpy(ret_name, name, sizeof(name));
    return st;
}
