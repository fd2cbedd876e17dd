/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fields: any text is refused, or is a record that is written back and read
 * again as the same.
 */

#include <config.h>

#include "tests/fuzz/fuzz.h"

#include <string.h>

#include "src/base/fields.h"
#include "src/base/utf8.h"

typedef enum { RED, GREEN, BLUE } colour;
static const char *const colours[] = {"red", "green", "blue", NULL};

struct record {
    char text[16], long_text[256];
    int64_t number, other;
    bool flag;
    colour word;
    struct gc_bytes bytes, more;
};

static void
record_clear(struct record *r)
{
    gc_bytes_clear(&r->bytes);
    gc_bytes_clear(&r->more);
}
#define AUTO_RECORD __attribute__((cleanup(record_clear))) struct record

static const struct gc_field fields[] = {
    {"text", GC_FIELD_TEXT, GC_FIELD_AT(record, text), NULL},
    {"long_text", GC_FIELD_TEXT, GC_FIELD_AT(record, long_text), NULL},
    {"number", GC_FIELD_NUMBER, GC_FIELD_AT(record, number), NULL},
    {"other", GC_FIELD_NUMBER, GC_FIELD_AT(record, other), NULL},
    {"flag", GC_FIELD_FLAG, GC_FIELD_AT(record, flag), NULL},
    {"word", GC_FIELD_WORD, GC_FIELD_AT(record, word), colours},
    {"bytes", GC_FIELD_BYTES, offsetof(struct record, bytes), 8, NULL},
    {"more", GC_FIELD_BYTES, offsetof(struct record, more), 1024, NULL},
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    AUTO_RECORD record = {0};
    AUTO_RECORD again = {0};
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_bytes) first = {0};
    GC_AUTO(gc_bytes) second = {0};
    struct gc_error err = {0};
    gc_status st;

    fuzz_check(gc_bytes_set(&text, data, size, NULL) == GC_OK, "memory");
    st = gc_fields_read("thing", fields, GC_COUNT_OF(fields), &text, &record,
                        &err);
    if (st != GC_OK) {
        fuzz_check(st == GC_E_PROTOCOL && err.status == st
                       && strncmp(err.message, "line ", 5) == 0,
                   "refused for a reason");
        return 0;
    }
    fuzz_check(memchr(record.text, '\0', sizeof(record.text)) != NULL
                   && memchr(record.long_text, '\0', sizeof(record.long_text))
                          != NULL,
               "texts end");
    fuzz_check(gc_utf8_is(record.text, strlen(record.text))
                   && gc_utf8_is(record.long_text, strlen(record.long_text)),
               "texts are UTF-8");
    fuzz_check(record.bytes.len <= 8 && record.more.len <= 1024,
               "bytes are no more than there may be");
    fuzz_check((unsigned)record.word <= BLUE, "a word is one of its words");
    fuzz_check(gc_fields_write("thing", fields, GC_COUNT_OF(fields), &record,
                               &first, &err)
                   == GC_OK,
               "what was read can be written");
    fuzz_check(gc_fields_read("thing", fields, GC_COUNT_OF(fields), &first,
                              &again, NULL)
                   == GC_OK,
               "and read");
    fuzz_check(strcmp(record.text, again.text) == 0
                   && strcmp(record.long_text, again.long_text) == 0
                   && record.number == again.number
                   && record.other == again.other && record.flag == again.flag
                   && record.word == again.word
                   && gc_bytes_equal(&record.bytes, &again.bytes)
                   && gc_bytes_equal(&record.more, &again.more),
               "as the same");
    fuzz_check(gc_fields_write("thing", fields, GC_COUNT_OF(fields), &again,
                               &second, &err)
                       == GC_OK
                   && gc_bytes_equal(&first, &second),
               "in one form");
    return 0;
}
