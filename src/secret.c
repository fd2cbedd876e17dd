/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/base/descriptor.h"
#include "src/base/utf8.h"

gc_status
gc_secret_read_some(int fd, struct gc_limit limit, const char *name, void *dst,
                    size_t size, size_t *ret_len, struct gc_error *err)
{
    gc_status st;
    ssize_t n;

    for (;;) {
        st = gc_descriptor_await(fd, limit, name, err);
        if (st == GC_E_UNAVAILABLE)
            return gc_fail(err, st, "nothing was read from %s in time", name);
        if (st != GC_OK)
            return st;
        n = read(fd, dst, size);
        if (n >= 0) {
            *ret_len = (size_t)n;
            return GC_OK;
        }
        if (errno != EINTR && errno != EAGAIN)
            return gc_fail(err, GC_E_CONFIG, "cannot read %s: %s", name,
                           strerror(errno));
    }
}

static gc_status
read_all(int fd, struct gc_limit limit, const char *name, size_t max,
         struct gc_bytes *ret_bytes, struct gc_error *err)
{
    unsigned char chunk[4096];
    GC_AUTO(gc_bytes) all = {0};
    size_t n = 0;
    gc_status st;

    do {
        st =
            gc_secret_read_some(fd, limit, name, chunk, sizeof(chunk), &n, err);
        if (st == GC_OK && n > 0 && n > max - all.len)
            st = gc_fail(err, GC_E_CONFIG, "%s is longer than %zu bytes", name,
                         max);
        if (st == GC_OK)
            st = gc_bytes_append(&all, chunk, n, max, err);
    } while (st == GC_OK && n > 0);
    explicit_bzero(chunk, sizeof(chunk));
    if (st == GC_OK)
        gc_bytes_move(ret_bytes, &all);
    return st;
}

gc_status
gc_secret_read(const char *path, bool private, size_t max,
               struct gc_limit limit, struct gc_bytes *ret_bytes,
               struct gc_error *err)
{
    const struct gc_trust trust = {
        .own = true, .root = true, .forbidden = 077, .max = max};
    GC_AUTO_FD fd = -1;
    struct stat info;
    gc_status st = GC_OK;

    if (strcmp(path, "-") == 0)
        return read_all(STDIN_FILENO, limit, "standard input", max, ret_bytes,
                        err);
    /* Without O_NONBLOCK the open of a fifo could not be interrupted. */
    fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &info) != 0)
        return gc_fail(err, GC_E_CONFIG, "cannot open %s: %s", path,
                       strerror(errno));
    if (S_ISDIR(info.st_mode))
        return gc_fail(err, GC_E_CONFIG, "%s is a directory", path);
    if (private && S_ISREG(info.st_mode))
        st = gc_trusted_check(path, &trust, &info, err);
    return st != GC_OK ? st : read_all(fd, limit, path, max, ret_bytes, err);
}

/* Editors leave bytes in a password file that nobody sees and vCenter counts as
 * a failed login. */
static gc_status
check_line(const struct gc_bytes *password, const char *name,
           struct gc_error *err)
{
    static const struct {
        char byte;
        const char *what;
    } strays[] = {
        {'\0', "holds a NUL"},
        {'\r', "holds a carriage return"},
        {'\n', "has a second line"},
    };
    const char *what = NULL;

    if (password->len >= 3 && memcmp(password->data, "\xef\xbb\xbf", 3) == 0)
        what = "begins with a byte order mark";
    for (size_t i = 0; what == NULL && i < GC_COUNT_OF(strays); i++)
        if (memchr(password->data, strays[i].byte, password->len) != NULL)
            what = strays[i].what;
    if (what == NULL)
        return GC_OK;
    (void)gc_fail(err, GC_E_CONFIG, "the password from %s %s", name, what);
    return gc_fail_hint(err, GC_E_CONFIG,
                        "save it as plain text: one line that ends in LF, no "
                        "byte order mark");
}

gc_status
gc_secret_check(const struct gc_bytes *password, const char *name, size_t max,
                struct gc_error *err)
{
    if (password->len == 0)
        return gc_fail(err, GC_E_CONFIG, "the password from %s is empty", name);
    if (password->len >= max)
        return gc_fail(err, GC_E_CONFIG,
                       "the password from %s is longer than %zu bytes", name,
                       max - 1);
    return check_line(password, name, err);
}

gc_status
gc_secret_check_text(const struct gc_bytes *password, const char *name,
                     struct gc_error *err)
{
    if (gc_utf8_is((const char *)password->data, password->len))
        return GC_OK;
    return gc_fail(err, GC_E_CONFIG, "the password from %s is not UTF-8", name);
}

gc_status
gc_secret_tidy(struct gc_bytes *password, const char *name, size_t max,
               struct gc_error *err)
{
    if (password->len > 0 && password->data[password->len - 1] == '\n')
        password->data[--password->len] = '\0';
    return gc_secret_check(password, name, max, err);
}

gc_status
gc_secret_password(const char *path, size_t max, struct gc_limit limit,
                   struct gc_bytes *ret_password, struct gc_error *err)
{
    GC_AUTO(gc_bytes) password = {0};
    const char *name = strcmp(path, "-") == 0 ? "standard input" : path;
    gc_status st;

    st = gc_secret_read(path, true, max + 1, limit, &password, err);
    if (st == GC_OK)
        st = gc_secret_tidy(&password, name, max, err);
    if (st == GC_OK)
        gc_bytes_move(ret_password, &password);
    return st;
}
