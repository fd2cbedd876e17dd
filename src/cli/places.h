/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where this user's tickets wait, and where what is owed is written down.
 */

#ifndef GC_SRC_CLI_PLACES_H
#define GC_SRC_CLI_PLACES_H

#include "src/cli/cli.h"
#include "src/ledger.h"
#include "src/store/store.h"

/*
 * --cache, else DIR:$XDG_RUNTIME_DIR/guestcred, else DIR:/run/guestcred/UID.
 * GC_E_NOT_FOUND: it is not there, and not to be made (CREATE).
 */
GC_MUST_USE gc_status gc_places_store(struct gc_cli *cli, bool create,
                                      struct gc_store **ret_store,
                                      struct gc_error *err);

/*
 * --ledger, else root's GC_LOCALSTATEDIR/lib/guestcred or a user's own
 * $XDG_STATE_HOME/guestcred (~/.local/state/guestcred); what UID owes there.
 */
GC_MUST_USE gc_status gc_places_ledger(struct gc_cli *cli, uid_t uid,
                                       struct gc_ledger **ret_ledger,
                                       struct gc_error *err);

/* The names alone, for `guestcred config`. */
GC_MUST_USE gc_status gc_places_store_name(struct gc_cli *cli, char *dst,
                                           size_t size, struct gc_error *err);
GC_MUST_USE gc_status gc_places_ledger_name(struct gc_cli *cli, char *dst,
                                            size_t size, struct gc_error *err);

#endif
