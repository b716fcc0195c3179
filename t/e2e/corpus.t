#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# Real failures (t/data/causes/open.json), judged by `policy test`: how many that a rerun
# repairs are rerun, and how many are rerun in vain, by each preset. Whole logs are made
# round the deciding lines, with lines that tempt.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use Test::More;
use JSON::PP ();
use JR::Corpus qw(cases evidence);
use JR::Test;

my $dir   = tmpdir() . '/corpus';
mkdir $dir or die "$dir: $!";
my @cases = cases(srcdir() . '/t/data/causes/open.json');
cmp_ok scalar @cases, '>', 100, 'there are cases';
my $seed = 0;
my %file = map { $_->{id} => evidence($_, $dir, ++$seed) } @cases;

# What a policy makes of each case, and which signatures have hit.
sub judged {
    my ($policy) = @_;
    my (%verdict, %hits);
    for my $case (@cases) {
        my $told = tool(['policy', 'test', '--policy', $policy, '--json', $file{ $case->{id} }]);
        my $answer = $told->{status} == 0 ? JSON::PP->new->utf8->decode($told->{out}) : { jobs => [] };
        is $told->{status}, 0, "$policy: $case->{id}" or diag $told->{err};
        $verdict{ $case->{id} } = $answer->{verdict} // 'none';
        $hits{ $_->{signature} // 'none' }++ for @{ $answer->{jobs} };
    }
    return (\%verdict, \%hits);
}

sub share {
    my ($verdict, $expected) = @_;
    my @of  = grep { $_->{expected} eq $expected } @cases;
    my @hit = grep { $verdict->{ $_->{id} } eq 'rerun' } @of;
    return (scalar @hit, scalar @of, 100 * @hit / @of);
}

# The least recall, and the most reruns in vain, in hundredths.
my %goal = (infrastructure => [80, 3], careful => [95, 25]);
for my $policy (sort keys %goal) {
    my ($verdict, $hits) = judged($policy);
    my ($good, $of_good, $recall) = share($verdict, 'rerun');
    my ($vain, $of_vain, $false)  = share($verdict, 'leave');
    note sprintf '%s: rerun %d of %d that a rerun repairs (%.0f %%), %d of %d in vain (%.0f %%); everything: all of both',
        $policy, $good, $of_good, $recall, $vain, $of_vain, $false;
    cmp_ok $recall, '>=', $goal{$policy}[0], "$policy: what a rerun repairs is rerun";
    cmp_ok $false, '<=', $goal{$policy}[1], "$policy: the rest is not";
    next if $policy ne 'infrastructure';
    delete $hits->{none};
    note "$hits->{$_} by $_" for sort { $hits->{$b} <=> $hits->{$a} || $a cmp $b } keys %$hits;
    my $total = () = read_causes() =~ /^- id: /mg;
    cmp_ok scalar(grep { $_ == 1 } values %$hits), '<=', $total / 3, 'signatures are no single texts';
}

sub read_causes {
    open my $fh, '<', srcdir() . '/lib/rules/causes.yml' or die $!;
    local $/ = undef;
    return scalar <$fh>;
}

subtest 'everything reruns whatever failed' => sub {
    my @failed = grep { $_->{conclusion} eq 'failure' } @cases;
    for my $case (@failed[0 .. 4]) {
        my $told = tool(['policy', 'test', '--json', $file{ $case->{id} }]);
        like $told->{out}, qr/^\{"verdict":"rerun","reason":"run-failed"/, $case->{id};
    }
};

finish();
