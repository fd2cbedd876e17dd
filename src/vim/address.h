/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where vCenter is, by which proxy, and the key it must have, as somebody wrote
 * it.  Opens no connection; libcurl's idea of a URL is ours, so that what was
 * checked is what will be asked.
 *
 * Errors quote an address without what may be secret in it: who logs in there,
 * and what follows its path.
 */

#ifndef GC_SRC_VIM_ADDRESS_H
#define GC_SRC_VIM_ADDRESS_H

#include <stdbool.h>

#include "src/base/base.h"

/*
 * RET_URL is "https://host[:port]" in lower case, free()d by the caller, where
 * TEXT is "[https://]host[:port][/sdk]".  GC_E_CONFIG: it is none, NULL or
 * empty, or says more than where the server is; GC_E_UNTRUSTED: plain http.
 */
GC_MUST_USE gc_status gc_address_url(const char *text, char **ret_url,
                                     struct gc_error *err);

/*
 * RET_PROXY is "scheme://host[:port]", without who logs in there, free()d by
 * the caller, where TEXT is "[scheme://][user[:password]@]host[:port]" with one
 * of libcurl's schemes for proxies.  RET_TUNNELS: it speaks HTTP; otherwise it
 * is SOCKS's.  GC_E_CONFIG: it is none.
 */
GC_MUST_USE gc_status gc_address_proxy(const char *text, char **ret_proxy,
                                       bool *ret_tunnels, struct gc_error *err);

/*
 * What gc_http_new would say of one of its options, each not NULL, for who
 * knows where it came from.
 */
GC_MUST_USE gc_status gc_address_check_url(const char *url,
                                           struct gc_error *err);
GC_MUST_USE gc_status gc_address_check_proxy(const char *proxy,
                                             struct gc_error *err);
GC_MUST_USE gc_status gc_address_check_pin(const char *pin,
                                           struct gc_error *err);

#endif
