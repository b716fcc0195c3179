/*
 * address -- which addresses are on the Internet.
 *
 * SPDX-License-Identifier: BSD-2-Clause
 */
#include <config.h>

#include "lib/github/address.h"
#include "t/unit/support.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

struct row {
    const char *name;
    enum jr_address want;
};

/* As text, and as the kernel has it. */
static void is_where(void **state)
{
    const struct row *row = *state;
    struct sockaddr_storage storage = { .ss_family = AF_UNSPEC };
    struct sockaddr_in four = { .sin_family = AF_INET };
    struct sockaddr_in6 six = { .sin6_family = AF_INET6 };

    if (inet_pton(AF_INET, row->name, &four.sin_addr) == 1)
        memcpy(&storage, &four, sizeof four);
    else if (inet_pton(AF_INET6, row->name, &six.sin6_addr) == 1)
        memcpy(&storage, &six, sizeof six);
    assert_int_equal(jr_address_sort_text(row->name), row->want);
    if (storage.ss_family != AF_UNSPEC)
        assert_int_equal(jr_address_sort((struct sockaddr *)&storage), row->want);
}

static const struct row rows[] = {
    { "140.82.112.5", JR_ADDRESS_PUBLIC },
    { "9.255.255.255", JR_ADDRESS_PUBLIC },
    { "10.0.0.0", JR_ADDRESS_INSIDE },
    { "10.255.255.255", JR_ADDRESS_INSIDE },
    { "11.0.0.0", JR_ADDRESS_PUBLIC },
    { "100.63.255.255", JR_ADDRESS_PUBLIC },
    { "100.64.0.1", JR_ADDRESS_INSIDE },
    { "100.100.100.200", JR_ADDRESS_INSIDE },
    { "100.128.0.0", JR_ADDRESS_PUBLIC },
    { "127.0.0.1", JR_ADDRESS_INSIDE },
    { "127.255.0.3", JR_ADDRESS_INSIDE },
    { "169.254.169.254", JR_ADDRESS_LINK },
    { "172.15.255.255", JR_ADDRESS_PUBLIC },
    { "172.16.0.1", JR_ADDRESS_INSIDE },
    { "172.31.255.255", JR_ADDRESS_INSIDE },
    { "172.32.0.0", JR_ADDRESS_PUBLIC },
    { "192.168.1.1", JR_ADDRESS_INSIDE },
    { "192.169.0.0", JR_ADDRESS_PUBLIC },
    { "198.19.255.255", JR_ADDRESS_INSIDE },
    { "0.0.0.0", JR_ADDRESS_NOWHERE },
    { "0.1.2.3", JR_ADDRESS_NOWHERE },
    { "224.0.0.1", JR_ADDRESS_NOWHERE },
    { "255.255.255.255", JR_ADDRESS_NOWHERE },
    { "2606:50c0:8000::153", JR_ADDRESS_PUBLIC },
    { "::1", JR_ADDRESS_INSIDE },
    { "::", JR_ADDRESS_NOWHERE },
    { "fd00::1", JR_ADDRESS_INSIDE },
    { "fc00::1", JR_ADDRESS_INSIDE },
    { "fe80::1", JR_ADDRESS_LINK },
    { "febf::1", JR_ADDRESS_LINK },
    { "fec0::1", JR_ADDRESS_INSIDE },
    { "ff02::1", JR_ADDRESS_NOWHERE },
    { "2001:db8::1", JR_ADDRESS_NOWHERE },
    { "::ffff:127.0.0.1", JR_ADDRESS_INSIDE },
    { "::ffff:10.1.2.3", JR_ADDRESS_INSIDE },
    { "::ffff:169.254.169.254", JR_ADDRESS_LINK },
    { "::ffff:140.82.112.5", JR_ADDRESS_PUBLIC },
    { "::127.0.0.1", JR_ADDRESS_INSIDE },
    { "64:ff9b::a00:1", JR_ADDRESS_INSIDE },
    { "64:ff9b::8c52:7005", JR_ADDRESS_PUBLIC },
    { "2002:7f00:1::", JR_ADDRESS_INSIDE },
    { "a name", JR_ADDRESS_PUBLIC },
};

static void other_families_are_nowhere(void **state)
{
    struct sockaddr_un local = { .sun_family = AF_UNIX };

    (void)state;
    assert_int_equal(jr_address_sort((struct sockaddr *)&local), JR_ADDRESS_NOWHERE);
}

struct in_row {
    const char *name, *host, *network;
    bool want;
};

static void is_in(void **state)
{
    const struct in_row *row = *state;

    assert_int_equal(jr_address_is_in(row->host, row->network), row->want);
}

static const struct in_row ins[] = {
    { "the same", "10.1.2.3", "10.1.2.3", true },
    { "another", "10.1.2.3", "10.1.2.4", false },
    { "in a network", "10.1.2.3", "10.1.0.0/16", true },
    { "outside", "10.1.2.3", "10.2.0.0/16", false },
    { "half a byte", "10.1.31.3", "10.1.16.0/20", true },
    { "half a byte, outside", "10.1.32.3", "10.1.16.0/20", false },
    { "all there is", "10.1.2.3", "0.0.0.0/0", true },
    { "IPv6", "fd00::7", "fd00::/8", true },
    { "another family", "10.1.2.3", "::/0", false },
    { "no bits", "10.1.2.3", "10.1.0.0/", false },
    { "too many bits", "10.1.2.3", "10.1.2.3/33", false },
    { "no number", "10.1.2.3", "10.1.0.0/1x", false },
    { "a name", "example.org", "0.0.0.0/0", false },
    { "no network", "10.1.2.3", "example.org", false },
    { "two names", "example.org", "example.org", false },
};

int main(void)
{
    TABLE(rows, is_where);
    TEST(other_families_are_nowhere);
    TABLE(ins, is_in);
    return run_program("address");
}
