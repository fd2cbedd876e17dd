/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keytabs, looked at after the fact.  Knows libkrb5's codes for them; nothing
 * of what was wanted from the keytab.
 */
#include <config.h>

#include "gss/keytab.h"

#include <errno.h>

#include <krb5.h>

static const struct {
    krb5_error_code code;
    const char *why, *hint;
} troubles[] = {
    {ENOENT, "it is not there", "a keytab is named by its path, or FILE:path"},
    {ENOTDIR, "it is not there", "a keytab is named by its path, or FILE:path"},
    {EACCES, "permission denied",
     "the keytab must be readable by the user who runs this"},
    {EISDIR, "it is a directory", "name the keytab itself, a file"},
    {KRB5_KEYTAB_BADVNO, "it is not a keytab",
     "look with klist -k; kadmin, ktutil and ktpass make keytabs"},
};

struct look {
    krb5_context krb5;
    krb5_keytab keytab;
    krb5_principal principal;
};

static void
look_clear(struct look *look)
{
    if (look->principal != NULL)
        krb5_free_principal(look->krb5, look->principal);
    if (look->keytab != NULL)
        (void)krb5_kt_close(look->krb5, look->keytab);
    if (look->krb5 != NULL)
        krb5_free_context(look->krb5);
}

#define LOOK __attribute__((cleanup(look_clear))) struct look

/* Can it be opened, and is it what it should be? */
static krb5_error_code
open_keytab(struct look *look, const char *keytab)
{
    krb5_kt_cursor cursor;
    krb5_error_code code =
        keytab[0] == '\0' ? krb5_kt_client_default(look->krb5, &look->keytab)
                          : krb5_kt_resolve(look->krb5, keytab, &look->keytab);

    if (code == 0)
        code = krb5_kt_start_seq_get(look->krb5, look->keytab, &cursor);
    if (code == 0)
        (void)krb5_kt_end_seq_get(look->krb5, look->keytab, &cursor);
    return code;
}

/* Is there a key in it?  It is wiped at once. */
static krb5_error_code
find_key(const struct look *look)
{
    krb5_keytab_entry entry;
    krb5_error_code code;

    if (look->principal == NULL)
        return krb5_kt_have_content(look->krb5, look->keytab);
    code = krb5_kt_get_entry(look->krb5, look->keytab, look->principal, 0, 0,
                             &entry);
    if (code == 0)
        (void)krb5_free_keytab_entry_contents(look->krb5, &entry);
    return code;
}

static gc_status
say_unreadable(const struct look *look, krb5_error_code code,
               struct gc_error *err)
{
    const char *text;
    gc_status st;

    for (size_t i = 0; i < GC_COUNT_OF(troubles); i++) {
        if (code != troubles[i].code)
            continue;
        st = gc_fail(err, GC_E_NO_CREDENTIAL, "%s", troubles[i].why);
        return gc_fail_hint(err, st, "%s", troubles[i].hint);
    }
    text = krb5_get_error_message(look->krb5, code);
    st = gc_fail(err, GC_E_NO_CREDENTIAL, "it cannot be read: %.200s", text);
    krb5_free_error_message(look->krb5, text);
    return gc_fail_hint(err, st, "look with klist -k what is in the keytab");
}

/* Name the realm even where the user did not: it may be the wrong one. */
static gc_status
say_no_key(const struct look *look, struct gc_error *err)
{
    char *whose = NULL;
    gc_status st;

    if (look->principal == NULL
        || krb5_unparse_name(look->krb5, look->principal, &whose) != 0)
        st = gc_fail(err, GC_E_NO_CREDENTIAL, "it holds no key");
    else
        st = gc_fail(err, GC_E_NO_CREDENTIAL, "it holds no key of %.200s",
                     whose);
    krb5_free_unparsed_name(look->krb5, whose);
    return gc_fail_hint(err, st,
                        "look with klist -k whose keys the keytab holds");
}

gc_status
gc_keytab_examine(const char *keytab, const char *principal,
                  struct gc_error *err)
{
    LOOK look = {.krb5 = NULL};
    krb5_error_code code;

    /* Neither failure has to do with the keytab. */
    if (krb5_init_context(&look.krb5) != 0
        || (principal[0] != '\0'
            && krb5_parse_name(look.krb5, principal, &look.principal) != 0))
        return GC_OK;
    code = open_keytab(&look, keytab);
    if (code != 0)
        return code == ENOMEM ? GC_OK : say_unreadable(&look, code, err);
    return find_key(&look) == KRB5_KT_NOTFOUND ? say_no_key(&look, err) : GC_OK;
}
