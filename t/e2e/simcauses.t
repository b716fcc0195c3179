#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A short selection of t/sim (JR::Sim::Short): the weathers in which the causes of failures are
# looked for. Beside sim.t, since each takes long.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../sim/lib";
use JR::Test;
use JR::Sim::Short qw(all_right in_search);

all_right(in_search(1));
finish();
