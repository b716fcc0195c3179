# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Counting -- the counting method, fed with the same events, for
# comparison: `queued` counts up, `completed` counts down, and at zero with a
# `failure` among them the run is rerun after the delay.
#
# It acts on nothing here; how it would have done is judged afterwards. It is
# given what it may know of settings (attempts, branch, sender, repository
# and workflow), and its rerun counts when the run was over after the delay.

package JR::Sim::Counting;

use strict;
use warnings;
use Time::HiRes qw(time);

# settings (JR::Sim::Judge's), delay_s
sub new {
    my ($class, %o) = @_;
    return bless { %o, runs => {} }, $class;
}

sub hear {
    my ($self, $event) = @_;
    return if $event->{kind} ne 'workflow_job';
    my $state = $self->{runs}{ $event->{run}{id} } //= { count => 0, failed => 0, acts => [] };
    if ($event->{action} eq 'queued') {
        $state->{count}++;
        return;
    }
    return if $event->{action} ne 'completed';
    $state->{count}--;
    $state->{failed} = 1 if $event->{conclusion} eq 'failure';
    return if $state->{count} != 0;
    push @{ $state->{acts} }, { attempt => $event->{attempt}, at => time + $self->{delay_s}, sender => $event->{sender} }
        if $state->{failed};
    $state->{failed} = 0;
    return;
}

# Did it see each attempt that deserved a rerun, once, and no other?
sub is_wrong {
    my ($self, $run, $judge) = @_;
    my $state = $self->{runs}{ $run->{id} };
    my %acts;
    for my $act ($state ? @{ $state->{acts} } : ()) {
        my $attempt = $run->{attempts}[$act->{attempt} - 1] or next;
        # Refused, for the run was going on; and it does not ask again.
        next if !$attempt->{ended} || $attempt->{ended} > $act->{at};
        next if $judge->filter($run, { %$attempt, by => $act->{sender}, number => $act->{attempt} }, 'events');
        $acts{ $act->{attempt} }++;
    }
    for my $attempt (@{ $run->{attempts} }) {
        my $acts = delete $acts{ $attempt->{number} } // 0;
        my $due  = !$judge->undue($run, $attempt);
        my $late = $due && $attempt->{number} < @{ $run->{attempts} }
            && $run->{attempts}[$attempt->{number}]{by} ne $judge->service_name;
        return 1 if $late ? $acts > 1 : $due ? $acts != 1 : $acts > 0;
    }
    return 0;
}

1;
