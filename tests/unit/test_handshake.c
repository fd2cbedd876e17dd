/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a handshake leaves behind, however it went: an exchange that has ended,
 * and then a quota that was left.
 */
#include <config.h>

#include "src/helper/handshake.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "src/helper/quota.h"

/* ---- the neighbours ---- */

static struct {
    gc_status enter, check, acquire; /* what they say */
    int entered, checked, acquired, left, ends;
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
    return "https://vc.example.test";
}

gc_status
gc_quota_enter(const char *place, struct gc_ledger *ledger, const char *url,
               uid_t uid, const char *vm, int64_t deadline,
               struct gc_quota_pass *ret_pass, struct gc_error *err)
{
    (void)place;
    (void)ledger;
    (void)deadline;
    assert_string_equal(url, "https://vc.example.test");
    assert_int_equal(uid, 1000);
    assert_string_equal(vm, "vm-42");
    world.entered++;
    if (world.enter != GC_OK)
        return gc_fail(err, world.enter, "too many");
    *ret_pass = (struct gc_quota_pass){uid, "this one"};
    return GC_OK;
}

/* Another process may begin now: nothing of this exchange must be left. */
void
gc_quota_leave(const char *place, const struct gc_quota_pass *pass)
{
    (void)place;
    assert_string_equal(pass->id, "this one");
    assert_int_equal(world.ends, 1);
    world.left++;
}

gc_status
gc_vcenter_check(struct gc_vcenter *vcenter, const struct gc_map_vm *vm,
                 struct gc_limit limit, struct gc_error *err)
{
    (void)vcenter;
    (void)vm;
    (void)limit;
    world.checked++;
    return world.check == GC_OK ? GC_OK
                                : gc_fail(err, world.check, "another vCenter");
}

gc_status
gc_custody_acquire(const struct gc_custody *custody,
                   struct gc_initiator *initiator,
                   const struct gc_custody_request *request,
                   const struct gc_want *want, struct gc_limit limit,
                   struct gc_record *ret_record, struct gc_error *err)
{
    (void)custody;
    (void)initiator;
    (void)limit;
    assert_string_equal(request->ref, "vm-42");
    assert_true(request->fresh);
    assert_string_equal(want->target, "host/g.example.test");
    assert_int_equal(world.ends, 0);
    world.acquired++;
    if (world.acquire != GC_OK)
        return gc_fail(err, world.acquire, "the guest says no");
    memcpy(ret_record->id, "made", sizeof("made"));
    return GC_OK;
}

gc_status
gc_custody_release(const struct gc_custody *custody,
                   const struct gc_record *record, struct gc_limit limit,
                   enum gc_released *ret_how, struct gc_error *err)
{
    (void)custody;
    (void)record;
    (void)limit;
    (void)ret_how;
    return gc_fail(err, GC_E_INTERNAL, "nobody asked for that");
}

/* ---- the handshake ---- */

static void
scripted_end(struct gc_initiator *initiator)
{
    (void)initiator;
    world.ends++;
}

static gc_status
shake(struct gc_record *ret_record, struct gc_error *err)
{
    static const struct gc_map_vm vm = {.vm = "vm-42",
                                        .target = "host/g.example.test"};
    static const struct gc_initiator_ops ops = {.end = scripted_end};
    static struct gc_errand errand; /* large */
    struct gc_initiator worker = {&ops};
    struct gc_vcenter vcenter = {.client = NULL};
    struct gc_want want = {.target = ""};

    errand.as.uid = 1000;
    return gc_handshake(&errand, &vcenter, &worker, &vm, &want, ret_record,
                        err);
}

static int
forget(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    return 0;
}

static void
a_ticket_ends_the_exchange(void **state)
{
    GC_AUTO(gc_record) record = {0};
    struct gc_error err;

    (void)state;
    assert_int_equal(shake(&record, &err), GC_OK);
    assert_string_equal(record.id, "made");
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.left, 1);
}

static void
a_refusal_ends_the_exchange(void **state)
{
    GC_AUTO(gc_record) record = {0};
    struct gc_error err;

    (void)state;
    world.acquire = GC_E_DENIED;
    assert_int_equal(shake(&record, &err), GC_E_DENIED);
    assert_string_equal(err.message, "the guest says no");
    assert_int_equal(world.acquired, 1);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.left, 1);
}

static void
another_vcenter_is_asked_nothing(void **state)
{
    GC_AUTO(gc_record) record = {0};
    struct gc_error err;

    (void)state;
    world.check = GC_E_CONFIG;
    assert_int_equal(shake(&record, &err), GC_E_CONFIG);
    assert_string_equal(err.message, "another vCenter");
    assert_int_equal(world.acquired, 0);
    assert_int_equal(world.ends, 1);
    assert_int_equal(world.left, 1);
}

/* Who was not let in has nothing to leave. */
static void
beyond_the_quota_nothing_begins(void **state)
{
    GC_AUTO(gc_record) record = {0};
    struct gc_error err;

    (void)state;
    world.enter = GC_E_BUSY;
    assert_int_equal(shake(&record, &err), GC_E_BUSY);
    assert_int_equal(world.entered, 1);
    assert_int_equal(world.checked, 0);
    assert_int_equal(world.acquired, 0);
    assert_int_equal(world.left, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_ticket_ends_the_exchange, forget),
        cmocka_unit_test_setup(a_refusal_ends_the_exchange, forget),
        cmocka_unit_test_setup(another_vcenter_is_asked_nothing, forget),
        cmocka_unit_test_setup(beyond_the_quota_nothing_begins, forget),
    };

    return cmocka_run_group_tests_name("handshake", tests, NULL, NULL);
}
