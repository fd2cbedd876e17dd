/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP request from libmicrohttpd: collects the body, has it answered, and
 * sends the reply at the pace and up to the point that the reply says.
 */

#ifndef GC_LAB_CALL_H
#define GC_LAB_CALL_H

#include <microhttpd.h>

#include "tests/lab/world.h"

/* Callbacks for MHD_start_daemon. */
enum MHD_Result gc_call_handle(void *user, struct MHD_Connection *connection,
                               const char *url, const char *method,
                               const char *version, const char *data,
                               size_t *size, void **context);
void gc_call_completed(void *user, struct MHD_Connection *connection,
                       void **context, enum MHD_RequestTerminationCode code);

/* The world that calls are answered from; borrowed. */
void gc_call_set_world(struct gc_world *world);

#endif
