/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl, loaded when the first connection is wanted.
 *
 * It brings some thirty libraries along (TLS, LDAP, SSH, ...).  A process that
 * is not linked with them forks its children before they are there: a child
 * that does Kerberos for the user, or opens a keytab, has none of their code or
 * data, and costs half as much to fork; and who needs no vCenter loads nothing.
 * For http alone, which is the only room that sees libcurl.
 */

#ifndef GC_SRC_VIM_CURL_H
#define GC_SRC_VIM_CURL_H

#include <curl/curl.h>

#include "src/base/base.h"

/* What http calls; each is libcurl's function of that name after "curl_". */
#define GC_CURL_FUNCTIONS(X)                                                   \
    X(easy_cleanup)                                                            \
    X(easy_getinfo)                                                            \
    X(easy_init)                                                               \
    X(easy_setopt)                                                             \
    X(easy_strerror)                                                           \
    X(free)                                                                    \
    X(global_init)                                                             \
    X(multi_add_handle)                                                        \
    X(multi_cleanup)                                                           \
    X(multi_info_read)                                                         \
    X(multi_init)                                                              \
    X(multi_perform)                                                           \
    X(multi_poll)                                                              \
    X(multi_remove_handle)                                                     \
    X(slist_append)                                                            \
    X(slist_free_all)                                                          \
    X(url)                                                                     \
    X(url_cleanup)                                                             \
    X(url_get)                                                                 \
    X(url_set)

struct gc_curl {
#define GC_CURL_MEMBER(name) __typeof__(curl_##name) *name;
    GC_CURL_FUNCTIONS(GC_CURL_MEMBER)
#undef GC_CURL_MEMBER
};

/* To be read only after gc_curl_load has returned GC_OK. */
extern struct gc_curl gc_curl;

/*
 * Load and initialise libcurl, if that has not been done; from any thread.  It
 * is never unloaded or cleaned up, for nobody can know who else in the process
 * uses it.  GC_E_INTERNAL: it is not to be had, and why;
 * another time it may be.
 */
GC_MUST_USE gc_status gc_curl_load(struct gc_error *err);

#endif
