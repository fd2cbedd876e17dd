/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 by libcrypto, strictness by us: EVP_DecodeBlock forgives white space
 * at both ends, padding anywhere and stray bits, and counts padding as data.
 * Refuses to know what the bytes are.
 */

#include <config.h>

#include "src/base64.h"

#include <limits.h>
#include <string.h>

#include <openssl/evp.h>

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                               "abcdefghijklmnopqrstuvwxyz0123456789+/";

gc_status
gc_base64_encode(const struct gc_bytes *bytes, struct gc_bytes *ret_text,
                 struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    gc_status st;

    /* libcrypto counts in int, and base64 is longer by a third. */
    if (bytes->len > INT_MAX / 2)
        return gc_fail(err, GC_E_INTERNAL, "too much for base64");
    st = gc_bytes_reserve(&text, (bytes->len + 2) / 3 * 4, err);
    if (st != GC_OK)
        return st;
    text.len = (size_t)EVP_EncodeBlock(text.data, bytes->data, (int)bytes->len);
    gc_bytes_move(ret_text, &text);
    return GC_OK;
}

/*
 * How many padding signs end TEXT (LEN bytes)?  -1 when TEXT is not what an
 * encoder would have written.
 */
static int
padding(const char *text, size_t len)
{
    size_t body = strspn(text, alphabet), pad = len - body;
    size_t stray = pad == 1 ? 3 : 15; /* bits that encode nothing */

    if (len % 4 != 0 || pad > 2 || strspn(text + body, "=") != pad)
        return -1;
    if (pad > 0
        && ((size_t)(strchr(alphabet, text[body - 1]) - alphabet) & stray) != 0)
        return -1;
    return (int)pad;
}

gc_status
gc_base64_decode(const char *text, size_t max, struct gc_bytes *ret_bytes,
                 struct gc_error *err)
{
    GC_AUTO(gc_bytes) bytes = {0};
    size_t len = strlen(text), size = len / 4 * 3;
    int pad = padding(text, len);
    gc_status st;

    if (pad < 0)
        return gc_fail(err, GC_E_PROTOCOL, "not base64");
    if (len > INT_MAX || size - (size_t)pad > max)
        return gc_fail(err, GC_E_PROTOCOL, "base64 of more than %zu bytes",
                       max);
    st = gc_bytes_reserve(&bytes, size, err);
    if (st != GC_OK)
        return st;
    if (EVP_DecodeBlock(bytes.data, (const unsigned char *)text, (int)len)
        != (int)size)
        return gc_fail(err, GC_E_PROTOCOL, "not base64");
    bytes.len = size - (size_t)pad;
    bytes.data[bytes.len] = '\0';
    gc_bytes_move(ret_bytes, &bytes);
    return GC_OK;
}
