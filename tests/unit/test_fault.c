/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fault: every fault of the two API pages and its status, what is read from a
 * fault, and that nothing hostile or secret comes through.
 */

#include <config.h>

#include "src/vim/fault.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* The fault that TEXT is; fails the test when it is none. */
static struct gc_fault
read_fault(const char *text)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    struct gc_fault fault = {0};

    if (gc_json_parse(text, strlen(text), &root, NULL) != GC_OK)
        fail_msg("not JSON: %s", text);
    if (!gc_fault_parse(root, &fault))
        fail_msg("no fault: %s", text);
    return fault;
}

static struct gc_error
explain(const char *text, const char *subject)
{
    struct gc_fault fault = read_fault(text);
    struct gc_error err = {0};
    gc_status st = gc_fault_fail(&fault, subject, &err);

    assert_int_equal(st, err.status);
    assert_int_equal(gc_fault_fail(&fault, subject, NULL), st);
    return err;
}

static const struct {
    const char *name;
    gc_status status;
    bool again;
} faults[] = {
    {"InvalidGuestLogin", GC_E_DENIED, false},
    {"GuestPermissionDenied", GC_E_DENIED, false},
    {"InvalidLogin", GC_E_VCENTER_DENIED, false},
    {"NoPermission", GC_E_VCENTER_DENIED, false},
    {"OperationNotSupportedByGuest", GC_E_NOT_SUPPORTED, false},
    {"OperationDisabledByGuest", GC_E_NOT_SUPPORTED, false},
    {"GuestComponentsOutOfDate", GC_E_NOT_SUPPORTED, false},
    {"NotSupported", GC_E_NOT_SUPPORTED, false},
    {"RestrictedByAdministrator", GC_E_NOT_SUPPORTED, false},
    {"ManagedObjectNotFound", GC_E_NOT_FOUND, false},
    {"TaskInProgress", GC_E_BUSY, true},
    {"InvalidState", GC_E_BUSY, false},
    {"TooManyGuestLogons", GC_E_BUSY, false},
    {"RequestCanceled", GC_E_BUSY, false},
    {"GuestOperationsUnavailable", GC_E_UNAVAILABLE, true},
    {"InvalidPowerState", GC_E_UNAVAILABLE, false},
    {"HostCommunication", GC_E_UNAVAILABLE, true},
    {"HostNotConnected", GC_E_UNAVAILABLE, true},
    {"HostNotReachable", GC_E_UNAVAILABLE, true},
    {"NotAuthenticated", GC_E_UNAVAILABLE, true},
    {"InvalidArgument", GC_E_PROTOCOL, false},
    {"InvalidRequest", GC_E_PROTOCOL, false},
    {"InvalidType", GC_E_PROTOCOL, false},
    {"MethodNotFound", GC_E_PROTOCOL, false},
    {"GuestAuthenticationChallenge", GC_E_PROTOCOL, false},
    {"GuestOperationsFault", GC_E_FAILED, false},
    {"SystemError", GC_E_FAILED, false},
    {"InvalidLocale", GC_E_FAILED, false},
};

static void
test_table(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(faults); i++) {
        char text[128];
        struct gc_error err;

        (void)snprintf(text, sizeof(text), "{\"_typeName\":\"%s\"}",
                       faults[i].name);
        err = explain(text, "VM vm-42");
        if (err.status != faults[i].status || err.again != faults[i].again)
            fail_msg("%s: %s, %d", faults[i].name, gc_status_word(err.status),
                     err.again);
        assert_string_equal(err.fault, faults[i].name);
        assert_non_null(strstr(err.message, "VM vm-42"));
        assert_true(err.message[strlen(err.message) - 1] != '.');
        assert_true(strlen(err.hint) > 0);
        /* A sentence of our own, not the name put into one. */
        assert_null(strstr(err.message, faults[i].name));
        /* The longest hint is whole. */
        assert_true(strlen(err.hint) < GC_ERROR_HINT_SIZE - 1);
    }
}

/* A name is compared whole: longer, shorter and other case are unknown. */
static void
test_names_are_exact(void **state)
{
    static const char *const others[] = {
        "TaskInProgressx",    "TaskInProgres",         "taskInProgress",
        " TaskInProgress",    "TaskInProgress\\n",     "x",
        "InvalidGuestLogin.", "vim.InvalidGuestLogin",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(others); i++) {
        char text[128];
        struct gc_error err;

        (void)snprintf(text, sizeof(text),
                       "{\"_typeName\":\"%s\",\"faultstring\":\"It broke.\"}",
                       others[i]);
        err = explain(text, "VM vm-42");
        assert_int_equal(err.status, GC_E_FAILED);
        assert_false(err.again);
        assert_non_null(strstr(err.message, err.fault));
        assert_non_null(strstr(err.message, ": It broke"));
    }
}

/* A name too long for its field is cut, and no prefix of it is known. */
static void
test_long_name(void **state)
{
    char text[512];
    struct gc_fault fault;

    (void)state;
    (void)snprintf(text, sizeof(text), "{\"_typeName\":\"%0200d\"}", 7);
    fault = read_fault(text);
    assert_int_equal(strlen(fault.name), sizeof(fault.name) - 1);
    assert_int_equal(gc_fault_fail(&fault, "vCenter", NULL), GC_E_FAILED);
    assert_false(gc_fault_is(&fault, "0"));
}

static void
test_no_fault(void **state)
{
    static const char *const others[] = {
        "{}",
        "[]",
        "null",
        "\"x\"",
        "7",
        "{\"_typeName\":null}",
        "{\"_typeName\":\"\"}",
        "{\"_typeName\":7}",
        "{\"_typeName\":{}}",
        "{\"_TypeName\":\"InvalidState\"}",
        "[{\"_typeName\":\"InvalidState\"}]",
    };
    struct gc_fault fault = {.name = "kept"};

    (void)state;
    assert_false(gc_fault_parse(NULL, &fault));
    for (size_t i = 0; i < GC_COUNT_OF(others); i++) {
        GC_AUTO_PTR(gc_json) root = NULL;

        assert_int_equal(
            gc_json_parse(others[i], strlen(others[i]), &root, NULL), GC_OK);
        if (gc_fault_parse(root, &fault))
            fail_msg("taken: %s", others[i]);
    }
    assert_string_equal(fault.name, "kept");
}

/* As a vCenter sends it: no _typeName in the MoRef, empty privilegeId. */
static void
test_not_authenticated(void **state)
{
    struct gc_fault fault = read_fault(
        "{\"privilegeId\":\"\",\"faultstring\":\"No session here.\\n\","
        "\"object\":{\"type\":\"GuestAuthManager\",\"value\":\"x\"},"
        "\"_typeName\":\"NotAuthenticated\"}");

    (void)state;
    assert_true(gc_fault_is(&fault, "NotAuthenticated"));
    assert_false(gc_fault_is(&fault, "NotAuth"));
    assert_false(gc_fault_is(&fault, ""));
    assert_string_equal(fault.text, "No session here");
    assert_string_equal(fault.privilege, "");
}

static void
test_power_state(void **state)
{
    struct gc_fault fault = read_fault(
        "{\"_typeName\":\"InvalidPowerState\",\"requestedState\":\"poweredOn\","
        "\"existingState\":\"poweredOff\"}");
    struct gc_error err;

    (void)state;
    assert_string_equal(fault.existing_state, "poweredOff");
    (void)gc_fault_fail(&fault, "VM vm-42", &err);
    assert_string_equal(err.message, "VM vm-42 is not powered on: poweredOff");

    /* Not cut into a state that means something, not taken from elsewhere. */
    fault = read_fault("{\"_typeName\":\"InvalidPowerState\",\"existingState\":"
                       "\"poweredOffpoweredOffpoweredOffpoweredOff\"}");
    assert_string_equal(fault.existing_state, "");
    fault = read_fault("{\"_typeName\":\"InvalidPowerState\",\"existingState\":"
                       "\"poweredOff\\u0001\"}");
    assert_string_equal(fault.existing_state, "");
    fault = read_fault(
        "{\"_typeName\":\"InvalidState\",\"existingState\":\"poweredOff\"}");
    assert_string_equal(fault.existing_state, "");
    fault = read_fault(
        "{\"_typeName\":\"InvalidPowerState\",\"existingState\":[]}");
    assert_string_equal(fault.existing_state, "");
    (void)gc_fault_fail(&fault, "VM vm-42", &err);
    assert_string_equal(err.message, "VM vm-42 is not powered on");
}

static void
test_vix(void **state)
{
    static const struct {
        const char *members;
        int vix;
    } table[] = {
        {"\"faultstring\":\"A thing: vix error codes = (3016, 0).\\n\"", 3016},
        {"\"reason\":\"vix error codes = (3016, 0)\"", 3016},
        {"\"faultstring\":\"no\",\"faultMessage\":[{\"message\":"
         "\"vix error codes = (3016)\"}]",
         3016},
        {"\"faultstring\":\"vix error codes = (35, 0).\"", 35},
        {"\"faultstring\":\"vix error codes = (30160, 0).\"", 30160},
        {"\"faultstring\":\"vix error codes = (93016, 0).\"", 93016},
        {"\"faultstring\":\"vix error codes = (3016\"", 0},
        {"\"faultstring\":\"vix error codes = (3016x, 0)\"", 0},
        {"\"faultstring\":\"vix error codes = (\"", 0},
        {"\"faultstring\":\"vix error codes = (99999999999999999999, 0)\"", 0},
        {"\"faultstring\":\"vix error codes = 3016\"", 0},
        {"\"faultstring\":3016", 0},
        {"\"faultstring\":\"3016\"", 0},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(table); i++) {
        char text[256];
        struct gc_fault fault;
        struct gc_error err = {0};

        (void)snprintf(text, sizeof(text), "{\"_typeName\":\"SystemError\",%s}",
                       table[i].members);
        fault = read_fault(text);
        assert_int_equal(fault.vix, table[i].vix);
        assert_int_equal(gc_fault_fail(&fault, "VM vm-42", &err),
                         fault.vix == 3016 ? GC_E_UNAVAILABLE : GC_E_FAILED);
        assert_int_equal(err.again, fault.vix == 3016);
        assert_string_equal(err.fault, "SystemError");

        /* The code counts in a SystemError alone. */
        (void)snprintf(text, sizeof(text),
                       "{\"_typeName\":\"NoPermission\",%s}", table[i].members);
        fault = read_fault(text);
        assert_int_equal(fault.vix, 0);
    }
}

static void
test_details(void **state)
{
    struct gc_error err =
        explain("{\"_typeName\":\"NoPermission\",\"privilegeId\":"
                "\"VirtualMachine.GuestOperations.Query\"}",
                "VM vm-42");

    (void)state;
    assert_non_null(
        strstr(err.message, ": VirtualMachine.GuestOperations.Query"));
    assert_null(strstr(err.hint, "GuestOperations.Query"));
    err = explain("{\"_typeName\":\"NoPermission\",\"privilegeId\":\"\","
                  "\"missingPrivileges\":[{\"_typeName\":\"x\","
                  "\"privilegeIds\":[\"System.View\"]}]}",
                  "VM vm-42");
    assert_non_null(strstr(err.message, ": System.View"));
    err = explain("{\"_typeName\":\"NoPermission\",\"missingPrivileges\":"
                  "[{\"privilegeIds\":{\"a\":\"System.View\"}},7]}",
                  "VM vm-42");
    assert_null(strstr(err.message, "System.View"));
    assert_non_null(strstr(err.hint, "GuestOperations.Query"));
    err = explain("{\"_typeName\":\"NoPermission\",\"missingPrivileges\":"
                  "{\"a\":{\"privilegeIds\":[\"System.View\"]}}}",
                  "VM vm-42");
    assert_null(strstr(err.message, "System.View"));
    err = explain("{\"_typeName\":\"InvalidArgument\",\"invalidProperty\":"
                  "\"vm\",\"faultstring\":\"A text\"}",
                  "VM vm-42");
    assert_non_null(strstr(err.message, "VM vm-42: vm"));
    err = explain("{\"_typeName\":\"InvalidArgument\",\"faultstring\":"
                  "\"A text\"}",
                  "VM vm-42");
    assert_non_null(strstr(err.message, ": A text"));

    err = explain("{\"_typeName\":\"ManagedObjectNotFound\",\"obj\":{\"type\":"
                  "\"VirtualMachine\",\"value\":\"vm-42\"}}",
                  "VM vm-42");
    assert_string_equal(err.message, "VM vm-42 is not in the inventory");
    err = explain("{\"_typeName\":\"ManagedObjectNotFound\",\"obj\":{\"value\":"
                  "\"guestAuth\"}}",
                  "VM vm-42");
    assert_non_null(strstr(err.message, ": guestAuth"));
}

static void
test_text(void **state)
{
    struct gc_fault fault = read_fault(
        "{\"_typeName\":\"X\",\"faultMessage\":[7,{\"message\":\"\"},"
        "{\"key\":\"k\",\"message\":\"Second text\"}],\"faultCause\":"
        "{\"_typeName\":\"Y\",\"faultstring\":\"Cause\"}}");

    (void)state;
    assert_string_equal(fault.text, "Second text");
    fault = read_fault("{\"_typeName\":\"X\",\"faultstring\":\"\","
                       "\"faultMessage\":[{\"message\":\"Other\"}]}");
    assert_string_equal(fault.text, "Other");
    fault = read_fault("{\"_typeName\":\"X\",\"faultstring\":\"First\","
                       "\"faultMessage\":[{\"message\":\"Other\"}]}");
    assert_string_equal(fault.text, "First");
    fault = read_fault("{\"_typeName\":\"X\",\"faultMessage\":{\"a\":"
                       "{\"message\":\"Other\"}}}");
    assert_string_equal(fault.text, "");
    fault = read_fault(
        "{\"_typeName\":\"X\",\"faultstring\":\"a\\u001b[31m\\nb\\u009b\"}");
    assert_string_equal(fault.text, "a\\x1b[31m\\x0ab\\xc2\\x9b");
    fault = read_fault("{\"_typeName\":\"X\",\"faultstring\":\" . \\n\"}");
    assert_string_equal(fault.text, "");
}

/* Anything the server may have quoted from the request is cut out. */
static void
test_no_token_in_text(void **state)
{
    static const char token[] =
        "YIIGhgYJKoZIhvcSAQICAQBuggZ1MIIGcaADAgEFoQMCAQ6iBwMFACAAAACj";
    char text[1024];
    struct gc_fault fault;

    (void)state;
    (void)snprintf(text, sizeof(text),
                   "{\"_typeName\":\"X\",\"faultstring\":\"bad '%s', %s.\"}",
                   token, token);
    fault = read_fault(text);
    assert_string_equal(fault.text, "bad '[...]', [...]");
    /* A session id of vCenter has forty signs; names of the API have fewer. */
    fault = read_fault("{\"_typeName\":\"X\",\"faultstring\":\"id "
                       "0123456789abcdef0123456789abcdef01234567 in "
                       "requestedAuth.AcquireCredentialsInGuestRequestType\"}");
    assert_string_equal(
        fault.text,
        "id [...] in requestedAuth.AcquireCredentialsInGuestRequestType");
}

static void
test_long_text(void **state)
{
    GC_AUTO(gc_bytes) text = {0};
    struct gc_fault fault;
    struct gc_error err = {0};
    static const char begin[] = "{\"_typeName\":\"X\",\"faultstring\":\"";

    (void)state;
    assert_int_equal(gc_bytes_set(&text, begin, strlen(begin), NULL), GC_OK);
    while (text.len < 100000)
        assert_int_equal(
            gc_bytes_append(&text, "\xc3\xa9 word ", 8, 1 << 20, NULL), GC_OK);
    assert_int_equal(gc_bytes_append(&text, "\"}", 2, 1 << 20, NULL), GC_OK);
    fault = read_fault(gc_bytes_text(&text));
    assert_true(strlen(fault.text) > 240);
    assert_null(strchr(fault.text, '\\'));
    assert_int_equal(gc_fault_fail(&fault, "VM vm-42", &err), GC_E_FAILED);
    assert_non_null(strstr(err.message, fault.text));

    /* A word that stands across the end. */
    fault = read_fault("{\"_typeName\":\"X\",\"faultstring\":\""
                       "thirty-nine-signs-that-are-one-word-ok1 "
                       "thirty-nine-signs-that-are-one-word-ok2 "
                       "thirty-nine-signs-that-are-one-word-ok3 "
                       "thirty-nine-signs-that-are-one-word-ok4 "
                       "thirty-nine-signs-that-are-one-word-ok5 "
                       "thirty-nine-signs-that-are-one-word-ok6 "
                       "thirty-nine-signs-that-are-one-word-ok7\"}");
    assert_int_equal(strlen(fault.text), sizeof(fault.text) - 1);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table),
        cmocka_unit_test(test_names_are_exact),
        cmocka_unit_test(test_long_name),
        cmocka_unit_test(test_no_fault),
        cmocka_unit_test(test_not_authenticated),
        cmocka_unit_test(test_power_state),
        cmocka_unit_test(test_vix),
        cmocka_unit_test(test_details),
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_no_token_in_text),
        cmocka_unit_test(test_long_text),
    };

    return cmocka_run_group_tests_name("fault", tests, NULL, NULL);
}
