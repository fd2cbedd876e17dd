/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The records of PAM transactions, shared by the processes of a transaction.
 *
 * A host may authenticate in one process, establish credentials in a second and
 * open the session in a third, and may die in any of them.  It hands back a
 * name in the PAM environment, where others may write too.  So a name is a
 * hint: it counts only for the same user, service and family of processes.
 *
 * Each transaction has one small file, 0600, in a directory of root's.  Files
 * are written atomically, so no lock is needed and no process waits for one
 * that is stopped.  One process at a time makes a transaction's session; it
 * holds a lock that ends with it.
 */

#ifndef GC_SRC_HELPER_LOGINS_H
#define GC_SRC_HELPER_LOGINS_H

#include <stdint.h>
#include <sys/types.h>

#include "gss/initiator.h"
#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/base/owner.h"
#include "src/tickets/copies.h"
#include "src/tickets/entry.h"

#define GC_TRANSACTION_SIZE     GC_ENTRY_ID_SIZE
#define GC_LOGIN_CREDENTIAL_MAX 45000        /* bytes */
#define GC_LOGIN_TEXT_MAX       (256 * 1024) /* of a record */

/* What tidying takes: seconds. */
#define GC_LOGIN_WAIT_S 3600 /* for a session to begin */
#define GC_LOGIN_OLDEST_S                                                      \
    (7 * 24 * 3600) /* nothing in it is good for longer                        \
                     */

struct gc_login {
    char transaction[GC_TRANSACTION_SIZE];
    int64_t uid;                       /* whose login; never 0 */
    char service[256];                 /* PAM's, never "" */
    char principal[GC_PRINCIPAL_SIZE]; /* verified to be UID's, or "" */
    bool proved;  /* by that principal, to us; others may have proved a user */
    char vm[256]; /* which of the map the user chose, or "" */
    char copies[GC_COPIES_PATH_SIZE]; /* of its tickets; "": no session yet */
    char host[GC_OWNER_SIZE];         /* the process that asked … */
    char parent[GC_OWNER_SIZE];       /* … and its parent then, or "" */
    int64_t written;                  /* epoch seconds; gc_logins_put sets it */
    struct gc_bytes credential;       /* secret: exported tickets, or empty */
};
/* Wipe all of it. */
void gc_login_clear(struct gc_login *login);

/*
 * Put HOST_PID, which must have started at HOST_START, and its parent into
 * LOGIN.  GC_E_NOT_FOUND: it is gone.
 */
GC_MUST_USE gc_status gc_login_asked_by(struct gc_login *login, pid_t host_pid,
                                        uint64_t host_start,
                                        struct gc_error *err);

struct gc_logins;

/*
 * Open directory PATH (absolute; made if absent, with its missing parents, all
 * 0700), which must be ours alone: GC_E_CONFIG.
 */
GC_MUST_USE gc_status gc_logins_open(const char *path,
                                     struct gc_logins **ret_logins,
                                     struct gc_error *err);
void gc_logins_free(struct gc_logins *logins);
GC_DEFINE_FREEP(gc_logins)

/* A new random name. */
GC_MUST_USE gc_status gc_logins_new_id(char ret_id[GC_TRANSACTION_SIZE],
                                       struct gc_error *err);

/*
 * Write LOGIN, new or in place of itself, all or nothing; sets WRITTEN.  A
 * transaction that continues in another process is written again with that
 * process as host, so that its children find it too.  GC_E_INTERNAL:
 * gc_logins_find could not read it; GC_E_FAILED: no room.
 */
GC_MUST_USE gc_status gc_logins_put(struct gc_logins *logins,
                                    struct gc_login *login,
                                    struct gc_error *err);

/*
 * The login called TRANSACTION, if it is UID's and SERVICE's, and was written
 * for HOST_PID (which started at HOST_START), for one of its 16 nearest
 * ancestors but pid 1, or for a child that HOST_PID had then and may have no
 * more: sshd's keyboard-interactive authenticates in a child of the process
 * that goes on.  Else GC_E_NOT_FOUND, with one text for every reason, and
 * RET_LOGIN (secret; replaced on success) is as it was.
 */
GC_MUST_USE gc_status gc_logins_find(struct gc_logins *logins,
                                     const char *transaction, uid_t uid,
                                     const char *service, pid_t host_pid,
                                     uint64_t host_start,
                                     struct gc_login *ret_login,
                                     struct gc_error *err);

/* The same, whichever user's it is. */
GC_MUST_USE gc_status
gc_logins_find_anyones(struct gc_logins *logins, const char *transaction,
                       const char *service, pid_t host_pid, uint64_t host_start,
                       struct gc_login *ret_login, struct gc_error *err);

/*
 * The session of TRANSACTION is this process's to make, until it ends or
 * gc_logins_free.  Waits while another one is at it, until DEADLINE (GC_E_BUSY)
 * or until CANCEL_FD, or -1, is readable (GC_E_CANCELED).  What was found
 * before may have changed by then.
 */
GC_MUST_USE gc_status gc_logins_lock(struct gc_logins *logins,
                                     const char *transaction, int64_t deadline,
                                     int cancel_fd, struct gc_error *err);

/* Remove it.  Absent, and no name at all, are GC_OK. */
GC_MUST_USE gc_status gc_logins_forget(struct gc_logins *logins,
                                       const char *transaction,
                                       struct gc_error *err);

/*
 * Remove with their copies of tickets
 *   - logins whose session's host has ended;
 *   - logins whose host and parent have ended: they cannot be found again;
 *   - logins without a session after GC_LOGIN_WAIT_S: a long-lived service may
 *     leave one for each password;
 *   - all after GC_LOGIN_OLDEST_S; the store knows the tickets they owe;
 *   - unreadable and incomplete files after GC_LOGIN_WAIT_S.
 * A time in the future counts as now.
 */
GC_MUST_USE gc_status gc_logins_tidy(struct gc_logins *logins,
                                     struct gc_error *err);

/*
 * A login's text (secret), and back.  TEXT is as hostile as any: GC_E_PROTOCOL
 * says what is wrong with it, and quotes nothing.
 */
GC_MUST_USE gc_status gc_login_write(const struct gc_login *login,
                                     struct gc_bytes *ret_text,
                                     struct gc_error *err);
GC_MUST_USE gc_status gc_login_read(const struct gc_bytes *text,
                                    struct gc_login *ret_login,
                                    struct gc_error *err);

#endif
