/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON in and out: a strict pass of our own, cJSON's tree behind it.
 *
 * Owns what text is acceptable and the wiping of what was read.  Refuses to
 * know what any of it means.  cJSON reads numbers through a double, a 63-byte
 * buffer and the locale's decimal point, so it never gets to see one: it reads
 * a copy in which every number is 0, and the digits are put back afterwards.
 */

#include <config.h>

#include "src/json.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cjson/cJSON.h>

#include "src/base/utf8.h"

/* Far above anything we build; keeps sizes well inside cJSON's int. */
#define PRINT_MAX   (64 * 1024 * 1024)
#define PRINT_SLACK 64

/* The strict pass: WHY is NULL until something is wrong, at AT. */
struct scan {
    const unsigned char *start;
    const unsigned char *at;
    const unsigned char *end;
    const char *why;
};

/* cJSON prints and looks up through non-const pointers, changing nothing. */
static inline cJSON *
inner(const struct gc_json *node)
{
    return (cJSON *)(uintptr_t)node;
}

static inline struct gc_json *
outer(cJSON *node)
{
    return (struct gc_json *)node;
}

static bool
refuse(struct scan *s, const char *why)
{
    s->why = why;
    return false;
}

/* The next byte that is not white space, not consumed; -1 at the end. */
static int
peek(struct scan *s)
{
    while (s->at < s->end
           && (*s->at == ' ' || *s->at == '\t' || *s->at == '\n'
               || *s->at == '\r'))
        s->at++;
    return s->at < s->end ? *s->at : -1;
}

/* Four hex digits at AT, consumed; -1 if they are not. */
static int
scan_hex4(struct scan *s)
{
    int value = 0;

    if (s->end - s->at < 4)
        return -1;
    for (int i = 0; i < 4; i++) {
        unsigned char c = s->at[i];
        int digit = c >= '0' && c <= '9'   ? c - '0'
                    : c >= 'a' && c <= 'f' ? c - 'a' + 10
                    : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                           : -1;

        if (digit < 0)
            return -1;
        value = value * 16 + digit;
    }
    s->at += 4;
    return value;
}

/* What follows a backslash. */
static bool
scan_escape(struct scan *s)
{
    int unit;

    if (s->at == s->end)
        return refuse(s, "a string does not end");
    if (*s->at != 'u') {
        if (*s->at == '\0' || strchr("\"\\/bfnrt", *s->at) == NULL)
            return refuse(s, "an unknown escape");
        s->at++;
        return true;
    }
    s->at++;
    unit = scan_hex4(s);
    if (unit < 0)
        return refuse(s, "\\u without four hexadecimal digits");
    if (unit == 0)
        return refuse(s, "\\u0000");
    if (unit < 0xd800 || unit > 0xdfff)
        return true;
    if (unit < 0xdc00 && s->end - s->at >= 2 && s->at[0] == '\\'
        && s->at[1] == 'u') {
        s->at += 2;
        unit = scan_hex4(s);
        if (unit >= 0xdc00 && unit <= 0xdfff)
            return true;
    }
    return refuse(s, "half a surrogate pair");
}

/* AT is on the opening quote. */
static bool
scan_string(struct scan *s)
{
    s->at++;
    while (s->at < s->end) {
        unsigned char c = *s->at;
        size_t len = gc_utf8_length(s->at, (size_t)(s->end - s->at));

        if (c < 0x20)
            return refuse(s, "a raw control character in a string");
        if (len == 0)
            return refuse(s, "text that is not UTF-8");
        s->at += len;
        if (c == '"')
            return true;
        if (c == '\\' && !scan_escape(s))
            return false;
    }
    return refuse(s, "a string does not end");
}

static bool
scan_digits(struct scan *s)
{
    const unsigned char *from = s->at;

    while (s->at < s->end && *s->at >= '0' && *s->at <= '9')
        s->at++;
    return s->at > from || refuse(s, "a number lacks digits");
}

static bool
scan_number(struct scan *s)
{
    if (*s->at == '-')
        s->at++;
    if (s->at < s->end && *s->at == '0') {
        s->at++;
        if (s->at < s->end && *s->at >= '0' && *s->at <= '9')
            return refuse(s, "a number with a leading zero");
    } else if (!scan_digits(s)) {
        return false;
    }
    if (s->at < s->end && *s->at == '.') {
        s->at++;
        if (!scan_digits(s))
            return false;
    }
    if (s->at < s->end && (*s->at == 'e' || *s->at == 'E')) {
        s->at++;
        if (s->at < s->end && (*s->at == '+' || *s->at == '-'))
            s->at++;
        return scan_digits(s);
    }
    return true;
}

static bool
scan_word(struct scan *s)
{
    static const char *const words[] = {"true", "false", "null"};

    for (size_t i = 0; i < GC_COUNT_OF(words); i++) {
        size_t len = strlen(words[i]);

        if ((size_t)(s->end - s->at) >= len
            && memcmp(s->at, words[i], len) == 0) {
            s->at += len;
            return true;
        }
    }
    return refuse(s, "no value");
}

static bool
scan_key(struct scan *s)
{
    if (peek(s) != '"')
        return refuse(s, "no key");
    if (!scan_string(s))
        return false;
    if (peek(s) != ':')
        return refuse(s, "no colon after a key");
    s->at++;
    return true;
}

/* One value, DEPTH containers down.  Recursion ends at GC_JSON_DEPTH_MAX. */
static bool
scan_value(struct scan *s, int depth)
{
    int c = peek(s);
    int close = c == '{' ? '}' : ']';

    if (c == '"')
        return scan_string(s);
    if (c == '-' || (c >= '0' && c <= '9'))
        return scan_number(s);
    if (c != '{' && c != '[')
        return scan_word(s);
    if (depth == GC_JSON_DEPTH_MAX)
        return refuse(s, "nested too deep");
    s->at++;
    if (peek(s) == close) {
        s->at++;
        return true;
    }
    for (;;) {
        if ((close == '}' && !scan_key(s)) || !scan_value(s, depth + 1))
            return false;
        if (peek(s) != ',')
            break;
        s->at++;
    }
    if (peek(s) != close)
        return refuse(s, "neither a comma nor the end of a container");
    s->at++;
    return true;
}

static bool
scan_text(struct scan *s)
{
    if (s->end - s->at >= 3 && memcmp(s->at, "\xef\xbb\xbf", 3) == 0)
        return refuse(s, "a byte order mark");
    return scan_value(s, 0)
           && (peek(s) == -1 || refuse(s, "more than a value"));
}

/*
 * In text that passed the strict pass: move to the next number, at AT or after
 * it, and return its length; 0 when there is none left.
 */
static size_t
next_number(struct scan *s)
{
    for (; s->at < s->end; s->at++) {
        if (*s->at == '-' || (*s->at >= '0' && *s->at <= '9')) {
            struct scan number = *s;

            return scan_number(&number) ? (size_t)(number.at - s->at) : 0;
        }
        if (*s->at == '"')
            for (s->at++; *s->at != '"'; s->at++)
                if (*s->at == '\\')
                    s->at++;
    }
    return 0;
}

/* The number NODE becomes raw text: the digits of the next number in TEXT. */
static gc_status
take_digits(cJSON *node, struct scan *text, struct gc_error *err)
{
    size_t len = next_number(text);
    char *digits;

    if (len == 0)
        return gc_fail(err, GC_E_INTERNAL, "JSON numbers out of step");
    digits = cJSON_malloc(len + 1);
    if (digits == NULL)
        return gc_fail_no_memory(err);
    memcpy(digits, text->at, len);
    digits[len] = '\0';
    text->at += len;
    node->type = cJSON_Raw;
    node->valuestring = digits;
    return GC_OK;
}

static int
compare_keys(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Sorted, so that a mebibyte of keys cannot cost their square. */
static gc_status
refuse_twins(const cJSON *object, struct gc_error *err)
{
    size_t count = (size_t)cJSON_GetArraySize(object), i = 0;
    const char **keys;
    bool twins = false;

    if (count < 2)
        return GC_OK;
    keys = calloc(count, sizeof(*keys));
    if (keys == NULL)
        return gc_fail_no_memory(err);
    for (const cJSON *c = object->child; c != NULL && i < count; c = c->next)
        keys[i++] = c->string;
    qsort(keys, count, sizeof(*keys), compare_keys);
    for (i = 1; i < count && !twins; i++)
        twins = strcmp(keys[i - 1], keys[i]) == 0;
    free(keys);
    if (twins)
        return gc_fail(err, GC_E_PROTOCOL,
                       "not acceptable JSON: a key twice in one object");
    return GC_OK;
}

/* What cJSON got wrong or let pass, in document order. */
static gc_status
settle(cJSON *node, struct scan *text, struct gc_error *err)
{
    gc_status st = GC_OK;

    if (cJSON_IsNumber(node))
        return take_digits(node, text, err);
    if (cJSON_IsObject(node))
        st = refuse_twins(node, err);
    for (cJSON *c = node->child; c != NULL && st == GC_OK; c = c->next)
        st = settle(c, text, err);
    return st;
}

/* TEXT with every number written as 0, NUL-terminated. */
static gc_status
without_numbers(struct scan text, struct gc_bytes *ret_copy,
                struct gc_error *err)
{
    size_t len;
    gc_status st = gc_bytes_set(ret_copy, text.start,
                                (size_t)(text.end - text.start), err);

    if (st != GC_OK)
        return st;
    while ((len = next_number(&text)) > 0) {
        unsigned char *number = ret_copy->data + (text.at - text.start);

        memset(number, ' ', len);
        number[0] = '0';
        text.at += len;
    }
    return GC_OK;
}

gc_status
gc_json_parse(const void *text, size_t len, struct gc_json **ret_root,
              struct gc_error *err)
{
    const unsigned char *bytes = len == 0 ? (const unsigned char *)"" : text;
    struct scan s = {bytes, bytes, bytes + len, NULL};
    GC_AUTO(gc_bytes) copy = {0};
    GC_AUTO_PTR(gc_json) root = NULL;
    gc_status st;

    if (len > GC_JSON_TEXT_MAX)
        return gc_fail(err, GC_E_PROTOCOL,
                       "not acceptable JSON: more than %d bytes",
                       GC_JSON_TEXT_MAX);
    if (!scan_text(&s))
        return gc_fail(err, GC_E_PROTOCOL,
                       "not acceptable JSON, at byte %zu: %s",
                       (size_t)(s.at - s.start), s.why);
    s.at = s.start;
    st = without_numbers(s, &copy, err);
    if (st != GC_OK)
        return st;
    root = outer(cJSON_ParseWithLengthOpts(gc_bytes_text(&copy), copy.len,
                                           /* end */ NULL,
                                           /* NUL-terminated */ false));
    if (root == NULL)
        return gc_fail_no_memory(err);
    st = settle(inner(root), &s, err);
    if (st != GC_OK)
        return st;
    if (next_number(&s) > 0)
        return gc_fail(err, GC_E_INTERNAL, "JSON numbers out of step");
    *ret_root = GC_TAKE(root);
    return GC_OK;
}

static void
wipe_text(char *text)
{
    if (text != NULL)
        explicit_bzero(text, strlen(text));
}

static void
wipe(cJSON *node)
{
    for (; node != NULL; node = node->next) {
        wipe_text(node->string);
        wipe_text(node->valuestring);
        wipe(node->child);
    }
}

void
gc_json_free(struct gc_json *root)
{
    wipe(inner(root));
    cJSON_Delete(inner(root));
}

/* Is there the quote of a string's start, not an escaped one, before AT? */
static bool
opened(const struct scan *s)
{
    const unsigned char *c = s->at;
    size_t slashes = 0;

    if (c == s->start || *--c != '"')
        return false;
    while (c > s->start && *--c == '\\')
        slashes++;
    return slashes % 2 == 0;
}

/* With AT behind KEY: is a whole, filled string its value? */
static bool
salvage_value(struct scan s, struct gc_bytes *ret_value)
{
    GC_AUTO_PTR(gc_json) value = NULL;
    const unsigned char *from;
    const char *text;

    if (s.at == s.end || *s.at++ != '"' || peek(&s) != ':')
        return false;
    s.at++;
    if (peek(&s) != '"')
        return false;
    from = s.at;
    if (!scan_string(&s)
        || gc_json_parse(from, (size_t)(s.at - from), &value, NULL) != GC_OK)
        return false;
    text = gc_json_text(value);
    return text != NULL && *text != '\0'
           && gc_bytes_set(ret_value, text, strlen(text), NULL) == GC_OK;
}

bool
gc_json_salvage(const void *text, size_t len, const char *key,
                struct gc_bytes *ret_value)
{
    size_t key_len = strlen(key);
    struct scan s = {text, text, text, NULL};

    if (len == 0 || key_len == 0)
        return false;
    s.end += len < GC_JSON_TEXT_MAX ? len : GC_JSON_TEXT_MAX;
    for (;; s.at++) {
        struct scan value;

        s.at = memmem(s.at, (size_t)(s.end - s.at), key, key_len);
        if (s.at == NULL)
            return false;
        value = s;
        value.at += key_len;
        if (opened(&s) && salvage_value(value, ret_value))
            return true;
    }
}

const struct gc_json *
gc_json_get(const struct gc_json *node, const char *key)
{
    return outer(cJSON_GetObjectItemCaseSensitive(inner(node), key));
}

const char *
gc_json_string(const struct gc_json *node, const char *key)
{
    return gc_json_text(gc_json_get(node, key));
}

bool
gc_json_bool(const struct gc_json *node, const char *key, bool *ret_value)
{
    const cJSON *member = inner(gc_json_get(node, key));

    if (!cJSON_IsBool(member))
        return false;
    *ret_value = cJSON_IsTrue(member);
    return true;
}

/* Would we write DIGITS so ourselves?  "-0", "1e3" and 2^63 come out different.
 */
static bool
is_int64(const char *digits)
{
    char again[GC_JSON_INT64_SIZE];

    (void)snprintf(again, sizeof(again), "%lld", strtoll(digits, NULL, 10));
    return strcmp(again, digits) == 0;
}

bool
gc_json_int64(const struct gc_json *node, const char *key,
              char ret_digits[GC_JSON_INT64_SIZE])
{
    const cJSON *member = inner(gc_json_get(node, key));

    if (!cJSON_IsRaw(member) || !is_int64(member->valuestring))
        return false;
    memcpy(ret_digits, member->valuestring, strlen(member->valuestring) + 1);
    return true;
}

bool
gc_json_is_object(const struct gc_json *node)
{
    return cJSON_IsObject(inner(node));
}

bool
gc_json_is_array(const struct gc_json *node)
{
    return cJSON_IsArray(inner(node));
}

bool
gc_json_is_null(const struct gc_json *node)
{
    return cJSON_IsNull(inner(node));
}

const char *
gc_json_text(const struct gc_json *node)
{
    return cJSON_IsString(inner(node)) ? inner(node)->valuestring : NULL;
}

const struct gc_json *
gc_json_first(const struct gc_json *node)
{
    return node == NULL ? NULL : outer(inner(node)->child);
}

const struct gc_json *
gc_json_next(const struct gc_json *node)
{
    return node == NULL ? NULL : outer(inner(node)->next);
}

const char *
gc_json_key(const struct gc_json *node)
{
    return node == NULL ? NULL : inner(node)->string;
}

/*
 * What could not be built is marked where it is missing: an invalid type that
 * cJSON will not print, and the first reason beside it for gc_json_print.
 */
static struct gc_json *
spoil(struct gc_json *node, gc_status why)
{
    if (inner(node)->type != cJSON_Invalid) {
        inner(node)->type = cJSON_Invalid;
        inner(node)->valueint = (int)why;
    }
    return NULL;
}

/* May something be added to PARENT under KEY?  A wrong KEY is our own bug. */
static bool
fits(struct gc_json *parent, const char *key)
{
    if (parent == NULL)
        return false;
    if (key != NULL ? gc_json_is_object(parent) : gc_json_is_array(parent))
        return true;
    (void)spoil(parent, GC_E_INTERNAL);
    return false;
}

/* Hang ITEM, NULL where memory was out, under a PARENT that it fits. */
static struct gc_json *
take_item(struct gc_json *parent, const char *key, cJSON *item)
{
    if (item != NULL
        && (key != NULL ? cJSON_AddItemToObject(inner(parent), key, item)
                        : cJSON_AddItemToArray(inner(parent), item)))
        return outer(item);
    gc_json_free(outer(item));
    return spoil(parent, GC_E_NO_MEMORY);
}

struct gc_json *
gc_json_new_object(void)
{
    return outer(cJSON_CreateObject());
}

struct gc_json *
gc_json_new_array(void)
{
    return outer(cJSON_CreateArray());
}

struct gc_json *
gc_json_add_object(struct gc_json *parent, const char *key)
{
    return fits(parent, key) ? take_item(parent, key, cJSON_CreateObject())
                             : NULL;
}

struct gc_json *
gc_json_add_array(struct gc_json *parent, const char *key)
{
    return fits(parent, key) ? take_item(parent, key, cJSON_CreateArray())
                             : NULL;
}

struct gc_json *
gc_json_add_string(struct gc_json *parent, const char *key, const char *value)
{
    if (!fits(parent, key))
        return NULL;
    if (value == NULL)
        return spoil(parent, GC_E_INTERNAL);
    return take_item(parent, key, cJSON_CreateString(value));
}

struct gc_json *
gc_json_add_bool(struct gc_json *parent, const char *key, bool value)
{
    return fits(parent, key) ? take_item(parent, key, cJSON_CreateBool(value))
                             : NULL;
}

struct gc_json *
gc_json_add_int(struct gc_json *parent, const char *key, int64_t value)
{
    char digits[GC_JSON_INT64_SIZE];

    (void)snprintf(digits, sizeof(digits), "%lld", (long long)value);
    return gc_json_add_digits(parent, key, digits);
}

struct gc_json *
gc_json_add_digits(struct gc_json *parent, const char *key, const char *digits)
{
    if (!fits(parent, key))
        return NULL;
    /* Raw text is printed as it is: nothing else may ever get in this way. */
    if (digits == NULL || !is_int64(digits))
        return spoil(parent, GC_E_INTERNAL);
    return take_item(parent, key, cJSON_CreateRaw(digits));
}

/* NODE alone, without what it contains. */
static cJSON *
copy_item(const cJSON *node)
{
    if (cJSON_IsString(node))
        return cJSON_CreateString(node->valuestring);
    if (cJSON_IsRaw(node))
        return cJSON_CreateRaw(node->valuestring);
    if (cJSON_IsObject(node))
        return cJSON_CreateObject();
    if (cJSON_IsArray(node))
        return cJSON_CreateArray();
    return cJSON_IsNull(node) ? cJSON_CreateNull()
                              : cJSON_CreateBool(cJSON_IsTrue(node));
}

struct gc_json *
gc_json_add_copy(struct gc_json *parent, const char *key,
                 const struct gc_json *node)
{
    struct gc_json *copy;

    if (!fits(parent, key))
        return NULL;
    if (node == NULL)
        return spoil(parent, GC_E_INTERNAL);
    if (cJSON_IsInvalid(inner(node)))
        return spoil(parent, (gc_status)inner(node)->valueint);
    copy = take_item(parent, key, copy_item(inner(node)));
    for (const cJSON *c = inner(node)->child; copy != NULL && c != NULL;
         c = c->next)
        if (gc_json_add_copy(copy, c->string, outer((cJSON *)(uintptr_t)c))
            == NULL)
            return NULL;
    return copy;
}

/* Add what TEXT takes when printed, quotes included; false if not UTF-8. */
static bool
measure_text(const char *text, size_t *size)
{
    size_t left = text == NULL ? 0 : strlen(text), len;

    for (; left > 0; text += len, left -= len) {
        len = gc_utf8_length((const unsigned char *)text, left);
        if (len == 0)
            return false;
        if ((unsigned char)*text < 0x20)
            *size += strlen("\\u0000");
        else
            *size += *text == '"' || *text == '\\' ? 2 : len;
    }
    *size += 2;
    return true;
}

/* Add what NODE takes when printed; fail where it must not be printed. */
static gc_status
measure(const cJSON *node, int depth, size_t *size, struct gc_error *err)
{
    bool holds = cJSON_IsObject(node) || cJSON_IsArray(node);
    gc_status st = GC_OK;

    if (cJSON_IsInvalid(node) && node->valueint == (int)GC_E_NO_MEMORY)
        return gc_fail_no_memory(err);
    if (cJSON_IsInvalid(node) || (holds && depth == GC_JSON_DEPTH_MAX))
        return gc_fail(err, GC_E_INTERNAL, "JSON was put together wrongly");
    if (!measure_text(node->string, size)
        || !measure_text(node->valuestring, size))
        return gc_fail(err, GC_E_CONFIG,
                       "a text that is not UTF-8 cannot go into JSON");
    *size += strlen("false:,{}");
    if (*size > PRINT_MAX)
        return gc_fail(err, GC_E_INTERNAL, "JSON of more than %d bytes",
                       PRINT_MAX);
    for (const cJSON *c = node->child; c != NULL && st == GC_OK; c = c->next)
        st = measure(c, depth + 1, size, err);
    return st;
}

gc_status
gc_json_print(const struct gc_json *root, struct gc_bytes *ret_text,
              struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    size_t size = PRINT_SLACK;
    gc_status st;

    if (root == NULL)
        return gc_fail_no_memory(err);
    /* Measured first: a buffer that grows would print every secret twice. */
    st = measure(inner(root), 0, &size, err);
    if (st != GC_OK)
        return st;
    st = gc_bytes_reserve(&text, size, err);
    if (st != GC_OK)
        return st;
    if (!cJSON_PrintPreallocated(inner(root), (char *)text.data, (int)size,
                                 /* format */ false))
        return gc_fail(err, GC_E_INTERNAL, "cannot print JSON");
    text.len = strlen((char *)text.data);
    gc_bytes_move(ret_text, &text);
    return GC_OK;
}
