# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Judge -- what each run deserved, from the truth alone, and whether
# it got that.
#
# An attempt that ended as RETRY_CONCLUSIONS say, with attempts left, and that
# no setting, age or GitHub itself leaves alone, deserves a rerun: there has
# to be a next attempt, made by the service (one accepted POST) or by somebody
# else before it. Any other attempt deserves no POST. A POST is judged by what
# the service could know: by what GitHub showed it last. When the truth has
# changed since (a person was quicker by a moment), it is nobody's fault.

package JR::Sim::Judge;

use strict;
use warnings;
use Time::HiRes qw(time);
use JR::FakeGitHub::Actions;

use constant { RERUN_LIFE_S => 30 * 86400, CATCH_UP_S => 86400 };

sub new {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;    # settings
    $self->{list}{$_} = [map { pattern($_) } split /,/, $o{settings}{$_} // '']
        for qw(NO_RETRY_LIST NO_RETRY_REPOS NO_RETRY_WORKFLOWS REPO_BRANCHES RETRY_CONCLUSIONS);
    return $self;
}

sub service_name { return JR::FakeGitHub::Actions::BOT() }

sub pattern {
    my ($pattern) = @_;
    my $regex = join '', map { $_ eq '*' ? '.*' : $_ eq '?' ? '.' : quotemeta } split //, $pattern;
    return qr/^$regex$/i;
}

sub matches {
    my ($self, $list, $text) = @_;
    return scalar grep { $text =~ $_ } @{ $self->{list}{$list} };
}

# The setting that leaves the attempt alone, or ''. by events: only what
# workflow_job tells.
sub filter {
    my ($self, $run, $attempt, $by_events) = @_;
    return 'repository' if $self->matches(NO_RETRY_REPOS => $run->{repo});
    return 'workflow' if $self->matches(NO_RETRY_WORKFLOWS => $run->{name});
    if (@{ $self->{list}{REPO_BRANCHES} }) {
        return 'branch' if !$self->matches(REPO_BRANCHES => $run->{head_branch});
        return 'branch of a fork' if !$by_events && $run->{head_repo} ne $run->{repo};
    }
    return 'actor' if !$by_events && $self->matches(NO_RETRY_LIST => $run->{actor});
    return 'triggering actor' if $self->matches(NO_RETRY_LIST => $attempt->{by});
    return 'attempts' if $attempt->{number} >= $self->{settings}{RUN_ATTEMPTS};
    return '';
}

# Why the attempt deserves no rerun; '' when it does.
sub undue {
    my ($self, $run, $attempt) = @_;
    return 'not over' if !$attempt->{ended};
    return "ended $attempt->{conclusion}" if !$self->matches(RETRY_CONCLUSIONS => $attempt->{conclusion});
    my $filter = $self->filter($run, $attempt);
    return "left alone: $filter" if $filter;
    return 'over 30 days old' if time - $run->{created_at} > RERUN_LIFE_S;
    return 'ended long ago' if $attempt->{long_over};
    return 'GitHub cannot rerun it' if $run->{event} eq 'dynamic';
    return 'GitHub refuses it for good' if $run->{refused}{ $attempt->{number} };
    return 'deleted' if $run->{gone};
    return '';
}

# Attempts that deserve a rerun and have none yet.
sub unmet {
    my ($self, $run) = @_;
    my $last = $run->{attempts}[-1];
    return $self->undue($run, $last) ? 0 : 1;
}

# What is wrong with a POST; '' if nothing.
sub fault_of {
    my ($self, $run, $post, $done) = @_;
    my $basis = $post->{basis} or return 'a POST without asking before';
    my $n = $basis->{attempt};
    my $attempt = $run->{attempts}[$n - 1];
    return "a POST for attempt $n, which GitHub showed as $basis->{status}" if $basis->{status} ne 'completed';
    return "a second POST for attempt $n" if $done->{$n} && ($done->{$n}{told} || !$basis->{stale});
    return "a POST for attempt $n after a refusal for good"
        if $done->{refused}{$n} || $done->{refused}{"$n $post->{path}"};
    my $undue = $self->undue($run, { %$attempt, conclusion => $basis->{conclusion}, ended => 1 });
    return '' if $undue =~ /^(?:GitHub|deleted)/;    # it cannot know before
    return "a POST for attempt $n: $undue" if $undue;
    return '';
}

# What is wrong with the run: texts. unlucky is counted where a POST hit what
# had changed since GitHub was asked.
sub faults {
    my ($self, $run, $unlucky) = @_;
    my (@faults, %done);
    for my $post (@{ $run->{posts} }) {
        my $fault = $self->fault_of($run, $post, \%done);
        push @faults, $fault if $fault;
        my $n = $post->{basis} ? $post->{basis}{attempt} : 0;
        $done{refused}{$n} = 1 if ($post->{why} // '') eq 'refused for good';
        $done{refused}{"$n $post->{path}"} = 1 if $run->{event} eq 'dynamic' && $post->{told};
        next if !$post->{accepted};
        $done{$n} = $post;
    }
    my @made = grep { $_->{by} eq service_name() } @{ $run->{attempts} };
    my $accepted = grep { $_->{accepted} } @{ $run->{posts} };
    push @faults, "$accepted accepted POSTs, but " . @made . ' attempts made by them' if $accepted != @made;
    for my $attempt (@{ $run->{attempts} }) {
        my $n    = $attempt->{number};
        my $next = $run->{attempts}[$n];
        my $undue = $self->undue($run, $attempt);
        if (!$undue && !$next) { push @faults, "attempt $n deserved a rerun ($attempt->{conclusion}) and has none" }
        elsif ($undue && $next && $next->{by} eq service_name() && !@faults) {
            if ($run->{gone} && $undue eq 'deleted') { next }
            $$unlucky++;
        }
    }
    return @faults;
}

1;
