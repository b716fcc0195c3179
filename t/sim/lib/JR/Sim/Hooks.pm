# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Hooks -- GitHub's deliveries: to the service's nginx, some at once,
# as late, as often and as seldom as the scenario has it.
#
# Of a scenario's `hooks`:
#   only      the kind of event that is subscribed to (both, if not said)
#   late      [least, most] seconds; `tail` of them five times as late
#   drop      the chance that a delivery is lost
#   deaf      the chance that all job events of a run are lost
#   twice     the chance of each further copy; some come from a second hook
#   redeliver the chance that a refused delivery is sent again later
# Without any of late and twice, the events of a run come in order.

package JR::Sim::Hooks;

use strict;
use warnings;
use IO::Socket::IP;
use IO::Socket::UNIX;
use Time::HiRes qw(time);
use JR::Http;
use JR::Payload qw(delivery);
use JR::Sim::Body qw(for_org);

use constant {
    CONNECTIONS => 10,
    PATIENCE_S  => 10,    # GitHub's own
};

# loop, dice, socket (path) or port (of 127.0.0.1), key (the tests' if not said), way (the scenario's `hooks`), heard->(event);
# of one host among several: name, and is_down->(): it need not answer now
sub new {
    my ($class, %o) = @_;
    return bless {
        %o, way => $o{way} // {}, waiting => [], busy => 0, pending => 0, count => 0, lines => {},
        statuses => {}, sent => 0, lost => 0, for => defined $o{name} ? " for $o{name}" : '',
    }, $class;
}

sub idle { return !$_[0]{pending} }

# An event: decide what becomes of it.
sub send {
    my ($self, $event) = @_;
    my ($way, $dice, $run) = (@$self{qw(way dice)}, $event->{run});
    my $n = $event->{n} //= ++$run->{events};
    my $label = "$event->{kind} $event->{action}" . (defined $event->{conclusion} ? " $event->{conclusion}" : '')
        . (defined $event->{name} ? " '$event->{name}' ($event->{job})" : '') . " attempt $event->{attempt}";
    $event->{label} = $label;
    return if $way->{only} && $way->{only} ne $event->{kind};
    my @about = ($run->{n}, $event->{attempt}, $event->{kind}, $event->{name} // '', $event->{action}, $n, $self->{name} // ());
    if ($dice->chance($way->{drop} // 0, @about, 'drop')
        || ($event->{kind} eq 'workflow_job' && $dice->chance($way->{deaf} // 0, $run->{n}, 'deaf', $self->{name} // ())))
    {
        $self->{lost}++;
        push @{ $run->{story} }, [time, "lost: $label$self->{for}"];
        return;
    }
    my $guid = sprintf '%08x-%04x-11f0-8000-%012x', time, $$ & 0xffff, ++$self->{count};
    my $body = $event->{body}->();
    my $copies = 1;
    $copies++ while $copies < 4 && $dice->chance($way->{twice} // 0, @about, 'copy', $copies);
    for my $copy (1 .. $copies) {
        my $org = $copy > 1 && $dice->chance(.5, @about, 'org', $copy);
        my %delivery = (event => $event, guid => $guid, body => $org ? for_org($body) : $body, copy => $copy);
        $self->{pending}++;
        if ($way->{late}) {
            my $late = $dice->between(@{ $way->{late} }, @about, 'late', $copy);
            $late *= 5 if $dice->chance($way->{tail} // 0, @about, 'tail', $copy);
            $self->{loop}->after($late, sub { $self->queue(\%delivery) });
        }
        elsif ($copy > 1) {
            $self->{loop}->after($dice->between(0, .4, @about, 'again', $copy), sub { $self->queue(\%delivery) });
        }
        else {
            $delivery{line} = $run->{id};
            $self->queue(\%delivery);
        }
    }
    return;
}

sub queue {
    my ($self, $delivery) = @_;
    my $line = $delivery->{line};
    if ($line && $self->{lines}{$line}) {
        push @{ $self->{lines}{$line} }, $delivery;
        return;
    }
    $self->{lines}{$line} = [] if $line;
    push @{ $self->{waiting} }, $delivery;
    $self->pump;
    return;
}

sub pump {
    my ($self) = @_;
    while ($self->{busy} < CONNECTIONS && @{ $self->{waiting} }) {
        $self->deliver(shift @{ $self->{waiting} });
    }
    return;
}

sub connect {
    my ($self) = @_;
    return $self->{port}
        ? IO::Socket::IP->new(PeerHost => '127.0.0.1', PeerPort => $self->{port})
        : IO::Socket::UNIX->new(Peer => $self->{socket});
}

sub deliver {
    my ($self, $delivery) = @_;
    $delivery->{excused} = $self->{is_down} && $self->{is_down}->();
    my $request = delivery($delivery->{body}, event => $delivery->{event}{kind}, id => $delivery->{guid}, key => $self->{key});
    my $socket = $self->connect;
    return $self->answered($delivery, 'no connection') if !$socket;
    $self->{busy}++;
    $socket->autoflush(1);
    print {$socket} JR::Http::encode($request);
    my $answer = '';
    $self->{loop}->on_read($socket, sub {
        my $got = sysread $socket, $answer, 65536, length $answer;
        return if $got;
        $self->{loop}->on_read($socket, undef);
        close $socket;
        $self->{busy}--;
        my ($status) = $answer =~ m{^HTTP/1\.1 (\d+)};
        my ($reason) = $answer =~ /^X-Rerun-Reason: ([^;\r]+)/mi;
        $self->answered($delivery, $status // 'no answer', $reason);
        $self->pump;
    });
    return;
}

sub answered {
    my ($self, $delivery, $status, $reason) = @_;
    my $event = $delivery->{event};
    $self->{sent}++;
    $self->{statuses}{$status}++ if !$delivery->{excused} && !($self->{is_down} && $self->{is_down}->());
    push @{ $event->{run}{story} }, [time, "delivered: $event->{label}$self->{for}"
        . ($delivery->{copy} > 1 ? ", copy $delivery->{copy}" : '') . " -> $status " . ($reason // '')];
    $self->{heard}->($event) if $status =~ /^2|^404/;
    if (my $line = $delivery->{line}) {
        my $next = shift @{ $self->{lines}{$line} };
        if   ($next) { push @{ $self->{waiting} }, $next; $self->pump }
        else         { delete $self->{lines}{$line} }
    }
    if ($status !~ /^2|^404/ && !$delivery->{again}
        && $self->{dice}->chance($self->{way}{redeliver} // 0, $event->{run}{n}, $event->{n}, 'redeliver'))
    {
        my %again = (%$delivery, again => 1, line => undef);
        $self->{loop}->after(2, sub { $self->queue(\%again) });
        return;
    }
    $self->{pending}--;
    return;
}

1;
