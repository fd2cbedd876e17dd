/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which VMs, and as what each is known to Kerberos: --vm, --vms-from, --spn.
 */

#ifndef GC_SRC_CLI_TARGETS_H
#define GC_SRC_CLI_TARGETS_H

#include "src/cli/cli.h"

#define GC_TARGETS_MAX 1024

struct gc_target {
    char *ref; /* owned */
    char *spn; /* owned; may hold "{vm}" */
};

struct gc_targets {
    struct gc_target *items;
    size_t count;
    bool several; /* asked for as a list: so is the answer */
};

void gc_targets_clear(struct gc_targets *targets);

/*
 * A line of --vms-from is "REF [SPN]"; empty lines and # comments are skipped.
 * GC_E_CONFIG: none at all, one without an SPN, a malformed line or SPN.
 */
GC_MUST_USE gc_status gc_targets_read(struct gc_cli *cli,
                                      struct gc_targets *ret_targets,
                                      struct gc_error *err);

#endif
