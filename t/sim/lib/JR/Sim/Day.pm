# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::Day -- a day of an imaginary organisation, played into a store in seconds, and
# how it goes on from there in its own time.
#
# While it is played, the clock (JR::Sim::Clock) goes from one thing that happens to the
# next: a timer of GitHub's, or an entry of the outbox. What GitHub sends and shows, and
# what the service decides, is of that time; so a day is the same for a seed, whatever the
# machine does. Afterwards GitHub lives on by the real clock, and sends its webhooks to the
# service that is at work by then.

package JR::Sim::Day;

use strict;
use warnings;
use JR::Sim::Clock;
use Time::HiRes qw(time);
use JR::Sim::Api;
use JR::Sim::Day::GitHub;
use JR::Sim::Dice;
use JR::Sim::Hooks;
use JR::Sim::Loop;
use JR::Sim::Organisation;
use JR::Sim::Player;

use constant {
    DELIVERY_S => 1.5,     # from what happens at GitHub to its webhook
    OWN_RUN_S  => 600,     # how long ago that run began which nobody has told of
    AHEAD_S    => 86400,   # how far it is known what happens next
    HURRY_S    => .5,
};

# seed, token, hourly_limit
sub new {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;
    my $loop = $self->{loop} = JR::Sim::Loop->new;
    my $dice = $self->{dice} = JR::Sim::Dice->new($o{seed});
    $self->{organisation} = JR::Sim::Organisation->new(dice => $dice);
    $self->{github} = JR::Sim::Day::GitHub->new(
        dice => $dice, loop => $loop, tokens => [$o{token}], hourly_limit => $o{hourly_limit} // 5000,
        on_event => sub { my ($event) = @_; $loop->after(DELIVERY_S, sub { $self->deliver($event) }) },
        on_end   => sub { },
    );
    $self->{api} = JR::Sim::Api->new(dice => $dice, loop => $loop, github => $self->{github});
    return $self;
}

sub url { return $_[0]{api}->url }

# Plan what happens between two times.
sub expect {
    my ($self, $from, $to) = @_;
    for my $happens ($self->{organisation}->day($from, $to)) {
        my ($at, $what, @more) = @$happens;
        $self->{loop}->after($at - time, sub { $self->$what(@more) });
    }
    return;
}

# What can happen.

sub start {
    my ($self, @what) = @_;
    my ($plan, $n) = $self->{organisation}->plan(@what);
    push @{ $self->{all} }, $self->{github}->start_run($n, $plan);
    return;
}

sub rerun {
    my ($self, $who, $repo, $workflow) = @_;
    my ($run) = grep { $_->{repo} eq $repo && $_->{name} eq $workflow && ($_->{conclusion} // '') eq 'failure' }
        reverse @{ $self->{all} };
    $self->{github}->rerun_by($run, $who, 'failed') if $run;
    return;
}

# Pauses are the service's: those that are made while it is at work are made with its tool.
sub pause  { my ($self, @words) = @_; $self->{player}->tell('pause',  time, "@words") if $self->{player}; return }
sub resume { my ($self, @words) = @_; $self->{player}->tell('resume', time, "@words") if $self->{player}; return }

sub deliver {
    my ($self, $event) = @_;
    my $run = $event->{run};
    return if $run->{untold} && $event->{attempt} == 1;
    return $self->{player}->event(time, $event) if $self->{player};
    return $self->{hooks}->send($event);
}

# A run that has failed, and of which the service knows nothing.
sub start_own {
    my ($self, $id) = @_;
    local $self->{github}{run_id} = $id - 1;
    my ($plan, $n) = $self->{organisation}->own_plan;
    $self->{github}->start_run($n, $plan)->{untold} = 1;
    return;
}

# Play what happens between two times.
#   player  the program; store  the folder of the store; own_run  the id of the run that nobody tells of
#   on_turn  called again and again
sub play {
    my ($self, %o) = @_;
    my $loop = $self->{loop};
    JR::Sim::Clock::set($o{from});
    my $player = $self->{player} = JR::Sim::Player->new(program => $o{player}, store => $o{store}, loop => $loop);
    $self->expect(@o{qw(from to)});
    $loop->after($o{to} - OWN_RUN_S - $o{from}, sub { $self->start_own($o{own_run}) });
    while (1) {
        $o{on_turn}->();
        my ($at, $due) = ($loop->next_at, $player->due);
        my $is_step = $due && (!defined $at || $due < $at);
        $at = $due if $is_step;
        last if !defined $at || $at > $o{to};
        JR::Sim::Clock::set($at) if $at > time;
        if   ($is_step) { $player->tell('step', time) }
        else            { $loop->fire }
    }
    JR::Sim::Clock::set($o{to});
    $player->end;
    delete $self->{player};
    return;
}

# The newest run that the service has brought to a good end, at the most attempts.
sub notable {
    my ($self) = @_;
    my @rescued = grep { $_->{attempt} > 1 && ($_->{conclusion} // '') eq 'success' && @{ $_->{posts} } } @{ $self->{all} };
    my ($run) = sort { $b->{attempt} <=> $a->{attempt} || $b->{id} <=> $a->{id} } @rescued;
    return $run ? $run->{id} : $self->{all}[0]{id};
}

# Go on by the real clock, once the service can be reached.
#   port, key  of the service; on_turn  as above
sub live {
    my ($self, %o) = @_;
    my $loop = $self->{loop};
    JR::Sim::Clock::set(undef);
    my $hooks = $self->{hooks} = JR::Sim::Hooks->new(
        loop => $loop, dice => $self->{dice}, port => $o{port}, key => $o{key}, heard => sub { });
    until ($hooks->connect) {
        $loop->look(HURRY_S);
        $o{on_turn}->();
    }
    while (1) {
        my $now = time;
        $self->expect($now, $now + AHEAD_S);
        while (time < $now + AHEAD_S) {
            $loop->turn;
            $o{on_turn}->();
        }
    }
}

1;
