# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Report -- what is said at GitHub of runs (REPORT): the bad days of these calls, and
# whether in the end one check run stands for a run, one comment for a pull request, and each
# says what is so.
#
# Of a scenario's `report`: `check' or `comment'. Of its `api`, chances for each such request:
#   report_error report_error_late  an error page before, after the effect
#   report_cut report_cut_late      the connection is cut instead
#   report_kill report_kill_late    the dispatcher is killed before, after the effect

package JR::Sim::Report;

use strict;
use warnings;
use JR::FakeGitHub;
use JR::Sim::Workflow;

# So many a minute, that a world in fast motion may be told of.
use constant { A_MINUTE => 60_000, PULLS => 12 };

my $CALL = qr{/check-runs(?:/\d+)?$|/comments(?:/\d+)?$|/reactions$};

sub is_call { my ($request) = @_; return $request->{path} =~ $CALL }

# Settings of a service that reports so, and what GitHub needs for it.
sub settings {
    my ($kind, $github, $dir) = @_;
    return if !$kind;
    my %pace = (REPORT => $kind, JR_TEST_REPORTS => A_MINUTE);
    $github->{reports}{limit} = 1e9;
    return %pace if $kind eq 'comment';
    my $key = JR::FakeGitHub::new_key("$dir/app.pem");
    my $apps = $github->{apps};
    $apps->put_app({ id => 4711, client_id => 'Iv23liExample0000001', name => 'Re-Runner', slug => 're-runner',
        public_key => JR::FakeGitHub::public_key($key) });
    my %owners = map { s{/.*}{}r => 1 } JR::Sim::Workflow::repos();
    my $id = 10;
    $apps->put_installation({ id => ++$id, account => $_, permissions => { actions => 'write', checks => 'write', pull_requests => 'write', contents => 'read', metadata => 'read' },
        limit => { limit => 3_600_000, remaining => 3_600_000, reset => int(time) + 7200 } }) for sort keys %owners;
    return (%pace, GITHUB_TOKEN => undef, GITHUB_APP_ID => 4711, GITHUB_APP_KEY_FILE => $key);
}

# Most runs are of a pull request, of which there are some.
sub plan {
    my ($kind, $dice, $n, $plan) = @_;
    return if ($kind // '') ne 'comment' || $n < 0 || $plan->{head_repo} ne $plan->{repo};
    my $pull = 1 + $dice->between(0, PULLS, $n, 'pull');
    $pull = int $pull;
    @$plan{qw(event head_branch pull_requests)} = ('pull_request', "topic-$pull", [$pull]);
    return;
}

# The bad day of such a request, as in JR::Sim::Api.
sub act {
    my ($api, $request, @about) = @_;
    my $luck = sub { $api->{dice}->chance($api->{way}{ $_[0] } // 0, @about, $_[0]) };
    return ({ kill => 1, cut => 1 }, 'the dispatcher is killed before the effect') if $luck->('report_kill') && $api->{may_kill}->();
    return ({ kill => 1, cut => 1, effect => 1 }, 'the dispatcher is killed after the effect') if $luck->('report_kill_late') && $api->{may_kill}->();
    return ({ cut => 1 }, 'cut before the effect') if $luck->('report_cut');
    return ({ cut => 1, effect => 1 }, 'cut after the effect') if $luck->('report_cut_late');
    return ({ $api->error_page(@about) }, 'error before the effect') if $luck->('report_error');
    return ({ $api->error_page(@about), effect => 1 }, 'error after the effect') if $luck->('report_error_late');
    return;
}

sub given_up {
    my ($log) = @_;
    my %given_up;
    open my $fh, '<', $log or return {};
    while (<$fh>) { $given_up{$1} = 1 if / report .*\brun=(\d+) .*verdict=given-up/ }
    return \%given_up;
}

sub is_rerun { my ($run, $name) = @_; return grep { $_->{by} eq $name } @{ $run->{attempts} } }

# What is wrong with what was said, by run id. all: the runs; name: who reruns
sub faults {
    my ($kind, $github, $all, $log, $name) = @_;
    return {} if !$kind;
    my $given_up = given_up($log);
    my $faults = $kind eq 'check' ? faults_of_checks($github, $all, $given_up, $name) : faults_of_comments($github, $all, $given_up, $name);
    return $faults;
}

sub faults_of_checks {
    my ($github, $all, $given_up, $name) = @_;
    my (%found, %faults);
    push @{ $found{ $_->{external_id} } }, $_ for @{ $github->{reports}{checks} };
    for my $run (@$all) {
        my @checks = @{ delete $found{ $run->{id} } // [] };
        my $add = sub { push @{ $faults{ $run->{id} } }, @_ };
        $add->(scalar(@checks) . ' check runs') if @checks > 1;
        $add->('was rerun, and has no check run') if !@checks && is_rerun($run, $name) && !$given_up->{ $run->{id} };
        for my $check (@checks) {
            next if $given_up->{ $run->{id} };
            my $want = ($run->{conclusion} // '') eq 'success' ? 'success' : 'neutral';
            $add->("its check run is $check->{status}") if $check->{status} ne 'completed';
            $add->("its check run says $check->{conclusion}, and it ended as $run->{conclusion}")
                if $check->{status} eq 'completed' && $check->{conclusion} ne $want;
        }
    }
    push @{ $faults{$_} }, 'a check run of no run' for keys %found;
    return \%faults;
}

sub faults_of_comments {
    my ($github, $all, $given_up, $name) = @_;
    my (%found, %faults);
    my %run = map { $_->{id} => $_ } @$all;
    push @{ $found{"$_->{repo} $_->{number}"} }, $_ for @{ $github->{reports}{comments} };
    for my $comments (values %found) {
        my @sections = $comments->[0]{body} =~ /\*\*([^*]+)\.\*\*\n\nRun (?:\[|)(\d+)[^\n]* is at attempt (\d+); GitHub has accepted (\d+)/g;
        push @{ $faults{ $sections[1] // 0 } }, scalar(@$comments) . ' comments on a pull request' if @$comments > 1;
        while (my ($title, $id, $attempt, $reruns) = splice @sections, 0, 4) {
            my $run = $run{$id} or next;
            next if $given_up->{$id};
            my $good = ($run->{conclusion} // '') eq 'success';
            push @{ $faults{$id} }, "its comment has attempt $attempt of $run->{attempt}" if $attempt != $run->{attempt};
            push @{ $faults{$id} }, "its comment says '$title', and it ended as $run->{conclusion}"
                if $good != ($title =~ /^(?:Rescued|Succeeded)/ ? 1 : 0);
        }
    }
    for my $run (grep { is_rerun($_, $name) && @{ $_->{pull_requests} // [] } && !$given_up->{ $_->{id} } } @$all) {
        push @{ $faults{ $run->{id} } }, 'was rerun, and its pull request has no comment'
            if !$found{"$run->{repo} $run->{pull_requests}[0]"};
    }
    return \%faults;
}

1;
