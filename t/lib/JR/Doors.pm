# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Doors -- a door of several services: each of them gets what is sent, and the first one's
# answer is told.

package JR::Doors;

use strict;
use warnings;

my @last;

sub new { my ($class, @services) = @_; return bless [map { $_->http } @services], $class }

sub send {
    my ($self, @what) = @_;
    @last = @what;
    my @answers = map { $_->send(@what) } @$self;
    return $answers[0];
}

# What was sent last, by any of them: for a host that is to hear of it later.
sub last_sent { return @last }

1;
