/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCenter sessions: who is logged in, until when, and with which id.  A visit
 * is numbered from 1 so that the journal can tell them apart without the id.
 */

#ifndef GC_LAB_LOGIN_H
#define GC_LAB_LOGIN_H

#include <stdbool.h>
#include <stddef.h>

#include "tests/lab/reply.h"
#include "tests/lab/world.h"

struct gc_visit {
    char id[41]; /* secret */
    unsigned number, calls;
    double used;
    bool no_guests; /* guest operations say NotAuthenticated, reads do not */
    char started[64], agent[GC_PART_SIZE];
    struct gc_visit *next;
};

/* The living session with this id, or NULL; its idle time starts anew. */
struct gc_visit *gc_login_find(const struct gc_world *world, const char *id);
/* NULL if there are too many. */
struct gc_visit *gc_login_open(const struct gc_world *world, const char *agent);
void gc_login_close(struct gc_visit *visit);
/* Another id for the same session. */
void gc_login_renew(struct gc_visit *visit);
unsigned gc_login_count(const struct gc_world *world);
const struct gc_visit *gc_login_first(void);
void gc_login_expire_all(void);
void gc_login_expire_guests(void); /* for guest operations only */
/* A UserSession object for VISIT. */
cJSON *gc_login_describe(const struct gc_world *world,
                         const struct gc_visit *visit);

/* Methods of SessionManager and /api/session. */
void gc_login_post(struct gc_request *request, struct gc_reply *reply);
void gc_login_logout(struct gc_request *request, struct gc_reply *reply);
void gc_login_current(struct gc_request *request, struct gc_reply *reply);
void gc_login_api(struct gc_request *request, struct gc_reply *reply);

#endif
