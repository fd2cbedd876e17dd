/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: /sdk/vim25/RELEASE/TYPE/MOID/MEMBER, and the few paths beside it.
 */

#include <config.h>

#include "tests/lab/router.h"

#include <stdio.h>
#include <string.h>

#include "tests/lab/authmgr.h"
#include "tests/lab/collector.h"
#include "tests/lab/content.h"
#include "tests/lab/login.h"
#include "tests/lab/machine.h"
#include "tests/lab/search.h"
#include "tests/lab/shape.h"

#define ANYONE 1U /* needs no session */
#define GUEST  2U /* is a guest operation */

struct gc_route {
    const char *type, *member, *verb;
    unsigned flags;
    void (*answer)(struct gc_request *request, struct gc_reply *reply);
};

static const struct gc_route routes[] = {
    {"ServiceInstance", "content", "GET", ANYONE, gc_content_get},
    {"ServiceInstance", "RetrieveServiceContent", "POST", ANYONE,
     gc_content_get},
    {"SessionManager", "Login", "POST", ANYONE, gc_login_post},
    {"SessionManager", "Logout", "POST", 0, gc_login_logout},
    {"SessionManager", "currentSession", "GET", ANYONE, gc_login_current},
    {"GuestOperationsManager", "authManager", "GET", ANYONE,
     gc_content_guest_manager},
    {"GuestOperationsManager", "processManager", "GET", ANYONE,
     gc_content_guest_manager},
    {"GuestOperationsManager", "fileManager", "GET", ANYONE,
     gc_content_guest_manager},
    {"GuestOperationsManager", "aliasManager", "GET", ANYONE,
     gc_content_guest_manager},
    {"GuestOperationsManager", "guestWindowsRegistryManager", "GET", ANYONE,
     gc_content_guest_manager},
    {"GuestAuthManager", "AcquireCredentialsInGuest", "POST", GUEST,
     gc_authmgr_acquire},
    {"GuestAuthManager", "ReleaseCredentialsInGuest", "POST", GUEST,
     gc_authmgr_release},
    {"GuestAuthManager", "ValidateCredentialsInGuest", "POST", GUEST,
     gc_authmgr_validate},
    {"GuestProcessManager", "ListProcessesInGuest", "POST", GUEST,
     gc_authmgr_processes},
    {"SearchIndex", "FindByUuid", "POST", 0, gc_search_one},
    {"SearchIndex", "FindAllByUuid", "POST", 0, gc_search_all},
    {"SearchIndex", "FindByDnsName", "POST", 0, gc_search_one},
    {"SearchIndex", "FindAllByDnsName", "POST", 0, gc_search_all},
    {"SearchIndex", "FindByIp", "POST", 0, gc_search_one},
    {"SearchIndex", "FindAllByIp", "POST", 0, gc_search_all},
    {"SearchIndex", "FindByInventoryPath", "POST", 0, gc_search_path},
    {"VirtualMachine", "name", "GET", 0, gc_machine_get},
    {"VirtualMachine", "guest", "GET", 0, gc_machine_get},
    {"VirtualMachine", "runtime", "GET", 0, gc_machine_get},
    {"VirtualMachine", "config", "GET", 0, gc_machine_get},
    {"ViewManager", "CreateContainerView", "POST", 0, gc_collector_view},
    {"ContainerView", "DestroyView", "POST", 0, gc_collector_destroy},
    {"PropertyCollector", "RetrievePropertiesEx", "POST", 0,
     gc_collector_retrieve},
    {"PropertyCollector", "ContinueRetrievePropertiesEx", "POST", 0,
     gc_collector_more},
};

static const struct {
    const char *path, *verbs, *method;
    void (*answer)(struct gc_request *request, struct gc_reply *reply);
} pages[] = {
    {"/api/vcenter/system", "POST", "hello", gc_content_hello},
    {"/sdk/vimServiceVersions.xml", "GET", "vimServiceVersions",
     gc_content_versions},
    {"/api/session", "POST DELETE", "session", gc_login_api},
};

/* One instance each; the suffix of the settings comes behind. */
static const struct {
    const char *type, *moid;
} managers[] = {
    {"SessionManager", "SessionManager"},
    {"GuestOperationsManager", "guestOperationsManager"},
    {"GuestAuthManager", "guestOperationsAuthManager"},
    {"GuestProcessManager", "guestOperationsProcessManager"},
    {"SearchIndex", "SearchIndex"},
    {"ViewManager", "ViewManager"},
    {"PropertyCollector", "propertyCollector"},
};

/* TYPE/MOID/MEMBER with anything else behind it is none of ours. */
static bool
cut_path(struct gc_request *request, const char *path)
{
    char *const parts[] = {request->release, request->type, request->moid,
                           request->member};
    size_t i, len;

    for (i = 0; i < GC_COUNT(parts); i++) {
        len = strcspn(path, "/");
        if (len == 0 || len >= GC_PART_SIZE)
            return false;
        memcpy(parts[i], path, len);
        parts[i][len] = '\0';
        path += len;
        path += *path == '/' && i + 1 < GC_COUNT(parts);
    }
    return *path == '\0';
}

static void
find_route(struct gc_request *request)
{
    static const char prefix[] = "/sdk/vim25/";
    size_t i;

    gc_text_copy(request->method, GC_PART_SIZE, "unknown");
    for (i = 0; i < GC_COUNT(pages); i++) {
        if (strcmp(pages[i].path, request->path) == 0)
            gc_text_copy(request->method, GC_PART_SIZE, pages[i].method);
    }
    if (strncmp(request->path, prefix, strlen(prefix)) != 0
        || !cut_path(request, request->path + strlen(prefix))) {
        request->release[0] = '\0';
        return;
    }
    gc_text_copy(request->method, GC_PART_SIZE, request->member);
    for (i = 0; i < GC_COUNT(routes); i++) {
        if (strcmp(routes[i].type, request->type) == 0
            && strcmp(routes[i].member, request->member) == 0)
            request->route = &routes[i];
    }
}

void
gc_router_read(struct gc_request *request, const struct gc_text *body)
{
    const char *vm;

    find_route(request);
    if (body->len > 0)
        request->args = gc_doc_parse(body->data, body->len, &request->bad_json);
    vm = gc_doc_string(gc_doc_get(request->args, "vm"), "value");
    if (strcmp(request->type, "VirtualMachine") == 0)
        vm = request->moid;
    if (vm != NULL && !gc_text_copy(request->vm, GC_PART_SIZE, vm))
        gc_text_copy(request->vm, GC_PART_SIZE, "too-long");
    if (request->session_id != NULL)
        request->visit = gc_login_find(request->world, request->session_id);
}

static bool
object_exists(const struct gc_request *request)
{
    size_t i;

    if (strcmp(request->type, "ServiceInstance") == 0)
        return strcmp(request->moid, "ServiceInstance") == 0;
    if (strcmp(request->type, "VirtualMachine") == 0)
        return gc_world_vm(request->world, request->moid) != NULL;
    if (strcmp(request->type, "ContainerView") == 0)
        return true; /* it looks itself */
    for (i = 0; i < GC_COUNT(managers); i++) {
        if (strcmp(managers[i].type, request->type) == 0)
            return strcmp(gc_world_moid(request->world, managers[i].moid),
                          request->moid)
                   == 0;
    }
    return false;
}

static bool
type_exists(const char *type)
{
    size_t i;

    for (i = 0; i < GC_COUNT(routes); i++) {
        if (strcmp(routes[i].type, type) == 0)
            return true;
    }
    return false;
}

static void
refuse_session(const struct gc_request *request, struct gc_reply *reply)
{
    cJSON *object = gc_doc_object(NULL);

    gc_reply_fault(reply, "NotAuthenticated");
    gc_doc_add_string(object, "type", request->type);
    gc_doc_add_string(object, "value", request->moid);
    gc_doc_put(reply->doc, "object", object);
}

static bool
may_call(const struct gc_request *request, struct gc_reply *reply)
{
    unsigned flags = request->route->flags;

    if ((flags & ANYONE) == 0
        && (request->visit == NULL
            || ((flags & GUEST) != 0 && request->visit->no_guests))) {
        refuse_session(request, reply);
        return false;
    }
    if (object_exists(request))
        return true;
    gc_reply_fault(reply, "ManagedObjectNotFound");
    gc_doc_put(reply->doc, "obj", gc_doc_moref(request->type, request->moid));
    return false;
}

static bool
body_fits(const struct gc_request *request, struct gc_reply *reply)
{
    bool strict = request->world->settings.strict;
    struct gc_misfit misfit;

    if (strcmp(request->verb, "POST") != 0)
        return true;
    if (request->bad_json != NULL) {
        gc_reply_fault_with(reply, "InvalidRequest", "faultstring",
                            request->bad_json);
        return false;
    }
    if (strict && request->args != NULL
        && (request->content_type == NULL
            || strncmp(request->content_type, "application/json", 16) != 0)) {
        gc_reply_fault_with(reply, "InvalidRequest", "faultstring",
                            "Content-Type must be application/json.");
        return false;
    }
    if (gc_shape_fits(request->member, request->args, strict, &misfit))
        return true;
    gc_reply_fault_with(reply, misfit.fault,
                        strcmp(misfit.fault, "InvalidArgument") == 0
                            ? "invalidProperty"
                            : "argument",
                        misfit.property);
    return false;
}

static void
answer_vim(struct gc_request *request, struct gc_reply *reply)
{
    const struct gc_settings *settings = &request->world->settings;

    if (!gc_world_listed(settings->releases, request->release)
        || !type_exists(request->type)) {
        gc_reply_text(reply, 404, "text/plain", "not found\n");
        return;
    }
    if (request->route == NULL) {
        gc_reply_fault_with(reply, "MethodNotFound", "method", request->member);
        return;
    }
    if (strcmp(request->route->verb, request->verb) != 0) {
        gc_reply_text(reply, 405, "text/plain", "method not allowed\n");
        return;
    }
    if (!may_call(request, reply) || !body_fits(request, reply))
        return;
    request->route->answer(request, reply);
}

static void
reissue(const struct gc_request *request, struct gc_reply *reply)
{
    int how = request->world->settings.reissue;

    if (how == GC_REISSUE_OFF || request->visit == NULL || reply->status >= 300
        || strcmp(request->method, "Login") == 0)
        return;
    if (how == GC_REISSUE_NEW)
        gc_login_renew(request->visit);
    gc_reply_header(reply, "vmware-api-session-id", request->visit->id);
}

void
gc_router_answer(struct gc_request *request, struct gc_reply *reply)
{
    bool esxi = request->world->settings.esxi;
    size_t i;

    if (request->release[0] != '\0') {
        if (esxi)
            gc_content_esxi(request, reply);
        else
            answer_vim(request, reply);
        reissue(request, reply);
        return;
    }
    for (i = 0; i < GC_COUNT(pages); i++) {
        if (strcmp(pages[i].path, request->path) != 0
            || strstr(pages[i].verbs, request->verb) == NULL
            || (esxi && strncmp(request->path, "/api", 4) == 0))
            continue;
        pages[i].answer(request, reply);
        return;
    }
    gc_reply_text(reply, 404, "text/plain", "not found\n");
}
