/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/helper/proof.h"

#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "gss/account.h"
#include "gss/identity.h"
#include "gss/verifier.h"
#include "src/aside.h"

/*
 * Root's own, and one for each account, for the library locks it: whoever may
 * stop a verifier of theirs stops nobody else.  A token is good for one
 * account.
 */
#define REPLAYS "file2:" GC_ERRAND_STATE "/%lu/replay"

/* ---- the verifier ---- */

struct host_proof {
    const char *keytab;
    const char *target;
    const struct gc_bytes *token;
    uid_t uid;
};

static gc_status
find_target(void *user, struct gc_bytes *ret_result, struct gc_error *err)
{
    const struct host_proof *p = user;
    char target[GC_TARGET_SIZE];
    gc_status st = gc_verifier_target(p->keytab, target, err);

    return st == GC_OK ? gc_bytes_set(ret_result, target, strlen(target), err)
                       : st;
}

static gc_status
verify(void *user, struct gc_bytes *ret_result, struct gc_error *err)
{
    const struct host_proof *p = user;
    struct gc_verified verified;
    char replays[sizeof(REPLAYS) + 24];
    gc_status st;

    (void)snprintf(replays, sizeof(replays), REPLAYS, (unsigned long)p->uid);
    /* It needs none; where that is not allowed it has one all the same. */
    (void)unshare(CLONE_NEWNET);
    st = gc_verifier_check(p->keytab, p->target, replays, p->token, &verified,
                           err);

    return st == GC_OK ? gc_bytes_set(ret_result, verified.principal,
                                      strlen(verified.principal), err)
                       : st;
}

/* RESULT as a text of less than SIZE bytes. */
static gc_status
take_text(const struct gc_bytes *result, char *dst, size_t size,
          struct gc_error *err)
{
    if (result->len == 0 || result->len >= size
        || memchr(result->data, '\0', result->len) != NULL)
        return gc_fail(err, GC_E_INTERNAL, "a child answers nonsense");
    memcpy(dst, result->data, result->len);
    dst[result->len] = '\0';
    return GC_OK;
}

static gc_status
prove_here(struct gc_errand *e, struct gc_initiator *worker,
           const struct gc_want *want, char ret_principal[GC_PRINCIPAL_SIZE],
           struct gc_error *err)
{
    GC_AUTO(gc_want) local = *want;
    struct host_proof p = {
        .keytab = gc_errand_text(e, GC_OPT_PAM_KEYTAB, ""),
        .target = local.target,
        .uid = e->as.uid,
    };
    GC_AUTO(gc_bytes) result = {0};
    GC_AUTO(gc_said) said = {.done = false};
    gc_status st;

    st = gc_aside(NULL, e->deadline, GC_WIRE_FD, find_target, &p, &result, err);
    if (st == GC_OK)
        st = take_text(&result, local.target, sizeof(local.target), err);
    if (st != GC_OK)
        return st;
    local.mech = GC_MECH_KERBEROS;
    local.mutual = false;
    st = worker->ops->begin(worker, &local, &said, err);
    if (st != GC_OK)
        return st;
    p.token = &said.token;
    st = gc_aside(NULL, e->deadline, GC_WIRE_FD, verify, &p, &result, err);
    return st == GC_OK
               ? take_text(&result, ret_principal, GC_PRINCIPAL_SIZE, err)
               : st;
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

/* PATTERN with the account in the place of each %u. */
static gc_status
expand(const char *pattern, const char *account, char *dst, size_t size,
       struct gc_error *err)
{
    size_t used = 0, len;

    for (const char *c = pattern; *c != '\0'; c++) {
        bool here = c[0] == '%' && c[1] == 'u';
        const char *piece = here ? account : c;

        len = here ? strlen(account) : 1;
        if (used + len >= size)
            return gc_fail(err, GC_E_CONFIG, "require_principal is too long");
        memcpy(dst + used, piece, len);
        used += len;
        c += here ? 1 : 0;
    }
    dst[used] = '\0';
    return GC_OK;
}

static gc_status
check_required(const struct gc_errand *e, const char *principal,
               struct gc_error *err)
{
    const char *pattern =
        gc_config_text(&e->config, GC_OPT_PAM_REQUIRE_PRINCIPAL);
    char required[GC_PRINCIPAL_SIZE];
    gc_status st;

    if (pattern == NULL)
        return GC_OK;
    st = expand(pattern, e->request.user, required, sizeof(required), err);
    if (st != GC_OK)
        return st;
    if (!gc_identity_equal(principal, strlen(principal), required,
                           strlen(required)))
        return gc_fail(err, GC_E_DENIED,
                       "%.200s was proved, and require_principal is %.200s",
                       principal, required);
    return GC_OK;
}

gc_status
gc_proof_map(struct gc_errand *e, const char *principal, struct gc_error *err)
{
    struct mapping m = {principal, e->request.user};
    GC_AUTO(gc_bytes) nothing = {0};
    gc_status st = check_required(e, principal, err);

    if (st != GC_OK)
        return st;
    return gc_aside(&e->as, e->deadline, GC_WIRE_FD, map, &m, &nothing, err);
}

/* proof=guest: what the credential calls itself, once a KDC has given it. */
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
gc_proof(struct gc_errand *e, struct gc_initiator *worker,
         const struct gc_want *want, char ret_principal[GC_PRINCIPAL_SIZE],
         struct gc_error *err)
{
    gc_status st;

    if (gc_errand_proves_here(e))
        st = prove_here(e, worker, want, ret_principal, err);
    else
        st = take_its_word(worker, want, ret_principal, err);
    return st == GC_OK ? gc_proof_map(e, ret_principal, err) : st;
}

gc_status
gc_proof_name(const struct gc_errand *e, char ret_principal[GC_PRINCIPAL_SIZE],
              struct gc_error *err)
{
    const char *pattern =
        gc_config_text(&e->config, GC_OPT_PAM_REQUIRE_PRINCIPAL);

    /* What a name is built from must not be read as anything but letters. */
    for (const char *c = e->request.user; *c != '\0'; c++)
        if ((unsigned char)*c <= ' ' || strchr("/@\\%\x7f", *c) != NULL)
            return gc_fail(err, GC_E_DENIED, "no principal is called that");
    return expand(pattern == NULL ? "%u" : pattern, e->request.user,
                  ret_principal, GC_PRINCIPAL_SIZE, err);
}
