/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Skips with a reason, as TAP has them.  cmocka calls a skipped test "not ok",
 * which Automake counts as failed, and has no room for a why.
 */

#ifndef GC_TESTS_UNIT_SKIPS_H
#define GC_TESTS_UNIT_SKIPS_H

/* Around the run of a group, in main: "return skips_end(run…);" */
void skips_begin(void);
int skips_end(int result);

/* Leave the test that runs as skipped.  Like skip() it does not return. */
void skip_because(const char *reason);

#endif
