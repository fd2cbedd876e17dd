/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define BOOT_ID_LENGTH 36
#define BOOT_ID_CHARS  "0123456789abcdef-"

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

static bool
read_boot_id(char ret_boot_id[BOOT_ID_LENGTH + 1])
{
    char text[64];

    if (!read_start("/proc/sys/kernel/random/boot_id", text, sizeof(text))
        || strspn(text, BOOT_ID_CHARS) != BOOT_ID_LENGTH)
        return false;
    memcpy(ret_boot_id, text, BOOT_ID_LENGTH);
    ret_boot_id[BOOT_ID_LENGTH] = '\0';
    return true;
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

/*
 * Fields 3 and 22 of /proc/PID/stat.  Field 2 is the program's name in
 * parentheses, which may hold blanks, newlines and parentheses of its own.
 */
static bool
read_stat(pid_t pid, char *ret_state, uint64_t *ret_start)
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
    *ret_state = at[2];
    for (int field = 2; field < 22; field++) {
        at = strchr(at + 1, ' ');
        if (at == NULL)
            return false;
    }
    at++;
    return parse_number(&at, ret_start)
           && (*at == ' ' || *at == '\n' || *at == '\0');
}

gc_status
gc_process_read(pid_t pid, struct gc_process *ret_process, struct gc_error *err)
{
    struct gc_process found = {.pid = pid};
    char state;

    if (pid <= 0)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no process %ld",
                       (long)pid);
    if (!read_boot_id(found.boot_id))
        return gc_fail(err, GC_E_INTERNAL,
                       "/proc does not tell which boot this is");
    if (!read_stat(pid, &state, &found.start)) {
        if (errno == ENOENT || errno == ESRCH)
            return gc_fail(err, GC_E_NOT_FOUND, "there is no process %ld",
                           (long)pid);
        return gc_fail(err, GC_E_INTERNAL,
                       "/proc does not tell when process %ld started",
                       (long)pid);
    }
    *ret_process = found;
    return GC_OK;
}

bool
gc_process_alive(const struct gc_process *process)
{
    char boot_id[sizeof(process->boot_id)], state;
    uint64_t start;

    if (process->pid <= 0)
        return false;
    if (process->boot_id[0] != '\0' && read_boot_id(boot_id)
        && strcmp(process->boot_id, boot_id) != 0)
        return false;
    /* hidepid= hides what is not traceable, but not from kill. */
    if (!read_stat(process->pid, &state, &start))
        return !(kill(process->pid, 0) != 0 && errno == ESRCH);
    if (state == 'Z' || state == 'X' || state == 'x')
        return false;
    return process->start == 0 || process->start == start;
}

void
gc_process_self(struct gc_process *ret_process)
{
    if (gc_process_read(getpid(), ret_process, NULL) != GC_OK)
        *ret_process = (struct gc_process){.pid = getpid()};
}

void
gc_process_print(const struct gc_process *process,
                 char dst[GC_PROCESS_TEXT_SIZE])
{
    (void)snprintf(dst, GC_PROCESS_TEXT_SIZE, "%ld.%llu.%s", (long)process->pid,
                   (unsigned long long)process->start,
                   process->boot_id[0] == '\0' ? "-" : process->boot_id);
}

bool
gc_process_parse(const char *text, size_t len, struct gc_process *ret_process)
{
    struct gc_process found = {0};
    char copy[GC_PROCESS_TEXT_SIZE];
    const char *at = copy;
    uint64_t pid;

    if (len >= sizeof(copy))
        return false;
    memcpy(copy, text, len);
    copy[len] = '\0';
    if (!parse_number(&at, &pid) || pid > INT_MAX || *at++ != '.'
        || !parse_number(&at, &found.start) || *at++ != '.')
        return false;
    found.pid = (pid_t)pid;
    if (strcmp(at, "-") != 0) {
        if (strlen(at) != BOOT_ID_LENGTH
            || strspn(at, BOOT_ID_CHARS) != BOOT_ID_LENGTH)
            return false;
        memcpy(found.boot_id, at, BOOT_ID_LENGTH);
    }
    if (strlen(copy) != len)
        return false;
    *ret_process = found;
    return true;
}
