/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The guest seam over a connection of this process: HTTP, a vCenter session,
 * and its managers.  The session is kept from one process to the next here, and
 * nowhere else; so is the rule that a refused login is not repeated.
 */

#ifndef GC_SRC_TICKETS_VCENTER_H
#define GC_SRC_TICKETS_VCENTER_H

#include "src/tickets/guest.h"
#include "src/tickets/store.h"
#include "src/vim/session.h"

/* As "dev": no file, so that one such password cannot be told from the next. */
#define GC_VCENTER_VARIABLE (-1)
#define GC_VCENTER_PIPED    (-2)

struct gc_vcenter_options {
    struct gc_http_options http;
    const char *username; /* borrowed while the guest lives */
    /*
     * The password, called only when a login is due.  RET_IDENTITY: of the file
     * that it is from; left as it is (zero) for a password that was typed, or
     * only with DEV set to one of the two below.
     */
    gc_status (*password)(void *user, struct gc_limit limit,
                          struct gc_bytes *ret_password,
                          struct gc_password_identity *ret_identity,
                          struct gc_error *err);
    void *user;
    struct gc_store *store; /* where the session is kept, or NULL; borrowed */
    bool no_reuse;          /* adopt and keep no session all the same */
    void (*log)(void *user, const char *line); /* or NULL */
    void *log_user;
};

/* Sends nothing yet, and asks for no password. */
GC_MUST_USE gc_status gc_vcenter_new(const struct gc_vcenter_options *options,
                                     struct gc_guest **ret_guest,
                                     struct gc_error *err);

/* The session behind a guest of gc_vcenter_new, for other calls; borrowed. */
struct gc_session *gc_vcenter_session(struct gc_guest *guest);

/* Does REF mean ENTRY's VM, as far as that is known without asking vCenter: by
 * its moId, the reference it was asked by, or its inventory name? */
bool gc_vcenter_means(const char *ref, const struct gc_entry *entry);

/* The identity of the file PATH; zero if it is not a regular file. */
void gc_vcenter_identify(const char *path,
                         struct gc_password_identity *ret_identity);

#endif
