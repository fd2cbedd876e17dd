/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vCenter's URL, a proxy and a pin, as the user wrote them.  Opens no
 * connection.
 *
 * A host is a DNS name, a dotted IPv4 address or a bracketed IPv6 address, and
 * nothing else: no percent-escapes, no bare numbers, no other scripts (write
 * xn--...).  libcurl reads such a host in one way only, so that what is printed
 * is what is contacted.
 *
 * Errors quote an address without what may be secret in it: the login, and what
 * follows the path.
 */

#ifndef GC_SRC_VIM_ADDRESS_H
#define GC_SRC_VIM_ADDRESS_H

#include <stdbool.h>

#include "src/base/base.h"

/*
 * RET_URL is "https://host[:port]" in lower case, free()d by the caller, where
 * TEXT is "[https://]host[:port]", with or without a path of vCenter's own:
 * /sdk, or one of the vSphere Client's with all that follows it.  GC_E_CONFIG:
 * it is none, NULL or empty; GC_E_UNTRUSTED: plain http.
 */
GC_MUST_USE gc_status gc_address_url(const char *text, char **ret_url,
                                     struct gc_error *err);

/*
 * RET_PROXY is "scheme://host[:port]", without the login, free()d by the
 * caller, where TEXT is "scheme://[user[:password]@]host[:port]" with one of
 * libcurl's schemes for proxies.  RET_TUNNELS: it speaks HTTP; otherwise it is
 * SOCKS's.  GC_E_CONFIG: it is none.
 */
GC_MUST_USE gc_status gc_address_proxy(const char *text, char **ret_proxy,
                                       bool *ret_tunnels, struct gc_error *err);

/*
 * The checks that gc_http_new makes of its options (not NULL), for callers that
 * know where a value came from.
 */
GC_MUST_USE gc_status gc_address_check_url(const char *url,
                                           struct gc_error *err);
GC_MUST_USE gc_status gc_address_check_proxy(const char *proxy,
                                             struct gc_error *err);
GC_MUST_USE gc_status gc_address_check_pin(const char *pin,
                                           struct gc_error *err);

#endif
