/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libguestcred: Kerberos login to VMware guests through vCenter.
 *
 * A program that holds a Kerberos credential gets a ticket of a Windows guest:
 * a TicketedSessionAuthentication, which every guest operation of the vSphere
 * API takes as its `auth` in place of a name and a password.  The library plays
 * SSPI's initiator with GSS-API and carries the tokens through vCenter's
 * GuestAuthManager.AcquireCredentialsInGuest.
 *
 * This header needs nothing but a C99 or C++ compiler.  The same contracts are
 * in libguestcred(3) and the pages it names; a program to start from is
 * doc/examples/in_guest.c.
 *
 * In general
 *   Handles are opaque.  What a function makes (RET_...) the caller frees, with
 *   the _free function of its type; NULL is fine there.  RET_... are written
 *   only on success.  What is handed in is borrowed for the call and copied
 *   where it is kept.  Strings are NUL-terminated UTF-8; what an accessor
 *   returns is borrowed from its handle, valid until that is freed.
 *
 *   A function that can fail returns a status, 0 for success, and fills ERR,
 *   which the caller owns and which may be NULL.  NULL where an object or a
 *   text is needed, a handle in the wrong state, a value out of range: each is
 *   GUESTCRED_CONFIG and a sentence, never a crash.
 *
 *   The library prints nothing, reads no environment variable (libkrb5 does:
 *   KRB5_CONFIG, KRB5CCNAME), changes no signal handler and no other state of
 *   the process, ends no process of the caller's and keeps no list of handles.
 *   Threads: no two calls at the same time with the same handle; any number
 *   with different ones.  A ticket may be read by several threads as long as
 *   none of them passes it to guestcred_validate, _release, _store_put or
 *   _store_forget.
 *   After fork() a child may free a client that it inherited, and do nothing
 *   else with it; the parent's goes on working.
 *
 *   Secret are: the passwords handed in, and of a ticket what
 *   guestcred_ticket_secret, _auth and _json return.  The library keeps them in
 *   memory that it wipes, and neither error texts nor log lines hold any of
 *   them.  Copies that libcurl, TLS and Kerberos libraries make are beyond it.
 */

#ifndef GUESTCRED_H
#define GUESTCRED_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#    define GUESTCRED_API      __attribute__((visibility("default")))
#    define GUESTCRED_MUST_USE __attribute__((warn_unused_result))
#else
#    define GUESTCRED_API
#    define GUESTCRED_MUST_USE
#endif

/*
 * Version
 */

#define GUESTCRED_VERSION_MAJOR 0
#define GUESTCRED_VERSION_MINOR 1
#define GUESTCRED_VERSION_PATCH 0
/* To compare with: 10,000 times major, 100 times minor, patch. */
#define GUESTCRED_VERSION_NUMBER                                               \
    (GUESTCRED_VERSION_MAJOR * 10000 + GUESTCRED_VERSION_MINOR * 100           \
     + GUESTCRED_VERSION_PATCH)

/* Those of the library that runs, "0.1.0" and as a number; static. */
GUESTCRED_API const char *guestcred_version(void);
GUESTCRED_API int guestcred_version_number(void);

/*
 * Errors
 */

/* What the caller can do about it.  New ones may come: have a default. */
enum guestcred_status {
    GUESTCRED_OK = 0,
    /* The guest or the KDC refuses the credential, the guest the ticket. */
    GUESTCRED_DENIED = 1,
    /* vCenter refuses the service login, or it lacks a privilege. */
    GUESTCRED_VCENTER_DENIED = 2,
    /* No Kerberos credential, an expired one, an SPN the KDC does not know. */
    GUESTCRED_NO_CREDENTIAL = 3,
    /* Not with this guest, these VMware Tools, this server, this kernel. */
    GUESTCRED_NOT_SUPPORTED = 4,
    /* No such VM, no such ticket, no such store. */
    GUESTCRED_NOT_FOUND = 5,
    /* Busy, or too many are logged in: try later. */
    GUESTCRED_BUSY = 6,
    /* Something does not answer, or not in time: try later. */
    GUESTCRED_UNAVAILABLE = 7,
    /* TLS: the server is not to be trusted. */
    GUESTCRED_UNTRUSTED = 8,
    /* A reply, or a stored text, that is not what it should be. */
    GUESTCRED_PROTOCOL = 9,
    /* Any other fault; a full disk. */
    GUESTCRED_FAILED = 10,
    /* The call or the configuration is wrong; an ambiguous VM or ticket. */
    GUESTCRED_CONFIG = 11,
    GUESTCRED_NO_MEMORY = 12,
    /* A mistake of the library's, a system call that should not fail. */
    GUESTCRED_INTERNAL = 13,
    /* The cancel descriptor became readable. */
    GUESTCRED_CANCELED = 14
};

/*
 * Filled by every call that takes one, on success too (GUESTCRED_OK and empty
 * texts).  Holds no pointer and no secret: copy it as you like.
 */
struct guestcred_error {
    enum guestcred_status status;
    int retryable;      /* 1: the same call may succeed later */
    uint32_t gss_major; /* GSS-API's codes, 0 where it did not speak */
    uint32_t gss_minor;
    char fault[64];    /* the vSphere fault's _typeName, or "" */
    char message[512]; /* one sentence without full stop, safe to print */
    char hint[256];    /* what to do about it, or ""; speaks of the command's
                          options, which the setters here are named after */
    uint32_t reserved[8];
};

/* The word that `guestcred --json` uses, "vcenter-denied"; static. */
GUESTCRED_API const char *guestcred_status_word(enum guestcred_status status);

/*
 * The client: one vCenter, one login there.
 */

struct guestcred_client;

/*
 * Make a client; nothing is sent yet.  CANCEL_FD, or -1: while it is readable,
 * calls with this client end with GUESTCRED_CANCELED as soon as they can (a
 * ticket that is on its way is waited for, up to 3 seconds, and released).  It
 * is borrowed and never read from: empty it before the next call.
 *
 * GSS-API works in a thread of its own, with all signals blocked.  Nothing can
 * interrupt MIT's library: where a KDC does not answer, calls end at their
 * deadline all the same and leave the thread behind, for up to half a minute.
 * What it holds is wiped when the library returns.  With 32 such threads calls
 * are GUESTCRED_UNAVAILABLE at once.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_new(int cancel_fd, struct guestcred_client **ret_client,
                     struct guestcred_error *err);

/*
 * Forget the client and wipe its secrets.  Tickets stay as they are, and the
 * vCenter session lives on until it is idle for long: see guestcred_logout.
 */
GUESTCRED_API void guestcred_client_free(struct guestcred_client *client);

/*
 * To which vCenter: "https://vcenter.example.com[:port]", 511 bytes at most.
 * The setters that follow, up to _insecure, are for before the first call that
 * talks to vCenter; after it they are GUESTCRED_CONFIG.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_url(struct guestcred_client *client, const char *url,
                         struct guestcred_error *err);

/*
 * As whom: the service account that logs in to vCenter, never the guest's user.
 * PASSWORD (secret) has LEN bytes, 1 to 1,024, none of them NUL.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_login(struct guestcred_client *client,
                           const char *username, const void *password,
                           size_t len, struct guestcred_error *err);

/* CAs to trust, a PEM file; NULL: the system's. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_ca_file(struct guestcred_client *client, const char *file,
                             struct guestcred_error *err);

/*
 * The server's public key must be this one, "sha256//BASE64", or one of several
 * separated by semicolons.  With a CA file both must be right; without, the pin
 * stands alone.  NULL: none.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_pin(struct guestcred_client *client, const char *pin,
                         struct guestcred_error *err);

/* An HTTP proxy's URL; NULL: none, whatever the environment says. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_proxy(struct guestcred_client *client, const char *proxy,
                           struct guestcred_error *err);

/*
 * 1: do not verify the server at all.  Whoever is in between then gets the
 * vCenter password and the ticket.  0: verify, as ever.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_insecure(struct guestcred_client *client, int insecure,
                              struct guestcred_error *err);

#define GUESTCRED_LOG_STEP    1 /* what is being done, and what went wrong */
#define GUESTCRED_LOG_REQUEST 2 /* each request: method, path, status, time */

/*
 * Have LOG called with USER, a level from above and a line without newline
 * (borrowed for the call), in the thread that makes a call, during it.  It must
 * not call back into the same client.  NULL: no more.  At any time.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_log(struct guestcred_client *client,
                         void (*log)(void *user, int level, const char *line),
                         void *user, struct guestcred_error *err);

/*
 * Keep acquired tickets in the store NAME (see guestcred_store_open; it is made
 * if need be), and take them from there again.  NULL: keep none, the default.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_store(struct guestcred_client *client, const char *name,
                           struct guestcred_error *err);

/*
 * Write down in DIRECTORY (absolute; made, 0700, with missing parents) what is
 * owed to guests, before it is: from then on no crash loses a ticket, because
 * guestcred_sweep, or `guestcred sweep --ledger DIRECTORY`, releases what a
 * dead process left.  Lost is only a ticket that the server has sent and that
 * was not written yet.  It costs some writes to disk for each ticket.  A user's
 * own commands have theirs in $XDG_STATE_HOME/guestcred.  NULL: none, the
 * default.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_ledger(struct guestcred_client *client,
                            const char *directory, struct guestcred_error *err);

/*
 * Log out of vCenter, best effort, within 3 seconds and not to be canceled.
 * The next call logs in again.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_logout(struct guestcred_client *client, struct guestcred_error *err);

/*
 * The credential: who logs in to the guest, and how.
 */

struct guestcred_credential;

enum guestcred_mechanism {
    GUESTCRED_KERBEROS = 0,  /* a plain Kerberos token; the default */
    GUESTCRED_NEGOTIATE = 1, /* SPNEGO, pinned to Kerberos */
    GUESTCRED_NTLM = 2       /* never fallen back to */
};

/*
 * A description: Kerberos, from the default cache, whoever that belongs to.
 * It is used when a ticket is acquired, and any number of times.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_new(struct guestcred_credential **ret_credential,
                         struct guestcred_error *err);
/* Wipes. */
GUESTCRED_API void
guestcred_credential_free(struct guestcred_credential *credential);

GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_mechanism(struct guestcred_credential *credential,
                                   enum guestcred_mechanism mechanism,
                                   struct guestcred_error *err);

/* 1: the guest must prove itself too; one call more.  Not with NTLM. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_mutual(struct guestcred_credential *credential,
                                int mutual, struct guestcred_error *err);

/*
 * The credential must be PRINCIPAL's (511 bytes at most), or nothing is sent to
 * the guest.  NULL: whoever it belongs to.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_principal(struct guestcred_credential *credential,
                                   const char *principal,
                                   struct guestcred_error *err);

/*
 * Where it comes from, each in place of the one before: the cache NAME
 * ("FILE:/tmp/krb5cc_1000"; 1,023 bytes at most), the key of PRINCIPAL in a
 * keytab, the same by way of libkrb5's client keytab, PRINCIPAL's PASSWORD
 * (secret; LEN bytes, 1 to 511, none of them NUL).
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_ccache(struct guestcred_credential *credential,
                                const char *name, struct guestcred_error *err);
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_keytab(struct guestcred_credential *credential,
                                const char *file, const char *principal,
                                struct guestcred_error *err);
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_client_keytab(struct guestcred_credential *credential,
                                       const char *file, const char *principal,
                                       struct guestcred_error *err);
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_password(struct guestcred_credential *credential,
                                  const char *principal, const void *password,
                                  size_t len, struct guestcred_error *err);

/*
 * Log in as USER by constrained delegation (S4U2Self and S4U2Proxy); the KDC
 * must allow it to the credential.  NULL: as the credential's own principal.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_credential_set_on_behalf_of(struct guestcred_credential *credential,
                                      const char *user,
                                      struct guestcred_error *err);

/*
 * Acquire, validate, release
 *
 * TIMEOUT_MS bounds all of a call: logging in to vCenter, Kerberos, the legs,
 * waiting before another attempt; 1 to GUESTCRED_TIMEOUT_MAX.  What was half
 * done is released within 3 seconds more.
 */

#define GUESTCRED_TIMEOUT_MAX 86400000
#define GUESTCRED_VM_SIZE     128 /* bytes of a moId and its NUL */

struct guestcred_ticket;

/* Flags for guestcred_acquire. */
#define GUESTCRED_NEW         0x1u /* no stored ticket; release the replaced */
#define GUESTCRED_NO_VALIDATE 0x2u /* take a stored one without asking */

/*
 * Log in to the guest of VM with CREDENTIAL and make a ticket.
 *
 * VM: "vm-42" (a managed object id), "uuid:..." or "path:/DC/vm/folder/name";
 * two hits are GUESTCRED_CONFIG.  TARGET is the name Kerberos knows the guest
 * by, "host/guest.example.com[@REALM]"; "{vm}" in it becomes the VM's inventory
 * name.  Choose it yourself: the guest would get a token for any name it told.
 *
 * With a store, a stored ticket that agrees in vCenter, VM, principal, target,
 * mechanism and mutual is given, if the guest still takes it.  A new one is put
 * there.  Passing causes are tried again within the deadline, but nothing is
 * re-sent whose effect is not known: GUESTCRED_UNAVAILABLE may then leave a
 * ticket in the guest that nobody can name and that ends there by itself.
 *
 * The ticket is a session in the guest, one of at most 50: release it there
 * before you free it here, or let a store or a ledger remember it.
 *
 * Source of the protocol: the vSphere Web Services API, GuestAuthManager,
 * release 8.0.3.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_acquire(struct guestcred_client *client,
                  const struct guestcred_credential *credential, const char *vm,
                  const char *target, unsigned flags, int timeout_ms,
                  struct guestcred_ticket **ret_ticket,
                  struct guestcred_error *err);

/*
 * Ask the guest whether it still takes TICKET; it counts as a use.
 * GUESTCRED_DENIED: no.  The store and the ledger forget it then.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_validate(struct guestcred_client *client,
                   struct guestcred_ticket *ticket, int timeout_ms,
                   struct guestcred_error *err);

enum guestcred_released {
    GUESTCRED_RELEASED = 0,        /* just now */
    GUESTCRED_RELEASED_OFF = 1,    /* long since: the VM is powered off */
    GUESTCRED_RELEASED_NO_VM = 2,  /* ... is no more */
    GUESTCRED_RELEASED_UNKNOWN = 3 /* ... or its guest does not know it */
};

/*
 * End TICKET in the guest and forget it in the store that it came from.
 * RET_HOW may be NULL.  The handle is still the caller's to free.  On failure a
 * client with a ledger owes the release to guestcred_sweep and the store
 * forgets the ticket; without one nothing has changed.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_release(struct guestcred_client *client,
                  struct guestcred_ticket *ticket, int timeout_ms,
                  enum guestcred_released *ret_how,
                  struct guestcred_error *err);

/*
 * Settle what the client's ledger owes to this vCenter and no living process
 * and no store needs any more.  RET_RELEASED: tickets that are gone now;
 * RET_OWED: those that could not be released; either may be NULL and is written
 * on failure too.  GUESTCRED_CONFIG without a ledger.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_sweep(struct guestcred_client *client, int timeout_ms,
                int *ret_released, int *ret_owed, struct guestcred_error *err);

/* Resolve VM, as guestcred_acquire does, to its managed object id. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_locate(struct guestcred_client *client, const char *vm,
                 int timeout_ms, char ret_vm[GUESTCRED_VM_SIZE],
                 struct guestcred_error *err);

/*
 * The ticket
 *
 * Accessors cannot fail; of a NULL ticket they give NULL, or 0.  "" is what is
 * not known.
 */

/* Forgets; does not release.  Wipes. */
GUESTCRED_API void guestcred_ticket_free(struct guestcred_ticket *ticket);

/* The VM's managed object id, and its inventory name or "". */
GUESTCRED_API const char *
guestcred_ticket_vm(const struct guestcred_ticket *ticket);
GUESTCRED_API const char *
guestcred_ticket_name(const struct guestcred_ticket *ticket);
/* The vCenter's instance UUID and its URL; both may be "". */
GUESTCRED_API const char *
guestcred_ticket_vcenter(const struct guestcred_ticket *ticket);
GUESTCRED_API const char *
guestcred_ticket_url(const struct guestcred_ticket *ticket);
/* Who is logged in, "alice@EXAMPLE.COM", to what, "host/guest.example.com". */
GUESTCRED_API const char *
guestcred_ticket_principal(const struct guestcred_ticket *ticket);
GUESTCRED_API const char *
guestcred_ticket_target(const struct guestcred_ticket *ticket);
/* What was negotiated: Kerberos or NTLM. */
GUESTCRED_API enum guestcred_mechanism
guestcred_ticket_mechanism(const struct guestcred_ticket *ticket);
/* 1 where the guest proved itself. */
GUESTCRED_API int
guestcred_ticket_mutual(const struct guestcred_ticket *ticket);
/* How many calls it took. */
GUESTCRED_API int guestcred_ticket_legs(const struct guestcred_ticket *ticket);
/* Seconds since 1970-01-01 UTC: acquired; last used or validated by us. */
GUESTCRED_API int64_t
guestcred_ticket_acquired(const struct guestcred_ticket *ticket);
GUESTCRED_API int64_t
guestcred_ticket_used(const struct guestcred_ticket *ticket);
/* The name of the store that keeps it, or "". */
GUESTCRED_API const char *
guestcred_ticket_store(const struct guestcred_ticket *ticket);

/*
 * SECRET, each followed by a NUL that *RET_LEN (may be NULL) does not count:
 * the ticket string alone;
 * the object that guest operations take as `auth`,
 *   {"_typeName":"TicketedSessionAuthentication",...}, compact JSON;
 * the whole record, as `guestcred acquire --json` prints it.
 */
GUESTCRED_API const char *
guestcred_ticket_secret(const struct guestcred_ticket *ticket, size_t *ret_len);
GUESTCRED_API const char *
guestcred_ticket_auth(const struct guestcred_ticket *ticket, size_t *ret_len);
GUESTCRED_API const char *
guestcred_ticket_json(const struct guestcred_ticket *ticket, size_t *ret_len);

/*
 * The ticket of such a record (one, LEN bytes, 1 MiB at most).  What is not one
 * is GUESTCRED_PROTOCOL, with what is wrong and nothing of the text.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_ticket_from_json(const void *text, size_t len,
                           struct guestcred_ticket **ret_ticket,
                           struct guestcred_error *err);

/*
 * The store: where tickets wait for the next program.
 */

struct guestcred_store;

/*
 * Open the store NAME: "DIR:/absolute/directory" (of our own, mode 0700), or
 * "KEYRING:session", "KEYRING:user", "KEYRING:persistent", each also with
 * ":NAME".  CREATE 1: make it where it is not there (a DIR:'s last component
 * only), else that is GUESTCRED_NOT_FOUND.  GUESTCRED_CONFIG: another's
 * directory, one open to others, a symbolic link, no such type.
 * GUESTCRED_NOT_SUPPORTED: the kernel or a sandbox forbids keyrings.
 * The command's is DIR:$XDG_RUNTIME_DIR/guestcred, else
 * DIR:/run/guestcred/UID.  Processes and handles may share a store.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_open(const char *name, int create,
                     struct guestcred_store **ret_store,
                     struct guestcred_error *err);
GUESTCRED_API void guestcred_store_free(struct guestcred_store *store);

/* The name it was opened by; NULL for NULL. */
GUESTCRED_API const char *
guestcred_store_name(const struct guestcred_store *store);

/*
 * Have SKIPPED told, as a log is, of each record that cannot be used: torn,
 * another's, open to others.  None of that fails a call.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status guestcred_store_set_log(
    struct guestcred_store *store,
    void (*skipped)(void *user, int level, const char *line), void *user,
    struct guestcred_error *err);

/*
 * All tickets, oldest first: an array of *RET_COUNT handles and a NULL, which
 * guestcred_tickets_free frees with all that is in it.  A handle may be taken
 * out (put NULL in its place) and freed for itself.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_list(struct guestcred_store *store,
                     struct guestcred_ticket ***ret_tickets, size_t *ret_count,
                     struct guestcred_error *err);
GUESTCRED_API void guestcred_tickets_free(struct guestcred_ticket **tickets,
                                          size_t count);

/*
 * The one ticket for VM: "vm-42" or "INSTANCE-UUID/vm-42", with the vCenter's
 * UUID.  NULL: the only one there is.  GUESTCRED_NOT_FOUND; GUESTCRED_CONFIG
 * where several fit.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_get(struct guestcred_store *store, const char *vm,
                    struct guestcred_ticket **ret_ticket,
                    struct guestcred_error *err);

/*
 * Keep TICKET, which must say its URL (guestcred_ticket_url).  If another for
 * the same purpose is there, nothing is kept and *RET_EARLIER becomes that one:
 * use it and release TICKET.  Else *RET_EARLIER becomes NULL.  All or nothing.
 * A ledger does not hear of it and releases the ticket when this process is
 * gone: with a ledger use guestcred_client_set_store.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status guestcred_store_put(
    struct guestcred_store *store, struct guestcred_ticket *ticket,
    struct guestcred_ticket **ret_earlier, struct guestcred_error *err);

/*
 * Remove TICKET from the store; in the guest it lives on (that is
 * guestcred_release, which does both).  One that is gone is fine.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_forget(struct guestcred_store *store,
                       struct guestcred_ticket *ticket,
                       struct guestcred_error *err);

/*
 * What a login left behind: pam_guestcred keeps a session's tickets in a store
 * of its own and names that as GUESTCRED_CACHE in the PAM environment.
 *
 * ENVLIST is NULL-terminated, "NAME=value" each: pam_getenvlist's result, or
 * environ.  The library looks at nothing else.  GUESTCRED_NOT_FOUND: no such
 * variable, or no such store any more.  GUESTCRED_CONFIG: set twice and not
 * alike, or a place that is not ours: a program that runs for somebody else
 * must not be talked into a store of theirs, and so call this as the user whose
 * login it is.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_from_pam_env(char *const *envlist,
                             struct guestcred_store **ret_store,
                             struct guestcred_error *err);

/*
 * The ticket of that login for VM, as guestcred_store_get finds it.  VM NULL:
 * the only one; with several it is GUESTCRED_CONFIG, never a guess.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_ticket_from_pam_env(char *const *envlist, const char *vm,
                              struct guestcred_ticket **ret_ticket,
                              struct guestcred_error *err);

#ifdef __cplusplus
}
#endif

#endif
