/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Clients: what one is made of, kept until the first call needs it.
 */
#include <config.h>

#include "src/api/api.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"

enum guestcred_status
guestcred_client_new(int cancel_fd, struct guestcred_client **ret_client,
                     struct guestcred_error *err)
{
    struct guestcred_client *client;
    struct gc_error why = {0};
    gc_status st;

    if (ret_client == NULL)
        return gc_api_done(gc_api_missing(&why, "ret_client"), &why, err);
    if (cancel_fd < -1) {
        st =
            gc_fail(&why, GC_E_CONFIG, "a client with cancel_fd %d", cancel_fd);
        return gc_api_done(st, &why, err);
    }
    client = calloc(1, sizeof(*client));
    if (client != NULL)
        client->initiator = gc_initiator_new(cancel_fd);
    if (client == NULL || client->initiator == NULL) {
        free(client);
        return gc_api_done(gc_fail_no_memory(&why), &why, err);
    }
    client->owner = getpid();
    client->cancel_fd = cancel_fd;
    *ret_client = client;
    return gc_api_done(GC_OK, &why, err);
}

void
guestcred_client_free(struct guestcred_client *client)
{
    if (client == NULL)
        return;
    /* In a forked child the connection is the parent's. */
    if (client->owner == getpid())
        gc_client_free(client->client);
    gc_initiator_free(client->initiator);
    gc_store_free(client->store);
    gc_ledger_free(client->ledger);
    gc_bytes_clear(&client->password);
    free(client->ca_file);
    free(client->pin);
    free(client->proxy);
    free(client);
}

/* Is CLIENT there and ours? */
static gc_status
check_client(const struct guestcred_client *client, struct gc_error *err)
{
    if (client == NULL)
        return gc_api_missing(err, "the client");
    if (client->owner != getpid())
        return gc_fail(err, GC_E_CONFIG,
                       "the client was made by another process, before a fork");
    return GC_OK;
}

/* ... and not in use yet? */
static gc_status
check_fresh(const struct guestcred_client *client, struct gc_error *err)
{
    gc_status st = check_client(client, err);

    if (st == GC_OK && client->client != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "the client has been used: its server and login are "
                       "settled");
    return st;
}

enum guestcred_status
guestcred_client_set_url(struct guestcred_client *client, const char *url,
                         struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK)
        st =
            gc_api_copy(client->url, sizeof(client->url), url, "the URL", &why);
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_client_set_login(struct guestcred_client *client,
                           const char *username, const void *password,
                           size_t len, struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK)
        st = gc_api_check_secret(password, len, GC_API_PASSWORD_MAX,
                                 "the password", &why);
    if (st == GC_OK)
        st = gc_api_copy(client->username, sizeof(client->username), username,
                         "the user name", &why);
    if (st == GC_OK)
        st = gc_bytes_set(&client->password, password, len, &why);
    return gc_api_done(st, &why, err);
}

/* A copy of TEXT, or nothing for NULL, in place of *DST. */
static enum guestcred_status
set_text(struct guestcred_client *client, char **dst, const char *text,
         const char *what, struct guestcred_error *err)
{
    struct gc_error why = {0};
    char *copy = NULL;
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK && text != NULL)
        st = gc_api_check_text(text, what, &why);
    if (st == GC_OK && text != NULL && (copy = strdup(text)) == NULL)
        st = gc_fail_no_memory(&why);
    if (st == GC_OK) {
        free(*dst);
        *dst = copy;
    }
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_client_set_ca_file(struct guestcred_client *client, const char *file,
                             struct guestcred_error *err)
{
    return set_text(client, client == NULL ? NULL : &client->ca_file, file,
                    "the CA file's name", err);
}

enum guestcred_status
guestcred_client_set_pin(struct guestcred_client *client, const char *pin,
                         struct guestcred_error *err)
{
    return set_text(client, client == NULL ? NULL : &client->pin, pin,
                    "the pin", err);
}

enum guestcred_status
guestcred_client_set_proxy(struct guestcred_client *client, const char *proxy,
                           struct guestcred_error *err)
{
    return set_text(client, client == NULL ? NULL : &client->proxy, proxy,
                    "the proxy", err);
}

enum guestcred_status
guestcred_client_set_insecure(struct guestcred_client *client, int insecure,
                              struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK)
        st = gc_api_check_flag(insecure, "insecure", &why);
    if (st == GC_OK)
        client->insecure = insecure == 1;
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_client_set_log(struct guestcred_client *client,
                         void (*log)(void *user, int level, const char *line),
                         void *user, struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_client(client, &why);

    if (st == GC_OK) {
        client->log = log;
        client->log_user = user;
    }
    return gc_api_done(st, &why, err);
}

static void
tell_step(void *user, const char *line)
{
    const struct guestcred_client *client = user;

    if (client->log != NULL)
        client->log(client->log_user, GUESTCRED_LOG_STEP, line);
}

static void
tell_request(void *user, const char *line)
{
    const struct guestcred_client *client = user;

    if (client->log != NULL)
        client->log(client->log_user, GUESTCRED_LOG_REQUEST, line);
}

enum guestcred_status
guestcred_client_set_store(struct guestcred_client *client, const char *name,
                           struct guestcred_error *err)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    char checked[GC_API_STORE_SIZE];
    struct gc_error why = {0};
    gc_status st = check_client(client, &why);

    if (st == GC_OK && name != NULL) {
        st = gc_api_copy(checked, sizeof(checked), name, "the store's name",
                         &why);
        if (st == GC_OK)
            st = gc_store_open(checked, true, &store, &why);
    }
    if (st == GC_OK) {
        if (store != NULL)
            gc_store_on_skip(store, tell_step, client);
        gc_store_free(client->store);
        client->store = GC_TAKE(store);
    }
    return gc_api_done(st, &why, err);
}

enum guestcred_status
guestcred_client_set_ledger(struct guestcred_client *client,
                            const char *directory, struct guestcred_error *err)
{
    GC_AUTO_PTR(gc_ledger) ledger = NULL;
    struct gc_error why = {0};
    gc_status st = check_client(client, &why);

    if (st == GC_OK && directory != NULL) {
        st = gc_api_check_text(directory, "the ledger's directory", &why);
        if (st == GC_OK)
            st = gc_ledger_open(directory, geteuid(), &ledger, &why);
    }
    if (st == GC_OK) {
        if (ledger != NULL)
            gc_ledger_on_skip(ledger, tell_step, client);
        gc_ledger_free(client->ledger);
        client->ledger = GC_TAKE(ledger);
    }
    return gc_api_done(st, &why, err);
}

/* ---- the first call, and every other ---- */

static gc_status
hand_password(void *user, struct gc_bytes *ret_password, struct gc_error *err)
{
    const struct guestcred_client *client = user;

    return gc_bytes_set(ret_password, client->password.data,
                        client->password.len, err);
}

static gc_status
make_client(struct guestcred_client *client, struct gc_error *err)
{
    const struct gc_client_options options = {
        .http = {.url = client->url,
                 .ca_file = client->ca_file,
                 .pin = client->pin,
                 .proxy = client->proxy,
                 .insecure = client->insecure,
                 .trace = tell_request,
                 .trace_user = client},
        .login = {.username = client->username,
                  .password = hand_password,
                  .user = client},
        .log = tell_step,
        .log_user = client,
    };

    if (client->url[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "the client has no URL");
    if (client->username[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "the client has no login");
    return gc_client_new(&options, &client->client, err);
}

gc_status
gc_api_client_ready(struct guestcred_client *client, int timeout_ms,
                    struct gc_limit *ret_limit, struct gc_error *err)
{
    gc_status st = check_client(client, err);

    if (st == GC_OK && (timeout_ms < 1 || timeout_ms > GUESTCRED_TIMEOUT_MAX))
        return gc_fail(err, GC_E_CONFIG,
                       "a timeout of %d ms is not between 1 and %d", timeout_ms,
                       GUESTCRED_TIMEOUT_MAX);
    if (st == GC_OK && client->client == NULL)
        st = make_client(client, err);
    if (st == GC_OK)
        *ret_limit =
            (struct gc_limit){gc_clock_now() + timeout_ms, client->cancel_fd};
    return st;
}
