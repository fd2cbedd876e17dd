/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The facade: options in, ticket out.  Retries, re-login and the promise that
 * no error path leaves a ticket behind in a guest live here.
 *
 * Knows no command line, no files and no PAM.
 */

#ifndef GC_SRC_CLIENT_H
#define GC_SRC_CLIENT_H

#include "gss/initiator.h"
#include "src/ticket.h"
#include "src/vim/auth_manager.h"
#include "src/vim/inventory.h"

/* After a failure, and for goodbyes: this much longer than the deadline. */
#define GC_CLIENT_GRACE_MS 3000

struct gc_client;

struct gc_client_options {
    struct gc_http_options http;
    struct gc_session_login login;
    /* Told what is being done, a line at a time; never a secret.  May be NULL.
     */
    void (*log)(void *user, const char *line);
    void *log_user;
};

/* OPTIONS' strings are copied but for login.username, which is borrowed. */
GC_MUST_USE gc_status gc_client_new(const struct gc_client_options *options,
                                    struct gc_client **ret_client,
                                    struct gc_error *err);
/* Forgets everything; does not log out.  NULL is fine. */
void gc_client_free(struct gc_client *client);
GC_DEFINE_FREEP(gc_client)

/* For rooms that keep what a session is made of; borrowed. */
struct gc_session *gc_client_session(struct gc_client *client);

/* A line to the log of CLIENT's options. */
void gc_client_say(struct gc_client *client, const char *fmt, ...)
    GC_PRINTF(2, 3);

/* Which VM, and what it is called where that was asked for. */
struct gc_place {
    char vm[GC_MOID_SIZE];
    char name[GC_INVENTORY_NAME_SIZE]; /* "" if not known */
};

/*
 * Resolve REF (see gc_inventory_find).  TARGET is an SPN that may hold "{vm}":
 * the VM's inventory name is put there, and the SPN comes back as gc_spn_print
 * writes it, in the same GC_TARGET_SIZE bytes.  TARGET may be NULL.  A moId and
 * an SPN without "{vm}" cost no request.
 */
GC_MUST_USE gc_status gc_client_locate(struct gc_client *client,
                                       const char *ref, struct gc_limit limit,
                                       char *target, struct gc_place *ret_place,
                                       struct gc_error *err);

/*
 * Who must know of a ticket before anything else happens to it.  INTENT is
 * called before each handshake, TICKET the moment one is known: a failure of
 * either ends the acquire, and no ticket is left.  OWE: nobody will use this
 * ticket, and it is about to be released, or could not be.  LOST: the guest may
 * have issued a ticket that nobody can name.  NOTHING: the intent came to
 * nothing, or the ticket was released.
 */
struct gc_witness {
    gc_status (*intent)(void *user, const struct gc_place *place,
                        struct gc_error *err);
    gc_status (*ticket)(void *user, const struct gc_bytes *ticket,
                        struct gc_error *err);
    gc_status (*owe)(void *user, const struct gc_bytes *ticket,
                     struct gc_error *err);
    void (*lost)(void *user);
    void (*nothing)(void *user);
    void *user;
};

/*
 * Get a ticket in PLACE; WANT's deadline is LIMIT's.  The credential is tried
 * before vCenter is asked anything.  Passing causes are
 * tried again with a fresh context (decision 9); RET_TICKET holds a live ticket
 * only when GC_OK is returned.  WITNESS may be NULL.
 *
 * After GC_OK the exchange that led to the ticket is still INITIATOR's: whoever
 * owns it ends or frees it.
 */
GC_MUST_USE gc_status
gc_client_acquire(struct gc_client *client, struct gc_initiator *initiator,
                  const struct gc_place *place, const struct gc_want *want,
                  struct gc_limit limit, const struct gc_witness *witness,
                  struct gc_ticket *ret_ticket, struct gc_error *err);

/*
 * Is TICKET another vCenter's than the one that CLIENT has spoken to?  False
 * where either has not said which it is.
 */
bool gc_client_is_foreign(struct gc_client *client,
                          const struct gc_ticket *ticket);

/*
 * Does the guest still take TICKET?  GC_E_DENIED when it does not.
 */
GC_MUST_USE gc_status gc_client_validate(struct gc_client *client,
                                         const struct gc_ticket *ticket,
                                         struct gc_limit limit,
                                         struct gc_error *err);

/*
 * End TICKET in the guest.  GC_OK also when it is gone already: RET_HOW.
 */
GC_MUST_USE gc_status gc_client_release(struct gc_client *client,
                                        const struct gc_ticket *ticket,
                                        struct gc_limit limit,
                                        enum gc_released *ret_how,
                                        struct gc_error *err);

/*
 * Log out of vCenter, best effort, within GC_CLIENT_GRACE_MS.
 */
void gc_client_logout(struct gc_client *client);

#endif
