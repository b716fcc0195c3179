#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The same binary as plain CGI, with no service running: one request, one
# answer at once, and the rerun posted by itself afterwards.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::File qw(read_file_or_empty);
use JR::Http qw(cgi_params);
use JR::Process qw(spawn reap);
use JR::Test;

my $github = github();
my $alone = service(github => $github);    # never started: only its CGI door
my $door = $alone->cgi;

subtest 'one request, one answer, the rerun afterwards' => sub {
    my $run = workflow_run(github => $github, door => $door, jobs => ['build']);
    status_is $run->queued('build'), 202, 'queued';
    is $door->exit_status, 0, 'exit status 0';
    my $answer = $run->completed(build => 'failure');
    status_is $answer, 201, 'completed: answered while the run goes on at GitHub';
    is $door->exit_status, 0, 'and the process is gone';
    is scalar $run->posts, 0, 'nothing is posted yet';
    $run->finish('failure');
    wait_ok { $run->accepted } 'the child left behind posts the rerun';
    ok $door->wait_children, 'and leaves';
    is scalar $run->posts, 1, 'one POST';
};

subtest 'requests one after the other share the work' => sub {
    my @runs = map { workflow_run(github => $github, door => $door, jobs => ['build']) } 1 .. 4;
    status_is $_->play(build => 'failure'), 201, 'failed' for @runs;
    for my $run (@runs) {
        wait_ok { $run->accepted } 'rerun of ' . $run->id;
    }
    ok $door->wait_children, 'nobody stays';
    is scalar $_->posts, 1, 'one POST for ' . $_->id for @runs;
};

subtest 'nothing to do: nobody stays' => sub {
    my $run = workflow_run(github => $github, door => $door, jobs => ['build']);
    status_is $run->play(build => 'success'), 200, 'a good run';
    ok $door->wait_children(5), 'gone at once';
    is scalar $run->gets, 0, 'nobody was asked';
};

subtest 'a dry run says what it would do' => sub {
    my $dry = service(github => $github, DRY_RUN => 'yes', GITHUB_TOKEN => undef);
    my $run = workflow_run(github => $github, door => $dry->cgi, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'failed';
    ok $dry->cgi->wait_children, 'the child leaves';
    my ($line) = JR::Log->new($dry->cgi->log)->find('decision', run => $run->id, verdict => 'dry-run');
    ok $line, 'the decision is in the log';
};

subtest 'a web server that does not wait for the answer' => sub {
    my $run = workflow_run(github => $github, door => $door, jobs => ['build']);
    $run->queued('build');
    $run->finish('failure');
    my $request = delivery(job_event($run->facts, id => $run->truth->{jobs}[0]{id}, action => 'completed',
        conclusion => 'failure'));
    pipe my $read, my $write or die "pipe: $!";
    close $read;
    my $pid = spawn(
        argv => [$door->binary], env => { %{ $alone->environment }, map {@$_} cgi_params($request) },
        stdin => $door->body_file($request->{body}), out => $write, err => $door->log,
    );
    close $write;
    is reap($pid), 0, 'exit status 0';
    wait_ok { $run->accepted } 'rerun all the same';
};

subtest 'a Proxy header is no proxy' => sub {
    my $stranger = github();
    my $run = workflow_run(github => $github, door => $door, jobs => ['build']);
    $run->queued('build');
    $run->finish('failure');
    my $request = delivery(job_event($run->facts, id => $run->truth->{jobs}[0]{id}, action => 'completed',
        conclusion => 'failure'));
    push @{ $request->{headers} }, ['Proxy', $stranger->url];
    status_is $door->send($request), 201, 'failed';
    wait_ok { $run->accepted } 'rerun';
    is scalar $stranger->requests, 0, 'not by way of the stranger';
};

# As a person would, with a shell and openssl.
subtest 'by hand, twice' => sub {
    my $hand = service(DRY_RUN => 'yes', GITHUB_TOKEN => undef);
    my $payload = tmpdir() . '/payload.json';
    open my $fh, '>', $payload or die $!;
    print {$fh} json_text(job_event(run_id => next_id(), action => 'queued'));
    close $fh;
    my $binary = $hand->cgi->binary;
    my $command = <<"SH";
REQUEST_METHOD=POST CONTENT_TYPE=application/json CONTENT_LENGTH=\$(wc -c < $payload) \\
HTTP_X_GITHUB_EVENT=workflow_job \\
HTTP_X_HUB_SIGNATURE_256=sha256=\$(openssl dgst -sha256 -hmac "\$GITHUB_SIGN_KEY" -r $payload | cut -d' ' -f1) \\
$binary < $payload
SH
    for my $time (qw(first second)) {
        my $out = tmpdir() . "/by-hand.$time";
        my $pid = spawn(argv => ['/bin/sh', '-c', $command], env => $hand->environment, out => $out,
            err => "$out.err");
        is reap($pid), 0, "$time time: exit status 0";
        ok $hand->cgi->wait_children, "$time time: nobody stays";
        open my $in, '<', $out or die $!;
        my $answer = JR::Response->from_cgi(do { local $/; <$in> });
        status_is $answer, 202, "$time time";
    }
};

subtest 'a bad day of the request' => sub {
    my $queued = delivery(job_event(run_id => next_id(), action => 'queued'));
    my $short = { %$queued, headers => [@{ $queued->{headers} }], body => substr $queued->{body}, 0, 100 };
    push @{ $short->{headers} }, ['Content-Length', length $queued->{body}];
    status_is $door->send({ %$short, no_length => 1 }), 400, 'shorter than its length: not a matter of signature';
    for my $length ('', 'abc', '-1', '1e3', '0x10', ' 5', '99999999999999999999999') {
        my $answer = $door->send({
            %$queued, no_length => 1, headers => [@{ $queued->{headers} }, ['Content-Length', $length]],
        });
        status_is $answer, '400|411|413', "CONTENT_LENGTH '$length'";
    }
};

# RFC 3875, 4.4: a web server may hand the words of a query without `=' over as arguments.
subtest 'a query is no command' => sub {
    my $other = service(github => $github);
    my $run = workflow_run(github => $github, door => $other->cgi, jobs => ['build']);
    status_is $run->queued('build'), 202, 'a run is known';
    my $copy = tmpdir() . '/backup-by-query';
    my @queries = (
        ['pause'], ['forget', $run->id], ['rerun', $run->id], ['backup', $copy], ['--help'], ['version'],
        ['no-such-command'], ['export', '--env-file', '/etc/passwd'], [''],
    );
    my $why = sub { return tool(['why', $run->id], %{ $other->environment }) };
    my $before = $why->()->{out};
    for my $method (qw(GET POST)) {
        for my $arguments (@queries) {
            my $query = join '+', @$arguments;
            my $answer = $other->cgi->send({
                method => $method, path => "/?$query", headers => [], arguments => $arguments, body => '',
            });
            status_is $answer, $method eq 'GET' ? 200 : '403|413|415', "$method /?$query";
            is $other->cgi->exit_status, 0, 'exit status 0';
        }
    }
    # By one of the two variables alone.
    for my $name (qw(REQUEST_METHOD GATEWAY_INTERFACE)) {
        my $out = tmpdir() . "/only-$name";
        my $pid = spawn(
            argv => [$other->cgi->binary, 'pause'], env => { %{ $other->environment }, $name => 'GET' },
            out  => $out, err => "$out.err",
        );
        is reap($pid), 0, "$name alone: exit status 0";
        like read_file_or_empty($out), qr/^Status: /, 'and an answer';
    }
    ok !-e $copy, 'nothing was copied';
    is $why->()->{out}, $before, 'the run is as it was';
    unlike tool(['status'], %{ $other->environment })->{out}, qr/^\s*paus/mi, 'and nothing is paused';
    is scalar $run->posts, 0, 'nor rerun';
};

finish();
