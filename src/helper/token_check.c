/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/token_check.h"

#include "src/base/clock.h"

static struct gc_initiator *
behind(struct gc_initiator *door)
{
    return ((struct gc_token_check *)door)->worker;
}

/* Is there enough time for the guest to answer? */
static gc_status
in_time(struct gc_initiator *door, struct gc_error *err)
{
    struct gc_initiator *worker = behind(door);

    if (gc_clock_now() < ((struct gc_token_check *)door)->latest)
        return GC_OK;
    worker->ops->end(worker);
    return gc_fail(err, GC_E_UNAVAILABLE,
                   "it is too late to ask the guest within the deadline");
}

static gc_status
who(struct gc_initiator *door, const struct gc_want *want,
    char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    struct gc_initiator *worker = behind(door);

    return worker->ops->who(worker, want, ret_principal, err);
}

/* With mutual authentication the token is SPNEGO, whatever the mechanism. */
static gc_status
begin(struct gc_initiator *door, const struct gc_want *want,
      struct gc_said *ret_said, struct gc_error *err)
{
    struct gc_initiator *worker = behind(door);
    GC_AUTO(gc_said) said = {.done = false};
    gc_mech mech = want->mutual ? GC_MECH_NEGOTIATE : want->mech;
    gc_status st = worker->ops->begin(worker, want, &said, err);

    if (st == GC_OK)
        st = in_time(door, err);
    if (st != GC_OK)
        return st;
    if (!gc_mech_is_first_token(&said.token, mech)) {
        worker->ops->end(worker);
        return gc_fail(err, GC_E_INTERNAL,
                       "the user's process made a token that is not %s",
                       gc_mech_word(mech));
    }
    gc_bytes_move(&ret_said->token, &said.token);
    ret_said->done = said.done;
    return GC_OK;
}

static gc_status
answer(struct gc_initiator *door, const struct gc_bytes *challenge,
       struct gc_said *ret_said, struct gc_error *err)
{
    struct gc_initiator *worker = behind(door);

    gc_status st = worker->ops->answer(worker, challenge, ret_said, err);

    return st == GC_OK ? in_time(door, err) : st;
}

static gc_status
facts(struct gc_initiator *door, struct gc_facts *ret_facts,
      struct gc_error *err)
{
    struct gc_initiator *worker = behind(door);

    return worker->ops->facts(worker, ret_facts, err);
}

static void
end(struct gc_initiator *door)
{
    struct gc_initiator *worker = behind(door);

    worker->ops->end(worker);
}

/* Nothing is on the heap, and the worker is borrowed. */
static void
leave(struct gc_initiator *door)
{
    (void)door;
}

void
gc_token_check_init(struct gc_token_check *check, struct gc_initiator *worker,
                    int64_t latest)
{
    static const struct gc_initiator_ops ops = {who,   begin, answer,
                                                facts, end,   leave};

    check->door.ops = &ops;
    check->worker = worker;
    check->latest = latest;
}
