#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A full map: nothing is promised that could not be stored, and everything
# else goes on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use IO::Select;
use Time::HiRes qw(time);
use JR::FastCGI qw(fcgi_request);
use JR::Process qw(is_stopped);
use JR::Test;

use constant ENOUGH => 12_000;

my $service = service(
    MAP_SIZE => '1M', GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h',
)->start;

# Runs that stay open cannot be given up for room.
sub open_run { return delivery(job_event(run_id => next_id(), action => 'queued')) }

my ($answer, $request, $n, @again) = (undef, undef, 0);
my $door = $service->fastcgi;
# A second later the dispatcher makes what room it can: by then all has been seen, if perhaps not at once.
wait_ok {
    do {
        $request = open_run();
        $answer = $door->send($request);
    } while ($answer && $answer->status == 202 && ++$n < ENOUGH);
    my $began = time;
    @again = map { $_->send($request) } $door, $service->cgi;
    push @again, $service->http->send({ method => 'GET', path => '/healthz' });
    time - $began < 0.9;
} 'it is full for as long as it is looked at';

status_is $answer, 503, "after $n open runs";
is $answer->field('result'), 'failed', 'in words';
status_is $again[0], 503, 'the same again: it was not taken for a repeat';
status_is $again[1], 503, 'by the other door';
status_is $again[2], 503, '/healthz';
status_is $service->http->send({ method => 'GET', path => '/' }), 200, 'the greeting';
ok $service->log->find('webhook', status => 503), 'the log has it';

$service->restart(MAP_SIZE => '64M');
status_is $door->send($request), 202, 'with a larger map it is taken';
status_is $service->http->send({ method => 'GET', path => '/healthz' }), 200, '/healthz';

subtest 'another process enlarges the map' => sub {
    my %dry = (GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h');
    my $small = service(%dry, MAP_SIZE => '1M')->start;
    my $large = service(%dry, MAP_SIZE => '64M', state_dir => $small->state_dir)->start;
    my $data = $small->state_dir . '/data.mdb';
    my ($by, $sent, $reply) = ($large->fastcgi, 0, undef);
    do { $reply = $by->send(open_run()) } while ($reply && $reply->status == 202 && -s $data < 1_300_000 && ++$sent < ENOUGH);
    status_is $reply, 202, 'beyond the size that the first service knows';
    status_is $small->http->send(open_run()), 202, 'which goes along' for 1 .. 4;
};

# Runs that are over may go: with them the map is as good as endless.
sub closed_run { return delivery(run_event(run_id => next_id(), action => 'completed', conclusion => 'success')) }

sub is_well {
    my ($service) = @_;
    my $answer = $service->http->send({ method => 'GET', path => '/healthz' });
    return $answer && $answer->status == 200;
}

# Stop its dispatcher, which makes room now and then; not in a transaction: others are answered.
sub stop_dispatcher {
    my ($of) = @_;
    return wait_for {
        my $pid = $of->dispatcher // return;
        kill 'STOP', $pid;
        wait_for { is_stopped($pid) };
        my $socket = $of->fastcgi->write_only(fcgi_request(open_run()));
        # Less than the 5 s after which the master ends who has the lock.
        return $pid if IO::Select->new($socket)->can_read(3);
        kill 'CONT', $pid;
        return;
    };
}

subtest 'closed runs make room' => sub {
    my $small = service(
        MAP_SIZE => '1M', GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h', WORKERS => 4,
        JR_TEST_HANG => 900_000,
    )->start;
    my ($by, $refused, $reply) = $small->fastcgi;
    my $first = open_run();
    status_is $by->send($first), 202, 'a run begins';
    for my $time (1 .. 3) {
        my $sent = 0;
        my $stopped = stop_dispatcher($small) or return fail 'the dispatcher is not at rest';
        do {
            $refused = closed_run();
            $reply = $by->send($refused);
        } while ($reply && $reply->status == 200 && ++$sent < ENOUGH);
        status_is $reply, 503, "time $time: full after $sent closed runs";
        like $small->http->send({ method => 'GET', path => '/healthz' })->body, qr/"commit"/, '/healthz tells';
        kill 'CONT', $stopped;
        ok +(wait_for { is_well($small) } 20), 'well again, by itself';
        ok +(wait_for { ($reply = $by->send($refused)) && $reply->status == 200 } 20), 'what was refused is taken';
    }
    ok $small->log->find('map-filling', level => 'warn'), 'the log tells that history goes';
    my $mark = $small->log->mark;
    status_is $by->send($first), 202, 'what is not over stays';
    ok $small->log->wait_entry('webhook', since => $mark), 'the log tells of the request';
    is $small->log->count('webhook', since => $mark, repeated => 'yes'), 1, 'and known';
};

# Whoever has one signed webhook can send it under any number of ids.
subtest 'replays under other ids' => sub {
    my $small = service(
        MAP_SIZE => '1M', GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h', WORKERS => 4,
        JR_TEST_HANG => 900_000,
    )->start;
    my ($by, $reply) = $small->fastcgi;
    my $kept = job_event(run_id => next_id(), action => 'queued');
    status_is $by->send(delivery($kept)), 202, 'a run begins';
    my $replayed = job_event(run_id => next_id(), action => 'queued');
    for my $time (1 .. 2) {
        my $sent = 0;
        my $stopped = stop_dispatcher($small) or return fail 'the dispatcher is not at rest';
        do { $reply = $by->send(delivery($replayed)) } while ($reply && $reply->status == 202 && ++$sent < ENOUGH);
        status_is $reply, 503, "time $time: full after $sent replays";
        kill 'CONT', $stopped;
        ok +(wait_for { ($reply = $by->send(delivery($replayed))) && $reply->status == 202 } 20), 'there is room again';
    }
    my $why = tool(['why', $kept->{workflow_job}{run_id}], %{ $small->environment });
    is $why->{status}, 0, 'what is not over is known still';
};

finish();
