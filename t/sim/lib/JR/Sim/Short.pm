# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Short -- some weathers, short, as tests: some dozens of runs in each, always the same
# ones.

package JR::Sim::Short;

use strict;
use warnings;
use Exporter 'import';
use Test::More;
use JR::Sim::Scenario;
use JR::Sim::World;

our @EXPORT_OK = qw(all_right in_search);

use constant { RUNS => 50, SEED => 1, JOBS => 60, QUIET_S => 2.5 };

# The names of the weathers in which jobs fail for causes, and somebody looks for those (1) or nobody
# does (0). What has guards, limits and outages takes its time: of that there is one each, with 0.
sub in_search {
    my ($in_search) = @_;
    return map { $_->{name} } grep { !!$in_search == is_about_search($_) }
        grep { $_->{short} // ($_->{causes} && !$_->{guards} && !$_->{limits} && !$_->{trouble}) } JR::Sim::Scenario::all();
}

sub is_about_search {
    my ($scenario) = @_;
    return !!$scenario->{policy} && !$scenario->{report} && !$scenario->{short};
}

# Each run in each of these has to get what it deserves.
sub all_right {
    my (@names) = @_;
    for my $scenario (JR::Sim::Scenario::named(@names)) {
        my $result = JR::Sim::World->play(
            scenario => $scenario, runs => RUNS, seed => SEED, jobs => JOBS, quiet_s => QUIET_S);
        my @wrong = @{ $result->{wrong} };
        ok(!@wrong, "$scenario->{name}, $scenario->{title}: each run gets what it deserves");
        for my $wrong (@wrong) {
            diag("run $wrong->{run}{id}: ", join '; ', @{ $wrong->{faults} });
            diag($_) for JR::Sim::World::story($wrong->{run}, @{ $result->{logs} });
        }
        cmp_ok($result->{reruns}, '>', RUNS / 10, "$scenario->{name}: there are reruns");
        ok(!@{ $result->{trouble} }, "$scenario->{name}: nothing else is wrong");
        diag($_) for @{ $result->{trouble} };
    }
    return;
}

1;
