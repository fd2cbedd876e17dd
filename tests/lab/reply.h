/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request as it was understood and the reply to it, before any of it becomes
 * HTTP.  Knows no libmicrohttpd.
 */

#ifndef GC_LAB_REPLY_H
#define GC_LAB_REPLY_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/acceptor.h"
#include "tests/lab/doc.h"
#include "tests/lab/text.h"
#include "tests/lab/world.h"

#define GC_PART_SIZE   128
#define GC_MAX_HEADERS 8

struct gc_visit; /* login.h: a vCenter session */
struct gc_route; /* router.c */

struct gc_request {
    struct gc_world *world;
    const char *verb, *path, *query;
    const char *session_id, *content_type, *authorization, *agent; /* or NULL */
    char release[GC_PART_SIZE], type[GC_PART_SIZE], moid[GC_PART_SIZE];
    char member[GC_PART_SIZE];
    char method[GC_PART_SIZE];    /* what rules, counters and the journal say */
    char vm[GC_PART_SIZE];        /* the VM it is about, or "" */
    const struct gc_route *route; /* NULL: nothing lives at this path */
    cJSON *args;                  /* the body; NULL if there is none */
    const char *bad_json;         /* why the body is none, or NULL */
    struct gc_visit *visit;       /* the session, or NULL */
};

enum gc_cut {
    GC_CUT_NONE,
    GC_CUT_BEFORE,
    GC_CUT_REPLY,
    GC_CUT_BODY,
    GC_CUT_AFTER
};
enum gc_ending { GC_ENDING_CLOSE, GC_ENDING_RESET, GC_ENDING_STALL };

struct gc_header {
    char name[GC_PART_SIZE];
    struct gc_text value;
};

struct gc_reply {
    unsigned status;
    char type[GC_PART_SIZE]; /* Content-Type; "": none */
    cJSON *doc;              /* the body while it is still a document */
    struct gc_text body;     /* the body if DOC is NULL */
    struct gc_header headers[GC_MAX_HEADERS];
    size_t header_count;
    struct gc_doc_style style;

    char fault[GC_PART_SIZE]; /* for the journal */
    unsigned legs;
    struct gc_peer peer;

    bool chunked;
    double delay, rate; /* seconds; bytes a second, 0: as fast as can be */
    enum gc_cut cut;
    enum gc_ending ending;
};

void gc_request_clear(struct gc_request *request);
void gc_reply_clear(struct gc_reply *reply);

void gc_reply_doc(struct gc_reply *reply, unsigned status, cJSON *take_doc);
void gc_reply_text(struct gc_reply *reply, unsigned status, const char *type,
                   const char *text);
void gc_reply_void(struct gc_reply *reply); /* 204 */
/* A nullable result that is not there, told in the way the settings choose. */
void gc_reply_nothing(struct gc_reply *reply, enum gc_nothing how);
void gc_reply_header(struct gc_reply *reply, const char *name,
                     const char *value);
/* A fault of vim25 with its usual members; see fault.h for more of them. */
void gc_reply_fault(struct gc_reply *reply, const char *name);
void gc_reply_fault_with(struct gc_reply *reply, const char *name,
                         const char *member, const char *value);
/* The reply's document becomes its body. */
void gc_reply_print(struct gc_reply *reply);

#endif
