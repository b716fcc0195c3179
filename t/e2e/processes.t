#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Life and death of the processes: what is killed is replaced, what stops
# stops cleanly, and no request or rerun is lost or made twice by it.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use POSIX qw(_exit);
use List::Util qw(max);
use Test::More;
use JR::FastCGI qw(fcgi_begin fcgi_params fcgi_stdin fcgi_end);
use JR::Http qw(cgi_params read_all);
use JR::Process qw(running reap);
use JR::Test;

my $github = github();

sub failing_run {
    my ($service, %o) = @_;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], %o);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    return $run;
}

# A run that fails now is rerun: the whole path works.
sub still_works {
    my ($service) = @_;
    my $run = failing_run($service);
    return wait_ok { $run->accepted } 'a run that fails now is rerun';
}

sub queued_answer {
    my ($service) = @_;
    return $service->http->send(delivery(job_event(run_id => next_id(), action => 'queued')));
}

sub is_made_once {
    my ($service, $run) = @_;
    still_works($service);
    is scalar $run->accepted, 1, 'the rerun was made once';
    return;
}

subtest 'kill -9 of a worker' => sub {
    my $service = service(github => $github, WORKERS => 2)->start;
    wait_ok { 3 == $service->children } 'two workers and a dispatcher';
    my ($victim) = $service->workers;
    $service->expect_death;
    kill 'KILL', $victim;
    wait_ok { !running($victim) && $service->children == 3 } 'replaced';
    status_is queued_answer($service), 202, 'the next request is served' for 1 .. 4;
    my $line = $service->log->wait_entry('child-died');
    is $line->{kind}, 'worker', 'the log says who';
    is $line->{pid}, $victim, 'which';
    is $line->{signal}, 9, 'and how';
    still_works($service);
};

subtest 'a worker that keeps dying' => sub {
    my $service = service(github => $github, WORKERS => 1)->start;
    my ($slow, @waits) = slowness();
    # Three, if all is within 10 s.
    while (@waits < 3 || (@waits < 60 && !$waits[-1])) {
        my ($worker) = $service->workers;
        $service->expect_death;
        kill 'KILL', $worker;
        wait_ok { 2 == grep { $_ != $worker } $service->children } 'replaced';
        @waits = map { $_->{replaced_in_ms} } $service->log->find('child-died');
    }
    is_deeply [@waits[0, 1]], [0, 0], 'at once, twice';
    cmp_ok $waits[-1], '>', 0, 'then after a while';
    cmp_ok scalar @waits, '<=', 3 * max($slow, slowness()), 'soon';
    status_is queued_answer($service), 202, 'the next request is served';
};

subtest 'kill -9 of the dispatcher while it asks' => sub {
    my $service = service(github => $github)->start;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $github->script(GET => $run->id . '$', { hang => 1 });
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->gets } 'it is being asked about';
    my $dispatcher = $service->dispatcher;
    $service->expect_death;
    kill 'KILL', $dispatcher;
    wait_ok { ($service->dispatcher // $dispatcher) != $dispatcher } 'another holds the lock';
    wait_ok { $run->accepted } 'the rerun is posted';
    is_made_once($service, $run);
    is $service->log->wait_entry('child-died')->{kind}, 'dispatcher', 'the log says who';
};

subtest 'kill -9 of the dispatcher between POST and record' => sub {
    my $service = service(github => $github)->start;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $github->script(POST => $run->id, { effect => 1, hang => 1 });
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'the POST had its effect';
    my $gets = $run->gets;
    $service->expect_death;
    kill 'KILL', $service->dispatcher;
    wait_ok { $run->gets > $gets } 'the next one asks first';
    is_made_once($service, $run);
    is scalar $run->posts, 1, 'there was no second POST';
};

subtest 'kill -9 of the dispatcher before the POST arrives' => sub {
    my $service = service(github => $github)->start;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $github->script(POST => $run->id, { hang => 1 });
    $run->play(build => 'failure');
    wait_ok { $run->posts } 'the POST is under way, and will be without effect';
    my $gets = $run->gets;
    $service->expect_death;
    kill 'KILL', $service->dispatcher;
    wait_ok { $run->accepted } 'it is made again';
    cmp_ok scalar $run->gets, '>', $gets, 'after GitHub was asked';
    is_made_once($service, $run);
};

subtest 'SIGTERM in the middle of a body' => sub {
    my $service = service(github => $github, WORKERS => 2)->start;
    my $request = delivery(job_event(run_id => next_id(), action => 'queued'));
    my ($first, $rest) = unpack 'a100 a*', $request->{body};
    my $socket = $service->fastcgi->write_only(
        fcgi_begin() . fcgi_params(cgi_params($request)) . fcgi_stdin($first));
    # Served by the other worker: the first one is in its request by now.
    status_is queued_answer($service), 202, 'another request';
    kill 'TERM', $service->master;
    wait_ok { $service->children < 3 } 'stopping';
    syswrite $socket, fcgi_stdin($rest) . fcgi_end();
    status_is JR::FastCGI::decode(read_all($socket)), 202, 'the request is finished first';
    is $service->stop_service, 0, 'a clean stop';
};

subtest 'SIGTERM under load loses no request' => sub {
    my $service = service(github => $github, WORKERS => 4);
    my $listener = IO::Socket::UNIX->new(Listen => 128, Local => $service->socket_path) or die $!;
    chmod 0660, $service->socket_path;
    $service->start_service(listener => $listener);
    $service->start_nginx;

    my ($clients, $each) = (3, 80);
    pipe my $results, my $report or die $!;
    my @pids;
    for (1 .. $clients) {
        my $pid = fork // die $!;
        push @pids, $pid;
        next if $pid;
        for (1 .. $each) {
            my $answer = eval { queued_answer($service) };
            syswrite $report, ($answer ? $answer->status : 'none') . "\n";
        }
        _exit(0);
    }
    close $report;
    my ($seen, $bad, $rounds) = (0, '', 0);
    my $read_to = sub {
        my ($n) = @_;
        while ($seen < $n) {
            my $line = <$results> // last;
            $seen++;
            $bad .= $line if $line ne "202\n";
        }
    };
    for my $round (1 .. 4) {
        $read_to->($round * 40);
        my $master = $service->master;
        is $service->stop_service, 0, "round $round: a clean stop";
        $service->start_service(listener => $listener);
        $rounds++ if $seen < $clients * $each;
    }
    $read_to->($clients * $each);
    reap($_) for @pids;
    is $seen, $clients * $each, 'every request has an answer';
    is $bad, '', 'and it is 202';
    cmp_ok $rounds, '>=', 2, 'the service stopped while requests came';
};

for my $method (qw(GET POST)) {
    subtest "SIGTERM while GitHub does not answer a $method" => sub {
        my $service = service(github => $github)->start;
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        $github->script($method => $run->id . ($method eq 'GET' ? '$' : '/rerun'), { hang => 1, effect => 1 });
        $run->play(build => 'failure');
        wait_ok { $method eq 'GET' ? $run->gets : $run->posts } 'it is being asked';
        is $service->stop_service, 0, 'a clean stop';
        unlike $service->log->text, qr/ warn stop .*killed/, 'no process had to be killed for it';
        $service->start_service;
        wait_ok { $run->accepted && $run->gets >= 2 } 'taken up after the restart';
        is_made_once($service, $run);
        is scalar $run->posts, 1, 'one POST in all';
    };
}

subtest 'SIGINT' => sub {
    my $service = service(github => $github)->start;
    status_is queued_answer($service), 202, 'works';
    is $service->stop_service('INT'), 0, 'exit status 0';
    ok $service->log->wait_entry('stopped'), 'it says so';

    $service->start_service;
    kill 'INT', -$service->master;    # as Ctrl-C: the whole group gets it
    is $service->stop_service(0), 0, 'to the whole group: exit status 0';
    is $service->log->count('child-died'), 0, 'nobody was lost';
};

subtest 'nobody reads the log any more' => sub {
    my $service = service(github => $github, WORKERS => 2)->start;
    wait_ok { 3 == $service->children } 'all are there';
    my @all = ($service->master, $service->children);
    kill 'PIPE', @all;
    still_works($service);
    is_deeply [$service->master, $service->children], \@all, 'nobody dies of a SIGPIPE';
};

subtest 'what lies in STATE_DIR is for its owner only' => sub {
    my $service = service(github => $github)->start;
    wait_ok { $service->dispatcher } 'all are at work';
    my @files = glob $service->state_dir . '/*';
    cmp_ok scalar @files, '>=', 4, 'there are files';
    is sprintf('%o', (stat)[2] & 077), 0, $_ for @files;
    my $check = tool(['check'], %{ $service->environment });
    is $check->{status}, 0, 'check works beside the service';
};

subtest 'kill -9 of the master' => sub {
    my $service = service(github => $github)->start;
    kill 'KILL', $service->master;
    ok $service->bury, 'its children leave';
    $service->start_service;
    still_works($service);
};

subtest 'a restart keeps what is due' => sub {
    my $service = service(github => $github, RERUN_DELAY => '300ms')->start;
    my $run = failing_run($service);
    is $service->stop_service, 0, 'stopped before it is due, or just after';
    $service->start_service;
    wait_ok { $run->accepted } 'rerun all the same';
    is_made_once($service, $run);
};

subtest 'two services, one STATE_DIR' => sub {
    my $first = service(github => $github)->start;
    wait_ok { $first->dispatcher } 'the first has the dispatcher';
    my $second = service(github => $github, state_dir => $first->state_dir)->start;
    still_works($second);
    ok !$second->dispatcher, 'the second has none at work';
    is $first->stop_service, 0, 'the first stops';
    wait_ok { $second->dispatcher } 'the second takes over';
    still_works($second);
};

subtest 'a state directory of another user' => sub {
    plan skip_all => 'only for root' if $> != 0;
    my ($uid, $gid) = (getpwnam 'www-data')[2, 3] or plan skip_all => 'no user www-data';
    my $service = service(github => $github, user => 'www-data');
    chown $uid, $gid, $service->state_dir or die $!;
    $service->start_service;
    chown $uid, $gid, $service->socket_path or die $!;
    $service->start_nginx;
    for my $pid ($service->master, $service->children) {
        open my $fh, '<', "/proc/$pid/status" or die $!;
        my ($ids) = grep {/^Uid:/} <$fh>;
        like $ids, qr/^Uid:\s+$uid\s+$uid\s+$uid\s+$uid$/, "$pid runs as its owner";
    }
    still_works($service);
};

finish();
