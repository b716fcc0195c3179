# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Loop -- timers and sockets of the simulator, in one process.

package JR::Sim::Loop;

use strict;
use warnings;
use Time::HiRes qw(time);

use constant STEP_S => 0.05;

sub new {
    my ($class) = @_;
    return bless { heap => [], count => 0, readers => {}, bits => '' }, $class;
}

# Call back in some seconds.
sub after {
    my ($self, $seconds, $callback) = @_;
    my $heap = $self->{heap};
    my $entry = [time + $seconds, $self->{count}++, $callback];
    my $i = @$heap;
    push @$heap, $entry;
    while ($i > 0) {
        my $up = ($i - 1) >> 1;
        last if !before($entry, $heap->[$up]);
        $heap->[$i] = $heap->[$up];
        $i = $up;
    }
    $heap->[$i] = $entry;
    return;
}

sub before { return $_[0][0] < $_[1][0] || ($_[0][0] == $_[1][0] && $_[0][1] < $_[1][1]) }

sub take_first {
    my ($heap) = @_;
    my $first = $heap->[0];
    my $last  = pop @$heap;
    return $first if !@$heap;
    my $i = 0;
    while ((my $down = 2 * $i + 1) < @$heap) {
        $down++ if $down + 1 < @$heap && before($heap->[$down + 1], $heap->[$down]);
        last if !before($heap->[$down], $last);
        $heap->[$i] = $heap->[$down];
        $i = $down;
    }
    $heap->[$i] = $last;
    return $first;
}

# Call back whenever the handle can be read; undef: no longer.
sub on_read {
    my ($self, $handle, $callback) = @_;
    my $fd = fileno $handle;
    if ($callback) { $self->{readers}{$fd} = [$handle, $callback] }
    else           { delete $self->{readers}{$fd} }
    vec($self->{bits}, $fd, 1) = $callback ? 1 : 0;
    return;
}

# When the first timer goes off; undef: there is none.
sub next_at { my ($self) = @_; return @{ $self->{heap} } ? $self->{heap}[0][0] : undef }

# The timers whose time has come.
sub fire {
    my ($self) = @_;
    my $heap = $self->{heap};
    my $now  = time;
    my $most = 200;
    while (@$heap && $heap->[0][0] <= $now && $most-- > 0) {
        take_first($heap)->[2]->();
    }
    return;
}

# What can be read by now, or within some seconds.
sub look {
    my ($self, $wait) = @_;
    my $ready = $self->{bits};
    my $n = select $ready, undef, undef, $wait;
    return if $n <= 0;
    for my $fd (keys %{ $self->{readers} }) {
        next if !vec $ready, $fd, 1;
        my $reader = $self->{readers}{$fd} or next;
        $reader->[1]->($reader->[0]);
    }
    return;
}

# One turn.
sub turn {
    my ($self) = @_;
    $self->fire;
    my $at = $self->next_at;
    my $wait = defined $at ? $at - time : STEP_S;
    $wait = 0      if $wait < 0;
    $wait = STEP_S if $wait > STEP_S;
    $self->look($wait);
    return;
}

1;
