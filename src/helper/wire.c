/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "src/base/clock.h"
#include "src/base/fields.h"

static const char *const calls[] = {
    "none",   "authenticate", "account", "establish",
    "delete", "open",         "close",   NULL};
static const char *const sources[] = {"none", "password", "ccache", NULL};

/* The message, and those of its numbers that are narrower. */
struct wire_request {
    struct gc_wire_request r;
    int64_t caller, uid, host_pid, host_start;
};
struct wire_reply {
    struct gc_wire_reply r;
    int64_t status, uid;
};

#define REQUEST(kind, member)                                                  \
    GC_FIELD_##kind, GC_FIELD_AT(wire_request, member), NULL
static const struct gc_field request_fields[] = {
    {"call", GC_FIELD_WORD, GC_FIELD_AT(wire_request, r.call), calls},
    {"source", GC_FIELD_WORD, GC_FIELD_AT(wire_request, r.source), sources},
    {"caller", REQUEST(NUMBER, caller)},
    {"uid", REQUEST(NUMBER, uid)}, /* absent: there is no such account */
    {"host_pid", REQUEST(NUMBER, host_pid)},
    {"host_start", REQUEST(NUMBER, host_start)},
    {"deadline", REQUEST(NUMBER, r.deadline)},
    {"user", REQUEST(STRING, r.user)},
    {"service", REQUEST(STRING, r.service)},
    {"vm", REQUEST(STRING, r.vm)},
    {"ccname", REQUEST(STRING, r.ccname)},
    {"transaction", REQUEST(TEXT, r.transaction)},
    {"password", REQUEST(STRING, r.password)},
    {"options", GC_FIELD_BYTES, offsetof(struct wire_request, r.options),
     GC_WIRE_MAX, NULL},
};

#define REPLY(kind, member)                                                    \
    GC_FIELD_##kind, GC_FIELD_AT(wire_reply, member), NULL
static const struct gc_field reply_fields[] = {
    {"call", GC_FIELD_WORD, GC_FIELD_AT(wire_reply, r.call), calls},
    {"status", REPLY(NUMBER, status)},
    {"nothing", REPLY(FLAG, r.nothing)},
    {"suspect", REPLY(FLAG, r.suspect)},
    {"expired", REPLY(FLAG, r.expired)},
    {"uid", REPLY(NUMBER, uid)}, /* absent: none was proved */
    {"message", REPLY(TEXT, r.message)},
    {"hint", REPLY(TEXT, r.hint)},
    {"fault", REPLY(TEXT, r.fault)},
    {"copies", REPLY(TEXT, r.copies)},
    {"transaction", REPLY(TEXT, r.transaction)},
    {"principal", REPLY(TEXT, r.principal)},
    {"vm", REPLY(TEXT, r.vm)},
    {"mech", REPLY(TEXT, r.mech)},
};

static void
wire_request_clear(struct wire_request *request)
{
    gc_wire_request_clear(&request->r);
}

void
gc_wire_request_init(struct gc_wire_request *request, gc_wire_call call)
{
    gc_wire_request_clear(request);
    request->call = call;
    request->caller = request->uid = GC_WIRE_NO_UID;
}

void
gc_wire_request_clear(struct gc_wire_request *request)
{
    gc_bytes_clear(&request->options);
    explicit_bzero(request, sizeof(*request));
}

void
gc_wire_reply_init(struct gc_wire_reply *reply, gc_wire_call call)
{
    *reply = (struct gc_wire_reply){
        .call = call,
        .status = GC_OK,
        .uid = GC_WIRE_NO_UID,
    };
}

/* ---- options ---- */

const char *
gc_wire_option_next(const struct gc_wire_request *request, const char *before)
{
    const char *first = gc_bytes_text(&request->options), *next = first;

    if (before != NULL)
        next = before + strlen(before) + 1;
    return (size_t)(next - first) < request->options.len ? next : NULL;
}

/* Is each of the options NAME=VALUE, and are they not too many? */
static bool
options_fit(const struct gc_wire_request *request)
{
    const struct gc_bytes *all = &request->options;
    int count = 0;

    if (all->len > 0 && all->data[all->len - 1] != '\0')
        return false;
    for (const char *o = NULL; (o = gc_wire_option_next(request, o)) != NULL;) {
        const char *equals = strchr(o, '=');

        if (count++ == GC_WIRE_OPTION_COUNT || strlen(o) > GC_WIRE_OPTION_MAX
            || equals == NULL || equals == o)
            return false;
    }
    return true;
}

gc_status
gc_wire_option_add(struct gc_wire_request *request, const char *name,
                   const char *value, struct gc_error *err)
{
    char option[GC_WIRE_OPTION_MAX + 1];
    int len = snprintf(option, sizeof(option), "%s=%s", name, value);
    size_t before = request->options.len;

    if (len > 0 && len < (int)sizeof(option)
        && gc_bytes_append(&request->options, option, (size_t)len + 1,
                           GC_WIRE_MAX, NULL)
               == GC_OK
        && options_fit(request))
        return GC_OK;
    request->options.len = before;
    return gc_fail(err, GC_E_CONFIG,
                   "the options are too many, or too long, at \"%.64s\"", name);
}

static gc_status
refuse(const char *why, struct gc_error *err)
{
    return gc_fail(err, GC_E_PROTOCOL, "a message with %s", why);
}

/* ---- what belongs together ---- */

static bool
hexadecimal(const char *transaction)
{
    return strlen(transaction) == GC_WIRE_TRANSACTION_SIZE - 1
           && strspn(transaction, "0123456789abcdef")
                  == GC_WIRE_TRANSACTION_SIZE - 1;
}

static const char *
wrong_request(const struct gc_wire_request *r)
{
    bool proving = r->call == GC_WIRE_AUTHENTICATE;

    if (r->call < GC_WIRE_AUTHENTICATE || r->call > GC_WIRE_CLOSE)
        return "an unknown call";
    if (r->user[0] == '\0' || r->service[0] == '\0' || r->deadline <= 0
        || r->caller == GC_WIRE_NO_UID || r->host_pid == 0
        || r->host_pid > INT_MAX)
        return "a field missing";
    if (r->source > GC_WIRE_CCACHE
        || proving != (r->source != GC_WIRE_NO_SOURCE)
        || (r->source == GC_WIRE_PASSWORD) != (r->password[0] != '\0'))
        return "the wrong proof";
    if (r->transaction[0] != '\0' && !hexadecimal(r->transaction))
        return "a bad transaction";
    return options_fit(r) ? NULL : "a bad option";
}

/* Does R have a field that only a success may have? */
static bool
promises(const struct gc_wire_reply *r)
{
    return r->nothing || r->suspect || r->uid != GC_WIRE_NO_UID
           || r->copies[0] != '\0' || r->transaction[0] != '\0';
}

static const char *
wrong_success(const struct gc_wire_reply *r)
{
    bool acquiring = r->call == GC_WIRE_ESTABLISH || r->call == GC_WIRE_OPEN;

    if (r->nothing
        && (r->call == GC_WIRE_AUTHENTICATE || r->copies[0] != '\0'
            || r->message[0] == '\0'))
        return "nothing done but no reason";
    if (r->expired)
        return "a success that has expired";
    if (r->suspect && !r->nothing)
        return "a suspect credential that was served";
    if ((r->copies[0] != '\0') != (acquiring && !r->nothing)
        || (r->copies[0] != '\0' && r->copies[0] != '/'))
        return "the wrong directory of tickets";
    if (r->transaction[0] == '\0' && !r->nothing
        && (acquiring || r->call == GC_WIRE_AUTHENTICATE))
        return "no transaction";
    if ((r->call == GC_WIRE_AUTHENTICATE) != (r->uid != GC_WIRE_NO_UID)
        || r->uid == 0)
        return "the wrong uid";
    if (r->call == GC_WIRE_AUTHENTICATE && r->principal[0] == '\0')
        return "no principal";
    return NULL;
}

/* Has TEXT no control character?  It goes to the log. */
static bool
is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text < ' ' || *text == 0x7f)
            return false;
    return true;
}

static const char *
wrong_reply(const struct gc_wire_reply *r)
{
    const char *const texts[] = {r->message,   r->hint, r->fault, r->copies,
                                 r->principal, r->vm,   r->mech};

    for (size_t i = 0; i < GC_COUNT_OF(texts); i++)
        if (!is_plain(texts[i]))
            return "a control character in a text";
    if (r->call < GC_WIRE_AUTHENTICATE || r->call > GC_WIRE_CLOSE
        || r->status >= GC_STATUS_COUNT)
        return "an unknown call or status";
    if (r->transaction[0] != '\0' && !hexadecimal(r->transaction))
        return "a bad transaction";
    if (r->status == GC_OK)
        return wrong_success(r);
    if (promises(r))
        return "the fields of a success in a refusal";
    if (r->expired
        && (r->call != GC_WIRE_AUTHENTICATE || r->status != GC_E_DENIED))
        return "the wrong expiry";
    return r->message[0] == '\0' ? "a refusal without a reason" : NULL;
}

/* ---- the four ---- */

static gc_status
write_message(const char *kind, const struct gc_field *fields, size_t count,
              const void *message, struct gc_bytes *ret_frame,
              struct gc_error *err)
{
    GC_AUTO(gc_bytes) frame = {0};
    gc_status st = gc_fields_write(kind, fields, count, message, &frame, err);

    if (st == GC_OK && frame.len > GC_WIRE_MAX)
        st = gc_fail(err, GC_E_CONFIG, "the options are too many");
    if (st == GC_OK)
        gc_bytes_move(ret_frame, &frame);
    return st;
}

gc_status
gc_wire_request_write(const struct gc_wire_request *request,
                      struct gc_bytes *ret_frame, struct gc_error *err)
{
    const char *wrong = wrong_request(request);
    struct wire_request message = {
        .r = *request,
        .caller = request->caller,
        .uid = request->uid == GC_WIRE_NO_UID ? 0 : request->uid,
        .host_pid = request->host_pid,
        .host_start = (int64_t)request->host_start,
    };
    gc_status st;

    if (wrong != NULL)
        st = gc_fail(err, GC_E_INTERNAL, "a request with %s", wrong);
    else
        st = write_message("request", request_fields,
                           GC_COUNT_OF(request_fields), &message, ret_frame,
                           err);
    explicit_bzero(&message, sizeof(message));
    return st;
}

gc_status
gc_wire_request_read(const struct gc_bytes *frame,
                     struct gc_wire_request *ret_request, struct gc_error *err)
{
    GC_AUTO(wire_request) message = {.uid = 0};
    const char *wrong;
    gc_status st =
        gc_fields_read("request", request_fields, GC_COUNT_OF(request_fields),
                       frame, &message, err);

    if (st != GC_OK)
        return st;
    if (message.caller < 0 || message.caller >= GC_WIRE_NO_UID
        || message.uid < 0 || message.uid >= GC_WIRE_NO_UID
        || message.host_pid < 0 || message.host_pid > INT_MAX
        || message.host_start < 0)
        return refuse("a number that cannot be", err);
    message.r.caller = (uint32_t)message.caller;
    message.r.uid = message.uid == 0 ? GC_WIRE_NO_UID : (uint32_t)message.uid;
    message.r.host_pid = (uint32_t)message.host_pid;
    message.r.host_start = (uint64_t)message.host_start;
    wrong = wrong_request(&message.r);
    if (wrong != NULL)
        return refuse(wrong, err);
    gc_wire_request_clear(ret_request);
    *ret_request = message.r;
    message.r.options = (struct gc_bytes){0}; /* given away */
    return GC_OK;
}

gc_status
gc_wire_reply_write(const struct gc_wire_reply *reply,
                    struct gc_bytes *ret_frame, struct gc_error *err)
{
    const struct wire_reply message = {
        .r = *reply,
        .status = reply->status,
        .uid = reply->uid == GC_WIRE_NO_UID ? 0 : reply->uid,
    };
    const char *wrong = wrong_reply(&message.r);

    if (wrong != NULL)
        return gc_fail(err, GC_E_INTERNAL, "a reply with %s", wrong);
    return write_message("reply", reply_fields, GC_COUNT_OF(reply_fields),
                         &message, ret_frame, err);
}

gc_status
gc_wire_reply_read(const struct gc_bytes *frame, gc_wire_call call,
                   struct gc_wire_reply *ret_reply, struct gc_error *err)
{
    struct wire_reply message = {.status = GC_OK};
    const char *wrong;
    gc_status st = gc_fields_read(
        "reply", reply_fields, GC_COUNT_OF(reply_fields), frame, &message, err);

    if (st != GC_OK)
        return st;
    if (message.r.call != call)
        return refuse("an answer to something else", err);
    if (message.status < 0 || message.status >= GC_STATUS_COUNT
        || message.uid < 0 || message.uid >= GC_WIRE_NO_UID)
        return refuse("a number that cannot be", err);
    message.r.status = (gc_status)message.status;
    message.r.uid = message.uid == 0 ? GC_WIRE_NO_UID : (uint32_t)message.uid;
    wrong = wrong_reply(&message.r);
    if (wrong != NULL)
        return refuse(wrong, err);
    *ret_reply = message.r;
    return GC_OK;
}

/* ---- errors ---- */

void
gc_wire_reply_fail(struct gc_wire_reply *reply, const struct gc_error *error)
{
    gc_wire_reply_init(reply, reply->call);
    reply->status = error->status == GC_OK ? GC_E_INTERNAL : error->status;
    (void)snprintf(reply->message, sizeof(reply->message), "%s",
                   error->message[0] == '\0' ? gc_status_word(reply->status)
                                             : error->message);
    (void)snprintf(reply->hint, sizeof(reply->hint), "%s", error->hint);
    (void)snprintf(reply->fault, sizeof(reply->fault), "%s", error->fault);
}

gc_status
gc_wire_reply_error(const struct gc_wire_reply *reply, struct gc_error *err)
{
    gc_status st = gc_fail(err, reply->status, "%s", reply->message);

    if (reply->hint[0] != '\0')
        st = gc_fail_hint(err, st, "%s", reply->hint);
    if (err != NULL)
        gc_escape(err->fault, sizeof(err->fault), reply->fault,
                  strlen(reply->fault));
    return st;
}

/* ---- packets ---- */

gc_status
gc_wire_send(int fd, const struct gc_bytes *frame, struct gc_error *err)
{
    ssize_t sent;

    do
        sent = send(fd, frame->data, frame->len, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (sent < 0 && errno == EINTR);
    if (sent == (ssize_t)frame->len)
        return GC_OK;
    return gc_fail(err, GC_E_INTERNAL, "cannot send a message: %s",
                   sent < 0 ? strerror(errno) : "cut short");
}

static gc_status
await(int fd, int64_t deadline, struct gc_error *err)
{
    struct pollfd peer = {fd, POLLIN, 0};
    int ready;

    do
        ready = poll(&peer, 1, gc_clock_left(deadline));
    while (ready < 0 && errno == EINTR);
    if (ready > 0)
        return GC_OK;
    if (ready < 0)
        return gc_fail(err, GC_E_INTERNAL, "cannot wait for a message: %s",
                       strerror(errno));
    return gc_fail(err, GC_E_UNAVAILABLE,
                   "no message came before the deadline");
}

static ssize_t
take_packet(int fd, struct iovec *part, int flags, int *ret_flags)
{
    struct msghdr message = {.msg_iov = part, .msg_iovlen = 1};
    ssize_t len;

    do
        len = recvmsg(fd, &message, flags | MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    while (len < 0 && errno == EINTR);
    *ret_flags = message.msg_flags;
    return len;
}

gc_status
gc_wire_receive(int fd, int64_t deadline, struct gc_bytes *ret_frame,
                struct gc_error *err)
{
    GC_AUTO(gc_bytes) frame = {0};
    unsigned char none;
    struct iovec part = {&none, sizeof(none)};
    gc_status st = await(fd, deadline, err);
    ssize_t len;
    int flags;

    if (st != GC_OK)
        return st;
    len = take_packet(fd, &part, MSG_PEEK | MSG_TRUNC, &flags);
    if (len <= 0)
        return gc_fail(err, GC_E_INTERNAL, "the other end is gone");
    if (len > GC_WIRE_MAX)
        return refuse("a wrong length", err);
    st = gc_bytes_reserve(&frame, (size_t)len, err);
    if (st != GC_OK)
        return st;
    part = (struct iovec){frame.data, (size_t)len};
    /* No room for descriptors: the kernel closes those that came. */
    if (take_packet(fd, &part, 0, &flags) != len
        || (flags & (MSG_TRUNC | MSG_CTRUNC)) != 0)
        return refuse("more than was asked for", err);
    frame.len = (size_t)len;
    gc_bytes_move(ret_frame, &frame);
    return GC_OK;
}
