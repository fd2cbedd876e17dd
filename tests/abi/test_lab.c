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

static struct guestcred_credential *
make_credential(void)
{
    struct guestcred_credential *credential = NULL;

    FINE(guestcred_credential_new(&credential, &err));
    return credential;
}

static const char *
make_name(char name[300], const char *type, const char *what)
{
    static int count;

    snprintf(name, 300, "%s%s/%s-%d", type, lab("GUESTCRED_LAB"), what,
             count++);
    return name;
}

/* ---- tests ---- */

static void
test_round(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;
    enum guestcred_released how = GUESTCRED_RELEASED_OFF;
    char vm[GUESTCRED_VM_SIZE] = "";

    (void)state;
    FINE(guestcred_acquire(client, alice, "path:/DC0/vm/build/build-win01",
                           SPN1, 0, TIMEOUT, &ticket, &err));
    assert_string_equal(guestcred_ticket_vm(ticket), "vm-42");
    assert_string_equal(guestcred_ticket_principal(ticket),
                        "alice@EXAMPLE.TEST");
    assert_string_equal(guestcred_ticket_target(ticket), SPN1);
    assert_string_equal(guestcred_ticket_url(ticket), lab("GUESTCRED_URL"));
    assert_int_equal(guestcred_ticket_mechanism(ticket), GUESTCRED_KERBEROS);
    assert_int_equal(guestcred_ticket_mutual(ticket), 0);
    assert_true(time(NULL) - guestcred_ticket_acquired(ticket) < 60);
    assert_int_equal(ctl("tickets vm-42"), 1);
    FINE(guestcred_validate(client, ticket, TIMEOUT, &err));
    FINE(guestcred_release(client, ticket, TIMEOUT, &how, &err));
    assert_int_equal(how, GUESTCRED_RELEASED);
    assert_int_equal(ctl("tickets vm-42"), 0);
    ENDS(guestcred_validate(client, ticket, TIMEOUT, &err), GUESTCRED_DENIED);
    FINE(guestcred_release(client, ticket, TIMEOUT, &how, &err));
    assert_int_equal(how, GUESTCRED_RELEASED_UNKNOWN);
    FINE(guestcred_locate(client, "path:/DC0/vm/build/build-win01", TIMEOUT, vm,
                          &err));
    assert_string_equal(vm, "vm-42");
    FINE(guestcred_logout(client, &err));
    assert_int_equal(ctl("sessions"), 0);
    /* And in again. */
    ENDS(guestcred_validate(client, ticket, TIMEOUT, &err), GUESTCRED_DENIED);
    assert_int_equal(ctl("sessions"), 1);
    guestcred_ticket_free(ticket);
    guestcred_credential_free(alice);
    guestcred_client_free(client);
}

static void
test_credentials(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_credential *c = make_credential();
    struct guestcred_ticket *t = NULL;

    (void)state;
    FINE(guestcred_credential_set_keytab(c, in_lab("bob.keytab"), "bob", &err));
    FINE(guestcred_acquire(client, c, "vm-42", SPN1, 0, TIMEOUT, &t, &err));
    assert_string_equal(guestcred_ticket_principal(t), "bob@EXAMPLE.TEST");
    FINE(guestcred_release(client, t, TIMEOUT, NULL, &err));
    guestcred_ticket_free(t);

    FINE(guestcred_credential_set_password(c, "alice", "alicepw", 7, &err));
    FINE(guestcred_credential_set_mechanism(c, GUESTCRED_NEGOTIATE, &err));
    FINE(guestcred_credential_set_mutual(c, 1, &err));
    FINE(guestcred_acquire(client, c, "vm-42", SPN1, 0, TIMEOUT, &t, &err));
    assert_string_equal(guestcred_ticket_principal(t), "alice@EXAMPLE.TEST");
    assert_int_equal(guestcred_ticket_mutual(t), 1);
    FINE(guestcred_release(client, t, TIMEOUT, NULL, &err));
    guestcred_ticket_free(t);

    t = NULL;
    FINE(guestcred_credential_set_password(c, "alice", "wrong", 5, &err));
    assert_int_not_equal(
        guestcred_acquire(client, c, "vm-42", SPN1, 0, TIMEOUT, &t, &err),
        GUESTCRED_OK);
    assert_null(t);
    assert_null(strstr(err.message, "wrong"));
    FINE(guestcred_credential_set_mutual(c, 0, &err));
    FINE(guestcred_credential_set_ccache(c, "FILE:/nonexistent/cc", &err));
    FINE(guestcred_credential_set_principal(c, NULL, &err));
    ENDS(guestcred_acquire(client, c, "vm-42", SPN1, 0, TIMEOUT, &t, &err),
         GUESTCRED_NO_CREDENTIAL);
    assert_int_equal(ctl("tickets"), 0);
    guestcred_credential_free(c);
    guestcred_client_free(client);
}

static void
test_store(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_client *other = make_client(-1);
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *first = NULL, *second = NULL, *found = NULL;
    struct guestcred_store *store = NULL;
    char name[300], env[340], *envlist[] = {env, NULL};

    (void)state;
    make_name(name, "DIR:", "store");
    FINE(guestcred_client_set_store(client, name, &err));
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &first,
                           &err));
    assert_string_equal(guestcred_ticket_store(first), name);
    /* Again: the same one, validated or not asked about. */
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &second,
                           &err));
    assert_string_equal(guestcred_ticket_secret(second, NULL),
                        guestcred_ticket_secret(first, NULL));
    guestcred_ticket_free(second);
    assert_int_equal(ctl("requests ValidateCredentialsInGuest vm-42"), 1);
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, GUESTCRED_NO_VALIDATE,
                           TIMEOUT, &second, &err));
    guestcred_ticket_free(second);
    assert_int_equal(ctl("requests ValidateCredentialsInGuest vm-42"), 1);
    /* A new one releases the old. */
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, GUESTCRED_NEW, TIMEOUT,
                           &second, &err));
    assert_string_not_equal(guestcred_ticket_secret(second, NULL),
                            guestcred_ticket_secret(first, NULL));
    assert_int_equal(ctl("tickets vm-42"), 1);
    /* As a program in that login would have it ... */
    snprintf(env, sizeof(env), "GUESTCRED_CACHE=%s", name);
    FINE(guestcred_ticket_from_pam_env(envlist, "vm-42", &found, &err));
    assert_string_equal(guestcred_ticket_secret(found, NULL),
                        guestcred_ticket_secret(second, NULL));
    /* ... and a client that has no store takes it out of its own. */
    FINE(guestcred_release(other, found, TIMEOUT, NULL, &err));
    assert_string_equal(guestcred_ticket_store(found), "");
    FINE(guestcred_store_open(name, 0, &store, &err));
    guestcred_ticket_free(found);
    ENDS(guestcred_store_get(store, NULL, &found, &err), GUESTCRED_NOT_FOUND);
    assert_int_equal(ctl("tickets vm-42"), 0);
    guestcred_ticket_free(first);
    guestcred_ticket_free(second);
    guestcred_store_free(store);
    guestcred_credential_free(alice);
    guestcred_client_free(client);
    guestcred_client_free(other);
}

/* The process dies with a ticket; what it wrote down releases it. */
static void
test_crash(void **state)
{
    struct guestcred_client *client;
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;
    int status, released = -1, owed = -1;
    char ledger[300];
    pid_t pid;

    (void)state;
    make_name(ledger, "", "ledger");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        client = make_client(-1);
        if (guestcred_client_set_ledger(client, ledger, &err) == 0
            && guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT,
                                 &ticket, &err)
                   == 0)
            (void)raise(SIGKILL);
        _exit(1);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(ctl("tickets vm-42"), 1);
    client = make_client(-1);
    FINE(guestcred_client_set_ledger(client, ledger, &err));
    /* What is needed stays: this process lives. */
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err));
    FINE(guestcred_sweep(client, TIMEOUT, &released, &owed, &err));
    assert_int_equal(released, 1);
    assert_int_equal(owed, 0);
    assert_int_equal(ctl("tickets vm-42"), 1);
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    FINE(guestcred_sweep(client, TIMEOUT, &released, &owed, &err));
    assert_int_equal(released, 0);
    assert_int_equal(ctl("tickets vm-42"), 0);
    guestcred_ticket_free(ticket);
    guestcred_credential_free(alice);
    guestcred_client_free(client);
}

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
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;
    int64_t began;

    (void)state;
    (void)ctl("on - content 1 stall reply");
    began = now();
    ENDS(guestcred_acquire(client, alice, "vm-42", SPN1, 0, 700, &ticket, &err),
         GUESTCRED_UNAVAILABLE);
    assert_true(now() - began >= 600);
    assert_true(now() - began < 700 + 3000 + 1000);
    assert_int_equal(err.retryable, 1);
    /* The same client goes on. */
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err));
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_credential_free(alice);
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
    struct guestcred_credential *bob = make_credential();
    struct guestcred_ticket *ticket = NULL;
    int64_t began = now();

    (void)state;
    FINE(guestcred_credential_set_keytab(bob, in_lab("bob.keytab"), "bob",
                                         &err));
    signal_kdc(SIGSTOP);
    ENDS(guestcred_acquire(client, bob, "vm-42", SPN1, 0, 700, &ticket, &err),
         GUESTCRED_UNAVAILABLE);
    signal_kdc(SIGCONT);
    assert_true(now() - began < 700 + 3000);
    assert_int_equal(err.retryable, 1);
    guestcred_client_free(client);
    guestcred_credential_free(bob);
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
    struct guestcred_credential *alice = make_credential();
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
        ENDS(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT,
                               &ticket, &err),
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
    assert_int_not_equal(guestcred_acquire(client, alice, "vm-42", SPN1, 0,
                                           TIMEOUT, &ticket, &err),
                         GUESTCRED_OK);
    assert_int_equal(pthread_join(thread, NULL), 0);
    /* Still heeded after a clean-up: the stalled leg has its grace, no more. */
    assert_true(now() - began < 6000);
    assert_int_equal(read(fds[0], &byte, 1), 1);
    (void)ctl("off");
    /* No other login: the session went on. */
    FINE(guestcred_acquire(client, alice, "vm-43", "host/guest2.example.test",
                           0, TIMEOUT, &ticket, &err));
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    assert_int_equal(ctl("sessions"), sessions);
    guestcred_ticket_free(ticket);
    guestcred_credential_free(alice);
    guestcred_client_free(client);
    (void)close(fds[0]);
    (void)close(fds[1]);
}

static void
test_refusals(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;

    (void)state;
    ENDS(guestcred_acquire(client, alice, "vm-45", "host/app.example.test", 0,
                           TIMEOUT, &ticket, &err),
         GUESTCRED_NO_CREDENTIAL);
    assert_int_not_equal(err.gss_major, 0);
    ENDS(guestcred_acquire(client, alice, "vm-45", SPN1, 0, TIMEOUT, &ticket,
                           &err),
         GUESTCRED_NOT_SUPPORTED);
    assert_string_equal(err.fault, "OperationNotSupportedByGuest");
    assert_string_not_equal(err.hint, "");
    ENDS(guestcred_acquire(client, alice,
                           "uuid:4212aaaa-0000-4000-8000-000000000047", SPN1, 0,
                           TIMEOUT, &ticket, &err),
         GUESTCRED_CONFIG);
    ENDS(guestcred_acquire(client, alice, "vm-42", "no spn", 0, TIMEOUT,
                           &ticket, &err),
         GUESTCRED_CONFIG);
    assert_null(ticket);
    guestcred_client_free(client);

    client = make_client(-1);
    FINE(guestcred_client_set_login(client, "nobody", "x", 1, &err));
    ENDS(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err),
         GUESTCRED_VCENTER_DENIED);
    guestcred_client_free(client);

    client = make_client(-1);
    FINE(guestcred_client_set_ca_file(client, NULL, &err));
    ENDS(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err),
         GUESTCRED_UNTRUSTED);
    guestcred_client_free(client);

    client = make_client(-1);
    FINE(guestcred_client_set_ca_file(client, NULL, &err));
    FINE(guestcred_client_set_insecure(client, 1, &err));
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err));
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_client_free(client);
    guestcred_credential_free(alice);
}

/* The connection outlives refusals, a ticket that is given back, a logout. */
static void
test_one_connection(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;
    int connections = ctl("connections");

    (void)state;
    for (int i = 0; i < 4; i++)
        ENDS(guestcred_acquire(client, alice, "vm-45", SPN1, 0, TIMEOUT,
                               &ticket, &err),
             GUESTCRED_NOT_SUPPORTED);
    (void)ctl("on vm-42 Acquire 1 status 500");
    (void)ctl("on vm-42 Acquire 1 member '_typeName=\"SystemError\"'");
    ENDS(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err),
         GUESTCRED_PROTOCOL);
    assert_non_null(strstr(err.hint, "which was released"));
    FINE(guestcred_logout(client, &err));
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err));
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    assert_int_equal(ctl("connections"), connections + 1);
    guestcred_ticket_free(ticket);
    guestcred_credential_free(alice);
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
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;
    struct heard heard = {0};

    (void)state;
    (void)ctl("on vm-42 Acquire 1 fault TaskInProgress");
    FINE(guestcred_client_set_log(client, hear, &heard, &err));
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err));
    assert_true(heard.steps >= 1);
    assert_true(heard.requests >= 5);
    assert_int_equal(heard.leaks, 0);
    FINE(guestcred_client_set_log(client, NULL, NULL, &err));
    heard = (struct heard){0};
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    assert_int_equal(heard.requests, 0);
    guestcred_ticket_free(ticket);
    guestcred_credential_free(alice);
    guestcred_client_free(client);
}

/* ---- forks and threads ---- */

/* A child frees what it inherited; the parent's connection lives on. */
static void
test_fork(void **state)
{
    struct guestcred_client *client = make_client(-1);
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;
    int status, connections;
    pid_t pid;

    (void)state;
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err));
    connections = ctl("connections");
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        int bad = guestcred_validate(client, ticket, TIMEOUT, &err)
                  != GUESTCRED_CONFIG;

        guestcred_ticket_free(ticket);
        guestcred_client_free(client);
        _exit(bad);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    FINE(guestcred_validate(client, ticket, TIMEOUT, &err));
    assert_int_equal(ctl("connections"), connections);
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    FINE(guestcred_acquire(client, alice, "vm-42", SPN1, 0, TIMEOUT, &ticket,
                           &err));
    FINE(guestcred_release(client, ticket, TIMEOUT, NULL, &err));
    guestcred_ticket_free(ticket);
    guestcred_credential_free(alice);
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
    struct guestcred_credential *alice = make_credential();
    struct guestcred_ticket *ticket = NULL;
    struct elsewhere e = {.stay_ms = 0};
    pthread_t thread;
    char byte;

    (void)state;
    FINE(guestcred_credential_set_mechanism(alice, GUESTCRED_NEGOTIATE, &err));
    FINE(guestcred_credential_set_mutual(alice, 1, &err));
    assert_int_equal(pipe(e.made), 0);
    for (; e.stay_ms <= 400; e.stay_ms += 400) {
        assert_int_equal(pthread_create(&thread, NULL, make_elsewhere, &e), 0);
        assert_int_equal(read(e.made[0], &byte, 1), 1);
        if (e.stay_ms == 0)
            assert_int_equal(pthread_join(thread, NULL), 0);
        else
            (void)ctl("on vm-42 Acquire 1 delay 1");
        FINE(guestcred_acquire(e.client, alice, "vm-42", SPN1, 0, TIMEOUT,
                               &ticket, &err));
        FINE(guestcred_release(e.client, ticket, TIMEOUT, NULL, &err));
        guestcred_ticket_free(ticket);
        guestcred_client_free(e.client);
        if (e.stay_ms != 0)
            assert_int_equal(pthread_join(thread, NULL), 0);
    }
    guestcred_credential_free(alice);
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
        cmocka_unit_test_setup(test_crash, setup),
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
