#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A record of the store that cannot be read: it costs its own run, and no other.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Test;

my $github = github();

# Overwrite the length of a text in the record of the run that has this branch.
sub damage {
    my ($service, $branch) = @_;
    my $file = $service->state_dir . '/data.mdb';
    open my $fh, '+<:raw', $file or die "$file: $!";
    my $bytes = do { local $/; <$fh> };
    my $wanted = pack 'n/a*', $branch;
    my $n = $bytes =~ s/\Q$wanted\E/"\xff\xff" . substr $wanted, 2/ge;
    seek $fh, 0, 0 or die "$file: $!";
    print {$fh} $bytes;
    close $fh or die "$file: $!";
    ok $n, "the record of the run on $branch is damaged";
    return;
}

sub is_well {
    my ($service, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    return status_is $service->http->send({ method => 'GET', path => '/healthz' }), 200, "/healthz $name";
}

subtest 'damaged runs' => sub {
    my $service = service(github => $github, WORKERS => 3, RERUN_DELAY => '1h', API_BACKOFF_MAX => '2h',
        RECONCILE_INTERVAL => '100ms')->start;
    my $door = $service->http;
    my %run = map { $_ => workflow_run(github => $github, door => $door, jobs => ['build'], head_branch => "branch-of-$_") }
        qw(due watched sound);
    status_is $run{due}->play(build => 'failure'), 201, 'a run fails';
    status_is $run{watched}->queued('build'), 202, 'one is under way';
    status_is $run{sound}->queued('build'), 202, 'so is another';
    is $service->stop_service, 0, 'a stop';
    damage($service, "branch-of-$_") for qw(due watched);

    $service->{env}{RERUN_DELAY} = '20ms';
    $service->{env}{API_BACKOFF_MAX} = '400ms';
    $service->start_service;
    wait_ok { $service->log->find('damaged', level => 'error') == 2 } 'the log tells of both' ;
    my %told = map { $_->{line} =~ /run (\d+)/ ? ($1 => $_->{line}) : () } $service->log->find('damaged');
    like $told{ $run{due}->id }, qr/taken out of the outbox/, 'the entry of one is dropped';
    like $told{ $run{watched}->id }, qr/watched no longer/, 'the other is not asked about';
    is_well($service, 'after that');

    for my $time (1 .. 4) {
        for my $name (qw(due watched)) {
            my $answer = $run{$name}->queued('build');
            status_is $answer, 503, "an event of the damaged run ($name)";
            is $answer->field('result'), 'failed', 'in words';
            is_well($service, 'in spite of it');
        }
        status_is $run{sound}->started('build'), 202, 'an event of a sound run';
    }
    my ($line) = $service->log->find('webhook', status => 503);
    like $line->{text}, qr/record of run \d+ is damaged/, 'the log says why';

    status_is $run{sound}->play(build => 'failure'), 201, 'the sound run fails';
    wait_ok { $run{sound}->accepted } 'and is rerun';
    is $service->log->count('damaged'), 2, 'nothing was told twice';
    is $service->log->count('store-failed'), 0, 'nor was it taken for a failing disk';
    is_well($service, 'at the end');
    $service->stop_service;
};

finish();
