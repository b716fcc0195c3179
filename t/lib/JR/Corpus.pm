# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Corpus -- real failures of jobs, as evidence that `policy test` takes.
#
# A case has the deciding lines of a log only (`excerpt`); `begins`, if there is any, stands
# where the failed step begins, and `script` in its script. A whole log is made round them: what
# the runner writes, the steps before with what they say, and lines that tempt: faults that were
# overcome, tests with names of faults that passed, scripts that hold the text of faults.

package JR::Corpus;

use strict;
use warnings;
use Exporter 'import';
use JR::File qw(read_file write_file);
use JSON::PP ();
use POSIX qw(strftime);

our @EXPORT_OK = qw(cases evidence whole);

use constant BEGINS => 1_772_575_000;

my $JSON = JSON::PP->new->utf8->canonical;

# All of a file with a case a line.
sub cases {
    my ($path) = @_;
    return map { $JSON->decode($_) } grep {/^\{/} map { s/,?\s*$//r } split /\n/, read_file($path);
}

my @TEMPTING = (
    '0 errors, 3 warnings', 'npm warn deprecated inflight@1.0.6: this module is not supported', 'Downloaded error-pages-2.1.tgz',
    'E: Failed to fetch http://archive.example/zip.deb  503 Service Unavailable; retrying (1/3)... ok',
    'tests/test_api.py::test_connection_reset PASSED                 [ 12%]', 'test_timeout_error PASSED',
    "  \x{2713} rejects with 429 too many requests (5 ms)", 'ok 12 - survives ECONNREFUSED', 'PASS src/retry.test.ts',
    'test network::no_route_to_host ... ok', 'ok  	example.com/internal/timeout	0.311s', 'Found 0 vulnerabilities',
    'Connection reset by peer; retrying (1/3)... ok', 'checking for error.h... yes', 'Compiling error-chain v0.12.4',
    'WARNING: Retrying (Retry(total=4, connect=None)) after connection broken by \'ReadTimeoutError\': /simple/numpy/',
    'Test suite AssertionErrorHandling: 14 passed, 0 failed', 'collecting coverage for lib/segfault_handler.c',
    'Reading package lists...', 'added 812 packages in 14s', 'Installing collected packages: requests, urllib3', 'Unpacking objects: 100% (73/73), done.',
);
my @PLAIN = (
    'Setting up environment', 'Resolving packages...', 'Building module %d of 240', '[%d/412] CC src/unit_%d.o', 'Copying file %d',
    'Restored cache entry %d', 'INFO  worker %d started', 'Progress: %d%', 'Linking target %d', 'Wrote build/out-%d.bin',
    'debug: value %d is in range', 'Downloading part %d', 'Task :module%d:classes UP-TO-DATE', 'npm info run step %d', 'Checking %d files',
);
my @SCRIPT = (
    'npm ci || echo "Connection reset by peer"', 'make check  # AssertionError: ends here', 'curl -f https://x.example || echo "503 Service Unavailable"',
    'echo "The runner has received a shutdown signal"', 'run: |', 'set -eu', 'shell: /usr/bin/bash -e {0}', 'env:', '  CI: true',
);

# A stream of numbers below a limit, the same for the same seed.
sub numbers {
    my ($seed) = @_;
    my $state = $seed & 0x7fffffff;
    return sub {
        my ($limit) = @_;
        $state = ($state * 1103515245 + 12345) & 0x7fffffff;
        return int(($state >> 8) % $limit);
    };
}

sub noise {
    my ($number, $count) = @_;
    return map {
        my $set = $number->(6) == 0 ? \@TEMPTING : \@PLAIN;
        my $text = $set->[$number->(scalar @$set)];
        $text =~ s/%d/$number->(90) + 1/gre;
    } 1 .. $count;
}

sub heading {
    my ($number, $name, @script) = @_;
    push @script, map { $SCRIPT[$number->(scalar @SCRIPT)] } 1 .. 3;
    return ("##[group]Run $name", (map {"\e[36;1m$_\e[0m"} @script), '##[endgroup]');
}

# The lines of each step: [name, lines ...].
sub said {
    my ($case, $number) = @_;
    my @steps;
    for my $step (@{ $case->{steps} }) {
        my $name = $step->{name};
        my $failed = defined $case->{failed_step} ? $name eq $case->{failed_step} && ($step->{conclusion} // '') eq 'failure'
            : ($step->{conclusion} // '') !~ /^(?:success|skipped)$/ && $step->{status} ne 'pending';
        my $runs = ($step->{conclusion} // '') ne 'skipped' && $step->{status} ne 'pending' && !(@steps && $steps[-1]{failed});
        my @lines;
        push @lines, "Current runner version: '2.336.0'", 'Runner name: \'x\'', 'Prepare workflow directory', 'Getting action download info' if $step->{number} == 1;
        push @lines, heading($number, $name, $failed ? @{ $case->{script} // [] } : ()) if $runs && $step->{number} > 1 && $name !~ /^(?:Post |Complete job)/;
        push @lines, @{ $case->{begins} // [] } if $failed;
        push @lines, noise($number, ($failed ? 10 : 3) + $number->($failed ? 120 : 20)) if $runs && $name !~ /^(?:Post |Complete job)/;
        push @lines, @{ $case->{excerpt} } if $failed;
        push @steps, { failed => $failed, lines => \@lines, runs => $runs, step => $step };
    }
    return @steps;
}

sub stamp { my ($s) = @_; return strftime('%Y-%m-%dT%H:%M:%S', gmtime $s) }

# The whole of a case: its steps, as the API shows them, and the bytes of its log, which begins at
# a time. Every other seed has times in the steps.
sub whole {
    my ($case, $seed, $time) = @_;
    my $number = numbers($seed);
    my (@log, @steps);
    my $timed = $seed % 2;
    for my $said (said($case, $number)) {
        my $begin = $time;
        for my $line (@{ $said->{lines} }) {
            $time += $number->(3) == 0;
            push @log, $line =~ s/^~// ? "$line\n" : sprintf "%s.%07dZ %s\n", stamp($time), $number->(9_999_999), $line;
        }
        $time++;
        push @steps, { %{ $said->{step} },
            $timed && $said->{runs} ? (started_at => stamp($begin) . 'Z', completed_at => stamp($time) . 'Z') : () };
        $time++;
    }
    push @log, map { stamp($time) . ".0000000Z $_\n" } 'Post job cleanup.', '[command]/usr/bin/git version', 'git version 2.43.0',
        'Temporarily overriding HOME', 'Cleaning up orphan processes';
    my $log = join '', @log;
    utf8::encode($log) if utf8::is_utf8($log);
    return (\@steps, "\xef\xbb\xbf$log");
}

# Write a case as an evidence file, and its log beside it, into a folder; the file's path.
sub evidence {
    my ($case, $dir, $seed) = @_;
    my ($steps, $log) = whole($case, $seed, BEGINS);
    my $id = 1000 + $seed;
    my $runner = $case->{runner} // {};
    my $has_log = !exists $case->{log} || $case->{log};
    write_file("$dir/$case->{id}.log", $log) if $has_log;
    my %job = (
        id => $id, run_id => 77, name => $case->{job_name}, status => 'completed', conclusion => $case->{conclusion},
        created_at => $case->{created_at}, started_at => $case->{started_at}, completed_at => $case->{completed_at},
        runner_id => $runner->{id}, runner_name => $runner->{name}, runner_group_name => $runner->{group}, labels => $runner->{labels} // [],
        steps => $steps,
    );
    my $annotations = $case->{annotations} && [map { { annotation_level => $_->{level}, message => $_->{message} } } @{ $case->{annotations} }];
    return write_file("$dir/$case->{id}.json", $JSON->encode({
        run => { id => 77, name => 'CI', event => 'push', head_branch => 'main', conclusion => $case->{conclusion}, run_attempt => 1,
            repository => { id => 1, full_name => 'octo/app' } },
        jobs => [\%job], annotations => { $id => $annotations }, logs => { $id => $has_log ? "$case->{id}.log" : JSON::PP::false }, reruns => 0,
    }));
}

1;
