/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/base/fields.h"

#include <stdio.h>
#include <string.h>

#include "src/base/utf8.h"

#define TEXT_MAX  (1024 * 1024)
#define COUNT_MAX 64

/* How many of S's LEFT bytes are one character that stands for itself? */
static size_t
plain(const unsigned char *s, size_t left)
{
    return s[0] == '\\' ? 0 : gc_utf8_printable(s, left);
}

/* ---- writing ---- */

static gc_status
add(struct gc_bytes *text, const void *data, size_t len, struct gc_error *err)
{
    return gc_bytes_append(text, data, len, TEXT_MAX, err);
}

static gc_status
add_escaped(struct gc_bytes *text, const unsigned char *s, size_t len,
            struct gc_error *err)
{
    static const char hex[] = "0123456789abcdef";
    size_t start = 0, n;
    gc_status st = GC_OK;

    for (size_t i = 0; st == GC_OK && i < len; i += n) {
        n = plain(s + i, len - i);
        if (n == 0) {
            const char out[4] = {'\\', 'x', hex[s[i] >> 4], hex[s[i] & 15]};

            n = 1;
            st = add(text, s + start, i - start, err);
            if (st == GC_OK)
                st = add(text, out, sizeof(out), err);
            start = i + 1;
        }
    }
    return st != GC_OK ? st : add(text, s + start, len - start, err);
}

static gc_status
add_line(struct gc_bytes *text, const char *name, const void *value, size_t len,
         struct gc_error *err)
{
    gc_status st;

    if (len == 0)
        return GC_OK;
    st = add(text, name, strlen(name), err);
    if (st == GC_OK)
        st = add(text, "=", 1, err);
    if (st == GC_OK)
        st = add_escaped(text, value, len, err);
    return st != GC_OK ? st : add(text, "\n", 1, err);
}

static gc_status
add_field(struct gc_bytes *text, const struct gc_field *field,
          const void *member, struct gc_error *err)
{
    const struct gc_bytes *bytes = member;
    const char *string = member;
    char number[32];
    size_t len;

    switch (field->kind) {
    case GC_FIELD_TEXT:
    case GC_FIELD_STRING:
        len = strnlen(string, field->size);
        if (len == field->size
            || (field->kind == GC_FIELD_TEXT && !gc_utf8_is(string, len)))
            break;
        return add_line(text, field->name, string, len, err);
    case GC_FIELD_NUMBER:
        len = (size_t)snprintf(number, sizeof(number), "%lld",
                               (long long)*(const int64_t *)member);
        if (strcmp(number, "0") == 0)
            len = 0;
        return add_line(text, field->name, number, len, err);
    case GC_FIELD_FLAG:
        len = *(const bool *)member ? strlen("yes") : 0;
        return add_line(text, field->name, "yes", len, err);
    case GC_FIELD_WORD:
        for (unsigned i = 0; field->words[i] != NULL; i++)
            if (i == *(const unsigned *)member)
                return add_line(text, field->name, field->words[i],
                                strlen(field->words[i]), err);
        break;
    case GC_FIELD_BYTES:
        if (bytes->len > field->size)
            break;
        return add_line(text, field->name, bytes->data, bytes->len, err);
    }
    return gc_fail(err, GC_E_INTERNAL, "\"%s\" is not what can be written",
                   field->name);
}

gc_status
gc_fields_write(const char *kind, const struct gc_field *fields, size_t count,
                const void *record, struct gc_bytes *ret_text,
                struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    char head[64];
    int len = snprintf(head, sizeof(head), "guestcred 1 %s\n", kind);
    gc_status st = gc_bytes_reserve(&text, 1023, err);

    if (st == GC_OK)
        st = add(&text, head, (size_t)len, err);
    for (size_t i = 0; st == GC_OK && i < count; i++)
        st = add_field(&text, &fields[i],
                       (const unsigned char *)record + fields[i].at, err);
    if (st == GC_OK)
        st = add(&text, "end\n", 4, err);
    if (st == GC_OK)
        gc_bytes_move(ret_text, &text);
    return st;
}

/* ---- reading ---- */

/* LEFT bytes at AT are not read yet; LINE has no newline. */
struct lines {
    const unsigned char *at, *line;
    size_t left, len, number;
};

static bool
next_line(struct lines *l)
{
    const unsigned char *newline =
        l->left == 0 ? NULL : memchr(l->at, '\n', l->left);

    l->number++;
    if (newline == NULL)
        return false;
    l->line = l->at;
    l->len = (size_t)(newline - l->at);
    l->at = newline + 1;
    l->left -= l->len + 1;
    return true;
}

static bool
is(const unsigned char *s, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(s, word, len) == 0;
}

static int
hex_digit(unsigned char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Undo add_escaped.  DST has room for LEN bytes and RET_USED is at most that.
 */
static bool
unescape(const unsigned char *s, size_t len, unsigned char *dst,
         size_t *ret_used)
{
    size_t used = 0, n;

    for (size_t i = 0; i < len; i += n) {
        n = plain(s + i, len - i);
        if (n > 0) {
            memcpy(dst + used, s + i, n);
            used += n;
            continue;
        }
        n = 4;
        if (len - i < n || s[i] != '\\' || s[i + 1] != 'x'
            || hex_digit(s[i + 2]) < 0 || hex_digit(s[i + 3]) < 0)
            return false;
        dst[used++] =
            (unsigned char)(hex_digit(s[i + 2]) * 16 + hex_digit(s[i + 3]));
    }
    *ret_used = used;
    return true;
}

/* Only as it is written: not "+5", "05", "-0" or 2^63. */
static bool
read_number(const unsigned char *s, size_t len, int64_t *ret_value)
{
    bool negative = len > 0 && s[0] == '-';
    int64_t value = 0;
    size_t i = negative ? 1 : 0;

    if (i == len || (s[i] == '0' && len > 1))
        return false;
    for (; i < len; i++) {
        int digit = s[i] - '0';

        if (digit < 0 || digit > 9 || __builtin_mul_overflow(value, 10, &value)
            || __builtin_add_overflow(value, negative ? -digit : digit, &value))
            return false;
    }
    *ret_value = value;
    return true;
}

static bool
take_text(const struct gc_field *field, const struct gc_bytes *value, char *dst)
{
    const char *text = gc_bytes_text(value);

    if (value->len >= field->size || strlen(text) != value->len
        || (field->kind == GC_FIELD_TEXT && !gc_utf8_is(text, value->len)))
        return false;
    memcpy(dst, text, value->len + 1);
    return true;
}

/* FIELD's MEMBER becomes VALUE, or *RET_FITS false. */
static bool
take(const struct gc_field *field, struct gc_bytes *value, void *member)
{
    switch (field->kind) {
    case GC_FIELD_TEXT:
    case GC_FIELD_STRING:
        return take_text(field, value, member);
    case GC_FIELD_NUMBER:
        return read_number(value->data, value->len, member);
    case GC_FIELD_FLAG:
        *(bool *)member = true;
        return is(value->data, value->len, "yes");
    case GC_FIELD_WORD:
        for (unsigned i = 0; field->words[i] != NULL; i++)
            if (is(value->data, value->len, field->words[i])) {
                *(unsigned *)member = i;
                return true;
            }
        return false;
    case GC_FIELD_BYTES:
        if (value->len > field->size)
            return false;
        gc_bytes_move(member, value);
        return true;
    }
    return false;
}

/* The line "name=value" of L; SEEN has a bit for each field. */
static gc_status
read_line(const struct lines *l, const struct gc_field *fields, size_t count,
          uint64_t *seen, void *record, struct gc_error *err)
{
    const unsigned char *sign = memchr(l->line, '=', l->len);
    size_t before = sign == NULL ? 0 : (size_t)(sign - l->line), len, i = 0;
    GC_AUTO(gc_bytes) value = {0};
    gc_status st;

    while (i < count && !is(l->line, before, fields[i].name))
        i++;
    if (sign == NULL || i == count)
        return gc_fail(err, GC_E_PROTOCOL, "line %zu: an unknown field",
                       l->number);
    if ((*seen & UINT64_C(1) << i) != 0)
        return gc_fail(err, GC_E_PROTOCOL, "line %zu: \"%s\" again", l->number,
                       fields[i].name);
    *seen |= UINT64_C(1) << i;
    len = l->len - before - 1;
    st = gc_bytes_reserve(&value, len, err);
    if (st != GC_OK)
        return st;
    if (!unescape(sign + 1, len, value.data, &value.len)
        || !take(&fields[i], &value, (unsigned char *)record + fields[i].at))
        return gc_fail(err, GC_E_PROTOCOL,
                       "line %zu: not a value that \"%s\" can have", l->number,
                       fields[i].name);
    return GC_OK;
}

static void
empty(const struct gc_field *fields, size_t count, void *record)
{
    for (size_t i = 0; i < count; i++) {
        void *member = (unsigned char *)record + fields[i].at;

        if (fields[i].kind == GC_FIELD_BYTES)
            gc_bytes_clear(member);
        else
            explicit_bzero(member, fields[i].size);
    }
}

gc_status
gc_fields_read(const char *kind, const struct gc_field *fields, size_t count,
               const struct gc_bytes *text, void *record, struct gc_error *err)
{
    struct lines l = {.at = text->data, .left = text->len};
    char head[64];
    uint64_t seen = 0;
    gc_status st = GC_OK;

    if (count > COUNT_MAX)
        return gc_fail(err, GC_E_INTERNAL, "more than %d fields", COUNT_MAX);
    empty(fields, count, record);
    (void)snprintf(head, sizeof(head), "guestcred 1 %s", kind);
    if (!next_line(&l) || !is(l.line, l.len, head))
        return gc_fail(err, GC_E_PROTOCOL, "line 1 is not \"%s\"", head);
    while (st == GC_OK) {
        if (!next_line(&l))
            return gc_fail(err, GC_E_PROTOCOL, "line %zu: the end is missing",
                           l.number);
        if (is(l.line, l.len, "end"))
            break;
        st = read_line(&l, fields, count, &seen, record, err);
    }
    if (st == GC_OK && l.left > 0)
        st = gc_fail(err, GC_E_PROTOCOL, "line %zu: more after the end",
                     l.number + 1);
    return st;
}
