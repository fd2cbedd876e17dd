/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/each.h"

#include <stdlib.h>
#include <string.h>

#include "src/cli/output.h"
#include "src/cli/ticket_file.h"

/* What was chosen, and whether the answer is a list. */
struct choice {
    struct gc_records records;
    bool *named; /* one a record */
    bool several;
};

static void
choice_clear(struct choice *c)
{
    gc_records_clear(&c->records);
    free(c->named);
}

/* Mark the tickets of VM; false where there is none. */
static bool
mark(struct choice *c, const char *vm)
{
    bool found = false;

    for (size_t i = 0; i < c->records.count; i++)
        if (strcmp(c->records.items[i].ticket.vm, vm) == 0)
            found = c->named[i] = true;
    return found;
}

static gc_status
mark_all(struct gc_connection *connection, struct choice *c,
         struct gc_error *err)
{
    const struct gc_options *config = &connection->cli->config;
    struct gc_place place;
    gc_status st;

    for (size_t i = 0; i < gc_options_count(config, GC_OPT_VM); i++) {
        const char *ref = gc_options_item(config, GC_OPT_VM, i);

        st = gc_client_locate(connection->client, ref,
                              connection->cli->deadline, NULL, &place, err);
        if (st != GC_OK)
            return st;
        if (!mark(c, place.vm))
            return gc_fail(err, GC_E_NOT_FOUND, "there is no ticket for %s",
                           ref);
    }
    return GC_OK;
}

/* --vm beside a file is a check, not a choice. */
static gc_status
choose_from_file(struct gc_connection *connection, struct choice *c,
                 struct gc_error *err)
{
    const struct gc_options *config = &connection->cli->config;
    gc_status st = mark_all(connection, c, err);

    if (st == GC_E_NOT_FOUND)
        st = err->status = GC_E_CONFIG;
    if (st != GC_OK)
        return gc_fail_context(err, st, "%s",
                               gc_options_text(config, GC_OPT_TICKET_FILE));
    for (size_t i = 0; i < c->records.count; i++)
        if (!c->named[i])
            return gc_fail(err, GC_E_CONFIG,
                           "%s holds a ticket for %s, which --vm does not name",
                           gc_options_text(config, GC_OPT_TICKET_FILE),
                           c->records.items[i].ticket.vm);
    return GC_OK;
}

/* Which of C's records: sets NAMED. */
static gc_status
choose(struct gc_connection *connection, bool all, struct choice *c,
       struct gc_error *err)
{
    const struct gc_options *config = &connection->cli->config;
    bool file = gc_options_text(config, GC_OPT_TICKET_FILE) != NULL;
    /* GUESTCRED_VM is for where nothing else was said. */
    bool vms = gc_options_origin(config, GC_OPT_VM) == GC_FROM_COMMAND_LINE
               || (!file && !gc_options_flag(config, GC_OPT_ALL)
                   && gc_options_count(config, GC_OPT_VM) > 0);

    c->named = calloc(c->records.count + 1, sizeof(*c->named));
    if (c->named == NULL)
        return gc_fail_no_memory(err);
    c->several = file ? c->records.count != 1 : !vms;
    if (vms && gc_options_flag(config, GC_OPT_ALL))
        return gc_fail(err, GC_E_CONFIG, "--vm and --all exclude each other");
    if (vms && file)
        return choose_from_file(connection, c, err);
    if (vms) {
        gc_status st = mark_all(connection, c, err);
        size_t count = 0;

        for (size_t i = 0; i < c->records.count; i++)
            count += c->named[i];
        c->several = count > 1;
        return st;
    }
    if (!file && !all) {
        gc_status st = gc_fail(err, GC_E_CONFIG, "no ticket is named");

        return gc_fail_hint(err, st,
                            "give --vm REF, --all or --ticket-file FILE");
    }
    memset(c->named, true, c->records.count * sizeof(*c->named));
    return GC_OK;
}

static gc_status
do_one(struct gc_connection *connection, struct gc_record *record,
       gc_each *what, struct gc_json *members, struct gc_error *err)
{
    const char *url = gc_session_url(gc_client_session(connection->client));
    gc_status st;

    (void)gc_json_add_string(members, "vm", record->ticket.vm);
    if (record->url[0] == '\0') {
        memcpy(record->url, url, strlen(url) + 1);
    } else if (strcmp(record->url, url) != 0) {
        st = gc_fail(err, GC_E_CONFIG, "%s is a VM of another vCenter, %s",
                     record->ticket.vm, record->url);
        return gc_fail_hint(err, st, "give that one's --url");
    }
    gc_output_step(connection->cli, "vCenter is asked about the ticket in %s",
                   record->ticket.vm);
    st = what(connection, record, members, err);
    gc_output_step_end();
    return st;
}

/* Of several: what went well stands in "tickets", what did not in "errors". */
struct answer {
    struct gc_json *root;
    struct gc_json *tickets; /* borrowed */
    struct gc_json *failed;  /* {"errors":[…]}; NULL: none so far */
    struct gc_json *errors;  /* that list; borrowed */
};

static void
answer_clear(struct answer *a)
{
    gc_json_free(a->root);
    gc_json_free(a->failed);
}

static void
note_failure(const struct gc_cli *cli, struct answer *a, const char *vm,
             const struct gc_error *why)
{
    struct gc_json *entry;

    if (!cli->json) {
        gc_output_failure(vm, why);
        return;
    }
    if (a->failed == NULL) {
        a->failed = gc_json_new_object();
        a->errors = gc_json_add_array(a->failed, "errors");
    }
    entry = gc_json_add_object(a->errors, NULL);
    (void)gc_json_add_string(entry, "vm", vm);
    gc_output_add_error(entry, why);
}

static gc_status
do_one_of_several(struct gc_connection *connection, struct gc_record *record,
                  gc_each *what, struct answer *a, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) members = gc_json_new_object();
    gc_status st = do_one(connection, record, what, members, err);

    if (st == GC_OK)
        (void)gc_json_add_copy(a->tickets, NULL, members);
    else if (st != GC_E_CANCELED)
        note_failure(connection->cli, a, record->ticket.vm, err);
    return st;
}

static gc_status
do_several(struct gc_connection *connection, struct choice *c, gc_each *what,
           struct answer *a, struct gc_error *err)
{
    gc_status first = GC_OK, st;

    a->tickets = gc_json_add_array(a->root, "tickets");
    for (size_t i = 0; i < c->records.count; i++) {
        struct gc_error why = {0};

        if (!c->named[i])
            continue;
        st = do_one_of_several(connection, &c->records.items[i], what, a, &why);
        if (st == GC_E_CANCELED) {
            *err = why;
            return st;
        }
        if (first == GC_OK)
            first = st;
    }
    if (a->failed != NULL)
        (void)gc_json_add_copy(a->root, "errors", a->errors);
    return first;
}

static gc_status
do_all(struct gc_connection *connection, struct choice *c, gc_each *what,
       struct gc_error *err)
{
    struct gc_cli *cli = connection->cli;
    __attribute__((cleanup(answer_clear))) struct answer a = {
        .root = gc_output_object()};
    gc_status first = GC_OK, st;

    if (c->several)
        first = do_several(connection, c, what, &a, err);
    for (size_t i = 0; !c->several && i < c->records.count; i++)
        if (c->named[i])
            first = do_one(connection, &c->records.items[i], what, a.root, err);
    if (first == GC_E_CANCELED || (first != GC_OK && !c->several))
        return first;
    st = cli->json ? gc_output_json(a.root, err) : gc_output_flush(err);
    if (st != GC_OK)
        return st;
    cli->printed = true;
    return first;
}

gc_status
gc_each_ticket(struct gc_cli *cli, bool all, gc_each *what,
               struct gc_error *err)
{
    __attribute__((cleanup(choice_clear))) struct choice c = {0};
    GC_AUTO(gc_connection) connection = {0};
    gc_status st = GC_OK;

    if (gc_options_text(&cli->config, GC_OPT_TICKET_FILE) != NULL)
        st = gc_ticket_file_read(cli, &c.records, err);
    if (st == GC_OK)
        st = gc_connect(cli, &connection, err);
    if (st == GC_OK
        && gc_options_text(&cli->config, GC_OPT_TICKET_FILE) == NULL)
        st = gc_store_list(connection.store, &c.records, err);
    if (st != GC_OK)
        return st;
    gc_output_step(cli, "vCenter is asked which VM is meant");
    st = choose(&connection, all, &c, err);
    gc_output_step_end();
    if (st == GC_OK)
        st = do_all(&connection, &c, what, err);
    gc_disconnect(&connection, st);
    return st;
}
