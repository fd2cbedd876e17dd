/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For LD_PRELOAD: counts the calls by which a process changes the world, and
 * breaks one of them.  Files are changed by creating, writing, syncing,
 * renaming, linking and removing; a peer by sending.
 *
 *   CALLS_COUNT=FILE     append each call's name to FILE, a line each
 *   CALLS_KILL=N         SIGKILL instead of the Nth call
 *   CALLS_FAIL=N:ERRNO   the Nth call fails with that number
 *   CALLS_FAIL=N+:ERRNO  so do all after it, but for removing
 *   CALLS_ONLY=file      sending does not count
 *   CALLS_LOCK_LATE=S    wait S seconds before the first flock
 *
 * Only the process that was started counts, none of its children.
 */

#include <config.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static pid_t own;
static long calls, kill_at, fail_at;
static int fail_with, log_to = -1;
static bool files_only, fail_on;
static atomic_uint lock_late;

__attribute__((constructor)) static void
begin(void)
{
    const char *text;
    char *end = NULL;

    own = getpid();
    if ((text = getenv("CALLS_KILL")) != NULL)
        kill_at = strtol(text, NULL, 10);
    if ((text = getenv("CALLS_FAIL")) != NULL) {
        fail_at = strtol(text, &end, 10);
        fail_on = *end == '+';
        end += fail_on;
        fail_with = *end == ':' ? (int)strtol(end + 1, NULL, 10) : EIO;
    }
    files_only = (text = getenv("CALLS_ONLY")) != NULL && *text == 'f';
    if ((text = getenv("CALLS_LOCK_LATE")) != NULL)
        lock_late = (unsigned int)strtoul(text, NULL, 10);
    if ((text = getenv("CALLS_COUNT")) != NULL)
        log_to = (int)syscall(SYS_openat, AT_FDCWD, text,
                              O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
}

/* True: the call is to fail, errno is set. */
static bool
meet(const char *name)
{
    if (own == 0 || (pid_t)syscall(SYS_getpid) != own)
        return false;
    calls++;
    if (log_to >= 0) {
        char line[32];
        size_t len = 0;

        while (name[len] != '\0' && len < sizeof(line) - 1) {
            line[len] = name[len];
            len++;
        }
        line[len++] = '\n';
        (void)syscall(SYS_write, log_to, line, len);
    }
    if (calls == kill_at)
        (void)syscall(SYS_kill, own, SIGKILL);
    if (fail_at == 0 || calls < fail_at || (calls > fail_at && !fail_on)
        || (fail_on && name[0] == 'u'))
        return false;
    errno = fail_with;
    return true;
}

static bool
counts(int fd, mode_t *ret_type)
{
    struct stat sb;
    int saved = errno;
    bool known = fstat(fd, &sb) == 0;

    errno = saved;
    *ret_type = known ? sb.st_mode & S_IFMT : 0;
    return known
           && (*ret_type == S_IFREG || (*ret_type == S_IFSOCK && !files_only));
}

/* What is there already is not created, and needs no room. */
static bool
is_there(int dir, const char *name)
{
    return syscall(SYS_faccessat, dir, name, F_OK) == 0;
}

/* A Unix socket leads to nobody outside. */
static bool
is_outside(int fd)
{
    struct sockaddr_storage peer;
    socklen_t len = sizeof(peer);
    int saved = errno;
    bool outside = getpeername(fd, (struct sockaddr *)&peer, &len) == 0
                   && peer.ss_family != AF_UNIX;

    errno = saved;
    return outside;
}

static bool
meet_write(int fd)
{
    mode_t type;

    if (!counts(fd, &type))
        return false;
    if (type == S_IFSOCK)
        return is_outside(fd) && meet("send");
    return meet("write");
}

#define NEXT(function) ((__typeof__(&(function)))dlsym(RTLD_NEXT, #function))

ssize_t
write(int fd, const void *data, size_t len)
{
    return meet_write(fd) ? -1 : NEXT(write)(fd, data, len);
}

ssize_t
send(int fd, const void *data, size_t len, int flags)
{
    return meet_write(fd) ? -1 : NEXT(send)(fd, data, len, flags);
}

int
fsync(int fd)
{
    return meet("fsync") ? -1 : NEXT(fsync)(fd);
}

int
renameat(int from_dir, const char *from, int to_dir, const char *to)
{
    return meet("rename") ? -1 : NEXT(renameat)(from_dir, from, to_dir, to);
}

int
unlinkat(int dir, const char *name, int flags)
{
    return meet("unlink") ? -1 : NEXT(unlinkat)(dir, name, flags);
}

int
linkat(int from_dir, const char *from, int to_dir, const char *to, int flags)
{
    return meet("link") ? -1 : NEXT(linkat)(from_dir, from, to_dir, to, flags);
}

int
mkdirat(int dir, const char *name, mode_t mode)
{
    return meet("mkdir") ? -1 : NEXT(mkdirat)(dir, name, mode);
}

int
flock(int fd, int operation)
{
    (void)sleep(atomic_exchange(&lock_late, 0));
    return NEXT(flock)(fd, operation);
}

int
futimens(int fd, const struct timespec times[2])
{
    return meet("touch") ? -1 : NEXT(futimens)(fd, times);
}

int
utimensat(int dir, const char *name, const struct timespec times[2], int flags)
{
    return meet("touch") ? -1 : NEXT(utimensat)(dir, name, times, flags);
}

#define OPENAT(function)                                                       \
    int function(int dir, const char *name, int flags, ...)                    \
    {                                                                          \
        mode_t mode = 0;                                                       \
        va_list args;                                                          \
                                                                               \
        if ((flags & O_CREAT) == 0)                                            \
            return NEXT(function)(dir, name, flags);                           \
        va_start(args, flags);                                                 \
        mode = va_arg(args, mode_t);                                           \
        va_end(args);                                                          \
        return !is_there(dir, name) && meet("create")                          \
                   ? -1                                                        \
                   : NEXT(function)(dir, name, flags, mode);                   \
    }
OPENAT(openat)
#ifdef __USE_LARGEFILE64
OPENAT(openat64)
#endif
