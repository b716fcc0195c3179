# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Cause -- why a job fails: the truth, and the evidence that GitHub has of it.
#
# What a log tells is taken from the cases of t/data/causes/open.json, in which the truth is known;
# what GitHub and runners do and say themselves is below. Each kind has
#   cause  as a policy calls it; 'infrastructure' is any of that group
#   by     what tells the cause, if it can be read: notes (annotations), log, steps; nothing: it
#          stays unknown
#   case   conclusion, steps, annotations, and the lines of the log that decide
#   lost   a runner that is lost also tells so by its steps where there never was a log
#   stored whether there is a log: yes, no, or the chance of it

package JR::Sim::Cause;

use strict;
use warnings;
use JR::Corpus qw(cases whole);
use JR::File qw(read_file);
use JR::Sim::Policy;
use JR::Test qw(srcdir);

# By the kind of a case that is not transient.
my @CODE = (
    [qr/^(?:assertion|snapshot|e2e-timeout|test-timeout)/            => 'test'],
    [qr/^(?:compile|build|import|link-c$|syntax|dependency|docker-copy)/ => 'build'],
    [qr/^(?:lint|link-check$)/                                       => 'lint'],
    [qr/^(?:missing-access|git-identity)/                            => 'environment'],
);

# What cannot be told from all its evidence: t/e2e/corpus.t counts those, nobody can be right here.
my $DOUBTFUL = qr/^(?:ios-simulator|snap-store|runner-|disk-full|coverage$)/;

# What is written after each failure, and tells nothing; but a negative code does, of Windows.
my $SILENT = qr/^Process completed with exit code \d|^The operation was canceled|The process '.*' failed with exit code/;

my @WORK = (['Set up job'], ['Run actions/checkout@v4'], ['Install dependencies']);
my @MADE = (@WORK, ['Run make', 'failure'], ['Publish', 'skipped'], ['Complete job']);
my @CUT  = (@WORK, ['Run make', 'cancelled'], ['Publish', 'skipped'], ['Complete job']);
my @OPEN = (@WORK, ['Run make', undef, 'in_progress'], ['Publish', undef, 'pending'], ['Complete job', undef, 'pending']);
my $EXIT = '##[error]Process completed with exit code 1.';

my %OWN = (
    disk => { cause => 'disk', by => ['log'], steps => \@MADE,
        log => ['cp: error writing out/app.img: No space left on device', $EXIT] },
    registry => { cause => 'registry', by => ['log'], steps => [['Set up job'], ['Run actions/checkout@v4'],
            ['Install dependencies', 'failure'], ['Run make', 'skipped'], ['Complete job']],
        log => ['npm error code ECONNRESET', $EXIT] },
    unknown => { cause => 'unknown', by => [], steps => \@MADE, log => ['nothing came of it', $EXIT] },
    'step-timeout' => { cause => 'step-timeout', by => [qw(notes log)], steps => \@MADE,
        notes => [q(The action 'Run make' has timed out after 30 minutes.)],
        log => [q(##[error]The action 'Run make' has timed out after 30 minutes.)] },
    timeout => { cause => 'timeout', by => ['notes'], steps => \@CUT, log => ['##[error]The operation was canceled.'],
        notes => ['The job has exceeded the maximum execution time of 6h0m0s', 'The operation was canceled.'] },
    'runner-lost' => { cause => 'runner-lost', by => ['notes'], steps => \@CUT, lost => 1, stored => .3, log => ['going on'],
        notes => ['The hosted runner lost communication with the server. Anything in your workflow that terminates the runner '
            . 'process, starves it for CPU/Memory, or blocks its network access can cause this error.'] },
    'runner-lost-old' => { cause => 'runner-lost', by => ['notes'], steps => \@OPEN, lost => 1, stored => 0, log => [],
        notes => ['The self-hosted runner: ci-7 lost communication with the server. Verify the machine is running and has a '
            . 'healthy network connection.'] },
    'runner-shutdown' => { cause => 'runner-shutdown', by => [qw(notes log)], steps => \@MADE,
        notes => ['The runner has received a shutdown signal. This can happen when the runner service is stopped, or a manually '
            . 'started runner is canceled.', 'The operation was canceled.'],
        log => ['##[error]The runner has received a shutdown signal. This can happen when the runner service is stopped, or a '
            . 'manually started runner is canceled.', '##[error]The operation was canceled.'] },
    'not-acquired' => { cause => 'not-acquired', by => ['notes'], idle => 1, conclusion => 'cancelled',
        notes => ['The job was not acquired by Runner of type hosted even after multiple attempts'] },
    'internal-error' => { cause => 'internal-error', by => ['notes'], idle => 1,
        notes => ['GitHub Actions has encountered an internal error when running your job.'] },
    billing => { cause => 'billing', by => ['notes'], idle => 1,
        notes => ['The job was not started because recent account payments have failed or your spending limit needs to be '
            . q(increased. Please check the 'Billing & plans' section in your settings)] },
    policy => { cause => 'policy', by => ['notes'], idle => 1,
        notes => ['Branch "main" is not allowed to deploy to production due to environment protection rules.'] },
    person => { cause => 'cancelled-by-person', by => ['notes'], steps => \@CUT, conclusion => 'cancelled', stored => .5,
        log => ['##[error]The operation was canceled.'], notes => ['The run was canceled by @octocat.'] },
    superseded => { cause => 'superseded', by => ['notes'], steps => \@CUT, conclusion => 'cancelled', stored => .5,
        log => ['##[error]The operation was canceled.'],
        notes => [q(Canceling since a higher priority waiting request for 'ci-main' exists), 'The operation was canceled.'] },
);

# What a job fails for, by its fate (JR::Sim::Workflow): [weight, kind]; `infrastructure', `test',
# `build', `lint', `environment' are any case of that cause.
my %CAUSES_OF = (
    flaky => [[20, 'infrastructure'], [1, 'disk'], [1, 'runner-shutdown'], [1, 'internal-error'], [2, 'test'], [1, 'unknown'],
        [.5, 'step-timeout']],
    broken => [[3, 'build'], [2, 'test'], [2, 'lint'], [1, 'environment'], [1, 'unknown'], [.5, 'billing'], [.5, 'policy'],
        [2, 'infrastructure']],
    lost      => [[2, 'runner-lost'], [1, 'runner-lost-old']],
    timed_out => [[1, 'timeout']],
    dropped   => [[1, 'not-acquired']],
);
my %HOSTILE_OF = (%CAUSES_OF,
    flaky  => [[12, 'infrastructure'], [3, 'hostile test'], [1, 'hostile build']],
    broken => [[3, 'hostile build'], [3, 'hostile test'], [1, 'hostile lint']],
);

# dice, way (the scenario's `causes`)
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, kinds => {} }, $class;
    for my $case (cases(srcdir() . '/t/data/causes/open.json')) {
        my $kind = kind_of_case($case) or next;
        push @{ $self->{kinds}{ $kind->{cause} } }, $kind;
    }
    $self->{kinds}{$_} = [kind_of_own($_)] for keys %OWN;
    $self->{causes_of} = ($self->{way}{hostile} ? \%HOSTILE_OF : \%CAUSES_OF);
    return $self;
}

# What a case of the corpus is here; nothing, where no truth can be told.
sub kind_of_case {
    my ($case) = @_;
    return if $case->{kind} =~ $DOUBTFUL || $case->{label} eq 'other' || $case->{conclusion} ne 'failure';
    my @told = grep { $_->{level} eq 'failure' && $_->{message} !~ $SILENT } @{ $case->{annotations} // [] };
    my %kind = (name => "$case->{kind} $case->{id}", case => $case, stored => 1);
    if ($case->{label} eq 'transient') {
        return if $case->{expected} ne 'rerun';
        my $by_steps = ($case->{failed_step} // '') eq 'Set up job';
        return { %kind, cause => 'infrastructure', by => [@told ? 'notes' : (), 'log', $by_steps ? 'steps' : ()] };
    }
    return if @told;    # which may be of another step
    my ($cause) = map { $_->[1] } grep { $case->{kind} =~ $_->[0] } @CODE;
    # A package that is not found tells nothing beside a fault of the network.
    return $cause && { %kind, cause => $cause, by => ['log'], weak => !!($case->{kind} =~ /^dependency/) };
}

sub kind_of_own {
    my ($name) = @_;
    my $own = $OWN{$name};
    my $number = 0;
    my @steps = map {
        { name => $_->[0], number => ++$number, status => $_->[2] // 'completed', conclusion => @$_ > 1 ? $_->[1] : 'success' }
    } @{ $own->{steps} // [] };
    my ($failed) = map { $_->{name} } grep { ($_->{conclusion} // '') eq 'failure' } @steps;
    return {
        %$own, name => $name, stored => $own->{idle} ? 0 : $own->{stored} // 1,
        case => {
            id => $name, steps => \@steps, failed_step => $failed, excerpt => $own->{log} // [],
            annotations => [map { { level => 'failure', message => $_ } } @{ $own->{notes} // [] }],
        },
    };
}

# Texts of faults that are not the code's, as the service's own signatures have them.
sub tempting_texts {
    my ($self) = @_;
    return $self->{tempting} //= do {
        my ($cause, @texts) = ('');
        for (split /\n/, read_file(srcdir() . '/lib/rules/causes.yml')) {
            $cause = $1 if /^  cause: (\S+)/;
            push @texts, $1 =~ s/''/'/gr if /^  matches: '(.*)'$/ && JR::Sim::Policy::is_infrastructural($cause);
        }
        \@texts;
    };
}

# The job fails: choose why, and what there is to see of it. kind: one of %OWN, or what its fate has.
sub strike {
    my ($self, $run, $job, $kind) = @_;
    my $node  = $run->{plan}{nodes}[$job->{node}];
    # What is broken fails for the same again.
    my @about = ($run->{n}, $job->{node}, $node->{fate} eq 'broken' ? () : $run->{attempt});
    my $dice = $self->{dice};
    $kind //= $dice->weighted($self->{causes_of}{ $node->{fate} }, @about, 'cause');
    my $is_hostile = $kind =~ s/^hostile //;
    my $chosen = $dice->pick([grep { !$is_hostile || !$_->{weak} } @{ $self->{kinds}{$kind} }], @about, 'case');
    my $why = $job->{why} = {
        kind => $chosen, hostile => $is_hostile, about => \@about, stored => $dice->chance($chosen->{stored}, @about, 'stored'),
        seed => int $dice->between(1, 1e6, @about, 'seed'), begins => int $job->{started_at},
    };
    my $case = $self->dress($why);
    @$why{qw(first step)} = ($case->{begins}[0], $case->{failed_step});
    my ($steps) = whole($case, @$why{qw(seed begins)});
    $job->{steps} = [map { { started_at => undef, completed_at => undef, %$_ } } @$steps];
    $job->{annotations} = [map { { annotation_level => $_->{level}, message => $_->{message} } } @{ $case->{annotations} // [] }];
    @$job{qw(runner runner_id runner_name)} = $chosen->{idle} ? (undef, 0, '') : ($job->{runner}, 7, $job->{runner});
    return;
}

my @WORDS = qw(amber birch cedar);

# The case with its first words, by which two failures are told apart, and what is hostile.
sub dress {
    my ($self, $why) = @_;
    my %case = %{ $why->{kind}{case} };
    my @about = @{ $why->{about} };
    $case{begins} = ['warning: failed to reuse the folder of ' . $self->{dice}->pick(\@WORDS, @about, 'first')];
    return \%case if !$why->{hostile};
    my $texts = $self->tempting_texts;
    my @loud = map { ($_, "\e[31m$_\e[0m", "\0$_\0", "##[error]$_") } @$texts;
    $case{script} = $texts;
    push @{ $case{begins} }, 'x' x (2 << 20) if $self->{dice}->chance(.1, @about, 'long line');
    push @{ $case{begins} }, @loud;
    $case{excerpt} = [@{ $case{excerpt} }, @loud] if $self->{dice}->chance(.5, @about, 'last words');
    return \%case;
}

# The bytes of its log; undef: there is none.
sub log_of {
    my ($self, $job) = @_;
    my $why = $job->{why};
    return if !$why->{stored};
    my (undef, $log) = whole($self->dress($why), @$why{qw(seed begins)});
    return $log;
}

# The cause of a job that GitHub has listed, as far as it can be known. notes, log: found, absent or
# unreadable.
sub known {
    my ($self, $job, %seen) = @_;
    my $kind = $job->{why}{kind};
    return $kind->{cause} if grep { $_ eq 'steps' || $seen{$_} eq 'found' } @{ $kind->{by} };
    return $kind->{cause} if $kind->{lost} && $seen{log} eq 'absent';
    return 'unknown';
}

# Did a job fail as another one, of an earlier attempt, by its name, step and first words?
sub same {
    my ($self, $job, $before) = @_;
    return !grep { ($job->{$_} // '') ne ($before->{$_} // '') || ($job->{why}{$_} // '') ne ($before->{why}{$_} // '') }
        qw(name step first);
}

1;
