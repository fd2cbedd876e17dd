/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What actions do to a call: instead of the answer, to the document, to its
 * text, to the wire.
 */

#ifndef GC_LAB_TWIST_H
#define GC_LAB_TWIST_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/reply.h"
#include "tests/lab/rule.h"

struct gc_action;

/* The action NAME if ARGS suit it; NULL with a sentence in WHY. */
const struct gc_action *gc_twist_find(const char *name, char *const *args,
                                      size_t count, struct gc_text *why);
const char *gc_twist_name(const struct gc_action *action);

/*
 * Ahead of the real work.  True if the reply is settled and there must be none:
 * an action answers in its place, or the connection ends before.
 */
bool gc_twist_before(struct gc_request *request, struct gc_reply *reply,
                     const struct gc_picked *picked);
/* Afterwards: document, text, wire.  REPLY->doc is gone then. */
void gc_twist_after(struct gc_request *request, struct gc_reply *reply,
                    const struct gc_picked *picked);

#endif
