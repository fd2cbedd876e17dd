/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The child's half of the worker.
 */

#ifndef GC_SRC_HELPER_WORKER_CHILD_H
#define GC_SRC_HELPER_WORKER_CHILD_H

/*
 * Serve requests on SOCKET until its other end closes.  gc_child_start runs it
 * in a new child.
 */
void gc_worker_child_run(int socket, void *unused);

#endif
