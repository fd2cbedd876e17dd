/* SPDX-License-Identifier: Apache-2.0 */
/* A user's cache file: the records lie within the bytes, one after the other.
 */
#include <config.h>

#include <stdlib.h>

#include "gss/ccache_file.h"
#include "tests/fuzz/fuzz.h"

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct gc_spn target = {.service = "host",
                                         .host = "guest1.example.test"};
    struct gc_ccache_file file = {.krb5 = NULL};
    struct gc_ccache cache = {NULL, NULL, NULL};

    if (gc_bytes_set(&file.bytes, data, size, NULL) == GC_OK
        && gc_ccache_file_parse(&file)) {
        if (file.head > size)
            abort();
        (void)!gc_ccache_file_select(&file, &target, &cache);
        gc_ccache_clear(&cache);
    }
    gc_ccache_file_clear(&file);
    return 0;
}
