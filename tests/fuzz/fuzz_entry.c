/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entry: whatever stands in the ledger's directory is refused, or is an entry
 * that is written back and read again as the same.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/ledger.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_entry) entry = {0}, again = {0};
    GC_AUTO(gc_bytes) text = {0}, first = {0}, second = {0};
    struct gc_error err = {0};
    gc_status st;

    fuzz_check(gc_bytes_set(&text, data, size, NULL) == GC_OK, "memory");
    st = gc_entry_read(&text, &entry, &err);
    if (st != GC_OK) {
        fuzz_check(st == GC_E_PROTOCOL && err.status == st
                       && err.message[0] != '\0',
                   "refused for a reason");
        fuzz_check(entry.url[0] == '\0' && entry.ticket.ticket.len == 0,
                   "refused leaves nothing behind");
        return 0;
    }
    fuzz_check(entry.id[0] == '\0', "its name is not its own to say");
    fuzz_check(entry.url[0] != '\0' && entry.ticket.vm[0] != '\0',
               "an entry says where and in what");
    fuzz_check((entry.ticket.ticket.len > 0) == (entry.state >= GC_OWED_TICKET),
               "an intent has no ticket, lost or not, and all others have");
    fuzz_check(entry.process.pid >= 0 && entry.tries >= 0 && entry.written >= 0
                   && strlen(entry.process.boot_id) <= 36,
               "numbers in their bounds");
    fuzz_check(entry.transaction[0] == '\0'
                   || gc_entry_transaction_ok(entry.transaction),
               "a login is called as logins are");
    st = gc_entry_write(&entry, &first, &err);
    /* Escaping may make it longer than an entry can be. */
    if (st == GC_E_FAILED)
        return 0;
    fuzz_check(st == GC_OK, "what was read can be written");
    fuzz_check(gc_entry_read(&first, &again, NULL) == GC_OK, "and read");
    fuzz_check(gc_entry_write(&again, &second, NULL) == GC_OK
                   && first.len == second.len
                   && memcmp(first.data, second.data, first.len) == 0,
               "as the same");
    return 0;
}
