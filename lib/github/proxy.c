/*
 * proxy -- which proxy the environment names for a host.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/proxy.h"
#include "lib/github/address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char separators[] = ", \t";

/* A variable that is set to something; NULL: it is not. */
static const char *get(const char *name)
{
    const char *value = getenv(name);

    return value == NULL || value[0] == '\0' ? NULL : value;
}

static size_t without_dot(const char *name, size_t length)
{
    return length > 0 && name[length - 1] == '.' ? length - 1 : length;
}

/* Is the host the domain, or below it? */
static bool is_below(const char *host, const char *domain, size_t length)
{
    size_t host_length = without_dot(host, strlen(host)), before;

    if (length > 0 && domain[0] == '.') {
        domain++;
        length--;
    }
    length = without_dot(domain, length);
    if (length == 0 || host_length < length)
        return false;
    before = host_length - length;
    return strncasecmp(host + before, domain, length) == 0
           && (before == 0 || host[before - 1] == '.');
}

static bool fits(const char *host, const char *item, size_t length)
{
    char network[64];

    if (!jr_address_is_in(host, host))
        return is_below(host, item, length);
    if (length >= sizeof network)
        return false;
    snprintf(network, sizeof network, "%.*s", (int)length, item);
    return jr_address_is_in(host, network);
}

/* Is the host one that is to be reached without a proxy? */
static bool is_excepted(const char *host)
{
    const char *list = get("no_proxy") != NULL ? get("no_proxy") : get("NO_PROXY");

    if (list == NULL)
        return false;
    if (strcmp(list, "*") == 0)
        return true;
    for (list += strspn(list, separators); *list != '\0'; list += strspn(list, separators)) {
        size_t length = strcspn(list, separators);

        if (fits(host, list, length))
            return true;
        list += length;
    }
    return false;
}

const char *jr_proxy_find(const char *scheme, const char *host)
{
    bool tls = strcasecmp(scheme, "https") == 0;
    const char *const names[] = { tls ? "https_proxy" : "http_proxy", tls ? "HTTPS_PROXY" : NULL,
                                  "all_proxy", "ALL_PROXY" };
    const char *proxy = NULL;

    for (size_t i = 0; proxy == NULL && i < sizeof names / sizeof *names; i++)
        proxy = names[i] == NULL ? NULL : get(names[i]);
    return proxy == NULL || is_excepted(host) ? NULL : proxy;
}
