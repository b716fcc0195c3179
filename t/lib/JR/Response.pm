# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Response -- one answer, the same whichever door it came through.

package JR::Response;

use strict;
use warnings;
use JSON::PP ();

sub from_http {
    my ($class, $bytes) = @_;
    my ($head, $body) = split /\r\n\r\n/, $bytes, 2;
    my ($line, @lines) = split /\r\n/, $head;
    my ($status) = $line =~ m{^HTTP/1\.[01] (\d{3})\b} or die "not an HTTP answer: $line";
    my $self = $class->build($status, \@lines, $body // '');
    $self->{body} = unchunk($self->{body}) if ($self->header('Transfer-Encoding') // '') eq 'chunked';
    return $self;
}

# "Status: NNN text" and headers, as CGI has it.
sub from_cgi {
    my ($class, $bytes) = @_;
    my ($head, $body) = split /\r?\n\r?\n/, $bytes, 2;
    return if !defined $body;
    my $self = $class->build(200, [split /\r?\n/, $head], $body);
    my $status = $self->header('Status') // '200';
    $self->{status} = $status =~ /^(\d{3})\b/ ? $1 : $status;
    return $self;
}

sub build {
    my ($class, $status, $lines, $body) = @_;
    my %headers;
    for (@$lines) {
        my ($name, $value) = /^([^:]+):\s*(.*?)\s*$/ or die "not a header: $_";
        push @{ $headers{ lc $name } }, $value;
    }
    return bless { status => $status, headers => \%headers, body => $body }, $class;
}

sub unchunk {
    my ($body) = @_;
    my $out = '';
    while ($body =~ /\G([0-9a-f]+)\r\n/gci) {
        my $n = hex $1;
        $out .= substr $body, pos $body, $n;
        pos($body) += $n + 2;
    }
    return $out;
}

sub status { return $_[0]{status} }
sub body   { return $_[0]{body} }

sub header {
    my ($self, $name) = @_;
    return $self->{headers}{ lc $name } ? $self->{headers}{ lc $name }[0] : undef;
}

# First word of X-Rerun-Reason.
sub reason {
    my ($self) = @_;
    return ($self->header('X-Rerun-Reason') // '') =~ /^([^;]+)/ ? $1 : '';
}

# The decoded body, or nothing when it is not JSON.
sub json {
    my ($self) = @_;
    return eval { JSON::PP->new->utf8->decode($self->{body}) };
}

# A member of the JSON object in the body.
sub field {
    my ($self, $name) = @_;
    my $json = $self->json;
    return ref $json eq 'HASH' ? $json->{$name} : undef;
}

1;
