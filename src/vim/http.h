/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTPS to one server as one identity: the only room that sees libcurl.
 *
 * Bytes out, status and bytes back.  Has no opinion on 4xx and 5xx (a challenge
 * is a 500), knows no JSON.  TLS 1.2 up, verified, no redirects, nothing sent
 * twice.
 */

#ifndef GC_SRC_VIM_HTTP_H
#define GC_SRC_VIM_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/base/clock.h"

#define GC_HTTP_BODY_MAX (1024 * 1024)

struct gc_http;

/* All strings are copied. */
struct gc_http_options {
    const char *url;     /* "[https://]host[:port][/sdk]", no user, no query */
    const char *ca_file; /* PEM, or NULL for the system's */
    const char *pin;     /* "sha256//…[;sha256//…]" or NULL; beside
                            CA_FILE, or alone where that is NULL */
    const char *proxy;   /* "[http://]host[:port]", also https and socks…;
                            NULL or "": none, whatever the environment says */
    bool insecure;       /* no verification at all */
    /* Told of every request: method, path, status, size, time.  May be NULL. */
    void (*trace)(void *user, const char *line);
    void *trace_user;
};

/*
 * GC_E_CONFIG for a malformed URL (or one that says more than where the server
 * is), proxy or pin, or a CA file that cannot be read; GC_E_UNTRUSTED for plain
 * http.  An address is quoted without what may be secret in it: the login, and
 * what follows the path.
 */
GC_MUST_USE gc_status gc_http_new(const struct gc_http_options *options,
                                  struct gc_http **ret_http,
                                  struct gc_error *err);
/* The check that gc_http_new makes of a CA file. */
GC_MUST_USE gc_status gc_http_check_ca_file(const char *ca_file,
                                            struct gc_error *err);
/* Closes the connection.  NULL is fine. */
void gc_http_free(struct gc_http *http);
GC_DEFINE_FREEP(gc_http)

/* "https://host[:port]" as normalised, for records and messages. */
const char *gc_http_url(const struct gc_http *http);

/* Was any request made? */
bool gc_http_spoke(const struct gc_http *http);

struct gc_http_request {
    bool post;                   /* else GET */
    const char *path;            /* "/sdk/vim25/…", already percent-encoded */
    const struct gc_bytes *body; /* JSON; a POST has one, a GET has none */
    const struct gc_bytes *session; /* vmware-api-session-id; secret; or NULL */
    struct gc_limit limit;
    /*
     * On cancel, go on waiting this many milliseconds for the reply if the
     * request is already on its way (a ticket may be in it).  0: stop at once.
     */
    int cancel_grace;
};

enum gc_http_type {
    GC_HTTP_NONE,
    GC_HTTP_JSON,
    GC_HTTP_HTML,
    GC_HTTP_XML,
    GC_HTTP_OTHER
};

struct gc_http_reply {
    bool sent;              /* the request may have gone out, if only in part */
    int status;             /* 0 as long as none came */
    enum gc_http_type type; /* of the body, by Content-Type */
    struct gc_bytes body;   /* secret; kept as far as it arrived on error too */
    struct gc_bytes
        session; /* the vmware-api-session-id it came with, or empty */
};

void gc_http_reply_clear(struct gc_http_reply *reply);

/*
 * One request, one reply.  GC_OK as soon as a whole reply was read, whatever
 * its status.  err->again is set only where no byte of the request went out
 * (refused, unresolvable, TLS not yet up for a passing reason).
 * GC_E_UNAVAILABLE refused, reset, timed out, closed early; GC_E_UNTRUSTED TLS;
 * GC_E_PROTOCOL too large or no HTTP; GC_E_CONFIG a CA file that holds none,
 * a host whose name cannot be looked up.  A proxy that fails is named.
 * GC_E_CANCELED.  REPLY is emptied first, and on an error keeps what arrived.
 */
GC_MUST_USE gc_status gc_http_perform(struct gc_http *http,
                                      const struct gc_http_request *request,
                                      struct gc_http_reply *reply,
                                      struct gc_error *err);

#endif
