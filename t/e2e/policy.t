#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The sub-command policy: what it shows, what it finds wrong, and that it judges a run
# without a store, settings or a network.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP ();
use JR::File qw(read_file write_file);
use JR::Test;

use constant { EX_USAGE => 2, EX_DATA => 65 };

my $dir = tmpdir();
my $doc = read_file(srcdir() . '/doc/policy.md');

sub policy { return tool(['policy', @_]) }

subtest 'show' => sub {
    for my $name (qw(everything careful infrastructure)) {
        my $shown = policy('show', $name);
        is $shown->{status}, 0, $name;
        my $file = write_file("$dir/$name.yml", $shown->{out});
        is policy('check', $file)->{status}, 0, "$name: what is shown is a policy";
    }
    is policy('show')->{out}, policy('show', 'everything')->{out}, 'the one in force';
    is tool(['policy', 'show'], POLICY => 'careful')->{out}, policy('show', 'careful')->{out}, 'another one';
    is tool(['policy', 'show'], POLICY => "$dir/none.yml")->{status}, EX_DATA, 'one that is not there';
};

# A policy as it is shown, without where it comes from.
sub shown {
    my (@args) = @_;
    my $shown = policy('show', @args);
    is $shown->{status}, 0, "show @args" or diag $shown->{err};
    return $shown->{out} =~ s/ *# .*//gr;
}

subtest 'show: where each value comes from' => sub {
    my $careful = policy('show', 'careful')->{out};
    like $careful, qr/^    leave: \[build, lint, .*\]  # preset careful$/m, 'a preset';
    like $careful, qr/^  concurrency: wait +# default$/m, 'a default, of a map that is not named';
    like $careful, qr/^# outage: never +# default$/m, 'what no file can say';

    my $file = write_file("$dir/origin.yml", <<'END');
version: 1
rules:
  - when: { job: ["e2e*", 'it''s "so"'], labels: linux }
    rerun: all
    attempts: 9
    only-if: { rescued: 5%, of: 20 }
causes:
  - { id: odd, cause: setup, log: "a\tb\u202ec\\d" }
  - id: block
    cause: setup
    log: |-
      # no comment
guards: { closed: rerun }
repositories:
  "octo/legacy-*": { otherwise: rerun, limits: { minutes-per-day: 60 }, rules: [] }
END
    my $shown = policy('show', $file);
    is $shown->{status}, 0, 'a file';
    my %line = ('when:' => 3, q{job: ['e2e*', 'it''s "so"']} => 3, 'rerun: all' => 4, q{rescued: 5%} => 6, 'of: 20' => 6,
        q{log: "a\U00000009b\U0000202ec\\\\d"} => 8, 'closed: rerun' => 13, q{log: '# no comment'} => 11);
    like $shown->{out}, qr/^[ -]+\Q$_\E +# \Q$file:$line{$_}\E$/m, "$_, of line $line{$_}" for sort keys %line;
    like $shown->{out}, qr/^      minutes-per-day: 60 +# repositories, \Q$file:15\E$/m, q{a repository's};
    like $shown->{out}, qr/^  superseded: leave +# default$/m, 'beside what the file names';
    like $shown->{out}, qr/^    attempts: 4 +# RUN_ATTEMPTS; 9 in \Q$file:5\E$/m, 'attempts over RUN_ATTEMPTS';
    like $shown->{err}, qr/^\Q$file:5:15: warning: 9 attempts are more than RUN_ATTEMPTS, 4\E/, 'and a warning';
    like policy('check', $file)->{err}, qr/^\Q$file:5:15: warning: 9 attempts\E/, 'likewise by check';
    is tool(['policy', 'check', $file], RUN_ATTEMPTS => 9)->{err}, '', 'not by another RUN_ATTEMPTS';

    my $json = JSON::PP->new->decode(policy('show', '--json', $file)->{out});
    is_deeply $json->{rules}[0]{attempts}, { value => '4', from => "RUN_ATTEMPTS; 9 in $file:5" }, '--json: attempts';
    is_deeply $json->{rules}[0]{when}{job}, { value => ['e2e*', q{it's "so"}], from => "$file:3" }, 'a list';
    is_deeply $json->{repositories}{'octo/legacy-*'}{otherwise}, { value => 'rerun', from => "repositories, $file:15" }, q{a repository's};
    is_deeply $json->{guards}{closed}, { value => 'rerun', from => "$file:13" }, 'a guard';
    is_deeply $json->{guards}{superseded}, { value => 'leave', from => 'default' }, 'a default';
    is_deeply $json->{mixed}, { value => 'all', from => 'default' }, 'another one';

    my %policy = (careful => 'careful', file => $file, everything => 'everything', infrastructure => 'infrastructure');
    for my $name (sort keys %policy) {
        my $once = write_file("$dir/once.yml", policy('show', $policy{$name})->{out});
        is policy('check', $once)->{status}, 0, "$name: what is shown is good" or diag policy('check', $once)->{err};
        is shown($once), shown($policy{$name}), 'and shown again it is the same';
    }
};

subtest 'check' => sub {
    my ($example) = $doc =~ /^((?:    .*\n)+)\nFor each failed job the first rule/m;
    my $good = policy('check', write_file("$dir/good.yml", $example =~ s/^    //gmr));
    is $good->{status}, 0, 'the example of the documents' or diag $good->{err};
    my ($own) = $doc =~ /^and `outage`:\n\n((?:    .*\n)+)\n/m;
    $good = policy('check', '--own', write_file("$dir/own.yml", $own =~ s/^    //gmr));
    is $good->{status}, 0, "that of a repository's own" or diag $good->{err};
    my ($page) = read_file(srcdir() . '/doc/job-rerunner-policy.5') =~ /^\.Bd -literal\n(.*?)^\.Ed/ms;
    is policy('check', write_file("$dir/page.yml", $page =~ s/\\e/\\/gr))->{status}, 0, 'that of the manual page';

    my $bad = policy('check', write_file("$dir/bad.yml", "version: 1\notherwise: maybe\nrules:\n  - rerun: [netwrok]\n    delay: 1x\n"));
    is $bad->{status}, EX_DATA, 'exit 65';
    like $bad->{err}, qr/^\Q$dir\E\/bad\.yml:2:12: .*\n.*:4:13: .*netwrok.*\n.*:5:12: .*30s/, 'all that is wrong, with its place';
    is policy('check', "$dir/none.yml")->{status}, EX_DATA, 'no such file';
    is policy('check')->{status}, EX_USAGE, 'no file named';
    is policy('frobnicate')->{status}, EX_USAGE, 'no such word';
};

sub evidence {
    my ($name, %with) = @_;
    my %job = (id => 99, run_id => 7, name => 'build', status => 'completed', conclusion => 'failure', runner_id => 3, runner_name => 'r',
        labels => ['linux'], steps => [map { { number => $_->[0], name => $_->[1], status => 'completed', conclusion => $_->[2] } }
            [1, 'Set up job', 'success'], [2, 'Build', 'failure']]);
    my %file = (run => { id => 7, name => 'CI', path => '.github/workflows/ci.yml', event => 'push', head_branch => 'main', conclusion => 'failure',
        run_attempt => 1, repository => { full_name => 'octo/app' } }, jobs => [\%job], annotations => { 99 => [] }, logs => { 99 => "$name.log" }, %with);
    write_file("$dir/$name.log", "##[group]Run make\n##[endgroup]\ncurl: (56) connection reset by peer\n##[error]Process completed with exit code 1.\n");
    return write_file("$dir/$name.json", JSON::PP->new->canonical->encode(\%file));
}

sub verdict {
    my ($file, @options) = @_;
    my $told = policy('test', '--json', @options, $file);
    is $told->{status}, 0, "@options: exit 0" or diag $told->{err};
    return JSON::PP->new->decode($told->{out});
}

subtest 'test' => sub {
    my $file = evidence('net');
    is_deeply verdict($file, '--policy', 'infrastructure'), {
        verdict => 'rerun', reason => 'run-failed', delay_ms => 30000, jobs => [{
            id => 99, name => 'build', cause => 'network', signature => 'connection-lost', evidence => 'curl: (56) connection reset by peer',
            rule => 'infrastructure', then => 'rerun',
        }],
    }, 'all keys';
    is verdict($file)->{verdict}, 'rerun', 'by the one in force';
    my $text = policy('test', '--policy', 'infrastructure', $file);
    like $text->{out}, qr/^rerun: run-failed, after 30 s\nJOB +CAUSE.*\nbuild +network +connection-lost +infrastructure +rerun/, 'in words';

    is verdict(evidence('gone', logs => { 99 => undef }, annotations => {}), '--policy', 'infrastructure')->{reason}, 'evidence-unreadable', 'nothing can be read';
    is verdict(evidence('none', logs => {}, annotations => { 99 => [] }), '--policy', 'infrastructure')->{reason}, 'evidence-unreadable', 'no log is told';
    my $lost = evidence('lost', logs => { 99 => JSON::PP::false }, annotations => { 99 => [{ annotation_level => 'failure',
        message => 'The self-hosted runner lost communication with the server.' }] });
    is verdict($lost, '--policy', 'careful')->{jobs}[0]{cause}, 'runner-lost', 'by an annotation';
};

subtest 'settings are the outermost bounds' => sub {
    my $file = evidence('bounds');
    my %bound = (
        'attempts-used-up' => { RUN_ATTEMPTS => 1 }, 'repository-excluded' => { NO_RETRY_REPOS => 'octo/*' },
        'workflow-excluded' => { NO_RETRY_WORKFLOWS => 'ci.yml' }, 'branch-excluded' => { REPO_BRANCHES => 'release' },
        'conclusion-not-retried' => { RETRY_CONCLUSIONS => 'timed_out' },
    );
    for my $reason (sort keys %bound) {
        my $told = tool(['policy', 'test', '--json', $file], %{ $bound{$reason} });
        like $told->{out}, qr/^\{"verdict":"leave","reason":"$reason"/, $reason or diag $told->{err};
    }
    my $named = write_file("$dir/settings.env", "RUN_ATTEMPTS=1\n");
    is verdict($file, '--env-file', $named)->{reason}, 'attempts-used-up', 'of a file of settings, too';
};

subtest 'files that are not what they have to be' => sub {
    my %bad = (
        'no JSON' => ['{', qr/not JSON/], 'a list' => ['[]', qr/not a JSON object/], 'without a run' => ['{"jobs":[]}', qr/'run'/],
        'without jobs' => ['{"run":{}}', qr/'jobs'/], 'a job without an id' => ['{"run":{},"jobs":[{}]}', qr/needs an id/],
        'a log that is a number' => ['{"run":{},"jobs":[{"id":1,"conclusion":"failure"}],"logs":{"1":5}}', qr/path, false or null/],
        'a log that is not there' => ['{"run":{},"jobs":[{"id":1,"conclusion":"failure"}],"logs":{"1":"nowhere.log"}}', qr/nowhere\.log: No such file/],
        'logs that are a list' => ['{"run":{},"jobs":[],"logs":[]}', qr/'logs' is a map/],
        'annotations that are a word' => ['{"run":{},"jobs":[],"annotations":"none"}', qr/'annotations' is a map/],
        'deployments without a name' => ['{"run":{},"jobs":[],"deployments":{"build":1}}', qr/name of an environment/],
        'a newer run by its id' => ['{"run":{},"jobs":[],"newer_run":8}', qr/'newer_run' is a run/],
        'a pull request by its number' => ['{"run":{},"jobs":[],"pull_request":8}', qr/'pull_request' is a pull/],
        'a group that is no list' => ['{"run":{},"jobs":[],"concurrency":8}', qr/list of run ids/],
        'a group of names' => ['{"run":{},"jobs":[],"concurrency":["8"]}', qr/list of run ids/],
        'annotations without their fields' => ['{"run":{},"jobs":[{"id":1,"conclusion":"failure"}],"annotations":{"1":["x"]}}', qr/annotation is an object/],
        'fewer reruns than none' => ['{"run":{},"jobs":[],"reruns":-1}', qr/from 0 to 1000/],
        'reruns without end' => ['{"run":{},"jobs":[],"reruns":1001}', qr/from 0 to 1000/],
        'reruns that are a word' => ['{"run":{},"jobs":[],"reruns":"one"}', qr/'reruns' is a number/],
    );
    my $full = evidence('full', deployments => { build => 'production' }, newer_run => { id => 8 }, pull_request => { state => 'closed' },
        concurrency => [8]);
    is verdict($full)->{verdict}, 'rerun', 'with all that there can be';
    is verdict(evidence('empty', map { $_ => undef } qw(deployments newer_run pull_request concurrency reruns)))->{verdict}, 'rerun', 'with none of it';
    for my $name (sort keys %bad) {
        my $told = policy('test', write_file("$dir/x.json", $bad{$name}[0]));
        is $told->{status}, EX_DATA, "$name: exit 65";
        like $told->{err}, $bad{$name}[1], 'and why';
    }
};

subtest 'several failed runs' => sub {
    my ($lost, $none) = (evidence('lost', logs => { 99 => JSON::PP::false }), evidence('none', logs => {}, annotations => { 99 => [] }));
    my @policy = (qw(test --policy infrastructure));
    my $told = policy(@policy, '--json', $lost, $none);
    my ($first, $second, @more) = map { JSON::PP->new->decode($_) } split /\n/, $told->{out};
    is "$told->{status} @more", '0 ', 'a line for each';
    is "$first->{file} $second->{file}", "$lost $none", 'in their order';
    for my $each ([$lost, $first], [$none, $second]) {
        my ($file, $among) = @$each;
        delete $among->{file};
        is_deeply $among, verdict($file, '--policy', 'infrastructure'), "$file: judged as alone";
    }
    like policy(@policy, $lost, $none)->{out}, qr/^\Q$lost\E: leave: cause-not-known\n.*^\Q$none\E: leave: evidence-unreadable$/ms, 'as text';
    my $bad = write_file("$dir/bad.json", '{');
    my $with = policy(@policy, $bad, $none, "$dir/not-there.json");
    is $with->{status}, EX_DATA, 'a bad one is the status';
    like $with->{err}, qr/bad\.json.*\n.*not-there\.json/, 'each bad one is told';
    like $with->{out}, qr/^\Q$none\E: leave: /, 'the good one is judged';
    is policy('test', ($none) x 256)->{status}, EX_USAGE, 'not more than 255';
    for my $what (qw(show check)) {
        is policy($what, $none, $none)->{status}, EX_USAGE, "$what takes one";
    }
};

subtest 'guards' => sub {
    my $run = sub { return { id => 7, name => 'CI', path => '.github/workflows/ci.yml', event => 'push', head_branch => 'main', head_sha => 'a' x 40,
        run_number => 5, conclusion => 'failure', run_attempt => 1, repository => { full_name => 'octo/app' }, @_ } };
    my %newer = (id => 8, event => 'push', head_branch => 'main', head_sha => 'b' x 40, run_number => 6);
    my @cases = (
        ['nothing is in the way', 'rerun', 'run-failed'],
        ['a newer run',           'leave', 'superseded',          newer_run => {%newer}],
        ['of the same commit',    'rerun', 'run-failed',          newer_run => { %newer, head_sha => 'a' x 40 }],
        ['of another branch',     'rerun', 'run-failed',          newer_run => { %newer, head_branch => 'dev' }],
        ['an older one',          'rerun', 'run-failed',          newer_run => { %newer, run_number => 4 }],
        ['a group that is held',  'wait',  'concurrency-busy',    concurrency => [8]],
        ['... by itself',         'rerun', 'run-failed',          concurrency => [7]],
        ['a closed pull request', 'leave', 'pull-request-closed', pull_request => { state => 'closed', merged => JSON::PP::false }],
        ['an open one',           'rerun', 'run-failed',          pull_request => { state => 'open', merged => JSON::PP::false }],
        ['a deployment',          'leave', 'deployment',          deployments => { build => 'production' }],
        ['another job\'s',        'rerun', 'run-failed',          deployments => { site => 'production' }],
        ['the merge queue',       'leave', 'merge-queue',         run => $run->(event => 'merge_group')],
        ['a release',             'leave', 'left-by-rule',        run => $run->(event => 'release')],
    );
    for my $case (@cases) {
        my ($name, $verdict, $reason, %with) = @$case;
        my $file = evidence('guard', run => $run->(), %with);
        my $told = verdict($file, '--policy', 'careful');
        is "$told->{verdict} $told->{reason}", "$verdict $reason", $name;
        is verdict($file, '--policy', 'everything')->{verdict}, 'rerun', 'everything has no guards';
    }
};

finish();
