/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/logins.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/base/fields.h"

#define ANCESTORS_MAX 16
#define LOCK          ".lock"
#define LOCK_SIZE     (GC_TRANSACTION_SIZE + sizeof(LOCK))

struct gc_logins {
    struct gc_dir dir;
    int lock; /* of the session that this process makes, or -1 */
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
    if (!gc_owner_of(host_pid, host_start, login->host))
        return gc_fail(err, GC_E_NOT_FOUND, "process %ld is gone",
                       (long)host_pid);
    if (!gc_owner_parent(login->host, login->parent))
        login->parent[0] = '\0';
    return GC_OK;
}

/* ---- as text ---- */

#define TEXT(m) GC_FIELD_TEXT, GC_FIELD_AT(gc_login, m), NULL
static const struct gc_field fields[] = {
    {"transaction", TEXT(transaction)},
    {"uid", GC_FIELD_NUMBER, GC_FIELD_AT(gc_login, uid), NULL},
    {"service", TEXT(service)},
    {"principal", TEXT(principal)},
    {"proved", GC_FIELD_FLAG, GC_FIELD_AT(gc_login, proved), NULL},
    {"vm", TEXT(vm)},
    {"copies", TEXT(copies)},
    {"host", TEXT(host)},
    {"parent", TEXT(parent)},
    {"written", GC_FIELD_NUMBER, GC_FIELD_AT(gc_login, written), NULL},
    {"credential", GC_FIELD_BYTES, offsetof(struct gc_login, credential),
     GC_LOGIN_CREDENTIAL_MAX, NULL},
};

/* Beside its fields' forms. */
static bool
is_sound(const struct gc_login *login)
{
    return gc_entry_id_is(login->transaction) && login->uid > 0
           && login->uid < UINT32_MAX && login->service[0] != '\0'
           && login->host[0] != '\0' && login->written >= 0
           && (login->copies[0] == '\0' || gc_copies_path_is(login->copies));
}

gc_status
gc_login_write(const struct gc_login *login, struct gc_bytes *ret_text,
               struct gc_error *err)
{
    if (!is_sound(login))
        return gc_fail(err, GC_E_INTERNAL, "a login that cannot be one");
    return gc_fields_write("login", fields, GC_COUNT_OF(fields), login,
                           ret_text, err);
}

gc_status
gc_login_read(const struct gc_bytes *text, struct gc_login *ret_login,
              struct gc_error *err)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    gc_status st =
        gc_fields_read("login", fields, GC_COUNT_OF(fields), text, &login, err);

    if (st != GC_OK)
        return st;
    if (!is_sound(&login))
        return gc_fail(err, GC_E_PROTOCOL, "a login that cannot be one");
    move(ret_login, &login);
    return GC_OK;
}

/* ---- in the directory ---- */

gc_status
gc_logins_open(const char *path, struct gc_logins **ret_logins,
               struct gc_error *err)
{
    GC_AUTO_PTR(gc_logins) logins = calloc(1, sizeof(*logins));
    gc_status st;

    if (logins == NULL)
        return gc_fail_no_memory(err);
    logins->lock = -1;
    st = gc_dir_open(path, true, false, &logins->dir, err);
    if (st == GC_OK)
        *ret_logins = GC_TAKE(logins);
    return st;
}

void
gc_logins_free(struct gc_logins *logins)
{
    if (logins == NULL)
        return;
    if (logins->lock >= 0)
        gc_dir_unlock(logins->lock);
    gc_descriptor_close(&logins->lock);
    gc_dir_close(&logins->dir);
    free(logins);
}

gc_status
gc_logins_new_id(char ret_id[GC_TRANSACTION_SIZE], struct gc_error *err)
{
    return gc_dir_random(ret_id, err);
}

gc_status
gc_logins_put(struct gc_logins *logins, struct gc_login *login,
              struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    char temp[GC_DIR_TEMP_SIZE];
    gc_status st;

    login->written = gc_clock_epoch();
    st = gc_login_write(login, &text, err);
    /* Not durable: no login survives a reboot. */
    if (st == GC_OK)
        st = gc_dir_write(&logins->dir, &text, false, temp, err);
    if (st == GC_OK)
        st = gc_dir_rename(&logins->dir, temp, login->transaction, err);
    return st;
}

/* The login in file NAME.  GC_E_PROTOCOL, GC_E_NOT_FOUND. */
static gc_status
load(struct gc_logins *logins, const char *name, struct gc_login *ret_login,
     struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    GC_AUTO(gc_login) login = {.uid = 0};
    gc_status st =
        gc_dir_read(&logins->dir, name, GC_LOGIN_TEXT_MAX, &text, err);

    if (st == GC_E_CONFIG)
        return gc_fail(err, GC_E_PROTOCOL,
                       "not a file that guestcred-helper wrote");
    if (st == GC_OK)
        st = gc_login_read(&text, &login, err);
    if (st == GC_OK && strcmp(login.transaction, name) != 0)
        st = gc_fail(err, GC_E_PROTOCOL, "the login's name is not its file's");
    if (st == GC_OK)
        move(ret_login, &login);
    return st;
}

/* Is HOST, which asks now, related to LOGIN's processes? */
static bool
is_related(const struct gc_login *login, const char *host)
{
    char next[GC_OWNER_SIZE], parent[GC_OWNER_SIZE];

    /* Every orphan is a child of pid 1, so pid 1 relates to nothing. */
    if (strcmp(login->host, host) == 0
        || (strncmp(host, "1.", 2) != 0 && strcmp(login->parent, host) == 0))
        return true;
    (void)snprintf(next, sizeof(next), "%s", host);
    for (int i = 0; i < ANCESTORS_MAX; i++) {
        if (!gc_owner_parent(next, parent) || strncmp(parent, "1.", 2) == 0)
            return false;
        if (strcmp(login->host, parent) == 0)
            return true;
        memcpy(next, parent, sizeof(next));
    }
    return false;
}

/* UID: the user the login must belong to; NULL: any. */
static gc_status
find(struct gc_logins *logins, const char *transaction, const uid_t *uid,
     const char *service, pid_t host_pid, uint64_t host_start,
     struct gc_login *ret_login, struct gc_error *err)
{
    GC_AUTO(gc_login) login = {.uid = 0};
    char host[GC_OWNER_SIZE];
    struct gc_error why = {0};
    gc_status st = GC_E_NOT_FOUND;

    if (gc_entry_id_is(transaction))
        st = load(logins, transaction, &login, &why);
    if (st == GC_OK
        && ((uid != NULL && login.uid != (int64_t)*uid)
            || strcmp(login.service, service) != 0
            || !gc_owner_of(host_pid, host_start, host)
            || !is_related(&login, host)))
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

gc_status
gc_logins_lock(struct gc_logins *logins, const char *transaction,
               int64_t deadline, int cancel_fd, struct gc_error *err)
{
    char name[LOCK_SIZE];
    bool waited;

    if (!gc_entry_id_is(transaction))
        return gc_fail(err, GC_E_INTERNAL, "the login's name is malformed");
    (void)snprintf(name, sizeof(name), "%.32s" LOCK, transaction);
    return gc_dir_lock(&logins->dir, name, deadline, cancel_fd, &logins->lock,
                       &waited, err);
}

gc_status
gc_logins_forget(struct gc_logins *logins, const char *transaction,
                 struct gc_error *err)
{
    char name[LOCK_SIZE];
    gc_status st;

    if (!gc_entry_id_is(transaction))
        return GC_OK;
    st = gc_dir_remove(&logins->dir, transaction, err);
    (void)snprintf(name, sizeof(name), "%.32s" LOCK, transaction);
    return st == GC_OK ? gc_dir_remove(&logins->dir, name, err) : st;
}

/* ---- tidying ---- */

static bool
is_gone(const char *owner)
{
    return owner[0] == '\0' || gc_owner_is_dead(owner);
}

/*
 * A session ends with its host, and the sweep releases its tickets.  Before the
 * session, the host may have been a child of the process that continues.
 *
 * No lock is taken.  A login that is written again for another host at this
 * moment may be removed too; its tickets then wait for that host's end.
 */
static bool
is_over(const struct gc_login *login)
{
    int64_t age = gc_clock_epoch() - login->written;
    bool session = login->copies[0] != '\0';

    return age > (session ? GC_LOGIN_OLDEST_S : GC_LOGIN_WAIT_S)
           || (is_gone(login->host) && (session || is_gone(login->parent)));
}

gc_status
gc_logins_tidy(struct gc_logins *logins, struct gc_error *err)
{
    const char *name = NULL;
    gc_status st;

    gc_dir_rewind(&logins->dir);
    while ((st = gc_dir_next(&logins->dir, &name, err)) == GC_OK
           && name != NULL) {
        GC_AUTO(gc_login) login = {.uid = 0};
        gc_status read = GC_E_PROTOCOL;

        if (gc_entry_id_is(name))
            read = load(logins, name, &login, NULL);
        if (read == GC_OK && is_over(&login))
            st = gc_logins_forget(logins, login.transaction, err);
        else if (read == GC_E_PROTOCOL)
            gc_dir_remove_old(&logins->dir, name, GC_LOGIN_WAIT_S);
        if (st != GC_OK)
            return st;
    }
    return st;
}
