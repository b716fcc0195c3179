# SPDX-License-Identifier: BSD-2-Clause
#
# JR::File -- whole files, as bytes.

package JR::File;

use strict;
use warnings;
use Exporter 'import';

our @EXPORT_OK = qw(read_file read_file_or_empty write_file);

sub read_file {
    my ($name) = @_;
    open my $fh, '<:raw', $name or die "$name: $!";
    local $/;
    return <$fh> // '';
}

# The same; '' for one that is not there, or cannot be read.
sub read_file_or_empty {
    my ($name) = @_;
    open my $fh, '<:raw', $name or return '';
    local $/;
    return <$fh> // '';
}

# In the place of one that is there: whole or not at all, for who reads it meanwhile.
# Returns the name.
sub write_file {
    my ($name, $bytes) = @_;
    open my $fh, '>:raw', "$name.new" or die "$name: $!";
    print {$fh} $bytes;
    close $fh or die "$name: $!";
    rename "$name.new", $name or die "$name: $!";
    return $name;
}

1;
