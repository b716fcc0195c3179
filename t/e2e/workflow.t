#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Which workflow a run is of, and which of its runs is the newest.
#
# `name` of a run is what the workflow's run-name makes of it; only `workflow.name`
# of an event about the run and `workflow_name` of a job are the workflow's own.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::Test;

my $github = github();
my $service = service(
    github => $github, NO_RETRY_WORKFLOWS => 'Deploy*,release.yml,.github/workflows/docs.yml',
    RERUN_DELAY => '100ms', RECONCILE_INTERVAL => '500ms', API_WRITE_INTERVAL => 0,
)->start;
my $number = 100;

sub run_of {
    my (%o) = @_;
    return workflow_run(github => $github, door => $service->http, jobs => ['build'], event => 'push', %o);
}

# The administrator's tool, with the settings of the service.
sub at { return tool([@_], %{ $service->environment }) }

sub decided {
    my ($run, $verdict, $reason) = @_;
    my $line = $service->log->wait_entry('decision', run => $run->id, verdict => $verdict);
    ok $line, "run $run->{id}: $verdict" or return;
    is $line->{reason}, $reason, $reason;
    return;
}

# The API shows what the events have not told; nobody acts on less than both.
sub fails {
    my ($run, $events) = @_;
    my $hold = $github->hold;
    $github->set_job($run->id, 'build', status => 'completed', conclusion => 'failure');
    return $run->finish('failure', event => $events);
}

subtest 'a run with a name of its own' => sub {
    my $run = run_of(name => 'Deploy production', run_name => 'v1.42.0 to eu-west by @mona');
    status_is $run->queued('build'), 204, 'its job is queued';
    status_is $run->completed(build => 'failure'), 204, 'its job fails';
    my $answer = fails($run, 1);
    status_is $answer, 204, 'the run fails';
    is $answer->reason, 'workflow-excluded', 'and the workflow is left alone';
};

subtest 'a later event does not lift what an earlier one excluded' => sub {
    my $run = run_of(name => 'Deploy production');
    status_is $run->queued('build'), 204, 'its job is queued';
    $github->set_run($run->id, name => 'Something else');
    my $answer = fails($run, 1);
    status_is $answer, 204, 'the run fails, and its workflow has another name by now';
};

subtest 'by file name and by path' => sub {
    for my $path ('.github/workflows/release.yml', '.github/workflows/docs.yml@refs/heads/main') {
        my $run = run_of(name => 'Tests', path => $path);
        status_is fails($run, 1), 204, $path;
    }
    my $run = run_of(name => 'Tests', path => '.github/workflows/other/docs.yml');
    status_is fails($run, 1), 201, 'another path';
    wait_ok { $run->accepted } 'is rerun';
};

subtest 'known from a list alone' => sub {
    my $known = run_of(name => 'CI', repo => 'octo/lost');
    status_is $known->queued('build'), 202, 'the repository is known';
    my $deploy = run_of(name => 'Deploy production', run_name => 'to eu-west', repo => 'octo/lost');
    my $tests  = run_of(name => 'Tests', run_name => 'of a change', repo => 'octo/lost');
    fails($_, 0) for $deploy, $tests;
    wait_ok { $tests->accepted } 'one is rerun';
    decided($deploy, closed => 'workflow-excluded');
    is scalar $deploy->posts, 0, 'nothing is posted for the deployment';
    my @asked = grep { $_->{path} =~ m{/actions/workflows/} } $github->requests;
    cmp_ok scalar @asked, '>=', 2, 'GitHub was asked for the names';
    my ($first) = grep { $_->{path} =~ m{/actions/(?:workflows/|runs/\Q$tests->{id}\E$)} } $github->requests;
    like $first->{path}, qr{/workflows/}, 'before it was asked for the run';
};

subtest 'GitHub is asked once for the name of a workflow' => sub {
    status_is run_of(name => 'CI', repo => 'octo/many')->queued('build'), 202, 'the repository is known';
    my @runs = map { run_of(name => 'Many', repo => 'octo/many') } 1 .. 8;
    {
        my $hold = $github->hold;
        fails($_, 0) for @runs;
    }
    wait_ok { !grep { !$_->accepted } @runs } 'all are rerun';
    my @asked = grep { $_->{path} =~ m{octo/many/actions/workflows/} } $github->requests;
    is scalar @asked, 1, 'one call for all of them';
};

subtest 'a workflow that GitHub does not show' => sub {
    my %hidden = (status => 404, body => { message => 'Not Found' });
    status_is run_of(name => 'CI', repo => 'octo/unnamed')->queued('build'), 202, 'the repository is known';
    my $run = run_of(name => 'Required', repo => 'octo/unnamed');
    my $deploy = run_of(name => 'Deploy it', repo => 'octo/unnamed');
    $github->script(GET => 'octo/unnamed/actions/workflows/', {%hidden}, 2);
    fails($_, 0) for $run, $deploy;
    wait_ok { $run->accepted } 'a job tells the name: it is rerun';
    decided($deploy, closed => 'workflow-excluded');

    my $unknown = run_of(name => 'Unheard of', repo => 'octo/unnamed', jobs => []);
    $github->script(GET => 'octo/unnamed/actions/workflows/', {%hidden}, 1000);
    {
        my $hold = $github->hold;
        $unknown->finish('failure');
    }
    decided($unknown, closed => 'workflow-unknown');
    $github->forget_scripts;
    is scalar $unknown->posts, 0, 'nothing is posted where nobody tells it';
    ok scalar $unknown->gets, 'though GitHub has shown the run';
};

subtest 'one row in the statistics, whatever its runs are called' => sub {
    for my $n (1 .. 3) {
        my $run = run_of(name => 'Nightly', run_name => "build of #$n", repo => 'octo/night');
        status_is $run->play(build => 'failure'), 201, "run $n fails";
        wait_ok { $run->accepted } 'it is rerun';
        $run->play(build => 'success');
    }
    my $flaky = JSON::PP->new->utf8->decode(at('flaky', '--json')->{out});
    is_deeply [map { $_->{workflow} } grep { $_->{repository} eq 'octo/night' } @{ $flaky->{jobs} }], ['Nightly'], 'one row';
};

# Two runs of one branch, the second of a newer commit.
sub two_runs {
    my (%o) = @_;
    $number += 2;
    my $older = run_of(%o, head_sha => 'a' x 40, run_number => $number);
    my $newer = run_of(%o, head_sha => 'b' x 40, run_number => $number + 1);
    return ($older, $newer);
}

# The run ends; no list shows that before its event is answered.
sub ends {
    my ($run, $conclusion) = @_;
    my $hold = $github->hold;
    return $run->finish($conclusion, event => 1);
}

subtest 'a newer run of the branch is under way' => sub {
    my ($older, $newer) = two_runs(head_branch => 'one');
    status_is $newer->begin, 202, 'the newer one begins';
    status_is fails($older, 1), 201, 'the older one fails, and is answered as ever';
    decided($older, closed => 'superseded');
    is scalar $older->posts, 0, 'and nothing is posted';
    my $why = at('why', $older->id)->{out};
    like $why, qr/superseded/, 'why: the reason';
    like $why, qr/SUPERSEDED/, 'why: the setting';
    like $why, qr/it is run @{[ $newer->id ]}\b/, 'why: the newer run';
    my $json = JSON::PP->new->utf8->decode(at('why', $older->id, '--json')->{out});
    is $json->{run}{superseded_by}, $newer->id, 'in JSON, too';
    ok $service->log->find('decision', run => $older->id, newer => $newer->id), 'and in the log';
};

subtest 'a newer run of the branch is over' => sub {
    my ($older, $newer) = two_runs(head_branch => 'two');
    status_is $newer->begin, 202, 'the newer one begins';
    status_is ends($newer, 'success'), 200, 'and succeeds';
    status_is fails($older, 1), 201, 'the older one fails';
    wait_ok { $older->accepted } 'and is rerun';
};

subtest 'a newer run of the pull request is over' => sub {
    my ($older, $newer) = two_runs(head_branch => 'three', event => 'pull_request');
    status_is $newer->begin, 202, 'the newer one begins';
    status_is ends($newer, 'success'), 200, 'and succeeds';
    status_is fails($older, 1), 201, 'the older one fails';
    decided($older, closed => 'superseded');
};

subtest 'runs that have nothing to do with each other' => sub {
    my %other = (
        'another workflow' => [name => 'Lint'], 'another branch' => [head_branch => 'other'],
        'another event' => [event => 'schedule'], 'a fork' => [head_repo => 'stranger/app'],
        'the same commit' => [head_sha => 'a' x 40],
    );
    for my $what (sort keys %other) {
        my ($older) = two_runs(head_branch => "four $what");
        my $newer = run_of(head_branch => "four $what", head_sha => 'b' x 40, run_number => $number + 1, @{ $other{$what} });
        status_is $newer->begin, 202, "$what: begins";
        status_is fails($older, 1), 201, "$what: the older one fails";
        wait_ok { $older->accepted } "$what: it is rerun";
    }
};

subtest 'SUPERSEDED=rerun' => sub {
    my $bold = service(github => $github, SUPERSEDED => 'rerun', RERUN_DELAY => '100ms')->start;
    my ($older, $newer) = map { $_->{door} = $bold->http; $_ } two_runs(head_branch => 'five');
    status_is $newer->begin, 202, 'the newer one begins';
    status_is fails($older, 1), 201, 'the older one fails';
    wait_ok { $older->accepted } 'and is rerun';
};

finish();
