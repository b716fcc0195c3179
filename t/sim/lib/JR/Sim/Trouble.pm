# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Trouble -- what makes jobs of many runs fail together for a while.
#
# Of a scenario's `trouble':
#   kind    what they fail for, as JR::Sim::Cause has it
#   from    seconds after the first run; it ends when the last run begins
#   share   the chance for each run that it has to do with it
#   branch  only runs of that one
#   runner  only jobs on that one
# and how often other jobs of such a scenario fail: background, a chance for each run.

package JR::Sim::Trouble;

use strict;
use warnings;
use Time::HiRes qw(time);

# dice, way (the scenario's `trouble'; none: there is none)
sub new {
    my ($class, %o) = @_;
    return bless { %o, way => $o{way} // {}, is_on => !!$o{way} }, $class;
}

sub begin { my ($self) = @_; $self->{began} //= time; return }
sub end   { my ($self) = @_; $self->{ended} //= time; return }

sub is_now {
    my ($self) = @_;
    return $self->{is_on} && $self->{began} && !$self->{ended} && time - $self->{began} > $self->{way}{from};
}

# What a job fails for now; undef: for nothing of this.
sub strikes {
    my ($self, $run, $job, $runner) = @_;
    my $way = $self->{way};
    return if !$self->is_now || $run->{n} < 0;
    return if defined $way->{branch} && $run->{head_branch} ne $way->{branch};
    return if defined $way->{runner} && $runner ne $way->{runner};
    return if !$self->{dice}->chance($way->{share}, $run->{n}, 'trouble');
    $run->{struck} //= time;
    return $way->{kind};
}

# Most jobs would succeed but for it.
sub calm {
    my ($dice, $n, $plan, $way) = @_;
    return if $dice->chance($way->{background}, $n, 'background');
    @$_{qw(fate p)} = ('good', 0) for @{ $plan->{nodes} };
    return;
}

# What became of those runs that it struck, of some: numbers, and seconds after its end.
sub outcome {
    my ($self, @runs) = @_;
    my %sum = (struck => 0, rescued => 0, reruns => 0, last_s => 0);
    for my $run (grep { $_->{struck} } @runs) {
        $sum{struck}++;
        $sum{reruns} += grep { $_->{accepted} } @{ $run->{posts} };
        my $last = $run->{attempts}[-1];
        next if ($last->{conclusion} // '') ne 'success';
        $sum{rescued}++;
        my $after = $last->{ended} - ($self->{ended} // $last->{ended});
        $sum{last_s} = $after if $after > $sum{last_s};
    }
    return %sum;
}

1;
