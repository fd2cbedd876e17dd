/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ticket store: one directory, one file an entry, and the sessions in
 * vCenter beside them.  It makes no request.
 *
 *   DIR/lock              flock(2) on it, opened O_RDWR; never removed
 *   DIR/ID                an entry
 *   DIR/RANDOM.new        what is being written, before it gets its name
 *   DIR/session-HASH      a vCenter session, its facts, or a refused login
 *   DIR/session-HASH.login   lock: one login under way at a time
 *
 * A process that is killed at any point leaves a correct earlier state.  An
 * existing entry changes only under the lock, after it was read again, but for
 * an intent that its writer removes; the lock is never held across the network
 * or across fsync.  Nothing is guessed from file names.  What is read is as
 * hostile as what comes over the wire: a file that is not ours, torn or
 * malformed is told (on_skip) and never acted on; what this program left torn
 * is removed after 48 hours.
 *
 * A step that fails leaves the store as it was, and ENTRY too.  The lock is
 * waited for 3 s: GC_E_BUSY.  GC_E_FAILED: no room.  GC_E_CONFIG: it cannot be
 * written.  Links libc and nothing else.  Not thread-safe; one handle, one
 * thread, and none in a forked child.
 */

#ifndef GC_SRC_TICKETS_STORE_H
#define GC_SRC_TICKETS_STORE_H

#include "src/tickets/entry.h"
#include "src/vim/vc_info.h"

#define GC_STORE_COUNT_MAX 10000 /* entries of one store */

struct gc_store;

typedef enum {
    GC_STORE_READ,   /* GC_E_NOT_FOUND where there is none */
    GC_STORE_CREATE, /* made with missing parents, 0700 */
    GC_STORE_LOGIN,  /* a login's copies: root's, for our euid, read-only */
} gc_store_mode;

/*
 * Open the directory PATH (absolute).  It must be the effective user's, with no
 * access for others, and no symbolic link: GC_E_CONFIG.  LOGIN: it and the
 * files in it must be root's; the group, which an ACL shows up as, may read
 * them; no step can be made there.
 */
GC_MUST_USE gc_status gc_store_open(const char *path, gc_store_mode mode,
                                    struct gc_store **ret_store,
                                    struct gc_error *err);
void gc_store_free(struct gc_store *store); /* NULL is fine */
GC_DEFINE_FREEP(gc_store)
const char *gc_store_path(const struct gc_store *store); /* borrowed */

/* Called by list, read and session for every file that is passed over: which,
 * and why, in one line. */
void gc_store_on_skip(struct gc_store *store,
                      void (*skipped)(void *user, const char *line),
                      void *user);

/*
 * All entries, oldest first, but no more than GC_STORE_COUNT_MAX.  KEY not
 * NULL: tickets that match it.
 */
GC_MUST_USE gc_status gc_store_list(struct gc_store *store,
                                    const struct gc_ticket_key *key,
                                    struct gc_entries *ret_entries,
                                    struct gc_error *err);

/* The entry ID as it is now.  GC_E_NOT_FOUND. */
GC_MUST_USE gc_status gc_store_read(struct gc_store *store, const char *id,
                                    struct gc_entry *ret_entry,
                                    struct gc_error *err);

/* ---- the steps of an acquire ---- */

/*
 * Before Acquire's first byte: give ENTRY an id, this process as its owner, and
 * write it as an intent (renamed into place, not synced).  Where this fails
 * nothing may be sent.
 */
GC_MUST_USE gc_status gc_store_intent(struct gc_store *store,
                                      struct gc_entry *entry,
                                      struct gc_error *err);

/* A parsed fault, or nothing was sent: the intent is gone, and ENTRY's id. */
GC_MUST_USE gc_status gc_store_nothing(struct gc_store *store,
                                       struct gc_entry *entry,
                                       struct gc_error *err);

/* No reply: a ticket may exist whose name is not known. */
GC_MUST_USE gc_status gc_store_lost(struct gc_store *store,
                                    struct gc_entry *entry,
                                    struct gc_error *err);

/*
 * ENTRY, an intent or lost, has its ticket now.  It is written and synced, then
 * under the lock: if the store has a ticket with the same key, of the same
 * login and uid, that is not among SEEN (may be NULL), another process was
 * first. Then that one is moved to RET_EARLIER (its id is not "") and ENTRY
 * becomes "owed".  Else ENTRY becomes "ticket", and those of SEEN with its key
 * become "owed".  All that are owed are the caller's to release.  Where this
 * fails the intent stays and the caller releases at once, then
 * gc_store_released.
 */
GC_MUST_USE gc_status gc_store_ticket(struct gc_store *store,
                                      struct gc_entry *entry,
                                      const struct gc_entries *seen,
                                      struct gc_entry *ret_earlier,
                                      struct gc_error *err);

/* ---- the steps of a release ---- */

/*
 * ENTRY's ticket is about to be released, or must be: "owed", synced, unless it
 * already is.  An entry that is in no store yet is added.  GC_E_NOT_FOUND: it
 * is gone, or another ticket's by now.  Where this fails the ticket is released
 * all the same.
 */
GC_MUST_USE gc_status gc_store_owed(struct gc_store *store,
                                    struct gc_entry *entry,
                                    struct gc_error *err);
/*
 * The guest has it no more: the entry goes, if it still holds that ticket, or
 * is the intent that never became a ticket.
 */
GC_MUST_USE gc_status gc_store_released(struct gc_store *store,
                                        const struct gc_entry *entry,
                                        struct gc_error *err);
/* It could not be released: "owed", one try more.  Gone by now is GC_OK. */
GC_MUST_USE gc_status gc_store_not_released(struct gc_store *store,
                                            const struct gc_entry *entry,
                                            struct gc_error *err);

/* ---- the rest ---- */

/*
 * The guest took ENTRY's ticket just now.  Written at most once a minute, and
 * not synced.  GC_E_NOT_FOUND: it is no "ticket" any more, so get another.
 */
GC_MUST_USE gc_status gc_store_used(struct gc_store *store,
                                    struct gc_entry *entry,
                                    struct gc_error *err);
/* The guest refused it: gone, if it still is this "ticket". */
GC_MUST_USE gc_status gc_store_refused(struct gc_store *store,
                                       const struct gc_entry *entry,
                                       struct gc_error *err);

/*
 * Without any network: intents whose owner is dead, or that are past their
 * time, become "lost" (and can still become tickets); a login's tickets whose
 * host process is dead become "owed"; what else is past its
 * time, half-written for an hour or torn for 48 hours is removed.  Goes on
 * after a failure and returns the first.  GC_E_BUSY, after
 * 1 s: the rest is left to the next tidying.
 */
GC_MUST_USE gc_status gc_store_tidy(struct gc_store *store,
                                    struct gc_error *err);

/* ---- sessions in vCenter ---- */

/* What makes a refused login worth another try: no hash of the password. */
struct gc_password_identity {
    int64_t dev, inode, size, mtime_s, mtime_ns, ctime_s, ctime_ns; /* or 0 */
};

struct gc_kept_session {
    char url[GC_URL_SIZE];
    char username[512];
    struct gc_vc_info facts;
    struct gc_bytes id; /* secret; empty: the facts alone are known */
    int64_t refused;    /* epoch seconds of the last InvalidLogin, or 0 */
    struct gc_password_identity password; /* the one that was refused */
};

void gc_kept_session_clear(struct gc_kept_session *kept);

/* What is kept for URL and USERNAME.  GC_E_NOT_FOUND, also for a torn one. */
GC_MUST_USE gc_status gc_store_session(struct gc_store *store, const char *url,
                                       const char *username,
                                       struct gc_kept_session *ret_kept,
                                       struct gc_error *err);
/* Keep KEPT in place of what was there (renamed into place, not synced; a
 * refusal is synced). */
GC_MUST_USE gc_status gc_store_keep_session(struct gc_store *store,
                                            const struct gc_kept_session *kept,
                                            struct gc_error *err);
/* Absent is GC_OK. */
GC_MUST_USE gc_status gc_store_forget_session(struct gc_store *store,
                                              const char *url,
                                              const char *username,
                                              struct gc_error *err);
/*
 * One login for URL and USERNAME at a time.  Waits until DEADLINE or until
 * CANCEL_FD (or -1) is readable (GC_E_CANCELED).  Then look at what is kept
 * before logging in.  RET_WAITED: another process was at it.  GC_E_BUSY: waited
 * in vain.  Unlock with gc_store_login_end.
 */
GC_MUST_USE gc_status gc_store_login_begin(
    struct gc_store *store, const char *url, const char *username,
    int64_t deadline, int cancel_fd, bool *ret_waited, struct gc_error *err);
void gc_store_login_end(struct gc_store *store);

#endif
