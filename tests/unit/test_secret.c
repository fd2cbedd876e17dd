/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Passwords from files: what a user may name, and how long is waited.
 */

#include <config.h>

#include "src/secret.h"

#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "tests/unit/skips.h"
#include "tests/unit/tickets_help.h"

#define NOBODY 65534
#define MAX    16

static int
setup(void **state)
{
    *state = NULL;
    help_begin();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    help_end();
    return 0;
}

static gc_status
password(const char *path, struct gc_bytes *ret_password, struct gc_error *err)
{
    const struct gc_limit limit = gc_limit_grace(50);

    return gc_secret_password(path, MAX, limit, ret_password, err);
}

/* Is SUB read?  If so it must hold "s3cret", else nothing. */
static bool
taken(const char *sub, bool private)
{
    const struct gc_limit limit = gc_limit_grace(50);
    GC_AUTO(gc_bytes) found = {0};
    struct gc_error err;
    gc_status st =
        gc_secret_read(help_path(sub), private, MAX, limit, &found, &err);

    if (st == GC_OK) {
        assert_memory_equal(gc_bytes_text(&found), "s3cret", 6);
        return true;
    }
    assert_int_equal(st, GC_E_CONFIG);
    assert_null(strstr(err.message, "s3cret"));
    assert_int_equal(found.len, 0);
    return false;
}

/* What vCenter or a key could be told only in another spelling. */
static void
test_no_text(void **state)
{
    GC_AUTO(gc_bytes) found = {0};
    struct gc_error err = {0};

    (void)state;
    help_file(help_path("file"), "s3cret\xff\n", 8, 0600);
    assert_int_equal(password(help_path("file"), &found, &err), GC_OK);
    assert_int_equal(gc_secret_check_text(&found, "a file", &err), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "from a file"));
    assert_non_null(strstr(err.message, "not UTF-8"));
    assert_null(strstr(err.message, "xff"));
    help_file(help_path("file"), "s3cr\xc3\xa9t\n", 8, 0600);
    assert_int_equal(password(help_path("file"), &found, &err), GC_OK);
    assert_string_equal(gc_bytes_text(&found), "s3cr\xc3\xa9t");
    assert_int_equal(gc_secret_check_text(&found, "a file", &err), GC_OK);
}

static void
test_modes(void **state)
{
    (void)state;
    help_file(help_path("file"), "s3cret\n", 7, 0600);
    assert_true(taken("file", true));
    for (unsigned bit = 01; bit <= 040; bit <<= 1) {
        assert_int_equal(chmod(help_path("file"), 0600 | bit), 0);
        assert_true(taken("file", false));
        assert_false(taken("file", true));
    }
}

static void
test_owner(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip_because("needs root to give a file away");
    help_file(help_path("file"), "s3cret", 6, 0600);
    assert_int_equal(chown(help_path("file"), NOBODY, NOBODY), 0);
    assert_true(taken("file", false));
    assert_false(taken("file", true));
}

static void
test_kinds(void **state)
{
    GC_AUTO(gc_bytes) found = {0};
    struct gc_error err;

    (void)state;
    help_file(help_path("file"), "s3cret", 6, 0600);
    assert_int_equal(symlink("file", help_path("link")), 0);
    assert_true(taken("link", true));
    assert_false(taken("absent", true));
    assert_false(taken("", false));

    assert_int_equal(password("/dev/null", &found, &err), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "is empty"));
}

static void
test_contents(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *want; /* NULL: refused, and … */
        const char *says; /* … this said */
    } cases[] = {
        {"a", 1, "a", NULL},
        {"a\n", 2, "a", NULL},
        {"a\n\n", 3, NULL, "has a second line"},
        {"a\nb", 3, NULL, "has a second line"},
        {" a\r\n", 4, NULL, "holds a carriage return"},
        {"a\rb", 3, NULL, "holds a carriage return"},
        {"\xef\xbb\xbf"
         "a",
         4, NULL, "begins with a byte order mark"},
        {"a\xef\xbb\xbf", 4, "a\xef\xbb\xbf", NULL},
        {"\xff\xfe"
         "a\0\r\0\n\0",
         8, NULL, "holds a NUL"},
        {"", 0, NULL, "is empty"},
        {"\n", 1, NULL, "is empty"},
        {"a\0b", 3, NULL, "holds a NUL"},
        {"0123456789abcde\n", 16, "0123456789abcde", NULL},
        {"0123456789abcdef", 16, NULL, "longer than 15"},
        {"0123456789abcdef\n", 17, NULL, "longer than 15"},
        {"0123456789abcdefghijklmnopqrstuv", 32, NULL, "larger than 17"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        GC_AUTO(gc_bytes) found = {0};
        struct gc_error err;
        gc_status st;

        help_file(help_path("file"), cases[i].text, (long)(cases[i].len), 0600);
        st = password(help_path("file"), &found, &err);
        assert_int_equal(st, cases[i].want == NULL ? GC_E_CONFIG : GC_OK);
        if (cases[i].want != NULL)
            assert_string_equal(gc_bytes_text(&found), cases[i].want);
        else
            assert_non_null(strstr(err.message, cases[i].says));
    }
}

static void
test_long_files(void **state)
{
    const struct gc_limit limit = gc_limit_grace(5000);
    GC_AUTO(gc_bytes) found = {0};
    char text[10000];
    struct gc_error err;

    (void)state;
    memset(text, 'x', sizeof(text));
    help_file(help_path("file"), text, (long)(sizeof(text)), 0600);
    assert_int_equal(
        gc_secret_read(help_path("file"), true, 9999, limit, &found, &err),
        GC_E_CONFIG);
    assert_int_equal(found.len, 0);
    assert_int_equal(
        gc_secret_read(help_path("file"), true, 10000, limit, &found, &err),
        GC_OK);
    assert_int_equal(found.len, 10000);
    assert_memory_equal(found.data, text, sizeof(text));
}

/* A pipe whose writer says nothing, until somebody interrupts. */
static void
test_limit(void **state)
{
    struct gc_limit limit = gc_limit_grace(30);
    GC_AUTO(gc_bytes) found = {0};
    struct gc_error err;
    int cancel[2], fifo;

    (void)state;
    assert_int_equal(mkfifo(help_path("fifo"), 0600), 0);
    fifo = open(help_path("fifo"), O_RDWR | O_CLOEXEC);
    assert_true(fifo >= 0);
    assert_int_equal(pipe(cancel), 0);
    assert_int_equal(
        gc_secret_password(help_path("fifo"), MAX, limit, &found, &err),
        GC_E_UNAVAILABLE);
    assert_int_equal(write(cancel[1], "x", 1), 1);
    limit = (struct gc_limit){gc_clock_now() + 60000, cancel[0]};
    assert_int_equal(
        gc_secret_password(help_path("fifo"), MAX, limit, &found, &err),
        GC_E_CANCELED);
    (void)close(fifo);
    (void)close(cancel[0]);
    (void)close(cancel[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_modes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_owner, setup, teardown),
        cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
        cmocka_unit_test_setup_teardown(test_contents, setup, teardown),
        cmocka_unit_test_setup_teardown(test_long_files, setup, teardown),
        cmocka_unit_test_setup_teardown(test_limit, setup, teardown),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("secret", tests, NULL, NULL));
}
