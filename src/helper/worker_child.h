/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's other half: what runs in the forked child.
 */

#ifndef GC_SRC_HELPER_WORKER_CHILD_H
#define GC_SRC_HELPER_WORKER_CHILD_H

/*
 * Serve requests on SOCKET until its other end closes.  To be run in a fresh
 * child, by gc_child_start.
 */
void gc_worker_child_run(int socket, void *unused);

#endif
