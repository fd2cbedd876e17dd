/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An entry of the ticket store: a guest ticket, or the attempt to get one, and
 * what is left to do about it.  Knows no directory and no network.
 *
 * Legal steps: intent -> gone, ticket, owed, lost; ticket -> owed, gone;
 * owed -> gone; lost -> gone.  Only the writer of an entry may turn its own
 * "lost" into "ticket".
 */

#ifndef GC_SRC_TICKETS_ENTRY_H
#define GC_SRC_TICKETS_ENTRY_H

#include <sys/types.h>

#include "src/tickets/ticket.h"

#define GC_ENTRY_ID_SIZE    33           /* 32 hexadecimal digits, lower case */
#define GC_ENTRY_MAX        (256 * 1024) /* bytes of one entry's file */
#define GC_ENTRY_OWNER_SIZE 100
#define GC_ENTRY_HOST_SIZE  GC_ENTRY_OWNER_SIZE
#define GC_ENTRY_ASKED_SIZE 1024
#define GC_URL_SIZE         512

/* When the guest has surely forgotten, in seconds. */
#define GC_ENTRY_INTENT_S (10 * 60)   /* a half-open handshake */
#define GC_ENTRY_LOST_S   (24 * 3600) /* a ticket that was never used */
#define GC_ENTRY_UNUSED_S (48 * 3600) /* a ticket, from its last use */

typedef enum {
    GC_ENTRY_INTENT, /* a handshake is about to begin, or under way */
    GC_ENTRY_TICKET, /* a ticket to be used */
    GC_ENTRY_OWED,   /* a ticket that must be released */
    GC_ENTRY_LOST, /* Acquire may have reached the guest; no ticket is known */
} gc_entry_state;

struct gc_entry {
    char id[GC_ENTRY_ID_SIZE]; /* "" where it is in no store */
    gc_entry_state state;
    int64_t made, changed, used; /* epoch seconds; the clock may be set back */
    int64_t until;               /* past this the guest has forgotten */
    int64_t tries;               /* releases that failed */
    char owner[GC_ENTRY_OWNER_SIZE]; /* INTENT: PID.START.BOOT.PIDNS */
    char login[GC_ENTRY_ID_SIZE];    /* a login's transaction, or "" */
    int64_t uid;                     /* of a login's user */
    char host[GC_ENTRY_HOST_SIZE];   /* a login's host process, or "" */
    char url[GC_URL_SIZE];           /* the vCenter's */
    char asked[GC_ENTRY_ASKED_SIZE]; /* the reference the VM was asked by */
    struct gc_ticket ticket;         /* secret; INTENT and LOST: no string */
};

void gc_entry_clear(struct gc_entry *entry);
/* Replace *DST, wiping what it held; SRC is left empty. */
void gc_entry_move(struct gc_entry *dst, struct gc_entry *src);

/* Owned entries; declare it GC_AUTO. */
struct gc_entries {
    struct gc_entry *items;
    size_t count;
};

void gc_entries_clear(struct gc_entries *entries);
/* Append *TAKE_ENTRY, which is left empty. */
GC_MUST_USE gc_status gc_entries_add(struct gc_entries *entries,
                                     struct gc_entry *take_entry,
                                     struct gc_error *err);

/*
 * The text form without the id, and back; the text is hostile.  Both check that
 * url and vm are there, a ticket where the state has one and nowhere else, and
 * that numbers are in their bounds: GC_E_INTERNAL, GC_E_PROTOCOL.
 */
GC_MUST_USE gc_status gc_entry_write(const struct gc_entry *entry,
                                     struct gc_bytes *ret_text,
                                     struct gc_error *err);
GC_MUST_USE gc_status gc_entry_read(const struct gc_bytes *text,
                                    struct gc_entry *ret_entry,
                                    struct gc_error *err);

/* Is TEXT an id: 32 hexadecimal digits, lower case? */
bool gc_entry_id_is(const char *text);

/*
 * What a ticket must agree in to serve another request.  MECH is what is
 * negotiated: kerberos or ntlm.  VCENTER "", in the key or the entry, agrees
 * with any of the same URL.
 */
struct gc_ticket_key {
    const char *url, *vcenter, *vm, *principal, *target;
    gc_mech mech;
    bool mutual;
};

/* Is ENTRY a "ticket" that agrees with KEY? */
bool gc_entry_matches(const struct gc_entry *entry,
                      const struct gc_ticket_key *key);

/* Do A and B hold the same ticket: same VM, same string? */
bool gc_entry_same_ticket(const struct gc_entry *a, const struct gc_entry *b);

#endif
