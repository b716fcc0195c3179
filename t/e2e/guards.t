#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The guards of a policy, right before a rerun: what GitHub is asked for them, what each makes of
# the answer, and that one who cannot tell stops nothing.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;
use JR::File qw(write_file);
use JR::Test;

my $github = github();
my ($number, $run_number, $repos) = (0, 100, 0);

my $POLICY = "version: 1\notherwise: rerun\n";

# What each guard asks, and its name.
my %ASKS = (
    superseded  => 'actions/workflows/\d+/runs$',
    concurrency => 'concurrency_groups',
    closed      => '/pulls',
    deployments => '/contents/',
);

sub policy_file {
    my ($text) = @_;
    my $file = tmpdir() . '/policy' . ++$number . '.yml';
    write_file($file, $text);
    return $file;
}

sub service_of {
    my (%o) = @_;
    $github->forget_scripts;
    return service(github => $github, POLICY => policy_file($POLICY), WORKERS => 1, %o)->start;
}

# Each run is of a repository of its own, where nothing is remembered of others.
sub run_of {
    my ($service, %o) = @_;
    my $jobs = delete $o{jobs} // ['build'];
    return workflow_run(github => $github, door => $service->http, jobs => $jobs, repo => 'octo/r' . ++$repos,
        run_number => ++$run_number, head_sha => 'c' x 40, %o);
}

sub fails {
    my ($run) = @_;
    status_is $run->play(build => 'failure'), 201, 'it fails';
    return $run;
}

# What the guards were told before the last decision that was made by them.
sub told {
    my ($service, $run) = @_;
    my $why = decode_json(tool(['why', '--json', $run->id], STATE_DIR => $service->state_dir)->{out});
    my ($last) = reverse grep { defined } map { $_->{guards} } @{ $why->{history} };
    return $last // {};
}

sub left_ok {
    my ($service, $run, $reason, $guard, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $service->closed_reason($run), $reason, "$name: left";
    is scalar $run->posts, 0, 'nothing is posted';
    return is told($service, $run)->{$guard}, 'holds', "$guard holds";
}

sub rerun_ok {
    my ($service, $run, $guard, $told, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_ok { $run->accepted } "$name: rerun";
    return is told($service, $run)->{$guard}, $told, "$guard: $told";
}

sub asked {
    my ($run, $guard) = @_;
    my $repo = $run->truth->{repo};
    return scalar grep { $_->{path} =~ m{/repos/\Q$repo\E/} } $github->requests(GET => $ASKS{$guard});
}

subtest 'superseded' => sub {
    my $service = service_of();
    my $old = run_of($service);
    my $repo = $old->truth->{repo};
    run_of($service, repo => $repo, head_sha => 'd' x 40);
    left_ok($service, fails($old), 'superseded', 'superseded', 'a newer run that no event told of');
    is asked($old, 'concurrency'), 0, 'then no more is asked';
    my $again = run_of($service);
    run_of($service, repo => $again->truth->{repo});
    rerun_ok($service, fails($again), 'superseded', 'free', 'a newer run of the same commit');
    my $fork = run_of($service, event => 'pull_request', head_repo => 'dev/app', head_branch => 'patch-1');
    run_of($service, repo => $fork->truth->{repo}, event => 'pull_request', head_repo => 'other/app', head_branch => 'patch-1', head_sha => 'd' x 40);
    rerun_ok($service, fails($fork), 'superseded', 'free', 'a newer run of another fork');
    my $odd = run_of($service, head_branch => 'a&b=c d/e#f');
    rerun_ok($service, fails($odd), 'superseded', 'free', 'a branch of any name');
    my $schedule = run_of($service, event => 'schedule');
    rerun_ok($service, fails($schedule), 'superseded', 'not asked', 'one that nothing follows');
    $service->stop_service;
};

subtest 'concurrency' => sub {
    my $service = service_of();
    my $group = 'ci-refs/heads/main %41';
    my $run = run_of($service, groups => [$group]);
    my $repo = $run->truth->{repo};
    $github->set_group($repo, $group, 4711);
    fails($run);
    ok $service->log->wait_entry('decision', run => $run->id, reason => 'concurrency-busy', verdict => 'wait'),
        'another run holds its group: it waits';
    is told($service, $run)->{concurrency}, 'holds', 'which is told';
    is scalar $run->posts, 0, 'nothing is posted';
    my $free = run_of($service, groups => ['ci', 'other'], repo => $repo);
    rerun_ok($service, fails($free), 'concurrency', 'free', 'nobody is in its groups');
    my $id = $free->id;
    is scalar(grep { $_->{path} =~ m{/runs/$id/concurrency_groups$|/concurrency_groups/(?:ci|other)$} } $github->requests('GET')), 1 + 2,
        'each of them is asked about';
    my $alone = run_of($service, groups => ['own']);
    $github->set_group($alone->truth->{repo}, 'own', $alone->id);
    rerun_ok($service, fails($alone), 'concurrency', 'free', 'it holds it itself');
    is scalar $run->posts, 0, 'the first one waits still';
    $service->stop_service;

    $service = service_of(POLICY => policy_file("${POLICY}guards: { concurrency: leave }\n"));
    my $left = run_of($service, groups => ['g']);
    $github->set_group($left->truth->{repo}, 'g', 4711);
    left_ok($service, fails($left), 'concurrency-busy', 'concurrency', 'where it is not to wait');
    $github->script(GET => 'concurrency_groups', { status => 404, body => { message => 'Not Found' } }, 1);
    my $without = run_of($service);
    rerun_ok($service, fails($without), 'concurrency', 'not told', 'a host that has no such call');
    my $other = run_of($service);
    rerun_ok($service, fails($other), 'concurrency', 'not told', 'another repository there');
    is asked($other, 'concurrency'), 0, 'is not asked about';
    $service->stop_service;
};

# Its group was held, and then nobody can say for longer than a question is repeated.
subtest 'a held group that cannot be asked about' => sub {
    my $service = service_of(API_BACKOFF_MIN => '50ms', API_BACKOFF_MAX => '100ms', OUTAGE_GRACE => undef, JR_TEST_MINUTE => 200);
    my $run = run_of($service, groups => ['g']);
    my $repo = $run->truth->{repo};
    $github->set_group($repo, 'g', 4711);
    fails($run);
    ok $service->log->wait_entry('decision', run => $run->id, reason => 'concurrency-busy', verdict => 'wait'), 'it waits';
    $github->script(GET => 'concurrency_groups', { status => 502, body => '' }, 8);
    $github->set_group($repo, 'g');
    rerun_ok($service, $run, 'concurrency', 'free', 'when it is told that the group is free');
    cmp_ok asked($run, 'concurrency'), '>', 2 + 8, 'and not before';
    $service->stop_service;
};

subtest 'closed' => sub {
    my $service = service_of();
    my %pull = (event => 'pull_request', head_branch => 'topic');
    my $run = run_of($service, %pull, pulls => [7]);
    $github->put_pull(repo => $run->truth->{repo}, number => 7, state => 'closed');
    left_ok($service, fails($run), 'pull-request-closed', 'closed', 'by its number');
    my $open = run_of($service, %pull, pulls => [7, 8]);
    $github->put_pull(repo => $open->truth->{repo}, number => $_, state => $_ == 7 ? 'closed' : 'open') for 7, 8;
    rerun_ok($service, fails($open), 'closed', 'free', 'one of two is open');
    my $fork = run_of($service, %pull, head_repo => 'dev/app');
    $github->put_pull(repo => $fork->truth->{repo}, number => 9, state => 'closed', head_owner => 'dev', head_sha => 'c' x 40);
    left_ok($service, fails($fork), 'pull-request-closed', 'closed', "a fork's, by its branch");
    my $moved = run_of($service, %pull, head_repo => 'dev/app');
    $github->put_pull(repo => $moved->truth->{repo}, number => 9, state => 'closed', head_owner => 'dev', head_sha => 'd' x 40);
    rerun_ok($service, fails($moved), 'closed', 'not told', 'of another commit');
    my $push = run_of($service);
    rerun_ok($service, fails($push), 'closed', 'not asked', 'a push');
    is asked($push, 'closed'), 0, 'of which nothing is asked';
    $service->stop_service;
};

my $WORKFLOW = <<'YAML';
on: push
jobs:
  build: { runs-on: ubuntu-latest }
  ship: { needs: build, environment: production }
  docs: { environment: docs }
YAML

subtest 'deployments' => sub {
    my $service = service_of();
    my $file = '.github/workflows/ci.yml';
    my $run = run_of($service);
    $github->put_file($run->truth->{repo}, $file, $WORKFLOW, 'c' x 40);
    left_ok($service, fails($run), 'deployment', 'deployments', 'a job that needs the one that failed');
    my $free = run_of($service, jobs => ['build', 'deploy']);
    $free->queued('deploy');
    $free->completed('deploy', 'skipped');
    $github->put_file($free->truth->{repo}, $file, "jobs: { build: {}, deploy: {} }\n");
    rerun_ok($service, fails($free), 'deployments', 'free', 'the file is believed more than a name');
    my $named = run_of($service, name => 'Publish it');
    left_ok($service, fails($named), 'deployment', 'deployments', 'without a file, the name of the workflow');
    my $plain = run_of($service);
    rerun_ok($service, fails($plain), 'deployments', 'not told', 'nor does the name tell');
    my $later = run_of($service, repo => $plain->truth->{repo}, head_sha => 'd' x 40);
    $github->put_file($later->truth->{repo}, $file, $WORKFLOW, 'd' x 40);
    left_ok($service, fails($later), 'deployment', 'deployments', 'a later commit that has the file');
    my $odd = run_of($service);
    $github->put_file($odd->truth->{repo}, $file, "jobs: &x\n  build: *x\n");
    rerun_ok($service, fails($odd), 'deployments', 'not told', 'a file that cannot be read');
    my $schedule = run_of($service, event => 'schedule');
    $github->put_file($schedule->truth->{repo}, $file, "jobs: { build: { environment: e } }\n");
    $github->put_file($schedule->truth->{repo}, $file, "jobs: { build: {} }\n", 'c' x 40);
    left_ok($service, fails($schedule), 'deployment', 'deployments', 'a schedule has the file of the default branch');
    $service->stop_service;
};

# What cannot be told lets a run pass, and is not asked for each time.
subtest 'not told' => sub {
    my $service = service_of();
    my $body = { message => 'Resource not accessible by personal access token' };
    for my $guard (sort keys %ASKS) {
        my $run = run_of($service, event => 'pull_request', head_branch => 'topic');
        $github->script(GET => $ASKS{$guard}, { status => 403, body => $body }, 1);
        rerun_ok($service, fails($run), $guard, 'not told', "403 to $guard");
        my $other = run_of($service, event => 'pull_request', head_branch => 'topic2', repo => $run->truth->{repo});
        rerun_ok($service, fails($other), $guard, 'not told', 'another run there');
        is asked($other, $guard), 1, 'is not asked about';
    }
    $service->stop_service;
};

subtest 'an API that fails' => sub {
    my $service = service_of(API_BACKOFF_MIN => '100ms', API_BACKOFF_MAX => '200ms', OUTAGE_GRACE => undef);
    for my $guard (sort keys %ASKS) {
        my $run = run_of($service, event => 'pull_request', head_branch => 'topic');
        $github->script(GET => $ASKS{$guard}, { status => 502, body => '' }, 1);
        my $told = { superseded => 'free', concurrency => 'free' }->{$guard} // 'not told';
        rerun_ok($service, fails($run), $guard, $told, "502 to $guard, once");
        cmp_ok asked($run, $guard), '>=', 2, 'it was asked for again';
        my $never = run_of($service, event => 'pull_request', head_branch => 'topic');
        $github->script(GET => $ASKS{$guard}, { status => 502, body => '' }, 4);
        rerun_ok($service, fails($never), $guard, 'not told', "502 to $guard, again and again");
        is asked($never, $guard), 4, 'some times';
        $github->forget_scripts;
    }
    $service->stop_service;
};

# All answers take long, so that none is fresh when the last has come.
subtest 'a slow API' => sub {
    my $service = service_of();
    my $guards = join '|', values %ASKS;
    my ($run, $asked);
    # An answer may come too late to count: then with another run.
    wait_ok {
        $run = run_of($service, event => 'pull_request', head_branch => 'topic', groups => ['a', 'b']);
        $github->set_after(1.5);
        fails($run);
        wait_for { $run->accepted };
        $github->set_after(0);
        $asked = join ' ', map { $_->{path} =~ m{/runs/\d+$} ? 'run' : $_->{path} =~ /$guards/ ? 'guard' : 'jobs' }
            grep { $_->{path} =~ m{/octo/r$repos/} } $github->requests('GET');
        $run->accepted && !$service->log->find('decision', run => $run->id, reason => 'server-error')
            && !$service->log->find('rerun', run => $run->id, reason => 'outdated');
    } 'it is rerun';
    is scalar $run->posts, 1, 'once';
    like $asked, qr/^run jobs jobs (?:run )+(?:guard ){6}run(?: run)*$/, 'the run, its jobs, the run anew, all guards, the run again';
    $service->stop_service;
};

subtest 'killed while GitHub is asked' => sub {
    my $file = tmpdir() . '/stop';
    my $service = service_of(JR_TEST_STOP_AT => "guards:$file");
    my $run = fails(run_of($service));
    my $pid = wait_for { $service->dispatcher_at($file) };
    ok $pid, 'the dispatcher is at the point';
    $service->expect_death;
    kill 'KILL', $pid;
    wait_ok { $run->accepted } 'the next one reruns it';
    my $other = fails(run_of($service));
    wait_ok { $other->accepted } 'and others';
    is scalar $run->posts, 1, 'one POST';
    $service->stop_service;
};

subtest 'everything' => sub {
    my $service = service_of(POLICY => 'everything');
    my $run = run_of($service, event => 'pull_request', pulls => [7], groups => ['g']);
    my $repo = $run->truth->{repo};
    $github->set_group($repo, 'g', 4711);
    $github->put_pull(repo => $repo, number => 7, state => 'closed');
    fails($run);
    wait_ok { $run->accepted } 'is rerun';
    # What was shown too long ago is asked for again.
    my $asked = join ' ', map { "$_->{method} " . $_->{path} =~ s{.*/runs/\d+}{run}r } grep { $_->{path} =~ m{/\Q$repo\E/} } $github->requests;
    like $asked, qr{^(?:GET run )+POST run/rerun-failed-jobs$}, 'no other call is made';
    is_deeply told($service, $run), {}, 'no guard is asked';
    my $off = policy_file("${POLICY}guards: { superseded: rerun, closed: rerun, deployments: rerun, merge-queue: rerun, concurrency: rerun }\n");
    $service->stop_service;
    $service = service_of(POLICY => $off);
    my $other = fails(run_of($service, event => 'pull_request'));
    wait_ok { $other->accepted } 'all guards off';
    is asked($other, $_), 0, "$_ is not asked" for sort keys %ASKS;
    $service->stop_service;
};

subtest 'by hand' => sub {
    my $service = service_of(pages => 'status');
    my $run = run_of($service, event => 'pull_request', pulls => [7]);
    $github->put_pull(repo => $run->truth->{repo}, number => 7, state => 'closed');
    left_ok($service, fails($run), 'pull-request-closed', 'closed', 'its pull request is closed');
    my $asked = asked($run, 'closed');
    is tool(['rerun', $run->id], STATE_DIR => $service->state_dir)->{status}, 0, 'somebody wants it all the same';
    wait_ok { $run->accepted } 'it is rerun';
    is asked($run, 'closed'), $asked, 'and nobody is asked';
    like tool(['why', $run->id], STATE_DIR => $service->state_dir)->{out}, qr/guards: .*closed holds/, 'why tells the guards';
    like page_of($service, $run), qr/guards: .*closed holds/, "and the run's page";
    $service->stop_service;
};

sub page_of {
    my ($service, $run) = @_;
    return $service->http->send({ method => 'GET', path => '/runs/' . $run->id, headers => [] })->body;
}

finish();
