/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Principal <-> account, by a krb5.conf of our own: whole names, or nothing.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gss/account.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <krb5.h>

/* The user's own file says who may be the user: never to be asked. */
static int asked_k5login;

/* Visible: GSS-API's ways to the file come by here as well as libkrb5's. */
__attribute__((visibility("default"))) krb5_boolean
krb5_kuserok(krb5_context krb5, krb5_principal principal, const char *account)
{
    (void)krb5;
    (void)principal;
    (void)account;
    asked_k5login++;
    return TRUE;
}

static char conf[] = "/tmp/test_account.XXXXXX";

static void
configure(const char *libdefaults, const char *realm)
{
    FILE *file = fopen(conf, "we");

    assert_non_null(file);
    assert_true(fprintf(file,
                        "[libdefaults]\n dns_lookup_realm = false\n%s\n"
                        "[realms]\n EXAMPLE.TEST = {\n%s\n }\n",
                        libdefaults, realm)
                > 0);
    assert_int_equal(fclose(file), 0);
}

#define REALM " default_realm = EXAMPLE.TEST"

static int
set_up(void **state)
{
    (void)state;
    asked_k5login = 0;
    configure(REALM, "");
    return setenv("KRB5_CONFIG", conf, 1);
}

static int
open_conf(void **state)
{
    int fd = mkstemp(conf);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int
remove_conf(void **state)
{
    (void)state;
    return unlink(conf);
}

static void
one_principal_is_one_account(void **state)
{
    /* clang-format off */
    static const struct {
        const char *principal, *account;
        gc_status expected;
    } cases[] = {
        {"alice@EXAMPLE.TEST", "alice", GC_OK},
        {"svc-1.x_y@EXAMPLE.TEST", "svc-1.x_y", GC_OK},
        {"alice$@EXAMPLE.TEST", "alice$", GC_OK},
        /* another realm, another instance, another case, more or less */
        {"alice@EVIL.TEST", "alice", GC_E_DENIED},
        {"alice@example.test", "alice", GC_E_DENIED},
        {"alice@EXAMPLE.TEST.EVIL", "alice", GC_E_DENIED},
        {"alice/admin@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice/@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"/alice@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"host/alice@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"ALICE@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice@EXAMPLE.TEST", "ALICE", GC_E_DENIED},
        {"alicex@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alic@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice$@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"@EXAMPLE.TEST", "", GC_E_DENIED},
        {"", "alice", GC_E_DENIED},
        {"", "", GC_E_DENIED},
        {"alice@EXAMPLE.TEST", "", GC_E_DENIED},
        {"alice@EXAMPLE.TEST@EXAMPLE.TEST", "alice", GC_E_DENIED},
        /* what libkrb5 would take apart, cut or put together */
        {"alice\\0@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice\\0x@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice\\n@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice\n@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice\n@EXAMPLE.TEST", "alice\n", GC_E_DENIED},
        {"al\\ice@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice\\@EVIL.TEST@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice\\@EVIL.TEST@EXAMPLE.TEST", "alice@EVIL.TEST", GC_E_DENIED},
        {"alice\\/admin@EXAMPLE.TEST", "alice/admin", GC_E_DENIED},
        {"a\\\\b@EXAMPLE.TEST", "a\\b", GC_E_DENIED},
        {"alice%@EXAMPLE.TEST", "alice", GC_E_DENIED},
        {"alice%s@EXAMPLE.TEST", "alice%s", GC_E_DENIED},
        {"al ice@EXAMPLE.TEST", "al ice", GC_E_DENIED},
        {"alice\x7f@EXAMPLE.TEST", "alice\x7f", GC_E_DENIED},
        {"alice@EXAMPLE.TEST", "alice@EXAMPLE.TEST", GC_E_DENIED},
    };
    /* clang-format on */

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct gc_error err = {.status = GC_OK};
        gc_status st =
            gc_account_map(cases[i].principal, cases[i].account, &err);

        if (st != cases[i].expected)
            fail_msg("%s as %s: %s", cases[i].principal, cases[i].account,
                     gc_status_word(st));
        assert_int_equal(err.status, st);
        assert_null(strchr(err.message, '\n'));
    }
    assert_int_equal(asked_k5login, 0);
}

/* So that the zero above means something. */
static void
k5login_would_be_counted(void **state)
{
    krb5_boolean (*found)(krb5_context, krb5_principal, const char *) = NULL;

    (void)state;
    *(void **)&found = dlsym(RTLD_DEFAULT, "krb5_kuserok");
    assert_ptr_equal(found, krb5_kuserok);
}

/* An administrator's rules count, for whole names as well. */
static void
rules_of_krb5_conf(void **state)
{
    (void)state;
    configure(REALM, "  auth_to_local = RULE:[1:$1@$0](.*@EVIL.TEST)s/@.*//\n"
                     "  auth_to_local_names = {\n   boss = alice\n  }\n"
                     "  auth_to_local = DEFAULT");
    assert_int_equal(gc_account_map("bob@EVIL.TEST", "bob", NULL), GC_OK);
    assert_int_equal(gc_account_map("boss@EXAMPLE.TEST", "alice", NULL), GC_OK);
    assert_int_equal(gc_account_map("boss@EXAMPLE.TEST", "boss", NULL),
                     GC_E_DENIED);
    assert_int_equal(gc_account_map("bob@OTHER.TEST", "bob", NULL),
                     GC_E_DENIED);
    assert_int_equal(gc_account_map("alice@EXAMPLE.TEST", "alice", NULL),
                     GC_OK);
}

static void
long_names_are_not_cut(void **state)
{
    char account[400], principal[500];

    (void)state;
    for (size_t len = 250; len < 260; len++) {
        memset(account, 'a', len);
        account[len] = '\0';
        (void)snprintf(principal, sizeof(principal), "%s@EXAMPLE.TEST",
                       account);
        assert_int_equal(gc_account_map(principal, account, NULL),
                         len <= 256 ? GC_OK : GC_E_DENIED);
        (void)snprintf(principal, sizeof(principal), "%sx@EXAMPLE.TEST",
                       account);
        assert_int_equal(gc_account_map(principal, account, NULL), GC_E_DENIED);
    }
}

static void
no_configuration(void **state)
{
    struct gc_error err;

    (void)state;
    configure("{{{", "");
    assert_int_equal(gc_account_map("alice@EXAMPLE.TEST", "alice", &err),
                     GC_E_CONFIG);
    configure(REALM, "  auth_to_local = NONSENSE");
    assert_int_equal(gc_account_map("alice@EXAMPLE.TEST", "alice", &err),
                     GC_E_CONFIG);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_principal_is_one_account, set_up),
        cmocka_unit_test_setup(k5login_would_be_counted, set_up),
        cmocka_unit_test_setup(rules_of_krb5_conf, set_up),
        cmocka_unit_test_setup(long_names_are_not_cut, set_up),
        cmocka_unit_test_setup(no_configuration, set_up),
    };

    return cmocka_run_group_tests_name("account", tests, open_conf,
                                       remove_conf);
}
