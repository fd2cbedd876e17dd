/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/connect.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/cli/output.h"
#include "src/cli/paths.h"
#include "src/cli/secret.h"
#include "src/cli/settings.h"
#include "src/tickets/vcenter.h"
#include "src/vim/address.h"

#define VCENTER_PASSWORD_SIZE 1024

/*
 * vCenter's password, for as long as the connection: a pipe gives it only once,
 * and a session may have to be opened again.
 */
struct gc_login_password {
    struct gc_cli *cli; /* borrowed */
    struct gc_bytes text;
    struct gc_password_identity identity;
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
        return gc_secret_password(file, VCENTER_PASSWORD_SIZE, cli->limit,
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

static gc_status
password(void *user, struct gc_limit limit, struct gc_bytes *ret_password,
         struct gc_password_identity *ret_identity, struct gc_error *err)
{
    struct gc_login_password *p = user;
    const char *file = gc_options_text(&p->cli->config, GC_OPT_PASSWORD_FILE);
    gc_status st = GC_OK;

    (void)limit; /* it is the command's */
    if (p->text.len == 0) {
        /* Before it is read: what changes meanwhile is another password. */
        if (file != NULL && strcmp(file, "-") != 0)
            gc_vcenter_identify(file, &p->identity);
        else if (gc_settings_has_govc_password(p->cli))
            p->identity.dev = -1; /* no file, and the same each time */
        st = ask_password(p->cli, &p->text, err);
    }
    if (st != GC_OK)
        return st;
    *ret_identity = p->identity;
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

/* The client checks the same, but does not know where each came from. */
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

/* Never send a stored session id to an unverified server. */
static bool
may_reuse(const struct gc_cli *cli)
{
    return !gc_options_flag(&cli->config, GC_OPT_NO_SESSION_REUSE)
           && !gc_options_flag(&cli->config, GC_OPT_INSECURE);
}

static gc_status
make_guest(struct gc_connection *c, struct gc_error *err)
{
    struct gc_cli *cli = c->cli;
    const struct gc_options *o = &cli->config;
    char address[GC_OPTIONS_TEXT_MAX + 16];
    struct gc_vcenter_options options = {
        .http =
            {
                .url = address,
                .ca_file = gc_options_text(o, GC_OPT_CA_FILE),
                .pin = gc_options_text(o, GC_OPT_PIN),
                .proxy = gc_options_text(o, GC_OPT_PROXY),
                .insecure = gc_options_flag(o, GC_OPT_INSECURE),
                .trace = trace_line,
                .trace_user = cli,
            },
        .username = gc_options_text(o, GC_OPT_USERNAME),
        .password = password,
        .user = c->password,
        .store = c->store,
        .no_reuse = !may_reuse(cli),
        .log = log_line,
        .log_user = cli,
    };
    gc_status st;

    st = url(cli, address, sizeof(address), err);
    if (st == GC_OK)
        st = check_options(cli, address, err);
    if (st != GC_OK)
        return st;
    if (options.username == NULL) {
        st = gc_fail(err, GC_E_CONFIG, "no user name for vCenter");
        return gc_fail_hint(err, st,
                            "give --username NAME or set GUESTCRED_USERNAME");
    }
    if (options.http.insecure)
        gc_output_warn("--insecure: the server is not verified; anybody in "
                       "between gets the vCenter password and the ticket");
    return gc_vcenter_new(&options, &c->guest, err);
}

void
gc_connection_clear(struct gc_connection *c)
{
    gc_guest_free(c->guest);
    gc_store_free(c->store);
    gc_store_free(c->copies);
    password_free(c->password);
    *c = (struct gc_connection){.cli = NULL};
}

gc_status
gc_connect_stores(struct gc_cli *cli, bool create, struct gc_connection *c,
                  struct gc_error *err)
{
    gc_status st = GC_OK;

    c->cli = cli;
    if (c->store == NULL)
        st = gc_paths_store(cli, create ? GC_STORE_CREATE : GC_STORE_READ,
                            &c->store, err);
    if (st != GC_OK && (create || st != GC_E_NOT_FOUND))
        return st;
    if (c->copies == NULL)
        c->copies = gc_paths_copies(cli);
    return GC_OK;
}

gc_status
gc_connect(struct gc_cli *cli, struct gc_connection *c, struct gc_error *err)
{
    gc_status st = gc_connect_stores(cli, true, c, err);

    if (st != GC_OK)
        return st;
    c->password = calloc(1, sizeof(*c->password));
    if (c->password == NULL)
        return gc_fail_no_memory(err);
    c->password->cli = cli;
    st = make_guest(c, err);
    if (st != GC_OK)
        return st;
    c->tickets = (struct gc_tickets){
        .guest = c->guest,
        .store = c->store,
        .copies = c->copies,
        .owes = &c->owes,
        .log = log_line,
        .log_user = cli,
    };
    return GC_OK;
}

/* On the way out, release what earlier commands owe, within the grace. */
static void
settle(struct gc_connection *c)
{
    struct gc_tickets_tally tally = {0};
    struct gc_error why = {0};
    gc_status st;

    st = gc_tickets_sweep(&c->tickets, gc_limit_grace(GC_TICKETS_GRACE_MS),
                          &tally, &why);
    if (tally.released + tally.gone > 0)
        gc_output_note(c->cli, 1, "released %d tickets that were owed",
                       tally.released + tally.gone);
    if (st != GC_OK)
        gc_output_note(c->cli, 1, "still owed: %s", why.message);
}

void
gc_disconnect(struct gc_connection *c, gc_status status)
{
    const struct gc_options *o = &c->cli->config;
    bool logout = gc_options_flag(o, GC_OPT_LOGOUT);

    if (c->store != NULL && c->guest->ops->about(c->guest).spoke && !c->owes
        && status != GC_E_CANCELED && gc_clock_left(c->cli->limit.deadline) > 0)
        settle(c);
    c->guest->ops->close(c->guest, status, logout);
    if (logout && gc_options_flag(o, GC_OPT_INSECURE))
        gc_output_warn("--logout: a stored session is left as it is, for "
                       "--insecure keeps away from it");
}
