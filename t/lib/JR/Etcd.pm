# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Etcd -- three real etcd on 127.0.0.1 (package etcd-server), and a relay before them for each
# host that can be cut: what is between a host and etcd stays open, and carries nothing.
#
# Each member is started with exactly one data folder below `dir`; all are ended with the test, by
# their folder.

package JR::Etcd;

use strict;
use warnings;
use IO::Select;
use IO::Socket::IP;
use JSON::PP ();
use MIME::Base64 qw(encode_base64 decode_base64);
use POSIX qw(_exit);
use JR::FakeGitHub;
use JR::Http;
use JR::Process qw(spawn reap running);
use JR::Wait qw(wait_for slowness);

my $JSON = JSON::PP->new->canonical->ascii;

# Where etcd is, or another program of it; nothing: not here.
sub binary {
    my ($name) = @_;
    $name //= 'etcd';
    return (grep {-x} map {"$_/$name"} split /:/, "$ENV{PATH}:/usr/sbin:/usr/local/bin")[0];
}

# dir; members, 3 if not said; tls => { ca, chain, key }: clients need a certificate, which call() has not
sub start {
    my ($class, %o) = @_;
    my $self = bless { members => 3, relays => [], %o }, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    my @ports = JR::FakeGitHub::free_ports(2 * $self->{members});
    $self->{clients} = [@ports[0 .. $self->{members} - 1]];
    $self->{peers}   = [@ports[$self->{members} .. $#ports]];
    $self->start_member($_) for 0 .. $self->{members} - 1;
    wait_for { $self->{tls} ? IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $self->{clients}[0]) : $self->answers } or die "etcd does not start:\n" . `tail -n 5 $self->{dir}/*.log`;
    return $self;
}

sub start_member {
    my ($self, $n) = @_;
    my $all = join ',', map {"m$_=http://127.0.0.1:$self->{peers}[$_]"} 0 .. $self->{members} - 1;
    my ($client, $peer) = ($self->url($n), "http://127.0.0.1:$self->{peers}[$n]");
    my $tls = $self->{tls};
    $self->{pids}[$n] = spawn(
        argv => [
            binary(), '--name', "m$n", '--data-dir', "$self->{dir}/m$n", '--pre-vote', '--logger', 'zap',
            '--log-level', 'error', '--heartbeat-interval', 100, '--election-timeout', 1000,
            '--listen-client-urls', $client, '--advertise-client-urls', $client,
            '--listen-peer-urls', $peer, '--initial-advertise-peer-urls', $peer,
            $tls ? ('--cert-file', $tls->{chain}, '--key-file', $tls->{key}, '--trusted-ca-file', $tls->{ca}, '--client-cert-auth') : (),
            '--initial-cluster', $all, '--initial-cluster-token', $self->{dir},
        ],
        env => { PATH => $ENV{PATH}, HOME => $self->{dir} },
        out => "$self->{dir}/m$n.log",
    );
    return;
}

sub signal { my ($self, $signal, $n) = @_; return kill $signal, $self->{pids}[$n] }

sub kill_member {
    my ($self, $n) = @_;
    $self->signal(KILL => $n);
    return reap($self->{pids}[$n]);
}

sub url { my ($self, $n) = @_; return ($self->{tls} ? 'https' : 'http') . "://127.0.0.1:$self->{clients}[$n]" }
sub urls { my ($self) = @_; return join ',', map { $self->url($_) } 0 .. $self->{members} - 1 }

# A call of the gateway, as root if there are users; nothing: it did not answer well.
sub call {
    my ($self, $path, $body, $n) = @_;
    my $text = $JSON->encode($body);
    my $socket = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $self->{clients}[$n // 0], Timeout => 2) or return;
    my $token = $self->{token} ? "Authorization: $self->{token}\r\n" : '';
    print $socket "POST $path HTTP/1.0\r\n${token}Content-Type: application/json\r\nContent-Length: ", length $text, "\r\n\r\n$text";
    my $answer = '';
    1 while IO::Select->new($socket)->can_read(3 * slowness()) && sysread $socket, $answer, 65536, length $answer;
    my ($head, $json) = split /\r\n\r\n/, $answer, 2;
    return if ($head // '') !~ m{^HTTP/\S+ 200};
    return eval { $JSON->decode($json) };
}

my %ROOT = (name => 'root', password => 'root-for-tests');

# From now on everybody has to have a password: root, and `name`, who may write below /jr/.
sub enable_users {
    my ($self, $name, $password) = @_;
    my %perm = (permType => 'READWRITE', key => encode_base64('/jr/', ''), range_end => encode_base64('/jr0', ''));
    my @steps = (
        ['user/add', \%ROOT],
        ['user/grant', { user => 'root', role => 'root' }],
        ['role/add', { name => 'rerunner' }],
        ['role/grant', { name => 'rerunner', perm => \%perm }],
        ['user/add', { name => $name, password => $password }],
        ['user/grant', { user => $name, role => 'rerunner' }],
        ['enable', {}],
    );
    $self->call("/v3/auth/$_->[0]", $_->[1]) or die "etcd refuses auth/$_->[0]" for @steps;
    $self->login;
    return;
}

# A new token for root, which call() has from now on.
sub login {
    my ($self) = @_;
    return $self->{token} = $self->call('/v3/auth/authenticate', \%ROOT)->{token};
}

sub answers {
    my ($self) = @_;
    my @ok = grep { $self->call('/v3/kv/range', { key => encode_base64('x', '') }, $_) } 0 .. $self->{members} - 1;
    return @ok == $self->{members};
}

# key => value, of all that begin so.
sub keys_below {
    my ($self, $prefix, $n) = @_;
    my $end = $prefix;
    substr($end, -1) = chr 1 + ord substr $end, -1;
    my $got = $self->call('/v3/kv/range', { key => encode_base64($prefix, ''), range_end => encode_base64($end, '') }, $n);
    return map { decode_base64($_->{key}) => decode_base64($_->{value}) } @{ ($got // {})->{kvs} // [] };
}

# The claim of a run's attempt, decoded; nothing: there is none.
sub claim {
    my ($self, $run, $attempt, %o) = @_;
    my $key = sprintf '/jr/%s/run/%020d/%03d', $o{name} // 'job-rerunner', $run, $attempt;
    my %found = $self->keys_below($key, $o{member});
    return $found{$key} && $JSON->decode($found{$key});
}

sub leader {
    my ($self) = @_;
    for my $n (0 .. $self->{members} - 1) {
        my $status = $self->call('/v3/maintenance/status', {}, $n) or next;
        next if !$status->{leader};
        return (grep { (($self->call('/v3/maintenance/status', {}, $_) // {})->{header}{member_id} // '') eq $status->{leader} }
            0 .. $self->{members} - 1)[0];
    }
    return;
}

# What CLUSTER_ETCD is for a host that can be cut off: relay->cut, relay->heal.
sub relay {
    my ($self) = @_;
    my $relay = JR::Etcd::Relay->start(@{ $self->{clients} });
    push @{ $self->{relays} }, $relay;
    return $relay;
}

sub stop {
    my ($self) = @_;
    $_->stop for @{ $self->{relays} };
    for my $pid (grep {defined} @{ $self->{pids} }) {
        kill 'CONT', $pid;
        kill 'KILL', $pid;
        reap($pid);
    }
    $self->{pids} = [];
    return;
}

sub DESTROY { my ($self) = @_; local $?; $self->stop if ($self->{owner} // 0) == $$ && ${^GLOBAL_PHASE} ne "DESTRUCT"; return }

# A relay from a port for each of some ports of 127.0.0.1: also for GitHub.
package JR::Etcd::Relay;

sub start {
    my ($class, @ports) = @_;
    my $self = bless {}, $class;
    my @doors = map { IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1', LocalPort => 0) or die "cannot listen: $!" } @ports;
    $self->{ports} = [map { $_->sockport } @doors];
    my $parent = $$;
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};
    $SIG{PIPE} = 'IGNORE';
    $SIG{TERM} = sub { POSIX::_exit(0) };
    my $is_cut = 0;
    $SIG{USR1} = sub { $is_cut = 1 };
    $SIG{USR2} = sub { $is_cut = 0 };
    my %behind = map { fileno $doors[$_] => $ports[$_] } 0 .. $#doors;
    my %peer;
    my $all = IO::Select->new(@doors);
    while (getppid == $parent) {
        if ($is_cut) { select undef, undef, undef, 0.02; next }
        for my $socket ($all->can_read(0.2)) {
            last if $is_cut;
            my $fd = fileno $socket // next;    # closed as the other end of one before it
            if (my $port = $behind{$fd}) {
                my $client = $socket->accept or next;
                my $server = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $port, Timeout => 1);
                if (!$server) { close $client; next }
                @peer{ $client, $server } = ($server, $client);
                $all->add($client, $server);
                next;
            }
            my $other = $peer{$socket} or next;
            my $got = sysread $socket, my $bytes, 65536;
            next if $got && defined syswrite $other, $bytes;
            delete @peer{ $socket, $other };
            $all->remove($socket, $other);
            close $_ for $socket, $other;
        }
    }
    POSIX::_exit(0);
}

sub urls { my ($self) = @_; return join ',', map {"http://127.0.0.1:$_"} @{ $self->{ports} } }
sub port { return $_[0]{ports}[0] }
sub cut  { return kill 'USR1', $_[0]{pid} }
sub heal { return kill 'USR2', $_[0]{pid} }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    kill 'TERM', $pid;
    waitpid $pid, 0;
    return;
}

1;
