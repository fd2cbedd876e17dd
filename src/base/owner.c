/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/base/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/types.h>
#include <unistd.h>

#include "src/base/descriptor.h"

#define BOOT_CHARS  "0123456789abcdef-"
#define BOOT_LENGTH 36
#define BOOT_SIZE   (BOOT_LENGTH + 1)

struct owner {
    uint64_t pid;
    uint64_t start;       /* clock ticks after boot; 0: not known */
    char boot[BOOT_SIZE]; /* "": not known */
    uint64_t pid_ns;      /* its inode; 0: not known */
};

/* Read the start of PATH as text; false, and errno says why, if it cannot. */
static bool
read_start(const char *path, char *buffer, size_t size)
{
    GC_AUTO_FD fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    ssize_t n = fd < 0 ? -1 : read(fd, buffer, size - 1);

    buffer[n > 0 ? n : 0] = '\0';
    return n >= 0;
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

static void
read_boot(char ret_boot[BOOT_SIZE])
{
    char text[64];

    ret_boot[0] = '\0';
    if (!read_start("/proc/sys/kernel/random/boot_id", text, sizeof(text))
        || strspn(text, BOOT_CHARS) != BOOT_LENGTH)
        return;
    memcpy(ret_boot, text, BOOT_LENGTH);
    ret_boot[BOOT_LENGTH] = '\0';
}

/* The pid namespace we are in, and whose /proc this is; 0: hidden. */
static uint64_t
read_pid_ns(void)
{
    static const char before[] = "pid:[";
    char text[64];
    const char *at = text + strlen(before);
    ssize_t n = readlink("/proc/self/ns/pid", text, sizeof(text) - 1);
    uint64_t inode;

    text[n > 0 ? n : 0] = '\0';
    if (strncmp(text, before, strlen(before)) != 0 || !parse_number(&at, &inode)
        || strcmp(at, "]") != 0)
        return 0;
    return inode;
}

struct stat_line {
    char state;      /* field 3 */
    uint64_t parent; /* field 4; 0: none that we can see */
    uint64_t start;  /* field 22 */
};

/*
 * Those fields of process PID's stat.  Field 2 is the program's name in
 * parentheses, which may hold blanks and parentheses.
 */
static bool
read_stat(uint64_t pid, struct stat_line *ret_line)
{
    char path[64], text[1024];
    const char *at;

    (void)snprintf(path, sizeof(path), "/proc/%llu/stat",
                   (unsigned long long)pid);
    if (!read_start(path, text, sizeof(text)))
        return false;
    at = strrchr(text, ')');
    if (at == NULL || at[1] != ' ')
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
    return parse_number(&at, &ret_line->start);
}

static void
print(uint64_t pid, uint64_t start, char ret_owner[GC_OWNER_SIZE])
{
    char boot[BOOT_SIZE];

    read_boot(boot);
    (void)snprintf(ret_owner, GC_OWNER_SIZE, "%llu.%llu.%s.%llu",
                   (unsigned long long)pid, (unsigned long long)start,
                   boot[0] == '\0' ? "-" : boot,
                   (unsigned long long)read_pid_ns());
}

void
gc_owner_self(char ret_owner[GC_OWNER_SIZE])
{
    struct stat_line line;
    uint64_t pid = (uint64_t)getpid();

    print(pid, read_stat(pid, &line) ? line.start : 0, ret_owner);
}

bool
gc_owner_of(pid_t pid, uint64_t start, char ret_owner[GC_OWNER_SIZE])
{
    struct stat_line line;

    if (pid <= 0 || start == 0 || !read_stat((uint64_t)pid, &line)
        || line.start != start)
        return false;
    print((uint64_t)pid, start, ret_owner);
    return strstr(ret_owner, ".-.") == NULL;
}

static bool
parse(const char *text, struct owner *ret_owner)
{
    const char *at = text;
    size_t len;

    if (!parse_number(&at, &ret_owner->pid) || ret_owner->pid == 0
        || ret_owner->pid > INT_MAX || *at++ != '.'
        || !parse_number(&at, &ret_owner->start) || *at++ != '.')
        return false;
    len = strspn(at, BOOT_CHARS);
    ret_owner->boot[0] = '\0';
    if (len == BOOT_LENGTH) {
        memcpy(ret_owner->boot, at, len);
        ret_owner->boot[len] = '\0';
    } else if (len != 1 || at[0] != '-') {
        return false;
    }
    at += len;
    return *at++ == '.' && parse_number(&at, &ret_owner->pid_ns) && *at == '\0';
}

bool
gc_owner_parent(const char *owner, char ret_parent[GC_OWNER_SIZE])
{
    struct stat_line line, parent, again;
    struct owner it;

    /* A parent that ended meanwhile may have given its number to another. */
    return parse(owner, &it) && read_stat(it.pid, &line)
           && line.start == it.start && line.parent != 0
           && line.parent <= INT_MAX && read_stat(line.parent, &parent)
           && read_stat(it.pid, &again) && again.start == it.start
           && again.parent == line.parent
           && gc_owner_of((pid_t)line.parent, parent.start, ret_parent);
}

bool
gc_owner_is_dead(const char *owner)
{
    struct stat_line line = {0};
    struct owner it;
    char boot[BOOT_SIZE];

    read_boot(boot);
    if (!parse(owner, &it) || it.boot[0] == '\0' || boot[0] == '\0')
        return false;
    if (strcmp(it.boot, boot) != 0)
        return true;
    if (it.pid_ns == 0 || it.pid_ns != read_pid_ns())
        return false;
    /* hidepid= hides a process from stat, but not from kill. */
    if (!read_stat(it.pid, &line))
        return kill((pid_t)it.pid, 0) != 0 && errno == ESRCH;
    if (line.state == 'Z' || line.state == 'X' || line.state == 'x')
        return true;
    return it.start != 0 && it.start != line.start;
}
