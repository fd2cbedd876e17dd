/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 (RFC 4648 section 4), strict both ways: the only room that sees
 * libcrypto.
 */

#ifndef GC_SRC_BASE64_H
#define GC_SRC_BASE64_H

#include "src/base/base.h"
#include "src/base/bytes.h"

/* Replace RET_TEXT with BYTES as base64, padded, without line breaks. */
GC_MUST_USE gc_status gc_base64_encode(const struct gc_bytes *bytes,
                                       struct gc_bytes *ret_text,
                                       struct gc_error *err);

/*
 * Replace RET_BYTES with what TEXT (NUL-terminated) encodes.  GC_E_PROTOCOL for
 * white space, missing or misplaced padding, stray bits in the last symbol,
 * and more than MAX bytes.  The error quotes nothing of TEXT.
 */
GC_MUST_USE gc_status gc_base64_decode(const char *text, size_t max,
                                       struct gc_bytes *ret_bytes,
                                       struct gc_error *err);

#endif
