/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tickets_entry: whatever stands in a store's directory is refused, or is an
 * entry that is written back and read again as the same.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/base/owner.h"
#include "src/tickets/entry.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) again = {0};
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_bytes) first = {0};
    GC_AUTO(gc_bytes) second = {0};
    struct gc_error err = {0};
    bool holds;
    gc_status st;

    fuzz_check(gc_bytes_set(&text, data, size, NULL) == GC_OK, "memory");
    st = gc_entry_read(&text, &entry, &err);
    if (st != GC_OK) {
        fuzz_check(st == GC_E_PROTOCOL && err.status == st
                       && err.message[0] != '\0',
                   "refused for a reason");
        fuzz_check(entry.url[0] == '\0' && entry.ticket.ticket.data == NULL,
                   "refused leaves nothing behind");
        return 0;
    }
    holds = entry.state == GC_ENTRY_TICKET || entry.state == GC_ENTRY_OWED;
    fuzz_check(entry.id[0] == '\0', "its name is not its own to say");
    fuzz_check(entry.url[0] != '\0' && entry.ticket.vm[0] != '\0',
               "an entry says where and in what");
    fuzz_check(holds == (entry.ticket.ticket.len > 0),
               "a ticket where there is one, and nowhere else");
    fuzz_check(strlen(gc_bytes_text(&entry.ticket.ticket))
                       == entry.ticket.ticket.len
                   && entry.ticket.ticket.len <= GC_TICKET_MAX,
               "a ticket is a text");
    fuzz_check(entry.made >= 0 && entry.changed >= 0 && entry.used >= 0
                   && entry.tries >= 0 && entry.uid >= 0
                   && entry.until + GC_ENTRY_UNUSED_S > entry.until,
               "numbers in their bounds");
    fuzz_check(entry.login[0] == '\0' || gc_entry_id_is(entry.login),
               "a login is called as logins are");
    (void)gc_owner_is_dead(entry.owner);
    st = gc_entry_write(&entry, &first, &err);
    fuzz_check(st == GC_OK, "what was read can be written");
    fuzz_check(gc_entry_read(&first, &again, NULL) == GC_OK, "and read");
    fuzz_check(!holds || gc_entry_same_ticket(&entry, &again),
               "with its ticket");
    fuzz_check(gc_entry_write(&again, &second, NULL) == GC_OK
                   && gc_bytes_equal(&first, &second),
               "as the same");
    return 0;
}
