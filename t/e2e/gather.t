#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Requests that wait while a worker is busy are recorded together. None of them
# waits for one that is slow, broken, or only wants a page, and none is lost.
#
# A worker that is stopped (SIGSTOP) is busy as long as the test likes.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use List::Util qw(max);
use Test::More;
use Time::HiRes qw(time);
use JR::FastCGI qw(fcgi_request fcgi_begin fcgi_params fcgi_stdin fcgi_end);
use JR::File qw(read_file_or_empty);
use JR::Http qw(cgi_params read_all);
use JR::Process qw(is_stopped);
use JR::Test;

# libfcgi waits 2 s for a client to close, a worker 10 s for the rest of a request.
use constant { SOON_S => 1.5, LIMIT_S => 10 };

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued'), @_) }

# More than a worker looks at before it reads.
sub large {
    my $event = job_event(run_id => next_id(), action => 'queued');
    $event->{padding} = 'x' x 80_000;
    return delivery($event);
}

sub one_worker { return service(GITHUB_TOKEN => undef, DRY_RUN => 'yes', WORKERS => 1, @_)->start }

# Does SIGTERM wait for it?
sub is_told {
    my ($pid) = @_;
    my ($pending) = read_file_or_empty("/proc/$pid/status") =~ /^ShdPnd:\s*([0-9a-f]+)$/m;
    return hex($pending) & 1 << 14;
}

sub stop_worker {
    my ($service) = @_;
    my @workers = $service->workers;
    for (@workers) {
        my $pid = $_;
        kill 'STOP', $pid;
        wait_for { is_stopped($pid) };
    }
    return @workers;
}

# The connections of these requests (or bytes), in the order in which they are accepted.
sub queue {
    my ($service, @requests) = @_;
    return map { $service->fastcgi->write_only(ref $_ ? fcgi_request($_) : $_) } @requests;
}

sub answer_of { my ($socket, $seconds) = @_; return JR::FastCGI::decode(read_all($socket, $seconds)) }

sub status_of { my ($answer) = @_; return $answer ? $answer->status : 'none' }

sub all_answered {
    my ($status, $name, @sockets) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return is_deeply [map { status_of(answer_of($_, LIMIT_S)) } @sockets], [($status) x @sockets], $name;
}

# These are answered within seconds that are fewer than anybody else's limit.
sub all_soon {
    my ($name, @sockets) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my ($began, $slow) = (time, slowness());
    all_answered(202, $name, @sockets);
    return cmp_ok time - $began, '<', SOON_S * max($slow, slowness()), "$name: soon";
}

sub commits {
    my ($service) = @_;
    my $metrics = $service->http->send({ method => 'GET', path => '/metrics' })->body;
    my $commits = 0;
    $commits += $1 while $metrics =~ /^job_rerunner_commit_duration_seconds_count\S* (\d+)$/mg;
    return $commits;
}

# One that stays silent, from the beginning to the end of this program.
my $slow = service(GITHUB_TOKEN => undef, DRY_RUN => 'yes', WORKERS => 2)->start;
my $half;

subtest 'half a request among others holds up none of them' => sub {
    my @workers = stop_worker($slow);
    my @before = queue($slow, map { queued() } 1 .. 3);
    my $whole = fcgi_request(queued());
    ($half) = queue($slow, substr $whole, 0, length($whole) / 2);
    my @after = queue($slow, map { queued() } 1 .. 3);
    kill 'CONT', @workers;
    all_soon('before and after it', @before, @after);
};

subtest 'those that wait share a commit' => sub {
    my $service = one_worker(pages => 'metrics');
    status_is $service->http->send(queued()), 202, 'one alone';
    my $before = commits($service);
    my @workers = stop_worker($service);
    my @sockets = queue($service, map { queued() } 1 .. 20);
    kill 'CONT', @workers;
    all_answered(202, 'twenty that waited', @sockets);
    my $commits = commits($service) - $before;
    cmp_ok $commits, '>=', 3, 'no more than eight in a commit';
    cmp_ok $commits, '<=', 6, 'but several';
    $service->stop_service;
};

my $service = one_worker();

subtest 'broken ones among them' => sub {
    my @workers = stop_worker($service);
    my ($first) = queue($service, queued());
    my @broken = queue($service, "\xfe" x 100, '', fcgi_end());
    my ($second) = queue($service, queued());
    shutdown $broken[1], 1;
    kill 'CONT', @workers;
    all_soon('before and after them', $first, $second);
    is_deeply [map { status_of(answer_of($_)) } @broken], [('none') x @broken], 'they are dropped';
};

subtest 'one that only looks whole' => sub {
    my @workers = stop_worker($service);
    my $request = queued();
    # What ends here is another one: libfcgi reads on.
    my $end = fcgi_end();
    substr $end, 2, 2, pack 'n', 9;
    my ($first) = queue($service, queued());
    my ($open) = queue($service, fcgi_begin() . fcgi_params(cgi_params($request)) . fcgi_stdin($request->{body}) . $end);
    my ($second) = queue($service, queued());
    kill 'CONT', @workers;
    all_soon('the one before it', $first);
    syswrite $open, fcgi_end();
    all_soon('its end, and the one after it', $open, $second);
};

subtest 'one that is not to be recorded' => sub {
    my %other = (
        'a page'                => { method => 'GET', path => '/', headers => [] },
        'the head of a page'    => { method => 'HEAD', path => '/', headers => [] },
        'without a signature'   => queued(signature => undef),
        'with a wrong one'      => queued(signature => 'sha256=' . '0' x 64),
        'with another method'   => { %{ queued() }, method => 'PUT' },
    );
    for my $name (sort keys %other) {
        my @workers = stop_worker($service);
        my @before = queue($service, map { queued() } 1 .. 2);
        my ($socket) = queue($service, $other{$name});
        my ($after) = queue($service, queued());
        kill 'CONT', @workers;
        # Its client takes its time.
        all_soon("$name: those before it", @before);
        ok answer_of($socket), "$name: its answer";
        close $socket;
        all_answered(202, "$name: the one after it", $after);
    }
};

subtest 'a connection that is to be kept' => sub {
    my ($worker) = $service->workers;
    my $open = () = glob "/proc/$worker/fd/*";
    my $keep = fcgi_begin();
    substr $keep, 10, 1, chr 1;    # FCGI_KEEP_CONN
    all_soon('is answered and closed', queue($service, map { fcgi_request(queued(), $keep) } 1 .. 3));
    wait_ok { $open == (() = glob "/proc/$worker/fd/*") } 'nothing stays open';
    is_deeply [$service->workers], [$worker], 'the same worker';
};

$service->stop_service;

subtest 'one that is told to stop takes no more' => sub {
    my $file = tmpdir() . '/stop';
    my $stopping = one_worker(JR_TEST_STOP_AT => "in-batch:$file", BODY_MAX => '1M');
    my @workers = stop_worker($stopping);
    # Too large to be looked at as a whole: it is taken, and waits in the worker's hand.
    my ($first, @large) = queue($stopping, queued(), map { large() } 1 .. 8);
    # It would end who has had the lock for 5 s.
    kill 'STOP', $stopping->master;
    kill 'CONT', @workers;
    wait_ok { -e $file } 'it is busy';
    my ($worker) = $stopping->workers;
    wait_for { is_stopped($worker) };
    kill $_, $stopping->master for qw(TERM CONT);
    wait_ok { is_told($worker) } 'it is told to stop';
    kill 'CONT', $worker;
    all_answered(202, 'what it had begun', $first);
    my @served = grep { status_of($_) eq '202' } map { answer_of($_) } @large;
    is scalar @served, 1, 'of the others, the one that it had taken';
    $stopping->stop_service;
};

for my $point ('in-batch', 'batch-over') {
    subtest "a worker is killed with several of them, $point" => sub {
        my $file = tmpdir() . "/kill-$point";
        my $killed = one_worker(JR_TEST_STOP_AT => "$point:$file");
        my @workers = stop_worker($killed);
        my @runs = map { next_id() } 1 .. 8;
        my @requests = map { delivery(job_event(run_id => $_, id => $_ + 5000, action => 'queued')) } @runs;
        my @sockets = queue($killed, @requests);
        kill 'CONT', @workers;
        wait_ok { -e $file } 'it has gathered them';
        wait_for { is_stopped($workers[0]) };
        $killed->expect_death;
        kill 'KILL', @workers;
        all_answered('none', 'none is acknowledged', @sockets);
        wait_ok { my ($new) = $killed->workers; $new && $new != $workers[0] } 'another takes its place';
        my $mark = $killed->log->mark;
        is_deeply [map { status_of($killed->http->send($_)) } @requests], [(202) x 8], 'sent again';
        is $killed->log->count('webhook', since => $mark, repeated => 'yes'), $point eq 'in-batch' ? 0 : 8,
            $point eq 'in-batch' ? 'nothing of them was recorded' : 'all of them were recorded';
        my @ends = map {
            delivery(job_event(run_id => $_, id => $_ + 5000, action => 'completed', conclusion => 'success'))
        } @runs;
        is_deeply [map { status_of($killed->http->send($_)) } @ends], [(200) x 8], 'each of them is known, once';
        $killed->stop_service;
    };
}

subtest 'a silent sender is dropped in the end' => sub {
    like status_of(answer_of($half, 4 * LIMIT_S)), qr/^(?:400|none)$/, 'it is let go';
    ok +(IO::Select->new($half)->can_read(0)), 'by the service, which has closed the connection';
    all_soon('both workers serve', queue($slow, map { queued() } 1 .. 4));
};

finish();
