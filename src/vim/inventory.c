/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From what a person calls a VM to its moId, by way of SearchIndex.
 *
 * Owns the forms of a reference.  Refuses to guess: what can be two VMs, or is
 * no VM, is an error.  FindBy… would return an arbitrary one of two hits, so
 * FindAllBy… is asked wherever it exists.
 */

#include <config.h>

#include "src/vim/inventory.h"

#include <stdio.h>
#include <string.h>

#define PATH_MAX_BYTES 4096

static gc_status
unknown_form(const char *ref, struct gc_error *err)
{
    (void)gc_fail(err, GC_E_CONFIG, "\"%.200s\" does not say which VM is meant",
                  ref);
    return gc_fail_hint(err, GC_E_CONFIG,
                        "write a moId (vm-42), uuid:UUID or "
                        "path:/DATACENTER/vm/FOLDER/NAME; dns:, ip: and plain "
                        "names are not known yet");
}

static bool
is_uuid(const char *text)
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";

    if (strlen(text) != strlen(form))
        return false;
    for (size_t i = 0; form[i] != '\0'; i++)
        if (form[i] == '-' ? text[i] != '-'
                           : strchr("0123456789abcdefABCDEF", text[i]) == NULL)
            return false;
    return true;
}

bool
gc_inventory_is_moid(const char *ref)
{
    size_t digits;

    if (strncmp(ref, "vm-", 3) != 0)
        return false;
    digits = strspn(ref + 3, "0123456789");
    return digits > 0 && ref[3 + digits] == '\0' && strlen(ref) < GC_MOID_SIZE;
}

/* Call a method of SearchIndex; NULL stands for a body that found no memory. */
static gc_status
search(struct gc_session *session, const char *method,
       const struct gc_json *body, struct gc_limit limit,
       struct gc_session_reply *reply, struct gc_error *err)
{
    struct gc_session_call call = {.type = "SearchIndex",
                                   .member = method,
                                   .body = body,
                                   .idempotent = true,
                                   .limit = limit};
    gc_status st;

    if (body == NULL)
        return gc_fail_no_memory(err);
    st = gc_session_open(session, limit, err);
    if (st != GC_OK)
        return st;
    call.moid = gc_session_facts(session)->search_index;
    if (call.moid[0] == '\0')
        return gc_fail(err, GC_E_NOT_SUPPORTED,
                       "%s has no SearchIndex: only a moId will do",
                       gc_session_url(session));
    st = gc_session_call(session, &call, reply, err);
    if (st == GC_OK && reply->is_fault)
        return gc_fault_fail(&reply->fault, "vCenter", err);
    return st;
}

/* NODE is what was found under REF: it must be a VM. */
static gc_status
take_vm(const struct gc_json *node, const char *ref,
        char ret_moid[GC_MOID_SIZE], struct gc_error *err)
{
    char type[64], moid[GC_MOID_SIZE];

    if (!gc_session_moref(node, type, moid))
        return gc_fail(err, GC_E_PROTOCOL,
                       "what was found for %s is no reference to an object",
                       ref);
    if (strcmp(type, "VirtualMachine") != 0)
        return gc_fail(err, GC_E_NOT_FOUND, "%s is a %s, not a virtual machine",
                       ref, type);
    memcpy(ret_moid, moid, sizeof(moid));
    return GC_OK;
}

/* RET_MOID is "" when there is none. */
static gc_status
find_by_uuid(struct gc_session *session, const char *ref, bool instance,
             struct gc_limit limit, char ret_moid[GC_MOID_SIZE],
             struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO_PTR(gc_json) body = gc_json_new_object();
    const struct gc_json *hit;
    gc_status st;

    if (gc_json_add_string(body, "uuid", ref + strlen("uuid:")) == NULL
        || gc_json_add_bool(body, "vmSearch", true) == NULL
        || gc_json_add_bool(body, "instanceUuid", instance) == NULL)
        return gc_fail_no_memory(err);
    st = search(session, "FindAllByUuid", body, limit, &reply, err);
    if (st != GC_OK)
        return st;
    if (reply.root != NULL && !gc_json_is_array(reply.root))
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s answered FindAllByUuid with something that is no "
                       "list",
                       gc_session_url(session));
    hit = reply.root == NULL ? NULL : gc_json_first(reply.root);
    if (hit == NULL) {
        ret_moid[0] = '\0';
        return GC_OK;
    }
    if (gc_json_next(hit) == NULL)
        return take_vm(hit, ref, ret_moid, err);
    st = gc_fail(err, GC_E_CONFIG, "%s is more than one virtual machine", ref);
    return gc_fail_hint(err, st, "name the one that is meant by its moId");
}

static gc_status
find_uuid(struct gc_session *session, const char *ref, struct gc_limit limit,
          char ret_moid[GC_MOID_SIZE], struct gc_error *err)
{
    char moid[GC_MOID_SIZE] = "";
    gc_status st;

    if (!is_uuid(ref + strlen("uuid:")))
        return gc_fail(err, GC_E_CONFIG, "\"%.200s\" holds no UUID", ref);
    st = find_by_uuid(session, ref, true, limit, moid, err);
    if (st == GC_OK && moid[0] == '\0')
        st = find_by_uuid(session, ref, false, limit, moid, err);
    if (st != GC_OK)
        return st;
    if (moid[0] == '\0')
        return gc_fail(err, GC_E_NOT_FOUND,
                       "no virtual machine has %s, as instance or BIOS UUID",
                       ref);
    memcpy(ret_moid, moid, sizeof(moid));
    return GC_OK;
}

static gc_status
find_path(struct gc_session *session, const char *ref, struct gc_limit limit,
          char ret_moid[GC_MOID_SIZE], struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO_PTR(gc_json) body = gc_json_new_object();
    const char *path = ref + strlen("path:");
    gc_status st;

    if (path[0] == '/')
        path++;
    if (path[0] == '\0' || strlen(path) > PATH_MAX_BYTES)
        return gc_fail(err, GC_E_CONFIG, "\"%.200s\" holds no inventory path",
                       ref);
    for (const char *c = path; *c != '\0'; c++)
        if ((unsigned char)*c < 0x20 || *c == 0x7f)
            return gc_fail(err, GC_E_CONFIG,
                           "\"%.200s\" holds a control character", ref);
    if (gc_json_add_string(body, "inventoryPath", path) == NULL)
        return gc_fail_no_memory(err);
    st = search(session, "FindByInventoryPath", body, limit, &reply, err);
    if (st != GC_OK)
        return st;
    if (reply.root != NULL)
        return take_vm(reply.root, ref, ret_moid, err);
    st = gc_fail(err, GC_E_NOT_FOUND, "nothing is found at %s", ref);
    return gc_fail_hint(err, st,
                        "the path begins with the datacenter and its folder "
                        "\"vm\"; the service login must be able to see it");
}

gc_status
gc_inventory_find(struct gc_session *session, const char *ref,
                  struct gc_limit limit, char ret_moid[GC_MOID_SIZE],
                  struct gc_error *err)
{
    if (gc_inventory_is_moid(ref)) {
        (void)snprintf(ret_moid, GC_MOID_SIZE, "%s", ref);
        return GC_OK;
    }
    if (strncmp(ref, "uuid:", 5) == 0)
        return find_uuid(session, ref, limit, ret_moid, err);
    if (strncmp(ref, "path:", 5) == 0)
        return find_path(session, ref, limit, ret_moid, err);
    return unknown_form(ref, err);
}

gc_status
gc_inventory_name(struct gc_session *session, const char *moid,
                  struct gc_limit limit, char ret_name[GC_INVENTORY_NAME_SIZE],
                  struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    struct gc_session_call call = {.type = "VirtualMachine",
                                   .moid = moid,
                                   .member = "name",
                                   .limit = limit};
    char subject[GC_MOID_SIZE + 8];
    const char *name;
    gc_status st;

    st = gc_session_call(session, &call, &reply, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(subject, sizeof(subject), "VM %s", moid);
    if (reply.is_fault)
        return gc_fault_fail(&reply.fault, subject, err);
    name = reply.root == NULL ? NULL : gc_json_text(reply.root);
    if (name == NULL || name[0] == '\0'
        || strlen(name) >= GC_INVENTORY_NAME_SIZE)
        return gc_fail(err, GC_E_PROTOCOL, "%s has no usable name", subject);
    (void)snprintf(ret_name, GC_INVENTORY_NAME_SIZE, "%s", name);
    return GC_OK;
}
