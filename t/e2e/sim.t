#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# A short selection of t/sim (JR::Sim::Short): some weathers, those in which nobody looks for
# causes, and some with reports, guards and limits.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib", "$FindBin::Bin/../sim/lib";
use JR::Test;
use JR::Sim::Short qw(all_right in_search);

all_right(qw(lost-50 killed people storm), in_search(0));
finish();
