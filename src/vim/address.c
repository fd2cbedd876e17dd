/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/vim/address.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "src/base/bytes.h"

#define HOST_MAX 253 /* bytes of a DNS name */

/* "[scheme://][login@]host[:port][rest]", taken apart. */
struct address {
    char scheme[sizeof("socks5h")]; /* lower case; "" if none is written */
    char host[HOST_MAX + 1];        /* lower case, an IPv6 one in brackets */
    char port[sizeof(":65535")];    /* with its colon, or "" */
    bool has_login;
    const char *rest; /* from the path on; borrowed */
};

#define QUOTED_MAX  60 /* bytes of an address */
#define QUOTED_SIZE (QUOTED_MAX + sizeof("…"))

/*
 * Is there something else in the port's place?  It may be a password whose @
 * was forgotten or escaped.
 */
static bool
may_log_in(const char *host)
{
    static const char address[] = "0123456789abcdefABCDEF:.%", end[] = "/?#";
    const char *after;

    if (host[0] == '[')
        host += 1 + strspn(host + 1, address);
    host += strcspn(host, ":/?#");
    if (host[0] != ':')
        return false;
    after = host + 1 + strspn(host + 1, "0123456789");
    return after[0] != '\0' && strchr(end, after[0]) == NULL;
}

/*
 * ADDRESS for a message: cut, and without what may be secret: the login and
 * what follows the path.  The login ends at the last @, since a password may
 * hold one that was not escaped.
 */
static const char *
quoted(const char *address, char dst[QUOTED_SIZE])
{
    size_t scheme = strspn(address, "abcdefghijklmnopqrstuvwxyz"
                                    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789+-.");
    const char *from, *at;
    size_t n, max = QUOTED_MAX;
    int len;

    scheme += strncmp(address + scheme, "://", 3) == 0 ? 3 : 0;
    if (scheme < 3 || address[scheme - 1] != '/')
        scheme = 0;
    at = strrchr(address + scheme, '@');
    from = at != NULL ? at : address + scheme;
    if (may_log_in(at != NULL ? at + 1 : from)) {
        (void)snprintf(dst, QUOTED_SIZE, "%.*s***",
                       (int)(scheme < 16 ? scheme : 0), address);
        return dst;
    }
    for (n = 0;
         (unsigned char)from[n] >= 0x20 && from[n] != '?' && from[n] != '#';)
        n++;
    len = snprintf(dst, QUOTED_MAX + 2, "%.*s%s%.*s", (int)scheme, address,
                   at != NULL ? "***" : "", (int)n, from);
    if (len <= QUOTED_MAX && from[n] == '\0')
        return dst;
    if (len < QUOTED_MAX)
        max = (size_t)len;
    /* Not in the middle of a character. */
    while (len > QUOTED_MAX && max > 0
           && ((unsigned char)dst[max] & 0xc0) == 0x80)
        max--;
    memcpy(dst + max, "…", sizeof("…"));
    return dst;
}

static gc_status
bad_proxy(struct gc_error *err, const char *text, const char *why)
{
    char name[QUOTED_SIZE];
    gc_status st = gc_fail(err, GC_E_CONFIG, "the proxy \"%s\" %s",
                           quoted(text, name), why);

    return gc_fail_hint(err, st, "write it as http://proxy.example.com:3128");
}

static void
lower(char *text)
{
    for (; *text != '\0'; text++)
        if (*text >= 'A' && *text <= 'Z')
            *text = (char)(*text - 'A' + 'a');
}

/* A bare number is an address that programs read in several ways. */
static bool
is_number(const char *label)
{
    size_t digits = strspn(label, "0123456789");

    if (label[0] == '0' && label[1] == 'x')
        digits = 2 + strspn(label + 2, "0123456789abcdef");
    return label[digits] == '\0';
}

/* A DNS name in lower case: labels of at most 63 bytes, the last no number. */
static bool
is_name(const char *host)
{
    const char *last = host;
    size_t len;

    for (;;) {
        len = strspn(last, "abcdefghijklmnopqrstuvwxyz0123456789-_");
        if (len == 0 || len > 63)
            return false;
        if (last[len] == '\0')
            return !is_number(last);
        if (last[len] != '.')
            return false;
        last += len + 1;
    }
}

/* Bring HOST into the one form in which it is printed and asked for. */
static bool
take_host(char host[HOST_MAX + 1])
{
    struct in6_addr six;
    struct in_addr four;
    size_t len = strlen(host);

    lower(host);
    if (host[0] != '[')
        return is_name(host) || inet_pton(AF_INET, host, &four) == 1;
    host[len - 1] = '\0';
    if (inet_pton(AF_INET6, host + 1, &six) != 1
        || inet_ntop(AF_INET6, &six, host + 1, HOST_MAX - 1) == NULL)
        return false;
    memcpy(host + strlen(host), "]", sizeof("]"));
    return true;
}

static bool
take_port(struct address *a, const char *text, size_t len)
{
    int port = 0;

    if (len == 0)
        return true;
    if (text[0] != ':')
        return false;
    for (size_t i = 1; i < len; i++) {
        if (text[i] < '0' || text[i] > '9' || port > 65535)
            return false;
        port = port * 10 + (text[i] - '0');
    }
    if (port < 1 || port > 65535)
        return false;
    (void)snprintf(a->port, sizeof(a->port), ":%d", port);
    return true;
}

/*
 * Take TEXT apart; false where readers could differ on which host it names, and
 * then the scheme alone is certain.
 */
static bool
read_address(const char *text, struct address *a)
{
    const char *mark = strstr(text, "://"), *at, *end, *host;
    size_t len = 0;

    *a = (struct address){.host = ""};
    for (const char *c = text; *c != '\0'; c++)
        if ((unsigned char)*c <= 0x20 || *c == 0x7f)
            return false;
    host = text;
    if (mark != NULL && mark == text + strcspn(text, "/?#@[") - 1) {
        len = (size_t)(mark - text);
        if (len == 0 || len >= sizeof(a->scheme))
            return false;
        memcpy(a->scheme, text, len);
        lower(a->scheme);
        host = mark + 3;
    }
    a->rest = end = host + strcspn(host, "/?#");
    at = memchr(host, '@', (size_t)(end - host));
    a->has_login = at != NULL;
    if (at != NULL)
        host = at + 1;
    len = strcspn(host, host[0] == '[' ? "]/?#" : ":/?#");
    len += host[0] == '[' && host[len] == ']' ? 1 : 0;
    if (len == 0 || len > HOST_MAX || host + len > end
        || (host[0] == '[' && host[len - 1] != ']'))
        return false;
    memcpy(a->host, host, len);
    return take_host(a->host)
           && take_port(a, host + len, (size_t)(end - host) - len);
}

static gc_status
write_address(const struct address *a, const char *scheme, const char *port,
              char **ret_text, struct gc_error *err)
{
    size_t size = strlen(scheme) + strlen(a->host) + sizeof(":65535://");

    *ret_text = malloc(size);
    if (*ret_text == NULL)
        return gc_fail_no_memory(err);
    (void)snprintf(*ret_text, size, "%s://%s%s", scheme, a->host, port);
    return GC_OK;
}

/* libcurl cannot use these either, but says so only when it connects. */
static bool
is_proxy_scheme(const char *scheme, bool *ret_tunnels)
{
    static const char *const schemes[] = {
        "http", "https", "socks", "socks4", "socks4a", "socks5", "socks5h"};

    *ret_tunnels = strncmp(scheme, "http", 4) == 0;
    for (size_t i = 0; i < GC_COUNT_OF(schemes); i++)
        if (strcmp(scheme, schemes[i]) == 0)
            return true;
    return false;
}

gc_status
gc_address_proxy(const char *text, char **ret_proxy, bool *ret_tunnels,
                 struct gc_error *err)
{
    const char *scheme = strstr(text, "://");
    const char *path = strpbrk(scheme != NULL ? scheme + 3 : text, "/?#");
    struct address a;

    if (path != NULL && strchr(path, '@') != NULL)
        return bad_proxy(err, text,
                         "holds a /, ? or # before its @, to be written as "
                         "%2F, %3F or %23");
    if (!read_address(text, &a) || (a.rest[0] != '\0' && strcmp(a.rest, "/")))
        return bad_proxy(err, text, "cannot be understood");
    if (!is_proxy_scheme(a.scheme, ret_tunnels))
        return bad_proxy(err, text, "is none of http://, https:// or SOCKS");
    return write_address(&a, a.scheme, a.port, ret_proxy, err);
}

#define CURE_URL                                                               \
    "write it as https://vcenter.example.com, https://192.0.2.1 or "           \
    "https://[2001:db8::1]"

static gc_status
bad_url(struct gc_error *err, const char *text, const char *why)
{
    char name[QUOTED_SIZE];
    gc_status st = gc_fail(err, GC_E_CONFIG, "the vCenter URL \"%s\" %s",
                           quoted(text, name), why);

    return gc_fail_hint(err, st, CURE_URL);
}

/* What vCenter's own links and tools write behind the host. */
static bool
is_vcenters(const char *rest)
{
    static const char *const paths[] = {"/sdk", "/ui", "/vsphere-client"};

    if (rest[0] == '\0' || strcmp(rest, "/") == 0)
        return true;
    for (size_t i = 0; i < GC_COUNT_OF(paths); i++) {
        size_t len = strlen(paths[i]);

        if (strncmp(rest, paths[i], len) == 0
            && strchr("/?#", rest[len]) != NULL)
            return true;
    }
    return false;
}

gc_status
gc_address_url(const char *text, char **ret_url, struct gc_error *err)
{
    struct address a;
    bool understood;

    if (text == NULL || text[0] == '\0') {
        (void)gc_fail(err, GC_E_CONFIG, "the vCenter URL is missing");
        return gc_fail_hint(err, GC_E_CONFIG, CURE_URL);
    }
    if (strncasecmp(text, "http://", 7) == 0) {
        (void)gc_fail(err, GC_E_UNTRUSTED,
                      "the vCenter URL is plain http: nothing would prove who "
                      "answers, and everybody could read along");
        return gc_fail_hint(err, GC_E_UNTRUSTED, "use https://");
    }
    understood = read_address(text, &a);
    if (a.scheme[0] != '\0' && strcmp(a.scheme, "https") != 0)
        return bad_url(err, text, "is not https");
    if (!understood)
        return bad_url(err, text, "cannot be understood");
    if (a.has_login)
        return bad_url(err, text,
                       "holds a user name or password, which belong in "
                       "options of their own");
    if (!is_vcenters(a.rest))
        return bad_url(err, text,
                       "has a path that is none of vCenter's (/sdk, /ui)");
    return write_address(&a, "https", strcmp(a.port, ":443") == 0 ? "" : a.port,
                         ret_url, err);
}

/*
 * "sha256//" and 32 bytes as base64, one or more with ';' between.  libcurl
 * takes anything else for the name of a file.
 */
static bool
is_pin(const char *pin)
{
    static const char prefix[] = "sha256//";
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                   "abcdefghijklmnopqrstuvwxyz0123456789+/";

    for (;;) {
        if (strncmp(pin, prefix, strlen(prefix)) != 0)
            return false;
        pin += strlen(prefix);
        if (strspn(pin, alphabet) != 43 || pin[43] != '=')
            return false;
        pin += 44;
        if (*pin == '\0')
            return true;
        if (*pin++ != ';')
            return false;
    }
}

gc_status
gc_address_check_url(const char *url, struct gc_error *err)
{
    GC_AUTO_TEXT clean = NULL;

    return gc_address_url(url, &clean, err);
}

gc_status
gc_address_check_proxy(const char *proxy, struct gc_error *err)
{
    GC_AUTO_TEXT clean = NULL;
    bool tunnels;

    return gc_address_proxy(proxy, &clean, &tunnels, err);
}

gc_status
gc_address_check_pin(const char *pin, struct gc_error *err)
{
    char name[QUOTED_SIZE];

    if (is_pin(pin))
        return GC_OK;
    return gc_fail(err, GC_E_CONFIG,
                   "the pin \"%s\" is not sha256// and 44 characters of base64",
                   quoted(pin, name));
}
