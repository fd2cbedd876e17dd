/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Acquire, Release and Validate over a played wire: every fault on every call,
 * every shape of sessionID, what is tolerated, what is refused, and that no
 * ticket which reached us is left behind.
 */

#include <config.h>

#include "src/vim/auth_manager.h"

#include "gss/initiator.h"
#include "src/base/clock.h"
#include "tests/unit/fake_http.h"

#define GAM        "/sdk/vim25/8.0.3.0/GuestAuthManager/gam/"
#define ACQUIRE    GAM "AcquireCredentialsInGuest"
#define RELEASE    GAM "ReleaseCredentialsInGuest"
#define VALIDATE   GAM "ValidateCredentialsInGuest"
#define LOGIN_PATH "/sdk/vim25/8.0.3.0/SessionManager/sm/Login"
#define VM                                                                     \
    "\"vm\":{\"_typeName\":\"ManagedObjectReference\",\"type\":"               \
    "\"VirtualMachine\",\"value\":\"vm-42\"}"
#define WITH_TICKET(ticket)                                                    \
    "{" VM ",\"auth\":{\"_typeName\":\"TicketedSessionAuthentication\","       \
    "\"interactiveSession\":false,\"ticket\":\"" ticket "\"}}"
#define TICKET(ticket)                                                         \
    JSON(200, "{\"_typeName\":\"TicketedSessionAuthentication\","              \
              "\"interactiveSession\":false,\"ticket\":\"" ticket "\"}")
#define CHALLENGE(token, id)                                                   \
    JSON(500, "{\"_typeName\":\"GuestAuthenticationChallenge\","               \
              "\"faultstring\":\"go on\",\"serverChallenge\":{\"_typeName\":"  \
              "\"SSPIAuthentication\",\"interactiveSession\":false,"           \
              "\"sspiToken\":\"" token "\"},\"sessionID\":" id "}")
#define LOGIN(id)                                                              \
    {                                                                          \
        .status = 200, .type = GC_HTTP_JSON,                                   \
        .body = "{\"_typeName\":\"UserSession\"}", .session = (id)             \
    }
#define DEADLINE 5000000

/* A secret: no message may hold it. */
#define STRAY "dGhlIHRpY2tldCB0aGF0IHdlbnQgYXN0cmF5"

/* What an adopted session finds when it looks again. */
#define HELLO JSON(200, "{\"api_release\":\"8.0.3.0\"}")
#define CONTENT                                                                \
    JSON(200, "{\"_typeName\":\"ServiceContent\",\"sessionManager\":{"         \
              "\"type\":\"SessionManager\",\"value\":\"sm\"},"                 \
              "\"guestOperationsManager\":{\"type\":"                          \
              "\"GuestOperationsManager\",\"value\":\"gom\"}}")
#define MANAGER(moid)                                                          \
    JSON(200, "{\"type\":\"GuestAuthManager\",\"value\":\"" moid "\"}")
#define GONE(more)                                                             \
    JSON(500, "{\"_typeName\":\"ManagedObjectNotFound\",\"obj\":{\"type\":"    \
              "\"GuestAuthManager\",\"value\":\"gam\"}" more "}")
#define FIND  "/sdk/vim25/8.0.3.0/GuestOperationsManager/gom/authManager"
#define GAM_2 "/sdk/vim25/8.0.3.0/GuestAuthManager/gam-2/"

static gc_status
give_password(void *user, struct gc_bytes *ret_password, struct gc_error *err)
{
    (void)user;
    return gc_bytes_set(ret_password, "secret", 6, err);
}

static const struct gc_session_login login = {.username = "svc",
                                              .password = give_password};
static struct gc_session *session;
static struct gc_exchange exchange;
static struct gc_bytes said;
static enum gc_leg leg;
static struct gc_error err;

/* A session that is open, and knows its GuestAuthManager unless GAM is "". */
static void
open_session(const char *gam)
{
    struct gc_vc_info facts = {.release = "8.0.3.0",
                               .session_manager = "sm",
                               .guest_operations_manager = "gom"};
    GC_AUTO(gc_bytes) id = {0};

    gc_session_free(session);
    session = NULL;
    (void)snprintf(facts.auth_manager, sizeof(facts.auth_manager), "%s", gam);
    assert_int_equal(gc_bytes_set(&id, "id-1", 4, NULL), GC_OK);
    assert_int_equal(gc_session_new(fake_http(), &login, &session, NULL),
                     GC_OK);
    assert_int_equal(gc_session_adopt(session, &facts, &id, NULL), GC_OK);
    gc_exchange_clear(&exchange);
    exchange = (struct gc_exchange){
        .session = session, .vm = "vm-42", .limit = UNTIL(DEADLINE)};
    memset(&err, 0, sizeof(err));
    gc_bytes_clear(&said);
    wire_say(NULL, 0);
}

static int
begin(void **state)
{
    (void)state;
    open_session("gam");
    return 0;
}

static int
end(void **state)
{
    (void)state;
    gc_session_free(session);
    session = NULL;
    gc_exchange_clear(&exchange);
    gc_bytes_clear(&said);
    wire_say(NULL, 0);
    return 0;
}

static gc_status
send_leg(const char *token)
{
    GC_AUTO(gc_bytes) bytes = {0};

    assert_int_equal(gc_bytes_set(&bytes, token, strlen(token), NULL), GC_OK);
    return gc_auth_manager_leg(&exchange, &bytes, &leg, &said, &err);
}

/* Has ERR a message, and nothing secret in it? */
static void
assert_told(gc_status st)
{
    assert_int_equal(err.status, st);
    assert_true(err.message[0] != '\0');
    assert_null(strstr(err.message, STRAY));
    assert_null(strstr(err.hint, STRAY));
    assert_null(strstr(err.message, "dG9rZW4"));
}

/*
 * Finding the manager
 */

static void
the_manager_is_looked_up_once(void **state)
{
    (void)state;
    open_session("");
    WIRE(JSON(200, "{\"type\":\"GuestAuthManager\",\"value\":\"gam\"}"),
         CHALLENGE("", "1"), TICKET("t"));
    assert_int_equal(send_leg("token"), GC_OK);
    assert_seen(0, "/sdk/vim25/8.0.3.0/GuestOperationsManager/gom/authManager",
                NULL, "id-1");
    assert_int_equal(send_leg("token"), GC_OK);
    assert_string_equal(wire.seen[2].path, ACQUIRE);
    assert_string_equal(gc_session_vc_info(session)->auth_manager, "gam");
    assert_int_equal(exchange.legs, 2);
}

static void
without_a_manager_there_is_no_login(void **state)
{
    static const struct {
        struct canned canned;
        gc_status st;
    } cases[] = {
        {NOTHING, GC_E_NOT_SUPPORTED},
        {JSON(200, "null"), GC_E_NOT_SUPPORTED},
        {JSON(200, "{\"type\":\"GuestFileManager\",\"value\":\"x\"}"),
         GC_E_PROTOCOL},
        {JSON(200, "{\"type\":\"GuestAuthManager\",\"value\":\"../x\"}"),
         GC_E_PROTOCOL},
        {JSON(200, "\"gam\""), GC_E_PROTOCOL},
        {FAULT("NoPermission"), GC_E_VCENTER_DENIED},
        {{.status = 500, .type = GC_HTTP_XML, .body = "<x/>"},
         GC_E_NOT_SUPPORTED},
        {LOST, GC_E_UNAVAILABLE},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        open_session("");
        wire_say(&cases[i].canned, 1);
        assert_int_equal(send_leg("token"), cases[i].st);
        /* No Acquire went out: no ticket can be on the loose. */
        assert_null(strstr(err.message, "may exist"));
    }
    open_session("");
    gc_session_vc_info(session)->guest_operations_manager[0] = '\0';
    assert_int_equal(send_leg("token"), GC_E_NOT_SUPPORTED);
    assert_int_equal(wire.seen_count, 0);
}

/*
 * Legs
 */

static void
a_leg_says_what_the_page_says(void **state)
{
    (void)state;
    WIRE(CHALLENGE("bmV4dA==", "-7"), CHALLENGE("", "8"), TICKET("t"));
    assert_int_equal(send_leg("token"), GC_OK);
    assert_int_equal(leg, GC_LEG_CHALLENGE);
    assert_string_equal(gc_bytes_text(&said), "next");
    assert_seen(0, ACQUIRE,
                "{" VM ",\"requestedAuth\":{\"_typeName\":"
                "\"SSPIAuthentication\",\"interactiveSession\":false,"
                "\"sspiToken\":\"dG9rZW4=\"}}",
                "id-1");
    assert_until(0, DEADLINE);
    /* A ticket that is on its way is not lost to a cancel. */
    assert_int_equal(wire.seen[0].cancel_grace, 3000);

    assert_int_equal(send_leg("more"), GC_OK);
    assert_int_equal(leg, GC_LEG_CHALLENGE);
    assert_int_equal(said.len, 0);
    assert_seen(1, ACQUIRE,
                "{" VM ",\"requestedAuth\":{\"_typeName\":"
                "\"SSPIAuthentication\",\"interactiveSession\":false,"
                "\"sspiToken\":\"bW9yZQ==\"},\"sessionID\":-7}",
                "id-1");

    /* The latest sessionID counts, and the empty token is one. */
    assert_int_equal(send_leg(""), GC_OK);
    assert_int_equal(leg, GC_LEG_TICKET);
    assert_string_equal(gc_bytes_text(&said), "t");
    assert_seen(2, ACQUIRE,
                "{" VM ",\"requestedAuth\":{\"_typeName\":"
                "\"SSPIAuthentication\",\"interactiveSession\":false,"
                "\"sspiToken\":\"\"},\"sessionID\":8}",
                "id-1");
    assert_int_equal(exchange.legs, 3);
}

static void
tickets_are_read_as_they_come(void **state)
{
    static const struct {
        const char *body;
        const char *ticket;
    } cases[] = {
        {"{\"ticket\":\"a\",\"interactiveSession\":false,\"_typeName\":"
         "\"TicketedSessionAuthentication\"}",
         "a"},
        {"\n{ \"ticket\" : \"a\\/b\\u002b\\\"\",\"new\":{\"ticket\":1},\t"
         "\"_typeName\":\"TicketedSessionAuthentication\" }\r\n",
         "a/b+\""},
        {"{\"ticket\":\" \xc3\xa9\\n\",\"x\":null,\"_typeName\":"
         "\"TicketedSessionAuthentication\"}",
         " \xc3\xa9\n"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        WIRE(JSON(200, cases[i].body));
        assert_int_equal(send_leg("token"), GC_OK);
        assert_int_equal(leg, GC_LEG_TICKET);
        assert_string_equal(gc_bytes_text(&said), cases[i].ticket);
    }
}

static void
challenges_are_read_as_they_come(void **state)
{
    static const char *const bodies[] = {
        "{\"sessionID\":1,\"serverChallenge\":{\"sspiToken\":\"bmV4dA==\"},"
        "\"_typeName\":\"GuestAuthenticationChallenge\"}",
        "{\n \"faultMessage\":[],\"serverChallenge\" : {\"x\":{},\"sspiToken\":"
        "\"bmV4d\\u0041==\",\"_typeName\":\"SSPIAuthentication\"},\r\n"
        "\"sessionID\": 1 ,\"_typeName\":\"GuestAuthenticationChallenge\"}",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bodies); i++) {
        open_session("gam");
        WIRE(JSON(500, bodies[i]));
        assert_int_equal(send_leg("token"), GC_OK);
        assert_int_equal(leg, GC_LEG_CHALLENGE);
        assert_string_equal(gc_bytes_text(&said), "next");
        assert_string_equal(exchange.session_id, "1");
    }
}

static void
session_ids_are_exact(void **state)
{
    static const char *const good[] = {"1",
                                       "0",
                                       "-1",
                                       "9007199254740993",
                                       "-9007199254740993",
                                       "9223372036854775807",
                                       "-9223372036854775808"};
    static const char *const bad[] = {
        "null",
        "\"1\"",
        "1.0",
        "1.5",
        "1e3",
        "1E0",
        "true",
        "[1]",
        "{}",
        "9223372036854775808",
        "-0",
        "1e400",
        "0e0",
        "-9223372036854775809",
        "99999999999999999999999999999999999999999999999999"};
    char body[400], echoed[64];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(good) + GC_COUNT_OF(bad); i++) {
        bool is_good = i < GC_COUNT_OF(good);

        open_session("gam");
        (void)snprintf(body, sizeof(body),
                       "{\"_typeName\":\"GuestAuthenticationChallenge\","
                       "\"serverChallenge\":{\"sspiToken\":\"\"},"
                       "\"sessionID\":%s}",
                       is_good ? good[i] : bad[i - GC_COUNT_OF(good)]);
        WIRE(JSON(500, body), TICKET("t"));
        assert_int_equal(send_leg("token"), is_good ? GC_OK : GC_E_PROTOCOL);
        if (!is_good) {
            assert_string_equal(exchange.session_id, "");
            assert_non_null(strstr(err.message, "sessionID"));
            continue;
        }
        assert_int_equal(send_leg("token"), GC_OK);
        (void)snprintf(echoed, sizeof(echoed), ",\"sessionID\":%s}", good[i]);
        assert_non_null(strstr(wire.seen[1].body, echoed));
    }
}

static void
other_challenges_are_refused(void **state)
{
#define ODD(challenge)                                                         \
    "{\"_typeName\":\"GuestAuthenticationChallenge\",\"sessionID\":"           \
    "1" challenge "}"
    static const char *const bodies[] = {
        ODD(""),
        ODD(",\"serverChallenge\":null"),
        ODD(",\"serverChallenge\":\"bmV4dA==\""),
        ODD(",\"serverChallenge\":[{\"sspiToken\":\"\"}]"),
        ODD(",\"serverChallenge\":{}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":null}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":7}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":\"bmV4d\"}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":\"bmV4\\ndA==\"}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":\"bmV4dB==\"}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":\"\",\"_typeName\":"
            "\"NamePasswordAuthentication\"}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":\"\",\"_typeName\":1}"),
        ODD(",\"serverChallenge\":{\"sspiToken\":\"\",\"_typeName\":null}"),
        ("{\"_typeName\":\"GuestAuthenticationChallenge\",\"serverChallenge\":"
         "{\"sspiToken\":\"\"}}"),
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bodies); i++) {
        WIRE(JSON(500, bodies[i]));
        assert_int_equal(send_leg("token"), GC_E_PROTOCOL);
        assert_told(GC_E_PROTOCOL);
        assert_string_equal(exchange.session_id, "");
        assert_null(strstr(err.message, "may exist"));
    }
}

static void
tokens_have_a_limit(void **state)
{
    static char token[GC_TOKEN_MAX + 2], text[GC_TOKEN_MAX * 2], body[130000];

    (void)state;
    memset(token, 't', GC_TOKEN_MAX + 1);
    assert_int_equal(send_leg(token), GC_E_PROTOCOL);
    assert_int_equal(wire.seen_count, 0);
    token[GC_TOKEN_MAX] = '\0';
    memset(text, 'A', GC_TOKEN_MAX / 3 * 4);
    for (int over = 0; over < 2; over++) {
        (void)snprintf(body, sizeof(body),
                       "{\"_typeName\":\"GuestAuthenticationChallenge\","
                       "\"serverChallenge\":{\"sspiToken\":\"%s%s\"},"
                       "\"sessionID\":1}",
                       text, over ? "AA==" : "");
        WIRE(JSON(500, body));
        assert_int_equal(send_leg(token), over ? GC_E_PROTOCOL : GC_OK);
    }
    assert_int_equal(said.len, GC_TOKEN_MAX);
}

/*
 * Faults
 */

#define A 1 /* on Acquire's first and second leg */
#define R 2 /* on Release */
#define V 4 /* on Validate */

static const struct {
    const char *name;
    const char *more; /* members beside the name */
    int on;
    gc_status st;
    bool again;
} faults[] = {
    /* Those of the two pages. */
    {"GuestOperationsFault", "", A | R | V, GC_E_FAILED, false},
    {"GuestOperationsUnavailable", "", A | R | V, GC_E_UNAVAILABLE, true},
    {"InvalidPowerState",
     ",\"requestedState\":\"poweredOn\",\"existingState\":\"suspended\"",
     A | R | V, GC_E_UNAVAILABLE, false},
    {"InvalidPowerState", ",\"existingState\":\"poweredOff\"", A | V,
     GC_E_UNAVAILABLE, false},
    {"InvalidPowerState", "", A | R | V, GC_E_UNAVAILABLE, false},
    {"InvalidState", "", A | R | V, GC_E_BUSY, false},
    {"TaskInProgress", "", A | R | V, GC_E_BUSY, true},
    {"GuestAuthenticationChallenge", "", R | V, GC_E_PROTOCOL, false},
    {"GuestComponentsOutOfDate", "", A | R | V, GC_E_NOT_SUPPORTED, false},
    {"OperationNotSupportedByGuest", "", A | R | V, GC_E_NOT_SUPPORTED, false},
    {"OperationDisabledByGuest", "", A | R | V, GC_E_NOT_SUPPORTED, false},
    {"TooManyGuestLogons", "", A | R | V, GC_E_BUSY, false},
    {"InvalidGuestLogin", "", A | V, GC_E_DENIED, false},
    /* Those that any method may throw. */
    {"GuestPermissionDenied", "", A | R | V, GC_E_DENIED, false},
    {"NoPermission",
     ",\"privilegeId\":\"VirtualMachine.GuestOperations.Query\"", A | R | V,
     GC_E_VCENTER_DENIED, false},
    {"ManagedObjectNotFound",
     ",\"obj\":{\"type\":\"VirtualMachine\",\"value\":\"vm-42\"}", A | V,
     GC_E_NOT_FOUND, false},
    {"ManagedObjectNotFound",
     ",\"obj\":{\"type\":\"GuestAuthManager\",\"value\":\"other\"}", A | R | V,
     GC_E_NOT_FOUND, false},
    {"ManagedObjectNotFound", "", A | R | V, GC_E_NOT_FOUND, false},
    {"InvalidArgument", ",\"invalidProperty\":\"vm\"", A | R | V, GC_E_PROTOCOL,
     false},
    {"InvalidRequest", "", A | R | V, GC_E_PROTOCOL, false},
    {"InvalidType", "", A | R | V, GC_E_PROTOCOL, false},
    {"MethodNotFound", "", A | R | V, GC_E_PROTOCOL, false},
    {"HostCommunication", "", A | R | V, GC_E_UNAVAILABLE, true},
    {"HostNotConnected", "", A | R | V, GC_E_UNAVAILABLE, true},
    {"SystemError", ",\"reason\":\"vix error codes = (3016, 0).\\n\"",
     A | R | V, GC_E_UNAVAILABLE, true},
    {"SystemError", ",\"reason\":\"vix error codes = (35, 0).\\n\"", A | R | V,
     GC_E_FAILED, false},
    {"NotSupported", "", A | R | V, GC_E_NOT_SUPPORTED, false},
    {"RestrictedByAdministrator", "", A | R | V, GC_E_NOT_SUPPORTED, false},
    {"RequestCanceled", "", A | R | V, GC_E_BUSY, false},
    {"SomethingNew", "", A | R | V, GC_E_FAILED, false},
    /* Healed by Release and Validate, left to the caller by Acquire. */
    {"NotAuthenticated", "", A, GC_E_UNAVAILABLE, true},
};

/* Fault I as a body, good until the next call. */
static const char *
fault_body(size_t i)
{
    static char body[512];

    (void)snprintf(body, sizeof(body), "{\"_typeName\":\"%s\"%s}",
                   faults[i].name, faults[i].more);
    return body;
}

static void
assert_fault_told(size_t i)
{
    assert_told(faults[i].st);
    assert_string_equal(err.fault, faults[i].name);
    assert_int_equal(err.again, faults[i].again);
    assert_true(err.hint[0] != '\0' || strcmp(faults[i].name, "SomethingNew"));
    assert_null(strstr(err.message, "may exist"));
}

static void
every_fault_on_the_first_leg(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(faults); i++) {
        if ((faults[i].on & A) == 0)
            continue;
        open_session("gam");
        WIRE(JSON(500, fault_body(i)));
        assert_int_equal(send_leg("token"), faults[i].st);
        assert_fault_told(i);
        assert_int_equal(exchange.legs, 1);
        assert_int_equal(wire.seen_count, 1);
    }
}

static void
every_fault_on_the_second_leg(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(faults); i++) {
        if ((faults[i].on & A) == 0)
            continue;
        open_session("gam");
        WIRE(CHALLENGE("", "5"), JSON(500, fault_body(i)));
        assert_int_equal(send_leg("token"), GC_OK);
        assert_int_equal(send_leg("token"), faults[i].st);
        assert_fault_told(i);
        assert_int_equal(exchange.legs, 2);
        assert_int_equal(wire.seen_count, 2);
    }
}

static void
a_401_is_a_stale_session(void **state)
{
    (void)state;
    WIRE({.status = 401, .type = GC_HTTP_HTML, .body = "<html>"});
    assert_int_equal(send_leg("token"), GC_E_UNAVAILABLE);
    assert_string_equal(err.fault, "NotAuthenticated");
    assert_true(err.again);
    assert_int_equal(wire.seen_count, 1);
}

/*
 * Tickets astray
 */

static const struct {
    struct canned canned;
    gc_status st;
} astray[] = {
    /* A 200 that is not what was promised. */
    {JSON(200,
          "{\"_typeName\":\"GuestAuthentication\",\"ticket\":\"" STRAY "\"}"),
     GC_E_PROTOCOL},
    {JSON(200, "{\"ticket\":\"" STRAY "\"}"), GC_E_PROTOCOL},
    {JSON(200, "{\"_typeName\":7,\"ticket\":\"" STRAY "\"}"), GC_E_PROTOCOL},
    {JSON(200, "[{\"_typeName\":\"TicketedSessionAuthentication\","
               "\"ticket\":\"" STRAY "\"}]"),
     GC_E_PROTOCOL},
    {JSON(200, "{\"returnval\":{\"ticket\":\"" STRAY "\"}}"), GC_E_PROTOCOL},
    /* JSON that is none. */
    {JSON(200, "{\"_typeName\":\"TicketedSessionAuthentication\","
               "\"ticket\":\"" STRAY "\""),
     GC_E_PROTOCOL},
    {JSON(200, "{\"_typeName\":\"TicketedSessionAuthentication\","
               "\"ticket\":\"" STRAY "\",\"ticket\":\"x\"}"),
     GC_E_PROTOCOL},
    {JSON(200, "{\"_typeName\":\"TicketedSessionAuthentication\",\"x\":\"\xff"
               "\",\"ticket\":\"" STRAY "\"}"),
     GC_E_PROTOCOL},
    {JSON(200, "{\"_typeName\":\"TicketedSessionAuthentication\",\"x\":"
               "\"\\u0000\",\"ticket\":\"" STRAY "\"}"),
     GC_E_PROTOCOL},
    /* The wrong wrapping. */
    {{.status = 200,
      .type = GC_HTTP_HTML,
      .body = "{\"_typeName\":\"TicketedSessionAuthentication\",\"ticket\":"
              "\"" STRAY "\"}"},
     GC_E_PROTOCOL},
    {JSON(201, "{\"_typeName\":\"TicketedSessionAuthentication\",\"ticket\":"
               "\"" STRAY "\"}"),
     GC_E_PROTOCOL},
    {{.status = 302, .body = "{\"ticket\":\"" STRAY "\"}"}, GC_E_UNTRUSTED},
    {{.status = 500, .type = GC_HTTP_XML, .body = "{\"ticket\":\"" STRAY "\"}"},
     GC_E_NOT_SUPPORTED},
    {JSON(500, "{\"ticket\":\"" STRAY "\"}"), GC_E_PROTOCOL},
    {JSON(502, "{\"ticket\":\"" STRAY "\"}"), GC_E_UNAVAILABLE},
    {JSON(503, "{\"ticket\":\"" STRAY "\"}"), GC_E_UNAVAILABLE},
    {JSON(504, "{\"ticket\":\"" STRAY "\"}"), GC_E_UNAVAILABLE},
    {JSON(401, "{\"ticket\":\"" STRAY "\"}"), GC_E_PROTOCOL},
    /* A fault that carries one. */
    {JSON(500,
          "{\"_typeName\":\"InvalidGuestLogin\",\"ticket\":\"" STRAY "\"}"),
     GC_E_PROTOCOL},
    {JSON(500, "{\"_typeName\":\"TaskInProgress\",\"auth\":{\"ticket\":\"" STRAY
               "\"}}"),
     GC_E_PROTOCOL},
    {JSON(500, "{\"_typeName\":\"NotAuthenticated\",\"ticket\":\"" STRAY "\"}"),
     GC_E_PROTOCOL},
    {JSON(500, "{\"_typeName\":\"GuestAuthenticationChallenge\",\"sessionID\":"
               "1,\"serverChallenge\":{\"sspiToken\":\"\"},\"ticket\":\"" STRAY
               "\"}"),
     GC_E_PROTOCOL},
    {JSON(500, "{\"_typeName\":\"GuestAuthenticationChallenge\",\"sessionID\":"
               "1,\"serverChallenge\":{\"_typeName\":"
               "\"TicketedSessionAuthentication\",\"ticket\":\"" STRAY "\"}}"),
     GC_E_PROTOCOL},
    /* The wire was cut behind it. */
    {{.status = 200,
      .type = GC_HTTP_JSON,
      .body = "{\"ticket\":\"" STRAY "\",",
      .st = GC_E_UNAVAILABLE},
     GC_E_UNAVAILABLE},
    {{.status = 200,
      .type = GC_HTTP_JSON,
      .body = "{\"ticket\":\"" STRAY "\"",
      .st = GC_E_CANCELED},
     GC_E_CANCELED},
    {{.status = 200,
      .type = GC_HTTP_JSON,
      .body = "{\"ticket\":\"" STRAY "\"",
      .st = GC_E_PROTOCOL},
     GC_E_PROTOCOL},
};

static void
a_ticket_in_a_refused_reply_is_released(void **state)
{
    int64_t before;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(astray); i++) {
        open_session("gam");
        WIRE(astray[i].canned, NOTHING);
        before = gc_clock_now();
        assert_int_equal(send_leg("token"), astray[i].st);
        assert_told(astray[i].st);
        assert_false(err.again);
        assert_int_equal(said.len, 0);
        assert_int_equal(wire.seen_count, 2);
        assert_seen(1, RELEASE, WITH_TICKET(STRAY), "id-1");
        /* Even after a cancel and at the very end of the time. */
        assert_cleanup(1, before);
        assert_non_null(strstr(err.hint, "was released"));
        assert_null(strstr(err.message, "may exist"));
    }
}

static void
a_release_that_fails_is_told(void **state)
{
    static const struct canned releases[] = {
        FAULT("GuestOperationsUnavailable"), LOST, {.status = 503}};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(astray); i++) {
        open_session("gam");
        WIRE(astray[i].canned, releases[i % GC_COUNT_OF(releases)]);
        assert_int_equal(send_leg("token"), astray[i].st);
        assert_told(astray[i].st);
        assert_false(err.again);
        assert_non_null(strstr(err.hint, "could not be released"));
    }
    /* Gone already is as good. */
    open_session("gam");
    WIRE(astray[0].canned, FAULT("InvalidGuestLogin"));
    assert_int_equal(send_leg("token"), GC_E_PROTOCOL);
    assert_non_null(strstr(err.hint, "was released"));
}

static void
other_tickets_are_none(void **state)
{
    static char body[70000];
    static const char *const bodies[] = {
        "{\"_typeName\":\"TicketedSessionAuthentication\"}",
        "{\"_typeName\":\"TicketedSessionAuthentication\",\"ticket\":null}",
        "{\"_typeName\":\"TicketedSessionAuthentication\",\"ticket\":7}",
        "{\"_typeName\":\"TicketedSessionAuthentication\",\"ticket\":\"\"}",
        "{\"_typeName\":\"TicketedSessionAuthentication\",\"Ticket\":\"a\"}",
        "null",
        "",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bodies); i++) {
        WIRE(JSON(200, bodies[i]));
        assert_int_equal(send_leg("token"), GC_E_PROTOCOL);
        assert_int_equal(wire.seen_count, 1);
        assert_non_null(strstr(err.message, "may exist"));
    }
    for (int over = 0; over < 2; over++) {
        int n = snprintf(body, sizeof(body),
                         "{\"_typeName\":\"TicketedSessionAuthentication\","
                         "\"ticket\":\"");

        memset(body + n, 't', (size_t)(GC_TICKET_MAX + over));
        (void)snprintf(body + n + GC_TICKET_MAX + over, 3, "\"}");
        WIRE(JSON(200, body), JSON(204, ""));
        assert_int_equal(send_leg("token"), over ? GC_E_PROTOCOL : GC_OK);
        assert_int_equal(wire.seen_count, 1 + over);
    }
    assert_non_null(strstr(err.message, "32769 bytes"));
    assert_non_null(strstr(err.hint, "was released"));
    assert_int_equal(said.len, GC_TICKET_MAX);
}

#define ENVOY                                                                  \
    "upstream connect error or disconnect/reset before headers. reset "        \
    "reason: "
#define SAID_503(text)                                                         \
    {                                                                          \
        .status = 503, .type = GC_HTTP_OTHER, .body = (text)                   \
    }

static void
an_unknown_outcome_is_called_so(void **state)
{
    static const struct {
        struct canned canned;
        gc_status st;
        bool unknown, again;
    } cases[] = {
        {LOST, GC_E_UNAVAILABLE, true, false},
        {{.st = GC_E_CANCELED}, GC_E_CANCELED, true, false},
        {{.st = GC_E_PROTOCOL}, GC_E_PROTOCOL, true, false},
        {{.status = 502}, GC_E_UNAVAILABLE, true, false},
        {{.status = 504, .type = GC_HTTP_HTML, .body = "<html>"},
         GC_E_UNAVAILABLE,
         true,
         false},
        /* vpxd itself may have said these, in the midst of it. */
        {{.status = 503}, GC_E_UNAVAILABLE, true, false},
        {{.status = 503, .type = GC_HTTP_HTML, .body = "<html>"},
         GC_E_UNAVAILABLE,
         true,
         false},
        {SAID_503(ENVOY "connection termination"), GC_E_UNAVAILABLE, true,
         false},
        {SAID_503("no healthy upstrea"), GC_E_UNAVAILABLE, true, false},
        {SAID_503("<p>no healthy upstream"), GC_E_UNAVAILABLE, true, false},
        {{.status = 502, .body = "no healthy upstream"},
         GC_E_UNAVAILABLE,
         true,
         false},
        {{.status = 100, .st = GC_E_UNAVAILABLE},
         GC_E_UNAVAILABLE,
         true,
         false},
        {{.status = 199, .st = GC_E_CANCELED}, GC_E_CANCELED, true, false},
        {{.status = 408}, GC_E_PROTOCOL, true, false},
        {{.status = 200,
          .type = GC_HTTP_JSON,
          .body = "{\"ticket\":\"half",
          .st = GC_E_UNAVAILABLE},
         GC_E_UNAVAILABLE,
         true,
         false},
        {JSON(200, "{\"ticket\":\"half"), GC_E_PROTOCOL, true, false},
        {NOTHING, GC_E_PROTOCOL, true, false},
        /* No fault that anybody understands: something broke on the way. */
        {{.status = 500, .type = GC_HTTP_HTML, .body = "<html>"},
         GC_E_PROTOCOL,
         true,
         false},
        {JSON(500, "{\"_typeName\":7}"), GC_E_PROTOCOL, true, false},
        {JSON(500, "{\"_typeName\":"), GC_E_PROTOCOL, true, false},
        /* vCenter did not see the request, or said what became of it. */
        {SAID_503("no healthy upstream"), GC_E_UNAVAILABLE, false, true},
        {SAID_503(ENVOY "connection failure, transport failure reason: x"),
         GC_E_UNAVAILABLE, false, true},
        {SAID_503(ENVOY "overflow"), GC_E_UNAVAILABLE, false, true},
        {REFUSED, GC_E_UNAVAILABLE, false, true},
        {{.st = GC_E_CANCELED, .unsent = true}, GC_E_CANCELED, false, false},
        {FAULT("SystemError"), GC_E_FAILED, false, false},
        {{.status = 404}, GC_E_PROTOCOL, false, false},
        {{.status = 302}, GC_E_UNTRUSTED, false, false},
        {{.status = 500, .type = GC_HTTP_XML, .body = "<x/>"},
         GC_E_NOT_SUPPORTED,
         false,
         false},
    };

    static char late[1100];

    (void)state;
    /* Only the beginning of a body is looked at. */
    (void)snprintf(late, sizeof(late), "%01024d no healthy upstream", 0);
    WIRE(SAID_503(late));
    assert_int_equal(send_leg("token"), GC_E_UNAVAILABLE);
    assert_false(err.again);
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        open_session("gam");
        WIRE(cases[i].canned);
        assert_int_equal(send_leg("token"), cases[i].st);
        assert_int_equal(err.again, cases[i].again);
        assert_int_equal(strstr(err.message, "a ticket may exist in the guest "
                                             "of VM vm-42 that nobody can name")
                             != NULL,
                         cases[i].unknown);
        assert_int_equal(wire.seen_count, 1);
    }
}

/*
 * Release and Validate
 */

static struct gc_bytes ticket;

static void
have_ticket(const char *text, size_t len)
{
    assert_int_equal(gc_bytes_set(&ticket, text, len, NULL), GC_OK);
}

static gc_status
release(enum gc_released *how)
{
    return gc_auth_manager_release(session, "vm-42", &ticket, UNTIL(DEADLINE),
                                   how, &err);
}

static gc_status
validate(void)
{
    return gc_auth_manager_validate(session, "vm-42", &ticket, UNTIL(DEADLINE),
                                    &err);
}

static void
release_and_validate_take_nothing_for_an_answer(void **state)
{
    static const struct canned good[] = {
        NOTHING, JSON(200, ""), JSON(200, "null"), {.status = 200}};
    enum gc_released how = GC_RELEASED_UNKNOWN;

    (void)state;
    have_ticket("a/\"b", 4);
    for (size_t i = 0; i < GC_COUNT_OF(good); i++) {
        WIRE(good[i], good[i]);
        assert_int_equal(release(&how), GC_OK);
        assert_int_equal(how, GC_RELEASED);
        assert_seen(0, RELEASE, WITH_TICKET("a/\\\"b"), "id-1");
        assert_until(0, DEADLINE);
        assert_int_equal(wire.seen[0].cancel_grace, 3000);
        assert_int_equal(validate(), GC_OK);
        assert_seen(1, VALIDATE, WITH_TICKET("a/\\\"b"), "id-1");
        assert_int_equal(wire.seen[1].cancel_grace, 0);
    }
    WIRE(JSON(200, "{}"), JSON(200, "true"));
    assert_int_equal(release(&how), GC_E_PROTOCOL);
    assert_int_equal(validate(), GC_E_PROTOCOL);
    gc_bytes_clear(&ticket);
}

static void
every_fault_on_release(void **state)
{
    enum gc_released how = GC_RELEASED_UNKNOWN;

    (void)state;
    have_ticket("t", 1);
    for (size_t i = 0; i < GC_COUNT_OF(faults); i++) {
        if ((faults[i].on & R) == 0)
            continue;
        WIRE(JSON(500, fault_body(i)));
        assert_int_equal(release(&how), faults[i].st);
        assert_fault_told(i);
        assert_int_equal(how, GC_RELEASED_UNKNOWN);
    }
    gc_bytes_clear(&ticket);
}

static void
what_is_gone_is_released(void **state)
{
    static const struct {
        struct canned canned;
        enum gc_released how;
    } cases[] = {
        {JSON(500, "{\"_typeName\":\"InvalidPowerState\",\"existingState\":"
                   "\"poweredOff\"}"),
         GC_RELEASED_OFF},
        {JSON(500, "{\"_typeName\":\"ManagedObjectNotFound\",\"obj\":{"
                   "\"type\":\"VirtualMachine\",\"value\":\"vm-42\"}}"),
         GC_RELEASED_NO_VM},
        {FAULT("InvalidGuestLogin"), GC_RELEASED_UNKNOWN},
    };
    enum gc_released how = GC_RELEASED;

    (void)state;
    have_ticket("t", 1);
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        WIRE(cases[i].canned);
        assert_int_equal(release(&how), GC_OK);
        assert_int_equal(how, cases[i].how);
    }
    /* Another VM's moId begins alike. */
    WIRE(JSON(500, "{\"_typeName\":\"ManagedObjectNotFound\",\"obj\":{"
                   "\"value\":\"vm-421\"}}"));
    assert_int_equal(release(&how), GC_E_NOT_FOUND);
    gc_bytes_clear(&ticket);
}

static void
every_fault_on_validate(void **state)
{
    (void)state;
    have_ticket("t", 1);
    for (size_t i = 0; i < GC_COUNT_OF(faults); i++) {
        if ((faults[i].on & V) == 0)
            continue;
        WIRE(JSON(500, fault_body(i)));
        assert_int_equal(validate(), faults[i].st);
        assert_fault_told(i);
        assert_int_equal(
            strstr(err.message, "does not take this ticket") != NULL,
            strcmp(faults[i].name, "InvalidGuestLogin") == 0
                || strcmp(faults[i].name, "GuestPermissionDenied") == 0);
    }
    gc_bytes_clear(&ticket);
}

static void
a_stale_session_is_healed(void **state)
{
    enum gc_released how;

    (void)state;
    have_ticket("t", 1);
    /* What an earlier process found is read anew first, the manager too. */
    WIRE(STALE, HELLO, CONTENT, LOGIN("id-2"), MANAGER("gam-2"), NOTHING,
         {.status = 401}, LOGIN("id-3"), NOTHING, STALE, LOGIN("id-4"), STALE);
    assert_int_equal(release(&how), GC_OK);
    assert_string_equal(wire.seen[3].path, LOGIN_PATH);
    assert_seen(4, FIND, NULL, "id-2");
    assert_seen(5, GAM_2 "ReleaseCredentialsInGuest", WITH_TICKET("t"), "id-2");
    assert_int_equal(validate(), GC_OK);
    assert_seen(8, GAM_2 "ValidateCredentialsInGuest", WITH_TICKET("t"),
                "id-3");
    assert_int_equal(release(&how), GC_E_UNAVAILABLE);
    gc_bytes_clear(&ticket);
}

static void
a_manager_that_is_gone_is_looked_up_anew(void **state)
{
    static const struct canned gone = GONE("");
    enum gc_released how = GC_RELEASED_UNKNOWN;

    (void)state;
    have_ticket("t", 1);
    /* The fault proves that no Acquire happened. */
    WIRE(gone, HELLO, CONTENT, MANAGER("gam-2"), TICKET("x"));
    assert_int_equal(send_leg("token"), GC_OK);
    assert_string_equal(wire.seen[4].path, GAM_2 "AcquireCredentialsInGuest");
    assert_string_equal(wire.seen[4].body, wire.seen[0].body);

    open_session("gam");
    WIRE(gone, HELLO, CONTENT, MANAGER("gam-2"), NOTHING);
    assert_int_equal(release(&how), GC_OK);
    assert_int_equal(how, GC_RELEASED);
    open_session("gam");
    WIRE({.status = 404}, HELLO, CONTENT, MANAGER("gam-2"), NOTHING);
    assert_int_equal(validate(), GC_OK);

    /* Once; and it is nothing about the VM. */
    open_session("gam");
    WIRE(gone, HELLO, CONTENT, MANAGER("gam"), gone);
    assert_int_equal(release(&how), GC_E_PROTOCOL);
    assert_null(strstr(err.message, "vm-42"));
    assert_null(strstr(err.hint, "moId"));

    /* A 404 is no proof: Acquire is not repeated. */
    open_session("gam");
    WIRE({.status = 404});
    assert_int_equal(send_leg("token"), GC_E_PROTOCOL);

    /* A lookup that fails afterwards lost no ticket. */
    open_session("gam");
    WIRE(gone, HELLO, CONTENT, LOST);
    assert_int_equal(send_leg("token"), GC_E_UNAVAILABLE);
    assert_null(strstr(err.message, "may exist"));
    gc_bytes_clear(&ticket);
}

static void
a_manager_that_is_gone_leaves_no_ticket(void **state)
{
    (void)state;
    WIRE(GONE(",\"ticket\":\"" STRAY "\""), HELLO, CONTENT, MANAGER("gam-2"),
         NOTHING);
    assert_int_equal(send_leg("token"), GC_E_PROTOCOL);
    assert_told(GC_E_PROTOCOL);
    assert_seen(4, GAM_2 "ReleaseCredentialsInGuest", WITH_TICKET(STRAY),
                "id-1");
}

/* What the server says of itself quotes what it was sent. */
static void
what_was_sent_is_not_told(void **state)
{
#define QUOTE(name, text)                                                      \
    JSON(500, "{\"_typeName\":\"" name "\",\"faultstring\":\"no " text         \
              "!\",\"reason\":\"" text "\"}")
    enum gc_released how;

    (void)state;
    have_ticket("a b-c", 5);
    WIRE(QUOTE("SystemError", "a b-c"), QUOTE("SystemError", "a b-c"),
         QUOTE("InvalidGuestLogin", "a b-c"), QUOTE("SystemError", "dG9r"));
    assert_int_equal(release(&how), GC_E_FAILED);
    assert_non_null(strstr(err.message, "[...]"));
    assert_null(strstr(err.message, "a b-c"));
    assert_int_equal(validate(), GC_E_FAILED);
    assert_non_null(strstr(err.message, "[...]"));
    assert_null(strstr(err.message, "a b-c"));
    assert_int_equal(validate(), GC_E_DENIED);
    assert_null(strstr(err.message, "a b-c"));
    assert_int_equal(send_leg("tok"), GC_E_FAILED);
    assert_non_null(strstr(err.message, "[...]"));
    assert_null(strstr(err.message, "dG9r"));
    gc_bytes_clear(&ticket);
}

/* A refused reply's own name for itself is its ticket. */
static void
a_stray_ticket_is_not_told(void **state)
{
    (void)state;
    WIRE(JSON(200, "{\"_typeName\":\"a b-c\",\"ticket\":\"a b-c\"}"), NOTHING);
    assert_int_equal(send_leg("token"), GC_E_PROTOCOL);
    assert_non_null(strstr(err.message, "is a [...] and"));
}

static void
what_is_no_ticket_is_not_sent(void **state)
{
    static char huge[1024 * 1024 + 1];
    enum gc_released how;

    (void)state;
    memset(huge, 't', sizeof(huge));
    for (int i = 0; i < 3; i++) {
        if (i == 0)
            have_ticket("", 0);
        else if (i == 1)
            have_ticket("a\0b", 3);
        else
            have_ticket(huge, sizeof(huge));
        assert_int_equal(release(&how), GC_E_CONFIG);
        assert_int_equal(validate(), GC_E_CONFIG);
    }
    assert_int_equal(wire.seen_count, 0);
    gc_bytes_clear(&ticket);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, begin, end)
    const struct CMUnitTest tests[] = {
        TEST(the_manager_is_looked_up_once),
        TEST(without_a_manager_there_is_no_login),
        TEST(a_leg_says_what_the_page_says),
        TEST(tickets_are_read_as_they_come),
        TEST(challenges_are_read_as_they_come),
        TEST(session_ids_are_exact),
        TEST(other_challenges_are_refused),
        TEST(tokens_have_a_limit),
        TEST(every_fault_on_the_first_leg),
        TEST(every_fault_on_the_second_leg),
        TEST(a_401_is_a_stale_session),
        TEST(a_ticket_in_a_refused_reply_is_released),
        TEST(a_release_that_fails_is_told),
        TEST(other_tickets_are_none),
        TEST(an_unknown_outcome_is_called_so),
        TEST(release_and_validate_take_nothing_for_an_answer),
        TEST(every_fault_on_release),
        TEST(what_is_gone_is_released),
        TEST(every_fault_on_validate),
        TEST(a_stale_session_is_healed),
        TEST(a_manager_that_is_gone_is_looked_up_anew),
        TEST(a_manager_that_is_gone_leaves_no_ticket),
        TEST(what_was_sent_is_not_told),
        TEST(a_stray_ticket_is_not_told),
        TEST(what_is_no_ticket_is_not_sent),
    };

    return cmocka_run_group_tests_name("auth_manager", tests, NULL, NULL);
}
