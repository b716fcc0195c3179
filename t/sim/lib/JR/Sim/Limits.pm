# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Limits -- what reruns may spend, and whether more was spent.
#
# Of a scenario's `limits', for a thousand runs: reruns (an hour) and minutes (a day) of each repository,
# all_reruns and all_minutes of all together. Hours and days are those of the calendar, in UTC, of a clock of which
# a minute lasts minute_ms. A job takes a minute, since each that was begun counts.

package JR::Sim::Limits;

use strict;
use warnings;
use List::Util qw(min);
use POSIX qw(floor);

use constant { SLACK_S => .4, DYING_S => .2 };

# The limits for so many runs.
sub scaled {
    my ($way, $runs) = @_;
    return { map { $_ => 1 + int $way->{$_} * $runs / 1000 } keys %$way };
}

# way (limits; none: no limits), minute_ms
sub new {
    my ($class, %o) = @_;
    return bless { %o, is_on => !!$o{way}, way => $o{way} // {} }, $class;
}

# As a policy has them.
sub yaml {
    my ($way) = @_;
    my $map = sub {
        my %of = ('reruns-per-hour' => $way->{"$_[0]reruns"}, 'minutes-per-day' => $way->{"$_[0]minutes"});
        return join ', ', map {"$_: $of{$_}"} grep { defined $of{$_} } sort keys %of;
    };
    my ($each, $all) = ($map->(''), $map->('all_'));
    return ($each ? "limits: { $each }\n" : '') . ($all ? "limits-all: { $all }\n" : '');
}

sub window { my ($self, $name, $at) = @_; return floor($at / $self->length_s($name)) }

sub length_s {
    my ($self, $name) = @_;
    return ($name =~ /reruns/ ? 60 : 1440) * $self->{minute_ms} / 1000;
}

# Why more was spent in a window than its limit allows: texts. What comes in its first moments may
# be of the one before, and so may that for which GitHub had answered then: it is spent when the
# service decides, which is between that answer and the POST.
sub faults {
    my ($self, @runs) = @_;
    my (%spent, @faults);
    for my $run (@runs) {
        for my $post (grep { $_->{accepted} && $_->{basis} } @{ $run->{posts} }) {
            my $cost = @{ $run->{attempts}[$post->{basis}{attempt} - 1]{failed} // [] };
            for my $name (keys %{ $self->{way} }) {
                my $length_s = $self->length_s($name);
                my $number = $self->window($name, $post->{at});
                next if $post->{at} - $number * $length_s < SLACK_S || $self->window($name, $post->{basis}{asked_at}) != $number;
                $spent{ join ' ', $name, $name =~ /^all/ ? 'of all' : $run->{repo}, $number } += $name =~ /reruns/ ? 1 : $cost;
            }
        }
    }
    for my $window (sort keys %spent) {
        my ($name) = split / /, $window;
        push @faults, "$spent{$window} $window, and the limit is $self->{way}{$name}" if $spent{$window} > $self->{way}{$name};
    }
    return @faults;
}

# Was there anything in the way at a time? Reruns of which GitHub does not know count as well.
sub is_full {
    my ($self, $run, $attempt, $at, @runs) = @_;
    my $own = @{ $attempt->{failed} // [] };
    for my $name (keys %{ $self->{way} }) {
        my $number = $self->window($name, $at);
        my $spent = 0;
        for my $other (grep { $name =~ /^all/ || lc $_->{repo} eq lc $run->{repo} } @runs) {
            $spent += $name =~ /reruns/ ? 1 : $self->most($other, $_)
                for grep { begun($_) <= $at && $self->window($name, begun($_)) <= $number && $self->window($name, $_->{at}) >= $number }
                @{ $other->{posts} };
        }
        return 1 if $spent + ($name =~ /reruns/ ? 1 : $self->most($run)) > $self->{way}{$name};
    }
    return 0;
}

# Since when a rerun may have been spent that was asked for later.
sub begun { my ($post) = @_; return min($post->{at} - DYING_S, grep {defined} $post->{basis} && $post->{basis}{asked_at}) }

# No rerun costs more.
sub most { my ($self, $run) = @_; return scalar @{ $run->{plan}{nodes} } }

# Does a rerun cost more by itself than a day may?
sub is_too_much {
    my ($self, $run) = @_;
    return scalar grep { defined $_ && $self->most($run) > $_ } @{ $self->{way} }{qw(minutes all_minutes)};
}

1;
