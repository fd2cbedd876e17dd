/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches that cannot be read, with every source; and cache files that are read
 * once for many targets and get the new tickets.  To be run by realm.sh.
 */
#include <config.h>

#include <dlfcn.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <setjmp.h>

#include <cmocka.h>

#include <gssapi/gssapi.h>

#include <krb5.h>

#include "src/base/clock.h"
#include "tests/integration/gss/acceptor.h"

#define ALICE  "alice@EXAMPLE.TEST"
#define BOB    "bob@EXAMPLE.TEST"
#define SVC    "svc/portal.example.test"
#define GUEST1 "host/guest1.example.test"
#define GUEST2 "host/guest2.example.test"

static const gc_mech both[] = {GC_MECH_KERBEROS, GC_MECH_NEGOTIATE};

/* PREFIX + the realm's directory + "/" + NAME. */
static const char *
at(const char *prefix, const char *name)
{
    static char path[8][GC_PLACE_SIZE];
    static unsigned int turn;
    char *dst = path[turn++ % 8];

    (void)snprintf(dst, GC_PLACE_SIZE, "%s%s/%s", prefix, getenv("GC_REALM"),
                   name);
    return dst;
}

static struct gc_want
wanted(gc_source source, const char *principal, const char *place,
       const char *target)
{
    struct gc_want want = {.source = source};

    want.deadline = gc_clock_now() + 30000;
    (void)snprintf(want.target, sizeof(want.target), "%s", target);
    (void)snprintf(want.principal, sizeof(want.principal), "%s", principal);
    (void)snprintf(want.place, sizeof(want.place), "%s", place);
    if (source == GC_SOURCE_PASSWORD)
        want.password = password("alicepw");
    return want;
}

static void
copy(const char *from, const char *to)
{
    char command[2 * GC_PLACE_SIZE + 16];

    (void)snprintf(command, sizeof(command),
                   "cd '%s' && cp %s new && mv new %s", getenv("GC_REALM"),
                   from, to);
    assert_int_equal(system(command), 0);
}

/* How many tickets for SERVICE ("": any) are in CACHE, which must be whole? */
static int
tickets(const char *name, const char *service)
{
    krb5_context krb5;
    krb5_ccache cache;
    krb5_cc_cursor cursor;
    krb5_creds creds;
    krb5_error_code code;
    char *server;
    int n = 0;

    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_cc_resolve(krb5, name, &cache), 0);
    assert_int_equal(krb5_cc_start_seq_get(krb5, cache, &cursor), 0);
    while ((code = krb5_cc_next_cred(krb5, cache, &cursor, &creds)) == 0) {
        assert_int_equal(krb5_unparse_name(krb5, creds.server, &server), 0);
        n += strncmp(server, service, strlen(service)) == 0;
        krb5_free_unparsed_name(krb5, server);
        krb5_free_cred_contents(krb5, &creds);
    }
    assert_int_equal(code, KRB5_CC_END);
    (void)krb5_cc_end_seq_get(krb5, cache, &cursor);
    (void)krb5_cc_close(krb5, cache);
    krb5_free_context(krb5);
    return n;
}

/* ---- what the libraries do, watched ---- */

static int file_reads; /* by us, who alone never wait for a writer's end */

int
open(const char *path, int flags, ...)
{
    int (*real)(const char *, int, ...) = NULL;
    va_list more;
    int mode;

    va_start(more, flags);
    mode = (flags & O_CREAT) != 0 ? va_arg(more, int) : 0;
    va_end(more);
    *(void **)&real = dlsym(RTLD_NEXT, "open");
    file_reads +=
        (flags & O_NONBLOCK) != 0
        && strncmp(path, getenv("GC_REALM"), strlen(getenv("GC_REALM"))) == 0;
    return real(path, flags, mode);
}

/*
 * How often MIT looked for any cache at all: 1.20 may free a principal then
 * that it has not read.
 */
static int looked_around;

__attribute__((visibility("default"))) krb5_error_code
krb5_cccol_have_content(krb5_context krb5) /* GSS-API calls it, not we */
{
    krb5_error_code (*real)(krb5_context) = NULL;

    *(void **)&real = dlsym(RTLD_NEXT, "krb5_cccol_have_content");
    looked_around++;
    return real(krb5);
}

static void (*meanwhile)(void); /* once, after the next token is made */

OM_uint32
gss_init_sec_context(OM_uint32 *minor, gss_cred_id_t credential,
                     gss_ctx_id_t *context, gss_name_t target, gss_OID mech,
                     OM_uint32 flags, OM_uint32 time,
                     gss_channel_bindings_t bindings, gss_buffer_t in,
                     gss_OID *actual, gss_buffer_t out, OM_uint32 *granted,
                     OM_uint32 *lifetime)
{
    OM_uint32 (*real)(OM_uint32 *, gss_cred_id_t, gss_ctx_id_t *, gss_name_t,
                      gss_OID, OM_uint32, OM_uint32, gss_channel_bindings_t,
                      gss_buffer_t, gss_OID *, gss_buffer_t, OM_uint32 *,
                      OM_uint32 *) = NULL;
    OM_uint32 major;

    *(void **)&real = dlsym(RTLD_NEXT, "gss_init_sec_context");
    major = real(minor, credential, context, target, mech, flags, time,
                 bindings, in, actual, out, granted, lifetime);
    if (meanwhile != NULL)
        meanwhile();
    meanwhile = NULL;
    return major;
}

static int
reset(void **state)
{
    (void)state;
    (void)setenv("KRB5CCNAME", at("FILE:", "cc"), 1);
    file_reads = 0;
    meanwhile = NULL;
    return 0;
}

/* As the acceptor for GUEST1 takes it, or, for GUEST2, a first token. */
static void
assert_good(struct gc_initiator *initiator, const struct gc_want *want,
            const char *principal)
{
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_error err = {.status = GC_OK};
    struct gc_facts facts = {.mutual = false};

    (void)initiator->ops->begin(initiator, want, &said, &err);
    assert_string_equal(err.message, "");
    assert_int_equal(initiator->ops->facts(initiator, &facts, &err), GC_OK);
    assert_string_equal(facts.principal, principal);
    initiator->ops->end(initiator);
}

/* ---- caches that cannot be read ---- */

static const char *
spoil(const char *kind)
{
    static char name[GC_PLACE_SIZE];
    const char *path = at("", "spoilt");
    FILE *file;

    (void)unlink(path);
    (void)rmdir(path);
    (void)snprintf(name, sizeof(name), "FILE:%s", path);
    if (strcmp(kind, "BOGUS:") == 0 || strcmp(kind, "DIR:") == 0)
        (void)snprintf(name, sizeof(name), "%s%s", kind, path);
    if (strcmp(kind, "directory") == 0)
        assert_int_equal(mkdir(path, 0700), 0);
    if (strcmp(kind, "another's") == 0)
        copy("bob.cc", "spoilt");
    if (strcmp(kind, "another's") == 0)
        assert_int_equal(chmod(path, 0), 0);
    if (strcmp(kind, "empty") == 0 || strcmp(kind, "garbage") == 0) {
        file = fopen(path, "w");
        assert_non_null(file);
        for (int i = 0; i < 999 && kind[0] == 'g'; i++)
            (void)fputc(i * 37 % 256, file);
        assert_int_equal(fclose(file), 0);
    }
    if (strcmp(kind, "cut") == 0) {
        copy("cc", "spoilt");
        assert_int_equal(truncate(path, 300), 0);
    }
    return name;
}

struct way {
    gc_source source;
    bool here; /* the bad cache is PLACE, and the default one good */
    const char *principal, *place, *on_behalf_of;
    const char *expected; /* NULL: it needs the bad cache */
};

static void
try_way(const struct way *way, const char *bad, gc_mech mech,
        struct gc_initiator *initiator)
{
    const char *place = way->here            ? bad
                        : way->place == NULL ? ""
                                             : at("", way->place);
    struct gc_want want = wanted(way->source, way->principal, place, GUEST1);
    struct outcome outcome;
    char who[GC_PRINCIPAL_SIZE];

    want.mech = mech;
    (void)snprintf(want.on_behalf_of, sizeof(want.on_behalf_of), "%s",
                   way->on_behalf_of);
    (void)setenv("KRB5CCNAME", way->here ? at("FILE:", "cc") : bad, 1);
    (void)!initiator->ops->who(initiator, &want, who, NULL);
    outcome = acceptor_exchange(initiator, &want);
    assert_int_equal(looked_around, 0);
    if (way->expected != NULL) {
        assert_string_equal(outcome.error.message, "");
        assert_string_equal(outcome.client, way->expected);
    } else if (outcome.status == GC_OK) {
        /* Root reads all there is. */
        assert_int_equal(geteuid(), 0);
        assert_string_equal(outcome.client, BOB);
    } else {
        assert_true(outcome.status == GC_E_NO_CREDENTIAL
                    || (outcome.status == GC_E_CONFIG && bad[0] == 'B'));
        assert_string_not_equal(outcome.error.hint, "");
    }
}

static void
no_unreadable_cache_crashes_or_helps(void **state)
{
    static const char *const kinds[] = {"empty",  "directory", "garbage",
                                        "cut",    "another's", "missing",
                                        "BOGUS:", "DIR:"};
    static const struct way ways[] = {
        {GC_SOURCE_DEFAULT, false, "", NULL, "", NULL},
        {GC_SOURCE_DEFAULT, false, "bob", NULL, "", NULL},
        {GC_SOURCE_CCACHE, true, "", NULL, "", NULL},
        {GC_SOURCE_CCACHE, true, "bob", NULL, "", NULL},
        {GC_SOURCE_OWN_CCACHE, true, "", NULL, "", NULL},
        {GC_SOURCE_OWN_CCACHE, false, "", NULL, "", NULL},
        {GC_SOURCE_KEYTAB, false, "alice", "alice.keytab", "", ALICE},
        {GC_SOURCE_CLIENT_KEYTAB, false, "", "alice.keytab", "", ALICE},
        {GC_SOURCE_CLIENT_KEYTAB, false, "alice", "alice.keytab", "", ALICE},
        {GC_SOURCE_PASSWORD, false, "alice", NULL, "", ALICE},
        {GC_SOURCE_KEYTAB, false, SVC, "svc.keytab", "bob", BOB},
        {GC_SOURCE_CLIENT_KEYTAB, false, SVC, "svc.keytab", "bob", BOB},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(kinds); i++)
        for (size_t k = 0; k < 2 * GC_COUNT_OF(ways); k++) {
            GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
            const struct way *way = &ways[k / 2];

            if (way->on_behalf_of[0] != '\0'
                && getenv("KDB_S4U_TARGETS") == NULL)
                continue;
            print_message("# %s, source %d, principal \"%s\", %s\n", kinds[i],
                          (int)way->source, way->principal,
                          gc_mech_word(both[k % 2]));
            try_way(way, spoil(kinds[i]), both[k % 2], local);
        }
    (void)spoil("missing");
}

/* ---- cache files that are read once ---- */

static void
a_new_ticket_lands_in_the_users_cache(void **state)
{
    const char *const names[] = {at("FILE:", "land"), at("DIR::", "lands/tkt")};

    (void)state;
    (void)mkdir(at("", "lands"), 0700);
    for (size_t i = 0; i < 2 * GC_COUNT_OF(names); i++) {
        GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
        GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
        const char *name = names[i / 2];
        struct gc_want want = wanted(GC_SOURCE_CCACHE, "", name, GUEST2);
        int before;

        want.mech = both[i % 2];
        copy("cc", i / 2 == 0 ? "land" : "lands/tkt");
        before = tickets(name, "");
        assert_int_equal(tickets(name, GUEST2), 0);
        assert_good(local, &want, ALICE); /* does not save */
        assert_int_equal(tickets(name, GUEST2), 0);
        assert_good(thread, &want, ALICE);
        assert_int_equal(tickets(name, GUEST2), 1);
        /* It is used from then on, by all. */
        assert_int_equal(kill(atoi(getenv("GC_REALM_KDC")), SIGSTOP), 0);
        assert_good(thread, &want, ALICE);
        assert_good(local, &want, ALICE);
        assert_int_equal(kill(atoi(getenv("GC_REALM_KDC")), SIGCONT), 0);
        assert_int_equal(tickets(name, ""), before + 1);
    }
}

static void
a_file_is_read_once(void **state)
{
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    const char *name = at("FILE:", "once");
    struct gc_want one = wanted(GC_SOURCE_CCACHE, "", name, GUEST1);
    struct gc_want two = wanted(GC_SOURCE_CCACHE, "", name, GUEST2);

    (void)state;
    copy("cc", "once");
    assert_good(thread, &one, ALICE);
    assert_good(thread, &two, ALICE);
    assert_in_range(file_reads, 1, 2); /* it may have grown by a ticket */
    assert_good(thread, &one, ALICE);
    file_reads = 0;
    for (int i = 0; i < 3; i++) {
        assert_good(thread, &one, ALICE);
        assert_good(thread, &two, ALICE);
    }
    assert_int_equal(file_reads, 0);
    /* Somebody else's kvno. */
    add_others(name, 1);
    assert_good(thread, &one, ALICE);
    assert_good(thread, &two, ALICE);
    assert_int_equal(file_reads, 1);
}

static void
a_file_that_changed_is_read_again(void **state)
{
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    const char *name = at("FILE:", "turn");
    struct gc_want want = wanted(GC_SOURCE_CCACHE, "", name, GUEST1);
    struct gc_error err;

    (void)state;
    (void)setenv("KRB5CCNAME", name, 1);
    for (int i = 0; i < 2; i++) {
        copy("cc", "turn");
        assert_good(thread, &want, ALICE);
        copy("bob.cc", "turn");
        assert_good(thread, &want, BOB);
        want = wanted(GC_SOURCE_DEFAULT, "", "", GUEST1);
    }
    assert_int_equal(unlink(at("", "turn")), 0);
    {
        GC_AUTO(gc_said) said = {.done = false};

        assert_int_equal(thread->ops->begin(thread, &want, &said, &err),
                         GC_E_NO_CREDENTIAL);
    }
}

static void
become_bobs(void)
{
    copy("bob.cc", "other");
}

static void
anothers_cache_gets_no_ticket_of_ours(void **state)
{
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    const char *name = at("FILE:", "other");
    struct gc_want want = wanted(GC_SOURCE_CCACHE, "", name, GUEST2);
    int before = tickets(at("FILE:", "bob.cc"), "");

    (void)state;
    copy("cc", "other");
    meanwhile = become_bobs;
    assert_good(thread, &want, ALICE);
    assert_int_equal(tickets(name, ""), before);
    assert_good(thread, &want, BOB);
}

static void
linger(void)
{
    (void)usleep(300000);
}

static void
an_abandoned_thread_stores_nothing(void **state)
{
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    const char *name = at("FILE:", "left");
    struct gc_want want = wanted(GC_SOURCE_CCACHE, "", name, GUEST2);
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    copy("cc", "left");
    meanwhile = linger;
    want.deadline = gc_clock_now() + 150;
    assert_int_equal(thread->ops->begin(thread, &want, &said, NULL),
                     GC_E_UNAVAILABLE);
    (void)usleep(600000);
    assert_int_equal(tickets(name, GUEST2), 0);
}

/* The KDC is asked for what is not in the small cache, and only for that. */
static void
many_others_are_not_looked_at(void **state)
{
    GC_AUTO_PTR(gc_initiator) thread = gc_initiator_new(-1);
    const char *name = at("FILE:", "many");
    struct gc_want want = wanted(GC_SOURCE_CCACHE, "", name, GUEST1);

    (void)state;
    copy("cc", "many");
    add_others(name, 1000);
    for (int i = 0; i < 20; i++)
        assert_good(thread, &want, ALICE);
    assert_in_range(file_reads, 1, 2); /* it may have grown by a ticket */
    assert_int_equal(tickets(name, "host/other"), 1000);
    assert_int_equal(tickets(name, GUEST1), 1);
}

static void
twenty_processes_leave_the_cache_whole(void **state)
{
    const char *name = at("FILE:", "crowd");
    pid_t children[20];
    int status;

    (void)state;
    copy("cc", "crowd");
    add_others(name, 50);
    for (size_t i = 0; i < GC_COUNT_OF(children); i++) {
        children[i] = fork();
        assert_true(children[i] >= 0);
        if (children[i] == 0) {
            struct gc_initiator *thread = gc_initiator_new(-1);
            const char *targets[] = {GUEST1, GUEST2};
            bool good = true;

            for (int k = 0; k < 6; k++) {
                GC_AUTO(gc_said) said = {.done = false};
                struct gc_want want = wanted(GC_SOURCE_CCACHE, "", name,
                                             targets[(i + (size_t)k) % 2]);

                good =
                    good
                    && thread->ops->begin(thread, &want, &said, NULL) == GC_OK;
                thread->ops->end(thread);
            }
            _exit(good ? 0 : 1);
        }
    }
    for (size_t i = 0; i < GC_COUNT_OF(children); i++) {
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(tickets(name, "host/other"), 50);
    assert_in_range(tickets(name, GUEST1), 1, 20);
    assert_in_range(tickets(name, GUEST2), 1, 20);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(no_unreadable_cache_crashes_or_helps, reset),
        cmocka_unit_test_setup(a_new_ticket_lands_in_the_users_cache, reset),
        cmocka_unit_test_setup(a_file_is_read_once, reset),
        cmocka_unit_test_setup(a_file_that_changed_is_read_again, reset),
        cmocka_unit_test_setup(anothers_cache_gets_no_ticket_of_ours, reset),
        cmocka_unit_test_setup(an_abandoned_thread_stores_nothing, reset),
        cmocka_unit_test_setup(many_others_are_not_looked_at, reset),
        cmocka_unit_test_setup(twenty_processes_leave_the_cache_whole, reset),
    };

    return cmocka_run_group_tests_name("gss caches", tests, NULL, NULL);
}
