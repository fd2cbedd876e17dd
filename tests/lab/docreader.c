/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents: reading.  Ours because cJSON's reader is lenient and turns
 * numbers into doubles.
 */

#include <config.h>

#include "tests/lab/doc.h"

#include <stdlib.h>
#include <string.h>

#define MAX_DEPTH 32

struct reader {
    const char *at, *end;
    const char *why;
    unsigned depth;
};

static cJSON *
sure(cJSON *item)
{
    if (item == NULL)
        abort();
    return item;
}

static bool
refuse(struct reader *r, const char *why)
{
    if (r->why == NULL)
        r->why = why;
    return false;
}

static void
skip_blanks(struct reader *r)
{
    while (r->at < r->end && strchr(" \t\r\n", *r->at) != NULL && *r->at != 0)
        r->at++;
}

static bool
take(struct reader *r, const char *word)
{
    size_t len = strlen(word);

    if ((size_t)(r->end - r->at) < len || memcmp(r->at, word, len) != 0)
        return false;
    r->at += len;
    return true;
}

static void
add_code_point(struct gc_text *out, uint32_t c)
{
    unsigned char b[4];

    if (c < 0x80) {
        b[0] = (unsigned char)c;
        gc_text_add(out, b, 1);
    } else if (c < 0x800) {
        b[0] = (unsigned char)(0xc0 | (c >> 6));
        b[1] = (unsigned char)(0x80 | (c & 0x3f));
        gc_text_add(out, b, 2);
    } else if (c < 0x10000) {
        b[0] = (unsigned char)(0xe0 | (c >> 12));
        b[1] = (unsigned char)(0x80 | ((c >> 6) & 0x3f));
        b[2] = (unsigned char)(0x80 | (c & 0x3f));
        gc_text_add(out, b, 3);
    } else {
        b[0] = (unsigned char)(0xf0 | (c >> 18));
        b[1] = (unsigned char)(0x80 | ((c >> 12) & 0x3f));
        b[2] = (unsigned char)(0x80 | ((c >> 6) & 0x3f));
        b[3] = (unsigned char)(0x80 | (c & 0x3f));
        gc_text_add(out, b, 4);
    }
}

static bool
read_hex4(struct reader *r, uint32_t *ret)
{
    uint32_t value = 0;
    int i;

    if (r->end - r->at < 4)
        return refuse(r, "short \\u escape");
    for (i = 0; i < 4; i++) {
        static const char digits[] = "0123456789abcdefABCDEF";
        const char *digit = *r->at == 0 ? NULL : strchr(digits, *r->at);
        uint32_t n;

        if (digit == NULL)
            return refuse(r, "bad \\u escape");
        n = (uint32_t)(digit - digits);
        value = value * 16 + (n > 15 ? n - 6 : n);
        r->at++;
    }
    *ret = value;
    return true;
}

static bool
read_unicode(struct reader *r, struct gc_text *out)
{
    uint32_t high, low = 0;

    if (!read_hex4(r, &high))
        return false;
    if (high == 0)
        return refuse(r, "U+0000 in a string");
    if (high >= 0xdc00 && high < 0xe000)
        return refuse(r, "lone surrogate");
    if (high >= 0xd800 && high < 0xdc00) {
        if (!take(r, "\\u") || !read_hex4(r, &low) || low < 0xdc00
            || low >= 0xe000)
            return refuse(r, "lone surrogate");
        high = 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00);
    }
    add_code_point(out, high);
    return true;
}

static bool
read_escape(struct reader *r, struct gc_text *out)
{
    static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
    const char *found;

    if (r->at == r->end || *r->at == '\0')
        return refuse(r, "bad escape");
    if (take(r, "u"))
        return read_unicode(r, out);
    found = strchr(from, *r->at++);
    if (found == NULL)
        return refuse(r, "bad escape");
    gc_text_add(out, &to[found - from], 1);
    return true;
}

/* One code point of UTF-8 in its shortest form, no surrogates. */
static size_t
utf8_len(const char *at, const char *end)
{
    const unsigned char *s = (const unsigned char *)at;
    size_t left = (size_t)(end - at), need, i;
    uint32_t c;

    if (s[0] < 0x80)
        return 1;
    need = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
    if (s[0] < 0xc2 || s[0] > 0xf4 || left < need)
        return 0;
    c = s[0] & (0x7fU >> need);
    for (i = 1; i < need; i++) {
        if ((s[i] & 0xc0) != 0x80)
            return 0;
        c = (c << 6) | (s[i] & 0x3f);
    }
    if ((need == 3 && (c < 0x800 || (c >= 0xd800 && c < 0xe000)))
        || (need == 4 && (c < 0x10000 || c > 0x10ffff)))
        return 0;
    return need;
}

static bool
read_string(struct reader *r, struct gc_text *out)
{
    gc_text_add(out, "", 0);
    if (!take(r, "\""))
        return refuse(r, "a string was expected");
    while (r->at < r->end) {
        size_t len;

        if (take(r, "\""))
            return true;
        if ((unsigned char)*r->at < 0x20)
            return refuse(r, "control character in a string");
        if (take(r, "\\")) {
            if (!read_escape(r, out))
                return false;
            continue;
        }
        len = utf8_len(r->at, r->end);
        if (len == 0)
            return refuse(r, "not UTF-8");
        gc_text_add(out, r->at, len);
        r->at += len;
    }
    return refuse(r, "unfinished string");
}

static size_t
skip_digits(struct reader *r)
{
    const char *from = r->at;

    while (r->at < r->end && *r->at >= '0' && *r->at <= '9')
        r->at++;
    return (size_t)(r->at - from);
}

static cJSON *
read_number(struct reader *r)
{
    const char *from = r->at;
    GC_TEXT digits = {0};

    (void)take(r, "-");
    if (!take(r, "0") && skip_digits(r) == 0)
        return refuse(r, "a value was expected"), NULL;
    if (take(r, ".") && skip_digits(r) == 0)
        return refuse(r, "bad number"), NULL;
    if (take(r, "e") || take(r, "E")) {
        if (!take(r, "+"))
            (void)take(r, "-");
        if (skip_digits(r) == 0)
            return refuse(r, "bad number"), NULL;
    }
    gc_text_add(&digits, from, (size_t)(r->at - from));
    return sure(cJSON_CreateRaw(digits.data));
}

static cJSON *read_value(struct reader *r);

static bool
read_member(struct reader *r, cJSON *object)
{
    GC_TEXT name = {0};
    cJSON *value;

    skip_blanks(r);
    if (!read_string(r, &name))
        return false;
    if (cJSON_GetObjectItemCaseSensitive(object, name.data) != NULL)
        return refuse(r, "duplicate member");
    skip_blanks(r);
    if (!take(r, ":"))
        return refuse(r, "':' was expected");
    value = read_value(r);
    if (value == NULL)
        return false;
    gc_doc_add(object, name.data, value);
    return true;
}

static bool
read_element(struct reader *r, cJSON *array)
{
    cJSON *value = read_value(r);

    if (value != NULL)
        cJSON_AddItemToArray(array, value);
    return value != NULL;
}

static cJSON *
read_container(struct reader *r, const char *close)
{
    bool object = close[0] == '}';
    GC_DOC all = sure(object ? cJSON_CreateObject() : cJSON_CreateArray());
    cJSON *result;
    bool more;

    skip_blanks(r);
    more = !take(r, close);
    while (more) {
        if (!(object ? read_member(r, all) : read_element(r, all)))
            return NULL;
        skip_blanks(r);
        more = take(r, ",");
        if (!more && !take(r, close))
            return refuse(r, "',' or an end was expected"), NULL;
    }
    result = all;
    all = NULL;
    return result;
}

static cJSON *
read_nested(struct reader *r, const char *close)
{
    cJSON *value;

    if (++r->depth > MAX_DEPTH)
        return refuse(r, "too deep"), NULL;
    value = read_container(r, close);
    r->depth--;
    return value;
}

static cJSON *
read_value(struct reader *r)
{
    GC_TEXT string = {0};

    skip_blanks(r);
    if (take(r, "{"))
        return read_nested(r, "}");
    if (take(r, "["))
        return read_nested(r, "]");
    if (take(r, "true"))
        return sure(cJSON_CreateTrue());
    if (take(r, "false"))
        return sure(cJSON_CreateFalse());
    if (take(r, "null"))
        return sure(cJSON_CreateNull());
    if (r->at == r->end || *r->at != '"')
        return read_number(r);
    if (!read_string(r, &string))
        return NULL;
    return sure(cJSON_CreateString(string.data));
}

cJSON *
gc_doc_parse(const char *text, size_t len, const char **ret_why)
{
    struct reader r = {.at = text, .end = text + len};
    GC_DOC doc = read_value(&r);
    cJSON *result;

    skip_blanks(&r);
    if (doc != NULL && r.at != r.end)
        (void)refuse(&r, "something behind the end");
    if (r.why != NULL) {
        *ret_why = r.why;
        return NULL;
    }
    result = doc;
    doc = NULL;
    return result;
}
