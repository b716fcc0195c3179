#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Exactly once: the dispatcher is killed at each of its steps (the points of
# lib/base/testpoint.h), and what takes its place makes the one POST that is due
# for the attempt, or knows that it was made.
#
# At a point the dispatcher stops itself, so that the test may do in peace what
# the world does meanwhile, before it kills it or lets it go on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes ();
use JR::Test;

my @POINTS = qw(before-get after-get waits before-post after-post recorded);

my $github = github();
my $files = 0;

# A service whose dispatcher stops at a point, once.
sub service_stopping_at {
    my ($point, %o) = @_;
    my $file = tmpdir() . '/stop' . ++$files;
    my $service = service(
        github => $github, WORKERS => 1, RETRY_CONCLUSIONS => 'failure,startup_failure',
        JR_TEST_STOP_AT => "$point:$file", %o,
    )->start;
    $service->{stop_file} = $file;
    return $service;
}

# The dispatcher that has stopped itself.
sub stopped {
    my ($service) = @_;
    my $pid = wait_for { $service->dispatcher_at($service->{stop_file}) };
    ok $pid, 'the dispatcher is at the point';
    return $pid;
}

sub kill_dispatcher {
    my ($service) = @_;
    my $pid = stopped($service) or return;
    $service->expect_death;
    kill 'KILL', $pid;
    return wait_ok { ($service->dispatcher // $pid) != $pid } 'killed, and replaced';
}

sub let_go {
    my ($service) = @_;
    my $pid = stopped($service) or return;
    kill 'CONT', $pid;
    return 1;
}

sub run_of {
    my ($service, %o) = @_;
    return workflow_run(github => $github, door => $service->http, jobs => ['build'], %o);
}

# All is decided that was due before, and the service works: another run.
sub all_decided {
    my ($service) = @_;
    my $later = run_of($service);
    status_is $later->play(build => 'failure'), 201, 'a later run fails';
    return wait_ok { $later->accepted } 'a later run is rerun';
}

# One POST for attempt 1, and attempt 2 is open: when it fails it gets its own.
sub once_for_each_attempt {
    my ($run, $posts) = @_;
    wait_ok { $run->accepted } 'the rerun is made' or return;
    is $run->truth->{attempt}, 2, 'once';
    my $answer = @{ $run->truth->{jobs} } ? $run->play(build => 'failure')
        : $run->finish('startup_failure', event => 1);
    # A list may show it before the event comes.
    status_is $answer, '20[12]', 'the new attempt fails too';
    wait_ok { $run->accepted >= 2 } 'and is rerun';
    is scalar $run->accepted, 2, 'one accepted POST for each attempt';
    is scalar $run->posts, $posts, 'of as many as needed';
    return;
}

# How a run comes to be asked about.
my %shape = (
    'its jobs have failed' => sub {
        my $run = run_of(@_);
        status_is $run->play(build => 'failure'), 201, 'a run fails';
        return $run;
    },
    'it has no jobs' => sub {
        my $run = run_of(@_, jobs => []);
        status_is $run->finish('startup_failure', event => 1), 201, 'a run does not start';
        return $run;
    },
    'a list has shown it' => sub {
        status_is run_of(@_)->play(build => 'success'), 200, 'the repository is known';
        my $run = run_of(@_);
        $run->completed(build => 'failure', event => 0);
        $run->finish('failure');
        return $run;
    },
    'it was quiet' => sub {
        my $run = run_of(@_, created_at => time - 3600);    # too old for the list
        status_is $run->queued('build'), 202, 'a job is queued';
        $run->completed(build => 'failure', event => 0);
        $run->finish('failure');
        return $run;
    },
);
my %reconcile = (
    'a list has shown it' => '200ms',
    'it was quiet'        => '100ms',
);

for my $name (sort keys %shape) {
    for my $point (@POINTS) {
        subtest "$name: killed at $point" => sub {
            my $service = service_stopping_at($point, RECONCILE_INTERVAL => $reconcile{$name} // 0);
            my $run = $shape{$name}->($service);
            kill_dispatcher($service) or return;
            once_for_each_attempt($run, 2);
            is $service->log->count('rerun', run => $run->id, attempt => 1), $point eq 'recorded' ? 1 : 0,
                'the outcome was logged' if $point =~ /^(?:after-post|recorded)$/;
            $service->stop_service;
        };
    }
}

# Several are in hand, each at another step.
for my $point (@POINTS) {
    subtest "one of several is killed at $point" => sub {
        my $service = service_stopping_at($point, API_WRITE_INTERVAL => '200ms');
        my $hold = $github->hold;
        my @runs = map { run_of($service) } 1 .. 5;
        $_->play(build => 'failure') for @runs;
        undef $hold;
        kill_dispatcher($service) or return;
        wait_ok { 5 == grep { $_->accepted } @runs } 'all are rerun';
        all_decided($service);
        is_deeply [map { scalar $_->accepted } @runs], [(1) x 5], 'each once';
        $service->stop_service;
    };
}

# Up to the POST; after one that was accepted there is none to stop after.
for my $point (qw(before-get after-get waits before-post)) {
    subtest "killed at $point, again and again" => sub {
        my $service = service_stopping_at($point);
        my $run = run_of($service);
        $run->play(build => 'failure');
        for (1 .. 2) {
            my $pid = stopped($service) or return;
            unlink $service->{stop_file};
            $service->expect_death;
            kill 'KILL', $pid;
        }
        kill_dispatcher($service) or return;
        wait_ok { $run->accepted } 'the rerun is made in the end';
        all_decided($service);
        is scalar $run->posts, 1, 'one POST';
        $service->stop_service;
    };
}

# The answer to the POST is lost, and then the dispatcher, too.
my %lost = (
    'a cut, but it happened'   => { cut => 1, effect => 1 },
    'a cut, nothing happened'  => { cut => 1 },
    'a 502, but it happened'   => { status => 502, body => '<html>', effect => 1 },
    'a 502, nothing happened'  => { status => 502, body => '<html>' },
);
for my $name (sort keys %lost) {
    for my $point (qw(after-post recorded)) {
        subtest "$name, and killed at $point" => sub {
            my $service = service_stopping_at($point);
            my $run = run_of($service);
            $github->script(POST => $run->id . '/rerun', $lost{$name});
            $run->play(build => 'failure');
            kill_dispatcher($service) or return;
            once_for_each_attempt($run, $lost{$name}{effect} ? 2 : 3);
            $service->stop_service;
        };
    }
}

subtest 'refused, and killed when that is recorded' => sub {
    my $service = service_stopping_at('recorded');
    my $run = run_of($service);
    $github->script(POST => $run->id . '/rerun', { status => 403, body => { message => 'This workflow is already running' } });
    $run->play(build => 'failure');
    kill_dispatcher($service) or return;
    once_for_each_attempt($run, 3);
    $service->stop_service;
};

# The events of the new attempt come before the outcome of the POST is recorded.
for my $end (\&kill_dispatcher, \&let_go) {
    my $then = $end == \&let_go ? 'it goes on' : 'it is killed';

    subtest "the new attempt is queued at after-post, then $then" => sub {
        my $service = service_stopping_at('after-post');
        my $run = run_of($service);
        $run->play(build => 'failure');
        stopped($service) or return;
        status_is $run->queued('build'), 202, 'attempt 2 is heard of';
        $end->($service) or return;
        all_decided($service);
        is scalar $run->posts, 1, 'no second POST for attempt 1';
        once_for_each_attempt($run, 2);
        $service->stop_service;
    };

    subtest "the new attempt has failed at after-post, then $then" => sub {
        my $service = service_stopping_at('after-post');
        my $run = run_of($service);
        $run->play(build => 'failure');
        stopped($service) or return;
        status_is $run->play(build => 'failure'), 201, 'attempt 2 fails';
        $end->($service) or return;
        wait_ok { $run->accepted == 2 } 'attempt 2 is rerun';
        all_decided($service);
        is scalar $run->posts, 2, 'one POST for each attempt';
        is $run->truth->{attempt}, 3, 'no more';
        $service->stop_service;
    };

    subtest "somebody reruns at before-post, then $then" => sub {
        my $service = service_stopping_at('before-post');
        my $run = run_of($service);
        $run->play(build => 'failure');
        stopped($service) or return;
        $github->set_run($run->id, attempt => 2, triggering_actor => 'hubot');
        status_is $run->queued('build'), 202, 'attempt 2 is heard of';
        $end->($service) or return;
        all_decided($service);
        is scalar $run->accepted, 0, 'no POST of ours took effect';
        cmp_ok scalar $run->posts, '<=', 1, 'and none was made after that was known';
        is $run->truth->{attempt}, 2, 'no third attempt';
        status_is $run->play(build => 'failure'), 201, 'attempt 2 fails';
        wait_ok { $run->accepted } 'and is rerun';
        is $run->truth->{attempt}, 3, 'once';
        $service->stop_service;
    };

    subtest "somebody reruns at after-get, then $then" => sub {
        my $service = service_stopping_at('after-get');
        my $run = run_of($service);
        $run->play(build => 'failure');
        stopped($service) or return;
        $github->set_run($run->id, attempt => 2, triggering_actor => 'hubot');
        status_is $run->queued('build'), 202, 'attempt 2 is heard of';
        $end->($service) or return;
        all_decided($service);
        is scalar $run->posts, 0, 'nothing is posted for attempt 1';
        status_is $run->play(build => 'failure'), 201, 'attempt 2 fails';
        wait_ok { $run->accepted } 'and is rerun';
        $service->stop_service;
    };
}

subtest 'everything is killed at after-post' => sub {
    my $service = service_stopping_at('after-post');
    my $run = run_of($service);
    $run->play(build => 'failure');
    my $pid = stopped($service) or return;
    kill 'KILL', $service->master, $pid;
    ok $service->bury, 'all are gone';
    $service->start_service;
    wait_ok { $run->gets >= 2 } 'GitHub is asked after the start';
    all_decided($service);
    once_for_each_attempt($run, 2);
};

subtest 'GitHub is asked no sooner than API_BACKOFF_MIN after the death' => sub {
    my $service = service_stopping_at('after-post', API_BACKOFF_MIN => '500ms', API_BACKOFF_MAX => '1s');
    my $run = run_of($service);
    $run->play(build => 'failure');
    my $pid = stopped($service) or return;
    my $killed = Time::HiRes::time();
    kill_dispatcher($service) or return;
    my ($next) = @{ (wait_for { my @later = grep { $_->{time} > $killed } $run->gets; @later && \@later }) // [] };
    ok $next, 'asked again' or return;
    cmp_ok $next->{time} - $killed, '>=', 0.49, 'not at once';
};

# Five seconds after GitHub has shown the run, nothing is posted for it any more: in
# the time between, somebody else's rerun may have run and failed.
subtest 'stopped between GET and POST, and let go later' => sub {
    my $service = service_stopping_at('before-post', API_BACKOFF_MIN => '100ms');
    my $run = run_of($service);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    stopped($service) or return;
    my $gets = $run->gets;
    Time::HiRes::sleep(5.5);
    let_go($service);
    wait_ok { $run->accepted } 'it is rerun' or return;
    is scalar $run->posts, 1, 'by one POST';
    cmp_ok scalar $run->gets, '>', $gets, 'after GitHub was asked anew';
    my $line = $service->log->wait_entry('rerun', run => $run->id, reason => 'outdated');
    ok $line, 'the first one was not sent';
};

finish();
