#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Other hosts than github.com, by token and by App, each with TLS: a GitHub
# Enterprise Server (below /api/v3, an authority of its own, no rate limits, older
# payloads and answers) and an enterprise's own name at ghe.com.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Select;
use IO::Socket::IP;
use POSIX qw(_exit);
use Test::More;
use JR::Process qw(reap end_processes);
use JR::Test;

# By a token, and by an App: [name, settings].
sub accesses {
    my ($github) = @_;
    $github->put_installation(11, account => 'octo', limit => { limit => 0, remaining => 0, reset => time + 3600 });
    return (['a token', {}], ['an App', { $github->new_app }]);
}

# What an older server does not send, in an event and in an answer alike.
sub older {
    my ($event) = @_;
    delete $event->{workflow_job}{$_} for qw(run_attempt created_at head_branch workflow_name runner_group_id runner_group_name);
    $event->{enterprise} = { id => 1, slug => 'github', name => 'GitHub' };
    return $event;
}

sub enterprise_headers {
    my ($request) = @_;
    push @{ $request->{headers} }, ['X-GitHub-Enterprise-Host', 'ghes.example.org'], ['X-GitHub-Enterprise-Version', '3.9.0'];
    return $request;
}

subtest 'GitHub Enterprise Server' => sub {
    my $github = github(tls => 1);
    $github->set_limit(limit => 0, remaining => 0);
    for (accesses($github)) {
        my ($name, $settings) = @$_;
        my $service = service(github => $github, %$settings, GITHUB_API_URL => $github->url . '/api/v3', RECONCILE_INTERVAL => '300ms')->start;
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        for my $action ('queued', 'completed') {
            my $conclusion = $action eq 'completed' ? 'failure' : undef;
            # Else the end may be found in the list before it is told, as anywhere below.
            my $hold = $github->hold;
            $github->set_job($run->id, 'build', status => $action, conclusion => $conclusion);
            $run->finish('failure') if $conclusion;
            my $event = older(job_event($run->facts, id => $run->truth->{jobs}[0]{id}, name => 'build', action => $action, conclusion => $conclusion));
            status_is $service->http->send(enterprise_headers(delivery($event))), $conclusion ? 201 : '202|404', "$name: $action";
        }
        wait_ok { $run->accepted } "$name: rerun";
        is scalar $run->posts, 1, "$name: once";
        is scalar(grep { $_->{path} !~ m{^/api/v3/} } $github->requests), 0, "$name: all below /api/v3";
        is scalar(grep { !length($_->{headers}{authorization} // '') } $github->requests), 0, "$name: all with authorization";

        # An answer of an older server.
        my $old = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        my $hold = $github->hold;
        $github->set_job($old->id, 'build', status => 'completed', conclusion => 'failure');
        $old->finish('failure');
        my $truth = $old->truth;
        $github->script(GET => $old->id . '$', { status => 200, body => {
            id => 0 + $old->id, name => 'CI', head_branch => 'main', head_sha => 'a' x 40, event => 'push',
            status => 'completed', conclusion => 'failure', created_at => JR::FakeGitHub::Actions::iso($truth->{created_at}),
            updated_at => JR::FakeGitHub::Actions::iso($truth->{updated_at}),
            repository => { id => JR::FakeGitHub::Actions::number('octo/app'), full_name => 'octo/app' },
        } });
        status_is $old->completed('build', 'failure'), '201|404', "$name: a run of which only the end is told";
        undef $hold;
        wait_ok { $old->accepted } "$name: the answer has no attempt, actor or start: rerun";

        my $missed = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        $missed->completed('build', 'failure', event => 0);
        $missed->finish('failure');
        wait_ok { $missed->accepted } "$name: a missed run is found";
        is $service->log->count('calls-stopped'), 0, "$name: nothing was stopped";
        unlike $service->http->send({ method => 'GET', path => '/healthz' })->body, qr/rate-limited/, "$name: no limit is seen";
        my $check = tool(['check', '--online', 'octo/app'], %{ $service->environment });
        is $check->{status}, 0, "$name: check --online" or diag $check->{out}, $check->{err};
        $service->stop_service;
    }
};

# A proxy that leads each CONNECT to one port: as if the name was resolved.
sub tunnel {
    my ($port, $names) = @_;
    my $listener = IO::Socket::IP->new(Listen => 16, LocalHost => '127.0.0.1', LocalPort => 0) or die "listen: $!";
    my $pid = fork // die "fork: $!";
    return ($pid, 'http://127.0.0.1:' . $listener->sockport) if $pid;
    $SIG{TERM} = sub { _exit(0) };
    $SIG{CHLD} = 'IGNORE';
    my $parent = getppid;
    while (getppid == $parent) {
        IO::Select->new($listener)->can_read(1) or next;
        my $client = $listener->accept or next;
        next if fork;
        relay($client, $port, $names);
        _exit(0);
    }
    _exit(0);
}

sub relay {
    my ($client, $port, $names) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) { sysread($client, $head, 4096, length $head) or return }
    my ($name) = $head =~ /^CONNECT (\S+) / or return;
    open my $fh, '>>', $names or return;
    print {$fh} "$name\n";
    close $fh;
    my $server = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port) or return;
    syswrite $client, "HTTP/1.1 200 Connection established\r\n\r\n";
    my %other = ($client => $server, $server => $client);
    my $select = IO::Select->new($client, $server);
    while (1) {
        for my $from ($select->can_read(60)) {
            sysread($from, my $bytes, 65536) or return;
            syswrite $other{$from}, $bytes;
        }
    }
    return;
}

subtest 'ghe.com' => sub {
    my $github = github(tls => 1, tls_name => 'DNS:api.octo-corp.ghe.com');
    my $names = tmpdir() . '/names';
    my ($pid, $proxy) = tunnel($github->{tls_port}, $names);
    for (accesses($github)) {
        my ($name, $settings) = @$_;
        my $service = service(
            github => $github, %$settings, GITHUB_API_URL => 'https://api.octo-corp.ghe.com', https_proxy => $proxy,
        )->start;
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        status_is $run->play(build => 'failure'), 201, "$name: a run fails";
        wait_ok { $run->accepted } "$name: rerun";
        is scalar $run->posts, 1, "$name: once";
    }
    open my $fh, '<', $names or die "$names: $!";
    my %name = map { $_ => 1 } <$fh>;
    is join('', sort keys %name), "api.octo-corp.ghe.com:443\n", 'no other host is asked';
    is scalar(grep { $_->{headers}{host} !~ /^api\.octo-corp\.ghe\.com(?::443)?$/ } $github->requests), 0, 'by its name';
    end_processes($pid);
    reap($pid);
};

finish();
