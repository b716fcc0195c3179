# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Receiver -- who is told by NOTIFY_URL, as a chat's incoming webhook is: takes POSTs, keeps
# them, and answers as it is told to.

package JR::Receiver;

use strict;
use warnings;
use IO::Socket::IP;
use JSON::PP;
use POSIX qw(_exit);
use JR::File qw(read_file_or_empty write_file);
use JR::Process qw(reap);

my $JSON = JSON::PP->new->canonical->ascii;

# dir
sub start {
    my ($class, %o) = @_;
    my $self = bless {%o}, $class;
    mkdir $self->{dir} or die "$self->{dir}: $!";
    my $socket = IO::Socket::IP->new(Listen => 64, LocalHost => '127.0.0.1', LocalPort => 0) or die "cannot listen: $!";
    $self->{port} = $socket->sockport;
    my $parent = $$;
    $self->{pid} = fork // die "fork: $!";
    return $self if $self->{pid};
    $SIG{TERM} = sub { _exit(0) };
    $SIG{PIPE} = 'IGNORE';
    local $| = 1;
    serve($self, $socket, $parent);
    _exit(0);
}

sub url { my ($self, $path) = @_; return "http://127.0.0.1:$self->{port}" . ($path // '/services/SECRET-PATH') }

# What the next requests are answered, a line each: "500", "429 Retry-After: 1", "302 Location: ...",
# "hang". Behind them, "200".
sub script { my ($self, @lines) = @_; return write_file("$self->{dir}/script", join '', map {"$_\n"} @lines) }

# { path, headers (in lower case), body (decoded), answer }, in order
sub requests {
    my ($self) = @_;
    return map { $JSON->decode($_) } grep {/\}\z/} split /\n/, read_file_or_empty("$self->{dir}/requests");
}

# The objects that were taken.
sub taken { my ($self) = @_; return map { $_->{body} } grep { $_->{answer} =~ /^2/ } $self->requests }

sub serve {
    my ($self, $socket, $parent) = @_;
    my @hanging;
    while (getppid == $parent) {
        my $ready = '';
        vec($ready, fileno $socket, 1) = 1;
        next if select($ready, undef, undef, 1) < 1;
        my $peer = $socket->accept or next;
        my $request = read_request($peer) or next;
        my ($answer, @rest) = split /\n/, read_file_or_empty("$self->{dir}/script");
        write_file("$self->{dir}/script", join '', map {"$_\n"} @rest) if defined $answer;
        $answer //= '200';
        $request->{answer} = $answer;
        open my $log, '>>', "$self->{dir}/requests" or _exit(1);
        print $log $JSON->encode($request), "\n";
        close $log;
        if ($answer eq 'hang') {
            push @hanging, $peer;
            next;
        }
        my ($status, $header) = split / /, $answer, 2;
        print $peer "HTTP/1.1 $status Said\r\n", defined $header ? "$header\r\n" : '', "Content-Length: 2\r\nConnection: close\r\n\r\nok";
        close $peer;
    }
    return;
}

sub read_request {
    my ($peer) = @_;
    my $head = '';
    while ($head !~ /\r\n\r\n/) {
        sysread $peer, $head, 4096, length $head or return;
    }
    ($head, my $body) = split /\r\n\r\n/, $head, 2;
    my ($first, @lines) = split /\r\n/, $head;
    my %headers = map { /^([^:]+):\s*(.*)/ ? (lc $1 => $2) : () } @lines;
    while (length $body < ($headers{'content-length'} // 0)) {
        sysread $peer, $body, 65536, length $body or return;
    }
    my ($method, $path) = split / /, $first;
    return { method => $method, path => $path, headers => \%headers, body => eval { decode_json($body) }, length => length $body };
}

sub stop {
    my ($self) = @_;
    kill 'TERM', $self->{pid} if $self->{pid};
    reap($self->{pid}) if $self->{pid};
    $self->{pid} = undef;
    return;
}

1;
