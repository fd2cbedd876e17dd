/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/proof.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "gss/account.h"
#include "gss/verifier.h"
#include "src/helper/frame.h"
#include "src/helper/run_as.h"

/*
 * Replay caches of root's, one for each account, because the library locks
 * them: a user that stops their own verifier must not block others.  A token is
 * good for one account only.
 */
#define REPLAYS "file2:" GC_REQUEST_LOGINS "/%lu/replay"

/* ---- the verifier ---- */

#define OP_VERIFY 2 /* its body is the token */

/* The child that reads the host's keytab, and does nothing else. */
struct verifier {
    struct gc_child child;
    const char *keytab;
    uid_t uid;
};

static void
verifier_clear(struct verifier *v)
{
    gc_child_end(&v->child);
}
#define VERIFIER __attribute__((cleanup(verifier_clear))) struct verifier

static gc_status
verify(const struct verifier *v, const char *target,
       const struct gc_bytes *token, struct gc_bytes *ret_principal,
       struct gc_error *err)
{
    struct gc_verified verified;
    char replays[sizeof(REPLAYS) + 24];
    gc_status st;

    (void)snprintf(replays, sizeof(replays), REPLAYS, (unsigned long)v->uid);
    st = gc_verifier_check(v->keytab, target, replays, token, &verified, err);
    return st == GC_OK ? gc_bytes_set(ret_principal, verified.principal,
                                      strlen(verified.principal), err)
                       : st;
}

/* Send the target for the token, receive the token, send its principal. */
static void
serve(int socket, void *user)
{
    const struct verifier *v = user;
    GC_AUTO(gc_bytes) said = {0};
    GC_AUTO(gc_bytes) token = {0};
    struct gc_frame_head head = {.op = 0};
    struct gc_error err = {.status = GC_OK};
    char target[GC_TARGET_SIZE];
    gc_status st;

    /* It needs none; where that is not allowed it has one all the same. */
    (void)unshare(CLONE_NEWNET);
    st = gc_verifier_target(v->keytab, target, &err);
    if (st == GC_OK)
        st = gc_bytes_set(&said, target, strlen(target), &err);
    gc_run_as_tell(socket, st, &said, &err);
    if (st != GC_OK || !gc_frame_receive(socket, &head, &token)
        || head.op != OP_VERIFY)
        return;
    st = verify(v, target, &token, &said, &err);
    gc_run_as_tell(socket, st, &said, &err);
}

/* RESULT as a text of less than SIZE bytes. */
static gc_status
take_text(const struct gc_bytes *result, char *dst, size_t size,
          struct gc_error *err)
{
    if (result->len == 0 || result->len >= size
        || memchr(result->data, '\0', result->len) != NULL)
        return gc_fail(err, GC_E_INTERNAL, "a child sent a malformed text");
    memcpy(dst, result->data, result->len);
    dst[result->len] = '\0';
    return GC_OK;
}

/* Receive the verifier's next text. */
static gc_status
hear(const struct gc_request *r, const struct verifier *v, char *dst,
     size_t size, struct gc_error *err)
{
    GC_AUTO(gc_bytes) said = {0};
    gc_status st =
        gc_run_as_hear(&v->child, r->deadline, GC_WIRE_FD, &said, err);

    return st == GC_OK ? take_text(&said, dst, size, err) : st;
}

static gc_status
prove_here(struct gc_request *r, struct gc_initiator *worker,
           const struct gc_want *want, char ret_principal[GC_PRINCIPAL_SIZE],
           struct gc_error *err)
{
    VERIFIER verifier = {
        .keytab = gc_request_text(r, GC_OPT_PAM_KEYTAB, ""),
        .uid = r->as.uid,
    };
    struct gc_want local = *want;
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_frame_head head = {.op = OP_VERIFY};
    struct gc_frame_body body;
    gc_status st;

    st = gc_child_start(NULL, serve, &verifier, &verifier.child, err);
    if (st == GC_OK)
        st = hear(r, &verifier, local.target, sizeof(local.target), err);
    if (st != GC_OK)
        return st;
    local.mech = GC_MECH_KERBEROS;
    local.mutual = false;
    st = worker->ops->begin(worker, &local, &said, err);
    if (st != GC_OK)
        return st;
    body = (struct gc_frame_body){said.token.data, NULL, said.token.len, 0};
    if (!gc_frame_send(verifier.child.socket, MSG_DONTWAIT, head, &body))
        return gc_fail(err, GC_E_INTERNAL, "the verifier is gone");
    return hear(r, &verifier, ret_principal, GC_PRINCIPAL_SIZE, err);
}

/* ---- the mapping ---- */

struct mapping {
    const char *principal, *account;
};

static gc_status
map(void *user, struct gc_bytes *ret_result, struct gc_error *err)
{
    const struct mapping *m = user;

    (void)ret_result;
    return gc_account_map(m->principal, m->account, err);
}

/* ACCOUNT without its domain: what is before "@" or behind the backslash. */
static void
short_name(const char *account, const char **ret_name, size_t *ret_len)
{
    const char *slash = strchr(account, '\\');

    *ret_name = slash == NULL ? account : slash + 1;
    *ret_len = slash == NULL ? strcspn(account, "@") : strlen(*ret_name);
}

/* PATTERN with ACCOUNT in the place of each %u, and its short name of %n. */
static gc_status
expand(const char *pattern, const char *account, char *dst, size_t size,
       struct gc_error *err)
{
    size_t used = 0, len;

    for (const char *c = pattern; *c != '\0'; c++) {
        const char *piece = c;
        bool placed = c[0] == '%' && (c[1] == 'u' || c[1] == 'n');

        len = 1;
        if (placed && c[1] == 'n')
            short_name(account, &piece, &len);
        else if (placed)
            piece = account, len = strlen(account);
        if (used + len >= size)
            return gc_fail(err, GC_E_CONFIG,
                           "the principal for \"%.64s\" is "
                           "too long",
                           pattern);
        memcpy(dst + used, piece, len);
        used += len;
        c += placed ? 1 : 0;
    }
    dst[used] = '\0';
    return GC_OK;
}

static gc_status
check_required(const struct gc_request *r, const char *principal,
               struct gc_error *err)
{
    const char *pattern =
        gc_options_text(&r->config, GC_OPT_PAM_REQUIRE_PRINCIPAL);
    char required[GC_PRINCIPAL_SIZE];
    gc_status st;

    if (pattern == NULL)
        return GC_OK;
    st = expand(pattern, r->wire.user, required, sizeof(required), err);
    if (st != GC_OK)
        return st;
    if (strcmp(principal, required) != 0)
        return gc_fail(err, GC_E_DENIED,
                       "%.200s was proved, but require_principal is %.200s",
                       principal, required);
    return GC_OK;
}

gc_status
gc_proof_map(struct gc_request *r, const char *principal, struct gc_error *err)
{
    struct mapping m = {principal, r->wire.user};
    GC_AUTO(gc_bytes) nothing = {0};
    gc_status st = check_required(r, principal, err);

    if (st != GC_OK)
        return st;
    return gc_run_as(&r->as, r->deadline, GC_WIRE_FD, map, &m, &nothing, err);
}

/* proof=guest: the credential's own name, once the KDC gave a ticket for it. */
static gc_status
take_its_word(struct gc_initiator *worker, const struct gc_want *want,
              char ret_principal[GC_PRINCIPAL_SIZE], struct gc_error *err)
{
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_facts facts = {.principal = ""};
    gc_status st = worker->ops->begin(worker, want, &said, err);

    if (st == GC_OK)
        st = worker->ops->facts(worker, &facts, err);
    if (st == GC_OK)
        memcpy(ret_principal, facts.principal, GC_PRINCIPAL_SIZE);
    return st;
}

gc_status
gc_proof(struct gc_request *r, struct gc_initiator *worker,
         const struct gc_want *want, char ret_principal[GC_PRINCIPAL_SIZE],
         struct gc_error *err)
{
    gc_status st;

    if (gc_request_proves_here(r))
        st = prove_here(r, worker, want, ret_principal, err);
    else
        st = take_its_word(worker, want, ret_principal, err);
    /* A valid credential of another user is not suspect. */
    r->suspect = st == GC_E_DENIED;
    return st == GC_OK ? gc_proof_map(r, ret_principal, err) : st;
}

gc_status
gc_proof_name(const struct gc_request *r, char ret_principal[GC_PRINCIPAL_SIZE],
              struct gc_error *err)
{
    const char *account = r->wire.user, *name = account;
    const char *pattern =
        gc_request_text(r, GC_OPT_PAM_PRINCIPAL,
                        gc_request_text(r, GC_OPT_PAM_REQUIRE_PRINCIPAL, "%u"));
    size_t len = strlen(account);
    gc_status st;

    if (strstr(pattern, "%u") == NULL)
        short_name(account, &name, &len);
    /* No character of the account may be a separator in a principal. */
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)name[i] <= ' '
            || strchr("/@\\%\x7f", name[i]) != NULL)
            len = 0;
    if (len > 0)
        return expand(pattern, account, ret_principal, GC_PRINCIPAL_SIZE, err);
    st = gc_fail(err, GC_E_DENIED,
                 "\"%.64s\" cannot be the name of a principal", account);
    return gc_fail_hint(err, st,
                        "set principal=%%n@REALM for accounts with a domain");
}
