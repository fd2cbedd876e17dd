/* SPDX-License-Identifier: Apache-2.0 */
/* Target names: what is one, what is none, and how it is written. */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "gss/spn.h"

static void
names_that_are_targets(void **state)
{
    static const struct {
        const char *text, *printed, *principal;
    } cases[] = {
        {"host/guest1.example.test", "host/guest1.example.test",
         "host/guest1.example.test@"},
        {"HOST/Guest1.Example.Test", "host/Guest1.Example.Test",
         "host/Guest1.Example.Test@"},
        {"host@guest1.example.test", "host/guest1.example.test",
         "host/guest1.example.test@"},
        {"host/guest1.example.test@EXAMPLE.TEST",
         "host/guest1.example.test@EXAMPLE.TEST",
         "host/guest1.example.test@EXAMPLE.TEST"},
        {"host@guest1@EXAMPLE.TEST", "host/guest1@EXAMPLE.TEST",
         "host/guest1@EXAMPLE.TEST"},
        {"host/guest1.", "host/guest1", "host/guest1@"},
        {"host/guest1.@R", "host/guest1@R", "host/guest1@R"},
        {"MSSQLSvc/db.example.test:1433", "mssqlsvc/db.example.test:1433",
         "mssqlsvc/db.example.test:1433@"},
        {"h/g", "h/g", "h/g@"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct gc_spn spn;
        char text[GC_TARGET_SIZE];

        assert_int_equal(gc_spn_parse(cases[i].text, &spn, NULL), GC_OK);
        gc_spn_print(&spn, text);
        assert_string_equal(text, cases[i].printed);
        gc_spn_principal(&spn, text);
        assert_string_equal(text, cases[i].principal);
    }
}

static void
names_that_are_none(void **state)
{
    static const char *const cases[] = {
        "",
        "host",
        "guest1.example.test",
        "/guest1",
        "@guest1",
        "host/",
        "host@",
        "host/@REALM",
        "host/.",
        "host/..",
        "host/.guest1",
        "host/guest1..",
        "host/guest1..example",
        "host/guest1@",
        "host/guest1/extra",
        "host/guest1@REALM@OTHER",
        "host/guest1@REALM/x",
        "host@guest1/extra",
        "host/gue st1",
        "host/guest1\n",
        "host/guest1\t@R",
        "host/guest1\x7f",
        "ho\rst/guest1",
        "host/guest1@RE ALM",
        "host/guest\\1",
        "EXAMPLE\\host/guest1",
        "host/gu\xc3\xa4st",
        "host/guest1@R\xc3\x84LM",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct gc_spn spn = {"untouched", "", ""};
        struct gc_error err = {.status = GC_OK};

        assert_int_equal(gc_spn_parse(cases[i], &spn, &err), GC_E_CONFIG);
        assert_int_equal(err.status, GC_E_CONFIG);
        assert_true(strlen(err.message) > 10);
        assert_non_null(strstr(err.hint, "host/"));
        assert_string_equal(spn.service, "untouched");
    }
}

/* Every part at its limit, and one byte beyond. */
static void
lengths(void **state)
{
    struct gc_spn spn;
    char text[1024], printed[GC_TARGET_SIZE];

    (void)state;
    for (int extra = 0; extra < 2; extra++) {
        gc_status expected = extra == 0 ? GC_OK : GC_E_CONFIG;

        (void)snprintf(text, sizeof(text), "%0*d/g", 31 + extra, 0);
        assert_int_equal(gc_spn_parse(text, &spn, NULL), expected);
        (void)snprintf(text, sizeof(text), "h/%0*d", 255 + extra, 0);
        assert_int_equal(gc_spn_parse(text, &spn, NULL), expected);
        (void)snprintf(text, sizeof(text), "h/g@%0*d", 255 + extra, 0);
        assert_int_equal(gc_spn_parse(text, &spn, NULL), expected);
        /* 4 + 1 + 255 + 1 + 250 = 511, what fits with its NUL. */
        (void)snprintf(text, sizeof(text), "host/%0255d@%0*d", 0, 250 + extra,
                       0);
        assert_int_equal(gc_spn_parse(text, &spn, NULL), expected);
        if (expected != GC_OK)
            continue;
        gc_spn_print(&spn, printed);
        assert_string_equal(printed, text);
        gc_spn_principal(&spn, printed);
        assert_string_equal(printed, text);
    }
}

/* Text from outside comes out escaped. */
static void
errors_are_safe_to_print(void **state)
{
    struct gc_error err;
    struct gc_spn spn;

    (void)state;
    assert_int_equal(gc_spn_parse("host/\x1b[2Jguest", &spn, &err),
                     GC_E_CONFIG);
    assert_null(strchr(err.message, '\x1b'));
    assert_non_null(strstr(err.message, "\\x1b"));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_that_are_targets),
        cmocka_unit_test(names_that_are_none),
        cmocka_unit_test(lengths),
        cmocka_unit_test(errors_are_safe_to_print),
    };

    return cmocka_run_group_tests_name("spn", tests, NULL, NULL);
}
