/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replies in the making.
 */

#include <config.h>

#include "tests/lab/reply.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/fault.h"

#define JSON_TYPE "application/json"

void
gc_request_clear(struct gc_request *request)
{
    gc_doc_clear(&request->args);
}

static void
clear_body(struct gc_reply *reply)
{
    gc_doc_clear(&reply->doc);
    gc_text_clear(&reply->body);
}

void
gc_reply_clear(struct gc_reply *reply)
{
    size_t i;

    clear_body(reply);
    for (i = 0; i < reply->header_count; i++)
        gc_text_clear(&reply->headers[i].value);
    *reply = (struct gc_reply){0};
}

static void
start(struct gc_reply *reply, unsigned status, const char *type)
{
    clear_body(reply);
    reply->status = status;
    reply->fault[0] = '\0';
    snprintf(reply->type, sizeof(reply->type), "%s", type);
}

void
gc_reply_doc(struct gc_reply *reply, unsigned status, cJSON *take_doc)
{
    start(reply, status, JSON_TYPE);
    reply->doc = take_doc;
}

void
gc_reply_text(struct gc_reply *reply, unsigned status, const char *type,
              const char *text)
{
    start(reply, status, type);
    gc_text_puts(&reply->body, text);
}

void
gc_reply_void(struct gc_reply *reply)
{
    start(reply, 204, "");
}

void
gc_reply_nothing(struct gc_reply *reply, enum gc_nothing how)
{
    switch (how) {
    case GC_NOTHING_204:
        gc_reply_void(reply);
        return;
    case GC_NOTHING_NULL:
        gc_reply_text(reply, 200, JSON_TYPE, "null");
        return;
    case GC_NOTHING_EMPTY:
        gc_reply_text(reply, 200, JSON_TYPE, "");
        return;
    }
}

void
gc_reply_header(struct gc_reply *reply, const char *name, const char *value)
{
    struct gc_header *header = &reply->headers[reply->header_count];

    if (reply->header_count == GC_MAX_HEADERS)
        return;
    snprintf(header->name, sizeof(header->name), "%s", name);
    gc_text_puts(&header->value, value);
    reply->header_count++;
}

void
gc_reply_fault(struct gc_reply *reply, const char *name)
{
    gc_reply_doc(reply, 500, gc_lab_fault(name));
    snprintf(reply->fault, sizeof(reply->fault), "%s", name);
}

void
gc_reply_fault_with(struct gc_reply *reply, const char *name,
                    const char *member, const char *value)
{
    GC_TEXT copy = {0};

    /* VALUE may be part of what the new reply replaces. */
    gc_text_puts(&copy, value);
    gc_reply_fault(reply, name);
    gc_doc_put(reply->doc, member, cJSON_CreateString(copy.data));
}

void
gc_reply_print(struct gc_reply *reply)
{
    if (reply->doc == NULL)
        return;
    gc_text_clear(&reply->body);
    gc_doc_print(reply->doc, &reply->style, &reply->body);
    gc_doc_clear(&reply->doc);
}
