/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h>

#include "pam_module/call_state.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam_module/ask.h"
#include "pam_module/log.h"
#include "pam_module/pam_codes.h"
#include "src/base/clock.h"

void
gc_call_state_clear(struct gc_call_state *state)
{
    gc_settings_clear(&state->settings);
}

gc_status
gc_call_state_begin(struct gc_call_state *state, pam_handle_t *pamh, int flags,
                    int argc, const char **argv)
{
    struct gc_error error = {.status = GC_OK};
    uid_t effective, saved;
    gc_status st;

    *state = (struct gc_call_state){.pamh = pamh, .flags = flags};
    state->started = gc_clock_now();
    state->uid = GC_CALL_STATE_NOBODY;
    if (getresuid(&state->caller, &effective, &saved) != 0)
        return GC_E_INTERNAL;
    st = gc_settings_take_arguments(&state->settings, argc, argv, &error);
    if (st != GC_OK) {
        gc_pam_log_error(pamh, LOG_ERR, "configuration", &error);
        return st;
    }
    if (geteuid() != 0) {
        st = gc_fail(&error, GC_E_UNAVAILABLE,
                     "the host program does not run as root");
        gc_pam_log_error(pamh, LOG_ERR, "not here", &error);
        return st;
    }
    st = gc_settings_take_file(&state->settings, &error);
    if (st != GC_OK)
        gc_pam_log_error(pamh, LOG_ALERT, "configuration", &error);
    else
        gc_call_state_debug(state, "configuration read");
    return st;
}

int
gc_call_state_subject(struct gc_call_state *state)
{
    const struct gc_settings *settings = &state->settings;
    const struct passwd *account;
    int code = pam_get_user(state->pamh, &state->user, NULL);

    if (code == PAM_BUF_ERR || code == PAM_SYSTEM_ERR)
        return code;
    if (code != PAM_SUCCESS)
        return PAM_CONV_ERR;
    state->subject = GC_SUBJECT_NOBODY;
    if (state->user == NULL || state->user[0] == '\0'
        || strlen(state->user) >= GC_WIRE_NAME_SIZE) {
        state->user = "";
        return PAM_SUCCESS;
    }
    account = pam_modutil_getpwnam(state->pamh, state->user);
    if (account == NULL)
        return PAM_SUCCESS;
    if (account->pw_uid == 0 ? settings->ignore_root
                             : account->pw_uid < settings->minimum_uid) {
        state->subject = GC_SUBJECT_IGNORED;
        return PAM_SUCCESS;
    }
    /* A ticket cannot prove uid 0. */
    if (account->pw_uid == 0 || account->pw_uid == GC_CALL_STATE_NOBODY
        || strcmp(account->pw_name, state->user) != 0)
        return PAM_SUCCESS;
    state->subject = GC_SUBJECT_OURS;
    state->uid = account->pw_uid;
    return PAM_SUCCESS;
}

/* PAM's items and environment come from outside: refuse what is too long. */
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

/* The VM's name: from the environment, or from authentication. */
static gc_status
take_vm(struct gc_call_state *state, struct gc_wire_request *request,
        struct gc_error *err)
{
    const char *name =
        gc_options_text(&state->settings.config, GC_OPT_PAM_VM_ENV);
    const struct gc_pam_state *saved = gc_pam_state_get(state->pamh);
    const char *vm = NULL;

    if (name != NULL)
        vm = pam_getenv(state->pamh, name);
    if (vm == NULL && saved != NULL && saved->uid == state->uid)
        vm = saved->vm;
    return take_text(request->vm, sizeof(request->vm), vm, "the VM's name",
                     err);
}

gc_status
gc_call_state_request(struct gc_call_state *state, gc_wire_call call,
                      struct gc_wire_request *ret_request, struct gc_error *err)
{
    /* A release needs only its transaction: no other text may make it fail. */
    const bool releasing = call == GC_WIRE_DELETE || call == GC_WIRE_CLOSE;
    struct gc_wire_request *request = ret_request;
    const void *service = NULL;
    gc_status st;

    gc_wire_request_init(request, call);
    request->caller = state->caller;
    request->uid = state->uid == GC_CALL_STATE_NOBODY ? 0 : state->uid;
    request->host_pid = getpid();
    request->host_start = (int64_t)gc_pam_state_start();
    request->deadline = state->started + state->settings.timeout_ms;
    if (pam_get_item(state->pamh, PAM_SERVICE, &service) != PAM_SUCCESS)
        service = NULL;
    memcpy(request->transaction, gc_pam_state_transaction(state->pamh),
           strlen(gc_pam_state_transaction(state->pamh)));
    st = take_text(request->user, sizeof(request->user), state->user,
                   "PAM_USER", err);
    if (st == GC_OK)
        st = take_text(request->service, sizeof(request->service), service,
                       "PAM_SERVICE", err);
    if (st == GC_OK && !releasing)
        st =
            take_text(request->ccname, sizeof(request->ccname),
                      pam_getenv(state->pamh, "KRB5CCNAME"), "KRB5CCNAME", err);
    if (st == GC_OK && !releasing)
        st = take_vm(state, request, err);
    return st == GC_OK ? gc_settings_pass_on(&state->settings, request, err)
                       : st;
}

static void
log_outcome(struct gc_call_state *state, const char *what, gc_status status,
            const struct gc_wire_reply *reply, const struct gc_error *error)
{
    const struct gc_outcome outcome = {
        .what = what,
        .user = state->user,
        .caller = state->caller,
        .status = status,
        .ms = gc_clock_now() - state->started,
        .reply = reply,
        .error = error,
    };

    gc_pam_log_outcome(state->pamh, &outcome);
}

void
gc_call_state_failed(struct gc_call_state *state, const char *what,
                     const struct gc_error *error)
{
    log_outcome(state, what, error->status, NULL, error);
}

/* Do not trust the helper: a success must be for the subject of this call. */
static gc_status
check_reply(const struct gc_call_state *state,
            const struct gc_wire_reply *reply, struct gc_error *err)
{
    if (reply->status != GC_OK)
        return gc_wire_reply_error(reply, err);
    if (reply->call == GC_WIRE_AUTHENTICATE
        && (state->subject != GC_SUBJECT_OURS || reply->uid != state->uid))
        return gc_fail(err, GC_E_DENIED,
                       "%.200s was proved, and that is another account",
                       reply->principal);
    return GC_OK;
}

gc_status
gc_call_state_ask(struct gc_call_state *state, const char *what,
                  const struct gc_wire_request *request,
                  struct gc_wire_reply *ret_reply)
{
    struct gc_error error = {.status = GC_OK};
    struct gc_wire_reply reply;
    gc_status st;

    gc_wire_reply_init(&reply, request->call);
    gc_call_state_debug(state, "asking the helper");
    st = gc_ask(state->settings.helper, request, &reply, &error);
    if (st == GC_OK)
        st = check_reply(state, &reply, &error);
    if (st == GC_OK && reply.nothing)
        gc_pam_log_note(state->pamh, reply.suspect ? LOG_WARNING : LOG_INFO,
                        state->user, reply.message);
    else
        log_outcome(state, what, st, &reply, &error);
    *ret_reply = reply;
    return st;
}

void
gc_call_state_debug(struct gc_call_state *state, const char *text)
{
    if (state->settings.debug)
        pam_syslog(state->pamh, LOG_DEBUG, "%s", text);
}
