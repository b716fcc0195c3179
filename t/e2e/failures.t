#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What failures are shown to come to: `causes', and in `why', `export' and on the page of a run.
# Runs, reruns and what came of them are real; what was found out about the jobs is put in.

use strict;
use warnings;
use utf8;
use Encode ();
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::File qw(write_file);
use JR::Html;
use JR::Test;

use constant HOSTILE => "gone \a<b>'quoted'\x{202e} after 12 s";

my $JSON    = JSON::PP->new->utf8;
my $github  = github();
my $service = service(github => $github, pages => 'status', RUN_ATTEMPTS => 2, RECONCILE_INTERVAL => '1h')->start;

sub at { return tool([@_], %{ $service->environment }) }

sub json_of {
    my $result = at(@_, '--json');
    my $value = eval { $JSON->decode($result->{out}) };
    ok defined $value, "@_ --json: JSON" or diag $@, $result->{out}, $result->{err};
    return $value;
}

# As if the dispatcher had recorded it.
sub note_failure {
    my ($run, %o) = @_;
    my ($job) = grep { $_->{name} eq ($o{name} // 'test') } @{ $run->truth->{jobs} };
    my %value = (run => $run->id, job => $job->{id}, name => 'test', attempt => 1, then => 'rerun', unread => '', %o);
    my @args = map {"$_=" . Encode::encode('UTF-8', $value{$_})} sort keys %value;
    is system(builddir() . '/t/lib/note_failure', $service->state_dir, @args), 0, 'a failure is put in' or die;
    return;
}

# A run whose job `test' fails, is rerun here, and then ends so.
sub rerun_run {
    my ($conclusion, %o) = @_;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build', 'test']);
    # Before it is rerun, when its jobs are others.
    my $hold = $github->hold;
    $run->play(build => 'success', test => 'failure');
    note_failure($run, %o);
    undef $hold;
    wait_ok { $run->accepted } 'it is rerun';
    ok $service->log->wait_entry('rerun', run => $run->id), 'and that is recorded';
    $run->play(test => $conclusion) if defined $conclusion;
    return $run;
}

subtest 'nothing was looked at' => sub {
    my $result = at('causes');
    is $result->{status}, 0, 'causes' or diag $result->{err};
    like $result->{out}, qr/^Of no job .* EVIDENCE is always/s, 'says so, and why';
    like at('causes', '--unknown')->{out}, qr/^# Since .* no job has failed/, '--unknown, too';
    my $value = json_of('causes');
    is_deeply [@$value{qw(causes unknown)}], [[], []], 'and --json';
    like $value->{since}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'since when';
};

my %network = (cause => 'network', rule => 'infrastructure', step => 'Fetch');
my $rescued = rerun_run('success', %network, signature => 'dns', line => 'could not resolve host x');
my $again   = rerun_run('failure', %network, signature => 'reset', line => 'Connection reset by peer');
my $waits   = rerun_run(undef, %network, signature => 'reset', line => 'Connection reset by peer');
my $odd = rerun_run('success', cause => 'unknown', first => HOSTILE . "\nand more", step => 'Go', unread => 'al');
my $left = rerun_run('success', cause => 'unknown', first => HOSTILE =~ s/12/7/r, then => 'worth');

subtest 'causes' => sub {
    my $value = json_of('causes');
    is_deeply [sort keys %$value], [qw(causes since unknown)], 'the keys';
    my ($network, $unknown) = @{ $value->{causes} };
    my ($reset, $dns) = @{ delete $network->{signatures} };
    my %minutes = map { $_ => delete $network->{$_} } 'minutes_spent';
    delete $_->{minutes_spent} for $reset, $dns;
    is_deeply $network, { cause => 'network', jobs => 3, reruns => 3, rescued => 1, rate_low => 0.0945, rate_high => 0.9055, runs_rescued => 1 },
        'a cause: one of two rescued, with the interval';
    is_deeply $reset, { signature => 'reset', jobs => 2, reruns => 2, rescued => 0, rate_low => 0, rate_high => 0.7935, runs_rescued => 0 },
        'the signature that was found more often';
    is_deeply $dns, { signature => 'dns', jobs => 1, reruns => 1, rescued => 1, rate_low => 0.2065, rate_high => 1, runs_rescued => 1 }, 'the other';
    cmp_ok $minutes{minutes_spent}, '<=', 2, 'minutes of two jobs that ended at once';
    is_deeply [@$unknown{qw(cause jobs reruns rescued signatures)}], ['unknown', 2, 2, 2, []], 'what has no cause';

    my $text = at('causes')->{out};
    like $text, qr/^network +- +3 +3 +1 +1 +50 % +9-91 +\d+ +1$/m, 'a row of the cause';
    like $text, qr/^network +reset +2 +2 +0 +1 +0 % +0-79 +\d+ +0$/m, 'and of a signature';
    like $text, qr/^Total since .*: 5 jobs failed, 5 rerun, 3 rescued, 1 failed again, /m, 'all of them';
    like $text, qr/^The cause of 2 is not known: job-rerunner causes --unknown$/m, 'and what can be done';
    my $later = json_of('causes', '--since', '2099-01-01');
    is_deeply $later->{causes}, [], '--since';
    is at('causes', '--since', 'long ago')->{status}, 2, 'a time that is none';
    my @csv = split /\r\n/, at('causes', '-o', 'csv')->{out};
    is $csv[0], 'cause,jobs,reruns,rescued,rate_low,rate_high,minutes_spent,runs_rescued,signatures', 'CSV has the keys';
    like $csv[1], qr/^network,3,3,1,0\.0945,0\.9055,\d+,1,"\[\{""signature"":""reset"",""jobs"":2,/, 'and a line for each cause';
    is scalar @csv, 3, 'both';
};

subtest 'causes --unknown' => sub {
    my $value = json_of('causes', '--unknown');
    is_deeply [sort keys %$value], [qw(since unknown)], 'the keys';
    my ($group, @others) = @{ $value->{unknown} };
    is scalar @others, 0, 'lines that differ in a number are one';
    is $group->{line}, HOSTILE =~ s/12/<n>/r, 'the line, without the number';
    is $group->{jobs}, 2, 'how many';
    is_deeply $group->{runs}, [map { $_->id + 0 } $left, $odd], 'which, the newest first';
    like $group->{last}, qr/^\d{4}-\d\d-\d\dT[\d:.]+Z$/, 'and when';
    like at('causes', '--unknown', '-ocsv')->{out}, qr/\Aline,jobs,last,runs\r\n.*,2,\d{4}-\S+Z,"\[@{[ $left->id ]},@{[ $odd->id ]}\]"\r\n\z/, 'as CSV';
    like at('causes', '--by', 'repository', '-ocsv')->{out}, qr/\Arepository,runs,runs_rescued,reruns,rescued,failed_again,minutes_spent\r\n/,
        'and of repositories';

    my $text = at('causes', '--unknown')->{out};
    unlike $text, qr/[^\n\x20-\x7e\x80-\xff]|\xe2\x80\xae/, 'nothing reaches the terminal but text';
    like $text, qr/^  # 2 jobs, the last at \S+; runs ${\$left->id}, ${\$odd->id}$/m, 'how many, and which';
    write_file(tmpdir() . '/policy.yml', "version: 1\n$text");
    my $check = at('policy', 'check', tmpdir() . '/policy.yml');
    is $check->{status}, 0, 'a policy takes what it says' or diag $check->{err}, $text;
    like $check->{out}, qr/\b1 signatures of its own/, 'with the signature';

    # And that finds the next one. Control characters never come out of a log.
    my $sample = HOSTILE =~ s/12/345/r =~ s/\a/!/r;
    write_file(tmpdir() . '/log', "2026-11-20T00:00:00.0000000Z " . Encode::encode('UTF-8', $sample) . "\n");
    write_file(tmpdir() . '/evidence.json', $JSON->encode({
        run => { id => 1, run_attempt => 1, status => 'completed', conclusion => 'failure', name => 'CI', head_branch => 'main',
            event => 'push', repository => { id => 1, full_name => 'octo/app' } },
        jobs => [{ id => 7, run_id => 1, name => 'test', status => 'completed', conclusion => 'failure',
            steps => [{ name => 'Go', number => 1, status => 'completed', conclusion => 'failure' }] }],
        annotations => { 7 => [] }, logs => { 7 => 'log' },
    }));
    my $result = at('policy', 'test', '--policy', tmpdir() . '/policy.yml', tmpdir() . '/evidence.json', '--json');
    my ($job) = @{ (eval { $JSON->decode($result->{out}) } // {})->{jobs} // [] };
    is $job->{cause}, 'test', 'it knows the next one by it' or diag $result->{out}, $result->{err};
    like $job->{signature} // '', qr/^gone-b-quoted-after-n-s-1$/, 'by its id';
};

subtest 'why' => sub {
    my $value = json_of('why', $odd->id);
    my ($failure, @others) = @{ $value->{failures} };
    is scalar @others, 0, 'one failure';
    delete $failure->{at};
    my ($job) = grep { $_->{name} eq 'test' } @{ $odd->truth->{jobs} };
    delete $failure->{job_id};
    is_deeply $failure, {
        attempt => 1, name => 'test', cause => 'unknown', signature => undef, evidence => undef, step => 'Go',
        first_errors => [HOSTILE, 'and more'], rule => undef, then => 'rerun', not_worth_it => JSON::PP::false,
        same_failure => JSON::PP::false, steps => 'found', annotations => 'unreadable', log => 'unreadable',
        unreadable => JSON::PP::true, same_as => undef,
    }, 'as JSON, whatever is in it';
    my $text = at('why', $odd->id)->{out};
    unlike $text, qr/[^\n\x20-\x7e\x80-\xff]|\xe2\x80\xae/, 'nothing reaches the terminal but text';
    like $text, qr/^Attempt 1\nJOB .*^Why test failed: unknown, in step 'Go'\n  first errors:\n    gone [^\n]*\n    and more\n  not read: annotations, log, which might have told more\n  it deserves a rerun$/ms, 'in words, in its attempt';
    unlike $text, qr/^Attempt 2\n.*Why/ms, 'and in no other';
    like at('why', $left->id)->{out}, qr/^  it is left, since too few of its last reruns/m, 'what is not worth it';
    $text = at('why', $rescued->id)->{out};
    like $text, qr/^Why test failed: network, by the signature dns, in step 'Fetch'\n  line: could not resolve host x\n  by the rule infrastructure: it deserves a rerun$/m, 'a cause that is known';
};

subtest 'the page of a run' => sub {
    my $answer = $service->http->send({ method => 'GET', path => '/runs/' . $odd->id, headers => [] });
    status_is $answer, 200, 'it is there';
    my $page = JR::Html->new($answer->body);
    is join("\n", $page->faults), '', 'well-formed';
    like $page->text, qr/test failed: unknown, in the step Go/, 'the cause';
    like $page->text, qr/gone .*<b>'quoted'.* after 12 s and more/, 'the lines, as text';
    like $page->text, qr/not read: annotations, log, which might have told more/, 'what could not be read';
    unlike $answer->body, qr/\a|\xe2\x80\xae/, 'and nothing else';
    $page = JR::Html->new($service->http->send({ method => 'GET', path => '/runs/' . $rescued->id, headers => [] })->body);
    like $page->text, qr/test failed: network, by the signature dns/, 'a cause that is known';
    like $page->text, qr/by the rule infrastructure it deserves a rerun/, 'and the rule';
};

subtest 'export' => sub {
    my @line = map { $JSON->decode($_) } split /\n/, at('export')->{out};
    my @failure = grep { $_->{kind} eq 'failure' } @line;
    is scalar @failure, 5, 'a line for each';
    my ($first) = grep { $_->{run_id} == $rescued->id } @failure;
    is_deeply [@$first{qw(repository attempt cause signature evidence then)}],
        ['octo/app', 1, 'network', 'dns', 'could not resolve host x', 'rerun'], 'with what was found';
    is scalar(grep {/"kind":"failure"/} split /\n/, at('export', '--since', '2099-01-01')->{out}), 0, '--since';
};

subtest 'a run that is forgotten' => sub {
    is at('forget', '--yes', $odd->id)->{status}, 0, 'one is';
    my $value = json_of('causes');
    my ($unknown) = grep { $_->{cause} eq 'unknown' } @{ $value->{causes} };
    is $unknown->{jobs}, 1, 'its failures go with it';
    is_deeply $value->{unknown}[0]{runs}, [$left->id + 0], 'and its place among the lines';
};

is $service->stop_service, 0, 'the service ends';

# From the failed job's log to the numbers.
subtest 'found out by the service' => sub {
    $service = service(github => $github, pages => 'status metrics', RUN_ATTEMPTS => 2, RECONCILE_INTERVAL => '1h',
        POLICY => 'careful')->start;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['test']);
    $run->describe('test', steps => [['Set up job'], { name => 'Fetch', conclusion => 'failure' }],
        log => "##[group]Run fetch\nfetch\n##[endgroup]\n"
            . "curl: (6) Could not resolve host: example.org\n##[error]Process completed with exit code 6.\n");
    $run->play(test => 'failure');
    ok $service->log->wait_entry('rerun', run => $run->id), 'it is rerun';
    $run->play(test => 'success');
    my $value = json_of('causes');
    my ($cause, @others) = @{ $value->{causes} };
    is scalar @others, 0, 'one cause';
    is_deeply [@$cause{qw(cause jobs reruns rescued)}], ['network', 1, 1, 1], 'that of the log';
    is scalar @{ $cause->{signatures} }, 1, 'by a signature';
    like at('why', $run->id)->{out}, qr/^Why test failed: network, by the signature \S+, in step 'Fetch'\n  line: curl: \(6\) .*\n/m,
        'why, with the line';
    my $text;
    # It is counted after it is logged.
    wait_ok {
        $text = $service->http->send({ method => 'GET', path => '/metrics' })->body;
        $text =~ /^job_rerunner_rerun_causes_total\{cause="network"\} 1$/m;
    } 'rerun_causes';
    like $text, qr/^job_rerunner_${_}_total\{cause="network"\} 1$/m, $_ for qw(failed_jobs rescued_causes);
    like $text, qr/^job_rerunner_rescued_runs_total 1$/m, 'as many as runs were rescued';
    is scalar(() = $text =~ /_total\{cause="/g), 3, 'and no other';
    is $service->stop_service, 0, 'the service ends';
};

finish();
