# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Process -- start programs in a clean environment and account for them.
#
# Each program gets a session of its own, so that everything it forks can be
# found again in /proc, also by an ordinary user and also after the program
# itself is gone.

package JR::Process;

use strict;
use warnings;
use Exporter 'import';
use POSIX qw(:sys_wait_h setsid dup2 _exit);
use JR::Wait qw(wait_for);

our @EXPORT_OK = qw(spawn reap running state_of is_stopped children_of session_of by_cmdline by_folder end_processes);

# Start argv with exactly env. stdin is a handle (default /dev/null); out and
# err are file names (appended to) or handles; err defaults to out.
sub spawn {
    my (%o) = @_;
    my $pid = fork // die "fork: $!";
    return $pid if $pid;
    eval {
        setsid();
        redirect($o{stdin} // '/dev/null', 0);
        redirect($o{out}   // '/dev/null', 1);
        redirect($o{err}   // $o{out} // '/dev/null', 2);
        $SIG{$_} = 'DEFAULT' for qw(PIPE INT TERM HUP CHLD);
        $o{in_child}->() if $o{in_child};
        %ENV = %{ $o{env} // {} };
        no warnings 'exec';
        exec { $o{argv}[0] } @{ $o{argv} };
    };
    print STDERR "cannot run $o{argv}[0]: ", $@ || $!, "\n";
    _exit(127);
}

sub redirect {
    my ($target, $fd) = @_;
    if (!ref $target) {
        my $mode = $fd == 0 ? '<' : '>>';
        open my $fh, $mode, $target or die "$target: $!";
        $target = $fh;
    }
    die "fd $fd was closed" if fileno($target) <= 2;
    dup2(fileno($target), $fd) // die "dup2: $!";
    return;
}

# Wait status of our own child, or nothing if it is still there at the deadline.
sub reap {
    my ($pid, $seconds) = @_;
    my $status;
    wait_for {
        my $got = waitpid $pid, WNOHANG;
        return 0 if $got == 0;
        $status = $got == $pid ? $? : -1;
        1;
    } $seconds;
    return $status;
}

# { pid, state, ppid, session, tty } of all processes, or of one.
sub table {
    my ($only) = @_;
    my @rows;
    for my $pid (defined $only ? $only : map { m{(\d+)$} } glob '/proc/[0-9]*') {
        open my $fh, '<', "/proc/$pid/stat" or next;
        my $line = <$fh> // next;
        $line =~ s/^.*\) //s;
        my ($state, $ppid, undef, $session, $tty) = split ' ', $line;
        push @rows, { pid => $pid, state => $state, ppid => $ppid, session => $session, tty => $tty };
    }
    return @rows;
}

sub living { return grep { $_->{state} !~ /[ZX]/ } @_ }

# A letter of proc(5); "": there is no such process.
sub state_of { my ($pid) = @_; my ($row) = table($pid); return $row ? $row->{state} : '' }

sub is_stopped { my ($pid) = @_; return state_of($pid) eq 'T' }

sub running { my ($pid) = @_; return scalar living(table($pid)) }

sub children_of {
    my ($parent) = @_;
    my @pids = sort { $a <=> $b } map { $_->{pid} } grep { $_->{ppid} == $parent } living(table());
    return @pids;
}

sub session_of {
    my ($session) = @_;
    die 'no session' if !$session || $session <= 1;
    return map { $_->{pid} } grep { $_->{session} == $session } living(table());
}

# Processes whose command line mentions the text (a private directory).
sub by_cmdline {
    my ($text) = @_;
    return grep { $_ != $$ && index(cmdline($_), $text) >= 0 } map { $_->{pid} } living(table());
}

# Those, and the ones that are in the folder, which need not have said its name; but no
# shell of somebody who has a look there.
sub by_folder {
    my ($folder) = @_;
    my %found = map { $_ => 1 } by_cmdline($folder),
        grep { $_ != $$ && index(readlink("/proc/$_/cwd") // '', $folder) == 0 }
        map { $_->{pid} } grep { !$_->{tty} } living(table());
    my @pids = sort { $a <=> $b } keys %found;
    return @pids;
}

# Kill for good. An empty or odd pid would mean our own process group.
sub end_processes {
    my (@pids) = @_;
    kill 'KILL', grep { defined && /^[0-9]+$/ && $_ > 1 } @pids;
    return;
}

sub cmdline {
    my ($pid) = @_;
    open my $fh, '<', "/proc/$pid/cmdline" or return '';
    local $/;
    return <$fh> // '';
}

1;
