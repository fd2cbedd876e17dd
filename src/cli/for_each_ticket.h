/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One thing done to each ticket that was named: what validate and release have
 * in common.
 */

#ifndef GC_SRC_CLI_FOR_EACH_TICKET_H
#define GC_SRC_CLI_FOR_EACH_TICKET_H

#include "src/cli/connect.h"
#include "src/json.h"

/* Do it; say so to a person, or put members into RET_MEMBERS beside "vm". */
typedef gc_status gc_ticket_action(struct gc_connection *connection,
                                   struct gc_entry *entry,
                                   struct gc_json *ret_members,
                                   struct gc_error *err);

/*
 * The tickets of --ticket-file, or the stored ones and the login's: of each
 * --vm in this vCenter, or all where none was named and ALL allows it; of all,
 * those of another vCenter are passed over with a note.  One ticket: its
 * outcome is the command's.  Several: all are tried, and the first failure's
 * status is returned.
 */
GC_MUST_USE gc_status gc_for_each_ticket(struct gc_cli *cli, bool all,
                                         gc_ticket_action *what,
                                         struct gc_error *err);

#endif
