/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of options, and where each value in force came from.
 *
 * The command line, the environment and the configuration file all go through
 * it.  Knows what a well-formed value is; does not know what any of them does,
 * reads no file and no environment, and never holds a password.
 */

#ifndef GC_SRC_OPTIONS_H
#define GC_SRC_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "src/base/base.h"

typedef enum { GC_OPTION_FLAG, GC_OPTION_TEXT, GC_OPTION_LIST } gc_option_kind;

/* Who takes an option.  The commands first, one bit each. */
#define GC_ON_ACQUIRE  0x0001u
#define GC_ON_VALIDATE 0x0002u
#define GC_ON_RELEASE  0x0004u
#define GC_ON_LIST     0x0008u
#define GC_ON_SWEEP    0x0010u
#define GC_ON_CONFIG   0x0020u
#define GC_ON_COMMANDS 0x00ffu
#define GC_ON_TICKETS  (GC_ON_VALIDATE | GC_ON_RELEASE)
#define GC_ON_VCENTER  (GC_ON_COMMANDS & ~GC_ON_LIST)
#define GC_IN_FILE     0x0100u /* the configuration file, for commands */
#define GC_IN_PAM      0x0200u /* the same file, for the PAM module */
#define GC_ON_PAM      0x0400u /* an argument of the PAM module */
#define GC_PAM         (GC_IN_PAM | GC_ON_PAM)
#define GC_IN_BOTH     (GC_IN_FILE | GC_PAM)

/*
 * symbol, long option, short option or 0, kind, who takes it, environment
 * variable and govc's (command line only), value's name, help
 */
#define GC_OPTION_TABLE(X)                                                     \
    X(URL, "url", 0, TEXT, GC_ON_VCENTER | GC_IN_BOTH, "GUESTCRED_URL",        \
      "GOVC_URL", "URL", "vCenter, https://host[:port]")                       \
    X(USERNAME, "username", 0, TEXT, GC_ON_VCENTER | GC_IN_BOTH,               \
      "GUESTCRED_USERNAME", "GOVC_USERNAME", "NAME", "who logs in to vCenter") \
    X(PASSWORD_FILE, "password-file", 0, TEXT, GC_ON_VCENTER | GC_IN_BOTH,     \
      "GUESTCRED_PASSWORD_FILE", NULL, "FILE|-",                               \
      "NAME's password; - reads standard input")                               \
    X(CA_FILE, "ca-file", 0, TEXT, GC_ON_VCENTER | GC_IN_BOTH,                 \
      "GUESTCRED_CA_FILE", "GOVC_TLS_CA_CERTS", "FILE",                        \
      "certificates to trust, PEM")                                            \
    X(PIN, "pin", 0, TEXT, GC_ON_VCENTER | GC_IN_BOTH, "GUESTCRED_PIN", NULL,  \
      "sha256//BASE64", "the server's public key must be this one")            \
    X(PROXY, "proxy", 0, TEXT, GC_ON_VCENTER | GC_IN_BOTH, NULL, NULL, "URL",  \
      "HTTP proxy to vCenter (none by default)")                               \
    X(INSECURE, "insecure", 0, FLAG, GC_ON_VCENTER, NULL, NULL, NULL,          \
      "do not verify the server at all")                                       \
    X(TIMEOUT, "timeout", 0, TEXT, GC_ON_COMMANDS | GC_IN_BOTH, NULL, NULL,    \
      "SECONDS", "bound on everything (30)")                                   \
    X(STORE, "store", 0, TEXT, GC_ON_COMMANDS | GC_IN_FILE, "GUESTCRED_STORE", \
      NULL, "DIR|none", "where tickets are kept; none: nowhere")               \
    X(CONFIG, "config", 0, TEXT, GC_ON_COMMANDS, "GUESTCRED_CONFIG", NULL,     \
      "FILE", "configuration file, instead of the default ones")               \
    X(VM, "vm", 0, LIST, GC_ON_ACQUIRE | GC_ON_TICKETS | GC_ON_LIST,           \
      "GUESTCRED_VM", NULL, "REF", "vm-42, uuid:UUID or path:/DC/vm/NAME")     \
    X(VMS_FROM, "vms-from", 0, TEXT, GC_ON_ACQUIRE, NULL, NULL, "FILE|-",      \
      "more of them: REF [SPN] a line")                                        \
    X(SPN, "spn", 0, TEXT, GC_ON_ACQUIRE | GC_IN_FILE, "GUESTCRED_SPN", NULL,  \
      "SPN", "the guest: host/guest.example.com[@REALM], host/{vm}…")          \
    X(MECH, "mech", 0, TEXT, GC_ON_ACQUIRE | GC_IN_BOTH, NULL, NULL,           \
      "MECHANISM", "kerberos (default), negotiate or ntlm")                    \
    X(MUTUAL, "mutual", 0, FLAG, GC_ON_ACQUIRE | GC_IN_BOTH, NULL, NULL, NULL, \
      "the guest proves itself too")                                           \
    X(CCACHE, "ccache", 0, TEXT, GC_ON_ACQUIRE, NULL, NULL, "NAME",            \
      "Kerberos credential cache to use")                                      \
    X(KEYTAB, "keytab", 0, TEXT, GC_ON_ACQUIRE, NULL, NULL, "FILE",            \
      "log in to Kerberos with this keytab's key")                             \
    X(CLIENT_KEYTAB, "client-keytab", 0, TEXT, GC_ON_ACQUIRE, NULL, NULL,      \
      "FILE", "the same, as a client keytab")                                  \
    X(GUEST_PASSWORD_FILE, "guest-password-file", 0, TEXT, GC_ON_ACQUIRE,      \
      NULL, NULL, "FILE|-", "log in to Kerberos (or NTLM) with a password")    \
    X(PRINCIPAL, "principal", 0, TEXT, GC_ON_ACQUIRE, NULL, NULL, "P",         \
      "the credential must be P's")                                            \
    X(ON_BEHALF_OF, "on-behalf-of", 0, TEXT, GC_ON_ACQUIRE, NULL, NULL,        \
      "USER", "S4U2Self and S4U2Proxy for USER")                               \
    X(NEW, "new", 0, FLAG, GC_ON_ACQUIRE, NULL, NULL, NULL,                    \
      "use no stored ticket; release the one replaced")                        \
    X(NO_VALIDATE, "no-validate", 0, FLAG, GC_ON_ACQUIRE, NULL, NULL, NULL,    \
      "take a stored ticket without asking the guest")                         \
    X(NO_SESSION_REUSE, "no-session-reuse", 0, FLAG,                           \
      GC_ON_VCENTER | GC_IN_FILE, NULL, NULL, NULL,                            \
      "log in to vCenter afresh, and out again")                               \
    X(TICKET_FILE, "ticket-file", 0, TEXT, GC_ON_TICKETS, NULL, NULL,          \
      "FILE|-", "the ticket: what acquire --json printed")                     \
    X(ALL, "all", 'A', FLAG, GC_ON_TICKETS, NULL, NULL, NULL,                  \
      "every stored ticket")                                                   \
    X(LOGOUT, "logout", 0, FLAG, GC_ON_RELEASE, NULL, NULL, NULL,              \
      "end the stored vCenter session too")                                    \
    X(ALL_USERS, "all-users", 0, FLAG, GC_ON_SWEEP, NULL, NULL, NULL,          \
      "root: also what logins of other users left")                            \
    X(SILENT, "silent", 's', FLAG, GC_ON_LIST, NULL, NULL, NULL,               \
      "print nothing; exit 0 if there is a ticket, else 1")                    \
    X(MINUTES, "minutes", 'H', TEXT, GC_ON_LIST, NULL, NULL, "MINUTES",        \
      "only tickets that should live at least that long")                      \
    X(SHOW_TICKET, "show-ticket", 0, FLAG, GC_ON_LIST, NULL, NULL, NULL,       \
      "with --json: include the secret")                                       \
    X(JSON, "json", 0, FLAG, GC_ON_COMMANDS, NULL, NULL, NULL,                 \
      "print one JSON object")                                                 \
    X(QUIET, "quiet", 'q', FLAG, GC_ON_COMMANDS, NULL, NULL, NULL,             \
      "print errors only")                                                     \
    X(VERBOSE, "verbose", 'v', LIST, GC_ON_COMMANDS, NULL, NULL, NULL,         \
      "say what is being done; more: -vv, -vvv")

/*
 * The PAM module's own, in the same columns.  A table apart, because some are
 * named as a command's option is and mean something else.
 */
#define GC_PAM_OPTION_TABLE(X)                                                 \
    X(PAM_VM, "vm", 0, LIST, GC_ON_PAM, NULL, NULL, "[UUID/]MOID",             \
      "a VM by moId; before it, its vCenter's instance uuid")                  \
    X(PAM_SPN, "spn", 0, LIST, GC_ON_PAM, NULL, NULL, "SPN",                   \
      "that VM's target, literally; as many as vm")                            \
    X(PAM_MAP, "map", 0, TEXT, GC_PAM, NULL, NULL, "FILE",                     \
      "VMs, their targets and who may enter")                                  \
    X(PAM_VM_ENV, "vm-env", 0, TEXT, GC_PAM, NULL, NULL, "NAME",               \
      "PAM environment variable that names the VM in the map")                 \
    X(PAM_VM_PROMPT, "vm-prompt", 0, FLAG, GC_PAM, NULL, NULL, NULL,           \
      "ask the user which VM of the map")                                      \
    X(PAM_SOURCE, "source", 0, TEXT, GC_PAM, NULL, NULL,                       \
      "password[,ccache][,s4u]",                                               \
      "what proves the user, in this order (password)")                        \
    X(PAM_PROOF, "proof", 0, TEXT, GC_PAM, NULL, NULL, "local|guest",          \
      "whose word counts (local)")                                             \
    X(PAM_KEYTAB, "keytab", 0, TEXT, GC_PAM, NULL, NULL, "FILE",               \
      "the host's keys, for the local proof")                                  \
    X(PAM_S4U_KEYTAB, "s4u-keytab", 0, TEXT, GC_PAM, NULL, NULL, "FILE",       \
      "keys of the account that may act for users")                            \
    X(PAM_S4U_USERS, "s4u-users", 0, TEXT, GC_PAM, NULL, NULL,                 \
      "USER,@GROUP,...", "for whom that account may act (nobody)")             \
    X(PAM_KRB5_CONF, "krb5-conf", 0, TEXT, GC_PAM, NULL, NULL, "FILE",         \
      "instead of libkrb5's own")                                              \
    X(PAM_REQUIRE_PRINCIPAL, "require-principal", 0, TEXT, GC_PAM, NULL, NULL, \
      "P", "the user's principal must be this one; %u and %n as above")        \
    X(PAM_PRINCIPAL, "principal", 0, TEXT, GC_PAM, NULL, NULL, "P",            \
      "whose password it is; %u is the account, %n without its domain (%u)")   \
    X(PAM_MINIMUM_UID, "minimum-uid", 0, TEXT, GC_PAM, NULL, NULL, "UID",      \
      "ignore accounts below (1000)")                                          \
    X(PAM_IGNORE_ROOT, "ignore-root", 0, FLAG, GC_PAM, NULL, NULL, NULL,       \
      "ignore uid 0 (yes); it is never let in either way")                     \
    X(PAM_TRY_FIRST_PASS, "try-first-pass", 0, FLAG, GC_PAM, NULL, NULL, NULL, \
      "take an earlier module's password; ask where there is none")            \
    X(PAM_USE_FIRST_PASS, "use-first-pass", 0, FLAG, GC_PAM, NULL, NULL, NULL, \
      "take an earlier module's password, and never ask")                      \
    X(PAM_NO_PROMPT, "no-prompt", 0, FLAG, GC_PAM, NULL, NULL, NULL,           \
      "never ask the user anything")                                           \
    X(PAM_CCACHE, "ccache", 0, TEXT, GC_PAM, NULL, NULL, "NAME",               \
      "the Kerberos cache (PAM's KRB5CCNAME, then the default)")               \
    X(PAM_CONF, "conf", 0, TEXT, GC_ON_PAM, NULL, NULL, "FILE",                \
      "configuration file, instead of the default one")                        \
    X(PAM_HELPER, "helper", 0, TEXT, GC_PAM, NULL, NULL, "FILE",               \
      "the program that does the work")                                        \
    X(PAM_DEBUG, "debug", 0, FLAG, GC_PAM, NULL, NULL, NULL, "log more")       \
    X(PAM_SILENT, "silent", 0, FLAG, GC_PAM, NULL, NULL, NULL,                 \
      "do not tell the user of an expired password")

/* GC_OPT_COUNT ends what the commands know, and stands for no option. */
#define GC_OPTION_SYMBOL(symbol, ...) GC_OPT_##symbol,
typedef enum {
    GC_OPTION_TABLE(GC_OPTION_SYMBOL) GC_OPT_COUNT,
    GC_PAM_OPTION_TABLE(GC_OPTION_SYMBOL) GC_OPT_PAM_COUNT
} gc_option;
#undef GC_OPTION_SYMBOL

struct gc_option_info {
    const char *name; /* with dashes, as on the command line */
    char letter;      /* or 0 */
    gc_option_kind kind;
    unsigned takers;
    const char *env;
    const char *govc_env;
    const char *value; /* NULL: takes none */
    const char *help;
};

/* Static; O below GC_OPT_PAM_COUNT, not GC_OPT_COUNT itself. */
const struct gc_option_info *gc_option_info(gc_option o);

/* Where a value came from; a higher one wins. */
typedef enum {
    GC_FROM_NOWHERE,
    GC_FROM_GOVC,
    GC_FROM_SYSTEM_FILE,
    GC_FROM_USER_FILE,
    GC_FROM_ENVIRONMENT,
    GC_FROM_COMMAND_LINE,
} gc_origin;

#define GC_OPTIONS_TEXT_MAX 4096 /* bytes of one value */
#define GC_OPTIONS_LIST_MAX 1024 /* values of one option */

struct gc_options {
    struct {
        gc_origin origin;
        char *where; /* "GUESTCRED_URL", "/etc/…:3", "command line" */
        size_t count;
        char **items;
    } options[GC_OPT_PAM_COUNT];
};

void gc_options_clear(struct gc_options *config);

/*
 * Set option O to TEXT (NULL for a flag; "yes" or "no" do too), found at WHERE.
 * A lower ORIGIN than the one in force changes nothing; a higher one replaces;
 * from the same one a LIST grows, and a TEXT given twice is an error.
 * GC_E_CONFIG for a value that cannot be one; the message names the option.
 * What is not UTF-8 could go into no request: only a file may be named so.
 */
GC_MUST_USE gc_status gc_options_put(struct gc_options *config, gc_option o,
                                     const char *text, gc_origin origin,
                                     const char *where, struct gc_error *err);

/* The value, or NULL; borrowed. */
const char *gc_options_text(const struct gc_options *config, gc_option o);
bool gc_options_flag(const struct gc_options *config, gc_option o);
size_t gc_options_count(const struct gc_options *config, gc_option o);
const char *gc_options_item(const struct gc_options *config, gc_option o,
                            size_t i);
gc_origin gc_options_origin(const struct gc_options *config, gc_option o);
/* Where the value in force was found, or NULL; borrowed. */
const char *gc_options_where(const struct gc_options *config, gc_option o);

#define GC_OPTIONS_FILE_MAX (64 * 1024)

/*
 * Put the options of a configuration file's TEXT, found at PATH: lines of
 * "name = value", # comments, blanks around both trimmed, "-" and "_" alike,
 * a byte order mark, CR LF and the last line without an end taken as they are.
 * GC_E_CONFIG with PATH:LINE for an unknown option or anything else.
 */
GC_MUST_USE gc_status gc_options_put_file(struct gc_options *config,
                                          const char *path, const char *text,
                                          size_t len, gc_origin origin,
                                          struct gc_error *err);

/*
 * The same for the PAM module: it takes GC_IN_PAM's options, and passes over
 * those that are the commands' alone, as gc_options_put_file does with its.
 */
GC_MUST_USE gc_status gc_options_put_pam_file(struct gc_options *config,
                                              const char *path,
                                              const char *text, size_t len,
                                              struct gc_error *err);

/* One argument of the PAM module, "name", "name=value".  GC_E_CONFIG. */
GC_MUST_USE gc_status gc_options_put_pam_argument(struct gc_options *config,
                                                  const char *argument,
                                                  struct gc_error *err);

/* A VM as PAM names it, in two parts. */
struct gc_options_vm {
    char vcenter[37]; /* its instance uuid, lower case, or "": any */
    char moid[22];    /* "vm-42" */
};

/*
 * Take TEXT, "[UUID/]vm-NUMBER", apart; false if it is anything else.
 * RET_VM may be NULL.
 */
bool gc_options_vm_split(const char *text, struct gc_options_vm *ret_vm);

#define GC_OPTIONS_UID_MAX     99999999
#define GC_OPTIONS_TIMEOUT_MAX 3600
#define GC_OPTIONS_MINUTES_MAX (24 * 60)

/* --timeout in milliseconds; FALLBACK_S seconds where it was not given. */
int gc_options_timeout_ms(const struct gc_options *config, int fallback_s);

/* minimum_uid, or 1000. */
unsigned int gc_options_minimum_uid(const struct gc_options *config);

/* -H, or 0. */
int gc_options_minutes(const struct gc_options *config);

#endif
