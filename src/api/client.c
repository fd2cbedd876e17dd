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
#include "src/tickets/vcenter.h"
#include "src/vim/address.h"

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
    /* In a forked child connection and session are the parent's. */
    if (client->owner == getpid() && client->guest != NULL) {
        if (client->store != NULL && !client->insecure)
            client->guest->ops->close(client->guest, client->last, false);
        gc_guest_free(client->guest);
    }
    gc_initiator_free(client->initiator);
    gc_store_free(client->store);
    gc_store_free(client->copies);
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

    if (st == GC_OK && client->guest != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "the client has been used: its settings are fixed");
    return st;
}

enum guestcred_status
guestcred_client_set_url(struct guestcred_client *client, const char *url,
                         struct guestcred_error *err)
{
    char checked[GC_URL_SIZE];
    struct gc_error why = {0};
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK)
        st = gc_api_copy(checked, sizeof(checked), url, "the URL", &why);
    if (st == GC_OK)
        st = gc_address_check_url(checked, &why);
    if (st == GC_OK)
        memcpy(client->url, checked, sizeof(checked));
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

/* A copy of TEXT, if CHECK likes it, or nothing for NULL, in place of *DST. */
static enum guestcred_status
set_text(struct guestcred_client *client, char **dst, const char *text,
         const char *what, gc_status (*check)(const char *, struct gc_error *),
         struct guestcred_error *err)
{
    struct gc_error why = {0};
    char *copy = NULL;
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK && text != NULL)
        st = gc_api_check_text(text, what, &why);
    if (st == GC_OK && text != NULL)
        st = check(text, &why);
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
                    "the CA file's name", gc_http_check_ca_file, err);
}

enum guestcred_status
guestcred_client_set_pin(struct guestcred_client *client, const char *pin,
                         struct guestcred_error *err)
{
    return set_text(client, client == NULL ? NULL : &client->pin, pin,
                    "the pin", gc_address_check_pin, err);
}

enum guestcred_status
guestcred_client_set_proxy(struct guestcred_client *client, const char *proxy,
                           struct guestcred_error *err)
{
    return set_text(client, client == NULL ? NULL : &client->proxy, proxy,
                    "the proxy", gc_address_check_proxy, err);
}

enum guestcred_status
guestcred_client_set_insecure(struct guestcred_client *client, int insecure,
                              struct guestcred_error *err)
{
    struct gc_error why = {0};
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK && insecure != 0 && insecure != 1)
        st = gc_fail(&why, GC_E_CONFIG, "insecure is %d, not 0 or 1", insecure);
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

void
gc_api_tell(void *user, const char *line)
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

/* The store in PATH, or none for NULL, in place of *DST. */
static enum guestcred_status
set_directory(struct guestcred_client *client, struct gc_store **dst,
              const char *path, gc_store_mode mode, struct guestcred_error *err)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct gc_error why = {0};
    gc_status st = check_fresh(client, &why);

    if (st == GC_OK && path != NULL)
        st = gc_api_check_text(path, "the directory", &why);
    if (st == GC_OK && path != NULL)
        st = gc_store_open(path, mode, &store, &why);
    if (st != GC_OK)
        return gc_api_done(st, &why, err);
    if (store != NULL)
        gc_store_on_skip(store, gc_api_tell, client);
    gc_store_free(*dst);
    *dst = GC_TAKE(store);
    return gc_api_done(GC_OK, NULL, err);
}

enum guestcred_status
guestcred_client_set_store(struct guestcred_client *client, const char *path,
                           struct guestcred_error *err)
{
    return set_directory(client, client == NULL ? NULL : &client->store, path,
                         GC_STORE_CREATE, err);
}

enum guestcred_status
guestcred_client_set_login_dir(struct guestcred_client *client,
                               const char *path, struct guestcred_error *err)
{
    return set_directory(client, client == NULL ? NULL : &client->copies, path,
                         GC_STORE_LOGIN, err);
}

/* ---- the first call, and every other ---- */

/* It has no file: the same password is refused again for as long as CLIENT. */
static gc_status
hand_password(void *user, struct gc_limit limit, struct gc_bytes *ret_password,
              struct gc_password_identity *ret_identity, struct gc_error *err)
{
    const struct guestcred_client *client = user;

    (void)limit;
    (void)ret_identity;
    return gc_bytes_set(ret_password, client->password.data,
                        client->password.len, err);
}

static gc_status
connect_guest(struct guestcred_client *client, struct gc_error *err)
{
    const struct gc_vcenter_options options = {
        .http = {.url = client->url,
                 .ca_file = client->ca_file,
                 .pin = client->pin,
                 .proxy = client->proxy,
                 .insecure = client->insecure,
                 .trace = tell_request,
                 .trace_user = client},
        .username = client->username,
        .password = hand_password,
        .user = client,
        .store = client->store,
        /* A stored session is not for a server that was not verified. */
        .no_reuse = client->insecure,
        .log = gc_api_tell,
        .log_user = client,
    };

    if (client->url[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "the client has no URL");
    if (client->username[0] == '\0')
        return gc_fail(err, GC_E_CONFIG, "the client has no login");
    return gc_vcenter_new(&options, &client->guest, err);
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
    if (st == GC_OK && client->guest == NULL)
        st = connect_guest(client, err);
    if (st == GC_OK)
        *ret_limit =
            (struct gc_limit){gc_clock_now() + timeout_ms, client->cancel_fd};
    return st;
}
