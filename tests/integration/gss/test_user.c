/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What PAM needs of gss/, against a real KDC: the user's own cache and what is
 * passed off as one, tickets that are lent, workers that are the user.  To be
 * run by realm.sh.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gssapi/gssapi_ext.h>

#include <krb5.h>

#include "gss/mech.h"
#include "src/base/clock.h"
#include "src/helper/worker.h"
#include "tests/integration/gss/acceptor.h"
#include "tests/unit/skips.h"

#define GUEST  "host/guest1.example.test"
#define ALICE  "alice@EXAMPLE.TEST"
#define BOB    "bob@EXAMPLE.TEST"
#define NOBODY 65534
#define SOON   (gc_clock_now() + 30000)

/* ---- the realm ----------------------------------------------------------- */

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
bob_s_password(gc_mech mech)
{
    struct gc_want want = wanted(mech, GC_SOURCE_PASSWORD, "bob", "");

    want.password = password("bobpw");
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
        if ((outcome).status != (expected))                                    \
            print_error("%s\n", (outcome).error.message);                      \
        assert_string_equal(gc_status_word((outcome).status),                  \
                            gc_status_word(expected));                         \
    } while (0)

static const gc_mech both[] = {GC_MECH_KERBEROS, GC_MECH_NEGOTIATE};

/* ---- what the libraries do, counted and bent ----------------------------- */

static bool pretended_end; /* every credential's time is up */

OM_uint32
gss_inquire_cred(OM_uint32 *minor, gss_cred_id_t cred, gss_name_t *name,
                 OM_uint32 *lifetime, gss_cred_usage_t *usage,
                 gss_OID_set *mechs)
{
    OM_uint32 (*real)(OM_uint32 *, gss_cred_id_t, gss_name_t *, OM_uint32 *,
                      gss_cred_usage_t *, gss_OID_set *) = NULL;
    OM_uint32 major;

    *(void **)&real = dlsym(RTLD_NEXT, "gss_inquire_cred");
    major = real(minor, cred, name, lifetime, usage, mechs);
    if (major == GSS_S_COMPLETE && lifetime != NULL && pretended_end)
        *lifetime = 0;
    return major;
}

/* For what is called by a library too: hidden, it would be ours alone. */
#define EXPORTED __attribute__((visibility("default")))

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

/* What happens once the cache has been looked at, and before it is read. */
static void (*meanwhile)(void);

int
fstat(int fd, struct stat *info)
{
    int (*real)(int, struct stat *) = NULL;
    int result;

    *(void **)&real = dlsym(RTLD_NEXT, "fstat");
    result = real(fd, info);
    if (meanwhile != NULL)
        meanwhile();
    return result;
}

static void
copy(const char *from, const char *to, size_t len)
{
    static char bytes[65536];
    FILE *file = fopen(from, "re");
    size_t got;

    assert_non_null(file);
    got = fread(bytes, 1, sizeof(bytes), file);
    (void)fclose(file);
    assert_true(got > 500 && got < sizeof(bytes));
    (void)unlink(to);
    file = fopen(to, "we");
    assert_non_null(file);
    got = got < len ? got : len;
    assert_int_equal(fwrite(bytes, 1, got, file), got);
    assert_int_equal(fclose(file), 0);
    assert_int_equal(chmod(to, 0600), 0);
}

/* Every test starts from alice's ticket as "own", and as the default. */
static int
reset(void **state)
{
    (void)state;
    (void)setenv("KRB5CCNAME", at("FILE:", "cc"), 1);
    copy(at("", "cc"), at("", "own"), SIZE_MAX);
    pretended_end = false;
    memory_caches = 0;
    meanwhile = NULL;
    (void)alarm(120); /* nothing here may wait for anybody */
    return 0;
}

/* ---- the user's own cache ------------------------------------------------ */

static struct outcome
try_own(gc_mech mech, const char *principal, const char *place)
{
    struct gc_want want = wanted(mech, GC_SOURCE_OWN_CCACHE, principal, place);

    return acceptor_try(&want);
}

static void
one_s_own_cache_will_do(void **state)
{
    const char *const places[] = {at("FILE:", "own"), at("", "own"),
                                  at("DIR::", "own"), ""};
    struct stat before, after;

    (void)state;
    assert_int_equal(stat(at("", "own"), &before), 0);
    for (size_t i = 0; i < 2 * GC_COUNT_OF(places); i++) {
        struct outcome outcome = try_own(both[i % 2], "", places[i / 2]);

        assert_accepted(outcome, ALICE);
        outcome = try_own(both[i % 2], "alice", places[i / 2]);
        assert_accepted(outcome, ALICE);
        outcome = try_own(both[i % 2], "bob", places[i / 2]);
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
    }
    /* No ticket for the guest was put into it. */
    assert_int_equal(stat(at("", "own"), &after), 0);
    assert_int_equal(after.st_size, before.st_size);
    assert_int_equal(memory_caches, 0);
}

static void
an_own_cache_expires_as_well(void **state)
{
    struct outcome outcome;

    (void)state;
    pretended_end = true;
    outcome = try_own(GC_MECH_KERBEROS, "alice", at("FILE:", "own"));
    assert_refused(outcome, GC_E_NO_CREDENTIAL);
    assert_non_null(strstr(outcome.error.message, "has expired"));
}

/* None of them may be used, and none may be waited for. */
#define assert_no_cache(place, why)                                            \
    do {                                                                       \
        for (size_t m_ = 0; m_ < 2; m_++) {                                    \
            struct outcome outcome_ = try_own(both[m_], "", place);            \
            assert_refused(outcome_, GC_E_NO_CREDENTIAL);                      \
            if (strstr(outcome_.error.message, why) == NULL)                   \
                fail_msg("not \"%s\": %s", why, outcome_.error.message);       \
            assert_string_not_equal(outcome_.error.hint, "");                  \
        }                                                                      \
        assert_int_equal(memory_caches, 0);                                    \
    } while (0)

static void
what_is_no_file_of_one_s_own(void **state)
{
    int64_t before = gc_clock_now();

    (void)state;
    assert_no_cache(at("FILE:", "missing"), "no such file");
    assert_int_equal(symlink(at("", "own"), at("", "link")), 0);
    assert_no_cache(at("FILE:", "link"), "is a symbolic link");
    assert_no_cache(at("DIR::", "link"), "is a symbolic link");
    assert_int_equal(mkfifo(at("", "fifo"), 0600), 0);
    assert_no_cache(at("FILE:", "fifo"), "is not a regular file");
    assert_no_cache(at("", ""), "is not a regular file");
    assert_no_cache("FILE:/dev/null", "is not a regular file");
    assert_no_cache("FILE:own", "absolute path");
    assert_no_cache("own", "absolute path");
    assert_no_cache("FILE:", "absolute path");
    assert_no_cache("FILE:/a\n/b", "a\\x0a/b");
    assert_int_equal(chmod(at("", "own"), 0620), 0);
    assert_no_cache(at("FILE:", "own"), "others may write it");
    assert_int_equal(chmod(at("", "own"), 0602), 0);
    assert_no_cache(at("FILE:", "own"), "others may write it");
    assert_int_equal(chmod(at("", "own"), 0644), 0);
    assert_int_equal(truncate(at("", "own"), 2097152), 0);
    assert_no_cache(at("FILE:", "own"), "it is larger than");
    assert_int_equal(truncate(at("", "own"), 0), 0);
    assert_no_cache(at("FILE:", "own"), "is empty");
    assert_true(gc_clock_now() - before < 10000);
}

static void
another_user_s_cache(void **state)
{
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE, "", "");

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    assert_int_equal(chown(at("", "own"), NOBODY, NOBODY), 0);
    assert_no_cache(at("FILE:", "own"), "it belongs to uid");
    /* It is not for want of reading it. */
    (void)snprintf(want.place, sizeof(want.place), "%s", at("FILE:", "own"));
    assert_accepted(acceptor_try(&want), ALICE);
}

static void
broken_files(void **state)
{
    int refused = 0;

    (void)state;
    for (size_t len = 1; len < 700; len += 37) {
        struct outcome outcome;

        copy(at("", "cc"), at("", "own"), len);
        outcome = try_own(GC_MECH_KERBEROS, "", at("FILE:", "own"));
        if (outcome.accepted)
            continue; /* cut between two tickets */
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
        refused++;
    }
    assert_true(refused > 5);
    assert_int_equal(memory_caches, 0);
}

static void
put_bob_s_in_its_place(void)
{
    copy(at("", "bob.cc"), at("", "new"), SIZE_MAX);
    assert_int_equal(rename(at("", "new"), at("", "own")), 0);
}

static void
make_it_grow(void)
{
    assert_int_equal(truncate(at("", "own"), 2097152), 0);
}

static void
what_was_looked_at_is_what_is_read(void **state)
{
    struct outcome outcome;

    (void)state;
    meanwhile = put_bob_s_in_its_place;
    outcome = try_own(GC_MECH_KERBEROS, "", at("FILE:", "own"));
    assert_accepted(outcome, ALICE);
    meanwhile = NULL;
    outcome = try_own(GC_MECH_KERBEROS, "", at("FILE:", "own"));
    assert_accepted(outcome, BOB);
    meanwhile = make_it_grow;
    outcome = try_own(GC_MECH_KERBEROS, "", at("FILE:", "own"));
    assert_accepted(outcome, BOB);
}

/* The user's to hold, and not ours to wait for. */
static void
a_lock_holds_nobody(void **state)
{
    int64_t before = gc_clock_now();
    struct outcome outcome;
    int ready[2];
    char byte = 0;
    pid_t holder;

    (void)state;
    assert_int_equal(pipe2(ready, O_CLOEXEC), 0);
    holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
        int fd = open(at("", "own"), O_RDWR | O_CLOEXEC);

        if (fcntl(fd, F_SETLK, &lock) == 0)
            (void)!write(ready[1], "x", 1);
        (void)alarm(20);
        (void)pause();
        _exit(0);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    outcome = try_own(GC_MECH_KERBEROS, "", at("FILE:", "own"));
    assert_int_equal(kill(holder, SIGKILL), 0);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    (void)close(ready[0]);
    (void)close(ready[1]);
    assert_accepted(outcome, ALICE);
    assert_true(gc_clock_now() - before < 5000);
}

static void
kinds_that_are_nobody_s(void **state)
{
    static const char *const kinds[] = {"MEMORY:x",
                                        "API:x",
                                        "KEYRING:session:x",
                                        "KEYRING:process:x",
                                        "KEYRING:thread",
                                        "KEYRING:x",
                                        "KEYRING:",
                                        "DIR:/tmp",
                                        "DIR:",
                                        "KCMX:",
                                        "nonsense:x",
                                        "file:/tmp/x",
                                        "KEYRING:users:x",
                                        ":",
                                        "a\nb:x"};
    const char *why = "cannot be shown to be the user's";

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(kinds); i++) {
        assert_no_cache(kinds[i], why);
        (void)setenv("KRB5CCNAME", kinds[i], 1);
        assert_no_cache("", why);
    }
}

/* The kernel asks for the uid; the cache is used, not copied, not destroyed. */
static void
a_keyring_of_one_s_own(void **state)
{
    static const char place[] = "KEYRING:user:guestcred-test";

    (void)state;
    if (system("echo bobpw | kinit -c KEYRING:user:guestcred-test bob "
               ">/dev/null 2>&1")
        != 0)
        skip_because("needs keyrings");
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct outcome outcome = try_own(both[i], "", place);

        assert_accepted(outcome, BOB);
        outcome = try_own(both[i], "alice", place);
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
    }
    (void)setenv("KRB5CCNAME", place, 1);
    assert_accepted(try_own(GC_MECH_KERBEROS, "", ""), BOB);
    assert_int_equal(system("kdestroy -q -c KEYRING:user:guestcred-test"), 0);
}

/* ---- tickets that are lent ----------------------------------------------- */

static int cancel[2]; /* the workers look at it */

static struct gc_initiator *
make_worker(const struct gc_child_as *as)
{
    struct gc_initiator *worker = NULL;

    assert_int_equal(gc_worker_new_as(cancel[0], as, &worker, NULL), GC_OK);
    return worker;
}

/* WORKER's child is killed, whatever it is about; the next one will be made. */
static void
lose_child(struct gc_initiator *worker)
{
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE, "", "x");
    struct outcome outcome;
    char byte = 'x';

    assert_int_equal(write(cancel[1], &byte, 1), 1);
    outcome = acceptor_exchange(worker, &want);
    assert_refused(outcome, GC_E_CANCELED);
    assert_int_equal(read(cancel[0], &byte, 1), 1);
}

static void
export_from(const struct gc_want *want, struct gc_bytes *ret_credential)
{
    GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
    GC_AUTO(gc_said) said = {.done = false};
    struct gc_error err = {.status = GC_OK};

    if (worker->ops->begin(worker, want, &said, &err) != GC_OK
        || gc_worker_export(worker, ret_credential, &err) != GC_OK)
        fail_msg("no export: %s", err.message);
}

static void
a_login_is_lent(void **state)
{
    (void)state;
    for (size_t i = 0; i < 4; i++) {
        GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
        GC_AUTO(gc_bytes) credential = {0};
        struct gc_want login = bob_s_password(both[i / 2]);
        struct gc_want want = wanted(both[i % 2], GC_SOURCE_LENT, "bob", "");

        export_from(&login, &credential);
        assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL),
                         GC_OK);
        gc_bytes_clear(&credential);
        for (int turn = 0; turn < 3; turn++) {
            assert_accepted(acceptor_exchange(worker, &want), BOB);
            want.mutual = turn == 0;
            want.principal[0] = '\0';
        }
        assert_int_equal(worker->ops->who(worker, &want, want.principal, NULL),
                         GC_OK);
        assert_string_equal(want.principal, BOB);
    }
}

/* And no name of a file that others would have to open. */
static void
no_password_goes_with_it(void **state)
{
    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        GC_AUTO(gc_bytes) credential = {0};
        struct gc_want want = bob_s_password(both[i]);

        export_from(&want, &credential);
        assert_non_null(memmem(credential.data, credential.len, "bob", 3));
        assert_null(memmem(credential.data, credential.len, "bobpw", 5));
        want = wanted(both[i], GC_SOURCE_DEFAULT, "", "");
        export_from(&want, &credential);
        assert_null(memmem(credential.data, credential.len, "FILE:", 5));
    }
}

static void
any_kerberos_credential_can_be_lent(void **state)
{
    struct gc_want wants[] = {
        wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", ""),
        wanted(GC_MECH_NEGOTIATE, GC_SOURCE_OWN_CCACHE, "", at("", "own")),
        wanted(GC_MECH_KERBEROS, GC_SOURCE_KEYTAB, "alice",
               at("", "alice.keytab")),
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(wants); i++) {
        GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
        GC_AUTO(gc_bytes) credential = {0};
        struct gc_want want =
            wanted(GC_MECH_KERBEROS, GC_SOURCE_LENT, "alice", "");

        export_from(&wants[i], &credential);
        (void)setenv("KRB5CCNAME", at("FILE:", "missing"), 1);
        assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL),
                         GC_OK);
        assert_accepted(acceptor_exchange(worker, &want), ALICE);
        (void)setenv("KRB5CCNAME", at("FILE:", "cc"), 1);
    }
}

static void
the_lent_one_is_checked(void **state)
{
    GC_AUTO(gc_bytes) credential = {0};
    struct gc_want login = bob_s_password(GC_MECH_KERBEROS);

    (void)state;
    export_from(&login, &credential);
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want = wanted(both[i], GC_SOURCE_LENT, "alice", "");
        GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
        struct outcome outcome;

        assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL),
                         GC_OK);
        outcome = acceptor_exchange(worker, &want);
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
        gc_initiator_free(GC_TAKE(worker));
        pretended_end = true;
        worker = make_worker(NULL);
        pretended_end = false;
        assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL),
                         GC_OK);
        want = wanted(both[i], GC_SOURCE_LENT, "bob", "");
        outcome = acceptor_exchange(worker, &want);
        assert_refused(outcome, GC_E_NO_CREDENTIAL);
        assert_non_null(strstr(outcome.error.message, "has expired"));
    }
}

/* A ticket of alice's for SERVER in the cache "own": SIZE bytes of nothing. */
static void
put_ticket(const char *server, size_t size)
{
    static char bytes[GC_TOKEN_MAX + 1];
    static krb5_octet key[32];
    krb5_context krb5 = NULL;
    krb5_ccache cache = NULL;
    krb5_creds ticket = {.magic = KV5M_CREDS};

    assert_true(size <= sizeof(bytes));
    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_cc_resolve(krb5, at("FILE:", "own"), &cache), 0);
    assert_int_equal(krb5_parse_name(krb5, ALICE, &ticket.client), 0);
    assert_int_equal(krb5_parse_name(krb5, server, &ticket.server), 0);
    ticket.keyblock.enctype = ENCTYPE_AES256_CTS_HMAC_SHA1_96;
    ticket.keyblock.length = sizeof(key);
    ticket.keyblock.contents = key;
    ticket.times.starttime = (krb5_timestamp)time(NULL);
    ticket.times.endtime = ticket.times.starttime + 3600;
    ticket.ticket.length = (unsigned int)size;
    ticket.ticket.data = bytes;
    assert_int_equal(krb5_cc_store_cred(krb5, cache, &ticket), 0);
    krb5_free_principal(krb5, ticket.client);
    krb5_free_principal(krb5, ticket.server);
    (void)krb5_cc_close(krb5, cache);
    krb5_free_context(krb5);
}

/* Of what "own" holds the guest's ticket alone stays. */
static void
keep_the_guest_s_ticket(void)
{
    krb5_context krb5 = NULL;
    krb5_ccache cache = NULL;
    krb5_creds asked = {.magic = KV5M_CREDS}, *ticket = NULL;

    assert_int_equal(krb5_init_context(&krb5), 0);
    assert_int_equal(krb5_cc_resolve(krb5, at("FILE:", "own"), &cache), 0);
    assert_int_equal(krb5_parse_name(krb5, ALICE, &asked.client), 0);
    assert_int_equal(krb5_parse_name(krb5, GUEST, &asked.server), 0);
    assert_int_equal(krb5_get_credentials(krb5, 0, cache, &asked, &ticket), 0);
    assert_int_equal(krb5_cc_initialize(krb5, cache, asked.client), 0);
    assert_int_equal(krb5_cc_store_cred(krb5, cache, ticket), 0);
    krb5_free_creds(krb5, ticket);
    krb5_free_cred_contents(krb5, &asked);
    (void)krb5_cc_close(krb5, cache);
    krb5_free_context(krb5);
}

/* A dozen services' tickets, each with all of alice's groups in it. */
static void
no_service_s_ticket_goes_with_it(void **state)
{
    struct gc_want own =
        wanted(GC_MECH_KERBEROS, GC_SOURCE_OWN_CCACHE, "", at("FILE:", "own"));
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_LENT, "alice", "");
    GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
    GC_AUTO(gc_bytes) credential = {0};

    (void)state;
    put_ticket("krbtgt/OTHER.TEST@EXAMPLE.TEST", 100);
    put_ticket("krbtgtx/OTHER.TEST@EXAMPLE.TEST", 100);
    put_ticket("krbtgt@EXAMPLE.TEST", 100);
    for (int i = 0; i < 12; i++) {
        char server[64];

        (void)snprintf(server, sizeof(server), "HTTP/fat%d@EXAMPLE.TEST", i);
        put_ticket(server, 20000);
    }
    export_from(&own, &credential);
    assert_true(credential.len < 5000);
    assert_non_null(memmem(credential.data, credential.len,
                           "krbtgt/EXAMPLE.TEST@EXAMPLE.TEST", 32));
    assert_non_null(memmem(credential.data, credential.len,
                           "krbtgt/OTHER.TEST@EXAMPLE.TEST", 30));
    assert_null(memmem(credential.data, credential.len, "krbtgtx", 7));
    assert_null(memmem(credential.data, credential.len, "krbtgt@", 7));
    assert_null(memmem(credential.data, credential.len, "fat", 3));
    assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL), GC_OK);
    assert_accepted(acceptor_exchange(worker, &want), ALICE);
}

static void
what_cannot_be_lent(void **state)
{
    struct gc_want own =
        wanted(GC_MECH_KERBEROS, GC_SOURCE_OWN_CCACHE, "", at("FILE:", "own"));
    GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
    GC_AUTO(gc_bytes) credential = {0};
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    put_ticket("krbtgt/OTHER.TEST@EXAMPLE.TEST", GC_TOKEN_MAX);
    assert_int_equal(worker->ops->begin(worker, &own, &said, NULL), GC_OK);
    assert_int_equal(gc_worker_export(worker, &credential, NULL),
                     GC_E_NOT_SUPPORTED);
    keep_the_guest_s_ticket();
    assert_int_equal(worker->ops->begin(worker, &own, &said, NULL), GC_OK);
    assert_int_equal(gc_worker_export(worker, &credential, NULL),
                     GC_E_NO_CREDENTIAL);
    assert_int_equal(credential.len, 0);
}

/* alice's tickets are at hand, and must not step in. */
#define assert_nothing_lent(initiator)                                         \
    do {                                                                       \
        for (size_t m_ = 0; m_ < 4; m_++) {                                    \
            struct gc_want want_ = wanted(both[m_ % 2], GC_SOURCE_LENT, "",    \
                                          m_ < 2 ? "" : at("FILE:", "cc"));    \
            struct outcome outcome_ = acceptor_exchange(initiator, &want_);    \
            char who_[GC_PRINCIPAL_SIZE];                                      \
            assert_refused(outcome_, GC_E_NO_CREDENTIAL);                      \
            assert_int_equal(                                                  \
                (initiator)->ops->who(initiator, &want_, who_, NULL),          \
                GC_E_NO_CREDENTIAL);                                           \
        }                                                                      \
    } while (0)

static void
nothing_lent_is_nobody(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
    GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
    GC_AUTO(gc_bytes) credential = {0};
    struct gc_want login = bob_s_password(GC_MECH_KERBEROS);
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_LENT, "bob", "");

    (void)state;
    assert_nothing_lent(worker);
    assert_nothing_lent(local);
    export_from(&login, &credential);
    assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL), GC_OK);
    assert_accepted(acceptor_exchange(worker, &want), BOB);
    /* The child that had it is killed; its successor has nothing. */
    lose_child(worker);
    assert_nothing_lent(worker);
    assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL), GC_OK);
    assert_accepted(acceptor_exchange(worker, &want), BOB);
    /* What cannot be taken replaces what was there. */
    assert_int_equal(gc_bytes_set(&credential, "rubbish", 7, NULL), GC_OK);
    assert_int_equal(gc_worker_lend(worker, &credential, SOON, NULL),
                     GC_E_NO_CREDENTIAL);
    assert_nothing_lent(worker);
}

/* Whatever becomes of it, it is bob's or nobody's, and soon. */
static void
bytes_that_were_tampered_with(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
    GC_AUTO(gc_bytes) credential = {0}, bad = {0};
    struct gc_want login = bob_s_password(GC_MECH_KERBEROS);
    int64_t before = gc_clock_now();

    (void)state;
    export_from(&login, &credential);
    for (size_t i = 0; i < credential.len; i += i < 64 ? 1 : 29) {
        struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_LENT, "", "");
        struct outcome outcome;
        gc_status st;

        assert_int_equal(
            gc_bytes_set(&bad, credential.data, credential.len, NULL), GC_OK);
        if (i % 2 == 0)
            bad.data[i] ^= 0x15;
        else
            bad.len = i;
        st = gc_worker_lend(worker, &bad, SOON, NULL);
        assert_true(st == GC_OK || st == GC_E_NO_CREDENTIAL
                    || st == GC_E_INTERNAL);
        outcome = acceptor_exchange(worker, &want);
        assert_string_not_equal(outcome.client, ALICE);
        if (outcome.accepted)
            assert_string_equal(outcome.client, BOB);
        if (st != GC_OK)
            assert_refused(outcome, GC_E_NO_CREDENTIAL);
    }
    assert_true(gc_clock_now() - before < 30000);
}

static void
lending_leaves_nothing_behind(void **state)
{
    GC_AUTO(gc_bytes) credential = {0};
    struct gc_want login = bob_s_password(GC_MECH_NEGOTIATE);
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_LENT, "bob", "");
    struct gc_facts facts;

    (void)state;
    for (int i = 0; i < 3; i++) {
        GC_AUTO_PTR(gc_initiator) local = gc_initiator_local_new();
        GC_AUTO(gc_said) said = {.done = false};

        assert_int_equal(gc_initiator_local_export(local, &credential, NULL),
                         GC_E_INTERNAL);
        assert_int_equal(local->ops->begin(local, &login, &said, NULL), GC_OK);
        assert_int_equal(gc_initiator_local_export(local, &credential, NULL),
                         GC_OK);
        assert_int_equal(gc_initiator_local_lend(local, &credential, NULL),
                         GC_OK);
        assert_int_equal(local->ops->begin(local, &want, &said, NULL), GC_OK);
        /* Under what is under way, which is over then. */
        assert_int_equal(local->ops->facts(local, &facts, NULL), GC_OK);
        assert_int_equal(gc_initiator_local_lend(local, &credential, NULL),
                         GC_OK);
        assert_int_equal(local->ops->facts(local, &facts, NULL), GC_E_INTERNAL);
        assert_int_equal(local->ops->begin(local, &want, &said, NULL), GC_OK);
        gc_initiator_free(GC_TAKE(local));
        assert_int_equal(memory_caches, 0);
    }
}

/* What is behind an S4U2Proxy credential is the service's own. */
static void
nobody_lends_a_service(void **state)
{
    GC_AUTO_PTR(gc_initiator) worker = make_worker(NULL);
    GC_AUTO(gc_said) said = {.done = false};
    GC_AUTO(gc_bytes) credential = {0};

    (void)state;
    if (getenv("KDB_S4U_TARGETS") == NULL)
        skip_because("the KDC has no overlay for S4U2Proxy");
    for (size_t i = 0; i < GC_COUNT_OF(both); i++) {
        struct gc_want want =
            wanted(both[i], GC_SOURCE_KEYTAB, "svc/portal.example.test",
                   at("", "svc.keytab"));

        (void)snprintf(want.on_behalf_of, sizeof(want.on_behalf_of), "bob");
        assert_int_equal(worker->ops->begin(worker, &want, &said, NULL), GC_OK);
        assert_int_equal(gc_worker_export(worker, &credential, NULL),
                         GC_E_NOT_SUPPORTED);
        assert_int_equal(credential.len, 0);
    }
}

/* ---- workers that are the user ------------------------------------------- */

/* "own" is theirs and "cc" is ours; their krb5.conf can be read by all. */
static void
open_the_realm(void)
{
    assert_int_equal(chmod(at("", ""), 0711), 0);
    assert_int_equal(chmod(at("", "krb5.conf"), 0644), 0);
    assert_int_equal(chown(at("", "own"), NOBODY, NOBODY), 0);
}

static void
the_worker_is_the_user_and_nobody_replaces_it(void **state)
{
    struct gc_child_as as = {.uid = NOBODY, .gid = NOBODY};
    struct gc_want own =
        wanted(GC_MECH_NEGOTIATE, GC_SOURCE_OWN_CCACHE, "alice", at("", "own"));
    struct gc_want ours =
        wanted(GC_MECH_KERBEROS, GC_SOURCE_CCACHE, "", at("FILE:", "cc"));
    struct outcome outcome;

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    open_the_realm();
    GC_AUTO_PTR(gc_initiator) worker = make_worker(&as);
    as.uid = 1; /* the worker has a copy */
    assert_accepted(acceptor_exchange(worker, &own), ALICE);
    outcome = acceptor_exchange(worker, &ours);
    assert_refused(outcome, GC_E_NO_CREDENTIAL);
    /* A successor would be forked with what its owner has read since. */
    lose_child(worker);
    outcome = acceptor_exchange(worker, &own);
    assert_refused(outcome, GC_E_UNAVAILABLE);
}

static void
users_lend_to_users(void **state)
{
    const struct gc_child_as as = {.uid = NOBODY, .gid = NOBODY};
    struct gc_want login = bob_s_password(GC_MECH_KERBEROS);
    struct gc_want want = wanted(GC_MECH_NEGOTIATE, GC_SOURCE_LENT, "bob", "");
    GC_AUTO(gc_bytes) credential = {0};
    GC_AUTO(gc_said) said = {.done = false};

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root");
    open_the_realm();
    GC_AUTO_PTR(gc_initiator) lender = make_worker(&as);
    GC_AUTO_PTR(gc_initiator) borrower = make_worker(&as);
    assert_int_equal(lender->ops->begin(lender, &login, &said, NULL), GC_OK);
    assert_int_equal(gc_worker_export(lender, &credential, NULL), GC_OK);
    assert_int_equal(gc_worker_lend(borrower, &credential, SOON, NULL), GC_OK);
    assert_accepted(acceptor_exchange(borrower, &want), BOB);
}

/* Root's credential is not what it falls back to. */
static void
who_cannot_become_the_user_does_nothing(void **state)
{
    struct gc_child_as as = {.uid = NOBODY, .gid = NOBODY};
    struct gc_want want = wanted(GC_MECH_KERBEROS, GC_SOURCE_DEFAULT, "", "");
    struct gc_initiator *none = NULL;
    struct outcome outcome;

    (void)state;
    if (geteuid() == 0) {
        as.uid = 0;
        assert_int_equal(gc_worker_new_as(-1, &as, &none, NULL), GC_E_INTERNAL);
        assert_null(none);
        return;
    }
    GC_AUTO_PTR(gc_initiator) worker = make_worker(&as);
    outcome = acceptor_exchange(worker, &want);
    assert_refused(outcome, GC_E_UNAVAILABLE);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(one_s_own_cache_will_do, reset),
        cmocka_unit_test_setup(an_own_cache_expires_as_well, reset),
        cmocka_unit_test_setup(what_is_no_file_of_one_s_own, reset),
        cmocka_unit_test_setup(another_user_s_cache, reset),
        cmocka_unit_test_setup(broken_files, reset),
        cmocka_unit_test_setup(what_was_looked_at_is_what_is_read, reset),
        cmocka_unit_test_setup(a_lock_holds_nobody, reset),
        cmocka_unit_test_setup(kinds_that_are_nobody_s, reset),
        cmocka_unit_test_setup(a_keyring_of_one_s_own, reset),
        cmocka_unit_test_setup(a_login_is_lent, reset),
        cmocka_unit_test_setup(no_password_goes_with_it, reset),
        cmocka_unit_test_setup(any_kerberos_credential_can_be_lent, reset),
        cmocka_unit_test_setup(no_service_s_ticket_goes_with_it, reset),
        cmocka_unit_test_setup(what_cannot_be_lent, reset),
        cmocka_unit_test_setup(the_lent_one_is_checked, reset),
        cmocka_unit_test_setup(nothing_lent_is_nobody, reset),
        cmocka_unit_test_setup(bytes_that_were_tampered_with, reset),
        cmocka_unit_test_setup(lending_leaves_nothing_behind, reset),
        cmocka_unit_test_setup(nobody_lends_a_service, reset),
        cmocka_unit_test_setup(the_worker_is_the_user_and_nobody_replaces_it,
                               reset),
        cmocka_unit_test_setup(users_lend_to_users, reset),
        cmocka_unit_test_setup(who_cannot_become_the_user_does_nothing, reset),
    };

    if (pipe2(cancel, O_CLOEXEC) != 0)
        return 1;
    skips_begin();
    return skips_end(cmocka_run_group_tests_name("user", tests, NULL, NULL));
}
