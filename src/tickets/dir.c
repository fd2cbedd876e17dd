/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"

#define PAUSE_MAX_MS 32
#define OLD_MAX      (1024 * 1024) /* more than any file of this program */

/* ---- the directory ---- */

/* Fill ERR from errno value ERROR: WHAT could not be done in DIR. */
static gc_status
fail(const struct gc_dir *dir, const char *what, int error,
     struct gc_error *err)
{
    gc_status st = GC_E_INTERNAL;

    switch (error) {
    case ENOMEM:
        return gc_fail_no_memory(err);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        st = gc_fail(err, GC_E_FAILED, "the store %s: cannot %s: %s", dir->path,
                     what, strerror(error));
        return gc_fail_hint(err, st, "make room there, or raise the limit");
    case EACCES:
    case EPERM:
    case EROFS:
    case ELOOP:
    case ENOTDIR:
        st = GC_E_CONFIG;
        break;
    case ENOENT:
    case EIO:
    case ESTALE:
        st = GC_E_FAILED;
        break;
    default:
        break;
    }
    return gc_fail(err, st, "the store %s: cannot %s: %s", dir->path, what,
                   error == ELOOP ? "it is a symbolic link" : strerror(error));
}

/* Make the directory PATH and what is missing above it. */
static bool
make(char *path)
{
    char *slash = strrchr(path, '/');
    bool made;

    if (mkdir(path, S_IRWXU) == 0 || errno == EEXIST)
        return true;
    if (errno != ENOENT || slash == path)
        return false;
    *slash = '\0';
    made = make(path);
    *slash = '/';
    return made && (mkdir(path, S_IRWXU) == 0 || errno == EEXIST);
}

/* PATH without slashes at its end, which would follow a link. */
static gc_status
take_path(struct gc_dir *dir, const char *path, struct gc_error *err)
{
    size_t len = strlen(path);
    const char *last;

    while (len > 1 && path[len - 1] == '/')
        len--;
    if (path[0] != '/' || len >= PATH_MAX)
        return gc_fail(err, GC_E_CONFIG,
                       "the path of the store, %s, is not absolute", path);
    dir->path = strndup(path, len);
    if (dir->path == NULL)
        return gc_fail_no_memory(err);
    last = strrchr(dir->path, '/') + 1;
    if (strcmp(last, "") == 0 || strcmp(last, ".") == 0
        || strcmp(last, "..") == 0)
        return gc_fail(err, GC_E_CONFIG, "the store cannot be %s", path);
    return GC_OK;
}

static gc_status
check(const struct gc_dir *dir, int fd, struct gc_error *err)
{
    const mode_t forbidden = dir->roots ? 027 : 077;
    struct stat info;
    gc_status st;

    if (fstat(fd, &info) != 0)
        return fail(dir, "look at it", errno, err);
    if (info.st_uid != (dir->roots ? 0 : geteuid()))
        return gc_fail(err, GC_E_CONFIG, "the store %s belongs to uid %lu",
                       dir->path, (unsigned long)info.st_uid);
    if ((info.st_mode & forbidden) == 0)
        return GC_OK;
    st = gc_fail(err, GC_E_CONFIG, "the store %s is open to others (mode %04o)",
                 dir->path, (unsigned)info.st_mode & 07777);
    return dir->roots ? st : gc_fail_hint(err, st, "chmod 700 %s", dir->path);
}

gc_status
gc_dir_open(const char *path, bool create, bool roots, struct gc_dir *ret_dir,
            struct gc_error *err)
{
    const int how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    struct gc_dir *dir = ret_dir;
    GC_AUTO_FD fd = -1;
    gc_status st;

    *dir = (struct gc_dir){.fd = -1, .roots = roots};
    st = take_path(dir, path, err);
    if (st != GC_OK)
        return st;
    fd = gc_descriptor_lift(open(dir->path, how));
    if (fd < 0 && errno == ENOENT && create && make(dir->path))
        fd = gc_descriptor_lift(open(dir->path, how));
    if (fd < 0 && errno == ENOENT && !create)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no store %s", dir->path);
    if (fd < 0)
        return fail(dir, create ? "make or open it" : "open it", errno, err);
    st = check(dir, fd, err);
    if (st != GC_OK)
        return st;
    dir->names = fdopendir(fd);
    if (dir->names == NULL)
        return fail(dir, "list it", errno, err);
    dir->fd = fd;
    fd = -1;
    return GC_OK;
}

void
gc_dir_close(struct gc_dir *dir)
{
    if (dir->names != NULL)
        (void)closedir(dir->names);
    free(dir->path);
    *dir = (struct gc_dir){.fd = -1};
}

void
gc_dir_rewind(struct gc_dir *dir)
{
    rewinddir(dir->names);
}

gc_status
gc_dir_next(struct gc_dir *dir, const char **ret_name, struct gc_error *err)
{
    const struct dirent *entry;

    errno = 0;
    entry = readdir(dir->names);
    if (entry == NULL && errno != 0)
        return fail(dir, "list it", errno, err);
    *ret_name = entry == NULL ? NULL : entry->d_name;
    return GC_OK;
}

/* ---- files ---- */

gc_status
gc_dir_read(struct gc_dir *dir, const char *name, size_t max,
            struct gc_bytes *text, struct gc_error *err)
{
    const struct gc_trust trust = {.own = !dir->roots,
                                   .root = dir->roots,
                                   .forbidden = dir->roots ? 027 : 077,
                                   .max = max};

    return gc_trusted_read(dir->fd, name, &trust, text, NULL, err);
}

gc_status
gc_dir_random(char ret_text[GC_DIR_RANDOM_SIZE], struct gc_error *err)
{
    static const char hex[] = "0123456789abcdef";
    unsigned char raw[16];

    if (getrandom(raw, sizeof(raw), 0) != (ssize_t)sizeof(raw))
        return gc_fail(err, GC_E_INTERNAL, "no random bytes: %s",
                       strerror(errno));
    for (size_t i = 0; i < sizeof(raw); i++) {
        ret_text[2 * i] = hex[raw[i] >> 4];
        ret_text[2 * i + 1] = hex[raw[i] & 15];
    }
    ret_text[2 * sizeof(raw)] = '\0';
    return GC_OK;
}

static bool
write_all(int fd, const struct gc_bytes *text)
{
    size_t done = 0;

    while (done < text->len) {
        ssize_t n = write(fd, text->data + done, text->len - done);

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

/* 0, or errno.  What is synced keeps its mode whatever the umask is. */
static int
fill(int fd, const struct gc_bytes *text, bool sync)
{
    int error = 0;

    if (!write_all(fd, text)
        || (sync && (fchmod(fd, S_IRUSR | S_IWUSR) != 0 || fsync(fd) != 0)))
        error = errno;
    /* NFS tells of a full disk here. */
    if (close(fd) != 0 && error == 0)
        error = errno;
    return error;
}

gc_status
gc_dir_write(struct gc_dir *dir, const struct gc_bytes *text, bool sync,
             char ret_temp[GC_DIR_TEMP_SIZE], struct gc_error *err)
{
    const int how = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
    char id[GC_DIR_RANDOM_SIZE], temp[GC_DIR_TEMP_SIZE];
    struct rlimit limit;
    gc_status st = gc_dir_random(id, err);
    int fd, error;

    if (st != GC_OK)
        return st;
    if (dir->roots)
        return fail(dir, "write to it", EROFS, err);
    /*
     * Beyond it SIGXFSZ ends the process, and ignoring signals is up to the
     * host.
     */
    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < text->len)
        return fail(dir, "write to it", EFBIG, err);
    (void)snprintf(temp, sizeof(temp), "%s.new", id);
    fd = gc_descriptor_lift(openat(dir->fd, temp, how, S_IRUSR | S_IWUSR));
    if (fd < 0)
        return fail(dir, "write to it", errno, err);
    error = fill(fd, text, sync);
    if (error != 0) {
        (void)unlinkat(dir->fd, temp, 0);
        return fail(dir, "write to it", error, err);
    }
    memcpy(ret_temp, temp, sizeof(temp));
    return GC_OK;
}

gc_status
gc_dir_rename(struct gc_dir *dir, const char *temp, const char *name,
              struct gc_error *err)
{
    int error;

    if (renameat(dir->fd, temp, dir->fd, name) == 0)
        return GC_OK;
    error = errno;
    (void)unlinkat(dir->fd, temp, 0);
    return fail(dir, "write to it", error, err);
}

void
gc_dir_discard(struct gc_dir *dir, const char *temp)
{
    (void)unlinkat(dir->fd, temp, 0);
}

void
gc_dir_sync(struct gc_dir *dir)
{
    (void)fsync(dir->fd);
}

gc_status
gc_dir_remove(struct gc_dir *dir, const char *name, struct gc_error *err)
{
    if (dir->roots)
        return fail(dir, "write to it", EROFS, err);
    if (unlinkat(dir->fd, name, 0) == 0 || errno == ENOENT)
        return GC_OK;
    return fail(dir, "remove from it", errno, err);
}

/* Did this program begin it, or is it what a torn write leaves? */
static bool
is_ours(int fd)
{
    static const char beginning[] = "guestcred ";
    const size_t most = sizeof(beginning) - 1;
    char part[4096];
    ssize_t n = read(fd, part, sizeof(part));

    if (n > 0
        && memcmp(part, beginning, (size_t)n < most ? (size_t)n : most) == 0)
        return true;
    for (; n > 0; n = read(fd, part, sizeof(part)))
        for (ssize_t i = 0; i < n; i++)
            if (part[i] != '\0')
                return false;
    return n == 0;
}

/* DIR may be any directory that a user named: what others wrote stays. */
void
gc_dir_remove_old(struct gc_dir *dir, const char *name, int64_t age)
{
    const struct gc_trust trust = {.own = true, .max = OLD_MAX};
    GC_AUTO_FD fd = -1;
    struct stat info;

    if (gc_trusted_open(dir->fd, name, &trust, &fd, &info, NULL) != GC_OK
        || (int64_t)info.st_mtime > gc_clock_epoch() - age || !is_ours(fd))
        return;
    (void)unlinkat(dir->fd, name, 0);
}

/* ---- locks ---- */

static gc_status
open_lock(struct gc_dir *dir, const char *name, int *ret_fd,
          struct gc_error *err)
{
    /* To lock, NFS wants a file that is open for writing. */
    const int how =
        O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
    GC_AUTO_FD fd =
        gc_descriptor_lift(openat(dir->fd, name, how, S_IRUSR | S_IWUSR));
    struct stat info;

    if (fd < 0)
        return fail(dir, "lock it", errno, err);
    if (fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)
        || info.st_uid != geteuid())
        return gc_fail(err, GC_E_CONFIG,
                       "the store %s: %s is not a file of this user", dir->path,
                       name);
    *ret_fd = fd;
    fd = -1;
    return GC_OK;
}

/*
 * One try at *FD.  False: another process has it, or the file was removed
 * meanwhile and *FD is closed, so that the next try is at the new one.
 */
static gc_status
try_lock(struct gc_dir *dir, int *fd, bool *ret_locked, struct gc_error *err)
{
    struct stat info;

    *ret_locked = flock(*fd, LOCK_EX | LOCK_NB) == 0;
    if (!*ret_locked && errno != EWOULDBLOCK && errno != EINTR)
        return fail(dir, "lock it", errno, err);
    if (fstat(*fd, &info) == 0 && info.st_nlink > 0)
        return GC_OK;
    *ret_locked = false;
    gc_descriptor_close(fd);
    return GC_OK;
}

gc_status
gc_dir_lock(struct gc_dir *dir, const char *name, int64_t deadline,
            int cancel_fd, int *fd, bool *ret_waited, struct gc_error *err)
{
    struct pollfd cancel = {.fd = cancel_fd, .events = POLLIN};
    bool locked = false;
    gc_status st;

    *ret_waited = false;
    if (dir->roots)
        return fail(dir, "lock it", EROFS, err);
    for (int pause = 1;; pause = pause < PAUSE_MAX_MS ? 2 * pause : pause) {
        st = *fd < 0 ? open_lock(dir, name, fd, err) : GC_OK;
        if (st == GC_OK)
            st = try_lock(dir, fd, &locked, err);
        if (st != GC_OK || locked)
            return st;
        *ret_waited = true;
        if (gc_clock_left(deadline) == 0)
            return gc_fail(err, GC_E_BUSY,
                           "another process holds the lock %s/%s", dir->path,
                           name);
        if (gc_clock_left(deadline) < pause)
            pause = gc_clock_left(deadline);
        if (poll(&cancel, 1, pause) > 0)
            return gc_fail(err, GC_E_CANCELED, "interrupted");
    }
}

void
gc_dir_unlock(int fd)
{
    /* Closing is not enough: a child that was forked meanwhile has a copy. */
    (void)flock(fd, LOCK_UN);
}
