/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changes to a document that is about to be sent.
 */

#include <config.h>

#include "tests/lab/bend.h"

#include <stdlib.h>
#include <string.h>

static bool
put_assignment(cJSON *object, const char *word)
{
    const char *sign = strchr(word, '=');
    GC_TEXT name = {0};

    if (sign == NULL || sign == word)
        return false;
    if (object == NULL)
        return true;
    gc_text_add(&name, word, (size_t)(sign - word));
    if (sign[1] == '\0')
        cJSON_DeleteItemFromObjectCaseSensitive(object, name.data);
    else
        gc_doc_put(object, name.data, gc_doc_raw(sign + 1));
    return true;
}

/* The child of DOC that the first SIZE characters of PATH name. */
static cJSON *
child_of(cJSON *doc, const char *path, size_t size)
{
    GC_TEXT name = {0};
    int64_t index;

    gc_text_add(&name, path, size);
    if (cJSON_IsArray(doc) && gc_text_int64(name.data, &index) && index >= 0
        && index < 1000000)
        return cJSON_GetArrayItem(doc, (int)index);
    if (!cJSON_IsObject(doc))
        return NULL;
    return cJSON_GetObjectItemCaseSensitive(doc, name.data);
}

bool
gc_bend_put(cJSON *doc, const char *word)
{
    size_t head;

    while ((head = strcspn(word, ".=")) > 0 && word[head] == '.') {
        doc = doc == NULL ? NULL : child_of(doc, word, head);
        word += head + 1;
    }
    return put_assignment(cJSON_IsObject(doc) ? doc : NULL, word);
}

bool
gc_bend_duplicate(cJSON *doc, const char *word)
{
    const char *sign = strchr(word, '=');
    GC_TEXT name = {0};

    if (sign == NULL || sign == word)
        return false;
    if (!cJSON_IsObject(doc))
        return true;
    gc_text_add(&name, word, (size_t)(sign - word));
    gc_doc_add(doc, name.data, gc_doc_raw(sign + 1));
    return true;
}

/* Call CHANGE for every object of DOC, the innermost first. */
static void
for_objects(cJSON *doc, void (*change)(cJSON *object))
{
    cJSON *item, *next;

    if (doc == NULL)
        return;
    for (item = doc->child; item != NULL; item = next) {
        next = item->next;
        for_objects(item, change);
    }
    if (cJSON_IsObject(doc))
        change(doc);
}

static void
move_type_name(cJSON *object)
{
    cJSON *name = cJSON_DetachItemFromObjectCaseSensitive(object, "_typeName");

    if (name != NULL)
        gc_doc_add(object, "_typeName", name);
}

static void
bare_moref(cJSON *object)
{
    const char *name = gc_doc_string(object, "_typeName");

    if (name != NULL && strcmp(name, "ManagedObjectReference") == 0)
        cJSON_DeleteItemFromObjectCaseSensitive(object, "_typeName");
}

static void
add_extra(cJSON *object)
{
    gc_doc_add(object, "vendorExtension",
               gc_doc_raw("{\"_typeName\":\"VendorExtension\",\"ticket\":null,"
                          "\"values\":[1.5e3,\"x\",true,{}]}"));
}

void
gc_bend_type_name_last(cJSON *doc)
{
    for_objects(doc, move_type_name);
}

void
gc_bend_bare_morefs(cJSON *doc)
{
    for_objects(doc, bare_moref);
}

void
gc_bend_extra(cJSON *doc)
{
    for_objects(doc, add_extra);
}

void
gc_bend_deep(cJSON *doc, size_t depth)
{
    char *nest;

    if (!cJSON_IsObject(doc))
        return;
    nest = gc_text_grab(2 * depth + 1, 1);
    memset(nest, '[', depth);
    memset(nest + depth, ']', depth);
    gc_doc_put(doc, "deep", gc_doc_raw(nest));
    free(nest);
}

void
gc_bend_pad(cJSON *doc, size_t size)
{
    char *padding;

    if (!cJSON_IsObject(doc))
        return;
    padding = gc_text_grab(size + 1, 1);
    memset(padding, 'x', size);
    gc_doc_add_string(doc, "padding", padding);
    free(padding);
}
