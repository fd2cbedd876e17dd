/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred list: what is in the store.  Asks nobody.
 */

#include <config.h>

#include "src/cli/cli.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/cli/output.h"
#include "src/cli/places.h"
#include "src/cli/settings.h"
#include "src/vim/inventory.h"

/* The guest forgets a ticket that was not used for a day (vi-json §7.5). */
#define LIFE_S (24 * 3600)

static int64_t
left(const struct gc_record *record, int64_t now)
{
    int64_t idle = now - record->used;

    return idle < 0 ? LIFE_S : LIFE_S - idle;
}

static bool
wanted(const struct gc_cli *cli, const struct gc_record *record, int64_t now)
{
    const struct gc_options *c = &cli->config;
    size_t vms = gc_options_count(c, GC_OPT_VM);
    int minutes = gc_options_minutes(c);

    if (minutes > 0 && left(record, now) < (int64_t)minutes * 60)
        return false;
    if (gc_options_flag(c, GC_OPT_SILENT) && left(record, now) <= 0)
        return false;
    for (size_t i = 0; i < vms; i++)
        if (strcmp(gc_options_item(c, GC_OPT_VM, i), record->ticket.vm) == 0)
            return true;
    return vms == 0;
}

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

static void
print_table(const struct gc_cli *cli, const struct gc_records *records,
            int64_t now)
{
    char age[32];

    gc_output_line(cli, "%-10s %-18s %-28s %-10s %-8s %s", "VM", "NAME",
                   "PRINCIPAL", "MECHANISM", "AGE", "STATE");
    for (size_t i = 0; i < records->count; i++) {
        const struct gc_record *r = &records->items[i];

        print_age(age, now - r->ticket.acquired);
        gc_output_line(cli, "%-10s %-18s %-28s %-10s %-8s %s", r->ticket.vm,
                       r->ticket.name[0] != '\0' ? r->ticket.name : "-",
                       r->ticket.principal, gc_mech_word(r->ticket.mech), age,
                       left(r, now) > 0 ? "believed live" : "idle too long");
    }
}

static gc_status
print_json(const struct gc_cli *cli, const struct gc_records *records,
           int64_t now, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_output_object();
    struct gc_json *list = gc_json_add_array(root, "tickets");
    char when[GC_TICKET_TIME_SIZE];

    for (size_t i = 0; i < records->count; i++) {
        const struct gc_record *r = &records->items[i];
        struct gc_json *members = gc_json_add_object(list, NULL);

        gc_ticket_write(&r->ticket,
                        gc_options_flag(&cli->config, GC_OPT_SHOW_TICKET),
                        members);
        gc_ticket_time_print(r->used, when);
        (void)gc_json_add_string(members, "url", r->url);
        (void)gc_json_add_string(members, "used", when);
        (void)gc_json_add_string(members, "state",
                                 left(r, now) > 0 ? "live" : "idle");
    }
    return gc_output_json(root, err);
}

/* Keep the records that were asked for. */
static void
filter(const struct gc_cli *cli, struct gc_records *records, int64_t now)
{
    size_t kept = 0;

    for (size_t i = 0; i < records->count; i++) {
        if (!wanted(cli, &records->items[i], now))
            gc_record_clear(&records->items[i]);
        else if (kept++ != i)
            gc_record_move(&records->items[kept - 1], &records->items[i]);
    }
    records->count = kept;
}

/* The store knows VMs by their moId, and we ask nobody for the others. */
static gc_status
check_vms(const struct gc_cli *cli, struct gc_error *err)
{
    const struct gc_options *c = &cli->config;
    gc_status st;

    for (size_t i = 0; i < gc_options_count(c, GC_OPT_VM); i++) {
        const char *vm = gc_options_item(c, GC_OPT_VM, i);

        if (gc_inventory_is_moid(vm))
            continue;
        (void)gc_fail(err, GC_E_CONFIG, "\"%.200s\" is no VM's moId", vm);
        st = gc_settings_blame(cli, GC_OPT_VM, GC_E_CONFIG, err);
        return gc_fail_hint(err, st,
                            "list knows VMs by their moIds alone: --vm vm-42");
    }
    return GC_OK;
}

gc_status
gc_cli_list(struct gc_cli *cli, struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_records) records = {0};
    int64_t now = (int64_t)time(NULL);
    gc_status st = check_vms(cli, err);

    if (st != GC_OK)
        return st;
    st = gc_places_store(cli, false, &store, err);
    if (st == GC_OK)
        st = gc_store_list(store, &records, err);
    else if (st == GC_E_NOT_FOUND)
        st = GC_OK;
    if (st != GC_OK)
        return st;
    filter(cli, &records, now);
    if (gc_options_flag(&cli->config, GC_OPT_SILENT)) {
        cli->printed = true;
        return records.count > 0 ? GC_OK : GC_E_NOT_FOUND;
    }
    if (cli->json)
        return print_json(cli, &records, now, err);
    if (records.count == 0)
        gc_output_line(cli, "no tickets");
    else
        print_table(cli, &records, now);
    return gc_output_flush(err);
}
