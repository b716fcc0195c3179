#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Rule 8: what GitHub could not deliver is found, and nothing more than that.
#
# Two ways lead to a run: it is known and has gone quiet, or a list of failed
# runs shows it. A list shows only what was created since the repository was
# first seen, so a run of before that tells the two apart.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(max uniq);
use Test::More;
use Time::HiRes qw(time);
use JR::Test;

use constant { HOUR => 3600, DAY => 86400 };

my $github = github();
my $repos = 0;

# A service that looks often; its repository is its own.
sub looking {
    my (%o) = @_;
    my $service = service(github => $github, RECONCILE_INTERVAL => '100ms', WORKERS => 1, %o)->start;
    $service->{repo} = new_repo();
    return $service;
}

sub new_repo { return 'octo/r' . ++$repos }

sub run_of {
    my ($service, %o) = @_;
    return workflow_run(github => $o{github} // $github, door => $service->http, repo => $service->{repo},
        jobs => ['build'], %o);
}

# The service knows the repository from now on.
sub introduce {
    my ($service, @repos) = @_;
    status_is run_of($service, repo => $_)->play(build => 'success'), 200, "$_ is known"
        for @repos ? @repos : $service->{repo};
    return;
}

# It has failed, and nobody told.
sub fail_silently {
    my ($run, %o) = @_;
    $run->completed(build => 'failure', event => 0);
    $run->finish('failure');
    $github->set_run($run->id, %o) if %o;
    return $run;
}

# A failed run that only GitHub knows.
sub failed_run {
    my ($repo, %o) = @_;
    my $run = $github->put_run(
        id => next_id(), repo => $repo, jobs => [{ name => 'build', status => 'completed', conclusion => 'failure' }],
        status => 'completed', conclusion => 'failure', %o,
    );
    return $run->{id};
}

sub lists { my ($repo) = @_; return $github->requests('GET', "^/repos/$repo/actions/runs\$") }

# A look that began after now has ended.
sub looked_again {
    my ($repo) = @_;
    my $before = lists($repo);
    return wait_ok { lists($repo) >= $before + 4 } 'the lists were read again';    # two conclusions, twice
}

sub all_decided {
    my ($service) = @_;
    my $later = run_of($service);
    # A list may show it before the event comes.
    status_is $later->play(build => 'failure'), '20[12]', 'a later run fails';
    return wait_ok { $later->accepted } 'a later run is rerun';
}

subtest 'a known job ends, and nobody tells' => sub {
    my $service = looking();
    my $run = run_of($service, created_at => time - HOUR);
    status_is $run->queued('build'), 202, 'queued';
    fail_silently($run);
    wait_ok { $run->accepted } 'asked about, and rerun';
    is scalar $run->posts, 1, 'once';

    # The rerun is heard of no more than the rest.
    fail_silently($run);
    wait_ok { $run->accepted == 2 } 'the second attempt fails unheard of: rerun';
    fail_silently($run);
    wait_ok { $run->accepted == 3 } 'the third';
    fail_silently($run);
    looked_again($service->{repo});
    is scalar $run->posts, 3, 'the fourth is the last';
    $service->stop_service;
};

subtest 'a quiet run that goes on is asked about ever less' => sub {
    my $service = looking();
    # One that comes late comes too soon before the next: then with another run.
    my ($run, $tries);
    wait_ok {
        return if ++$tries > 5;
        $run = run_of($service, created_at => time - HOUR);
        $run->queued('build');
        wait_for { $run->gets >= 4 };
        my @times = map { $_->{time} } ($run->gets)[0 .. 3];
        my @waits = map { $times[$_] - $times[$_ - 1] } 1 .. 3;
        note "asked after @waits s";
        $waits[0] >= 0.19 && $waits[1] >= 0.39 && $waits[2] >= 0.79;
    } 'after twice the interval, twice that, and twice that';
    is scalar $run->posts, 0, 'nothing is posted';
    fail_silently($run);
    $run->started('build');
    wait_ok { $run->accepted } 'rerun when it is over';
    $service->stop_service;
};

subtest 'all jobs done and none failed: not asked' => sub {
    my $service = looking(RECONCILE_INTERVAL => '1s');
    # Done before it has been quiet for as long as that takes: perhaps not at once.
    my ($run, $began);
    wait_ok {
        $began = time;
        $run = run_of($service);
        $run->queued('build');
        status_is $run->completed(build => 'success'), 200, 'done';
        time - $began < 1.9;
    } 'without a pause';
    my $other = run_of($service, created_at => time - HOUR);
    $other->queued('build');
    wait_ok { $other->gets >= 2 } 'another one is quiet, and asked about twice';
    is scalar $run->gets, 0, 'this one not once';
    $service->stop_service;
};

subtest 'a run whose every event was lost' => sub {
    my $service = looking();
    introduce($service);
    my $run = fail_silently(run_of($service));
    my $good = run_of($service);
    $good->completed(build => 'success', event => 0);
    $good->finish('success');
    my $timed_out = run_of($service);
    $timed_out->completed(build => 'timed_out', event => 0);
    $timed_out->finish('timed_out');
    my $cancelled = run_of($service);
    $cancelled->completed(build => 'cancelled', event => 0);
    $cancelled->finish('cancelled');
    wait_ok { $run->accepted && $timed_out->accepted } 'found in the lists, and rerun';
    ok $service->log->wait_entry('looked'), 'the log tells of it';
    looked_again($service->{repo});
    is scalar $run->posts, 1, 'once';
    is scalar $_->posts, 0, 'nothing is posted for the others' for $good, $cancelled;
    my ($list) = lists($service->{repo});
    like $list->{query}, qr/\bcreated=%3E%3D20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ\b/, 'the list is narrowed by time';
    like $list->{query}, qr/\bper_page=100\b/, 'and long';
    is_deeply [sort { $a cmp $b } uniq(map { $_->{query} =~ /\bstatus=(\w+)/ } lists($service->{repo}))],
        [qw(failure timed_out)], 'one for each of RETRY_CONCLUSIONS';
    $service->stop_service;
};

subtest 'the failed job is the one that nobody told of' => sub {
    my $service = looking();
    # Lists begin when the repository was first seen: the run has to be younger.
    introduce($service);
    my $run = run_of($service, jobs => [qw(build test)]);
    $run->queued('build');
    status_is $run->completed(build => 'success'), 200, 'all that is known went well';
    $run->completed(test => 'failure', event => 0);
    $run->finish('failure');
    wait_ok { $run->accepted } 'rerun';
    $service->stop_service;
};

subtest 'the service is down while runs fail' => sub {
    my $service = looking(RECONCILE_INTERVAL => '1h');
    introduce($service);
    my @known = map { run_of($service) } 1 .. 3;
    $_->queued('build') for @known;
    $service->stop_service;
    my @all = (@known, map { run_of($service) } 1 .. 3);
    fail_silently($_) for @all;
    my @old = map { failed_run($service->{repo}, updated_at => time - 2 * DAY) } 1 .. 3;
    $service->start_service;
    wait_ok { @all == grep { $_->accepted } @all } 'all of them are rerun after the start';
    all_decided($service);
    is_deeply [map { scalar $_->posts } @all], [(1) x @all], 'once each';
    is scalar(map { $github->posts($_) } @old), 0, 'not those that ended longer ago than CATCH_UP';
    my $late = delivery(job_event(run_id => $old[0], repo => $service->{repo}, action => 'completed', conclusion => 'failure'));
    my $answer = $service->http->send($late);
    status_is $answer, 202, 'they are recorded: a late event is of a known run';
    is $answer->reason, 'already-decided', 'that is decided';
    all_decided($service);
    is scalar $github->posts($old[0]), 0, 'and stays so';
    $service->stop_service;
};

subtest 'three weeks of downtime' => sub {
    my $service = looking(RECONCILE_INTERVAL => '1h', CATCH_UP => '1h');
    introduce($service);
    $service->stop_service;
    # A run cannot be older than the repository's first event, so only the ends are put back.
    my @old = map { failed_run($service->{repo}, updated_at => time - HOUR * $_) } 2 .. 60;
    my @new = map { failed_run($service->{repo}, updated_at => time - 60 * $_) } 1 .. 3;
    $service->start_service;
    wait_ok { 3 == grep { $github->accepted_posts($_) } @new } 'what ended lately is rerun';
    all_decided($service);
    is scalar(map { $github->posts($_) } @old), 0, 'what ended before CATCH_UP is not';
    $service->stop_service;
};

subtest 'a repository that is new here' => sub {
    my $service = looking();
    my $repo = $service->{repo};
    my @before = map { failed_run($repo, created_at => time - 60 * $_) } 1 .. 20;
    introduce($service);
    looked_again($repo);
    my $run = fail_silently(run_of($service));
    wait_ok { $run->accepted } 'what fails from now on is rerun';
    looked_again($repo);
    is scalar(map { $github->posts($_) } @before), 0, 'what failed before is not touched';
    $service->stop_service;
};

for my $token (JR::Service::token(), undef) {
    my $with = $token ? 'with' : 'without';
    subtest "DRY_RUN $with a token is switched off" => sub {
        my $service = looking(DRY_RUN => 'yes', GITHUB_TOKEN => $token);
        introduce($service);
        my @told = map { run_of($service) } 1 .. 5;
        $_->play(build => 'failure') for @told;
        my @untold = $token ? map({ fail_silently(run_of($service)) } 1 .. 5) : ();
        for my $run (@told, @untold) {
            ok $service->log->wait_entry('decision', run => $run->id, verdict => 'dry-run'), 'decided, not rerun';
        }
        $service->restart(DRY_RUN => 'no', GITHUB_TOKEN => JR::Service::token());
        looked_again($service->{repo});
        all_decided($service);
        is_deeply [map { scalar $_->posts } @told, @untold], [(0) x (@told + @untold)], 'no storm of old reruns';
        $service->stop_service;
    };
}

# Reruns take runs out of the list while it is being read.
subtest 'more runs than a page holds' => sub {
    my $service = looking(RECONCILE_INTERVAL => '1h', RERUN_DELAY => 0);
    introduce($service);
    $service->stop_service;
    my @runs = map { failed_run($service->{repo}, created_at => int(time) + $_ / 10) } 1 .. 230;
    $service->start_service;
    wait_for { @runs <= $github->requests('POST', "^/repos/$service->{repo}/") };
    all_decided($service);
    my %posts;
    $posts{$_}++ for map { $_->{path} =~ m{/runs/(\d+)/} } $github->requests('POST', "^/repos/$service->{repo}/");
    is scalar(grep { $posts{$_} } @runs), @runs, 'one look finds all of them';
    is max(values %posts), 1, 'one POST each';
    $service->stop_service;
};

subtest 'more runs than a list holds' => sub {
    my $service = looking(RECONCILE_INTERVAL => '1h', RETRY_CONCLUSIONS => 'failure');
    introduce($service);
    $service->stop_service;
    my $now = int time;
    my %lately = map { $_ => 1 } 1, 500, 1001, 1034;
    my %run;
    for my $age (1 .. 1034) {
        $run{$age} = failed_run($service->{repo}, created_at => $now + 60 - int($age / 20),
            updated_at => $lately{$age} ? $now : $now - 2 * DAY);
    }
    $service->start_service;
    wait_ok { keys %lately == grep { $github->accepted_posts($run{$_}) } keys %lately } 'found to the last, and rerun';
    all_decided($service);
    is scalar $github->requests('POST', "^/repos/$service->{repo}/"), 1 + keys %lately, 'no other';
    cmp_ok scalar lists($service->{repo}), '>=', 11, 'in so many pages';
    cmp_ok scalar lists($service->{repo}), '<=', 15, 'and hardly more';
    $service->stop_service;
};

# Each start has two calls to spare; which repositories were looked at is remembered.
subtest 'a small budget, and many starts' => sub {
    my $poor = github();
    $poor->set_limit(limit => 20);
    my $service = service(github => $poor, WORKERS => 1, RECONCILE_INTERVAL => 0, RETRY_CONCLUSIONS => 'failure')->start;
    my @names = map { new_repo() } 1 .. 6;
    for my $repo (@names) {
        my $run = workflow_run(github => $poor, door => $service->http, repo => $repo, jobs => ['build']);
        status_is $run->play(build => 'success'), 200, "$repo is known";
    }
    # The limit is told by the first answer.
    my $first = workflow_run(github => $poor, door => $service->http, repo => $names[0], jobs => ['build']);
    $first->play(build => 'failure');
    wait_ok { $first->accepted } 'a run is rerun';
    my @looked;
    for my $start (1 .. 3) {
        my $before = () = $poor->requests(GET => '/actions/runs$');
        $service->restart(RECONCILE_INTERVAL => '1h');
        wait_ok { $poor->requests(GET => '/actions/runs$') >= $before + 2 } "start $start: two looks";
        my $run = workflow_run(github => $poor, door => $service->http, repo => 'octo/elsewhere', jobs => ['build']);
        $run->play(build => 'failure');
        wait_ok { $run->accepted } 'other work goes on';
        @looked = map { $_->{path} =~ m{^/repos/([^/]+/[^/]+)/} } $poor->requests(GET => '/actions/runs$');
        is scalar @looked, $before + 2, 'and no third one';
    }
    my %times;
    $times{$_}++ for grep { $_ ne 'octo/elsewhere' } @looked;
    cmp_ok max(values %times), '<=', 1, 'no repository was looked at twice while others wait';
    cmp_ok scalar(keys %times), '>=', 4, 'and each start came to others';
    $service->stop_service;
};

subtest 'the budget counts quiet runs too' => sub {
    my $poor = github();
    $poor->set_limit(limit => 50);
    my $service = service(github => $poor, WORKERS => 1, RECONCILE_INTERVAL => '100ms', RETRY_CONCLUSIONS => 'failure')->start;
    my @quiet = map { workflow_run(github => $poor, door => $service->http, jobs => ['build']) } 1 .. 12;
    $_->queued('build') for @quiet;
    my $looks = sub { my @all = ($poor->requests(GET => '/actions/runs$'), map { $_->gets } @quiet); scalar @all };
    wait_ok { $looks->() >= 5 } 'looking';
    for my $time (1 .. 3) {
        my $run = workflow_run(github => $poor, door => $service->http, jobs => ['build']);
        $run->play(build => 'failure');
        wait_ok { $run->accepted } 'other work goes on';
    }
    cmp_ok $looks->(), '<=', 6, 'a tenth of the limit: five, and the one before it was told';
    $service->stop_service;
};

subtest 'repositories left alone are not looked at' => sub {
    my $service = looking(REPOS => 'octo/*', NO_RETRY_REPOS => 'octo/deploy');
    my @excluded = qw(octo/deploy elsewhere/app);
    for my $repo (@excluded) {
        my $run = run_of($service, repo => $repo, created_at => time - HOUR);
        status_is $run->queued('build'), 204, "$repo is known, and left alone";
    }
    introduce($service);
    looked_again($service->{repo});
    my @asked = grep { $_->{path} =~ m{/(?:octo/deploy|elsewhere/app)/} } $github->requests('GET');
    is scalar @asked, 0, 'neither listed nor asked about';
    $service->stop_service;
};

subtest 'RECONCILE_INTERVAL=0 asks nothing' => sub {
    my $service = looking(RECONCILE_INTERVAL => 0);
    introduce($service);
    my $quiet = run_of($service);
    $quiet->queued('build');
    fail_silently($quiet);
    my $lost = fail_silently(run_of($service));
    $service->restart;
    all_decided($service);
    is scalar lists($service->{repo}), 0, 'no list';
    is scalar $_->gets, 0, 'no run' for $quiet, $lost;
    $service->stop_service;
};

subtest 'a look that fails is made again' => sub {
    my $service = looking();
    my $path = "^/repos/$service->{repo}/actions/runs\$";
    my %html = (body => '<html>', headers => { 'Content-Type' => 'text/html' });
    $github->script(GET => $path, $_) for { status => 502, %html }, { cut => 1 }, { status => 200, %html },
        { status => 200, body => {} }, { status => 200, body => '' }, { status => 404, body => { message => 'Not Found' } },
        { huge => 10_000_000 };
    introduce($service);
    my $run = fail_silently(run_of($service));
    wait_ok { $run->accepted } 'rerun when the day is better';
    is scalar $run->posts, 1, 'once';
    ok $service->log->wait_entry('look-failed'), 'the log tells of the failures';
    $service->stop_service;
};

subtest 'deliveries are lost at random' => sub {
    my $seed = $ENV{JR_SEED} // int(time) % 1_000_000;
    note "JR_SEED=$seed";
    srand $seed;
    my $service = looking(RECONCILE_INTERVAL => '200ms');
    introduce($service);
    my %due;
    for my $n (1 .. 24) {
        my $run = run_of($service, jobs => [qw(build test)]);
        my ($sent, $bad) = (sub { event => rand() < 0.5 }, rand() < 0.7);
        $run->queued($_, $sent->()) for qw(build test);
        $run->started($_, $sent->()) for qw(build test);
        $run->completed(build => 'success', $sent->());
        $run->completed(test => $bad ? 'failure' : 'success', $sent->());
        $run->finish($bad ? 'failure' : 'success', $sent->());
        $due{ $run->id } = [$run, $bad ? 1 : 0];
    }
    my @bad = grep { $_->[1] } values %due;
    wait_ok { @bad == grep { $_->[0]->accepted } @bad } 'all that failed are rerun' or diag "JR_SEED=$seed";
    looked_again($service->{repo});
    my @wrong = grep { $_->[0]->posts != $_->[1] } values %due;
    is scalar @wrong, 0, 'once each, and no other' or diag "JR_SEED=$seed";
    $service->stop_service;
};

finish();
