/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The seam towards vCenter and its guests: a table of functions.
 *
 * Behind it stands a connection of this process (src/tickets/vcenter), or one
 * in another process.  This side knows no HTTP and no JSON, and links libc and
 * nothing else.
 */

#ifndef GC_SRC_TICKETS_GUEST_H
#define GC_SRC_TICKETS_GUEST_H

#include "src/tickets/ticket.h"
#include "src/vim/exchange.h"
#include "src/vim/vc_info.h"

/* Which VM, and what it is called where that was asked for. */
struct gc_place {
    char vm[GC_MOID_SIZE];          /* moId */
    char name[GC_TICKET_NAME_SIZE]; /* inventory name; "" if not known */
};

/* Which vCenter this is, as far as it has said so. */
struct gc_guest_about {
    const char *url;     /* "https://host[:port]", borrowed from the guest */
    const char *vcenter; /* its instance uuid, or ""; borrowed */
    bool spoke;          /* it was asked anything at all */
};

/*
 * open      connect, log in and look up what a leg needs; each only if still
 *           needed.  After it the next leg sends Acquire and nothing else.
 * login     log in again: the session was refused.
 * locate    which VM is REF?  Its name too, if WITH_NAME.  A moId alone costs
 *           no request.
 * leg       send TOKEN (raw, secret); the answer is a ticket (text, secret) or
 *           a challenge (raw, secret).  A cancel does not cut a leg short that
 *           is on its way.  NotAuthenticated comes with err->again set: the
 *           guest saw nothing.
 * validate  GC_E_DENIED: the guest does not take TICKET.
 * release   GC_OK also when TICKET is gone already: RET_HOW.
 * close     the end, of a command that came to STATUS: keep the session for the
 *           next one, or log out (LOGOUT: in any case, and forget what is
 *           kept).  Best effort; cannot be cancelled.
 * free      forget everything; sends nothing.
 *
 * Statuses are those of src/vim.  Not thread-safe.
 */
struct gc_guest;
struct gc_guest_ops {
    struct gc_guest_about (*about)(struct gc_guest *);
    gc_status (*open)(struct gc_guest *, struct gc_limit limit,
                      struct gc_error *err);
    gc_status (*login)(struct gc_guest *, struct gc_limit limit,
                       struct gc_error *err);
    gc_status (*locate)(struct gc_guest *, const char *ref, bool with_name,
                        struct gc_limit limit, struct gc_place *ret_place,
                        struct gc_error *err);
    gc_status (*leg)(struct gc_guest *, struct gc_exchange *exchange,
                     const struct gc_bytes *token, enum gc_leg *ret_leg,
                     struct gc_bytes *ret_bytes, struct gc_error *err);
    gc_status (*validate)(struct gc_guest *, const char *vm,
                          const struct gc_bytes *ticket, struct gc_limit limit,
                          struct gc_error *err);
    gc_status (*release)(struct gc_guest *, const char *vm,
                         const struct gc_bytes *ticket, struct gc_limit limit,
                         enum gc_released *ret_how, struct gc_error *err);
    void (*close)(struct gc_guest *, gc_status status, bool logout);
    void (*free)(struct gc_guest *);
};

/* Implementations embed this as their first member. */
struct gc_guest {
    const struct gc_guest_ops *ops;
};

static inline void
gc_guest_free(struct gc_guest *guest)
{
    if (guest != NULL)
        guest->ops->free(guest);
}
GC_DEFINE_FREEP(gc_guest)

#endif
