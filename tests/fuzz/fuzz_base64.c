/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64: what is taken is exactly what would have been written, and bytes
 * survive the way there and back.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/base64.h"

#define BYTES_MAX 4096

static void
check_text(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_bytes) text = {0}, bytes = {0}, again = {0};

    fuzz_check(gc_bytes_set(&text, data, size, NULL) == GC_OK, "memory");
    if (gc_base64_decode(gc_bytes_text(&text), BYTES_MAX, &bytes, NULL)
        != GC_OK) {
        fuzz_check(bytes.len == 0, "refused leaves nothing behind");
        return;
    }
    fuzz_check(bytes.len <= BYTES_MAX, "the limit holds");
    fuzz_check(gc_base64_encode(&bytes, &again, NULL) == GC_OK
                   && strcmp(gc_bytes_text(&again), gc_bytes_text(&text)) == 0,
               "there is one way to write it");
}

static void
check_bytes(const uint8_t *data, size_t size)
{
    GC_AUTO(gc_bytes) bytes = {0}, text = {0}, again = {0};

    fuzz_check(gc_bytes_set(&bytes, data, size, NULL) == GC_OK, "memory");
    fuzz_check(gc_base64_encode(&bytes, &text, NULL) == GC_OK
                   && text.len == (size + 2) / 3 * 4
                   && strlen(gc_bytes_text(&text)) == text.len,
               "all bytes have a text");
    fuzz_check(
        gc_base64_decode(gc_bytes_text(&text), size, &again, NULL) == GC_OK
            && again.len == size
            && memcmp(gc_bytes_text(&again), gc_bytes_text(&bytes), size) == 0,
        "which leads back to them");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_text(data, size);
    check_bytes(data, size);
    return 0;
}
