/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The public calls of guestcred.h: what their families share.
 *
 * They check arguments, keep handles and translate; src/tickets does the work.
 * Nothing below src/api/ knows of them.
 */

#ifndef GC_SRC_API_API_H
#define GC_SRC_API_API_H

#include <stdbool.h>

#include "gss/initiator.h"
#include "src/guestcred.h"
#include "src/tickets/tickets.h"

#define GC_API_USERNAME_SIZE 256
#define GC_API_PASSWORD_MAX  1024
#define GC_API_TEXT_MAX      4095

struct guestcred_client {
    pid_t owner; /* the process that made it: after a fork, leave it alone */
    int cancel_fd;
    char url[GC_URL_SIZE];
    char username[GC_API_USERNAME_SIZE];
    char *ca_file, *pin, *proxy; /* or NULL */
    bool insecure;
    struct gc_bytes password; /* secret */
    void (*log)(void *user, int level, const char *line);
    void *log_user;
    struct gc_store *store, *copies; /* or NULL */
    struct gc_guest *guest;          /* NULL before the first call */
    gc_status last;                  /* how the last call ended */
    struct gc_initiator *initiator;
};

struct guestcred_request {
    char vm[GC_ENTRY_ASKED_SIZE];
    unsigned flags;
    struct gc_want want;      /* without deadline */
    struct gc_bytes password; /* secret; WANT borrows it */
};

struct guestcred_ticket {
    struct gc_entry entry;
    char *store;                /* the directory that keeps it, or NULL */
    bool is_copy;               /* STORE is a login's */
    struct gc_bytes json, auth; /* secret */
};

struct guestcred_tickets {
    size_t count;
    struct guestcred_ticket *items[];
};

struct guestcred_store {
    struct gc_store *store;
    bool is_login;
    void (*log)(void *user, int level, const char *line);
    void *log_user;
};

struct guestcred_reply {
    struct gc_bytes text; /* secret */
};

/*
 * The end of every call: ERR (may be NULL) becomes WHY, or empty on success.
 */
enum guestcred_status gc_api_done(gc_status st, const struct gc_error *why,
                                  struct guestcred_error *err);

/* WHAT is NULL where it must not be. */
gc_status gc_api_missing(struct gc_error *err, const char *what);

/* TEXT, called WHAT, into DST; NULL, empty and too long are GC_E_CONFIG. */
GC_MUST_USE gc_status gc_api_copy(char *dst, size_t size, const char *text,
                                  const char *what, struct gc_error *err);

/* A borrowed text that is there and has no more than GC_API_TEXT_MAX bytes. */
GC_MUST_USE gc_status gc_api_check_text(const char *text, const char *what,
                                        struct gc_error *err);

/* Secret bytes that are to become a string: no NUL, 1 to MAX of them. */
GC_MUST_USE gc_status gc_api_check_secret(const void *data, size_t len,
                                          size_t max, const char *what,
                                          struct gc_error *err);

/*
 * CLIENT is there, ours and set up, TIMEOUT_MS is one: connect, as far as that
 * needs no request, and say when the call must be over.
 */
GC_MUST_USE gc_status gc_api_client_ready(struct guestcred_client *client,
                                          int timeout_ms,
                                          struct gc_limit *ret_limit,
                                          struct gc_error *err);

/* A line of what is done to the log of USER, a client. */
void gc_api_tell(void *user, const char *line);

/* What REQUEST wants, if all of it goes together; the password is borrowed. */
GC_MUST_USE gc_status
gc_api_request_want(const struct guestcred_request *request,
                    struct gc_want *ret_want, struct gc_error *err);

/* From TAKE_ENTRY, left empty on success; the directory STORE (or NULL) keeps
 * it, a login's where IS_COPY. */
GC_MUST_USE gc_status gc_api_ticket_new(struct gc_entry *take_entry,
                                        const char *store, bool is_copy,
                                        struct guestcred_ticket **ret_ticket,
                                        struct gc_error *err);

#endif
