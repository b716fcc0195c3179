# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Load -- several clients at a time, that send all that they are given.

package JR::Load;

use strict;
use warnings;
use Exporter 'import';
use POSIX qw(_exit);
use Time::HiRes qw(time);
use JR::Http qw(read_all);
use JR::Process qw(reap);
use JR::Wait qw(wait_for);

our @EXPORT_OK = qw(CLIENTS clients load all_at_once);

use constant CLIENTS => 4;

# How long all that is sent at one moment may take.
use constant ALL_ANSWERED_S => 180;

# So many children, each of which does its part, by its number, and ends. Their
# process ids; to be reaped.
sub clients {
    my ($count, $part) = @_;
    my @pids;
    for my $n (0 .. $count - 1) {
        my $pid = fork // die "fork: $!";
        push @pids, $pid;
        next if $pid;
        $part->($n);
        _exit(0);
    }
    return @pids;
}

# Clients that each send their share of the requests, one after the other.
# on_answer gets (index, status, time when it was begun) of each as it comes,
# status 0 for none; when it returns nothing the clients end.
sub load {
    my ($door, $on_answer, @requests) = @_;
    pipe my $results, my $report or die "pipe: $!";
    my @pids = clients(CLIENTS, sub {
        my ($n) = @_;
        close $results;
        $SIG{PIPE} = 'DEFAULT';
        my $hopes = 1;
        for my $i (grep { $_ % CLIENTS == $n } 0 .. $#requests) {
            my $began = time;
            my $answer = eval { $door->send(ref $requests[$i] eq 'CODE' ? $requests[$i]->() : $requests[$i]) };
            my $status = $answer ? $answer->status : 0;
            syswrite $report, "$i $status $began\n";
            next if $status !~ /^(?:0|502|504)$/;
            # Where nobody serves, requests are not to run dry: the next is sent when somebody does.
            $hopes &&= wait_for { my $hello = eval { $door->send({ method => 'GET', path => '/' }) }; $hello && $hello->status == 200 };
            select undef, undef, undef, 0.1 if !$hopes;
        }
    });
    close $report;
    while (<$results>) {
        $on_answer->(split) // last;
    }
    close $results;
    reap($_) for @pids;
    return;
}

# All requests at one moment, each on a connection of its own to a port of 127.0.0.1:
# first all but the last byte of each, then that. How often each status came, 'none',
# or why there was no connection.
sub all_at_once {
    my ($port, @requests) = @_;
    pipe my $ready, my $say or die "pipe: $!";
    pipe my $wait, my $go or die "pipe: $!";
    pipe my $results, my $report or die "pipe: $!";
    my @pids = clients(CLIENTS, sub {
        my ($n) = @_;
        close $go;
        local $SIG{PIPE} = 'IGNORE';
        my $http = JR::Http->new(port => $port);
        my @open;
        for my $i (grep { $_ % CLIENTS == $n } 0 .. $#requests) {
            my $bytes = JR::Http::encode($requests[$i]);
            my $socket = eval { $http->open_connection };
            if (!$socket) {
                syswrite $report, $@ =~ s/ at \S+ line .*//sr . "\n";
                next;
            }
            syswrite $socket, substr $bytes, 0, -1;
            push @open, [$socket, substr $bytes, -1];
        }
        syswrite $say, '.';
        sysread $wait, my $nothing, 1;
        syswrite $_->[0], $_->[1] for @open;
        # The one that is read first may be the one that is answered last.
        syswrite $report, (read_all($_->[0], ALL_ANSWERED_S) =~ m{^HTTP/1\.1 (\d+)} ? $1 : 'none') . "\n" for @open;
    });
    close $_ for $say, $report, $wait;
    sysread $ready, my $dot, 1 for 1 .. CLIENTS;
    close $go;
    my %count;
    while (<$results>) {
        chomp;
        $count{$_}++;
    }
    reap($_) for @pids;
    return \%count;
}

1;
