/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/base/utf8.h"

#include <stdint.h>
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

/*
 * Letters that look like themselves in a log: no marks that combine, nothing
 * invisible, nothing that turns the direction of what is beside it.
 */
static bool
is_letter(uint32_t c)
{
    static const struct {
        uint32_t first, last;
    } known[] = {
        {0x00c0, 0x00d6}, {0x00d8, 0x00f6}, {0x00f8, 0x024f}, /* Latin */
        {0x0388, 0x03ff}, {0x0400, 0x0481}, {0x048a, 0x052f}, /* and kin */
        {0x2026, 0x2026},                   /* our own "…" */
        {0x3041, 0x3096}, {0x30a1, 0x30fa}, /* kana */
        {0x4e00, 0x9fff}, {0xac00, 0xd7a3}, /* Han, Hangul */
    };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (c >= known[i].first && c <= known[i].last)
            return true;
    return false;
}

size_t
gc_utf8_printable(const unsigned char *s, size_t left)
{
    size_t len = gc_utf8_length(s, left);

    if (len == 1)
        return s[0] >= 0x20 && s[0] != 0x7f;
    if (len == 2)
        return is_letter((s[0] & 0x1fu) << 6 | (s[1] & 0x3fu)) ? len : 0;
    if (len == 3)
        return is_letter((s[0] & 0x0fu) << 12 | (s[1] & 0x3fu) << 6
                         | (s[2] & 0x3fu))
                   ? len
                   : 0;
    return 0;
}

size_t
gc_utf8_mark(const char *text, size_t len)
{
    return len >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
}
