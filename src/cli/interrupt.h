/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Signals into a descriptor: the first asks the command to stop and clean up,
 * the second ends the process.
 */

#ifndef GC_SRC_CLI_INTERRUPT_H
#define GC_SRC_CLI_INTERRUPT_H

#include "src/base/base.h"

/*
 * Catch SIGINT, SIGTERM and SIGHUP, ignore SIGPIPE.  RET_FD becomes readable
 * when one arrived and stays so.  Call once.
 */
GC_MUST_USE gc_status gc_interrupt_catch(int *ret_fd, struct gc_error *err);

/* The signal that arrived, or 0. */
int gc_interrupt_signal(void);

#endif
