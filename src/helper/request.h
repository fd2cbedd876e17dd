/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request of the module: its message, root's options, the account, the VMs,
 * and the deadline.
 */

#ifndef GC_SRC_HELPER_REQUEST_H
#define GC_SRC_HELPER_REQUEST_H

#include "src/base/child.h"
#include "src/helper/logins.h"
#include "src/helper/map.h"
#include "src/helper/wire.h"
#include "src/options.h"
#include "src/tickets/store.h"

/* Directories of root's; a reboot empties the last. */
#define GC_REQUEST_STATE GC_LOCALSTATEDIR "/lib/guestcred"
#define GC_REQUEST_LOGINS                                                      \
    GC_REQUEST_STATE "/logins" /* a store for each uid                         \
                                */
#define GC_REQUEST_RUN "/run/guestcred-helper"

/* Part of the deadline that is reserved for cleaning up before the answer. */
#define GC_REQUEST_RESERVE_MS 1000

#define GC_REQUEST_VMS_MAX 32

/* Zero it before use. */
struct gc_request {
    struct gc_wire_request wire;
    char *password;        /* secret, from WIRE; no child inherits it */
    struct gc_bytes typed; /* PASSWORD, borrowed */
    struct gc_options config;
    int64_t deadline;      /* of the work; cleaning up may go on … */
    int64_t end;           /* … until then */
    int64_t latest;        /* to send a guest anything */
    struct gc_child_as as; /* USER's ids */
    bool nobody; /* no account to let in: USER and AS are a stand-in's */
    struct gc_store *store; /* root's, of USER's logins */
    struct gc_logins *logins;
    bool suspect; /* the credential may be forged */
    bool expired; /* the password is right but expired */
    bool made;    /* undo the call if its reply cannot be delivered */
    size_t vm_count;
    struct gc_map_vm vms[GC_REQUEST_VMS_MAX]; /* those that USER may enter */
};
void gc_request_clear(struct gc_request *request);

/* Wipe the password alone. */
void gc_request_wipe(struct gc_request *request);

/* Read the message and its options, nothing else. */
GC_MUST_USE gc_status gc_request_read(int socket,
                                      struct gc_request *ret_request,
                                      struct gc_error *err);

/* Look up USER's ids.  GC_E_DENIED: there is no such account to let in. */
GC_MUST_USE gc_status gc_request_account(struct gc_request *request,
                                         struct gc_error *err);

/* Open root's stores of USER's tickets and of logins. */
GC_MUST_USE gc_status gc_request_open(struct gc_request *request,
                                      struct gc_error *err);

/*
 * Fill in VMS: the literal pairs, or those of the map called NAME ("": all)
 * that USER may enter.  GC_E_DENIED, with one text for every reason.
 */
GC_MUST_USE gc_status gc_request_choose(struct gc_request *request,
                                        const char *name, struct gc_error *err);

/* The option's text, or FALLBACK. */
const char *gc_request_text(const struct gc_request *request, gc_option option,
                            const char *fallback);

/* Does this host verify the user?  Otherwise (proof=guest) the guest does. */
bool gc_request_proves_here(const struct gc_request *request);

/* Does source= contain WORD? */
bool gc_request_has_source(const struct gc_request *request, const char *word);

#endif
