/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest ticket: the TicketedSessionAuthentication that a guest issued and
 * what we know of it.
 *
 * Two endings, never confused: gc_ticket_clear forgets it (memory), releasing
 * it ends the session in the guest (client).  Knows no store and no network.
 */

#ifndef GC_SRC_TICKET_H
#define GC_SRC_TICKET_H

#include <stdbool.h>
#include <stdint.h>

#include "gss/initiator.h"
#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/json.h"

#define GC_TICKET_MAX       (64 * 1024) /* bytes of the ticket string */
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
    int legs;
    int64_t acquired;       /* seconds since the epoch, UTC */
    struct gc_bytes ticket; /* secret */
};

void gc_ticket_clear(struct gc_ticket *ticket);

/* Replace *DST, wiping what it held; SRC is left empty. */
void gc_ticket_move(struct gc_ticket *dst, struct gc_ticket *src);

/* SECONDS as RFC 3339 in UTC, and back; false for anything else. */
void gc_ticket_time_print(int64_t seconds, char dst[GC_TICKET_TIME_SIZE]);
bool gc_ticket_time_parse(const char *text, int64_t *ret_seconds);

/*
 * Add TICKET's members to OBJECT in the order of the contract ("vm" …); the
 * secret "authentication" only if WITH_SECRET.
 */
void gc_ticket_write(const struct gc_ticket *ticket, bool with_secret,
                     struct gc_json *object);

/*
 * Read one ticket object as gc_ticket_write wrote it, secret included.
 * GC_E_PROTOCOL says which member is missing or wrong, and quotes none.
 */
GC_MUST_USE gc_status gc_ticket_read(const struct gc_json *object,
                                     struct gc_ticket *ret_ticket,
                                     struct gc_error *err);

/*
 * The same from and to a whole text, {"version":1,…}.  RET_* are replaced.
 */
GC_MUST_USE gc_status gc_ticket_from_json(const void *text, size_t len,
                                          struct gc_ticket *ret_ticket,
                                          struct gc_error *err);
GC_MUST_USE gc_status gc_ticket_to_json(const struct gc_ticket *ticket,
                                        struct gc_bytes *ret_text,
                                        struct gc_error *err);

/* {"_typeName":"TicketedSessionAuthentication",…} under KEY: a call's `auth`.
 */
void gc_ticket_write_auth(struct gc_json *parent, const char *key,
                          const struct gc_bytes *ticket);

#endif
