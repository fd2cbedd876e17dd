/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/base/utf8.h"

#include <string.h>

size_t
gc_utf8_length(const unsigned char *s, size_t left)
{
    unsigned char low = 0x80, high = 0xbf;
    size_t len = s[0] < 0xe0 ? 2 : s[0] < 0xf0 ? 3 : 4;

    if (s[0] < 0x80)
        return 1;
    if (s[0] < 0xc2 || s[0] > 0xf4 || left < len)
        return 0;
    if (s[0] == 0xe0)
        low = 0xa0;
    if (s[0] == 0xed)
        high = 0x9f;
    if (s[0] == 0xf0)
        low = 0x90;
    if (s[0] == 0xf4)
        high = 0x8f;
    if (s[1] < low || s[1] > high)
        return 0;
    for (size_t i = 2; i < len; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    return len;
}

bool
gc_utf8_is(const char *text, size_t len)
{
    const unsigned char *s = (const unsigned char *)text;
    size_t n = 0;

    for (size_t i = 0; i < len; i += n) {
        n = gc_utf8_length(s + i, len - i);
        if (n == 0)
            return false;
    }
    return true;
}

size_t
gc_utf8_printable(const unsigned char *s, size_t left)
{
    size_t len = gc_utf8_length(s, left);

    if (len == 1)
        return s[0] >= 0x20 && s[0] != 0x7f;
    /* U+0080..U+009F are controls */
    return len == 2 && s[0] == 0xc2 && s[1] < 0xa0 ? 0 : len;
}

size_t
gc_utf8_mark(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}
