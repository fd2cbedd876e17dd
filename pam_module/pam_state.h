/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The state of a PAM transaction between its calls.
 *
 * pam_set_data keeps the proved user in this process and its forks.  For hosts
 * that authenticate in one process and open the session in another, a random id
 * stands in PAM's environment.  Others may write there, so the id is only a
 * hint.  Nothing here ends a ticket: the sweep releases what a host leaves.
 */

#ifndef GC_PAM_MODULE_PAM_STATE_H
#define GC_PAM_MODULE_PAM_STATE_H

#include <stdint.h>
#include <sys/types.h>

#include <security/pam_modules.h>

#include "src/base/base.h"
#include "src/helper/wire.h"

#define GC_PAM_STATE_TRANSACTION "GUESTCRED_TRANSACTION"
#define GC_PAM_STATE_LOGIN       "GUESTCRED_LOGIN"

typedef enum {
    GC_PAM_STATE_NO_TICKET,
    GC_PAM_STATE_TICKET,
    GC_PAM_STATE_RELEASED,
} gc_pam_state_ticket;

struct gc_pam_state {
    uint32_t uid;                               /* whose transaction this is */
    char principal[GC_WIRE_PRINCIPAL_SIZE];     /* proved to be UID, or "" */
    char vm[GC_WIRE_NAME_SIZE];                 /* as the user chose it */
    char transaction[GC_WIRE_TRANSACTION_SIZE]; /* the helper's id, or "" */
    bool expired; /* UID's password is right but expired: proves nothing */
    gc_pam_state_ticket ticket; /* as seen by process PID */
    pid_t pid;
    uint64_t start;
};

/* This process's start time: field 22 of /proc/self/stat, or 0. */
uint64_t gc_pam_state_start(void);

/* Borrowed, or NULL. */
struct gc_pam_state *gc_pam_state_get(pam_handle_t *pamh);

/* STATE's ticket if this very process (not a fork) stored it. */
gc_pam_state_ticket gc_pam_state_ticket_here(const struct gc_pam_state *saved);

/* Store a copy with this process's PID and START; replaces the last one. */
GC_MUST_USE gc_status gc_pam_state_put(pam_handle_t *pamh,
                                       const struct gc_pam_state *saved,
                                       struct gc_error *err);

/*
 * The stored transaction id; if there is none, the one in PAM's environment,
 * which the user may have written; "" if neither is well-formed.
 */
const char *gc_pam_state_transaction(pam_handle_t *pamh);

/* Put NAME=VALUE into PAM's environment; VALUE NULL removes NAME. */
GC_MUST_USE gc_status gc_pam_state_export(pam_handle_t *pamh, const char *name,
                                          const char *value,
                                          struct gc_error *err);

#endif
