/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names of caches, files, and a copy.  Knows neither principals nor lifetimes.
 */
#include <config.h>

#include "gss/user_ccache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gss/gssmsg.h"
#include "gss/mech.h"

#define FILE_HINT                                                              \
    "get a ticket with kinit; the cache must be a file of the user's own "     \
    "that "                                                                    \
    "nobody else may write"
#define KIND_HINT                                                              \
    "use a cache of type FILE, DIR::, KCM, KEYRING:persistent or KEYRING:user"

static gc_status
refuse(const char *name, const char *why, const char *hint,
       struct gc_error *err)
{
    gc_status st =
        gc_fail(err, GC_E_NO_CREDENTIAL, "the cache %.200s %s", name, why);

    return gc_fail_hint(err, st, "%s", hint);
}

static void
fd_clear(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}

#define DESCRIPTOR __attribute__((cleanup(fd_clear))) int

/* What NAME's file is called, or NULL if it is not a file's. */
static const char *
path_of(const char *name)
{
    static const char *const prefixes[] = {"FILE:", "DIR::"};

    for (size_t i = 0; i < GC_COUNT_OF(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return name + strlen(prefixes[i]);
    return strchr(name, ':') == NULL || name[0] == '/' ? name : NULL;
}

/* Is NAME of a kind whose keeper checks the uid? */
static bool
is_kept(const char *name)
{
    static const char *const prefixes[] = {
        "KCM:", "KEYRING:persistent:", "KEYRING:user:"};

    for (size_t i = 0; i < GC_COUNT_OF(prefixes); i++)
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0)
            return true;
    return false;
}

/* What is wrong with FD, the file of NAME; NULL: it is the user's own. */
static const char *
objection(int fd)
{
    struct stat file;

    if (fstat(fd, &file) != 0 || !S_ISREG(file.st_mode))
        return "is not a regular file";
    if (file.st_uid != geteuid())
        return "belongs to another user";
    if ((file.st_mode & (S_IWGRP | S_IWOTH)) != 0)
        return "may be written by other users";
    if (file.st_size == 0)
        return "is empty";
    if (file.st_size > GC_USER_CCACHE_MAX)
        return "is too large";
    return NULL;
}

static gc_status
open_file(const char *name, const char *path, int *ret_fd, struct gc_error *err)
{
    const char *why;
    int fd;

    if (path[0] != '/')
        return refuse(name, "is not named by an absolute path", FILE_HINT, err);
    /* A pipe must not block us, nor a terminal become our controlling one. */
    fd = open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return refuse(name,
                      errno == ELOOP    ? "is a symbolic link"
                      : errno == ENOENT ? "is not there"
                      : errno == EACCES ? "may not be read by this user"
                                        : "cannot be opened",
                      FILE_HINT, err);
    why = objection(fd);
    if (why != NULL) {
        (void)close(fd);
        return refuse(name, why, FILE_HINT, err);
    }
    *ret_fd = fd;
    return GC_OK;
}

/* FD's bytes, GC_USER_CCACHE_MAX at most. */
static bool
read_bytes(int fd, struct gc_bytes *bytes)
{
    unsigned char piece[4096];
    gc_status st = GC_OK;
    ssize_t got;

    do {
        got = read(fd, piece, sizeof(piece));
        if (got > 0)
            st = gc_bytes_append(bytes, piece, (size_t)got, GC_USER_CCACHE_MAX,
                                 NULL);
    } while (got > 0 && st == GC_OK);
    explicit_bzero(piece, sizeof(piece));
    return got == 0 && st == GC_OK;
}

/*
 * libkrb5 gets a copy and not FD: the user may hold a lock on the file, or
 * change it while it is read.
 */
static gc_status
copy_file(const char *name, const char *path, struct gc_ccache *ret_copy,
          struct gc_error *err)
{
    DESCRIPTOR file = -1;
    GC_AUTO(gc_bytes) bytes = {0};
    struct gc_verdict v = {GSS_S_FAILURE, 0, gc_mech_oid(GC_MECH_KERBEROS)};
    gc_status st = open_file(name, path, &file, err);

    if (st != GC_OK)
        return st;
    if (!read_bytes(file, &bytes))
        return refuse(name, "cannot be read, or grows", FILE_HINT, err);
    v.minor = (OM_uint32)gc_ccache_load(&bytes, ret_copy);
    if (v.minor == 0)
        return GC_OK;
    st = gc_gssmsg_fail(err,
                        v.minor == ENOMEM ? GC_E_NO_MEMORY : GC_E_NO_CREDENTIAL,
                        &v, "the cache %.200s cannot be read", name);
    return gc_fail_hint(err, st, FILE_HINT);
}

gc_status
gc_user_ccache_take(const char *place, struct gc_ccache *ret_copy,
                    char ret_name[GC_PLACE_SIZE], struct gc_error *err)
{
    char name[GC_PLACE_SIZE] = "";
    gc_status st = GC_OK;

    if (place[0] == '\0')
        st = gc_ccache_default_name("", name, err);
    else if (snprintf(name, sizeof(name), "%s", place) >= (int)sizeof(name))
        return gc_fail(err, GC_E_NO_CREDENTIAL,
                       "a cache's name of more than "
                       "%d bytes",
                       GC_PLACE_SIZE - 1);
    if (st != GC_OK)
        return st;
    if (path_of(name) != NULL)
        st = copy_file(name, path_of(name), ret_copy, err);
    else if (!is_kept(name))
        st = refuse(name, "is of a kind that cannot be shown to be the user's",
                    KIND_HINT, err);
    if (st == GC_OK)
        memcpy(ret_name, name, sizeof(name));
    return st;
}
