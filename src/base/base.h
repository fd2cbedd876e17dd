/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every room may lean on: scoped cleanup and must-use.
 */

#ifndef GC_SRC_BASE_BASE_H
#define GC_SRC_BASE_BASE_H

#include <stddef.h>

#include "src/base/error.h"

/*
 * GC_AUTO(gc_bytes) b = {0} clears b when its scope ends.  The variable must
 * own what it holds from the moment it holds it: never park a borrowed pointer
 * in one, not even for a line.
 */
#define GC_AUTO(type) __attribute__((cleanup(type##_clear))) struct type

/* The same for a heap object: the variable is a pointer, freed by type_free. */
#define GC_AUTO_PTR(type) __attribute__((cleanup(type##_freep))) struct type *
#define GC_DEFINE_FREEP(type)                                                  \
    static inline void type##_freep(struct type **p)                           \
    {                                                                          \
        type##_free(*p);                                                       \
    }

/* Give a pointer away: yields P and leaves NULL behind. */
#define GC_TAKE(p)                                                             \
    __extension__({                                                            \
        __typeof__(p) taken_ = (p);                                            \
        (p) = NULL;                                                            \
        taken_;                                                                \
    })

#define GC_MUST_USE    __attribute__((warn_unused_result))
#define GC_COUNT_OF(a) (sizeof(a) / sizeof((a)[0]))

#endif
