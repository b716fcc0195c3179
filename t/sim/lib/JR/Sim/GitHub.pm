# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::GitHub -- the truth: runs, their attempts and jobs, and how they go
# on by themselves. The fake GitHub of the other tests, with life in it.
#
# A job takes some 100 ms here. All times that GitHub tells are real times,
# but each new attempt of a run moves the clock of that run forward by some
# seconds (`skew`): otherwise a job that was carried over would seem to have
# ended in the moment in which the new attempt began, which the two seconds
# of rule 3 would not tell from jitter. The clock is moved forward, not back:
# a run has to be created after its repository was first seen, or it is not
# looked for. So times are up to a minute ahead, as by a clock that differs.
#
# Where a scenario has causes (JR::Sim::Cause), a job fails for one, and its steps, annotations and
# log show what there is to see of it.
#
# on_event->(event) gets each webhook that GitHub would send; on_end->(run)
# is called when an attempt is over.

package JR::Sim::GitHub;

use strict;
use warnings;
use parent 'JR::FakeGitHub::Actions';
use Time::HiRes qw(time);
use JR::Sim::Body qw(run_body job_body run_text);
use JR::Sim::Guards;
use JR::Sim::Trouble;
use JR::Sim::Workflow;

use constant {
    FIRST_RUN_ID => 31_000_000_000,
    LIST_MAX     => 1000,
    PER_PAGE_MAX => 100,
};

my $BAD = qr/^(?:failure|timed_out|cancelled)$/;

# dice, loop, on_event, on_end, tokens, hourly_limit, cause (a JR::Sim::Cause, or none),
# guards, trouble (the scenario's, or none)
sub new {
    my ($class, %o) = @_;
    my $self = $class->SUPER::new(tokens => $o{tokens});
    @$self{ keys %o } = values %o;
    $self->set_limit({ limit => $o{hourly_limit}, remaining => $o{hourly_limit}, reset => int(time) + 3600 });
    $self->{run_id}   = FIRST_RUN_ID;
    $self->{by_repo}  = {};
    $self->{by_job}   = {};    # id => [run, job]
    $self->{open}     = 0;
    $self->{around}   = JR::Sim::Guards->new(dice => $o{dice}, loop => $o{loop}, github => $self, way => $o{guards});
    $self->{trouble}  = JR::Sim::Trouble->new(dice => $o{dice}, way => $o{trouble});
    $self->{list_lag} = $self->{get_lag} = 0;
    return $self;
}

sub dice { return $_[0]{dice} }

sub tell { my ($self, $run, $text) = @_; push @{ $run->{story} }, [time, $text]; return }

# The run's own clock.
sub now { my ($self, $run) = @_; return time + $run->{skew} }

# Does it do what one has to look for in the documentation?
sub odd { my ($self, $p, @about) = @_; return $self->{dice}->chance($p, @about) }

# Some time, drawn for this attempt of this run.
sub lasts {
    my ($self, $run, $from_ms, $to_ms, @about) = @_;
    return $self->{dice}->between($from_ms, $to_ms, $run->{n}, $run->{attempt}, @about) / 1000;
}

# Call back unless the run has moved on by then.
sub later {
    my ($self, $run, $seconds, $callback) = @_;
    my $turn = $run->{turn};
    $self->{loop}->after($seconds, sub { $callback->() if $run->{turn} == $turn });
    return;
}

# A run begins.
sub start_run {
    my ($self, $n, $plan) = @_;
    my $id = ++$self->{run_id};
    my $now = time;
    my $run = {
        id => $id, n => $n, plan => $plan, repo => $plan->{repo}, head_repo => $plan->{head_repo},
        name => $plan->{workflow}, event => $plan->{event}, head_branch => $plan->{head_branch},
        run_number => $plan->{run_number}, head_sha => $plan->{head_sha}, pull_requests => $plan->{pull_requests},
        actor => $plan->{actor}, created_at => $now - $plan->{age_s}, attempt => 0, skew => 0, turn => 0,
        attempts => [], versions => [], story => [], jobs => [], past => {}, posts => [],
    };
    $self->{runs}{$id} = $run;
    push @{ $self->{by_repo}{ lc $run->{repo} } }, $run;
    $self->{around}->begin($run);
    my $text = join ', ', map {
        "$_->{name}: $_->{fate}" . (@{ $_->{needs} } ? " needs @{ $_->{needs} }" : '')
            . ($_->{if} ne 'success' ? " if $_->{if}" : '') . ($_->{continue} ? ' continue-on-error' : '')
            . ($_->{approval} ? ' approval' : '')
    } @{ $plan->{nodes} };
    $self->tell($run, "run $n: $plan->{repo} '$plan->{workflow}' $plan->{event} of $plan->{head_repo}:$plan->{head_branch}"
        . " by $plan->{actor}, $plan->{character}; $text");
    $self->open_attempt($run, $plan->{actor}, 'start');
    $self->emit_run($run, 'requested');
    my $character = $plan->{character};
    if    ($character eq 'approval') { $self->await_approval($run) }
    elsif ($character eq 'startup_failure') { $self->fail_startup($run) }
    elsif ($character eq 'long_over')       { $self->long_over($run) }
    else                                    { $self->begin_jobs($run, {}) }
    return $run;
}

# A new attempt, with nothing in it yet.
sub open_attempt {
    my ($self, $run, $by, $how) = @_;
    $self->{open}++;
    JR::FakeGitHub::Actions::keep_past($run) if $run->{attempt};
    $run->{attempt}++;
    $run->{turn}++;
    $run->{skew} += $self->{dice}->between(3, 8, $run->{n}, $run->{attempt}, 'skew') if $run->{attempt} > 1;
    my $now = $run->{attempt} == 1 ? $run->{created_at} : $self->now($run);
    @$run{qw(status conclusion triggering_actor run_started_at updated_at cancelled jobs nodes)} =
        ('queued', undef, $by, $now, $now, 0, [], []);
    push @{ $run->{attempts} }, { number => $run->{attempt}, by => $by, how => $how, began => time, accepted => [] };
    $self->tell($run, "attempt $run->{attempt} begins ($how by $by)");
    $self->version($run);
    $self->displace_others($run);
    return;
}

sub current { my ($self, $run) = @_; return $run->{attempts}[-1] }

# What the API shows of a run changes: keep what it showed before.
sub version {
    my ($self, $run) = @_;
    push @{ $run->{versions} }, {
        at => time, map { $_ => $run->{$_} }
            qw(attempt status conclusion run_started_at updated_at triggering_actor)
    };
    return;
}

sub version_at {
    my ($self, $run, $lag_s) = @_;
    my $versions = $run->{versions};
    my $at = time - $lag_s;
    my $i = $#$versions;
    $i-- while $i > 0 && $versions->[$i]{at} > $at;
    return $versions->[$i];
}

sub text_of {
    my ($self, $run, $version) = @_;
    return $version->{text} //= run_text({ %$run, %$version });
}

sub set_status {
    my ($self, $run, $status, $conclusion) = @_;
    return if $run->{status} eq $status && ($run->{conclusion} // '') eq ($conclusion // '');
    @$run{qw(status conclusion updated_at)} = ($status, $conclusion, $self->now($run));
    $self->version($run);
    return;
}

# A newer commit of the same concurrency group cancels what is under way.
sub displace_others {
    my ($self, $run) = @_;
    my $group = $run->{plan}{group} // return;
    for my $other (values %{ $self->{groups}{$group} }) {
        next if $other == $run || $other->{status} eq 'completed';
        $self->cancel($other, "displaced by run $run->{n}", 'superseded');
    }
    $self->{groups}{$group} = { $run->{id} => $run };
    return;
}

# Runs that are not what they seem.

sub await_approval {
    my ($self, $run) = @_;
    my $dice = $self->{dice};
    $self->later($run, $self->lasts($run, 5, 30, 'plan'), sub {
        $self->end_run($run, 'action_required');
        return if !$dice->chance(.7, $run->{n}, 'approved');
        $self->{open}++;    # it will go on
        $self->later($run, $self->lasts($run, 200, 800, 'approve'), sub {
            $run->{skew} += 4;
            delete @{ $self->current($run) }{qw(ended conclusion)};
            $self->tell($run, 'approved by hand');
            $self->set_status($run, 'queued', undef);
            $self->begin_jobs($run, {});
        });
    });
    return;
}

sub fail_startup {
    my ($self, $run) = @_;
    my $told = $self->{dice}->chance(.5, $run->{n}, $run->{attempt}, 'told');
    $self->later($run, $self->lasts($run, 10, 60, 'startup'), sub { $self->end_run($run, 'startup_failure', !$told) });
    return;
}

# It ended long ago; only now somebody tells.
sub long_over {
    my ($self, $run) = @_;
    $self->later($run, .05, sub {
        $run->{created_at} = $run->{run_started_at} = time - 31 * 3600;
        $self->end_run($run, 'failure', 0, time - 30 * 3600);
        $self->current($run)->{long_over} = 1;
    });
    return;
}

# Jobs.

# carried: index of a node => its job of the attempt before; all others run.
sub begin_jobs {
    my ($self, $run, $carried) = @_;
    my %done;
    for my $i (grep { $carried->{$_} } 0 .. $#{ $run->{plan}{nodes} }) {
        my $old = $carried->{$i};
        my $job = $done{ $old->{id} } //= $self->carry_over($run, $old);
        $run->{nodes}[$i] = $job;
    }
    $self->set_status($run, 'in_progress', undef);
    $self->emit_run($run, 'in_progress');
    $self->odd(.03, $run->{n}, $run->{attempt}, 'early')
        && $self->later($run, .02, sub { $self->emit_run($run, 'completed') });
    $self->advance($run);
    return;
}

sub carry_over {
    my ($self, $run, $old) = @_;
    my $job = { %$old, attempt => $run->{attempt}, created_at => $self->now($run), carried => 1 };
    $self->add($run, $job);
    $self->emit_job($run, $job, 'completed');
    return $job;
}

sub add {
    my ($self, $run, $job) = @_;
    $job->{id} = ++$self->{job_id};
    $self->{by_job}{ $job->{id} } = [$run, $job];
    push @{ $run->{jobs} }, $job;
    return;
}

# Create what can be created by now; end the run when nothing is left.
sub advance {
    my ($self, $run) = @_;
    my $nodes = $run->{plan}{nodes};
    my $left = 0;
    for my $i (0 .. $#$nodes) {
        my $job = $run->{nodes}[$i];
        $left++ if !ref $job || $job->{status} ne 'completed';
        next if $job || $run->{cancelled};
        next if grep { !ref $run->{nodes}[$_] || $run->{nodes}[$_]{status} ne 'completed' } @{ $nodes->[$i]{needs} };
        $run->{nodes}[$i] = 'soon';
        # Legs of a matrix come together.
        my $about = $nodes->[$i]{family} // $i;
        my $gap = @{ $nodes->[$i]{needs} } ? $self->lasts($run, 5, 40, $about, 'gap') : 0;
        $self->later($run, $gap, sub { $self->create_job($run, $i) });
    }
    $left = grep { $_->{status} ne 'completed' } @{ $run->{jobs} } if $run->{cancelled};
    return if $left || $run->{ending};
    $run->{ending} = 1;
    $self->later($run, $self->lasts($run, 5, 30, 'end'), sub { $self->end_run($run, $self->conclude($run)) });
    return;
}

sub wanted {
    my ($self, $run, $node) = @_;
    my @needed = map { $run->{nodes}[$_] } @{ $node->{needs} };
    my $failed = grep { $_->{conclusion} =~ /^(?:failure|timed_out)$/ && !$_->{continue} } @needed;
    my $fine   = !grep { $_->{conclusion} ne 'success' && !$_->{continue} } @needed;
    return $node->{if} eq 'never' ? 0
        : $node->{if} eq 'always'  ? 1
        : $node->{if} eq 'failure' ? $failed
        :                            $fine;
}

sub create_job {
    my ($self, $run, $i) = @_;
    return if ref $run->{nodes}[$i];
    my $node = $run->{plan}{nodes}[$i];
    my $now  = $self->now($run);
    my $job  = {
        name => $node->{name}, attempt => $run->{attempt}, node => $i,
        status => 'queued', conclusion => undef, created_at => $now, started_at => $now, completed_at => undef,
        continue => $node->{continue}, executed => 1,
    };
    $self->add($run, $job);
    if (!$self->wanted($run, $node)) {
        my @family = ($i);
        if (defined $node->{family}) {    # one event for all legs
            $job->{name} = $node->{bare};
            my $nodes = $run->{plan}{nodes};
            @family = grep { ($nodes->[$_]{family} // '') eq $node->{family} } 0 .. $#$nodes;
        }
        $run->{nodes}[$_] = $job for @family;
        return $self->complete_job($run, $job, 'skipped');
    }
    $run->{nodes}[$i] = $job;
    return $self->await_deployment($run, $job, $node->{approval}) if $node->{approval};
    return $self->queue_job($run, $job);
}

# An environment with a protection rule: one or two `queued`, in either way.
sub await_deployment {
    my ($self, $run, $job, $kind) = @_;
    $job->{status} = 'waiting';
    $self->set_status($run, 'waiting', undef);
    $self->emit_job($run, $job, 'queued') if $kind == 2;
    $self->emit_job($run, $job, 'waiting');
    $self->later($run, $self->lasts($run, 50, 400, $job->{node}, 'approval'), sub {
        $self->set_status($run, 'in_progress', undef);
        $self->queue_job($run, $job);
    });
    return;
}

sub queue_job {
    my ($self, $run, $job) = @_;
    my $node = $run->{plan}{nodes}[$job->{node}];
    $job->{status} = 'queued';
    $self->emit_job($run, $job, 'queued');
    my $runner  = $self->runner_of($run, $job);
    my $outcome = $self->outcome($run, $job, $runner);
    my $i = $job->{node};
    $self->later($run, $self->lasts($run, 5, 60, $i, 'queue'), sub {
        return $self->complete_job($run, $job, $outcome) if $outcome eq 'cancelled';
        @$job{qw(status started_at runner)} = ('in_progress', $self->now($run), $runner);
        $self->emit_job($run, $job, 'in_progress');
        $self->stray_check($run) if $self->odd(.03, $run->{n}, $run->{attempt}, $i, 'stray');
        my @range = $node->{fate} eq 'lost' && $outcome eq 'failure' ? (300, 700) : (50, 300);
        $self->later($run, $self->lasts($run, @range, $i, 'work'), sub { $self->complete_job($run, $job, $outcome) });
    });
    return;
}

sub runner_of { my ($self, $run, $job) = @_; return 'runner-' . $job->{id} % 7 }

# How the job will end this time, on that runner.
sub outcome {
    my ($self, $run, $job, $runner) = @_;
    $job->{struck_by} = $self->{trouble}->strikes($run, $job, $runner);
    return 'failure' if $job->{struck_by};
    return JR::Sim::Workflow::outcome(
        $self->{dice}, $run->{plan}{nodes}[$job->{node}], $run->{n}, $job->{node}, $run->{attempt});
}

# A check run that a step made: told like a job, and is none.
sub stray_check {
    my ($self, $run) = @_;
    my $now = $self->now($run);
    my $failed = $self->{dice}->chance(.4, $run->{n}, $run->{attempt}, 'stray');
    $self->emit_job($run, {
        id => ++$self->{job_id}, name => 'a check', attempt => $run->{attempt}, status => 'completed',
        conclusion => $failed ? 'failure' : 'success', created_at => $now, started_at => $now, completed_at => $now,
    }, 'completed');
    return;
}

sub complete_job {
    my ($self, $run, $job, $conclusion, $why) = @_;
    @$job{qw(status conclusion completed_at)} = ('completed', $conclusion, $self->now($run));
    $self->strike($run, $job, $why // $job->{struck_by}) if $self->{cause} && $conclusion =~ $BAD;
    $self->emit_job($run, $job, 'completed');
    $self->advance($run);
    return;
}

sub strike {
    my ($self, $run, $job, $why) = @_;
    $self->{cause}->strike($run, $job, $why);
    my $of = $job->{why};
    $self->tell($run, "job $job->{id} '$job->{name}' fails for $of->{kind}{cause} ($of->{kind}{name}"
        . ($of->{hostile} ? ', hostile' : '') . ($of->{stored} ? ')' : '), without a log'));
    return;
}

sub conclude {
    my ($self, $run) = @_;
    return 'cancelled' if $run->{cancelled};
    my %n;
    $n{ $_->{conclusion} }++ for grep { !$_->{continue} || $_->{conclusion} eq 'cancelled' } @{ $run->{jobs} };
    for my $conclusion (qw(failure timed_out cancelled)) {
        return $conclusion if $n{$conclusion};
    }
    return @{ $run->{jobs} } == ($n{skipped} // 0) ? 'skipped' : 'success';
}

sub end_run {
    my ($self, $run, $conclusion, $silent, $updated_at) = @_;
    $self->{open}--;
    $run->{ending} = 0;
    $run->{turn}++;
    $self->set_status($run, 'completed', $conclusion);
    if ($updated_at) {
        $run->{updated_at} = $updated_at;
        $self->version($run);
    }
    my $attempt = $self->current($run);
    my @failed = grep { $_->{conclusion} =~ $BAD && !$_->{carried} } @{ $run->{jobs} };
    my @ran = grep { !$_->{carried} } @{ $run->{jobs} };
    my %passed = map { ($_->{name} => 1) } @ran;
    delete $passed{ $_->{name} } for grep { $_->{conclusion} ne 'success' } @ran;
    @$attempt{qw(ended conclusion jobs failed passed)} = (time, $conclusion, scalar @{ $run->{jobs} }, \@failed, \%passed);
    $self->{around}->end($run, $attempt);
    $self->tell($run, "attempt $run->{attempt} ends: $conclusion" . ($silent ? ' (GitHub does not tell)' : ''));
    $self->emit_run($run, 'completed') if !$silent;
    $self->{on_end}->($run);
    return;
}

# What people do, and GitHub itself.

sub cancel {
    my ($self, $run, $why, $cause) = @_;
    return 0 if $run->{status} eq 'completed' || $run->{cancelled};
    $self->tell($run, "cancelled: $why");
    $run->{cancelled} = 1;
    $run->{turn}++;
    $run->{ending} = 0;
    my @jobs = grep { $_->{status} ne 'completed' } @{ $run->{jobs} };
    for my $job (@jobs) {
        $self->later($run, $self->lasts($run, 5, 60, $job->{node}, 'cancel'),
            sub { $self->complete_job($run, $job, 'cancelled', $cause // 'person') });
    }
    $self->advance($run) if !@jobs;
    return 1;
}

# A person re-runs: all, failed or one job. What the API would answer.
sub rerun_by {
    my ($self, $run, $who, $what) = @_;
    local $self->{rerun_as} = $who;
    my ($one) = grep { $_->{executed} && $_->{conclusion} =~ $BAD } @{ $run->{jobs} };
    my %again = (
        all    => sub {1},
        failed => sub { $_[0]{conclusion} =~ $BAD },
        one    => sub { $one && $_[0] == $one },
    );
    my $answer = $self->rerun({ body => '' }, $run, $again{$what}, 'This workflow is already running');
    $self->tell($run, "$who re-runs it ($what): $answer->{status}");
    return $answer->{status} == 201;
}

sub delete_run {
    my ($self, $run) = @_;
    $self->tell($run, 'deleted by hand');
    $run->{gone} = time;
    delete $self->{runs}{ $run->{id} };
    return;
}

# Called by the API's rerun: again(job) names the jobs that were asked for;
# what depends on them is run anew too.
sub next_attempt {
    my ($self, $run, $again, undef) = @_;
    my $nodes  = $run->{plan}{nodes};
    my @before = @{ $run->{nodes} };
    my %anew;
    for my $i (0 .. $#$nodes) {
        my $job = $before[$i];
        $anew{$i} = 1 if !ref $job || $again->($job) || grep { $anew{$_} } @{ $nodes->[$i]{needs} };
    }
    my %carried = map { $_ => $before[$_] } grep { !$anew{$_} } 0 .. $#$nodes;
    my $all = !%carried;
    my $by = $self->{rerun_as} // JR::FakeGitHub::Actions::BOT();
    $self->open_attempt($run, $by, $all ? 'rerun of all' : 'rerun');
    if ($run->{plan}{character} ne 'startup_failure'
        && !$all && $self->odd(.02, $run->{n}, $run->{attempt}, 'startup'))
    {
        $run->{nodes} = [];
        return $self->fail_startup($run);
    }
    $self->begin_jobs($run, \%carried);
    return;
}

# The API: what differs from the other tests' GitHub.

sub answer {
    my ($self, $request) = @_;
    return $self->SUPER::answer($request) if !JR::Sim::Guards::route($request);
    my $refused = $self->refuse($request);
    return $refused if $refused;
    $self->limit_of($request)->{remaining}--;
    return $self->{around}->answer($request);
}

sub rerun {
    my ($self, $request, $run, @how) = @_;
    return JR::FakeGitHub::Actions::problem(403, 'This workflow run cannot be retried')
        if $run->{event} eq 'dynamic' && $run->{status} eq 'completed';
    return $self->SUPER::rerun($request, $run, @how);
}

sub get_run {
    my ($self, $request, $repo, $id) = @_;
    my $run = $self->known($repo, $id) or return JR::FakeGitHub::Actions::problem(404, 'Not Found');
    my $version = $self->version_at($run, $self->{get_lag});
    $request->{shown} = { %$version, stale => $version != $run->{versions}[-1] };
    return { status => 200, body => $self->text_of($run, $version) };
}

sub list_runs {
    my ($self, $request, $repo) = @_;
    my %query = JR::FakeGitHub::Actions::query($request);
    my $wanted = $query{status} // '';
    my @texts;
    for my $run (reverse @{ $self->{by_repo}{ lc $repo } // [] }) {
        next if $run->{gone};
        next if length($query{head_sha} // '') && ($run->{head_sha} // '') ne $query{head_sha};
        my $version = $self->version_at($run, $self->{list_lag});
        next if $wanted ne '' && $version->{status} ne $wanted && ($version->{conclusion} // '') ne $wanted;
        next if length($query{created} // '') && !JR::FakeGitHub::Actions::created_in($run, $query{created});
        push @texts, $self->text_of($run, $version);
        last if @texts == LIST_MAX;
    }
    my $size = $query{per_page} || 30;
    $size = PER_PAGE_MAX if $size > PER_PAGE_MAX;
    my $from = (($query{page} || 1) - 1) * $size;
    my @part = $from < @texts ? splice(@texts, $from, $size) : ();
    return { status => 200, body => '{"total_count":' . @texts . ',"workflow_runs":[' . join(',', @part) . ']}' };
}

sub find_old_job { my ($self, $repo, $id) = @_; return @{ $self->{by_job}{$id} // [] } }

sub get_log {
    my ($self, $request, $repo, $id) = @_;
    my ($run, $job) = $self->find_old_job($repo, $id);
    $job->{log} = $self->{cause}->log_of($job) if $job && $job->{why};
    return $self->SUPER::get_log($request, $repo, $id);
}

# Webhooks.

my @PASSERS_BY = ('octocat', 'hubot', 'dependabot[bot]', 'mallory');

# Who caused an event is not always whose run it is.
sub sender {
    my ($self, $run, @about) = @_;
    return $self->{dice}->chance(.05, $run->{n}, @about, 'passer-by')
        ? $self->{dice}->pick(\@PASSERS_BY, $run->{n}, @about, 'sender')
        : $run->{triggering_actor};
}

sub emit_job {
    my ($self, $run, $job, $action) = @_;
    my %event = (
        kind => 'workflow_job', action => $action, run => $run, attempt => $run->{attempt}, job => $job->{id},
        conclusion => $action eq 'completed' ? $job->{conclusion} : undef, name => $job->{name},
    );
    $event{sender} = $self->sender($run, $job->{name}, $run->{attempt}, $action);
    my %now = %$job;
    # Of a job that is skipped no event tells where it would have deployed to.
    $now{deployment} = $event{deployment} = $self->environment_of($run, $job) if ($job->{conclusion} // '') ne 'skipped';
    my %of  = map { $_ => $run->{$_} } qw(id repo name head_branch);
    $event{body} = sub { job_body(\%of, \%now, $action, $event{sender}) };
    $self->{on_event}->(\%event);
    return;
}

sub environment_of {
    my ($self, $run, $job) = @_;
    return defined $job->{node} && $run->{plan}{nodes}[$job->{node}]{environment};
}

sub emit_run {
    my ($self, $run, $action) = @_;
    my %event = (
        kind => 'workflow_run', action => $action, run => $run, attempt => $run->{attempt},
        conclusion => $run->{conclusion}, sender => $self->sender($run, $run->{attempt}, $action),
    );
    my $text = $self->text_of($run, $run->{versions}[-1]);
    my %of = map { $_ => $run->{$_} } qw(repo name);
    $event{body} = sub { run_body(\%of, $text, $action, $event{sender}) };
    $self->{on_event}->(\%event);
    return;
}

1;
