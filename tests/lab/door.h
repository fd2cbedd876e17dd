/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How a new connection is served: with which certificate and TLS versions, or
 * without TLS.  Each way is one libmicrohttpd daemon; the loop drives it.
 */

#ifndef GC_LAB_DOOR_H
#define GC_LAB_DOOR_H

#include <stdbool.h>
#include <sys/socket.h>

#include "tests/lab/text.h"
#include "tests/lab/wire.h"

/*
 * New connections are served so from now on.  PEM: a file with the key and the
 * chain, or "off" for plain HTTP; PRIORITY: a GnuTLS priority string or NULL.
 * The first switch is what gc_door_reset goes back to.
 */
bool gc_door_switch(const char *pem, const char *priority, struct gc_text *why);
void gc_door_reset(void);
void gc_door_close(void);

/* Serve FD, which gc_link_served_at knows; it is closed also on failure. */
bool gc_door_admit(int fd, const struct sockaddr *address, socklen_t size);
/* Something has to be done without an event: a call was resumed. */
void gc_door_kick(void);
/* For gc_loop_run: do what is due, return how long to wait. */
int gc_door_serve(void);

#endif
