/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sends and receives packets.  Checks lengths; the callers check the content.
 */
#include <config.h>

#include "src/helper/frame.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

_Static_assert(sizeof(struct gc_want) <= GC_FRAME_BODY_MAX,
               "a request fits into a frame");

bool
gc_frame_send(int fd, int flags, struct gc_frame_head head,
              const struct gc_frame_body *body)
{
    /* sendmsg reads only; its type says otherwise. */
    union {
        const void *from;
        void *as;
    } first = {body->first}, second = {body->second};
    struct iovec parts[] = {
        {&head, sizeof(head)},
        {first.as, body->first_len},
        {second.as, body->second_len},
    };
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 3};
    ssize_t sent;

    if (body->first_len > GC_FRAME_BODY_MAX
        || body->second_len > GC_FRAME_BODY_MAX - body->first_len) {
        errno = EMSGSIZE;
        return false;
    }
    head.len = (uint32_t)(body->first_len + body->second_len);
    do
        sent = sendmsg(fd, &message, flags | MSG_NOSIGNAL);
    while (sent < 0 && errno == EINTR);
    return sent == (ssize_t)(sizeof(head) + head.len);
}

bool
gc_frame_send_failure(int fd, uint32_t op, gc_status st,
                      const struct gc_error *failed)
{
    struct gc_frame_failure failure = {{0}, {0}, {0}};
    struct gc_frame_head head = {
        .op = op,
        .status = st,
        .gss_major = failed->gss_major,
        .gss_minor = failed->gss_minor,
        .again = failed->again ? 1 : 0,
    };
    struct gc_frame_body body = {&failure, NULL, sizeof(failure), 0};

    memcpy(failure.fault, failed->fault, sizeof(failure.fault));
    memcpy(failure.message, failed->message, sizeof(failure.message));
    memcpy(failure.hint, failed->hint, sizeof(failure.hint));
    return gc_frame_send(fd, 0, head, &body);
}

/* The next packet's length, without reading it; 0: no usable packet. */
static size_t
peek(int fd)
{
    char nothing;
    ssize_t len;

    do
        len = recv(fd, &nothing, 0, MSG_PEEK | MSG_TRUNC);
    while (len < 0 && errno == EINTR);
    if (len < (ssize_t)sizeof(struct gc_frame_head)
        || len > (ssize_t)(sizeof(struct gc_frame_head) + GC_FRAME_BODY_MAX))
        return 0;
    return (size_t)len;
}

bool
gc_frame_receive(int fd, struct gc_frame_head *ret_head,
                 struct gc_bytes *ret_body)
{
    GC_AUTO(gc_bytes) body = {0};
    struct gc_frame_head head = {0};
    size_t len = peek(fd);
    struct iovec parts[2];
    struct msghdr message = {.msg_iov = parts, .msg_iovlen = 2};

    if (len == 0 || gc_bytes_reserve(&body, len - sizeof(head), NULL) != GC_OK)
        return false;
    parts[0] = (struct iovec){&head, sizeof(head)};
    parts[1] = (struct iovec){body.data, len - sizeof(head)};
    if (recvmsg(fd, &message, MSG_DONTWAIT) != (ssize_t)len
        || (message.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0
        || head.len != len - sizeof(head))
        return false;
    body.len = head.len;
    *ret_head = head;
    gc_bytes_move(ret_body, &body);
    return true;
}
