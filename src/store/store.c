/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "src/base/clock.h"
#include "src/store/blobs.h"
#include "src/store/dir.h"
#include "src/store/files.h"
#include "src/store/keyring.h"
#include "src/store/record.h"
#include "src/store/sessions.h"

#define TICKET  ".ticket"
#define LOCK_MS 3000

/* Of a moId in a name: enough to tell VMs apart, the text has it whole. */
#define STEM_MAX 64

struct gc_store {
    char *name;
    struct gc_blobs *blobs;
};

static bool
starts(const char *name, const char *type, const char **ret_residual)
{
    size_t len = strlen(type);

    if (strncmp(name, type, len) != 0)
        return false;
    *ret_residual = name + len;
    return true;
}

gc_status
gc_store_open(const char *name, bool create, struct gc_store **ret_store,
              struct gc_error *err)
{
    GC_AUTO_PTR(gc_store) store = calloc(1, sizeof(*store));
    const char *residual;
    gc_status st;

    if (store == NULL || (store->name = strdup(name)) == NULL)
        return gc_fail_no_memory(err);
    if (starts(name, "DIR:", &residual))
        st = gc_dir_open(residual, create, &store->blobs, err);
    else if (starts(name, "KEYRING:", &residual))
        st = gc_keyring_open(residual, create, &store->blobs, err);
    else
        return gc_fail(err, GC_E_CONFIG,
                       "a ticket store is called DIR:/path or "
                       "KEYRING:session|user|persistent, not \"%s\"",
                       name);
    if (st == GC_OK)
        *ret_store = GC_TAKE(store);
    return st;
}

void
gc_store_free(struct gc_store *store)
{
    if (store == NULL)
        return;
    if (store->blobs != NULL)
        store->blobs->ops->free(store->blobs);
    free(store->name);
    free(store);
}

const char *
gc_store_name(const struct gc_store *store)
{
    return store->name;
}

void
gc_store_on_skip(struct gc_store *store,
                 void (*skipped)(void *user, const char *line), void *user)
{
    store->blobs->skip = (struct gc_skip){.fn = skipped, .user = user};
}

/* Ids of a place always fit.  (snprintf would show in a list of thousands.) */
static void
copy_id(char dst[GC_STORE_ID_SIZE], const char *id)
{
    size_t len = strlen(id);

    if (len >= GC_STORE_ID_SIZE)
        len = GC_STORE_ID_SIZE - 1;
    memcpy(dst, id, len);
    dst[len] = '\0';
}

/* Records as they are gathered. */
struct gathering {
    struct gc_records records;
    size_t room;
};

static void
gathering_clear(struct gathering *g)
{
    gc_records_clear(&g->records);
}

/* Make room for one more.  The array holds no secret, only pointers to them. */
static gc_status
grow(struct gathering *g, struct gc_error *err)
{
    /* Much at once: untouched it costs nothing, and growing copies it all. */
    size_t room = g->room == 0 ? 1024 : 2 * g->room;
    struct gc_record *items;

    if (g->records.count < g->room)
        return GC_OK;
    items = calloc(room, sizeof(*items));
    if (items == NULL)
        return gc_fail_no_memory(err);
    if (g->records.count > 0)
        memcpy(items, g->records.items, g->records.count * sizeof(*items));
    free(g->records.items);
    g->records.items = items;
    g->room = room;
    return GC_OK;
}

static gc_status
gather(void *user, const char *id, int64_t when, const struct gc_bytes *text,
       struct gc_error *err)
{
    struct gathering *g = user;
    struct gc_record *record;
    gc_status st = grow(g, err);

    if (st != GC_OK)
        return st;
    record = &g->records.items[g->records.count];
    /* Looking at an untouched page before writing to it would fault twice. */
    *record = (struct gc_record){0};
    st = gc_record_read(text, record, err);
    if (st != GC_OK)
        return st;
    copy_id(record->id, id);
    record->used = when;
    g->records.count++;
    return GC_OK;
}

/* Oldest first; the id makes the order one that stays. */
static int
compare(const void *a, const void *b)
{
    const struct gc_record *x = a, *y = b;

    if (x->ticket.acquired != y->ticket.acquired)
        return x->ticket.acquired < y->ticket.acquired ? -1 : 1;
    return strcmp(x->id, y->id);
}

/* Give G's records away, in order. */
static void
hand_over(struct gathering *g, struct gc_records *ret_records)
{
    if (g->records.count > 1)
        qsort(g->records.items, g->records.count, sizeof(*g->records.items),
              compare);
    gc_records_clear(ret_records);
    *ret_records = g->records;
    *g = (struct gathering){0};
}

gc_status
gc_store_list(struct gc_store *store, struct gc_records *ret_records,
              struct gc_error *err)
{
    __attribute__((cleanup(gathering_clear))) struct gathering g = {0};
    gc_status st =
        store->blobs->ops->each(store->blobs, "", TICKET, gather, &g, err);

    if (st == GC_OK)
        hand_over(&g, ret_records);
    return st;
}

gc_status
gc_store_adopt(struct gc_store *store, struct gc_records *ret_records,
               struct gc_error *err)
{
    __attribute__((cleanup(gathering_clear))) struct gathering g = {0};
    const struct gc_blobs_ops *ops = store->blobs->ops;
    gc_status st = GC_OK;

    if (ops->adopt != NULL) {
        st = ops->lock(store->blobs, gc_clock_now() + LOCK_MS, err);
        if (st != GC_OK)
            return st;
        st = ops->adopt(store->blobs, TICKET, gather, &g, err);
        ops->unlock(store->blobs);
    }
    if (st == GC_OK)
        hand_over(&g, ret_records);
    return st;
}

/* VM as the start of a name: the same for the same VM, and harmless. */
static void
name_stem(const char *vm, char dst[STEM_MAX + 2])
{
    size_t len = strlen(vm);

    if (len > STEM_MAX)
        len = STEM_MAX;
    for (size_t i = 0; i < len; i++) {
        bool plain = (vm[i] >= 'a' && vm[i] <= 'z')
                     || (vm[i] >= 'A' && vm[i] <= 'Z')
                     || (vm[i] >= '0' && vm[i] <= '9') || vm[i] == '-';

        dst[i] = '_';
        if (plain)
            dst[i] = vm[i];
    }
    dst[len] = '.';
    dst[len + 1] = '\0';
}

/* A name for a record of VM's that no other has. */
static gc_status
make_name(const char *vm, char ret_name[GC_STORE_ID_SIZE], struct gc_error *err)
{
    char stem[STEM_MAX + 2], random[33];
    gc_status st = gc_files_random(random, err);

    if (st != GC_OK)
        return st;
    name_stem(vm, stem);
    (void)snprintf(ret_name, GC_STORE_ID_SIZE, "%s%s" TICKET, stem, random);
    return GC_OK;
}

gc_status
gc_store_name_record(const struct gc_store *store, const char *vm,
                     char ret_id[GC_STORE_ID_SIZE], struct gc_error *err)
{
    ret_id[0] = '\0';
    return store->blobs->ops->named ? make_name(vm, ret_id, err) : GC_OK;
}

/* The newest that matches a key, looked for among one VM's records. */
struct search {
    const struct gc_store_key *key;
    const struct gc_records *but; /* whose ids do not count, or NULL */
    struct gc_record found;
};

static bool
among(const struct gc_records *records, const char *id)
{
    for (size_t i = 0; records != NULL && i < records->count; i++)
        if (strcmp(records->items[i].id, id) == 0)
            return true;
    return false;
}

static void
search_clear(struct search *s)
{
    gc_record_clear(&s->found);
}

static gc_status
consider(void *user, const char *id, int64_t when, const struct gc_bytes *text,
         struct gc_error *err)
{
    GC_AUTO(gc_record) record = {0};
    struct search *s = user;
    gc_status st = gc_record_read(text, &record, err);

    if (st != GC_OK)
        return st;
    copy_id(record.id, id);
    record.used = when;
    if (!gc_record_matches(&record, s->key) || among(s->but, id))
        return GC_OK;
    if (s->found.id[0] == '\0' || compare(&s->found, &record) < 0)
        gc_record_move(&s->found, &record);
    return GC_OK;
}

static gc_status
look(struct gc_store *store, struct search *s, struct gc_error *err)
{
    char stem[STEM_MAX + 2];

    name_stem(s->key->vm, stem);
    return store->blobs->ops->each(store->blobs, stem, TICKET, consider, s,
                                   err);
}

gc_status
gc_store_find(struct gc_store *store, const struct gc_store_key *key,
              struct gc_record *ret_record, struct gc_error *err)
{
    __attribute__((cleanup(search_clear))) struct search s = {.key = key};
    gc_status st = look(store, &s, err);

    if (st != GC_OK)
        return st;
    if (s.found.id[0] == '\0')
        return gc_fail(err, GC_E_NOT_FOUND,
                       "the store holds no such ticket for %s", key->vm);
    gc_record_move(ret_record, &s.found);
    return GC_OK;
}

/* All that match KEY, or (KEY is NULL) the one of TICKET. */
struct sieve {
    struct gathering gathering;
    const struct gc_store_key *key;
    const struct gc_ticket *ticket;
};

static void
sieve_clear(struct sieve *s)
{
    gathering_clear(&s->gathering);
}

static bool
same_ticket(const struct gc_ticket *a, const struct gc_ticket *b)
{
    return strcmp(a->vm, b->vm) == 0 && a->ticket.len == b->ticket.len
           && a->ticket.len > 0
           && memcmp(a->ticket.data, b->ticket.data, a->ticket.len) == 0;
}

static gc_status
sift(void *user, const char *id, int64_t when, const struct gc_bytes *text,
     struct gc_error *err)
{
    struct sieve *s = user;
    struct gc_records *records = &s->gathering.records;
    gc_status st = gather(&s->gathering, id, when, text, err);
    const struct gc_record *last;

    if (st != GC_OK)
        return st;
    last = &records->items[records->count - 1];
    if (s->key != NULL ? !gc_record_matches(last, s->key)
                       : !same_ticket(&last->ticket, s->ticket))
        gc_record_clear(&records->items[--records->count]);
    return GC_OK;
}

gc_status
gc_store_find_all(struct gc_store *store, const struct gc_store_key *key,
                  struct gc_records *ret_records, struct gc_error *err)
{
    __attribute__((cleanup(sieve_clear))) struct sieve s = {.key = key};
    char stem[STEM_MAX + 2];
    gc_status st;

    name_stem(key->vm, stem);
    st = store->blobs->ops->each(store->blobs, stem, TICKET, sift, &s, err);
    if (st == GC_OK)
        hand_over(&s.gathering, ret_records);
    return st;
}

gc_status
gc_store_find_ticket(struct gc_store *store, const struct gc_ticket *ticket,
                     struct gc_record *ret_record, struct gc_error *err)
{
    __attribute__((cleanup(sieve_clear))) struct sieve s = {.ticket = ticket};
    char stem[STEM_MAX + 2];
    gc_status st;

    name_stem(ticket->vm, stem);
    st = store->blobs->ops->each(store->blobs, stem, TICKET, sift, &s, err);
    if (st != GC_OK)
        return st;
    if (s.gathering.records.count == 0)
        return gc_fail(err, GC_E_NOT_FOUND,
                       "the store does not hold that ticket for %s",
                       ticket->vm);
    gc_record_move(ret_record, &s.gathering.records.items[0]);
    return GC_OK;
}

/* RECORD as text that is sure to be understood again. */
static gc_status
write_checked(const struct gc_record *record, struct gc_bytes *ret_text,
              struct gc_error *err)
{
    GC_AUTO(gc_record) again = {0};
    gc_status st = gc_record_write(record, ret_text, err);

    if (st != GC_OK)
        return st;
    st = gc_record_read(ret_text, &again, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "a ticket cannot be kept");
    if (again.ticket.ticket.len != record->ticket.ticket.len)
        return gc_fail(err, GC_E_PROTOCOL,
                       "a ticket cannot be kept: it holds a NUL");
    return GC_OK;
}

/* Those of S's that RECORD takes the place of. */
static void
remove_seen(struct gc_store *store, const struct search *s)
{
    struct gc_error why;

    for (size_t i = 0; s->but != NULL && i < s->but->count; i++) {
        const struct gc_record *seen = &s->but->items[i];

        /* RECORD is kept: what cannot be tidied up is said, and no failure. */
        if (gc_record_matches(seen, s->key)
            && store->blobs->ops->remove(store->blobs, seen->id, &why) != GC_OK)
            gc_skip_say(&store->blobs->skip, seen->id, why.message);
    }
}

static gc_status
put_locked(struct gc_store *store, struct gc_record *record,
           const struct gc_bytes *text, struct search *s, struct gc_error *err)
{
    const struct gc_blobs_ops *ops = store->blobs->ops;
    char name[GC_STORE_ID_SIZE];
    gc_status st = look(store, s, err);

    if (st != GC_OK || s->found.id[0] != '\0')
        return st;
    memcpy(name, record->id, sizeof(name));
    if (name[0] == '\0')
        st = make_name(record->ticket.vm, name, err);
    if (st != GC_OK)
        return st;
    st =
        ops->put(store->blobs, name, text, record->used, true, record->id, err);
    if (st == GC_OK)
        remove_seen(store, s);
    return st;
}

gc_status
gc_store_put(struct gc_store *store, struct gc_record *record,
             const struct gc_records *seen, struct gc_record *ret_earlier,
             struct gc_error *err)
{
    const struct gc_ticket *t = &record->ticket;
    const struct gc_store_key key = {record->url,  t->vcenter, t->vm,
                                     t->principal, t->target,  t->mech,
                                     t->mutual};
    __attribute__((cleanup(search_clear))) struct search s = {.key = &key,
                                                              .but = seen};
    GC_AUTO(gc_bytes) text = {0};
    gc_status st = write_checked(record, &text, err);

    if (st == GC_OK)
        st = store->blobs->ops->lock(store->blobs, gc_clock_now() + LOCK_MS,
                                     err);
    if (st == GC_OK) {
        st = put_locked(store, record, &text, &s, err);
        store->blobs->ops->unlock(store->blobs);
    }
    /* Not kept: it has no name either. */
    if (st != GC_OK || s.found.id[0] != '\0')
        record->id[0] = '\0';
    if (st == GC_OK)
        gc_record_move(ret_earlier, &s.found);
    return st;
}

gc_status
gc_store_touch(struct gc_store *store, const struct gc_record *record,
               struct gc_error *err)
{
    return store->blobs->ops->touch(store->blobs, record->id, record->used,
                                    err);
}

gc_status
gc_store_forget(struct gc_store *store, const char *id, struct gc_error *err)
{
    return store->blobs->ops->remove(store->blobs, id, err);
}

bool
gc_store_has(struct gc_store *store, const char *id)
{
    return store->blobs->ops->has(store->blobs, id);
}

bool
gc_store_keeps(const char *name, const char *id)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    const char *residual;
    gc_status st;

    if (starts(name, "KEYRING:", &residual))
        return gc_keyring_keeps(id);
    st = gc_store_open(name, false, &store, NULL);
    if (st == GC_E_NOT_FOUND)
        return false;
    return st != GC_OK || gc_store_has(store, id);
}

gc_status
gc_store_put_session(struct gc_store *store, const char *url,
                     const char *username, const struct gc_session_facts *facts,
                     const struct gc_bytes *id, struct gc_error *err)
{
    return gc_sessions_put(store->blobs, url, username, facts, id, err);
}

gc_status
gc_store_get_session(struct gc_store *store, const char *url,
                     const char *username, struct gc_session_facts *ret_facts,
                     struct gc_bytes *ret_id, struct gc_error *err)
{
    return gc_sessions_get(store->blobs, url, username, ret_facts, ret_id, err);
}

gc_status
gc_store_forget_session(struct gc_store *store, const char *url,
                        const char *username, struct gc_error *err)
{
    return gc_sessions_forget(store->blobs, url, username, err);
}
