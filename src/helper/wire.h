/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between pam_guestcred and guestcred-helper: one request and one
 * reply, each one packet on a socket pair; then the helper exits.
 *
 * Both ends treat the other as hostile and read strictly: a byte that could
 * have been written differently is an error.  Checks lengths and which field
 * belongs to which call; the callers know what a field means.  Links libc only.
 *
 * The helper starts with the socket on descriptor GC_WIRE_FD, /dev/null on 0-2,
 * nothing else open, an empty environment, real, effective and saved ids 0,
 * default signals, and its own session and process group.  In this order it
 *   1  sets DUMPABLE 0, checks that its ids are 0, reads one request;
 *   2  forks the user's child (gss/worker, no exec) before any secret is read,
 *      which becomes the account's uid, or the caller's for source=ccache;
 *   3  local and cheap first: KDC, verifier (a child of its own: the only one
 *      that opens the host's keytab), mapping child, quota;
 *   4  then reads the vCenter password, writes the intent with host_pid
 *      and host_start, acquires; AUTHENTICATE releases what it acquired;
 *   5  replies once, before DEADLINE, and exits.  End of file on the socket
 *      means that the host died: release, and send no reply.
 * OPTIONS are what the module read from its arguments and the configuration
 * file; the helper does not read that file again.  TRANSACTION, CCNAME and VM
 * are hints from the PAM environment, where others may write: VM is looked up
 * in the map, and TRANSACTION counts only if its login confirms it.  After the
 * deadline the helper's process group is killed.
 */

#ifndef GC_SRC_HELPER_WIRE_H
#define GC_SRC_HELPER_WIRE_H

#include <stdint.h>

#include "src/base/base.h"
#include "src/base/bytes.h"

#define GC_WIRE_FD  3
#define GC_WIRE_MAX (128 * 1024) /* bytes of a message */

#define GC_WIRE_NAME_SIZE        256
#define GC_WIRE_PLACE_SIZE       1024
#define GC_WIRE_PRINCIPAL_SIZE   512
#define GC_WIRE_PASSWORD_SIZE    512  /* PAM_MAX_RESP_SIZE */
#define GC_WIRE_TRANSACTION_SIZE 33   /* 32 hexadecimal digits, lower case */
#define GC_WIRE_OPTION_MAX       4352 /* bytes of one "name=value" */
#define GC_WIRE_OPTION_COUNT     512

typedef enum {
    GC_WIRE_AUTHENTICATE = 1,
    GC_WIRE_ACCOUNT,   /* is the user that TRANSACTION proved this one? */
    GC_WIRE_ESTABLISH, /* a ticket for the session, once per transaction */
    GC_WIRE_DELETE,    /* release it */
    GC_WIRE_OPEN,      /* as ESTABLISH, for hosts that never call setcred */
    GC_WIRE_CLOSE,     /* as DELETE */
} gc_wire_call;

/* What proves the user; AUTHENTICATE alone has one. */
typedef enum {
    GC_WIRE_NO_SOURCE,
    GC_WIRE_PASSWORD,
    GC_WIRE_CCACHE, /* CALLER's, never UID's */
} gc_wire_source;

/* Zero it, then gc_wire_request_init.  Absent: "", 0; CALLER must be set. */
struct gc_wire_request {
    gc_wire_call call;
    gc_wire_source source;
    int64_t caller; /* the host's real uid before it was cleaned */
    int64_t uid;    /* USER's; 0: no such account, so refuse */
    int64_t host_pid;
    int64_t host_start; /* field 22 of /proc/PID/stat */
    int64_t deadline;   /* absolute CLOCK_MONOTONIC milliseconds */
    char user[GC_WIRE_NAME_SIZE];
    char service[GC_WIRE_NAME_SIZE];
    char vm[GC_WIRE_NAME_SIZE];      /* what vm_env or vm_prompt said */
    char ccname[GC_WIRE_PLACE_SIZE]; /* PAM's KRB5CCNAME */
    char transaction[GC_WIRE_TRANSACTION_SIZE];
    char password[GC_WIRE_PASSWORD_SIZE]; /* secret */
    struct gc_bytes options; /* NUL-terminated, one after the other */
};

void gc_wire_request_init(struct gc_wire_request *request, gc_wire_call call);
/* Wipe all of it. */
void gc_wire_request_clear(struct gc_wire_request *request);

/* Add NAME=VALUE.  GC_E_CONFIG where there are too many or it is too long. */
GC_MUST_USE gc_status gc_wire_option_add(struct gc_wire_request *request,
                                         const char *name, const char *value,
                                         struct gc_error *err);

/*
 * The option after BEFORE (NULL: the first), as "name=value", or NULL.
 * Borrowed from REQUEST.
 */
const char *gc_wire_option_next(const struct gc_wire_request *request,
                                const char *before);

/*
 * Write REQUEST as a packet to RET_FRAME (secret).  GC_E_INTERNAL: the other
 * side would refuse it.
 */
GC_MUST_USE gc_status
gc_wire_request_write(const struct gc_wire_request *request,
                      struct gc_bytes *ret_frame, struct gc_error *err);

/* Read a packet.  GC_E_PROTOCOL; the message quotes no input. */
GC_MUST_USE gc_status gc_wire_request_read(const struct gc_bytes *frame,
                                           struct gc_wire_request *ret_request,
                                           struct gc_error *err);

/*
 * With GC_OK: AUTHENTICATE names PRINCIPAL, UID (never 0) and TRANSACTION;
 * ESTABLISH and OPEN COPIES and a TRANSACTION, unless NOTHING was done, for
 * which MESSAGE has the reason.  Otherwise MESSAGE is the cause and none of
 * UID, COPIES and TRANSACTION is there.  No text holds a control character.
 */
struct gc_wire_reply {
    gc_wire_call call; /* the request's */
    gc_status status;
    bool nothing; /* not for this module: no ticket, no failure */
    bool suspect; /* … because the credential may be forged */
    bool expired; /* AUTHENTICATE, denied: the password is right, and too old */
    int64_t uid;  /* 0: none; to which PRINCIPAL was proved to belong */
    char message[GC_ERROR_MESSAGE_SIZE]; /* for the log */
    char hint[GC_ERROR_HINT_SIZE];       /* for the log */
    char fault[GC_FAULT_NAME_SIZE];
    char copies[GC_WIRE_PLACE_SIZE]; /* GUESTCRED_LOGIN to set, a path */
    char transaction[GC_WIRE_TRANSACTION_SIZE];
    char principal[GC_WIRE_PRINCIPAL_SIZE];
    char vm[GC_WIRE_NAME_SIZE]; /* for the log */
    char mech[16];              /* for the log */
};

void gc_wire_reply_init(struct gc_wire_reply *reply, gc_wire_call call);

/* Make REPLY a refusal with ERROR's texts. */
void gc_wire_reply_fail(struct gc_wire_reply *reply,
                        const struct gc_error *error);
/* Copy REPLY's failure to ERR (which may be NULL), its texts escaped again.
 * Returns the status. */
gc_status gc_wire_reply_error(const struct gc_wire_reply *reply,
                              struct gc_error *err);

GC_MUST_USE gc_status gc_wire_reply_write(const struct gc_wire_reply *reply,
                                          struct gc_bytes *ret_frame,
                                          struct gc_error *err);
/* CALL: the request's; a reply to another call is GC_E_PROTOCOL. */
GC_MUST_USE gc_status gc_wire_reply_read(const struct gc_bytes *frame,
                                         gc_wire_call call,
                                         struct gc_wire_reply *ret_reply,
                                         struct gc_error *err);

/*
 * Send FRAME; never blocks, never a SIGPIPE.  GC_E_INTERNAL where the other end
 * is gone or takes no more: it has one packet to take.
 */
GC_MUST_USE gc_status gc_wire_send(int fd, const struct gc_bytes *frame,
                                   struct gc_error *err);

/*
 * Wait for one packet until DEADLINE.  GC_E_UNAVAILABLE: it passed;
 * GC_E_INTERNAL: end of file; GC_E_PROTOCOL: too short, too long, or
 * descriptors came with it (they are closed).
 */
GC_MUST_USE gc_status gc_wire_receive(int fd, int64_t deadline,
                                      struct gc_bytes *ret_frame,
                                      struct gc_error *err);

#endif
