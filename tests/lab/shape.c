/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The types of the requests that the simulator understands.  vCenter 8.0.3 was
 * seen to refuse a nested object without _typeName with InvalidArgument, even
 * where the declared type leaves no choice.
 */

#include <config.h>

#include "tests/lab/shape.h"

#include <stdio.h>
#include <string.h>

enum kind { TEXT, TRUTH, INT64, TEXTS, INT64S, MOREF, OBJECT, OBJECTS, ANY };

#define MAX_MEMBERS 8

struct member {
    const char *name;
    enum kind kind;
    bool optional;
    const char *type; /* MOREF: its type or NULL; OBJECT: a family of types */
};

struct shape {
    const char *name;
    const char *family; /* what it may stand for, or NULL */
    struct member members[MAX_MEMBERS];
};

#define VM_MEMBER                                                              \
    {                                                                          \
        "vm", MOREF, false, "VirtualMachine"                                   \
    }
#define AUTH_MEMBER                                                            \
    {                                                                          \
        "auth", OBJECT, false, "GuestAuthentication"                           \
    }
#define INTERACTIVE                                                            \
    {                                                                          \
        "interactiveSession", TRUTH, false, NULL                               \
    }
#define DATACENTER                                                             \
    {                                                                          \
        "datacenter", MOREF, true, "Datacenter"                                \
    }
#define VM_SEARCH                                                              \
    {                                                                          \
        "vmSearch", TRUTH, false, NULL                                         \
    }

static const struct shape shapes[] = {
    {"LoginRequestType",
     NULL,
     {{"userName", TEXT, false, NULL},
      {"password", TEXT, false, NULL},
      {"locale", TEXT, true, NULL}}},
    {"LogoutRequestType", NULL, {{0}}},
    {"AcquireCredentialsInGuestRequestType",
     NULL,
     {VM_MEMBER,
      {"requestedAuth", OBJECT, false, "GuestAuthentication"},
      {"sessionID", INT64, true, NULL}}},
    {"ReleaseCredentialsInGuestRequestType", NULL, {VM_MEMBER, AUTH_MEMBER}},
    {"ValidateCredentialsInGuestRequestType", NULL, {VM_MEMBER, AUTH_MEMBER}},
    {"ListProcessesInGuestRequestType",
     NULL,
     {VM_MEMBER, AUTH_MEMBER, {"pids", INT64S, true, NULL}}},
    {"SSPIAuthentication",
     "GuestAuthentication",
     {INTERACTIVE, {"sspiToken", TEXT, false, NULL}}},
    {"TicketedSessionAuthentication",
     "GuestAuthentication",
     {INTERACTIVE, {"ticket", TEXT, false, NULL}}},
    {"NamePasswordAuthentication",
     "GuestAuthentication",
     {INTERACTIVE,
      {"username", TEXT, false, NULL},
      {"password", TEXT, false, NULL}}},
    {"SAMLTokenAuthentication",
     "GuestAuthentication",
     {INTERACTIVE,
      {"token", TEXT, false, NULL},
      {"username", TEXT, true, NULL}}},
    {"FindByUuidRequestType",
     NULL,
     {DATACENTER,
      {"uuid", TEXT, false, NULL},
      VM_SEARCH,
      {"instanceUuid", TRUTH, true, NULL}}},
    {"FindAllByUuidRequestType",
     NULL,
     {DATACENTER,
      {"uuid", TEXT, false, NULL},
      VM_SEARCH,
      {"instanceUuid", TRUTH, true, NULL}}},
    {"FindByDnsNameRequestType",
     NULL,
     {DATACENTER, {"dnsName", TEXT, false, NULL}, VM_SEARCH}},
    {"FindAllByDnsNameRequestType",
     NULL,
     {DATACENTER, {"dnsName", TEXT, false, NULL}, VM_SEARCH}},
    {"FindByIpRequestType",
     NULL,
     {DATACENTER, {"ip", TEXT, false, NULL}, VM_SEARCH}},
    {"FindAllByIpRequestType",
     NULL,
     {DATACENTER, {"ip", TEXT, false, NULL}, VM_SEARCH}},
    {"FindByInventoryPathRequestType",
     NULL,
     {{"inventoryPath", TEXT, false, NULL}}},
    {"CreateContainerViewRequestType",
     NULL,
     {{"container", MOREF, false, NULL},
      {"type", TEXTS, true, NULL},
      {"recursive", TRUTH, false, NULL}}},
    {"DestroyViewRequestType", NULL, {{0}}},
    {"RetrievePropertiesExRequestType",
     NULL,
     {{"specSet", OBJECTS, false, "PropertyFilterSpec"},
      {"options", OBJECT, false, "RetrieveOptions"}}},
    {"ContinueRetrievePropertiesExRequestType",
     NULL,
     {{"token", TEXT, false, NULL}}},
    {"PropertyFilterSpec",
     "PropertyFilterSpec",
     {{"propSet", OBJECTS, false, "PropertySpec"},
      {"objectSet", OBJECTS, false, "ObjectSpec"},
      {"reportMissingObjectsInResults", TRUTH, true, NULL}}},
    {"PropertySpec",
     "PropertySpec",
     {{"type", TEXT, false, NULL},
      {"all", TRUTH, true, NULL},
      {"pathSet", TEXTS, true, NULL}}},
    {"ObjectSpec",
     "ObjectSpec",
     {{"obj", MOREF, false, NULL},
      {"skip", TRUTH, true, NULL},
      {"selectSet", OBJECTS, true, "SelectionSpec"}}},
    {"TraversalSpec",
     "SelectionSpec",
     {{"name", TEXT, true, NULL},
      {"type", TEXT, false, NULL},
      {"path", TEXT, false, NULL},
      {"skip", TRUTH, true, NULL},
      {"selectSet", OBJECTS, true, "SelectionSpec"}}},
    {"SelectionSpec", "SelectionSpec", {{"name", TEXT, true, NULL}}},
    {"RetrieveOptions", "RetrieveOptions", {{"maxObjects", INT64, true, NULL}}},
};

static const struct shape *
find_shape(const char *name)
{
    size_t i;

    for (i = 0; i < GC_COUNT(shapes); i++) {
        if (strcmp(shapes[i].name, name) == 0)
            return &shapes[i];
    }
    return NULL;
}

static const struct member *
find_member(const struct shape *shape, const char *name)
{
    size_t i;

    for (i = 0; i < MAX_MEMBERS && shape->members[i].name != NULL; i++) {
        if (strcmp(shape->members[i].name, name) == 0)
            return &shape->members[i];
    }
    return NULL;
}

static bool
misfits(struct gc_misfit *misfit, const char *fault, const char *path)
{
    snprintf(misfit->fault, sizeof(misfit->fault), "%s", fault);
    snprintf(misfit->property, sizeof(misfit->property), "%s", path);
    return false;
}

static bool fits_members(const struct shape *shape, const cJSON *object,
                         const char *path, bool strict,
                         struct gc_misfit *misfit);

/* The only type of FAMILY whose required members OBJECT has. */
static const struct shape *
guess_shape(const char *family, const cJSON *object)
{
    size_t i;

    for (i = 0; i < GC_COUNT(shapes); i++) {
        struct gc_misfit ignored;

        if (shapes[i].family != NULL && strcmp(shapes[i].family, family) == 0
            && fits_members(&shapes[i], object, "", false, &ignored))
            return &shapes[i];
    }
    return NULL;
}

static bool
fits_object(const char *family, const cJSON *object, const char *path,
            bool strict, struct gc_misfit *misfit)
{
    const char *type = gc_doc_string(object, "_typeName");
    const struct shape *shape;

    if (!cJSON_IsObject(object))
        return misfits(misfit, "InvalidArgument", path);
    if (type == NULL && strict)
        return misfits(misfit, "InvalidArgument", path);
    shape = type != NULL ? find_shape(type) : guess_shape(family, object);
    if (shape == NULL || shape->family == NULL
        || strcmp(shape->family, family) != 0)
        return misfits(misfit, "InvalidType", path);
    return fits_members(shape, object, path, strict, misfit);
}

static bool
fits_moref(const char *type, const cJSON *object, const char *path, bool strict,
           struct gc_misfit *misfit)
{
    const char *type_name = gc_doc_string(object, "_typeName");
    const char *is = gc_doc_string(object, "type");
    int known = 2;

    if (type_name == NULL ? strict
                          : strcmp(type_name, "ManagedObjectReference") != 0)
        return misfits(misfit, "InvalidArgument", path);
    known += type_name != NULL;
    if (is == NULL || gc_doc_string(object, "value") == NULL
        || (type != NULL && strcmp(type, is) != 0)
        || (strict && cJSON_GetArraySize(object) != known))
        return misfits(misfit, "InvalidArgument", path);
    return true;
}

static bool
fits_list(const struct member *member, const cJSON *list, const char *path,
          bool strict, struct gc_misfit *misfit)
{
    const cJSON *item;
    int64_t number;

    if (!cJSON_IsArray(list))
        return misfits(misfit, "InvalidArgument", path);
    cJSON_ArrayForEach(item, list)
    {
        if (member->kind == TEXTS ? !cJSON_IsString(item)
            : member->kind == INT64S
                ? !gc_doc_int64(item, &number)
                : !fits_object(member->type, item, path, strict, misfit))
            return misfits(misfit, "InvalidArgument", path);
    }
    return true;
}

static bool
fits_value(const struct member *member, const cJSON *value, const char *path,
           bool strict, struct gc_misfit *misfit)
{
    int64_t number;
    bool fits = true;

    switch (member->kind) {
    case TEXT:
        fits = cJSON_IsString(value);
        break;
    case TRUTH:
        fits = cJSON_IsBool(value);
        break;
    case INT64:
        fits = gc_doc_int64(value, &number);
        break;
    case TEXTS:
    case INT64S:
    case OBJECTS:
        return fits_list(member, value, path, strict, misfit);
    case MOREF:
        return fits_moref(member->type, value, path, strict, misfit);
    case OBJECT:
        return fits_object(member->type, value, path, strict, misfit);
    case ANY:
        break;
    }
    return fits || misfits(misfit, "InvalidArgument", path);
}

static bool
fits_members(const struct shape *shape, const cJSON *object, const char *path,
             bool strict, struct gc_misfit *misfit)
{
    const cJSON *value;
    char where[256];
    size_t i;

    for (i = 0; i < MAX_MEMBERS && shape->members[i].name != NULL; i++) {
        const struct member *member = &shape->members[i];

        value = gc_doc_get(object, member->name);
        snprintf(where, sizeof(where), "%s%s%s", path, path[0] ? "." : "",
                 member->name);
        if (value == NULL && !member->optional)
            return misfits(misfit, "InvalidArgument", where);
        if (value != NULL && !fits_value(member, value, where, strict, misfit))
            return false;
    }
    if (!strict)
        return true;
    cJSON_ArrayForEach(value, object)
    {
        if (strcmp(value->string, "_typeName") != 0
            && find_member(shape, value->string) == NULL)
            return misfits(misfit, "InvalidRequest", value->string);
    }
    return true;
}

bool
gc_shape_fits(const char *method, const cJSON *args, bool strict,
              struct gc_misfit *misfit)
{
    const char *type = gc_doc_string(args, "_typeName");
    static const char suffix[] = "RequestType";
    const struct shape *shape;
    char name[160];

    snprintf(name, sizeof(name), "%s%s", method, suffix);
    shape = find_shape(name);
    if (shape == NULL)
        return misfits(misfit, "InvalidRequest", "");
    if (args == NULL) /* no body at all: fine where nothing is required */
        return shape->members[0].name == NULL
               || misfits(misfit, "InvalidRequest", "");
    if (!cJSON_IsObject(args)
        || (gc_doc_get(args, "_typeName") != NULL
            && (type == NULL
                || (strcmp(type, method) != 0 && strcmp(type, name) != 0))))
        return misfits(misfit, "InvalidRequest", "_typeName");
    return fits_members(shape, args, "", strict, misfit);
}
