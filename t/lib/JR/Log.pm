# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Log -- the service's log: `time level event key=value key="words"`.

package JR::Log;

use strict;
use warnings;
use JR::Wait qw(wait_for);

sub new {
    my ($class, $path) = @_;
    return bless { path => $path }, $class;
}

sub path { return $_[0]{path} }

# Whole lines: of one that is written at this moment there may be only the beginning.
sub text {
    my ($self) = @_;
    open my $fh, '<', $self->{path} or return '';
    local $/;
    return (<$fh> // '') =~ s/[^\n]+\z//r;
}

# A place in the log; find(..., since => mark) looks only behind it.
sub mark { return length $_[0]->text }

sub parse {
    my ($line) = @_;
    my ($level, $event, $rest) = $line =~ /^\S+ (error|warn|info|debug) ([\w-]+)(.*)$/ or return;
    my %entry = (level => $level, what => $event, line => $line);
    while ($rest =~ /\s([\w.-]+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g) {
        $entry{$1} = $2 // $3;
    }
    return \%entry;
}

# Entries of one kind (the word after the level) whose fields are as asked for.
sub find {
    my ($self, $what, %want) = @_;
    my $since = delete $want{since} // 0;
    my @found;
    for my $entry (map { parse($_) } split /\n/, substr $self->text, $since) {
        next if $entry->{what} ne $what;
        push @found, $entry if !grep { ($entry->{$_} // '') ne $want{$_} } keys %want;
    }
    return @found;
}

sub count { return scalar(my @found = find(@_)) }

# The first such entry, waited for.
sub wait_entry {
    my ($self, @what) = @_;
    my $entry;
    wait_for { ($entry) = $self->find(@what); $entry };
    return $entry;
}

1;
