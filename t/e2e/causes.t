#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Why a run failed: the service looks for it where the policy asks for causes, cheapest first, and
# the policy decides. What it reads of logs comes from another host, which sees no token.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;
use JR::File qw(write_file);
use JR::Http;
use JR::Process qw(reap children_of);
use JR::Test;

my $github = github();
my $number = 0;

# What careful and infrastructure say, but at once.
my $POLICY = <<'YAML';
version: 1
otherwise: leave
rules:
  - name: proved
    rerun: [infrastructure]
  - name: tests
    when: { job: "flaky*" }
    rerun: [test, unknown]
same-failure: rerun
YAML

sub policy_file {
    my ($text) = @_;
    my $file = tmpdir() . '/policy' . ++$number . '.yml';
    write_file($file, $text);
    return $file;
}

# Each test begins with a good day.
sub service_of {
    my (%o) = @_;
    $github->forget_scripts;
    $github->forget_log_requests;
    $github->set_checks(1);
    $github->set_log_host(map { $_ => undef } qw(ignore_range no_suffix no_length encoding gone fails));
    return service(github => $github, POLICY => policy_file($POLICY), WORKERS => 1, %o)->start;
}

my @MADE = (['Set up job'], ['Run make', 'failure'], ['Post checkout', 'skipped'], ['Complete job']);

my @SETUP = ('##[group]Run make', "\e[36;1mmake || echo 'Connection reset by peer'\e[0m", '##[endgroup]');
my @NETWORK = (@SETUP, 'curl: (56) Recv failure: Connection reset by peer', '##[error]Process completed with exit code 56.');
my @COMPILER = (@SETUP, 'src/main.c:10:5: error: expected expression before token', 'make: *** [Makefile:12: main.o] Error 1',
    '##[error]Process completed with exit code 2.');

# A run whose jobs have failed: name => what there is to know of it.
sub run_of {
    my ($service, $jobs, %o) = @_;
    my $conclusion = delete $o{conclusion} // 'failure';
    my $run = workflow_run(github => $github, door => $service->http, jobs => [sort keys %$jobs], %o);
    $run->queued($_) for sort keys %$jobs;
    my @names = sort keys %$jobs;
    for my $name (@names) {
        my %job = (steps => \@MADE, runner_id => 7, runner_name => 'runner 7', conclusion => 'failure', %{ $jobs->{$name} });
        my $of_job = delete $job{conclusion};
        $run->describe($name, %job);
        next if $name eq $names[-1] && return_last($run, $conclusion, $name, $of_job);
        $run->completed($name, $of_job);
    }
    return $run;
}

sub return_last {
    my ($run, $conclusion, $name, $of_job) = @_;
    my $hold = $run->github->hold;
    $run->ends($conclusion, $name, $of_job);
    status_is $run->finish($conclusion, event => 1), 201, 'the run is over, and is looked at';
    return 1;
}

sub why { my ($service, $run) = @_; return tool(['why', $run->id], STATE_DIR => $service->state_dir)->{out} }

sub reason_of {
    my ($service, $run) = @_;
    my $entry = $service->log->wait_entry('decision', run => $run->id, verdict => 'closed') or return 'none';
    return $entry->{reason};
}

sub cause_of {
    my ($service, $run, $job) = @_;
    my $entry = $service->log->wait_entry('cause', run => $run->id, job => $job) or return 'none';
    return $entry->{cause};
}

sub left_ok {
    my ($service, $run, $reason, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is reason_of($service, $run), $reason, "$name is left";
    return is scalar $run->posts, 0, 'and nothing is posted';
}

sub calls { my ($run, $what) = @_; return scalar $github->requests(GET => $what) }

sub id_of { my ($run, $name) = @_; return (grep { $_->{name} eq $name } @{ $run->truth->{jobs} })[0]{id} }

subtest 'a fault of the network' => sub {
    my $service = service_of();
    my $run = run_of($service, { build => { log => \@NETWORK } });
    wait_ok { $run->accepted } 'is rerun';
    is cause_of($service, $run, 'build'), 'network', 'with its cause';
    my $id = id_of($run, 'build');
    my @reads = $github->log_requests;
    is scalar @reads, 1, 'one log was read';
    is scalar(grep { defined $_->{headers}{authorization} } @reads), 0, 'without a token';
    is $reads[0]{headers}{range}, 'bytes=-1048576', 'the end of it';
    $service->stop_service;
};

subtest 'a fault of the code' => sub {
    my $service = service_of();
    my $run = run_of($service, { build => { log => \@COMPILER } });
    left_ok($service, $run, 'left-by-rule', 'what does not compile');
    is cause_of($service, $run, 'build'), 'build', 'with its cause';
    my $other = run_of($service, { build => { log => [@SETUP, 'something odd', '##[error]Process completed with exit code 1.'] } });
    left_ok($service, $other, 'cause-not-known', 'what nobody knows');
    $service->stop_service;
};

subtest 'each failed job has to deserve it' => sub {
    my $service = service_of();
    my $run = run_of($service, { build => { log => \@COMPILER }, 'e2e' => { log => \@NETWORK } });
    left_ok($service, $run, 'left-by-rule', 'one of two');
    is scalar(grep { $_->{path} =~ m{logs} } $github->log_requests), 1, 'once that is known, no more is asked';
    my $flaky = run_of($service, { 'flaky (1)' => { log => [@SETUP, 'FAILED: one of 200 tests'] }, build => { log => \@NETWORK } });
    wait_ok { $flaky->accepted } 'two that deserve it by different rules';
    $service->stop_service;
};

subtest 'a rule for workflows of some name' => sub {
    my $service = service_of(RECONCILE_INTERVAL => '500ms', POLICY => policy_file("version: 1\notherwise: rerun\nrules:\n"
            . "  - { name: no-releases, when: { workflow: 'Release*' }, leave: all }\n"));
    my %of = (github => $github, door => $service->http, jobs => ['build'], repo => 'octo/unheard');
    status_is workflow_run(%of, name => 'CI')->queued('build'), 202, 'a repository is known';
    my ($release, $tests) = map { workflow_run(%of, name => $_, run_name => 'v1.42.0') } 'Release it', 'Tests';
    {
        my $hold = $github->hold;
        for my $run ($release, $tests) {
            $run->describe('build', steps => \@MADE, log => \@NETWORK);
            $run->job('build', $_, $_ eq 'completed' ? 'failure' : undef, event => 0) for qw(queued completed);
            $run->finish('failure');
        }
    }
    wait_ok { $tests->accepted } 'of two that no event tells of one is rerun';
    left_ok($service, $release, 'left-by-rule', 'the release');
    $service->stop_service;
};

subtest 'a job that only reports others' => sub {
    my $service = service_of();
    my $run = run_of($service, { build => { log => \@NETWORK }, 'all-checks-passed' => { log => [@SETUP, '##[error]build failed'] } });
    wait_ok { $run->accepted } 'does not count';
    $service->stop_service;
};

subtest 'annotations' => sub {
    my $service = service_of();
    my $lost = run_of($service, { build => {
        steps => [['Set up job'], ['Run make', 'cancelled']], log => undef,
        annotations => ['The self-hosted runner lost communication with the server. Verify the machine is running.'],
    } });
    wait_ok { $lost->accepted } 'a runner that is lost';
    is cause_of($service, $lost, 'build'), 'runner-lost', 'with its cause';
    is scalar $github->log_requests, 0, 'of whose job no log is read';
    my $billing = run_of($service, { build => {
        steps => [], runner_id => 0, runner_name => '', log => undef,
        annotations => ['The job was not started because recent account payments have failed or your spending limit needs to be increased.'],
    } });
    left_ok($service, $billing, 'left-by-rule', 'a bill that is not paid');
    $service->stop_service;
};

subtest 'annotations that may not be read' => sub {
    my $service = service_of();
    $github->set_checks(0);
    my $asked = $github->requests(GET => '/check-runs/\d+/annotations');
    for my $times (1, 1) {
        my $run = run_of($service, { build => { log => \@NETWORK } });
        wait_ok { $run->accepted } 'the log tells it';
        is scalar $github->requests(GET => '/check-runs/\d+/annotations'), $times + $asked, 'they are asked for once';
    }
    like health($service), qr/"degraded":\[\]/, 'which is nothing bad';
    $service->stop_service;
};

sub id_first { my ($run) = @_; return $run->truth->{past}{1} ? $run->truth->{past}{1}{jobs}[0]{id} : $run->truth->{jobs}[0]{id} }

sub health { my ($service) = @_; return $service->http->send({ method => 'GET', path => '/healthz', headers => [] })->body }

subtest 'what is cancelled' => sub {
    my $service = service_of();
    my $none = run_of($service, { build => {
        steps => [], runner_id => 0, runner_name => '', log => undef, conclusion => 'cancelled',
        annotations => ['The job was not acquired by Runner of type hosted even after multiple attempts'],
    } }, conclusion => 'cancelled');
    wait_ok { $none->accepted } 'because no runner took it, is rerun';
    my $person = run_of($service, { build => {
        steps => [['Set up job'], ['Run make', 'cancelled']], conclusion => 'cancelled',
        annotations => ['The run was canceled by @octocat.'], log => [@SETUP, '##[error]The operation was canceled.'],
    } }, conclusion => 'cancelled');
    left_ok($service, $person, 'conclusion-not-retried', 'by a person');
    my $nobody = run_of($service, { build => {
        steps => [['Set up job'], ['Run make', 'cancelled']], conclusion => 'cancelled',
        log => [@SETUP, 'curl: (56) Recv failure: Connection reset by peer', '##[error]The operation was canceled.'],
    } }, conclusion => 'cancelled');
    left_ok($service, $nobody, 'conclusion-not-retried', 'by nobody knows whom');
    $service->stop_service;
};

subtest 'evidence that cannot be read' => sub {
    my $service = service_of();
    my $gone = run_of($service, { build => { log => undef } });
    left_ok($service, $gone, 'cause-not-known', 'a log that never comes, of a step that failed')
        or diag why($service, $gone);
    my $slow = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $slow->describe('build', steps => \@MADE, log => \@NETWORK);
    $github->script(GET => 'runs/' . $slow->id . '/attempts/1/jobs', { status => 502, body => '<html>' }, 2);
    status_is $slow->play(build => 'failure'), 201, 'a run fails while GitHub does';
    wait_ok { $slow->accepted } 'its jobs are asked for again';
    my $unlisted = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $unlisted->describe('build', steps => \@MADE, log => \@NETWORK);
    $github->script(GET => 'runs/' . $unlisted->id . '/attempts/1/jobs', { status => 502, body => '<html>' }, 4);
    status_is $unlisted->play(build => 'failure'), 201, 'a run fails, and GitHub never tells of which jobs';
    left_ok($service, $unlisted, 'evidence-unreadable', 'one of which others may have failed');
    my $refused = run_of($service, { build => { log => \@NETWORK, log_refused => 403 } });
    left_ok($service, $refused, 'evidence-unreadable', 'a log that is refused');
    $service->stop_service;
};

subtest 'a list of jobs that is behind' => sub {
    my $service = service_of();
    for my $behind ([{ status => 'in_progress', conclusion => undef, completed_at => undef }], []) {
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        $run->describe('build', steps => \@MADE, log => \@NETWORK);
        my %job = (id => id_of($run, 'build'), run_id => $run->id, name => 'build', run_attempt => 1);
        my $body = { total_count => scalar @$behind, jobs => [map { { %job, %$_ } } @$behind] };
        $github->script(GET => 'runs/' . $run->id . '/attempts/1/jobs', { status => 200, body => $body }, 2);
        status_is $run->play(build => 'failure'), 201, 'a run is over, and its list of jobs is not';
        wait_ok { $run->accepted } 'the list is asked for again';
        is cause_of($service, $run, 'build'), 'network', 'until it shows why';
    }
    $service->stop_service;
};

subtest 'more failed jobs than are looked at' => sub {
    my $service = service_of(POLICY => policy_file("version: 1\notherwise: leave\nrules:\n"
            . "  - { name: gates, when: { job: 'all jobs*' }, rerun: [unknown] }\n"));
    my $run = workflow_run(github => $github, door => $service->http, jobs => [(map { "all jobs $_" } 1 .. 256), 'build']);
    for my $name (map { $_->{name} } @{ $run->truth->{jobs} }) {
        $run->job($name, $_, $_ eq 'completed' ? 'failure' : undef, event => 0) for qw(queued completed);
    }
    status_is $run->finish('failure', event => 1), 201, 'a run fails';
    left_ok($service, $run, 'evidence-unreadable', 'what is behind them');
    $service->stop_service;
};

subtest 'a log that comes late' => sub {
    my $service = service_of(API_BACKOFF_MIN => '500ms', API_BACKOFF_MAX => '1s');
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $run->describe('build', steps => \@MADE, log => \@NETWORK);
    $github->script(GET => 'job-logs', { status => 404, body => '' });
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'its log is asked for again';
    is(($github->log_requests)[0]{status}, 404, 'there was none yet');
    $service->stop_service;
};

subtest 'a host of logs that has a bad day' => sub {
    my $service = service_of(API_BACKOFF_MIN => '500ms', API_BACKOFF_MAX => '1s');
    for my $status (503, 403) {
        $github->script(GET => 'job-logs', { status => $status, body => '' });
        $github->forget_log_requests;
        my $run = run_of($service, { build => { log => \@NETWORK } });
        wait_ok { $run->accepted } 'the log is asked for again';
        is(($github->log_requests)[0]{status}, $status, "after a $status");
    }
    $github->set_log_host(fails => 503);
    $github->forget_log_requests;
    # An event of the run that comes late, while it is looked at, begins the tries anew.
    my $never = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $never->describe('build', steps => \@MADE, log => \@NETWORK);
    status_is $never->play(build => 'failure'), 201, 'a run fails';
    left_ok($service, $never, 'evidence-unreadable', 'what stays so');
    is scalar $github->log_requests, 4, 'after three times more';
    $service->stop_service;
};

subtest 'EVIDENCE=never' => sub {
    my $service = service_of(EVIDENCE => 'never');
    my $run = run_of($service, { build => { log => \@NETWORK } });
    left_ok($service, $run, 'evidence-unreadable', 'what nobody may look into');
    is calls($run, 'runs/' . $run->id . '/attempts'), 0, 'its jobs are not asked for';
    is scalar $github->log_requests, 0, 'nor its log';
    my $setup = run_of($service, { build => { steps => [['Set up job', 'failure'], ['Run make', 'skipped']], log => \@NETWORK } });
    wait_ok { $setup->accepted } 'but what the events tell of its steps counts';
    is cause_of($service, $setup, 'build'), 'setup', 'by their shape';
    $service->stop_service;
};

subtest 'LOG_TAIL=0' => sub {
    my $service = service_of(LOG_TAIL => 0);
    my $run = run_of($service, { build => { log => \@NETWORK } });
    left_ok($service, $run, 'evidence-unreadable', 'what only a log tells');
    is scalar $github->log_requests, 0, 'no log is read';
    is calls($run, 'actions/jobs/' . id_first($run) . '/logs'), 0, 'or asked for';
    $service->stop_service;
};

subtest 'POLICY=everything' => sub {
    my $service = service_of(POLICY => 'everything');
    my $run = run_of($service, { build => { log => \@COMPILER } });
    wait_ok { $run->accepted } 'whatever it is, it is rerun';
    # What was shown more than 5 s ago is asked for again.
    my @gets = grep { $_->{path} =~ $run->id } $github->requests(GET => '.');
    is scalar @gets, scalar $run->gets, 'after a question about the run alone';
    is calls($run, '/check-runs/' . id_of($run, 'build')), 0, 'and none about its job';
    is scalar $github->log_requests, 0, 'or its log';
    $service->stop_service;
    $service = service_of(POLICY => 'everything', EVIDENCE => 'always');
    $run = run_of($service, { build => { log => \@COMPILER }, lint => { log => \@NETWORK } });
    wait_ok { $run->accepted } 'also while evidence is gathered for later';
    is cause_of($service, $run, 'build'), 'build', 'of one job';
    is cause_of($service, $run, 'lint'), 'network', 'and of the other';
    $service->stop_service;
};

subtest 'a delay' => sub {
    my $service = service_of(POLICY => policy_file("version: 1\nrules:\n  - { name: later, rerun: [network], delay: 4s }\notherwise: leave\n"));
    my $run = run_of($service, { build => { log => \@NETWORK } });
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait'), 'it waits';
    wait_ok { $run->accepted } 'it is rerun';
    # GitHub tells its end in whole seconds.
    is scalar(my @posts = $run->posts), 1, 'once';
    cmp_ok $posts[0]{time}, '>=', int($run->truth->{past}{1}{updated_at}) + 4, 'when the delay is over';
    $service->stop_service;
};

subtest 'the last attempt with the debug log' => sub {
    my $service = service_of(RUN_ATTEMPTS => 3, POLICY => policy_file($POLICY . "debug-logging: last\n"));
    my $run = run_of($service, { build => { log => \@NETWORK } });
    wait_ok { $run->accepted } 'the first rerun';
    is +($run->posts)[0]{body}, '', 'is as ever';
    $run->describe('build', steps => \@MADE, log => \@NETWORK);
    status_is $run->play(build => 'failure'), 201, 'it fails again';
    wait_ok { $run->accepted == 2 } 'the second';
    is_deeply decode_json(($run->posts)[1]{body}), { enable_debug_logging => JSON::PP::true }, 'has the debug log';
    $service->stop_service;
};

subtest 'guards' => sub {
    my $service = service_of();
    my $queue = run_of($service, { build => { log => \@NETWORK } }, event => 'merge_group');
    left_ok($service, $queue, 'merge-queue', 'a run of the merge queue');
    is calls($queue, 'runs/' . $queue->id . '/attempts'), 0, 'and nobody looks why it failed';
    my $release = run_of($service, { build => { log => \@NETWORK } }, event => 'release');
    left_ok($service, $release, 'left-by-rule', 'a release');
    my $named = policy_file("version: 1\notherwise: leave\nrules:\n  - { rerun: [network], when: { event: release } }\n");
    $service->stop_service;
    $service = service_of(POLICY => $named);
    my $other = run_of($service, { build => { log => \@NETWORK } }, event => 'release');
    wait_ok { $other->accepted } 'a release that a rule names';
    $service->stop_service;
};

subtest 'hostile logs' => sub {
    my $service = service_of();
    my %log = (
        'bytes'      => "\xef\xbb\xbf" . join('', map { chr } 0 .. 255) x 4000,
        'a long line' => 'a' x 3_000_000,
        'all there is' => join("\n", (map { "2026-01-01T00:00:00.0000000Z $_" } 'The operation was canceled.', 'No space left on device',
            'lost communication with the server', '503 Service Unavailable', 'src/a.c:1:1: error: no')) . "\n",
    );
    for my $name (sort keys %log) {
        my $run = run_of($service, { build => { log => $log{$name} } });
        like reason_of($service, $run), qr/^(?:left-by-rule|cause-not-known|evidence-unreadable)$/, "$name: left";
    }
    my $run = run_of($service, { build => { log => \@NETWORK, log_before => 165_000_000 } });
    wait_ok { $run->accepted } 'of a large log only the end is read';
    $github->set_log_host(ignore_range => 1);
    my $other = run_of($service, { build => { log => \@NETWORK, log_before => 3_000_000 } });
    wait_ok { $other->accepted } 'also where the host sends all of it';
    $service->stop_service;
};

subtest 'killed on the way' => sub {
    for my $point (qw(inquiry found-out judged)) {
        my $file = tmpdir() . '/stop' . ++$number;
        my $service = service_of(JR_TEST_STOP_AT => "$point:$file");
        my $run = run_of($service, { build => { log => \@NETWORK }, lint => { log => \@NETWORK } });
        my $pid = wait_for { $service->dispatcher_at($file) };
        ok $pid, "$point: it is there" or next;
        $service->expect_death;
        kill 'KILL', $pid;
        wait_ok { $run->accepted } "$point: it is rerun all the same";
        is scalar $run->accepted, 1, 'once';
        is scalar $github->log_requests, 2, 'and each log was read once';
        $service->stop_service;
    }
};

subtest 'a matcher that is killed' => sub {
    my $service = service_of(LOG_TAIL => 0);
    my $matcher = wait_for { (children_of($service->dispatcher // return))[0] };
    ok $matcher, 'there is one' or return $service->stop_service;
    kill 'STOP', $matcher;
    my $run = run_of($service, { build => {
        steps => [['Set up job'], ['Run make', 'cancelled']],
        annotations => ['The self-hosted runner lost communication with the server. Verify the machine is running.'],
    } });
    wait_ok { $github->requests(GET => '/check-runs/' . id_of($run, 'build') . '/annotations') } 'a job is to be judged';
    $service->expect_death;
    kill 'KILL', $matcher;
    wait_ok { $run->accepted } 'the next one judges it';
    is cause_of($service, $run, 'build'), 'runner-lost', 'by all there is';
    $service->stop_service;
};

# The next attempt of a run fails, too.
sub fails_again {
    my ($run, @log) = @_;
    $run->queued('build');
    $run->describe('build', steps => \@MADE, runner_id => 7, runner_name => 'runner 7', log => \@log);
    return return_last($run, 'failure', 'build', 'failure');
}

subtest 'twice the same' => sub {
    my $service = service_of(POLICY => policy_file("version: 1\notherwise: rerun\n"), RUN_ATTEMPTS => 4, RECONCILE_INTERVAL => '1h');
    my @end = ('##[error]Process completed with exit code 1.');
    my @odd = map { [@SETUP, "error: the frobnicator left at $_", @end] } '10:11:12', '11:12:13';
    my $run = run_of($service, { build => { log => $odd[0] } });
    wait_ok { $run->accepted } 'what nobody knows is rerun';
    fails_again($run, @{ $odd[1] });
    is reason_of($service, $run), 'same-failure', 'but not when it fails by the same error again, at another time of day';
    is scalar $run->accepted, 1, 'and nothing is posted';
    like why($service, $run), qr/it is left, since it failed in an earlier attempt in the same step by the same error\n  as in attempt 1: error: the frobnicator left at 10:11:12\n/, 'why tells the earlier line';
    my $told = decode_json(tool(['why', '--json', $run->id], STATE_DIR => $service->state_dir)->{out});
    is_deeply [map { $_->{same_as} } @{ $told->{failures} }],
        [undef, { attempt => 1, job_id => $told->{failures}[0]{job_id}, line => 'error: the frobnicator left at 10:11:12' }], 'so does --json';

    my $other = run_of($service, { build => { log => $odd[0] } });
    wait_ok { $other->accepted } 'another run';
    fails_again($other, @SETUP, 'error: the flux is missing', @end);
    wait_ok { $other->accepted == 2 } 'fails by another error, and is rerun';
    fails_again($other, @{ $odd[1] });
    is reason_of($service, $other), 'same-failure', 'then by that of attempt 1';

    my $network = run_of($service, { build => { log => \@NETWORK } });
    wait_ok { $network->accepted } 'a fault of the network';
    fails_again($network, @NETWORK);
    wait_ok { $network->accepted == 2 } 'may come twice';

    my $silent = run_of($service, { build => { log => [@SETUP, 'nothing to see'] } });
    wait_ok { $silent->accepted } 'a log without an error';
    fails_again($silent, @SETUP, 'nothing to see');
    wait_ok { $silent->accepted == 2 } 'is the same as no other';

    my $between = run_of($service, { build => { log => $odd[0] } });
    wait_ok { $between->accepted } 'a run is rerun';
    $between->completed('build', 'failure', event => 0);
    $between->finish('failure');
    my $answer = JR::Http->new(port => $github->{port})->send({
        method => 'POST', path => '/repos/octo/app/actions/runs/' . $between->id . '/rerun-failed-jobs',
        headers => [['User-Agent', 'a browser'], ['Authorization', 'Bearer ' . JR::Service::token()]],
    });
    is $answer->status, 201, 'and somebody has it rerun again, before it was looked at';
    fails_again($between, @{ $odd[1] });
    is reason_of($service, $between), 'same-failure', 'it has failed as in the attempt that was looked at';
    $service->stop_service;
};

subtest 'a policy that is broken' => sub {
    my $file = policy_file("version: 1\nrulez: []\notherwise: maybe\n");
    my $service = service(github => $github, POLICY => $file, WORKERS => 1);
    ok !eval { $service->start_service; 1 }, 'is none to start with';
    is reap(delete $service->{master}) >> 8, 78, 'with the status of a wrong setting';
    like $service->log->text, qr/wrong-setting .*\Q$file\E:2:1: /, 'the log has the place';
    like $service->log->text, qr/wrong-setting .*\Q$file\E:3:\d+: /, 'of each mistake';

    my $good = policy_file($POLICY);
    $service = service_of(POLICY => $good);
    write_file($good, "version: 2\n");
    my $mark = $service->log->mark;
    kill 'HUP', $service->master;
    ok $service->log->wait_entry('reload-refused', since => $mark), 'at a reload';
    wait_ok { health($service) =~ /"degraded":\["policy"\]/ } 'it shows';
    my $run = run_of($service, { build => { log => \@NETWORK } });
    wait_ok { $run->accepted } 'and the one from before is in force';
    write_file($good, $POLICY);
    $mark = $service->log->mark;
    kill 'HUP', $service->master;
    ok $service->log->wait_entry('reloaded', since => $mark), 'once it is repaired';
    wait_ok { health($service) =~ /"degraded":\[\]/ } 'all is well';
    $service->stop_service;
};

finish();
