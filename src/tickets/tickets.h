/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facade: a ticket's way through life.  Found in the store or acquired,
 * validated, released, swept.  Retries, the second login and the promise that
 * no error path leaves a ticket behind in a guest live here.
 *
 * Stands on three seams: the initiator (gss/initiator.h), the guest
 * (src/tickets/guest.h) and the store.  Knows no option, prints nothing, and
 * links libc and nothing else.
 */

#ifndef GC_SRC_TICKETS_TICKETS_H
#define GC_SRC_TICKETS_TICKETS_H

#include "gss/initiator.h"
#include "src/tickets/guest.h"
#include "src/tickets/store.h"

/* After a failure, and for goodbyes: this much longer than the deadline. */
#define GC_TICKETS_GRACE_MS 3000

/* A stored ticket that was not used for so long is believed dead: the guest
 * forgets tickets after 24 h without use. */
#define GC_TICKETS_IDLE_S (23 * 3600 + 1800)

/* A login whose tickets these are, for root's store. */
struct gc_tickets_login {
    const char *login; /* its transaction */
    int64_t uid;       /* its user's */
    const char *host;  /* its host process */
};

/* All borrowed. */
struct gc_tickets {
    struct gc_guest *guest;
    struct gc_initiator *initiator; /* for gc_tickets_acquire */
    struct gc_store *store;         /* NULL: nothing is kept */
    /* A login's copies (GC_STORE_LOGIN), looked at after STORE, or NULL. */
    struct gc_store *copies;
    /* Not NULL: tickets are this login's alone, and no stored one is used. */
    const struct gc_tickets_login *login;
    /* Set where a release failed and is owed: not to be tried again at once.
     * Or NULL. */
    bool *owes;
    /* Told what is being done, a line at a time; never a secret.  Or NULL. */
    void (*log)(void *user, const char *line);
    void *log_user;
};

/*
 * Resolve REF.  TARGET is an SPN that may hold "{vm}": the VM's inventory name
 * is put there, and the SPN comes back as gc_spn_print writes it, in the same
 * GC_TARGET_SIZE bytes.  TARGET may be NULL.  A moId and an SPN without "{vm}"
 * cost no request.
 */
GC_MUST_USE gc_status gc_tickets_locate(const struct gc_tickets *tickets,
                                        const char *ref, struct gc_limit limit,
                                        char *target,
                                        struct gc_place *ret_place,
                                        struct gc_error *err);

struct gc_tickets_request {
    const char *ref;            /* which VM */
    const struct gc_want *want; /* its target may hold "{vm}" */
    bool fresh; /* use no stored ticket; the one replaced is released */
    bool trust; /* take a stored ticket that looks fresh without asking */
};

/*
 * A ticket for REQUEST: a stored one that agrees in all that gc_ticket_key
 * names and that the guest still takes (RET_REUSED), or a new one.  The
 * credential is tried before vCenter is asked anything for a new one.  Passing
 * causes are tried again with a fresh context; LIMIT bounds everything.
 * RET_ENTRY holds a live ticket only when GC_OK is returned; its id is "" where
 * it is in no store.
 *
 * After GC_OK the exchange that led to the ticket is still the initiator's: its
 * owner ends or frees it.
 */
GC_MUST_USE gc_status gc_tickets_acquire(
    const struct gc_tickets *tickets, const struct gc_tickets_request *request,
    struct gc_limit limit, struct gc_entry *ret_entry, bool *ret_reused,
    struct gc_error *err);

/*
 * May ENTRY's ticket be shown to this vCenter?  GC_E_CONFIG: it is from
 * another.  Logs in where that is due.
 */
GC_MUST_USE gc_status gc_tickets_reach(const struct gc_tickets *tickets,
                                       const struct gc_entry *entry,
                                       struct gc_limit limit,
                                       struct gc_error *err);

/* An operation of the guest took ENTRY's ticket, or REFUSED it: the store and
 * ENTRY learn that. */
void gc_tickets_note(const struct gc_tickets *tickets, struct gc_entry *entry,
                     bool refused);

/*
 * Does the guest still take ENTRY's ticket?  GC_E_DENIED: it does not, and the
 * store has forgotten it.  Here and in gc_tickets_release ENTRY is the store's,
 * one of the copies, or in no store (id "").
 */
GC_MUST_USE gc_status gc_tickets_validate(const struct gc_tickets *tickets,
                                          struct gc_entry *entry,
                                          struct gc_limit limit,
                                          struct gc_error *err);

/*
 * End ENTRY's ticket in the guest, and forget it.  GC_OK also when it is gone
 * already: RET_HOW.  What could not be released now is owed, if it could be
 * written down: ERR's hint tells.
 */
GC_MUST_USE gc_status gc_tickets_release(const struct gc_tickets *tickets,
                                         struct gc_entry *entry,
                                         struct gc_limit limit,
                                         enum gc_released *ret_how,
                                         struct gc_error *err);

/* What a store holds, and what a sweep did about it. */
struct gc_tickets_tally {
    int released;  /* ended in the guest just now */
    int gone;      /* the guest had forgotten them already */
    int needed;    /* tickets to be used, and handshakes under way */
    int lost;      /* handshakes whose ticket, if any, cannot be named */
    int owed;      /* still to be released */
    int elsewhere; /* the same, at another vCenter */
};

/*
 * Tidy STORE and count, without any network: all that is owed is OWED.
 * GC_E_BUSY: a held lock kept it from being tidied, and TALLY counts what is
 * there all the same.
 */
GC_MUST_USE gc_status gc_tickets_count(struct gc_store *store,
                                       struct gc_tickets_tally *tally,
                                       struct gc_error *err);

/*
 * Settle what the store owes to this vCenter, and count into TALLY.  The
 * entries that were tried least come first, a guest is given 5 s, and after the
 * second try an entry rests, 1 min doubling to 1 h.  GC_OK if nothing failed;
 * else the first failure, or GC_E_BUSY as above.  Nothing due: nothing is sent.
 */
GC_MUST_USE gc_status gc_tickets_sweep(const struct gc_tickets *tickets,
                                       struct gc_limit limit,
                                       struct gc_tickets_tally *tally,
                                       struct gc_error *err);

#endif
