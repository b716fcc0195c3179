#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Several runs in the dispatcher's hands: questions overlap, reruns do not; what hangs delays
# only itself; and where one call is to be tried, it is one.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use List::Util qw(max min);
use Time::HiRes qw(time);
use JR::Process qw(running);
use JR::Test;

my $github = github();

# Each test begins with a good day.
sub service_of {
    my (%o) = @_;
    $github->set_after(0);
    $github->forget_scripts;
    return service(github => $github, %o)->start;
}

# So many runs that fail, and GitHub answers nothing before the last has.
sub runs_fail {
    my ($service, $count, %o) = @_;
    my $hold = $github->hold;
    my @runs = map { workflow_run(github => $github, door => $service->http, jobs => ['build'], %o) } 1 .. $count;
    status_is $_->play(build => 'failure'), 201, 'a run fails' for @runs;
    return @runs;
}

sub rerun_ok {
    my (@runs) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_ok { @runs == grep { $_->accepted } @runs } 'all are rerun';
    is_deeply [map { scalar $_->accepted } @runs], [(1) x @runs], 'each once';
    return;
}

# The most that were unanswered at once, of a method, about the runs.
sub at_once {
    my ($method, @runs) = @_;
    my $ids = join '|', map { $_->id } @runs;
    return max(0, map { $_->{at_once} } $github->requests($method, "/runs/(?:$ids)\\b"));
}

for my $reads (undef, 1, 2, 16) {
    my $want = $reads // 4;
    subtest "API_READS=$want" => sub {
        my $service = service_of(API_READS => $reads, WORKERS => 1);
        $github->set_after(0.2);
        my @runs = runs_fail($service, 12);
        rerun_ok(@runs);
        # As many as there may be, if there were as many at one time.
        is at_once('GET', @runs), $want, 'so many were asked about at once' if $want <= 4;
        cmp_ok at_once('GET', @runs), '<=', $want, 'and no more';
        cmp_ok at_once('GET', @runs), '>', 4, 'but more than by default' if $want > 4;
        is at_once('POST', @runs), 1, 'one was rerun at a time';
        $service->stop_service;
    };
}

subtest 'in the order in which they were due' => sub {
    my $service = service_of(API_WRITE_INTERVAL => '300ms', RERUN_DELAY => '1s');
    $github->set_after(0.1);
    my @runs = map { workflow_run(github => $github, door => $service->http, jobs => ['build']) } 1 .. 8;
    status_is $_->play(build => 'failure'), 201, 'a run fails' for @runs;
    rerun_ok(@runs);
    my @order = sort { ($a->posts)[0]{time} <=> ($b->posts)[0]{time} } @runs;
    is_deeply [map { $_->id } @order], [map { $_->id } @runs], 'as they failed';
    $service->stop_service;
};

subtest 'a question that hangs' => sub {
    my $service = service_of();
    my @hang = map { workflow_run(github => $github, door => $service->http, jobs => ['build']) } 1 .. 3;
    $github->script(GET => '/runs/' . $_->id . '$', { hang => 1 }) for @hang;
    my $asked = time;
    status_is $_->play(build => 'failure'), 201, 'a run fails' for @hang;
    wait_ok { 3 == grep { $_->gets } @hang } 'three are asked about, and nobody answers';
    my @runs = runs_fail($service, 6);
    rerun_ok(@runs);
    # A question is given up after 30 s.
    my $hangs = sub { my ($so) = @_; return $so || time - $asked > 29 };
    ok $hangs->(!$service->log->count('decision', run => $_->id)), 'by when it is not known of the others' for @hang;
    ok $hangs->(1 == (() = $hang[0]->gets)), 'which are still asked about for the first time';
    $service->stop_service;
    ok $hangs->(!$service->log->count('decision', run => $_->id)), 'a stop breaks them off' for @hang;
};

subtest 'a POST that hangs' => sub {
    my $service = service_of();
    my $slow = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $github->script(POST => '/runs/' . $slow->id . '/', { after => 'told', effect => 1 });
    status_is $slow->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $slow->posts } 'its rerun is asked for';
    my @runs = runs_fail($service, 6);
    my ($over) = runs_fail($service, 1);
    $github->set_run($over->id, status => 'completed', conclusion => 'success');
    wait_ok { 6 == grep { $_->gets } @runs } 'others are asked about, also more than may wait';
    wait_ok { $service->log->count('decision', run => $over->id, verdict => 'closed') } 'what needs no POST is recorded';
    # After 30 s it is given up, and another may be sent; then that has been told.
    my $sent = map { $_->posts } @runs;
    ok !$sent || $service->log->count('rerun', run => $slow->id, reason => 'outcome-unknown'), 'before its end no other POST is sent';
    $github->tell;
    rerun_ok($slow, @runs);
    is at_once('POST', $slow, @runs), 1, 'one by one';
    # What was shown before is too old by now.
    for my $run (@runs) {
        my ($post) = $run->posts;
        ok +(grep { $_->{time} > $post->{time} - 5 && $_->{time} < $post->{time} } $run->gets), 'asked about shortly before';
    }
    $service->stop_service;
};

subtest 'one call at a time while they fail' => sub {
    my $service = service_of(API_BACKOFF_MIN => '100ms', API_BACKOFF_MAX => '200ms');
    $github->set_after(0.2);
    $github->script(GET => '/runs/\d+$', { status => 502, body => '<html>' }, 30);
    my @runs = runs_fail($service, 10);
    wait_ok { $service->log->count('calls-fail') } 'calls fail';
    my $begun = max(map { $_->{time} } map { $_->gets } @runs);
    wait_ok { 12 < grep { $_->{time} > $begun + 0.5 } map { $_->gets } @runs } 'many are tried';
    my @tried = grep { $_->{time} > $begun + 0.5 && $_->{status} == 502 } map { $_->gets } @runs;
    is max(map { $_->{at_once} } @tried), 1, 'one at a time';
    rerun_ok(@runs);
    # Who is too slow to be answered in time may begin and end it once more.
    wait_ok { $service->log->count('calls-fail') == $service->log->count('calls-again') } 'told once each time';
    $service->stop_service;
};

subtest 'a rate limit that comes while others are asked' => sub {
    my $service = service_of();
    $github->set_after(0.3);
    my $first = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $github->script(GET => '/runs/' . $first->id . '$', { status => 429, headers => { 'Retry-After' => 3 } });
    # All that is asked at once is read at once, whoever is slow.
    my $hold = $github->hold;
    $first->play(build => 'failure');
    my @runs = runs_fail($service, 8);
    undef $hold;
    wait_ok { $service->log->count('calls-stopped') } 'all calls are stopped';
    my $told = ($first->gets)[0]{time} + 0.3;
    rerun_ok($first, @runs);
    # What was asked before the answer was read comes late on a busy machine.
    my $late_s = min(2.5, 0.5 * slowness());
    my @asked = grep { $_->{time} > $told + $late_s } map { $_->gets, $_->posts } $first, @runs;
    my ($next) = sort { $a <=> $b } map { $_->{time} } @asked;
    cmp_ok $next, '>=', $told + 3, 'for as long as was told, whatever the others were answered';
    is scalar(grep { $_->{time} < $next + 0.2 } @asked), 1, 'then one is tried';
    is $service->log->count('calls-stopped'), 1, 'told once';
    $service->stop_service;
};

subtest 'an owner that shuts us out' => sub {
    my $service = service_of(API_BACKOFF_MIN => '500ms', API_BACKOFF_MAX => '500ms');
    $github->set_after(0.2);
    $github->shut_out('locked', 'Although you appear to have the correct authorization credentials, '
        . 'the organization has an IP allow list enabled');
    my @shut = runs_fail($service, 6, repo => 'locked/app');
    wait_ok { $service->log->count('shut-out') } 'it does';
    my $begun = max(map { $_->{time} } map { $_->gets } @shut);
    wait_ok { 3 < grep { $_->{time} > $begun + 0.2 } map { $_->gets } @shut } 'it is tried again';
    is max(map { $_->{at_once} } grep { $_->{time} > $begun + 0.2 } map { $_->gets } @shut), 1, 'by one at a time';
    rerun_ok(runs_fail($service, 2));
    $github->shut_out('locked');
    rerun_ok(@shut);
    is $service->log->count('shut-out'), 1, 'told once';
    $service->stop_service;
};

subtest 'a token that is being made' => sub {
    my %app = $github->new_app;
    $github->put_installation(31, account => 'tok');
    my $service = service_of(%app);
    $github->set_after(0.2);
    my @runs = runs_fail($service, 6, repo => 'tok/app');
    rerun_ok(@runs);
    is scalar $github->requests(GET => '/repos/tok/app/installation$'), 1, 'the place is looked up once';
    is scalar $github->requests(POST => '/access_tokens$'), 1, 'and one is made';
    my $hold = $github->hold;
    my @more = runs_fail($service, 6, repo => 'tok/app');
    $github->revoke_tokens;
    undef $hold;
    rerun_ok(@more);
    is scalar $github->requests(POST => '/access_tokens$'), 2, 'one more when it was revoked';
    ok !$service->log->count('calls-stopped'), 'and nothing stops';
    $service->stop_service;
};

subtest 'behind an outbox that is never empty' => sub {
    my $service = service_of(API_READS => 1, API_BACKOFF_MIN => '50ms', API_BACKOFF_MAX => '50ms',
        RECONCILE_INTERVAL => '500ms');
    $github->set_after(0.05);
    # Their jobs have failed, and they are not over.
    my @runs = map { workflow_run(github => $github, door => $service->http, jobs => ['build']) } 1 .. 12;
    $_->queued('build'), $_->completed(build => 'failure') for @runs;
    my $lists = sub { scalar $github->requests(GET => '/octo/app/actions/runs$') };
    my $before = $lists->();
    wait_ok { $lists->() >= $before + 3 } 'lists are read all the same';
    wait_ok { (map { scalar $_->gets } @runs)[-1] > 1 } 'and runs are asked about';
    $service->stop_service;
};

# Runs that only a list tells of, so that GitHub has to be asked what their workflow is called.
sub unnamed_runs_fail {
    my ($service, $count, %o) = @_;
    my $known = workflow_run(github => $github, door => $service->http, jobs => ['build'], name => 'CI', %o);
    status_is $known->queued('build'), 202, 'the repository is known';
    my $hold = $github->hold;
    my @runs = map { workflow_run(github => $github, door => $service->http, jobs => ['build'], name => 'Many', %o) } 1 .. $count;
    for my $run (@runs) {
        $github->set_job($run->id, 'build', status => 'completed', conclusion => 'failure');
        $run->finish('failure', event => 0);
    }
    return @runs;
}

my %names = (NO_RETRY_WORKFLOWS => 'Deploy*', RECONCILE_INTERVAL => '500ms', API_WRITE_INTERVAL => 0);

subtest 'runs that wait for the name of their workflow' => sub {
    my $service = service_of(%names, API_READS => 2, WORKERS => 1);
    $github->set_after(0.2);
    $github->script(GET => 'octo/names/actions/workflows/', { after => 2, effect => 1 });
    my @runs = unnamed_runs_fail($service, 10, repo => 'octo/names');
    rerun_ok(@runs);
    is at_once('GET', @runs), 2, 'no more are asked about at once';
    $service->stop_service;
};

subtest 'a rate limit that comes while runs wait for a name' => sub {
    my $service = service_of(%names);
    $github->script(GET => 'octo/limit/actions/workflows/',
        { status => 429, headers => { 'Retry-After' => 3 }, after => 1 }, 20);
    my @runs = unnamed_runs_fail($service, 10, repo => 'octo/limit');
    wait_ok { $service->log->count('calls-stopped') } 'all calls are stopped';
    my $asked = sub { return map { $_->{time} } $github->requests(GET => '/octo/limit/actions/workflows/') };
    my ($first) = $asked->();
    # The answer comes a second after the question, and says three.
    wait_ok { time > $first + 4 } 'for as long as was told';
    is scalar(grep { $_ < $first + 4 } $asked->()), 1, 'none of the others is asked about';
    $github->forget_scripts;
    rerun_ok(@runs);
    $service->stop_service;
};

subtest 'behind a run that may not be asked about' => sub {
    my %app = $github->new_app;
    $github->put_installation(41, account => 'slow');
    $github->put_installation(42, account => 'other');
    my $service = service_of(%app, API_WRITE_INTERVAL => '3s', WORKERS => 1);
    rerun_ok(runs_fail($service, 1, repo => 'slow/app'));
    # Its answer comes when the token is no longer good, and the next one is being made.
    my $waits = workflow_run(github => $github, door => $service->http, jobs => ['build'], repo => 'slow/app');
    $github->script(GET => '/runs/' . $waits->id . '$', { after => 'told', effect => 1 });
    status_is $waits->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $waits->gets } 'and is asked about';
    $github->revoke_tokens;
    $github->script(POST => '/installations/41/access_tokens$', { hang => 1 }, 100);
    runs_fail($service, 1, repo => 'slow/app');
    wait_ok { 2 <= $github->requests(POST => '/installations/41/access_tokens$') } 'a new token takes long';
    $github->tell;
    is scalar $waits->posts, 0, 'by when it was not rerun';
    rerun_ok(runs_fail($service, 1, repo => 'other/app'));
    is scalar $waits->posts, 0, 'which does not keep another from being rerun';
    $github->tell;
    $service->stop_service;
};

subtest 'behind a token that is being made, and before a pause' => sub {
    my %app = $github->new_app;
    $github->put_installation(51, account => 'late');
    my $service = service_of(%app, WORKERS => 1);
    my $paused = tool(['pause', '--repo', 'held/app'], %{ $service->environment });
    is $paused->{status}, 0, 'a repository is paused';
    $github->script(POST => '/installations/51/access_tokens$', { after => 'told', effect => 1 });
    my ($first) = runs_fail($service, 1, repo => 'late/app');
    wait_ok { $github->requests(POST => '/installations/51/access_tokens$') } 'a token takes long';
    $github->set_run($first->id, status => 'completed', conclusion => 'success');
    my ($next) = runs_fail($service, 1, repo => 'late/app');
    my ($held) = runs_fail($service, 1, repo => 'held/app');
    my $begun = time;
    $github->tell;
    wait_ok { $service->log->count('decision', run => $first->id, verdict => 'closed') } 'the first is not rerun';
    wait_ok { $next->accepted } 'the next is';
    # All that is held up is looked at again after a minute.
    cmp_ok time - $begun, '<', 30, 'as soon as it can be';
    is scalar $held->gets, 0, 'and the one that is paused stays so';
    $service->stop_service;
};

subtest 'a stop while all hangs' => sub {
    my $service = service_of();
    $github->script(GET => '/runs/\d+$', { hang => 1 }, 100);
    my @runs = runs_fail($service, 6);
    wait_ok { 4 == grep { $_->gets } @runs } 'as many as may be are asked about';
    my $stopped = time;
    $service->stop_service;
    my $took = time - $stopped;
    cmp_ok $took, '<', 5 * slowness(), 'the service is stopped at once';
    is $service->log->count('stop'), 0, 'nobody had to be killed';
    $github->forget_scripts;
    $service->start_service;
    rerun_ok(@runs);
    $service->stop_service;
};

finish();
