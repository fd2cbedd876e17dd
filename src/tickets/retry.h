/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How often a call is made again, and how long is waited in between.
 */

#ifndef GC_SRC_TICKETS_RETRY_H
#define GC_SRC_TICKETS_RETRY_H

#include "src/tickets/guest.h"

/* One call as it goes on from attempt to attempt.  Set the first four. */
struct gc_retry {
    struct gc_guest *guest; /* to log in again, once; borrowed */
    struct gc_limit limit;  /* its cancel descriptor ends a pause, too */
    /* Told of each pause; or NULL. */
    void (*log)(void *user, const char *line);
    void *log_user;
    bool logged_in_again;
    int failures; /* of the transport: refused, 503 */
    int pause_ms; /* the next one; 0 before the first */
};

/*
 * After WHY: log in again or wait, and say whether to call again.  False: give
 * up with WHY, which became the failure of that login, or GC_E_CANCELED.
 */
bool gc_retry(struct gc_retry *retry, struct gc_error *why);

/* The same for a call that may be made twice, whatever became of the last. */
bool gc_retry_harmless(struct gc_retry *retry, struct gc_error *why);

/* The end of a call that came to ST: WHY, if that is not GC_OK, into ERR. */
gc_status gc_retry_done(gc_status st, const struct gc_error *why,
                        struct gc_error *err);

#endif
