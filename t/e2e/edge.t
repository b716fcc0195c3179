#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# nginx.conf.example, served by a real nginx before a real service: TLS, who gets to
# what, what is handed on and what is not, and that no webhook is turned away.  And what
# the nginx of a container has.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use IO::Socket::UNIX;
use MIME::Base64 qw(encode_base64);
use Test::More;
use JR::FakeGitHub;
use JR::File qw(read_file write_file);
use JR::Http qw(read_all);
use JR::Load qw(all_at_once clients);
use JR::Nginx;
use JR::Process qw(spawn reap children_of session_of);
use JR::Test;
use JR::TlsAuthority;
use JR::Wait qw(wait_for);

use constant { HERE => '127.0.0.1', ELSEWHERE => '127.0.0.2', NAME => 'reruns.example.org' };

my $tmp  = tmpdir();
my $authority = JR::TlsAuthority->new("$tmp/authority");
my $cert = $authority->issue('DNS:' . NAME);

# Run something to its end: (status, everything it wrote).
my $runs = 0;
sub run {
    my ($argv, %o) = @_;
    my $log    = "$tmp/run" . ++$runs;
    my $status = reap(spawn(argv => $argv, env => { PATH => '/usr/sbin:/usr/bin:/sbin:/bin' }, out => $log, %o));
    return ($status, read_file($log));
}

my $example = read_file(srcdir() . '/nginx.conf.example');

# What it says should be in nginx.conf.
my $main = join "\n", $example =~ /^#   (worker_rlimit_nofile \d+;|events \{ worker_connections \d+; \})$/mg;

# What only the host that it was written for has.
sub fitted {
    my ($text) = @_;
    $text =~ s{/etc/ssl/certs/[^;]*}{$cert->{chain}}g;
    $text =~ s{/etc/ssl/private/[^;]*}{$cert->{key}}g;
    $text =~ s{/var/log/nginx/}{$tmp/}g;
    $text =~ s{include fastcgi_params;}{include /etc/nginx/fastcgi_params;}g;
    return $text;
}

# The example with what stands behind a # in it: lines for a password, and a server for unknown names.
sub with_password {
    my ($text, $file) = @_;
    $text =~ s/^( +)#(satisfy any;|auth_basic [^;]*;|auth_basic_user_file )/$1$2/mg;
    $text =~ s{/etc/nginx/job-rerunner\.htpasswd;}{$file;};
    return $text;
}

# A part of it, without its #.
sub uncommented { my ($part) = @_; return $part =~ s/^#(server \{|\}| {4}.*)$/$1/mgr }

sub with_default { my ($text) = @_; return $text =~ s/^(# Where nginx serves nothing else.*)/uncommented($1)/msre }

# What several hosts with one webhook need: to send on, and to be sent.
sub with_hosts {
    my ($text) = @_;
    $text =~ s/^ {4}#(mirror .*;|location = .*\{|\}| {4}.*)$/    $1/mg;
    $text =~ s/^(# With several hosts: .*?)(?=^$)/uncommented($1)/mse;
    return $text;
}

subtest 'nginx -t' => sub {
    my $temp = join "\n", map {"${_}_temp_path $tmp/temp-$_;"} qw(client_body proxy fastcgi uwsgi scgi);
    my %case = (
        'as it is'              => $example,
        'with a password'       => with_password($example, "$tmp/htpasswd"),
        'with a default server' => with_default($example),
        # No name of it leads anywhere here.
        'with several hosts'    => with_hosts($example) =~ s{(https://)host-\d[^:/]*}{$1@{[ HERE ]}}gr,
    );
    isnt($case{$_}, $example, "$_: not as it is") for grep {/^with/} keys %case;
    for my $name (sort keys %case) {
        my $text = fitted($case{$name});
        my ($status, $said);
        # Where there is no IPv6, [::]: cannot be tried.
        for my $try (1, 2) {
            my $conf = write_file("$tmp/nginx.conf", "pid $tmp/nginx.pid;\nerror_log stderr;\n$main\nhttp {\n$temp\n$text\n}\n");
            ($status, $said) = run([JR::Nginx::binary(), '-t', '-e', 'stderr', '-c', $conf, '-p', "$tmp/"]);
            last if $said !~ /Address family not supported/;
            $text =~ s/^\s*listen \[::\].*$//mg;
        }
        is($status, 0, "$name: accepted") or diag($said);
        unlike($said, qr/\[(?:warn|emerg)\]/, "$name: without a warning");
    }
};

# The example before a service of ours, on three ports: without TLS, with it, and the one of plain http.
my $count = 0;

sub serve_example {
    my ($service, $text, %o) = @_;
    my %port;
    @port{qw(plain tls http)} = JR::FakeGitHub::free_ports(3);
    my $socket = $service->socket_path;
    $text = fitted($text);
    # A busy machine takes its time. Tests wait for those between two proxies.
    $text =~ s/\b((?:fastcgi|client)_\w*timeout) \d+s;/$1 60s;/g;
    $text =~ s/\b(proxy_\w+_timeout) \d+s;/$1 10s;/g;
    $text =~ s/^    listen 443 ssl (.*);$/    listen 127.0.0.1:$port{tls} ssl $1;\n    listen 127.0.0.1:$port{plain} $1;/m or die 'no listen';
    $text =~ s/^    listen 443 ssl default_server;$/    listen 127.0.0.1:$port{tls} ssl default_server;/m;
    $text =~ s/^    listen 80;$/    listen 127.0.0.1:$port{http};/m or die 'no listen';
    $text =~ s/^    listen \[::\].*$//mg;
    $text =~ s{unix:/run/job-rerunner/fcgi\.sock}{unix:$socket};
    my $nginx = JR::Nginx->start(dir => "$tmp/example" . ++$count, main => $main, server => $text, %o);
    return ($nginx, \%port);
}

sub request {
    my ($port, $method, $path, %o) = @_;
    return JR::Http->new(port => $port, from => delete $o{from} // ELSEWHERE)
        ->send({ method => $method, path => $path, headers => [], %o });
}

sub queued { return delivery(job_event(run_id => next_id(), action => 'queued'), @_) }

sub webhook {
    my ($port, $path, %o) = @_;
    return request($port, 'POST', $path // '/', %{ queued() }, path => $path // '/', %o);
}

# The program has nothing of its answers kept, nginx does not care.
sub by { my ($answer) = @_; return $answer && $answer->header('Cache-Control') ? 'the program' : 'nginx' }

my $service = service(WORKERS => 2, RERUN_DELAY => '1h', DRY_RUN => 'yes', GITHUB_TOKEN => undef)->start_service;
my ($nginx, $port) = serve_example($service, with_default($example));
my $plain = $port->{plain};

subtest 'a webhook, whatever its path' => sub {
    for my $path (qw(/ /hook /status /runs/1 /metrics /healthz //status /status?x /a%2Fb/../c /?a=b)) {
        my $answer = webhook($plain, $path);
        status_is($answer, 202, "POST $path");
        is(by($answer), 'the program', "POST $path: by the program");
    }
    my $unsigned = request($plain, %{ queued(signature => undef) }{qw(method path)}, %{ queued(signature => undef) });
    status_is($unsigned, 403, 'without a signature');
    is($unsigned->reason, 'signature-missing', 'by the program');
};

subtest 'what else is asked for, from elsewhere' => sub {
    my @cases = (
        [GET    => '/'         => 200, 'the program'],
        [HEAD   => '/'         => 200, 'the program'],
        [GET    => '/?x'       => 200],
        [GET    => '//'        => 404, 'the program'],
        [PUT    => '/'         => 405, 'the program'],
        [DELETE => '/'         => 405, 'the program'],
        [OPTIONS => '/'        => 405, 'the program'],
        [TRACE  => '/'         => 405, 'nginx'],
        [CONNECT => '/'        => '400|405', 'nginx'],
        [FETCH  => '/'         => 405, 'the program'],
        [post   => '/'         => 400, 'nginx'],
        (map { [$_ => '/nothing' => 404, 'nginx'] } qw(GET HEAD PUT DELETE OPTIONS PATCH FETCH POSTS)),
        (map { [GET => $_ => 403, 'nginx'] }
            qw(/status /status?x //status /%73tatus /x/../status /status%0A /status.json /runs /runs? /runs.csv /runs/ /runs/1 /runs/1.json
            /runs%2F1 /repos /repos/octo/app /repos/octo/app.json /jobs /runners.csv /causes /settings /settings.json /metrics /healthz /healthz?x)),
        (map { [GET => $_ => 404, 'nginx'] } qw(/status/ /statusx /status.xml /runsx /RUNS/1 /metrics/ /healthz/ /favicon.ico /.git/config)),
        # A zero byte is no path.
        [GET => '/status%00' => 400, 'nginx'],
        (map { [PUT => $_ => 403, 'nginx'] } qw(/status /runs/1 /metrics /healthz)),
        [GET => '/../status' => 400, 'nginx'],
    );
    for (@cases) {
        my ($method, $path, $status, $by) = @$_;
        my $answer = request($plain, $method, $path);
        status_is($answer, $status, "$method $path");
        is(by($answer), $by, "$method $path: by $by") if $by;
    }
    like(request($plain, 'PUT', '/')->header('Allow') // '', qr/\bPOST\b/, 'PUT /: Allow');
    my $forged = [map { [$_, HERE] } qw(X-Forwarded-For X-Real-IP Forwarded)];
    status_is(request($plain, 'GET', $_, headers => $forged), 403, "forged headers: GET $_") for qw(/status /runs/1 /metrics /healthz);
    my @words = map { [$_, 'status metrics'] } qw(RERUNNER_PAGES Rerunner-Pages Http-Rerunner-Pages);
    for my $path (qw(/ /nothing)) {
        my $answer = request($plain, 'GET', $path, from => HERE, headers => \@words);
        unlike($answer->body, qr/octo/, "RERUNNER_PAGES as a header: GET $path shows no page");
    }
};

subtest 'what this host may see' => sub {
    my $get = sub { return request($plain, 'GET', @_, from => HERE) };
    status_is($get->('/status'), 200, '/status');
    status_is($get->('/status?x'), 400, '/status?x: what the program knows no parameter for');
    status_is($get->($_), 200, $_) for qw(/status.json /runs /runs.csv /repos /jobs.json /runners /causes /settings);
    like($get->('/runs/1')->body, qr/Nothing is recorded/, '/runs/ID');
    like($get->('/metrics')->body, qr/^job_rerunner_workers \d+$/m, '/metrics');
    is(ref $get->('/healthz')->json, 'HASH', '/healthz');
    status_is(request($plain, 'PUT', '/status', from => HERE), 405, 'PUT /status is for the program to refuse');
    # The program goes by the path as it was sent.
    is($get->($_)->body, "There is no such page.\n", "$_ is no page") for qw(//status /x/../status);
    status_is($get->('/nothing'), 404, '/nothing');

    my ($closed, $at) = serve_example($service, $example =~ s/^.*RERUNNER_PAGES.*$//mr);
    status_is(request($at->{plain}, 'GET', $_, from => HERE), 404, "not named by nginx: $_") for qw(/status /runs/1 /metrics);
    $closed->stop;
};

# Basic authentication as RFC 7617 has it.
sub authorization { return [['Authorization', 'Basic ' . encode_base64($_[0], '')]] }

subtest 'with a password' => sub {
    my (undef, $hash) = run(['/usr/bin/openssl', 'passwd', '-6', 'sesame']);
    write_file("$tmp/htpasswd", "me:$hash");
    my ($asking, $at) = serve_example($service, with_password($example, "$tmp/htpasswd"));
    my $get = sub { return request($at->{plain}, 'GET', @_) };
    for my $path (qw(/status /runs/ /metrics)) {
        like($get->($path, from => HERE)->status, qr/^(?:200|404)$/, "$path: this host needs none");
        status_is($get->($path), 401, "$path: another one does");
    }
    status_is($get->('/status', headers => authorization('me:wrong')), 401, 'the right one');
    status_is($get->('/status', headers => authorization('me:sesame')), 200, 'this one');
    status_is($get->('/healthz', headers => authorization('me:sesame')), 403, 'it opens nothing else');
    status_is(webhook($at->{plain}, '/status'), 202, 'a webhook needs none');
    $asking->stop;
};

# Three hosts, each with a certificate of its own for what the others send.
sub serve_hosts {
    my @services = @_;
    my @inner = JR::FakeGitHub::free_ports(scalar @services);
    my (@nginx, @port);
    for my $n (0 .. $#services) {
        my $own  = $authority->issue('DNS:host-' . ($n + 1) . '.example.org');
        my $text = with_hosts($example);
        my ($first, $second) = grep { $_ != $n } 0 .. $#services;
        # Written for host-1: the others' names are those that are not its own.
        my %name = (1 => $n + 1, 2 => $first + 1, 3 => $second + 1);
        $text =~ s/host-([123])/host-$name{$1}/g;
        $text =~ s{https://host-(\d)\.example\.org:8443/}{'https://' . HERE . ":$inner[$1 - 1]/"}ge;
        $text =~ s{listen 8443 ssl;}{listen 127.0.0.1:$inner[$n] ssl;} or die 'no listen';
        $text =~ s{/etc/ssl/certs/ca-certificates\.crt}{$tmp/authority/ca.pem}g;
        $text =~ s{/etc/ssl/certs/host-\d[^;]*}{$own->{chain}} or die 'no certificate';
        $text =~ s{/etc/ssl/private/host-\d[^;]*}{$own->{key}} or die 'no key';
        $text =~ s{allow 192\.0\.2\.2;}{allow 127.0.0.1;} or die 'nobody is allowed';
        ($nginx[$n], $port[$n]) = serve_example($services[$n], $text);
    }
    return (\@nginx, \@port, \@inner);
}

subtest 'several hosts, and one webhook' => sub {
    my @hosts = ($service, map { service(WORKERS => 1, RERUN_DELAY => '1h', DRY_RUN => 'yes', GITHUB_TOKEN => undef)->start_service } 1, 2);
    my ($front, $at, $inner) = serve_hosts(@hosts);
    my $have = sub { my ($id) = @_; return join ' ', grep { $hosts[$_ - 1]->log->find('webhook', delivery => $id) } 1 .. 3 };
    my $sent = sub {
        my ($n, $path) = @_;
        my $id = sprintf '00000000-0000-4000-8000-%012x', next_id();
        my $event = delivery(job_event(run_id => next_id(), action => 'queued'), id => $id);
        return (request($at->[$n]{plain}, 'POST', $path, %$event, path => $path), $id);
    };
    for my $path (qw(/ /hook /status)) {
        my ($answer, $id) = $sent->(0, $path);
        status_is($answer, 202, "POST $path to the first");
        wait_ok { $have->($id) eq '1 2 3' } 'comes to all, with its signature';
    }
    # What nginx itself sends on is HTTP/1.0.
    my $seen = () = read_file("$tmp/job-rerunner.access.log") =~ m{"GET / HTTP/1\.0"}g;
    status_is(request($at->[0]{plain}, 'GET', '/'), 200, 'a greeting is as before');
    my ($answer, $last) = $sent->(2, '/');
    wait_ok { $have->($last) eq '1 2 3' } 'from the last one, too';
    is(scalar(() = read_file("$tmp/job-rerunner.access.log") =~ m{"GET / HTTP/1\.0"}g), $seen, 'and goes no further');
    my @times = map { scalar(() = $_->log->find('webhook', delivery => $last)) } @hosts;
    is("@times", '1 1 1', 'a webhook comes to each once');
    my $ask = write_file("$tmp/ask", "GET / HTTP/1.1\r\nHost: host-1.example.org\r\nConnection: close\r\n\r\n");
    for ([HERE, 200], [ELSEWHERE, 403]) {
        my ($from, $status) = @$_;
        open my $stdin, '<', $ask or die "$ask: $!";
        my (undef, $said) = run(['/usr/bin/openssl', 's_client', '-connect', "127.0.0.1:$inner->[0]", '-bind', "$from:0",
            '-servername', 'host-1.example.org', '-ign_eof'], stdin => $stdin);
        like($said, qr{^HTTP/1\.1 $status }m, "from $from, what others send: $status");
    }

    $front->[$_]->stop for 1, 2;
    ($answer) = $sent->(0, '/');
    status_is($answer, 202, 'where the others are down it is answered as ever');
    # They take connections, and nobody reads from them.
    my @deaf = map { IO::Socket::IP->new(Listen => 8, LocalHost => HERE, LocalPort => $_, ReuseAddr => 1) or die "cannot listen: $!" } @$inner[1, 2];
    ($answer) = $sent->(0, '/');
    status_is($answer, 202, 'where they hang, too');
    $front->[0]->stop;
    $_->stop_service for @hosts[1, 2];
};

subtest 'only from GitHub' => sub {
    my $allowed = write_file("$tmp/github-hooks.allow", 'allow ' . ELSEWHERE . ";\n");
    my $text = $example =~ s/^( +)#(deny all;)/$1$2/mr;
    $text =~ s/^( +)#(include )\S+github-hooks\.allow;/$1$2$allowed;/m or die 'no include';
    my ($strict, $at) = serve_example($service, $text);
    for my $path (qw(/ /hook /status /healthz)) {
        status_is(webhook($at->{plain}, $path), 202, "POST $path from its networks");
        status_is(webhook($at->{plain}, $path, from => '127.0.0.3'), 403, "POST $path from others");
    }
    status_is(request($at->{plain}, 'GET', '/status', from => HERE), 200, 'the pages as before');
    $strict->stop;
};

subtest 'requests that are odd' => sub {
    my $http = JR::Http->new(port => $plain, from => ELSEWHERE);
    my $raw = sub { return $http->send_raw(join("\r\n", @_) . "\r\n\r\n") };
    status_is($raw->('POST / HTTP/1.1', 'Connection: close', 'Content-Length: 0'), 400, 'no Host');
    status_is($raw->('GET / HTTP/1.0'), 200, 'HTTP/1.0');
    status_is($raw->('GET http://' . NAME . '/status HTTP/1.1', 'Host: localhost', 'Connection: close'), 403, 'a whole URL');
    status_is($raw->('GET / HTTP/1.1', 'Host: a', 'Host: b', 'Connection: close'), 400, 'two Hosts');
    status_is($raw->('POST / HTTP/1.1', 'Host: a', 'Connection: close', 'Content-Length: 1', 'Content-Length: 2'), 400, 'two lengths');
    status_is($raw->('POST / HTTP/1.1', 'Host: a', 'Connection: close', 'Content-Length: 2', 'Transfer-Encoding: chunked'), 400,
        'a length and chunks');
    status_is(webhook($plain, '/', headers => [['X-Much', 'x' x 9000]]), 400, 'a header of 9 kB');
    status_is(webhook($plain, '/' . 'x' x 9000), 414, 'a path of 9 kB');

    my $event = queued();
    status_is($http->send({ %$event, chunked => 1 }), 202, 'in chunks');
    $event = queued();
    push @{ $event->{headers} }, [Proxy => 'http://192.0.2.1:1'], ['X_Hub_Signature_256', 'sha256=0'], ['X-Hub-Signature', 'sha1=0'];
    status_is($http->send($event), 202, 'with headers that are dropped or mean nothing');
    $event = queued();
    push @{ $event->{headers} }, ['x-hub-signature-256', 'sha256=' . '0' x 64];
    my $doubled = $http->send($event);
    is($doubled->reason, 'signature-doubled', 'two signatures');

    my $large = $http->send(delivery('x' x (4 << 20)));
    is($large->reason, 'bad-json', 'as large as BODY_MAX');
    $large = $http->send(delivery('x' x ((4 << 20) + 1)));
    status_is($large, 413, 'a byte more');
    is($large->reason, 'body-too-large', 'by the program');
    $large = $raw->('POST / HTTP/1.1', 'Host: a', 'Connection: close', 'Content-Length: ' . ((25 << 20) + 1));
    status_is($large, 413, 'more than 25 MB');
    is(by($large), 'nginx', 'by nginx');

    # In every location that has variables of its own.
    my $whole = with_hosts($example);
    my @own = fitted($whole) =~ /include \S*fastcgi_params;/g;
    my @httpoxy = $whole =~ /^ +fastcgi_param HTTP_PROXY "" if_not_empty;$/mg;
    is(scalar @httpoxy, scalar @own, 'no Proxy header becomes HTTP_PROXY');
};

subtest 'a sender that takes its time' => sub {
    my $http = JR::Http->new(port => $plain, from => ELSEWHERE);
    # More of them than workers.
    my @slow = map {
        my $bytes = JR::Http::encode(queued());
        my $socket = $http->open_connection;
        syswrite $socket, substr $bytes, 0, -1;
        [$socket, substr $bytes, -1];
    } 1 .. 4;
    status_is(webhook($plain), 202, 'nobody waits for those whose body is not there');
    for my $i (0 .. $#slow) {
        my ($socket, $rest) = @{ $slow[$i] };
        syswrite $socket, $rest;
        my $answer = read_all($socket);
        like($answer, qr{^HTTP/1\.1 202 }, "slow one $i: served in the end");
    }
    my $event = queued();
    push @{ $event->{headers} }, [Expect => '100-continue'];
    my ($head, $body) = split /(?<=\r\n\r\n)/, JR::Http::encode($event), 2;
    my $socket = $http->open_connection;
    syswrite $socket, $head;
    sysread $socket, my $go_on, 1000;
    like($go_on, qr{^HTTP/1\.1 100 }, 'Expect: 100-continue');
    syswrite $socket, $body;
    like(read_all($socket), qr{^HTTP/1\.1 202 }, 'and then the webhook');
};

# The end of a TLS connection: what openssl says of it, and what came from the other side.
sub tls {
    my ($name, $input, @options) = @_;
    my $file = write_file("$tmp/input", $input // '');
    open my $stdin, '<', $file or die "$file: $!";
    my (undef, $said) = run(
        ['/usr/bin/openssl', 's_client', '-connect', "127.0.0.1:$port->{tls}", '-CAfile', "$tmp/authority/ca.pem", '-ign_eof',
            ($name ? ('-servername', $name, '-verify_hostname', $name) : '-noservername'), @options],
        stdin => $stdin,
    );
    return $said;
}

subtest 'TLS' => sub {
    my $get = "GET / HTTP/1.1\r\nHost: @{[ NAME ]}\r\nConnection: close\r\n\r\n";
    my $said = tls(NAME, $get);
    like($said, qr/Verification: OK/, 'the chain is whole');
    like($said, qr/^New, TLSv1\.3, /m, 'TLS 1.3');
    like($said, qr/Hello, I'm a job Re-Runner!/, 'the greeting');
    like($said, qr/^Strict-Transport-Security: max-age=63072000\r$/m, 'HSTS');
    $said = tls(NAME, $get =~ s{/}{/nothing}r);
    like($said, qr{^HTTP/1\.1 404 .*^Strict-Transport-Security: }ms, 'HSTS with what nginx refuses, too');
    my $event = JR::Http::encode(queued());
    like(tls(NAME, $event =~ s/^Host: .*?\r$/Host: @{[ NAME ]}\r/mr), qr{^HTTP/1\.1 202 }m, 'a webhook');
    unlike(tls(NAME, $event), qr{^HTTP/}m, 'no answer when Host is another name');
    like(tls(NAME, $get, '-tls1_2', '-cipher', $_), qr/^New, TLSv1\.2, Cipher is \Q$_\E$/m, "TLS 1.2 with $_")
        for $example =~ /(?<=[ :])(ECDHE-ECDSA-[A-Z0-9-]+)/g;
    my $refused = qr/alert|no ciphers|:error:|Cipher is \(NONE\)/;
    like(tls(NAME, $get, '-tls1_2', '-cipher', $_), $refused, "not with $_") for qw(ECDHE-ECDSA-AES128-SHA ECDHE-ECDSA-AES128-SHA256);
    like(tls(NAME, $get, $_, '-cipher', 'ALL:@SECLEVEL=0'), $refused, "not $_") for qw(-tls1 -tls1_1);
    for my $name ('other.example.org', undef) {
        $said = tls($name, $get);
        like($said, qr/unrecognized name|Cipher is \(NONE\)/, 'no handshake without the name: ' . ($name // 'none'));
        unlike($said, qr/BEGIN CERTIFICATE/, 'and no certificate');
    }
};

subtest 'plain http' => sub {
    my $answer = request($port->{http}, 'GET', '/status?x', headers => []);
    status_is($answer, 301, 'people are sent on');
    is($answer->header('Location'), 'https://' . NAME . '/status?x', 'to the one name, whatever the Host');
    status_is(request($port->{http}, 'PUT', '/'), 301, 'and whatever else is no webhook');
    $answer = webhook($port->{http});
    status_is($answer, 403, 'a webhook is told: GitHub counts a redirect as delivered');
    like($answer->body, qr{https://\Q@{[ NAME ]}\E/}, 'where to go');
};

# The other configuration, of an nginx that has a container to itself: two ports, no TLS.
subtest 'in a container of its own' => sub {
    my ($hooks, $people) = JR::FakeGitHub::free_ports(2);
    my $text = read_file(srcdir() . '/conf/container-nginx.conf');
    my $socket = $service->socket_path;
    mkdir "$tmp/box" or die "box: $!";
    $text =~ s{/tmp/}{$tmp/box/}g;
    $text =~ s{unix:/run/job-rerunner/fcgi\.sock}{unix:$socket} or die 'no socket';
    $text =~ s/listen 8080 /listen 127.0.0.1:$hooks / && $text =~ s/listen 8081 /listen 127.0.0.1:$people / or die 'no listen';
    $text =~ s/^ *listen \[::\].*$//mg;
    $text = "user root;\n$text" if $> == 0;
    my $pid = spawn(argv => [JR::Nginx::binary(), '-e', 'stderr', '-c', write_file("$tmp/box/nginx.conf", $text)], out => "$tmp/box/log");
    wait_ok { -s "$tmp/box/nginx.pid" } 'it starts' or diag read_file("$tmp/box/log");

    for my $path (qw(/ /hook /status /healthz)) {
        status_is(webhook($hooks, $path), 202, "POST $path");
    }
    my @cases = (
        [$hooks, '/',        'localhost',              200],
        [$hooks, '/status',  'localhost',              404],
        [$hooks, '/metrics', 'localhost',              404],
        [$hooks, '/healthz', 'localhost',              404],
        [$people, '/healthz', NAME,                    200],
        [$people, '/status',  'localhost',             200],
        [$people, '/status',  '127.0.0.1',             200],
        [$people, '/metrics', '10.1.2.3:8081',         200],
        [$people, '/metrics', '[fd00::1]:8081',        200],
        [$people, '/metrics', 'nginx',                 200],
        [$people, '/status',  NAME,                    404],
        [$people, '/metrics', 'localhost.example.org', 404],
    );
    for (@cases) {
        my ($to, $path, $host, $want) = @$_;
        my $side = $to == $hooks ? 'GitHub' : 'people';
        status_is(request($to, 'GET', $path, headers => [['Host', $host]]), $want, "for $side: GET $path of $host");
    }
    kill 'QUIT', $pid;
    is(reap($pid), 0, 'it stops');
    my $log = read_file("$tmp/box/log");
    like($log, qr{"POST /hook HTTP/1\.1" 202 .* reason="}, 'its log has the webhooks');
    unlike($log, qr/\[(?:warn|emerg|alert)\]/, 'and no warning');
};

subtest 'limits are for one address each' => sub {
    my ($strict, $at) = serve_example($service, $example =~ s/rate=\d+r.s/rate=1r\/m/gr =~ s/burst=10000/burst=5/r =~ s/burst=50/burst=3/r);
    my @statuses = map { webhook($at->{plain})->status } 1 .. 8;
    is("@statuses", '202 202 202 202 202 202 429 429', 'webhooks from one address');
    status_is(webhook($at->{plain}, '/', from => '127.0.0.3'), 202, 'from another one they are taken');
    @statuses = map { request($at->{plain}, 'GET', $_, from => '127.0.0.4')->status } qw(/ /status / /runs/1 /status /);
    is("@statuses", '200 403 200 403 429 429', 'all that is no POST');
    status_is(webhook($at->{plain}, '/', from => '127.0.0.4'), 202, 'which takes nothing from webhooks');
    $strict->stop;
};
$nginx->stop;

sub open_files {
    my ($pid) = @_;
    opendir my $handle, "/proc/$pid/fd" or return 0;
    return scalar(() = readdir $handle);
}

# As GitHub sends them when a large matrix starts.
subtest 'four thousand webhooks at one moment' => sub {
    plan skip_all => 'the kernel lets fewer wait' if read_file('/proc/sys/net/core/somaxconn') < 4096;
    my ($files) = read_file('/proc/self/limits') =~ /^Max open files +\d+ +(\d+)/m;
    plan skip_all => 'no limit high enough for so many files' if $> != 0 && ($files // 0) < 12_288;
    # As job-rerunner.socket has it.
    my ($backlog) = read_file(srcdir() . '/conf/job-rerunner.socket') =~ /^Backlog=(\d+)$/m;
    my $crowded = service(WORKERS => 16, RERUN_DELAY => '1h', DRY_RUN => 'yes', GITHUB_TOKEN => undef);
    my $listener = IO::Socket::UNIX->new(Local => $crowded->socket_path, Listen => $backlog) or die "listen: $!";
    $crowded->start_service(listener => $listener);
    # Time is no matter here.
    my $patient = $example =~ s/(_timeout \d+)s;/$1m;/gr;
    my ($small, $by) = serve_example($crowded, $patient, main => 'events { worker_connections 768; }');
    cmp_ok(all_at_once($by->{plain}, map { queued() } 1 .. 1000)->{202}, '<', 768, 'not with the connections that Debian has');
    $small->stop;
    my ($busy, $at) = serve_example($crowded, $patient);
    # All of them wait for the program before it takes the first.
    my @program = session_of($crowded->master);
    kill 'STOP', @program;
    my ($thaw) = clients(1, sub {
        my ($worker) = children_of($busy->{pid});
        wait_for { select undef, undef, undef, 0.1; open_files($worker) > 2 * 4000 } 60;
        kill 'CONT', @program;
    });
    my $came = all_at_once($at->{plain}, map { queued() } 1 .. 4000);
    reap($thaw, 90);
    is_deeply($came, { 202 => 4000 }, 'all are taken')
        or diag(explain($came), $busy->error_log, grep { !/ webhook .* status=202 / } $crowded->log->text =~ /^.*\n/mg);
    $busy->stop;
    is_deeply([$busy->error_log =~ /^(.*\[(?:warn|error|alert|emerg|crit)\].*)$/mg], [], 'nginx has nothing to say');
};

finish();
