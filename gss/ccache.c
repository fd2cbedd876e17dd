/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private cache in memory, and the default one's name.  Knows no GSS-API
 * beyond its error texts.
 */
#include <config.h>

#include "gss/ccache.h"

#include <stdio.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"

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
    gc_ccache_clear(ret_cache);
    *ret_cache = fresh;
    fresh = (struct gc_ccache){NULL, NULL, NULL};
    return GC_OK;
}

gc_status
gc_ccache_default_name(char ret_name[GC_PLACE_SIZE], struct gc_error *err)
{
    struct gc_verdict v = {GSS_S_FAILURE, 0, gc_mech_oid(GC_MECH_KERBEROS)};
    krb5_context krb5 = NULL;
    krb5_error_code code = krb5_init_context(&krb5);
    const char *name = code == 0 ? krb5_cc_default_name(krb5) : NULL;
    bool fits =
        name != NULL
        && snprintf(ret_name, GC_PLACE_SIZE, "%s", name) < GC_PLACE_SIZE;

    v.minor = (OM_uint32)code;
    if (krb5 != NULL)
        krb5_free_context(krb5);
    if (code != 0)
        return gc_gssmsg_judge(err, GC_E_CONFIG, &v, "cannot read krb5.conf");
    return fits ? GC_OK
                : gc_fail(err, GC_E_NO_CREDENTIAL,
                          "the default cache has no name that can be used");
}
