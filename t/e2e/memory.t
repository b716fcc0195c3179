#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A worker that was taken over: it writes anything into all memory of the service that it
# can write. It harms itself, and what the other workers promise each other; nobody else
# dies for it, and the work goes on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Cwd qw(abs_path);
use Test::More;
use Time::HiRes qw(time);
use JR::File qw(read_file_or_empty);
use JR::Process qw(spawn reap running end_processes);
use JR::Test;

plan skip_all => 'a sanitizer has to be the first that is loaded'
    if read_file_or_empty(abs_path(binary())) =~ /__asan_init/;

# Longer than anybody may hold the store's lock, and a look of the master's.
use constant LONG_S => 7;

my $github  = github();
my $preload = tmpdir() . '/scribble.so';
my $built = spawn(argv => ['/usr/bin/cc', '-shared', '-fPIC', '-o', $preload, srcdir() . '/t/lib/scribble.c'],
    env => { PATH => '/usr/bin:/bin' });
is reap($built), 0, 'the preload is built' or BAIL_OUT('no preload');

# struct control of scribble.c
my $file = tmpdir() . '/control';
open my $control, '+>:raw', $file or die "$file: $!";
syswrite $control, "\0" x 64;

sub told {
    sysseek $control, 0, 0;
    sysread $control, my $bytes, 28;
    my %told;
    @told{qw(go pid pieces bytes foreign opened writes)} = unpack 'l7', $bytes;
    return \%told;
}

sub set_going { my ($go) = @_; sysseek $control, 0, 0; syswrite $control, pack 'l', $go; return }

my $service = service(github => $github, WORKERS => 4, pages => 'status metrics', LD_PRELOAD => $preload, SCRIBBLE => $file)->start;
wait_ok { $service->dispatcher } 'the dispatcher is at work';
# What it can read is told last.
my $bad = (wait_for { my $told = told(); $told->{foreign} && $told->{pid} });
ok $bad, 'a worker has been taken over' or BAIL_OUT('no worker');
wait_ok { 4 == $service->workers } 'one of four';
my %before = map { $_ => 1 } $service->master, $service->children;
my $bystander = spawn(argv => ['/bin/sleep', '1000'], env => {});

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued')) }
sub page { my ($path) = @_; return $service->http->send({ method => 'GET', path => $path }) }

is told()->{pieces}, 2, 'it can write its own block, and what all workers write';
is told()->{foreign}, 5, 'it can read the other blocks, and what the master tells';
set_going(1);
wait_ok { told()->{writes} > 0 } 'it scribbles';
my (%status, @odd);
my $began = time;
while (time - $began < LONG_S) {
    $status{ $service->http->send(queued())->status }++;
    for my $path (qw(/healthz /metrics /status)) {
        my $answer = page($path);
        push @odd, "$path: " . $answer->status if $answer->status !~ /^(?:200|503)$/;
        # Twelve buckets of five processes, none over 2 ** 50.
        push @odd, grep { /^\w\S* (\d+)$/ && length $1 > 17 } split /\n/, $answer->body if $path eq '/metrics';
    }
    my $tool = tool(['status', '--json'], STATE_DIR => $service->state_dir);
    push @odd, "status: $tool->{status}" if $tool->{status} !~ /^[01]$/;
}
ok told()->{writes} > 100 || $service->log->count('child-died', pid => $bad), 'it has scribbled all the time, or died of it';
is told()->{opened}, 0, 'what others write it could not get';
is join(' ', grep { !/^20[0-2]$|^503$/ } keys %status), '', 'each webhook is answered' or diag explain \%status;
is_deeply \@odd, [], 'so is each page, with numbers that can be';

set_going(0);
my %dead = map { $_->{pid} => 1 } $service->log->find('child-died');
delete $dead{$bad};
is_deeply [keys %dead], [], 'nobody has died but that worker, if it has';
ok running($_), 'the others live' for grep { $_ != $bad } keys %before;
ok running($bystander), 'nobody was signalled who is no child';
my $run;
wait_ok {
    $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    $run->play(build => 'failure')->status == 201;
} 'a run fails';
wait_ok { $run->accepted } 'and is rerun, with the token as it was';
wait_ok { page('/healthz')->status == 200 } 'all is well';
wait_ok { page($_)->status == 200 } "$_ is there" for qw(/metrics /status);
end_processes($bystander);
$service->expect_death(scalar $service->log->find('child-died'));

finish();
