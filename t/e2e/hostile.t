#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What only somebody could send who may connect to the socket, which is the web
# server: records that are slow, too large, cut off or made to crash libfcgi. They
# cost at most the worker that reads them, which is back at once; the others serve
# meanwhile.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use Time::HiRes qw(sleep time);
use JR::FastCGI qw(fcgi_request fcgi_begin fcgi_params fcgi_stdin fcgi_end fcgi_abort);
use JR::Http qw(cgi_params read_all);
use JR::Test;

# A worker waits 10 s for a peer that has begun and sends nothing (fcgi/process/worker.c).
use constant PEER_LIMIT_S => 10;
use constant { TYPE_BEGIN => 1, TYPE_PARAMS => 4, TYPE_STDIN => 5, TYPE_GET_VALUES => 9 };

my $service = service(
    WORKERS => 3, GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h', BODY_MAX => '100k',
)->start;
my $door = $service->fastcgi;
wait_ok { $service->dispatcher && $service->workers == 3 } 'all are at work';

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued'), @_) }

# A record with a length and a padding of its own choice.
sub record {
    my ($type, $content, %o) = @_;
    my ($length, $padding) = ($o{length} // length $content, $o{padding} // 0);
    return pack('CCnnCC', $o{version} // 1, $type, $o{id} // 1, $length, $padding, 0) . $content . "\0" x ($o{padded} // $padding);
}

# Everybody else is served, and soon.
sub others_are_served {
    my ($name, $n) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $began = time;
    my %status;
    $status{ $service->http->send(queued())->status }++ for 1 .. $n // 10;
    is_deeply \%status, { 202 => $n // 10 }, "$name: the others are served";
    cmp_ok time - $began, '<', 5 * slowness(), "$name: and soon";
    return;
}

# The same workers as before are there, and all of them serve.
sub nobody_is_lost {
    my ($name, @before) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is_deeply [$service->children], \@before, "$name: the same processes";
    others_are_served($name);
    return;
}

subtest 'slow senders' => sub {
    my @before = $service->children;
    my $request = queued();
    my $bytes = fcgi_request($request);
    my $began = time;
    # Two that stop: within a record, and between two.
    my @stuck = map { $door->write_only(substr $bytes, 0, $_) } 30, length($bytes) - 40;
    others_are_served('two are stuck');
    # A third one sends piece by piece, and is served in the end.
    my @pieces = unpack '(a' . (1 + int length($bytes) / 20) . ')*', $bytes;
    my $slow = $door->write_only(shift @pieces);
    for my $piece (@pieces) {
        sleep 0.05;
        syswrite $slow, $piece;
    }
    status_is JR::FastCGI::decode(read_all($slow)), 202, 'a slow one is served';
    read_all($_) for @stuck;
    my $took = time - $began;
    cmp_ok $took, '>', PEER_LIMIT_S - 1, 'those that stopped are waited for';
    cmp_ok $took, '<', (PEER_LIMIT_S + 5) * slowness(), 'and given up';
    nobody_is_lost('slow senders', @before);
};

subtest 'records that are not as long as they say' => sub {
    my @before = $service->children;
    my $request = queued();
    my ($begin, $params) = (fcgi_begin(), fcgi_params(cgi_params($request)));
    my $body = $request->{body};
    my %bytes = (
        'a record longer than what follows'  => $begin . $params . record(TYPE_STDIN, $body, length => 65535),
        'a record shorter than its content'  => $begin . $params . record(TYPE_STDIN, $body, length => 10) . fcgi_end(),
        'padding that is not there'          => $begin . $params . record(TYPE_STDIN, $body, padding => 255, padded => 3),
        'variables without an end'           => $begin . record(TYPE_PARAMS, "\x05\x05HTTP_") . fcgi_end(),
        'a name longer than all that follows' => $begin . record(TYPE_PARAMS, "\x8f\xff\xff\xff\x01" . 'A' x 100) . record(TYPE_PARAMS, '') . fcgi_end(),
        'a value longer than all that follows' => $begin . record(TYPE_PARAMS, "\x01\x8f\xff\xff\xff" . 'A' x 100) . record(TYPE_PARAMS, '') . fcgi_end(),
        'half a size'                        => $begin . record(TYPE_PARAMS, "\x8f\xff") . record(TYPE_PARAMS, '') . fcgi_end(),
        'no variables'                       => $begin . record(TYPE_PARAMS, '') . fcgi_end(),
        'a body before the variables'        => $begin . fcgi_stdin($body) . $params . fcgi_end(),
        'no beginning'                       => $params . fcgi_stdin($body) . fcgi_end(),
        'two beginnings'                     => $begin . record(TYPE_BEGIN, pack('nCx5', 1, 0), id => 2) . fcgi_abort(),
        'another role'                       => record(TYPE_BEGIN, pack 'nCx5', 2, 0) . $params . fcgi_end(),
        'a beginning that is too short'      => record(TYPE_BEGIN, "\0\1") . $params . fcgi_end(),
        'another version'                    => record(TYPE_BEGIN, pack('nCx5', 1, 0), version => 2) . $params . fcgi_end(),
        'another type'                       => $begin . record(200, 'x' x 50) . $params . fcgi_end(),
        'another request\'s records'         => $begin . record(TYPE_PARAMS, 'x' x 100, id => 7) . $params . fcgi_stdin('x') . fcgi_end(),
    );
    for my $name (sort keys %bytes) {
        my $socket = $door->write_only($bytes{$name});
        shutdown $socket, 1;
        my $answer = JR::FastCGI::decode(read_all($socket));
        ok !$answer || $answer->status =~ /^[45]/, "$name: refused, or no answer";
    }
    nobody_is_lost('odd lengths', @before);
};

subtest 'as much as one likes' => sub {
    my @before = $service->children;
    my $request = queued();
    my @many = map { ["HTTP_X_$_", 'v' x 100] } 1 .. 20_000;
    my $answer = $door->exchange(fcgi_begin() . fcgi_params(cgi_params($request), @many) . fcgi_stdin($request->{body}) . fcgi_end());
    status_is $answer, 202, '20,000 headers';
    $request = queued();
    $answer = $door->exchange(fcgi_begin() . fcgi_params(cgi_params($request), ['HTTP_X', 'v' x 4_000_000]) . fcgi_stdin($request->{body}) . fcgi_end());
    status_is $answer, 202, 'a header of 4 MB';
    $request = queued();
    $answer = $door->exchange(fcgi_begin() . fcgi_params(cgi_params($request)) . fcgi_stdin($request->{body} . 'x' x 20_000_000) . fcgi_end());
    ok !$answer || $answer->status =~ /^4/, '20 MB after the body';
    nobody_is_lost('much', @before);
};

subtest 'many that are aborted' => sub {
    my @before = $service->children;
    my $request = queued();
    my $bytes = fcgi_request($request);
    for my $n (1 .. 60) {
        my $cut = int(length($bytes) * $n / 61);
        close $door->write_only(substr($bytes, 0, $cut) . ($n % 2 ? fcgi_abort() : ''));
    }
    nobody_is_lost('aborted', @before);
    my ($id) = map { $_->[1] } grep { lc $_->[0] eq 'x-github-delivery' } @{ $request->{headers} };
    ok $id, 'all of one delivery';
    is_deeply [grep { $_->{status} !~ /^4/ } $service->log->find('webhook', delivery => $id)], [], 'which was not recorded';
};

is_deeply [grep { !JR::Log::parse($_) } split /\n/, $service->log->text], [], 'all lines of the log have one form';

# libfcgi answers FCGI_GET_VALUES from 64 bytes of its stack (a management record: request 0).
subtest 'what crashes libfcgi' => sub {
    my $pairs = join '', map { pack('CC', length, 0) . $_ } ('FCGI_MPXS_CONNS') x 40;
    for my $n (1 .. 2) {
        my @before = $service->workers;
        my $mark = $service->log->mark;
        $service->expect_death;
        read_all($door->write_only(record(TYPE_GET_VALUES, $pairs, id => 0) . fcgi_request(queued())));
        others_are_served("crash $n", 5);
        my $death = $service->log->wait_entry('child-died', since => $mark);
        is $death->{kind}, 'worker', "crash $n: a worker, and nobody else";
        wait_ok { 3 == $service->workers } "crash $n: it is back";
        is scalar(grep { my $pid = $_; grep { $_ == $pid } @before } $service->workers), 2, "crash $n: the two others are the same";
    }
    others_are_served('after it');
};

is_deeply [$service->log->find('webhook', status => 403)], [], 'nothing was called a forgery';
finish();
