/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several threads, a client each, one store and one ledger among them.  Built
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

static char password[64], store[300], ledger[300];

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
    check(guestcred_client_set_ledger(c, ledger, err), err, "ledger");
    return c;
}

static void *
work(void *user)
{
    const char *const *guest = user;
    struct guestcred_error err;
    struct guestcred_client *client = make_client(&err);
    struct guestcred_credential *alice = NULL;
    struct guestcred_ticket *ticket = NULL, **all = NULL;
    struct guestcred_store *shared = NULL;
    size_t count;

    check(guestcred_credential_new(&alice, &err), &err, "credential");
    for (int i = 0; i < ROUNDS; i++) {
        check(guestcred_acquire(client, alice, guest[0], guest[1],
                                i % 2 == 0 ? 0 : GUESTCRED_NEW, TIMEOUT,
                                &ticket, &err),
              &err, "acquire");
        guestcred_ticket_free(ticket);
    }
    check(guestcred_store_open(store, 0, &shared, &err), &err, "open");
    check(guestcred_store_list(shared, &all, &count, &err), &err, "list");
    guestcred_tickets_free(all, count);
    guestcred_store_free(shared);
    check(guestcred_logout(client, &err), &err, "logout");
    guestcred_credential_free(alice);
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
    struct guestcred_credential *bob = NULL;
    struct guestcred_ticket *ticket = NULL;

    check(guestcred_credential_new(&bob, &err), &err, "credential");
    check(guestcred_credential_set_password(bob, "bob", "bobpw", 5, &err), &err,
          "password");
    if (guestcred_acquire(client, bob, guest[0], guest[1], 0, 3000, &ticket,
                          &err)
        != GUESTCRED_UNAVAILABLE)
        check(err.status == 0 ? GUESTCRED_INTERNAL : err.status, &err,
              "stopped KDC");
    guestcred_credential_free(bob);
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
    struct guestcred_ticket **all = NULL;
    struct guestcred_store *shared = NULL;
    size_t count = 0;
    FILE *file = fopen(getenv("GUESTCRED_PASSWORD_FILE"), "r");

    if (file == NULL || fgets(password, sizeof(password), file) == NULL)
        return 1;
    (void)fclose(file);
    password[strcspn(password, "\n")] = '\0';
    snprintf(store, sizeof(store), "DIR:%s/shared", getenv("GUESTCRED_LAB"));
    snprintf(ledger, sizeof(ledger), "%s/ledger", getenv("GUESTCRED_LAB"));
    signal_kdc(SIGSTOP);
    run_all(wait_in_vain);
    signal_kdc(SIGCONT); /* the abandoned go on beside the others */
    run_all(work);

    /* One record a guest, whoever came first. */
    client = make_client(&err);
    check(guestcred_store_open(store, 0, &shared, &err), &err, "open");
    check(guestcred_store_list(shared, &all, &count, &err), &err, "list");
    printf("%zu tickets\n", count);
    for (size_t i = 0; i < count; i++)
        check(guestcred_release(client, all[i], TIMEOUT, NULL, &err), &err,
              "release");
    guestcred_tickets_free(all, count);
    guestcred_store_free(shared);
    guestcred_client_free(client);
    return count == 2 ? 0 : 1;
}
