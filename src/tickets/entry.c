/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/entry.h"

#include <stdlib.h>
#include <string.h>

#include "src/base/fields.h"
#include "src/base/owner.h"
#include "src/base/utf8.h"

#define TIME_MAX INT64_C(253402300799) /* the end of the year 9999 */

_Static_assert(GC_ENTRY_OWNER_SIZE >= GC_OWNER_SIZE, "an owner fits");

static const char *const states[] = {
    [GC_ENTRY_INTENT] = "intent",
    [GC_ENTRY_TICKET] = "ticket",
    [GC_ENTRY_OWED] = "owed",
    [GC_ENTRY_LOST] = "lost",
    NULL,
};
static const char *const mechs[] = {
    [GC_MECH_KERBEROS] = "kerberos",
    [GC_MECH_NEGOTIATE] = "negotiate",
    [GC_MECH_NTLM] = "ntlm",
    NULL,
};

#define TEXT(m)        GC_FIELD_TEXT, GC_FIELD_AT(gc_entry, m), NULL
#define NUMBER(m)      GC_FIELD_NUMBER, GC_FIELD_AT(gc_entry, m), NULL
#define WORD(m, words) GC_FIELD_WORD, GC_FIELD_AT(gc_entry, m), words
static const struct gc_field fields[] = {
    {"state", WORD(state, states)},
    {"made", NUMBER(made)},
    {"changed", NUMBER(changed)},
    {"used", NUMBER(used)},
    {"until", NUMBER(until)},
    {"tries", NUMBER(tries)},
    {"owner", TEXT(owner)},
    {"login", TEXT(login)},
    {"uid", NUMBER(uid)},
    {"host", TEXT(host)},
    {"url", TEXT(url)},
    {"asked", TEXT(asked)},
    {"vm", TEXT(ticket.vm)},
    {"name", TEXT(ticket.name)},
    {"vcenter", TEXT(ticket.vcenter)},
    {"principal", TEXT(ticket.principal)},
    {"target", TEXT(ticket.target)},
    {"mech", WORD(ticket.mech, mechs)},
    {"mutual", GC_FIELD_FLAG, GC_FIELD_AT(gc_entry, ticket.mutual), NULL},
    {"legs", NUMBER(ticket.legs)},
    {"acquired", NUMBER(ticket.acquired)},
    {"ticket", GC_FIELD_BYTES, offsetof(struct gc_entry, ticket.ticket),
     GC_TICKET_MAX, NULL},
};

void
gc_entry_clear(struct gc_entry *entry)
{
    gc_ticket_clear(&entry->ticket);
    *entry = (struct gc_entry){0};
}

void
gc_entry_move(struct gc_entry *dst, struct gc_entry *src)
{
    gc_entry_clear(dst);
    *dst = *src;
    *src = (struct gc_entry){0};
}

void
gc_entries_clear(struct gc_entries *entries)
{
    for (size_t i = 0; i < entries->count; i++)
        gc_entry_clear(&entries->items[i]);
    free(entries->items);
    *entries = (struct gc_entries){0};
}

gc_status
gc_entries_add(struct gc_entries *entries, struct gc_entry *take_entry,
               struct gc_error *err)
{
    size_t n = entries->count;

    /* Room for 1, 2, 4, 8 ... */
    if ((n & (n - 1)) == 0) {
        struct gc_entry *more =
            reallocarray(entries->items, n == 0 ? 1 : 2 * n, sizeof(*more));

        if (more == NULL)
            return gc_fail_no_memory(err);
        entries->items = more;
    }
    entries->items[n] = *take_entry;
    *take_entry = (struct gc_entry){0};
    entries->count++;
    return GC_OK;
}

bool
gc_entry_id_is(const char *text)
{
    return strspn(text, "0123456789abcdef") == GC_ENTRY_ID_SIZE - 1
           && text[GC_ENTRY_ID_SIZE - 1] == '\0';
}

/* What is wrong with ENTRY beside its fields' forms, or NULL. */
static const char *
objection(const struct gc_entry *e)
{
    const struct {
        int64_t value, max;
    } numbers[] = {{e->made, TIME_MAX},
                   {e->changed, TIME_MAX},
                   {e->used, TIME_MAX},
                   {e->until, TIME_MAX},
                   {e->ticket.acquired, TIME_MAX},
                   {e->tries, UINT32_MAX},
                   {e->uid, UINT32_MAX},
                   {e->ticket.legs, GC_TICKET_LEGS_MAX}};
    const struct gc_bytes *ticket = &e->ticket.ticket;
    bool holds = e->state == GC_ENTRY_TICKET || e->state == GC_ENTRY_OWED;

    for (size_t i = 0; i < GC_COUNT_OF(numbers); i++)
        if (numbers[i].value < 0 || numbers[i].value > numbers[i].max)
            return "a number that cannot be";
    if (e->url[0] == '\0' || e->ticket.vm[0] == '\0')
        return "no url or no vm";
    if (e->login[0] != '\0' && !gc_entry_id_is(e->login))
        return "a malformed login";
    if (holds != (ticket->len > 0))
        return holds ? "no ticket" : "a ticket where there is none yet";
    if (strlen(gc_bytes_text(ticket)) != ticket->len
        || !gc_utf8_is(gc_bytes_text(ticket), ticket->len))
        return "a ticket that is no text";
    return NULL;
}

gc_status
gc_entry_write(const struct gc_entry *entry, struct gc_bytes *ret_text,
               struct gc_error *err)
{
    const char *wrong = objection(entry);

    if (wrong != NULL)
        return gc_fail(err, GC_E_INTERNAL, "an entry with %s", wrong);
    /* Shorter than GC_ENTRY_MAX, whatever has to be escaped. */
    return gc_fields_write("entry", fields, GC_COUNT_OF(fields), entry,
                           ret_text, err);
}

gc_status
gc_entry_read(const struct gc_bytes *text, struct gc_entry *ret_entry,
              struct gc_error *err)
{
    GC_AUTO(gc_entry) entry = {0};
    const char *wrong;
    gc_status st =
        gc_fields_read("entry", fields, GC_COUNT_OF(fields), text, &entry, err);

    if (st != GC_OK)
        return st;
    wrong = objection(&entry);
    if (wrong != NULL)
        return gc_fail(err, GC_E_PROTOCOL, "it has %s", wrong);
    gc_entry_move(ret_entry, &entry);
    return GC_OK;
}

bool
gc_entry_matches(const struct gc_entry *entry, const struct gc_ticket_key *key)
{
    const struct gc_ticket *t = &entry->ticket;

    /*
     * The URL must always agree: any server may claim any instance uuid, and a
     * ticket that matches is shown to it.
     */
    return entry->state == GC_ENTRY_TICKET && strcmp(entry->url, key->url) == 0
           && (key->vcenter[0] == '\0' || t->vcenter[0] == '\0'
               || strcmp(t->vcenter, key->vcenter) == 0)
           && strcmp(t->vm, key->vm) == 0
           && strcmp(t->principal, key->principal) == 0
           && strcmp(t->target, key->target) == 0 && t->mech == key->mech
           && t->mutual == key->mutual;
}

bool
gc_entry_same_ticket(const struct gc_entry *a, const struct gc_entry *b)
{
    return a->ticket.ticket.len > 0 && strcmp(a->ticket.vm, b->ticket.vm) == 0
           && gc_bytes_equal(&a->ticket.ticket, &b->ticket.ticket);
}
