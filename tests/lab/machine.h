/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of a VirtualMachine.
 */

#ifndef GC_LAB_MACHINE_H
#define GC_LAB_MACHINE_H

#include "tests/lab/reply.h"

/* GET of any property that is in the table of routes. */
void gc_machine_get(struct gc_request *request, struct gc_reply *reply);

/* The top-level property NAME as a new document; NULL if there is none. */
cJSON *gc_machine_property(const struct gc_vm *vm, const char *name);

#endif
