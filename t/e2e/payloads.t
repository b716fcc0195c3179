#!/usr/bin/perl
# SPDX-License-Identifier: BSD-2-Clause
#
# For use by hand: every file of the folder JR_PAYLOADS, signed and sent
# through both doors. Files are named EVENT__anything.json; one that is
# {name, id, payload} carries event, delivery id and body.

use strict;
use warnings;
use FindBin;
use lib "$FindBin::Bin/../lib";
use JSON::PP ();
use Test::More;
use JR::Test;

my $folder = $ENV{JR_PAYLOADS} or plan skip_all => 'JR_PAYLOADS is not set';
my @files = glob "$folder/*.json" or plan skip_all => "no payloads in $folder";

sub read_payload {
    my ($file) = @_;
    open my $fh, '<:raw', $file or die "$file: $!";
    my $text = do { local $/; <$fh> };
    my ($event) = $file =~ m{([a-z_]+?)__[^/]*$};
    my $data = JSON::PP->new->utf8->decode($text);
    return ($text, event => $event) if !ref $data->{payload};
    return (json_text($data->{payload}), event => $data->{name}, id => $data->{id});
}

my $service = service(GITHUB_TOKEN => undef, DRY_RUN => 'yes', RERUN_DELAY => '1h')->start;
# By plain CGI a request would leave one behind, for an hour, where there is none yet.
wait_ok { $service->dispatcher } 'it has a dispatcher';
for my $file (@files) {
    my ($text, %o) = read_payload($file);
    my ($name) = $file =~ m{([^/]+)\.json$};
    for my $door ($service->http, $service->cgi) {
        for my $form (0, 1) {
            my $answer = $door->send(delivery($text, %o, form => $form));
            my $by = $door->name . ($form ? ', form' : '');
            status_is $answer, $o{event} eq 'ping' ? 204 : '20[0-4]|404', "$name, $by";
        }
    }
}

finish();
