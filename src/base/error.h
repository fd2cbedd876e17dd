/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can go wrong, in one table, and the error that a caller owns.
 *
 * A status says what the caller can do about it; the exact GSS code or vim
 * fault stays in the error beside it.  Nothing here allocates or can fail.
 */

#ifndef GC_SRC_BASE_ERROR_H
#define GC_SRC_BASE_ERROR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* symbol, the word that scripts see, the command's exit status */
#define GC_STATUS_TABLE(X)                                                     \
    X(GC_OK, "ok", 0)                                                          \
    X(GC_E_DENIED, "denied", 1)                                                \
    X(GC_E_VCENTER_DENIED, "vcenter-denied", 1)                                \
    X(GC_E_NO_CREDENTIAL, "no-credential", 1)                                  \
    X(GC_E_NOT_SUPPORTED, "not-supported", 1)                                  \
    X(GC_E_NOT_FOUND, "not-found", 1)                                          \
    X(GC_E_BUSY, "busy", 3)                                                    \
    X(GC_E_UNAVAILABLE, "unavailable", 3)                                      \
    X(GC_E_UNTRUSTED, "untrusted", 1)                                          \
    X(GC_E_PROTOCOL, "protocol", 1)                                            \
    X(GC_E_FAILED, "failed", 1)                                                \
    X(GC_E_CONFIG, "config", 2)                                                \
    X(GC_E_NO_MEMORY, "no-memory", 1)                                          \
    X(GC_E_INTERNAL, "internal", 1)                                            \
    X(GC_E_CANCELED, "canceled", 130)

#define GC_STATUS_SYMBOL(symbol, word, exit) symbol,
typedef enum { GC_STATUS_TABLE(GC_STATUS_SYMBOL) GC_STATUS_COUNT } gc_status;
#undef GC_STATUS_SYMBOL

/*
 * Advice that each front end words in its own terms, because an option of the
 * command is a call of the library and a line in a file.  The text here names
 * none of them.
 */
#define GC_ADVICE_TABLE(X)                                                     \
    X(GC_ADVICE_NONE, "")                                                      \
    X(GC_ADVICE_CA, "name vCenter's CA, or pin its key")                       \
    X(GC_ADVICE_NO_CA, "name vCenter's CA, pin its key, or install the "       \
                       "machine's CAs (Debian: ca-certificates)")              \
    X(GC_ADVICE_SELF_SIGNED,                                                   \
      "find out its key in a way that you trust, and pin it")                  \
    X(GC_ADVICE_CA_BEFORE_PIN,                                                 \
      "name the right CA file, or none: then the pin stands alone")            \
    X(GC_ADVICE_PROXY, "check that the proxy is up, and its address")          \
    X(GC_ADVICE_PROXY_TLS, "check the proxy's address: https:// there is for " \
                           "a proxy that speaks TLS itself")                   \
    X(GC_ADVICE_TARGET, "check the target name: it must name the guest's "     \
                        "account in this realm")                               \
    X(GC_ADVICE_URL, "name that vCenter's URL")

#define GC_ADVICE_SYMBOL(symbol, text) symbol,
enum gc_advice { GC_ADVICE_TABLE(GC_ADVICE_SYMBOL) GC_ADVICE_COUNT };
#undef GC_ADVICE_SYMBOL

#define GC_ERROR_MESSAGE_SIZE 512
#define GC_ERROR_HINT_SIZE    256
#define GC_FAULT_NAME_SIZE    64

/*
 * Flat and pointer-free: it travels over a socket as it is.  MESSAGE and HINT
 * hold no secret and no raw control character, whatever was put in.
 */
struct gc_error {
    gc_status status;
    uint32_t gss_major; /* 0 unless GSS-API spoke */
    uint32_t gss_minor;
    /*
     * Nothing happened on the other side and the cause may pass: we may make
     * the same call again ourselves.  Never set once a request whose effect is
     * unknown went out.
     */
    bool again;
    char fault[GC_FAULT_NAME_SIZE];      /* a vim fault's _typeName, or "" */
    char message[GC_ERROR_MESSAGE_SIZE]; /* one sentence, no full stop */
    char hint[GC_ERROR_HINT_SIZE];       /* the next step, or "" */
    enum gc_advice advice;               /* what HINT says, if it is one */
};

#define GC_PRINTF(f, a) __attribute__((format(printf, f, a)))

const char *gc_status_word(gc_status status);
int gc_status_exit(gc_status status);

/*
 * Fill ERR (which may be NULL) afresh and return STATUS, so that a caller can
 * return it.  Set once, where the failure is detected; passed up unchanged.
 * Everything but printable ASCII and letters comes out as \xNN.
 */
gc_status gc_fail(struct gc_error *err, gc_status status, const char *fmt, ...)
    GC_PRINTF(3, 4);

/* Put "CONTEXT: " before ERR's message; returns ERR's status (or STATUS). */
gc_status gc_fail_context(struct gc_error *err, gc_status status,
                          const char *fmt, ...) GC_PRINTF(3, 4);

/* Say what to do about ERR.  Returns its status, for a tail call. */
gc_status gc_fail_hint(struct gc_error *err, gc_status status, const char *fmt,
                       ...) GC_PRINTF(3, 4);

/* The same, in the words of the table above. */
gc_status gc_fail_advise(struct gc_error *err, gc_status status,
                         enum gc_advice advice);

gc_status gc_fail_no_memory(struct gc_error *err);

/*
 * Write "[...]" over every occurrence of SECRET (LEN bytes, 4 at least: less is
 * ignored) in ERR's message and hint, also as gc_escape writes it, and over a
 * long beginning of it, which is what is left where the text was cut.  Call it
 * when ERR is filled: a peer's text may quote what we sent.
 */
void gc_fail_blank(struct gc_error *err, const void *secret, size_t len);

/*
 * Copy TEXT (LEN bytes) to DST, NUL-terminated and cut at DST_SIZE, with
 * control characters and invalid UTF-8 written as \xNN.
 */
void gc_escape(char *dst, size_t dst_size, const char *text, size_t len);

#endif
