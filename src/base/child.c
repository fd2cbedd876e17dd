/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fork, settle, become.  Knows no protocol and no library but libc.
 */
#include <config.h>

#include "src/base/child.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"

#define END_MS 1000 /* for the kernel to end what was killed */

/* ---- whom ---------------------------------------------------------------- */

/*
 * WHY is errno after a look-up without a result: 0, or a value that NSS leaves
 * behind when it means 0.
 */
static gc_status
find_nobody(int why, const char *whom, struct gc_error *err)
{
    if (why == 0 || why == ENOENT || why == ESRCH || why == EBADF
        || why == EPERM)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no account %.200s", whom);
    return gc_fail(err, GC_E_FAILED, "cannot look up the account %.200s: %s",
                   whom, strerror(why));
}

gc_status
gc_child_as_user(const char *user, struct gc_child_as *ret_as,
                 struct gc_error *err)
{
    const struct passwd *account;

    errno = 0;
    account = getpwnam(user);
    if (account == NULL)
        return find_nobody(errno, user, err);
    if (strcmp(account->pw_name, user) != 0)
        return find_nobody(0, user, err);
    *ret_as = (struct gc_child_as){account->pw_uid, account->pw_gid};
    return GC_OK;
}

gc_status
gc_child_as_uid(uid_t uid, struct gc_child_as *ret_as, struct gc_error *err)
{
    const struct passwd *account;

    errno = 0;
    account = getpwuid(uid);
    if (account != NULL && account->pw_uid == uid) {
        *ret_as = (struct gc_child_as){account->pw_uid, account->pw_gid};
        return GC_OK;
    }
    if (account == NULL && errno != 0 && errno != ENOENT && errno != ESRCH
        && errno != EBADF && errno != EPERM)
        return gc_fail(err, GC_E_FAILED, "cannot look up the account %lu: %s",
                       (unsigned long)uid, strerror(errno));
    return gc_fail(err, GC_E_NOT_FOUND, "there is no account with uid %lu",
                   (unsigned long)uid);
}

/* ---- in the child -------------------------------------------------------- */

/*
 * Handlers are the owner's code and use the owner's state: none may run here.
 */
static void
reset_signals(void)
{
    static const int deaf[] = {SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE};
    struct sigaction action = {.sa_flags = 0};
    sigset_t none;

    action.sa_handler = SIG_DFL;
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, &action, NULL);
    action.sa_handler = SIG_IGN;
    for (size_t i = 0; i < GC_COUNT_OF(deaf); i++)
        (void)sigaction(deaf[i], &action, NULL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* False also where the owner has ended already. */
static bool
bind_to(pid_t owner)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == 0 && getppid() == owner
           && prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0;
}

/*
 * Hold no descriptors and no handlers of the owner's, leave no core, and end
 * with the owner.  False: do not start.
 */
static bool
settle(int socket, pid_t owner)
{
    static const struct rlimit no_core = {0, 0};

    if (!bind_to(owner) || setrlimit(RLIMIT_CORE, &no_core) != 0)
        return false;
    reset_signals();
    gc_descriptor_close_range(3, (unsigned int)socket - 1);
    gc_descriptor_close_range((unsigned int)socket + 1, UINT_MAX);
    return true;
}

/*
 * A change of uid drops the effective capabilities, and the others only where
 * no secure bit is set: drop all of them here.
 */
static bool
drop_capabilities(void)
{
    struct __user_cap_header_struct head = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0, 0, 0}};

    return syscall(SYS_capset, &head, none) == 0;
}

static bool
is(const struct gc_child_as *as)
{
    uid_t uids[3] = {0, 0, 0};
    gid_t gids[3] = {0, 0, 0};

    if (getresuid(&uids[0], &uids[1], &uids[2]) != 0
        || getresgid(&gids[0], &gids[1], &gids[2]) != 0)
        return false;
    for (size_t i = 0; i < 3; i++)
        if (uids[i] != as->uid || gids[i] != as->gid)
            return false;
    return true;
}

/* Become AS for good.  False: exit. */
static bool
become(const struct gc_child_as *as, pid_t owner)
{
    /*
     * Under su the session keyring is the caller's.  Join a new one while we
     * are still root: the user's own quota may be used up.  A kernel without
     * keyrings has nothing to leave.
     */
    (void)syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL);
    if (setgroups(0, NULL) != 0 || setresgid(as->gid, as->gid, as->gid) != 0
        || setresuid(as->uid, as->uid, as->uid) != 0 || !drop_capabilities())
        return false;
    if (!is(as) || setresuid(0, 0, 0) == 0)
        return false;
    /* The kernel forgot both when the ids changed, and the owner may have
     * ended meanwhile. */
    return bind_to(owner) && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

/* ---- the owner's side ---------------------------------------------------- */

/* -1 stands for "unchanged" in setresuid and friends. */
static gc_status
check_as(const struct gc_child_as *as, struct gc_error *err)
{
    bool good = as->uid != 0 && as->uid != (uid_t)-1 && as->gid != (gid_t)-1;

    return good ? GC_OK
                : gc_fail(err, GC_E_INTERNAL,
                          "a child that would not become another user");
}

gc_status
gc_child_start(const struct gc_child_as *as, void (*run)(int, void *),
               void *user, struct gc_child *ret_child, struct gc_error *err)
{
    struct gc_child child = {.pidfd = -1};
    pid_t owner = getpid();
    int pair[2] = {-1, -1};
    sigset_t all, before;
    gc_status st = as == NULL ? GC_OK : check_as(as, err);

    if (st == GC_OK)
        st = gc_descriptor_pair(pair, err);
    if (st != GC_OK)
        return st;
    /* No handler of the host's may run in the child before it resets them. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    child.pid = fork();
    if (child.pid == 0) {
        if (!settle(pair[1], owner) || (as != NULL && !become(as, owner)))
            _exit(1);
        run(pair[1], user);
        _exit(0);
    }
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (child.pid < 0) {
        st = gc_fail(err, GC_E_INTERNAL, "cannot start a child: %s",
                     strerror(errno));
        (void)close(pair[0]);
        (void)close(pair[1]);
        return st;
    }
    child.socket = pair[0];
#ifdef SYS_pidfd_open
    child.pidfd =
        gc_descriptor_lift((int)syscall(SYS_pidfd_open, child.pid, 0));
#endif
    (void)close(pair[1]);
    *ret_child = child;
    return GC_OK;
}

/*
 * Reap the killed child, but do not wait for one that hangs in a file system of
 * its user's.  Use the descriptor where there is one: where the host ignores
 * SIGCHLD, the pid may be another process's as soon as the child is dead.
 */
static void
reap(const struct gc_child *child)
{
    int64_t deadline = gc_clock_now() + END_MS;
    bool known = child->pidfd >= 0;
    struct pollfd gone = {child->pidfd, POLLIN, 0};
    siginfo_t info = {.si_pid = 0};
    int done;

    do {
        (void)poll(&gone, 1, known ? gc_clock_left(deadline) : 1);
        done = waitid(known ? P_PIDFD : P_PID,
                      (id_t)(known ? child->pidfd : child->pid), &info,
                      WEXITED | WNOHANG);
    } while (done == 0 && info.si_pid == 0 && gone.revents == 0
             && gc_clock_left(deadline) > 0);
}

/*
 * A seccomp filter, or valgrind, may allow pidfd_open and not
 * pidfd_send_signal.  Until the descriptor says that the child has ended, the
 * pid is the child's.
 */
static void
kill_it(const struct gc_child *child)
{
    struct pollfd gone = {child->pidfd, POLLIN, 0};

#ifdef SYS_pidfd_send_signal
    if (child->pidfd >= 0
        && syscall(SYS_pidfd_send_signal, child->pidfd, SIGKILL, NULL, 0) == 0)
        return;
#endif
    if (child->pidfd < 0 || poll(&gone, 1, 0) == 0)
        (void)kill(child->pid, SIGKILL);
}

void
gc_child_end(struct gc_child *child)
{
    if (child->pid <= 0)
        return;
    (void)close(child->socket);
    kill_it(child);
    reap(child);
    if (child->pidfd >= 0)
        (void)close(child->pidfd);
    *child = (struct gc_child){.pidfd = -1, .socket = -1};
}
