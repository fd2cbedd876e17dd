/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The grammar of target names.  Knows no GSS-API, no DNS and no inventory.
 */
#include <config.h>

#include "gss/spn.h"

#include <stdio.h>
#include <string.h>

#define SPN_HINT                                                               \
    "write it like host/guest.example.com or "                                 \
    "host/guest.example.com@REALM"

/*
 * Copy LEN bytes of a PART, letter by letter: printable ASCII without what
 * Kerberos or SSPI would read as structure.
 */
static gc_status
take(const char *part, const char *text, size_t len, char *dst, size_t dst_size,
     struct gc_error *err)
{
    if (len == 0)
        return gc_fail(err, GC_E_CONFIG, "a target name without a %s", part);
    if (len >= dst_size)
        return gc_fail(err, GC_E_CONFIG,
                       "the target's %s is longer than %zu bytes", part,
                       dst_size - 1);
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c <= ' ' || c == 0x7f || c == '/' || c == '@' || c == '\\')
            return gc_fail(err, GC_E_CONFIG,
                           "the target's %s has a character that cannot be in "
                           "it: \"%.*s\"",
                           part, (int)len, text);
        if (c > 0x7f)
            return gc_fail(err, GC_E_CONFIG,
                           "the target's %s is not ASCII; an international "
                           "name is written xn--…: \"%.*s\"",
                           part, (int)len, text);
        dst[i] = (char)c;
    }
    dst[len] = '\0';
    return GC_OK;
}

/* Active Directory accepts HOST/; MIT's KDC does not. */
static void
lower(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

static gc_status
parse(const char *text, struct gc_spn *spn, struct gc_error *err)
{
    size_t service = strcspn(text, "/@");
    const char *host = text + service + 1;
    size_t host_len, label;
    gc_status st;

    if (text[service] == '\0')
        return gc_fail(err, GC_E_CONFIG,
                       "the target name \"%.256s\" has no service class", text);
    host_len = strcspn(host, "@");
    st = take("service class", text, service, spn->service,
              sizeof(spn->service), err);
    if (st != GC_OK)
        return st;
    if (host[host_len] == '@') {
        const char *realm = host + host_len + 1;

        st = take("realm", realm, strlen(realm), spn->realm, sizeof(spn->realm),
                  err);
        if (st != GC_OK)
            return st;
    }
    if (host_len > 0 && host[host_len - 1] == '.')
        host_len--; /* "guest.example.com." is how DNS writes it */
    st = take("host", host, host_len, spn->host, sizeof(spn->host), err);
    if (st != GC_OK)
        return st;
    for (const char *at = spn->host;; at += label + 1) {
        label = strcspn(at, ".");
        if (label == 0)
            return gc_fail(err, GC_E_CONFIG,
                           "the target's host has an empty label: \"%s\"",
                           spn->host);
        if (at[label] == '\0')
            return GC_OK;
    }
}

gc_status
gc_spn_parse(const char *text, struct gc_spn *ret_spn, struct gc_error *err)
{
    struct gc_spn spn = {{0}, {0}, {0}};
    gc_status st = parse(text, &spn, err);

    if (st != GC_OK)
        return gc_fail_hint(err, st, SPN_HINT);
    /* Both printed forms must fit, "service/host@realm" being the longest. */
    if (strlen(spn.service) + strlen(spn.host) + strlen(spn.realm) + 3
        > GC_TARGET_SIZE) {
        st =
            gc_fail(err, GC_E_CONFIG, "the target name is longer than %d bytes",
                    GC_TARGET_SIZE - 1);
        return gc_fail_hint(err, st, SPN_HINT);
    }
    lower(spn.service);
    *ret_spn = spn;
    return GC_OK;
}

/*
 * DST becomes "" where the name does not fit; parse has checked that it fits.
 */
static void
join(const struct gc_spn *spn, const char *separator, char dst[GC_TARGET_SIZE])
{
    int len = snprintf(dst, GC_TARGET_SIZE, "%s/%s%s%s", spn->service,
                       spn->host, separator, spn->realm);

    if (len < 0 || len >= GC_TARGET_SIZE)
        dst[0] = '\0';
}

void
gc_spn_print(const struct gc_spn *spn, char dst[GC_TARGET_SIZE])
{
    join(spn, spn->realm[0] == '\0' ? "" : "@", dst);
}

void
gc_spn_principal(const struct gc_spn *spn, char dst[GC_TARGET_SIZE])
{
    join(spn, "@", dst);
}
