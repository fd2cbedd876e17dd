/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON documents: building and writing.  The writer is ours because a simulator
 * must be able to write the same document in every legal way.
 */

#include <config.h>

#include "tests/lab/doc.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static cJSON *
sure(cJSON *item)
{
    if (item == NULL)
        abort();
    return item;
}

static void
wipe(cJSON *item)
{
    for (; item != NULL; item = item->next) {
        wipe(item->child);
        if (item->valuestring != NULL)
            explicit_bzero(item->valuestring, strlen(item->valuestring));
    }
}

void
gc_doc_clear(cJSON **doc)
{
    wipe(*doc);
    cJSON_Delete(*doc);
    *doc = NULL;
}

static void
print_string(const char *s, bool escapes, struct gc_text *out)
{
    gc_text_puts(out, "\"");
    for (; *s != '\0'; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '/' && escapes)
            gc_text_puts(out, "\\/");
        else if (c < 0x20 || (escapes && c < 0x7f && strchr("+=\"", c)))
            gc_text_printf(out, "\\u%04x", (unsigned)c);
        else if (c == '"' || c == '\\')
            gc_text_printf(out, "\\%c", c);
        else
            gc_text_add(out, s, 1);
    }
    gc_text_puts(out, "\"");
}

static void
new_line(const struct gc_doc_style *style, unsigned depth, struct gc_text *out)
{
    if (style->pretty)
        gc_text_printf(out, "\r\n%*s", (int)(2 * depth), "");
}

static void print_value(const cJSON *item, const struct gc_doc_style *style,
                        unsigned depth, struct gc_text *out);

static void
print_items(const cJSON *parent, const struct gc_doc_style *style,
            unsigned depth, struct gc_text *out)
{
    bool backwards = style->reversed && cJSON_IsObject(parent);
    const cJSON *item = parent->child;

    /* cJSON: the first item's prev is the last, the last one's next NULL. */
    if (backwards && item != NULL)
        item = item->prev;
    while (item != NULL) {
        new_line(style, depth, out);
        if (cJSON_IsObject(parent)) {
            print_string(item->string, false, out);
            gc_text_puts(out, style->pretty ? " :\t" : ":");
        }
        print_value(item, style, depth, out);
        if (backwards)
            item = item == parent->child ? NULL : item->prev;
        else
            item = item->next;
        if (item != NULL)
            gc_text_puts(out, ",");
    }
}

static void
print_value(const cJSON *item, const struct gc_doc_style *style, unsigned depth,
            struct gc_text *out)
{
    if (cJSON_IsString(item)) {
        print_string(item->valuestring, style->escapes, out);
    } else if (cJSON_IsRaw(item)) {
        gc_text_puts(out, item->valuestring);
    } else if (cJSON_IsBool(item)) {
        gc_text_puts(out, cJSON_IsTrue(item) ? "true" : "false");
    } else if (cJSON_IsNull(item)) {
        gc_text_puts(out, "null");
    } else {
        gc_text_puts(out, cJSON_IsArray(item) ? "[" : "{");
        print_items(item, style, depth + 1, out);
        if (item->child != NULL)
            new_line(style, depth, out);
        gc_text_puts(out, cJSON_IsArray(item) ? "]" : "}");
    }
}

void
gc_doc_print(const cJSON *doc, const struct gc_doc_style *style,
             struct gc_text *out)
{
    print_value(doc, style, 0, out);
}

/* Building and reading. */

cJSON *
gc_doc_object(const char *type_name)
{
    cJSON *object = sure(cJSON_CreateObject());

    if (type_name != NULL)
        gc_doc_add_string(object, "_typeName", type_name);
    return object;
}

cJSON *
gc_doc_moref(const char *type, const char *value)
{
    cJSON *moref = gc_doc_object("ManagedObjectReference");

    gc_doc_add_string(moref, "type", type);
    gc_doc_add_string(moref, "value", value);
    return moref;
}

void
gc_doc_add(cJSON *object, const char *name, cJSON *take_value)
{
    if (!cJSON_AddItemToObject(object, name, sure(take_value)))
        abort();
}

void
gc_doc_add_string(cJSON *object, const char *name, const char *value)
{
    gc_doc_add(object, name, cJSON_CreateString(value));
}

void
gc_doc_add_bool(cJSON *object, const char *name, bool value)
{
    gc_doc_add(object, name, cJSON_CreateBool(value));
}

void
gc_doc_add_int(cJSON *object, const char *name, int64_t value)
{
    char digits[32];

    snprintf(digits, sizeof(digits), "%" PRId64, value);
    gc_doc_add(object, name, cJSON_CreateRaw(digits));
}

void
gc_doc_put(cJSON *object, const char *name, cJSON *take_value)
{
    if (gc_doc_get(object, name) == NULL)
        gc_doc_add(object, name, take_value);
    else
        cJSON_ReplaceItemInObjectCaseSensitive(object, name, sure(take_value));
}

cJSON *
gc_doc_raw(const char *text)
{
    return sure(cJSON_CreateRaw(text));
}

const cJSON *
gc_doc_get(const cJSON *object, const char *name)
{
    if (!cJSON_IsObject(object))
        return NULL;
    return cJSON_GetObjectItemCaseSensitive(object, name);
}

const char *
gc_doc_string(const cJSON *object, const char *name)
{
    const cJSON *item = gc_doc_get(object, name);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

bool
gc_doc_int64(const cJSON *number, int64_t *ret)
{
    return cJSON_IsRaw(number) && gc_text_int64(number->valuestring, ret);
}
