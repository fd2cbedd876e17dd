/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is owed to guests: written ahead, settled later, and never where the
 * tickets are kept.
 *
 * An entry goes through intent (before the first leg), ticket (the moment it is
 * known; somebody needs it) and release (before that is tried); it ends when
 * the guest no longer has the ticket.  Lost is an intent of which nobody heard
 * again: a ticket may live in the guest that cannot be named, so the entry ends
 * when that would have.  Root's ledger is /var/lib/guestcred, a
 * user's own $XDG_STATE_HOME/guestcred; neither reads the other (rules P6, P11,
 * P19).  Knows no network: who settles is the client.
 *
 * What is owed for another uid than our own stands in a directory of that uid's
 * in ours, which has a lock of its own: a user may stop a process of root's
 * that works for them while it holds a lock, and nobody else is to wait for it.
 */

#ifndef GC_SRC_LEDGER_H
#define GC_SRC_LEDGER_H

#include "src/base/base.h"
#include "src/process.h"
#include "src/store/store.h"
#include "src/ticket.h"

#define GC_LEDGER_COUNT_MAX 10000 /* entries of one uid's that are listed */
#define GC_LEDGER_UIDS_MAX  100000
#define GC_LEDGER_ID_SIZE   64
#define GC_TRANSACTION_SIZE 33

/* A guest forgets a ticket that was not used for this long (vi-json §7.5). */
#define GC_LEDGER_LOST_S (24 * 3600)

/* Only those from TICKET on hold one. */
typedef enum {
    GC_OWED_INTENT,
    GC_OWED_LOST,
    GC_OWED_TICKET,
    GC_OWED_RELEASE
} gc_owed;

struct gc_entry {
    char id[GC_LEDGER_ID_SIZE]; /* "" before it is written */
    gc_owed state;
    uid_t uid;             /* for whom: the login's user; ours for commands */
    char url[GC_URL_SIZE]; /* the vCenter's */
    char store[1024];      /* who needs a TICKET: the store that keeps it … */
    char record[GC_STORE_ID_SIZE]; /* … and its record, or is about to; or "" */
    struct gc_process process;     /* and until then this process */
    char machine[GC_MACHINE_SIZE]; /* where it was last written; "" in old ones
                                    */
    char transaction[GC_TRANSACTION_SIZE]; /* the login's, or "" */
    int64_t written;                       /* epoch seconds */
    int tries;                             /* releases that failed */
    struct gc_ticket ticket; /* INTENT, LOST: without its ticket string */
};
void gc_entry_clear(struct gc_entry *entry);

struct gc_entries {
    struct gc_entry *items;
    size_t count;
    bool locked; /* somebody else held the lock when they were listed */
};
void gc_entries_clear(struct gc_entries *entries);

struct gc_ledger;

/*
 * Open what is owed for UID in the ledger of directory PATH: PATH itself if
 * that is the effective uid, else PATH/UID (made if absent, with missing
 * parents, all 0700).  Owner and mode are checked as the store checks them:
 * GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_ledger_open(const char *path, uid_t uid,
                                     struct gc_ledger **ret_ledger,
                                     struct gc_error *err);
void gc_ledger_free(struct gc_ledger *ledger);
GC_DEFINE_FREEP(gc_ledger)

/*
 * Call VISIT for our own uid, and then for each other that the ledger in PATH
 * has a directory of, whatever is in it.  Stops with VISIT's error.
 * GC_E_FAILED: there are more than GC_LEDGER_UIDS_MAX.
 */
GC_MUST_USE gc_status gc_ledger_each_uid(
    const char *path,
    gc_status (*visit)(void *user, uid_t uid, struct gc_error *err), void *user,
    struct gc_error *err);

void gc_ledger_on_skip(struct gc_ledger *ledger,
                       void (*skipped)(void *user, const char *line),
                       void *user);

/*
 * Keep other processes and threads from writing and settling until it is
 * unlocked: what is read now and written then has not changed between.  This
 * handle may take it again, and gives it up as often.  GC_E_BUSY at DEADLINE.
 */
GC_MUST_USE gc_status gc_ledger_lock(struct gc_ledger *ledger, int64_t deadline,
                                     struct gc_error *err);
void gc_ledger_unlock(struct gc_ledger *ledger);

/* The entry called ID as it is now.  GC_E_NOT_FOUND when it is gone. */
GC_MUST_USE gc_status gc_ledger_read(struct gc_ledger *ledger, const char *id,
                                     struct gc_entry *ret_entry,
                                     struct gc_error *err);

/*
 * Write ENTRY, new (its id is set) or in place of what its id names; on disk
 * (fsync) when this returns GC_OK, but for an intent, which names no ticket.
 * All or nothing.  Takes the lock, as settling does: GC_E_BUSY.  GC_E_INTERNAL:
 * it is another uid's than LEDGER.
 */
GC_MUST_USE gc_status gc_ledger_write(struct gc_ledger *ledger,
                                      struct gc_entry *entry,
                                      struct gc_error *err);

/*
 * Does LEDGER hold nothing at all but the TICKET that this handle has written
 * last?  Then nobody else owes anything, for the price of one look at its
 * names.
 */
bool gc_ledger_is_ours(const struct gc_ledger *ledger);

/*
 * Nothing is owed under ID any more.  Absent is GC_OK.  A power cut may bring
 * it back, which costs a release that finds nothing.
 */
GC_MUST_USE gc_status gc_ledger_settle(struct gc_ledger *ledger, const char *id,
                                       struct gc_error *err);

/*
 * All entries of LEDGER's uid, oldest first, half-written ones of dead
 * processes included where they are whole (torn ones are removed and reported),
 * unless somebody holds the lock: then another time.  A torn entry is reported
 * and set aside, once.
 */
GC_MUST_USE gc_status gc_ledger_list(struct gc_ledger *ledger,
                                     struct gc_entries *ret_entries,
                                     struct gc_error *err);

/*
 * The same for those of the login TRANSACTION alone.  "", and what is no
 * transaction: none.
 */
GC_MUST_USE gc_status gc_ledger_list_of(struct gc_ledger *ledger,
                                        const char *transaction,
                                        struct gc_entries *ret_entries,
                                        struct gc_error *err);

/*
 * The entry that owes TICKET (same VM, same ticket string), if any:
 * GC_E_NOT_FOUND.
 */
GC_MUST_USE gc_status gc_ledger_find(struct gc_ledger *ledger,
                                     const struct gc_ticket *ticket,
                                     struct gc_entry *ret_entry,
                                     struct gc_error *err);

/* Is TEXT what a login is called: 32 hexadecimal digits, lower case? */
bool gc_entry_transaction_ok(const char *text);

/*
 * Was ENTRY written on another machine, or for a process of another pid
 * namespace?  LOST is for nobody, and the same anywhere.  Who needs it can be
 * told there alone; but a minute after a ticket was written down that names a
 * record, its store can tell, wherever.
 */
bool gc_entry_elsewhere(const struct gc_entry *entry);

/*
 * Does anybody still need what ENTRY names?  Its process lives, or (TICKET) its
 * store still keeps the record, or cannot be looked into.  RELEASE is needed by
 * nobody; LOST is kept for GC_LEDGER_LOST_S.  Only a store of our own is looked
 * at: what another uid keeps is no input to us, and its process alone counts.
 * Elsewhere: true.
 */
bool gc_entry_needed(const struct gc_entry *entry);

/*
 * May a ticket of ENTRY live in the guest that nobody can name: what is LOST,
 * or the INTENT of a process that died, until it is too old?
 */
bool gc_entry_is_lost(const struct gc_entry *entry);

/*
 * An entry's text, one line of JSON, and back (without its id).  Of several
 * lines the last that is whole counts, and not what no newline ends.  TEXT is
 * as hostile as any: GC_E_PROTOCOL says what is wrong with it, and quotes
 * nothing.
 */
GC_MUST_USE gc_status gc_entry_write(const struct gc_entry *entry,
                                     struct gc_bytes *ret_text,
                                     struct gc_error *err);
GC_MUST_USE gc_status gc_entry_read(const struct gc_bytes *text,
                                    struct gc_entry *ret_entry,
                                    struct gc_error *err);

#endif
