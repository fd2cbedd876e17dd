/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where tickets wait for the next command: TYPE:residual, one record a ticket,
 * and one a vCenter session.
 *
 *   DIR:/run/user/1000/guestcred     a directory of our own, 0700, files 0600
 *   KEYRING:session|user|persistent  a kernel keyring called "guestcred" there
 *   KEYRING:ANCHOR:NAME              the same, called NAME
 *
 * Knows records and how to keep them; no vCenter, and nothing of what is owed
 * (ledger).  A record that is not ours, torn or malformed is reported and
 * skipped, never fatal for the others: what comes out of a store is as hostile
 * as what comes over the wire.
 */

#ifndef GC_SRC_STORE_STORE_H
#define GC_SRC_STORE_STORE_H

#include "src/base/base.h"
#include "src/ticket.h"
#include "src/vim/facts.h"

#define GC_STORE_RECORD_MAX (128 * 1024) /* bytes of one record */
#define GC_STORE_COUNT_MAX  10000        /* records of one store */
#define GC_STORE_ID_SIZE    192
#define GC_URL_SIZE         512

struct gc_store;

/*
 * What a KEYRING: is and is not: memory of the kernel, gone at a reboot; of a
 * session it dies with the login, "persistent" after three days without use,
 * and "user" with the user's last process.  Payloads end at 32,767 bytes, and
 * a user who is not root has 200 keys and 20,000 bytes of quota in all by
 * default.  Containers often forbid keyrings altogether.
 */

/*
 * Open the store called NAME; with CREATE make its directory (only the last
 * component, and under /run/guestcred that one's parent when we are root).
 * GC_E_CONFIG: no such type, or a place that is not ours, open to others, or a
 * symbolic link.  GC_E_NOT_FOUND: absent, and not CREATE.  GC_E_NOT_SUPPORTED:
 * the kernel or a sandbox forbids keyrings.  Not thread-safe; processes are
 * kept apart by a lock in the store.
 */
GC_MUST_USE gc_status gc_store_open(const char *name, bool create,
                                    struct gc_store **ret_store,
                                    struct gc_error *err);
/* NULL is fine. */
void gc_store_free(struct gc_store *store);
GC_DEFINE_FREEP(gc_store)

/* The name it was opened by; borrowed. */
const char *gc_store_name(const struct gc_store *store);

/* Called for every record that is skipped: its name and why. */
void gc_store_on_skip(struct gc_store *store,
                      void (*skipped)(void *user, const char *line),
                      void *user);

/* A ticket as the store keeps it. */
struct gc_record {
    char id[GC_STORE_ID_SIZE]; /* within the store; "" before it is put */
    char url[GC_URL_SIZE];     /* the vCenter's, as gc_http_url gives it */
    int64_t used;              /* last used or validated, epoch seconds; like
                                  acquired it may lie in the future where the
                                  clock was set back */
    bool reused; /* never stored: it is an earlier command's ticket */
    struct gc_ticket ticket;
};
void gc_record_clear(struct gc_record *record);
void gc_record_move(struct gc_record *dst, struct gc_record *src);

/* Owned records; declare it GC_AUTO. */
struct gc_records {
    struct gc_record *items;
    size_t count;
};
void gc_records_clear(struct gc_records *records);
/* Append *TAKE_RECORD, which is left empty.  GC_E_NO_MEMORY. */
GC_MUST_USE gc_status gc_records_add(struct gc_records *records,
                                     struct gc_record *take_record,
                                     struct gc_error *err);

/* All records, oldest first. */
GC_MUST_USE gc_status gc_store_list(struct gc_store *store,
                                    struct gc_records *ret_records,
                                    struct gc_error *err);

/*
 * What a ticket must agree in to be used for another's purpose (decision 16).
 * MECH is what is negotiated: kerberos or ntlm.
 */
struct gc_store_key {
    const char *url;
    const char *vcenter; /* instance uuid, or "" where it is not known yet */
    const char *vm;
    const char *principal;
    const char *target;
    gc_mech mech;
    bool mutual;
};
bool gc_record_matches(const struct gc_record *record,
                       const struct gc_store_key *key);

/* The newest record that matches.  GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_store_find(struct gc_store *store,
                                    const struct gc_store_key *key,
                                    struct gc_record *ret_record,
                                    struct gc_error *err);

/* All that match, oldest first; none is GC_OK too. */
GC_MUST_USE gc_status gc_store_find_all(struct gc_store *store,
                                        const struct gc_store_key *key,
                                        struct gc_records *ret_records,
                                        struct gc_error *err);

/* The record of TICKET: same VM, same ticket string.  GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_store_find_ticket(struct gc_store *store,
                                           const struct gc_ticket *ticket,
                                           struct gc_record *ret_record,
                                           struct gc_error *err);

/*
 * The id of a record of VM's that is to be put, so that the ledger can name it
 * before: give it to the record.  "" where a store gives ids by itself.
 */
GC_MUST_USE gc_status gc_store_name_record(const struct gc_store *store,
                                           const char *vm,
                                           char ret_id[GC_STORE_ID_SIZE],
                                           struct gc_error *err);

/*
 * Keep RECORD (under the id that it has, or a new one).  Under the store's
 * lock: if a record with the same key is there whose id is not among SEEN's
 * (NULL: none was seen), another process was first: the newest such is moved to
 * RET_EARLIER (its id is not "") and RECORD is not kept; the caller releases
 * its own.  Else those of SEEN that match RECORD are removed; the caller
 * releases their tickets.  All or nothing: a full disk leaves the store as it
 * was. GC_E_FAILED: no room (disk, quota, too large), GC_E_CONFIG: not
 * writable, GC_E_BUSY: the lock.  Without GC_OK nothing is kept: release the
 * ticket.  What is not kept has no id afterwards.
 */
GC_MUST_USE gc_status gc_store_put(struct gc_store *store,
                                   struct gc_record *record,
                                   const struct gc_records *seen,
                                   struct gc_record *ret_earlier,
                                   struct gc_error *err);

/* Write RECORD's new "used" time; GC_E_NOT_FOUND when it is gone by now. */
GC_MUST_USE gc_status gc_store_touch(struct gc_store *store,
                                     const struct gc_record *record,
                                     struct gc_error *err);

/* Remove a record (the ticket in the guest lives on).  Absent is GC_OK. */
GC_MUST_USE gc_status gc_store_forget(struct gc_store *store, const char *id,
                                      struct gc_error *err);

/* Is the record ID there? */
bool gc_store_has(struct gc_store *store, const char *id);

/*
 * Does the store called NAME, ours, keep the record ID?  For who has no store
 * open and must not make one: false where there is no such store any more, true
 * where that cannot be told: not ours, not to be opened, not even a store.  Of
 * a KEYRING: the key itself is asked for, so that another session's keyring is
 * not taken for a lost one.
 */
bool gc_store_keeps(const char *name, const char *id);

/*
 * A vCenter session and what is known of that vCenter, by URL and user name.
 * ID is secret; empty: only the facts are known.
 */
GC_MUST_USE gc_status gc_store_put_session(struct gc_store *store,
                                           const char *url,
                                           const char *username,
                                           const struct gc_session_facts *facts,
                                           const struct gc_bytes *id,
                                           struct gc_error *err);
/* GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_store_get_session(struct gc_store *store,
                                           const char *url,
                                           const char *username,
                                           struct gc_session_facts *ret_facts,
                                           struct gc_bytes *ret_id,
                                           struct gc_error *err);
/* Absent is GC_OK. */
GC_MUST_USE gc_status gc_store_forget_session(struct gc_store *store,
                                              const char *url,
                                              const char *username,
                                              struct gc_error *err);

/*
 * Tidy up what processes that are gone left half-written.  Torn records are
 * removed; RET_RECORDS gets whole ones that never reached their name (the
 * caller owes their release).  They have their name now, so that nothing is
 * lost if the caller dies too: forget them once they are released.
 */
GC_MUST_USE gc_status gc_store_adopt(struct gc_store *store,
                                     struct gc_records *ret_records,
                                     struct gc_error *err);

#endif
