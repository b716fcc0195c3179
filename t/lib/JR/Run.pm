# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Run -- one workflow run, told to the fake GitHub and to the service
# alike: what a job does becomes the API's truth and a webhook.
#
# event => 0 in a call changes the truth only (a delivery that got lost).

package JR::Run;

use strict;
use warnings;
use JR::FakeGitHub::Actions;
use JR::Payload qw(job_event run_event delivery next_id);

# github, door; jobs => [names]; repo, branch, workflow, actor, sender, and
# whatever else the fake knows of a run
sub new {
    my ($class, %o) = @_;
    my ($github, $door, $sender) = delete @o{qw(github door sender)};
    my $run = $github->put_run(
        id => next_id(), repo => 'octo/app', %o,
        jobs => [map { +{ name => $_ } } @{ $o{jobs} // [] }],
    );
    return bless {
        github => $github, door => $door, id => $run->{id},
        sender => $sender // $run->{actor} // 'octocat',
    }, $class;
}

sub id     { return $_[0]{id} }
sub github { return $_[0]{github} }
sub truth  { return $_[0]{github}->get_run($_[0]{id}) }

sub facts {
    my ($self) = @_;
    my $run = $self->truth;
    return (
        run_id => $run->{id}, repo => $run->{repo}, attempt => $run->{attempt},
        branch => $run->{head_branch}, workflow => $run->{name}, actor => $run->{actor},
        triggering_actor => $run->{triggering_actor}, sender => $self->{sender}, created => $run->{created_at},
        head_repo => $run->{head_repo}, updated => $run->{updated_at}, event => $run->{event},
        run_name => $run->{run_name}, path => $run->{path}, number => $run->{run_number}, sha => $run->{head_sha},
    );
}

# A job moves on; the answer to its webhook.
sub job {
    my ($self, $name, $status, $conclusion, %o) = @_;
    my $job = $self->{github}->set_job($self->{id}, $name, status => $status, conclusion => $conclusion);
    return if exists $o{event} && !$o{event};
    return $self->{door}->send(delivery(job_event(
        $self->facts, id => $job->{id}, name => $name, action => $status, conclusion => $conclusion,
        created => $job->{created_at}, started => $job->{started_at}, completed => $job->{completed_at},
        surroundings($job), %o,
    )));
}

# What the event tells of them, where a test has said what they are.
sub surroundings {
    my ($job) = @_;
    my %all = JR::FakeGitHub::Actions::surroundings_json($job);
    return map { exists $job->{$_} ? ($_ => $all{$_}) : () } keys %all;
}

# What there is to know of a job of the newest attempt: steps, annotations, labels, runner_id,
# runner_name, log ... (see JR::FakeGitHub::Actions); for its events, too.
sub describe {
    my ($self, $name, %to) = @_;
    return $self->{github}->set_job($self->{id}, $name, %to);
}

sub queued    { my ($self, $name, %o) = @_; return $self->job($name, 'queued',      undef, %o) }
sub started   { my ($self, $name, %o) = @_; return $self->job($name, 'in_progress', undef, %o) }
sub completed { my ($self, $name, $conclusion, %o) = @_; return $self->job($name, 'completed', $conclusion, %o) }

# A job that GitHub creates late, when what it needs is done.
sub add_job {
    my ($self, $name) = @_;
    $self->{github}->add_job($self->{id}, $name);
    return $self->queued($name);
}

# GitHub tells that the run has begun; the answer.
sub begin {
    my ($self) = @_;
    return $self->{door}->send(delivery(run_event($self->facts, action => 'in_progress')));
}

# The run is over; with event => 1 GitHub says so too.
sub finish {
    my ($self, $conclusion, %o) = @_;
    $self->{github}->set_run($self->{id}, status => 'completed', conclusion => $conclusion);
    return if !$o{event};
    return $self->{door}->send(delivery(run_event(
        $self->facts, action => 'completed', conclusion => $conclusion,
    )));
}

# The run is over with one of its jobs. Nobody gets to know by the API that it is before the
# job's event has told: where missed work is looked for each moment, it would be found first.
# The answer to the event.
sub ends {
    my ($self, $run_conclusion, $name, $conclusion, %o) = @_;
    my $hold = $self->{github}->hold;
    $self->{github}->set_job($self->{id}, $name, status => 'completed', conclusion => $conclusion);
    $self->finish($run_conclusion);
    return $self->completed($name, $conclusion, %o);
}

# The usual story of an attempt: jobs that were carried over are reported,
# the others queued, then ended with outcome { job => conclusion }, the run
# with them. The answer to the last event.
sub play {
    my ($self, %outcome) = @_;
    for my $job (@{ $self->truth->{jobs} }) {
        if ($job->{status} eq 'completed') { $self->completed($job->{name}, $job->{conclusion}) }
        else                               { $self->queued($job->{name}) }
    }
    my @names = sort keys %outcome;
    my $last = pop @names;
    $self->completed($_, $outcome{$_}) for @names;
    my $conclusion = (grep { $_ eq 'failure' } values %outcome) ? 'failure' : 'success';
    return $self->ends($conclusion, $last, $outcome{$last});
}

sub posts    { my ($self) = @_; return $self->{github}->posts($self->{id}) }
sub accepted { my ($self) = @_; return $self->{github}->accepted_posts($self->{id}) }
sub gets     { my ($self) = @_; return $self->{github}->gets($self->{id}) }

# Has none of these services asked for a rerun twice? One whose POST took too long may ask once
# more, if GitHub shows no newer attempt.
sub asked_once {
    my ($self, @services) = @_;
    my @unknown = grep { $_->log->find('rerun', run => $self->id, reason => 'outcome-unknown') } @services;
    return $self->posts <= 1 + @unknown;
}

1;
