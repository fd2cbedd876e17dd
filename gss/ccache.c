/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private cache in memory, and the default one's name.  Knows no GSS-API
 * beyond its error texts.
 */
#include <config.h>

#include "gss/ccache.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"

/* Linux 6.3; a host may insist on it. */
#ifndef MFD_NOEXEC_SEAL
#    define MFD_NOEXEC_SEAL 0x0008U
#endif

void
gc_ccache_clear(struct gc_ccache *cache)
{
    if (cache->krb5 != NULL) {
        if (cache->cache != NULL)
            (void)krb5_cc_destroy(cache->krb5, cache->cache);
        krb5_free_string(cache->krb5, cache->name);
        krb5_free_context(cache->krb5);
    }
    *cache = (struct gc_ccache){NULL, NULL, NULL};
}

void
gc_ccache_move(struct gc_ccache *dst, struct gc_ccache *src)
{
    gc_ccache_clear(dst);
    *dst = *src;
    *src = (struct gc_ccache){NULL, NULL, NULL};
}

gc_status
gc_ccache_new(struct gc_ccache *ret_cache, struct gc_error *err)
{
    GC_AUTO(gc_ccache) fresh = {NULL, NULL, NULL};
    struct gc_verdict v = {.major = GSS_S_FAILURE};
    krb5_error_code code = krb5_init_context(&fresh.krb5);

    if (code == 0)
        code = krb5_cc_new_unique(fresh.krb5, "MEMORY", NULL, &fresh.cache);
    if (code == 0)
        code = krb5_cc_get_full_name(fresh.krb5, fresh.cache, &fresh.name);
    if (code != 0) {
        v.minor = (OM_uint32)code;
        v.mech = gc_mech_oid(GC_MECH_KERBEROS);
        return gc_gssmsg_judge(err, GC_E_INTERNAL, &v,
                               "cannot make a credential cache in memory");
    }
    gc_ccache_move(ret_cache, &fresh);
    return GC_OK;
}

/* A file in memory that holds BYTES.  Below 0: errno says why. */
static int
make_file(const struct gc_bytes *bytes)
{
    int fd = memfd_create("guestcred", MFD_CLOEXEC | MFD_NOEXEC_SEAL);
    ssize_t put = 1;

    if (fd < 0)
        fd = memfd_create("guestcred", MFD_CLOEXEC);
    for (size_t at = 0; fd >= 0 && put > 0 && at < bytes->len;
         at += (size_t)put)
        put = write(fd, bytes->data + at, bytes->len - at);
    if (put > 0 || fd < 0)
        return fd;
    (void)close(fd);
    return -1;
}

krb5_error_code
gc_ccache_load(const struct gc_bytes *bytes, struct gc_ccache *ret_cache)
{
    GC_AUTO(gc_ccache) fresh = {NULL, NULL, NULL};
    krb5_ccache file = NULL;
    krb5_principal owner = NULL;
    krb5_error_code code;
    char name[64];
    int fd;

    if (gc_ccache_new(&fresh, NULL) != GC_OK)
        return ENOMEM;
    fd = make_file(bytes);
    if (fd < 0)
        return errno;
    /*
     * This path works although we are not dumpable and /proc/self belongs to
     * root.
     */
    (void)snprintf(name, sizeof(name), "FILE:/proc/self/fd/%d", fd);
    code = krb5_cc_resolve(fresh.krb5, name, &file);
    if (code == 0)
        code = krb5_cc_get_principal(fresh.krb5, file, &owner);
    if (code == 0)
        code = krb5_cc_initialize(fresh.krb5, fresh.cache, owner);
    if (code == 0)
        code = krb5_cc_copy_creds(fresh.krb5, file, fresh.cache);
    krb5_free_principal(fresh.krb5, owner);
    if (file != NULL)
        (void)krb5_cc_close(fresh.krb5, file);
    (void)close(fd);
    if (code == 0)
        gc_ccache_move(ret_cache, &fresh);
    return code;
}

bool
gc_ccache_is_tgt(krb5_const_principal server)
{
    static const char name[] = KRB5_TGS_NAME;

    return server->length == 2 && server->data[0].length == sizeof(name) - 1
           && memcmp(server->data[0].data, name, sizeof(name) - 1) == 0;
}

/* The one of PRINCIPAL in the default collection: NULL, or the caller's. */
static char *
find_in_collection(krb5_context krb5, const char *principal)
{
    krb5_principal wanted = NULL;
    krb5_ccache cache = NULL;
    char *name = NULL;

    if (principal[0] != '\0' && krb5_parse_name(krb5, principal, &wanted) == 0
        && krb5_cc_cache_match(krb5, wanted, &cache) == 0)
        (void)krb5_cc_get_full_name(krb5, cache, &name);
    if (cache != NULL)
        (void)krb5_cc_close(krb5, cache);
    krb5_free_principal(krb5, wanted);
    return name;
}

gc_status
gc_ccache_default_name(const char *principal, char ret_name[GC_PLACE_SIZE],
                       struct gc_error *err)
{
    struct gc_verdict v = {GSS_S_FAILURE, 0, gc_mech_oid(GC_MECH_KERBEROS)};
    krb5_context krb5 = NULL;
    krb5_error_code code = krb5_init_context(&krb5);
    const char *name;
    char *found;
    bool fits;

    v.minor = (OM_uint32)code;
    if (code != 0)
        return gc_gssmsg_judge(err, GC_E_CONFIG, &v, "cannot read krb5.conf");
    found = find_in_collection(krb5, principal);
    name = found != NULL ? found : krb5_cc_default_name(krb5);
    fits = name != NULL
           && snprintf(ret_name, GC_PLACE_SIZE, "%s", name) < GC_PLACE_SIZE;
    krb5_free_string(krb5, found);
    krb5_free_context(krb5);
    return fits ? GC_OK
                : gc_fail(err, GC_E_NO_CREDENTIAL,
                          "the default cache has no name that can be used");
}
