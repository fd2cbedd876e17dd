/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a server says about itself before anybody logged in: hello, the served
 * releases, ServiceContent, the guest operations managers; and how an ESXi
 * host answers instead.
 */

#ifndef GC_LAB_CONTENT_H
#define GC_LAB_CONTENT_H

#include "tests/lab/reply.h"

void gc_content_hello(struct gc_request *request, struct gc_reply *reply);
void gc_content_versions(struct gc_request *request, struct gc_reply *reply);
void gc_content_get(struct gc_request *request, struct gc_reply *reply);
void gc_content_guest_manager(struct gc_request *request,
                              struct gc_reply *reply);
void gc_content_esxi(struct gc_request *request, struct gc_reply *reply);

#endif
