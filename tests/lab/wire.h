/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TCP in front of libmicrohttpd: a byte relay, because only the owner of the
 * client's socket can reset it.  Knows no TLS and no HTTP.
 */

#ifndef GC_LAB_WIRE_H
#define GC_LAB_WIRE_H

#include <stdbool.h>
#include <stdint.h>

struct gc_link; /* one TCP connection */

/* Listen on 127.0.0.1:PORT (0: any); false with errno set. */
bool gc_wire_open(uint16_t port);
void gc_wire_close(void);
uint16_t gc_wire_port(void);
/* Connections accepted since the last reset of this count. */
uint64_t gc_wire_count(void);
void gc_wire_reset_count(void);

/* The newest link whose other end is FD; NULL if the server forgot it. */
struct gc_link *gc_link_served_at(int fd);
unsigned gc_link_number(const struct gc_link *link);
/*
 * Pass on what the server has written so far, then end: with RST, or with FIN.
 * The link itself stays until gc_link_forget.
 */
void gc_link_end(struct gc_link *link, bool reset);
/* The server's side of it is gone: nobody asks for this link any more. */
void gc_link_forget(struct gc_link *link);
/* The client is gone. */
bool gc_link_is_dead(const struct gc_link *link);
/* WAKE(USER) once, when the client goes; NULL to forget it. */
void gc_link_on_death(struct gc_link *link, void (*wake)(void *user),
                      void *user);

#endif
