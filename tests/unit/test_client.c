/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facade over scripted neighbours: what is tried again, what never is, and
 * that no error path leaves a ticket behind.
 */
#include <config.h>

#include "src/client.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "src/vim/inventory.h"

/* ---- neighbours ---- */

struct step {
    gc_status status; /* GC_OK: a ticket */
    const char *fault;
    bool again;
};

static struct {
    const struct step *legs; /* one a handshake; the last one repeats */
    int handshakes, begins, ends, relogins, releases, logouts;
    gc_status relogin, facts, release[4];
    struct gc_session_facts vcenter;
    char target[GC_TARGET_SIZE];
    char released[64];
    const char *name;
    int cancel_in, cancel_out; /* the cancel pipe; 0: none */
    bool cancel_on_leg, begun_before_open;
    bool released_deaf, mutual, proved;
    bool no_intent, no_ticket, owed_on_leg, lost_on_leg;
    char witnessed[64];
} world;

gc_status
gc_http_new(const struct gc_http_options *options, struct gc_http **ret_http,
            struct gc_error *err)
{
    (void)options;
    (void)err;
    *ret_http = calloc(1, 1);
    return GC_OK;
}

void
gc_http_free(struct gc_http *http)
{
    free(http);
}

gc_status
gc_session_new(struct gc_http *http, const struct gc_session_login *login,
               struct gc_session **ret_session, struct gc_error *err)
{
    (void)http;
    (void)login;
    (void)err;
    *ret_session = calloc(1, 1);
    return GC_OK;
}

void
gc_session_free(struct gc_session *session)
{
    free(session);
}

gc_status
gc_session_open(struct gc_session *session, struct gc_limit limit,
                struct gc_error *err)
{
    (void)session;
    (void)limit;
    (void)err;
    if (world.begins == 1)
        world.begun_before_open = true;
    return GC_OK;
}

struct gc_session_facts *
gc_session_facts(struct gc_session *session)
{
    (void)session;
    return &world.vcenter;
}

bool
gc_session_spoke(const struct gc_session *session)
{
    (void)session;
    return false;
}

const char *
gc_session_url(const struct gc_session *session)
{
    (void)session;
    return "https://vc";
}

gc_status
gc_session_relogin(struct gc_session *session, struct gc_limit limit,
                   struct gc_error *err)
{
    (void)session;
    (void)limit;
    world.relogins++;
    if (world.relogin != GC_OK)
        return gc_fail(err, world.relogin, "relogin");
    return GC_OK;
}

gc_status
gc_session_logout(struct gc_session *session, struct gc_limit limit,
                  struct gc_error *err)
{
    (void)session;
    (void)limit;
    (void)err;
    world.logouts++;
    return GC_OK;
}

gc_status
gc_inventory_find(struct gc_session *session, const char *ref,
                  struct gc_limit limit, char ret_moid[GC_MOID_SIZE],
                  struct gc_error *err)
{
    (void)session;
    (void)limit;
    (void)err;
    strcpy(ret_moid, ref);
    return GC_OK;
}

gc_status
gc_inventory_name(struct gc_session *session, const char *vm,
                  struct gc_limit limit, char ret_name[GC_INVENTORY_NAME_SIZE],
                  struct gc_error *err)
{
    (void)session;
    (void)vm;
    (void)limit;
    (void)err;
    strcpy(ret_name, world.name);
    return GC_OK;
}

gc_status
gc_auth_manager_leg(struct gc_exchange *exchange, const struct gc_bytes *token,
                    enum gc_leg *ret_leg, struct gc_bytes *ret_bytes,
                    struct gc_error *err)
{
    const struct step *step = &world.legs[world.handshakes];

    (void)token;
    exchange->legs++;
    if (world.cancel_on_leg)
        assert_int_equal(write(world.cancel_out, "!", 1), 1);
    if (step->status == GC_OK) {
        *ret_leg = GC_LEG_TICKET;
        return gc_bytes_set(ret_bytes, "gold", 4, err);
    }
    if (world.legs[world.handshakes + 1].fault != NULL
        || world.legs[world.handshakes + 1].status == GC_OK)
        world.handshakes++;
    if (world.owed_on_leg)
        (void)!gc_bytes_set(&exchange->owed, "gold", 4, NULL);
    exchange->lost = world.lost_on_leg;
    (void)gc_fail(err, step->status, "leg refused");
    err->again = step->again;
    strcpy(err->fault, step->fault);
    return step->status;
}

gc_status
gc_auth_manager_release(struct gc_session *session, const char *vm,
                        const struct gc_bytes *ticket, struct gc_limit limit,
                        enum gc_released *ret_how, struct gc_error *err)
{
    gc_status st = world.release[world.releases++];

    (void)session;
    (void)vm;
    (void)limit;
    strcpy(world.released, gc_bytes_text(ticket));
    world.released_deaf = limit.cancel_fd == -1;
    *ret_how = GC_RELEASED;
    return st == GC_OK ? GC_OK : gc_fail(err, st, "release refused");
}

gc_status
gc_auth_manager_validate(struct gc_session *session, const char *vm,
                         const struct gc_bytes *ticket, struct gc_limit limit,
                         struct gc_error *err)
{
    (void)session;
    (void)vm;
    (void)ticket;
    (void)limit;
    (void)err;
    return GC_OK;
}

/* ---- our side ---- */

static gc_status
begin(struct gc_initiator *initiator, const struct gc_want *want,
      struct gc_said *ret_said, struct gc_error *err)
{
    (void)initiator;
    world.begins++;
    strcpy(world.target, want->target);
    return gc_bytes_set(&ret_said->token, "t", 1, err);
}

static gc_status
facts(struct gc_initiator *initiator, struct gc_facts *ret_facts,
      struct gc_error *err)
{
    (void)initiator;
    if (world.facts != GC_OK)
        return gc_fail(err, world.facts, "facts");
    *ret_facts = (struct gc_facts){.mech = GC_MECH_KERBEROS,
                                   .mutual = world.proved,
                                   .principal = "alice@EXAMPLE.TEST",
                                   .target = "host/guest1.example.test"};
    return GC_OK;
}

static void
end(struct gc_initiator *initiator)
{
    (void)initiator;
    world.ends++;
}

static const struct gc_initiator_ops ops = {
    .begin = begin, .facts = facts, .end = end};

/* ---- the witness ---- */

static gc_status
note_intent(void *user, const struct gc_place *place, struct gc_error *err)
{
    (void)user;
    assert_string_equal(place->vm, "vm-42");
    strcat(world.witnessed, "i");
    if (world.no_intent)
        return gc_fail(err, GC_E_INTERNAL, "full disk");
    return GC_OK;
}

static gc_status
note_ticket(void *user, const struct gc_bytes *ticket, struct gc_error *err)
{
    (void)user;
    assert_string_equal(gc_bytes_text(ticket), "gold");
    strcat(world.witnessed, "t");
    if (world.no_ticket)
        return gc_fail(err, GC_E_INTERNAL, "full disk");
    return GC_OK;
}

static gc_status
note_owed(void *user, const struct gc_bytes *ticket, struct gc_error *err)
{
    (void)user;
    (void)err;
    assert_string_equal(gc_bytes_text(ticket), "gold");
    strcat(world.witnessed, "o");
    return GC_OK;
}

static void
note_lost(void *user)
{
    (void)user;
    strcat(world.witnessed, "l");
}

static void
note_nothing(void *user)
{
    (void)user;
    strcat(world.witnessed, "n");
}

/* ---- helpers ---- */

static gc_status
acquire(const struct step *legs, int timeout_ms, const char *target,
        struct gc_ticket *ret_ticket, struct gc_error *err)
{
    const struct gc_client_options options = {0};
    struct gc_limit limit = gc_limit_grace(timeout_ms);
    GC_AUTO_PTR(gc_client) client = NULL;
    struct gc_initiator ours = {&ops};
    struct gc_want want = {.deadline = limit.deadline};
    struct gc_witness witness = {note_intent, note_ticket,  note_owed,
                                 note_lost,   note_nothing, NULL};
    struct gc_place place;
    gc_status st;

    world.legs = legs;
    if (world.cancel_in != 0)
        limit.cancel_fd = world.cancel_in;
    want.mutual = world.mutual;
    strcpy(want.target, target);
    assert_int_equal(gc_client_new(&options, &client, NULL), GC_OK);
    st = gc_client_locate(client, "vm-42", limit, want.target, &place, err);
    if (st != GC_OK)
        return st;
    return gc_client_acquire(client, &ours, &place, &want, limit, &witness,
                             ret_ticket, err);
}

static int
forget_world(void **state)
{
    int fds[2] = {world.cancel_in, world.cancel_out};

    (void)state;
    for (size_t i = 0; i < 2; i++)
        if (fds[i] > 0)
            close(fds[i]);
    memset(&world, 0, sizeof(world));
    return 0;
}

#define SPN "host/guest1.example.test"

/* ---- tests ---- */

static void
test_ticket_is_described(void **state)
{
    static const struct step legs[] = {{GC_OK, "", false}, {0}};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    strcpy(world.vcenter.instance_uuid, "uuid-1");
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_OK);
    assert_string_equal(t.vm, "vm-42");
    assert_string_equal(t.vcenter, "uuid-1");
    assert_string_equal(t.principal, "alice@EXAMPLE.TEST");
    assert_string_equal(gc_bytes_text(&t.ticket), "gold");
    assert_int_equal(t.legs, 1);
    assert_int_equal(world.releases, 0);
    assert_int_equal(world.ends, 0); /* left to its owner */
    assert_true(world.begun_before_open);
    assert_string_equal(world.witnessed, "it");
}

static void
test_passing_fault_is_tried_again_afresh(void **state)
{
    static const struct step legs[] = {
        {GC_E_BUSY, "TaskInProgress", true},
        {GC_E_UNAVAILABLE, "GuestOperationsUnavailable", true},
        {GC_OK, "", false},
        {0}};
    GC_AUTO(gc_ticket) t = {0};
    int64_t start = gc_clock_now();

    (void)state;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_OK);
    assert_int_equal(world.begins, 3);
    assert_int_equal(world.ends, 2);
    assert_string_equal(world.witnessed, "ininit");
    /* 0.2 s and 0.4 s, less a quarter at the most. */
    assert_true(gc_clock_now() - start >= 440);
}

static void
test_deadline_bounds_the_trying(void **state)
{
    static const struct step legs[] = {{GC_E_BUSY, "TaskInProgress", true},
                                       {GC_E_BUSY, NULL, true}};
    GC_AUTO(gc_ticket) t = {0};
    struct gc_error err = {0};
    int64_t start = gc_clock_now();

    (void)state;
    assert_int_equal(acquire(legs, 1000, SPN, &t, &err), GC_E_BUSY);
    assert_string_equal(err.fault, "TaskInProgress");
    assert_true(world.begins >= 2);
    assert_true(gc_clock_now() - start <= 1100);
}

static void
test_final_answers_are_final(void **state)
{
    static const struct step refused[] = {
        {GC_E_DENIED, "InvalidGuestLogin", false}, {GC_E_DENIED, NULL, 0}};
    static const struct step lost[] = {{GC_E_UNAVAILABLE, "", false},
                                       {GC_E_UNAVAILABLE, NULL, false}};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    assert_int_equal(acquire(refused, 5000, SPN, &t, NULL), GC_E_DENIED);
    assert_int_equal(world.begins, 1);
    assert_int_equal(acquire(lost, 5000, SPN, &t, NULL), GC_E_UNAVAILABLE);
    assert_int_equal(world.begins, 2);
    assert_int_equal(world.releases, 0);
}

static void
test_transport_is_tried_three_times(void **state)
{
    static const struct step legs[] = {{GC_E_UNAVAILABLE, "", true},
                                       {GC_E_UNAVAILABLE, NULL, true}};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    assert_int_equal(acquire(legs, 10000, SPN, &t, NULL), GC_E_UNAVAILABLE);
    assert_int_equal(world.begins, 3);
}

static void
test_session_is_healed_once(void **state)
{
    static const struct step once[] = {
        {GC_E_UNAVAILABLE, "NotAuthenticated", true}, {GC_OK, "", false}, {0}};
    static const struct step ever[] = {
        {GC_E_UNAVAILABLE, "NotAuthenticated", true},
        {GC_E_UNAVAILABLE, NULL, true}};
    GC_AUTO(gc_ticket) t = {0};
    struct gc_error err = {0};

    (void)state;
    assert_int_equal(acquire(once, 5000, SPN, &t, NULL), GC_OK);
    assert_int_equal(world.relogins, 1);
    assert_int_equal(world.begins, 2);

    world.handshakes = world.relogins = world.begins = 0;
    assert_int_equal(acquire(ever, 5000, SPN, &t, &err), GC_E_UNAVAILABLE);
    assert_int_equal(world.relogins, 1);
    assert_int_equal(world.begins, 2);

    world.handshakes = world.relogins = 0;
    world.relogin = GC_E_VCENTER_DENIED;
    assert_int_equal(acquire(ever, 5000, SPN, &t, &err), GC_E_VCENTER_DENIED);
    assert_string_equal(err.message, "relogin");
}

static void
test_ticket_is_released_when_facts_fail(void **state)
{
    static const struct step legs[] = {{GC_OK, "", false}, {0}};
    GC_AUTO(gc_ticket) t = {0};
    struct gc_error err = {0};

    (void)state;
    world.facts = GC_E_INTERNAL;
    assert_int_equal(acquire(legs, 5000, SPN, &t, &err), GC_E_INTERNAL);
    assert_int_equal(world.releases, 1);
    assert_string_equal(world.released, "gold");
    assert_int_equal(t.ticket.len, 0);

    /* One passing failure is tried again, a lasting one is told. */
    world.releases = 0;
    world.release[0] = GC_E_UNAVAILABLE;
    assert_int_equal(acquire(legs, 5000, SPN, &t, &err), GC_E_INTERNAL);
    assert_int_equal(world.releases, 2);
    assert_string_equal(err.hint, "");
    world.releases = 0;
    world.release[0] = GC_E_FAILED;
    assert_int_equal(acquire(legs, 5000, SPN, &t, &err), GC_E_INTERNAL);
    assert_non_null(strstr(err.hint, "a ticket stays behind in vm-42"));
}

static void
test_no_ticket_without_its_witness(void **state)
{
    static const struct step legs[] = {{GC_OK, "", false}, {0}};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    world.no_intent = true;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_INTERNAL);
    assert_int_equal(world.releases, 0);
    assert_string_equal(world.witnessed, "i");

    world.no_intent = false;
    world.no_ticket = true;
    world.witnessed[0] = '\0';
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_INTERNAL);
    assert_int_equal(world.releases, 1);
    assert_string_equal(world.witnessed, "iton");
    assert_int_equal(t.ticket.len, 0);
}

static void
test_mutual_is_demanded(void **state)
{
    static const struct step legs[] = {{GC_OK, "", false}, {0}};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    world.mutual = true;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_PROTOCOL);
    assert_int_equal(world.releases, 1);
    assert_string_equal(world.witnessed, "iton");
    world.proved = true;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_OK);
    assert_true(t.mutual);
}

static void
test_ticket_that_a_leg_could_not_release_is_owed(void **state)
{
    static const struct step legs[] = {{GC_E_PROTOCOL, "", false},
                                       {GC_E_PROTOCOL, NULL, false}};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    world.owed_on_leg = true;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_PROTOCOL);
    assert_string_equal(world.witnessed, "io");
    world.witnessed[0] = '\0';
    world.owed_on_leg = false;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_PROTOCOL);
    assert_string_equal(world.witnessed, "in");
}

static void
test_ticket_that_may_be_lost_is_said_to_be(void **state)
{
    static const struct step legs[] = {{GC_E_UNAVAILABLE, "", false},
                                       {GC_E_UNAVAILABLE, NULL, false}};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    world.lost_on_leg = true;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_UNAVAILABLE);
    assert_string_equal(world.witnessed, "il");
}

static void
test_ticket_is_released_when_cancelled(void **state)
{
    static const struct step legs[] = {{GC_OK, "", false}, {0}};
    GC_AUTO(gc_ticket) t = {0};
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    world.cancel_in = fds[0];
    world.cancel_out = fds[1];
    world.cancel_on_leg = true;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_CANCELED);
    assert_int_equal(world.releases, 1);
    assert_true(world.released_deaf);
    assert_int_equal(t.ticket.len, 0);
}

static void
test_pause_is_cut_short_by_cancel(void **state)
{
    static const struct step legs[] = {{GC_E_BUSY, "TaskInProgress", true},
                                       {GC_E_BUSY, NULL, true}};
    GC_AUTO(gc_ticket) t = {0};
    int64_t start = gc_clock_now();
    int fds[2];

    (void)state;
    assert_int_equal(pipe(fds), 0);
    world.cancel_in = fds[0];
    world.cancel_out = fds[1];
    world.cancel_on_leg = true;
    assert_int_equal(acquire(legs, 5000, SPN, &t, NULL), GC_E_CANCELED);
    assert_int_equal(world.begins, 1);
    assert_true(gc_clock_now() - start < 140);
}

static void
test_target_from_the_inventory_name(void **state)
{
    static const struct step legs[] = {{GC_OK, "", false}, {0}};
    static const char *const bad[] = {
        "",
        "a.b",
        "a/b",
        "a@EVIL.TEST",
        "a b",
        "\xc3\xa4",
        "{vm}",
        "0123456789012345678901234567890123456789012345678901234567890123"};
    GC_AUTO(gc_ticket) t = {0};

    (void)state;
    world.name = "Build-Win01";
    assert_int_equal(acquire(legs, 5000, "host/{vm}.corp.example", &t, NULL),
                     GC_OK);
    assert_string_equal(world.target, "host/Build-Win01.corp.example");
    assert_string_equal(t.name, "Build-Win01");
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        world.name = bad[i];
        world.begins = 0;
        assert_int_equal(
            acquire(legs, 5000, "host/{vm}.corp.example", &t, NULL),
            GC_E_CONFIG);
        assert_int_equal(world.begins, 0);
    }
    world.name = "a";
    assert_int_equal(acquire(legs, 5000, "host/{vm}.{vm}", &t, NULL),
                     GC_E_CONFIG);
}

static void
test_ticket_stays_with_its_vcenter(void **state)
{
    struct gc_client_options options = {0};
    GC_AUTO_PTR(gc_client) client = NULL;
    GC_AUTO(gc_ticket) t = {.vm = "vm-42", .vcenter = "uuid-1"};
    enum gc_released how;

    (void)state;
    assert_int_equal(gc_client_new(&options, &client, NULL), GC_OK);
    assert_int_equal(gc_bytes_set(&t.ticket, "gold", 4, NULL), GC_OK);
    strcpy(world.vcenter.instance_uuid, "uuid-12");
    assert_int_equal(
        gc_client_release(client, &t, gc_limit_grace(1000), &how, NULL),
        GC_E_CONFIG);
    assert_int_equal(gc_client_validate(client, &t, gc_limit_grace(1000), NULL),
                     GC_E_CONFIG);
    assert_int_equal(world.releases, 0);
    strcpy(world.vcenter.instance_uuid, "uuid-1");
    assert_int_equal(
        gc_client_release(client, &t, gc_limit_grace(1000), &how, NULL), GC_OK);
    assert_int_equal(world.releases, 1);
}

#define TEST(name) cmocka_unit_test_teardown(name, forget_world)

int
main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_ticket_is_described),
        TEST(test_passing_fault_is_tried_again_afresh),
        TEST(test_deadline_bounds_the_trying),
        TEST(test_final_answers_are_final),
        TEST(test_transport_is_tried_three_times),
        TEST(test_session_is_healed_once),
        TEST(test_ticket_is_released_when_facts_fail),
        TEST(test_no_ticket_without_its_witness),
        TEST(test_ticket_that_may_be_lost_is_said_to_be),
        TEST(test_mutual_is_demanded),
        TEST(test_ticket_that_a_leg_could_not_release_is_owed),
        TEST(test_ticket_is_released_when_cancelled),
        TEST(test_pause_is_cut_short_by_cancel),
        TEST(test_target_from_the_inventory_name),
        TEST(test_ticket_stays_with_its_vcenter),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
