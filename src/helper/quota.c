/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/quota.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "src/base/clock.h"
#include "src/base/descriptor.h"
#include "src/base/owner.h"
#include "src/tickets/dir.h"

#define HASH_LENGTH 16
#define NAME_SIZE   (HASH_LENGTH + 1 + GC_DIR_RANDOM_SIZE)

/* One uid's directory, locked, and what was counted in it. */
struct quota {
    struct gc_dir dir;
    int lock;
    char guest[HASH_LENGTH + 1]; /* URL and VM */
    int all, attempts, handshakes;
};

static void
quota_clear(struct quota *q)
{
    if (q->lock >= 0)
        gc_dir_unlock(q->lock);
    gc_descriptor_close(&q->lock);
    gc_dir_close(&q->dir);
}

/* FNV-1a: two guests that share one share their limits. */
static void
name_guest(const char *url, const char *vm, char ret_name[HASH_LENGTH + 1])
{
    const char *const texts[] = {url, "\n", vm};
    uint64_t value = UINT64_C(14695981039346656037);

    for (size_t i = 0; i < GC_COUNT_OF(texts); i++)
        for (const char *c = texts[i]; *c != '\0'; c++)
            value = (value ^ (unsigned char)*c) * UINT64_C(1099511628211);
    (void)snprintf(ret_name, HASH_LENGTH + 1, "%016" PRIx64, value);
}

/* Count the attempt in file NAME, or remove it if it no longer matters. */
static void
count_one(struct quota *q, const char *name)
{
    int64_t now = gc_clock_epoch();
    GC_AUTO_FD fd =
        openat(q->dir.fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    bool here = strncmp(name, q->guest, HASH_LENGTH) == 0, under_way;
    struct stat info;

    if (fd < 0 || fstat(fd, &info) != 0)
        return;
    under_way = flock(fd, LOCK_EX | LOCK_NB) != 0;
    /* A time in the future counts as now, else it would never expire. */
    if ((int64_t)info.st_mtime > now)
        (void)futimens(fd, NULL);
    else if (now - (int64_t)info.st_mtime >= GC_QUOTA_WINDOW_S && !under_way)
        (void)unlinkat(q->dir.fd, name, 0);
    if (now - (int64_t)info.st_mtime < GC_QUOTA_WINDOW_S) {
        q->all++;
        q->attempts += here ? 1 : 0;
    }
    q->handshakes += here && under_way ? 1 : 0;
}

static gc_status
check_attempts(struct quota *q, struct gc_error *err)
{
    const char *name = NULL;
    gc_status st;

    gc_dir_rewind(&q->dir);
    while ((st = gc_dir_next(&q->dir, &name, err)) == GC_OK && name != NULL)
        if (strlen(name) == NAME_SIZE - 1)
            count_one(q, name);
    if (st != GC_OK)
        return st;
    if (q->attempts >= GC_QUOTA_ATTEMPTS || q->all >= GC_QUOTA_ALL)
        return gc_fail(err, GC_E_BUSY,
                       "too many attempts of this user in a minute");
    if (q->handshakes >= GC_QUOTA_HANDSHAKES)
        return gc_fail(err, GC_E_BUSY,
                       "too many handshakes of this user at once");
    return GC_OK;
}

static gc_status
check_tickets(struct gc_store *store, const char *url, const char *vm,
              struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    int tickets = 0, lost = 0;
    gc_status st = gc_store_list(store, NULL, &entries, err);

    if (st != GC_OK)
        return st;
    for (size_t i = 0; i < entries.count; i++) {
        const struct gc_entry *e = &entries.items[i];

        if (strcmp(e->url, url) != 0 || strcmp(e->ticket.vm, vm) != 0
            || e->until < gc_clock_epoch())
            continue;
        if (e->state == GC_ENTRY_TICKET || e->state == GC_ENTRY_OWED)
            tickets++;
        else if (e->state == GC_ENTRY_LOST || gc_owner_is_dead(e->owner))
            lost++;
    }
    if (lost >= GC_QUOTA_LOST)
        return gc_fail(err, GC_E_BUSY,
                       "too many lost logins of this user in that VM");
    if (tickets >= GC_QUOTA_TICKETS)
        return gc_fail(err, GC_E_BUSY,
                       "too many tickets of this user in that VM");
    return GC_OK;
}

/* An attempt of our own: a new file, locked. */
static gc_status
add(struct quota *q, int *ret_pass, struct gc_error *err)
{
    char name[NAME_SIZE], random[GC_DIR_RANDOM_SIZE];
    bool waited;
    gc_status st = gc_dir_random(random, err);

    if (st != GC_OK)
        return st;
    (void)snprintf(name, sizeof(name), "%s.%s", q->guest, random);
    *ret_pass = -1;
    return gc_dir_lock(&q->dir, name, 0, -1, ret_pass, &waited, err);
}

gc_status
gc_quota_enter(const char *place, struct gc_store *store, const char *url,
               uid_t uid, const char *vm, int64_t deadline, int *ret_pass,
               struct gc_error *err)
{
    __attribute__((cleanup(quota_clear))) struct quota q = {.lock = -1};
    char path[PATH_MAX];
    bool waited;
    gc_status st;

    q.dir.fd = -1;
    name_guest(url, vm, q.guest);
    (void)snprintf(path, sizeof(path), "%s/%lu", place, (unsigned long)uid);
    st = gc_dir_open(path, true, false, &q.dir, err);
    if (st == GC_OK)
        st = gc_dir_lock(&q.dir, "lock", deadline, -1, &q.lock, &waited, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "the quota");
    st = check_attempts(&q, err);
    /* Count under the lock, to see what other processes got meanwhile. */
    if (st == GC_OK)
        st = check_tickets(store, url, vm, err);
    return st == GC_OK ? add(&q, ret_pass, err) : st;
}

void
gc_quota_leave(int *pass)
{
    /* Closing is not enough: a child has a copy. */
    if (*pass >= 0)
        gc_dir_unlock(*pass);
    gc_descriptor_close(pass);
}
