/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pam_module/stub and pam_module/ask: a host that notices nothing, whatever the
 * helper does, and a helper that inherits nothing, whatever the host is.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "pam_module/ask.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "pam_module/stub.h"
#include "src/base/clock.h"

static char dir[64] = "";

/* ---- helpers, by name ---- */

static const char *
path_of(const char *name)
{
    static char path[4][256];
    static unsigned int turn;
    char *dst = path[turn++ % 4];

    (void)snprintf(dst, sizeof(path[0]), "%s/%s", dir, name);
    return dst;
}

/* A copy: behaviour goes by the file's name, and a link is not followed. */
static const char *
helper(const char *name)
{
    const char *built = getenv("top_builddir"), *path = path_of(name);
    char command[1024];

    if (access(path, X_OK) == 0)
        return path;
    (void)snprintf(command, sizeof(command), "cp '%s/tests/pam/%s' '%s'",
                   built == NULL ? "." : built, "fake_helper", path);
    assert_int_equal(system(command), 0);
    assert_int_equal(chmod(path, 0755), 0);
    return path;
}

static void
heard(const char *name, char *dst, size_t size)
{
    char path[300];
    FILE *file;
    size_t len;

    (void)snprintf(path, sizeof(path), "%s.heard", path_of(name));
    file = fopen(path, "re");
    assert_non_null(file);
    len = fread(dst, 1, size - 1, file);
    dst[len] = '\0';
    (void)fclose(file);
}

static gc_status
ask(const char *path, int timeout_ms, struct gc_error *ret_error)
{
    GC_AUTO(gc_wire_request) r = {0};
    struct gc_wire_reply reply;
    gc_status st;

    gc_wire_request_init(&r, GC_WIRE_OPEN);
    r.caller = getuid();
    r.uid = 1500;
    r.host_pid = getpid();
    r.deadline = gc_clock_now() + timeout_ms;
    memcpy(r.user, "alice", 6);
    memcpy(r.service, "su", 3);
    *ret_error = (struct gc_error){.status = GC_OK};
    st = gc_ask(path, &r, &reply, ret_error);
    if (st == GC_OK)
        assert_string_equal(reply.copies, "/run/guestcred/1500/a");
    return st;
}

static void
assert_answers(const char *name)
{
    struct gc_error error;

    if (ask(helper(name), 10000, &error) != GC_OK)
        fail_msg("%s: %s", name, error.message);
}

static void
assert_fails(const char *name, int timeout_ms, gc_status expected,
             const char *words)
{
    struct gc_error error;
    int64_t start = gc_clock_now();
    gc_status st = ask(helper(name), timeout_ms, &error);

    if (st != expected || strstr(error.message, words) == NULL)
        fail_msg("%s: %s: %s", name, gc_status_word(st), error.message);
    assert_true(gc_clock_now() - start < timeout_ms + 1000);
}

/* ---- the host, before and after ---- */

struct host {
    int descriptors, highest, children;
    sigset_t mask;
    struct sigaction actions[NSIG];
    mode_t umask;
    char cwd[256];
};

static int
count_descriptors(int *ret_highest)
{
    DIR *open_dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int count = 0;

    assert_non_null(open_dir);
    *ret_highest = 0;
    while ((entry = readdir(open_dir)) != NULL) {
        if (entry->d_name[0] == '.' || atoi(entry->d_name) == dirfd(open_dir))
            continue;
        count++;
        if (atoi(entry->d_name) > *ret_highest)
            *ret_highest = atoi(entry->d_name);
    }
    (void)closedir(open_dir);
    return count;
}

static void
look(struct host *host)
{
    memset(host, 0, sizeof(*host));
    host->descriptors = count_descriptors(&host->highest);
    (void)pthread_sigmask(SIG_SETMASK, NULL, &host->mask);
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, NULL, &host->actions[number]);
    host->umask = umask(022);
    (void)umask(host->umask);
    assert_non_null(getcwd(host->cwd, sizeof(host->cwd)));
    errno = 0;
    host->children = waitpid(-1, NULL, WNOHANG | (int)__WALL) == -1
                         ? errno
                         : 0; /* ECHILD: none, not even a zombie */
}

static void
assert_unchanged(const struct host *before)
{
    struct host after;

    look(&after);
    assert_int_equal(after.descriptors, before->descriptors);
    assert_int_equal(after.highest, before->highest);
    assert_int_equal(after.children, ECHILD);
    assert_memory_equal(&after.mask, &before->mask, sizeof(after.mask));
    for (int number = 1; number < NSIG; number++)
        assert_true(after.actions[number].sa_handler
                    == before->actions[number].sa_handler);
    assert_int_equal(after.umask, before->umask);
    assert_string_equal(after.cwd, before->cwd);
}

/* ---- the tests ---- */

static void
good_and_bad(void **state)
{
    struct host before;

    (void)state;
    helper("quiet");
    look(&before);
    assert_answers("quiet");
    assert_unchanged(&before);
    assert_fails("dead", 5000, GC_E_INTERNAL, "status 3");
    assert_fails("killed", 5000, GC_E_INTERNAL, "signal 9");
    assert_fails("garbage", 5000, GC_E_PROTOCOL, "");
    assert_fails("short", 5000, GC_E_PROTOCOL, "");
    assert_fails("huge", 5000, GC_E_PROTOCOL, "");
    assert_fails("slow", 300, GC_E_UNAVAILABLE, "in time");
    assert_fails("stopped", 300, GC_E_UNAVAILABLE, "in time");
    assert_unchanged(&before);
}

/* An answer, and then it stays: it is believed, and ended. */
static void
clinging(void **state)
{
    int64_t start = gc_clock_now();
    struct host before;

    (void)state;
    helper("clinging");
    look(&before);
    assert_answers("clinging");
    assert_true(gc_clock_now() - start < 1500);
    assert_unchanged(&before);
}

static bool
is_gone(pid_t pid)
{
    for (int i = 0; i < 200; i++) {
        char path[64], text[256] = "";
        FILE *file;

        (void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
        file = fopen(path, "re");
        if (file == NULL)
            return true;
        (void)!fread(text, 1, sizeof(text) - 1, file);
        (void)fclose(file);
        if (strstr(text, ") Z ") != NULL || text[0] == '\0')
            return true;
        (void)usleep(10000);
    }
    return false;
}

/* What the helper started ends with it. */
static void
grandchildren(void **state)
{
    char text[64];
    struct host before;

    (void)state;
    helper("parent");
    look(&before);
    assert_answers("parent");
    (void)usleep(100000);
    heard("parent", text, sizeof(text));
    assert_true(is_gone((pid_t)atoi(text)));
    assert_fails("barren", 500, GC_E_UNAVAILABLE, "in time");
    heard("barren", text, sizeof(text));
    assert_true(is_gone((pid_t)atoi(text)));
    assert_unchanged(&before);
}

static void
not_to_be_run(void **state)
{
    struct gc_error error;
    const char *path = helper("strange");

    (void)state;
    assert_int_equal(ask("guestcred-helper", 1000, &error), GC_E_CONFIG);
    assert_int_equal(ask(path_of("none"), 1000, &error), GC_E_CONFIG);
    assert_int_equal(ask(dir, 1000, &error), GC_E_CONFIG);
    assert_int_equal(chmod(path, 0775), 0);
    assert_int_equal(ask(path, 1000, &error), GC_E_CONFIG);
    assert_int_equal(chmod(path, 0757), 0);
    assert_int_equal(ask(path, 1000, &error), GC_E_CONFIG);
    assert_int_equal(chmod(path, 0644), 0);
    assert_int_equal(ask(path, 1000, &error), GC_E_CONFIG);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(symlink(path, path_of("link")), 0);
    assert_int_equal(ask(path_of("link"), 1000, &error), GC_E_CONFIG);
    assert_int_equal(mkfifo(path_of("fifo"), 0755), 0);
    assert_int_equal(ask(path_of("fifo"), 1000, &error), GC_E_CONFIG);
    /* A file, executable, and no program. */
    {
        FILE *file = fopen(path_of("text"), "we");

        assert_non_null(file);
        (void)fprintf(file, "not a program\n");
        (void)fclose(file);
        assert_int_equal(chmod(path_of("text"), 0755), 0);
    }
    assert_int_equal(ask(path_of("text"), 1000, &error), GC_E_INTERNAL);
    assert_non_null(strstr(error.message, "cannot be run"));
    if (geteuid() == 0) {
        assert_int_equal(chown(path, 65534, 65534), 0);
        assert_int_equal(ask(path, 1000, &error), GC_E_CONFIG);
    }
}

/* ---- hostile hosts, each in a process of its own ---- */

static void
in_child(void (*body)(void))
{
    int status = 0;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        body();
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) != 0)
        fail_msg("the host came to line %d", WEXITSTATUS(status) * 4);
}

/* In a child cmocka's assertions would longjmp into the parent's tests. */
#define EXPECT(what)                                                           \
    do {                                                                       \
        if (!(what))                                                           \
            _exit(__LINE__ / 4);                                               \
    } while (0)

static bool
answers(void)
{
    struct gc_error error;

    if (ask(path_of("probe"), 10000, &error) == GC_OK)
        return true;
    (void)fprintf(stderr, "# no answer: %s\n", error.message);
    return false;
}

static void
probed(char *dst, size_t size)
{
    char path[300];
    int fd;
    ssize_t len;

    (void)snprintf(path, sizeof(path), "%s.heard", path_of("probe"));
    fd = open(path, O_RDONLY | O_CLOEXEC);
    len = fd < 0 ? -1 : read(fd, dst, size - 1);
    dst[len < 0 ? 0 : len] = '\0';
    (void)close(fd);
    (void)unlink(path);
}

/* The state that every helper must find. */
static bool
is_clean(void)
{
    char text[4096], ids[128];
    uid_t uid = geteuid();
    gid_t gid = getegid();
    const char *const wanted[] = {
        "fds: 0=/dev/null 1=/dev/null 2=/dev/null 3=socket\n",
        "signals: ignored=0 blocked=0\n",
        "env: 0\n",
        "umask: 077\n",
        "cwd: /\n",
        "leader: 1\n",
        "death: 9\n",
        "core: 0\n",
        ids,
    };

    probed(text, sizeof(text));
    (void)snprintf(ids, sizeof(ids), "uids: %d %d %d\ngids: %d %d %d\n",
                   (int)uid, (int)uid, (int)uid, (int)gid, (int)gid, (int)gid);
    for (size_t i = 0; i < GC_COUNT_OF(wanted); i++)
        if (strstr(text, wanted[i]) == NULL) {
            (void)fprintf(stderr, "wanted: %sgot:\n%s", wanted[i], text);
            return false;
        }
    if (uid != 0)
        return true;
    return strstr(text, "groups: 0\n") != NULL
           && strstr(text, "fsize: -1\n") != NULL
           && strstr(text, "cpu: -1\n") != NULL
           && strstr(text, "nofile: 1024\n") != NULL
           && strstr(text, "nice: 0\n") != NULL;
}

static bool
lower(int what, rlim_t value, bool hard)
{
    struct rlimit limit;

    if (getrlimit((unsigned int)what, &limit) != 0)
        return false;
    limit.rlim_cur = value;
    if (hard)
        limit.rlim_max = value;
    return setrlimit((unsigned int)what, &limit) == 0;
}

static void
hostile_state(void)
{
    (void)umask(0);
    (void)!nice(5);
    EXPECT(chdir("/tmp") == 0);
    EXPECT(setenv("LD_PRELOAD", "/nowhere.so", 1) == 0);
    for (int number = 1; number < NSIG; number++)
        (void)signal(number, SIG_IGN);
    EXPECT(lower(RLIMIT_FSIZE, 0, false));
    EXPECT(lower(RLIMIT_CPU, 3, false));
    EXPECT(lower(RLIMIT_NOFILE, 20, false));
    EXPECT(answers());
    EXPECT(is_clean());
}

/* Raised again where we may; where not, no helper rather than a lame one. */
static void
hard_limits(void)
{
    bool mighty;

    /* Standard error may be a file: what is said there must not kill us. */
    (void)signal(SIGXFSZ, SIG_IGN);
    EXPECT(lower(RLIMIT_FSIZE, 0, true));
    mighty = lower(RLIMIT_FSIZE, RLIM_INFINITY, true);
    EXPECT(lower(RLIMIT_FSIZE, 0, true));
    EXPECT(lower(RLIMIT_NOFILE, 20, true));
    EXPECT(answers() == mighty);
    if (mighty)
        EXPECT(is_clean());
}

static void
su_by_bob(void)
{
    if (geteuid() != 0)
        return;
    /* Real and saved bob, his groups, effective root. */
    EXPECT(setgroups(1, (const gid_t[]){65534}) == 0);
    EXPECT(setresgid(65534, 0, 65534) == 0);
    EXPECT(setresuid(65534, 0, 65534) == 0);
    EXPECT(answers());
    EXPECT(is_clean());
}

static void
closed_descriptors(void)
{
    for (int fd = 0; fd < 3; fd++)
        (void)close(fd);
    EXPECT(answers());
    /* Nothing was left where the three were. */
    for (int fd = 0; fd < 3; fd++)
        EXPECT(fcntl(fd, F_GETFD) == -1);
    EXPECT(is_clean());
}

/* So many that there is no room for a socket. */
static void
no_descriptors(void)
{
    struct gc_error error;

    EXPECT(lower(RLIMIT_NOFILE, 20, false));
    while (open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0)
        ;
    EXPECT(ask(path_of("probe"), 1000, &error) != GC_OK);
    EXPECT(close(19) == 0 && close(18) == 0);
    EXPECT(ask(path_of("probe"), 1000, &error) != GC_OK);
    EXPECT(fcntl(18, F_GETFD) == -1 && fcntl(19, F_GETFD) == -1);
    EXPECT(close(17) == 0);
    EXPECT(answers());
    EXPECT(is_clean());
}

static volatile sig_atomic_t handled;

static void
handle(int number)
{
    (void)number;
    handled = 1;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        ;
}

static void
with_handler(void)
{
    struct sigaction action = {.sa_flags = SA_RESTART};

    action.sa_handler = handle;
    EXPECT(sigaction(SIGCHLD, &action, NULL) == 0);
    EXPECT(answers());
    EXPECT(handled == 0);
    EXPECT(is_clean());
}

static void
with_ignored_children(void)
{
    struct gc_error error;

    (void)signal(SIGCHLD, SIG_IGN);
    EXPECT(answers());
    EXPECT(is_clean());
    EXPECT(ask(path_of("dead"), 5000, &error) == GC_E_INTERNAL);
    EXPECT(strstr(error.message, "status 3") != NULL);
}

static volatile bool enough;

static void *
wait_for_all(void *unused)
{
    while (!enough)
        if (waitpid(-1, NULL, 0) < 0)
            (void)usleep(200);
    return unused;
}

/* A thread that gathers every child there is. */
static void
with_wait_loop(void)
{
    pthread_t thread;
    struct gc_error error;

    EXPECT(pthread_create(&thread, NULL, wait_for_all, NULL) == 0);
    for (int i = 0; i < 5; i++) {
        EXPECT(ask(path_of("dead"), 5000, &error) == GC_E_INTERNAL);
        EXPECT(strstr(error.message, "status 3") != NULL);
    }
    EXPECT(answers());
    enough = true;
    EXPECT(pthread_join(thread, NULL) == 0);
}

static void *
log_in(void *failures)
{
    struct gc_error error;

    for (int i = 0; i < 5; i++)
        if (ask(path_of("quiet"), 20000, &error) != GC_OK)
            *(int *)failures += 1;
    return NULL;
}

static void
with_eight_threads(void)
{
    pthread_t threads[8];
    int failures[8] = {0}, highest, before = count_descriptors(&highest);

    for (int i = 0; i < 8; i++)
        EXPECT(pthread_create(&threads[i], NULL, log_in, &failures[i]) == 0);
    for (int i = 0; i < 8; i++) {
        EXPECT(pthread_join(threads[i], NULL) == 0);
        EXPECT(failures[i] == 0);
    }
    EXPECT(count_descriptors(&highest) == before);
    EXPECT(waitpid(-1, NULL, WNOHANG | (int)__WALL) == -1 && errno == ECHILD);
}

static void
hostile_hosts(void **state)
{
    (void)state;
    helper("probe");
    helper("dead");
    helper("quiet");
    in_child(hostile_state);
    in_child(hard_limits);
    in_child(su_by_bob);
    in_child(closed_descriptors);
    in_child(no_descriptors);
    in_child(with_handler);
    in_child(with_ignored_children);
    in_child(with_wait_loop);
    in_child(with_eight_threads);
}

static int
set_up(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    (void)snprintf(dir, sizeof(dir), "%.40s/stub.XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    return mkdtemp(dir) == NULL || chmod(dir, 0755) != 0 ? -1 : 0;
}

static int
tear_down(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", dir);
    return system(command);
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_and_bad),  cmocka_unit_test(clinging),
        cmocka_unit_test(grandchildren), cmocka_unit_test(not_to_be_run),
        cmocka_unit_test(hostile_hosts),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
