# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Organisation -- an imaginary organisation: its repositories, their workflows,
# who works there, and what happens in a day.
#
# Its plans are those of JR::Sim::Workflow, and besides: run_number, head_sha. Its nodes,
# besides: seconds (how long the job takes), p (how often it fails), labels, fails (so many
# attempts fail for certain), late (it fails by time-out).

package JR::Sim::Organisation;

use strict;
use warnings;
use Digest::SHA qw(sha1_hex);

use constant { HOUR_S => 3600, MINUTE_S => 60, TIMEOUT_S => 1800 };

my @HOSTED = ('ubuntu-latest');
my @OWN    = ('self-hosted', 'linux');

# The organisation's own runners; one of them has something wrong with it.
use constant { RUNNERS => 5, BAD_RUNNER => 'build-3', BAD_RUNNER_P => .6 };

# What the service is told, besides where GitHub is.
sub settings { return (NO_RETRY_WORKFLOWS => 'Deploy') }

# A job: its name, how long it takes, what it needs, and what is special about it.
my %CI_OF_WEBSITE = (
    workflow => 'CI', day => 38,
    jobs => [
        ['lint', 40], ['build', 130],
        ['test (node 18)', 190, ['build']], ['test (node 20)', 170, ['build']],
        ['end-to-end', 380, ['build'], p => .16],
    ],
);
my @WORKFLOWS = (
    { repo => 'acme/website', %CI_OF_WEBSITE },
    { repo => 'acme/website', workflow => 'Deploy', day => 8, event => 'push',
        jobs => [['build', 120], ['staging', 60, ['build']], ['smoke test', 45, ['staging'], p => .15],
            ['production', 80, ['smoke test']]] },
    { repo => 'acme/api', workflow => 'CI', day => 42,
        jobs => [['lint', 35], ['build', 150], ['unit tests', 120, ['build']],
            ['integration tests', 300, ['build'], p => .06, labels => \@OWN]] },
    { repo => 'acme/api', workflow => 'Deploy', day => 6, event => 'push',
        jobs => [['build', 150], ['staging', 70, ['build']], ['production', 90, ['staging']]] },
    { repo => 'acme/mobile', workflow => 'Build', day => 24,
        jobs => [['lint', 45], ['android', 520, [], labels => \@OWN], ['ios', 610, [], p => .07, late => 1],
            ['screen tests', 420, ['android'], p => .14, labels => \@OWN]] },
    { repo => 'acme/infra', workflow => 'Terraform', day => 12, jobs => [['validate', 30], ['plan', 110, ['validate']]] },
    { repo => 'acme/docs', workflow => 'Docs', day => 15,
        jobs => [['build', 50], ['check links', 140, ['build'], p => .2]] },
    { repo => 'acme/design-system', workflow => 'CI', day => 16,
        jobs => [['lint', 30], ['test', 95], ['visual regression', 260, ['test'], p => .09]] },
);
my @PEOPLE   = ([6, 'alice'], [5, 'bob'], [4, 'carol'], [3, 'dave'], [2, 'renovate[bot]']);
my @BRANCHES = qw(login-form faster-search fix-typo dark-mode upgrade-node smaller-images retry-payments new-icons);

sub new {
    my ($class, %o) = @_;
    return bless { %o, count => 0, number => {} }, $class;    # dice
}

# What happens between two times: [time, what, ...] in order.
sub day {
    my ($self, $from, $to) = @_;
    my @happens = $self->stories($to);
    for my $workflow (@WORKFLOWS) {
        my $wanted = int $workflow->{day} * ($to - $from) / (24 * HOUR_S) + .5;
        push @happens, map { [$self->moment($from, $to, $workflow, $_), start => $workflow] } 1 .. $wanted;
    }
    return sort { $a->[0] <=> $b->[0] } @happens;
}

# Not evenly: some hours have more of it than others.
sub moment {
    my ($self, $from, $to, $workflow, $n) = @_;
    my @about = ($workflow->{repo}, $workflow->{workflow}, $n);
    for my $try (1 .. 50) {
        my $share = $self->{dice}->roll(@about, 'when', $try);
        my $busy  = .55 - .45 * cos(2 * 3.1416 * ($share - .3));
        return $from + ($to - $from) * $share if $self->{dice}->chance($busy, @about, 'busy', $try);
    }
    return $from;
}

# What the page is to show in any case, at so many hours before the end.
sub stories {
    my ($self, $to) = @_;
    my %of = map { ("$_->{repo} $_->{workflow}" => $_) } @WORKFLOWS;
    my $at = sub { my ($hours, @what) = @_; return [$to - $hours * HOUR_S, @what] };
    my $main = { event => 'push', head_branch => 'main', actor => 'alice', character => 'normal' };
    return (
        # Somebody rerun a deployment by hand, which the service leaves alone.
        $at->(9.2, start => $of{'acme/website Deploy'}, $main, { 'smoke test' => 1 }),
        $at->(9.0, rerun => 'alice', 'acme/website', 'Deploy'),
        # A job that fails on main while a newer commit is being tested already.
        $at->(5.3, start => $of{'acme/website CI'}, $main, { 'end-to-end' => 1 }),
        $at->(5.23, start => $of{'acme/website CI'}, { %$main, actor => 'bob' }),
        # A change that is wrong: no rerun can help it.
        $at->(7.6, start => $of{'acme/api CI'}, { %$main, actor => 'carol' }, { 'unit tests' => 9 }),
        # One that hangs, and would hang for ever.
        $at->(6.5, start => $of{'acme/mobile Build'}, { %$main, head_branch => 'release-4', actor => 'dave' }, { ios => 9 }),
        # Two commits to one branch, the second of which cancels the run of the first.
        $at->(4.1, start => $of{'acme/api CI'}, { event => 'pull_request', head_branch => 'retry-payments', actor => 'bob' }),
        $at->(4.06, start => $of{'acme/api CI'}, { event => 'pull_request', head_branch => 'retry-payments', actor => 'bob' }),
        # A pause, and what waits for its end.
        $at->(11.0, pause => 'acme/infra', 'carol', 'the state of Terraform is being moved'),
        $at->(10.9, start => $of{'acme/infra Terraform'}, $main, { plan => 1 }),
        $at->(10.2, resume => 'acme/infra', 'carol'),
        # Another one, which goes on.
        $at->(.6, pause => 'acme/docs', 'dave', 'the server that the links lead to is being repaired'),
        $at->(.5, start => $of{'acme/docs Docs'}, { %$main, actor => 'dave' }, { 'check links' => 2 }),
        # One that has to be tried often.
        $at->(3.2, start => $of{'acme/mobile Build'}, { %$main, actor => 'dave' }, { ios => 2 }),
        # What is under way when one looks.
        $at->(.13, start => $of{'acme/mobile Build'}, { event => 'pull_request', head_branch => 'dark-mode', actor => 'bob' }),
        $at->(.06, start => $of{'acme/website CI'}, { %$main, actor => 'carol' }),
        $at->(1.1, start => $of{'acme/design-system CI'}, $main, { 'visual regression' => 1 }),
    );
}

# A run: what is not given is left to the dice. fails: name of a job => how many attempts.
sub plan {
    my ($self, $workflow, $given, $fails) = @_;
    my ($dice, $n) = ($self->{dice}, ++$self->{count});
    my $main = ($workflow->{event} // '') eq 'push' || $dice->chance(.45, $n, 'main');
    my %plan = (
        repo => $workflow->{repo}, workflow => $workflow->{workflow}, character => 'normal', age_s => 0,
        event => $main ? 'push' : 'pull_request', head_branch => $main ? 'main' : $dice->pick(\@BRANCHES, $n, 'branch'),
        actor => $dice->weighted(\@PEOPLE, $n, 'actor'), %{ $given // {} },
    );
    $plan{head_repo}  = $plan{repo};
    $plan{run_number} = ++$self->{number}{"$plan{repo} $plan{workflow}"} + 200;
    $plan{head_sha}   = sha1_hex("$n of $self->{dice}{seed}");
    $plan{group}      = "$plan{repo} $plan{workflow} $plan{head_branch}" if $plan{event} eq 'pull_request';
    $plan{nodes}      = $self->nodes($workflow, $n, $fails // $self->mistake($workflow, $n));
    return (\%plan, $n);
}

# Now and then a change is wrong.
sub mistake {
    my ($self, $workflow, $n) = @_;
    return {} if !$self->{dice}->chance(.04, $n, 'mistake');
    return { $self->{dice}->pick($workflow->{jobs}, $n, 'where')->[0] => 9 };
}

sub nodes {
    my ($self, $workflow, $n, $fails) = @_;
    my %index;
    return [
        map {
            my ($name, $seconds, $needs, %more) = @$_;
            $index{$name} = keys %index;
            {
                name => $name, seconds => $seconds, needs => [map { $index{$_} } @{ $needs // [] }],
                if => 'success', fate => 'flaky', p => 0, labels => \@HOSTED, %more, fails => $fails->{$name} // 0,
            }
        } @{ $workflow->{jobs} }
    ];
}

# The run that nobody has told of yet: whoever tries the service tells of it himself.
sub own_plan {
    my ($self) = @_;
    return $self->plan(
        { repo => 'acme/website', workflow => 'Try it', jobs => [['build', 8], ['test', 10, ['build']]] },
        { event => 'push', head_branch => 'main', actor => 'alice' }, { test => 1 });
}

1;
