/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether a request has the shape its type promises: members, their kinds, a
 * _typeName in every nested object.  One table of types.
 */

#ifndef GC_LAB_SHAPE_H
#define GC_LAB_SHAPE_H

#include <stdbool.h>

#include "tests/lab/doc.h"

struct gc_misfit {
    char fault[32];     /* InvalidArgument, InvalidType or InvalidRequest */
    char property[256]; /* where, in dots */
};

/*
 * Check ARGS, the body of METHOD, whose type is METHODRequestType.  Lenient
 * (not STRICT): nested objects may leave their _typeName out, members that are
 * not known are ignored.
 */
bool gc_shape_fits(const char *method, const cJSON *args, bool strict,
                   struct gc_misfit *misfit);

#endif
