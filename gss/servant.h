/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's other half: what runs in the forked child.
 */

#ifndef GC_GSS_SERVANT_H
#define GC_GSS_SERVANT_H

/*
 * Serve requests on SOCKET until its other end closes.  To be run in a fresh
 * child, by gc_child_start.
 */
void gc_servant_run(int socket, void *unused);

#endif
