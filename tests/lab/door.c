/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libmicrohttpd daemons without a thread, one for each way to be served.
 */

#include <config.h>

#include "tests/lab/door.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <microhttpd.h>

#include "tests/lab/call.h"
#include "tests/lab/loop.h"

#define MAX_DOORS 16

struct door {
    char *pem, *priority; /* what was asked for */
    struct MHD_Daemon *daemon;
    struct gc_watch watch;
};

static struct door doors[MAX_DOORS];
static size_t door_count, current;
static bool kicked;

static void
notice(void *user, struct MHD_Connection *connection, void **context,
       enum MHD_ConnectionNotificationCode code)
{
    (void)user;
    /* From within MHD_add_connection (0.9) or a later MHD_run (1.0). */
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        *context =
            gc_link_served_at(MHD_get_connection_info(
                                  connection, MHD_CONNECTION_INFO_CONNECTION_FD)
                                  ->connect_fd);
    } else if (*context != NULL) {
        gc_link_forget(*context);
        *context = NULL;
    }
}

static void
ready(void *user, uint32_t events)
{
    const struct door *door = user;

    (void)events;
    MHD_run(door->daemon);
}

static struct MHD_Daemon *
start_daemon(const char *pem, const char *priority)
{
    struct MHD_OptionItem tls[] = {
        {MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)(uintptr_t)pem},
        {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)(uintptr_t)pem},
        {MHD_OPTION_HTTPS_PRIORITIES, 0,
         (void *)(uintptr_t)(priority != NULL ? priority : "NORMAL")},
        {MHD_OPTION_END, 0, NULL},
    };
    unsigned flags =
        MHD_USE_EPOLL | MHD_USE_NO_LISTEN_SOCKET | MHD_ALLOW_SUSPEND_RESUME;

    if (pem == NULL)
        tls[0].option = MHD_OPTION_END;
    else
        flags |= MHD_USE_TLS;
    return MHD_start_daemon(flags, 0, NULL, NULL, gc_call_handle, NULL,
                            MHD_OPTION_NOTIFY_COMPLETED, gc_call_completed,
                            NULL, MHD_OPTION_NOTIFY_CONNECTION, notice, NULL,
                            MHD_OPTION_ARRAY, tls, MHD_OPTION_END);
}

static bool
same(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

static bool
open_door(const char *pem, const char *priority, struct gc_text *why)
{
    bool plain = strcmp(pem, "off") == 0;
    struct door *door = &doors[door_count];
    GC_TEXT file = {0};

    if (door_count == MAX_DOORS) {
        gc_text_puts(why, "too many ways to serve");
        return false;
    }
    if (!plain && !gc_text_read_file(pem, 1U << 20, &file)) {
        gc_text_printf(why, "%s: %s", pem, strerror(errno));
        return false;
    }
    door->daemon = start_daemon(plain ? NULL : gc_text_string(&file), priority);
    if (door->daemon == NULL) {
        gc_text_printf(why, "%s: no TLS key and certificate that GnuTLS takes",
                       pem);
        return false;
    }
    door->pem = gc_text_dup(pem);
    door->priority = priority != NULL ? gc_text_dup(priority) : NULL;
    door->watch = (struct gc_watch){
        .fd = MHD_get_daemon_info(door->daemon, MHD_DAEMON_INFO_EPOLL_FD)
                  ->epoll_fd,
        .ready = ready,
        .user = door,
    };
    gc_loop_watch(&door->watch, EPOLLIN);
    current = door_count++;
    return true;
}

bool
gc_door_switch(const char *pem, const char *priority, struct gc_text *why)
{
    size_t i;

    for (i = 0; i < door_count; i++) {
        if (same(doors[i].pem, pem) && same(doors[i].priority, priority)) {
            current = i;
            return true;
        }
    }
    return open_door(pem, priority, why);
}

void
gc_door_reset(void)
{
    current = 0;
}

void
gc_door_close(void)
{
    while (door_count > 0) {
        struct door *door = &doors[--door_count];

        gc_loop_unwatch(&door->watch);
        MHD_run(door->daemon);
        MHD_stop_daemon(door->daemon);
        gc_text_free(door->pem);
        gc_text_free(door->priority);
    }
}

bool
gc_door_admit(int fd, const struct sockaddr *address, socklen_t size)
{
    kicked = true;
    return MHD_add_connection(doors[current].daemon, fd, address, size)
           == MHD_YES;
}

void
gc_door_kick(void)
{
    kicked = true;
}

int
gc_door_serve(void)
{
    MHD_UNSIGNED_LONG_LONG due;
    int wait = -1;
    size_t i;

    /* Everything that is due at once, then the nearest of the rest. */
    if (kicked) {
        kicked = false;
        for (i = 0; i < door_count; i++)
            MHD_run(doors[i].daemon);
    }
    for (i = 0; i < door_count; i++) {
        if (MHD_get_timeout(doors[i].daemon, &due) != MHD_YES)
            continue;
        if (due == 0)
            kicked = true;
        if (wait < 0 || due < (unsigned)wait)
            wait = due > 60000 ? 60000 : (int)due;
    }
    return kicked ? 0 : wait;
}
