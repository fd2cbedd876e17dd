/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS to one server as one identity, on one connection of libcurl's.
 *
 * Owns trust, the deadline, cancelling, the limits on a reply, and the promise
 * that a POST is never sent twice.  Does not know what a status or a body
 * means.  libcurl is driven through its multi interface because only there can
 * our own descriptor end a wait.
 */

#include <config.h>

#include "src/vim/http.h"

#include <curl/curl.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "src/vim/address.h"

#define HEADERS_MAX      128
#define HEADER_BYTES_MAX (64 * 1024)
#define SESSION_MAX      256 /* vCenter's has 40 */
#define SESSION_HEADER   "vmware-api-session-id"

/* Why one of our callbacks stopped a transfer, or will refuse its reply. */
enum refusal { NONE, BODY_TOO_LARGE, TOO_MANY_HEADERS, BAD_SESSION, NO_MEMORY };

/* One request on its way; what libcurl's callbacks see. */
struct transfer {
    const struct gc_bytes *body; /* borrowed, or NULL */
    struct gc_http_reply *reply; /* borrowed */
    size_t headers;
    size_t header_bytes;
    enum refusal refusal;
};

struct gc_http {
    CURLM *multi;
    CURL *easy;
    char *url;
    char *proxy;   /* "the proxy http://host:port to URL", or NULL */
    bool tunnels;  /* that proxy speaks HTTP; otherwise it is SOCKS's */
    bool spoke;    /* a request was made, with whatever outcome */
    char *ca_file; /* NULL: none was named, and it is the machine's */
    bool pinned;   /* the server's key must be a certain one, besides */
    void (*trace)(void *user, const char *line);
    void *trace_user;
    struct transfer transfer;
    char detail[CURL_ERROR_SIZE];
};

/* The header list holds the session id: wiped before it is freed. */
struct header_list {
    struct curl_slist *first;
};

static void
header_list_clear(struct header_list *list)
{
    for (struct curl_slist *h = list->first; h != NULL; h = h->next)
        explicit_bzero(h->data, strlen(h->data));
    curl_slist_free_all(list->first);
    list->first = NULL;
}

void
gc_http_reply_clear(struct gc_http_reply *reply)
{
    gc_bytes_clear(&reply->body);
    gc_bytes_clear(&reply->session);
    *reply = (struct gc_http_reply){0};
}

/*
 * libcurl's callbacks
 */

/* The next attempt at a connection that is up. */
static int
on_request(void *user, char *ip, char *local_ip, int port, int local_port)
{
    struct transfer *t = user;
    bool again = t->reply->sent;

    (void)ip, (void)local_ip, (void)port, (void)local_port;
    t->reply->sent = true;
    /*
     * libcurl repeats a request by itself when a reused connection turns out to
     * be dead.  For a GET that is welcome.
     */
    return again && t->body != NULL ? CURL_PREREQFUNC_ABORT
                                    : CURL_PREREQFUNC_OK;
}

/*
 * The second guard of the same promise: once a POST may be on its way no other
 * connection is made for it.  And libcurl's own sockets would survive an exec.
 */
static curl_socket_t
on_socket(void *user, curlsocktype purpose, struct curl_sockaddr *address)
{
    const struct transfer *t = user;

    (void)purpose;
    if (t->reply->sent && t->body != NULL)
        return CURL_SOCKET_BAD;
    return socket(address->family, address->socktype | SOCK_CLOEXEC,
                  address->protocol);
}

static size_t
on_body(char *data, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    gc_status st;

    st = gc_bytes_append(&t->reply->body, data, size * count, GC_HTTP_BODY_MAX,
                         NULL);
    if (st == GC_OK)
        return size * count;
    t->refusal = st == GC_E_NO_MEMORY ? NO_MEMORY : BODY_TOO_LARGE;
    return 0;
}

/* If LINE is the header NAME: its value without the space around it. */
static bool
header_is(const char *line, size_t len, const char *name,
          const char **ret_value, size_t *ret_len)
{
    size_t n = strlen(name);

    if (len <= n || strncasecmp(line, name, n) != 0 || line[n] != ':')
        return false;
    for (n++; n < len && strchr(" \t", line[n]) != NULL; n++)
        ;
    while (len > n && strchr(" \t\r\n", line[len - 1]) != NULL)
        len--;
    *ret_value = line + n;
    *ret_len = len - n;
    return true;
}

static enum gc_http_type
media_type(const char *value, size_t len)
{
    static const struct {
        const char *name;
        enum gc_http_type type;
    } types[] = {
        {"application/json", GC_HTTP_JSON},
        {"text/html", GC_HTTP_HTML},
        {"application/xhtml+xml", GC_HTTP_HTML},
        {"text/xml", GC_HTTP_XML},
        {"application/xml", GC_HTTP_XML},
        {"application/soap+xml", GC_HTTP_XML},
    };
    const char *end = memchr(value, ';', len);

    if (end != NULL)
        len = (size_t)(end - value);
    while (len > 0 && strchr(" \t", value[len - 1]) != NULL)
        len--;
    for (size_t i = 0; i < GC_COUNT_OF(types); i++)
        if (len == strlen(types[i].name)
            && strncasecmp(value, types[i].name, len) == 0)
            return types[i].type;
    return GC_HTTP_OTHER;
}

/* It goes into a request header again: nothing but printable ASCII. */
static void
keep_session(struct transfer *t, const char *value, size_t len)
{
    bool good = len > 0 && len <= SESSION_MAX;

    for (size_t i = 0; good && i < len; i++)
        good = value[i] > 0x20 && value[i] < 0x7f;
    if (!good)
        t->refusal = BAD_SESSION;
    else if (gc_bytes_set(&t->reply->session, value, len, NULL) != GC_OK)
        t->refusal = NO_MEMORY;
}

static size_t
on_header(char *line, size_t size, size_t count, void *user)
{
    struct transfer *t = user;
    size_t len = size * count, value_len;
    const char *value;

    t->header_bytes += len;
    if (++t->headers > HEADERS_MAX || t->header_bytes > HEADER_BYTES_MAX) {
        t->refusal = TOO_MANY_HEADERS;
        return 0;
    }
    if (len > 5 && strncmp(line, "HTTP/", 5) == 0) {
        /* What came with an interim reply (1xx) is not the reply's. */
        t->reply->type = GC_HTTP_NONE;
        gc_bytes_clear(&t->reply->session);
        t->refusal = NONE;
    } else if (header_is(line, len, "content-type", &value, &value_len)) {
        t->reply->type = media_type(value, value_len);
    } else if (header_is(line, len, SESSION_HEADER, &value, &value_len)) {
        keep_session(t, value, value_len);
    }
    return len;
}

/*
 * Making one
 */

static gc_status
take_ca_file(struct gc_http *http, const char *path, struct gc_error *err)
{
    gc_status st = gc_http_check_ca_file(path, err);

    if (st != GC_OK)
        return st;
    http->ca_file = strdup(path);
    return http->ca_file == NULL ? gc_fail_no_memory(err) : GC_OK;
}

static gc_status
take_proxy(struct gc_http *http, const char *text, struct gc_error *err)
{
    GC_AUTO_TEXT proxy = NULL;
    size_t size;
    gc_status st = gc_address_proxy(text, &proxy, &http->tunnels, err);

    if (st != GC_OK)
        return st;
    size = strlen(proxy) + strlen(http->url) + sizeof("the proxy  to ");
    http->proxy = malloc(size);
    if (http->proxy == NULL)
        return gc_fail_no_memory(err);
    (void)snprintf(http->proxy, size, "the proxy %s to %s", proxy, http->url);
    return GC_OK;
}

/* A long option to set, as most are. */
struct choice {
    CURLoption option;
    long value;
};

static bool
choose(CURL *easy, const struct choice *choices, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (curl_easy_setopt(easy, choices[i].option, choices[i].value)
            != CURLE_OK)
            return false;
    return true;
}

static bool
set_trust(CURL *easy, const struct gc_http_options *o)
{
    /* A pin is a whole proof by itself: no CA is asked where none is named. */
    bool verify = !o->insecure && (o->pin == NULL || o->ca_file != NULL);
    const struct choice choices[] = {
        {CURLOPT_SSL_VERIFYPEER, verify ? 1 : 0},
        {CURLOPT_SSL_VERIFYHOST, verify ? 2 : 0},
        {CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2},
        /* One connection: no TLS session to resume, no old proof to reuse. */
        {CURLOPT_SSL_SESSIONID_CACHE, 0},
    };

    if (!choose(easy, choices, GC_COUNT_OF(choices)))
        return false;
    if (o->pin != NULL
        && curl_easy_setopt(easy, CURLOPT_PINNEDPUBLICKEY, o->pin) != CURLE_OK)
        return false;
    /*
     * Unless it is cleared, the built-in directory is trusted beside the file.
     */
    return o->ca_file == NULL
           || (curl_easy_setopt(easy, CURLOPT_CAINFO, o->ca_file) == CURLE_OK
               && curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK);
}

/* Set what libcurl would take from the environment or the user's files. */
static bool
set_habits(CURL *easy, const struct gc_http_options *o)
{
    static const struct choice choices[] = {
        {CURLOPT_FOLLOWLOCATION, 0},
        {CURLOPT_NETRC, CURL_NETRC_IGNORED},
        {CURLOPT_NOSIGNAL, 1},
        {CURLOPT_PATH_AS_IS, 1},
        {CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1},
#if LIBCURL_VERSION_NUM >= 0x075700
        /* Without it a dead name server holds us beyond the deadline. */
        {CURLOPT_QUICK_EXIT, 1},
#endif
    };
    const char *proxy = o->proxy != NULL ? o->proxy : "";

    return choose(easy, choices, GC_COUNT_OF(choices))
           && curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_PROXY, proxy) == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_NOPROXY, "") == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_USERAGENT,
                               PACKAGE_NAME "/" PACKAGE_VERSION)
                  == CURLE_OK;
}

static bool
set_callbacks(struct gc_http *http)
{
    static const CURLoption data[] = {CURLOPT_PREREQDATA,
                                      CURLOPT_OPENSOCKETDATA,
                                      CURLOPT_HEADERDATA, CURLOPT_WRITEDATA};
    CURL *easy = http->easy;

    for (size_t i = 0; i < GC_COUNT_OF(data); i++)
        if (curl_easy_setopt(easy, data[i], &http->transfer) != CURLE_OK)
            return false;
    return curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, http->detail) == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, on_request)
                  == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket)
                  == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header)
                  == CURLE_OK
           && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body)
                  == CURLE_OK;
}

gc_status
gc_http_check_ca_file(const char *ca_file, struct gc_error *err)
{
    struct stat info;

    if (access(ca_file, R_OK) != 0 || stat(ca_file, &info) != 0)
        return gc_fail(err, GC_E_CONFIG, "cannot read the CA file %s: %s",
                       ca_file, strerror(errno));
    if (S_ISDIR(info.st_mode))
        return gc_fail(err, GC_E_CONFIG, "the CA file %s is a directory",
                       ca_file);
    return GC_OK;
}

static bool libcurl_started;

/* Never undone: others in the process may use libcurl, too. */
static void
start_libcurl(void)
{
    libcurl_started = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

gc_status
gc_http_new(const struct gc_http_options *options, struct gc_http **ret_http,
            struct gc_error *err)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    GC_AUTO_PTR(gc_http) http = NULL;
    gc_status st;

    (void)pthread_once(&once, start_libcurl);
    if (!libcurl_started)
        return gc_fail(err, GC_E_INTERNAL, "libcurl cannot be initialised");
    http = calloc(1, sizeof(*http));
    if (http == NULL)
        return gc_fail_no_memory(err);
    st = gc_address_url(options->url, &http->url, err);
    if (st != GC_OK)
        return st;
    http->pinned = options->pin != NULL;
    if (http->pinned)
        st = gc_address_check_pin(options->pin, err);
    /* libcurl reads no CA file where it verifies nothing. */
    if (st == GC_OK && options->ca_file != NULL && !options->insecure)
        st = take_ca_file(http, options->ca_file, err);
    if (st == GC_OK && options->proxy != NULL && options->proxy[0] != '\0')
        st = take_proxy(http, options->proxy, err);
    if (st != GC_OK)
        return st;

    http->trace = options->trace;
    http->trace_user = options->trace_user;
    http->multi = curl_multi_init();
    http->easy = curl_easy_init();
    if (http->multi == NULL || http->easy == NULL)
        return gc_fail_no_memory(err);
    if (!set_trust(http->easy, options) || !set_habits(http->easy, options)
        || !set_callbacks(http))
        return gc_fail(err, GC_E_INTERNAL, "libcurl refuses an option");
    *ret_http = GC_TAKE(http);
    return GC_OK;
}

const char *
gc_http_url(const struct gc_http *http)
{
    return http->url;
}

bool
gc_http_spoke(const struct gc_http *http)
{
    return http->spoke;
}

/*
 * libcurl leaves SIGPIPE to us (CURLOPT_NOSIGNAL).  It is held back in this
 * thread while libcurl works, and swallowed if it was not there before.
 */
struct quiet {
    sigset_t before;
    bool held;
};

static void
quiet_begin(struct quiet *q)
{
    sigset_t pipe, pending;

    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    q->held = sigpending(&pending) == 0 && !sigismember(&pending, SIGPIPE)
              && pthread_sigmask(SIG_BLOCK, &pipe, &q->before) == 0;
}

static void
quiet_clear(struct quiet *q)
{
    const struct timespec now = {0};
    sigset_t pipe;

    if (!q->held)
        return;
    (void)sigemptyset(&pipe);
    (void)sigaddset(&pipe, SIGPIPE);
    while (sigtimedwait(&pipe, NULL, &now) == -1 && errno == EINTR)
        ;
    (void)pthread_sigmask(SIG_SETMASK, &q->before, NULL);
}

void
gc_http_free(struct gc_http *http)
{
    GC_AUTO(quiet) quiet = {.held = false};

    if (http == NULL)
        return;
    quiet_begin(&quiet);
    curl_easy_cleanup(http->easy);
    (void)curl_multi_cleanup(http->multi);
    free(http->url);
    free(http->proxy);
    free(http->ca_file);
    free(http);
}

/*
 * What went wrong
 */

#define NO_HTTP    "what answers there does not speak HTTP/1.1"
#define NOT_RESENT "the connection broke under the request, which is not resent"
#define WRONG_NAME "its certificate is for another name"
#define CURE_NAME  "give the URL with a name that the certificate carries"
#define WRONG_CA   "its certificate comes from a CA that is not trusted"
#define CURE_HOST                                                              \
    "write it as https://vcenter.example.com, and a name of other letters as " \
    "DNS has it, xn--..."
#define NO_CA WRONG_CA ": this machine knows no CA"

static const struct reason {
    long code;
    gc_status status;
    const char *text; /* after "https://host: " */
    const char *hint;
} reasons[] = {
    {CURLE_COULDNT_RESOLVE_HOST, GC_E_UNAVAILABLE,
     "its name cannot be resolved", "check the URL and this machine's DNS"},
    {CURLE_COULDNT_RESOLVE_PROXY, GC_E_UNAVAILABLE,
     "its name cannot be resolved", ""},
    {CURLE_PROXY, GC_E_UNAVAILABLE, "it made no connection", ""},
    {CURLE_URL_MALFORMAT, GC_E_CONFIG,
     "a name in that URL, or the proxy's, cannot be looked up", CURE_HOST},
    {CURLE_COULDNT_CONNECT, GC_E_UNAVAILABLE, "cannot connect",
     "check that vCenter is up and that its port can be reached from here"},
    {CURLE_GOT_NOTHING, GC_E_UNAVAILABLE,
     "the connection was closed before a reply came", ""},
    {CURLE_PARTIAL_FILE, GC_E_UNAVAILABLE,
     "the connection was closed in the middle of the reply", ""},
    {CURLE_SEND_ERROR, GC_E_UNAVAILABLE,
     "the connection broke while the request was sent", ""},
    {CURLE_RECV_ERROR, GC_E_UNAVAILABLE,
     "the connection broke before the reply was whole", ""},
    {CURLE_ABORTED_BY_CALLBACK, GC_E_UNAVAILABLE, NOT_RESENT, ""},
    {CURLE_OPERATION_TIMEDOUT, GC_E_UNAVAILABLE, "no connection in time", ""},
    {CURLE_SSL_CONNECT_ERROR, GC_E_UNAVAILABLE,
     "the connection broke while TLS was set up", ""},
    {CURLE_SSL_PINNEDPUBKEYNOTMATCH, GC_E_UNTRUSTED,
     "its public key is not the pinned one",
     "somebody may be in between; if its certificate was renewed, find out "
     "the new key in a way that you trust, and change the pin"},
    {CURLE_UNSUPPORTED_PROTOCOL, GC_E_PROTOCOL, NO_HTTP, "check host and port"},
    {CURLE_WEIRD_SERVER_REPLY, GC_E_PROTOCOL, NO_HTTP, "check host and port"},
    {CURLE_OUT_OF_MEMORY, GC_E_NO_MEMORY, "out of memory", ""},
};

/* OpenSSL's verification results (X509_V_ERR_...) that have a cure. */
static const struct verdict {
    long code;
    enum gc_advice advice; /* or HINT */
    const char *text;      /* after "https://host: " */
    const char *hint;
} verdicts[] = {
    /* The chain was fine (0), or libcurl has not got so far (1). */
    {0, GC_ADVICE_NONE, WRONG_NAME, CURE_NAME},
    {1, GC_ADVICE_NONE, WRONG_NAME, CURE_NAME},
    {2, GC_ADVICE_CA, WRONG_CA, ""},
    {9, GC_ADVICE_NONE, "its certificate is not valid yet",
     "compare this machine's clock with vCenter's"},
    {10, GC_ADVICE_NONE, "its certificate has expired",
     "renew it in vCenter, or set this machine's clock"},
    {18, GC_ADVICE_SELF_SIGNED,
     "its certificate is self-signed and not trusted", ""},
    {19, GC_ADVICE_CA, WRONG_CA, ""},
    {20, GC_ADVICE_CA, WRONG_CA, ""},
    {21, GC_ADVICE_CA, WRONG_CA, ""},
};

static const struct reason *
find_reason(long code)
{
    for (size_t i = 0; i < GC_COUNT_OF(reasons); i++)
        if (reasons[i].code == code)
            return &reasons[i];
    return NULL;
}

static const struct verdict *
find_verdict(long code)
{
    for (size_t i = 0; i < GC_COUNT_OF(verdicts); i++)
        if (verdicts[i].code == code)
            return &verdicts[i];
    return NULL;
}

/* Did it end before the proxy, if there is one, had made the connection? */
static bool
ended_at_proxy(const struct gc_http *http, CURLcode code)
{
    long answer = 0;

    if (http->proxy == NULL || http->transfer.reply->sent
        || code == CURLE_URL_MALFORMAT)
        return false;
    if (code == CURLE_COULDNT_RESOLVE_PROXY || code == CURLE_PROXY)
        return true;
    if (!http->tunnels)
        return code == CURLE_COULDNT_CONNECT;
    (void)curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &answer);
    return answer == 0;
}

static gc_status
unverified(const struct gc_http *http, struct gc_error *err)
{
    bool at_proxy = ended_at_proxy(http, CURLE_PEER_FAILED_VERIFICATION);
    const char *who = at_proxy ? http->proxy : http->url;
    const struct verdict *why;
    long verdict = 0;

    (void)curl_easy_getinfo(http->easy,
                            at_proxy ? CURLINFO_PROXY_SSL_VERIFYRESULT
                                     : CURLINFO_SSL_VERIFYRESULT,
                            &verdict);
    why = find_verdict(verdict);
    if (why == NULL)
        return gc_fail(err, GC_E_UNTRUSTED,
                       "%s: its certificate was refused (%ld)", who, verdict);
    (void)gc_fail(err, GC_E_UNTRUSTED, "%s: %s", who, why->text);
    if (at_proxy)
        return gc_fail_advise(err, GC_E_UNTRUSTED, GC_ADVICE_PROXY_TLS);
    if (why->advice == GC_ADVICE_NONE)
        return gc_fail_hint(err, GC_E_UNTRUSTED, "%s", why->hint);
    if (!http->pinned)
        return gc_fail_advise(err, GC_E_UNTRUSTED, why->advice);
    (void)gc_fail(err, GC_E_UNTRUSTED,
                  "%s: %s, says the CA file %s; the pin was not looked at", who,
                  why->text, http->ca_file);
    return gc_fail_advise(err, GC_E_UNTRUSTED, GC_ADVICE_CA_BEFORE_PIN);
}

/*
 * Did OpenSSL fail, and not the connection?  Some releases of libcurl report a
 * connection that was closed as an error of OpenSSL's.
 */
static bool
is_tls_refusal(const char *detail)
{
    return strstr(detail, "SSL routines") != NULL
           && strstr(detail, "unexpected eof") == NULL;
}

static gc_status
explain(const struct gc_http *http, CURLcode code, struct gc_error *err)
{
    bool sent = http->transfer.reply->sent;
    bool at_proxy = ended_at_proxy(http, code);
    const char *who = at_proxy ? http->proxy : http->url;
    const struct reason *why;
    long os_error = 0, proxy = 0;

    if (code == CURLE_PEER_FAILED_VERIFICATION)
        return unverified(http, err);
    if (code == CURLE_SSL_CACERT_BADFILE && http->ca_file != NULL) {
        (void)gc_fail(
            err, GC_E_CONFIG,
            "%s: the CA file %s holds no certificate that can be used",
            http->url, http->ca_file);
        return gc_fail_hint(err, GC_E_CONFIG, "it must be PEM");
    }
    if (code == CURLE_SSL_CACERT_BADFILE) {
        (void)gc_fail(err, GC_E_UNTRUSTED, "%s: " NO_CA, http->url);
        return gc_fail_advise(err, GC_E_UNTRUSTED, GC_ADVICE_NO_CA);
    }
    (void)curl_easy_getinfo(http->easy, CURLINFO_HTTP_CONNECTCODE, &proxy);
    if (!sent && proxy >= 300)
        return gc_fail(err, GC_E_UNAVAILABLE,
                       "%s: the proxy to it answered HTTP %ld", http->url,
                       proxy);
    if (code == CURLE_SSL_CONNECT_ERROR && is_tls_refusal(http->detail)) {
        (void)gc_fail(err, GC_E_UNTRUSTED, "%s: no TLS 1.2 or later (%s)", who,
                      http->detail);
        if (at_proxy)
            return gc_fail_advise(err, GC_E_UNTRUSTED, GC_ADVICE_PROXY_TLS);
        return gc_fail_hint(err, GC_E_UNTRUSTED, "check host and port");
    }
    if (code == CURLE_COULDNT_CONNECT && sent && http->transfer.body != NULL)
        code = CURLE_ABORTED_BY_CALLBACK; /* on_socket's refusal */
    why = find_reason((long)code);
    if (why == NULL)
        return gc_fail(err, GC_E_UNAVAILABLE, "%s: %s", who,
                       curl_easy_strerror(code));
    if (code == CURLE_COULDNT_CONNECT)
        (void)curl_easy_getinfo(http->easy, CURLINFO_OS_ERRNO, &os_error);
    (void)gc_fail(err, why->status, "%s: %s%s%s", who, why->text,
                  os_error != 0 ? ": " : "",
                  os_error != 0 ? strerror((int)os_error) : "");
    if (err != NULL)
        err->again = why->status == GC_E_UNAVAILABLE && !sent
                     && code != CURLE_PROXY; /* it may have been a login */
    if (at_proxy)
        return gc_fail_advise(err, why->status, GC_ADVICE_PROXY);
    return gc_fail_hint(err, why->status, "%s", why->hint);
}

static gc_status
refuse(const struct gc_http *http, struct gc_error *err)
{
    switch (http->transfer.refusal) {
    case NONE:
        return GC_OK;
    case BODY_TOO_LARGE:
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s: the reply is larger than %d bytes", http->url,
                       GC_HTTP_BODY_MAX);
    case TOO_MANY_HEADERS:
        return gc_fail(err, GC_E_PROTOCOL, "%s: the reply has too many headers",
                       http->url);
    case BAD_SESSION:
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s: the reply has a malformed %s header", http->url,
                       SESSION_HEADER);
    case NO_MEMORY:
        break;
    }
    return gc_fail_no_memory(err);
}

static gc_status
too_late(const struct gc_http *http, struct gc_error *err)
{
    bool sent = http->transfer.reply->sent;
    bool at_proxy = ended_at_proxy(http, CURLE_OPERATION_TIMEDOUT);
    gc_status st = gc_fail(err, GC_E_UNAVAILABLE, "%s: no %s in time",
                           at_proxy ? http->proxy : http->url,
                           sent ? "reply" : "connection");

    if (err != NULL)
        err->again = !sent;
    return st;
}

/*
 * Performing
 */

static bool
add_header(struct header_list *list, const char *line)
{
    struct curl_slist *more = curl_slist_append(list->first, line);

    if (more == NULL)
        return false;
    list->first = more;
    return true;
}

static gc_status
write_headers(const struct gc_http_request *request,
              struct header_list *ret_list, struct gc_error *err)
{
    static const char name[] = SESSION_HEADER ": ";
    GC_AUTO(header_list) list = {0};
    GC_AUTO(gc_bytes) line = {0};
    gc_status st;

    if (!add_header(&list, "Accept: application/json"))
        return gc_fail_no_memory(err);
    if (request->post
        && (!add_header(&list, "Content-Type: application/json")
            || !add_header(&list, "Expect:")))
        return gc_fail_no_memory(err);
    if (request->session != NULL && request->session->len > 0) {
        st = gc_bytes_set(&line, name, strlen(name), err);
        if (st == GC_OK)
            st = gc_bytes_append(&line, request->session->data,
                                 request->session->len,
                                 strlen(name) + SESSION_MAX, err);
        if (st != GC_OK)
            return st;
        if (!add_header(&list, gc_bytes_text(&line)))
            return gc_fail_no_memory(err);
    }
    *ret_list = list;
    list.first = NULL;
    return GC_OK;
}

static gc_status
prepare(struct gc_http *http, const struct gc_http_request *request,
        const struct header_list *list, struct gc_error *err)
{
    GC_AUTO(gc_bytes) url = {0};
    CURL *easy = http->easy;
    const struct gc_bytes *body = request->body;
    CURLcode code;
    gc_status st;

    st = gc_bytes_set(&url, http->url, strlen(http->url), err);
    if (st == GC_OK)
        st = gc_bytes_append(&url, request->path, strlen(request->path),
                             GC_HTTP_BODY_MAX, err);
    if (st != GC_OK)
        return st;
    if (curl_easy_setopt(easy, CURLOPT_URL, gc_bytes_text(&url)) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_HTTPHEADER, list->first) != CURLE_OK
        || curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE,
                            body != NULL ? (curl_off_t)body->len : -1)
               != CURLE_OK)
        return gc_fail(err, GC_E_INTERNAL, "libcurl refuses a request");
    /* Borrowed by libcurl, so that head and body leave in one record. */
    code = body != NULL
               ? curl_easy_setopt(easy, CURLOPT_POSTFIELDS, gc_bytes_text(body))
               : curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    if (code != CURLE_OK)
        return gc_fail(err, GC_E_INTERNAL, "libcurl refuses a request");
    return GC_OK;
}

/* Run the transfer until libcurl is done (RET_CODE) or we are. */
static gc_status
drive(struct gc_http *http, const struct gc_http_request *request,
      CURLcode *ret_code, struct gc_error *err)
{
    struct curl_waitfd cancel = {.fd = request->limit.cancel_fd,
                                 .events = CURL_WAIT_POLLIN};
    int64_t end = request->limit.deadline, now;
    bool canceled = false;
    int running = 1, left;
    CURLMsg *done;

    for (;;) {
        if (!canceled && gc_limit_canceled(request->limit)) {
            canceled = true;
            now = gc_clock_now();
            if (!http->transfer.reply->sent)
                end = now;
            else if (request->cancel_grace < end - now)
                end = now + request->cancel_grace;
        }
        left = gc_clock_left(end);
        if (left == 0 && canceled)
            return gc_fail(err, GC_E_CANCELED, "interrupted");
        if (left == 0)
            return too_late(http, err);
        if (curl_multi_perform(http->multi, &running) != CURLM_OK)
            return gc_fail(err, GC_E_INTERNAL, "libcurl cannot go on");
        if (running == 0)
            break;
        if (curl_multi_poll(http->multi, &cancel,
                            cancel.fd >= 0 && !canceled ? 1 : 0, left, NULL)
            != CURLM_OK)
            return gc_fail(err, GC_E_INTERNAL, "libcurl cannot wait");
    }
    done = curl_multi_info_read(http->multi, &running);
    if (done == NULL || done->msg != CURLMSG_DONE)
        return gc_fail(err, GC_E_INTERNAL, "libcurl lost a transfer");
    *ret_code = done->data.result;
    return GC_OK;
}

/* Drive the transfer, and put into words how it ended. */
static gc_status
run(struct gc_http *http, const struct gc_http_request *request,
    struct gc_error *err)
{
    struct gc_http_reply *reply = http->transfer.reply;
    CURLcode code = CURLE_OK;
    long status = 0;
    gc_status st;

    if (curl_multi_add_handle(http->multi, http->easy) != CURLM_OK)
        return gc_fail(err, GC_E_INTERNAL, "libcurl takes no request");
    st = drive(http, request, &code, err);
    if (curl_easy_getinfo(http->easy, CURLINFO_RESPONSE_CODE, &status)
        == CURLE_OK)
        reply->status = (int)status;
    if (st == GC_OK && http->transfer.refusal != NONE)
        st = refuse(http, err);
    if (st == GC_OK && code != CURLE_OK)
        st = explain(http, code, err);
    /* Removed in mid-transfer, the connection is closed and not reused. */
    (void)curl_multi_remove_handle(http->multi, http->easy);
    return st;
}

/* Paths hold names and moIds only; bodies and headers are not for traces. */
static void
trace(const struct gc_http *http, const struct gc_http_request *request,
      const struct gc_http_reply *reply, int64_t start)
{
    char line[256];

    if (http->trace == NULL)
        return;
    (void)snprintf(line, sizeof(line), "%s %.180s: %d, %zu bytes, %lld ms",
                   request->post ? "POST" : "GET", request->path, reply->status,
                   reply->body.len, (long long)(gc_clock_now() - start));
    http->trace(http->trace_user, line);
}

gc_status
gc_http_perform(struct gc_http *http, const struct gc_http_request *request,
                struct gc_http_reply *reply, struct gc_error *err)
{
    GC_AUTO(header_list) list = {0};
    GC_AUTO(quiet) quiet = {.held = false};
    int64_t start = gc_clock_now();
    gc_status st;

    gc_http_reply_clear(reply);
    if (request->path[0] != '/' || request->post != (request->body != NULL))
        return gc_fail(err, GC_E_INTERNAL, "a malformed request");
    st = write_headers(request, &list, err);
    if (st != GC_OK)
        return st;
    st = prepare(http, request, &list, err);
    if (st != GC_OK)
        return st;

    http->transfer = (struct transfer){.body = request->body, .reply = reply};
    http->detail[0] = '\0';
    http->spoke = true;
    quiet_begin(&quiet);
    st = run(http, request, err);
    (void)curl_easy_setopt(http->easy, CURLOPT_HTTPHEADER, NULL);
    (void)curl_easy_setopt(http->easy, CURLOPT_POSTFIELDS, NULL);
    http->transfer = (struct transfer){0};
    trace(http, request, reply, start);
    return st;
}
