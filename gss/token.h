/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which mechanism a first token says it is of, without asking GSS-API, which
 * would take an unframed one and look for other mechanisms.
 */

#ifndef GC_GSS_TOKEN_H
#define GC_GSS_TOKEN_H

#include <stdbool.h>

#include "gss/initiator.h"
#include "src/base/bytes.h"

/*
 * Is TOKEN, an initiator's first, framed as MECH's (RFC 2743 section 3.1;
 * NTLM's has a signature instead)?  It may be anything behind that.
 */
bool gc_token_is_first_of(const struct gc_bytes *token, gc_mech mech);

#endif
