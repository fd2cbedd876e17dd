/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/keyring.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/process.h"
#include "src/store/files.h"
#include "src/store/keys.h"

#define DEFAULT_NAME "guestcred"
#define LOCK_NAME    "lock"
#define PAYLOAD_MAX  32767
/* Twenty digits and a newline, always as long, so that using costs no quota. */
#define TIME_LENGTH 21

struct keyring {
    struct gc_blobs blobs;
    key_serial_t serial;
    key_serial_t lock; /* 0: not held */
};

typedef gc_status visit_fn(void *user, const char *id, int64_t time,
                           const struct gc_bytes *text, struct gc_error *err);

static struct keyring *
inner(struct gc_blobs *blobs)
{
    return (struct keyring *)(void *)blobs;
}

/* "SERIAL.NAME"; false where ID is not one of ours. */
static bool
parse_id(const char *id, key_serial_t *ret_key, const char **ret_name)
{
    size_t len = strspn(id, "0123456789");
    int64_t value = 0;

    if (len == 0 || len > 10 || id[len] != '.')
        return false;
    for (size_t i = 0; i < len; i++)
        value = value * 10 + (id[i] - '0');
    if (value == 0 || value > INT_MAX || !gc_files_name_ok(id + len + 1))
        return false;
    *ret_key = (key_serial_t)value;
    *ret_name = id + len + 1;
    return true;
}

/* The key that ID names, if there is one; on false errno says why not. */
static bool
find_key(const char *id, key_serial_t *ret_key)
{
    struct gc_key_described d;
    const char *name;

    errno = ENOKEY;
    if (!parse_id(id, ret_key, &name) || !gc_keys_describe(*ret_key, &d))
        return false;
    errno = ENOKEY;
    return strcmp(d.type, "user") == 0 && strcmp(d.name, name) == 0;
}

bool
gc_keyring_keeps(const char *id)
{
    key_serial_t key;

    if (find_key(id, &key))
        return true;
    /* Of another session: there, but not for us to look at. */
    return errno != ENOKEY && errno != EKEYEXPIRED && errno != EKEYREVOKED
           && errno != EBADMSG;
}

/* Read KEY, time and all, into BUFFER. */
static gc_status
read_key(key_serial_t key, struct gc_bytes *buffer, struct gc_error *err)
{
    gc_status st = gc_bytes_reserve(buffer, PAYLOAD_MAX, err);
    long n;

    if (st != GC_OK)
        return st;
    buffer->len = 0;
    n = keyctl_read(key, (char *)buffer->data, PAYLOAD_MAX);
    if (n < 0)
        return gc_fail(err, errno == ENOKEY ? GC_E_NOT_FOUND : GC_E_PROTOCOL,
                       "%s", strerror(errno));
    if (n > PAYLOAD_MAX)
        return gc_fail(err, GC_E_PROTOCOL, "larger than %d bytes", PAYLOAD_MAX);
    buffer->len = (size_t)n;
    buffer->data[n] = '\0';
    if (strspn(gc_bytes_text(buffer), "0123456789") != TIME_LENGTH - 1
        || buffer->data[TIME_LENGTH - 1] != '\n' || buffer->data[0] != '0')
        return gc_fail(err, GC_E_PROTOCOL, "does not begin with a time");
    return GC_OK;
}

static void
print_time(int64_t when, char dst[TIME_LENGTH + 1])
{
    (void)snprintf(dst, TIME_LENGTH + 1, "%020lld\n",
                   when < 0 ? 0LL : (long long)when);
}

static int64_t
parse_time(const struct gc_bytes *payload)
{
    uint64_t value = 0;

    for (size_t i = 0; i < TIME_LENGTH - 1; i++)
        value = value * 10 + (uint64_t)(payload->data[i] - '0');
    return value > INT64_MAX ? INT64_MAX : (int64_t)value;
}

struct walk {
    struct keyring *ring;
    const char *prefix, *suffix;
    visit_fn *visit;
    void *user;
    struct gc_bytes payload, text;
};

static void
walk_clear(struct walk *w)
{
    gc_bytes_clear(&w->payload);
    gc_bytes_clear(&w->text);
}

static bool
fits(const struct walk *w, const char *name)
{
    size_t len = strlen(name), before = strlen(w->prefix);
    size_t after = strlen(w->suffix);

    return len >= before + after && gc_files_name_ok(name)
           && memcmp(name, w->prefix, before) == 0
           && memcmp(name + len - after, w->suffix, after) == 0;
}

/* GC_E_PROTOCOL: to be skipped, and why. */
static gc_status
visit_described(struct walk *w, key_serial_t key,
                const struct gc_key_described *d, struct gc_error *err)
{
    char id[GC_STORE_ID_SIZE];
    gc_status st;

    if (d->uid != geteuid())
        return gc_fail(err, GC_E_PROTOCOL, "belongs to uid %lu", d->uid);
    if ((d->mode & GC_KEYS_OTHERS_MAY) != 0)
        return gc_fail(err, GC_E_PROTOCOL, "open to others (mode %08lx)",
                       d->mode);
    st = read_key(key, &w->payload, err);
    if (st != GC_OK)
        return st;
    w->text.len = 0;
    st = gc_bytes_append(&w->text, w->payload.data + TIME_LENGTH,
                         w->payload.len - TIME_LENGTH, PAYLOAD_MAX, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(id, sizeof(id), "%d.%s", key, d->name);
    return w->visit(w->user, id, parse_time(&w->payload), &w->text, err);
}

static gc_status
visit_key(struct walk *w, key_serial_t key, struct gc_error *err)
{
    struct gc_key_described d;
    struct gc_error why;
    gc_status st;

    if (!gc_keys_describe(key, &d)) {
        /* What was removed stays listed until the kernel has collected it. */
        if (errno != ENOKEY) {
            (void)snprintf(d.text, sizeof(d.text), "key %d", key);
            gc_skip_say(&w->ring->blobs.skip, d.text, strerror(errno));
        }
        return GC_OK;
    }
    if (strcmp(d.type, "user") != 0 || !fits(w, d.name))
        return GC_OK;
    st = visit_described(w, key, &d, &why);
    if (st == GC_E_PROTOCOL)
        gc_skip_say(&w->ring->blobs.skip, d.name, why.message);
    if (st == GC_OK || st == GC_E_PROTOCOL || st == GC_E_NOT_FOUND)
        return GC_OK;
    if (err != NULL)
        *err = why;
    return st;
}

static gc_status
keyring_each(struct gc_blobs *blobs, const char *prefix, const char *suffix,
             visit_fn *visit, void *user, struct gc_error *err)
{
    __attribute__((cleanup(walk_clear))) struct walk w = {
        .ring = inner(blobs),
        .prefix = prefix,
        .suffix = suffix,
        .visit = visit,
        .user = user,
    };
    key_serial_t *serials = NULL;
    size_t count = 0;
    gc_status st = gc_keys_list(w.ring->serial, &serials, &count, err);

    if (st == GC_OK && count > GC_STORE_COUNT_MAX) {
        gc_skip_say(&blobs->skip, "the store",
                    "holds more than can be; the rest was not looked at");
        count = GC_STORE_COUNT_MAX;
    }
    for (size_t i = 0; st == GC_OK && i < count; i++)
        st = visit_key(&w, serials[i], err);
    free(serials);
    return st;
}

static gc_status
keyring_put(struct gc_blobs *blobs, const char *name,
            const struct gc_bytes *text, int64_t when, bool durable,
            char ret_id[GC_STORE_ID_SIZE], struct gc_error *err)
{
    GC_AUTO(gc_bytes) payload = {0};
    char stamp[TIME_LENGTH + 1];
    key_serial_t key;
    gc_status st;

    (void)durable;
    print_time(when, stamp);
    if (text->len > PAYLOAD_MAX - TIME_LENGTH) {
        (void)gc_fail(err, GC_E_FAILED,
                      "a record of %zu bytes is too large for a keyring",
                      text->len);
        return gc_fail_hint(err, GC_E_FAILED, "use a DIR: store");
    }
    st = gc_bytes_reserve(&payload, PAYLOAD_MAX, err);
    if (st == GC_OK)
        st = gc_bytes_append(&payload, stamp, TIME_LENGTH, PAYLOAD_MAX, err);
    if (st == GC_OK)
        st = gc_bytes_append(&payload, text->data, text->len, PAYLOAD_MAX, err);
    if (st != GC_OK)
        return st;
    key = gc_keys_make(inner(blobs)->serial, "user", name, payload.data,
                       payload.len);
    if (key < 0)
        return gc_keys_fail(err, "cannot keep a record in the keyring", errno);
    (void)snprintf(ret_id, GC_STORE_ID_SIZE, "%d.%s", key, name);
    return GC_OK;
}

static gc_status
keyring_touch(struct gc_blobs *blobs, const char *id, int64_t when,
              struct gc_error *err)
{
    GC_AUTO(gc_bytes) payload = {0};
    char stamp[TIME_LENGTH + 1];
    key_serial_t key;
    gc_status st;

    (void)blobs;
    if (!find_key(id, &key))
        return gc_fail(err, GC_E_NOT_FOUND, "there is no such record");
    st = read_key(key, &payload, err);
    if (st != GC_OK)
        return st;
    print_time(when, stamp);
    memcpy(payload.data, stamp, TIME_LENGTH);
    if (keyctl_update(key, payload.data, payload.len) == 0)
        return GC_OK;
    if (errno == ENOKEY || errno == EKEYEXPIRED || errno == EKEYREVOKED)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no such record");
    return gc_keys_fail(err, "cannot mark a record as used", errno);
}

static gc_status
keyring_remove(struct gc_blobs *blobs, const char *id, struct gc_error *err)
{
    key_serial_t key;

    (void)blobs;
    /*
     * Not unlinked: that goes by name, and until the kernel has collected a key
     * it would take the next one of that name with it.
     */
    if (!find_key(id, &key) || keyctl_invalidate(key) == 0 || errno == ENOKEY
        || errno == EKEYEXPIRED || errno == EKEYREVOKED)
        return GC_OK;
    return gc_keys_fail(err, "cannot remove a record from the keyring", errno);
}

static bool
keyring_has(struct gc_blobs *blobs, const char *id)
{
    key_serial_t key;

    (void)blobs;
    return find_key(id, &key);
}

/* Remove the lock if who held it is gone. */
static void
break_lock(struct keyring *ring)
{
    char text[GC_PROCESS_TEXT_SIZE];
    struct gc_key_described d;
    struct gc_process holder;
    key_serial_t lock;
    long n;

    if (gc_keys_find(ring->serial, "user", LOCK_NAME, &lock, &d, NULL) != GC_OK)
        return;
    n = keyctl_read(lock, text, sizeof(text));
    if (n > 0 && (size_t)n <= sizeof(text)
        && gc_process_parse(text, (size_t)n, &holder)
        && !gc_process_alive(&holder))
        (void)keyctl_invalidate(lock);
}

static gc_status
keyring_lock(struct gc_blobs *blobs, int64_t deadline, struct gc_error *err)
{
    struct timespec pause = {.tv_nsec = 1000000};
    struct keyring *ring = inner(blobs);
    char text[GC_PROCESS_TEXT_SIZE];
    struct gc_process self;
    key_serial_t key;

    gc_process_self(&self);
    gc_process_print(&self, text);
    key = gc_keys_prepare("user", LOCK_NAME, text, strlen(text));
    if (key < 0)
        return gc_keys_fail(err, "cannot lock the keyring", errno);
    while (!gc_keys_place(key, ring->serial)) {
        if (errno == EEXIST && gc_clock_left(deadline) > 0) {
            break_lock(ring);
            (void)nanosleep(&pause, NULL);
            if (pause.tv_nsec < 32000000)
                pause.tv_nsec *= 2;
            continue;
        }
        gc_keys_drop(key);
        if (errno == EEXIST)
            return gc_fail(err, GC_E_BUSY,
                           "another process holds the keyring's lock");
        return gc_keys_fail(err, "cannot lock the keyring", errno);
    }
    ring->lock = key;
    return GC_OK;
}

static void
keyring_unlock(struct gc_blobs *blobs)
{
    struct keyring *ring = inner(blobs);

    if (keyctl_unlink(ring->lock, ring->serial) != 0)
        (void)keyctl_invalidate(ring->lock);
    ring->lock = 0;
}

static void
keyring_free(struct gc_blobs *blobs)
{
    if (inner(blobs)->lock != 0)
        keyring_unlock(blobs);
    free(blobs);
}

static const struct gc_blobs_ops keyring_ops = {
    .each = keyring_each,
    .put = keyring_put,
    .touch = keyring_touch,
    .remove = keyring_remove,
    .has = keyring_has,
    .lock = keyring_lock,
    .unlock = keyring_unlock,
    .adopt = NULL, /* what is half made dies with its thread */
    .free = keyring_free,
};

static gc_status
open_ring(key_serial_t anchor, const char *name, bool create,
          key_serial_t *ret_ring, struct gc_error *err)
{
    struct gc_key_described d;
    key_serial_t ring;
    gc_status st = gc_keys_find(anchor, "keyring", name, &ring, &d, err);

    if (st == GC_E_NOT_FOUND && create) {
        ring = gc_keys_make(anchor, "keyring", name, NULL, 0);
        if (ring < 0 && errno != EEXIST)
            return gc_keys_fail(err, "cannot make a keyring", errno);
        st = gc_keys_find(anchor, "keyring", name, &ring, &d, err);
        if (st == GC_E_NOT_FOUND)
            return gc_fail(err, GC_E_FAILED,
                           "the keyring %s was revoked or has expired", name);
    }
    if (st != GC_OK)
        return st;
    if (d.uid != geteuid())
        return gc_fail(err, GC_E_CONFIG, "the keyring %s belongs to uid %lu",
                       name, d.uid);
    if ((d.mode & GC_KEYS_OTHERS_MAY) != 0)
        return gc_fail(err, GC_E_CONFIG,
                       "the keyring %s is open to others (mode %08lx)", name,
                       d.mode);
    *ret_ring = ring;
    return GC_OK;
}

gc_status
gc_keyring_open(const char *residual, bool create, struct gc_blobs **ret_blobs,
                struct gc_error *err)
{
    size_t len = strcspn(residual, ":");
    const char *name = residual[len] == ':' ? residual + len + 1 : DEFAULT_NAME;
    struct keyring *ring;
    key_serial_t anchor, serial;
    gc_status st;

    if (!gc_files_name_ok(name))
        return gc_fail(err, GC_E_CONFIG,
                       "a keyring's name is of letters, digits, \".\", \"-\" "
                       "and \"_\"");
    st = gc_keys_anchor(residual, len, &anchor, err);
    if (st == GC_OK)
        st = open_ring(anchor, name, create, &serial, err);
    if (st != GC_OK)
        return st;
    ring = calloc(1, sizeof(*ring));
    if (ring == NULL)
        return gc_fail_no_memory(err);
    ring->blobs.ops = &keyring_ops;
    ring->serial = serial;
    *ret_blobs = &ring->blobs;
    return GC_OK;
}
