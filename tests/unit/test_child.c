/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A child's birth and end, and what it must have become before anything runs in
 * it: with every system call on the way failing once, and, as root, for real.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "src/base/child.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/keyctl.h>
#include <linux/securebits.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "tests/unit/skips.h"

/* ---- the accounts -------------------------------------------------------- */

static struct passwd account;
static int lookup_errno;

static struct passwd *
look_up(void)
{
    errno = lookup_errno;
    return lookup_errno != 0 || account.pw_name == NULL ? NULL : &account;
}

struct passwd *
getpwnam(const char *name)
{
    (void)name;
    return look_up();
}

struct passwd *
getpwuid(uid_t uid)
{
    (void)uid;
    return look_up();
}

static char alice[] = "alice";

static void
make_account(void)
{
    account = (struct passwd){.pw_name = alice, .pw_uid = 2001, .pw_gid = 2002};
    lookup_errno = 0;
}

static void
whom_an_account_is(void **state)
{
    struct gc_child_as as = {.uid = 0}, same = {.uid = 0};

    (void)state;
    make_account();
    assert_int_equal(gc_child_as_user("alice", &as, NULL), GC_OK);
    assert_int_equal(as.uid, 2001);
    assert_int_equal(as.gid, 2002);
    assert_int_equal(gc_child_as_uid(2001, &same, NULL), GC_OK);
    assert_memory_equal(&same, &as, sizeof(as));
}

static void
another_s_account_is_nobody_s(void **state)
{
    static const char *const others[] = {"alic", "alicex", "ALICE", ""};
    static const int misses[] = {ENOENT, ESRCH, EBADF, EPERM};
    static const int troubles[] = {EIO, EMFILE, ENOMEM, ERANGE};
    struct gc_child_as as = {.uid = 77};
    struct gc_error err;

    (void)state;
    make_account();
    for (size_t i = 0; i < GC_COUNT_OF(others); i++)
        assert_int_equal(gc_child_as_user(others[i], &as, NULL),
                         GC_E_NOT_FOUND);
    assert_int_equal(gc_child_as_uid(2002, &as, NULL), GC_E_NOT_FOUND);
    for (size_t i = 0; i < GC_COUNT_OF(misses); i++) {
        lookup_errno = misses[i];
        assert_int_equal(gc_child_as_user("alice", &as, NULL), GC_E_NOT_FOUND);
        assert_int_equal(gc_child_as_uid(2001, &as, NULL), GC_E_NOT_FOUND);
        lookup_errno = troubles[i];
        assert_int_equal(gc_child_as_user("alice", &as, NULL), GC_E_FAILED);
        assert_int_equal(gc_child_as_uid(2001, &as, NULL), GC_E_FAILED);
    }
    make_account();
    account.pw_name = NULL;
    assert_int_equal(gc_child_as_user("a\nb", &as, &err), GC_E_NOT_FOUND);
    assert_non_null(strstr(err.message, "a\\x0ab"));
    assert_int_equal(gc_child_as_uid(2001, &as, NULL), GC_E_NOT_FOUND);
    assert_int_equal(as.uid, 77);
}

/* ---- the kernel, watched and bent ---------------------------------------- */

/* The system calls on the way, one letter each, in the order they came. */
static char steps[64];
static bool pretending; /* the ids change on paper only */
static char failing;    /* the step that fails … */
static int failing_at;  /* … when it comes the so-many'th time, from 1 */
static struct gc_child_as on_paper;

/* Note step LETTER; true where it is to fail. */
static bool
step(char letter)
{
    size_t used = strlen(steps);
    int before = 0;

    for (size_t i = 0; i < used; i++)
        before += steps[i] == letter;
    if (used + 1 < sizeof(steps))
        steps[used] = letter;
    return letter == failing && before + 1 == failing_at;
}

int
setgroups(size_t count, const gid_t *groups)
{
    if (step('g'))
        return -1;
    return pretending ? 0 : (int)syscall(SYS_setgroups, count, groups);
}

int
setresgid(gid_t r, gid_t e, gid_t s)
{
    if (step('G'))
        return -1;
    return pretending ? 0 : (int)syscall(SYS_setresgid, r, e, s);
}

/* Going back to root must fail, so there it is success that is the fault. */
int
setresuid(uid_t r, uid_t e, uid_t s)
{
    if (r == 0 && e == 0 && s == 0) {
        if (step('0'))
            return 0;
        return pretending ? -1 : (int)syscall(SYS_setresuid, r, e, s);
    }
    if (step('U'))
        return -1;
    return pretending ? 0 : (int)syscall(SYS_setresuid, r, e, s);
}

int
getresuid(uid_t *r, uid_t *e, uid_t *s)
{
    if (!pretending)
        return (int)syscall(SYS_getresuid, r, e, s);
    *r = *e = *s = on_paper.uid;
    if (step('r'))
        *r = 0;
    if (step('e'))
        *e = 0;
    if (step('s'))
        *s = 0;
    return 0;
}

int
getresgid(gid_t *r, gid_t *e, gid_t *s)
{
    if (!pretending)
        return (int)syscall(SYS_getresgid, r, e, s);
    *r = *e = *s = on_paper.gid;
    if (step('R'))
        *r = 0;
    if (step('E'))
        *e = 0;
    if (step('S'))
        *s = 0;
    return 0;
}

static bool stuck;    /* no signal reaches a child … */
static bool nameless; /* … nor is there a descriptor of it */
static bool filtered; /* there is one, but no signal goes through it */
static int kills;

/* Whoever calls, the kernel reads as many words as it likes. */
#define NO_SANITIZER __attribute__((no_sanitize("address")))

NO_SANITIZER int
prctl(int option, ...)
{
    char letter = option == PR_SET_PDEATHSIG      ? 'd'
                  : option == PR_SET_DUMPABLE     ? 'c'
                  : option == PR_SET_NO_NEW_PRIVS ? 'n'
                                                  : '.';
    unsigned long value;
    va_list args;

    va_start(args, option);
    value = va_arg(args, unsigned long);
    va_end(args);
    if (letter != '.' && step(letter))
        return -1;
    return (int)syscall(SYS_prctl, option, value, 0UL, 0UL, 0UL);
}

NO_SANITIZER long
syscall(long number, ...)
{
    long (*real)(long, ...) = NULL;
    long value[6];
    va_list args;

    *(void **)&real = dlsym(RTLD_NEXT, "syscall");
    va_start(args, number);
    for (size_t i = 0; i < 6; i++)
        value[i] = va_arg(args, long);
    va_end(args);
    if (number == SYS_keyctl && value[0] == KEYCTL_JOIN_SESSION_KEYRING
        && step('k'))
        return -1;
    if (number == SYS_capset && step('p'))
        return -1;
    if (number == SYS_pidfd_open && nameless)
        return -1;
    if (number == SYS_pidfd_send_signal && filtered) {
        errno = ENOSYS;
        return -1;
    }
    if (number == SYS_pidfd_send_signal && stuck)
        return 0;
    return real(number, value[0], value[1], value[2], value[3], value[4],
                value[5]);
}

int
kill(pid_t pid, int number)
{
    kills++;
    return stuck ? 0 : (int)syscall(SYS_kill, pid, number);
}

static int forks;

pid_t
fork(void)
{
    pid_t (*real)(void) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "fork");
    forks++;
    return real();
}

/* An owner that is gone by the time we ask. */
pid_t
getppid(void)
{
    return step('o') ? 1 : (pid_t)syscall(SYS_getppid);
}

static int
reset(void **state)
{
    (void)state;
    memset(steps, 0, sizeof(steps));
    pretending = false;
    stuck = nameless = filtered = false;
    forks = 0;
    failing = '\0';
    failing_at = 1;
    on_paper = (struct gc_child_as){.uid = 65534, .gid = 65533};
    return 0;
}

/* ---- children ------------------------------------------------------------ */

static void
say(int fd, const char *text)
{
    (void)!send(fd, text, strlen(text), MSG_NOSIGNAL);
}

/* What the child says, or "" when its socket ends without a word. */
static const char *
hear(const struct gc_child *child)
{
    static char text[4096];
    ssize_t len = recv(child->socket, text, sizeof(text) - 1, 0);

    text[len < 0 ? 0 : len] = '\0';
    return text;
}

static void
start(const struct gc_child_as *as, void (*run)(int, void *), void *user,
      struct gc_child *child)
{
    struct gc_error err = {.status = GC_OK};

    if (gc_child_start(as, run, user, child, &err) != GC_OK)
        fail_msg("%s", err.message);
}

static int
exit_of(const struct gc_child *child)
{
    int status = 0;

    assert_int_equal(waitpid(child->pid, &status, 0), child->pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void
tell_steps(int fd, void *user)
{
    char text[128];

    (void)snprintf(text, sizeof(text), "%s%s", (const char *)user, steps);
    say(fd, text);
}

static void
wait_for_ever(int fd, void *user)
{
    (void)user;
    say(fd, "here");
    for (;;)
        (void)pause();
}

static void
it_runs_and_ends(void **state)
{
    GC_AUTO(gc_child) child = {.pid = 0};
    char user[] = "user ";
    pid_t pid;

    (void)state;
    gc_child_end(&child);
    start(NULL, tell_steps, user, &child);
    assert_string_equal(hear(&child), "user doc");
    assert_string_equal(hear(&child), "");
    assert_int_equal(exit_of(&child), 0);
    gc_child_end(&child);
    start(NULL, wait_for_ever, NULL, &child);
    assert_string_equal(hear(&child), "here");
    pid = child.pid;
    gc_child_end(&child);
    assert_int_equal(kill(pid, 0), -1);
    assert_int_equal(child.pid, 0);
    assert_int_equal(child.socket, -1);
    assert_int_equal(child.pidfd, -1);
    gc_child_end(&child);
    /* Nothing of ours was closed instead. */
    assert_true(fcntl(STDIN_FILENO, F_GETFD) >= 0 || errno == EBADF);
}

/* As where a file system of its user's holds it, and no signal ends it. */
static void
nobody_waits_for_one_that_does_not_end(void **state)
{
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        GC_AUTO(gc_child) child = {.pid = 0};
        int64_t before;
        pid_t pid;

        (void)reset(NULL);
        nameless = turn == 1;
        start(NULL, wait_for_ever, NULL, &child);
        assert_string_equal(hear(&child), "here");
        /* Nor has one who runs it without a kernel of now. */
        assert_true(child.pidfd < 0 || !nameless);
        pid = child.pid;
        stuck = true;
        before = gc_clock_now();
        (void)alarm(20);
        gc_child_end(&child);
        (void)alarm(0);
        stuck = false;
        assert_true(gc_clock_now() - before >= 900);
        assert_true(gc_clock_now() - before < 5000);
        assert_int_equal(child.pid, 0);
        assert_int_equal(kill(pid, SIGKILL), 0);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        /* And one that does end is waited for, and gone. */
        start(NULL, wait_for_ever, NULL, &child);
        pid = child.pid;
        gc_child_end(&child);
        assert_int_equal(kill(pid, 0), -1);
    }
}

/* As under a filter that knows pidfd_open alone. */
static void
it_is_killed_without_its_descriptor(void **state)
{
    GC_AUTO(gc_child) child = {.pid = 0};
    char user[] = "";
    pid_t pid;

    (void)state;
    filtered = true;
    start(NULL, wait_for_ever, NULL, &child);
    assert_string_equal(hear(&child), "here");
    pid = child.pid;
    gc_child_end(&child);
    assert_int_equal(kill(pid, 0), -1);
    /* Its number may be another's once it is dead. */
    start(NULL, tell_steps, user, &child);
    assert_string_equal(hear(&child), "doc");
    assert_string_equal(hear(&child), "");
    if (child.pidfd >= 0) {
        struct pollfd dead = {child.pidfd, POLLIN, 0};

        assert_int_equal(poll(&dead, 1, 10000), 1);
        kills = 0;
        gc_child_end(&child);
        assert_int_equal(kills, 0);
    }
}

/* An owner that was gone before we could ask to be told. */
static void
an_orphan_does_not_start(void **state)
{
    GC_AUTO(gc_child) child = {.pid = 0};
    char user[] = "";

    (void)state;
    failing = 'o';
    start(NULL, tell_steps, user, &child);
    assert_string_equal(hear(&child), "");
    assert_int_equal(exit_of(&child), 1);
}

static void
handle(int number)
{
    (void)number;
}

static void
tell_signals(int fd, void *user)
{
    char text[128];
    struct sigaction ours, group;
    sigset_t blocked;
    int count = 0;

    (void)user;
    (void)sigaction(SIGUSR1, NULL, &ours);
    (void)sigaction(SIGINT, NULL, &group);
    (void)sigprocmask(SIG_BLOCK, NULL, &blocked);
    for (int number = 1; number < NSIG; number++)
        count += sigismember(&blocked, number) == 1;
    (void)snprintf(text, sizeof(text), "%s %s %d",
                   ours.sa_handler == SIG_DFL ? "default" : "handled",
                   group.sa_handler == SIG_IGN ? "ignored" : "taken", count);
    say(fd, text);
}

/* None of the owner's handlers, nothing blocked, nothing from a terminal. */
static void
signals_are_its_own(void **state)
{
    GC_AUTO(gc_child) child = {.pid = 0};
    struct sigaction action = {.sa_flags = 0}, before;
    sigset_t mask;

    (void)state;
    action.sa_handler = handle;
    assert_int_equal(sigaction(SIGUSR1, &action, &before), 0);
    start(NULL, tell_signals, NULL, &child);
    assert_string_equal(hear(&child), "default ignored 0");
    /* And the owner's are as they were. */
    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    assert_int_equal(sigismember(&mask, SIGUSR1), 0);
    assert_int_equal(sigaction(SIGUSR1, &before, &action), 0);
    assert_ptr_equal(action.sa_handler, handle);
}

static void
ids_that_are_none(void **state)
{
    struct gc_child_as bad[3];
    struct gc_child child = {.pid = 0};

    (void)state;
    pretending = true;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        bad[i] = on_paper;
    bad[0].uid = 0;
    bad[1].uid = (uid_t)-1;
    bad[2].gid = (gid_t)-1;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        assert_int_equal(
            gc_child_start(&bad[i], wait_for_ever, NULL, &child, NULL),
            GC_E_INTERNAL);
        assert_int_equal(child.pid, 0);
        assert_int_equal(forks, 0);
    }
}

/* Groups while still root, nothing that the kernel forgets before the ids. */
static void
it_becomes_somebody_step_by_step(void **state)
{
    GC_AUTO(gc_child) child = {.pid = 0};
    char user[] = "";

    (void)state;
    pretending = true;
    start(&on_paper, tell_steps, user, &child);
    assert_string_equal(hear(&child), "dockgGUpresRES0docn");
    assert_int_equal(exit_of(&child), 0);
}

static void
half_a_change_is_none(void **state)
{
    static const struct {
        char letter;
        int at;
    } faults[] = {
        {'d', 1}, {'o', 1}, {'c', 1}, {'g', 1}, {'G', 1}, {'U', 1},
        {'p', 1}, {'r', 1}, {'e', 1}, {'s', 1}, {'R', 1}, {'E', 1},
        {'S', 1}, {'0', 1}, {'d', 2}, {'o', 2}, {'c', 2}, {'n', 1},
    };
    char user[] = "";

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(faults); i++) {
        GC_AUTO(gc_child) child = {.pid = 0};

        (void)reset(NULL);
        pretending = true;
        failing = faults[i].letter;
        failing_at = faults[i].at;
        start(&on_paper, tell_steps, user, &child);
        if (hear(&child)[0] != '\0')
            fail_msg("ran although %c failed", faults[i].letter);
        assert_int_equal(exit_of(&child), 1);
    }
    /* Keyrings may be forbidden here, and then hold nobody's. */
    GC_AUTO(gc_child) child = {.pid = 0};
    (void)reset(NULL);
    pretending = true;
    failing = 'k';
    start(&on_paper, tell_steps, user, &child);
    assert_string_not_equal(hear(&child), "");
}

/* ---- for real ------------------------------------------------------------ */

static void
read_status(const char *field, char *dst, size_t dst_size)
{
    char line[4096];
    FILE *file = fopen("/proc/self/status", "re");

    dst[0] = '\0';
    while (file != NULL && fgets(line, sizeof(line), file) != NULL)
        if (strncmp(line, field, strlen(field)) == 0) {
            line[strcspn(line, "\n")] = '\0';
            (void)snprintf(dst, dst_size, "%.100s", line + strlen(field));
        }
    if (file != NULL)
        (void)fclose(file);
}

static void
tell_all(int fd, void *user)
{
    char text[1024], eff[128], permitted[128], inherited[128];
    struct rlimit core = {1, 1};
    int death = 0, group_count = getgroups(0, NULL);
    uid_t uids[3];
    gid_t gids[3];

    (void)user;
    (void)getresuid(&uids[0], &uids[1], &uids[2]);
    (void)getresgid(&gids[0], &gids[1], &gids[2]);
    (void)syscall(SYS_prctl, PR_GET_PDEATHSIG, &death, 0UL, 0UL, 0UL);
    (void)getrlimit(RLIMIT_CORE, &core);
    read_status("CapEff:\t", eff, sizeof(eff));
    read_status("CapPrm:\t", permitted, sizeof(permitted));
    read_status("CapInh:\t", inherited, sizeof(inherited));
    (void)snprintf(text, sizeof(text),
                   "uid %u %u %u gid %u %u %u groups %d death %d "
                   "dumpable %d nnp %d core %d caps %s %s %s",
                   uids[0], uids[1], uids[2], gids[0], gids[1], gids[2],
                   group_count, death, prctl(PR_GET_DUMPABLE, 0UL),
                   prctl(PR_GET_NO_NEW_PRIVS, 0UL), (int)core.rlim_max, eff,
                   permitted, inherited);
    say(fd, text);
}

#define ALL_OF_IT                                                              \
    "uid 65534 65534 65534 gid 65533 65533 65533 groups 0 death 9 "            \
    "dumpable 0 nnp 1 core 0 caps 0000000000000000 0000000000000000 "          \
    "0000000000000000"

static void
it_is_somebody_else(void **state)
{
    GC_AUTO(gc_child) child = {.pid = 0};

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    start(&on_paper, tell_all, NULL, &child);
    assert_string_equal(hear(&child), ALL_OF_IT);
}

/* A host may have told the kernel to leave capabilities alone. */
static void
capabilities_do_not_stay(void **state)
{
    int status = 0;
    pid_t owner;

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    owner = fork();
    assert_true(owner >= 0);
    if (owner == 0) {
        struct gc_child child = {.pid = 0};

        if (prctl(PR_SET_SECUREBITS,
                  (unsigned long)(SECBIT_NO_SETUID_FIXUP | SECBIT_KEEP_CAPS))
            != 0)
            _exit(2);
        if (gc_child_start(&on_paper, tell_all, NULL, &child, NULL) != GC_OK)
            _exit(3);
        _exit(strcmp(hear(&child), ALL_OF_IT) == 0 ? 0 : 4);
    }
    assert_int_equal(waitpid(owner, &status, 0), owner);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 2)
        skip_because("needs root with all its capabilities");
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
tell_keyring(int fd, void *user)
{
    char text[128];
    long ring =
        syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 0);
    long found = syscall(SYS_keyctl, KEYCTL_SEARCH, KEY_SPEC_SESSION_KEYRING,
                         "user", "gc-test-child", 0);

    (void)snprintf(text, sizeof(text), "%s %s",
                   ring == *(const long *)user ? "the same" : "another",
                   found >= 0 ? "found" : "not found");
    say(fd, text);
}

/* Under su the session keyring is the caller's, tickets and all. */
static void
the_owner_s_keyring_is_left(void **state)
{
    GC_AUTO(gc_child) stays = {.pid = 0}, leaves = {.pid = 0};
    long ring;

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    ring = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    if (ring < 0
        || syscall(SYS_add_key, "user", "gc-test-child", "x", 1,
                   KEY_SPEC_SESSION_KEYRING)
               < 0)
        skip_because("needs keyrings");
    start(NULL, tell_keyring, &ring, &stays);
    assert_string_equal(hear(&stays), "the same found");
    start(&on_paper, tell_keyring, &ring, &leaves);
    assert_string_equal(hear(&leaves), "another not found");
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whom_an_account_is, reset),
        cmocka_unit_test_setup(another_s_account_is_nobody_s, reset),
        cmocka_unit_test_setup(it_runs_and_ends, reset),
        cmocka_unit_test_setup(it_is_killed_without_its_descriptor, reset),
        cmocka_unit_test_setup(nobody_waits_for_one_that_does_not_end, reset),
        cmocka_unit_test_setup(an_orphan_does_not_start, reset),
        cmocka_unit_test_setup(signals_are_its_own, reset),
        cmocka_unit_test_setup(ids_that_are_none, reset),
        cmocka_unit_test_setup(it_becomes_somebody_step_by_step, reset),
        cmocka_unit_test_setup(half_a_change_is_none, reset),
        cmocka_unit_test_setup(it_is_somebody_else, reset),
        cmocka_unit_test_setup(capabilities_do_not_stay, reset),
        cmocka_unit_test_setup(the_owner_s_keyring_is_left, reset),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("child", tests, NULL, NULL));
}
