# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Outage -- the service stops, or is killed, and comes back.
#
# Of a scenario's `outage`:
#   stop        the signal that ends the service, `times` while runs are
#               started, `for` [least, most] seconds each
#   dispatcher  [least, most] seconds from one kill -9 of it to the next
#   kill_at     a point of lib/base/testpoint.h, where it is killed now and then
#
# Nothing here waits: GitHub has to live on meanwhile.

package JR::Sim::Outage;

use strict;
use warnings;
use POSIX qw(WNOHANG);
use Time::HiRes qw(time);
use JR::File qw(write_file);
use JR::Process qw(session_of end_processes);

# The master waits before it replaces a child for the third time within 10 s,
# and ever longer: a service that is only ever restarting shows nothing.
use constant { LOOK_S => .05, STOP_S => 12, KILLS_MOST => 3, KILLS_IN_S => 11, AGAIN_S => [1, 3] };

# dice, loop, service, way (the scenario's `outage`), runs (how many there will be), mark (the file
# that tells that the point was reached); name, of one host among several, and
# sooner: the share of the time between two stops by which its own come sooner
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, way => $o{way} // {}, down => 0, kills => 0, stops => 0 }, $class;
    my $times = $self->{way}{stop} ? $self->{way}{times} : 0;
    $self->{at} = [map { int(($_ - ($o{sooner} // 0)) * $o{runs} / ($times + 1)) } 1 .. $times];
    $self->plan_kill if $self->{way}{dispatcher};
    $self->await_point if $self->{way}{kill_at};
    return $self;
}

sub idle { return !$_[0]{down} }

sub plan_kill {
    my ($self) = @_;
    my $wait = $self->{dice}->between(@{ $self->{way}{dispatcher} }, 'kill', $self->{kills}, $self->{name} // ());
    $self->{loop}->after($wait, sub {
        return if $self->{over};
        $self->kill_dispatcher;
        $self->plan_kill;
    });
    return;
}

# It stands still at the point until it is killed.
sub await_point {
    my ($self) = @_;
    $self->{loop}->after(LOOK_S, sub {
        my $is_there = -e $self->{mark};
        # No point stops it any more while the file is there.
        return write_file($self->{mark}, '') if $self->{over} && !$is_there;
        return $self->await_point if !$is_there || !$self->kill_dispatcher(1);
        $self->{loop}->after($self->{dice}->between(@{ +AGAIN_S }, 'again', $self->{kills}), sub {
            return if $self->{over};
            unlink $self->{mark};
            $self->await_point;
        });
    });
    return;
}

sub kill_dispatcher {
    my ($self, $stands) = @_;
    return 0 if $self->{down} || !($stands && $self->{over} ? $self->all_are_told : $self->may_kill);
    my $pid = $self->{service}->dispatcher or return 0;
    kill 'KILL', $pid;
    $self->{service}->expect_death;
    $self->{kills}++;
    push @{ $self->{$_} }, time for qw(killed deaths);
    return 1;
}

sub may_kill {
    my ($self) = @_;
    $self->{killed} = [grep { $_ > time - KILLS_IN_S } @{ $self->{killed} // [] }];
    return !$self->{over} && @{ $self->{killed} } < KILLS_MOST && $self->all_are_told;
}

# Has the master told of all that were killed? Who is not dead yet could be killed twice, and of
# whom it misses while it stops it says nothing.
sub all_are_told {
    my ($self) = @_;
    my $told = () = $self->{service}->log->text =~ /^\S+ error child-died /mg;
    return $told >= ($self->{service}{expected_deaths} // 0);
}

# So many runs have been started.
sub see {
    my ($self, $started) = @_;
    return if $self->{down} || !@{ $self->{at} } || $started < $self->{at}[0] || !$self->all_are_told;
    shift @{ $self->{at} };
    $self->{down} = 1;
    $self->{stops}++;
    my $master = $self->{service}->master;
    push @{ $self->{deaths} }, time;
    # A host that dies takes all of it along, also what stands still.
    kill $self->{way}{stop}, $master, defined $self->{name} ? session_of($master) : ();
    $self->await_end($master, int STOP_S / LOOK_S);
    return;
}

sub await_end {
    my ($self, $master, $looks) = @_;
    $self->{loop}->after(LOOK_S, sub {
        $self->{reaped} ||= waitpid($master, WNOHANG) == $master;
        return $self->await_end($master, $looks - 1) if session_of($master) && $looks > 0;
        push @{ $self->{service}{faults} }, "still there after SIG$self->{way}{stop}" if $looks <= 0;
        end_processes(session_of($master));
        delete $self->{service}{master};
        $self->{reaped} = 0;
        $self->{loop}->after($self->{dice}->between(@{ $self->{way}{for} }, 'down', $self->{stops}, $self->{name} // ()), sub {
            $self->{service}->start_service;
            $self->{killed} = [];
            $self->{down} = 0;
        });
    });
    return;
}

1;
