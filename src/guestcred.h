/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libguestcred: Kerberos login to VMware guests through vCenter.
 *
 * A program that holds a Kerberos credential gets a ticket for a Windows guest:
 * a TicketedSessionAuthentication, which every guest operation of the vSphere
 * API takes as its `auth` in place of a name and a password.  The library makes
 * the tokens that Windows expects with GSS-API and passes them through
 * vCenter's GuestAuthManager.AcquireCredentialsInGuest.
 *
 * This header needs a C99 or C++98 compiler and nothing else.  The manual says
 * the same, a page for each group of calls: start with libguestcred(3).
 * doc/examples/in_guest.c is a whole program.
 *
 * Objects.  Handles are opaque.  A call returns a new object through an
 * argument named ret_..., and the caller frees it with the _free function of
 * its type, which accepts NULL.  A call that fails leaves its ret_... arguments
 * as they were, except where it says otherwise.  Arguments are only read during
 * the call; the library copies what it keeps.  Text is UTF-8 and ends with a
 * NUL.  Text that an accessor returns belongs to the handle and lives as long.
 *
 * Errors.  A call that can fail returns a status, 0 for success, and describes
 * it in *ERR.  The caller owns ERR, which may be NULL.  A NULL argument that
 * must not be NULL, a value out of range and a call in the wrong order are
 * GUESTCRED_CONFIG with a sentence that says so.  Each setter checks its own
 * value; values that exclude each other are found by the call that uses them.
 *
 * Side effects.  The library prints nothing, reads no environment variable
 * (libkrb5 reads KRB5_CONFIG and KRB5CCNAME), installs no signal handler and
 * never ends the process.  It stays loaded after dlclose.
 *
 * Threads.  Different threads may use different handles at the same time, and
 * these may share a store.  Only one thread at a time may use a given handle,
 * with one exception: several threads may call the accessors of one ticket.
 * After fork the child may free the handles that it inherited and must not use
 * them otherwise; the parent is not affected.
 *
 * Secrets.  Passwords, tickets and replies are secret, and so is what the calls
 * marked SECRET return.  The library keeps them in memory that it wipes before
 * freeing, and it puts none of them into errors or log lines.  It cannot wipe
 * copies inside libcurl, the TLS library and Kerberos.
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
/* The version as one number: 10,000 * major + 100 * minor + patch. */
#define GUESTCRED_VERSION_NUMBER                                               \
    (GUESTCRED_VERSION_MAJOR * 10000 + GUESTCRED_VERSION_MINOR * 100           \
     + GUESTCRED_VERSION_PATCH)

/* The version of the running library: "0.1.0" (static), and as one number. */
GUESTCRED_API const char *guestcred_version(void);
GUESTCRED_API int guestcred_version_number(void);

/*
 * Errors
 */

/* What happened.  Later versions may add values: have a default case. */
enum guestcred_status {
    GUESTCRED_OK = 0,
    /* The guest or the KDC refuses the user, or the guest refuses the ticket.
     */
    GUESTCRED_DENIED = 1,
    /* vCenter refuses the service login, or that login lacks a privilege. */
    GUESTCRED_VCENTER_DENIED = 2,
    /* There is no usable Kerberos credential, or the KDC does not know the
     * target. */
    GUESTCRED_NO_CREDENTIAL = 3,
    /* This guest, VMware Tools version or server cannot do it. */
    GUESTCRED_NOT_SUPPORTED = 4,
    /* There is no such VM, ticket or store. */
    GUESTCRED_NOT_FOUND = 5,
    /* The guest is busy or has too many logins.  Try later. */
    GUESTCRED_BUSY = 6,
    /* Something did not answer, or not in time.  Try later. */
    GUESTCRED_UNAVAILABLE = 7,
    /* The server's certificate cannot be trusted. */
    GUESTCRED_UNTRUSTED = 8,
    /* A reply, or a text that was read, is malformed. */
    GUESTCRED_PROTOCOL = 9,
    /* Any other fault of vCenter or the guest, or a full disk. */
    GUESTCRED_FAILED = 10,
    /* The call or the configuration is wrong, or a name is ambiguous. */
    GUESTCRED_CONFIG = 11,
    GUESTCRED_NO_MEMORY = 12,
    /* A bug in the library, or a system call that should not fail. */
    GUESTCRED_INTERNAL = 13,
    /* The cancel descriptor became readable. */
    GUESTCRED_CANCELED = 14
};

/*
 * What to do about it, for programs that put it in words of their own: the
 * setter to look at.  Later versions may add values; then use the hint.
 */
enum guestcred_advice {
    GUESTCRED_ADVICE_NONE = 0, /* the hint says all there is */
    /* guestcred_client_set_ca_file, or _set_pin */
    GUESTCRED_ADVICE_CA = 1,
    /* The same, or install the machine's CA certificates. */
    GUESTCRED_ADVICE_NO_CA = 2,
    /* The server signed its certificate itself: guestcred_client_set_pin, with
     * a key that is known to be the server's */
    GUESTCRED_ADVICE_SELF_SIGNED = 3,
    /* guestcred_client_set_ca_file: the right file, or NULL beside a pin */
    GUESTCRED_ADVICE_CA_BEFORE_PIN = 4,
    /* guestcred_client_set_proxy, or start the proxy */
    GUESTCRED_ADVICE_PROXY = 5,
    /* guestcred_client_set_proxy: "https://" means that the proxy itself speaks
     * TLS */
    GUESTCRED_ADVICE_PROXY_TLS = 6,
    /* guestcred_request_set_target: the KDC does not know that name */
    GUESTCRED_ADVICE_TARGET = 7,
    /* guestcred_client_set_url: the VM or ticket is another vCenter's */
    GUESTCRED_ADVICE_URL = 8
};

/*
 * Each call fills it, also on success (GUESTCRED_OK and empty texts).  It holds
 * no pointer and no secret, so it can be copied.
 */
struct guestcred_error {
    enum guestcred_status status;
    enum guestcred_advice advice;
    int retryable;      /* 1: the same call may succeed later */
    uint32_t gss_major; /* GSS-API's codes, or 0 */
    uint32_t gss_minor;
    char fault[64];    /* _typeName of the vSphere fault, or "" */
    char message[512]; /* one sentence without full stop; safe to print */
    char hint[256];    /* what to do next, or ""; safe to print */
    uint32_t reserved[8];
};

/* A fixed word for STATUS, such as "vcenter-denied"; static. */
GUESTCRED_API const char *guestcred_status_word(enum guestcred_status status);

/*
 * The client: one vCenter, and one login there
 */

struct guestcred_client;

/*
 * Make a client.  Nothing is sent.
 *
 * While CANCEL_FD is readable, calls with this client end with
 * GUESTCRED_CANCELED as soon as possible.  A ticket that is on its way is
 * awaited for up to 3 seconds and released.  The library never reads from
 * CANCEL_FD: drain it before the next call.  -1: no call can be canceled.
 *
 * GSS-API runs in a thread that blocks all signals.  Kerberos cannot be
 * interrupted: when a KDC does not answer, the call still ends at its deadline
 * and leaves that thread behind for up to half a minute.  The thread wipes its
 * secrets when Kerberos returns.  While 32 such threads are left, calls return
 * GUESTCRED_UNAVAILABLE at once.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_new(int cancel_fd, struct guestcred_client **ret_client,
                     struct guestcred_error *err);

/*
 * Free the client and wipe its secrets.  Tickets stay valid.  So does the
 * vCenter session, until it times out: call guestcred_client_logout first to
 * end it.  With a store the session is kept there for the next client; if that
 * is not possible it is ended here, within 3 seconds.
 */
GUESTCRED_API void guestcred_client_free(struct guestcred_client *client);

/*
 * The setters below, except _set_log, must come before the first call that
 * talks to vCenter.  After it they return GUESTCRED_CONFIG.
 *
 * The address of vCenter, "https://vcenter.example.com[:port]", at most 511
 * bytes.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_url(struct guestcred_client *client, const char *url,
                         struct guestcred_error *err);

/*
 * The service account that logs in to vCenter; it is not the guest's user.
 * USERNAME has at most 255 bytes.  PASSWORD (secret) has LEN bytes, 1 to 1,024,
 * and no NUL.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_login(struct guestcred_client *client,
                           const char *username, const void *password,
                           size_t len, struct guestcred_error *err);

/* A PEM file with the CAs to trust.  NULL: the system's. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_ca_file(struct guestcred_client *client, const char *file,
                             struct guestcred_error *err);

/*
 * The server's public key, "sha256//BASE64", or several separated by
 * semicolons.  With a CA file both are checked; without one the pin alone is.
 * NULL: no pin.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_pin(struct guestcred_client *client, const char *pin,
                         struct guestcred_error *err);

/* The URL of an HTTP proxy.  NULL: none, whatever the environment says. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_proxy(struct guestcred_client *client, const char *proxy,
                           struct guestcred_error *err);

/*
 * 1: do not verify the server.  Anyone in between can then take the vCenter
 * password and the ticket.  0: verify it, the default.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_insecure(struct guestcred_client *client, int insecure,
                              struct guestcred_error *err);

/*
 * Keep tickets and the vCenter session in the directory PATH, and use what is
 * there.  PATH is absolute; it is created, with mode 0700, with its missing
 * parents.  It must belong to the effective user and be closed to others.
 * NULL: keep nothing, the default.
 *
 * The store makes tickets safe from crashes: each is written down before it is
 * used, a release that failed is written down as owed, and
 * guestcred_client_sweep settles that.  The command `guestcred` keeps a user's
 * own in $XDG_STATE_HOME/guestcred/MACHINE.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_store(struct guestcred_client *client, const char *path,
                           struct guestcred_error *err);

/*
 * Also use the tickets that a login left in the directory PATH, the value of
 * GUESTCRED_LOGIN in the PAM environment.  It is read after the store and never
 * changed.  GUESTCRED_NOT_FOUND: there is none.  NULL: none, the default.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_login_dir(struct guestcred_client *client,
                               const char *path, struct guestcred_error *err);

#define GUESTCRED_LOG_STEP    1 /* what is done, and what went wrong */
#define GUESTCRED_LOG_REQUEST 2 /* each request: method, path, status, time */

/*
 * Call LOG with USER, a level from above and one line without newline.  It is
 * called during a call and in its thread; LINE is valid until LOG returns.  LOG
 * must not use the same client.  NULL: no log.  This may be set at any time.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_set_log(struct guestcred_client *client,
                         void (*log)(void *user, int level, const char *line),
                         void *user, struct guestcred_error *err);

/*
 * The request: who logs in to which guest, and how
 *
 * A request describes; guestcred_client_acquire acts on it.  One request can be
 * used any number of times, and changed in between.
 */

struct guestcred_request;

enum guestcred_mechanism {
    GUESTCRED_KERBEROS = 0,  /* a plain Kerberos token; the default */
    GUESTCRED_NEGOTIATE = 1, /* SPNEGO with Kerberos and nothing else */
    GUESTCRED_NTLM = 2       /* never chosen by itself */
};

/* A new request says: Kerberos, with the default credential cache. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_new(struct guestcred_request **ret_request,
                      struct guestcred_error *err);
GUESTCRED_API void guestcred_request_free(struct guestcred_request *request);

/*
 * Which VM: "vm-42" (a managed object id), "uuid:..." or
 * "path:/DC/vm/folder/name"; at most 1,023 bytes.  One that fits two VMs is
 * GUESTCRED_CONFIG when it is used.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_vm(struct guestcred_request *request, const char *vm,
                         struct guestcred_error *err);

/*
 * The name that Kerberos knows the guest by,
 * "host/guest.example.com[@REALM]"; at most 511 bytes.  "{vm}" in it stands for
 * the VM's inventory name.  Choose the name yourself: the guest gets a token
 * for it, so never take it from the guest.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_target(struct guestcred_request *request,
                             const char *target, struct guestcred_error *err);

/* Get a new ticket, and release the stored one that it replaces. */
#define GUESTCRED_NEW 0x1u
/* Use a stored ticket without asking the guest whether it is still valid. */
#define GUESTCRED_NO_VALIDATE 0x2u
/* The guest must prove its identity too; takes one more call.  Not with NTLM.
 */
#define GUESTCRED_MUTUAL 0x4u

/* All flags at once, 0 for none. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_flags(struct guestcred_request *request, unsigned flags,
                            struct guestcred_error *err);

GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_mechanism(struct guestcred_request *request,
                                enum guestcred_mechanism mechanism,
                                struct guestcred_error *err);

/*
 * Whose credential it must be, at most 511 bytes; with another's nothing is
 * sent to the guest.  A keytab and a password need it.  NULL: anyone's.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_principal(struct guestcred_request *request,
                                const char *principal,
                                struct guestcred_error *err);

/*
 * Where the credential comes from.  Each of the four replaces the one before.
 *
 * The credential cache NAME, "FILE:/tmp/krb5cc_1000", at most 1,023 bytes.
 * NULL: the default cache.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_ccache(struct guestcred_request *request,
                             const char *name, struct guestcred_error *err);
/* The principal's key in the keytab FILE, at most 1,023 bytes. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_keytab(struct guestcred_request *request,
                             const char *file, struct guestcred_error *err);
/* The same through libkrb5's client keytab, which renews the cache itself. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_client_keytab(struct guestcred_request *request,
                                    const char *file,
                                    struct guestcred_error *err);
/* The principal's PASSWORD (secret): LEN bytes, 1 to 511, and no NUL. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_password(struct guestcred_request *request,
                               const void *password, size_t len,
                               struct guestcred_error *err);

/*
 * Log in as USER (at most 511 bytes) by constrained delegation, S4U2Self and
 * S4U2Proxy.  The KDC must allow the credential to do so.  NULL: log in as the
 * credential's own principal.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_request_set_on_behalf_of(struct guestcred_request *request,
                                   const char *user,
                                   struct guestcred_error *err);

/*
 * What a client does
 *
 * TIMEOUT_MS is 1 to GUESTCRED_TIMEOUT_MAX and bounds the whole call: the login
 * to vCenter, Kerberos, every request and every pause before another attempt.
 * After it the library may take up to 3 seconds to release what was half done.
 */

#define GUESTCRED_TIMEOUT_MAX 86400000
#define GUESTCRED_VM_SIZE     128 /* bytes of a managed object id and a NUL */

struct guestcred_ticket;

/*
 * Log in to the guest as REQUEST says.
 *
 * With a store or a login directory, a ticket from there is returned if it
 * agrees in vCenter, VM, principal, target, mechanism and mutual authentication
 * and the guest still accepts it.  Otherwise a new ticket is made, and stored.
 *
 * Causes that may pass are tried again until the deadline.  A request whose
 * effect is unknown is never sent again: GUESTCRED_UNAVAILABLE can therefore
 * leave a ticket in the guest that cannot be named and ends by itself within a
 * day.
 *
 * A ticket is a session in the guest, which allows 50 at most.  Release it, or
 * let a store remember it; freeing the handle does not end it.
 *
 * Protocol: the vSphere Web Services API, GuestAuthManager, release 8.0.3.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_acquire(struct guestcred_client *client,
                         const struct guestcred_request *request,
                         int timeout_ms, struct guestcred_ticket **ret_ticket,
                         struct guestcred_error *err);

/*
 * Ask the guest whether it still accepts TICKET.  This counts as a use.
 * GUESTCRED_DENIED: it does not, and its store has forgotten it.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_validate(struct guestcred_client *client,
                          struct guestcred_ticket *ticket, int timeout_ms,
                          struct guestcred_error *err);

enum guestcred_released {
    GUESTCRED_RELEASED = 0,       /* ended by this call */
    GUESTCRED_RELEASED_OFF = 1,   /* gone already: the VM is powered off */
    GUESTCRED_RELEASED_NO_VM = 2, /* gone already: so is the VM */
    GUESTCRED_RELEASED_UNKNOWN =
        3 /* gone already: the guest has forgotten it */
};

/*
 * End TICKET in the guest and forget it in its store.  RET_HOW may be NULL.
 * The caller still frees the handle.  If this fails and there is a store, the
 * release is written down there as owed; without a store nothing has changed.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_release(struct guestcred_client *client,
                         struct guestcred_ticket *ticket, int timeout_ms,
                         enum guestcred_released *ret_how,
                         struct guestcred_error *err);

/*
 * Release what the client's store owes to this vCenter.  RET_RELEASED: how many
 * tickets are gone now.  RET_OWED: how many could not be released.  Either may
 * be NULL, and both are also set on failure.  Without a store this is
 * GUESTCRED_CONFIG.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_sweep(struct guestcred_client *client, int timeout_ms,
                       int *ret_released, int *ret_owed,
                       struct guestcred_error *err);

/* The managed object id of VM, which is written as in
 * guestcred_request_set_vm. */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_locate(struct guestcred_client *client, const char *vm,
                        int timeout_ms, char ret_vm[GUESTCRED_VM_SIZE],
                        struct guestcred_error *err);

/*
 * End the vCenter session, and forget it in the store, within 3 seconds.  This
 * cannot be canceled.  The next call logs in again.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_logout(struct guestcred_client *client,
                        struct guestcred_error *err);

struct guestcred_reply;

/*
 * Call METHOD of MANAGER in TICKET's guest, with the client's session and
 * connection.  For example "ListProcessesInGuest" of "GuestProcessManager".
 *
 * MANAGER is GuestProcessManager, GuestFileManager, GuestWindowsRegistryManager
 * or GuestAliasManager.  METHOD has 1 to 64 letters.  PARAMS_JSON is the text
 * of a JSON object with the method's other parameters, at most 64 KiB; NULL if
 * it has none.  The library adds `vm` and `auth`, so PARAMS_JSON must not hold
 * them.  The vSphere Web Services API describes each method.
 *
 * The call is sent once.  Only after vCenter said that the session had expired
 * and nothing was done, it is sent again.  A fault becomes an error with the
 * fault's name.  After GUESTCRED_UNAVAILABLE or GUESTCRED_CANCELED the guest
 * may have done it all the same.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_client_guest_call(struct guestcred_client *client,
                            struct guestcred_ticket *ticket,
                            const char *manager, const char *method,
                            const char *params_json, int timeout_ms,
                            struct guestcred_reply **ret_reply,
                            struct guestcred_error *err);

/*
 * SECRET: the result as JSON text, at most 1 MiB, "null" if the method returns
 * nothing.  A NUL follows, which *RET_LEN (may be NULL) does not count.  The
 * result of a file transfer holds a URL that works like a password.
 */
GUESTCRED_API const char *
guestcred_reply_text(const struct guestcred_reply *reply, size_t *ret_len);
/* Wipes the text. */
GUESTCRED_API void guestcred_reply_free(struct guestcred_reply *reply);

/*
 * The ticket
 *
 * Accessors cannot fail.  For a NULL ticket they return NULL or 0.  "" means
 * not known.
 */

/* Free the handle and wipe it.  The ticket stays valid in the guest and in its
 * store. */
GUESTCRED_API void guestcred_ticket_free(struct guestcred_ticket *ticket);

/*
 * Forget TICKET in its store and let it live on in the guest; releasing does
 * both.  One that is in no store, or gone from it, is fine.  GUESTCRED_CONFIG:
 * the ticket is a login's and ends with that.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_ticket_forget(struct guestcred_ticket *ticket,
                        struct guestcred_error *err);

/* The VM's managed object id, and its inventory name or "". */
GUESTCRED_API const char *
guestcred_ticket_vm(const struct guestcred_ticket *ticket);
GUESTCRED_API const char *
guestcred_ticket_name(const struct guestcred_ticket *ticket);
/* The vCenter's instance UUID and its URL, each may be "". */
GUESTCRED_API const char *
guestcred_ticket_vcenter(const struct guestcred_ticket *ticket);
GUESTCRED_API const char *
guestcred_ticket_url(const struct guestcred_ticket *ticket);
/* The user, "alice@EXAMPLE.COM", and the target, "host/guest.example.com". */
GUESTCRED_API const char *
guestcred_ticket_principal(const struct guestcred_ticket *ticket);
GUESTCRED_API const char *
guestcred_ticket_target(const struct guestcred_ticket *ticket);
/* The mechanism that was negotiated, Kerberos or NTLM. */
GUESTCRED_API enum guestcred_mechanism
guestcred_ticket_mechanism(const struct guestcred_ticket *ticket);
/* 1 if the guest proved its identity. */
GUESTCRED_API int
guestcred_ticket_mutual(const struct guestcred_ticket *ticket);
/* The number of calls that the login took. */
GUESTCRED_API int guestcred_ticket_legs(const struct guestcred_ticket *ticket);
/* When it was acquired, and last used as far as is known; in seconds since
 * 1970-01-01 UTC. */
GUESTCRED_API int64_t
guestcred_ticket_acquired(const struct guestcred_ticket *ticket);
GUESTCRED_API int64_t
guestcred_ticket_used(const struct guestcred_ticket *ticket);
/* The directory of the store or login that keeps it, or "". */
GUESTCRED_API const char *
guestcred_ticket_store(const struct guestcred_ticket *ticket);

/*
 * SECRET: the ticket's string; the object that guest operations take as `auth`,
 * {"_typeName":"TicketedSessionAuthentication",...}, as compact JSON; and the
 * whole record, as `guestcred acquire` prints it for programs.  A NUL follows
 * each, which *RET_LEN (may be NULL) does not count.
 */
GUESTCRED_API const char *
guestcred_ticket_secret(const struct guestcred_ticket *ticket, size_t *ret_len);
GUESTCRED_API const char *
guestcred_ticket_auth(const struct guestcred_ticket *ticket, size_t *ret_len);
GUESTCRED_API const char *
guestcred_ticket_json(const struct guestcred_ticket *ticket, size_t *ret_len);

/*
 * Read the record of one ticket: LEN bytes at TEXT, at most 1 MiB.  Anything
 * else is GUESTCRED_PROTOCOL; the message says what is wrong without quoting
 * it.  Such a ticket has no URL until a client has validated it.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_ticket_from_json(const void *text, size_t len,
                           struct guestcred_ticket **ret_ticket,
                           struct guestcred_error *err);

/*
 * The store, read without a client
 */

struct guestcred_store;

/*
 * Open the store in the directory PATH, which must be absolute, belong to the
 * effective user, be closed to others and be no symbolic link; anything else is
 * GUESTCRED_CONFIG.  GUESTCRED_NOT_FOUND: there is none.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_open(const char *path, struct guestcred_store **ret_store,
                     struct guestcred_error *err);
GUESTCRED_API void guestcred_store_free(struct guestcred_store *store);

/* The directory; NULL for NULL. */
GUESTCRED_API const char *
guestcred_store_path(const struct guestcred_store *store);

/*
 * Log each file that is ignored because it is torn, belongs to somebody else or
 * is open to others.  Such files make no call fail.  LOG is as in
 * guestcred_client_set_log.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_set_log(struct guestcred_store *store,
                        void (*log)(void *user, int level, const char *line),
                        void *user, struct guestcred_error *err);

struct guestcred_tickets;

/*
 * The store's tickets for VM, oldest first; NULL: all.  VM is a managed object
 * id, "INSTANCE-UUID/vm-42" with the vCenter's UUID, the reference that the
 * ticket was requested with, or the VM's inventory name if that is known.  No
 * vCenter is asked.  No ticket at all is an empty list.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_list(struct guestcred_store *store, const char *vm,
                     struct guestcred_tickets **ret_tickets,
                     struct guestcred_error *err);

/* 0 for NULL. */
GUESTCRED_API size_t
guestcred_tickets_count(const struct guestcred_tickets *tickets);
/* The ticket at INDEX, from 0; it belongs to the list.  NULL: there is none. */
GUESTCRED_API struct guestcred_ticket *
guestcred_tickets_get(const struct guestcred_tickets *tickets, size_t index);
/* Frees the list and all its tickets. */
GUESTCRED_API void guestcred_tickets_free(struct guestcred_tickets *tickets);

/*
 * What a login left
 *
 * pam_guestcred keeps copies of a login's tickets in a directory of its own and
 * names it in the PAM environment, as GUESTCRED_LOGIN.  The directory is root's
 * and readable for the login's user alone, so call this as that user.
 */

/*
 * Open that directory.  ENVLIST holds "NAME=value" texts and ends with NULL:
 * the result of pam_getenvlist, or environ.  GUESTCRED_NOT_FOUND: there is no
 * such variable or directory.  GUESTCRED_CONFIG: the variable is there twice
 * with different values, or the directory is not a login's of this user.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_store_from_pam_env(char *const *envlist,
                             struct guestcred_store **ret_store,
                             struct guestcred_error *err);

/*
 * The login's one ticket for VM, as in guestcred_store_list; NULL: its only
 * ticket.  GUESTCRED_NOT_FOUND: there is none.  GUESTCRED_CONFIG: there are
 * several.
 */
GUESTCRED_API GUESTCRED_MUST_USE enum guestcred_status
guestcred_ticket_from_pam_env(char *const *envlist, const char *vm,
                              struct guestcred_ticket **ret_ticket,
                              struct guestcred_error *err);

#ifdef __cplusplus
}
#endif

#endif
