/* SPDX-License-Identifier: Apache-2.0 */
/*
 * src/helper/wire: what is written is read back, and nothing else is.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "src/helper/wire.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/clock.h"

#define ID "0123456789abcdef0123456789abcdef"

static void
set(char *dst, const char *text)
{
    memcpy(dst, text, strlen(text) + 1);
}

/* A password login with everything in it. */
static void
make_request(struct gc_wire_request *r)
{
    gc_wire_request_init(r, GC_WIRE_AUTHENTICATE);
    r->source = GC_WIRE_PASSWORD;
    r->caller = 0;
    r->uid = 1000;
    r->host_pid = 4711;
    r->host_start = INT64_MAX;
    r->deadline = INT64_MAX;
    set(r->user, "al\nice %s \" \xff");
    set(r->service, "sshd");
    set(r->vm, "build");
    set(r->ccname, "FILE:/tmp/krb5cc_1000");
    set(r->transaction, ID);
    set(r->password, "s3cret");
    assert_int_equal(gc_wire_option_add(r, "url", "https://vc/", NULL), GC_OK);
    assert_int_equal(gc_wire_option_add(r, "mutual", "yes", NULL), GC_OK);
}

static void
make_success(struct gc_wire_reply *r)
{
    gc_wire_reply_init(r, GC_WIRE_AUTHENTICATE);
    r->uid = 1000;
    set(r->principal, "alice@EXAMPLE.TEST");
    set(r->transaction, ID);
    set(r->vm, "vm-42");
    set(r->mech, "kerberos");
}

static void
request_round_trip(void **state)
{
    GC_AUTO(gc_wire_request) r = {0}, back = {0};
    GC_AUTO(gc_bytes) frame = {0}, again = {0};
    const char *option;

    (void)state;
    make_request(&r);
    assert_int_equal(gc_wire_request_write(&r, &frame, NULL), GC_OK);
    assert_int_equal(gc_wire_request_read(&frame, &back, NULL), GC_OK);
    assert_int_equal(back.call, GC_WIRE_AUTHENTICATE);
    assert_int_equal(back.source, GC_WIRE_PASSWORD);
    assert_int_equal(back.caller, 0);
    assert_int_equal(back.uid, 1000);
    assert_int_equal(back.host_pid, 4711);
    assert_true(back.host_start == INT64_MAX);
    assert_true(back.deadline == INT64_MAX);
    assert_string_equal(back.user, "al\nice %s \" \xff");
    assert_string_equal(back.service, "sshd");
    assert_string_equal(back.vm, "build");
    assert_string_equal(back.ccname, "FILE:/tmp/krb5cc_1000");
    assert_string_equal(back.transaction, ID);
    assert_string_equal(back.password, "s3cret");
    option = gc_wire_option_next(&back, NULL);
    assert_string_equal(option, "url=https://vc/");
    option = gc_wire_option_next(&back, option);
    assert_string_equal(option, "mutual=yes");
    assert_null(gc_wire_option_next(&back, option));
    assert_int_equal(gc_wire_request_write(&back, &again, NULL), GC_OK);
    assert_int_equal(frame.len, again.len);
    assert_memory_equal(frame.data, again.data, frame.len);
}

static void
reply_round_trip(void **state)
{
    struct gc_wire_reply r, back;
    GC_AUTO(gc_bytes) frame = {0};

    (void)state;
    make_success(&r);
    assert_int_equal(gc_wire_reply_write(&r, &frame, NULL), GC_OK);
    assert_int_equal(
        gc_wire_reply_read(&frame, GC_WIRE_AUTHENTICATE, &back, NULL), GC_OK);
    assert_int_equal(back.status, GC_OK);
    assert_int_equal(back.uid, 1000);
    assert_false(back.nothing);
    assert_string_equal(back.principal, "alice@EXAMPLE.TEST");
    assert_string_equal(back.transaction, ID);
    assert_string_equal(back.mech, "kerberos");

    gc_wire_reply_init(&r, GC_WIRE_OPEN);
    set(r.copies, "/run/guestcred/1000/x");
    set(r.transaction, ID);
    assert_int_equal(gc_wire_reply_write(&r, &frame, NULL), GC_OK);
    assert_int_equal(gc_wire_reply_read(&frame, GC_WIRE_OPEN, &back, NULL),
                     GC_OK);
    assert_string_equal(back.copies, "/run/guestcred/1000/x");
}

/* An error crosses with all its text, and is escaped on arrival. */
static void
refusal_round_trip(void **state)
{
    struct gc_error error = {.status = GC_OK}, back = {.status = GC_OK};
    struct gc_wire_reply r, read;
    GC_AUTO(gc_bytes) frame = {0};
    gc_status st = gc_fail(&error, GC_E_BUSY, "later");

    (void)state;
    st = gc_fail_hint(&error, st, "wait");
    set(error.fault, "TaskInProgress");
    gc_wire_reply_init(&r, GC_WIRE_DELETE);
    gc_wire_reply_fail(&r, &error);
    assert_int_equal(gc_wire_reply_write(&r, &frame, NULL), GC_OK);
    assert_int_equal(gc_wire_reply_read(&frame, GC_WIRE_DELETE, &read, NULL),
                     GC_OK);
    assert_int_equal(gc_wire_reply_error(&read, &back), st);
    assert_string_equal(back.message, "later");
    assert_string_equal(back.hint, "wait");
    assert_string_equal(back.fault, "TaskInProgress");
    set(read.message, "a\x1b[2J");
    assert_int_equal(gc_wire_reply_error(&read, &back), GC_E_BUSY);
    assert_string_equal(back.message, "a\\x1b[2J");
    /* A failure without a cause is still none that passes for success. */
    error = (struct gc_error){.status = GC_OK};
    gc_wire_reply_fail(&r, &error);
    assert_int_equal(r.status, GC_E_INTERNAL);
    assert_int_equal(gc_wire_reply_write(&r, &frame, NULL), GC_OK);
}

typedef void spoil(struct gc_wire_request *r);
#define SPOIL(name, body)                                                      \
    static void name(struct gc_wire_request *r)                                \
    {                                                                          \
        body;                                                                  \
    }
SPOIL(no_user, r->user[0] = '\0')
SPOIL(no_service, r->service[0] = '\0')
SPOIL(no_deadline, r->deadline = 0)
SPOIL(negative_deadline, r->deadline = -1)
SPOIL(no_caller, r->caller = -1)
SPOIL(no_host, r->host_pid = 0)
SPOIL(host_too_big, r->host_pid = UINT32_MAX)
SPOIL(no_source, r->source = GC_WIRE_NO_SOURCE)
SPOIL(odd_source, r->source = (gc_wire_source)3)
SPOIL(no_password, r->password[0] = '\0')
SPOIL(password_with_cache, r->source = GC_WIRE_CCACHE)
SPOIL(password_in_session, r->call = GC_WIRE_OPEN; r->source = 0)
SPOIL(source_in_session, r->call = GC_WIRE_OPEN; r->password[0] = '\0')
SPOIL(short_transaction, r->transaction[31] = '\0')
SPOIL(upper_transaction, r->transaction[0] = 'A')
SPOIL(odd_call, r->call = (gc_wire_call)7)
SPOIL(no_call, r->call = (gc_wire_call)0)

static void
request_that_cannot_be(void **state)
{
    static spoil *const spoils[] = {
        no_user,
        no_service,
        no_deadline,
        negative_deadline,
        no_caller,
        no_host,
        host_too_big,
        no_source,
        odd_source,
        no_password,
        password_with_cache,
        password_in_session,
        source_in_session,
        short_transaction,
        upper_transaction,
        odd_call,
        no_call,
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(spoils); i++) {
        GC_AUTO(gc_wire_request) r = {0};
        GC_AUTO(gc_bytes) frame = {0};

        make_request(&r);
        spoils[i](&r);
        if (gc_wire_request_write(&r, &frame, NULL) != GC_E_INTERNAL)
            fail_msg("request %zu was written", i);
        assert_int_equal(frame.len, 0);
    }
}

static void
reply_that_cannot_be(void **state)
{
    GC_AUTO(gc_bytes) frame = {0};
    struct gc_wire_reply r;

    (void)state;
#define REFUSED                                                                \
    assert_int_equal(gc_wire_reply_write(&r, &frame, NULL), GC_E_INTERNAL)
    make_success(&r), set(r.mech, "a\nb"), REFUSED;
    make_success(&r), set(r.mech, "\xff"), REFUSED;
    make_success(&r), memset(r.mech, 'a', sizeof(r.mech)), REFUSED;
    make_success(&r), r.uid = 0, REFUSED;
    make_success(&r), r.uid = UINT32_MAX, REFUSED;
    make_success(&r), r.uid = -1, REFUSED;
    make_success(&r), r.principal[0] = '\0', REFUSED;
    make_success(&r), r.transaction[0] = '\0', REFUSED;
    make_success(&r), r.transaction[3] = 'x', REFUSED;
    make_success(&r), r.nothing = true, REFUSED;
    make_success(&r), r.suspect = true, REFUSED;
    make_success(&r), set(r.copies, "DIR:/x"), REFUSED;
    make_success(&r), r.status = GC_E_DENIED, REFUSED;
    make_success(&r), set(r.message, "no"), r.status = GC_E_DENIED, REFUSED;
    make_success(&r), r.status = GC_STATUS_COUNT, REFUSED;
    make_success(&r), r.call = (gc_wire_call)0, REFUSED;
    gc_wire_reply_init(&r, GC_WIRE_OPEN), REFUSED; /* no cache */
    set(r.transaction, ID), set(r.copies, "FILE:/x"), REFUSED;
    set(r.copies, "DIR:/x"), r.transaction[0] = '\0', REFUSED;
    set(r.transaction, ID), r.uid = 1000, REFUSED;
    gc_wire_reply_init(&r, GC_WIRE_OPEN), r.nothing = true, REFUSED;
    set(r.message, "why"), set(r.copies, "DIR:/x"), REFUSED;
    r.copies[0] = '\0';
    for (int turn = 0; turn < 2; turn++) {
        struct gc_wire_reply back = {.call = 0};

        r.suspect = turn == 1;
        assert_int_equal(gc_wire_reply_write(&r, &frame, NULL), GC_OK);
        assert_int_equal(gc_wire_reply_read(&frame, r.call, &back, NULL),
                         GC_OK);
        assert_true(back.nothing);
        assert_int_equal(back.suspect, r.suspect);
    }
    r.expired = true, REFUSED;
    r.expired = false, r.nothing = false, REFUSED;
    gc_wire_reply_init(&r, GC_WIRE_AUTHENTICATE), r.expired = true;
    r.status = GC_E_BUSY, set(r.message, "why"), REFUSED;
    r.status = GC_E_DENIED, r.call = GC_WIRE_ACCOUNT, REFUSED;
    make_success(&r), r.expired = true, REFUSED;
    gc_wire_reply_init(&r, GC_WIRE_CLOSE), set(r.copies, "DIR:/x"), REFUSED;
    gc_wire_reply_init(&r, GC_WIRE_CLOSE), r.status = GC_E_BUSY, REFUSED;
#undef REFUSED
}

/* Cut anywhere: refused. */
static void
damaged(void **state)
{
    GC_AUTO(gc_wire_request) r = {0}, back = {0};
    GC_AUTO(gc_bytes) frame = {0}, cut = {0};

    (void)state;
    make_request(&r);
    assert_int_equal(gc_wire_request_write(&r, &frame, NULL), GC_OK);
    for (size_t len = 0; len < frame.len; len++) {
        assert_int_equal(gc_bytes_set(&cut, frame.data, len, NULL), GC_OK);
        assert_int_equal(gc_wire_request_read(&cut, &back, NULL),
                         GC_E_PROTOCOL);
    }
}

static gc_status
read_reply(const char *body, gc_wire_call call)
{
    GC_AUTO(gc_bytes) frame = {0};
    struct gc_wire_reply reply = {.call = 0};
    char text[512];
    int len = snprintf(text, sizeof(text), "guestcred 1 reply\n%send\n", body);

    assert_int_equal(gc_bytes_set(&frame, text, (size_t)len, NULL), GC_OK);
    return gc_wire_reply_read(&frame, call, &reply, NULL);
}

static void
fields(void **state)
{
    /* GC_E_BUSY with a message, then what is wrong with it */
#define BUSY    "call=open\nstatus=busy\n"
#define NOTHING "call=open\nnothing=yes\n"
#define MESSAGE "message=no\n"
    static const struct {
        const char *body;
        bool good;
    } rows[] = {
        {BUSY MESSAGE, true},
        {MESSAGE BUSY, true},
        {BUSY MESSAGE MESSAGE, false},
        {BUSY MESSAGE "more=x\n", false},
        {BUSY MESSAGE "mech=x\n", true},
        {BUSY MESSAGE "mech=x\\x00\n", false},
        {BUSY MESSAGE "mech=x\\x0a\n", false},
        {BUSY MESSAGE "mech=x\\x7f\n", false},
        {BUSY MESSAGE "mech=aaaaaaaaaaaaaaa\n", true},
        {BUSY MESSAGE "mech=aaaaaaaaaaaaaaaa\n", false},
        {"status=busy\n" MESSAGE, false},
        {"call=none\n" MESSAGE, false},
        {"call=open\nstatus=late\n" MESSAGE, false},
        {"call=open\nstatus=6\n" MESSAGE, false},
        {"call=open\nstatus=\n" MESSAGE, false},
        {BUSY "nothing=yes\n" MESSAGE, false}, /* promises */
        {BUSY "uid=1000\n" MESSAGE, false},
        {BUSY "uid=4294967295\n" MESSAGE, false},
        {NOTHING MESSAGE, true},
        {NOTHING, false},
        {NOTHING "suspect=yes\n" MESSAGE, true},
        {NOTHING "suspect=no\n" MESSAGE, false},
        {"call=open\nsuspect=yes\n" MESSAGE, false},
        {NOTHING "expired=yes\n" MESSAGE, false},
        {BUSY "expired=yes\n" MESSAGE, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(rows); i++) {
        gc_status st = read_reply(rows[i].body, GC_WIRE_OPEN);

        if (st != (rows[i].good ? GC_OK : GC_E_PROTOCOL))
            fail_msg("row %zu: status %d", i, (int)st);
        /* The same bytes answer no other question. */
        assert_int_equal(read_reply(rows[i].body, GC_WIRE_CLOSE),
                         GC_E_PROTOCOL);
    }
}

/* What a request's text may not say. */
static void
hostile_requests(void **state)
{
    static const char start[] = "guestcred 1 request\ncall=open\nuser=a\n"
                                "service=s\ndeadline=5\nhost_pid=2\n";
    static const struct {
        const char *more;
        bool good;
    } rows[] = {
        {"", true},
        {"uid=-1\n", false},
        {"uid=4294967295\n", false},
        {"caller=-1\n", false},
        {"host_start=-1\n", false},
        {"source=password\n", false},
        {"options=a=b\\x00c=d\\x00\n", true},
        {"options=a=b\\x00c=d\n", false},
        {"options=a\\x00\n", false},
        {"options==a\\x00\n", false},
        {"options=\\x00\n", false},
        {"transaction=x\n", false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(rows); i++) {
        GC_AUTO(gc_wire_request) back = {0};
        GC_AUTO(gc_bytes) frame = {0};
        char text[512];
        int len =
            snprintf(text, sizeof(text), "%s%send\n", start, rows[i].more);

        assert_int_equal(gc_bytes_set(&frame, text, (size_t)len, NULL), GC_OK);
        if ((gc_wire_request_read(&frame, &back, NULL) == GC_OK)
            != rows[i].good)
            fail_msg("%s", rows[i].more);
        /* What is absent lets nothing in. */
        if (rows[i].good)
            assert_true(back.uid == 0);
    }
}

/* A request is no reply, and the other way round. */
static void
mirrored(void **state)
{
    GC_AUTO(gc_wire_request) r = {0}, back = {0};
    GC_AUTO(gc_bytes) frame = {0};
    struct gc_wire_reply reply;

    (void)state;
    make_request(&r);
    assert_int_equal(gc_wire_request_write(&r, &frame, NULL), GC_OK);
    assert_int_equal(
        gc_wire_reply_read(&frame, GC_WIRE_AUTHENTICATE, &reply, NULL),
        GC_E_PROTOCOL);
    make_success(&reply);
    assert_int_equal(gc_wire_reply_write(&reply, &frame, NULL), GC_OK);
    assert_int_equal(gc_wire_request_read(&frame, &back, NULL), GC_E_PROTOCOL);
}

static void
options_have_an_end(void **state)
{
    GC_AUTO(gc_wire_request) r = {0};
    static char value[GC_WIRE_OPTION_MAX];

    (void)state;
    gc_wire_request_init(&r, GC_WIRE_OPEN);
    memset(value, 'x', sizeof(value) - 1);
    assert_int_equal(gc_wire_option_add(&r, "name", value, NULL), GC_E_CONFIG);
    value[GC_WIRE_OPTION_MAX - 5] = '\0';
    assert_int_equal(gc_wire_option_add(&r, "name", value, NULL), GC_OK);
    assert_int_equal(gc_wire_option_add(&r, "", "x", NULL), GC_E_CONFIG);
    for (int i = 1; i < GC_WIRE_OPTION_COUNT; i++)
        assert_int_equal(gc_wire_option_add(&r, "n", "", NULL), GC_OK);
    assert_int_equal(gc_wire_option_add(&r, "n", "v", NULL), GC_E_CONFIG);
}

static void
packets(void **state)
{
    GC_AUTO(gc_bytes) frame = {0}, back = {0};
    static const char big[GC_WIRE_MAX + 1] = "x";
    struct gc_wire_reply r;
    int64_t start = gc_clock_now();
    int pair[2];

    (void)state;
    make_success(&r);
    assert_int_equal(gc_wire_reply_write(&r, &frame, NULL), GC_OK);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_int_equal(gc_wire_receive(pair[1], start + 30, &back, NULL),
                     GC_E_UNAVAILABLE);
    assert_true(gc_clock_now() >= start + 30);
    assert_int_equal(gc_wire_send(pair[0], &frame, NULL), GC_OK);
    assert_int_equal(gc_wire_receive(pair[1], start + 5000, &back, NULL),
                     GC_OK);
    assert_int_equal(back.len, frame.len);
    assert_memory_equal(back.data, frame.data, back.len);
    assert_int_equal(send(pair[0], big, sizeof(big), 0), sizeof(big));
    assert_int_equal(gc_wire_receive(pair[1], start + 5000, &back, NULL),
                     GC_E_PROTOCOL);
    assert_int_equal(recv(pair[1], &r, 1, 0), 1);
    (void)close(pair[0]);
    assert_int_equal(gc_wire_receive(pair[1], start + 5000, &back, NULL),
                     GC_E_INTERNAL);
    assert_int_equal(gc_wire_send(pair[1], &frame, NULL), GC_E_INTERNAL);
    (void)close(pair[1]);
}

/* Descriptors are not taken, and do not stay open. */
static void
no_descriptors(void **state)
{
    GC_AUTO(gc_bytes) back = {0};
    char text[32] = "pgcp............";
    struct iovec part = {text, sizeof(text)};
    union {
        struct cmsghdr head;
        char space[CMSG_SPACE(sizeof(int))];
    } control = {.space = {0}};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = &control,
                             .msg_controllen = sizeof(control)};
    int pair[2], given = open("/dev/null", O_RDONLY | O_CLOEXEC), next;

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    control.head.cmsg_level = SOL_SOCKET;
    control.head.cmsg_type = SCM_RIGHTS;
    control.head.cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(&control.head), &given, sizeof(int));
    assert_int_equal(sendmsg(pair[0], &message, 0), sizeof(text));
    assert_int_equal(
        gc_wire_receive(pair[1], gc_clock_now() + 5000, &back, NULL),
        GC_E_PROTOCOL);
    next = dup(given);
    assert_int_equal(next, pair[1] + 1);
    (void)close(next);
    (void)close(given);
    (void)close(pair[0]);
    (void)close(pair[1]);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(request_round_trip),
        cmocka_unit_test(reply_round_trip),
        cmocka_unit_test(refusal_round_trip),
        cmocka_unit_test(request_that_cannot_be),
        cmocka_unit_test(reply_that_cannot_be),
        cmocka_unit_test(damaged),
        cmocka_unit_test(fields),
        cmocka_unit_test(hostile_requests),
        cmocka_unit_test(mirrored),
        cmocka_unit_test(options_have_an_end),
        cmocka_unit_test(packets),
        cmocka_unit_test(no_descriptors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
