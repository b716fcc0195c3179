# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Message -- a structure of data as bytes, from one process of a test to another. It is read
# and written in C: JSON::PP would need a hundred times as long, and tests ask very often.

package JR::Message;

use strict;
use warnings;
use Exporter 'import';
use JSON::PP ();    # true and false are objects of its
use Storable qw(freeze thaw);

our @EXPORT_OK = qw(pack_message unpack_message);

sub pack_message { return pack 'N/a*', freeze($_[0]) }

# The message in the bytes; nothing as long as it is not whole.
sub unpack_message {
    my ($bytes) = @_;
    return if length $bytes < 4 || length $bytes < 4 + unpack 'N', $bytes;
    return thaw(unpack 'N/a*', $bytes);
}

1;
