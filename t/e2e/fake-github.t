#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The fake GitHub keeps the promises that the other tests build on.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(encode_base64url);
use Test::More;
use JR::Http;
use JR::Test;

my $github = github();
my $api = JR::Http->new(port => $github->{port});
my $token = JR::Service::token();

sub call {
    my ($method, $path, %o) = @_;
    return $api->send({
        method => $method, path => $path, body => $o{body} // '',
        headers => [
            ['User-Agent', 'test'], ['Authorization', 'Bearer ' . ($o{token} // $token)],
        ],
    });
}

# Signed by openssl, as another program would.
sub jwt {
    my ($key, $claims, $alg) = @_;
    my $text = join '.', map { encode_base64url(json_text($_)) } { typ => 'JWT', alg => $alg // 'RS256' }, $claims;
    my %file = map { $_ => tmpdir() . "/jwt.$_" } qw(text signature);
    open my $fh, '>', $file{text} or die "$file{text}: $!";
    print {$fh} $text;
    close $fh;
    JR::FakeGitHub::run_openssl('dgst', '-sha256', '-sign', $key, '-out', $file{signature}, $file{text});
    open $fh, '<:raw', $file{signature} or die "$file{signature}: $!";
    local $/;
    return "$text." . encode_base64url(<$fh>);
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

subtest 'an App' => sub {
    my %settings = $github->new_app(id => 7, client_id => 'Iv7');
    $github->put_installation(70, account => 'octo', permissions => { actions => 'write', metadata => 'read' });
    my $key = $settings{GITHUB_APP_KEY_FILE};
    my $app = sub {
        my ($jwt, $method, $path) = @_;
        my $answer = call($method // 'GET', $path // '/app', token => $jwt);
        return $answer->status . ' ' . ($answer->json->{message} // $answer->json->{name} // '');
    };
    my $now = time;
    my %good = (iss => 7, iat => $now - 60, exp => $now + 540);
    is $app->(jwt($key, \%good)), '200 Re-Runner', 'its number';
    is $app->(jwt($key, { %good, iss => 'Iv7' })), '200 Re-Runner', 'its client id';
    like $app->(jwt($key, { %good, iss => 8 })), qr/^404 Integration not found/, 'nobody';
    like $app->(jwt($key, { %good, iat => $now + 100 })), qr/^401 .*\('iat'\)/, 'signed in the future';
    like $app->(jwt($key, { %good, exp => $now - 1 })), qr/^401 .*\('exp'\) must be/, 'over';
    like $app->(jwt($key, { %good, exp => $now + 1000 })), qr/^401 .*\('exp'\) is too far/, 'for too long';
    my $other = JR::FakeGitHub::new_key(tmpdir() . '/other.pem');
    my $refused = qr/^401 A JSON web token could not be decoded/;
    like $app->(jwt($other, \%good)), $refused, 'another key';
    like $app->(jwt($key, \%good, 'none')), $refused, 'another algorithm';
    like $app->(jwt($key, \%good) =~ s/\.(\w)/'.' . ($1 eq 'A' ? 'B' : 'A')/er), $refused, 'other claims than were signed';
    like $app->($token), $refused, 'a token is no JWT';
    like $app->(jwt($key, \%good), 'GET', $base), qr/^401 Bad credentials/, 'nor the other way round';
    like $app->(jwt($key, \%good), 'GET', '/repos/hepta/app/installation'), qr/^404/, 'not installed there';
    is call(GET => '/repos/octo/app/installation', token => jwt($key, \%good))->json->{id}, 70, 'installed here';
    my $made = call(POST => '/app/installations/70/access_tokens', token => jwt($key, \%good), body => '{"permissions":{"actions":"write"}}');
    is $made->status, 201, 'a token';
    is call(GET => $base, token => $made->json->{token})->status, 200, 'which is good';
    my $far = next_id();
    $github->put_run(id => $far, repo => 'hepta/app');
    is call(GET => "/repos/hepta/app/actions/runs/$far", token => $made->json->{token})->status, 404, 'but not elsewhere';
    is call(POST => '/app/installations/70/access_tokens', token => jwt($key, \%good), body => '{"permissions":{"checks":"read"}}')->status, 422,
        'not for more than was granted';
    $github->set_clock(3601);
    is call(GET => $base, token => $made->json->{token})->status, 401, 'after an hour it has ended';
    $github->set_clock(0);
};

subtest 'why a job failed' => sub {
    my $failed = next_id();
    $github->put_run(id => $failed, repo => 'octo/app', jobs => [map { { name => "j$_" } } 1 .. 101]);
    my $facts = $github->set_job($failed, 'j1', status => 'completed', conclusion => 'failure', runner_id => 7,
        runner_name => 'r7', labels => ['self-hosted'], steps => [['Set up job'], { name => 'Run make', conclusion => 'failure' }],
        annotations => ['lost', { annotation_level => 'warning', message => 'old' }]);
    my $of = "/repos/octo/app/actions/runs/$failed/attempts/1/jobs?per_page=100&page=";
    my @pages = map { call(GET => "$of$_")->json->{jobs} } 1, 2;
    is_deeply [map { scalar @$_ } @pages], [100, 1], 'pages of jobs';
    my $job = $pages[0][0];
    is_deeply [@$job{qw(runner_id runner_name)}, @{ $job->{labels} }], [7, 'r7', 'self-hosted'], 'where it ran';
    is_deeply [map {"$_->{number} $_->{name}: $_->{conclusion}"} @{ $job->{steps} }],
        ['1 Set up job: success', '2 Run make: failure'], 'its steps';
    my $annotations = "/repos/octo/app/check-runs/$facts->{id}/annotations";
    is_deeply [map {"$_->{annotation_level}: $_->{message}"} @{ call(GET => $annotations)->json }],
        ['failure: lost', 'warning: old'], 'its annotations';
    is_deeply call(GET => "/repos/octo/app/check-runs/$pages[0][1]{id}/annotations")->json, [], 'none';
    $github->set_checks(0);
    my $refused = call(GET => $annotations);
    is $refused->status . ' ' . $refused->json->{message}, '403 Resource not accessible by personal access token',
        'not for a fine-grained token';
    $github->set_checks(1);
    $github->set_job($failed, 'j1', log_refused => 410);
    is call(GET => "/repos/octo/app/actions/jobs/$facts->{id}/logs")->status, 410, 'a log that is no longer kept';
    $github->set_run($failed, status => 'completed', conclusion => 'failure');
    call(POST => "/repos/octo/app/actions/runs/$failed/rerun-failed-jobs", body => '{"enable_debug_logging":true}');
    is $github->get_run($failed)->{debug}, 1, 'the next attempt writes a debug log';
    is call(GET => $of . 1)->json->{jobs}[0]{id}, $facts->{id}, 'the jobs of an attempt that is over';
    is call(GET => $annotations)->status, 200, 'and their annotations';
};

subtest 'the host of logs' => sub {
    my $host = JR::Http->new(port => $github->{log_port});
    my $run = workflow_run(github => $github, jobs => ['build']);
    my $link = sub { call(GET => '/repos/octo/app/actions/jobs/' . $run->truth->{jobs}[0]{id} . '/logs')->header('Location') };
    my $get = sub {
        my ($range, @headers) = @_;
        my ($path) = $link->() =~ m{^http://127\.0\.0\.1:$github->{log_port}(/.*)$};
        push @headers, [Range => "bytes=$range"] if $range;
        return $host->send({ method => 'GET', path => $path, headers => \@headers });
    };
    is $get->()->status, 404, 'none as long as the job runs';
    $run->completed('build', 'failure', event => 0);
    like $get->()->body, qr/^\xef\xbb\xbf20\d\d-\S+Z Current runner.*exit code 1\.\n$/s, 'as the runner writes it';
    $run->describe('build', log => "one\ntwo\n");
    is $get->()->body, "one\ntwo\n", 'as a test wants it';
    my $end = $get->('-4');
    is_deeply [$end->status, $end->body, $end->header('Content-Range')], [206, "two\n", 'bytes 4-7/8'], 'its end';
    is $get->('6-')->body, "o\n", 'from a place on';
    is $get->('8-')->status, 416, 'beyond its end';
    $run->describe('build', log_before => 1_000_000);
    is length $get->()->body, 1_000_008, 'a long one';
    like $get->('-30')->body, qr/^.{21}\none\ntwo\n$/, 'the end of that';
    is $get->('999999-')->body, "\none\ntwo\n", 'from a place on, too';
    $github->set_log_host(ignore_range => 1);
    is_deeply [$get->('-4')->status, $get->('-4')->header('Content-Length')], [200, 1_000_008], 'knows no ranges';
    $github->set_log_host(ignore_range => 0, no_suffix => 416, no_length => 1);
    is $get->('-4')->status, 416, 'knows no ends';
    is $get->()->header('Content-Length'), undef, 'tells no length';
    $run->describe('build', log => undef);
    like $get->()->body, qr/BlobNotFound/, 'never stored';
    is $get->(undef, [Authorization => 'Basic eDp5'])->status, 403, 'refuses a token';
    is $host->send({ method => 'GET', path => '/actions-results/x?sig=guessed' })->status, 403, 'and a link that is none';
    my @asked = $github->log_requests;
    is scalar(grep { $_->{headers}{authorization} } @asked), 1, 'all of that is on record';
    is scalar(grep { /token/ } $github->faults), 1, 'and a token is a fault';
    $github->forget_log_requests;
    is scalar $github->log_requests, 0, 'until it is forgotten';
    $github->script(GET => 'job-logs', { status => 503, body => '' });
    is $get->()->status, 503, 'has bad days of its own';
    $github->set_log_host(no_suffix => 0, no_length => 0);
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
