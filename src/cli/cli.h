/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command: what its subcommands share.
 */

#ifndef GC_SRC_CLI_CLI_H
#define GC_SRC_CLI_CLI_H

#include <stdbool.h>

#include "src/base/base.h"
#include "src/base/clock.h"
#include "src/options.h"

struct gc_cli {
    struct gc_options config;
    /* Of everything; goodbyes may take a little longer.  SIGINT, SIGTERM and
     * SIGHUP cancel. */
    struct gc_limit limit;
    bool json;
    bool quiet;
    int verbose;
    /*
     * The subcommand has printed its JSON itself, errors included; main only
     * sets the exit status.
     */
    bool printed;
};

/*
 * The subcommands.  What they return becomes the exit status; ERR is printed by
 * main, as JSON where asked, unless cli->printed says that it was.
 */
GC_MUST_USE gc_status gc_cli_acquire(struct gc_cli *cli, struct gc_error *err);
GC_MUST_USE gc_status gc_cli_validate(struct gc_cli *cli, struct gc_error *err);
GC_MUST_USE gc_status gc_cli_release(struct gc_cli *cli, struct gc_error *err);
GC_MUST_USE gc_status gc_cli_list(struct gc_cli *cli, struct gc_error *err);
GC_MUST_USE gc_status gc_cli_sweep(struct gc_cli *cli, struct gc_error *err);
GC_MUST_USE gc_status gc_cli_config(struct gc_cli *cli, struct gc_error *err);

#endif
