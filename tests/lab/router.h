/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a path to the object and the method it names, and the checks that every
 * call passes: release, verb, session, object, shape.
 */

#ifndef GC_LAB_ROUTER_H
#define GC_LAB_ROUTER_H

#include "tests/lab/reply.h"

/* Fill in what PATH, the headers and BODY say; never fails, knows "unknown". */
void gc_router_read(struct gc_request *request, const struct gc_text *body);
/* The real work. */
void gc_router_answer(struct gc_request *request, struct gc_reply *reply);

#endif
