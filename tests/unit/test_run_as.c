/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Work in a child, and what its owner makes of an answer: a result, an error, a
 * lie, or none.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/helper/run_as.h"

#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/helper/frame.h"

static int64_t
in(int ms)
{
    return gc_clock_now() + ms;
}

/* What the child is to do: USER says. */
static gc_status
work(void *user, struct gc_bytes *ret_result, struct gc_error *err)
{
    const char *what = user;
    unsigned char much[GC_RUN_AS_RESULT_MAX + 1] = {0};

    if (strcmp(what, "fail") == 0) {
        (void)gc_fail(err, GC_E_DENIED, "not today");
        return gc_fail_hint(err, GC_E_DENIED, "come back");
    }
    if (strcmp(what, "die") == 0)
        _exit(3);
    if (strcmp(what, "hang") == 0)
        (void)sleep(60);
    if (strcmp(what, "much") == 0)
        return gc_bytes_set(ret_result, much, sizeof(much), err);
    return gc_bytes_set(ret_result, what, strlen(what), err);
}

static gc_status
ask(const char *what, int ms, int cancel_fd, struct gc_bytes *result,
    struct gc_error *err)
{
    char text[16];

    (void)strncpy(text, what, sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    return gc_run_as(NULL, in(ms), cancel_fd, work, text, result, err);
}

static void
a_result_comes_back(void **state)
{
    GC_AUTO(gc_bytes) result = {0};
    struct gc_error err = {.status = GC_OK};

    (void)state;
    assert_int_equal(ask("hello", 5000, -1, &result, &err), GC_OK);
    assert_string_equal(gc_bytes_text(&result), "hello");
}

static void
an_error_comes_back(void **state)
{
    GC_AUTO(gc_bytes) result = {0};
    struct gc_error err = {.status = GC_OK};

    (void)state;
    assert_int_equal(ask("fail", 5000, -1, &result, &err), GC_E_DENIED);
    assert_string_equal(err.message, "not today");
    assert_string_equal(err.hint, "come back");
    assert_int_equal(result.len, 0);
}

static void
no_answer_is_an_error(void **state)
{
    GC_AUTO(gc_bytes) result = {0};
    struct gc_error err = {.status = GC_OK};
    int64_t before = gc_clock_now();

    (void)state;
    assert_int_equal(ask("die", 5000, -1, &result, &err), GC_E_INTERNAL);
    assert_int_equal(ask("hang", 200, -1, &result, &err), GC_E_UNAVAILABLE);
    assert_true(gc_clock_now() - before < 3000);
    assert_int_equal(ask("much", 5000, -1, &result, &err), GC_E_INTERNAL);
}

/* The host is gone: whatever is under way ends. */
static void
a_hung_up_host_ends_it(void **state)
{
    GC_AUTO(gc_bytes) result = {0};
    struct gc_error err = {.status = GC_OK};
    int64_t before = gc_clock_now();
    int host[2];

    (void)state;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, host), 0);
    assert_int_equal(close(host[1]), 0);
    assert_int_equal(ask("hang", 30000, host[0], &result, &err), GC_E_CANCELED);
    assert_true(gc_clock_now() - before < 3000);
    assert_int_equal(close(host[0]), 0);
}

/* An answer of HEAD and LEN bytes of BODY, as a hostile child might give it. */
static gc_status
hear(struct gc_frame_head head, const void *body, size_t len,
     struct gc_error *err)
{
    GC_AUTO(gc_bytes) result = {0};
    struct gc_frame_body parts = {body, NULL, len, 0};
    struct gc_child child = {.pid = 0};
    int pair[2];
    gc_status st;

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    child.socket = pair[0];
    assert_true(gc_frame_send(pair[1], 0, head, &parts));
    st = gc_run_as_hear(&child, in(1000), -1, &result, err);
    assert_int_equal(close(pair[0]), 0);
    assert_int_equal(close(pair[1]), 0);
    return st;
}

static void
lies_are_refused(void **state)
{
    struct gc_frame_failure failure;
    struct gc_error err = {.status = GC_OK};
    const struct gc_frame_head other = {.op = 7},
                               unknown = {.op = 1, .status = 999},
                               failed = {.op = 1, .status = GC_E_DENIED};

    (void)state;
    memset(&failure, 'x', sizeof(failure));
    failure.message[3] = '\n';
    assert_int_equal(hear(other, "x", 1, &err), GC_E_INTERNAL);
    assert_int_equal(hear(unknown, &failure, sizeof(failure), &err),
                     GC_E_INTERNAL);
    assert_int_equal(hear(failed, &failure, 10, &err), GC_E_INTERNAL);
    /* Texts without an end, and with what a log must not get. */
    assert_int_equal(hear(failed, &failure, sizeof(failure), &err),
                     GC_E_DENIED);
    assert_null(strchr(err.message, '\n'));
    assert_true(strlen(err.message) < sizeof(err.message));
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_result_comes_back),
        cmocka_unit_test(an_error_comes_back),
        cmocka_unit_test(no_answer_is_an_error),
        cmocka_unit_test(a_hung_up_host_ends_it),
        cmocka_unit_test(lies_are_refused),
    };

    return cmocka_run_group_tests_name("run_as", tests, NULL, NULL);
}
