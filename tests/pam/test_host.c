/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The module in a host over the real libpam: loaded and let go a thousand
 * times, and nothing of it is to be seen afterwards.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <locale.h>
#include <malloc.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define ROUNDS 1000

extern char **environ;
static char dir[64];

struct host {
    int descriptors, threads, variables;
    sigset_t mask;
    struct sigaction actions[NSIG];
    mode_t umask;
    char cwd[256], locale[64];
};

static int
entries(const char *path)
{
    DIR *open_dir = opendir(path);
    int count = 0;

    assert_non_null(open_dir);
    while (readdir(open_dir) != NULL)
        count++;
    (void)closedir(open_dir);
    return count;
}

static void
look(struct host *host)
{
    memset(host, 0, sizeof(*host));
    host->descriptors = entries("/proc/self/fd");
    host->threads = entries("/proc/self/task");
    while (environ[host->variables] != NULL)
        host->variables++;
    (void)sigprocmask(SIG_SETMASK, NULL, &host->mask);
    for (int number = 1; number < NSIG; number++)
        (void)sigaction(number, NULL, &host->actions[number]);
    host->umask = umask(022);
    (void)umask(host->umask);
    assert_non_null(getcwd(host->cwd, sizeof(host->cwd)));
    (void)snprintf(host->locale, sizeof(host->locale), "%.60s",
                   setlocale(LC_ALL, NULL));
}

static void
assert_unchanged(const struct host *before)
{
    struct host after;

    look(&after);
    assert_int_equal(after.descriptors, before->descriptors);
    assert_int_equal(after.threads, before->threads);
    assert_int_equal(after.variables, before->variables);
    assert_memory_equal(&after.mask, &before->mask, sizeof(after.mask));
    for (int number = 1; number < NSIG; number++)
        assert_true(after.actions[number].sa_handler
                    == before->actions[number].sa_handler);
    assert_int_equal(after.umask, before->umask);
    assert_string_equal(after.cwd, before->cwd);
    assert_string_equal(after.locale, before->locale);
    assert_int_equal(waitpid(-1, NULL, WNOHANG | (int)__WALL), -1);
    assert_int_equal(errno, ECHILD);
}

static int
converse(int count, const struct pam_message **messages,
         struct pam_response **ret, void *data)
{
    (void)messages;
    (void)data;
    *ret = calloc((size_t)count, sizeof(**ret));
    if (*ret == NULL)
        return PAM_BUF_ERR;
    (*ret)->resp = strdup("s3cret");
    return PAM_SUCCESS;
}

/* Resident pages; a module that leaks makes them grow. */
static long
resident(void)
{
    FILE *file = fopen("/proc/self/statm", "re");
    long size = 0, pages = 0;

    if (file != NULL && fscanf(file, "%ld %ld", &size, &pages) != 2)
        pages = 0;
    if (file != NULL)
        (void)fclose(file);
    return pages;
}

static void
write_service(const char *name, const char *arguments)
{
    static const char *const kinds[] = {"auth", "account", "session"};
    char path[128];
    FILE *file;

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    file = fopen(path, "we");
    assert_non_null(file);
    for (size_t i = 0; i < 3; i++)
        (void)fprintf(file,
                      "%s required %s/pam_module/.libs/pam_guestcred.so "
                      "vm=vm-42 spn=host/guest1.example.test %s\n",
                      kinds[i], getenv("top_builddir"), arguments);
    (void)fclose(file);
}

/* The whole life of a login; what it comes to depends on who we are. */
static void
live(const char *service, const char *user, int wanted)
{
    static const struct pam_conv conversation = {converse, NULL};
    pam_handle_t *pamh = NULL;
    int code;

    assert_int_equal(
        pam_start_confdir(service, user, &conversation, dir, &pamh),
        PAM_SUCCESS);
    code = pam_authenticate(pamh, 0);
    if (wanted >= 0)
        assert_int_equal(code, wanted);
    (void)pam_setcred(pamh, PAM_ESTABLISH_CRED);
    (void)pam_acct_mgmt(pamh, 0);
    (void)pam_open_session(pamh, 0);
    (void)pam_close_session(pamh, 0);
    (void)pam_setcred(pamh, PAM_DELETE_CRED);
    assert_int_equal(pam_end(pamh, code), PAM_SUCCESS);
}

static void
a_thousand_rounds(void **state)
{
    bool root = geteuid() == 0;
    struct host before;
    long pages = 0;

    (void)state;
    write_service("ignored", "");
    live("ignored", "root", root ? PAM_USER_UNKNOWN : PAM_AUTHINFO_UNAVAIL);
    look(&before);
    for (int i = 0; i < ROUNDS; i++) {
        if (i == ROUNDS / 2)
            pages = resident();
        live("ignored", "root", root ? PAM_USER_UNKNOWN : PAM_AUTHINFO_UNAVAIL);
    }
    assert_unchanged(&before);
    /* 128 KiB, in all the second half; a sanitizer keeps what is freed. */
    if (getenv("ASAN_OPTIONS") == NULL && pages > 0
        && dlsym(RTLD_DEFAULT, "__asan_init") == NULL)
        assert_in_range(resident(), 0, pages + 32);
}

/* With a helper to be started, and one that is missing. */
static void
helpers(void **state)
{
    char arguments[256], command[512];
    struct host before;

    (void)state;
    (void)snprintf(command, sizeof(command),
                   "cp '%s/tests/pam/fake_helper' '%s/quiet'",
                   getenv("top_builddir"), dir);
    assert_int_equal(system(command), 0);
    (void)snprintf(arguments, sizeof(arguments),
                   "ignore_root=no helper=%s/quiet", dir);
    write_service("present", arguments);
    write_service("missing", "ignore_root=no helper=/nonexistent/helper");
    live("present", "root", -1);
    look(&before);
    for (int i = 0; i < 50; i++) {
        live("present", "root",
             geteuid() == 0 ? PAM_AUTH_ERR : PAM_AUTHINFO_UNAVAIL);
        live("missing", "root",
             geteuid() == 0 ? PAM_SERVICE_ERR : PAM_AUTHINFO_UNAVAIL);
    }
    assert_unchanged(&before);
}

static int
set_up(void **state)
{
    const char *tmp = getenv("TMPDIR");

    (void)state;
    (void)snprintf(dir, sizeof(dir), "%.40s/host.XXXXXX",
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
        cmocka_unit_test(a_thousand_rounds),
        cmocka_unit_test(helpers),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
