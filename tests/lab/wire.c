/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The relay: client socket <-> one end of a socket pair, whose other end
 * libmicrohttpd serves.
 */

#include <config.h>

#include "tests/lab/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/lab/door.h"
#include "tests/lab/loop.h"
#include "tests/lab/text.h"

#define PIECE       65536
#define RESET_DELAY 0.02

/* One direction: bytes read from FROM and not yet written to TO. */
struct pipe {
    struct gc_watch *from, *to;
    char data[PIECE];
    size_t start, end;
    bool eof; /* FROM has ended */
};

struct gc_link {
    unsigned number;
    struct gc_watch client, server;
    struct pipe up, down;
    bool reset, dead;
    struct gc_timer timer; /* until the reset */
    bool admitted;         /* the server may still ask for it */
    int served;            /* the server's descriptor of it, while admitted */
    void (*wake)(void *user);
    void *wake_user;
    struct gc_link *next;
};

static struct gc_watch listener = {.fd = -1};
static struct gc_link *links;
static uint64_t accepted;
static unsigned last_number;

/* Wake the call that waits on this link: nobody will read its answer. */
static void
die(struct gc_link *link)
{
    void (*wake)(void *user) = link->wake;

    link->dead = true;
    link->wake = NULL;
    if (wake != NULL)
        wake(link->wake_user);
}

static void
close_watch(struct gc_watch *watch)
{
    if (watch->fd < 0)
        return;
    gc_loop_unwatch(watch);
    close(watch->fd);
    watch->fd = -1;
}

static void
free_link(struct gc_link *link)
{
    struct gc_link **at = &links;

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
    explicit_bzero(link, sizeof(*link));
    free(link);
}

/* The sockets go now, the rest when the server has forgotten it. */
static void
end_link(struct gc_link *link)
{
    const struct linger none = {.l_onoff = 1, .l_linger = 0};

    if (link->reset && link->client.fd >= 0)
        setsockopt(link->client.fd, SOL_SOCKET, SO_LINGER, &none, sizeof(none));
    gc_loop_unset(&link->timer);
    close_watch(&link->client);
    close_watch(&link->server);
    die(link);
    if (!link->admitted)
        free_link(link);
}

static void
end_by_timer(void *user)
{
    end_link(user);
}

static bool
fill(struct pipe *pipe)
{
    ssize_t got;

    if (pipe->eof || pipe->end > 0)
        return true;
    got = read(pipe->from->fd, pipe->data, PIECE);
    if (got > 0)
        pipe->end = (size_t)got;
    if (got == 0)
        pipe->eof = true;
    return got >= 0 || errno == EAGAIN || errno == EINTR;
}

static bool
drain(struct pipe *pipe)
{
    ssize_t put;

    if (pipe->end == 0)
        return true;
    put = send(pipe->to->fd, pipe->data + pipe->start, pipe->end - pipe->start,
               MSG_NOSIGNAL);
    if (put < 0)
        return errno == EAGAIN || errno == EINTR;
    pipe->start += (size_t)put;
    if (pipe->start == pipe->end)
        pipe->start = pipe->end = 0;
    return true;
}

/* Until there is nothing to read or no room to write. */
static bool
pump(struct pipe *pipe)
{
    size_t before;

    do {
        if (!fill(pipe))
            return false;
        before = pipe->end;
        if (!drain(pipe))
            return false;
    } while (before > 0 && pipe->end == 0);
    return true;
}

static void
watch_again(struct gc_watch *watch, const struct pipe *in,
            const struct pipe *out)
{
    uint32_t events = (!in->eof && in->end == 0 ? EPOLLIN : 0U)
                      | (out->end > 0 ? EPOLLOUT : 0U);

    if (events != watch->events)
        gc_loop_watch(watch, events);
}

static void
move(struct gc_link *link)
{
    bool client_gone, up_done, down_done;

    if (link->client.fd < 0)
        return;
    client_gone = !pump(&link->up);
    /* The server's last words are still to be passed. */
    if (!pump(&link->down))
        client_gone = true;
    up_done = link->up.eof && link->up.end == 0;
    down_done = link->down.eof && link->down.end == 0;
    if (client_gone || (down_done && !link->reset)) {
        end_link(link);
        return;
    }
    if (up_done && !link->dead) {
        shutdown(link->server.fd, SHUT_WR);
        die(link);
    }
    watch_again(&link->client, &link->up, &link->down);
    if (link->server.fd >= 0)
        watch_again(&link->server, &link->down, &link->up);
}

static void
link_ready(void *user, uint32_t events)
{
    struct gc_link *link = user;

    /* A reset from the client shows here even when nothing is read. */
    if ((events & EPOLLERR) != 0)
        end_link(link);
    else
        move(link);
}

/* A hang-up is told again and again: only one side that is done may ignore. */
static void
client_ready(void *user, uint32_t events)
{
    struct gc_link *link = user;

    if ((events & EPOLLHUP) != 0) {
        (void)pump(&link->up);
        end_link(link);
        return;
    }
    link_ready(user, events);
}

static void
start_link(int client, const struct sockaddr_in *address)
{
    struct gc_link *link;
    const int on = 1;
    int ends[2];

    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends)
        != 0) {
        close(client);
        return;
    }
    setsockopt(client, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    link = gc_text_grab(1, sizeof(*link));
    link->number = ++last_number;
    link->client =
        (struct gc_watch){.fd = client, .ready = client_ready, .user = link};
    link->server =
        (struct gc_watch){.fd = ends[0], .ready = link_ready, .user = link};
    link->up.from = link->down.to = &link->client;
    link->up.to = link->down.from = &link->server;
    link->timer.fire = end_by_timer;
    link->timer.user = link;
    link->next = links;
    links = link;
    gc_loop_watch(&link->client, EPOLLIN);
    gc_loop_watch(&link->server, EPOLLIN);
    link->admitted = true;
    link->served = ends[1];
    if (!gc_door_admit(ends[1], (const struct sockaddr *)address,
                       sizeof(*address))) {
        link->admitted = false;
        end_link(link);
    }
}

static void
accept_some(void *user, uint32_t events)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    int client;

    (void)user;
    (void)events;
    while ((client = accept4(listener.fd, (struct sockaddr *)&address, &size,
                             SOCK_CLOEXEC | SOCK_NONBLOCK))
           >= 0) {
        accepted++;
        start_link(client, &address);
        size = sizeof(address);
    }
}

bool
gc_wire_open(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(port)};
    const int on = 1;

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    listener.fd =
        socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    listener.ready = accept_some;
    if (listener.fd < 0)
        return false;
    if (port != 0)
        setsockopt(listener.fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener.fd, (struct sockaddr *)&address, sizeof(address)) != 0
        || listen(listener.fd, 128) != 0)
        return false;
    gc_loop_watch(&listener, EPOLLIN);
    return true;
}

void
gc_wire_close(void)
{
    struct gc_link *link, *next;

    for (link = links; link != NULL; link = next) {
        next = link->next;
        end_link(link);
    }
    close_watch(&listener);
}

uint16_t
gc_wire_port(void)
{
    struct sockaddr_in address = {0};
    socklen_t size = sizeof(address);

    getsockname(listener.fd, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

uint64_t
gc_wire_count(void)
{
    return accepted;
}

void
gc_wire_reset_count(void)
{
    accepted = 0;
}

unsigned
gc_link_number(const struct gc_link *link)
{
    return link->number;
}

struct gc_link *
gc_link_served_at(int fd)
{
    struct gc_link *link;

    for (link = links; link != NULL; link = link->next) {
        if (link->admitted && link->served == fd)
            return link;
    }
    return NULL;
}

void
gc_link_end(struct gc_link *link, bool reset)
{
    if (link->client.fd < 0)
        return;
    (void)pump(&link->down);
    close_watch(&link->server);
    link->down.eof = link->up.eof = true;
    link->up.start = link->up.end = 0;
    link->reset = reset;
    /* A reset overtakes data that the client has not read yet. */
    if (reset)
        gc_loop_set(&link->timer, RESET_DELAY);
    die(link);
    move(link);
}

void
gc_link_forget(struct gc_link *link)
{
    link->admitted = false;
    if (link->client.fd < 0)
        free_link(link);
}

bool
gc_link_is_dead(const struct gc_link *link)
{
    return link->dead;
}

void
gc_link_on_death(struct gc_link *link, void (*wake)(void *user), void *user)
{
    link->wake = wake;
    link->wake_user = user;
}
