/* SPDX-License-Identifier: Apache-2.0 */
/*
 * descriptor: which files are trusted, and that they are read whole.
 */

#include <config.h>

#include "src/base/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/skips.h"

static char top[64];
static int dir = -1;
static const char *const names[] = {"file", "link", "fifo", "d", NULL};

static int
setup(void **state)
{
    int fd;

    (void)state;
    (void)snprintf(top, sizeof(top), "/tmp/guestcred-test.XXXXXX");
    assert_non_null(mkdtemp(top));
    dir = open(top, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(dir >= 0);
    fd = openat(dir, "file", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, "12\0\n5", 5), 5);
    assert_int_equal(fchmod(fd, 0600), 0);
    (void)close(fd);
    assert_int_equal(symlinkat("file", dir, "link"), 0);
    assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
    assert_int_equal(mkdirat(dir, "d", 0700), 0);
    return 0;
}

static int
teardown(void **state)
{
    (void)state;
    for (size_t i = 0; names[i] != NULL; i++)
        (void)unlinkat(dir, names[i],
                       strcmp(names[i], "d") == 0 ? AT_REMOVEDIR : 0);
    gc_descriptor_close(&dir);
    (void)rmdir(top);
    return 0;
}

static const struct gc_trust mine = {.own = true, .forbidden = 077, .max = 5};

/* NAME is refused, and the reason begins with it and says WHY. */
static void
refuse(const char *name, const struct gc_trust *trust, gc_status want,
       const char *why)
{
    GC_AUTO(gc_bytes) text = {0};
    struct gc_error err = {0};
    int fd = -7;
    struct stat info;

    assert_int_equal(gc_trusted_read(dir, name, trust, &text, NULL, &err),
                     want);
    if (strncmp(err.message, name, strlen(name)) != 0
        || strstr(err.message, why) == NULL)
        fail_msg("%s", err.message);
    assert_int_equal(gc_trusted_open(dir, name, trust, &fd, &info, NULL), want);
    assert_int_equal(fd, -7);
}

static void
test_read(void **state)
{
    GC_AUTO(gc_bytes) text = {0};
    struct stat info = {0};
    char path[128];

    (void)state;
    assert_int_equal(gc_bytes_set(&text, "something longer", 16, NULL), GC_OK);
    assert_int_equal(gc_trusted_read(dir, "file", &mine, &text, &info, NULL),
                     GC_OK);
    assert_int_equal(text.len, 5);
    assert_memory_equal(text.data, "12\0\n5", 6);
    assert_int_equal(info.st_size, 5);
    (void)snprintf(path, sizeof(path), "%s/file", top);
    assert_int_equal(gc_trusted_read(AT_FDCWD, path, &mine, &text, NULL, NULL),
                     GC_OK);
    assert_int_equal(text.len, 5);
}

static void
test_kinds(void **state)
{
    const struct gc_trust small = {.own = true, .forbidden = 077, .max = 4};

    (void)state;
    refuse("nothing", &mine, GC_E_NOT_FOUND, "no such file");
    refuse("file/x", &mine, GC_E_NOT_FOUND, "no such file");
    refuse("link", &mine, GC_E_CONFIG, "symbolic link");
    /* And nobody waits for a writer. */
    refuse("fifo", &mine, GC_E_CONFIG, "not a regular file");
    refuse("d", &mine, GC_E_CONFIG, "not a regular file");
    refuse("file", &small, GC_E_CONFIG, "larger than 4 bytes");
}

static void
test_modes(void **state)
{
    const struct gc_trust readable = {.own = true, .forbidden = 022, .max = 5};
    struct gc_error err;
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    for (mode_t bit = 1; bit <= 040; bit *= 2) {
        bool writes = (bit & 022) != 0;

        assert_int_equal(fchmodat(dir, "file", 0600 | bit, 0), 0);
        refuse("file", &mine, GC_E_CONFIG, writes ? "others may write" : "");
        if (writes)
            refuse("file", &readable, GC_E_CONFIG, "others may write");
        else
            assert_int_equal(
                gc_trusted_read(dir, "file", &readable, &text, NULL, NULL),
                GC_OK);
    }
    assert_int_equal(fchmodat(dir, "file", 0644, 0), 0);
    assert_int_equal(gc_trusted_read(dir, "file", &mine, &text, NULL, &err),
                     GC_E_CONFIG);
    assert_string_equal(err.message, "file: others may read it (mode 0644)");
    assert_string_equal(err.hint, "chmod 600 it");
}

static void
test_owners(void **state)
{
    const struct gc_trust roots = {.root = true, .forbidden = 077, .max = 5};
    const struct gc_trust both = {
        .own = true, .root = true, .forbidden = 077, .max = 5};
    GC_AUTO(gc_bytes) text = {0};

    (void)state;
    if (geteuid() != 0)
        skip_because("needs root to give a file away");
    assert_int_equal(gc_trusted_read(dir, "file", &roots, &text, NULL, NULL),
                     GC_OK);
    assert_int_equal(fchownat(dir, "file", 12345, 0, 0), 0);
    refuse("file", &mine, GC_E_CONFIG, "belongs to uid 12345");
    refuse("file", &roots, GC_E_CONFIG, "belongs to uid 12345");
    refuse("file", &both, GC_E_CONFIG, "belongs to uid 12345");
    assert_int_equal(seteuid(12345), 0);
    assert_int_equal(gc_trusted_read(dir, "file", &mine, &text, NULL, NULL),
                     GC_E_CONFIG); /* the directory is root's */
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(fchmodat(dir, ".", 0711, 0), 0);
    assert_int_equal(seteuid(12345), 0);
    assert_int_equal(gc_trusted_read(dir, "file", &mine, &text, NULL, NULL),
                     GC_OK);
    refuse("file", &roots, GC_E_CONFIG, "belongs to uid 12345");
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(fchownat(dir, "file", 0, 12345, 0), 0);
    assert_int_equal(fchmodat(dir, "file", 0640, 0), 0);
    assert_int_equal(setegid(12345), 0);
    assert_int_equal(seteuid(12345), 0);
    refuse("file", &mine, GC_E_CONFIG, "belongs to uid 0");
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(0), 0);
}

static void
test_close(void **state)
{
    int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), copy = fd;

    (void)state;
    assert_true(fd >= 0);
    errno = ERANGE;
    gc_descriptor_close(&fd);
    assert_int_equal(fd, -1);
    assert_int_equal(errno, ERANGE);
    gc_descriptor_close(&fd);
    assert_int_equal(errno, ERANGE);
    assert_int_equal(fcntl(copy, F_GETFD), -1);
}

int
main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_read),
        TEST(test_kinds),
        TEST(test_modes),
        TEST(test_owners),
        cmocka_unit_test(test_close),
    };

    skips_begin();
    return skips_end(
        cmocka_run_group_tests_name("descriptor", tests, NULL, NULL));
}
