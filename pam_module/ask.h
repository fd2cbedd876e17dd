/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts a helper, asks it one question, and returns its answer or an error,
 * whatever the helper does.
 */

#ifndef GC_PAM_MODULE_ASK_H
#define GC_PAM_MODULE_ASK_H

#include "src/base/base.h"
#include "src/helper/wire.h"

/*
 * Start HELPER, send REQUEST, reap HELPER.  Takes one second longer than
 * REQUEST's deadline at most; by then HELPER and its children are gone.  The
 * answer is well-formed; the caller checks whether it is true.
 *
 * GC_E_UNAVAILABLE: the deadline passed.  GC_E_CONFIG: HELPER must not be run.
 * GC_E_INTERNAL, GC_E_PROTOCOL: HELPER died, or its answer is malformed.
 */
GC_MUST_USE gc_status gc_ask(const char *helper,
                             const struct gc_wire_request *request,
                             struct gc_wire_reply *ret_reply,
                             struct gc_error *err);

#endif
