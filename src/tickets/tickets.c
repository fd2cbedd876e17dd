/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/tickets.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "gss/spn.h"
#include "src/base/clock.h"
#include "src/tickets/facade.h"

void
gc_tickets_say(const struct gc_tickets *t, const char *fmt, ...)
{
    char raw[512], line[1024];
    va_list args;

    if (t->log == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    gc_escape(line, sizeof(line), raw, strlen(raw));
    t->log(t->log_user, line);
}

void
gc_tickets_say_store(const struct gc_tickets *t, gc_status st,
                     const struct gc_error *why)
{
    if (st != GC_OK && st != GC_E_NOT_FOUND)
        gc_tickets_say(t, "the store: %s", why->message);
}

struct gc_guest_about
gc_tickets_about(const struct gc_tickets *t)
{
    return t->guest->ops->about(t->guest);
}

bool
gc_tickets_is_foreign(const struct gc_tickets *t, const char *vcenter)
{
    const char *here = gc_tickets_about(t).vcenter;

    return vcenter[0] != '\0' && here[0] != '\0' && strcmp(vcenter, here) != 0;
}

struct gc_retry
gc_tickets_retry(const struct gc_tickets *t, struct gc_limit limit)
{
    return (struct gc_retry){.guest = t->guest,
                             .limit = limit,
                             .log = t->log,
                             .log_user = t->log_user};
}

/* ---- locate ---- */

/*
 * Put the VM's inventory name for "{vm}".  Only a name that can stand in a host
 * name is taken: somebody who may rename a VM must not choose the rest of the
 * target.
 */
static gc_status
fill_target(const struct gc_place *place, char target[GC_TARGET_SIZE],
            struct gc_error *err)
{
    static const char mark[] = "{vm}";
    static const char letters[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-";
    char *at = strstr(target, mark);
    size_t len = strspn(place->name, letters), rest;

    if (len == 0 || len > 63 || place->name[len] != '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "the name of %s, \"%s\", cannot stand in a host name",
                       place->vm, place->name);
    rest = strlen(at + strlen(mark)) + 1;
    if ((size_t)(at - target) + len + rest > GC_TARGET_SIZE)
        return gc_fail(err, GC_E_CONFIG, "the target name is too long");
    memmove(at + len, at + strlen(mark), rest);
    memcpy(at, place->name, len);
    if (strstr(target, mark) != NULL)
        return gc_fail(err, GC_E_CONFIG,
                       "the target name holds {vm} more than once");
    return GC_OK;
}

static gc_status
locate(const struct gc_tickets *t, const char *ref, struct gc_limit limit,
       char *target, struct gc_place *ret_place, struct gc_error *err)
{
    bool fill = target != NULL && strstr(target, "{vm}") != NULL;
    struct gc_place place = {0};
    struct gc_spn spn;
    gc_status st;

    st = t->guest->ops->locate(t->guest, ref, fill, limit, &place, err);
    if (st != GC_OK)
        return st;
    if (strcmp(place.vm, ref) != 0)
        gc_tickets_say(t, "%s is %s", ref, place.vm);
    if (fill)
        st = fill_target(&place, target, err);
    if (st == GC_OK && target != NULL)
        st = gc_spn_parse(target, &spn, err);
    if (st != GC_OK)
        return st;
    if (target != NULL)
        gc_spn_print(&spn, target);
    *ret_place = place;
    return GC_OK;
}

gc_status
gc_tickets_locate(const struct gc_tickets *t, const char *ref,
                  struct gc_limit limit, char *target,
                  struct gc_place *ret_place, struct gc_error *err)
{
    struct gc_retry retry = gc_tickets_retry(t, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = locate(t, ref, limit, target, ret_place, &why);
    } while (st != GC_OK && gc_retry(&retry, &why));
    return gc_retry_done(st, &why, err);
}

/* ---- validate and release ---- */

/* A ticket must not be shown to a vCenter that it is not from. */
static gc_status
check_vcenter(const struct gc_tickets *t, const struct gc_entry *entry,
              struct gc_limit limit, struct gc_error *err)
{
    const struct gc_ticket *ticket = &entry->ticket;
    struct gc_guest_about here = gc_tickets_about(t);
    gc_status st = GC_OK;

    if (entry->url[0] != '\0' && strcmp(entry->url, here.url) != 0) {
        st = gc_fail(err, GC_E_CONFIG, "%s is a VM of another vCenter, %s",
                     ticket->vm, entry->url);
        return gc_fail_advise(err, st, GC_ADVICE_URL);
    }
    st = t->guest->ops->open(t->guest, limit, err);
    if (st != GC_OK || !gc_tickets_is_foreign(t, ticket->vcenter))
        return st;
    st = gc_fail(
        err, GC_E_CONFIG, "the ticket for %s is from vCenter %s, but %s is %s",
        ticket->vm, ticket->vcenter, here.url, gc_tickets_about(t).vcenter);
    return gc_fail_advise(err, st, GC_ADVICE_URL);
}

enum question { REACH, VALIDATE, RELEASE };

/* Put QUESTION about ENTRY's ticket, until it is answered. */
static gc_status
ask(const struct gc_tickets *t, enum question question,
    const struct gc_entry *entry, struct gc_limit limit,
    enum gc_released *ret_how, struct gc_error *err)
{
    struct gc_retry retry = gc_tickets_retry(t, limit);
    const char *vm = entry->ticket.vm;
    const struct gc_bytes *ticket = &entry->ticket.ticket;
    struct gc_error why = {0};
    gc_status st;

    do {
        st = check_vcenter(t, entry, limit, &why);
        if (st == GC_OK && question == VALIDATE)
            st = t->guest->ops->validate(t->guest, vm, ticket, limit, &why);
        else if (st == GC_OK && question == RELEASE)
            st = t->guest->ops->release(t->guest, vm, ticket, limit, ret_how,
                                        &why);
    } while (st != GC_OK && gc_retry_harmless(&retry, &why));
    return gc_retry_done(st, &why, err);
}

gc_status
gc_tickets_reach(const struct gc_tickets *t, const struct gc_entry *entry,
                 struct gc_limit limit, struct gc_error *err)
{
    return ask(t, REACH, entry, limit, NULL, err);
}

/*
 * ENTRY may come from a file: its ticket may be in the store, too, which knows
 * better where it is from and whose it is.
 */
static void
find_stored(const struct gc_tickets *t, struct gc_entry *entry)
{
    GC_AUTO(gc_entries) stored = {0};
    struct gc_error why;

    if (t->store == NULL || entry->id[0] != '\0')
        return;
    gc_tickets_say_store(t, gc_store_list(t->store, NULL, &stored, &why), &why);
    for (size_t i = 0; i < stored.count; i++)
        if (gc_entry_same_ticket(&stored.items[i], entry)) {
            gc_entry_move(entry, &stored.items[i]);
            return;
        }
    if (entry->url[0] == '\0')
        (void)snprintf(entry->url, sizeof(entry->url), "%s",
                       gc_tickets_about(t).url);
}

void
gc_tickets_note(const struct gc_tickets *t, struct gc_entry *entry,
                bool refused)
{
    struct gc_error why = {0};
    gc_status st = GC_OK;

    if (t->store != NULL && entry->id[0] != '\0')
        st = refused ? gc_store_refused(t->store, entry, &why)
                     : gc_store_used(t->store, entry, &why);
    gc_tickets_say_store(t, st, &why);
    if (!refused)
        entry->used = gc_clock_epoch();
}

gc_status
gc_tickets_validate(const struct gc_tickets *t, struct gc_entry *entry,
                    struct gc_limit limit, struct gc_error *err)
{
    struct gc_error why = {0}, unwritten = {0};
    gc_status st;

    find_stored(t, entry);
    st = ask(t, VALIDATE, entry, limit, NULL, &why);
    /* The guest may know the ticket, and merely forbid its use. */
    if (st == GC_E_DENIED && t->store != NULL && entry->id[0] != '\0'
        && strcmp(why.fault, "GuestPermissionDenied") == 0)
        gc_tickets_say_store(t, gc_store_owed(t->store, entry, &unwritten),
                             &unwritten);
    else if (st == GC_OK || st == GC_E_DENIED)
        gc_tickets_note(t, entry, st == GC_E_DENIED);
    return gc_retry_done(st, &why, err);
}

gc_status
gc_tickets_end(const struct gc_tickets *t, struct gc_entry *entry,
               struct gc_limit limit, enum gc_released *ret_how, bool *ret_owed,
               struct gc_error *err)
{
    const int left = gc_clock_left(limit.deadline);
    struct gc_error why = {0};
    gc_status st, written = GC_OK;

    *ret_owed = false;
    if (t->store != NULL)
        written = gc_store_owed(t->store, entry, &why);
    gc_tickets_say_store(t, written, &why);
    /* A wait for the store's lock must not cost the ticket its release. */
    limit.deadline = gc_clock_now() + left;
    st = ask(t, RELEASE, entry, limit, ret_how, err);
    if (t->store == NULL || entry->id[0] == '\0')
        return st;
    if (st == GC_OK) {
        gc_tickets_say_store(t, gc_store_released(t->store, entry, &why), &why);
    } else if (written == GC_OK) {
        *ret_owed = true;
        gc_tickets_say_store(t, gc_store_not_released(t->store, entry, &why),
                             &why);
    }
    if (*ret_owed && t->owes != NULL)
        *t->owes = true;
    return st;
}

/* ERR's own hint, if any, behind what became of the ticket. */
static gc_status
tell_fate(struct gc_error *err, gc_status st, const char *fate)
{
    char hint[GC_ERROR_HINT_SIZE];

    if (err == NULL)
        return st;
    memcpy(hint, err->hint, sizeof(hint));
    return gc_fail_hint(err, st, "%s%s%s", fate, hint[0] != '\0' ? "; " : "",
                        hint);
}

gc_status
gc_tickets_release(const struct gc_tickets *t, struct gc_entry *entry,
                   struct gc_limit limit, enum gc_released *ret_how,
                   struct gc_error *err)
{
    struct gc_error unwritten = {0};
    bool owed = false;
    gc_status st;

    find_stored(t, entry);
    st = gc_tickets_reach(t, entry, limit, err);
    /* This vCenter cannot release another one's ticket. */
    if (st == GC_E_CONFIG)
        return st;
    if (st == GC_OK) {
        st = gc_tickets_end(t, entry, limit, ret_how, &owed, err);
    } else if (t->store != NULL) {
        gc_status written = gc_store_owed(t->store, entry, &unwritten);

        gc_tickets_say_store(t, written, &unwritten);
        owed = written == GC_OK;
        if (owed && t->owes != NULL)
            *t->owes = true;
    }
    if (st == GC_OK)
        return GC_OK;
    return tell_fate(err, st,
                     owed ? "the release is owed and will be tried again"
                          : "the ticket stays in the guest");
}
