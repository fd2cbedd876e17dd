/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Statements that only tell something.  No answer holds a ticket, a session id
 * or a token.
 */

#include <config.h>

#include "tests/lab/query.h"

#include <inttypes.h>
#include <string.h>

#include "tests/lab/guest.h"
#include "tests/lab/journal.h"
#include "tests/lab/login.h"
#include "tests/lab/loop.h"
#include "tests/lab/rule.h"
#include "tests/lab/wire.h"

static bool
tell(struct gc_text *out, uint64_t number)
{
    gc_text_printf(out, "%" PRIu64 "\n", number);
    return true;
}

static bool
tell_requests(char *const *words, size_t count, struct gc_text *out)
{
    return tell(out, gc_journal_requests(count > 1 ? words[1] : "*",
                                         count > 2 ? words[2] : "*"));
}

static bool
tell_vm(struct gc_world *world, char *const *words, size_t count,
        struct gc_text *out)
{
    uint64_t number = 0;
    bool any = false;
    struct gc_vm *vm;

    for (vm = world->vms; vm != NULL; vm = vm->next) {
        if (count > 1 && strcmp(words[1], vm->id) != 0)
            continue;
        any = true;
        if (strcmp(words[0], "tickets") == 0)
            number += gc_guest_tickets(vm);
        else if (strcmp(words[0], "handshakes") == 0)
            number += gc_guest_handshakes(vm);
        else
            number +=
                strcmp(words[0], "issued") == 0 ? vm->issued : vm->released;
    }
    if (!any && count > 1) {
        gc_text_printf(out, "no such VM: %s", words[1]);
        return false;
    }
    return tell(out, number);
}

static void
list_tickets(struct gc_world *world, struct gc_text *out)
{
    const struct gc_ticket *ticket;
    struct gc_vm *vm;

    for (vm = world->vms; vm != NULL; vm = vm->next) {
        gc_guest_reap(vm);
        for (ticket = vm->tickets; ticket != NULL; ticket = ticket->next)
            gc_text_printf(out, "%s %s %s legs=%u idle=%.1f\n", vm->id,
                           ticket->peer.name, ticket->peer.mechanism,
                           ticket->legs, gc_loop_now() - ticket->used);
    }
}

static void
list_handshakes(struct gc_world *world, struct gc_text *out)
{
    const struct gc_handshake *handshake;
    struct gc_vm *vm;

    for (vm = world->vms; vm != NULL; vm = vm->next) {
        gc_guest_reap(vm);
        for (handshake = vm->handshakes; handshake != NULL;
             handshake = handshake->next)
            gc_text_printf(out, "%s %" PRId64 " legs=%u age=%.1f\n", vm->id,
                           handshake->id, handshake->legs,
                           gc_loop_now() - handshake->started);
    }
}

static void
list_vms(const struct gc_world *world, struct gc_text *out)
{
    const struct gc_vm *vm;

    for (vm = world->vms; vm != NULL; vm = vm->next)
        gc_text_printf(out, "%s %s\n", vm->id, vm->name);
}

static void
list_sessions(const struct gc_world *world, struct gc_text *out)
{
    const struct gc_visit *visit;

    (void)gc_login_count(world);
    for (visit = gc_login_first(); visit != NULL; visit = visit->next)
        gc_text_printf(out, "%u calls=%u idle=%.1f agent=%s\n", visit->number,
                       visit->calls, gc_loop_now() - visit->used, visit->agent);
}

static bool
list(struct gc_world *world, const char *what, struct gc_text *out)
{
    if (strcmp(what, "tickets") == 0)
        list_tickets(world, out);
    else if (strcmp(what, "handshakes") == 0)
        list_handshakes(world, out);
    else if (strcmp(what, "vms") == 0)
        list_vms(world, out);
    else if (strcmp(what, "sessions") == 0)
        list_sessions(world, out);
    else if (strcmp(what, "requests") == 0)
        gc_journal_list(out);
    else if (strcmp(what, "rules") == 0)
        gc_rule_list(out);
    else {
        gc_text_puts(out, "list tickets, handshakes, vms, sessions, requests "
                          "or rules");
        return false;
    }
    return true;
}

bool
gc_query_do(struct gc_world *world, char *const *words, size_t count,
            struct gc_text *out)
{
    const char *verb = words[0];

    if (strcmp(verb, "requests") == 0 && count <= 3)
        return tell_requests(words, count, out);
    if ((strcmp(verb, "tickets") == 0 || strcmp(verb, "handshakes") == 0
         || strcmp(verb, "issued") == 0 || strcmp(verb, "released") == 0)
        && count <= 2)
        return tell_vm(world, words, count, out);
    if (strcmp(verb, "sessions") == 0 && count == 1)
        return tell(out, gc_login_count(world));
    if (strcmp(verb, "connections") == 0 && count == 1)
        return tell(out, gc_wire_count());
    if (strcmp(verb, "port") == 0 && count == 1)
        return tell(out, gc_wire_port());
    if (strcmp(verb, "list") == 0 && count == 2)
        return list(world, words[1], out);
    gc_text_printf(out, "unknown statement: %s", verb);
    return false;
}
