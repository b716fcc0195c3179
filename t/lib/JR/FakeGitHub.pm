# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FakeGitHub -- a GitHub for tests: the handle that a test holds.
#
# The server is a process of its own on a free port of 127.0.0.1, with the host of
# logs on another one. A test changes and reads it through a control socket, one message
# (JR::Message) each way. tls => 1 puts nginx with certificates of a throw-away authority
# before both.

package JR::FakeGitHub;

use strict;
use warnings;
use IO::Socket::IP;
use IO::Socket::UNIX;
use POSIX qw(_exit);
use JR::FakeGitHub::Server;
use JR::File qw(read_file read_file_or_empty write_file);
use JR::Message qw(pack_message unpack_message);
use JR::Nginx;
use JR::Process qw(reap spawn end_processes);
use JR::TlsAuthority;
use JR::Wait qw(wait_for);

# dir, tokens => [...], tls => 0|1, tls_name (what the certificate is for)
sub start {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    my ($api, $logs) = map {
        IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1', LocalPort => 0) or die "cannot listen: $!"
    } 1 .. 2;
    @$self{qw(port log_port)} = map { $_->sockport } $api, $logs;
    my $control = IO::Socket::UNIX->new(Listen => 16, Local => $self->control_path)
        or die "cannot listen: $!";
    my $parent = $$;
    $self->{pid} = fork // die "fork: $!";
    if (!$self->{pid}) {
        $SIG{TERM} = sub { _exit(0) };
        eval { JR::FakeGitHub::Server->new(tokens => $o{tokens})->serve($api, $logs, $control, $parent); 1 }
            or print STDERR "fake GitHub: $@";
        _exit(1);
    }
    $self->start_tls if $o{tls};
    $self->control('set_log_base', base => $self->log_url);
    return $self;
}

sub control_path { return "$_[0]{dir}/control" }

sub start_tls {
    my ($self) = @_;
    $self->{authority} = JR::TlsAuthority->new("$self->{dir}/tls");
    my @certs = map { $self->{authority}->issue($_) } $self->{tls_name} // 'IP:127.0.0.1', 'IP:127.0.0.1';
    # Only these ports are chosen by hand; another process may take one first.
    for my $try (1 .. 10) {
        @$self{qw(tls_port tls_log_port)} = free_ports(2);
        $self->{nginx} = eval { $self->tls_front("$self->{dir}/nginx.$try", @certs) };
        return if $self->{nginx};
    }
    die "no TLS front for the fake GitHub: $@";
}

# So many ports of 127.0.0.1, each another, for what opens them later. The kernel gives none of
# these by itself, to a connection of a test beside this one, say, that begins in between; and
# another process begins to look at another place.
my $looks = 0;

sub free_ports {
    my ($count) = @_;
    my ($first) = read_file_or_empty('/proc/sys/net/ipv4/ip_local_port_range') =~ /^(\d+)/;
    my ($from, $to) = (10_000, ($first // 0) > 12_000 ? $first : 32_768);
    my @sockets;
    for (1 .. 1000) {
        last if @sockets == $count;
        my $port = $from + ($$ * 97 + ++$looks * 7907) % ($to - $from);
        push @sockets, IO::Socket::IP->new(Listen => 1, LocalHost => '127.0.0.1', LocalPort => $port) // ();
    }
    die "no port is free\n" if @sockets < $count;
    return map { $_->sockport } @sockets;
}

sub free_port { return (free_ports(1))[0] }

# What the fake does to a connection is done to the client: no answer is a
# closed connection, not nginx's own 502.
sub tls_front {
    my ($self, $dir, $cert, $log_cert) = @_;
    return JR::Nginx->start(dir => $dir, server => tls_server($self->{tls_port}, $self->{port}, $cert)
        . tls_server($self->{tls_log_port}, $self->{log_port}, $log_cert));
}

sub tls_server {
    my ($port, $behind, $cert) = @_;
    return <<"CONF";
server {
    listen 127.0.0.1:$port ssl;
    ssl_certificate $cert->{chain};
    ssl_certificate_key $cert->{key};
    location / {
        proxy_pass http://127.0.0.1:$behind;
        proxy_buffering off;
        proxy_http_version 1.1;
        proxy_set_header Host \$http_host;
        proxy_set_header Connection close;
        proxy_read_timeout 600s;
        error_page 502 504 = \@cut;
    }
    location \@cut { return 444; }
}
CONF
}

sub url {
    my ($self) = @_;
    return $self->{tls_port} ? "https://127.0.0.1:$self->{tls_port}" : "http://127.0.0.1:$self->{port}";
}

# The host of logs.
sub log_url {
    my ($self) = @_;
    return $self->{tls_log_port} ? "https://127.0.0.1:$self->{tls_log_port}" : "http://127.0.0.1:$self->{log_port}";
}

# Settings of a service that talks to this GitHub.
sub settings {
    my ($self) = @_;
    return (
        GITHUB_API_URL => $self->url,
        $self->{authority} ? (GITHUB_CA_FILE => $self->{authority}->ca_file) : (),
    );
}

# One command to the server: its answer, and the connection.
sub command {
    my ($self, $command, %args) = @_;
    my $socket = IO::Socket::UNIX->new(Peer => $self->control_path) or die "fake GitHub is gone: $!";
    $socket->autoflush(1);
    print {$socket} pack_message({ command => $command, %args });
    my ($bytes, $answer) = ('');
    while (!($answer = unpack_message($bytes))) {
        sysread $socket, $bytes, 1 << 20, length $bytes or die "fake GitHub: no answer to $command";
    }
    die "fake GitHub: $answer->{error}" if $answer->{error};
    return ($answer->{result}, $socket);
}

sub control { return (command(@_))[0] }

# The API answers nothing for as long as what is returned lives; then what came
# meanwhile, by the truth of then.
sub hold { return (command($_[0], 'hold'))[1] }

# Runs: a run with its jobs, and changes to it (see JR::FakeGitHub::Actions).
sub put_run { my ($self, %run) = @_; return $self->control('put_run', run => \%run) }
sub get_run { my ($self, $id) = @_; return $self->control('get_run', id => $id) }
sub set_run { my ($self, $id, %to) = @_; return $self->control('set_run', id => $id, to => \%to) }

sub set_job {
    my ($self, $id, $name, %to) = @_;
    return $self->control('set_job', id => $id, name => $name, to => \%to);
}

# What the host of logs does not do well from now on (see JR::FakeGitHub::Logs).
sub set_log_host { my ($self, %to) = @_; return $self->control('set_log_host', to => \%to) }

# Whether tokens of users may read annotations.
sub set_checks { my ($self, $has) = @_; return $self->control('set_checks', has => $has ? 1 : 0) }

# The runs in a concurrency group; none: it is free. Pull requests, and files (see
# JR::FakeGitHub::Actions); a file without a commit is that of each, one without a text is no
# longer there.
sub set_group { my ($self, $repo, $name, @runs) = @_; return $self->control('set_group', repo => $repo, name => $name, runs => \@runs) }
sub put_pull { my ($self, %pull) = @_; return $self->control('put_pull', pull => \%pull) }

sub put_file {
    my ($self, $repo, $path, $text, $ref) = @_;
    return $self->control('put_file', repo => $repo, path => $path, text => $text, ref => $ref);
}

# What the host of logs was asked so far, as in requests().
sub log_requests { my ($self) = @_; return @{ $self->control('log_requests') } }

sub forget_log_requests { return $_[0]->control('forget_log_requests') }

sub add_job { my ($self, $id, $name) = @_; return $self->control('add_job', id => $id, name => $name) }

# A bad day: the next `times` requests with this method whose path matches
# get `act` (see JR::FakeGitHub::Server) instead of the truth.
sub script {
    my ($self, $method, $path, $act, $times) = @_;
    return $self->control('script', rule => {
        method => $method, path => $path, act => $act, times => $times // 1,
    });
}

# Answer what waits to be told (after => 'told').
sub tell { return $_[0]->control('tell') }

sub forget_scripts { return $_[0]->control('forget_scripts') }

# All answers come so many seconds later from now on.
sub set_after { my ($self, $after) = @_; return $self->control('set_after', after => $after) }

# Headers that all answers carry from now on.
sub set_headers { my ($self, %headers) = @_; return $self->control('set_headers', headers => \%headers) }

sub set_tokens { my ($self, @tokens) = @_; return $self->control('set_tokens', tokens => \@tokens) }
# GitHub Apps (see JR::FakeGitHub::Apps).

# Make an App; the settings of a service that is it. All Apps of a test have one key: to find the
# primes of another takes longer than most of what a test does with it.
my $bytes_of_key;

sub new_app {
    my ($self, %app) = @_;
    my $key = "$self->{dir}/app" . ++$self->{keys} . '.pem';
    $bytes_of_key //= read_file(new_key($key));
    write_file($key, $bytes_of_key);
    chmod 0600, $key or die "$key: $!";
    $self->put_app(id => 4711, client_id => 'Iv23liExample0000001', name => 'Re-Runner', slug => 're-runner', %app, public_key => public_key($key));
    return (GITHUB_TOKEN => undef, GITHUB_APP_ID => $app{id} // 4711, GITHUB_APP_KEY_FILE => $key);
}

# A private key as openssl makes it, in a file; its name.
sub new_key {
    my ($file, @how) = @_;
    @how = qw(-algorithm RSA -pkeyopt rsa_keygen_bits:2048) if !@how;
    run_openssl('genpkey', @how, '-out', $file);
    return $file;
}

sub public_key {
    my ($file) = @_;
    run_openssl('pkey', '-in', $file, '-pubout', '-out', "$file.public");
    return read_file("$file.public");
}

sub run_openssl {
    my (@args) = @_;
    die "openssl @args failed" if reap(spawn(argv => ['/usr/bin/openssl', @args])) != 0;
    return;
}

sub put_app          { my ($self, %app) = @_; return $self->control('put_app', app => \%app) }
sub put_installation { my ($self, $id, %to) = @_; return $self->control('put_installation', installation => { id => $id, %to }) }
sub remove_installation { my ($self, $id) = @_; return $self->control('remove_installation', id => $id) }
sub revoke_tokens { return $_[0]->control('revoke_tokens') }

# Check runs and comments (see JR::FakeGitHub::Reports), oldest first.
sub checks   { return @{ $_[0]->control('checks') } }
sub comments { return @{ $_[0]->control('comments') } }
sub put_comment { my ($self, %comment) = @_; return $self->control('put_comment', comment => \%comment) }
sub set_permission { my ($self, $repo, $login, $permission, $id) = @_; return $self->control('set_permission', repo => $repo, login => $login, permission => $permission, id => $id) }
sub lock_pull { my ($self, $number) = @_; return $self->control('lock_pull', number => $number) }
# How many may be written in a minute.
sub set_content_limit { my ($self, $limit) = @_; return $self->control('set_content_limit', limit => $limit) }

# The clock that Apps are judged by, in seconds ahead of ours.
sub set_clock { my ($self, $ahead_s) = @_; return $self->control('set_clock', ahead_s => $ahead_s) }

# All that an owner has (or a repository, or * for all) is refused with these words, until
# there are none; POST/NAME: what is written there.
sub shut_out { my ($self, $name, @words) = @_; return $self->control('shut_out', name => $name, words => @words ? \@words : undef) }

# The repository is deleted, or not to be seen; or is there again.
sub set_gone { my ($self, $repo, $gone) = @_; return $self->control('set_gone', repo => $repo, gone => $gone ? 1 : 0) }

# The repository has another name from now on; the old one redirects.
sub move_repo { my ($self, $from, $to) = @_; return $self->control('move_repo', from => $from, to => $to) }

sub set_limit  { my ($self, %to) = @_; return $self->control('set_limit', to => \%to) }

# Requests so far, oldest first: method, path, query, headers, body, raw,
# time, status, at_once (how many of its method were unanswered); narrowed by method and a pattern of the path.
sub requests {
    my ($self, $method, $path) = @_;
    return @{ $self->control('requests', method => $method, path => $path) };
}

sub posts { my ($self, $id) = @_; return $self->requests('POST', "/runs/$id/rerun") }
sub gets  { my ($self, $id) = @_; return $self->requests('GET',  "/runs/$id\$") }

sub accepted_posts { return grep { ($_->{effect} // '') eq 'rerun' } posts(@_) }

sub wait_posts {
    my ($self, $id, $n) = @_;
    return wait_for { posts($self, $id) >= ($n // 1) };
}

sub stop {
    my ($self) = @_;
    if (my $pid = delete $self->{pid}) {
        end_processes($pid);
        reap($pid);
    }
    $self->{nginx}->stop if $self->{nginx};
    return;
}

sub faults {
    my ($self) = @_;
    my @faults = map {"the host of logs was shown a token: $_->{raw_head}"}
        grep { defined $_->{headers}{authorization} } $self->{pid} ? $self->log_requests : ();
    return @faults if !$self->{nginx};
    return @faults, map {"fake GitHub: $_"} $self->{nginx}->error_log =~ /^(.*\[(?:alert|emerg)\].*)$/mg;
}

1;
