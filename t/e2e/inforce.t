#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Which settings are in force, told by the master: in the log, by the tool, on the page; which
# need a restart; what the token's state is; and what is likely not meant so.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::File qw(read_file write_file);
use JR::Html;
use JR::Test;

use constant { EX_FAILED => 1, EX_USAGE => 2, EX_CONFIG => 78 };

my $JSON   = JSON::PP->new->utf8;
my $github = github();

# A sub-command with an environment that is the service's, changed: undef takes away.
sub at {
    my ($service, $args, %env) = @_;
    return tool($args, %{ $service->environment }, %env);
}

# One that knows of the service no more than where it is.
sub far {
    my ($service, @args) = @_;
    return tool(\@args, STATE_DIR => $service->state_dir, MAP_SIZE => '64M');
}

sub json_far {
    my ($service, @args) = @_;
    my $result = far($service, @args, '--json');
    return eval { $JSON->decode($result->{out}) } // do { diag $@, $result->{out}, $result->{err}; {} };
}

sub fails_with {
    my ($result, $status, $like, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    is $result->{status}, $status, "$name: exit $status" or diag $result->{err};
    return like $result->{err}, $like, "$name: says why";
}

my $service = service(
    github => $github, pages => 'status', RUN_ATTEMPTS => 3, REPOS => 'octo/*', NO_RETRY_REPOS => 'octo/deploy',
    NO_RETRY_LIST => 'nobody-at-all', NO_RETRY_WORKFLOWS => 'Night*,deploy.yml', REPO_BRANCHES => 'main,release/*',
    GITHUB_SIGN_KEY_OLD => 'an-older-key-that-nobody-may-see',
)->start;

subtest 'in the log' => sub {
    my $line = $service->log->wait_entry('settings') // {};
    is $line->{level}, 'info', 'at the start';
    is $line->{RUN_ATTEMPTS}, 3, 'a number';
    is $line->{REPOS}, 'octo/*', 'a list';
    is $line->{RETENTION}, '90d', 'a default';
    is $line->{GITHUB_TOKEN}, 'set', 'a secret is set';
    is $line->{GITHUB_APP_KEY}, 'not set', 'or not';
    unlike $service->log->text, qr/nobody-may-see|\Q@{[ JR::Service::token() ]}\E/, 'that is all of it';
};

subtest 'status --settings' => sub {
    my $known = json_far($service, 'status', '--settings');
    ok $known->{in_force}, 'in force';
    like $known->{started_at}, qr/^\d{4}-/, 'since when';
    like $known->{version}, qr/^\d+\./, 'in which version';
    is $known->{settings}{RUN_ATTEMPTS}, 3, "the master's, not the tool's";
    is $known->{settings}{GITHUB_SIGN_KEY_OLD}, 'set', 'a secret is set';
    is $known->{settings}{GITHUB_APP_ID}, undef, 'what is not';
    my $text = far($service, 'status', '--settings');
    is $text->{status}, 0, 'in words: exit 0';
    like $text->{out}, qr/^in force since \d{4}-\S+Z, version /, 'since when';
    like $text->{out}, qr/^RUN_ATTEMPTS +3$/m, 'a line each';
    unlike $text->{out}, qr/nobody-may-see/, 'no secret';
    my @status = stat $service->state_dir . '/settings';
    is sprintf('%o', $status[2] & 07777), '600', 'the file is for nobody else';
};

subtest 'on the page' => sub {
    my $answer = $service->http->send({ method => 'GET', path => '/status', headers => [] });
    status_is $answer, 200, 'the page';
    my $text = JR::Html->new($answer->body)->text;
    like $text, qr/RUN_ATTEMPTS\s+3/, 'a setting';
    like $text, qr/GITHUB_TOKEN\s+set/, 'a secret that a worker does not have';
    like $text, qr/GITHUB_APP_KEY\s+not set/, 'one that there is not';
};

subtest 'what needs a restart' => sub {
    my %same = (MAP_SIZE => '65536k');
    my $same = at($service, ['check'], %same);
    is $same->{status}, 0, 'check' or diag $same->{err};
    unlike $same->{out}, qr/restart/, 'nothing, if it is what is in force, however it is written';
    is at($service, ['check', '--in-force'], %same)->{status}, 0, 'check --in-force';

    my %other = (RUN_ATTEMPTS => 5, NO_RETRY_REPOS => undef, GITHUB_SIGN_KEY_OLD => undef);
    my $other = at($service, ['check'], %other);
    is $other->{status}, 0, 'check is content';
    like $other->{out}, qr/^RUN_ATTEMPTS +is '3' in force, and '5' here: it needs a restart$/m, 'a number';
    like $other->{out}, qr/^NO_RETRY_REPOS +is 'octo\/deploy' in force, and empty here: it needs a restart$/m, 'a list';
    like $other->{out}, qr/^GITHUB_SIGN_KEY_OLD +is 'set' in force, and 'not set' here/m, 'a secret';
    my $json = $JSON->decode(at($service, ['check', '--json'], %other)->{out});
    my ($row) = grep { $_->{setting} eq 'RUN_ATTEMPTS' } @{ $json->{restart} };
    is_deeply $row, { setting => 'RUN_ATTEMPTS', in_force => '3', here => '5' }, 'as JSON';
    my $only = at($service, ['check', '--in-force'], %other);
    is $only->{status}, EX_FAILED, '--in-force: exit 1';
    like $only->{err}, qr/ warn restart-needed text="RUN_ATTEMPTS is '3' in force, and '5' here/, 'a line of the log';
    unlike $only->{err} . $only->{out}, qr/SIGN_KEY|LOG_LEVEL/, 'no more than that';
    fails_with(at($service, ['check', '--in-force'], RUN_ATTEMPTS => 'x'), EX_CONFIG, qr/RUN_ATTEMPTS/, 'a wrong one');
    is at($service, ['check', '--in-force', '--online'])->{status}, EX_USAGE, 'not both';
};

subtest 'a reload that cannot bring them' => sub {
    my $file = tmpdir() . '/reload.env';
    my $reloaded = service(github => $github, JR_TEST_ENV_FILE => $file, RUN_ATTEMPTS => 2)->start;
    my $reload = sub {
        my ($text) = @_;
        write_file($file, $text);
        my ($count, $mark) = ($reloaded->log->count('reloaded'), $reloaded->log->mark);
        my @old = $reloaded->children;
        kill 'HUP', $reloaded->master;
        wait_ok { $reloaded->log->count('reloaded') > $count } 'reloaded';
        wait_ok { !grep { kill 0, $_ } @old } 'the old children have left';
        return join "\n", map { $_->{text} // '' } $reloaded->log->find('restart-needed', since => $mark);
    };
    my %environment = %{ $reloaded->environment };
    my $same = join '', map {"$_=$environment{$_}\n"} grep {/^(?:STATE|MAP|WORK|RUN_|RERUN|API|RECON|GITHUB_API)/} sort keys %environment;
    is $reload->($same), '', 'the file is what is in force';
    is $reload->($same . "RUN_ATTEMPTS=7\nLOG_LEVEL=debug\n"),
        "LOG_LEVEL is 'info' in force, and 'debug' in the file: it needs a restart"
        =~ s/^/RUN_ATTEMPTS is '2' in force, and '7' in the file: it needs a restart\n/r, 'another one';
    like $reload->($same . "RUN_ATTEMPTS=x\n"), qr/\Q$file\E is wrong, and a restart would fail: RUN_ATTEMPTS: 'x'/,
        'a wrong value';
    like $reload->($same . "DRYRUN=yes\n"), qr/would fail: \S+:\d+: DRYRUN is no setting; is DRY_RUN meant\?/, 'a wrong name';
    is $reload->("STATE_DIR=/elsewhere\nRUN_ATTEMPTS=7\n"), '', "another service's file";
    is json_far($reloaded, 'status', '--settings')->{settings}{RUN_ATTEMPTS}, 2, 'in force is what was';
    $reloaded->stop_service;
    my $none = far($reloaded, 'status', '--settings');
    fails_with($none, EX_FAILED, qr/no service runs/, 'after the stop');
    ok !json_far($reloaded, 'status', '--settings')->{in_force}, 'as JSON';
    fails_with(at($reloaded, ['check', '--in-force']), EX_FAILED, qr/no service runs/, 'nor can be compared');
};

# What status says of the token.
sub token_of {
    my ($of, $want, $like) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    wait_ok { (json_far($of, 'status')->{github}{token_state} // '') eq $want } "token: $want";
    return like far($of, 'status')->{out}, $like, 'in words';
}

subtest 'the token' => sub {
    token_of($service, 'not-tried', qr/^token +not tried yet$/m);
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build'], branch => 'main');
    $run->play(build => 'failure');
    wait_ok { $run->accepted } 'a run is rerun';
    token_of($service, 'taken', qr/^token +taken by GitHub, last at \d{4}-\S+Z \(.* ago\)/m);
    my $status = json_far($service, 'status');
    is $status->{github}{access}, 'token', 'it is a token';
    like $status->{github}{token_taken_at}, qr/^\d{4}-/, 'when';
    is $status->{dry_run}, JSON::PP::false, 'in earnest';
    like far($service, 'status')->{out}, qr/^dry run +no$/m, 'in words';

    my $rejected = service(github => $github, GITHUB_TOKEN => 'ghp_a-token-that-is-not-taken')->start;
    my $lost = workflow_run(github => $github, door => $rejected->http, jobs => ['build']);
    $lost->play(build => 'failure');
    token_of($rejected, 'rejected', qr/^token +rejected since \d{4}-\S+Z/m);
    $rejected->restart(GITHUB_TOKEN => JR::Service::token());
    wait_ok { $lost->accepted } 'with another one it works';
    token_of($rejected, 'taken', qr/^token +taken by GitHub/m);
    $rejected->stop_service;
    token_of($rejected, 'unknown', qr/^token +not known, since no service runs$/m);

    my $dry = service(github => $github, GITHUB_TOKEN => undef, DRY_RUN => 'yes')->start;
    token_of($dry, 'none', qr/^token +none is set, so GitHub is not called$/m);
    is json_far($dry, 'status')->{dry_run}, JSON::PP::true, 'a dry run';
    is json_far($dry, 'status')->{github}{access}, undef, 'with nothing to call with';
    like far($dry, 'status')->{out}, qr/^dry run +yes: /m, 'in words';
    $dry->stop_service;
};

subtest 'patterns that have matched nothing' => sub {
    my $nightly = workflow_run(github => $github, door => $service->http, jobs => ['build'], branch => 'main', name => 'Nightly');
    status_is $nightly->play(build => 'failure'), 204, 'one is left alone';
    my $check = at($service, ['check']);
    is $check->{status}, 0, 'check is content';
    for my $row (
        [NO_RETRY_LIST => 'nobody-at-all'], [NO_RETRY_REPOS => 'octo/deploy'], [NO_RETRY_WORKFLOWS => 'deploy.yml'],
        [REPO_BRANCHES => 'release/*'],
    ) {
        like $check->{out}, qr/^$row->[0] +doubtful: '\Q$row->[1]\E' has matched nothing so far; runs that were looked at: 2$/m, $row->[0];
    }
    unlike $check->{out}, qr/doubtful: '(?:octo\/\*|Night\*|main)'/, 'those that have are not told';
    my $json = $JSON->decode(at($service, ['check', '--json'])->{out});
    is_deeply [map { $_->{setting} } @{ $json->{doubts} }], [qw(NO_RETRY_LIST REPO_BRANCHES NO_RETRY_REPOS NO_RETRY_WORKFLOWS)],
        'as JSON';
};

subtest 'names and values that are doubtful' => sub {
    my %odd = (NO_RETRY_REPO => 'octo/s3cret', RUN_ATTEMPT => 2, REPO_BRANCHES => 'main,origin/main', https_proxy => '',
        GITHUB_ACTOR => 'x', LC_ALL => 'C', TZ => 'UTC');
    my $check = at($service, ['check'], %odd);
    is $check->{status}, 0, 'check is content';
    like $check->{out}, qr/^NO_RETRY_REPO +doubtful: is no setting; is NO_RETRY_REPOS meant\?$/m, 'a name';
    like $check->{out}, qr/^RUN_ATTEMPT +doubtful: .*RUN_ATTEMPTS/m, 'another';
    like $check->{out}, qr/^REPO_BRANCHES +doubtful: 'origin\/main' is a branch of a remote/m, 'a value';
    unlike $check->{out}, qr/s3cret|^(?:https_proxy|GITHUB_ACTOR|LC_ALL|TZ) /m, 'no value of it, and nothing of others';
    my $odd = service(github => $github, %odd)->start;
    my @text = map { $_->{text} } $odd->log->find('doubtful-setting');
    is_deeply [sort @text], [
        'NO_RETRY_REPO: is no setting; is NO_RETRY_REPOS meant?',
        "REPO_BRANCHES: 'origin/main' is a branch of a remote in a clone; on GitHub it is main",
        'RUN_ATTEMPT: is no setting; is RUN_ATTEMPTS meant?',
    ], 'warned of at the start' or diag explain \@text;
    $odd->stop_service;
};

subtest 'a file with names that are none' => sub {
    my $file = write_file(tmpdir() . '/names.env', "STATE_DIR=@{[ $service->state_dir ]}\nNO_RETRY_REPO=octo/s3cret\n"
        . "TZ=UTC\nhttps_proxy=http://127.0.0.1:9\nRUN_ATTEMPT=2\nWHATEVER_IT_IS=1\n");
    my $status = tool(['status', '--env-file', $file]);
    is $status->{status}, EX_CONFIG, 'exit 78';
    is $status->{err}, "job-rerunner: wrong settings:\n"
        . "$file:2: NO_RETRY_REPO is no setting; is NO_RETRY_REPOS meant?\n"
        . "$file:5: RUN_ATTEMPT is no setting; is RUN_ATTEMPTS meant?\n"
        . "$file:6: WHATEVER_IT_IS is no setting; `job-rerunner help' lists them\n", 'all of them, with line and nearest';
};

finish();
