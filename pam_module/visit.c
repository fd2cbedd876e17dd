/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "pam_module/visit.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam_module/ask.h"
#include "pam_module/record.h"
#include "pam_module/verdict.h"
#include "src/base/clock.h"

void
gc_visit_clear(struct gc_visit *visit)
{
    gc_settings_clear(&visit->settings);
}

gc_status
gc_visit_begin(struct gc_visit *visit, pam_handle_t *pamh, int flags, int argc,
               const char **argv)
{
    struct gc_error error = {.status = GC_OK};
    uid_t effective, saved;
    gc_status st;

    *visit = (struct gc_visit){.pamh = pamh, .flags = flags};
    visit->started = gc_clock_now();
    visit->uid = GC_VISIT_NOBODY;
    if (getresuid(&visit->caller, &effective, &saved) != 0)
        return GC_E_INTERNAL;
    st = gc_settings_take_arguments(&visit->settings, argc, argv, &error);
    if (st != GC_OK) {
        gc_record_error(pamh, LOG_ERR, "configuration", &error);
        return st;
    }
    if (geteuid() != 0) {
        st = gc_fail(&error, GC_E_UNAVAILABLE,
                     "the host program does not run as root");
        gc_record_error(pamh, LOG_ERR, "not here", &error);
        return st;
    }
    st = gc_settings_take_file(&visit->settings, &error);
    if (st != GC_OK)
        gc_record_error(pamh, LOG_ALERT, "configuration", &error);
    else
        gc_visit_debug(visit, "configuration read");
    return st;
}

int
gc_visit_subject(struct gc_visit *visit)
{
    const struct gc_settings *settings = &visit->settings;
    const struct passwd *account;
    int code = pam_get_user(visit->pamh, &visit->user, NULL);

    if (code == PAM_BUF_ERR || code == PAM_SYSTEM_ERR)
        return code;
    if (code != PAM_SUCCESS)
        return PAM_CONV_ERR;
    visit->subject = GC_SUBJECT_NOBODY;
    if (visit->user == NULL || visit->user[0] == '\0'
        || strlen(visit->user) >= GC_WIRE_NAME_SIZE) {
        visit->user = "";
        return PAM_SUCCESS;
    }
    account = pam_modutil_getpwnam(visit->pamh, visit->user);
    if (account == NULL)
        return PAM_SUCCESS;
    if (account->pw_uid == 0 ? settings->ignore_root
                             : account->pw_uid < settings->minimum_uid) {
        visit->subject = GC_SUBJECT_IGNORED;
        return PAM_SUCCESS;
    }
    /* Uid 0 is nobody whom a ticket could prove. */
    if (account->pw_uid == 0 || account->pw_uid == GC_VISIT_NOBODY
        || strcmp(account->pw_name, visit->user) != 0)
        return PAM_SUCCESS;
    visit->subject = GC_SUBJECT_OURS;
    visit->uid = account->pw_uid;
    return PAM_SUCCESS;
}

/* PAM's items and environment are text from outside: it fits, or it fails. */
static gc_status
take_text(char *dst, size_t size, const void *text, const char *what,
          struct gc_error *err)
{
    const char *from = text == NULL ? "" : text;

    if (strlen(from) >= size)
        return gc_fail(err, GC_E_DENIED, "%s is too long", what);
    memcpy(dst, from, strlen(from) + 1);
    return GC_OK;
}

/* Which VM of the map, as the environment has it. */
static gc_status
take_vm(struct gc_visit *visit, struct gc_wire_request *request,
        struct gc_error *err)
{
    const char *name =
        gc_options_text(&visit->settings.config, GC_OPT_PAM_VM_ENV);
    const struct gc_kept *kept = gc_kept_get(visit->pamh);
    const char *vm = NULL;

    if (name != NULL)
        vm = pam_getenv(visit->pamh, name);
    if (vm == NULL && kept != NULL && kept->uid == visit->uid)
        vm = kept->vm;
    return take_text(request->vm, sizeof(request->vm), vm, "the VM's name",
                     err);
}

gc_status
gc_visit_request(struct gc_visit *visit, gc_wire_call call,
                 struct gc_wire_request *ret_request, struct gc_error *err)
{
    /* A release needs its transaction, and no text that others can spoil. */
    const bool releasing = call == GC_WIRE_DELETE || call == GC_WIRE_CLOSE;
    struct gc_wire_request *request = ret_request;
    const void *service = NULL;
    gc_status st;

    gc_wire_request_init(request, call);
    request->caller = visit->caller;
    request->uid = visit->uid == GC_VISIT_NOBODY ? 0 : visit->uid;
    request->host_pid = getpid();
    request->host_start = (int64_t)gc_kept_start();
    request->deadline = visit->started + visit->settings.timeout_ms;
    if (pam_get_item(visit->pamh, PAM_SERVICE, &service) != PAM_SUCCESS)
        service = NULL;
    memcpy(request->transaction, gc_kept_transaction(visit->pamh),
           strlen(gc_kept_transaction(visit->pamh)));
    st = take_text(request->user, sizeof(request->user), visit->user,
                   "PAM_USER", err);
    if (st == GC_OK)
        st = take_text(request->service, sizeof(request->service), service,
                       "PAM_SERVICE", err);
    if (st == GC_OK && !releasing)
        st =
            take_text(request->ccname, sizeof(request->ccname),
                      pam_getenv(visit->pamh, "KRB5CCNAME"), "KRB5CCNAME", err);
    if (st == GC_OK && !releasing)
        st = take_vm(visit, request, err);
    return st == GC_OK ? gc_settings_pass_on(&visit->settings, request, err)
                       : st;
}

static void
record(struct gc_visit *visit, const char *what, gc_status status,
       const struct gc_wire_reply *reply, const struct gc_error *error)
{
    const struct gc_outcome outcome = {
        .what = what,
        .user = visit->user,
        .caller = visit->caller,
        .status = status,
        .ms = gc_clock_now() - visit->started,
        .reply = reply,
        .error = error,
    };

    gc_record_outcome(visit->pamh, &outcome);
}

void
gc_visit_failed(struct gc_visit *visit, const char *what,
                const struct gc_error *error)
{
    record(visit, what, error->status, NULL, error);
}

/* Success must be for the one who was meant; the helper is not believed. */
static gc_status
check_reply(const struct gc_visit *visit, const struct gc_wire_reply *reply,
            struct gc_error *err)
{
    if (reply->status != GC_OK)
        return gc_wire_reply_error(reply, err);
    if (reply->call == GC_WIRE_AUTHENTICATE
        && (visit->subject != GC_SUBJECT_OURS || reply->uid != visit->uid))
        return gc_fail(err, GC_E_DENIED,
                       "%.200s was proved, and that is another account",
                       reply->principal);
    return GC_OK;
}

gc_status
gc_visit_ask(struct gc_visit *visit, const char *what,
             const struct gc_wire_request *request,
             struct gc_wire_reply *ret_reply)
{
    struct gc_error error = {.status = GC_OK};
    struct gc_wire_reply reply;
    gc_status st;

    gc_wire_reply_init(&reply, request->call);
    gc_visit_debug(visit, "asking the helper");
    st = gc_ask(visit->settings.helper, request, &reply, &error);
    if (st == GC_OK)
        st = check_reply(visit, &reply, &error);
    if (st == GC_OK && reply.nothing)
        gc_record_note(visit->pamh, reply.suspect ? LOG_WARNING : LOG_INFO,
                       visit->user, reply.message);
    else
        record(visit, what, st, &reply, &error);
    *ret_reply = reply;
    return st;
}

void
gc_visit_debug(struct gc_visit *visit, const char *text)
{
    if (visit->settings.debug)
        pam_syslog(visit->pamh, LOG_DEBUG, "%s", text);
}
