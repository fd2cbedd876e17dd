/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A ticket's way through life, over a real store and a real ledger and a client
 * that is a script.
 */
#include <config.h>

#include "src/custody.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"

#define URL  "https://vc.example.test"
#define SOON gc_limit_grace(5000)

/* ---- the client ---- */

static void note_ahead(void);

static struct {
    char dir[64], store_name[80];
    struct gc_custody custody;
    int acquired, validated, released, opened;
    gc_status acquire, validate, release;
    bool lost;                    /* with an acquire that fails */
    char last[64];                /* the ticket released last */
    char ahead[GC_STORE_ID_SIZE]; /* the record that its witness named */
    struct gc_session_facts facts;
    void (*on_release)(void);
    unsigned slow_login; /* microseconds */
    int stalled; /* so long a guest that stalls was given, in milliseconds */
} world;

struct gc_session *
gc_client_session(struct gc_client *client)
{
    (void)client;
    return NULL;
}

const char *
gc_session_url(const struct gc_session *session)
{
    (void)session;
    return URL;
}

struct gc_session_facts *
gc_session_facts(struct gc_session *session)
{
    (void)session;
    return &world.facts;
}

gc_status
gc_session_open(struct gc_session *session, struct gc_limit limit,
                struct gc_error *err)
{
    (void)session;
    (void)limit;
    (void)err;
    usleep(world.slow_login);
    world.opened++;
    return GC_OK;
}

void
gc_client_say(struct gc_client *client, const char *fmt, ...)
{
    (void)client;
    (void)fmt;
}

bool
gc_client_is_foreign(struct gc_client *client, const struct gc_ticket *ticket)
{
    (void)client;
    return ticket->vcenter[0] != '\0' && world.facts.instance_uuid[0] != '\0'
           && strcmp(ticket->vcenter, world.facts.instance_uuid) != 0;
}

gc_status
gc_client_locate(struct gc_client *client, const char *ref,
                 struct gc_limit limit, char *target,
                 struct gc_place *ret_place, struct gc_error *err)
{
    (void)client;
    (void)limit;
    (void)target;
    (void)err;
    *ret_place = (struct gc_place){0};
    (void)snprintf(ret_place->vm, sizeof(ret_place->vm), "%s", ref);
    return GC_OK;
}

gc_status
gc_client_acquire(struct gc_client *client, struct gc_initiator *initiator,
                  const struct gc_place *place, const struct gc_want *want,
                  struct gc_limit limit, const struct gc_witness *witness,
                  struct gc_ticket *ret_ticket, struct gc_error *err)
{
    GC_AUTO(gc_ticket) t = {.mech = GC_MECH_KERBEROS, .legs = 1};
    char text[32];
    gc_status st;

    (void)client;
    (void)initiator;
    (void)limit;
    st = witness->intent(witness->user, place, err);
    if (st != GC_OK)
        return st;
    if (world.acquire != GC_OK) {
        if (world.lost)
            witness->lost(witness->user);
        else
            witness->nothing(witness->user);
        return gc_fail(err, world.acquire, "scripted");
    }
    (void)snprintf(text, sizeof(text), "ticket-%d", ++world.acquired);
    t.acquired = time(NULL);
    strcpy(t.vm, place->vm);
    strcpy(t.vcenter, world.facts.instance_uuid);
    strcpy(t.principal, "alice@EXAMPLE.TEST");
    strcpy(t.target, want->target);
    assert_int_equal(gc_bytes_set(&t.ticket, text, strlen(text), NULL), GC_OK);
    st = witness->ticket(witness->user, &t.ticket, err);
    if (st != GC_OK)
        return st;
    note_ahead();
    gc_ticket_move(ret_ticket, &t);
    return GC_OK;
}

gc_status
gc_client_validate(struct gc_client *client, const struct gc_ticket *ticket,
                   struct gc_limit limit, struct gc_error *err)
{
    (void)client;
    (void)ticket;
    (void)limit;
    world.validated++;
    return world.validate == GC_OK ? GC_OK
                                   : gc_fail(err, world.validate, "scripted");
}

gc_status
gc_client_release(struct gc_client *client, const struct gc_ticket *ticket,
                  struct gc_limit limit, enum gc_released *ret_how,
                  struct gc_error *err)
{
    (void)client;
    world.released++;
    strcpy(world.last, gc_bytes_text(&ticket->ticket));
    if (strncmp(world.last, "stall", 5) == 0) {
        world.stalled = gc_clock_left(limit.deadline);
        usleep((unsigned)(world.stalled < 300 ? world.stalled : 300) * 1000);
        return gc_fail(err, GC_E_UNAVAILABLE, "it stalls");
    }
    if (world.on_release != NULL)
        world.on_release();
    *ret_how = GC_RELEASED;
    return world.release == GC_OK ? GC_OK
                                  : gc_fail(err, world.release, "scripted");
}

/* ---- our side ---- */

static gc_status
who(struct gc_initiator *initiator, const struct gc_want *want,
    char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    (void)initiator;
    (void)want;
    (void)err;
    strcpy(ret_principal, "alice@EXAMPLE.TEST");
    return GC_OK;
}

static const struct gc_initiator_ops ops = {.who = who};

/* ---- helpers ---- */

static int
make_world(void **state)
{
    char ledger[80];

    (void)state;
    memset(&world, 0, sizeof(world));
    strcpy(world.dir, "/tmp/guestcred-custody.XXXXXX");
    assert_non_null(mkdtemp(world.dir));
    strcpy(world.facts.instance_uuid, "uuid-1");
    (void)snprintf(world.store_name, sizeof(world.store_name), "DIR:%s/store",
                   world.dir);
    (void)snprintf(ledger, sizeof(ledger), "%s/ledger", world.dir);
    assert_int_equal(
        gc_store_open(world.store_name, true, &world.custody.store, NULL),
        GC_OK);
    assert_int_equal(
        gc_ledger_open(ledger, geteuid(), &world.custody.ledger, NULL), GC_OK);
    world.custody.uid = geteuid();
    return 0;
}

static int
remove_world(void **state)
{
    pid_t pid;

    (void)state;
    gc_store_free(world.custody.store);
    gc_ledger_free(world.custody.ledger);
    pid = fork();
    if (pid == 0) {
        (void)execlp("rm", "rm", "-rf", world.dir, (char *)NULL);
        _exit(127);
    }
    (void)waitpid(pid, NULL, 0);
    return 0;
}

static gc_status
acquire(const char *vm, bool fresh, bool trust, struct gc_record *ret_record,
        struct gc_error *err)
{
    struct gc_initiator ours = {&ops};
    struct gc_custody_request request = {vm, fresh, trust};
    struct gc_want want = {.deadline = 0};

    strcpy(want.target, "host/guest1.example.test");
    return gc_custody_acquire(&world.custody, &ours, &request, &want, SOON,
                              ret_record, err);
}

static size_t
records(void)
{
    GC_AUTO(gc_records) all = {0};

    assert_int_equal(gc_store_list(world.custody.store, &all, NULL), GC_OK);
    return all.count;
}

static size_t
entries(void)
{
    GC_AUTO(gc_entries) all = {0};

    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    return all.count;
}

/* What the newest ticket's entry says before that is in the store. */
static void
note_ahead(void)
{
    GC_AUTO(gc_entries) all = {0};
    const char *newest = NULL;

    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    for (size_t i = 0; i < all.count; i++) {
        char ticket[32];

        (void)snprintf(ticket, sizeof(ticket), "ticket-%d", world.acquired);
        if (strcmp(gc_bytes_text(&all.items[i].ticket.ticket), ticket) == 0)
            newest = all.items[i].record;
    }
    assert_non_null(newest);
    (void)snprintf(world.ahead, sizeof(world.ahead), "%s", newest);
}

/* A process that is not there any more. */
static struct gc_process
dead(void)
{
    struct gc_process process = {0};
    pid_t pid = fork();

    if (pid == 0)
        _exit(0);
    assert_int_equal(gc_process_read(pid, &process, NULL), GC_OK);
    (void)waitpid(pid, NULL, 0);
    return process;
}

/* Change the only ledger entry as CHANGE says. */
static void
with_entry(void (*change)(struct gc_entry *entry))
{
    GC_AUTO(gc_entries) all = {0};

    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    assert_int_equal(all.count, 1);
    change(&all.items[0]);
    assert_int_equal(gc_ledger_write(world.custody.ledger, &all.items[0], NULL),
                     GC_OK);
}

static void
not_handed_over(struct gc_entry *entry)
{
    entry->store[0] = entry->record[0] = '\0';
    entry->process = dead();
}

static void
up_for_release(struct gc_entry *entry)
{
    entry->state = GC_OWED_RELEASE;
}

static struct gc_custody_tally
sweep(gc_status expected)
{
    struct gc_custody_tally tally = {0};

    assert_int_equal(gc_custody_sweep(&world.custody, SOON, &tally, NULL),
                     expected);
    return tally;
}

/* ---- tests ---- */

static void
test_acquired_kept_reused(void **state)
{
    GC_AUTO(gc_record) a = {0}, b = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_int_equal(records(), 1);
    assert_int_equal(entries(), 1);
    assert_int_equal(sweep(GC_OK).needed, 1);
    assert_int_equal(acquire("vm-42", false, false, &b, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&b.ticket.ticket), "ticket-1");
    assert_int_equal(world.validated, 1);
    assert_int_equal(acquire("vm-42", false, true, &b, NULL), GC_OK);
    assert_int_equal(world.validated, 1);
    assert_int_equal(world.acquired, 1);
}

static void
die(struct gc_entry *entry)
{
    entry->process = dead();
}

/* A command that is killed right after it has put the record owes nothing. */
static void
test_the_record_is_named_ahead(void **state)
{
    GC_AUTO(gc_record) a = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_string_not_equal(world.ahead, "");
    assert_string_equal(world.ahead, a.id);
    with_entry(die);
    assert_int_equal(sweep(GC_OK).needed, 1);
    assert_int_equal(gc_store_forget(world.custody.store, a.id, NULL), GC_OK);
    assert_int_equal(sweep(GC_OK).released, 1);
}

static void
test_new_releases_the_old(void **state)
{
    GC_AUTO(gc_record) a = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_int_equal(acquire("vm-42", true, false, &a, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&a.ticket.ticket), "ticket-2");
    assert_string_equal(world.last, "ticket-1");
    assert_int_equal(records(), 1);
    assert_int_equal(entries(), 1);
}

static void
test_refused_ticket_is_replaced_and_not_released(void **state)
{
    GC_AUTO(gc_record) a = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    world.validate = GC_E_DENIED;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&a.ticket.ticket), "ticket-2");
    assert_int_equal(world.released, 0);
    assert_int_equal(records(), 1);
    assert_int_equal(entries(), 1);
}

/* A kill between store and ledger: the next command keeps what it uses. */
static void
test_ticket_not_handed_over_is_taken_up(void **state)
{
    GC_AUTO(gc_record) a = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    with_entry(not_handed_over);
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&a.ticket.ticket), "ticket-1");
    assert_int_equal(sweep(GC_OK).needed, 1);
    assert_int_equal(world.released, 0);
}

/* A kill between ledger and store: what is up for release is not used. */
static void
test_ticket_up_for_release_is_not_used(void **state)
{
    GC_AUTO(gc_record) a = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    with_entry(up_for_release);
    assert_int_equal(acquire("vm-42", false, true, &a, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&a.ticket.ticket), "ticket-2");
    assert_string_equal(world.last, "ticket-1");
    assert_int_equal(records(), 1);
    assert_int_equal(sweep(GC_OK).needed, 1);
}

static void
test_unknown_to_the_ledger_is_written_down(void **state)
{
    GC_AUTO(gc_record) a = {0};
    GC_AUTO(gc_entries) all = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    assert_int_equal(
        gc_ledger_settle(world.custody.ledger, all.items[0].id, NULL), GC_OK);
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_int_equal(entries(), 1);
    assert_int_equal(sweep(GC_OK).needed, 1);
}

static void
test_release_forgets_and_settles(void **state)
{
    GC_AUTO(gc_record) a = {0};
    enum gc_released how;

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    a.id[0] = '\0'; /* as from a ticket file */
    assert_int_equal(gc_custody_release(&world.custody, &a, SOON, &how, NULL),
                     GC_OK);
    assert_int_equal(records(), 0);
    assert_int_equal(entries(), 0);
}

static void
test_release_that_fails_is_owed(void **state)
{
    GC_AUTO(gc_record) a = {0};
    struct gc_error err = {0};
    enum gc_released how;

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    world.release = GC_E_UNAVAILABLE;
    assert_int_equal(gc_custody_release(&world.custody, &a, SOON, &how, &err),
                     GC_E_UNAVAILABLE);
    assert_non_null(strstr(err.hint, "the release is owed"));
    assert_int_equal(records(), 0);
    assert_int_equal(sweep(GC_E_UNAVAILABLE).owed, 1);
    world.release = GC_OK;
    assert_int_equal(sweep(GC_OK).released, 1);
    assert_int_equal(entries(), 0);
}

/* A full disk must not keep a ticket alive. */
static void
test_release_without_a_ledger_to_write(void **state)
{
    const struct rlimit none = {0, RLIM_INFINITY};
    struct rlimit before;
    GC_AUTO(gc_record) a = {0};
    struct gc_error err = {0};
    enum gc_released how;
    gc_status st;

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    world.release = GC_E_UNAVAILABLE;
    st = gc_custody_release(&world.custody, &a, SOON, &how, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(st, GC_E_UNAVAILABLE);
    assert_non_null(strstr(err.hint, "stays in the store"));
    assert_int_equal(records(), 1);

    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    world.release = GC_OK;
    st = gc_custody_release(&world.custody, &a, SOON, &how, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(st, GC_OK);
    assert_int_equal(world.released, 2);
    assert_int_equal(records(), 0);
    assert_int_equal(sweep(GC_OK).needed, 0);
}

/* While a sweep releases one ticket, the other's process hands it over. */
static char late[GC_LEDGER_ID_SIZE];

static void
hand_over_late(void)
{
    GC_AUTO(gc_entry) entry = {0};

    if (strcmp(world.last, "owed") != 0)
        return;
    assert_int_equal(gc_ledger_read(world.custody.ledger, late, &entry, NULL),
                     GC_OK);
    assert_int_equal(gc_process_read(getpid(), &entry.process, NULL), GC_OK);
    entry.state = GC_OWED_TICKET;
    assert_int_equal(gc_bytes_set(&entry.ticket.ticket, "live", 4, NULL),
                     GC_OK);
    assert_int_equal(gc_ledger_write(world.custody.ledger, &entry, NULL),
                     GC_OK);
}

static void
write_one(gc_owed state, const char *ticket, char ret_id[GC_LEDGER_ID_SIZE])
{
    GC_AUTO(gc_entry)
    e = {.state = state,
         .uid = geteuid(),
         .url = URL,
         .written = time(NULL),
         .process = dead()};

    e.ticket.mech = GC_MECH_KERBEROS;
    e.ticket.acquired = time(NULL);
    strcpy(e.ticket.vm, "vm-1");
    strcpy(e.ticket.principal, "p");
    strcpy(e.ticket.target, "t");
    assert_int_equal(
        gc_bytes_set(&e.ticket.ticket, ticket, strlen(ticket), NULL), GC_OK);
    assert_int_equal(gc_ledger_write(world.custody.ledger, &e, NULL), GC_OK);
    if (ret_id != NULL)
        memcpy(ret_id, e.id, GC_LEDGER_ID_SIZE);
}

static void
test_sweep_looks_again(void **state)
{
    struct gc_custody_tally tally;

    (void)state;
    write_one(GC_OWED_RELEASE, "owed", NULL);
    usleep(1100 * 1000); /* entries are listed oldest first */
    write_one(GC_OWED_INTENT, "", late);
    world.on_release = hand_over_late;
    tally = sweep(GC_OK);
    assert_int_equal(tally.released, 1);
    assert_int_equal(tally.needed, 1);
    assert_int_equal(tally.abandoned, 0);
    assert_string_equal(world.last, "owed");
    assert_int_equal(entries(), 1);
}

static void
make_old(struct gc_entry *entry)
{
    entry->written -= GC_LEDGER_LOST_S;
}

/* The only entry is lost, nobody's, and of now; a day later it is dropped. */
static void
check_lost(void)
{
    GC_AUTO(gc_entries) all = {0};
    struct gc_custody_tally tally;

    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    assert_int_equal(all.count, 1);
    assert_int_equal(all.items[0].state, GC_OWED_LOST);
    assert_int_equal(all.items[0].process.pid, 0);
    assert_string_equal(all.items[0].store, "");
    assert_true(time(NULL) - all.items[0].written < 5);
    for (int i = 0; i < 2; i++) {
        tally = sweep(GC_OK);
        assert_int_equal(tally.lost, 1);
        assert_int_equal(tally.needed + tally.abandoned + tally.gone, 0);
    }
    with_entry(make_old);
    tally = sweep(GC_OK);
    assert_int_equal(tally.gone, 1);
    assert_int_equal(tally.lost, 0);
    assert_int_equal(entries(), 0);
    assert_int_equal(world.released, 0);
    assert_int_equal(world.opened, 0);
}

static void
test_dead_intents_are_lost(void **state)
{
    (void)state;
    write_one(GC_OWED_INTENT, "", NULL);
    assert_int_equal(sweep(GC_OK).abandoned, 1);
    check_lost();
}

static void
test_what_is_lost_stays_written(void **state)
{
    GC_AUTO(gc_record) a = {0};

    (void)state;
    world.acquire = GC_E_UNAVAILABLE;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL),
                     GC_E_UNAVAILABLE);
    assert_int_equal(entries(), 0);
    world.lost = true;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL),
                     GC_E_UNAVAILABLE);
    check_lost();
}

/*
 * A guest that does not answer has its own time, and not the others'; the next
 * sweep begins with those that got none.
 */
static void
test_sweep_of_a_guest_that_stalls(void **state)
{
    GC_AUTO(gc_entries) all = {0};
    struct gc_custody_tally tally = {0};

    (void)state;
    write_one(GC_OWED_TICKET, "stalls", NULL);
    usleep(1100 * 1000); /* entries are listed oldest first */
    write_one(GC_OWED_TICKET, "waits", NULL);
    /* The way to vCenter takes nothing from it. */
    world.slow_login = 900 * 1000;
    assert_int_equal(
        gc_custody_sweep(&world.custody, gc_limit_grace(60000), &tally, NULL),
        GC_E_UNAVAILABLE);
    assert_true(world.stalled > 4500 && world.stalled <= 5000);
    world.slow_login = 0;
    assert_int_equal(tally.released, 1);
    assert_int_equal(tally.owed, 1);

    /* Now without any time for a second one: those not tried yet first. */
    usleep(1100 * 1000);
    write_one(GC_OWED_TICKET, "stalls too", NULL);
    assert_int_equal(
        gc_custody_sweep(&world.custody, gc_limit_grace(100), &tally, NULL),
        GC_E_UNAVAILABLE);
    assert_string_equal(world.last, "stalls too");
    assert_int_equal(world.released, 3);
    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    assert_int_equal(all.count, 2);
    write_one(GC_OWED_TICKET, "waits", NULL);
    assert_int_equal(
        gc_custody_sweep(&world.custody, gc_limit_grace(-1), &tally, NULL),
        GC_E_UNAVAILABLE);
    assert_int_equal(world.released, 3);
    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    for (size_t i = 0; i < all.count; i++)
        assert_int_equal(
            all.items[i].state,
            strcmp(gc_bytes_text(&all.items[i].ticket.ticket), "waits") == 0
                ? GC_OWED_TICKET
                : GC_OWED_RELEASE);
}

/* No vCenter is asked about what is lost, and so it may be any vCenter's. */
static void
test_lost_of_another_vcenter(void **state)
{
    GC_AUTO(gc_entries) all = {0};
    struct gc_entry *lost;

    (void)state;
    write_one(GC_OWED_LOST, "", NULL);
    assert_int_equal(gc_ledger_list(world.custody.ledger, &all, NULL), GC_OK);
    lost = &all.items[0];
    strcpy(lost->url, "https://other.example.test");
    assert_int_equal(gc_ledger_write(world.custody.ledger, lost, NULL), GC_OK);
    assert_int_equal(sweep(GC_OK).lost, 1);
    make_old(lost);
    assert_int_equal(gc_ledger_write(world.custody.ledger, lost, NULL), GC_OK);
    assert_int_equal(sweep(GC_OK).gone, 1);
    assert_int_equal(entries(), 0);
    assert_int_equal(world.opened, 0);
}

/* Whoever holds the lock costs a moment, and not one an entry. */
static void
test_sweep_waits_once(void **state)
{
    GC_AUTO_PTR(gc_ledger) other = NULL;
    struct gc_custody_tally tally;
    int64_t before;
    char ledger[80];

    (void)state;
    for (int i = 0; i < 8; i++)
        write_one(GC_OWED_RELEASE, "owed", NULL);
    (void)snprintf(ledger, sizeof(ledger), "%s/ledger", world.dir);
    assert_int_equal(gc_ledger_open(ledger, geteuid(), &other, NULL), GC_OK);
    assert_int_equal(gc_ledger_lock(other, SOON.deadline, NULL), GC_OK);
    before = gc_clock_now();
    tally = sweep(GC_E_BUSY);
    assert_true(gc_clock_now() - before < 1500);
    assert_int_equal(tally.owed, 8);
    assert_int_equal(world.opened, 0);
    assert_int_equal(world.released, 0);
    gc_ledger_unlock(other);
    assert_int_equal(sweep(GC_OK).released, 8);
}

/* vCenter was rebuilt at the same address. */
static void
test_another_vcenters_ticket(void **state)
{
    GC_AUTO(gc_record) a = {0};

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    strcpy(world.facts.instance_uuid, "uuid-12");
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    assert_string_equal(gc_bytes_text(&a.ticket.ticket), "ticket-2");
    assert_int_equal(world.released, 0);
    assert_int_equal(world.validated, 0);
}

static void
test_foreign_debts_do_not_last_for_ever(void **state)
{
    GC_AUTO(gc_record) a = {0};
    enum gc_released how;

    (void)state;
    assert_int_equal(acquire("vm-42", false, false, &a, NULL), GC_OK);
    world.release = GC_E_UNAVAILABLE;
    assert_int_equal(gc_custody_release(&world.custody, &a, SOON, &how, NULL),
                     GC_E_UNAVAILABLE);
    world.release = GC_OK;
    strcpy(world.facts.instance_uuid, "uuid-12");
    assert_int_equal(sweep(GC_OK).elsewhere, 1);
    assert_int_equal(world.released, 1);
    assert_int_equal(entries(), 1);
}

static void
test_no_ticket_without_a_ledger_entry(void **state)
{
    const struct rlimit none = {0, RLIM_INFINITY};
    struct rlimit before;
    GC_AUTO(gc_record) a = {0};
    gc_status st;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    st = acquire("vm-42", false, false, &a, NULL);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_not_equal(st, GC_OK);
    assert_int_equal(world.acquired, 0);
    assert_int_equal(records(), 0);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, make_world, remove_world)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_acquired_kept_reused),
        TEST(test_the_record_is_named_ahead),
        TEST(test_new_releases_the_old),
        TEST(test_refused_ticket_is_replaced_and_not_released),
        TEST(test_ticket_not_handed_over_is_taken_up),
        TEST(test_ticket_up_for_release_is_not_used),
        TEST(test_unknown_to_the_ledger_is_written_down),
        TEST(test_release_forgets_and_settles),
        TEST(test_release_that_fails_is_owed),
        TEST(test_release_without_a_ledger_to_write),
        TEST(test_sweep_looks_again),
        TEST(test_dead_intents_are_lost),
        TEST(test_what_is_lost_stays_written),
        TEST(test_sweep_of_a_guest_that_stalls),
        TEST(test_lost_of_another_vcenter),
        TEST(test_sweep_waits_once),
        TEST(test_another_vcenters_ticket),
        TEST(test_foreign_debts_do_not_last_for_ever),
        TEST(test_no_ticket_without_a_ledger_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
