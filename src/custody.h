/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket's way through life: found in the store or acquired, written ahead in
 * the ledger, kept, released, swept.
 *
 * Puts store, ledger and client together; knows no option, prints nothing.
 */

#ifndef GC_SRC_CUSTODY_H
#define GC_SRC_CUSTODY_H

#include "src/client.h"
#include "src/ledger.h"
#include "src/store/store.h"

/* All borrowed.  STORE and LEDGER may be NULL: nothing kept, nothing written.
 */
struct gc_custody {
    struct gc_client *client;
    struct gc_store *store;
    struct gc_ledger *ledger;
    uid_t uid; /* for whom */
    /* With no STORE: where else the ticket will be kept, for the ledger; or
     * NULL. */
    const char *elsewhere;
};

struct gc_custody_request {
    const char *ref; /* which VM; see gc_inventory_find */
    bool fresh;      /* use no stored ticket; the one replaced is released */
    bool trust;      /* take a stored ticket that looks fresh without asking */
};

/*
 * A ticket for REQUEST and WANT (whose target may hold "{vm}"): a stored one
 * that agrees in all that decision 16 names and that the guest still takes, or
 * a new one.  A stored ticket older than this, unused, is believed dead: the
 * guest forgets tickets after 24 h without use (vi-json §7.5).  Whatever is
 * returned, INITIATOR's owner ends or frees it then.
 */
#define GC_CUSTODY_IDLE_S (23 * 3600 + 1800)

GC_MUST_USE gc_status gc_custody_acquire(
    const struct gc_custody *custody, struct gc_initiator *initiator,
    const struct gc_custody_request *request, const struct gc_want *want,
    struct gc_limit limit, struct gc_record *ret_record, struct gc_error *err);

/*
 * Does the guest still take RECORD's ticket?  Its time of use is written; one
 * that is refused (GC_E_DENIED) is forgotten in store and ledger.
 */
GC_MUST_USE gc_status gc_custody_validate(const struct gc_custody *custody,
                                          struct gc_record *record,
                                          struct gc_limit limit,
                                          struct gc_error *err);

/*
 * End RECORD's ticket in the guest, and forget it.  What could not be released
 * now is owed: the store forgets it, the ledger keeps it.  Where it could not
 * even be written down as owed the store keeps it; ERR's hint tells which.
 */
GC_MUST_USE gc_status gc_custody_release(const struct gc_custody *custody,
                                         const struct gc_record *record,
                                         struct gc_limit limit,
                                         enum gc_released *ret_how,
                                         struct gc_error *err);

/* What a sweep did. */
struct gc_custody_tally {
    int released;  /* ended in the guest just now */
    int gone;      /* the guest had forgotten them already */
    int abandoned; /* handshakes of dead processes: by now they are lost */
    int lost;      /* known to be lost, for less than GC_LEDGER_LOST_S */
    int needed;    /* somebody still needs them */
    int elsewhere; /* another vCenter's, user's or machine's */
    int owed;      /* could not be released now */
};

/*
 * Settle what LEDGER owes to this client's vCenter and nobody needs any more,
 * and add what was done to TALLY.  GC_OK if nothing stays owed here; else the
 * first failure.  One guest is given 5 s, those that were tried least come
 * first, and what gets no time is left as it is.  GC_E_BUSY, after a moment,
 * where another process holds the ledger's lock: then all of it stays.
 */
GC_MUST_USE gc_status gc_custody_sweep(const struct gc_custody *custody,
                                       struct gc_limit limit,
                                       struct gc_custody_tally *tally,
                                       struct gc_error *err);

#endif
