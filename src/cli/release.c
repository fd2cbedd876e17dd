/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guestcred release: end the session in the guest.
 */

#include <config.h>

#include <string.h>

#include "src/cli/for_each_ticket.h"
#include "src/cli/output.h"

/* What became of the ticket, for a person. */
static const char *
story(enum gc_released how)
{
    switch (how) {
    case GC_RELEASED:
        return "released";
    case GC_RELEASED_OFF:
        return "gone already: the VM is powered off";
    case GC_RELEASED_NO_VM:
        return "gone already: the VM no longer exists";
    case GC_RELEASED_UNKNOWN:
        return "gone already: the guest does not know it";
    }
    return "released";
}

static gc_status
release(struct gc_connection *connection, struct gc_entry *entry,
        struct gc_json *ret_members, struct gc_error *err)
{
    const struct gc_cli *cli = connection->cli;
    enum gc_released how;
    gc_status st =
        gc_tickets_release(&connection->tickets, entry, cli->limit, &how, err);

    if (st != GC_OK)
        return st;
    (void)gc_json_add_bool(ret_members, "released", true);
    if (how != GC_RELEASED)
        (void)gc_json_add_string(ret_members, "note", story(how));
    if (!cli->json)
        gc_output_line(cli, "%s: the ticket for %s is %s", entry->ticket.vm,
                       entry->ticket.principal, story(how));
    return GC_OK;
}

gc_status
gc_cli_release(struct gc_cli *cli, struct gc_error *err)
{
    return gc_for_each_ticket(cli, gc_options_flag(&cli->config, GC_OPT_ALL),
                              release, err);
}
