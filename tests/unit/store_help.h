/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the store and the ledger share: a directory of their own,
 * records to put into it, and ears for what is skipped.
 */

#ifndef GC_TESTS_UNIT_STORE_HELP_H
#define GC_TESTS_UNIT_STORE_HELP_H

#include "src/store/store.h"

#define URL    "https://vcenter.example.test"
#define UUID   "2c3d4e5f-0000-4000-8000-00000000abcd"
#define SECRET "S3CRET-TICKET-MARK"

/* A new directory, 0700; its path lives until help_rmdir. */
const char *help_mkdir(void);
void help_rmdir(void);

/* "DIR:" and the directory, or what SUB names below it. */
const char *help_name(const char *sub);
/* The path of SUB in the directory. */
const char *help_path(const char *sub);

/* Fill RECORD with a ticket of VM whose secret ends with NUMBER. */
void help_record(struct gc_record *record, const char *vm, int number);
struct gc_store_key help_key(const struct gc_record *record);

/* Open help_name("store"), made if need be; every skip goes to help_skips. */
struct gc_store *help_store(void);
/* Put a fresh record and be sure that it is kept. */
void help_put(struct gc_store *store, const char *vm, int number,
              char ret_id[GC_STORE_ID_SIZE]);
size_t help_count(struct gc_store *store);
/* RET_SEEN is the one record ID, which must be there. */
void help_seen(struct gc_store *store, const char *id,
               struct gc_records *ret_seen);

/* What was skipped since the last help_forget_skips, a line each. */
void help_skipped(void *user, const char *line);
extern int help_skips;
extern char help_lines[65536];
void help_forget_skips(void);

/* Write LEN bytes to SUB with MODE. */
void help_file(const char *sub, const void *data, size_t len, unsigned mode);
/* How many names in SUB start with PREFIX. */
int help_names(const char *sub, const char *prefix);

/* Say that we are a forked child: what fails ends it, not a test. */
void help_in_child(void);

/*
 * Run RUN in a forked child and return what waitpid says of it.  As
 * another user where UID is not 0.
 */
int help_fork(int (*run)(void *user), void *user, unsigned uid);

#endif
