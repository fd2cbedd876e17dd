/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of vim25 faults: _typeName, the members each kind has,
 * faultstring.
 */

#ifndef GC_LAB_FAULT_H
#define GC_LAB_FAULT_H

#include "tests/lab/doc.h"

/*
 * NAME with plausible members.  An unknown name gets a faultstring only:
 * scenarios may invent faults.
 */
cJSON *gc_lab_fault(const char *name);

#endif
