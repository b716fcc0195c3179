#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The JSON Schemas of policy files, for editors: they take what the program takes, refuse what
# it refuses, and have the same keys and words. The example of a policy is good by both.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP ();
use JR::File qw(read_file write_file);
use JR::Test;

my $dir         = tmpdir();
my $schema_file = srcdir() . '/conf/job-rerunner.policy.schema.json';
my $own_file    = srcdir() . '/conf/job-rerunner.repository.schema.json';
my $example     = srcdir() . '/conf/job-rerunner.policy.yml';
my $schema      = JSON::PP->new->decode(read_file($schema_file));

my $python = `python3 -c 'import jsonschema, yaml' 2>&1`;
plan skip_all => 'no python3-jsonschema, or no python3-yaml' if $? != 0;

# What is wrong with each of some files by a schema: { name => [messages] }.
sub by_schema_of {
    my ($of, %file) = @_;
    my @name = sort keys %file;
    open my $pipe, '-|', 'python3', srcdir() . '/t/lib/validate.py', $of, @file{@name} or die "python3: $!";
    my @line = <$pipe>;
    close $pipe or diag('python3 failed');
    is scalar @line, scalar @name, 'the validator has looked at each file';
    return map { $name[$_] => JSON::PP->new->decode($line[$_] // '["none"]') } 0 .. $#name;
}

sub by_schema { return by_schema_of($schema_file, @_) }

sub by_program { return tool(['policy', 'check', @_]) }

my $number = 0;
sub policy_file { return write_file("$dir/" . ++$number . '.yml', "version: 1\n$_[0]") }

subtest 'what is good' => sub {
    my %text = (
        'nothing' => '', 'words and lists' => "rules: [{ rerun: test }, { leave: [all] }]\n",
        'all of when' => "rules:\n  - rerun: all\n    when: { repository: a/*, workflow: [CI], branch: 1.0, event: push, job: x, step: y, runner: r,\n"
            . "            labels: [linux], conclusion: timed_out, attempt: 2-3, fork: no }\n",
        'one attempt' => "rules: [{ rerun: all, when: { attempt: 2 } }]\n", 'one delay' => "rules: [{ rerun: all, delay: 500ms, attempts: 51 }]\n",
        'words for yes' => "repository-files: yes\ncauses: [{ id: a, cause: setup, log: x, weak: true, outside-tests: 'no' }]\n",
        'a signature' => "causes: [{ id: a, cause: setup, job: x, annotation: y, unless: z, source: s, matches: y, misses: n }]\n",
        'a share' => "rules: [{ rerun: all, only-if: { rescued: 2.5%, of: 100 } }]\n",
        'guards' => "guards: { superseded: rerun, concurrency: leave, events: ['*'] }\n",
        'limits' => "limits: { reruns-per-hour: 1 }\nlimits-all: { os-weights: { self-hosted: 0, linux: 1000 } }\n",
        'a repository' => "repositories: { 'a/*': { mixed: any, outage: { runs: 1, within: 1h, hold: 0s } } }\n",
    );
    my %file = (example => $example, map { $_ => policy_file($text{$_}) } keys %text);
    for my $preset (qw(everything careful infrastructure)) {
        $file{$preset} = write_file("$dir/$preset.yml", tool(['policy', 'show', $preset])->{out});
    }
    my %wrong = by_schema(%file);
    for my $name (sort keys %file) {
        is "@{ $wrong{$name} }", '', "$name: by the schema";
        my $told = by_program($file{$name});
        is $told->{status}, 0, 'and by the program' or diag $told->{err};
    }
    is by_program($example)->{err}, '', 'the example has nothing to be warned of';
};

subtest 'what is wrong' => sub {
    my %text = (
        'no such key' => "otherwize: leave\n", 'no such word' => "mixed: some\n", 'no list of rules' => "rules: x\n",
        'a rule without a decision' => "rules: [{ name: x }]\n", 'no such cause' => "rules: [{ rerun: [netwrok] }]\n",
        'no cause' => "rules: [{ rerun: [] }]\n", 'a time without a unit' => "rules: [{ rerun: all, delay: 30 }]\n",
        'no times' => "rules: [{ rerun: all, delay: [] }]\n", 'too many attempts' => "rules: [{ rerun: all, attempts: 52 }]\n",
        'no number' => "rules: [{ rerun: all, attempts: two }]\n", 'no such condition' => "rules: [{ rerun: all, when: { colour: x } }]\n",
        'no patterns' => "rules: [{ rerun: all, when: { job: [] } }]\n", 'a fork of neither' => "rules: [{ rerun: all, when: { fork: maybe } }]\n",
        'no range' => "rules: [{ rerun: all, when: { attempt: x } }]\n", 'half an only-if' => "rules: [{ rerun: all, only-if: { of: 20 } }]\n",
        'no share' => "rules: [{ rerun: all, only-if: { of: 20, rescued: 5 } }]\n", 'too many reruns' => "rules: [{ rerun: all, only-if: { of: 101, rescued: 5% } }]\n",
        'a guard that waits' => "guards: { closed: wait }\n", 'no such guard' => "guards: { open: leave }\n",
        'no limit' => "limits: { reruns-per-hour: 0 }\n", 'no such system' => "limits-all: { os-weights: { amiga: 1 } }\n",
        'half an outage' => "outage: { runs: 10 }\n", 'no such level' => "debug-logging: all\n", 'neither yes nor no' => "repository-files: perhaps\n",
        'a signature without a cause' => "causes: [{ id: a, log: x }]\n", 'one without a pattern' => "causes: [{ id: a, cause: test }]\n",
        'one with two' => "causes: [{ id: a, cause: test, log: x, annotation: y }]\n", 'one of no use' => "causes: [{ id: a, cause: unknown, log: x }]\n",
        'an id with capitals' => "causes: [{ id: A, cause: test, log: x }]\n", 'a shape' => "causes: [{ id: a, cause: test, log: x, shape: setup }]\n",
        'signatures of a repository' => "repositories: { a/b: { causes: [] } }\n", 'limits for all of a repository' => "repositories: { a/b: { limits-all: {} } }\n",
        'a repository in a repository' => "repositories: { a/b: { repositories: {} } }\n", 'no map' => "guards: [leave]\n",
    );
    my %file = map { $_ => policy_file($text{$_}) } keys %text;
    $file{version} = write_file("$dir/version.yml", "version: 2\n");
    my %wrong = by_schema(%file);
    for my $name (sort keys %file) {
        isnt "@{ $wrong{$name} }", '', "$name: by the schema";
        is by_program($file{$name})->{status}, 65, 'and by the program';
    }
};

# The keys of a map, as the program lists them when it meets one that it does not know.
sub keys_of_program {
    my ($text, @how) = @_;
    my ($list) = by_program(@how, policy_file($text))->{err} =~ /there are:? ([a-z, -]+)\n/;
    return join ' ', sort split /, /, $list // '';
}

my %map = (
    '' => "frobnicate: 1\n", rule => "rules: [{ rerun: all, frobnicate: 1 }]\n", when => "rules: [{ rerun: all, when: { frobnicate: 1 } }]\n",
    'only-if' => "rules: [{ rerun: all, only-if: { rescued: 1%, of: 1, frobnicate: 1 } }]\n", guards => "guards: { frobnicate: 1 }\n",
    limits => "limits: { frobnicate: 1 }\n", 'limits/os-weights' => "limits: { os-weights: { frobnicate: 1 } }\n",
    outage => "outage: { runs: 1, within: 1s, hold: 1s, frobnicate: 1 }\n", part => "repositories: { a/b: { frobnicate: 1 } }\n",
    signature => "causes: [{ id: a, cause: test, log: x, frobnicate: 1 }]\n",
);

# The definitions of maps with keys of their own: { path => definition }.
sub maps_in {
    my ($path, $definition) = @_;
    my $keys = $definition->{properties} // return ();
    return ($path => $definition, map { maps_in("$path/$_", $keys->{$_}) } keys %$keys);
}

subtest 'the same keys' => sub {
    my %definition = ('' => $schema, map { maps_in($_, $schema->{definitions}{$_}) } keys %{ $schema->{definitions} });
    is join(' ', sort keys %definition), join(' ', sort keys %map), 'all maps are compared';
    for my $name (sort keys %map) {
        my $of_schema = join ' ', sort keys %{ $definition{$name}{properties} };
        is keys_of_program($map{$name}), $of_schema, "'$name'";
        ok exists $definition{$name}{additionalProperties} && !$definition{$name}{additionalProperties}, 'and no others';
    }
};

subtest "a repository's own file" => sub {
    my $own = JSON::PP->new->decode(read_file($own_file));
    is keys_of_program("frobnicate: 1\n", '--own'), join(' ', sort keys %{ $own->{properties} }), 'the same keys';
    my %text = (
        good => "mixed: any\notherwise: leave\nrules: [{ rerun: test, when: { job: x } }]\nguards: { closed: leave }\nlimits: { reruns-per-hour: 1 }\n"
            . "same-failure: leave\ndebug-logging: last\ncauses: [{ id: a, cause: setup, log: x }]\n",
        (map { $_ => "$_: {}\n" } qw(repositories limits-all outage)), 'repository-files' => "repository-files: yes\n",
        'no such cause' => "rules: [{ rerun: [netwrok] }]\n", 'no such guard' => "guards: { open: leave }\n",
    );
    my %file = map { $_ => policy_file($text{$_}) } keys %text;
    my %wrong = by_schema_of($own_file, %file);
    for my $name (sort keys %file) {
        is !@{ $wrong{$name} }, $name eq 'good', "$name: by the schema";
        is by_program('--own', $file{$name})->{status}, $name eq 'good' ? 0 : 65, 'and by the program';
    }
};

subtest 'the same causes' => sub {
    my ($table) = read_file(srcdir() . '/lib/model/cause.c') =~ /^\} causes\[JR_CAUSES\] = \{\n(.*?)^\};/ms;
    my @cause = $table =~ /\{ "([a-z-]+)", /g;
    cmp_ok scalar @cause, '>', 20, 'the program has some';
    is join(' ', sort @{ $schema->{definitions}{cause}{enum} }), join(' ', sort @cause), 'and the schema the same';
};

finish();
