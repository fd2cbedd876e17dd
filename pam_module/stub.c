/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between clone and exec only system calls are made: the host may have threads,
 * and a lock that one of them held is never released in the clone.  Some calls
 * bypass glibc's wrapper, which would do more (change the ids of all threads,
 * run fork handlers).
 */
#include <config.h>

#include "pam_module/stub.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/keyctl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/helper/wire.h"

#define TERM_MS 400 /* for the stub to end the helper */
#define KILL_MS 300 /* for the kernel to end the stub */
#define HIGH    16  /* descriptors wait here while the low ones are filled */

#ifdef SYS_setresuid32
#    define SETRESUID SYS_setresuid32
#    define SETRESGID SYS_setresgid32
#    define SETGROUPS SYS_setgroups32
#else
#    define SETRESUID SYS_setresuid
#    define SETRESGID SYS_setresgid
#    define SETGROUPS SYS_setgroups
#endif

/* What the stub needs, prepared before the clone. */
struct job {
    int socket; /* the helper's end */
    int program;
    uid_t uid; /* the host's effective ids: 0 but in tests */
    gid_t gid;
};

/* ---- in the clone: system calls only ---- */

/* fork without its handlers; the parent gets EXIT_SIGNAL. */
static pid_t
split(int exit_signal)
{
#if defined(__s390__) || defined(__CRIS__)
    return (pid_t)syscall(SYS_clone, 0L, (long)exit_signal, 0L, 0L, 0L);
#else
    return (pid_t)syscall(SYS_clone, (long)exit_signal, 0L, 0L, 0L, 0L);
#endif
}

static void
close_all_but(int a, int b)
{
    unsigned int low = (unsigned int)(a < b ? a : b);
    unsigned int high = (unsigned int)(a < b ? b : a);

    if (low > 0)
        gc_descriptor_close_range(0, low - 1);
    gc_descriptor_close_range(low + 1, high - 1);
    gc_descriptor_close_range(high + 1, UINT_MAX);
}

/* Every signal, including the C library's own, which sigaction hides. */
static void
default_signals(void)
{
    struct {
        void *handler;
        unsigned long rest[15];
    } none = {NULL, {0}};

    for (int number = 1; number < NSIG; number++)
        (void)syscall(SYS_rt_sigaction, (long)number, &none, NULL, 8L);
}

/* A limit that the host may have set to make us fail. */
static bool
set_limits(void)
{
    static const struct {
        int what;
        rlim_t value;
    } limits[] = {
        {RLIMIT_CPU, RLIM_INFINITY},
        {RLIMIT_FSIZE, RLIM_INFINITY},
        {RLIMIT_DATA, RLIM_INFINITY},
        {RLIMIT_AS, RLIM_INFINITY},
        {RLIMIT_RSS, RLIM_INFINITY},
        {RLIMIT_NPROC, RLIM_INFINITY},
        {RLIMIT_LOCKS, RLIM_INFINITY},
        {RLIMIT_MEMLOCK, RLIM_INFINITY},
        {RLIMIT_SIGPENDING, 4096},
        {RLIMIT_RTTIME, RLIM_INFINITY},
        {RLIMIT_MSGQUEUE, 819200},
        {RLIMIT_STACK, 8 << 20},
        {RLIMIT_NOFILE, 1024},
        {RLIMIT_CORE, 0},
        {RLIMIT_NICE, 0},
        {RLIMIT_RTPRIO, 0},
    };
    bool good = true;

    for (size_t i = 0; i < GC_COUNT_OF(limits); i++) {
        struct rlimit wanted = {limits[i].value, limits[i].value}, has;

        if (setrlimit((unsigned int)limits[i].what, &wanted) == 0
            || getrlimit((unsigned int)limits[i].what, &has) != 0)
            continue;
        /* We may not raise it above the hard limit: take that if it is enough.
         */
        has.rlim_cur = has.rlim_max;
        (void)setrlimit((unsigned int)limits[i].what, &has);
        if (limits[i].what == RLIMIT_FSIZE && has.rlim_max < (1u << 20))
            good = false;
        if (limits[i].what == RLIMIT_NOFILE && has.rlim_max < 64)
            good = false;
    }
    return good;
}

/* Set all three ids, so that su's caller can no longer signal or trace us. */
static bool
become(const struct job *job)
{
    if (syscall(SETRESGID, (long)job->gid, (long)job->gid, (long)job->gid) != 0
        || syscall(SETRESUID, (long)job->uid, (long)job->uid, (long)job->uid)
               != 0)
        return false;
    return job->uid != 0 || syscall(SETGROUPS, 0L, NULL) == 0;
}

/* 0-2: /dev/null; GC_WIRE_FD: the socket; next: the program; close the rest. */
static bool
arrange(const struct job *job)
{
    int socket = fcntl(job->socket, F_DUPFD_CLOEXEC, HIGH);
    int program = fcntl(job->program, F_DUPFD_CLOEXEC, HIGH);
    int null;

    if (socket < 0 || program < 0)
        return false;
    close_all_but(socket, program);
    null = open("/dev/null", O_RDWR);
    if (null != 0 || dup2(0, 1) != 1 || dup2(0, 2) != 2
        || dup2(socket, GC_WIRE_FD) != GC_WIRE_FD
        || dup3(program, GC_WIRE_FD + 1, O_CLOEXEC) != GC_WIRE_FD + 1)
        return false;
    gc_descriptor_close_range(GC_WIRE_FD + 2, UINT_MAX);
    return true;
}

/* The child that becomes the helper.  STUB must outlive it. */
static _Noreturn void
run_helper(const struct job *job, pid_t stub)
{
    static char name[] = "guestcred-helper";
    char *const argv[] = {name, NULL}, *const envp[] = {NULL};
    struct sched_param ordinary = {.sched_priority = 0};
    sigset_t none;

    (void)umask(077);
    if (!set_limits() || !arrange(job) || chdir("/") != 0
        || prctl(PR_SET_PDEATHSIG, SIGKILL) != 0 || getppid() != stub)
        _exit(GC_STUB_SETUP);
    (void)setsid();
    (void)setpriority(PRIO_PROCESS, 0, 0);
    (void)sched_setscheduler(0, SCHED_OTHER, &ordinary);
    /* A new one: KEYRING:session would be the caller's cache. */
    (void)syscall(SYS_keyctl, (long)KEYCTL_JOIN_SESSION_KEYRING, NULL);
    default_signals();
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)syscall(SYS_execveat, (long)(GC_WIRE_FD + 1), "", argv, envp,
                  (long)AT_EMPTY_PATH);
    _exit(GC_STUB_NO_EXEC);
}

/* Wait for the helper to end, or for SIGTERM, which asks us to end it. */
static _Noreturn void
run_stub(const struct job *job)
{
    sigset_t awaited;
    siginfo_t info = {.si_pid = 0};
    pid_t stub = getpid(), helper;
    int signal_number, status = 0;

    if (!become(job))
        _exit(GC_STUB_SETUP);
    default_signals(); /* all are blocked, so that none is lost */
    helper = split(SIGCHLD);
    if (helper == 0)
        run_helper(job, stub);
    gc_descriptor_close_range(0, UINT_MAX);
    if (helper < 0)
        _exit(GC_STUB_SETUP);
    (void)sigemptyset(&awaited);
    (void)sigaddset(&awaited, SIGCHLD);
    (void)sigaddset(&awaited, SIGTERM);
    do {
        signal_number = sigwaitinfo(&awaited, NULL);
        if (signal_number == SIGTERM) {
            (void)kill(-helper, SIGKILL);
            (void)kill(helper, SIGKILL);
        }
        info.si_pid = 0;
        (void)waitid(P_PID, (id_t)helper, &info, WEXITED | WNOWAIT | WNOHANG);
    } while (info.si_pid != helper);
    /* While it is a zombie, its process group's id cannot be reused. */
    (void)kill(-helper, SIGKILL);
    (void)waitpid(helper, &status, 0);
    _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

/* ---- in the host ---- */

/* Open HELPER; it must belong to root or us, and only its owner may write. */
static gc_status
open_program(const char *helper, int *ret_fd, struct gc_error *err)
{
    struct stat info;
    GC_AUTO_FD fd = -1;

    if (helper[0] != '/')
        return gc_fail(err, GC_E_CONFIG,
                       "the helper \"%.256s\" is not an absolute path", helper);
    fd = gc_descriptor_lift(open(helper, O_PATH | O_NOFOLLOW | O_CLOEXEC));
    if (fd < 0)
        return gc_fail(err, GC_E_CONFIG, "cannot open the helper %.256s: %s",
                       helper, strerror(errno));
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)
        || (info.st_mode & S_IXUSR) == 0)
        return gc_fail(err, GC_E_CONFIG,
                       "the helper %.256s is not an executable file", helper);
    if ((info.st_uid != 0 && info.st_uid != geteuid())
        || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "the helper %.256s belongs to, or may be written by, "
                       "somebody else",
                       helper);
    *ret_fd = fd;
    fd = -1;
    return GC_OK;
}

gc_status
gc_stub_start(const char *helper, struct gc_stub *ret_stub,
              struct gc_error *err)
{
    GC_AUTO_FD ours = -1, theirs = -1, program = -1;
    int pair[2];
    struct job job = {.uid = (uid_t)syscall(SYS_geteuid),
                      .gid = (gid_t)syscall(SYS_getegid)};
    sigset_t all, before;
    gc_status st = open_program(helper, &program, err);
    pid_t pid;
    int why;

    if (st == GC_OK)
        st = gc_descriptor_pair(pair, err);
    if (st != GC_OK)
        return st;
    ours = pair[0];
    theirs = pair[1];
    job.socket = theirs;
    job.program = program;
    /* The host's signal handlers must not run in the clone. */
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    pid = split(0);
    if (pid == 0)
        run_stub(&job);
    why = errno;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (pid < 0)
        return gc_fail(err, GC_E_INTERNAL, "cannot start a process: %s",
                       strerror(why));
    ret_stub->pid = pid;
    ret_stub->socket = ours;
    ours = -1;
    return GC_OK;
}

/* Reap the stub within MS; RET: how it ended. */
static bool
gather(pid_t pid, int ms, int *ret)
{
    int64_t deadline = gc_clock_now() + ms;
    struct timespec pause = {0, 500000};
    int status = 0;
    pid_t done;

    for (;;) {
        done = waitpid(pid, &status, (int)__WCLONE | WNOHANG);
        if (done == pid)
            *ret = WIFEXITED(status) ? WEXITSTATUS(status)
                                     : 128 + WTERMSIG(status);
        if (done < 0 && errno != EINTR)
            *ret = GC_STUB_LOST;
        if (done == pid || (done < 0 && errno != EINTR))
            return true;
        if (gc_clock_left(deadline) == 0)
            return false;
        (void)nanosleep(&pause, NULL);
        if (pause.tv_nsec < 8000000)
            pause.tv_nsec *= 2;
    }
}

int
gc_stub_end(struct gc_stub *stub, int grace_ms)
{
    int how = GC_STUB_STUCK;

    (void)close(stub->socket);
    stub->socket = -1;
    if (gather(stub->pid, grace_ms, &how))
        return how;
    (void)kill(stub->pid, SIGTERM);
    if (gather(stub->pid, TERM_MS, &how))
        return how;
    /* The stub is stopped or frozen.  The helper dies with it. */
    (void)kill(stub->pid, SIGKILL);
    (void)gather(stub->pid, KILL_MS, &how);
    return how;
}
