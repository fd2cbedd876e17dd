/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Properties of a VirtualMachine: the members that a login tool reads.
 */

#include <config.h>

#include "tests/lab/machine.h"

#include <string.h>

static cJSON *
name(const struct gc_vm *vm)
{
    return cJSON_CreateString(vm->name);
}

static cJSON *
guest(const struct gc_vm *vm)
{
    cJSON *info = gc_doc_object("GuestInfo");
    bool windows = vm->os == GC_OS_WINDOWS;
    bool running = vm->power == GC_POWER_ON && vm->tools != GC_TOOLS_STOPPED;

    gc_doc_add_string(info, "toolsStatus",
                      running ? "toolsOk" : "toolsNotRunning");
    gc_doc_add_string(info, "toolsVersionStatus2",
                      vm->tools == GC_TOOLS_OLD ? "guestToolsTooOld"
                                                : "guestToolsCurrent");
    gc_doc_add_string(info, "toolsRunningStatus",
                      running ? "guestToolsRunning" : "guestToolsNotRunning");
    gc_doc_add_string(info, "guestId",
                      windows ? "windows2019srvNext_64Guest"
                              : "debian12_64Guest");
    gc_doc_add_string(info, "guestFamily",
                      windows ? "windowsGuest" : "linuxGuest");
    gc_doc_add_string(info, "guestFullName",
                      windows ? "Microsoft Windows Server 2022 (64-bit)"
                              : "Debian GNU/Linux 12 (64-bit)");
    if (running && vm->host_name[0] != '\0')
        gc_doc_add_string(info, "hostName", vm->host_name);
    if (running && vm->ip[0] != '\0')
        gc_doc_add_string(info, "ipAddress", vm->ip);
    gc_doc_add_string(info, "guestState", running ? "running" : "notRunning");
    gc_doc_add_bool(info, "guestOperationsReady", running);
    gc_doc_add_bool(info, "interactiveGuestOperationsReady", false);
    return info;
}

static cJSON *
runtime(const struct gc_vm *vm)
{
    static const char *const power[] = {"poweredOn", "poweredOff", "suspended"};
    cJSON *info = gc_doc_object("VirtualMachineRuntimeInfo");

    gc_doc_add(info, "host", gc_doc_moref("HostSystem", "host-10"));
    gc_doc_add_string(info, "connectionState", "connected");
    gc_doc_add_string(info, "powerState", power[vm->power]);
    return info;
}

static cJSON *
config(const struct gc_vm *vm)
{
    cJSON *info = gc_doc_object("VirtualMachineConfigInfo");

    gc_doc_add_string(info, "changeVersion", "1");
    gc_doc_add_string(info, "modified", "2026-01-02T03:04:05.678901Z");
    gc_doc_add_string(info, "name", vm->name);
    gc_doc_add_string(info, "uuid", vm->uuid);
    gc_doc_add_string(info, "instanceUuid", vm->instance_uuid);
    gc_doc_add_bool(info, "template", false);
    return info;
}

static const struct {
    const char *name;
    cJSON *(*make)(const struct gc_vm *vm);
} properties[] = {
    {"name", name},
    {"guest", guest},
    {"runtime", runtime},
    {"config", config},
};

cJSON *
gc_machine_property(const struct gc_vm *vm, const char *wanted)
{
    size_t i;

    for (i = 0; i < GC_COUNT(properties); i++) {
        if (strcmp(properties[i].name, wanted) == 0)
            return properties[i].make(vm);
    }
    return NULL;
}

void
gc_machine_get(struct gc_request *request, struct gc_reply *reply)
{
    gc_reply_doc(reply, 200,
                 gc_machine_property(gc_world_vm(request->world, request->moid),
                                     request->member));
}
