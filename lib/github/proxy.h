/*
 * proxy -- which proxy the environment names for a host.
 *
 * By the rules of libcurl, which would find it by itself, but does not tell in time whether
 * an address is a proxy's: https://everything.curl.dev/usingcurl/proxies/env.html
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_PROXY_H
#define JR_PROXY_H

/*
 * The proxy: what http_proxy (in small letters only), https_proxy or HTTPS_PROXY, else
 * all_proxy or ALL_PROXY holds, unless no_proxy or NO_PROXY excepts the host.
 *   scheme  http or https
 *   host    a name or an address, without brackets
 * Returns a string of the environment's; NULL: none.
 */
const char *jr_proxy_find(const char *scheme, const char *host);

#endif
