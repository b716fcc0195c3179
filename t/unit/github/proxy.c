/*
 * proxy -- which proxy the environment names for a host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/proxy.h"
#include "t/unit/support.h"

#include <stdlib.h>

static const char *const names[] = { "http_proxy", "HTTP_PROXY", "https_proxy", "HTTPS_PROXY",
                                     "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY" };

struct row {
    const char *name;
    const char *set[4]; /* a name and its value, twice */
    const char *scheme, *host;
    const char *want; /* NULL: none */
};

static void proxy_is(void **state)
{
    const struct row *row = *state;

    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
    for (size_t i = 0; i < COUNT(row->set) && row->set[i] != NULL; i += 2)
        setenv(row->set[i], row->set[i + 1], 1);
    if (row->want == NULL)
        assert_null(jr_proxy_find(row->scheme, row->host));
    else
        assert_string_equal(jr_proxy_find(row->scheme, row->host), row->want);
    for (size_t i = 0; i < COUNT(names); i++)
        unsetenv(names[i]);
}

#define HTTPS(except) { "https_proxy", "p:1", "no_proxy", except }, "https"

static const struct row rows[] = {
    { "none", { NULL }, "https", "a.example", NULL },
    { "https_proxy", { "https_proxy", "p:1" }, "https", "a.example", "p:1" },
    { "HTTPS_PROXY", { "HTTPS_PROXY", "p:1" }, "https", "a.example", "p:1" },
    { "small letters first", { "HTTPS_PROXY", "p:1", "https_proxy", "p:2" }, "https", "a.example", "p:2" },
    { "one that is empty", { "https_proxy", "", "HTTPS_PROXY", "p:2" }, "https", "a.example", "p:2" },
    { "another scheme's", { "http_proxy", "p:1" }, "https", "a.example", NULL },
    { "http_proxy", { "http_proxy", "p:1" }, "http", "a.example", "p:1" },
    { "HTTP_PROXY, which a request can set", { "HTTP_PROXY", "p:1" }, "http", "a.example", NULL },
    { "all_proxy", { "all_proxy", "p:1" }, "https", "a.example", "p:1" },
    { "ALL_PROXY", { "ALL_PROXY", "p:1" }, "http", "a.example", "p:1" },
    { "the scheme's first", { "all_proxy", "p:1", "https_proxy", "p:2" }, "https", "a.example", "p:2" },
    { "all are excepted", HTTPS("*"), "a.example", NULL },
    { "the host is", HTTPS("b.example, a.example"), "a.example", NULL },
    { "in other letters", HTTPS("A.Example"), "a.eXample", NULL },
    { "with a dot at its end", HTTPS("a.example."), "a.example", NULL },
    { "its domain is", HTTPS("example"), "a.example", NULL },
    { "its domain with a dot is", HTTPS(".example"), "a.example", NULL },
    { "half a label is not", HTTPS("ample"), "a.example", "p:1" },
    { "a longer name is not", HTTPS("b.a.example"), "a.example", "p:1" },
    { "nothing is", HTTPS(", ,"), "a.example", "p:1" },
    { "NO_PROXY", { "https_proxy", "p:1", "NO_PROXY", "a.example" }, "https", "a.example", NULL },
    { "an address", HTTPS("10.0.0.7"), "10.0.0.7", NULL },
    { "the end of an address is none", HTTPS("0.7"), "10.0.0.7", "p:1" },
    { "a network", HTTPS("192.168.0.0/16 10.0.0.0/8"), "10.0.0.7", NULL },
    { "another network", HTTPS("10.1.0.0/16"), "10.0.0.7", "p:1" },
    { "IPv6", HTTPS("fd00::/8"), "fd00::1", NULL },
};

int main(void)
{
    TABLE(rows, proxy_is);
    return run_program("proxy");
}
