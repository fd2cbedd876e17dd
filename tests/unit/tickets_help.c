/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/tickets_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

int help_skips;
char help_line[1024];
static char top[128];
static bool in_child;

/* A failed test must not go on in its child as well. */
static void
give_up(const char *why)
{
    if (in_child) {
        (void)fprintf(stderr, "# in a child: %s\n", why);
        _exit(98);
    }
    fail_msg("%s", why);
}

void
help_begin(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(top, sizeof(top), "%s/guestcred-test.XXXXXX",
                   tmp != NULL && strlen(tmp) < 80 ? tmp : "/tmp");
    assert_non_null(mkdtemp(top));
    help_skips = 0;
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void
help_end(void)
{
    (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

const char *
help_path(const char *sub)
{
    static char paths[8][512];
    static int turn;
    char *path = paths[turn++ % 8];

    (void)snprintf(path, sizeof(paths[0]), "%s%s%s", top,
                   sub[0] == '\0' ? "" : "/", sub);
    return path;
}

const char *
help_in_store(const char *name)
{
    char sub[300];

    (void)snprintf(sub, sizeof(sub), "store/%s", name);
    return help_path(sub);
}

static void
skipped(void *user, const char *line)
{
    (void)user;
    help_skips++;
    (void)snprintf(help_line, sizeof(help_line), "%s", line);
}

struct gc_store *
help_open(void)
{
    struct gc_store *store = NULL;
    struct gc_error err;

    if (gc_store_open(help_path("store"), GC_STORE_CREATE, &store, &err)
        != GC_OK)
        give_up(err.message);
    gc_store_on_skip(store, skipped, NULL);
    return store;
}

void
help_request(struct gc_entry *entry, const char *vm)
{
    struct gc_ticket *t = &entry->ticket;

    gc_entry_clear(entry);
    (void)snprintf(entry->url, sizeof(entry->url), "%s", URL);
    (void)snprintf(entry->asked, sizeof(entry->asked), "name:%s", vm);
    (void)snprintf(t->vm, sizeof(t->vm), "%s", vm);
    (void)snprintf(t->vcenter, sizeof(t->vcenter), "%s", UUID);
    (void)snprintf(t->principal, sizeof(t->principal), "alice@EXAMPLE.TEST");
    (void)snprintf(t->target, sizeof(t->target), "host/guest1.example.test");
}

void
help_issue(struct gc_entry *entry, int number)
{
    char secret[64];

    (void)snprintf(secret, sizeof(secret), SECRET "-%d", number);
    entry->ticket.legs = 1;
    entry->ticket.acquired = 1700000000 + number;
    if (gc_bytes_set(&entry->ticket.ticket, secret, strlen(secret), NULL)
        != GC_OK)
        give_up("out of memory");
}

int
help_number(const struct gc_entry *entry)
{
    return entry->ticket.ticket.len == 0
               ? 0
               : atoi(gc_bytes_text(&entry->ticket.ticket) + strlen(SECRET)
                      + 1);
}

struct gc_ticket_key
help_key(const struct gc_entry *entry)
{
    const struct gc_ticket *t = &entry->ticket;

    return (struct gc_ticket_key){entry->url,   t->vcenter, t->vm,
                                  t->principal, t->target,  t->mech,
                                  t->mutual};
}

void
help_put(struct gc_store *store, const char *vm, int number,
         char ret_id[GC_ENTRY_ID_SIZE])
{
    GC_AUTO(gc_entry) entry = {0};
    GC_AUTO(gc_entry) earlier = {0};
    struct gc_error err;

    help_request(&entry, vm);
    if (gc_store_intent(store, &entry, &err) != GC_OK)
        give_up(err.message);
    help_issue(&entry, number);
    if (gc_store_ticket(store, &entry, NULL, &earlier, &err) != GC_OK)
        give_up(err.message);
    if (earlier.id[0] != '\0' || entry.state != GC_ENTRY_TICKET)
        give_up("another ticket was there");
    if (ret_id != NULL)
        memcpy(ret_id, entry.id, GC_ENTRY_ID_SIZE);
}

int
help_state(struct gc_store *store, const char *id)
{
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error err;
    gc_status st = gc_store_read(store, id, &entry, &err);

    if (st != GC_OK && st != GC_E_NOT_FOUND)
        give_up(err.message);
    return st == GC_OK ? (int)entry.state : -1;
}

size_t
help_count(struct gc_store *store)
{
    GC_AUTO(gc_entries) all = {0};
    struct gc_error err;

    if (gc_store_list(store, NULL, &all, &err) != GC_OK)
        give_up(err.message);
    return all.count;
}

void
help_file(const char *path, const void *text, long len, unsigned mode)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    size_t size = len < 0 ? strlen(text) : (size_t)len;

    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), (ssize_t)size);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

void
help_read(const char *path, char *dst, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n;

    assert_true(fd >= 0);
    n = read(fd, dst, size - 1);
    assert_true(n >= 0);
    dst[n] = '\0';
    (void)close(fd);
}

void
help_age(const char *path, long age)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = time(NULL) - age}};

    assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

int
help_names(const char *suffix)
{
    DIR *dir = opendir(help_path("store"));
    const struct dirent *entry;
    int count = 0;

    if (dir == NULL)
        give_up("no store");
    while ((entry = readdir(dir)) != NULL) {
        size_t len = strlen(entry->d_name), end = strlen(suffix);

        count += entry->d_name[0] != '.' && len >= end
                 && strcmp(entry->d_name + len - end, suffix) == 0;
    }
    (void)closedir(dir);
    return count;
}

int
help_fork(int (*run)(void *user), void *user, unsigned uid)
{
    pid_t child;
    int status = 0;

    (void)fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        in_child = true;
        if (uid != 0
            && (setgroups(0, NULL) != 0 || setgid(uid) != 0
                || setuid(uid) != 0))
            _exit(99);
        _exit(run(user));
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}
