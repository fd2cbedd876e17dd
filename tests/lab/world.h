/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Everything the simulator pretends exists: its settings, virtual machines and
 * folders.  Knows no HTTP and no GSS; guest.h fills in what happens in a VM.
 */

#ifndef GC_LAB_WORLD_H
#define GC_LAB_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tests/lab/text.h"

#define GC_ID_SIZE   128
#define GC_NAME_SIZE 512

/* The words of a key, in the order of the lists in world.c. */
enum gc_hello { GC_HELLO_PRESENT, GC_HELLO_ABSENT, GC_HELLO_NONE };
enum gc_nothing { GC_NOTHING_204, GC_NOTHING_NULL, GC_NOTHING_EMPTY };
enum gc_reissue { GC_REISSUE_OFF, GC_REISSUE_SAME, GC_REISSUE_NEW };
enum gc_power { GC_POWER_ON, GC_POWER_OFF, GC_POWER_SUSPENDED };
enum gc_tools {
    GC_TOOLS_RUNNING,
    GC_TOOLS_STOPPED,
    GC_TOOLS_OLD,
    GC_TOOLS_DISABLED
};
enum gc_os { GC_OS_WINDOWS, GC_OS_LINUX };
enum gc_ntlm { GC_NTLM_OFF, GC_NTLM_ON, GC_NTLM_ONLY };
enum gc_challenge {
    GC_CHALLENGE_NEVER,
    GC_CHALLENGE_EMPTY,
    GC_CHALLENGE_FULL,
    GC_CHALLENGE_TWO_LEGS,
    GC_CHALLENGE_ENDLESS
};
enum gc_style { GC_STYLE_PLAIN, GC_STYLE_ODD };

struct gc_settings {
    char username[GC_NAME_SIZE], password[GC_NAME_SIZE]; /* vCenter's login */
    char releases[GC_NAME_SIZE];                         /* comma separated */
    char instance[GC_ID_SIZE]; /* about.instanceUuid */
    char suffix[GC_ID_SIZE];   /* of every manager's moId */
    int hello, nothing, reissue;
    int64_t max_sessions;
    double idle; /* seconds until an unused vCenter session is forgotten */
    bool strict, esxi, cookie;
};

struct gc_ticket;
struct gc_handshake;
struct gc_acceptor;

struct gc_vm {
    char id[GC_ID_SIZE], name[GC_NAME_SIZE], path[GC_NAME_SIZE];
    char uuid[GC_ID_SIZE], instance_uuid[GC_ID_SIZE];
    char host_name[GC_NAME_SIZE], ip[GC_ID_SIZE];
    char keytab[GC_NAME_SIZE]; /* the guest's own keys */
    char allow[GC_NAME_SIZE];  /* principals let in, comma separated; "": all */
    int power, tools, os, ntlm, challenge, ticket_style, after_release;
    bool renumber; /* every challenge carries a new sessionID */
    bool stub;     /* take any token that starts with "stub:" */
    int64_t stub_legs;
    int64_t session_id; /* of the next handshake */
    int64_t max_tickets, max_handshakes, ticket_size;
    double handshake_ttl, ticket_ttl;

    struct gc_acceptor *acceptor; /* made at the first token */
    struct gc_ticket *tickets;
    struct gc_handshake *handshakes;
    uint64_t issued, released;
    struct gc_vm *next;
};

struct gc_folder {
    char id[GC_ID_SIZE], path[GC_NAME_SIZE];
    struct gc_folder *next;
};

struct gc_world {
    struct gc_settings settings;
    struct gc_vm *vms;
    struct gc_folder *folders;
};

/* Forget everything and go back to the built-in settings. */
void gc_world_reset(struct gc_world *world);

struct gc_vm *gc_world_vm(const struct gc_world *world, const char *id);
const struct gc_folder *gc_world_folder(const struct gc_world *world,
                                        const char *id);
/* The manager's moId: BASE and the suffix.  Borrowed until the next call. */
const char *gc_world_moid(const struct gc_world *world, const char *base);
/* Whether the comma separated LIST has ITEM. */
bool gc_world_listed(const char *list, const char *item);

/*
 * "key=value" words.  False, with a sentence in WHY, if a word is none of
 * these; the words before it have been applied.  A new VM starts from the
 * built-in defaults; ID "*" means all that exist.
 */
bool gc_world_set(struct gc_world *world, char *const *words, size_t count,
                  struct gc_text *why);
bool gc_world_set_vm(struct gc_world *world, const char *id, char *const *words,
                     size_t count, struct gc_text *why);
bool gc_world_set_folder(struct gc_world *world, const char *id,
                         char *const *words, size_t count, struct gc_text *why);

#endif
