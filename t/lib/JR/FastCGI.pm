# SPDX-License-Identifier: BSD-2-Clause
#
# JR::FastCGI -- a raw FastCGI client, for what no web server would send:
# short bodies, aborts, clients that vanish.
#
# Bytes are built before the connection is opened: the service drops a
# connection that stays silent.

package JR::FastCGI;

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::UNIX;
use JR::Http qw(cgi_params read_all);
use JR::Response;

our @EXPORT_OK = qw(fcgi_request fcgi_begin fcgi_params fcgi_stdin fcgi_end fcgi_abort);

use constant {
    TYPE_BEGIN_REQUEST => 1,
    TYPE_ABORT_REQUEST => 2,
    TYPE_END_REQUEST   => 3,
    TYPE_PARAMS        => 4,
    TYPE_STDIN         => 5,
    TYPE_STDOUT        => 6,
    ROLE_RESPONDER     => 1,
    REQUEST_ID         => 1,
    RECORD_MAX         => 65535,
};

sub new {
    my ($class, %o) = @_;
    return bless {%o}, $class;
}

sub name { return 'fastcgi' }

sub record {
    my ($type, $content) = @_;
    return pack('CCnnCC', 1, $type, REQUEST_ID, length $content, 0, 0) . $content;
}

sub stream {
    my ($type, $content) = @_;
    return join '', map { record($type, $_) } unpack '(a' . RECORD_MAX . ')*', $content;
}

sub fcgi_begin { return record(TYPE_BEGIN_REQUEST, pack 'nCx5', ROLE_RESPONDER, 0) }
sub fcgi_abort { return record(TYPE_ABORT_REQUEST, '') }
sub fcgi_stdin { return stream(TYPE_STDIN, $_[0]) }
sub fcgi_end   { return record(TYPE_STDIN, '') }

sub fcgi_params {
    my (@pairs) = @_;
    my $content = join '', map { pair(@$_) } @pairs;
    return stream(TYPE_PARAMS, $content) . record(TYPE_PARAMS, '');
}

sub pair {
    my ($name, $value) = @_;
    return size(length $name) . size(length $value) . $name . $value;
}

sub size {
    my ($n) = @_;
    return $n < 128 ? pack 'C', $n : pack 'N', $n | 0x80000000;
}

# The bytes of a whole request; `begin' in the place of its first record.
sub fcgi_request {
    my ($request, $begin) = @_;
    return ($begin // fcgi_begin()) . fcgi_params(cgi_params($request)) . fcgi_stdin($request->{body} // '') . fcgi_end();
}

# A whole request, answered.
sub send {
    my ($self, $request) = @_;
    return $self->exchange(fcgi_request($request));
}

# Send the bytes, read the answer to the end.
sub exchange {
    my ($self, $bytes, %o) = @_;
    my $socket = $self->write_only($bytes);
    shutdown $socket, 1 if $o{shutdown};
    return decode(read_all($socket));
}

# Send the bytes and hand over the socket, the answer unread.
sub write_only {
    my ($self, $bytes) = @_;
    local $SIG{PIPE} = 'IGNORE';
    my $socket = IO::Socket::UNIX->new(Peer => $self->{unix}) or die "cannot connect: $!";
    my $sent = 0;
    while ($sent < length $bytes) {
        my $n = syswrite $socket, $bytes, length($bytes) - $sent, $sent;
        last if !$n;
        $sent += $n;
    }
    return $socket;
}

# The response in a stream of records; nothing when there is none.
sub decode {
    my ($bytes) = @_;
    my ($out, $ended) = ('', 0);
    while (length $bytes >= 8) {
        my (undef, $type, undef, $length, $padding) = unpack 'CCnnC', $bytes;
        my $content = substr $bytes, 8, $length;
        $bytes = substr $bytes, 8 + $length + $padding;
        $out .= $content if $type == TYPE_STDOUT;
        $ended = 1 if $type == TYPE_END_REQUEST;
    }
    return $ended || length $out ? JR::Response->from_cgi($out) : undef;
}

1;
