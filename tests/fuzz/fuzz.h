/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a fuzz target is: one function that takes any bytes and must come back.
 * libFuzzer calls it, or main.c with the files of a corpus.
 */

#ifndef GC_TESTS_FUZZ_FUZZ_H
#define GC_TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A promise that no input may break; unlike assert it is never compiled out. */
static inline void
fuzz_check(bool kept, const char *promise)
{
    if (kept)
        return;
    (void)fprintf(stderr, "broken promise: %s\n", promise);
    abort();
}

#endif
