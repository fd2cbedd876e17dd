/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker around an initiator that does as PLACE says: what happens when
 * the child is slow, dead or dishonest, and what it inherits.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "src/helper/frame.h"
#include "src/helper/worker.h"

/* ---- the initiator in the child ------------------------------------------ */

static void
sleep_ms(int ms)
{
    struct timespec time = {ms / 1000, (ms % 1000) * 1000000L};

    while (nanosleep(&time, &time) != 0 && errno == EINTR)
        ;
}

static void
say(struct gc_said *said, bool done, const char *text)
{
    said->done = done;
    (void)!gc_bytes_set(&said->token, text, strlen(text), NULL);
}

/* The descriptors open here, as "0 1 2 …"; the socket is the last. */
static int
list_descriptors(char *dst, size_t size)
{
    size_t used = 0;
    int last = -1;

    dst[0] = '\0';
    for (int fd = 0; fd < 256; fd++) {
        if (fcntl(fd, F_GETFD) < 0)
            continue;
        used += (size_t)snprintf(dst + used, size - used, "%d ", fd);
        last = fd;
    }
    return last;
}

/* Past the worker's back: LEN bytes as a packet of their own. */
static void
send_raw(const void *bytes, size_t len)
{
    char fds[512];

    (void)!send(list_descriptors(fds, sizeof(fds)), bytes, len, MSG_NOSIGNAL);
}

/* Looks where nobody may look, sanitizers say. */
#define NO_SANITIZER __attribute__((noinline, no_sanitize("address")))

/*
 * Does the secret lie at AT?  It is spelt backwards here, and never turned
 * around, so as not to find ourselves.
 */
NO_SANITIZER static bool
is_secret(const volatile char *at)
{
    static const char backwards[] = "yllyd-dlliw-hsifeulb";

    for (size_t i = 0; i + 1 < sizeof(backwards); i++)
        if (at[i] != backwards[sizeof(backwards) - 2 - i])
            return false;
    return true;
}

/* Does it still lie anywhere in heap or stack? */
static bool
secret_is_about(void)
{
    char line[512];
    FILE *maps = fopen("/proc/self/maps", "re");
    bool found = false;

    if (maps == NULL)
        return true;
    while (fgets(line, sizeof(line), maps) != NULL) {
        unsigned long from, to;

        if (strstr(line, "[heap]") == NULL && strstr(line, "[stack]") == NULL)
            continue;
        if (sscanf(line, "%lx-%lx", &from, &to) != 2)
            continue;
        for (const char *at = (const char *)from; at < (const char *)to - 32;
             at++)
            found = found || is_secret(at);
    }
    (void)fclose(maps);
    return found;
}

static gc_status
fake_who(struct gc_initiator *initiator, const struct gc_want *want,
         char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    (void)initiator;
    if (strcmp(want->place, "fail") == 0)
        return gc_fail(err, GC_E_NO_CREDENTIAL, "nobody");
    if (strcmp(want->place, "slow") == 0)
        sleep_ms(60000);
    (void)snprintf(ret_principal, GC_PRINCIPAL_SIZE, "%.500s@R",
                   want->principal);
    return GC_OK;
}

/* How the next export goes, as begin was told. */
static char exporting[32];
static char lent[64];

static gc_status
fake_begin(struct gc_initiator *initiator, const struct gc_want *want,
           struct gc_said *ret_said, struct gc_error *err)
{
    char text[512];
    const char *what = want->place;

    (void)initiator;
    (void)snprintf(text, sizeof(text), "%ld", (long)getpid());
    if (strcmp(what, "fail") == 0) {
        (void)gc_fail(err, GC_E_DENIED, "not %s", want->principal);
        (void)gc_fail_hint(err, GC_E_DENIED, "be somebody else");
        err->gss_major = 0xd0000;
        err->gss_minor = 2529638936u;
        return GC_E_DENIED;
    }
    (void)snprintf(exporting, sizeof(exporting), "%s",
                   strncmp(what, "export ", 7) == 0 ? what + 7 : "");
    if (want->source == GC_SOURCE_LENT)
        (void)snprintf(text, sizeof(text), "%s", lent);
    if (strcmp(what, "slow") == 0)
        sleep_ms(60000);
    if (strcmp(what, "die") == 0)
        _exit(3);
    if (strcmp(what, "crash") == 0)
        (void)raise(SIGKILL);
    if (strcmp(what, "short") == 0)
        send_raw("x", 1);
    if (strcmp(what, "nothing") == 0)
        send_raw("", 0);
    if (strcmp(what, "huge") == 0) {
        static char huge[sizeof(struct gc_frame_head) + GC_FRAME_BODY_MAX + 1];
        struct gc_frame_head head = {.op = GC_FRAME_BEGIN,
                                     .len = GC_FRAME_BODY_MAX + 1};

        memcpy(huge, &head, sizeof(head));
        send_raw(huge, sizeof(huge));
    }
    if (strcmp(what, "wrong length") == 0) {
        struct gc_frame_head heads[2] = {{.op = GC_FRAME_BEGIN, .len = 9}};

        send_raw(heads, sizeof(heads));
    }
    if (strcmp(what, "wrong op") == 0) {
        struct gc_frame_head head = {.op = GC_FRAME_ANSWER};

        send_raw(&head, sizeof(head));
    }
    if (strcmp(what, "descriptors") == 0)
        (void)list_descriptors(text, sizeof(text));
    if (strcmp(what, "limits") == 0) {
        struct rlimit core = {1, 1};

        (void)getrlimit(RLIMIT_CORE, &core);
        (void)snprintf(text, sizeof(text), "dumpable %d core %d",
                       prctl(PR_GET_DUMPABLE), (int)core.rlim_max);
    }
    say(ret_said, strcmp(what, "done") == 0, text);
    return GC_OK;
}

static gc_status
fake_answer(struct gc_initiator *initiator, const struct gc_bytes *challenge,
            struct gc_said *ret_said, struct gc_error *err)
{
    const char *text = gc_bytes_text(challenge);
    char reply[512];

    (void)initiator;
    if (strcmp(text, "fail") == 0)
        return gc_fail(err, GC_E_PROTOCOL, "a bad challenge");
    if (strcmp(text, "slow") == 0)
        sleep_ms(60000);
    if (strcmp(text, "secret?") == 0)
        text = secret_is_about() ? "yes" : "no";
    if (strcmp(text, "nothing") == 0)
        text = "";
    (void)snprintf(reply, sizeof(reply), "%s",
                   challenge->len == 0 ? "empty" : text);
    say(ret_said, true, reply);
    return GC_OK;
}

static gc_status
fake_facts(struct gc_initiator *initiator, struct gc_facts *ret_facts,
           struct gc_error *err)
{
    struct gc_facts facts = {.mech = GC_MECH_KERBEROS, .flags = 42};

    (void)initiator;
    (void)err;
    (void)snprintf(facts.principal, sizeof(facts.principal), "alice@R");
    (void)snprintf(facts.target, sizeof(facts.target), "host/guest1");
    *ret_facts = facts;
    return GC_OK;
}

static void
fake_end(struct gc_initiator *initiator)
{
    (void)initiator;
}

struct gc_initiator *
gc_initiator_local_new(void)
{
    static const struct gc_initiator_ops ops = {
        fake_who, fake_begin, fake_answer, fake_facts, fake_end, fake_end};
    static struct gc_initiator fake = {&ops};

    return &fake;
}

gc_status
gc_initiator_local_export(struct gc_initiator *initiator,
                          struct gc_bytes *ret_credential, struct gc_error *err)
{
    static const char tickets[] = "tickets\0of alice";

    (void)initiator;
    if (strcmp(exporting, "fail") == 0)
        return gc_fail(err, GC_E_NOT_SUPPORTED, "not these");
    if (strcmp(exporting, "slow") == 0)
        sleep_ms(60000);
    if (strcmp(exporting, "huge") == 0) {
        static const char huge[GC_TOKEN_MAX + 1];

        return gc_bytes_set(ret_credential, huge, sizeof(huge), err);
    }
    if (strcmp(exporting, "nothing") == 0)
        return GC_OK;
    return gc_bytes_set(ret_credential, tickets, sizeof(tickets), err);
}

gc_status
gc_initiator_local_lend(struct gc_initiator *initiator,
                        const struct gc_bytes *credential, struct gc_error *err)
{
    const char *text = gc_bytes_text(credential);

    (void)initiator;
    if (strcmp(text, "rubbish") == 0)
        return gc_fail(err, GC_E_NO_CREDENTIAL, "no tickets");
    if (strcmp(text, "die") == 0)
        _exit(3);
    if (strcmp(text, "slow") == 0)
        sleep_ms(30000);
    if (strcmp(text, "wrong size") == 0) {
        struct gc_frame_head heads[2] = {
            {.op = GC_FRAME_LEND, .len = sizeof(heads[1])}};

        send_raw(heads, sizeof(heads));
    }
    (void)snprintf(lent, sizeof(lent), "%.60s", text);
    return GC_OK;
}

/* ---- the tests' side ----------------------------------------------------- */

static struct gc_want
wanted(const char *what, int ms)
{
    struct gc_want want = {.source = GC_SOURCE_CCACHE};

    want.deadline = gc_clock_now() + ms;
    (void)snprintf(want.target, sizeof(want.target), "HOST/guest1");
    (void)snprintf(want.principal, sizeof(want.principal), "alice");
    (void)snprintf(want.place, sizeof(want.place), "%s", what);
    return want;
}

static struct gc_initiator *
make(int cancel_fd)
{
    struct gc_initiator *worker = NULL;

    assert_int_equal(gc_worker_new(cancel_fd, &worker, NULL), GC_OK);
    assert_non_null(worker);
    return worker;
}

static gc_status
begin(struct gc_initiator *worker, const char *what, int ms,
      struct gc_said *said, struct gc_error *err)
{
    struct gc_want want = wanted(what, ms);

    return worker->ops->begin(worker, &want, said, err);
}

static gc_status
answer(struct gc_initiator *worker, const char *text, struct gc_said *said,
       struct gc_error *err)
{
    GC_AUTO(gc_bytes) challenge = {0};

    if (text[0] != '\0')
        assert_int_equal(gc_bytes_set(&challenge, text, strlen(text), NULL),
                         GC_OK);
    return worker->ops->answer(worker, &challenge, said, err);
}

/* Begin honestly; the child's pid is what it says. */
static pid_t
child_of(struct gc_initiator *worker)
{
    GC_AUTO(gc_said) said = {.done = false};

    assert_int_equal(begin(worker, "ok", 5000, &said, NULL), GC_OK);
    return (pid_t)atoi(gc_bytes_text(&said.token));
}

static void
assert_no_children(void)
{
    assert_int_equal(waitpid(-1, NULL, WNOHANG), -1);
    assert_int_equal(errno, ECHILD);
}

static void
words_travel_both_ways(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_facts facts = {.flags = 0};

    (void)state;
    assert_int_equal(worker->ops->facts(worker, &facts, NULL), GC_E_INTERNAL);
    assert_int_equal(answer(worker, "hello", &said, NULL), GC_E_INTERNAL);
    assert_int_equal(begin(worker, "ok", 5000, &said, NULL), GC_OK);
    assert_false(said.done);
    assert_int_not_equal(atoi(gc_bytes_text(&said.token)), getpid());
    assert_int_equal(answer(worker, "hello", &said, NULL), GC_OK);
    assert_true(said.done);
    assert_string_equal(gc_bytes_text(&said.token), "hello");
    assert_int_equal(answer(worker, "", &said, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&said.token), "empty");
    assert_int_equal(answer(worker, "nothing", &said, NULL), GC_OK);
    assert_int_equal(said.token.len, 0);
    assert_int_equal(worker->ops->facts(worker, &facts, NULL), GC_OK);
    assert_string_equal(facts.principal, "alice@R");
    assert_string_equal(facts.target, "host/guest1");
    assert_int_equal(facts.flags, 42);
    worker->ops->end(worker);
    worker->ops->end(worker);
    assert_int_equal(worker->ops->facts(worker, &facts, NULL), GC_E_INTERNAL);
    assert_int_equal(begin(worker, "ok", 5000, &said, NULL), GC_OK);
}

static void
a_name_travels_back(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    char principal[GC_PRINCIPAL_SIZE] = "untouched";
    struct gc_want want = wanted("fail", 5000);
    struct gc_facts facts;
    struct gc_error err;

    (void)state;
    assert_int_equal(worker->ops->who(worker, &want, principal, &err),
                     GC_E_NO_CREDENTIAL);
    assert_string_equal(err.message, "nobody");
    want = wanted("slow", 100);
    assert_int_equal(worker->ops->who(worker, &want, principal, &err),
                     GC_E_UNAVAILABLE);
    assert_string_equal(principal, "untouched");
    want = wanted("ok", 5000);
    assert_int_equal(worker->ops->who(worker, &want, want.principal, NULL),
                     GC_OK);
    assert_string_equal(want.principal, "alice@R");
    assert_int_equal(worker->ops->facts(worker, &facts, NULL), GC_E_INTERNAL);
    (void)child_of(worker);
}

static void
lend(struct gc_initiator *worker, const char *text, gc_status expected)
{
    GC_AUTO(gc_bytes) credential = {0};
    struct gc_error err = {.status = GC_OK};

    assert_int_equal(gc_bytes_set(&credential, text, strlen(text), NULL),
                     GC_OK);
    assert_int_equal(
        gc_worker_lend(worker, &credential, gc_clock_now() + 5000, &err),
        expected);
    assert_int_equal(err.status, expected);
}

static void
a_credential_is_given_away(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_bytes) credential = {0};
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_error err;

    (void)state;
    assert_int_equal(gc_worker_export(worker, &credential, &err),
                     GC_E_INTERNAL);
    assert_int_equal(begin(worker, "ok", 5000, &said, NULL), GC_OK);
    assert_int_equal(gc_worker_export(worker, &credential, NULL), GC_OK);
    assert_int_equal(credential.len, 17);
    assert_memory_equal(credential.data, "tickets\0of alice", 17);
    /* The exchange goes on. */
    assert_int_equal(answer(worker, "hello", &said, NULL), GC_OK);
    assert_int_equal(gc_worker_export(worker, &credential, NULL), GC_OK);
    worker->ops->end(worker);
    assert_int_equal(gc_worker_export(worker, &credential, NULL),
                     GC_E_INTERNAL);
    assert_int_equal(begin(worker, "export fail", 5000, &said, NULL), GC_OK);
    assert_int_equal(gc_worker_export(worker, &credential, &err),
                     GC_E_NOT_SUPPORTED);
    assert_string_equal(err.message, "not these");
    assert_int_equal(answer(worker, "hello", &said, NULL), GC_E_INTERNAL);
    assert_int_equal(credential.len, 17);
}

static void
exports_that_are_none(void **state)
{
    static const struct {
        const char *what;
        gc_status expected;
    } cases[] = {{"export slow", GC_E_UNAVAILABLE},
                 {"export huge", GC_E_INTERNAL},
                 {"export nothing", GC_E_INTERNAL}};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        GC_AUTO_PTR(gc_initiator) worker = make(-1);
        GC_AUTO(gc_bytes) credential = {0};
        GC_AUTO(gc_said) said = {.done = false};

        assert_int_equal(begin(worker, cases[i].what, 500, &said, NULL), GC_OK);
        assert_int_equal(gc_worker_export(worker, &credential, NULL),
                         cases[i].expected);
        assert_int_equal(credential.len, 0);
        assert_no_children();
    }
}

static void
a_credential_is_lent(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_bytes) huge = {0};
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_want want = wanted("", 5000);

    (void)state;
    want.source = GC_SOURCE_LENT;
    lend(worker, "alice's", GC_OK);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(worker->ops->begin(worker, &want, &said, NULL), GC_OK);
        assert_string_equal(gc_bytes_text(&said.token), "alice's");
    }
    /* Lending ends what is under way. */
    lend(worker, "alice's others", GC_OK);
    assert_int_equal(answer(worker, "hello", &said, NULL), GC_E_INTERNAL);
    assert_int_equal(worker->ops->begin(worker, &want, &said, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&said.token), "alice's others");
    lend(worker, "rubbish", GC_E_NO_CREDENTIAL);
    lend(worker, "", GC_E_INTERNAL);
    assert_int_equal(gc_bytes_reserve(&huge, GC_TOKEN_MAX + 1, NULL), GC_OK);
    huge.len = GC_TOKEN_MAX + 1;
    assert_int_equal(gc_worker_lend(worker, &huge, gc_clock_now() + 5000, NULL),
                     GC_E_INTERNAL);
    huge.len = GC_TOKEN_MAX;
    memset(huge.data, 'x', GC_TOKEN_MAX);
    assert_int_equal(gc_worker_lend(worker, &huge, gc_clock_now() + 5000, NULL),
                     GC_OK);
}

static void
a_borrower_that_is_slow(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_bytes) credential = {0};
    int64_t began = gc_clock_now();

    (void)state;
    assert_int_equal(gc_bytes_set(&credential, "slow", 4, NULL), GC_OK);
    assert_int_equal(gc_worker_lend(worker, &credential, began + 200, NULL),
                     GC_E_UNAVAILABLE);
    assert_in_range(gc_clock_now() - began, 200, 2000);
    assert_no_children();
}

static void
borrowers_that_die_or_lie(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    pid_t before = child_of(worker);

    (void)state;
    lend(worker, "die", GC_E_INTERNAL);
    assert_no_children();
    lend(worker, "wrong size", GC_E_INTERNAL);
    assert_no_children();
    /* Where nobody is left, somebody is made. */
    lend(worker, "alice's", GC_OK);
    assert_int_not_equal(child_of(worker), before);
}

static void
the_largest_token_passes(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};
    GC_AUTO(gc_bytes) challenge = {0};

    (void)state;
    (void)child_of(worker);
    assert_int_equal(gc_bytes_reserve(&challenge, GC_TOKEN_MAX + 1, NULL),
                     GC_OK);
    memset(challenge.data, 'x', GC_TOKEN_MAX + 1);
    challenge.len = GC_TOKEN_MAX;
    assert_int_equal(worker->ops->answer(worker, &challenge, &said, NULL),
                     GC_OK);
    challenge.len = GC_TOKEN_MAX + 1;
    assert_int_equal(worker->ops->answer(worker, &challenge, &said, NULL),
                     GC_E_PROTOCOL);
}

static void
failures_travel_back(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_error err;
    pid_t before = child_of(worker);

    (void)state;
    assert_int_equal(begin(worker, "fail", 5000, &said, &err), GC_E_DENIED);
    assert_string_equal(err.message, "not alice");
    assert_string_equal(err.hint, "be somebody else");
    assert_int_equal(err.gss_major, 0xd0000);
    assert_int_equal(err.gss_minor, 2529638936u);
    assert_int_equal(said.token.len, 0);
    assert_int_equal(answer(worker, "hello", &said, NULL), GC_E_INTERNAL);
    /* An honest failure is no reason to part. */
    assert_int_equal(child_of(worker), before);
    assert_int_equal(answer(worker, "fail", &said, &err), GC_E_PROTOCOL);
    assert_string_equal(err.message, "a bad challenge");
    assert_int_equal(begin(worker, "fail", 5000, &said, NULL), GC_E_DENIED);
}

static void
nonsense_is_refused_before_it_is_sent(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};
    unsigned char x[GC_PASSWORD_SIZE + 1] = "x";
    const struct gc_bytes huge = {x, GC_PASSWORD_SIZE, sizeof(x)};
    struct gc_want want = wanted("ok", 5000);

    (void)state;
    want.mech = GC_MECH_NTLM + 1;
    assert_int_equal(worker->ops->begin(worker, &want, &said, NULL),
                     GC_E_INTERNAL);
    want = wanted("ok", 5000);
    want.source = GC_SOURCE_LENT + 1;
    assert_int_equal(worker->ops->begin(worker, &want, &said, NULL),
                     GC_E_INTERNAL);
    want = wanted("ok", 5000);
    want.password = &huge;
    assert_int_equal(worker->ops->begin(worker, &want, &said, NULL),
                     GC_E_INTERNAL);
    want = wanted("ok", 5000);
    (void)snprintf(want.target, sizeof(want.target), "nothing");
    assert_int_equal(worker->ops->begin(worker, &want, &said, NULL),
                     GC_E_CONFIG);
}

static void
a_dead_child_is_replaced(void **state)
{
    static const char *const ends[] = {"die", "crash"};
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(ends); i++) {
        assert_int_equal(begin(worker, ends[i], 5000, &said, NULL),
                         GC_E_INTERNAL);
        assert_no_children();
        (void)child_of(worker);
    }
    /* Also where it dies between two exchanges. */
    pid_t pid = child_of(worker);
    assert_int_equal(kill(pid, SIGKILL), 0);
    sleep_ms(50);
    assert_int_not_equal(child_of(worker), pid);
}

static void
a_slow_child_is_killed_at_the_deadline(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_error err;
    int64_t before = gc_clock_now();

    (void)state;
    assert_int_equal(begin(worker, "slow", 200, &said, &err), GC_E_UNAVAILABLE);
    assert_true(gc_clock_now() - before >= 190);
    assert_true(gc_clock_now() - before < 2000);
    assert_int_not_equal(err.hint[0], '\0');
    assert_no_children();
    assert_int_equal(begin(worker, "ok", 300, &said, NULL), GC_OK);
    assert_int_equal(answer(worker, "slow", &said, &err), GC_E_UNAVAILABLE);
    assert_no_children();
    assert_true(gc_clock_now() - before < 4000);
    assert_int_equal(begin(worker, "slow", -1, &said, &err), GC_E_UNAVAILABLE);
    (void)child_of(worker);
}

static void
on_alarm(int signal_number)
{
    (void)signal_number;
}

/* Signals interrupt the wait; they must not stretch it. */
static void
the_deadline_stands_under_signals(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};
    struct sigaction action = {.sa_flags = 0}, before;
    timer_t timer;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL,
                             .sigev_signo = SIGALRM};
    struct itimerspec every = {{0, 50000000}, {0, 50000000}};
    int64_t start = gc_clock_now();

    (void)state;
    action.sa_handler = on_alarm;
    assert_int_equal(sigaction(SIGALRM, &action, &before), 0);
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &every, NULL), 0);
    assert_int_equal(begin(worker, "slow", 300, &said, NULL), GC_E_UNAVAILABLE);
    assert_true(gc_clock_now() - start < 2000);
    assert_int_equal(timer_delete(timer), 0);
    assert_int_equal(sigaction(SIGALRM, &before, NULL), 0);
}

static void
a_call_can_be_canceled(void **state)
{
    int cancel[2];
    char byte = 0;
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_error err;
    int64_t before = gc_clock_now();

    (void)state;
    assert_int_equal(pipe2(cancel, O_CLOEXEC), 0);
    GC_AUTO_PTR(gc_initiator) worker = make(cancel[0]);
    (void)child_of(worker);
    pid_t friend = fork();
    if (friend == 0) {
        sleep_ms(150);
        (void)!write(cancel[1], "x", 1);
        _exit(0);
    }
    assert_int_equal(begin(worker, "slow", 30000, &said, &err), GC_E_CANCELED);
    assert_true(gc_clock_now() - before < 3000);
    assert_int_equal(waitpid(friend, NULL, 0), friend);
    assert_no_children();
    /* Cancelled stays cancelled: the descriptor is looked at, not read. */
    assert_int_equal(begin(worker, "slow", 30000, &said, NULL), GC_E_CANCELED);
    assert_int_equal(read(cancel[0], &byte, 1), 1);
    assert_int_equal(byte, 'x');
    (void)child_of(worker);
    (void)close(cancel[0]);
    (void)close(cancel[1]);
}

static void
a_lying_child_is_killed(void **state)
{
    static const char *const lies[] = {"short", "nothing", "huge",
                                       "wrong length", "wrong op"};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(lies); i++) {
        GC_AUTO_PTR(gc_initiator) worker = make(-1);
        GC_AUTO(gc_said) said = {.done = false};
        struct gc_error err = {.status = GC_OK};

        assert_int_equal(begin(worker, lies[i], 5000, &said, &err),
                         GC_E_INTERNAL);
        assert_int_equal(err.status, GC_E_INTERNAL);
        assert_int_equal(said.token.len, 0);
        assert_no_children();
        (void)child_of(worker);
    }
}

/* Packets that are no frames, whatever would be made of them. */
static void
packets_that_are_no_frames(void **state)
{
    static char bytes[sizeof(struct gc_frame_head) + GC_FRAME_BODY_MAX + 1];
    const size_t head_len = sizeof(struct gc_frame_head);
    const struct {
        size_t len;    /* of the packet */
        uint32_t said; /* by its head */
        bool good;
    } cases[] = {
        {head_len + 9, 9, true},
        {head_len + 9, 8, false},
        {head_len + 9, 10, false},
        {head_len + 9, UINT32_MAX, false},
        {head_len, 0, true},
        {head_len - 1, 0, false},
        {head_len + GC_FRAME_BODY_MAX, GC_FRAME_BODY_MAX, true},
        {head_len + GC_FRAME_BODY_MAX + 1, GC_FRAME_BODY_MAX + 1, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct gc_frame_head head = {.len = cases[i].said};
        GC_AUTO(gc_bytes) body = {0};
        int pair[2];

        assert_int_equal(
            socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
        memcpy(bytes, &head, sizeof(head));
        assert_int_equal(send(pair[0], bytes, cases[i].len, 0), cases[i].len);
        assert_int_equal(gc_frame_receive(pair[1], &head, &body),
                         cases[i].good);
        assert_int_equal(body.len, cases[i].good ? cases[i].said : 0);
        (void)close(pair[0]);
        (void)close(pair[1]);
    }
}

/* Secrets of one exchange are gone from the child's memory by the next leg. */
static void
the_child_keeps_no_password(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};
    GC_AUTO(gc_bytes) password = {0};
    struct gc_want want = wanted("ok", 5000);

    (void)state;
    want.source = GC_SOURCE_PASSWORD;
    assert_int_equal(gc_bytes_append(&password, "bluefish-", 9, 99, NULL), 0);
    assert_int_equal(gc_bytes_append(&password, "willd-dylly", 11, 99, NULL),
                     0);
    want.password = &password;
    assert_int_equal(worker->ops->begin(worker, &want, &said, NULL), GC_OK);
    assert_int_equal(answer(worker, "secret?", &said, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&said.token), "no");
}

static void
the_child_holds_no_descriptor_of_ours(void **state)
{
    GC_AUTO(gc_said) said = {.done = false};
    int fds[8];
    int first, second, third, socket_fd, more;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(fds); i++) {
        fds[i] = open("/dev/null", O_RDONLY); /* without O_CLOEXEC, even */
        assert_true(fds[i] >= 0);
        if (i % 2 == 0) /* and some far beyond the socket */
            assert_int_equal(dup2(fds[i], 100 + (int)i), 100 + (int)i);
    }
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    assert_int_equal(begin(worker, "descriptors", 5000, &said, NULL), GC_OK);
    assert_int_equal(sscanf(gc_bytes_text(&said.token), "%d %d %d %d %d",
                            &first, &second, &third, &socket_fd, &more),
                     4);
    assert_int_equal(first, 0);
    assert_int_equal(third, 2);
    for (size_t i = 0; i < GC_COUNT_OF(fds); i++) {
        (void)close(fds[i]);
        (void)close(100 + (int)i);
    }
}

/* Nobody shall print into our socket, only because 0 was free. */
static void
closed_standard_descriptors_stay_closed(void **state)
{
    GC_AUTO(gc_said) said = {.done = false};
    int kept = dup(STDIN_FILENO);

    (void)state;
    (void)close(STDIN_FILENO);
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    assert_int_equal(fcntl(STDIN_FILENO, F_GETFD), -1);
    assert_int_equal(begin(worker, "descriptors", 5000, &said, NULL), GC_OK);
    assert_int_not_equal(gc_bytes_text(&said.token)[0], '0');
    assert_int_equal(dup2(kept, STDIN_FILENO), STDIN_FILENO);
    (void)close(kept);
}

static int handled;

static void
handler(int signal_number)
{
    (void)signal_number;
    handled++;
    _exit(42); /* what the owner's handler does would be wrong in the child */
}

static void
the_child_is_deaf_to_the_group_s_signals(void **state)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
    struct sigaction action = {.sa_flags = 0}, before[4];
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    action.sa_handler = handler;
    for (size_t i = 0; i < GC_COUNT_OF(signals); i++)
        assert_int_equal(sigaction(signals[i], &action, &before[i]), 0);
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    pid_t pid = child_of(worker);
    for (size_t i = 0; i < GC_COUNT_OF(signals); i++)
        assert_int_equal(kill(pid, signals[i]), 0);
    assert_int_equal(answer(worker, "still there?", &said, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&said.token), "still there?");
    for (size_t i = 0; i < GC_COUNT_OF(signals); i++)
        assert_int_equal(sigaction(signals[i], &before[i], NULL), 0);
}

static void
the_child_leaves_no_core(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make(-1);
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    assert_int_equal(begin(worker, "limits", 5000, &said, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&said.token), "dumpable 0 core 0");
}

static void
reap_all(int signal_number)
{
    (void)signal_number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

/* Hosts that ignore SIGCHLD, or reap whatever comes along. */
static void
any_sigchld_will_do(void **state)
{
    void (*const dispositions[])(int) = {SIG_IGN, reap_all};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(dispositions); i++) {
        struct sigaction action = {.sa_flags = SA_RESTART}, before;
        GC_AUTO(gc_said) said = {.done = false};

        action.sa_handler = dispositions[i];
        assert_int_equal(sigaction(SIGCHLD, &action, &before), 0);
        GC_AUTO_PTR(gc_initiator) worker = make(-1);
        (void)child_of(worker);
        assert_int_equal(begin(worker, "die", 5000, &said, NULL),
                         GC_E_INTERNAL);
        assert_int_equal(begin(worker, "slow", 100, &said, NULL),
                         GC_E_UNAVAILABLE);
        (void)child_of(worker);
        gc_initiator_free(GC_TAKE(worker));
        assert_no_children();
        assert_int_equal(sigaction(SIGCHLD, &before, NULL), 0);
    }
}

static void
free_leaves_no_child(void **state)
{
    struct gc_initiator *worker = make(-1);
    pid_t pid = child_of(worker);

    (void)state;
    gc_initiator_free(worker);
    assert_no_children();
    assert_int_equal(kill(pid, 0), -1);
    worker = make(-1); /* also one that was never asked anything */
    gc_initiator_free(worker);
    assert_no_children();
}

static pid_t ourselves;

/* Ours alone: a child that gets here says so. */
static void
at_exit(void)
{
    if (getpid() != ourselves)
        _exit(77);
}

/* Of the packet sockets open here the last: an owner has one, its worker's. */
static int
find_socket(void)
{
    int found = -1;

    for (int fd = 0; fd < 256; fd++) {
        int type = 0;
        socklen_t len = sizeof(type);

        if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0
            && type == SOCK_SEQPACKET)
            found = fd;
    }
    return found;
}

/* An owner that makes a worker, tells its pid, and is killed: idle, or busy. */
static _Noreturn void
own_and_end(int tell, bool busy)
{
    struct gc_initiator *worker = NULL;
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_want want = wanted("ok", 5000), slow = wanted("slow", 30000);
    struct gc_frame_head head = {.op = GC_FRAME_BEGIN};
    struct gc_frame_body body = {&slow, NULL, sizeof(slow), 0};
    long pid;

    if (gc_worker_new(-1, &worker, NULL) != GC_OK
        || worker->ops->begin(worker, &want, &said, NULL) != GC_OK)
        _exit(1);
    pid = atol(gc_bytes_text(&said.token));
    /* Busy: it will not see that the socket closes. */
    if (busy && !gc_frame_send(find_socket(), 0, head, &body))
        _exit(1);
    (void)!write(tell, &pid, sizeof(pid));
    (void)raise(SIGKILL);
    _exit(1);
}

/* We reap our grandchildren: whether they are gone is ours to see. */
static void
watch_owner(bool busy, int *ret_status)
{
    int tell[2];
    long pid = 0;
    pid_t owner;

    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
    assert_int_equal(pipe2(tell, O_CLOEXEC), 0);
    owner = fork();
    assert_true(owner >= 0);
    if (owner == 0)
        own_and_end(tell[1], busy);
    (void)close(tell[1]);
    assert_int_equal(read(tell[0], &pid, sizeof(pid)), sizeof(pid));
    (void)close(tell[0]);
    assert_int_equal(waitpid(owner, NULL, 0), owner);
    for (int i = 0; i < 100; i++) {
        if (waitpid((pid_t)pid, ret_status, WNOHANG) == (pid_t)pid)
            return;
        sleep_ms(20);
    }
    fail_msg("the worker outlives its owner");
}

static void
the_child_dies_with_its_owner(void **state)
{
    int status = 0;

    (void)state;
    watch_owner(false, &status);
    watch_owner(true, &status);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
    assert_no_children();
}

/* It ends by itself when the socket does, and runs no exit handler of ours. */
static void
the_child_ends_quietly(void **state)
{
    int status = 0;

    (void)state;
    struct gc_initiator *worker = make(-1);
    pid_t pid = child_of(worker);
    int socket_fd = find_socket();
    assert_true(socket_fd >= 0);
    assert_int_equal(shutdown(socket_fd, SHUT_RDWR), 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    gc_initiator_free(worker);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_travel_both_ways),
        cmocka_unit_test(a_name_travels_back),
        cmocka_unit_test(a_credential_is_given_away),
        cmocka_unit_test(exports_that_are_none),
        cmocka_unit_test(a_credential_is_lent),
        cmocka_unit_test(a_borrower_that_is_slow),
        cmocka_unit_test(borrowers_that_die_or_lie),
        cmocka_unit_test(the_largest_token_passes),
        cmocka_unit_test(failures_travel_back),
        cmocka_unit_test(nonsense_is_refused_before_it_is_sent),
        cmocka_unit_test(a_dead_child_is_replaced),
        cmocka_unit_test(a_slow_child_is_killed_at_the_deadline),
        cmocka_unit_test(the_deadline_stands_under_signals),
        cmocka_unit_test(a_call_can_be_canceled),
        cmocka_unit_test(a_lying_child_is_killed),
        cmocka_unit_test(packets_that_are_no_frames),
        cmocka_unit_test(the_child_keeps_no_password),
        cmocka_unit_test(the_child_holds_no_descriptor_of_ours),
        cmocka_unit_test(closed_standard_descriptors_stay_closed),
        cmocka_unit_test(the_child_is_deaf_to_the_group_s_signals),
        cmocka_unit_test(the_child_leaves_no_core),
        cmocka_unit_test(any_sigchld_will_do),
        cmocka_unit_test(free_leaves_no_child),
        cmocka_unit_test(the_child_dies_with_its_owner),
        cmocka_unit_test(the_child_ends_quietly),
    };

    ourselves = getpid();
    (void)atexit(at_exit);
    return cmocka_run_group_tests_name("worker", tests, NULL, NULL);
}
