# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Hosts -- several hosts: what happens to them, and to the etcd by which they agree.
#
# Of a scenario's `hosts':
#   count       how many
#   etcd        0: they know nothing of each other
#   settings    of each of them, besides
# and faults, each [least, most, least, most] seconds from one to the next, and for how long:
#   freeze      SIGSTOP and SIGCONT of a dispatcher
#   from_etcd from_github   a host is cut off
#   member_freeze member_kill member_cut   the like for each member of etcd; cut: from the other members
#   at          [point, least, most] for each host in turn: its dispatcher stops there (lib/base/testpoint.h),
#               for so long; as often as it gets there
# All end when all runs have begun.

package JR::Sim::Hosts;

use strict;
use warnings;
use Time::HiRes qw(time);
use JR::File qw(write_file);
use JR::Http;
use JR::Sim::Etcd;

use constant { LOOK_S => .05, AGAIN_S => [.3, 1], ANSWER_S => 10, MEMBERS => 3, SHORTER => 20, TAKEOVER_S => 60 };

# So long a claim of a dead host keeps others away, at the most; and lists are read twice.
use constant { LATE_S => 2 * TAKEOVER_S / SHORTER + 2 };

my @CLAIMS = qw(taken lost posting late takeover done);

# loop, dice, dir, way (the scenario's `hosts')
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, busy => 0, counts => {}, claims => {}, before => [] }, $class;
    return $self if !($o{way}{etcd} // 1);
    $self->{etcd}   = JR::Sim::Etcd->start(dir => "$o{dir}/etcd", members => MEMBERS, owner => $$);
    $self->{relays} = [map { $self->{etcd}->relay } 1 .. $o{way}{count}];
    return $self;
}

sub is_possible { return !!JR::Etcd::binary() }

# The same faults, so many times as soon after each other.
sub hasty {
    my ($way, $times) = @_;
    my %hasty = %$way;
    $hasty{$_} = [map({ $_ / $times } @{ $way->{$_} }[0, 1]), @{ $way->{$_} }[2, 3]]
        for grep { ref $way->{$_} eq 'ARRAY' && !ref $way->{$_}[0] } keys %$way;
    return \%hasty;
}

sub name { my ($self, $n) = @_; return 'host-' . ($n + 1) }
sub mark { my ($self, $n) = @_; return "$self->{dir}/stands-$n" }

# Of one of them.
sub settings {
    my ($self, $n) = @_;
    my $at = $self->{way}{at} && $self->{way}{at}[$n];
    return (
        JR_TEST_SHORTER => SHORTER, CLUSTER_HOST => $self->name($n), CLUSTER_TAKEOVER => TAKEOVER_S . 's',
        CLUSTER_ETCD => $self->{relays} && $self->{relays}[$n]->urls,
        JR_TEST_STOP_AT => $at && "$at->[0]:" . $self->mark($n), %{ $self->{way}{settings} // {} },
    );
}

# api (JR::Sim::Api), services
sub begin {
    my ($self, %o) = @_;
    @$self{ keys %o } = values %o;
    my ($etcd, $api, $relays) = @$self{qw(etcd api relays)};
    for my $n (0 .. $#{ $self->{services} }) {
        $self->plan(freeze => $n, sub { $self->freeze($n) }, sub { kill 'CONT', $_[0] });
        $self->plan(from_github => $n, sub { $api->cut($n); 1 }, sub { $api->heal($n) });
        $self->plan(from_etcd => $n, sub { $relays->[$n]->cut }, sub { $relays->[$n]->heal }) if $etcd;
        $self->await_point($n, @{ $self->{way}{at}[$n] }) if $self->{way}{at} && $self->{way}{at}[$n];
    }
    return if !$etcd;
    for my $n (0 .. MEMBERS - 1) {
        $self->plan(member_freeze => $n, sub { $etcd->signal(STOP => $n) }, sub { $etcd->signal(CONT => $n) });
        $self->plan(member_kill => $n, sub { $etcd->kill_member($n); 1 }, sub { $etcd->start_member($n) });
        $self->plan(member_cut => $n, sub { $etcd->cut_member($n) }, sub { $etcd->heal_member($n) });
    }
    return;
}

sub idle { return !$_[0]{busy} }

# A fault comes, and again. begin->() returns what end->() is given; false: it cannot come now.
sub plan {
    my ($self, $what, $n, $begin, $end) = @_;
    my $way   = $self->{way}{$what} or return;
    my @about = ($what, $n, $self->{turns}{$what}[$n]++);
    my $is_hit = \$self->{is_hit}{ $what =~ s/^member\K.*//r }[$n];
    $self->{loop}->after($self->{dice}->between(@$way[0, 1], @about), sub {
        return if $self->{over};
        my $of = !$$is_hit && $begin->() or return $self->plan($what, $n, $begin, $end);
        $$is_hit = 1;
        $self->note($what, 1);
        $self->{loop}->after($self->{dice}->between(@$way[2, 3], @about, 'for'), sub {
            $end->($of);
            $$is_hit = 0;
            $self->note($what, -1);
            $self->plan($what, $n, $begin, $end);
        });
    });
    return;
}

sub note {
    my ($self, $what, $by) = @_;
    $self->{busy} += $by;
    $self->{counts}{$what}++ if $by > 0;
    $self->{last_fault} = time;
    return;
}

sub freeze {
    my ($self, $n) = @_;
    my $pid = $self->{services}[$n]{master} && $self->{services}[$n]->dispatcher or return;
    return kill('STOP', $pid) && $pid;
}

# A host stands still at its point, goes on, and may get there again.
sub await_point {
    my ($self, $n, $point, @for) = @_;
    my $mark = $self->mark($n);
    $self->{loop}->after(LOOK_S, sub {
        my $pid = $self->{services}[$n]{master} && $self->{services}[$n]->dispatcher_at($mark);
        # No point stops it any more while the file is there.
        return write_file($mark, '') if $self->{over} && !-e $mark;
        return $self->await_point($n, $point, @for) if !$pid;
        my @about = ($point, $n, $self->{turns}{$point}[$n]++);
        $self->note("at $point", 1);
        $self->{loop}->after($self->{dice}->between(@for, @about), sub {
            kill 'CONT', $pid;
            $self->note("at $point", -1);
            return if $self->{over};
            $self->{loop}->after($self->{dice}->between(@{ +AGAIN_S }, @about, 'again'), sub {
                unlink $mark;
                $self->await_point($n, $point, @for);
            });
        });
    });
    return;
}

# Take down what each host has counted; its end is the end of that. Nobody waits for one that does not answer.
sub count {
    my ($self) = @_;
    for my $n (0 .. $#{ $self->{services} }) {
        next if $self->{asks}[$n] || !$self->{services}[$n]{master};
        my $socket = $self->{services}[$n]->http->open_connection;
        print {$socket} JR::Http::encode({ path => '/metrics', method => 'GET' });
        my $answer = '';
        $self->{asks}[$n] = 1;
        $self->{loop}->on_read($socket, sub {
            return if sysread $socket, $answer, 65536, length $answer;
            $self->{loop}->on_read($socket, undef);
            close $socket;
            $self->{asks}[$n] = 0;
            $self->add($n, $answer =~ /^job_rerunner_cluster_claims_total\{result="(\w+)"\} (\d+)/mg);
        });
    }
    return;
}

sub add {
    my ($self, $n, %now) = @_;
    my $before = $self->{before}[$n] // {};
    for my $what (keys %now) {
        my $known = $before->{$what} // 0;
        $self->{claims}{$what} += $now{$what} - ($known <= $now{$what} ? $known : 0);
    }
    $self->{before}[$n] = \%now if %now;
    return;
}

# All that they have counted by now.
sub count_all {
    my ($self) = @_;
    $self->count;
    my $end = time + ANSWER_S;
    $self->{loop}->turn while grep({$_} @{ $self->{asks} }) && time < $end;
    return;
}

sub claims { my ($self) = @_; return map { $_ => $self->{claims}{$_} // 0 } @CLAIMS }

# What there is to say of how it went (JR::Sim::World's `hosts').
sub notes {
    my ($result) = @_;
    my ($claims, $faults) = @$result{qw(claims faults)};
    return (
        'faults: ' . join(', ', map {"$_ $faults->{$_}"} sort keys %$faults),
        'claims: ' . join(', ', map {"$_ $claims->{$_}"} @CLAIMS),
        sprintf('rerun twice %d, another attempt than was meant %d, beyond RUN_ATTEMPTS %d', @$result{qw(doubles strays beyond)}),
        sprintf('a rerun came %.2f s after the end of its attempt in the middle, %.1f s at the most, %.1f s when all faults were over',
            map { $_ // 0 } @$result{qw(middle_s most_s after_s)}),
    );
}

sub finish {
    my ($self) = @_;
    $self->{etcd}->stop if $self->{etcd};
    return;
}

1;
