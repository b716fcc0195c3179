#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What conf/ and nginx.conf.example offer for a real host is accepted by the
# programs that read it, and names the settings that the program has.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use MIME::Base64 qw(encode_base64);
use Test::More;
use JR::FakeGitHub;
use JR::Http;
use JR::Nginx;
use JR::Process qw(spawn reap);
use JR::Test;
use JR::TlsAuthority;

my $tmp = tmpdir();

sub text {
    my ($name) = @_;
    open my $fh, '<', $name or die "$name: $!";
    local $/;
    return <$fh> // '';
}

sub write_text {
    my ($name, $text) = @_;
    open my $fh, '>', $name or die "$name: $!";
    print {$fh} $text;
    close $fh or die "$name: $!";
    return $name;
}

# Run something to its end: (status, everything it wrote).
my $runs = 0;
sub run {
    my (@argv) = @_;
    my $log    = "$tmp/run" . ++$runs;
    my $status = reap(spawn(argv => \@argv, env => { PATH => '/usr/sbin:/usr/bin:/sbin:/bin' }, out => $log));
    return ($status, text($log));
}

my $example = text(srcdir() . '/nginx.conf.example');

# The example with what stands behind a # in the section of the pages: a password.
sub with_password {
    my ($text, $file) = @_;
    $text =~ s/^( +)#(satisfy any;|auth_basic [^;]*;|auth_basic_user_file )/$1$2/mg;
    $text =~ s{/etc/nginx/job-rerunner\.htpasswd;}{$file;};
    return $text;
}

subtest 'nginx.conf.example' => sub {
    my $cert = JR::TlsAuthority->new("$tmp/authority")->issue('DNS:reruns.example.org');

    # Nothing but the certificate and what only root may touch is replaced.
    my $changed = $example =~ s{^(\s*ssl_certificate) [^;]*}{$1 $cert->{chain}}mr;
    $changed =~ s{^(\s*ssl_certificate_key) [^;]*}{$1 $cert->{key}}m;
    $changed =~ s{/var/log/nginx/}{$tmp/}g;
    isnt($changed, $example, 'the certificate is replaced');
    my $temp = join "\n", map {"${_}_temp_path $tmp/temp-$_;"} qw(client_body proxy fastcgi uwsgi scgi);
    my $conf = write_text("$tmp/nginx.conf", <<"CONF");
pid $tmp/nginx.pid;
error_log stderr;
events {}
http {
$temp
$changed
}
CONF
    my ($status, $said) = run(JR::Nginx::binary(), '-t', '-e', 'stderr', '-c', $conf, '-p', "$tmp/");
    # Where there is no IPv6, [::]: cannot be tried.
    if ($said =~ /Address family not supported/) {
        $changed =~ s/^\s*listen \[::\].*$//mg;
        write_text($conf, text($conf) =~ s/^\s*listen \[::\].*$//mgr);
        ($status, $said) = run(JR::Nginx::binary(), '-t', '-e', 'stderr', '-c', $conf, '-p', "$tmp/");
    }
    is($status, 0, 'nginx -t') or diag($said);
    unlike($said, qr/\[(?:warn|emerg)\]/, 'without a warning');

    write_text($conf, with_password(text($conf), "$tmp/htpasswd"));
    like(text($conf), qr/^\s+auth_basic "/m, 'the lines for a password');
    ($status, $said) = run(JR::Nginx::binary(), '-t', '-e', 'stderr', '-c', $conf, '-p', "$tmp/");
    is($status, 0, 'nginx -t with a password') or diag($said);
    unlike($said, qr/\[(?:warn|emerg)\]/, 'without a warning');
};

# The example served without TLS, by a service of ours; its port.
my @nginx;

sub serve_example {
    my ($service, $text) = @_;
    my $port   = JR::FakeGitHub::free_port();
    my $socket = $service->socket_path;
    $text =~ s/^    listen 443 ssl http2;$/    listen 127.0.0.1:$port;/m or die 'no listen';
    $text =~ s/^    listen \[::\]:443.*$//m;
    $text =~ s/^server \{\n    listen 80;.*\z//ms or die 'no redirect';
    $text =~ s/^\s*ssl_.*$//mg;
    $text =~ s{unix:/run/job-rerunner/fcgi\.sock}{unix:$socket};
    $text =~ s{/var/log/nginx/}{$tmp/}g;
    push @nginx, JR::Nginx->start(dir => "$tmp/example" . @nginx, server => $text);
    return $port;
}

# Basic authentication as RFC 7617 has it.
sub authorization { return ['Authorization', 'Basic ' . encode_base64($_[0], '')] }

subtest 'who may see the pages by nginx.conf.example' => sub {
    my $service = service()->start_service;
    my $get = sub {
        my ($port, $from, $path, %o) = @_;
        my $http = JR::Http->new(port => $port, from => $from);
        return $http->send({ method => 'GET', path => $path, headers => [], %o });
    };
    my ($here, $elsewhere) = qw(127.0.0.1 127.0.0.2);
    my %forged = (headers => [map { [$_, '127.0.0.1'] } qw(X-Forwarded-For X-Real-IP Forwarded Rerunner-Pages)]);

    my $port = serve_example($service, $example);
    status_is($get->($port, $here, '/status'), 200, 'this host: /status');
    like($get->($port, $here, '/metrics')->body, qr/^job_rerunner_workers \d+$/m, 'this host: /metrics');
    like($get->($port, $here, '/runs/1')->body, qr/Nothing is recorded/, 'this host: /runs/ID');
    for my $path (qw(/status /runs/1 /runs/ /metrics /healthz /x/../status)) {
        status_is($get->($port, $elsewhere, $path), 403, "another one: $path");
        status_is($get->($port, $elsewhere, $path, %forged), 403, "another one, with forged headers: $path");
    }
    for my $path (qw(/statusx /status/ /runs)) {
        my $answer = $get->($port, $elsewhere, $path, %forged);
        is($answer->body, "There is no such page.\n", "another one: $path is no page");
    }
    status_is($get->($port, $elsewhere, '/'), 200, 'another one: the greeting');
    my $event = delivery(job_event(run_id => next_id(), action => 'queued'));
    status_is(JR::Http->new(port => $port, from => $elsewhere)->send($event), 202, 'another one: the webhook');

    my $closed = serve_example($service, $example =~ s/^.*RERUNNER_PAGES.*$//mr);
    status_is($get->($closed, $here, $_), 404, "not named by nginx: $_") for qw(/status /runs/1 /metrics);

    my ($status, $hash) = run('/usr/bin/openssl', 'passwd', '-6', 'sesame');
    write_text("$tmp/htpasswd", "me:$hash");
    my $asking = serve_example($service, with_password($example, "$tmp/htpasswd"));
    status_is($get->($asking, $here, '/status'), 200, 'with a password: this host needs none');
    status_is($get->($asking, $elsewhere, '/status'), 401, 'another one does');
    status_is($get->($asking, $elsewhere, '/status', headers => [authorization('me:wrong')]), 401, 'the right one');
    status_is($get->($asking, $elsewhere, '/status', headers => [authorization('me:sesame')]), 200, 'this one');
    $_->stop for @nginx;
};

sub unit { my ($name) = @_; return text(srcdir() . "/conf/$name") }

subtest 'units' => sub {
    my ($status) = run('systemd-analyze', '--version');
    plan skip_all => 'no systemd-analyze' if $status != 0;
    my $dir = binary() =~ s{/[^/]*$}{}r;
    my @services = map {"$_.service"} qw(job-rerunner job-rerunner-spawn);
    my @files = write_text("$tmp/job-rerunner.socket", unit('job-rerunner.socket'));
    for my $name (@services) {
        my $text = unit("$name.in") =~ s/\@(?:bindir|docdir)\@/$dir/gr;
        unlike $text, qr/\@\w+\@/, "$name: nothing else is to be replaced";
        push @files, write_text("$tmp/$name", $text);
    }
    ($status, my $said) = run('systemd-analyze', 'verify', '--man=no', @files);
    is $status, 0, 'systemd-analyze verify' or diag $said;
    # Other units of this host may be complained of.
    unlike $said, qr/job-rerunner/, 'without a complaint' or diag $said;
    for my $name (@services) {
        ($status, $said) = run('systemd-analyze', 'security', '--offline=1', "$tmp/$name");
        my ($exposure) = $said =~ /exposure level for \S+: ([0-9.]+)/;
        cmp_ok $exposure // 10, '<=', 1.5, "$name: systemd-analyze security finds it hardened: " . ($exposure // 'no answer');
    }
};

# Both serve the same nginx, with the same settings, as the same user, so that one can be had for the other.
subtest 'two ways' => sub {
    my ($spawn, $plain) = map { unit("$_.service.in") } qw(job-rerunner-spawn job-rerunner);
    my ($socket) = $spawn =~ /^ExecStart=.* -s (\S+)/m;
    like unit('job-rerunner.socket'), qr/^ListenStream=\Q$socket\E$/m, 'the same socket';
    like $example, qr/server unix:\Q$socket\E /, 'which is that of nginx.conf.example';
    my $ours = sub { return [grep { !/^(?:#|Group=|Runtime|Standard|Also=|Conflicts=|Requires=|Exec(?!Reload)|After=job)/ } split /\n+/, $_[0]] };
    is_deeply $ours->($spawn), $ours->($plain), 'all else is the same';
    like $plain, qr/^$_$/m, "one has it from systemd: $_" for 'StandardInput=socket', 'Requires=job-rerunner.socket';
    like $plain, qr/^WatchdogSec=\d+$/m, 'and is watched';
};

subtest 'job-rerunner.sysusers' => sub {
    my $root = "$tmp/root";
    mkdir $_ or die "$_: $!" for map {"$root$_"} '', qw(/etc /usr /usr/lib /usr/lib/sysusers.d);
    write_text("$root/etc/passwd", "root:x:0:0:root:/root:/bin/sh\n");
    write_text("$root/etc/group", "root:x:0:\n");
    write_text("$root/usr/lib/sysusers.d/job-rerunner.conf", text(srcdir() . '/conf/job-rerunner.sysusers'));
    my ($status, $said) = run('systemd-sysusers', "--root=$root", 'job-rerunner.conf');
    if ($> != 0) {
        plan skip_all => 'systemd-sysusers wants to be root' if $status != 0;
    }
    is($status, 0, 'systemd-sysusers') or diag($said);
    like(text("$root/etc/passwd"), qr/^job-rerunner:/m, 'the user is made');
    my ($user) = text(srcdir() . '/conf/job-rerunner.service.in') =~ /^User=(.*)$/m;
    is($user, 'job-rerunner', 'and it is that of the unit');
};

# Name and default of each setting, from the example.
sub example_settings {
    return text(srcdir() . '/conf/job-rerunner.env.example') =~ /^#([A-Z_]+)=(.*)$/mg;
}

subtest 'job-rerunner.env.example' => sub {
    my %settings = example_settings();
    my $help = tool(['--help']);
    my %known = map { $_ => 1 } ($help->{out} . $help->{err}) =~ /\b([A-Z]+(?:_[A-Z]+)*)\b/g;
    for my $name (sort keys %settings) {
        ok($known{$name} || $known{ $name =~ s/_FILE$//r }, "$name is a setting of the program");
    }

    # With all defaults written out the program starts as without them.
    my %env = map { $_ => $settings{$_} } grep { length $settings{$_} } keys %settings;
    mkdir "$tmp/state", 0700 or die "state: $!";
    my %given = (
        STATE_DIR       => "$tmp/state",
        MAP_SIZE        => '64M',
        GITHUB_SIGN_KEY => 'a-signing-key-for-tests-only-000001',
        DRY_RUN         => 'yes',
    );
    my $plain = tool(['check'], %given);
    is($plain->{status}, 0, 'check, without the example') or diag($plain->{err});
    my $full = tool(['check'], %env, %given);
    is($full->{status}, 0, 'check, with it') or diag($full->{err});
    is($full->{out}, $plain->{out}, 'the defaults in it are those of the program');
};

finish();
