/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred list: what is in the store.  Makes no request.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/base/clock.h"
#include "src/cli/connect.h"
#include "src/cli/output.h"
#include "src/cli/settings.h"
#include "src/tickets/ticket_json.h"
#include "src/tickets/vcenter.h"
#include "src/vim/inventory.h"

/* The guest forgets a ticket that was not used for a day. */
#define LIFE_S (24 * 3600)

struct list {
    struct gc_cli *cli;
    struct gc_entries entries;
    size_t own; /* these are the user's; the others are the login's */
    int64_t now;
};

static void
list_clear(struct list *l)
{
    gc_entries_clear(&l->entries);
}

static int64_t
left(const struct list *l, const struct gc_entry *entry)
{
    int64_t idle = l->now - entry->used;

    return idle < 0 ? LIFE_S : LIFE_S - idle;
}

/* For a program, and for a person. */
static const char *
state(const struct list *l, const struct gc_entry *entry, bool person)
{
    switch (entry->state) {
    case GC_ENTRY_INTENT:
        return person ? "being acquired" : "acquiring";
    case GC_ENTRY_OWED:
        return person ? "owed: to be released" : "owed";
    case GC_ENTRY_LOST:
        return person ? "lost: it cannot be released" : "lost";
    case GC_ENTRY_TICKET:
        break;
    }
    if (left(l, entry) > 0)
        return person ? "believed live" : "live";
    return person ? "idle too long" : "idle";
}

/* ---- which ---- */

static bool
wanted(const struct list *l, const struct gc_entry *entry)
{
    const struct gc_options *c = &l->cli->config;
    size_t vms = gc_options_count(c, GC_OPT_VM);
    int minutes = gc_options_minutes(c);
    bool live = entry->state == GC_ENTRY_TICKET && left(l, entry) > 0;

    if (minutes > 0 && (!live || left(l, entry) < (int64_t)minutes * 60))
        return false;
    if (gc_options_flag(c, GC_OPT_SILENT) && !live)
        return false;
    for (size_t i = 0; i < vms; i++)
        if (gc_vcenter_means(gc_options_item(c, GC_OPT_VM, i), entry))
            return true;
    return vms == 0;
}

/*
 * The store knows a VM by its moId, by the reference it was asked by, and by
 * its name if that was looked up; any other reference may mean any VM.
 */
static gc_status
check_vms(const struct list *l, struct gc_error *err)
{
    const struct gc_options *c = &l->cli->config;
    char meant[GC_INVENTORY_REF_SIZE];
    gc_status st;

    for (size_t i = 0; i < gc_options_count(c, GC_OPT_VM); i++) {
        const char *ref = gc_options_item(c, GC_OPT_VM, i);
        bool found =
            gc_inventory_canonical(ref, meant) && strncmp(meant, "vm-", 3) == 0;

        for (size_t n = 0; n < l->entries.count; n++)
            found |= gc_vcenter_means(ref, &l->entries.items[n]);
        if (found)
            continue;
        (void)gc_fail(err, GC_E_CONFIG,
                      "no stored ticket was asked for as \"%.200s\"", ref);
        st = gc_settings_blame(l->cli, GC_OPT_VM, GC_E_CONFIG, err);
        return gc_fail_hint(err, st,
                            "list asks no vCenter: name the VM as acquire was "
                            "told it, or by its moId: --vm vm-42");
    }
    return GC_OK;
}

/* Keep the entries that were asked for. */
static void
filter(struct list *l)
{
    size_t kept = 0, own = 0;

    for (size_t i = 0; i < l->entries.count; i++) {
        struct gc_entry *entry = &l->entries.items[i];

        if (!wanted(l, entry)) {
            gc_entry_clear(entry);
            continue;
        }
        own += i < l->own;
        if (kept++ != i)
            gc_entry_move(&l->entries.items[kept - 1], entry);
    }
    l->entries.count = kept;
    l->own = own;
}

/* ---- how ---- */

static void
print_age(char dst[32], int64_t seconds)
{
    if (seconds < 0)
        (void)snprintf(dst, 32, "future");
    else if (seconds < 120)
        (void)snprintf(dst, 32, "%d s", (int)seconds);
    else if (seconds < 7200)
        (void)snprintf(dst, 32, "%d min", (int)(seconds / 60));
    else
        (void)snprintf(dst, 32, "%jd h", (intmax_t)(seconds / 3600));
}

/* Is there a ticket of another vCenter than the first one's? */
static bool
are_several_vcenters(const struct gc_entries *entries)
{
    for (size_t i = 1; i < entries->count; i++)
        if (strcmp(entries->items[i].url, entries->items[0].url) != 0
            || strcmp(entries->items[i].ticket.vcenter,
                      entries->items[0].ticket.vcenter)
                   != 0)
            return true;
    return false;
}

/* The VM's name, or what it was asked by where that is another than its moId.
 */
static const char *
name_of(const struct gc_entry *entry)
{
    if (entry->ticket.name[0] != '\0')
        return entry->ticket.name;
    return entry->asked[0] != '\0'
                   && strcmp(entry->asked, entry->ticket.vm) != 0
               ? entry->asked
               : "-";
}

static void
print_table(const struct list *l)
{
    bool several = are_several_vcenters(&l->entries);
    char age[32], mech[32];

    gc_output_line(l->cli, "%-8s %-14s %-22s %-30s %-16s %-7s %s%s", "VM",
                   "NAME", "PRINCIPAL", "SPN", "MECHANISM", "AGE",
                   several ? "VCENTER " : "", "STATE");
    for (size_t i = 0; i < l->entries.count; i++) {
        const struct gc_entry *e = &l->entries.items[i];
        const struct gc_ticket *t = &e->ticket;

        print_age(age, l->now - t->acquired);
        (void)snprintf(mech, sizeof(mech), "%s%s", gc_mech_word(t->mech),
                       t->mutual ? " mutual" : "");
        gc_output_line(l->cli, "%-8s %-14s %-22s %-30s %-16s %-7s %s%s%s%s%s%s",
                       t->vm, name_of(e), t->principal, t->target, mech, age,
                       several ? e->url : "", several ? " " : "",
                       several ? t->vcenter : "", several ? " " : "",
                       state(l, e, true), i < l->own ? "" : ", the login's");
    }
}

static gc_status
print_json(const struct list *l, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_output_object();
    struct gc_json *list = gc_json_add_array(root, "tickets");
    bool show = gc_options_flag(&l->cli->config, GC_OPT_SHOW_TICKET);
    char when[GC_TICKET_TIME_SIZE];

    for (size_t i = 0; i < l->entries.count; i++) {
        const struct gc_entry *e = &l->entries.items[i];
        struct gc_json *members = gc_json_add_object(list, NULL);

        gc_ticket_write(&e->ticket, show && e->state == GC_ENTRY_TICKET,
                        members);
        gc_ticket_time_print(e->used, when);
        (void)gc_json_add_string(members, "url", e->url);
        (void)gc_json_add_string(members, "used", when);
        (void)gc_json_add_string(members, "state", state(l, e, false));
        if (e->asked[0] != '\0')
            (void)gc_json_add_string(members, "asked", e->asked);
        if (i >= l->own)
            (void)gc_json_add_bool(members, "login", true);
    }
    return gc_output_json(root, err);
}

static gc_status
load(struct list *l, struct gc_error *err)
{
    GC_AUTO(gc_connection) connection = {0};
    GC_AUTO(gc_entries) copies = {0};
    gc_status st = gc_connect_stores(l->cli, false, &connection, err);

    if (st == GC_OK && connection.store != NULL)
        st = gc_store_list(connection.store, NULL, &l->entries, err);
    l->own = l->entries.count;
    if (st == GC_OK && connection.copies != NULL)
        st = gc_store_list(connection.copies, NULL, &copies, err);
    for (size_t i = 0; i < copies.count && st == GC_OK; i++)
        st = gc_entries_add(&l->entries, &copies.items[i], err);
    return st;
}

gc_status
gc_cli_list(struct gc_cli *cli, struct gc_error *err)
{
    __attribute__((cleanup(list_clear))) struct list l = {
        .cli = cli, .now = gc_clock_epoch()};
    bool silent = gc_options_flag(&cli->config, GC_OPT_SILENT);
    gc_status st = load(&l, err);

    if (st == GC_OK && !silent)
        st = check_vms(&l, err);
    if (st != GC_OK)
        return st;
    filter(&l);
    if (silent) {
        cli->printed = true;
        return l.entries.count > 0 ? GC_OK : GC_E_NOT_FOUND;
    }
    if (cli->json)
        return print_json(&l, err);
    if (l.entries.count == 0)
        gc_output_line(cli, "no tickets");
    else
        print_table(&l);
    return gc_output_flush(err);
}
