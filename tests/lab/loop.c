/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread: epoll and a list of timers.  A watch may be removed while
 * its own or another event is handled: events of one round that belong to a
 * removed watch are dropped.
 */

#include <config.h>

#include "tests/lab/loop.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#define ROUND 64

static int set = -1;
static bool stopping;
static struct gc_timer *timers;
static struct epoll_event round_events[ROUND];
static int round_count;

bool
gc_loop_open(void)
{
    set = epoll_create1(EPOLL_CLOEXEC);
    return set >= 0;
}

void
gc_loop_close(void)
{
    if (set >= 0)
        close(set);
    set = -1;
}

double
gc_loop_now(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

void
gc_loop_watch(struct gc_watch *watch, uint32_t events)
{
    struct epoll_event event = {.events = events, .data.ptr = watch};

    watch->events = events;
    if (epoll_ctl(set, EPOLL_CTL_MOD, watch->fd, &event) == 0)
        return;
    if (errno != ENOENT || epoll_ctl(set, EPOLL_CTL_ADD, watch->fd, &event))
        abort();
}

void
gc_loop_unwatch(struct gc_watch *watch)
{
    int i;

    epoll_ctl(set, EPOLL_CTL_DEL, watch->fd, NULL);
    for (i = 0; i < round_count; i++) {
        if (round_events[i].data.ptr == watch)
            round_events[i].data.ptr = NULL;
    }
}

void
gc_loop_unset(struct gc_timer *timer)
{
    struct gc_timer **at = &timers;

    while (*at != NULL && *at != timer)
        at = &(*at)->next;
    if (*at != NULL)
        *at = timer->next;
    timer->next = NULL;
    timer->due = 0;
}

void
gc_loop_set(struct gc_timer *timer, double seconds)
{
    struct gc_timer **at = &timers;

    gc_loop_unset(timer);
    timer->due = gc_loop_now() + seconds;
    while (*at != NULL && (*at)->due <= timer->due)
        at = &(*at)->next;
    timer->next = *at;
    *at = timer;
}

static int
run_timers(int wait)
{
    while (timers != NULL) {
        struct gc_timer *first = timers;
        double left = first->due - gc_loop_now();
        /* Rounded up, so as not to spin; far ones are looked at again. */
        int left_ms = left > 1e5 ? 100000000 : (int)(left * 1000) + 1;

        if (left > 0)
            return wait >= 0 && wait < left_ms ? wait : left_ms;
        gc_loop_unset(first);
        first->fire(first->user);
        wait = 0;
    }
    return wait;
}

static void
wait_once(int wait)
{
    int i;

    round_count = epoll_wait(set, round_events, ROUND, wait);
    for (i = 0; i < round_count; i++) {
        struct gc_watch *watch = round_events[i].data.ptr;

        if (watch != NULL)
            watch->ready(watch->user, round_events[i].events);
    }
    round_count = 0;
}

void
gc_loop_run(int (*before)(void))
{
    stopping = false;
    while (!stopping) {
        int wait = run_timers(before());

        if (!stopping)
            wait_once(wait);
    }
}

void
gc_loop_stop(void)
{
    stopping = true;
}
