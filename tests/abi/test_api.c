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

#include "tests/unit/store_help.h"

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

/* ---- a custody that is a script, on demand ---- */

static struct {
    bool on;
    gc_status st; /* how the next acquire ends */
    int ends;     /* of the initiator, so far */
} script;

gc_status __real_gc_custody_acquire(const struct gc_custody *custody,
                                    struct gc_initiator *initiator,
                                    const struct gc_custody_request *request,
                                    const struct gc_want *want,
                                    struct gc_limit limit,
                                    struct gc_record *ret_record,
                                    struct gc_error *error);
gc_status __wrap_gc_custody_acquire(const struct gc_custody *custody,
                                    struct gc_initiator *initiator,
                                    const struct gc_custody_request *request,
                                    const struct gc_want *want,
                                    struct gc_limit limit,
                                    struct gc_record *ret_record,
                                    struct gc_error *error);
gc_status
__wrap_gc_custody_acquire(const struct gc_custody *custody,
                          struct gc_initiator *initiator,
                          const struct gc_custody_request *request,
                          const struct gc_want *want, struct gc_limit limit,
                          struct gc_record *ret_record, struct gc_error *error)
{
    if (!script.on)
        return __real_gc_custody_acquire(custody, initiator, request, want,
                                         limit, ret_record, error);
    /* The exchange is the custody's until it returns. */
    assert_int_equal(script.ends, 0);
    if (script.st == GC_OK) {
        help_record(ret_record, "vm-42", 1);
        return GC_OK;
    }
    return gc_fail(error, script.st, "the script says so");
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
    GC_AUTO(gc_record) record = {0};
    struct guestcred_ticket *ticket = NULL;

    help_record(&record, vm, number);
    assert_int_equal(gc_api_ticket_new(&record, "", &ticket, NULL), GC_OK);
    return ticket;
}

static int
setup(void **state)
{
    *state = NULL;
    (void)help_mkdir();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    help_rmdir();
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
    assert_string_equal(err.fault, "TaskInProgress");
    assert_int_equal(err.gss_major, 7);
    assert_int_equal(err.gss_minor, 8);
    assert_int_equal(err.retryable, 1);
    assert_int_equal(gc_api_done(st, &why, NULL), GUESTCRED_BUSY);
}

/* ---- misuse ---- */

static void
test_null(void **state)
{
    struct guestcred_ticket *ticket = make_ticket("vm-42", 1), *other = NULL;
    struct guestcred_ticket **tickets = NULL;
    struct guestcred_store *store = NULL;
    struct guestcred_client *client = NULL;
    char vm[GUESTCRED_VM_SIZE];
    char *env[] = {NULL};
    size_t count;

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
    REFUSED(guestcred_client_set_store(NULL, "DIR:/x", &err));
    REFUSED(guestcred_client_set_ledger(NULL, "/x", &err));
    REFUSED(guestcred_logout(NULL, &err));
    REFUSED(guestcred_credential_new(NULL, &err));
    REFUSED(guestcred_credential_set_mechanism(NULL, GUESTCRED_NTLM, &err));
    REFUSED(guestcred_credential_set_mutual(NULL, 1, &err));
    REFUSED(guestcred_credential_set_principal(NULL, "p", &err));
    REFUSED(guestcred_credential_set_ccache(NULL, "c", &err));
    REFUSED(guestcred_credential_set_keytab(NULL, "k", "p", &err));
    REFUSED(guestcred_credential_set_client_keytab(NULL, "k", "p", &err));
    REFUSED(guestcred_credential_set_password(NULL, "p", "w", 1, &err));
    REFUSED(guestcred_credential_set_on_behalf_of(NULL, "u", &err));
    REFUSED(guestcred_acquire(NULL, NULL, NULL, NULL, 0, 1, NULL, &err));
    REFUSED(guestcred_acquire(NULL, NULL, "vm", "t", 0, 1, &other, &err));
    REFUSED(guestcred_validate(NULL, ticket, 1, &err));
    REFUSED(guestcred_validate(NULL, NULL, 1, &err));
    REFUSED(guestcred_release(NULL, ticket, 1, NULL, &err));
    REFUSED(guestcred_release(NULL, NULL, 1, NULL, &err));
    REFUSED(guestcred_sweep(NULL, 1, NULL, NULL, &err));
    REFUSED(guestcred_locate(NULL, "vm-42", 1, vm, &err));
    REFUSED(guestcred_locate(NULL, "vm-42", 1, NULL, &err));
    REFUSED(guestcred_ticket_from_json(NULL, 1, &other, &err));
    REFUSED(guestcred_ticket_from_json("{}", 2, NULL, &err));
    REFUSED(guestcred_store_open(NULL, 1, &store, &err));
    REFUSED(guestcred_store_open("DIR:/x", 1, NULL, &err));
    REFUSED(guestcred_store_open("DIR:/x", 2, &store, &err));
    REFUSED(guestcred_store_open("", 1, &store, &err));
    REFUSED(guestcred_store_set_log(NULL, NULL, NULL, &err));
    REFUSED(guestcred_store_list(NULL, &tickets, &count, &err));
    REFUSED(guestcred_store_get(NULL, NULL, &other, &err));
    REFUSED(guestcred_store_put(NULL, ticket, &other, &err));
    REFUSED(guestcred_store_forget(NULL, ticket, &err));
    REFUSED(guestcred_store_from_pam_env(NULL, &store, &err));
    REFUSED(guestcred_store_from_pam_env(env, NULL, &err));
    REFUSED(guestcred_ticket_from_pam_env(NULL, NULL, &other, &err));
    REFUSED(guestcred_ticket_from_pam_env(env, NULL, NULL, &err));
    /* Without anybody to tell. */
    assert_int_equal(guestcred_validate(NULL, NULL, 1, NULL), GUESTCRED_CONFIG);
    guestcred_client_free(NULL);
    guestcred_credential_free(NULL);
    guestcred_ticket_free(NULL);
    guestcred_tickets_free(NULL, 3);
    guestcred_store_free(NULL);
    guestcred_ticket_free(ticket);
}

static void
test_null_ticket(void **state)
{
    size_t len = 9;

    (void)state;
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
    assert_null(guestcred_store_name(NULL));
}

static void
test_client(void **state)
{
    struct guestcred_client *client = NULL;
    struct guestcred_credential *credential = NULL;
    struct guestcred_ticket *ticket = make_ticket("vm-42", 1), *got = NULL;
    char longer[GC_API_TEXT_MAX + 2];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    FINE(guestcred_client_new(-1, &client, &err));
    FINE(guestcred_credential_new(&credential, &err));
    /* Nothing to log out of. */
    FINE(guestcred_logout(client, &err));
    REFUSED(guestcred_validate(client, ticket, 1000, &err));
    assert_non_null(strstr(err.message, "URL"));
    REFUSED(guestcred_client_set_url(client, "", &err));
    REFUSED(guestcred_client_set_url(client, longer, &err));
    FINE(guestcred_client_set_url(client, "https://127.0.0.1:1", &err));
    REFUSED(guestcred_validate(client, ticket, 1000, &err));
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
    FINE(guestcred_client_set_ca_file(client, NULL, &err));
    FINE(guestcred_client_set_proxy(client, "http://127.0.0.1:1", &err));
    FINE(guestcred_client_set_proxy(client, NULL, &err));
    FINE(guestcred_client_set_pin(client, NULL, &err));
    REFUSED(guestcred_client_set_insecure(client, 2, &err));
    REFUSED(guestcred_client_set_store(client, "FILE:/x", &err));
    REFUSED(guestcred_client_set_store(client, longer, &err));
    FINE(guestcred_client_set_store(client, help_name("store"), &err));
    FINE(guestcred_client_set_store(client, NULL, &err));
    REFUSED(guestcred_client_set_ledger(client, "relative", &err));
    FINE(guestcred_client_set_ledger(client, help_path("ledger"), &err));
    FINE(guestcred_client_set_ledger(client, NULL, &err));
    REFUSED(guestcred_sweep(client, 1000, NULL, NULL, &err));
    /* That call settled the server. */
    REFUSED(guestcred_client_set_url(client, "https://127.0.0.1:2", &err));
    REFUSED(guestcred_client_set_login(client, "u", "p", 1, &err));
    REFUSED(guestcred_client_set_pin(client, NULL, &err));
    REFUSED(guestcred_client_set_insecure(client, 0, &err));
    /* Bounds. */
    REFUSED(guestcred_validate(client, ticket, 0, &err));
    REFUSED(guestcred_validate(client, ticket, -1, &err));
    REFUSED(
        guestcred_validate(client, ticket, GUESTCRED_TIMEOUT_MAX + 1, &err));
    REFUSED(
        guestcred_acquire(client, NULL, "vm-1", "host/x", 0, 9, &got, &err));
    REFUSED(guestcred_acquire(client, credential, NULL, "t", 0, 9, &got, &err));
    REFUSED(
        guestcred_acquire(client, credential, "vm-1", NULL, 0, 9, &got, &err));
    REFUSED(guestcred_acquire(client, credential, "vm-1", longer, 0, 9, &got,
                              &err));
    REFUSED(guestcred_acquire(client, credential, "vm-1", "host/x", 4, 9, &got,
                              &err));
    REFUSED(guestcred_acquire(client, credential, longer, "host/x", 0, 9, &got,
                              &err));
    assert_null(got);
    /* Another vCenter's ticket is not shown to this one. */
    REFUSED(guestcred_validate(client, ticket, 1000, &err));
    assert_non_null(strstr(err.message, URL));
    REFUSED(guestcred_release(client, ticket, 1000, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_credential_free(credential);
    guestcred_client_free(client);
}

static void
test_refused(void **state)
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
    FINE(guestcred_client_set_ledger(client, help_path("ledger"), &err));
    assert_int_equal(guestcred_validate(client, ticket, 300, &err),
                     GUESTCRED_UNAVAILABLE);
    assert_int_equal(err.retryable, 1);
    assert_null(strstr(err.message, SECRET));
    /* Nobody confirmed that it is this server's. */
    assert_string_equal(guestcred_ticket_url(ticket), "");
    /* What could not be released is owed. */
    assert_int_equal(guestcred_release(client, ticket, 300, NULL, &err),
                     GUESTCRED_UNAVAILABLE);
    assert_string_equal(guestcred_ticket_url(ticket), "");
    assert_int_equal(guestcred_sweep(client, 300, NULL, &owed, &err),
                     GUESTCRED_UNAVAILABLE);
    assert_int_equal(owed, 1);
    guestcred_ticket_free(ticket);
    guestcred_client_free(client);
}

static void
test_credential(void **state)
{
    struct guestcred_credential *c = NULL;
    char longer[GC_PLACE_SIZE + 1];

    (void)state;
    memset(longer, 'x', sizeof(longer));
    longer[sizeof(longer) - 1] = '\0';
    FINE(guestcred_credential_new(&c, &err));
    REFUSED(guestcred_credential_set_mechanism(c, (enum guestcred_mechanism)3,
                                               &err));
    REFUSED(guestcred_credential_set_mutual(c, 2, &err));
    REFUSED(guestcred_credential_set_principal(c, "", &err));
    REFUSED(guestcred_credential_set_principal(c, longer, &err));
    REFUSED(guestcred_credential_set_ccache(c, NULL, &err));
    REFUSED(guestcred_credential_set_ccache(c, longer, &err));
    REFUSED(guestcred_credential_set_keytab(c, "k", NULL, &err));
    REFUSED(guestcred_credential_set_client_keytab(c, NULL, "p", &err));
    REFUSED(guestcred_credential_set_password(c, "p", "a\0b", 3, &err));
    REFUSED(guestcred_credential_set_password(c, "p", longer, 512, &err));
    REFUSED(guestcred_credential_set_password(c, NULL, "w", 1, &err));
    /* What was refused changed nothing. */
    assert_int_equal(c->want.source, GC_SOURCE_DEFAULT);
    assert_string_equal(c->want.place, "");
    FINE(guestcred_credential_set_password(c, "alice", SECRET, strlen(SECRET),
                                           &err));
    assert_string_equal(gc_bytes_text(c->want.password), SECRET);
    REFUSED(guestcred_credential_set_principal(c, NULL, &err));
    FINE(guestcred_credential_set_ccache(c, "FILE:/x", &err));
    assert_null(c->want.password);
    assert_null(c->password.data);
    FINE(guestcred_credential_set_principal(c, NULL, &err));
    FINE(guestcred_credential_set_on_behalf_of(c, "bob", &err));
    REFUSED(guestcred_credential_set_mechanism(c, GUESTCRED_NTLM, &err));
    FINE(guestcred_credential_set_on_behalf_of(c, NULL, &err));
    REFUSED(guestcred_credential_set_mechanism(c, GUESTCRED_NTLM, &err));
    FINE(guestcred_credential_set_password(c, "alice", "pw", 2, &err));
    FINE(guestcred_credential_set_mechanism(c, GUESTCRED_NTLM, &err));
    REFUSED(guestcred_credential_set_mutual(c, 1, &err));
    REFUSED(guestcred_credential_set_on_behalf_of(c, "bob", &err));
    FINE(guestcred_credential_set_mechanism(c, GUESTCRED_NEGOTIATE, &err));
    FINE(guestcred_credential_set_mutual(c, 1, &err));
    guestcred_credential_free(c);
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

static struct guestcred_store *
open_store(void)
{
    struct guestcred_store *store = NULL;

    FINE(guestcred_store_open(help_name("store"), 1, &store, &err));
    return store;
}

static void
test_store(void **state)
{
    struct guestcred_ticket *a = make_ticket("vm-42", 1), *earlier = a;
    struct guestcred_ticket *again = make_ticket("vm-42", 2), *got = NULL;
    struct guestcred_ticket **all = NULL;
    struct guestcred_store *store = NULL;
    size_t count = 9;

    (void)state;
    assert_int_equal(guestcred_store_open(help_name("store"), 0, &store, &err),
                     GUESTCRED_NOT_FOUND);
    store = open_store();
    assert_string_equal(guestcred_store_name(store), help_name("store"));
    assert_int_equal(guestcred_store_get(store, NULL, &got, &err),
                     GUESTCRED_NOT_FOUND);
    FINE(guestcred_store_list(store, &all, &count, &err));
    assert_int_equal(count, 0);
    assert_null(all[0]);
    guestcred_tickets_free(all, count);

    FINE(guestcred_store_put(store, a, &earlier, &err));
    assert_null(earlier);
    assert_string_equal(guestcred_ticket_store(a), help_name("store"));
    REFUSED(guestcred_store_put(store, a, &earlier, &err));
    /* Another for the same purpose: the first one stays. */
    FINE(guestcred_store_put(store, again, &earlier, &err));
    assert_non_null(earlier);
    assert_string_equal(guestcred_ticket_secret(earlier, NULL),
                        guestcred_ticket_secret(a, NULL));
    assert_string_equal(guestcred_ticket_store(again), "");
    REFUSED(guestcred_store_forget(store, again, &err));

    FINE(guestcred_store_get(store, "vm-42", &got, &err));
    assert_string_equal(guestcred_ticket_json(got, NULL),
                        guestcred_ticket_json(a, NULL));
    assert_string_equal(guestcred_ticket_url(got), URL);
    FINE(guestcred_store_forget(store, got, &err));
    assert_string_equal(guestcred_ticket_store(got), "");
    /* Forgotten by somebody else meanwhile. */
    FINE(guestcred_store_forget(store, a, &err));
    assert_int_equal(help_names("store", "vm-42"), 0);
    guestcred_ticket_free(got);
    guestcred_ticket_free(a);
    guestcred_ticket_free(again);
    guestcred_ticket_free(earlier);
    guestcred_store_free(store);
}

static void
test_store_of_none(void **state)
{
    struct guestcred_ticket *ticket = NULL, *earlier = NULL;
    struct guestcred_store *store = open_store();

    (void)state;
    FINE(guestcred_ticket_from_json(record_json, strlen(record_json), &ticket,
                                    &err));
    REFUSED(guestcred_store_put(store, ticket, &earlier, &err));
    assert_non_null(strstr(err.message, "vCenter"));
    guestcred_ticket_free(ticket);
    guestcred_store_free(store);
}

static void
put(struct guestcred_store *store, const char *vm, const char *principal,
    const char *vcenter)
{
    struct guestcred_ticket *ticket = make_ticket(vm, 1), *earlier = NULL;

    snprintf(ticket->record.ticket.principal, GC_PRINCIPAL_SIZE, "%s",
             principal);
    snprintf(ticket->record.ticket.vcenter, GC_TICKET_UUID_SIZE, "%s", vcenter);
    FINE(guestcred_store_put(store, ticket, &earlier, &err));
    assert_null(earlier);
    guestcred_ticket_free(ticket);
}

#define UUID2 "2c3d4e5f-0000-4000-8000-00000000dcba"

static void
test_which(void **state)
{
    struct guestcred_store *store = open_store();
    struct guestcred_ticket *got = NULL;
    struct guestcred_ticket **all = NULL;
    size_t count = 0;

    (void)state;
    put(store, "vm-42", "alice@X", UUID);
    FINE(guestcred_store_get(store, NULL, &got, &err));
    guestcred_ticket_free(got);
    put(store, "vm-4", "alice@X", UUID);
    REFUSED(guestcred_store_get(store, NULL, &got, &err));
    FINE(guestcred_store_get(store, "vm-4", &got, &err));
    assert_string_equal(guestcred_ticket_vm(got), "vm-4");
    guestcred_ticket_free(got);
    put(store, "vm-42", "alice@X", UUID2);
    REFUSED(guestcred_store_get(store, "vm-42", &got, &err));
    FINE(guestcred_store_get(store, UUID2 "/vm-42", &got, &err));
    assert_string_equal(guestcred_ticket_vcenter(got), UUID2);
    guestcred_ticket_free(got);
    assert_int_equal(guestcred_store_get(store, UUID2 "/vm-4", &got, &err),
                     GUESTCRED_NOT_FOUND);
    assert_int_equal(guestcred_store_get(store, "2c3d/vm-42", &got, &err),
                     GUESTCRED_NOT_FOUND);
    assert_int_equal(guestcred_store_get(store, "build", &got, &err),
                     GUESTCRED_NOT_FOUND);
    put(store, "vm-42", "bob@X", UUID2);
    REFUSED(guestcred_store_get(store, UUID2 "/vm-42", &got, &err));
    FINE(guestcred_store_list(store, &all, &count, &err));
    assert_int_equal(count, 4);
    assert_null(all[4]);
    /* One is taken out. */
    got = all[2];
    all[2] = NULL;
    guestcred_tickets_free(all, count);
    assert_non_null(guestcred_ticket_auth(got, NULL));
    guestcred_ticket_free(got);
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
    struct guestcred_store *store = open_store();
    struct guestcred_ticket *got = NULL;
    int lines = 0;

    (void)state;
    put(store, "vm-42", "alice@X", UUID);
    help_file("store/vm-43.0123456789abcdef.ticket", "torn", 4, 0600);
    FINE(guestcred_store_set_log(store, count_lines, &lines, &err));
    FINE(guestcred_store_get(store, NULL, &got, &err));
    assert_int_equal(lines, 1);
    guestcred_ticket_free(got);
    FINE(guestcred_store_set_log(store, NULL, NULL, &err));
    FINE(guestcred_store_get(store, NULL, &got, &err));
    assert_int_equal(lines, 1);
    guestcred_ticket_free(got);
    guestcred_store_free(store);
}

/* ---- what a login left ---- */

static void
test_pam_env(void **state)
{
    char name[GC_API_STORE_SIZE + 32], other[64] = "GUESTCRED_CACHE=DIR:/other";
    char longer[GC_API_STORE_SIZE + 32];
    char path[] = "PATH=/bin", close[] = "GUESTCRED_CACHES=DIR:/x";
    char empty[] = "GUESTCRED_CACHE=", odd[] = "GUESTCRED_CACHE";
    char *none[] = {path, close, odd, NULL}, *void_one[] = {empty, NULL};
    char *one[] = {path, name, NULL}, *same[] = {name, path, name, NULL};
    char *two[] = {name, other, NULL}, *too_long[] = {longer, NULL};
    struct guestcred_ticket *got = NULL;
    struct guestcred_store *store = NULL;

    (void)state;
    memset(longer, 'x', sizeof(longer));
    memcpy(longer, empty, strlen(empty));
    longer[sizeof(longer) - 1] = '\0';
    snprintf(name, sizeof(name), "GUESTCRED_CACHE=%s", help_name("store"));
    /* What is in our own environment is nobody's business. */
    assert_int_equal(setenv("GUESTCRED_CACHE", help_name("store"), 1), 0);
    assert_int_equal(guestcred_ticket_from_pam_env(one, NULL, &got, &err),
                     GUESTCRED_NOT_FOUND); /* and no store is made */
    assert_int_not_equal(access(help_path("store"), F_OK), 0);
    store = open_store();
    put(store, "vm-42", "alice@X", UUID);
    assert_int_equal(guestcred_ticket_from_pam_env(none, NULL, &got, &err),
                     GUESTCRED_NOT_FOUND);
    assert_non_null(strstr(err.message, "GUESTCRED_CACHE"));
    assert_int_equal(guestcred_ticket_from_pam_env(void_one, NULL, &got, &err),
                     GUESTCRED_NOT_FOUND);
    REFUSED(guestcred_ticket_from_pam_env(two, NULL, &got, &err));
    REFUSED(guestcred_ticket_from_pam_env(too_long, NULL, &got, &err));
    assert_null(got);
    FINE(guestcred_ticket_from_pam_env(one, NULL, &got, &err));
    assert_string_equal(guestcred_ticket_vm(got), "vm-42");
    assert_string_equal(guestcred_ticket_store(got), help_name("store"));
    guestcred_ticket_free(got);
    FINE(guestcred_ticket_from_pam_env(same, "vm-42", &got, &err));
    guestcred_ticket_free(got);
    put(store, "vm-43", "alice@X", UUID);
    REFUSED(guestcred_ticket_from_pam_env(one, NULL, &got, &err));
    FINE(guestcred_ticket_from_pam_env(one, "vm-43", &got, &err));
    assert_string_equal(guestcred_ticket_vm(got), "vm-43");
    guestcred_ticket_free(got);
    guestcred_store_free(store);
    FINE(guestcred_store_from_pam_env(one, &store, &err));
    guestcred_store_free(store);
    assert_int_equal(unsetenv("GUESTCRED_CACHE"), 0);
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
                  || guestcred_validate(client, ticket, 1000, &err)
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
    struct guestcred_credential *credential = NULL;

    (void)state;
    FINE(guestcred_client_new(-1, &client, &err));
    FINE(guestcred_client_set_url(client, "https://127.0.0.1:1", &err));
    FINE(guestcred_client_set_login(client, "u", SECRET, strlen(SECRET), &err));
    FINE(guestcred_credential_new(&credential, &err));
    gc_initiator_free(client->initiator);
    client->initiator = &initiator;
    script.on = true;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct guestcred_ticket *ticket = NULL;

        script.st = cases[i];
        script.ends = 0;
        assert_int_equal(guestcred_acquire(client, credential, "vm-42",
                                           "host/g.example.test", 0, 1000,
                                           &ticket, &err),
                         (int)cases[i]);
        assert_true((cases[i] == GC_OK) == (ticket != NULL));
        assert_int_equal(script.ends, 1);
        guestcred_ticket_free(ticket);
    }
    script.on = false;
    guestcred_credential_free(credential);
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
        st = guestcred_client_set_ca_file(c, "/x", NULL);
    if (st == 0)
        st = guestcred_client_set_pin(c, "x", NULL);
    guestcred_client_free(c);
    return (int)st;
}

static int
memory_credential(void)
{
    struct guestcred_credential *c = NULL;
    enum guestcred_status st = guestcred_credential_new(&c, NULL);

    guestcred_credential_free(c);
    return (int)st;
}

static struct guestcred_store *memory_open;

static int
memory_list(void)
{
    struct guestcred_ticket **all = NULL;
    size_t count = 0;
    enum guestcred_status st =
        guestcred_store_list(memory_open, &all, &count, NULL);

    assert_true((st == 0) == (all != NULL));
    assert_true(st != 0 || count == 2);
    guestcred_tickets_free(all, count);
    return (int)st;
}

static void
test_no_memory(void **state)
{
    (void)state;
    assert_true(enough(memory_ticket) > 3);
    assert_true(enough(memory_client) > 3);
    assert_true(enough(memory_credential) > 0);
    memory_open = open_store();
    put(memory_open, "vm-42", "alice@X", UUID);
    put(memory_open, "vm-43", "alice@X", UUID);
    assert_true(enough(memory_list) > 3);
    guestcred_store_free(memory_open);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_version),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_null),
        cmocka_unit_test(test_null_ticket),
        cmocka_unit_test_setup_teardown(test_client, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test(test_credential),
        cmocka_unit_test(test_ticket),
        cmocka_unit_test(test_ticket_from_nothing),
        cmocka_unit_test_setup_teardown(test_store, setup, teardown),
        cmocka_unit_test_setup_teardown(test_store_of_none, setup, teardown),
        cmocka_unit_test_setup_teardown(test_which, setup, teardown),
        cmocka_unit_test_setup_teardown(test_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_pam_env, setup, teardown),
        cmocka_unit_test(test_fork),
        cmocka_unit_test(test_exchange_ends),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
