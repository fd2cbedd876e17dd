/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A vCenter session: hello, content, Login, calls, Logout.
 *
 * Owns VI JSON's paths, what counts as an answer of the API, the session id and
 * the one re-login.  Refuses to know guests and tickets.  A method's fault is
 * an HTTP 500, and so is an ESXi host's refusal of JSON (in XML).
 */

#include <config.h>

#include "src/vim/session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* GuestAuthManager is the same in all of them; the newest first. */
static const char *const releases[] = {"9.0.0.0", "8.0.3.0", "8.0.2.0",
                                       "8.0.1.0"};
/* The first release with VI JSON; it has no hello yet. */
#define RELEASE_WITHOUT_HELLO "8.0.1.0"

#define NOT_AUTHENTICATED "NotAuthenticated"
#define NOT_FOUND         "ManagedObjectNotFound"
#define SESSION_ID_MAX    256
#define PATH_SIZE         1024
#define WHAT_SIZE         160

struct gc_session {
    struct gc_http *http; /* borrowed */
    struct gc_session_login login;
    struct gc_vc_info facts;
    bool adopted;       /* FACTS are from an earlier process */
    bool outdated;      /* and the server has shown that they are wrong */
    struct gc_bytes id; /* secret; empty: not logged in */
};

gc_status
gc_session_new(struct gc_http *http, const struct gc_session_login *login,
               struct gc_session **ret_session, struct gc_error *err)
{
    struct gc_session *session = calloc(1, sizeof(*session));

    if (session == NULL)
        return gc_fail_no_memory(err);
    session->http = http;
    session->login = *login;
    *ret_session = session;
    return GC_OK;
}

void
gc_session_free(struct gc_session *session)
{
    if (session == NULL)
        return;
    gc_bytes_clear(&session->id);
    free(session);
}

bool
gc_session_spoke(const struct gc_session *session)
{
    return gc_http_spoke(session->http);
}

struct gc_vc_info *
gc_session_vc_info(struct gc_session *session)
{
    return &session->facts;
}

const char *
gc_session_url(const struct gc_session *session)
{
    return gc_http_url(session->http);
}

const struct gc_bytes *
gc_session_id(const struct gc_session *session)
{
    return &session->id;
}

void
gc_session_reply_clear(struct gc_session_reply *reply)
{
    gc_json_free(reply->root);
    gc_bytes_clear(&reply->text);
    *reply = (struct gc_session_reply){0};
}

/*
 * Managed object references
 */

/* A moId that can stand in a path: no control character, no way out of it. */
static bool
is_moid(const char *moid)
{
    size_t len = strlen(moid);

    if (len == 0 || len >= GC_MOID_SIZE || strcmp(moid, ".") == 0
        || strcmp(moid, "..") == 0)
        return false;
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)moid[i] < 0x20 || moid[i] == 0x7f || moid[i] == '/')
            return false;
    return true;
}

void
gc_session_add_moref(struct gc_json *parent, const char *key, const char *type,
                     const char *moid)
{
    struct gc_json *ref = gc_json_add_object(parent, key);

    (void)gc_json_add_string(ref, "_typeName", "ManagedObjectReference");
    (void)gc_json_add_string(ref, "type", type);
    (void)gc_json_add_string(ref, "value", moid);
}

bool
gc_session_is_a(const struct gc_json *node, const char *type)
{
    const char *name = gc_json_string(node, "_typeName");

    return gc_json_is_object(node)
           && (gc_json_get(node, "_typeName") == NULL
               || (name != NULL && strcmp(name, type) == 0));
}

bool
gc_session_moref(const struct gc_json *node, char ret_type[64],
                 char ret_moid[GC_MOID_SIZE])
{
    const char *type = gc_json_string(node, "type");
    const char *value = gc_json_string(node, "value");

    if (!gc_session_is_a(node, "ManagedObjectReference"))
        return false;
    if (type == NULL || type[0] == '\0' || strlen(type) >= 64 || value == NULL
        || !is_moid(value))
        return false;
    if (ret_type != NULL)
        (void)snprintf(ret_type, 64, "%s", type);
    (void)snprintf(ret_moid, GC_MOID_SIZE, "%s", value);
    return true;
}

/* "/sdk/vim25/RELEASE/TYPE/MOID/MEMBER", MOID percent-encoded. */
static gc_status
write_path(const struct gc_session *session, const struct gc_session_call *call,
           char ret_path[PATH_SIZE], struct gc_error *err)
{
    static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                "abcdefghijklmnopqrstuvwxyz0123456789-._~";
    char moid[3 * GC_MOID_SIZE];
    size_t used = 0;
    int n;

    if (!is_moid(call->moid))
        return gc_fail(err, GC_E_CONFIG, "\"%s\" is no id of a %s", call->moid,
                       call->type);
    for (const char *c = call->moid; *c != '\0'; c++) {
        if (strchr(plain, *c) != NULL)
            moid[used++] = *c;
        else
            used += (size_t)snprintf(moid + used, 4, "%%%02X",
                                     (unsigned)(unsigned char)*c);
    }
    moid[used] = '\0';
    n = snprintf(ret_path, PATH_SIZE, "/sdk/vim25/%s/%s/%s/%s",
                 session->facts.release, call->type, moid, call->member);
    if (n < 0 || n >= PATH_SIZE)
        return gc_fail(err, GC_E_INTERNAL, "a path of %d bytes", n);
    return GC_OK;
}

/*
 * What a reply says
 */

/* A reply that is neither a result nor a fault.  WHAT was asked for. */
static gc_status
refuse(const struct gc_session *session, const struct gc_http_reply *http,
       const char *what, struct gc_error *err)
{
    const char *url = gc_session_url(session);
    gc_status st;

    if (http->status >= 300 && http->status <= 399) {
        st = gc_fail(err, GC_E_UNTRUSTED,
                     "%s wants to redirect %s (HTTP %d), which is not followed",
                     url, what, http->status);
        return gc_fail_hint(err, st, "give the URL of vCenter itself");
    }
    if (http->status >= 502 && http->status <= 504) {
        st = gc_fail(err, GC_E_UNAVAILABLE, "%s answered HTTP %d to %s", url,
                     http->status, what);
        /* A 503 often, not always, means that vCenter's service saw nothing. */
        if (err != NULL)
            err->again = http->status == 503;
        return gc_fail_hint(
            err, st, "vCenter's service is down, starting or overloaded");
    }
    if (http->status == 500 && http->type == GC_HTTP_XML) {
        st =
            gc_fail(err, GC_E_NOT_SUPPORTED,
                    "%s answered %s with XML, as an ESXi host does", url, what);
        return gc_fail_hint(err, st,
                            "give the URL of the vCenter that manages "
                            "the host");
    }
    if (http->status != 200 && http->status != 500)
        return gc_fail(err, GC_E_PROTOCOL, "%s answered HTTP %d to %s", url,
                       http->status, what);
    if (http->type != GC_HTTP_JSON)
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s answered %s with something that is not JSON", url,
                       what);
    return gc_fail(
        err, GC_E_PROTOCOL, "%s answered HTTP %d to %s with JSON that is no %s",
        url, http->status, what, http->status == 500 ? "fault" : "result");
}

/* HTTP is a whole reply, its body already moved to REPLY->text. */
static gc_status
read_reply(const struct gc_session *session, const struct gc_http_reply *http,
           const char *what, struct gc_session_reply *reply,
           struct gc_error *err)
{
    const struct gc_bytes *text = &reply->text;
    gc_status st;

    if (http->status == 401) {
        reply->is_fault = true;
        (void)snprintf(reply->fault.name, sizeof(reply->fault.name), "%s",
                       NOT_AUTHENTICATED);
        return GC_OK;
    }
    if (http->status == 204 || (http->status == 200 && text->len == 0))
        return GC_OK;
    if ((http->status != 200 && http->status != 500)
        || http->type != GC_HTTP_JSON)
        return refuse(session, http, what, err);

    st = gc_json_parse(text->data, text->len, &reply->root, err);
    if (st != GC_OK)
        return gc_fail_context(err, st, "%s answered HTTP %d to %s",
                               gc_session_url(session), http->status, what);
    if (http->status == 200) {
        if (gc_json_is_null(reply->root))
            gc_json_free(GC_TAKE(reply->root));
        return GC_OK;
    }
    reply->is_fault = gc_fault_parse(reply->root, &reply->fault);
    return reply->is_fault ? GC_OK : refuse(session, http, what, err);
}

static bool
is_not_authenticated(const struct gc_session_reply *reply)
{
    return reply->is_fault && gc_fault_is(&reply->fault, NOT_AUTHENTICATED);
}

/*
 * Put REPLY's fault into ERR where a new login is no cure, or has been tried.
 */
static gc_status
fail_unhealed(const struct gc_session *session,
              const struct gc_session_reply *reply, struct gc_error *err)
{
    gc_status st = gc_fault_fail(&reply->fault, gc_session_url(session), err);

    if (err != NULL && is_not_authenticated(reply))
        err->again = false;
    return st;
}

/*
 * One request, one answer; no new login.  RET_ID takes the session header, also
 * of an answer that is refused.
 */
static gc_status
send_once(struct gc_session *session, const struct gc_session_call *call,
          struct gc_session_reply *reply, struct gc_bytes *ret_id,
          struct gc_error *err)
{
    GC_AUTO(gc_http_reply) http = {0};
    GC_AUTO(gc_bytes) body = {0};
    struct gc_http_request request = {.post = call->body != NULL,
                                      .session = &session->id,
                                      .limit = call->limit,
                                      .cancel_grace = call->cancel_grace};
    char path[PATH_SIZE], what[WHAT_SIZE];
    gc_status st;

    gc_session_reply_clear(reply);
    st = write_path(session, call, path, err);
    if (st != GC_OK)
        return st;
    request.path = path;
    if (call->body != NULL) {
        st = gc_json_print(call->body, &body, err);
        if (st != GC_OK)
            return st;
        request.body = &body;
    }
    (void)snprintf(what, sizeof(what), "%s.%s", call->type, call->member);

    st = gc_http_perform(session->http, &request, &http, err);
    reply->sent = http.sent;
    reply->http_status = http.status;
    gc_bytes_move(&reply->text, &http.body);
    gc_bytes_move(ret_id, &http.session);
    if (st != GC_OK)
        return st;
    return read_reply(session, &http, what, reply, err);
}

/*
 * Opening
 */

static gc_status
write_hello(struct gc_bytes *ret_body, struct gc_error *err)
{
    GC_AUTO_PTR(gc_json) hello = gc_json_new_object();
    struct gc_json *list = gc_json_add_array(hello, "api_releases");

    for (size_t i = 0; i < GC_COUNT_OF(releases); i++)
        (void)gc_json_add_string(list, NULL, releases[i]);
    return gc_json_print(hello, ret_body, err);
}

/* One of those that we speak, or NULL. */
static const char *
find_release(const char *text)
{
    for (size_t i = 0; text != NULL && i < GC_COUNT_OF(releases); i++)
        if (strcmp(text, releases[i]) == 0)
            return releases[i];
    return NULL;
}

/*
 * Where hello fails (the service behind it may be down, or kept away by a
 * proxy), content tells whether the oldest release is served.
 */
static gc_status
say_hello(struct gc_session *session, struct gc_limit limit,
          struct gc_error *err)
{
    GC_AUTO(gc_http_reply) http = {0};
    GC_AUTO(gc_bytes) body = {0};
    GC_AUTO_PTR(gc_json) root = NULL;
    struct gc_http_request request = {
        .post = true,
        .path = "/api/vcenter/system?action=hello",
        .body = &body,
        .limit = limit,
    };
    const char *said = NULL, *release;
    gc_status st;

    st = write_hello(&body, err);
    if (st == GC_OK)
        st = gc_http_perform(session->http, &request, &http, err);
    if (st != GC_OK)
        return st;
    if (http.status == 200 && http.type == GC_HTTP_JSON
        && gc_json_parse(http.body.data, http.body.len, &root, NULL) == GC_OK)
        said = gc_json_string(root, "api_release");
    if (said != NULL && said[0] == '\0') {
        st = gc_fail(err, GC_E_NOT_SUPPORTED,
                     "%s serves none of the API releases that we speak",
                     gc_session_url(session));
        return gc_fail_hint(err, st, "vCenter 8.0 U1 and later are supported");
    }
    release = find_release(said);
    (void)snprintf(session->facts.release, sizeof(session->facts.release), "%s",
                   release != NULL ? release : RELEASE_WITHOUT_HELLO);
    return GC_OK;
}

/* "" or what a UUID is written with. */
static bool
is_uuid_text(const char *text)
{
    size_t len = strlen(text);

    return len < sizeof(((struct gc_vc_info *)0)->instance_uuid)
           && strspn(text, "0123456789abcdefABCDEF-") == len;
}

/* The member KEY of CONTENT, a MoRef that not every server has. */
static bool
read_manager(const struct gc_json *content, const char *key,
             char ret_moid[GC_MOID_SIZE])
{
    const struct gc_json *ref = gc_json_get(content, key);

    if (ref == NULL || gc_json_is_null(ref)) {
        ret_moid[0] = '\0';
        return true;
    }
    return gc_session_moref(ref, NULL, ret_moid);
}

static gc_status
read_content(struct gc_session *session, const struct gc_json *content,
             struct gc_error *err)
{
    struct gc_vc_info facts = session->facts;
    const struct gc_json *about = gc_json_get(content, "about");
    const char *api = gc_json_string(about, "apiType");
    const char *uuid = gc_json_string(about, "instanceUuid");
    gc_status st;

    if (api != NULL && strcmp(api, "HostAgent") == 0) {
        st = gc_fail(err, GC_E_NOT_SUPPORTED, "%s is an ESXi host",
                     gc_session_url(session));
        return gc_fail_hint(err, st,
                            "give the URL of the vCenter that manages "
                            "the host");
    }
    if (!gc_session_is_a(content, "ServiceContent")
        || !read_manager(content, "sessionManager", facts.session_manager)
        || !read_manager(content, "searchIndex", facts.search_index)
        || !read_manager(content, "guestOperationsManager",
                         facts.guest_operations_manager)
        || facts.session_manager[0] == '\0'
        || (uuid != NULL && !is_uuid_text(uuid)))
        return gc_fail(err, GC_E_PROTOCOL,
                       "%s describes itself in a way that is no ServiceContent",
                       gc_session_url(session));
    (void)snprintf(facts.instance_uuid, sizeof(facts.instance_uuid), "%s",
                   uuid != NULL ? uuid : "");
    session->facts = facts;
    return GC_OK;
}

static gc_status
get_content(struct gc_session *session, struct gc_limit limit,
            struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO(gc_bytes) unused = {0};
    struct gc_session_call call = {.type = "ServiceInstance",
                                   .moid = "ServiceInstance",
                                   .member = "content",
                                   .limit = limit};
    gc_status st = send_once(session, &call, &reply, &unused, err);

    if (st != GC_OK && reply.http_status == 404) {
        st = gc_fail(err, GC_E_NOT_SUPPORTED, "%s has no VI JSON API",
                     gc_session_url(session));
        return gc_fail_hint(err, st, "vCenter 8.0 U1 and later are supported");
    }
    if (st != GC_OK)
        return st;
    if (reply.is_fault)
        return fail_unhealed(session, &reply, err);
    return read_content(session, reply.root, err);
}

/*
 * Hello and content anew, in the place of facts that may be another vCenter's.
 * The managers of guest operations are looked up again when they are needed.
 */
static gc_status
find_facts(struct gc_session *session, struct gc_limit limit,
           struct gc_error *err)
{
    struct gc_vc_info old = session->facts;
    gc_status st;

    session->facts = (struct gc_vc_info){0};
    st = say_hello(session, limit, err);
    if (st == GC_OK)
        st = get_content(session, limit, err);
    if (st != GC_OK) {
        session->facts = old;
        return st;
    }
    session->adopted = false;
    session->outdated = false;
    return GC_OK;
}

static gc_status
write_login(struct gc_session *session, struct gc_bytes *ret_password,
            struct gc_json **ret_body, struct gc_error *err)
{
    GC_AUTO(gc_bytes) password = {0};
    GC_AUTO_PTR(gc_json) body = gc_json_new_object();
    gc_status st;

    if (body == NULL)
        return gc_fail_no_memory(err);
    if (session->login.username == NULL || session->login.password == NULL)
        return gc_fail(err, GC_E_CONFIG, "no user name to log in to %s with",
                       gc_session_url(session));
    st = session->login.password(session->login.user, &password, err);
    if (st != GC_OK)
        return st;
    if (strlen(gc_bytes_text(&password)) != password.len)
        return gc_fail(err, GC_E_CONFIG,
                       "the vCenter password holds a NUL byte");
    if (gc_json_add_string(body, "userName", session->login.username) == NULL
        || gc_json_add_string(body, "password", gc_bytes_text(&password))
               == NULL)
        return gc_fail_no_memory(err);
    gc_bytes_move(ret_password, &password);
    *ret_body = GC_TAKE(body);
    return GC_OK;
}

static gc_status
log_in(struct gc_session *session, struct gc_limit limit, struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO(gc_bytes) password = {0};
    GC_AUTO_PTR(gc_json) body = NULL;
    struct gc_session_call call = {.type = "SessionManager",
                                   .moid = session->facts.session_manager,
                                   .member = "Login",
                                   .limit = limit,
                                   .cancel_grace = GC_SESSION_GRACE_MS};
    gc_status st = write_login(session, &password, &body, err);

    if (st != GC_OK)
        return st;
    call.body = body;
    st = send_once(session, &call, &reply, &session->id, err);
    if (st == GC_OK && reply.is_fault)
        st = fail_unhealed(session, &reply, err);
    if (st == GC_OK
        && (session->id.len == 0
            || !gc_session_is_a(reply.root, "UserSession")))
        st = gc_fail(err, GC_E_PROTOCOL,
                     "%s answered the login with something that is no session",
                     gc_session_url(session));
    if (st != GC_OK) {
        gc_fail_blank(err, password.data, password.len);
        /* Do not leave open what the server may have opened. */
        (void)!gc_session_logout(session, gc_limit_grace(GC_SESSION_GRACE_MS),
                                 NULL);
    }
    return st;
}

gc_status
gc_session_relogin(struct gc_session *session, struct gc_limit limit,
                   struct gc_error *err)
{
    const struct gc_session_login *login = &session->login;
    GC_AUTO(gc_bytes) refused = {0};
    struct gc_error why = {0};
    gc_status st = GC_OK;

    gc_bytes_move(&refused, &session->id);
    if (session->adopted)
        st = find_facts(session, limit, err);
    if (st == GC_OK && login->begin != NULL)
        st = login->begin(login->user, &refused, limit, err);
    if (st != GC_OK || session->id.len > 0)
        return st;
    st = log_in(session, limit, &why);
    if (login->end != NULL)
        login->end(login->user, st, &why);
    if (st != GC_OK && err != NULL)
        *err = why;
    return st;
}

gc_status
gc_session_open(struct gc_session *session, struct gc_limit limit,
                struct gc_error *err)
{
    gc_status st = GC_OK;

    if (session->outdated || session->facts.release[0] == '\0'
        || session->facts.session_manager[0] == '\0')
        st = find_facts(session, limit, err);
    if (st == GC_OK && session->id.len == 0)
        st = gc_session_relogin(session, limit, err);
    return st;
}

/* NUL-terminated, and "" or a moId. */
static bool
is_kept_moid(const char *moid)
{
    return memchr(moid, '\0', GC_MOID_SIZE) != NULL
           && (moid[0] == '\0' || is_moid(moid));
}

#define MANAGERS_OF(f)                                                         \
    {                                                                          \
        (f)->session_manager, (f)->search_index,                               \
            (f)->guest_operations_manager, (f)->auth_manager,                  \
            (f)->process_manager, (f)->file_manager, (f)->registry_manager,    \
            (f)->alias_manager                                                 \
    }

static bool
are_kept_moids(const struct gc_vc_info *facts)
{
    const char *const moids[] = MANAGERS_OF(facts);

    for (size_t i = 0; i < GC_COUNT_OF(moids); i++)
        if (!is_kept_moid(moids[i]))
            return false;
    return true;
}

static bool
is_kept_id(const struct gc_bytes *id)
{
    if (id->len > SESSION_ID_MAX)
        return false;
    for (size_t i = 0; i < id->len; i++)
        if (id->data[i] <= 0x20 || id->data[i] >= 0x7f)
            return false;
    return true;
}

gc_status
gc_session_adopt(struct gc_session *session, const struct gc_vc_info *facts,
                 const struct gc_bytes *id, struct gc_error *err)
{
    GC_AUTO(gc_bytes) copy = {0};
    gc_status st;

    if ((facts->release[0] != '\0' && find_release(facts->release) == NULL)
        || memchr(facts->instance_uuid, '\0', sizeof(facts->instance_uuid))
               == NULL
        || !is_uuid_text(facts->instance_uuid) || !are_kept_moids(facts)
        || !is_kept_id(id))
        return gc_fail(err, GC_E_PROTOCOL,
                       "the stored vCenter session is damaged");
    if (id->len > 0) {
        st = gc_bytes_set(&copy, id->data, id->len, err);
        if (st != GC_OK)
            return st;
    }
    gc_bytes_move(&session->id, &copy);
    session->facts = *facts;
    session->adopted = facts->release[0] != '\0';
    session->outdated = false;
    return GC_OK;
}

/*
 * Calling
 */

/* Is it one of our managers, and not the VM that the call is about? */
static bool
lacks_manager(const struct gc_session *session,
              const struct gc_session_reply *reply)
{
    const char *const ours[] = MANAGERS_OF(&session->facts);

    if (!reply->is_fault || !gc_fault_is(&reply->fault, NOT_FOUND)
        || reply->fault.object[0] == '\0')
        return false;
    for (size_t i = 0; i < GC_COUNT_OF(ours); i++)
        if (strcmp(reply->fault.object, ours[i]) == 0)
            return true;
    return false;
}

static gc_status
fail_manager(const struct gc_session *session,
             const struct gc_session_reply *reply, struct gc_error *err)
{
    gc_status st =
        gc_fail(err, GC_E_PROTOCOL, "%s does not know its own \"%s\"",
                gc_session_url(session), reply->fault.object);

    if (err != NULL)
        memcpy(err->fault, reply->fault.name, sizeof(err->fault));
    return gc_fail_hint(err, st,
                        "vCenter may have been replaced or restored "
                        "meanwhile: try again");
}

/* A GET changes nothing. */
static bool
may_repeat(const struct gc_session_call *call)
{
    return call->idempotent || call->body == NULL;
}

/* Send CALL; an id that comes with the API's answer replaces ours. */
static gc_status
send_call(struct gc_session *session, const struct gc_session_call *call,
          struct gc_session_reply *reply, struct gc_error *err)
{
    GC_AUTO(gc_bytes) fresh = {0};
    gc_status st = send_once(session, call, reply, &fresh, err);

    if (st == GC_OK && fresh.len > 0 && !is_not_authenticated(reply))
        gc_bytes_move(&session->id, &fresh);
    return st;
}

/*
 * Does the outcome ST of CALL, with REPLY, come from facts that an earlier
 * process kept and that are not true any more, and may CALL be made again?
 */
static bool
is_outdated(struct gc_session *session, const struct gc_session_call *call,
            const struct gc_session_reply *reply, gc_status st)
{
    if (!session->adopted)
        return false;
    if (st == GC_OK)
        return lacks_manager(session, reply);
    if (reply->http_status != 404)
        return false;
    session->outdated = true;
    return may_repeat(call);
}

/*
 * After the facts may have been read anew: does CALL still mean what it meant
 * when the vCenter was UUID?
 */
static gc_status
check_meaning(const struct gc_session *session,
              const struct gc_session_call *call, const char *uuid,
              struct gc_session_reply *reply, struct gc_error *err)
{
    const char *now = session->facts.instance_uuid;
    gc_status st;

    if (uuid[0] != '\0' && now[0] != '\0' && strcmp(uuid, now) != 0) {
        st = gc_fail(err, GC_E_UNAVAILABLE,
                     "%s was vCenter %s and is %s now, where the same names "
                     "may mean other things",
                     gc_session_url(session), uuid, now);
        if (err != NULL)
            err->again = may_repeat(call);
        return gc_fail_hint(err, st, "try again");
    }
    if (call->moid[0] == '\0') {
        reply->forgotten = true;
        return gc_fail(err, GC_E_NOT_SUPPORTED, "%s has no %s any more",
                       gc_session_url(session), call->type);
    }
    return GC_OK;
}

gc_status
gc_session_call(struct gc_session *session, const struct gc_session_call *call,
                struct gc_session_reply *reply, struct gc_error *err)
{
    char uuid[sizeof(session->facts.instance_uuid)];
    bool relogged = false;
    gc_status st;

    gc_session_reply_clear(reply);
    st = gc_session_open(session, call->limit, err);
    if (st != GC_OK)
        return st;
    memcpy(uuid, session->facts.instance_uuid, sizeof(uuid));
    /* Logs in at most once, and adopted facts are dropped at most once. */
    for (;;) {
        st = send_call(session, call, reply, err);
        if (st == GC_OK && is_not_authenticated(reply) && !call->no_login) {
            if (relogged)
                return fail_unhealed(session, reply, err);
            gc_session_reply_clear(reply);
            relogged = true;
            st = gc_session_relogin(session, call->limit, err);
        } else if (is_outdated(session, call, reply, st)) {
            st = find_facts(session, call->limit, err);
        } else {
            break;
        }
        if (st == GC_OK)
            st = check_meaning(session, call, uuid, reply, err);
        if (st != GC_OK)
            return st;
    }
    if (st == GC_OK && lacks_manager(session, reply))
        return fail_manager(session, reply, err);
    return st;
}

gc_status
gc_session_logout(struct gc_session *session, struct gc_limit limit,
                  struct gc_error *err)
{
    GC_AUTO(gc_session_reply) reply = {0};
    GC_AUTO_PTR(gc_json) body = NULL;
    GC_AUTO(gc_bytes) unused = {0};
    struct gc_session_call call = {.type = "SessionManager",
                                   .moid = session->facts.session_manager,
                                   .member = "Logout",
                                   .limit = limit,
                                   .cancel_grace = GC_SESSION_GRACE_MS};
    gc_status st;

    if (session->id.len == 0)
        return GC_OK;
    body = gc_json_new_object();
    if (body == NULL)
        return gc_fail_no_memory(err);
    call.body = body;
    st = send_once(session, &call, &reply, &unused, err);
    /* Whether or not that worked, the id is not used any more. */
    gc_bytes_clear(&session->id);
    if (st == GC_OK && reply.is_fault && !is_not_authenticated(&reply))
        st = fail_unhealed(session, &reply, err);
    return st;
}
