/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/tickets/challenge.h"

gc_status
gc_challenge_run(struct gc_initiator *ours, const struct gc_said *first,
                 struct gc_guest *guest, struct gc_exchange *exchange,
                 struct gc_bytes *ret_ticket, struct gc_error *err)
{
    GC_AUTO(gc_said) said = {0};
    GC_AUTO(gc_bytes) answer = {0};
    const struct gc_bytes *token = &first->token;
    enum gc_leg leg;
    gc_status st;

    for (;;) {
        st = guest->ops->leg(guest, exchange, token, &leg, &answer, err);
        if (st != GC_OK)
            return st;

        /*
         * The ticket ends the exchange, not GSS_S_COMPLETE.  A reply that
         * carries a ticket has no room for a last acceptor token, so SPNEGO
         * may still be waiting for one that will never come.
         */
        if (leg == GC_LEG_TICKET) {
            gc_bytes_move(ret_ticket, &answer);
            return GC_OK;
        }
        if (exchange->legs >= GC_CHALLENGE_LEGS_MAX)
            return gc_fail(err, GC_E_PROTOCOL,
                           "the guest still asks for more after %d calls",
                           GC_CHALLENGE_LEGS_MAX);

        st = ours->ops->answer(ours, &answer, &said, err);
        if (st != GC_OK)
            return st;
        token = &said.token;
    }
}
