/* SPDX-License-Identifier: Apache-2.0 */
/*
 * --ticket-file: what `acquire --json` printed, for one VM or several.
 */

#ifndef GC_SRC_CLI_TICKET_FILE_H
#define GC_SRC_CLI_TICKET_FILE_H

#include "src/cli/cli.h"
#include "src/tickets/entry.h"

/*
 * Read --ticket-file: entries without an id and a url.  GC_E_CONFIG for a file
 * that is none.
 */
GC_MUST_USE gc_status gc_ticket_file_read(struct gc_cli *cli,
                                          struct gc_entries *ret_entries,
                                          struct gc_error *err);

#endif
