/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/shelf.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/frame.h"
#include "src/aside.h"
#include "src/store/files.h"
#include "src/store/record.h"

#define OP_PUT  2
#define OP_WIPE 3

#define TYPE "DIR:"

void
gc_shelf_clear(struct gc_shelf *shelf)
{
    gc_child_end(&shelf->child);
}

static void
close_fd(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define AUTO_FD __attribute__((cleanup(close_fd))) int

/* ---- root's half: the places ---- */

/* NAME in DIR as a directory of OWNER's, made if missing. */
static gc_status
own_place(int dir, const char *name, mode_t mode, uid_t owner, gid_t group,
          int *ret_fd, struct gc_error *err)
{
    struct stat info;
    AUTO_FD fd = -1;
    bool made = mkdirat(dir, name, 0700) == 0, open_to_others;

    if (!made && errno != EEXIST)
        return gc_files_fail(err, "cannot make the place for tickets", errno);
    fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
        return gc_fail(err, GC_E_CONFIG,
                       "the place for tickets is no directory");
    if (fd < 0)
        return gc_files_fail(err, "the place for tickets", errno);
    if (made && (fchown(fd, owner, group) != 0 || fchmod(fd, mode) != 0))
        return gc_files_fail(err, "the place for tickets", errno);
    if (fstat(fd, &info) != 0)
        return gc_files_fail(err, "the place for tickets", errno);
    /* Its owner may have played with it, and must not undo a login by that. */
    open_to_others = owner != 0 && (info.st_mode & 07777) != mode;
    if (info.st_uid == owner && open_to_others && fchmod(fd, mode) == 0)
        info.st_mode = S_IFDIR | mode;
    if (info.st_uid != owner || (info.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "the place for tickets is not its owner's alone");
    *ret_fd = fd;
    fd = -1;
    return GC_OK;
}

gc_status
gc_shelf_prepare(const char *run, struct gc_error *err)
{
    AUTO_FD fd = -1;

    return own_place(AT_FDCWD, run, 0711, 0, 0, &fd, err);
}

static gc_status
prepare(const char *run, const struct gc_child_as *as, struct gc_error *err)
{
    AUTO_FD above = -1;
    AUTO_FD own = -1;
    char uid[24];
    gc_status st = own_place(AT_FDCWD, run, 0711, 0, 0, &above, err);

    if (st != GC_OK)
        return st;
    (void)snprintf(uid, sizeof(uid), "%ju", (uintmax_t)as->uid);
    return own_place(above, uid, 0700, as->uid, as->gid, &own, err);
}

/* ---- the user's half ---- */

static void
close_dir(DIR **dir)
{
    if (*dir != NULL)
        (void)closedir(*dir);
}

/* As the user: nothing but files of one directory, and then that. */
static gc_status
wipe(void *user, struct gc_bytes *ret_result, struct gc_error *err)
{
    const char *path = user;
    __attribute__((cleanup(close_dir))) DIR *dir = NULL;
    const struct dirent *entry;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    (void)ret_result;
    if (fd < 0)
        return gc_fail(err, GC_E_NOT_FOUND, "the session's store is gone");
    dir = fdopendir(fd);
    if (dir == NULL) {
        (void)close(fd);
        return gc_fail_no_memory(err);
    }
    while ((entry = readdir(dir)) != NULL)
        (void)unlinkat(fd, entry->d_name, 0);
    return rmdir(path) == 0 ? GC_OK
                            : gc_files_fail(err, "the session's store", errno);
}

static gc_status
put(const char *name, const struct gc_bytes *text, struct gc_bytes *ret_id,
    struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_record) record = {.used = 0};
    GC_AUTO(gc_record) earlier = {.used = 0};
    gc_status st = gc_record_read(text, &record, err);

    if (st == GC_OK)
        st = gc_store_open(name, true, &store, err);
    if (st != GC_OK)
        return st;
    record.used = record.ticket.acquired;
    st = gc_store_put(store, &record, NULL, &earlier, err);
    if (st == GC_OK && earlier.id[0] != '\0')
        st = gc_fail(err, GC_E_FAILED, "the store has such a ticket already");
    return st == GC_OK ? gc_bytes_set(ret_id, record.id, strlen(record.id), err)
                       : st;
}

static void
serve(int socket, void *user)
{
    char *name = user;
    struct gc_frame_head head = {.op = 0};

    for (;;) {
        GC_AUTO(gc_bytes) text = {0};
        GC_AUTO(gc_bytes) id = {0};
        struct gc_error err = {.status = GC_OK};
        gc_status st;

        if (!gc_frame_receive(socket, &head, &text)
            || (head.op != OP_PUT && head.op != OP_WIPE))
            return;
        st = head.op == OP_PUT ? put(name, &text, &id, &err)
                               : wipe(name + strlen(TYPE), &id, &err);
        gc_aside_tell(socket, st, &id, &err);
    }
}

gc_status
gc_shelf_open(const char *run, const struct gc_child_as *as,
              struct gc_shelf *ret_shelf, struct gc_error *err)
{
    char random[33];
    gc_status st = prepare(run, as, err);

    if (st == GC_OK)
        st = gc_files_random(random, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(ret_shelf->name, sizeof(ret_shelf->name), "DIR:%.20s/%ju/%s",
                   run, (uintmax_t)as->uid, random);
    return gc_child_start(as, serve, ret_shelf->name, &ret_shelf->child, err);
}

gc_status
gc_shelf_put(struct gc_shelf *shelf, struct gc_record *record, int64_t deadline,
             struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_bytes) id = {0};
    struct gc_frame_head head = {.op = OP_PUT};
    struct gc_frame_body body;
    gc_status st = gc_record_write(record, &text, err);

    if (st != GC_OK)
        return st;
    body = (struct gc_frame_body){text.data, NULL, text.len, 0};
    if (text.len > GC_FRAME_BODY_MAX)
        return gc_fail(err, GC_E_PROTOCOL, "the ticket is too large to store");
    if (!gc_frame_send(shelf->child.socket, MSG_DONTWAIT, head, &body))
        return gc_fail(err, GC_E_INTERNAL, "the ticket cannot be stored");
    st = gc_aside_hear(&shelf->child, deadline, -1, &id, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "the session's store");
    if (id.len >= sizeof(record->id) || !gc_files_name_ok(gc_bytes_text(&id)))
        return gc_fail(err, GC_E_INTERNAL, "the store answers nonsense");
    memcpy(record->id, id.data, id.len + 1);
    return GC_OK;
}

/* ---- taking it away ---- */

gc_status
gc_shelf_wipe(struct gc_shelf *shelf, int64_t deadline, struct gc_error *err)
{
    GC_AUTO(gc_bytes) nothing = {0};
    struct gc_frame_head head = {.op = OP_WIPE};
    struct gc_frame_body none = {NULL, NULL, 0, 0};

    if (!gc_frame_send(shelf->child.socket, MSG_DONTWAIT, head, &none))
        return gc_fail(err, GC_E_INTERNAL, "the store cannot be taken away");
    return gc_aside_hear(&shelf->child, deadline, -1, &nothing, err);
}

gc_status
gc_shelf_remove(const char *run, const struct gc_child_as *as, const char *name,
                int64_t deadline, struct gc_error *err)
{
    GC_AUTO(gc_bytes) nothing = {0};
    char place[64], path[128];
    const char *random;
    int len = snprintf(place, sizeof(place), "DIR:%.20s/%ju/", run,
                       (uintmax_t)as->uid);

    random = strncmp(name, place, (size_t)len) == 0 ? name + len : "";
    if (strlen(random) != 32 || strspn(random, "0123456789abcdef") != 32)
        return gc_fail(err, GC_E_NOT_FOUND, "that is no store of a session's");
    (void)snprintf(path, sizeof(path), "%s", name + strlen(TYPE));
    return gc_aside(as, deadline, -1, wipe, path, &nothing, err);
}
