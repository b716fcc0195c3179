#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What jobs need is down: many runs fail for the same kind of cause, so their reruns are held, one
# goes ahead as a probe, and the others follow it when it has succeeded. That GitHub itself does not
# answer is in outages.t.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;
use Time::HiRes ();
use JR::File qw(write_file);
use JR::Test;
use JR::Wait qw(wait_for);

my $github = github();
my $number = 0;

my @STEPS = (['Set up job'], ['Run make', 'failure'], ['Post checkout', 'skipped'], ['Complete job']);
my @SETUP = ('##[group]Run make', "\e[36;1mmake\e[0m", '##[endgroup]');
my @REGISTRY = (@SETUP, ' ERR_PNPM_FETCH_502  GET https://registry.example.org/typescript/-/typescript-5.9.2.tgz: Bad Gateway - 502',
    '##[error]Process completed with exit code 1.');
my @COMPILER = (@SETUP, 'src/main.c:10:5: error: expected expression before token', 'make: *** [Makefile:12: main.o] Error 1',
    '##[error]Process completed with exit code 2.');
my @NETWORK = (@SETUP, 'curl: (56) Recv failure: Connection reset by peer', '##[error]Process completed with exit code 56.');

# Held from the fourth run on.
sub service_of {
    my ($hold, %o) = @_;
    my $file = tmpdir() . '/policy' . ++$number . '.yml';
    my $delay = delete $o{delay} // '0s';
    my $limits = delete $o{limits} // '';
    write_file($file, "version: 1\notherwise: leave\nrules:\n  - { rerun: [infrastructure], delay: $delay }\n"
        . "outage: { runs: 4, within: 10m, hold: $hold }\n$limits");
    $github->forget_scripts;
    return service(github => $github, POLICY => $file, WORKERS => 1, pages => 'status metrics', %o)->start;
}

# A run that has failed. Each is on a runner of its own, if nothing else is said.
sub failed_run {
    my ($service, $workflow, $log, %o) = @_;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], name => $workflow);
    return fails($run, $log, %o);
}

sub fails {
    my ($run, $log, %o) = @_;
    my $runner = $o{runner} // 'machine ' . ++$number;
    $run->queued('build');
    $run->describe('build', steps => \@STEPS, log => $log, runner_id => 1 + $number, runner_name => $runner);
    my $hold = $github->hold;
    $run->ends('failure', 'build', 'failure');
    status_is $run->finish('failure', event => 1), 201, 'a run is over, and is looked at' if !$o{quiet};
    return $run;
}

# A registry fails: three runs are rerun before it is clear, and `count' are held.
sub outage {
    my ($service, $count) = @_;
    my @early = map { failed_run($service, $_ % 2 ? 'CI' : 'Nightly', \@REGISTRY) } 1 .. 3;
    wait_ok { $_->accepted } 'a run that fails alone is rerun' for @early;
    my @held = map { failed_run($service, $_ % 2 ? 'CI' : 'Nightly', \@REGISTRY) } 1 .. $count;
    return @held;
}

# Where it is time for a probe before the last has failed, that one may go ahead unheld.
sub held_ok {
    my ($service, @runs) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $log = $service->log;
    for my $run (@runs) {
        wait_ok {
            $log->count('decision', run => $run->id, verdict => 'wait', reason => 'outage-hold') || $log->count('outage-probe', run => $run->id)
        } 'it is held';
    }
    return;
}

sub cli { my ($service, @words) = @_; return tool([@words], STATE_DIR => $service->state_dir) }
sub page { my ($service, $path) = @_; return $service->http->send({ method => 'GET', path => $path, headers => [] })->body }

sub metric {
    my ($service, $name) = @_;
    return page($service, '/metrics') =~ /^\Q$name\E ([\d.]+)$/m ? $1 : undef;
}

subtest 'held, shown, and lifted by hand' => sub {
    my $service = service_of('1h');
    my @held = outage($service, 4);
    held_ok($service, @held);
    my $begun = $service->log->wait_entry('outage-begins', cause => 'registry');
    is_deeply [@$begun{qw(runs workflows)}], [4, 2], 'the log tells by which runs it was found';
    my $status = cli($service, 'status')->{out};
    like $status, qr/^outage +reruns for registry are held since \S+, when 4 runs of 2 workflows had failed .* 0 probes so far, next probe from \S+ on; 4 runs wait$/m,
        'status tells it';
    like $status, qr/outage-hold: Many runs fail/, 'as something that is degraded';
    my ($told) = @{ decode_json(cli($service, 'status', '--json')->{out})->{outages} };
    is_deeply [@$told{qw(cause runs workflows waiting probes probe_run_id over_at)}], ['registry', 4, 2, 4, 0, undef, undef], 'and as JSON';
    ok $told->{held} && $told->{since} && $told->{next_probe_at}, 'with its times';
    like page($service, '/healthz'), qr/"healthy":true,"failed":\[\],"degraded":\["outage-hold"\]/, 'the service itself is healthy';
    is metric($service, 'job_rerunner_held_cause{cause="registry"}'), 1, 'a metric tells which cause is held';
    is metric($service, 'job_rerunner_held_cause{cause="network"}'), 0, 'and which is not';
    is metric($service, 'job_rerunner_held_runs'), 4, 'and how many runs wait';
    is metric($service, 'job_rerunner_outages_begun_total'), 1, 'it has begun once';
    like page($service, '/status'), qr/Reruns for registry are held since .*; 4 runs wait/, 'the page shows it';
    like page($service, '/runs/' . $held[0]->id), qr/Reruns for registry are held since/, 'and that of a run';
    my $why = cli($service, 'why', $held[0]->id)->{out};
    like $why, qr/^Reruns for registry are held since .*, next probe from \S+ on\.$/m, 'why tells it';
    like $why, qr/outage-hold/, 'with the reason';
    my $other = failed_run($service, 'CI', \@COMPILER);
    ok $service->log->wait_entry('decision', run => $other->id, reason => 'left-by-rule'), 'what fails for something else is judged as ever';
    cli($service, 'rerun', $held[3]->id);
    wait_ok { $held[3]->accepted } 'who asks by hand is not held';
    is scalar(map { $_->posts } @held[0 .. 2]), 0, 'the others are';
    is cli($service, 'resume', '--outage=test')->{status}, 2, 'test is no cause that can be held';
    like cli($service, 'resume', '--outage=network')->{out}, qr/^no reruns were held$/, 'network is not';
    like cli($service, 'resume', '--outage')->{out}, qr/^reruns for registry are held no longer; \d+ runs? waits? for it$/, 'it is lifted';
    wait_ok { $_->accepted } 'and the run goes ahead' for @held[0 .. 2];
    ok $service->log->wait_entry('outage-lifted', cause => 'registry')->{by}, 'the log tells who did it';
    is $service->log->wait_entry('outage-over', cause => 'registry')->{text}, 'lifted by hand', 'and why it is over';
    is metric($service, 'job_rerunner_outages_over_total'), 1, 'it was over once';
    my $late = failed_run($service, 'CI', \@REGISTRY);
    wait_ok { $late->accepted } 'it stays lifted';
    like cli($service, 'resume', '--outage')->{out}, qr/^no reruns were held$/, 'and there is nothing to lift' ;
    $service->stop_service;
};

subtest 'a probe succeeds' => sub {
    my $service = service_of('2s');
    my @held = outage($service, 6);
    held_ok($service, @held);
    my $entry = $service->log->wait_entry('outage-probe', cause => 'registry');
    my ($probe) = grep { $_->id == $entry->{run} } @held;
    my @others = grep { $_ != $probe } @held;
    wait_ok { $probe->accepted } 'one goes ahead';
    like cli($service, 'why', $others[0]->id)->{out}, qr/1 probe so far, run @{[ $probe->id ]} probes since/, 'the others wait for it';
    is scalar(map { $_->posts } @others), 0, 'and only they';
    my $told = Time::HiRes::time();
    $probe->play(build => 'success');
    is $service->log->wait_entry('outage-over', cause => 'registry')->{text}, 'a probe succeeded', 'it succeeds';
    wait_ok { $_->accepted } 'another follows' for @others;
    my @times = sort { $a <=> $b } map { $_->{time} } map { $_->accepted } @others;
    cmp_ok $times[2] - $told, '>=', 1, 'two at first, the third a step later';
    # On a busy machine the first two may be late.
    ok $times[2] - $times[0] > 0.5 || slowness() > 2, 'not all at once';
    is scalar(map { $_->posts } @held), 6, 'each once';
    $service->stop_service;
};

subtest 'a probe fails' => sub {
    my $service = service_of('1s');
    my @held = outage($service, 3);
    held_ok($service, @held);
    my $first = $service->log->wait_entry('outage-probe', cause => 'registry')->{run};
    my ($probe) = grep { $_->id == $first } @held;
    wait_ok { $probe->accepted } 'one goes ahead';
    is scalar(map { $_->posts } @held), 1, 'alone';
    fails($probe, \@REGISTRY);
    my $on = $service->log->wait_entry('outage-holds-on', cause => 'registry');
    is_deeply [@$on{qw(run probes)}], [$first, 1], 'it fails again, and the others are held on';
    my $next = wait_for { (grep { $_->{run} != $first } $service->log->find('outage-probe', cause => 'registry'))[0] };
    ok $next, 'then another goes ahead';
    ($probe) = grep { $_->id == $next->{run} } @held;
    wait_ok { $probe->accepted } 'as the second probe';
    fails($probe, \@COMPILER);
    is $service->log->wait_entry('outage-over', cause => 'registry')->{probes}, 2, 'what fails for something else has reached the registry';
    wait_ok { $_->accepted } 'so the others follow' for grep { $_->id != $next->{run} } @held;
    $service->stop_service;
};

# In the middle of a day of the service's clock. Whoever is over a limit does not keep others from
# being the probe.
subtest 'a limit holds who would be the probe' => sub {
    my $now = time * 1000;
    my $service = service_of('1s', limits => "limits: { minutes-per-day: 3 }\nrepositories:\n  'octo/free': { limits: { minutes-per-day: 60 } }\n",
        CATCH_UP => '20d', JR_TEST_AHEAD => (48 * 3600_000 - $now % (24 * 3600_000)) - 12 * 3600_000);
    my @held = outage($service, 2);
    ok $service->log->wait_entry('decision', run => $_->id, verdict => 'wait', reason => 'budget-used-up'), 'it waits for budget in the end' for @held;
    my $free = workflow_run(github => $github, door => $service->http, jobs => ['build'], name => 'CI', repo => 'octo/free');
    fails($free, \@REGISTRY);
    wait_ok { $free->accepted } 'one of another repository goes ahead';
    is $service->log->wait_entry('outage-probe', cause => 'registry')->{run}, $free->id, 'as the probe';
    is scalar(map { $_->posts } @held), 0, 'the others wait';
    $service->stop_service;
};

subtest 'false alarms' => sub {
    my $service = service_of('1h');
    my @broken = map { failed_run($service, $_ % 2 ? 'CI' : 'Nightly', \@COMPILER) } 1 .. 6;
    ok $service->log->wait_entry('decision', run => $_->id, reason => 'left-by-rule'), 'a broken main branch' for @broken;
    my @bad = map { failed_run($service, $_ % 2 ? 'CI' : 'Nightly', \@NETWORK, runner => 'worn out') } 1 .. 6;
    wait_ok { $_->accepted } 'one bad runner' for @bad;
    my @one = map { failed_run($service, 'Weekly', \@REGISTRY, runner => $_ % 2 ? 'worn out' : 'machine a') } 1 .. 3;
    wait_ok { $_->accepted } 'and one workflow' for @one;
    is scalar $service->log->find('outage-begins'), 0, 'are no outage';
    $service->stop_service;
};

# All six are judged before the first of them may be rerun, so the first POST is the probe's: they are
# looked at at once, when the last has failed.
for my $point (qw(in-outage outage-told before-post after-post recorded)) {
    subtest "killed at $point" => sub {
        my $file = tmpdir() . "/stopped-$point";
        # What has stopped is killed here, not by the master, as one that hangs.
        my $service = service_of('1s', delay => int(2 + 4 * slowness()) . 's', API_READS => 16, JR_TEST_STOP_AT => "$point:$file",
            JR_TEST_HANG => 900_000);
        # It would end who has had the lock for 5 s.
        kill 'STOP', $service->master if $point eq 'in-outage';
        my $hold = $github->hold;
        my @held = map { failed_run($service, $_ % 2 ? 'CI' : 'Nightly', \@REGISTRY) } 1 .. 6;
        undef $hold;
        my $pid = wait_for { $service->dispatcher_at($file) };
        ok $pid, 'it stops there' or return;
        $service->expect_death;
        kill 'KILL', $pid;
        kill 'CONT', $service->master;
        my $probe = wait_for {
            my ($told) = @{ decode_json(cli($service, 'status', '--json')->{out})->{outages} };
            my $run = $told && $told->{probe_run_id} && (grep { $_->id == $told->{probe_run_id} } @held)[0];
            $run && $run->accepted ? $run : undef;
        };
        ok $probe, 'one goes ahead all the same' or return;
        is scalar(map { $_->accepted } @held), 1, 'alone';
        $probe->play(build => 'success');
        wait_ok { $_->accepted } 'and the others follow' for @held;
        is scalar(map { $_->accepted } @held), scalar @held, 'each once';
        is $service->log->count('outage-begins'), $point eq 'outage-told' ? 0 : 1, 'its beginning is told once at most';
        $service->stop_service;
    };
}

# Whatever writes does so twice, and nothing counts twice.
subtest 'a transaction runs again' => sub {
    my $service = service_of('1s', JR_TEST_TWICE => 'on');
    my @held = outage($service, 3);
    held_ok($service, @held);
    my $first = $service->log->wait_entry('outage-probe', cause => 'registry');
    is $first->{probes}, 1, 'there is one probe';
    my ($probe) = grep { $_->id == $first->{run} } @held;
    wait_ok { $probe->accepted } 'which goes ahead';
    $probe->play(build => 'success');
    wait_ok { $_->accepted } 'and the others follow' for @held;
    is $service->log->count('outage-begins'), 1, 'it began once';
    $service->stop_service;
};

finish();
