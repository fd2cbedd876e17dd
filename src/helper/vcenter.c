/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/vcenter.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/secret.h"

#define PASSWORD_SIZE 1024

struct gc_vcenter_login {
    const char *file; /* borrowed from the errand */
    struct gc_limit limit;
    struct gc_bytes password;
};

void
gc_vcenter_clear(struct gc_vcenter *v)
{
    gc_client_free(v->client);
    gc_store_free(v->sessions);
    gc_bytes_clear(&v->adopted_id);
    if (v->login != NULL)
        gc_bytes_clear(&v->login->password);
    free(v->login);
    *v = (struct gc_vcenter){.client = NULL};
}

/* Read when a login is due, so that no child of ours was forked with it. */
static gc_status
password(void *user, struct gc_bytes *ret_password, struct gc_error *err)
{
    struct gc_vcenter_login *login = user;
    gc_status st = GC_OK;

    if (login->file == NULL)
        return gc_fail(err, GC_E_CONFIG, "password_file is not configured");
    if (login->password.len == 0)
        st = gc_secret_password(login->file, GC_SECRET_ROOTS, PASSWORD_SIZE,
                                login->limit, &login->password, err);
    if (st == GC_OK)
        st = gc_secret_check_text(&login->password, login->file, err);
    if (st != GC_OK)
        return st;
    return gc_bytes_set(ret_password, login->password.data, login->password.len,
                        err);
}

/* Sixteen digits for all that a session must agree in; no secret goes in. */
static void
digest(const char *const *texts, size_t count, char ret_digits[17])
{
    uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */

    for (size_t i = 0; i < count; i++) {
        const char *c = texts[i] == NULL ? "" : texts[i];

        do {
            hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
        } while (*c++ != '\0');
    }
    (void)snprintf(ret_digits, 17, "%016jx", (uintmax_t)hash);
}

static gc_status
name_session(const struct gc_errand *e, struct gc_vcenter *v,
             struct gc_error *err)
{
    const struct gc_options *c = &e->config;
    const char *username = gc_options_text(c, GC_OPT_USERNAME);
    const char *const texts[] = {
        gc_options_text(c, GC_OPT_URL),
        username,
        gc_options_text(c, GC_OPT_PIN),
        gc_options_text(c, GC_OPT_CA_FILE),
        gc_options_text(c, GC_OPT_PROXY),
        gc_options_text(c, GC_OPT_PASSWORD_FILE),
    };
    char digits[17];

    if (strlen(username) + sizeof(digits) + 1 > sizeof(v->key))
        return gc_fail(err, GC_E_CONFIG, "username is too long");
    digest(texts, GC_COUNT_OF(texts), digits);
    (void)snprintf(v->key, sizeof(v->key), "%s %s", username, digits);
    return GC_OK;
}

static gc_status
make_client(const struct gc_errand *e, struct gc_vcenter *v,
            struct gc_error *err)
{
    const struct gc_options *c = &e->config;
    struct gc_client_options options = {
        .http =
            {
                .url = gc_options_text(c, GC_OPT_URL),
                .ca_file = gc_options_text(c, GC_OPT_CA_FILE),
                .pin = gc_options_text(c, GC_OPT_PIN),
                .proxy = gc_options_text(c, GC_OPT_PROXY),
            },
        .login = {.username = gc_options_text(c, GC_OPT_USERNAME),
                  .password = password},
    };

    if (options.http.url == NULL || options.login.username == NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "url and username of a vCenter are needed");
    v->login = calloc(1, sizeof(*v->login));
    if (v->login == NULL)
        return gc_fail_no_memory(err);
    v->login->file = gc_options_text(c, GC_OPT_PASSWORD_FILE);
    v->login->limit = (struct gc_limit){e->deadline, GC_WIRE_FD};
    options.login.user = v->login;
    return gc_client_new(&options, &v->client, err);
}

/* Whatever is wrong with a kept session, we can do without it. */
static void
adopt(struct gc_vcenter *v)
{
    struct gc_session *session = gc_client_session(v->client);

    if (gc_store_get_session(v->sessions, gc_session_url(session), v->key,
                             &v->adopted, &v->adopted_id, NULL)
        == GC_OK)
        (void)!gc_session_adopt(session, &v->adopted, &v->adopted_id, NULL);
}

gc_status
gc_vcenter_open(const struct gc_errand *e, struct gc_vcenter *ret_vcenter,
                struct gc_error *err)
{
    struct gc_vcenter *v = ret_vcenter;
    gc_status st = make_client(e, v, err);

    if (st == GC_OK)
        st = name_session(e, v, err);
    if (st == GC_OK)
        st = gc_store_open("DIR:" GC_ERRAND_STATE "/vcenter", true,
                           &v->sessions, err);
    if (st != GC_OK)
        return st;
    adopt(v);
    v->custody =
        (struct gc_custody){v->client, NULL, e->ledger, e->as.uid, NULL};
    return GC_OK;
}

gc_status
gc_vcenter_check(struct gc_vcenter *v, const struct gc_map_vm *vm,
                 struct gc_limit limit, struct gc_error *err)
{
    struct gc_session *session = gc_client_session(v->client);
    gc_status st = gc_session_open(session, limit, err);

    if (st != GC_OK || vm->vcenter[0] == '\0')
        return st;
    if (strcasecmp(gc_session_facts(session)->instance_uuid, vm->vcenter) != 0)
        return gc_fail(err, GC_E_NOT_FOUND,
                       "%s is of another vCenter than the one that answers",
                       vm->vm);
    return GC_OK;
}

void
gc_vcenter_keep(struct gc_vcenter *v, gc_status status)
{
    struct gc_session *session = gc_client_session(v->client);
    const char *url = gc_session_url(session);
    const struct gc_bytes *id = gc_session_id(session);
    bool fresh = !gc_bytes_equal(id, &v->adopted_id);

    if (!gc_session_spoke(session))
        return;
    if (status == GC_E_PROTOCOL || status == GC_E_NOT_SUPPORTED)
        (void)!gc_store_forget_session(v->sessions, url, v->key, NULL);
    else if ((status != GC_OK || fresh
              || memcmp(gc_session_facts(session), &v->adopted,
                        sizeof(v->adopted))
                     != 0)
             && gc_store_put_session(v->sessions, url, v->key,
                                     gc_session_facts(session), id, NULL)
                    != GC_OK
             && fresh)
        /* A vCenter has room for few that nobody comes back to. */
        gc_client_logout(v->client);
}
