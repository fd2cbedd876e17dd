/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The initiator's half of a security context.  Knows no transport: how many
 * legs there may be, and what ends them, is the caller's.
 */
#include <config.h>

#include "gss/context.h"

#include <string.h>

#include <gssapi/gssapi_ext.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"
#include "gss/source.h"

/* What a Windows client asks for when it is known to succeed in one call. */
#define ALWAYS                                                                 \
    (GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG | GSS_C_REPLAY_FLAG                    \
     | GSS_C_SEQUENCE_FLAG)

void
gc_context_clear(struct gc_context *context)
{
    OM_uint32 ignored;

    if (context->handle != GSS_C_NO_CONTEXT)
        (void)gss_delete_sec_context(&ignored, &context->handle,
                                     GSS_C_NO_BUFFER);
    gc_name_clear(&context->target);
    *context = (struct gc_context){.handle = GSS_C_NO_CONTEXT};
}

/* A token is secret, and the library frees without wiping. */
static void
release_token(gss_buffer_t token)
{
    OM_uint32 ignored;

    if (token->value != NULL)
        explicit_bzero(token->value, token->length);
    (void)gss_release_buffer(&ignored, token);
}

/*
 * Refuse what must not be granted, whatever the peer wishes: a delegated
 * identity, or another mechanism than the pinned one.
 */
static gc_status
check_grant(struct gc_context *context, gss_OID actual, struct gc_error *err)
{
    gc_mech mech = context->mech;
    bool said = gc_mech_from_oid(actual, &mech);

    if (context->mech == GC_MECH_NEGOTIATE && mech == GC_MECH_NEGOTIATE)
        mech = GC_MECH_KERBEROS; /* not said yet, and the only one offered */
    if (said && (mech == GC_MECH_NTLM) != (context->mech == GC_MECH_NTLM))
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s was wanted and %s negotiated instead",
                       gc_mech_word(context->mech), gc_mech_word(mech));
    context->inner = mech;
    if ((context->flags & GSS_C_DELEG_FLAG) != 0)
        return gc_fail(err, GC_E_INTERNAL,
                       "GSS-API would delegate the credential unasked");
    return GC_OK;
}

/*
 * Has the peer proved itself?  The flag only says that we asked, and SPNEGO
 * stays CONTINUE for a token that never comes; but a Kerberos context has a
 * lifetime exactly when it is established, and asked for mutual authentication
 * it is established by the AP-REP.  (Unlike gss_inquire_context this is safe
 * on a half-open context.)
 */
static bool
peer_proved(const struct gc_context *context)
{
    OM_uint32 ignored, lifetime;

    return context->inner == GC_MECH_KERBEROS
           && (context->request & context->flags & GSS_C_MUTUAL_FLAG) != 0
           && gss_context_time(&ignored, context->handle, &lifetime)
                  == GSS_S_COMPLETE;
}

/* Keep what GSS-API made, and see that it can be sent. */
static gc_status
take_token(const struct gc_context *context, const gss_buffer_desc *token,
           struct gc_said *said, struct gc_error *err)
{
    if (token->length > GC_TOKEN_MAX)
        return gc_fail(err, GC_E_NOT_SUPPORTED,
                       "the token has %zu bytes and the guest takes no more "
                       "than %d: the account is in too many groups",
                       token->length, GC_TOKEN_MAX);
    if (token->length == 0 && !context->done)
        return gc_fail(err, GC_E_PROTOCOL,
                       "GSS-API waits for the guest and has nothing to say");
    said->done = context->done;
    return gc_bytes_set(&said->token, token->value, token->length, err);
}

/* One call of gss_init_sec_context; IN is an empty buffer on the first leg. */
static struct gc_verdict
initiate(struct gc_context *context, gss_cred_id_t credential, gc_mech mech,
         gss_buffer_t in, gss_OID *ret_actual, gss_buffer_t out)
{
    struct gc_verdict v = {.mech = gc_mech_oid(mech)};

    v.major = gss_init_sec_context(
        &v.minor, credential, &context->handle, context->target.handle, v.mech,
        context->request, GSS_C_INDEFINITE, GSS_C_NO_CHANNEL_BINDINGS, in,
        ret_actual, out, &context->flags, NULL);
    return v;
}

/*
 * Why was there no first token?  SPNEGO answers every failure of Kerberos with
 * the same code of its own, so ask Kerberos itself.
 */
static gc_status
explain(const struct gc_context *context,
        const struct gc_credential *credential,
        const struct gc_verdict *verdict, struct gc_error *err)
{
    struct gc_context again = {.target = context->target,
                               .request = context->request};
    gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER, out = GSS_C_EMPTY_BUFFER;
    struct gc_verdict own = *verdict;
    OM_uint32 ignored;

    if (context->mech == GC_MECH_NTLM) {
        gc_status st = gc_gssmsg_judge(err, GC_E_NO_CREDENTIAL, verdict,
                                       "no NTLM token for the guest");

        return gc_fail_hint(err, st, GC_SOURCE_NTLM_HINT);
    }
    if (credential->plain != GSS_C_NO_CREDENTIAL) {
        own = initiate(&again, credential->plain, GC_MECH_KERBEROS, &nothing,
                       NULL, &out);
        release_token(&out);
        (void)gss_delete_sec_context(&ignored, &again.handle, GSS_C_NO_BUFFER);
    }
    return gc_gssmsg_judge(err, GC_E_FAILED,
                           GSS_ERROR(own.major) ? &own : verdict,
                           "no ticket for the guest");
}

/* One leg. */
static gc_status
step(struct gc_context *context, const struct gc_credential *credential,
     gss_buffer_t in, struct gc_said *said, struct gc_error *err)
{
    bool first = context->handle == GSS_C_NO_CONTEXT;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER;
    gss_OID actual = GSS_C_NO_OID;
    struct gc_verdict v =
        initiate(context, credential->handle, context->mech, in, &actual, &out);
    gc_status st;

    context->done =
        !GSS_ERROR(v.major) && (v.major & GSS_S_CONTINUE_NEEDED) == 0;
    if (!GSS_ERROR(v.major)) {
        st = check_grant(context, actual, err);
        if (st == GC_OK)
            st = take_token(context, &out, said, err);
    } else if (first) {
        st = explain(context, credential, &v, err);
    } else {
        st = gc_gssmsg_fail(err, GC_E_PROTOCOL, &v,
                            "the guest's challenge cannot be used");
    }
    release_token(&out);
    if (st == GC_OK)
        context->mutual = peer_proved(context);
    return st;
}

gc_status
gc_context_first(struct gc_context *context,
                 const struct gc_credential *credential,
                 const struct gc_spn *target, bool mutual,
                 struct gc_said *ret_said, struct gc_error *err)
{
    GC_AUTO(gc_said) said = {.done = false};
    gss_buffer_desc nothing = GSS_C_EMPTY_BUFFER;
    gc_status st;

    gc_context_clear(context);
    context->mech = credential->mech;
    context->inner = credential->mech;
    context->request =
        ALWAYS | (mutual ? GSS_C_MUTUAL_FLAG | GSS_C_DCE_STYLE : 0);
    st = gc_name_import_target(target, credential->mech, &context->target, err);
    if (st == GC_OK)
        st = step(context, credential, &nothing, &said, err);
    if (st == GC_OK && said.token.len == 0)
        st = gc_fail(err, GC_E_INTERNAL, "GSS-API made no first token");
    if (st != GC_OK) {
        gc_context_clear(context);
        return st;
    }
    gc_bytes_move(&ret_said->token, &said.token);
    ret_said->done = said.done;
    return GC_OK;
}

static gc_status
next(struct gc_context *context, const struct gc_credential *credential,
     const struct gc_bytes *challenge, struct gc_said *said,
     struct gc_error *err)
{
    gss_buffer_desc in = {challenge->len, challenge->data};
    gc_status st = GC_OK;

    if (challenge->len > GC_TOKEN_MAX)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the guest's challenge has more than %d bytes",
                       GC_TOKEN_MAX);
    if (!context->done) {
        /* Also because MIT's SPNEGO crashes on a NULL token. */
        if (challenge->len == 0)
            return gc_fail(err, GC_E_PROTOCOL,
                           "the guest sent an empty challenge");
        st = step(context, credential, &in, said, err);
    }
    if (st != GC_OK || said->token.len > 0)
        return st;
    /* SSPI's "OK, no output": our side is done, theirs may not know it yet. */
    if (context->waved)
        return gc_fail(err, GC_E_PROTOCOL,
                       "the guest goes on after the exchange has ended");
    context->waved = true;
    said->done = true;
    return GC_OK;
}

gc_status
gc_context_next(struct gc_context *context,
                const struct gc_credential *credential,
                const struct gc_bytes *challenge, struct gc_said *ret_said,
                struct gc_error *err)
{
    GC_AUTO(gc_said) said = {.done = false};
    gc_status st;

    if (context->handle == GSS_C_NO_CONTEXT)
        return gc_fail(err, GC_E_INTERNAL, "no exchange is under way");
    st = next(context, credential, challenge, &said, err);
    if (st != GC_OK) {
        gc_context_clear(context);
        return st;
    }
    gc_bytes_move(&ret_said->token, &said.token);
    ret_said->done = said.done;
    return GC_OK;
}

void
gc_context_facts(const struct gc_context *context, struct gc_facts *facts)
{
    facts->mech = context->inner;
    facts->mutual = context->mutual;
    facts->flags = context->flags;
}
