#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A short run of t/sim's weather for several hosts: three of them, and three etcd, that die, freeze
# and are cut off.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../sim/lib";
use Test::More;
use JR::Test;
use JR::Sim::Hosts;
use JR::Sim::Scenario;
use JR::Sim::World;

use constant { RUNS => 50, SEED => 1, JOBS => 60, QUIET_S => 2.5 };

if (!JR::Sim::Hosts->is_possible) {
    diag('NO ETCD HERE: several hosts are not played; apt-get install etcd-server');
    plan skip_all => 'etcd-server is not installed';
}

# All of it comes sooner than in a long run: runs, and faults.
my ($weather) = JR::Sim::Scenario::named('hosts-3');
my $scenario  = { %$weather, pace_s => .08, hosts => JR::Sim::Hosts::hasty($weather->{hosts}, 5) };
my $result = JR::Sim::World->play(scenario => $scenario, runs => RUNS, seed => SEED, jobs => JOBS, quiet_s => QUIET_S);
my @wrong = @{ $result->{wrong} };
ok !@wrong, 'each run gets what it deserves';
for my $wrong (@wrong) {
    diag("run $wrong->{run}{id}: ", join '; ', @{ $wrong->{faults} });
    diag($_) for JR::Sim::World::story($wrong->{run}, @{ $result->{logs} });
}
cmp_ok $result->{reruns}, '>', RUNS / 10, 'there are reruns';
ok !@{ $result->{trouble} }, 'nothing else is wrong';
diag($_) for @{ $result->{trouble} };
is_deeply [@{ $result->{hosts} }{qw(doubles strays beyond)}], [0, 0, 0], 'none is made twice';
cmp_ok $result->{hosts}{claims}{posting}, '>', 0, 'by the right to it';
note($_) for JR::Sim::Hosts::notes($result->{hosts});

finish();
