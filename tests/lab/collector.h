/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PropertyCollector and ContainerView: listing VMs and reading several
 * properties in one call.
 */

#ifndef GC_LAB_COLLECTOR_H
#define GC_LAB_COLLECTOR_H

#include "tests/lab/reply.h"

void gc_collector_view(struct gc_request *request, struct gc_reply *reply);
void gc_collector_destroy(struct gc_request *request, struct gc_reply *reply);
void gc_collector_retrieve(struct gc_request *request, struct gc_reply *reply);
void gc_collector_more(struct gc_request *request, struct gc_reply *reply);
/* Drop the pages that wait to be fetched. */
void gc_collector_forget(void);

#endif
