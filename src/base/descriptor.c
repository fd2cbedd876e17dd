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
