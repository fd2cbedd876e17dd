/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Descriptors of ours that the standard three do not mix with, and none of
 * others' in a child.  Links libc and nothing else.
 */

#ifndef GC_SRC_BASE_DESCRIPTOR_H
#define GC_SRC_BASE_DESCRIPTOR_H

#include "src/base/base.h"

/* Close FIRST to LAST, whatever is open there.  Async-signal-safe. */
void gc_descriptor_close_range(unsigned int first, unsigned int last);

/*
 * FD, which is given away, above the standard three, so that nobody prints into
 * it; closed on exec.  Below 0: errno says why, or FD was so.
 */
GC_MUST_USE int gc_descriptor_lift(int fd);

/* A SOCK_SEQPACKET pair, both ends lifted: the caller's to close. */
GC_MUST_USE gc_status gc_descriptor_pair(int ret_pair[2], struct gc_error *err);

#endif
