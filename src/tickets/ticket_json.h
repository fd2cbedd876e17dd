/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket as JSON: what acquire --json prints and --ticket-file reads, and the
 * authentication of a guest operation.
 */

#ifndef GC_SRC_TICKETS_TICKET_JSON_H
#define GC_SRC_TICKETS_TICKET_JSON_H

#include "src/json.h"
#include "src/tickets/ticket.h"

/*
 * Add TICKET's members to OBJECT in the order of the contract ("vm" ...); the
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

/* The same from and to a whole text, {"version":1,...}.  RET_* are replaced. */
GC_MUST_USE gc_status gc_ticket_from_json(const void *text, size_t len,
                                          struct gc_ticket *ret_ticket,
                                          struct gc_error *err);
GC_MUST_USE gc_status gc_ticket_to_json(const struct gc_ticket *ticket,
                                        struct gc_bytes *ret_text,
                                        struct gc_error *err);

#endif
