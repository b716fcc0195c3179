#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The sub-command replay: what another policy, or other settings, would have done with the
# runs of a real service.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP ();
use JR::File qw(write_file);
use JR::Test;

use constant { EX_USAGE => 2, EX_DATA => 65, EX_CONFIG => 78 };

my $dir     = tmpdir();
my $github  = github();
my $service = service(github => $github, RUN_ATTEMPTS => 3)->start;

sub replay { return tool(['replay', @_], %{ $service->environment }) }

sub replayed {
    my (@args) = @_;
    my $told = replay('--json', @args);
    is $told->{status}, 0, "@args: exit 0" or diag $told->{err};
    return eval { JSON::PP->new->decode($told->{out}) } // {};
}

sub run_of { return workflow_run(github => $github, door => $service->http, jobs => ['build'], @_) }

# A run whose attempts come to these conclusions, the last of which is not rerun.
sub story {
    my ($repo, @conclusion) = @_;
    my $run = run_of(repo => $repo);
    for my $attempt (1 .. @conclusion) {
        $run->play(build => $conclusion[$attempt - 1]);
        next if $attempt == @conclusion;
        wait_ok { $run->accepted >= $attempt } "attempt $attempt of $repo is rerun";
        ok $service->log->wait_entry('rerun', run => $run->id, attempt => $attempt), 'and that is recorded';
    }
    return $run;
}

my %run = (
    rescued => story('octo/app', qw(failure success)),
    late    => story('octo/app', qw(failure failure success)),
    failed  => story('octo/web', qw(failure failure failure)),
    good    => story('octo/web', 'success'),
);

# "1 rerun" and so on for each attempt of a run that was judged.
sub cases {
    my ($of, $name) = @_;
    return join ', ', map { join ' ', $_->{attempt}, $_->{would}, $_->{reason}, $_->{was}, !defined $_->{rescued} ? 'null' : $_->{rescued} ? 'true' : 'false' }
        grep { $_->{run_id} == $run{$name}->id } @{ $of->{each} };
}

subtest 'as it was' => sub {
    my $all = replayed();
    is_deeply [sort keys %$all], [sort qw(runs would_rerun was_rerun rescued lost_rescues waste minutes minutes_saved rules each)], 'the keys';
    is_deeply [sort keys %{ $all->{each}[0] }], [sort qw(run_id repository attempt would reason was rescued)], 'those of each';
    is_deeply [sort keys %{ $all->{rules}[0] }], [sort qw(rule runs would_rerun was_rerun rescued lost_rescues waste minutes minutes_saved)], 'those of a rule';
    my %sum = (runs => 6, would_rerun => 5, was_rerun => 5, rescued => 2, lost_rescues => 0, waste => 3);
    is $all->{$_}, $sum{$_}, "$_: $sum{$_}" for sort keys %sum;
    is cases($all, 'rescued'), '1 rerun run-failed rerun true', 'a run that was rescued';
    is cases($all, 'late'), '1 rerun run-failed rerun false, 2 rerun run-failed rerun true', 'by the second rerun';
    is cases($all, 'failed'), '1 rerun run-failed rerun false, 2 rerun run-failed rerun false, 3 leave attempts-used-up leave null', 'not rescued';
    is cases($all, 'good'), '', 'one that has not failed';
    is_deeply [map {"$_->{rule} $_->{runs}"} @{ $all->{rules} }], ['otherwise 5', 'settings 1'], 'by rule';
    is $all->{each}[0]{repository}, 'octo/app', 'with the repository';
};

# What the service has spent on these, and what came of it, whether causes were looked for or not.
subtest 'costs by repository' => sub {
    my $told = tool(['causes', '--by', 'repository', '--json'], %{ $service->environment });
    my $value = JSON::PP->new->decode($told->{out});
    is_deeply [sort keys %$value], [qw(causes repositories since unknown)], 'beside what there is without it';
    my %of = map { (delete $_->{repository} => $_) } @{ $value->{repositories} };
    delete $_->{minutes_spent} for values %of;
    is_deeply \%of, {
        'octo/app' => { runs => 2, runs_rescued => 2, reruns => 3, rescued => 2, failed_again => 1 },
        'octo/web' => { runs => 1, runs_rescued => 0, reruns => 2, rescued => 0, failed_again => 2 },
    }, 'each repository';
    my $text = tool(['causes', '--by', 'repository'], %{ $service->environment })->{out};
    like $text, qr/^REPOSITORY +RUNS +RESCUED +RERUNS +GREEN +AGAIN +MINUTES$/m, 'in words';
    like $text, qr/^octo\/app +2 +2 +3 +2 +1 +\d+$/m, 'a repository';
    like $text, qr/^Total since \S+: 2 repositories, 3 runs rerun, 2 rescued; 2 times nobody had to press the button; \d+ minutes? spent$/m, 'all';
    like tool(['causes', '--by', 'repository', '--since', '2099-01-01'], %{ $service->environment })->{out}, qr/^Of no attempt .* was a rerun made/, '--since';
    my $wrong = tool(['causes', '--by', 'colour'], %{ $service->environment });
    is $wrong->{status}, EX_USAGE, 'by nothing else';
    like $wrong->{err}, qr/neither cause nor repository/, 'and why';
};

subtest 'other settings' => sub {
    my $fewer = replayed('--set', 'RUN_ATTEMPTS=2');
    is cases($fewer, 'late'), '1 rerun run-failed rerun false, 2 leave attempts-used-up rerun true', 'a lost rescue';
    my %sum = (runs => 6, would_rerun => 3, was_rerun => 5, rescued => 1, lost_rescues => 1, waste => 2);
    is $fewer->{$_}, $sum{$_}, "$_: $sum{$_}" for sort keys %sum;
    my $more = replayed('--set=RUN_ATTEMPTS=4', '--set', 'NO_RETRY_REPOS=octo/app');
    is cases($more, 'failed'), '1 rerun run-failed rerun false, 2 rerun run-failed rerun false, 3 rerun run-failed leave null', 'one more attempt';
    is cases($more, 'rescued'), '1 leave repository-excluded rerun true', 'and a list';
    is cases(replayed('--set', 'POLICY=infrastructure'), 'rescued'), '1 leave evidence-unreadable rerun true', 'POLICY';
    is cases(replayed('--set', 'RUN_ATTEMPTS='), 'failed'), cases(replayed('--set', 'RUN_ATTEMPTS=4'), 'failed'), 'an empty one is the default';
};

subtest 'another policy' => sub {
    is replayed('--policy', 'careful')->{rules}[0]{rule}, 'may-help', 'a preset: what is not known is tried';
    my $none = replayed('--policy', 'infrastructure');
    is $none->{would_rerun}, 0, 'without evidence nothing is known';
    is $none->{lost_rescues}, 2, 'which would have lost rescues';
    my $file = write_file("$dir/own.yml", <<'END');
version: 1
same-failure: rerun
rules: [{ name: once, rerun: all, attempts: 2 }]
repositories: { "octo/web": { rules: [{ rerun: all }], otherwise: rerun } }
END
    my $own = replayed('--policy', $file);
    is_deeply [map {"$_->{rule} $_->{would_rerun} of $_->{runs}"} @{ $own->{rules} }], ['once 2 of 3', 'octo/web: rule 1 2 of 2', 'settings 0 of 1'], 'a file, with a deviation';
    my $text = replay('--policy', $file)->{out};
    like $text, qr/^RULE +FAILED +WOULD +WAS +RESCUED +LOST +WASTE +MINUTES +SAVED$/m, 'in words';
    like $text, qr/^octo\/web: rule 1 +2 +2 +2 +0 +0 +2 +\d+ +\d+$/m, 'a rule';
    like $text, qr/^all +6 +4 +5 +1 +1 +3 +\d+ +\d+$/m, 'all';
};

# Under `everything' with EVIDENCE=always causes are recorded, and another policy is tried on them.
subtest 'causes that are recorded' => sub {
    my $looking = service(github => $github, EVIDENCE => 'always', RUN_ATTEMPTS => 2)->start;
    my %line = (network => 'curl: (56) Recv failure: Connection reset by peer', build => 'src/main.c:10:5: error: expected expression', odd => 'error: the frobnicator is gone');
    my %id;
    for my $name (sort keys %line) {
        my $run = workflow_run(github => $github, door => $looking->http, jobs => ['build']);
        $run->queued('build');
        $run->describe('build', runner_id => 7, runner_name => 'runner 7', steps => [['Set up job'], ['Run make', 'failure'], ['Complete job']],
            log => ['##[group]Run make', 'make', '##[endgroup]', $line{$name}, '##[error]Process completed with exit code 1.']);
        $run->ends('failure', 'build', 'failure');
        wait_ok { $run->accepted } "$name is rerun";
        $id{$name} = $run->id;
    }
    my $file = write_file("$dir/odd.yml", "version: 1\nrules: [{ name: odd, rerun: setup }]\ncauses: [{ id: odd, cause: setup, log: 'frobnicator.*gone' }]\n");
    my %want = (
        everything => { network => 'rerun run-failed', build => 'rerun run-failed', odd => 'rerun run-failed' },
        infrastructure => { network => 'rerun run-failed', build => 'leave left-by-rule', odd => 'leave cause-not-known' },
        careful => { network => 'rerun run-failed', build => 'leave left-by-rule', odd => 'rerun run-failed' },
        $file => { network => 'leave left-by-rule', build => 'leave left-by-rule', odd => 'rerun run-failed' },
    );
    for my $policy (sort keys %want) {
        my $told = tool(['replay', '--json', '--policy', $policy], %{ $looking->environment });
        is $told->{status}, 0, $policy or diag $told->{err};
        my %got = map { ($_->{run_id} => "$_->{would} $_->{reason}") } @{ JSON::PP->new->decode($told->{out})->{each} };
        is $got{ $id{$_} }, $want{$policy}{$_}, "$_: $want{$policy}{$_}" for sort keys %line;
    }
};

subtest 'some of them' => sub {
    is replayed('--repo', 'octo/w*')->{runs}, 3, '--repo';
    is replayed('--since', '1h')->{runs}, 6, '--since';
    is replayed('--since', '2099-01-01')->{runs}, 0, 'none since then';
    is replay('--since', '2099-01-01')->{out} =~ s/ +/ /gr, "RULE FAILED WOULD WAS RESCUED LOST WASTE MINUTES SAVED\nall 0 0 0 0 0 0 0 0\n", 'in words';
};

subtest 'what is wrong' => sub {
    my $bad = write_file("$dir/bad.yml", "version: 1\nrules: x\n");
    my @wrong = (
        [EX_USAGE, qr/did you mean 'RUN_ATTEMPTS'/, '--set', 'RUN_ATEMPTS=2'], [EX_USAGE, qr/decides nothing about recorded runs/, '--set', 'WORKERS=2'],
        [EX_USAGE, qr/not NAME=VALUE/, '--set', 'RUN_ATTEMPTS'], [EX_USAGE, qr/--since: 'soon'/, '--since', 'soon'],
        [EX_CONFIG, qr/^RUN_ATTEMPTS: '99' is out of range/m, '--set', 'RUN_ATTEMPTS=99'], [EX_CONFIG, qr/^RETRY_CONCLUSIONS: /m, '--set', 'RETRY_CONCLUSIONS=x'],
        [EX_CONFIG, qr/^POLICY: /m, '--set', 'POLICY=carefull'], [EX_DATA, qr/bad\.yml:2:8: /, '--policy', $bad], [EX_DATA, qr/No such file/, '--policy', "$dir/none.yml"],
    );
    for my $row (@wrong) {
        my ($status, $like, @args) = @$row;
        my $told = replay(@args);
        is $told->{status}, $status, "@args: exit $status";
        like $told->{err}, $like, 'and why';
        is $told->{out}, '', 'and nothing else';
    }
};

finish();
