/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several threads, a client each, one store among them.  Built
 * with ThreadSanitizer by check-threads, which starts the lab.
 */
#include <config.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/guestcred.h"

#define THREADS 4
#define ROUNDS  3
#define TIMEOUT 60000

static const char *const guests[][2] = {
    {"vm-42", "host/guest1.example.test"},
    {"vm-43", "host/guest2.example.test"},
};

static char password[64], store[300];

static void
check(enum guestcred_status status, const struct guestcred_error *err,
      const char *what)
{
    if (status == GUESTCRED_OK)
        return;
    fprintf(stderr, "%s: %s\n", what, err->message);
    exit(1);
}

static struct guestcred_client *
make_client(struct guestcred_error *err)
{
    struct guestcred_client *c = NULL;

    check(guestcred_client_new(-1, &c, err), err, "client");
    check(guestcred_client_set_url(c, getenv("GUESTCRED_URL"), err), err,
          "url");
    check(guestcred_client_set_login(c, getenv("GUESTCRED_USERNAME"), password,
                                     strlen(password), err),
          err, "login");
    check(guestcred_client_set_ca_file(c, getenv("GUESTCRED_CA_FILE"), err),
          err, "CA");
    check(guestcred_client_set_store(c, store, err), err, "store");
    return c;
}

static struct guestcred_request *
make_request(const char *const *guest, struct guestcred_error *err)
{
    struct guestcred_request *r = NULL;

    check(guestcred_request_new(&r, err), err, "request");
    check(guestcred_request_set_vm(r, guest[0], err), err, "VM");
    check(guestcred_request_set_target(r, guest[1], err), err, "target");
    return r;
}

static void *
work(void *user)
{
    const char *const *guest = user;
    struct guestcred_error err;
    struct guestcred_client *client = make_client(&err);
    struct guestcred_request *alice = make_request(guest, &err);
    struct guestcred_ticket *ticket = NULL;
    struct guestcred_tickets *all = NULL;
    struct guestcred_store *shared = NULL;
    struct guestcred_reply *reply = NULL;

    for (int i = 0; i < ROUNDS; i++) {
        check(guestcred_request_set_flags(alice, i % 2 == 0 ? 0 : GUESTCRED_NEW,
                                          &err),
              &err, "flags");
        check(guestcred_client_acquire(client, alice, TIMEOUT, &ticket, &err),
              &err, "acquire");
        /* Another thread may have replaced the ticket. */
        if (guestcred_client_guest_call(client, ticket, "GuestProcessManager",
                                        "ListProcessesInGuest", NULL, TIMEOUT,
                                        &reply, &err)
            == GUESTCRED_OK)
            guestcred_reply_free(reply);
        else if (err.status != GUESTCRED_DENIED)
            check(err.status, &err, "guest call");
        guestcred_ticket_free(ticket);
    }
    check(guestcred_store_open(store, &shared, &err), &err, "open");
    check(guestcred_store_list(shared, NULL, &all, &err), &err, "list");
    guestcred_tickets_free(all);
    guestcred_store_free(shared);
    guestcred_request_free(alice);
    guestcred_client_free(client);
    return NULL;
}

/* Four calls at a KDC that does not answer, each abandoned at its deadline. */
static void *
wait_in_vain(void *user)
{
    const char *const *guest = user;
    struct guestcred_error err;
    struct guestcred_client *client = make_client(&err);
    struct guestcred_request *bob = make_request(guest, &err);
    struct guestcred_ticket *ticket = NULL;

    check(guestcred_request_set_principal(bob, "bob", &err), &err, "principal");
    check(guestcred_request_set_password(bob, "bobpw", 5, &err), &err,
          "password");
    if (guestcred_client_acquire(client, bob, 3000, &ticket, &err)
        != GUESTCRED_UNAVAILABLE)
        check(err.status == 0 ? GUESTCRED_INTERNAL : err.status, &err,
              "stopped KDC");
    guestcred_request_free(bob);
    guestcred_client_free(client);
    return NULL;
}

static void
signal_kdc(int signal)
{
    char name[300];
    long pid = 0;
    FILE *file;

    snprintf(name, sizeof(name), "%s/kdc.pid", getenv("GUESTCRED_LAB"));
    file = fopen(name, "r");
    if (file == NULL || fscanf(file, "%ld", &pid) != 1
        || kill((pid_t)pid, signal) != 0)
        exit(1);
    (void)fclose(file);
}

static void
run_all(void *(*what)(void *))
{
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        if (pthread_create(&threads[i], NULL, what,
                           (void *)(uintptr_t)guests[i % 2])
            != 0)
            exit(1);
    for (size_t i = 0; i < THREADS; i++)
        (void)pthread_join(threads[i], NULL);
}

int
main(void)
{
    struct guestcred_error err;
    struct guestcred_client *client;
    struct guestcred_tickets *all = NULL;
    struct guestcred_store *shared = NULL;
    size_t count;
    FILE *file = fopen(getenv("GUESTCRED_PASSWORD_FILE"), "r");

    if (file == NULL || fgets(password, sizeof(password), file) == NULL)
        return 1;
    (void)fclose(file);
    password[strcspn(password, "\n")] = '\0';
    snprintf(store, sizeof(store), "%s/shared", getenv("GUESTCRED_LAB"));
    signal_kdc(SIGSTOP);
    run_all(wait_in_vain);
    signal_kdc(SIGCONT); /* the abandoned go on beside the others */
    run_all(work);

    /* One ticket a guest, whoever came first. */
    client = make_client(&err);
    check(guestcred_store_open(store, &shared, &err), &err, "open");
    check(guestcred_store_list(shared, NULL, &all, &err), &err, "list");
    count = guestcred_tickets_count(all);
    printf("%zu tickets\n", count);
    for (size_t i = 0; i < count; i++)
        check(guestcred_client_release(client, guestcred_tickets_get(all, i),
                                       TIMEOUT, NULL, &err),
              &err, "release");
    check(guestcred_client_logout(client, &err), &err, "logout");
    guestcred_tickets_free(all);
    guestcred_store_free(shared);
    guestcred_client_free(client);
    return count == 2 ? 0 : 1;
}
