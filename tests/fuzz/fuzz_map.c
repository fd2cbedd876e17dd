/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map: a map is refused as a whole, or everything that it lists is literal and
 * can be found again under its name.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "gss/spn.h"
#include "src/helper/map.h"
#include "src/options.h"

static void
literal(const struct gc_map_vm *vm)
{
    struct gc_options_vm parts;
    struct gc_spn spn;
    char again[GC_TARGET_SIZE];

    fuzz_check(vm->name[0] != '\0' && strpbrk(vm->name, " \t\r\n/,@*#") == NULL,
               "a name is one word");
    fuzz_check(gc_options_vm_split(vm->vm, &parts)
                   && strcmp(parts.moid, vm->vm) == 0,
               "a VM is a moId");
    fuzz_check(strlen(vm->vcenter) == 0 || strlen(vm->vcenter) == 36,
               "a vCenter is a uuid");
    fuzz_check(strncmp(vm->target, "host/", 5) == 0
                   && strpbrk(vm->target, "{}") == NULL
                   && gc_spn_parse(vm->target, &spn, NULL) == GC_OK,
               "a target is a literal one");
    gc_spn_print(&spn, again);
    fuzz_check(strcmp(again, vm->target) == 0, "written one way");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gc_map_vm vms[64];
    GC_AUTO_PTR(gc_map) map = NULL;
    struct gc_error err = {0};
    size_t count = 0;
    gc_status st = gc_map_parse("/map", (const char *)data, size, &map, &err);

    if (st != GC_OK) {
        fuzz_check(st == GC_E_CONFIG && map == NULL
                       && strncmp(err.message, "/map", 4) == 0,
                   "refused, and where");
        return 0;
    }
    fuzz_check(gc_map_list(map, "alice", 1, vms, GC_COUNT_OF(vms), &count, NULL)
                       == GC_OK
                   && count <= GC_COUNT_OF(vms),
               "a map can be listed");
    for (size_t i = 0; i < count; i++) {
        struct gc_map_vm found;
        const char *reason = "none";

        literal(&vms[i]);
        fuzz_check(
            gc_map_find(map, vms[i].name, "alice", 1, &found, &reason, NULL)
                    == GC_OK
                && reason == NULL && strcmp(found.name, vms[i].name) == 0
                && strcmp(found.vm, vms[i].vm) == 0
                && strcmp(found.target, vms[i].target) == 0,
            "what is listed is found");
    }
    return 0;
}
