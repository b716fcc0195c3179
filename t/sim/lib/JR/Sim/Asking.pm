# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Asking -- people who ask for reruns on pull requests (COMMANDS), and what each asking deserves.
#
# Of a scenario's `asked`, chances for each attempt that ends:
#   comment button   somebody asks by a comment, by a button of the check run
# ... of each of these:
#   twice            it is told again, by a delivery of its own
#   idle             it counts for nothing: an edit, a bot's, one of an hour ago
#   stale            a button of another attempt than the newest
#
# Some of those who ask may not. Whoever may is answered with one reaction, others with none. A rerun that
# an attempt does not deserve by itself has to have been asked for, while it was the newest of a commit that was the
# newest; no attempt is rerun by itself of a commit that was stopped.

package JR::Sim::Asking;

use strict;
use warnings;
use Digest::SHA qw(sha1_hex);
use Time::HiRes qw(time);
use JR::Payload ();
use JR::Sim::Workflow;

use constant {
    RUNS_OF_ONE => 3,         # pull request; of one, two or three commits
    WHEN_S      => [0, 1.5],  # after the attempt's end
    AGAIN_S     => [.05, .5],
    ACTS_S      => 10,        # what has had no answer by then was acted on all the same, or is a fault
    EARLY_S     => 3,         # a stop that came no later than so after an attempt's end may have stopped that
    CALM_S      => 1,         # what has been so for so long the service knows
    FIRST_PULL  => 100,
};

my %MAY = (octocat => 'write', hubot => 'admin', reader => 'read', renamed => 'write');

# dice, loop, github, way (the scenario's `asked`; none: nobody asks), send->(event)
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, is_on => !!$o{way}, way => $o{way} // {}, all => [], pending => 0 }, $class;
    return $self if !$self->{is_on};
    for my $repo (JR::Sim::Workflow::repos()) {
        $self->{github}->set_permission($repo, $_, $MAY{$_}, $_ eq 'renamed' ? 4242 : 0) for sort keys %MAY;
    }
    return $self;
}

sub settings { return $_[0] ? (COMMANDS => 'yes') : () }

sub idle { return !$_[0]{pending} }

# Runs of a pull request follow each other; the later ones may be of a newer commit. files: what its workflows have in it.
sub plan {
    my ($dice, $n, $plan, $files) = @_;
    return if $n < 0 || $plan->{event} !~ /^(?:push|pull_request)$/;
    my $pull = int($n / RUNS_OF_ONE);
    my $commit = grep { $dice->chance(.5, $_, 'new commit') } RUNS_OF_ONE * $pull + 1 .. $n;
    my $repo = $dice->pick([JR::Sim::Workflow::repos()], $pull, 'repository');
    my $is_fork = $dice->chance(.2, $pull, 'fork');
    @$plan{qw(repo event head_branch head_sha run_number)} =
        ($repo, 'pull_request', "topic/$pull", sha1_hex("$pull/$commit"), $n + 1);
    $plan->{nodes} = $files->{"$plan->{head_sha} $plan->{workflow}"} //= $plan->{nodes};
    $plan->{head_repo} = $is_fork ? 'stranger/' . ($repo =~ s{.*/}{}r) : $repo;
    return;
}

# An attempt is over.
sub see_end {
    my ($self, $run) = @_;
    return if !$self->{is_on} || $run->{n} < 0 || !$run->{pull} || $run->{attempt} > 8;
    for my $how (qw(comment button)) {
        my @about = ($run->{n}, $run->{attempt}, $how);
        next if !$self->{dice}->chance($self->{way}{$how}, @about);
        $self->later($self->{dice}->between(@{ +WHEN_S }, @about, 'when'), sub { $self->ask($run, @about) });
    }
    return;
}

sub later {
    my ($self, $seconds, $act) = @_;
    $self->{pending}++;
    $self->{loop}->after($seconds, sub { $self->{pending}--; $act->() });
    return;
}

sub ask {
    my ($self, $run, @about) = @_;
    my ($dice, $is_button) = ($self->{dice}, $about[2] eq 'button');
    my %asking = (
        run => $run, is_button => $is_button, pull => $run->{pull},
        who  => $dice->weighted([[6, 'octocat'], [4, 'hubot'], [1, 'reader'], [1, 'stranger'], [1, 'renamed']], @about, 'who'),
        verb => $dice->weighted([[5, 'rerun'], [3, 'all'], [1, 'stop'], [$is_button ? 0 : 2, 'why']], @about, 'verb'),
        idle => $dice->chance($self->{way}{idle}, @about, 'idle') ? $dice->pick([qw(edit bot old)], @about, 'what') : '',
    );
    my $payload = $is_button ? $self->button(\%asking, @about) : $self->comment(\%asking) or return;
    $asking{idle} = '' if $is_button && $asking{idle} ne 'bot';
    push @{ $self->{all} }, \%asking;
    $self->tell(\%asking, $payload);
    $self->later($dice->between(@{ +AGAIN_S }, @about, 'again when'), sub { $self->tell(\%asking, $payload) })
        if !$is_button && $dice->chance($self->{way}{twice}, @about, 'twice');
    return;
}

sub comment {
    my ($self, $asking) = @_;
    my $run = $asking->{run};
    my $body = '/rerun' . ($asking->{verb} eq 'rerun' ? '' : " $asking->{verb}");
    my $made = $self->{github}{reports}->put_comment({ repo => $run->{repo}, number => $run->{pull}{number}, login => $asking->{who}, body => $body });
    $asking->{comment_id} = $made->{id};
    return JR::Payload::comment_event(
        repo => $run->{repo}, number => $run->{pull}{number}, body => $body, comment_id => $made->{id}, sender => $asking->{who},
        action => $asking->{idle} eq 'edit' ? 'edited' : 'created', type => $asking->{idle} eq 'bot' ? 'Bot' : 'User',
        created => time - ($asking->{idle} eq 'old' ? 3600 : 0), association => $asking->{who} eq 'octocat' ? 'MEMBER' : 'NONE');
}

# What stands beside the check run, or stood there before.
sub button {
    my ($self, $asking, @about) = @_;
    my $run = $asking->{run};
    my ($check) = grep { $_->{external_id} eq $run->{id} } @{ $self->{github}{reports}{checks} };
    my ($shown) = map { $_->{identifier} =~ /-(\d+)$/ } @{ ($check // {})->{actions} // [] } or return;
    $shown-- if $self->{dice}->chance($self->{way}{stale}, @about, 'stale');
    return if $shown < 1;
    $asking->{attempt} = $shown;
    return JR::Payload::button_event(
        repo => $run->{repo}, run_id => $run->{id}, verb => $asking->{verb}, attempt => $shown, sender => $asking->{who}, app => 4711,
        type => $asking->{idle} eq 'bot' ? 'Bot' : 'User');
}

sub tell {
    my ($self, $asking, $payload) = @_;
    my $run = $asking->{run};
    $asking->{at} //= time;
    $asking->{n} //= ++$self->{count};
    push @{ $run->{story} }, [time, "$asking->{who} asks: $asking->{verb}" . ($asking->{is_button} ? ", beside attempt $asking->{attempt}" : '')
        . ($asking->{idle} ? ", $asking->{idle}" : '')];
    my $body = JR::Payload::json_text($payload);
    $self->{send}->({
        kind => $asking->{is_button} ? 'check_run' : 'issue_comment', action => $payload->{action}, run => $run,
        attempt => $run->{attempt}, name => "$asking->{verb} $asking->{n}", job => 0, body => sub {$body},
    });
    return;
}

# A reaction was asked for: it is done by now.
sub note {
    my ($self, $request) = @_;
    my ($id) = $request->{path} =~ m{/issues/comments/(\d+)/reactions$} or return;
    $_->{acted_at} //= time for grep { ($_->{comment_id} // 0) == $id } @{ $self->{all} };
    return;
}

# When buttons were acted on: the service's log tells.
sub learn {
    my ($self, $log) = @_;
    open my $fh, '<', $log or return;
    while (<$fh>) {
        my ($at, $run, $verb, $who) = /^(\S+) info command .*\brun=(\d+) command=(\w+) by=(\w+) / or next;
        my ($asking) = grep {
            $_->{is_button} && !$_->{acted_at} && $_->{run}{id} == $run && $_->{verb} eq $verb && $_->{who} eq $who
        } @{ $self->{all} };
        $asking->{acted_at} = JR::Sim::World::seconds_of($at) if $asking;
    }
    return;
}

# The truth.

sub counts { my ($asking) = @_; return !$asking->{idle} && $asking->{who} =~ /^(?:octocat|hubot)$/ }

sub acted_at { my ($asking) = @_; return $asking->{acted_at} // $asking->{at} + ACTS_S }

sub is_of_newest {
    my ($run, $at) = @_;
    return !grep { $_->{head_sha} ne $run->{head_sha} && $_->{id} > $run->{id} && $_->{began} < $at } @{ $run->{pull}{runs} };
}

# Is a run meant?
sub covers {
    my ($asking, $run) = @_;
    return 0 if !$run->{pull} || $run->{pull} != $asking->{pull} || !is_of_newest($run, $asking->{at});
    return $asking->{run} == $run if $asking->{is_button};
    return !grep { $_->{head_sha} eq $run->{head_sha} && $_->{name} eq $run->{name} && $_->{id} > $run->{id} && $_->{began} < $asking->{at} }
        @{ $run->{pull}{runs} };
}

# Who may have asked for a rerun of an attempt that began at a time.
sub askers {
    my ($self, $run, $attempt, $at) = @_;
    return grep {
        counts($_) && $_->{verb} =~ /^(?:rerun|all)$/ && covers($_, $run) && $_->{at} <= $at && ($attempt->{ended} // 0) <= acted_at($_)
            && (!$_->{is_button} || $_->{attempt} == $attempt->{number})
    } @{ $self->{all} };
}

# Was it asked for, and is it one that may be? '' or why not; undef: nobody asked.
sub fault_of_asked {
    my ($self, $judge, $run, $attempt, $post) = @_;
    my @askers = $self->askers($run, $attempt, $post->{at}) or return;
    my $filter = $judge->filter_of_asked($run, $attempt);
    return "a POST for attempt $attempt->{number}, asked for, but it is left: $filter" if $filter;
    return "a POST for attempt $attempt->{number}, asked for, which ended $attempt->{conclusion}"
        if ($attempt->{conclusion} // '') =~ /^(?:success|action_required|skipped|neutral)$/;
    return "a POST of all jobs of attempt $attempt->{number}, and only the failed ones were asked for"
        if $post->{path} =~ m{/rerun$} && $attempt->{conclusion} ne 'startup_failure' && !(grep { $_->{verb} eq 'all' } @askers)
        && !grep { $_->{path} =~ /rerun-failed-jobs$/ && $_->{at} < $post->{at} && ($_->{basis} // {})->{attempt} == $attempt->{number} } @{ $run->{posts} };
    return '';
}

# Had its commit been stopped before it was asked about for the last time, and by nobody since been freed?
sub is_stopped {
    my ($self, $run, $asked_at, $at) = @_;
    return 0 if !$self->{is_on} || !defined $asked_at;
    my @stops = grep { counts($_) && $_->{verb} eq 'stop' && defined $_->{acted_at} && $_->{acted_at} < $asked_at && covers($_, $run) } @{ $self->{all} };
    my ($last) = sort { $b->{at} <=> $a->{at} } @stops or return 0;
    return !grep { counts($_) && $_->{verb} =~ /^(?:rerun|all)$/ && $_->{pull} == $run->{pull} && acted_at($_) >= $last->{at} && $_->{at} <= $at } @{ $self->{all} };
}

# May it have been left since somebody wanted no more reruns?
sub may_be_stopped {
    my ($self, $run, $attempt) = @_;
    return scalar grep {
        counts($_) && $_->{verb} eq 'stop' && $run->{pull} && $_->{pull} == $run->{pull} && $_->{at} < $attempt->{ended} + EARLY_S
    } @{ $self->{all} };
}

# What is wrong with the answers, by run id: texts.
sub faults {
    my ($self, $judge) = @_;
    my %faults;
    my (%comment, %told);
    for my $comment (@{ $self->{github}{reports}{comments} }) {
        $comment{ $comment->{id} } = $comment;
        $told{$1}++ if $comment->{body} =~ /^<!-- job-rerunner why (\d+) -->/;
    }
    for my $asking (grep { defined $_->{comment_id} } @{ $self->{all} }) {
        my $comment = $comment{ $asking->{comment_id} };
        my @reactions = map { $_->{content} } @{ $comment->{reactions} // [] };
        my $fault = $self->fault_of_answer($judge, $asking, $told{ $comment->{id} } // 0, @reactions);
        push @{ $faults{ $asking->{run}{id} } }, "what $asking->{who} asked ($asking->{verb}): $fault" if $fault;
    }
    return \%faults;
}

sub fault_of_answer {
    my ($self, $judge, $asking, $told, @reactions) = @_;
    my $is_left = $judge->matches(NO_RETRY_REPOS => $asking->{run}{repo});
    return @reactions || $told ? "is answered (@reactions)" : '' if $is_left || !counts($asking);
    return 'has no answer' if !@reactions;
    return "has several answers (@reactions)" if @reactions > 1;
    my $answer = $reactions[0];
    return $answer ne 'eyes' ? "is answered with $answer" : $told != 1 ? "is answered with $told comments" : '' if $asking->{verb} eq 'why';
    return $answer eq 'rocket' ? '' : "is answered with $answer" if $asking->{verb} eq 'stop';
    my @covered = grep { covers($asking, $_) } @{ $asking->{pull}{runs} };
    return $self->fault_of_rocket($judge, $asking, @covered) if $answer eq 'rocket';
    return "is answered with $answer" if $answer ne 'confused';
    my @could = grep { $self->could_be_rerun($judge, $_, $asking) } @covered;
    return @could ? "nothing was done, and run $could[0]{id} could have been rerun" : '';
}

# It is done: some run was asked to be rerun, or a guard that holds for people, too, has left it, or a stop that came in between.
sub fault_of_rocket {
    my ($self, $judge, $asking, @covered) = @_;
    return '' if grep { counts($_) && $_->{verb} eq 'stop' && $_->{pull} == $asking->{pull} && acted_at($_) > $asking->{at} } @{ $self->{all} };
    for my $run (@covered) {
        return '' if grep { $_->{at} >= $asking->{at} } @{ $run->{posts} };
        return '' if grep { $_->{reason} =~ /^(?:deployment|left-by-rule)$/ && $_->{at} >= $asking->{at} } map {@$_} values %{ $judge->{decisions}{ $run->{id} } // {} };
    }
    return 'is done, and nothing was rerun';
}

# Had an attempt that failed stood there for long enough, and nothing was done about it?
sub could_be_rerun {
    my ($self, $judge, $run, $asking) = @_;
    my ($from, $to) = ($asking->{at} - CALM_S, acted_at($asking) + CALM_S);
    return 0 if !covers({ %$asking, at => $to }, $run);    # what is the newest, GitHub is asked in between
    my ($attempt) = grep { ($_->{ended} // $to) < $from } reverse @{ $run->{attempts} } or return 0;
    my $next = $run->{attempts}[ $attempt->{number} ];
    return 0 if ($next && $next->{began} < $to) || grep { $_->{at} > $attempt->{ended} && $_->{at} < $to } @{ $run->{posts} };
    return 0 if $judge->filter_of_asked($run, $attempt) || $run->{event} eq 'dynamic';
    return $attempt->{conclusion} =~ /^(?:failure|timed_out|cancelled)$/ ? 1 : 0;
}

1;
