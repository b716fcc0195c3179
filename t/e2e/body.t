#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What no web server would send: short and long bodies, aborts, clients that
# vanish, noise. The one worker survives it all, and a body that is not whole
# is never called a forgery.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::FastCGI qw(fcgi_begin fcgi_params fcgi_stdin fcgi_end fcgi_abort);
use JR::Http qw(cgi_params);
use JR::Test;

my $service = service(
    WORKERS => 1, GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h', BODY_MAX => '100k',
)->start;
my $door = $service->fastcgi;
my @children = $service->children;

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued'), @_) }

# The variables of a request, with another CONTENT_LENGTH (undef: none).
sub params {
    my ($request, @length) = @_;
    my @pairs = cgi_params($request);
    @pairs = grep { $_->[0] ne 'CONTENT_LENGTH' } @pairs if @length;
    push @pairs, ['CONTENT_LENGTH', $length[0]] if @length && defined $length[0];
    return fcgi_begin() . fcgi_params(@pairs);
}

# The same worker as before serves the next request.
sub survives {
    my ($name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    status_is $door->send(queued()), 202, "$name: the next request";
    is_deeply [$service->children], \@children, "$name: the same processes";
    return;
}

my $request = queued();
my $body = $request->{body};

subtest 'a whole request' => sub {
    status_is $door->send($request), 202, 'in one piece';
    my $next = queued();
    my $pieces = join '', map { fcgi_stdin($_) } unpack '(a7)*', $next->{body};
    status_is $door->exchange(params($next) . $pieces . fcgi_end()), 202, 'in pieces of seven bytes';
    survives('whole');
};

subtest 'a body shorter than its length' => sub {
    for my $n (0, 1, length($body) - 1) {
        my $part = substr $body, 0, $n;
        my $answer = $door->exchange(params($request) . fcgi_stdin($part) . fcgi_end());
        status_is $answer, '400|408', "$n bytes";
    }
    # Signed for what arrives: the length alone is wrong.
    my $signed = queued();
    my $answer = $door->exchange(params($signed, 1 + length $signed->{body}) . fcgi_stdin($signed->{body}) . fcgi_end());
    status_is $answer, '400|408', 'one byte is missing, the signature is right';
    survives('short');
};

subtest 'a body longer than its length' => sub {
    my $answer = $door->exchange(params($request) . fcgi_stdin($body . 'x') . fcgi_end());
    status_is $answer, 400, 'one byte more';
    $answer = $door->exchange(params($request) . fcgi_stdin($body . ' ' x 100_000) . fcgi_end());
    status_is $answer, 400, 'much more';
    survives('long');
};

subtest 'lengths that are none' => sub {
    for my $length (undef, '') {
        my $answer = $door->exchange(params($request, $length) . fcgi_stdin($body) . fcgi_end());
        status_is $answer, 411, 'length ' . ($length // 'missing');
    }
    for my $length ('abc', '-1', '+5', '1e3', '0x10', '12 34', '99999999999999999999999', '4294967296000') {
        my $answer = $door->exchange(params($request, $length) . fcgi_stdin($body) . fcgi_end());
        status_is $answer, '400|411|413', "length $length";
    }
    survives('odd length');
};

subtest 'too large' => sub {
    my $answer = $door->exchange(params($request, 100 * 1024 + 1) . fcgi_end());
    status_is $answer, 413, 'by its length, before it is read';
    my $large = delivery('x' x 3_000_000);
    status_is $service->http->send($large), 413, '3 MB through nginx';
    survives('too large');
};

subtest 'an aborted request' => sub {
    $door->exchange(params($request) . fcgi_abort());
    survives('before the body');
    $door->exchange(params($request) . fcgi_stdin(substr $body, 0, 50) . fcgi_abort());
    survives('in the body');
    $door->exchange(fcgi_begin() . fcgi_abort());
    survives('before the variables');
};

subtest 'a client that vanishes' => sub {
    my %until = (
        'at once'            => '',
        'in the header'      => substr(fcgi_begin(), 0, 5),
        'before variables'   => fcgi_begin(),
        'in the variables'   => substr(params($request), 0, 60),
        'before the body'    => params($request),
        'in the body'        => params($request) . fcgi_stdin(substr $body, 0, 99),
        'in a record'        => params($request) . substr(fcgi_stdin($body), 0, 50),
    );
    for my $when (sort keys %until) {
        close $door->write_only($until{$when});
        survives($when);
    }
};

subtest 'a client that does not wait for its answer' => sub {
    my $unread = delivery(job_event(run_id => next_id(), action => 'completed', conclusion => 'success'));
    close $door->write_only(params($unread) . fcgi_stdin($unread->{body}) . fcgi_end());
    wait_ok { $service->log->find('webhook', status => 404) } 'it was served';
    status_is $door->send($unread), 202, 'and recorded';
    survives('unread');
};

subtest 'noise' => sub {
    srand 1;
    for my $n (1 .. 20) {
        my $noise = join '', map { chr int rand 256 } 1 .. 10 + $n * 20;
        close $door->write_only("\xfe$noise");
    }
    survives('not FastCGI');
    for my $n (1 .. 10) {
        my $noise = join '', map { chr int rand 256 } 1 .. $n * 50;
        my $signed = delivery($noise);
        status_is $door->send($signed), 400, "a signed body of noise, $n";
    }
    survives('noise as a body');
    status_is $door->send({ %$request, headers => [map { [$_->[0], $_->[1] . "\xff\x01\n"] } @{ $request->{headers} }] }),
        '4\d\d', 'noise in the headers';
    survives('noise in headers');
};

is_deeply [$service->log->find('webhook', status => 403)], [], 'nothing was called a forgery';

is_deeply [grep { !JR::Log::parse($_) } split /\n/, $service->log->text], [], 'all lines of the log have one form';

finish();
