/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/guest_login.h"

#include <string.h>

#include "src/base/clock.h"
#include "src/helper/quota.h"
#include "src/helper/token_check.h"

#define QUOTA GC_REQUEST_RUN "/quota"

/* A logout waits at most this long for a guest; the sweep does the rest. */
#define RELEASE_MS 5000

void
gc_guest_login_want(const struct gc_request *r, struct gc_want *ret_want)
{
    const char *mech = gc_request_text(r, GC_OPT_MECH, "kerberos");

    *ret_want = (struct gc_want){
        .deadline = r->deadline,
        .mech = strcmp(mech, "negotiate") == 0 ? GC_MECH_NEGOTIATE
                                               : GC_MECH_KERBEROS,
        .mutual = gc_options_flag(&r->config, GC_OPT_MUTUAL),
    };
}

gc_status
gc_guest_login(struct gc_request *r, struct gc_vcenter *vcenter,
               struct gc_initiator *worker, const struct gc_map_vm *vm,
               struct gc_want *want, struct gc_entry *ret_entry,
               struct gc_error *err)
{
    const struct gc_tickets_request request = {
        .ref = vm->vm, .want = want, .fresh = true};
    const struct gc_limit limit = {r->deadline, GC_WIRE_FD};
    struct gc_tickets tickets = vcenter->tickets;
    bool reused;
    int pass = -1;
    struct gc_token_check check;
    gc_status st = gc_quota_enter(
        QUOTA, r->store, vcenter->guest->ops->about(vcenter->guest).url,
        r->as.uid, vm->vm, r->deadline, &pass, err);

    if (st != GC_OK)
        return st;
    gc_token_check_init(&check, worker, r->latest);
    tickets.initiator = &check.door;
    memcpy(want->target, vm->target, sizeof(want->target));
    st = gc_vcenter_check(vcenter, vm, limit, err);
    if (st == GC_OK)
        st = gc_tickets_acquire(&tickets, &request, limit, ret_entry, &reused,
                                err);
    worker->ops->end(worker);
    gc_quota_leave(&pass);
    return st;
}

gc_status
gc_guest_login_undo(struct gc_request *r, struct gc_vcenter *vcenter,
                    struct gc_entry *entry, struct gc_error *err)
{
    const struct gc_limit limit = {gc_clock_within(r->end, RELEASE_MS), -1};
    enum gc_released how;

    return gc_tickets_release(&vcenter->tickets, entry, limit, &how, err);
}
