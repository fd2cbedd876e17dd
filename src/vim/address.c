/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "src/vim/address.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct url {
    CURLU *parts;
    char *text;
    char *scheme;
    char *host;
    char *path;
    char *user;
    char *password;
    char *query;
    char *fragment;
};

static void
url_clear(struct url *url)
{
    curl_free(url->text);
    curl_free(url->scheme);
    curl_free(url->host);
    curl_free(url->path);
    curl_free(url->user);
    curl_free(url->password);
    curl_free(url->query);
    curl_free(url->fragment);
    curl_url_cleanup(url->parts);
}

#define NO_HOST "names no host that can be looked up"

#define QUOTED_MAX  60 /* bytes of an address */
#define QUOTED_SIZE (QUOTED_MAX + sizeof("…"))

/*
 * Does something else than a port stand in its place?  It may be a password,
 * whose @ was forgotten or escaped.
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
 * ADDRESS for a message: cut, and without what may be a secret, who logs in
 * there and what follows the path.  Up to the last @, for a password may hold
 * one where whoever wrote it did not escape it.
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

/* libcurl makes no more of these than we do, but only when it connects. */
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

static bool
has_part(CURLU *parts, CURLUPart which, char **ret)
{
    return curl_url_get(parts, which, ret, 0) == CURLUE_OK;
}

/* Can the host be looked up?  Its name may be in another script. */
static bool
has_host(struct url *url)
{
#ifdef CURLU_PUNYCODE
    unsigned int how = CURLU_PUNYCODE;
#else
    unsigned int how = 0;
#endif

    return curl_url_get(url->parts, CURLUPART_HOST, &url->host, how)
               == CURLUE_OK
           && url->host[0] != '\0';
}

gc_status
gc_address_proxy(const char *text, char **ret_proxy, bool *ret_tunnels,
                 struct gc_error *err)
{
    static const CURLUPart unsaid[] = {CURLUPART_USER, CURLUPART_PASSWORD,
                                       CURLUPART_PATH, CURLUPART_QUERY,
                                       CURLUPART_FRAGMENT};
    GC_AUTO(url) url = {.parts = curl_url()};
    const char *scheme = strstr(text, "://");
    const char *path = strpbrk(scheme != NULL ? scheme + 3 : text, "/?#");
    size_t len;

    if (url.parts == NULL)
        return gc_fail_no_memory(err);
    /* What libcurl takes for a path would be who logs in. */
    if (path != NULL && strchr(path, '@') != NULL)
        return bad_proxy(err, text,
                         "holds a /, ? or # before its @, to be written as "
                         "%2F, %3F or %23");
    if (curl_url_set(url.parts, CURLUPART_URL, text,
                     CURLU_NON_SUPPORT_SCHEME | CURLU_GUESS_SCHEME)
        != CURLUE_OK)
        return bad_proxy(err, text, "cannot be understood");
    if (!has_part(url.parts, CURLUPART_SCHEME, &url.scheme))
        return gc_fail_no_memory(err);
    if (!is_proxy_scheme(url.scheme, ret_tunnels))
        return bad_proxy(err, text, "is none of http, https or SOCKS");
    if (!has_host(&url))
        return bad_proxy(err, text, NO_HOST);
    for (size_t i = 0; i < GC_COUNT_OF(unsaid); i++)
        if (curl_url_set(url.parts, unsaid[i], NULL, 0) != CURLUE_OK)
            return gc_fail_no_memory(err);
    if (curl_url_get(url.parts, CURLUPART_URL, &url.text, 0) != CURLUE_OK)
        return gc_fail_no_memory(err);
    len = strlen(url.text);
    *ret_proxy = strndup(url.text, url.text[len - 1] == '/' ? len - 1 : len);
    return *ret_proxy == NULL ? gc_fail_no_memory(err) : GC_OK;
}

#define CURE_URL "write it as https://vcenter.example.com"

static gc_status
bad_url(struct gc_error *err, const char *text, const char *why)
{
    char name[QUOTED_SIZE];
    gc_status st = gc_fail(err, GC_E_CONFIG, "the vCenter URL \"%s\" %s",
                           quoted(text, name), why);

    return gc_fail_hint(err, st, CURE_URL);
}

gc_status
gc_address_url(const char *text, char **ret_url, struct gc_error *err)
{
    GC_AUTO(url) url = {.parts = curl_url()};
    size_t len;

    if (url.parts == NULL)
        return gc_fail_no_memory(err);
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
    if (curl_url_set(url.parts, CURLUPART_URL, text, CURLU_DEFAULT_SCHEME)
        != CURLUE_OK)
        return bad_url(err, text, "cannot be understood");
    if (!has_part(url.parts, CURLUPART_SCHEME, &url.scheme))
        return gc_fail_no_memory(err);
    if (strcmp(url.scheme, "https") != 0)
        return bad_url(err, text, "is not https");
    if (has_part(url.parts, CURLUPART_USER, &url.user)
        || has_part(url.parts, CURLUPART_PASSWORD, &url.password))
        return bad_url(err, text,
                       "holds a user name or password, which belong in "
                       "options of their own");
    if (has_part(url.parts, CURLUPART_QUERY, &url.query)
        || has_part(url.parts, CURLUPART_FRAGMENT, &url.fragment))
        return bad_url(err, text, "has a query or a fragment");
    if (!has_part(url.parts, CURLUPART_PATH, &url.path))
        return gc_fail_no_memory(err);
    if (strcmp(url.path, "/") != 0 && strcmp(url.path, "/sdk") != 0
        && strcmp(url.path, "/sdk/") != 0)
        return bad_url(err, text, "has a path, and none but /sdk can be meant");
    if (!has_host(&url))
        return bad_url(err, text, NO_HOST);
    if (curl_url_set(url.parts, CURLUPART_PATH, NULL, 0) != CURLUE_OK
        || curl_url_get(url.parts, CURLUPART_URL, &url.text,
                        CURLU_NO_DEFAULT_PORT)
               != CURLUE_OK)
        return gc_fail_no_memory(err);

    len = strcspn(url.text + 8, "/") + 8;
    for (size_t i = 0; i < len; i++)
        if (url.text[i] >= 'A' && url.text[i] <= 'Z')
            url.text[i] = (char)(url.text[i] - 'A' + 'a');
    *ret_url = strndup(url.text, len);
    return *ret_url == NULL ? gc_fail_no_memory(err) : GC_OK;
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

static void
free_text(char **text)
{
    free(*text);
}

gc_status
gc_address_check_url(const char *url, struct gc_error *err)
{
    __attribute__((cleanup(free_text))) char *clean = NULL;

    return gc_address_url(url, &clean, err);
}

gc_status
gc_address_check_proxy(const char *proxy, struct gc_error *err)
{
    __attribute__((cleanup(free_text))) char *clean = NULL;
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
