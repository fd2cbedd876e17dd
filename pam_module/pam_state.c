/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pid and start time tell a fork from the process that stored the state.
 * PAM_DATA_SILENT does not: sudo sets it in the process that began the
 * transaction.
 */
#include <config.h>

#include "pam_module/pam_state.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define DATA "guestcred"

/* The 20th word after the command's closing parenthesis. */
static uint64_t
parse_start(const char *stat)
{
    const char *at = strrchr(stat, ')');
    uint64_t value = 0;

    for (int word = 0; at != NULL && word < 20; word++) {
        at = strchr(at, ' ');
        at = at == NULL ? NULL : at + 1;
    }
    for (; at != NULL && *at >= '0' && *at <= '9'; at++)
        value = value * 10 + (uint64_t)(*at - '0');
    return value;
}

uint64_t
gc_pam_state_start(void)
{
    char text[1024];
    int fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
    ssize_t len;

    if (fd < 0)
        return 0;
    do
        len = read(fd, text, sizeof(text) - 1);
    while (len < 0 && errno == EINTR);
    (void)close(fd);
    if (len <= 0)
        return 0;
    text[len] = '\0';
    return parse_start(text);
}

struct gc_pam_state *
gc_pam_state_get(pam_handle_t *pamh)
{
    union {
        const void *borrowed;
        struct gc_pam_state *state;
    } data = {NULL};

    if (pam_get_data(pamh, DATA, &data.borrowed) != PAM_SUCCESS)
        return NULL;
    return data.state;
}

gc_pam_state_ticket
gc_pam_state_ticket_here(const struct gc_pam_state *saved)
{
    if (saved == NULL || saved->pid != getpid()
        || saved->start != gc_pam_state_start())
        return GC_PAM_STATE_NO_TICKET;
    return saved->ticket;
}

static void
drop(pam_handle_t *pamh, void *data, int status)
{
    (void)pamh;
    (void)status;
    free(data);
}

gc_status
gc_pam_state_put(pam_handle_t *pamh, const struct gc_pam_state *saved,
                 struct gc_error *err)
{
    struct gc_pam_state *copy = malloc(sizeof(*copy));

    if (copy == NULL)
        return gc_fail_no_memory(err);
    *copy = *saved;
    copy->pid = getpid();
    copy->start = gc_pam_state_start();
    if (pam_set_data(pamh, DATA, copy, drop) == PAM_SUCCESS)
        return GC_OK;
    free(copy);
    return gc_fail(err, GC_E_INTERNAL, "PAM cannot store the module's data");
}

const char *
gc_pam_state_transaction(pam_handle_t *pamh)
{
    const struct gc_pam_state *saved = gc_pam_state_get(pamh);
    const char *id = saved != NULL && saved->transaction[0] != '\0'
                         ? saved->transaction
                         : pam_getenv(pamh, GC_PAM_STATE_TRANSACTION);

    if (id == NULL || strlen(id) != GC_WIRE_TRANSACTION_SIZE - 1
        || strspn(id, "0123456789abcdef") != GC_WIRE_TRANSACTION_SIZE - 1)
        return "";
    return id;
}

gc_status
gc_pam_state_export(pam_handle_t *pamh, const char *name, const char *value,
                    struct gc_error *err)
{
    char text[64 + GC_WIRE_PLACE_SIZE];
    int code;

    (void)snprintf(text, sizeof(text), "%s%s%s", name, value == NULL ? "" : "=",
                   value == NULL ? "" : value);
    if (value == NULL && pam_getenv(pamh, name) == NULL)
        return GC_OK;
    code = pam_putenv(pamh, text);
    if (code == PAM_SUCCESS)
        return GC_OK;
    return gc_fail(err, GC_E_INTERNAL, "PAM cannot put %s into its environment",
                   name);
}
