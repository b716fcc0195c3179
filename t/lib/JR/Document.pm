# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Document -- the documents as tests read them: sections by their titles, and the
# code that stands in them.

package JR::Document;

use strict;
use warnings;
use Exporter qw(import);

our @EXPORT_OK = qw(section titles code anchor links);

# What stands under a title of Markdown, up to the next of the same or a higher level.
sub section {
    my ($text, $title) = @_;
    my ($level, $rest) = $text =~ /^(#+) \Q$title\E\n(.*)/ms or return '';
    my $depth = length $level;
    my $code = 0;
    my @lines;
    for my $line (split /^/, $rest) {
        $code = !$code if $line =~ /^ *```/;
        last if !$code && $line =~ /^#{1,$depth} /;
        push @lines, $line;
    }
    return join '', @lines;
}

# All titles of a text in Markdown.
sub titles {
    my ($text) = @_;
    my $code = 0;
    my @titles;
    for my $line (split /\n/, $text) {
        $code = !$code if $line =~ /^ *```/;
        push @titles, $1 if !$code && $line =~ /^#+ (.*)/;
    }
    return @titles;
}

# The blocks of code in a text, without what they are indented by.
sub code {
    my ($text) = @_;
    my @blocks;
    while ($text =~ /^( *)```\n(.*?)^\1```$/msg) {
        my ($indent, $block) = ($1, $2);
        push @blocks, $block =~ s/^$indent//mgr;
    }
    return @blocks;
}

# What a link to a title ends in, as GitHub makes it.
sub anchor {
    my ($title) = @_;
    return lc($title) =~ s/[^\w\- ]//gr =~ tr/ /-/r;
}

# The links of a text, pictures too, but for those to elsewhere.
sub links {
    my ($text) = @_;
    my @links = ($text =~ /\]\(([^()\s]+)\)/g, $text =~ /\b(?:src|srcset)="([^"]+)"/g);
    return grep { !/^\w+:/ } @links;
}

1;
