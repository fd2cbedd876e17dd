/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A KDC database that lets services delegate: MIT's db2 with one function
 * replaced.  db2 itself cannot say which targets a service may reach on a
 * user's behalf, so it refuses every S4U2Proxy.
 *
 * For test realms only.  KDB_S4U_BASE is the path of db2.so, KDB_S4U_TARGETS
 * the principals, separated by spaces, that anybody who may delegate may reach.
 */
#include <config.h>

#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

#include <krb5.h>

#include <kdb.h>

/* The name is the KDC's: it looks this table up in every database module. */
__attribute__((visibility("default"))) kdb_vftabl kdb_function_table;

/* Is NAME one of the words of LIST, whole? */
static int
listed(const char *list, const char *name)
{
    size_t len = strlen(name);

    for (const char *at = list; (at = strstr(at, name)) != NULL; at += len) {
        int starts = at == list || at[-1] == ' ';
        int ends = at[len] == '\0' || at[len] == ' ';

        if (starts && ends)
            return 1;
    }
    return 0;
}

static krb5_error_code
may_delegate(krb5_context krb5, krb5_const_principal client,
             const krb5_db_entry *service, krb5_const_principal target)
{
    const char *targets = getenv("KDB_S4U_TARGETS");
    char *name = NULL;
    int allowed;

    (void)client;
    (void)service;
    if (targets == NULL)
        return KRB5KDC_ERR_BADOPTION;
    if (target == NULL) /* "may it delegate at all?" */
        return 0;
    if (krb5_unparse_name(krb5, target, &name) != 0)
        return KRB5KDC_ERR_BADOPTION;
    allowed = listed(targets, name);
    krb5_free_unparsed_name(krb5, name);
    return allowed ? 0 : KRB5KDC_ERR_BADOPTION;
}

/* Where this fails the table stays empty, and the KDC refuses to start. */
__attribute__((constructor)) static void
borrow(void)
{
    const char *base = getenv("KDB_S4U_BASE");
    void *module = base == NULL ? NULL : dlopen(base, RTLD_NOW | RTLD_LOCAL);
    const kdb_vftabl *table;

    if (module == NULL)
        return;
    table = dlsym(module, "kdb_function_table");
    if (table == NULL)
        return;
    kdb_function_table = *table;
    kdb_function_table.check_allowed_to_delegate = may_delegate;
}
