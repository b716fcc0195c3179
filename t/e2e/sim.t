#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A short selection of t/sim: some dozens of runs in each of some weathers,
# always the same ones; of those in which jobs fail for causes, all but the longest.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../sim/lib";
use Test::More;
use JR::Test;
use JR::Sim::Scenario;
use JR::Sim::World;

use constant { RUNS => 50, SEED => 1, JOBS => 60, QUIET_S => 2.5 };

# Those with guards, limits and outages take their time.
my @others = map { $_->{name} } grep { $_->{short} // ($_->{causes} && !$_->{guards} && !$_->{limits} && !$_->{trouble}) }
    JR::Sim::Scenario::all();
for my $scenario (JR::Sim::Scenario::named(qw(lost-50 killed people storm), @others)) {
    my $result = JR::Sim::World->play(
        scenario => $scenario, runs => RUNS, seed => SEED, jobs => JOBS, quiet_s => QUIET_S);
    my @wrong = @{ $result->{wrong} };
    ok(!@wrong, "$scenario->{name}, $scenario->{title}: each run gets what it deserves");
    for my $wrong (@wrong) {
        diag("run $wrong->{run}{id}: ", join '; ', @{ $wrong->{faults} });
        diag($_) for JR::Sim::World::story($wrong->{run}, $result->{log});
    }
    cmp_ok($result->{reruns}, '>', RUNS / 10, "$scenario->{name}: there are reruns");
    ok(!@{ $result->{trouble} }, "$scenario->{name}: nothing else is wrong");
    diag($_) for @{ $result->{trouble} };
}

finish();
