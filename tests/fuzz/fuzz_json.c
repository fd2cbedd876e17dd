/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json: what is taken is printed and taken again as the same; what is refused
 * leaves nothing behind; salvage finds what is plainly there.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/json.h"

/* Look at every node in every way; returns how many there are. */
static size_t
visit(const struct gc_json *node)
{
    char digits[GC_JSON_INT64_SIZE];
    const char *text = gc_json_text(node), *key = gc_json_key(node);
    size_t count = 1;
    int kinds = gc_json_is_object(node) + gc_json_is_array(node)
                + gc_json_is_null(node) + (text != NULL);

    fuzz_check(kinds <= 1, "a node is of one kind");
    fuzz_check(gc_json_is_object(node) || gc_json_is_array(node)
                   || gc_json_first(node) == NULL,
               "only containers contain");
    for (const struct gc_json *c = gc_json_first(node); c != NULL;
         c = gc_json_next(c)) {
        bool value;

        key = gc_json_key(c);
        fuzz_check((key != NULL) == gc_json_is_object(node),
                   "members have keys, elements have none");
        if (key != NULL) {
            fuzz_check(gc_json_get(node, key) == c, "keys are unique");
            fuzz_check(gc_json_string(node, key) == gc_json_text(c),
                       "both ways to a string agree");
            if (gc_json_int64(node, key, digits))
                fuzz_check(strlen(digits) < sizeof(digits)
                               && !gc_json_bool(node, key, &value),
                           "an integer is an integer");
        }
        count += visit(c);
    }
    return count;
}

static void
check_again(const struct gc_json *root)
{
    GC_AUTO(gc_bytes) first = {0}, second = {0}, third = {0};
    GC_AUTO_PTR(gc_json) again = NULL;
    GC_AUTO_PTR(gc_json) around = gc_json_new_object();

    fuzz_check(gc_json_print(root, &first, NULL) == GC_OK,
               "what was read can be printed");
    fuzz_check(gc_json_parse(first.data, first.len, &again, NULL) == GC_OK,
               "what was printed can be read");
    fuzz_check(gc_json_print(again, &second, NULL) == GC_OK
                   && first.len == second.len
                   && memcmp(first.data, second.data, first.len) == 0,
               "and is the same");
    fuzz_check(visit(root) == visit(again), "to the last node");

    /* A copy is one level deeper, which may be one too many. */
    (void)gc_json_add_copy(around, "c", root);
    if (gc_json_print(around, &third, NULL) == GC_OK)
        fuzz_check(third.len == first.len + strlen("{\"c\":}")
                       && memcmp(third.data + 5, first.data, first.len) == 0,
                   "a copy is a copy");
}

static void
check_salvage(const uint8_t *data, size_t size, const struct gc_json *root)
{
    GC_AUTO(gc_bytes) value = {0};
    bool found = gc_json_salvage(data, size, "ticket", &value);
    const char *plain = gc_json_string(root, "ticket");

    fuzz_check(found == (value.len > 0), "found means something");
    fuzz_check(value.len <= size, "no longer than where it comes from");
    fuzz_check(strlen(gc_bytes_text(&value)) == value.len, "no NUL in it");
    if (plain != NULL && plain[0] != '\0' && memchr(data, '\\', size) == NULL)
        fuzz_check(found, "a ticket in good JSON is found");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    struct gc_error err = {0};
    gc_status st = gc_json_parse(data, size, &root, &err);

    fuzz_check(st == GC_OK || st == GC_E_PROTOCOL,
               "good or bad, but never out of memory");
    fuzz_check((st == GC_OK) == (root != NULL), "a tree only on success");
    fuzz_check(st == err.status, "the error says so too");
    if (root != NULL)
        check_again(root);
    check_salvage(data, size, root);
    return 0;
}
