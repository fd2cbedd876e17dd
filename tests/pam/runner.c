/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scenarios for the module: runner FILE...  Plays the host, libpam and the
 * password file, and prints TAP, one test a scenario.  libpam is faked at link
 * time, and so are the ids of the process and the owners of files.
 *
 * A file is lines of "DIRECTIVE REST", the directives being those of obey().
 * They set the world (args, user, caller, conf, helper, say ...), make a call
 * ("call NAME [FLAG]... = CODE") and look at what came of it (log, heard,
 * asked, expect-env).  "prompt" lines stand before the call that they answer,
 * "log" lines after it, every line in its order and none left over.
 */
#include <config.h>

#include <dlfcn.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modules.h>
#include <security/pam_modutil.h>

#define MANY 32

/* ---- the world of one scenario ---- */

struct text {
    char text[1400];
};

static struct {
    char name[128];
    const char *args[MANY];
    int argc;
    struct text arg_text[MANY];
    char user[600];
    unsigned int euid, caller;
    unsigned int owner; /* of files, where not our own */
    bool foreign_files;
    struct text items[16]; /* by PAM_ITEM number */
    bool has_item[16];
    struct text env[MANY];
    struct text prompts[MANY], answers[MANY];
    int prompt_count, prompt_at;
    struct text logs[MANY];
    int levels[MANY];
    int log_count, log_at;
    void *data;
    void (*drop)(pam_handle_t *, void *, int);
    bool failed;
} w;

static char dir[128];
static const char *file;
static int line_number;

__attribute__((format(printf, 1, 2))) static void
complain(const char *fmt, ...)
{
    va_list args;

    (void)printf("# %s:%d: ", file, line_number);
    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
    (void)printf("\n");
    w.failed = true;
}

static void
put(struct text *dst, const char *text)
{
    (void)snprintf(dst->text, sizeof(dst->text), "%.1399s", text);
}

/* ---- the fakes ---- */

uid_t
geteuid(void)
{
    return w.euid;
}

int
getresuid(uid_t *real, uid_t *effective, uid_t *saved)
{
    *real = w.caller;
    *effective = *saved = w.euid;
    return 0;
}

/* Whoever runs this owns the files, and must pass for root. */
int
fstat(int fd, struct stat *info)
{
    int (*real)(int, struct stat *) = NULL;
    int result;

    *(void **)&real = dlsym(RTLD_NEXT, "fstat");
    result = real(fd, info);
    if (result == 0)
        info->st_uid = w.foreign_files ? w.owner : 0;
    return result;
}

struct passwd *
pam_modutil_getpwnam(pam_handle_t *pamh, const char *user)
{
    static char name[64];
    static struct passwd found;
    static const struct {
        const char *name;
        uid_t uid;
    } accounts[] = {{"root", 0},    {"daemon", 1},    {"alice", 1500},
                    {"bob", 1501},  {"edge", 1000},   {"toor", 0},
                    {"below", 999}, {"al ice", 1502}, {"a\"b%s\\", 1503}};

    (void)pamh;
    for (size_t i = 0; i < sizeof(accounts) / sizeof(accounts[0]); i++) {
        if (strcmp(accounts[i].name, user) != 0)
            continue;
        (void)snprintf(name, sizeof(name), "%s", user);
        found = (struct passwd){.pw_name = name, .pw_uid = accounts[i].uid};
        return &found;
    }
    return NULL;
}

int
pam_get_user(pam_handle_t *pamh, const char **user, const char *prompt)
{
    (void)pamh;
    (void)prompt;
    if (strcmp(w.user, "CONV_ERR") == 0)
        return PAM_CONV_ERR;
    *user = strcmp(w.user, "NULL") == 0 ? NULL : w.user;
    return PAM_SUCCESS;
}

static int
converse(int count, const struct pam_message **messages,
         struct pam_response **ret, void *data)
{
    const char *answer, *prompt;
    char got[1500];

    (void)data;
    *ret = NULL;
    (void)snprintf(got, sizeof(got), "%s %.1000s",
                   messages[0]->msg_style == PAM_PROMPT_ECHO_OFF  ? "off"
                   : messages[0]->msg_style == PAM_PROMPT_ECHO_ON ? "on"
                                                                  : "info",
                   messages[0]->msg);
    if (count != 1 || w.prompt_at == w.prompt_count) {
        complain("an unexpected message: %s", got);
        return PAM_CONV_ERR;
    }
    prompt = w.prompts[w.prompt_at].text;
    answer = w.answers[w.prompt_at++].text;
    if (strcmp(prompt, got) != 0)
        complain("the message is \"%s\", not \"%s\"", got, prompt);
    if (strcmp(answer, "CONV_ERR") == 0)
        return PAM_CONV_ERR;
    if (strcmp(answer, "NONE") == 0)
        return PAM_SUCCESS;
    *ret = calloc(1, sizeof(**ret));
    if (*ret == NULL)
        return PAM_BUF_ERR;
    if (strncmp(answer, "LONG ", 5) == 0) {
        int len = atoi(answer + 5);

        (*ret)->resp = calloc(1, (size_t)len + 1);
        if ((*ret)->resp != NULL)
            memset((*ret)->resp, 'x', (size_t)len);
    } else if (strcmp(answer, "NULL") != 0) {
        (*ret)->resp = strdup(strcmp(answer, "EMPTY") == 0 ? "" : answer);
    }
    return PAM_SUCCESS;
}

int
pam_get_item(const pam_handle_t *pamh, int what, const void **item)
{
    static const struct pam_conv conversation = {converse, NULL};

    (void)pamh;
    if (what == PAM_CONV)
        *item = &conversation;
    else if (what == PAM_SERVICE && !w.has_item[what])
        *item = "sshd";
    else
        *item = w.has_item[what] ? w.items[what].text : NULL;
    return PAM_SUCCESS;
}

int
pam_set_item(pam_handle_t *pamh, int what, const void *item)
{
    (void)pamh;
    w.has_item[what] = true;
    put(&w.items[what], item);
    return PAM_SUCCESS;
}

int
pam_get_data(const pam_handle_t *pamh, const char *name, const void **data)
{
    (void)pamh;
    (void)name;
    *data = w.data;
    return w.data == NULL ? PAM_NO_MODULE_DATA : PAM_SUCCESS;
}

int
pam_set_data(pam_handle_t *pamh, const char *name, void *data,
             void (*drop)(pam_handle_t *, void *, int))
{
    (void)name;
    if (w.data != NULL)
        w.drop(pamh, w.data, PAM_SUCCESS | PAM_DATA_REPLACE);
    w.data = data;
    w.drop = drop;
    return PAM_SUCCESS;
}

static struct text *
variable(const char *name, size_t len)
{
    for (int i = 0; i < MANY; i++)
        if (strncmp(w.env[i].text, name, len) == 0 && w.env[i].text[len] == '=')
            return &w.env[i];
    return NULL;
}

const char *
pam_getenv(pam_handle_t *pamh, const char *name)
{
    const struct text *found = variable(name, strlen(name));

    (void)pamh;
    return found == NULL ? NULL : found->text + strlen(name) + 1;
}

int
pam_putenv(pam_handle_t *pamh, const char *text)
{
    size_t len = strcspn(text, "=");
    struct text *found = variable(text, len);

    (void)pamh;
    for (int i = 0; found == NULL && i < MANY; i++)
        if (w.env[i].text[0] == '\0')
            found = &w.env[i];
    put(found, text[len] == '=' ? text : "");
    return PAM_SUCCESS;
}

void
pam_syslog(const pam_handle_t *pamh, int level, const char *fmt, ...)
{
    va_list args;

    (void)pamh;
    if (w.log_count == MANY) {
        complain("too many log lines");
        return;
    }
    va_start(args, fmt);
    (void)vsnprintf(w.logs[w.log_count].text, sizeof(w.logs[0].text), fmt,
                    args);
    va_end(args);
    w.levels[w.log_count++] = level;
}

/* Nobody looks into it. */
static pam_handle_t *
handle(void)
{
    return (pam_handle_t *)(void *)&w;
}

/* ---- words ---- */

static const struct {
    const char *word;
    int value;
} words[] = {
    {"SUCCESS", PAM_SUCCESS},
    {"AUTH_ERR", PAM_AUTH_ERR},
    {"CRED_INSUFFICIENT", PAM_CRED_INSUFFICIENT},
    {"CRED_EXPIRED", PAM_CRED_EXPIRED},
    {"NEW_AUTHTOK_REQD", PAM_NEW_AUTHTOK_REQD},
    {"AUTHINFO_UNAVAIL", PAM_AUTHINFO_UNAVAIL},
    {"USER_UNKNOWN", PAM_USER_UNKNOWN},
    {"SERVICE_ERR", PAM_SERVICE_ERR},
    {"CONV_ERR", PAM_CONV_ERR},
    {"BUF_ERR", PAM_BUF_ERR},
    {"SYSTEM_ERR", PAM_SYSTEM_ERR},
    {"IGNORE", PAM_IGNORE},
    {"SESSION_ERR", PAM_SESSION_ERR},
    {"PERM_DENIED", PAM_PERM_DENIED},
    {"CRED_ERR", PAM_CRED_ERR},
    {"CRED_UNAVAIL", PAM_CRED_UNAVAIL},
    {"establish", PAM_ESTABLISH_CRED},
    {"delete", (int)PAM_DELETE_CRED},
    {"reinitialize", PAM_REINITIALIZE_CRED},
    {"refresh", PAM_REFRESH_CRED},
    {"silent", (int)PAM_SILENT},
    {"emerg", LOG_EMERG},
    {"alert", LOG_ALERT},
    {"crit", LOG_CRIT},
    {"err", LOG_ERR},
    {"warning", LOG_WARNING},
    {"notice", LOG_NOTICE},
    {"info", LOG_INFO},
    {"debug", LOG_DEBUG},
    {"TTY", PAM_TTY},
    {"RHOST", PAM_RHOST},
    {"RUSER", PAM_RUSER},
    {"SERVICE", PAM_SERVICE},
    {"AUTHTOK", PAM_AUTHTOK},
};

static int
value_of(const char *word)
{
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].value;
    complain("unknown word \"%s\"", word);
    return -1;
}

static const char *
word_of(int code)
{
    for (size_t i = 0; i < 14; i++)
        if (words[i].value == code)
            return words[i].word;
    return "another code";
}

/* TEXT with @ for the scenario's directory, and \n, \" as in C. */
static void
expand(char *dst, size_t size, const char *text)
{
    size_t used = 0;

    dst[0] = '\0';
    for (const char *c = text; *c != '\0' && used + sizeof(dir) < size; c++) {
        if (c[0] == '@' && c[1] == '/') {
            used += (size_t)snprintf(dst + used, size - used, "%s", dir);
        } else if (c[0] == '\\' && c[1] == 'n') {
            dst[used++] = '\n';
            c++;
        } else {
            dst[used++] = *c;
        }
        dst[used] = '\0';
    }
}

/* ---- directives ---- */

static FILE *
in_dir(const char *name, const char *mode)
{
    char path[300];

    (void)snprintf(path, sizeof(path), "%s/%s", dir, name);
    return fopen(path, mode);
}

__attribute__((format(printf, 1, 2))) static void
shell(const char *fmt, ...)
{
    char command[1600];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(command, sizeof(command), fmt, args);
    va_end(args);
    if (system(command) != 0)
        complain("failed: %s", command);
}

static void
add_argument(const char *text)
{
    put(&w.arg_text[w.argc], text);
    w.args[w.argc] = w.arg_text[w.argc].text;
    w.argc++;
}

static void
add_arguments(char *text)
{
    char *save = NULL;

    for (char *arg = strtok_r(text, " ", &save); arg != NULL;
         arg = strtok_r(NULL, " ", &save))
        add_argument(arg);
}

/* Put a helper of that manner in the directory, and point the module at it. */
static void
use_helper(const char *name)
{
    const char *built = getenv("top_builddir");
    char argument[300];

    if (strcmp(name, "none") != 0)
        shell("cp '%s/tests/pam/fake_helper' '%s/%s'",
              built == NULL ? "." : built, dir, name);
    (void)snprintf(argument, sizeof(argument), "helper=%s/%.100s", dir, name);
    add_argument(argument);
}

static void
append(const char *name, const char *text, const char *end)
{
    FILE *out = in_dir(name, "ae");

    if (out == NULL || fprintf(out, "%s%s", text, end) < 0)
        complain("cannot write %s", name);
    if (out != NULL)
        (void)fclose(out);
}

static void
forget_logs(void)
{
    for (; w.log_at < w.log_count; w.log_at++)
        complain("an unexpected line, level %d: %s", w.levels[w.log_at],
                 w.logs[w.log_at].text);
    for (; w.prompt_at < w.prompt_count; w.prompt_at++)
        complain("never asked: %s", w.prompts[w.prompt_at].text);
    w.log_at = w.log_count = w.prompt_at = w.prompt_count = 0;
}

static int
call(const char *name, int flags)
{
    static const struct {
        const char *name;
        int (*function)(pam_handle_t *, int, int, const char **);
    } calls[] = {
        {"authenticate", pam_sm_authenticate}, {"setcred", pam_sm_setcred},
        {"account", pam_sm_acct_mgmt},         {"open", pam_sm_open_session},
        {"close", pam_sm_close_session},       {"chauthtok", pam_sm_chauthtok},
    };
    for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
        if (strcmp(calls[i].name, name) == 0)
            return calls[i].function(handle(), flags, w.argc, w.args);
    complain("unknown call \"%s\"", name);
    return -1;
}

/* "NAME [FLAG]... = CODE" */
static void
run_call(char *rest)
{
    char *save = NULL, *name = strtok_r(rest, " ", &save), *word;
    int flags = 0, code;

    /* What was logged before must have been looked at before. */
    for (; w.log_at < w.log_count; w.log_at++)
        complain("an unexpected line, level %d: %s", w.levels[w.log_at],
                 w.logs[w.log_at].text);
    while ((word = strtok_r(NULL, " ", &save)) != NULL
           && strcmp(word, "=") != 0)
        flags |= value_of(word);
    word = strtok_r(NULL, " ", &save);
    code = call(name, flags);
    if (word == NULL || code != value_of(word))
        complain("%s is %s (%d)", name, word_of(code), code);
    for (; w.prompt_at < w.prompt_count; w.prompt_at++)
        complain("never asked: %s", w.prompts[w.prompt_at].text);
}

/* "LEVEL TEXT": the next line has that level and holds TEXT. */
static void
expect_log(char *rest)
{
    char *text = rest + strcspn(rest, " ");

    if (*text != '\0')
        *text++ = '\0';
    if (w.log_at == w.log_count) {
        complain("no log line: %s", text);
        return;
    }
    if (w.levels[w.log_at] != value_of(rest)
        || strstr(w.logs[w.log_at].text, text) == NULL)
        complain("level %d: %s", w.levels[w.log_at], w.logs[w.log_at].text);
    w.log_at++;
}

/* The helper's last request holds TEXT; with "not" none ever did. */
static void
expect_heard(const char *text, bool wanted)
{
    static char all[65536];
    FILE *in = in_dir("good.heard", "re");
    size_t len = in == NULL ? 0 : fread(all, 1, sizeof(all) - 1, in);

    all[len] = '\0';
    if (in != NULL)
        (void)fclose(in);
    if (wanted && len > 1) {
        char *last = all + len - 1;

        while (last > all && last[-1] != '\n')
            last--;
        if (strstr(last, text) == NULL)
            complain("heard: %s", last);
        return;
    }
    if ((strstr(all, text) != NULL) != wanted)
        complain("heard: %s", all);
}

static void
count_heard(int wanted)
{
    FILE *in = in_dir("good.heard", "re");
    int count = 0, c;

    while (in != NULL && (c = getc(in)) != EOF)
        count += c == '\n';
    if (in != NULL)
        (void)fclose(in);
    if (count != wanted)
        complain("the helper was asked %d times", count);
}

static void
add_prompt(char *rest)
{
    char *answer = strstr(rest, " -> ");

    if (answer == NULL || w.prompt_count == MANY) {
        complain("prompt STYLE TEXT -> ANSWER");
        return;
    }
    *answer = '\0';
    put(&w.prompts[w.prompt_count], rest);
    put(&w.answers[w.prompt_count++], answer + 4);
}

static void
expect_env(const char *text)
{
    size_t len = strcspn(text, "=");
    const struct text *found = variable(text, len);

    if (text[len] == '\0' ? found != NULL
                          : found == NULL || strcmp(found->text, text) != 0)
        complain("the environment has %s",
                 found == NULL ? "nothing" : found->text);
}

static void
obey(const char *verb, char *rest)
{
    if (strcmp(verb, "args") == 0)
        add_arguments(rest);
    else if (strcmp(verb, "arg") == 0)
        add_argument(rest);
    else if (strcmp(verb, "noargs") == 0)
        w.argc = 0;
    else if (strcmp(verb, "helper") == 0)
        use_helper(rest);
    else if (strcmp(verb, "say") == 0)
        append("good.say", rest, "\n");
    else if (strcmp(verb, "conf") == 0)
        append("conf", rest, "\n");
    else if (strcmp(verb, "conf-bare") == 0)
        append("conf", rest, "");
    else if (strcmp(verb, "sh") == 0)
        shell("%s", rest);
    else if (strcmp(verb, "user") == 0)
        (void)snprintf(w.user, sizeof(w.user), "%.599s", rest);
    else if (strcmp(verb, "long-user") == 0)
        (void)memset(w.user, 'u', (size_t)atoi(rest));
    else if (strcmp(verb, "euid") == 0)
        w.euid = (unsigned int)atoi(rest);
    else if (strcmp(verb, "caller") == 0)
        w.caller = (unsigned int)atoi(rest);
    else if (strcmp(verb, "owner") == 0) {
        w.owner = (unsigned int)atoi(rest);
        w.foreign_files = true;
    } else if (strcmp(verb, "item") == 0) {
        char *text = rest + strcspn(rest, "=");

        *text++ = '\0';
        (void)pam_set_item(handle(), value_of(rest), text);
    } else if (strcmp(verb, "env") == 0)
        (void)pam_putenv(handle(), rest);
    else if (strcmp(verb, "prompt") == 0)
        add_prompt(rest);
    else if (strcmp(verb, "call") == 0)
        run_call(rest);
    else if (strcmp(verb, "log") == 0)
        expect_log(rest);
    else if (strcmp(verb, "heard") == 0)
        expect_heard(rest, true);
    else if (strcmp(verb, "unheard") == 0)
        expect_heard(rest, false);
    else if (strcmp(verb, "asked") == 0)
        count_heard(atoi(rest));
    else if (strcmp(verb, "expect-env") == 0)
        expect_env(rest);
    else
        complain("unknown directive \"%s\"", verb);
}

/* ---- scenarios ---- */

static void
begin(const char *name)
{
    const char *tmp = getenv("TMPDIR");

    memset(&w, 0, sizeof(w));
    (void)snprintf(w.name, sizeof(w.name), "%s", name);
    (void)snprintf(w.user, sizeof(w.user), "alice");
    (void)snprintf(dir, sizeof(dir), "%.80s/pam.XXXXXX",
                   tmp == NULL ? "/tmp" : tmp);
    if (mkdtemp(dir) == NULL || chmod(dir, 0755) != 0) {
        (void)printf("Bail out! no directory\n");
        exit(1);
    }
}

static void
end(int number)
{
    forget_logs();
    if (w.data != NULL)
        w.drop(handle(), w.data, PAM_SUCCESS);
    w.data = NULL;
    shell("rm -rf '%s'", dir);
    (void)printf("%s %d - %s\n", w.failed ? "not ok" : "ok", number, w.name);
    (void)fflush(stdout);
}

static int
run_file(int number)
{
    FILE *in = fopen(file, "re");
    char line[1400], text[2000];
    bool open_scenario = false;

    if (in == NULL) {
        (void)printf("Bail out! cannot read %s\n", file);
        exit(1);
    }
    line_number = 0;
    while (fgets(line, sizeof(line), in) != NULL) {
        char *rest;

        line_number++;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        rest = line + strcspn(line, " ");
        if (*rest != '\0')
            *rest++ = '\0';
        if (strcmp(line, "scenario") == 0) {
            if (open_scenario)
                end(++number);
            begin(rest);
            open_scenario = true;
            continue;
        }
        expand(text, sizeof(text), rest);
        obey(line, text);
    }
    (void)fclose(in);
    if (open_scenario)
        end(++number);
    return number;
}

int
main(int argc, char **argv)
{
    int number = 0;

    for (int i = 1; i < argc; i++) {
        file = argv[i];
        number = run_file(number);
    }
    (void)printf("1..%d\n", number);
    return 0;
}
