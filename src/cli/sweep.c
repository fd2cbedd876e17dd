/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred sweep: settle what is owed to guests.  Where nothing is owed it
 * needs no vCenter and prints nothing, so that cron may call it every minute.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "src/cli/connect.h"
#include "src/cli/output.h"
#include "src/json.h"
#include "src/tickets/copies.h"

static gc_status
print(struct gc_cli *cli, const struct gc_tickets_tally *tally,
      struct gc_error *err)
{
    const struct {
        const char *name;
        int count;
        const char *words;
    } rows[] = {
        {"released", tally->released, "released"},
        {"gone", tally->gone, "gone already"},
        {"needed", tally->needed, "still needed"},
        {"lost", tally->lost,
         "handshakes were lost in the last day: a ticket that a guest "
         "issued for one stays until the guest forgets it"},
        {"owed", tally->owed, "could not be released now"},
        {"elsewhere", tally->elsewhere, "owed at another vCenter"},
    };
    GC_AUTO_PTR(gc_json) root = gc_output_object();

    for (size_t i = 0; i < GC_COUNT_OF(rows); i++) {
        (void)gc_json_add_int(root, rows[i].name, rows[i].count);
        if (!cli->json && rows[i].count > 0)
            gc_output_line(cli, "%d %s", rows[i].count, rows[i].words);
    }
    return cli->json ? gc_output_json(root, err) : gc_output_flush(err);
}

struct sweep {
    struct gc_cli *cli;
    struct gc_connection connection;
    struct gc_tickets_tally tally;
    struct gc_error failed; /* the first that did */
};

static void
sweep_clear(struct sweep *s)
{
    gc_connection_clear(&s->connection);
}

/* Other stores are swept whatever became of this one. */
static void
note_failure(struct sweep *s, const char *whose, struct gc_error *why)
{
    if (whose != NULL)
        (void)gc_fail_context(why, why->status, "uid %s", whose);
    if (s->failed.status == GC_OK)
        s->failed = *why;
    else
        gc_output_warn("%s", why->message);
}

/* WHOSE: a user's logins; NULL: one's own. */
static void
sweep_store(struct sweep *s, struct gc_store *store, const char *whose)
{
    struct gc_tickets_tally tally = {0};
    struct gc_tickets tickets;
    struct gc_error why = {0};
    gc_status st = gc_tickets_count(store, &tally, &why);

    gc_store_on_skip(store, NULL, NULL); /* it is said once */
    /* Busy: what was counted can be released all the same. */
    if (tally.owed > 0 && s->connection.guest == NULL)
        st = gc_connect(s->cli, &s->connection, &why);
    if (tally.owed > 0 && s->connection.guest != NULL) {
        tickets = s->connection.tickets;
        tickets.store = store;
        st = gc_tickets_sweep(&tickets, s->cli->limit, &tally, &why);
    }
    if (st != GC_OK)
        note_failure(s, whose, &why);
    s->tally.released += tally.released;
    s->tally.gone += tally.gone;
    s->tally.needed += tally.needed;
    s->tally.lost += tally.lost;
    s->tally.owed += tally.owed;
    s->tally.elsewhere += tally.elsewhere;
}

/* What PAM's logins left: a store for each user. */
static void
sweep_logins(struct sweep *s)
{
    static const char root[] = GC_LOCALSTATEDIR "/lib/guestcred/logins";
    DIR *dir = opendir(root);
    const struct dirent *entry;
    char path[sizeof(root) + NAME_MAX + 1];

    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        GC_AUTO_PTR(gc_store) store = NULL;
        struct gc_error why = {0};

        if (strspn(entry->d_name, "0123456789") != strlen(entry->d_name))
            continue;
        (void)snprintf(path, sizeof(path), "%s/%s", root, entry->d_name);
        if (gc_store_open(path, GC_STORE_READ, &store, &why) == GC_OK)
            sweep_store(s, store, entry->d_name);
        else if (why.status != GC_E_NOT_FOUND)
            note_failure(s, entry->d_name, &why);
    }
    if (dir != NULL)
        (void)closedir(dir);
}

gc_status
gc_cli_sweep(struct gc_cli *cli, struct gc_error *err)
{
    __attribute__((cleanup(sweep_clear))) struct sweep s = {.cli = cli};
    bool all = gc_options_flag(&cli->config, GC_OPT_ALL_USERS);
    gc_status st;

    if (all && geteuid() != 0)
        return gc_fail(err, GC_E_CONFIG, "--all-users is for root");
    if (all)
        gc_copies_tidy();
    st = gc_connect_stores(cli, false, &s.connection, err);
    if (st != GC_OK)
        return st;
    if (s.connection.store != NULL)
        sweep_store(&s, s.connection.store, NULL);
    if (all)
        sweep_logins(&s);
    if (s.connection.guest != NULL) {
        s.connection.owes = true; /* all that can be done now is done */
        gc_disconnect(&s.connection, s.failed.status);
    }
    if (s.failed.status == GC_OK)
        return print(cli, &s.tally, err);
    *err = s.failed;
    return err->status;
}
