/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/base/error.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "src/base/utf8.h"

#define WORD(symbol, word, exit) [symbol] = {word, exit},
static const struct {
    const char *word;
    int exit;
} statuses[] = {GC_STATUS_TABLE(WORD)};
#undef WORD

const char *
gc_status_word(gc_status status)
{
    return status < GC_STATUS_COUNT ? statuses[status].word : "internal";
}

int
gc_status_exit(gc_status status)
{
    return status < GC_STATUS_COUNT ? statuses[status].exit : 1;
}

void
gc_escape(char *dst, size_t dst_size, const char *text, size_t len)
{
    static const char hex[] = "0123456789abcdef";
    const unsigned char *s = (const unsigned char *)text;
    size_t used = 0;

    if (dst_size == 0)
        return;
    for (size_t i = 0; i < len;) {
        size_t n = gc_utf8_printable(s + i, len - i);
        char out[4] = {'\\', 'x', hex[s[i] >> 4], hex[s[i] & 15]};

        if (used + (n > 0 ? n : sizeof(out)) >= dst_size)
            break;
        memcpy(dst + used, n > 0 ? (const char *)s + i : out,
               n > 0 ? n : sizeof(out));
        used += n > 0 ? n : sizeof(out);
        i += n > 0 ? n : 1;
    }
    dst[used] = '\0';
}

/* Format, then escape into DST.  Cut text is still text. */
static void __attribute__((format(printf, 3, 0)))
put(char *dst, size_t dst_size, const char *fmt, va_list args)
{
    char raw[GC_ERROR_MESSAGE_SIZE];
    int n = vsnprintf(raw, sizeof(raw), fmt, args);

    if (n < 0)
        raw[0] = '\0';
    gc_escape(dst, dst_size, raw, strlen(raw));
}

gc_status
gc_fail(struct gc_error *err, gc_status status, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return status;
    *err = (struct gc_error){.status = status};
    va_start(args, fmt);
    put(err->message, sizeof(err->message), fmt, args);
    va_end(args);
    return status;
}

gc_status
gc_fail_context(struct gc_error *err, gc_status status, const char *fmt, ...)
{
    char context[GC_ERROR_MESSAGE_SIZE], whole[2 * GC_ERROR_MESSAGE_SIZE + 4];
    va_list args;

    if (err == NULL)
        return status;
    va_start(args, fmt);
    put(context, sizeof(context), fmt, args);
    va_end(args);
    (void)snprintf(whole, sizeof(whole), "%s: %s", context, err->message);
    gc_escape(err->message, sizeof(err->message), whole, strlen(whole));
    return status;
}

gc_status
gc_fail_hint(struct gc_error *err, gc_status status, const char *fmt, ...)
{
    va_list args;

    if (err == NULL)
        return status;
    va_start(args, fmt);
    put(err->hint, sizeof(err->hint), fmt, args);
    va_end(args);
    err->advice = GC_ADVICE_NONE;
    return status;
}

gc_status
gc_fail_advise(struct gc_error *err, gc_status status, enum gc_advice advice)
{
    static const char *const texts[] = {
#define TEXT(symbol, text) text,
        GC_ADVICE_TABLE(TEXT)
#undef TEXT
    };

    (void)gc_fail_hint(err, status, "%s", texts[advice]);
    if (err != NULL)
        err->advice = advice;
    return status;
}

gc_status
gc_fail_no_memory(struct gc_error *err)
{
    return gc_fail(err, GC_E_NO_MEMORY, "out of memory");
}

#define SECRET_MIN 4
/* A match of this length is no coincidence. */
#define BEGINNING_MIN 16

/* How many bytes at TEXT are the secret, or a long beginning of it? */
static size_t
matches(const char *text, const char *secret)
{
    size_t n = 0;

    while (secret[n] != '\0' && text[n] == secret[n])
        n++;
    if (secret[n] == '\0' || n >= BEGINNING_MIN
        || (text[n] == '\0' && n >= SECRET_MIN))
        return n;
    return 0;
}

/* SECRET is escaped, as TEXT is. */
static void
blank(char *text, size_t size, const char *secret)
{
    static const char mark[] = "[...]";
    char out[2 * GC_ERROR_MESSAGE_SIZE];
    size_t used = 0;
    bool found = false;

    for (const char *c = text; *c != '\0';) {
        size_t n = matches(c, secret);

        if (n > 0) {
            memcpy(out + used, mark, sizeof(mark) - 1);
            used += sizeof(mark) - 1;
            c += n;
            found = true;
        } else {
            out[used++] = *c++;
        }
    }
    if (!found)
        return;
    /* Clear what is behind the end of the new text, too. */
    explicit_bzero(text, size);
    gc_escape(text, size, out, used);
}

void
gc_fail_blank(struct gc_error *err, const void *secret, size_t len)
{
    char escaped[GC_ERROR_MESSAGE_SIZE];

    if (err == NULL || len < SECRET_MIN)
        return;
    gc_escape(escaped, sizeof(escaped), secret, len);
    blank(err->message, sizeof(err->message), escaped);
    blank(err->hint, sizeof(err->hint), escaped);
    explicit_bzero(escaped, sizeof(escaped));
}
