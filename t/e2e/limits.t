#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Limits: no more reruns than the policy allows, whatever happens between the intent of a POST
# and its answer; those that are over it wait, and go on in the next hour.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::File qw(read_file write_file);
use JR::Html;
use JR::Payload qw(delivery job_event next_id);
use JR::Test;

use constant { HOUR => 3_600_000, DAY => 86_400_000 };

my $github = github();
my $files = 0;

sub policy_file {
    my ($text, $file) = @_;
    $file //= tmpdir() . '/policy' . ++$files . '.yml';
    return write_file($file, "version: 1\notherwise: rerun\nsame-failure: rerun\n$text");
}

# The clock of the service stands at twenty past ten in the morning of the next day, in UTC: no hour
# and no day ends while a test runs.
my $now = time * 1000;
my $ahead = DAY - $now % DAY + 10 * HOUR + HOUR / 3;

sub service_of {
    my ($limits, %o) = @_;
    return service(github => $github, WORKERS => 1, CATCH_UP => '20d', POLICY => policy_file($limits), JR_TEST_AHEAD => $ahead, %o)->start;
}

# A run that has failed.
sub failed_run {
    my ($service, %o) = @_;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], branch => 'b' . ++$files, %o);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    return $run;
}

sub status {
    my ($service) = @_;
    return JSON::PP->new->decode(tool(['status', '--json'], %{ $service->environment })->{out});
}

sub why {
    my ($service, $run) = @_;
    return JSON::PP->new->decode(tool(['why', '--json', $run->id], %{ $service->environment })->{out});
}

sub get {
    my ($service, $path) = @_;
    return $service->http->send({ method => 'GET', path => $path, headers => [] });
}

sub waits {
    my ($service, $run) = @_;
    return wait_ok { why($service, $run)->{run}{reason} eq 'budget-used-up' } 'it waits for budget';
}

sub accepted { return scalar grep { $_->accepted } @_ }

subtest 'two in an hour, the others in the next' => sub {
    my $service = service_of("limits: { reruns-per-hour: 2 }\n", pages => 'status metrics');
    my @runs = map { failed_run($service) } 1 .. 5;
    wait_ok { accepted(@runs) == 2 && status($service)->{limits}{waiting} == 3 } 'two are rerun, three wait';
    my @waiting = grep { !$_->accepted } @runs;
    waits($service, $_) for @waiting;
    my $why = tool(['why', $waiting[0]->id], %{ $service->environment })->{out};
    like $why, qr/budget-used-up/, 'why says so';
    like $why, qr/^It waits for budget until .* Its rerun would cost 1 runner minute, /m, 'until when, and what it costs';
    is why($service, $waiting[0])->{rerun_minutes}, 1, 'likewise as JSON';

    my $limits = status($service)->{limits};
    is $limits->{reruns_this_hour}, 2, 'status: what is spent';
    is_deeply $limits->{repositories}, [{ repository => 'octo/app', reruns_this_hour => 2, reruns_per_hour => 2, minutes_today => 2,
        minutes_per_day => undef }], 'and by whom';
    is $limits->{repositories_over}, 1, 'one is at its limit';
    my $text = tool(['status'], %{ $service->environment })->{out};
    like $text, qr/^spent +2 reruns this hour, 2 runner minutes today\n +octo\/app: 2 of 2 reruns this hour.*\n +3 runs wait for budget$/m, 'in words';
    my $page = get($service, '/status')->body;
    is join("\n", JR::Html->new($page)->faults), '', 'the page is well-formed';
    is scalar(grep { !@$_ } JR::Html->new($page)->rows), 0, 'each row of it leads somewhere';
    like $page, qr/3 runs wait for budget.*octo\/app<\/a>.*>2 of 2</s, 'on the page';
    my $metrics = get($service, '/metrics')->body;
    like $metrics, qr/^job_rerunner_budget_waiting_runs 3$/m, 'metrics: those that wait';
    like $metrics, qr/^job_rerunner_spent_reruns 2$/m, 'what is spent';
    like $metrics, qr/^job_rerunner_limits_over 1$/m, 'who is over';

    is tool(['rerun', $waiting[0]->id], %{ $service->environment })->{status}, 0, 'one by hand';
    wait_ok { $waiting[0]->accepted } 'is rerun all the same';
    is status($service)->{limits}{reruns_this_hour}, 3, 'and counts';
    is accepted(@runs), 3, 'none of the others';

    $service->restart(JR_TEST_AHEAD => $ahead + HOUR + 300_000);
    wait_ok { accepted(@runs) == 5 } 'in the next hour they go on';
    is status($service)->{limits}{reruns_this_hour}, 2, 'which counts anew';
};

# Two limits, of which one holds all day: who waits for that is due again after twelve hours.
subtest 'who waits costs GitHub nothing' => sub {
    my $service = service_of("limits: { reruns-per-hour: 1, minutes-per-day: 1 }\n");
    my $first = failed_run($service);
    wait_ok { $first->accepted } 'one is rerun';
    my $run = failed_run($service);
    waits($service, $run);
    my $id = $run->id;
    is scalar $github->requests(GET => "/runs/$id/concurrency_groups"), 0, 'no guard asks about one that waits';
    my $gets = $github->gets($id);
    my $due = why($service, $run)->{run}{due_at};
    $service->restart(JR_TEST_AHEAD => $ahead + 12 * HOUR + HOUR / 6);
    wait_ok { why($service, $run)->{run}{due_at} ne $due } 'when it is due it waits on';
    is scalar $github->gets($id), $gets, 'and nobody asks about it';
    $service->restart(JR_TEST_AHEAD => $ahead + DAY);
    wait_ok { $run->accepted } 'the next day it is rerun';
    cmp_ok scalar $github->requests(GET => "/runs/$id/concurrency_groups"), '>', 0, 'by its guards, too';
};

subtest 'all repositories together' => sub {
    my $service = service_of("limits: { reruns-per-hour: 2 }\nlimits-all: { reruns-per-hour: 3 }\n");
    my @runs = map { failed_run($service, repo => $_) } qw(octo/one octo/one octo/two octo/two);
    wait_ok { accepted(@runs) == 3 && status($service)->{limits}{waiting} == 1 } 'three, and one waits';
    is status($service)->{limits}{reruns_per_hour}, 3, 'status has the limit of all';
};

subtest 'a reload' => sub {
    my $file = policy_file("limits: { reruns-per-hour: 1 }\n");
    my $service = service_of('', POLICY => $file);
    my @runs = map { failed_run($service) } 1 .. 2;
    wait_ok { accepted(@runs) == 1 && status($service)->{limits}{waiting} == 1 } 'one is rerun, one waits';
    policy_file("limits: { reruns-per-hour: 2 }\n", $file);
    kill 'HUP', $service->master;
    ok $service->log->wait_entry('reloaded'), 'reloaded';
    my $next = failed_run($service);
    wait_ok { $next->accepted } 'one more is rerun at once';
    my $last = failed_run($service);
    waits($service, $last);
};

# The dispatcher is killed at a point; what is spent stays exact.
for my $point (qw(before-post after-post)) {
    subtest "killed at $point" => sub {
        my $file = tmpdir() . "/stop-$point";
        my $service = service_of("limits: { reruns-per-hour: 1 }\n", JR_TEST_STOP_AT => "$point:$file");
        my $run = failed_run($service);
        my $pid = wait_for { $service->dispatcher_at($file) };
        ok $pid, 'the dispatcher is at the point';
        is status($service)->{limits}{reruns_this_hour}, 1, 'the intent is counted';
        $service->expect_death;
        kill 'KILL', $pid;
        wait_ok { ($service->dispatcher // $pid) != $pid } 'killed, and replaced';
        wait_ok { why($service, $run)->{run}{reruns} == 1 } 'the rerun is made, and known to be';
        is accepted($run), 1, 'once';
        is status($service)->{limits}{reruns_this_hour}, 1, 'and counted once';
        my $next = failed_run($service);
        waits($service, $next);
        is status($service)->{limits}{reruns_this_hour}, 1, 'the limit holds the next';
    };
}

subtest 'what GitHub refuses is given back' => sub {
    my $service = service_of("limits: { reruns-per-hour: 1 }\n");
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], branch => 'refused');
    $github->script(POST => $run->id . '/rerun', { status => 403, body => { message => 'Unable to retry this workflow run because it was created over a month ago' } });
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { why($service, $run)->{run}{state} eq 'closed' } 'its rerun is refused';
    is status($service)->{limits}{reruns_this_hour}, 0, 'nothing is spent';
    my $next = failed_run($service);
    wait_ok { $next->accepted } 'and another one may be rerun';
};

subtest 'more than a day allows' => sub {
    my $service = service_of("limits: { minutes-per-day: 5, os-weights: { linux: 10 } }\n");
    my $run = failed_run($service);
    waits($service, $run);
    is why($service, $run)->{run}{state}, 'closed', 'it is left at once';
    is status($service)->{limits}{reruns_this_hour}, 0, 'nothing is spent';
};

subtest 'the example of the documents' => sub {
    my ($limits, $weights, $example, $sum) = read_file(srcdir() . '/doc/policy.md')
        =~ /^    limits: \{ reruns-per-hour: 60, (minutes-per-day: 60), (os-weights: \{.*?\}) \}\n.*?^(\| `.*?)\n\| together \| \| \| (\d+) \|$/ms;
    ok $sum, 'it is there' or return;
    # A minute less than three of them need, so that the first is too much and its cost is told.
    my $service = service_of('limits: { minutes-per-day: ' . ($sum - 1) . ", $weights }\n");
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['last'], branch => 'example');
    $run->queued('last');
    my $counted = 0;
    for my $line (split /\n/, $example) {
        my ($labels, $minutes, $seconds, $times, $weighted) = $line =~ /^\| `(.*?)` \| (\d+) min (\d+) s \| \d+ \S+ (\d+) \| (\d+) \|$/ or return fail "a line: $line";
        my $end = time;
        ok $run->{door}->send(delivery(job_event($run->facts, id => next_id(), name => $labels, action => 'completed', conclusion => 'failure',
            labels => [split /, /, $labels], started => $end - 60 * $minutes - $seconds, completed => $end)))->status < 500, "$labels: it fails";
        $counted += $weighted;
    }
    is $counted, $sum, 'the sum';
    status_is $run->ends('failure', 'last', 'failure', labels => ['self-hosted'], started => time - 500), 201, 'the last one, on a runner of one\'s own';
    waits($service, $run);
    is why($service, $run)->{rerun_minutes}, $sum, 'what the rerun would cost';
};

finish();
