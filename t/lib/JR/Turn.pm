# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Turn -- no more end-to-end tests at once than the machine bears.
#
# A test starts some ten processes, and `sh t/run' plays two halves beside each other. Several
# of those on one machine, as where a service builds what was pushed, would have so many processes
# that none comes to its turn in time. So each test takes a seat first; there are half as many again
# as one `sh t/run' fills, and as many as two processors bear: with fewer they are idle at times.
# Who finds none waits for one. The kernel frees a seat when its test ends, however that does.

package JR::Turn;

use strict;
use warnings;
use Errno qw(EADDRINUSE);
use JR::Wait qw(processors);
use Socket qw(AF_UNIX SOCK_DGRAM pack_sockaddr_un);
use Time::HiRes qw(sleep time);

use constant {
    SEATS_OF_PROCESSOR => 6,
    LOOK_S             => 0.3,
    # Who waits so long goes on without a seat.
    MOST_S             => 1200,
};

my $seat;

# A socket whose name is no file (unix(7): the abstract namespace). Returns false when somebody else
# has it; true also where there are no such sockets.
sub sit {
    my ($number) = @_;
    socket $seat, AF_UNIX, SOCK_DGRAM, 0 or return 1;
    return bind($seat, pack_sockaddr_un("\0job-rerunner/t/$number")) || $! != EADDRINUSE;
}

sub take {
    my $seats = SEATS_OF_PROCESSOR * processors();
    my $end   = time + MOST_S;
    while (time < $end) {
        for my $number (1 .. $seats) {
            return if sit($number);
        }
        sleep LOOK_S;
    }
    return;
}

1;
