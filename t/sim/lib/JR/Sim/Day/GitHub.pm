# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Day::GitHub -- GitHub on a calm day, with jobs that take minutes: it tells
# everything once and in order, and does nothing odd.

package JR::Sim::Day::GitHub;

use strict;
use warnings;
use parent 'JR::Sim::GitHub';
use JR::Sim::Organisation;
use Time::HiRes qw(time);

# Seconds, by what it is that lasts: the last word of what a throw is about.
my %LASTS = (gap => [1, 5], queue => [2, 25], end => [1, 3], cancel => [1, 6]);

sub now { return time }

sub sender { my ($self, $run) = @_; return $run->{triggering_actor} }

sub odd { return 0 }

sub lasts {
    my ($self, $run, $from_ms, $to_ms, @about) = @_;
    my $what = $about[-1];
    return $self->work_lasts($run, @about) if $what eq 'work';
    my $range = $LASTS{$what} // [$from_ms / 1000, $to_ms / 1000];
    return $self->{dice}->between(@$range, $run->{n}, $run->{attempt}, @about);
}

# A job that fails ends before its time, and one that hangs when its time is over.
sub work_lasts {
    my ($self, $run, $i, @about) = @_;
    my $will = $run->{nodes}[$i]{will};
    return JR::Sim::Organisation::TIMEOUT_S() if $will eq 'timed_out';
    my @share = $will eq 'failure' ? (.3, .95) : (.85, 1.3);
    return $run->{plan}{nodes}[$i]{seconds} * $self->{dice}->between(@share, $run->{n}, $run->{attempt}, $i, @about);
}

# Where the pages of the service lead to.
sub answer {
    my ($self, $request) = @_;
    return $self->SUPER::answer($request) if $request->{path} !~ m{^/([\w-]+/[\w-]+)/actions/runs/(\d+)$};
    return { status => 200, headers => { 'Content-Type' => 'text/html; charset=utf-8' }, body => <<"END" };
<!DOCTYPE html><title>An imaginary GitHub</title><meta name="color-scheme" content="light dark">
<p>This GitHub is imaginary. GitHub itself would show run $2 of $1 here, with the log of each job.
END
}

# The service would find by itself what nobody has told it of (Day.pm).
sub list_runs {
    my ($self, $request, $repo) = @_;
    my $runs = $self->{by_repo}{ lc $repo } // [];
    local $self->{by_repo}{ lc $repo } = [grep { !$_->{untold} || $_->{attempt} > 1 } @$runs];
    return $self->SUPER::list_runs($request, $repo);
}

sub runner_of {
    my ($self, $run, $job) = @_;
    my $node = $run->{plan}{nodes}[$job->{node}];
    $job->{labels} = $node->{labels};
    my @about = ($run->{n}, $run->{attempt}, $job->{node}, 'runner');
    return 'GitHub Actions ' . int $self->{dice}->between(1, 1000, @about) if $node->{labels}[0] ne 'self-hosted';
    return 'build-' . (1 + int $self->{dice}->between(0, JR::Sim::Organisation::RUNNERS(), @about));
}

sub outcome {
    my ($self, $run, $job, $runner) = @_;
    my $node  = $run->{plan}{nodes}[$job->{node}];
    my @about = ($run->{n}, $run->{attempt}, $job->{node}, 'outcome');
    my $p     = $node->{p};
    $p = JR::Sim::Organisation::BAD_RUNNER_P() if $runner eq JR::Sim::Organisation::BAD_RUNNER();
    my $fails = $run->{attempt} <= $node->{fails} || $self->{dice}->chance($p, @about);
    return $job->{will} = !$fails ? 'success' : $node->{late} ? 'timed_out' : 'failure';
}

1;
