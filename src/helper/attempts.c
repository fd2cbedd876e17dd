/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/attempts.h"

#include "src/fields.h"
#include "src/json.h"

gc_status
gc_attempts_write(const struct gc_attempt *attempts, size_t count,
                  struct gc_bytes *ret_text, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();
    GC_AUTO(gc_bytes) text = {0};
    struct gc_json *list;
    gc_status st;

    (void)gc_json_add_int(root, "version", 1);
    list = gc_json_add_array(root, "attempts");
    for (size_t i = 0; i < count; i++) {
        const struct gc_attempt *a = &attempts[i];
        struct gc_json *object = gc_json_add_object(list, NULL);
        char process[GC_PROCESS_TEXT_SIZE];

        gc_process_print(&a->process, process);
        (void)gc_json_add_string(object, "id", a->id);
        (void)gc_json_add_string(object, "url", a->url);
        (void)gc_json_add_string(object, "vm", a->vm);
        (void)gc_json_add_int(object, "time", a->time);
        (void)gc_json_add_string(object, "process", process);
        (void)gc_json_add_bool(object, "done", a->done);
    }
    st = gc_json_print(root, &text, err);
    if (st == GC_OK && text.len > GC_ATTEMPTS_TEXT_MAX)
        return gc_fail(err, GC_E_BUSY, "too many attempts of this user");
    if (st == GC_OK)
        gc_bytes_move(ret_text, &text);
    return st;
}

static bool
read_one(const struct gc_json *object, struct gc_attempt *ret_attempt)
{
    struct gc_attempt a = {.time = 0};

    if (!gc_field_text(object, "id", a.id, sizeof(a.id))
        || !gc_field_text(object, "url", a.url, sizeof(a.url))
        || !gc_field_text(object, "vm", a.vm, sizeof(a.vm))
        || !gc_field_number(object, "time", INT64_MAX, &a.time)
        || !gc_field_process(object, "process", &a.process)
        || !gc_json_bool(object, "done", &a.done))
        return false;
    *ret_attempt = a;
    return true;
}

gc_status
gc_attempts_read(const struct gc_bytes *text, struct gc_attempt *attempts,
                 size_t *ret_count, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    const struct gc_json *list;
    size_t count = 0;
    int64_t version;
    gc_status st;

    if (text->len > GC_ATTEMPTS_TEXT_MAX)
        return gc_fail(err, GC_E_PROTOCOL, "larger than %d bytes",
                       GC_ATTEMPTS_TEXT_MAX);
    st = gc_json_parse(text->data, text->len, &root, err);
    if (st != GC_OK)
        return st;
    list = gc_json_get(root, "attempts");
    if (!gc_field_number(root, "version", 1, &version) || version != 1
        || !gc_json_is_array(list))
        return gc_fail(err, GC_E_PROTOCOL, "not attempts of version 1");
    for (const struct gc_json *item = gc_json_first(list); item != NULL;
         item = gc_json_next(item)) {
        if (count == GC_ATTEMPTS_MAX || !read_one(item, &attempts[count]))
            return gc_fail(err, GC_E_PROTOCOL,
                           "attempts that are wrong or too many");
        count++;
    }
    *ret_count = count;
    return GC_OK;
}
