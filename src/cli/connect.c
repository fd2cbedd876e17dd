/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/cli/output.h"
#include "src/cli/places.h"
#include "src/cli/secret.h"
#include "src/cli/settings.h"
#include "src/vim/address.h"
#include "src/vim/http.h"

#define VCENTER_PASSWORD_SIZE 1024

/*
 * vCenter's password, for as long as the connection: a pipe gives it only once,
 * and a session may have to be opened again.
 */
struct gc_login_password {
    struct gc_cli *cli; /* borrowed */
    struct gc_bytes text;
};

static void
password_free(struct gc_login_password *p)
{
    if (p != NULL)
        gc_bytes_clear(&p->text);
    free(p);
}

static gc_status
take_govc(const char *text, struct gc_bytes *ret_password, struct gc_error *err)
{
    GC_AUTO(gc_bytes) password = {0};
    gc_status st = gc_bytes_set(&password, text, strlen(text), err);

    if (st == GC_OK)
        st = gc_secret_check(&password, "GOVC_PASSWORD", VCENTER_PASSWORD_SIZE,
                             err);
    if (st == GC_OK)
        gc_bytes_move(ret_password, &password);
    return st;
}

static gc_status
fetch_password(struct gc_cli *cli, struct gc_bytes *ret_password,
               const char **ret_where, struct gc_error *err)
{
    const char *file = gc_options_text(&cli->config, GC_OPT_PASSWORD_FILE);
    const char *name = gc_options_text(&cli->config, GC_OPT_USERNAME);
    char prompt[GC_OPTIONS_TEXT_MAX + 64];

    *ret_where = file != NULL ? file : "the terminal";
    if (file != NULL)
        return gc_secret_password(file, GC_SECRET_PRIVATE,
                                  VCENTER_PASSWORD_SIZE, cli->limit,
                                  ret_password, err);
    if (gc_settings_has_govc_password(cli)) {
        *ret_where = "GOVC_PASSWORD";
        return take_govc(secure_getenv(*ret_where), ret_password, err);
    }
    (void)snprintf(prompt, sizeof(prompt), "vCenter password of %s: ", name);
    gc_output_step_end();
    return gc_secret_prompt(prompt, VCENTER_PASSWORD_SIZE, cli->limit,
                            ret_password, err);
}

static gc_status
ask_password(struct gc_cli *cli, struct gc_bytes *ret_password,
             struct gc_error *err)
{
    GC_AUTO(gc_bytes) password = {0};
    const char *where = NULL;
    gc_status st = fetch_password(cli, &password, &where, err);

    if (st == GC_OK)
        st = gc_secret_check_text(&password, where, err);
    if (st == GC_OK)
        gc_bytes_move(ret_password, &password);
    return st;
}

/* A login to vCenter begins. */
static gc_status
password(void *user, struct gc_bytes *ret_password, struct gc_error *err)
{
    struct gc_login_password *p = user;
    gc_status st = GC_OK;

    if (p->text.len == 0)
        st = ask_password(p->cli, &p->text, err);
    gc_output_note(p->cli, 1, "logging in to vCenter as %s",
                   gc_options_text(&p->cli->config, GC_OPT_USERNAME));
    if (st != GC_OK)
        return st;
    return gc_bytes_set(ret_password, p->text.data, p->text.len, err);
}

static void
log_line(void *user, const char *line)
{
    struct gc_cli *cli = user;

    gc_output_note(cli, 1, "%s", line);
}

static void
trace_line(void *user, const char *line)
{
    struct gc_cli *cli = user;

    gc_output_note(cli, 2, "%s", line);
}

/* govc takes a bare host, and so do we in its variable. */
static gc_status
url(const struct gc_cli *cli, char *dst, size_t size, struct gc_error *err)
{
    const char *text = gc_options_text(&cli->config, GC_OPT_URL);
    gc_status st;

    if (text == NULL) {
        st = gc_fail(err, GC_E_CONFIG, "no vCenter is named");
        return gc_fail_hint(err, st,
                            "give --url https://HOST or set GUESTCRED_URL");
    }
    (void)snprintf(dst, size, "%s%s",
                   gc_options_origin(&cli->config, GC_OPT_URL) == GC_FROM_GOVC
                           && strstr(text, "://") == NULL
                       ? "https://"
                       : "",
                   text);
    return GC_OK;
}

/* The client would say the same, but knows not where each came from. */
static gc_status
check_options(const struct gc_cli *cli, const char *address,
              struct gc_error *err)
{
    static const struct {
        gc_option option;
        gc_status (*check)(const char *text, struct gc_error *err);
    } checks[] = {
        {GC_OPT_URL, gc_address_check_url},
        {GC_OPT_PIN, gc_address_check_pin},
        {GC_OPT_CA_FILE, gc_http_check_ca_file},
        {GC_OPT_PROXY, gc_address_check_proxy},
    };

    for (size_t i = 0; i < GC_COUNT_OF(checks); i++) {
        gc_option o = checks[i].option;
        const char *text =
            o == GC_OPT_URL ? address : gc_options_text(&cli->config, o);
        gc_status st = GC_OK;

        /* Nothing is verified by it then. */
        if (o == GC_OPT_CA_FILE
            && gc_options_flag(&cli->config, GC_OPT_INSECURE))
            continue;
        if (text != NULL)
            st = checks[i].check(text, err);
        if (st != GC_OK)
            return gc_settings_blame(cli, o, st, err);
    }
    return GC_OK;
}

static gc_status
make_client(struct gc_cli *cli, struct gc_login_password *asked,
            struct gc_client **ret_client, struct gc_error *err)
{
    const struct gc_options *c = &cli->config;
    char address[GC_OPTIONS_TEXT_MAX + 16];
    struct gc_client_options options = {
        .http =
            {
                .url = address,
                .ca_file = gc_options_text(c, GC_OPT_CA_FILE),
                .pin = gc_options_text(c, GC_OPT_PIN),
                .proxy = gc_options_text(c, GC_OPT_PROXY),
                .insecure = gc_options_flag(c, GC_OPT_INSECURE),
                .trace = trace_line,
                .trace_user = cli,
            },
        .login =
            {
                .username = gc_options_text(c, GC_OPT_USERNAME),
                .password = password,
                .user = asked,
            },
        .log = log_line,
        .log_user = cli,
    };
    gc_status st;

    st = url(cli, address, sizeof(address), err);
    if (st == GC_OK)
        st = check_options(cli, address, err);
    if (st != GC_OK)
        return st;
    if (options.login.username == NULL) {
        st = gc_fail(err, GC_E_CONFIG, "no user name for vCenter");
        return gc_fail_hint(err, st,
                            "give --username NAME or set GUESTCRED_USERNAME");
    }
    if (options.http.insecure)
        gc_output_warn("--insecure: the server is not verified; whoever is in "
                       "between gets the vCenter password and the ticket");
    return gc_client_new(&options, ret_client, err);
}

/* A stored session's id is not for who only says that it is the vCenter. */
static bool
may_adopt(const struct gc_connection *c)
{
    return !gc_options_flag(&c->cli->config, GC_OPT_NO_SESSION_REUSE)
           && !gc_options_flag(&c->cli->config, GC_OPT_INSECURE);
}

static const char *
username(const struct gc_connection *c)
{
    return gc_options_text(&c->cli->config, GC_OPT_USERNAME);
}

/* What an earlier command kept; whatever is wrong with it, we can do without.
 */
static void
adopt_session(struct gc_connection *c)
{
    struct gc_session *session = gc_client_session(c->client);
    struct gc_error why;
    gc_status st;

    if (!may_adopt(c))
        return;
    st = gc_store_get_session(c->store, gc_session_url(session), username(c),
                              &c->adopted, &c->adopted_id, &why);
    if (st == GC_OK)
        st = gc_session_adopt(session, &c->adopted, &c->adopted_id, &why);
    if (st == GC_OK)
        gc_output_note(c->cli, 1, "using the stored vCenter session");
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        gc_output_note(c->cli, 1, "no stored session: %s", why.message);
}

void
gc_connection_clear(struct gc_connection *c)
{
    gc_client_free(c->client);
    gc_store_free(c->store);
    gc_ledger_free(c->ledger);
    gc_bytes_clear(&c->adopted_id);
    password_free(c->password);
    *c = (struct gc_connection){0};
}

gc_status
gc_connect(struct gc_cli *cli, struct gc_connection *ret_connection,
           struct gc_error *err)
{
    GC_AUTO(gc_connection) c = {.cli = cli};
    gc_status st;

    c.password = calloc(1, sizeof(*c.password));
    if (c.password == NULL)
        return gc_fail_no_memory(err);
    c.password->cli = cli;
    st = make_client(cli, c.password, &c.client, err);
    if (st == GC_OK)
        st = gc_places_store(cli, true, &c.store, err);
    if (st == GC_OK)
        st = gc_places_ledger(cli, geteuid(), &c.ledger, err);
    if (st != GC_OK)
        return st;
    adopt_session(&c);
    c.custody =
        (struct gc_custody){c.client, c.store, c.ledger, geteuid(), NULL};
    *ret_connection = c;
    c = (struct gc_connection){0};
    return GC_OK;
}

/* Others' debts are paid on the way out, as far as the grace goes. */
static void
settle(struct gc_connection *c)
{
    struct gc_custody_tally tally = {0};
    struct gc_error why = {0};
    gc_status st;

    if (gc_ledger_is_ours(c->ledger))
        return;
    st = gc_custody_sweep(&c->custody, gc_limit_grace(GC_CLIENT_GRACE_MS),
                          &tally, &why);
    if (tally.released + tally.gone > 0)
        gc_output_note(c->cli, 1, "released %d tickets that were owed",
                       tally.released + tally.gone);
    if (st != GC_OK)
        gc_output_note(c->cli, 1, "still owed: %s", why.message);
}

static void
keep_session(struct gc_connection *c, gc_status status)
{
    struct gc_session *session = gc_client_session(c->client);
    const char *url = gc_session_url(session);
    const struct gc_bytes *id = gc_session_id(session);
    struct gc_error why;
    gc_status st;

    if (status == GC_OK && gc_bytes_equal(id, &c->adopted_id)
        && memcmp(gc_session_facts(session), &c->adopted, sizeof(c->adopted))
               == 0)
        return;
    /* A session that did not serve is not handed on. */
    if (status == GC_E_PROTOCOL || status == GC_E_NOT_SUPPORTED)
        st = gc_store_forget_session(c->store, url, username(c), &why);
    else
        st = gc_store_put_session(c->store, url, username(c),
                                  gc_session_facts(session), id, &why);
    if (st != GC_OK)
        gc_output_note(c->cli, 1, "the session is not kept: %s", why.message);
}

/* --logout: what is stored goes too, unless it lives on. */
static void
forget_session(struct gc_connection *c)
{
    const char *url = gc_session_url(gc_client_session(c->client));
    struct gc_error why;

    if (gc_options_flag(&c->cli->config, GC_OPT_INSECURE))
        gc_output_warn("--logout: a stored session is left as it is, for "
                       "--insecure keeps away from it");
    else if (gc_store_forget_session(c->store, url, username(c), &why) != GC_OK)
        gc_output_note(c->cli, 1, "%s", why.message);
}

void
gc_disconnect(struct gc_connection *c, gc_status status)
{
    bool logout = gc_options_flag(&c->cli->config, GC_OPT_LOGOUT);
    bool spoke = gc_session_spoke(gc_client_session(c->client));

    if (!spoke && !logout)
        return;
    if (spoke && !c->owes && status != GC_E_CANCELED
        && gc_clock_left(c->cli->limit.deadline) > 0)
        settle(c);
    if (may_adopt(c) && !logout) {
        keep_session(c, status);
        return;
    }
    gc_client_logout(c->client);
    if (logout)
        forget_session(c);
}
