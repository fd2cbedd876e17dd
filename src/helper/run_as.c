/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/run_as.h"

#include <string.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/helper/frame.h"

#define OP_RESULT 1

void
gc_run_as_tell(int socket, gc_status st, const struct gc_bytes *result,
               const struct gc_error *err)
{
    struct gc_frame_head head = {.op = OP_RESULT};
    struct gc_frame_body body = {result->data, NULL, result->len, 0};

    if (st != GC_OK)
        (void)!gc_frame_send_failure(socket, OP_RESULT, st, err);
    else
        (void)!gc_frame_send(socket, 0, head, &body);
}

/* The error in BODY, its texts terminated and escaped again. */
static gc_status
take_failure(const struct gc_frame_head *head, const struct gc_bytes *body,
             struct gc_error *err)
{
    struct gc_frame_failure failure;
    gc_status st;

    if (head->status >= GC_STATUS_COUNT || body->len != sizeof(failure))
        return gc_fail(err, GC_E_INTERNAL, "a child sent a malformed error");
    memcpy(&failure, body->data, sizeof(failure));
    failure.message[sizeof(failure.message) - 1] = '\0';
    failure.hint[sizeof(failure.hint) - 1] = '\0';
    st = gc_fail(err, (gc_status)head->status, "%s", failure.message);
    if (failure.hint[0] != '\0')
        st = gc_fail_hint(err, st, "%s", failure.hint);
    return st;
}

gc_status
gc_run_as_hear(const struct gc_child *child, int64_t deadline, int cancel_fd,
               struct gc_bytes *ret_result, struct gc_error *err)
{
    GC_AUTO(gc_bytes) body = {0};
    struct gc_frame_head head = {.op = 0};
    gc_status st = gc_descriptor_await(
        child->socket, (struct gc_limit){deadline, cancel_fd}, "the work", err);

    if (st != GC_OK)
        return st;
    if (!gc_frame_receive(child->socket, &head, &body) || head.op != OP_RESULT)
        return gc_fail(err, GC_E_INTERNAL,
                       "a child died or sent a malformed result");
    if (head.status != GC_OK)
        return take_failure(&head, &body, err);
    if (body.len > GC_RUN_AS_RESULT_MAX)
        return gc_fail(err, GC_E_INTERNAL, "a child sent too long a result");
    gc_bytes_move(ret_result, &body);
    return GC_OK;
}

struct task {
    gc_status (*work)(void *user, struct gc_bytes *ret_result,
                      struct gc_error *err);
    void *user;
};

static void
run(int socket, void *user)
{
    const struct task *task = user;
    GC_AUTO(gc_bytes) result = {0};
    struct gc_error err = {.status = GC_OK};
    gc_status st = task->work(task->user, &result, &err);

    gc_run_as_tell(socket, st, &result, &err);
}

gc_status
gc_run_as(const struct gc_child_as *as, int64_t deadline, int cancel_fd,
          gc_status (*work)(void *user, struct gc_bytes *ret_result,
                            struct gc_error *err),
          void *user, struct gc_bytes *ret_result, struct gc_error *err)
{
    struct task task = {work, user};
    GC_AUTO(gc_child) child = {.pid = 0};
    gc_status st = gc_child_start(as, run, &task, &child, err);

    if (st != GC_OK)
        return st;
    return gc_run_as_hear(&child, deadline, cancel_fd, ret_result, err);
}
