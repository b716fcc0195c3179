# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Listener -- what listens on a port of 127.0.0.1, in the simulator's loop. Who inherits
# from it has handle(socket, request), and a `loop`.

package JR::Sim::Listener;

use strict;
use warnings;
use IO::Socket::IP;
use JR::FakeGitHub::Server;

sub listen {
    my ($self) = @_;
    $self->{listener} = IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1', LocalPort => 0)
        or die "cannot listen: $!";
    $self->{loop}->on_read($self->{listener}, sub { $self->accept });
    return;
}

sub url { return 'http://127.0.0.1:' . $_[0]{listener}->sockport }

sub close_all {
    my ($self) = @_;
    $self->{loop}->on_read($self->{listener}, undef);
    close delete $self->{listener};
    return;
}

sub accept {
    my ($self) = @_;
    my $socket = $self->{listener}->accept or return;
    $socket->autoflush(1);
    my $input = '';
    $self->{loop}->on_read($socket, sub {
        my $got = sysread $socket, $input, 65536, length $input;
        return $self->drop($socket) if !$got;
        while (defined fileno $socket and my $request = JR::FakeGitHub::Server::take_request(\$input)) {
            $self->handle($socket, $request);
        }
    });
    return;
}

sub drop {
    my ($self, $socket) = @_;
    return if !defined fileno $socket;
    $self->{loop}->on_read($socket, undef);
    local $SIG{PIPE} = 'IGNORE';    # what could not be sent is tried once more
    close $socket;
    return;
}

1;
