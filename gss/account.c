/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What libkrb5 makes of a principal, compared.  Knows no password file.
 */
#include <config.h>

#include "gss/account.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <krb5.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"

#define ACCOUNT_SIZE 257 /* with its NUL; LOGIN_NAME_MAX is 256 */

struct look {
    krb5_context krb5;
    krb5_principal principal;
};

static void
look_clear(struct look *look)
{
    if (look->krb5 == NULL)
        return;
    krb5_free_principal(look->krb5, look->principal);
    krb5_free_context(look->krb5);
}

#define LOOK __attribute__((cleanup(look_clear))) struct look

static struct gc_verdict
verdict(krb5_error_code code)
{
    return (struct gc_verdict){GSS_S_FAILURE, (OM_uint32)code,
                               gc_mech_oid(GC_MECH_KERBEROS)};
}

static gc_status
begin(struct look *look, struct gc_error *err)
{
    krb5_error_code code = krb5_init_context(&look->krb5);
    struct gc_verdict v = verdict(code);

    return code == 0
               ? GC_OK
               : gc_gssmsg_judge(err, GC_E_CONFIG, &v, "cannot read krb5.conf");
}

/*
 * Only characters that stand for themselves, for libkrb5 (which escapes NULs,
 * newlines and its own separators with a backslash), for NSS and in a template.
 */
static bool
plain(const char *text, const char *separators)
{
    for (const char *at = text; *at != '\0'; at++)
        if ((unsigned char)*at <= ' ' || *at == 0x7f || *at == '\\'
            || *at == '%' || strchr(separators, *at) != NULL)
            return false;
    return text[0] != '\0';
}

static gc_status
deny(const char *principal, const char *account, struct gc_error *err)
{
    return gc_fail(err, GC_E_DENIED, "%.200s is not the account %.200s",
                   principal, account);
}

gc_status
gc_account_map(const char *principal, const char *account, struct gc_error *err)
{
    LOOK look = {NULL, NULL};
    char local[ACCOUNT_SIZE] = "";
    krb5_error_code code;
    struct gc_verdict v;
    gc_status st;

    if (!plain(principal, "") || !plain(account, "/@"))
        return deny(principal, account, err);
    st = begin(&look, err);
    if (st != GC_OK)
        return st;
    code = krb5_parse_name(look.krb5, principal, &look.principal);
    v = verdict(code);
    if (code != 0)
        return gc_gssmsg_fail(err, GC_E_DENIED, &v,
                              "\"%.200s\" is no principal", principal);
    code = krb5_aname_to_localname(look.krb5, look.principal,
                                   (int)sizeof(local), local);
    v = verdict(code);
    if (code == KRB5_CONFIG_BADFORMAT || code == ENOMEM)
        return gc_gssmsg_judge(err, GC_E_CONFIG, &v, "cannot map %.200s",
                               principal);
    if (code != 0 || strcmp(local, account) != 0)
        return deny(principal, account, err);
    return GC_OK;
}
