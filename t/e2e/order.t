#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Any order, any repetition, any subscription: the deliveries of a run are
# shuffled and repeated, by jobs alone, by workflow_run alone, by both, and with
# only part of the jobs' events, and the run gets the reruns that it deserves,
# no more and no fewer.
#
# The truth becomes what the events tell at some moment between the first and
# the last of them. JR_SEED=N repeats a round of chance, JR_ROUNDS=N plays more.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use List::Util qw(shuffle);
use Test::More;
use Time::HiRes ();
use JR::Test;

my $SEED   = $ENV{JR_SEED} // int(Time::HiRes::time() * 1000) % 1_000_000;
my $ROUNDS = $ENV{JR_ROUNDS} // 4;
my $START  = time - 600;    # when the runs of the shapes began

my @SUBSCRIPTIONS = qw(workflow_job workflow_run both part);

my $github = github();
my $service = service(github => $github, WORKERS => 2)->start;

# Events of a job: [name, [action, seconds, more...], ...]; see job_events().
sub usual {
    my ($name, $conclusion, $from, $to) = @_;
    return [$name, ['queued', $from], ['in_progress', $from + 5], ['completed', $to, conclusion => $conclusion]];
}

sub skipped { my ($name, $at) = @_; return [$name, ['completed', $at, conclusion => 'skipped']] }

# Carried over from attempt 1: created now, ended then.
sub carried {
    my ($name, $conclusion) = @_;
    return [$name, ['completed', 60, conclusion => $conclusion, created => 200]];
}

# attempt => [the jobs], the run's conclusion, the POSTs that are due; `runs` are
# the workflow_run events as [action, seconds, conclusion] if not the usual three.
my %SHAPES = (
    'one job that fails' => { jobs => { 1 => [usual(build => 'failure', 0, 60)] }, ends => 'failure', due => 1 },
    'one job that succeeds' => { jobs => { 1 => [usual(build => 'success', 0, 60)] }, ends => 'success', due => 0 },
    'a matrix with a flaky leg' => {
        jobs => { 1 => [map { usual("test ($_)", $_ == 3 ? 'failure' : 'success', 0, 60 + $_) } 1 .. 5] },
        ends => 'failure', due => 1,
    },
    'a matrix that fails fast' => {
        jobs => { 1 => [
            usual('test (1)', 'failure', 0, 50),
            usual('test (2)', 'cancelled', 0, 52),
            ['test (3)', ['queued', 0], ['completed', 52, conclusion => 'cancelled']],    # no runner took it
        ] },
        ends => 'failure', due => 1,
    },
    'a chain of needs' => {
        jobs => { 1 => [
            usual(build => 'success', 0, 50), usual(lint => 'failure', 0, 30), usual(test => 'success', 52, 90),
            usual(report => 'success', 92, 99), skipped(deploy => 92),
        ] },
        ends => 'failure', due => 1,
    },
    'skipped jobs and a skipped matrix' => {
        jobs => { 1 => [usual(build => 'success', 0, 50), skipped(docs => 1), skipped('test (${{ matrix.os }})', 1)] },
        ends => 'success', due => 0,
    },
    'an approval with two queued' => {
        jobs => { 1 => [
            usual(build => 'success', 0, 30),
            ['deploy', ['queued', 31, status => 'waiting'], ['waiting', 31], ['queued', 45], ['in_progress', 50],
                ['completed', 80, conclusion => 'failure']],
        ] },
        ends => 'failure', due => 1,
    },
    'cancelled before it started' => {
        jobs => { 1 => [['build', ['queued', 0], ['completed', 20, conclusion => 'cancelled']]] },
        ends => 'cancelled', due => 0,
    },
    'two jobs of one name' => {
        jobs => { 1 => [usual(test => 'success', 0, 60), usual(test => 'failure', 0, 61)] },
        ends => 'failure', due => 1,
    },
    'a check run that is no job, in a good run' => {
        jobs => { 1 => [usual(build => 'success', 0, 60), ['lint report', ['completed', 40, conclusion => 'failure']]] },
        ends => 'success', due => 0,
    },
    'a check run that is no job, in a bad run' => {
        jobs => { 1 => [usual(build => 'failure', 0, 60), ['lint report', ['completed', 40, conclusion => 'success']]] },
        ends => 'failure', due => 1,
    },
    'a second attempt that succeeds' => {
        jobs => {
            1 => [usual(build => 'success', 0, 60), usual(test => 'failure', 0, 70)],
            2 => [carried(build => 'success'), usual(test => 'success', 200, 260)],
        },
        ends => 'success', due => 0,
    },
    'a second attempt that fails' => {
        jobs => {
            1 => [usual(build => 'success', 0, 60), usual(test => 'failure', 0, 70)],
            2 => [carried(build => 'success'), usual(test => 'failure', 200, 260)],
        },
        ends => 'failure', due => 1,
    },
    'one of two failed jobs rerun, and good now' => {
        jobs => {
            1 => [usual(build => 'failure', 0, 60), usual(test => 'failure', 0, 70)],
            2 => [carried(build => 'failure'), usual(test => 'success', 200, 260)],
        },
        ends => 'failure', due => 1,
    },
    'a workflow_run that ends twice' => {
        jobs => { 1 => [usual(build => 'success', 0, 40), usual(test => 'failure', 0, 60)] },
        runs => [['requested', 0], ['completed', 41, 'success'], ['completed', 62, 'failure']],
        ends => 'failure', due => 1,
    },
);

sub job_events {
    my ($run, $attempt, $job) = @_;
    my ($name, @steps) = @$job;
    my $id = next_id();
    my $first = $steps[0][1];
    return map {
        my ($action, $at, %o) = @$_;
        my $created = $START + (delete $o{created} // $first);
        job_event($run->facts, %o, attempt => $attempt, id => $id, name => $name, action => $action,
            created => $created, started => $START + $at, completed => $START + $at);
    } @steps;
}

sub run_events {
    my ($run, $attempt, $ends, @steps) = @_;
    my $base = $START + 200 * ($attempt - 1);
    @steps = (['requested', 0], ['in_progress', 5], ['completed', 100, $ends]) if !@steps;
    return map {
        my ($action, $at, $conclusion) = @$_;
        run_event($run->facts, attempt => $attempt, action => $action, conclusion => $conclusion, updated => $base + $at);
    } @steps;
}

# All deliveries of a run by one subscription.
sub deliveries {
    my ($run, $shape, $subscription) = @_;
    my @events;
    my $last = (sort { $b <=> $a } keys %{ $shape->{jobs} })[0];
    for my $attempt (sort keys %{ $shape->{jobs} }) {
        my $ends = $attempt == $last ? $shape->{ends} : 'failure';
        push @events, grep { $subscription ne 'part' || rand() < 0.5 }
            map { job_events($run, $attempt, $_) } @{ $shape->{jobs}{$attempt} }
            if $subscription ne 'workflow_run';
        push @events, run_events($run, $attempt, $ends, @{ $shape->{runs} // [] })
            if $subscription ne 'workflow_job';
    }
    # Repeated: the same delivery again, or the same event with an id of its own.
    return map {
        my $event = $_;
        my $delivery = delivery($event);
        ($delivery, map { rand() < 0.5 ? $delivery : delivery($event) } 1 .. rand 3);
    } @events;
}

# The run as GitHub will show it in the end; until then it goes on.
sub begin {
    my ($shape) = @_;
    my $last = (sort { $b <=> $a } keys %{ $shape->{jobs} })[0];
    my @jobs = map { {
        name => $_->[0], status => 'completed', conclusion => { @{ $_->[-1] }[2 .. $#{ $_->[-1] }] }->{conclusion},
    } } @{ $shape->{jobs}{$last} };
    my $run = workflow_run(github => $github, door => $service->http, attempt => $last, created_at => $START,
        run_started_at => $START + 200 * ($last - 1));
    $github->set_run($run->id, jobs => [map { { %$_, id => next_id(), attempt => $last, created_at => $START,
        started_at => $START, completed_at => $START + 60 } } @jobs]);
    return $run;
}

# Play it in this order; what is sent, for who wants to see it again.
sub play {
    my ($run, $shape, @deliveries) = @_;
    my $turn = int rand(@deliveries + 1);
    my @bad;
    for my $i (0 .. $#deliveries) {
        $run->finish($shape->{ends}) if $i == $turn;
        my $answer = $service->http->send($deliveries[$i]);
        push @bad, $answer ? $answer->status : 'none' if !$answer || $answer->status !~ /^(?:20[0-4]|404)$/;
    }
    $run->finish($shape->{ends}) if $turn == @deliveries;
    return @bad;
}

sub all_decided {
    my $later = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $later->play(build => 'failure'), 201, 'a later run fails';
    return wait_ok { $later->accepted } 'a later run is rerun';
}

# Is nothing left that GitHub is to be asked about?
sub is_settled { return tool(['check'], %{ $service->environment })->{out} =~ /\b0 waiting for a rerun\b/ }

sub deserved {
    my ($runs) = @_;
    wait_for { !grep { $_->{run}->accepted < $_->{shape}{due} } @$runs };
    all_decided();
    wait_ok { is_settled() } 'nothing is left to be asked';
    my @wrong = grep { $_->{run}->accepted != $_->{shape}{due} || $_->{run}->posts != $_->{shape}{due} } @$runs;
    is scalar @wrong, 0, 'each run gets the reruns that it deserves';
    for (@wrong) {
        diag "$_->{name}, $_->{how}: ", scalar($_->{run}->posts), " POSTs, due $_->{shape}{due}; ",
            'run=', $_->{run}->id, " JR_SEED=$SEED";
    }
    return;
}

note "JR_SEED=$SEED";
srand $SEED;

for my $subscription (@SUBSCRIPTIONS) {
    subtest "by $subscription" => sub {
        my @runs;
        my @bad;
        for my $name (sort keys %SHAPES) {
            for my $round (1 .. $ROUNDS) {
                my $shape = $SHAPES{$name};
                my $run = begin($shape);
                my @deliveries = deliveries($run, $shape, $subscription);
                # First as they should come, then backwards, then as chance has it.
                my @order = $round == 1 ? @deliveries : $round == 2 ? reverse @deliveries : shuffle @deliveries;
                push @bad, play($run, $shape, @order);
                push @runs, { run => $run, shape => $shape, name => $name, how => "$subscription, round $round" };
            }
        }
        is_deeply \@bad, [], 'every delivery is taken';
        deserved(\@runs);
    };
}

# Several runs at once, each delivery between those of others.
subtest 'all runs mixed' => sub {
    my (@runs, @all);
    for my $name (sort keys %SHAPES) {
        for my $subscription (@SUBSCRIPTIONS) {
            my $shape = $SHAPES{$name};
            my $run = begin($shape);
            push @all, deliveries($run, $shape, $subscription);
            push @runs, { run => $run, shape => $shape, name => $name, how => "$subscription, mixed" };
        }
    }
    my @end = shuffle(@runs);
    my $every = int(@all / @end) || 1;
    my $sent = 0;
    for my $delivery (shuffle @all) {
        $service->http->send($delivery);
        next if ++$sent % $every || !@end;
        my $next = pop @end;
        $next->{run}->finish($next->{shape}{ends});
    }
    $_->{run}->finish($_->{shape}{ends}) for @end;
    deserved(\@runs);
};

finish();
