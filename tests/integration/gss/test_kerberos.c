/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gss/ against a real KDC and a real acceptor, Kerberos alone and in SPNEGO.
 * To be run by realm.sh.  One test a trap: each fails without its guard.
 */
#include <config.h>

#include <dirent.h>
#include <dlfcn.h>
#include <netdb.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include <gssapi/gssapi_ext.h>

#include <krb5.h>

#include "gss/mech.h"
#include "src/base/clock.h"
#include "tests/integration/gss/acceptor.h"

#define GUEST "host/guest1.example.test"

/* ---- the realm --------------------------------------------------------- */

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

static struct gc_want
wanted(gc_mech mech, gc_source source, const char *principal, const char *place)
{
    struct gc_want want = {.mech = mech, .source = source};

    want.deadline = gc_clock_now() + 30000;
    (void)snprintf(want.target, sizeof(want.target), GUEST);
    (void)snprintf(want.principal, sizeof(want.principal), "%s", principal);
    (void)snprintf(want.place, sizeof(want.place), "%s", place);
    return want;
}

static struct gc_want
with_password(gc_mech mech, const char *principal, const char *text)
{
    struct gc_want want = wanted(mech, GC_SOURCE_PASSWORD, principal, "");

    want.password = password(text);
    return want;
}

#define assert_accepted(outcome, name)                                         \
    do {                                                                       \
        assert_string_equal((outcome).error.message, "");                      \
        assert_int_equal((outcome).status, GC_OK);                             \
        assert_true((outcome).accepted);                                       \
        assert_string_equal((outcome).client, name);                           \
        assert_string_equal((outcome).facts.principal, name);                  \
    } while (0)

#define assert_refused(outcome, expected)                                      \
    do {                                                                       \
        assert_int_equal((outcome).legs, 0);                                   \
        assert_string_equal(gc_status_word((outcome).status),                  \
                            gc_status_word(expected));                         \
    } while (0)

static const gc_mech both[] = {GC_MECH_KERBEROS, GC_MECH_NEGOTIATE};

/* ---- what the libraries ask, watched and bent ---------------------------- */

/* For what is called by a library too: hidden, it would be ours alone. */
#define EXPORTED __attribute__((visibility("default")))

/* How often anybody asked for one of the realm's hosts, which DNS has not. */
static int asked_dns;

EXPORTED int
getaddrinfo(const char *restrict node, const char *restrict service,
            const struct addrinfo *restrict hints,
            struct addrinfo **restrict result)
{
    int (*real)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    if (node != NULL && strstr(node, "example.test") != NULL) {
        asked_dns++;
        return EAI_NONAME;
    }
    return real(node, service, hints, result);
}

/* The name that gss_inquire_cred pretends to find, or NULL for the real one. */
static const char *pretended_name;
static bool pretended_end;       /* … and that its time is up */
static OM_uint32 pretended_life; /* … or will be in so many seconds */

OM_uint32
gss_inquire_cred(OM_uint32 *minor, gss_cred_id_t cred, gss_name_t *name,
                 OM_uint32 *lifetime, gss_cred_usage_t *usage,
                 gss_OID_set *mechs)
{
    OM_uint32 (*real)(OM_uint32 *, gss_cred_id_t, gss_name_t *, OM_uint32 *,
                      gss_cred_usage_t *, gss_OID_set *) = NULL;
    OM_uint32 major, ignored;

    *(void **)&real = dlsym(RTLD_NEXT, "gss_inquire_cred");
    major = real(minor, cred, name, lifetime, usage, mechs);
    if (major == GSS_S_COMPLETE && lifetime != NULL && pretended_end)
        *lifetime = 0;
    if (major == GSS_S_COMPLETE && lifetime != NULL && pretended_life != 0)
        *lifetime = pretended_life;
    if (major == GSS_S_COMPLETE && name != NULL && pretended_name != NULL) {
        char copy[64];
        gss_buffer_desc text = {strlen(pretended_name), copy};

        memcpy(copy, pretended_name, text.length);
        (void)gss_release_name(&ignored, name);
        major = gss_import_name(minor, &text, GSS_C_NT_USER_NAME, name);
    }
    return major;
}

/* How often MIT looked for any cache at all, which it may not survive. */
static int looked_around;

EXPORTED krb5_error_code
krb5_cccol_have_content(krb5_context krb5) /* GSS-API calls it, not we */
{
    krb5_error_code (*real)(krb5_context) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "krb5_cccol_have_content");
    looked_around++;
    return real(krb5);
}

static int acquired; /* credentials; passwords and those on behalf aside */

OM_uint32
gss_acquire_cred_from(OM_uint32 *minor, gss_name_t name, OM_uint32 lifetime,
                      gss_OID_set mechs, gss_cred_usage_t usage,
                      gss_const_key_value_set_t store, gss_cred_id_t *cred,
                      gss_OID_set *actual, OM_uint32 *left)
{
    OM_uint32 (*real)(OM_uint32 *, gss_name_t, OM_uint32, gss_OID_set,
                      gss_cred_usage_t, gss_const_key_value_set_t,
                      gss_cred_id_t *, gss_OID_set *, OM_uint32 *) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "gss_acquire_cred_from");
    acquired++;
    return real(minor, name, lifetime, mechs, usage, store, cred, actual, left);
}

/* How often SPNEGO was told to offer Kerberos and nothing else. */
static int pins;

OM_uint32
gss_set_neg_mechs(OM_uint32 *minor, gss_cred_id_t cred, const gss_OID_set mechs)
{
    OM_uint32 (*real)(OM_uint32 *, gss_cred_id_t, const gss_OID_set) = NULL;
    gc_mech mech = GC_MECH_NTLM;

    *(void **)&real = dlsym(RTLD_NEXT, "gss_set_neg_mechs");
    if (mechs->count == 1 && gc_mech_from_oid(&mechs->elements[0], &mech)
        && mech == GC_MECH_KERBEROS)
        pins++;
    return real(minor, cred, mechs);
}

/* How many caches in memory there are: made, less destroyed. */
static int memory_caches;

EXPORTED krb5_error_code
krb5_cc_new_unique(krb5_context krb5, const char *type, const char *hint,
                   krb5_ccache *cache)
{
    krb5_error_code (*real)(krb5_context, const char *, const char *,
                            krb5_ccache *) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "krb5_cc_new_unique");
    memory_caches++;
    return real(krb5, type, hint, cache);
}

EXPORTED krb5_error_code
krb5_cc_destroy(krb5_context krb5, krb5_ccache cache)
{
    krb5_error_code (*real)(krb5_context, krb5_ccache) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "krb5_cc_destroy");
    memory_caches--;
    return real(krb5, cache);
}

/* Every test starts from the realm as it was made. */
static int
reset(void **state)
{
    (void)state;
    (void)setenv("KRB5_CONFIG", at("", "krb5.conf"), 1);
    (void)setenv("KRB5CCNAME", at("FILE:", "cc"), 1);
    (void)setenv("KRB5_CLIENT_KTNAME", at("FILE:", "no.keytab"), 1);
    pretended_name = NULL;
    pretended_end = false;
    pretended_life = 0;
    acquired = looked_around = 0;
    asked_dns = pins = 0;
    memory_caches = 0;
    return 0;
}

/* ---- the mechanisms ------------------------------------------------------ */

static void
kerberos_takes_one_leg(void **state)
{
    const OM_uint32 expected = GSS_C_INTEG_FLAG | GSS_C_CONF_FLAG
                               | GSS_C_REPLAY_FLAG | GSS_C_SEQUENCE_FLAG;
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
    struct outcome outcome = acceptor_try(&want);

    (void)state;
    assert_accepted(outcome, "alice@EXAMPLE.TEST");
    assert_int_equal(outcome.legs, 1);
    assert_true(outcome.done);
    assert_int_equal(outcome.facts.mech, GC_MECH_KERBEROS);
    assert_string_equal(outcome.facts.target, GUEST);
    assert_false(outcome.facts.mutual);
    assert_int_equal(outcome.flags & expected, expected);
    assert_int_equal(outcome.flags & (GSS_C_MUTUAL_FLAG | GSS_C_DCE_STYLE), 0);
}

/* alice's ticket is forwardable: she would be handed over if we asked. */
static void
nothing_is_delegated(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = wanted(both[i], GC_SOURCE_DEFAULT, "", "");
        struct outcome outcome = acceptor_try(&want);

        assert_accepted(outcome, "alice@EXAMPLE.TEST");
        assert_false(outcome.delegated);
        assert_int_equal(outcome.flags & GSS_C_DELEG_FLAG, 0);
        assert_int_equal(outcome.facts.flags & GSS_C_DELEG_FLAG, 0);
    }
}

static void
negotiate_wins_while_we_still_wait(void **state)
{
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
    struct outcome outcome = acceptor_try(&want);

    (void)state;
    assert_accepted(outcome, "alice@EXAMPLE.TEST");
    assert_int_equal(outcome.legs, 1);
    assert_false(outcome.done);
    assert_int_equal(outcome.facts.mech, GC_MECH_KERBEROS);
    assert_false(outcome.facts.mutual);
}

/* However the credential came about. */
static void
negotiate_is_always_pinned(void **state)
{
    struct gc_want wants[] = {
        wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", ""),
        wanted(GC_MECH_NEGOTIATE, GC_SOURCE_CCACHE, "", at("FILE:", "bob.cc")),
        wanted(GC_MECH_NEGOTIATE, GC_SOURCE_KEYTAB, "alice",
               at("", "alice.keytab")),
        with_password(GC_MECH_NEGOTIATE, "bob", "bobpw"),
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(wants); i++) {
        struct outcome outcome;

        pins = 0;
        outcome = acceptor_try(&wants[i]);
        assert_true(outcome.accepted);
        assert_true(pins > 0);
    }
}

static void
mutual_makes_the_guest_prove_itself(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = wanted(both[i], GC_SOURCE_DEFAULT, "", "");
        struct outcome outcome;

        want.mutual = true;
        outcome = acceptor_try(&want);
        assert_accepted(outcome, "alice@EXAMPLE.TEST");
        assert_int_equal(outcome.legs, 2);
        assert_true(outcome.facts.mutual);
        assert_int_equal(outcome.facts.mech, GC_MECH_KERBEROS);
        assert_int_equal(outcome.flags & GSS_C_DCE_STYLE, GSS_C_DCE_STYLE);
    }
}

/* Not raw: nobody has seen Windows take the unframed AP-REQ of DCE style. */
static void
mutual_is_framed_by_spnego(void **state)
{
    static const unsigned char spnego[] = {0x06, 0x06, 0x2b, 0x06,
                                           0x01, 0x05, 0x05, 0x02};
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    GC_AUTO(gc_said) said = {.done = false};
    const unsigned char *found;

    (void)state;
    want.mutual = true;
    assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                     GC_OK);
    assert_int_equal(said.token.data[0], 0x60);
    found = memmem(said.token.data, 16, spnego, sizeof(spnego));
    assert_non_null(found);
}

/* A ticket may come at once; then the guest has proved nothing. */
static void
mutual_is_false_before_the_proof(void **state)
{
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_facts facts = {.mutual = true};

    (void)state;
    want.mutual = true;
    assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                     GC_OK);
    assert_int_equal(initiator->ops->facts(initiator, &facts, NULL), GC_OK);
    assert_false(facts.mutual);
}

/* "You are in", says the guest, and keeps its AP-REP to itself. */
static void
mutual_is_not_taken_on_trust(void **state)
{
    static const unsigned char completed[] = {0xa1, 0x07, 0x30, 0x05, 0xa0,
                                              0x03, 0x0a, 0x01, 0x00};
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    GC_AUTO(gc_said) said = {.done = false};
    GC_AUTO(gc_bytes) challenge = {0};
    struct gc_facts facts = {.mutual = false};
    gc_status st;

    (void)state;
    want.mutual = true;
    assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                     GC_OK);
    assert_int_equal(
        gc_bytes_set(&challenge, completed, sizeof(completed), NULL), GC_OK);
    st = initiator->ops->answer(initiator, &challenge, &said, NULL);
    if (st == GC_OK) {
        assert_int_equal(initiator->ops->facts(initiator, &facts, NULL), GC_OK);
        assert_false(facts.mutual);
    } else {
        assert_int_equal(st, GC_E_PROTOCOL);
    }
}

/* One guest's proof is no other's: an AP-REP of another exchange. */
static void
mutual_refuses_another_exchange_s_proof(void **state)
{
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) one = gc_initiator_local_new();
    GC_AUTO_PTR(gc_initiator) two = gc_initiator_local_new();
    struct acceptor acceptor = {.context = GSS_C_NO_CONTEXT};
    GC_AUTO(gc_said) said = {.done = false};
    GC_AUTO(gc_bytes) challenge = {0};

    (void)state;
    want.mutual = true;
    assert_int_equal(one->ops->begin(one, &want, &said, NULL), GC_OK);
    acceptor_step(&acceptor, &said.token, &challenge);
    assert_int_equal(acceptor.major, GSS_S_CONTINUE_NEEDED);
    assert_int_equal(two->ops->begin(two, &want, &said, NULL), GC_OK);
    assert_int_equal(two->ops->answer(two, &challenge, &said, NULL),
                     GC_E_PROTOCOL);
    assert_int_equal(one->ops->answer(one, &challenge, &said, NULL), GC_OK);
    acceptor_clear(&acceptor);
}

static void
ntlm_is_not_there_without_its_plugin(void **state)
{
    struct gc_want want = with_password(GC_MECH_NTLM, "EXAMPLE\\bob", "bobpw");
    struct outcome outcome = acceptor_try(&want);

    (void)state;
    assert_refused(outcome, GC_E_NOT_SUPPORTED);
}

/* ---- what guests may do in the middle ------------------------------------ */

static void
a_challenge_after_the_end_is_waved_through_once(void **state)
{
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    GC_AUTO(gc_said) said = {.done = false};
    GC_AUTO(gc_bytes) challenge = {0};

    (void)state;
    assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                     GC_OK);
    assert_int_equal(gc_bytes_set(&challenge, "more", 4, NULL), GC_OK);
    assert_int_equal(initiator->ops->answer(initiator, &challenge, &said, NULL),
                     GC_OK);
    assert_int_equal(said.token.len, 0);
    assert_true(said.done);
    assert_int_equal(initiator->ops->answer(initiator, &challenge, &said, NULL),
                     GC_E_PROTOCOL);
}

/* An empty one crashes MIT's SPNEGO if it gets there as no token at all. */
static void
challenges_that_are_none_end_the_exchange(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
    } challenges[] = {{"", 0}, {"garbage", 7}, {"\xa1\x03\x30", 3}};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(challenges); i++) {
        struct gc_want want =
            wanted(GC_MECH_NEGOTIATE, GC_SOURCE_DEFAULT, "", "");
        GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
        GC_AUTO(gc_said) said = {.done = false};
        GC_AUTO(gc_bytes) challenge = {0};
        struct gc_facts facts;

        assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                         GC_OK);
        assert_int_equal(gc_bytes_set(&challenge, challenges[i].bytes,
                                      challenges[i].len, NULL),
                         GC_OK);
        assert_int_equal(
            initiator->ops->answer(initiator, &challenge, &said, NULL),
            GC_E_PROTOCOL);
        assert_int_equal(
            initiator->ops->answer(initiator, &challenge, &said, NULL),
            GC_E_INTERNAL);
        assert_int_equal(initiator->ops->facts(initiator, &facts, NULL),
                         GC_E_INTERNAL);
    }
}

/* What was sent once must never be sent again; a fresh exchange may. */
static void
a_second_begin_makes_another_token(void **state)
{
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    struct acceptor acceptor = {.context = GSS_C_NO_CONTEXT};
    GC_AUTO(gc_said) first = {.done = false};
    GC_AUTO(gc_said) second = {.done = false};
    GC_AUTO(gc_bytes) ignored = {0};

    (void)state;
    assert_int_equal(initiator->ops->begin(initiator, &want, &first, NULL),
                     GC_OK);
    assert_int_equal(initiator->ops->begin(initiator, &want, &second, NULL),
                     GC_OK);
    acceptor_step(&acceptor, &first.token, &ignored);
    assert_int_equal(acceptor.major, GSS_S_COMPLETE);
    acceptor_clear(&acceptor);
    acceptor_step(&acceptor, &first.token, &ignored);
    assert_true(GSS_ERROR(acceptor.major));
    acceptor_clear(&acceptor);
    acceptor_step(&acceptor, &second.token, &ignored);
    assert_int_equal(acceptor.major, GSS_S_COMPLETE);
    acceptor_clear(&acceptor);
}

/* ---- whose credential ---------------------------------------------------- */

/* Handed bob's Kerberos credential, SPNEGO would be alice, the default. */
static void
bob_stays_bob_beside_alice_s_cache(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want named =
            wanted(both[i], GC_SOURCE_CCACHE, "bob", at("FILE:", "bob.cc"));
        struct gc_want unnamed =
            wanted(both[i], GC_SOURCE_CCACHE, "", at("FILE:", "bob.cc"));
        struct gc_want typed = with_password(both[i], "bob", "bobpw");
        struct outcome outcome = acceptor_try(&named);

        assert_accepted(outcome, "bob@EXAMPLE.TEST");
        outcome = acceptor_try(&unnamed);
        assert_accepted(outcome, "bob@EXAMPLE.TEST");
        outcome = acceptor_try(&typed);
        assert_accepted(outcome, "bob@EXAMPLE.TEST");
    }
}

static void
another_s_cache_is_refused(void **state)
{
    static const char *const names[] = {"alice", "bo", "bobby", "bob@OTHER"};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(names); i++) {
        struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE,
                                     names[i], at("FILE:", "bob.cc"));
        struct outcome outcome = acceptor_try(&want);

        assert_refused(outcome, GC_E_NO_CREDENTIAL);
    }
}

/* Were the library to come up with somebody else, however alike. */
static void
the_name_found_is_compared_in_full(void **state)
{
    static const char *const found[] = {"mallory", "alic", "alice2"};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(found); i++) {
        struct gc_want want =
            wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "alice", "");
        struct outcome outcome;

        pretended_name = found[i];
        outcome = acceptor_try(&want);
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
        assert_non_null(
            strstr(outcome.error.message, "not alice@EXAMPLE.TEST"));
    }
}

/* The name that facts would give, before anything is begun. */
static void
who_it_would_be(void **state)
{
    const struct {
        gc_source source;
        const char *principal, *place, *on_behalf_of, *expected;
    } cases[] = {
        {GC_SOURCE_DEFAULT, "", "", "", "alice@EXAMPLE.TEST"},
        {GC_SOURCE_DEFAULT, "bob", "", "", "bob@EXAMPLE.TEST"},
        {GC_SOURCE_CCACHE, "", at("FILE:", "bob.cc"), "", "bob@EXAMPLE.TEST"},
        {GC_SOURCE_KEYTAB, "svc/x", at("", "svc.keytab"), "bob@OTHER.TEST",
         "bob@OTHER.TEST"},
        {GC_SOURCE_CCACHE, "", at("FILE:", "missing.cc"), "", NULL},
    };

    (void)state;
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
    for (size_t i = 0; i < 4 * GC_COUNT_OF(cases); i++) {
        size_t k = i / 4;
        struct gc_initiator *one = i % 2 == 0 ? thread : local;
        struct gc_want want = wanted(both[i / 2 % 2], cases[k].source,
                                     cases[k].principal, cases[k].place);

        (void)snprintf(want.on_behalf_of, sizeof(want.on_behalf_of), "%s",
                       cases[k].on_behalf_of);
        want.mutual = i % 4 == 0;
        if (cases[k].expected == NULL) {
            assert_int_equal(one->ops->who(one, &want, want.principal, NULL),
                             GC_E_NO_CREDENTIAL);
            continue;
        }
        assert_int_equal(one->ops->who(one, &want, want.principal, NULL),
                         GC_OK);
        assert_string_equal(want.principal, cases[k].expected);
    }
}

/* What "who" looked up serves the same wish, once, and no other. */
static void
what_who_found_is_for_the_same_wish(void **state)
{
    const struct {
        gc_source source;
        const char *principal, *type, *name, *expected;
        bool again; /* another credential is acquired */
    } cases[] = {
        {GC_SOURCE_CCACHE, "", "FILE:", "cc", "alice@EXAMPLE.TEST", false},
        {GC_SOURCE_CCACHE, "", "FILE:", "bob.cc", "bob@EXAMPLE.TEST", true},
        {GC_SOURCE_CCACHE, "", "", "cc", "alice@EXAMPLE.TEST", true},
        {GC_SOURCE_CCACHE, "alice", "FILE:", "cc", "alice@EXAMPLE.TEST", true},
        {GC_SOURCE_CCACHE, "bob", "FILE:", "cc", NULL, true},
        {GC_SOURCE_OWN_CCACHE, "", "FILE:", "cc", "alice@EXAMPLE.TEST", true},
        {GC_SOURCE_DEFAULT, "", NULL, "", "bob@EXAMPLE.TEST", true},
    };

    (void)state;
    (void)setenv("KRB5CCNAME", at("FILE:", "bob.cc"), 1);
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
        struct gc_want asked =
            wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE, "", at("FILE:", "cc"));
        struct gc_want want = wanted(
            GC_MECH_KERBEROS, cases[i].source, cases[i].principal,
            cases[i].type == NULL ? "" : at(cases[i].type, cases[i].name));
        char who[GC_PRINCIPAL_SIZE];
        struct outcome outcome;

        assert_int_equal(local->ops->who(local, &asked, who, NULL), GC_OK);
        assert_string_equal(who, "alice@EXAMPLE.TEST");
        acquired = 0;
        outcome = acceptor_exchange(local, &want);
        assert_int_equal(acquired, cases[i].again ? 1 : 0);
        if (cases[i].expected == NULL)
            assert_refused(outcome, GC_E_NO_CREDENTIAL);
        else
            assert_accepted(outcome, cases[i].expected);
        /* Whatever became of it, it has served. */
        acquired = 0;
        outcome = acceptor_exchange(local, &asked);
        assert_accepted(outcome, "alice@EXAMPLE.TEST");
        assert_int_equal(acquired, 1);
    }
}

/* For Kerberos itself "who" asks; SPNEGO must not get that one. */
static void
what_who_found_is_for_the_same_mechanism(void **state)
{
    (void)state;
    for (int turn = 0; turn < 2; turn++) {
        GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
        struct gc_want want = wanted(both[1 - turn], GC_SOURCE_DEFAULT, "", "");
        struct outcome outcome;
        char who[GC_PRINCIPAL_SIZE];

        want.mutual = turn == 1;
        assert_int_equal(local->ops->who(local, &want, who, NULL), GC_OK);
        pins = 0;
        outcome = acceptor_exchange(local, &want);
        assert_accepted(outcome, "alice@EXAMPLE.TEST");
        assert_int_equal(outcome.facts.mutual, want.mutual);
        assert_true(pins > 0);
    }
}

static void
what_who_found_may_have_expired_since(void **state)
{
    GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
    const struct timespec pause = {1, 100000000};
    struct outcome outcome;
    char who[GC_PRINCIPAL_SIZE];

    (void)state;
    pretended_life = 1;
    assert_int_equal(local->ops->who(local, &want, who, NULL), GC_OK);
    assert_int_equal(nanosleep(&pause, NULL), 0);
    acquired = 0;
    pretended_life = 0;
    outcome = acceptor_exchange(local, &want);
    assert_accepted(outcome, "alice@EXAMPLE.TEST");
    assert_int_equal(acquired, 1);
    pretended_life = 1;
    assert_int_equal(local->ops->who(local, &want, who, NULL), GC_OK);
    assert_int_equal(nanosleep(&pause, NULL), 0);
    pretended_life = 0;
    pretended_end = true;
    outcome = acceptor_exchange(local, &want);
    assert_refused(outcome, GC_E_NO_CREDENTIAL);
    assert_non_null(strstr(outcome.error.message, "has expired"));
}

/* alice's own key is no word for bob. */
static void
what_who_found_acts_for_nobody(void **state)
{
    GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_CLIENT_KEYTAB, "",
                                 at("", "alice.keytab"));
    struct outcome outcome;
    char who[GC_PRINCIPAL_SIZE];

    (void)state;
    assert_int_equal(local->ops->who(local, &want, who, NULL), GC_OK);
    assert_string_equal(who, "alice@EXAMPLE.TEST");
    (void)snprintf(want.on_behalf_of, sizeof(want.on_behalf_of), "bob");
    outcome = acceptor_exchange(local, &want);
    assert_int_equal(outcome.legs, 0);
    assert_int_not_equal(outcome.status, GC_OK);
}

static void
principals_that_kerberos_would_misread(void **state)
{
    static const char *const names[] = {"EXAMPLE\\alice", "alice@",
                                        "@EXAMPLE.TEST", "ali\nce"};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(names); i++) {
        struct gc_want want =
            wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, names[i], "");
        struct outcome outcome = acceptor_try(&want);

        assert_refused(outcome, GC_E_CONFIG);
    }
}

/* One that there is, one that there is not, and those that cannot be read. */
static void
the_default_cache_is_looked_at_alone(void **state)
{
    static const char *const names[] = {"cc", "missing", "", "krb5.conf"};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(names); i++)
        for (size_t k = 0; k < 2 * GC_COUNT_OF(both); k++) {
            struct gc_want want =
                wanted(both[k / 2], GC_SOURCE_DEFAULT, "", "");
            struct outcome outcome;

            want.mutual = k % 2 == 1;
            (void)setenv("KRB5CCNAME", at("FILE:", names[i]), 1);
            outcome = acceptor_try(&want);
            assert_int_equal(looked_around, 0);
            if (i == 0) {
                assert_accepted(outcome, "alice@EXAMPLE.TEST");
            } else {
                assert_refused(outcome, GC_E_NO_CREDENTIAL);
                assert_non_null(
                    strstr(outcome.error.message,
                           at("default credential cache FILE:", names[i])));
            }
        }
}

/* The collection's first, or whoever is named. */
static void
the_default_may_be_a_collection(void **state)
{
    (void)state;
    (void)setenv("KRB5CCNAME", at("DIR:", "collection"), 1);
    assert_int_equal(mkdir(at("", "collection"), 0700), 0);
    assert_int_equal(system("echo alicepw | kinit alice >/dev/null"), 0);
    assert_int_equal(system("echo bobpw | kinit bob >/dev/null"), 0);
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = wanted(both[i], GC_SOURCE_DEFAULT, "", "");
        struct outcome outcome = acceptor_try(&want);

        assert_accepted(outcome, "bob@EXAMPLE.TEST");
        want = wanted(both[i], GC_SOURCE_DEFAULT, "alice", "");
        outcome = acceptor_try(&want);
        assert_accepted(outcome, "alice@EXAMPLE.TEST");
    }
}

/* MIT would become whoever is in the host's keytab, and write the cache. */
static void
a_missing_cache_is_not_made_up_from_a_keytab(void **state)
{
    static const char *const names[] = {"", "alice"};

    (void)state;
    (void)setenv("KRB5_CLIENT_KTNAME", at("FILE:", "alice.keytab"), 1);
    (void)setenv("KRB5CCNAME", at("FILE:", "missing.cc"), 1);
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        for (size_t k = 0; k < GC_COUNT_OF(names); k++) {
            struct gc_want want = wanted(both[i], GC_SOURCE_CCACHE, names[k],
                                         at("FILE:", "missing.cc"));
            struct outcome outcome = acceptor_try(&want);

            assert_refused(outcome, GC_E_NO_CREDENTIAL);
            assert_non_null(strstr(outcome.error.hint, "kinit"));
            want = wanted(both[i], GC_SOURCE_DEFAULT, names[k], "");
            outcome = acceptor_try(&want);
            assert_refused(outcome, GC_E_NO_CREDENTIAL);
            assert_non_null(strstr(outcome.error.hint, "kinit"));
        }
    }
    assert_int_not_equal(access(at("", "missing.cc"), F_OK), 0);
}

/* alice's ticket, as it will be a day from now. */
static void
write_expired(const char *name)
{
    krb5_context krb5;
    krb5_ccache from, to;
    krb5_principal alice;
    krb5_cc_cursor cursor;
    krb5_creds creds;

    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_cc_default(krb5, &from), 0);
    assert_int_equal(krb5_cc_resolve(krb5, name, &to), 0);
    assert_int_equal(krb5_cc_get_principal(krb5, from, &alice), 0);
    assert_int_equal(krb5_cc_initialize(krb5, to, alice), 0);
    assert_int_equal(krb5_cc_start_seq_get(krb5, from, &cursor), 0);
    while (krb5_cc_next_cred(krb5, from, &cursor, &creds) == 0) {
        creds.times.authtime -= 86400;
        creds.times.starttime -= 86400;
        creds.times.endtime -= 86400;
        if (!krb5_is_config_principal(krb5, creds.server))
            assert_int_equal(krb5_cc_store_cred(krb5, to, &creds), 0);
        krb5_free_cred_contents(krb5, &creds);
    }
    (void)krb5_cc_end_seq_get(krb5, from, &cursor);
    krb5_free_principal(krb5, alice);
    (void)krb5_cc_close(krb5, from);
    (void)krb5_cc_close(krb5, to);
    krb5_free_context(krb5);
}

/* GSS-API acquires an expired one with success. */
static void
an_expired_credential_is_refused(void **state)
{
    (void)state;
    write_expired(at("FILE:", "expired.cc"));
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = wanted(both[i], GC_SOURCE_CCACHE, "alice",
                                     at("FILE:", "expired.cc"));
        struct outcome outcome = acceptor_try(&want);

        assert_refused(outcome, GC_E_NO_CREDENTIAL);
        assert_non_null(strstr(outcome.error.message, "has expired"));
        assert_non_null(strstr(outcome.error.hint, "kinit"));

        pretended_end = true; /* success with no time left, says the library */
        want = wanted(both[i], GC_SOURCE_DEFAULT, "", "");
        outcome = acceptor_try(&want);
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
        pretended_end = false;
    }
}

/* The default cache, byte for byte: service tickets land there, no more. */
static void
read_cache_owner(char *dst, size_t size)
{
    krb5_context krb5;
    krb5_ccache cache;
    krb5_principal owner;
    char *name;

    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_cc_default(krb5, &cache), 0);
    assert_int_equal(krb5_cc_get_principal(krb5, cache, &owner), 0);
    assert_int_equal(krb5_unparse_name(krb5, owner, &name), 0);
    (void)snprintf(dst, size, "%s", name);
    krb5_free_unparsed_name(krb5, name);
    krb5_free_principal(krb5, owner);
    (void)krb5_cc_close(krb5, cache);
    krb5_free_context(krb5);
}

static void
a_keytab_gets_a_ticket_of_its_own(void **state)
{
    const char *svc = "svc/portal.example.test@EXAMPLE.TEST";
    struct stat before, after;
    char owner[128];

    (void)state;
    assert_int_equal(stat(at("", "cc"), &before), 0);
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want =
            wanted(both[i], GC_SOURCE_KEYTAB, svc, at("", "svc.keytab"));
        struct outcome outcome = acceptor_try(&want);

        assert_accepted(outcome, svc);
        want = wanted(both[i], GC_SOURCE_CLIENT_KEYTAB, svc,
                      at("FILE:", "svc.keytab"));
        outcome = acceptor_try(&want);
        assert_accepted(outcome, svc);
        want.principal[0] = '\0'; /* the first in there */
        outcome = acceptor_try(&want);
        assert_accepted(outcome, svc);
    }
    assert_int_equal(stat(at("", "cc"), &after), 0);
    assert_int_equal(before.st_size, after.st_size);
    assert_int_equal(before.st_mtim.tv_nsec, after.st_mtim.tv_nsec);
    read_cache_owner(owner, sizeof(owner));
    assert_string_equal(owner, "alice@EXAMPLE.TEST");
    assert_int_equal(memory_caches, 0);
}

static void
the_client_keytab_has_a_default_too(void **state)
{
    struct gc_want want =
        wanted(GC_MECH_KERBEROS, GC_SOURCE_CLIENT_KEYTAB, "", "");
    struct outcome outcome;

    (void)state;
    (void)setenv("KRB5_CLIENT_KTNAME", at("FILE:", "svc.keytab"), 1);
    outcome = acceptor_try(&want);
    assert_accepted(outcome, "svc/portal.example.test@EXAMPLE.TEST");
}

static void
keytabs_that_do_not_help(void **state)
{
    static const struct {
        const char *file, *principal;
        gc_status status;
        const char *says;
    } cases[] = {
        {"nowhere.keytab", "alice", GC_E_NO_CREDENTIAL, ": it is not there"},
        {"krb5.conf/x", "alice", GC_E_NO_CREDENTIAL, ": it is not there"},
        {"", "alice", GC_E_NO_CREDENTIAL, ": it is a directory"},
        {"svc.keytab", "alice", GC_E_NO_CREDENTIAL,
         ": it holds no key of alice@EXAMPLE.TEST"},
        {"krb5.conf", "alice", GC_E_NO_CREDENTIAL, ": it is not a keytab"},
        {"alice.keytab", "", GC_E_CONFIG, "needs a principal"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_KEYTAB,
                                     cases[i].principal, at("", cases[i].file));
        struct outcome outcome = acceptor_try(&want);

        assert_refused(outcome, cases[i].status);
        assert_non_null(strstr(outcome.error.message, cases[i].says));
        assert_null(strstr(outcome.error.message, "cache"));
        if (cases[i].status == GC_E_NO_CREDENTIAL)
            assert_true(outcome.error.hint[0] != '\0'
                        && outcome.error.gss_major != 0);
    }
    assert_int_equal(memory_caches, 0);
}

/* Nobody's name was given, and there is nobody; then there is no keytab. */
static void
a_default_client_keytab_that_does_not_help(void **state)
{
    struct gc_want want =
        wanted(GC_MECH_KERBEROS, GC_SOURCE_CLIENT_KEYTAB, "", "");
    struct outcome outcome;
    FILE *file = fopen(at("", "hollow.keytab"), "we");

    (void)state;
    assert_non_null(file);
    assert_int_equal(fputs("\005\002", file) < 0, 0);
    assert_int_equal(fclose(file), 0);
    (void)setenv("KRB5_CLIENT_KTNAME", at("FILE:", "hollow.keytab"), 1);
    outcome = acceptor_try(&want);
    assert_refused(outcome, GC_E_NO_CREDENTIAL);
    assert_string_equal(outcome.error.message,
                        "no credential from the client keytab: it holds no "
                        "key");
    (void)setenv("KRB5_CLIENT_KTNAME", at("FILE:", "nowhere.keytab"), 1);
    outcome = acceptor_try(&want);
    assert_refused(outcome, GC_E_NO_CREDENTIAL);
    assert_string_equal(outcome.error.message,
                        "no credential from the client keytab: it is not "
                        "there");
}

static void
passwords_are_checked_by_the_kdc(void **state)
{
    static const struct {
        const char *principal, *password;
        gc_status status;
        const char *hint;
    } cases[] = {
        {"bob", "wrong", GC_E_DENIED, "password"},
        {"nobody", "bobpw", GC_E_DENIED, "account"},
        {"locked", "lockedpw", GC_E_DENIED, "account"},
        {"stale", "stalepw", GC_E_DENIED, "kpasswd"},
        {"bob", "", GC_E_DENIED, ""},
        {"", "bobpw", GC_E_CONFIG, ""},
        {"bob@NOWHERE.TEST", "bobpw", GC_E_NO_CREDENTIAL, ""},
    };

    (void)state;
    for (size_t i = 0; i < 2 * GC_COUNT_OF(cases); i++) {
        size_t k = i / 2;
        struct gc_want want =
            with_password(both[i % 2], cases[k].principal, cases[k].password);
        struct outcome outcome = acceptor_try(&want);

        assert_refused(outcome, cases[k].status);
        assert_non_null(strstr(outcome.error.hint, cases[k].hint));
        if (cases[k].password[0] != '\0')
            assert_null(strstr(outcome.error.message, cases[k].password));
    }
    assert_int_equal(memory_caches, 0);
}

static void
what_was_in_memory_is_gone_afterwards(void **state)
{
    struct gc_want want = with_password(GC_MECH_NEGOTIATE, "bob", "bobpw");
    GC_AUTO_PTR(gc_initiator) initiator = gc_initiator_local_new();
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    assert_int_equal(initiator->ops->begin(initiator, &want, &said, NULL),
                     GC_OK);
    assert_int_not_equal(memory_caches, 0);
    initiator->ops->end(initiator);
    assert_int_equal(memory_caches, 0);
}

static void
names_of_caches_and_their_types(void **state)
{
    struct gc_want want =
        wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE, "", "NOTYPE:here");
    struct outcome outcome = acceptor_try(&want);

    (void)state;
    assert_refused(outcome, GC_E_CONFIG);
    want = wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE, "", "");
    outcome = acceptor_try(&want);
    assert_refused(outcome, GC_E_CONFIG);
    want = wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE, "",
                  at("FILE:", "krb5.conf"));
    outcome = acceptor_try(&want);
    assert_refused(outcome, GC_E_NO_CREDENTIAL);
}

/* ---- targets ------------------------------------------------------------- */

static void
unknown_targets_say_so(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = wanted(both[i], GC_SOURCE_DEFAULT, "", "");
        struct outcome outcome;

        (void)snprintf(want.target, sizeof(want.target),
                       "host/nowhere.example.test");
        outcome = acceptor_try(&want);
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
        assert_int_equal(outcome.error.advice, GC_ADVICE_TARGET);
        assert_int_not_equal(outcome.error.gss_major, 0);
    }
}

static void
targets_in_every_spelling(void **state)
{
    static const char *const spellings[] = {
        "HOST/guest1.example.test",
        "host@guest1.example.test",
        "host/guest1.example.test.",
        "host/guest1.example.test@EXAMPLE.TEST",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(spellings); i++) {
        struct gc_want want =
            wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
        struct outcome outcome;

        (void)snprintf(want.target, sizeof(want.target), "%s", spellings[i]);
        outcome = acceptor_try(&want);
        assert_accepted(outcome, "alice@EXAMPLE.TEST");
    }
}

/* What a name of the type that we never use comes to: DNS is asked. */
static void
ask_dns_by_a_hostbased_name(void)
{
    static char host[] = "host@guest1.example.test";
    gss_buffer_desc text = {strlen(host), host};
    gss_name_t name = GSS_C_NO_NAME, canonical = GSS_C_NO_NAME;
    OM_uint32 minor;

    assert_int_equal(
        gss_import_name(&minor, &text, GSS_C_NT_HOSTBASED_SERVICE, &name),
        GSS_S_COMPLETE);
    assert_int_equal(gss_canonicalize_name(&minor, name,
                                           gc_mech_oid(GC_MECH_KERBEROS),
                                           &canonical),
                     GSS_S_COMPLETE);
    (void)gss_release_name(&minor, &canonical);
    (void)gss_release_name(&minor, &name);
}

static void
targets_are_never_looked_up_in_dns(void **state)
{
    (void)state;
    ask_dns_by_a_hostbased_name();
    assert_true(asked_dns > 0); /* so that a zero means something */
    asked_dns = 0;
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = with_password(both[i], "alice", "alicepw");
        struct outcome outcome = acceptor_try(&want);

        assert_accepted(outcome, "alice@EXAMPLE.TEST");
        assert_int_equal(asked_dns, 0);
    }
}

/* The realm is the KDC's to find, not this host's default. */
static void
a_foreign_default_realm_does_not_matter(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want =
            with_password(both[i], "alice@EXAMPLE.TEST", "alicepw");
        struct outcome outcome;

        (void)setenv("KRB5_CONFIG", at("", "foreign.conf"), 1);
        outcome = acceptor_try(&want);
        assert_accepted(outcome, "alice@EXAMPLE.TEST");
    }
}

/* ---- KDCs that are away -------------------------------------------------- */

static void
no_kdc_is_a_reason_to_come_back(void **state)
{
    (void)state;
    (void)setenv("KRB5_CONFIG", at("", "dead.conf"), 1);
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = with_password(both[i], "bob", "bobpw");
        struct outcome outcome = acceptor_try(&want);

        assert_refused(outcome, GC_E_UNAVAILABLE);
        want = wanted(both[i], GC_SOURCE_DEFAULT, "", "");
        (void)snprintf(want.target, sizeof(want.target),
                       "host/guest2.example.test");
        outcome = acceptor_try(&want);
        assert_refused(outcome, GC_E_UNAVAILABLE);
    }
}

static void
a_stopped_kdc_does_not_outlast_the_deadline(void **state)
{
    struct gc_want want = with_password(GC_MECH_KERBEROS, "bob", "bobpw");
    pid_t kdc = (pid_t)atoi(getenv("GC_REALM_KDC"));
    int64_t before = gc_clock_now();
    struct outcome outcome;

    (void)state;
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    assert_int_equal(kill(kdc, SIGSTOP), 0);
    want.deadline = gc_clock_now() + 700;
    outcome = acceptor_exchange(thread, &want);
    assert_int_equal(kill(kdc, SIGCONT), 0);
    assert_refused(outcome, GC_E_UNAVAILABLE);
    assert_true(gc_clock_now() - before < 3000);

    want.deadline = gc_clock_now() + 30000;
    outcome = acceptor_exchange(thread, &want);
    assert_accepted(outcome, "bob@EXAMPLE.TEST");
}

/* ---- the thread ---------------------------------------------------------- */

static void
the_thread_does_all_of_it(void **state)
{
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
    struct outcome outcome;

    (void)state;
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);

    outcome = acceptor_exchange(thread, &want);
    assert_accepted(outcome, "alice@EXAMPLE.TEST");
    assert_true(outcome.done);

    want.mutual = true;
    outcome = acceptor_exchange(thread, &want);
    assert_accepted(outcome, "alice@EXAMPLE.TEST");
    assert_int_equal(outcome.legs, 2);
    assert_true(outcome.facts.mutual);

    want = with_password(GC_MECH_NEGOTIATE, "bob", "wrong");
    outcome = acceptor_exchange(thread, &want);
    assert_refused(outcome, GC_E_DENIED);
    assert_int_not_equal(outcome.error.gss_minor, 0);

    want = with_password(GC_MECH_NEGOTIATE, "bob", "bobpw");
    outcome = acceptor_exchange(thread, &want);
    assert_accepted(outcome, "bob@EXAMPLE.TEST");
}

static int
descriptors(void)
{
    DIR *dir = opendir("/proc/self/fd");
    int n = 0;

    assert_non_null(dir);
    while (readdir(dir) != NULL)
        n++;
    (void)closedir(dir);
    return n;
}

static void
many_exchanges_leave_nothing_open(void **state)
{
    struct gc_want want = with_password(GC_MECH_NEGOTIATE, "bob", "bobpw");
    int before = descriptors();

    (void)state;
    for (int i = 0; i < 20; i++) {
        GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);

        assert_accepted(acceptor_try(&want), "bob@EXAMPLE.TEST");
        assert_accepted(acceptor_exchange(thread, &want), "bob@EXAMPLE.TEST");
    }
    assert_int_equal(descriptors(), before);
}

/* ---- on behalf of -------------------------------------------------------- */

static struct gc_want
on_behalf(gc_mech mech, const char *keytab, const char *service,
          const char *user)
{
    struct gc_want want =
        wanted(mech, GC_SOURCE_KEYTAB, service, at("", keytab));

    (void)snprintf(want.on_behalf_of, sizeof(want.on_behalf_of), "%s", user);
    return want;
}

static void
skip_without_s4u(void)
{
    if (getenv("KDB_S4U_TARGETS") == NULL)
        skip();
}

static void
a_service_acts_for_a_user(void **state)
{
    (void)state;
    skip_without_s4u();
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want =
            on_behalf(both[i], "svc.keytab", "svc/portal.example.test", "bob");
        struct outcome outcome = acceptor_try(&want);

        assert_accepted(outcome, "bob@EXAMPLE.TEST");
        assert_false(outcome.delegated);
    }
    assert_int_equal(memory_caches, 0);
}

static void
the_kdc_says_for_whom_and_where(void **state)
{
    (void)state;
    skip_without_s4u();
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want =
            on_behalf(both[i], "svc.keytab", "svc/portal.example.test", "bob");
        struct outcome outcome;

        (void)snprintf(want.target, sizeof(want.target),
                       "host/guest2.example.test");
        outcome = acceptor_try(&want);
        assert_refused(outcome, GC_E_DENIED);
        /* Its S4U2Self ticket is not forwardable: no proof to go on with. */
        want =
            on_behalf(both[i], "stray.keytab", "svc/stray.example.test", "bob");
        outcome = acceptor_try(&want);
        assert_refused(outcome, GC_E_DENIED);
        want = on_behalf(both[i], "svc.keytab", "svc/portal.example.test",
                         "nobody");
        outcome = acceptor_try(&want);
        assert_refused(outcome, GC_E_DENIED);
    }
    assert_int_equal(memory_caches, 0);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(kerberos_takes_one_leg, reset),
        cmocka_unit_test_setup(nothing_is_delegated, reset),
        cmocka_unit_test_setup(negotiate_wins_while_we_still_wait, reset),
        cmocka_unit_test_setup(negotiate_is_always_pinned, reset),
        cmocka_unit_test_setup(mutual_makes_the_guest_prove_itself, reset),
        cmocka_unit_test_setup(mutual_is_framed_by_spnego, reset),
        cmocka_unit_test_setup(mutual_is_false_before_the_proof, reset),
        cmocka_unit_test_setup(mutual_is_not_taken_on_trust, reset),
        cmocka_unit_test_setup(mutual_refuses_another_exchange_s_proof, reset),
        cmocka_unit_test_setup(ntlm_is_not_there_without_its_plugin, reset),
        cmocka_unit_test_setup(a_challenge_after_the_end_is_waved_through_once,
                               reset),
        cmocka_unit_test_setup(challenges_that_are_none_end_the_exchange,
                               reset),
        cmocka_unit_test_setup(a_second_begin_makes_another_token, reset),
        cmocka_unit_test_setup(bob_stays_bob_beside_alice_s_cache, reset),
        cmocka_unit_test_setup(another_s_cache_is_refused, reset),
        cmocka_unit_test_setup(the_name_found_is_compared_in_full, reset),
        cmocka_unit_test_setup(who_it_would_be, reset),
        cmocka_unit_test_setup(what_who_found_is_for_the_same_wish, reset),
        cmocka_unit_test_setup(what_who_found_is_for_the_same_mechanism, reset),
        cmocka_unit_test_setup(what_who_found_may_have_expired_since, reset),
        cmocka_unit_test_setup(what_who_found_acts_for_nobody, reset),
        cmocka_unit_test_setup(principals_that_kerberos_would_misread, reset),
        cmocka_unit_test_setup(the_default_cache_is_looked_at_alone, reset),
        cmocka_unit_test_setup(the_default_may_be_a_collection, reset),
        cmocka_unit_test_setup(a_missing_cache_is_not_made_up_from_a_keytab,
                               reset),
        cmocka_unit_test_setup(an_expired_credential_is_refused, reset),
        cmocka_unit_test_setup(a_keytab_gets_a_ticket_of_its_own, reset),
        cmocka_unit_test_setup(the_client_keytab_has_a_default_too, reset),
        cmocka_unit_test_setup(keytabs_that_do_not_help, reset),
        cmocka_unit_test_setup(a_default_client_keytab_that_does_not_help,
                               reset),
        cmocka_unit_test_setup(passwords_are_checked_by_the_kdc, reset),
        cmocka_unit_test_setup(what_was_in_memory_is_gone_afterwards, reset),
        cmocka_unit_test_setup(names_of_caches_and_their_types, reset),
        cmocka_unit_test_setup(unknown_targets_say_so, reset),
        cmocka_unit_test_setup(targets_in_every_spelling, reset),
        cmocka_unit_test_setup(targets_are_never_looked_up_in_dns, reset),
        cmocka_unit_test_setup(a_foreign_default_realm_does_not_matter, reset),
        cmocka_unit_test_setup(no_kdc_is_a_reason_to_come_back, reset),
        cmocka_unit_test_setup(a_stopped_kdc_does_not_outlast_the_deadline,
                               reset),
        cmocka_unit_test_setup(the_thread_does_all_of_it, reset),
        cmocka_unit_test_setup(many_exchanges_leave_nothing_open, reset),
        cmocka_unit_test_setup(a_service_acts_for_a_user, reset),
        cmocka_unit_test_setup(the_kdc_says_for_whom_and_where, reset),
    };

    return cmocka_run_group_tests_name("kerberos", tests, NULL, NULL);
}
