/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting the helper from inside somebody else's process.
 *
 * A stub, made by clone with exit signal 0, never execs; it forks the helper,
 * waits for it, and is reaped with __WCLONE.  So the host's SIGCHLD handler
 * does not run, its wait(-1) finds nothing, and SIG_IGN loses nothing: a child
 * that execs would lose its exit signal, and all of that with it.  The helper
 * gets none of the host's descriptors, limits, signals, environment or ids.
 *
 * Knows no PAM, and not what is said over the socket.
 */

#ifndef GC_PAM_MODULE_STUB_H
#define GC_PAM_MODULE_STUB_H

#include <stdint.h>
#include <sys/types.h>

#include "src/base/base.h"

struct gc_stub {
    pid_t pid;
    int socket; /* to the helper: packets */
};

/* The helper's exit status, or 128 + a signal; or one of these. */
#define GC_STUB_LOST    -1  /* somebody else reaped the stub */
#define GC_STUB_STUCK   -2  /* could not be reaped, not even killed */
#define GC_STUB_SETUP   125 /* the state could not be cleaned */
#define GC_STUB_NO_EXEC 126
#define GC_STUB_KILLED  137

/*
 * Start the program at path HELPER: a regular file of root's or of the host's
 * effective user, that nobody else may write, and that is what runs then even
 * if the path changes.  Otherwise GC_E_CONFIG.  Gather with gc_stub_end.
 * Signals are blocked on the way, and as they were afterwards.
 */
GC_MUST_USE gc_status gc_stub_start(const char *helper,
                                    struct gc_stub *ret_stub,
                                    struct gc_error *err);

/*
 * Hang up and gather stub and helper: GRACE_MS for it to leave by itself, then
 * its process group is killed.  Takes at most 700 ms longer than GRACE_MS.
 */
int gc_stub_end(struct gc_stub *stub, int grace_ms);

#endif
