/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "gss/ccache_file.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One ticket among the bytes. */
struct gc_ccache_record {
    size_t at, len;
    const unsigned char *server; /* its components, as they are written */
    size_t server_len;
    bool common; /* all targets need it */
};

void
gc_ccache_file_clear(struct gc_ccache_file *file)
{
    gc_bytes_clear(&file->bytes);
    gc_bytes_clear(&file->selected);
    free(file->records);
    if (file->krb5 != NULL)
        krb5_free_context(file->krb5);
    *file = (struct gc_ccache_file){.krb5 = NULL};
}

/* ---- the format: version 4, big-endian ---- */

struct cursor {
    const unsigned char *at;
    size_t left;
};

static bool
skip(struct cursor *c, size_t len)
{
    if (len > c->left)
        return false;
    c->at += len;
    c->left -= len;
    return true;
}

static bool
take_number(struct cursor *c, size_t width, uint32_t *ret_number)
{
    const unsigned char *at = c->at;

    if (!skip(c, width))
        return false;
    *ret_number = 0;
    for (; at < c->at; at++)
        *ret_number = *ret_number << 8 | *at;
    return true;
}

static bool
skip_data(struct cursor *c)
{
    uint32_t len;

    return take_number(c, 4, &len) && skip(c, len);
}

/* Addresses, authorization data: each a type and data. */
static bool
skip_list(struct cursor *c)
{
    uint32_t count;

    if (!take_number(c, 4, &count))
        return false;
    for (; count > 0; count--)
        if (!skip(c, 2) || !skip_data(c))
            return false;
    return true;
}

/*
 * A principal without its type: the number of components, the realm, the
 * components.
 */
struct name {
    const unsigned char *at, *components;
    size_t len, components_len;
};

static bool
take_name(struct cursor *c, struct name *ret_name)
{
    uint32_t count;

    if (!skip(c, 4))
        return false;
    ret_name->at = c->at;
    if (!take_number(c, 4, &count) || !skip_data(c))
        return false;
    ret_name->components = c->at;
    for (; count > 0; count--)
        if (!skip_data(c))
            return false;
    ret_name->len = (size_t)(c->at - ret_name->at);
    ret_name->components_len = (size_t)(c->at - ret_name->components);
    return true;
}

static bool
begins(const struct name *name, const char *text, size_t len, size_t at)
{
    return name->len - at >= len && memcmp(name->at + at, text, len) == 0;
}

/* krbtgt/…, a setting of libkrb5's, or the owner itself. */
static bool
is_common(const struct name *server, const struct name *owner)
{
    static const char tgt[] = "\0\0\0\6krbtgt";
    static const char setting[] = "\0\0\0\14X-CACHECONF:";

    return begins(server, setting, sizeof(setting) - 1, 4)
           || begins(server, tgt, sizeof(tgt) - 1,
                     (size_t)(server->components - server->at))
           || (server->len == owner->len
               && memcmp(server->at, owner->at, owner->len) == 0);
}

static bool
take_ticket(struct cursor *c, const struct name *owner,
            struct gc_ccache_record *ret_record)
{
    struct name client, server;

    if (!take_name(c, &client) || !take_name(c, &server) || !skip(c, 2)
        || !skip_data(c) || !skip(c, 16 + 1 + 4) || !skip_list(c)
        || !skip_list(c) || !skip_data(c) || !skip_data(c))
        return false;
    ret_record->server = server.components;
    ret_record->server_len = server.components_len;
    ret_record->common = is_common(&server, owner);
    return true;
}

/* Fill RECORDS, if they are there, and count. */
static bool
take_tickets(const struct gc_ccache_file *file, struct cursor c,
             const struct name *owner, struct gc_ccache_record *records,
             size_t *ret_count)
{
    struct gc_ccache_record record;
    size_t n = 0;

    while (c.left > 0) {
        record.at = (size_t)(c.at - file->bytes.data);
        if (!take_ticket(&c, owner, &record))
            return false;
        record.len = (size_t)(c.at - file->bytes.data) - record.at;
        if (records != NULL)
            records[n] = record;
        n++;
    }
    *ret_count = n;
    return true;
}

bool
gc_ccache_file_parse(struct gc_ccache_file *file)
{
    struct cursor c = {file->bytes.data, file->bytes.len};
    struct name owner;
    uint32_t version, len;

    free(file->records);
    file->records = NULL;
    if (!take_number(&c, 2, &version) || version != 0x0504
        || !take_number(&c, 2, &len) || !skip(&c, len) || !take_name(&c, &owner)
        || !take_tickets(file, c, &owner, NULL, &file->count))
        return false;
    file->head = (size_t)(c.at - file->bytes.data);
    file->records = calloc(file->count + 1, sizeof(*file->records));
    return file->records != NULL
           && take_tickets(file, c, &owner, file->records, &file->count);
}

/* ---- the user's file ---- */

/* The cache NAME, what it is called in full, and its file's path. */
static krb5_ccache
resolve(krb5_context krb5, const char *name, char ret_name[GC_PLACE_SIZE],
        const char **ret_path)
{
    krb5_ccache cache = NULL;
    const char *type;
    char *full = NULL;
    bool good =
        krb5_cc_resolve(krb5, name, &cache) == 0
        && krb5_cc_get_full_name(krb5, cache, &full) == 0
        && snprintf(ret_name, GC_PLACE_SIZE, "%s", full) < GC_PLACE_SIZE;

    krb5_free_string(krb5, full);
    if (cache == NULL)
        return NULL;
    type = krb5_cc_get_type(krb5, cache);
    *ret_path = krb5_cc_get_name(krb5, cache);
    if ((*ret_path)[0] == ':') /* DIR::file, one of a collection */
        (*ret_path)++;
    if (good && (strcmp(type, "FILE") == 0 || strcmp(type, "DIR") == 0))
        return cache;
    (void)krb5_cc_close(krb5, cache);
    return NULL;
}

/* All of PATH, while no other process writes to it. */
static bool
read_bytes(struct gc_ccache_file *file, const char *path)
{
    struct flock lock = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    ssize_t got = 0;
    bool good =
        fd >= 0 && fcntl(fd, F_OFD_SETLKW, &lock) == 0
        && fstat(fd, &file->state) == 0 && S_ISREG(file->state.st_mode)
        && file->state.st_size > 0 && file->state.st_size <= GC_CCACHE_FILE_MAX
        && gc_bytes_reserve(&file->bytes, (size_t)file->state.st_size, NULL)
               == GC_OK;

    while (good && file->bytes.len < (size_t)file->state.st_size) {
        got = read(fd, file->bytes.data + file->bytes.len,
                   (size_t)file->state.st_size - file->bytes.len);
        good = got > 0;
        if (good)
            file->bytes.len += (size_t)got;
    }
    if (fd >= 0)
        (void)close(fd);
    return good;
}

static bool
is_current(const struct gc_ccache_file *file, const char *name,
           const char *path)
{
    const struct stat *was = &file->state;
    struct stat is;

    return file->bytes.len > 0 && strcmp(file->name, name) == 0
           && stat(path, &is) == 0 && is.st_dev == was->st_dev
           && is.st_ino == was->st_ino && is.st_size == was->st_size
           && is.st_mtim.tv_sec == was->st_mtim.tv_sec
           && is.st_mtim.tv_nsec == was->st_mtim.tv_nsec;
}

bool
gc_ccache_file_read(struct gc_ccache_file *file, const char *name)
{
    char full[GC_PLACE_SIZE];
    const char *path;
    krb5_ccache cache;
    bool good = true;

    if (file->krb5 == NULL && krb5_init_context(&file->krb5) != 0)
        return false;
    cache = resolve(file->krb5, name, full, &path);
    if (cache == NULL)
        return false;
    if (!is_current(file, full, path)) {
        gc_bytes_clear(&file->bytes);
        memcpy(file->name, full, sizeof(full));
        good = read_bytes(file, path) && gc_ccache_file_parse(file);
    }
    (void)krb5_cc_close(file->krb5, cache);
    if (!good)
        gc_bytes_clear(&file->bytes);
    return good;
}

/* ---- one target's part of it ---- */

/* TARGET's components as the file has them. */
static gc_status
encode(const struct gc_spn *target, struct gc_bytes *bytes)
{
    const char *parts[] = {target->service, target->host};
    gc_status st = GC_OK;

    for (size_t i = 0; i < GC_COUNT_OF(parts) && st == GC_OK; i++) {
        size_t len = strlen(parts[i]);
        const unsigned char number[4] = {0, 0, (unsigned char)(len >> 8),
                                         (unsigned char)len};

        st = gc_bytes_append(bytes, number, sizeof(number), SIZE_MAX, NULL);
        if (st == GC_OK)
            st = gc_bytes_append(bytes, parts[i], len, SIZE_MAX, NULL);
    }
    return st;
}

bool
gc_ccache_file_select(struct gc_ccache_file *file, const struct gc_spn *target,
                      struct gc_ccache *ret_cache)
{
    GC_AUTO(gc_bytes) server = {0};
    gc_status st = encode(target, &server);

    if (st == GC_OK)
        st = gc_bytes_set(&file->selected, file->bytes.data, file->head, NULL);
    for (size_t i = 0; i < file->count && st == GC_OK; i++) {
        const struct gc_ccache_record *r = &file->records[i];

        if (r->common
            || (r->server_len == server.len
                && memcmp(r->server, server.data, server.len) == 0))
            st = gc_bytes_append(&file->selected, file->bytes.data + r->at,
                                 r->len, SIZE_MAX, NULL);
    }
    return st == GC_OK && gc_ccache_load(&file->selected, ret_cache) == 0;
}

/* ---- new tickets ---- */

/* The user's cache, if it is still OWNER's. */
static krb5_ccache
open_again(const struct gc_ccache_file *file, krb5_const_principal owner)
{
    krb5_context krb5 = file->krb5;
    krb5_principal now = NULL;
    krb5_ccache cache = NULL;
    bool same = krb5_cc_resolve(krb5, file->name, &cache) == 0
                && krb5_cc_get_principal(krb5, cache, &now) == 0
                && krb5_principal_compare(krb5, now, owner);

    krb5_free_principal(krb5, now);
    if (same || cache == NULL)
        return cache;
    (void)krb5_cc_close(krb5, cache);
    return NULL;
}

/* A service's ticket for OWNER that the file has not. */
static bool
is_new(const struct gc_ccache_file *file, const krb5_creds *creds,
       krb5_const_principal owner)
{
    return creds->ticket.length > 0
           && !krb5_is_config_principal(file->krb5, creds->server)
           && krb5_principal_compare(file->krb5, creds->client, owner)
           && memmem(file->selected.data, file->selected.len,
                     creds->ticket.data, creds->ticket.length)
                  == NULL;
}

void
gc_ccache_file_append(const struct gc_ccache_file *file,
                      const struct gc_ccache *cache)
{
    krb5_context krb5 = file->krb5;
    krb5_principal owner = NULL;
    krb5_ccache user = NULL;
    krb5_cc_cursor cursor;
    krb5_creds creds;
    bool good = krb5_cc_get_principal(krb5, cache->cache, &owner) == 0
                && krb5_cc_start_seq_get(krb5, cache->cache, &cursor) == 0;

    if (!good) {
        krb5_free_principal(krb5, owner);
        return;
    }
    while (good
           && krb5_cc_next_cred(krb5, cache->cache, &cursor, &creds) == 0) {
        if (is_new(file, &creds, owner)) {
            if (user == NULL)
                user = open_again(file, owner);
            good = user != NULL && krb5_cc_store_cred(krb5, user, &creds) == 0;
        }
        krb5_free_cred_contents(krb5, &creds);
    }
    (void)krb5_cc_end_seq_get(krb5, cache->cache, &cursor);
    if (user != NULL)
        (void)krb5_cc_close(krb5, user);
    krb5_free_principal(krb5, owner);
}
