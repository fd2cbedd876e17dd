/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SearchIndex.  Nothing found is no fault.
 */

#ifndef GC_LAB_SEARCH_H
#define GC_LAB_SEARCH_H

#include "tests/lab/reply.h"

void gc_search_one(struct gc_request *request, struct gc_reply *reply);
void gc_search_all(struct gc_request *request, struct gc_reply *reply);
void gc_search_path(struct gc_request *request, struct gc_reply *reply);

#endif
