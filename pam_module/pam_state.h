/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is kept of a transaction between its calls.
 *
 * In this process and its forks: who was proved, by pam_set_data.  Beyond them:
 * a random id in PAM's environment, for hosts that authenticate in one process
 * and open the session in another; it is a hint, and proves nothing (P12).
 * Nothing here ends a ticket: what a host leaves behind, the sweeper finds.
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
    uint32_t uid;                           /* whose transaction this is */
    char principal[GC_WIRE_PRINCIPAL_SIZE]; /* proved to be UID; "": nobody */
    char vm[GC_WIRE_NAME_SIZE];             /* as the user chose it */
    char transaction[GC_WIRE_TRANSACTION_SIZE]; /* ours, or "" */
    bool expired; /* UID's password proved right, and too old: nobody's proof */
    gc_pam_state_ticket ticket; /* in the process that follows */
    pid_t pid;
    uint64_t start;
};

/* Field 22 of our own /proc/PID/stat; 0 where that cannot be had. */
uint64_t gc_pam_state_start(void);

/* Borrowed, or NULL. */
struct gc_pam_state *gc_pam_state_get(pam_handle_t *pamh);

/* What KEPT says of the ticket, if it was this very process that noted it. */
gc_pam_state_ticket gc_pam_state_ticket_here(const struct gc_pam_state *saved);

/* Keep a copy, in the place of what was; PID and START become ours. */
GC_MUST_USE gc_status gc_pam_state_put(pam_handle_t *pamh,
                                       const struct gc_pam_state *saved,
                                       struct gc_error *err);

/*
 * The id that was kept here; without any, the one in PAM's environment, which
 * the user may have written; "" where there is none that could be one.
 */
const char *gc_pam_state_transaction(pam_handle_t *pamh);

/* NAME=VALUE into PAM's environment; VALUE NULL takes NAME out of it. */
GC_MUST_USE gc_status gc_pam_state_export(pam_handle_t *pamh, const char *name,
                                          const char *value,
                                          struct gc_error *err);

#endif
