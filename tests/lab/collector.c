/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PropertyCollector and ContainerView, as far as listing VMs needs them: one
 * filter, VirtualMachine properties, objects named directly or through a view
 * of the root folder, pages of maxObjects.
 */

#include <config.h>

#include "tests/lab/collector.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/machine.h"

/* The one open page sequence; a new retrieval replaces it. */
static struct {
    uint64_t number, at, page;
    cJSON *prop_set;
} cursor;

static unsigned last_view;

void
gc_collector_view(struct gc_request *request, struct gc_reply *reply)
{
    char id[64];

    (void)request;
    snprintf(id, sizeof(id), "session[view]-%u", ++last_view);
    gc_reply_doc(reply, 200, gc_doc_moref("ContainerView", id));
}

void
gc_collector_destroy(struct gc_request *request, struct gc_reply *reply)
{
    (void)request;
    gc_reply_void(reply);
}

/* Follow "guest.hostName" into what machine.c knows of the VM. */
static cJSON *
read_path(const struct gc_vm *vm, const char *path)
{
    size_t head = strcspn(path, ".");
    GC_TEXT name = {0};
    GC_DOC whole = NULL;
    const cJSON *at;

    gc_text_add(&name, path, head);
    whole = gc_machine_property(vm, name.data);
    at = whole;
    while (at != NULL && path[head] == '.') {
        path += head + 1;
        head = strcspn(path, ".");
        gc_text_clear(&name);
        gc_text_add(&name, path, head);
        at = gc_doc_get(at, name.data);
    }
    return at == NULL ? NULL : cJSON_Duplicate(at, true);
}

/* Primitives are boxed where the declared type is Any, objects are not. */
static cJSON *
box(cJSON *take_value)
{
    const char *type = cJSON_IsString(take_value) ? "string"
                       : cJSON_IsBool(take_value) ? "boolean"
                                                  : NULL;
    cJSON *boxed;

    if (type == NULL)
        return take_value;
    boxed = gc_doc_object(type);
    gc_doc_add(boxed, "_value", take_value);
    return boxed;
}

static cJSON *
object_content(const struct gc_vm *vm, const cJSON *paths)
{
    cJSON *content = gc_doc_object("ObjectContent");
    cJSON *properties = cJSON_CreateArray();
    const cJSON *path;

    gc_doc_add(content, "obj", gc_doc_moref("VirtualMachine", vm->id));
    cJSON_ArrayForEach(path, paths)
    {
        cJSON *value = read_path(vm, path->valuestring), *property;

        if (value == NULL)
            continue;
        property = gc_doc_object("DynamicProperty");
        gc_doc_add_string(property, "name", path->valuestring);
        gc_doc_add(property, "val", box(value));
        cJSON_AddItemToArray(properties, property);
    }
    gc_doc_add(content, "propSet", properties);
    return content;
}

static void
send_page(struct gc_request *request, struct gc_reply *reply)
{
    const cJSON *paths =
        gc_doc_get(cJSON_GetArrayItem(cursor.prop_set, 0), "pathSet");
    cJSON *result = gc_doc_object("RetrieveResult");
    cJSON *objects = cJSON_CreateArray();
    const struct gc_vm *vm = request->world->vms;
    uint64_t skip = cursor.at, sent = 0;
    char token[32];

    for (; vm != NULL && sent < cursor.page; vm = vm->next) {
        if (skip > 0) {
            skip--;
            continue;
        }
        cJSON_AddItemToArray(objects, object_content(vm, paths));
        sent++;
    }
    cursor.at += sent;
    cursor.number++;
    if (vm != NULL) {
        snprintf(token, sizeof(token), "%" PRIu64, cursor.number);
        gc_doc_add_string(result, "token", token);
    }
    gc_doc_add(result, "objects", objects);
    gc_reply_doc(reply, 200, result);
}

static void
send_one(struct gc_request *request, struct gc_reply *reply, const cJSON *obj,
         const cJSON *prop_set)
{
    const struct gc_vm *vm =
        gc_world_vm(request->world, gc_doc_string(obj, "value"));
    const cJSON *paths = gc_doc_get(cJSON_GetArrayItem(prop_set, 0), "pathSet");
    cJSON *result, *objects;

    if (vm == NULL || strcmp(gc_doc_string(obj, "type"), "VirtualMachine")) {
        gc_reply_fault(reply, "ManagedObjectNotFound");
        gc_doc_put(reply->doc, "obj", cJSON_Duplicate(obj, true));
        return;
    }
    result = gc_doc_object("RetrieveResult");
    objects = cJSON_CreateArray();
    cJSON_AddItemToArray(objects, object_content(vm, paths));
    gc_doc_add(result, "objects", objects);
    gc_reply_doc(reply, 200, result);
}

void
gc_collector_retrieve(struct gc_request *request, struct gc_reply *reply)
{
    const cJSON *filter =
        cJSON_GetArrayItem(gc_doc_get(request->args, "specSet"), 0);
    const cJSON *prop_set = gc_doc_get(filter, "propSet");
    const cJSON *object =
        cJSON_GetArrayItem(gc_doc_get(filter, "objectSet"), 0);
    const cJSON *obj = gc_doc_get(object, "obj");
    int64_t page = 0;

    if (obj == NULL) {
        gc_reply_fault_with(reply, "InvalidArgument", "invalidProperty",
                            "specSet");
        return;
    }
    if (strcmp(gc_doc_string(obj, "type"), "ContainerView") != 0) {
        send_one(request, reply, obj, prop_set);
        return;
    }
    (void)gc_doc_int64(
        gc_doc_get(gc_doc_get(request->args, "options"), "maxObjects"), &page);
    gc_doc_clear(&cursor.prop_set);
    cursor.prop_set = cJSON_Duplicate(prop_set, true);
    cursor.at = 0;
    cursor.page = page > 0 ? (uint64_t)page : UINT64_MAX;
    send_page(request, reply);
}

void
gc_collector_more(struct gc_request *request, struct gc_reply *reply)
{
    char token[32];

    snprintf(token, sizeof(token), "%" PRIu64, cursor.number);
    if (cursor.prop_set == NULL
        || strcmp(token, gc_doc_string(request->args, "token")) != 0) {
        gc_reply_fault_with(reply, "InvalidArgument", "invalidProperty",
                            "token");
        return;
    }
    send_page(request, reply);
}

void
gc_collector_forget(void)
{
    gc_doc_clear(&cursor.prop_set);
}
