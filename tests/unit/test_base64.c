/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64: the vectors of RFC 4648, every length, and what must be refused.
 */

#include <config.h>

#include "src/base64.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *bytes, *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
    {"\xfb\xff\xfe", "+//+"},
};

static void
test_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(vectors); i++) {
        GC_AUTO(gc_bytes) bytes = {0}, text = {0}, again = {0};

        assert_int_equal(gc_bytes_set(&bytes, vectors[i].bytes,
                                      strlen(vectors[i].bytes), NULL),
                         GC_OK);
        assert_int_equal(gc_base64_encode(&bytes, &text, NULL), GC_OK);
        assert_string_equal(gc_bytes_text(&text), vectors[i].text);
        assert_int_equal(text.len, strlen(vectors[i].text));
        assert_int_equal(gc_base64_decode(vectors[i].text, 6, &again, NULL),
                         GC_OK);
        assert_int_equal(again.len, bytes.len);
        assert_string_equal(gc_bytes_text(&again), vectors[i].bytes);
    }
}

/* All bytes, all lengths; decoded at exactly the limit and one below it. */
static void
test_round_trips(void **state)
{
    unsigned char data[300];

    (void)state;
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (unsigned char)(i * 7 + 13);
    for (size_t len = 0; len <= sizeof(data); len++) {
        GC_AUTO(gc_bytes) bytes = {0}, text = {0}, again = {0};

        assert_int_equal(gc_bytes_set(&bytes, data, len, NULL), GC_OK);
        assert_int_equal(gc_base64_encode(&bytes, &text, NULL), GC_OK);
        assert_int_equal(text.len, (len + 2) / 3 * 4);
        assert_int_equal(
            gc_base64_decode(gc_bytes_text(&text), len, &again, NULL), GC_OK);
        assert_int_equal(again.len, len);
        assert_memory_equal(gc_bytes_text(&again), data, len);
        assert_int_equal(gc_bytes_text(&again)[len], '\0');
        if (len > 0)
            assert_int_equal(
                gc_base64_decode(gc_bytes_text(&text), len - 1, &again, NULL),
                GC_E_PROTOCOL);
        assert_int_equal(again.len, len);
    }
}

static void
test_never_filled_is_empty(void **state)
{
    GC_AUTO(gc_bytes) nothing = {0}, text = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&text, "old", 3, NULL), GC_OK);
    assert_int_equal(gc_base64_encode(&nothing, &text, NULL), GC_OK);
    assert_int_equal(text.len, 0);
    assert_string_equal(gc_bytes_text(&text), "");
}

static void
test_refuses(void **state)
{
    static const char *const bad[] = {
        /* length */
        "Z",
        "Zg",
        "Zm8",
        "Zm9vY",
        "Zm9vYg",
        "Zm9vYg=",
        /* padding */
        "=",
        "==",
        "===",
        "====",
        "Z===",
        "Zg=",
        "Zg==Zg==",
        "Zm8=Zm9v",
        "Zm=v",
        "=Zm9",
        "Zm9v====",
        "Zm9v=",
        "Zm9vYg=A",
        "Z=g=",
        "A=B=",
        /* bits that encode nothing */
        "Zh==",
        "ZE==",
        "ZI==",
        "Zn==",
        "Z/==",
        "Zm9=",
        "Zm+=",
        "Zm9vYh==",
        "ZmC=",
        "ZmB=",
        /* signs of others */
        " Zm9v",
        "Zm9v ",
        "Zm9v\n",
        "\nZm9v",
        "Zm\n9v",
        "Zm9v\r\n\r\n",
        "    ",
        "\t\t\t\t",
        "Zm9-",
        "Zm9_",
        "Zm9.",
        "Zm9\x01",
        "Zm9\x80",
        "Zm9\xff",
        "Zm9,",
        "Zm9v----",
        "-OOO",
        "Zm9v Zm9",
        "Zm9vZm9 ",
        " m9vZm9v",
    };
    GC_AUTO(gc_bytes) bytes = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&bytes, "kept", 4, NULL), GC_OK);
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        struct gc_error err = {0};

        if (gc_base64_decode(bad[i], 1024, &bytes, &err) != GC_E_PROTOCOL)
            fail_msg("taken: %s", bad[i]);
        assert_int_equal(err.status, GC_E_PROTOCOL);
        assert_string_equal(err.message, "not base64");
        assert_string_equal(gc_bytes_text(&bytes), "kept");
    }
}

/* Only the signs of the alphabet are taken, in each of the four places. */
static void
test_alphabet(void **state)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";
    GC_AUTO(gc_bytes) bytes = {0};

    (void)state;
    for (int c = 1; c < 256; c++)
        for (int place = 0; place < 4; place++) {
            char text[] = "AAAA";
            bool good = strchr(alphabet, c) != NULL || (c == '=' && place == 3);

            text[place] = (char)c;
            assert_int_equal(gc_base64_decode(text, 3, &bytes, NULL),
                             good ? GC_OK : GC_E_PROTOCOL);
        }
}

/* What does not fit libcrypto's int is refused before it is touched. */
static void
test_too_much(void **state)
{
    unsigned char one = 'x';
    struct gc_bytes huge = {&one, (size_t)INT_MAX, 1};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    assert_int_equal(gc_base64_encode(&huge, &text, NULL), GC_E_INTERNAL);
    assert_int_equal(text.len, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors),
        cmocka_unit_test(test_round_trips),
        cmocka_unit_test(test_never_filled_is_empty),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_alphabet),
        cmocka_unit_test(test_too_much),
    };

    return cmocka_run_group_tests_name("base64", tests, NULL, NULL);
}
