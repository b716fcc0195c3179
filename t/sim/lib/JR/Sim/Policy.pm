# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Policy -- policies as the service reads them, without delays, and as the judge has them.

package JR::Sim::Policy;

use strict;
use warnings;
use JR::File qw(write_file);

my %INFRASTRUCTURAL = map { $_ => 1 } qw(infrastructure runner-lost runner-shutdown not-acquired provisioning
    internal-error setup service network registry git rate-limited disk memory);

sub is_infrastructural { return $INFRASTRUCTURAL{ $_[0] } }

# Causes that a cancelled job can be rerun for, and those by which somebody wants it cancelled.
my %CANCELS  = map { $_ => 1 } qw(runner-lost runner-shutdown not-acquired provisioning internal-error);
my %REFUSALS = map { $_ => 1 } qw(cancelled-by-person superseded policy billing workflow-invalid);

my %POLICIES = (
    infrastructure => {
        otherwise => 'leave', same => 'rerun', attempts => { disk => 2, memory => 2 },
        verdict => sub { is_infrastructural($_[0]) ? 'rerun' : 'leave' },
        text => <<'YAML',
version: 1
otherwise: leave
rules:
  - { name: once, rerun: [memory, disk], attempts: 2 }
  - { name: infrastructure, rerun: [infrastructure] }
same-failure: rerun
YAML
    },
    careful => {
        otherwise => 'rerun', same => 'leave', attempts => {},
        verdict => sub { is_infrastructural($_[0]) || $_[0] =~ /^(?:test|step-timeout|unknown)$/ ? 'rerun' : 'leave' },
        text => <<'YAML',
version: 1
otherwise: rerun
rules:
  - name: no-rerun-helps
    leave: [build, lint, crash, timeout, environment, billing, policy, workflow-invalid, cancelled-by-person, superseded]
  - name: may-help
    rerun: [infrastructure, test, step-timeout, unknown]
same-failure: leave
YAML
    },
    # As infrastructure, a minute of its delays being a second; and no test is rerun for its own sake.
    waiting => {
        otherwise => 'leave', same => 'rerun', attempts => {},
        verdict => sub { is_infrastructural($_[0]) || $_[0] eq 'test' ? 'rerun' : 'leave' },
        text => <<'YAML',
version: 1
otherwise: leave
rules:
  - { name: infrastructure, rerun: [infrastructure], delay: [500ms, 2s, 10s] }
  - { name: tests, rerun: [test] }
same-failure: rerun
YAML
    },
);

# Nothing for one that asks for no causes. more: YAML of limits and outages, which the judge knows
# by the scenario.
sub named {
    my ($class, $name, $more) = @_;
    return if !defined $name;
    my %policy = %{ $POLICIES{$name} // die "no policy $name\n" };
    $policy{text} .= $more // '';
    return bless { %policy, name => $name }, $class;
}

# The path of the policy as a file.
sub write { my ($self, $dir) = @_; return write_file("$dir/$self->{name}.yml", $self->{text}) }

# Why an attempt that ended so is left; '' when it is to be rerun. is_retried: its conclusion is one
# of RETRY_CONCLUSIONS. Each job: cause; cancelled: it was; unsure: whether somebody has cancelled it
# cannot be read; same: it failed as in an earlier attempt.
sub left {
    my ($self, $number, $conclusion, $is_retried, @jobs) = @_;
    # One that fails has others cancelled.
    @jobs = grep { !$_->{cancelled} } @jobs if $conclusion ne 'cancelled' && grep { !$_->{cancelled} } @jobs;
    return $self->{otherwise} eq 'rerun' && $is_retried ? '' : 'no failed job is seen' if !@jobs;
    my ($proved, $counts);
    for my $job (@jobs) {
        my $cause = $job->{cause};
        if ($job->{cancelled}) {
            return "cancelled for $cause" if $REFUSALS{$cause};
            return 'who has cancelled it cannot be read' if $job->{unsure};
            next if !$CANCELS{$cause};
            $proved = 1;
        }
        $counts = 1;
        return "fails for $cause" if $self->{verdict}->($cause) eq 'leave';
        return 'fails as before' if $job->{same} && $self->{same} eq 'leave' && !is_infrastructural($cause);
        return "$cause has had its attempts" if $number >= ($self->{attempts}{$cause} // 9**9);
    }
    return !$counts ? 'nothing is proved' : !$is_retried && !$proved ? "ended $conclusion" : '';
}

1;
