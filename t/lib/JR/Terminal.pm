# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Terminal -- a program on a terminal of its own, made by script(1): what it
# writes there, and keys for it.

package JR::Terminal;

use strict;
use warnings;
use IO::Handle;
use JR::File qw(read_file_or_empty);
use JR::Process qw(spawn reap end_processes);

my ($SCRIPT) = grep { -x } '/usr/bin/script';
my $number = 0;

# Is there a terminal to be had here?
sub available {
    my ($dir) = @_;
    return $SCRIPT && reap(spawn(argv => [$SCRIPT, '-qefc', 'true', '/dev/null'], env => {}, out => "$dir/terminal.try")) == 0;
}

# Begin a command of the shell; env as of spawn, with TERM, COLUMNS and LINES.
sub start {
    my ($class, $dir, $command, %env) = @_;
    my $out = "$dir/terminal." . ++$number;
    pipe my $read, my $keys or die "pipe: $!";
    $keys->autoflush;
    my $pid = spawn(
        argv => [$SCRIPT, '-qefc', $command, '/dev/null'],
        env  => { PATH => '/usr/bin:/bin', TERM => 'xterm', SHELL => '/bin/sh', LC_ALL => 'C.UTF-8', %env },
        stdin => $read, out => $out,
    );
    return bless { pid => $pid, keys => $keys, out => $out }, $class;
}

# All that was written so far, line ends as programs write them.
sub text { my ($self) = @_; return read_file_or_empty($self->{out}) =~ s/\r\n/\n/gr }

sub press { my ($self, $keys) = @_; print { $self->{keys} } $keys; return }

# Its exit status once it has ended by itself, or nothing.
sub status {
    my ($self) = @_;
    my $status = reap($self->{pid});
    end_processes($self->{pid}) if !defined $status;
    return defined $status ? $status >> 8 : undef;
}

sub stop { my ($self) = @_; end_processes($self->{pid}); return }

1;
