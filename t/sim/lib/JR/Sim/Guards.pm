# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Guards -- what keeps a failed run from being rerun, as it is in truth, and as GitHub shows
# it: newer commits, pull requests, concurrency groups, environments of jobs, and what triggered it.
#
# Of a scenario's `guards`, chances for each run unless said otherwise:
#   newer        it is of the branch of an earlier run: mostly another commit of it
#   closed       its pull request is closed or merged while it runs or waits
#   held         for each failed attempt: another run holds its concurrency group for a while ...
#   stuck        ... of these: until the end
#   environment  for each job: it deploys to one
#   queue        it is of a merge queue
#   doer         it is of an event that does more than to test
# and what the token may not ask, or the host has not: no_pulls, no_contents, no_groups.
#
# A condition is kept with the time since which it has been so. The judge compares that with the
# time of the last answer that could show it.

package JR::Sim::Guards;

use strict;
use warnings;
use Digest::SHA qw(sha1_hex);
use JSON::PP ();
use List::Util qw(max);
use MIME::Base64 qw(encode_base64);
use Time::HiRes qw(time);
use JR::FakeGitHub::Actions;
use JR::Sim::Body qw(workflow_id workflow_path);

use constant {
    BEHIND     => [1, 3, 10, 40],     # of how many runs before it the branch is
    CLOSED_S   => [.02, 1.5],
    HELD_S     => [.2, 3],
    HELD_AFTER => [-.1, .2],          # the attempt's end; at once where that is less than 0
    HOLDER     => 30_999_999_999,
    DOERS      => [qw(release deployment issue_comment repository_dispatch)],
    TRIES      => 4,                  # of an attempt; at the last one in vain nobody could say
    BLIND_S    => 1,                  # what has been so for longer could have been asked
    FRESH_S    => 6,                  # no older answer may be gone by
    FIRST_PULL => 100,
    OTHER      => "on: schedule\njobs:\n  other:\n    runs-on: ubuntu-latest\n",    # of the default branch
};

my $PROBLEM = \&JR::FakeGitHub::Actions::problem;
my $NOT_ALLOWED = 'Resource not accessible by personal access token';

# What the service calls a condition.
my %REASONS = (
    newer => 'superseded', held => 'concurrency-busy', closed => 'pull-request-closed', deploys => 'deployment',
    queue => 'merge-queue', doer => 'left-by-rule',
);

my $REPO = qr{^/repos/([^/]+/[^/]+)};
my @ROUTES = (
    [newer   => qr{$REPO/actions/workflows/(\d+)/runs$},           'list_newer'],
    [held    => qr{$REPO/actions/runs/(\d+)/concurrency_groups$},  'groups_of_run'],
    [held    => qr{$REPO/actions/concurrency_groups/([^/]+)$},     'group'],
    [closed  => qr{$REPO/pulls/(\d+)$},                            'pull'],
    [closed  => qr{$REPO/pulls$},                                  'pulls'],
    [deploys => qr{$REPO/contents/(.+)$},                          'contents'],
);

# dice, loop, github, way (the scenario's `guards'; none: nothing keeps any run)
sub new {
    my ($class, %o) = @_;
    return bless {
        %o, is_on => !!$o{way}, way => $o{way} // {}, lines => {}, pulls => {}, by_number => {}, groups => {}, by_file => {},
    }, $class;
}

# What a run is to be besides. plan_of->(n): the plan of an earlier run.
sub dress {
    my ($dice, $n, $plan, $way, $plan_of) = @_;
    my $back = $dice->pick(BEHIND, $n, 'behind');
    @$plan{qw(run_number head_sha)} = ($n + 1, sha1_hex("commit $n"));
    my $is_usual = $plan->{event} =~ /^(?:push|pull_request)$/;
    $plan->{head_branch} = "topic/$n" if $is_usual;
    $plan->{concurrency} = "ci-$plan->{repo}/$plan->{head_branch}" if $dice->chance(.7, $n, 'in a group');
    dress_nodes($dice, $n, $plan, $way);
    if ($n >= $back && $is_usual && $plan->{character} eq 'normal' && $dice->chance($way->{newer} // 0, $n, 'newer')) {
        my $before = $plan_of->($n - $back);
        follow($dice, $n, $plan, $before) if $before->{character} eq 'normal' && $before->{event} =~ /^(?:push|pull_request)$/;
    }
    elsif ($is_usual && $dice->chance($way->{queue} // 0, $n, 'queue')) {
        @$plan{qw(event head_repo)} = ('merge_group', $plan->{repo});
        $plan->{head_branch} = "gh-readonly-queue/main/pr-$n-" . sha1_hex("queue $n");
    }
    elsif ($is_usual && $dice->chance($way->{doer} // 0, $n, 'doer')) {
        @$plan{qw(event head_repo head_branch)} = ($dice->pick(DOERS, $n, 'which'), $plan->{repo}, 'main');
    }
    return;
}

# A further run of a branch, mostly of a newer commit.
sub follow {
    my ($dice, $n, $plan, $before) = @_;
    @$plan{qw(repo head_repo workflow event head_branch concurrency)} =
        @$before{qw(repo head_repo workflow event head_branch concurrency)};
    return if $dice->chance(.75, $n, 'commit');
    $plan->{head_sha} = $before->{head_sha};
    $plan->{nodes} = [map { {%$_} } @{ $before->{nodes} }];    # there is one file in a commit
    return;
}

sub dress_nodes {
    my ($dice, $n, $plan, $way) = @_;
    for my $i (0 .. $#{ $plan->{nodes} }) {
        my $node = $plan->{nodes}[$i];
        next if $node->{name} =~ m{^caller /} || defined $node->{family};    # as its first leg, below
        $node->{environment} = 'production' if $node->{approval} || $dice->chance($way->{environment} // 0, $n, $i, 'environment');
    }
    my %approved = map { $_->{family} => 1 } grep { defined $_->{family} && $_->{approval} } @{ $plan->{nodes} };
    for my $node (grep { defined $_->{family} && $approved{ $_->{family} } } @{ $plan->{nodes} }) {
        $node->{environment} = 'staging';
        $node->{$_} =~ s{^caller / }{} for qw(name bare);
    }
    $_->{name} =~ s{^caller / }{} && ($_->{environment} = 'production')
        for grep { $_->{approval} && !$_->{environment} } @{ $plan->{nodes} };
    return;
}

# The truth.

sub line_of { my ($run) = @_; return join "\0", map { $_ // '' } @$run{qw(repo name event head_branch head_repo)} }

# A run has begun.
sub begin {
    my ($self, $run) = @_;
    my $plan = $run->{plan};
    $run->{began} = time;
    my $line = $self->{lines}{ line_of($run) } //= [];
    if ($run->{event} =~ /^(?:push|pull_request)$/ && $plan->{head_sha}) {
        $_->{newer_at} //= time for grep { $_->{head_sha} ne $plan->{head_sha} } @$line;
    }
    push @$line, $run;
    $self->{by_file}{"$run->{repo} $plan->{head_sha} " . workflow_path($run)} = $run if $plan->{head_sha};
    push @{ $self->{groups}{ $plan->{concurrency} }{runs} }, $run if $plan->{concurrency};
    $self->open_pull($run) if $run->{event} =~ /^pull_request/;
    return;
}

sub open_pull {
    my ($self, $run) = @_;
    my $pull = $run->{pull} = $self->{pulls}{"$run->{repo} $run->{head_repo}:$run->{head_branch}"} //= {
        number => FIRST_PULL + keys %{ $self->{by_number} }, map { $_ => $run->{$_} } qw(repo head_repo head_branch),
    };
    $self->{by_number}{"$pull->{repo} $pull->{number}"} = $pull;
    $pull->{head_sha} = $run->{head_sha};
    push @{ $pull->{runs} }, $run;
    my ($dice, $n) = ($self->{dice}, $run->{n});
    return if !$dice->chance($self->{way}{closed} // 0, $n, 'closed');
    $self->{loop}->after($dice->between(@{ +CLOSED_S }, $n, 'closed when'), sub {
        return if $pull->{closed_at};
        @$pull{qw(closed_at merged)} = (time, $dice->chance(.5, $n, 'merged'));
        push @{ $_->{story} }, [time, "its pull request $pull->{number} is " . ($pull->{merged} ? 'merged' : 'closed')]
            for @{ $pull->{runs} };
    });
    return;
}

# An attempt is over.
sub end {
    my ($self, $run, $attempt) = @_;
    return if !$self->{is_on} || $attempt->{conclusion} eq 'success';
    $attempt->{deploys} = $self->deploys($run);
    my ($dice, @about) = ($self->{dice}, $run->{n}, $attempt->{number});
    my $group = $run->{plan}{concurrency} // return;
    return if !$dice->chance($self->{way}{held} // 0, @about, 'held');
    my $is_stuck = $dice->chance($self->{way}{stuck} // 0, @about, 'stuck');
    # Not from a time that is over: what was asked then has had its answer.
    my $from = time + max(0, $dice->between(@{ +HELD_AFTER }, @about, 'from'));
    my $to = $is_stuck ? 9**9**9 : $from + $dice->between(@{ +HELD_S }, @about, 'to');
    push @{ $self->{groups}{$group}{holds} }, [$from, $to];
    push @{ $run->{story} }, [$from, "another run holds the group $group" . ($is_stuck ? ' for ever' : ''
        . sprintf ' for %.2f s', $to - $from)];
    return;
}

# Would jobs run again that have an environment: `must' be left; `may': it would by some way of looking
# at it (a job that ran in spite of the failure, one that a reusable workflow holds, or that bears
# the name of another, or that failed in an earlier attempt).
sub deploys {
    my ($self, $run) = @_;
    my $nodes = $run->{plan}{nodes};
    my @ends = map { my $job = $run->{nodes}[$_]; ref $job ? $job->{conclusion} // 'failure' : 'none' } 0 .. $#$nodes;
    my %failed = map { $_ => 1 } grep { $ends[$_] !~ /^(?:success|skipped|neutral|none)$/ } 0 .. $#$nodes;
    my %anew = map { $_ => 1 } grep { !$run->{nodes}[$_]{carried} } keys %failed;
    my $behind = behind($nodes, \%anew);
    return 'must' if grep {
        $nodes->[$_]{environment} && ($anew{$_} || ($behind->{$_} && $ends[$_] eq 'skipped' && $nodes->[$_]{if} eq 'success'))
    } 0 .. $#$nodes;
    my %names = map { name_in_file($nodes->[$_]) => 1 } keys %failed;
    my %alike = map { $_ => 1 } grep { $names{ name_in_file($nodes->[$_]) } } 0 .. $#$nodes;
    my $maybe = behind($nodes, \%alike);
    return (grep {
        my $is_doubtful = $nodes->[$_]{environment} || $nodes->[$_]{name} =~ m{^caller /};
        $is_doubtful && ($alike{$_} || $maybe->{$_} || $ends[$_] =~ /^(?:skipped|none)$/)
    } 0 .. $#$nodes) ? 'may' : '';
}

sub name_in_file { my ($node) = @_; return $node->{name} =~ m{^caller /} ? 'caller' : $node->{bare} // $node->{name} }

# Those that need one of some jobs, directly or not.
sub behind {
    my ($nodes, $some) = @_;
    my %behind;
    for my $i (0 .. $#$nodes) {
        $behind{$i} = 1 if grep { $some->{$_} || $behind{$_} } @{ $nodes->[$i]{needs} };
    }
    return \%behind;
}

# Since when a condition has been so at a time; undef: it is not so.
sub since {
    my ($self, $run, $attempt, $kind, $at) = @_;
    return if !$self->{is_on};
    if ($kind eq 'newer')  { return $run->{newer_at} }
    if ($kind eq 'closed') { return $run->{pull} && $run->{pull}{closed_at} }
    if ($kind eq 'held') {
        my ($hold) = grep { $_->[0] <= $at && $at < $_->[1] } @{ $self->holds_of($run) };
        return $hold && $hold->[0];
    }
    if ($kind eq 'deploys') { return $attempt->{deploys} ? $attempt->{ended} // $run->{began} : undef }
    if ($kind eq 'queue')   { return $run->{event} eq 'merge_group' ? $run->{began} : undef }
    return (grep { $_ eq $run->{event} } @{ +DOERS }) ? $run->{began} : undef;
}

sub holds_of {
    my ($self, $run) = @_;
    return $self->{groups}{ $run->{plan}{concurrency} // '' }{holds} // [];
}

# Can the service find it out?
sub is_shown {
    my ($self, $run, $attempt, $kind, $at) = @_;
    return !$self->{way}{no_groups} if $kind eq 'held';
    return !$self->{way}{no_pulls}  if $kind eq 'closed';
    return 1 if $kind ne 'deploys';
    return 0 if $attempt->{deploys} ne 'must';
    # The file of a run by the clock is that of the default branch, which is not kept here.
    return 1 if !$self->{way}{no_contents} && $run->{event} ne 'schedule';
    return scalar grep { $_->{environment_told} && $_->{environment_told} < $at } @{ $attempt->{failed} // [] };
}

# Is it a reason of a guard that leaves a run?
sub is_reason { my ($self, $reason) = @_; return $self->{is_on} && grep { $_ eq $reason } values %REASONS }

# What a guard had to say to a POST; '' if nothing. busy_at: when its group was shown as held the
# last time; undef: never. asked: a person has asked for it, and that stands above most of them.
sub fault_of_post {
    my ($self, $run, $attempt, $post, $busy_at, $asked) = @_;
    for my $kind ($asked ? qw(deploys doer) : qw(newer held closed deploys queue doer)) {
        my $since = $self->since($run, $attempt, $kind, $post->{at});
        next if !defined $since || !$self->is_shown($run, $attempt, $kind, $post->{at});
        return sprintf 'a POST for attempt %d into a group that was shown as held, %.2f s after that', $attempt->{number},
            $post->{at} - $busy_at if $kind eq 'held' && defined $busy_at && $since <= $busy_at;
        my ($asked, $vain) = ($post->{asked}{$kind}, $post->{vain}{$kind});
        # Whose question an answer was for, is not known, but to that for a run's groups: others of its branch and group
        # ask likewise.
        next if $vain && $post->{guard_failures} >= TRIES && $vain->{at} > $post->{at} - FRESH_S;
        my $seen = $kind =~ /^(?:deploys|queue|doer)$/ ? $post->{at}
            : $asked                                   ? $asked->{of}
            :                                            $post->{at} - BLIND_S;
        $seen = $post->{groups_asked} if $asked && $seen > ($post->{groups_asked} // $seen);
        $seen = $post->{at} - FRESH_S if $seen < $post->{at} - FRESH_S;
        return sprintf 'a POST for attempt %d, though %s has been so for %.2f s', $attempt->{number}, $REASONS{$kind},
            $post->{at} - $since if $since < $seen;
    }
    return '';
}

# What is wrong with a reason for which it was left, or waits; '' if nothing.
sub fault_of_reason {
    my ($self, $run, $attempt, $decision) = @_;
    my $reason = $decision->{reason};
    for my $kind (grep { $REASONS{$_} eq $reason } sort keys %REASONS) {
        my $from = $self->since($run, $attempt, $kind, $decision->{at});
        return '' if defined $from && $from <= $decision->{at} + .01;
        # The answer is some moments older than what comes of it.
        return '' if $kind eq 'held' && grep { defined $self->since($run, $attempt, $kind, $decision->{at} - $_ / 10) } 1 .. 20;
        return '' if $reason eq 'left-by-rule';    # of the policy's
        return '' if $kind eq 'deploys' && $self->would_deploy_whole($run, $attempt, $decision->{at});
        return sprintf 'attempt %d: %s, which is not so', $attempt->{number}, $reason;
    }
    return '';
}

# Where GitHub does not rerun the failed jobs, or somebody wants all, what has succeeded would deploy again, too.
sub would_deploy_whole {
    my ($self, $run, $attempt, $at) = @_;
    return 0 if !$self->{is_on} || !grep { $_->{environment} } @{ $run->{plan}{nodes} };
    return 1 if $self->{asking} && grep { $_->{verb} eq 'all' } $self->{asking}->askers($run, $attempt, $at);
    return scalar grep { $_->{at} < $at && !$_->{accepted} && $_->{path} =~ /rerun-failed-jobs$/ } @{ $run->{posts} };
}

# The API.

sub route {
    my ($request) = @_;
    return if $request->{method} ne 'GET';
    for my $route (@ROUTES) {
        my ($kind, $path, $handler) = @$route;
        my @args = $request->{path} =~ $path or next;
        return ($kind, $handler, @args);
    }
    return;
}

sub answer {
    my ($self, $request) = @_;
    my (undef, $handler, @args) = route($request);
    return $self->$handler($request, @args);
}

# The runs that an answer tells something of.
sub told_of {
    my ($self, $request) = @_;
    my ($kind, undef, $repo, $what) = route($request);
    return ($kind, grep {$_} @{ $request->{tells} // [] });
}

# It was asked in vain.
sub note_failure {
    my ($self, $request) = @_;
    $self->answer($request);
    my ($kind, @runs) = $self->told_of($request);
    push @runs, $request->{run} if $request->{run} && !grep { $_ == $request->{run} } @runs;
    for my $run (@runs) {
        $run->{vain}{$kind} = { at => time };
        $run->{guard_failures}{ $run->{attempt} }++;
    }
    return @runs;
}

# A run has had an answer: of what time is it? It was made before it is noted, and a machine under load takes its time in
# between.
sub note {
    my ($self, $request, $lag_s) = @_;
    my ($kind, @runs) = $self->told_of($request);
    $request->{run}{groups_asked} = $request->{made} if $request->{run};
    $_->{asked}{$kind} = { of => $request->{made} - ($kind eq 'newer' ? $lag_s : 0) } for @runs;
    return @runs;
}

sub list_newer {
    my ($self, $request, $repo, $id) = @_;
    my %query = JR::FakeGitHub::Actions::query($request);
    my $github = $self->{github};
    my $before = time - $github->{list_lag};
    my @runs = grep {
        workflow_id($_) == $id && !$_->{gone} && $_->{began} <= $before
            && (!length($query{branch} // '') || $_->{head_branch} eq $query{branch})
            && (!length($query{event} // '')  || $_->{event} eq $query{event})
    } @{ $github->{by_repo}{ lc $repo } // [] };
    $request->{tells} = [@runs];
    my $size = $query{per_page} || 30;
    my $from = (($query{page} || 1) - 1) * $size;
    my @part = grep {defined} (reverse @runs)[$from .. $from + $size - 1];
    my @texts = map { $github->text_of($_, $github->version_at($_, $github->{list_lag})) } @part;
    return { status => 200, body => '{"total_count":' . @runs . ',"workflow_runs":[' . join(',', @texts) . ']}' };
}

sub groups_of_run {
    my ($self, $request, $repo, $id) = @_;
    my $run = $self->{github}->known($repo, $id);
    return $PROBLEM->(404, 'Not Found') if !$run || $self->{way}{no_groups};
    my $name = $run->{plan}{concurrency};
    $request->{tells} = [defined $name ? () : $run];
    my @groups = defined $name ? ({
        group_name => $name, group_url => "https://api.github.com/repos/$repo/actions/concurrency_groups/" . escape($name),
        group_members => [],
    }) : ();
    return { status => 200, body => { total_count => scalar @groups, concurrency_groups => \@groups } };
}

sub escape { return $_[0] =~ s/([^\w.-])/sprintf '%%%02X', ord $1/ger }

sub group {
    my ($self, $request, $repo, $escaped) = @_;
    my $name = $escaped =~ s/%([0-9a-fA-F]{2})/chr hex $1/ger;
    my $group = $self->{groups}{$name};
    return $PROBLEM->(404, 'Not Found') if !$group || $self->{way}{no_groups};
    $request->{tells} = $group->{runs};
    my $now = time;
    my ($hold) = grep { $_->[0] <= $now && $now < $_->[1] } @{ $group->{holds} // [] };
    return $PROBLEM->(404, 'Not Found') if !$hold;
    return { status => 200, body => {
        group_name => $name, group_url => '',
        group_members => [{ run_id => HOLDER, run_name => 'Deploy', status => 'in_progress', position => 0 }],
    } };
}

sub pull_json {
    my ($pull) = @_;
    my ($owner) = split m{/}, $pull->{head_repo};
    my $closed = JR::FakeGitHub::Actions::iso($pull->{closed_at});
    return {
        number => 0 + $pull->{number}, state => $closed ? 'closed' : 'open', draft => JSON::PP::false, locked => JSON::PP::false,
        merged => $pull->{merged} ? JSON::PP::true : JSON::PP::false, merged_at => $pull->{merged} ? $closed : undef,
        closed_at => $closed,
        head => {
            ref => $pull->{head_branch}, sha => $pull->{head_sha} // 'a' x 40, label => "$owner:$pull->{head_branch}",
            user => JR::FakeGitHub::Actions::user($owner),
            repo => JR::FakeGitHub::Actions::repository($pull->{head_repo}),
        },
        base => { ref => 'main', sha => 'b' x 40, repo => JR::FakeGitHub::Actions::repository($pull->{repo}) },
    };
}

sub forbidden { return $PROBLEM->(403, $NOT_ALLOWED, 'X-Accepted-GitHub-Permissions' => $_[0]) }

sub pull {
    my ($self, $request, $repo, $number) = @_;
    return forbidden('pull_requests=read') if $self->{way}{no_pulls};
    my $pull = $self->{by_number}{"$repo $number"} or return $PROBLEM->(404, 'Not Found');
    $request->{tells} = $pull->{runs};
    return { status => 200, body => pull_json($pull) };
}

sub pulls {
    my ($self, $request, $repo) = @_;
    return forbidden('pull_requests=read') if $self->{way}{no_pulls};
    my %query = JR::FakeGitHub::Actions::query($request);
    my $state = $query{state} || 'open';
    my @pulls = grep { $_->{repo} eq $repo } values %{ $self->{pulls} };
    @pulls = grep { pull_json($_)->{head}{label} eq $query{head} } @pulls if length($query{head} // '');
    $request->{tells} = [map { @{ $_->{runs} } } @pulls];
    @pulls = grep { $state eq 'all' || pull_json($_)->{state} eq $state } @pulls;
    return { status => 200, body => [map { pull_json($_) } @pulls] };
}

sub contents {
    my ($self, $request, $repo, $path) = @_;
    return forbidden('contents=read') if $self->{way}{no_contents};
    my %query = JR::FakeGitHub::Actions::query($request);
    my $run = $self->{by_file}{ "$repo " . ($query{ref} // '') . ' ' . ($path =~ s/%2F/\//gir) };
    return $PROBLEM->(404, 'Not Found') if !$run && length($query{ref} // '');
    $request->{tells} = $run ? $self->{lines}{ line_of($run) } : [];
    my $text = $run ? workflow_text($run) : OTHER;
    return { status => 200, headers => { 'Content-Type' => 'application/vnd.github.raw+json; charset=utf-8' }, body => $text }
        if ($request->{headers}{accept} // '') =~ /raw/;
    return { status => 200, body => {
        type => 'file', encoding => 'base64', size => length $text, path => $path, sha => sha1_hex($text),
        content => encode_base64($text),
    } };
}

my %IFS = (always => 'always()', failure => 'failure()', never => 'false');

# The workflow as its file has it.
sub workflow_text {
    my ($run) = @_;
    my $nodes = $run->{plan}{nodes};
    my @ids = map { defined $_->{family} ? 'm' . $_->{family} =~ s/\W/_/gr : undef } @$nodes;
    $ids[$_] //= "j$_" for 0 .. $#$nodes;
    my $text = "name: $run->{name}\non:\n  $run->{event}:\n\njobs:\n";
    my %done;
    for my $i (0 .. $#$nodes) {
        my $node = $nodes->[$i];
        next if $done{ $ids[$i] }++;
        my %needs = map { $ids[$_] => 1 } @{ $node->{needs} };
        my $is_caller = $node->{name} =~ m{^caller /};
        $text .= "  $ids[$i]:\n    name: '" . name_in_file($node) . "'\n";
        $text .= '    needs: [' . join(', ', sort keys %needs) . "]\n" if %needs;
        $text .= "    if: \${{ $IFS{$node->{if}} }}\n" if $IFS{ $node->{if} };
        if ($is_caller) {
            $text .= "    uses: ./.github/workflows/called.yml\n";
            next;
        }
        $text .= "    runs-on: ubuntu-latest\n";
        $text .= $i % 2 ? "    environment: $node->{environment}\n"
            : "    environment:\n      name: $node->{environment}\n      url: https://example.org/\n" if $node->{environment};
        $text .= "    strategy:\n      matrix:\n        os: [os-1, os-2, os-3]\n" if defined $node->{family};
        $text .= "    steps:\n      - uses: actions/checkout\@v4\n      - run: make\n";
    }
    return $text;
}

1;
