/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred acquire: one ticket a VM, printed, or nothing left behind.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/cli/connect.h"
#include "src/cli/output.h"
#include "src/cli/settings.h"
#include "src/cli/targets.h"
#include "src/secret.h"
#include "src/tickets/ticket_json.h"

/* Copy an option's value into a fixed field of the want. */
static gc_status
fill(const struct gc_options *c, gc_option o, char *dst, size_t size,
     struct gc_error *err)
{
    const char *text = gc_options_text(c, o);

    if (text == NULL)
        return GC_OK;
    if (strlen(text) >= size)
        return gc_fail(err, GC_E_CONFIG, "%s is longer than %zu bytes",
                       gc_option_info(o)->name, size - 1);
    memcpy(dst, text, strlen(text) + 1);
    return GC_OK;
}

static gc_status
choose_source(const struct gc_options *c, struct gc_want *want,
              struct gc_error *err)
{
    static const struct {
        gc_option option;
        gc_source source;
        bool needs_principal;
        bool is_place;
    } sources[] = {
        {GC_OPT_CCACHE, GC_SOURCE_CCACHE, false, true},
        {GC_OPT_KEYTAB, GC_SOURCE_KEYTAB, true, true},
        {GC_OPT_CLIENT_KEYTAB, GC_SOURCE_CLIENT_KEYTAB, true, true},
        {GC_OPT_GUEST_PASSWORD_FILE, GC_SOURCE_PASSWORD, true, false},
    };
    gc_option chosen = GC_OPT_COUNT;
    gc_status st = GC_OK;

    want->source = GC_SOURCE_DEFAULT;
    for (size_t i = 0; i < GC_COUNT_OF(sources); i++) {
        const char *name = gc_option_info(sources[i].option)->name;

        if (gc_options_text(c, sources[i].option) == NULL)
            continue;
        if (chosen != GC_OPT_COUNT)
            return gc_fail(err, GC_E_CONFIG, "--%s and --%s exclude each other",
                           gc_option_info(chosen)->name, name);
        if (sources[i].needs_principal && want->principal[0] == '\0')
            return gc_fail(err, GC_E_CONFIG, "--%s needs --principal", name);
        chosen = sources[i].option;
        want->source = sources[i].source;
        if (sources[i].is_place)
            st = fill(c, chosen, want->place, sizeof(want->place), err);
        if (st != GC_OK)
            return st;
    }
    return GC_OK;
}

static gc_status
choose_mech(const struct gc_cli *cli, struct gc_want *want,
            struct gc_error *err)
{
    const struct gc_options *c = &cli->config;
    const char *mech = gc_options_text(c, GC_OPT_MECH);

    want->mutual = gc_options_flag(c, GC_OPT_MUTUAL);
    want->mech = GC_MECH_KERBEROS;
    if (mech != NULL && !gc_mech_parse(mech, &want->mech)) {
        (void)gc_fail(err, GC_E_CONFIG,
                      "mech is \"%.60s\", not kerberos, negotiate or ntlm",
                      mech);
        return gc_settings_blame(cli, GC_OPT_MECH, GC_E_CONFIG, err);
    }
    if (want->mech != GC_MECH_NTLM)
        return GC_OK;
    if (want->mutual)
        return gc_fail(err, GC_E_CONFIG,
                       "--mutual needs Kerberos: NTLM proves no server");
    if (want->source != GC_SOURCE_DEFAULT && want->source != GC_SOURCE_PASSWORD)
        return gc_fail(err, GC_E_CONFIG,
                       "--mech ntlm takes no Kerberos cache or keytab");
    if (want->on_behalf_of[0] != '\0')
        return gc_fail(err, GC_E_CONFIG, "--on-behalf-of needs Kerberos");
    return GC_OK;
}

/* What every VM of this command has in common; all but the target. */
static gc_status
want_from_options(const struct gc_cli *cli, struct gc_want *want,
                  struct gc_error *err)
{
    const struct gc_options *c = &cli->config;
    gc_status st;

    st = fill(c, GC_OPT_PRINCIPAL, want->principal, sizeof(want->principal),
              err);
    if (st == GC_OK)
        st = fill(c, GC_OPT_ON_BEHALF_OF, want->on_behalf_of,
                  sizeof(want->on_behalf_of), err);
    if (st == GC_OK)
        st = choose_source(c, want, err);
    if (st == GC_OK)
        st = choose_mech(cli, want, err);
    return st;
}

static gc_status
guest_password(struct gc_cli *cli, struct gc_bytes *ret_password,
               struct gc_error *err)
{
    const char *file =
        gc_options_text(&cli->config, GC_OPT_GUEST_PASSWORD_FILE);
    const char *other = gc_options_text(&cli->config, GC_OPT_PASSWORD_FILE);

    if (file == NULL)
        return GC_OK;
    if (other != NULL && strcmp(file, "-") == 0 && strcmp(other, "-") == 0)
        return gc_fail(err, GC_E_CONFIG,
                       "standard input can hold only one of the two passwords");
    return gc_secret_password(file, GC_PASSWORD_SIZE, cli->limit, ret_password,
                              err);
}

/* One run of the command over all its VMs. */
struct run {
    struct gc_cli *cli;
    struct gc_connection connection;
    struct gc_initiator *initiator;
    struct gc_bytes password; /* secret */
    struct gc_targets targets;
    struct gc_entries entries;
    bool reused[GC_TARGETS_MAX]; /* one an entry */
    struct gc_json *errors;      /* NULL: none so far */
    gc_status status;            /* the first failure's */
};

static void
run_clear(struct run *r)
{
    gc_entries_clear(&r->entries);
    gc_targets_clear(&r->targets);
    gc_json_free(r->errors);
    gc_connection_clear(&r->connection);
    gc_initiator_free(r->initiator);
    gc_bytes_clear(&r->password);
}

static gc_status
acquire_one(struct run *r, const struct gc_target *target,
            const struct gc_want *common, struct gc_error *err)
{
    const struct gc_options *c = &r->cli->config;
    struct gc_want want = *common;
    GC_AUTO(gc_entry) entry = {0};
    struct gc_tickets_request request = {
        .ref = target->ref,
        .want = &want,
        .fresh = gc_options_flag(c, GC_OPT_NEW),
        .trust = gc_options_flag(c, GC_OPT_NO_VALIDATE),
    };
    gc_status st;

    memcpy(want.target, target->spn, strlen(target->spn) + 1);
    gc_output_step(r->cli, "a ticket in %s is asked for", target->ref);
    st = gc_tickets_acquire(&r->connection.tickets, &request, r->cli->limit,
                            &entry, &r->reused[r->entries.count], err);
    gc_output_step_end();
    if (st != GC_OK)
        return st;
    return gc_entries_add(&r->entries, &entry, err);
}

static void
say_ticket(const struct gc_cli *cli, const struct gc_ticket *t, bool reused)
{
    if (reused)
        gc_output_line(cli, "%s: the stored ticket for %s at %s (%s%s)", t->vm,
                       t->principal, t->target, gc_mech_word(t->mech),
                       t->mutual ? ", mutual" : "");
    else
        gc_output_line(cli, "%s: a ticket for %s at %s (%s%s, %d %s)", t->vm,
                       t->principal, t->target, gc_mech_word(t->mech),
                       t->mutual ? ", mutual" : "", (int)t->legs,
                       t->legs == 1 ? "call" : "calls");
}

static gc_status
print(struct run *r, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_output_object();
    struct gc_json *list = NULL;

    if (r->targets.several)
        list = gc_json_add_array(root, "tickets");
    for (size_t i = 0; i < r->entries.count; i++) {
        const struct gc_ticket *t = &r->entries.items[i].ticket;

        if (!r->cli->json)
            say_ticket(r->cli, t, r->reused[i]);
        else
            gc_ticket_write(
                t, true, list == NULL ? root : gc_json_add_object(list, NULL));
    }
    if (r->errors != NULL)
        (void)gc_json_add_copy(root, "errors", r->errors);
    if (r->cli->json)
        return gc_output_json(root, err);
    return gc_output_flush(err);
}

/* Without a store, what was not shown is known to nobody. */
static void
give_back(struct run *r)
{
    const struct gc_limit grace = gc_limit_grace(GC_TICKETS_GRACE_MS);
    enum gc_released how;

    for (size_t i = 0; i < r->entries.count; i++) {
        struct gc_entry *entry = &r->entries.items[i];
        struct gc_error why = {0};

        if (!r->reused[i]
            && gc_tickets_release(&r->connection.tickets, entry, grace, &how,
                                  &why)
                   != GC_OK)
            gc_output_warn("a ticket stays in the guest of VM %s: %s",
                           entry->ticket.vm, why.message);
    }
}

/* With several VMs one failure does not stop the others. */
static gc_status
acquire_all(struct run *r, const struct gc_want *common, struct gc_error *err)
{
    struct gc_error why = {0};
    gc_status st;

    for (size_t i = 0; i < r->targets.count; i++) {
        st = acquire_one(r, &r->targets.items[i], common, &why);
        if (st == GC_OK)
            continue;
        if (!r->targets.several || st == GC_E_CANCELED) {
            *err = why;
            return st;
        }
        if (r->status == GC_OK)
            r->status = why.status;
        gc_output_failure(r->cli, &r->errors, r->targets.items[i].ref, &why);
    }
    /* The reader of our output may be slow. */
    gc_initiator_free(r->initiator);
    r->initiator = NULL;
    st = print(r, err);
    if (st != GC_OK && r->connection.store != NULL)
        return gc_fail_hint(err, st, "the ticket is in the store");
    if (st != GC_OK)
        return st;
    r->cli->printed = true;
    return r->status;
}

gc_status
gc_cli_acquire(struct gc_cli *cli, struct gc_error *err)
{
    __attribute__((cleanup(run_clear))) struct run r = {.cli = cli};
    struct gc_want want = {0};
    gc_status st;

    st = want_from_options(cli, &want, err);
    if (st == GC_OK)
        st = gc_targets_read(cli, &r.targets, err);
    r.initiator = gc_initiator_new(cli->limit.cancel_fd);
    if (st == GC_OK && r.initiator == NULL)
        st = gc_fail_no_memory(err);
    if (st == GC_OK)
        st = gc_connect(cli, &r.connection, err);
    if (st == GC_OK)
        st = guest_password(cli, &r.password, err);
    if (st != GC_OK)
        return st;
    want.password = &r.password;
    r.connection.tickets.initiator = r.initiator;
    st = acquire_all(&r, &want, err);
    if (r.connection.store == NULL && !cli->printed)
        give_back(&r);
    gc_disconnect(&r.connection, st);
    return st;
}
