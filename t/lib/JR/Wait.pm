# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Wait -- wait for a condition with a deadline, never for a time.
#
# The deadline is long on purpose: it is only ever reached by a failure.
# JR_TIMEOUT_FACTOR stretches it (valgrind, a loaded machine).

package JR::Wait;

use strict;
use warnings;
use Exporter 'import';
use Test::More ();
use Time::HiRes qw(time);

our @EXPORT_OK = qw(wait_for wait_ok nap deadline_s);

use constant {
    DEADLINE_S => 30,
    STEP_S     => 0.01,
};

sub deadline_s {
    my ($seconds) = @_;
    return ($seconds // DEADLINE_S) * ($ENV{JR_TIMEOUT_FACTOR} || 1);
}

# One step of a polling loop.
sub nap { select undef, undef, undef, STEP_S; return }

# The first true value of the condition, or nothing when the deadline is over.
sub wait_for (&;$) {
    my ($condition, $seconds) = @_;
    my $end = time + deadline_s($seconds);
    while (1) {
        my $value = $condition->();
        return $value if $value;
        return if time > $end;
        nap();
    }
}

# The same as a test of its own.
sub wait_ok (&$) {
    my ($condition, $name) = @_;
    my $value = &wait_for($condition);
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    Test::More::ok($value, $name);
    return $value;
}

1;
