/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request.  A call that has to wait is suspended in libmicrohttpd and
 * woken by a timer, or by the client's going.
 */

#include <config.h>

#include "tests/lab/call.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/lab/door.h"
#include "tests/lab/journal.h"
#include "tests/lab/login.h"
#include "tests/lab/loop.h"
#include "tests/lab/router.h"
#include "tests/lab/twist.h"
#include "tests/lab/wire.h"

#define MAX_BODY (1U << 20)
#define TICK     0.05 /* seconds between two pieces of a slow body */

struct gc_call {
    struct MHD_Connection *connection;
    struct gc_link *link;
    struct gc_text body; /* secret */
    bool too_large, answered, waited, asleep;
    struct gc_reply reply;
    struct gc_timer timer;
    double paced; /* when the next piece may go */
    size_t end;   /* where the body is cut */
};

static struct gc_world *the_world;

void
gc_call_set_world(struct gc_world *world)
{
    the_world = world;
}

static void
wake(void *user)
{
    struct gc_call *call = user;

    gc_loop_unset(&call->timer);
    gc_link_on_death(call->link, NULL, NULL);
    if (!call->asleep)
        return;
    call->asleep = false;
    MHD_resume_connection(call->connection);
    gc_door_kick();
}

/* Sleep for SECONDS; 0: until the client goes. */
static void
fall_asleep(struct gc_call *call, double seconds)
{
    if (call->asleep || gc_link_is_dead(call->link))
        return;
    call->asleep = true;
    MHD_suspend_connection(call->connection);
    gc_link_on_death(call->link, wake, call);
    if (seconds > 0)
        gc_loop_set(&call->timer, seconds);
}

static struct gc_call *
new_call(struct MHD_Connection *connection)
{
    struct gc_call *call = gc_text_grab(1, sizeof(*call));

    call->connection = connection;
    call->link =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)
            ->socket_context;
    call->timer.fire = wake;
    call->timer.user = call;
    return call;
}

void
gc_call_completed(void *user, struct MHD_Connection *connection, void **context,
                  enum MHD_RequestTerminationCode code)
{
    struct gc_call *call = *context;

    (void)user;
    (void)connection;
    if (call == NULL)
        return;
    gc_loop_unset(&call->timer);
    gc_link_on_death(call->link, NULL, NULL);
    if (code == MHD_REQUEST_TERMINATED_COMPLETED_OK
        && call->reply.cut == GC_CUT_AFTER)
        gc_link_end(call->link, call->reply.ending == GC_ENDING_RESET);
    gc_text_clear(&call->body);
    gc_reply_clear(&call->reply);
    free(call);
    *context = NULL;
}

/* The id in the header, or in the cookie of the SOAP API. */
static const char *
session_id(struct MHD_Connection *connection, struct gc_text *cookie)
{
    const char *id = MHD_lookup_connection_value(connection, MHD_HEADER_KIND,
                                                 "vmware-api-session-id");
    size_t len;

    if (id != NULL)
        return id;
    id = MHD_lookup_connection_value(connection, MHD_COOKIE_KIND,
                                     "vmware_soap_session");
    if (id == NULL)
        return NULL;
    id += id[0] == '"';
    len = strcspn(id, "\"");
    gc_text_add(cookie, id, len);
    return cookie->data;
}

static const char *
header(struct MHD_Connection *connection, const char *name)
{
    return MHD_lookup_connection_value(connection, MHD_HEADER_KIND, name);
}

static void
answer(struct gc_call *call, const char *url, const char *verb)
{
    struct MHD_Connection *connection = call->connection;
    GC_TEXT cookie = {0};
    struct gc_request request = {
        .world = the_world,
        .verb = verb,
        .path = url,
        .query = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND,
                                             "action"),
        .session_id = session_id(connection, &cookie),
        .content_type = header(connection, MHD_HTTP_HEADER_CONTENT_TYPE),
        .authorization = header(connection, MHD_HTTP_HEADER_AUTHORIZATION),
        .agent = header(connection, MHD_HTTP_HEADER_USER_AGENT),
    };
    struct gc_picked picked = {.count = 0};

    call->answered = true;
    gc_router_read(&request, &call->body);
    gc_journal_count(&request);
    gc_rule_pick(&request, &picked);
    if (!gc_twist_before(&request, &call->reply, &picked)) {
        if (call->too_large)
            gc_reply_text(&call->reply, 413, "text/plain", "too large\n");
        else
            gc_router_answer(&request, &call->reply);
    }
    gc_twist_after(&request, &call->reply, &picked);
    gc_journal_write(&request, &call->reply, &picked,
                     gc_link_number(call->link));
    gc_request_clear(&request);
}

/* Body up to END at the reply's pace; called by libmicrohttpd when it can. */
static ssize_t
read_body(void *user, uint64_t position, char *to, size_t room)
{
    struct gc_call *call = user;
    const struct gc_reply *reply = &call->reply;
    size_t left = position < call->end ? call->end - (size_t)position : 0;
    double now = gc_loop_now();

    if (gc_link_is_dead(call->link))
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (left == 0 && reply->cut != GC_CUT_BODY)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (left == 0 && reply->ending != GC_ENDING_STALL) {
        /* Before TLS can say goodbye. */
        gc_link_end(call->link, reply->ending == GC_ENDING_RESET);
        return MHD_CONTENT_READER_END_WITH_ERROR;
    }
    if (left == 0) {
        fall_asleep(call, 0);
        return 0;
    }
    if (now < call->paced) {
        fall_asleep(call, call->paced - now);
        return 0;
    }
    if (left > room)
        left = room;
    if (reply->rate > 0) {
        size_t piece = (size_t)(reply->rate * TICK);

        piece = piece > 0 ? piece : 1;
        left = left > piece ? piece : left;
        call->paced = now + (double)left / reply->rate;
    }
    memcpy(to, reply->body.data + position, left);
    return (ssize_t)left;
}

static struct MHD_Response *
make_response(struct gc_call *call)
{
    const struct gc_reply *reply = &call->reply;
    struct MHD_Response *response;
    size_t i;

    call->end = reply->body.len;
    if (reply->cut == GC_CUT_BODY)
        call->end /= 2;
    if (reply->cut == GC_CUT_BODY || reply->rate > 0 || reply->chunked)
        response = MHD_create_response_from_callback(
            reply->chunked ? MHD_SIZE_UNKNOWN : reply->body.len, 4096,
            read_body, call, NULL);
    else
        response = MHD_create_response_from_buffer(
            reply->body.len, (void *)(uintptr_t)gc_text_string(&reply->body),
            MHD_RESPMEM_PERSISTENT);
    if (response == NULL)
        abort();
    if (reply->type[0] != '\0')
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE,
                                reply->type);
    for (i = 0; i < reply->header_count; i++)
        MHD_add_response_header(response, reply->headers[i].name,
                                gc_text_string(&reply->headers[i].value));
    return response;
}

static enum MHD_Result
send_reply(struct gc_call *call)
{
    struct MHD_Response *response;
    enum MHD_Result queued;

    if (call->reply.cut == GC_CUT_BODY && call->reply.body.len == 0)
        call->reply.cut = GC_CUT_REPLY;
    if (call->reply.cut == GC_CUT_BEFORE || call->reply.cut == GC_CUT_REPLY) {
        if (call->reply.ending != GC_ENDING_STALL
            || gc_link_is_dead(call->link)) {
            gc_link_end(call->link, call->reply.ending == GC_ENDING_RESET);
            return MHD_NO;
        }
        fall_asleep(call, 0);
        return MHD_YES;
    }
    response = make_response(call);
    queued = MHD_queue_response(call->connection, call->reply.status, response);
    MHD_destroy_response(response);
    return queued;
}

enum MHD_Result
gc_call_handle(void *user, struct MHD_Connection *connection, const char *url,
               const char *method, const char *version, const char *data,
               size_t *size, void **context)
{
    struct gc_call *call = *context;

    (void)user;
    (void)version;
    if (call == NULL) {
        *context = new_call(connection);
        return MHD_YES;
    }
    if (*size > 0) {
        call->too_large = call->too_large || call->body.len + *size > MAX_BODY;
        if (!call->too_large)
            gc_text_add(&call->body, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!call->answered)
        answer(call, url, method);
    if (call->reply.delay > 0 && !call->waited
        && !gc_link_is_dead(call->link)) {
        call->waited = true;
        fall_asleep(call, call->reply.delay);
        return MHD_YES;
    }
    return send_reply(call);
}
