/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/run_as.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/helper/frame.h"

#define OP_RESULT 1

void
gc_run_as_tell(int socket, gc_status st, const struct gc_bytes *result,
               const struct gc_error *err)
{
    struct gc_frame_failure failure = {{0}, {0}, {0}};
    struct gc_frame_head head = {.op = OP_RESULT, .status = st};
    struct gc_frame_body body = {result->data, NULL, result->len, 0};

    if (st != GC_OK) {
        memcpy(failure.fault, err->fault, sizeof(failure.fault));
        memcpy(failure.message, err->message, sizeof(failure.message));
        memcpy(failure.hint, err->hint, sizeof(failure.hint));
        body = (struct gc_frame_body){&failure, NULL, sizeof(failure), 0};
    }
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

static gc_status
await(const struct gc_child *child, int64_t deadline, int cancel_fd,
      struct gc_error *err)
{
    struct pollfd fds[] = {{child->socket, POLLIN, 0}, {cancel_fd, POLLIN, 0}};
    int ready;

    do
        ready = poll(fds, 2, gc_clock_left(deadline));
    while (ready < 0 && errno == EINTR);
    if (ready > 0 && fds[1].revents != 0)
        return gc_fail(err, GC_E_CANCELED, "the host program is gone");
    if (ready > 0)
        return GC_OK;
    if (ready < 0)
        return gc_fail(err, GC_E_INTERNAL, "cannot wait for a child: %s",
                       strerror(errno));
    return gc_fail(err, GC_E_UNAVAILABLE,
                   "the work took longer than the deadline allows");
}

gc_status
gc_run_as_hear(const struct gc_child *child, int64_t deadline, int cancel_fd,
               struct gc_bytes *ret_result, struct gc_error *err)
{
    GC_AUTO(gc_bytes) body = {0};
    struct gc_frame_head head = {.op = 0};
    gc_status st = await(child, deadline, cancel_fd, err);

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
