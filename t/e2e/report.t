#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# REPORT: what becomes of a run is said at GitHub, in a check run of its commit or in a comment on
# its pull request; once, whatever dies meanwhile, and without delaying any rerun.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::FakeGitHub;
use JR::File qw(write_file);
use JR::Log;
use JR::Test;

my %QUICK = (RERUN_DELAY => 0, API_BACKOFF_MIN => '200ms', API_WRITE_INTERVAL => 0, WORKERS => 1);
my $files = 0;

# A GitHub with an App; a service that is it, and reports in check runs.
sub world {
    my (%o) = @_;
    my $github = github(tokens => [JR::Service::token()]);
    my %settings = $github->new_app;
    my $permissions = delete $o{permissions} // { actions => 'write', metadata => 'read', checks => 'write', pull_requests => 'write', contents => 'read' };
    $github->put_installation(11, account => 'octo', permissions => $permissions);
    my $service = service(github => $github, %settings, %QUICK, REPORT => 'check', pages => 'status metrics', %o)->start;
    return ($github, $service);
}

sub run_of {
    my ($service, %o) = @_;
    return workflow_run(github => $service->{github}, door => $service->http, jobs => ['build'], %o);
}

sub fails { my ($run) = @_; return status_is $run->play(build => 'failure'), '201|202|200', 'it fails' }

sub check_of {
    my ($run) = @_;
    my @found = grep { $_->{external_id} eq $run->id } $run->github->checks;
    return wantarray ? @found : $found[0];
}

sub comments_of { my ($github) = @_; return grep { $_->{body} =~ /^<!-- job-rerunner -->/ } $github->comments }

sub wait_check { my ($run, $test, $name) = @_; return wait_ok { my $check = check_of($run); local $_ = $check; $check && $test->() } $name }

sub is_writing { return $_[0]{method} =~ /^(?:POST|PATCH)$/ && $_[0]{path} =~ m{/check-runs|/comments} }

# A writing to the store and a message later, nothing has been written for the run.
sub nothing_is_said {
    my ($service, $run, $name) = @_;
    my $later = run_of($service, name => 'Later');
    fails($later);
    wait_check($later, sub {1}, 'a later run is reported');
    is scalar check_of($run) // 'none', 'none', $name;
    return;
}

subtest 'from the first failure to the end' => sub {
    my ($github, $service) = world();
    my $run = run_of($service, name => 'Tests | @octocat', head_sha => 'b' x 40);
    fails($run);
    wait_ok { $run->accepted } 'rerun';
    wait_check($run, sub { $_->{status} eq 'in_progress' }, 'a check run is there');
    my $check = check_of($run);
    is $check->{head_sha}, 'b' x 40, 'of the commit';
    is $check->{name}, 'job-rerunner / Tests | @octocat', 'called after the workflow';
    wait_check($run, sub { $_->{output}{title} =~ /^Rerun: / }, 'it says that it was rerun');
    like check_of($run)->{output}{summary}, qr{`build` \(\[job\]\(http[^)]+/octo/app/actions/runs/\d+/job/\d+\)\)}, 'the failed job, with a link';
    is check_of($run)->{conclusion}, undef, 'it is not over';
    $run->play(build => 'success');
    wait_check($run, sub { $_->{status} eq 'completed' }, 'in the end it is completed');
    $check = check_of($run);
    is $check->{conclusion}, 'success', 'as a success';
    like $check->{output}{title}, qr/^Rescued: /, 'rescued';
    like $check->{output}{summary}, qr/\| 1 \| `build`.*\| not looked for \|/, 'POLICY=everything tells of it, too';
    is scalar(my @all = check_of($run)), 1, 'there is one';
    like $service->http->send({ method => 'GET', path => '/metrics' })->body, qr/reports_total\{outcome="written"\} [1-9]/, 'the metrics count it';
    my $why = tool(['why', $run->id], STATE_DIR => $service->state_dir);
    like $why->{out}, qr{^Check run: http\S+/octo/app/runs/$check->{id}$}m, 'why shows where it is';
};

subtest 'the end without success' => sub {
    my ($github, $service) = world(RUN_ATTEMPTS => 2);
    my $run = run_of($service);
    fails($run);
    wait_ok { $run->accepted } 'rerun';
    $run->play(build => 'failure');
    wait_check($run, sub { $_->{status} eq 'completed' }, 'completed');
    is check_of($run)->{conclusion}, 'neutral', 'it is neutral, and blocks no merge';
    like check_of($run)->{output}{title}, qr/^Given up: /, 'given up';
    like check_of($run)->{output}{summary}, qr/\*\*What would change it:\*\* Look at what fails/, 'what would change it';
    my @writes = grep { is_writing($_) } $github->requests;
    cmp_ok scalar @writes, '<=', 4, 'many changes are few writings';
};

subtest 'causes and evidence' => sub {
    my ($github, $service) = world(POLICY => 'careful', LOG_TAIL => '64K');
    my $run = run_of($service);
    $run->describe('build', steps => [['Set up job'], ['make', 'failure']], log => "make\n##[error]`x`|<img src=a>\@octocat #1\n");
    fails($run);
    wait_check($run, sub { $_->{output}{summary} =~ /\| (?:unknown|test|build) \|/ }, 'the cause is told');
    like check_of($run)->{output}{summary}, qr/in step `make`: `` .*`x`\N{U+A6}<img src=a>\@octocat #1 ``/, 'its line is harmless';
};

subtest 'nothing is said' => sub {
    my ($github, $service) = world(NO_RETRY_LIST => 'robot');
    my $left = run_of($service, actor => 'robot');
    $left->play(build => 'failure');
    my $good = run_of($service);
    $good->play(build => 'success');
    nothing_is_said($service, $left, 'of a run that is left alone by a setting');
    is scalar(my @none = check_of($good)), 0, 'of a run that succeeds';
    $service->restart(REPORT => 'none');
    wait_ok { !grep { $_->{status} ne 'completed' } $github->checks } 'what was open is completed';
    my $before = grep { is_writing($_) } $github->requests;
    $service->restart(REPORT => 'none');
    my $run = run_of($service);
    fails($run);
    wait_ok { $run->accepted } 'rerun';
    my $tokens = ($github->requests('POST', 'access_tokens'))[-1];
    is $tokens->{body}, '{"permissions":{"actions":"write"}}', 'no permission is asked for';
    is scalar(grep { is_writing($_) } $github->requests), $before, 'nothing is written';
};

subtest 'switched off while one is open' => sub {
    my ($github, $service) = world();
    my $run = run_of($service);
    fails($run);
    wait_check($run, sub { $_->{status} eq 'in_progress' }, 'a check run is open');
    $service->restart(REPORT => 'none');
    wait_check($run, sub { $_->{status} eq 'completed' }, 'it is completed');
    is check_of($run)->{conclusion}, 'neutral', 'as neutral';
};

subtest 'superseded' => sub {
    my ($github, $service) = world(RERUN_DELAY => '4s');
    my %line = (name => 'CI', event => 'push', head_branch => 'topic');
    my $run = run_of($service, %line, run_number => 1, head_sha => 'c' x 40);
    $run->begin;
    # However slow all is, it is rerun after the newer one has begun, or not at all.
    $github->script(GET => '/runs/' . $run->id . '$', { after => 'told', effect => 1 });
    fails($run);
    wait_check($run, sub { $_->{status} eq 'in_progress' && $_->{output}{title} =~ /waits, to be rerun at \d\d:/ }, 'it waits, and says until when');
    my $newer = run_of($service, %line, run_number => 2, head_sha => 'd' x 40);
    $newer->begin;
    wait_ok { $run->gets } 'a newer one begins, and it is asked about';
    $github->tell;
    wait_check($run, sub { $_->{status} eq 'completed' }, 'a check run that was begun is completed');
    is check_of($run)->{conclusion}, 'neutral', 'as neutral';
};

subtest 'its pull request is closed' => sub {
    my ($github, $service) = world(POLICY => 'careful', LOG_TAIL => 0);
    $github->put_pull(repo => 'octo/app', number => $_, state => $_ == 9 ? 'closed' : 'open') for 9, 10;
    for my $kind (qw(check comment)) {
        $service->restart(REPORT => $kind);
        my $run = run_of($service, event => 'pull_request', pulls => [9], head_branch => 'done');
        fails($run);
        ok $service->log->wait_entry('decision', run => $run->id, reason => 'pull-request-closed'), 'a run of it is left';
        my $later = run_of($service, event => 'pull_request', pulls => [10], head_branch => 'open');
        fails($later);
        wait_ok { $kind eq 'check' ? scalar check_of($later) : grep { $_->{number} == 10 } comments_of($github) } 'a later one of another is reported';
        is scalar(grep { $_->{status} ne 'completed' } check_of($run)), 0, 'nothing stays open';
        is scalar(grep { $_->{number} == 9 } comments_of($github)), 0, 'nor is there a comment';
    }
};

sub stops_at {
    my ($point, %o) = @_;
    my $file = tmpdir() . '/stop' . ++$files;
    my ($github, $service) = world(JR_TEST_STOP_AT => "$point:$file", %o);
    $service->{stop_file} = $file;
    return ($github, $service);
}

sub kill_dispatcher {
    my ($service) = @_;
    my $pid = wait_for { $service->dispatcher_at($service->{stop_file}) };
    ok $pid, 'the dispatcher is at the point' or return;
    $service->expect_death;
    kill 'KILL', $pid;
    return wait_ok { ($service->dispatcher // $pid) != $pid } 'killed, and replaced';
}

for my $point (qw(before-report after-report report-recorded)) {
    subtest "killed at $point" => sub {
        my ($github, $service) = stops_at($point);
        my $run = run_of($service);
        fails($run);
        kill_dispatcher($service);
        wait_ok { $run->accepted } 'rerun';
        $run->play(build => 'success');
        wait_check($run, sub { $_->{status} eq 'completed' }, 'completed in the end');
        is scalar(my @all = check_of($run)), 1, 'there is one check run';

        ($github, $service) = stops_at($point, REPORT => 'comment');
        $run = run_of($service, event => 'pull_request', pulls => [7]);
        fails($run);
        kill_dispatcher($service);
        $run->play(build => 'success');
        wait_ok { my ($comment) = comments_of($github); $comment && $comment->{body} =~ /Rescued/ } 'the comment says the end';
        is scalar(my @comments = comments_of($github)), 1, 'there is one comment';
    };
}

subtest 'an answer is lost' => sub {
    my ($github, $service) = world();
    $github->script(POST => '/check-runs$', { effect => 1, cut => 1 });
    my $run = run_of($service);
    fails($run);
    wait_check($run, sub { ($_->{writes} // 0) > 0 }, 'it is found again, and changed');
    is scalar(my @all = check_of($run)), 1, 'there is one check run';
    my ($find) = grep { $_->{path} =~ m{/commits/a+/check-runs$} } reverse $github->requests('GET');
    like $find->{query}, qr/^check_name=job-rerunner%20%2F%20CI&filter=all&/, 'it is looked for by its name, among all';
};

subtest 'GitHub hangs on reports' => sub {
    my ($github, $service) = world(API_READS => 1);
    $github->script(GET  => '/commits/', { hang => 1 }, 100);
    $github->script(POST => '/check-runs$', { hang => 1 }, 100);
    my $run = run_of($service);
    fails($run);
    wait_ok { $github->requests('GET', '/commits/') } 'a report is under way';
    my @runs = map { run_of($service) } 1 .. 3;
    fails($_) for @runs;
    wait_ok { 3 == grep { $_->accepted } @runs } 'runs are rerun meanwhile';
    # Each is given up after 30 s.
    my @looks = map { $_->{time} } $github->requests('GET', '/commits/');
    is scalar(grep { $looks[$_] - $looks[$_ - 1] < 29 } 1 .. $#looks), 0, 'while one report hangs, no other is begun';
    is $service->log->count('calls-stopped') + $service->log->count('calls-fail'), 0, 'and that says nothing of other calls';
};

subtest 'as plain CGI, GitHub hangs on reports' => sub {
    my $github = github();
    my %settings = $github->new_app;
    $github->put_installation(11, account => 'octo', permissions => { actions => 'write', metadata => 'read', checks => 'write', contents => 'read' });
    $github->put_file('octo/app', '.github/job-rerunner.yml', "version: 2\n");
    $github->script(GET => '/commits/', { hang => 1 }, 100);
    $github->script(GET => '/commits$', { hang => 1 }, 100);
    my $policy = write_file(tmpdir() . '/files.yml', "version: 1\notherwise: rerun\nrepository-files: yes\n"
        . "guards: { superseded: rerun, closed: rerun, deployments: rerun, concurrency: rerun }\n");
    my $alone = service(github => $github, %settings, %QUICK, RUN_ATTEMPTS => 2, REPORT => 'check', POLICY => $policy, LOG_LEVEL => 'debug',
        JR_TEST_OWN_PATIENCE => 60_000);
    my $run = workflow_run(github => $github, door => $alone->cgi, jobs => ['build']);
    fails($run);
    # A child works for some seconds only; what is due then waits for the next request.
    my $later = workflow_run(github => $github, door => $alone->cgi, jobs => ['build']);
    my $goes_on = sub { $alone->cgi->children or $later->queued('build'); return 1 };
    wait_ok { $goes_on->() && $run->accepted } 'a run is rerun';
    wait_ok { $goes_on->() && $github->requests('GET', '/commits/') } 'a report is under way';
    wait_ok { $goes_on->() && $github->requests('GET', '/commits$') } 'so is what is told of a broken policy file';
    ok $alone->cgi->wait_children, 'the child leaves';
    is scalar(JR::Log->new($alone->cgi->log)->find('report')), 0, 'without waiting for an answer: others may rerun';
};

subtest 'GitHub refuses' => sub {
    my ($github, $service) = world();
    $github->script(POST => '/check-runs$', { status => 403, body => { message => 'Resource not accessible by integration' } }, 1);
    my $run = run_of($service);
    fails($run);
    ok $service->log->wait_entry('report', run => $run->id, verdict => 'given-up'), 'it is given up';
    wait_ok { $run->accepted } 'which keeps nothing from being rerun';
    my $other = run_of($service);
    fails($other);
    wait_ok { $other->accepted } 'another run of the repository is rerun';
    my ($hexa) = run_of($service, repo => 'octo/hexa');
    fails($hexa);
    wait_check($hexa, sub {1}, 'a later one of another repository is reported');
    is scalar(my @none = check_of($other)), 0, 'the refusal is remembered';
};

subtest 'the owner has not accepted the permission' => sub {
    my ($github, $service) = world(permissions => { actions => 'write', metadata => 'read' });
    my $run = run_of($service);
    fails($run);
    wait_ok { $run->accepted } 'it is rerun';
    ok $service->log->wait_entry('report', run => $run->id, verdict => 'given-up'), 'nothing is said';
    my @asked = map { $_->{body} } $github->requests('POST', 'access_tokens');
    is_deeply \@asked, ['{"permissions":{"actions":"write","checks":"write"}}', '{"permissions":{"actions":"write"}}'],
        'what is asked for, and then less';
    my %tool = (%{ $service->{env} }, GITHUB_API_URL => $github->url, GITHUB_SIGN_KEY => JR::Service::sign_key(), STATE_DIR => $service->state_dir);
    my $check = tool(['check', '--online', 'octo/app'], %tool);
    like $check->{out}, qr/^Checks: write +NO: /m, 'check --online says what is missing';
    $github->put_installation(11, permissions => { actions => 'write', metadata => 'read', checks => 'write' });
    $check = tool(['check', '--online', 'octo/app'], %tool);
    like $check->{out}, qr/^Checks: write +there/m, 'and that it is there';
};

subtest 'a comment' => sub {
    my ($github, $service) = world(GITHUB_TOKEN => JR::Service::token(), GITHUB_APP_ID => undef, GITHUB_APP_KEY_FILE => undef, REPORT => 'comment', RUN_ATTEMPTS => 3);
    $github->put_comment(repo => 'octo/app', number => 7, login => 'mallory', body => "<!-- job-rerunner -->\nmine");
    $github->put_comment(repo => 'octo/app', number => 7, login => 'octocat', body => 'looks good') for 1 .. 120;
    my %pull = (event => 'pull_request', pulls => [7], head_sha => 'e' x 40);
    my $run = run_of($service, %pull);
    fails($run);
    my $ours = sub { grep { $_->{login} eq 'rerun-bot' } comments_of($github) };
    wait_ok { $ours->() } 'it is made when there is a rerun';
    my ($comment) = $ours->();
    is $comment->{number}, 7, 'on the pull request';
    like $comment->{body}, qr/### `CI`/, 'with a section for the run';
    my $other = run_of($service, %pull, name => 'Lint');
    fails($other);
    wait_ok { my ($c) = $ours->(); $c->{body} =~ /### `Lint`/ && $c->{body} =~ /### `CI`/ } 'another run stands in it, too';
    $run->play(build => 'success');
    wait_ok { my ($c) = $ours->(); $c->{body} =~ /\*\*Rescued/ } 'and the end';
    is scalar(my @all = $ours->()), 1, 'it is one comment';
    is [map { $_->{body} } grep { $_->{login} eq 'mallory' } $github->comments]->[0], "<!-- job-rerunner -->\nmine",
        "somebody else's is left as it is";
    my $new = run_of($service, %pull, head_sha => 'f' x 40, run_number => 18);
    fails($new);
    wait_ok { my ($c) = $ours->(); $c->{body} !~ /### `Lint`/ && $c->{body} =~ /### `CI`/ } 'of the newest commit only';
    my $why = tool(['why', $new->id], STATE_DIR => $service->state_dir);
    like $why->{out}, qr{^Comment: http\S+/octo/app/pull/7#issuecomment-$comment->{id}$}m, 'why shows where it is';

    my $push = run_of($service);
    fails($push);
    wait_ok { $push->accepted } 'a run of a push is rerun';
    is scalar(my @still = $ours->()), 1, 'and has no comment';

    # After its record is gone, it is found by its marker.
    $github->lock_pull(8);
    my $locked = run_of($service, %pull, pulls => [8], head_branch => 'other');
    fails($locked);
    ok $service->log->wait_entry('report', run => $locked->id, verdict => 'given-up'), 'a locked pull request is given up';
    my $next = run_of($service, %pull, pulls => [9], head_branch => 'third');
    fails($next);
    wait_ok { grep { $_->{number} == 9 } $ours->() } 'which says nothing of another one of the repository';
};

subtest 'limits' => sub {
    my ($github, $service) = world();
    $github->set_content_limit(0);
    my $run = run_of($service);
    fails($run);
    wait_ok { $service->log->count('calls-stopped') } 'a secondary limit stops all calls, as GitHub wants it';
};

subtest 'settings' => sub {
    my $service = service(REPORT => 'check');
    my %env = (GITHUB_TOKEN => 'x' x 40, GITHUB_SIGN_KEY => 'It is a secret to everybody', STATE_DIR => tmpdir() . '/none', REPORT => 'check');
    my $check = tool(['check'], %env);
    isnt $check->{status}, 0, 'REPORT=check without an App is an error';
    like $check->{out} . $check->{err}, qr/REPORT: is check, and only a GitHub App may make check runs/, 'in clear words';
    $check = tool(['check'], %env, REPORT => 'commit');
    like $check->{out} . $check->{err}, qr/none of none, check, comment/, 'what it may be';
};

finish();
