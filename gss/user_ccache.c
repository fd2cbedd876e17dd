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
#include <sys/mman.h>
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

/* Linux 6.3; a host may insist on it. */
#ifndef MFD_NOEXEC_SEAL
#    define MFD_NOEXEC_SEAL 0x0008U
#endif

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

/* Is NAME one whose keeper asks for the uid? */
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

/* FD is NAME's.  NULL: it is the user's own, and whole as far as one can see.
 */
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
    /* A pipe must not hold us, nor a terminal become ours. */
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

/* Copy FROM to TO, GC_USER_CCACHE_MAX bytes at most.  False: errno says why. */
static bool
copy_bytes(int from, int to)
{
    char piece[4096];
    ssize_t got = 0, put = 0;
    size_t total = 0;

    do {
        got = read(from, piece, sizeof(piece));
        if (got > 0) {
            total += (size_t)got;
            put =
                total > GC_USER_CCACHE_MAX ? -1 : write(to, piece, (size_t)got);
        }
    } while (got > 0 && put == got);
    explicit_bzero(piece, sizeof(piece));
    return got == 0;
}

/*
 * A file of ours with FD's bytes, in memory.  FD itself would do for libkrb5,
 * but for a lock that the user may hold on it, and for what he may do to it
 * while it is read.
 */
static gc_status
snapshot(const char *name, int fd, int *ret_fd, struct gc_error *err)
{
    int copy = memfd_create("guestcred", MFD_CLOEXEC | MFD_NOEXEC_SEAL);

    if (copy < 0)
        copy = memfd_create("guestcred", MFD_CLOEXEC);
    if (copy < 0)
        return gc_fail(err, GC_E_INTERNAL, "cannot make a file in memory: %s",
                       strerror(errno));
    if (!copy_bytes(fd, copy)) {
        (void)close(copy);
        return refuse(name, "cannot be read, or grows", FILE_HINT, err);
    }
    *ret_fd = copy;
    return GC_OK;
}

/* What FD, a cache's bytes, holds becomes what CACHE holds. */
static krb5_error_code
load(struct gc_ccache *cache, int fd)
{
    krb5_context krb5 = cache->krb5;
    krb5_ccache file = NULL;
    krb5_principal owner = NULL;
    char name[64];
    krb5_error_code code;

    /* By way of the descriptor, also where /proc/self is not ours to look at,
     * because we are not dumpable. */
    (void)snprintf(name, sizeof(name), "FILE:/proc/self/fd/%d", fd);
    code = krb5_cc_resolve(krb5, name, &file);
    if (code == 0)
        code = krb5_cc_get_principal(krb5, file, &owner);
    if (code == 0)
        code = krb5_cc_initialize(krb5, cache->cache, owner);
    if (code == 0)
        code = krb5_cc_copy_creds(krb5, file, cache->cache);
    krb5_free_principal(krb5, owner);
    if (file != NULL)
        (void)krb5_cc_close(krb5, file);
    return code;
}

static gc_status
copy_file(const char *name, const char *path, struct gc_ccache *ret_copy,
          struct gc_error *err)
{
    GC_AUTO(gc_ccache) copy = {NULL, NULL, NULL};
    DESCRIPTOR file = -1, bytes = -1;
    struct gc_verdict v = {GSS_S_FAILURE, 0, gc_mech_oid(GC_MECH_KERBEROS)};
    gc_status st = open_file(name, path, &file, err);

    if (st == GC_OK)
        st = snapshot(name, file, &bytes, err);
    if (st == GC_OK)
        st = gc_ccache_new(&copy, err);
    if (st != GC_OK)
        return st;
    v.minor = (OM_uint32)load(&copy, bytes);
    if (v.minor != 0) {
        st = gc_gssmsg_fail(
            err, v.minor == ENOMEM ? GC_E_NO_MEMORY : GC_E_NO_CREDENTIAL, &v,
            "the cache %.200s cannot be read", name);
        return gc_fail_hint(err, st, FILE_HINT);
    }
    gc_ccache_move(ret_copy, &copy);
    return GC_OK;
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
