# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Http -- requests as the tests describe them, responses as they read them.
#
# A request is { method, path, headers => [[name, value], ...], body } and
#   chunked    => 1  send the body in chunks, without a length
#   no_length  => 1  send neither length nor chunks
# It becomes raw HTTP here, or the variables of CGI and FastCGI. Headers are
# a list, so that a test can send one twice.

package JR::Http;

use strict;
use warnings;
use Exporter 'import';
use IO::Socket::UNIX;
use IO::Socket::IP;
use JR::Wait qw(deadline_s);
use JR::Response;

our @EXPORT_OK = qw(cgi_params read_all);

# where: unix => PATH or port => N; and host, if not 127.0.0.1, and from, an address
# of this host to come from
sub new {
    my ($class, %where) = @_;
    return bless {%where}, $class;
}

sub name { return 'nginx' }

# Send one request; an undefined result means: no answer.
sub send {
    my ($self, $request) = @_;
    return $self->send_raw(encode($request));
}

sub send_raw {
    my ($self, $bytes) = @_;
    my $socket = $self->open_connection;
    local $SIG{PIPE} = 'IGNORE';
    # A refused body may be answered and closed before all of it is sent.
    print {$socket} $bytes;
    my $answer = read_all($socket);
    return length $answer ? JR::Response->from_http($answer) : undef;
}

sub open_connection {
    my ($self) = @_;
    my $socket = $self->{unix}
        ? IO::Socket::UNIX->new(Peer => $self->{unix})
        : IO::Socket::IP->new(
            PeerHost => $self->{host} // '127.0.0.1', PeerPort => $self->{port},
            $self->{from} ? (LocalHost => $self->{from}) : (),
        );
    die "cannot connect: $!" if !$socket;
    $socket->autoflush(1);
    return $socket;
}

# Everything up to the end of the stream, or to the deadline.
sub read_all {
    my ($handle, $seconds) = @_;
    my $end  = time + deadline_s($seconds);
    my $data = '';
    my $bits = '';
    vec($bits, fileno $handle, 1) = 1;
    while (time <= $end) {
        next if !select my $ready = $bits, undef, undef, 0.5;
        my $n = sysread $handle, $data, 65536, length $data;
        last if !$n;
    }
    return $data;
}

sub encode {
    my ($request) = @_;
    my $body    = $request->{body} // '';
    my @headers = (['Connection', 'close'], @{ $request->{headers} // [] });
    unshift @headers, ['Host', 'rerunner.test'] if !grep { $_->[0] eq 'Host' } @headers;
    if ($request->{chunked}) {
        push @headers, ['Transfer-Encoding', 'chunked'];
        $body = chunked($body);
    }
    elsif (!$request->{no_length} && (length $body || $request->{method} !~ /^(?:GET|HEAD)$/)) {
        push @headers, ['Content-Length', length $body];
    }
    return join '', "$request->{method} $request->{path} HTTP/1.1\r\n",
        (map {"$_->[0]: $_->[1]\r\n"} @headers), "\r\n", $body;
}

sub chunked {
    my ($body) = @_;
    my $out = '';
    $out .= sprintf "%x\r\n%s\r\n", length, $_ for unpack '(a1000)*', $body;
    return $out . "0\r\n\r\n";
}

# The request as name and value pairs, the way a web server hands it on.
sub cgi_params {
    my ($request) = @_;
    my ($path, $query) = split /\?/, $request->{path}, 2;
    my @params = (
        [GATEWAY_INTERFACE => 'CGI/1.1'],
        [SERVER_PROTOCOL   => 'HTTP/1.1'],
        [REQUEST_METHOD    => $request->{method}],
        [REQUEST_URI       => $request->{path}],
        [DOCUMENT_URI      => $path],
        [SCRIPT_NAME       => $path],
        [QUERY_STRING      => $query // ''],
        [REMOTE_ADDR       => '127.0.0.1'],
    );
    push @params, [CONTENT_LENGTH => length($request->{body} // '')]
        if !$request->{no_length} && !$request->{chunked} && $request->{method} !~ /^(?:GET|HEAD)$/;
    for my $header (@{ $request->{headers} // [] }) {
        my ($name, $value) = @$header;
        $name = uc $name =~ tr/-/_/r;
        $name = "HTTP_$name" if $name !~ /^CONTENT_(?:TYPE|LENGTH)$/;
        push @params, [$name, $value];
    }
    return @params;
}

1;
