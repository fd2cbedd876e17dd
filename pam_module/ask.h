/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One question to a helper of its own, and the answer, or an error: whatever
 * the helper does or fails to do.
 */

#ifndef GC_PAM_MODULE_ASK_H
#define GC_PAM_MODULE_ASK_H

#include "src/base/base.h"
#include "src/helper/wire.h"

/*
 * Start HELPER, ask REQUEST, gather it again.  Takes at most until REQUEST's
 * deadline and a second; by then HELPER and what it started are gone.  The
 * answer is well-formed; whether it is believed is the caller's business.
 *
 * GC_E_UNAVAILABLE: the deadline passed.  GC_E_CONFIG: HELPER is not to be
 * run.  GC_E_INTERNAL, GC_E_PROTOCOL: it died, or talked nonsense.
 */
GC_MUST_USE gc_status gc_ask(const char *helper,
                             const struct gc_wire_request *request,
                             struct gc_wire_reply *ret_reply,
                             struct gc_error *err);

#endif
