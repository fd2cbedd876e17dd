/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public calls without a network: misuse, texts, stores, environments, what
 * an acquire leaves of its exchange, and what happens when memory is out.
 */
#include <config.h>

#include "src/api/api.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/tickets/entry.h"
#include "src/vim/guest_call.h"
#include "tests/unit/skips.h"
#include "tests/unit/tickets_help.h"

/* ---- allocations that fail, on demand ---- */

static int left = -1; /* allocations that still succeed; -1: all */

static int
refuse(void)
{
    if (left < 0)
        return 0;
    return left == 0 || left-- == 0;
}

void *__real_malloc(size_t size);
void *__wrap_malloc(size_t size);
void *
__wrap_malloc(size_t size)
{
    return refuse() ? NULL : __real_malloc(size);
}

void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *
__wrap_calloc(size_t count, size_t size)
{
    return refuse() ? NULL : __real_calloc(count, size);
}

char *__real_strdup(const char *s);
char *__wrap_strdup(const char *s);
char *
__wrap_strdup(const char *s)
{
    return refuse() ? NULL : __real_strdup(s);
}

/* ---- an acquire that is a script, on demand ---- */

static struct {
    bool on;
    gc_status st; /* how the next acquire ends */
    int ends;     /* of the initiator, so far */
} script;

gc_status __real_gc_tickets_acquire(const struct gc_tickets *tickets,
                                    const struct gc_tickets_request *request,
                                    struct gc_limit limit,
                                    struct gc_entry *ret_entry,
                                    bool *ret_reused, struct gc_error *error);
gc_status __wrap_gc_tickets_acquire(const struct gc_tickets *tickets,
                                    const struct gc_tickets_request *request,
                                    struct gc_limit limit,
                                    struct gc_entry *ret_entry,
                                    bool *ret_reused, struct gc_error *error);
gc_status
__wrap_gc_tickets_acquire(const struct gc_tickets *tickets,
                          const struct gc_tickets_request *request,
                          struct gc_limit limit, struct gc_entry *ret_entry,
                          bool *ret_reused, struct gc_error *error)
{
    if (!script.on)
        return __real_gc_tickets_acquire(tickets, request, limit, ret_entry,
                                         ret_reused, error);
    /* The exchange is this call's until it returns. */
    assert_int_equal(script.ends, 0);
    *ret_reused = false;
    if (script.st != GC_OK)
        return gc_fail(error, script.st, "the script says so");
    help_request(ret_entry, "vm-42");
    help_issue(ret_entry, 1);
    return GC_OK;
}

/* ---- help ---- */

static struct guestcred_error err;

/* A call that says what is wrong with it. */
#define REFUSED(call)                                                          \
    do {                                                                       \
        memset(&err, 'x', sizeof(err));                                        \
        assert_int_equal(call, GUESTCRED_CONFIG);                              \
        assert_int_equal(err.status, GUESTCRED_CONFIG);                        \
        assert_true(strlen(err.message) > 10);                                 \
        assert_int_equal(err.retryable, 0);                                    \
    } while (0)

#define FINE(call)                                                             \
    do {                                                                       \
        memset(&err, 'x', sizeof(err));                                        \
        if ((call) != GUESTCRED_OK)                                            \
            fail_msg("%s: %s", #call, err.message);                            \
        assert_int_equal(err.status, GUESTCRED_OK);                            \
        assert_string_equal(err.message, "");                                  \
    } while (0)

static const char record_json[] =
    "{\"version\":1,\"vm\":\"vm-42\",\"name\":\"build\",\"vcenter\":\"" UUID
    "\",\"principal\":\"alice@EXAMPLE.TEST\",\"target\":\"host/g.example.test"
    "\",\"mechanism\":\"kerberos\",\"mutual\":true,\"legs\":2,\"acquired\":"
    "\"2026-01-02T03:04:05Z\",\"authentication\":{\"_typeName\":"
    "\"TicketedSessionAuthentication\",\"interactiveSession\":false,"
    "\"ticket\":\"" SECRET "\"}}";

static struct guestcred_ticket *
make_ticket(const char *vm, int number)
{
    GC_AUTO(gc_entry) entry = {0};
    struct guestcred_ticket *ticket = NULL;

    help_request(&entry, vm);
    help_issue(&entry, number);
    assert_int_equal(gc_api_ticket_new(&entry, NULL, false, &ticket, NULL),
                     GC_OK);
    return ticket;
}

static int
setup(void **state)
{
    *state = NULL;
    help_begin();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    help_end();
    return 0;
}

/* ---- version, errors ---- */

static void
test_version(void **state)
{
    char text[32];

    (void)state;
    snprintf(text, sizeof(text), "%d.%d.%d", GUESTCRED_VERSION_MAJOR,
             GUESTCRED_VERSION_MINOR, GUESTCRED_VERSION_PATCH);
    assert_string_equal(text, PACKAGE_VERSION);
    assert_string_equal(guestcred_version(), text);
    assert_int_equal(guestcred_version_number(), GUESTCRED_VERSION_NUMBER);
}

static void
test_errors(void **state)
{
    struct gc_error why;
    gc_status st;

    (void)state;
    for (int i = 0; i < GC_STATUS_COUNT; i++)
        assert_string_equal(guestcred_status_word((enum guestcred_status)i),
                            gc_status_word((gc_status)i));
    assert_string_equal(guestcred_status_word((enum guestcred_status) - 1),
                        "unknown");
    assert_string_equal(guestcred_status_word((enum guestcred_status)99),
                        "unknown");
    st = gc_fail(&why, GC_E_BUSY, "so busy");
    (void)gc_fail_hint(&why, st, "wait");
    snprintf(why.fault, sizeof(why.fault), "TaskInProgress");
    why.gss_major = 7;
    why.gss_minor = 8;
    assert_int_equal(gc_api_done(st, &why, &err), GUESTCRED_BUSY);
    assert_string_equal(err.message, "so busy");
    assert_string_equal(err.hint, "wait");
    assert_int_equal(err.advice, GUESTCRED_ADVICE_NONE);
    assert_string_equal(err.fault, "TaskInProgress");
    assert_int_equal(err.gss_major, 7);
    assert_int_equal(err.gss_minor, 8);
    assert_int_equal(err.retryable, 1);
    assert_int_equal(gc_api_done(st, &why, NULL), GUESTCRED_BUSY);
    /* Advice comes as a number and in words, none of them the command's. */
    for (int i = 1; i < GC_ADVICE_COUNT; i++) {
        st = gc_fail_advise(&why, GC_E_CONFIG, (enum gc_advice)i);
        (void)gc_api_done(st, &why, &err);
        assert_int_equal(err.advice, i);
        assert_true(strlen(err.hint) > 10);
        assert_null(strstr(err.hint, "--"));
    }
}

/* ---- misuse ---- */

#define PROCESSES "GuestProcessManager", "ListProcessesInGuest"

static void
test_null_client(void **state)
{
    struct guestcred_ticket *ticket = make_ticket("vm-42", 1), *other = NULL;
    struct guestcred_client *client = NULL;
    struct guestcred_request *request = NULL;
    struct guestcred_reply *reply = NULL;
    char vm[GUESTCRED_VM_SIZE];

    (void)state;
    REFUSED(guestcred_client_new(-1, NULL, &err));
    REFUSED(guestcred_client_new(-2, &client, &err));
    assert_null(client);
    REFUSED(guestcred_client_set_url(NULL, "https://x", &err));
    REFUSED(guestcred_client_set_login(NULL, "u", "p", 1, &err));
    REFUSED(guestcred_client_set_ca_file(NULL, "x", &err));
    REFUSED(guestcred_client_set_pin(NULL, "x", &err));
    REFUSED(guestcred_client_set_proxy(NULL, "x", &err));
    REFUSED(guestcred_client_set_insecure(NULL, 1, &err));
    REFUSED(guestcred_client_set_log(NULL, NULL, NULL, &err));
    REFUSED(guestcred_client_set_store(NULL, "/x", &err));
    REFUSED(guestcred_client_set_login_dir(NULL, "/x", &err));
    REFUSED(guestcred_client_logout(NULL, &err));
    REFUSED(guestcred_client_acquire(NULL, NULL, 1, NULL, &err));
    REFUSED(guestcred_client_acquire(NULL, NULL, 1, &other, &err));
    FINE(guestcred_request_new(&request, &err));
    REFUSED(guestcred_client_acquire(NULL, request, 1, &other, &err));
    REFUSED(guestcred_client_validate(NULL, ticket, 1, &err));
    REFUSED(guestcred_client_validate(NULL, NULL, 1, &err));
    REFUSED(guestcred_client_release(NULL, ticket, 1, NULL, &err));
    REFUSED(guestcred_client_release(NULL, NULL, 1, NULL, &err));
    REFUSED(guestcred_client_sweep(NULL, 1, NULL, NULL, &err));
    REFUSED(guestcred_client_locate(NULL, "vm-42", 1, vm, &err));
    REFUSED(guestcred_client_locate(NULL, "vm-42", 1, NULL, &err));
    REFUSED(guestcred_client_guest_call(NULL, ticket, PROCESSES, NULL, 1,
                                        &reply, &err));
    REFUSED(guestcred_client_guest_call(NULL, NULL, PROCESSES, NULL, 1, &reply,
                                        &err));
    REFUSED(guestcred_client_guest_call(NULL, ticket, PROCESSES, NULL, 1, NULL,
                                        &err));
    REFUSED(guestcred_client_guest_call(NULL, ticket, NULL, "X", NULL, 1,
                                        &reply, &err));
    REFUSED(guestcred_client_guest_call(NULL, ticket, "GuestFileManager", NULL,
                                        NULL, 1, &reply, &err));
    /* Without anybody to tell. */
    assert_int_equal(guestcred_client_validate(NULL, NULL, 1, NULL),
                     GUESTCRED_CONFIG);
    guestcred_client_free(NULL);
    guestcred_reply_free(NULL);
    assert_null(guestcred_reply_text(NULL, NULL));
    guestcred_request_free(request);
    guestcred_ticket_free(ticket);
}

static void
test_null(void **state)
{
    struct guestcred_ticket *other = NULL;
    struct guestcred_tickets *tickets = NULL;
    struct guestcred_store *store = NULL;
    char *env[] = {NULL};
    size_t len = 9;

    (void)state;
    REFUSED(guestcred_request_new(NULL, &err));
    REFUSED(guestcred_request_set_vm(NULL, "vm-42", &err));
    REFUSED(guestcred_request_set_target(NULL, "host/x", &err));
    REFUSED(guestcred_request_set_flags(NULL, 0, &err));
    REFUSED(guestcred_request_set_mechanism(NULL, GUESTCRED_NTLM, &err));
    REFUSED(guestcred_request_set_principal(NULL, "p", &err));
    REFUSED(guestcred_request_set_ccache(NULL, "c", &err));
    REFUSED(guestcred_request_set_keytab(NULL, "k", &err));
    REFUSED(guestcred_request_set_client_keytab(NULL, "k", &err));
    REFUSED(guestcred_request_set_password(NULL, "w", 1, &err));
    REFUSED(guestcred_request_set_on_behalf_of(NULL, "u", &err));
    REFUSED(guestcred_ticket_from_json(NULL, 1, &other, &err));
    REFUSED(guestcred_ticket_from_json("{}", 2, NULL, &err));
    REFUSED(guestcred_ticket_forget(NULL, &err));
    REFUSED(guestcred_store_open(NULL, &store, &err));
    REFUSED(guestcred_store_open("/x", NULL, &err));
    REFUSED(guestcred_store_open("", &store, &err));
    REFUSED(guestcred_store_open("relative", &store, &err));
    REFUSED(guestcred_store_set_log(NULL, NULL, NULL, &err));
    REFUSED(guestcred_store_list(NULL, NULL, &tickets, &err));
    REFUSED(guestcred_store_from_pam_env(NULL, &store, &err));
    REFUSED(guestcred_store_from_pam_env(env, NULL, &err));
    REFUSED(guestcred_ticket_from_pam_env(NULL, NULL, &other, &err));
    REFUSED(guestcred_ticket_from_pam_env(env, NULL, NULL, &err));
    guestcred_request_free(NULL);
    guestcred_ticket_free(NULL);
    guestcred_tickets_free(NULL);
    guestcred_store_free(NULL);
    assert_int_equal(guestcred_tickets_count(NULL), 0);
    assert_null(guestcred_tickets_get(NULL, 0));
    assert_null(guestcred_ticket_vm(NULL));
    assert_null(guestcred_ticket_name(NULL));
    assert_null(guestcred_ticket_vcenter(NULL));
    assert_null(guestcred_ticket_url(NULL));
    assert_null(guestcred_ticket_principal(NULL));
    assert_null(guestcred_ticket_target(NULL));
    assert_null(guestcred_ticket_store(NULL));
    assert_null(guestcred_ticket_auth(NULL, NULL));
    assert_null(guestcred_ticket_json(NULL, NULL));
    assert_null(guestcred_ticket_secret(NULL, &len));
    assert_int_equal(len, 0);
    assert_int_equal(guestcred_ticket_mechanism(NULL), GUESTCRED_KERBEROS);
    assert_int_equal(guestcred_ticket_mutual(NULL), 0);
    assert_int_equal(guestcred_ticket_legs(NULL), 0);
    assert_int_equal(guestcred_ticket_acquired(NULL), 0);
    assert_int_equal(guestcred_ticket_used(NULL), 0);
    assert_null(guestcred_store_path(NULL));
}

/* Each setter of a client looks at its own value. */
static void
test_client(void **state)
{
    struct guestcred_client *client = NULL;
    struct guestcred_ticket *ticket = make_ticket("vm-42", 1);
    char longer[GC_API_TEXT_MAX + 2], vm[GUESTCRED_VM_SIZE];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    FINE(guestcred_client_new(-1, &client, &err));
    /* Nothing to log out of. */
    FINE(guestcred_client_logout(client, &err));
    REFUSED(guestcred_client_validate(client, ticket, 1000, &err));
    assert_non_null(strstr(err.message, "URL"));
    REFUSED(guestcred_client_set_url(client, NULL, &err));
    REFUSED(guestcred_client_set_url(client, "", &err));
    REFUSED(guestcred_client_set_url(client, longer, &err));
    REFUSED(guestcred_client_set_url(client, "ftp://x", &err));
    assert_int_equal(guestcred_client_set_url(client, "http://x", &err),
                     GUESTCRED_UNTRUSTED);
    FINE(guestcred_client_set_url(client, "https://127.0.0.1:1", &err));
    REFUSED(guestcred_client_validate(client, ticket, 1000, &err));
    assert_non_null(strstr(err.message, "login"));
    REFUSED(guestcred_client_set_login(client, NULL, "p", 1, &err));
    REFUSED(guestcred_client_set_login(client, "u", NULL, 1, &err));
    REFUSED(guestcred_client_set_login(client, "u", "p", 0, &err));
    REFUSED(guestcred_client_set_login(client, "u", "p\0q", 3, &err));
    REFUSED(guestcred_client_set_login(client, "u", longer, 1025, &err));
    REFUSED(guestcred_client_set_login(client, longer, "p", 1, &err));
    FINE(guestcred_client_set_login(client, "u", SECRET, strlen(SECRET), &err));
    REFUSED(guestcred_client_set_ca_file(client, longer, &err));
    REFUSED(guestcred_client_set_ca_file(client, "", &err));
    REFUSED(guestcred_client_set_ca_file(client, help_path("none"), &err));
    FINE(guestcred_client_set_ca_file(client, NULL, &err));
    REFUSED(guestcred_client_set_proxy(client, "ftp://x", &err));
    FINE(guestcred_client_set_proxy(client, "http://127.0.0.1:1", &err));
    FINE(guestcred_client_set_proxy(client, NULL, &err));
    REFUSED(guestcred_client_set_pin(client, "md5//x", &err));
    FINE(guestcred_client_set_pin(client, NULL, &err));
    REFUSED(guestcred_client_set_insecure(client, 2, &err));
    REFUSED(guestcred_client_set_store(client, "relative", &err));
    REFUSED(guestcred_client_set_store(client, longer, &err));
    FINE(guestcred_client_set_store(client, help_path("a/new/store"), &err));
    FINE(guestcred_client_set_store(client, NULL, &err));
    assert_int_equal(
        guestcred_client_set_login_dir(client, help_path("none"), &err),
        GUESTCRED_NOT_FOUND);
    FINE(guestcred_client_set_login_dir(client, NULL, &err));
    REFUSED(guestcred_client_sweep(client, 1000, NULL, NULL, &err));
    /* That call fixed the settings. */
    REFUSED(guestcred_client_set_url(client, "https://127.0.0.1:2", &err));
    REFUSED(guestcred_client_set_login(client, "u", "p", 1, &err));
    REFUSED(guestcred_client_set_pin(client, NULL, &err));
    REFUSED(guestcred_client_set_insecure(client, 0, &err));
    REFUSED(guestcred_client_set_store(client, NULL, &err));
    REFUSED(guestcred_client_set_login_dir(client, NULL, &err));
    FINE(guestcred_client_set_log(client, NULL, NULL, &err));
    /* Bounds. */
    REFUSED(guestcred_client_validate(client, ticket, 0, &err));
    REFUSED(guestcred_client_validate(client, ticket, -1, &err));
    REFUSED(guestcred_client_validate(client, ticket, GUESTCRED_TIMEOUT_MAX + 1,
                                      &err));
    REFUSED(guestcred_client_locate(client, longer, 1000, vm, &err));
    /* Another vCenter's ticket is not shown to this one. */
    REFUSED(guestcred_client_validate(client, ticket, 1000, &err));
    assert_non_null(strstr(err.message, URL));
    assert_int_equal(err.advice, GUESTCRED_ADVICE_URL);
    REFUSED(guestcred_client_release(client, ticket, 1000, NULL, &err));
    REFUSED(guestcred_client_guest_call(client, ticket, PROCESSES, NULL, 1000,
                                        &(struct guestcred_reply *){NULL},
                                        &err));
    guestcred_ticket_free(ticket);
    guestcred_client_free(client);
}

static void
test_unreachable(void **state)
{
    struct guestcred_client *client = NULL;
    struct guestcred_ticket *ticket = NULL;
    int owed = 7;

    (void)state;
    FINE(guestcred_ticket_from_json(record_json, strlen(record_json), &ticket,
                                    &err));
    FINE(guestcred_client_new(-1, &client, &err));
    FINE(guestcred_client_set_url(client, "https://127.0.0.1:1", &err));
    FINE(guestcred_client_set_login(client, "u", SECRET, strlen(SECRET), &err));
    FINE(guestcred_client_set_store(client, help_path("store"), &err));
    assert_int_equal(guestcred_client_validate(client, ticket, 300, &err),
                     GUESTCRED_UNAVAILABLE);
    assert_int_equal(err.retryable, 1);
    assert_null(strstr(err.message, SECRET));
    /* Nothing confirmed that it is this server's. */
    assert_string_equal(guestcred_ticket_url(ticket), "");
    /* What could not be released is owed. */
    assert_int_equal(guestcred_client_release(client, ticket, 300, NULL, &err),
                     GUESTCRED_UNAVAILABLE);
    assert_string_equal(guestcred_ticket_url(ticket), "");
    assert_int_equal(guestcred_client_sweep(client, 300, NULL, &owed, &err),
                     GUESTCRED_UNAVAILABLE);
    assert_int_equal(owed, 1);
    guestcred_ticket_free(ticket);
    guestcred_client_free(client);
}

/* ---- requests ---- */

static void
test_request(void **state)
{
    struct guestcred_request *r = NULL;
    char longer[GC_PLACE_SIZE + 1];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    FINE(guestcred_request_new(&r, &err));
    REFUSED(guestcred_request_set_vm(r, NULL, &err));
    REFUSED(guestcred_request_set_vm(r, "", &err));
    REFUSED(guestcred_request_set_vm(r, longer, &err));
    REFUSED(guestcred_request_set_target(r, NULL, &err));
    REFUSED(guestcred_request_set_target(r, "no spn", &err));
    REFUSED(guestcred_request_set_target(r, longer, &err));
    FINE(guestcred_request_set_target(r, "host/{vm}.example.test", &err));
    REFUSED(guestcred_request_set_flags(r, 8, &err));
    REFUSED(
        guestcred_request_set_mechanism(r, (enum guestcred_mechanism)3, &err));
    REFUSED(guestcred_request_set_principal(r, "", &err));
    REFUSED(guestcred_request_set_principal(r, longer, &err));
    REFUSED(guestcred_request_set_on_behalf_of(r, longer, &err));
    REFUSED(guestcred_request_set_ccache(r, longer, &err));
    REFUSED(guestcred_request_set_keytab(r, NULL, &err));
    REFUSED(guestcred_request_set_client_keytab(r, NULL, &err));
    REFUSED(guestcred_request_set_password(r, "a\0b", 3, &err));
    REFUSED(guestcred_request_set_password(r, longer, 512, &err));
    REFUSED(guestcred_request_set_password(r, NULL, 1, &err));
    /* What was refused changed nothing. */
    assert_int_equal(r->want.source, GC_SOURCE_DEFAULT);
    assert_string_equal(r->want.place, "");
    FINE(guestcred_request_set_password(r, SECRET, strlen(SECRET), &err));
    assert_string_equal(gc_bytes_text(r->want.password), SECRET);
    FINE(guestcred_request_set_ccache(r, "FILE:/x", &err));
    assert_null(r->want.password);
    assert_null(r->password.data);
    FINE(guestcred_request_set_ccache(r, NULL, &err));
    assert_int_equal(r->want.source, GC_SOURCE_DEFAULT);
    guestcred_request_free(r);
}

/* What depends on several values is checked by the call that uses them. */
static void
test_request_as_a_whole(void **state)
{
    struct guestcred_client *c = NULL;
    struct guestcred_request *r = NULL;
    struct guestcred_ticket *t = NULL;

    (void)state;
    FINE(guestcred_client_new(-1, &c, &err));
    FINE(guestcred_request_new(&r, &err));
    REFUSED(guestcred_client_acquire(c, r, 9, &t, &err));
    assert_non_null(strstr(err.message, "VM"));
    FINE(guestcred_request_set_vm(r, "vm-1", &err));
    REFUSED(guestcred_client_acquire(c, r, 9, &t, &err));
    assert_non_null(strstr(err.message, "target"));
    FINE(guestcred_request_set_target(r, "host/x.example.test", &err));
    REFUSED(guestcred_client_acquire(c, r, 9, &t, &err));
    assert_non_null(strstr(err.message, "URL"));
    FINE(guestcred_request_set_keytab(r, "k", &err));
    REFUSED(guestcred_client_acquire(c, r, 9, &t, &err));
    assert_non_null(strstr(err.message, "principal"));
    FINE(guestcred_request_set_principal(r, "alice", &err));
    FINE(guestcred_request_set_mechanism(r, GUESTCRED_NTLM, &err));
    REFUSED(guestcred_client_acquire(c, r, 9, &t, &err));
    assert_non_null(strstr(err.message, "keytab"));
    FINE(guestcred_request_set_password(r, "pw", 2, &err));
    FINE(guestcred_request_set_on_behalf_of(r, "bob", &err));
    REFUSED(guestcred_client_acquire(c, r, 9, &t, &err));
    assert_non_null(strstr(err.message, "behalf"));
    FINE(guestcred_request_set_on_behalf_of(r, NULL, &err));
    FINE(guestcred_request_set_flags(r, GUESTCRED_MUTUAL, &err));
    REFUSED(guestcred_client_acquire(c, r, 9, &t, &err));
    assert_non_null(strstr(err.message, "NTLM"));
    assert_null(t);
    guestcred_request_free(r);
    guestcred_client_free(c);
}

/* Nothing is sent for a guest operation that is none. */
static void
test_guest_call(void **state)
{
    static const char *const bad[] = {"",
                                      "{",
                                      "[]",
                                      "null",
                                      "{\"vm\":1}",
                                      "{\"auth\":{}}",
                                      "{\"a\":1,\"a\":2}",
                                      "{} {}"};
    struct guestcred_ticket *t = make_ticket("vm-42", 1);
    struct guestcred_client *c = NULL;
    struct guestcred_reply *reply = NULL;
    char *longer = calloc(1, GC_GUEST_PARAMS_MAX + 2);
    const char many[] = "aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeee"
                        "ffffffffffggggg";

    (void)state;
    assert_non_null(longer);
    memset(longer, ' ', GC_GUEST_PARAMS_MAX + 1);
    memcpy(longer, "{}", 2);
    FINE(guestcred_client_new(-1, &c, &err));
    REFUSED(guestcred_client_guest_call(c, t, "GuestAuthManager", "X", NULL,
                                        1000, &reply, &err));
    REFUSED(guestcred_client_guest_call(c, t, "GuestFileManager", "", NULL,
                                        1000, &reply, &err));
    REFUSED(guestcred_client_guest_call(c, t, "GuestFileManager", "A/b", NULL,
                                        1000, &reply, &err));
    REFUSED(guestcred_client_guest_call(c, t, "GuestFileManager", many, NULL,
                                        1000, &reply, &err));
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        REFUSED(guestcred_client_guest_call(c, t, PROCESSES, bad[i], 1000,
                                            &reply, &err));
    REFUSED(guestcred_client_guest_call(c, t, PROCESSES, longer, 1000, &reply,
                                        &err));
    assert_non_null(strstr(err.message, "more than"));
    longer[GC_GUEST_PARAMS_MAX] = '\0';
    REFUSED(guestcred_client_guest_call(c, t, PROCESSES, longer, 1000, &reply,
                                        &err));
    assert_non_null(strstr(err.message, "URL"));
    assert_null(reply);
    free(longer);
    guestcred_client_free(c);
    guestcred_ticket_free(t);
}

/* ---- tickets ---- */

static void
test_ticket(void **state)
{
    static const char auth[] =
        "{\"_typeName\":\"TicketedSessionAuthentication"
        "\",\"interactiveSession\":false,\"ticket\":\"" SECRET "\"}";
    struct guestcred_ticket *t = NULL;
    size_t len;

    (void)state;
    FINE(
        guestcred_ticket_from_json(record_json, strlen(record_json), &t, &err));
    assert_string_equal(guestcred_ticket_vm(t), "vm-42");
    assert_string_equal(guestcred_ticket_name(t), "build");
    assert_string_equal(guestcred_ticket_vcenter(t), UUID);
    assert_string_equal(guestcred_ticket_url(t), "");
    assert_string_equal(guestcred_ticket_principal(t), "alice@EXAMPLE.TEST");
    assert_string_equal(guestcred_ticket_target(t), "host/g.example.test");
    assert_string_equal(guestcred_ticket_store(t), "");
    assert_int_equal(guestcred_ticket_mechanism(t), GUESTCRED_KERBEROS);
    assert_int_equal(guestcred_ticket_mutual(t), 1);
    assert_int_equal(guestcred_ticket_legs(t), 2);
    assert_int_equal(guestcred_ticket_acquired(t), 1767323045);
    assert_int_equal(guestcred_ticket_used(t), 1767323045);
    assert_string_equal(guestcred_ticket_secret(t, &len), SECRET);
    assert_int_equal(len, strlen(SECRET));
    assert_string_equal(guestcred_ticket_auth(t, &len), auth);
    assert_int_equal(len, strlen(auth));
    assert_string_equal(guestcred_ticket_json(t, &len), record_json);
    assert_int_equal(len, strlen(record_json));
    guestcred_ticket_free(t);
}

static void
test_ticket_from_nothing(void **state)
{
    static const char *const bad[] = {"",    "x", "{}", "[]", "{\"version\":1}",
                                      SECRET};
    struct guestcred_ticket *t = NULL;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        assert_int_equal(
            guestcred_ticket_from_json(bad[i], strlen(bad[i]), &t, &err),
            GUESTCRED_PROTOCOL);
        assert_null(strstr(err.message, SECRET));
        assert_null(t);
    }
}

/* ---- stores ---- */

#define UUID2 "2c3d4e5f-0000-4000-8000-00000000dcba"

/* Put a ticket of VM in VCENTER into the store. */
static void
put(const char *vm, int number, const char *vcenter)
{
    GC_AUTO_PTR(gc_store) store = help_open();
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) earlier = {0};

    help_request(&entry, vm);
    snprintf(entry.ticket.vcenter, GC_TICKET_UUID_SIZE, "%s", vcenter);
    assert_int_equal(gc_store_intent(store, &entry, NULL), GC_OK);
    help_issue(&entry, number);
    assert_int_equal(gc_store_ticket(store, &entry, NULL, &earlier, NULL),
                     GC_OK);
}

static size_t
count(struct guestcred_store *store, const char *vm)
{
    struct guestcred_tickets *all = NULL;
    size_t n;

    FINE(guestcred_store_list(store, vm, &all, &err));
    n = guestcred_tickets_count(all);
    assert_null(guestcred_tickets_get(all, n));
    guestcred_tickets_free(all);
    return n;
}

static void
test_store(void **state)
{
    struct guestcred_tickets *all = NULL;
    struct guestcred_ticket *ticket;
    struct guestcred_store *store = NULL;
    GC_AUTO_PTR(gc_store) below = NULL;

    (void)state;
    assert_int_equal(guestcred_store_open(help_path("store"), &store, &err),
                     GUESTCRED_NOT_FOUND);
    below = help_open();
    FINE(guestcred_store_open(help_path("store"), &store, &err));
    assert_string_equal(guestcred_store_path(store), help_path("store"));
    assert_int_equal(count(store, NULL), 0);
    put("vm-42", 1, UUID);
    put("vm-4", 2, UUID);
    put("vm-42", 3, UUID2);
    assert_int_equal(count(store, NULL), 3);
    assert_int_equal(count(store, "vm-42"), 2);
    assert_int_equal(count(store, "name:vm-42"), 2);
    assert_int_equal(count(store, "VirtualMachine:vm-4"), 1);
    assert_int_equal(count(store, UUID "/vm-42"), 1);
    assert_int_equal(count(store, UUID2 "/vm-4"), 0);
    assert_int_equal(count(store, "2c3d/vm-42"), 0);
    assert_int_equal(count(store, "build"), 0);
    REFUSED(guestcred_store_list(store, "", &all, &err));
    FINE(guestcred_store_list(store, UUID2 "/vm-42", &all, &err));
    ticket = guestcred_tickets_get(all, 0);
    assert_string_equal(guestcred_ticket_vcenter(ticket), UUID2);
    assert_string_equal(guestcred_ticket_url(ticket), URL);
    assert_string_equal(guestcred_ticket_store(ticket), help_path("store"));
    FINE(guestcred_ticket_forget(ticket, &err));
    assert_string_equal(guestcred_ticket_store(ticket), "");
    assert_int_equal(count(store, "vm-42"), 1);
    FINE(guestcred_ticket_forget(ticket, &err));
    guestcred_tickets_free(all);
    /* Forgotten by another process meanwhile. */
    FINE(guestcred_store_list(store, "vm-42", &all, &err));
    assert_int_equal(
        gc_store_refused(below, &guestcred_tickets_get(all, 0)->entry, NULL),
        GC_OK);
    FINE(guestcred_ticket_forget(guestcred_tickets_get(all, 0), &err));
    guestcred_tickets_free(all);
    assert_int_equal(count(store, NULL), 1);
    guestcred_store_free(store);
}

static void
count_lines(void *user, int level, const char *line)
{
    int *lines = user;

    assert_int_equal(level, GUESTCRED_LOG_STEP);
    assert_null(strchr(line, '\n'));
    (*lines)++;
}

static void
test_skipped(void **state)
{
    struct guestcred_store *store = NULL;
    int lines = 0;

    (void)state;
    put("vm-42", 1, UUID);
    help_file(help_in_store("0123456789abcdef0123456789abcdef"), "torn", -1,
              0600);
    FINE(guestcred_store_open(help_path("store"), &store, &err));
    FINE(guestcred_store_set_log(store, count_lines, &lines, &err));
    assert_int_equal(count(store, NULL), 1);
    assert_int_equal(lines, 1);
    FINE(guestcred_store_set_log(store, NULL, NULL, &err));
    assert_int_equal(count(store, NULL), 1);
    assert_int_equal(lines, 1);
    guestcred_store_free(store);
}

/* ---- what a login left ---- */

static void
test_login_variable(void **state)
{
    char set[600], other[] = "GUESTCRED_LOGIN=/other";
    char path[] = "PATH=/bin", close[] = "GUESTCRED_LOGINS=/x";
    char empty[] = "GUESTCRED_LOGIN=", odd[] = "GUESTCRED_LOGIN";
    char *none[] = {path, close, odd, NULL}, *void_one[] = {empty, NULL};
    char *one[] = {path, set, NULL}, *two[] = {set, other, NULL};
    struct guestcred_ticket *got = NULL;

    (void)state;
    snprintf(set, sizeof(set), "GUESTCRED_LOGIN=%s", help_path("store"));
    /* Our own environment is not looked at. */
    assert_int_equal(setenv("GUESTCRED_LOGIN", help_path("store"), 1), 0);
    assert_int_equal(guestcred_ticket_from_pam_env(one, NULL, &got, &err),
                     GUESTCRED_NOT_FOUND); /* and no store is made */
    assert_int_not_equal(access(help_path("store"), F_OK), 0);
    put("vm-42", 1, UUID);
    assert_int_equal(guestcred_ticket_from_pam_env(none, NULL, &got, &err),
                     GUESTCRED_NOT_FOUND);
    assert_non_null(strstr(err.message, "GUESTCRED_LOGIN"));
    assert_int_equal(guestcred_ticket_from_pam_env(void_one, NULL, &got, &err),
                     GUESTCRED_NOT_FOUND);
    REFUSED(guestcred_ticket_from_pam_env(two, NULL, &got, &err));
    if (geteuid() != 0) /* such a directory is root's */
        REFUSED(guestcred_ticket_from_pam_env(one, NULL, &got, &err));
    assert_null(got);
    assert_int_equal(unsetenv("GUESTCRED_LOGIN"), 0);
}

static void
test_login(void **state)
{
    char set[600], *same[] = {set, set, NULL};
    struct guestcred_ticket *got = NULL;
    struct guestcred_store *store = NULL;
    struct guestcred_client *client = NULL;

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root to write a login's tickets");
    snprintf(set, sizeof(set), "GUESTCRED_LOGIN=%s", help_path("store"));
    put("vm-42", 1, UUID);
    FINE(guestcred_ticket_from_pam_env(same, NULL, &got, &err));
    assert_string_equal(guestcred_ticket_vm(got), "vm-42");
    assert_string_equal(guestcred_ticket_store(got), help_path("store"));
    /* It ends with the login, and not before. */
    REFUSED(guestcred_ticket_forget(got, &err));
    guestcred_ticket_free(got);
    put("vm-43", 1, UUID);
    REFUSED(guestcred_ticket_from_pam_env(same, NULL, &got, &err));
    FINE(guestcred_ticket_from_pam_env(same, "vm-43", &got, &err));
    assert_string_equal(guestcred_ticket_vm(got), "vm-43");
    guestcred_ticket_free(got);
    assert_int_equal(guestcred_ticket_from_pam_env(same, "vm-44", &got, &err),
                     GUESTCRED_NOT_FOUND);
    FINE(guestcred_store_from_pam_env(same, &store, &err));
    assert_int_equal(count(store, NULL), 2);
    guestcred_store_free(store);
    FINE(guestcred_client_new(-1, &client, &err));
    FINE(guestcred_client_set_login_dir(client, help_path("store"), &err));
    guestcred_client_free(client);
}

/* ---- after a fork ---- */

static void
test_fork(void **state)
{
    struct guestcred_ticket *ticket = make_ticket("vm-42", 1);
    struct guestcred_client *client = NULL;
    int status;
    pid_t pid;

    (void)state;
    FINE(guestcred_client_new(-1, &client, &err));
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int bad = guestcred_client_set_url(client, "https://x", &err)
                      != GUESTCRED_CONFIG
                  || guestcred_client_validate(client, ticket, 1000, &err)
                         != GUESTCRED_CONFIG
                  || strstr(err.message, "fork") == NULL;

        guestcred_client_free(client);
        _exit(bad);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    FINE(guestcred_client_set_url(client, "https://127.0.0.1:1", &err));
    guestcred_client_free(client);
    guestcred_ticket_free(ticket);
}

/* ---- the exchange ---- */

static void
scripted_end(struct gc_initiator *initiator)
{
    (void)initiator;
    script.ends++;
}

static void
scripted_free(struct gc_initiator *initiator)
{
    (void)initiator;
}

/* However an acquire went, nothing of its exchange is there afterwards. */
static void
test_exchange_ends(void **state)
{
    static const gc_status cases[] = {GC_OK, GC_E_DENIED, GC_E_CANCELED};
    static const struct gc_initiator_ops ops = {.end = scripted_end,
                                                .free = scripted_free};
    struct gc_initiator initiator = {&ops};
    struct guestcred_client *client = NULL;
    struct guestcred_request *request = NULL;

    (void)state;
    FINE(guestcred_client_new(-1, &client, &err));
    FINE(guestcred_client_set_url(client, "https://127.0.0.1:1", &err));
    FINE(guestcred_client_set_login(client, "u", SECRET, strlen(SECRET), &err));
    FINE(guestcred_request_new(&request, &err));
    FINE(guestcred_request_set_vm(request, "vm-42", &err));
    FINE(guestcred_request_set_target(request, "host/g.example.test", &err));
    gc_initiator_free(client->initiator);
    client->initiator = &initiator;
    script.on = true;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct guestcred_ticket *ticket = NULL;

        script.st = cases[i];
        script.ends = 0;
        assert_int_equal(
            guestcred_client_acquire(client, request, 1000, &ticket, &err),
            (int)cases[i]);
        assert_true((cases[i] == GC_OK) == (ticket != NULL));
        assert_int_equal(script.ends, 1);
        guestcred_ticket_free(ticket);
    }
    script.on = false;
    guestcred_request_free(request);
    guestcred_client_free(client);
}

/* ---- no memory ---- */

/* Call with 0, 1, 2 … allocations to go; true when memory was enough. */
static int
enough(int (*call)(void))
{
    for (int n = 0; n < 1000; n++) {
        int st;

        left = n;
        st = call();
        left = -1;
        if (st == GUESTCRED_OK)
            return n;
        assert_int_equal(st, GUESTCRED_NO_MEMORY);
    }
    return 0;
}

static int
memory_ticket(void)
{
    struct guestcred_ticket *t = NULL;
    int st = (int)guestcred_ticket_from_json(record_json, strlen(record_json),
                                             &t, NULL);

    assert_true((st == 0) == (t != NULL));
    guestcred_ticket_free(t);
    return st;
}

static int
memory_client(void)
{
    struct guestcred_client *c = NULL;
    enum guestcred_status st = guestcred_client_new(-1, &c, NULL);

    assert_true((st == 0) == (c != NULL));
    if (st == 0)
        st = guestcred_client_set_login(c, "u", "p", 1, NULL);
    if (st == 0)
        st = guestcred_client_set_proxy(c, "http://x", NULL);
    guestcred_client_free(c);
    return (int)st;
}

static int
memory_request(void)
{
    struct guestcred_request *r = NULL;
    enum guestcred_status st = guestcred_request_new(&r, NULL);

    if (st == 0)
        st = guestcred_request_set_password(r, "pw", 2, NULL);
    guestcred_request_free(r);
    return (int)st;
}

static struct guestcred_store *memory_open;

static int
memory_list(void)
{
    struct guestcred_tickets *all = NULL;
    enum guestcred_status st =
        guestcred_store_list(memory_open, NULL, &all, NULL);

    assert_true((st == 0) == (all != NULL));
    assert_true(st != 0 || guestcred_tickets_count(all) == 2);
    guestcred_tickets_free(all);
    return (int)st;
}

static void
test_no_memory(void **state)
{
    (void)state;
    assert_true(enough(memory_ticket) > 3);
    assert_true(enough(memory_client) > 3);
    assert_true(enough(memory_request) > 1);
    put("vm-42", 1, UUID);
    put("vm-43", 2, UUID);
    FINE(guestcred_store_open(help_path("store"), &memory_open, &err));
    assert_true(enough(memory_list) > 3);
    guestcred_store_free(memory_open);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_null_client),
        cmocka_unit_test(test_null),
        cmocka_unit_test_setup_teardown(test_client, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unreachable, setup, teardown),
        cmocka_unit_test(test_request),
        cmocka_unit_test(test_request_as_a_whole),
        cmocka_unit_test(test_guest_call),
        cmocka_unit_test(test_ticket),
        cmocka_unit_test(test_ticket_from_nothing),
        cmocka_unit_test_setup_teardown(test_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_login_variable, setup, teardown),
        cmocka_unit_test_setup_teardown(test_login, setup, teardown),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_exchange_ends),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
