/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/vim/guest_call.h"

#include <stdio.h>
#include <string.h>

#define METHOD_MAX  64
#define RELEASE_MAX (1024 * 1024) /* so long, and a ticket can be released */

static const struct {
    const char *type, *property; /* of GuestOperationsManager */
    size_t fact;                 /* where its moId is kept */
} managers[GC_GUEST_MANAGER_COUNT] = {
#define FACT(name) offsetof(struct gc_vc_info, name)
    [GC_GUEST_AUTH] = {"GuestAuthManager", "authManager", FACT(auth_manager)},
    [GC_GUEST_PROCESS] = {"GuestProcessManager", "processManager",
                          FACT(process_manager)},
    [GC_GUEST_FILE] = {"GuestFileManager", "fileManager", FACT(file_manager)},
    [GC_GUEST_REGISTRY] = {"GuestWindowsRegistryManager",
                           "guestWindowsRegistryManager",
                           FACT(registry_manager)},
    [GC_GUEST_ALIAS] = {"GuestAliasManager", "aliasManager",
                        FACT(alias_manager)},
#undef FACT
};

static char *
moid_of(struct gc_session *session, enum gc_guest_manager which)
{
    return (char *)gc_session_vc_info(session) + managers[which].fact;
}

gc_status
gc_guest_manager_find(struct gc_session *session, enum gc_guest_manager which,
                      struct gc_limit limit, struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    const struct gc_vc_info *facts = gc_session_vc_info(session);
    struct gc_session_call call = {.type = "GuestOperationsManager",
                                   .moid = facts->guest_operations_manager,
                                   .member = managers[which].property,
                                   .limit = limit};
    char type[64], moid[GC_MOID_SIZE];
    gc_status st;

    /* This may find that the manager's stored moId cannot be trusted. */
    st = gc_session_open(session, limit, err);
    if (st != GC_OK || moid_of(session, which)[0] != '\0')
        return st;
    if (facts->guest_operations_manager[0] == '\0')
        return gc_fail(err, GC_E_NOT_SUPPORTED, "%s has no guest operations",
                       gc_session_url(session));
    st = gc_session_call(session, &call, &reply, err);
    if (st != GC_OK)
        return st;
    if (reply.is_fault)
        return gc_fault_fail(&reply.fault, "vCenter", err);
    if (reply.root == NULL)
        return gc_fail(err, GC_E_NOT_SUPPORTED, "%s has no %s",
                       gc_session_url(session), managers[which].type);
    if (!gc_session_moref(reply.root, type, moid)
        || strcmp(type, managers[which].type) != 0)
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s names an object of another type as its %s",
                       gc_session_url(session), managers[which].type);
    memcpy(moid_of(session, which), moid, sizeof(moid));
    return GC_OK;
}

/* A reply that holds a ticket is not dropped, whatever else it says. */
static bool
holds_ticket(const struct gc_session_reply *reply)
{
    GC_AUTO(gc_bytes) ticket = {0};

    return gc_json_salvage(reply->text.data, reply->text.len, "ticket",
                           &ticket);
}

gc_status
gc_guest_manager_call(struct gc_session *session,
                      const struct gc_session_call *how,
                      enum gc_guest_manager which, const char *method,
                      const struct gc_json *body,
                      struct gc_session_reply *reply, struct gc_error *err)
{
    struct gc_session_call call = *how;
    gc_status st;

    if (body == NULL)
        return gc_fail_no_memory(err);
    call.type = managers[which].type;
    call.moid = moid_of(session, which);
    call.member = method;
    call.body = body;
    /* It is forgotten at most once: what is looked up here is fresh. */
    for (;;) {
        st = gc_guest_manager_find(session, which, how->limit, err);
        if (st != GC_OK)
            return st;
        st = gc_session_call(session, &call, reply, err);
        if (st == GC_OK || !reply->forgotten || holds_ticket(reply))
            return st;
    }
}

void
gc_guest_add_auth(struct gc_json *parent, const char *key,
                  const struct gc_bytes *ticket)
{
    struct gc_json *auth = gc_json_add_object(parent, key);

    (void)gc_json_add_string(auth, "_typeName",
                             "TicketedSessionAuthentication");
    (void)gc_json_add_bool(auth, "interactiveSession", false);
    (void)gc_json_add_string(auth, "ticket", gc_bytes_text(ticket));
}

gc_status
gc_guest_body(const char *vm, const struct gc_bytes *ticket,
              struct gc_json **ret_body, struct gc_error *err)
{
    struct gc_json *body;

    if (ticket->len == 0 || ticket->len > RELEASE_MAX
        || memchr(ticket->data, '\0', ticket->len) != NULL)
        return gc_fail(err, GC_E_CONFIG, "that is no ticket of a guest");
    body = gc_json_new_object();
    if (body == NULL)
        return gc_fail_no_memory(err);
    gc_session_add_moref(body, "vm", "VirtualMachine", vm);
    gc_guest_add_auth(body, "auth", ticket);
    *ret_body = body;
    return GC_OK;
}

gc_status
gc_guest_refuse(const struct gc_fault *fault, const char *vm,
                struct gc_error *err)
{
    gc_status st = gc_fail(err, GC_E_DENIED,
                           "the guest of VM %s does not take this ticket", vm);

    if (err != NULL)
        memcpy(err->fault, fault->name, sizeof(err->fault));
    return gc_fail_hint(err, st,
                        "it has ended or was released: acquire a new one");
}

gc_status
gc_guest_fail(const struct gc_session_reply *reply, const char *vm,
              const struct gc_bytes *ticket, struct gc_error *err)
{
    char subject[GC_MOID_SIZE + 8];
    gc_status st;

    (void)snprintf(subject, sizeof(subject), "VM %s", vm);
    if (gc_fault_is(&reply->fault, "InvalidGuestLogin"))
        return gc_guest_refuse(&reply->fault, vm, err);
    st = gc_fault_fail(&reply->fault, subject, err);
    gc_fail_blank(err, ticket->data, ticket->len);
    return st;
}

/* ---- any operation ---- */

static gc_status
choose_manager(const char *type, enum gc_guest_manager *ret_which,
               struct gc_error *err)
{
    for (int i = GC_GUEST_PROCESS; i < GC_GUEST_MANAGER_COUNT; i++)
        if (strcmp(type, managers[i].type) == 0) {
            *ret_which = (enum gc_guest_manager)i;
            return GC_OK;
        }
    return gc_fail(err, GC_E_CONFIG,
                   "\"%.40s\" is not GuestProcessManager, GuestFileManager, "
                   "GuestWindowsRegistryManager or GuestAliasManager",
                   type);
}

static gc_status
check_method(const char *method, struct gc_error *err)
{
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    size_t len = strspn(method, letters);

    if (len == 0 || len > METHOD_MAX || method[len] != '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "a method is 1 to %d letters, and \"%.40s\" is not",
                       METHOD_MAX, method);
    return GC_OK;
}

/* TEXT (or NULL) as an object of which no member is ours. */
static gc_status
parse_params(const char *text, struct gc_json **ret_params,
             struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) params = NULL;
    struct gc_error why = {0};
    size_t len;
    gc_status st;

    if (text == NULL)
        return GC_OK;
    len = strnlen(text, GC_GUEST_PARAMS_MAX + 1);
    if (len > GC_GUEST_PARAMS_MAX)
        return gc_fail(err, GC_E_CONFIG, "the params have more than %d bytes",
                       GC_GUEST_PARAMS_MAX);
    st = gc_json_parse(text, len, &params, &why);
    if (st != GC_OK)
        return gc_fail(err, st == GC_E_PROTOCOL ? GC_E_CONFIG : st,
                       "the params: %s", why.message);
    if (!gc_json_is_object(params))
        return gc_fail(err, GC_E_CONFIG, "the params are no JSON object");
    if (gc_json_get(params, "vm") != NULL
        || gc_json_get(params, "auth") != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "the params hold \"vm\" or \"auth\", which come from "
                       "the ticket");
    *ret_params = GC_TAKE(params);
    return GC_OK;
}

static gc_status
read_call(const struct gc_guest_call *call, enum gc_guest_manager *ret_which,
          struct gc_json **ret_params, struct gc_error *err)
{
    gc_status st = choose_manager(call->manager, ret_which, err);

    if (st == GC_OK)
        st = check_method(call->method, err);
    return st == GC_OK ? parse_params(call->params, ret_params, err) : st;
}

gc_status
gc_guest_call_check(const struct gc_guest_call *call, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) params = NULL;
    enum gc_guest_manager which;

    return read_call(call, &which, &params, err);
}

gc_status
gc_guest_call(struct gc_session *session, const struct gc_guest_call *call,
              struct gc_bytes *ret_reply, struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO_PTR(gc_json) body = NULL;
    GC_AUTO_PTR(gc_json) params = NULL;
    const struct gc_session_call how = {.limit = call->limit};
    enum gc_guest_manager which = GC_GUEST_PROCESS;
    gc_status st = read_call(call, &which, &params, err);

    if (st == GC_OK)
        st = gc_guest_body(call->vm, call->ticket, &body, err);
    if (st != GC_OK)
        return st;
    for (const struct gc_json *member = gc_json_first(params); member != NULL;
         member = gc_json_next(member))
        if (gc_json_add_copy(body, gc_json_key(member), member) == NULL)
            return gc_fail_no_memory(err);
    st = gc_guest_manager_call(session, &how, which, call->method, body, &reply,
                               err);
    if (st != GC_OK) {
        gc_fail_blank(err, call->ticket->data, call->ticket->len);
        return st;
    }
    if (reply.is_fault)
        return gc_guest_fail(&reply, call->vm, call->ticket, err);
    if (reply.root == NULL)
        return gc_bytes_set(ret_reply, "null", strlen("null"), err);
    gc_bytes_move(ret_reply, &reply.text);
    return GC_OK;
}
