/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the facade share: tickets, acquire and sweep.
 */

#ifndef GC_SRC_TICKETS_FACADE_H
#define GC_SRC_TICKETS_FACADE_H

#include "src/tickets/retry.h"
#include "src/tickets/tickets.h"

/* A line to the log of TICKETS. */
void gc_tickets_say(const struct gc_tickets *tickets, const char *fmt, ...)
    GC_PRINTF(2, 3);
/* Log what the store could not do; it stops nothing. */
void gc_tickets_say_store(const struct gc_tickets *tickets, gc_status st,
                          const struct gc_error *why);

struct gc_guest_about gc_tickets_about(const struct gc_tickets *tickets);
/* Is VCENTER another one than the vCenter that we speak to? */
bool gc_tickets_is_foreign(const struct gc_tickets *tickets,
                           const char *vcenter);

/*
 * Write down that ENTRY's ticket is owed, release it, and note what came of
 * it.  RET_OWED: it stays written down.  A store that cannot be written must
 * not keep a ticket alive.
 */
GC_MUST_USE gc_status gc_tickets_end(const struct gc_tickets *tickets,
                                     struct gc_entry *entry,
                                     struct gc_limit limit,
                                     enum gc_released *ret_how, bool *ret_owed,
                                     struct gc_error *err);

/* The retries of one call of the facade. */
struct gc_retry gc_tickets_retry(const struct gc_tickets *tickets,
                                 struct gc_limit limit);

#endif
