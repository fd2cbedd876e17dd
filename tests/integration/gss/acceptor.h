/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest's half, for real: gss_accept_sec_context, and the exchange between
 * it and an initiator, counted in legs like the calls to a vCenter would be.
 */

#ifndef GC_TESTS_ACCEPTOR_H
#define GC_TESTS_ACCEPTOR_H

#include <gssapi/gssapi.h>

#include "gss/initiator.h"

struct acceptor {
    gss_ctx_id_t context;
    OM_uint32 major, flags;
    gss_OID mech;
    bool delegated;
    char client[256]; /* whom it took us for, once it is done */
};

void acceptor_clear(struct acceptor *acceptor);

/* One step; RET_CHALLENGE is what would travel back, if anything could. */
void acceptor_step(struct acceptor *acceptor, const struct gc_bytes *token,
                   struct gc_bytes *ret_challenge);

/* How an exchange ended.  LEGS counts the tokens that we sent. */
struct outcome {
    gc_status status;
    struct gc_error error;
    int legs;
    bool done;     /* our side, at the end */
    bool accepted; /* theirs */
    struct gc_facts facts;
    OM_uint32 flags; /* as the acceptor saw them */
    bool delegated;
    char client[256];
};

/* Run the whole exchange; the acceptor's success ends it, like a ticket. */
struct outcome acceptor_exchange(struct gc_initiator *initiator,
                                 const struct gc_want *want);

/* The same through an initiator made for the purpose in this process. */
struct outcome acceptor_try(const struct gc_want *want);

/* TEXT as a password that WANT may borrow until the eighth call from here. */
const struct gc_bytes *password(const char *text);

/* Append COUNT tickets for other services, of no use, to the cache NAME. */
void add_others(const char *name, int count);

#endif
