/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libguestcred.so against the lab: what a program that links it can rely on.
 * Includes nothing of ours but the public header; check-lab starts the lab.
 */
#include <config.h>

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/guestcred.h"

#define TIMEOUT 20000
#define SPN1    "host/guest1.example.test"

static struct guestcred_error err;

#define FINE(call)                                                             \
    do {                                                                       \
        if ((call) != GUESTCRED_OK)                                            \
            fail_msg("%s: %s (%s)", #call, err.message, err.hint);             \
    } while (0)

#define ENDS(call, word)                                                       \
    do {                                                                       \
        enum guestcred_status st_ = (call);                                    \
        if (st_ != (word))                                                     \
            fail_msg("%s: %d %s", #call, (int)st_, err.message);               \
        assert_int_equal(err.status, word);                                    \
    } while (0)

/* ---- the lab ---- */

static const char *
lab(const char *name)
{
    const char *value = getenv(name);

    assert_non_null(value);
    return value;
}

static const char *
in_lab(const char *name)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];

    snprintf(path, sizeof(paths[0]), "%s/%s", lab("GUESTCRED_LAB"), name);
    return path;
}

/* `lab ctl STATEMENT`; the number it prints, or 0. */
static int
ctl(const char *statement)
{
    char command[1024], line[64] = "";
    FILE *pipe;

    snprintf(command, sizeof(command), "\"%s/tests/lab/lab\" ctl %s",
             lab("top_srcdir"), statement);
    pipe = popen(command, "r");
    assert_non_null(pipe);
    (void)!fgets(line, sizeof(line), pipe);
    if (pclose(pipe) != 0)
        fail_msg("%s", command);
    return atoi(line);
}

static int
setup(void **state)
{
    *state = NULL;
    (void)ctl("reset");
    return 0;
}

static struct guestcred_client *
make_client(int cancel_fd)
{
    struct guestcred_client *client = NULL;
    char password[64];
    FILE *file = fopen(lab("GUESTCRED_PASSWORD_FILE"), "r");

    assert_non_null(file);
    assert_non_null(fgets(password, sizeof(password), file));
    (void)fclose(file);
    password[strcspn(password, "\n")] = '\0';
    FINE(guestcred_client_new(cancel_fd, &client, &err));
    FINE(guestcred_client_set_url(client, lab("GUESTCRED_URL"), &err));
    FINE(guestcred_client_set_login(client, lab("GUESTCRED_USERNAME"), password,
                                    strlen(password), &err));
    FINE(guestcred_client_set_ca_file(client, lab("GUESTCRED_CA_FILE"), &err));
    return client;
}

static struct guestcred_request *
make_request(void)
{
    struct guestcred_request *request = NULL;

    FINE(guestcred_request_new(&request, &err));
    return request;
}

/* A ticket for REQUEST in VM, with FLAGS. */
static enum guestcred_status
get(struct guestcred_client *client, struct guestcred_request *request,
    const char *vm, const char *target, unsigned flags, int timeout_ms,
    struct guestcred_ticket **ret_ticket, struct guestcred_error *error)
{
    enum guestcred_status st = guestcred_request_set_vm(request, vm, error);

    if (st == GUESTCRED_OK)
        st = guestcred_request_set_target(request, target, error);
    if (st == GUESTCRED_OK)
        st = guestcred_request_set_flags(request, flags, error);
    if (st == GUESTCRED_OK)
        st = guestcred_client_acquire(client, request, timeout_ms, ret_ticket,
                                      error);
    return st;
}

static const char *
make_name(char name[300], const char *what)
{
    static int count;

    snprintf(name, 300, "%s/%s-%d", lab("GUESTCRED_LAB"), what, count++);
    return name;
}

/* ---- tests ---- */

static void
test_round(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    enum guestcred_released how = GUESTCRED_RELEASED_OFF;
    char vm[GUESTCRED_VM_SIZE] = "";

    (void)state;
    FINE(get(client, alice, "path:/DC0/vm/build/build-win01", SPN1, 0, TIMEOUT,
             &ticket, &err));
    assert_string_equal(guestcred_ticket_vm(ticket), "vm-42");
    assert_string_equal(guestcred_ticket_principal(ticket),
                        "alice@EXAMPLE.TEST");
    assert_string_equal(guestcred_ticket_target(ticket), SPN1);
    assert_string_equal(guestcred_ticket_url(ticket), lab("GUESTCRED_URL"));
    assert_int_equal(guestcred_ticket_mechanism(ticket), GUESTCRED_KERBEROS);
    assert_int_equal(guestcred_ticket_mutual(ticket), 0);
    assert_true(time(NULL) - guestcred_ticket_acquired(ticket) < 60);
    assert_int_equal(ctl("tickets vm-42"), 1);
    FINE(guestcred_client_validate(client, ticket, TIMEOUT, &err));
    FINE(guestcred_client_release(client, ticket, TIMEOUT, &how, &err));
    assert_int_equal(how, GUESTCRED_RELEASED);
    assert_int_equal(ctl("tickets vm-42"), 0);
    ENDS(guestcred_client_validate(client, ticket, TIMEOUT, &err),
         GUESTCRED_DENIED);
    FINE(guestcred_client_release(client, ticket, TIMEOUT, &how, &err));
    assert_int_equal(how, GUESTCRED_RELEASED_UNKNOWN);
    FINE(guestcred_client_locate(client, "path:/DC0/vm/build/build-win01",
                                 TIMEOUT, vm, &err));
    assert_string_equal(vm, "vm-42");
    FINE(guestcred_client_logout(client, &err));
    assert_int_equal(ctl("sessions"), 0);
    /* And in again. */
    ENDS(guestcred_client_validate(client, ticket, TIMEOUT, &err),
         GUESTCRED_DENIED);
    assert_int_equal(ctl("sessions"), 1);
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

static void
test_credentials(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *c = make_request();
    struct guestcred_ticket *t = NULL;

    (void)state;
    FINE(guestcred_request_set_keytab(c, in_lab("bob.keytab"), &err));
    FINE(guestcred_request_set_principal(c, "bob", &err));
    FINE(get(client, c, "vm-42", SPN1, 0, TIMEOUT, &t, &err));
    assert_string_equal(guestcred_ticket_principal(t), "bob@EXAMPLE.TEST");
    FINE(guestcred_client_release(client, t, TIMEOUT, NULL, &err));
    guestcred_ticket_free(t);

    FINE(guestcred_request_set_password(c, "alicepw", 7, &err));
    FINE(guestcred_request_set_principal(c, "alice", &err));
    FINE(guestcred_request_set_mechanism(c, GUESTCRED_NEGOTIATE, &err));
    FINE(get(client, c, "vm-42", SPN1, GUESTCRED_MUTUAL, TIMEOUT, &t, &err));
    assert_string_equal(guestcred_ticket_principal(t), "alice@EXAMPLE.TEST");
    assert_int_equal(guestcred_ticket_mutual(t), 1);
    FINE(guestcred_client_release(client, t, TIMEOUT, NULL, &err));
    guestcred_ticket_free(t);

    t = NULL;
    FINE(guestcred_request_set_password(c, "wrong", 5, &err));
    assert_int_not_equal(get(client, c, "vm-42", SPN1, 0, TIMEOUT, &t, &err),
                         GUESTCRED_OK);
    assert_null(t);
    assert_null(strstr(err.message, "wrong"));
    FINE(guestcred_request_set_ccache(c, "FILE:/nonexistent/cc", &err));
    FINE(guestcred_request_set_principal(c, NULL, &err));
    ENDS(get(client, c, "vm-42", SPN1, 0, TIMEOUT, &t, &err),
         GUESTCRED_NO_CREDENTIAL);
    assert_int_equal(ctl("tickets"), 0);
    guestcred_request_free(c);
    guestcred_client_free(client);
}

static void
test_store(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_client *other = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *first = NULL, *second = NULL, *found;
    struct guestcred_tickets *all = NULL;
    struct guestcred_store *store = NULL;
    char path[300];

    (void)state;
    make_name(path, "store");
    FINE(guestcred_client_set_store(client, path, &err));
    FINE(get(client, alice, "path:/DC0/vm/build/build-win01", SPN1, 0, TIMEOUT,
             &first, &err));
    assert_string_equal(guestcred_ticket_store(first), path);
    /* Again: the same one, validated or not asked about. */
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &second, &err));
    assert_string_equal(guestcred_ticket_secret(second, NULL),
                        guestcred_ticket_secret(first, NULL));
    guestcred_ticket_free(second);
    assert_int_equal(ctl("requests ValidateCredentialsInGuest vm-42"), 1);
    FINE(get(client, alice, "vm-42", SPN1, GUESTCRED_NO_VALIDATE, TIMEOUT,
             &second, &err));
    guestcred_ticket_free(second);
    assert_int_equal(ctl("requests ValidateCredentialsInGuest vm-42"), 1);
    /* The list knows it by all its names. */
    FINE(guestcred_store_open(path, &store, &err));
    for (int i = 0; i < 4; i++) {
        static const char *const names[] = {
            NULL, "vm-42", "path:/DC0/vm/build/build-win01", "vm-43"};

        FINE(guestcred_store_list(store, names[i], &all, &err));
        assert_int_equal(guestcred_tickets_count(all), i < 3);
        guestcred_tickets_free(all);
    }
    /* A new one releases the old. */
    FINE(get(client, alice, "vm-42", SPN1, GUESTCRED_NEW, TIMEOUT, &second,
             &err));
    assert_string_not_equal(guestcred_ticket_secret(second, NULL),
                            guestcred_ticket_secret(first, NULL));
    assert_int_equal(ctl("tickets vm-42"), 1);
    /* A client that has no store takes it out of its own. */
    FINE(guestcred_store_list(store, "vm-42", &all, &err));
    found = guestcred_tickets_get(all, 0);
    assert_string_equal(guestcred_ticket_secret(found, NULL),
                        guestcred_ticket_secret(second, NULL));
    FINE(guestcred_client_release(other, found, TIMEOUT, NULL, &err));
    assert_string_equal(guestcred_ticket_store(found), "");
    guestcred_tickets_free(all);
    FINE(guestcred_store_list(store, NULL, &all, &err));
    assert_int_equal(guestcred_tickets_count(all), 0);
    guestcred_tickets_free(all);
    assert_int_equal(ctl("tickets vm-42"), 0);
    guestcred_ticket_free(first);
    guestcred_ticket_free(second);
    guestcred_store_free(store);
    guestcred_request_free(alice);
    guestcred_client_free(client);
    guestcred_client_free(other);
}

/* The next client with that store needs no login, until one logs out. */
static void
test_session(void **state)
{
    struct guestcred_request *alice = make_request();
    struct guestcred_client *client;
    struct guestcred_ticket *ticket = NULL;
    char path[300];

    (void)state;
    make_name(path, "store");
    for (int i = 0; i < 3; i++) {
        client = make_client(-1);
        FINE(guestcred_client_set_store(client, path, &err));
        FINE(get(client, alice, "vm-42", SPN1, GUESTCRED_NEW, TIMEOUT, &ticket,
                 &err));
        guestcred_ticket_free(ticket);
        assert_int_equal(ctl("requests Login"), 1);
        assert_int_equal(ctl("requests authManager"), 1);
        if (i == 2) {
            FINE(guestcred_client_logout(client, &err));
            assert_int_equal(ctl("sessions"), 0);
        }
        guestcred_client_free(client);
    }
    client = make_client(-1);
    FINE(guestcred_client_set_store(client, path, &err));
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    assert_int_equal(ctl("requests Login"), 2);
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_client_free(client);
    guestcred_request_free(alice);
}

/* What could not be released is written down, and settled later. */
static void
test_owed(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    int released = -1, owed = -1;
    char path[300];

    (void)state;
    make_name(path, "store");
    FINE(guestcred_client_set_store(client, path, &err));
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    (void)ctl("on vm-42 Release 1-9 fault GuestOperationsFault");
    ENDS(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err),
         GUESTCRED_FAILED);
    assert_non_null(strstr(err.hint, "owed"));
    assert_int_not_equal(
        guestcred_client_sweep(client, TIMEOUT, &released, &owed, &err),
        GUESTCRED_OK);
    assert_int_equal(released, 0);
    assert_int_equal(owed, 1);
    guestcred_client_free(client);
    (void)ctl("off");
    client = make_client(-1);
    FINE(guestcred_client_set_store(client, path, &err));
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    FINE(guestcred_client_sweep(client, TIMEOUT, &released, &owed, &err));
    assert_int_equal(released, 0);
    assert_int_equal(owed, 0);
    assert_int_equal(ctl("tickets vm-42"), 0);
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

/* The process dies with a ticket; the next one finds it. */
static void
test_crash(void **state)
{
    struct guestcred_client *client;
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    char path[300];
    int status;
    pid_t pid;

    (void)state;
    make_name(path, "store");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        client = make_client(-1);
        if (guestcred_client_set_store(client, path, &err) == 0
            && get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err)
                   == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(ctl("tickets vm-42"), 1);
    client = make_client(-1);
    FINE(guestcred_client_set_store(client, path, &err));
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    assert_int_equal(ctl("issued vm-42"), 1);
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    assert_int_equal(ctl("tickets vm-42"), 0);
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

/* ---- guest operations ---- */

#define PROCESSES "GuestProcessManager", "ListProcessesInGuest"

static void
test_guest_call(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    struct guestcred_reply *reply = NULL;
    int connections = ctl("connections");
    size_t len = 0;

    (void)state;
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    FINE(guestcred_client_guest_call(client, ticket, PROCESSES, NULL, TIMEOUT,
                                     &reply, &err));
    assert_non_null(
        strstr(guestcred_reply_text(reply, &len), "\"vmtoolsd.exe"));
    assert_int_equal(len, strlen(guestcred_reply_text(reply, NULL)));
    guestcred_reply_free(reply);
    FINE(guestcred_client_guest_call(client, ticket, PROCESSES,
                                     "{\"pids\":[4]}", TIMEOUT, &reply, &err));
    assert_non_null(strstr(guestcred_reply_text(reply, NULL), "\"System\""));
    assert_null(strstr(guestcred_reply_text(reply, NULL), "vmtoolsd"));
    guestcred_reply_free(reply);
    assert_int_equal(ctl("requests processManager"), 1);
    assert_int_equal(ctl("connections"), connections + 1);
    /* The session expired: that alone is a reason to send it again. */
    (void)ctl("expire sessions");
    FINE(guestcred_client_guest_call(client, ticket, PROCESSES, NULL, TIMEOUT,
                                     &reply, &err));
    guestcred_reply_free(reply);
    assert_int_equal(ctl("requests Login"), 2);
    assert_int_equal(ctl("requests ListProcessesInGuest vm-42"), 4);
    reply = NULL;
    (void)ctl("on vm-42 ListProcessesInGuest 1 fault TaskInProgress");
    ENDS(guestcred_client_guest_call(client, ticket, PROCESSES, NULL, TIMEOUT,
                                     &reply, &err),
         GUESTCRED_BUSY);
    assert_string_equal(err.fault, "TaskInProgress");
    (void)ctl("on vm-42 ListProcessesInGuest 1 reply 204 application/json");
    assert_int_equal(ctl("requests ListProcessesInGuest vm-42"), 5);
    FINE(guestcred_client_guest_call(client, ticket, PROCESSES, NULL, TIMEOUT,
                                     &reply, &err));
    assert_string_equal(guestcred_reply_text(reply, NULL), "null");
    guestcred_reply_free(reply);
    reply = NULL;
    /* No such method, and a ticket that is gone. */
    ENDS(guestcred_client_guest_call(client, ticket, "GuestProcessManager",
                                     "EatInGuest", NULL, TIMEOUT, &reply, &err),
         GUESTCRED_PROTOCOL);
    assert_string_equal(err.fault, "MethodNotFound");
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    ENDS(guestcred_client_guest_call(client, ticket, PROCESSES, NULL, TIMEOUT,
                                     &reply, &err),
         GUESTCRED_DENIED);
    assert_non_null(strstr(err.message, "does not take this ticket"));
    assert_null(reply);
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

/* ---- time ---- */

static int64_t
now(void)
{
    struct timespec t;

    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void
test_deadline(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    int64_t began;

    (void)state;
    (void)ctl("on - content 1 stall reply");
    began = now();
    ENDS(get(client, alice, "vm-42", SPN1, 0, 700, &ticket, &err),
         GUESTCRED_UNAVAILABLE);
    assert_true(now() - began >= 600);
    assert_true(now() - began < 700 + 3000 + 1000);
    assert_int_equal(err.retryable, 1);
    /* The same client goes on. */
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

/* Stop the lab's KDC, or let it go on. */
static void
signal_kdc(int signal)
{
    char line[64] = "";
    FILE *file = fopen(in_lab("kdc.pid"), "r");

    assert_non_null(file);
    assert_non_null(fgets(line, sizeof(line), file));
    (void)fclose(file);
    assert_int_equal(kill((pid_t)atoi(line), signal), 0);
}

/* Nothing interrupts Kerberos, and the deadline holds all the same. */
static void
test_stopped_kdc(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *bob = make_request();
    struct guestcred_ticket *ticket = NULL;
    int64_t began = now();

    (void)state;
    FINE(guestcred_request_set_keytab(bob, in_lab("bob.keytab"), &err));
    FINE(guestcred_request_set_principal(bob, "bob", &err));
    signal_kdc(SIGSTOP);
    ENDS(get(client, bob, "vm-42", SPN1, 0, 700, &ticket, &err),
         GUESTCRED_UNAVAILABLE);
    signal_kdc(SIGCONT);
    assert_true(now() - began < 700 + 3000);
    assert_int_equal(err.retryable, 1);
    guestcred_client_free(client);
    guestcred_request_free(bob);
}

static void *
cancel_soon(void *user)
{
    const int *fd = user;

    (void)nanosleep(&(struct timespec){.tv_nsec = 300000000}, NULL);
    (void)!write(*fd, "!", 1);
    return NULL;
}

static void
test_cancel(void **state)
{
    int fds[2], sessions;
    struct guestcred_client *client;
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    pthread_t thread;
    int64_t began;
    char byte;

    (void)state;
    assert_int_equal(pipe(fds), 0);
    client = make_client(fds[0]);
    for (int round = 0; round < 2; round++) {
        /* The second time after clean-up: it must be heeded all the same. */
        (void)ctl(round == 0 ? "on - Login 1 delay 5"
                             : "on vm-42 Acquire 1 delay 1");
        began = now();
        assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &fds[1]),
                         0);
        ENDS(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err),
             GUESTCRED_CANCELED);
        assert_true(now() - began < 4000);
        assert_int_equal(pthread_join(thread, NULL), 0);
        assert_int_equal(read(fds[0], &byte, 1), 1);
        (void)ctl("off");
        /* The ticket that came all the same was released. */
        assert_int_equal(ctl("tickets vm-42"), 0);
    }
    assert_int_equal(ctl("issued vm-42"), 1);
    sessions = ctl("sessions");
    began = now();
    (void)ctl("on vm-42 Acquire 1 stall reply");
    assert_int_equal(pthread_create(&thread, NULL, cancel_soon, &fds[1]), 0);
    assert_int_not_equal(
        get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err),
        GUESTCRED_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* Still heeded after a clean-up: the stalled leg has its grace, no more. */
    assert_true(now() - began < 6000);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    (void)ctl("off");
    /* No other login: the session went on. */
    FINE(get(client, alice, "vm-43", "host/guest2.example.test", 0, TIMEOUT,
             &ticket, &err));
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    assert_int_equal(ctl("sessions"), sessions);
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void
test_refusals(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;

    (void)state;
    ENDS(get(client, alice, "vm-45", "host/app.example.test", 0, TIMEOUT,
             &ticket, &err),
         GUESTCRED_NO_CREDENTIAL);
    assert_int_not_equal(err.gss_major, 0);
    ENDS(get(client, alice, "vm-45", SPN1, 0, TIMEOUT, &ticket, &err),
         GUESTCRED_NOT_SUPPORTED);
    assert_string_equal(err.fault, "OperationNotSupportedByGuest");
    assert_string_not_equal(err.hint, "");
    ENDS(get(client, alice, "uuid:4212aaaa-0000-4000-8000-000000000047", SPN1,
             0, TIMEOUT, &ticket, &err),
         GUESTCRED_CONFIG);
    ENDS(get(client, alice, "vm-42", "no spn", 0, TIMEOUT, &ticket, &err),
         GUESTCRED_CONFIG);
    assert_null(ticket);
    guestcred_client_free(client);

    client = make_client(-1);
    FINE(guestcred_client_set_login(client, "nobody", "x", 1, &err));
    ENDS(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err),
         GUESTCRED_VCENTER_DENIED);
    guestcred_client_free(client);

    client = make_client(-1);
    FINE(guestcred_client_set_ca_file(client, NULL, &err));
    ENDS(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err),
         GUESTCRED_UNTRUSTED);
    guestcred_client_free(client);

    client = make_client(-1);
    FINE(guestcred_client_set_ca_file(client, NULL, &err));
    FINE(guestcred_client_set_insecure(client, 1, &err));
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_client_free(client);
    guestcred_request_free(alice);
}

/* The connection outlives refusals, a ticket that is given back, a logout. */
static void
test_one_connection(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    int connections = ctl("connections");

    (void)state;
    for (int i = 0; i < 4; i++)
        ENDS(get(client, alice, "vm-45", SPN1, 0, TIMEOUT, &ticket, &err),
             GUESTCRED_NOT_SUPPORTED);
    (void)ctl("on vm-42 Acquire 1 status 500");
    (void)ctl("on vm-42 Acquire 1 member '_typeName=\"SystemError\"'");
    ENDS(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err),
         GUESTCRED_PROTOCOL);
    assert_non_null(strstr(err.hint, "which was released"));
    FINE(guestcred_client_logout(client, &err));
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    assert_int_equal(ctl("connections"), connections + 1);
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

/* ---- log ---- */

struct heard {
    int steps, requests;
    const char *secret;
    int leaks;
};

static void
hear(void *user, int level, const char *line)
{
    struct heard *heard = user;

    heard->steps += level == GUESTCRED_LOG_STEP;
    heard->requests += level == GUESTCRED_LOG_REQUEST;
    heard->leaks += strstr(line, "Secr3t") != NULL;
    heard->leaks += strchr(line, '\n') != NULL;
}

static void
test_log(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    struct heard heard = {0};

    (void)state;
    (void)ctl("on vm-42 Acquire 1 fault TaskInProgress");
    FINE(guestcred_client_set_log(client, hear, &heard, &err));
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    assert_true(heard.steps >= 1);
    assert_true(heard.requests >= 5);
    assert_int_equal(heard.leaks, 0);
    FINE(guestcred_client_set_log(client, NULL, NULL, &err));
    heard = (struct heard){0};
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    assert_int_equal(heard.requests, 0);
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

/* ---- forks and threads ---- */

/* A child frees what it inherited; the parent's connection lives on. */
static void
test_fork(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    int status, connections;
    pid_t pid;

    (void)state;
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    connections = ctl("connections");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int bad = guestcred_client_validate(client, ticket, TIMEOUT, &err)
                  != GUESTCRED_CONFIG;

        guestcred_ticket_free(ticket);
        guestcred_client_free(client);
        _exit(bad);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    FINE(guestcred_client_validate(client, ticket, TIMEOUT, &err));
    assert_int_equal(ctl("connections"), connections);
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    FINE(get(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket, &err));
    FINE(guestcred_client_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_request_free(alice);
    guestcred_client_free(client);
}

struct elsewhere {
    struct guestcred_client *client;
    int made[2]; /* a pipe: the client is there */
    int stay_ms;
};

static void *
make_elsewhere(void *user)
{
    struct elsewhere *e = user;

    e->client = make_client(-1);
    (void)!write(e->made[1], "!", 1);
    (void)nanosleep(&(struct timespec){.tv_nsec = e->stay_ms * 1000000L}, NULL);
    return NULL;
}

/* A client outlives the thread that made it, gone already or between legs. */
static void
test_thread_gone(void **state)
{
    struct guestcred_request *alice = make_request();
    struct guestcred_ticket *ticket = NULL;
    struct elsewhere e = {.stay_ms = 0};
    pthread_t thread;
    char byte;

    (void)state;
    FINE(guestcred_request_set_mechanism(alice, GUESTCRED_NEGOTIATE, &err));
    assert_int_equal(pipe(e.made), 0);
    for (; e.stay_ms <= 400; e.stay_ms += 400) {
        assert_int_equal(pthread_create(&thread, NULL, make_elsewhere, &e), 0);
        assert_int_equal(read(e.made[0], &byte, 1), 1);
        if (e.stay_ms == 0)
            assert_int_equal(pthread_join(thread, NULL), 0);
        else
            (void)ctl("on vm-42 Acquire 1 delay 1");
        FINE(get(e.client, alice, "vm-42", SPN1, GUESTCRED_MUTUAL, TIMEOUT,
                 &ticket, &err));
        FINE(guestcred_client_release(e.client, ticket, TIMEOUT, NULL, &err));
        guestcred_ticket_free(ticket);
        guestcred_client_free(e.client);
        if (e.stay_ms != 0)
            assert_int_equal(pthread_join(thread, NULL), 0);
    }
    guestcred_request_free(alice);
    (void)close(e.made[0]);
    (void)close(e.made[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_round, setup),
        cmocka_unit_test_setup(test_credentials, setup),
        cmocka_unit_test_setup(test_store, setup),
        cmocka_unit_test_setup(test_session, setup),
        cmocka_unit_test_setup(test_owed, setup),
        cmocka_unit_test_setup(test_crash, setup),
        cmocka_unit_test_setup(test_guest_call, setup),
        cmocka_unit_test_setup(test_deadline, setup),
        cmocka_unit_test_setup(test_stopped_kdc, setup),
        cmocka_unit_test_setup(test_cancel, setup),
        cmocka_unit_test_setup(test_refusals, setup),
        cmocka_unit_test_setup(test_one_connection, setup),
        cmocka_unit_test_setup(test_log, setup),
        cmocka_unit_test_setup(test_fork, setup),
        cmocka_unit_test_setup(test_thread_gone, setup),
    };

    /* The caller's state is the caller's: this is one test of that. */
    (void)signal(SIGPIPE, SIG_DFL);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
