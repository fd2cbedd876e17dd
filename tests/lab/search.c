/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SearchIndex.  A name or address is what the guest's Tools report, so two VMs
 * may well claim the same; a uuid may be shared by a careless copy.
 */

#include <config.h>

#include "tests/lab/search.h"

#include <string.h>
#include <strings.h>

/* The values by which the methods look, with the member that holds them. */
static bool
matches(const struct gc_vm *vm, const cJSON *args)
{
    const char *uuid = gc_doc_string(args, "uuid");
    const char *name = gc_doc_string(args, "dnsName");
    const char *ip = gc_doc_string(args, "ip");

    if (!cJSON_IsTrue(gc_doc_get(args, "vmSearch")))
        return false; /* it asks for hosts, and there are none */
    if (uuid != NULL && cJSON_IsTrue(gc_doc_get(args, "instanceUuid")))
        return strcasecmp(uuid, vm->instance_uuid) == 0;
    if (uuid != NULL)
        return strcasecmp(uuid, vm->uuid) == 0;
    if (name != NULL)
        return name[0] != '\0' && strcasecmp(name, vm->host_name) == 0;
    return ip != NULL && ip[0] != '\0' && strcmp(ip, vm->ip) == 0;
}

static void
nothing(const struct gc_request *request, struct gc_reply *reply)
{
    gc_reply_nothing(reply, (enum gc_nothing)request->world->settings.nothing);
}

void
gc_search_one(struct gc_request *request, struct gc_reply *reply)
{
    const struct gc_vm *vm = request->world->vms;

    while (vm != NULL && !matches(vm, request->args))
        vm = vm->next;
    if (vm == NULL)
        nothing(request, reply);
    else
        gc_reply_doc(reply, 200, gc_doc_moref("VirtualMachine", vm->id));
}

void
gc_search_all(struct gc_request *request, struct gc_reply *reply)
{
    cJSON *all = cJSON_CreateArray();
    const struct gc_vm *vm;

    for (vm = request->world->vms; vm != NULL; vm = vm->next) {
        if (matches(vm, request->args))
            cJSON_AddItemToArray(all, gc_doc_moref("VirtualMachine", vm->id));
    }
    gc_reply_doc(reply, 200, all);
    if (cJSON_GetArraySize(all) == 0)
        nothing(request, reply);
}

static bool
same_path(const char *asked, const char *path)
{
    /* A leading slash is optional. */
    return path[0] != '\0' && strcmp(asked + (asked[0] == '/'), path) == 0;
}

void
gc_search_path(struct gc_request *request, struct gc_reply *reply)
{
    const char *path = gc_doc_string(request->args, "inventoryPath");
    const struct gc_folder *folder = request->world->folders;
    const struct gc_vm *vm = request->world->vms;

    while (vm != NULL && !same_path(path, vm->path))
        vm = vm->next;
    while (folder != NULL && !same_path(path, folder->path))
        folder = folder->next;
    if (vm != NULL)
        gc_reply_doc(reply, 200, gc_doc_moref("VirtualMachine", vm->id));
    else if (folder != NULL)
        gc_reply_doc(reply, 200, gc_doc_moref("Folder", folder->id));
    else
        nothing(request, reply);
}
