/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A guest's SSPI acceptor: Kerberos raw or in SPNEGO, and NTLM where a guest
 * asks for it and the mechanism is installed.  Windows takes the same through
 * its Negotiate package.
 */

#include <config.h>

#include "tests/lab/acceptor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <gssapi/gssapi.h>
#include <gssapi/gssapi_ext.h> /* gss_set_neg_mechs */
#include <gssapi/gssapi_krb5.h>

struct gc_acceptor {
    gss_cred_id_t credential;
};

struct gc_acceptance {
    gss_ctx_id_t context;
};

static gss_OID_desc kerberos_oid = {
    9, (void *)(uintptr_t) "\x2a\x86\x48\x86\xf7\x12\x01\x02\x02"};
static gss_OID_desc spnego_oid = {
    6, (void *)(uintptr_t) "\x2b\x06\x01\x05\x05\x02"};
static gss_OID_desc ntlm_oid = {
    10, (void *)(uintptr_t) "\x2b\x06\x01\x04\x01\x82\x37\x02\x02\x0a"};

static void
complain(const char *what, OM_uint32 major, OM_uint32 minor)
{
    OM_uint32 more = 0, ignored;
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;

    fprintf(stderr, "guestcred-vcsim: %s: GSS %08x", what, (unsigned)major);
    if (gss_display_status(&ignored, minor, GSS_C_MECH_CODE, &kerberos_oid,
                           &more, &text)
        == GSS_S_COMPLETE) {
        fprintf(stderr, ": %.*s", (int)text.length, (char *)text.value);
        gss_release_buffer(&ignored, &text);
    }
    fputs("\n", stderr);
}

static OM_uint32
acquire(const char *keytab, bool kerberos, bool ntlm, gss_cred_id_t *ret)
{
    gss_OID_desc inner[2], all[3];
    gss_OID_set_desc inner_set = {0, inner}, all_set = {0, all};
    OM_uint32 major, minor = 0, ignored;

    if (kerberos)
        inner[inner_set.count++] = all[all_set.count++] = kerberos_oid;
    if (ntlm)
        inner[inner_set.count++] = all[all_set.count++] = ntlm_oid;
    all[all_set.count++] = spnego_oid;
    /*
     * Not through a credential store: gss-ntlmssp 1.2.0, given one without a
     * name, makes an acceptor credential that it later crashes on.
     */
    major = krb5_gss_register_acceptor_identity(
        keytab[0] != '\0' ? keytab : "/nonexistent");
    if (major == GSS_S_COMPLETE)
        major = gss_acquire_cred(&minor, GSS_C_NO_NAME, GSS_C_INDEFINITE,
                                 &all_set, GSS_C_ACCEPT, ret, NULL, NULL);
    if (GSS_ERROR(major)) {
        complain("acquiring a guest's keys", major, minor);
        return major;
    }
    major = gss_set_neg_mechs(&minor, *ret, &inner_set);
    if (GSS_ERROR(major)) {
        complain("limiting a guest's mechanisms", major, minor);
        gss_release_cred(&ignored, ret);
    }
    return major;
}

struct gc_acceptor *
gc_acceptor_new(const char *keytab, bool kerberos, bool ntlm)
{
    struct gc_acceptor *acceptor;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;

    if (GSS_ERROR(acquire(keytab, kerberos, ntlm, &credential)))
        return NULL;
    acceptor = gc_text_grab(1, sizeof(*acceptor));
    acceptor->credential = credential;
    return acceptor;
}

void
gc_acceptor_free(struct gc_acceptor *acceptor)
{
    OM_uint32 minor;

    if (acceptor != NULL)
        gss_release_cred(&minor, &acceptor->credential);
    free(acceptor);
}

static bool
same_oid(gss_const_OID a, const gss_OID_desc *b)
{
    return a != NULL && a->length == b->length
           && memcmp(a->elements, b->elements, b->length) == 0;
}

static void
describe(gss_name_t name, gss_const_OID mechanism, struct gc_peer *peer)
{
    gss_buffer_desc text = GSS_C_EMPTY_BUFFER;
    OM_uint32 minor;

    if (gss_display_name(&minor, name, &text, NULL) == GSS_S_COMPLETE)
        snprintf(peer->name, sizeof(peer->name), "%.*s", (int)text.length,
                 (char *)text.value);
    gss_release_buffer(&minor, &text);
    snprintf(peer->mechanism, sizeof(peer->mechanism), "%s",
             same_oid(mechanism, &kerberos_oid) ? "kerberos"
             : same_oid(mechanism, &ntlm_oid)   ? "ntlm"
             : same_oid(mechanism, &spnego_oid) ? "negotiate"
                                                : "other");
}

enum gc_verdict
gc_acceptor_leg(const struct gc_acceptor *acceptor,
                struct gc_acceptance **acceptance, const struct gc_text *token,
                struct gc_text *out, struct gc_peer *peer)
{
    /* Never a NULL value: MIT's SPNEGO and gss-ntlmssp crash on it. */
    gss_buffer_desc in = {token->len, token->len > 0 ? token->data
                                                     : (void *)(uintptr_t) ""};
    gss_buffer_desc said = GSS_C_EMPTY_BUFFER;
    gss_name_t name = GSS_C_NO_NAME;
    gss_OID mechanism = GSS_C_NO_OID;
    OM_uint32 major, minor;

    if (*acceptance == NULL)
        *acceptance = gc_text_grab(1, sizeof(**acceptance));
    major = gss_accept_sec_context(
        &minor, &(*acceptance)->context, acceptor->credential, &in,
        GSS_C_NO_CHANNEL_BINDINGS, &name, &mechanism, &said, NULL, NULL, NULL);
    gc_text_add(out, said.value, said.length);
    gss_release_buffer(&minor, &said);
    if (major == GSS_S_COMPLETE)
        describe(name, mechanism, peer);
    gss_release_name(&minor, &name);
    if (GSS_ERROR(major))
        return GC_VERDICT_REFUSED;
    return (major & GSS_S_CONTINUE_NEEDED) != 0 ? GC_VERDICT_CONTINUE
                                                : GC_VERDICT_ACCEPTED;
}

void
gc_acceptor_end(struct gc_acceptance *acceptance)
{
    OM_uint32 minor;

    if (acceptance != NULL)
        gss_delete_sec_context(&minor, &acceptance->context, GSS_C_NO_BUFFER);
    free(acceptance);
}
