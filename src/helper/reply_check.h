/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Checks the replies of a worker's child like any other input: the child may
 * run as another user, who may control it.
 *
 * Checks lengths, ends of texts, ranges, and that nothing unasked is in them.
 */

#ifndef GC_SRC_HELPER_REPLY_CHECK_H
#define GC_SRC_HELPER_REPLY_CHECK_H

#include "src/helper/frame.h"

/* The owner's state of the exchange under way.  Not secret. */
struct gc_reply_check {
    gc_mech mech; /* as wanted */
    bool mutual;  /* wanted? */
    bool begun;   /* there was a first leg, and FACTS are its */
    bool lied;    /* the last reply was malformed: distrust the child */
    struct gc_facts facts; /* set TARGET beforehand: it is not the child's to
                              choose */
};

/*
 * Take the reply to OP.  A failure in proper form is returned as the error that
 * it was, its text escaped again; anything improper as GC_E_INTERNAL, with
 * LIED set.  After any failure nothing is under way.  For GC_FRAME_WHO only
 * FACTS' principal is set, and RET_SAID is not touched (it may be NULL).  So
 * for GC_FRAME_LEND, after which nothing is under way; for GC_FRAME_EXPORT
 * RET_SAID's token is the credential, of which nothing but the size is known.
 */
GC_MUST_USE gc_status gc_reply_check_take(struct gc_reply_check *known,
                                          gc_frame_op op,
                                          const struct gc_frame_head *head,
                                          const struct gc_bytes *body,
                                          struct gc_said *ret_said,
                                          struct gc_error *err);

#endif
