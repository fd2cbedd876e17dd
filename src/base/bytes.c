/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/base/bytes.h"

#include <stdlib.h>
#include <string.h>

void
gc_bytes_clear(struct gc_bytes *b)
{
    if (b->data != NULL)
        explicit_bzero(b->data, b->cap);
    free(b->data);
    *b = (struct gc_bytes){0};
}

gc_status
gc_bytes_reserve(struct gc_bytes *b, size_t cap, struct gc_error *err)
{
    unsigned char *fresh;

    if (cap < b->cap)
        return GC_OK;
    if (cap > (SIZE_MAX >> 2))
        return gc_fail_no_memory(err);
    fresh = calloc(1, cap + 1);
    if (fresh == NULL)
        return gc_fail_no_memory(err);
    if (b->data != NULL) {
        memcpy(fresh, b->data, b->len);
        explicit_bzero(b->data, b->cap);
        free(b->data);
    }
    b->data = fresh;
    b->cap = cap + 1;
    return GC_OK;
}

gc_status
gc_bytes_append(struct gc_bytes *b, const void *data, size_t len, size_t max,
                struct gc_error *err)
{
    gc_status st;

    if (b->len > max || len > max - b->len)
        return gc_fail(err, GC_E_PROTOCOL, "more than %zu bytes", max);
    if (b->len + len >= b->cap) {
        st = gc_bytes_reserve(b, (b->len + len) + (b->len + len) / 2 + 64, err);
        if (st != GC_OK)
            return st;
    }
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return GC_OK;
}

gc_status
gc_bytes_set(struct gc_bytes *b, const void *data, size_t len,
             struct gc_error *err)
{
    GC_AUTO(gc_bytes) fresh = {0};
    gc_status st = gc_bytes_reserve(&fresh, len, err);

    if (st != GC_OK)
        return st;
    if (len > 0)
        memcpy(fresh.data, data, len);
    fresh.len = len;
    gc_bytes_move(b, &fresh);
    return GC_OK;
}

void
gc_bytes_move(struct gc_bytes *dst, struct gc_bytes *src)
{
    gc_bytes_clear(dst);
    *dst = *src;
    *src = (struct gc_bytes){0};
}

bool
gc_bytes_equal(const struct gc_bytes *a, const struct gc_bytes *b)
{
    return a->len == b->len
           && (a->len == 0 || memcmp(a->data, b->data, a->len) == 0);
}

const char *
gc_bytes_text(const struct gc_bytes *b)
{
    return b->data == NULL ? "" : (const char *)b->data;
}

void
gc_text_free(char **text)
{
    free(*text);
    *text = NULL;
}
