/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP room against real servers on the loopback: trust, limits, bad
 * moments, and the promise that nothing is sent twice.
 *
 * The other side is tests/unit/https_server.py, which is told by its arguments
 * what to answer and writes down what came.  A few functions of libcurl and
 * libc are stood in for at link time, to look at what passes or to misbehave.
 */

#include <config.h>

#include "src/vim/http.h"

#include <curl/curl.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "src/base/clock.h"

/*
 * Stand-ins
 */

static struct {
    bool raise_sigpipe; /* while libcurl waits */
    bool slow_resolver; /* for every name that ends in .test */
    bool left_unwiped;  /* a freed header list still had text */
    bool capath_set;    /* CURLOPT_CAPATH was set, */
    const void *capath; /* to this */
    bool no_system_cas; /* as on a machine without ca-certificates */
    int polls;          /* how often libcurl was let wait */
    int polled_fd;      /* the last descriptor of ours that it waited for */
    char protocols[16]; /* CURLOPT_PROTOCOLS_STR */
} odd;

#define EXPORTED __attribute__((visibility("default")))

EXPORTED int
getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
            struct addrinfo **ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);
    size_t len = name == NULL ? 0 : strlen(name);

    if (len > 5 && strcmp(name + len - 5, ".test") == 0) {
        if (odd.slow_resolver)
            (void)sleep(3);
        return EAI_NONAME;
    }
    *(void **)&real = dlsym(RTLD_NEXT, "getaddrinfo");
    return real(name, service, hints, ret);
}

CURLMcode
curl_multi_poll(CURLM *multi, struct curl_waitfd fds[], unsigned int count,
                int ms, int *ret)
{
    CURLMcode (*real)(CURLM *, struct curl_waitfd[], unsigned int, int, int *);

    *(void **)&real = dlsym(RTLD_NEXT, "curl_multi_poll");
    odd.polls++;
    if (count == 1)
        odd.polled_fd = fds[0].fd;
    if (odd.raise_sigpipe)
        (void)pthread_kill(pthread_self(), SIGPIPE);
    return real(multi, fds, count, ms, ret);
}

void
curl_slist_free_all(struct curl_slist *list)
{
    void (*real)(struct curl_slist *);

    for (const struct curl_slist *l = list; l != NULL; l = l->next)
        if (l->data[0] != '\0')
            odd.left_unwiped = true;
    *(void **)&real = dlsym(RTLD_NEXT, "curl_slist_free_all");
    real(list);
}

#undef curl_easy_setopt
#undef curl_easy_getinfo
CURLcode
curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    CURLcode (*real)(CURL *, CURLoption, ...);
    va_list args;
    void *value; /* longs, pointers and curl_off_t are all as wide */

    va_start(args, option);
    value = va_arg(args, void *);
    va_end(args);
    if (option == CURLOPT_CAPATH) {
        odd.capath_set = true;
        odd.capath = value;
    }
    if (option == CURLOPT_PROTOCOLS_STR)
        (void)snprintf(odd.protocols, sizeof(odd.protocols), "%s",
                       (const char *)value);
    *(void **)&real = dlsym(RTLD_NEXT, "curl_easy_setopt");
    if (option == CURLOPT_SSL_VERIFYPEER && odd.no_system_cas)
        (void)real(easy, CURLOPT_CAINFO, "/dev/null/ca.pem");
    return real(easy, option, value);
}

/*
 * The server
 */

#define OK_HEAD "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
#define OK_TWO  OK_HEAD "Content-Length: 2\r\n\r\n{}"
#define SECRET  "5ec2e7f00d5ec2e7f00d"

static char directory[64];
static char program[512];

struct server {
    pid_t pid;
    int leash; /* closing it ends the server */
    int port;
    char log[128];
};

/* The path of NAME in our directory, good until the fourth call from now. */
static const char *
in_dir(const char *name)
{
    static char paths[4][128];
    static unsigned next;
    char *path = paths[next++ % 4];

    (void)snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void
read_file(const char *path, char *dst, size_t size)
{
    FILE *file = fopen(path, "re");
    size_t n = 0;

    if (file != NULL) {
        n = fread(dst, 1, size - 1, file);
        (void)fclose(file);
    }
    dst[n] = '\0';
}

static void
start_with(struct server *s, const char *const *options,
           const char *const *script)
{
    static int count;
    const char *argv[32] = {"python3", program, "serve"};
    size_t n = 3;
    int in[2], out[2];
    FILE *said;

    (void)snprintf(s->log, sizeof(s->log), "%s/log%d", directory, ++count);
    argv[n++] = "--log";
    argv[n++] = s->log;
    while (*options != NULL)
        argv[n++] = *options++;
    argv[n++] = "--";
    while (*script != NULL && n < GC_COUNT_OF(argv) - 1)
        argv[n++] = *script++;

    assert_int_equal(pipe2(in, O_CLOEXEC), 0);
    assert_int_equal(pipe2(out, O_CLOEXEC), 0);
    s->pid = fork();
    assert_true(s->pid >= 0);
    if (s->pid == 0) {
        (void)dup2(in[0], 0);
        (void)dup2(out[1], 1);
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    (void)close(in[0]);
    (void)close(out[1]);
    s->leash = in[1];
    said = fdopen(out[0], "r");
    assert_non_null(said);
    assert_int_equal(fscanf(said, "port %d", &s->port), 1);
    (void)fclose(said);
}

#define SCRIPT(...) ((const char *const[]){__VA_ARGS__, NULL})

/* A server with the certificate NAME, or without TLS. */
static void
start(struct server *s, const char *name, const char *const *script)
{
    const char *options[] = {"--cert", name == NULL ? NULL : in_dir(name),
                             NULL};

    start_with(s, name == NULL ? options + 2 : options, script);
}

static void
stop(struct server *s)
{
    int status;

    (void)close(s->leash);
    assert_int_equal(waitpid(s->pid, &status, 0), s->pid);
    assert_int_equal(status, 0);
}

/* How often does the server's log hold TEXT? */
static int
logged(const struct server *s, const char *text)
{
    static char log[512 * 1024];
    int count = 0;

    read_file(s->log, log, sizeof(log));
    for (const char *at = log; (at = strstr(at, text)) != NULL; at++)
        count++;
    return count;
}

/* A server rarely needs to be waited for, but its log may come a bit late. */
static bool
logged_soon(const struct server *s, const char *text, int count)
{
    for (int i = 0; i < 100; i++) {
        if (logged(s, text) == count)
            return true;
        (void)usleep(10000);
    }
    return false;
}

/*
 * The client
 */

struct client {
    struct gc_http *http;
    const int *cancel; /* the descriptor, or NULL */
    struct gc_http_reply reply;
    struct gc_error err;
};

static void
connect_with(struct client *c, struct gc_http_options options,
             const struct server *s)
{
    char url[64];

    (void)snprintf(url, sizeof(url), "https://127.0.0.1:%d", s->port);
    options.url = url;
    assert_int_equal(gc_http_new(&options, &c->http, &c->err), GC_OK);
}

static void
connect_to(struct client *c, const struct server *s)
{
    connect_with(c, (struct gc_http_options){.ca_file = in_dir("ca.pem")}, s);
}

static void
forget(struct client *c)
{
    gc_http_reply_clear(&c->reply);
    gc_http_free(c->http);
}

static gc_status
send_for(struct client *c, const char *body, int ms, int grace)
{
    GC_AUTO(gc_bytes) bytes = {0};
    struct gc_http_request request = {.post = body != NULL,
                                      .path = "/sdk/vim25/x",
                                      .limit = gc_limit_grace(ms),
                                      .cancel_grace = grace};

    if (c->cancel != NULL)
        request.limit.cancel_fd = *c->cancel;
    if (body != NULL) {
        assert_int_equal(gc_bytes_set(&bytes, body, strlen(body), NULL), GC_OK);
        request.body = &bytes;
    }
    return gc_http_perform(c->http, &request, &c->reply, &c->err);
}

static gc_status
post(struct client *c)
{
    return send_for(c, "{\"a\":1}", 10000, 0);
}

static gc_status
get(struct client *c)
{
    return send_for(c, NULL, 10000, 0);
}

/*
 * URL, pin, CA file
 */

static gc_status
new_with(const char *url, const char *ca_file, const char *pin,
         struct gc_error *err, char *ret_url, size_t size)
{
    GC_AUTO_PTR(gc_http) http = NULL;
    const struct gc_http_options options = {
        .url = url, .ca_file = ca_file, .pin = pin};
    gc_status st = gc_http_new(&options, &http, err);

    if (st == GC_OK && ret_url != NULL)
        (void)snprintf(ret_url, size, "%s", gc_http_url(http));
    return st;
}

static void
urls_are_normalised(void **state)
{
    static const char *const good[][2] = {
        {"https://vc.example.test", "https://vc.example.test"},
        {"https://VC.Example.test/", "https://vc.example.test"},
        {"https://vc.example.test:443/sdk", "https://vc.example.test"},
        {"HTTPS://vc.example.test:8443/sdk/", "https://vc.example.test:8443"},
        {"https://[::1]:9/sdk", "https://[::1]:9"},
        {"https://[2001:DB8:0::1]/", "https://[2001:db8::1]"},
        {"https://192.0.2.1:08443", "https://192.0.2.1:8443"},
        {"https://vc.example.test/ui", "https://vc.example.test"},
        {"https://vc.example.test/ui/app/vm;nav=v/urn:vmomi:VirtualMachine:"
         "vm-101:b9/summary?x#y",
         "https://vc.example.test"},
        {"https://vc.example.test/vsphere-client/#x",
         "https://vc.example.test"},
        {"https://vc.example.test/sdk/vim25", "https://vc.example.test"},
        {"vc.example.test", "https://vc.example.test"},
        {"vc.example.test:8443", "https://vc.example.test:8443"},
    };
    char url[256];

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(good); i++) {
        assert_int_equal(
            new_with(good[i][0], NULL, NULL, NULL, url, sizeof(url)), GC_OK);
        assert_string_equal(url, good[i][1]);
    }
}

static void
other_urls_are_refused(void **state)
{
    static const struct {
        const char *url;
        gc_status st;
    } bad[] = {
        {NULL, GC_E_CONFIG},
        {"", GC_E_CONFIG},
        {"http://vc.example.test", GC_E_UNTRUSTED},
        {"HTTP://vc.example.test", GC_E_UNTRUSTED},
        {"https://", GC_E_CONFIG},
        {"https://vc.example.test:99999", GC_E_CONFIG},
        {"https://u:hunter2@vc.example.test", GC_E_CONFIG},
        {"https://hunter2@vc.example.test", GC_E_CONFIG},
        {"https://vc.example.test/?hunter2", GC_E_CONFIG},
        {"https://vc.example.test/#hunter2", GC_E_CONFIG},
        {"https://vc.example.test/uix", GC_E_CONFIG},
        {"https://vc.example.test/x/ui", GC_E_CONFIG},
        {"https://15", GC_E_CONFIG},
        {"https://%315", GC_E_CONFIG},
        {"https://127.1", GC_E_CONFIG},
        {"https://0x7f.0.0.1", GC_E_CONFIG},
        {"https://0177.0.0.1", GC_E_CONFIG},
        {"https://vc.example.1", GC_E_CONFIG},
        {"https://vc%2eexample.test", GC_E_CONFIG},
        {"https://vc..example.test", GC_E_CONFIG},
        {"https://[fe80::1%25eth0]", GC_E_CONFIG},
        {"https://vc.example.test:0", GC_E_CONFIG},
        {"https:/vc.example.test", GC_E_CONFIG},
        {"https:///vc.example.test", GC_E_CONFIG},
        {"https://vc.example.test\r\nhunter2", GC_E_CONFIG},
        {"https://vc example.test", GC_E_CONFIG},
        {"ftp://vc.example.test", GC_E_CONFIG},
        {"file:///etc/passwd", GC_E_CONFIG},
        {"https://l\xc3\xb6"
         "cal.example.test",
         GC_E_CONFIG},
        {"https://[::1", GC_E_CONFIG},
        {"u:://hunter2@vc.example.test", GC_E_CONFIG},
    };
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++) {
        memset(&err, 0, sizeof(err));
        assert_int_equal(new_with(bad[i].url, NULL, NULL, &err, NULL, 0),
                         bad[i].st);
        assert_true(err.message[0] != '\0' && err.hint[0] != '\0');
        assert_null(strstr(err.message, "hunter2"));
        assert_null(strstr(err.hint, "hunter2"));
    }
}

#define PIN44 "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="

static void
pins_are_checked(void **state)
{
    static const char *const bad[] = {
        "",
        "sha256//",
        PIN44,
        "sha1//" PIN44,
        "/etc/passwd",
        "sha256//" PIN44 ";",
        "sha256//" PIN44 ";/etc/passwd",
        "sha256//" PIN44 PIN44,
        "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA==",
    };
    const char *url = "https://vc.example.test";
    struct gc_error err = {0};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad); i++)
        assert_int_equal(new_with(url, NULL, bad[i], NULL, NULL, 0),
                         GC_E_CONFIG);
    assert_int_equal(new_with(url, NULL, bad[3], &err, NULL, 0), GC_E_CONFIG);
    assert_non_null(strstr(err.message, bad[3]));
    assert_int_equal(new_with(url, NULL, "sha256//" PIN44, NULL, NULL, 0),
                     GC_OK);
    assert_int_equal(
        new_with(url, NULL, "sha256//" PIN44 ";sha256//" PIN44, NULL, NULL, 0),
        GC_OK);
}

static void
a_ca_file_must_be_one(void **state)
{
    struct server s;
    struct client c = {0};
    struct gc_error err = {0};

    (void)state;
    assert_int_equal(new_with("https://vc.example.test", in_dir("none.pem"),
                              NULL, &err, NULL, 0),
                     GC_E_CONFIG);
    assert_non_null(strstr(err.message, "none.pem"));
    assert_int_equal(
        new_with("https://vc.example.test", directory, NULL, &err, NULL, 0),
        GC_E_CONFIG);
    assert_non_null(strstr(err.message, directory));
    assert_non_null(strstr(err.message, "is a directory"));
    start(&s, "server", SCRIPT(OK_TWO));
    connect_with(&c, (struct gc_http_options){.ca_file = in_dir("server.pin")},
                 &s);
    assert_int_equal(post(&c), GC_E_CONFIG);
    assert_non_null(strstr(c.err.message, in_dir("server.pin")));
    assert_false(c.reply.sent);
    forget(&c);
    stop(&s);
}

/* Debian's libcurl has a directory of system CAs built in. */
static void
a_ca_file_stands_alone(void **state)
{
    (void)state;
    odd.capath_set = false;
    assert_int_equal(new_with("https://vc.example.test", in_dir("ca.pem"), NULL,
                              NULL, NULL, 0),
                     GC_OK);
    assert_true(odd.capath_set);
    assert_null(odd.capath);
    odd.capath_set = false;
    assert_int_equal(
        new_with("https://vc.example.test", NULL, NULL, NULL, NULL, 0), GC_OK);
    assert_false(odd.capath_set);
}

static void
nothing_but_https_is_spoken(void **state)
{
    (void)state;
    odd.protocols[0] = '\0';
    assert_int_equal(
        new_with("https://vc.example.test", NULL, NULL, NULL, NULL, 0), GC_OK);
    assert_string_equal(odd.protocols, "https");
}

/*
 * Trust
 */

/* Who answers with CERT, when we trust CA_FILE and/or the pin in PIN_FILE. */
struct trust {
    const char *cert;
    const char *ca_file;
    const char *pin_file;
    bool insecure;
    const char *refusal; /* what the message says; NULL: trusted */
};

static void
check_trust(const struct trust *t)
{
    char pin[128];
    struct server s;
    struct client c = {0};
    struct gc_http_options options = {.insecure = t->insecure};

    if (t->ca_file != NULL)
        options.ca_file = in_dir(t->ca_file);
    if (t->pin_file != NULL) {
        read_file(in_dir(t->pin_file), pin, sizeof(pin));
        options.pin = pin;
    }
    start(&s, t->cert, SCRIPT(OK_TWO));
    connect_with(&c, options, &s);
    if (t->refusal == NULL) {
        assert_int_equal(post(&c), GC_OK);
        assert_int_equal(c.reply.status, 200);
    } else {
        assert_int_equal(post(&c), GC_E_UNTRUSTED);
        assert_non_null(strstr(c.err.message, t->refusal));
        assert_non_null(strstr(c.err.message, "https://127.0.0.1:"));
        assert_true(c.err.hint[0] != '\0');
        assert_false(c.err.again);
        assert_false(c.reply.sent);
        assert_int_equal(logged(&s, "request"), 0);
    }
    forget(&c);
    stop(&s);
}

static void
trust_by_ca(void **state)
{
    static const struct trust cases[] = {
        {"server", "ca.pem", NULL, false, NULL},
        {"server", "other-ca.pem", NULL, false, "CA that is not trusted"},
        {"server", NULL, NULL, false, "CA that is not trusted"},
        {"wrong", "ca.pem", NULL, false, "for another name"},
        {"expired", "ca.pem", NULL, false, "has expired"},
        {"future", "ca.pem", NULL, false, "not valid yet"},
        {"self", "ca.pem", NULL, false, "self-signed"},
        {"self", NULL, NULL, false, "self-signed"},
        {"self", NULL, NULL, true, NULL},
        {"expired", "ca.pem", NULL, true, NULL},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++)
        check_trust(&cases[i]);
}

static void
a_machine_without_cas(void **state)
{
    static const struct trust cases[] = {
        {"server", NULL, NULL, false, "this machine knows no CA"},
        {"server", "ca.pem", NULL, false, NULL},
        {"server", NULL, "server.pin", false, NULL},
    };

    (void)state;
    odd.no_system_cas = true;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++)
        check_trust(&cases[i]);
    odd.no_system_cas = false;
}

static void
trust_by_pin(void **state)
{
    static const struct trust cases[] = {
        {"self", NULL, "self.pin", false, NULL},
        {"server", NULL, "server.pin", false, NULL},
        {"self", NULL, "server.pin", false, "not the pinned one"},
        {"self", NULL, "server.pin", true, "not the pinned one"},
        {"server", "ca.pem", "server.pin", false, NULL},
        {"server", "ca.pem", "self.pin", false, "not the pinned one"},
        /* A pin adds to a CA that is named, and heals nothing. */
        {"server", "other-ca.pem", "server.pin", false,
         "CA that is not trusted"},
        {"wrong", "ca.pem", "wrong.pin", false, "for another name"},
        {"expired", "ca.pem", "expired.pin", false, "has expired"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++)
        check_trust(&cases[i]);
}

static void
tls_is_needed_and_not_old(void **state)
{
    struct server s;
    struct client c = {0};

    (void)state;
    start_with(
        &s, (const char *const[]){"--tls11", "--cert", in_dir("server"), NULL},
        SCRIPT(OK_TWO));
    connect_to(&c, &s);
    assert_int_equal(post(&c), GC_E_UNTRUSTED);
    assert_non_null(strstr(c.err.message, "no TLS 1.2"));
    assert_false(c.reply.sent);
    forget(&c);
    stop(&s);

    start(&s, NULL, SCRIPT("@HTTP/1.1 400 what?\r\n\r\n<<sleep 200>>"));
    connect_to(&c, &s);
    assert_int_equal(post(&c), GC_E_UNTRUSTED);
    assert_false(c.reply.sent);
    assert_false(c.err.again);
    forget(&c);
    stop(&s);
}

/*
 * What goes out
 */

static void
a_request_is_what_it_should_be(void **state)
{
    GC_AUTO(gc_bytes) body = {0}, id = {0};
    struct gc_http_request request = {.post = true,
                                      .path = "/sdk/../a%20b?c=d",
                                      .body = &body,
                                      .session = &id,
                                      .limit = gc_limit_grace(10000)};
    struct server s;
    struct client c = {0};
    char expected[64];

    (void)state;
    assert_int_equal(gc_bytes_set(&body, "{\"a\":\"b\"}", 9, NULL), GC_OK);
    assert_int_equal(gc_bytes_set(&id, SECRET, strlen(SECRET), NULL), GC_OK);
    start(&s, "server",
          SCRIPT(OK_HEAD "Set-Cookie: vmware_soap_session=1; Path=/\r\n"
                         "Content-Length: 2\r\n\r\n{}",
                 OK_TWO));
    connect_to(&c, &s);
    assert_int_equal(gc_http_perform(c.http, &request, &c.reply, &c.err),
                     GC_OK);
    assert_true(c.reply.sent);
    assert_int_equal(c.reply.status, 200);
    assert_int_equal(c.reply.type, GC_HTTP_JSON);
    assert_string_equal(gc_bytes_text(&c.reply.body), "{}");
    assert_int_equal(c.reply.session.len, 0);

    assert_int_equal(logged(&s, "request 1 POST /sdk/../a%20b?c=d HTTP/1.1\n"),
                     1);
    (void)snprintf(expected, sizeof(expected), "header 1 Host: 127.0.0.1:%d\n",
                   s.port);
    assert_int_equal(logged(&s, expected), 1);
    assert_int_equal(logged(&s, "header 1 User-Agent: guestcred/"), 1);
    assert_int_equal(logged(&s, "header 1 Accept: application/json\n"), 1);
    assert_int_equal(logged(&s, "header 1 Content-Type: application/json\n"),
                     1);
    assert_int_equal(logged(&s, "header 1 Content-Length: 9\n"), 1);
    assert_int_equal(logged(&s, "header 1 vmware-api-session-id: " SECRET "\n"),
                     1);
    assert_int_equal(logged(&s, "header 1 "), 6);
    assert_int_equal(logged(&s, "body 1 9 {\"a\":\"b\"}\n"), 1);

    /* The same connection; nothing of the first request clings to it. */
    assert_int_equal(get(&c), GC_OK);
    assert_int_equal(logged(&s, "request 1 GET /sdk/vim25/x HTTP/1.1\n"), 1);
    assert_int_equal(logged(&s, "header 1 "), 6 + 3);
    assert_int_equal(logged(&s, "connection"), 1);
    assert_int_equal(logged(&s, SECRET), 1);
    assert_int_equal(logged(&s, "ookie"), 0);
    forget(&c);
    stop(&s);
}

static char traced[512];

static void
take_trace(void *user, const char *line)
{
    assert_ptr_equal(user, traced);
    (void)snprintf(traced, sizeof(traced), "%s", line);
}

static void
a_trace_tells_no_secret(void **state)
{
    GC_AUTO(gc_bytes) body = {0}, id = {0};
    struct gc_http_request request = {.post = true,
                                      .path = "/sdk/x",
                                      .body = &body,
                                      .session = &id,
                                      .limit = gc_limit_grace(10000)};
    struct server s;
    struct client c = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&body, SECRET, strlen(SECRET), NULL), GC_OK);
    assert_int_equal(gc_bytes_set(&id, SECRET, strlen(SECRET), NULL), GC_OK);
    start(&s, "server",
          SCRIPT("HTTP/1.1 500 " SECRET "\r\nContent-Length: 20\r\n"
                 "vmware-api-session-id: " SECRET "\r\n\r\n" SECRET));
    connect_with(&c,
                 (struct gc_http_options){.ca_file = in_dir("ca.pem"),
                                          .trace = take_trace,
                                          .trace_user = traced},
                 &s);
    assert_false(gc_http_spoke(c.http));
    assert_int_equal(gc_http_perform(c.http, &request, &c.reply, &c.err),
                     GC_OK);
    assert_true(gc_http_spoke(c.http));
    assert_int_equal(strncmp(traced, "POST /sdk/x: 500, 20 bytes, ", 28), 0);
    assert_null(strstr(traced, SECRET));
    forget(&c);
    stop(&s);
}

/* So large that libcurl would ask whether it may. */
#define LARGE ((size_t)1100000)

static void
a_large_body_arrives_whole(void **state)
{
    char *body = malloc(LARGE + 1), *log = malloc(LARGE + 4096);
    struct server s;
    struct client c = {0};

    (void)state;
    for (size_t i = 0; i < LARGE; i++)
        body[i] = (char)('a' + i % 23);
    body[LARGE] = '\0';
    start(&s, "server", SCRIPT(OK_TWO));
    connect_to(&c, &s);
    assert_int_equal(send_for(&c, body, 10000, 0), GC_OK);
    read_file(s.log, log, LARGE + 4096);
    assert_non_null(strstr(log, body));
    assert_null(strstr(log, "Expect"));
    forget(&c);
    stop(&s);
    free(body);
    free(log);
}

static void
headers_are_wiped(void **state)
{
    GC_AUTO(gc_bytes) id = {0};
    struct gc_http_request request = {
        .path = "/x", .session = &id, .limit = gc_limit_grace(10000)};
    struct server s;
    struct client c = {0};

    (void)state;
    assert_int_equal(gc_bytes_set(&id, SECRET, strlen(SECRET), NULL), GC_OK);
    start(&s, "server", SCRIPT(OK_TWO));
    connect_to(&c, &s);
    odd.left_unwiped = false;
    assert_int_equal(gc_http_perform(c.http, &request, &c.reply, &c.err),
                     GC_OK);
    assert_false(odd.left_unwiped);
    forget(&c);
    stop(&s);
}

static void
a_post_has_a_body_and_a_get_has_none(void **state)
{
    GC_AUTO(gc_bytes) body = {0};
    struct gc_http_request request = {
        .post = true, .path = "/x", .limit = gc_limit_grace(1000)};
    struct client c = {0};
    struct server s = {.port = 9};

    (void)state;
    connect_to(&c, &s);
    assert_int_equal(gc_http_perform(c.http, &request, &c.reply, NULL),
                     GC_E_INTERNAL);
    request.post = false;
    request.body = &body;
    assert_int_equal(gc_http_perform(c.http, &request, &c.reply, NULL),
                     GC_E_INTERNAL);
    request.body = NULL;
    request.path = ".evil.example.test/";
    assert_int_equal(gc_http_perform(c.http, &request, &c.reply, NULL),
                     GC_E_INTERNAL);
    forget(&c);
}

/*
 * What comes back
 */

static void
every_status_is_a_reply(void **state)
{
    static const struct {
        const char *script;
        int status;
        enum gc_http_type type;
        const char *body;
    } cases[] = {
        {"HTTP/1.1 204 No Content\r\n\r\n", 204, GC_HTTP_NONE, ""},
        {"HTTP/1.1 401 No\r\ncontent-TYPE: text/html ; charset=x\r\n"
         "content-length: 1\r\n\r\nh",
         401, GC_HTTP_HTML, "h"},
        {"HTTP/1.1 404 No\r\nContent-Type: text/plain\r\n"
         "Content-Length: 1\r\n\r\np",
         404, GC_HTTP_OTHER, "p"},
        {"HTTP/1.1 500 No\r\nContent-Type: text/xml\r\n"
         "Content-Length: 3\r\n\r\n<x>",
         500, GC_HTTP_XML, "<x>"},
        {"HTTP/1.1 503 No\r\nContent-Type: application/json;charset=utf-8\r\n"
         "Content-Length: 2\r\n\r\n{}",
         503, GC_HTTP_JSON, "{}"},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/jsonp\r\n"
         "Content-Length: 0\r\n\r\n",
         200, GC_HTTP_OTHER, ""},
        {"HTTP/1.1 103 Early\r\nContent-Type: text/html\r\n"
         "vmware-api-session-id: early\r\n\r\n"
         "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n1",
         200, GC_HTTP_NONE, "1"},
        {OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                 "3\r\n{\"a\r\n1;x=y\r\n\"\r\n3\r\n:1}\r\n0\r\n\r\n",
         200, GC_HTTP_JSON, "{\"a\":1}"},
        {OK_HEAD "\r\nuntil the end<<end>>", 200, GC_HTTP_JSON,
         "until the end"},
    };
    const char *script[GC_COUNT_OF(cases) + 1];
    struct server s;
    struct client c = {0};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++)
        script[i] = cases[i].script;
    script[GC_COUNT_OF(cases)] = NULL;
    start(&s, "server", script);
    connect_to(&c, &s);
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        assert_int_equal(post(&c), GC_OK);
        assert_int_equal(c.reply.status, cases[i].status);
        assert_int_equal(c.reply.type, cases[i].type);
        assert_string_equal(gc_bytes_text(&c.reply.body), cases[i].body);
        assert_int_equal(c.reply.session.len, 0);
    }
    assert_int_equal(logged(&s, "connection"), 1);
    assert_int_equal(logged(&s, "request"), (int)GC_COUNT_OF(cases));
    forget(&c);
    stop(&s);
}

static void
redirects_are_not_followed(void **state)
{
    struct server s;
    struct client c = {0};

    (void)state;
    start(&s, "server",
          SCRIPT("HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\n"
                 "Content-Length: 0\r\n\r\n",
                 "HTTP/1.1 307 Again\r\nLocation: /elsewhere\r\n"
                 "Content-Length: 0\r\n\r\n",
                 OK_TWO, OK_TWO));
    connect_to(&c, &s);
    assert_int_equal(post(&c), GC_OK);
    assert_int_equal(c.reply.status, 302);
    assert_int_equal(get(&c), GC_OK);
    assert_int_equal(c.reply.status, 307);
    assert_int_equal(logged(&s, "request"), 2);
    assert_int_equal(logged(&s, "elsewhere"), 0);
    forget(&c);
    stop(&s);
}

static void
the_session_header_is_taken(void **state)
{
    struct server s;
    struct client c = {0};

    (void)state;
    start(&s, "server",
          SCRIPT(OK_HEAD "VMware-API-Session-Id: \t" SECRET " \r\n"
                         "Content-Length: 2\r\n\r\n{}",
                 OK_TWO,
                 OK_HEAD "vmware-api-session-id: again\r\n"
                         "Content-Length: 2\r\n\r\n{}"));
    connect_to(&c, &s);
    assert_int_equal(post(&c), GC_OK);
    assert_string_equal(gc_bytes_text(&c.reply.session), SECRET);
    assert_int_equal(post(&c), GC_OK);
    assert_int_equal(c.reply.session.len, 0);
    assert_int_equal(post(&c), GC_OK);
    assert_string_equal(gc_bytes_text(&c.reply.session), "again");
    forget(&c);
    stop(&s);
}

static void
a_malformed_session_header_is_not(void **state)
{
    static const char *const values[] = {"", "a b", "a\x01", "a\xc3\xa9"};
    char reply[1024], longest[300];
    struct server s;
    struct client c = {0};

    (void)state;
    memset(longest, 'x', sizeof(longest));
    longest[257] = '\0';
    for (size_t i = 0; i <= GC_COUNT_OF(values) + 1; i++) {
        bool good = i == GC_COUNT_OF(values) + 1;
        const char *value = i < GC_COUNT_OF(values) ? values[i] : longest;

        if (good)
            longest[256] = '\0';
        (void)snprintf(reply, sizeof(reply),
                       OK_HEAD "vmware-api-session-id: %s\r\n"
                               "Content-Length: 2\r\n\r\n{}",
                       value);
        start(&s, "server", SCRIPT(reply));
        connect_to(&c, &s);
        assert_int_equal(post(&c), good ? GC_OK : GC_E_PROTOCOL);
        /* The body came whole all the same: it may hold a ticket. */
        assert_string_equal(gc_bytes_text(&c.reply.body), "{}");
        assert_int_equal(c.reply.session.len, good ? 256 : 0);
        forget(&c);
        stop(&s);
    }
}

/* One POST to a server that answers SCRIPT. */
static gc_status
provoke(const char *script, struct gc_error *ret_err, struct gc_bytes *ret_body)
{
    struct server s;
    struct client c = {0};
    gc_status st;

    start(&s, "server", SCRIPT(script, OK_TWO));
    connect_to(&c, &s);
    st = post(&c);
    assert_int_equal(logged(&s, "request"), 1);
    assert_false(st != GC_OK && c.err.again);
    assert_true(c.reply.sent);
    *ret_err = c.err;
    if (ret_body != NULL)
        gc_bytes_move(ret_body, &c.reply.body);
    /* What was left of the connection is not used any more. */
    if (st != GC_OK) {
        assert_int_equal(post(&c), GC_OK);
        assert_int_equal(logged(&s, "connection"), 2);
        assert_int_equal(logged(&s, "request 2"), 1);
    }
    forget(&c);
    stop(&s);
    return st;
}

static void
what_is_no_http_is_refused(void **state)
{
    struct gc_error err;
    gc_status st;

    (void)state;
    assert_int_equal(
        provoke("not HTTP at all, " SECRET "<<close>>", &err, NULL),
        GC_E_PROTOCOL);
    assert_null(strstr(err.message, SECRET));
    assert_int_equal(provoke("HTTP/0.9\r\n\r\n<<close>>", &err, NULL),
                     GC_E_PROTOCOL);
    assert_int_equal(provoke("SSH-2.0-x\r\n<<close>>", &err, NULL),
                     GC_E_PROTOCOL);
    st = provoke(OK_HEAD "Transfer-Encoding: chunked\r\n\r\n" SECRET "\r\n",
                 &err, NULL);
    assert_true(st == GC_E_UNAVAILABLE || st == GC_E_PROTOCOL);
    assert_null(strstr(err.message, SECRET));
    st = provoke(OK_HEAD "Content-Length: -5" SECRET "\r\n\r\n<<close>>", &err,
                 NULL);
    assert_true(st == GC_E_UNAVAILABLE || st == GC_E_PROTOCOL);
    assert_null(strstr(err.message, SECRET));
}

static void
a_body_has_a_limit(void **state)
{
    GC_AUTO(gc_bytes) body = {0};
    struct gc_error err;

    (void)state;
    assert_int_equal(provoke(OK_HEAD "Content-Length: 1048576\r\n\r\n"
                                     "<<fill 1048576>>",
                             &err, &body),
                     GC_OK);
    assert_int_equal(body.len, GC_HTTP_BODY_MAX);
    assert_int_equal(provoke(OK_HEAD "Content-Length: 1048577\r\n\r\n"
                                     "<<fill 1048577>>",
                             &err, &body),
                     GC_E_PROTOCOL);
    assert_in_range(body.len, 1, GC_HTTP_BODY_MAX);
    assert_int_equal(provoke(OK_HEAD "Content-Length: 100000000\r\n\r\n"
                                     "<<fill 100000000>>",
                             &err, &body),
                     GC_E_PROTOCOL);
    assert_in_range(body.len, 1, GC_HTTP_BODY_MAX);
    assert_true(body.cap < 4 * GC_HTTP_BODY_MAX);
    assert_non_null(strstr(err.message, "larger than"));
    assert_int_equal(provoke(OK_HEAD "\r\n<<fill 100000000>>", &err, &body),
                     GC_E_PROTOCOL);
    assert_in_range(body.len, 1, GC_HTTP_BODY_MAX);
}

static void
headers_have_a_limit(void **state)
{
    char reply[80000] = OK_HEAD;
    struct gc_error err;
    size_t n = strlen(reply);

    (void)state;
    for (int i = 0; i < 200; i++)
        n += (size_t)snprintf(reply + n, sizeof(reply) - n, "x%d: y\r\n", i);
    (void)snprintf(reply + n, sizeof(reply) - n, "Content-Length: 0\r\n\r\n");
    assert_int_equal(provoke(reply, &err, NULL), GC_E_PROTOCOL);
    assert_non_null(strstr(err.message, "headers"));

    n = (size_t)snprintf(reply, sizeof(reply), OK_HEAD "x: ");
    memset(reply + n, 'y', 70000);
    (void)snprintf(reply + n + 70000, sizeof(reply) - n - 70000,
                   "\r\nContent-Length: 0\r\n\r\n");
    assert_int_equal(provoke(reply, &err, NULL), GC_E_PROTOCOL);
    assert_non_null(strstr(err.message, "headers"));
}

/*
 * Bad moments
 */

static void
a_broken_reply_is_unavailable(void **state)
{
    static const char *const scripts[] = {
        "<<rst>>",
        "<<close>>",
        "HTTP/1.1 20<<rst>>",
        "HTTP/1.1 20<<close>>",
        OK_HEAD "Content-Length: 50\r\n\r\n{\"ticket\"<<sleep 50>><<rst>>",
        OK_HEAD "Content-Length: 50\r\n\r\n{\"ticket\"<<sleep 50>><<close>>",
        OK_HEAD "Transfer-Encoding: chunked\r\n\r\n"
                "9\r\n{\"ticket\"\r\n<<sleep 50>><<close>>",
    };
    struct gc_error err;

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(scripts); i++) {
        GC_AUTO(gc_bytes) body = {0};

        assert_int_equal(provoke(scripts[i], &err, &body), GC_E_UNAVAILABLE);
        assert_non_null(strstr(err.message, "https://127.0.0.1:"));
        assert_string_equal(gc_bytes_text(&body), i < 4 ? "" : "{\"ticket\"");
    }
}

/* The same on a connection that has served a request before. */
static void
nothing_is_sent_twice(void **state)
{
    static const char *const scripts[] = {
        "<<rst>>",
        "<<close>>",
        OK_HEAD "Content-Length: 50\r\n\r\n{\"ticket\"<<rst>>",
        OK_HEAD "Content-Length: 50\r\n\r\n{\"ticket\"<<close>>",
    };
    struct server s;
    struct client c = {0};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(scripts); i++) {
        start(&s, "server", SCRIPT(OK_TWO, scripts[i], OK_TWO, OK_TWO));
        connect_to(&c, &s);
        assert_int_equal(post(&c), GC_OK);
        assert_int_equal(send_for(&c, "{\"second\":2}", 10000, 0),
                         GC_E_UNAVAILABLE);
        assert_false(c.err.again);
        assert_true(c.reply.sent);
        (void)usleep(100000);
        assert_int_equal(logged(&s, "second"), 1);
        assert_int_equal(logged(&s, "request"), 2);
        /* And the connection is not used for a third. */
        assert_int_equal(post(&c), GC_OK);
        assert_int_equal(logged(&s, "request"), 3);
        assert_int_equal(logged(&s, "request 1"), 2);
        forget(&c);
        stop(&s);
    }
}

/* Nothing that the process starts later inherits the connection. */
static void
a_connection_ends_at_exec(void **state)
{
    struct server s;
    struct client c = {0};
    struct sockaddr_in to;
    socklen_t len = sizeof(to);
    int found = 0;

    (void)state;
    start(&s, "server", SCRIPT(OK_TWO));
    connect_to(&c, &s);
    assert_int_equal(get(&c), GC_OK);
    for (int fd = 3; fd < 100; fd++) {
        if (getpeername(fd, (struct sockaddr *)&to, &len) == 0
            && to.sin_family == AF_INET && ntohs(to.sin_port) == s.port) {
            found++;
            assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
        }
        len = sizeof(to);
    }
    assert_int_equal(found, 1);
    forget(&c);
    stop(&s);
}

static void
a_get_finds_a_new_connection(void **state)
{
    struct server s;
    struct client c = {0};

    (void)state;
    start(&s, "server", SCRIPT(OK_TWO, "<<rst>>", OK_TWO));
    connect_to(&c, &s);
    assert_int_equal(get(&c), GC_OK);
    assert_int_equal(get(&c), GC_OK);
    assert_int_equal(logged(&s, "request 1"), 2);
    assert_int_equal(logged(&s, "request 2"), 1);
    forget(&c);
    stop(&s);
}

/* Reset between two requests: seen before the second is sent. */
static void
a_dead_connection_is_noticed(void **state)
{
    struct server s;
    struct client c = {0};

    (void)state;
    for (int i = 0; i < 2; i++) {
        start(&s, "server",
              SCRIPT(i == 0 ? OK_TWO "<<sleep 100>><<rst>>"
                            : OK_TWO "<<sleep 100>><<close>>",
                     OK_TWO));
        connect_to(&c, &s);
        assert_int_equal(post(&c), GC_OK);
        (void)usleep(400000);
        assert_int_equal(post(&c), GC_OK);
        assert_int_equal(logged(&s, "request 1"), 1);
        assert_int_equal(logged(&s, "request 2"), 1);
        forget(&c);
        stop(&s);
    }
}

/* Whether the reply or the reset is seen first is chance. */
static void
a_reset_behind_the_reply_changes_nothing(void **state)
{
    struct server s;
    struct client c = {0};
    gc_status st;

    (void)state;
    for (int reused = 0; reused < 2; reused++) {
        start(&s, "server",
              reused ? SCRIPT(OK_TWO, OK_TWO "<<rst>>", OK_TWO)
                     : SCRIPT(OK_TWO "<<rst>>", OK_TWO));
        connect_to(&c, &s);
        if (reused)
            assert_int_equal(post(&c), GC_OK);
        st = send_for(&c, "{\"once\":1}", 10000, 0);
        assert_true(st == GC_OK || st == GC_E_UNAVAILABLE);
        (void)usleep(200000);
        assert_int_equal(logged(&s, "once"), 1);
        assert_int_equal(post(&c), GC_OK);
        assert_int_equal(logged(&s, "once"), 1);
        forget(&c);
        stop(&s);
    }
}

static void
before_the_request_it_may_be_tried_again(void **state)
{
    static const char *const scripts[] = {
        "@<<rst>>", "@<<close>>", "@\x16\x03\x03\x01<<close>>",
        "@\x16\x03\x03\x01<<sleep 50>><<rst>>"};
    struct server s;
    struct client c = {0};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(scripts); i++) {
        start(&s, "server", SCRIPT(scripts[i], OK_TWO));
        connect_to(&c, &s);
        assert_int_equal(post(&c), GC_E_UNAVAILABLE);
        assert_true(c.err.again);
        assert_false(c.reply.sent);
        assert_int_equal(post(&c), GC_OK);
        forget(&c);
        stop(&s);
    }

    /* The port is free again, and nobody listens. */
    connect_to(&c, &s);
    assert_int_equal(post(&c), GC_E_UNAVAILABLE);
    assert_true(c.err.again);
    assert_false(c.reply.sent);
    assert_non_null(strstr(c.err.message, "refused"));
    forget(&c);

    assert_int_equal(
        gc_http_new(
            &(const struct gc_http_options){.url = "https://no.such.test"},
            &c.http, &c.err),
        GC_OK);
    assert_int_equal(post(&c), GC_E_UNAVAILABLE);
    assert_true(c.err.again);
    assert_non_null(strstr(c.err.message, "resolved"));
    forget(&c);
}

/* Did what began at START take about MS, with slack for a busy machine? */
static void
assert_took(int64_t start, int ms)
{
    int64_t took = gc_clock_now() - start;

    assert_true(took >= ms - 20);
    assert_true(took < ms + 1500);
}

static void
the_deadline_holds(void **state)
{
    struct server s;
    struct client c = {0};
    int64_t begun;

    (void)state;
    start(&s, "server",
          SCRIPT("<<stall>>", OK_HEAD "Content-Length: 900\r\n\r\n<<drip 20>>",
                 "@<<stall>>", OK_TWO));
    connect_to(&c, &s);
    begun = gc_clock_now();
    assert_int_equal(send_for(&c, "{}", 300, 0), GC_E_UNAVAILABLE);
    assert_took(begun, 300);
    assert_false(c.err.again);
    assert_non_null(strstr(c.err.message, "no reply in time"));

    begun = gc_clock_now();
    assert_int_equal(send_for(&c, "{}", 300, 0), GC_E_UNAVAILABLE);
    assert_took(begun, 300);
    assert_false(c.err.again);
    assert_int_equal(c.reply.status, 200);
    assert_in_range(c.reply.body.len, 1, 100);

    begun = gc_clock_now();
    assert_int_equal(send_for(&c, "{}", 300, 0), GC_E_UNAVAILABLE);
    assert_took(begun, 300);
    assert_true(c.err.again);
    assert_false(c.reply.sent);
    assert_non_null(strstr(c.err.message, "no connection in time"));

    assert_int_equal(send_for(&c, "{}", 0, 0), GC_E_UNAVAILABLE);
    assert_int_equal(send_for(&c, "{}", -5000, 0), GC_E_UNAVAILABLE);
    assert_int_equal(logged(&s, "connection"), 3);
    assert_int_equal(post(&c), GC_OK);
    assert_int_equal(logged(&s, "request 4"), 1);
    forget(&c);
    stop(&s);
}

static void
the_deadline_holds_for_names(void **state)
{
    struct client c = {0};
    int64_t begun = gc_clock_now();

    (void)state;
    odd.slow_resolver = true;
    assert_int_equal(
        gc_http_new(
            &(const struct gc_http_options){.url = "https://slow.example.test"},
            &c.http, &c.err),
        GC_OK);
    assert_int_equal(send_for(&c, "{}", 300, 0), GC_E_UNAVAILABLE);
    assert_true(c.err.again);
    forget(&c);
    assert_took(begun, 300);
    odd.slow_resolver = false;
}

/* Make FD, a timer, readable after MS. */
static void
arm(int fd, int ms)
{
    struct itimerspec when = {.it_value = {.tv_nsec = ms * 1000000L}};

    if (ms == 0)
        when.it_value.tv_nsec = 1;
    assert_int_equal(timerfd_settime(fd, 0, &when, NULL), 0);
    if (ms == 0)
        (void)usleep(2000);
}

/* A POST to SCRIPT, cancelled after MS. */
struct cancelled {
    const char *script;
    int after, grace, deadline;
    gc_status st;
    int took;
    bool sent;
};

static void
check_cancelled(const struct cancelled *c)
{
    struct server s;
    struct client client = {0};
    int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC);
    int64_t begun;

    start(&s, "server", SCRIPT(c->script));
    connect_to(&client, &s);
    client.cancel = &fd;
    odd.polls = 0;
    odd.polled_fd = -1;
    arm(fd, c->after);
    begun = gc_clock_now();
    assert_int_equal(send_for(&client, "{}", c->deadline, c->grace), c->st);
    assert_took(begun, c->took);
    assert_int_equal(client.reply.sent, c->sent);
    if (c->st != GC_OK)
        assert_false(client.err.again);
    if (c->after == 0)
        assert_int_equal(logged(&s, "connection"), 0);
    /* Woken by the cancel, and not by chance, and not for ever after. */
    assert_int_equal(odd.polled_fd, c->after == 0 ? -1 : fd);
    assert_true(odd.polls < 500);
    forget(&client);
    (void)close(fd);
    stop(&s);
}

static void
cancelling_acts_at_once(void **state)
{
    static const struct cancelled cases[] = {
        {"<<stall>>", 0, 0, 10000, GC_E_CANCELED, 0, false},
        {"<<stall>>", 0, 3000, 10000, GC_E_CANCELED, 0, false},
        {"<<stall>>", 200, 0, 10000, GC_E_CANCELED, 200, true},
        {"@<<stall>>", 200, 5000, 10000, GC_E_CANCELED, 200, false},
        {OK_HEAD "Content-Length: 900\r\n\r\n<<drip 20>>", 200, 0, 10000,
         GC_E_CANCELED, 200, true},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++)
        check_cancelled(&cases[i]);
}

static void
what_is_on_its_way_gets_grace(void **state)
{
    static const struct cancelled cases[] = {
        {"<<sleep 600>>" OK_TWO, 200, 3000, 10000, GC_OK, 600, true},
        {"<<stall>>", 200, 300, 10000, GC_E_CANCELED, 500, true},
        {"<<stall>>", 200, 5000, 500, GC_E_CANCELED, 500, true},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++)
        check_cancelled(&cases[i]);
}

static void
a_closed_pipe_cancels_too(void **state)
{
    struct server s;
    struct client c = {0};
    int fds[2];
    int64_t begun = gc_clock_now();

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    (void)close(fds[1]);
    start(&s, "server", SCRIPT(OK_TWO));
    connect_to(&c, &s);
    c.cancel = &fds[0];
    assert_int_equal(post(&c), GC_E_CANCELED);
    assert_took(begun, 0);
    /* What must still be settled is. */
    c.cancel = NULL;
    assert_int_equal(post(&c), GC_OK);
    forget(&c);
    (void)close(fds[0]);
    stop(&s);
}

static void
sigpipe_is_kept_from_the_caller(void **state)
{
    struct server s;
    struct client c = {0};
    sigset_t mask, pending;

    (void)state;
    start(&s, "server", SCRIPT(OK_TWO));
    connect_to(&c, &s);
    odd.raise_sigpipe = true;
    assert_int_equal(post(&c), GC_OK);
    odd.raise_sigpipe = false;
    assert_int_equal(pthread_sigmask(SIG_BLOCK, NULL, &mask), 0);
    assert_false(sigismember(&mask, SIGPIPE));
    assert_int_equal(sigpending(&pending), 0);
    assert_false(sigismember(&pending, SIGPIPE));
    forget(&c);
    stop(&s);
}

/*
 * The environment
 */

static void
the_environment_is_not_asked(void **state)
{
    struct server s;
    struct client c = {0};
    FILE *netrc = fopen(in_dir(".netrc"), "we");

    (void)state;
    assert_non_null(netrc);
    (void)fputs("machine 127.0.0.1 login u password " SECRET "\n", netrc);
    (void)fclose(netrc);
    (void)setenv("HOME", directory, 1);
    (void)setenv("https_proxy", "http://127.0.0.1:1", 1);
    (void)setenv("ALL_PROXY", "http://127.0.0.1:1", 1);
    start(&s, "server", SCRIPT(OK_TWO));
    connect_to(&c, &s);
    assert_int_equal(post(&c), GC_OK);
    assert_int_equal(logged(&s, "uthorization"), 0);
    forget(&c);
    stop(&s);
    (void)unsetenv("https_proxy");
    (void)unsetenv("ALL_PROXY");
}

static void
what_is_no_proxy(void **state)
{
    static const char abroad[] = "http://l\xc3\xb6"
                                 "cal:1";
    static const char *const bad[] = {"nonsense://x",
                                      "ftp://x",
                                      "http://",
                                      ":::",
                                      "http://127.0.0.1:99999",
                                      "http://a b",
                                      "http://[::1",
                                      "http://u:" SECRET "@[::1",
                                      "ftp://u:" SECRET "@p?" SECRET,
                                      "u:://" SECRET "@a b",
                                      "http://u:1/" SECRET "@p:1",
                                      "http://u@s?" SECRET "@p:1",
                                      "http://u:" SECRET,
                                      "http://u:" SECRET "%40p:1",
                                      "http:\\\\u:" SECRET,
                                      "proxy.example.test:3128",
                                      "http://127.1:3128",
                                      "http://%31:3128",
                                      abroad};
    static const char *const good[] = {"",
                                       "http://proxy.example.test",
                                       "http://192.0.2.1:3128",
                                       "http://u:" SECRET
                                       "@proxy.example.test:3128/",
                                       "https://proxy.example.test",
                                       "socks4://proxy.example.test",
                                       "socks4a://proxy.example.test",
                                       "socks5://proxy.example.test:1080",
                                       "socks5h://u@[::1]:1080"};
    struct client c = {0};

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(bad) + GC_COUNT_OF(good); i++) {
        bool fine = i >= GC_COUNT_OF(bad);
        const struct gc_http_options options = {
            .url = "https://vc.example.test",
            .proxy = fine ? good[i - GC_COUNT_OF(bad)] : bad[i]};

        assert_int_equal(gc_http_new(&options, &c.http, &c.err),
                         fine ? GC_OK : GC_E_CONFIG);
        if (!fine) {
            assert_non_null(strstr(c.err.message, "the proxy \""));
            assert_non_null(strstr(c.err.hint, "http://"));
            assert_null(strstr(c.err.message, SECRET));
        }
        gc_http_free(c.http);
        c.http = NULL;
    }
}

/* Who does not answer is named: vCenter need not be to blame. */
static void
a_proxy_that_fails_is_named(void **state)
{
    static const struct {
        const char *proxy, *says;
    } cases[] = {
        {"http://u:" SECRET "@127.0.0.1:1",
         "the proxy http://127.0.0.1:1 to https://vc.example.test: cannot"},
        {"https://127.0.0.1:1",
         "the proxy https://127.0.0.1:1 to https://vc.example.test: cannot"},
        {"socks5h://127.0.0.1:1",
         "the proxy socks5h://127.0.0.1:1 to https://vc.example.test: cannot"},
        {"http://no.example.test", "the proxy http://no.example.test to "
                                   "https://vc.example.test: its name"},
    };

    (void)state;
    for (size_t i = 0; i < GC_COUNT_OF(cases); i++) {
        const struct gc_http_options options = {
            .url = "https://vc.example.test", .proxy = cases[i].proxy};
        struct client c = {0};

        assert_int_equal(gc_http_new(&options, &c.http, &c.err), GC_OK);
        assert_int_equal(post(&c), GC_E_UNAVAILABLE);
        assert_non_null(strstr(c.err.message, cases[i].says));
        assert_int_equal(c.err.advice, GC_ADVICE_PROXY);
        assert_null(strstr(c.err.message, SECRET));
        assert_true(c.err.again);
        forget(&c);
    }
}

/* A proxy that hangs, and one that speaks another TLS than its URL says. */
static void
a_proxy_that_stalls_is_named(void **state)
{
    struct gc_http_options options = {.url = "https://vc.example.test"};
    struct server s;
    struct client c = {0};
    char proxy[64];

    (void)state;
    start(&s, NULL, SCRIPT("<<stall>>"));
    (void)snprintf(proxy, sizeof(proxy), "http://127.0.0.1:%d", s.port);
    options.proxy = proxy;
    assert_int_equal(gc_http_new(&options, &c.http, &c.err), GC_OK);
    assert_int_equal(send_for(&c, "{}", 300, 0), GC_E_UNAVAILABLE);
    assert_non_null(strstr(c.err.message, "the proxy http://127.0.0.1:"));
    assert_non_null(strstr(c.err.message, "no connection in time"));
    forget(&c);
    stop(&s);

    start(&s, "server", SCRIPT(OK_TWO));
    (void)snprintf(proxy, sizeof(proxy), "https://127.0.0.1:%d", s.port);
    assert_int_equal(gc_http_new(&options, &c.http, &c.err), GC_OK);
    assert_int_equal(post(&c), GC_E_UNTRUSTED);
    assert_non_null(strstr(c.err.message, "the proxy https://127.0.0.1:"));
    assert_int_equal(c.err.advice, GC_ADVICE_PROXY_TLS);
    forget(&c);
    stop(&s);
}

static void
a_proxy_is_used_if_named(void **state)
{
    char proxy[64];
    struct server s;
    struct client c = {0};
    struct gc_http_options options = {.url = "https://proxied.example.test",
                                      .proxy = proxy};

    (void)state;
    (void)setenv("no_proxy", "*", 1);
    start(&s, NULL, SCRIPT("HTTP/1.1 407 No\r\nContent-Length: 0\r\n\r\n"));
    (void)snprintf(proxy, sizeof(proxy), "http://u:" SECRET "@127.0.0.1:%d",
                   s.port);
    assert_int_equal(gc_http_new(&options, &c.http, &c.err), GC_OK);
    assert_int_equal(post(&c), GC_E_UNAVAILABLE);
    assert_non_null(strstr(c.err.message, "the proxy to it answered HTTP 407"));
    assert_null(strstr(c.err.message, SECRET));
    assert_false(c.reply.sent);
    assert_true(logged_soon(
        &s, "request 1 CONNECT proxied.example.test:443 HTTP/1.1\n", 1));
    forget(&c);
    stop(&s);
    (void)unsetenv("no_proxy");
}

/*
 * Set-up
 */

static int
run(const char *const *argv)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        (void)execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid)
        return -1;
    return status;
}

/* Let OpenSSL itself allow what only our own setting shall forbid. */
static int
allow_old_tls(void)
{
    FILE *conf = fopen(in_dir("openssl.cnf"), "we");

    if (conf == NULL)
        return -1;
    (void)fputs("openssl_conf = all\n[all]\nssl_conf = ssl\n[ssl]\n"
                "system_default = old\n[old]\nMinProtocol = TLSv1\n"
                "CipherString = DEFAULT@SECLEVEL=0\n",
                conf);
    (void)fclose(conf);
    return setenv("OPENSSL_CONF", in_dir("openssl.cnf"), 1);
}

static int
set_up(void **state)
{
    const char *top = getenv("top_srcdir");
    const char *tmp = getenv("TMPDIR");

    (void)state;
    (void)snprintf(directory, sizeof(directory), "%.40s/gc-http-XXXXXX",
                   tmp != NULL ? tmp : "/tmp");
    if (mkdtemp(directory) == NULL)
        return -1;
    (void)snprintf(program, sizeof(program), "%s/tests/unit/https_server.py",
                   top != NULL ? top : ".");
    if (run((const char *const[]){"python3", program, "certs", directory, NULL})
        != 0)
        return -1;
    return allow_old_tls();
}

static int
tear_down(void **state)
{
    (void)state;
    return run((const char *const[]){"rm", "-rf", directory, NULL});
}

int
main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(urls_are_normalised),
        cmocka_unit_test(other_urls_are_refused),
        cmocka_unit_test(pins_are_checked),
        cmocka_unit_test(a_ca_file_must_be_one),
        cmocka_unit_test(a_ca_file_stands_alone),
        cmocka_unit_test(nothing_but_https_is_spoken),
        cmocka_unit_test(trust_by_ca),
        cmocka_unit_test(a_machine_without_cas),
        cmocka_unit_test(trust_by_pin),
        cmocka_unit_test(tls_is_needed_and_not_old),
        cmocka_unit_test(a_request_is_what_it_should_be),
        cmocka_unit_test(a_trace_tells_no_secret),
        cmocka_unit_test(a_large_body_arrives_whole),
        cmocka_unit_test(headers_are_wiped),
        cmocka_unit_test(a_post_has_a_body_and_a_get_has_none),
        cmocka_unit_test(every_status_is_a_reply),
        cmocka_unit_test(redirects_are_not_followed),
        cmocka_unit_test(the_session_header_is_taken),
        cmocka_unit_test(a_malformed_session_header_is_not),
        cmocka_unit_test(what_is_no_http_is_refused),
        cmocka_unit_test(a_body_has_a_limit),
        cmocka_unit_test(headers_have_a_limit),
        cmocka_unit_test(a_broken_reply_is_unavailable),
        cmocka_unit_test(nothing_is_sent_twice),
        cmocka_unit_test(a_connection_ends_at_exec),
        cmocka_unit_test(a_get_finds_a_new_connection),
        cmocka_unit_test(a_dead_connection_is_noticed),
        cmocka_unit_test(a_reset_behind_the_reply_changes_nothing),
        cmocka_unit_test(before_the_request_it_may_be_tried_again),
        cmocka_unit_test(the_deadline_holds),
        cmocka_unit_test(the_deadline_holds_for_names),
        cmocka_unit_test(cancelling_acts_at_once),
        cmocka_unit_test(what_is_on_its_way_gets_grace),
        cmocka_unit_test(a_closed_pipe_cancels_too),
        cmocka_unit_test(sigpipe_is_kept_from_the_caller),
        cmocka_unit_test(the_environment_is_not_asked),
        cmocka_unit_test(what_is_no_proxy),
        cmocka_unit_test(a_proxy_that_fails_is_named),
        cmocka_unit_test(a_proxy_that_stalls_is_named),
        cmocka_unit_test(a_proxy_is_used_if_named),
    };

    return cmocka_run_group_tests_name("http", tests, set_up, tear_down);
}
