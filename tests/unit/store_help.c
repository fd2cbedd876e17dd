/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "tests/unit/store_help.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

static char top[128];
static bool in_child; /* where a failed test must not go on as its parent */
int help_skips;
char help_lines[65536];

const char *
help_mkdir(void)
{
    const char *tmp = getenv("TMPDIR");

    (void)snprintf(top, sizeof(top), "%s/guestcred-test.XXXXXX",
                   tmp != NULL && strlen(tmp) < 80 ? tmp : "/tmp");
    assert_non_null(mkdtemp(top));
    help_forget_skips();
    return top;
}

static void
give_up(const char *why)
{
    if (in_child) {
        (void)fprintf(stderr, "# in a child: %s\n", why);
        _exit(98);
    }
    fail_msg("%s", why);
}

static int
remove_one(const char *path, const struct stat *info, int kind, struct FTW *ftw)
{
    (void)info;
    (void)kind;
    (void)ftw;
    (void)remove(path);
    return 0;
}

void
help_rmdir(void)
{
    if (top[0] != '\0')
        (void)nftw(top, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    top[0] = '\0';
}

const char *
help_path(const char *sub)
{
    static char paths[4][512];
    static int turn;
    char *path = paths[turn++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s%s%s", top,
                   sub[0] == '\0' ? "" : "/", sub);
    return path;
}

const char *
help_name(const char *sub)
{
    static char names[4][512];
    static int turn;
    char *name = names[turn++ % 4];

    (void)snprintf(name, sizeof(names[0]), "DIR:%s", help_path(sub));
    return name;
}

void
help_record(struct gc_record *record, const char *vm, int number)
{
    struct gc_ticket *t = &record->ticket;
    char secret[64];

    gc_record_clear(record);
    (void)snprintf(record->url, sizeof(record->url), "%s", URL);
    (void)snprintf(t->vm, sizeof(t->vm), "%s", vm);
    (void)snprintf(t->name, sizeof(t->name), "Name of %.100s", vm);
    (void)snprintf(t->vcenter, sizeof(t->vcenter), "%s", UUID);
    (void)snprintf(t->principal, sizeof(t->principal), "alice@EXAMPLE.TEST");
    (void)snprintf(t->target, sizeof(t->target), "host/guest1.example.test");
    t->mech = GC_MECH_KERBEROS;
    t->legs = 1;
    t->acquired = 1700000000 + number;
    record->used = 1700000000 + number;
    (void)snprintf(secret, sizeof(secret), "%s-%d", SECRET, number);
    if (gc_bytes_set(&t->ticket, secret, strlen(secret), NULL) != GC_OK)
        give_up("out of memory");
}

struct gc_store_key
help_key(const struct gc_record *record)
{
    const struct gc_ticket *t = &record->ticket;

    return (struct gc_store_key){record->url,  t->vcenter, t->vm,
                                 t->principal, t->target,  t->mech,
                                 t->mutual};
}

struct gc_store *
help_store(void)
{
    struct gc_store *store = NULL;
    struct gc_error err;

    if (gc_store_open(help_name("store"), true, &store, &err) != GC_OK)
        give_up(err.message);
    gc_store_on_skip(store, help_skipped, NULL);
    return store;
}

void
help_put(struct gc_store *store, const char *vm, int number,
         char ret_id[GC_STORE_ID_SIZE])
{
    GC_AUTO(gc_record) record = {0};
    GC_AUTO(gc_record) earlier = {0};
    struct gc_error err;

    help_record(&record, vm, number);
    if (gc_store_put(store, &record, NULL, &earlier, &err) != GC_OK)
        give_up(err.message);
    if (earlier.id[0] != '\0' || record.id[0] == '\0')
        give_up("another record was first");
    if (ret_id != NULL)
        memcpy(ret_id, record.id, GC_STORE_ID_SIZE);
}

size_t
help_count(struct gc_store *store)
{
    GC_AUTO(gc_records) records = {0};
    struct gc_error err;

    if (gc_store_list(store, &records, &err) != GC_OK)
        give_up(err.message);
    return records.count;
}

void
help_seen(struct gc_store *store, const char *id, struct gc_records *ret_seen)
{
    GC_AUTO(gc_records) records = {0};
    struct gc_error err;

    if (gc_store_list(store, &records, &err) != GC_OK)
        give_up(err.message);
    gc_records_clear(ret_seen);
    for (size_t i = 0; i < records.count; i++)
        if (strcmp(records.items[i].id, id) == 0
            && gc_records_add(ret_seen, &records.items[i], &err) != GC_OK)
            give_up(err.message);
    if (ret_seen->count != 1)
        give_up("no such record");
}

void
help_skipped(void *user, const char *line)
{
    size_t len = strlen(help_lines);

    (void)user;
    help_skips++;
    (void)snprintf(help_lines + len, sizeof(help_lines) - len, "%s\n", line);
}

void
help_forget_skips(void)
{
    help_skips = 0;
    help_lines[0] = '\0';
}

void
help_file(const char *sub, const void *data, size_t len, unsigned mode)
{
    int fd =
        open(help_path(sub), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, data, len), (ssize_t)len);
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

int
help_names(const char *sub, const char *prefix)
{
    DIR *dir = opendir(help_path(sub));
    const struct dirent *entry;
    int count = 0;

    if (dir == NULL)
        give_up(sub);
    while ((entry = readdir(dir)) != NULL)
        if (strncmp(entry->d_name, prefix, strlen(prefix)) == 0
            && strcmp(entry->d_name, ".") != 0
            && strcmp(entry->d_name, "..") != 0)
            count++;
    (void)closedir(dir);
    return count;
}

void
help_in_child(void)
{
    in_child = true;
}

int
help_fork(int (*run)(void *user), void *user, unsigned uid)
{
    pid_t child;
    int status = 0;

    (void)fflush(NULL);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        help_in_child();
        if (uid != 0
            && (setgroups(0, NULL) != 0 || setgid(uid) != 0
                || setuid(uid) != 0))
            _exit(99);
        _exit(run(user));
    }
    while (waitpid(child, &status, 0) < 0 && errno == EINTR)
        continue;
    return status;
}
