/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "gss/ccache_file.h"

#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"

struct gc_ccache_ticket {
    struct gc_ccache_ticket *next;
    krb5_creds creds;
};

static void
tickets_free(krb5_context krb5, struct gc_ccache_ticket *tickets)
{
    struct gc_ccache_ticket *next;

    for (; tickets != NULL; tickets = next) {
        next = tickets->next;
        krb5_free_cred_contents(krb5, &tickets->creds);
        free(tickets);
    }
}

void
gc_ccache_file_clear(struct gc_ccache_file *file)
{
    if (file->krb5 != NULL) {
        for (size_t i = 0; i < GC_COUNT_OF(file->tickets); i++)
            tickets_free(file->krb5, file->tickets[i]);
        krb5_free_principal(file->krb5, file->owner);
        krb5_free_context(file->krb5);
    }
    *file = (struct gc_ccache_file){.krb5 = NULL};
}

/* All of CACHE, the last one first. */
static krb5_error_code
read_tickets(krb5_context krb5, krb5_ccache cache,
             struct gc_ccache_ticket **ret_tickets)
{
    struct gc_ccache_ticket *list = NULL, *fresh;
    krb5_cc_cursor cursor;
    krb5_error_code code = krb5_cc_start_seq_get(krb5, cache, &cursor);

    if (code != 0)
        return code;
    while (code == 0) {
        fresh = calloc(1, sizeof(*fresh));
        code = fresh == NULL
                   ? ENOMEM
                   : krb5_cc_next_cred(krb5, cache, &cursor, &fresh->creds);
        if (code != 0) {
            free(fresh);
            break;
        }
        fresh->next = list;
        list = fresh;
    }
    (void)krb5_cc_end_seq_get(krb5, cache, &cursor);
    if (code != KRB5_CC_END) {
        tickets_free(krb5, list);
        return code;
    }
    *ret_tickets = list;
    return 0;
}

/* Where HOST's tickets are, by FNV-1a; 0 is for those that all targets need. */
static size_t
bucket(const char *host, size_t len)
{
    uint32_t h = 2166136261U;

    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)host[i]) * 16777619U;
    return 1 + h % (GC_CCACHE_FILE_BUCKETS - 1);
}

static size_t
bucket_of(const struct gc_ccache_file *file, krb5_const_principal server)
{
    if (gc_ccache_is_tgt(server) || krb5_is_config_principal(file->krb5, server)
        || krb5_principal_compare(file->krb5, server, file->owner)
        || server->length < 2)
        return 0;
    return bucket(server->data[1].data, server->data[1].length);
}

/* LIST, the last one first, becomes part of what FILE holds. */
static void
adopt(struct gc_ccache_file *file, struct gc_ccache_ticket *list)
{
    struct gc_ccache_ticket **at, *next;

    for (; list != NULL; list = next) {
        next = list->next;
        at = &file->tickets[bucket_of(file, list->creds.server)];
        list->next = *at;
        *at = list;
    }
}

/* The file behind CACHE as it is now; false where there is none. */
static bool
look(krb5_context krb5, krb5_ccache cache, struct stat *ret_state)
{
    const char *type = krb5_cc_get_type(krb5, cache);
    const char *path = krb5_cc_get_name(krb5, cache);

    if (strcmp(type, "FILE") != 0 && strcmp(type, "DIR") != 0)
        return false;
    if (path[0] == ':') /* DIR::file, one of a collection */
        path++;
    return stat(path, ret_state) == 0 && S_ISREG(ret_state->st_mode);
}

/* The cache NAME, what it is called in full, and its file. */
static krb5_ccache
resolve(krb5_context krb5, const char *name, char ret_name[GC_PLACE_SIZE],
        struct stat *ret_state)
{
    krb5_ccache cache = NULL;
    char *full = NULL;
    bool good =
        krb5_cc_resolve(krb5, name, &cache) == 0 && look(krb5, cache, ret_state)
        && krb5_cc_get_full_name(krb5, cache, &full) == 0
        && snprintf(ret_name, GC_PLACE_SIZE, "%s", full) < GC_PLACE_SIZE;

    krb5_free_string(krb5, full);
    if (good || cache == NULL)
        return cache;
    (void)krb5_cc_close(krb5, cache);
    return NULL;
}

static bool
same_state(const struct stat *a, const struct stat *b)
{
    return a->st_dev == b->st_dev && a->st_ino == b->st_ino
           && a->st_size == b->st_size && a->st_mtim.tv_sec == b->st_mtim.tv_sec
           && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static bool
is_current(const struct gc_ccache_file *file, const char *name)
{
    char full[GC_PLACE_SIZE];
    struct stat state;
    krb5_ccache cache;

    if (file->krb5 == NULL)
        return false;
    cache = resolve(file->krb5, name, full, &state);
    if (cache == NULL)
        return false;
    (void)krb5_cc_close(file->krb5, cache);
    return strcmp(file->name, full) == 0 && same_state(&file->state, &state);
}

bool
gc_ccache_file_read(struct gc_ccache_file *file, const char *name)
{
    struct gc_ccache_ticket *list = NULL;
    krb5_ccache cache;
    bool good;

    if (is_current(file, name))
        return true;
    gc_ccache_file_clear(file);
    /* A new context: one takes the KDC's time from the first file alone. */
    if (krb5_init_context(&file->krb5) != 0)
        return false;
    /* What is written while we read changes the file again. */
    cache = resolve(file->krb5, name, file->name, &file->state);
    good = cache != NULL
           && krb5_cc_get_principal(file->krb5, cache, &file->owner) == 0
           && read_tickets(file->krb5, cache, &list) == 0;
    adopt(file, list);
    if (cache != NULL)
        (void)krb5_cc_close(file->krb5, cache);
    if (!good)
        gc_ccache_file_clear(file);
    return good;
}

/* Is NAME one of SERVICE/HOST's, in whatever realm? */
static bool
is_target(krb5_const_principal name, const struct gc_spn *target)
{
    return name->length == 2 && name->data[0].length == strlen(target->service)
           && memcmp(name->data[0].data, target->service, name->data[0].length)
                  == 0
           && name->data[1].length == strlen(target->host)
           && memcmp(name->data[1].data, target->host, name->data[1].length)
                  == 0;
}

/* Put those of LIST that are TARGET's (NULL: all) into CACHE. */
static krb5_error_code
copy(const struct gc_ccache_file *file, const struct gc_ccache_ticket *list,
     const struct gc_spn *target, const struct gc_ccache *cache)
{
    krb5_error_code code = 0;

    for (; list != NULL && code == 0; list = list->next) {
        krb5_creds copied = list->creds; /* borrows all that is in there */

        if (target == NULL || is_target(copied.server, target))
            code = krb5_cc_store_cred(file->krb5, cache->cache, &copied);
    }
    return code;
}

gc_status
gc_ccache_file_select(const struct gc_ccache_file *file,
                      const struct gc_spn *target, struct gc_ccache *ret_cache,
                      struct gc_error *err)
{
    GC_AUTO(gc_ccache) cache = {NULL, NULL, NULL};
    struct gc_verdict v = {GSS_S_FAILURE, 0, gc_mech_oid(GC_MECH_KERBEROS)};
    size_t host = bucket(target->host, strlen(target->host));
    gc_status st = gc_ccache_new(&cache, err);
    krb5_error_code code;

    if (st != GC_OK)
        return st;
    code = krb5_cc_initialize(file->krb5, cache.cache, file->owner);
    if (code == 0)
        code = copy(file, file->tickets[0], NULL, &cache);
    if (code == 0)
        code = copy(file, file->tickets[host], target, &cache);
    v.minor = (OM_uint32)code;
    if (code != 0)
        return gc_gssmsg_judge(err, GC_E_INTERNAL, &v,
                               "cannot copy the credential cache");
    gc_ccache_move(ret_cache, &cache);
    return GC_OK;
}

/* ---- new tickets ---- */

/* A service's ticket for the owner that the file has not. */
static bool
is_new(const struct gc_ccache_file *file, const krb5_creds *creds)
{
    const struct gc_ccache_ticket *t =
        file->tickets[bucket_of(file, creds->server)];

    while (t != NULL
           && (t->creds.ticket.length != creds->ticket.length
               || memcmp(t->creds.ticket.data, creds->ticket.data,
                         creds->ticket.length)
                      != 0))
        t = t->next;
    return t == NULL && !krb5_is_config_principal(file->krb5, creds->server)
           && krb5_principal_compare(file->krb5, creds->client, file->owner);
}

/* Leave in *LIST what is new, and free the rest. */
static void
keep_new(const struct gc_ccache_file *file, struct gc_ccache_ticket **list)
{
    struct gc_ccache_ticket *t;

    while ((t = *list) != NULL) {
        if (is_new(file, &t->creds)) {
            list = &t->next;
            continue;
        }
        *list = GC_TAKE(t->next);
        tickets_free(file->krb5, t);
    }
}

static size_t
principal_size(krb5_const_principal name)
{
    size_t size = 4 + 4 + 4 + name->realm.length;

    for (krb5_int32 i = 0; i < name->length; i++)
        size += 4 + name->data[i].length;
    return size;
}

/* How many bytes has CREDS in a file of the current format? */
static off_t
encoded_size(const krb5_creds *creds)
{
    size_t size = principal_size(creds->client) + principal_size(creds->server);

    size += 2 + 4 + creds->keyblock.length + 4 * 4 + 1 + 4 + 4 + 4;
    for (size_t i = 0; creds->addresses != NULL && creds->addresses[i] != NULL;
         i++)
        size += 2 + 4 + creds->addresses[i]->length;
    for (size_t i = 0; creds->authdata != NULL && creds->authdata[i] != NULL;
         i++)
        size += 2 + 4 + creds->authdata[i]->length;
    size += 4 + creds->ticket.length + 4 + creds->second_ticket.length;
    return (off_t)size;
}

/*
 * Append FRESH to CACHE, the file's.  True where the file is now what was read
 * and FRESH, to the byte: it need not be read again.
 */
static bool
store(struct gc_ccache_file *file, krb5_ccache cache,
      const struct gc_ccache_ticket *fresh)
{
    krb5_context krb5 = file->krb5;
    krb5_principal owner = NULL;
    struct stat before, after;
    bool good = look(krb5, cache, &before)
                && krb5_cc_get_principal(krb5, cache, &owner) == 0
                && krb5_principal_compare(krb5, owner, file->owner);
    bool alone = good && same_state(&before, &file->state);

    krb5_free_principal(krb5, owner);
    for (; fresh != NULL && good; fresh = fresh->next) {
        krb5_creds copied = fresh->creds; /* borrows all that is in there */

        good = krb5_cc_store_cred(krb5, cache, &copied) == 0;
        before.st_size += encoded_size(&copied);
    }
    alone = alone && good && look(krb5, cache, &after)
            && after.st_dev == before.st_dev && after.st_ino == before.st_ino
            && after.st_size == before.st_size;
    if (alone)
        file->state = after;
    return alone;
}

void
gc_ccache_file_append(struct gc_ccache_file *file,
                      const struct gc_ccache *cache)
{
    struct gc_ccache_ticket *fresh = NULL;
    char name[GC_PLACE_SIZE];
    struct stat state;
    krb5_ccache user = NULL;

    if (read_tickets(file->krb5, cache->cache, &fresh) != 0)
        return;
    keep_new(file, &fresh);
    if (fresh != NULL)
        user = resolve(file->krb5, file->name, name, &state);
    if (user != NULL && store(file, user, fresh))
        adopt(file, GC_TAKE(fresh));
    tickets_free(file->krb5, fresh);
    if (user != NULL)
        (void)krb5_cc_close(file->krb5, user);
}
