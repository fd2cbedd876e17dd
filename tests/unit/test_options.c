/* SPDX-License-Identifier: Apache-2.0 */
/* The option table: who wins, what is refused. */
#include <config.h>

#include "src/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void
test_higher_origin_wins(void **state)
{
    GC_AUTO(gc_options) c = {0};

    (void)state;
    assert_null(gc_options_text(&c, GC_OPT_URL));
    assert_int_equal(
        gc_options_put(&c, GC_OPT_URL, "env", GC_FROM_ENVIRONMENT, "x", NULL),
        GC_OK);
    assert_int_equal(
        gc_options_put(&c, GC_OPT_URL, "govc", GC_FROM_GOVC, "x", NULL), GC_OK);
    assert_string_equal(gc_options_text(&c, GC_OPT_URL), "env");
    assert_int_equal(
        gc_options_put(&c, GC_OPT_URL, "line", GC_FROM_COMMAND_LINE, "x", NULL),
        GC_OK);
    assert_string_equal(gc_options_text(&c, GC_OPT_URL), "line");
    assert_int_equal(gc_options_origin(&c, GC_OPT_URL), GC_FROM_COMMAND_LINE);
}

static void
test_lists_grow_and_texts_do_not(void **state)
{
    GC_AUTO(gc_options) c = {0};
    struct gc_error err = {0};

    (void)state;
    assert_int_equal(
        gc_options_put(&c, GC_OPT_VM, "env", GC_FROM_ENVIRONMENT, "x", NULL),
        GC_OK);
    assert_int_equal(
        gc_options_put(&c, GC_OPT_VM, "a", GC_FROM_COMMAND_LINE, "x", NULL),
        GC_OK);
    assert_int_equal(
        gc_options_put(&c, GC_OPT_VM, "b", GC_FROM_COMMAND_LINE, "x", NULL),
        GC_OK);
    assert_int_equal(gc_options_count(&c, GC_OPT_VM), 2);
    assert_string_equal(gc_options_item(&c, GC_OPT_VM, 1), "b");
    assert_null(gc_options_item(&c, GC_OPT_VM, 2));

    assert_int_equal(gc_options_put(&c, GC_OPT_SPN, "host/a",
                                    GC_FROM_COMMAND_LINE, "x", NULL),
                     GC_OK);
    assert_int_equal(gc_options_put(&c, GC_OPT_SPN, "host/b",
                                    GC_FROM_COMMAND_LINE, "x", &err),
                     GC_E_CONFIG);
    assert_string_equal(err.message, "spn is given twice");
    for (size_t i = 2; i < GC_OPTIONS_LIST_MAX; i++)
        assert_int_equal(
            gc_options_put(&c, GC_OPT_VM, "x", GC_FROM_COMMAND_LINE, "x", NULL),
            GC_OK);
    assert_int_equal(
        gc_options_put(&c, GC_OPT_VM, "x", GC_FROM_COMMAND_LINE, "x", NULL),
        GC_E_CONFIG);
}

static void
test_bad_values(void **state)
{
    static const char *const timeouts[] = {
        "0", "-1", "3601", "1.5", "5s", "99999999999999999999", " 5", "x"};
    GC_AUTO(gc_options) c = {0};
    char *longest = calloc(1, GC_OPTIONS_TEXT_MAX + 2);

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(timeouts); i++)
        assert_int_equal(gc_options_put(&c, GC_OPT_TIMEOUT, timeouts[i],
                                        GC_FROM_COMMAND_LINE, "x", NULL),
                         GC_E_CONFIG);
    assert_int_equal(gc_options_timeout_ms(&c, 30), 30000);
    assert_int_equal(gc_options_put(&c, GC_OPT_TIMEOUT, "3600",
                                    GC_FROM_COMMAND_LINE, "x", NULL),
                     GC_OK);
    assert_int_equal(gc_options_timeout_ms(&c, 30), 3600000);
    assert_int_equal(
        gc_options_put(&c, GC_OPT_SPN, "", GC_FROM_COMMAND_LINE, "x", NULL),
        GC_E_CONFIG);
    assert_int_equal(
        gc_options_put(&c, GC_OPT_SPN, "a\nb", GC_FROM_COMMAND_LINE, "x", NULL),
        GC_E_CONFIG);
    memset(longest, 'x', GC_OPTIONS_TEXT_MAX);
    assert_int_equal(gc_options_put(&c, GC_OPT_SPN, longest,
                                    GC_FROM_COMMAND_LINE, "x", NULL),
                     GC_OK);
    longest[GC_OPTIONS_TEXT_MAX] = 'x';
    assert_int_equal(gc_options_put(&c, GC_OPT_URL, longest,
                                    GC_FROM_COMMAND_LINE, "x", NULL),
                     GC_E_CONFIG);
    free(longest);
}

/* What can go into no request; but a file or an account may be called anything.
 */
static void
test_what_is_no_text(void **state)
{
    static const char split[] = "a\xff"
                                "b";
    static const char *const bad[] = {
        "\xff", split, "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "g\xc3"};
    static const gc_option texts[] = {
        GC_OPT_URL,          GC_OPT_USERNAME, GC_OPT_PIN,  GC_OPT_PROXY,
        GC_OPT_VM,           GC_OPT_SPN,      GC_OPT_MECH, GC_OPT_PRINCIPAL,
        GC_OPT_ON_BEHALF_OF, GC_OPT_PAM_VM};
    static const gc_option files[] = {GC_OPT_PAM_VM_ENV,
                                      GC_OPT_PAM_S4U_USERS,
                                      GC_OPT_PAM_REQUIRE_PRINCIPAL,
                                      GC_OPT_PASSWORD_FILE,
                                      GC_OPT_CA_FILE,
                                      GC_OPT_STORE,
                                      GC_OPT_CONFIG,
                                      GC_OPT_VMS_FROM,
                                      GC_OPT_KEYTAB,
                                      GC_OPT_CCACHE,
                                      GC_OPT_PAM_MAP,
                                      GC_OPT_PAM_KEYTAB,
                                      GC_OPT_PAM_CCACHE,
                                      GC_OPT_PAM_HELPER,
                                      GC_OPT_TICKET_FILE};
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad) * GC_COUNT_OF(texts); i++) {
        GC_AUTO(gc_options) c = {0};
        gc_option o = texts[i / GC_COUNT_OF(bad)];

        assert_int_equal(gc_options_put(&c, o, bad[i % GC_COUNT_OF(bad)],
                                        GC_FROM_COMMAND_LINE, "x", &err),
                         GC_E_CONFIG);
        assert_non_null(strstr(err.message, gc_option_info(o)->name));
        assert_non_null(strstr(err.message, "not UTF-8"));
        assert_int_equal(gc_options_put(&c, o, "g\xc3\xa4st \xf0\x9f\x98\x80",
                                        GC_FROM_COMMAND_LINE, "x", &err),
                         GC_OK);
    }
    for (size_t i = 0; i < GC_COUNT_OF(files); i++) {
        GC_AUTO(gc_options) c = {0};

        assert_int_equal(gc_options_put(&c, files[i], "/\xff",
                                        GC_FROM_COMMAND_LINE, "x", NULL),
                         GC_OK);
    }
}

static gc_status
file(struct gc_options *c, const char *text, struct gc_error *err)
{
    return gc_options_put_file(c, "/etc/x.conf", text, strlen(text),
                               GC_FROM_SYSTEM_FILE, err);
}

static void
test_file(void **state)
{
    GC_AUTO(gc_options) c = {0};
    struct gc_error err = {0};

    (void)state;
    assert_int_equal(file(&c,
                          "# comment\n\n  url = https://vc  \n"
                          "password_file=/p w\r\nca-file\t=\t/ca\nmutual\n"
                          "no_session_reuse = no\nusername = a=b",
                          &err),
                     GC_OK);
    assert_string_equal(gc_options_text(&c, GC_OPT_URL), "https://vc");
    assert_string_equal(gc_options_where(&c, GC_OPT_URL), "/etc/x.conf:3");
    assert_string_equal(gc_options_text(&c, GC_OPT_PASSWORD_FILE), "/p w");
    assert_string_equal(gc_options_text(&c, GC_OPT_CA_FILE), "/ca");
    assert_string_equal(gc_options_text(&c, GC_OPT_USERNAME), "a=b");
    assert_true(gc_options_flag(&c, GC_OPT_MUTUAL));
    assert_false(gc_options_flag(&c, GC_OPT_NO_SESSION_REUSE));
    assert_int_equal(gc_options_put(&c, GC_OPT_MUTUAL, NULL,
                                    GC_FROM_COMMAND_LINE, "command line", NULL),
                     GC_OK);
    assert_true(gc_options_flag(&c, GC_OPT_MUTUAL));
}

static void
test_bad_files(void **state)
{
    static const char *const bad[] = {"nonsense = 1",
                                      "url",
                                      "url =",
                                      "url = a\nurl = b",
                                      "mutual = maybe",
                                      "insecure = yes",
                                      "json = yes",
                                      "ticket_file = x",
                                      "= x",
                                      "urls = https://vc",
                                      "ur = https://vc"};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        GC_AUTO(gc_options) c = {0};
        struct gc_error err = {0};

        assert_int_equal(file(&c, bad[i], &err), GC_E_CONFIG);
        assert_non_null(strstr(err.message, "/etc/x.conf:"));
    }
    {
        GC_AUTO(gc_options) c = {0};

        assert_int_equal(gc_options_put_file(&c, "f", "url = a\0b", 9,
                                             GC_FROM_USER_FILE, NULL),
                         GC_E_CONFIG);
    }
}

/* What is the PAM module's alone is nothing to a command, and back. */
static void
one_file_for_both(void **state)
{
    static const char text[] = "minimum_uid = 7\nurl = https://vc\n"
                               "store = /x\nkeytab = /k\nspn = host/{vm}\n";
    GC_AUTO(gc_options) command = {0}, pam = {0};
    struct gc_error err = {0};

    (void)state;
    assert_int_equal(gc_options_put_file(&command, "f", text, strlen(text),
                                         GC_FROM_SYSTEM_FILE, NULL),
                     GC_OK);
    assert_string_equal(gc_options_text(&command, GC_OPT_STORE), "/x");
    assert_string_equal(gc_options_text(&command, GC_OPT_SPN), "host/{vm}");
    assert_null(gc_options_text(&command, GC_OPT_KEYTAB));
    assert_null(gc_options_text(&command, GC_OPT_PAM_KEYTAB));
    assert_int_equal(
        gc_options_put_pam_file(&pam, "f", text, strlen(text), NULL), GC_OK);
    assert_int_equal(gc_options_minimum_uid(&pam), 7);
    assert_string_equal(gc_options_text(&pam, GC_OPT_URL), "https://vc");
    assert_string_equal(gc_options_text(&pam, GC_OPT_PAM_KEYTAB), "/k");
    assert_null(gc_options_text(&pam, GC_OPT_STORE));
    assert_int_equal(gc_options_count(&pam, GC_OPT_PAM_SPN), 0);
    assert_int_equal(gc_options_put_pam_file(&pam, "f", "bogus=1", 7, &err),
                     GC_E_CONFIG);
    /* Arguments win over the file, and there is one of each. */
    assert_int_equal(gc_options_put_pam_argument(&pam, "minimum_uid=9", NULL),
                     GC_OK);
    assert_int_equal(gc_options_minimum_uid(&pam), 9);
    assert_int_equal(gc_options_put_pam_argument(&pam, "minimum-uid=9", NULL),
                     GC_E_CONFIG);
    assert_int_equal(
        gc_options_put_pam_argument(&pam, "s4u_users=alice,@ops", NULL), GC_OK);
    assert_string_equal(gc_options_text(&pam, GC_OPT_PAM_S4U_USERS),
                        "alice,@ops");
    assert_int_equal(gc_options_put_pam_argument(&pam, "s4u_users", NULL),
                     GC_E_CONFIG);
    assert_int_equal(gc_options_put_pam_argument(&pam, "ledger=/x", NULL),
                     GC_E_CONFIG);
    assert_int_equal(gc_options_put_pam_argument(&pam, "url", NULL),
                     GC_E_CONFIG);
}

static void
vms_are_literal(void **state)
{
    static const char *const bad[] = {
        "",
        "vm-",
        "vm",
        "vm-1x",
        "VM-1",
        "/vm-1",
        "x/vm-1",
        "vm-1/",
        "vm-1 ",
        "vm--1",
        "build-win",
        "uuid:x",
        "vm-1\n",
        "group-1",
        "vm-1234567890123456789",
        "2c3d4e5f-0000-4000-8000-00000000abcd",
        "2c3d4e5f-0000-4000-8000-00000000abcd/",
        "2c3d4e5f-0000-4000-8000-00000000abcg/vm-1",
        "2c3d4e5f-0000-4000-8000-00000000abc/vm-1",
        "2c3d4e5f-0000-4000-8000-00000000abcd0/vm-1",
        "2c3d4e5f-0000-4000-8000-00000000abcdx/vm-1",
        "2c3d4e5f-0000-4000-8000-00000000abcd/x/vm-1",
    };
    struct gc_options_vm vm = {.moid = "x"};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        if (gc_options_vm_split(bad[i], &vm))
            fail_msg("taken: %s", bad[i]);
    assert_string_equal(vm.moid, "x");
    assert_true(gc_options_vm_split("vm-123456789012345678", NULL));
    assert_true(gc_options_vm_split("vm-123456789012345678", &vm));
    assert_string_equal(vm.vcenter, "");
    assert_string_equal(vm.moid, "vm-123456789012345678");
    assert_true(
        gc_options_vm_split("2C3D4E5F-0000-4000-8000-00000000ABCD/vm-0", &vm));
    assert_string_equal(vm.vcenter, "2c3d4e5f-0000-4000-8000-00000000abcd");
    assert_string_equal(vm.moid, "vm-0");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_higher_origin_wins),
        cmocka_unit_test(test_lists_grow_and_texts_do_not),
        cmocka_unit_test(test_bad_values),
        cmocka_unit_test(test_what_is_no_text),
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(one_file_for_both),
        cmocka_unit_test(vms_are_literal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
