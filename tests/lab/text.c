/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes that grow, numbers read whole, base64 (the only libcrypto of the
 * simulator).  Knows nothing about what the bytes mean.
 */

#include <config.h>

#include "tests/lab/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include <openssl/evp.h>

static void *
sure(void *memory)
{
    if (memory != NULL)
        return memory;
    fputs("guestcred-vcsim: out of memory\n", stderr);
    abort();
}

void
gc_text_clear(struct gc_text *text)
{
    if (text->data != NULL)
        explicit_bzero(text->data, text->size);
    free(text->data);
    *text = (struct gc_text){0};
}

static void
make_room(struct gc_text *text, size_t more)
{
    struct gc_text bigger = {0};

    if (text->data != NULL && text->size - text->len > more)
        return;
    bigger.size = (text->len + more + 64) * 2;
    bigger.data = sure(malloc(bigger.size));
    bigger.len = text->len;
    if (text->len > 0)
        memcpy(bigger.data, text->data, text->len);
    gc_text_clear(text);
    *text = bigger;
}

void
gc_text_add(struct gc_text *text, const void *data, size_t len)
{
    make_room(text, len);
    if (len > 0)
        memcpy(text->data + text->len, data, len);
    text->len += len;
    text->data[text->len] = '\0';
}

void
gc_text_puts(struct gc_text *text, const char *string)
{
    gc_text_add(text, string, strlen(string));
}

void
gc_text_printf(struct gc_text *text, const char *format, ...)
{
    char *string = NULL;
    va_list args;
    int len;

    va_start(args, format);
    len = vasprintf(&string, format, args);
    va_end(args);
    if (len < 0)
        string = NULL;
    gc_text_puts(text, sure(string));
    gc_text_free(string);
}

const char *
gc_text_string(const struct gc_text *text)
{
    return text->data != NULL ? text->data : "";
}

void *
gc_text_grab(size_t count, size_t size)
{
    return sure(calloc(count, size));
}

char *
gc_text_dup(const char *string)
{
    return sure(strdup(string));
}

void
gc_text_free(char *string)
{
    if (string != NULL)
        explicit_bzero(string, strlen(string));
    free(string);
}

bool
gc_text_copy(char *to, size_t size, const char *source)
{
    size_t len = strlen(source);

    if (len >= size)
        return false;
    memcpy(to, source, len + 1);
    return true;
}

bool
gc_text_int64(const char *string, int64_t *ret)
{
    char *end = NULL;
    long long value;

    if (strspn(string, "-0123456789") != strlen(string) || string[0] == '\0')
        return false;
    errno = 0;
    value = strtoll(string, &end, 10);
    if (errno != 0 || *end != '\0')
        return false;
    *ret = value;
    return true;
}

bool
gc_text_seconds(const char *string, double *ret)
{
    char *end = NULL;
    double value;

    if (strspn(string, ".0123456789") != strlen(string) || string[0] == '\0')
        return false;
    value = strtod(string, &end);
    if (*end != '\0' || value > 1e9)
        return false;
    *ret = value;
    return true;
}

void
gc_text_random(void *data, size_t len)
{
    unsigned char *to = data;

    while (len > 0) {
        ssize_t got = getrandom(to, len, 0);

        if (got < 0 && errno != EINTR)
            abort();
        if (got > 0) {
            to += got;
            len -= (size_t)got;
        }
    }
}

void
gc_text_base64(const void *data, size_t len, struct gc_text *out)
{
    size_t size = (len + 2) / 3 * 4;

    make_room(out, size);
    EVP_EncodeBlock((unsigned char *)out->data + out->len, data, (int)len);
    out->len += size;
    out->data[out->len] = '\0';
}

bool
gc_text_unbase64(const char *string, struct gc_text *out)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";
    size_t len = strlen(string), digits = strspn(string, alphabet), pad;
    GC_TEXT again = {0};

    pad = len - digits;
    if (len % 4 != 0 || pad > 2 || strspn(string + digits, "=") != pad)
        return false;
    gc_text_clear(out);
    make_room(out, len);
    out->data[0] = '\0';
    if (len == 0)
        return true;
    if (EVP_DecodeBlock((unsigned char *)out->data,
                        (const unsigned char *)string, (int)len)
        < 0)
        return false;
    out->len = len / 4 * 3 - pad;
    /* Bits that the padding leaves over must be zero: encode and compare. */
    gc_text_base64(out->data, out->len, &again);
    return strcmp(again.data, string) == 0;
}

bool
gc_text_read_file(const char *path, size_t limit, struct gc_text *out)
{
    char piece[8192];
    ssize_t got;
    int fd = open(path, O_RDONLY | O_CLOEXEC), saved;

    if (fd < 0)
        return false;
    errno = 0;
    while ((got = read(fd, piece, sizeof(piece))) > 0 && out->len <= limit)
        gc_text_add(out, piece, (size_t)got);
    if (out->len > limit)
        errno = EFBIG;
    saved = errno;
    close(fd);
    errno = saved;
    explicit_bzero(piece, sizeof(piece));
    return errno == 0;
}
