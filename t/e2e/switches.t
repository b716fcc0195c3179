#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# The switches for tests (lib/base/testpoint.h) are in t/job-rerunner alone. The program that
# `make install' installs looks for none of them.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JR::File qw(read_file);
use JR::Test;

my @switches = do {
    my $source = read_file(srcdir() . '/t/testpoint.c');
    my %named = map { $_ => 1 } $source =~ /"(JR_TEST_[A-Z_]+)"/g;
    sort keys %named;
};
cmp_ok scalar @switches, '>', 4, 't/testpoint.c has switches';

my $installed = tmpdir() . '/installed';
mkdir $installed or die "$installed: $!";
$installed .= '/job-rerunner';
symlink builddir() . '/fcgi/job-rerunner', $installed or die "symlink: $!";

subtest 'by their names' => sub {
    my ($for_tests, $for_all) = map { read_file($_) } binary(), $installed;
    for my $switch (@switches) {
        cmp_ok index($for_tests, $switch), '>=', 0, "$switch is in the program for tests";
        is index($for_all, $switch), -1, "$switch is not in the one that is installed";
    }
    is index($for_all, 'JR_TEST_'), -1, 'nor is any other';
};

# A run that is asked about passes before-get, where the dispatcher would stop.
subtest 'by what it does' => sub {
    my $github = github();
    my $file = tmpdir() . '/stop';
    my $service = service(
        github => $github, binary => $installed, WORKERS => 1, JR_TEST_STOP_AT => "before-get:$file",
    )->start;
    my $run = workflow_run(github => $github, door => $service->http, jobs => ['build']);
    status_is $run->play(build => 'failure'), 201, 'a run fails';
    wait_ok { $run->accepted } 'it is rerun';
    ok !-e $file, 'no point was seen on the way';
};

finish();
