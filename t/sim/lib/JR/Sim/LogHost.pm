# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Sim::LogHost -- the host where logs are (JR::FakeGitHub::Logs), on good and bad days.
#
# Of a scenario's `logs`, chances for each job:
#   gone      the log was never stored (404)
#   expired   it is no longer kept (410)
#   refused   the API itself says so, by 404 or 410
#   late      [chance, seconds]: it is stored so long after the job's end
#   no_range  the host sends all of it, which is long
# and for each read:
#   slow      it comes in pieces
#   cut       the connection ends in the middle
#   idle      how many reads in all stop in the middle, and go on never

package JR::Sim::LogHost;

use strict;
use warnings;
use parent 'JR::Sim::Listener';
use Time::HiRes qw(time);
use JR::FakeGitHub::Logs;

use constant { PIECES => 6, PIECE_S => [.05, .25], LONG_BYTES => 600_000 };

# loop, dice, github, way (the scenario's `logs`), tail_bytes (LOG_TAIL); asked->() is called at
# each request
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, way => $o{way} // {}, requests => 0, tokens => 0, idle => 0, under_way => 0 }, $class;
    $self->listen;
    $self->{github}{logs}->set_base($self->url);
    return $self;
}

# Is nothing being read?
sub is_idle { return !$_[0]{under_way} }

sub luck {
    my ($self, $name, $run, $job, @more) = @_;
    return $self->{dice}->chance($self->{way}{$name} // 0, $run->{n}, $job->{attempt}, $job->{node}, $name, @more);
}

# What becomes of the log of a job: seen when GitHub is asked for the link.
sub plan {
    my ($self, $run, $job) = @_;
    return if $job->{planned}++;
    my $why = $job->{why};
    if ($self->luck(refused => $run, $job)) {
        $job->{log_refused} = $self->{dice}->pick([404, 410], $run->{n}, $job->{attempt}, $job->{node}, 'refusal');
    }
    # A limit of time that nobody tells of would look as a lost runner.
    $why->{stored} = 0 if $why->{kind}{cause} ne 'timeout' && $self->luck(gone => $run, $job);
    $job->{expired} = $self->luck(expired => $run, $job);
    my ($p, $seconds) = @{ $self->{way}{late} // [0] };
    $job->{log_at} = $job->{completed_at} + $seconds
        if $self->{dice}->chance($p, $run->{n}, $job->{attempt}, $job->{node}, 'late');
    $job->{whole_only} = $self->luck(no_range => $run, $job);
    $job->{log_before} = LONG_BYTES if $job->{whole_only};
    return;
}

sub handle {
    my ($self, $socket, $request) = @_;
    $self->{requests}++;
    $self->{asked}->();
    $self->{tokens}++ if defined $request->{headers}{authorization};
    my ($id) = $request->{query} =~ /\bjob=(\d+)/;
    my ($run, $job) = @{ $self->{github}{by_job}{ $id // 0 } // [] };
    return $self->drop($socket) if !$job;
    my $answer = $self->answer($request, $run, $job);
    my %read = (at => time, status => $answer->{status}, done => 0, counts => $self->counts($request, $answer));
    push @{ $job->{reads} }, \%read;
    push @{ $run->{story} }, [time, "LOG of job $id, $request->{headers}{range} -> $answer->{status}"];
    $self->send($socket, $run, $job, $answer, \%read);
    return;
}

sub answer {
    my ($self, $request, $run, $job) = @_;
    my $logs = $self->{github}{logs};
    return JR::FakeGitHub::Logs::problem(410, 'Gone') if $job->{expired};
    local $logs->{how}{gone} = 1 if ($job->{log_at} // 0) > $self->{github}->now($run);
    local $logs->{how}{ignore_range} = 1 if $job->{whole_only};
    return $logs->answer($request);
}

# Of a long log that comes whole to who has asked for its end, the end is asked for once more.
sub counts {
    my ($self, $request, $answer) = @_;
    return $answer->{status} == 206 || ($answer->{status} == 200
        && (($answer->{before} // 0) <= 3 * $self->{tail_bytes} || $request->{headers}{range} !~ /^bytes=-/));
}

sub send {
    my ($self, $socket, $run, $job, $answer, $read) = @_;
    my $body = '';
    JR::FakeGitHub::Logs::filling(@$answer{qw(at before)}, sub { $body .= $_[0]; 1 }) if $answer->{before};
    $body .= $answer->{body};
    my %headers = ('Content-Length' => length $body, %{ $answer->{headers} // {} });
    my $text = join '', "HTTP/1.1 $answer->{status} Sim\r\n", (map {"$_: $headers{$_}\r\n"} sort keys %headers), "\r\n", $body;
    my @about = ($run, $job, scalar @{ $job->{reads} });
    my $is_good = $answer->{status} =~ /^2/;
    my $part = length($text) - int(length($body) / 2);
    return $self->write($socket, substr($text, 0, $part)) && $self->drop($socket) if $is_good && $self->luck(cut => @about);
    $self->{under_way}++;
    if ($is_good && $self->{idle} < ($self->{way}{idle} // 0)) {
        $self->{idle}++;
        $self->write($socket, substr $text, 0, $part);
        return $self->{loop}->on_read($socket, sub { $self->{under_way}--; $self->drop($socket) });
    }
    my $pieces = $is_good && $self->luck(slow => @about) ? PIECES : 1;
    my $size = int(length($text) / $pieces) + 1;
    return $self->send_pieces($socket, [map { substr $text, $_ * $size, $size } 0 .. $pieces - 1], $read, \@about);
}

sub send_pieces {
    my ($self, $socket, $pieces, $read, $about) = @_;
    my $sent = $self->write($socket, shift @$pieces);
    if ($sent && @$pieces) {
        my $wait = $self->{dice}->between(@{ +PIECE_S }, map({ $_->{n} // $_->{id} } @$about[0, 1]), scalar @$pieces);
        return $self->{loop}->after($wait, sub { $self->send_pieces($socket, $pieces, $read, $about) });
    }
    $self->{under_way}--;
    $read->{done} = $sent;
    return;
}

sub write {
    my ($self, $socket, $text) = @_;
    return 0 if !defined fileno $socket;
    local $SIG{PIPE} = 'IGNORE';
    return print {$socket} $text;
}

1;
