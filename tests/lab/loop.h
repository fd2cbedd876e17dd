/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread: descriptors and timers.  Everything in the simulator runs
 * from here, so nothing needs a lock, GSS and libmicrohttpd included.
 */

#ifndef GC_LAB_LOOP_H
#define GC_LAB_LOOP_H

#include <stdbool.h>
#include <stdint.h>

struct gc_watch {
    int fd;
    uint32_t events; /* what the loop waits for now; EPOLLIN, EPOLLOUT */
    void (*ready)(void *user, uint32_t events);
    void *user;
};

struct gc_timer {
    double due; /* CLOCK_MONOTONIC seconds; 0: not set */
    void (*fire)(void *user);
    void *user;
    struct gc_timer *next;
};

bool gc_loop_open(void);
void gc_loop_close(void);
double gc_loop_now(void);

/* WATCH is the caller's and stays until it is removed.  0 events: silent. */
void gc_loop_watch(struct gc_watch *watch, uint32_t events);
void gc_loop_unwatch(struct gc_watch *watch);

/* TIMER is the caller's; setting it again moves it. */
void gc_loop_set(struct gc_timer *timer, double seconds);
void gc_loop_unset(struct gc_timer *timer);

/*
 * BEFORE runs ahead of every wait and returns the longest time to wait in
 * milliseconds, or -1.
 */
void gc_loop_run(int (*before)(void));
void gc_loop_stop(void);

#endif
