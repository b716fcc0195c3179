# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Wait -- wait for a condition with a deadline, never for a time.
#
# The deadline is long on purpose: it is only ever reached by a failure. A busy
# machine stretches it, while it is busy; JR_TIMEOUT_FACTOR says how much at least
# (valgrind).

package JR::Wait;

use strict;
use warnings;
use feature 'state';
use Exporter 'import';
use List::Util qw(max min);
use Test::More ();
use Time::HiRes qw(time);
use JR::File qw(read_file_or_empty);

our @EXPORT_OK = qw(wait_for wait_ok nap deadline_s slowness processors);

use constant {
    DEADLINE_S  => 30,
    STEP_S      => 0.01,
    STEP_MOST_S => 0.25,
    # For each processor: what `make check' makes of itself.
    USUAL_LOAD  => 2,
};

sub processors {
    state $count = () = read_file_or_empty('/proc/cpuinfo') =~ /^processor\s*:/mg;
    return $count || 1;
}

# How many times as long as usual things may take now, 1 or more: by the load of the
# last minute, or of this moment if that is more. Limits that are not waits are multiplied by
# it, when what they limit is over.
sub slowness {
    my $least = $ENV{JR_TIMEOUT_FACTOR} || 1;
    my ($load, $now) = read_file_or_empty('/proc/loadavg') =~ m{^([0-9.]+) \S+ \S+ (\d+)/};
    my $slowness = max($load // 0, $now // 0) / USUAL_LOAD / processors();
    return $slowness > $least ? $slowness : $least;
}

sub deadline_s {
    my ($seconds) = @_;
    return ($seconds // DEADLINE_S) * slowness();
}

# One step of a polling loop. What takes long to look at, or to come, is looked at more rarely: on
# a busy machine who waits would take the time that what he waits for needs.
sub nap {
    my ($waited_s, $look_s) = @_;
    my $nap_s = max(STEP_S, ($waited_s // 0) / 20, 4 * ($look_s // 0));
    select undef, undef, undef, min($nap_s, STEP_MOST_S);
    return;
}

# The first true value of the condition, or nothing when the deadline is over.
sub wait_for (&;$) {
    my ($condition, $seconds) = @_;
    my $began = time;
    my $end   = $began;
    while (1) {
        my $looks = time;
        my $value = $condition->();
        return $value if $value;
        my $now = time;
        $end = $began + deadline_s($seconds) if $now > $end;
        return if $now > $end;
        nap($now - $began, $now - $looks);
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
