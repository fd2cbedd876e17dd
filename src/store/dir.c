/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/dir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/store/atomic.h"
#include "src/store/files.h"

#define RUN_DIR "/run/guestcred"

struct dir {
    struct gc_blobs blobs;
    int fd;
    int lock; /* -1: not held */
};

typedef gc_status visit_fn(void *user, const char *id, int64_t time,
                           const struct gc_bytes *text, struct gc_error *err);

struct walk {
    struct dir *dir;
    visit_fn *visit;
    void *user;
    const char *suffix;     /* adopting: of what has a use */
    gc_status stopped;      /* adopting: by what */
    struct gc_error *err;   /* adopting: where to say so */
    struct gc_bytes buffer; /* one for all */
};

static void
walk_clear(struct walk *w)
{
    gc_bytes_clear(&w->buffer);
}

static struct dir *
inner(struct gc_blobs *blobs)
{
    return (struct dir *)(void *)blobs;
}

static gc_status
visit_file(void *user, const char *name, struct gc_error *err)
{
    struct walk *w = user;
    struct gc_error why;
    int64_t mtime;
    gc_status st = gc_files_read(w->dir->fd, name, GC_STORE_RECORD_MAX,
                                 &w->buffer, &mtime, &why);

    if (st == GC_OK)
        st = w->visit(w->user, name, mtime, &w->buffer, &why);
    if (st == GC_E_PROTOCOL)
        gc_skip_say(&w->dir->blobs.skip, name, why.message);
    if (st == GC_OK || st == GC_E_PROTOCOL || st == GC_E_NOT_FOUND)
        return GC_OK;
    if (err != NULL)
        *err = why;
    return st;
}

static gc_status
dir_each(struct gc_blobs *blobs, const char *prefix, const char *suffix,
         visit_fn *visit, void *user, struct gc_error *err)
{
    __attribute__((cleanup(walk_clear))) struct walk w = {
        .dir = inner(blobs), .visit = visit, .user = user};
    bool more = false;
    gc_status st = gc_files_each(w.dir->fd, prefix, suffix, GC_STORE_COUNT_MAX,
                                 visit_file, &w, &more, err);

    if (st == GC_OK && more)
        gc_skip_say(&blobs->skip, "the store",
                    "holds more than can be; the rest was not looked at");
    return st;
}

static gc_status
dir_put(struct gc_blobs *blobs, const char *name, const struct gc_bytes *text,
        int64_t when, bool durable, char ret_id[GC_STORE_ID_SIZE],
        struct gc_error *err)
{
    gc_status st =
        gc_atomic_write(inner(blobs)->fd, name, text, when, durable, err);

    /* gc_atomic_write takes no name that is longer. */
    if (st == GC_OK)
        memcpy(ret_id, name, strlen(name) + 1);
    return st;
}

static gc_status
dir_touch(struct gc_blobs *blobs, const char *id, int64_t when,
          struct gc_error *err)
{
    if (!gc_files_name_ok(id))
        return gc_fail(err, GC_E_NOT_FOUND, "there is no such record");
    return gc_files_touch(inner(blobs)->fd, id, when, err);
}

static gc_status
dir_remove(struct gc_blobs *blobs, const char *id, struct gc_error *err)
{
    if (!gc_files_name_ok(id))
        return GC_OK;
    return gc_files_remove(inner(blobs)->fd, id, err);
}

static bool
dir_has(struct gc_blobs *blobs, const char *id)
{
    struct stat info;

    if (!gc_files_name_ok(id))
        return false;
    if (fstatat(inner(blobs)->fd, id, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return errno != ENOENT;
    return S_ISREG(info.st_mode);
}

static gc_status
dir_lock(struct gc_blobs *blobs, int64_t deadline, struct gc_error *err)
{
    return gc_atomic_lock(inner(blobs)->fd, deadline, &inner(blobs)->lock, err);
}

static void
dir_unlock(struct gc_blobs *blobs)
{
    gc_atomic_unlock(inner(blobs)->lock);
    inner(blobs)->lock = -1;
}

/*
 * What is whole takes its name.  Where the name is taken, the write was one in
 * place of what is there, which is as good.
 */
static gc_leftover
judge(void *user, const char *name, bool taken, const struct gc_bytes *text,
      int64_t mtime)
{
    struct walk *w = user;
    size_t len = strlen(name), after = strlen(w->suffix);
    struct gc_error why;
    gc_status st;

    if (w->stopped != GC_OK)
        return GC_LEFTOVER_LEAVE;
    if (taken || len < after || strcmp(name + len - after, w->suffix) != 0)
        return GC_LEFTOVER_REMOVE;
    st = w->visit(w->user, name, mtime, text, &why);
    if (st == GC_OK)
        return GC_LEFTOVER_NAME;
    if (st == GC_E_PROTOCOL) {
        gc_skip_say(&w->dir->blobs.skip, name, why.message);
        return GC_LEFTOVER_REMOVE;
    }
    w->stopped = st;
    if (w->err != NULL)
        *w->err = why;
    return GC_LEFTOVER_LEAVE;
}

static gc_status
dir_adopt(struct gc_blobs *blobs, const char *suffix, visit_fn *visit,
          void *user, struct gc_error *err)
{
    struct walk w = {.dir = inner(blobs),
                     .visit = visit,
                     .user = user,
                     .suffix = suffix,
                     .err = err};
    gc_status st = gc_atomic_adopt(w.dir->fd, GC_STORE_RECORD_MAX, &blobs->skip,
                                   judge, &w, err);

    return st != GC_OK ? st : w.stopped;
}

static void
dir_free(struct gc_blobs *blobs)
{
    if (inner(blobs)->lock >= 0)
        dir_unlock(blobs);
    (void)close(inner(blobs)->fd);
    free(blobs);
}

static const struct gc_blobs_ops dir_ops = {
    .named = true,
    .each = dir_each,
    .put = dir_put,
    .touch = dir_touch,
    .remove = dir_remove,
    .has = dir_has,
    .lock = dir_lock,
    .unlock = dir_unlock,
    .adopt = dir_adopt,
    .free = dir_free,
};

/*
 * /run is empty after every boot: root makes what a store below /run/guestcred
 * stands in, users' stores among them, so everybody may pass through.
 */
static void
prepare_run(const char *path)
{
    char parent[256];
    const char *slash = strrchr(path, '/');
    size_t len = slash == NULL ? 0 : (size_t)(slash - path);

    if (geteuid() != 0 || len >= sizeof(parent)
        || strncmp(path, RUN_DIR "/", strlen(RUN_DIR "/")) != 0)
        return;
    if (mkdir(RUN_DIR, 0711) == 0)
        (void)chmod(RUN_DIR, 0711);
    memcpy(parent, path, len);
    parent[len] = '\0';
    if (strcmp(parent, RUN_DIR) != 0)
        (void)mkdir(parent, S_IRWXU);
}

gc_status
gc_dir_open(const char *path, bool create, struct gc_blobs **ret_blobs,
            struct gc_error *err)
{
    struct dir *dir = calloc(1, sizeof(*dir));
    gc_status st;

    if (dir == NULL)
        return gc_fail_no_memory(err);
    dir->blobs.ops = &dir_ops;
    dir->lock = -1;
    if (create)
        prepare_run(path);
    st = gc_files_open(path, create ? GC_FILES_CREATE : 0, &dir->fd, err);
    if (st != GC_OK) {
        free(dir);
        return st;
    }
    *ret_blobs = &dir->blobs;
    return GC_OK;
}
