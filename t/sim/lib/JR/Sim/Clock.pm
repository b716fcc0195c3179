# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Clock -- a clock that can be set, for all that asks for the time.
#
# To be loaded before all else: who has imported Time::HiRes::time, or called time, by then
# goes on with the real one.

package JR::Sim::Clock;

use strict;
use warnings;
use Time::HiRes ();

my ($set, $real);

BEGIN {
    $real = \&Time::HiRes::time;
    no warnings 'redefine';
    *Time::HiRes::time  = sub () { return $set // $real->() };
    *CORE::GLOBAL::time = sub () { return int($set // $real->()) };
}

# Stand still at a time; undef: be the real one.
sub set { ($set) = @_; return }

sub real { return $real->() }

1;
