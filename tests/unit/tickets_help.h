/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of the ticket store share: a directory, entries to put into
 * it, and ears for what is passed over.
 */

#ifndef GC_TESTS_UNIT_TICKETS_HELP_H
#define GC_TESTS_UNIT_TICKETS_HELP_H

#include "src/tickets/store.h"

#define URL    "https://vcenter.example.test"
#define UUID   "2c3d4e5f-0000-4000-8000-00000000abcd"
#define SECRET "S3CRET-TICKET-MARK"

/* A new directory, 0700; until help_end. */
void help_begin(void);
void help_end(void);
/* The path of SUB in the directory; the last eight are valid. */
const char *help_path(const char *sub);
/* ... in its store. */
const char *help_in_store(const char *name);

/* Open help_path("store"), made if need be. */
struct gc_store *help_open(void);
/* What was passed over since this was last set to 0. */
extern int help_skips;
extern char help_line[1024]; /* the last */

/* A request for a ticket of VM, and the ticket NUMBER for it. */
void help_request(struct gc_entry *entry, const char *vm);
void help_issue(struct gc_entry *entry, int number);
/* The number of ENTRY's ticket, 0: none. */
int help_number(const struct gc_entry *entry);
struct gc_ticket_key help_key(const struct gc_entry *entry);

/* Put the ticket NUMBER of VM into the store; RET_ID may be NULL. */
void help_put(struct gc_store *store, const char *vm, int number,
              char ret_id[GC_ENTRY_ID_SIZE]);
/* The state of the entry ID, or -1: gone. */
int help_state(struct gc_store *store, const char *id);
size_t help_count(struct gc_store *store);

/* Write TEXT (LEN bytes, or -1 for a string) to the file PATH with MODE. */
void help_file(const char *path, const void *text, long len, unsigned mode);
/* Read the file PATH as a string. */
void help_read(const char *path, char *dst, size_t size);
/* Set the file's time to AGE seconds ago. */
void help_age(const char *path, long age);
/* How many names does the store's directory have that end with SUFFIX? */
int help_names(const char *suffix);

/* Run RUN in a forked child, as the user UID if that is not 0; its status. */
int help_fork(int (*run)(void *user), void *user, unsigned uid);

#endif
