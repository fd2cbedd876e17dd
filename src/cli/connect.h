/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From options to a client with its store and ledger, and the way out again.
 */

#ifndef GC_SRC_CLI_CONNECT_H
#define GC_SRC_CLI_CONNECT_H

#include "src/cli/cli.h"
#include "src/custody.h"

struct gc_login_password;

struct gc_connection {
    struct gc_cli *cli; /* borrowed */
    struct gc_login_password *password;
    struct gc_client *client;
    struct gc_store *store;
    struct gc_ledger *ledger;
    struct gc_bytes adopted_id;      /* the stored session's id; secret */
    struct gc_session_facts adopted; /* and what was kept with it */
    struct gc_custody custody;       /* the above, for the rooms below */
    bool owes; /* a release failed just now: it is for the next command */
};
void gc_connection_clear(struct gc_connection *connection);

/*
 * Open what the options name; asks for no password and sends nothing yet.  A
 * stored vCenter session is adopted unless --no-session-reuse says otherwise,
 * or
 * --insecure: its id is for the vCenter that it came from.
 */
GC_MUST_USE gc_status gc_connect(struct gc_cli *cli,
                                 struct gc_connection *ret_connection,
                                 struct gc_error *err);

/*
 * The end of a command that came to STATUS: settle what is owed, if vCenter was
 * spoken to; then keep the session for the next command, or log out.
 */
void gc_disconnect(struct gc_connection *connection, gc_status status);

#endif
