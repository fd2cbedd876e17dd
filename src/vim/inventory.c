/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a reference to a VM to its moId, through SearchIndex.
 *
 * Owns the forms of a reference.  Never guesses: a reference that means two
 * VMs, or something else, is an error.  FindBy… would return an arbitrary one
 * of two hits, so FindAllBy… is asked wherever it exists.
 */

#include <config.h>

#include "src/vim/inventory.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#define PATH_MAX_BYTES 4096
#define UUID_SIZE      sizeof("xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx")

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

/*
 * A UUID as tools write it (dashes or none, blanks as in a .vmx file, braces
 * around it) as vCenter does.
 */
static bool
read_uuid(const char *text, char ret_uuid[UUID_SIZE])
{
    static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
    size_t len = strlen(text), n = 0;

    if (len > 1 && text[0] == '{' && text[len - 1] == '}')
        text++, len -= 2;
    for (size_t i = 0; i < len; i++) {
        const char *hex = "0123456789abcdef0123456789ABCDEF";
        const char *digit = strchr(hex, text[i]);

        if (text[i] == '-' || text[i] == ' ')
            continue;
        if (digit == NULL || form[n] == '\0')
            return false;
        ret_uuid[n++] = hex[(digit - hex) % 16];
        if (form[n] == '-')
            ret_uuid[n++] = '-';
    }
    ret_uuid[n] = '\0';
    return form[n] == '\0';
}

/*
 * A moId, alone or as tools write it: "VirtualMachine:vm-42", govc's and
 * PowerCLI's "VirtualMachine-vm-42", and the vSphere Client's links with their
 * vCenter's UUID; RET_VCENTER is "" where that is not said.
 */
static bool
read_moid(const char *ref, char ret_moid[GC_MOID_SIZE],
          char ret_vcenter[UUID_SIZE])
{
    static const char urn[] = "urn:vmomi:VirtualMachine:";
    static const char *const prefixes[] = {
        urn, "VirtualMachine:", "VirtualMachine-"};
    bool is_urn = strncmp(ref, urn, strlen(urn)) == 0;
    size_t len;

    for (size_t i = 0; i < GC_COUNT_OF(prefixes); i++)
        if (strncmp(ref, prefixes[i], strlen(prefixes[i])) == 0) {
            ref += strlen(prefixes[i]);
            break;
        }
    len = strncmp(ref, "vm-", 3) == 0 ? strspn(ref + 3, "0123456789") : 0;
    if (len == 0 || 3 + len >= GC_MOID_SIZE)
        return false;
    memcpy(ret_moid, ref, 3 + len);
    ret_moid[3 + len] = '\0';
    ref += 3 + len;
    ret_vcenter[0] = '\0';
    return is_urn ? ref[0] == ':' && read_uuid(ref + 1, ret_vcenter)
                  : ref[0] == '\0';
}

bool
gc_inventory_canonical(const char *ref, char ret_ref[GC_INVENTORY_REF_SIZE])
{
    char moid[GC_MOID_SIZE], uuid[UUID_SIZE];
    bool is_moid = read_moid(ref, moid, uuid);
    bool is_uuid =
        !is_moid
        && read_uuid(ref + (strncmp(ref, "uuid:", 5) == 0 ? 5 : 0), uuid);

    (void)snprintf(ret_ref, GC_INVENTORY_REF_SIZE, "%s%s",
                   is_uuid ? "uuid:" : "",
                   is_moid   ? moid
                   : is_uuid ? uuid
                             : ref);
    return is_moid || is_uuid;
}

/*
 * Call a method of SearchIndex; BODY is NULL where there was no memory for it.
 */
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
    call.moid = gc_session_vc_info(session)->search_index;
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
find_by_uuid(struct gc_session *session, const char *ref, const char *uuid,
             bool instance, struct gc_limit limit, char ret_moid[GC_MOID_SIZE],
             struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO_PTR(gc_json) body = gc_json_new_object();
    const struct gc_json *hit;
    gc_status st;

    if (gc_json_add_string(body, "uuid", uuid) == NULL
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
find_uuid(struct gc_session *session, const char *ref, const char *uuid,
          struct gc_limit limit, char ret_moid[GC_MOID_SIZE],
          struct gc_error *err)
{
    char moid[GC_MOID_SIZE] = "";
    gc_status st;

    st = find_by_uuid(session, ref, uuid, true, limit, moid, err);
    if (st == GC_OK && moid[0] == '\0')
        st = find_by_uuid(session, ref, uuid, false, limit, moid, err);
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

/* A link names its vCenter; in another one that moId is another VM. */
static gc_status
check_vcenter(struct gc_session *session, const char *ref, const char *uuid,
              struct gc_limit limit, struct gc_error *err)
{
    const struct gc_vc_info *vc = gc_session_vc_info(session);
    gc_status st = gc_session_open(session, limit, err);

    if (st != GC_OK || vc->instance_uuid[0] == '\0'
        || strcasecmp(vc->instance_uuid, uuid) == 0)
        return st;
    st = gc_fail(err, GC_E_CONFIG, "%s is of another vCenter than %s, %s", ref,
                 gc_session_url(session), vc->instance_uuid);
    return gc_fail_advise(err, st, GC_ADVICE_URL);
}

gc_status
gc_inventory_find(struct gc_session *session, const char *ref,
                  struct gc_limit limit, char ret_moid[GC_MOID_SIZE],
                  struct gc_error *err)
{
    char moid[GC_MOID_SIZE], uuid[UUID_SIZE];
    bool named = strncmp(ref, "uuid:", 5) == 0;
    gc_status st = GC_OK;

    if (read_moid(ref, moid, uuid)) {
        if (uuid[0] != '\0')
            st = check_vcenter(session, ref, uuid, limit, err);
        if (st == GC_OK)
            memcpy(ret_moid, moid, sizeof(moid));
        return st;
    }
    if (read_uuid(ref + (named ? 5 : 0), uuid))
        return find_uuid(session, ref, uuid, limit, ret_moid, err);
    if (named)
        return gc_fail(err, GC_E_CONFIG, "\"%.200s\" holds no UUID", ref);
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
