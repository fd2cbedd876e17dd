/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where this user's tickets are kept.
 */

#ifndef GC_SRC_CLI_PATHS_H
#define GC_SRC_CLI_PATHS_H

#include <limits.h>

#include "src/cli/cli.h"
#include "src/tickets/store.h"

/*
 * The directory of --store, or "none"; else for root
 * LOCALSTATEDIR/lib/guestcred/root, and for others one of this machine's in
 * $XDG_STATE_HOME/guestcred, ~/.local/state/guestcred by default.  GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_paths_store_name(struct gc_cli *cli,
                                          char ret_path[PATH_MAX],
                                          struct gc_error *err);

/* Open it; RET_STORE is NULL for "none". */
GC_MUST_USE gc_status gc_paths_store(struct gc_cli *cli, gc_store_mode mode,
                                     struct gc_store **ret_store,
                                     struct gc_error *err);

/*
 * The tickets of the login that this process belongs to, which GUESTCRED_LOGIN
 * names; NULL where there are none.
 */
struct gc_store *gc_paths_copies(const struct gc_cli *cli);

#endif
