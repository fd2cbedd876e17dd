/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process something belongs to, as one word: PID.START.BOOT.PIDNS, and
 * whether that process is dead.  Links libc and nothing else.
 */

#ifndef GC_SRC_BASE_OWNER_H
#define GC_SRC_BASE_OWNER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define GC_OWNER_SIZE 100

/* This process.  What /proc does not tell is "-" or 0. */
void gc_owner_self(char ret_owner[GC_OWNER_SIZE]);

/*
 * Process PID, which must have started at START (clock ticks after boot).
 * False: it is gone, or /proc does not tell all of it.
 */
bool gc_owner_of(pid_t pid, uint64_t start, char ret_owner[GC_OWNER_SIZE]);

/* The parent that OWNER has now.  False: none that we can see. */
bool gc_owner_parent(const char *owner, char ret_parent[GC_OWNER_SIZE]);

/*
 * Is the process OWNER surely dead?  It is if it is of another boot, or of this
 * boot and pid namespace and gone.  False where that is not known, and for a
 * malformed word.
 */
bool gc_owner_is_dead(const char *owner);

#endif
