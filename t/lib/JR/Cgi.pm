# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Cgi -- the plain CGI door: one process for one request, the request in
# its environment and on its standard input, the answer on its output.
#
# The answer counts as complete when standard output is closed, whatever the
# program still does afterwards in a child of its own.

package JR::Cgi;

use strict;
use warnings;
use JR::Http qw(cgi_params read_all);
use JR::Process qw(spawn reap by_cmdline end_processes);
use JR::Response;
use JR::Wait qw(wait_for);

# binary, env (a function that returns the settings), dir (for files)
sub new {
    my ($class, %o) = @_;
    my $self = bless { %o, count => 0 }, $class;
    # A name of its own tells its children from the processes of a service.
    mkdir "$o{dir}/cgi" or die "$o{dir}/cgi: $!";
    symlink $o{binary}, $self->binary or die "symlink: $!";
    return $self;
}

sub name { return 'cgi' }
sub log  { return "$_[0]{dir}/cgi/log" }
sub binary { return "$_[0]{dir}/cgi/job-rerunner" }

sub send {
    my ($self, $request) = @_;
    my $input = $self->body_file($request->{body} // '');
    pipe my $answer, my $write or die "pipe: $!";
    my $pid = spawn(
        argv  => [$self->binary, @{ $request->{arguments} // [] }],
        env   => { %{ $self->{env}->() }, map {@$_} cgi_params($request) },
        stdin => $input,
        out   => $write,
        err   => $self->log,
    );
    close $write;
    my $bytes = read_all($answer);
    $self->{exit} = reap($pid);
    return JR::Response->from_cgi($bytes);
}

sub body_file {
    my ($self, $body) = @_;
    my $name = "$self->{dir}/cgi/body.$$." . ++$self->{count};
    open my $fh, '>:raw', $name or die "$name: $!";
    print {$fh} $body;
    close $fh;
    open $fh, '<:raw', $name or die "$name: $!";
    unlink $name;
    return $fh;
}

# Wait status of the process that answered last.
sub exit_status { return $_[0]{exit} }

# What earlier requests still have running.
sub children {
    my ($self) = @_;
    return $self->{count} ? by_cmdline($self->binary) : ();
}

sub wait_children {
    my ($self, $seconds) = @_;
    return wait_for { !$self->children } $seconds;
}

sub kill_children {
    my ($self) = @_;
    end_processes($self->children);
    return;
}

1;
