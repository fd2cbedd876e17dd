/* SPDX-License-Identifier: Apache-2.0 */
/* The table of statuses, and errors that are safe to print. */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "src/base/base.h"

/* Scripts are written against these: word and exit status. */
static void
words_and_exit_statuses_are_a_contract(void **state)
{
    static const struct {
        gc_status status;
        const char *word;
        int exit;
    } contract[] = {
        {GC_OK, "ok", 0},
        {GC_E_DENIED, "denied", 1},
        {GC_E_VCENTER_DENIED, "vcenter-denied", 1},
        {GC_E_NO_CREDENTIAL, "no-credential", 1},
        {GC_E_NOT_SUPPORTED, "not-supported", 1},
        {GC_E_NOT_FOUND, "not-found", 1},
        {GC_E_BUSY, "busy", 3},
        {GC_E_UNAVAILABLE, "unavailable", 3},
        {GC_E_UNTRUSTED, "untrusted", 1},
        {GC_E_PROTOCOL, "protocol", 1},
        {GC_E_FAILED, "failed", 1},
        {GC_E_CONFIG, "config", 2},
        {GC_E_NO_MEMORY, "no-memory", 1},
        {GC_E_INTERNAL, "internal", 1},
        {GC_E_CANCELED, "canceled", 130},
    };

    (void)state;
    assert_int_equal(GC_COUNT_OF(contract), GC_STATUS_COUNT);
    for (size_t i = 0; i < GC_COUNT_OF(contract); i++) {
        assert_string_equal(gc_status_word(contract[i].status),
                            contract[i].word);
        assert_int_equal(gc_status_exit(contract[i].status), contract[i].exit);
    }
    assert_string_equal(gc_status_word(GC_STATUS_COUNT), "internal");
    assert_int_equal(gc_status_exit(GC_STATUS_COUNT), 1);
}

static void
fail_fills_afresh(void **state)
{
    struct gc_error err = {.gss_major = 7, .again = true, .fault = "Old"};

    (void)state;
    (void)gc_fail_hint(&err, GC_OK, "old");
    assert_int_equal(gc_fail(&err, GC_E_DENIED, "%s is %d", "it", 3),
                     GC_E_DENIED);
    assert_int_equal(err.status, GC_E_DENIED);
    assert_string_equal(err.message, "it is 3");
    assert_string_equal(err.hint, "");
    assert_string_equal(err.fault, "");
    assert_int_equal(err.gss_major, 0);
    assert_false(err.again);
    assert_int_equal(gc_fail(NULL, GC_E_BUSY, "x"), GC_E_BUSY);
}

static void
context_and_hint_add_to_it(void **state)
{
    struct gc_error err;

    (void)state;
    (void)gc_fail(&err, GC_E_BUSY, "busy");
    assert_int_equal(gc_fail_context(&err, GC_E_BUSY, "VM %s", "vm-42"),
                     GC_E_BUSY);
    assert_string_equal(err.message, "VM vm-42: busy");
    assert_int_equal(gc_fail_hint(&err, GC_E_BUSY, "wait %d s", 5), GC_E_BUSY);
    assert_string_equal(err.hint, "wait 5 s");
    assert_int_equal(gc_fail_advise(&err, GC_E_BUSY, GC_ADVICE_PROXY),
                     GC_E_BUSY);
    assert_int_equal(err.advice, GC_ADVICE_PROXY);
    assert_non_null(strstr(err.hint, "proxy"));
    (void)gc_fail_hint(&err, GC_E_BUSY, "wait %d s", 5);
    assert_int_equal(err.advice, GC_ADVICE_NONE);
    assert_string_equal(err.message, "VM vm-42: busy");
    assert_int_equal(gc_fail_context(NULL, GC_E_BUSY, "x"), GC_E_BUSY);
    assert_int_equal(gc_fail_hint(NULL, GC_E_BUSY, "x"), GC_E_BUSY);
    assert_int_equal(gc_fail_advise(NULL, GC_E_BUSY, GC_ADVICE_CA), GC_E_BUSY);
    assert_int_equal(gc_fail_no_memory(&err), GC_E_NO_MEMORY);
    assert_int_equal(err.status, GC_E_NO_MEMORY);
}

static void
long_text_is_cut_and_ends(void **state)
{
    struct gc_error err;

    (void)state;
    for (int i = 0; i < 3; i++) {
        (void)gc_fail(&err, GC_E_FAILED, "%02000d", 0);
        (void)gc_fail_context(&err, GC_E_FAILED, "%02000d", 1);
        (void)gc_fail_hint(&err, GC_E_FAILED, "%02000d", 2);
        assert_non_null(memchr(err.message, '\0', sizeof(err.message)));
        assert_non_null(memchr(err.hint, '\0', sizeof(err.hint)));
    }
}

/* Printable UTF-8 as it is, everything else as \xNN. */
static void
escaping(void **state)
{
    static const struct {
        const char *raw, *escaped;
    } cases[] = {
        {"plain ~!", "plain ~!"},
        {"\x1b[31m", "\\x1b[31m"},
        {"a\r\nb\tc\x7f", "a\\x0d\\x0ab\\x09c\\x7f"},
        {"\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80",
         "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
        {"\xc2\x85\xc2\x9b", "\\xc2\\x85\\xc2\\x9b"}, /* C1 controls */
        {"\xc0\xaf", "\\xc0\\xaf"},                   /* overlong */
        {"\xe0\x80\xaf", "\\xe0\\x80\\xaf"},
        {"\xed\xa0\x80", "\\xed\\xa0\\x80"}, /* surrogate */
        {"\xf4\x90\x80\x80", "\\xf4\\x90\\x80\\x80"},
        {"\xe2\x82", "\\xe2\\x82"}, /* cut short */
        {"\xff\xfe", "\\xff\\xfe"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        char dst[128];
        struct gc_error err;

        gc_escape(dst, sizeof(dst), cases[i].raw, strlen(cases[i].raw));
        assert_string_equal(dst, cases[i].escaped);
        (void)gc_fail(&err, GC_E_FAILED, "%s", cases[i].raw);
        assert_string_equal(err.message, cases[i].escaped);
    }
}

/* Never half a character, never beyond the end. */
static void
escaping_into_little_room(void **state)
{
    (void)state;
    for (size_t size = 0; size < 12; size++) {
        char dst[16];

        memset(dst, '#', sizeof(dst));
        gc_escape(dst, size, "a\x01\xe2\x82\xac", 5);
        if (size > 0)
            assert_non_null(memchr(dst, '\0', size));
        assert_int_equal(dst[size], '#');
        if (size == 8)
            assert_string_equal(dst, "a\\x01");
        if (size == 9)
            assert_string_equal(dst, "a\\x01\xe2\x82\xac");
    }
    char dst[8] = "kept";
    gc_escape(dst, sizeof(dst), "a\0b", 3);
    assert_string_equal(dst, "a\\x00b");
}

static void
secrets_are_blanked(void **state)
{
    static const struct {
        const char *text, *secret, *blanked;
    } cases[] = {
        {"a hunter2 b", "hunter2", "a [...] b"},
        {"hunter2hunter2, hunter", "hunter2", "[...][...], [...]"},
        {"hunter 3", "hunter2", "hunter 3"},
        {"a\x1b\xc3\xa4z b", "a\x1b\xc3\xa4z", "[...] b"},
        {"a bcd", "bcd", "a bcd"}, /* too short to be told from prose */
        {"a bcde", "bcde", "a [...]"},
        {"cut: abcdefghijklmnop and more", "abcdefghijklmnopqrstuvwxyz",
         "cut: [...] and more"},
        {"no: abcdefghijklmno and more", "abcdefghijklmnopqrstuvwxyz",
         "no: abcdefghijklmno and more"},
        {"", "hunter2", ""},
    };
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        (void)gc_fail(&err, GC_E_BUSY, "%s", cases[i].text);
        (void)gc_fail_hint(&err, GC_E_BUSY, "%s", cases[i].text);
        gc_fail_blank(&err, cases[i].secret, strlen(cases[i].secret));
        assert_string_equal(err.message, cases[i].blanked);
        assert_string_equal(err.hint, cases[i].blanked);
        assert_int_equal(err.status, GC_E_BUSY);
    }
    gc_fail_blank(NULL, "hunter2", 7);
}

/* Four bytes become five, and what is longer than a message is cut. */
static void
blanking_stays_within_the_text(void **state)
{
    struct gc_error err;
    char text[GC_ERROR_MESSAGE_SIZE], secret[3000];

    (void)state;
    memset(text, 'x', sizeof(text));
    text[sizeof(text) - 1] = '\0';
    for (size_t len = 4; len < 6; len++) {
        (void)gc_fail(&err, GC_E_BUSY, "%s", text);
        (void)gc_fail_hint(&err, GC_E_BUSY, "%s", text);
        gc_fail_blank(&err, "xxxxx", len);
        assert_null(strstr(err.message, "xxxx"));
        assert_null(strstr(err.hint, "xxxx"));
        assert_non_null(memchr(err.message, '\0', sizeof(err.message)));
        assert_non_null(memchr(err.hint, '\0', sizeof(err.hint)));
    }
    memset(secret, '\x01', sizeof(secret));
    (void)gc_fail(&err, GC_E_BUSY, "VM: %.*s", (int)sizeof(secret), secret);
    gc_fail_blank(&err, secret, sizeof(secret));
    assert_null(strstr(err.message, "x01"));
    /* Nor is anything of it left behind the end. */
    (void)gc_fail(&err, GC_E_BUSY, "the password hunter2hunter2");
    gc_fail_blank(&err, "hunter2hunter2", 14);
    assert_null(memmem(err.message, sizeof(err.message), "unter", 5));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_and_exit_statuses_are_a_contract),
        cmocka_unit_test(fail_fills_afresh),
        cmocka_unit_test(context_and_hint_add_to_it),
        cmocka_unit_test(long_text_is_cut_and_ends),
        cmocka_unit_test(escaping),
        cmocka_unit_test(escaping_into_little_room),
        cmocka_unit_test(secrets_are_blanked),
        cmocka_unit_test(blanking_stays_within_the_text),
    };

    return cmocka_run_group_tests_name("error", tests, NULL, NULL);
}
