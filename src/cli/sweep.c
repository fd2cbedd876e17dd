/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred sweep: settle what is owed to guests.  With nothing owed it needs
 * no vCenter and says nothing, so that a timer may call it every minute.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/cli/connect.h"
#include "src/cli/output.h"
#include "src/cli/places.h"
#include "src/shelf.h"

#define PART_MS     10000 /* for what is owed for one user */
#define WIPE_MS     300   /* for the stores of one user, … */
#define WIPE_ALL_MS 2000  /* … and of all */

/* What is owed for one uid, as it was before (without tickets). */
struct part {
    struct part *next;
    uid_t uid;
    bool owed; /* some of it is to be settled */
    struct gc_entries before;
};

struct sweep {
    struct gc_cli *cli;
    struct part *parts; /* of those for whom there is anything */
    bool owed;
    struct gc_custody_tally tally;
    struct gc_error failed; /* the first that did */
};

static void
sweep_clear(struct sweep *s)
{
    struct part *next;

    for (struct part *part = s->parts; part != NULL; part = next) {
        next = part->next;
        gc_entries_clear(&part->before);
        free(part);
    }
}

/* One user's trouble is said, and stops nobody else's sweep. */
static void
note_failure(struct sweep *s, uid_t uid, struct gc_error *why)
{
    if (uid != geteuid())
        (void)gc_fail_context(why, why->status, "uid %lu", (unsigned long)uid);
    if (s->failed.status == GC_OK)
        s->failed = *why;
    else
        gc_output_warn("%s", why->message);
}

static gc_status
list(struct sweep *s, struct part *part, struct gc_error *err)
{
    GC_AUTO_PTR(gc_ledger) ledger = NULL;
    gc_status st = gc_places_ledger(s->cli, part->uid, &ledger, err);

    if (st == GC_OK)
        st = gc_ledger_list(ledger, &part->before, err);
    for (size_t i = 0; i < part->before.count; i++) {
        part->owed |= !gc_entry_needed(&part->before.items[i]);
        gc_bytes_clear(&part->before.items[i].ticket.ticket);
    }
    return st;
}

static gc_status
look(void *user, uid_t uid, struct gc_error *err)
{
    struct sweep *s = user;
    struct part *part = calloc(1, sizeof(*part));
    struct gc_error why = {0};

    if (part == NULL)
        return gc_fail_no_memory(err);
    part->uid = uid;
    if (list(s, part, &why) != GC_OK)
        note_failure(s, uid, &why);
    if (part->before.count == 0) {
        free(part);
        return GC_OK;
    }
    part->next = s->parts;
    s->parts = part;
    s->owed |= part->owed;
    return GC_OK;
}

/* What is owed, and may be settled by us: our own, or everybody's. */
static gc_status
look_at_all(struct sweep *s, bool all, struct gc_error *err)
{
    char ledger[PATH_MAX];
    gc_status st;

    if (!all)
        return look(s, geteuid(), err);
    st = gc_places_ledger_name(s->cli, ledger, sizeof(ledger), err);
    return st == GC_OK ? gc_ledger_each_uid(ledger, look, s, err) : st;
}

static void
settle_part(struct sweep *s, const struct gc_connection *connection, uid_t uid)
{
    const struct gc_limit limit = {
        gc_clock_within(s->cli->limit.deadline, PART_MS),
        s->cli->limit.cancel_fd};
    struct gc_custody custody = connection->custody;
    GC_AUTO_PTR(gc_ledger) ledger = NULL;
    struct gc_error why = {0};
    gc_status st;

    custody.uid = uid;
    st = gc_places_ledger(s->cli, uid, &ledger, &why);
    custody.ledger = ledger;
    if (st == GC_OK)
        st = gc_custody_sweep(&custody, limit, &s->tally, &why);
    if (st != GC_OK)
        note_failure(s, uid, &why);
}

/* Begun with another part each time: one user's guests do not make the same
 * others wait for ever. */
static void
settle(struct sweep *s, const struct gc_connection *connection)
{
    const struct part *p;
    int64_t count = 0, first, i = 0;

    for (p = s->parts; p != NULL; p = p->next)
        count++;
    first = count > 0 ? gc_clock_now() % count : 0;
    for (int round = 0; round < 2; round++)
        for (p = s->parts, i = 0; p != NULL; p = p->next, i++)
            if (p->owed && (i >= first) == (round == 0))
                settle_part(s, connection, p->uid);
}

/*
 * The stores of logins whose tickets are gone, or lost: their hosts ended
 * without a word.  Done as their users, and what does not work out is /run's to
 * lose.
 */
static void
wipe_stores(struct gc_cli *cli, const struct part *part, int64_t deadline)
{
    int64_t end = gc_clock_within(deadline, WIPE_MS);
    GC_AUTO_PTR(gc_ledger) ledger = NULL;
    GC_AUTO(gc_entry) now = {0};
    struct gc_child_as as;

    if (!part->owed || part->uid == geteuid()
        || gc_places_ledger(cli, part->uid, &ledger, NULL) != GC_OK
        || gc_child_as_uid(part->uid, &as, NULL) != GC_OK)
        return;
    for (size_t i = 0; i < part->before.count; i++) {
        const struct gc_entry *entry = &part->before.items[i];
        gc_status st = gc_ledger_read(ledger, entry->id, &now, NULL);

        if (entry->store[0] != '\0'
            && (st == GC_E_NOT_FOUND || (st == GC_OK && now.store[0] == '\0')))
            (void)!gc_shelf_remove(GC_SHELF_RUN, &as, entry->store, end, NULL);
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
                               connection->cli->limit, &how, &why)
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
        {"lost", tally->lost,
         "handshakes were lost in the last day: what a guest issued lives "
         "there until it forgets it"},
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
    __attribute__((cleanup(sweep_clear))) struct sweep s = {.cli = cli};
    GC_AUTO(gc_connection) connection = {0};
    GC_AUTO(gc_records) records = {0};
    bool all = gc_options_flag(&cli->config, GC_OPT_ALL_USERS);
    struct gc_error why = {0};
    int64_t deadline;
    gc_status st;

    if (all && geteuid() != 0)
        return gc_fail(err, GC_E_CONFIG, "--all-users is for root");
    st = look_at_all(&s, all, err);
    if (st == GC_OK)
        st = half_written(cli, &records, err);
    if (st == GC_OK && (s.owed || records.count > 0))
        st = gc_connect(cli, &connection, err);
    if (st != GC_OK)
        return st;
    if (connection.client != NULL) {
        settle(&s, &connection);
        if (release_all(&connection, &records, &s.tally, &why) != GC_OK)
            note_failure(&s, geteuid(), &why);
        connection.owes = s.failed.status != GC_OK;
        gc_disconnect(&connection, s.failed.status);
    }
    /* Their children get neither the password nor anybody's ticket. */
    gc_connection_clear(&connection);
    gc_records_clear(&records);
    deadline = gc_clock_now() + WIPE_ALL_MS;
    for (const struct part *p = s.parts; p != NULL; p = p->next)
        wipe_stores(cli, p, deadline);
    if (s.failed.status == GC_OK)
        return print(cli, &s.tally, err);
    *err = s.failed;
    return err->status;
}
