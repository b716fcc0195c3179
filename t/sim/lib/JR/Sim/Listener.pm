# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Listener -- what listens on ports of 127.0.0.1, in the simulator's loop. Who inherits
# from it has handle(socket, request), and a `loop`. A port is a door; of a request, `door' is the
# number of the one by which it came. What is given up before it is read is lost: on a busy machine
# it would be read after what was asked next. A door can be cut off: what comes by it lies in the
# wire until it is healed.

package JR::Sim::Listener;

use strict;
use warnings;
use IO::Socket::IP;
use Socket qw(SOL_SOCKET SO_ERROR);
use JR::FakeGitHub::Server;

# doors: how many, if not one
sub listen {
    my ($self, $doors) = @_;
    for my $n (0 .. ($doors // 1) - 1) {
        my $listener = IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1', LocalPort => 0)
            or die "cannot listen: $!";
        push @{ $self->{doors} }, { listener => $listener, open => {} };
        $self->{loop}->on_read($listener, sub { $self->accept($n) });
    }
    return;
}

sub url { my ($self, $n) = @_; return 'http://127.0.0.1:' . $self->{doors}[$n // 0]{listener}->sockport }

sub close_all {
    my ($self) = @_;
    for my $door (@{ delete $self->{doors} }) {
        $self->{loop}->on_read($door->{listener}, undef);
        close $door->{listener};
    }
    return;
}

sub accept {
    my ($self, $n) = @_;
    my $door   = $self->{doors}[$n];
    my $socket = $door->{listener}->accept or return;
    $socket->autoflush(1);
    my $input = '';
    my $take  = sub {
        return $self->drop($socket) if is_given_up($socket);
        my $got = sysread $socket, $input, 65536, length $input;
        return $self->drop($socket) if !$got;
        while (defined fileno $socket and my $request = JR::FakeGitHub::Server::take_request(\$input)) {
            $request->{door} = $n;
            $self->handle($socket, $request);
        }
    };
    $door->{open}{ fileno $socket } = [$socket, $take];
    $self->{loop}->on_read($socket, $take);
    return $socket;
}

# Has the other end reset the connection? The kernel would still show what it sent before.
sub is_given_up { my ($socket) = @_; return unpack 'i', getsockopt $socket, SOL_SOCKET, SO_ERROR }

sub drop {
    my ($self, $socket) = @_;
    return if !defined fileno $socket;
    $self->{loop}->on_read($socket, undef);
    delete $_->{open}{ fileno $socket } for @{ $self->{doors} // [] };
    local $SIG{PIPE} = 'IGNORE';    # what could not be sent is tried once more
    close $socket;
    return;
}

sub is_cut { my ($self, $n) = @_; return $self->{doors} && $self->{doors}[$n]{is_cut} }

sub cut {
    my ($self, $n) = @_;
    my $door = $self->{doors}[$n];
    $door->{is_cut} = 1;
    $self->{loop}->on_read($_, undef) for $door->{listener}, map { $_->[0] } values %{ $door->{open} };
    return;
}

sub heal {
    my ($self, $n) = @_;
    my $door = $self->{doors}[$n];
    return if !delete $door->{is_cut};
    $door->{listener}->blocking(0);
    1 while $self->accept($n);
    $door->{listener}->blocking(1);
    for (values %{ $door->{open} }) {
        my ($socket, $take) = @$_;
        if (is_given_up($socket)) { $self->drop($socket) }
        else                      { $self->{loop}->on_read($socket, $take) }
    }
    $self->{loop}->on_read($door->{listener}, sub { $self->accept($n) });
    return;
}

1;
