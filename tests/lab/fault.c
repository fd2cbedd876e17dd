/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The bodies of vim25 faults.  The texts are those that vCenter is known to
 * send where they are known.
 */

#include <config.h>

#include "tests/lab/fault.h"

#include <string.h>

static const struct {
    const char *name, *text;
} texts[] = {
    {"InvalidGuestLogin",
     "Failed to authenticate with the guest operating system using the "
     "supplied credentials."},
    {"GuestOperationsUnavailable",
     "The guest operations agent could not be contacted."},
    {"OperationNotSupportedByGuest",
     "The guest operating system does not support the operation."},
    {"OperationDisabledByGuest",
     "The operation is disabled in the guest operating system."},
    {"GuestComponentsOutOfDate",
     "The guest components are too old to support the operation."},
    {"GuestPermissionDenied",
     "The guest authentication being used does not have sufficient "
     "permissions to perform the operation."},
    {"TooManyGuestLogons",
     "There are too many concurrent login sessions active in the guest."},
    {"TaskInProgress",
     "The operation is not allowed in the current state: a task is in "
     "progress."},
    {"InvalidPowerState",
     "The attempted operation cannot be performed in the current state."},
    {"InvalidState", "The operation is not allowed in the current state."},
    {"InvalidLogin",
     "Cannot complete login due to an incorrect user name or password."},
    {"NotAuthenticated", "The session is not authenticated."},
    {"NoPermission", "Permission to perform this operation was denied."},
    {"ManagedObjectNotFound",
     "The object has already been deleted or has not been completely "
     "created."},
    {"InvalidArgument", "A specified parameter was not correct."},
    {"SystemError",
     "A general system error occurred: vix error codes = (3016, 0).\n"},
    {"GuestAuthenticationChallenge",
     "The guest requires a response to an authentication challenge."},
    {"HostCommunication", "Unable to communicate with the remote host."},
    {"HostNotConnected", "Unable to communicate with the remote host, since "
                         "it is disconnected."},
};

static void
add_power_state(cJSON *fault)
{
    gc_doc_add_string(fault, "requestedState", "poweredOn");
    gc_doc_add_string(fault, "existingState", "poweredOff");
}

static void
add_task(cJSON *fault)
{
    gc_doc_add(fault, "task", gc_doc_moref("Task", "task-4711"));
}

/* As captured from 8.0.3: the object has no _typeName. */
static void
add_not_authenticated(cJSON *fault)
{
    cJSON *object = gc_doc_object(NULL);

    gc_doc_add_string(object, "type", "SessionManager");
    gc_doc_add_string(object, "value", "SessionManager");
    gc_doc_add(fault, "object", object);
    gc_doc_add_string(fault, "privilegeId", "");
}

static void
add_no_permission(cJSON *fault)
{
    gc_doc_add(fault, "object", gc_doc_moref("VirtualMachine", "vm-42"));
    gc_doc_add_string(fault, "privilegeId",
                      "VirtualMachine.GuestOperations.Query");
}

static void
add_object(cJSON *fault)
{
    gc_doc_add(fault, "obj", gc_doc_moref("VirtualMachine", "vm-42"));
}

static void
add_property(cJSON *fault)
{
    gc_doc_add_string(fault, "invalidProperty", "vm");
}

static void
add_reason(cJSON *fault)
{
    gc_doc_add_string(fault, "reason", "vix error codes = (3016, 0).\n");
}

static void
add_challenge(cJSON *fault)
{
    cJSON *auth = gc_doc_object("SSPIAuthentication");

    gc_doc_add_bool(auth, "interactiveSession", false);
    gc_doc_add_string(auth, "sspiToken", "");
    gc_doc_add(fault, "serverChallenge", auth);
    gc_doc_add_int(fault, "sessionID", 1);
}

static const struct {
    const char *name;
    void (*add)(cJSON *fault);
} members[] = {
    {"InvalidPowerState", add_power_state},
    {"TaskInProgress", add_task},
    {"NotAuthenticated", add_not_authenticated},
    {"NoPermission", add_no_permission},
    {"ManagedObjectNotFound", add_object},
    {"InvalidArgument", add_property},
    {"SystemError", add_reason},
    {"GuestAuthenticationChallenge", add_challenge},
};

cJSON *
gc_lab_fault(const char *name)
{
    cJSON *fault = gc_doc_object(name);
    const char *text = name;
    size_t i;

    for (i = 0; i < GC_COUNT(members); i++) {
        if (strcmp(members[i].name, name) == 0)
            members[i].add(fault);
    }
    for (i = 0; i < GC_COUNT(texts); i++) {
        if (strcmp(texts[i].name, name) == 0)
            text = texts[i].text;
    }
    gc_doc_add_string(fault, "faultstring", text);
    return fault;
}
