/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/ticket_json.h"

#include <string.h>

#include "src/vim/guest_call.h"

#define TYPE_NAME "TicketedSessionAuthentication"

void
gc_ticket_write(const struct gc_ticket *t, bool with_secret,
                struct gc_json *object)
{
    char when[GC_TICKET_TIME_SIZE];

    gc_ticket_time_print(t->acquired, when);
    (void)gc_json_add_string(object, "vm", t->vm);
    if (t->name[0] != '\0')
        (void)gc_json_add_string(object, "name", t->name);
    if (t->vcenter[0] != '\0')
        (void)gc_json_add_string(object, "vcenter", t->vcenter);
    (void)gc_json_add_string(object, "principal", t->principal);
    (void)gc_json_add_string(object, "target", t->target);
    (void)gc_json_add_string(object, "mechanism", gc_mech_word(t->mech));
    (void)gc_json_add_bool(object, "mutual", t->mutual);
    (void)gc_json_add_int(object, "legs", t->legs);
    (void)gc_json_add_string(object, "acquired", when);
    if (with_secret)
        gc_guest_add_auth(object, "authentication", &t->ticket);
}

/* Copy the string member KEY to DST; an absent one only if OPTIONAL. */
static gc_status
read_text(const struct gc_json *object, const char *key, bool optional,
          char *dst, size_t size, struct gc_error *err)
{
    const char *text = gc_json_string(object, key);

    if (text == NULL && optional && gc_json_get(object, key) == NULL)
        return GC_OK;
    if (text == NULL || (text[0] == '\0' && !optional))
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket record has no string \"%s\"", key);
    if (strlen(text) >= size)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket record's \"%s\" is longer than %zu bytes",
                       key, size - 1);
    memcpy(dst, text, strlen(text) + 1);
    return GC_OK;
}

/* A number from 0 to MAX. */
static bool
read_number(const struct gc_json *object, const char *key, int64_t max,
            int64_t *ret_value)
{
    char digits[GC_JSON_INT64_SIZE];
    int64_t value = 0;

    if (!gc_json_int64(object, key, digits) || digits[0] == '-')
        return false;
    for (const char *at = digits; *at != '\0' && value <= max; at++)
        value = value * 10 + (*at - '0');
    *ret_value = value;
    return value <= max;
}

static gc_status
read_auth(const struct gc_json *auth, struct gc_bytes *ret_ticket,
          struct gc_error *err)
{
    const char *type = gc_json_string(auth, "_typeName");
    const char *ticket = gc_json_string(auth, "ticket");
    bool interactive;

    if (type == NULL || strcmp(type, TYPE_NAME) != 0)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket record's \"authentication\" is not a "
                       "TicketedSessionAuthentication");
    if (!gc_json_bool(auth, "interactiveSession", &interactive) || interactive)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket record's \"interactiveSession\" is not "
                       "false");
    if (ticket == NULL || ticket[0] == '\0' || strlen(ticket) > GC_TICKET_MAX)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket record's \"ticket\" is missing, empty or "
                       "longer than %d bytes",
                       GC_TICKET_MAX);
    return gc_bytes_set(ret_ticket, ticket, strlen(ticket), err);
}

gc_status
gc_ticket_read(const struct gc_json *object, struct gc_ticket *ret_ticket,
               struct gc_error *err)
{
    GC_AUTO(gc_ticket) t = {0};
    char mech[16] = "", when[GC_TICKET_TIME_SIZE] = "";
    const struct {
        const char *key;
        bool optional;
        char *dst;
        size_t size;
    } texts[] = {
        {"vm", false, t.vm, sizeof(t.vm)},
        {"name", true, t.name, sizeof(t.name)},
        {"vcenter", true, t.vcenter, sizeof(t.vcenter)},
        {"principal", false, t.principal, sizeof(t.principal)},
        {"target", false, t.target, sizeof(t.target)},
        {"mechanism", false, mech, sizeof(mech)},
        {"acquired", false, when, sizeof(when)},
    };
    gc_status st;

    if (!gc_json_is_object(object))
        return gc_fail(err, GC_E_PROTOCOL, "the ticket record is no object");
    for (size_t i = 0; i < GC_COUNT_OF(texts); i++) {
        st = read_text(object, texts[i].key, texts[i].optional, texts[i].dst,
                       texts[i].size, err);
        if (st != GC_OK)
            return st;
    }
    if (!gc_mech_parse(mech, &t.mech)
        || !gc_json_bool(object, "mutual", &t.mutual)
        || !read_number(object, "legs", GC_TICKET_LEGS_MAX, &t.legs)
        || !gc_ticket_time_parse(when, &t.acquired))
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket record's \"mechanism\", \"mutual\", "
                       "\"legs\" or \"acquired\" is missing or wrong");
    st = read_auth(gc_json_get(object, "authentication"), &t.ticket, err);
    if (st != GC_OK)
        return st;
    gc_ticket_move(ret_ticket, &t);
    return GC_OK;
}

gc_status
gc_ticket_from_json(const void *text, size_t len, struct gc_ticket *ret_ticket,
                    struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    int64_t version;
    gc_status st;

    st = gc_json_parse(text, len, &root, err);
    if (st != GC_OK)
        return st;
    if (!read_number(root, "version", 1, &version) || version != 1)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the ticket record's \"version\" is not 1");
    return gc_ticket_read(root, ret_ticket, err);
}

gc_status
gc_ticket_to_json(const struct gc_ticket *ticket, struct gc_bytes *ret_text,
                  struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();

    (void)gc_json_add_int(root, "version", 1);
    gc_ticket_write(ticket, true, root);
    return gc_json_print(root, ret_text, err);
}
