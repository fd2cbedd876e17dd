/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A password from the terminal; those from files are src/secret's.
 */

#ifndef GC_SRC_CLI_SECRET_H
#define GC_SRC_CLI_SECRET_H

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/secret.h"

/* Ask on the controlling terminal, without echo.  GC_E_CONFIG without one. */
GC_MUST_USE gc_status gc_secret_prompt(const char *prompt, size_t max,
                                       struct gc_limit limit,
                                       struct gc_bytes *ret_password,
                                       struct gc_error *err);

#endif
