/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record: whatever stands in a store's file is refused, or is a ticket or a
 * session that is written back and read again as the same.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/store/record.h"

static void
check_refusal(gc_status st, const struct gc_error *err)
{
    fuzz_check(st == GC_E_PROTOCOL && err->status == st
                   && err->message[0] != '\0',
               "refused for a reason");
}

static void
check_ticket(const struct gc_bytes *text)
{
    GC_AUTO(gc_record) record = {0}, again = {0};
    GC_AUTO(gc_bytes) first = {0}, second = {0};
    struct gc_store_key key;
    struct gc_error err = {0};
    gc_status st = gc_record_read(text, &record, &err);

    if (st != GC_OK) {
        check_refusal(st, &err);
        fuzz_check(record.url[0] == '\0' && record.ticket.ticket.len == 0,
                   "refused leaves nothing behind");
        return;
    }
    fuzz_check(record.url[0] != '\0' && record.ticket.vm[0] != '\0'
                   && record.ticket.ticket.len > 0,
               "a record says where, in what and what");
    st = gc_record_write(&record, &first, &err);
    /* Escaping may make it longer than a record can be. */
    if (st == GC_E_FAILED)
        return;
    fuzz_check(st == GC_OK, "what was read can be written");
    fuzz_check(gc_record_read(&first, &again, NULL) == GC_OK, "and read");
    fuzz_check(gc_record_write(&again, &second, NULL) == GC_OK
                   && first.len == second.len
                   && memcmp(first.data, second.data, first.len) == 0,
               "as the same");
    key = (struct gc_store_key){again.url,           again.ticket.vcenter,
                                again.ticket.vm,     again.ticket.principal,
                                again.ticket.target, again.ticket.mech,
                                again.ticket.mutual};
    fuzz_check(gc_record_matches(&record, &key), "of the same key");
}

static void
check_session(const struct gc_bytes *text)
{
    GC_AUTO(gc_session_record) record = {0}, again = {0};
    GC_AUTO(gc_bytes) first = {0}, second = {0};
    struct gc_error err = {0};
    gc_status st = gc_session_record_read(text, &record, &err);

    if (st != GC_OK) {
        check_refusal(st, &err);
        fuzz_check(record.url[0] == '\0' && record.id.len == 0,
                   "refused leaves nothing behind");
        return;
    }
    fuzz_check(record.url[0] != '\0' && record.username[0] != '\0',
               "a session has a server and a user");
    fuzz_check(gc_session_record_write(&record, &first, NULL) == GC_OK,
               "what was read can be written");
    fuzz_check(gc_session_record_read(&first, &again, NULL) == GC_OK,
               "and read");
    fuzz_check(gc_session_record_write(&again, &second, NULL) == GC_OK
                   && first.len == second.len
                   && memcmp(first.data, second.data, first.len) == 0,
               "as the same");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_bytes) text = {0};

    fuzz_check(gc_bytes_set(&text, data, size, NULL) == GC_OK, "memory");
    check_ticket(&text);
    check_session(&text);
    return 0;
}
