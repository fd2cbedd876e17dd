/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCenter sessions.  The id travels in the header vmware-api-session-id and,
 * when the settings say so, in the cookie vmware_soap_session too.
 */

#include <config.h>

#include "tests/lab/login.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "tests/lab/loop.h"

static struct gc_visit *visits;
static unsigned last_number;

static void
drop(struct gc_visit *visit)
{
    struct gc_visit **at = &visits;

    while (*at != visit)
        at = &(*at)->next;
    *at = visit->next;
    explicit_bzero(visit, sizeof(*visit));
    free(visit);
}

static void
reap(const struct gc_world *world)
{
    double now = gc_loop_now();
    struct gc_visit *visit, *next;

    for (visit = visits; visit != NULL; visit = next) {
        next = visit->next;
        if (now - visit->used >= world->settings.idle)
            drop(visit);
    }
}

struct gc_visit *
gc_login_find(const struct gc_world *world, const char *id)
{
    struct gc_visit *visit;

    reap(world);
    visit = visits;
    while (visit != NULL && strcmp(visit->id, id) != 0)
        visit = visit->next;
    if (visit != NULL) {
        visit->used = gc_loop_now();
        visit->calls++;
    }
    return visit;
}

void
gc_login_renew(struct gc_visit *visit)
{
    unsigned char random[20];
    size_t i;

    gc_text_random(random, sizeof(random));
    for (i = 0; i < sizeof(random); i++)
        snprintf(visit->id + 2 * i, 3, "%02x", random[i]);
}

struct gc_visit *
gc_login_open(const struct gc_world *world, const char *agent)
{
    struct gc_visit *visit;
    struct timespec now;
    struct tm utc;
    char seconds[32];

    if (gc_login_count(world) >= world->settings.max_sessions)
        return NULL;
    visit = gc_text_grab(1, sizeof(*visit));
    gc_login_renew(visit);
    visit->number = ++last_number;
    visit->used = gc_loop_now();
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &utc);
    strftime(seconds, sizeof(seconds), "%Y-%m-%dT%H:%M:%S", &utc);
    snprintf(visit->started, sizeof(visit->started), "%s.%06ldZ", seconds,
             now.tv_nsec / 1000 % 1000000);
    snprintf(visit->agent, sizeof(visit->agent), "%s", agent);
    visit->next = visits;
    visits = visit;
    return visit;
}

void
gc_login_close(struct gc_visit *visit)
{
    drop(visit);
}

unsigned
gc_login_count(const struct gc_world *world)
{
    const struct gc_visit *visit;
    unsigned count = 0;

    reap(world);
    for (visit = visits; visit != NULL; visit = visit->next)
        count++;
    return count;
}

const struct gc_visit *
gc_login_first(void)
{
    return visits;
}

void
gc_login_expire_all(void)
{
    while (visits != NULL)
        drop(visits);
}

void
gc_login_expire_guests(void)
{
    struct gc_visit *visit;

    for (visit = visits; visit != NULL; visit = visit->next)
        visit->no_guests = true;
}

cJSON *
gc_login_describe(const struct gc_world *world, const struct gc_visit *visit)
{
    cJSON *user = gc_doc_object("UserSession");
    char key[64];

    /* Not the id: on a real server too the key is another value. */
    snprintf(key, sizeof(key), "5200aaaa-%04x-0000-0000-000000000000",
             visit->number & 0xffff);
    gc_doc_add_string(user, "key", key);
    gc_doc_add_string(user, "userName", world->settings.username);
    gc_doc_add_string(user, "fullName", "Lab Administrator");
    gc_doc_add_string(user, "loginTime", visit->started);
    gc_doc_add_string(user, "lastActiveTime", visit->started);
    gc_doc_add_string(user, "locale", "en");
    gc_doc_add_string(user, "messageLocale", "en");
    gc_doc_add_bool(user, "extensionSession", false);
    gc_doc_add_string(user, "ipAddress", "127.0.0.1");
    gc_doc_add_string(user, "userAgent", visit->agent);
    gc_doc_add_int(user, "callCount", visit->calls);
    return user;
}

static void
show_id(const struct gc_world *world, const struct gc_visit *visit,
        struct gc_reply *reply)
{
    GC_TEXT cookie = {0};

    gc_reply_header(reply, "vmware-api-session-id", visit->id);
    if (!world->settings.cookie)
        return;
    gc_text_printf(&cookie,
                   "vmware_soap_session=\"%s\"; Path=/; HttpOnly; Secure",
                   visit->id);
    gc_reply_header(reply, "Set-Cookie", cookie.data);
}

void
gc_login_post(struct gc_request *request, struct gc_reply *reply)
{
    const struct gc_settings *settings = &request->world->settings;
    const char *name = gc_doc_string(request->args, "userName");
    const char *password = gc_doc_string(request->args, "password");
    struct gc_visit *visit;

    if (strcmp(name, settings->username) != 0
        || strcmp(password, settings->password) != 0) {
        gc_reply_fault(reply, "InvalidLogin");
        return;
    }
    visit = gc_login_open(request->world,
                          request->agent != NULL ? request->agent : "");
    if (visit == NULL) {
        gc_reply_text(reply, 503, "text/plain", "upstream connect error");
        return;
    }
    request->visit = visit;
    gc_reply_doc(reply, 200, gc_login_describe(request->world, visit));
    show_id(request->world, visit, reply);
}

void
gc_login_logout(struct gc_request *request, struct gc_reply *reply)
{
    gc_login_close(request->visit);
    request->visit = NULL;
    gc_reply_void(reply);
}

/* Unset rather than a fault for one who is not logged in. */
void
gc_login_current(struct gc_request *request, struct gc_reply *reply)
{
    if (request->visit == NULL)
        gc_reply_nothing(reply,
                         (enum gc_nothing)request->world->settings.nothing);
    else
        gc_reply_doc(reply, 200,
                     gc_login_describe(request->world, request->visit));
}

static bool
basic_matches(const struct gc_settings *settings, const char *authorization)
{
    GC_TEXT wanted = {0};
    GC_TEXT pair = {0};

    gc_text_printf(&pair, "%s:%s", settings->username, settings->password);
    gc_text_puts(&wanted, "Basic ");
    gc_text_base64(pair.data, pair.len, &wanted);
    return authorization != NULL && strcmp(authorization, wanted.data) == 0;
}

static void
api_refuse(struct gc_reply *reply)
{
    cJSON *error = gc_doc_object(NULL);

    gc_doc_add_string(error, "error_type", "UNAUTHENTICATED");
    gc_doc_add(error, "messages", cJSON_CreateArray());
    gc_reply_doc(reply, 401, error);
}

/* POST and DELETE /api/session: since 8.0 U3 the same ids as SessionManager. */
void
gc_login_api(struct gc_request *request, struct gc_reply *reply)
{
    struct gc_visit *visit = request->visit;

    if (strcmp(request->verb, "DELETE") == 0) {
        if (visit == NULL) {
            api_refuse(reply);
            return;
        }
        gc_login_logout(request, reply);
        return;
    }
    if (!basic_matches(&request->world->settings, request->authorization)) {
        api_refuse(reply);
        return;
    }
    visit = gc_login_open(request->world,
                          request->agent != NULL ? request->agent : "");
    if (visit == NULL) {
        gc_reply_text(reply, 503, "text/plain", "upstream connect error");
        return;
    }
    request->visit = visit;
    gc_reply_doc(reply, 201, cJSON_CreateString(visit->id));
    show_id(request->world, visit, reply);
}
