/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/integration/gss/acceptor.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

void
acceptor_clear(struct acceptor *acceptor)
{
    OM_uint32 ignored;

    (void)gss_delete_sec_context(&ignored, &acceptor->context, GSS_C_NO_BUFFER);
    *acceptor = (struct acceptor){.context = GSS_C_NO_CONTEXT};
}

static void
note_client(struct acceptor *acceptor, gss_name_t name)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 ignored;

    if (gss_display_name(&ignored, name, &text, NULL) != GSS_S_COMPLETE)
        return;
    (void)snprintf(acceptor->client, sizeof(acceptor->client), "%.*s",
                   (int)text.length, (const char *)text.value);
    (void)gss_release_buffer(&ignored, &text);
}

void
acceptor_step(struct acceptor *acceptor, const struct gc_bytes *token,
              struct gc_bytes *ret_challenge)
{
    gss_buffer_desc in = {token->len, token->data};
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    gss_cred_id_t delegated = GSS_C_NO_CREDENTIAL;
    gss_name_t client = GSS_C_NO_NAME;
    OM_uint32 minor;

    acceptor->major = gss_accept_sec_context(
        &minor, &acceptor->context, GSS_C_NO_CREDENTIAL, &in,
        GSS_C_NO_CHANNEL_BINDINGS, &client, &acceptor->mech, &out,
        &acceptor->flags, NULL, &delegated);
    if (acceptor->major == GSS_S_COMPLETE) {
        note_client(acceptor, client);
        acceptor->delegated = delegated != GSS_C_NO_CREDENTIAL;
    }
    assert_int_equal(gc_bytes_set(ret_challenge, out.value, out.length, NULL),
                     GC_OK);
    (void)gss_release_buffer(&minor, &out);
    (void)gss_release_name(&minor, &client);
    (void)gss_release_cred(&minor, &delegated);
}

struct outcome
acceptor_exchange(struct gc_initiator *initiator, const struct gc_want *want)
{
    struct outcome outcome = {.status = GC_OK};
    struct acceptor acceptor = {.context = GSS_C_NO_CONTEXT};
    GC_AUTO(gc_bytes) challenge = {0};
    GC_AUTO(gc_said) said = {.done = false};

    outcome.status =
        initiator->ops->begin(initiator, want, &said, &outcome.error);
    while (outcome.status == GC_OK && outcome.legs < 10) {
        outcome.legs++;
        outcome.done = said.done;
        acceptor_step(&acceptor, &said.token, &challenge);
        if (acceptor.major != GSS_S_CONTINUE_NEEDED)
            break;
        outcome.status = initiator->ops->answer(initiator, &challenge, &said,
                                                &outcome.error);
    }
    outcome.accepted = outcome.legs > 0 && acceptor.major == GSS_S_COMPLETE;
    outcome.flags = acceptor.flags;
    outcome.delegated = acceptor.delegated;
    memcpy(outcome.client, acceptor.client, sizeof(outcome.client));
    if (outcome.status == GC_OK)
        outcome.status =
            initiator->ops->facts(initiator, &outcome.facts, &outcome.error);
    initiator->ops->end(initiator);
    acceptor_clear(&acceptor);
    return outcome;
}

struct outcome
acceptor_try(const struct gc_want *want)
{
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();

    assert_non_null(initiator);
    return acceptor_exchange(initiator, want);
}

const struct gc_bytes *
password(const char *text)
{
    static struct gc_bytes kept[8];
    static unsigned int turn;
    struct gc_bytes *bytes = &kept[turn++ % 8];

    assert_int_equal(gc_bytes_set(bytes, text, strlen(text), NULL), GC_OK);
    return bytes;
}
