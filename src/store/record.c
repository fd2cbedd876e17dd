/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/record.h"

#include <stdlib.h>
#include <string.h>

#include "src/json.h"

#define SESSION_ID_MAX 4096

void
gc_record_clear(struct gc_record *record)
{
    gc_ticket_clear(&record->ticket);
    *record = (struct gc_record){0};
}

void
gc_record_move(struct gc_record *dst, struct gc_record *src)
{
    gc_record_clear(dst);
    *dst = *src;
    *src = (struct gc_record){0};
}

void
gc_records_clear(struct gc_records *records)
{
    for (size_t i = 0; i < records->count; i++)
        gc_record_clear(&records->items[i]);
    free(records->items);
    *records = (struct gc_records){0};
}

gc_status
gc_records_add(struct gc_records *records, struct gc_record *take_record,
               struct gc_error *err)
{
    struct gc_record *items;

    /* The array holds no secret bytes itself, only where they are. */
    items = reallocarray(records->items, records->count + 1, sizeof(*items));
    if (items == NULL)
        return gc_fail_no_memory(err);
    records->items = items;
    items[records->count] = (struct gc_record){0};
    gc_record_move(&items[records->count++], take_record);
    return GC_OK;
}

bool
gc_record_matches(const struct gc_record *record,
                  const struct gc_store_key *key)
{
    const struct gc_ticket *t = &record->ticket;

    /*
     * The URL always: any server may claim any instance uuid, and what matches
     * is shown to it.
     */
    return strcmp(record->url, key->url) == 0
           && (key->vcenter[0] == '\0' || t->vcenter[0] == '\0'
               || strcmp(t->vcenter, key->vcenter) == 0)
           && strcmp(t->vm, key->vm) == 0
           && strcmp(t->principal, key->principal) == 0
           && strcmp(t->target, key->target) == 0 && t->mech == key->mech
           && t->mutual == key->mutual;
}

/* Print ROOT if the result is one that will be read again. */
static gc_status
print(const struct gc_json *root, struct gc_bytes *ret_text,
      struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    gc_status st = gc_json_print(root, &text, err);

    if (st != GC_OK)
        return st;
    if (text.len > GC_STORE_RECORD_MAX)
        return gc_fail(err, GC_E_FAILED,
                       "a record would be larger than %d bytes",
                       GC_STORE_RECORD_MAX);
    gc_bytes_move(ret_text, &text);
    return GC_OK;
}

static gc_status
parse(const struct gc_bytes *text, struct gc_json **ret_root,
      struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    char version[GC_JSON_INT64_SIZE];
    gc_status st;

    if (text->len > GC_STORE_RECORD_MAX)
        return gc_fail(err, GC_E_PROTOCOL, "larger than %d bytes",
                       GC_STORE_RECORD_MAX);
    st = gc_json_parse(text->data, text->len, &root, err);
    if (st != GC_OK)
        return st;
    if (!gc_json_int64(root, "version", version) || strcmp(version, "1") != 0)
        return gc_fail(err, GC_E_PROTOCOL, "its \"version\" is not 1");
    *ret_root = GC_TAKE(root);
    return GC_OK;
}

/* Copy the string KEY to DST; it may be absent or empty only if OPTIONAL. */
static gc_status
read_text(const struct gc_json *root, const char *key, bool optional, char *dst,
          size_t size, struct gc_error *err)
{
    const char *text = gc_json_string(root, key);

    if (text == NULL && optional && gc_json_get(root, key) == NULL) {
        dst[0] = '\0';
        return GC_OK;
    }
    if (text == NULL || (text[0] == '\0' && !optional) || strlen(text) >= size)
        return gc_fail(err, GC_E_PROTOCOL,
                       "its \"%s\" is missing, no string, or too long", key);
    memcpy(dst, text, strlen(text) + 1);
    return GC_OK;
}

gc_status
gc_record_write(const struct gc_record *record, struct gc_bytes *ret_text,
                struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();

    (void)gc_json_add_int(root, "version", 1);
    (void)gc_json_add_string(root, "url", record->url);
    gc_ticket_write(&record->ticket, true, root);
    return print(root, ret_text, err);
}

gc_status
gc_record_read(const struct gc_bytes *text, struct gc_record *ret_record,
               struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    GC_AUTO(gc_record) record = {0};
    gc_status st = parse(text, &root, err);

    if (st == GC_OK)
        st = read_text(root, "url", false, record.url, sizeof(record.url), err);
    if (st == GC_OK)
        st = gc_ticket_read(root, &record.ticket, err);
    if (st == GC_OK)
        gc_record_move(ret_record, &record);
    return st;
}

void
gc_session_record_clear(struct gc_session_record *record)
{
    gc_bytes_clear(&record->id);
    *record = (struct gc_session_record){0};
}

struct member {
    const char *key;
    bool optional;
    char *text;
    size_t size;
};
#define MEMBERS 8

/* What a session's record says, in order. */
static void
list_members(struct gc_session_record *r, struct member ret_members[MEMBERS])
{
    struct gc_session_facts *f = &r->facts;
    const struct member members[MEMBERS] = {
        {"url", false, r->url, sizeof(r->url)},
        {"username", false, r->username, sizeof(r->username)},
        {"release", true, f->release, sizeof(f->release)},
        {"instanceUuid", true, f->instance_uuid, sizeof(f->instance_uuid)},
        {"sessionManager", true, f->session_manager,
         sizeof(f->session_manager)},
        {"searchIndex", true, f->search_index, sizeof(f->search_index)},
        {"guestOperationsManager", true, f->guest_operations_manager,
         sizeof(f->guest_operations_manager)},
        {"authManager", true, f->auth_manager, sizeof(f->auth_manager)},
    };

    memcpy(ret_members, members, sizeof(members));
}

gc_status
gc_session_record_write(const struct gc_session_record *record,
                        struct gc_bytes *ret_text, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();
    /* Without the secret: it is only looked at. */
    struct gc_session_record facts = *record;
    struct member members[MEMBERS];

    facts.id = (struct gc_bytes){0};
    list_members(&facts, members);
    if (record->id.len > SESSION_ID_MAX)
        return gc_fail(err, GC_E_FAILED, "a session id too long to be kept");
    (void)gc_json_add_int(root, "version", 1);
    for (size_t i = 0; i < MEMBERS; i++)
        if (members[i].text[0] != '\0')
            (void)gc_json_add_string(root, members[i].key, members[i].text);
    if (record->id.len > 0)
        (void)gc_json_add_string(root, "session", gc_bytes_text(&record->id));
    return print(root, ret_text, err);
}

gc_status
gc_session_record_read(const struct gc_bytes *text,
                       struct gc_session_record *ret_record,
                       struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    GC_AUTO(gc_session_record) record = {0};
    struct member members[MEMBERS];
    const char *id;
    gc_status st = parse(text, &root, err);

    list_members(&record, members);
    for (size_t i = 0; i < MEMBERS && st == GC_OK; i++)
        st = read_text(root, members[i].key, members[i].optional,
                       members[i].text, members[i].size, err);
    if (st != GC_OK)
        return st;
    id = gc_json_string(root, "session");
    if (gc_json_get(root, "session") != NULL
        && (id == NULL || strlen(id) > SESSION_ID_MAX))
        return gc_fail(err, GC_E_PROTOCOL, "its \"session\" is no session id");
    if (id != NULL) {
        st = gc_bytes_set(&record.id, id, strlen(id), err);
        if (st != GC_OK)
            return st;
    }
    gc_session_record_clear(ret_record);
    *ret_record = record;
    record = (struct gc_session_record){0};
    return GC_OK;
}
