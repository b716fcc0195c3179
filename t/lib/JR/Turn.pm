# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Turn -- no more tests of this kind at once on a machine than it bears.
#
# A test starts some ten processes, and `sh t/run' plays two halves beside each other. Several
# of those on one machine, as where a service builds what was pushed, would have so many processes
# that none comes to its turn in time. So each takes a seat first; there are half as many again
# as one `sh t/run' fills, and as many as two processors bear: with fewer they are idle at times.
# Who finds none waits for one. The kernel frees it when the test ends, however it does.

package JR::Turn;

use strict;
use warnings;
use IO::Socket::UNIX;
use JR::Wait qw(processors);
use Socket qw(SOCK_DGRAM);
use Time::HiRes qw(sleep time);

use constant {
    SEATS_OF_PROCESSOR => 6,
    LOOK_S             => 0.3,
    # Who sits too long is not waited for.
    MOST_S             => 1200,
};

my $seat;

# A name that no file bears (unix(7): the abstract namespace).
sub sit {
    my ($number) = @_;
    return IO::Socket::UNIX->new(Type => SOCK_DGRAM, Local => "\0job-rerunner/t/$number");
}

sub take {
    my $seats = SEATS_OF_PROCESSOR * processors();
    my $end   = time + MOST_S;
    while (!$seat && time < $end) {
        for my $number (1 .. $seats) {
            $seat = sit($number) and last;
        }
        sleep LOOK_S if !$seat;
    }
    return;
}

1;
