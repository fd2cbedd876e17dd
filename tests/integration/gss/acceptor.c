/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/integration/gss/acceptor.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <setjmp.h>

#include <cmocka.h>

#include <krb5.h>

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

void
add_others(const char *name, int count)
{
    krb5_context krb5;
    krb5_ccache cache;
    krb5_principal owner;
    krb5_creds match = {0}, creds;

    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_cc_resolve(krb5, name, &cache), 0);
    assert_int_equal(krb5_cc_get_principal(krb5, cache, &owner), 0);
    match.client = owner;
    assert_int_equal(krb5_build_principal(krb5, &match.server, 12,
                                          "EXAMPLE.TEST", "krbtgt",
                                          "EXAMPLE.TEST", NULL),
                     0);
    assert_int_equal(krb5_cc_retrieve_cred(krb5, cache, 0, &match, &creds), 0);
    for (int i = 0; i < count; i++) {
        krb5_principal tgs = creds.server;
        char host[64];

        (void)snprintf(host, sizeof(host), "other%d.example.test", i);
        assert_int_equal(krb5_build_principal(krb5, &creds.server, 12,
                                              "EXAMPLE.TEST", "host", host,
                                              NULL),
                         0);
        creds.ticket.data[creds.ticket.length - 1] ^= (char)(1 + i % 255);
        assert_int_equal(krb5_cc_store_cred(krb5, cache, &creds), 0);
        krb5_free_principal(krb5, creds.server);
        creds.server = tgs;
    }
    krb5_free_cred_contents(krb5, &creds);
    krb5_free_principal(krb5, match.server);
    krb5_free_principal(krb5, owner);
    (void)krb5_cc_close(krb5, cache);
    krb5_free_context(krb5);
}
