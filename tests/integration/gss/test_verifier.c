/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gss/verifier against tokens of a real initiator: good ones, and those that an
 * attacker would bring.  To be run by realm.sh; host/guest1 is THISHOST.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "gss/verifier.h"

#include <dirent.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gssapi/gssapi_krb5.h>

#include <krb5.h>

#include "src/base/clock.h"

#define REALM "EXAMPLE.TEST"
#define HOST  "host/guest1.example.test"
#define OTHER "host/guest2.example.test"
#define ALICE "alice@" REALM

/* Exported by libkrb5, for KDCs: with the host's key in hand we play one. */
krb5_error_code krb5_encrypt_tkt_part(krb5_context, const krb5_keyblock *,
                                      krb5_ticket *);
krb5_error_code encode_krb5_ticket(const krb5_ticket *, krb5_data **);

/* How often a token came as far as GSS-API. */
static int accepts;

OM_uint32
gss_accept_sec_context(OM_uint32 *minor, gss_ctx_id_t *context,
                       gss_cred_id_t cred, gss_buffer_t in,
                       gss_channel_bindings_t bindings, gss_name_t *src,
                       gss_OID *mech, gss_buffer_t out, OM_uint32 *flags,
                       OM_uint32 *lifetime, gss_cred_id_t *delegated)
{
    OM_uint32 (*real)(OM_uint32 *, gss_ctx_id_t *, gss_cred_id_t, gss_buffer_t,
                      gss_channel_bindings_t, gss_name_t *, gss_OID *,
                      gss_buffer_t, OM_uint32 *, OM_uint32 *, gss_cred_id_t *) =
        NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "gss_accept_sec_context");
    accepts++;
    return real(minor, context, cred, in, bindings, src, mech, out, flags,
                lifetime, delegated);
}

/* PREFIX + the realm's directory + "/" + NAME. */
static const char *
at(const char *prefix, const char *name)
{
    static char path[4][GC_PLACE_SIZE];
    static unsigned int turn;
    char *dst = path[turn++ % 4];

    (void)snprintf(dst, GC_PLACE_SIZE, "%s%s/%s", prefix, getenv("GC_REALM"),
                   name);
    return dst;
}

static void
token_by(struct gc_initiator *initiator, gc_mech mech, const char *cache,
         const char *target, struct gc_bytes *ret_token)
{
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_want want = {.mech = mech, .source = GC_SOURCE_CCACHE};
    struct gc_error error = {.status = GC_OK};

    want.deadline = gc_clock_now() + 30000;
    (void)snprintf(want.place, sizeof(want.place), "%s", cache);
    (void)snprintf(want.target, sizeof(want.target), "%s", target);
    if (initiator->ops->begin(initiator, &want, &said, &error) != GC_OK)
        fail_msg("no token: %s", error.message);
    gc_bytes_move(ret_token, &said.token);
}

/* A fresh token of the one whose CACHE it is. */
static void
token_for(gc_mech mech, const char *cache, const char *target,
          struct gc_bytes *ret_token)
{
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();

    assert_non_null(initiator);
    token_by(initiator, mech, cache, target, ret_token);
}

static void
alices(struct gc_bytes *ret_token)
{
    token_for(GC_MECH_KERBEROS, at("FILE:", "cc"), HOST, ret_token);
}

static gc_status
check(const struct gc_bytes *token, struct gc_verified *ret)
{
    struct gc_error error = {.status = GC_OK};
    gc_status st =
        gc_verifier_check(at("", "host.keytab"), HOST, "", token, ret, &error);

    assert_int_equal(st, error.status);
    assert_int_equal(st == GC_OK, error.message[0] == '\0');
    return st;
}

#define assert_denied(token)                                                   \
    do {                                                                       \
        struct gc_verified nobody_ = {.principal = ""};                        \
        assert_string_equal(gc_status_word(check(token, &nobody_)),            \
                            gc_status_word(GC_E_DENIED));                      \
        assert_string_equal(nobody_.principal, "");                            \
    } while (0)

static int
descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int count = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        count++;
    (void)closedir(dir);
    return count;
}

/* ---- tickets of our own making ------------------------------------------ */

struct forgery {
    krb5_context krb5;
    krb5_ccache cache;
    krb5_principal host;
    char name[GC_PLACE_SIZE];
};

static void
forgery_clear(struct forgery *forgery)
{
    (void)krb5_cc_destroy(forgery->krb5, forgery->cache);
    krb5_free_principal(forgery->krb5, forgery->host);
    krb5_free_context(forgery->krb5);
}

#define FORGERY __attribute__((cleanup(forgery_clear))) struct forgery

static void
forgery_new(struct forgery *forgery)
{
    (void)snprintf(forgery->name, sizeof(forgery->name), "%s",
                   at("FILE:", "forged"));
    assert_int_equal(krb5_init_context(&forgery->krb5), 0);
    assert_int_equal(
        krb5_cc_resolve(forgery->krb5, forgery->name, &forgery->cache), 0);
    assert_int_equal(
        krb5_parse_name(forgery->krb5, HOST "@" REALM, &forgery->host), 0);
}

static void
host_key(struct forgery *forgery, krb5_keyblock **ret_key)
{
    krb5_keytab keytab;
    krb5_keytab_entry entry;

    assert_int_equal(
        krb5_kt_resolve(forgery->krb5, at("FILE:", "host.keytab"), &keytab), 0);
    assert_int_equal(
        krb5_kt_get_entry(forgery->krb5, keytab, forgery->host, 0, 0, &entry),
        0);
    assert_int_equal(krb5_copy_keyblock(forgery->krb5, &entry.key, ret_key), 0);
    (void)krb5_free_keytab_entry_contents(forgery->krb5, &entry);
    (void)krb5_kt_close(forgery->krb5, keytab);
}

/* What the KDC would have sealed, for CLIENT, ending LIFE seconds from now. */
static void
seal(struct forgery *forgery, krb5_principal client, krb5_keyblock *session,
     int life, krb5_data **ret_ticket)
{
    krb5_enc_tkt_part part = {.client = client, .session = session};
    krb5_ticket ticket = {.server = forgery->host, .enc_part2 = &part};
    krb5_timestamp now = (krb5_timestamp)time(NULL);
    krb5_keyblock *key = NULL;

    part.flags = TKT_FLG_INITIAL | TKT_FLG_PRE_AUTH;
    part.transited.tr_type = KRB5_DOMAIN_X500_COMPRESS;
    part.times.authtime = part.times.starttime = now - 7200;
    part.times.endtime = now + life;
    host_key(forgery, &key);
    assert_int_equal(krb5_encrypt_tkt_part(forgery->krb5, key, &ticket), 0);
    assert_int_equal(encode_krb5_ticket(&ticket, ret_ticket), 0);
    free(ticket.enc_part.ciphertext.data);
    krb5_free_keyblock(forgery->krb5, key);
}

/* A cache that says it is CLIENT's, with TICKET and KEY in it. */
static void
shelve(struct forgery *forgery, krb5_principal client,
       const krb5_keyblock *session, const krb5_data *ticket)
{
    krb5_creds creds = {.client = client, .server = forgery->host};

    creds.keyblock = *session;
    creds.ticket = *ticket;
    creds.times.authtime = (krb5_timestamp)time(NULL) - 7200;
    creds.times.starttime = creds.times.authtime;
    creds.times.endtime = (krb5_timestamp)time(NULL) + 7200;
    assert_int_equal(krb5_cc_initialize(forgery->krb5, forgery->cache, client),
                     0);
    assert_int_equal(krb5_cc_store_cred(forgery->krb5, forgery->cache, &creds),
                     0);
}

/* The token of CLIENT, whom the host's own key vouches for. */
static void
forge(krb5_principal client, struct forgery *forgery, int life,
      struct gc_bytes *ret_token)
{
    krb5_keyblock session;
    krb5_data *ticket = NULL;

    assert_int_equal(krb5_c_make_random_key(forgery->krb5,
                                            ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                            &session),
                     0);
    seal(forgery, client, &session, life, &ticket);
    shelve(forgery, client, &session, ticket);
    krb5_free_data(forgery->krb5, ticket);
    krb5_free_keyblock_contents(forgery->krb5, &session);
    token_for(GC_MECH_KERBEROS, forgery->name, HOST "@" REALM, ret_token);
}

static gc_status
check_forged(const char *name, int life, struct gc_verified *ret)
{
    FORGERY forgery = {.name = ""};
    GC_AUTO(gc_bytes) token = {0};
    krb5_principal client = NULL;

    forgery_new(&forgery);
    assert_int_equal(krb5_parse_name(forgery.krb5, name, &client), 0);
    forge(client, &forgery, life, &token);
    krb5_free_principal(forgery.krb5, client);
    return check(&token, ret);
}

/*
 * The same by GSS-API itself, for names that our own initiator would refuse to
 * carry.
 */
static gc_status
check_signed(const char *name, struct gc_verified *ret)
{
    FORGERY forgery = {.name = ""};
    GC_AUTO(gc_bytes) token = {0};
    krb5_principal client = NULL;
    krb5_keyblock session;
    krb5_data *ticket = NULL;
    gss_cred_id_t credential = GSS_C_NO_CREDENTIAL;
    gss_ctx_id_t context = GSS_C_NO_CONTEXT;
    gss_buffer_desc out = GSS_C_EMPTY_BUFFER,
                    text = {sizeof(HOST "@" REALM) - 1, NULL};
    char target[] = HOST "@" REALM;
    gss_name_t host = GSS_C_NO_NAME;
    OM_uint32 minor;

    forgery_new(&forgery);
    assert_int_equal(krb5_parse_name(forgery.krb5, name, &client), 0);
    assert_int_equal(krb5_c_make_random_key(forgery.krb5,
                                            ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                            &session),
                     0);
    seal(&forgery, client, &session, 3600, &ticket);
    shelve(&forgery, client, &session, ticket);
    text.value = target;
    assert_int_equal(
        gss_import_name(&minor, &text, GSS_KRB5_NT_PRINCIPAL_NAME, &host), 0);
    assert_int_equal(
        gss_krb5_import_cred(&minor, forgery.cache, NULL, NULL, &credential),
        0);
    assert_int_equal(
        gss_init_sec_context(&minor, credential, &context, host, gss_mech_krb5,
                             0, 0, GSS_C_NO_CHANNEL_BINDINGS, GSS_C_NO_BUFFER,
                             NULL, &out, NULL, NULL),
        0);
    assert_int_equal(gc_bytes_set(&token, out.value, out.length, NULL), GC_OK);
    (void)gss_release_buffer(&minor, &out);
    (void)gss_release_name(&minor, &host);
    (void)gss_delete_sec_context(&minor, &context, GSS_C_NO_BUFFER);
    (void)gss_release_cred(&minor, &credential);
    krb5_free_data(forgery.krb5, ticket);
    krb5_free_keyblock_contents(forgery.krb5, &session);
    krb5_free_principal(forgery.krb5, client);
    return check(&token, ret);
}

/* ---- the tests ------------------------------------------------------------
 */

static void
good_token(void **state)
{
    GC_AUTO(gc_bytes) token = {0};
    struct gc_verified v = {.principal = ""};
    int before;

    (void)state;
    alices(&token);
    before = descriptors();
    assert_int_equal(check(&token, &v), GC_OK);
    assert_int_equal(descriptors(), before);
    assert_string_equal(v.principal, ALICE);
    assert_string_equal(v.target, HOST "@" REALM);
    /* The default keytab, the realm spelled out, bob. */
    token_for(GC_MECH_KERBEROS, at("FILE:", "bob.cc"), HOST, &token);
    assert_int_equal(
        gc_verifier_check("", HOST "@" REALM, "", &token, &v, NULL), GC_OK);
    assert_string_equal(v.principal, "bob@" REALM);
}

static void
replayed(void **state)
{
    GC_AUTO(gc_bytes) token = {0}, late = {0};
    struct gc_verified v = {.principal = ""};

    (void)state;
    alices(&token);
    assert_int_equal(check(&token, &v), GC_OK);
    assert_denied(&token);
    /* The environment has no say in it. */
    assert_int_equal(setenv("KRB5RCACHENAME", "none:", 1), 0);
    assert_denied(&token);
    assert_int_equal(unsetenv("KRB5RCACHENAME"), 0);
    alices(&late);
    assert_int_equal(check(&late, &v), GC_OK);
}

/* Where nothing can be noted nothing is believed. */
static void
no_replay_cache(void **state)
{
    GC_AUTO(gc_bytes) token = {0};
    struct gc_verified v = {.principal = ""};
    gc_status st;

    (void)state;
    alices(&token);
    assert_int_equal(setenv("KRB5RCACHEDIR", at("", "nowhere"), 1), 0);
    st = check(&token, &v);
    assert_int_equal(setenv("KRB5RCACHEDIR", getenv("GC_REALM"), 1), 0);
    assert_int_equal(st, GC_E_INTERNAL);
    assert_string_equal(v.principal, "");
}

/*
 * bob writes alice's name on a cache.  Either he does not know a session key
 * for it, or the ticket inside is his own.
 */
static void
relabelled(void **state)
{
    for (int own = 0; own < 2; own++) {
        FORGERY forgery = {.name = ""};
        GC_AUTO(gc_bytes) token = {0};
        krb5_principal alice = NULL, bob = NULL;
        krb5_keyblock session, other;
        krb5_data *ticket = NULL;
        struct gc_facts facts = {.principal = ""};
        GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();

        (void)state;
        forgery_new(&forgery);
        assert_int_equal(krb5_parse_name(forgery.krb5, ALICE, &alice), 0);
        assert_int_equal(krb5_parse_name(forgery.krb5, "bob@" REALM, &bob), 0);
        assert_int_equal(krb5_c_make_random_key(forgery.krb5,
                                                ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                                &session),
                         0);
        assert_int_equal(krb5_c_make_random_key(forgery.krb5,
                                                ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                                &other),
                         0);
        seal(&forgery, own ? bob : alice, &session, 7200, &ticket);
        shelve(&forgery, alice, own ? &session : &other, ticket);
        /* The initiator believes it: that is why there is a verifier. */
        token_by(initiator, GC_MECH_KERBEROS, forgery.name, HOST "@" REALM,
                 &token);
        assert_int_equal(initiator->ops->facts(initiator, &facts, NULL), GC_OK);
        assert_string_equal(facts.principal, ALICE);
        assert_denied(&token);
        krb5_free_data(forgery.krb5, ticket);
        krb5_free_keyblock_contents(forgery.krb5, &session);
        krb5_free_keyblock_contents(forgery.krb5, &other);
        krb5_free_principal(forgery.krb5, alice);
        krb5_free_principal(forgery.krb5, bob);
    }
}

static void
expired(void **state)
{
    struct gc_verified v = {.principal = ""};

    (void)state;
    assert_int_equal(check_forged(ALICE, -3600, &v), GC_E_DENIED);
    assert_string_equal(v.principal, "");
    assert_int_equal(check_forged(ALICE, 3600, &v), GC_OK);
    assert_string_equal(v.principal, ALICE);
}

/* The name comes back whole; whose account it is, is decided elsewhere. */
static void
odd_names(void **state)
{
    static const char *const names[] = {
        "alice@OTHER.TEST", "alice/admin@" REALM, "ALICE@" REALM,
        "alicex@" REALM,    "al\\@ice@" REALM,    "alice\\\\x@" REALM,
        "alice\\0@" REALM,  "alice\\n@" REALM,
    };
    struct gc_verified v = {.principal = ""};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(names); i++) {
        assert_int_equal(check_forged(names[i], 3600, &v), GC_OK);
        assert_string_equal(v.principal, names[i]);
    }
}

/* A ticket sealed for one name, an authenticator that says another. */
static void
two_names(void **state)
{
    FORGERY forgery = {.name = ""};
    GC_AUTO(gc_bytes) token = {0};
    krb5_principal sealed = NULL, said = NULL;
    krb5_keyblock session;
    krb5_data *ticket = NULL;

    (void)state;
    forgery_new(&forgery);
    assert_int_equal(krb5_parse_name(forgery.krb5, "alicex@" REALM, &sealed),
                     0);
    assert_int_equal(krb5_parse_name(forgery.krb5, ALICE, &said), 0);
    assert_int_equal(krb5_c_make_random_key(forgery.krb5,
                                            ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                            &session),
                     0);
    seal(&forgery, sealed, &session, 3600, &ticket);
    shelve(&forgery, said, &session, ticket);
    token_for(GC_MECH_KERBEROS, forgery.name, HOST "@" REALM, &token);
    assert_denied(&token);
    krb5_free_data(forgery.krb5, ticket);
    krb5_free_keyblock_contents(forgery.krb5, &session);
    krb5_free_principal(forgery.krb5, sealed);
    krb5_free_principal(forgery.krb5, said);
}

/* A cut name would be somebody else's. */
static void
endless_name(void **state)
{
    static const char tail[] = "@" REALM;
    char name[GC_PRINCIPAL_SIZE + 1];
    struct gc_verified v = {.principal = ""};

    (void)state;
    memset(name, 'a', sizeof(name));
    memcpy(name + sizeof(name) - sizeof(tail), tail, sizeof(tail));
    assert_int_equal(check_signed(name, &v), GC_E_INTERNAL);
    assert_string_equal(v.principal, "");
    /* One byte less can be kept. */
    assert_int_equal(check_signed(name + 1, &v), GC_OK);
    assert_string_equal(v.principal, name + 1);
}

/* A keytab with both hosts' keys in it. */
static const char *
both_keytabs(void)
{
    static const char *const from[] = {"host.keytab", "guest2.keytab"};
    krb5_context krb5;
    krb5_keytab to, keytab;
    krb5_kt_cursor cursor;
    krb5_keytab_entry entry;

    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_kt_resolve(krb5, at("FILE:", "both.keytab"), &to), 0);
    for (size_t i = 0; i < GC_COUNT_OF(from); i++) {
        assert_int_equal(krb5_kt_resolve(krb5, at("FILE:", from[i]), &keytab),
                         0);
        assert_int_equal(krb5_kt_start_seq_get(krb5, keytab, &cursor), 0);
        while (krb5_kt_next_entry(krb5, keytab, &entry, &cursor) == 0) {
            assert_int_equal(krb5_kt_add_entry(krb5, to, &entry), 0);
            (void)krb5_free_keytab_entry_contents(krb5, &entry);
        }
        (void)krb5_kt_end_seq_get(krb5, keytab, &cursor);
        (void)krb5_kt_close(krb5, keytab);
    }
    (void)krb5_kt_close(krb5, to);
    krb5_free_context(krb5);
    return at("", "both.keytab");
}

static void
other_service(void **state)
{
    GC_AUTO(gc_bytes) token = {0};
    struct gc_verified v = {.principal = ""};
    const char *both = both_keytabs();

    (void)state;
    token_for(GC_MECH_KERBEROS, at("FILE:", "cc"), OTHER, &token);
    assert_denied(&token);
    /* Not even where the key for it lies in the same file. */
    assert_int_equal(gc_verifier_check(both, HOST, "", &token, &v, NULL),
                     GC_E_DENIED);
    assert_string_equal(v.principal, "");
    token_for(GC_MECH_KERBEROS, at("FILE:", "cc"), OTHER, &token);
    assert_int_equal(gc_verifier_check(both, OTHER, "", &token, &v, NULL),
                     GC_OK);
    assert_string_equal(v.target, OTHER "@" REALM);
}

/*
 * In a child: where MIT finds no key it loses the name that it looked for, and
 * a leak checker would think that we did.
 */
static gc_status
check_apart(const char *keytab, const char *target,
            const struct gc_bytes *token)
{
    struct gc_verified v = {.principal = ""};
    struct gc_error error = {.status = GC_OK};
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        gc_status st = gc_verifier_check(keytab, target, "", token, &v, &error);
        bool said = strstr(error.message, target) != NULL;

        _exit(said && v.principal[0] == '\0' ? (int)st : 99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return (gc_status)WEXITSTATUS(status);
}

/* What the host lacks is configuration, and nobody's fault at the prompt. */
static void
wrong_keytab(void **state)
{
    GC_AUTO(gc_bytes) token = {0};
    struct gc_verified v = {.principal = ""};

    (void)state;
    alices(&token);
    assert_int_equal(check_apart(at("", "none"), HOST, &token), GC_E_CONFIG);
    assert_int_equal(check_apart(at("", "guest2.keytab"), HOST, &token),
                     GC_E_CONFIG);
    assert_int_equal(
        check_apart(at("", "host.keytab"), HOST "@OTHER.TEST", &token),
        GC_E_CONFIG);
    assert_int_equal(
        gc_verifier_check(at("", "host.keytab"), "host", "", &token, &v, NULL),
        GC_E_CONFIG);
    assert_string_equal(v.principal, "");
    assert_int_equal(check(&token, &v), GC_OK);
}

/* A keytab of the right name whose key is not the KDC's. */
static void
wrong_key(void **state)
{
    GC_AUTO(gc_bytes) token = {0};
    struct gc_verified v = {.principal = ""};
    FORGERY forgery = {.name = ""};
    krb5_keytab keytab;
    krb5_keytab_entry entry = {.vno = 2};

    (void)state;
    forgery_new(&forgery);
    (void)krb5_cc_initialize(forgery.krb5, forgery.cache, forgery.host);
    entry.principal = forgery.host;
    assert_int_equal(krb5_c_make_random_key(forgery.krb5,
                                            ENCTYPE_AES256_CTS_HMAC_SHA1_96,
                                            &entry.key),
                     0);
    assert_int_equal(
        krb5_kt_resolve(forgery.krb5, at("FILE:", "wrong.keytab"), &keytab), 0);
    assert_int_equal(krb5_kt_add_entry(forgery.krb5, keytab, &entry), 0);
    (void)krb5_kt_close(forgery.krb5, keytab);
    krb5_free_keyblock_contents(forgery.krb5, &entry.key);
    alices(&token);
    assert_int_equal(
        gc_verifier_check(at("", "wrong.keytab"), HOST, "", &token, &v, NULL),
        GC_E_DENIED);
    assert_string_equal(v.principal, "");
}

/* Where the mechanism's OID stands in a framed TOKEN. */
static size_t
oid_at(const struct gc_bytes *token)
{
    return token->data[1] < 0x80 ? 2 : 2 + (token->data[1] & 0x7fu);
}

static void
other_mechanisms(void **state)
{
    static const char ntlm[] = "NTLMSSP\0\1\0\0\0\2\2\0\0";
    GC_AUTO(gc_bytes) token = {0}, changed = {0};
    size_t oid;

    (void)state;
    accepts = 0;
    token_for(GC_MECH_NEGOTIATE, at("FILE:", "cc"), HOST, &token);
    assert_denied(&token);
    assert_int_equal(gc_bytes_set(&token, ntlm, sizeof(ntlm), NULL), GC_OK);
    assert_denied(&token);
    /* Microsoft's Kerberos OID. */
    alices(&token);
    oid = oid_at(&token);
    assert_int_equal(gc_bytes_set(&changed, token.data, token.len, NULL),
                     GC_OK);
    assert_int_equal(changed.data[oid + 5], 0x86);
    changed.data[oid + 5] = 0x82;
    assert_denied(&changed);
    /* The AP-REQ without its frame: GSS-API itself would take it. */
    oid += 2 + token.data[oid + 1] + 2u;
    assert_int_equal(token.data[oid], 0x6e);
    assert_int_equal(
        gc_bytes_set(&changed, token.data + oid, token.len - oid, NULL), GC_OK);
    assert_denied(&changed);
    assert_int_equal(accepts, 0);
}

static void
garbage(void **state)
{
    GC_AUTO(gc_bytes) token = {0}, bad = {0};
    struct gc_verified v = {.principal = ""};
    int accepted = 0;

    (void)state;
    assert_denied(&bad);
    assert_int_equal(gc_bytes_reserve(&bad, GC_TOKEN_MAX + 1, NULL), GC_OK);
    bad.len = GC_TOKEN_MAX + 1;
    bad.data[0] = 0x60;
    assert_denied(&bad);
    alices(&token);
    for (size_t len = 0; len < token.len; len += len < 24 ? 1 : 37) {
        assert_int_equal(gc_bytes_set(&bad, token.data, len, NULL), GC_OK);
        assert_denied(&bad);
    }
    for (size_t i = 0; i < 24; i++) {
        assert_int_equal(gc_bytes_set(&bad, token.data, token.len, NULL),
                         GC_OK);
        bad.data[i] ^= 0x55;
        assert_denied(&bad);
    }
    /* Behind the frame a few bytes are nobody's (a key's version number): they
     * may change, but never what is proved. */
    for (size_t i = 24; i < token.len; i += 13) {
        assert_int_equal(gc_bytes_set(&bad, token.data, token.len, NULL),
                         GC_OK);
        bad.data[i] ^= 0x55;
        if (check(&bad, &v) == GC_OK)
            accepted++;
        assert_true(v.principal[0] == '\0' || strcmp(v.principal, ALICE) == 0);
    }
    assert_in_range(accepted, 0, 1); /* the second is a replay */
    alices(&token);
    assert_int_equal(check(&token, &v), GC_OK);
}

/*
 * One initiator, one credential, two targets: the guest's token and the one
 * that proves its owner here.  The same in a thread.
 */
static void
second_token(void **state)
{
    GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    struct gc_initiator *initiators[2] = {local, thread};
    GC_AUTO(gc_bytes) guests = {0}, ours = {0};
    struct gc_verified v = {.principal = ""};

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        token_by(initiators[i], GC_MECH_KERBEROS, at("FILE:", "cc"), HOST,
                 &ours);
        token_by(initiators[i], GC_MECH_KERBEROS, at("FILE:", "cc"), OTHER,
                 &guests);
        v.principal[0] = '\0';
        assert_int_equal(check(&ours, &v), GC_OK);
        assert_string_equal(v.principal, ALICE);
        assert_denied(&guests);
    }
}

/* ---- which key is this host's -------------------------------------------- */

static const char *pretended_hostname;

int
gethostname(char *name, size_t len)
{
    int (*real)(char *, size_t) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "gethostname");
    if (pretended_hostname == NULL)
        return real(name, len);
    (void)snprintf(name, len, "%s", pretended_hostname);
    return 0;
}

/* Keys of NAMES (separated by blanks) in the realm's NAME.keytab, anew. */
static const char *
keytab_of(const char *names)
{
    const char *path = at("", "hosts.keytab");
    char copy[512], *rest = copy, *name;
    krb5_context krb5 = NULL;
    krb5_keytab keytab = NULL;

    (void)unlink(path);
    (void)snprintf(copy, sizeof(copy), "%s", names);
    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_kt_resolve(krb5, path, &keytab), 0);
    while ((name = strsep(&rest, " ")) != NULL) {
        krb5_keytab_entry entry = {.vno = 1};

        assert_int_equal(krb5_parse_name(krb5, name, &entry.principal), 0);
        assert_int_equal(krb5_c_make_random_key(
                             krb5, ENCTYPE_AES256_CTS_HMAC_SHA1_96, &entry.key),
                         0);
        assert_int_equal(krb5_kt_add_entry(krb5, keytab, &entry), 0);
        krb5_free_keyblock_contents(krb5, &entry.key);
        krb5_free_principal(krb5, entry.principal);
    }
    (void)krb5_kt_close(krb5, keytab);
    krb5_free_context(krb5);
    return path;
}

static void
target_of_this_host(void **state)
{
    static const struct {
        const char *hostname, *keys, *target;
    } cases[] = {
        {"h1.a.test", "host/h2.a.test host/h1.a.test", "host/h1.a.test"},
        {"H1.A.test", "host/h1.b.test host/h1.A.TEST", "host/h1.A.TEST"},
        {"h1", "host/h2.a.test host/h1 host/h1.a.test", "host/h1"},
        {"h1", "host/h2.a.test host/h1.b.test host/h1.a.test",
         "host/h1.b.test"},
        {"h1.a.test", "host/h2.a.test host/H1.b.test", "host/H1.b.test"},
        /* a beginning is not a label, nor a label a beginning */
        {"h1", "host/h2.a.test host/h10.a.test", "host/h2.a.test"},
        {"h10", "host/h2.a.test host/h1.a.test", "host/h2.a.test"},
        {"", "host/h2.a.test host/h1.a.test", "host/h2.a.test"},
        {"h1", "h1 host/h1/x HTTP/h1 nfs/h1.a.test host/h9.a.test",
         "host/h9.a.test"},
        {"h1", "host/h\\0 hosts/h1 Host/h1 host/h9.a.test", "host/h9.a.test"},
        {"h1", "HTTP/h1 h1 host/h1/x hosts/h1", NULL},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        char target[GC_TARGET_SIZE] = "untouched", expected[128];
        struct gc_error error = {.status = GC_OK};
        gc_status st;

        pretended_hostname = cases[i].hostname;
        st = gc_verifier_target(keytab_of(cases[i].keys), target, &error);
        (void)snprintf(expected, sizeof(expected), "%s@" REALM,
                       cases[i].target == NULL ? "" : cases[i].target);
        assert_string_equal(target,
                            cases[i].target == NULL ? "untouched" : expected);
        assert_int_equal(st, cases[i].target == NULL ? GC_E_CONFIG : GC_OK);
        assert_int_equal(error.status, st);
        assert_int_equal(error.hint[0] == '\0', st == GC_OK);
    }
}

static void
target_proves(void **state)
{
    GC_AUTO(gc_bytes) token = {0};
    struct gc_verified v = {.principal = ""};
    char target[GC_TARGET_SIZE];

    (void)state;
    pretended_hostname = NULL;
    assert_int_equal(gc_verifier_target("", target, NULL), GC_OK);
    assert_string_equal(target, HOST "@" REALM);
    token_for(GC_MECH_KERBEROS, at("FILE:", "cc"), target, &token);
    assert_int_equal(gc_verifier_check("", target, "", &token, &v, NULL),
                     GC_OK);
    assert_string_equal(v.principal, ALICE);
}

static void
target_without_keys(void **state)
{
    const char *path = at("", "empty.keytab");
    int before = descriptors();
    FILE *file;

    (void)state;
    for (int i = 0; i < 3; i++) {
        char target[GC_TARGET_SIZE] = "untouched";
        struct gc_error error = {.status = GC_OK};

        if (i == 1) {
            file = fopen(path, "we");
            assert_non_null(file);
            assert_int_equal(fclose(file), 0);
        }
        if (i == 2)
            path = "NONSENSE:x";
        assert_int_equal(gc_verifier_target(path, target, &error), GC_E_CONFIG);
        assert_string_equal(target, "untouched");
        assert_non_null(strstr(error.hint, "klist -k"));
    }
    for (int i = 0; i < 20; i++) {
        char target[GC_TARGET_SIZE];

        assert_int_equal(gc_verifier_target("", target, NULL), GC_OK);
    }
    assert_int_equal(descriptors(), before);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_token),
        cmocka_unit_test(replayed),
        cmocka_unit_test(no_replay_cache),
        cmocka_unit_test(relabelled),
        cmocka_unit_test(expired),
        cmocka_unit_test(odd_names),
        cmocka_unit_test(endless_name),
        cmocka_unit_test(two_names),
        cmocka_unit_test(other_service),
        cmocka_unit_test(wrong_keytab),
        cmocka_unit_test(wrong_key),
        cmocka_unit_test(other_mechanisms),
        cmocka_unit_test(garbage),
        cmocka_unit_test(second_token),
        cmocka_unit_test(target_of_this_host),
        cmocka_unit_test(target_proves),
        cmocka_unit_test(target_without_keys),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
