/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations of a guest through their manager: the manager's moId, the `vm` and
 * `auth` that every one begins with, and what their faults mean.  Knows no
 * method.
 */

#ifndef GC_SRC_VIM_GUEST_CALL_H
#define GC_SRC_VIM_GUEST_CALL_H

#include "src/vim/exchange.h"
#include "src/vim/session.h"

#define GC_GUEST_PARAMS_MAX (64 * 1024) /* bytes */

enum gc_guest_manager {
    GC_GUEST_AUTH,
    GC_GUEST_PROCESS,
    GC_GUEST_FILE,
    GC_GUEST_REGISTRY,
    GC_GUEST_ALIAS,
    GC_GUEST_MANAGER_COUNT
};

/*
 * Look up the moId of WHICH, once a session, logging in where that is due.
 * GC_E_NOT_SUPPORTED: this vCenter has none.
 */
GC_MUST_USE gc_status gc_guest_manager_find(struct gc_session *session,
                                            enum gc_guest_manager which,
                                            struct gc_limit limit,
                                            struct gc_error *err);

/*
 * Find WHICH and call its METHOD with BODY (NULL: it found no memory).  HOW
 * says what may be repeated and until when.
 */
GC_MUST_USE gc_status gc_guest_manager_call(
    struct gc_session *session, const struct gc_session_call *how,
    enum gc_guest_manager which, const char *method, const struct gc_json *body,
    struct gc_session_reply *reply, struct gc_error *err);

/* Add {"_typeName":"TicketedSessionAuthentication",...} under KEY. */
void gc_guest_add_auth(struct gc_json *parent, const char *key,
                       const struct gc_bytes *ticket);

/*
 * {"vm":...,"auth":...}: VM's moId and TICKET (secret).  One that is longer
 * than GC_TICKET_MAX is taken too, so that it can be released.
 */
GC_MUST_USE gc_status gc_guest_body(const char *vm,
                                    const struct gc_bytes *ticket,
                                    struct gc_json **ret_body,
                                    struct gc_error *err);

/* REPLY's fault about VM, which may quote TICKET. */
gc_status gc_guest_fail(const struct gc_session_reply *reply, const char *vm,
                        const struct gc_bytes *ticket, struct gc_error *err);

/* FAULT says that the guest of VM does not take the ticket: GC_E_DENIED. */
gc_status gc_guest_refuse(const struct gc_fault *fault, const char *vm,
                          struct gc_error *err);

/* One operation; all borrowed. */
struct gc_guest_call {
    const char *manager, *method;  /* "GuestFileManager", "ListFilesInGuest" */
    const char *params;            /* a JSON object's text, or NULL for none */
    const char *vm;                /* moId */
    const struct gc_bytes *ticket; /* secret */
    struct gc_limit limit;
};

/*
 * Is CALL one?  GC_E_CONFIG: a manager that is none of process, file, registry
 * and alias, a method that is no word of letters, params that are no object or
 * hold "vm" or "auth" or are too long.
 */
GC_MUST_USE gc_status gc_guest_call_check(const struct gc_guest_call *call,
                                          struct gc_error *err);

/*
 * Check and make CALL; RET_REPLY becomes the text of its result, one JSON value
 * (secret: it may hold transfer URLs), "null" where there is none.  It is sent
 * once, and again only after NotAuthenticated.
 */
GC_MUST_USE gc_status gc_guest_call(struct gc_session *session,
                                    const struct gc_guest_call *call,
                                    struct gc_bytes *ret_reply,
                                    struct gc_error *err);

#endif
