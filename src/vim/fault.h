/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vim faults: what each _typeName means to a caller, in one table that covers
 * every fault of the two API pages and the faults of the runtime.
 */

#ifndef GC_SRC_VIM_FAULT_H
#define GC_SRC_VIM_FAULT_H

#include "src/base/base.h"
#include "src/json.h"

/*
 * Flat; holds no secret (a challenge's token is not copied here, and what looks
 * like a token in the server's prose is cut out).  All text is escaped.
 */
struct gc_fault {
    char name[GC_FAULT_NAME_SIZE]; /* _typeName */
    char text[256];                /* what the server says about it, or "" */
    char existing_state[32];       /* InvalidPowerState, or "" */
    char privilege[96];            /* NoPermission: what is missing, or "" */
    char property[96];             /* InvalidArgument: invalidProperty, or "" */
    char object[128];              /* ManagedObjectNotFound: moId, or "" */
    int vix;                       /* SystemError's vix code, or 0 */
};

/*
 * Read ROOT (an object with a string _typeName) as a fault.  False when it has
 * no usable _typeName.  The members of interest may have any order or type.
 */
bool gc_fault_parse(const struct gc_json *root, struct gc_fault *ret_fault);

/*
 * Turn FAULT into ERR: status, sentence, next step, err->fault, err->again.
 * SUBJECT is what was asked of ("VM vm-42", "vCenter").  Returns the status.
 * A fault that the table does not know is GC_E_FAILED, with its name and text.
 */
gc_status gc_fault_fail(const struct gc_fault *fault, const char *subject,
                        struct gc_error *err);

/* Full-length and exact. */
bool gc_fault_is(const struct gc_fault *fault, const char *name);

#endif
