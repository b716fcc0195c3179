#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What is not of one run: GitHub that cannot be reached, something that answers in its
# place, owners that shut the token out, refusals that pass, repositories that are gone.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::FakeGitHub;
use JR::File qw(write_file);
use JR::Run;
use JR::Test;

my %PATIENT = (JR_TEST_PATIENCE => undef);    # as in life: 15 minutes

my %WORDS = (
    'an IP allow list' => 'Although you appear to have the correct authorization credentials, the `acme` organization has an IP allow list'
        . ' enabled, and your IP address is not permitted to access this resource.',
    'a policy for tokens' => '`acme` forbids access via a personal access token (classic). Please use a GitHub App, OAuth App, or a personal'
        . ' access token with fine-grained permissions.',
    'single sign-on' => 'Resource protected by organization SAML enforcement. You must grant your Personal Access token access to this organization.',
);
my $SUSPENDED = 'Sorry. Your account was suspended.';

sub message { my ($status, $message, %headers) = @_; return { status => $status, body => { message => $message }, headers => \%headers } }

my %HTML = (headers => { 'Content-Type' => 'text/html' }, body => '<!DOCTYPE html><html><h1>Access Denied</h1></html>');

sub run_of {
    my ($service, $repo) = @_;
    return workflow_run(github => $service->{github}, door => $service->http, jobs => ['build'], repo => $repo // 'octo/app');
}

sub fails {
    my ($service, $repo) = @_;
    my $run = run_of($service, $repo);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    return $run;
}

sub is_rerun {
    my ($run, $name) = @_;
    wait_ok { $run->accepted } "$name: rerun";
    return is scalar $run->accepted, 1, "$name: once";
}

sub degraded {
    my ($service) = @_;
    my $health = $service->http->send({ method => 'GET', path => '/healthz' });
    return join ' ', @{ $health->field('degraded') // [] };
}

sub waits {
    my ($service, $run, $reason) = @_;
    return ok $service->log->wait_entry('decision', run => $run->id, verdict => 'wait', reason => $reason), "it waits: $reason";
}

sub status_of {
    my ($service, @words) = @_;
    return tool(['status', @words], %{ $service->environment })->{out};
}

subtest 'one 404, one missing permission is not for ever' => sub {
    my $github = github();
    my $service = service(github => $github, %PATIENT)->start;
    my @rows = (
        ['a run that is not known yet', GET => '$', message(404, 'Not Found'), 'not-found'],
        ['a permission, for a GET', GET => '$', message(403, 'Resource not accessible by personal access token'), 'no-permission'],
        ['a 404 for a POST', POST => '/rerun', message(404, 'Not Found'), 'not-found'],
        ['a permission, for a POST', POST => '/rerun', message(403, 'Must have admin rights to Repository.'), 'no-permission'],
    );
    for my $row (@rows) {
        my ($name, $method, $path, $act, $reason) = @$row;
        my $run = run_of($service);
        $github->script($method => $run->id . $path, $act, 2);
        status_is $run->play(build => 'failure'), 201, "$name: a run fails";
        ok $service->log->wait_entry($method eq 'GET' ? 'decision' : 'rerun', run => $run->id, reason => $reason), "$name: told so";
        is_rerun($run, $name);
    }
    is $service->log->count('decision', verdict => 'closed'), 0, 'nothing was closed';

    # By hand one wants to know.
    is tool(['rerun', $github->url . '/octo/app/actions/runs/1'], %{ $service->environment })->{status}, 0, 'a number that is none, by hand';
    ok $service->log->wait_entry('decision', run => 1, verdict => 'closed', reason => 'not-found'), 'closed at once';
};

subtest 'one that stays is, also over a restart' => sub {
    my $github = github();
    my $service = service(github => $github, JR_TEST_PATIENCE => 600_000)->start;
    my $run = run_of($service);
    $github->script(GET => $run->id . '$', message(404, 'Not Found'), 1000);
    my $begun = time;
    $run->play(build => 'failure');
    waits($service, $run, 'not-found');
    wait_ok { $run->gets >= 4 } 'asked again and again';
    $service->restart(JR_TEST_PATIENCE => 3000);
    ok $service->log->wait_entry('decision', run => $run->id, verdict => 'closed', reason => 'not-found'), 'closed in the end';
    cmp_ok time - $begun, '>=', 2, 'not before';
    is scalar $run->posts, 0, 'nothing was posted';
};

subtest 'something on the way answers' => sub {
    my $github = github();
    my $service = service(github => $github, LOG_LEVEL => 'debug', pages => 'metrics status')->start;
    $github->script(GET => '.', { status => 403, %HTML }, 10_000);
    my @runs = map { fails($service) } 1 .. 3;
    waits($service, $runs[0], 'not-github');
    wait_ok { degraded($service) eq 'not-github' } '/healthz says so';
    like $service->http->send({ method => 'GET', path => '/metrics' })->body, qr/^job_rerunner_api_failing\{reason="not-github"\} 1$/m, 'and the metrics';
    like status_of($service), qr/^health +degraded\n +not-github: .*api\/v3/m, 'and status';
    unlike $service->http->send({ method => 'GET', path => '/status' })->body, qr/All is well/, 'and the page';
    my $check = tool(['check', '--online', 'octo/app'], %{ $service->environment });
    like $check->{out}, qr/^token +NO: .*403.*Access Denied.*https_proxy.*ingress.*GITHUB_API_URL.*\/api\/v3/m, 'check --online says where to look';
    is $check->{status}, 1, 'with its status';
    $github->forget_scripts;
    is_rerun($_, 'when GitHub answers') for @runs;
    wait_ok { degraded($service) eq '' } '/healthz is well';
    is $service->log->count('calls-again'), $service->log->count('calls-fail'), 'the log told of both';
};

subtest 'GITHUB_API_URL without /api/v3' => sub {
    my $github = github();
    my $service = service(github => $github, GITHUB_API_URL => $github->url . '/not-the-api')->start;
    $github->script(GET => '^/not-the-api/', { status => 404, body => "404 page not found\n", headers => { 'Content-Type' => 'text/plain' } }, 10_000);
    my $run = fails($service);
    waits($service, $run, 'not-github');
    $service->restart(GITHUB_API_URL => $github->url);
    is_rerun($run, 'with the right one');
};

my %DOWN = ('github-unreachable' => [{ cut => 1 }, 'unreachable'], 'server-error' => [{ status => 502, %HTML }, 'server-error']);
for my $word (sort keys %DOWN) {
    subtest "$word, and runs wait" => sub {
        my ($act, $reason) = @{ $DOWN{$word} };
        my $github = github();
        my $service = service(github => $github, pages => 'metrics status', API_BACKOFF_MIN => '200ms', API_BACKOFF_MAX => '2s')->start;
        is degraded($service), '', 'well at first';
        $github->script(GET => '.', $act, 10_000);
        # All of them are known before the first is asked about.
        my $hold = $github->hold;
        my @runs = map { fails($service) } 1 .. 8;
        undef $hold;
        wait_ok { degraded($service) eq $word } '/healthz says so';
        like $service->http->send({ method => 'GET', path => '/metrics' })->body, qr/^job_rerunner_api_failing\{reason="$reason"\} 1$/m, 'the metrics';
        like status_of($service), qr/^health +degraded\n +$word: /m, 'status';
        like $service->http->send({ method => 'GET', path => '/status' })->body, qr/class="health wait"/, 'no green bar';
        like status_of($service, '--json'), qr/"degraded":\s*\["$word"\]/, 'as JSON';
        # Four are asked at once, and a fifth when one has failed, before another has; then the waits double.
        wait_ok { $github->requests >= 9 } 'tried again and again';
        my @times = map { $_->{time} } ($github->requests)[0 .. 8];
        cmp_ok $times[$_] - $times[$_ - 1], '>=', 0.35, 'one call at a time, and a wait after it' for 7 .. 8;
        $github->forget_scripts;
        is_rerun($_, 'when it is over') for @runs;
        wait_ok { degraded($service) eq '' } '/healthz is well';
        is $service->log->count('calls-fail', level => 'warn'), 1, 'one warning';
        is $service->log->count('calls-again'), 1, 'and one line at the end';
    };
}

for my $name (sort keys %WORDS) {
    subtest "shut out by $name" => sub {
        my $github = github();
        my $service = service(github => $github, pages => 'metrics', API_BACKOFF_MAX => '1s')->start;
        $github->shut_out('acme', $WORDS{$name});
        my @shut = map { fails($service, $_) } 'acme/shop', 'acme/shop', 'acme/other';
        waits($service, $_, 'shut-out') for @shut;
        is_rerun(fails($service, 'octo/app'), 'another owner');
        is degraded($service), 'shut-out', '/healthz says so';
        like $service->http->send({ method => 'GET', path => '/metrics' })->body, qr/^job_rerunner_shut_outs 1$/m, 'and the metrics';
        like status_of($service), qr/^shut out +acme, since .*: \Q$WORDS{$name}\E/m, 'status says who, and in which words';
        like status_of($service, '--json'), qr/"shut_outs":\s*\[\s*\{\s*"name":\s*"acme"/, 'as JSON too';
        $service->restart;
        wait_ok { degraded($service) eq 'shut-out' } 'known after a restart';
        $github->shut_out('acme');
        is_rerun($_, 'when it is over') for @shut;
        is degraded($service), '', '/healthz is well';
        is $service->log->count('shut-out', level => 'warn'), 1, 'one warning';
        is $service->log->count('shut-out-over'), 1, 'and one line at the end';
        is $service->log->count('decision', verdict => 'closed'), 0, 'nothing was closed';
        unlike status_of($service), qr/shut out/, 'status has no more of it';
    };
}

subtest 'shut out: one call at a time' => sub {
    my $github = github();
    my $service = service(github => $github, API_BACKOFF_MIN => '200ms', API_BACKOFF_MAX => '5s')->start;
    $github->shut_out('acme', $WORDS{'an IP allow list'});
    # Until it is known, others would be asked about at the same time.
    my @runs = fails($service, 'acme/shop');
    waits($service, $runs[0], 'shut-out');
    push @runs, map { fails($service, 'acme/shop') } 2 .. 6;
    wait_ok { $github->requests(GET => '^/repos/acme/') >= 4 } 'tried again and again';
    my @times = map { $_->{time} } ($github->requests(GET => '^/repos/acme/'))[0 .. 3];
    for my $i (1 .. 3) {
        cmp_ok $times[$i] - $times[$i - 1], '>=', 0.1 * 2**$i - 0.02, "wait $i doubles";
    }
    $github->shut_out('acme');
    is_rerun($_, 'over') for @runs;
};

subtest 'Actions is switched off for a repository: a POST is refused' => sub {
    my $github = github();
    my $service = service(github => $github, API_BACKOFF_MAX => '500ms')->start;
    $github->shut_out('post/acme/shop', 'Actions has been disabled for this repository.');
    my $run = fails($service, 'acme/shop');
    ok $service->log->wait_entry('rerun', run => $run->id, reason => 'shut-out'), 'refused';
    wait_ok { degraded($service) eq 'shut-out' } '/healthz says so';
    is_rerun(fails($service, 'acme/other'), 'the owner\'s other repositories');
    wait_ok { $run->posts >= 3 } 'tried again';
    $github->shut_out('post/acme/shop');
    is_rerun($run, 'switched on');
    is $service->log->count('shut-out'), 1, 'told once, though each GET was answered';
};

subtest 'the account is suspended: all of it' => sub {
    my $github = github();
    my $file = tmpdir() . '/suspended-token';
    write_file($file, JR::Service::token() . "\n");
    my $service = service(github => $github, GITHUB_TOKEN => undef, GITHUB_TOKEN_FILE => $file, API_BACKOFF_MIN => '1h', API_BACKOFF_MAX => '1h')->start;
    $github->shut_out('*', $SUSPENDED);
    my $run = fails($service, 'acme/shop');
    waits($service, $run, 'shut-out');
    my @others = map { fails($service, $_) } 'octo/app', 'hepta/lib';
    is degraded($service), 'shut-out', '/healthz says so';
    like status_of($service), qr/^shut out +everywhere, since .*\Q$SUSPENDED\E/m, 'status says so';
    is scalar $github->requests(GET => 'runs'), 1, 'nothing else is asked';

    # Another token in the file starts clean, at once.
    $github->shut_out('*');
    $github->set_tokens('ghp_another-token-for-tests-000003');
    write_file("$file.new", "ghp_another-token-for-tests-000003\n");
    rename "$file.new", $file or die "rename: $!";
    ok $service->log->wait_entry('token-renewed'), 'taken up by itself';
    is_rerun($_, 'what was due') for @others;
    wait_ok { degraded($service) eq '' } '/healthz is well';
};

subtest 'another token at a restart starts clean' => sub {
    my $github = github();
    my $service = service(github => $github, API_BACKOFF_MIN => '1h', API_BACKOFF_MAX => '1h')->start;
    $github->shut_out('acme', $WORDS{'a policy for tokens'});
    waits($service, fails($service, 'acme/shop'), 'shut-out');
    $github->shut_out('acme');
    $github->set_tokens('ghp_another-token-for-tests-000003');
    $service->restart(GITHUB_TOKEN => 'ghp_another-token-for-tests-000003');
    is degraded($service), '', '/healthz is well';
    is_rerun(fails($service, 'acme/shop'), 'the next run');
};

subtest 'a GitHub App is shut out by one owner' => sub {
    my $github = github(tokens => []);
    my %settings = $github->new_app;
    $github->put_installation(11, account => 'octo');
    $github->put_installation(12, account => 'acme');
    my $service = service(github => $github, %settings)->start;
    $github->shut_out('acme', $WORDS{'an IP allow list'});
    my $run = fails($service, 'acme/shop');
    waits($service, $run, 'shut-out');
    is_rerun(fails($service, 'octo/app'), 'the other');
    $github->shut_out('acme');
    is_rerun($run, 'let in');
};

subtest 'a token of an App that is a second old' => sub {
    my %answer = (
        401 => [401, 'Bad credentials'],
        403 => [403, 'Resource not accessible by integration', 'X-Accepted-GitHub-Permissions' => 'actions=read'],
        404 => [404, 'Not Found'],
    );
    for my $status (sort keys %answer) {
        my $github = github(tokens => []);
        my %settings = $github->new_app;
        $github->put_installation(11, account => 'octo', fresh => { calls => 3, answer => $answer{$status} });
        my $service = service(github => $github, %settings)->start;
        my $run = fails($service, 'octo/app');
        is_rerun($run, "$status at first");
        is scalar(grep { $_->{status} == 201 } $github->requests(POST => '/access_tokens$')), 1, "$status: no other token was made";
        is scalar $github->requests(GET => '/installation$'), 1, "$status: nor looked for another place";
        is $service->log->count('calls-stopped'), 0, "$status: nothing was stopped";
        is $service->log->count('decision', verdict => 'closed'), 0, "$status: nothing was closed";
    }
};

subtest 'clocks that differ, and a limit' => sub {
    for my $ahead_s (3600, -3600) {
        my $github = github();
        my $service = service(github => $github)->start;
        $github->set_clock($ahead_s);
        my $run = run_of($service);
        $github->script(GET => $run->id . '$', message(403, 'API rate limit exceeded for user ID 1.',
            'X-RateLimit-Remaining' => 0, 'X-RateLimit-Reset' => '+2'));
        $run->play(build => 'failure');
        ok $service->log->wait_entry('calls-stopped'), 'stopped';
        like $service->log->text, qr/no call for [1-5] s\b/, "GitHub's clock is $ahead_s s ahead: for as long as it says";
        is_rerun($run, 'when it is over');
    }
};

subtest 'a repository that is gone' => sub {
    my $github = github();
    my $service = service(github => $github, RECONCILE_INTERVAL => '100ms', RETRY_CONCLUSIONS => 'failure')->start;
    status_is run_of($service, 'acme/gone')->play(build => 'success'), 200, 'it is known';
    status_is run_of($service, 'octo/app')->play(build => 'success'), 200, 'and so is another';
    my $lists = sub { my ($repo) = @_; my @all = $github->requests(GET => "^/repos/$repo/actions/runs\$"); return scalar @all };
    wait_ok { $lists->('acme/gone') } 'it is looked at';
    my $began = time;
    $github->set_gone('acme/gone', 1);
    ok $service->log->wait_entry('repository-gone', level => 'warn'), 'gone, and told';
    my $others = $lists->('octo/app');
    wait_ok { $lists->('octo/app') >= $others + 20 } 'the other is looked at, 20 times';
    # Each wait is twice the one before, the first is 200 ms. However long all that has taken.
    my $waited_s = time + 1 - $began;
    my $looks = grep { $_->{status} == 404 } $github->requests(GET => '^/repos/acme/gone/actions/runs$');
    cmp_ok 0.1 * (2**$looks - 2), '<=', $waited_s, "this one ever less often: $looks times in $waited_s s";
    is $service->log->count('repository-gone'), 1, 'told once';
    is $service->log->count('look-failed'), 0, 'and not as a failure';
    $github->set_gone('acme/gone', 0);
    status_is run_of($service, 'acme/gone')->play(build => 'success'), 200, 'an event comes from it';
    my $before = $lists->('acme/gone');
    wait_ok { $lists->('acme/gone') >= $before + 3 } 'it is looked at as before';
};

finish();
