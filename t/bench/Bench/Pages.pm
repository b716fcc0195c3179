# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Pages -- how long people wait for a page.

package Bench::Pages;

use strict;
use warnings;
use IO::Socket::IP;
use Time::HiRes qw(time);
use Exporter 'import';
use Bench::Measure qw(median);

our @EXPORT_OK = qw(page_times page_table page_goals);

# The greeting, what people look at in a store of t/bench/fill, and what reads as much as a page may.
my @PATHS = (
    '/', '/status', '/runs', '/runs/1000000000', '/repos', '/repos/octo/app-7', '/jobs', '/runners', '/causes', '/settings',
    '/status.json', '/runs.json', '/runs.csv?limit=500', '/runs?repository=octo/app-7&branch=none', '/runs?branch=none',
);

# { path => ms to its first byte }
sub page_times {
    my ($port, $times) = @_;
    return { map { $_ => first_byte_ms($port, $_, $times) } @PATHS };
}

sub page_table {
    my ($ms) = @_;
    return join '', sprintf("%-45s %8s %12s\n", 'First byte with the full store', 'ms', 'of greeting'),
        map { sprintf "  %-43s %8.2f %12.1f\n", $_, $ms->{$_}, $ms->{$_} / $ms->{'/'} } @PATHS;
}

# A filter that lets nothing through reads 5,000 runs, which takes its time.
sub page_goals {
    my ($ms) = @_;
    return map { ["first byte of $_, of the greeting's, full store", $ms->{$_} / $ms->{'/'}, 'most', 10, 1, ''] } grep {/^\/\w+$/} @PATHS;
}

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
