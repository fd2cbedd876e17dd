/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOOT_ID_LENGTH 36
#define HEX            "0123456789abcdef"
#define BOOT_ID_CHARS  HEX "-"

/* Read the start of PATH as text; false, and errno says why, if it cannot. */
static bool
read_start(const char *path, char *buffer, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n;

    if (fd < 0)
        return false;
    do
        n = read(fd, buffer, size - 1);
    while (n < 0 && errno == EINTR);
    if (n <= 0) {
        int saved = n < 0 ? errno : ENOENT;

        (void)close(fd);
        errno = saved;
        return false;
    }
    (void)close(fd);
    buffer[n] = '\0';
    return true;
}

/*
 * Who we are, as this thread last read it: nothing of it changes while the
 * process lives, but a forked child is another, be its pid the same in another
 * namespace.
 */
static _Thread_local struct gc_process ours;

static void
forget_ours(void)
{
    ours = (struct gc_process){0};
}

static int watching;

static void
watch_forks(void)
{
    watching = pthread_atfork(NULL, NULL, forget_ours) == 0;
}

static bool
is_known(void)
{
    return ours.pid > 0 && ours.pid == getpid();
}

static void
remember(const struct gc_process *self)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    if (pthread_once(&once, watch_forks) == 0 && watching)
        ours = *self;
}

static bool
read_boot_id(char ret_boot_id[BOOT_ID_LENGTH + 1])
{
    char text[64];

    if (is_known()) {
        memcpy(ret_boot_id, ours.boot_id, BOOT_ID_LENGTH + 1);
        return true;
    }
    if (!read_start("/proc/sys/kernel/random/boot_id", text, sizeof(text))
        || strspn(text, BOOT_ID_CHARS) != BOOT_ID_LENGTH)
        return false;
    memcpy(ret_boot_id, text, BOOT_ID_LENGTH);
    ret_boot_id[BOOT_ID_LENGTH] = '\0';
    return true;
}

void
gc_process_machine(char ret_machine[GC_MACHINE_SIZE])
{
    uint64_t hash = 14695981039346656037ULL; /* FNV-1a */
    char text[64];
    size_t len;

    if (is_known() && ours.machine[0] != '\0') {
        memcpy(ret_machine, ours.machine, GC_MACHINE_SIZE);
        return;
    }
    ret_machine[0] = '\0';
    if (!read_start("/etc/machine-id", text, sizeof(text)))
        return;
    len = strspn(text, HEX);
    /* "uninitialized" in an image that has not started yet. */
    if (len != 32 || (text[len] != '\n' && text[len] != '\0'))
        return;
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)text[i]) * 1099511628211ULL;
    (void)snprintf(ret_machine, GC_MACHINE_SIZE, "%016llx",
                   (unsigned long long)hash);
}

/* Decimal digits at *AT, which is moved past them. */
static bool
parse_number(const char **at, uint64_t *ret_value)
{
    uint64_t value = 0;
    size_t len = 0;

    for (; (*at)[len] >= '0' && (*at)[len] <= '9'; len++) {
        if (len == 19)
            return false;
        value = value * 10 + (uint64_t)((*at)[len] - '0');
    }
    *at += len;
    *ret_value = value;
    return len > 0;
}

struct stat_line {
    char state;      /* field 3 */
    uint64_t parent; /* field 4; 0: none, or outside of our pid namespace */
    uint64_t start;  /* field 22 */
};

/*
 * Those fields of /proc/PID/stat.  Field 2 is the program's name in
 * parentheses, which may hold blanks, newlines and parentheses of its own.
 */
static bool
read_stat(pid_t pid, struct stat_line *ret_line)
{
    char path[64], text[1024];
    const char *at;

    (void)snprintf(path, sizeof(path), "/proc/%ld/stat", (long)pid);
    if (!read_start(path, text, sizeof(text)))
        return false;
    errno = EPROTO;
    at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ' || at[2] == '\0')
        return false;
    ret_line->state = at[2];
    for (int field = 2; field < 22; field++) {
        at = strchr(at + 1, ' ');
        if (at == NULL)
            return false;
        if (field == 3) {
            const char *parent = at + 1;

            if (!parse_number(&parent, &ret_line->parent))
                return false;
        }
    }
    at++;
    return parse_number(&at, &ret_line->start)
           && (*at == ' ' || *at == '\n' || *at == '\0');
}

/* The pid namespace we are in, and whose /proc this is; 0 where it is hidden.
 */
static uint32_t
read_pid_ns(void)
{
    static const char before[] = "pid:[";
    char text[64];
    const char *at = text + sizeof(before) - 1;
    uint64_t inode;
    ssize_t n;

    if (is_known() && ours.pid_ns != 0)
        return ours.pid_ns;
    n = readlink("/proc/self/ns/pid", text, sizeof(text) - 1);
    if (n <= (ssize_t)sizeof(before))
        return 0;
    text[n] = '\0';
    if (memcmp(text, before, sizeof(before) - 1) != 0
        || !parse_number(&at, &inode) || strcmp(at, "]") != 0
        || inode > UINT32_MAX)
        return 0;
    return (uint32_t)inode;
}

gc_status
gc_process_read(pid_t pid, struct gc_process *ret_process, struct gc_error *err)
{
    struct gc_process found = {.pid = pid};
    struct stat_line line;

    if (pid <= 0)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no process %ld",
                       (long)pid);
    if (is_known() && pid == ours.pid) {
        *ret_process = ours;
        return GC_OK;
    }
    if (!read_boot_id(found.boot_id))
        return gc_fail(err, GC_E_INTERNAL,
                       "/proc does not tell which boot this is");
    if (!read_stat(pid, &line)) {
        if (errno == ENOENT || errno == ESRCH)
            return gc_fail(err, GC_E_NOT_FOUND, "there is no process %ld",
                           (long)pid);
        return gc_fail(err, GC_E_INTERNAL,
                       "/proc does not tell when process %ld started",
                       (long)pid);
    }
    found.start = line.start;
    gc_process_machine(found.machine);
    found.pid_ns = read_pid_ns();
    if (pid == getpid())
        remember(&found);
    *ret_process = found;
    return GC_OK;
}

gc_status
gc_process_read_parent(const struct gc_process *process,
                       struct gc_process *ret_parent, struct gc_error *err)
{
    struct stat_line line, again;
    struct gc_process parent;
    gc_status st;

    if (process->pid <= 0 || !read_stat(process->pid, &line)
        || line.start != process->start)
        return gc_fail(err, GC_E_NOT_FOUND, "process %ld is gone",
                       (long)process->pid);
    if (line.parent == 0 || line.parent > INT_MAX)
        return gc_fail(err, GC_E_NOT_FOUND, "process %ld has no parent",
                       (long)process->pid);
    st = gc_process_read((pid_t)line.parent, &parent, err);
    if (st != GC_OK)
        return st;
    /* While it is the parent, nobody else gets its pid. */
    if (!read_stat(process->pid, &again) || again.start != line.start
        || again.parent != line.parent)
        return gc_fail(err, GC_E_NOT_FOUND, "the parent of process %ld is gone",
                       (long)process->pid);
    *ret_parent = parent;
    return GC_OK;
}

bool
gc_process_elsewhere(const struct gc_process *process)
{
    char machine[GC_MACHINE_SIZE], boot_id[sizeof(process->boot_id)];
    uint32_t pid_ns;

    gc_process_machine(machine);
    if (process->machine[0] != '\0' && strcmp(process->machine, machine) != 0)
        return true;
    /* No namespace outlives its boot. */
    if (process->boot_id[0] != '\0' && read_boot_id(boot_id)
        && strcmp(process->boot_id, boot_id) != 0)
        return false;
    pid_ns = read_pid_ns();
    return process->pid_ns != 0 && pid_ns != 0 && process->pid_ns != pid_ns;
}

/* For sure; another process may have got our number after a reboot. */
static bool
is_self(const struct gc_process *process)
{
    struct gc_process self;

    if (process->pid != getpid() || process->start == 0)
        return false;
    gc_process_self(&self);
    return process->start == self.start
           && strcmp(process->boot_id, self.boot_id) == 0;
}

bool
gc_process_alive(const struct gc_process *process)
{
    char boot_id[sizeof(process->boot_id)];
    struct stat_line line;

    if (process->pid <= 0)
        return false;
    if (gc_process_elsewhere(process) || is_self(process))
        return true;
    if (process->boot_id[0] != '\0' && read_boot_id(boot_id)
        && strcmp(process->boot_id, boot_id) != 0)
        return false;
    /* hidepid= hides what is not traceable, but not from kill. */
    if (!read_stat(process->pid, &line))
        return !(kill(process->pid, 0) != 0 && errno == ESRCH);
    if (line.state == 'Z' || line.state == 'X' || line.state == 'x')
        return false;
    return process->start == 0 || process->start == line.start;
}

void
gc_process_self(struct gc_process *ret_process)
{
    if (gc_process_read(getpid(), ret_process, NULL) == GC_OK)
        return;
    *ret_process = (struct gc_process){.pid = getpid()};
    gc_process_machine(ret_process->machine);
}

void
gc_process_print(const struct gc_process *process,
                 char dst[GC_PROCESS_TEXT_SIZE])
{
    (void)snprintf(dst, GC_PROCESS_TEXT_SIZE, "%ld.%llu.%s.%s.%lu",
                   (long)process->pid, (unsigned long long)process->start,
                   process->boot_id[0] == '\0' ? "-" : process->boot_id,
                   process->machine[0] == '\0' ? "-" : process->machine,
                   (unsigned long)process->pid_ns);
}

/* LEN of CHARS at *AT, or "-" for nothing; *AT is moved past them. */
static bool
parse_word(const char **at, const char *chars, size_t len, char *dst)
{
    size_t there = strspn(*at, chars);

    if (there == len) {
        memcpy(dst, *at, len);
        dst[len] = '\0';
    } else if ((*at)[0] == '-' && ((*at)[1] == '.' || (*at)[1] == '\0')) {
        there = 1;
    } else {
        return false;
    }
    *at += there;
    return true;
}

bool
gc_process_parse(const char *text, size_t len, struct gc_process *ret_process)
{
    struct gc_process found = {0};
    char copy[GC_PROCESS_TEXT_SIZE];
    const char *at = copy;
    uint64_t pid, pid_ns = 0;

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (!parse_number(&at, &pid) || pid > INT_MAX || *at++ != '.'
        || !parse_number(&at, &found.start) || *at++ != '.'
        || !parse_word(&at, BOOT_ID_CHARS, BOOT_ID_LENGTH, found.boot_id))
        return false;
    if (*at == '.') {
        at++;
        if (!parse_word(&at, HEX, GC_MACHINE_SIZE - 1, found.machine)
            || *at++ != '.' || !parse_number(&at, &pid_ns)
            || pid_ns > UINT32_MAX)
            return false;
    }
    if (*at != '\0' || strlen(copy) != len)
        return false;
    found.pid = (pid_t)pid;
    found.pid_ns = (uint32_t)pid_ns;
    *ret_process = found;
    return true;
}
