#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The day that conf/quickstart --demo plays (t/sim/demo): some of everything is in it, and
# it is the same each time.  What quickstart makes of it: web.t.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../sim/lib";
use JSON::PP qw(decode_json);
use Test::More;
use JR::File qw(read_file_or_empty);
use JR::Process qw(spawn reap running);
use JR::Sim::World;
use JR::Test;

use constant { RUNS => 1000 };

JR::Sim::World::use_memory();
my $build = $ENV{JR_BUILDDIR} // srcdir();
my $until = int(time / 3600) * 3600;
my $count = 0;

# Play a day; the folder of the store, and what it says that a service needs.
sub play {
    my ($seed) = @_;
    my $dir = tmpdir() . '/day' . ++$count;
    mkdir $_ or die "$_: $!" for $dir, "$dir/store";
    my $pid = spawn(
        argv => ['/usr/bin/perl', srcdir() . '/t/sim/demo', '--player' => "$build/t/sim/player", '--store' => "$dir/store",
            '--ready' => "$dir/ready", '--port' => 9, '--seed' => $seed, '--until' => $until],
        env => { PATH => '/usr/bin:/bin', GITHUB_SIGN_KEY => JR::Service::sign_key(), MAP_SIZE => '256M',
            map { $_ => $ENV{$_} } grep {/^[A-Z]+SAN_OPTIONS$/} keys %ENV },
        out => "$dir/said",
    );
    wait_for { -e "$dir/ready" || !running($pid) } 60 * slowness();
    kill 'TERM', $pid;
    reap($pid);
    is(read_file_or_empty("$dir/said"), '', "seed $seed: nothing goes wrong");
    return ("$dir/store", read_file_or_empty("$dir/ready"));
}

sub ask {
    my ($store, @words) = @_;
    my $result = tool([@words, '--json'], STATE_DIR => $store);
    diag($result->{err}) if $result->{err} ne '';
    return decode_json($result->{out});
}

my ($store, $ready) = play(1);
my $runs = ask($store, 'runs', '--limit', RUNS);
cmp_ok(scalar @$runs, '>', 100, 'there are runs');
my %repo = map { $_->{repository} => 1 } @$runs;
cmp_ok(scalar keys %repo, '>=', 5, 'of some repositories');

subtest 'some of everything' => sub {
    my %n;
    $n{$_}++ for map { ($_->{state}, $_->{reason}, $_->{conclusion} // '') } @$runs;
    ok($n{$_}, $_) for qw(open due closed success failure timed_out cancelled run-succeeded attempts-used-up superseded
        conclusion-not-retried workflow-excluded);
    my @rescued = grep { $_->{reruns} && $_->{reason} eq 'run-succeeded' } @$runs;
    cmp_ok(scalar @rescued, '>', 10, 'rescued');
    ok((grep { $_->{reruns} > 1 } @rescued), 'one of them at the second rerun');
    my ($notable) = $ready =~ /^run=(\d+)$/m;
    ok((grep { $_->{run_id} == $notable } @rescued), 'and one is worth a look');
    my $pauses = ask($store, 'status')->{dispatcher}{pauses};
    is($pauses->[0]{repositories}, 'acme/docs', 'a pause');
};

subtest 'the time of day' => sub {
    my %hour = map { substr($_->{last_event_at}, 0, 13) => 1 } @$runs;
    cmp_ok(scalar keys %hour, '>', 15, 'they are spread over the day');
};

subtest 'jobs and runners' => sub {
    my $flaky = ask($store, 'flaky');
    my ($bad) = grep { $_->{suspect} } @{ $flaky->{runners} };
    is($bad->{runner}, 'build-3', 'a runner is to blame');
    my ($named, @others) = @{ ask($store, 'status')->{suspect_runners} };
    is_deeply([@$named{qw(owner runner blamed executions)}], [@$bad{qw(owner runner blamed executions)}], 'status names it');
    is(scalar @others, 0, 'and no other');
    like(tool(['status'], STATE_DIR => $store)->{out}, qr/^runners +build-3 of acme \(linux,self-hosted\) stands out: blamed for \d+ of its \d+ jobs in 30 days$/m, 'in words');
    my $apart = 0;
    $apart += $_->{apart_failures} for @{ $flaky->{jobs} };
    cmp_ok($apart, '>', 0, 'failures on it are told apart');
    is($flaky->{jobs_total}{apart_failures}, $bad->{failures}, 'in all as many as it has');
    cmp_ok($flaky->{jobs_total}{apart_rescued}, '>=', $bad->{blamed}, 'and of those rescued at least what it is blamed for');
    like(tool(['flaky'], STATE_DIR => $store)->{out}, qr/^Told apart, and not counted: $bad->{failures} failed on runners that stand out/m, 'said below the table');
    my @rescued = grep { $_->{rescued} } @{ $flaky->{jobs} };
    cmp_ok(scalar @rescued, '>', 4, 'jobs that fail and then pass');
    ok((grep { $_->{not_rescued} && !$_->{rescued} } @{ $flaky->{jobs} }), 'and some that fail again');
};

# Told in three ways: by the runs, by repository, and by what another choice would have made of it.
subtest 'costs' => sub {
    my %sum = (runs => 0, reruns => 0, rescued => 0, minutes_spent => 0);
    for my $of (@{ ask($store, 'causes', '--by', 'repository')->{repositories} }) { $sum{$_} += $of->{$_} for keys %sum }
    my @rerun = grep { $_->{reruns} } @$runs;
    is($sum{runs}, scalar @rerun, 'runs that were rerun');
    my $reruns = 0;
    $reruns += $_->{reruns} for @rerun;
    is($sum{reruns}, $reruns, 'how often');
    is($sum{rescued}, scalar(grep { $_->{reason} eq 'run-succeeded' } @rerun), 'and rescued');
    my ($all, $fewer) = (ask($store, 'replay'), ask($store, 'replay', '--set', 'RUN_ATTEMPTS=2'));
    is($all->{was_rerun}, $reruns, 'replay knows of as many');
    is($fewer->{rescued} + $fewer->{lost_rescues}, $all->{rescued}, 'what fewer attempts would have lost');
    is($fewer->{minutes} + $fewer->{minutes_saved}, $all->{minutes}, 'and saved');
    cmp_ok($fewer->{minutes_saved}, '>', 0, 'which is something');
};

my ($again) = play(1);
is_deeply(ask($again, 'runs', '--limit', RUNS), ask($store, 'runs', '--limit', RUNS), 'the same seed: the same day');
is_deeply(ask($again, 'flaky'), ask($store, 'flaky'), 'in all its numbers');
my ($other) = play(2);
cmp_ok(scalar @{ ask($other, 'runs', '--limit', RUNS) }, '>', 100, 'another seed: another day');
isnt(join(' ', map { $_->{conclusion} // '' } @{ ask($other, 'runs', '--limit', RUNS) }),
    join(' ', map { $_->{conclusion} // '' } @$runs), 'that goes otherwise');

finish();
