# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Report -- the figures as text that fits into doc/measured.md.

package Bench::Report;

use strict;
use warnings;
use Exporter 'import';
use POSIX qw(strftime uname);

our @EXPORT_OK = qw(machine table goals);

sub first_line {
    my ($pattern, @command) = @_;
    open my $pipe, '-|', '/bin/sh', '-c', "$command[0] 2>&1" or return '?';
    my ($found) = map { /$pattern/ ? $1 : () } <$pipe>;
    close $pipe;
    return $found // '?';
}

# On what this was measured.
sub machine {
    my ($version, $dir) = @_;
    my $cores  = first_line(qr/^(\d+)/, 'nproc');
    my $cpu    = first_line(qr/^model name\s*:\s*(.*?)\s*$/, 'cat /proc/cpuinfo');
    my $system = first_line(qr/^\S+\s+(\S+)\s+\d/, "df -T '$dir' | tail -n 1");
    my $disk   = first_line(qr/^(\S+)/, "df '$dir' | tail -n 1");
    return sprintf "%s, %s. %s cores (%s), Linux %s, STATE_DIR on %s (%s),\nnginx %s, LMDB %s, wrk %s.\n",
        $version, strftime('%Y-%m-%d', gmtime), $cores, $cpu, (uname())[2], $system, $disk,
        first_line(qr{nginx/(\S+)}, 'nginx -v'),
        first_line(qr/(\S+)/, 'pkg-config --modversion lmdb'),
        first_line(qr/wrk (?:debian\/)?(\S+)/, 'wrk -v');
}

sub number {
    my ($n, $digits) = @_;
    return '-' if !defined $n;
    my $text = sprintf "%.${digits}f", $n;
    1 while $text =~ s/^(\d+)(\d{3})/$1,$2/;
    return $text;
}

# rows: { connections, name, rate, p50_ms, p99_ms, cpu_s, commit_rate,
# per_commit, errors, of_floor => { rate, p50_ms, p99_ms, cpu_s } }
sub table {
    my (@rows) = @_;
    my $text = "                         requests/s      p50, ms        p99, ms       CPU s per      commits events per\n"
        . "                              and x          x              x       1000 req.  x       /s     commit  errors\n";
    my $connections = 0;
    for my $row (@rows) {
        if ($row->{connections} != $connections) {
            $connections = $row->{connections};
            $text .= $connections == 1 ? "1 connection\n" : "$connections connections\n";
        }
        my $x = $row->{of_floor};
        $text .= sprintf "  %-18s %8s %5s  %6s %5s  %7s %5s  %8s %5s  %7s %7s %9s\n", $row->{name},
            number($row->{rate}, 0), number($x->{rate}, 2),
            number($row->{p50_ms}, 2), number($x->{p50_ms}, 1),
            number($row->{p99_ms}, 2), number($x->{p99_ms}, 1),
            number($row->{cpu_s}, 3), number($x->{cpu_s}, 1),
            number($row->{commit_rate}, 0), number($row->{per_commit}, 1), number($row->{errors}, 0);
    }
    return $text;
}

# Each goal is [words, figure, least or most, goal, digits, unit].
sub goals {
    my (@goals) = @_;
    my $text = '';
    for my $goal (@goals) {
        my ($words, $figure, $sense, $bound, $digits, $unit) = @$goal;
        my $met = $sense eq 'least' ? $figure >= $bound : $figure <= $bound;
        $text .= sprintf "  %-62s %9s  at %-5s %7s  %s\n", $words, number($figure, $digits) . $unit,
            $sense, number($bound, $digits) . $unit, $met ? 'met' : 'MISSED';
    }
    return $text;
}

1;
