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
#
# Where a scenario has a policy (JR::Sim::Policy), an attempt deserves what
# that says of the causes of its failed jobs, as far as GitHub has shown them:
# by its last answer; what was not asked for could have been read. No log is
# read twice, unless the dispatcher was killed in between.
#
# Where a scenario has guards, limits or a trouble (JR::Sim::Guards, Limits, Trouble), the service's own
# history is looked at as well: what it left for good has to have had that reason, what waited has
# to have been rerun, or left when CATCH_UP was over, and nothing may have waited for what was not so.

package JR::Sim::Judge;

use strict;
use warnings;
use Time::HiRes qw(time);
use JR::FakeGitHub::Actions;

use constant {
    RERUN_LIFE_S => 30 * 86400,
    DYING_S      => 1,            # what was asked for may come to us after its asker's death
    EARLY_S      => 1,            # times that GitHub tells are whole seconds
};

# Reasons for which a run waits.
my $HOLDS = qr/^(?:concurrency-busy|budget-used-up|outage-hold)$/;

# settings; around (JR::Sim::Guards), limits (JR::Sim::Limits), catch_up_s, is_strict; policy, cause (JR::Sim::Policy, Cause), or none; checks: may annotations be read?
sub new {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;
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

# The list that leaves an attempt alone, though somebody asks for it; or ''.
sub filter_of_asked {
    my ($self, $run, $attempt) = @_;
    return 'repository' if $self->matches(NO_RETRY_REPOS => $run->{repo});
    return 'workflow' if $self->matches(NO_RETRY_WORKFLOWS => $run->{name});
    return (grep { $self->matches(NO_RETRY_LIST => $_) } $run->{actor}, $attempt->{by}) ? 'actor' : '';
}

# Is it for settings and GitHub to be rerun at all?
sub may_be_rerun { my ($self, $run) = @_; return $run->{event} ne 'dynamic' && !$self->filter($run, $run->{attempts}[0]) }

# Why the attempt deserves no rerun; '' when it does.
sub undue {
    my ($self, $run, $attempt) = @_;
    return 'not over' if !$attempt->{ended};
    my $is_retried = $self->matches(RETRY_CONCLUSIONS => $attempt->{conclusion});
    return "ended $attempt->{conclusion}"
        if !$is_retried && !($self->{policy} && $attempt->{conclusion} eq 'cancelled');
    my $filter = $self->filter($run, $attempt);
    return "left alone: $filter" if $filter;
    return 'over 30 days old' if time - $run->{created_at} > RERUN_LIFE_S;
    return 'ended long ago' if $attempt->{long_over};
    my $left = $self->{policy} ? $self->left($run, $attempt) : '';
    return $left if $left;
    return 'GitHub cannot rerun it' if $run->{event} eq 'dynamic';
    return 'GitHub refuses it for good' if $run->{refused}{ $attempt->{number} };
    return 'deleted' if $run->{gone};
    return '';
}

# What can be seen of a job's annotations, and of its log.
sub notes_of {
    my ($self, $job) = @_;
    return $self->{checks} ? $job->{notes_told} // 'found' : 'unreadable';
}

sub log_of {
    my ($self, $job) = @_;
    my $told = $job->{link_told} // ($job->{why}{stored} ? 'found' : 'absent');
    my $read = $job->{reads} && $job->{reads}[-1];
    return $told if $told ne 'found' || !$read;
    return 'absent' if $read->{status} == 404;
    return $read->{status} =~ /^20[06]$/ && $read->{done} ? 'found' : 'unreadable';
}

# Did the job fail likewise in an earlier attempt, and has not passed since?
sub fails_as_before {
    my ($self, $run, $attempt, $job) = @_;
    for my $before (reverse grep { $_->{number} < $attempt->{number} } @{ $run->{attempts} }) {
        # Of an attempt that somebody else has rerun at once the service may have seen nothing.
        my @seen = grep { $self->log_of($_) eq 'found' } ($before->{jobs_told} // '') eq 'found' ? @{ $before->{failed} // [] } : ();
        return 1 if grep { $self->{cause}->same($job, $_) } @seen;
        return 0 if $before->{passed}{ $job->{name} };
    }
    return 0;
}

# Why the policy leaves the attempt; '' when it does not.
sub left {
    my ($self, $run, $attempt) = @_;
    # Of jobs that it has not listed nothing is known.
    my $listed = ($attempt->{jobs_told} // 'found') eq 'found';
    my @jobs = map {
        my $job = $_;
        my %seen = (notes => $self->notes_of($job), log => $self->log_of($job));
        {
            cause => $listed ? $self->{cause}->known($job, %seen) : 'unknown', cancelled => $job->{conclusion} eq 'cancelled',
            unsure => $seen{notes} ne 'found',
            same => $listed && $self->fails_as_before($run, $attempt, $job),    # the list tells the step
        }
    } @{ $attempt->{failed} // [] };
    return $self->{policy}->left(
        $attempt->{number}, $attempt->{conclusion}, $self->matches(RETRY_CONCLUSIONS => $attempt->{conclusion}), @jobs);
}

# Attempts that deserve a rerun and have none yet.
sub unmet {
    my ($self, $run) = @_;
    my $last = $run->{attempts}[-1];
    return 0 if $self->undue($run, $last) || $self->{asking}->may_be_stopped($run, $last);
    return !($self->{is_strict} && $self->closing($run, $last));
}

# The decision that closed an attempt; undef: none has.
sub closing {
    my ($self, $run, $attempt) = @_;
    my $decisions = $self->{decisions}{ $run->{id} }{ $attempt->{number} } // [];
    return @$decisions && $decisions->[-1]{closed} ? $decisions->[-1] : undef;
}

# What is wrong with why an attempt was left, or waited: texts.
sub faults_of_reasons {
    my ($self, $run, $attempt) = @_;
    my $n = $attempt->{number};
    my @decisions = @{ $self->{decisions}{ $run->{id} }{$n} // [] };
    my @faults = grep {length} map { $self->{around}->fault_of_reason($run, $attempt, $_) } @decisions;
    push @faults, "attempt $n waits for an outage, and there was none"
        if !$self->{outage} && grep { $_->{reason} eq 'outage-hold' } @decisions;
    push @faults, "attempt $n waits for a limit that was not reached"
        if grep { $_->{reason} eq 'budget-used-up' && !$_->{closed} && !$self->{limits}->is_full($run, $attempt, $_->{at}, @{ $self->{all} }) } @decisions;
    my $last = $decisions[-1] or return @faults;
    my $hold = $last->{reason} eq 'missed' && $self->hold_before($run, $attempt, $last->{at});
    push @faults, "attempt $n is left as missed, and it was held ($hold->{reason})" if $hold;
    return @faults if $last->{reason} !~ $HOLDS || $attempt->{number} < @{ $run->{attempts} };
    push @faults, "attempt $n still waits ($last->{reason})" if !$last->{closed};
    push @faults, sprintf 'attempt %d is left for %s after %.1f s', $n, $last->{reason}, $last->{at} - $attempt->{ended}
        if $last->{closed} && $last->{at} < $attempt->{ended} + $self->{catch_up_s} - EARLY_S
        && !($last->{reason} eq 'budget-used-up' && $self->{limits}->is_too_much($run));
    return @faults;
}

# Is it left for what a guard said, or after it has waited for so long? Whether that was so: see faults_of_reasons().
sub is_left_rightly {
    my ($self, $run, $attempt) = @_;
    my $closing = $self->{is_strict} && $self->closing($run, $attempt) or return 0;
    return $closing->{reason} =~ $HOLDS || $self->{around}->is_reason($closing->{reason});
}

# By what it was held at a time, when it was shown last before that: the decision; undef: by nothing.
sub hold_before {
    my ($self, $run, $attempt, $at) = @_;
    my @shown = grep { $_->{at} <= $at && ($_->{reason} =~ $HOLDS || $_->{reason} eq 'run-failed') }
        @{ $self->{decisions}{ $run->{id} }{ $attempt->{number} } // [] };
    return @shown && $shown[-1]{reason} =~ $HOLDS ? $shown[-1] : undef;
}

# When its concurrency group was shown as held the last time before; undef: it was not.
sub last_busy {
    my ($self, $run, $attempt, $at) = @_;
    my @busy = grep { $_->{at} <= $at && $_->{reason} eq 'concurrency-busy' }
        @{ $self->{decisions}{ $run->{id} }{ $attempt->{number} } // [] };
    return @busy ? $busy[-1]{at} : undef;
}

# A host does not know what another was refused, which may have died, or stood still, before it told.
sub door { my ($post) = @_; return ($post->{door} // 0) . ' ' }

# What is wrong with a POST; '' if nothing.
sub fault_of {
    my ($self, $run, $post, $done) = @_;
    my $basis = $post->{basis} or return 'a POST without asking before';
    my $n = $basis->{attempt};
    my $attempt = $run->{attempts}[$n - 1];
    return "a POST for attempt $n, which GitHub showed as $basis->{status}" if $basis->{status} ne 'completed';
    return "a second POST for attempt $n" if $done->{$n} && ($done->{$n}{told} || !$basis->{stale});
    return "a POST for attempt $n after a refusal for good"
        if $done->{refused}{ door($post) . $n } || $done->{refused}{ door($post) . "$n $post->{path}" };
    my $undue = $self->undue($run, { %$attempt, conclusion => $basis->{conclusion}, ended => 1 });
    return '' if $undue =~ /^(?:GitHub|deleted)/;    # it cannot know before
    my $asked = $self->{asking}->fault_of_asked($self, $run, { %$attempt, conclusion => $basis->{conclusion} }, $post);
    return $asked || $self->{around}->fault_of_post($run, $attempt, $post, undef, 'asked') if defined $asked;
    return "a POST for attempt $n, though reruns of its commit were stopped" if $self->{asking}->is_stopped($run, $basis->{asked_at}, $post->{at});
    return "a POST for attempt $n: $undue" if $undue;
    return $self->{around}->fault_of_post($run, $attempt, $post, $self->last_busy($run, $attempt, $post->{at}));
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
        my $is_heard = !$self->asker_died($post->{at});
        $done{refused}{ door($post) . $n } = 1 if $is_heard && ($post->{why} // '') eq 'refused for good';
        $done{refused}{ door($post) . "$n $post->{path}" } = 1 if $is_heard && $run->{event} eq 'dynamic' && $post->{told};
        next if !$post->{accepted};
        $done{$n} = $post;
    }
    my @made = grep { $_->{by} eq service_name() } @{ $run->{attempts} };
    my $accepted = grep { $_->{accepted} } @{ $run->{posts} };
    push @faults, "$accepted accepted POSTs, but " . @made . ' attempts made by them' if $accepted != @made;
    for my $attempt (@{ $run->{attempts} }) {
        push @faults, map { $self->faults_of_reads($_) } @{ $attempt->{failed} // [] };
        my $n    = $attempt->{number};
        my $next = $run->{attempts}[$n];
        push @faults, $self->faults_of_reasons($run, $attempt) if $self->{is_strict};
        my $undue = $self->undue($run, $attempt);
        if (!$undue && !$next && !$self->is_left_rightly($run, $attempt) && !$self->{asking}->may_be_stopped($run, $attempt)) { push @faults, "attempt $n deserved a rerun ($attempt->{conclusion}) and has none" }
        elsif ($undue && $next && $next->{by} eq service_name() && !@faults) {
            if ($run->{gone} && $undue eq 'deleted') { next }
            if ($self->{asking}->askers($run, $attempt, $next->{began})) { next }
            $$unlucky++;
        }
    }
    return @faults;
}

# Of several hosts: how many attempts were rerun twice, how many POSTs hit another attempt than the one
# that its host was shown last, and how many made more attempts than are allowed.
sub tally {
    my ($self, @runs) = @_;
    my %sum = (doubles => 0, strays => 0, beyond => 0);
    for my $run (@runs) {
        my %meant;
        for my $post (grep { $_->{accepted} } @{ $run->{posts} }) {
            my $n = ($post->{basis} // {})->{attempt} // 0;
            $sum{doubles}++ if $meant{$n}++;
            $sum{strays}++  if $n != $post->{hits};
            $sum{beyond}++  if $post->{hits} >= $self->{settings}{RUN_ATTEMPTS};
        }
    }
    return %sum;
}

# How long after the end of their attempts reruns came, in seconds: the longest of those that came later
# than `at', as after_s; the middle one and the longest of all, and whose that was.
sub lateness {
    my ($self, $at, @runs) = @_;
    my ($after, @all) = 0;
    for my $run (@runs) {
        for my $next (grep { $_->{by} eq service_name() && $_->{number} > 1 } @{ $run->{attempts} }) {
            my $ended = $run->{attempts}[$next->{number} - 2]{ended};
            push @all, [$next->{began} - $ended, $run];
            my $late = $next->{began} - ($ended > ($at // 0) ? $ended : $at);
            $after = $late if $late > $after;
        }
    }
    @all = sort { $a->[0] <=> $b->[0] } @all;
    return (after_s => $after) if !@all;
    return (after_s => $after, middle_s => $all[@all / 2][0], most_s => $all[-1][0], latest => $all[-1][1]);
}

# Did the service's dispatcher die about then, so that nobody may have heard the answer?
sub asker_died {
    my ($self, $at) = @_;
    return scalar grep { abs($_ - $at) < DYING_S } @{ $self->{deaths} // [] };
}

# A log that was read to its end once is not read again, but by a dispatcher that did not get to
# record it.
sub faults_of_reads {
    my ($self, $job) = @_;
    my @whole = grep { $_->{done} && $_->{counts} } @{ $job->{reads} // [] };
    my @faults;
    for my $i (1 .. $#whole) {
        my ($from, $to) = ($whole[$i - 1]{at} - DYING_S, $whole[$i]{at});
        next if grep { $_ >= $from && $_ <= $to } @{ $self->{deaths} // [] };
        push @faults, "the log of job $job->{id} was read twice";
    }
    return @faults;
}

1;
