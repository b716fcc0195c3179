#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# From the webhook to the rerun: which runs get their POST, and which do not.
#
# That something does not happen is shown by order: a run that fails later is
# due later, so its POST says that the earlier ones have been decided.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes qw(time);
use JR::Test;

my $github = github();

my $plain = service(github => $github)->start;
my $strict = service(
    github             => $github,
    NO_RETRY_LIST      => 'dependabot[bot],Robot-*',
    REPO_BRANCHES      => 'release/*',
    REPOS              => 'octo/*',
    NO_RETRY_REPOS     => 'octo/deploy',
    NO_RETRY_WORKFLOWS => 'Deploy*',
    RETRY_CONCLUSIONS  => 'failure,startup_failure',
)->start;

sub run_of {
    my ($service, %o) = @_;
    $o{branch} //= 'release/1';
    $o{head_branch} = delete $o{branch};
    $o{name} = delete $o{workflow} if $o{workflow};
    return workflow_run(github => $github, door => $service->http, jobs => ['build'], %o);
}

# Everything that failed before now has been decided when this one is posted.
sub all_decided {
    my ($service) = @_;
    my $later = run_of($service);
    status_is $later->play(build => 'failure'), 201, 'a later run fails';
    return wait_ok { $later->accepted } 'a later run is rerun';
}

# The run was decided against, for a reason like this one.
sub closed {
    my ($service, $run, $reason) = @_;
    my $line = $service->log->wait_entry('decision', run => $run->id, verdict => 'closed');
    ok $line, 'closed' or return;
    like $line->{reason}, $reason, 'with the reason';
    return;
}

sub left_alone {
    my ($service, @runs) = @_;
    all_decided($service);
    is scalar $_->posts, 0, 'nothing is posted for ' . $_->id for @runs;
    return;
}

subtest 'a matrix with one failing leg: one POST' => sub {
    my $run = run_of($plain, jobs => [map {"test ($_)"} 1 .. 4]);
    my %outcome = map { ("test ($_)" => $_ == 2 ? 'failure' : 'success') } 1 .. 4;
    status_is $run->play(%outcome), 201, 'the last leg';
    wait_ok { $run->accepted } 'the rerun is posted' or return;
    my $late = run_event($run->facts, attempt => 1, action => 'completed', conclusion => 'failure');
    status_is $plain->http->send(delivery($late)), 202, 'a late workflow_run of that attempt';
    all_decided($plain);
    my ($post, @more) = $run->posts;
    is scalar @more, 0, 'once';
    ok scalar $run->gets, 'after GitHub was asked';
    cmp_ok(($run->gets)[0]{time}, '<', $post->{time}, 'first');
    my $id = $run->id;
    like $post->{raw_head}, qr{\APOST /repos/octo/app/actions/runs/$id/rerun-failed-jobs HTTP/1\.1\r\n}, 'request line';
    my %headers = %{ $post->{headers} };
    delete $headers{'content-type'};    # says nothing about an empty body
    my $version = delete $headers{'user-agent'};
    like $version, qr{^job-rerunner/\d+\.\d+(?:\.\d+)?$}, 'User-Agent';
    is_deeply \%headers, {
        'host'                 => "127.0.0.1:$github->{port}",
        'accept'               => 'application/vnd.github+json',
        'authorization'        => 'Bearer ' . JR::Service::token(),
        'x-github-api-version' => '2022-11-28',
        'content-length'       => 0,
    }, 'headers';
    is $post->{body}, '', 'no body';
    ok $plain->log->wait_entry('decision', run => $run->id, verdict => 'rerun'), 'the decision is logged';
    ok $plain->log->wait_entry('rerun', run => $run->id), 'and its outcome';
};

subtest 'a chain of needs: only when the run is over' => sub {
    my $run = run_of($plain, jobs => [qw(build lint)]);
    $run->queued($_) for qw(build lint);
    status_is $run->completed(build => 'failure'), 202, 'one failed';
    status_is $run->completed(lint => 'success'), 201, 'all known jobs are done';
    wait_ok { $plain->log->find('decision', run => $run->id, verdict => 'wait') } 'GitHub says: in progress';
    status_is $run->add_job('report'), 202, 'a job that needed them is created';
    $run->completed(report => 'success');
    wait_ok { $run->gets >= 2 } 'asked again';
    is scalar $run->posts, 0, 'nothing is posted while it goes on';
    $run->finish('failure');
    wait_ok { $run->accepted } 'posted when it is over';
    all_decided($plain);
    is scalar $run->posts, 1, 'once, without one refused try';
};

subtest 'a new job puts the question off' => sub {
    my $slow = service(github => $github, RERUN_DELAY => '4s')->start;
    # Before the delay is over: perhaps not at once.
    my ($run, $began);
    wait_ok {
        $run = run_of($slow);
        $run->queued('build');
        $began = time;
        status_is $run->completed(build => 'failure'), 201, 'all known jobs are done';
        status_is $run->add_job('report'), 202, 'another one is created';
        time - $began < 3.9;
    } 'soon enough';
    all_decided($slow);
    is scalar $run->gets, 0, 'GitHub is not asked while it goes on';
    status_is $run->ends('failure', report => 'success'), 201, 'it ends';
    wait_ok { $run->accepted } 'rerun';
};

subtest 'three reruns, and the fourth attempt is left alone' => sub {
    my $run = run_of($plain, jobs => [qw(build test)]);
    for my $attempt (1 .. 3) {
        my %outcome = $attempt == 1 ? (build => 'success') : ();
        status_is $run->play(%outcome, test => 'failure'), 201, "attempt $attempt fails";
        wait_ok { $run->accepted == $attempt } "and is rerun";
    }
    is $run->truth->{attempt}, 4, 'now it is the fourth';
    status_is $run->play(test => 'failure'), 204, 'it fails too';
    all_decided($plain);
    is scalar $run->posts, 3, 'three POSTs in all';
};

subtest 'a rerun that succeeds' => sub {
    my $run = run_of($plain, jobs => [qw(build test)]);
    $run->play(build => 'success', test => 'failure');
    wait_ok { $run->accepted } 'rerun';
    status_is $run->play(test => 'success'), 200, 'the second attempt';
    all_decided($plain);
    is scalar $run->posts, 1, 'that was all';
};

subtest 'somebody else has rerun it' => sub {
    my $run = run_of($plain);
    $run->queued('build');
    my $late = delivery(job_event($run->facts, id => $run->truth->{jobs}[0]{id}, action => 'completed',
        conclusion => 'failure'));
    $github->set_run($run->id, attempt => 2);
    status_is $plain->http->send($late), 201, 'the first attempt failed';
    left_alone($plain, $run);
};

subtest 'a cancelled run stays cancelled' => sub {
    my $run = run_of($plain);
    $run->queued('build');
    status_is $run->ends('cancelled', build => 'cancelled'), 201, 'it looks suspect';
    closed($plain, $run, qr/conclusion|cancelled/);
    left_alone($plain, $run);
};

subtest 'a run created over a month ago' => sub {
    my $run = run_of($plain, created_at => time - 31 * 86400);
    $run->play(build => 'failure');
    closed($plain, $run, qr/old|age|month|days/);
    left_alone($plain, $run);
};

subtest 'a run that ended long ago' => sub {
    my $old = time - 2 * 86400;    # CATCH_UP is one day
    my $run = run_of($plain, created_at => $old, run_started_at => $old);
    $run->queued('build');
    $github->set_job($run->id, 'build', created_at => $old, started_at => $old, completed_at => $old,
        status => 'completed', conclusion => 'failure');
    $github->set_run($run->id, status => 'completed', conclusion => 'failure', updated_at => $old);
    status_is $run->completed(build => 'failure'), 201, 'its failure is told now';
    closed($plain, $run, qr/missed/);
    left_alone($plain, $run);
};

subtest 'a run of which nothing was known' => sub {
    my $run = run_of($plain);
    status_is $run->ends('failure', build => 'failure'), 404, 'its failed job';
    my $good = run_of($plain);
    status_is $good->ends('success', build => 'success'), 404, 'and a good one of another';
    wait_ok { $run->accepted } 'GitHub knows it: rerun';
    all_decided($plain);
    is scalar $good->gets, 0, 'the good one is not asked about';
};

subtest 'only workflow_run is subscribed to' => sub {
    my $run = run_of($plain);
    status_is $run->finish('failure', event => 1), 201, 'the run failed';
    my $good = run_of($plain);
    status_is $good->finish('success', event => 1), 200, 'another did not';
    wait_ok { $run->accepted } 'rerun';
    left_alone($plain, $good);
};

subtest 'a workflow_run that ends twice' => sub {
    my $run = run_of($plain);
    status_is $run->finish('success', event => 1), 200, 'once too early';
    status_is $run->finish('failure', event => 1), 201, 'and with another conclusion';
    wait_ok { $run->accepted } 'the later one counts';
};

subtest 'a run that never got jobs' => sub {
    my $run = run_of($strict, jobs => []);
    status_is $run->finish('startup_failure', event => 1), 201, 'startup_failure';
    wait_ok { $run->accepted } 'rerun';
    is_deeply [map { $_->{path} =~ m{/([\w-]+)$} } $run->posts], ['rerun'], 'as a whole';
};

subtest 'logins left alone' => sub {
    my $listed = run_of($strict, actor => 'dependabot[bot]');
    status_is $listed->play(build => 'failure'), 204, 'the actor is listed';

    my $actor = run_of($strict, actor => 'robot-7', sender => 'octocat');
    status_is $actor->play(build => 'failure'), 201, 'the actor is, the sender is not';
    closed($strict, $actor, qr/actor|login|sender/);

    my $trigger = run_of($strict, actor => 'octocat', triggering_actor => 'Robot-8');
    status_is $trigger->play(build => 'failure'), 201, 'triggering_actor';
    closed($strict, $trigger, qr/actor|login|sender/);

    left_alone($strict, $listed, $actor, $trigger);

    my $unnamed = run_of($strict, actor => undef, sender => 'robot-10');
    my $earlier = time - 60;    # what is first is told by the events' own times
    status_is $unnamed->queued('build', created => $earlier, started => $earlier), 204, 'a listed sender began it';
    status_is $unnamed->ends('failure', build => 'failure', sender => 'octocat'), 201, 'another one ends it';
    closed($strict, $unnamed, qr/actor|login|sender/);
    left_alone($strict, $unnamed);

    my $sender = run_of($strict, actor => 'octocat', sender => 'robot-9');
    status_is $sender->play(build => 'failure'), 204, 'only the sender is listed';
    wait_ok { $sender->accepted } 'the run is its actor\'s: rerun';
};

subtest 'branches' => sub {
    my $match = run_of($strict, branch => 'Release/2.0');
    my $other = run_of($strict, branch => 'main');
    status_is $other->play(build => 'failure'), 204, 'not listed';
    status_is $match->play(build => 'failure'), 201, 'a listed pattern';
    wait_ok { $match->accepted } 'rerun';

    my %unnamed = map { $_ => run_of($strict, branch => $_) } qw(main release/3);
    for my $branch (sort keys %unnamed) {
        my $run = $unnamed{$branch};
        $run->queued('build', branch => undef);
        status_is $run->ends('failure', build => 'failure', branch => undef), 201, "$branch, but the event does not say so";
    }
    wait_ok { $unnamed{'release/3'}->accepted } 'GitHub says that it is listed: rerun';
    closed($strict, $unnamed{main}, qr/branch/);
    left_alone($strict, $other, $unnamed{main});
};

subtest 'repositories and workflows' => sub {
    my @runs = (
        run_of($strict, repo => 'elsewhere/app'),
        run_of($strict, repo => 'octo/deploy'),
        run_of($strict, workflow => 'Deploy to production'),
    );
    status_is $_->play(build => 'failure'), 204, 'filtered out' for @runs;
    my $other = run_of($strict, repo => 'octo/other-app.js');
    status_is $other->play(build => 'failure'), 201, 'another repository';
    wait_ok { $other->accepted } 'rerun';
    left_alone($strict, @runs);
};

subtest 'RUN_ATTEMPTS=1: never' => sub {
    my $never = service(github => $github, RUN_ATTEMPTS => 1)->start;
    my $run = run_of($never);
    status_is $run->play(build => 'failure'), 204, 'failed';
    $never->stop_service;
    is scalar $run->posts, 0, 'nothing is posted';
};

subtest 'a dry run with a token asks, but does not post' => sub {
    my $dry = service(github => $github, DRY_RUN => 'yes')->start;
    my $run = run_of($dry);
    status_is $run->play(build => 'failure'), 201, 'failed';
    ok $dry->log->wait_entry('decision', run => $run->id, verdict => 'dry-run'), 'the decision is logged';
    ok scalar $run->gets, 'GitHub was asked';
    my $asked = tool(['rerun', '--dry-run', $run->id], STATE_DIR => $dry->state_dir);
    like $asked->{err}, qr/^job-rerunner: DRY_RUN is on: GitHub is asked, but nothing is posted$/m, 'the tool knows of it';
    my $last = run_of($dry);
    $last->play(build => 'failure');
    $dry->log->wait_entry('decision', run => $last->id);
    is scalar $run->posts, 0, 'nothing is posted';
};

subtest 'a dry run without a token calls nobody' => sub {
    my $lonely = github();
    my $dry = service(github => $lonely, DRY_RUN => 'yes', GITHUB_TOKEN => undef)->start;
    my $run = workflow_run(github => $lonely, door => $dry->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'failed';
    my $line = $dry->log->wait_entry('decision', run => $run->id, verdict => 'dry-run');
    ok $line, 'the decision is logged' or return;
    like $line->{line}, qr/unverified/, 'as unverified';
    is scalar $lonely->requests, 0, 'no request at all';

    # As somebody who was told only where the store is, by the next steps of conf/quickstart.
    my $way = qr/^What to do: Give a token, set DRY_RUN=no and restart; .* job-rerunner rerun \d+$/m;
    wait_ok { tool(['why', $run->id], STATE_DIR => $dry->state_dir)->{out} =~ $way } 'why tells the way out';
    my $asked = tool(['rerun', $run->id], STATE_DIR => $dry->state_dir);
    like $asked->{err}, qr/^job-rerunner: DRY_RUN is on, and there is no token: GitHub is not asked, and nothing is posted$/m, 'the tool says so';
    like $asked->{out}, qr/: it is decided by its events alone$/m, 'and promises nothing else';
};

finish();
