#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# check --online: what of a failed run can be known, permission by permission, and what each one
# that is missing costs.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::File qw(write_file);
use JR::Test;

my $github = github(tls => 1);
my $service = service(github => $github, POLICY => 'careful');

sub check {
    my ($words, %to) = @_;
    return tool(['check', '--online', @$words], %{ $service->environment }, %to);
}

# The next answer about the token's user is that of a classic one with these scopes.
sub classic {
    my ($scopes) = @_;
    $github->script(GET => '/user$', { status => 200, headers => { 'X-OAuth-Scopes' => $scopes }, body => { login => 'rerun-bot' } });
    return;
}

sub failed_run {
    my $run = workflow_run(github => $github, jobs => ['build'], @_);
    $run->completed('build', 'failure', event => 0);
    $run->finish('failure');
    return $run;
}

subtest 'nothing to try it on' => sub {
    my $none = check(['octo/app']);
    is $none->{status}, 0, 'the exit status is good' or diag $none->{err};
    like $none->{out}, qr/^Actions: write +GitHub does not tell/m, 'a fine-grained token';
    like $none->{out}, qr/^Checks: read +NO: annotations cannot be read\. .*timeout.*billing.*fine-grained token cannot.*GitHub App/m,
        'what it cannot have, what that costs, what to do';
    like $none->{out}, qr/^its logs +were not tried/m, 'no log';
    like check([])->{out}, qr/^its logs +are tried with a repository/m, 'nor without a repository';
    classic('repo');
    like check(['octo/app'])->{out}, qr/^Actions: write +there.*^Checks: read +there, by the scope `repo'$/ms, 'a classic token';
    classic('public_repo');
    like check(['octo/app'])->{out}, qr/^Checks: read +there for public repositories/m, 'for what is public';
    is scalar $github->log_requests, 0, 'nobody was asked for a log';
};

subtest 'a run that failed' => sub {
    my $run = failed_run();
    my ($job) = @{ $run->truth->{jobs} };
    my $good = check(['octo/app']);
    like $good->{out}, qr/^Checks: read +there: annotations can be read$/m, 'annotations are tried';
    like $good->{out}, qr/^its logs +can be read, at 127\.0\.0\.1:$github->{tls_log_port}$/m, 'and logs, at their host';
    is scalar(grep { $_->{path} =~ /check-runs/ } $github->requests), 1, 'a call for these';
    is scalar $github->log_requests, 1, 'a request for that';

    $github->set_checks(0);
    my $refused = check(['octo/app']);
    is $refused->{status}, 0, 'without annotations: it can rerun all the same';
    like $refused->{out}, qr/^Checks: read +NO: .*\(answer 403: Resource not accessible by personal access token\)\. A fine-grained/m, 'refused';
    my $json = JSON::PP->new->decode(tool(['check', '--online', '--json', 'octo/app'], %{ $service->environment })->{out});
    is_deeply [map { $_->{good} ? 1 : 0 } grep { $_->{what} =~ /^(?:Actions: write|Checks|its logs)/ } @{ $json->{online} }], [1, 0, 1], 'in JSON, too';
    $github->set_checks(1);

    $run->describe('build', log => undef);
    like check(['octo/app'])->{out}, qr/^its logs +this one was never stored, at 127/m, 'a runner that died';
    $run->describe('build', log_refused => 410);
    like check(['octo/app'])->{out}, qr/^its logs +the one that was tried is not kept/m, 'an old log';
    $run->describe('build', log_refused => 0, log => 'x');
    $github->script(GET => 'job-logs', { status => 403, body => '' });
    my $blocked = check(['octo/app']);
    is $blocked->{status}, 0, 'a host of logs that refuses: it can rerun all the same';
    like $blocked->{out}, qr/^its logs +NO: 127\.0\.0\.1: answer 403\. Without logs .*unknown\. Let this host reach/m, 'what that costs';
    unlike $blocked->{out} . $blocked->{err}, qr/sig=/, 'and the link is not told';
    my $asked = $github->log_requests;
    like check(['octo/app'], LOG_TAIL => 0)->{out}, qr/^its logs +are not read: LOG_TAIL is 0/m, 'or nobody wants them';
    is scalar $github->log_requests, $asked, 'and the host is not asked';
};

subtest 'an App' => sub {
    my %app = $github->new_app;
    $github->put_installation(11, account => 'octo');
    my $without = check(['octo/app'], %app);
    is $without->{status}, 0, 'without Checks: it can rerun' or diag $without->{out};
    like $without->{out}, qr/^installation +number 11 gives tokens that may write to Actions$/m, 'what it gives';
    like $without->{out}, qr/^Checks: read +NO: .*\(answer 403.*Give the App the permission Checks, "Read-only"; the owner has to accept/m,
        'what is missing';
    $github->put_installation(11, permissions => { actions => 'write', checks => 'read', metadata => 'read' });
    my $with = check(['octo/app'], %app);
    like $with->{out}, qr/^installation .* and read Checks$/m, 'with it';
    like $with->{out}, qr/^Checks: read +there/m, 'annotations can be read';
};

subtest 'policies of repositories' => sub {
    my $centre = tmpdir() . '/centre.yml';
    my $asks = "version: 1\nguards: { closed: rerun, deployments: rerun }\n";
    write_file($centre, $asks);
    unlike check(['octo/app'], POLICY => $centre)->{out}, qr/^Contents/m, 'where the centre admits none, nobody asks';
    write_file($centre, "${asks}repository-files: yes\n");
    like check(['octo/app'], POLICY => $centre)->{out}, qr/^Contents: read +there: the repository has no policy of its own$/m, 'none';
    $github->put_file('octo/app', '.github/job-rerunner.yml', "version: 1\n");
    like check(['octo/app'], POLICY => $centre)->{out}, qr/^Contents: read +there: the repository's own policy can be read$/m, 'one';
    $github->script(GET => 'contents', { status => 403, body => { message => 'Resource not accessible by personal access token' } });
    my $refused = check(['octo/app'], POLICY => $centre);
    like $refused->{out}, qr/^Contents: read +NO: the repository's own policy, .* cannot be read\..*Give the token/m, 'one that may not be read';
    is $refused->{status}, 0, 'which stops nothing';
};

subtest 'what guards go by' => sub {
    my $out = check(['octo/app'])->{out};
    like $out, qr/^Actions: read +there: concurrency groups can be read$/m, 'groups';
    like $out, qr/^Pull requests: read +there/m, 'pull requests';
    like $out, qr/^Contents: read +NO: workflow files cannot be read\. .*answer 404.*Give the token or the App the permission Contents/m,
        'a file that is not to be seen, and what that costs';
    $github->put_file('octo/app', '.github/workflows/ci.yml', "jobs: {}\n");
    like check(['octo/app'])->{out}, qr/^Contents: read +there/m, 'and one that is';
    $github->script(GET => '/pulls$', { status => 403, body => { message => 'Resource not accessible by personal access token' } });
    $github->script(GET => 'concurrency_groups', { status => 404, body => { message => 'Not Found' } });
    my $refused = check(['octo/app']);
    is $refused->{status}, 0, 'without them: it can rerun all the same';
    like $refused->{out}, qr/^Pull requests: read +NO: .*closed ones are rerun.*Give/m, 'what that costs';
    like $refused->{out}, qr/^Actions: read +NO: .*may cancel/m, 'an old host';
    unlike check(['octo/app'], POLICY => 'everything')->{out}, qr/^(?:Pull requests|Contents|Actions: read)/m, 'everything needs none of it';
    $github->put_installation(11, permissions => { actions => 'write', checks => 'read', contents => 'read', metadata => 'read' });
    my $app = check(['octo/app'], $github->new_app)->{out};
    like $app, qr/^installation .* and read Checks and read Contents$/m, 'what an App may read';
    like $app, qr/^Pull requests: read +NO: .*answer 403/m, 'and what not';
};

subtest 'where nobody asks why' => sub {
    my $asked = $github->requests;
    for my $to ({ POLICY => 'everything' }, { EVIDENCE => 'never' }) {
        my $out = check(['octo/app'], %$to)->{out};
        unlike $out, qr/^(?:Checks|Actions: write|its logs)/m, join(' ', %$to) . ': nothing is tried';
    }
    like check(['octo/app'], POLICY => 'everything', EVIDENCE => 'always')->{out}, qr/^Checks: read +there/m, 'unless it is recorded';
};

finish();
