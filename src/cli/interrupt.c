/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/cli/interrupt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

static volatile sig_atomic_t caught;
static int pipe_in = -1;

static void
note(int sig)
{
    int saved = errno;

    caught = sig;
    (void)!write(pipe_in, "!", 1);
    errno = saved;
}

gc_status
gc_interrupt_catch(int *ret_fd, struct gc_error *err)
{
    static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
    /* The second one takes the default action: no clean-up can delay it. */
    struct sigaction act = {.sa_handler = note, .sa_flags = (int)SA_RESETHAND};
    struct sigaction ignore = {.sa_handler = SIG_IGN}, old;
    int fds[2];

    if (pipe2(fds, O_CLOEXEC | O_NONBLOCK) != 0)
        return gc_fail(err, GC_E_INTERNAL, "pipe: %s", strerror(errno));
    pipe_in = fds[1];
    for (size_t i = 0; i < GC_COUNT_OF(signals); i++) {
        /* An ignored signal stays ignored, for nohup and the like. */
        if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_IGN)
            continue;
        (void)sigaction(signals[i], &act, NULL);
    }
    (void)sigaction(SIGPIPE, &ignore, NULL);
    *ret_fd = fds[0];
    return GC_OK;
}

int
gc_interrupt_signal(void)
{
    return caught;
}
