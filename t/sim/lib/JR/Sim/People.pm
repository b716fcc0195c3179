# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::People -- those who re-run, cancel and delete by hand.
#
# Of a scenario's `people`, chances for each attempt: rerun, cancel, remove.

package JR::Sim::People;

use strict;
use warnings;

# dice, loop, github, way (the scenario's `people`)
sub new {
    my ($class, %o) = @_;
    return bless { %o, way => $o{way} // {}, pending => 0 }, $class;
}

sub idle { return !$_[0]{pending} }

sub plan {
    my ($self, $seconds, $act) = @_;
    $self->{pending}++;
    $self->{loop}->after($seconds, sub { $self->{pending}--; $act->() });
    return;
}

# A run has begun, or an attempt of it is over.
sub see_start {
    my ($self, $run) = @_;
    my ($dice, $github) = @$self{qw(dice github)};
    my @about = ($run->{n}, 'first');
    return if !$dice->chance($self->{way}{cancel} // 0, @about, 'cancel');
    $self->plan($dice->between(.01, .6, @about, 'when'), sub { $github->cancel($run, 'by octocat') });
    return;
}

sub see_end {
    my ($self, $run) = @_;
    my ($dice, $github, $way) = @$self{qw(dice github way)};
    my $attempt = $run->{attempt};
    my @about = ($run->{n}, $attempt);
    return if $attempt > 6 || $run->{conclusion} eq 'action_required' || $run->{plan}{age_s} > 30 * 86400;
    if ($dice->chance($way->{remove} // 0, @about, 'remove')) {
        $self->plan($dice->between(0, .3, @about, 'when'), sub { $github->delete_run($run) if $run->{status} eq 'completed' });
        return;
    }
    my $wish = $run->{conclusion} eq 'cancelled' ? 3 : $run->{conclusion} eq 'success' ? .3 : 1;
    return if !$dice->chance(($way->{rerun} // 0) * $wish, @about, 'rerun');
    my $what = $dice->weighted([[2, 'all'], [2, 'failed'], [3, 'one']], @about, 'what');
    my $who  = $dice->weighted([[5, 'octocat'], [5, 'hubot'], [1, 'mallory']], @about, 'who');
    $self->plan($dice->between(0, .3, @about, 'when'), sub {
        return if $run->{gone} || $run->{attempt} != $attempt || !$github->rerun_by($run, $who, $what);
        return if !$dice->chance($way->{cancel} // 0, @about, 'cancel');
        $self->plan($dice->between(.02, .5, @about, 'cancel when'), sub { $github->cancel($run, "by $who") });
    });
    return;
}

1;
