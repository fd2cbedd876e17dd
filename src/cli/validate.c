/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred validate: does the guest still take the ticket?
 */

#include <config.h>

#include "src/cli/for_each_ticket.h"
#include "src/cli/output.h"

static gc_status
validate(struct gc_connection *connection, struct gc_entry *entry,
         struct gc_json *ret_members, struct gc_error *err)
{
    const struct gc_cli *cli = connection->cli;
    gc_status st =
        gc_tickets_validate(&connection->tickets, entry, cli->limit, err);

    if (st != GC_OK)
        return st;
    (void)gc_json_add_bool(ret_members, "valid", true);
    if (!cli->json)
        gc_output_line(cli, "%s: the ticket for %s is valid", entry->ticket.vm,
                       entry->ticket.principal);
    return GC_OK;
}

gc_status
gc_cli_validate(struct gc_cli *cli, struct gc_error *err)
{
    return gc_for_each_ticket(cli, true, validate, err);
}
