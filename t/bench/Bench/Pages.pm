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

# The greeting, and what people look at in a store of t/bench/fill; then data, and what reads as much
# as a page may.
my @PAGES = qw(/ /status /runs /runs/1000000000 /repos /repos/octo/app-7 /jobs /runners /causes /settings);
my @LARGE = ('/status.json', '/runs.json', '/runs.csv?limit=500', '/runs?repository=octo/app-7&branch=none', '/runs?branch=none');

# { path => ms to its first byte }: medians. Pages take turns, so that what else the machine does
# meets all of them alike; what takes long comes behind them.
sub page_times {
    my ($port, $times) = @_;
    my %ms;
    for my $paths (\@PAGES, map { [$_] } @LARGE) {
        for (1 .. $times) { push @{ $ms{$_} }, one($port, $_) for @$paths }
    }
    return { map { $_ => median(@{ $ms{$_} }) } @PAGES, @LARGE };
}

sub page_table {
    my ($ms) = @_;
    return join '', sprintf("%-45s %8s %12s\n", 'First byte with the full store', 'ms', 'of greeting'),
        map { sprintf "  %-43s %8.2f %12.1f\n", $_, $ms->{$_}, $ms->{$_} / $ms->{'/'} } @PAGES, @LARGE;
}

sub page_goals {
    my ($ms) = @_;
    return map { ["first byte of $_, of the greeting's, full store", $ms->{$_} / $ms->{'/'}, 'most', 10, 1, ''] } @PAGES[1 .. $#PAGES];
}

# Milliseconds from the request to the first byte of the answer, of which the
# status has to be 200; a connection of its own.
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
