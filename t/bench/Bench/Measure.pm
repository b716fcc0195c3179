# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Measure -- what the kernel and LMDB know about processes and a store.

package Bench::Measure;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(cpu_s memory_kb commits median);

sub slurp {
    my ($name) = @_;
    open my $fh, '<', $name or return;
    local $/;
    return scalar <$fh>;
}

# Seconds of processor time that the processes have used.
sub cpu_s {
    my (@pids) = @_;
    my $ns = 0;
    for my $pid (@pids) {
        my $text = slurp("/proc/$pid/schedstat") // next;
        $ns += (split ' ', $text)[0];
    }
    return $ns / 1e9;
}

# Anonymous proportional set size of a process.
sub memory_kb {
    my ($pid) = @_;
    return (slurp("/proc/$pid/smaps_rollup") // '') =~ /^Pss_Anon:\s+(\d+) kB/m ? $1 : 0;
}

# Commits in a store so far: LMDB numbers them.
sub commits {
    my ($state_dir) = @_;
    open my $pipe, '-|', '/usr/bin/mdb_stat', '-e', $state_dir or die "mdb_stat: $!";
    my ($id) = map { /Last transaction ID: (\d+)/ ? $1 : () } <$pipe>;
    close $pipe;
    return $id // die "mdb_stat says nothing of transactions\n";
}

sub median {
    my @sorted = sort { $a <=> $b } grep {defined} @_;
    return if !@sorted;
    return ($sorted[$#sorted / 2] + $sorted[@sorted / 2]) / 2;
}

1;
