/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A session's own store: whose it is, what stands in it, and what a user who
 * may do as they like with it can make of that.  Needs root, to be two users.
 */

#include <config.h>

#include "src/shelf.h"

#include <dirent.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"
#include "tests/unit/skips.h"
#include "tests/unit/store_help.h"

#define ALICE 65001
#define BOB   65002
#define ZEROS "00000000000000000000000000000000"

static const struct gc_child_as alice = {.uid = ALICE, .gid = ALICE};

static char top[24]; /* a shelf's place is short */
static char run[24];

static int
setup(void **state)
{
    *state = NULL;
    if (geteuid() != 0)
        return 0;
    (void)snprintf(top, sizeof(top), "/tmp/gcsXXXXXX");
    if (mkdtemp(top) == NULL || chmod(top, 0711) != 0)
        return -1;
    (void)snprintf(run, sizeof(run), "%.16s/r", top);
    return 0;
}

static int
teardown(void **state)
{
    char command[64];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", top);
    return geteuid() == 0 ? system(command) : 0;
}

static void
needs_root(void)
{
    if (geteuid() != 0)
        skip_because("needs root");
}

static int64_t
soon(void)
{
    return gc_clock_now() + 5000;
}

/* SUB below the shelves' place. */
static const char *
place(const char *sub)
{
    static char paths[4][256];
    static int turn;
    char *path = paths[turn++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", run, sub);
    return path;
}

static void
check_mode(const char *path, uid_t uid, mode_t mode)
{
    struct stat info;

    assert_int_equal(lstat(path, &info), 0);
    assert_int_equal(info.st_uid, uid);
    assert_int_equal(info.st_mode & 07777, mode);
}

static int
count(const char *path)
{
    DIR *dir = opendir(path);
    const struct dirent *entry;
    int found = 0;

    assert_non_null(dir);
    while ((entry = readdir(dir)) != NULL)
        found += entry->d_name[0] == '.' ? 0 : 1;
    (void)closedir(dir);
    return found;
}

static void
file(const char *path, uid_t uid)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chown(path, uid, uid), 0);
}

/* A directory of UID's with a file of theirs in it. */
static void
directory(const char *path, uid_t uid)
{
    char inner[300];

    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(chown(path, uid, uid), 0);
    (void)snprintf(inner, sizeof(inner), "%s/file", path);
    file(inner, uid);
}

static gc_status
put(struct gc_shelf *shelf, const char *vm, struct gc_record *record)
{
    help_record(record, vm, 1);
    return gc_shelf_put(shelf, record, soon(), NULL);
}

/* ---- filled and wiped ---- */

static void
test_life(void **state)
{
    struct gc_shelf shelf = {.child = {.pid = 0}};
    GC_AUTO(gc_record) record = {.used = 0};
    char path[400];

    (void)state;
    needs_root();
    assert_int_equal(gc_shelf_open(run, &alice, &shelf, NULL), GC_OK);
    check_mode(run, 0, 0711);
    check_mode(place("65001"), ALICE, 0700);
    (void)snprintf(path, sizeof(path), "DIR:%s/65001/", run);
    assert_memory_equal(shelf.name, path, strlen(path));
    assert_int_equal(strlen(shelf.name + strlen(path)), 32);
    /* It is there with its first ticket. */
    assert_int_equal(count(place("65001")), 0);

    assert_int_equal(put(&shelf, "vm-1", &record), GC_OK);
    check_mode(shelf.name + 4, ALICE, 0700);
    (void)snprintf(path, sizeof(path), "%s/%s", shelf.name + 4, record.id);
    check_mode(path, ALICE, 0600);
    /* One of a kind; another VM's beside it. */
    assert_int_equal(put(&shelf, "vm-1", &record), GC_E_FAILED);
    assert_int_equal(put(&shelf, "vm-2", &record), GC_OK);
    assert_int_equal(count(shelf.name + 4), 2);

    assert_int_equal(gc_shelf_wipe(&shelf, soon(), NULL), GC_OK);
    assert_int_equal(count(place("65001")), 0);
    assert_int_equal(gc_shelf_wipe(&shelf, soon(), NULL), GC_E_NOT_FOUND);
    gc_shelf_clear(&shelf);
    gc_shelf_clear(&shelf);
}

/* Two sessions of one user know nothing of each other. */
static void
test_two(void **state)
{
    struct gc_shelf one = {.child = {.pid = 0}}, two = {.child = {.pid = 0}};
    GC_AUTO(gc_record) record = {.used = 0};

    (void)state;
    needs_root();
    assert_int_equal(gc_shelf_open(run, &alice, &one, NULL), GC_OK);
    assert_int_equal(gc_shelf_open(run, &alice, &two, NULL), GC_OK);
    assert_string_not_equal(one.name, two.name);
    assert_int_equal(put(&one, "vm-1", &record), GC_OK);
    assert_int_equal(put(&two, "vm-1", &record), GC_OK);
    assert_int_equal(gc_shelf_wipe(&one, soon(), NULL), GC_OK);
    assert_int_equal(count(place("65001")), 1);
    assert_int_equal(count(two.name + 4), 1);
    gc_shelf_clear(&one);
    gc_shelf_clear(&two);
}

/* Its user may kill the process, and stop it. */
static void
test_killed(void **state)
{
    struct gc_shelf shelf = {.child = {.pid = 0}};
    GC_AUTO(gc_record) record = {.used = 0};
    int64_t before;

    (void)state;
    needs_root();
    assert_int_equal(gc_shelf_open(run, &alice, &shelf, NULL), GC_OK);
    assert_int_equal(kill(shelf.child.pid, SIGSTOP), 0);
    before = gc_clock_now();
    help_record(&record, "vm-1", 1);
    assert_int_equal(gc_shelf_put(&shelf, &record, before + 200, NULL),
                     GC_E_UNAVAILABLE);
    assert_in_range(gc_clock_now() - before, 200, 3000);
    assert_int_equal(kill(shelf.child.pid, SIGKILL), 0);
    assert_int_equal(put(&shelf, "vm-1", &record), GC_E_INTERNAL);
    gc_shelf_clear(&shelf);
}

/* ---- the places ---- */

static gc_status
try_open(void)
{
    struct gc_shelf shelf = {.child = {.pid = 0}};
    gc_status st = gc_shelf_open(run, &alice, &shelf, NULL);

    gc_shelf_clear(&shelf);
    return st;
}

static void
test_places(void **state)
{
    static const mode_t modes[] = {0777, 0, 01755, 0710};

    (void)state;
    needs_root();
    /* Root's own, and nobody else may put anything there. */
    assert_int_equal(symlink(top, run), 0);
    assert_int_equal(try_open(), GC_E_CONFIG);
    assert_int_equal(unlink(run), 0);
    file(run, 0);
    assert_int_equal(try_open(), GC_E_CONFIG);
    assert_int_equal(unlink(run), 0);
    assert_int_equal(mkdir(run, 0711), 0);
    assert_int_equal(chmod(run, 0731), 0);
    assert_int_equal(try_open(), GC_E_CONFIG);
    assert_int_equal(chmod(run, 0711), 0);
    assert_int_equal(chown(run, ALICE, ALICE), 0);
    assert_int_equal(try_open(), GC_E_CONFIG);
    assert_int_equal(chown(run, 0, 0), 0);

    /* And hers in it. */
    assert_int_equal(symlink(top, place("65001")), 0);
    assert_int_equal(try_open(), GC_E_CONFIG);
    assert_int_equal(unlink(place("65001")), 0);
    file(place("65001"), ALICE);
    assert_int_equal(try_open(), GC_E_CONFIG);
    assert_int_equal(unlink(place("65001")), 0);
    directory(place("65001"), BOB);
    assert_int_equal(try_open(), GC_E_CONFIG);
    assert_int_equal(chown(place("65001"), ALICE, ALICE), 0);
    /* What she opened is closed again. */
    for (size_t i = 0; i < GC_COUNT_OF(modes); i++) {
        assert_int_equal(chmod(place("65001"), modes[i]), 0);
        assert_int_equal(try_open(), GC_OK);
        check_mode(place("65001"), ALICE, 0700);
    }
}

/* ---- taken away by name ---- */

/* What is called TYPE, the place, and WHAT below it. */
static gc_status
take(const char *type, const char *what)
{
    char name[256];

    (void)snprintf(name, sizeof(name), "%s%s/%s", type, run, what);
    return gc_shelf_remove(run, &alice, name, soon(), NULL);
}

static void
test_remove(void **state)
{
    static const char *const bad[] = {
        "65001/0000000000000000000000000000000",
        "65001/" ZEROS "0",
        "65001/0000000000000000000000000000000A",
        "65001/000000000000000000000000000000..",
        "65001/../65002/" ZEROS,
        "65001/",
        "65001/.",
        "65001",
        /* No other's, though she could, nor by another way. */
        "65002/" ZEROS,
        "../r/65001/" ZEROS,
    };

    (void)state;
    needs_root();
    assert_int_equal(gc_shelf_prepare(run, NULL), GC_OK);
    assert_int_equal(mkdir(place("65001"), 0700), 0);
    assert_int_equal(chown(place("65001"), ALICE, ALICE), 0);
    assert_int_equal(mkdir(place("65002"), 0777), 0);
    assert_int_equal(chmod(place("65002"), 0777), 0);
    directory(place("65001/" ZEROS), ALICE);
    directory(place("65002/" ZEROS), ALICE);

    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        assert_int_equal(take("DIR:", bad[i]), GC_E_NOT_FOUND);
    assert_int_equal(take("", "65001/" ZEROS), GC_E_NOT_FOUND);
    assert_int_equal(take("dir:", "65001/" ZEROS), GC_E_NOT_FOUND);
    assert_int_equal(count(place("65001/" ZEROS)), 1);
    assert_int_equal(count(place("65002/" ZEROS)), 1);

    assert_int_equal(take("DIR:", "65001/" ZEROS), GC_OK);
    assert_int_equal(count(place("65001")), 0);
    assert_int_equal(take("DIR:", "65001/" ZEROS), GC_E_NOT_FOUND);
}

/* As the user, who cannot be made to remove what is not theirs. */
static void
test_remove_games(void **state)
{
    (void)state;
    needs_root();
    assert_int_equal(gc_shelf_prepare(run, NULL), GC_OK);
    assert_int_equal(mkdir(place("65001"), 0700), 0);
    assert_int_equal(chown(place("65001"), ALICE, ALICE), 0);
    directory(place("precious"), ALICE);
    directory(place("roots"), 0);

    /* A link in the store's place is not followed, */
    assert_int_equal(symlink("../precious", place("65001/" ZEROS)), 0);
    assert_int_equal(take("DIR:", "65001/" ZEROS), GC_E_NOT_FOUND);
    assert_int_equal(unlink(place("65001/" ZEROS)), 0);
    /* nor one in it, */
    directory(place("65001/" ZEROS), ALICE);
    assert_int_equal(
        symlink("../../precious/file", place("65001/" ZEROS "/link")), 0);
    assert_int_equal(take("DIR:", "65001/" ZEROS), GC_OK);
    assert_int_equal(count(place("precious")), 1);
    /* root's directory is not opened, whatever it is called, */
    assert_int_equal(rename(place("roots"), place("65001/" ZEROS)), 0);
    assert_int_equal(take("DIR:", "65001/" ZEROS), GC_E_NOT_FOUND);
    assert_int_equal(count(place("65001/" ZEROS)), 1);
    assert_int_equal(rename(place("65001/" ZEROS), place("roots")), 0);
    /* and a directory in it stays, with the rest gone. */
    directory(place("65001/" ZEROS), ALICE);
    directory(place("65001/" ZEROS "/sub"), ALICE);
    assert_int_not_equal(take("DIR:", "65001/" ZEROS), GC_OK);
    assert_int_equal(count(place("65001/" ZEROS)), 1);
    assert_int_equal(count(place("65001/" ZEROS "/sub")), 1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_life),   TEST(test_two),    TEST(test_killed),
        TEST(test_places), TEST(test_remove), TEST(test_remove_games),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("shelf", tests, NULL, NULL));
}
