/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "gss/token.h"

#include <string.h>

static const struct {
    const char *bytes; /* of the OID, or of the signature */
    size_t len;
} marks[] = {
    [GC_MECH_KERBEROS] = {"\x2a\x86\x48\x86\xf7\x12\x01\x02\x02", 9},
    [GC_MECH_NEGOTIATE] = {"\x2b\x06\x01\x05\x05\x02", 6},
    [GC_MECH_NTLM] = {"NTLMSSP", 8},
};

bool
gc_token_is_first_of(const struct gc_bytes *token, gc_mech mech)
{
    const unsigned char *data = token->data;
    size_t at = 2, long_form, len = marks[mech].len;

    if (token->len < 4 || token->len > GC_TOKEN_MAX)
        return false;
    if (mech == GC_MECH_NTLM)
        return token->len >= len && memcmp(data, marks[mech].bytes, len) == 0;
    if (data[0] != 0x60)
        return false;
    long_form = data[1] < 0x80 ? 0 : data[1] & 0x7fu;
    if (long_form > 4 || token->len - at < long_form + 2 + len)
        return false;
    at += long_form;
    return data[at] == 0x06 && data[at + 1] == len
           && memcmp(data + at + 2, marks[mech].bytes, len) == 0;
}
