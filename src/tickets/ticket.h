/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest ticket: the TicketedSessionAuthentication that a guest issued and
 * what we know of it.
 *
 * Two endings, never confused: gc_ticket_clear forgets it (memory), releasing
 * it ends the session in the guest.  Links libc and nothing else.
 */

#ifndef GC_SRC_TICKETS_TICKET_H
#define GC_SRC_TICKETS_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "gss/initiator.h"
#include "src/base/bytes.h"
#include "src/vim/exchange.h"

#define GC_TICKET_LEGS_MAX  999
#define GC_TICKET_VM_SIZE   128
#define GC_TICKET_NAME_SIZE 512
#define GC_TICKET_UUID_SIZE 64
#define GC_TICKET_TIME_SIZE 32 /* "2026-01-02T03:04:05Z" and to spare */

struct gc_ticket {
    char vm[GC_TICKET_VM_SIZE];        /* moId */
    char name[GC_TICKET_NAME_SIZE];    /* inventory name, or "" if not known */
    char vcenter[GC_TICKET_UUID_SIZE]; /* about.instanceUuid, or "" */
    char principal[GC_PRINCIPAL_SIZE];
    char target[GC_TARGET_SIZE];
    gc_mech mech;
    bool mutual;
    int64_t legs;
    int64_t acquired;       /* seconds since the epoch, UTC */
    struct gc_bytes ticket; /* secret */
};

void gc_ticket_clear(struct gc_ticket *ticket);

/* Replace *DST, wiping what it held; SRC is left empty. */
void gc_ticket_move(struct gc_ticket *dst, struct gc_ticket *src);

/* SECONDS as RFC 3339 in UTC, and back; false for anything else. */
void gc_ticket_time_print(int64_t seconds, char dst[GC_TICKET_TIME_SIZE]);
bool gc_ticket_time_parse(const char *text, int64_t *ret_seconds);

#endif
