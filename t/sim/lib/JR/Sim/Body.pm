# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Body -- JSON of runs and webhooks, made by filling in texts: tens of
# thousands are needed, and JSON::PP takes its time.

package JR::Sim::Body;

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();
use POSIX qw(strftime);
use JR::FakeGitHub::Actions;
use JR::Payload;

our @EXPORT_OK = qw(run_text run_body job_body for_org workflow_id workflow_path);

# Of a run that has none of its own: runs with the same ones never supersede each other.
use constant RUN_NUMBER => 17;
my $SHA = 'a' x 40;

my $JSON = JSON::PP->new->canonical->utf8;

# A template whose places are marked by the texts "@name@": a list of literal
# text and names in turn.
sub cut { return [split /"\@(\w+)\@"/, $JSON->encode($_[0])] }

sub fill {
    my ($pieces, $values) = @_;
    my $i = 0;
    return join '', map { $i++ % 2 ? $values->{$_} : $_ } @$pieces;
}

sub text {
    my ($text) = @_;
    return 'null' if !defined $text;
    return '"' . $text =~ s/(["\\])/\\$1/gr . '"';
}

my (%second, $seconds);

sub stamp {
    my ($time) = @_;
    return 'null' if !defined $time;
    %second = () if ++$seconds % 5000 == 0;
    return $second{ int $time } //= strftime('"%Y-%m-%dT%H:%M:%SZ"', gmtime $time);
}

my %repository;

sub repository {
    my ($name) = @_;
    return $repository{$name} //= $JSON->encode(JR::FakeGitHub::Actions::repository($name));
}

my %user;

sub user {
    my ($login) = @_;
    return 'null' if !defined $login;
    return $user{$login} //= $JSON->encode(JR::FakeGitHub::Actions::user($login));
}

my ($run_pieces, $run_event, $job_event);

sub run_template {
    my %run = %{ JR::Payload::template('workflow_run')->{workflow_run} };
    delete $run{head_commit};
    $run{$_} = "\@$_\@" for qw(id name workflow_id path head_branch head_sha run_number event status conclusion run_attempt
        created_at updated_at run_started_at actor triggering_actor repository head_repository
        pull_requests);
    return cut(\%run);
}

# Each workflow has a file, and a run-name of its own for each run.
sub workflow_id { return JR::FakeGitHub::Actions::number($_[0]{name}) }
sub workflow_path { return '.github/workflows/' . lc($_[0]{name} =~ s/\W+/-/gr) . '.yml' }
sub path_text { return text(workflow_path($_[0])) }

# Of a fork's branch GitHub tells none.
sub pulls_text {
    my ($run) = @_;
    return '[' . join(',', map {qq({"number":$_})} @{ $run->{pull_requests} }) . ']' if $run->{pull_requests};
    my $pull = $run->{pull};
    return '[]' if !$pull || $pull->{closed_at} || $pull->{head_repo} ne $run->{repo};
    my $sha = $pull->{head_sha} // $SHA;
    return qq([{"id":$pull->{number},"number":$pull->{number},"head":{"ref":"$pull->{head_branch}","sha":"$sha"},"base":{"ref":"main"}}]);
}

# A run as the API and webhooks have it.
sub run_text {
    my ($run) = @_;
    $run_pieces //= run_template();
    return fill($run_pieces, {
        id => $run->{id}, name => text("$run->{name} no. $run->{n}"), head_branch => text($run->{head_branch}),
        workflow_id => workflow_id($run), path => path_text($run),
        head_sha => text($run->{head_sha} // $SHA), run_number => $run->{run_number} // RUN_NUMBER,
        event => text($run->{event}), status => text($run->{status}), conclusion => text($run->{conclusion}),
        run_attempt => $run->{attempt}, created_at => stamp($run->{created_at}),
        updated_at => stamp($run->{updated_at}), run_started_at => stamp($run->{run_started_at}),
        actor => user($run->{actor}), triggering_actor => user($run->{triggering_actor}),
        repository => repository($run->{repo}), head_repository => repository($run->{head_repo}),
        pull_requests => pulls_text($run),
    });
}

sub run_body {
    my ($run, $text, $action, $sender) = @_;
    if (!$run_event) {
        my $event = JR::Payload::template('workflow_run');
        @$event{qw(action workflow_run repository sender)} = map {"\@$_\@"} qw(action run repository sender);
        @{ $event->{workflow} }{qw(id name path)} = map {"\@$_\@"} qw(workflow_id workflow_name path);
        $run_event = cut($event);
    }
    return fill($run_event, {
        action => text($action), run => $text, repository => repository($run->{repo}), sender => user($sender),
        workflow_id => workflow_id($run), workflow_name => text($run->{name}), path => path_text($run),
    });
}

sub job_body {
    my ($run, $job, $action, $sender) = @_;
    if (!$job_event) {
        my $event = JR::Payload::template('workflow_job');
        @$event{qw(action repository sender)} = map {"\@$_\@"} qw(action repository sender);
        $event->{workflow_job}{$_} = "\@$_\@" for qw(id run_id workflow_name head_branch run_attempt status
            conclusion created_at started_at completed_at name runner_name labels);
        $job_event = cut($event);
    }
    my $text = fill($job_event, {
        action => text($action), repository => repository($run->{repo}), sender => user($sender),
        id => $job->{id}, run_id => $run->{id}, run_attempt => $job->{attempt},
        workflow_name => text($run->{name}), head_branch => text($run->{head_branch}),
        status => text($job->{status}), conclusion => text($job->{conclusion}), name => text($job->{name}),
        created_at => stamp($job->{created_at}), started_at => stamp($job->{started_at}),
        completed_at => stamp($job->{completed_at}), runner_name => text($job->{runner}),
        labels => $JSON->encode($job->{labels} // ['ubuntu-latest']),
    });
    return $text if !$job->{deployment};
    return $text =~ s/\}\s*\z/,"deployment":{"id":$job->{id},"task":"deploy","environment":"$job->{deployment}"}}/r;
}

# The same event as another hook sends it.
sub for_org { return $_[0] =~ s/\}\s*\z/,"organization":{"login":"octo","id":42}}/r }

1;
