#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Settings and the administrator's tool: wrong values stop the start, all of
# them reported at once; secrets come in by three ways and never out.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Process qw(spawn reap by_cmdline by_folder);
use JR::Test;

use constant {
    EX_USAGE     => 2,
    EX_CANTCREAT => 73,
    EX_CONFIG    => 78,
};

my $KEY     = 'the-signing-key-that-nobody-may-see-1';
my $OLD_KEY = 'the-older-key-that-nobody-may-see-2';
my $TOKEN   = 'ghp_the-token-that-nobody-may-see-3';

my $state = tmpdir() . '/state';
mkdir $state, 0700;
my %good = (GITHUB_SIGN_KEY => $KEY, GITHUB_TOKEN => $TOKEN, STATE_DIR => $state, MAP_SIZE => '16M');

sub check { return tool(['check'], %good, @_) }

sub secret_file {
    my ($name, $text) = @_;
    my $path = tmpdir() . "/$name";
    open my $fh, '>', $path or die "$path: $!";
    print {$fh} $text;
    close $fh;
    return $path;
}

subtest 'usage, help, version' => sub {
    my $usage = tool([]);
    is $usage->{status}, EX_USAGE, 'no arguments, no request: exit 2';
    like $usage->{err}, qr/usage/i, 'usage on standard error';
    is $usage->{out}, '', 'nothing on standard output';
    for my $word (qw(--help help)) {
        my $help = tool([$word]);
        is $help->{status}, 0, "$word: exit 0";
        like $help->{out}, qr/\b$_\b/, "$word tells of $_" for qw(check RUN_ATTEMPTS GITHUB_SIGN_KEY STATE_DIR);
        is $help->{err}, '', 'nothing on standard error';
    }
    my $version = tool(['--version']);
    is $version->{status}, 0, '--version: exit 0';
    like $version->{out}, qr/^job-rerunner \d+\.\d+/, 'name and number';
    for my $args (['--nonsense'], ['nonsense'], ['check', 'more']) {
        my $wrong = tool($args, %good);
        is $wrong->{status}, EX_USAGE, "@$args: exit 2";
        isnt $wrong->{err}, '', "@$args: and why";
    }
};

subtest 'check shows what it would run with' => sub {
    my $check = check(NO_RETRY_LIST => 'robot,Other', RERUN_DELAY => '90s', GITHUB_SIGN_KEY_OLD => $OLD_KEY);
    is $check->{status}, 0, 'exit 0' or diag $check->{err};
    like $check->{out}, qr/\b$_\b/, $_ for qw(
        RUN_ATTEMPTS NO_RETRY_LIST REPO_BRANCHES REPOS NO_RETRY_REPOS NO_RETRY_WORKFLOWS RETRY_CONCLUSIONS
        GITHUB_TOKEN GITHUB_SIGN_KEY GITHUB_SIGN_KEY_OLD GITHUB_API_URL GITHUB_CA_FILE RERUN_DELAY API_BACKOFF_MIN
        API_BACKOFF_MAX API_WRITE_INTERVAL API_READS RECONCILE_INTERVAL CATCH_UP STATE_DIR MAP_SIZE RETENTION WORKERS
        BODY_MAX LISTEN PORT DRY_RUN LOG_LEVEL POLICY EVIDENCE LOG_TAIL NOTIFY_URL NOTIFY_ON NOTIFY_BRANCHES NOTIFY_FORMAT
    );
    like $check->{out}, qr/robot,Other/, 'a value';
    unlike $check->{out} . $check->{err}, qr/nobody-may-see/, 'no secret';
};

# name => [values that are refused], [values that are taken]
my %VALUES = (
    RUN_ATTEMPTS       => [[qw(0 -1 51 four 4.5 4x), '4 4'],        [qw(1 4 50)]],
    RETRY_CONCLUSIONS  => [['failed', 'failure;timed_out', 'success'], ['failure', 'FAILURE,timed_out', 'failure, cancelled']],
    GITHUB_API_URL     => [['api.github.com', 'ftp://x', 'https://', 'https://x?y', "https://x y"],
                           ['https://api.github.com', 'http://127.0.0.1:8080/api/v3']],
    NOTIFY_ON          => [['given', 'given-up;outage', 'test'],   ['given-up', 'Shut-Out, outage-over']],
    NOTIFY_FORMAT      => [[qw(xml slack)],                         [qw(json CloudEvents)]],
    GITHUB_CA_FILE     => [['/nowhere/ca.pem'],                     ['/etc/passwd']],
    RERUN_DELAY        => [[qw(5x s -5s 1.5s 5sm 5M), '5 s x', '99999999999999999999'], [qw(5 5s 100ms 2m 1h 0)]],
    API_BACKOFF_MIN    => [[qw(x -1)],                              [qw(50ms 10s)]],
    API_BACKOFF_MAX    => [[qw(x 1s)],                              [qw(10m)]],
    API_WRITE_INTERVAL => [[qw(x)],                                 [qw(1s 0)]],
    API_READS          => [[qw(0 17 x)],                            [qw(1 16)]],
    RECONCILE_INTERVAL => [[qw(never)],                             [qw(0 5m)]],
    CATCH_UP           => [[qw(x)],                                 [qw(24h 1d)]],
    MAP_SIZE           => [[qw(x 16T -1 0)],                        [qw(16M 1G)]],
    RETENTION          => [[qw(x)],                                 [qw(90d)]],
    WORKERS            => [[qw(0 -3 many 100000)],                  [qw(1 16)]],
    BODY_MAX           => [[qw(x 0 4MB)],                           [qw(100k 4M 1048576)]],
    PORT               => [[qw(0 65536 http)],                      [qw(1 5000 65535)]],
    DRY_RUN            => [[qw(maybe 2)],                           [qw(yes no)]],
    POLICY             => [[qw(carefull all /nowhere/policy.yml)],  [qw(everything careful infrastructure)]],
    EVIDENCE           => [[qw(sometimes)],                         [qw(auto always never)]],
    LOG_TAIL           => [[qw(x -1 17M)],                          [qw(0 64k 16M)]],
    LOG_LEVEL          => [[qw(loud)],                              [qw(error warn info debug)]],
    CLUSTER_ETCD       => [['etcd:2379', 'https://x/v3', 'ftp://x'], ['https://a:2379,https://b:2379', 'http://127.0.0.1:2379']],
    CLUSTER_NAME       => [['a b', 'x/y', 'n' x 33],                [qw(job-rerunner prod.1)]],
    CLUSTER_LEASE      => [[qw(9s 6m x)],                           [qw(10s 60s 5m)]],
    CLUSTER_TAKEOVER   => [[qw(59s 2h x)],                          [qw(60s 90s 1h)]],
);
for my $name (sort keys %VALUES) {
    subtest $name => sub {
        my ($bad, $fine) = @{ $VALUES{$name} };
        for my $value (@$bad) {
            my $check = check($name => $value);
            is $check->{status}, EX_CONFIG, "'$value' is refused";
            like $check->{err}, qr/\b$name\b/, 'by name';
            like $check->{err}, qr/\Q$value\E/, 'with the value' if $name ne 'API_BACKOFF_MAX';
        }
        for my $value (@$fine) {
            my $check = check($name => $value);
            is $check->{status}, 0, "'$value' is taken" or diag $check->{err};
        }
    };
}

subtest 'several hosts: what belongs together' => sub {
    my @etcd = (CLUSTER_ETCD => 'https://etcd.example.org:2379');
    my $check = check(@etcd, CLUSTER_USER => 'rerunner');
    is $check->{status}, EX_CONFIG, 'a user without a password';
    like $check->{err}, qr/CLUSTER_PASSWORD\b.*required with CLUSTER_USER/, 'is told';
    is check(@etcd, CLUSTER_PASSWORD => 'secret')->{status}, EX_CONFIG, 'a password without a user';
    is check(@etcd, CLUSTER_CERT_FILE => '/etc/passwd')->{status}, EX_CONFIG, 'a certificate without its key';
    is check(@etcd, CLUSTER_USER => 'rerunner', CLUSTER_PASSWORD => 'secret')->{status}, 0, 'both';
    like check(CLUSTER_USER => 'rerunner')->{err} . check(CLUSTER_USER => 'rerunner')->{out}, qr/CLUSTER_ETCD is not/, 'a user without etcd counts for nothing';
    my $plain = check(CLUSTER_ETCD => 'http://etcd.example.org:2379');
    like $plain->{err} . $plain->{out}, qr/http to another host/, 'plain http is doubtful';
    my $says = check(@etcd, COMMANDS => 'yes');
    like $says->{err} . $says->{out}, qr/COMMANDS.*one host only/, 'who says something on each host';
};

subtest 'what is missing' => sub {
    my $none = tool(['check'], STATE_DIR => $state);
    is $none->{status}, EX_CONFIG, 'nothing is set';
    like $none->{err}, qr/\b$_\b/, "$_ is named" for qw(GITHUB_SIGN_KEY GITHUB_TOKEN);
    is check(GITHUB_TOKEN => '')->{status}, EX_CONFIG, 'an empty token';
    is check(GITHUB_SIGN_KEY => '')->{status}, EX_CONFIG, 'an empty key';
    is tool(['check'], STATE_DIR => $state, GITHUB_SIGN_KEY => $KEY, DRY_RUN => 'yes', MAP_SIZE => '16M')->{status}, 0,
        'a dry run needs no token';
};

my %wrong = (
    RUN_ATTEMPTS => 'none', RERUN_DELAY => 'soon', WORKERS => 0, BODY_MAX => 'big', LOG_LEVEL => 'loud',
    DRY_RUN => 'perhaps', PORT => 99999, GITHUB_API_URL => 'github', RETRY_CONCLUSIONS => 'all',
);

subtest 'all that is wrong is reported at once' => sub {
    my $tool = check(%wrong, GITHUB_SIGN_KEY => undef);
    is $tool->{status}, EX_CONFIG, 'check: exit 78';
    like $tool->{err}, qr/\b$_\b/, "check: $_" for sort keys %wrong, 'GITHUB_SIGN_KEY';

    my $log = tmpdir() . '/wrong.log';
    my $pid = spawn(
        argv => ['/usr/bin/spawn-fcgi', '-n', '-s', tmpdir() . '/wrong.sock', '--', binary()],
        env  => { PATH => '/usr/bin:/bin', %good, %wrong },
        out  => $log,
    );
    is reap($pid) >> 8, EX_CONFIG, 'service: exit 78';
    my $text = JR::Log->new($log)->text;
    like $text, qr/\b$_\b/, "service: $_" for sort keys %wrong;

    my $cgi = service(%wrong);
    my $answer = $cgi->cgi->send(delivery(job_event(run_id => next_id(), action => 'queued')));
    ok !$answer || $answer->status >= 500, 'a CGI request is not answered as if all were well';
};

subtest 'a store that cannot be opened' => sub {
    my $file = secret_file('not-a-folder', '');
    my $check = check(STATE_DIR => $file);
    is $check->{status}, EX_CANTCREAT, 'check: exit 73';
    like $check->{err}, qr/\Q$file\E/, 'and where';
    my $log = tmpdir() . '/no-store.log';
    my $pid = spawn(
        argv => ['/usr/bin/spawn-fcgi', '-n', '-s', tmpdir() . '/no-store.sock', '--', binary()],
        env  => { PATH => '/usr/bin:/bin', %good, STATE_DIR => $file },
        out  => $log,
    );
    is reap($pid) >> 8, EX_CANTCREAT, 'service: exit 73';
    like +JR::Log->new($log)->text, qr/\Q$file\E/, 'and where';
};

subtest 'secrets from files' => sub {
    my %file = (
        GITHUB_SIGN_KEY_FILE     => secret_file('key', "$KEY\n"),
        GITHUB_SIGN_KEY_OLD_FILE => secret_file('old-key', $OLD_KEY),
        GITHUB_TOKEN_FILE        => secret_file('token', "$TOKEN\n"),
    );
    my $check = check(GITHUB_SIGN_KEY => undef, GITHUB_TOKEN => undef, %file);
    is $check->{status}, 0, 'taken' or diag $check->{err};
    unlike $check->{out}, qr/nobody-may-see/, 'not shown';
    my $missing = check(GITHUB_TOKEN => undef, GITHUB_TOKEN_FILE => tmpdir() . '/nothing');
    is $missing->{status}, EX_CONFIG, 'a file that is not there';
    like $missing->{err}, qr/GITHUB_TOKEN_FILE/, 'is named';
};

# The secrets work, and are found in no place where they could be read.
sub keeps_secrets {
    my ($name, %settings) = @_;
    subtest "service with secrets $name" => sub {
        my $github = github(tokens => [$TOKEN]);
        my $service = service(
            github => $github, GITHUB_SIGN_KEY => undef, GITHUB_TOKEN => undef, LOG_LEVEL => 'debug', %settings,
        )->start;
        my $answer = $service->http->send(
            delivery(job_event(run_id => next_id(), action => 'queued'), key => $KEY));
        status_is $answer, 202, 'the key';
        status_is $service->http->send(delivery('{}', key => 'wrong')), 403, 'a wrong key';
        my $run = run_event(run_id => next_id(), action => 'completed', conclusion => 'failure');
        $github->put_run(id => $run->{workflow_run}{id}, repo => 'octo/app', status => 'completed',
            conclusion => 'failure', jobs => [{ name => 'a', status => 'completed', conclusion => 'failure' }]);
        status_is $service->http->send(delivery($run, key => $KEY)), 201, 'a failure';
        wait_ok { $github->accepted_posts($run->{workflow_run}{id}) } 'the token';

        my @pids = ($service->master, $service->children);
        # Of ours: somebody else may look for that word.
        my %ours = map { $_ => 1 } by_folder(tmpdir());
        ok !(grep { $ours{$_} } by_cmdline('nobody-may-see')), 'no command line';
        if ($> == 0) {
            my $dispatcher = $service->dispatcher // 0;
            for my $pid (@pids) {
                open my $fh, '<', "/proc/$pid/environ" or next;
                my $environ = do { local $/; <$fh> } // '';
                unlike $environ, qr/\Q$TOKEN\E/, "no token in the environment of $pid"
                    if $pid != $dispatcher && $pid != $service->master;
                unlike $environ, qr/\Q$KEY\E/, 'no key in that of the dispatcher' if $pid == $dispatcher;
            }
        }
        $service->stop_service;
        unlike $service->log->text, qr/nobody-may-see/, 'not in the log';
        for my $file (grep {-f} glob $service->state_dir . '/*') {
            open my $fh, '<:raw', $file or die "$file: $!";
            my $content = do { local $/; <$fh> };
            unlike $content, qr/nobody-may-see/, "not in $file";
        }
    };
    return;
}

my $credentials = tmpdir() . '/credentials';
mkdir $credentials;
secret_file('credentials/github_sign_key', $KEY);
secret_file('credentials/github_token', "$TOKEN\n");

keeps_secrets('from the environment', GITHUB_SIGN_KEY => $KEY, GITHUB_TOKEN => $TOKEN);
keeps_secrets('from files', GITHUB_SIGN_KEY_FILE => tmpdir() . '/key', GITHUB_TOKEN_FILE => tmpdir() . '/token');
keeps_secrets('from systemd credentials', CREDENTIALS_DIRECTORY => $credentials);

finish();
