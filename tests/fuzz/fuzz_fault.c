/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: whatever a server calls a fault ends as one status and clean text.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/vim/fault.h"

static void
check_text(const char *text, size_t size)
{
    const char *end = memchr(text, '\0', size);

    fuzz_check(end != NULL, "text ends within its field");
    for (; text < end; text++)
        fuzz_check((unsigned char)*text >= 0x20 && *text != 0x7f,
                   "no control characters");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    struct gc_fault fault = {.vix = -1};
    struct gc_error err = {0};

    if (gc_json_parse(data, size, &root, NULL) != GC_OK)
        return 0;
    if (!gc_fault_parse(root, &fault)) {
        fuzz_check(fault.vix == -1, "no fault leaves nothing behind");
        return 0;
    }
    check_text(fault.name, sizeof(fault.name));
    check_text(fault.text, sizeof(fault.text));
    check_text(fault.existing_state, sizeof(fault.existing_state));
    check_text(fault.privilege, sizeof(fault.privilege));
    check_text(fault.property, sizeof(fault.property));
    check_text(fault.object, sizeof(fault.object));
    fuzz_check(fault.vix >= 0, "a vix code is a small number");

    fuzz_check(gc_fault_fail(&fault, "VM vm-42", &err) == err.status
                   && err.status != GC_OK,
               "a fault is a failure");
    fuzz_check(gc_fault_fail(&fault, "VM vm-42", NULL) == err.status,
               "with or without an error to fill");
    check_text(err.message, sizeof(err.message));
    check_text(err.hint, sizeof(err.hint));
    fuzz_check(err.message[0] != '\0' && err.hint[0] != '\0',
               "a sentence and a next step");
    fuzz_check(strcmp(err.fault, fault.name) == 0, "the fault's own name");
    fuzz_check(gc_fault_is(&fault, fault.name), "it is what it is");
    fuzz_check(!err.again || err.status == GC_E_BUSY
                   || err.status == GC_E_UNAVAILABLE,
               "only what may pass is tried again");
    return 0;
}
