/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session room over a played wire: opening, what counts as an answer, the
 * one re-login, and what is believed of what an earlier process kept.
 */

#include <config.h>

#include "src/vim/session.h"

#include "src/base/clock.h"
#include "tests/unit/fake_http.h"

#define PASSWORD "pa55 \"word\\"
#define HELLO                                                                  \
    "{\"api_releases\":[\"9.0.0.0\",\"8.0.3.0\",\"8.0.2.0\",\"8.0.1.0\"]}"
#define UUID "4c4c4544-0042-4a10-8056-b7c04f4d3132"

/* Members in an odd order, MoRefs with and without _typeName, unknown ones. */
#define CONTENT                                                                \
    "{\"about\":{\"apiType\":\"VirtualCenter\",\"instanceUuid\":\"" UUID       \
    "\",\"_typeName\":\"AboutInfo\"},\"rootFolder\":{\"value\":\"group-d1\""   \
    ",\"type\":\"Folder\"},\"searchIndex\":{\"value\":\"SearchIndex\","        \
    "\"type\":\"SearchIndex\"},\"sessionManager\":{\"_typeName\":"             \
    "\"ManagedObjectReference\",\"type\":\"SessionManager\",\"value\":"        \
    "\"SessionManager\"},\n\t\"guestOperationsManager\":{\"type\":"            \
    "\"GuestOperationsManager\",\"value\":\"gom\"},\"new\":[{}],"              \
    "\"_typeName\":\"ServiceContent\"}"
#define USER_SESSION "{\"_typeName\":\"UserSession\",\"key\":\"k\"}"
#define LOGIN(id)                                                              \
    {                                                                          \
        .status = 200, .type = GC_HTTP_JSON, .body = USER_SESSION,             \
        .session = (id)                                                        \
    }
#define LOGIN_BODY                                                             \
    "{\"userName\":\"svc@vsphere.local\",\"password\":\"pa55 "                 \
    "\\\"word\\\\\"}"
#define LOGIN_PATH  "/sdk/vim25/8.0.3.0/SessionManager/SessionManager/Login"
#define LOGOUT_PATH "/sdk/vim25/8.0.3.0/SessionManager/SessionManager/Logout"

static struct {
    int asked;
    const char *password;
    size_t len;
    gc_status st;
} keeper;

static gc_status
give_password(void *user, struct gc_bytes *ret_password, struct gc_error *err)
{
    (void)user;
    keeper.asked++;
    if (keeper.st != GC_OK)
        return gc_fail(err, keeper.st, "no password today");
    return gc_bytes_set(ret_password, keeper.password, keeper.len, err);
}

static const struct gc_session_login login = {.username = "svc@vsphere.local",
                                              .password = give_password};

static struct gc_session *session;
static struct gc_error err;

static int
begin(void **state)
{
    (void)state;
    memset(&keeper, 0, sizeof(keeper));
    keeper.password = PASSWORD;
    keeper.len = strlen(PASSWORD);
    memset(&err, 0, sizeof(err));
    wire_say(NULL, 0);
    return gc_session_new(fake_http(), &login, &session, NULL) != GC_OK;
}

static int
end(void **state)
{
    (void)state;
    gc_session_free(session);
    wire_say(NULL, 0);
    return 0;
}

static void
anew(void)
{
    gc_session_free(session);
    assert_int_equal(begin(NULL), 0);
}

/* A session that is open, without a trace of how on the wire. */
static void
opened(void)
{
    anew();
    WIRE(JSON(200, "{\"api_release\":\"8.0.3.0\"}"), JSON(200, CONTENT),
         LOGIN("id-1"));
    assert_int_equal(gc_session_open(session, UNTIL(1000), &err), GC_OK);
    keeper.asked = 0;
    wire_say(NULL, 0);
}

/*
 * Opening
 */

static void
opening_takes_three_requests(void **state)
{
    const struct gc_vc_info *facts = gc_session_vc_info(session);

    (void)state;
    WIRE(JSON(200, "{\"api_release\":\"8.0.3.0\",\"x\":null}"),
         {.status = 200,
          .type = GC_HTTP_JSON,
          .body = CONTENT,
          .session = "anonymous"},
         LOGIN("id-1"));
    assert_int_equal(gc_session_id(session)->len, 0);
    assert_false(gc_session_spoke(session));
    assert_int_equal(gc_session_open(session, UNTIL(4711), &err), GC_OK);
    assert_true(gc_session_spoke(session));
    assert_int_equal(wire.seen_count, 3);
    assert_seen(0, "/api/vcenter/system?action=hello", HELLO, "");
    assert_seen(1, "/sdk/vim25/8.0.3.0/ServiceInstance/ServiceInstance/content",
                NULL, "");
    /* The id of nobody, which came with the content, is not ours. */
    assert_seen(2, LOGIN_PATH, LOGIN_BODY, "");
    for (size_t i = 0; i < 3; i++)
        assert_until(i, 4711);
    /* A session that nobody can log out is not left behind by a cancel. */
    assert_int_equal(wire.seen[0].cancel_grace, 0);
    assert_int_equal(wire.seen[2].cancel_grace, GC_SESSION_GRACE_MS);

    assert_string_equal(gc_bytes_text(gc_session_id(session)), "id-1");
    assert_string_equal(gc_session_url(session), VC);
    assert_string_equal(facts->release, "8.0.3.0");
    assert_string_equal(facts->instance_uuid, UUID);
    assert_string_equal(facts->session_manager, "SessionManager");
    assert_string_equal(facts->search_index, "SearchIndex");
    assert_string_equal(facts->guest_operations_manager, "gom");
    assert_string_equal(facts->auth_manager, "");

    assert_int_equal(gc_session_open(session, UNTIL(4711), &err), GC_OK);
    assert_int_equal(wire.seen_count, 3);
    assert_int_equal(keeper.asked, 1);
}

/* Whatever it answers: content tells whether that release is served. */
static void
a_hello_that_fails_means_8_0_1(void **state)
{
    static const struct canned cases[] = {
        {.status = 404, .type = GC_HTTP_HTML, .body = "<html>"},
        {.status = 200,
         .type = GC_HTTP_HTML,
         .body = "{\"api_release\":\"8.0.3.0\"}"},
        JSON(200, "{\"api_release\":\"8.0.0.0\"}"),
        JSON(200, "{\"api_release\":\"../..\"}"),
        JSON(200, "{\"api_release\":8}"),
        JSON(200, "{\"api_release\":null}"),
        JSON(200, "{}"),
        JSON(200, "[\"8.0.3.0\"]"),
        JSON(200, "null"),
        JSON(200, ""),
        JSON(200, "{\"api_release\":\"8.0.3.0\""),
        JSON(400, "{\"error_type\":\"INVALID_ARGUMENT\",\"messages\":[]}"),
        JSON(401, "{}"),
        JSON(500, "{\"_typeName\":\"SystemError\"}"),
        {.status = 500, .type = GC_HTTP_XML, .body = "<soapenv:Envelope/>"},
        {.status = 502},
        {.status = 503, .type = GC_HTTP_OTHER, .body = "no healthy upstream"},
        {.status = 504},
        {.status = 301},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        anew();
        WIRE(cases[i], JSON(200, CONTENT), LOGIN("id-1"));
        assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
        assert_seen(1,
                    "/sdk/vim25/8.0.1.0/ServiceInstance/ServiceInstance/"
                    "content",
                    NULL, "");
    }
}

static void
every_release_that_we_offer_is_taken(void **state)
{
    static const char *const releases[] = {"9.0.0.0", "8.0.3.0", "8.0.2.0",
                                           "8.0.1.0"};
    char body[64];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(releases); i++) {
        anew();
        (void)snprintf(body, sizeof(body), "{\"api_release\":\"%s\"}",
                       releases[i]);
        WIRE(JSON(200, body), JSON(200, CONTENT), LOGIN("id"));
        assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
        assert_string_equal(gc_session_vc_info(session)->release, releases[i]);
    }
}

#define HELLO_9 JSON(200, "{\"api_release\":\"9.0.0.0\"}")

/* A reply and what must come of it. */
struct outcome {
    struct canned canned;
    gc_status st;
    bool again;
};

static void
without_a_release_or_a_reply_nothing_goes_on(void **state)
{
    static const struct outcome cases[] = {
        {JSON(200, "{\"api_release\":\"\"}"), GC_E_NOT_SUPPORTED, false},
        {REFUSED, GC_E_UNAVAILABLE, true},
        {LOST, GC_E_UNAVAILABLE, false},
        {{.st = GC_E_UNTRUSTED, .unsent = true}, GC_E_UNTRUSTED, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        anew();
        wire_say(&cases[i].canned, 1);
        assert_int_equal(gc_session_open(session, UNTIL(1), &err), cases[i].st);
        assert_int_equal(err.status, cases[i].st);
        assert_int_equal(err.again, cases[i].again);
        assert_string_equal(gc_session_vc_info(session)->release, "");
    }
}

/* A release that was guessed is not kept where content did not confirm it. */
static void
hello_is_said_again_after_content_failed(void **state)
{
    (void)state;
    WIRE({.status = 503}, {.status = 503}, HELLO_9, JSON(200, CONTENT),
         LOGIN("id-1"));
    assert_int_equal(gc_session_open(session, UNTIL(1), &err),
                     GC_E_UNAVAILABLE);
    assert_true(err.again);
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
    assert_string_equal(gc_session_vc_info(session)->release, "9.0.0.0");
}

static void
content_is_read_strictly(void **state)
{
#define MANAGER(value)                                                         \
    JSON(200, "{\"_typeName\":\"ServiceContent\",\"sessionManager\":{"         \
              "\"type\":\"SessionManager\",\"value\":\"" value "\"}}")
#define ABOUT(about)                                                           \
    JSON(200,                                                                  \
         "{\"_typeName\":\"ServiceContent\",\"sessionManager\":{"              \
         "\"type\":\"SessionManager\",\"value\":\"s\"},\"about\":" about "}")
    static const struct outcome cases[] = {
        {MANAGER(".."), GC_E_PROTOCOL, false},
        {MANAGER("."), GC_E_PROTOCOL, false},
        {MANAGER("a/b"), GC_E_PROTOCOL, false},
        {MANAGER("a\\u000ab"), GC_E_PROTOCOL, false},
        {MANAGER("a\\u007fb"), GC_E_PROTOCOL, false},
        {MANAGER(""), GC_E_PROTOCOL, false},
        {MANAGER("xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
                 "xxxxxxxxxx"),
         GC_E_PROTOCOL, false},
        {JSON(200, "{\"_typeName\":\"ServiceContent\"}"), GC_E_PROTOCOL, false},
        {JSON(200, "{\"_typeName\":\"ServiceContent\",\"sessionManager\":"
                   "\"SessionManager\"}"),
         GC_E_PROTOCOL, false},
        {JSON(200, "{\"_typeName\":\"AboutInfo\",\"sessionManager\":{\"type\":"
                   "\"SessionManager\",\"value\":\"s\"}}"),
         GC_E_PROTOCOL, false},
        {JSON(200, "{\"_typeName\":null,\"sessionManager\":{\"type\":"
                   "\"SessionManager\",\"value\":\"s\"}}"),
         GC_E_PROTOCOL, false},
        {JSON(200, "{\"_typeName\":\"ServiceContent\",\"sessionManager\":{"
                   "\"_typeName\":\"Folder\",\"type\":\"SessionManager\","
                   "\"value\":\"s\"}}"),
         GC_E_PROTOCOL, false},
        {ABOUT("{\"instanceUuid\":\"../../etc\"}"), GC_E_PROTOCOL, false},
        {ABOUT("{\"instanceUuid\":\"0123456789012345678901234567890123456789"
               "012345678901234567890123456789\"}"),
         GC_E_PROTOCOL, false},
        {ABOUT("{\"apiType\":\"HostAgent\"}"), GC_E_NOT_SUPPORTED, false},
        {NOTHING, GC_E_PROTOCOL, false},
        {{.status = 404, .type = GC_HTTP_HTML, .body = "no"},
         GC_E_NOT_SUPPORTED,
         false},
        {{.status = 500, .type = GC_HTTP_XML, .body = "<x/>"},
         GC_E_NOT_SUPPORTED,
         false},
        /* No login helps here: it needs the content first. */
        {STALE, GC_E_UNAVAILABLE, false},
        {{.status = 401}, GC_E_UNAVAILABLE, false},
        {FAULT("SystemError"), GC_E_FAILED, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        anew();
        WIRE(JSON(200, "{\"api_release\":\"8.0.3.0\"}"), cases[i].canned);
        assert_int_equal(gc_session_open(session, UNTIL(1), &err), cases[i].st);
        assert_int_equal(err.again, cases[i].again);
        assert_string_equal(gc_session_vc_info(session)->session_manager, "");
        assert_int_equal(keeper.asked, 0);
    }
}

static void
content_may_lack_what_is_not_needed(void **state)
{
    (void)state;
    WIRE(JSON(200, "{\"api_release\":\"8.0.3.0\"}"),
         JSON(200, "{\"_typeName\":\"ServiceContent\",\"searchIndex\":null,"
                   "\"sessionManager\":{\"type\":\"SessionManager\","
                   "\"value\":\"s\"},\"about\":{}}"),
         LOGIN("id-1"));
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
    assert_string_equal(gc_session_vc_info(session)->search_index, "");
    assert_string_equal(gc_session_vc_info(session)->instance_uuid, "");
}

/* Which type a reply has is known from the call. */
static void
types_may_be_unsaid(void **state)
{
    (void)state;
    WIRE(HELLO_9,
         JSON(200, "{\"sessionManager\":{\"type\":\"SessionManager\","
                   "\"value\":\"s\"}}"),
         {.status = 200,
          .type = GC_HTTP_JSON,
          .body = "{\"key\":\"5\"}",
          .session = "id-1"});
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
    assert_string_equal(gc_session_vc_info(session)->session_manager, "s");
    assert_string_equal(gc_bytes_text(gc_session_id(session)), "id-1");
}

static void
login_is_read_strictly(void **state)
{
    static const struct outcome cases[] = {
        {FAULT("InvalidLogin"), GC_E_VCENTER_DENIED, false},
        {FAULT("NoPermission"), GC_E_VCENTER_DENIED, false},
        {FAULT("InvalidLocale"), GC_E_FAILED, false},
        {STALE, GC_E_UNAVAILABLE, false},
        {{.status = 401}, GC_E_UNAVAILABLE, false},
        {{.status = 503}, GC_E_UNAVAILABLE, true},
        {JSON(200, USER_SESSION), GC_E_PROTOCOL, false},
        {NOTHING, GC_E_PROTOCOL, false},
        {LOST, GC_E_UNAVAILABLE, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        anew();
        WIRE(JSON(200, "{\"api_release\":\"8.0.3.0\"}"), JSON(200, CONTENT),
             cases[i].canned);
        assert_int_equal(gc_session_open(session, UNTIL(1), &err), cases[i].st);
        assert_int_equal(err.again, cases[i].again);
        assert_null(strstr(err.message, "pa55"));
        assert_null(strstr(err.hint, "pa55"));
        assert_int_equal(gc_session_id(session)->len, 0);
        /* What is known of the server is not asked again. */
        WIRE(LOGIN("id-2"));
        assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
    }
}

static void
a_session_of_another_kind_is_logged_out(void **state)
{
    static const char *const bodies[] = {"{\"_typeName\":\"Folder\"}",
                                         "{\"_typeName\":null}", "null", "[]"};

    int64_t before = gc_clock_now();

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bodies); i++) {
        opened();
        WIRE({.status = 200,
              .type = GC_HTTP_JSON,
              .body = bodies[i],
              .session = "odd"},
             NOTHING);
        assert_int_equal(gc_session_relogin(session, UNTIL(1000), &err),
                         GC_E_PROTOCOL);
        assert_seen(1, LOGOUT_PATH, "{}", "odd");
        assert_cleanup(1, before);
        assert_int_equal(gc_session_id(session)->len, 0);
    }
}

/* The header came, and then the wire broke, or a proxy answered. */
static void
a_session_of_a_bad_login_reply_is_logged_out(void **state)
{
    static const struct outcome cases[] = {
        {{.status = 200,
          .type = GC_HTTP_JSON,
          .body = "{\"_type",
          .session = "odd",
          .st = GC_E_UNAVAILABLE},
         GC_E_UNAVAILABLE,
         false},
        {{.status = 200, .session = "odd", .st = GC_E_PROTOCOL},
         GC_E_PROTOCOL,
         false},
        {{.status = 200, .session = "odd", .st = GC_E_CANCELED},
         GC_E_CANCELED,
         false},
        {{.status = 200,
          .type = GC_HTTP_JSON,
          .body = "{\"_type",
          .session = "odd"},
         GC_E_PROTOCOL,
         false},
        {{.status = 502, .session = "odd"}, GC_E_UNAVAILABLE, false},
        {{.status = 401, .session = "odd"}, GC_E_UNAVAILABLE, false},
    };
    int64_t before = gc_clock_now();

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        opened();
        WIRE(cases[i].canned, NOTHING);
        assert_int_equal(gc_session_relogin(session, UNTIL(1000), &err),
                         cases[i].st);
        assert_int_equal(wire.seen_count, 2);
        assert_seen(1, LOGOUT_PATH, "{}", "odd");
        assert_cleanup(1, before);
        assert_int_equal(gc_session_id(session)->len, 0);
    }
}

static void
the_password_is_not_told(void **state)
{
    (void)state;
    opened();
    keeper.password = "hunter2";
    keeper.len = 7;
    WIRE(JSON(500, "{\"_typeName\":\"SystemError\",\"faultstring\":\"what is "
                   "hunter2?\",\"reason\":\"hunter2\"}"));
    assert_int_equal(gc_session_relogin(session, UNTIL(1), &err), GC_E_FAILED);
    assert_non_null(strstr(err.message, "[...]"));
    assert_null(strstr(err.message, "hunter"));
    assert_null(strstr(err.hint, "hunter"));
}

static void
a_password_that_is_none_stays_here(void **state)
{
    static const struct gc_session_login nobody = {.password = give_password};

    (void)state;
    opened();
    keeper.st = GC_E_CANCELED;
    assert_int_equal(gc_session_relogin(session, UNTIL(1), &err),
                     GC_E_CANCELED);
    keeper.st = GC_OK;
    keeper.password = "ab\0cd";
    keeper.len = 5;
    assert_int_equal(gc_session_relogin(session, UNTIL(1), &err), GC_E_CONFIG);

    gc_session_free(session);
    keeper.len = 2;
    assert_int_equal(gc_session_new(fake_http(), &nobody, &session, NULL),
                     GC_OK);
    WIRE(JSON(200, "{\"api_release\":\"8.0.3.0\"}"), JSON(200, CONTENT));
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_E_CONFIG);
}

/*
 * Calling
 */

static struct gc_session_reply reply;

static gc_status
read_name(const char *moid)
{
    const struct gc_session_call call = {.type = "VirtualMachine",
                                         .moid = moid,
                                         .member = "name",
                                         .limit = UNTIL(99),
                                         .cancel_grace = 7};

    return gc_session_call(session, &call, &reply, &err);
}

static gc_status
power_off(bool no_login)
{
    GC_AUTO_PTR(gc_json) body = gc_json_new_object();
    const struct gc_session_call call = {.type = "VirtualMachine",
                                         .moid = "vm-42",
                                         .member = "PowerOff",
                                         .body = body,
                                         .no_login = no_login,
                                         .limit = UNTIL(99)};

    gc_session_add_moref(body, "host", "HostSystem", "host-9");
    return gc_session_call(session, &call, &reply, &err);
}

#define NAME_PATH  "/sdk/vim25/8.0.3.0/VirtualMachine/vm-42/name"
#define POWER_PATH "/sdk/vim25/8.0.3.0/VirtualMachine/vm-42/PowerOff"
#define POWER_BODY                                                             \
    "{\"host\":{\"_typeName\":\"ManagedObjectReference\",\"type\":"            \
    "\"HostSystem\",\"value\":\"host-9\"}}"

static void
a_call_is_a_get_or_a_post(void **state)
{
    (void)state;
    opened();
    WIRE(JSON(200, "\"web\""), NOTHING);
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_seen(0, NAME_PATH, NULL, "id-1");
    assert_until(0, 99);
    assert_int_equal(wire.seen[0].cancel_grace, 7);
    assert_false(reply.is_fault);
    assert_true(reply.sent);
    assert_int_equal(reply.http_status, 200);
    assert_string_equal(gc_json_text(reply.root), "web");
    assert_string_equal(gc_bytes_text(&reply.text), "\"web\"");

    assert_int_equal(power_off(false), GC_OK);
    assert_seen(1, POWER_PATH, POWER_BODY, "id-1");
    assert_false(reply.is_fault);
    assert_null(reply.root);
    gc_session_reply_clear(&reply);
}

static void
a_call_opens_the_session(void **state)
{
    (void)state;
    WIRE(JSON(200, "{\"api_release\":\"8.0.3.0\"}"), JSON(200, CONTENT),
         LOGIN("id-1"), JSON(200, "\"web\""));
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_seen(3, NAME_PATH, NULL, "id-1");
    gc_session_reply_clear(&reply);

    anew();
    WIRE(REFUSED);
    assert_int_equal(read_name("vm-42"), GC_E_UNAVAILABLE);
    assert_true(err.again);
    assert_false(reply.sent);
}

static void
a_moid_cannot_leave_its_place(void **state)
{
    static const char *const bad[] = {"", ".", "..", "a/b", "a\nb", "\x7f"};
    char longest[GC_MOID_SIZE + 1];

    (void)state;
    opened();
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        assert_int_equal(read_name(bad[i]), GC_E_CONFIG);
    memset(longest, '%', sizeof(longest));
    longest[GC_MOID_SIZE] = '\0';
    assert_int_equal(read_name(longest), GC_E_CONFIG);

    WIRE(JSON(200, "\"web\""), JSON(200, "\"web\""));
    assert_int_equal(read_name("a?b#c %2f\xc3\xa9~_-."), GC_OK);
    assert_seen(0,
                "/sdk/vim25/8.0.3.0/VirtualMachine/"
                "a%3Fb%23c%20%252f%C3%A9~_-./name",
                NULL, "id-1");
    longest[GC_MOID_SIZE - 1] = '\0';
    assert_int_equal(read_name(longest), GC_OK);
    assert_int_equal(strlen(wire.seen[1].path),
                     strlen("/sdk/vim25/8.0.3.0/VirtualMachine//name")
                         + 3 * (GC_MOID_SIZE - 1));
    gc_session_reply_clear(&reply);
}

static void
nothing_has_many_forms(void **state)
{
    static const struct canned cases[] = {
        NOTHING,           JSON(200, ""),
        {.status = 200},   {.status = 200, .type = GC_HTTP_HTML, .body = ""},
        JSON(200, "null"), JSON(200, " null\n"),
    };

    (void)state;
    opened();
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        wire_say(&cases[i], 1);
        assert_int_equal(read_name("vm-42"), GC_OK);
        assert_false(reply.is_fault);
        assert_null(reply.root);
        gc_session_reply_clear(&reply);
    }
}

static void
a_fault_is_an_answer(void **state)
{
    (void)state;
    opened();
    WIRE(JSON(500, "{\n  \"faultstring\": \"a\\/b\",\r\n \"unknown\":[1,{}],"
                   "\"faultCause\":null,\"_typeName\" :\"TaskInProgress\"}"));
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_true(reply.is_fault);
    assert_string_equal(reply.fault.name, "TaskInProgress");
    assert_string_equal(reply.fault.text, "a/b");
    assert_non_null(reply.root);
    assert_int_equal(reply.http_status, 500);
    gc_session_reply_clear(&reply);
}

#define DEEP "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["

static void
other_replies_are_refused(void **state)
{
    static const struct outcome cases[] = {
        {JSON(200, "{\"ticket\":\"a\\u0000b\"}"), GC_E_PROTOCOL, false},
        {JSON(200, "{\"ticket\":\"\xff\"}"), GC_E_PROTOCOL, false},
        {JSON(200, "{\"ticket\":\"a\",\"ticket\":\"a\"}"), GC_E_PROTOCOL,
         false},
        {JSON(200, DEEP), GC_E_PROTOCOL, false},
        {JSON(200, "{\"ticket\":\"a"), GC_E_PROTOCOL, false},
        {JSON(200, "{\"ticket\":\"a\"}}"), GC_E_PROTOCOL, false},
        {JSON(200, " "), GC_E_PROTOCOL, false},
        {JSON(200, "ticket"), GC_E_PROTOCOL, false},
        {{.status = 200, .body = "{}"}, GC_E_PROTOCOL, false},
        {{.status = 200, .type = GC_HTTP_HTML, .body = "{}"},
         GC_E_PROTOCOL,
         false},
        {{.status = 200, .type = GC_HTTP_OTHER, .body = "{}"},
         GC_E_PROTOCOL,
         false},
        {{.status = 200, .type = GC_HTTP_XML, .body = "<x/>"},
         GC_E_PROTOCOL,
         false},
        {JSON(201, "{}"), GC_E_PROTOCOL, false},
        {JSON(400, "{}"), GC_E_PROTOCOL, false},
        {JSON(403, "{}"), GC_E_PROTOCOL, false},
        {{.status = 404, .type = GC_HTTP_HTML, .body = "no"},
         GC_E_PROTOCOL,
         false},
        {JSON(404, "{\"_typeName\":\"ManagedObjectNotFound\"}"), GC_E_PROTOCOL,
         false},
        {JSON(500, "{}"), GC_E_PROTOCOL, false},
        {JSON(500, "{\"_typeName\":1}"), GC_E_PROTOCOL, false},
        {JSON(500, "{\"_typeName\":\"\"}"), GC_E_PROTOCOL, false},
        {JSON(500, "null"), GC_E_PROTOCOL, false},
        {JSON(500, "[{\"_typeName\":\"InvalidGuestLogin\"}]"), GC_E_PROTOCOL,
         false},
        {JSON(500, ""), GC_E_PROTOCOL, false},
        {{.status = 500,
          .type = GC_HTTP_OTHER,
          .body = "{\"_typeName\":\"InvalidGuestLogin\"}"},
         GC_E_PROTOCOL,
         false},
        {{.status = 500, .type = GC_HTTP_HTML, .body = "<html>"},
         GC_E_PROTOCOL,
         false},
        {{.status = 500, .type = GC_HTTP_XML, .body = "<x/>"},
         GC_E_NOT_SUPPORTED,
         false},
        {JSON(501, "{}"), GC_E_PROTOCOL, false},
        {{.status = 502, .type = GC_HTTP_HTML, .body = "ticket"},
         GC_E_UNAVAILABLE,
         false},
        {{.status = 503, .type = GC_HTTP_HTML, .body = "ticket"},
         GC_E_UNAVAILABLE,
         true},
        {{.status = 504}, GC_E_UNAVAILABLE, false},
        {{.status = 300}, GC_E_UNTRUSTED, false},
        {{.status = 302}, GC_E_UNTRUSTED, false},
        {{.status = 308}, GC_E_UNTRUSTED, false},
        {{.status = 200,
          .type = GC_HTTP_JSON,
          .body = "{\"tic",
          .st = GC_E_UNAVAILABLE},
         GC_E_UNAVAILABLE,
         false},
        {{.status = 200, .type = GC_HTTP_JSON, .st = GC_E_PROTOCOL},
         GC_E_PROTOCOL,
         false},
        {REFUSED, GC_E_UNAVAILABLE, true},
    };

    (void)state;
    opened();
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        const struct canned *c = &cases[i].canned;

        wire_say(c, 1);
        assert_int_equal(power_off(false), cases[i].st);
        assert_int_equal(err.status, cases[i].st);
        assert_int_equal(err.again, cases[i].again);
        assert_non_null(strstr(err.message, VC));
        assert_null(strstr(err.message, "ticket"));
        /* Kept for whoever must look for a ticket in it. */
        assert_string_equal(gc_bytes_text(&reply.text),
                            c->body != NULL ? c->body : "");
        assert_int_equal(reply.http_status, c->status);
        assert_int_equal(reply.sent, !c->unsent);
        gc_session_reply_clear(&reply);
    }
}

/*
 * NotAuthenticated
 */

static void
a_stale_session_is_healed_once(void **state)
{
    static const struct canned stale[] = {
        STALE, {.status = 401, .type = GC_HTTP_HTML, .body = "<html>"}};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(stale); i++) {
        opened();
        WIRE(stale[i], LOGIN("id-2"), NOTHING);
        assert_int_equal(power_off(false), GC_OK);
        assert_seen(0, POWER_PATH, POWER_BODY, "id-1");
        assert_seen(1, LOGIN_PATH, LOGIN_BODY, "");
        assert_seen(2, POWER_PATH, POWER_BODY, "id-2");
        assert_string_equal(gc_bytes_text(gc_session_id(session)), "id-2");

        WIRE(stale[i], LOGIN("id-3"), stale[1 - i]);
        assert_int_equal(power_off(false), GC_E_UNAVAILABLE);
        assert_string_equal(err.fault, "NotAuthenticated");
        assert_false(err.again);
        assert_int_equal(wire.seen_count, 3);

        /* Every call may be healed, not only the first. */
        WIRE(stale[i], LOGIN("id-4"), NOTHING);
        assert_int_equal(power_off(false), GC_OK);
        gc_session_reply_clear(&reply);
    }
}

static void
a_refused_healing_is_told(void **state)
{
    (void)state;
    opened();
    WIRE(STALE, FAULT("InvalidLogin"));
    assert_int_equal(power_off(false), GC_E_VCENTER_DENIED);
    assert_string_equal(err.fault, "InvalidLogin");
    assert_null(reply.root);
    assert_int_equal(gc_session_id(session)->len, 0);
}

static void
healing_can_be_left_to_the_caller(void **state)
{
    static const struct canned stale[] = {STALE, {.status = 401}};

    (void)state;
    opened();
    for (size_t i = 0; i < GC_COUNT_OF(stale); i++) {
        wire_say(&stale[i], 1);
        assert_int_equal(power_off(true), GC_OK);
        assert_true(reply.is_fault);
        assert_string_equal(reply.fault.name, "NotAuthenticated");
        assert_int_equal(wire.seen_count, 1);
        gc_session_reply_clear(&reply);
    }
}

static void
the_id_may_be_issued_anew(void **state)
{
    (void)state;
    opened();
    WIRE({.status = 200,
          .type = GC_HTTP_JSON,
          .body = "\"web\"",
          .session = "id-2"},
         {.status = 500,
          .type = GC_HTTP_JSON,
          .body = "{\"_typeName\":\"TaskInProgress\"}",
          .session = "id-3"},
         {.status = 401, .session = "id-4"}, {.status = 503, .session = "id-5"},
         NOTHING);
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_string_equal(wire.seen[1].session, "id-2");
    /* Nobody's, and no answer of the API: neither counts. */
    assert_int_equal(power_off(true), GC_OK);
    assert_string_equal(wire.seen[2].session, "id-3");
    assert_int_equal(power_off(true), GC_E_UNAVAILABLE);
    assert_int_equal(power_off(true), GC_OK);
    assert_string_equal(wire.seen[4].session, "id-3");
    gc_session_reply_clear(&reply);
}

/*
 * Logging out
 */

static void
logout_forgets_the_id(void **state)
{
    static const struct outcome cases[] = {
        {NOTHING, GC_OK, false},
        {STALE, GC_OK, false},
        {{.status = 401}, GC_OK, false},
        {FAULT("SystemError"), GC_E_FAILED, false},
        {LOST, GC_E_UNAVAILABLE, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        opened();
        wire_say(&cases[i].canned, 1);
        assert_int_equal(gc_session_logout(session, UNTIL(5), &err),
                         cases[i].st);
        assert_seen(0, LOGOUT_PATH, "{}", "id-1");
        assert_int_equal(wire.seen[0].cancel_grace, GC_SESSION_GRACE_MS);
        assert_int_equal(gc_session_id(session)->len, 0);
        assert_int_equal(gc_session_logout(session, UNTIL(5), &err), GC_OK);
        assert_int_equal(wire.seen_count, 1);
        assert_int_equal(keeper.asked, 0);
    }
    anew();
    assert_int_equal(gc_session_logout(session, UNTIL(5), &err), GC_OK);
}

/*
 * Adopting
 */

static const struct gc_vc_info kept = {.release = "8.0.3.0",
                                       .instance_uuid = UUID,
                                       .session_manager = "SessionManager",
                                       .search_index = "SearchIndex",
                                       .guest_operations_manager = "gom",
                                       .auth_manager = "gam"};

#define NAME_9    "/sdk/vim25/9.0.0.0/VirtualMachine/vm-42/name"
#define CONTENT_9 "/sdk/vim25/9.0.0.0/ServiceInstance/ServiceInstance/content"
#define LACKS(moid)                                                            \
    JSON(500, "{\"_typeName\":\"ManagedObjectNotFound\",\"obj\":{"             \
              "\"type\":\"X\",\"value\":\"" moid "\"}}")

static gc_status
adopt(const struct gc_vc_info *facts, const char *id)
{
    GC_AUTO(gc_bytes) bytes = {0};

    assert_int_equal(gc_bytes_set(&bytes, id, strlen(id), NULL), GC_OK);
    return gc_session_adopt(session, facts, &bytes, &err);
}

static void
what_was_kept_saves_requests(void **state)
{
    (void)state;
    assert_int_equal(adopt(&kept, "old"), GC_OK);
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
    assert_memory_equal(gc_session_vc_info(session), &kept, sizeof(kept));
    WIRE(JSON(200, "\"web\""));
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_seen(0, NAME_PATH, NULL, "old");
    gc_session_reply_clear(&reply);

    anew();
    assert_int_equal(adopt(&(const struct gc_vc_info){0}, ""), GC_OK);
    WIRE(HELLO_9, JSON(200, CONTENT), LOGIN("new"));
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
}

static void
a_login_does_not_trust_what_was_kept(void **state)
{
    struct gc_vc_info half = kept;

    (void)state;
    assert_int_equal(adopt(&kept, "old"), GC_OK);
    WIRE(STALE, HELLO_9, JSON(200, CONTENT), LOGIN("new"), JSON(200, "\"web\""),
         STALE, LOGIN("newer"), JSON(200, "\"web\""));
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_seen(0, NAME_PATH, NULL, "old");
    assert_seen(1, "/api/vcenter/system?action=hello", HELLO, "");
    assert_seen(2, CONTENT_9, NULL, "");
    assert_seen(4, NAME_9, NULL, "new");
    assert_string_equal(gc_session_vc_info(session)->auth_manager, "");
    /* From then on they are our own. */
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_int_equal(wire.seen_count, 8);
    gc_session_reply_clear(&reply);

    anew();
    assert_int_equal(adopt(&kept, ""), GC_OK);
    WIRE(HELLO_9, JSON(200, CONTENT), LOGIN("new"));
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);

    /* As long as it fails they are kept, and not believed. */
    anew();
    assert_int_equal(adopt(&kept, ""), GC_OK);
    WIRE(HELLO_9, LOST, HELLO_9, JSON(200, CONTENT), LOGIN("new"));
    assert_int_equal(gc_session_open(session, UNTIL(1), &err),
                     GC_E_UNAVAILABLE);
    assert_memory_equal(gc_session_vc_info(session), &kept, sizeof(kept));
    assert_int_equal(keeper.asked, 0);
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);

    anew();
    half.session_manager[0] = '\0';
    assert_int_equal(adopt(&half, "old"), GC_OK);
    WIRE(HELLO_9, JSON(200, CONTENT));
    assert_int_equal(gc_session_open(session, UNTIL(1), &err), GC_OK);
}

/* The same names may mean other VMs there. */
static void
another_vcenter_is_not_asked_the_same(void **state)
{
    struct gc_vc_info other = kept;

    (void)state;
    (void)snprintf(other.instance_uuid, sizeof(other.instance_uuid), "0-1");
    for (int i = 0; i < 3; i++) {
        anew();
        assert_int_equal(adopt(&other, "old"), GC_OK);
        if (i == 2)
            WIRE(LACKS("gam"), HELLO_9, JSON(200, CONTENT));
        else
            WIRE(STALE, HELLO_9, JSON(200, CONTENT), LOGIN("new"));
        assert_int_equal(i == 1 ? power_off(false) : read_name("vm-42"),
                         GC_E_UNAVAILABLE);
        assert_int_equal(err.again, i != 1);
        assert_non_null(strstr(err.message, "0-1"));
        assert_string_equal(gc_session_vc_info(session)->instance_uuid, UUID);
        gc_session_reply_clear(&reply);
    }
}

static void
what_was_kept_and_is_wrong_is_read_anew(void **state)
{
    static const char *const ours[] = {"SessionManager", "SearchIndex", "gom",
                                       "gam"};
    static const struct canned gone = {.status = 404};
    static const struct canned lacks[] = {LACKS("SessionManager"),
                                          LACKS("SearchIndex"),
                                          LACKS("gom"),
                                          LACKS("gam"),
                                          {.status = 404}};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(lacks); i++) {
        anew();
        assert_int_equal(adopt(&kept, "old"), GC_OK);
        WIRE(lacks[i], HELLO_9, JSON(200, CONTENT), JSON(200, "\"web\""));
        assert_int_equal(read_name("vm-42"), GC_OK);
        assert_seen(3, NAME_9, NULL, "old");
        gc_session_reply_clear(&reply);

        /* Once: what is found now is no hearsay. */
        anew();
        assert_int_equal(adopt(&kept, "old"), GC_OK);
        WIRE(lacks[i], HELLO_9, JSON(200, CONTENT), i < 3 ? lacks[i] : gone);
        assert_int_equal(read_name("vm-42"), GC_E_PROTOCOL);
        assert_null(strstr(err.hint, "moId"));
        assert_string_equal(err.fault, i < 3 ? "ManagedObjectNotFound" : "");
        if (i < 3)
            assert_non_null(strstr(err.message, ours[i]));
        gc_session_reply_clear(&reply);
    }
    /* The VM's absence is the VM's. */
    anew();
    assert_int_equal(adopt(&kept, "old"), GC_OK);
    WIRE(LACKS("vm-42"));
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_true(reply.is_fault);
    gc_session_reply_clear(&reply);
}

/* A fault says that nothing was done; a 404 may say anything. */
static void
what_may_have_happened_is_not_repeated(void **state)
{
    (void)state;
    assert_int_equal(adopt(&kept, "old"), GC_OK);
    WIRE({.status = 404}, HELLO_9, JSON(200, CONTENT), JSON(200, "\"web\""),
         JSON(200, "\"web\""));
    assert_int_equal(power_off(false), GC_E_PROTOCOL);
    assert_int_equal(wire.seen_count, 1);
    /* The next call finds out. */
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_seen(3, NAME_9, NULL, "old");
    assert_int_equal(read_name("vm-42"), GC_OK);
    assert_int_equal(wire.seen_count, 5);
    gc_session_reply_clear(&reply);

    anew();
    assert_int_equal(adopt(&kept, "old"), GC_OK);
    WIRE(LACKS("SessionManager"), HELLO_9, JSON(200, CONTENT), NOTHING);
    assert_int_equal(power_off(false), GC_OK);
    assert_int_equal(wire.seen_count, 4);
    gc_session_reply_clear(&reply);
}

static void
what_the_call_needs_may_be_gone(void **state)
{
    const struct gc_session_call call = {
        .type = "GuestAuthManager",
        .moid = gc_session_vc_info(session)->auth_manager,
        .member = "x",
        .limit = UNTIL(9)};

    (void)state;
    assert_int_equal(adopt(&kept, "old"), GC_OK);
    WIRE(LACKS("gam"), HELLO_9, JSON(200, CONTENT));
    assert_int_equal(gc_session_call(session, &call, &reply, &err),
                     GC_E_NOT_SUPPORTED);
    assert_true(reply.forgotten);
    gc_session_reply_clear(&reply);
}

static void
what_was_kept_is_checked(void **state)
{
    static const char *const ids[] = {"a b", "a\r\nb: c", "\x7f"};
    struct gc_vc_info bad[9];
    char id[300];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        bad[i] = kept;
    (void)snprintf(bad[0].release, sizeof(bad[0].release), "7.0.0.0");
    memset(bad[1].release, '8', sizeof(bad[1].release));
    (void)snprintf(bad[2].instance_uuid, sizeof(bad[2].instance_uuid), "x/y");
    memset(bad[3].instance_uuid, 'a', sizeof(bad[3].instance_uuid));
    (void)snprintf(bad[4].session_manager, GC_MOID_SIZE, "a/b");
    (void)snprintf(bad[5].search_index, GC_MOID_SIZE, "..");
    memset(bad[6].guest_operations_manager, 'a', GC_MOID_SIZE);
    (void)snprintf(bad[7].auth_manager, GC_MOID_SIZE, "a\tb");
    memset(bad[8].auth_manager, 'a', GC_MOID_SIZE);
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        assert_int_equal(adopt(&bad[i], "old"), GC_E_PROTOCOL);
    for (size_t i = 0; i < GC_COUNT_OF(ids); i++)
        assert_int_equal(adopt(&kept, ids[i]), GC_E_PROTOCOL);
    memset(id, 'x', sizeof(id));
    id[257] = '\0';
    assert_int_equal(adopt(&kept, id), GC_E_PROTOCOL);
    assert_string_equal(gc_session_vc_info(session)->release, "");
    assert_int_equal(gc_session_id(session)->len, 0);
    id[256] = '\0';
    assert_int_equal(adopt(&kept, id), GC_OK);
}

/*
 * MoRefs
 */

static void
morefs_are_read_as_they_come(void **state)
{
    static const struct {
        const char *text;
        const char *type; /* NULL: none */
        const char *moid;
    } cases[] = {
        {"{\"_typeName\":\"ManagedObjectReference\",\"type\":\"A\","
         "\"value\":\"b\"}",
         "A", "b"},
        {"{\"value\":\"b\",\"type\":\"A\",\"serverGuid\":null}", "A", "b"},
        {"{\"value\":\"b\",\"type\":\"A\",\"_typeName\":null}", NULL, NULL},
        {"{\"value\":\"b\",\"type\":\"A\",\"_typeName\":\"VM\"}", NULL, NULL},
        {"{\"value\":\"b\",\"type\":\"\"}", NULL, NULL},
        {"{\"value\":\"b\"}", NULL, NULL},
        {"{\"type\":\"A\"}", NULL, NULL},
        {"{\"type\":\"A\",\"value\":7}", NULL, NULL},
        {"{\"type\":\"A\",\"value\":\"\"}", NULL, NULL},
        {"{\"type\":\"0123456789012345678901234567890123456789012345678901234"
         "567890123456789\",\"value\":\"b\"}",
         NULL, NULL},
        {"\"A:b\"", NULL, NULL},
        {"[]", NULL, NULL},
    };
    char type[64], moid[GC_MOID_SIZE];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        GC_AUTO_PTR(gc_json) root = NULL;

        assert_int_equal(
            gc_json_parse(cases[i].text, strlen(cases[i].text), &root, NULL),
            GC_OK);
        assert_int_equal(gc_session_moref(root, type, moid),
                         cases[i].type != NULL);
        if (cases[i].type == NULL)
            continue;
        assert_string_equal(type, cases[i].type);
        assert_string_equal(moid, cases[i].moid);
        assert_true(gc_session_moref(root, NULL, moid));
    }
    assert_false(gc_session_moref(NULL, type, moid));
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(opening_takes_three_requests),
        TEST(a_hello_that_fails_means_8_0_1),
        TEST(every_release_that_we_offer_is_taken),
        TEST(without_a_release_or_a_reply_nothing_goes_on),
        TEST(hello_is_said_again_after_content_failed),
        TEST(content_is_read_strictly),
        TEST(content_may_lack_what_is_not_needed),
        TEST(types_may_be_unsaid),
        TEST(login_is_read_strictly),
        TEST(a_session_of_another_kind_is_logged_out),
        TEST(a_session_of_a_bad_login_reply_is_logged_out),
        TEST(the_password_is_not_told),
        TEST(a_password_that_is_none_stays_here),
        TEST(a_call_is_a_get_or_a_post),
        TEST(a_call_opens_the_session),
        TEST(a_moid_cannot_leave_its_place),
        TEST(nothing_has_many_forms),
        TEST(a_fault_is_an_answer),
        TEST(other_replies_are_refused),
        TEST(a_stale_session_is_healed_once),
        TEST(a_refused_healing_is_told),
        TEST(healing_can_be_left_to_the_caller),
        TEST(the_id_may_be_issued_anew),
        TEST(logout_forgets_the_id),
        TEST(what_was_kept_saves_requests),
        TEST(a_login_does_not_trust_what_was_kept),
        TEST(another_vcenter_is_not_asked_the_same),
        TEST(what_was_kept_and_is_wrong_is_read_anew),
        TEST(what_may_have_happened_is_not_repeated),
        TEST(what_the_call_needs_may_be_gone),
        TEST(what_was_kept_is_checked),
        TEST(morefs_are_read_as_they_come),
    };

    return cmocka_run_group_tests_name("session", tests, NULL, NULL);
}
