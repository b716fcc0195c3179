# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Load -- several clients at a time, that send all that they are given.

package JR::Load;

use strict;
use warnings;
use Exporter 'import';
use POSIX qw(_exit);
use JR::Process qw(reap);

our @EXPORT_OK = qw(CLIENTS load);

use constant CLIENTS => 4;

# Clients that each send their share of the requests, one after the other.
# on_answer gets (index, status) of each as it comes, status 0 for none; when
# it returns nothing the clients end.
sub load {
    my ($door, $on_answer, @requests) = @_;
    pipe my $results, my $report or die "pipe: $!";
    my @pids;
    for my $n (0 .. CLIENTS - 1) {
        my $pid = fork // die "fork: $!";
        push @pids, $pid;
        next if $pid;
        close $results;
        $SIG{PIPE} = 'DEFAULT';
        for my $i (grep { $_ % CLIENTS == $n } 0 .. $#requests) {
            my $answer = eval { $door->send(ref $requests[$i] eq 'CODE' ? $requests[$i]->() : $requests[$i]) };
            my $status = $answer ? $answer->status : 0;
            syswrite $report, "$i $status\n";
            # Where nobody listens, not all requests are to run dry at once.
            select undef, undef, undef, 0.1 if !$status;
        }
        _exit(0);
    }
    close $report;
    while (<$results>) {
        $on_answer->(split) // last;
    }
    close $results;
    reap($_) for @pids;
    return;
}

1;
