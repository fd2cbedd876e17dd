/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One handshake with a guest, as both sides of the seam know it.  Links libc
 * and nothing else.
 */

#ifndef GC_SRC_VIM_EXCHANGE_H
#define GC_SRC_VIM_EXCHANGE_H

#include "src/base/bytes.h"
#include "src/base/clock.h"

#define GC_EXCHANGE_ID_SIZE 21          /* the digits of a 64-bit integer */
#define GC_TICKET_MAX       (32 * 1024) /* bytes of a guest ticket's string */

struct gc_session;

/* Zero it, set VM and LIMIT; then legs. */
struct gc_exchange {
    struct gc_session *session; /* src/vim's own, borrowed; NULL elsewhere */
    const char *vm;             /* moId, borrowed */
    struct gc_limit limit;
    int legs;                             /* calls made so far */
    char session_id[GC_EXCHANGE_ID_SIZE]; /* "" before the first challenge */
    /*
     * Secret: the ticket of a reply that was refused, where releasing it failed
     * too.  It lives on in the guest; whoever can write it down must.
     */
    struct gc_bytes owed;
    bool lost; /* the guest may have issued a ticket that cannot be named */
    /* Told of each leg in a line without secrets; may be NULL. */
    void (*tell)(void *user, const char *line);
    void *tell_user;
};

static inline void
gc_exchange_clear(struct gc_exchange *exchange)
{
    gc_bytes_clear(&exchange->owed);
}

enum gc_leg { GC_LEG_TICKET, GC_LEG_CHALLENGE };

/* Why there was nothing left to release. */
enum gc_released {
    GC_RELEASED,         /* 204 */
    GC_RELEASED_OFF,     /* InvalidPowerState, existingState poweredOff */
    GC_RELEASED_NO_VM,   /* ManagedObjectNotFound for this VM */
    GC_RELEASED_UNKNOWN, /* InvalidGuestLogin: the guest knows no such ticket */
};

#endif
