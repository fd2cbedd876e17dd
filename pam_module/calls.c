/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Only this file returns PAM_IGNORE and PAM_USER_UNKNOWN, each beside its rule,
 * and never for a failure.
 */
#include <config.h>

#include "pam_module/calls.h"

#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <syslog.h>

#include <security/pam_ext.h>
#include <security/pam_modutil.h>

#include "pam_module/call_state.h"
#include "pam_module/converse.h"
#include "pam_module/log.h"
#include "pam_module/pam_codes.h"

#define PASSWORD_PROMPT "Password: "
#define VM_PROMPT       "VM: "
#define AUTHENTICATION  "authentication"
#define EXPIRED         "Your Kerberos password has expired."

/* ---- authenticate ---- */

/* The password that the user types, or one that an earlier module asked for. */
static int
get_password(struct gc_call_state *state, struct gc_bytes *ret_password)
{
    const struct gc_settings *settings = &state->settings;
    const void *token = NULL;
    int code;

    if ((settings->try_first_pass || settings->use_first_pass)
        && (pam_get_item(state->pamh, PAM_AUTHTOK, &token) != PAM_SUCCESS))
        token = NULL;
    if (token != NULL) {
        size_t len = strlen(token);

        if (len == 0 || len >= GC_WIRE_PASSWORD_SIZE)
            return PAM_AUTH_ERR;
        return gc_bytes_set(ret_password, token, len, NULL) == GC_OK
                   ? PAM_SUCCESS
                   : PAM_BUF_ERR;
    }
    if (settings->use_first_pass || settings->no_prompt)
        return PAM_CRED_INSUFFICIENT;
    code = gc_converse_ask(state->pamh, false, PASSWORD_PROMPT, ret_password);
    if (code != PAM_SUCCESS)
        return code;
    return pam_set_item(state->pamh, PAM_AUTHTOK, gc_bytes_text(ret_password))
                   == PAM_SUCCESS
               ? PAM_SUCCESS
               : PAM_BUF_ERR;
}

/* Log WHY, and return CODE. */
static int
give_up(struct gc_call_state *state, int code, const char *why)
{
    struct gc_error error = {.status = GC_OK};
    gc_status st = code == PAM_AUTH_ERR            ? GC_E_DENIED
                   : code == PAM_CRED_INSUFFICIENT ? GC_E_NO_CREDENTIAL
                   : code == PAM_BUF_ERR           ? GC_E_NO_MEMORY
                                                   : GC_E_CANCELED;

    (void)gc_fail(&error, st, "%s", why);
    gc_call_state_failed(state, AUTHENTICATION, &error);
    return code;
}

/* Ask for the VM if vm_prompt is set; an answer that is too long is refused. */
static int
ask_vm(struct gc_call_state *state, struct gc_wire_request *request)
{
    GC_AUTO(gc_bytes) answer = {0};
    int code;

    if (!state->settings.vm_prompt || request->vm[0] != '\0')
        return PAM_SUCCESS;
    if (state->settings.no_prompt)
        return PAM_CRED_INSUFFICIENT;
    code = gc_converse_ask(state->pamh, true, VM_PROMPT, &answer);
    if (code != PAM_SUCCESS)
        return code;
    if (answer.len >= sizeof(request->vm))
        return PAM_AUTH_ERR;
    memcpy(request->vm, answer.data, answer.len + 1);
    return PAM_SUCCESS;
}

static int
keep_proof(struct gc_call_state *state, const struct gc_wire_request *request,
           const struct gc_wire_reply *reply)
{
    struct gc_error error = {.status = GC_OK};
    struct gc_pam_state saved = {.uid = (uint32_t)reply->uid};
    gc_status st;

    memcpy(saved.principal, reply->principal, sizeof(saved.principal));
    memcpy(saved.vm, request->vm, sizeof(saved.vm));
    memcpy(saved.transaction, reply->transaction, sizeof(saved.transaction));
    st = gc_pam_state_put(state->pamh, &saved, &error);
    if (st == GC_OK)
        st = gc_pam_state_export(state->pamh, GC_PAM_STATE_TRANSACTION,
                                 reply->transaction, &error);
    if (st != GC_OK)
        gc_call_state_failed(state, AUTHENTICATION, &error);
    return gc_pam_codes_of(st).authenticate;
}

/*
 * The password is right but has expired.  No simple control takes
 * PAM_CRED_EXPIRED for a success.  If another module lets the user in,
 * acct_mgmt makes the host ask for a new password.
 */
static int
keep_expired(struct gc_call_state *state)
{
    struct gc_error error = {.status = GC_OK};
    const struct gc_pam_state saved = {.uid = state->uid, .expired = true};

    if (state->subject != GC_SUBJECT_OURS)
        return PAM_AUTH_ERR;
    if (!state->settings.silent
        && ((unsigned int)state->flags & PAM_SILENT) == 0)
        gc_converse_tell(state->pamh, EXPIRED);
    if (gc_pam_state_put(state->pamh, &saved, &error) == GC_OK)
        return PAM_CRED_EXPIRED;
    gc_call_state_failed(state, AUTHENTICATION, &error);
    return PAM_AUTH_ERR;
}

/* Try SOURCE.  PAM_CRED_INSUFFICIENT: it has no credential; try the next. */
static int
try_source(struct gc_call_state *state, gc_wire_source source,
           struct gc_wire_request *request)
{
    GC_AUTO(gc_bytes) password = {0};
    struct gc_wire_reply reply;
    gc_status st;
    int code = PAM_SUCCESS;

    request->source = source;
    explicit_bzero(request->password, sizeof(request->password));
    if (source == GC_WIRE_PASSWORD)
        code = get_password(state, &password);
    if (code == PAM_SUCCESS)
        code = ask_vm(state, request);
    if (code == PAM_CRED_INSUFFICIENT)
        return give_up(state, code, "there is nothing to prove with");
    if (code == PAM_AUTH_ERR)
        return give_up(state, code, "the answer is empty, or too long");
    if (code != PAM_SUCCESS)
        return give_up(state, code, "the conversation failed");
    if (source == GC_WIRE_PASSWORD)
        memcpy(request->password, password.data, password.len + 1);
    st = gc_call_state_ask(state, AUTHENTICATION, request, &reply);
    if (reply.expired)
        return keep_expired(state);
    if (st != GC_OK)
        return gc_pam_codes_of(st).authenticate;
    return keep_proof(state, request, &reply);
}

/* The caches of uid 0 and of system accounts prove no user. */
static bool
may_use_cache(const struct gc_call_state *state)
{
    return state->caller != 0 && state->caller >= state->settings.minimum_uid;
}

static int
authenticate(struct gc_call_state *state)
{
    GC_AUTO(gc_wire_request) request = {.call = 0};
    const struct gc_settings *settings = &state->settings;
    struct gc_error error = {.status = GC_OK};
    int code = PAM_CRED_INSUFFICIENT;
    bool tried = false;
    gc_status st;

    if (state->user[0] == '\0')
        return give_up(state, PAM_AUTH_ERR, "there is no user's name");
    st = gc_call_state_request(state, GC_WIRE_AUTHENTICATE, &request, &error);
    if (st != GC_OK) {
        gc_call_state_failed(state, AUTHENTICATION, &error);
        return gc_pam_codes_of(st).authenticate;
    }
    for (size_t i = 0; i < settings->source_count; i++) {
        if (settings->sources[i] == GC_WIRE_CCACHE && !may_use_cache(state)) {
            gc_call_state_debug(state,
                                "the caller's cache is not used as proof");
            continue;
        }
        tried = true;
        code = try_source(state, settings->sources[i], &request);
        if (code != PAM_CRED_INSUFFICIENT)
            return code;
    }
    return tried ? code : give_up(state, code, "no source proves anybody");
}

int
gc_calls_authenticate(pam_handle_t *pamh, int flags, int argc,
                      const char **argv)
{
    GC_AUTO(gc_call_state) state = {.pamh = NULL};
    gc_status st = gc_call_state_begin(&state, pamh, flags, argc, argv);
    int code;

    if (st != GC_OK)
        return gc_pam_codes_of(st).authenticate;
    code = gc_call_state_subject(&state);
    if (code != PAM_SUCCESS)
        return code;
    if (state.subject == GC_SUBJECT_IGNORED) {
        gc_pam_log_note(pamh, LOG_INFO, state.user, "ignored");
        return PAM_USER_UNKNOWN;
    }
    return authenticate(&state);
}

/* ---- a ticket for the session ---- */

/* One user's variables must not reach another user's session. */
static void
hide(pam_handle_t *pamh)
{
    (void)!gc_pam_state_export(pamh, GC_PAM_STATE_TRANSACTION, NULL, NULL);
    (void)!gc_pam_state_export(pamh, GC_PAM_STATE_LOGIN, NULL, NULL);
}

/* Did this transaction prove another user than its present subject? */
static bool
is_stranger(struct gc_call_state *state)
{
    const struct gc_pam_state *saved = gc_pam_state_get(state->pamh);

    if (saved == NULL || saved->uid == state->uid)
        return false;
    gc_pam_log_note(state->pamh, LOG_NOTICE, state->user,
                    "not the user who was proved: no ticket");
    hide(state->pamh);
    return true;
}

static gc_status
keep_ticket(struct gc_call_state *state, const struct gc_wire_reply *reply,
            struct gc_error *err)
{
    const struct gc_pam_state *before = gc_pam_state_get(state->pamh);
    struct gc_pam_state saved = {.uid = state->uid};
    gc_status st;

    if (before != NULL)
        saved = *before;
    saved.ticket = GC_PAM_STATE_TICKET;
    memcpy(saved.transaction, reply->transaction, sizeof(saved.transaction));
    st = gc_pam_state_put(state->pamh, &saved, err);
    if (st == GC_OK)
        st = gc_pam_state_export(state->pamh, GC_PAM_STATE_TRANSACTION,
                                 reply->transaction, err);
    if (st == GC_OK)
        st = gc_pam_state_export(state->pamh, GC_PAM_STATE_LOGIN, reply->copies,
                                 err);
    return st;
}

/* RET_NOTHING: the helper has nothing to do for this user. */
static gc_status
acquire(struct gc_call_state *state, gc_wire_call call, bool *ret_nothing)
{
    GC_AUTO(gc_wire_request) request = {.call = 0};
    struct gc_error error = {.status = GC_OK};
    struct gc_wire_reply reply;
    gc_status st;

    *ret_nothing = false;
    if (gc_pam_state_ticket_here(gc_pam_state_get(state->pamh))
        == GC_PAM_STATE_TICKET)
        return GC_OK;
    st = gc_call_state_request(state, call, &request, &error);
    if (st == GC_OK) {
        st = gc_call_state_ask(state, "ticket", &request, &reply);
        if (st != GC_OK)
            return st;
        *ret_nothing = reply.nothing;
        if (!reply.nothing)
            st = keep_ticket(state, &reply, &error);
    }
    if (st != GC_OK)
        gc_call_state_failed(state, "ticket", &error);
    return st;
}

static gc_status
release(struct gc_call_state *state, gc_wire_call call)
{
    GC_AUTO(gc_wire_request) request = {.call = 0};
    const struct gc_pam_state *before = gc_pam_state_get(state->pamh);
    struct gc_error error = {.status = GC_OK};
    struct gc_wire_reply reply;
    struct gc_pam_state saved;
    gc_status st;

    if (gc_pam_state_transaction(state->pamh)[0] == '\0'
        || gc_pam_state_ticket_here(before) == GC_PAM_STATE_RELEASED)
        return GC_OK;
    st = gc_call_state_request(state, call, &request, &error);
    if (st == GC_OK) {
        st = gc_call_state_ask(state, "release", &request, &reply);
        if (st != GC_OK)
            return st;
        saved =
            before == NULL ? (struct gc_pam_state){.uid = state->uid} : *before;
        saved.ticket = GC_PAM_STATE_RELEASED;
        st = gc_pam_state_put(state->pamh, &saved, &error);
    }
    if (st == GC_OK)
        st = gc_pam_state_export(state->pamh, GC_PAM_STATE_LOGIN, NULL, &error);
    if (st != GC_OK)
        gc_call_state_failed(state, "release", &error);
    return st;
}

static int
establish(struct gc_call_state *state)
{
    bool nothing;

    if (is_stranger(state))
        return PAM_SUCCESS;
    return gc_pam_codes_of(acquire(state, GC_WIRE_ESTABLISH, &nothing)).setcred;
}

/* If the session is for another user (sudo's target), remove our variables. */
static void
leave_to(pam_handle_t *pamh)
{
    const struct gc_pam_state *saved = gc_pam_state_get(pamh);
    const struct passwd *account;
    const void *user = NULL;

    if (saved == NULL || pam_get_item(pamh, PAM_USER, &user) != PAM_SUCCESS
        || user == NULL)
        return;
    account = pam_modutil_getpwnam(pamh, user);
    if (account == NULL || account->pw_uid != saved->uid)
        hide(pamh);
}

int
gc_calls_setcred(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    const int verbs = PAM_ESTABLISH_CRED | PAM_DELETE_CRED
                      | PAM_REINITIALIZE_CRED | PAM_REFRESH_CRED;
    int verb = flags & verbs;
    GC_AUTO(gc_call_state) state = {.pamh = NULL};
    gc_status st;

    if ((verb & (verb - 1)) != 0) {
        pam_syslog(pamh, LOG_ERR, "setcred with more than one verb: 0x%x",
                   (unsigned int)verb);
        return PAM_SERVICE_ERR;
    }
    /*
     * Setuid hosts use these verbs, for their target user too.  A new ticket
     * would belong to the wrong user, so none is acquired.
     */
    if (verb == PAM_REINITIALIZE_CRED || verb == PAM_REFRESH_CRED) {
        leave_to(pamh);
        return PAM_SUCCESS;
    }
    st = gc_call_state_begin(&state, pamh, flags, argc, argv);
    if (st != GC_OK)
        return gc_pam_codes_of(st).setcred;
    if (gc_call_state_subject(&state) != PAM_SUCCESS)
        return PAM_CRED_ERR;
    if (state.subject != GC_SUBJECT_OURS)
        return PAM_SUCCESS;
    if (verb == PAM_DELETE_CRED)
        return gc_pam_codes_of(release(&state, GC_WIRE_DELETE)).setcred;
    return establish(&state);
}

int
gc_calls_open_session(pam_handle_t *pamh, int flags, int argc,
                      const char **argv)
{
    GC_AUTO(gc_call_state) state = {.pamh = NULL};
    bool nothing = false;
    gc_status st = gc_call_state_begin(&state, pamh, flags, argc, argv);

    if (st != GC_OK || gc_call_state_subject(&state) != PAM_SUCCESS)
        return PAM_SESSION_ERR;
    if (state.subject != GC_SUBJECT_OURS || is_stranger(&state))
        return PAM_IGNORE;
    st = acquire(&state, GC_WIRE_OPEN, &nothing);
    if (st == GC_OK && nothing)
        return PAM_IGNORE;
    return gc_pam_codes_of(st).open_session;
}

/* Always PAM_SUCCESS: the host cannot undo the end of a session. */
int
gc_calls_close_session(pam_handle_t *pamh, int flags, int argc,
                       const char **argv)
{
    GC_AUTO(gc_call_state) state = {.pamh = NULL};

    if (gc_call_state_begin(&state, pamh, flags, argc, argv) != GC_OK
        || gc_call_state_subject(&state) != PAM_SUCCESS
        || state.subject != GC_SUBJECT_OURS)
        return PAM_SUCCESS;
    if (release(&state, GC_WIRE_CLOSE) != GC_OK)
        gc_call_state_debug(&state, "the release is owed");
    return PAM_SUCCESS;
}

/* ---- account ---- */

/* Another process proved the user: ask the helper, which has the record. */
static int
ask_account(struct gc_call_state *state)
{
    GC_AUTO(gc_wire_request) request = {.call = 0};
    struct gc_error error = {.status = GC_OK};
    struct gc_wire_reply reply;
    gc_status st =
        gc_call_state_request(state, GC_WIRE_ACCOUNT, &request, &error);

    if (st != GC_OK) {
        gc_call_state_failed(state, "account", &error);
        return gc_pam_codes_of(st).account;
    }
    st = gc_call_state_ask(state, "account", &request, &reply);
    if (st == GC_OK && reply.nothing)
        return PAM_IGNORE;
    return gc_pam_codes_of(st).account;
}

int
gc_calls_account(pam_handle_t *pamh, int flags, int argc, const char **argv)
{
    GC_AUTO(gc_call_state) state = {.pamh = NULL};
    const struct gc_pam_state *saved;
    gc_status st = gc_call_state_begin(&state, pamh, flags, argc, argv);

    if (st != GC_OK)
        return gc_pam_codes_of(st).account;
    if (gc_call_state_subject(&state) != PAM_SUCCESS)
        return PAM_PERM_DENIED;
    saved = gc_pam_state_get(pamh);
    if (saved != NULL && saved->expired && saved->uid == state.uid)
        return PAM_NEW_AUTHTOK_REQD;
    if (saved != NULL && saved->principal[0] != '\0') {
        if (state.subject == GC_SUBJECT_OURS && saved->uid == state.uid)
            return PAM_SUCCESS;
        gc_pam_log_note(pamh, LOG_NOTICE, state.user,
                        "not the user who was proved");
        return PAM_PERM_DENIED;
    }
    if (gc_pam_state_transaction(pamh)[0] == '\0'
        || state.subject == GC_SUBJECT_IGNORED)
        return PAM_IGNORE;
    if (state.subject == GC_SUBJECT_NOBODY)
        return PAM_PERM_DENIED;
    return ask_account(&state);
}
