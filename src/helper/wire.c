/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Frames: a head, then fields in the order of one table, each at most once
 * (but for options), each with its length.  What is absent is not written, so
 * that there is one way to say a thing.
 */
#include <config.h>

#include "src/helper/wire.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "src/base/clock.h"

#define MAGIC      0x70636770u /* "pgcp", low byte first */
#define REPLY      0x100u
#define FIELD_HEAD 6 /* tag 2, length 4 */
#define FRAME_MAX  (GC_WIRE_HEAD_SIZE + GC_WIRE_BODY_MAX)

/* Numbers are 4 bytes, but for WIDE ones.  UID: absent is GC_WIRE_NO_UID. */
typedef enum { TEXT, PLAIN, NUMBER, UID, WIDE, LIST } kind;

/* A field's tag is its place in the table, from 1. */
struct field {
    kind kind;
    size_t at, size; /* of the member */
};

#define IN_REQUEST(kind, member)                                               \
    {                                                                          \
        kind, offsetof(struct gc_wire_request, member),                        \
            sizeof(((struct gc_wire_request *)NULL)->member)                   \
    }
#define IN_REPLY(kind, member)                                                 \
    {                                                                          \
        kind, offsetof(struct wire_reply, member),                             \
            sizeof(((struct wire_reply *)NULL)->member)                        \
    }

/* The enums and the bools of a message as numbers: a hostile one in them would
 * be undefined. */
struct wire_request {
    struct gc_wire_request r;
    uint32_t source;
};

struct wire_reply {
    struct gc_wire_reply r;
    uint32_t status, nothing, suspect, expired;
};

static const struct field request_fields[] = {
    {NUMBER, offsetof(struct wire_request, source), sizeof(uint32_t)},
    IN_REQUEST(UID, caller),
    IN_REQUEST(UID, uid),
    IN_REQUEST(NUMBER, host_pid),
    IN_REQUEST(WIDE, host_start),
    IN_REQUEST(WIDE, deadline),
    IN_REQUEST(TEXT, user),
    IN_REQUEST(TEXT, service),
    IN_REQUEST(TEXT, vm),
    IN_REQUEST(TEXT, ccname),
    IN_REQUEST(PLAIN, transaction),
    IN_REQUEST(TEXT, password),
    IN_REQUEST(LIST, options),
};

static const struct field reply_fields[] = {
    IN_REPLY(NUMBER, status),     IN_REPLY(NUMBER, nothing),
    IN_REPLY(NUMBER, suspect),    IN_REPLY(NUMBER, expired),
    IN_REPLY(UID, r.uid),         IN_REPLY(PLAIN, r.message),
    IN_REPLY(PLAIN, r.hint),      IN_REPLY(PLAIN, r.fault),
    IN_REPLY(PLAIN, r.copies),    IN_REPLY(PLAIN, r.transaction),
    IN_REPLY(PLAIN, r.principal), IN_REPLY(PLAIN, r.vm),
    IN_REPLY(PLAIN, r.mech),
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

static bool
option_fits(const struct gc_wire_request *request, const char *option)
{
    size_t len = strlen(option);
    const char *equals = strchr(option, '=');
    int count = 0;

    for (const char *o = NULL; (o = gc_wire_option_next(request, o)) != NULL;)
        count++;
    return count < GC_WIRE_OPTION_COUNT && len <= GC_WIRE_OPTION_MAX
           && equals != NULL && equals != option;
}

gc_status
gc_wire_option_add(struct gc_wire_request *request, const char *name,
                   const char *value, struct gc_error *err)
{
    char option[GC_WIRE_OPTION_MAX + 1];
    int len = snprintf(option, sizeof(option), "%s=%s", name, value);

    if (len < 0 || len >= (int)sizeof(option) || !option_fits(request, option)
        || gc_bytes_append(&request->options, option, (size_t)len + 1,
                           GC_WIRE_BODY_MAX, NULL)
               != GC_OK)
        return gc_fail(err, GC_E_CONFIG,
                       "the options are too many, or too long, at \"%.64s\"",
                       name);
    return GC_OK;
}

/* ---- numbers ---- */

static void
put(unsigned char *dst, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++)
        dst[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t
get(const unsigned char *src, size_t size)
{
    uint64_t value = 0;

    for (size_t i = 0; i < size; i++)
        value |= (uint64_t)src[i] << (8 * i);
    return value;
}

/* A number member at AT, whichever width it has. */
static uint64_t
load(const struct field *field, const void *message)
{
    const unsigned char *at = (const unsigned char *)message + field->at;
    uint32_t narrow;
    uint64_t wide;

    if (field->kind == WIDE) {
        memcpy(&wide, at, sizeof(wide));
        return wide;
    }
    memcpy(&narrow, at, sizeof(narrow));
    return narrow;
}

static void
store(const struct field *field, void *message, uint64_t value)
{
    unsigned char *at = (unsigned char *)message + field->at;
    uint32_t narrow = (uint32_t)value;

    if (field->kind == WIDE)
        memcpy(at, &value, sizeof(value));
    else
        memcpy(at, &narrow, sizeof(narrow));
}

static uint64_t
nothing(const struct field *field)
{
    return field->kind == UID ? GC_WIRE_NO_UID : 0;
}

static bool
is_plain(const void *text, size_t len)
{
    const unsigned char *c = text;

    for (size_t i = 0; i < len; i++)
        if (c[i] < ' ' || c[i] == 0x7f)
            return false;
    return true;
}

/* ---- writing ---- */

static gc_status
put_field(struct gc_bytes *frame, size_t tag, const void *value, size_t len,
          struct gc_error *err)
{
    unsigned char head[FIELD_HEAD];
    gc_status st;

    put(head, tag, 2);
    put(head + 2, len, 4);
    st = gc_bytes_append(frame, head, sizeof(head), FRAME_MAX, err);
    if (st == GC_OK)
        st = gc_bytes_append(frame, value, len, FRAME_MAX, err);
    return st;
}

static gc_status
put_list(struct gc_bytes *frame, size_t tag, const struct gc_bytes *list,
         struct gc_error *err)
{
    const char *first = gc_bytes_text(list), *item = first;
    gc_status st = GC_OK;

    while (st == GC_OK && (size_t)(item - first) < list->len) {
        st = put_field(frame, tag, item, strlen(item), err);
        item += strlen(item) + 1;
    }
    return st;
}

static gc_status
put_member(struct gc_bytes *frame, const struct field *field, size_t tag,
           const void *message, struct gc_error *err)
{
    const char *text = (const char *)message + field->at;
    unsigned char number[8];
    size_t len;

    switch (field->kind) {
    case LIST:
        return put_list(frame, tag, (const struct gc_bytes *)(const void *)text,
                        err);
    case TEXT:
    case PLAIN:
        len = strnlen(text, field->size);
        if (len == field->size
            || (field->kind == PLAIN && !is_plain(text, len)))
            return gc_fail(err, GC_E_INTERNAL,
                           "a message with a text that cannot be");
        return len == 0 ? GC_OK : put_field(frame, tag, text, len, err);
    case NUMBER:
    case UID:
    case WIDE:
        break;
    }
    if (load(field, message) == nothing(field))
        return GC_OK;
    put(number, load(field, message), field->size);
    return put_field(frame, tag, number, field->size, err);
}

static gc_status
write_frame(unsigned int what, const struct field *fields, size_t count,
            const void *message, struct gc_bytes *ret_frame,
            struct gc_error *err)
{
    GC_AUTO(gc_bytes) frame = {0};
    unsigned char head[GC_WIRE_HEAD_SIZE];
    gc_status st;

    put(head, MAGIC, 4);
    put(head + 4, GC_WIRE_VERSION, 2);
    put(head + 6, what, 2);
    put(head + 8, 0, 4);
    st = gc_bytes_append(&frame, head, sizeof(head), FRAME_MAX, err);
    for (size_t i = 0; st == GC_OK && i < count; i++)
        st = put_member(&frame, &fields[i], i + 1, message, err);
    if (st == GC_E_PROTOCOL)
        return gc_fail(err, GC_E_CONFIG, "the options are too many");
    if (st != GC_OK)
        return st;
    put(frame.data + 8, frame.len - sizeof(head), 4);
    gc_bytes_move(ret_frame, &frame);
    return GC_OK;
}

/* ---- reading ---- */

static bool
take_text(const struct field *field, const unsigned char *value, size_t len,
          void *message)
{
    char *text = (char *)message + field->at;

    if (len == 0 || len >= field->size || memchr(value, '\0', len) != NULL)
        return false;
    if (field->kind == PLAIN && !is_plain(value, len))
        return false;
    memcpy(text, value, len);
    text[len] = '\0';
    return true;
}

/* Only requests have a list. */
static bool
take_option(struct gc_wire_request *request, const unsigned char *value,
            size_t len)
{
    char option[GC_WIRE_OPTION_MAX + 1];

    if (len >= sizeof(option) || memchr(value, '\0', len) != NULL)
        return false;
    memcpy(option, value, len);
    option[len] = '\0';
    return option_fits(request, option)
           && gc_bytes_append(&request->options, option, len + 1,
                              GC_WIRE_BODY_MAX, NULL)
                  == GC_OK;
}

static bool
take_member(const struct field *field, const unsigned char *value, size_t len,
            void *message)
{
    switch (field->kind) {
    case LIST:
        return take_option(message, value, len);
    case TEXT:
    case PLAIN:
        return take_text(field, value, len, message);
    case NUMBER:
    case UID:
    case WIDE:
        break;
    }
    if (len != field->size || get(value, len) == nothing(field))
        return false;
    store(field, message, get(value, len));
    return true;
}

static gc_status
refuse(const char *why, struct gc_error *err)
{
    return gc_fail(err, GC_E_PROTOCOL, "a message with %s", why);
}

/* RET_WHAT: the kind that the head names. */
static gc_status
read_head(const struct gc_bytes *frame, unsigned int *ret_what,
          struct gc_error *err)
{
    if (frame->len < GC_WIRE_HEAD_SIZE || get(frame->data, 4) != MAGIC)
        return refuse("no head", err);
    if (get(frame->data + 4, 2) != GC_WIRE_VERSION)
        return gc_fail(err, GC_E_PROTOCOL,
                       "module and helper are of different versions");
    if (get(frame->data + 8, 4) != frame->len - GC_WIRE_HEAD_SIZE
        || frame->len > FRAME_MAX)
        return refuse("a wrong length", err);
    *ret_what = (unsigned int)get(frame->data + 6, 2);
    return GC_OK;
}

static gc_status
read_fields(const struct gc_bytes *frame, const struct field *fields,
            size_t count, void *message, struct gc_error *err)
{
    const unsigned char *at = frame->data + GC_WIRE_HEAD_SIZE;
    const unsigned char *end = frame->data + frame->len;
    uint64_t last = 0, tag, len;

    while (at < end) {
        if (end - at < FIELD_HEAD)
            return refuse("half a field", err);
        tag = get(at, 2);
        len = get(at + 2, 4);
        at += FIELD_HEAD;
        if (len > (uint64_t)(end - at))
            return refuse("a field that is too long", err);
        if (tag == 0 || tag > count || tag < last
            || (tag == last && fields[tag - 1].kind != LIST))
            return refuse("a field out of place", err);
        if (!take_member(&fields[tag - 1], at, (size_t)len, message))
            return refuse("a field that cannot be", err);
        last = tag;
        at += len;
    }
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
        || r->caller == GC_WIRE_NO_UID || r->host_pid == 0
        || r->host_pid > INT_MAX)
        return "a field too few";
    if (r->source > GC_WIRE_CCACHE
        || proving != (r->source != GC_WIRE_NO_SOURCE)
        || (r->source == GC_WIRE_PASSWORD) != (r->password[0] != '\0'))
        return "the wrong proof";
    if (r->transaction[0] != '\0' && !hexadecimal(r->transaction))
        return "a bad transaction";
    return NULL;
}

/* Is there anything that only success brings? */
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
        return "nothing done, and no reason";
    if (r->expired)
        return "a success that has expired";
    if (r->suspect && !r->nothing)
        return "a suspect that was served";
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

static const char *
wrong_reply(const struct gc_wire_reply *r)
{
    if (r->call < GC_WIRE_AUTHENTICATE || r->call > GC_WIRE_CLOSE
        || r->status >= GC_STATUS_COUNT)
        return "an unknown call or status";
    if (r->transaction[0] != '\0' && !hexadecimal(r->transaction))
        return "a bad transaction";
    if (r->status == GC_OK)
        return wrong_success(r);
    if (promises(r))
        return "a refusal that promises";
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
    const char *wrong = wrong_request(request);
    struct wire_request message = {.source = request->source};
    gc_status st;

    if (wrong != NULL)
        return gc_fail(err, GC_E_INTERNAL, "a request with %s", wrong);
    message.r = *request;
    st = write_frame(request->call, request_fields, GC_COUNT_OF(request_fields),
                     &message, ret_frame, err);
    explicit_bzero(&message, sizeof(message));
    return st;
}

gc_status
gc_wire_request_read(const struct gc_bytes *frame,
                     struct gc_wire_request *ret_request, struct gc_error *err)
{
    GC_AUTO(wire_request) message = {.source = 0};
    unsigned int what = 0;
    const char *wrong;
    gc_status st;

    gc_wire_request_init(&message.r, 0);
    st = read_head(frame, &what, err);
    if (st == GC_OK && (what < GC_WIRE_AUTHENTICATE || what > GC_WIRE_CLOSE))
        return refuse("an unknown call", err);
    if (st == GC_OK)
        st = read_fields(frame, request_fields, GC_COUNT_OF(request_fields),
                         &message, err);
    if (st != GC_OK)
        return st;
    if (message.source > GC_WIRE_CCACHE)
        return refuse("the wrong proof", err);
    message.r.call = (gc_wire_call)what;
    message.r.source = (gc_wire_source)message.source;
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
    const char *wrong = wrong_reply(reply);
    struct wire_reply message = {
        .r = *reply,
        .status = reply->status,
        .nothing = reply->nothing,
        .suspect = reply->suspect,
        .expired = reply->expired,
    };

    if (wrong != NULL)
        return gc_fail(err, GC_E_INTERNAL, "a reply with %s", wrong);
    return write_frame(REPLY | reply->call, reply_fields,
                       GC_COUNT_OF(reply_fields), &message, ret_frame, err);
}

gc_status
gc_wire_reply_read(const struct gc_bytes *frame, gc_wire_call call,
                   struct gc_wire_reply *ret_reply, struct gc_error *err)
{
    struct wire_reply message = {.status = GC_OK};
    unsigned int what = 0;
    const char *wrong;
    gc_status st;

    gc_wire_reply_init(&message.r, call);
    st = read_head(frame, &what, err);
    if (st == GC_OK && what != (REPLY | call))
        return refuse("an answer to something else", err);
    if (st == GC_OK)
        st = read_fields(frame, reply_fields, GC_COUNT_OF(reply_fields),
                         &message, err);
    if (st != GC_OK)
        return st;
    if (message.status >= GC_STATUS_COUNT || message.nothing > 1
        || message.suspect > 1 || message.expired > 1)
        return refuse("an unknown call or status", err);
    message.r.status = (gc_status)message.status;
    message.r.nothing = message.nothing == 1;
    message.r.suspect = message.suspect == 1;
    message.r.expired = message.expired == 1;
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
    if (len < GC_WIRE_HEAD_SIZE || len > FRAME_MAX)
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
