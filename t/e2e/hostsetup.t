#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# What doc/hosts.md tells whoever sets up several hosts: two without etcd; etcd with TLS and with users, as
# the document has it, and what goes wrong; upgrades, a load balancer, a snapshot of etcd that is restored.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::Doors;
use JR::Etcd;
use JR::FakeGitHub;
use JR::File qw(read_file write_file);
use JR::Process qw(spawn reap end_processes);
use JR::Test;
use JR::TlsAuthority;
use JR::Wait qw(wait_for);

my $tmp    = tmpdir();
my $page   = read_file(srcdir() . '/doc/hosts.md');
my $github = github();
my $number = 0;

sub host { return service(github => $github, WORKERS => 1, @_) }

# A run of which all these hosts are told.
sub run_at { my (@hosts) = @_; return workflow_run(github => $github, door => JR::Doors->new(@hosts), jobs => ['build']) }

sub fails {
    my (@hosts) = @_;
    my $run = run_at(@hosts);
    $run->play(build => 'failure');
    return $run;
}

# Each event to the next of them.
package Balancer {
    sub new { my ($class, @services) = @_; return bless { to => [map { $_->http } @services], n => 0 }, $class }
    sub send { my ($self, @what) = @_; return $self->{to}[$self->{n}++ % @{ $self->{to} }]->send(@what) }
}

subtest 'two hosts without etcd' => sub {
    # However busy this machine is, the second reaches GitHub later.
    my $relay = JR::Etcd::Relay->start($github->{port});
    my @hosts = (
        host(RERUN_DELAY => '20ms')->start,
        host(RERUN_DELAY => '700ms', GITHUB_API_URL => 'http://127.0.0.1:' . $relay->port)->start,
    );
    $relay->cut;
    my @runs  = map { fails(@hosts) } 1 .. 3;
    wait_ok { 3 == grep { $_->accepted } @runs } 'the first reruns';
    $relay->heal;
    wait_ok { 3 == (() = $hosts[1]->log->find('decision', reason => 'rerun-by-others')) } 'the second finds newer attempts';
    $hosts[0]->stop_service;
    my $late = fails($hosts[1]);
    wait_ok { $late->accepted } 'the second does when the first is gone';
    is_deeply [map { scalar $_->posts } @runs, $late], [1, 1, 1, 1], 'each is asked for once';
    $hosts[1]->stop_service;
    $relay->stop;
};

if (!JR::Etcd::binary() || !JR::Etcd::binary('etcdctl')) {
    diag('NO ETCD HERE: setting up etcd is not tested; apt-get install etcd-server etcd-client');
    finish();
    exit;
}

my $authority = JR::TlsAuthority->new("$tmp/authority");
my %node      = certificate('etcd');
my %client    = certificate('host');

sub certificate { my ($name, %o) = @_; my $made = $authority->issue("DNS:$name.example.org,IP:127.0.0.1", %o); chmod 0600, $made->{key}; return %$made }

# The document's own words: a command that goes on after a \.
my ($command) = $page =~ /^    (etcd --name (?:.*\\\n)+.*)\n/m;
my @pids;

# A node as the document starts it, with addresses, certificate and data of ours; without some options.
sub node {
    my ($n, $ports, %o) = @_;
    my ($text, $last) = $command =~ /(.*\\\n)(.*)/s;
    $text =~ s/etcd-1/etcd-$n/g;
    $text .= keys %$ports > 1 ? $last : $last =~ s/,.*//r;
    $text =~ s{/var/lib/etcd}{$o{data}};
    $text =~ s{https://0\.0\.0\.0:23(79|80)}{"https://127.0.0.1:" . $ports->{$n}{$1}}ge;
    $text =~ s{https://etcd-(\d)\.example\.org:23(79|80)}{"https://127.0.0.1:" . $ports->{$1}{$2}}ge;
    $text =~ s{/etc/etcd/node\.(pem|key)}{$o{cert}{ $1 eq 'pem' ? 'chain' : 'key' }}g;
    $text =~ s{/etc/etcd/ca\.pem}{$authority->ca_file}ge;
    $text =~ s/ $_\b// for @{ $o{without} // [] };
    my $pid = spawn(argv => [split ' ', $text =~ s/\\\n//gr], env => { PATH => $ENV{PATH}, HOME => $tmp }, out => "$o{data}.log");
    push @pids, $pid;
    return $pid;
}

sub ports {
    my ($count) = @_;
    my @ports = JR::FakeGitHub::free_ports(2 * $count);
    return { map { $_ => { 79 => $ports[2 * $_ - 2], 80 => $ports[2 * $_ - 1] } } 1 .. $count };
}

sub url { my ($ports, $n) = @_; return "https://127.0.0.1:$ports->{$n}{79}" }

# etcdctl, or another program: what it said.
sub said {
    my ($input, @argv) = @_;
    my $out = "$tmp/said" . ++$number;
    open my $stdin, '<', write_file("$out.in", $input) or die "$out: $!";
    my $status = reap(spawn(argv => [@argv], env => { PATH => $ENV{PATH}, ETCDCTL_API => 3 }, stdin => $stdin, out => $out));
    return ($status // 'none') . ': ' . read_file($out);
}

# Does the first node say so?
sub is_healthy {
    my ($ports) = @_;
    my @tls = ('-CAfile', $authority->ca_file, '-cert', $client{chain}, '-key', $client{key}, '-ign_eof');
    return said("GET /health HTTP/1.0\r\n\r\n", '/usr/bin/openssl', 's_client', '-connect', "127.0.0.1:$ports->{1}{79}", @tls)
        =~ /"health":"?true/;
}

my @ca   = (CLUSTER_CA_FILE => $authority->ca_file);
my @cert = (CLUSTER_CERT_FILE => $client{chain}, CLUSTER_KEY_FILE => $client{key});

# Why a host cannot reach etcd is told once. On a busy machine that may be a try that took too long.
sub says {
    my ($host, $why, $name) = @_;
    local $Test::Builder::Level = $Test::Builder::Level + 1;
    my $mark = 0;
    return wait_ok {
        my ($entry) = $host->log->find('cluster-unreachable', since => $mark) or return 0;
        return 1 if $entry->{line} =~ $why;
        $mark = $host->log->mark;
        $host->restart;
        return 0;
    } $name;
}

subtest 'three nodes with TLS, as the document has them' => sub {
    my $ports = ports(3);
    my @nodes = map { node($_, $ports, data => "$tmp/tls$_", cert => \%node) } 1 .. 3;
    my $host = host(CLUSTER_ETCD => join(',', map { url($ports, $_) } 1 .. 3), @ca, @cert)->start;
    wait_ok { $host->log->count('cluster-up') } 'a host is among them' or diag(read_file("$tmp/tls1.log"));
    my $run = fails($host);
    wait_ok { $run->accepted } 'it reruns';
    $host->stop_service;
    end_processes(@nodes);
};

subtest 'a certificate of a node that is not good for clients' => sub {
    my $ports = ports(1);
    my %server_only = certificate('etcd', usage => 'serverAuth');
    my $pid = node(1, $ports, data => "$tmp/only", cert => \%server_only, without => [qw(--peer-client-cert-auth)]);
    wait_ok { is_healthy($ports) } 'etcd says that it is healthy';
    my $host = host(CLUSTER_ETCD => url($ports, 1), @ca, @cert)->start;
    says($host, qr/text="[^"]*: 503 /, 'and answers each call 503');
    $host->stop_service;
    end_processes($pid);
};

subtest 'users and passwords' => sub {
    my $ports = ports(1);
    my %how = (data => "$tmp/users", cert => \%node);
    my $pid = node(1, $ports, %how, without => ['--client-cert-auth', '--trusted-ca-file \S+']);
    my @ctl = ('etcdctl', '--command-timeout=60s', '--dial-timeout=30s', '--endpoints', url($ports, 1), '--cacert', $authority->ca_file);
    wait_ok { is_healthy($ports) } 'etcd runs';
    for my $line ($page =~ /^    (etcdctl .*)$/mg) {
        my (undef, @words) = split ' ', $line;
        my $asks = "@words" =~ /^user add/;
        like(said($asks ? "sesame\n" : '', @ctl, @words, $asks ? '--interactive=false' : ()), qr/^0: /, $line);
    }
    my @user = ('--user', 'rerunner:sesame');
    like said('', @ctl, @user, 'put', '/jr/x', 'y'),    qr/^0: OK/,           'the user may write below /jr/';
    like said('', @ctl, @user, 'put', '/other', 'y'), qr/permission denied/, 'and nowhere else';
    my %user = (CLUSTER_USER => 'rerunner', CLUSTER_PASSWORD => 'sesame');
    my $host = host(CLUSTER_ETCD => url($ports, 1), @ca, %user)->start;
    wait_ok { $host->log->count('cluster-up') } 'a host with a password is among them';
    my $run = fails($host);
    wait_ok { $run->accepted } 'it reruns';
    $host->stop_service;
    end_processes($pid);

    $pid = node(1, $ports, %how);
    wait_ok { is_healthy($ports) } 'etcd asks for certificates, too';
    $host = host(CLUSTER_ETCD => url($ports, 1), @ca, @cert, %user)->start;
    says($host, qr/text="[^"]*: 400 CommonName of client sending a request against gateway/,
        'with both, a certificate with a CN is refused');
    $host->stop_service;
    my %nameless = certificate('host', subject => '/O=example');
    $host->restart(CLUSTER_CERT_FILE => $nameless{chain}, CLUSTER_KEY_FILE => $nameless{key});
    wait_ok { $host->log->count('cluster-up') } 'one without a CN is taken';
    $host->stop_service;
    end_processes($pid);
};

my $etcd  = JR::Etcd->start(dir => "$tmp/etcd", owner => $$, members => 1);
my @hosts = map {
    host(CLUSTER_ETCD => $etcd->urls, CLUSTER_HOST => "host-$_", CLUSTER_TAKEOVER => '60s', JR_TEST_SHORTER => 20)->start
} 1 .. 3;
wait_ok { 3 == grep { $_->log->count('cluster-up') } @hosts } 'three hosts';

# Is there only the head of a host's outbox?
sub is_idle { my ($host) = @_; return tool(['outbox'], %{ $host->environment })->{out} =~ /\ADUE .*\n\z/ }

sub result_of { my ($run) = @_; return ($etcd->claim($run->id, 1) // {})->{result} // '' }

subtest 'an upgrade, one host after the other' => sub {
    my @runs;
    for my $host (@hosts) {
        my @others = grep { $_ != $host } @hosts;
        $host->stop_service;
        push @runs, fails(@others);
        wait_ok { $runs[-1]->accepted } 'the others do its work';
        my $mark = $host->log->mark;
        $host->start_service;
        wait_ok { $host->log->count('cluster-up', since => $mark) } 'it is back';
    }
    is_deeply [map { scalar $_->accepted } @runs], [1, 1, 1], 'each is rerun once';
};

subtest 'what a host has in hand when it is stopped' => sub {
    my $run = run_at($hosts[0]);
    $run->queued('build');
    $run->completed(build => 'failure');    # the run itself goes on
    wait_ok { (($etcd->claim($run->id, 1) // {})->{state} // '') eq 'held' } 'it holds an attempt';
    $hosts[0]->stop_service;
    is $etcd->claim($run->id, 1), undef, 'which it gives back';
    my $mark = $hosts[0]->log->mark;
    $hosts[0]->start_service;
    wait_ok { $hosts[0]->log->count('cluster-up', since => $mark) } 'it is back';
    $run->finish('failure', event => 1);
    wait_ok { $run->accepted } 'and takes it up again when the run has ended';
};

subtest 'a load balancer before them' => sub {
    my $door = Balancer->new(@hosts);
    my @runs = map { workflow_run(github => $github, door => $door, jobs => ['build']) } 1 .. 6;
    $_->play(build => 'failure') for @runs;
    wait_ok { 6 == grep { $_->accepted } @runs } 'all are rerun';
    wait_ok { 6 == grep { result_of($_) eq 'accepted' } @runs } 'as the claims say';
    ok $_->asked_once(@hosts), 'each once' for @runs;
    is_deeply [map { scalar $_->accepted } @runs], [(1) x 6], 'and rerun once';
};

subtest 'etcd is restored from a snapshot' => sub {
    my @ctl = ('etcdctl', '--command-timeout=60s', '--dial-timeout=30s', '--endpoints', $etcd->url(0));
    like said('', @ctl, 'snapshot', 'save', "$tmp/snapshot"), qr/^0: /, 'a snapshot';
    my $run  = fails(@hosts[0, 1]);
    my @last = JR::Doors::last_sent();
    wait_ok { result_of($run) eq 'accepted' } 'then a run is rerun';
    # Who still has it in the outbox would claim it anew; and nothing is left of what was before.
    wait_ok { is_idle($_) } 'a host has nothing to do any more' for @hosts;
    wait_ok { tool(['pause'], %{ $hosts[0]->environment })->{status} == 0 } 'all hosts are paused';
    $etcd->kill_member(0);
    rename "$tmp/etcd/m0", "$tmp/etcd/before" or die "rename: $!";
    my $peer = "http://127.0.0.1:$etcd->{peers}[0]";
    like said('', 'etcdctl', 'snapshot', 'restore', "$tmp/snapshot", '--data-dir', "$tmp/etcd/m0", '--name', 'm0',
        '--initial-cluster', "m0=$peer", '--initial-advertise-peer-urls', $peer, '--initial-cluster-token', "$tmp/etcd"), qr/^0: /, 'restored';
    $etcd->start_member(0);
    wait_ok { $etcd->answers } 'etcd is back';
    is $etcd->claim($run->id, 1), undef, 'it does not know of the rerun';
    my $later = fails(@hosts);
    wait_ok { $later->accepted } 'the hosts go on, and the pause is forgotten';
    status_is $hosts[2]->http->send(@last), '201|404', 'the third host hears of the run only now';
    wait_ok { result_of($run) eq 'others' } 'it asks about the run';
    ok $run->asked_once(@hosts), 'nobody asks once more';
};

$_->stop_service for @hosts;
$etcd->stop;
finish();

END { my $status = $?; end_processes(@pids) if @pids; $? = $status }
