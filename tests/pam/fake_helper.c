/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A helper without Kerberos, vCenter or manners.  How it behaves is its file's
 * name: "good" answers as FILE.say tells it and writes what it heard to
 * FILE.heard; "probe" writes down what it was born with; the others misbehave.
 *
 * A line of FILE.say is "CALL KEY VALUE"; without any, every call succeeds.
 */
#include <config.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "src/base/clock.h"
#include "src/helper/wire.h"

static const char *const calls[] = {
    "", "authenticate", "account", "establish", "delete", "open", "close"};
static char exe[1024];
extern char **environ;

static FILE *
beside(const char *ending, const char *mode)
{
    char path[1100];

    (void)snprintf(path, sizeof(path), "%s%s", exe, ending);
    return fopen(path, mode);
}

static void
write_options(FILE *heard, const struct gc_wire_request *r)
{
    for (const char *o = NULL; (o = gc_wire_option_next(r, o)) != NULL;)
        (void)fprintf(heard, " [%s]", o);
    (void)fprintf(heard, "\n");
}

static void
note(const struct gc_wire_request *r)
{
    FILE *heard = beside(".heard", "ae");

    if (heard == NULL)
        _exit(9);
    (void)fprintf(heard,
                  "call=%s source=%d caller=%d uid=%d user=%s service=%s "
                  "vm=%s ccname=%s transaction=%s password=%s "
                  "left=%d host=%u start=%d",
                  calls[r->call], (int)r->source, (int)r->caller,
                  r->uid == 0 ? -1 : (int)r->uid, r->user, r->service, r->vm,
                  r->ccname, r->transaction, r->password,
                  (gc_clock_left(r->deadline) + 999) / 1000,
                  (unsigned)r->host_pid, r->host_start != 0);
    write_options(heard, r);
    (void)fclose(heard);
}

static void
copy(char *dst, size_t size, const char *text)
{
    size_t len = strlen(text) < size ? strlen(text) : size - 1;

    memcpy(dst, text, len);
    dst[len] = '\0';
}

static void
succeed(struct gc_wire_reply *reply, const struct gc_wire_request *r)
{
    char principal[128];

    gc_wire_reply_init(reply, r->call);
    if (r->call == GC_WIRE_AUTHENTICATE) {
        reply->uid = r->uid == 0 ? 1 : r->uid;
        (void)snprintf(principal, sizeof(principal), "%.100s@EXAMPLE.TEST",
                       r->user);
        gc_escape(reply->principal, sizeof(reply->principal), principal,
                  strlen(principal));
        copy(reply->vm, sizeof(reply->vm), "vm-42");
        copy(reply->mech, sizeof(reply->mech), "kerberos");
    }
    if (r->call == GC_WIRE_ESTABLISH || r->call == GC_WIRE_OPEN)
        copy(reply->copies, sizeof(reply->copies), "/run/guestcred/1500/a");
    if (r->call == GC_WIRE_AUTHENTICATE || r->call == GC_WIRE_ESTABLISH
        || r->call == GC_WIRE_OPEN)
        copy(reply->transaction, sizeof(reply->transaction),
             "00112233445566778899aabbccddeeff");
}

static void
fail(struct gc_wire_reply *reply, const char *word)
{
    struct gc_error error = {.status = GC_OK};

    for (gc_status st = GC_OK; st < GC_STATUS_COUNT; st++)
        if (strcmp(gc_status_word(st), word) == 0)
            (void)gc_fail(&error, st, "so it is told");
    gc_wire_reply_fail(reply, &error);
}

static void
say(struct gc_wire_reply *reply, const char *key, const char *value)
{
    if (strcmp(key, "status") == 0)
        fail(reply, value);
    else if (strcmp(key, "message") == 0)
        copy(reply->message, sizeof(reply->message), value);
    else if (strcmp(key, "hint") == 0)
        copy(reply->hint, sizeof(reply->hint), value);
    else if (strcmp(key, "principal") == 0)
        copy(reply->principal, sizeof(reply->principal), value);
    else if (strcmp(key, "uid") == 0)
        reply->uid = atoi(value);
    else if (strcmp(key, "expired") == 0) {
        fail(reply, "denied");
        reply->expired = true;
    } else if (strcmp(key, "nothing") == 0 || strcmp(key, "suspect") == 0) {
        gc_wire_reply_init(reply, reply->call);
        reply->nothing = true;
        reply->suspect = key[0] == 's';
        copy(reply->message, sizeof(reply->message), value);
    } else
        _exit(8);
}

static void
follow_script(struct gc_wire_reply *reply)
{
    FILE *script = beside(".say", "re");
    char line[600], call[32], key[32], value[512];

    while (script != NULL && fgets(line, sizeof(line), script) != NULL)
        if (sscanf(line, "%31s %31s %511[^\n]", call, key, value) == 3
            && strcmp(call, calls[reply->call]) == 0)
            say(reply, key, value);
    if (script != NULL)
        (void)fclose(script);
}

static int
serve(bool noted)
{
    GC_AUTO(gc_wire_request) request = {.call = 0};
    GC_AUTO(gc_bytes) frame = {0};
    struct gc_wire_reply reply;

    if (gc_wire_receive(GC_WIRE_FD, gc_clock_now() + 10000, &frame, NULL)
            != GC_OK
        || gc_wire_request_read(&frame, &request, NULL) != GC_OK)
        return 7;
    if (noted)
        note(&request);
    succeed(&reply, &request);
    follow_script(&reply);
    if (gc_wire_reply_write(&reply, &frame, NULL) != GC_OK
        || gc_wire_send(GC_WIRE_FD, &frame, NULL) != GC_OK)
        return 6;
    return 0;
}

/* ---- what it was born with ---- */

static void
probe_descriptors(FILE *out)
{
    DIR *dir = opendir("/proc/self/fd");
    struct dirent *entry;
    int own[2] = {fileno(out), dir == NULL ? -1 : dirfd(dir)};
    char link[64], target[256];

    (void)fprintf(out, "fds:");
    while (dir != NULL && (entry = readdir(dir)) != NULL) {
        int fd = atoi(entry->d_name);
        ssize_t len;

        if (entry->d_name[0] == '.' || fd == own[0] || fd == own[1])
            continue;
        (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
        len = readlink(link, target, sizeof(target) - 1);
        target[len < 0 ? 0 : len] = '\0';
        target[strcspn(target, ":")] = '\0';
        (void)fprintf(out, " %d=%s", fd, target);
    }
    if (dir != NULL)
        (void)closedir(dir);
    (void)fprintf(out, "\n");
}

static void
probe_signals(FILE *out)
{
    struct sigaction action;
    sigset_t mask;
    int ignored = 0, blocked = 0;

    (void)sigprocmask(SIG_BLOCK, NULL, &mask);
    for (int number = 1; number < NSIG; number++) {
        if (sigismember(&mask, number) == 1)
            blocked++;
        if (sigaction(number, NULL, &action) == 0
            && action.sa_handler == SIG_IGN)
            ignored++; /* handlers do not outlive exec; a sanitizer has some */
    }
    (void)fprintf(out, "signals: ignored=%d blocked=%d\n", ignored, blocked);
}

static void
probe_limit(FILE *out, const char *name, int what)
{
    struct rlimit limit = {0, 0};

    (void)getrlimit((unsigned int)what, &limit);
    (void)fprintf(out, "%s: %lld\n", name,
                  limit.rlim_cur == RLIM_INFINITY ? -1LL
                                                  : (long long)limit.rlim_cur);
}

static void
probe(void)
{
    char cwd[256] = "";
    uid_t u[3];
    gid_t g[3];
    int variables = 0, death = 0;
    FILE *out = beside(".heard", "we");
    mode_t mask = umask(077);

    if (out == NULL)
        _exit(9);
    while (environ[variables] != NULL)
        variables++;
    (void)getresuid(&u[0], &u[1], &u[2]);
    (void)getresgid(&g[0], &g[1], &g[2]);
    (void)prctl(PR_GET_PDEATHSIG, &death);
    probe_descriptors(out);
    probe_signals(out);
    (void)fprintf(out, "env: %d\numask: %03o\ncwd: %s\n", variables,
                  (unsigned int)mask, getcwd(cwd, sizeof(cwd)));
    (void)fprintf(out, "uids: %d %d %d\ngids: %d %d %d\ngroups: %d\n",
                  (int)u[0], (int)u[1], (int)u[2], (int)g[0], (int)g[1],
                  (int)g[2], getgroups(0, NULL));
    (void)fprintf(out, "leader: %d\nnice: %d\ndeath: %d\n",
                  getsid(0) == getpid() && getpgrp() == getpid(),
                  getpriority(PRIO_PROCESS, 0), death);
    probe_limit(out, "fsize", RLIMIT_FSIZE);
    probe_limit(out, "cpu", RLIMIT_CPU);
    probe_limit(out, "nofile", RLIMIT_NOFILE);
    probe_limit(out, "core", RLIMIT_CORE);
    (void)fclose(out);
}

/* ---- manners ---- */

static void
spew(size_t len)
{
    static char noise[200000];

    /* Leaving with the request unread would be a reset, and no answer. */
    (void)recv(GC_WIRE_FD, noise, sizeof(noise), 0);
    for (size_t i = 0; i < sizeof(noise); i++)
        noise[i] = (char)(i * 31 + 7);
    (void)send(GC_WIRE_FD, noise, len, MSG_NOSIGNAL);
}

/* Leaves behind a child that holds the socket and says who it is. */
static void
leave_a_child(void)
{
    FILE *out;
    int ready[2];
    char byte;

    if (pipe(ready) != 0)
        _exit(9);
    if (fork() != 0) {
        /* Not before it has said so. */
        (void)close(ready[1]);
        (void)!read(ready[0], &byte, 1);
        return;
    }
    out = beside(".heard", "we");
    if (out != NULL) {
        (void)fprintf(out, "%d\n", (int)getpid());
        (void)fclose(out);
    }
    (void)close(ready[0]);
    (void)close(ready[1]);
    (void)sleep(60);
    _exit(0);
}

static void
linger(void)
{
    struct timespec second = {1, 0};

    for (int i = 0; i < 60; i++)
        (void)nanosleep(&second, NULL);
}

int
main(void)
{
    ssize_t len = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    const char *name;

    if (len <= 0)
        return 9;
    exe[len] = '\0';
    name = strrchr(exe, '/') + 1;
    if (strcmp(name, "good") == 0)
        return serve(true);
    if (strcmp(name, "quiet") == 0)
        return serve(false);
    if (strcmp(name, "dead") == 0)
        return 3;
    if (strcmp(name, "killed") == 0)
        (void)raise(SIGKILL);
    if (strcmp(name, "slow") == 0)
        linger();
    if (strcmp(name, "stopped") == 0)
        (void)raise(SIGSTOP);
    if (strcmp(name, "garbage") == 0)
        spew(500);
    if (strcmp(name, "short") == 0)
        spew(3);
    if (strcmp(name, "huge") == 0)
        spew(100000);
    if (strcmp(name, "probe") == 0) {
        probe();
        return serve(false);
    }
    if (strcmp(name, "parent") == 0) {
        leave_a_child();
        return serve(false);
    }
    if (strcmp(name, "barren") == 0) {
        leave_a_child();
        linger();
    }
    if (strcmp(name, "clinging") == 0) {
        int status = serve(false);

        linger();
        return status;
    }
    return 5;
}
