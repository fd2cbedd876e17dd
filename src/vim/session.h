/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCenter session: the release to speak, the managers, the user, and one new
 * login after NotAuthenticated.
 *
 * Knows VI JSON's paths and replies.  Knows no guest, no ticket and no GSS.
 */

#ifndef GC_SRC_VIM_SESSION_H
#define GC_SRC_VIM_SESSION_H

#include "src/base/base.h"
#include "src/base/bytes.h"
#include "src/json.h"
#include "src/vim/fault.h"
#include "src/vim/http.h"
#include "src/vim/vc_info.h"

/* So many ms a cancel waits for a reply that must not be lost. */
#define GC_SESSION_GRACE_MS 3000

struct gc_session;

/* The service login.  PASSWORD is called only when a login is due. */
struct gc_session_login {
    const char *username; /* borrowed while the session lives */
    gc_status (*password)(void *user, struct gc_bytes *ret_password,
                          struct gc_error *err);
    /*
     * Both or neither.  BEGIN comes before each login; REFUSED is the id that
     * was held (secret, may be empty).  It may adopt a session that another
     * process opened meanwhile (gc_session_adopt): then that is all.  Else END
     * is told the outcome, with WHY where it is not GC_OK.
     */
    gc_status (*begin)(void *user, const struct gc_bytes *refused,
                       struct gc_limit limit, struct gc_error *err);
    void (*end)(void *user, gc_status st, const struct gc_error *why);
    void *user;
};

/* HTTP and LOGIN are borrowed and must outlive the session. */
GC_MUST_USE gc_status gc_session_new(struct gc_http *http,
                                     const struct gc_session_login *login,
                                     struct gc_session **ret_session,
                                     struct gc_error *err);
/* Forgets; does not log out.  NULL is fine. */
void gc_session_free(struct gc_session *session);
GC_DEFINE_FREEP(gc_session)

/*
 * Hello (where it fails: 8.0.1.0), content, Login; each only if still needed.
 * An ESXi host, no common release: GC_E_NOT_SUPPORTED.  InvalidLogin:
 * GC_E_VCENTER_DENIED.
 */
GC_MUST_USE gc_status gc_session_open(struct gc_session *session,
                                      struct gc_limit limit,
                                      struct gc_error *err);

/* Was the server asked anything at all? */
bool gc_session_spoke(const struct gc_session *session);

/* Borrowed, writable: guest_call keeps moIds there. */
struct gc_vc_info *gc_session_vc_info(struct gc_session *session);
/* The server's url, borrowed. */
const char *gc_session_url(const struct gc_session *session);

/*
 * Adopt what an earlier process kept: FACTS and a session ID (secret, may be
 * empty).  GC_E_PROTOCOL, and nothing is adopted, when something in them could
 * not have come from a vCenter.  The server may refuse it later:
 * NotAuthenticated then leads to a login as ever, and the facts are read anew
 * before it: what answers may be another vCenter now.
 */
GC_MUST_USE gc_status gc_session_adopt(struct gc_session *session,
                                       const struct gc_vc_info *facts,
                                       const struct gc_bytes *id,
                                       struct gc_error *err);
/* The current session id (secret, borrowed), empty when not logged in. */
const struct gc_bytes *gc_session_id(const struct gc_session *session);

struct gc_session_call {
    const char *type;           /* "GuestAuthManager" */
    const char *moid;           /* where it is one of the facts: from there */
    const char *member;         /* "AcquireCredentialsInGuest", "authManager" */
    const struct gc_json *body; /* NULL: GET the property MEMBER */
    bool no_login; /* NotAuthenticated is passed up as a fault; no new login */
    bool idempotent; /* a POST that may be made twice, as a GET always may */
    struct gc_limit limit;
    int cancel_grace; /* as in gc_http_request */
};

/* A well-formed answer: a result or a fault. */
struct gc_session_reply {
    bool sent;       /* the request may have gone out, if only in part */
    int http_status; /* 0 when none came */
    /*
     * With an error: the facts were read anew and the call's MOID is not in
     * them any more.  Nothing was done; look it up and make the call again.
     */
    bool forgotten;
    bool is_fault;
    struct gc_fault fault; /* if is_fault */
    struct gc_json *root;  /* result or fault; NULL for null, 204 and empty */
    struct gc_bytes text;  /* the raw body as far as it arrived; secret */
};

void gc_session_reply_clear(struct gc_session_reply *reply);

/*
 * POST a method or GET a property, opening the session first where that is due.
 * GC_OK when the API answered, even with a fault.  NotAuthenticated (or HTTP
 * 401) logs in again and repeats the call, once in a session's call; again
 * refused: GC_E_UNAVAILABLE.  Anything else that is not what the API promises
 * is GC_E_PROTOCOL, a 502/503/504 GC_E_UNAVAILABLE (err->again for 503, which
 * is for idempotent calls: vpxd may have seen it), an XML 500
 * GC_E_NOT_SUPPORTED (ESXi), a 30x GC_E_UNTRUSTED.  REPLY->text is kept on
 * error too, for salvage.
 *
 * ManagedObjectNotFound for one of our own managers is GC_E_PROTOCOL.  Where
 * the facts were adopted, it and (for what may be made twice) HTTP 404 have
 * them read anew first, and the call repeated, once.  It is not repeated at
 * another vCenter than it began with: GC_E_UNAVAILABLE.
 */
GC_MUST_USE gc_status gc_session_call(struct gc_session *session,
                                      const struct gc_session_call *call,
                                      struct gc_session_reply *reply,
                                      struct gc_error *err);

/*
 * Log in anew even though we hold an id (it was refused).  Adopted facts are
 * read anew first, and the managers of guest operations are emptied then.  A
 * session that came with an answer which is refused is logged out.
 */
GC_MUST_USE gc_status gc_session_relogin(struct gc_session *session,
                                         struct gc_limit limit,
                                         struct gc_error *err);

/* End the session at the server, best effort; nothing to do is GC_OK. */
GC_MUST_USE gc_status gc_session_logout(struct gc_session *session,
                                        struct gc_limit limit,
                                        struct gc_error *err);

/* Add {"_typeName":"ManagedObjectReference","type":…,"value":…} under KEY. */
void gc_session_add_moref(struct gc_json *parent, const char *key,
                          const char *type, const char *moid);

/*
 * Is NODE an object of TYPE?  For where the call itself says the type: then
 * _typeName may be missing.
 */
bool gc_session_is_a(const struct gc_json *node, const char *type);

/*
 * Read NODE as a MoRef (any member order, _typeName may be missing): its type
 * (may be NULL if not of interest) and value are copied.  False if it is none.
 */
bool gc_session_moref(const struct gc_json *node, char ret_type[64],
                      char ret_moid[GC_MOID_SIZE]);

#endif
