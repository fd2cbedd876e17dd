/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions in vCenter, and refused logins: a file for each URL and user name.
 */
#include <config.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "src/base/descriptor.h"
#include "src/base/fields.h"
#include "src/tickets/handle.h"
#include "src/tickets/store.h"

#define SESSION_MAX    (64 * 1024) /* bytes of a file */
#define SESSION_ID_MAX 4096
#define NAME_SIZE      40

#define TEXT(m)   GC_FIELD_TEXT, GC_FIELD_AT(gc_kept_session, m), NULL
#define NUMBER(m) GC_FIELD_NUMBER, GC_FIELD_AT(gc_kept_session, m), NULL
static const struct gc_field fields[] = {
    {"url", TEXT(url)},
    {"username", TEXT(username)},
    {"release", TEXT(facts.release)},
    {"vcenter", TEXT(facts.instance_uuid)},
    {"session_manager", TEXT(facts.session_manager)},
    {"search_index", TEXT(facts.search_index)},
    {"guest_operations_manager", TEXT(facts.guest_operations_manager)},
    {"auth_manager", TEXT(facts.auth_manager)},
    {"process_manager", TEXT(facts.process_manager)},
    {"file_manager", TEXT(facts.file_manager)},
    {"registry_manager", TEXT(facts.registry_manager)},
    {"alias_manager", TEXT(facts.alias_manager)},
    {"session", GC_FIELD_BYTES, offsetof(struct gc_kept_session, id),
     SESSION_ID_MAX, NULL},
    {"refused", NUMBER(refused)},
    {"password_dev", NUMBER(password.dev)},
    {"password_inode", NUMBER(password.inode)},
    {"password_size", NUMBER(password.size)},
    {"password_mtime", NUMBER(password.mtime_s)},
    {"password_mtime_ns", NUMBER(password.mtime_ns)},
    {"password_ctime", NUMBER(password.ctime_s)},
    {"password_ctime_ns", NUMBER(password.ctime_ns)},
};

void
gc_kept_session_clear(struct gc_kept_session *kept)
{
    gc_bytes_clear(&kept->id);
    *kept = (struct gc_kept_session){0};
}

static uint64_t
hash(uint64_t value, const char *text)
{
    for (; *text != '\0'; text++)
        value = (value ^ (unsigned char)*text) * UINT64_C(1099511628211);
    return value;
}

/* FNV-1a is enough for a name: the file itself says whose it is. */
static void
name_file(const char *url, const char *username, const char *suffix,
          char ret_name[NAME_SIZE])
{
    uint64_t value = hash(UINT64_C(14695981039346656037), url);

    value = hash(hash(value, "\n"), username);
    (void)snprintf(ret_name, NAME_SIZE, "session-%016" PRIx64 "%s", value,
                   suffix);
}

gc_status
gc_store_session(struct gc_store *store, const char *url, const char *username,
                 struct gc_kept_session *ret_kept, struct gc_error *err)
{
    GC_AUTO(gc_kept_session) kept = {0};
    GC_AUTO(gc_bytes) text = {0};
    struct gc_error why = {0};
    char name[NAME_SIZE];
    gc_status st;

    name_file(url, username, "", name);
    st = gc_dir_read(&store->dir, name, SESSION_MAX, &text, &why);
    if (st == GC_OK) {
        st = gc_fields_read("session", fields, GC_COUNT_OF(fields), &text,
                            &kept, &why);
        if (st == GC_OK && kept.refused < 0)
            st = gc_fail(&why, GC_E_PROTOCOL, "a time that cannot be");
        if (st == GC_E_PROTOCOL)
            st = gc_fail_context(&why, st, "%s", name);
    }
    if (st == GC_OK && strcmp(kept.url, url) == 0
        && strcmp(kept.username, username) == 0) {
        gc_kept_session_clear(ret_kept);
        *ret_kept = kept;
        kept = (struct gc_kept_session){0};
        return GC_OK;
    }
    if (st == GC_E_PROTOCOL || st == GC_E_CONFIG)
        gc_store_tell(store, why.message);
    if (st == GC_OK || st == GC_E_PROTOCOL || st == GC_E_CONFIG
        || st == GC_E_NOT_FOUND)
        return gc_fail(err, GC_E_NOT_FOUND,
                       "the store %s has no session for %s", store->dir.path,
                       url);
    if (err != NULL)
        *err = why;
    return st;
}

gc_status
gc_store_keep_session(struct gc_store *store,
                      const struct gc_kept_session *kept, struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    char name[NAME_SIZE], temp[GC_DIR_TEMP_SIZE];
    gc_status st = gc_fields_write("session", fields, GC_COUNT_OF(fields), kept,
                                   &text, err);

    name_file(kept->url, kept->username, "", name);
    if (st == GC_OK)
        st = gc_dir_write(&store->dir, &text, kept->refused != 0, temp, err);
    if (st == GC_OK)
        st = gc_dir_rename(&store->dir, temp, name, err);
    if (st == GC_OK && kept->refused != 0)
        gc_dir_sync(&store->dir);
    return st;
}

gc_status
gc_store_forget_session(struct gc_store *store, const char *url,
                        const char *username, struct gc_error *err)
{
    char name[NAME_SIZE];

    name_file(url, username, "", name);
    return gc_dir_remove(&store->dir, name, err);
}

gc_status
gc_store_login_begin(struct gc_store *store, const char *url,
                     const char *username, int64_t deadline, int cancel_fd,
                     bool *ret_waited, struct gc_error *err)
{
    char name[NAME_SIZE];
    gc_status st;

    if (store->login >= 0)
        return gc_fail(err, GC_E_INTERNAL, "a login is under way already");
    name_file(url, username, ".login", name);
    st = gc_dir_lock(&store->dir, name, deadline, cancel_fd, &store->login,
                     ret_waited, err);
    if (st != GC_OK)
        gc_descriptor_close(&store->login);
    return st;
}

void
gc_store_login_end(struct gc_store *store)
{
    if (store->login >= 0)
        gc_dir_unlock(store->login);
    gc_descriptor_close(&store->login);
}
