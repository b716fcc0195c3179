# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Workflow -- what a run is to be: where it comes from, the graph of
# its jobs, and the fate of each.
#
# A plan is { repo, workflow, event, head_branch, head_repo, actor, character,
# group, age_s, nodes }. A node is one job, or one leg of a matrix:
#   name, needs => [indexes], if (success, always, failure, never), approval,
#   continue (continue-on-error), family (legs of one matrix), bare (the name
#   of the matrix when it is skipped), fate, p
# Fates: good; flaky, lost, timed_out (with probability p in each execution);
# broken (always fails); dropped (cancelled before a runner took it).

package JR::Sim::Workflow;

use strict;
use warnings;

use JR::Sim::Guards;
use JR::Sim::Trouble;

use constant PAGE => 100;    # jobs, at the most

my @REPOS     = map {"octo/$_"} qw(app api web docs tools infra mobile);
my $EXCLUDED  = 'octo/deploy';
my @WORKFLOWS = ('CI', 'Nightly', 'Integration', 'Lint & Test');

sub repos { return (@REPOS, $EXCLUDED) }

# Settings that leave some of all this alone.
sub settings {
    my ($branches) = @_;
    return (
        RUN_ATTEMPTS       => 4,
        NO_RETRY_LIST      => 'dependabot*,mallory',
        NO_RETRY_REPOS     => $EXCLUDED,
        NO_RETRY_WORKFLOWS => 'Release*',
        RETRY_CONCLUSIONS  => 'failure,timed_out,startup_failure',
        REPO_BRANCHES      => $branches ? 'main,release/*' : undef,
    );
}

# old => 1: runs of long ago are among them; repos => N: no more than these;
# groups => 1: concurrency groups; guards, trouble: as in JR::Sim::Guards and Trouble; large => 1: some have more jobs than GitHub
# shows on a page
sub plan {
    my ($dice, $n, %o) = @_;
    my @repos = @REPOS[0 .. ($o{repos} // @REPOS) - 1];
    my $repo = $dice->chance(.04, $n, 'excluded repo') ? $EXCLUDED : $dice->pick(\@repos, $n, 'repo');
    my %plan = (
        repo        => $repo,
        head_repo   => $repo,
        workflow    => $dice->chance(.04, $n, 'release') ? 'Release 1.x' : $dice->pick(\@WORKFLOWS, $n, 'workflow'),
        event       => 'push',
        head_branch => $dice->weighted([[8, 'main'], [2, 'release/1.2'], [1, 'feature/x']], $n, 'branch'),
        actor       => $dice->weighted(
            [[20, 'octocat'], [10, 'hubot'], [1, 'dependabot[bot]'], [1, 'mallory']], $n, 'actor'),
        character => 'normal',
        age_s     => 0,
    );
    my $origin = $dice->roll($n, 'origin');
    if ($origin < .06) {    # a fork's branch may bear the name of ours
        @plan{qw(event head_repo head_branch)} = ('pull_request', 'stranger/' . ($repo =~ s{.*/}{}r), 'main');
        $plan{character} = 'approval' if $origin < .03;
    }
    elsif ($origin < .16) { @plan{qw(event head_branch)} = ('pull_request', 'feature/y') }
    elsif ($origin < .20) { $plan{event} = 'schedule' }
    elsif ($origin < .22) { @plan{qw(event character)} = ('dynamic', 'normal') }
    elsif ($origin < .25) { $plan{character} = 'startup_failure' }
    elsif ($origin < .30 && $o{old}) { $plan{age_s} = $dice->pick([3 * 86400, 31 * 86400], $n, 'age') }
    elsif ($origin < .32 && $o{old}) { $plan{character} = 'long_over' }
    $plan{group} = $repo . '/' . int $dice->between(0, 4, $n, 'group')
        if $o{groups} && $dice->chance(.3, $n, 'grouped');
    $plan{nodes} = nodes($dice, $n);
    push @{ $plan{nodes} }, shards($dice, $n) if $o{large} && $n % 100 == 7;
    JR::Sim::Trouble::calm($dice, $n, \%plan, $o{trouble}) if $o{trouble};
    JR::Sim::Guards::dress($dice, $n, \%plan, $o{guards}, sub { plan($dice, $_[0], %o) }) if $o{guards};
    return \%plan;
}

# Layers of jobs; each needs some of the layer before.
sub nodes {
    my ($dice, $n) = @_;
    my $mood = $dice->weighted([[25, 'good'], [45, 'flaky'], [12, 'broken'], [18, 'mixed']], $n, 'mood');
    my (@nodes, @before);
    my $layers = 1 + int $dice->between(0, 3, $n, 'layers');
    for my $layer (0 .. $layers - 1) {
        my @here;
        for my $k (0 .. int $dice->between(0, 2.6, $n, 'width', $layer)) {
            my @about = ($n, $layer, $k);
            my @needs = grep { $dice->chance(.7, @about, 'need', $_) } @before;
            @needs = @before ? ($before[0]) : () if !@needs;
            my %node = (
                name  => "job $layer.$k",
                needs => \@needs,
                if    => $dice->weighted([[14, 'success'], [$layer ? 2 : 0, 'always'], [$layer ? 1 : 0, 'failure'], [1, 'never']], @about, 'if'),
                approval => $dice->chance(.06, @about, 'approval') ? $dice->pick([1, 2], @about, 'kind') : 0,
                continue => $dice->chance(.06, @about, 'continue'),
            );
            $node{name} = "caller / $node{name}" if $dice->chance(.1, @about, 'reusable');
            $node{name} = 'build' if $dice->chance(.04, @about, 'same name');
            my $legs = $dice->chance(.15, @about, 'matrix') ? 2 + int $dice->between(0, 3, @about, 'legs') : 0;
            for my $leg ($legs ? 1 .. $legs : 0) {
                my %one = (%node, fate($dice, $mood, @about, $leg));
                @one{qw(name family bare)} = ("test $layer.$k (os-$leg)", "$layer.$k", "test $layer.$k (\${{ matrix.os }})")
                    if $leg;
                push @nodes, \%one;
                push @here, $#nodes;
            }
        }
        @before = @here;
    }
    return \@nodes;
}

# A matrix over more than one page, the last legs of which may fail.
sub shards {
    my ($dice, $n) = @_;
    return map {
        { name => "shard ($_)", needs => [], if => 'success', approval => 0, continue => 0, family => 'shards',
            bare => 'shard (${{ matrix.shard }})', $_ <= PAGE ? (fate => 'good', p => 0) : fate($dice, 'flaky', $n, 'shard', $_) }
    } 1 .. PAGE + 10;
}

sub fate {
    my ($dice, $mood, @about) = @_;
    my $fate =
          $mood eq 'good'  ? 'good'
        : $mood eq 'flaky' ? $dice->weighted([[5, 'good'], [5, 'flaky'], [1, 'lost']], @about, 'fate')
        : $mood eq 'mixed' ? $dice->weighted(
            [[4, 'good'], [2, 'flaky'], [1, 'lost'], [1, 'timed_out'], [1, 'dropped'], [1, 'broken']], @about, 'fate')
        : $dice->chance(.5, @about, 'fate') ? 'broken' : 'good';
    return (fate => $fate, p => $dice->between(.2, .7, @about, 'p'));
}

# How the job ends this time.
sub outcome {
    my ($dice, $node, @about) = @_;
    my $fate = $node->{fate};
    return 'failure'   if $fate eq 'broken';
    return 'cancelled' if $fate eq 'dropped' && $dice->chance(.5, @about, 'dropped');
    return 'success'   if $fate eq 'good' || $fate eq 'dropped';
    return 'success'   if !$dice->chance($node->{p}, @about, 'outcome');
    return $fate eq 'timed_out' ? 'timed_out' : 'failure';
}

1;
