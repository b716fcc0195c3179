# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Player -- t/sim/player, which plays into a store what it is told.

package JR::Sim::Player;

use strict;
use warnings;
use IPC::Open2;

use constant { SINCE_1582_S => 12_219_292_800 };

# program; store: its folder; loop: sockets are looked at while a step is made
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, due => 0, count => 0, input => '' }, $class;
    $self->{pid} = open2(my $from, my $to, @o{qw(program store)});
    @$self{qw(from to)} = ($from, $to);
    $self->{loop}->on_read($from, sub {
        my $got = sysread $from, $self->{input}, 4096, length $self->{input};
        die "the player has ended\n" if !$got;
    });
    return $self;
}

# When the first entry of the outbox is due, in seconds; 0: there is none.
sub due { return $_[0]{due} }

sub tell {
    my ($self, $what, $time, $words, $body) = @_;
    my $text = sprintf "%s %.0f %s\n", $what, $time * 1000, $words // '';
    local $SIG{PIPE} = 'IGNORE';
    syswrite $self->{to}, $text . ($body // '') or die "the player has ended\n";
    $self->{loop}->look(1) while $self->{input} !~ /\n/;
    $self->{input} =~ s/^due (\d+)\n// or die "the player says: $self->{input}";
    $self->{due} = $1 / 1000;
    return;
}

# As GitHub's, with the time of the event in it: RFC 9562, 5.1.
sub id {
    my ($self, $time) = @_;
    my $ticks = (int $time + SINCE_1582_S) * 10_000_000 + ++$self->{count} % 10_000_000;
    return sprintf '%08x-%04x-1%03x-8000-%012x', $ticks & 0xffffffff, $ticks >> 32 & 0xffff, $ticks >> 48 & 0xfff, 3;
}

sub event {
    my ($self, $time, $event) = @_;
    my $body = $event->{body}->();
    $self->tell('event', $time, "$event->{kind} " . $self->id($time) . ' ' . length $body, $body);
    return;
}

sub end {
    my ($self) = @_;
    $self->{loop}->on_read($self->{from}, undef);
    close $self->{to};
    waitpid $self->{pid}, 0;
    die "the player has failed\n" if $?;
    return;
}

1;
