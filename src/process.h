/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which process is meant, beyond doubt: pid, start time and boot id together,
 * and on which machine and in which pid namespace that pid means anything.
 */

#ifndef GC_SRC_PROCESS_H
#define GC_SRC_PROCESS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "src/base/base.h"

#define GC_MACHINE_SIZE 17

struct gc_process {
    pid_t pid;        /* 0: nobody */
    uint64_t start;   /* clock ticks after boot, field 22 of /proc/PID/stat */
    char boot_id[40]; /* /proc/sys/kernel/random/boot_id */
    char machine[GC_MACHINE_SIZE]; /* as gc_process_machine; "": not known */
    uint32_t pid_ns; /* inode of /proc/PID/ns/pid's namespace; 0: not known */
};

/*
 * Which machine this is: sixteen digits made from /etc/machine-id, which itself
 * is to be shown to nobody; "" where there is none.
 */
void gc_process_machine(char ret_machine[GC_MACHINE_SIZE]);

/* Read who PID is now.  GC_E_NOT_FOUND, GC_E_INTERNAL (no /proc). */
GC_MUST_USE gc_status gc_process_read(pid_t pid, struct gc_process *ret_process,
                                      struct gc_error *err);

/*
 * Read who the parent of that very PROCESS is now.  GC_E_NOT_FOUND: it has none
 * that we can see, or PROCESS or its parent ended meanwhile.  GC_E_INTERNAL.
 */
GC_MUST_USE gc_status gc_process_read_parent(const struct gc_process *process,
                                             struct gc_process *ret_parent,
                                             struct gc_error *err);

/* On another machine, or of this boot but of another pid namespace? */
bool gc_process_elsewhere(const struct gc_process *process);

/*
 * Is that very process still there?  Where /proc cannot tell, and elsewhere:
 * true.
 */
bool gc_process_alive(const struct gc_process *process);

/* Who we are; of that what can be known where /proc is missing. */
void gc_process_self(struct gc_process *ret_process);

/*
 * "PID.START.BOOT-ID.MACHINE.NAMESPACE" (old: without the last two) and back:
 * LEN bytes of TEXT and no more; strict.  What is not known is "-", or 0.
 */
#define GC_PROCESS_TEXT_SIZE 100
void gc_process_print(const struct gc_process *process,
                      char dst[GC_PROCESS_TEXT_SIZE]);
bool gc_process_parse(const char *text, size_t len,
                      struct gc_process *ret_process);

#endif
