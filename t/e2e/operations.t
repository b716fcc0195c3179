#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What the documents tell administrators to do, done: secrets are changed under load, a
# backup is made and restored, the service moves to another host, a second one stands
# beside the first.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use File::Path qw(make_path);
use IO::Socket::UNIX;
use Test::More;
use Time::HiRes qw(time);
use JR::Document;
use JR::File qw(read_file write_file);
use JR::Http;
use JR::Load qw(CLIENTS load);
use JR::Nginx;
use JR::Process qw(spawn reap);
use JR::Test;
use JR::TlsAuthority;

my $github = github();

# A service whose socket stays while it restarts, as systemd's does.
sub lasting_service {
    my $service = service(github => $github, @_);
    my $listener = IO::Socket::UNIX->new(Listen => 128, Local => $service->socket_path) or die $!;
    chmod 0660, $service->socket_path;
    return ($service->start_service(listener => $listener), $listener);
}

sub restart {
    my ($service, $listener, %env) = @_;
    $service->stop_service;
    $service->{env} = { %{ $service->{env} }, %env };
    return $service->start_service(listener => $listener);
}

subtest 'the secret of the webhook is changed, and every delivery is taken' => sub {
    my ($old, $new) = map {"a-key-for-tests-of-changing-keys-$_"} qw(old new);
    my ($service, $listener) = lasting_service(GITHUB_SIGN_KEY => $old);
    $service->start_nginx;
    my $hook = write_file(tmpdir() . '/hook', $old);    # what GitHub signs with
    my @steps = (
        sub { restart($service, $listener, GITHUB_SIGN_KEY => $new, GITHUB_SIGN_KEY_OLD => $old) },
        sub { write_file($hook, $new) },
        sub { restart($service, $listener, GITHUB_SIGN_KEY_OLD => undef) },
        sub {undef},    # which ends it
    );
    my (%since, %status);
    my $stepped = 0;
    load($service->http, sub {
        my ($i, $status, $began) = @_;
        $status{$status}++;
        # Answers that came while a step was made are read after it.
        $since{ $i % CLIENTS }++ if $began > $stepped;
        # All have begun one since the last step: what was under way then has arrived.
        return 1 if grep { !$since{$_} } 0 .. CLIENTS - 1;
        %since = ();
        my $goes_on = (shift @steps)->();
        $stepped = time;
        return $goes_on;
    }, (sub { return delivery(job_event(run_id => next_id(), action => 'queued'), key => read_file($hook)) }) x 20_000);
    is scalar @steps, 0, 'each step was made';
    is_deeply [keys %status], [202], 'none was refused' or diag explain(\%status);
    my $late = delivery(job_event(run_id => next_id(), action => 'queued'), key => $old);
    status_is $service->http->send($late), 403, 'the old one is of no use any more';
    $service->stop_service;
};

subtest 'the token is changed, and what was due is rerun with the new one' => sub {
    my ($service, $listener) = lasting_service();
    my $run = workflow_run(github => $github, door => $service->fastcgi, jobs => ['build']);
    # GitHub takes neither, so that nothing can be done before.
    $github->set_tokens('ghp_nobodys-00000000000000000000000001');
    status_is $run->play(build => 'failure'), 201, 'a run fails while the token is no good';
    wait_ok { $service->log->count('calls-stopped') } 'GitHub is not called any more';
    $github->set_tokens('ghp_the-new-token-00000000000000000002');
    restart($service, $listener, GITHUB_TOKEN => 'ghp_the-new-token-00000000000000000002');
    wait_ok { $run->accepted } 'after the restart it is rerun';
    is scalar $run->accepted, 1, 'once';
    $github->set_tokens(JR::Service::token());
    $service->stop_service;
};

my ($install, $operate) = map { read_file(srcdir() . "/doc/$_.md") } qw(install operate);

# The lines of code that a document has under a title.
sub code { return join '', JR::Document::code(JR::Document::section(@_)) }

# The lines of nginx's that the document shows under a title.
sub nginx_lines { return join "\n", code(@_) =~ /^(proxy_\w+ .*;)$/mg }

# The document's commands of that kind under a title, for a host in a folder.
sub do_as_told {
    my ($text, $title, $kind, $host, %env) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my @commands = grep { /^(?:$kind)/ } split /\n/, code($text, $title) =~ s/\\\n +//gr;
    my $commands = join "\n", map { s{(?<!\S)/(?=var/)}{$host/}gr =~ s/ -[og] job-rerunner//gr } @commands;
    my $pid = spawn(
        argv => ['/bin/sh', '-eu', '-c', $commands], env => { PATH => tmpdir() . ':/usr/bin:/bin', %env }, out => "$host/said",
    );
    ok scalar @commands, $title;
    is reap($pid), 0, 'what it tells to do works' or diag "$commands\n", read_file("$host/said");
    return;
}

subtest 'a backup is made and restored' => sub {
    my $host = tmpdir() . '/backup';
    my $service = service(github => $github)->start;
    make_path("$host/var/lib");
    symlink $service->state_dir, "$host/var/lib/job-rerunner" or die "symlink: $!";
    my ($kept, $lost) = map { next_id() } 1 .. 2;
    status_is $service->http->send(delivery(job_event(run_id => $kept, action => 'queued'))), 202, 'a run';
    my $copies = qr{install -d /var/backups|job-rerunner backup };
    do_as_told($install, 'Moving to another host', $copies, $host, STATE_DIR => $service->state_dir);
    do_as_told($operate, 'Backup', $copies, $host, STATE_DIR => $service->state_dir);
    status_is $service->http->send(delivery(job_event(run_id => $lost, action => 'queued'))), 202, 'a run after it';
    $service->stop_service;
    do_as_told($operate, 'Backup', qr/cd |mkdir |install -o /, $host);
    my ($uid, $gid) = (stat $service->state_dir)[4, 5];
    chown $uid, $gid, $service->state_dir . '/data.mdb';
    $service->start_service;
    my $runs = tool(['runs'], STATE_DIR => $service->state_dir)->{out};
    like $runs, qr/ $kept /, 'what the backup knows is back';
    unlike $runs, qr/ $lost /, 'the rest is not';
    $service->stop_service;

    # Who comes to a socket that is left starts the service, in the middle of it all.
    my %text = (
        'Backup' => code($operate, 'Backup'), 'Moving' => code($install, 'Moving to another host'),
        'job-rerunner(8)' => read_file(srcdir() . '/doc/job-rerunner.8'),
    );
    for my $where (sort keys %text) {
        my @stops = $text{$where} =~ /^ *systemctl stop (.*)$/mg;
        is "@stops", 'job-rerunner.socket job-rerunner.service', "$where: the socket is stopped too";
    }
};

subtest 'it moves to another host' => sub {
    my $old = service(github => $github, RERUN_DELAY => '1s', RECONCILE_INTERVAL => '100ms', pages => 'status')->start;
    my %run = map { $_ => workflow_run(github => $github, door => $old->http, jobs => ['build']) } qw(rerun due);
    status_is $run{rerun}->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run{rerun}->accepted } 'and is rerun';
    # Runs from before the first event of their repository are not looked for.
    my $first_s = time;
    wait_ok { time > $first_s } 'a second goes by';
    $run{unheard} = workflow_run(github => $github, door => $old->http, jobs => ['build']);
    status_is $run{due}->play(build => 'failure'), 201, 'another one fails';
    $old->stop_service;

    my $backup = tmpdir() . '/move';
    my $told = tool(['backup', $backup], STATE_DIR => $old->state_dir);
    is $told->{status}, 0, 'the store goes along' or diag $told->{err};
    $run{unheard}->completed(build => 'failure', event => 0);
    $run{unheard}->finish('failure');

    my $new = service(github => $github, RECONCILE_INTERVAL => '100ms', STATE_DIR => $backup)->start;
    wait_ok { $run{due}->accepted } 'what was due is rerun';
    wait_ok { $run{unheard}->accepted } 'so is what nobody heard of';

    my $lines = nginx_lines($install, 'Moving to another host');
    like $lines, qr/^proxy_pass https:.*\n(?:proxy_.*\n)+/, 'how the old host hands on';
    my $cert = JR::TlsAuthority->new(tmpdir() . '/authority')->issue('DNS:reruns.example.org');
    my $tls = JR::Nginx->start(dir => tmpdir() . '/tls', server => <<"CONF");
server {
    listen unix:@{[ tmpdir() ]}/tls.sock ssl;
    ssl_certificate $cert->{chain};
    ssl_certificate_key $cert->{key};
    location / { proxy_pass http://unix:$new->{dir}/http.sock; }
}
CONF
    my $front = JR::Nginx->start(dir => tmpdir() . '/front', server => <<"CONF");
server {
    listen unix:@{[ tmpdir() ]}/front.sock;
    location / {
        @{[ $lines =~ s{https://NEW-ADDRESS}{https://unix:@{[ tmpdir() ]}/tls.sock}r ]}
    }
}
CONF
    my $door = JR::Http->new(unix => tmpdir() . '/front.sock');
    my $late = workflow_run(github => $github, door => $door, jobs => ['build']);
    # 202: it was looked for and found before.
    status_is $late->play(build => 'failure'), '201|202', 'a webhook at the old address';
    wait_ok { $late->accepted } 'is worked on by the new host';
    is scalar $_->accepted, 1, 'once' for values %run, $late;
    $_->stop for $front, $tls;
    $new->stop_service;
};

subtest 'two services on one host' => sub {
    my @both = map { service(github => $github)->start } 1 .. 2;
    for my $service (@both) {
        my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
        status_is $run->play(build => 'failure'), 201, 'a run fails';
        wait_ok { $run->accepted } 'and is rerun';
        is scalar $run->accepted, 1, 'once';
    }
    $_->stop_service for @both;

    # The document's commands, in a host of our own.
    my $host = tmpdir() . '/host';
    my $units = "$host/usr/local/lib/systemd/system";
    make_path($units, map {"$host/etc/$_"} qw(systemd/system job-rerunner nginx/conf.d));
    my $bin = binary() =~ s{/[^/]*$}{}r;
    write_file("$units/job-rerunner.$_", read_file(srcdir() . "/conf/job-rerunner.$_")) for 'socket';
    write_file("$units/job-rerunner.service", read_file(srcdir() . '/conf/job-rerunner.service.in') =~ s/\@(?:bindir|docdir)\@/$bin/gr);
    my $cert = JR::TlsAuthority->new("$host/authority")->issue('DNS:reruns.example.org');
    my $example = read_file(srcdir() . '/nginx.conf.example');
    $example =~ s{^(\s*ssl_certificate) [^;]*}{$1 $cert->{chain}}mg;
    $example =~ s{^(\s*ssl_certificate_key) [^;]*}{$1 $cert->{key}}mg;
    $example =~ s{/var/log/nginx/}{$host/}g;
    $example =~ s{^\s*listen \[::\].*$}{}mg;
    $example =~ s{include fastcgi_params;}{include /etc/nginx/fastcgi_params;}g;
    write_file("$host/etc/nginx/conf.d/job-rerunner.conf", $example);

    my $commands = code($install, 'Two services on one host');
    $commands =~ s/^(?:systemctl|job-rerunner) .*$//mg;
    $commands =~ s{(?<![\w/])/(?=(?:etc|usr)/)}{$host/}g;
    my $pid = spawn(
        argv => ['/bin/sh', '-eu', '-c', $commands], env => { PATH => '/usr/bin:/bin' }, out => "$host/said",
        stdin => do { open my $null, '<', '/dev/null'; $null },
    );
    is reap($pid), 0, 'the commands do' or diag read_file("$host/said");

    my @lines = map { [split /\n/, read_file($_)] } "$units/job-rerunner.service", "$host/etc/systemd/system/job-rerunner-two.service";
    for my $line (qw(User=job-rerunner Group=job-rerunner), "ExecStart=$bin/job-rerunner", "ExecReload=-$bin/job-rerunner check --in-force") {
        is scalar(grep { $_ eq $line } @{ $lines[1] }), 1, "$line stays";
    }
    unlike join("\n", grep { !/^#|^(?:User|Group|Exec\w+|Documentation)=/ } @{ $lines[1] }), qr/job-rerunner(?!-two)/,
        'nothing else is shared';
    # Where there is none, systemd goes on without.
    my ($settings) = map { /^EnvironmentFile=-(\S+)/ ? $1 : () } @{ $lines[1] };
    ok -f "$host$settings", "its settings: $settings"
        and is read_file("$host$settings"), "STATE_DIR=/var/lib/job-rerunner-two\n", 'which name its store';
    is_deeply [code($install, 'Two services on one host') =~ /--env-file (\S+)/g], [$settings], 'the tool is told of the same';
    my ($looked_at) = map { /^ExecStartPre=\+\Q$bin\E\/job-rerunner check --names --env-file (\S+)$/ ? $1 : () } @{ $lines[1] };
    is $looked_at, $settings, 'and names are looked for there';
    like read_file("$host/etc/systemd/system/job-rerunner-two.socket"), qr{^ListenStream=/run/job-rerunner-two/fcgi\.sock$}m, 'its socket';

    my $verify = spawn(
        argv => ['/usr/bin/systemd-analyze', 'verify', '--man=no', map {"$host/etc/systemd/system/job-rerunner-two.$_"} qw(socket service)],
        env => { PATH => '/usr/bin:/bin' }, out => "$host/verify",
    );
    SKIP: {
        skip 'no systemd-analyze', 1 if !-x '/usr/bin/systemd-analyze';
        is reap($verify), 0, 'systemd takes the units' or diag read_file("$host/verify");
    }

    write_file("$host/nginx.conf", join "\n", "pid $host/nginx.pid;", 'events {}', 'http {',
        (map {"${_}_temp_path $host/temp-$_;"} qw(client_body proxy fastcgi uwsgi scgi)),
        "include $host/etc/nginx/conf.d/*.conf;", '}');
    my $test = spawn(
        argv => [JR::Nginx::binary(), '-t', '-e', 'stderr', '-c', "$host/nginx.conf", '-p', "$host/"],
        env => { PATH => '/usr/bin:/bin' }, out => "$host/nginx.said",
    );
    is reap($test), 0, 'nginx takes both' or diag read_file("$host/nginx.said");
    unlike read_file("$host/nginx.said"), qr/\[(?:warn|emerg)\]/, 'without a warning' or diag read_file("$host/nginx.said");
    my $second = read_file("$host/etc/nginx/conf.d/job-rerunner-two.conf");
    like $second, qr{unix:/run/job-rerunner-two/fcgi\.sock}, 'the second one hands to the second service';
    unlike $second =~ s/^\s*#.*$//mgr, qr/job_rerunner(?!_two)|reruns\.example|job-rerunner(?!-two)/, 'and shares nothing with the first';
};

finish();
