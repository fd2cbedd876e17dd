/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/sessions.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "src/base/clock.h"
#include "src/store/files.h"
#include "src/store/record.h"

#define SESSION ".session"

/* What is not kept costs a login, and who holds the lock may be stopped. */
#define LOCK_MS 500

/* A crash can leave two of a kind; more than that are for another time. */
#define TWINS_MAX 10

/* The newest session of one vCenter and user. */
struct search {
    const char *url;
    const char *username;
    char id[GC_STORE_ID_SIZE]; /* of what was found, or "" */
    int64_t when;
    struct gc_session_record found;
};

static void
search_clear(struct search *s)
{
    gc_session_record_clear(&s->found);
}

static gc_status
consider(void *user, const char *id, int64_t when, const struct gc_bytes *text,
         struct gc_error *err)
{
    struct search *s = user;
    GC_AUTO(gc_session_record) record = {0};
    gc_status st = gc_session_record_read(text, &record, err);

    if (st != GC_OK || strcmp(record.url, s->url) != 0
        || strcmp(record.username, s->username) != 0
        || (s->id[0] != '\0' && when < s->when))
        return st;
    (void)snprintf(s->id, sizeof(s->id), "%s", id);
    s->when = when;
    gc_session_record_clear(&s->found);
    s->found = record;
    record = (struct gc_session_record){0};
    return GC_OK;
}

static gc_status
look(struct gc_blobs *blobs, struct search *s, struct gc_error *err)
{
    s->id[0] = '\0';
    return blobs->ops->each(blobs, "", SESSION, consider, s, err);
}

/* The new one first, then the end of the old one: never neither. */
static gc_status
put_locked(struct gc_blobs *blobs, struct search *s,
           const struct gc_bytes *text, struct gc_error *err)
{
    char random[33], name[64], id[GC_STORE_ID_SIZE];
    gc_status st = look(blobs, s, err);

    if (st == GC_OK)
        st = gc_files_random(random, err);
    if (st != GC_OK)
        return st;
    (void)snprintf(name, sizeof(name), "%s" SESSION, random);
    /* Not synced: what is lost with it is a login. */
    st =
        blobs->ops->put(blobs, name, text, (int64_t)time(NULL), false, id, err);
    if (st == GC_OK && s->id[0] != '\0')
        st = blobs->ops->remove(blobs, s->id, err);
    return st;
}

gc_status
gc_sessions_put(struct gc_blobs *blobs, const char *url, const char *username,
                const struct gc_session_facts *facts, const struct gc_bytes *id,
                struct gc_error *err)
{
    __attribute__((cleanup(search_clear))) struct search s = {
        .url = url, .username = username};
    GC_AUTO(gc_session_record) record = {.facts = *facts};
    GC_AUTO(gc_session_record) again = {0};
    GC_AUTO(gc_bytes) text = {0};
    gc_status st = GC_OK;

    if (strlen(url) >= sizeof(record.url)
        || strlen(username) >= sizeof(record.username))
        return gc_fail(err, GC_E_FAILED,
                       "a URL or user name too long to be kept");
    (void)snprintf(record.url, sizeof(record.url), "%s", url);
    (void)snprintf(record.username, sizeof(record.username), "%s", username);
    if (id != NULL && id->len > 0)
        st = gc_bytes_set(&record.id, id->data, id->len, err);
    if (st == GC_OK)
        st = gc_session_record_write(&record, &text, err);
    if (st == GC_OK)
        st = gc_session_record_read(&text, &again, err);
    if (st == GC_OK)
        st = blobs->ops->lock(blobs, gc_clock_now() + LOCK_MS, err);
    if (st != GC_OK)
        return st;
    st = put_locked(blobs, &s, &text, err);
    blobs->ops->unlock(blobs);
    return st;
}

gc_status
gc_sessions_get(struct gc_blobs *blobs, const char *url, const char *username,
                struct gc_session_facts *ret_facts, struct gc_bytes *ret_id,
                struct gc_error *err)
{
    __attribute__((cleanup(search_clear))) struct search s = {
        .url = url, .username = username};
    gc_status st = look(blobs, &s, err);

    if (st != GC_OK)
        return st;
    if (s.id[0] == '\0')
        return gc_fail(err, GC_E_NOT_FOUND, "the store holds no session for %s",
                       url);
    *ret_facts = s.found.facts;
    gc_bytes_move(ret_id, &s.found.id);
    return GC_OK;
}

gc_status
gc_sessions_forget(struct gc_blobs *blobs, const char *url,
                   const char *username, struct gc_error *err)
{
    __attribute__((cleanup(search_clear))) struct search s = {
        .url = url, .username = username};
    gc_status st = look(blobs, &s, err);

    for (int i = 0; i < TWINS_MAX && st == GC_OK && s.id[0] != '\0'; i++) {
        st = blobs->ops->remove(blobs, s.id, err);
        if (st == GC_OK)
            st = look(blobs, &s, err);
    }
    return st;
}
