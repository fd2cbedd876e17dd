/* SPDX-License-Identifier: Apache-2.0 */
/*
 * owner: a process as one word, and whether it is dead.
 */

#include <config.h>

#include "src/base/owner.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

/* The four parts of a word. */
struct parts {
    long pid;
    unsigned long long start, pid_ns;
    char boot[64];
};

static struct parts
split(const char *owner)
{
    struct parts p = {0};

    assert_int_equal(sscanf(owner, "%ld.%llu.%63[0-9a-f-].%llu", &p.pid,
                            &p.start, p.boot, &p.pid_ns),
                     4);
    return p;
}

static bool
is_dead(const struct parts *p)
{
    char owner[GC_OWNER_SIZE];

    (void)snprintf(owner, sizeof(owner), "%ld.%llu.%s.%llu", p->pid, p->start,
                   p->boot, p->pid_ns);
    return gc_owner_is_dead(owner);
}

static void
test_self(void **state)
{
    char owner[GC_OWNER_SIZE];
    struct parts p, other;

    (void)state;
    gc_owner_self(owner);
    p = split(owner);
    assert_int_equal(p.pid, getpid());
    assert_true(p.start > 0 && p.pid_ns > 0);
    assert_int_equal(strlen(p.boot), 36);
    assert_false(gc_owner_is_dead(owner));
    /* The pid is another process's by now. */
    other = p;
    other.start++;
    assert_true(is_dead(&other));
    other = p;
    other.boot[0] = other.boot[0] == '0' ? '1' : '0';
    assert_true(is_dead(&other));
    other = p;
    other.pid = 2147483647;
    assert_true(is_dead(&other));
    /* Elsewhere, or not known: nobody can tell. */
    other.pid_ns++;
    assert_false(is_dead(&other));
    other.pid_ns = 0;
    assert_false(is_dead(&other));
    other = p;
    other.start = 0;
    assert_false(is_dead(&other));
    (void)snprintf(other.boot, sizeof(other.boot), "-");
    other.pid = 2147483647;
    assert_false(is_dead(&other));
}

/* A name made to be misread, then a zombie, then gone. */
static void
test_child(void **state)
{
    char owner[GC_OWNER_SIZE] = "", found[GC_OWNER_SIZE], self[GC_OWNER_SIZE];
    struct parts p;
    int up[2], down[2];
    siginfo_t info;
    char byte;
    pid_t child;

    (void)state;
    assert_int_equal(pipe(up), 0);
    assert_int_equal(pipe(down), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(down[1]);
        (void)prctl(PR_SET_NAME, "a) Z 1 (\n) X", 0, 0, 0);
        gc_owner_self(owner);
        if (write(up[1], owner, sizeof(owner)) != (ssize_t)sizeof(owner)
            || read(down[0], &byte, 1) < 0)
            _exit(1);
        _exit(0);
    }
    assert_int_equal(read(up[0], owner, sizeof(owner)), sizeof(owner));
    p = split(owner);
    assert_int_equal(p.pid, child);
    assert_false(gc_owner_is_dead(owner));
    assert_true(gc_owner_of(child, p.start, found));
    assert_string_equal(found, owner);
    assert_false(gc_owner_of(child, p.start + 1, found));
    assert_false(gc_owner_of(child, 0, found));
    assert_true(gc_owner_parent(owner, found));
    gc_owner_self(self);
    assert_string_equal(found, self);
    (void)close(down[1]);
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT), 0);
    assert_true(gc_owner_is_dead(owner));
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(gc_owner_is_dead(owner));
    assert_false(gc_owner_of(child, p.start, found));
    assert_false(gc_owner_parent(owner, found));
    assert_false(gc_owner_parent("x", found));
    assert_false(gc_owner_of(0, 1, found));
    (void)close(up[0]);
    (void)close(up[1]);
    (void)close(down[0]);
}

static void
test_nonsense(void **state)
{
#define BOOT "00000000-0000-4000-8000-000000000000"
    static const char *const words[] = {
        "",
        ".",
        "1",
        "1.2." BOOT,
        "1.2." BOOT ".",
        "1.2." BOOT ".3x",
        "1.2." BOOT ".3.4",
        "1.2.0" BOOT ".3",
        "1.2.0.3",
        "1.2..3",
        "0.2." BOOT ".3",
        "-1.2." BOOT ".3",
        "2147483648.2." BOOT ".3",
        "1.99999999999999999999." BOOT ".3",
        " 1.2." BOOT ".3",
        "1.+2." BOOT ".3",
        "1.2.0000000g-0000-4000-8000-000000000000.3",
    };

    (void)state;
    assert_true(gc_owner_is_dead("1.2." BOOT ".3"));
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (gc_owner_is_dead(words[i]))
            fail_msg("%s", words[i]);
#undef BOOT
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self),
        cmocka_unit_test(test_child),
        cmocka_unit_test(test_nonsense),
    };

    return cmocka_run_group_tests_name("owner", tests, NULL, NULL);
}
