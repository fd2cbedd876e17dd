/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP room, played: replies come from a list, requests are written down.
 *
 * For the unit tests of the rooms above it; include it in one file a test.
 */

#ifndef GC_TESTS_UNIT_FAKE_HTTP_H
#define GC_TESTS_UNIT_FAKE_HTTP_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "src/vim/http.h"

#define VC "https://vc.example.test"

/* One exchange as it will go. */
struct canned {
    int status; /* 0: none came */
    enum gc_http_type type;
    const char *body;
    const char *session; /* vmware-api-session-id, or NULL */
    gc_status st;        /* GC_OK: a whole reply */
    bool unsent;         /* with ST: no byte went out */
};

#define JSON(code, text)                                                       \
    {                                                                          \
        .status = (code), .type = GC_HTTP_JSON, .body = (text)                 \
    }
#define FAULT(name)                                                            \
    JSON(500, "{\"_typeName\":\"" name "\",\"faultstring\":\"as the server "   \
              "says\"}")
#define NOTHING                                                                \
    {                                                                          \
        .status = 204                                                          \
    }
/* As captured from a vCenter 8.0.3: no _typeName in the MoRef. */
#define STALE                                                                  \
    JSON(500,                                                                  \
         "{\"_typeName\":\"NotAuthenticated\",\"object\":{\"type\":"           \
         "\"GuestProcessManager\",\"value\":\"guestOperationsProcessManager\"" \
         "},\"privilegeId\":\"\",\"faultstring\":\"The session is not "        \
         "authenticated.\"}")
#define LOST                                                                   \
    {                                                                          \
        .st = GC_E_UNAVAILABLE                                                 \
    }
#define REFUSED                                                                \
    {                                                                          \
        .st = GC_E_UNAVAILABLE, .unsent = true                                 \
    }

/* One request as it came. */
struct seen {
    bool post;
    char path[1024];
    char *body; /* NULL for a GET */
    char session[300];
    struct gc_limit limit;
    int cancel_grace;
};

static struct {
    struct canned canned[16];
    size_t canned_count;
    struct seen seen[16];
    size_t seen_count;
} wire;

/* What the wire says from now on; forgets what it has seen. */
static void
wire_say(const struct canned *canned, size_t count)
{
    for (size_t i = 0; i < wire.seen_count; i++)
        free(wire.seen[i].body);
    memset(&wire, 0, sizeof(wire));
    assert_true(count <= GC_COUNT_OF(wire.canned));
    if (count > 0)
        memcpy(wire.canned, canned, count * sizeof(*canned));
    wire.canned_count = count;
}

#define WIRE(...)                                                              \
    wire_say((const struct canned[]){__VA_ARGS__},                             \
             sizeof((const struct canned[]){__VA_ARGS__})                      \
                 / sizeof(struct canned))

/* No descriptor of this process; the wire does not look at it. */
#define CANCEL_FD   4711
#define UNTIL(when) ((struct gc_limit){(when), CANCEL_FD})

/* Was request I to be done UNTIL(WHEN)? */
static inline void
assert_until(size_t i, int64_t when)
{
    assert_int_equal(wire.seen[i].limit.deadline, when);
    assert_int_equal(wire.seen[i].limit.cancel_fd, CANCEL_FD);
}

/* Was request I clean-up, begun after BEFORE: three seconds, no cancel? */
static inline void
assert_cleanup(size_t i, int64_t before)
{
    assert_in_range(wire.seen[i].limit.deadline, before + 3000,
                    gc_clock_now() + 3000);
    assert_int_equal(wire.seen[i].limit.cancel_fd, -1);
}

/* Was request I a POST (BODY) or a GET (NULL) of PATH, with id SESSION? */
static void
assert_seen(size_t i, const char *path, const char *body, const char *session)
{
    assert_true(i < wire.seen_count);
    assert_string_equal(wire.seen[i].path, path);
    assert_int_equal(wire.seen[i].post, body != NULL);
    if (body != NULL)
        assert_string_equal(wire.seen[i].body, body);
    assert_string_equal(wire.seen[i].session, session);
}

static struct gc_http *
fake_http(void)
{
    return (struct gc_http *)&wire;
}

const char *
gc_http_url(const struct gc_http *http)
{
    (void)http;
    return VC;
}

bool
gc_http_spoke(const struct gc_http *http)
{
    (void)http;
    return wire.seen_count > 0;
}

void
gc_http_reply_clear(struct gc_http_reply *reply)
{
    gc_bytes_clear(&reply->body);
    gc_bytes_clear(&reply->session);
    *reply = (struct gc_http_reply){0};
}

static void
write_down(const struct gc_http_request *request)
{
    struct seen *seen = &wire.seen[wire.seen_count++];

    seen->post = request->post;
    (void)snprintf(seen->path, sizeof(seen->path), "%s", request->path);
    if (request->body != NULL)
        seen->body = strdup(gc_bytes_text(request->body));
    if (request->session != NULL)
        (void)snprintf(seen->session, sizeof(seen->session), "%s",
                       gc_bytes_text(request->session));
    seen->limit = request->limit;
    seen->cancel_grace = request->cancel_grace;
    assert_int_equal(request->post, request->body != NULL);
}

gc_status
gc_http_perform(struct gc_http *http, const struct gc_http_request *request,
                struct gc_http_reply *reply, struct gc_error *err)
{
    const struct canned *c = &wire.canned[wire.seen_count];

    (void)http;
    gc_http_reply_clear(reply);
    if (wire.seen_count >= wire.canned_count)
        fail_msg("an unexpected request for %s", request->path);
    write_down(request);
    reply->sent = !c->unsent;
    reply->status = c->status;
    reply->type = c->type;
    if (c->body != NULL)
        assert_int_equal(
            gc_bytes_set(&reply->body, c->body, strlen(c->body), NULL), GC_OK);
    if (c->session != NULL)
        assert_int_equal(
            gc_bytes_set(&reply->session, c->session, strlen(c->session), NULL),
            GC_OK);
    if (c->st == GC_OK)
        return GC_OK;
    (void)gc_fail(err, c->st, VC ": the wire is cut");
    if (err != NULL)
        err->again = c->unsent && c->st == GC_E_UNAVAILABLE;
    return c->st;
}

#endif
