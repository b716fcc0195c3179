# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Etcd -- three real etcd, each of which can be cut off from the others while its clients
# still reach it: between them stands a relay, which knows by the head of a connection's first
# request who it is from.

package JR::Sim::Etcd;

use strict;
use warnings;
use parent 'JR::Etcd';
use JR::Process qw(spawn);

sub start_member {
    my ($self, $n) = @_;
    my $between = $self->{between} //= JR::Sim::Etcd::Between->start(@{ $self->{peers} });
    my @doors = map {"http://127.0.0.1:$_"} @{ $between->{ports} };
    my $url = $self->url($n);
    $self->{pids}[$n] = spawn(
        argv => [
            JR::Etcd::binary(), '--name', "m$n", '--data-dir', "$self->{dir}/m$n", '--pre-vote', '--logger', 'zap',
            '--log-level', 'error', '--listen-client-urls', $url, '--advertise-client-urls', $url,
            '--listen-peer-urls', "http://127.0.0.1:$self->{peers}[$n]", '--initial-advertise-peer-urls', $doors[$n],
            '--initial-cluster', join(',', map {"m$_=$doors[$_]"} 0 .. $#doors), '--initial-cluster-token', $self->{dir},
        ],
        env => { PATH => $ENV{PATH}, HOME => $self->{dir} },
        out => "$self->{dir}/m$n.log",
    );
    return;
}

sub cut_member  { my ($self, $n) = @_; return $self->{between}->tell("cut $n") }
sub heal_member { my ($self, $n) = @_; return $self->{between}->tell("heal $n") }

sub stop {
    my ($self) = @_;
    $self->SUPER::stop;
    $self->{between}->stop if $self->{between};
    return;
}

package JR::Sim::Etcd::Between;

use IO::Select;
use IO::Socket::IP;
use POSIX qw(_exit);

use constant HEAD_MOST => 8192;

# A door for each of some ports of 127.0.0.1.
sub start {
    my ($class, @ports) = @_;
    my @doors = map { IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1', LocalPort => 0) or die "cannot listen: $!" } @ports;
    my $self = bless { ports => [map { $_->sockport } @doors], behind => \@ports, doors => \@doors, cut => {}, of => {} }, $class;
    pipe my $orders, my $tell or die "pipe: $!";
    $self->{pid} = fork // die "fork: $!";
    if ($self->{pid}) {
        close $orders;
        $tell->autoflush(1);
        $self->{tell} = $tell;
        return $self;
    }
    close $tell;
    $SIG{PIPE} = 'IGNORE';
    $self->serve($orders);
    _exit(0);
}

sub tell { my ($self, $order) = @_; return print { $self->{tell} } "$order\n" }

sub stop {
    my ($self) = @_;
    my $pid = delete $self->{pid} or return;
    close $self->{tell};
    waitpid $pid, 0;
    return;
}

# Until nobody is left who could give orders.
sub serve {
    my ($self, $orders) = @_;
    $self->{all} = IO::Select->new($orders, @{ $self->{doors} });
    my %door = map { fileno $self->{doors}[$_] => $_ } 0 .. $#{ $self->{doors} };
    while (1) {
        for my $ready ($self->{all}->can_read) {
            my $fd = fileno $ready // next;
            if ($ready == $orders) {
                sysread $orders, my $text, 4096 or return;
                $self->obey(split ' ') for split /\n/, $text;
            }
            elsif (defined $door{$fd}) { $self->admit($ready, $door{$fd}) }
            else                       { $self->pass($ready) }
        }
    }
    return;
}

sub obey {
    my ($self, $what, $n) = @_;
    $self->{cut}{$n} = $what eq 'cut';
    for my $link (values %{ $self->{of} }) {
        my $is_cut = grep { $self->{cut}{$_} } grep {defined} @$link{qw(from to)};
        my $call   = $is_cut ? 'remove' : 'add';
        $self->{all}->$call($link->{socket});
    }
    return;
}

sub admit {
    my ($self, $door, $n) = @_;
    my $client = $door->accept or return;
    $self->{of}{$client} = { socket => $client, to => $n, head => '' };
    $self->{all}->add($client);
    return;
}

# Who it is from is known: go on to where it leads.
sub connect {
    my ($self, $link) = @_;
    my ($port) = $link->{head} =~ m{^X-PeerURLs: *\S*?:(\d+)}mi;
    my ($from) = grep { $self->{ports}[$_] == ($port // 0) } 0 .. $#{ $self->{ports} };
    my $server = IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $self->{behind}[ $link->{to} ], Timeout => 1)
        or return $self->end($link);
    $link->{from} = $from;
    $self->{of}{$server} = { socket => $server, to => $link->{to}, from => $from, other => $link->{socket} };
    $link->{other} = $server;
    $self->{all}->add($server);
    syswrite $server, $link->{head};
    $self->obey($self->{cut}{$from} ? 'cut' : 'heal', $from) if defined $from;
    return;
}

sub pass {
    my ($self, $socket) = @_;
    my $link = $self->{of}{$socket} or return;
    my $got  = sysread $socket, my $bytes, 65536;
    return $self->end($link) if !$got;
    return defined syswrite($link->{other}, $bytes) || $self->end($link) if $link->{other};
    $link->{head} .= $bytes;
    $self->connect($link) if $link->{head} =~ /\r\n\r\n/ || length $link->{head} > HEAD_MOST;
    return;
}

sub end {
    my ($self, $link) = @_;
    for my $socket (grep {defined} @$link{qw(socket other)}) {
        delete $self->{of}{$socket};
        $self->{all}->remove($socket);
        close $socket;
    }
    return;
}

1;
