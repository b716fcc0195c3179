#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The fake GitHub keeps the promises that the other tests build on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Http;
use JR::Test;

my $github = github();
my $api = JR::Http->new(port => $github->{port});
my $token = JR::Service::token();

sub call {
    my ($method, $path, %o) = @_;
    return $api->send({
        method => $method, path => $path, body => '',
        headers => [
            ['User-Agent', 'test'], ['Authorization', 'Bearer ' . ($o{token} // $token)],
        ],
    });
}

my $id = next_id();
my $base = "/repos/octo/app/actions/runs/$id";
$github->put_run(id => $id, repo => 'octo/app', jobs => [{ name => 'a' }, { name => 'b' }]);

subtest 'a run that is going on' => sub {
    my $run = call(GET => $base)->json;
    is $run->{id}, $id, 'found by its id';
    is $run->{run_attempt}, 1, 'first attempt';
    is $run->{repository}{full_name}, 'octo/app', 'repository';
    my $refused = call(POST => "$base/rerun-failed-jobs");
    is $refused->status, 403, 'no rerun yet';
    is $refused->json->{message}, 'This workflow is already running', 'as GitHub says it';
};

subtest 'a run that failed' => sub {
    $github->set_job($id, 'a', status => 'completed', conclusion => 'success', completed_at => time - 60);
    $github->set_job($id, 'b', status => 'completed', conclusion => 'failure');
    $github->set_run($id, status => 'completed', conclusion => 'failure');
    my $before = call(GET => "$base/jobs")->json->{jobs};
    is call(POST => "$base/rerun-failed-jobs")->status, 201, 'is rerun';
    my $run = call(GET => $base)->json;
    is $run->{run_attempt}, 2, 'second attempt';
    is $run->{status}, 'queued', 'waiting for runners';
    my %job = map { $_->{name} => $_ } @{ call(GET => "$base/jobs")->json->{jobs} };
    is $job{a}{conclusion}, 'success', 'the good job is carried over';
    cmp_ok $job{a}{completed_at}, 'lt', $job{a}{created_at}, 'with its old time';
    is $job{b}{status}, 'queued', 'the bad one is queued';
    isnt $job{b}{id}, $before->[1]{id}, 'with a new id';
    is call(GET => "$base/attempts/1")->json->{conclusion}, 'failure', 'the first attempt is kept';
    is call(GET => "$base/jobs?filter=all")->json->{total_count}, 4, 'all jobs of all attempts';
    is scalar $github->accepted_posts($id), 1, 'one POST had an effect';
};

subtest 'lists' => sub {
    $github->set_run($id, status => 'completed', conclusion => 'failure');
    my $old = next_id();
    $github->put_run(id => $old, repo => 'octo/app', status => 'completed', conclusion => 'failure',
        created_at => time - 7200);
    my $list = '/repos/octo/app/actions/runs?status=failure';
    is call(GET => $list)->json->{total_count}, 2, 'by conclusion';
    is call(GET => "$list&created=%3E%3D" . JR::Payload::timestamp(time - 3600))->json->{total_count}, 1, 'by age';
    is call(GET => "$list&per_page=1&page=2")->json->{workflow_runs}[0]{id}, $old, 'by page, newest first';
};

subtest 'refusals' => sub {
    is call(GET => '/repos/octo/app/actions/runs/1')->status, 404, 'unknown run';
    is call(GET => $base, token => 'wrong')->status, 401, 'bad token';
    my $startup = next_id();
    $github->put_run(id => $startup, repo => 'octo/app', status => 'completed', conclusion => 'startup_failure');
    is call(POST => "/repos/octo/app/actions/runs/$startup/rerun-failed-jobs")->status, 403, 'no jobs to rerun';
    is call(POST => "/repos/octo/app/actions/runs/$startup/rerun")->status, 201, 'but the whole run';
    $github->set_limit(remaining => 0);
    is call(GET => $base)->status, 403, 'rate limit';
    is call(GET => '/rate_limit')->status, 200, 'which can be asked for';
    $github->set_limit(remaining => 5000);
};

subtest 'bad days' => sub {
    $github->script(GET => "$id\$", { status => 502, body => '<html>' });
    is call(GET => $base)->status, 502, 'scripted answer';
    is call(GET => $base)->status, 200, 'once';
    $github->script(POST => 'rerun', { cut => 1, effect => 1 });
    is call(POST => "$base/rerun-failed-jobs"), undef, 'no answer';
    is call(GET => $base)->json->{run_attempt}, 3, 'but an effect';
};

finish();
