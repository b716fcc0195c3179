#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# TLS to the API is always verified: by GITHUB_CA_FILE, and for the host.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Test;
use JR::TlsAuthority;

my $github = github(tls => 1);
my $misnamed = github(tls => 1, tls_name => 'DNS:another.test');
my $stranger = JR::TlsAuthority->new(tmpdir() . '/stranger');

sub failing_run {
    my ($service) = @_;
    my $run = workflow_run(github => $service->{github}, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    return $run;
}

subtest 'the right authority' => sub {
    my $service = service(github => $github)->start;
    my $run = failing_run($service);
    wait_ok { $run->accepted } 'rerun';
    is scalar $run->posts, 1, 'once';
    $service->stop_service;
};

subtest 'a cut connection' => sub {
    my $service = service(github => $github)->start;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $github->script(POST => $run->id, { cut => 1, effect => 1 });
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'the POST took effect, its answer was lost';
    my $later = failing_run($service);
    wait_ok { $later->accepted } 'a later run is rerun';
    wait_ok { $run->gets >= 2 } 'GitHub was asked what came of it';
    is scalar $run->posts, 1, 'and not told again';
    $service->stop_service;
};

subtest 'a proxy' => sub {
    my $proxy = github();    # records the request and refuses it
    my $service = service(
        github => $github, GITHUB_API_URL => 'https://api.github.test', https_proxy => $proxy->url,
    )->start;
    failing_run($service);
    wait_ok { $proxy->requests('CONNECT') } 'is asked for a connection';
    my ($request) = $proxy->requests;
    is $request->{target}, 'api.github.test:443', 'to the API';
    unlike $request->{raw_head}, qr/@{[ JR::Service::token() ]}/, 'and does not see the token';

    my $direct = service(github => $github, https_proxy => $proxy->url, no_proxy => '127.0.0.1')->start;
    my $run = failing_run($direct);
    wait_ok { $run->accepted } 'no_proxy: not used';
    unlike join(' ', map { $_->{target} } $proxy->requests), qr/127\.0\.0\.1/, 'nor asked';
    $_->stop_service for $service, $direct;
};

# Refused before a request: asked twice, in vain.
sub refuses {
    my ($name, $fake, %settings) = @_;
    subtest $name => sub {
        my $before = $fake->requests;
        my $service = service(github => $fake, %settings)->start;
        my $run = failing_run($service);
        wait_ok { $service->log->text =~ /^\S+ (?:warn|error|info) .*\b@{[ $run->id ]}\b.*(?:certificate|TLS|SSL|verif)/mi }
            'the log says why';
        is scalar $fake->requests, $before, 'no request was made';
    };
    return;
}

refuses('another authority', $github, GITHUB_CA_FILE => $stranger->ca_file);
refuses('the system\'s authorities', $github, GITHUB_CA_FILE => undef);
refuses('a certificate for another name', $misnamed);

finish();
