/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server says about itself before anybody logged in.
 */

#include <config.h>

#include "tests/lab/content.h"

#include <string.h>

static const char esxi_fault[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
    "<soapenv:Envelope "
    "xmlns:soapenv=\"http://schemas.xmlsoap.org/soap/envelope/\">\n"
    "<soapenv:Body><soapenv:Fault><faultcode>ServerFaultCode</faultcode>"
    "<faultstring>\nnot well-formed (invalid token)\n\nwhile parsing "
    "serialized DataObject of type vim.SoapEnvelope\n</faultstring>"
    "</soapenv:Fault></soapenv:Body></soapenv:Envelope>\n";

void
gc_content_esxi(struct gc_request *request, struct gc_reply *reply)
{
    (void)request;
    gc_reply_text(reply, 500, "text/xml; charset=utf-8", esxi_fault);
}

static void
refuse_hello(struct gc_reply *reply, const char *text)
{
    cJSON *error = gc_doc_object(NULL), *message = gc_doc_object(NULL);
    cJSON *messages = cJSON_CreateArray();

    gc_doc_add_string(message, "id", "vapi.std.errors.invalid_argument");
    gc_doc_add_string(message, "default_message", text);
    gc_doc_add(message, "args", cJSON_CreateArray());
    cJSON_AddItemToArray(messages, message);
    gc_doc_add_string(error, "error_type", "INVALID_ARGUMENT");
    gc_doc_add(error, "messages", messages);
    gc_reply_doc(reply, 400, error);
}

/* The first release that the client prefers and we serve; "" if none. */
static const char *
common_release(const struct gc_settings *settings, const cJSON *list)
{
    const cJSON *item;

    if (settings->hello == GC_HELLO_NONE)
        return "";
    cJSON_ArrayForEach(item, list)
    {
        if (gc_world_listed(settings->releases, item->valuestring))
            return item->valuestring;
    }
    return "";
}

void
gc_content_hello(struct gc_request *request, struct gc_reply *reply)
{
    const struct gc_settings *settings = &request->world->settings;
    const cJSON *list = gc_doc_get(request->args, "api_releases"), *item;
    cJSON *answer;

    if (settings->hello == GC_HELLO_ABSENT || request->query == NULL
        || strcmp(request->query, "hello") != 0) {
        gc_reply_text(reply, 404, "text/plain", "not found\n");
        return;
    }
    if (!cJSON_IsArray(list) || cJSON_GetArraySize(list) < 1
        || cJSON_GetArraySize(list) > 128) {
        refuse_hello(reply, "api_releases must hold 1 to 128 releases");
        return;
    }
    cJSON_ArrayForEach(item, list)
    {
        if (!cJSON_IsString(item) || strlen(item->valuestring) > 64) {
            refuse_hello(reply, "a release is a string of up to 64");
            return;
        }
    }
    answer = gc_doc_object(NULL);
    gc_doc_add_string(answer, "api_release", common_release(settings, list));
    gc_reply_doc(reply, 200, answer);
}

void
gc_content_versions(struct gc_request *request, struct gc_reply *reply)
{
    const char *at = request->world->settings.releases;
    GC_TEXT xml = {0};
    size_t len = strcspn(at, ",");

    gc_text_printf(&xml,
                   "<?xml version=\"1.0\" encoding=\"UTF-8\" ?>\n"
                   "<namespaces version=\"1.0\">\n <namespace>\n"
                   "  <name>urn:vim25</name>\n  <version>%.*s</version>\n"
                   "  <priorVersions>\n",
                   (int)len, at);
    while (at[len] == ',') {
        at += len + 1;
        len = strcspn(at, ",");
        gc_text_printf(&xml, "   <version>%.*s</version>\n", (int)len, at);
    }
    gc_text_puts(&xml, "  </priorVersions>\n </namespace>\n</namespaces>\n");
    gc_reply_text(reply, 200, "text/xml", xml.data);
}

static cJSON *
about(const struct gc_request *request)
{
    cJSON *info = gc_doc_object("AboutInfo");

    gc_doc_add_string(info, "name", "VMware vCenter Server");
    gc_doc_add_string(info, "fullName",
                      "guestcred-vcsim, posing as VMware vCenter Server");
    gc_doc_add_string(info, "vendor", "VMware, Inc.");
    gc_doc_add_string(info, "version", "8.0.3");
    gc_doc_add_string(info, "build", "0");
    gc_doc_add_string(info, "osType", "linux-x64");
    gc_doc_add_string(info, "productLineId", "vpx");
    gc_doc_add_string(info, "apiType", "VirtualCenter");
    gc_doc_add_string(info, "apiVersion", request->release);
    gc_doc_add_string(info, "instanceUuid", request->world->settings.instance);
    return info;
}

void
gc_content_get(struct gc_request *request, struct gc_reply *reply)
{
    static const struct {
        const char *member, *type, *moid;
    } refs[] = {
        {"propertyCollector", "PropertyCollector", "propertyCollector"},
        {"viewManager", "ViewManager", "ViewManager"},
        {"sessionManager", "SessionManager", "SessionManager"},
        {"searchIndex", "SearchIndex", "SearchIndex"},
        {"guestOperationsManager", "GuestOperationsManager",
         "guestOperationsManager"},
    };
    cJSON *content = gc_doc_object("ServiceContent");
    size_t i;

    gc_doc_add(content, "rootFolder", gc_doc_moref("Folder", "group-d1"));
    gc_doc_add(content, "about", about(request));
    for (i = 0; i < GC_COUNT(refs); i++)
        gc_doc_add(content, refs[i].member,
                   gc_doc_moref(refs[i].type,
                                gc_world_moid(request->world, refs[i].moid)));
    gc_reply_doc(reply, 200, content);
}

void
gc_content_guest_manager(struct gc_request *request, struct gc_reply *reply)
{
    static const struct {
        const char *member, *type, *moid;
    } refs[] = {
        {"authManager", "GuestAuthManager", "guestOperationsAuthManager"},
        {"processManager", "GuestProcessManager",
         "guestOperationsProcessManager"},
        {"fileManager", "GuestFileManager", "guestOperationsFileManager"},
        {"aliasManager", "GuestAliasManager", "guestOperationsAliasManager"},
    };
    size_t i;

    gc_reply_nothing(reply, (enum gc_nothing)request->world->settings.nothing);
    for (i = 0; i < GC_COUNT(refs); i++) {
        if (strcmp(refs[i].member, request->member) == 0)
            gc_reply_doc(
                reply, 200,
                gc_doc_moref(refs[i].type,
                             gc_world_moid(request->world, refs[i].moid)));
    }
}
