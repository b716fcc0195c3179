# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Size -- how much disk the runs of an organisation take.

package Bench::Size;

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use JR::Payload qw(delivery job_event run_event next_id);

our @EXPORT_OK = qw(bytes_per_run);

use constant {
    AT_ONCE    => 50,     # runs that go on side by side, so that their records are mixed
    PAGE_BYTES => 4096,
};

sub output_of {
    my (@command) = @_;
    open my $pipe, '-|', @command or die "$command[0]: $!";
    local $/;
    my $text = <$pipe>;
    close $pipe or die "$command[0] failed\n";
    return $text;
}

sub stored_bytes {
    my ($service) = @_;
    local $ENV{STATE_DIR} = $service->state_dir;
    return JSON::PP::decode_json(output_of('/bin/sh', '-c', 'exec "$0" status --json || true', $service->{binary}))
        ->{store}{used_bytes};
}

# Of those, the ids of deliveries, which are gone after 8 days.
sub delivery_bytes {
    my ($service) = @_;
    my ($pages) = (0);
    my $text = output_of('/usr/bin/mdb_stat', '-s', 'deliveries', $service->state_dir);
    $pages += $1 while $text =~ /(?:Branch|Leaf|Overflow) pages: (\d+)/g;
    return $pages * PAGE_BYTES;
}

# The bytes in the store for each of so many runs of so many jobs, all of which
# pass: in the first days, and once the ids of deliveries are gone. Each job has
# its three events and each run its three.
sub bytes_per_run {
    my ($service, $runs, $jobs) = @_;
    my $door = $service->fastcgi;
    my $send = sub {
        my $answer = $door->send(delivery(shift));
        die 'an event is answered ' . $answer->status . "\n" if $answer->status !~ /^20[02]$/;
    };
    my ($bytes, $ids) = (stored_bytes($service), delivery_bytes($service));
    for (my $made = 0; $made < $runs; $made += AT_ONCE) {
        my @runs = map { next_id() } 1 .. AT_ONCE;
        my @jobs = map { my $run = $_; map { [run_id => $run, id => next_id(), name => "test ($_)"] } 1 .. $jobs } @runs;
        for my $action (qw(requested in_progress)) {
            $send->(run_event(run_id => $_, action => $action)) for @runs;
        }
        for my $action (qw(queued in_progress)) {
            $send->(job_event(@$_, action => $action)) for @jobs;
        }
        $send->(job_event(@$_, action => 'completed', conclusion => 'success')) for @jobs;
        $send->(run_event(run_id => $_, action => 'completed', conclusion => 'success')) for @runs;
    }
    $bytes = stored_bytes($service) - $bytes;
    $ids   = delivery_bytes($service) - $ids;
    return map { $_ / $runs } $bytes, $bytes - $ids;
}

1;
