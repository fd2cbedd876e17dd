/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket store from inside, for store, steps and sessions alone.
 */

#ifndef GC_SRC_TICKETS_HANDLE_H
#define GC_SRC_TICKETS_HANDLE_H

#include "src/tickets/dir.h"
#include "src/tickets/store.h"

struct gc_store {
    struct gc_dir dir;
    int lock;   /* the open file "lock", or -1 */
    int login;  /* the lock of a login that is under way, or -1 */
    bool brief; /* the lock is not worth a long wait */
    void (*skipped)(void *user, const char *line);
    void *user;
    char owner[GC_ENTRY_OWNER_SIZE]; /* this process ... */
    pid_t owner_pid;                 /* ... unless it is a fork by now */
};

/* Say that a file is passed over: WHY begins with its name. */
void gc_store_tell(const struct gc_store *store, const char *why);

/* GC_E_NOT_FOUND, in the words of all steps. */
gc_status gc_store_fail_gone(const struct gc_store *store,
                             struct gc_error *err);

/*
 * Read the entry NAME into RET_ENTRY, by way of BUFFER.  GC_E_PROTOCOL: "NAME:
 * why it is passed over".  GC_E_NOT_FOUND.
 */
GC_MUST_USE gc_status gc_store_look(struct gc_store *store, const char *name,
                                    struct gc_bytes *buffer,
                                    struct gc_entry *ret_entry,
                                    struct gc_error *err);

/*
 * Writing.  The new state is written first, then the store is locked, what is
 * there is read again, and only then the new state gets its name.
 */
GC_MUST_USE gc_status gc_store_write_new(struct gc_store *store,
                                         const struct gc_entry *entry,
                                         bool sync,
                                         char ret_temp[GC_DIR_TEMP_SIZE],
                                         struct gc_error *err);
/* Put ENTRY, which gets an id, into the store. */
GC_MUST_USE gc_status gc_store_put(struct gc_store *store,
                                   struct gc_entry *entry, bool sync,
                                   struct gc_error *err);

GC_MUST_USE gc_status gc_store_lock(struct gc_store *store,
                                    struct gc_error *err);
void gc_store_unlock(struct gc_store *store);

/* The states that a step may start from, or-ed. */
#define GC_FROM(state) (1u << (state))
#define GC_FROM_INTENT GC_FROM(GC_ENTRY_INTENT)
#define GC_FROM_TICKET GC_FROM(GC_ENTRY_TICKET)
#define GC_FROM_LOST   GC_FROM(GC_ENTRY_LOST)
#define GC_FROM_ANY    0xfu
/* ... as long as no other process has changed the entry. */
#define GC_FROM_UNCHANGED GC_FROM(8)

/*
 * NEXT in place of what has its id and is in one of the states FROM.
 * GC_E_NOT_FOUND: there is no such entry any more, or it holds another ticket.
 */
GC_MUST_USE gc_status gc_store_replace(struct gc_store *store,
                                       const struct gc_entry *next,
                                       unsigned from, bool sync,
                                       struct gc_error *err);
/* Remove ENTRY, if it is in one of the states FROM and holds its ticket. */
GC_MUST_USE gc_status gc_store_drop(struct gc_store *store,
                                    const struct gc_entry *entry, unsigned from,
                                    struct gc_error *err);

/* gc_store_list, and TELL of what is passed over. */
GC_MUST_USE gc_status gc_store_gather(struct gc_store *store,
                                      const struct gc_ticket_key *key,
                                      bool tell, struct gc_entries *ret_entries,
                                      struct gc_error *err);

#endif
