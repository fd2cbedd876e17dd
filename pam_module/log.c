/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The status alone decides an outcome's level.  debug adds lines elsewhere and
 * removes none here.
 */
#include <config.h>

#include "pam_module/log.h"

#include <stdio.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <security/pam_ext.h>

#include "pam_module/pam_codes.h"

#define FIELD_SIZE 320

/* Escape quotes, so that free text cannot imitate a field. */
static void
tame(char *dst, size_t dst_size, const char *text)
{
    size_t used = 0;

    for (const char *c = text; *c != '\0' && used + 5 < dst_size; c++)
        if (*c == '"')
            used += (size_t)snprintf(dst + used, dst_size - used, "\\x22");
        else
            dst[used++] = *c;
    dst[used] = '\0';
}

void
gc_pam_log_quote(char *dst, size_t dst_size, const char *text)
{
    char plain[FIELD_SIZE];
    size_t used = 0;

    gc_escape(plain, sizeof(plain), text, strlen(text));
    dst[used++] = '"';
    for (const char *c = plain; *c != '\0' && used + 6 < dst_size; c++) {
        /* An escape that gc_escape made stays as it is: \xNN. */
        bool made = c[0] == '\\' && c[1] == 'x';

        if (*c == ' ' || (*c == '\\' && !made) || *c == '"')
            used += (size_t)snprintf(dst + used, dst_size - used, "\\x%02x",
                                     (unsigned int)(unsigned char)*c);
        else
            dst[used++] = *c;
    }
    dst[used++] = '"';
    dst[used] = '\0';
}

void
gc_pam_log_error(pam_handle_t *pamh, int level, const char *what,
                 const struct gc_error *error)
{
    pam_syslog(pamh, level, "%s: %s%s%s%s", what, error->message,
               error->hint[0] == '\0' ? "" : " (", error->hint,
               error->hint[0] == '\0' ? "" : ")");
}

void
gc_pam_log_note(pam_handle_t *pamh, int level, const char *user,
                const char *note)
{
    char quoted[FIELD_SIZE], message[2 * GC_ERROR_MESSAGE_SIZE];

    gc_pam_log_quote(quoted, sizeof(quoted), user);
    tame(message, sizeof(message), note);
    pam_syslog(pamh, level, "user=%s: %s", quoted, message);
}

static void
item(const pam_handle_t *pamh, int what, char quoted[FIELD_SIZE])
{
    const void *text = NULL;

    if (pam_get_item(pamh, what, &text) != PAM_SUCCESS || text == NULL)
        text = "";
    gc_pam_log_quote(quoted, FIELD_SIZE, text);
}

static void
log_failure(pam_handle_t *pamh, const struct gc_outcome *outcome,
            const char *user)
{
    char tty[FIELD_SIZE], ruser[FIELD_SIZE], rhost[FIELD_SIZE];
    const struct gc_error *error = outcome->error;
    char message[2 * GC_ERROR_MESSAGE_SIZE], hint[2 * GC_ERROR_HINT_SIZE];
    bool proving = strcmp(outcome->what, "authentication") == 0;

    tame(message, sizeof(message), error->message);
    tame(hint, sizeof(hint), error->hint);
    item(pamh, PAM_TTY, tty);
    item(pamh, PAM_RUSER, ruser);
    item(pamh, PAM_RHOST, rhost);
    pam_syslog(pamh, gc_pam_codes_of(outcome->status).level,
               "%s failure; logname=\"\" uid=\"%u\" euid=\"%u\" tty=%s "
               "ruser=%s rhost=%s user=%s outcome=\"%s\" ms=\"%lld\": "
               "%s%s%s%s",
               proving ? "authentication" : outcome->what, outcome->caller,
               (unsigned int)geteuid(), tty, ruser, rhost, user,
               gc_status_word(outcome->status), (long long)outcome->ms, message,
               hint[0] == '\0' ? "" : " (", hint, hint[0] == '\0' ? "" : ")");
}

void
gc_pam_log_outcome(pam_handle_t *pamh, const struct gc_outcome *outcome)
{
    const struct gc_wire_reply *reply = outcome->reply;
    char user[FIELD_SIZE], principal[FIELD_SIZE], vm[FIELD_SIZE],
        mech[FIELD_SIZE] = "", message[2 * GC_ERROR_MESSAGE_SIZE];

    gc_pam_log_quote(user, sizeof(user), outcome->user);
    if (outcome->status != GC_OK) {
        log_failure(pamh, outcome, user);
        return;
    }
    tame(message, sizeof(message), reply == NULL ? "" : reply->message);
    gc_pam_log_quote(principal, sizeof(principal),
                     reply == NULL ? "" : reply->principal);
    gc_pam_log_quote(vm, sizeof(vm), reply == NULL ? "" : reply->vm);
    /* A release speaks no mechanism. */
    if (reply != NULL && reply->mech[0] != '\0')
        gc_pam_log_quote(mech, sizeof(mech), reply->mech);
    pam_syslog(pamh, LOG_INFO,
               "%s: user=%s principal=%s vm=%s%s%s outcome=\"ok\" "
               "ms=\"%lld\"%s%s",
               outcome->what, user, principal, vm,
               mech[0] == '\0' ? "" : " mech=", mech, (long long)outcome->ms,
               message[0] == '\0' ? "" : ": ", message);
}
