/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From options to a vCenter and a store, and the way out again.
 */

#ifndef GC_SRC_CLI_CONNECT_H
#define GC_SRC_CLI_CONNECT_H

#include "src/cli/cli.h"
#include "src/tickets/tickets.h"

struct gc_login_password;

/* Zero it before use. */
struct gc_connection {
    struct gc_cli *cli; /* borrowed */
    struct gc_login_password *password;
    struct gc_guest *guest;
    struct gc_store *store;    /* NULL: nothing is kept */
    struct gc_store *copies;   /* a login's tickets, or NULL */
    struct gc_tickets tickets; /* the above, for the facade */
    bool owes; /* a release failed just now: it is for the next command */
};
void gc_connection_clear(struct gc_connection *connection);

/*
 * Open the store and the login's copies.  CREATE: make the store if need be;
 * else it may be missing.
 */
GC_MUST_USE gc_status gc_connect_stores(struct gc_cli *cli, bool create,
                                        struct gc_connection *connection,
                                        struct gc_error *err);

/*
 * The stores, if they are not open yet, and vCenter: asks for no password and
 * sends nothing yet.  A stored vCenter session is adopted unless
 * --no-session-reuse says otherwise, or --insecure: its id must not go to an
 * unverified server.
 */
GC_MUST_USE gc_status gc_connect(struct gc_cli *cli,
                                 struct gc_connection *connection,
                                 struct gc_error *err);

/*
 * The end of a command that came to STATUS: settle what is owed, if vCenter was
 * spoken to; then keep the session for the next command, or log out.
 */
void gc_disconnect(struct gc_connection *connection, gc_status status);

#endif
