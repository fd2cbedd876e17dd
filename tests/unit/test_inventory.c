/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a VM reference resolves to, over a played wire.
 */

#include <config.h>

#include "src/vim/inventory.h"

#include "tests/unit/fake_http.h"

#define INDEX   "/sdk/vim25/8.0.3.0/SearchIndex/si/"
#define BY_UUID INDEX "FindAllByUuid"
#define BY_PATH INDEX "FindByInventoryPath"
#define UUID    "4c4c4544-0042-4a10-8056-b7c04f4d3132"
#define REF(moid)                                                              \
    "{\"_typeName\":\"ManagedObjectReference\",\"type\":\"VirtualMachine\","   \
    "\"value\":\"" moid "\"}"
#define UUID_BODY(instance)                                                    \
    "{\"uuid\":\"" UUID "\",\"vmSearch\":true,\"instanceUuid\":" instance "}"

static gc_status
give_password(void *user, struct gc_bytes *ret_password, struct gc_error *err)
{
    (void)user;
    return gc_bytes_set(ret_password, "secret", 6, err);
}

static const struct gc_session_login login = {.username = "svc",
                                              .password = give_password};
static struct gc_session *session;
static struct gc_error err;
static char moid[GC_MOID_SIZE];

static int
begin(void **state)
{
    const struct gc_vc_info facts = {
        .release = "8.0.3.0", .session_manager = "sm", .search_index = "si"};
    GC_AUTO(gc_bytes) id = {0};

    (void)state;
    memset(&err, 0, sizeof(err));
    moid[0] = '\0';
    assert_int_equal(gc_bytes_set(&id, "id-1", 4, NULL), GC_OK);
    assert_int_equal(gc_session_new(fake_http(), &login, &session, NULL),
                     GC_OK);
    return gc_session_adopt(session, &facts, &id, NULL) != GC_OK;
}

static int
end(void **state)
{
    (void)state;
    gc_session_free(session);
    wire_say(NULL, 0);
    return 0;
}

static gc_status
find(const char *ref)
{
    return gc_inventory_find(session, ref, UNTIL(77), moid, &err);
}

static void
a_moid_costs_nothing(void **state)
{
    (void)state;
    assert_int_equal(find("vm-42"), GC_OK);
    assert_string_equal(moid, "vm-42");
    assert_int_equal(wire.seen_count, 0);
}

static void
a_moid_is_taken_as_tools_write_it(void **state)
{
    static const char *const good[] = {
        "VirtualMachine:vm-42", "VirtualMachine-vm-42",
        ("urn:vmomi:VirtualMachine:vm-42:" UUID)};
    static const char *const bad[] = {"virtualmachine:vm-42",
                                      "HostSystem:vm-42",
                                      "VirtualMachine:VirtualMachine:vm-42",
                                      ("VirtualMachine:vm-42:" UUID),
                                      "urn:vmomi:VirtualMachine:vm-42",
                                      "urn:vmomi:VirtualMachine:vm-42:",
                                      "urn:vmomi:VirtualMachine:vm-42:x",
                                      "urn:vmomi:VirtualMachine:vm-42:" UUID
                                      "/summary",
                                      "urn:vmomi:HostSystem:host-42:" UUID};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(good); i++) {
        moid[0] = '\0';
        assert_int_equal(find(good[i]), GC_OK);
        assert_string_equal(moid, "vm-42");
    }
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        assert_int_equal(find(bad[i]), GC_E_CONFIG);

    moid[0] = '\0';
    (void)snprintf(gc_session_vc_info(session)->instance_uuid,
                   sizeof(gc_session_vc_info(session)->instance_uuid),
                   "4C4C4544-0042-4a10-8056-b7c04f4d3132");
    assert_int_equal(find(good[2]), GC_OK);
    moid[0] = '\0';
    gc_session_vc_info(session)->instance_uuid[0] = '5';
    assert_int_equal(find(good[2]), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "another vCenter"));
    assert_string_equal(moid, "");
    assert_int_equal(wire.seen_count, 0);
}

static void
other_forms_are_explained(void **state)
{
    static const char *const bad[] = {
        "",         "vm-",        "vm-4x",       "vm-42 ", "VM-42",
        "web",      "dns:web.x",  "ip:10.0.0.1", "uuid",   "path",
        "group-d1", "vm-42/name", "vm-\n"};
    char longest[GC_MOID_SIZE + 8] = "vm-";

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        assert_int_equal(find(bad[i]), GC_E_CONFIG);
        assert_non_null(strstr(err.hint, "vm-42"));
        assert_non_null(strstr(err.hint, "uuid:"));
        assert_non_null(strstr(err.hint, "path:"));
    }
    memset(longest + 3, '1', GC_MOID_SIZE - 3);
    assert_int_equal(find(longest), GC_E_CONFIG);
    longest[GC_MOID_SIZE - 1] = '\0';
    assert_int_equal(find(longest), GC_OK);
    assert_int_equal(wire.seen_count, 0);
}

static void
uuids_are_checked(void **state)
{
    static const char *const bad[] = {
        "uuid:",
        "uuid:42",
        "uuid:4c4c4544-0042-4a10-8056-b7c04f4d313",
        "uuid:4c4c4544-0042-4a10-8056-b7c04f4d31322",
        "uuid:4c4c4544-0042-4a10-8056+b7c04f4d3132",
        "uuid:4c4c4544-0042-4a10-8056-b7c04f4d313g",
        "uuid:{4c4c4544-0042-4a10-8056-b7c04f4d3132",
        "uuid:4c4c4544-0042-4a10-8056-b7c04f4d3132}",
        "4c4c4544-0042-4a10-8056-b7c04f4d313",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        assert_int_equal(find(bad[i]), GC_E_CONFIG);
    assert_int_equal(wire.seen_count, 0);
}

static void
an_instance_uuid_is_tried_first(void **state)
{
    (void)state;
    WIRE(JSON(200, "[" REF("vm-7") "]"));
    assert_int_equal(find("uuid:" UUID), GC_OK);
    assert_string_equal(moid, "vm-7");
    assert_seen(0, BY_UUID, UUID_BODY("true"), "id-1");
    assert_until(0, 77);
}

static void
a_uuid_is_taken_as_tools_write_it(void **state)
{
    static const char *const good[] = {
        UUID,
        "uuid:4C4C4544-0042-4A10-8056-B7C04F4D3132",
        "4c4c454400424a108056b7c04f4d3132",
        "{4c4c4544-0042-4a10-8056-b7c04f4d3132}",
        "uuid:4c 4c 45 44 00 42 4a 10-80 56 b7 c0 4f 4d 31 32",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(good); i++) {
        WIRE(JSON(200, "[" REF("vm-7") "]"));
        assert_int_equal(find(good[i]), GC_OK);
        assert_seen(0, BY_UUID, UUID_BODY("true"), "id-1");
    }
}

static void
a_bios_uuid_is_tried_next(void **state)
{
    static const struct canned none[] = {JSON(200, "[]"), JSON(200, "null"),
                                         NOTHING, JSON(200, "")};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(none); i++) {
        WIRE(none[i],
             JSON(200, "[{\"value\":\"vm-8\",\"type\":\"VirtualMachine\"}]"));
        assert_int_equal(find("uuid:" UUID), GC_OK);
        assert_string_equal(moid, "vm-8");
        assert_seen(1, BY_UUID, UUID_BODY("false"), "id-1");
        WIRE(none[i], none[i]);
        assert_int_equal(find("uuid:" UUID), GC_E_NOT_FOUND);
        assert_non_null(strstr(err.message, UUID));
    }
}

static void
two_hits_are_refused(void **state)
{
    (void)state;
    WIRE(JSON(200, "[" REF("vm-7") "," REF("vm-8") "]"));
    assert_int_equal(find("uuid:" UUID), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "more than one"));
    WIRE(JSON(200, "[]"), JSON(200, "[" REF("vm-7") "," REF("vm-8") "]"));
    assert_int_equal(find("uuid:" UUID), GC_E_CONFIG);
    assert_string_equal(moid, "");
}

static void
a_path_is_asked_for_as_it_is(void **state)
{
    static const char *const refs[] = {"path:/DC/vm/a%2fb/w \"1\"",
                                       "path:DC/vm/a%2fb/w \"1\""};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(refs); i++) {
        WIRE(JSON(200, REF("vm-9")));
        assert_int_equal(find(refs[i]), GC_OK);
        assert_string_equal(moid, "vm-9");
        assert_seen(0, BY_PATH,
                    "{\"inventoryPath\":\"DC/vm/a%2fb/w \\\"1\\\"\"}", "id-1");
    }
}

static void
a_path_leads_to_a_vm_or_nowhere(void **state)
{
    static const struct canned none[] = {JSON(200, "null"), NOTHING,
                                         JSON(200, "")};
    char longest[5000] = "path:";

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(none); i++) {
        wire_say(&none[i], 1);
        assert_int_equal(find("path:/DC/vm/web"), GC_E_NOT_FOUND);
        assert_non_null(strstr(err.message, "nothing is found"));
    }
    WIRE(JSON(200, "{\"type\":\"Folder\",\"value\":\"group-v3\"}"));
    assert_int_equal(find("path:/DC/vm"), GC_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "is a Folder, not a virtual machine"));
    WIRE(JSON(200, "[{\"type\":\"Folder\",\"value\":\"group-v3\"}]"));
    assert_int_equal(find("uuid:" UUID), GC_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "is a Folder, not a virtual machine"));

    wire_say(NULL, 0);
    assert_int_equal(find("path:"), GC_E_CONFIG);
    assert_int_equal(find("path:/"), GC_E_CONFIG);
    assert_int_equal(find("path:/DC/vm/a\nb"), GC_E_CONFIG);
    assert_int_equal(find("path:/DC/vm/\x7f"), GC_E_CONFIG);
    memset(longest + 5, 'p', 4097);
    assert_int_equal(find(longest), GC_E_CONFIG);
    assert_string_equal(moid, "");
}

static void
odd_answers_are_refused(void **state)
{
    static const struct {
        const char *ref;
        struct canned canned;
        gc_status st;
    } cases[] = {
        {"path:/a", JSON(200, "\"vm-9\""), GC_E_PROTOCOL},
        {"path:/a", JSON(200, "[]"), GC_E_PROTOCOL},
        {"path:/a", JSON(200, REF("../x")), GC_E_PROTOCOL},
        {"path:/a", FAULT("NoPermission"), GC_E_VCENTER_DENIED},
        {"path:/a", LOST, GC_E_UNAVAILABLE},
        {"uuid:" UUID, JSON(200, REF("vm-9")), GC_E_PROTOCOL},
        {"uuid:" UUID, JSON(200, "[\"vm-9\"]"), GC_E_PROTOCOL},
        {"uuid:" UUID, JSON(200, "[null]"), GC_E_PROTOCOL},
        {"uuid:" UUID, FAULT("InvalidArgument"), GC_E_PROTOCOL},
        {"uuid:" UUID, {.status = 502}, GC_E_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        wire_say(&cases[i].canned, 1);
        assert_int_equal(find(cases[i].ref), cases[i].st);
        assert_string_equal(moid, "");
    }
    gc_session_vc_info(session)->search_index[0] = '\0';
    wire_say(NULL, 0);
    assert_int_equal(find("path:/a"), GC_E_NOT_SUPPORTED);
}

static void
names_are_read(void **state)
{
    static const struct {
        struct canned canned;
        gc_status st;
    } bad[] = {
        {NOTHING, GC_E_PROTOCOL},
        {JSON(200, "\"\""), GC_E_PROTOCOL},
        {JSON(200, "7"), GC_E_PROTOCOL},
        {JSON(200, "{\"name\":\"web\"}"), GC_E_PROTOCOL},
        {FAULT("ManagedObjectNotFound"), GC_E_NOT_FOUND},
        {LOST, GC_E_UNAVAILABLE},
    };
    char name[GC_INVENTORY_NAME_SIZE] = "", body[600];

    (void)state;
    WIRE(JSON(200, "\"web\\u002d1 \\/ x\""));
    assert_int_equal(gc_inventory_name(session, "vm-42", UNTIL(77), name, &err),
                     GC_OK);
    assert_string_equal(name, "web-1 / x");
    assert_seen(0, "/sdk/vim25/8.0.3.0/VirtualMachine/vm-42/name", NULL,
                "id-1");
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        wire_say(&bad[i].canned, 1);
        assert_int_equal(
            gc_inventory_name(session, "vm-42", UNTIL(77), name, &err),
            bad[i].st);
    }
    for (int over = 0; over < 2; over++) {
        (void)snprintf(body, sizeof(body), "\"%0*d\"",
                       GC_INVENTORY_NAME_SIZE - 1 + over, 1);
        WIRE(JSON(200, body));
        assert_int_equal(
            gc_inventory_name(session, "vm-42", UNTIL(77), name, &err),
            over ? GC_E_PROTOCOL : GC_OK);
    }
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(a_moid_costs_nothing),
        TEST(a_moid_is_taken_as_tools_write_it),
        TEST(other_forms_are_explained),
        TEST(uuids_are_checked),
        TEST(an_instance_uuid_is_tried_first),
        TEST(a_uuid_is_taken_as_tools_write_it),
        TEST(a_bios_uuid_is_tried_next),
        TEST(two_hits_are_refused),
        TEST(a_path_is_asked_for_as_it_is),
        TEST(a_path_leads_to_a_vm_or_nowhere),
        TEST(odd_answers_are_refused),
        TEST(names_are_read),
    };

    return cmocka_run_group_tests_name("inventory", tests, NULL, NULL);
}
