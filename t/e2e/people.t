#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# People, and what GitHub does not allow: somebody reruns or cancels a run
# meanwhile, forks, approvals, runs without jobs, and the limits of age and
# number.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Http;
use JR::Test;

use constant DAY => 86400;

my $github = github();
my $service = service(github => $github)->start;
my $api = JR::Http->new(port => $github->{port});

sub run_of {
    my ($of, %o) = @_;
    return workflow_run(github => $github, door => $of->http, jobs => ['build'], %o);
}

sub all_decided {
    my ($of, %o) = @_;
    my $later = run_of($of, %o);
    status_is $later->play(build => 'failure'), 201, 'a later run fails';
    return wait_ok { $later->accepted } 'a later run is rerun';
}

# The decision on an attempt, for this reason.
sub decided {
    my ($of, $run, $reason, %o) = @_;
    my $line = $of->log->wait_entry('decision', run => $run->id, reason => $reason, %o);
    ok $line, "decided: $reason";
    return $line;
}

# A call of somebody's own, by hand.
sub by_hand {
    my ($method, $path) = @_;
    return $api->send({
        method => $method, path => $path,
        headers => [['User-Agent', 'a browser'], ['Authorization', 'Bearer ' . JR::Service::token()]],
    });
}

# The delivery that a job's end would be by now, to be sent later.
sub end_of {
    my ($run, $name, $conclusion) = @_;
    $run->completed($name, $conclusion, event => 0);
    my ($job) = grep { $_->{name} eq $name } @{ $run->truth->{jobs} };
    return delivery(job_event($run->facts, id => $job->{id}, name => $name, action => 'completed',
        conclusion => $conclusion));
}

subtest 'somebody reruns the run before GitHub is asked' => sub {
    my $run = run_of($service);
    $run->queued('build');
    my $late = end_of($run, build => 'failure');
    $github->set_run($run->id, attempt => 2, triggering_actor => 'hubot');
    status_is $service->http->send($late), 201, 'its end is told late';
    decided($service, $run, 'rerun-by-others', attempt => 1);
    all_decided($service);
    is scalar $run->posts, 0, 'nothing is posted for attempt 1';
    status_is $run->play(build => 'failure'), 201, 'attempt 2 fails as well';
    wait_ok { $run->accepted } 'and is rerun';
    is $run->truth->{attempt}, 3, 'once';
};

subtest 'the events of his attempt come first' => sub {
    my $run = run_of($service);
    $run->queued('build');
    my $late = end_of($run, build => 'failure');
    $github->set_run($run->id, attempt => 2, triggering_actor => 'hubot');
    status_is $run->queued('build'), 202, 'attempt 2 is queued';
    status_is $service->http->send($late), 202, 'the end of attempt 1 is history';
    status_is $run->play(build => 'success'), 200, 'attempt 2 succeeds';
    all_decided($service);
    is scalar $run->posts, 0, 'nothing is posted';
};

subtest 'somebody reruns it between the GET and the POST' => sub {
    my $run = run_of($service);
    # The fake refuses, since the run is going on; the GET tells what was before.
    $run->queued('build');
    my $late = end_of($run, build => 'failure');
    $run->finish('failure');
    my $before = by_hand(GET => '/repos/octo/app/actions/runs/' . $run->id)->json;
    $github->script(GET => $run->id . '$', { status => 200, body => $before }, 1000);
    $github->script(POST => $run->id . '/rerun', { effect => 1, after => 'told' });
    $github->set_run($run->id, attempt => 2, triggering_actor => 'hubot');
    status_is $service->http->send($late), 201, 'it has failed';
    wait_ok { $run->posts } 'the POST is under way';
    $github->forget_scripts;
    $github->tell;
    ok $service->log->wait_entry('rerun', run => $run->id, reason => 'already-running'), 'the POST is refused';
    decided($service, $run, 'rerun-by-others', attempt => 1);
    all_decided($service);
    is_deeply [scalar $run->posts, scalar $run->accepted], [1, 0], 'and not repeated';
};

subtest 'somebody reruns one job of two that failed' => sub {
    my $run = run_of($service, jobs => [qw(build lint test)]);
    my $old = time - 60;
    $run->queued($_) for qw(build lint test);
    $run->completed(build => 'success');
    status_is $run->completed(lint => 'failure'), 202, 'one fails';
    my $late = end_of($run, test => 'failure');
    $github->set_job($run->id, $_, created_at => $old, started_at => $old, completed_at => $old) for qw(build lint test);
    $run->finish('failure');
    my ($test) = grep { $_->{name} eq 'test' } @{ $run->truth->{jobs} };
    is by_hand(POST => "/repos/octo/app/actions/jobs/$test->{id}/rerun")->status, 201, 'somebody reruns the other';
    status_is $service->http->send($late), 201, 'its end is told late';
    decided($service, $run, 'rerun-by-others', attempt => 1);

    # Jobs that were not rerun come as ended, with new ids and old times.
    status_is $run->completed(build => 'success'), '20[02]', 'carried over';
    status_is $run->completed(lint => 'failure'), '201|202', 'carried over too, still failed';
    status_is $run->queued('test'), 202, 'the one that is rerun';
    $run->started('test');
    all_decided($service);
    is scalar $run->posts, 0, 'a carried-over failure sets nothing off';
    status_is $run->ends('failure', test => 'success'), 201, 'it succeeds, but the run has failed';
    wait_ok { $run->accepted } 'the other one is rerun';
    is $run->truth->{attempt}, 3, 'as attempt 3';
    my %status = map { $_->{name} => $_->{status} } @{ $run->truth->{jobs} };
    is_deeply \%status, { build => 'completed', lint => 'queued', test => 'completed' }, 'alone';
    $run->completed($_, 'success') for qw(build test);
    $run->queued('lint');
    status_is $run->ends('success', lint => 'success'), 200, 'that succeeds';
    all_decided($service);
    is scalar $run->posts, 1, 'that was all';
};

subtest 'somebody who is to be left alone reruns' => sub {
    my $strict = service(github => $github, NO_RETRY_LIST => 'hubot')->start;
    my $run = run_of($strict);
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'attempt 1 is nobody\'s in the list';
    $github->set_run($run->id, triggering_actor => 'hubot');
    $run->play(build => 'failure');
    decided($strict, $run, 'actor-excluded', attempt => 2, verdict => 'closed');
    all_decided($strict);
    is scalar $run->posts, 1, 'attempt 2 is not rerun';
    $strict->stop_service;
};

subtest 'somebody cancels' => sub {
    my $jobs = run_of($service, jobs => [qw(build test)]);
    $jobs->queued($_) for qw(build test);
    $jobs->completed(build => 'failure');
    status_is $jobs->ends('cancelled', test => 'cancelled'), 201, 'a job failed, another was cancelled';

    my $early = run_of($service);
    $early->queued('build');
    status_is $early->ends('cancelled', build => 'cancelled'), 201, 'cancelled before a runner took it';

    my $told = run_of($service);
    $told->queued('build');
    status_is $told->finish('cancelled', event => 1), 200, 'workflow_run tells';
    status_is $told->completed(build => 'cancelled'), 202, 'the job after it';

    decided($service, $_, 'conclusion-not-retried', verdict => 'closed') for $jobs, $early;
    all_decided($service);
    is scalar $_->posts, 0, 'stays cancelled' for $jobs, $early, $told;
    is scalar $told->gets, 0, 'and is not even asked about, when that is known';
};

subtest 'somebody cancels and reruns' => sub {
    my $run = run_of($service);
    $run->queued('build');
    $run->ends('cancelled', build => 'cancelled');
    decided($service, $run, 'conclusion-not-retried', attempt => 1);
    $github->set_run($run->id, attempt => 2, triggering_actor => 'hubot');
    status_is $run->play(build => 'failure'), 201, 'the new attempt fails';
    wait_ok { $run->accepted } 'it is rerun';

    # And this one he cancels for good.
    $run->queued('build');
    $run->ends('cancelled', build => 'cancelled');
    decided($service, $run, 'conclusion-not-retried', attempt => 3);
    all_decided($service);
    is scalar $run->posts, 1, 'the rerun of ours stays cancelled';
};

subtest 'a newer commit cancels the run' => sub {
    my @concurrent = map { run_of($service, jobs => [qw(build test)], head_sha => $_ x 40) } qw(b c);
    my ($old, $new) = @concurrent;
    $old->queued($_) for qw(build test);
    $old->completed(build => 'failure');
    $new->queued($_) for qw(build test);
    $old->completed(test => 'cancelled', event => 0);
    $old->finish('cancelled', event => 1);
    $old->completed(test => 'cancelled');
    $new->completed(build => 'success');
    status_is $new->ends('failure', test => 'failure'), 201, 'and fails itself';
    wait_ok { $new->accepted } 'the newer one is rerun';
    all_decided($service);
    is scalar $old->posts, 0, 'the older one is not';

    # One that waited in its group and never had a job.
    my $waiting = run_of($service, jobs => []);
    status_is $waiting->finish('cancelled', event => 1), 200, 'cancelled while it waited';
    all_decided($service);
    is scalar $waiting->posts, 0, 'not rerun';
};

subtest 'whose branch it is' => sub {
    my $strict = service(github => $github, REPO_BRANCHES => 'master')->start;
    my %master = (head_branch => 'master');
    my $own   = run_of($strict, %master);
    my $case  = run_of($strict, %master, head_repo => 'Octo/App');
    my $fork  = run_of($strict, %master, head_repo => 'stranger/app');
    my $told  = run_of($strict, %master, head_repo => 'stranger/app');
    my $gone  = run_of($strict, %master);
    my $queue = run_of($strict, head_branch => 'gh-readonly-queue/master/pr-7-' . 'a' x 40);

    $gone->queued('build');
    my $late = end_of($gone, build => 'failure');
    $gone->finish('failure');
    my $body = by_hand(GET => '/repos/octo/app/actions/runs/' . $gone->id)->json;
    $body->{head_repository} = undef;
    $github->script(GET => $gone->id . '$', { status => 200, body => $body }, 1000);

    status_is $fork->play(build => 'failure'), 201, 'a job of a fork does not tell so';
    status_is $strict->http->send($late), 201, 'nor one of a fork that was deleted';
    status_is $told->finish('failure', event => 1), 204, 'a run does';
    status_is $queue->play(build => 'failure'), 204, 'a branch of the merge queue has another name';
    status_is $_->play(build => 'failure'), 201, 'a branch of the repository' for $own, $case;
    wait_ok { $_->accepted } 'is rerun' for $own, $case;
    decided($strict, $_, 'fork-branch', verdict => 'closed') for $fork, $gone;
    all_decided($strict, %master);
    is scalar $_->posts, 0, 'nothing is posted for the others' for $fork, $told, $gone, $queue;
    $strict->stop_service;

    my $free = run_of($service, %master, head_repo => 'stranger/app');
    status_is $free->play(build => 'failure'), 201, 'where branches do not matter';
    wait_ok { $free->accepted } 'a fork\'s run is rerun';
};

subtest 'a run that waits for an approval' => sub {
    my $run = run_of($service, jobs => [], actor => 'stranger');
    status_is $run->finish('action_required', event => 1), 200, 'action_required';
    all_decided($service);
    is_deeply [scalar $run->gets, scalar $run->posts], [0, 0], 'is not touched';

    my $job = run_of($service);
    $job->queued('build');
    status_is $job->ends('action_required', build => 'action_required'), 201, 'told by a job';
    decided($service, $job, 'conclusion-not-retried');
    all_decided($service);
    is scalar $job->posts, 0, 'nor is this one';

    # Approved, the same attempt goes on.
    $github->set_run($run->id, status => 'in_progress', conclusion => undef);
    $run->add_job('build');
    $run->completed(build => 'failure');
    $github->set_run($run->id, status => 'completed', conclusion => 'failure', updated_at => time + 5);
    my $end = run_event($run->facts, action => 'completed', conclusion => 'failure');
    status_is $service->http->send(delivery($end)), 201, 'approved, it runs and fails';
    wait_ok { $run->accepted } 'and is rerun';
};

subtest 'a protected environment' => sub {
    my $run = run_of($service, jobs => [qw(build deploy)]);
    $run->queued('build');
    status_is $run->completed(build => 'failure'), 201, 'one failed';
    $run->job(deploy => $_) for qw(waiting queued waiting);
    all_decided($service);
    is scalar $run->posts, 0, 'the other waits for an approval, and so do we';
    $run->queued('deploy');
    $run->started('deploy');
    status_is $run->ends('failure', deploy => 'success'), 201, 'it ends';
    wait_ok { $run->accepted } 'then the run is rerun';
};

subtest 'a run that could not start' => sub {
    my $plain = run_of($service, jobs => []);
    status_is $plain->finish('startup_failure', event => 1), 200, 'not in RETRY_CONCLUSIONS';

    my $eager = service(github => $github, RETRY_CONCLUSIONS => 'failure,startup_failure')->start;
    my $run = run_of($eager);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'its failed jobs are rerun';
    $github->set_run($run->id, jobs => []);
    status_is $run->finish('startup_failure', event => 1), 201, 'and could not start';
    wait_ok { $run->accepted == 2 } 'it is rerun again';
    is_deeply [map { $_->{path} =~ m{/([\w-]+)$} } $run->posts], [qw(rerun-failed-jobs rerun)], 'as a whole';
    $eager->stop_service;
    all_decided($service);
    is scalar $plain->posts, 0, 'where it is not listed it is left alone';
};

subtest 'a run of the event dynamic' => sub {
    my $jobs = run_of($service, event => 'dynamic');
    status_is $jobs->play(build => 'failure'), 201, 'its jobs are known';
    my $whole = run_of($service, event => 'dynamic', jobs => []);
    status_is $whole->finish('failure', event => 1), 201, 'only its end is';
    ok $service->log->wait_entry('rerun', run => $_->id, reason => 'cannot-be-retried'), 'GitHub does not rerun it'
        for $jobs, $whole;
    wait_ok { $whole->posts >= 2 } 'the whole is tried where no failed job is known';
    all_decided($service) for 1 .. 2;
    is scalar $jobs->posts, 1, 'one POST';
    is_deeply [map { $_->{path} =~ m{/([\w-]+)$} } $whole->posts], [qw(rerun-failed-jobs rerun)], 'and two';
};

subtest 'fifty attempts' => sub {
    my $many = service(github => $github, RUN_ATTEMPTS => 50)->start;
    my $run = run_of($many, attempt => 49);
    status_is $run->play(build => 'failure'), 201, 'the 49th fails';
    wait_ok { $run->accepted } 'and is rerun';
    my $last = $run->play(build => 'failure');
    status_is $last, 204, 'the 50th';
    is $last->reason, 'attempts-used-up', 'was the last';
    my $beyond = run_of($many, attempt => 51);
    status_is $beyond->play(build => 'failure'), 204, 'and there is none beyond';
    all_decided($many);
    is_deeply [scalar $run->posts, scalar $beyond->posts], [1, 0], 'POSTs';
    $many->stop_service;
};

subtest 'thirty days' => sub {
    my $young = run_of($service, created_at => time - 30 * DAY + 600);
    my $old   = run_of($service, created_at => time - 30 * DAY - 600);
    my $again = run_of($service, created_at => time - 30 * DAY - 600, attempt => 2);
    status_is $_->play(build => 'failure'), 201, 'a run fails' for $young, $old, $again;
    wait_ok { $young->accepted } 'within 30 days it is rerun';
    decided($service, $_, 'too-old', verdict => 'closed') for $old, $again;
    my $endless = run_of($service, created_at => time - 36 * DAY, run_started_at => time - 36 * DAY);
    $endless->queued('build');
    status_is $endless->completed(build => 'failure'), 201, 'one that never ends';
    decided($service, $endless, 'never-completed', verdict => 'closed');
    all_decided($service);
    is scalar $_->posts, 0, 'nothing is posted' for $old, $again, $endless;
};

finish();
