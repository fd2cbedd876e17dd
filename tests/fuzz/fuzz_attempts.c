/* SPDX-License-Identifier: Apache-2.0 */
/*
 * attempts: whatever stands where the quota keeps its count is refused, or is
 * one that is written back and read again as the same.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/helper/attempts.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct gc_attempt attempts[GC_ATTEMPTS_MAX], again[GC_ATTEMPTS_MAX];
    GC_AUTO(gc_bytes) text = {0}, first = {0}, second = {0};
    size_t count = GC_ATTEMPTS_MAX + 1, same = 0;
    struct gc_error err = {0};
    gc_status st;

    fuzz_check(gc_bytes_set(&text, data, size, NULL) == GC_OK, "memory");
    st = gc_attempts_read(&text, attempts, &count, &err);
    if (st != GC_OK) {
        fuzz_check(st == GC_E_PROTOCOL && err.status == st
                       && err.message[0] != '\0',
                   "refused for a reason");
        fuzz_check(count == GC_ATTEMPTS_MAX + 1, "refused counts nothing");
        return 0;
    }
    fuzz_check(count <= GC_ATTEMPTS_MAX, "no more than there is room for");
    for (size_t i = 0; i < count; i++)
        fuzz_check(attempts[i].time >= 0 && attempts[i].process.pid >= 0
                       && memchr(attempts[i].id, '\0', sizeof(attempts[i].id)),
                   "numbers and texts in their bounds");
    /* An old process is written in full. */
    st = gc_attempts_write(attempts, count, &first, NULL);
    if (st == GC_E_BUSY && size > GC_ATTEMPTS_TEXT_MAX / 2)
        return 0;
    fuzz_check(st == GC_OK, "what was read can be written");
    fuzz_check(gc_attempts_read(&first, again, &same, NULL) == GC_OK
                   && same == count,
               "and read");
    fuzz_check(gc_attempts_write(again, same, &second, NULL) == GC_OK
                   && first.len == second.len
                   && memcmp(first.data, second.data, first.len) == 0,
               "as the same");
    return 0;
}
