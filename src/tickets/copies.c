/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/copies.h"

#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/base/owner.h"

#define ACL      "system.posix_acl_access"
#define UNUSED_S 3600 /* by then no process still fills a directory */

/* ---- writing ---- */

/* FD's owner keeps its access; UID gets PERM (rwx), and others nothing. */
static bool
permit(int fd, uid_t uid, uint16_t perm)
{
    /* linux/posix_acl_xattr.h: all of it is little-endian */
    enum { USER_OBJ = 1, USER = 2, GROUP_OBJ = 4, MASK = 16, OTHER = 32 };
    const struct {
        uint16_t tag, perm;
        uint32_t id;
    } entries[] = {
        {htole16(USER_OBJ), htole16(perm | 2), UINT32_MAX},
        {htole16(USER), htole16(perm), htole32(uid)},
        {htole16(GROUP_OBJ), 0, UINT32_MAX},
        {htole16(MASK), htole16(perm), UINT32_MAX},
        {htole16(OTHER), 0, UINT32_MAX},
    };
    unsigned char value[4 + sizeof(entries)] = {2, 0, 0, 0};

    memcpy(value + 4, entries, sizeof(entries));
    return fsetxattr(fd, ACL, value, sizeof(value), 0) == 0;
}

/* A directory that all may pass through and only root may write to. */
static gc_status
make_passage(const char *path, struct gc_error *err)
{
    struct stat info;

    if (mkdir(path, 0711) == 0)
        (void)chmod(path, 0711); /* whatever the umask is */
    if (lstat(path, &info) != 0)
        return gc_fail(err, GC_E_CONFIG, "cannot make %s: %s", path,
                       strerror(errno));
    if (!S_ISDIR(info.st_mode) || info.st_uid != geteuid()
        || (info.st_mode & 022) != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "%s is not a directory of root's alone", path);
    return GC_OK;
}

gc_status
gc_copies_open(uid_t uid, struct gc_dir *ret_dir, struct gc_error *err)
{
    char path[GC_COPIES_PATH_SIZE], random[GC_DIR_RANDOM_SIZE];
    int len =
        snprintf(path, sizeof(path), GC_COPIES_RUN "/%lu", (unsigned long)uid);
    gc_status st = make_passage(GC_COPIES_RUN, err);

    if (st == GC_OK)
        st = make_passage(path, err);
    if (st == GC_OK)
        st = gc_dir_random(random, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(path + len, sizeof(path) - (size_t)len, "/%s", random);
    st = gc_dir_open(path, true, false, ret_dir, err);
    if (st != GC_OK || permit(ret_dir->fd, uid, 4 | 1))
        return st;
    st = gc_fail(err, GC_E_CONFIG, "%s: no access for uid %lu: %s", path,
                 (unsigned long)uid, strerror(errno));
    (void)rmdir(path);
    return st;
}

gc_status
gc_copies_put(struct gc_dir *dir, const struct gc_entry *entry,
              struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO_FD fd = -1;
    char temp[GC_DIR_TEMP_SIZE];
    gc_status st = gc_entry_write(entry, &text, err);

    if (st == GC_OK)
        st = gc_dir_write(dir, &text, false, temp, err);
    if (st != GC_OK)
        return st;
    fd = openat(dir->fd, temp, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd >= 0 && permit(fd, (uid_t)entry->uid, 4))
        return gc_dir_rename(dir, temp, entry->id, err);
    st = gc_fail(err, GC_E_CONFIG, "%s: no access for uid %lu: %s", dir->path,
                 (unsigned long)entry->uid, strerror(errno));
    gc_dir_discard(dir, temp);
    return st;
}

/* ---- removing ---- */

bool
gc_copies_path_is(const char *path)
{
    static const char run[] = GC_COPIES_RUN "/";
    size_t len;

    if (strncmp(path, run, strlen(run)) != 0)
        return false;
    path += strlen(run);
    len = strspn(path, "0123456789");
    return len > 0 && path[len] == '/' && gc_entry_id_is(path + len + 1);
}

/* The directory's names, or NULL. */
static DIR *
open_names(int at, const char *name)
{
    int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);

    if (names == NULL)
        gc_descriptor_close(&fd);
    return names;
}

/* The next name but "." and "..", or NULL. */
static const char *
next_name(DIR *names)
{
    const struct dirent *entry;

    do
        entry = readdir(names);
    while (entry != NULL && entry->d_name[0] == '.');
    return entry == NULL ? NULL : entry->d_name;
}

void
gc_copies_remove(const char *path)
{
    DIR *names = gc_copies_path_is(path) ? open_names(AT_FDCWD, path) : NULL;
    const char *name;

    if (names == NULL)
        return;
    while ((name = next_name(names)) != NULL)
        (void)unlinkat(dirfd(names), name, 0);
    (void)closedir(names);
    (void)rmdir(path);
}

/* Does the login whose copies are in DIR go on? */
static bool
is_needed(int dir)
{
    static const struct gc_trust trust = {
        .own = true, .forbidden = 027, .max = GC_ENTRY_MAX};
    DIR *names = open_names(dir, ".");
    bool alive = false, dead = false;
    struct stat info;
    const char *name;

    /* What cannot be looked at now may be a living login's. */
    if (names == NULL)
        return true;
    while ((name = next_name(names)) != NULL) {
        GC_AUTO(gc_bytes) text = {0};
        GC_AUTO(gc_entry) entry = {0};

        if (gc_trusted_read(dir, name, &trust, &text, NULL, NULL) != GC_OK
            || gc_entry_read(&text, &entry, NULL) != GC_OK)
            continue;
        if (gc_owner_is_dead(entry.host))
            dead = true;
        else
            alive = true;
    }
    (void)closedir(names);
    if (alive || dead)
        return alive;
    return fstat(dir, &info) == 0
           && (int64_t)info.st_mtime > gc_clock_epoch() - UNUSED_S;
}

/* Those of one user. */
static void
tidy_user(int run, const char *uid)
{
    char path[GC_COPIES_PATH_SIZE];
    DIR *names = open_names(run, uid);
    const char *name;

    while (names != NULL && (name = next_name(names)) != NULL) {
        GC_AUTO_FD fd = openat(dirfd(names), name,
                               O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

        (void)snprintf(path, sizeof(path), GC_COPIES_RUN "/%.10s/%.32s", uid,
                       name);
        if (fd >= 0 && !is_needed(fd))
            gc_copies_remove(path);
    }
    if (names != NULL)
        (void)closedir(names);
}

void
gc_copies_tidy(void)
{
    DIR *names = open_names(AT_FDCWD, GC_COPIES_RUN);
    const char *name;

    while (names != NULL && (name = next_name(names)) != NULL)
        tidy_user(dirfd(names), name);
    if (names != NULL)
        (void)closedir(names);
}
