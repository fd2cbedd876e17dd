/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one call of the module's asks of us: the request, root's options in it,
 * the account, which VMs, and how much time there is.
 */

#ifndef GC_SRC_HELPER_REQUEST_H
#define GC_SRC_HELPER_REQUEST_H

#include "src/base/child.h"
#include "src/helper/logins.h"
#include "src/helper/map.h"
#include "src/helper/wire.h"
#include "src/options.h"
#include "src/tickets/store.h"

/* Root's own places; a boot empties the second. */
#define GC_REQUEST_STATE GC_LOCALSTATEDIR "/lib/guestcred"
#define GC_REQUEST_LOGINS                                                      \
    GC_REQUEST_STATE "/logins" /* a store for each uid                         \
                                */
#define GC_REQUEST_RUN "/run/guestcred-helper"

/* Kept of the deadline for what must be ended before there is an answer. */
#define GC_REQUEST_RESERVE_MS 1000

#define GC_REQUEST_VMS_MAX 32

/* Zero it before use. */
struct gc_request {
    struct gc_wire_request wire;
    char *password;        /* secret, REQUEST's; no child inherits it */
    struct gc_bytes typed; /* PASSWORD, borrowed */
    struct gc_options config;
    int64_t deadline;      /* of the work; what is undone may go on … */
    int64_t end;           /* … until then */
    int64_t latest;        /* to send a guest anything */
    struct gc_child_as as; /* USER's ids */
    bool nobody; /* no account gets in: USER and AS are a stand-in's */
    struct gc_store *store; /* root's, of USER's logins */
    struct gc_logins *logins;
    bool suspect; /* a credential was refused as a forged one is */
    bool expired; /* a password proved right, and too old */
    bool made;    /* something that is to be undone where nobody hears of it */
    size_t vm_count;
    struct gc_map_vm vms[GC_REQUEST_VMS_MAX]; /* those that USER may enter */
};
void gc_request_clear(struct gc_request *request);

/* Wipe the password alone. */
void gc_request_wipe(struct gc_request *request);

/* Read the request and its options: nothing else yet. */
GC_MUST_USE gc_status gc_request_read(int socket,
                                      struct gc_request *ret_request,
                                      struct gc_error *err);

/* Whose ids USER has.  GC_E_DENIED where that is nobody who gets in. */
GC_MUST_USE gc_status gc_request_account(struct gc_request *request,
                                         struct gc_error *err);

/* Open what root keeps, of USER where that is a user's. */
GC_MUST_USE gc_status gc_request_open(struct gc_request *request,
                                      struct gc_error *err);

/*
 * Which VMs: the literal pairs, or what the map lets USER into, of which NAME
 * ("" for all).  GC_E_DENIED with one text for every reason.
 */
GC_MUST_USE gc_status gc_request_choose(struct gc_request *request,
                                        const char *name, struct gc_error *err);

/* The option's text, or FALLBACK. */
const char *gc_request_text(const struct gc_request *request, gc_option option,
                            const char *fallback);

/* Is the proof to be had on this host, and not the guest's word? */
bool gc_request_proves_here(const struct gc_request *request);

/* Does source= name WORD? */
bool gc_request_has_source(const struct gc_request *request, const char *word);

#endif
