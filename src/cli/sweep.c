/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred sweep: settle what is owed to guests.  With nothing owed it needs
 * no vCenter and says nothing, so that a timer may call it every minute.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <string.h>
#include <unistd.h>

#include "gss/clock.h"
#include "src/cli/connect.h"
#include "src/cli/output.h"
#include "src/cli/places.h"
#include "src/shelf.h"

#define WIPE_MS 2000 /* for all of them */

/* What the ledger has (without tickets), and is there anything to be done? */
static gc_status
look(struct gc_cli *cli, struct gc_entries *ret_entries, bool *ret_owed,
     struct gc_error *err)
{
    GC_AUTO_PTR(gc_ledger) ledger = NULL;
    gc_status st = gc_places_ledger(cli, &ledger, err);

    if (st == GC_OK)
        st = gc_ledger_list(ledger, ret_entries, err);
    if (st != GC_OK)
        return st;
    *ret_owed = false;
    for (size_t i = 0; i < ret_entries->count; i++) {
        *ret_owed |= !gc_entry_needed(&ret_entries->items[i]);
        gc_bytes_clear(&ret_entries->items[i].ticket.ticket);
    }
    return GC_OK;
}

/*
 * The stores of logins whose tickets are gone: their hosts ended without a
 * word.  Done as their users, and what does not work out is /run's to lose.
 */
static void
wipe_stores(struct gc_cli *cli, const struct gc_entries *before)
{
    GC_AUTO_PTR(gc_ledger) ledger = NULL;
    GC_AUTO(gc_entry) now = {0};
    int64_t deadline = gc_clock_now() + WIPE_MS;

    if (gc_places_ledger(cli, &ledger, NULL) != GC_OK)
        return;

    for (size_t i = 0; i < before->count; i++) {
        const struct gc_entry *entry = &before->items[i];
        struct gc_child_as as;

        if (entry->uid != geteuid() && entry->store[0] != '\0'
            && gc_ledger_read(ledger, entry->id, &now, NULL) == GC_E_NOT_FOUND
            && gc_child_as_uid(entry->uid, &as, NULL) == GC_OK)
            (void)!gc_shelf_remove(GC_SHELF_RUN, &as, entry->store, deadline,
                                   NULL);
        gc_entry_clear(&now);
    }
}

/* What a crash left in the store: whole tickets that nobody will find. */
static gc_status
half_written(struct gc_cli *cli, struct gc_records *ret_records,
             struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    gc_status st = gc_places_store(cli, false, &store, err);

    if (st == GC_E_NOT_FOUND)
        return GC_OK;
    return st == GC_OK ? gc_store_adopt(store, ret_records, err) : st;
}

static gc_status
release_all(struct gc_connection *connection, const struct gc_records *records,
            struct gc_custody_tally *tally, struct gc_error *err)
{
    const char *url = gc_session_url(gc_client_session(connection->client));
    enum gc_released how;
    gc_status first = GC_OK;

    for (size_t i = 0; i < records->count; i++) {
        struct gc_error why = {0};

        /* No other vCenter is to see it; the store has it for that one. */
        if (strcmp(records->items[i].url, url) != 0) {
            tally->elsewhere++;
            continue;
        }
        if (gc_custody_release(&connection->custody, &records->items[i],
                               connection->cli->deadline, &how, &why)
            == GC_OK) {
            tally->released++;
        } else if (first == GC_OK) {
            first = why.status;
            if (err != NULL)
                *err = why;
        }
    }
    return first;
}

static gc_status
print(struct gc_cli *cli, const struct gc_custody_tally *tally,
      struct gc_error *err)
{
    const struct {
        const char *name;
        int count;
        const char *words;
    } rows[] = {
        {"released", tally->released, "released"},
        {"gone", tally->gone, "gone already"},
        {"abandoned", tally->abandoned,
         "handshakes were cut short; if a guest had issued a ticket, it lives "
         "there for up to a day and nobody can name it"},
        {"needed", tally->needed, "still needed"},
        {"elsewhere", tally->elsewhere,
         "of another vCenter or user: not looked at"},
        {"owed", tally->owed, "could not be released now"},
    };
    GC_AUTO_PTR(gc_json) root = gc_output_object();

    for (size_t i = 0; i < GC_COUNT_OF(rows); i++) {
        (void)gc_json_add_int(root, rows[i].name, rows[i].count);
        if (!cli->json && rows[i].count > 0)
            gc_output_line(cli, "%d %s", rows[i].count, rows[i].words);
    }
    return cli->json ? gc_output_json(root, err) : gc_output_flush(err);
}

gc_status
gc_cli_sweep(struct gc_cli *cli, struct gc_error *err)
{
    GC_AUTO(gc_connection) connection = {0};
    GC_AUTO(gc_entries) before = {0};
    GC_AUTO(gc_records) records = {0};
    struct gc_custody_tally tally = {0};
    bool all = gc_config_flag(&cli->config, GC_OPT_ALL_USERS), owed = false;
    gc_status st, swept;

    if (all && geteuid() != 0)
        return gc_fail(err, GC_E_CONFIG, "--all-users is for root");
    st = look(cli, &before, &owed, err);
    if (st == GC_OK)
        st = half_written(cli, &records, err);
    if (st != GC_OK)
        return st;
    if (!owed && records.count == 0)
        return print(cli, &tally, err);
    st = gc_connect(cli, &connection, err);
    if (st != GC_OK)
        return st;
    swept =
        gc_custody_sweep(&connection.custody, all, cli->deadline, &tally, err);
    st =
        release_all(&connection, &records, &tally, swept == GC_OK ? err : NULL);
    if (swept == GC_OK)
        swept = st;
    connection.owes = swept != GC_OK;
    gc_disconnect(&connection, swept);
    /* Their children get neither the password nor anybody's ticket. */
    gc_connection_clear(&connection);
    gc_records_clear(&records);
    if (all)
        wipe_stores(cli, &before);
    if (swept != GC_OK)
        return swept;
    return print(cli, &tally, err);
}
