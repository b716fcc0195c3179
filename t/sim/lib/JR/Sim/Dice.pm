# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Dice -- chance that can be repeated.
#
# A throw depends on the seed and on what it is about, never on the throws
# before it: so what a run is and how its jobs end is the same each time,
# whatever the scheduler does. Only the course of time is not.

package JR::Sim::Dice;

use strict;
use warnings;
use Digest::SHA qw(sha1);

sub new {
    my ($class, $seed) = @_;
    return bless { seed => $seed }, $class;
}

# From 0 to below 1.
sub roll {
    my ($self, @about) = @_;
    return unpack('N', sha1(join "\0", $self->{seed}, @about)) / 2**32;
}

sub chance {
    my ($self, $p, @about) = @_;
    return $p > 0 && $self->roll(@about) < $p;
}

sub between {
    my ($self, $from, $to, @about) = @_;
    return $from + ($to - $from) * $self->roll(@about);
}

sub pick {
    my ($self, $list, @about) = @_;
    return $list->[int(@$list * $self->roll(@about))];
}

# An entry of [weight, value] pairs.
sub weighted {
    my ($self, $pairs, @about) = @_;
    my $sum = 0;
    $sum += $_->[0] for @$pairs;
    my $at = $sum * $self->roll(@about);
    for (@$pairs) {
        return $_->[1] if ($at -= $_->[0]) < 0;
    }
    return $pairs->[-1][1];
}

1;
