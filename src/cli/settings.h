/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options from elsewhere than the command line: the environment and the
 * configuration files.
 */

#ifndef GC_SRC_CLI_SETTINGS_H
#define GC_SRC_CLI_SETTINGS_H

#include "src/cli/cli.h"

/*
 * Fill in what the environment says to the command with bit TAKER, and what the
 * files say: --config's alone, else GC_SYSCONFDIR/guestcred/guestcred.conf and
 * the user's own.  A file must belong to us or root (the system's: to root), be
 * writable to no other user, and be no symbolic link.  GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_settings_read(struct gc_cli *cli, unsigned taker,
                                       struct gc_error *err);

/*
 * ERR, of status ST, is about the value of OPTION: put before it where that
 * came from.  Returns ST.
 */
gc_status gc_settings_blame(const struct gc_cli *cli, gc_option option,
                            gc_status st, struct gc_error *err);

/*
 * Does vCenter's password come from GOVC_PASSWORD?  It belongs to GOVC_USERNAME
 * alone, and a password file wins over it.
 */
bool gc_settings_has_govc_password(const struct gc_cli *cli);

/*
 * $VARIABLE/guestcred, else $HOME/FALLBACK/guestcred, else the same in the home
 * that the user database tells; false: there is none.  Root does not use a
 * variable that leads to another user's directory.
 */
bool gc_settings_home(const char *variable, const char *fallback, char *dst,
                      size_t size);

#endif
