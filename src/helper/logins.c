/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/logins.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base64.h"
#include "src/fields.h"
#include "src/json.h"
#include "src/store/atomic.h"
#include "src/store/files.h"

#define LOGIN         ".login"
#define NAME_SIZE     (GC_TRANSACTION_SIZE + sizeof(LOGIN))
#define LOGINS_MAX    10000
#define ANCESTORS_MAX 16

struct gc_logins {
    int dir;
};

void
gc_login_clear(struct gc_login *login)
{
    gc_bytes_clear(&login->credential);
    explicit_bzero(login, sizeof(*login));
}

static void
move(struct gc_login *dst, struct gc_login *src)
{
    gc_login_clear(dst);
    *dst = *src;
    *src = (struct gc_login){.uid = 0};
}

gc_status
gc_login_asked_by(struct gc_login *login, pid_t host_pid, uint64_t host_start,
                  struct gc_error *err)
{
    struct gc_process host, parent = {.pid = 0};
    gc_status st = gc_process_read(host_pid, &host, err);

    if (st == GC_OK && host.start != host_start)
        st = gc_fail(err, GC_E_NOT_FOUND, "process %ld is another one by now",
                     (long)host_pid);
    if (st != GC_OK)
        return st;
    st = gc_process_read_parent(&host, &parent, err);
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        return st;
    login->host = host;
    login->parent = parent;
    return GC_OK;
}

/* ---- as text ---- */

gc_status
gc_login_write(const struct gc_login *login, struct gc_bytes *ret_text,
               struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();
    GC_AUTO(gc_bytes) credential = {0};
    GC_AUTO(gc_bytes) text = {0};
    char host[GC_PROCESS_TEXT_SIZE], parent[GC_PROCESS_TEXT_SIZE],
        claim[GC_PROCESS_TEXT_SIZE];
    gc_status st = gc_base64_encode(&login->credential, &credential, err);

    if (st != GC_OK)
        return st;
    gc_process_print(&login->host, host);
    gc_process_print(&login->parent, parent);
    gc_process_print(&login->claim, claim);
    (void)gc_json_add_int(root, "version", 1);
    (void)gc_json_add_string(root, "transaction", login->transaction);
    (void)gc_json_add_int(root, "uid", (int64_t)login->uid);
    (void)gc_json_add_string(root, "service", login->service);
    (void)gc_json_add_string(root, "principal", login->principal);
    (void)gc_json_add_bool(root, "proved", login->proved);
    (void)gc_json_add_string(root, "vm", login->vm);
    (void)gc_json_add_string(root, "cache", login->cache);
    (void)gc_json_add_string(root, "host", host);
    (void)gc_json_add_string(root, "parent", parent);
    if (login->claim.pid > 0)
        (void)gc_json_add_string(root, "claim", claim);
    (void)gc_json_add_int(root, "written", login->written);
    (void)gc_json_add_string(root, "credential", gc_bytes_text(&credential));
    st = gc_json_print(root, &text, err);
    if (st == GC_OK)
        gc_bytes_move(ret_text, &text);
    return st;
}

/* All of a login but its credential. */
static bool
read_members(const struct gc_json *root, struct gc_login *login)
{
    int64_t version, uid;

    if (!gc_field_number(root, "version", 1, &version) || version != 1
        || !gc_field_text(root, "transaction", login->transaction,
                          sizeof(login->transaction))
        || !gc_entry_transaction_ok(login->transaction)
        || !gc_field_number(root, "uid", (int64_t)UINT32_MAX - 1, &uid)
        || !gc_field_text(root, "service", login->service,
                          sizeof(login->service))
        || login->service[0] == '\0'
        || !gc_field_text(root, "principal", login->principal,
                          sizeof(login->principal))
        || !gc_field_text(root, "vm", login->vm, sizeof(login->vm))
        || !gc_field_text(root, "cache", login->cache, sizeof(login->cache))
        || (login->cache[0] != '\0' && strncmp(login->cache, "DIR:/", 5) != 0)
        || !gc_field_process(root, "host", &login->host) || login->host.pid == 0
        || !gc_field_process(root, "parent", &login->parent)
        || (gc_json_get(root, "proved") != NULL
            && !gc_json_bool(root, "proved", &login->proved))
        || (gc_json_get(root, "claim") != NULL
            && !gc_field_process(root, "claim", &login->claim))
        || !gc_field_number(root, "written", INT64_MAX, &login->written))
        return false;
    login->uid = (uid_t)uid;
    return true;
}

gc_status
gc_login_read(const struct gc_bytes *text, struct gc_login *ret_login,
              struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    GC_AUTO(gc_login) login = {.uid = 0};
    const char *credential;
    gc_status st;

    if (text->len > GC_LOGIN_TEXT_MAX)
        return gc_fail(err, GC_E_PROTOCOL, "larger than %d bytes",
                       GC_LOGIN_TEXT_MAX);
    st = gc_json_parse(text->data, text->len, &root, err);
    if (st != GC_OK)
        return st;
    credential = gc_json_string(root, "credential");
    if (credential == NULL || !read_members(root, &login))
        return gc_fail(err, GC_E_PROTOCOL,
                       "not a login of version 1: a member is missing or "
                       "wrong");
    st = gc_base64_decode(credential, GC_LOGIN_CREDENTIAL_MAX,
                          &login.credential, err);
    if (st == GC_OK)
        move(ret_login, &login);
    return st;
}

/* ---- in the directory ---- */

gc_status
gc_logins_open(const char *path, struct gc_logins **ret_logins,
               struct gc_error *err)
{
    struct gc_logins *logins = calloc(1, sizeof(*logins));
    gc_status st;

    if (logins == NULL)
        return gc_fail_no_memory(err);
    st = gc_files_open(path, GC_FILES_CREATE | GC_FILES_PARENTS, &logins->dir,
                       err);
    if (st != GC_OK) {
        free(logins);
        return st;
    }
    *ret_logins = logins;
    return GC_OK;
}

void
gc_logins_free(struct gc_logins *logins)
{
    if (logins == NULL)
        return;
    (void)close(logins->dir);
    free(logins);
}

gc_status
gc_logins_new_id(char ret_id[GC_TRANSACTION_SIZE], struct gc_error *err)
{
    return gc_files_random(ret_id, err);
}

/* Nothing else comes near a path. */
static bool
name_file(const char *transaction, char ret_name[NAME_SIZE])
{
    if (!gc_entry_transaction_ok(transaction))
        return false;
    (void)snprintf(ret_name, NAME_SIZE, "%s" LOGIN, transaction);
    return true;
}

gc_status
gc_logins_put(struct gc_logins *logins, struct gc_login *login,
              struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_login) again = {.uid = 0};
    char name[NAME_SIZE];
    gc_status st;

    if (!name_file(login->transaction, name))
        return gc_fail(err, GC_E_INTERNAL, "a login's name that is none");
    login->written = (int64_t)time(NULL);
    st = gc_login_write(login, &text, err);
    if (st == GC_E_NO_MEMORY)
        return st;
    if (st == GC_OK)
        st = gc_login_read(&text, &again, err);
    if (st != GC_OK) {
        (void)gc_fail_context(err, st, "a login cannot be written down");
        if (err != NULL)
            err->status = GC_E_INTERNAL;
        return GC_E_INTERNAL;
    }
    /* Not durable: no login outlives the boot. */
    return gc_atomic_write(logins->dir, name, &text, login->written, false,
                           err);
}

/* The login in file NAME.  GC_E_PROTOCOL, GC_E_NOT_FOUND. */
static gc_status
load(const struct gc_logins *logins, const char *name,
     struct gc_login *ret_login, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_login) login = {.uid = 0};
    char own[NAME_SIZE];
    int64_t mtime;
    gc_status st =
        gc_files_read(logins->dir, name, GC_LOGIN_TEXT_MAX, &text, &mtime, err);

    if (st == GC_OK)
        st = gc_login_read(&text, &login, err);
    if (st != GC_OK)
        return st;
    if (!name_file(login.transaction, own) || strcmp(own, name) != 0)
        return gc_fail(err, GC_E_PROTOCOL, "a login under another's name");
    move(ret_login, &login);
    return GC_OK;
}

/* One process, beyond doubt: what is not known is nobody. */
static bool
same(const struct gc_process *a, const struct gc_process *b)
{
    return a->pid > 0 && a->pid == b->pid && a->start > 0
           && a->start == b->start && a->boot_id[0] != '\0'
           && strcmp(a->boot_id, b->boot_id) == 0 && a->pid_ns == b->pid_ns
           && strcmp(a->machine, b->machine) == 0;
}

/* Does what HOST (now) asks for belong to LOGIN's family? */
static bool
related(const struct gc_login *login, struct gc_process host)
{
    struct gc_process parent;

    /* Whatever lost its parent is a child of pid 1. */
    if (host.pid != 1 && same(&login->parent, &host))
        return true;
    if (same(&login->host, &host))
        return true;
    for (int i = 0; i < ANCESTORS_MAX; i++) {
        if (gc_process_read_parent(&host, &parent, NULL) != GC_OK
            || parent.pid <= 1)
            return false;
        if (same(&login->host, &parent))
            return true;
        host = parent;
    }
    return false;
}

/* UID: whose it has to be; or NULL. */
static gc_status
find(const struct gc_logins *logins, const char *transaction, const uid_t *uid,
     const char *service, pid_t host_pid, uint64_t host_start,
     struct gc_login *ret_login, struct gc_error *err)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    char name[NAME_SIZE];
    struct gc_process host;
    struct gc_error why = {0};
    gc_status st = GC_E_NOT_FOUND;

    if (name_file(transaction, name))
        st = load(logins, name, &login, &why);
    if (st == GC_OK)
        st = gc_process_read(host_pid, &host, &why);
    if (st == GC_OK
        && ((uid != NULL && login.uid != *uid)
            || strcmp(login.service, service) != 0 || host.start != host_start
            || !related(&login, host)))
        st = GC_E_NOT_FOUND;
    if (st == GC_E_NOT_FOUND || st == GC_E_PROTOCOL)
        return gc_fail(err, GC_E_NOT_FOUND, "nothing is known of such a login");
    if (st != GC_OK) {
        if (err != NULL)
            *err = why;
        return st;
    }
    move(ret_login, &login);
    return GC_OK;
}

gc_status
gc_logins_find(struct gc_logins *logins, const char *transaction, uid_t uid,
               const char *service, pid_t host_pid, uint64_t host_start,
               struct gc_login *ret_login, struct gc_error *err)
{
    return find(logins, transaction, &uid, service, host_pid, host_start,
                ret_login, err);
}

gc_status
gc_logins_find_anyones(struct gc_logins *logins, const char *transaction,
                       const char *service, pid_t host_pid, uint64_t host_start,
                       struct gc_login *ret_login, struct gc_error *err)
{
    return find(logins, transaction, NULL, service, host_pid, host_start,
                ret_login, err);
}

/* ---- claims ---- */

/* May this process make the session of NOW, which was WAS a moment ago? */
static bool
is_free(const struct gc_login *now, const struct gc_login *was,
        const struct gc_process *self)
{
    return strcmp(now->cache, was->cache) == 0
           && (same(&now->claim, self) || !gc_process_alive(&now->claim));
}

/* Write the claim of LOGIN, in file NAME, if it is free. */
static gc_status
claim(struct gc_logins *logins, const char *name, struct gc_login *login,
      struct gc_error *err)
{
    GC_AUTO(gc_login) now = {.uid = 0};
    struct gc_process self;
    gc_status st = load(logins, name, &now, err);

    if (st != GC_OK)
        return st;
    gc_process_self(&self);
    if (is_free(&now, login, &self)) {
        now.claim = self;
        st = gc_logins_put(logins, &now, err);
    } else {
        st = gc_fail(err, GC_E_BUSY, "another call of this login is at work");
    }
    move(login, &now);
    return st;
}

/* Is FD still what is called NAME? */
static bool
is_called(const struct gc_logins *logins, const char *name, int fd)
{
    struct stat opened, named;

    return fstat(fd, &opened) == 0
           && fstatat(logins->dir, name, &named, AT_SYMLINK_NOFOLLOW) == 0
           && opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

/*
 * Two who find the same dead claim must not both take it over: whoever writes
 * one has the file locked that it replaces.  Nobody waits for that lock, and
 * it is that one transaction's.
 */
gc_status
gc_logins_claim(struct gc_logins *logins, struct gc_login *login,
                struct gc_error *err)
{
    char name[NAME_SIZE];
    gc_status st;
    int fd;

    if (!name_file(login->transaction, name))
        return gc_fail(err, GC_E_INTERNAL, "a login's name that is none");
    fd = openat(logins->dir, name,
                O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return gc_fail(err, GC_E_NOT_FOUND, "nothing is known of such a login");
    if (fd < 0)
        return gc_files_fail(err, "a login's record", errno);
    if (flock(fd, LOCK_EX | LOCK_NB) == 0 && is_called(logins, name, fd))
        st = claim(logins, name, login, err);
    else
        st = gc_fail(err, GC_E_BUSY, "another call of this login begins");
    (void)close(fd);
    return st;
}

gc_status
gc_logins_forget(struct gc_logins *logins, const char *transaction,
                 struct gc_error *err)
{
    char name[NAME_SIZE];

    if (!name_file(transaction, name))
        return GC_OK;
    return gc_files_remove(logins->dir, name, err);
}

/* ---- tidying ---- */

static int64_t
age(int64_t then)
{
    int64_t now = (int64_t)time(NULL);

    return then < now ? now - then : 0;
}

/*
 * A session ends with its host, whose ticket the sweeper takes; before there is
 * one, the host may have been a child of who goes on.
 *
 * Without a lock: one that is written again for another host just then goes
 * along, and its ticket waits for that host's end.
 */
static bool
is_over(const struct gc_login *login)
{
    bool session = login->cache[0] != '\0';

    return age(login->written) > (session ? GC_LOGIN_OLDEST_S : GC_LOGIN_WAIT_S)
           || (!gc_process_alive(&login->host)
               && (session || !gc_process_alive(&login->parent)));
}

static gc_status
tidy_one(void *user, const char *name, struct gc_error *err)
{
    const struct gc_logins *logins = user;
    GC_AUTO(gc_login) login = {.uid = 0};
    struct gc_error why = {0};
    struct stat info;
    gc_status st = load(logins, name, &login, &why);

    if (st == GC_OK && is_over(&login))
        return gc_files_remove(logins->dir, name, err);
    if (st == GC_OK || st == GC_E_NOT_FOUND)
        return GC_OK;
    if (st != GC_E_PROTOCOL) {
        if (err != NULL)
            *err = why;
        return st;
    }
    /* Perhaps a later program's.  What cannot go stays, and the rest goes. */
    if (fstatat(logins->dir, name, &info, AT_SYMLINK_NOFOLLOW) == 0
        && age((int64_t)info.st_mtime) > GC_LOGIN_WAIT_S)
        (void)unlinkat(logins->dir, name, 0);
    return GC_OK;
}

static gc_leftover
judge(void *user, const char *name, bool taken, const struct gc_bytes *text,
      int64_t mtime)
{
    (void)user;
    (void)name;
    (void)taken;
    (void)text;
    (void)mtime;
    return GC_LEFTOVER_REMOVE;
}

gc_status
gc_logins_tidy(struct gc_logins *logins, struct gc_error *err)
{
    bool more;
    gc_status st =
        gc_atomic_adopt(logins->dir, GC_LOGIN_TEXT_MAX, NULL, judge, NULL, err);

    if (st == GC_OK)
        st = gc_files_each(logins->dir, "", LOGIN, LOGINS_MAX, tidy_one, logins,
                           &more, err);
    return st;
}
