# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Pages -- how long people wait for a page.

package Bench::Pages;

use strict;
use warnings;
use IO::Socket::IP;
use Time::HiRes qw(time);
use Bench::Measure qw(median);

# Milliseconds from the request to the first byte of the answer, of which the
# status has to be 200: the median of so many, a connection each.
sub first_byte_ms {
    my ($port, $path, $times) = @_;
    return median(map { one($port, $path) } 1 .. $times);
}

sub one {
    my ($port, $path) = @_;
    my $socket = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) or die "cannot connect: $!";
    my $begun = time;
    $socket->syswrite("GET $path HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
    $socket->sysread(my $start, 65536);
    my $ms = (time - $begun) * 1000;
    die "$path: $start" if $start !~ m{^HTTP/1\.1 200 };
    1 while $socket->sysread(my $rest, 65536);
    return $ms;
}

1;
