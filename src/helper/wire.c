/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/wire.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/base/fields.h"

#define WORD(symbol, word, exit) word,
static const char *const calls[] = {
    "none",   "authenticate", "account", "establish",
    "delete", "open",         "close",   NULL};
static const char *const sources[] = {"none", "password", "ccache", NULL};
static const char *const statuses[] = {GC_STATUS_TABLE(WORD) NULL};

#define REQUEST(kind, member)                                                  \
    GC_FIELD_##kind, GC_FIELD_AT(gc_wire_request, member), NULL
static const struct gc_field request_fields[] = {
    {"call", GC_FIELD_WORD, GC_FIELD_AT(gc_wire_request, call), calls},
    {"source", GC_FIELD_WORD, GC_FIELD_AT(gc_wire_request, source), sources},
    {"caller", REQUEST(NUMBER, caller)},
    {"uid", REQUEST(NUMBER, uid)},
    {"host_pid", REQUEST(NUMBER, host_pid)},
    {"host_start", REQUEST(NUMBER, host_start)},
    {"deadline", REQUEST(NUMBER, deadline)},
    {"user", REQUEST(STRING, user)},
    {"service", REQUEST(STRING, service)},
    {"vm", REQUEST(STRING, vm)},
    {"ccname", REQUEST(STRING, ccname)},
    {"transaction", REQUEST(STRING, transaction)},
    {"password", REQUEST(STRING, password)},
    {"options", GC_FIELD_BYTES, offsetof(struct gc_wire_request, options),
     GC_WIRE_MAX, NULL},
};

#define REPLY(kind, member)                                                    \
    GC_FIELD_##kind, GC_FIELD_AT(gc_wire_reply, member), NULL
static const struct gc_field reply_fields[] = {
    {"call", GC_FIELD_WORD, GC_FIELD_AT(gc_wire_reply, call), calls},
    {"status", GC_FIELD_WORD, GC_FIELD_AT(gc_wire_reply, status), statuses},
    {"nothing", REPLY(FLAG, nothing)},
    {"suspect", REPLY(FLAG, suspect)},
    {"expired", REPLY(FLAG, expired)},
    {"uid", REPLY(NUMBER, uid)},
    {"message", REPLY(TEXT, message)},
    {"hint", REPLY(TEXT, hint)},
    {"fault", REPLY(TEXT, fault)},
    {"copies", REPLY(TEXT, copies)},
    {"transaction", REPLY(TEXT, transaction)},
    {"principal", REPLY(TEXT, principal)},
    {"vm", REPLY(TEXT, vm)},
    {"mech", REPLY(TEXT, mech)},
};

void
gc_wire_request_init(struct gc_wire_request *request, gc_wire_call call)
{
    gc_wire_request_clear(request);
    request->call = call;
    request->caller = -1;
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
    *reply = (struct gc_wire_reply){.call = call};
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

static bool
options_fit(const struct gc_wire_request *request)
{
    const struct gc_bytes *all = &request->options;
    int count = 0;

    for (const char *o = NULL; (o = gc_wire_option_next(request, o)) != NULL;)
        if (++count > GC_WIRE_OPTION_COUNT || strlen(o) > GC_WIRE_OPTION_MAX
            || strchr(o, '=') == NULL || *o == '=')
            return false;
    return all->len == 0 || all->data[all->len - 1] == '\0';
}

gc_status
gc_wire_option_add(struct gc_wire_request *request, const char *name,
                   const char *value, struct gc_error *err)
{
    char option[GC_WIRE_OPTION_MAX + 1];
    int len = snprintf(option, sizeof(option), "%s=%s", name, value);
    size_t before = request->options.len;

    if (len < 0 || len >= (int)sizeof(option)
        || gc_bytes_append(&request->options, option, (size_t)len + 1,
                           GC_WIRE_MAX, NULL)
               != GC_OK
        || !options_fit(request)) {
        request->options.len = before;
        return gc_fail(err, GC_E_CONFIG,
                       "the options are too many, or too long, at \"%.64s\"",
                       name);
    }
    return GC_OK;
}

/* ---- as text ---- */

static gc_status
refuse(const char *why, struct gc_error *err)
{
    return gc_fail(err, GC_E_PROTOCOL, "a message with %s", why);
}

/* WRONG: what the other side would refuse MESSAGE for, or NULL. */
static gc_status
write_message(const char *kind, const struct gc_field *fields, size_t count,
              const void *message, const char *wrong,
              struct gc_bytes *ret_frame, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    gc_status st;

    if (wrong != NULL)
        return gc_fail(err, GC_E_INTERNAL, "a %s with %s", kind, wrong);
    st = gc_fields_write(kind, fields, count, message, &text, err);
    if (st != GC_OK)
        return st;
    if (text.len > GC_WIRE_MAX)
        return gc_fail(err, GC_E_CONFIG, "the options are too many");
    gc_bytes_move(ret_frame, &text);
    return GC_OK;
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
        || r->caller < 0 || r->caller >= UINT32_MAX || r->uid < 0
        || r->uid >= UINT32_MAX || r->host_pid <= 0 || r->host_pid > INT_MAX
        || r->host_start < 0)
        return "a field missing";
    if (r->source > GC_WIRE_CCACHE
        || proving != (r->source != GC_WIRE_NO_SOURCE)
        || (r->source == GC_WIRE_PASSWORD) != (r->password[0] != '\0'))
        return "the wrong proof";
    if (r->transaction[0] != '\0' && !hexadecimal(r->transaction))
        return "a bad transaction";
    return options_fit(r) ? NULL : "options that cannot be";
}

/* Does R have a field that only a success may have? */
static bool
promises(const struct gc_wire_reply *r)
{
    return r->nothing || r->suspect || r->uid != 0 || r->copies[0] != '\0'
           || r->transaction[0] != '\0';
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
    if ((r->call == GC_WIRE_AUTHENTICATE) != (r->uid != 0) || r->uid < 0
        || r->uid >= UINT32_MAX)
        return "the wrong uid";
    if (r->call == GC_WIRE_AUTHENTICATE && r->principal[0] == '\0')
        return "no principal";
    return NULL;
}

/* Has TEXT no control character?  It goes to the log. */
static bool
is_plain(const char *text, size_t size)
{
    for (size_t i = 0; i < size && text[i] != '\0'; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return false;
    return true;
}

static const char *
wrong_reply(const struct gc_wire_reply *r)
{
    if (r->call < GC_WIRE_AUTHENTICATE || r->call > GC_WIRE_CLOSE
        || r->status >= GC_STATUS_COUNT)
        return "an unknown call or status";
    for (size_t i = 0; i < GC_COUNT_OF(reply_fields); i++)
        if (reply_fields[i].kind == GC_FIELD_TEXT
            && !is_plain((const char *)r + reply_fields[i].at,
                         reply_fields[i].size))
            return "a control character";
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

gc_status
gc_wire_request_write(const struct gc_wire_request *request,
                      struct gc_bytes *ret_frame, struct gc_error *err)
{
    return write_message("request", request_fields, GC_COUNT_OF(request_fields),
                         request, wrong_request(request), ret_frame, err);
}

gc_status
gc_wire_request_read(const struct gc_bytes *frame,
                     struct gc_wire_request *ret_request, struct gc_error *err)
{
    GC_AUTO(gc_wire_request) request = {0};
    const char *wrong;
    gc_status st =
        gc_fields_read("request", request_fields, GC_COUNT_OF(request_fields),
                       frame, &request, err);

    if (st != GC_OK)
        return st;
    wrong = wrong_request(&request);
    if (wrong != NULL)
        return refuse(wrong, err);
    gc_wire_request_clear(ret_request);
    *ret_request = request;
    request.options = (struct gc_bytes){0}; /* given away */
    return GC_OK;
}

gc_status
gc_wire_reply_write(const struct gc_wire_reply *reply,
                    struct gc_bytes *ret_frame, struct gc_error *err)
{
    return write_message("reply", reply_fields, GC_COUNT_OF(reply_fields),
                         reply, wrong_reply(reply), ret_frame, err);
}

gc_status
gc_wire_reply_read(const struct gc_bytes *frame, gc_wire_call call,
                   struct gc_wire_reply *ret_reply, struct gc_error *err)
{
    struct gc_wire_reply reply = {0};
    const char *wrong;
    gc_status st = gc_fields_read(
        "reply", reply_fields, GC_COUNT_OF(reply_fields), frame, &reply, err);

    if (st != GC_OK)
        return st;
    wrong = reply.call == call ? wrong_reply(&reply)
                               : "an answer to something else";
    if (wrong != NULL)
        return refuse(wrong, err);
    *ret_reply = reply;
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
    gc_status st = gc_descriptor_await(fd, (struct gc_limit){deadline, -1},
                                       "a message", err);
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
