/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/atomic.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/process.h"
#include "src/store/files.h"

#define LOCK_NAME     ".lock"
#define TEMP_PREFIX   "tmp."
#define TEMP_SUFFIX   ".tmp"
#define LEFTOVERS_MAX 1000

/*
 * What NAME is called while we write it: tmp.PROCESS.TID-COUNT.NAME.tmp.  No
 * two writes share a name, be it from two threads.
 */
static gc_status
name_temp(const char *name, char temp[NAME_MAX + 1], struct gc_error *err)
{
    static atomic_uint count;
    struct gc_process self;
    char writer[GC_PROCESS_TEXT_SIZE];

    if (!gc_files_name_ok(name))
        return gc_fail(err, GC_E_INTERNAL, "a record's name that is none");
    gc_process_self(&self);
    gc_process_print(&self, writer);
    (void)snprintf(temp, NAME_MAX + 1, TEMP_PREFIX "%s.%ld-%u.%s" TEMP_SUFFIX,
                   writer, (long)gettid(), atomic_fetch_add(&count, 1), name);
    return GC_OK;
}

/*
 * The fifth dot ends the process, the sixth which write of its it was; the rest
 * but for its end is the name.
 */
static bool
parse_temp(const char *temp, struct gc_process *ret_writer,
           char ret_name[GC_FILES_NAME_MAX + 1])
{
    const char *writer = temp + strlen(TEMP_PREFIX), *at = writer, *which;
    size_t len;

    for (int dots = 0; dots < 5; dots++) {
        at += strcspn(at, ".");
        if (*at++ == '\0')
            return false;
    }
    which = at;
    at += strspn(at, "0123456789-");
    if (at == which || *at++ != '.')
        return false;
    len = strlen(at);
    if (len <= strlen(TEMP_SUFFIX)
        || len - strlen(TEMP_SUFFIX) > GC_FILES_NAME_MAX)
        return false;
    len -= strlen(TEMP_SUFFIX);
    memcpy(ret_name, at, len);
    ret_name[len] = '\0';
    return gc_files_name_ok(ret_name)
           && gc_process_parse(writer, (size_t)(which - 1 - writer),
                               ret_writer);
}

static gc_status
fill(int file, const struct gc_bytes *text, int64_t mtime, bool durable,
     struct gc_error *err)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = (time_t)mtime}};
    gc_status st = gc_files_write(file, text, err);

    if (st != GC_OK)
        return st;
    /* The umask may have taken bits away. */
    if (fchmod(file, S_IRUSR | S_IWUSR) != 0 || futimens(file, times) != 0
        || (durable && fsync(file) != 0))
        return gc_files_fail(err, "cannot write a record", errno);
    return GC_OK;
}

static gc_status
write_temp(int dir, const char *temp, const struct gc_bytes *text,
           int64_t mtime, bool durable, struct gc_error *err)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    gc_status st = gc_files_fits(text->len, err);
    int file;

    if (st != GC_OK)
        return st;
    file = openat(dir, temp, how, S_IRUSR | S_IWUSR);
    if (file < 0)
        return gc_files_fail(err, "cannot write a record", errno);
    st = fill(file, text, mtime, durable, err);
    /* NFS tells of a full disk here. */
    if (close(file) != 0 && st == GC_OK)
        st = gc_files_fail(err, "cannot write a record", errno);
    if (st != GC_OK)
        (void)unlinkat(dir, temp, 0);
    return st;
}

gc_status
gc_atomic_write(int dir, const char *name, const struct gc_bytes *text,
                int64_t mtime, bool durable, struct gc_error *err)
{
    char temp[NAME_MAX + 1];
    bool taken;
    gc_status st = name_temp(name, temp, err);

    if (st != GC_OK)
        return st;
    taken = faccessat(dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    st = write_temp(dir, temp, text, mtime, durable, err);
    if (st != GC_OK)
        return st;
    if (renameat(dir, temp, dir, name) != 0) {
        st = gc_files_fail(err, "cannot name a record", errno);
        (void)unlinkat(dir, temp, 0);
        return st;
    }
    if (durable && fsync(dir) != 0) {
        st = gc_files_fail(err, "cannot name a record", errno);
        if (!taken)
            (void)unlinkat(dir, name, 0);
    }
    return st;
}

/* Open the lock; it must be a file of ours, but never holds anything. */
static gc_status
open_lock(int dir, int *ret_lock, struct stat *ret_info, struct gc_error *err)
{
    int lock = openat(dir, LOCK_NAME,
                      O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY
                          | O_CLOEXEC,
                      S_IRUSR | S_IWUSR);

    if (lock < 0 && errno == ELOOP)
        return gc_fail(err, GC_E_CONFIG, "the lock is a symbolic link");
    if (lock < 0)
        return gc_files_fail(err, "cannot open the lock", errno);
    if (fstat(lock, ret_info) != 0 || !S_ISREG(ret_info->st_mode)
        || ret_info->st_uid != geteuid()) {
        (void)close(lock);
        return gc_fail(err, GC_E_CONFIG, "the lock is not a file of ours");
    }
    /* The umask may have taken bits away from a new one. */
    if ((ret_info->st_mode & (S_IRUSR | S_IWUSR)) != (S_IRUSR | S_IWUSR)
        && fchmod(lock, S_IRUSR | S_IWUSR) != 0) {
        (void)close(lock);
        return gc_fail(err, GC_E_CONFIG, "the lock cannot be made ours");
    }
    *ret_lock = lock;
    return GC_OK;
}

gc_status
gc_atomic_lock(int dir, int64_t deadline, int *ret_lock, struct gc_error *err)
{
    struct timespec pause = {.tv_nsec = 1000000};
    struct stat opened, named;
    int lock = -1;
    gc_status st;

    for (;;) {
        st = open_lock(dir, &lock, &opened, err);
        if (st != GC_OK)
            return st;
        if (flock(lock, LOCK_EX | LOCK_NB) == 0) {
            /* Somebody may have removed the file that we have locked. */
            if (fstatat(dir, LOCK_NAME, &named, AT_SYMLINK_NOFOLLOW) == 0
                && named.st_ino == opened.st_ino) {
                *ret_lock = lock;
                return GC_OK;
            }
        } else if (errno != EWOULDBLOCK && errno != EINTR) {
            st = gc_files_fail(err, "cannot lock the store", errno);
        }
        (void)close(lock);
        if (st != GC_OK)
            return st;
        if (gc_clock_left(deadline) == 0)
            return gc_fail(err, GC_E_BUSY,
                           "another process holds the store's lock");
        (void)nanosleep(&pause, NULL);
        if (pause.tv_nsec < 32000000)
            pause.tv_nsec *= 2;
    }
}

void
gc_atomic_unlock(int lock)
{
    /* Not by closing alone: a child forked meanwhile holds a copy. */
    (void)flock(lock, LOCK_UN);
    (void)close(lock);
}

struct adopting {
    int dir;
    size_t max;
    const struct gc_skip *skip;
    gc_leftover (*judge)(void *user, const char *name, bool taken,
                         const struct gc_bytes *text, int64_t mtime);
    void *user;
    struct gc_bytes text;
};

static void
adopting_clear(struct adopting *a)
{
    gc_bytes_clear(&a->text);
}

static gc_status
adopt_one(void *user, const char *temp, struct gc_error *err)
{
    struct adopting *a = user;
    struct gc_process writer;
    struct gc_error why;
    char name[GC_FILES_NAME_MAX + 1];
    gc_leftover verdict;
    int64_t mtime;
    gc_status st;
    bool taken;

    /* Whoever writes elsewhere is as good as alive. */
    if (!parse_temp(temp, &writer, name) || gc_process_alive(&writer))
        return GC_OK;
    st = gc_files_read(a->dir, temp, a->max, &a->text, &mtime, &why);
    if (st == GC_E_PROTOCOL)
        gc_skip_say(a->skip, temp, why.message);
    if (st == GC_E_PROTOCOL || st == GC_E_NOT_FOUND)
        return GC_OK;
    if (st != GC_OK) {
        if (err != NULL)
            *err = why;
        return st;
    }
    taken = faccessat(a->dir, name, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
    verdict = a->judge(a->user, name, taken, &a->text, mtime);
    if (verdict == GC_LEFTOVER_LEAVE)
        return GC_OK;
    /* Written anew, because nobody knows how much of it reached the disk. */
    if (verdict == GC_LEFTOVER_NAME)
        st = gc_atomic_write(a->dir, name, &a->text, mtime, true, &why);
    if (st == GC_OK)
        st = gc_files_remove(a->dir, temp, &why);
    if (st != GC_OK)
        gc_skip_say(a->skip, temp, why.message);
    return GC_OK;
}

gc_status
gc_atomic_adopt(int dir, size_t max, const struct gc_skip *skip,
                gc_leftover (*judge)(void *user, const char *name, bool taken,
                                     const struct gc_bytes *text,
                                     int64_t mtime),
                void *user, struct gc_error *err)
{
    __attribute__((cleanup(adopting_clear))) struct adopting a = {
        .dir = dir, .max = max, .skip = skip, .judge = judge, .user = user};
    bool more;

    return gc_files_each(dir, TEMP_PREFIX, TEMP_SUFFIX, LEFTOVERS_MAX,
                         adopt_one, &a, &more, err);
}
