/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

void
gc_descriptor_close(int *fd)
{
    int saved = errno;

    if (*fd >= 0)
        (void)close(*fd);
    *fd = -1;
    errno = saved;
}

void
gc_descriptor_close_range(unsigned int first, unsigned int last)
{
    struct rlimit limit;

    if (first > last)
        return;
#ifdef SYS_close_range
    if (syscall(SYS_close_range, first, last, 0) == 0)
        return;
#endif
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < last)
        last = (unsigned int)limit.rlim_cur;
    for (unsigned int fd = first; fd <= last && fd < INT_MAX; fd++)
        (void)close((int)fd);
}

int
gc_descriptor_lift(int fd)
{
    int lifted;

    if (fd < 0 || fd > STDERR_FILENO)
        return fd;
    lifted = fcntl(fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    (void)close(fd);
    return lifted;
}

gc_status
gc_descriptor_pair(int ret_pair[2], struct gc_error *err)
{
    int pair[2];
    gc_status st;

    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) != 0)
        return gc_fail(err, GC_E_INTERNAL, "cannot make a socket: %s",
                       strerror(errno));
    pair[0] = gc_descriptor_lift(pair[0]);
    pair[1] = gc_descriptor_lift(pair[1]);
    if (pair[0] >= 0 && pair[1] >= 0) {
        memcpy(ret_pair, pair, sizeof(pair));
        return GC_OK;
    }
    st = gc_fail(err, GC_E_INTERNAL, "cannot keep a socket: %s",
                 strerror(errno));
    for (int i = 0; i < 2; i++)
        if (pair[i] >= 0)
            (void)close(pair[i]);
    return st;
}

gc_status
gc_descriptor_await(int fd, struct gc_limit limit, const char *what,
                    struct gc_error *err)
{
    struct pollfd fds[] = {{fd, POLLIN, 0},
                           {limit.cancel_fd, POLLIN, 0}}; /* -1 is skipped */
    int left, ready;

    do {
        left = gc_clock_left(limit.deadline);
        ready = poll(fds, 2, left);
    } while ((ready < 0 && errno == EINTR) || (ready == 0 && left > 0));
    if (ready < 0)
        return gc_fail(err, GC_E_INTERNAL, "cannot wait for %s: %s", what,
                       strerror(errno));
    if (fds[1].revents != 0)
        return gc_fail(err, GC_E_CANCELED, "interrupted");
    if (ready == 0)
        return gc_fail(err, GC_E_UNAVAILABLE,
                       "%s took longer than the deadline allows", what);
    return GC_OK;
}

static gc_status
fail_file(const char *name, const struct gc_trust *trust, int error,
          struct gc_error *err)
{
    switch (error) {
    case ENOENT:
    case ENOTDIR:
        return gc_fail(err, trust->needed ? GC_E_CONFIG : GC_E_NOT_FOUND,
                       "%s: there is no such file", name);
    case ELOOP:
        return gc_fail(err, GC_E_CONFIG, "%s: it is a symbolic link", name);
    case ENOMEM:
        return gc_fail_no_memory(err);
    case EMFILE:
    case ENFILE:
        return gc_fail(err, GC_E_INTERNAL, "%s: %s", name, strerror(error));
    default:
        return gc_fail(err, GC_E_CONFIG, "%s: %s", name, strerror(error));
    }
}

gc_status
gc_trusted_check(const char *name, const struct gc_trust *trust,
                 const struct stat *info, struct gc_error *err)
{
    bool read = (info->st_mode & trust->forbidden & 044) != 0;
    gc_status st;

    if (!S_ISREG(info->st_mode))
        return gc_fail(err, GC_E_CONFIG, "%s: it is not a regular file", name);
    if (!(trust->own && info->st_uid == geteuid())
        && !(trust->root && info->st_uid == 0))
        return gc_fail(err, GC_E_CONFIG, "%s: it belongs to uid %lu", name,
                       (unsigned long)info->st_uid);
    if ((info->st_mode & trust->forbidden) != 0) {
        st = gc_fail(err, GC_E_CONFIG, "%s: others may %s it (mode %04o)", name,
                     read ? "read" : "write", (unsigned)info->st_mode & 07777);
        return gc_fail_hint(err, st, "chmod %s it", read ? "600" : "go-w");
    }
    if (info->st_size < 0 || (uintmax_t)info->st_size > trust->max)
        return gc_fail(err, GC_E_CONFIG, "%s: it is larger than %zu bytes",
                       name, trust->max);
    return GC_OK;
}

gc_status
gc_trusted_open(int dir, const char *name, const struct gc_trust *trust,
                int *ret_fd, struct stat *ret_info, struct gc_error *err)
{
    GC_AUTO_FD fd = openat(
        dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    gc_status st;

    if (fd < 0 || fstat(fd, ret_info) != 0)
        return fail_file(name, trust, errno, err);
    st = gc_trusted_check(name, trust, ret_info, err);
    if (st != GC_OK)
        return st;
    *ret_fd = fd;
    fd = -1;
    return GC_OK;
}

gc_status
gc_trusted_read(int dir, const char *name, const struct gc_trust *trust,
                struct gc_bytes *text, struct stat *ret_info,
                struct gc_error *err)
{
    GC_AUTO_FD fd = -1;
    struct stat info;
    size_t size;
    gc_status st = gc_trusted_open(dir, name, trust, &fd, &info, err);

    if (st != GC_OK)
        return st;
    size = (size_t)info.st_size;
    text->len = 0;
    st = gc_bytes_reserve(text, size, err);
    if (st != GC_OK)
        return st;
    while (text->len < size) {
        ssize_t n = read(fd, text->data + text->len, size - text->len);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail_file(name, trust, errno, err);
        if (n == 0)
            break;
        text->len += (size_t)n;
    }
    text->data[text->len] = '\0';
    if (ret_info != NULL)
        *ret_info = info;
    return GC_OK;
}
