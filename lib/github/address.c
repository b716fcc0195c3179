/*
 * address -- where on the Internet, or off it, an address is.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/address.h"
#include "lib/base/text.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* Longer than any address, and what bits follow it. */
#define TEXT_SIZE (INET6_ADDRSTRLEN + 8)

/* An address as it goes over the wire: 4 or 16 bytes. */
struct bytes {
    size_t count; /* 0: it is none */
    unsigned char at[16];
};

static const struct network {
    const char *name;
    enum jr_address kind;
} networks[] = {
    { "0.0.0.0/8", JR_ADDRESS_NOWHERE },       { "10.0.0.0/8", JR_ADDRESS_INSIDE },
    { "100.64.0.0/10", JR_ADDRESS_INSIDE },    { "127.0.0.0/8", JR_ADDRESS_INSIDE },
    { "169.254.0.0/16", JR_ADDRESS_LINK },     { "172.16.0.0/12", JR_ADDRESS_INSIDE },
    { "192.0.0.0/24", JR_ADDRESS_NOWHERE },    { "192.0.2.0/24", JR_ADDRESS_NOWHERE },
    { "192.168.0.0/16", JR_ADDRESS_INSIDE },   { "198.18.0.0/15", JR_ADDRESS_INSIDE },
    { "198.51.100.0/24", JR_ADDRESS_NOWHERE }, { "203.0.113.0/24", JR_ADDRESS_NOWHERE },
    { "224.0.0.0/4", JR_ADDRESS_NOWHERE },     { "240.0.0.0/4", JR_ADDRESS_NOWHERE },
    { "::1", JR_ADDRESS_INSIDE },              { "::", JR_ADDRESS_NOWHERE },
    { "64:ff9b:1::/48", JR_ADDRESS_INSIDE },   { "100::/64", JR_ADDRESS_NOWHERE },
    { "2001::/32", JR_ADDRESS_NOWHERE },       { "2001:db8::/32", JR_ADDRESS_NOWHERE },
    { "fc00::/7", JR_ADDRESS_INSIDE },         { "fe80::/10", JR_ADDRESS_LINK },
    { "fec0::/10", JR_ADDRESS_INSIDE },        { "ff00::/8", JR_ADDRESS_NOWHERE },
};

/* Networks of IPv6 whose addresses hold one of IPv4, and where in them. */
static const struct {
    const char *name;
    size_t offset;
} holders[] = {
    { "::ffff:0:0/96", 12 }, { "::/96", 12 }, { "64:ff9b::/96", 12 }, { "2002::/16", 2 },
};

static struct bytes read_bytes(const char *text)
{
    struct bytes bytes = { .count = 0 };

    if (inet_pton(AF_INET, text, bytes.at) == 1)
        bytes.count = 4;
    else if (inet_pton(AF_INET6, text, bytes.at) == 1)
        bytes.count = 16;
    return bytes;
}

static bool are_same(const struct bytes *a, const struct bytes *b, size_t bits)
{
    unsigned last = bits % 8 == 0 ? 0 : 0xffu << (8 - bits % 8) & 0xffu;

    return memcmp(a->at, b->at, bits / 8) == 0
           && (last == 0 || ((a->at[bits / 8] ^ b->at[bits / 8]) & last) == 0);
}

static bool is_in(const struct bytes *bytes, const char *network)
{
    char name[TEXT_SIZE], *slash, *end = NULL;
    unsigned long bits = 8 * bytes->count;
    struct bytes first;

    if (!jr_text_copy(name, sizeof name, network))
        return false;
    slash = strchr(name, '/');
    if (slash != NULL) {
        *slash = '\0';
        bits = strtoul(slash + 1, &end, 10);
    }
    first = read_bytes(name);
    return bytes->count != 0 && first.count == bytes->count && bits <= 8 * bytes->count
           && (slash == NULL || (slash[1] >= '0' && slash[1] <= '9' && *end == '\0'))
           && are_same(bytes, &first, bits);
}

static enum jr_address sort(const struct bytes *bytes)
{
    struct bytes held = { .count = 4 };

    if (bytes->count == 0)
        return JR_ADDRESS_NOWHERE;
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++)
        if (is_in(bytes, networks[i].name))
            return networks[i].kind;
    for (size_t i = 0; i < sizeof holders / sizeof *holders; i++) {
        if (is_in(bytes, holders[i].name)) {
            memcpy(held.at, bytes->at + holders[i].offset, held.count);
            return sort(&held);
        }
    }
    return JR_ADDRESS_PUBLIC;
}

enum jr_address jr_address_sort(const struct sockaddr *address)
{
    struct bytes bytes = { .count = 0 };
    struct sockaddr_in four;
    struct sockaddr_in6 six;

    if (address->sa_family == AF_INET) {
        memcpy(&four, address, sizeof four);
        bytes.count = sizeof four.sin_addr;
        memcpy(bytes.at, &four.sin_addr, bytes.count);
    } else if (address->sa_family == AF_INET6) {
        memcpy(&six, address, sizeof six);
        bytes.count = sizeof six.sin6_addr;
        memcpy(bytes.at, &six.sin6_addr, bytes.count);
    }
    return sort(&bytes);
}

enum jr_address jr_address_sort_text(const char *host)
{
    struct bytes bytes = read_bytes(host);

    return bytes.count == 0 ? JR_ADDRESS_PUBLIC : sort(&bytes);
}

bool jr_address_is_in(const char *host, const char *network)
{
    struct bytes bytes = read_bytes(host);

    return is_in(&bytes, network);
}
