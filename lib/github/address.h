/*
 * address -- where on the Internet, or off it, an address is.
 *
 * Source: the registries of special-purpose addresses, RFC 6890,
 * https://www.iana.org/assignments/iana-ipv4-special-registry ,
 * https://www.iana.org/assignments/iana-ipv6-special-registry
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#ifndef JR_ADDRESS_H
#define JR_ADDRESS_H

#include <stdbool.h>
#include <sys/socket.h>

enum jr_address {
    JR_ADDRESS_PUBLIC,
    JR_ADDRESS_INSIDE, /* loopback, private, shared, unique-local: of this host or its network */
    JR_ADDRESS_LINK,   /* link-local: of the same wire, where clouds keep their credentials, too */
    JR_ADDRESS_NOWHERE /* unspecified, multicast, reserved, or of another family than IP */
};

/* Pure. One of IPv6 that stands for one of IPv4 (mapped, NAT64, 6to4) is where that is. */
enum jr_address jr_address_sort(const struct sockaddr *address);

/* The same of a host that is written as an address; PUBLIC: it is a name. */
enum jr_address jr_address_sort_text(const char *host);

/*
 * Is the host, written as an address, in a network "address/bits" of its family? Without bits
 * they have to be the same. False when either is none.
 */
bool jr_address_is_in(const char *host, const char *network);

#endif
