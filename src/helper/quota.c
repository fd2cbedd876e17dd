/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/quota.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/helper/attempts.h"
#include "src/store/atomic.h"
#include "src/store/files.h"

#define STATE "attempts"
/* Who only says goodbye waits no longer for the lock. */
#define LEAVE_MS 200

/* One uid's directory, locked, and what stands in it. */
struct state {
    int dir;
    int lock;
    int64_t now;
    struct gc_attempt *attempts; /* room for GC_ATTEMPTS_MAX */
    size_t count;
    bool changed; /* other than on disk */
};

static void
state_close(struct state *s)
{
    free(s->attempts);
    if (s->lock >= 0)
        gc_atomic_unlock(s->lock);
    if (s->dir >= 0)
        (void)close(s->dir);
}
#define AUTO_STATE __attribute__((cleanup(state_close))) struct state

static gc_status
save(const struct state *s, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    gc_status st = gc_attempts_write(s->attempts, s->count, &text, err);

    /* Not durable: after a power cut no handshake is under way. */
    if (st == GC_OK)
        st = gc_atomic_write(s->dir, STATE, &text, s->now, false, err);
    return st;
}

/* ---- from the directory ---- */

static gc_status
open_state(struct state *s, const char *place, uid_t uid, unsigned flags,
           int64_t deadline, struct gc_error *err)
{
    gc_status st = gc_files_open_for(place, uid, flags, &s->dir, err);

    if (st == GC_OK)
        st = gc_atomic_lock(s->dir, deadline, &s->lock, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "the quota");
    /* The time as of now that nobody else writes. */
    s->now = (int64_t)time(NULL);
    s->attempts = calloc(GC_ATTEMPTS_MAX, sizeof(*s->attempts));
    return s->attempts == NULL ? gc_fail_no_memory(err) : GC_OK;
}

/* Drop what no longer matters; a time to come is as good as now. */
static void
tidy(struct state *s)
{
    size_t kept = 0;

    for (size_t i = 0; i < s->count; i++) {
        struct gc_attempt *a = &s->attempts[i];
        int64_t age;

        if (a->time > s->now) {
            /* Or it would never be over. */
            a->time = s->now;
            s->changed = true;
        }
        age = s->now - a->time;
        if (!a->done
            && (age >= GC_QUOTA_LONGEST_S || !gc_process_alive(&a->process)))
            a->done = true;
        if (age >= GC_QUOTA_WINDOW_S && a->done)
            continue;
        if (kept != i)
            s->attempts[kept] = *a;
        kept++;
    }
    s->count = kept;
}

/* What is there instead of a file that can be read, and since when. */
static gc_status
load_bad(struct state *s, struct gc_error *err)
{
    struct stat info;
    gc_status st = GC_OK;

    s->count = 0;
    if (fstatat(s->dir, STATE, &info, AT_SYMLINK_NOFOLLOW) != 0)
        return GC_OK;
    if ((int64_t)info.st_mtime > s->now)
        st = gc_files_touch(s->dir, STATE, s->now, err);
    if (st == GC_OK && s->now - (int64_t)info.st_mtime < GC_QUOTA_WINDOW_S)
        st = gc_fail(err, GC_E_BUSY,
                     "too many attempts, for all that can be told: what was "
                     "attempted lately cannot be read");
    if (st != GC_OK)
        return st;
    if (S_ISDIR(info.st_mode))
        (void)unlinkat(s->dir, STATE, AT_REMOVEDIR);
    return GC_OK;
}

static gc_status
load(struct state *s, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    int64_t mtime;
    gc_status st =
        gc_files_read(s->dir, STATE, GC_ATTEMPTS_TEXT_MAX, &text, &mtime, err);

    if (st == GC_OK)
        st = gc_attempts_read(&text, s->attempts, &s->count, err);
    if (st == GC_E_NOT_FOUND)
        return GC_OK;
    if (st == GC_E_PROTOCOL)
        return load_bad(s, err);
    if (st == GC_OK)
        tidy(s);
    return st;
}

/* ---- counting ---- */

static gc_status
check_attempts(const struct state *s, const char *url, const char *vm,
               struct gc_error *err)
{
    int attempts = 0, handshakes = 0;

    for (size_t i = 0; i < s->count; i++) {
        const struct gc_attempt *a = &s->attempts[i];

        if (strcmp(a->url, url) != 0 || strcmp(a->vm, vm) != 0)
            continue;
        attempts += s->now - a->time < GC_QUOTA_WINDOW_S ? 1 : 0;
        handshakes += a->done ? 0 : 1;
    }
    if (attempts >= GC_QUOTA_ATTEMPTS || s->count == GC_ATTEMPTS_MAX)
        return gc_fail(err, GC_E_BUSY,
                       "too many attempts of this user in a minute");
    if (handshakes >= GC_QUOTA_HANDSHAKES)
        return gc_fail(err, GC_E_BUSY,
                       "too many handshakes of this user at once");
    return GC_OK;
}

static gc_status
check_tickets(struct gc_ledger *ledger, const char *url, const char *vm,
              struct gc_error *err)
{
    GC_AUTO(gc_entries) entries = {0};
    int tickets = 0, lost = 0;
    gc_status st = gc_ledger_list(ledger, &entries, err);

    if (st != GC_OK)
        return st;
    for (size_t i = 0; i < entries.count; i++) {
        const struct gc_entry *e = &entries.items[i];

        if (strcmp(e->url, url) != 0 || strcmp(e->ticket.vm, vm) != 0)
            continue;
        /* One that is to be released lives until it is. */
        tickets += e->state >= GC_OWED_TICKET ? 1 : 0;
        lost += gc_entry_is_lost(e) ? 1 : 0;
    }
    if (lost >= GC_QUOTA_LOST)
        return gc_fail(err, GC_E_BUSY,
                       "too many lost logins of this user in that VM");
    if (tickets >= GC_QUOTA_TICKETS)
        return gc_fail(err, GC_E_BUSY,
                       "too many tickets of this user in that VM");
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

static gc_status
add(struct state *s, const char *url, const char *vm, char ret_id[33],
    struct gc_error *err)
{
    struct gc_attempt *a = &s->attempts[s->count];
    gc_status st;

    *a = (struct gc_attempt){.time = s->now};
    st = gc_files_random(a->id, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(a->url, sizeof(a->url), "%s", url);
    (void)snprintf(a->vm, sizeof(a->vm), "%s", vm);
    gc_process_self(&a->process);
    s->count++;
    st = save(s, err);
    if (st == GC_OK)
        memcpy(ret_id, a->id, sizeof(a->id));
    return st;
}

gc_status
gc_quota_enter(const char *place, struct gc_ledger *ledger, const char *url,
               uid_t uid, const char *vm, int64_t deadline,
               struct gc_quota_pass *ret_pass, struct gc_error *err)
{
    AUTO_STATE s = {.dir = -1, .lock = -1};
    struct gc_quota_pass pass = {.uid = uid};
    gc_status st;

    if (strlen(url) >= GC_URL_SIZE || strlen(vm) >= GC_TICKET_VM_SIZE)
        return gc_fail(err, GC_E_INTERNAL, "a URL or VM that cannot be one");
    st = open_state(&s, place, uid, GC_FILES_CREATE | GC_FILES_PARENTS,
                    deadline, err);
    if (st == GC_OK)
        st = gc_atomic_adopt(s.dir, GC_ATTEMPTS_TEXT_MAX, NULL, judge, NULL,
                             err);
    if (st == GC_OK)
        st = load(&s, err);
    if (st != GC_OK)
        return st;
    st = check_attempts(&s, url, vm, err);
    /* Under the lock: who waited for it must see what the others got. */
    if (st == GC_OK)
        st = check_tickets(ledger, url, vm, err);
    if (st == GC_OK)
        st = add(&s, url, vm, pass.id, err);
    else if (s.changed)
        (void)!save(&s, NULL);
    if (st == GC_OK)
        *ret_pass = pass;
    return st;
}

void
gc_quota_leave(const char *place, const struct gc_quota_pass *pass)
{
    AUTO_STATE s = {.dir = -1, .lock = -1};

    if (open_state(&s, place, pass->uid, 0, gc_clock_now() + LEAVE_MS, NULL)
            != GC_OK
        || load(&s, NULL) != GC_OK)
        return;
    for (size_t i = 0; i < s.count; i++)
        if (strcmp(s.attempts[i].id, pass->id) == 0) {
            s.attempts[i].done = true;
            (void)!save(&s, NULL);
        }
}
