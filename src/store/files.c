/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define PATH_SIZE   1000 /* "DIR:" and it fit a ledger entry */
#define OTHERS_MAY  (S_IRWXG | S_IRWXO)
#define OPEN_DIR    (O_RDONLY | O_DIRECTORY | O_CLOEXEC)
#define OPEN_RECORD (O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC)

gc_status
gc_files_fail(struct gc_error *err, const char *what, int error)
{
    switch (error) {
    case ENOMEM:
        return gc_fail_no_memory(err);
    case ENOSPC:
    case EDQUOT:
    case EFBIG:
        (void)gc_fail(err, GC_E_FAILED, "%s: %s", what, strerror(error));
        return gc_fail_hint(err, GC_E_FAILED,
                            "make room there, or raise the limit");
    case EACCES:
    case EPERM:
    case EROFS:
        return gc_fail(err, GC_E_CONFIG, "%s: %s", what, strerror(error));
    case ENOENT:
    case EIO:
        return gc_fail(err, GC_E_FAILED, "%s: %s", what, strerror(error));
    default:
        return gc_fail(err, GC_E_INTERNAL, "%s: %s", what, strerror(error));
    }
}

bool
gc_files_name_ok(const char *name)
{
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                              "abcdefghijklmnopqrstuvwxyz0123456789.-_");

    return len > 0 && len <= GC_FILES_NAME_MAX && name[len] == '\0'
           && name[0] != '.';
}

/* PATH as far as its parent goes, and where in it the last component starts. */
static gc_status
split(const char *path, char parent[PATH_SIZE], const char **ret_last,
      struct gc_error *err)
{
    size_t len = strlen(path);
    char *slash;

    if (path[0] != '/')
        return gc_fail(err, GC_E_CONFIG,
                       "the directory %s is not named from / on", path);
    if (len >= PATH_SIZE)
        return gc_fail(err, GC_E_CONFIG,
                       "a directory's name is longer than %d bytes",
                       PATH_SIZE - 1);
    memcpy(parent, path, len + 1);
    while (len > 1 && parent[len - 1] == '/')
        parent[--len] = '\0';
    slash = strrchr(parent, '/');
    if (slash[1] == '\0' || strcmp(slash, "/.") == 0
        || strcmp(slash, "/..") == 0)
        return gc_fail(err, GC_E_CONFIG,
                       "%s does not name a directory of our own", path);
    *slash = '\0';
    *ret_last = slash + 1;
    return GC_OK;
}

/* Make DIR's entry NAME, and see that it stays.  There already is fine. */
static bool
make(int dir, const char *name)
{
    int again;

    if (mkdirat(dir, name, S_IRWXU) != 0)
        return errno == EEXIST;
    /* The umask may have taken bits away. */
    if (fchmodat(dir, name, S_IRWXU, AT_SYMLINK_NOFOLLOW) != 0)
        return false;
    again = openat(dir, ".", OPEN_DIR);
    if (again >= 0) {
        (void)fsync(again);
        (void)close(again);
    }
    return true;
}

/* Open directory PATH, making on the way what is missing. */
static int
open_making(char *path)
{
    int dir = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), next;
    char *rest = path, *name;

    while (dir >= 0 && (name = strsep(&rest, "/")) != NULL) {
        if (name[0] == '\0')
            continue;
        next = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (next < 0 && errno == ENOENT && make(dir, name))
            next = openat(dir, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
        (void)close(dir);
        dir = next;
    }
    return dir;
}

static gc_status
check_directory(int dir, const char *path, struct gc_error *err)
{
    struct stat info;

    if (fstat(dir, &info) != 0)
        return gc_files_fail(err, path, errno);
    if (info.st_uid != geteuid())
        return gc_fail(err, GC_E_CONFIG, "the directory %s belongs to uid %lu",
                       path, (unsigned long)info.st_uid);
    if ((info.st_mode & OTHERS_MAY) != 0) {
        (void)gc_fail(err, GC_E_CONFIG,
                      "the directory %s is open to others (mode %04o)", path,
                      (unsigned)info.st_mode & 07777);
        return gc_fail_hint(err, GC_E_CONFIG, "chmod 700 %s", path);
    }
    return GC_OK;
}

static gc_status
fail_open(const char *path, int error, struct gc_error *err)
{
    if (error == ENOENT)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no directory %s", path);
    if (error == ELOOP || error == ENOTDIR)
        return gc_fail(err, GC_E_CONFIG,
                       "%s is a symbolic link or no directory", path);
    return gc_fail_context(err, gc_files_fail(err, "cannot be opened", error),
                           "the directory %s", path);
}

gc_status
gc_files_open(const char *path, unsigned flags, int *ret_dir,
              struct gc_error *err)
{
    char parent[PATH_SIZE];
    const char *last = NULL;
    int above, dir = -1, error;
    gc_status st = split(path, parent, &last, err);

    if (st != GC_OK)
        return st;
    if ((flags & GC_FILES_PARENTS) != 0)
        above = open_making(parent);
    else
        above = open(parent[0] == '\0' ? "/" : parent,
                     O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (above < 0)
        return fail_open(path, errno, err);
    dir = openat(above, last, OPEN_DIR | O_NOFOLLOW);
    if (dir < 0 && errno == ENOENT && (flags & GC_FILES_CREATE) != 0
        && make(above, last))
        dir = openat(above, last, OPEN_DIR | O_NOFOLLOW);
    error = errno;
    (void)close(above);
    if (dir < 0)
        return fail_open(path, error, err);
    st = check_directory(dir, path, err);
    if (st != GC_OK) {
        (void)close(dir);
        return st;
    }
    *ret_dir = dir;
    return GC_OK;
}

gc_status
gc_files_open_for(const char *path, uid_t uid, unsigned flags, int *ret_dir,
                  struct gc_error *err)
{
    char part[PATH_SIZE + 1];
    int above = -1, n;
    gc_status st = gc_files_open(path, flags, &above, err);

    if (st != GC_OK)
        return st;
    (void)close(above);
    /* What is cut off is refused for its length. */
    n = snprintf(part, sizeof(part), "%s/%lu", path, (unsigned long)uid);
    if (n < 0)
        return gc_fail(err, GC_E_INTERNAL, "a directory without a name");
    return gc_files_open(part, flags & GC_FILES_CREATE, ret_dir, err);
}

static bool
fits(const char *name, const char *prefix, const char *suffix)
{
    size_t len = strlen(name), before = strlen(prefix), after = strlen(suffix);

    return len >= before + after && memcmp(name, prefix, before) == 0
           && memcmp(name + len - after, suffix, after) == 0;
}

gc_status
gc_files_each(int dir, const char *prefix, const char *suffix, size_t max,
              gc_status (*visit)(void *user, const char *name,
                                 struct gc_error *err),
              void *user, bool *ret_more, struct gc_error *err)
{
    /* A descriptor of its own: DIR's position would be shared. */
    int own = openat(dir, ".", OPEN_DIR);
    DIR *names = own < 0 ? NULL : fdopendir(own);
    const struct dirent *entry;
    size_t count = 0;
    gc_status st = GC_OK;

    *ret_more = false;
    if (names == NULL) {
        st = gc_files_fail(err, "cannot list the directory", errno);
        if (own >= 0)
            (void)close(own);
        return st;
    }
    while (st == GC_OK && (entry = readdir(names)) != NULL) {
        if (!fits(entry->d_name, prefix, suffix) || entry->d_name[0] == '.')
            continue;
        if (count++ == max) {
            *ret_more = true;
            break;
        }
        st = visit(user, entry->d_name, err);
    }
    (void)closedir(names);
    return st;
}

/* Is what FILE is open on a record of ours?  GC_E_PROTOCOL says why not. */
static gc_status
check_file(int file, size_t max, struct stat *ret_info, struct gc_error *err)
{
    if (fstat(file, ret_info) != 0)
        return gc_fail(err, GC_E_PROTOCOL, "%s", strerror(errno));
    if (!S_ISREG(ret_info->st_mode))
        return gc_fail(err, GC_E_PROTOCOL, "not a regular file");
    if (ret_info->st_uid != geteuid())
        return gc_fail(err, GC_E_PROTOCOL, "belongs to uid %lu",
                       (unsigned long)ret_info->st_uid);
    if ((ret_info->st_mode & OTHERS_MAY) != 0)
        return gc_fail(err, GC_E_PROTOCOL, "open to others (mode %04o)",
                       (unsigned)ret_info->st_mode & 07777);
    if (ret_info->st_nlink > 1)
        return gc_fail(err, GC_E_PROTOCOL, "has another name elsewhere");
    if (ret_info->st_size < 0 || (uintmax_t)ret_info->st_size > max)
        return gc_fail(err, GC_E_PROTOCOL, "larger than %zu bytes", max);
    return GC_OK;
}

gc_status
gc_files_fits(size_t size, struct gc_error *err)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size)
        return gc_files_fail(err, "cannot write a record", EFBIG);
    return GC_OK;
}

/* All that FILE holds, SIZE bytes as it said, into BUFFER. */
static gc_status
read_all(int file, size_t size, struct gc_bytes *buffer, struct gc_error *err)
{
    gc_status st = gc_bytes_reserve(buffer, size, err);
    ssize_t n;

    if (st != GC_OK)
        return st;
    buffer->len = 0;
    while (buffer->len < size) {
        n = read(file, buffer->data + buffer->len, size - buffer->len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return gc_fail(err, GC_E_PROTOCOL, "%s", strerror(errno));
        if (n == 0)
            break;
        buffer->len += (size_t)n;
    }
    buffer->data[buffer->len] = '\0';
    return GC_OK;
}

static gc_status
fail_record(int error, struct gc_error *err)
{
    if (error == ENOENT)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no such record");
    if (error == ELOOP)
        return gc_fail(err, GC_E_PROTOCOL, "a symbolic link");
    if (error == EMFILE || error == ENFILE || error == ENOMEM)
        return gc_files_fail(err, "cannot open a record", error);
    return gc_fail(err, GC_E_PROTOCOL, "%s", strerror(error));
}

gc_status
gc_files_read(int dir, const char *name, size_t max, struct gc_bytes *buffer,
              int64_t *ret_mtime, struct gc_error *err)
{
    int file = openat(dir, name, O_RDONLY | OPEN_RECORD);
    struct stat info;
    gc_status st;

    if (file < 0)
        return fail_record(errno, err);
    st = check_file(file, max, &info, err);
    if (st == GC_OK)
        st = read_all(file, (size_t)info.st_size, buffer, err);
    (void)close(file);
    if (st == GC_OK)
        *ret_mtime = (int64_t)info.st_mtime;
    return st;
}

gc_status
gc_files_write(int file, const struct gc_bytes *text, struct gc_error *err)
{
    size_t done = 0;
    ssize_t n;

    while (done < text->len) {
        n = write(file, text->data + done, text->len - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return gc_files_fail(err, "cannot write a record",
                                 n < 0 ? errno : EIO);
        done += (size_t)n;
    }
    return GC_OK;
}

/* Add TEXT to FILE of DIR, whose SIZE it is, or nothing. */
static gc_status
add(int dir, int file, off_t size, const struct gc_bytes *text,
    struct gc_error *err)
{
    gc_status st = gc_files_fits((size_t)size + text->len, err);

    if (st == GC_OK)
        st = gc_files_write(file, text, err);
    /* Its name may never have reached the disk before. */
    if (st == GC_OK && (fsync(file) != 0 || fsync(dir) != 0))
        st = gc_files_fail(err, "cannot write a record", errno);
    if (st != GC_OK)
        (void)!ftruncate(file, size);
    return st;
}

gc_status
gc_files_append(int dir, const char *name, const struct gc_bytes *text,
                size_t max, struct gc_error *err)
{
    int file = openat(dir, name, O_WRONLY | O_APPEND | OPEN_RECORD);
    struct stat info;
    gc_status st;

    if (file < 0)
        return fail_record(errno, err);
    if (text->len > max)
        st = gc_fail(err, GC_E_PROTOCOL, "larger than %zu bytes", max);
    else
        st = check_file(file, max - text->len, &info, err);
    if (st == GC_OK)
        st = add(dir, file, info.st_size, text, err);
    if (close(file) != 0 && st == GC_OK)
        st = gc_files_fail(err, "cannot write a record", errno);
    return st;
}

gc_status
gc_files_touch(int dir, const char *name, int64_t mtime, struct gc_error *err)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT},
                                      {.tv_sec = (time_t)mtime}};

    if (utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) == 0)
        return GC_OK;
    if (errno == ENOENT)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no such record");
    return gc_files_fail(err, "cannot mark a record as used", errno);
}

gc_status
gc_files_remove(int dir, const char *name, struct gc_error *err)
{
    if (unlinkat(dir, name, 0) == 0 || errno == ENOENT)
        return GC_OK;
    return gc_files_fail(err, "cannot remove a record", errno);
}

gc_status
gc_files_random(char ret_text[33], struct gc_error *err)
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
