/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A private cache in memory.  Knows no GSS-API beyond its error texts.
 */
#include <config.h>

#include "gss/ccache.h"

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
