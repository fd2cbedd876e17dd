/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GuestAuthManager: JSON on one side, a guest on the other.  The shape of the
 * request has been checked when it comes here.
 */

#include <config.h>

#include "tests/lab/authmgr.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/lab/guest.h"

/* open-vm-tools: a guest request of more than 65536 bytes is not passed on. */
#define MAX_TOKEN_TEXT 60000

static const char *const power_names[] = {"poweredOn", "poweredOff",
                                          "suspended"};

static void
refuse(struct gc_reply *reply, const struct gc_vm *vm, const char *fault)
{
    if (strcmp(fault, "InvalidPowerState") == 0)
        gc_reply_fault_with(reply, fault, "existingState",
                            power_names[vm->power]);
    else
        gc_reply_fault(reply, fault);
}

/* The VM, if it is there and fit; otherwise the reply says why not. */
static struct gc_vm *
fit_vm(const struct gc_request *request, struct gc_reply *reply)
{
    struct gc_vm *vm = gc_world_vm(request->world, request->vm);
    const char *fault;

    if (vm == NULL) {
        gc_reply_fault(reply, "ManagedObjectNotFound");
        gc_doc_put(reply->doc, "obj",
                   gc_doc_moref("VirtualMachine", request->vm));
        return NULL;
    }
    fault = gc_guest_unfit(vm);
    if (fault == NULL)
        return vm;
    refuse(reply, vm, fault);
    return NULL;
}

/* The string TEXT of the object AUTH, which is not interactive. */
static const char *
read_auth(const struct gc_request *request, const char *auth, const char *text,
          struct gc_reply *reply)
{
    const cJSON *object = gc_doc_get(request->args, auth);
    const char *value = gc_doc_string(object, text);
    char property[64];

    if (value == NULL) { /* another kind of GuestAuthentication */
        gc_reply_fault_with(reply, "InvalidArgument", "invalidProperty", auth);
        return NULL;
    }
    if (!cJSON_IsTrue(gc_doc_get(object, "interactiveSession")))
        return value;
    snprintf(property, sizeof(property), "%s.interactiveSession", auth);
    gc_reply_fault_with(reply, "InvalidArgument", "invalidProperty", property);
    return NULL;
}

static void
challenge(const struct gc_answer *answer, struct gc_reply *reply)
{
    cJSON *auth = gc_doc_object("SSPIAuthentication");
    GC_TEXT text = {0};
    char digits[32];

    gc_reply_fault(reply, "GuestAuthenticationChallenge");
    gc_text_base64(gc_text_string(&answer->token), answer->token.len, &text);
    gc_doc_add_bool(auth, "interactiveSession", false);
    gc_doc_add_string(auth, "sspiToken", gc_text_string(&text));
    gc_doc_put(reply->doc, "serverChallenge", auth);
    snprintf(digits, sizeof(digits), "%" PRId64, answer->id);
    gc_doc_put(reply->doc, "sessionID", gc_doc_raw(digits));
}

static void
tell(const struct gc_vm *vm, enum gc_outcome outcome,
     const struct gc_answer *answer, struct gc_reply *reply)
{
    cJSON *auth;

    reply->legs = answer->legs;
    switch (outcome) {
    case GC_OUTCOME_FAULT:
        refuse(reply, vm, answer->fault);
        return;
    case GC_OUTCOME_CHALLENGE:
        challenge(answer, reply);
        return;
    case GC_OUTCOME_TICKET:
        auth = gc_doc_object("TicketedSessionAuthentication");
        gc_doc_add_bool(auth, "interactiveSession", false);
        gc_doc_add_string(auth, "ticket", answer->ticket->text);
        gc_reply_doc(reply, 200, auth);
        reply->peer = answer->peer;
        return;
    }
}

void
gc_authmgr_acquire(struct gc_request *request, struct gc_reply *reply)
{
    const char *text = read_auth(request, "requestedAuth", "sspiToken", reply);
    struct gc_vm *vm = text == NULL ? NULL : fit_vm(request, reply);
    struct gc_leg leg = {0};
    struct gc_answer answer = {0};

    if (vm == NULL)
        return;
    if (strlen(text) > MAX_TOKEN_TEXT) {
        gc_reply_fault_with(reply, "SystemError", "reason",
                            "vix error codes = (44, 0).\n");
        return;
    }
    if (!gc_text_unbase64(text, &leg.token)) {
        gc_reply_fault_with(reply, "InvalidArgument", "invalidProperty",
                            "requestedAuth.sspiToken");
        gc_text_clear(&leg.token);
        return;
    }
    leg.has_id = gc_doc_int64(gc_doc_get(request->args, "sessionID"), &leg.id);
    tell(vm, gc_guest_acquire(vm, &leg, &answer), &answer, reply);
    gc_text_clear(&leg.token);
    gc_text_clear(&answer.token);
}

static bool
with_ticket(struct gc_request *request, struct gc_reply *reply,
            const char *(*call)(struct gc_vm *vm, const char *ticket))
{
    const char *ticket = read_auth(request, "auth", "ticket", reply);
    struct gc_vm *vm = ticket == NULL ? NULL : fit_vm(request, reply);
    const char *fault;

    if (vm == NULL)
        return false;
    fault = call(vm, ticket);
    if (fault != NULL)
        gc_reply_fault(reply, fault);
    else
        gc_reply_void(reply);
    return fault == NULL;
}

void
gc_authmgr_release(struct gc_request *request, struct gc_reply *reply)
{
    (void)with_ticket(request, reply, gc_guest_release);
}

void
gc_authmgr_validate(struct gc_request *request, struct gc_reply *reply)
{
    (void)with_ticket(request, reply, gc_guest_validate);
}

/* Is PID among PIDS, or is nothing said there? */
static bool
is_asked_for(const cJSON *pids, int64_t pid)
{
    const cJSON *item;
    int64_t number;

    cJSON_ArrayForEach(item, pids)
    {
        if (gc_doc_int64(item, &number) && number == pid)
            return true;
    }
    return cJSON_GetArraySize(pids) == 0;
}

void
gc_authmgr_processes(struct gc_request *request, struct gc_reply *reply)
{
    static const struct {
        int64_t pid;
        const char *name, *owner, *line;
    } processes[] = {
        {4, "System", "NT AUTHORITY\\SYSTEM", ""},
        {1544, "vmtoolsd.exe", "NT AUTHORITY\\SYSTEM",
         "\"C:\\Program Files\\VMware\\VMware Tools\\vmtoolsd.exe\""},
        {2048, "cmd.exe", "EXAMPLE\\alice", "C:\\Windows\\System32\\cmd.exe"},
    };
    const cJSON *pids = gc_doc_get(request->args, "pids");
    cJSON *list;
    size_t i;

    if (!with_ticket(request, reply, gc_guest_validate))
        return;
    list = cJSON_CreateArray();
    for (i = 0; i < GC_COUNT(processes); i++) {
        cJSON *info;

        if (!is_asked_for(pids, processes[i].pid))
            continue;
        info = gc_doc_object("GuestProcessInfo");
        gc_doc_add_string(info, "name", processes[i].name);
        gc_doc_add_int(info, "pid", processes[i].pid);
        gc_doc_add_string(info, "owner", processes[i].owner);
        gc_doc_add_string(info, "cmdLine", processes[i].line);
        gc_doc_add_string(info, "startTime", "2026-01-02T03:04:05Z");
        cJSON_AddItemToArray(list, info);
    }
    gc_reply_doc(reply, 200, list);
}
