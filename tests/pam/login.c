/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login SERVICE USER STEP...: a PAM host over the real libpam that does as it
 * is told.  Each step prints one line when it is over: its first word, a PAM
 * code's name or another result, and the milliseconds that it took.
 *
 * Before the transaction begins (it does with the first step of libpam's):
 *
 *   caller:UID      as a setuid program that UID started: ids UID/0/0, and
 *                   UID's own group
 *   limit:NAME=N    nofile, fsize, cpu, nproc, core, as or stack; soft:NAME=N
 *                   leaves the hard limit alone
 *   umask:OCTAL     nice:N    cwd:DIR    ignore:SIGNAL    block:SIGNAL
 *   reap            a SIGCHLD handler that reaps whatever there is
 *   close:FD        environ:NAME=VALUE, in the host's own environment
 *   password:TEXT   password-file:FILE   answer:TEXT     what the user types;
 *                   an answer is for a prompt that echoes
 *   silent          the calls get PAM_SILENT
 *
 * Calls: auth acct open close end end:silent cred:VERB, where VERB is
 * establish, delete, reinit, refresh, none or both (two verbs at once).
 *
 * And: setuser:NAME service:NAME tty:NAME rhost:NAME ruser:NAME (PAM's items),
 * put:NAME=VALUE (the PAM environment), get:NAME, env (all of it),
 * exec:COMMAND (by a shell, as the user, with the PAM environment),
 * fork{ STEP... } (in a child, which ends), aside{ STEP... } (in a child, while
 * the next steps are done), join (until that has ended), sleep:SECONDS,
 * sigstop, kill9,
 * state (descriptors, threads, environment, signals: what a call must leave
 * alone) and "-": the steps that follow are lines of standard input.  After
 * the last one it exits; whoever wants pam_end says so.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include <security/pam_appl.h>

#define LINE_SIZE    4096
#define PASSWORD_MAX (4 * 1024 * 1024)
#define ASIDE_MAX    32 /* steps */

extern char **environ;

static struct {
    char **words; /* what is left of the command line; NULL-terminated */
    int in, out;  /* standard input and output, where nobody closes them */
    bool reading; /* steps come from IN */
    const char *service, *user;
    char *password, *answer;
    pam_handle_t *pamh;
    int flags, last;
    pid_t beside; /* the child of aside{ */
} host = {.in = -1, .out = -1};

static __attribute__((noreturn)) void
die(const char *what)
{
    (void)dprintf(host.out < 0 ? 2 : host.out, "login: %s: %s\n", what,
                  strerror(errno));
    _exit(125);
}

/* ---- what is said ---- */

static const char *
name_of(int code)
{
    static const char *const names[] = {
        "SUCCESS",
        "OPEN_ERR",
        "SYMBOL_ERR",
        "SERVICE_ERR",
        "SYSTEM_ERR",
        "BUF_ERR",
        "PERM_DENIED",
        "AUTH_ERR",
        "CRED_INSUFFICIENT",
        "AUTHINFO_UNAVAIL",
        "USER_UNKNOWN",
        "MAXTRIES",
        "NEW_AUTHTOK_REQD",
        "ACCT_EXPIRED",
        "SESSION_ERR",
        "CRED_UNAVAIL",
        "CRED_EXPIRED",
        "CRED_ERR",
        "NO_MODULE_DATA",
        "CONV_ERR",
        "AUTHTOK_ERR",
        "AUTHTOK_RECOVERY_ERR",
        "AUTHTOK_LOCK_BUSY",
        "AUTHTOK_DISABLE_AGING",
        "TRY_AGAIN",
        "IGNORE",
        "ABORT",
        "AUTHTOK_EXPIRED",
        "MODULE_UNKNOWN",
        "BAD_ITEM",
        "CONV_AGAIN",
        "INCOMPLETE",
    };

    if (code < 0 || (size_t)code >= sizeof(names) / sizeof(names[0]))
        return "NO_SUCH_CODE";
    return names[code];
}

/* A text of somebody else's, on one line. */
static void
say_text(const char *what, const char *text)
{
    (void)dprintf(host.out, "%s ", what);
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c < ' ' || *c == '\\')
            (void)dprintf(host.out, "\\x%02x", (unsigned int)*c);
        else
            (void)dprintf(host.out, "%c", *c);
    (void)dprintf(host.out, "\n");
}

static int
converse(int count, const struct pam_message **messages,
         struct pam_response **ret, void *data)
{
    struct pam_response *answers = calloc((size_t)count, sizeof(*answers));

    (void)data;
    for (int i = 0; answers != NULL && i < count; i++) {
        int style = messages[i]->msg_style;
        bool echo = style == PAM_PROMPT_ECHO_ON;
        const char *text = echo ? host.answer : host.password;

        if (style != PAM_PROMPT_ECHO_OFF && !echo) {
            say_text("said", messages[i]->msg);
            continue;
        }
        say_text("asked", messages[i]->msg);
        if (text == NULL) {
            free(answers);
            return PAM_CONV_ERR;
        }
        answers[i].resp = strdup(text);
    }
    *ret = answers;
    return answers == NULL ? PAM_BUF_ERR : PAM_SUCCESS;
}

/* ---- before it begins ---- */

static void
set_caller(uid_t uid)
{
    const struct passwd *account = getpwuid(uid);
    gid_t gid = account == NULL ? (gid_t)uid : account->pw_gid;

    if (setgroups(1, &gid) != 0 || setresgid(gid, gid, gid) != 0
        || setresuid(uid, 0, 0) != 0)
        die("caller");
}

static void
set_limit(char *text, bool hard)
{
    static const struct {
        const char *name;
        int resource;
    } rows[] = {
        {"nofile", RLIMIT_NOFILE}, {"fsize", RLIMIT_FSIZE}, {"cpu", RLIMIT_CPU},
        {"nproc", RLIMIT_NPROC},   {"core", RLIMIT_CORE},   {"as", RLIMIT_AS},
        {"stack", RLIMIT_STACK},
    };
    char *value = strchr(text, '=');
    struct rlimit limit;

    if (value == NULL)
        die("limit");
    *value++ = '\0';
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        __rlimit_resource_t which = (__rlimit_resource_t)rows[i].resource;

        if (strcmp(rows[i].name, text) != 0 || getrlimit(which, &limit) != 0)
            continue;
        limit.rlim_cur = (rlim_t)strtoul(value, NULL, 10);
        if (hard)
            limit.rlim_max = limit.rlim_cur;
        if (setrlimit(which, &limit) == 0)
            return;
    }
    die("limit");
}

static int
signal_of(const char *name)
{
    for (int number = 1; number < NSIG; number++) {
        const char *abbreviation = sigabbrev_np(number);

        if (abbreviation != NULL && strcmp(abbreviation, name) == 0)
            return number;
    }
    die(name);
}

static void
block(const char *name)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, signal_of(name));
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
}

static void
reap(int number)
{
    int before = errno;

    (void)number;
    while (waitpid(-1, NULL, WNOHANG) > 0)
        continue;
    errno = before;
}

static char *
read_file(const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    char *text = calloc(1, PASSWORD_MAX + 1);
    size_t used = 0;
    ssize_t len = 1;

    if (fd < 0 || text == NULL)
        die(path);
    while (len > 0 && used < PASSWORD_MAX) {
        len = read(fd, text + used, PASSWORD_MAX - used);
        used += len > 0 ? (size_t)len : 0;
    }
    (void)close(fd);
    return text;
}

static void
environ_put(char *text)
{
    if (putenv(text) != 0)
        die("environ");
}

/* ---- steps that print nothing: true where STEP was one ---- */

static bool
prepare(const char *step, char *rest)
{
    long number = strtol(rest, NULL, 10);

    if (strcmp(step, "caller") == 0)
        set_caller((uid_t)number);
    else if (strcmp(step, "limit") == 0 || strcmp(step, "soft") == 0)
        set_limit(rest, step[0] == 'l');
    else if (strcmp(step, "umask") == 0)
        (void)umask((mode_t)strtol(rest, NULL, 8));
    else if (strcmp(step, "nice") == 0)
        (void)!nice((int)number);
    else if (strcmp(step, "cwd") == 0 && chdir(rest) != 0)
        die(rest);
    else if (strcmp(step, "ignore") == 0)
        (void)signal(signal_of(rest), SIG_IGN);
    else if (strcmp(step, "block") == 0)
        block(rest);
    else if (strcmp(step, "reap") == 0)
        (void)signal(SIGCHLD, reap);
    else if (strcmp(step, "close") == 0)
        (void)close((int)number);
    else if (strcmp(step, "environ") == 0)
        environ_put(rest);
    else if (strcmp(step, "password") == 0)
        host.password = rest;
    else if (strcmp(step, "password-file") == 0)
        host.password = read_file(rest);
    else if (strcmp(step, "answer") == 0)
        host.answer = rest;
    else if (strcmp(step, "silent") == 0)
        host.flags = (int)PAM_SILENT;
    else
        return strcmp(step, "cwd") == 0;
    return true;
}

/* ---- libpam's ---- */

static pam_handle_t *
pam(void)
{
    static const struct pam_conv conversation = {converse, NULL};

    if (host.pamh == NULL
        && pam_start(host.service, host.user, &conversation, &host.pamh)
               != PAM_SUCCESS)
        die("pam_start");
    return host.pamh;
}

static int
set_credentials(const char *verb)
{
    static const struct {
        const char *name;
        int flags;
    } rows[] = {
        {"establish", PAM_ESTABLISH_CRED},
        {"delete", PAM_DELETE_CRED},
        {"reinit", PAM_REINITIALIZE_CRED},
        {"refresh", PAM_REFRESH_CRED},
        {"none", 0},
        {"both", PAM_ESTABLISH_CRED | PAM_DELETE_CRED},
    };

    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        if (strcmp(rows[i].name, verb) == 0)
            return pam_setcred(pam(), rows[i].flags | host.flags);
    die(verb);
}

static int
end(bool silent)
{
    int code = pam_end(
        pam(), host.last | (silent ? (int)PAM_DATA_SILENT : PAM_SUCCESS));

    host.pamh = NULL;
    return code;
}

/* The code of a step that is a call of libpam's, or -1. */
static int
call(const char *step, const char *rest)
{
    static const struct {
        const char *name;
        int item;
    } items[] = {
        {"setuser", PAM_USER}, {"service", PAM_SERVICE}, {"tty", PAM_TTY},
        {"rhost", PAM_RHOST},  {"ruser", PAM_RUSER},
    };

    for (size_t i = 0; i < sizeof(items) / sizeof(items[0]); i++)
        if (strcmp(items[i].name, step) == 0)
            return pam_set_item(pam(), items[i].item, rest);
    if (strcmp(step, "put") == 0)
        return pam_putenv(pam(), rest);
    if (strcmp(step, "auth") == 0)
        return host.last = pam_authenticate(pam(), host.flags);
    if (strcmp(step, "acct") == 0)
        return host.last = pam_acct_mgmt(pam(), host.flags);
    if (strcmp(step, "open") == 0)
        return host.last = pam_open_session(pam(), host.flags);
    if (strcmp(step, "close") == 0)
        return host.last = pam_close_session(pam(), host.flags);
    if (strcmp(step, "cred") == 0)
        return host.last = set_credentials(rest);
    if (strcmp(step, "end") == 0)
        return end(strcmp(rest, "silent") == 0);
    return -1;
}

/* ---- a session's command ---- */

static __attribute__((noreturn)) void
become(const struct passwd *account, char **env, const char *command)
{
    static char path[] = "PATH=/run/built:/usr/bin:/bin";
    char home[512], user[512];
    size_t count = 0;
    char *all[256] = {NULL};

    (void)snprintf(home, sizeof(home), "HOME=%.400s", account->pw_dir);
    (void)snprintf(user, sizeof(user), "USER=%.400s", account->pw_name);
    all[count++] = home;
    all[count++] = user;
    all[count++] = path;
    for (size_t i = 0; env != NULL && env[i] != NULL && count < 255; i++)
        all[count++] = env[i];
    if (initgroups(account->pw_name, account->pw_gid) != 0
        || setresgid(account->pw_gid, account->pw_gid, account->pw_gid) != 0
        || setresuid(account->pw_uid, account->pw_uid, account->pw_uid) != 0
        || chdir("/") != 0)
        die("becoming the user");
    (void)execle("/bin/sh", "sh", "-c", command, (char *)NULL, all);
    die("/bin/sh");
}

static int
execute(const char *command)
{
    const void *user = NULL;
    const struct passwd *account;
    char **env = pam_getenvlist(pam());
    int status = -1;
    pid_t pid;

    if (pam_get_item(pam(), PAM_USER, &user) != PAM_SUCCESS || user == NULL)
        die("PAM_USER");
    account = getpwnam(user);
    if (account == NULL)
        die("PAM_USER");
    pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        int nothing = open("/dev/null", O_RDWR);

        if (dup2(nothing, 0) != 0 || dup2(host.out, 1) != 1
            || dup2(host.out, 2) != 2)
            die("dup2");
        become(account, env, command);
    }
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    for (size_t i = 0; env != NULL && env[i] != NULL; i++)
        free(env[i]);
    free(env);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* ---- what a call must leave alone ---- */

static int
entries(const char *path)
{
    DIR *dir = opendir(path);
    int count = 0;

    while (dir != NULL && readdir(dir) != NULL)
        count++;
    if (dir != NULL)
        (void)closedir(dir);
    return count;
}

static void
print_state(void)
{
    unsigned int variables = 0, handled = 0, blocked = 0;
    mode_t mode = umask(0);
    char cwd[LINE_SIZE];
    sigset_t mask;

    (void)umask(mode);
    while (environ[variables] != NULL)
        variables++;
    (void)sigprocmask(SIG_SETMASK, NULL, &mask);
    for (int number = 1; number < NSIG; number++) {
        struct sigaction action;

        if (sigaction(number, NULL, &action) == 0
            && action.sa_handler != SIG_DFL)
            handled++;
        blocked += sigismember(&mask, number) == 1 ? 1 : 0;
    }
    (void)dprintf(host.out,
                  "now fds=%d threads=%d variables=%u handled=%u blocked=%u "
                  "umask=%o cwd=%s children=%d\n",
                  entries("/proc/self/fd"), entries("/proc/self/task"),
                  variables, handled, blocked, (unsigned int)mode,
                  getcwd(cwd, sizeof(cwd)) == NULL ? "?" : cwd,
                  waitpid(-1, NULL, WNOHANG | (int)__WALL) >= 0);
}

static void
print_environment(void)
{
    char **env = pam_getenvlist(pam());

    for (size_t i = 0; env != NULL && env[i] != NULL; i++) {
        say_text("env", env[i]);
        free(env[i]);
    }
    free(env);
}

/* ---- the script ---- */

/* The next word, or NULL.  Of standard input no byte too many is read: a child
 * may go on where we stop. */
static char *
next(void)
{
    static char line[LINE_SIZE];
    size_t used = 0;

    if (!host.reading)
        return *host.words == NULL ? NULL : *host.words++;
    for (;;) {
        ssize_t len = read(host.in, line + used, 1);

        if (len < 0 && errno == EINTR)
            continue;
        if (len <= 0)
            return NULL;
        if (line[used] == '\n' || used == sizeof(line) - 2)
            break;
        used++;
    }
    line[used] = '\0';
    return strdup(line);
}

/* Past the end of what the child does. */
static void
skip(void)
{
    for (int depth = 1; !host.reading && depth > 0 && *host.words != NULL;
         host.words++) {
        if (strcmp(*host.words, "fork{") == 0)
            depth++;
        if (strcmp(*host.words, "}") == 0)
            depth--;
    }
}

/* A child's end, as a shell would tell it. */
static int
await(pid_t pid)
{
    int status = 0;

    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

/* In the child: 0.  In the parent: its end. */
static int
split(bool *ret_child)
{
    pid_t pid = fork();
    int status;

    *ret_child = pid == 0;
    if (pid < 0)
        die("fork");
    if (pid == 0)
        return 0;
    status = await(pid);
    if (status >= 0)
        skip();
    return status;
}

/* The steps up to "}" are a child's; that goes on with them. */
static void
set_aside(void)
{
    static char *steps[ASIDE_MAX + 1];
    size_t count = 0;
    char *word;

    while ((word = next()) != NULL && strcmp(word, "}") != 0)
        if (count < ASIDE_MAX)
            steps[count++] = word;
    steps[count] = NULL;
    host.beside = fork();
    if (host.beside < 0)
        die("fork");
    if (host.beside > 0)
        return;
    host.words = steps;
    host.reading = false;
}

static void
doze(const char *seconds)
{
    double wanted = strtod(seconds, NULL);
    struct timespec left = {(time_t)wanted, 0};

    left.tv_nsec = (long)((wanted - (double)left.tv_sec) * 1e9);
    while (nanosleep(&left, &left) != 0 && errno == EINTR)
        continue;
}

/* Steps of our own; false for one that is none. */
static bool
other(const char *step, const char *rest, int *ret_result)
{
    *ret_result = 0;
    if (strcmp(step, "env") == 0)
        print_environment();
    else if (strcmp(step, "state") == 0)
        print_state();
    else if (strcmp(step, "get") == 0)
        say_text("got", pam_getenv(pam(), rest) == NULL
                            ? ""
                            : pam_getenv(pam(), rest));
    else if (strcmp(step, "exec") == 0)
        *ret_result = execute(rest);
    else if (strcmp(step, "join") == 0)
        *ret_result = await(host.beside);
    else if (strcmp(step, "sleep") == 0)
        doze(rest);
    else if (strcmp(step, "sigstop") == 0)
        (void)raise(SIGSTOP);
    else if (strcmp(step, "kill9") == 0)
        (void)raise(SIGKILL);
    else
        return false;
    return true;
}

static long
now(void)
{
    struct timespec time;

    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void
do_step(char *word)
{
    size_t len = strcspn(word, ":");
    bool bare = word[len] == '\0';
    char *rest = word + len + (bare ? 0 : 1);
    char step[16] = "";
    long began = now();
    int result;

    memcpy(step, word, len < sizeof(step) ? len : sizeof(step) - 1);
    /* "close" ends a session, "close:0" is a descriptor's. */
    if ((strcmp(step, "close") != 0 || !bare) && prepare(step, rest))
        return;
    result = call(step, rest);
    if (result >= 0)
        (void)dprintf(host.out, "%s %s %ld\n", step, name_of(result),
                      now() - began);
    else if (other(step, rest, &result))
        (void)dprintf(host.out, "%s %d %ld\n", step, result, now() - began);
    else
        die(word);
}

static void
play(void)
{
    bool child = false;
    char *word;

    while ((word = next()) != NULL) {
        if (strcmp(word, "-") == 0) {
            host.reading = true;
        } else if (strcmp(word, "}") == 0) {
            if (child)
                _exit(0);
        } else if (strcmp(word, "aside{") == 0) {
            set_aside();
        } else if (strcmp(word, "fork{") == 0) {
            long began = now();
            int status = split(&child);

            if (!child)
                (void)dprintf(host.out, "fork %d %ld\n", status, now() - began);
        } else {
            do_step(word);
        }
    }
}

int
main(int argc, char **argv)
{
    if (argc < 3) {
        (void)fprintf(stderr, "usage: login SERVICE USER STEP...\n");
        return 2;
    }
    host.service = argv[1];
    host.user = argv[2];
    host.words = argv + 3;
    host.in = fcntl(0, F_DUPFD_CLOEXEC, 10);
    host.out = fcntl(1, F_DUPFD_CLOEXEC, 11);
    if (host.out < 0)
        die("standard output");
    /* The log's descriptor is the host's, and there from the start. */
    openlog("login", LOG_NDELAY, LOG_AUTH);
    play();
    _exit(0); /* a host that goes without pam_end */
}
