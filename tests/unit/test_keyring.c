/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The store in a kernel keyring.  Runs in a session keyring of its own; where
 * the kernel or a sandbox forbids keyrings, only their refusal is tested.
 */

#include <config.h>

#include <errno.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>
#include <keyutils.h>

#include "src/store/blobs.h"
#include "src/store/keyring.h"
#include "src/store/store.h"
#include "tests/unit/skips.h"
#include "tests/unit/store_help.h"

#define NOBODY 65534

static const char *const session = "KEYRING:session:guestcred-test";
static bool allowed;

/* A session of our own, so that nothing is left behind. */
static int
join(void **state)
{
    (void)state;
    allowed = keyctl_join_session_keyring(NULL) >= 0;
    return 0;
}

static int
setup(void **state)
{
    *state = NULL;
    help_forget_skips();
    if (allowed && keyctl_join_session_keyring(NULL) < 0)
        return -1;
    return 0;
}

/* The kernel's own, 200, is used up by one test after another: what a test has
 * dropped is counted until the kernel gets round to it. */
static bool
quota_is_small(void)
{
    FILE *file = fopen("/proc/sys/kernel/keys/maxkeys", "re");
    long most = 0;

    if (file == NULL)
        return false;
    if (fscanf(file, "%ld", &most) != 1)
        most = 0;
    (void)fclose(file);
    return geteuid() != 0 && most < 1000;
}

static void
need_keyrings(void)
{
    if (!allowed)
        skip_because("keyrings are forbidden here");
    if (quota_is_small())
        skip_because("kernel.keys.maxkeys is small");
}

static struct gc_store *
open_store(const char *name)
{
    struct gc_store *store = NULL;
    struct gc_error err;

    if (gc_store_open(name, true, &store, &err) != GC_OK) {
        (void)fprintf(stderr, "# %s\n", err.message);
        return NULL;
    }
    gc_store_on_skip(store, help_skipped, NULL);
    return store;
}

/* What the keys of a store are, behind its back. */
static key_serial_t
ring_of(key_serial_t anchor)
{
    long ring = keyctl_search(anchor, "keyring", "guestcred-test", 0);

    assert_true(ring > 0);
    return (key_serial_t)ring;
}

static key_serial_t
key_of(const char *id)
{
    return (key_serial_t)strtol(id, NULL, 10);
}

static unsigned
mode_of(key_serial_t key)
{
    char text[512];
    const char *at = text;

    assert_true(keyctl_describe(key, text, sizeof(text)) > 0);
    for (int i = 0; i < 3; i++)
        at = strchr(at, ';') + 1;
    return (unsigned)strtoul(at, NULL, 16);
}

static void
use_store(const char *name)
{
    GC_AUTO_PTR(gc_store) store = open_store(name);
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) found = {0};
    GC_AUTO(gc_record) earlier = {0};
    GC_AUTO(gc_records) records = {0};
    GC_AUTO(gc_bytes) id = {0};
    struct gc_session_facts facts = {.release = "8.0.3.0"};
    struct gc_store_key key;
    struct gc_error err;

    assert_non_null(store);
    assert_int_equal(help_count(store), 0);
    help_record(&record, "vm-1", 1);
    key = help_key(&record);
    assert_int_equal(gc_store_find(store, &key, &found, &err), GC_E_NOT_FOUND);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, &err), GC_OK);
    assert_string_equal(earlier.id, "");
    assert_true(gc_store_has(store, record.id));
    assert_true(gc_store_keeps(name, record.id));
    assert_int_equal(mode_of(key_of(record.id)), KEY_POS_ALL);
    assert_int_equal(gc_store_find(store, &key, &found, &err), GC_OK);
    assert_string_equal(found.id, record.id);
    assert_string_equal(gc_bytes_text(&found.ticket.ticket), SECRET "-1");
    assert_int_equal(found.used, 1700000001);

    found.used = 1900000000;
    assert_int_equal(gc_store_touch(store, &found, &err), GC_OK);
    help_put(store, "vm-2", 0, NULL);
    assert_int_equal(gc_store_list(store, &records, &err), GC_OK);
    assert_int_equal(records.count, 2);
    assert_string_equal(records.items[0].ticket.vm, "vm-2");
    assert_int_equal(records.items[1].used, 1900000000);

    assert_int_equal(gc_bytes_set(&id, "sid", 3, NULL), GC_OK);
    assert_int_equal(gc_store_put_session(store, URL, "u", &facts, &id, &err),
                     GC_OK);
    gc_bytes_clear(&id);
    (void)snprintf(facts.release, sizeof(facts.release), "9");
    assert_int_equal(gc_store_put_session(store, URL, "u", &facts, &id, &err),
                     GC_OK);
    assert_int_equal(gc_store_get_session(store, URL, "u", &facts, &id, &err),
                     GC_OK);
    assert_string_equal(facts.release, "9");
    assert_int_equal(id.len, 0);
    assert_int_equal(gc_store_forget_session(store, URL, "u", &err), GC_OK);
    assert_int_equal(gc_store_get_session(store, URL, "u", &facts, &id, &err),
                     GC_E_NOT_FOUND);

    for (size_t i = 0; i < records.count; i++)
        assert_int_equal(gc_store_forget(store, records.items[i].id, &err),
                         GC_OK);
    assert_int_equal(gc_store_forget(store, records.items[0].id, &err), GC_OK);
    assert_false(gc_store_has(store, records.items[0].id));
    assert_false(gc_store_keeps(name, records.items[0].id));
    assert_int_equal(gc_store_touch(store, &records.items[0], &err),
                     GC_E_NOT_FOUND);
    assert_int_equal(help_count(store), 0);
    gc_records_clear(&records);
    assert_int_equal(gc_store_adopt(store, &records, &err), GC_OK);
    assert_int_equal(records.count, 0);
    assert_int_equal(help_skips, 0);
}

static void
test_session_keyring(void **state)
{
    (void)state;
    need_keyrings();
    use_store(session);
    assert_int_equal(mode_of(ring_of(KEY_SPEC_SESSION_KEYRING)), KEY_POS_ALL);
}

/* From a session that has no link to the user's keyring. */
static void
test_user_keyring(void **state)
{
    char name[64];
    long ring;

    (void)state;
    need_keyrings();
    (void)snprintf(name, sizeof(name), "KEYRING:user:guestcred-test-%ld",
                   (long)getpid());
    use_store(name);
    ring = keyctl_search(KEY_SPEC_USER_KEYRING, "keyring", name + 13, 0);
    assert_true(ring > 0);
    assert_int_equal(keyctl_unlink((key_serial_t)ring, KEY_SPEC_USER_KEYRING),
                     0);
}

static void
test_persistent_keyring(void **state)
{
    char name[64];
    long anchor, ring;

    (void)state;
    need_keyrings();
    anchor = keyctl_get_persistent((uid_t)-1, KEY_SPEC_PROCESS_KEYRING);
    if (anchor < 0)
        skip_because("this kernel has no persistent keyrings");
    (void)snprintf(name, sizeof(name), "KEYRING:persistent:guestcred-test-%ld",
                   (long)getpid());
    use_store(name);
    ring = keyctl_search((key_serial_t)anchor, "keyring", name + 19, 0);
    assert_true(ring > 0);
    assert_int_equal(keyctl_unlink((key_serial_t)ring, (key_serial_t)anchor),
                     0);
}

/* The session's keyring and one that hangs below it are two. */
static void
test_not_what_is_below(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct gc_error err;
    key_serial_t below;

    (void)state;
    need_keyrings();
    below = add_key("keyring", "below", NULL, 0, KEY_SPEC_SESSION_KEYRING);
    assert_true(below > 0);
    assert_true(add_key("keyring", "guestcred-test", NULL, 0, below) > 0);
    assert_int_equal(gc_store_open(session, false, &store, &err),
                     GC_E_NOT_FOUND);
    store = open_store(session);
    assert_non_null(store);
    help_put(store, "vm-1", 1, NULL);
}

struct elsewhere {
    const char *id;
    bool kept;
};

static int
look_from_elsewhere(void *user)
{
    const struct elsewhere *e = user;
    GC_AUTO_PTR(gc_store) store = NULL;

    if (keyctl_join_session_keyring(NULL) < 0)
        return 1;
    if (gc_store_open(session, false, &store, NULL) != GC_E_NOT_FOUND)
        return 2;
    return gc_store_keeps(session, e->id) == e->kept ? 0 : 3;
}

/* Out of reach is not gone: or one login's sweep would take another's ticket.
 */
static void
test_another_session(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct elsewhere e;
    char id[GC_STORE_ID_SIZE], other[GC_STORE_ID_SIZE];

    (void)state;
    need_keyrings();
    store = open_store(session);
    assert_non_null(store);
    help_put(store, "vm-1", 1, id);
    e = (struct elsewhere){id, true};
    assert_int_equal(help_fork(look_from_elsewhere, &e, 0), 0);
    /* The number alone is not it. */
    (void)snprintf(other, sizeof(other), "%d.other.ticket", key_of(id));
    assert_false(gc_store_keeps(session, other));
    assert_false(gc_store_has(store, other));
    assert_int_equal(gc_store_forget(store, other, NULL), GC_OK);
    assert_true(gc_store_has(store, id));
    assert_int_equal(gc_store_forget(store, id, NULL), GC_OK);
    e.kept = false;
    assert_int_equal(help_fork(look_from_elsewhere, &e, 0), 0);
    /* What is no id of ours is nowhere. */
    assert_false(gc_keyring_keeps(""));
    assert_false(gc_keyring_keeps("1"));
    assert_false(gc_keyring_keeps("0.vm-1.00.ticket"));
    assert_false(gc_keyring_keeps("99999999999.vm-1.00.ticket"));
    assert_false(gc_keyring_keeps("-3.vm-1.00.ticket"));
    assert_false(gc_keyring_keeps("vm-1.00.ticket"));
}

/* A key for the store made by hand: NAME, open to whom MODE says. */
static key_serial_t
plant(const char *name, const char *text, unsigned mode)
{
    key_serial_t key = add_key("user", name, text, strlen(text),
                               ring_of(KEY_SPEC_SESSION_KEYRING));

    assert_true(key > 0);
    assert_int_equal(keyctl_setperm(key, mode), 0);
    return key;
}

static void
check_skipped(struct gc_store *store, const char *why)
{
    help_forget_skips();
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_skips, 1);
    if (strstr(help_lines, why) == NULL)
        fail_msg("wanted \"%s\", said: %s", why, help_lines);
}

/* A record as good as ID's, but for the time before it. */
static void
check_times(struct gc_store *store, const char *id)
{
    static const char *const times[] = {
        "",
        "x",
        "\n",
        "1700000001\n",
        "0000000000170000000x\n",
        "99999999999999999999\n",
        "00000000001700000001 ",
        "00000000001700000001",
        "-0000000001700000001\n",
        "000000000001700000001\n",
    };
    char good[4096], text[8192];
    long len = keyctl_read(key_of(id), good, sizeof(good));

    assert_true(len > 100 && len < (long)sizeof(good));
    good[len] = '\0';
    for (size_t i = 0; i < GC_COUNT_OF(times); i++) {
        key_serial_t key;

        (void)snprintf(text, sizeof(text), "%s%s", times[i], strchr(good, '{'));
        key = plant("x.ticket", text, KEY_POS_ALL);
        check_skipped(store, "x.ticket: does not begin with a time");
        assert_int_equal(keyctl_invalidate(key), 0);
    }
}

static void
test_hostile_keys(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    char id[GC_STORE_ID_SIZE];
    key_serial_t key;

    (void)state;
    need_keyrings();
    store = open_store(session);
    assert_non_null(store);
    help_put(store, "vm-1", 1, id);
    check_times(store, id);
    key = plant("y.ticket", "x", KEY_POS_ALL | KEY_USR_VIEW);
    check_skipped(store, "open to others (mode 3f010000)");
    assert_int_equal(keyctl_invalidate(key), 0);
    key = plant("z.ticket", "x", KEY_POS_ALL & ~(unsigned)KEY_POS_READ);
    check_skipped(store, "z.ticket: ");
    assert_int_equal(keyctl_invalidate(key), 0);
    /* Not our business, and said of none. */
    help_forget_skips();
    (void)plant("notes", "x", KEY_POS_ALL);
    (void)plant("a b.ticket", "x", KEY_POS_ALL);
    assert_true(add_key("keyring", "k.ticket", NULL, 0,
                        ring_of(KEY_SPEC_SESSION_KEYRING))
                > 0);
    assert_int_equal(help_count(store), 1);
    assert_int_equal(help_skips, 0);
}

static void
test_dead_keys(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct timespec nap = {.tv_nsec = 50000000};
    char expiring[GC_STORE_ID_SIZE], revoked[GC_STORE_ID_SIZE], text[16];

    (void)state;
    need_keyrings();
    store = open_store(session);
    assert_non_null(store);
    help_put(store, "vm-1", 1, NULL);
    help_put(store, "vm-2", 2, expiring);
    help_put(store, "vm-3", 3, revoked);
    assert_int_equal(keyctl_set_timeout(key_of(expiring), 1), 0);
    assert_int_equal(keyctl_revoke(key_of(revoked)), 0);
    for (int i = 0; i < 100; i++) {
        if (keyctl_read(key_of(expiring), text, 0) < 0)
            break;
        (void)nanosleep(&nap, NULL);
    }
    assert_int_equal(help_count(store), 1);
    assert_non_null(strstr(help_lines, "revoked"));
    assert_non_null(strstr(help_lines, "expired"));
    assert_false(gc_store_has(store, expiring));
    assert_false(gc_store_has(store, revoked));
    assert_false(gc_store_keeps(session, expiring));
    assert_false(gc_store_keeps(session, revoked));
    assert_int_equal(gc_store_forget(store, expiring, NULL), GC_OK);
    assert_int_equal(gc_store_forget(store, revoked, NULL), GC_OK);
}

static void
test_wrong_owner(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    char id[GC_STORE_ID_SIZE];
    struct gc_error err;

    (void)state;
    need_keyrings();
    if (geteuid() != 0)
        skip_because("only root can give a key away");
    store = open_store(session);
    assert_non_null(store);
    help_put(store, "vm-1", 1, NULL);
    help_put(store, "vm-2", 2, id);
    assert_int_equal(keyctl_chown(key_of(id), NOBODY, NOBODY), 0);
    check_skipped(store, "65534");
    assert_int_equal(
        keyctl_chown(ring_of(KEY_SPEC_SESSION_KEYRING), NOBODY, NOBODY), 0);
    gc_store_free(GC_TAKE(store));
    assert_int_equal(gc_store_open(session, true, &store, &err), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "65534"));
}

static void
test_wrong_mode(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct gc_error err;

    (void)state;
    need_keyrings();
    assert_true(
        add_key("keyring", "guestcred-test", NULL, 0, KEY_SPEC_SESSION_KEYRING)
        > 0);
    assert_int_equal(gc_store_open(session, true, &store, &err), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "open to others"));
    assert_int_equal(keyctl_revoke(ring_of(KEY_SPEC_SESSION_KEYRING)), 0);
    assert_int_equal(gc_store_open(session, false, &store, &err),
                     GC_E_NOT_FOUND);
    assert_int_equal(gc_store_open(session, true, &store, &err), GC_E_FAILED);
    assert_non_null(strstr(err.message, "revoked"));
}

/* Room */

static void
enlarge(struct gc_record *record, size_t size)
{
    GC_AUTO(gc_bytes) big = {0};

    if (gc_bytes_reserve(&big, size, NULL) != GC_OK)
        _exit(97);
    memset(big.data, 'x', size);
    big.len = size;
    gc_bytes_move(&record->ticket.ticket, &big);
}

static void
test_too_large(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct gc_error err;

    (void)state;
    need_keyrings();
    store = open_store(session);
    assert_non_null(store);
    help_record(&record, "vm-1", 1);
    enlarge(&record, 32767);
    assert_int_equal(gc_store_put(store, &record, NULL, &earlier, &err),
                     GC_E_FAILED);
    assert_non_null(strstr(err.message, "too large"));
    assert_non_null(strstr(err.hint, "DIR:"));
    assert_int_equal(help_count(store), 0);
    help_put(store, "vm-1", 1, NULL);
}

/* Of 20,000 bytes two tickets of 9,000 are left no room for a third. */
static int
fill_quota(void *user)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct gc_error err;
    size_t kept = 0;
    gc_status st = GC_OK;

    (void)user;
    if (keyctl_join_session_keyring(NULL) < 0)
        return 1;
    store = open_store("KEYRING:session");
    if (store == NULL)
        return 2;
    for (int i = 0; i < 200 && st == GC_OK; i++) {
        char vm[16];

        (void)snprintf(vm, sizeof(vm), "vm-%d", i);
        help_record(&record, vm, 1);
        enlarge(&record, 9000);
        st = gc_store_put(store, &record, NULL, &earlier, &err);
        kept += st == GC_OK;
    }
    if (st != GC_E_FAILED || strstr(err.message, "quota") == NULL
        || strstr(err.message, "/") == NULL || strstr(err.hint, "DIR:") == NULL)
        return 3;
    if (record.id[0] != '\0' || help_count(store) != kept || help_skips != 0)
        return 4;
    (void)fprintf(stderr, "# %s\n", err.message);
    return 0;
}

static void
test_quota(void **state)
{
    (void)state;
    need_keyrings();
    assert_int_equal(help_fork(fill_quota, NULL, geteuid() == 0 ? NOBODY : 0),
                     0);
}

/* Sandboxes */

static int
open_forbidden(void *user)
{
    const unsigned error = *(const unsigned *)user;
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_keyctl, 2, 0),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_add_key, 1, 0),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | error),
    };
    const struct sock_fprog program = {(unsigned short)GC_COUNT_OF(code), code};
    static const char *const names[] = {"KEYRING:session", "KEYRING:user",
                                        "KEYRING:persistent"};
    struct gc_error err;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0
        || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        return 77;
    for (size_t i = 0; i < GC_COUNT_OF(names); i++)
        for (int create = 0; create < 2; create++) {
            GC_AUTO_PTR(gc_store) store = NULL;

            if (gc_store_open(names[i], create, &store, &err)
                    != GC_E_NOT_SUPPORTED
                || strstr(err.message, "sandbox") == NULL
                || strstr(err.hint, "DIR:") == NULL)
                return 1;
        }
    /* And of a record nobody can say that it is gone. */
    return gc_store_keeps("KEYRING:session", "7.vm-1.00.ticket") ? 0 : 2;
}

static void
test_forbidden(void **state)
{
    static unsigned errors[] = {ENOSYS, EPERM, EACCES};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(errors); i++) {
        int status = help_fork(open_forbidden, &errors[i], 0);

        assert_true(WIFEXITED(status));
        if (WEXITSTATUS(status) == 77)
            skip_because("seccomp is forbidden here");
        assert_int_equal(WEXITSTATUS(status), 0);
    }
}

/* Many */

#define RACERS 20

struct result {
    gc_status st;
    bool kept;
    char earlier[64];
};

static void
run_race(struct gc_store *store)
{
    GC_AUTO(gc_records) records = {0};
    struct result result;
    int go[2], up[2], winners = 0;
    pid_t racers[RACERS];
    char c;

    assert_int_equal(pipe(go), 0);
    assert_int_equal(pipe(up), 0);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = fork();
        assert_true(racers[i] >= 0);
        if (racers[i] == 0) {
            GC_AUTO_PTR(gc_store) own = open_store(session);
            GC_AUTO(gc_record) record = {0};
            GC_AUTO(gc_record) earlier = {0};

            help_in_child();
            (void)close(go[1]);
            help_record(&record, "vm-1", 100 + i);
            if (own == NULL || read(go[0], &c, 1) != 0)
                _exit(1);
            memset(&result, 0, sizeof(result));
            result.st = gc_store_put(own, &record, NULL, &earlier, NULL);
            result.kept = record.id[0] != '\0';
            (void)snprintf(result.earlier, sizeof(result.earlier), "%s",
                           gc_bytes_text(&earlier.ticket.ticket));
            _exit(write(up[1], &result, sizeof(result)) < 0);
        }
    }
    (void)close(go[0]);
    (void)close(go[1]);
    (void)close(up[1]);
    for (int i = 0; i < RACERS; i++) {
        int status = -1;

        assert_int_equal(waitpid(racers[i], &status, 0), racers[i]);
        assert_int_equal(status, 0);
    }
    assert_int_equal(gc_store_list(store, &records, NULL), GC_OK);
    assert_int_equal(records.count, 1);
    for (int i = 0; i < RACERS; i++) {
        assert_int_equal(read(up[0], &result, sizeof(result)), sizeof(result));
        assert_int_equal(result.st, GC_OK);
        winners += result.kept;
        assert_string_equal(
            result.earlier,
            result.kept ? "" : gc_bytes_text(&records.items[0].ticket.ticket));
    }
    (void)close(up[0]);
    assert_int_equal(winners, 1);
    assert_int_equal(gc_store_forget(store, records.items[0].id, NULL), GC_OK);
}

static void
test_race(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;

    (void)state;
    need_keyrings();
    store = open_store(session);
    assert_non_null(store);
    for (int i = 0; i < 10; i++)
        run_race(store);
    assert_int_equal(help_skips, 0);
}

/* All make the keyring at once, and all get the same. */
static void
test_race_to_make(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    pid_t racers[RACERS];
    int go[2];
    char c;

    (void)state;
    need_keyrings();
    assert_int_equal(pipe(go), 0);
    for (int i = 0; i < RACERS; i++) {
        racers[i] = fork();
        assert_true(racers[i] >= 0);
        if (racers[i] == 0) {
            GC_AUTO_PTR(gc_store) own = NULL;
            char vm[16];

            help_in_child();
            (void)close(go[1]);
            if (read(go[0], &c, 1) != 0)
                _exit(1);
            own = open_store(session);
            if (own == NULL)
                _exit(2);
            (void)snprintf(vm, sizeof(vm), "vm-%d", i);
            help_put(own, vm, i, NULL);
            _exit(0);
        }
    }
    (void)close(go[0]);
    (void)close(go[1]);
    for (int i = 0; i < RACERS; i++) {
        int status = -1;

        assert_int_equal(waitpid(racers[i], &status, 0), racers[i]);
        assert_int_equal(status, 0);
    }
    store = open_store(session);
    assert_non_null(store);
    assert_int_equal(help_count(store), RACERS);
}

static int
die_with_lock(void *user)
{
    struct gc_blobs *blobs = NULL;

    (void)user;
    if (gc_keyring_open("session:guestcred-test", false, &blobs, NULL) != GC_OK
        || blobs->ops->lock(blobs, 0, NULL) != GC_OK)
        return 1;
    (void)raise(SIGKILL);
    return 2;
}

/* Who died with the lock is not waited for. */
static void
test_dead_holder(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct timespec start, end;
    int status;

    (void)state;
    need_keyrings();
    store = open_store(session);
    assert_non_null(store);
    for (int i = 0; i < 3; i++) {
        char vm[16];

        status = help_fork(die_with_lock, NULL, 0);
        assert_true(WIFSIGNALED(status));
        (void)clock_gettime(CLOCK_MONOTONIC, &start);
        (void)snprintf(vm, sizeof(vm), "vm-%d", i);
        help_put(store, vm, i, NULL);
        (void)clock_gettime(CLOCK_MONOTONIC, &end);
        assert_true(end.tv_sec - start.tv_sec < 5);
    }
    assert_int_equal(help_count(store), 3);
}

/* Who lives with it is. */
static void
test_living_holder(void **state)
{
    GC_AUTO_PTR(gc_store) store = NULL;
    struct gc_blobs *blobs = NULL;
    struct timespec nap = {.tv_nsec = 200000000}, start, end;
    pid_t holder;
    int ready[2];
    char c;

    (void)state;
    need_keyrings();
    store = open_store(session);
    assert_non_null(store);
    assert_int_equal(pipe(ready), 0);
    holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        if (gc_keyring_open("session:guestcred-test", false, &blobs, NULL)
                != GC_OK
            || blobs->ops->lock(blobs, 0, NULL) != GC_OK
            || write(ready[1], "x", 1) != 1)
            _exit(1);
        (void)nanosleep(&nap, NULL);
        blobs->ops->free(blobs);
        _exit(0);
    }
    assert_int_equal(read(ready[0], &c, 1), 1);
    (void)clock_gettime(CLOCK_MONOTONIC, &start);
    help_put(store, "vm-1", 1, NULL);
    (void)clock_gettime(CLOCK_MONOTONIC, &end);
    assert_true((end.tv_sec - start.tv_sec) * 1000
                    + (end.tv_nsec - start.tv_nsec) / 1000000
                > 100);
    assert_int_equal(waitpid(holder, NULL, 0), holder);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(test_session_keyring),
        TEST(test_user_keyring),
        TEST(test_persistent_keyring),
        TEST(test_not_what_is_below),
        TEST(test_another_session),
        TEST(test_hostile_keys),
        TEST(test_dead_keys),
        TEST(test_wrong_owner),
        TEST(test_wrong_mode),
        TEST(test_too_large),
        TEST(test_quota),
        TEST(test_forbidden),
        TEST(test_race),
        TEST(test_race_to_make),
        TEST(test_dead_holder),
        TEST(test_living_holder),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("keyring", tests, join, NULL));
}
