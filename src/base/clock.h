/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Deadlines: absolute CLOCK_MONOTONIC milliseconds, so that one number bounds
 * a whole job across rooms and across a fork.  And what ends a call earlier.
 */

#ifndef GC_SRC_BASE_CLOCK_H
#define GC_SRC_BASE_CLOCK_H

#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

static inline int64_t
gc_clock_now(void)
{
    struct timespec now = {0};

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Seconds since 1970, for what outlives a process. */
static inline int64_t
gc_clock_epoch(void)
{
    return (int64_t)time(NULL);
}

/* Milliseconds until DEADLINE, 0 when it has passed; fits poll's int. */
static inline int
gc_clock_left(int64_t deadline)
{
    int64_t left = deadline - gc_clock_now();

    if (left < 0)
        return 0;
    return left > 86400000 ? 86400000 : (int)left;
}

/* MS milliseconds from now, or DEADLINE where that is sooner. */
static inline int64_t
gc_clock_within(int64_t deadline, int ms)
{
    int64_t end = gc_clock_now() + ms;

    return deadline < end ? deadline : end;
}

/* What ends a call that is not done by then. */
struct gc_limit {
    int64_t deadline;
    int cancel_fd; /* readable: GC_E_CANCELED; -1: it cannot be cancelled */
};

/* For clean-up: MS milliseconds from now, and no cancelling. */
static inline struct gc_limit
gc_limit_grace(int ms)
{
    return (struct gc_limit){gc_clock_now() + ms, -1};
}

static inline bool
gc_limit_canceled(struct gc_limit limit)
{
    struct pollfd fd = {.fd = limit.cancel_fd, .events = POLLIN};

    return poll(&fd, 1, 0) > 0;
}

#endif
