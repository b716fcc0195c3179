#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# People are told what matters, by NOTIFY_URL: once, whatever the receiver and the processes do,
# and no rerun waits for it. The address is a secret.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP qw(decode_json);
use Test::More;
use JR::Receiver;
use JR::Test;

my $github = github();
my ($number, @receivers) = (0);

sub receiver {
    my $receiver = JR::Receiver->start(dir => tmpdir() . '/receiver' . ++$number);
    push @receivers, $receiver;
    return $receiver;
}

END { $_->stop for @receivers }

sub service_of {
    my ($receiver, %o) = @_;
    return service(github => $github, WORKERS => 1, RUN_ATTEMPTS => 1, NOTIFY_URL => $receiver->url, %o)->start;
}

# GitHub says that a run is over; before that nothing is told.
sub is_over { my ($run) = @_; return $run->finish('failure', event => 1) }

# goes_on: it is to be rerun
sub fails {
    my ($service, %o) = @_;
    my $goes_on = delete $o{goes_on};
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], head_branch => 'main', %o);
    status_is $run->play(build => 'failure'), '201|204', 'a run fails';
    is_over($run) if !$goes_on;
    return $run;
}

sub status_of {
    my ($service) = @_;
    return decode_json(tool(['status', '--json'], %{ $service->environment })->{out});
}

sub waiting { my ($service) = @_; return status_of($service)->{notices}{waiting} }

subtest 'a run that is given up' => sub {
    my $receiver = receiver();
    my $service = service_of($receiver);
    my $other = fails($service, head_branch => 'feature/x');
    my $run = fails($service, name => 'CI @channel <!here> & [x](http://evil.example)');
    wait_ok { $receiver->taken } 'is told';
    my ($told) = $receiver->taken;
    my ($notice) = @{ $told->{notices} };
    is $told->{kind}, 'given-up', 'as what it is';
    is $told->{id}, 'given-up/' . $run->id . '/1', 'with an id of its own: the other branch is nobody\'s';
    is_deeply [@$notice{qw(repository branch attempt reason run_id)}], ['octo/app', 'main', 1, 'attempts-used-up', $run->id],
        'all facts are there';
    is $notice->{workflow}, 'CI @channel <!here> & [x](http://evil.example)', 'as they are';
    like $told->{text}, qr{\Qhttp://127.0.0.1:\E\d+/octo/app/actions/runs/${\ $run->id}}, 'the text has a link';
    unlike $told->{text}, qr/\@channel|<|\]\(|http:..evil/, 'and what a name says is defused in it';
    my ($request) = $receiver->requests;
    is $request->{headers}{authorization}, undef, 'the token stays here';
    is $request->{headers}{'content-type'}, 'application/json', 'it is JSON';
    is_deeply [grep {/github/} values %{ $request->{headers} }], [], 'none of the headers is for GitHub';
    wait_ok { status_of($service)->{notices}{sent} == 1 } 'it is counted';
    $service->stop_service;
    unlike $service->log->text, qr/SECRET-PATH/, 'the address is in no log';
    $service->start_service;
    unlike tool(['status', @$_], %{ $service->environment })->{out}, qr/SECRET-PATH/, "nor in status @$_"
        for ['--settings'], ['--json'], [];
    unlike tool(['check'], %{ $service->environment })->{out}, qr/SECRET-PATH/, 'nor in check';
};

subtest 'a run that is given up, and only its jobs are told of' => sub {
    my $receiver = receiver();
    my $service = service_of($receiver, RECONCILE_INTERVAL => '1s', LOG_LEVEL => 'debug');
    # The API never shows it as one that has failed: a list may be read at any time.
    my $forgiven = workflow_run(github => $github, door => $service->http, jobs => ['build'], head_branch => 'main', name => 'Forgiven');
    $forgiven->queued('build');
    status_is $forgiven->completed(build => 'failure'), '201|204', 'a job fails';
    $forgiven->finish('success');
    my $run = fails($service, goes_on => 1);
    $run->finish('failure');
    wait_ok { $receiver->taken } 'a list tells of it';
    is(($receiver->taken)[0]{id}, 'given-up/' . $run->id . '/1', 'and of none that has succeeded');
    my $before = $service->log->count('looked');
    wait_ok { $service->log->count('looked') > $before + 1 } 'lists are looked through again';
    is scalar $receiver->requests, 1, 'it is told once';
};

subtest 'what cannot be sent is tried again' => sub {
    my $receiver = receiver();
    $receiver->script('500', '429 Retry-After: 1', '302 Location: ' . $receiver->url('/other'), '200');
    my $service = service_of($receiver);
    fails($service);
    wait_ok { $receiver->taken } 'it is taken in the end';
    my @requests = $receiver->requests;
    is_deeply [map { $_->{answer} =~ /^(\d+)/ } @requests], [500, 429, 302, 200], 'after all that';
    is scalar(grep { $_->{path} ne '/services/SECRET-PATH' } @requests), 0, 'a redirect leads nowhere';
    my %ids = map { $_->{body}{id} => 1 } @requests;
    is scalar keys %ids, 1, 'it is the same each time';
    is scalar $service->log->find('notice-failed', level => 'warn'), 1, 'one warning for all of it';
    unlike $service->log->text, qr/SECRET-PATH/, 'without the address';
};

subtest 'what is refused for good is dropped' => sub {
    my $receiver = receiver();
    $receiver->script(('404') x 8);
    my $service = service_of($receiver, API_BACKOFF_MIN => '10ms');
    fails($service);
    wait_ok { status_of($service)->{notices}{dropped} == 1 } 'after some tries';
    is_deeply [map { $_->{answer} } $receiver->requests], [('404') x 8], 'eight of them';
    my $next = fails($service);
    wait_ok { $receiver->taken } 'the next one is sent';
    is(($receiver->taken)[0]{id}, 'given-up/' . $next->id . '/1', 'and it is that one');
};

subtest 'a receiver that hangs holds up no rerun' => sub {
    my $receiver = receiver();
    my $service = service_of($receiver, RUN_ATTEMPTS => 2);
    $receiver->script(('hang') x 50);
    my $first = fails($service, goes_on => 1);
    wait_ok { $first->accepted } 'a run is rerun';
    status_is $first->play(build => 'failure'), 204, 'and fails again';
    is_over($first);
    wait_ok { $receiver->requests } 'which is told, and not answered';
    my $run = fails($service, goes_on => 1);
    wait_ok { $run->accepted } 'another is rerun';
    ok !$receiver->taken, 'while the receiver hangs';
};

subtest 'the dispatcher is killed when a notice was sent, and before that is recorded' => sub {
    my $receiver = receiver();
    my $file = tmpdir() . '/stop';
    my $service = service_of($receiver, JR_TEST_STOP_AT => "notified:$file");
    fails($service);
    my $pid = wait_for { $service->dispatcher_at($file) };
    ok $pid, 'it was sent';
    fails($service) for 1 .. 7;
    $service->expect_death;
    kill 'KILL', $pid;
    wait_ok { $receiver->taken >= 2 } 'it is sent again';
    my ($first, $second) = $receiver->taken;
    is $second->{id}, $first->{id}, 'as the same: what came meanwhile is not put into it';
    wait_ok { $receiver->taken >= 3 } 'then the others';
};

subtest 'many are folded' => sub {
    my $receiver = receiver();
    $receiver->script('503 Retry-After: 3000');
    my $service = service_of($receiver);
    my $first = fails($service);
    wait_ok { $receiver->requests } 'the receiver wants to be left alone';
    my @runs = map { fails($service) } 1 .. 20;
    wait_ok { waiting($service) == 21 } 'they all wait';
    $service->restart;
    wait_ok { $receiver->taken == 2 } 'two messages are sent';
    my ($alone, $folded) = $receiver->taken;
    is $alone->{id}, 'given-up/' . $first->id . '/1', 'the one that was begun';
    is $folded->{count}, 20, 'and one about all others';
    is scalar @{ $folded->{notices} }, 5, 'which has the first ones';
    like $folded->{text}, qr/^and \d+ more; in all given-up 20\z/m, 'and how many more';
    cmp_ok length $folded->{text}, '<', 2000, 'as long as chats take it';
    wait_ok { waiting($service) == 0 } 'nothing is left';
};

subtest 'an owner shuts the token out' => sub {
    my $receiver = receiver();
    my $service = service_of($receiver, RUN_ATTEMPTS => 2, NOTIFY_FORMAT => 'cloudevents', NOTIFY_ON => 'shut-out');
    $github->shut_out('acme', 'The `acme` organization has an IP allow list enabled, and your IP address is not permitted to access this resource.');
    fails($service, goes_on => 1);
    fails($service, goes_on => 1, repo => 'acme/app');
    wait_ok { $receiver->requests } 'is told';
    $github->shut_out('acme');
    my ($request) = $receiver->requests;
    my $event = $request->{body};
    like $request->{headers}{'content-type'}, qr{^application/cloudevents\+json}, 'as a CloudEvent in structured mode';
    is_deeply [@$event{qw(specversion type subject datacontenttype)}], ['1.0', 'job-rerunner.shut-out', 'acme', 'application/json'],
        'with its attributes';
    is $event->{data}{notices}[0]{subject}, 'acme', 'and the facts as its data';
};

subtest 'as plain CGI' => sub {
    my $receiver = receiver();
    my $alone = service(github => $github, RUN_ATTEMPTS => 2, NOTIFY_URL => $receiver->url);
    my ($first, $second) = map { workflow_run(github => $github, door => $alone->cgi, jobs => ['build']) } 1 .. 2;
    status_is $first->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $first->accepted } 'and is rerun';
    ok $alone->cgi->wait_children, 'by a child, which leaves';
    status_is $first->play(build => 'failure'), 204, 'it fails again';
    is_over($first);
    status_is $second->play(build => 'failure'), 201, 'another one fails';
    wait_ok { $receiver->taken } 'who works on that tells of the first';
    is(($receiver->taken)[0]{id}, 'given-up/' . $first->id . '/2', 'which it is');
    ok $alone->cgi->wait_children, 'and leaves';
};

subtest 'notify --test' => sub {
    my $receiver = receiver();
    my $service = service(github => $github, NOTIFY_URL => $receiver->url);
    $receiver->script('200', '403');
    my $tried = tool(['notify', '--test'], %{ $service->environment });
    is $tried->{status}, 0, 'it is taken';
    like $tried->{out}, qr/^127\.0\.0\.1:\d+ has taken the notice: 200$/, 'and says so';
    $tried = tool(['notify', '--test', '--json'], %{ $service->environment });
    is $tried->{status}, 1, 'it is not';
    is decode_json($tried->{out})->{answer}, 403, 'and says why';
    is tool(['notify'], %{ $service->environment })->{status}, 2, 'nothing else is to be done';
    $tried = tool(['notify', '--test'], %{ $service->environment }, NOTIFY_URL => undef);
    is $tried->{status}, 1, 'nobody is to be told';
    $receiver->stop;
    $tried = tool(['notify', '--test'], %{ $service->environment });
    is $tried->{status}, 1, 'nobody is there';
    unlike $tried->{out} . $tried->{err}, qr/SECRET/, 'the address is not told';
};

finish();
