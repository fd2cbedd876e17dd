/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: what is taken and what is refused, exact numbers, building, wiping,
 * salvage, and every allocation failing in turn.
 */

#include <config.h>

#include "src/json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <cjson/cJSON.h>
#include <cmocka.h>

#define SECRET "s3cr3t-T1cket"

/*
 * Every allocation of the room, and of cJSON by its hooks, comes through here:
 * counted, made to fail on demand, and looked at when it is given back.
 */
struct block {
    size_t size;
    max_align_t data[];
};

static long live;      /* blocks not given back */
static long countdown; /* this many more succeed; -1: all do */
static bool once;      /* only one fails, those after it succeed again */
static bool watching;  /* for SECRET in what is given back */
static int unwiped;

void *__real_malloc(size_t size);
void __real_free(void *data);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void __wrap_free(void *data);

void *
__wrap_malloc(size_t size)
{
    struct block *block;

    if (countdown == 0) {
        countdown = once ? -1 : 0;
        return NULL;
    }
    if (countdown > 0)
        countdown--;
    block = __real_malloc(sizeof(*block) + size);
    assert_non_null(block);
    block->size = size;
    memset(block->data, 0, size);
    live++;
    return block->data;
}

void *
__wrap_calloc(size_t count, size_t size)
{
    return __wrap_malloc(count * size);
}

void
__wrap_free(void *data)
{
    struct block *block;

    if (data == NULL)
        return;
    block = (struct block *)((char *)data - offsetof(struct block, data));
    if (watching && memmem(data, block->size, SECRET, strlen(SECRET)) != NULL)
        unwiped++;
    live--;
    __real_free(block);
}

/* What cJSON gets to parse instead, should it ever count otherwise than we. */
static const char *instead;
static char seen[512]; /* what it was given */

cJSON *__real_cJSON_ParseWithLengthOpts(const char *value, size_t len,
                                        const char **end, cJSON_bool whole);
cJSON *__wrap_cJSON_ParseWithLengthOpts(const char *value, size_t len,
                                        const char **end, cJSON_bool whole);

cJSON *
__wrap_cJSON_ParseWithLengthOpts(const char *value, size_t len,
                                 const char **end, cJSON_bool whole)
{
    (void)snprintf(seen, sizeof(seen), "%.*s", (int)len, value);
    if (instead != NULL)
        return cJSON_Parse(instead);
    return __real_cJSON_ParseWithLengthOpts(value, len, end, whole);
}

static int
setup(void **state)
{
    cJSON_Hooks hooks = {__wrap_malloc, __wrap_free};

    (void)state;
    cJSON_InitHooks(&hooks);
    live = 0;
    countdown = -1;
    once = false;
    instead = NULL;
    watching = false;
    unwiped = 0;
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    return live == 0 ? 0 : -1;
}

static gc_status
parse(const char *text, struct gc_json **ret_root)
{
    return gc_json_parse(text, strlen(text), ret_root, NULL);
}

/* TEXT, which must be good. */
static struct gc_json *
tree(const char *text)
{
    struct gc_json *root = NULL;
    struct gc_error err = {0};

    if (gc_json_parse(text, strlen(text), &root, &err) != GC_OK)
        fail_msg("%s: %s", text, err.message);
    return root;
}

static void
assert_prints(const struct gc_json *root, const char *want)
{
    GC_AUTO(gc_bytes) text = {0};
    struct gc_error err = {0};

    if (gc_json_print(root, &text, &err) != GC_OK)
        fail_msg("%s", err.message);
    assert_string_equal(gc_bytes_text(&text), want);
    assert_int_equal(text.len, strlen(want));
}

static void
echoes(const char *text, const char *want)
{
    GC_AUTO_PTR(gc_json) root = tree(text);

    assert_prints(root, want);
}

static void
test_accepts(void **state)
{
    static const char *const same[] = {
        "null",
        "true",
        "false",
        "\"\"",
        "[]",
        "{}",
        "0",
        "-0",
        "\"a/b\"",
        "[null,true,false,\"x\",{},[[]]]",
        "{\"\":\"\"}",
        "{\"a\":{\"a\":{\"a\":[]}},\"A\":1}",
        "\"\xc2\x80 \xdf\xbf \xe0\xa0\x80 \xed\x9f\xbf \xee\x80\x80\"",
        "\"\xef\xbf\xbf \xf0\x90\x80\x80 \xf4\x8f\xbf\xbf \x7f\"",
        "\"\\\"\\\\\\b\\f\\n\\r\\t\\u0001\\u001f\"",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(same); i++)
        echoes(same[i], same[i]);
    echoes(" \t\r\n{ \"a\" : [ 1 , 2 ] , \"b\":null }\n",
           "{\"a\":[1,2],\"b\":null}");
    echoes("\"\\/ \\u0041 \\u00e9 \\uD83D\\ude00 \\u002b\"",
           "\"/ A \xc3\xa9 \xf0\x9f\x98\x80 +\"");
}

static void
test_refuses(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "\xef\xbb\xbf{}",
        "nul",
        "nulll",
        "True",
        "NaN",
        "Infinity",
        "undefined",
        "'a'",
        "{} {}",
        "[] x",
        "1 2",
        "\v1",
        "\xc2\xa0\x31",
        "/**/1",
        "1//",
        "\"a\" \"b\"",
        /* containers */
        "[",
        "]",
        "{",
        "}",
        "[1",
        "[1,",
        "[1,]",
        "[,1]",
        "[1 2]",
        "[1}",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1",
        "{\"a\":1,",
        "{\"a\":1,}",
        "{,}",
        "{\"a\" 1}",
        "{\"a\"::1}",
        "{a:1}",
        "{a\":1}",
        "{1\":1}",
        "{1:1}",
        "{\"a\":1]",
        "{\"a\":1 \"b\":2}",
        "[1;2]",
        /* numbers */
        "-",
        "+1",
        "01",
        "-01",
        "00",
        "1.",
        ".5",
        "-.5",
        "1.e1",
        "1e",
        "1e+",
        "1E-",
        "0x10",
        "1_0",
        "--1",
        "1-",
        "1.2.3",
        "1e1.5",
        "-a",
        "1,",
        /* strings */
        "\"",
        "\"a",
        "\"\\",
        "\"\\\"",
        "\"\\x41\"",
        "\"\\'\"",
        "\"\\",
        "\"\\u",
        "\"\\u12\"",
        "\"\\u12g4\"",
        "\"\\u 123\"",
        "\"\\U0041\"",
        "\"\n\"",
        "\"\t\"",
        "\"\x01\"",
        "\"\x1f\"",
        "\"\\u0000\"",
        "\"a\\u0000b\"",
        "{\"a\\u0000\":1}",
        /* surrogates */
        "\"\\ud800\"",
        "\"\\udc00\"",
        "\"\\ud800x\"",
        "\"\\ud800\\n\"",
        "\"\\ud800\\u0041\"",
        "\"\\ud800\\ud800\"",
        "\"\\udc00\\ud800\"",
        "\"\\ud83d\\ude0\"",
        "\"\\ud83d\\",
        "\"\\ud83d\\u",
        /* UTF-8 */
        "\"\x80\"",
        "\"\xbf\"",
        "\"\xc0\x80\"",
        "\"\xc1\xbf\"",
        "\"\xc2\"",
        "\"\xc2\x41\"",
        "\"\xe0\x80\x80\"",
        "\"\xe0\x9f\xbf\"",
        "\"\xe2\x82\"",
        "\"\xe2\x82\x41\"",
        "\"\xed\xa0\x80\"",
        "\"\xed\xbf\xbf\"",
        "\"\xf0\x80\x80\x80\"",
        "\"\xf0\x8f\xbf\xbf\"",
        "\"\xf4\x90\x80\x80\"",
        "\"\xf5\x80\x80\x80\"",
        "\"\xf0\x9f\x98\"",
        "\"\xff\"",
        "\"\xfe\"",
        "\"\xf0\x9f\x98\x41\"",
        "\xff",
        "{\"\xff\":1}",
        "\"\xc2",
        "\"\xe0\xa0",
        "\"\xf0\x90\x80",
        /* twins, also after unescaping */
        "{\"a\":1,\"a\":1}",
        "{\"a\":1,\"\\u0061\":2}",
        "{\"\":1,\"\":2}",
        "[{\"x\":{\"b\":1,\"a\":2,\"c\":3,\"a\":4}}]",
        "{\"/\":1,\"\\/\":2}",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        struct gc_json *root = NULL;

        if (parse(bad[i], &root) != GC_E_PROTOCOL)
            fail_msg("taken: %s", bad[i]);
        assert_null(root);
    }
}

/* A NUL is a control character or no white space, wherever it stands. */
static void
test_nul_bytes(void **state)
{
    static const char in_string[] = "\"a\0b\"", after[] = "1\0",
                      in_escape[] = "\"\\\0\"", in_word[] = "nu\0l";
    struct gc_json *root = NULL;

    (void)state;
    assert_int_equal(gc_json_parse(in_string, 5, &root, NULL), GC_E_PROTOCOL);
    assert_int_equal(gc_json_parse(after, 2, &root, NULL), GC_E_PROTOCOL);
    assert_int_equal(gc_json_parse(in_escape, 4, &root, NULL), GC_E_PROTOCOL);
    assert_int_equal(gc_json_parse(in_word, 4, &root, NULL), GC_E_PROTOCOL);
    assert_int_equal(gc_json_parse(NULL, 0, &root, NULL), GC_E_PROTOCOL);
    assert_null(root);
}

/* LEN says where the text ends, whatever stands behind it. */
static void
test_stops_at_length(void **state)
{
    static const char text[] = "[12,\"a\\u0041\xc3\xa9\",true,-1.5e3]";

    (void)state;
    for (size_t len = 0; len < strlen(text); len++) {
        char *exact = malloc(len);
        struct gc_json *root = NULL;

        assert_non_null(exact);
        memcpy(exact, text, len);
        assert_int_equal(gc_json_parse(exact, len, &root, NULL), GC_E_PROTOCOL);
        assert_null(root);
        free(exact);
    }
    echoes(text, "[12,\"aA\xc3\xa9\",true,-1.5e3]");
}

static void
test_error_says_where_and_quotes_nothing(void **state)
{
    struct gc_json *root = NULL;
    struct gc_error err = {0};
    static const char text[] = "{\"ticket\":\"" SECRET "\",\"n\":01}";

    (void)state;
    assert_int_equal(gc_json_parse(text, strlen(text), &root, &err),
                     GC_E_PROTOCOL);
    assert_non_null(strstr(err.message, "at byte 31: a number with a leading"));
    assert_null(strstr(err.message, SECRET));
    assert_null(strstr(err.message, "ticket"));
}

/* OPEN, DEPTH times, and the same backwards. */
static gc_status
parse_nested(const char *open, char close, int depth)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO_PTR(gc_json) root = NULL;

    for (int i = 0; i < depth; i++)
        assert_int_equal(
            gc_bytes_append(&text, open, strlen(open), 1 << 20, NULL), GC_OK);
    assert_int_equal(gc_bytes_append(&text, "[]", 2, 1 << 20, NULL), GC_OK);
    for (int i = 0; i < depth; i++)
        assert_int_equal(gc_bytes_append(&text, &close, 1, 1 << 20, NULL),
                         GC_OK);
    return gc_json_parse(text.data, text.len, &root, NULL);
}

static void
test_depth(void **state)
{
    (void)state;
    assert_int_equal(parse_nested("[", ']', 31), GC_OK);
    assert_int_equal(parse_nested("[", ']', 32), GC_E_PROTOCOL);
    assert_int_equal(parse_nested("[", ']', 100000), GC_E_PROTOCOL);
    assert_int_equal(parse_nested("{\"a\":", '}', 31), GC_OK);
    assert_int_equal(parse_nested("{\"a\":", '}', 32), GC_E_PROTOCOL);
}

static void
test_size(void **state)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    char *text = malloc(GC_JSON_TEXT_MAX + 1);

    (void)state;
    assert_non_null(text);
    memset(text, ' ', GC_JSON_TEXT_MAX + 1);
    text[0] = '1';
    assert_int_equal(gc_json_parse(text, GC_JSON_TEXT_MAX + 1, &root, NULL),
                     GC_E_PROTOCOL);
    assert_null(root);
    assert_int_equal(gc_json_parse(text, GC_JSON_TEXT_MAX, &root, NULL), GC_OK);
    free(text);
}

/* A mebibyte of keys of one object must not cost their square. */
static void
test_many_keys(void **state)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO_PTR(gc_json) root = NULL;
    clock_t start;
    char member[32];
    int n = 0;

    (void)state;
    assert_int_equal(gc_bytes_append(&text, "{", 1, 1 << 20, NULL), GC_OK);
    while (text.len < GC_JSON_TEXT_MAX - 32) {
        (void)snprintf(member, sizeof(member), "\"%d\":0,", n++);
        assert_int_equal(
            gc_bytes_append(&text, member, strlen(member), 1 << 20, NULL),
            GC_OK);
    }
    assert_int_equal(gc_bytes_append(&text, "\"x\":0}", 6, 1 << 20, NULL),
                     GC_OK);
    start = clock();
    assert_int_equal(gc_json_parse(text.data, text.len, &root, NULL), GC_OK);
    assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
    gc_json_free(GC_TAKE(root));

    memcpy(text.data + text.len - 6, "\"7\"", 3);
    assert_int_equal(gc_json_parse(text.data, text.len, &root, NULL),
                     GC_E_PROTOCOL);
}

static void
test_numbers_keep_their_digits(void **state)
{
    static const char text[] =
        "[9007199254740993,-9223372036854775808,1.10,1e400,-0.0,1E+05,"
        "\"5\",{\"6\":[7,-8]},true,0,"
        "123456789012345678901234567890123456789012345678901234567890123456789"
        "0123456789,\"\\\"9\\\\\",10]";

    (void)state;
    echoes(text, text);
}

/* Not even a long number or a locale's decimal point can get in cJSON's way. */
static void
test_cjson_sees_no_number(void **state)
{
    (void)state;
    echoes("[-1.5e3,{\"7\":12},\"3\",4]", "[-1.5e3,{\"7\":12},\"3\",4]");
    assert_string_equal(seen, "[0     ,{\"7\":0 },\"3\",0]");
}

static void
test_numbers_out_of_step(void **state)
{
    struct gc_json *root = NULL;

    (void)state;
    instead = "[0,0]";
    assert_int_equal(parse("[1]", &root), GC_E_INTERNAL);
    instead = "[0]";
    assert_int_equal(parse("[1,2]", &root), GC_E_INTERNAL);
    assert_null(root);
    assert_int_equal(parse("[1]", &root), GC_OK);
    gc_json_free(root);
}

static void
test_int64(void **state)
{
    static const char *const good[] = {
        "0",
        "1",
        "-1",
        "9007199254740993",
        "9223372036854775807",
        "-9223372036854775808",
        "1000000000000000000",
    };
    static const char *const bad[] = {
        "-0",
        "1.0",
        "1.5",
        "1e3",
        "0e0",
        "9223372036854775808",
        "-9223372036854775809",
        "10000000000000000000",
        "123456789012345678901234567890",
        "\"1\"",
        "null",
        "true",
        "[1]",
        "{}",
    };
    char text[64], digits[GC_JSON_INT64_SIZE] = "kept";

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        GC_AUTO_PTR(gc_json) root = NULL;

        (void)snprintf(text, sizeof(text), "{\"n\":%s}", bad[i]);
        root = tree(text);
        if (gc_json_int64(root, "n", digits))
            fail_msg("taken: %s", bad[i]);
        assert_string_equal(digits, "kept");
        assert_false(gc_json_int64(root, "m", digits));
    }
    for (size_t i = 0; i < GC_COUNT_OF(good); i++) {
        GC_AUTO_PTR(gc_json) root = NULL;

        (void)snprintf(text, sizeof(text), "{\"n\":%s}", good[i]);
        root = tree(text);
        assert_true(gc_json_int64(root, "n", digits));
        assert_string_equal(digits, good[i]);
    }
}

static void
test_getters(void **state)
{
    GC_AUTO_PTR(gc_json)
    root = tree("{\"s\":\"x\",\"t\":true,\"f\":false,"
                "\"z\":null,\"n\":12,\"o\":{},\"a\":[1,"
                "\"y\"]}");
    const struct gc_json *node;
    bool value = false;

    (void)state;
    assert_string_equal(gc_json_string(root, "s"), "x");
    assert_null(gc_json_string(root, "S"));
    assert_null(gc_json_string(root, "n"));
    assert_null(gc_json_string(root, "z"));
    assert_null(gc_json_string(root, ""));
    assert_true(gc_json_bool(root, "t", &value));
    assert_true(value);
    assert_false(gc_json_bool(root, "s", &value));
    assert_false(gc_json_bool(root, "z", &value));
    assert_true(value);
    assert_true(gc_json_bool(root, "f", &value));
    assert_false(value);
    assert_true(gc_json_is_null(gc_json_get(root, "z")));
    assert_false(gc_json_is_null(gc_json_get(root, "absent")));
    assert_true(gc_json_is_object(gc_json_get(root, "o")));
    assert_true(gc_json_is_array(gc_json_get(root, "a")));
    assert_false(gc_json_is_array(root));
    assert_null(gc_json_get(gc_json_get(root, "a"), "s"));
    assert_null(gc_json_get(gc_json_get(root, "s"), "s"));

    node = gc_json_first(root);
    assert_string_equal(gc_json_key(node), "s");
    assert_string_equal(gc_json_text(node), "x");
    assert_string_equal(gc_json_key(gc_json_next(node)), "t");
    node = gc_json_first(gc_json_get(root, "a"));
    assert_null(gc_json_key(node));
    assert_null(gc_json_text(node));
    assert_string_equal(gc_json_text(gc_json_next(node)), "y");
    assert_null(gc_json_next(gc_json_next(node)));
    assert_null(gc_json_first(gc_json_get(root, "o")));
}

static void
test_null_is_an_answer(void **state)
{
    char digits[GC_JSON_INT64_SIZE];
    bool value;

    (void)state;
    assert_null(gc_json_get(NULL, "a"));
    assert_null(gc_json_string(NULL, "a"));
    assert_false(gc_json_bool(NULL, "a", &value));
    assert_false(gc_json_int64(NULL, "a", digits));
    assert_false(gc_json_is_object(NULL));
    assert_false(gc_json_is_array(NULL));
    assert_false(gc_json_is_null(NULL));
    assert_null(gc_json_text(NULL));
    assert_null(gc_json_first(NULL));
    assert_null(gc_json_next(NULL));
    assert_null(gc_json_key(NULL));
    gc_json_free(NULL);

    assert_null(gc_json_add_object(NULL, "a"));
    assert_null(gc_json_add_array(NULL, "a"));
    assert_null(gc_json_add_string(NULL, "a", "b"));
    assert_null(gc_json_add_bool(NULL, "a", true));
    assert_null(gc_json_add_int(NULL, "a", 1));
    assert_null(gc_json_add_digits(NULL, "a", "1"));
    assert_null(gc_json_add_copy(NULL, "a", NULL));
}

static struct gc_json *
build(void)
{
    static const char source[] = "{\"x\":[1.50,null,{\"y\":\"" SECRET "\"}]}";
    GC_AUTO_PTR(gc_json) other = NULL;
    struct gc_json *root = gc_json_new_object();
    struct gc_json *vm, *list;

    if (parse(source, &other) != GC_OK) {
        gc_json_free(root);
        return NULL;
    }
    vm = gc_json_add_object(root, "vm");
    gc_json_add_string(vm, "_typeName", "ManagedObjectReference");
    gc_json_add_string(vm, "value", "vm \"42\"\n\x01/\xc3\xa9");
    gc_json_add_bool(root, "interactiveSession", false);
    gc_json_add_digits(root, "sessionID", "-9223372036854775808");
    gc_json_add_int(root, "min", INT64_MIN);
    gc_json_add_int(root, "version", 1);
    list = gc_json_add_array(root, "list");
    gc_json_add_string(list, NULL, SECRET);
    gc_json_add_bool(gc_json_add_object(list, NULL), "b", true);
    gc_json_add_array(list, NULL);
    gc_json_add_copy(root, "copy", other);
    return root;
}

static const char built[] =
    "{\"vm\":{\"_typeName\":\"ManagedObjectReference\",\"value\":"
    "\"vm \\\"42\\\"\\n\\u0001/\xc3\xa9\"},\"interactiveSession\":false,"
    "\"sessionID\":-9223372036854775808,\"min\":-9223372036854775808,"
    "\"version\":1,\"list\":[\"" SECRET "\",{\"b\":true},[]],"
    "\"copy\":{\"x\":[1.50,null,{\"y\":\"" SECRET "\"}]}}";

static void
test_builds(void **state)
{
    GC_AUTO_PTR(gc_json) root = build();

    (void)state;
    assert_prints(root, built);
    echoes(built, built);
}

/* RUIN a fresh object or its array; printing must then say WANT. */
static void
assert_ruined(void (*ruin)(struct gc_json *, struct gc_json *), gc_status want)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();
    GC_AUTO(gc_bytes) text = {0};
    struct gc_json *list = gc_json_add_array(root, "list");
    struct gc_json *copy;

    assert_non_null(list);
    assert_int_equal(gc_bytes_set(&text, "kept", 4, NULL), GC_OK);
    ruin(root, list);
    assert_int_equal(gc_json_print(root, &text, NULL), want);
    assert_string_equal(gc_bytes_text(&text), "kept");

    /* A copy of something ruined is no better. */
    copy = gc_json_new_object();
    gc_json_add_copy(copy, "c", root);
    assert_int_equal(gc_json_print(copy, &text, NULL), want);
    gc_json_free(copy);
}

static void
ruin_value(struct gc_json *root, struct gc_json *list)
{
    (void)list;
    assert_null(gc_json_add_string(root, "k", NULL));
    assert_null(gc_json_add_string(root, "k", "too late"));
}

static void
ruin_array_key(struct gc_json *root, struct gc_json *list)
{
    (void)root;
    assert_null(gc_json_add_string(list, "k", "v"));
}

static void
ruin_object_key(struct gc_json *root, struct gc_json *list)
{
    (void)list;
    assert_null(gc_json_add_int(root, NULL, 1));
}

static void
ruin_leaf(struct gc_json *root, struct gc_json *list)
{
    (void)list;
    assert_null(gc_json_add_object(gc_json_add_string(root, "s", "t"), "k"));
}

static void
ruin_digits(struct gc_json *root, struct gc_json *list)
{
    (void)root;
    assert_null(gc_json_add_digits(list, NULL, "1,\"admin\":true"));
}

static void
ruin_no_digits(struct gc_json *root, struct gc_json *list)
{
    (void)root;
    assert_null(gc_json_add_digits(list, NULL, NULL));
}

static void
ruin_empty_digits(struct gc_json *root, struct gc_json *list)
{
    assert_null(gc_json_add_digits(list, NULL, ""));
    assert_null(gc_json_add_digits(root, "n", "-"));
}

static void
ruin_copy(struct gc_json *root, struct gc_json *list)
{
    (void)root;
    assert_null(gc_json_add_copy(list, NULL, NULL));
}

static void
ruin_text(struct gc_json *root, struct gc_json *list)
{
    (void)root;
    assert_non_null(gc_json_add_string(list, NULL, "latin1 \xe9t\xe9"));
}

static void
ruin_key_text(struct gc_json *root, struct gc_json *list)
{
    (void)list;
    assert_non_null(gc_json_add_bool(root, "\xff", true));
}

static void
ruin_depth(struct gc_json *root, struct gc_json *list)
{
    (void)root;
    for (int i = 2; i < GC_JSON_DEPTH_MAX; i++)
        list = gc_json_add_array(list, NULL);
    assert_non_null(gc_json_add_array(list, NULL));
}

static void
ruin_size(struct gc_json *root, struct gc_json *list)
{
    char *text = malloc(13 * 1024 * 1024);

    (void)root;
    assert_non_null(text);
    memset(text, '\x01', 13 * 1024 * 1024 - 1);
    text[13 * 1024 * 1024 - 1] = '\0';
    assert_non_null(gc_json_add_string(list, NULL, text));
    free(text);
}

static void
test_ruined(void **state)
{
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    assert_ruined(ruin_value, GC_E_INTERNAL);
    assert_ruined(ruin_array_key, GC_E_INTERNAL);
    assert_ruined(ruin_object_key, GC_E_INTERNAL);
    assert_ruined(ruin_leaf, GC_E_INTERNAL);
    assert_ruined(ruin_digits, GC_E_INTERNAL);
    assert_ruined(ruin_no_digits, GC_E_INTERNAL);
    assert_ruined(ruin_empty_digits, GC_E_INTERNAL);
    assert_ruined(ruin_copy, GC_E_INTERNAL);
    assert_ruined(ruin_text, GC_E_CONFIG);
    assert_ruined(ruin_key_text, GC_E_CONFIG);
    assert_ruined(ruin_depth, GC_E_INTERNAL);
    assert_ruined(ruin_size, GC_E_INTERNAL);
    assert_int_equal(gc_json_print(NULL, &text, NULL), GC_E_NO_MEMORY);
}

static void
test_depth_prints_what_it_reads(void **state)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();
    GC_AUTO_PTR(gc_json) again = NULL;
    GC_AUTO(gc_bytes) text = {0};
    struct gc_json *node = gc_json_add_array(root, "a");

    (void)state;
    for (int i = 2; i < GC_JSON_DEPTH_MAX; i++)
        node = gc_json_add_array(node, NULL);
    assert_non_null(gc_json_add_int(node, NULL, 1));
    assert_int_equal(gc_json_print(root, &text, NULL), GC_OK);
    assert_int_equal(gc_json_parse(text.data, text.len, &again, NULL), GC_OK);
}

/* Room is measured before printing: for what grows most, and for many. */
static void
test_prints_what_grows(void **state)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();
    GC_AUTO_PTR(gc_json) again = NULL;
    GC_AUTO(gc_bytes) text = {0};
    struct gc_json *list = gc_json_add_array(root, "list");
    char grows[1001], quotes[1001];

    (void)state;
    memset(grows, '\x01', sizeof(grows) - 1);
    memset(quotes, '"', sizeof(quotes) - 1);
    grows[1000] = quotes[1000] = '\0';
    assert_non_null(gc_json_add_string(root, grows, ""));
    assert_int_equal(gc_json_print(root, &text, NULL), GC_OK);
    assert_int_equal(text.len, strlen("{\"list\":[],\"\":\"\"}") + 6000);
    for (int i = 0; i < 1000; i++)
        (void)gc_json_add_bool(list, NULL, false);
    assert_int_equal(gc_json_print(root, &text, NULL), GC_OK);
    gc_json_free(root);
    root = gc_json_new_object();
    (void)gc_json_add_string(root, quotes, quotes);
    assert_int_equal(gc_json_print(root, &text, NULL), GC_OK);
    assert_int_equal(gc_json_parse(text.data, text.len, &again, NULL), GC_OK);
    assert_string_equal(gc_json_string(again, quotes), quotes);
}

static void
test_wipes(void **state)
{
    static const char text[] =
        "{\"" SECRET "\":{\"a\":[\"" SECRET "\"],\"b\":\"" SECRET "\"}}";
    struct gc_json *root = tree(text);

    (void)state;
    watching = true;
    gc_json_free(root);
    assert_int_equal(unwiped, 0);
    gc_json_free(build());
    assert_int_equal(unwiped, 0);
    /* The working copy of the text, and a tree that is given up half-way. */
    root = tree(text);
    assert_int_equal(unwiped, 0);
    gc_json_free(root);
    assert_int_equal(parse("[\"" SECRET "\",{\"a\":1,\"a\":2}]", &root),
                     GC_E_PROTOCOL);
    assert_int_equal(unwiped, 0);
}

static void
test_salvage(void **state)
{
    static const struct {
        const char *text, *want;
    } table[] = {
        {"{\"ticket\":\"T1\"}", "T1"},
        {"{\"ticket\" \t\r\n: \"T1\"", "T1"},
        {"{\"a\":{\"b\":[{\"ticket\":\"T1\"", "T1"},
        {"\"ticket\":\"a\\/b\\u002b\\\"\\\\\\ud83d\\ude00\"}",
         "a/b+\"\\\xf0\x9f\x98\x80"},
        {"{\"ticket\":\"T1\",\"ticket\":\"T2\"}", "T1"},
        {"\xff\xfe{{{]\"ticket\":\"T1\"\xff", "T1"},
        {"{\"x\":\"ticket\",\"ticket\":\"T1\"}", "T1"},
        {"{\"xticket\":\"no\",\"ticketx\":\"no\",\"ticket\":\"T1\"}", "T1"},
        {"{\"a\\\"ticket\":\"no\",\"ticket\":\"T1\"}", "T1"},
        {"{\"a\\\\\"ticket\":\"T1\"}", "T1"},
        {"{\"ticket\":null,\"ticket\":7,\"ticket\":{\"ticket\":\"T1\"}}", "T1"},
        {"{\"ticket\":\"\",\"ticket\":\"T1\"}", "T1"},
        {"{\"ticket\":\"a\\u0000b\",\"ticket\":\"T1\"}", "T1"},
        {"{\"ticket\":\"bad \xff\",\"ticket\":\"T1\"}", "T1"},
        {"ticketticket\"ticket\"\"ticket\":\"T1\"", "T1"},
        {"{\"s\":\"say \\\"ticket\\\": \\\"no\\\"\"}", NULL},
        {"{\"ticket\":\"T1", NULL},
        {"{\"ticket\":\"T1\\\"", NULL},
        {"{\"ticket\":", NULL},
        {"{\"ticket\"", NULL},
        {"{\"ticket", NULL},
        {"ticket\":\"T1\"", NULL},
        {"{\"Ticket\":\"T1\"}", NULL},
        {"{\"ticket\",\"T1\"}", NULL},
        {"{\"ticket\":\"\"}", NULL},
        {"", NULL},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(table); i++) {
        GC_AUTO(gc_bytes) value = {0};
        size_t len = strlen(table[i].text);
        char *exact = __real_malloc(len);
        bool found;

        memcpy(exact, table[i].text, len);
        found = gc_json_salvage(exact, len, "ticket", &value);
        if (found != (table[i].want != NULL))
            fail_msg("%s: %d", table[i].text, found);
        assert_string_equal(gc_bytes_text(&value), found ? table[i].want : "");
        __real_free(exact);
    }
}

static void
test_salvage_is_bounded(void **state)
{
    GC_AUTO(gc_bytes) value = {0}, text = {0};
    static const char *const hostile[] = {
        "\"ticket\":\"", "\\\"ticket\":", "\"ticket\":\"\"",
        "ticket",        "\"ticket\" ",   "\"ticket\":\"\\",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(hostile); i++) {
        clock_t start = clock();

        text.len = 0;
        while (text.len < GC_JSON_TEXT_MAX)
            assert_int_equal(gc_bytes_append(&text, hostile[i],
                                             strlen(hostile[i]), 1 << 24, NULL),
                             GC_OK);
        (void)gc_json_salvage(text.data, text.len, "ticket", &value);
        assert_true((clock() - start) / CLOCKS_PER_SEC < 5);
    }
    assert_false(gc_json_salvage("\"\":\"x\"", 6, "", &value));

    memset(text.data, ' ', GC_JSON_TEXT_MAX);
    text.len = GC_JSON_TEXT_MAX;
    gc_bytes_clear(&value);
    assert_int_equal(
        gc_bytes_append(&text, "\"ticket\":\"T1\"", 13, 1 << 24, NULL), GC_OK);
    assert_false(gc_json_salvage(text.data, text.len, "ticket", &value));
}

/* ---- every allocation fails in turn ---- */

static gc_status
parse_without_memory(void)
{
    static const char text[] =
        "{\"a\":[1,2.5,{\"b\":\"c\",\"d\":null}],\"e\":{\"f\":true,\"g\":-3}}";
    struct gc_json *root = NULL;
    gc_status st = parse(text, &root);

    assert_true((st == GC_OK) == (root != NULL));
    if (st == GC_OK) {
        countdown = -1;
        assert_prints(root, text);
    }
    gc_json_free(root);
    return st;
}

static gc_status
build_without_memory(void)
{
    GC_AUTO(gc_bytes) text = {0};
    struct gc_json *root = build();
    gc_status st = gc_json_print(root, &text, NULL);

    gc_json_free(root);
    assert_string_equal(gc_bytes_text(&text), st == GC_OK ? built : "");
    return st;
}

static gc_status
print_without_memory(void)
{
    GC_AUTO(gc_bytes) text = {0};
    long allowed = countdown;
    struct gc_json *root;
    gc_status st;

    countdown = -1;
    root = tree(built);
    countdown = allowed;
    st = gc_json_print(root, &text, NULL);
    countdown = -1;
    assert_prints(root, built);
    gc_json_free(root);
    return st;
}

static gc_status
salvage_without_memory(void)
{
    static const char text[] = "{\"ticket\":\"T1\\n\"";
    GC_AUTO(gc_bytes) value = {0};
    bool found = gc_json_salvage(text, strlen(text), "ticket", &value);

    assert_string_equal(gc_bytes_text(&value), found ? "T1\n" : "");
    return found ? GC_OK : GC_E_NO_MEMORY;
}

static void
torture(gc_status (*job)(void))
{
    gc_status st = GC_E_NO_MEMORY;
    long n;

    for (n = 0; st != GC_OK; n++) {
        assert_true(n < 1000);
        countdown = n;
        st = job();
        countdown = -1;
        assert_int_equal(live, 0);
        if (st != GC_OK)
            assert_int_equal(st, GC_E_NO_MEMORY);
    }
    /* It did fail before it worked. */
    assert_true(n > 1);
}

static void
test_no_memory(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        once = i == 1;
        torture(parse_without_memory);
        torture(build_without_memory);
        torture(print_without_memory);
        torture(salvage_without_memory);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_accepts),
        TEST(test_refuses),
        TEST(test_nul_bytes),
        TEST(test_stops_at_length),
        TEST(test_error_says_where_and_quotes_nothing),
        TEST(test_depth),
        TEST(test_size),
        TEST(test_many_keys),
        TEST(test_numbers_keep_their_digits),
        TEST(test_cjson_sees_no_number),
        TEST(test_numbers_out_of_step),
        TEST(test_int64),
        TEST(test_getters),
        TEST(test_null_is_an_answer),
        TEST(test_builds),
        TEST(test_ruined),
        TEST(test_depth_prints_what_it_reads),
        TEST(test_prints_what_grows),
        TEST(test_wipes),
        TEST(test_salvage),
        TEST(test_salvage_is_bounded),
        TEST(test_no_memory),
    };

    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
