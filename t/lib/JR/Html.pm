# SPDX-License-Identifier: BSD-2-Clause
#
# JR::Html -- a strict look at a page: stricter than HTML itself, so that what
# is well-formed here is so for every browser.
#
#   my $page = JR::Html->new($answer->body);
#   is join("\n", $page->faults), '', 'well-formed';
#   like $page->text, qr/.../;

package JR::Html;

use strict;
use warnings;
use Encode qw(decode encode_utf8);
use Digest::SHA qw(sha256_base64);

my %VOID = map { $_ => 1 } qw(br link meta rect line path input);
my %REFERENCE = (amp => '&', lt => '<', gt => '>', quot => '"', '#39' => "'", middot => "\x{b7}");

# The pages that there are, in their forms, and a query that is encoded.
my $PAGE = qr{/(?:(?:status|runs|repos|jobs|runners|causes|settings)(?:\.json|\.csv)?|runs/\d+(?:\.json)?|repos/[\w.-]+/[\w.-]+)(?:\?[\w.~%&=*/:@,!()-]*)?(?:#[\w-]+)?};

# Control characters, marks of direction, and what else hides text.
my $HARMFUL = qr/[\x00-\x09\x0b-\x1f\x7f-\x9f\x{ad}\x{61c}\x{180e}\x{200b}\x{200e}\x{200f}\x{2028}-\x{202e}\x{2060}-\x{206f}\x{feff}\x{fff9}-\x{fffb}\x{e0000}-\x{e007f}]/;

sub new {
    my ($class, $bytes) = @_;
    my $self = bless { faults => [], open => [], ids => {}, wanted => [], links => [], rows => [], text => '', tags => {} }, $class;
    my $html = eval { decode('UTF-8', $bytes, Encode::FB_CROAK | Encode::LEAVE_SRC) };
    if (defined $html) { $self->read_page($html) }
    else               { $self->fault('not UTF-8') }
    return $self;
}

sub faults { return @{ $_[0]{faults} } }
sub text   { return $_[0]{text} }     # of the body, without tags; blanks as one
sub links  { return @{ $_[0]{links} } }
sub tags   { return $_[0]{tags}{ $_[1] } // 0 }
sub title  { return $_[0]{title} }
sub has_id { return $_[0]{ids}{ $_[1] } }

# Of each row in the body of a table its links, as a list.
sub rows { return @{ $_[0]{rows} } }

# The hashes of its style sheet and of its script, as a Content-Security-Policy names them.
sub style_hash  { return hash_of($_[0]{style}) }
sub script_hash { return hash_of($_[0]{script}) }

sub hash_of {
    my $hash = sha256_base64(encode_utf8($_[0] // ''));
    return 'sha256-' . $hash . '=' x (-length($hash) % 4);
}

sub fault {
    my ($self, $text) = @_;
    push @{ $self->{faults} }, $text;
    return;
}

sub read_page {
    my ($self, $html) = @_;
    $self->fault('harmful character ' . sprintf 'U+%04X', ord $1) if $html =~ /($HARMFUL)/;
    $html =~ s/\A<!doctype html>\n// or $self->fault('no doctype');
    while ($html =~ /\G(?:<(\/?)([A-Za-z][A-Za-z0-9]*)((?:[^<>"]|"[^"]*")*)>|([^<]+)|(<))/gc) {
        if    (defined $5)         { $self->fault('stray < before: ' . substr $html, pos $html, 40) }
        elsif (defined $4)         { $self->add_text($4) }
        elsif ($1 ne '')           { $self->close_tag($2, $3) }
        else                       { $self->open_tag($2, $3) }
    }
    $self->fault("<$_> is not closed") for @{ $self->{open} };
    $self->fault("no id $_") for grep { !$self->{ids}{$_} } @{ $self->{wanted} };
    $self->fault('a table without a caption') if $self->tags('table') != $self->tags('caption');
    $self->fault('not one current page') if $self->{current} && $self->{current} > 1;
    for my $one (qw(html head body main title style script h1 header footer)) {
        $self->fault("not one <$one>") if $self->tags($one) != 1;
    }
    $self->{text} =~ s/\s+/ /g;
    return;
}

sub add_text {
    my ($self, $raw) = @_;
    my $in = $self->{open}[-1] // '';
    if ($in eq 'style' || $in eq 'script') {
        $self->{$in} = $raw;
        return;
    }
    my $text = $self->decode_references($raw);
    $self->{title} = $text if $in eq 'title' && "@{ $self->{open} }" eq 'html head title';
    $self->{text} .= $text if grep { $_ eq 'body' } @{ $self->{open} };
    $self->fault("text outside of the body: $raw") if $raw =~ /\S/ && @{ $self->{open} } < 3 && $in ne 'body';
    return;
}

sub decode_references {
    my ($self, $raw) = @_;
    $raw =~ s{&(?:(#?\w+);)?}{
        my $name = $1 // '';
        $self->fault("bad reference: &$name") if !exists $REFERENCE{$name};
        $REFERENCE{$name} // ''
    }ge;
    return $raw;
}

sub open_tag {
    my ($self, $tag, $rest) = @_;
    my $empty = $rest =~ s{/\z}{};
    my %attribute;
    $self->fault("capitals in <$tag>") if $tag =~ /[A-Z]/;
    while ($rest =~ /\G\s+([A-Za-z][A-Za-z-]*\d?)="([^"]*)"/gc) {
        $self->fault("<$tag> has $1 twice") if exists $attribute{$1};
        $attribute{$1} = $self->decode_references($2);
    }
    $self->fault("<$tag> is odd: $rest") if (pos $rest // 0) < length $rest;
    $self->check_attributes($tag, \%attribute);
    my $in_svg = grep { $_ eq 'svg' } @{ $self->{open} };
    $self->{tags}{ $in_svg ? "svg $tag" : $tag }++;
    push @{ $self->{open} }, $tag if !$VOID{$tag};
    push @{ $self->{rows} }, [] if $tag eq 'tr' && $self->is_in('tbody');
    $self->{text} .= ' ' if $tag =~ /^(?:p|div|dt|dd|li|td|th|tr|h\d|br|section|small|title|desc)$/;
    return;
}

sub is_in { my ($self, $tag) = @_; return scalar grep { $_ eq $tag } @{ $self->{open} } }

# Nothing is loaded, nothing runs, and what is named is there.
sub check_attributes {
    my ($self, $tag, $attribute) = @_;
    $self->fault("<$tag> may not be there") if $tag =~ /^(?:iframe|object|embed|img|base|audio|video|use|image)$/i;
    $self->fault('<script> loads or has a type') if $tag eq 'script' && %$attribute;
    $self->fault('<form> sends elsewhere, or more than what is asked for')
        if $tag eq 'form' && (($attribute->{method} // '') ne 'get' || ($attribute->{action} // '') !~ m{^/\w+$});
    $self->{current}++ if defined $attribute->{'aria-current'};
    for my $name (sort keys %$attribute) {
        my $value = $attribute->{$name};
        $self->fault("<$tag> has $name") if $name =~ /^on|^style$|^src/i;
        $self->fault("id $value twice") if $name eq 'id' && $self->{ids}{$value}++;
        push @{ $self->{wanted} }, split ' ', $value if $name eq 'aria-labelledby';
        if ($name eq 'href' && $tag eq 'a') {
            push @{ $self->{links} }, $value;
            push @{ $self->{rows}[-1] }, $value if $self->is_in('tbody');
            push @{ $self->{wanted} }, $1 if $value =~ /^#(.*)/;
            $self->fault("a link to $value") if $value !~ m{^(?:https?://|$PAGE$|#)};
        }
        elsif ($name eq 'href') {
            $self->fault("<$tag> loads $value") if $value !~ /^data:/;
        }
    }
    $self->fault('<th> without scope') if $tag eq 'th' && !defined $attribute->{scope};
    $self->fault('<svg> for nobody')
        if $tag eq 'svg' && ($attribute->{'aria-hidden'} // '') ne 'true'
        && !defined($attribute->{'aria-labelledby'} // $attribute->{'aria-label'});
    $self->fault("<$tag> without a label") if $tag =~ /^(?:input|select)$/ && !grep { $_ eq 'label' } @{ $self->{open} };
    return;
}

sub close_tag {
    my ($self, $tag, $rest) = @_;
    my $open = $self->{open}[-1] // 'nothing';
    $self->fault("</$tag> closes $open") if $tag ne $open || $rest ne '';
    pop @{ $self->{open} };
    return;
}

1;
