#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The log: a line for each decision, with all that belongs to it; nothing that
# comes from outside breaks a line or hides what follows; and no secret in it,
# at any level, whatever goes wrong.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::File qw(write_file);
use JR::Test;

my $KEY     = 'a-signing-key-of-logs-t-0000000001';
my $OLD_KEY = 'an-old-signing-key-of-logs-t-00002';
my $TOKEN   = 'ghp_a-token-of-logs-t-000000000003';
my $NEXT    = 'ghp_the-next-token-of-logs-t-00004';

my $github  = github(tokens => [$TOKEN]);
my $service = service(
    github => $github, GITHUB_SIGN_KEY => $KEY, GITHUB_SIGN_KEY_OLD => $OLD_KEY, GITHUB_TOKEN => undef,
    GITHUB_TOKEN_FILE => tmpdir() . '/token', LOG_LEVEL => 'debug', RECONCILE_INTERVAL => '200ms',
    API_BACKOFF_MAX => '200ms', pages => 'status metrics',
);

sub put_token { return write_file(tmpdir() . '/token', "$_[0]\n") }

put_token($TOKEN);
$service->start;
my $log = $service->log;

# JR::Run signs with the usual key.
package Door {
    sub new  { my ($class, $door, $key) = @_; return bless { door => $door, key => $key }, $class }
    sub send {
        my ($self, $request) = @_;
        my $signature = JR::Payload::sign($request->{body}, $self->{key});
        my @headers = map { $_->[0] eq 'X-Hub-Signature-256' ? [$_->[0], $signature] : $_ } @{ $request->{headers} };
        return $self->{door}->send({ %$request, headers => \@headers });
    }
}

my $door = Door->new($service->http, $KEY);
my $old  = Door->new($service->http, $OLD_KEY);

sub run_of { return workflow_run(github => $github, door => $door, jobs => ['build'], @_) }

sub has_all {
    my ($entry, @keys) = @_;
    return is join(' ', grep { !length($entry->{$_} // '') } @keys), '', "has @keys";
}

subtest 'a line for each decision' => sub {
    my $run = run_of();
    status_is $run->play(build => 'failure'), 201, 'it fails';
    wait_ok { $run->accepted } 'it is rerun';
    my %id = (run => $run->id, repo => 'octo/app', attempt => 1);
    my ($webhook) = $log->find('webhook', %id, status => 201);
    has_all $webhook, qw(delivery event action job name conclusion result reason ms);
    my $decision = $log->wait_entry('decision', %id, verdict => 'rerun');
    has_all $decision, qw(reason github ms);
    my $rerun = $log->wait_entry('rerun', %id);
    has_all $rerun, qw(reason github ms);

    my $done = run_of();
    $done->queued('build');
    {
        my $hold = $github->hold;
        $done->completed(build => 'success');
        status_is $done->finish('success', event => 1), 200, 'a run that is closed by its event';
    }
    my ($closed) = $log->find('webhook', run => $done->id, verdict => 'closed');
    ok $closed, 'says so' and has_all $closed, qw(delivery repo attempt reason ms);

    my $lost = run_of(repo => 'octo/app');
    $github->set_job($lost->id, 'build', status => 'completed', conclusion => 'failure');
    $lost->finish('failure');
    my $found = $log->wait_entry('decision', run => $lost->id, reason => 'found-failed');
    ok $found, 'one that a list has shown' and has_all $found, qw(repo attempt verdict ms);
    wait_ok { $lost->accepted } 'it is rerun';
};

subtest 'what comes from outside' => sub {
    my $mark = $log->mark;
    my $run = run_of(repo => 'octo/app');
    my $event = job_event($run->facts, id => next_id(), name => "a\nb\x1b[2J\x{202e}c status=201", action => 'queued');
    status_is $door->send(delivery($event, id => 'd' x 3000)), 202, 'a name that is none, and a delivery without end';
    my ($entry) = $log->find('webhook', since => $mark, run => $run->id);
    ok $entry, 'one line' or return;
    is $entry->{status}, 202, 'whose status is ours';
    has_all $entry, qw(name result reason ms);
    my $text = substr $log->text, $mark;
    unlike $text, qr/[^\x20-\x7e\n]/, 'no control character';
    cmp_ok length $_, '<', 2048, 'no line without end' for split /\n/, $text;

    # The most that each value can be escaped to.
    my $worst = job_event($run->facts, id => next_id(), name => "\x01" x 250, action => "\x02" x 60, sender => 'x');
    $mark = $log->mark;
    $door->send(delivery($worst, id => "\xe2\x80\xbf" x 1000));
    $log->wait_entry('webhook', since => $mark);
    has_all +($log->find('webhook', since => $mark))[0], qw(status result reason ms);
    $mark = $log->mark;
    status_is $service->http->send({ method => 'BREW', path => '/' }), 405, 'a method that is none';
    is +($log->find('webhook', since => $mark, status => 405))[0]{method}, 'BREW', 'is told';
};

# Each kind of failure that has words of its own.
subtest 'no secret' => sub {
    status_is $old->send(delivery(job_event(run_of()->facts, action => 'queued', name => 'build', id => next_id()))), 202, 'the old key';
    status_is $door->send(delivery('{', event => 'workflow_job')), 400, 'no JSON';
    status_is $service->http->send(delivery({ a => 1 }, key => "$KEY+")), 403, 'another key';
    status_is $service->http->send({ method => 'GET', path => "/$_" }), 200, $_ for qw(healthz metrics status);

    for my $act (
        { status => 500, body => { message => "failed: Authorization: Bearer $TOKEN" } },
        { status => 403, body => { message => "no $TOKEN here" } },
        { status => 404, body => { message => $TOKEN } },
        { status => 302, headers => { Location => "http://127.0.0.1:1/?$TOKEN" } },
    ) {
        $github->script(POST => '/rerun', $act);
        my $run = run_of();
        $run->play(build => 'failure');
        ok $log->wait_entry('rerun', run => $run->id), "POST answered $act->{status}";
        $github->forget_scripts;
    }
    $github->set_tokens($NEXT);
    my $run = run_of();
    $run->play(build => 'failure');
    ok $log->wait_entry('calls-stopped'), 'the token is rejected';
    put_token($NEXT);
    ok $log->wait_entry('token-renewed'), 'and renewed';
    wait_ok { $run->accepted } 'and good';
    $github->stop;
    my $unheard = $log->mark;
    Door->new($service->http, $KEY)->send(delivery(
        run_event(run_id => next_id(), repo => 'octo/app', attempt => 1, action => 'completed', conclusion => 'failure')));
    ok $log->wait_entry('decision', since => $unheard, reason => 'unreachable'), 'nobody answers';
    $service->restart;
    $service->stop_service;

    my $text = $log->text;
    like $text, qr/ debug /, 'all levels are there';
    for my $secret ($KEY, $OLD_KEY, $TOKEN, $NEXT) {
        ok index($text, $secret) < 0, "not '" . substr($secret, 0, 12) . "...'";
        ok index($text, substr $secret, 4, 16) < 0, 'nor a part of it';
    }
    like $text, qr/Bearer \*+/, 'what GitHub says of it is made unreadable';
    unlike $text, qr/sha256=[0-9a-f]{64}/, 'no signature either';
};

finish();
