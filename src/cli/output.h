/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the command says: results on standard output, the rest on standard
 * error, a line each, with control characters escaped.
 */

#ifndef GC_SRC_CLI_OUTPUT_H
#define GC_SRC_CLI_OUTPUT_H

#include "src/cli/cli.h"
#include "src/json.h"

/* "guestcred: …" on standard error, if -v was given LEVEL times. */
void gc_output_note(const struct gc_cli *cli, int level, const char *fmt, ...)
    GC_PRINTF(3, 4);
/* The same, always. */
void gc_output_warn(const char *fmt, ...) GC_PRINTF(1, 2);

/*
 * A step begins that should be short: a person at a terminal is told, once and
 * unless quiet, when it is not over after two seconds, of the latest note (this
 * one, to begin with; -v or not) and of the time left.
 */
void gc_output_step(const struct gc_cli *cli, const char *fmt, ...)
    GC_PRINTF(2, 3);
/* It is over, or the terminal is needed for something else. */
void gc_output_step_end(void);

/* A line for a person on standard output, unless quiet. */
void gc_output_line(const struct gc_cli *cli, const char *fmt, ...)
    GC_PRINTF(2, 3);

/*
 * Print ROOT and a newline on standard output.  GC_E_FAILED when it could not
 * be written to the end.
 */
GC_MUST_USE gc_status gc_output_json(const struct gc_json *root,
                                     struct gc_error *err);

/* Everything said by gc_output_line is out, or GC_E_FAILED. */
GC_MUST_USE gc_status gc_output_flush(struct gc_error *err);

/* {"version":1}, to be filled and printed. */
struct gc_json *gc_output_object(void);

/*
 * Of several VMs, VM failed.  With --json: one more of *ERRORS, an array that
 * is made for the first one; else a line on standard error that names VM once.
 */
void gc_output_failure(const struct gc_cli *cli, struct gc_json **errors,
                       const char *vm, const struct gc_error *err);

/* ERR as the command's last word: JSON on standard output, or a line. */
void gc_output_error(const struct gc_cli *cli, const struct gc_error *err);

#endif
