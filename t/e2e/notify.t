#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What the service manager hears of the master: ready, reloading, stopping, and
# that its loop turns; and that the master watches its children likewise.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use IO::Socket::UNIX;
use List::Util qw(max min);
use Socket qw(SOCK_DGRAM);
use Test::More;
use Time::HiRes qw(time);
use JR::Process qw(running is_stopped);
use JR::Test;

my $github = github();

# The manager's end: what comes within so many seconds, or, with more patience, until it
# is as asked for.
sub manager { return IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => $_[0]) // die "$_[0]: $!" }

sub heard {
    my ($socket, $seconds, $want) = @_;
    my $select = IO::Select->new($socket);
    my $end = time + $seconds * (defined $want ? slowness() : 1);
    my @heard;
    while ((my $left = $end - time) > 0) {
        next if !$select->can_read($left);
        $socket->recv(my $text, 4096);
        push @heard, $text;
        last if defined $want && $text =~ $want;
    }
    return @heard;
}

for my $form ('a file', 'an abstract name') {
    subtest "a socket that is $form" => sub {
        my $name = tmpdir() . '/notify-' . ($form eq 'a file' ? 1 : 2);
        my $socket = manager($form eq 'a file' ? $name : "\0$name");
        my $service = service(
            github => $github, NOTIFY_SOCKET => $form eq 'a file' ? $name : "\@$name",
        )->start_service;
        my @heard = heard($socket, 10, qr/READY=1/);
        is scalar @heard, 1, 'the first thing is that it is ready' or diag explain \@heard;
        like $heard[0] // '', qr/^READY=1\nSTATUS=2 workers serve$/, 'in words too';
        is_deeply [grep {/WATCHDOG/} heard($socket, 2)], [], 'no ping that nobody asked for';
        kill 'HUP', $service->master;
        @heard = heard($socket, 10, qr/READY=1/);
        like $heard[0] // '', qr/^RELOADING=1\n/, 'reloading';
        like $heard[-1] // '', qr/^READY=1\nSTATUS=2 workers serve$/, 'and ready again';
        is $service->stop_service, 0, 'stopped';
        like +(heard($socket, 10, qr/STOPPING/))[-1] // '', qr/^STOPPING=1$/, 'it said so';
    };
}

subtest 'watchdog' => sub {
    my $name = tmpdir() . '/watchdog';
    my $socket = manager($name);
    my $began = time;
    my $service = service(github => $github, NOTIFY_SOCKET => $name, WATCHDOG_USEC => 2_000_000)->start_service;
    heard($socket, 10, qr/READY=1/);
    my @pings = map { grep { $_ eq 'WATCHDOG=1' } heard($socket, 10, qr/WATCHDOG/) } 1 .. 4;
    is scalar @pings, 4, 'it pings';
    my $took = time - $began;
    cmp_ok $took, '>', 1, 'no more often than is needed';
    cmp_ok $took, '<', 8 * slowness(), 'and often enough';
    kill 'STOP', $service->master;
    wait_ok { is_stopped($service->master) } 'its loop stands still';
    while (IO::Select->new($socket)->can_read(0)) { $socket->recv(my $before, 4096) }
    is_deeply [heard($socket, 2.5)], [], 'none while its loop stands still';
    kill 'CONT', $service->master;
    ok +(grep { $_ eq 'WATCHDOG=1' } heard($socket, 5, qr/WATCHDOG/)), 'they come again';
    $service->stop_service;
    heard($socket, 10, qr/STOPPING/);    # its last word: what comes after that is another's

    $service = service(github => $github, NOTIFY_SOCKET => $name, WATCHDOG_USEC => 2_000_000, WATCHDOG_PID => 1)
        ->start_service;
    is_deeply [grep {/WATCHDOG/} heard($socket, 2)], [], 'none for another process';
    $service->stop_service;
};

# A limit in the place of 60 and 150 s: what lives shows it every two seconds, if the machine lets it.
my $hang_s = max(5, min(20, 5 * slowness()));

subtest 'children that hang' => sub {
    my $service = service(github => $github, WORKERS => 3, JR_TEST_HANG => int(1000 * $hang_s))->start;
    my %victim = (worker => ($service->workers)[0], dispatcher => wait_for { $service->dispatcher });
    for my $kind (qw(worker dispatcher)) {
        my $pid = $victim{$kind};
        $service->expect_death;
        my $began = time;
        kill 'STOP', $pid;
        wait_ok { !running($pid) } "a $kind that is stopped is ended";
        my ($line) = grep { $_->{text} =~ /\b$pid\b/ } $service->log->find('hung');
        like $line->{text} // '', qr/^$kind $pid has done nothing for \d+ s and is killed$/, 'the log says why';
        is $line->{level}, 'error', 'as an error';
        cmp_ok time - $began, '>', 2, 'not at once';
        wait_ok { 4 == $service->children } 'it is replaced';
    }
    is $service->log->count('hung'), 2, 'each was killed once';
    my @left = $service->children;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'and is rerun';

    # Everything stopped and continued, as by a freezer: nobody has hung.
    kill 'STOP', $service->master, @left;
    select undef, undef, undef, $hang_s + 3;
    kill 'CONT', @left, $service->master;
    select undef, undef, undef, 2;
    is $service->log->count('hung'), 2, 'all stopped together: nobody is killed';
    is_deeply [$service->children], \@left, 'the same children';
    $service->stop_service;
};

# Idle children show that they live, for longer than the limit.
subtest 'children with nothing to do' => sub {
    my $service = service(github => $github, WORKERS => 2, JR_TEST_HANG => int(1000 * $hang_s))->start;
    wait_ok { $service->dispatcher } 'at work';
    my @children = $service->children;
    select undef, undef, undef, $hang_s + 4;
    is_deeply [$service->children], \@children, 'nobody is killed';
    $service->stop_service;
};

finish();
