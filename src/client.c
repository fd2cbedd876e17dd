/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gss/spn.h"
#include "src/acquire.h"
#include "src/patience.h"

struct gc_client {
    struct gc_http *http;
    struct gc_session *session;
    struct gc_session_login login;
    void (*log)(void *user, const char *line);
    void *log_user;
};

void
gc_client_say(struct gc_client *client, const char *fmt, ...)
{
    char raw[512], line[1024];
    va_list args;

    if (client->log == NULL)
        return;
    va_start(args, fmt);
    (void)vsnprintf(raw, sizeof(raw), fmt, args);
    va_end(args);
    gc_escape(line, sizeof(line), raw, strlen(raw));
    client->log(client->log_user, line);
}

gc_status
gc_client_new(const struct gc_client_options *options,
              struct gc_client **ret_client, struct gc_error *err)
{
    GC_AUTO_PTR(gc_client) client = calloc(1, sizeof(*client));
    gc_status st;

    if (client == NULL)
        return gc_fail_no_memory(err);
    client->login = options->login;
    client->log = options->log;
    client->log_user = options->log_user;
    st = gc_http_new(&options->http, &client->http, err);
    if (st != GC_OK)
        return st;
    st = gc_session_new(client->http, &client->login, &client->session, err);
    if (st != GC_OK)
        return st;
    *ret_client = GC_TAKE(client);
    return GC_OK;
}

void
gc_client_free(struct gc_client *client)
{
    if (client == NULL)
        return;
    gc_session_free(client->session);
    gc_http_free(client->http);
    free(client);
}

struct gc_session *
gc_client_session(struct gc_client *client)
{
    return client->session;
}

/* ---- trying again ---- */

/* One call of the facade, as it goes on from attempt to attempt. */
struct effort {
    struct gc_client *client;
    struct gc_patience patience;
    bool logged_in_again;
};

static struct effort
effort(struct gc_client *client, struct gc_limit limit)
{
    return (struct effort){.client = client, .patience = {.limit = limit}};
}

static void
tell_pause(void *user, const struct gc_error *err, int pause_ms)
{
    gc_client_say(user, "%s; trying again in %d ms", err->message, pause_ms);
}

/* The guest saw nothing of a call that was NotAuthenticated. */
static bool
log_in_again(struct effort *e, struct gc_error *err)
{
    struct gc_error why = {0};

    if (e->logged_in_again)
        return false;
    e->logged_in_again = true;
    gc_client_say(e->client, "the vCenter session is gone: logging in again");
    if (gc_session_relogin(e->client->session, e->patience.limit, &why)
        == GC_OK)
        return true;
    *err = why;
    return false;
}

/* False: give up with ERR, which is then what the caller shall see. */
static bool
try_again(struct effort *e, struct gc_error *err)
{
    if (err->again && strcmp(err->fault, "NotAuthenticated") == 0)
        return log_in_again(e, err);
    return gc_patience_wait(&e->patience, err, tell_pause, e->client);
}

/* Validate and Release may be repeated whatever became of the last one. */
static bool
try_again_harmless(struct effort *e, struct gc_error *err)
{
    if (err->status == GC_E_UNAVAILABLE && err->fault[0] == '\0')
        err->again = true;
    return try_again(e, err);
}

static gc_status
give_up(const struct gc_error *why, struct gc_error *err)
{
    if (err != NULL)
        *err = *why;
    return why->status;
}

/* ---- locate ---- */

/*
 * Put the VM's inventory name for "{vm}".  Only a name that can stand in a host
 * name is taken: who may rename a VM must not write the rest of the target.
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
locate(struct gc_client *client, const char *ref, struct gc_limit limit,
       char target[GC_TARGET_SIZE], struct gc_place *ret_place,
       struct gc_error *err)
{
    struct gc_place place = {0};
    struct gc_spn spn;
    gc_status st;

    st = gc_inventory_find(client->session, ref, limit, place.vm, err);
    if (st != GC_OK)
        return st;
    if (strcmp(place.vm, ref) != 0)
        gc_client_say(client, "%s is %s", ref, place.vm);
    if (target != NULL && strstr(target, "{vm}") != NULL) {
        st = gc_inventory_name(client->session, place.vm, limit, place.name,
                               err);
        if (st == GC_OK)
            st = fill_target(&place, target, err);
        if (st != GC_OK)
            return st;
    }
    if (target != NULL) {
        st = gc_spn_parse(target, &spn, err);
        if (st != GC_OK)
            return st;
        gc_spn_print(&spn, target);
    }
    *ret_place = place;
    return GC_OK;
}

gc_status
gc_client_locate(struct gc_client *client, const char *ref,
                 struct gc_limit limit, char *target,
                 struct gc_place *ret_place, struct gc_error *err)
{
    struct effort e = effort(client, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = locate(client, ref, limit, target, ret_place, &why);
    } while (st != GC_OK && try_again(&e, &why));
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

/* ---- validate and release ---- */

bool
gc_client_is_foreign(struct gc_client *client, const struct gc_ticket *ticket)
{
    const struct gc_session_facts *vc = gc_session_facts(client->session);

    return ticket->vcenter[0] != '\0' && vc->instance_uuid[0] != '\0'
           && strcmp(ticket->vcenter, vc->instance_uuid) != 0;
}

/* A ticket must not be shown to a vCenter that it is not from. */
static gc_status
check_vcenter(struct gc_client *client, const struct gc_ticket *ticket,
              struct gc_limit limit, struct gc_error *err)
{
    const struct gc_session_facts *vc = gc_session_facts(client->session);
    gc_status st = gc_session_open(client->session, limit, err);

    if (st != GC_OK)
        return st;
    if (gc_client_is_foreign(client, ticket)) {
        st = gc_fail(err, GC_E_CONFIG,
                     "the ticket for %s is from vCenter %s, but %s is %s",
                     ticket->vm, ticket->vcenter,
                     gc_session_url(client->session), vc->instance_uuid);
        return gc_fail_hint(err, st, "give that vCenter's --url");
    }
    return GC_OK;
}

gc_status
gc_client_validate(struct gc_client *client, const struct gc_ticket *ticket,
                   struct gc_limit limit, struct gc_error *err)
{
    struct effort e = effort(client, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = check_vcenter(client, ticket, limit, &why);
        if (st == GC_OK)
            st = gc_auth_manager_validate(client->session, ticket->vm,
                                          &ticket->ticket, limit, &why);
    } while (st != GC_OK && try_again_harmless(&e, &why));
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

gc_status
gc_client_release(struct gc_client *client, const struct gc_ticket *ticket,
                  struct gc_limit limit, enum gc_released *ret_how,
                  struct gc_error *err)
{
    struct effort e = effort(client, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = check_vcenter(client, ticket, limit, &why);
        if (st == GC_OK)
            st = gc_auth_manager_release(client->session, ticket->vm,
                                         &ticket->ticket, limit, ret_how, &why);
    } while (st != GC_OK && try_again_harmless(&e, &why));
    return st == GC_OK ? GC_OK : give_up(&why, err);
}

void
gc_client_logout(struct gc_client *client)
{
    struct gc_error why = {0};

    if (gc_session_logout(client->session, gc_limit_grace(GC_CLIENT_GRACE_MS),
                          &why)
        != GC_OK)
        gc_client_say(client, "logging out of vCenter failed: %s", why.message);
}

/* ---- acquire ---- */

/* What every attempt has in common; all borrowed. */
struct attempt {
    struct gc_client *client;
    struct gc_initiator *initiator;
    const struct gc_place *place;
    const struct gc_want *want;
    struct gc_limit limit;
    const struct gc_witness *witness;
};

static gc_status
intent(const struct gc_witness *w, const struct gc_place *place,
       struct gc_error *err)
{
    return w == NULL ? GC_OK : w->intent(w->user, place, err);
}

static gc_status
testify(const struct gc_witness *w, const struct gc_bytes *ticket,
        struct gc_error *err)
{
    return w == NULL ? GC_OK : w->ticket(w->user, ticket, err);
}

/* Best effort: the release is tried all the same. */
static void
owe(struct gc_client *client, const struct gc_witness *w,
    const struct gc_bytes *ticket)
{
    struct gc_error why = {0};

    if (w != NULL && w->owe(w->user, ticket, &why) != GC_OK)
        gc_client_say(client, "%s", why.message);
}

static void
nothing(const struct gc_witness *w)
{
    if (w != NULL)
        w->nothing(w->user);
}

/* The legs failed: what is left of them in the guest? */
static void
testify_failure(struct attempt *a, const struct gc_exchange *exchange)
{
    const struct gc_witness *w = a->witness;

    if (exchange->owed.len > 0)
        owe(a->client, w, &exchange->owed);
    else if (!exchange->lost)
        nothing(w);
    else if (w != NULL)
        w->lost(w->user);
}

/* A ticket nobody will get must not stay in the guest. */
static void
give_back(struct gc_client *client, struct gc_ticket *ticket,
          const struct gc_witness *witness, struct gc_error *err)
{
    enum gc_released how;
    struct gc_error why = {0};
    gc_status st;

    owe(client, witness, &ticket->ticket);
    st = gc_client_release(client, ticket, gc_limit_grace(GC_CLIENT_GRACE_MS),
                           &how, &why);
    if (st == GC_OK) {
        nothing(witness);
        return;
    }
    gc_client_say(client, "releasing the unused ticket failed: %s",
                  why.message);
    (void)gc_fail_hint(err, err->status,
                       "a ticket stays behind in %s: it could not be released "
                       "(%s)",
                       ticket->vm, why.message);
}

static void
describe(struct gc_client *client, const struct gc_place *place,
         const struct gc_facts *facts, int legs, struct gc_ticket *t)
{
    const struct gc_session_facts *vc = gc_session_facts(client->session);

    t->mech = facts->mech;
    t->mutual = facts->mutual;
    t->legs = legs;
    t->acquired = (int64_t)time(NULL);
    (void)snprintf(t->vm, sizeof(t->vm), "%s", place->vm);
    (void)snprintf(t->name, sizeof(t->name), "%s", place->name);
    (void)snprintf(t->vcenter, sizeof(t->vcenter), "%s", vc->instance_uuid);
    (void)snprintf(t->principal, sizeof(t->principal), "%s", facts->principal);
    (void)snprintf(t->target, sizeof(t->target), "%s", facts->target);
}

/* A handshake of which the witness has heard, up to a ticket that it knows. */
static gc_status
shake_hands(struct attempt *a, const struct gc_said *first,
            struct gc_ticket *ticket, struct gc_error *err)
{
    GC_AUTO(gc_exchange) exchange = {0};
    struct gc_facts facts = {0};
    gc_status st;

    exchange.session = a->client->session;
    exchange.vm = a->place->vm;
    exchange.tell = a->client->log;
    exchange.tell_user = a->client->log_user;
    exchange.limit = a->limit;
    st = gc_acquire_run(a->initiator, first, &exchange, &ticket->ticket, err);
    if (st != GC_OK) {
        testify_failure(a, &exchange);
        return st;
    }
    st = testify(a->witness, &ticket->ticket, err);
    if (st == GC_OK)
        st = a->initiator->ops->facts(a->initiator, &facts, err);
    if (st == GC_OK && a->want->mutual && !facts.mutual) {
        st = gc_fail(err, GC_E_PROTOCOL,
                     "the guest of VM %s issued a ticket without proving "
                     "itself",
                     a->place->vm);
        (void)gc_fail_hint(err, st,
                           "without --mutual that would be taken on trust");
    }
    if (st == GC_OK && gc_limit_canceled(a->limit))
        st = gc_fail(err, GC_E_CANCELED, "interrupted");
    describe(a->client, a->place, &facts, exchange.legs, ticket);
    if (st != GC_OK)
        give_back(a->client, ticket, a->witness, err);
    return st;
}

/* Fresh context, the legs, what came of it. */
static gc_status
attempt(struct attempt *a, struct gc_ticket *ret_ticket, struct gc_error *err)
{
    GC_AUTO(gc_said) first = {0};
    GC_AUTO(gc_ticket) ticket = {0};
    gc_status st;

    gc_client_say(a->client, "%s: asking %s for a token for %s", a->place->vm,
                  a->want->mech == GC_MECH_NTLM ? "NTLM" : "Kerberos",
                  a->want->target);
    st = a->initiator->ops->begin(a->initiator, a->want, &first, err);
    if (st == GC_OK && !gc_session_spoke(a->client->session))
        gc_client_say(a->client, "speaking to vCenter at %s",
                      gc_session_url(a->client->session));
    if (st == GC_OK)
        st = gc_session_open(a->client->session, a->limit, err);
    if (st == GC_OK)
        st = intent(a->witness, a->place, err);
    if (st == GC_OK)
        st = shake_hands(a, &first, &ticket, err);
    if (st == GC_OK)
        gc_ticket_move(ret_ticket, &ticket);
    return st;
}

gc_status
gc_client_acquire(struct gc_client *client, struct gc_initiator *initiator,
                  const struct gc_place *place, const struct gc_want *want,
                  struct gc_limit limit, const struct gc_witness *witness,
                  struct gc_ticket *ret_ticket, struct gc_error *err)
{
    struct attempt a = {client, initiator, place, want, limit, witness};
    struct effort e = effort(client, limit);
    struct gc_error why = {0};
    gc_status st;

    do {
        st = attempt(&a, ret_ticket, &why);
        if (st != GC_OK)
            initiator->ops->end(initiator);
    } while (st != GC_OK && try_again(&e, &why));
    return st == GC_OK ? GC_OK : give_up(&why, err);
}
