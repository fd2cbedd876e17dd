/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/for_each_ticket.h"

#include <stdlib.h>
#include <string.h>

#include "src/cli/output.h"
#include "src/cli/ticket_file.h"

/* What was chosen, and whether the answer is a list. */
struct choice {
    struct gc_entries entries;
    bool *named; /* one an entry */
    bool several;
    bool file; /* they are --ticket-file's */
    bool vms;  /* those of --vm; else all there are */
};

static void
choice_clear(struct choice *c)
{
    gc_entries_clear(&c->entries);
    free(c->named);
}

/* Is ENTRY this vCenter's, as far as that is known? */
static bool
is_here(const struct gc_connection *connection, const struct gc_entry *entry)
{
    struct gc_guest_about here =
        connection->guest->ops->about(connection->guest);

    return (entry->url[0] == '\0' || strcmp(entry->url, here.url) == 0)
           && (entry->ticket.vcenter[0] == '\0' || here.vcenter[0] == '\0'
               || strcmp(entry->ticket.vcenter, here.vcenter) == 0);
}

/* Mark the tickets of VM in this vCenter; false where there is none. */
static bool
mark(const struct gc_connection *connection, struct choice *c, const char *vm)
{
    bool found = false;

    for (size_t i = 0; i < c->entries.count; i++)
        if (strcmp(c->entries.items[i].ticket.vm, vm) == 0
            && is_here(connection, &c->entries.items[i]))
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

        st = gc_tickets_locate(&connection->tickets, ref,
                               connection->cli->limit, NULL, &place, err);
        if (st != GC_OK)
            return st;
        if (!mark(connection, c, place.vm))
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
    for (size_t i = 0; i < c->entries.count; i++)
        if (!c->named[i])
            return gc_fail(err, GC_E_CONFIG,
                           "%s holds a ticket for %s, which --vm does not name",
                           gc_options_text(config, GC_OPT_TICKET_FILE),
                           c->entries.items[i].ticket.vm);
    return GC_OK;
}

/* Choose among C's entries, as far as that needs no request. */
static gc_status
choose(const struct gc_cli *cli, bool all, struct choice *c,
       struct gc_error *err)
{
    const struct gc_options *config = &cli->config;

    c->named = calloc(c->entries.count + 1, sizeof(*c->named));
    if (c->named == NULL)
        return gc_fail_no_memory(err);
    /* GUESTCRED_VM counts only where no option names a ticket. */
    c->vms = gc_options_origin(config, GC_OPT_VM) == GC_FROM_COMMAND_LINE
             || (!c->file && !gc_options_flag(config, GC_OPT_ALL)
                 && gc_options_count(config, GC_OPT_VM) > 0);
    c->several = c->file ? c->entries.count != 1 : !c->vms;
    if (c->vms && gc_options_flag(config, GC_OPT_ALL))
        return gc_fail(err, GC_E_CONFIG, "--vm and --all exclude each other");
    if (!c->vms && !c->file && !all) {
        gc_status st = gc_fail(err, GC_E_CONFIG, "no ticket is named");

        return gc_fail_hint(err, st,
                            "give --vm REF, --all or --ticket-file FILE");
    }
    memset(c->named, !c->vms, c->entries.count * sizeof(*c->named));
    return GC_OK;
}

/* Those of --vm. */
static gc_status
choose_vms(struct gc_connection *connection, struct choice *c,
           struct gc_error *err)
{
    size_t count = 0;
    gc_status st;

    if (c->file)
        return choose_from_file(connection, c, err);
    st = mark_all(connection, c, err);
    for (size_t i = 0; i < c->entries.count; i++)
        count += c->named[i];
    c->several = count > 1;
    return st;
}

static gc_status
do_one(struct gc_connection *connection, struct gc_entry *entry,
       gc_ticket_action *what, struct gc_json *members, struct gc_error *err)
{
    gc_status st;

    (void)gc_json_add_string(members, "vm", entry->ticket.vm);
    gc_output_step(connection->cli, "vCenter is asked about the ticket in %s",
                   entry->ticket.vm);
    st = what(connection, entry, members, err);
    gc_output_step_end();
    return st;
}

/*
 * A ticket of another vCenter: only a command that speaks to that one can act
 * on it.
 */
static void
pass_over(const struct gc_connection *connection, const struct gc_entry *entry,
          struct gc_json *list)
{
    const struct gc_ticket *t = &entry->ticket;
    struct gc_json *members;

    if (!connection->cli->json) {
        if (!connection->cli->quiet)
            gc_output_warn("%s is a VM of another vCenter and passed over: "
                           "%s%s%s",
                           t->vm, entry->url, t->vcenter[0] != '\0' ? ", " : "",
                           t->vcenter);
        return;
    }
    members = gc_json_add_object(list, NULL);
    (void)gc_json_add_string(members, "vm", t->vm);
    (void)gc_json_add_string(members, "url", entry->url);
    if (t->vcenter[0] != '\0')
        (void)gc_json_add_string(members, "vcenter", t->vcenter);
    (void)gc_json_add_string(members, "note", "passed over: another vCenter's");
}

/* Of several: what went well stands in "tickets", what did not in "errors". */
struct answer {
    struct gc_json *root;
    struct gc_json *tickets; /* borrowed */
    struct gc_json *errors;  /* NULL: none so far */
};

static void
answer_clear(struct answer *a)
{
    gc_json_free(a->root);
    gc_json_free(a->errors);
}

static gc_status
do_one_of_several(struct gc_connection *connection, const struct choice *c,
                  struct gc_entry *entry, gc_ticket_action *what,
                  struct answer *a, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) members = gc_json_new_object();
    bool all = !c->vms && !c->file;
    gc_status st = GC_E_CONFIG;

    if (!all || is_here(connection, entry))
        st = do_one(connection, entry, what, members, err);
    if (st == GC_OK) {
        (void)gc_json_add_copy(a->tickets, NULL, members);
    } else if (all && !is_here(connection, entry)) {
        pass_over(connection, entry, a->tickets);
        return GC_OK;
    } else if (st != GC_E_CANCELED) {
        gc_output_failure(connection->cli, &a->errors, entry->ticket.vm, err);
    }
    return st;
}

static gc_status
do_several(struct gc_connection *connection, struct choice *c,
           gc_ticket_action *what, struct answer *a, struct gc_error *err)
{
    gc_status first = GC_OK, st;

    a->tickets = gc_json_add_array(a->root, "tickets");
    for (size_t i = 0; i < c->entries.count; i++) {
        struct gc_error why = {0};

        if (!c->named[i])
            continue;
        st = do_one_of_several(connection, c, &c->entries.items[i], what, a,
                               &why);
        if (st == GC_E_CANCELED) {
            *err = why;
            return st;
        }
        if (first == GC_OK)
            first = st;
    }
    if (a->errors != NULL)
        (void)gc_json_add_copy(a->root, "errors", a->errors);
    return first;
}

static gc_status
do_all(struct gc_connection *connection, struct choice *c,
       gc_ticket_action *what, struct gc_error *err)
{
    struct gc_cli *cli = connection->cli;
    __attribute__((cleanup(answer_clear))) struct answer a = {
        .root = gc_output_object()};
    gc_status first = GC_OK, st;

    if (c->several)
        first = do_several(connection, c, what, &a, err);
    for (size_t i = 0; !c->several && i < c->entries.count; i++)
        if (c->named[i])
            first = do_one(connection, &c->entries.items[i], what, a.root, err);
    if (first == GC_E_CANCELED || (first != GC_OK && !c->several))
        return first;
    if (c->entries.count == 0 && !cli->json)
        gc_output_line(cli, "no tickets");
    st = cli->json ? gc_output_json(a.root, err) : gc_output_flush(err);
    if (st != GC_OK)
        return st;
    cli->printed = true;
    return first;
}

/* Append the tickets of STORE. */
static gc_status
load(struct gc_store *store, struct gc_entries *entries, struct gc_error *err)
{
    GC_AUTO(gc_entries) stored = {0};
    gc_status st;

    if (store == NULL)
        return GC_OK;
    st = gc_store_list(store, NULL, &stored, err);
    for (size_t i = 0; i < stored.count && st == GC_OK; i++)
        if (stored.items[i].state == GC_ENTRY_TICKET)
            st = gc_entries_add(entries, &stored.items[i], err);
    return st;
}

gc_status
gc_for_each_ticket(struct gc_cli *cli, bool all, gc_ticket_action *what,
                   struct gc_error *err)
{
    const struct gc_options *config = &cli->config;
    __attribute__((cleanup(choice_clear))) struct choice c = {
        .file = gc_options_text(config, GC_OPT_TICKET_FILE) != NULL};
    GC_AUTO(gc_connection) connection = {0};
    bool logout = gc_options_flag(config, GC_OPT_LOGOUT);
    gc_status st = GC_OK;

    if (c.file)
        st = gc_ticket_file_read(cli, &c.entries, err);
    if (st == GC_OK)
        st = gc_connect_stores(cli, c.file, &connection, err);
    if (st == GC_OK && !c.file)
        st = load(connection.store, &c.entries, err);
    if (st == GC_OK && !c.file)
        st = load(connection.copies, &c.entries, err);
    if (st == GC_OK)
        st = choose(cli, all, &c, err);
    /* Without a ticket no vCenter is needed. */
    if (st == GC_OK && (c.entries.count > 0 || c.vms || logout))
        st = gc_connect(cli, &connection, err);
    gc_output_step(cli, "vCenter is asked which VM is meant");
    if (st == GC_OK && c.vms)
        st = choose_vms(&connection, &c, err);
    gc_output_step_end();
    if (st == GC_OK)
        st = do_all(&connection, &c, what, err);
    if (connection.guest != NULL)
        gc_disconnect(&connection, st);
    return st;
}
