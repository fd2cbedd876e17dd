/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vim faults: name -> status, sentence, next step.  One table.
 *
 * Knows the faults of the two GuestAuthManager pages, the runtime faults that
 * any method may throw, and Login's.  Does not know which method was called or
 * what the caller does about it.  Ignores a nested faultCause.
 */

#include <config.h>

#include "src/vim/fault.h"

#include <string.h>

/* VIX_E_TOOLS_NOT_RUNNING: what a guest that is still booting answers. */
#define VIX_TOOLS_NOT_RUNNING 3016

/* Prose with an unbroken run of this many base64 signs may hold a secret. */
#define RUN_MAX 40

/* Which member of the fault says more than the sentence. */
enum detail { NOTHING, TEXT, STATE, PRIVILEGE, PROPERTY, OBJECT };

static const struct meaning {
    const char *name;
    int vix; /* the row is for this code only; 0: for all */
    gc_status status;
    bool again;
    enum detail detail;
    const char *before; /* the sentence is BEFORE SUBJECT AFTER */
    const char *after;
    const char *hint;
} meanings[] = {
    /* Said by the guest. */
    {"InvalidGuestLogin", 0, GC_E_DENIED, false, NOTHING, "the guest of ",
     " did not accept the credential",
     "check the account, its right to log on over the network, the SPN and "
     "the clocks; if it was a stored ticket, acquire a new one"},
    {"GuestPermissionDenied", 0, GC_E_DENIED, false, NOTHING, "the guest of ",
     " denied permission",
     "the guest account lacks a right, or the ticket has ended: acquire a new "
     "one"},
    {"GuestAuthenticationChallenge", 0, GC_E_PROTOCOL, false, NOTHING, "",
     " sent a challenge where none can be answered",
     "repeat with a new login; if it stays, report it with the version of "
     "vCenter and of VMware Tools"},
    {"TooManyGuestLogons", 0, GC_E_BUSY, false, NOTHING, "the guest of ",
     " has too many open login sessions",
     "release tickets that are no longer needed (guestcred list, guestcred "
     "release); unused ones end by themselves within a day"},
    {"OperationNotSupportedByGuest", 0, GC_E_NOT_SUPPORTED, false, NOTHING,
     "the guest of ", " does not support this operation",
     "only a Windows guest takes a Kerberos or NTLM login"},
    {"OperationDisabledByGuest", 0, GC_E_NOT_SUPPORTED, false, NOTHING,
     "the guest of ", " has this operation switched off",
     "look at [guestoperations] in the guest's tools.conf"},
    {"GuestComponentsOutOfDate", 0, GC_E_NOT_SUPPORTED, false, NOTHING,
     "VMware Tools in ", " are too old for this operation",
     "upgrade VMware Tools in the guest"},
    {"GuestOperationsUnavailable", 0, GC_E_UNAVAILABLE, true, NOTHING, "",
     " runs no VMware Tools that answer",
     "start VMware Tools in the guest, or wait until the guest is up"},
    {"GuestOperationsFault", 0, GC_E_FAILED, false, TEXT,
     "a guest operation failed in ", "",
     "look at the log of VMware Tools in the guest"},

    /* The state of the VM and of its host. */
    {"TaskInProgress", 0, GC_E_BUSY, true, NOTHING, "",
     " is busy with another task",
     "repeat when its snapshot, migration or other task is over"},
    {"InvalidState", 0, GC_E_BUSY, false, TEXT, "",
     " is in a state that does not allow this",
     "look at the VM in vCenter and repeat when it runs undisturbed"},
    {"InvalidPowerState", 0, GC_E_UNAVAILABLE, false, STATE, "",
     " is not powered on", "power it on, or resume it, and repeat"},
    {"RequestCanceled", 0, GC_E_BUSY, false, NOTHING, "the request for ",
     " was cancelled at the server", "repeat it"},
    {"HostCommunication", 0, GC_E_UNAVAILABLE, true, NOTHING,
     "vCenter cannot talk to the host of ", "",
     "look at the ESXi host's state in vCenter and repeat"},
    {"HostNotConnected", 0, GC_E_UNAVAILABLE, true, NOTHING, "the host of ",
     " is not connected to vCenter",
     "reconnect the ESXi host in vCenter and repeat"},
    {"HostNotReachable", 0, GC_E_UNAVAILABLE, true, NOTHING, "the host of ",
     " cannot be reached from vCenter",
     "look at the ESXi host's network and repeat"},
    {"SystemError", VIX_TOOLS_NOT_RUNNING, GC_E_UNAVAILABLE, true, NOTHING, "",
     " runs no VMware Tools yet",
     "start VMware Tools in the guest, or wait until the guest is up"},
    {"SystemError", 0, GC_E_FAILED, false, TEXT,
     "the server met a general error with ", "",
     "look at the logs of vCenter and of the ESXi host"},

    /* Said by vCenter about us. */
    {"InvalidLogin", 0, GC_E_VCENTER_DENIED, false, NOTHING, "",
     " refused the user name or the password of the service login",
     "check vCenter's user name and password, which are not the guest's"},
    {"InvalidLocale", 0, GC_E_FAILED, false, NOTHING, "",
     " does not know the language that the login asked for",
     "report it with the version of vCenter"},
    {"NoPermission", 0, GC_E_VCENTER_DENIED, false, PRIVILEGE,
     "the service login lacks a privilege on ", "",
     "give its vCenter role that privilege on this VM or a folder above it"},
    {"NotAuthenticated", 0, GC_E_UNAVAILABLE, true, NOTHING,
     "vCenter did not accept our session in the request for ", "",
     "repeat it; if it stays, look at vCenter's limits on sessions"},
    {"ManagedObjectNotFound", 0, GC_E_NOT_FOUND, false, OBJECT, "",
     " is not in the inventory",
     "check the moId: it changes when a VM is removed and registered again"},
    {"NotSupported", 0, GC_E_NOT_SUPPORTED, false, TEXT,
     "the server does not support this request for ", "",
     "check the release of vCenter and the type of the VM"},
    {"RestrictedByAdministrator", 0, GC_E_NOT_SUPPORTED, false, TEXT,
     "the administrator has restricted this request for ", "",
     "ask the administrator of vCenter"},
    {"InvalidArgument", 0, GC_E_PROTOCOL, false, PROPERTY,
     "the server refused an argument of the request for ", "",
     "report it with the version of vCenter"},
    {"InvalidRequest", 0, GC_E_PROTOCOL, false, TEXT,
     "the server could not read the request for ", "",
     "report it with the version of vCenter"},
    {"InvalidType", 0, GC_E_PROTOCOL, false, TEXT,
     "the server does not know a type in the request for ", "",
     "report it with the version of vCenter"},
    {"MethodNotFound", 0, GC_E_PROTOCOL, false, TEXT,
     "the server does not know the method of the request for ", "",
     "report it with the version of vCenter"},
};

/* The first text that is not empty among faultMessage[].message, or NULL. */
static const char *
localized(const struct gc_json *root)
{
    const struct gc_json *list = gc_json_get(root, "faultMessage");

    if (!gc_json_is_array(list))
        return NULL;
    for (list = gc_json_first(list); list != NULL; list = gc_json_next(list)) {
        const char *text = gc_json_string(list, "message");

        if (text != NULL && *text != '\0')
            return text;
    }
    return NULL;
}

static bool
is_base64(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z')
           || (c >= '0' && c <= '9') || (c != '\0' && strchr("+/=-_", c));
}

/*
 * The server's prose, fit to be part of a sentence: without the white space and
 * full stop at its end, and without anything that may be a token, should the
 * server quote what it was sent.
 */
static void
put_prose(char *dst, size_t dst_size, const char *text)
{
    static const char cut[] = "[...]";
    char kept[256];
    size_t len = strlen(text), used = 0;

    while (len > 0 && strchr(" \t\r\n.", text[len - 1]) != NULL)
        len--;
    for (size_t i = 0, run; i < len && used < sizeof(kept); i += run) {
        const char *from = text + i;
        size_t n;

        for (run = 0; i + run < len && is_base64(from[run]); run++)
            ;
        if (run >= RUN_MAX)
            from = cut;
        run = run > 0 ? run : 1;
        n = from == cut ? strlen(cut) : run;
        if (n > sizeof(kept) - used)
            n = sizeof(kept) - used;
        memcpy(kept + used, from, n);
        used += n;
    }
    gc_escape(dst, dst_size, kept, used);
}

/* TEXT as it is, or nothing: a cut identifier is another identifier. */
static void
put_name(char *dst, size_t dst_size, const char *text)
{
    if (text == NULL)
        return;
    gc_escape(dst, dst_size, text, strlen(text));
    if (strcmp(dst, text) != 0)
        dst[0] = '\0';
}

/* The number in "vix error codes = (3016, 0)", or 0. */
static int
find_vix(const char *text)
{
    static const char mark[] = "vix error codes = (";
    const char *c = text == NULL ? NULL : strstr(text, mark);
    int code = 0;

    if (c == NULL)
        return 0;
    for (c += strlen(mark); *c >= '0' && *c <= '9'; c++) {
        if (code > 99999)
            return 0;
        code = code * 10 + (*c - '0');
    }
    return *c == ',' || *c == ')' ? code : 0;
}

/* privilegeId is often empty; newer releases list what is missing as well. */
static const char *
missing_privilege(const struct gc_json *root)
{
    const char *id = gc_json_string(root, "privilegeId");
    const struct gc_json *missing = gc_json_get(root, "missingPrivileges");

    if (id != NULL && *id != '\0')
        return id;
    if (!gc_json_is_array(missing))
        return NULL;
    missing = gc_json_get(gc_json_first(missing), "privilegeIds");
    return gc_json_is_array(missing) ? gc_json_text(gc_json_first(missing))
                                     : NULL;
}

static void
read_members(const struct gc_json *root, struct gc_fault *fault)
{
    const char *said = gc_json_string(root, "faultstring");
    const char *reason = gc_json_string(root, "reason");

    if (said == NULL || *said == '\0')
        said = localized(root);
    if (said != NULL)
        put_prose(fault->text, sizeof(fault->text), said);
    if (gc_fault_is(fault, "InvalidPowerState"))
        put_name(fault->existing_state, sizeof(fault->existing_state),
                 gc_json_string(root, "existingState"));
    if (gc_fault_is(fault, "NoPermission"))
        put_name(fault->privilege, sizeof(fault->privilege),
                 missing_privilege(root));
    if (gc_fault_is(fault, "InvalidArgument"))
        put_name(fault->property, sizeof(fault->property),
                 gc_json_string(root, "invalidProperty"));
    if (gc_fault_is(fault, "ManagedObjectNotFound"))
        put_name(fault->object, sizeof(fault->object),
                 gc_json_string(gc_json_get(root, "obj"), "value"));
    if (gc_fault_is(fault, "SystemError")) {
        fault->vix = find_vix(said);
        if (fault->vix == 0)
            fault->vix = find_vix(reason);
        if (fault->vix == 0)
            fault->vix = find_vix(localized(root));
    }
}

bool
gc_fault_parse(const struct gc_json *root, struct gc_fault *ret_fault)
{
    struct gc_fault fault = {0};
    const char *name = gc_json_string(root, "_typeName");

    if (name == NULL || *name == '\0')
        return false;
    /* A name that is too long for the table is not in it when cut, either. */
    gc_escape(fault.name, sizeof(fault.name), name, strlen(name));
    read_members(root, &fault);
    *ret_fault = fault;
    return true;
}

bool
gc_fault_is(const struct gc_fault *fault, const char *name)
{
    return strcmp(fault->name, name) == 0;
}

static const struct meaning *
find_meaning(const struct gc_fault *fault)
{
    for (size_t i = 0; i < GC_COUNT_OF(meanings); i++)
        if (gc_fault_is(fault, meanings[i].name)
            && (meanings[i].vix == 0 || meanings[i].vix == fault->vix))
            return &meanings[i];
    return NULL;
}

/* What FAULT says beyond the sentence about SUBJECT, or "". */
static const char *
more(const struct gc_fault *fault, enum detail detail, const char *subject)
{
    switch (detail) {
    case STATE:
        return fault->existing_state;
    case PRIVILEGE:
        return fault->privilege;
    case PROPERTY:
        return fault->property[0] != '\0' ? fault->property : fault->text;
    case OBJECT:
        return strstr(subject, fault->object) == NULL ? fault->object : "";
    case TEXT:
        return fault->text;
    case NOTHING:
        break;
    }
    return "";
}

/* What to do; another hint where vCenter left out what M's refers to. */
static const char *
hint_of(const struct meaning *m, const char *detail)
{
    if (m == NULL)
        return "look the fault up in the vSphere API reference";
    if (m->detail == PRIVILEGE && detail[0] == '\0')
        return "give its vCenter role VirtualMachine.GuestOperations.Query on "
               "this VM or a folder above it";
    return m->hint;
}

gc_status
gc_fault_fail(const struct gc_fault *fault, const char *subject,
              struct gc_error *err)
{
    const struct meaning *m = find_meaning(fault);
    const char *detail = more(fault, m == NULL ? TEXT : m->detail, subject);
    const char *colon = detail[0] == '\0' ? "" : ": ";
    gc_status status = m == NULL ? GC_E_FAILED : m->status;

    if (m == NULL)
        (void)gc_fail(err, status, "the request for %s failed with %s%s%s",
                      subject, fault->name, colon, detail);
    else
        (void)gc_fail(err, status, "%s%s%s%s%s", m->before, subject, m->after,
                      colon, detail);
    if (err == NULL)
        return status;
    err->again = m != NULL && m->again;
    memcpy(err->fault, fault->name, sizeof(err->fault));
    return gc_fail_hint(err, status, "%s", hint_of(m, detail));
}
