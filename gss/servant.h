/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's other half: what runs in the forked child.
 */

#ifndef GC_GSS_SERVANT_H
#define GC_GSS_SERVANT_H

#include <sys/types.h>

/*
 * Serve requests on SOCKET until its other end closes, or OWNER, who forked
 * us, dies.  To be called in a fresh child with all signals blocked.  Closes
 * every descriptor but SOCKET and 0-2; leaves by _exit.
 */
_Noreturn void gc_servant_run(int socket, pid_t owner);

#endif
