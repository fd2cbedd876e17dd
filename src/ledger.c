/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/ledger.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/fields.h"
#include "src/json.h"
#include "src/store/atomic.h"
#include "src/store/files.h"
#include "src/store/skip.h"

#define OWED      ".owed"
#define BAD       ".bad"
#define ENTRY_MAX GC_STORE_RECORD_MAX
#define TRIES_MAX 1000000

/* Who writes a ticket down puts it into the store next. */
#define PUT_S 60

/* Who only tidies up waits no longer for the lock. */
#define TIDY_MS 200

struct gc_ledger {
    uid_t uid;
    int dir;
    int lock;
    unsigned held;                /* how often this handle has the lock */
    char last[GC_LEDGER_ID_SIZE]; /* the TICKET it wrote last, or "" */
    struct gc_skip skip;
};

/* In the order of gc_owed, which only ever moves on. */
static const char *const states[] = {"intent", "lost", "ticket", "release"};

static bool
holds_ticket(const struct gc_entry *entry)
{
    return entry->state >= GC_OWED_TICKET;
}

void
gc_entry_clear(struct gc_entry *entry)
{
    gc_ticket_clear(&entry->ticket);
    *entry = (struct gc_entry){0};
}

static void
move(struct gc_entry *dst, struct gc_entry *src)
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
gc_ledger_open(const char *path, uid_t uid, struct gc_ledger **ret_ledger,
               struct gc_error *err)
{
    const unsigned flags = GC_FILES_CREATE | GC_FILES_PARENTS;
    struct gc_ledger *ledger = calloc(1, sizeof(*ledger));
    gc_status st;

    if (ledger == NULL)
        return gc_fail_no_memory(err);
    ledger->uid = uid;
    st = uid == geteuid()
             ? gc_files_open(path, flags, &ledger->dir, err)
             : gc_files_open_for(path, uid, flags, &ledger->dir, err);
    if (st != GC_OK) {
        free(ledger);
        return st;
    }
    *ret_ledger = ledger;
    return GC_OK;
}

void
gc_ledger_free(struct gc_ledger *ledger)
{
    if (ledger == NULL)
        return;
    if (ledger->held > 0)
        gc_atomic_unlock(ledger->lock);
    (void)close(ledger->dir);
    free(ledger);
}

struct each_uid {
    gc_status (*visit)(void *user, uid_t uid, struct gc_error *err);
    void *user;
};

/* NAME as gc_files_open_for gave it, and nothing else that reads like one. */
static gc_status
visit_uid(void *user, const char *name, struct gc_error *err)
{
    const struct each_uid *each = user;
    uint64_t uid = 0;
    char again[24];

    for (size_t i = 0; i < 10 && name[i] >= '0' && name[i] <= '9'; i++)
        uid = uid * 10 + (uint64_t)(name[i] - '0');
    (void)snprintf(again, sizeof(again), "%ju", (uintmax_t)uid);
    if (strcmp(again, name) != 0 || uid >= (uid_t)-1 || uid == geteuid())
        return GC_OK;
    return each->visit(each->user, (uid_t)uid, err);
}

gc_status
gc_ledger_each_uid(const char *path,
                   gc_status (*visit)(void *user, uid_t uid,
                                      struct gc_error *err),
                   void *user, struct gc_error *err)
{
    GC_AUTO_PTR(gc_ledger) own = NULL;
    struct each_uid each = {visit, user};
    bool more = false;
    gc_status st = gc_ledger_open(path, geteuid(), &own, err);

    if (st == GC_OK)
        st = visit(user, geteuid(), err);
    if (st == GC_OK)
        st = gc_files_each(own->dir, "", "", GC_LEDGER_UIDS_MAX, visit_uid,
                           &each, &more, err);
    if (st == GC_OK && more)
        return gc_fail(err, GC_E_FAILED, "the ledger is of more than %d users",
                       GC_LEDGER_UIDS_MAX);
    return st;
}

void
gc_ledger_on_skip(struct gc_ledger *ledger,
                  void (*skipped)(void *user, const char *line), void *user)
{
    ledger->skip = (struct gc_skip){.fn = skipped, .user = user};
}

gc_status
gc_ledger_lock(struct gc_ledger *ledger, int64_t deadline, struct gc_error *err)
{
    if (ledger->held == 0) {
        gc_status st =
            gc_atomic_lock(ledger->dir, deadline, &ledger->lock, err);

        if (st != GC_OK)
            return gc_fail_context(err, st, "the ledger");
    }
    ledger->held++;
    return GC_OK;
}

void
gc_ledger_unlock(struct gc_ledger *ledger)
{
    if (ledger->held > 0 && --ledger->held == 0)
        gc_atomic_unlock(ledger->lock);
}

gc_status
gc_entry_write(const struct gc_entry *entry, struct gc_bytes *ret_text,
               struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = gc_json_new_object();
    GC_AUTO(gc_bytes) text = {0};
    char process[GC_PROCESS_TEXT_SIZE];
    gc_status st;

    gc_process_print(&entry->process, process);
    (void)gc_json_add_int(root, "version", 1);
    (void)gc_json_add_string(root, "state", states[entry->state]);
    (void)gc_json_add_int(root, "uid", (int64_t)entry->uid);
    (void)gc_json_add_string(root, "url", entry->url);
    (void)gc_json_add_string(root, "store", entry->store);
    (void)gc_json_add_string(root, "record", entry->record);
    (void)gc_json_add_string(root, "process", process);
    (void)gc_json_add_string(root, "machine", entry->machine);
    if (entry->transaction[0] != '\0')
        (void)gc_json_add_string(root, "transaction", entry->transaction);
    (void)gc_json_add_int(root, "written", entry->written);
    (void)gc_json_add_int(root, "tries",
                          entry->tries < TRIES_MAX ? entry->tries : TRIES_MAX);
    gc_ticket_write(&entry->ticket, holds_ticket(entry),
                    gc_json_add_object(root, "ticket"));
    st = gc_json_print(root, &text, err);
    if (st != GC_OK)
        return st;
    if (text.len >= ENTRY_MAX)
        return gc_fail(err, GC_E_FAILED,
                       "a ledger entry would be larger than %d bytes",
                       ENTRY_MAX);
    st = gc_bytes_append(&text, "\n", 1, ENTRY_MAX, err);
    if (st == GC_OK)
        gc_bytes_move(ret_text, &text);
    return st;
}

static bool
read_state(const struct gc_json *root, gc_owed *ret_state)
{
    const char *word = gc_json_string(root, "state");

    for (size_t i = 0; word != NULL && i < GC_COUNT_OF(states); i++)
        if (strcmp(word, states[i]) == 0) {
            *ret_state = (gc_owed)i;
            return true;
        }
    return false;
}

/* An intent knows what was known before the first leg. */
static bool
read_intended(const struct gc_json *object, struct gc_ticket *t)
{
    char mech[16];

    if (gc_json_get(object, "name") != NULL
        && !gc_field_text(object, "name", t->name, sizeof(t->name)))
        return false;
    if (gc_json_get(object, "vcenter") != NULL
        && !gc_field_text(object, "vcenter", t->vcenter, sizeof(t->vcenter)))
        return false;
    return gc_field_text(object, "vm", t->vm, sizeof(t->vm)) && t->vm[0] != '\0'
           && gc_field_text(object, "principal", t->principal,
                            sizeof(t->principal))
           && gc_field_text(object, "target", t->target, sizeof(t->target))
           && gc_field_text(object, "mechanism", mech, sizeof(mech))
           && gc_mech_parse(mech, &t->mech)
           && gc_json_bool(object, "mutual", &t->mutual);
}

/* Old entries do not say. */
static bool
read_machine(const struct gc_json *root, struct gc_entry *entry)
{
    return gc_json_get(root, "machine") == NULL
           || gc_field_text(root, "machine", entry->machine,
                            sizeof(entry->machine));
}

bool
gc_entry_transaction_ok(const char *text)
{
    return strlen(text) == GC_TRANSACTION_SIZE - 1
           && strspn(text, "0123456789abcdef") == GC_TRANSACTION_SIZE - 1;
}

/* Only a login has one. */
static bool
read_transaction(const struct gc_json *root, struct gc_entry *entry)
{
    return gc_json_get(root, "transaction") == NULL
           || (gc_field_text(root, "transaction", entry->transaction,
                             sizeof(entry->transaction))
               && gc_entry_transaction_ok(entry->transaction));
}

/* All of an entry but the ticket. */
static bool
read_members(const struct gc_json *root, struct gc_entry *entry)
{
    int64_t version, uid, tries;

    if (!gc_field_number(root, "version", 1, &version) || version != 1
        || !read_state(root, &entry->state)
        || !gc_field_number(root, "uid", UINT32_MAX, &uid)
        || !gc_field_text(root, "url", entry->url, sizeof(entry->url))
        || entry->url[0] == '\0'
        || !gc_field_text(root, "store", entry->store, sizeof(entry->store))
        || !gc_field_text(root, "record", entry->record, sizeof(entry->record))
        || !gc_field_process(root, "process", &entry->process)
        || !read_machine(root, entry) || !read_transaction(root, entry)
        || !gc_field_number(root, "written", INT64_MAX, &entry->written)
        || !gc_field_number(root, "tries", TRIES_MAX, &tries))
        return false;
    entry->uid = (uid_t)uid;
    entry->tries = (int)tries;
    return true;
}

/* The newest whole line: what it says is what the entry says. */
static gc_status
parse_newest(const struct gc_bytes *text, struct gc_json **ret_root,
             struct gc_error *err)
{
    const unsigned char *end = NULL, *newline, *line;
    gc_status st;

    if (text->len > 0)
        end = memrchr(text->data, '\n', text->len);
    if (end == NULL)
        return gc_json_parse(text->data, text->len, ret_root, err);
    /* Blocks reach a disk in any order: a torn line may have its newline. */
    do {
        newline = memrchr(text->data, '\n', (size_t)(end - text->data));
        line = newline == NULL ? text->data : newline + 1;
        st = gc_json_parse(line, (size_t)(end - line), ret_root, err);
        end = newline;
    } while (st == GC_E_PROTOCOL && end != NULL);
    return st;
}

gc_status
gc_entry_read(const struct gc_bytes *text, struct gc_entry *ret_entry,
              struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    GC_AUTO(gc_entry) entry = {0};
    const struct gc_json *ticket;
    gc_status st;

    if (text->len > ENTRY_MAX)
        return gc_fail(err, GC_E_PROTOCOL, "larger than %d bytes", ENTRY_MAX);
    st = parse_newest(text, &root, err);
    if (st != GC_OK)
        return st;
    ticket = gc_json_get(root, "ticket");
    if (!read_members(root, &entry))
        return gc_fail(err, GC_E_PROTOCOL,
                       "not a ledger entry of version 1: a member is missing "
                       "or wrong");
    if (holds_ticket(&entry))
        st = gc_ticket_read(ticket, &entry.ticket, err);
    else if (!read_intended(ticket, &entry.ticket))
        st = gc_fail(err, GC_E_PROTOCOL,
                     "not a ledger entry: its \"ticket\" is missing or wrong");
    if (st == GC_OK)
        move(ret_entry, &entry);
    return st;
}

/* ENTRY as text that is sure to be understood again. */
static gc_status
write_checked(const struct gc_entry *entry, struct gc_bytes *ret_text,
              struct gc_error *err)
{
    GC_AUTO(gc_entry) again = {0};
    gc_status st = gc_entry_write(entry, ret_text, err);

    if (st == GC_OK)
        st = gc_entry_read(ret_text, &again, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "what is owed cannot be written down");
    if (holds_ticket(entry)
        && again.ticket.ticket.len != entry->ticket.ticket.len)
        return gc_fail(err, GC_E_PROTOCOL,
                       "what is owed cannot be written down: a ticket with a "
                       "NUL");
    return GC_OK;
}

/*
 * A ticket comes behind what was intended, as another line: one that is torn
 * leaves the intent.  What is there otherwise is replaced.
 */
static gc_status
put(const struct gc_ledger *ledger, const struct gc_entry *entry,
    const char *name, const struct gc_bytes *text, struct gc_error *err)
{
    struct gc_error why = {0};
    gc_status st = GC_E_NOT_FOUND;

    if (entry->state == GC_OWED_TICKET && entry->id[0] != '\0')
        st = gc_files_append(ledger->dir, name, text, ENTRY_MAX, &why);
    if (st == GC_E_NOT_FOUND || st == GC_E_PROTOCOL)
        return gc_atomic_write(ledger->dir, name, text, (int64_t)time(NULL),
                               entry->state != GC_OWED_INTENT, err);
    if (st != GC_OK && err != NULL)
        *err = why;
    return st;
}

gc_status
gc_ledger_write(struct gc_ledger *ledger, struct gc_entry *entry,
                struct gc_error *err)
{
    GC_AUTO(gc_bytes) text = {0};
    char random[33], name[GC_LEDGER_ID_SIZE];
    gc_status st;

    if (entry->uid != ledger->uid)
        return gc_fail(err, GC_E_INTERNAL,
                       "an entry of uid %lu in the ledger of uid %lu",
                       (unsigned long)entry->uid, (unsigned long)ledger->uid);
    gc_process_machine(entry->machine);
    st = write_checked(entry, &text, err);
    if (st == GC_OK && entry->id[0] == '\0')
        st = gc_files_random(random, err);
    if (st != GC_OK)
        return st;
    if (entry->id[0] == '\0')
        (void)snprintf(name, sizeof(name), "%s" OWED, random);
    else
        memcpy(name, entry->id, sizeof(name));
    st = gc_ledger_lock(ledger, gc_clock_now() + GC_ATOMIC_LOCK_MS, err);
    if (st != GC_OK)
        return st;
    st = put(ledger, entry, name, &text, err);
    gc_ledger_unlock(ledger);
    if (st != GC_OK)
        return st;
    memcpy(entry->id, name, sizeof(name));
    memcpy(ledger->last, entry->state == GC_OWED_TICKET ? name : "",
           entry->state == GC_OWED_TICKET ? sizeof(name) : 1);
    return GC_OK;
}

static gc_status
find_other(void *user, const char *name, struct gc_error *err)
{
    const char *ours = user;

    (void)err;
    return strcmp(name, ours) == 0 ? GC_OK : GC_E_FAILED;
}

bool
gc_ledger_is_ours(const struct gc_ledger *ledger)
{
    char last[GC_LEDGER_ID_SIZE];
    bool more;

    memcpy(last, ledger->last, sizeof(last));
    return gc_files_each(ledger->dir, "", "", 2, find_other, last, &more, NULL)
           == GC_OK;
}

gc_status
gc_ledger_settle(struct gc_ledger *ledger, const char *id, struct gc_error *err)
{
    gc_status st;

    if (!gc_files_name_ok(id))
        return GC_OK;
    st = gc_ledger_lock(ledger, gc_clock_now() + GC_ATOMIC_LOCK_MS, err);
    if (st != GC_OK)
        return st;
    st = gc_files_remove(ledger->dir, id, err);
    gc_ledger_unlock(ledger);
    return st;
}

/* What a walk through the ledger does with each entry that can be read. */
struct walk {
    struct gc_ledger *ledger;
    struct gc_bytes buffer;
    const struct gc_ticket *wanted; /* gather only who owes it; or NULL */
    const char *transaction;        /* gather only this one's; or NULL */
    struct gc_entries entries;
    size_t room;
};

static void
walk_clear(struct walk *w)
{
    gc_bytes_clear(&w->buffer);
    gc_entries_clear(&w->entries);
}

/* GC_E_PROTOCOL: skip it, and why. */
static gc_status
load(struct gc_ledger *ledger, const char *name, struct gc_bytes *buffer,
     struct gc_entry *ret_entry, struct gc_error *err)
{
    int64_t mtime;
    gc_status st =
        gc_files_read(ledger->dir, name, ENTRY_MAX, buffer, &mtime, err);

    if (st == GC_OK && strlen(name) >= sizeof(ret_entry->id))
        return gc_fail(err, GC_E_PROTOCOL, "not a name that we gave");
    if (st == GC_OK)
        st = gc_entry_read(buffer, ret_entry, err);
    if (st == GC_OK)
        (void)snprintf(ret_entry->id, sizeof(ret_entry->id), "%s", name);
    return st;
}

gc_status
gc_ledger_read(struct gc_ledger *ledger, const char *id,
               struct gc_entry *ret_entry, struct gc_error *err)
{
    GC_AUTO(gc_bytes) buffer = {0};
    GC_AUTO(gc_entry) entry = {0};
    gc_status st;

    if (!gc_files_name_ok(id))
        return gc_fail(err, GC_E_NOT_FOUND, "there is no such entry");
    st = load(ledger, id, &buffer, &entry, err);
    if (st == GC_OK)
        move(ret_entry, &entry);
    return st;
}

/* Is TEXT what no program of ours, be it a later one, ever wrote? */
static bool
is_torn(const struct gc_bytes *text)
{
    GC_AUTO_PTR(gc_json) root = NULL;
    GC_AUTO(gc_entry) entry = {0};
    int64_t version;

    if (gc_entry_read(text, &entry, NULL) != GC_E_PROTOCOL)
        return false;
    return parse_newest(text, &root, NULL) != GC_OK
           || !gc_field_number(root, "version", INT64_MAX, &version)
           || version == 1;
}

/*
 * Give NAME another, if it is torn, so that WHY is said once.  Under the lock,
 * and only if it is torn still: it may have been written anew.
 */
static void
set_aside(struct walk *w, const char *name, struct gc_error *why)
{
    const struct gc_ledger *ledger = w->ledger;
    char bad[NAME_MAX + 1 + sizeof(BAD)];
    int64_t mtime;

    if (gc_ledger_lock(w->ledger, gc_clock_now() + TIDY_MS, NULL) != GC_OK)
        return;
    (void)snprintf(bad, sizeof(bad), "%s" BAD, name);
    if (gc_files_read(ledger->dir, name, ENTRY_MAX, &w->buffer, &mtime, NULL)
            == GC_OK
        && is_torn(&w->buffer)
        && renameat(ledger->dir, name, ledger->dir, bad) == 0)
        (void)gc_fail_context(why, GC_E_PROTOCOL, "set aside, as " BAD);
    gc_ledger_unlock(w->ledger);
}

/* Keep ENTRY.  The array holds no secret, only pointers to them. */
static gc_status
keep(struct walk *w, struct gc_entry *entry, struct gc_error *err)
{
    size_t room = w->room == 0 ? 16 : 2 * w->room;
    struct gc_entry *items;

    if (w->entries.count == w->room) {
        items = calloc(room, sizeof(*items));
        if (items == NULL)
            return gc_fail_no_memory(err);
        if (w->entries.count > 0)
            memcpy(items, w->entries.items, w->entries.count * sizeof(*items));
        free(w->entries.items);
        w->entries.items = items;
        w->room = room;
    }
    move(&w->entries.items[w->entries.count++], entry);
    return GC_OK;
}

static bool
owes(const struct gc_entry *entry, const struct gc_ticket *ticket)
{
    return holds_ticket(entry) && strcmp(entry->ticket.vm, ticket->vm) == 0
           && ticket->ticket.len > 0
           && gc_bytes_equal(&entry->ticket.ticket, &ticket->ticket);
}

static gc_status
visit(void *user, const char *name, struct gc_error *err)
{
    struct walk *w = user;
    GC_AUTO(gc_entry) entry = {0};
    struct gc_error why;
    gc_status st = load(w->ledger, name, &w->buffer, &entry, &why);

    if (st == GC_E_PROTOCOL) {
        set_aside(w, name, &why);
        gc_skip_say(&w->ledger->skip, name, why.message);
    }
    if (st == GC_E_PROTOCOL || st == GC_E_NOT_FOUND)
        return GC_OK;
    if (st != GC_OK) {
        if (err != NULL)
            *err = why;
        return st;
    }
    if (w->wanted != NULL && !owes(&entry, w->wanted))
        return GC_OK;
    if (w->transaction != NULL
        && strcmp(entry.transaction, w->transaction) != 0)
        return GC_OK;
    return keep(w, &entry, err);
}

/*
 * A leftover that is whole counts, unless the entry has moved on since: what
 * somebody decided to release is not needed again.
 */
static gc_leftover
judge(void *user, const char *name, bool taken, const struct gc_bytes *text,
      int64_t mtime)
{
    struct walk *w = user;
    GC_AUTO(gc_entry) left = {0};
    GC_AUTO(gc_entry) there = {0};
    GC_AUTO(gc_bytes) buffer = {0};
    struct gc_error why;
    gc_status st = gc_entry_read(text, &left, &why);

    (void)mtime;
    if (st == GC_E_PROTOCOL) {
        gc_skip_say(&w->ledger->skip, name, why.message);
        return GC_LEFTOVER_REMOVE;
    }
    if (st != GC_OK)
        return GC_LEFTOVER_LEAVE;
    if (!taken)
        return GC_LEFTOVER_NAME;
    st = load(w->ledger, name, &buffer, &there, &why);
    if (st == GC_OK && there.state > left.state)
        return GC_LEFTOVER_REMOVE;
    if (st == GC_OK || st == GC_E_PROTOCOL || st == GC_E_NOT_FOUND)
        return GC_LEFTOVER_NAME;
    return GC_LEFTOVER_LEAVE;
}

/* Gather, after what the dead left was given its name. */
static gc_status
walk(struct walk *w, struct gc_error *err)
{
    bool more = false;
    gc_status st = gc_ledger_lock(w->ledger, gc_clock_now() + TIDY_MS, NULL);

    w->entries.locked = st == GC_E_BUSY;
    if (st == GC_OK) {
        st = gc_atomic_adopt(w->ledger->dir, ENTRY_MAX, &w->ledger->skip, judge,
                             w, err);
        gc_ledger_unlock(w->ledger);
    } else {
        st = GC_OK;
    }
    if (st == GC_OK)
        st = gc_files_each(w->ledger->dir, "", OWED, GC_LEDGER_COUNT_MAX, visit,
                           w, &more, err);
    if (st == GC_OK && more)
        gc_skip_say(&w->ledger->skip, "the ledger",
                    "holds more than can be; the rest comes another time");
    return st;
}

/* Oldest first; the id makes the order one that stays. */
static int
compare(const void *a, const void *b)
{
    const struct gc_entry *x = a, *y = b;

    if (x->written != y->written)
        return x->written < y->written ? -1 : 1;
    return strcmp(x->id, y->id);
}

static gc_status
list(struct walk *w, struct gc_entries *ret_entries, struct gc_error *err)
{
    gc_status st = walk(w, err);

    if (st != GC_OK)
        return st;
    if (w->entries.count > 1)
        qsort(w->entries.items, w->entries.count, sizeof(*w->entries.items),
              compare);
    gc_entries_clear(ret_entries);
    *ret_entries = w->entries;
    w->entries = (struct gc_entries){0};
    return GC_OK;
}

gc_status
gc_ledger_list(struct gc_ledger *ledger, struct gc_entries *ret_entries,
               struct gc_error *err)
{
    __attribute__((cleanup(walk_clear))) struct walk w = {.ledger = ledger};

    return list(&w, ret_entries, err);
}

gc_status
gc_ledger_list_of(struct gc_ledger *ledger, const char *transaction,
                  struct gc_entries *ret_entries, struct gc_error *err)
{
    __attribute__((cleanup(walk_clear))) struct walk w = {
        .ledger = ledger, .transaction = transaction};

    /* "" would be everything that no login owes. */
    if (!gc_entry_transaction_ok(transaction)) {
        gc_entries_clear(ret_entries);
        return GC_OK;
    }
    return list(&w, ret_entries, err);
}

gc_status
gc_ledger_find(struct gc_ledger *ledger, const struct gc_ticket *ticket,
               struct gc_entry *ret_entry, struct gc_error *err)
{
    __attribute__((cleanup(walk_clear))) struct walk w = {.ledger = ledger,
                                                          .wanted = ticket};
    gc_status st = walk(&w, err);

    if (st != GC_OK)
        return st;
    if (w.entries.count == 0)
        return gc_fail(err, GC_E_NOT_FOUND,
                       "the ledger does not name that "
                       "ticket");
    move(ret_entry, &w.entries.items[0]);
    return GC_OK;
}

/* Within the time that a ticket may live unused?  A clock may have jumped. */
static bool
is_recent(const struct gc_entry *entry)
{
    int64_t age = (int64_t)time(NULL) - entry->written;

    return age < GC_LEDGER_LOST_S && age > -GC_LEDGER_LOST_S;
}

/* If ENTRY's ticket ever came into its store, which is ours to look into, it is
 * there by now. */
static bool
must_be_put(const struct gc_entry *entry)
{
    return entry->state == GC_OWED_TICKET && entry->record[0] != '\0'
           && entry->uid == geteuid()
           && (int64_t)time(NULL) - entry->written > PUT_S;
}

bool
gc_entry_elsewhere(const struct gc_entry *entry)
{
    char machine[GC_MACHINE_SIZE];

    if (entry->state == GC_OWED_LOST)
        return false;
    gc_process_machine(machine);
    if (entry->machine[0] != '\0' && strcmp(entry->machine, machine) != 0)
        return true;
    return entry->process.pid > 0 && gc_process_elsewhere(&entry->process)
           && !must_be_put(entry);
}

bool
gc_entry_needed(const struct gc_entry *entry)
{
    if (gc_entry_elsewhere(entry))
        return true;
    if (entry->state == GC_OWED_LOST)
        return is_recent(entry);
    if (entry->state == GC_OWED_RELEASE)
        return false;
    /* Of one elsewhere nobody can tell; if it comes here, the store can. */
    if (!gc_process_elsewhere(&entry->process)
        && gc_process_alive(&entry->process))
        return true;
    return entry->state == GC_OWED_TICKET && entry->record[0] != '\0'
           && entry->uid == geteuid()
           && gc_store_keeps(entry->store, entry->record);
}

bool
gc_entry_is_lost(const struct gc_entry *entry)
{
    return (entry->state == GC_OWED_LOST
            || (entry->state == GC_OWED_INTENT && !gc_entry_needed(entry)))
           && is_recent(entry);
}
