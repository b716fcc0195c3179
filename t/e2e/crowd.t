#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Many clients at once, many workers: each event counts once, one of them
# ends the run, and the run is rerun once.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Load qw(clients);
use JR::Process qw(reap);
use JR::Test;

use constant { CLIENTS => 6, LEGS => 24 };

my $github = github();
my $service = service(github => $github, WORKERS => 6)->start;

# Each client sends its share of the requests; the statuses, in their order.
# meanwhile is called each time when an answer has come.
sub in_order {
    my ($door, $meanwhile, @requests) = @_;
    pipe my $results, my $report or die "pipe: $!";
    my @pids = clients(CLIENTS, sub {
        my ($n) = @_;
        for my $i (grep { $_ % CLIENTS == $n } 0 .. $#requests) {
            my $answer = eval { $door->send($requests[$i]) };
            syswrite $report, "$i " . ($answer ? $answer->status : 'none') . "\n";
        }
    });
    close $report;
    my @statuses;
    while (<$results>) {
        my ($i, $status) = split;
        $statuses[$i] = $status;
        $meanwhile->();
    }
    reap($_) for @pids;
    return @statuses;
}

sub at_once { my ($door, @requests) = @_; return in_order($door, sub { }, @requests) }

sub counted {
    my (@statuses) = @_;
    my %count;
    $count{$_}++ for @statuses;
    return \%count;
}

for my $door ($service->http, $service->cgi) {
    my $by = 'by ' . $door->name;

    subtest "the legs of a matrix end at once, $by" => sub {
        my @legs = map {"leg $_"} 1 .. LEGS;
        my $run = workflow_run(github => $github, door => $door, jobs => \@legs);
        my %job = map { $_->{name} => $_ } @{ $run->truth->{jobs} };
        my @facts = $run->facts;
        my $event = sub {
            my ($name, %o) = @_;
            return delivery(job_event(@facts, id => $job{$name}{id}, name => $name, %o));
        };
        is_deeply counted(at_once($door, map { $event->($_, action => 'queued') } @legs)), { 202 => LEGS },
            'all are queued';
        my @ends = map { $event->($_, action => 'completed', conclusion => $_ =~ /7/ ? 'failure' : 'success') } @legs;
        $run->finish('failure');
        is_deeply counted(at_once($door, @ends)), { 201 => 1, 202 => LEGS - 1 }, 'one of them is the last';
        wait_ok { $run->accepted } 'rerun';
        is_deeply counted(at_once($door, @ends)), { 201 => 1, 202 => LEGS - 1 }, 'all of them again';
    };

    subtest "one delivery, many times at once, $by" => sub {
        my $run = workflow_run(github => $github, door => $door, jobs => ['build']);
        $run->queued('build');
        $run->finish('failure');
        my $end = delivery(job_event($run->facts, id => $run->truth->{jobs}[0]{id}, action => 'completed',
            conclusion => 'failure'));
        is_deeply counted(at_once($door, ($end) x 18)), { 201 => 18 }, 'one answer';
        wait_ok { $run->accepted } 'rerun';
    };
}

# CGI alone: whoever finds no dispatcher becomes one, but only one does.
subtest 'many CGI requests at once, without a service' => sub {
    my $alone = service(github => $github);
    my @runs = map { workflow_run(github => $github, door => $alone->cgi, jobs => ['build']) } 1 .. 12;
    my @ends;
    for my $run (@runs) {
        $run->finish('failure');
        push @ends, delivery(run_event($run->facts, action => 'completed', conclusion => 'failure'));
    }
    is_deeply counted(at_once($alone->cgi, @ends)), { 201 => 12 }, 'all scheduled';
    # Who works leaves after some 10 s; what is due then waits for the next request.
    my $next = time + 15;
    wait_ok {
        return 1 if 12 == grep { $_->accepted } @runs;
        return 0 if time < $next;
        $alone->cgi->send(delivery(job_event(run_id => next_id(), action => 'queued')));
        $next = time + 15;
        return 0;
    } 'all rerun';
    ok $alone->cgi->wait_children, 'nobody stays';
    is scalar(map { $_->posts } @runs), 12, 'one POST each';
};

subtest 'workers are killed: nothing acknowledged is lost' => sub {
    my @runs = map { { run => next_id(), job => next_id() } } 1 .. 240;
    my @queued = map { delivery(job_event(run_id => $_->{run}, id => $_->{job}, action => 'queued')) } @runs;
    my @victims = $service->workers;
    my $answers = 0;
    my @statuses = in_order($service->http, sub {
        return if ++$answers % 40 || !@victims;
        $service->expect_death;
        kill 'KILL', shift @victims;
    }, @queued);
    my @acknowledged = grep { $statuses[$_] == 202 } 0 .. $#runs;
    cmp_ok scalar @acknowledged, '>=', 200, 'most are served, and served at once';
    wait_ok { 7 == (my @all = $service->children) } 'all workers are replaced';
    my @ends = map {
        delivery(job_event(run_id => $_->{run}, id => $_->{job}, action => 'completed', conclusion => 'success'))
    } @runs[@acknowledged];
    is_deeply counted(at_once($service->http, @ends)), { 200 => scalar @ends }, 'each of them is known';
};

my $last = workflow_run(github => $github, door => $service->http, jobs => ['build']);
$last->play(build => 'failure');
wait_ok { $last->accepted } 'a later run is rerun';
my %posts;
$posts{ $_->{path} }++ for $github->requests('POST');
is_deeply [grep { $posts{$_} > 1 } sort keys %posts], [], 'no run got two POSTs';

finish();
