/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields: what is written is read as the same, and nothing else is read.
 */

#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/base/fields.h"

typedef enum { RED, GREEN, BLUE } colour;
static const char *const colours[] = {"red", "green", "blue", NULL};

struct record {
    char name[9];
    int64_t number;
    bool flag;
    colour word;
    struct gc_bytes bytes;
};

static void
record_clear(struct record *r)
{
    gc_bytes_clear(&r->bytes);
}
#define AUTO_RECORD __attribute__((cleanup(record_clear))) struct record

static const struct gc_field fields[] = {
    {"name", GC_FIELD_TEXT, GC_FIELD_AT(record, name), NULL},
    {"number", GC_FIELD_NUMBER, GC_FIELD_AT(record, number), NULL},
    {"flag", GC_FIELD_FLAG, GC_FIELD_AT(record, flag), NULL},
    {"word", GC_FIELD_WORD, GC_FIELD_AT(record, word), colours},
    {"bytes", GC_FIELD_BYTES, offsetof(struct record, bytes), 6, NULL},
};

static gc_status
write_record(const struct record *r, struct gc_bytes *ret_text)
{
    struct gc_error err = {0};
    gc_status st = gc_fields_write("thing", fields, GC_COUNT_OF(fields), r,
                                   ret_text, &err);

    assert_int_equal(st, err.status);
    return st;
}

static gc_status
read_bytes(const void *data, size_t len, struct record *r, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};

    assert_int_equal(gc_bytes_set(&text, data, len, NULL), GC_OK);
    return gc_fields_read("thing", fields, GC_COUNT_OF(fields), &text, r, err);
}

static gc_status
read_text(const char *text, struct record *r)
{
    struct gc_error err = {0};
    gc_status st = read_bytes(text, strlen(text), r, &err);

    assert_int_equal(st, err.status);
    return st;
}

static void
test_round(void **state)
{
    AUTO_RECORD r = {
        .name = "x\xc3\xa4\\\n", .number = -12, .flag = true, .word = BLUE};
    AUTO_RECORD again = {0};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&r.bytes, "a\0\xff=", 4, NULL), GC_OK);
    assert_int_equal(write_record(&r, &text), GC_OK);
    assert_string_equal(gc_bytes_text(&text), "guestcred 1 thing\n"
                                              "name=x\xc3\xa4\\x5c\\x0a\n"
                                              "number=-12\n"
                                              "flag=yes\n"
                                              "word=blue\n"
                                              "bytes=a\\x00\\xff=\n"
                                              "end\n");
    /* What was there before goes. */
    again.number = 7;
    assert_int_equal(gc_bytes_set(&again.bytes, "old", 3, NULL), GC_OK);
    assert_int_equal(read_text(gc_bytes_text(&text), &again), GC_OK);
    assert_string_equal(again.name, r.name);
    assert_int_equal(again.number, -12);
    assert_true(again.flag);
    assert_int_equal(again.word, BLUE);
    assert_true(gc_bytes_equal(&again.bytes, &r.bytes));
}

/* What is empty is not written, and what is absent becomes empty. */
static void
test_empty(void **state)
{
    AUTO_RECORD r = {0};
    AUTO_RECORD again = {"old", 1, true, BLUE, {0}};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&again.bytes, "old", 3, NULL), GC_OK);
    assert_int_equal(write_record(&r, &text), GC_OK);
    assert_string_equal(gc_bytes_text(&text),
                        "guestcred 1 thing\nword=red\nend\n");
    assert_int_equal(read_text("guestcred 1 thing\nend\n", &again), GC_OK);
    assert_string_equal(again.name, "");
    assert_int_equal(again.number, 0);
    assert_false(again.flag);
    assert_int_equal(again.word, RED);
    assert_int_equal(again.bytes.len, 0);
}

static void
test_order_is_free(void **state)
{
    AUTO_RECORD r = {0};

    (void)state;
    assert_int_equal(read_text("guestcred 1 thing\nbytes=b\nnumber=0\nname=\n"
                               "word=green\nend\n",
                               &r),
                     GC_OK);
    assert_string_equal(gc_bytes_text(&r.bytes), "b");
    assert_int_equal(r.word, GREEN);
}

static void
test_not_written(void **state)
{
    AUTO_RECORD r = {.name = "12345678"};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    assert_int_equal(write_record(&r, &text), GC_OK);
    r.name[8] = 'x';
    assert_int_equal(write_record(&r, &text), GC_E_INTERNAL);
    memcpy(r.name, "\xff", 2);
    assert_int_equal(write_record(&r, &text), GC_E_INTERNAL);
    r.name[0] = '\0';
    r.word = (colour)3;
    assert_int_equal(write_record(&r, &text), GC_E_INTERNAL);
    r.word = RED;
    assert_int_equal(gc_bytes_set(&r.bytes, "1234567", 7, NULL), GC_OK);
    assert_int_equal(write_record(&r, &text), GC_E_INTERNAL);
    /* The last that could be written is still there. */
    assert_non_null(strstr(gc_bytes_text(&text), "name=12345678\n"));
}

static void
test_numbers(void **state)
{
    static const char *const bad[] = {"",
                                      "+5",
                                      "05",
                                      "-0",
                                      "-",
                                      "5 ",
                                      " 5",
                                      "0x5",
                                      "1e3",
                                      "00",
                                      "5.",
                                      "9223372036854775808",
                                      "-01",
                                      "-9223372036854775809",
                                      "99999999999999999999"};
    static const int64_t good[] = {INT64_MAX, INT64_MIN, 1, -1, 10};
    char text[128];
    AUTO_RECORD r = {0};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        (void)snprintf(text, sizeof(text),
                       "guestcred 1 thing\nnumber=%s\nend\n", bad[i]);
        assert_int_equal(read_text(text, &r), GC_E_PROTOCOL);
    }
    for (size_t i = 0; i < GC_COUNT_OF(good); i++) {
        GC_AUTO(gc_bytes) out = {0};

        r.number = good[i];
        assert_int_equal(write_record(&r, &out), GC_OK);
        r.number = 0;
        assert_int_equal(read_text(gc_bytes_text(&out), &r), GC_OK);
        assert_true(r.number == good[i]);
    }
}

static void
test_refused(void **state)
{
    static const struct {
        const char *text, *why;
    } bad[] = {
        {"", "line 1 is not \"guestcred 1 thing\""},
        {"guestcred 1 thing", "line 1 is not"},
        {"guestcred 2 thing\nend\n", "line 1 is not"},
        {"guestcred 1 other\nend\n", "line 1 is not"},
        {"guestcred 1 thing \nend\n", "line 1 is not"},
        {"\nguestcred 1 thing\nend\n", "line 1 is not"},
        {"guestcred 1 thing\n", "line 2: the end is missing"},
        {"guestcred 1 thing\nend", "line 2: the end is missing"},
        {"guestcred 1 thing\nnumber=1\n", "line 3: the end is missing"},
        {"guestcred 1 thing\nnumber=1", "line 2: the end is missing"},
        {"guestcred 1 thing\nend\n\n", "line 3: more after the end"},
        {"guestcred 1 thing\nend\nend\n", "line 3: more after the end"},
        {"guestcred 1 thing\nend \n", "line 2: an unknown field"},
        {"guestcred 1 thing\n\nend\n", "line 2: an unknown field"},
        {"guestcred 1 thing\nnumber\nend\n", "line 2: an unknown field"},
        {"guestcred 1 thing\n=1\nend\n", "line 2: an unknown field"},
        {"guestcred 1 thing\nNumber=1\nend\n", "line 2: an unknown field"},
        {"guestcred 1 thing\nnumber =1\nend\n", "line 2: an unknown field"},
        {"guestcred 1 thing\nnumber=1\nnumber=1\nend\n",
         "line 3: \"number\" again"},
        {"guestcred 1 thing\nname=123456789\nend\n",
         "line 2: not a value that \"name\" can have"},
        {"guestcred 1 thing\nname=a\\x00\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\\xff\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\xff\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\x01\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\r\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\\\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\\n\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\\x4\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\\x4G\nend\n", "\"name\""},
        {"guestcred 1 thing\nname=a\\xAB\nend\n", "\"name\""},
        {"guestcred 1 thing\nflag=no\nend\n", "\"flag\""},
        {"guestcred 1 thing\nflag=\nend\n", "\"flag\""},
        {"guestcred 1 thing\nword=yellow\nend\n", "\"word\""},
        {"guestcred 1 thing\nword=\nend\n", "\"word\""},
        {"guestcred 1 thing\nbytes=1234567\nend\n", "\"bytes\""},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        struct gc_error err = {0};
        AUTO_RECORD r = {0};

        assert_int_equal(read_bytes(bad[i].text, strlen(bad[i].text), &r, &err),
                         GC_E_PROTOCOL);
        if (strstr(err.message, bad[i].why) == NULL)
            fail_msg("%s: %s", bad[i].text, err.message);
    }
}

/* A NUL is nowhere the end of a text. */
static void
test_nuls(void **state)
{
    static const char *const texts[] = {
        "guestcred 1 thing\nnumber=1|\nend\n",
        "guestcred 1 thing\nname=a|\nend\n",
        "guestcred 1 thing|\nend\n",
        "guestcred 1 thing\nend\n|",
        "guestcred 1 thing\nend|\n",
        "guestcred 1 thing\nnumber|=1\nend\n",
        "|",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(texts); i++) {
        size_t len = strlen(texts[i]);
        char copy[64];
        AUTO_RECORD r = {0};

        for (size_t at = 0; at <= len; at++)
            copy[at] = texts[i][at] == '|' ? '\0' : texts[i][at];
        assert_int_equal(read_bytes(copy, len, &r, NULL), GC_E_PROTOCOL);
    }
}

/* Of what is secret nothing is told, wherever it is cut. */
static void
test_quotes_nothing(void **state)
{
    static const char whole[] = "guestcred 1 thing\nname=\\x61\n"
                                "bytes=s3cret\nword=green\nend\n";

    (void)state;
    for (size_t len = 0; len < sizeof(whole) - 1; len++) {
        struct gc_error err = {0};
        AUTO_RECORD r = {0};

        assert_int_equal(read_bytes(whole, len, &r, &err), GC_E_PROTOCOL);
        assert_null(strstr(err.message, "s3c"));
    }
    for (size_t at = 0; at < sizeof(whole) - 1; at++) {
        struct gc_error err = {0};
        char copy[sizeof(whole)];
        AUTO_RECORD r = {0};

        memcpy(copy, whole, sizeof(whole));
        copy[at] = '\x7f';
        assert_int_equal(read_bytes(copy, sizeof(whole) - 1, &r, &err),
                         GC_E_PROTOCOL);
        assert_null(strstr(err.message, "s3c"));
    }
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round),
        cmocka_unit_test(test_empty),
        cmocka_unit_test(test_order_is_free),
        cmocka_unit_test(test_not_written),
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_nuls),
        cmocka_unit_test(test_quotes_nothing),
    };

    return cmocka_run_group_tests_name("fields", tests, NULL, NULL);
}
