# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Grow -- what grows with a store, and what must not: the same thing at
# some sizes, in milliseconds of processor time.

package Bench::Grow;

use strict;
use warnings;
use Exporter 'import';
use JR::Process qw(spawn reap);
use Bench::Measure qw(cpu_s);

our @EXPORT_OK = qw(curves curve_table curve_goals);

use constant LIMIT_S => 300;

# name, sizes (the last one is left out with --quick), how it is measured
my @CURVES = (
    ['a look, of repositories',                       [1_000, 10_000, 100_000],   \&by_program, 'looks'],
    ['a look past those not acted on',                [1_000, 10_000, 100_000],   \&by_program, 'passed'],
    ['a job that ends, of those of its run',          [30, 300, 3_000],           \&by_program, 'jobs'],
    ['the same in the second attempt',                [30, 300, 3_000],           \&by_program, 'again'],
    ['/status, of flaky jobs',                        [3_000, 30_000, 300_000],   \&page],
    ['export --since 1h, of runs',                    [10_000, 100_000, 1_000_000], \&export],
);

# Run a program of ours on a folder, and return what it prints.
sub output_of {
    my ($o, @argv) = @_;
    unlink "$o->{dir}/grow.out";
    my $pid = spawn(argv => [@argv], out => "$o->{dir}/grow.out", env => {});
    my $status = reap($pid, LIMIT_S);
    my $text = Bench::Measure::slurp("$o->{dir}/grow.out") // '';
    die "@argv: $text\n" if ($status // -1) != 0;
    return $text + 0;
}

sub by_program {
    my ($o, $size, $what) = @_;
    my $folder = "$o->{dir}/grow-$what-$size";
    mkdir $folder or die "$folder: $!";
    my $ms = output_of($o, "$o->{dir}/grow", $what, $folder, $size);
    unlink "$folder/data.mdb", "$folder/lock.mdb";
    return $ms;
}

sub page {
    my ($o, $size) = @_;
    my $service = $o->{service}->(WORKERS => 1, pages => 'status');
    output_of($o, "$o->{dir}/grow", 'flaky', $service->state_dir, $size);
    $service->start;
    my $get = sub {
        my $answer = $service->http->send({ method => 'GET', path => '/status', headers => [] });
        die '/status: ' . $answer->status . "\n" if $answer->status != 200;
    };
    $get->();    # what is read for the first time
    my @workers = $service->workers;
    my $begun   = cpu_s(@workers);
    $get->() for 1 .. 20;
    my $ms = (cpu_s(@workers) - $begun) * 1000 / 20;
    $service->stop_service;
    return $ms;
}

sub export {
    my ($o, $size) = @_;
    my $service = $o->{service}->(WORKERS => 1);
    my $made = output_of($o, "$o->{dir}/fill", $service->state_dir, $size, LIMIT_S / 2);
    die "only $made of $size runs were made\n" if $made != $size;
    local $ENV{STATE_DIR} = $service->state_dir;
    my $begun = children_s();
    for (1 .. 20) {
        system('/bin/sh', '-c', 'exec "$0" export --since 1h >/dev/null', $service->{binary}) == 0
            or die "export failed\n";
    }
    return (children_s() - $begun) * 1000 / 20;
}

sub children_s { my (undef, undef, $user, $system) = times; return $user + $system }

# Measure all: [name, [size, ms], ...].
#   dir      where grow and fill were built
#   service  makes a service that is not started
#   quick    without the largest sizes
#   say      told of what is done
sub curves {
    my (%o) = @_;
    my @curves;
    for (@CURVES) {
        my ($name, $sizes, $measure, @arguments) = @$_;
        my @sizes = @$sizes;
        pop @sizes if $o{quick};
        push @curves, [$name, map { $o{say}->("$name: $_"); [$_, $measure->(\%o, $_, @arguments)] } @sizes];
    }
    return @curves;
}

sub with_commas { my ($n) = @_; 1 while $n =~ s/^(\d+)(\d{3})/$1,$2/; return $n }

sub curve_table {
    my (@curves) = @_;
    my $text = "Processor time, in ms, as a store grows:\n";
    for (@curves) {
        my ($name, @points) = @$_;
        $text .= sprintf '  %-40s', $name;
        $text .= sprintf '  %9s: %6.2f', with_commas($_->[0]), $_->[1] for @points;
        $text .= "\n";
    }
    return $text;
}

# For Bench::Report::goals(). What is near flat may double by depth of trees and by caches.
sub curve_goals {
    my (@curves) = @_;
    my ($looks, $passed, $jobs, $again, $page, $export) = map { my ($name, @points) = @$_; \@points } @curves;
    my $growth = sub { $_[0][-1][1] / ($_[0][0][1] || 1e-9) };
    return (
        ['a look, at most repositories',            $looks->[-1][1],     'most', 1,   2, ' ms'],
        ['a look, of that with the fewest',         $growth->($looks),   'most', 2,   2, ''],
        ['a look past others, at most repositories', $passed->[-1][1],   'most', 1,   2, ' ms'],
        ['a job that ends, of that of the shortest run', $growth->($jobs), 'most', 1.5, 2, ''],
        ['the same in the second attempt',          $growth->($again),   'most', 1.5, 2, ''],
        ['/status, at most flaky jobs',             $page->[-1][1],      'most', 20,  1, ' ms'],
        ['export --since 1h, at most runs',         $export->[-1][1],    'most', 100, 0, ' ms'],
    );
}

1;
