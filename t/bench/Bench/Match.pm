# SPDX-License-Identifier: BSD-2-Clause
#
# Bench::Match -- what it costs to judge a log of 1 MB, beside grep over the same file by the
# same patterns, and the memory of the process that does it.
#
# The patterns are PCRE2's. For grep -E they are written as it has them (for_grep()). Where
# that cannot be said (what stands before or behind, without being part of the match), or
# grep does not take it, they go to a grep -P of their own, whose time is shown, but not
# counted: the ratio is one to grep -E with those that it takes.

package Bench::Match;

use strict;
use warnings;
use Exporter 'import';
use Time::HiRes ();
use JR::Corpus;
use JR::File qw(write_file);
use Bench::Measure qw(median);

our @EXPORT_OK = qw(matching matching_table matching_goals);

use constant LOG_BYTES => 1024 * 1024;

sub lines_of {
    my (@command) = @_;
    open my $pipe, '-|', @command or die "$command[0]: $!";
    my @lines = <$pipe>;
    close $pipe or die "@command failed\n";
    chomp @lines;
    return @lines;
}

# One step's log, all of it noise that tempts, until its last lines.
sub make_log {
    my ($path) = @_;
    my $number = JR::Corpus::numbers(17);
    my $stamp  = '2026-03-03T10:00:00.0000000Z ';
    my $text   = join '', map {"$stamp$_\n"} JR::Corpus::heading($number, 'make check');
    while (length $text < LOG_BYTES) {
        my $line = $stamp . (JR::Corpus::noise($number, 1))[0] . "\n";
        utf8::encode($line) if utf8::is_utf8($line);
        $text .= $line;
    }
    $text .= "$stamp$_\n" for 'curl: (56) Recv failure: Connection reset by peer', '##[error]Process completed with exit code 56.';
    return write_file($path, $text);
}

# A pattern as grep -E has it; nothing: it cannot be said there.
#   \d is [0-9]; (?-i:x) is (x), since all is matched without case; in brackets \w and \s are
#   classes, and a backslash stands for nothing.
sub for_grep {
    my ($pattern) = @_;
    return if $pattern =~ /\(\?(?!-i:)/ || $pattern =~ /[*+?}]\?/;
    my $text = '';
    while ($pattern =~ /\G(?:(\(\?-i:)|(\\d)|(\\.)|(\[\^?\]?(?:\\.|[^\]\\])*\])|(.))/gs) {
        my ($group, $digit, $escaped, $set, $other) = ($1, $2, $3, $4, $5);
        if (defined $set) {
            $set =~ s/\\d/0-9/g;
            $set =~ s/\\w/[:alnum:]_/g;
            $set =~ s/\\s/[:space:]/g;
            $set =~ s/\\([^\]\[^-])/$1/g;
            return if $set =~ /\\/;
        }
        $text .= defined $group ? '(' : defined $digit ? '[0-9]' : $escaped // $set // $other;
    }
    return $text;
}

# Does grep take it?
sub is_taken {
    my (@options) = @_;
    my $pid = fork // die "fork: $!";
    if ($pid == 0) {
        open STDIN,  '<', '/dev/null';
        open STDERR, '>', '/dev/null';
        exec {'/usr/bin/env'} 'env', 'LC_ALL=C', 'grep', '-c', '-i', @options or exit 3;
    }
    waitpid $pid, 0;
    return $? >> 8 <= 1;
}

# Two files of patterns, and how many are in each.
sub write_patterns {
    my ($dir, @patterns) = @_;
    my (@extended, @perl);
    for my $pattern (@patterns) {
        my $text = for_grep($pattern);
        if (defined $text && is_taken('-E', '-q', '-e', $text)) { push @extended, $text }
        else                                                    { push @perl, $pattern }
    }
    write_file("$dir/match.extended", join '', map {"$_\n"} @extended);
    write_file("$dir/match.perl", join('|', map {"(?:$_)"} @perl) . "\n");
    die "grep -P does not take its patterns\n" if @perl && !is_taken('-P', '-q', '-f', "$dir/match.perl");
    return (scalar @extended, scalar @perl);
}

# ms of processor for one run of a command, the mean of some. What it prints goes into a file:
# where that is /dev/null, grep ends with the first match.
sub cpu_ms {
    my ($times, $out, @command) = @_;
    my $used = sub { my (undef, undef, $user, $system) = times; return ($user + $system) * 1000 };
    my $begun = $used->();
    for (1 .. $times) {
        my $pid = fork // die "fork: $!";
        if ($pid == 0) {
            open STDOUT, '>', $out or exit 3;
            exec {'/usr/bin/env'} 'env', 'LC_ALL=C', @command or exit 3;
        }
        waitpid $pid, 0;
        die "@command failed\n" if $? >> 8 > 1 || $? & 127;
    }
    return ($used->() - $begun) / $times;
}

# o: dir, where the program `match` is; binary: the program; quick; say
sub matching {
    my (%o) = @_;
    my ($turns, $times, $logs) = $o{quick} ? (1, 3, 20) : (5, 10, 200);
    my $log = "$o{dir}/match.log";
    make_log($log);
    my ($extended, $perl) = write_patterns($o{dir}, lines_of("$o{dir}/match", 'patterns'));
    my %of = (extended => $extended, perl => $perl, logs => $logs);
    my @turns;
    for my $turn (1 .. $turns) {
        my %ms = (alone => lines_of("$o{dir}/match", 'alone', $log, $times));
        my @grep = ($times, "$o{dir}/match.out", 'grep', '-c', '-i');
        $ms{grep_e} = cpu_ms(@grep, '-E', '-f', "$o{dir}/match.extended", $log);
        $ms{grep_p} = $perl ? cpu_ms(@grep, '-P', '-f', "$o{dir}/match.perl", $log) : 0;
        my ($line) = lines_of("$o{dir}/match", 'matcher', $log, $logs, $o{binary});
        @ms{qw(matcher early late child)} = split ' ', $line;
        $ms{ratio}       = $ms{matcher} / $ms{grep_e};
        $ms{ratio_alone} = $ms{alone} / $ms{grep_e};
        push @turns, \%ms;
        $o{say}->(sprintf 'turn %d: %.1f ms in a matcher, %.1f ms alone, %.1f ms grep -E, %.1f ms grep -P',
            $turn, @ms{qw(matcher alone grep_e grep_p)});
    }
    for my $figure (keys %{ $turns[0] }) {
        $of{$figure} = median(map { $_->{$figure} } @turns);
    }
    return \%of;
}

sub matching_table {
    my ($of) = @_;
    return sprintf "A log of 1 MB, processor time, user and system:\n"
        . "  in a matcher, all in all  %7.1f ms  %.2f of grep -E\n"
        . "  the judgement alone       %7.1f ms  %.2f of grep -E\n"
        . "  grep -E, %3d patterns     %7.1f ms\n"
        . "  grep -P, %3d patterns     %7.1f ms\n"
        . "Memory of the matcher: %d kB after a tenth of %d logs, %d kB in the end; the largest child has %d kB.\n",
        @{$of}{qw(matcher ratio alone ratio_alone extended grep_e perl grep_p early logs late child)};
}

sub matching_goals {
    my ($of) = @_;
    return (
        ['judging a log of 1 MB, of grep -E by the same patterns', $of->{ratio}, 'most', 3, 2, ''],
        ['growth of the matcher meanwhile', $of->{late} - $of->{early}, 'most', 16, 0, ' kB'],
    );
}

1;
