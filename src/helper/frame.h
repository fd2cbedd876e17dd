/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The messages between a worker and its owner: each is one packet with a head
 * and a body.  Both ends are the same program, but may run as different users,
 * so the receiver checks everything.
 */

#ifndef GC_SRC_HELPER_FRAME_H
#define GC_SRC_HELPER_FRAME_H

#include <stdint.h>

#include "gss/initiator.h"
#include "src/base/base.h"
#include "src/base/bytes.h"

typedef enum {
    GC_FRAME_BEGIN = 1, /* body: struct gc_want */
    GC_FRAME_ANSWER,    /* body: the challenge */
    GC_FRAME_END,       /* no body, no reply */
    GC_FRAME_WHO,       /* body: struct gc_want; the reply has no token */
    GC_FRAME_EXPORT,    /* no body; the reply's is the credential, bare */
    GC_FRAME_LEND,      /* body: a credential; the reply has none */
} gc_frame_op;

/* A reply echoes OP; the codes are 0 in a request. */
struct gc_frame_head {
    uint32_t op;
    uint32_t status; /* gc_status */
    uint32_t gss_major, gss_minor;
    uint32_t again;
    uint32_t len; /* of the body */
};

/* The body of a reply that failed. */
struct gc_frame_failure {
    char fault[GC_FAULT_NAME_SIZE];
    char message[GC_ERROR_MESSAGE_SIZE];
    char hint[GC_ERROR_HINT_SIZE];
};

/* The body of a successful reply, before the token.  No bool: a hostile byte in
 * one is undefined behaviour. */
struct gc_frame_said {
    uint32_t done, mech, mutual, flags;
    char principal[GC_PRINCIPAL_SIZE];
    char target[GC_TARGET_SIZE];
};

#define GC_FRAME_BODY_MAX (sizeof(struct gc_frame_said) + GC_TOKEN_MAX)

/* One or two pieces of a body, sent as one. */
struct gc_frame_body {
    const void *first, *second;
    size_t first_len, second_len;
};

/* FLAGS as sendmsg takes them; never a SIGPIPE.  False: errno says why. */
GC_MUST_USE bool gc_frame_send(int fd, int flags, struct gc_frame_head head,
                               const struct gc_frame_body *body);

/* The reply to OP that it failed with ST. */
GC_MUST_USE bool gc_frame_send_failure(int fd, uint32_t op, gc_status st,
                                       const struct gc_error *failed);

/*
 * Read one packet: its head, and its body (secret) in RET_BODY.  False where
 * there is none (end of file), or where it is not what its head says it is.
 */
GC_MUST_USE bool gc_frame_receive(int fd, struct gc_frame_head *ret_head,
                                  struct gc_bytes *ret_body);

#endif
