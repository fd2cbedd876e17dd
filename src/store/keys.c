/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/store/keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* How much of the quota is used, as /proc/key-users ends its lines: N/MAX. */
static void
read_quota(char keys[32], char bytes[32])
{
    char text[4096], line[32];
    int fd = open("/proc/key-users", O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    char *at = NULL, *end;

    if (fd >= 0)
        (void)close(fd);
    (void)snprintf(keys, 32, "all");
    (void)snprintf(bytes, 32, "all");
    if (n <= 0)
        return;
    text[n] = '\0';
    (void)snprintf(line, sizeof(line), "%5lu: ", (unsigned long)geteuid());
    at = strstr(text, line);
    end = at == NULL ? NULL : strchr(at, '\n');
    if (end == NULL || (at != text && at[-1] != '\n'))
        return;
    *end = '\0';
    end = strrchr(at, ' ');
    (void)snprintf(bytes, 32, "%s", end + 1);
    *end = '\0';
    (void)snprintf(keys, 32, "%s", strrchr(at, ' ') + 1);
}

gc_status
gc_keys_fail(struct gc_error *err, const char *what, int error)
{
    gc_status st = GC_E_FAILED;
    char keys[32], bytes[32];

    switch (error) {
    case ENOMEM:
        return gc_fail_no_memory(err);
    case EDQUOT:
        read_quota(keys, bytes);
        (void)gc_fail(err, st,
                      "%s: the kernel's quota of keys is used up (%s keys, %s "
                      "bytes)",
                      what, keys, bytes);
        break;
    case ENOSYS:
    case EOPNOTSUPP:
    case EPERM:
    case EACCES:
        st = GC_E_NOT_SUPPORTED;
        (void)gc_fail(err, st,
                      "%s: this kernel, or a sandbox, forbids keyrings (%s)",
                      what, strerror(error));
        break;
    default:
        (void)gc_fail(err, st, "%s: %s", what, strerror(error));
        break;
    }
    return gc_fail_hint(err, st, "use a DIR: store");
}

/* The number in BASE before the next semicolon, consumed with it. */
static bool
take_number(char **at, unsigned base, unsigned long *ret_value)
{
    static const char digits[] = "0123456789abcdef";
    const char *digit;

    *ret_value = 0;
    for (; **at != ';'; (*at)++) {
        digit = **at == '\0' ? NULL : strchr(digits, **at);
        if (digit == NULL || (size_t)(digit - digits) >= base
            || *ret_value > UINT32_MAX)
            return false;
        *ret_value = *ret_value * base + (unsigned long)(digit - digits);
    }
    (*at)++;
    return true;
}

bool
gc_keys_describe(key_serial_t key, struct gc_key_described *d)
{
    long n = keyctl_describe(key, d->text, sizeof(d->text));
    unsigned long gid;
    char *at;

    if (n < 0)
        return false;
    errno = EBADMSG;
    if ((size_t)n > sizeof(d->text))
        return false;
    at = strchr(d->text, ';');
    if (at == NULL)
        return false;
    *at++ = '\0';
    d->type = d->text;
    if (!take_number(&at, 10, &d->uid) || !take_number(&at, 10, &gid)
        || !take_number(&at, 16, &d->mode))
        return false;
    d->name = at;
    return true;
}

gc_status
gc_keys_list(key_serial_t ring, key_serial_t **ret_serials, size_t *ret_count,
             struct gc_error *err)
{
    void *data = NULL;
    long size = keyctl_read_alloc(ring, &data);

    if (size < 0)
        return gc_keys_fail(err, "cannot read a keyring", errno);
    *ret_serials = data;
    *ret_count = (size_t)size / sizeof(key_serial_t);
    return GC_OK;
}

/* keyctl_search would go into the keyrings below. */
gc_status
gc_keys_find(key_serial_t ring, const char *type, const char *name,
             key_serial_t *ret_key, struct gc_key_described *ret_described,
             struct gc_error *err)
{
    key_serial_t *serials = NULL, key = 0;
    size_t count = 0;
    gc_status st = gc_keys_list(ring, &serials, &count, err);

    for (size_t i = 0; st == GC_OK && i < count && key == 0; i++)
        if (gc_keys_describe(serials[i], ret_described)
            && strcmp(ret_described->type, type) == 0
            && strcmp(ret_described->name, name) == 0)
            key = serials[i];
    free(serials);
    if (st != GC_OK)
        return st;
    if (key == 0)
        return gc_fail(err, GC_E_NOT_FOUND, "there is no keyring %s", name);
    *ret_key = key;
    return GC_OK;
}

key_serial_t
gc_keys_prepare(const char *type, const char *name, const void *data,
                size_t len)
{
    key_serial_t key = add_key(type, name, data, len, KEY_SPEC_THREAD_KEYRING);

    if (key < 0 || keyctl_setperm(key, KEY_POS_ALL) == 0)
        return key;
    gc_keys_drop(key);
    return -1;
}

void
gc_keys_drop(key_serial_t key)
{
    int saved = errno;

    (void)keyctl_unlink(key, KEY_SPEC_THREAD_KEYRING);
    errno = saved;
}

bool
gc_keys_place(key_serial_t key, key_serial_t ring)
{
    return keyctl_move(key, KEY_SPEC_THREAD_KEYRING, ring, KEYCTL_MOVE_EXCL)
           == 0;
}

key_serial_t
gc_keys_make(key_serial_t ring, const char *type, const char *name,
             const void *data, size_t len)
{
    key_serial_t key = gc_keys_prepare(type, name, data, len);

    if (key < 0 || gc_keys_place(key, ring))
        return key;
    gc_keys_drop(key);
    return -1;
}

/*
 * What is under the user's keyring is ours to read only if that hangs under a
 * keyring of this process as well.
 */
gc_status
gc_keys_anchor(const char *anchor, size_t len, key_serial_t *ret_ring,
               struct gc_error *err)
{
    if (len == 7 && strncmp(anchor, "session", len) == 0) {
        *ret_ring = KEY_SPEC_SESSION_KEYRING;
        return GC_OK;
    }
    if (len == 4 && strncmp(anchor, "user", len) == 0) {
        *ret_ring = KEY_SPEC_USER_KEYRING;
        if (keyctl_link(KEY_SPEC_USER_KEYRING, KEY_SPEC_PROCESS_KEYRING) < 0)
            return gc_keys_fail(err, "the user's keyring", errno);
        return GC_OK;
    }
    if (len == 10 && strncmp(anchor, "persistent", len) == 0) {
        long ring = keyctl_get_persistent((uid_t)-1, KEY_SPEC_PROCESS_KEYRING);

        if (ring < 0)
            return gc_keys_fail(err, "the persistent keyring", errno);
        *ret_ring = (key_serial_t)ring;
        return GC_OK;
    }
    return gc_fail(err, GC_E_CONFIG,
                   "a keyring's anchor is session, user or persistent");
}
