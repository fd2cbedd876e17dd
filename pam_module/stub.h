/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starts the helper from inside the host's process.
 *
 * A stub, made by clone with exit signal 0, never execs; it forks the helper,
 * waits for it, and is reaped with __WCLONE.  So the host's SIGCHLD handler
 * does not run, its wait(-1) finds nothing, and SIG_IGN loses nothing: a child
 * that execs would lose its exit signal, and all of that with it.  The helper
 * gets none of the host's descriptors, limits, signals, environment or ids.
 *
 * Knows neither PAM nor the messages on the socket.
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
#define GC_STUB_LOST    -1  /* the host reaped the stub */
#define GC_STUB_STUCK   -2  /* could not be reaped, not even killed */
#define GC_STUB_SETUP   125 /* the state could not be cleaned */
#define GC_STUB_NO_EXEC 126
#define GC_STUB_KILLED  137

/*
 * Start the program at path HELPER.  It must be a regular file that belongs to
 * root or the host's effective user, and that only its owner may write; else
 * GC_E_CONFIG.  The file that was checked is the one that runs, even if the
 * path changes.  Reap it with gc_stub_end.  Signals are blocked meanwhile, and
 * the mask is restored.
 */
GC_MUST_USE gc_status gc_stub_start(const char *helper,
                                    struct gc_stub *ret_stub,
                                    struct gc_error *err);

/*
 * Close the socket and reap stub and helper.  The helper has GRACE_MS to exit,
 * then its process group is killed.  Takes at most 700 ms longer than GRACE_MS.
 */
int gc_stub_end(struct gc_stub *stub, int grace_ms);

#endif
