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
    my $answer = $service->http->send({ method => 'GET', path => '/settings', headers => [] });
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
    like $same->{out}, qr/^secrets +are compared only for being set/m, 'of secrets not all is known';
    my $in_force = at($service, ['check', '--in-force'], %same);
    is $in_force->{status}, 0, 'check --in-force';
    is $in_force->{out}, "what is set is in force; secrets are not compared\n", 'which says so, too';

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
        my $told = sub { join "\n", map { $_->{text} // '' } $reloaded->log->find($_[0], since => $mark) };
        return wantarray ? ($told->('restart-needed'), $told->('doubtful-setting')) : $told->('restart-needed');
    };
    my %environment = %{ $reloaded->environment };
    my $same = join '', map {"$_=$environment{$_}\n"} grep {/^(?:STATE|MAP|WORK|RUN_|RERUN|API|RECON|GITHUB_API)/} sort keys %environment;
    is $reload->($same), '', 'the file is what is in force';
    is $reload->($same . "RUN_ATTEMPTS=7\nLOG_LEVEL=debug\n"),
        "LOG_LEVEL is 'info' in force, and 'debug' in the file: it needs a restart"
        =~ s/^/RUN_ATTEMPTS is '2' in force, and '7' in the file: it needs a restart\n/r, 'another one';
    my $few = "STATE_DIR=$environment{STATE_DIR}\n";
    is $reload->($few . "RUN_ATTEMPTS=7\n"), "RUN_ATTEMPTS is '2' in force, and '7' in the file: it needs a restart",
        'what the file does not name may be set otherwise';
    is $reload->("$same${few}GITHUB_SIGN_KEY=$environment{GITHUB_SIGN_KEY}\nGITHUB_TOKEN=$environment{GITHUB_TOKEN}\n"), '',
        'the same secrets';
    my @secret = $reload->("${few}GITHUB_SIGN_KEY=other-s3cret-of-the-webhook\n");
    is_deeply \@secret, ['GITHUB_SIGN_KEY is another one in the file than in force: it needs a restart', ''], 'another secret';
    my $token = write_file(tmpdir() . '/reload.token', "ghp_other-s3cret-token\n");
    is $reload->("${few}GITHUB_TOKEN_FILE=$token\n"), 'GITHUB_TOKEN is another one in the file than in force: it needs a restart',
        'another one in a file of its own';
    is $reload->("${few}GITHUB_TOKEN='ghp_ s3cret'\n") =~ s/:.*//r, "$file is wrong, and a restart would fail", 'a wrong one';

    my ($restart, $doubtful) = $reload->("${few}RUN_ATTEMPTS=x\nRERUN_DELAY=2w\nLOG_LEVEL=debug\n");
    my @wrong = split /\n/, $restart;
    is scalar @wrong, 3, 'wrong values, and another one' or diag $restart;
    like $wrong[0], qr/^\Q$file\E is wrong, and a restart would fail: RUN_ATTEMPTS: 'x'/, 'the first';
    like $wrong[1], qr/^\Q$file\E is wrong, and a restart would fail: RERUN_DELAY: '2w'/, 'the second';
    like $wrong[2], qr/^LOG_LEVEL is 'info' in force, and 'debug' in the file/, 'and what is other';
    is $doubtful, '', 'no more than that';

    ($restart, $doubtful) = $reload->("${few}DRYRUN=yes\nRUN_ATTEMPTS=7\nFOO=bar\nRUN_ATTEMPTS=8\n");
    is $restart, "RUN_ATTEMPTS is '2' in force, and '8' in the file: it needs a restart", 'wrong names stop no start by themselves';
    is $doubtful, "$file:2: DRYRUN is no setting; is DRY_RUN meant?\n$file:4: FOO is no setting; `job-rerunner help' lists them\n"
        . "RUN_ATTEMPTS: has another value in line 5 than in line 3 of '$file'; the last one counts", 'but are told, all of them';
    is $reload->("STATE_DIR=/elsewhere\nRUN_ATTEMPTS=7\n"), '', "another service's file";
    unlike $reloaded->log->text, qr/s3cret/, 'no secret';
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
    write_file($file, "STATE_DIR=@{[ $service->state_dir ]}\nFOO=bar\nREPO_BRANCHES=main # only main\nRUN_ATTEMPTS=x\n");
    $status = tool(['status', '--env-file', $file]);
    is $status->{status}, EX_CONFIG, 'and wrong values: exit 78';
    like $status->{err}, qr/^\Q$file\E:2: FOO is no setting.*\nRUN_ATTEMPTS: 'x' .*\nREPO_BRANCHES: 'main # only main' .*comment.*\n\z/m,
        'both at once';
};

subtest 'check --names' => sub {
    my $file = tmpdir() . '/only-names.env';
    my $look = sub {
        my ($text, @more) = @_;
        write_file($file, $text);
        # What systemd has read of the same file is in the environment, too.
        return tool(['check', '--names', '--env-file', $file, @more], STATE_DIR => $service->state_dir, FOO => 'bar');
    };
    my $good = $look->("REPOS=octo/*\nhttps_proxy=http://127.0.0.1:9\nRUN_ATTEMPTS=x\n");
    is_deeply [@{$good}{qw(status out err)}], [0, '', ''], 'names are good; values are for the start, which ends with 78';
    my $bad = $look->("FOO=bar\nRUN_ATTEMPTS=x\nNO_RETRY_REPOSITORIES=octo/s3cret\n");
    is $bad->{status}, EX_CONFIG, 'wrong names: exit 78';
    like $bad->{err}, qr/\Q$file\E:1: FOO is no setting.*\Q$file\E:3: NO_RETRY_REPOSITORIES is no setting; is NO_RETRY_REPOS meant\?\nRUN_ATTEMPTS: 'x'/s,
        'and all that is wrong';
    unlike $bad->{err}, qr/s3cret/, 'without values';
    my $twice = $look->("REPOS=octo/a\nREPOS=octo/b\n");
    is $twice->{status}, 0, 'a name that stands twice is taken';
    is $twice->{out}, "REPOS                  doubtful: has another value in line 2 than in line 1 of '$file'; the last one counts\n", 'and told';
    is_deeply [map { $_->{setting} } @{ $JSON->decode($look->("REPOS=a/b\nREPOS=a/c\n", '--json')->{out})->{doubts} }], ['REPOS'], 'as JSON';
    is tool(['check', '--names', '--env-file', "$file.none"])->{status}, 0, 'no file is good';
    is tool(['check', '--names', '--in-force', '--env-file', $file])->{status}, EX_USAGE, 'not both';
};

finish();
