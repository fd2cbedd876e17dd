/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The control socket.  A client sends words, each ended by NUL, ends its side
 * and reads "ok\n" or "error\n" and the answer.
 */

#include <config.h>

#include "tests/lab/control.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tests/lab/loop.h"
#include "tests/lab/script.h"
#include "tests/lab/words.h"

struct caller {
    struct gc_watch watch;
    struct gc_text said;
    struct caller *next;
};

static struct gc_watch listener = {.fd = -1};
static struct gc_world *the_world;
static char *socket_path;
static struct caller *callers;

static void
hang_up(struct caller *caller)
{
    struct caller **at = &callers;

    gc_loop_unwatch(&caller->watch);
    close(caller->watch.fd);
    gc_text_clear(&caller->said);
    while (*at != caller)
        at = &(*at)->next;
    *at = caller->next;
    free(caller);
}

/* A word @FILE means the file here too, but only by its full name. */
static bool
cut_said(const struct gc_text *said, struct gc_words *words,
         struct gc_text *why)
{
    const char *at = said->data, *end = said->data + said->len;

    while (at < end) {
        if (!gc_words_add(words, at, "/nonexistent", why))
            return false;
        at += strlen(at) + 1;
    }
    return true;
}

static void
reply(const struct caller *caller)
{
    GC_WORDS words = {0};
    GC_TEXT out = {0};
    bool ok = cut_said(&caller->said, &words, &out)
              && gc_script_do(the_world, words.word, words.count, &out);
    GC_TEXT all = {0};
    size_t sent = 0;

    gc_text_puts(&all, ok ? "ok\n" : "error\n");
    gc_text_puts(&all, gc_text_string(&out));
    while (sent < all.len) {
        ssize_t put = send(caller->watch.fd, all.data + sent, all.len - sent,
                           MSG_NOSIGNAL);

        if (put < 0)
            return;
        sent += (size_t)put;
    }
}

static void
caller_ready(void *user, uint32_t events)
{
    struct caller *caller = user;
    char piece[4096];
    ssize_t got = recv(caller->watch.fd, piece, sizeof(piece), MSG_DONTWAIT);

    (void)events;
    if (got > 0 && caller->said.len < GC_MAX_FILE) {
        gc_text_add(&caller->said, piece, (size_t)got);
        return;
    }
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got == 0 && caller->said.len > 0)
        reply(caller);
    hang_up(caller);
}

static void
accept_one(void *user, uint32_t events)
{
    int fd = accept4(listener.fd, NULL, NULL, SOCK_CLOEXEC);
    struct caller *caller;

    (void)user;
    (void)events;
    if (fd < 0)
        return;
    caller = gc_text_grab(1, sizeof(*caller));
    caller->watch =
        (struct gc_watch){.fd = fd, .ready = caller_ready, .user = caller};
    caller->next = callers;
    callers = caller;
    gc_loop_watch(&caller->watch, EPOLLIN);
}

static bool
set_address(struct sockaddr_un *address, const char *path)
{
    *address = (struct sockaddr_un){.sun_family = AF_UNIX};
    return gc_text_copy(address->sun_path, sizeof(address->sun_path), path);
}

bool
gc_control_open(struct gc_world *world, const char *path, struct gc_text *why)
{
    struct sockaddr_un address;
    mode_t mask;
    int bound;

    if (!set_address(&address, path)) {
        gc_text_printf(why, "%s: too long for a socket", path);
        return false;
    }
    the_world = world;
    listener.ready = accept_one;
    listener.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    mask = umask(077);
    bound = listener.fd < 0 ? -1
                            : bind(listener.fd, (struct sockaddr *)&address,
                                   sizeof(address));
    umask(mask);
    if (bound != 0 || listen(listener.fd, 16) != 0) {
        gc_text_printf(why, "%s: %s", path, strerror(errno));
        return false;
    }
    socket_path = gc_text_dup(path);
    gc_loop_watch(&listener, EPOLLIN);
    return true;
}

void
gc_control_close(void)
{
    while (callers != NULL)
        hang_up(callers);
    if (socket_path != NULL) {
        gc_loop_unwatch(&listener);
        unlink(socket_path);
    }
    gc_text_free(socket_path);
    socket_path = NULL;
    if (listener.fd >= 0)
        close(listener.fd);
    listener.fd = -1;
}

static bool
converse(int fd, char *const *words, size_t count, struct gc_text *answer)
{
    char piece[4096];
    ssize_t got;
    size_t i;

    for (i = 0; i < count; i++) {
        const char *at = words[i];
        size_t left = strlen(at) + 1;

        while (left > 0) {
            got = send(fd, at, left, MSG_NOSIGNAL);
            if (got < 0)
                return false;
            at += got;
            left -= (size_t)got;
        }
    }
    shutdown(fd, SHUT_WR);
    while ((got = read(fd, piece, sizeof(piece))) > 0)
        gc_text_add(answer, piece, (size_t)got);
    return got == 0;
}

int
gc_control_ask(const char *path, char *const *words, size_t count)
{
    struct sockaddr_un address;
    GC_TEXT answer = {0};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool ok;

    ok = fd >= 0 && set_address(&address, path)
         && connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0
         && converse(fd, words, count, &answer);
    if (!ok)
        fprintf(stderr, "guestcred-vcsim: %s: %s\n", path, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (ok && strncmp(gc_text_string(&answer), "ok\n", 3) == 0) {
        fputs(answer.data + 3, stdout);
        return 0;
    }
    if (ok && strncmp(gc_text_string(&answer), "error\n", 6) == 0)
        fprintf(stderr, "guestcred-vcsim: %s\n", answer.data + 6);
    return 1;
}
