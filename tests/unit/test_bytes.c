/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Secret bytes: what is asked for is there, and nothing stays behind.  Linked
 * with --wrap=free, so that every block is seen as it goes.
 */
#include <config.h>

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include "src/base/bytes.h"

/* The block to watch, and how many of its bytes were not wiped when it went. */
static const unsigned char *watched;
static size_t watched_len, dirty;
static int freed;

void __real_free(void *p);
void __wrap_free(void *p);

void
__wrap_free(void *p)
{
    if (p != NULL && p == watched) {
        freed++;
        for (size_t i = 0; i < watched_len; i++)
            dirty += watched[i] != 0;
        watched = NULL;
    }
    __real_free(p);
}

static void
watch(const struct gc_bytes *b)
{
    watched = b->data;
    watched_len = b->cap;
    dirty = 0;
    freed = 0;
}

static void
set_copies_and_ends_with_nul(void **state)
{
    struct gc_bytes b = {0};

    (void)state;
    assert_string_equal(gc_bytes_text(&b), "");
    assert_int_equal(gc_bytes_set(&b, "secret\0more", 11, NULL), GC_OK);
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.data, "secret\0more", 12);
    assert_string_equal(gc_bytes_text(&b), "secret");
    assert_int_equal(gc_bytes_set(&b, "", 0, NULL), GC_OK);
    assert_int_equal(b.len, 0);
    assert_string_equal(gc_bytes_text(&b), "");
    gc_bytes_clear(&b);
}

static void
clear_wipes_the_whole_block(void **state)
{
    struct gc_bytes b = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&b, "secret", 6, NULL), GC_OK);
    b.len = 2; /* shortened by its owner; the rest is a secret still */
    watch(&b);
    gc_bytes_clear(&b);
    assert_int_equal(freed, 1);
    assert_int_equal(dirty, 0);
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_int_equal(b.cap, 0);
    gc_bytes_clear(&b);
}

static void
growth_wipes_the_old_block(void **state)
{
    struct gc_bytes b = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&b, "secret", 6, NULL), GC_OK);
    watch(&b);
    assert_int_equal(gc_bytes_reserve(&b, 5000, NULL), GC_OK);
    assert_int_equal(freed, 1);
    assert_int_equal(dirty, 0);
    assert_string_equal(gc_bytes_text(&b), "secret");
    watch(&b);
    assert_int_equal(gc_bytes_set(&b, "other", 5, NULL), GC_OK);
    assert_int_equal(freed, 1);
    assert_int_equal(dirty, 0);
    gc_bytes_clear(&b);
}

static void
append_stops_at_the_limit(void **state)
{
    struct gc_bytes b = {0};
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(gc_bytes_append(&b, "x", 1, 1000, NULL), GC_OK);
    assert_int_equal(b.len, 1000);
    assert_int_equal(strlen(gc_bytes_text(&b)), 1000);
    assert_int_equal(gc_bytes_append(&b, "x", 1, 1000, &err), GC_E_PROTOCOL);
    assert_int_equal(gc_bytes_append(&b, "x", SIZE_MAX, 2000, &err),
                     GC_E_PROTOCOL);
    assert_int_equal(b.len, 1000);
    assert_int_equal(gc_bytes_append(&b, "", 0, 1000, NULL), GC_OK);
    assert_int_equal(gc_bytes_append(&b, "", 0, 999, NULL), GC_E_PROTOCOL);
    gc_bytes_clear(&b);
}

static void
move_empties_its_source_and_wipes_its_target(void **state)
{
    struct gc_bytes from = {0}, to = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&from, "new", 3, NULL), GC_OK);
    assert_int_equal(gc_bytes_set(&to, "old", 3, NULL), GC_OK);
    watch(&to);
    gc_bytes_move(&to, &from);
    assert_int_equal(freed, 1);
    assert_int_equal(dirty, 0);
    assert_null(from.data);
    assert_string_equal(gc_bytes_text(&to), "new");
    gc_bytes_clear(&to);
}

static void
equal_is_every_byte(void **state)
{
    struct gc_bytes none = {0}, one = {0}, other = {0};

    (void)state;
    assert_true(gc_bytes_equal(&none, &none));
    assert_int_equal(gc_bytes_set(&one, "a\0b", 3, NULL), GC_OK);
    assert_int_equal(gc_bytes_set(&other, "a\0c", 3, NULL), GC_OK);
    assert_false(gc_bytes_equal(&one, &none));
    assert_false(gc_bytes_equal(&none, &one));
    assert_false(gc_bytes_equal(&one, &other));
    assert_true(gc_bytes_equal(&one, &one));
    gc_bytes_clear(&other);
    assert_int_equal(gc_bytes_set(&other, "a", 1, NULL), GC_OK);
    assert_false(gc_bytes_equal(&one, &other));
    assert_false(gc_bytes_equal(&other, &one));
    gc_bytes_clear(&one);
    gc_bytes_clear(&other);
}

static void
too_much_is_no_memory(void **state)
{
    struct gc_bytes b = {0};

    (void)state;
    assert_int_equal(gc_bytes_reserve(&b, SIZE_MAX, NULL), GC_E_NO_MEMORY);
    assert_int_equal(gc_bytes_reserve(&b, SIZE_MAX / 2, NULL), GC_E_NO_MEMORY);
    assert_null(b.data);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_copies_and_ends_with_nul),
        cmocka_unit_test(clear_wipes_the_whole_block),
        cmocka_unit_test(growth_wipes_the_old_block),
        cmocka_unit_test(append_stops_at_the_limit),
        cmocka_unit_test(move_empties_its_source_and_wipes_its_target),
        cmocka_unit_test(equal_is_every_byte),
        cmocka_unit_test(too_much_is_no_memory),
    };

    return cmocka_run_group_tests_name("bytes", tests, NULL, NULL);
}
