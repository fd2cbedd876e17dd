/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Processes: who is meant, and whether that one is still there.
 */

#include <config.h>

#include "src/process.h"

#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/skips.h"

/* A child that lives until it is told not to. */
static pid_t
start_child(int *ret_pipe)
{
    int up[2], down[2];
    char c = 0;
    pid_t child;

    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(down[1]);
        (void)prctl(PR_SET_NAME, "a) R 1 (\n) Z", 0, 0, 0);
        if (write(up[1], "x", 1) != 1 || read(down[0], &c, 1) < 0)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(read(up[0], &c, 1), 1);
    (void)close(up[0]);
    (void)close(up[1]);
    (void)close(down[0]);
    *ret_pipe = down[1];
    return child;
}

static void
test_self(void **state)
{
    struct gc_process self = {0}, again = {0};

    (void)state;
    assert_int_equal(gc_process_read(getpid(), &self, NULL), GC_OK);
    assert_int_equal(self.pid, getpid());
    assert_true(self.start > 0);
    assert_int_equal(strlen(self.boot_id), 36);
    assert_true(gc_process_alive(&self));
    gc_process_self(&again);
    assert_memory_equal(&self, &again, sizeof(self));
}

/* Whose child it is, and of that very process only. */
static void
test_parent(void **state)
{
    struct gc_process child = {0}, self = {0}, parent = {.pid = 7};
    int hold;
    pid_t pid = start_child(&hold);

    (void)state;
    assert_int_equal(gc_process_read(getpid(), &self, NULL), GC_OK);
    assert_int_equal(gc_process_read(pid, &child, NULL), GC_OK);
    child.start++;
    assert_int_equal(gc_process_read_parent(&child, &parent, NULL),
                     GC_E_NOT_FOUND);
    assert_int_equal(parent.pid, 7);
    child.start--;
    assert_int_equal(gc_process_read_parent(&child, &parent, NULL), GC_OK);
    assert_memory_equal(&parent, &self, sizeof(self));
    (void)close(hold);
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_int_equal(gc_process_read_parent(&child, &parent, NULL),
                     GC_E_NOT_FOUND);
    /* The first of all has none. */
    assert_int_equal(gc_process_read(1, &child, NULL), GC_OK);
    assert_int_equal(gc_process_read_parent(&child, &parent, NULL),
                     GC_E_NOT_FOUND);
    assert_memory_equal(&parent, &self, sizeof(self));
}

/* A name made to be misread, then a zombie, then nobody. */
static void
test_child(void **state)
{
    struct gc_process child = {0}, self = {0}, gone = {0};
    struct gc_error err;
    siginfo_t info;
    int hold;
    pid_t pid = start_child(&hold);

    (void)state;
    assert_int_equal(gc_process_read(pid, &child, NULL), GC_OK);
    assert_int_equal(gc_process_read(getpid(), &self, NULL), GC_OK);
    assert_true(child.start >= self.start);
    assert_true(child.start < self.start + 100 * 3600);
    assert_true(gc_process_alive(&child));

    (void)close(hold);
    assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
    assert_false(gc_process_alive(&child));
    assert_int_equal(waitpid(pid, NULL, 0), pid);
    assert_false(gc_process_alive(&child));
    assert_int_equal(gc_process_read(pid, &gone, &err), GC_E_NOT_FOUND);
    assert_int_equal(gone.pid, 0);
}

/* The same pid is not the same process. */
static void
test_another(void **state)
{
    struct gc_process self = {0}, other;

    (void)state;
    assert_int_equal(gc_process_read(getpid(), &self, NULL), GC_OK);
    other = self;
    other.start++;
    assert_false(gc_process_alive(&other));
    other = self;
    other.boot_id[0] = other.boot_id[0] == '0' ? '1' : '0';
    assert_false(gc_process_alive(&other));
    other = self;
    other.pid = 0;
    assert_false(gc_process_alive(&other));
    other.pid = -1;
    assert_false(gc_process_alive(&other));
    /* What was written down without /proc cannot be told from another. */
    other = (struct gc_process){.pid = getpid()};
    assert_true(gc_process_alive(&other));
}

static void
test_nobody(void **state)
{
    static const pid_t pids[] = {0, -1, -1000, 0x3fffffff};
    struct gc_process found = {.pid = 7};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(pids); i++)
        assert_int_equal(gc_process_read(pids[i], &found, NULL),
                         GC_E_NOT_FOUND);
    assert_int_equal(found.pid, 7);
}

/* Without /proc: it is said, and nobody is taken for dead who is not. */
static int
without_proc(void)
{
    struct gc_process self = {0}, found;
    pid_t dead;

    /* Not ours: who we are is known for good, once it was read. */
    if (gc_process_read(getppid(), &self, NULL) != GC_OK)
        return 1;
    if (unshare(CLONE_NEWNS) != 0
        || mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0
        || mount("none", "/proc", "tmpfs", 0, NULL) != 0)
        return 77;
    if (gc_process_read(getpid(), &found, NULL) != GC_E_INTERNAL)
        return 2;
    if (!gc_process_alive(&self))
        return 3;
    dead = fork();
    if (dead == 0)
        _exit(0);
    if (waitpid(dead, NULL, 0) != dead)
        return 4;
    self.pid = dead;
    if (gc_process_alive(&self))
        return 5;
    gc_process_self(&found);
    return found.pid == getpid() && found.start == 0 && found.boot_id[0] == '\0'
               ? 0
               : 6;
}

static void
test_without_proc(void **state)
{
    pid_t child;
    int status = 0;

    (void)state;
    child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(without_proc());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip_because("only root can hide /proc");
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* What is elsewhere cannot be told to be dead. */
static void
test_elsewhere(void **state)
{
    struct gc_process self = {0}, other;

    (void)state;
    assert_int_equal(gc_process_read(getpid(), &self, NULL), GC_OK);
    assert_false(gc_process_elsewhere(&self));
    assert_true(self.pid_ns != 0);
    other = self;
    other.start++;
    assert_false(gc_process_alive(&other));
    other.pid_ns++;
    assert_true(gc_process_elsewhere(&other));
    assert_true(gc_process_alive(&other));
    /* A namespace of another boot is gone. */
    other.boot_id[0] = other.boot_id[0] == '0' ? '1' : '0';
    assert_false(gc_process_elsewhere(&other));
    assert_false(gc_process_alive(&other));
    /* Another machine's boot is another one. */
    memcpy(other.machine, "0123456789abcdef", sizeof(other.machine));
    assert_true(gc_process_elsewhere(&other));
    assert_true(gc_process_alive(&other));
    /* What is not written down is taken for here. */
    other = self;
    other.start++;
    other.pid_ns = 0;
    other.machine[0] = '\0';
    assert_false(gc_process_elsewhere(&other));
    assert_false(gc_process_alive(&other));
}

/* In a namespace of its own, pid 1 or not, the parent is elsewhere. */
/* SELF is pid 1.  So is its child in a namespace of its own: another one. */
static bool
is_told_from_a_child(const struct gc_process *self)
{
    struct gc_process inner;
    pid_t pid;
    int status = -1;

    if (unshare(CLONE_NEWPID) != 0)
        return false;
    pid = fork();
    if (pid == 0) {
        if (mount("proc", "/proc", "proc", 0, NULL) != 0)
            _exit(1);
        gc_process_self(&inner);
        _exit(inner.pid == 1 && inner.pid_ns != self->pid_ns
                      && gc_process_elsewhere(self)
                  ? 0
                  : 2);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static int
in_a_namespace(void)
{
    struct gc_process outer = {0};
    int status = -1;
    pid_t pid;

    if (gc_process_read(getpid(), &outer, NULL) != GC_OK)
        return 1;
    if (unshare(CLONE_NEWPID | CLONE_NEWNS) != 0)
        return 77;
    pid = fork();
    if (pid == 0) {
        struct gc_process self;

        if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) != 0
            || mount("proc", "/proc", "proc", 0, NULL) != 0)
            _exit(77);
        gc_process_self(&self);
        outer.start++;
        _exit(self.pid == 1 && gc_process_alive(&self)
                      && self.pid_ns != outer.pid_ns
                      && gc_process_elsewhere(&outer)
                      && gc_process_alive(&outer) && is_told_from_a_child(&self)
                  ? 0
                  : 2);
    }
    if (waitpid(pid, &status, 0) != pid || !WIFEXITED(status))
        return 3;
    return WEXITSTATUS(status);
}

static void
test_in_a_namespace(void **state)
{
    pid_t child = fork();
    int status = -1;

    (void)state;
    if (child == 0)
        _exit(in_a_namespace());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77)
        skip_because("only root can make a pid namespace");
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_text(void **state)
{
    static const struct gc_process written[] = {
        {1, 0, "", "", 0},
        {4194304, 9223372036854775807ULL, "", "0123456789abcdef", 1},
        {4194304, 9223372036854775807ULL,
         "01234567-89ab-cdef-0123-456789abcdef", "0123456789abcdef",
         UINT32_MAX},
        {77, 12345, "01234567-89ab-cdef-0123-456789abcdef", "", 4026531836},
    };
    char text[GC_PROCESS_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(written); i++) {
        struct gc_process found = {0};

        gc_process_print(&written[i], text);
        assert_true(gc_process_parse(text, strlen(text), &found));
        assert_memory_equal(&found, &written[i], sizeof(found));
    }
    assert_string_equal(text, "77.12345.01234567-89ab-cdef-0123-456789abcdef"
                              ".-.4026531836");
    {
        /* As it was before machines and namespaces were told apart. */
        static const char old[] =
            "77.12345.01234567-89ab-cdef-0123-456789abcdef";
        struct gc_process found = {0};

        assert_true(gc_process_parse(old, strlen(old), &found));
        assert_int_equal(found.pid, 77);
        assert_string_equal(found.machine, "");
        assert_int_equal(found.pid_ns, 0);
    }
}

static void
test_no_text(void **state)
{
    static const char *const texts[] = {
        "",
        ".",
        "..",
        "1",
        "1.2",
        "1.2.",
        "1.2.x",
        "1.2.--",
        "1..-",
        ".2.-",
        "-1.2.-",
        "+1.2.-",
        " 1.2.-",
        "1.2.- ",
        "1.2.-.",
        "1.2.-.-",
        "1.2.-.-.",
        "1.2.-.-.x",
        "1.2.-.-.0.",
        "1.2.-.-.4294967296",
        "1.2.-..0",
        "1.2.-.0123456789abcde.0",
        "1.2.-.0123456789abcdef0.0",
        "1.2.-.0123456789abcdeF.0",
        "2147483648.1.-",
        "1.99999999999999999999.-",
        "1.2.01234567-89ab-cdef-0123-456789abcde",
        "1.2.01234567-89ab-cdef-0123-456789abcdef0",
        "1.2.01234567-89ab-cdef-0123-456789abcdeG",
        "1.2.01234567-89AB-cdef-0123-456789abcdef",
        "1.2.01234567-89ab-cdef-0123-456789abcdefx",
        "0x1.2.-",
        "000000000000000000000000000000000001.2.-",
        "1.00000000000000000000000000000000.-",
    };
    struct gc_process found = {.pid = 7};
    char longer[400];

    (void)state;
    memset(longer, '1', sizeof(longer));
    assert_false(gc_process_parse(longer, sizeof(longer), &found));
    for (size_t i = 0; i < GC_COUNT_OF(texts); i++)
        if (gc_process_parse(texts[i], strlen(texts[i]), &found))
            fail_msg("taken: %s", texts[i]);
    assert_false(gc_process_parse("1.2.-\0.2.-", 10, &found));
    assert_false(gc_process_parse("1.2.-", 4, &found));
    assert_int_equal(found.pid, 7);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self),           cmocka_unit_test(test_child),
        cmocka_unit_test(test_another),        cmocka_unit_test(test_nobody),
        cmocka_unit_test(test_without_proc),   cmocka_unit_test(test_text),
        cmocka_unit_test(test_no_text),        cmocka_unit_test(test_elsewhere),
        cmocka_unit_test(test_in_a_namespace), cmocka_unit_test(test_parent),
    };

    skips_begin();
    return skips_end(cmocka_run_group_tests_name("process", tests, NULL, NULL));
}
