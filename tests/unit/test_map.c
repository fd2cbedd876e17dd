/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The map: what is one, who may enter, and what those learn who may not.
 */

#include <config.h>

#include "src/helper/map.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/skips.h"
#include "tests/unit/tickets_help.h"

#define NOBODY 65534

/* ---- groups, faked ---- */

static int asked;      /* how often */
static size_t wants;   /* bytes that a group's text takes */
static int then_error; /* what comes instead of an answer */

int __wrap_getgrnam_r(const char *name, struct group *entry, char *text,
                      size_t size, struct group **ret_found);

int
__wrap_getgrnam_r(const char *name, struct group *entry, char *text,
                  size_t size, struct group **ret_found)
{
    static const struct {
        const char *name;
        gid_t gid;
    } groups[] = {{"staff", 50},
                  {"admins", 0},
                  {"domain.users", 70000},
                  {"domain users", 60},
                  {"CORP\\a, b#c", 61}};

    asked++;
    *ret_found = NULL;
    if (then_error != 0)
        return then_error;
    if (size < wants)
        return ERANGE;
    memset(text, 'x', size);
    for (size_t i = 0; i < GC_COUNT_OF(groups); i++)
        if (strcmp(name, groups[i].name) == 0) {
            *entry = (struct group){.gr_gid = groups[i].gid};
            *ret_found = entry;
        }
    return 0;
}

static int group_total; /* of whoever is asked about, GID last */
static int totals;      /* how often they were */

int __wrap_getgrouplist(const char *user, gid_t gid, gid_t *groups, int *count);

int
__wrap_getgrouplist(const char *user, gid_t gid, gid_t *groups, int *count)
{
    int room = *count;

    (void)user;
    totals++;
    *count = group_total;
    if (room < group_total)
        return -1;
    for (int i = 0; i < group_total; i++)
        groups[i] = i == group_total - 1 ? gid : 90000 + (gid_t)i;
    return group_total;
}

static int
setup(void **state)
{
    *state = NULL;
    asked = 0;
    totals = 0;
    group_total = 3;
    wants = 0;
    then_error = 0;
    help_begin();
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    help_end();
    return 0;
}

static struct gc_map *
parse(const char *text)
{
    struct gc_map *map = NULL;
    struct gc_error err;

    if (gc_map_parse("/etc/map", text, strlen(text), &map, &err) != GC_OK)
        fail_msg("%s: %s", text, err.message);
    return map;
}

/* ---- what is a map ---- */

static void
test_whole(void **state)
{
    GC_AUTO_PTR(gc_map)
    map = parse(
        "\xef\xbb\xbf# who may enter what\n"
        "\n"
        "build-win01\t" UUID "/vm-42   host/build-win01.example.test  alice\n"
        "  Build_2.x vm-123456789012345678\tHOST/b.example.test.@EXAMPLE.TEST\t"
        "alice,bob # a comment\r\n"
        " \t\r\n"
        "\t# another\n"
        "last 2C3D4E5F-0000-4000-8000-00000000ABCD/vm-0 host/last *");
    struct gc_map_vm vms[4];
    size_t count = 0;

    (void)state;
    assert_int_equal(gc_map_list(map, "alice", 1, vms, 4, &count, NULL), GC_OK);
    assert_int_equal(count, 3);
    assert_string_equal(vms[0].name, "build-win01");
    assert_string_equal(vms[0].vcenter, UUID);
    assert_string_equal(vms[0].vm, "vm-42");
    assert_string_equal(vms[0].target, "host/build-win01.example.test");
    assert_string_equal(vms[1].name, "Build_2.x");
    assert_string_equal(vms[1].vcenter, "");
    assert_string_equal(vms[1].vm, "vm-123456789012345678");
    assert_string_equal(vms[1].target, "host/b.example.test@EXAMPLE.TEST");
    assert_string_equal(vms[2].name, "last");
    assert_string_equal(vms[2].vcenter, UUID);
    assert_string_equal(vms[2].vm, "vm-0");

    assert_int_equal(gc_map_list(map, "alice", 1, vms, 2, &count, NULL), GC_OK);
    assert_int_equal(count, 2);
    assert_int_equal(gc_map_list(map, "eve", 1, vms, 4, &count, NULL), GC_OK);
    assert_int_equal(count, 1);
    assert_string_equal(vms[0].name, "last");
}

/* Whatever is wrong in one line leaves nothing of the file. */
static void
test_malformed(void **state)
{
    static const char *const lines[] = {
        "a",
        "a vm-1",
        "a vm-1 host/a",
        "a vm-1 host/a #alice",
        "a vm-1 host/a alice bob",
        "a vm-1 host/a alice, bob",
        "a/b vm-1 host/a *",
        "a,b vm-1 host/a *",
        "\xc3\xa4 vm-1 host/a *",
        "a\x1b vm-1 host/a *",
        "a vm- host/a *",
        "a vm host/a *",
        "a VM-1 host/a *",
        "a vm-1x host/a *",
        "a vm-1234567890123456789 host/a *",
        "a build-win01 host/a *",
        "a uuid:" UUID " host/a *",
        "a path:/DC/vm/a host/a *",
        "a /vm-1 host/a *",
        "a 2c3d4e5f/vm-1 host/a *",
        "a 2c3d4e5f-0000-4000-8000-00000000abcg/vm-1 host/a *",
        "a " UUID "0/vm-1 host/a *",
        "a " UUID "/ host/a *",
        "a " UUID "/x/vm-1 host/a *",
        "a vm-1 host *",
        "a vm-1 host/ *",
        "a vm-1 /a *",
        "a vm-1 host@a *",
        "a vm-1 cifs/a *",
        "a vm-1 host/{vm}.example.test *",
        "a vm-1 host/a} *",
        "a vm-1 host/a/b *",
        "a vm-1 host/a@ *",
        "a vm-1 host/a@B@C *",
        "a vm-1 host/\xc3\xa4 *",
        "a vm-1 host/a ,",
        "a vm-1 host/a alice,",
        "a vm-1 host/a ,alice",
        "a vm-1 host/a alice,,bob",
        "a vm-1 host/a @",
        "a vm-1 host/a @,alice",
        "a vm-1 host/a @@staff",
        "a vm-1 host/a !bob",
        "a vm-1 host/a *,!bob",
        "a vm-1 host/a -bob",
        "a vm-1 host/a **",
        "a vm-1 host/a al*",
        "a vm-1 host/a @*",
        "a vm-1 host/a %staff",
        "a vm-1 host/a alice:bob",
        "a vm-1 host/a al\x7fice",
        "a vm-1 host/a @domain users",
        "a vm-1 host/a @\"\"",
        "a vm-1 host/a @\"",
        "a vm-1 host/a @\"domain users",
        "a vm-1 host/a @\"domain users\"x",
        "a vm-1 host/a @\"domain users\",",
        "a vm-1 host/a @\"do\x01main\"",
        "a vm-1 host/a \"domain users\"",
        "a vm-1 host/a al\"i\"ce",
        "good vm-1 host/a *",
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(lines); i++) {
        struct gc_map *map = NULL;
        struct gc_error err;
        char text[512];

        (void)snprintf(text, sizeof(text), "good vm-1 host/a *\n\n%s\n",
                       lines[i]);
        if (gc_map_parse("/etc/map", text, strlen(text), &map, &err)
            != GC_E_CONFIG)
            fail_msg("taken: %s", lines[i]);
        assert_null(map);
        if (strncmp(err.message, "/etc/map:3: ", 12) != 0)
            fail_msg("%s", err.message);
    }
}

static void
test_limits(void **state)
{
    static char text[GC_MAP_TEXT_MAX + 2];
    char who[400];
    struct gc_error err;

    (void)state;
    for (int more = 0; more < 2; more++) {
        const gc_status want = more == 0 ? GC_OK : GC_E_CONFIG;
        struct gc_map *map = NULL;

        (void)snprintf(text, sizeof(text), "%0*d vm-1 host/a *", 64 + more, 0);
        assert_int_equal(gc_map_parse("/m", text, strlen(text), &map, &err),
                         want);
        gc_map_free(GC_TAKE(map));
        (void)snprintf(who, sizeof(who), "@%0*d", 255 + more, 0);
        (void)snprintf(text, sizeof(text), "a vm-1 host/a %s", who);
        assert_int_equal(gc_map_parse("/m", text, strlen(text), &map, &err),
                         want);
        gc_map_free(GC_TAKE(map));
        memset(text, '#', sizeof(text));
        assert_int_equal(gc_map_parse("/m", text,
                                      GC_MAP_TEXT_MAX + (size_t)more, &map,
                                      &err),
                         want);
        gc_map_free(map);
    }
    {
        GC_AUTO_PTR(gc_map) map = NULL;

        assert_int_equal(gc_map_parse("/m", "#\n#\n\0", 5, &map, &err),
                         GC_E_CONFIG);
        assert_string_equal(err.message, "/m:3: a NUL");
        assert_int_equal(gc_map_parse("/m", NULL, 0, &map, &err), GC_OK);
    }
}

static void
test_unique(void **state)
{
    static const char text[] = "b vm-1 host/b *\n"
                               "a vm-1 host/a *\n"
                               "A vm-1 host/a *\n"
                               "a vm-2 host/a *\n";
    struct gc_map *map = NULL;
    struct gc_error err;

    (void)state;
    assert_int_equal(gc_map_parse("/m", text, strlen(text), &map, &err),
                     GC_E_CONFIG);
    assert_null(map);
    assert_string_equal(err.message, "/m:4: \"a\" is in line 2 already");
    gc_map_free(parse("a vm-1 host/a *\nA vm-1 host/a *\n"));
}

/* ---- who may enter ---- */

static const char all[] = "named vm-1 host/a alice,bob\n"
                          "group vm-2 host/a carol,@staff,@admins\n"
                          "odd vm-3 host/a CORP\\alice,bob@corp.example,b$\n"
                          "open vm-4 host/a @nobody-there,*\n"
                          "users vm-5 host/a @domain.users\n"
                          "blank vm-6 host/a eve,@\"domain users\",bob # x\n"
                          "comma vm-7 host/a @\"CORP\\a, b#c\"\n";

/* May USER, in GROUP, enter NAME? */
static bool
enters(const struct gc_map *map, const char *name, const char *user,
       gid_t group, const char *want_reason)
{
    struct gc_map_vm vm = {.name = "untouched"};
    struct gc_error err = {0};
    const char *reason = "untouched";
    gc_status st = gc_map_find(map, name, user, group, &vm, &reason, &err);

    if (st == GC_OK) {
        assert_null(reason);
        assert_string_equal(vm.name, name);
        return true;
    }
    assert_int_equal(st, GC_E_DENIED);
    assert_string_equal(err.message, "there is no such VM for this user");
    assert_string_equal(err.hint, "");
    assert_string_equal(vm.name, "untouched");
    assert_non_null(strstr(reason, want_reason));
    return false;
}

static void
test_who(void **state)
{
    static const char no[] = "does not let";
    GC_AUTO_PTR(gc_map) map = parse(all);

    (void)state;
    assert_true(enters(map, "named", "alice", 1, no));
    assert_true(enters(map, "named", "bob", 1, no));
    assert_false(enters(map, "named", "bo", 1, no));
    assert_false(enters(map, "named", "bobby", 1, no));
    assert_false(enters(map, "named", "Alice", 1, no));
    assert_false(enters(map, "named", "alice,bob", 1, no));
    assert_false(enters(map, "named", "", 1, no));
    assert_int_equal(asked, 0);
    assert_true(enters(map, "group", "carol", 1, no));
    assert_int_equal(asked, 0);
    assert_true(enters(map, "group", "dave", 50, no));
    assert_true(enters(map, "group", "dave", 0, no));
    assert_false(enters(map, "group", "dave", 51, no));
    assert_false(enters(map, "group", "@staff", 51, no));
    assert_false(enters(map, "group", "staff", 51, no));
    assert_true(enters(map, "users", "dave", 70000, no));
    assert_true(enters(map, "odd", "CORP\\alice", 1, no));
    assert_true(enters(map, "odd", "bob@corp.example", 1, no));
    assert_true(enters(map, "odd", "b$", 1, no));
    assert_false(enters(map, "odd", "alice", 1, no));
    assert_true(enters(map, "blank", "eve", 1, no));
    assert_true(enters(map, "blank", "dave", 60, no));
    assert_true(enters(map, "blank", "bob", 1, no));
    assert_false(enters(map, "blank", "dave", 61, no));
    assert_false(enters(map, "blank", "domain users", 1, no));
    assert_true(enters(map, "comma", "dave", 61, no));
    assert_false(enters(map, "comma", "dave", 60, no));
    assert_true(enters(map, "open", "anybody", 1, no));
    assert_false(enters(map, "open", "", 1, no));
}

/* Nobody learns what there is; the log does. */
static void
test_one_answer(void **state)
{
    static const char *const bad[] = {
        "", "named\n", "named ", "../named", "vm-1\x1b", "\xc3\xa4", "a,b", "*",
    };
    GC_AUTO_PTR(gc_map) map = parse(all);
    char name[GC_MAP_NAME_SIZE + 1];

    (void)state;
    assert_false(enters(map, "named", "eve", 1, "does not let"));
    assert_false(enters(map, "absent", "eve", 1, "has no such VM"));
    assert_false(enters(map, "NAMED", "alice", 1, "has no such VM"));
    assert_false(enters(map, "vm-1", "alice", 1, "has no such VM"));
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        assert_false(enters(map, bad[i], "alice", 1, "not a name"));
    (void)snprintf(name, sizeof(name), "%065d", 0);
    assert_false(enters(map, name, "alice", 1, "not a name"));
    name[64] = '\0';
    assert_false(enters(map, name, "alice", 1, "has no such VM"));
}

/* Large groups, groups that cannot be asked for, and one question each. */
static void
test_groups(void **state)
{
    GC_AUTO_PTR(gc_map) map = parse(all);
    GC_AUTO_PTR(gc_map)
    same = parse("a vm-1 host/a @staff,@admins\n"
                 "b vm-1 host/a @staff\n"
                 "c vm-1 host/a @admins,@sta\n");
    GC_AUTO_PTR(gc_map) many = NULL;
    struct gc_map_vm vms[4];
    char text[1024] = "a vm-1 host/a @g0";
    size_t count = 9;

    (void)state;
    wants = 500 * 1024;
    assert_true(enters(map, "group", "dave", 50, ""));
    wants = 100 * 1024 * 1024;
    assert_false(enters(map, "group", "dave", 50, "does not let"));
    wants = 0;
    then_error = EIO;
    assert_false(enters(map, "group", "dave", 50, "does not let"));
    then_error = 0;

    asked = totals = 0;
    assert_int_equal(gc_map_list(same, "dave", 1, vms, 4, &count, NULL), GC_OK);
    assert_int_equal(count, 0);
    assert_int_equal(asked, 3);
    assert_int_equal(totals, 1);
    assert_int_equal(gc_map_list(same, "dave", 50, vms, 4, &count, NULL),
                     GC_OK);
    assert_int_equal(count, 2);
    assert_string_equal(vms[0].name, "a");
    assert_string_equal(vms[1].name, "b");

    /* More groups than are remembered. */
    for (int i = 1; i < 40; i++)
        (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                       ",@g%d", i);
    (void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
                   ",@staff\n");
    many = parse(text);
    assert_true(enters(many, "a", "dave", 50, ""));
    assert_false(enters(many, "a", "dave", 51, "does not let"));
}

/* Whose groups do not matter is not asked about; too many are an error. */
static void
test_groups_are_asked_for_late(void **state)
{
    GC_AUTO_PTR(gc_map) map = parse(all);
    struct gc_map_vm vm;
    struct gc_error err;
    const char *reason;

    (void)state;
    assert_true(enters(map, "named", "alice", 1, ""));
    assert_false(enters(map, "named", "eve", 1, "does not let"));
    assert_true(enters(map, "group", "carol", 50, ""));
    assert_int_equal(totals, 0);
    group_total = 1024;
    assert_true(enters(map, "group", "dave", 50, ""));
    group_total = 1025;
    assert_int_equal(gc_map_find(map, "group", "dave", 50, &vm, &reason, &err),
                     GC_E_FAILED);
    assert_non_null(strstr(err.message, "more than 1024 groups"));
}

/* ---- a list alone: for whom root's key may speak ---- */

static void
test_permits(void **state)
{
    static const struct {
        const char *list, *user;
        gid_t group;
        gc_status status;
        bool may;
    } cases[] = {
        {"alice", "alice", 1, GC_OK, true},
        {"alice,bob", "bob", 1, GC_OK, true},
        /* The whole name, as it is, and nothing beside it. */
        {"alice,bob", "bo", 1, GC_OK, false},
        {"alice,bob", "bobby", 1, GC_OK, false},
        {"alice,bob", "lice", 1, GC_OK, false},
        {"alice,bob", "ALICE", 1, GC_OK, false},
        {"alice,bob", "alice,bob", 1, GC_OK, false},
        {"alice,bob", "", 1, GC_OK, false},
        {"alice", "*", 1, GC_OK, false},
        {"*", "anybody", 1, GC_OK, true},
        {"*", "", 1, GC_OK, false},
        /* A group is one with "@", and not an account of its name. */
        {"@staff", "dave", 50, GC_OK, true},
        {"@staff", "dave", 51, GC_OK, false},
        {"@staff", "staff", 51, GC_OK, false},
        {"@staff", "@staff", 51, GC_OK, false},
        {"staff", "dave", 50, GC_OK, false},
        {"@sta", "dave", 50, GC_OK, false},
        {"eve,@staff", "dave", 50, GC_OK, true},
        {"@nobodys", "dave", 0, GC_OK, false},
        {"eve,@\"domain users\"", "dave", 60, GC_OK, true},
        {"eve,@\"domain users\"", "dave", 50, GC_OK, false},
        /* What is no list is nobody's. */
        {"@\"domain users", "dave", 60, GC_E_CONFIG, false},
        {"", "alice", 1, GC_E_CONFIG, false},
        {",", "alice", 1, GC_E_CONFIG, false},
        {"alice,", "alice", 1, GC_E_CONFIG, false},
        {",alice", "alice", 1, GC_E_CONFIG, false},
        {"alice,,bob", "alice", 1, GC_E_CONFIG, false},
        {"alice bob", "alice", 1, GC_E_CONFIG, false},
        {"@", "alice", 1, GC_E_CONFIG, false},
        {"*x", "alice", 1, GC_E_CONFIG, false},
        {"al*", "alice", 1, GC_E_CONFIG, false},
        {"*,!alice", "alice", 1, GC_E_CONFIG, false},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        bool may = !cases[i].may;
        gc_status st = gc_map_permits(cases[i].list, cases[i].user,
                                      cases[i].group, &may, NULL);

        if (st != cases[i].status || may != cases[i].may)
            fail_msg("\"%s\" of \"%s\": %d, %d", cases[i].user, cases[i].list,
                     st, may);
    }
}

/* ---- the file ---- */

static gc_status
read_map(const char *path, struct gc_error *err)
{
    GC_AUTO_PTR(gc_map) map = NULL;

    return gc_map_read_file(path, &map, err);
}

static void
test_file(void **state)
{
    static char large[GC_MAP_TEXT_MAX + 1];
    struct gc_error err;

    (void)state;
    help_file(help_path("map"), all, (long)(strlen(all)), 0644);
    assert_int_equal(read_map(help_path("map"), &err), GC_OK);
    assert_int_equal(read_map("map", &err), GC_E_CONFIG);
    assert_int_equal(read_map("-", &err), GC_E_CONFIG);
    assert_int_equal(read_map(help_path("absent"), &err), GC_E_CONFIG);
    assert_int_equal(chmod(help_path("map"), 0664), 0);
    assert_int_equal(read_map(help_path("map"), &err), GC_E_CONFIG);
    assert_int_equal(chmod(help_path("map"), 0646), 0);
    assert_int_equal(read_map(help_path("map"), &err), GC_E_CONFIG);
    assert_int_equal(chmod(help_path("map"), 0644), 0);
    assert_int_equal(symlink("map", help_path("link")), 0);
    assert_int_equal(read_map(help_path("link"), &err), GC_E_CONFIG);
    assert_int_equal(mkfifo(help_path("fifo"), 0600), 0);
    assert_int_equal(read_map(help_path("fifo"), &err), GC_E_CONFIG);
    assert_int_equal(read_map(help_path(""), &err), GC_E_CONFIG);

    memset(large, '#', sizeof(large));
    help_file(help_path("large"), large, (long)(sizeof(large)), 0600);
    assert_int_equal(read_map(help_path("large"), &err), GC_E_CONFIG);
    help_file(help_path("large"), large, (long)(sizeof(large) - 1), 0600);
    assert_int_equal(read_map(help_path("large"), &err), GC_OK);
    help_file(help_path("bad"), "#\nx\n", 4, 0600);
    assert_int_equal(read_map(help_path("bad"), &err), GC_E_CONFIG);
    assert_non_null(strstr(err.message, "/bad:2: "));

    if (geteuid() != 0)
        skip_because("needs root to give a file away");
    assert_int_equal(chown(help_path("map"), NOBODY, NOBODY), 0);
    assert_int_equal(read_map(help_path("map"), &err), GC_E_CONFIG);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_whole),  TEST(test_malformed),
        TEST(test_limits), TEST(test_unique),
        TEST(test_who),    TEST(test_one_answer),
        TEST(test_groups), TEST(test_groups_are_asked_for_late),
        TEST(test_file),   TEST(test_permits),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("map", tests, NULL, NULL));
}
