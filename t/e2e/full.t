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
use JR::Test;

use constant ENOUGH => 12_000;

my $service = service(
    MAP_SIZE => '1M', GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h',
)->start;

# Runs that stay open cannot be given up for room.
sub open_run { return delivery(job_event(run_id => next_id(), action => 'queued')) }

my ($answer, $request, $n) = (undef, undef, 0);
my $door = $service->fastcgi;
do {
    $request = open_run();
    $answer = $door->send($request);
} while ($answer && $answer->status == 202 && ++$n < ENOUGH);

status_is $answer, 503, "after $n open runs";
is $answer->field('result'), 'failed', 'in words';
status_is $door->send($request), 503, 'the same again: it was not taken for a repeat';
status_is $service->cgi->send($request), 503, 'by the other door';
my $health = $service->http->send({ method => 'GET', path => '/healthz' });
status_is $health, 503, '/healthz';
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

finish();
