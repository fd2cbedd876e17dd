/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ticket: a record from a file or a pipe is refused, or is written back and
 * read again as the same ticket.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/tickets/ticket_json.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_ticket) ticket = {0}, again = {0};
    GC_AUTO(gc_bytes) first = {0}, second = {0};
    gc_status st = gc_ticket_from_json(data, size, &ticket, NULL);

    fuzz_check(st == GC_OK || st == GC_E_PROTOCOL, "good or bad");
    if (st != GC_OK) {
        fuzz_check(ticket.ticket.len == 0 && ticket.vm[0] == '\0',
                   "refused leaves nothing behind");
        return 0;
    }
    fuzz_check(ticket.ticket.len > 0 && ticket.ticket.len <= GC_TICKET_MAX,
               "a ticket has a length");
    fuzz_check(ticket.vm[0] != '\0', "and a VM");
    fuzz_check(gc_ticket_to_json(&ticket, &first, NULL) == GC_OK,
               "what was read can be written");
    fuzz_check(gc_ticket_from_json(first.data, first.len, &again, NULL)
                   == GC_OK,
               "and read again");
    fuzz_check(gc_ticket_to_json(&again, &second, NULL) == GC_OK
                   && first.len == second.len
                   && memcmp(first.data, second.data, first.len) == 0,
               "as the same");
    fuzz_check(ticket.acquired == again.acquired && ticket.legs == again.legs
                   && ticket.mech == again.mech
                   && ticket.mutual == again.mutual,
               "in all that is not text");
    return 0;
}
